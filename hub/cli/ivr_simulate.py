"""`hub ivr simulate`: plays calls through the telephone spec, one by hand or a script of them."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from msgspec import Struct

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, read_time, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.phone.flow import SPEC_FILE
from ivr.acts import EVERYBODY, WordsError, read_acts, read_agents
from ivr.calls import CallResult
from ivr.check import SpecError, load_spec
from ivr.event import Kind
from ivr.flow import Flow, flow_of
from ivr.routes import plain_number
from ivr.scripts import Outcome, ScriptError, centre_with, load_centre, load_script, members_of, run_case
from ivr.simulate import walk_call
from ivr.telling import tell, tell_result
from ivr.walk import Agent, Centre, EndlessWalkError, Walk
from ivr.walk_lines import call_of


class Language(StrEnum):
    KO = "ko"
    EN = "en"


class StepReport(Struct, frozen=True, kw_only=True):
    """``seconds`` after the call came in; ``at`` in the spec's zone. ``way``: id of the way taken, if one was."""

    seconds: float
    at: datetime
    kind: Kind
    step: str
    way: str
    detail: str
    extra: str
    queue: str
    agent: str
    told: str


class WalkReport(Struct, frozen=True, kw_only=True):
    """One simulated call; the fields are those of a counted call. The caller's number is not in it."""

    did: str
    at: datetime
    mall: str | None
    line: str | None
    chosen_line: str | None
    handling_line: str | None
    topic: str | None
    agent: str | None
    wait_seconds: float | None
    talk_seconds: float | None
    result: CallResult
    reason: str | None
    is_short_abandon: bool
    ways: tuple[str, ...]
    steps: tuple[StepReport, ...]


class MissReport(Struct, frozen=True, kw_only=True):
    what: str
    expected: object
    found: object


class OutcomeReport(Struct, frozen=True, kw_only=True):
    """``line``: where the call stands in the script."""

    name: str
    line: int
    result: CallResult
    reason: str | None
    misses: tuple[MissReport, ...]


class ScriptReport(Struct, frozen=True, kw_only=True):
    script: str
    calls: int
    missed: int
    outcomes: tuple[OutcomeReport, ...]


