"""Whether goods left in time: each clock of each paid line, and how late those were that did not.

A clock is the law's, the mall's, or the ship date that was announced to the mall; its rules are those of
:mod:`hub.policy.due`, as they stood when the line was paid. Lines are counted by the database, alike ones at once: all
clocks but those of hours end with a day, so that only the days of a line matter.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, null, or_, select

from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.policy.calendar import ZONES, business_calendar
from hub.policy.due import CaseFacts, CaseKind, Due, due_dates
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, pages
from hub.stats.rules_then import RulesThen, read_rules_then
from hub.stats.sold import is_copy, is_rebilled, is_within, of_cell
from hub.stats.stock import PRODUCT_COLUMNS, Stock, Stocks
from hub.store.database import to_ms
from hub.store.tables import cases, claims, lines, orders, shops

_DAY_MS: Final = 86_400_000
_MOST_HELD: Final = 50_000
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
            for fact in reading.facts(row, stock):
                yield fact


async def read_dispatches_alike(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[DispatchFact, int]]:
    reading = _Reading(counted, await read_rules_then(counted))
    if names.isdisjoint(_STOCK):
        async with counted.database.reading() as connection:
            groups = (await connection.execute(reading.groups())).all()
        for row in groups:
            for fact in reading.facts(row, Stock()):
                yield fact, row.number
        return
    # Almost every line is of another product or day: the database has nothing to put together.
    stocks = Stocks(counted)
    first: dict[tuple[Any, ...], Any] = {}
    numbers: Counter[tuple[Any, ...]] = Counter()
    async for rows in pages(counted, reading.rows(), row_id=lines.c.id):
        for row, stock in zip(rows, await stocks.of(rows), strict=True):
            key = (*reading.alike(row), stock.mode, stock.partner)
            numbers[key] += 1
            first.setdefault(key, row)
        if len(first) > _MOST_HELD:
            for fact, number in reading.all(first, numbers):
                yield fact, number
            first.clear()
            numbers.clear()
    for fact, number in reading.all(first, numbers):
        yield fact, number


class _Reading:
    """The lines of one counting, and what their clocks say."""

    def __init__(self, counted: Counted, rules: RulesThen) -> None:
        self._counted = counted
        self._rules = rules
        offsets = {counted.now.astimezone(ZONES[country]).utcoffset() for _, country in rules.shops.values()}
        offset = next(iter(offsets), None)
        # A clock of hours, or countries with different days: each line by itself.
        self._is_daily = offset is not None and len(offsets) == 1 and not rules.counts_hours
        self._offset_ms = round(offset.total_seconds() * 1000) if offset is not None else 0
        self._known: dict[tuple[Any, ...], tuple[Due, ...]] = {}

    def _bucket(self, column: Any) -> ColumnElement[int]:
        """The day of a time or, where days are not enough, the time."""
        day: ColumnElement[int] = (column + self._offset_ms) // _DAY_MS
        return day if self._is_daily else column

    def rows(self) -> Select[Any]:
        """One for each line; its case where somebody is going to look at it."""
        of_order = (
            select(func.min(cases.c.id))
            .where(cases.c.shop_id == lines.c.shop_id, cases.c.order_no == orders.c.order_no)
            .scalar_subquery()
        )
        case_id = null() if self._counted.opens is None else of_order
        return self._lines(
            lines.c.id.label("row_id"),
            _began().label("at_ms"),
            orders.c.order_no,
            lines.c.line_no,
            case_id.label("case_id"),
            *_times(),
            *PRODUCT_COLUMNS,
        )

    def groups(self) -> Select[Any]:
        """One for all lines of a shop that are alike in their days and their state."""
        days = [self._bucket(time).label(f"day_of_{time.name}") for time in (_began().label("at_ms"), *_times())]
        one = self._lines(*days, _began().label("at_ms"), *_times()).subquery()
        fixed = [one.c[name] for name in ("shop_id", "mall", "shop", "is_paid", "state")]
        alike = [*fixed, *(one.c[day.name] for day in days)]
        times = [func.min(one.c[name]).label(name) for name in ("at_ms", *(time.name for time in _times()))]
        nothing = [null().label(name) for name in ("order_no", "line_no", "case_id", "product_name")]
        return select(*fixed, *times, *nothing, func.count().label("number")).group_by(*alike)

    def _lines(self, *columns: Any) -> Select[Any]:
        counted = self._counted
        query = (
            select(
                lines.c.shop_id,
                shops.c.mall,
                shops.c.name.label("shop"),
                orders.c.paid_at.is_not(None).label("is_paid"),
                _state().label("state"),
                *columns,
            )
            .join_from(lines, orders, orders.c.id == lines.c.order_id)
            .join(shops, shops.c.id == lines.c.shop_id)
            .where(lines.c.status != LineStatus.PENDING_PAYMENT.value, lines.c.replaces_line_no.is_(None))
            .where(~is_copy(orders.c.id), ~is_rebilled(), *counted.of_shop(shops))
            .where(*of_cell(counted, mall=shops.c.mall, shop=shops.c.name))
        )
        times = (_began(), lines.c.planned_ship_at)
        if counted.since is not None:
            first = (to_ms(counted.since) or 0) - self._rules.longest_days * _DAY_MS
            query = query.where(or_(*(time >= first for time in times)))
        if counted.until is not None:
            query = query.where(or_(*(time < (to_ms(counted.until) or 0) for time in times)))
        if self._is_daily and counted.opens in _OF_LATE:
            left = lines.c.dispatched_at
            earliest = (self._bucket(_began()), self._bucket(lines.c.planned_ship_at))
            query = query.where(or_(left.is_(None), *(self._bucket(left) > day for day in earliest)))
        return query

    def alike(self, row: Any) -> tuple[Any, ...]:
        """What lines of one group have in common."""
        times = (row.at_ms, row.planned_ship_at, row.dispatched_at, row.cancelled_at)
        unit = _DAY_MS if self._is_daily else 1
        days = [at if at is None else (at + self._offset_ms) // unit for at in times]
        return (row.shop_id, row.is_paid, row.state, *days)

    def all(
        self, first: Mapping[tuple[Any, ...], Any], numbers: Mapping[tuple[Any, ...], int]
    ) -> Iterator[tuple[DispatchFact, int]]:
        for key, row in first.items():
            for fact in self.facts(row, Stock(mode=key[-2], partner=key[-1])):
                yield fact, numbers[key]

    def facts(self, row: Any, stock: Stock) -> list[DispatchFact]:
        found = self._rules.shops.get(row.shop_id)
        if found is None:
            return []
        calendar = business_calendar(found[1])
        left, cancelled = moment(row.dispatched_at), moment(row.cancelled_at)
        facts = []
        for due in self._dues(row):
            if not is_within(self._counted, due.at):
                continue
            outcome = _outcome(row.state, due.at, left, cancelled, self._counted.now)
            is_late = outcome is DispatchState.LATE and left is not None
            facts.append(
                DispatchFact(
                    at=due.at,
                    mall=row.mall,
                    shop=row.shop,
                    case_id=row.case_id,
                    cause=due.cause.value,
                    rule=due.source,
                    order_no=row.order_no,
                    line_no=row.line_no,
                    product_name=row.product_name,
                    mode=stock.mode,
                    partner=stock.partner,
                    due_at=due.at,
                    dispatched_at=left,
                    days_late=_days(calendar.day_of(due.at), calendar.day_of(left)) if is_late and left else None,
                    outcome=outcome,
                )
            )
        return facts

    def _dues(self, row: Any) -> tuple[Due, ...]:
        if not self._is_daily:
            return self._reckon(row)
        days = [at if at is None else (at + self._offset_ms) // _DAY_MS for at in (row.at_ms, row.planned_ship_at)]
        key = (row.shop_id, row.is_paid, *days)
        if key not in self._known:
            self._known[key] = self._reckon(row)
        return self._known[key]

    def _reckon(self, row: Any) -> tuple[Due, ...]:
        shop, country = self._rules.shops[row.shop_id]
        began = moment(row.at_ms)
        opened = began or moment(row.planned_ship_at)
        rules = self._rules.on(row.shop_id, business_calendar(country).day_of(opened)) if opened else None
        if rules is None or opened is None:
            return ()
        facts = CaseFacts(
            kind=CaseKind.DISPATCH,
            mall=shop.mall,
            shop=shop.name,
            country=country,
            opened_at=opened,
            paid_at=began if row.is_paid else None,
            ordered_at=None if row.is_paid else began,
            planned_ship_at=moment(row.planned_ship_at),
        )
        return due_dates(facts, clocks=rules.clocks, days=rules.days)


def _outcome(
    state: str, due: datetime, left: datetime | None, cancelled: datetime | None, now: datetime
) -> DispatchState:
    # A whole day ends with its last second.
    if left is not None:
        return DispatchState.ON_TIME if left.replace(microsecond=0) <= due else DispatchState.LATE
    if state == "waiting":
        return DispatchState.LATE if due < now else DispatchState.RUNNING
    if state == "cancelled" and cancelled is not None:
        return DispatchState.CANCELLED if cancelled.replace(microsecond=0) <= due else DispatchState.LATE
    return DispatchState.UNKNOWN


def _days(first: date, last: date) -> int:
    return (last - first).days


def _began() -> ColumnElement[int]:
    return func.coalesce(orders.c.paid_at, orders.c.ordered_at)


def _times() -> tuple[Any, ...]:
    return lines.c.planned_ship_at, lines.c.dispatched_at, _cancelled_at().label("cancelled_at")


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
            claims.c.shop_id == lines.c.shop_id,
            claims.c.order_no == orders.c.order_no,
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
