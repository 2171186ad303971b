"""Scripts of calls: what shall come of them stands beside the spec, and a change of the menu is tried against it.

A script is YAML, as strict as the spec: every problem with file, line and fix.
"""

import tomllib
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import msgspec

from ivr.acts import EVERYBODY, WordsError, read_acts
from ivr.calls import Call, CallResult
from ivr.document import Document, Path, Problem, Words, build, read_document
from ivr.flow import Flow
from ivr.routes import plain_number
from ivr.simulate import walk_call
from ivr.spec import LINES
from ivr.walk import Act, Agent, Centre, Walk
from ivr.walk_lines import call_of

SCRIPT_VERSION = 1
ENDS = ("agent", "caller")
LONGEST_SECONDS = 86_400.0


class CentreText(msgspec.Struct, frozen=True, kw_only=True):
    """``agents``: by name, or ``all`` for every member not named; ``full``: queues; ``dnd``: lines ``mall.line``."""

    agents: dict[str, Agent] = msgspec.field(default_factory=dict)
    full: tuple[str, ...] = ()
    dnd: tuple[str, ...] = ()


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What shall come of a call; what is not given is not looked at.

    ``ways``: ids taken in this order, others may come between. ``wait_seconds``: until the first agent.
    """

    result: CallResult
    reason: str | None = None
    chosen_line: str | None = None
    handling_line: str | None = None
    topic: str | None = None
    agent: str | None = None
    wait_seconds: float | None = None
    is_short_abandon: bool | None = None
    ways: tuple[str, ...] = ()


class CallText(CentreText, frozen=True, kw_only=True):
    """``at``: ISO 8601, in the spec's zone where it has no offset. ``caller``: absent for a withheld number."""

    name: str
    did: str
    at: str
    expect: Expectation
    keys: str = ""
    caller: str = ""


class Script(CentreText, frozen=True, kw_only=True):
    """What stands beside ``calls`` holds for all of them; a call's own agents come before these."""

    script_version: int
    calls: tuple[CallText, ...]


class ScriptError(ValueError):
    """The script cannot be run; ``problems`` says why, each with file, line and fix."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a script, ready to be walked. ``start`` is aware; ``line`` is where it stands in ``file``."""

    name: str
    file: str
    line: int
    did: str
    start: datetime
    acts: tuple[Act, ...]
    number: str
    centre: Centre
    expect: Expectation

    def __repr__(self) -> str:
        return f"<Case {self.name}>"


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """``what``: the expectation's name."""

    what: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case. ``call``: as the records would count it."""

    case: Case
    walk: Walk
    call: Call
    misses: tuple[Miss, ...]


def load_script(text: str, *, source: str, flow: Flow) -> tuple[Case, ...]:
    """Raises: ScriptError with every problem."""
    document = read_document(text, source=source)
    if not document.data and not document.problems:
        _report(document, "script-empty", ())
    script = build(Script, document.data, (), document) if document.data else None
    cases = _cases(script, document, flow) if script else ()
    if document.problems:
        raise ScriptError(sorted(document.problems, key=lambda problem: problem.line))
    return cases


def load_centre(text: str, *, source: str, flow: Flow) -> Centre:
    """A file with ``agents``, ``full`` and ``dnd``, as they stand in a script. Raises: ScriptError."""
    document = read_document(text, source=source)
    centre = build(CentreText, document.data, (), document) if document.data else CentreText()
    if centre:
        _check_centre(centre, (), document, flow)
    if document.problems or centre is None:
        raise ScriptError(document.problems)
    return centre_with(flow, agents=centre.agents, full=centre.full, dnd=centre.dnd)


def centre_with(flow: Flow, *, agents: dict[str, Agent], full: tuple[str, ...], dnd: tuple[str, ...]) -> Centre:
    """The centre of these words. Where no agent is told, the queues let callers in and nobody answers."""
    known = dict.fromkeys(members_of(flow), agents[EVERYBODY]) if EVERYBODY in agents else {}
    known |= {name: agent for name, agent in agents.items() if name != EVERYBODY}
    return Centre(agents=known or None, full=frozenset(full), dnd=frozenset(dnd))


def run_case(case: Case, flow: Flow) -> Outcome:
    """Raises: EndlessWalkError when the spec sends the call round."""
    walk = walk_call(flow, did=case.did, start=case.start, acts=case.acts, number=case.number, centre=case.centre)
    call = call_of(walk, flow.spec)
    return Outcome(case=case, walk=walk, call=call, misses=tuple(_misses(case.expect, walk, call)))


def _misses(expect: Expectation, walk: Walk, call: Call) -> list[Miss]:
    found: list[Miss] = []
    for name in expect.__struct_fields__:
        wanted = getattr(expect, name)
        if name == "ways":
            taken = iter(walk.ways)
            missed = [way for way in wanted if way not in taken]  # each is looked for behind the one before
            if missed:
                found.append(Miss(what="ways", expected=" > ".join(wanted), found=" > ".join(walk.ways)))
        elif wanted is not None and wanted != getattr(call, name):
            found.append(Miss(what=name, expected=wanted, found=getattr(call, name)))
    return found


# ---------------------------------------------------------------- reading


def _cases(script: Script, document: Document, flow: Flow) -> tuple[Case, ...]:
    if script.script_version != SCRIPT_VERSION:
        version = script.script_version
        _report(document, "script-version", ("script_version",), version=version, known=SCRIPT_VERSION)
    if not document.data.get("calls"):
        _report(document, "no-calls", ("calls",))
    _check_centre(script, (), document, flow)
    seen: set[str] = set()
    cases: list[Case] = []
    for index, call in enumerate(script.calls):
        path: Path = ("calls", index)
        if call.name in seen:
            _report(document, "duplicate-name", (*path, "name"), name=call.name)
        seen.add(call.name)
        case = _case(call, script, path, document, flow)
        if case is not None:
            cases.append(case)
    return tuple(cases)


def _case(call: CallText, script: Script, path: Path, document: Document, flow: Flow) -> Case | None:
    _check_centre(call, path, document, flow)
    _check_expectation(call.expect, (*path, "expect"), document, flow)
    for name, number in (("did", call.did), ("caller", call.caller)):
        if number and not (number.isascii() and number.isdigit()):
            _report(document, "bad-number", (*path, name), name=name)
    start = read_start(call.at, flow)
    if start is None:
        _report(document, "bad-time", (*path, "at"), at=call.at)
    acts: tuple[Act, ...] = ()
    try:
        acts = read_acts(call.keys)
    except WordsError as error:
        _report(document, "bad-keys", (*path, "keys"), word=error.word)
    if start is None:
        return None
    return Case(
        name=call.name,
        file=document.source,
        line=document.line_of(path),
        did=plain_number(call.did),
        start=start,
        acts=acts,
        number=call.caller,
        centre=centre_with(
            flow, agents=script.agents | call.agents, full=script.full + call.full, dnd=script.dnd + call.dnd
        ),
        expect=call.expect,
    )


def read_start(text: str, flow: Flow) -> datetime | None:
    """ISO 8601; the spec's zone where there is no offset. ``None`` when it is no time."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(flow.spec.timezone))


