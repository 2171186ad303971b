"""Whether goods left in time: each clock of each paid line, and how late those were that did not.

A clock is the law's, the mall's, or the ship date that was announced to the mall; its rules are those of
:mod:`hub.policy.due`, as they stood when the line was paid. Lines are counted by the database, alike ones at once: all
clocks but those of hours end with a day, so that only the days of a line matter.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, case, func, literal, null, or_, select

from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.policy.calendar import business_calendar
from hub.policy.due import CaseFacts, CaseKind, due_dates
from hub.stats.alike import any_time
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, pages, rows_of
from hub.stats.rules_then import RulesThen, read_rules_then
from hub.stats.sold import buckets_of, is_copy, is_rebilled, is_within
from hub.stats.stock import PRODUCT_COLUMNS, Stock, Stocks
from hub.store.belonging import order_of_case, order_of_claim
from hub.store.database import time_of, to_ms
from hub.store.tables import cases, claims, lines, orders, shops

_DAY_MS: Final = 86_400_000
_MOST_HELD: Final = 50_000
_PAGE: Final = 5_000
_STOCK: Final = frozenset({"mode", "partner"})
#: figures that only lines can have which left on a later day than they were paid, or not at all
_OF_LATE: Final = frozenset({"late", "waiting", "late_days_median", "late_days_p90"})
_WAITING: Final = (LineStatus.PAID.value, LineStatus.PREPARING.value)
_CANCELS: Final = (ClaimKind.CANCEL.value, ClaimKind.ADMIN_CANCEL.value)
_NO_CANCEL: Final = (ClaimState.REJECTED.value, ClaimState.WITHDRAWN.value)


class DispatchState(StrEnum):
    ON_TIME = "on_time"
    LATE = "late"
    RUNNING = "running"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class DispatchFact(Fact, frozen=True, kw_only=True):
    """One clock of one line, on the day it ran out. ``outcome`` is a :class:`DispatchState`.

    ``days_late``: of a line that left late, from the day it was due to the day it left.
    """

    cause: str
    rule: str
    order_no: str | None
    line_no: str | None
    product_name: str | None
    mode: str | None
    partner: str | None
    due_at: datetime
    dispatched_at: datetime | None
    days_late: int | None
    outcome: str


async def read_dispatches(counted: Counted) -> AsyncIterator[DispatchFact]:
    reading, stocks = _Reading(counted, await read_rules_then(counted)), Stocks(counted)
    async for rows in pages(counted, reading.rows(), row_id=lines.c.id):
        for row, stock in zip(rows, await stocks.of(rows), strict=True):
            line = _Line(*row[_OF_LINE])
            for due in reading.dues(line):
                outcome = _outcome(line, due.ms, reading.now)
                yield DispatchFact(
                    at=due.at,
                    mall=row.mall,
                    shop=row.shop,
                    case_id=row.case_id,
                    cause=due.cause,
                    rule=due.rule,
                    order_no=row.order_no,
                    line_no=row.line_no,
                    product_name=row.product_name,
                    mode=stock.mode,
                    partner=stock.partner,
                    due_at=due.at,
                    dispatched_at=moment(line.left),
                    days_late=reading.days_late(line, due, outcome),
                    outcome=outcome,
                )


async def read_dispatches_alike(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[DispatchFact, int]]:
    reading = _Reading(counted, await read_rules_then(counted))
    buckets = buckets_of(counted, names)
    found: Counter[tuple[Any, ...]] = Counter()
    async for line, stock, number in _groups(counted, reading, names):
        for due in reading.dues(line):
            outcome = _outcome(line, due.ms, reading.now)
            start = None if buckets is None else buckets.of(due.ms)
            late, has_left = reading.days_late(line, due, outcome), line.left is not None
            found[line.mall, line.shop, due.cause, due.rule, stock, start, outcome, late, has_left] += number
    for (mall, shop, cause, rule, stock, start, outcome, late, has_left), number in found.items():
        at = any_time(counted) if buckets is None else buckets.start(start)
        fact = DispatchFact(
            at=at,
            mall=mall,
            shop=shop,
            cause=cause,
            rule=rule,
            order_no=None,
            line_no=None,
            product_name=None,
            mode=stock.mode,
            partner=stock.partner,
            due_at=at,
            dispatched_at=at if has_left else None,
            days_late=late,
            outcome=outcome,
        )
        yield fact, number


class _Line(NamedTuple):
    """What clocks look at of one line, or of many that are alike in it; times in milliseconds, or of their day's start.

    ``state``: see :func:`_state`. ``began``: paid, or ordered where it is not paid. ``sendable``: the day from which
    on reserved goods can be sent.
    """

    shop_id: int
    mall: str
    shop: str
    is_paid: bool
    state: str
    is_reserved: bool
    began: int | None
    planned: int | None
    sendable: int | None
    left: int | None
    cancelled: int | None


#: where it stands in a row of :meth:`_Reading._lines`, after the two columns of the page
_OF_LINE: Final = slice(2, 2 + len(_Line._fields))


async def _groups(
    counted: Counted, reading: "_Reading", names: frozenset[str]
) -> AsyncIterator[tuple[_Line, Stock, int]]:
    """Lines that are alike, and how many they are; some of them may come again."""
    if names.isdisjoint(_STOCK):
        async with counted.database.reading() as connection:
            groups = (await connection.execute(reading.groups())).all()
        for *line, number in groups:
            yield _Line(*line), Stock(), number
        return
    # Almost every line is of another product or day: the database has nothing to put together.
    stocks, held = Stocks(counted), Counter[tuple[tuple[Any, ...], Stock]]()
    async for rows in pages(counted, reading.products(), row_id=lines.c.id, most=_PAGE):
        held.update([(row[_OF_LINE], stock) for row, stock in zip(rows, await stocks.of(rows), strict=True)])
        if len(held) > _MOST_HELD:
            for (alike, stock), number in held.items():
                yield _Line(*alike), stock, number
            held.clear()
    for (alike, stock), number in held.items():
        yield _Line(*alike), stock, number


class _Reading:
    """The lines of one counting, and what their clocks say."""

    def __init__(self, counted: Counted, rules: RulesThen) -> None:
        self._counted = counted
        self._rules = rules
        self.now: Final = to_ms(counted.now) or 0
        # A clock of hours, or countries with different days: each line by itself.
        self._offset = rules.day_offset(counted.now)
        self._known: dict[tuple[Any, ...], list[_Due]] = {}

    def _cut(self, column: Any) -> Any:
        """The start of a time's day or, where days are not enough, the time."""
        return column if self._offset is None else (column + self._offset) // _DAY_MS * _DAY_MS - self._offset

    def rows(self) -> Select[Any]:
        """One for each line, a :class:`_Line` from ``shop_id`` on; with its case where somebody is going to look."""
        of_order = select(func.min(cases.c.id)).where(order_of_case()).scalar_subquery()
        case_id = null() if self._counted.opens is None else of_order
        shown = (orders.c.order_no, lines.c.line_no, case_id.label("case_id"))
        return self._lines(*_times(), *shown, *PRODUCT_COLUMNS)

    def products(self) -> Select[Any]:
        """The same by days, with nothing to show."""
        return self._lines(*self._days(), *PRODUCT_COLUMNS)

    def groups(self) -> Select[Any]:
        """One for all lines of a shop that are alike in their days and their state: a :class:`_Line` and a number."""
        alike = (lines.c.shop_id, shops.c.mall, shops.c.name.label("shop"), *_states(), *self._days())
        return self._lines().with_only_columns(*alike, func.count()).group_by(*alike)

    def _days(self) -> list[ColumnElement[int]]:
        return [self._cut(time.element).label(time.name) for time in _times()]

    def _lines(self, *columns: Any) -> Select[Any]:
        counted = self._counted
        # The day that a product's mode is asked for.
        some_time = func.coalesce(_began(), lines.c.planned_ship_at, 0)
        query = (
            rows_of(counted, lines, *_states(), *columns, at=some_time)
            .join(orders, orders.c.id == lines.c.order_id)
            .where(lines.c.status != LineStatus.PENDING_PAYMENT.value, lines.c.replaces_line_no.is_(None))
            .where(~is_copy(orders.c.id), ~is_rebilled())
        )
        times = (_began(), lines.c.planned_ship_at, lines.c.sendable_from)
        if counted.since is not None:
            first = (to_ms(counted.since) or 0) - self._rules.longest_days * _DAY_MS
            query = query.where(or_(*(time >= first for time in times)))
        if counted.until is not None:
            query = query.where(or_(*(time < (to_ms(counted.until) or 0) for time in times)))
        if self._offset is not None and counted.opens in _OF_LATE:
            left = lines.c.dispatched_at
            earliest = (self._cut(time) for time in times)
            query = query.where(or_(left.is_(None), *(self._cut(left) > day for day in earliest)))
        return query

    def dues(self, line: _Line) -> list["_Due"]:
        """The clocks that ran out within the span."""
        if self._offset is None:
            return self._reckoned(line)
        told = (line.began, line.planned, line.sendable)
        days = [None if at is None else (at + self._offset) // _DAY_MS for at in told]
        key = (line.shop_id, line.is_paid, line.is_reserved, *days)
        if key not in self._known:
            self._known[key] = self._reckoned(line)
        return self._known[key]

    def _reckoned(self, line: _Line) -> list["_Due"]:
        shop, country = self._rules.shops.get(line.shop_id, (None, ""))
        began = moment(line.began)
        opened = began or moment(line.planned)
        if shop is None or opened is None:
            return []
        rules = self._rules.on(line.shop_id, business_calendar(country).day_of(opened))
        if rules is None:
            return []
        facts = CaseFacts(
            kind=CaseKind.DISPATCH,
            mall=shop.mall,
            shop=shop.name,
            country=country,
            opened_at=opened,
            paid_at=began if line.is_paid else None,
            ordered_at=None if line.is_paid else began,
            planned_ship_at=moment(line.planned),
            is_reserved=line.is_reserved,
            sendable_from=moment(line.sendable),
        )
        dues = due_dates(facts, clocks=rules.clocks, days=rules.days)
        return [
            _Due(at=due.at, ms=to_ms(due.at) or 0, cause=due.cause.value, rule=due.source)
            for due in dues
            if is_within(self._counted, due.at)
        ]

    def days_late(self, line: _Line, due: "_Due", outcome: DispatchState) -> int | None:
        """Of a line that left late."""
        if outcome is not DispatchState.LATE or line.left is None:
            return None
        day_of = business_calendar(self._rules.shops[line.shop_id][1]).day_of
        return (day_of(time_of(line.left)) - day_of(due.at)).days


class _Due(Struct, frozen=True, kw_only=True):
    """``ms``: ``at`` in milliseconds."""

    at: datetime
    ms: int
    cause: str
    rule: str


def _outcome(line: _Line, due: int, now: int) -> DispatchState:
    # A whole day ends with its last second.
    if line.left is not None:
        return DispatchState.ON_TIME if line.left // 1000 * 1000 <= due else DispatchState.LATE
    if line.state == "waiting":
        return DispatchState.LATE if due < now else DispatchState.RUNNING
    if line.state == "cancelled" and line.cancelled is not None:
        return DispatchState.CANCELLED if line.cancelled // 1000 * 1000 <= due else DispatchState.LATE
    return DispatchState.UNKNOWN


def _began() -> ColumnElement[int]:
    return func.coalesce(orders.c.paid_at, orders.c.ordered_at)


def _states() -> tuple[Any, ...]:
    is_paid, is_reserved = orders.c.paid_at.is_not(None), lines.c.is_reserved.is_(True)
    return is_paid.label("is_paid"), _state().label("state"), is_reserved.label("is_reserved")


def _times() -> tuple[Any, ...]:
    times = {
        "began": _began(),
        "planned": lines.c.planned_ship_at,
        "sendable": lines.c.sendable_from,
        "left": lines.c.dispatched_at,
        "cancelled": _cancelled_at(),
    }
    return tuple(time.label(name) for name, time in times.items())


def _state() -> ColumnElement[str]:
    """Of ``waiting`` to be sent, ``cancelled`` and ``other``: sent at a time that nobody told, or not known."""
    return case(
        (lines.c.vanished_at.is_not(None), literal("other")),
        (lines.c.status.in_(_WAITING), literal("waiting")),
        (lines.c.status == LineStatus.CANCELLED.value, literal("cancelled")),
        else_=literal("other"),
    )


def _cancelled_at() -> ColumnElement[int]:
    """When the cancel of a cancelled line was asked for."""
    asked = (
        select(func.min(claims.c.requested_at))
        .where(
            order_of_claim(),
            claims.c.line_no == lines.c.line_no,
            claims.c.kind.in_(_CANCELS),
            claims.c.state.not_in(_NO_CANCEL),
        )
        .scalar_subquery()
    )
    is_cancelled = and_(lines.c.status == LineStatus.CANCELLED.value, lines.c.dispatched_at.is_(None))
    return case((is_cancelled, asked), else_=None)


def _is(*outcomes: DispatchState) -> Any:
    return lambda fact: fact.outcome in outcomes


def _is_waiting(fact: DispatchFact) -> bool:
    return fact.outcome == DispatchState.LATE and fact.dispatched_at is None


DISPATCH: Final = FactReport(
    name="dispatch",
    row=DispatchFact,
    read=read_dispatches,
    read_alike=read_dispatches_alike,
    dimensions=("mall", "shop", "cause", "rule", "mode", "partner", "outcome"),
    default=("mall", "cause"),
    # A line stands under each of its clocks.
    always=("cause",),
    measures=(
        Measure(name="due"),
        Measure(name="on_time", of=_is(DispatchState.ON_TIME)),
        Measure(name="late", of=_is(DispatchState.LATE)),
        Measure(name="waiting", of=_is_waiting),
        Measure(name="running", of=_is(DispatchState.RUNNING)),
        Measure(name="cancelled", of=_is(DispatchState.CANCELLED)),
        Measure(name="unknown", of=_is(DispatchState.UNKNOWN)),
        Measure(
            name="on_time_share",
            how=How.SHARE,
            of=_is(DispatchState.ON_TIME, DispatchState.LATE),
            part=_is(DispatchState.ON_TIME),
        ),
        Measure(name="late_days_median", how=How.MEDIAN, value=lambda fact: fact.days_late),
        Measure(name="late_days_p90", how=How.P90, value=lambda fact: fact.days_late),
    ),
)
