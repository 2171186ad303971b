"""The call menu as a document: numbers, hours, notices, menus, queues.

A spec is written as YAML by the centre, checked by ``ivr.check`` and kept with a revision, so that counts can be
read against the menu that was in force.
"""

import msgspec

from ivr.hours import Calendar
from ivr.routes import Place, Routes

SPEC_VERSION = 1
LINES = ("order", "inquiry")


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """``did``: as the carrier sends it, digits only. ``display``: the number that customers see."""

    did: str
    mall: str
    line: str
    display: str | None = None
    note: str | None = None


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """Prompt names for a closed line; ``hours`` serves for those not given, ``then`` is what follows."""

    hours: str
    holiday: str | None = None
    dnd: str | None = None
    then: str = "hangup:"


class LineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller of one line meets: hours, notices in order, then the menu or queue of ``entry``."""

    hours: str | None = None
    notices: tuple[str, ...] = ()
    closed: Closed | None = None
    entry: str | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: recording, abuse-protection, or information."""

    prompt: str
    kind: str = "information"
    seconds: float = 0.0


class NoInput(msgspec.Struct, frozen=True, kw_only=True):
    then: str
    tries: int = 3
    seconds: float = 5.0


class Invalid(msgspec.Struct, frozen=True, kw_only=True):
    then: str
    tries: int = 3


class Menu(msgspec.Struct, frozen=True, kw_only=True):
    """``keys``: key -> target. A target is ``queue:NAME``, ``menu:NAME``, ``callback:NAME``, ``hangup:PROMPT``,
    ``repeat`` or ``back``. ``is_library``: kept for later use, may be unreachable.
    """

    prompt: str | None = None
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    no_input: NoInput | None = None
    invalid: Invalid | None = None
    barge_in: bool = True
    seconds: float = 0.0
    is_library: bool = False


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """``on``: timeout, full, empty, key-9 -> target. ``mall`` and ``line`` where the name is not ``mall.line``.

    ``asks_topic``: the agent must log what the call was about. ``survey``: asked when the agent has hung up.
    ``is_library``: no number leads to it, agents transfer to it.
    """

    members: tuple[str, ...] = ()
    ring_s: int = 15
    max_wait_s: int | None = None
    max_len: int = 0
    on: dict[str, str] = msgspec.field(default_factory=dict)
    mall: str | None = None
    line: str | None = None
    record: bool = False
    asks_topic: bool = False
    survey: str | None = None
    is_library: bool = False


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """``caller_id``: the number shown when calling back; one that the mall owns.

    ``prompt`` says that the wish was noted. ``ask_number``: prompt that asks a caller without a number for one, up to
    ``tries`` times; what he keys has ``least_digits`` to ``most_digits`` digits, the first of them 0, and is no paid
    060 number. ``no_number``: prompt for who has given none that can be called. ``due_minutes``: opening time until the
    call must have been made.
    """

    mall: str
    caller_id: str
    prompt: str | None = None
    ask_number: str | None = None
    no_number: str | None = None
    tries: int = 2
    least_digits: int = 9
    most_digits: int = 11
    due_minutes: int = 60


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Asked when the agent has hung up: a key from 1 to ``best``, then thanks."""

    prompt: str
    best: int = 5
    seconds: float = 5.0
    thanks: str | None = None


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """``timezone``: IANA name. ``lines``: ``mall.line`` -> line. ``agents``: when given, members must be among them.

    ``feature_codes``: keys that the PBX takes for itself, as Asterisk does # for a transfer and * for hanging up.
    ``unknown_number_prompt``: said to callers of a number that is not among ``numbers``.
    ``abuse_farewell_prompt``: said to a caller whose call an agent ends for abuse.
    """

    spec_version: int
    revision: int
    timezone: str
    numbers: tuple[Number, ...]
    calendars: dict[str, Calendar]
    lines: dict[str, LineSpec]
    menus: dict[str, Menu] = msgspec.field(default_factory=dict)
    queues: dict[str, Queue] = msgspec.field(default_factory=dict)
    notices: dict[str, Notice] = msgspec.field(default_factory=dict)
    callbacks: dict[str, Callback] = msgspec.field(default_factory=dict)
    surveys: dict[str, Survey] = msgspec.field(default_factory=dict)
    unknown_number_prompt: str | None = None
    abuse_farewell_prompt: str | None = None
    malls: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    feature_codes: tuple[str, ...] = ("*", "#")
    valid_from: str | None = None


# notices that every centre needs; a spec may define them otherwise
STANDARD_NOTICES = {
    "recording": Notice(prompt="prompts/recording", kind="recording"),
    "abuse-protection": Notice(prompt="prompts/abuse-protection", kind="abuse-protection"),
}


NOTICE_KINDS = ("recording", "abuse-protection", "information")


def notice_of(spec: Spec, name: str) -> Notice | None:
    return spec.notices.get(name) or STANDARD_NOTICES.get(name)


def callbacks_of(spec: Spec) -> dict[str, Callback]:
    """All that a target may name: those described, and one for each mall, which calls back from its first number."""
    implied: dict[str, Callback] = {}
    for number in spec.numbers:
        implied.setdefault(number.mall, Callback(mall=number.mall, caller_id=number.display or number.did))
    return implied | spec.callbacks


#: paid numbers, which nobody is called back on
PAID_PREFIX = "060"


def can_call_back(callback: Callback, keyed: str) -> bool:
    """Is what a caller has keyed a number that can be called? Whether it is his nobody can tell."""
    is_long_enough = callback.least_digits <= len(keyed) <= callback.most_digits
    is_number = keyed.isascii() and keyed.isdigit()
    return is_number and is_long_enough and keyed.startswith("0") and not keyed.startswith(PAID_PREFIX)


def queue_place(name: str, queue: Queue) -> Place | None:
    """The mall and line whose calls the queue takes."""
    mall, _, line = name.partition(".")
    mall, line = queue.mall or mall, queue.line or line
    return Place(mall, line) if mall and line in LINES else None


def pbx_queue(name: str) -> str:
    """The queue's name on the PBX: ``malla.order`` -> ``malla_order``."""
    return name.replace(".", "_")


def routes_from_spec(spec: Spec) -> Routes:
    """What the call records need to know: number and queue -> mall and line."""
    dids: dict[str, Place] = {}
    for number in spec.numbers:
        line = spec.lines.get(f"{number.mall}.{number.line}")
        notices = [notice_of(spec, name) for name in line.notices] if line else []
        seconds = sum(notice.seconds for notice in notices if notice)
        dids[number.did] = Place(number.mall, number.line, seconds)
    queues: dict[str, Place] = {}
    for name, queue in spec.queues.items():
        place = queue_place(name, queue)
        if place is not None:
            queues[name] = queues[pbx_queue(name)] = place
    callback_keys = {
        (queue_name, word.removeprefix("key-"))
        for name, queue in spec.queues.items()
        for word, target in queue.on.items()
        if word.startswith("key-") and target.startswith("callback:")
        for queue_name in (name, pbx_queue(name))
    }
    return Routes(timezone=spec.timezone, dids=dids, queues=queues, callback_keys=frozenset(callback_keys))
