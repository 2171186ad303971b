"""Which calls a run makes, in which order, and what is left of them: the cursor of every feed.

The mall has no pages and no "changed since": a run is a list of calls (status x date x window).
Calls of one window go up the statuses, so that a record that moves on between two calls is seen
twice rather than missed. A call that may have been cut off by a hidden limit is repeated in halves.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from connectors.qoo10 import vocabulary as codes
from hub.core.contract import OpenKeys, Span
from hub.core.paging import Window, windows

#: the mall refuses windows over 90 days (claims: documented; orders: seen in use)
LONGEST_WINDOW = timedelta(days=89)
#: what a changed row may be older than: no "changed since" exists, so each open status is read whole
LOOK_BACK = LONGEST_WINDOW
#: overlap of the date conditions that do follow changes: a date is entered late, never by more than this
OVERLAP = timedelta(days=2)
#: the same for answered inquiries, which are listed by the day they were asked
ANSWERED_LOOK_BACK = timedelta(days=14)
#: a hidden cap would be a round number: a list of so many rows is not trusted (a guess, and cheap)
ROUND_COUNT = 100
#: what is not cut any further; a sale brings hundreds of orders in an hour
SHORTEST_WINDOW = timedelta(minutes=1)
#: rows that one list should give: an answer comes whole, some 1.5 KB a row, and is held until it is stored
MANY_ROWS = 4_000
#: the first stretch of a long full reading: it tells how many rows a day gives
FIRST_LOOK = timedelta(days=1)
#: a stretch shorter than this says nothing of how many rows a day gives
_MEASURED_SECONDS = 3600.0
#: a full reading no longer than this is not measured first
SHORT_SPAN = timedelta(days=10)
#: look-ups by number (three a second) that are made without trying the list of all delivered lines first
MOST_LOOK_UPS = 60
#: share of the progress bar that one look-up by number has, against seconds of window
_LOOK_UP_SECONDS = 3600.0


class Call(Struct, frozen=True, array_like=True):
    """One list call. ``status`` is empty for feeds that are read in all statuses at once."""

    status: str
    condition: str
    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()

    def halves(self) -> tuple["Call", "Call"]:
        first, second = Window(since=self.since, until=self.until).halves()
        return (
            replace(self, since=first.since, until=first.until),
            replace(self, since=second.since, until=second.until),
        )


class Plan(Struct, frozen=True, kw_only=True):
    """What is still to be done; as text it is the cursor.

    ``left`` are keys that the hub believes open and no list has shown yet; ``fallback`` are calls
    to make for them when ``todo`` is done and more than ``fallback_over`` are left. ``total`` is
    the size of the plan at its start. ``densest`` is the most rows a second that a call has given; lists
    that may give too many rows are cut by it, and none where it is ``None``.
    """

    todo: tuple[Call, ...]
    left: tuple[str, ...] = ()
    fallback: tuple[Call, ...] = ()
    fallback_over: int = 0
    total: float = 0.0
    densest: float | None = None

    @classmethod
    def of(
        cls,
        todo: Iterable[Call],
        left: Iterable[str] = (),
        *,
        fallback: Iterable[Call] = (),
        fallback_over: int = 0,
        densest: float | None = None,
    ) -> "Plan":
        plan = cls(
            todo=tuple(todo),
            left=tuple(dict.fromkeys(left)),
            fallback=tuple(fallback),
            fallback_over=fallback_over,
            densest=densest,
        )
        return replace(plan, total=plan.size)

    def with_fallback(self) -> "Plan":
        """Go on with the fallback when the lists are done and too many keys are left."""
        if self.todo or len(self.left) <= self.fallback_over:
            return self
        return replace(self, todo=self.fallback, fallback=())

    @property
    def size(self) -> float:
        return sum(call.seconds for call in self.todo) + _LOOK_UP_SECONDS * len(self.left)

    @property
    def progress(self) -> float:
        return 1.0 if self.total <= 0 else min(1.0, max(0.0, 1.0 - self.size / self.total))

    def after_first(self, rows: int) -> "Plan":
        """Without the first call; its halves come instead when ``rows`` look like a hidden limit."""
        first, rest = self.todo[0], self.todo[1:]
        is_suspicious = rows > 0 and rows % ROUND_COUNT == 0
        if is_suspicious and first.until - first.since >= 2 * SHORTEST_WINDOW:
            return replace(self, todo=(*first.halves(), *rest))
        if self.densest is None or first.seconds < _MEASURED_SECONDS:
            return replace(self, todo=rest)
        # All statuses of the densest days: what has one status there may have another here.
        densest = max(self.densest, rows / first.seconds)
        return replace(self, todo=(*_cut(rest[:1], densest), *rest[1:]), densest=densest)

    def seen(self, keys: set[str]) -> "Plan":
        if not self.left or keys.isdisjoint(self.left):
            return self
        return replace(self, left=tuple(key for key in self.left if key not in keys))

    def without_left(self, count: int) -> "Plan":
        return replace(self, left=self.left[count:])


def order_plan(span: Span, open_keys: OpenKeys) -> Plan:
    """Full: every status by order date. Changes: each open status whole, finished ones by their own date."""
    if span.is_full:
        return _full_plan(span, codes.BY_ORDER_DATE, codes.LINE_STATUS)
    open_since = min(span.since, span.until - LOOK_BACK)
    changed_since = span.since - OVERLAP
    todo = [
        *_calls("1", codes.BY_ORDER_DATE, open_since, span.until),
        *_calls("2", codes.BY_ORDER_DATE, open_since, span.until),
        *_calls("2", codes.BY_PAYMENT_DATE, changed_since, span.until),
        *_calls("3", codes.BY_ORDER_DATE, open_since, span.until),
        *_calls("3", codes.BY_PAYMENT_DATE, changed_since, span.until),
        *_calls("4", codes.BY_ORDER_DATE, open_since, span.until),
        *_calls("4", codes.BY_SHIPPING_DATE, changed_since, span.until),
        *_calls("5", codes.BY_DELIVERED_DATE, changed_since, span.until),
    ]
    return Plan.of(
        todo,
        (line_no for _, line_nos in open_keys.orders for line_no in line_nos),
        # Delivered lines with an open claim: one long list is cheaper than very many look-ups.
        fallback=_calls("5", codes.BY_ORDER_DATE, open_since, span.until),
        fallback_over=MOST_LOOK_UPS,
    )


def claim_plan(span: Span) -> Plan:
    """By request date and by completion date; a claim that only changed its status has neither date
    new, so the requests of the last months are read whole in every run.
    """
    if span.is_full:
        requested, completed = (_full_plan(span, by, ("",)) for by in (codes.BY_REQUEST_DATE, codes.BY_COMPLETION_DATE))
        return Plan.of((*requested.todo, *completed.todo), densest=0.0)
    return Plan.of(
        [
            *_calls("", codes.BY_REQUEST_DATE, min(span.since, span.until - LOOK_BACK), span.until),
            *_calls("", codes.BY_COMPLETION_DATE, span.since - OVERLAP, span.until),
        ]
    )


def inquiry_plan(span: Span, open_keys: OpenKeys) -> Plan:
    """Open statuses whole; answered ones of the last days, and all once more for open keys not shown."""
    if span.is_full:
        return _full_plan(span, "", codes.INQUIRY_STATUSES)
    since = min(span.since, span.until - LOOK_BACK)
    answered_since = min(span.since - OVERLAP, span.until - ANSWERED_LOOK_BACK)
    todo = [
        *_calls("S1", "", since, span.until),
        *_calls("S2", "", since, span.until),
        *_calls("S3", "", answered_since, span.until),
    ]
    return Plan.of(todo, open_keys.inquiries, fallback=_calls("S3", "", since, span.until))


def _full_plan(span: Span, condition: str, statuses: Iterable[str]) -> Plan:
    """Every status in each window, oldest first; a long span begins with a short look at what a day gives."""
    windows_of_span = even_windows(span.since, span.until)
    if span.until - span.since > SHORT_SPAN:
        looked = span.since + FIRST_LOOK
        windows_of_span = [Window(since=span.since, until=looked), *even_windows(looked, span.until)]
    calls = [Call(status, condition, window.since, window.until) for window in windows_of_span for status in statuses]
    return Plan.of(calls, densest=0.0)


def _cut(calls: Iterable[Call], densest: float) -> Iterator[Call]:
    """The same stretches in calls of no more than :data:`MANY_ROWS` rows, should they be as dense as that."""
    for call in calls:
        parts = min(math.ceil(call.seconds * densest / MANY_ROWS), call.seconds // SHORTEST_WINDOW.total_seconds())
        if parts <= 1:
            yield call
            continue
        longest = timedelta(seconds=math.ceil(call.seconds / parts))
        for window in windows(call.since, call.until, longest=longest):
            yield replace(call, since=window.since, until=window.until)


def even_windows(since: datetime, until: datetime) -> list[Window]:
    """As few windows as the mall's limit allows, of even length: 90 days are two of 45, not 89 and 1."""
    if until <= since:
        return []
    count = -(-(until - since) // LONGEST_WINDOW)
    longest = timedelta(seconds=-(-(until - since).total_seconds() // count))
    return list(windows(since, until, longest=longest))


def _calls(status: str, condition: str, since: datetime, until: datetime) -> list[Call]:
    return [Call(status, condition, window.since, window.until) for window in even_windows(since, until)]
