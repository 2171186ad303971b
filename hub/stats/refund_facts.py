"""Whether customers had their money back in time: the law's clock of cancels and returns, by the times malls give.

The clock runs from the day the goods came back or, where they were never sent, from the day of the cancel; its rules
are those of :mod:`hub.policy.due`. Malls whose country has no such clock have their waiting counted, and no verdict.
What no mall tells stays unknown.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Select, or_

from hub.core.model import ClaimKind, ClaimState
from hub.policy.calendar import business_calendar
from hub.policy.due import CaseFacts, CaseKind, DueCause, due_dates
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, rows_of, stream
from hub.stats.rules_then import RulesThen, read_rules_then
from hub.stats.sold import is_of_copy, is_within, of_cell
from hub.store.belonging import case_of_claim, line_of_claim
from hub.store.database import time_of, to_ms
from hub.store.tables import cases, claims, lines

_DAY_SECONDS: Final = 86_400
_KINDS: Final = (ClaimKind.CANCEL.value, ClaimKind.RETURN.value)
#: nothing is paid back
_OVER: Final = (ClaimState.REJECTED.value, ClaimState.WITHDRAWN.value)
#: the goods are not back yet
_EARLY: Final = frozenset(
    {ClaimState.REQUESTED, ClaimState.APPROVED, ClaimState.ACCEPTED, ClaimState.COLLECTING, ClaimState.HOLD}
)


class RefundState(StrEnum):
    ON_TIME = "on_time"
    LATE = "late"
    RUNNING = "running"
    UNKNOWN = "unknown"
    NO_CLOCK = "no_clock"


class RefundFact(Fact, frozen=True, kw_only=True):
    """One refund, on the day it is due; else on that of its end, or of its request.

    ``days`` from ``started_at`` to ``refunded_at``, elapsed. ``outcome`` is a :class:`RefundState`.
    """

    kind: str
    order_no: str
    line_no: str
    reference: str
    started_at: datetime | None
    due_at: datetime | None
    refunded_at: datetime | None
    days: float | None
    outcome: str


async def read_refunds(counted: Counted) -> AsyncIterator[RefundFact]:
    rules = await read_rules_then(counted)
    clocks = _Clocks(rules)
    async for row in stream(counted, _claims(counted, rules), row_id=claims.c.id):
        fact = _refund(row, clocks, counted.now)
        if fact is not None and is_within(counted, fact.at):
            yield fact


class _Clocks:
    """When refunds are due; a day's answer serves all of that day."""

    def __init__(self, rules: RulesThen) -> None:
        self._rules = rules
        self._known: dict[tuple[int, str, bool, date], datetime | None] = {}

    def has_law(self, shop_id: int, started: datetime) -> bool:
        """Whether the country's law sets such a clock at all."""
        return self.due(shop_id, ClaimKind.RETURN.value, started, is_back=True) is not None

    def due(self, shop_id: int, kind: str, started: datetime, *, is_back: bool) -> datetime | None:
        found = self._rules.shops.get(shop_id)
        if found is None:
            return None
        shop, country = found
        day = business_calendar(country).day_of(started)
        key = (shop_id, kind, is_back, day)
        rules = self._rules.on(shop_id, day)
        if key not in self._known and rules is not None:
            facts = CaseFacts(
                kind=CaseKind(kind),
                mall=shop.mall,
                shop=shop.name,
                country=country,
                opened_at=started,
                collected_at=started if is_back else None,
            )
            dues = due_dates(facts, days=rules.days)
            self._known[key] = next((due.at for due in dues if due.cause is DueCause.LAW), None)
        return self._known.get(key)


