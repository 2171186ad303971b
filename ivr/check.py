"""Checks a spec: every problem with its file and line and what to write instead."""

import re
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ivr.document import Document, Path, Problem, Severity, build, read_document
from ivr.graph import Node, can_end, edges, endless_edges, reach
from ivr.hours import Calendar, HoursError, day_of, days_of, minutes_of
from ivr.routes import plain_number
from ivr.spec import LINES, SPEC_VERSION, Menu, Queue, Spec, notice_of, queue_place

_ID = re.compile(r"[a-z0-9-]+", re.ASCII)
_DOTTED_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+", re.ASCII)
_PROMPT = re.compile(r"[A-Za-z0-9/_-]+", re.ASCII)
_MEMBER = re.compile(r"[A-Za-z0-9/_@.-]+", re.ASCII)
_DID = re.compile(r"0[0-9]{8,11}|1[0-9]{5,7}", re.ASCII)
_KEYS = frozenset("0123456789*#")
_EXITS = ("timeout", "full", "empty")
LONG_WAIT_SECONDS = 30
MOST_OPTIONS = 6


class SpecError(ValueError):
    """The spec cannot be used; ``problems`` says why, each with file, line and fix."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def load_spec(text: str, *, source: str) -> Spec:
    """Read a spec that has no error; warnings are left to ``check_spec``.

    Raises: SpecError with every error.
    """
    spec, document = _read(text, source)
    errors = [problem for problem in document.problems if problem.severity is Severity.ERROR]
    if errors or spec is None:
        raise SpecError(errors)
    return spec


def check_spec(text: str, *, source: str, today: date) -> list[Problem]:
    """All errors and warnings, in the order of the lines. ``today``: the centre's date, for lists that run out."""
    spec, document = _read(text, source)
    if spec is not None:
        _warn_of_holidays(spec, document, today)
    return sorted(document.problems, key=lambda problem: (problem.line, problem.severity, problem.code))


def _read(text: str, source: str) -> tuple[Spec | None, Document]:
    document = read_document(text, source=source)
    if not document.data:
        if not document.problems:
            document.error("empty", (), "the spec is empty", "begin with spec_version: 1")
        return None, document
    if _is_newer(document):
        return None, document
    spec = build(Spec, document.data, (), document)
    if spec is not None:
        for rule in _RULES:
            rule(spec, document)
    return spec, document


def _is_newer(document: Document) -> bool:
    version = str(document.data.get("spec_version", ""))
    is_newer = version.isascii() and version.isdigit() and (len(version) > 9 or int(version) > SPEC_VERSION)
    if is_newer:
        message = f"spec_version {version[:20]} is newer than this program, which reads {SPEC_VERSION}"
        document.error("version-newer", ("spec_version",), message, "update the program, or write the older form")
    return is_newer


# ---------------------------------------------------------------- head, ids


