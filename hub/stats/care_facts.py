"""What hangs on cases, as facts to be counted: open work, promises, questions to partners, compensation."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import and_, or_

from hub.core.contract import Outcome
from hub.policy.calendar import business_calendar
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, rows_of, stream
from hub.stats.worktime import MINUTE_MS, OpenTime
from hub.store.database import to_ms
from hub.store.tables import actions, asks, cases, compensations, promises
from hub.sync.cases import NEVER

_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
#: by age in minutes of business days, whole days of 24 hours
_AGES: Final = (("to_4h", 4 * _HOUR), ("to_1d", _DAY), ("to_2d", 2 * _DAY), ("to_3d", 3 * _DAY))
_OLDER: Final = "over_3d"
#: by minutes that are left until the earliest deadline
_LEFT: Final = (("overdue", 0), ("due_4h", 4 * _HOUR), ("due_1d", _DAY))


class OpenCase(Fact, frozen=True, kw_only=True):
    """One case that is open now, by the time it was opened. ``age``: its bucket; ``left``: that of its deadline."""

    kind: str
    order_no: str | None
    product_name: str | None
    due_at: datetime | None
    due_cause: str | None
    business_hours_old: float
    age: str
    left: str
    is_assigned: bool


class PromiseFact(Fact, frozen=True, kw_only=True):
    """One promise, on the day it was due."""

    to_whom: str
    channel: str
    state: str
    order_no: str | None
    made_at: datetime
    due_at: datetime
    kept_at: datetime | None
    broken_reason: str | None
    is_over: bool


class AskFact(Fact, frozen=True, kw_only=True):
    """One question to a contact, on the day it was asked. ``minutes``: of the contact's opening hours.

    They are ``None`` without an answer, and where it came at once, by telephone.
    """

    organisation: str | None
    contact: str
    role: str
    matter: str
    channel: str
    state: str
    answered_at: datetime | None
    minutes: int | None


class GiftFact(Fact, frozen=True, kw_only=True):
    """One compensation that was really given, or the row that takes it back; amounts in minor units."""

    kind: str
    reason: str
    partner: str | None
    currency: str
    amount_minor: int
    partner_minor: int
    order_no: str | None
    line_no: str | None


async def read_backlog(counted: Counted) -> AsyncIterator[OpenCase]:
    """The cases that are open at ``now``; a span chooses among them by the time they were opened."""
    told = (
        cases.c.kind,
        cases.c.order_no,
        cases.c.product_name,
        cases.c.due_at,
        cases.c.due_cause,
        cases.c.assignee_id,
    )
    query = rows_of(counted, cases, *told, at=cases.c.opened_at).where(cases.c.is_open)
    now = to_ms(counted.now) or 0
    days = {mall: OpenTime(business_calendar(country)) for mall, country in counted.countries.items()}
    async for row in stream(counted, query, at=cases.c.opened_at, row_id=cases.c.id):
        opened = datetime.fromtimestamp(row.at_ms / 1000, UTC)
        due = _due(row.due_at)
        own = days.get(row.mall)
        age = (max(0, now - row.at_ms) if own is None else own.between(row.at_ms, now)) // MINUTE_MS
        yield OpenCase(
            at=opened,
            mall=row.mall,
            shop=row.shop,
            case_id=row.row_id,
            kind=row.kind,
            order_no=row.order_no,
            product_name=row.product_name,
            due_at=due,
            due_cause=row.due_cause,
            business_hours_old=round(age / _HOUR, 1),
            age=next((name for name, most in _AGES if age <= most), _OLDER),
            left=_left(due, counted.now),
            is_assigned=row.assignee_id is not None,
        )


def _due(at: int) -> datetime | None:
    return None if at >= NEVER else datetime.fromtimestamp(at / 1000, UTC)


def _left(due: datetime | None, now: datetime) -> str:
    if due is None:
        return "no_clock"
    minutes = (due - now).total_seconds() / 60
    return next((name for name, most in _LEFT if minutes <= most), "due_later")


async def read_promise_facts(counted: Counted) -> AsyncIterator[PromiseFact]:
    told = (
        cases.c.order_no,
        promises.c.case_id,
        promises.c.to_whom,
        promises.c.channel,
        promises.c.state,
        promises.c.made_at,
        promises.c.kept_at,
        promises.c.broken_reason,
    )
    query = rows_of(counted, cases, *told, at=promises.c.due_at, row_id=promises.c.id)
    query = query.join(promises, promises.c.case_id == cases.c.id)
    async for row in stream(counted, query, at=promises.c.due_at, row_id=promises.c.id):
        due = datetime.fromtimestamp(row.at_ms / 1000, UTC)
        yield PromiseFact(
            at=due,
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            to_whom=row.to_whom,
            channel=row.channel,
            state=row.state,
            order_no=row.order_no,
            made_at=datetime.fromtimestamp(row.made_at / 1000, UTC),
            due_at=due,
            kept_at=moment(row.kept_at),
            broken_reason=row.broken_reason,
            is_over=due <= counted.now,
        )


def _counts(fact: PromiseFact) -> bool:
    """Kept, broken, or past its time: an agreed change before the time is another promise."""
    return fact.state in ("kept", "broken") or (fact.state == "open" and fact.is_over)


async def read_ask_facts(counted: Counted) -> AsyncIterator[AskFact]:
    told = (
        asks.c.case_id,
        asks.c.organisation,
        asks.c.contact_key,
        asks.c.role,
        asks.c.matter,
        asks.c.channel,
        asks.c.state,
        asks.c.answered_at,
        asks.c.answer_minutes,
    )
    query = rows_of(counted, cases, *told, at=asks.c.asked_at, row_id=asks.c.id)
    query = query.join(asks, asks.c.case_id == cases.c.id).where(asks.c.state != "withdrawn")
    async for row in stream(counted, query, at=asks.c.asked_at, row_id=asks.c.id):
        waited = row.answered_at is not None and row.answered_at > row.at_ms
        yield AskFact(
            at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            organisation=row.organisation,
            contact=row.contact_key,
            role=row.role,
            matter=row.matter,
            channel=row.channel,
            state=row.state,
            answered_at=moment(row.answered_at),
            minutes=row.answer_minutes if waited else None,
        )


async def read_gift_facts(counted: Counted) -> AsyncIterator[GiftFact]:
    """The rows of the ledger: given, or sent to a mall that says it was done."""
    told = (
        compensations.c.case_id,
        compensations.c.kind,
        compensations.c.reason,
        compensations.c.partner,
        compensations.c.currency,
        compensations.c.amount_minor,
        compensations.c.partner_minor,
        compensations.c.order_no,
        compensations.c.line_no,
    )
    is_done = and_(compensations.c.state == "sending", actions.c.outcome == Outcome.DONE.value)
    query = (
        rows_of(counted, compensations, *told, at=compensations.c.given_at)
        .outerjoin(actions, actions.c.id == compensations.c.action_id)
        .where(or_(compensations.c.state == "given", is_done))
    )
    async for row in stream(counted, query, at=compensations.c.given_at, row_id=compensations.c.id):
        yield GiftFact(
            at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            kind=row.kind,
            reason=row.reason,
            partner=row.partner,
            currency=row.currency,
            amount_minor=row.amount_minor,
            partner_minor=row.partner_minor,
            order_no=row.order_no,
            line_no=row.line_no,
        )


def _is(name: str, *values: str) -> Any:
    """Facts whose field has one of these values."""
    return lambda fact: getattr(fact, name) in values


BACKLOG: Final = FactReport(
    name="backlog",
    row=OpenCase,
    read=read_backlog,
    dimensions=("mall", "shop", "kind", "due_cause"),
    default=("mall", "kind"),
    measures=(
        Measure(name="open"),
        Measure(name="unassigned", of=lambda fact: not fact.is_assigned),
        *(Measure(name=f"age_{name}", of=_is("age", name)) for name in (*(age for age, _ in _AGES), _OLDER)),
        *(
            Measure(name=name, of=_is("left", name))
            for name in ("overdue", "due_4h", "due_1d", "due_later", "no_clock")
        ),
    ),
)

PROMISES: Final = FactReport(
    name="promises",
    row=PromiseFact,
    read=read_promise_facts,
    dimensions=("mall", "shop", "to_whom", "channel"),
    default=("mall", "to_whom"),
    measures=(
        Measure(name="promises_due", of=_counts),
        Measure(name="kept", of=_is("state", "kept")),
        Measure(name="broken", of=lambda fact: _counts(fact) and fact.state != "kept"),
        Measure(name="kept_late", of=lambda fact: fact.state == "broken" and fact.kept_at is not None),
        Measure(name="changed", of=_is("state", "changed")),
        Measure(name="kept_share", how=How.SHARE, of=_counts, part=_is("state", "kept")),
    ),
)

ASKS: Final = FactReport(
    name="asks",
    row=AskFact,
    read=read_ask_facts,
    dimensions=("organisation", "contact", "role", "matter", "channel", "mall", "shop"),
    default=("organisation", "role"),
    measures=(
        Measure(name="asked"),
        Measure(name="answered", of=lambda fact: fact.answered_at is not None),
        Measure(name="waiting", of=_is("state", "open")),
        Measure(name="passed_on", of=lambda fact: fact.state == "escalated" and fact.answered_at is None),
        Measure(name="answer_median", how=How.MEDIAN, value=lambda fact: fact.minutes),
        Measure(name="answer_p90", how=How.P90, value=lambda fact: fact.minutes),
    ),
)

COMPENSATION: Final = FactReport(
    name="compensation",
    row=GiftFact,
    read=read_gift_facts,
    dimensions=("mall", "shop", "reason", "kind", "partner", "currency"),
    default=("mall", "reason"),
    # Won and yen are never added up.
    always=("currency",),
    measures=(
        Measure(name="gifts"),
        Measure(name="amount_minor", how=How.SUM, value=lambda fact: fact.amount_minor),
        Measure(name="partner_minor", how=How.SUM, value=lambda fact: fact.partner_minor),
        Measure(name="our_minor", how=How.SUM, value=lambda fact: fact.amount_minor - fact.partner_minor),
    ),
)