def _refund(row: Any, clocks: _Clocks, now: datetime) -> RefundFact | None:
    """``None`` where nothing is to be paid back yet."""
    state = _state(row.state)
    waits_for_goods = row.kind == ClaimKind.RETURN or row.line_id is None or row.dispatched_at is not None
    is_back = row.collected_at is not None
    if waits_for_goods and not is_back and state in _EARLY:
        return None
    started = moment(row.collected_at if is_back or waits_for_goods else row.requested_at)
    refunded = moment(row.ended_at) if state is ClaimState.DONE else None
    seen = time_of(next(at for at in (row.ended_at, row.requested_at, row.first_seen_at) if at is not None))
    due = None if started is None else clocks.due(row.shop_id, row.kind, started, is_back=is_back)
    spent = (refunded - started).total_seconds() / _DAY_SECONDS if refunded and started else None
    return RefundFact(
        at=due or seen,
        mall=row.mall,
        shop=row.shop,
        case_id=row.case_id,
        kind=row.kind,
        order_no=row.order_no,
        line_no=row.line_no,
        reference=row.reference,
        started_at=started,
        due_at=due,
        refunded_at=refunded,
        days=None if spent is None else round(max(spent, 0.0), 1),
        outcome=_outcome(state, due, refunded, now)
        if clocks.has_law(row.shop_id, started or seen)
        else RefundState.NO_CLOCK,
    )


def _state(stored: str) -> ClaimState:
    try:
        return ClaimState(stored)
    except ValueError:
        return ClaimState.UNKNOWN


def _outcome(state: ClaimState, due: datetime | None, refunded: datetime | None, now: datetime) -> RefundState:
    if due is None or state is ClaimState.UNKNOWN or (state is ClaimState.DONE and refunded is None):
        return RefundState.UNKNOWN
    if refunded is not None:
        # A whole day ends with its last second.
        return RefundState.ON_TIME if refunded.replace(microsecond=0) <= due else RefundState.LATE
    return RefundState.LATE if due < now else RefundState.RUNNING


def _claims(counted: Counted, rules: RulesThen) -> Select[Any]:
    query = (
        rows_of(
            counted,
            claims,
            claims.c.kind,
            claims.c.state,
            claims.c.order_no,
            claims.c.line_no,
            claims.c.claim_key.label("reference"),
            claims.c.requested_at,
            claims.c.collected_at,
            claims.c.ended_at,
            claims.c.first_seen_at,
            lines.c.id.label("line_id"),
            lines.c.dispatched_at,
            cases.c.id.label("case_id"),
            at=claims.c.requested_at,
        )
        .outerjoin(lines, line_of_claim())
        .outerjoin(cases, case_of_claim())
        .where(claims.c.kind.in_(_KINDS), claims.c.state.not_in(_OVER), ~is_of_copy(claims))
        .where(*of_cell(counted, kind=claims.c.kind))
    )
    # A refund counts on the day it is due, which is some days after one of these times, or on the day of one of them.
    times = (claims.c.requested_at, claims.c.collected_at, claims.c.ended_at, claims.c.first_seen_at)
    if counted.since is not None:
        first = (to_ms(counted.since) or 0) - rules.longest_days * _DAY_SECONDS * 1000
        query = query.where(or_(*(time >= first for time in times)))
    if counted.until is not None:
        query = query.where(or_(*(time < (to_ms(counted.until) or 0) for time in times)))
    return query


def _is(*outcomes: RefundState) -> Any:
    return lambda fact: fact.outcome in outcomes


REFUNDS: Final = FactReport(
    name="refunds",
    row=RefundFact,
    read=read_refunds,
    dimensions=("mall", "shop", "kind", "outcome"),
    default=("mall", "kind"),
    measures=(
        Measure(name="refunds"),
        Measure(name="on_time", of=_is(RefundState.ON_TIME)),
        Measure(name="late", of=_is(RefundState.LATE)),
        Measure(name="unpaid", of=lambda fact: fact.outcome == RefundState.LATE and fact.refunded_at is None),
        Measure(name="running", of=_is(RefundState.RUNNING)),
        Measure(name="unknown", of=_is(RefundState.UNKNOWN)),
        Measure(name="no_clock", of=_is(RefundState.NO_CLOCK)),
        Measure(
            name="on_time_share",
            how=How.SHARE,
            of=_is(RefundState.ON_TIME, RefundState.LATE),
            part=_is(RefundState.ON_TIME),
        ),
        Measure(name="days_median", how=How.MEDIAN, value=lambda fact: fact.days),
        Measure(name="days_p90", how=How.P90, value=lambda fact: fact.days),
    ),
)