def _check_centre(centre: CentreText, path: Path, document: Document, flow: Flow) -> None:
    members, queues = members_of(flow), flow.spec.queues
    for name, agent in centre.agents.items():
        place: Path = (*path, "agents", name)
        if name != EVERYBODY and name not in members:
            _report(document, "agent-in-no-queue", place, name=name, known=", ".join(members))
        if agent.ends_by not in ENDS:
            _report(document, "bad-end", (*place, "ends_by"), name=agent.ends_by)
        if agent.moves_to is not None:
            _require_name(agent.moves_to, "queue", queues, (*place, "moves_to"), document)
        for word, seconds in (("talks", agent.talks), ("answers_after", agent.answers_after)):
            if not 0 <= seconds <= LONGEST_SECONDS:
                _report(document, "bad-seconds", (*place, word), name=word)
    for index, name in enumerate(centre.full):
        _require_name(name, "queue", queues, (*path, "full", index), document)
    for index, name in enumerate(centre.dnd):
        _require_name(name, "line", flow.spec.lines, (*path, "dnd", index), document)


def _check_expectation(expect: Expectation, path: Path, document: Document, flow: Flow) -> None:
    ways = {way.id for step in flow.steps.values() for way in step.ways}
    for index, way in enumerate(expect.ways):
        if way not in ways:
            _report(document, "unknown-way", (*path, "ways", index), way=way)
    for name in ("chosen_line", "handling_line"):
        line = getattr(expect, name)
        if line is not None:
            _require_name(line, "line", LINES, (*path, name), document)


def _require_name(name: str, what: str, known: Iterable[str], path: Path, document: Document) -> None:
    names = list(known)
    if name not in names:
        _report(document, "unknown-name", path, what=what, name=name, known=", ".join(names))


def members_of(flow: Flow) -> list[str]:
    """All who answer in some queue, in the order of the spec."""
    return list(dict.fromkeys(member for queue in flow.spec.queues.values() for member in queue.members))


# ---------------------------------------------------------------- words


@cache
def script_words() -> dict[str, Words]:
    """Code -> words, for what only a script can have wrong."""
    table = tomllib.loads(files("ivr").joinpath("script_problems.toml").read_text(encoding="utf-8"))
    return msgspec.convert(table, dict[str, Words])


def _report(document: Document, code: str, path: Path, **values: object) -> None:
    words = script_words()[code]
    # What stands in the file may be long, or steer a terminal.
    shown = {
        name: "".join(sign if sign.isprintable() else "?" for sign in str(value)[:300])
        for name, value in values.items()
    }
    problem = Problem(
        severity=words.severity,
        code=code,
        message=words.en.format_map(shown),
        fix=words.fix_en.format_map(shown),
        message_ko=words.ko.format_map(shown),
        fix_ko=words.fix_ko.format_map(shown),
        file=document.source,
        line=document.line_of(path),
    )
    if problem not in document.problems:
        document.problems.append(problem)
