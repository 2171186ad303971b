"""The figures of calls as conditions on a stored call: what is counted and what opens it are one and the same."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, exists, or_

from hub.store.tables import calls, orders
from ivr.calls import CallResult
from ivr.topics import ASSIST_TOPICS, NO_LINE_MATTERS, ORDER_MATTERS

_HOUR_MS: Final = 3_600_000


class Figure(StrEnum):
    """``OTHER``: every end but an answer and a hang-up in the queue; what follows it stands in the definitions."""

    OFFERED = "offered"
    ANSWERED = "answered"
    ABANDONED_NOTICE = "abandoned_notice"
    ABANDONED_MENU = "abandoned_menu"
    ABANDONED_QUEUE = "abandoned_queue"
    ABANDONED_SHORT = "abandoned_short"
    LEFT_QUEUE = "left_queue"
    NOT_JOINED = "not_joined"
    CLOSED = "closed"
    IVR_GIVEUP = "ivr_giveup"
    CALLBACK_REQUESTED = "callback_requested"
    TRANSFERRED_OUT = "transferred_out"
    UNKNOWN_DID = "unknown_did"
    SYSTEM_LOST = "system_lost"
    OTHER = "other"
    OFFERED_IN_HOURS = "offered_in_hours"
    OFFERED_QUEUE = "offered_queue"
    ANSWERED_IN_TIME = "answered_in_time"
    ABANDONED_IN_TIME = "abandoned_in_time"
    WITH_TOPIC = "with_topic"
    TOPIC_ORDER = "topic_order"
    TOPIC_INQUIRY = "topic_inquiry"
    MISDIALLED = "misdialled"
    ORDER_ASSIST = "order_assist"
    CALLER_KNOWN = "caller_known"
    CALLER_NEW = "caller_new"
    CALLER_WITHHELD = "caller_withheld"
    UNREACHED = "unreached"
    REPEATED = "repeated"
    RECOVERED = "recovered"

    # That of an enumeration is written in Python; every cell of a report asks for it.
    __hash__ = str.__hash__


#: of the counts per hour; their names are a contract of the command line
COLUMNS: Final = tuple(Figure)[: list(Figure).index(Figure.OTHER)]
#: of the figures per line
LINE_COLUMNS: Final = (
    Figure.OFFERED,
    Figure.OFFERED_IN_HOURS,
    Figure.OFFERED_QUEUE,
    Figure.ANSWERED,
    Figure.ANSWERED_IN_TIME,
    Figure.ABANDONED_QUEUE,
    Figure.ABANDONED_SHORT,
    Figure.ABANDONED_IN_TIME,
    Figure.TRANSFERRED_OUT,
    Figure.WITH_TOPIC,
    Figure.MISDIALLED,
    Figure.ORDER_ASSIST,
    Figure.CALLER_KNOWN,
    Figure.CALLER_NEW,
    Figure.CALLER_WITHHELD,
    Figure.UNREACHED,
    Figure.REPEATED,
    Figure.RECOVERED,
)

ENDED: Final = calls.c.result.is_not(None)


class Terms(Struct, frozen=True, kw_only=True):
    """What some figures depend on: "in time" is at most so many seconds of waiting, "again" so many hours."""

    within_seconds: float = 20.0
    repeat_hours: float = 24.0


DEFAULT_TERMS: Final = Terms()


def _is(result: CallResult) -> ColumnElement[bool]:
    return calls.c.result == result.value


def _is_matter(matters: tuple[str, ...]) -> ColumnElement[bool]:
    """Of a topic ``matter`` or ``matter.reason``; false, not unknown, where there is no topic."""
    said = [calls.c.topic.in_(matters), *(calls.c.topic.startswith(f"{word}.", autoescape=True) for word in matters)]
    return and_(calls.c.topic.is_not(None), or_(*said))


_ANSWERED: Final = _is(CallResult.ANSWERED)
_IS_ORDER: Final = _is_matter(ORDER_MATTERS)
_IS_INQUIRY: Final = and_(calls.c.topic.is_not(None), ~_IS_ORDER, ~_is_matter(NO_LINE_MATTERS))
#: wanted an agent of an open line and spoke with none
_UNREACHED_RESULTS: Final = tuple(
    result.value
    for result in (
        CallResult.ABANDONED_NOTICE,
        CallResult.ABANDONED_MENU,
        CallResult.ABANDONED_QUEUE,
        CallResult.LEFT_QUEUE,
        CallResult.NOT_JOINED,
        CallResult.IVR_GIVEUP,
    )
)
_UNREACHED: Final = calls.c.result.in_(_UNREACHED_RESULTS)

_FIXED: Final[Mapping[Figure, ColumnElement[bool]]] = {
    **{Figure(result.value): _is(result) for result in CallResult},
    Figure.OFFERED: ENDED,
    Figure.ABANDONED_SHORT: calls.c.is_short_abandon,
    Figure.TRANSFERRED_OUT: calls.c.is_transferred,
    Figure.OTHER: calls.c.result.not_in([CallResult.ANSWERED.value, CallResult.ABANDONED_QUEUE.value]),
    Figure.OFFERED_IN_HOURS: calls.c.result.not_in([CallResult.CLOSED.value, CallResult.UNKNOWN_DID.value]),
    # who tried a queue has a waiting time, be it zero
    Figure.OFFERED_QUEUE: calls.c.wait_seconds.is_not(None),
    Figure.WITH_TOPIC: and_(_ANSWERED, calls.c.topic.is_not(None)),
    Figure.TOPIC_ORDER: and_(_ANSWERED, _IS_ORDER),
    Figure.TOPIC_INQUIRY: and_(_ANSWERED, _IS_INQUIRY),
    Figure.MISDIALLED: and_(
        _ANSWERED,
        or_(and_(calls.c.line == "order", _IS_INQUIRY), and_(calls.c.line == "inquiry", _IS_ORDER)),
    ),
    Figure.ORDER_ASSIST: and_(_ANSWERED, calls.c.line == "order", calls.c.topic.in_(ASSIST_TOPICS)),
    Figure.CALLER_WITHHELD: calls.c.caller_idx.is_(None),
    Figure.UNREACHED: _UNREACHED,
}


def condition_of(figure: Figure, terms: Terms = DEFAULT_TERMS) -> ColumnElement[bool]:
    """Which ended calls a figure counts."""
    match figure:
        case Figure.ANSWERED_IN_TIME:
            return and_(_ANSWERED, calls.c.wait_seconds <= terms.within_seconds)
        case Figure.ABANDONED_IN_TIME:
            return and_(_is(CallResult.ABANDONED_QUEUE), calls.c.wait_seconds <= terms.within_seconds)
        case Figure.CALLER_KNOWN:
            return _has_ordered_before()
        case Figure.CALLER_NEW:
            return and_(calls.c.caller_idx.is_not(None), ~_has_ordered_before())
        case Figure.REPEATED:
            return _same_caller(before_ms=_ms(terms), results=_UNREACHED_RESULTS)
        case Figure.RECOVERED:
            return and_(_UNREACHED, _same_caller(after_ms=_ms(terms), results=(CallResult.ANSWERED.value,)))
        case _:
            return _FIXED[figure]


def _ms(terms: Terms) -> int:
    return round(terms.repeat_hours * _HOUR_MS)


def _has_ordered_before() -> ColumnElement[bool]:
    """On any mall, as buyer or as receiver; both sides are the same keyed hash of a phone number."""
    earlier = orders.c.ordered_at < calls.c.entered_at
    return or_(
        exists().where(orders.c.buyer_phone_idx == calls.c.caller_idx, earlier),
        exists().where(orders.c.receiver_phone_idx == calls.c.caller_idx, earlier),
    )


def _same_caller(*, results: tuple[str, ...], before_ms: int = 0, after_ms: int = 0) -> ColumnElement[bool]:
    """Another call of the same number to the same mall, with one of ``results``, so long before or after."""
    other: Any = calls.alias("other")
    if before_ms:
        when = and_(other.c.entered_at < calls.c.entered_at, other.c.entered_at >= calls.c.entered_at - before_ms)
    else:
        when = and_(other.c.entered_at > calls.c.entered_at, other.c.entered_at <= calls.c.entered_at + after_ms)
    return exists().where(
        other.c.caller_idx == calls.c.caller_idx,
        other.c.mall == calls.c.mall,
        other.c.result.in_(results),
        when,
    )