def _check_head(spec: Spec, document: Document) -> None:
    if spec.spec_version < 1:
        document.error("version", ("spec_version",), "spec_version begins at 1", f"write {SPEC_VERSION}")
    if spec.revision < 1:
        document.error("revision", ("revision",), "revision counts from 1", "write 1 or more")
    try:
        ZoneInfo(spec.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{spec.timezone!r} is no known time zone"
        document.error("unknown-timezone", ("timezone",), message, "write an IANA name such as Asia/Seoul")
    if spec.valid_from is not None:
        _note_hours(lambda: day_of(spec.valid_from or ""), ("valid_from",), document)


def _check_ids(spec: Spec, document: Document) -> None:
    """Names reach the PBX's configuration, where a comma or a dollar sign would be a command."""
    for section, names in (
        ("calendars", spec.calendars),
        ("notices", spec.notices),
        ("menus", spec.menus),
        ("callbacks", spec.callbacks),
    ):
        for name in names:
            if not _ID.fullmatch(name):
                _bad_id(document, (section, name), name, "small letters, digits and -")
    for section, dotted in (("lines", spec.lines), ("queues", spec.queues)):
        for name in dotted:
            is_line = section == "lines"
            if not _DOTTED_ID.fullmatch(name) and (is_line or not _ID.fullmatch(name)):
                _bad_id(document, (section, name), name, "mall.line, of small letters, digits and -")
    for index, number in enumerate(spec.numbers):
        if not _ID.fullmatch(number.mall):
            _bad_id(document, ("numbers", index, "mall"), number.mall, "small letters, digits and -")
    for path, prompt in _prompts(spec):
        if not _PROMPT.fullmatch(prompt):
            _bad_id(document, path, prompt, "letters, digits, / _ and -, without file type")
    for name, queue in spec.queues.items():
        for index, member in enumerate(queue.members):
            if not _MEMBER.fullmatch(member):
                _bad_id(document, ("queues", name, "members", index), member, "letters, digits and / _ @ . -")


def _bad_id(document: Document, path: Path, name: str, allowed: str) -> None:
    document.error("bad-id", path, f"{name[:40]!r} cannot be a name here", f"use {allowed}")


def _prompts(spec: Spec) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = [
        (("notices", name, "prompt"), notice.prompt) for name, notice in spec.notices.items()
    ]
    found += [(("menus", name, "prompt"), menu.prompt) for name, menu in spec.menus.items() if menu.prompt]
    for name, line in spec.lines.items():
        if line.closed is not None:
            for word in ("hours", "holiday", "dnd"):
                prompt = getattr(line.closed, word)
                if prompt:
                    found.append((("lines", name, "closed", word), prompt))
    found += [(way.path, way.node[1]) for way in edges(spec) if way.node and way.node[0] == "hangup" and way.node[1]]
    return found


# ---------------------------------------------------------------- numbers and lines


def _check_numbers(spec: Spec, document: Document) -> None:
    seen: dict[str, tuple[str, str]] = {}
    malls = set(spec.malls) or {name.partition(".")[0] for name in spec.lines}
    for index, number in enumerate(spec.numbers):
        path: Path = ("numbers", index)
        place = (number.mall, number.line)
        if not _DID.fullmatch(number.did) or number.did.startswith("060"):
            message = f"{number.did[:20]!r} is no number that a carrier delivers calls to"
            document.error("bad-did", (*path, "did"), message, 'write digits only and quoted, as "07000001001"')
        if number.did in seen:
            code = "did-duplicate" if seen[number.did] == place else "did-two-lines"
            message = f"number {number.did} stands twice" + ("" if code == "did-duplicate" else ", for two lines")
            document.error(code, (*path, "did"), message, "give each line its own number, and each number once")
        seen.setdefault(number.did, place)
        if number.line not in LINES:
            message = f"{number.line!r} is no line"
            document.error("unknown-line", (*path, "line"), message, "write order or inquiry")
        elif number.mall not in malls:
            message = f"mall {number.mall!r} is not known"
            document.error("unknown-mall", (*path, "mall"), message, f"use one of: {', '.join(sorted(malls))}")
        elif f"{number.mall}.{number.line}" not in spec.lines:
            message = f"line {number.mall}.{number.line} is not described"
            document.error("unknown-line", (*path, "line"), message, f"add it under lines: {number.mall}.{number.line}")
        _warn_of_display(number.did, number.display, number.note, path, document)


def _warn_of_display(did: str, display: str | None, note: str | None, path: Path, document: Document) -> None:
    if display and not note and _number_kind(did) != _number_kind(plain_number(display)):
        message = "the number shown is of another kind than the one that receives the call"
        document.warn("display-differs", (*path, "display"), message, "add note: how the one is led to the other")


def _number_kind(number: str) -> str:
    if len(number) == 8 and number[:2] in ("15", "16", "18"):
        return "representative"
    kinds = {"080": "free", "070": "internet", "010": "mobile"}
    return kinds.get(number[:3], "free" if number.startswith("14") else "area")


def _check_lines(spec: Spec, document: Document) -> None:
    numbered = {f"{number.mall}.{number.line}" for number in spec.numbers}
    for name, line in spec.lines.items():
        path: Path = ("lines", name)
        mall, _, word = name.partition(".")
        if word not in LINES:
            document.error("unknown-line", path, f"{name!r} is no line", "write mall.order or mall.inquiry")
        if spec.malls and mall not in spec.malls:
            document.error("unknown-mall", path, f"mall {mall!r} is not known", "add it to malls, or correct it")
        if name not in numbered:
            document.error("line-without-number", path, f"no number leads to {name}", "add one under numbers")
        if line.hours is None:
            document.error("line-without-hours", path, f"{name} has no hours", "write hours: name of a calendar")
        elif line.hours not in spec.calendars:
            message = f"calendar {line.hours!r} does not exist"
            document.error("unknown-calendar", (*path, "hours"), message, "add it under calendars")
        if line.entry is None:
            document.error("line-without-entry", path, f"{name} leads nowhere", "write entry: name of a menu")
        if line.closed is None:
            message = f"{name} says nothing when it is closed"
            document.warn("line-without-closed", path, message, "write closed: {hours: …, holiday: …, dnd: …}")
        for index, notice in enumerate(line.notices):
            if notice_of(spec, notice) is None:
                message = f"notice {notice!r} does not exist"
                document.error("unknown-notice", (*path, "notices", index), message, "add it under notices")


# ---------------------------------------------------------------- calendars


def _note_hours(read: Callable[[], object], path: Path, document: Document) -> bool:
    try:
        read()
    except HoursError as error:
        document.error(error.code, path, str(error), error.fix)
        return False
    return True


def _check_calendars(spec: Spec, document: Document) -> None:
    for name, calendar in spec.calendars.items():
        path: Path = ("calendars", name)
        _check_week(calendar, path, document)
        for index, text in enumerate(calendar.closed):
            _note_hours(lambda text=text: day_of(text), (*path, "closed", index), document)  # type: ignore[misc]
        for index, extra in enumerate(calendar.extra_open):
            place: Path = (*path, "extra_open", index)
            _note_hours(lambda extra=extra: day_of(extra.date), place, document)  # type: ignore[misc]
            for text in extra.hours:
                _note_hours(lambda text=text: minutes_of(text), place, document)  # type: ignore[misc]


def _check_week(calendar: Calendar, path: Path, document: Document) -> None:
    taken: dict[int, list[tuple[int, int]]] = {}
    if not any(calendar.weekly.values()):
        document.error("empty-week", path, "the calendar is never open", "write weekly: {mon-fri: [...]}")
    for name, texts in calendar.weekly.items():
        place: Path = (*path, "weekly", name)
        if not _note_hours(lambda name=name: days_of(name), place, document):  # type: ignore[misc]
            continue
        for index, text in enumerate(texts):
            here: Path = (*place, index)
            if not _note_hours(lambda text=text: minutes_of(text), here, document):  # type: ignore[misc]
                continue
            start, end = minutes_of(text)
            days = days_of(name)
            if any(start < other_end and other < end for day in days for other, other_end in taken.get(day, [])):
                message = f"{text!r} overlaps another range of the same day"
                document.error("overlapping-ranges", here, message, "join the ranges or move one")
            for day in days:
                taken.setdefault(day, []).append((start, end))


def _warn_of_holidays(spec: Spec, document: Document, today: date) -> None:
    used = {line.hours for line in spec.lines.values()}
    for name, calendar in spec.calendars.items():
        years = {text[:4] for text in calendar.closed}
        missing = [str(year) for year in (today.year, today.year + 1) if str(year) not in years]
        if name in used and missing:
            message = f"the holidays of {' and '.join(missing)} are missing"
            fix = "add the closed dates of that year, substitute holidays too"
            document.warn("holidays-end", ("calendars", name, "closed"), message, fix)


# ---------------------------------------------------------------- menus


def _check_menus(spec: Spec, document: Document) -> None:
    for name, menu in spec.menus.items():
        path: Path = ("menus", name)
        if not menu.prompt:
            document.error("menu-without-prompt", path, f"menu {name} says nothing", "write prompt: prompts/…")
        if not menu.keys:
            document.error("menu-without-keys", path, f"menu {name} has no key", "write keys below it")
        if menu.no_input is None:
            fix = "write no_input: {seconds: 5, tries: 3, then: …}"
            document.error("menu-without-no-input", path, f"menu {name} does not say what silence does", fix)
        if menu.invalid is None:
            fix = "write invalid: {tries: 3, then: …}"
            document.error("menu-without-invalid", path, f"menu {name} does not say what a wrong key does", fix)
        for word, exit_ in (("no_input", menu.no_input), ("invalid", menu.invalid)):
            if exit_ is not None and not 1 <= exit_.tries <= 5:
                document.error("bad-tries", (*path, word, "tries"), "tries must be 1 to 5", "write 3")
        _check_keys(name, menu, document)


def _check_keys(name: str, menu: Menu, document: Document) -> None:
    path: Path = ("menus", name, "keys")
    for key in menu.keys:
        if key not in _KEYS:
            message = f"{key[:20]!r} is no key of a telephone"
            document.error("bad-key", (*path, key), message, 'use one of "0" to "9", "*", "#", in quotes')
    for key, wanted in (("*", "repeat"), ("#", "back")):
        if menu.keys.get(key, wanted) != wanted:
            document.warn(
                "key-habit", (*path, key), f"callers expect {key} to mean {wanted}", f"write {key!r}: {wanted}"
            )
    if "0" not in menu.keys:
        document.warn("no-agent-key", path, f"menu {name} has no key 0 to an agent", 'add "0": queue:…')
    if len(menu.keys.keys() - {"0", "*", "#"}) > MOST_OPTIONS:
        message = f"menu {name} has more than {MOST_OPTIONS} options"
        document.warn("many-options", path, message, "put rarer options one level lower")


# ---------------------------------------------------------------- queues


def _check_queues(spec: Spec, document: Document) -> None:
    for name, queue in spec.queues.items():
        path: Path = ("queues", name)
        if not queue.members:
            document.error("queue-without-member", path, f"nobody answers queue {name}", "write members: [...]")
        for index, member in enumerate(queue.members):
            if spec.agents and member not in spec.agents:
                place: Path = (*path, "members", index)
                document.error("unknown-member", place, f"agent {member!r} is not known", "add it to agents")
        if queue.max_wait_s is None:
            document.error("queue-without-limit", path, f"queue {name} lets callers wait for ever", "write max_wait_s")
        elif queue.max_wait_s < queue.ring_s or queue.ring_s < 1:
            message = "the longest wait is shorter than one ring"
            document.error("wait-under-ring", (*path, "max_wait_s"), message, "write more than ring_s")
        if queue_place(name, queue) is None:
            message = f"queue {name} belongs to no line, its calls could not be counted"
            document.error(
                "queue-without-line", path, message, "name it mall.order or mall.inquiry, or add mall and line"
            )
        _check_exits(name, queue, document)


def _check_exits(name: str, queue: Queue, document: Document) -> None:
    path: Path = ("queues", name)
    for word in _EXITS:
        if word not in queue.on:
            message = f"queue {name} does not say what happens on {word}"
            document.error("queue-without-exit", path, message, f"write on: {{{word}: callback:… or hangup:…}}")
    for word in queue.on:
        if word not in _EXITS and not (word.startswith("key-") and word[4:] in _KEYS):
            message = f"{word!r} is no way out of a queue"
            document.error("bad-exit", (*path, "on", word), message, "use timeout, full, empty or key-9")
    offers = [target for word, target in queue.on.items() if word.startswith("key-") or word == "timeout"]
    is_long = queue.max_wait_s is not None and queue.max_wait_s > LONG_WAIT_SECONDS
    if is_long and not any(target.startswith("callback:") for target in offers):
        message = f"callers wait over {LONG_WAIT_SECONDS} s in {name} without the offer of a callback"
        document.warn("wait-without-callback", path, message, "add key-9: callback:… or timeout: callback:…")


def _check_callbacks(spec: Spec, document: Document) -> None:
    for name, callback in spec.callbacks.items():
        owned = {
            plain_number(text)
            for number in spec.numbers
            if number.mall == callback.mall
            for text in (number.did, number.display or "")
        }
        if plain_number(callback.caller_id) not in owned:
            message = f"callback {name} shows a number that {callback.mall} does not own"
            fix = "write a did or display number of that mall"
            document.error("callback-caller-id", ("callbacks", name, "caller_id"), message, fix)


# ---------------------------------------------------------------- the way of a call


def _check_ways(spec: Spec, document: Document) -> None:
    ways = list(edges(spec))
    for way in ways:
        if way.node is None:
            message = f"{way.target[:60]!r} does not exist"
            fix = "write queue:…, menu:…, callback:…, hangup:…, repeat or back, with a name that exists"
            document.error("unknown-target", way.path, message, fix)
    numbered = {f"{number.mall}.{number.line}" for number in spec.numbers}
    depth = reach([("line", name) for name in spec.lines if name in numbered], ways)
    for name, menu in spec.menus.items():
        node: Node = ("menu", name)
        if node not in depth:
            severity = Severity.WARNING if menu.is_library else Severity.ERROR
            message = f"no number leads to menu {name}"
            document.add(severity, "unreachable", ("menus", name), message, "lead a key to it, or remove it")
        elif depth[node] > 3:
            severity = Severity.ERROR if depth[node] > 5 else Severity.WARNING
            message = f"menu {name} is {depth[node]} levels deep"
            document.add(severity, "too-many-levels", ("menus", name), message, "offer it within three levels")
    for name in spec.queues:
        if ("queue", name) not in depth:
            message = f"no number leads to queue {name}"
            document.warn("unreachable", ("queues", name), message, "lead a key to it, unless agents transfer to it")
    ending = can_end(ways)
    for name in spec.menus:
        if ("menu", name) not in ending:
            message = f"from menu {name} a call never comes to an agent or an end"
            document.error("no-way-out", ("menus", name), message, "lead a key to a queue, a callback or a hangup")
    for way in endless_edges(ways):
        code = "overflow-loop" if way.origin[0] == "queue" else "loop-without-exit"
        message = f"a caller who presses nothing comes back to {way.origin[0]} {way.origin[1]} for ever"
        document.error(code, way.path, message, "lead it to hangup:… or callback:…")


def _check_notices(spec: Spec, document: Document) -> None:
    """The employer's duty to protect agents: the notice comes before any human contact."""
    ways = list(edges(spec))
    for name, line in spec.lines.items():
        queues = [node[1] for node in reach([("line", name)], ways) if node[0] == "queue"]
        kinds = {notice.kind for word in line.notices if (notice := notice_of(spec, word))}
        path: Path = ("lines", name)
        if queues and "abuse-protection" not in kinds:
            message = f"callers of {name} reach an agent without the notice that protects agents from abuse"
            document.error("no-protection-notice", path, message, "add abuse-protection to notices")
        if "recording" not in kinds and any(spec.queues[queue].record for queue in queues):
            message = f"calls of {name} are recorded without the recording notice"
            document.error("no-recording-notice", path, message, "add recording to notices, or record: false")


def _check_counting(spec: Spec, document: Document) -> None:
    """Order and inquiry must stay countable apart."""
    ways = list(edges(spec))
    for name in spec.lines:
        mall, _, word = name.partition(".")
        if word != "order" or f"{mall}.inquiry" not in spec.lines:
            continue
        both = [
            {node[1] for node in reach([("line", line)], ways) if node[0] == "queue"}
            for line in (name, f"{mall}.inquiry")
        ]
        shared = both[0] if both[0] == both[1] and len(both[0]) == 1 else set()
        for queue in shared:
            if not spec.queues[queue].asks_topic:
                message = f"both lines of {mall} share queue {queue}, and nobody logs the matter"
                fix = "give each line its queue, or write asks_topic: true"
                document.error("lines-not-separable", ("queues", queue), message, fix)


_RULES = (
    _check_head,
    _check_ids,
    _check_numbers,
    _check_lines,
    _check_calendars,
    _check_menus,
    _check_queues,
    _check_callbacks,
    _check_ways,
    _check_notices,
    _check_counting,
)