def simulate(
    did: Annotated[str | None, typer.Option(help="Number that is dialled, as the carrier sends it.")] = None,
    at: Annotated[str | None, typer.Option(help="Time, in the spec's zone; absent: now.")] = None,
    keys: Annotated[
        str, typer.Option(help="What the caller does: 1, wait 20, 9; also silent, hangup, early 1, early hangup.")
    ] = "",
    caller: Annotated[str, typer.Option(help="The caller's number; absent: withheld.")] = "",
    agents: Annotated[
        str | None,
        typer.Option(help="YAML file with agents, full and dnd; or agent1001=5,agent1002=paused, all=5 (seconds)."),
    ] = None,
    full: Annotated[list[str] | None, typer.Option(help="A queue that lets nobody in; may be given again.")] = None,
    dnd: Annotated[list[str] | None, typer.Option(help="A line that is switched off; may be given again.")] = None,
    script: Annotated[
        Path | None, typer.Option(help="YAML file of calls; without --did: the one beside the spec.")
    ] = None,
    spec: Annotated[Path | None, typer.Option(help="YAML file; absent: the spec in HUB_HOME.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if did is not None and script is not None:
        what = "--did and --script exclude each other"
        raise ConfigurationError(what, fix="Give the number of one call, or the file of many.")

    async def path_and_now(hub: Hub) -> tuple[Path, datetime]:
        return spec or hub.settings.home / SPEC_FILE, hub.now()

    path, now = with_hub(path_and_now)
    flow = _read_flow(path)
    if did is None:
        return _run_script(script or script_beside(path), flow, lang=lang, as_json=as_json)
    zone = ZoneInfo(flow.spec.timezone)
    start = read_time(at, option="--at", zone=zone) or now
    centre = _centre(agents, tuple(full or ()), tuple(dnd or ()), flow)
    try:
        walk = walk_call(
            flow, did=plain_number(did), start=start, acts=read_acts(keys), number=_digits(caller), centre=centre
        )
    except WordsError as error:
        what = f"--keys: {error}"
        raise ConfigurationError(what, fix=error.fix) from error
    except EndlessWalkError as error:
        raise ConfigurationError(str(error), fix=f"hub ivr check {path}") from error
    report = _report(walk, flow, lang)
    if as_json:
        print_json(report)
        return ExitCode.ALL_DONE
    rows = [(f"{step.at:%H:%M:%S}", f"{step.seconds:g}", step.told, step.way) for step in report.steps]
    print_table("", ("시각", "초", "통화", "경로") if lang is Language.KO else ("time", "s", "the call", "way"), rows)
    print_table("", ("결과" if lang is Language.KO else "result",), [(tell_result(walk, language=lang),)])
    return ExitCode.ALL_DONE


def script_beside(spec: Path) -> Path:
    """Where the calls of a spec stand: ``ivr.yaml`` -> ``ivr.calls.yaml``."""
    return spec.with_suffix(".calls.yaml")


def hint_at_script(spec: Path) -> None:
    """Say where calls would stand that the spec is tried with, when there are none."""
    if not script_beside(spec).exists():
        what = f"{script_beside(spec)}: no calls yet that the spec is tried with; docs/telephone.md tells how"
        screen.print(what, markup=False, soft_wrap=True)


def _run_script(path: Path, flow: Flow, *, lang: Language, as_json: bool) -> int:
    try:
        cases = load_script(_text(path), source=str(path), flow=flow)
        outcomes = [run_case(case, flow) for case in cases]
    except ScriptError as error:
        for problem in error.problems:
            message, fix = problem.told(lang)
            complain(f"{problem.file}:{problem.line}: {problem.severity}: {message} [{problem.code}]", fix=fix)
        return ExitCode.WRONG_USE
    except EndlessWalkError as error:
        raise ConfigurationError(str(error), fix="hub ivr check") from error
    missed = [outcome for outcome in outcomes if outcome.misses]
    if as_json:
        found = tuple(_outcome_report(outcome) for outcome in outcomes)
        print_json(ScriptReport(script=str(path), calls=len(outcomes), missed=len(missed), outcomes=found))
    else:
        _print_outcomes(outcomes, path, lang)
    return ExitCode.PART_DONE if missed else ExitCode.ALL_DONE


def _print_outcomes(outcomes: list[Outcome], path: Path, lang: Language) -> None:
    is_korean = lang is Language.KO
    rows = [
        (
            each.case.name,
            tell_result(each.walk, language=lang),
            ("다름" if is_korean else "missed") if each.misses else "",
        )
        for each in outcomes
    ]
    print_table("", ("통화", "결과", "") if is_korean else ("call", "result", ""), rows)
    expected, found = ("기대", "실제") if is_korean else ("expected", "found")
    for outcome in outcomes:
        for miss in outcome.misses:
            place = f"{outcome.case.file}:{outcome.case.line}: {outcome.case.name}"
            complain(f"{place}: {miss.what}: {expected} {miss.expected}, {found} {miss.found}")
    missed = sum(bool(outcome.misses) for outcome in outcomes)
    counted = f"통화 {len(outcomes)}건, 다름 {missed}건" if is_korean else f"{len(outcomes)} calls, {missed} missed"
    screen.print(f"{path}: {counted}", markup=False, soft_wrap=True)


def _report(walk: Walk, flow: Flow, lang: Language) -> WalkReport:
    call = call_of(walk, flow.spec)
    zone, start = ZoneInfo(flow.spec.timezone), walk.start.astimezone(UTC)
    steps = tuple(
        StepReport(
            seconds=each.at,
            at=(start + timedelta(seconds=each.at)).astimezone(zone),
            kind=each.kind,
            step=each.step,
            way=each.way,
            detail="" if each.kind is Kind.CALLBACK else each.detail,  # there it is the caller's number
            extra=each.extra,
            queue=each.queue,
            agent=each.agent,
            told=tell(each, language=lang),
        )
        for each in walk.happenings
    )
    return WalkReport(
        did=walk.did,
        at=start.astimezone(zone),
        mall=call.mall,
        line=call.line,
        chosen_line=call.chosen_line,
        handling_line=call.handling_line,
        topic=call.topic,
        agent=call.agent,
        wait_seconds=call.wait_seconds,
        talk_seconds=call.talk_seconds,
        result=walk.result,
        reason=walk.reason,
        is_short_abandon=walk.is_short_abandon,
        ways=walk.ways,
        steps=steps,
    )


def _outcome_report(outcome: Outcome) -> OutcomeReport:
    misses = tuple(MissReport(what=each.what, expected=each.expected, found=each.found) for each in outcome.misses)
    return OutcomeReport(
        name=outcome.case.name,
        line=outcome.case.line,
        result=outcome.walk.result,
        reason=outcome.walk.reason,
        misses=misses,
    )


def _centre(agents: str | None, full: tuple[str, ...], dnd: tuple[str, ...], flow: Flow) -> Centre:
    """Raises: ConfigurationError for words that are not understood and names that the spec does not know."""
    for option, names, known in (("--full", full, flow.spec.queues), ("--dnd", dnd, flow.spec.lines)):
        for name in names:
            if name not in known:
                what = f"{option}: {name!r} does not exist"
                raise ConfigurationError(what, fix=f"Use one of: {', '.join(known)}.")
    named: dict[str, Agent] = {}
    if agents is not None and Path(agents).is_file():
        try:
            told = load_centre(_text(Path(agents)), source=agents, flow=flow)
        except ScriptError as error:
            what = str(error)
            raise ConfigurationError(what, fix="docs/telephone.md describes the file of agents.") from error
        named, full, dnd = dict(told.agents or {}), full + tuple(told.full), dnd + tuple(told.dnd)
    elif agents is not None:
        try:
            named = read_agents(agents)
        except WordsError as error:
            what = f"--agents: {error}, and no such file"
            raise ConfigurationError(what, fix=error.fix) from error
        strange = sorted(named.keys() - {EVERYBODY, *members_of(flow)})
        if strange:
            what = f"--agents: {strange[0]!r} is in no queue"
            raise ConfigurationError(what, fix=f"Use {EVERYBODY} or one of: {', '.join(members_of(flow))}.")
    return centre_with(flow, agents=named, full=full, dnd=dnd)


def _read_flow(path: Path) -> Flow:
    try:
        return flow_of(load_spec(_text(path), source=str(path)))
    except SpecError as error:
        what = f"{path} cannot be used: {error}"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"{path}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8 text'}"
        raise ConfigurationError(what, fix="Name a YAML file; docs/telephone.md describes it.") from error


def _digits(number: str) -> str:
    if number and not (number.isascii() and number.isdigit()):
        what = "--caller: that is no number"
        raise ConfigurationError(what, fix="Write digits only.")
    return number
