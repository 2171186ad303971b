"""Rules of a spec's head, of its names, and of every text that reaches the PBX's configuration."""

import re
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ivr.document import Document, Path
from ivr.graph import edges
from ivr.hours import HoursError, day_of
from ivr.prompts import prompts_of
from ivr.spec import SPEC_VERSION, Spec

#: Asterisk's context names hold 79 signs (AST_MAX_CONTEXT); ours stand in them with words around
LONGEST_NAME = 40
_ID = re.compile(r"[a-z0-9-]+", re.ASCII)
_DOTTED_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+", re.ASCII)
_PROMPT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9/_-]*", re.ASCII)
_MEMBER = re.compile(r"[A-Za-z0-9/_@.-]+", re.ASCII)
_SHOWN_NUMBER = re.compile(r"[0-9+() -]+", re.ASCII)
_COMMANDS = frozenset(",;|${}[]<>\"'`\\")


def check_head(spec: Spec, document: Document) -> None:
    if spec.spec_version < 1:
        document.report("version", ("spec_version",), version=SPEC_VERSION)
    if spec.revision < 1:
        document.report("revision", ("revision",))
    try:
        ZoneInfo(spec.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        document.report("unknown-timezone", ("timezone",), name=spec.timezone)
    if spec.valid_from is not None:
        note_day(spec.valid_from, ("valid_from",), document)


def note_day(text: str, path: Path, document: Document) -> date | None:
    try:
        return day_of(text)
    except HoursError as error:
        document.report(error.code, path, value=error.value)
        return None


def check_names(spec: Spec, document: Document) -> None:
    """Names reach the PBX's configuration, where a comma or a dollar sign would be a command."""
    for section in ("calendars", "notices", "menus", "callbacks", "surveys"):
        for name in getattr(spec, section):
            _check_name(name, (section, name), document)
    for index, mall in enumerate(spec.malls):
        _check_name(mall, ("malls", index), document)
    for index, number in enumerate(spec.numbers):
        _check_name(number.mall, ("numbers", index, "mall"), document)
    for name in spec.lines:
        _check_name(name, ("lines", name), document, is_dotted=True)
    for name, queue in spec.queues.items():
        _check_name(name, ("queues", name), document, is_dotted="." in name)
        if queue.mall is not None:
            _check_name(queue.mall, ("queues", name, "mall"), document)


def _check_name(name: str, path: Path, document: Document, *, is_dotted: bool = False) -> None:
    if not (_DOTTED_ID if is_dotted else _ID).fullmatch(name):
        document.report("bad-dotted-id" if is_dotted else "bad-id", path, name=name)
    elif len(name) > LONGEST_NAME:
        document.report("long-id", path, name=name, most=LONGEST_NAME)


def check_texts(spec: Spec, document: Document) -> None:
    for path, prompt in prompts_of(spec):
        if not _PROMPT.fullmatch(prompt):
            document.report("bad-prompt", path, name=prompt)
    agents: list[tuple[Path, str]] = [(("agents", index), agent) for index, agent in enumerate(spec.agents)]
    for name, queue in spec.queues.items():
        agents += [(("queues", name, "members", index), member) for index, member in enumerate(queue.members)]
    for path, agent in agents:
        if not _MEMBER.fullmatch(agent):
            document.report("bad-member", path, name=agent)
    for index, number in enumerate(spec.numbers):
        if number.display is not None and not _SHOWN_NUMBER.fullmatch(number.display):
            document.report("bad-display", ("numbers", index, "display"), number=number.display)
        if number.note and not all(sign.isprintable() and sign not in _COMMANDS for sign in number.note):
            document.report("unsafe-text", ("numbers", index, "note"), name=number.note)
    for name, callback in spec.callbacks.items():
        if not _SHOWN_NUMBER.fullmatch(callback.caller_id):
            document.report("bad-display", ("callbacks", name, "caller_id"), number=callback.caller_id)


def check_use(spec: Spec, document: Document) -> None:
    """Parts that nothing names: a slip of the pen, or left over."""
    named = {way.target.partition(":")[::2] for way in edges(spec)}
    used: dict[str, set[str | None]] = {
        "calendars": {line.hours for line in spec.lines.values()},
        "notices": {word for line in spec.lines.values() for word in line.notices},
        "callbacks": {name for kind, name in named if kind == "callback"},
        "surveys": {queue.survey for queue in spec.queues.values()},
    }
    for section, names in used.items():
        for name in getattr(spec, section):
            if name not in names:
                document.report("unused", (section, name), section=section, name=name)
