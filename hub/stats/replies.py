"""How written inquiries were answered: how soon, in time by which clock, and whether they came back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from hub.core.model import InquiryState
from hub.policy.due import CaseFacts, CaseKind, Due, due_dates
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, stream
from hub.stats.rules_then import read_rules_then
from hub.stats.worktime import business_minutes
from hub.store.tables import cases, inquiries, shops, status_changes
from hub.sync.case_rules import CaseRules

#: a customer who asks again in the same thread so soon after an answer was not helped by it
REOPEN_DAYS: Final = 7
#: no clock of an inquiry runs longer than this, days of rest included
_LONGEST_DUE: Final = timedelta(days=40)
_DAY_MS: Final = 86_400_000


class Reply(Fact, frozen=True, kw_only=True):
    """One written inquiry, on the day it was asked. Minutes are whole; ``None`` while nobody has answered."""

    channel: str
    inquiry_no: str
    state: str
    order_no: str | None
    product_name: str | None
    answered_at: datetime | None
    minutes: int | None
    business_minutes: int | None
    is_reopened: bool


class OnTime(Fact, frozen=True, kw_only=True):
    """One clock of one written inquiry, on the day it ran out. ``is_over``: answered, or the time has passed."""

    channel: str
    inquiry_no: str
    cause: str
    rule: str
    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None
    is_on_time: bool
    is_over: bool


async def read_replies(counted: Counted) -> AsyncIterator[Reply]:
    rules = await read_rules_then(counted)
    query = _inquiries(counted).where(*counted.within(inquiries.c.asked_at))
    async for row in stream(counted.database, query, at=inquiries.c.asked_at, row_id=inquiries.c.id):
        asked, answered = datetime.fromtimestamp(row.at_ms / 1000, UTC), moment(row.answered_at)
        country, given = counted.countries.get(row.mall), rules.at(row.shop_id, asked)
        spent = None if answered is None else max(answered - asked, timedelta())
        in_hours = None
        if answered is not None and country is not None and given is not None:
            targets = given.targets
            in_hours = business_minutes(
                given.days.of_shop(country), asked, answered, opens=targets.opens, closes=targets.closes
            )
        yield Reply(
            at=asked,
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            channel=row.kind,
            inquiry_no=row.inquiry_no,
            state=row.state,
            order_no=row.order_no,
            product_name=row.product_name,
            answered_at=answered,
            minutes=None if spent is None else spent // timedelta(minutes=1),
            business_minutes=in_hours,
            is_reopened=bool(row.is_reopened),
        )


async def read_on_time(counted: Counted) -> AsyncIterator[OnTime]:
    """By the clocks that were in force when it was asked; a shop whose mall has no calendar has none."""
    rules = await read_rules_then(counted)
    query = _inquiries(counted)
    if counted.since is not None:
        query = query.where(inquiries.c.asked_at >= _ms(counted.since - _LONGEST_DUE))
    if counted.until is not None:
        query = query.where(inquiries.c.asked_at < _ms(counted.until))
    async for row in stream(counted.database, query, at=inquiries.c.asked_at, row_id=inquiries.c.id):
        asked, answered = datetime.fromtimestamp(row.at_ms / 1000, UTC), moment(row.answered_at)
        given, country = rules.at(row.shop_id, asked), counted.countries.get(row.mall)
        if given is None or country is None:
            continue
        for due in _dues(row, asked, country, given):
            if (counted.since is None or due.at >= counted.since) and (counted.until is None or due.at < counted.until):
                yield OnTime(
                    at=due.at,
                    mall=row.mall,
                    shop=row.shop,
                    case_id=row.case_id,
                    channel=row.kind,
                    inquiry_no=row.inquiry_no,
                    cause=due.cause.value,
                    rule=due.source,
                    asked_at=asked,
                    due_at=due.at,
                    answered_at=answered,
                    is_on_time=answered is not None and answered <= due.at,
                    is_over=answered is not None or due.at <= counted.now,
                )


def _dues(row: Any, asked: datetime, country: str, given: CaseRules) -> tuple[Due, ...]:
    facts = CaseFacts(kind=CaseKind(row.kind), mall=row.mall, shop=row.shop, country=country, opened_at=asked)
    return due_dates(facts, clocks=given.clocks, targets=given.targets, days=given.days)


def _inquiries(counted: Counted) -> Select[Any]:
    case_id = (
        select(func.min(cases.c.id))
        .where(cases.c.shop_id == inquiries.c.shop_id, cases.c.thread_no == inquiries.c.thread_no)
        .scalar_subquery()
    )
    return (
        select(
            inquiries.c.asked_at.label("at_ms"),
            inquiries.c.id.label("row_id"),
            inquiries.c.shop_id,
            inquiries.c.kind,
            inquiries.c.inquiry_no,
            inquiries.c.state,
            inquiries.c.order_no,
            inquiries.c.product_name,
            inquiries.c.answered_at,
            shops.c.mall,
            shops.c.name.label("shop"),
            case_id.label("case_id"),
            _is_reopened().label("is_reopened"),
        )
        .join_from(inquiries, shops, shops.c.id == inquiries.c.shop_id)
        .where(*counted.of_shop(shops))
    )


def _is_reopened() -> ColumnElement[bool]:
    """Asked again in the same thread within a week of the answer, or taken out of "answered" by the mall."""
    again: Any = inquiries.alias("again")
    week = REOPEN_DAYS * _DAY_MS
    asked_again = exists().where(
        again.c.shop_id == inquiries.c.shop_id,
        again.c.thread_no == inquiries.c.thread_no,
        again.c.id != inquiries.c.id,
        again.c.asked_at > inquiries.c.answered_at,
        again.c.asked_at <= inquiries.c.answered_at + week,
    )
    taken_back = exists().where(
        status_changes.c.subject == "inquiry",
        status_changes.c.subject_id == inquiries.c.id,
        status_changes.c.from_status == InquiryState.ANSWERED.value,
    )
    return or_(and_(inquiries.c.answered_at.is_not(None), asked_again), taken_back)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _is_answered(fact: Reply) -> bool:
    return fact.minutes is not None


REPLIES: Final = FactReport(
    name="replies",
    row=Reply,
    read=read_replies,
    dimensions=("mall", "shop", "channel"),
    default=("mall", "channel"),
    measures=(
        Measure(name="asked"),
        Measure(name="answered", of=_is_answered),
        Measure(name="first_response_median", how=How.MEDIAN, value=lambda fact: fact.minutes),
        Measure(name="first_response_mean", how=How.MEAN, value=lambda fact: fact.minutes),
        Measure(name="first_response_p90", how=How.P90, value=lambda fact: fact.minutes),
        Measure(name="business_response_median", how=How.MEDIAN, value=lambda fact: fact.business_minutes),
        Measure(name="business_response_p90", how=How.P90, value=lambda fact: fact.business_minutes),
        Measure(name="reopened", of=lambda fact: fact.is_reopened),
        Measure(name="reopen_share", how=How.SHARE, of=_is_answered, part=lambda fact: fact.is_reopened),
    ),
)

ON_TIME: Final = FactReport(
    name="on-time",
    row=OnTime,
    read=read_on_time,
    dimensions=("mall", "shop", "channel", "cause", "rule"),
    default=("mall", "channel", "cause"),
    measures=(
        Measure(name="due"),
        Measure(name="on_time", of=lambda fact: fact.is_on_time),
        Measure(name="late", of=lambda fact: fact.is_over and not fact.is_on_time),
        Measure(name="running", of=lambda fact: not fact.is_over),
        Measure(name="on_time_share", how=How.SHARE, of=lambda fact: fact.is_over, part=lambda fact: fact.is_on_time),
    ),
)
