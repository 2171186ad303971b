"""How soon written inquiries were answered, and whether they came back."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, exists, literal, or_

from hub.core.model import InquiryState
from hub.stats.alike import any_time
from hub.stats.asked import ShopHours, case_of_thread
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, pages, rows_of, stream
from hub.stats.rules_then import MadeThen, RulesThen, read_rules_then
from hub.stats.sold import buckets_of
from hub.stats.worktime import MINUTE_MS
from hub.store.database import time_of
from hub.store.tables import inquiries, status_changes
from hub.store.vanished import shown_state

#: a customer who asks again in the same thread so soon after an answer was not helped by it
REOPEN_DAYS: Final = 7
_DAY_MS: Final = 86_400_000
_PAGE: Final = 5_000


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


class AlikeReplies(Struct, kw_only=True):
    """Inquiries of one shop, channel and stretch of time, all of them answered or none.

    Minutes with how often they occur. The names are those of :class:`Reply`, which measures look at.
    """

    at: datetime
    mall: str
    shop: str
    channel: str
    is_reopened: bool
    minutes: dict[int, int] | None
    business_minutes: dict[int, int] | None
    number: int = 0

    def add(self, minutes: int | None, business_minutes: int | None) -> None:
        self.number += 1
        if self.minutes is not None and minutes is not None:
            self.minutes[minutes] = self.minutes.get(minutes, 0) + 1
        if self.business_minutes is not None and business_minutes is not None:
            self.business_minutes[business_minutes] = self.business_minutes.get(business_minutes, 0) + 1


async def read_replies(counted: Counted) -> AsyncIterator[Reply]:
    waiting = _Waiting(await read_rules_then(counted))
    query = rows_of(
        counted,
        inquiries,
        inquiries.c.kind,
        inquiries.c.inquiry_no,
        shown_state().label("state"),
        inquiries.c.order_no,
        inquiries.c.product_name,
        inquiries.c.answered_at,
        case_of_thread().label("case_id"),
        _is_reopened().label("is_reopened"),
        at=inquiries.c.asked_at,
    )
    async for row in stream(counted, query, at=inquiries.c.asked_at, row_id=inquiries.c.id):
        minutes, in_hours = waiting.minutes(row.shop_id, row.at_ms, row.answered_at)
        yield Reply(
            at=time_of(row.at_ms),
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            channel=row.kind,
            inquiry_no=row.inquiry_no,
            state=row.state,
            order_no=row.order_no,
            product_name=row.product_name,
            answered_at=moment(row.answered_at),
            minutes=minutes,
            business_minutes=in_hours,
            is_reopened=bool(row.is_reopened),
        )


async def read_replies_alike(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[AlikeReplies, int]]:
    waiting, buckets = _Waiting(await read_rules_then(counted)), buckets_of(counted, names)
    bucket = literal(0) if buckets is None else buckets.of(inquiries.c.asked_at)
    given = (inquiries.c.kind, inquiries.c.answered_at, bucket.label("bucket"), _is_reopened().label("is_reopened"))
    query = rows_of(counted, inquiries, *given, at=inquiries.c.asked_at)
    found: dict[tuple[Any, ...], AlikeReplies] = {}
    async for rows in pages(counted, query, at=inquiries.c.asked_at, row_id=inquiries.c.id, most=_PAGE):
        for asked, _, shop_id, mall, shop, kind, answered, start, is_reopened in rows:
            minutes, in_hours = waiting.minutes(shop_id, asked, answered)
            key = (shop_id, kind, start, is_reopened, minutes is None, in_hours is None)
            alike = found.get(key)
            if alike is None:
                alike = found[key] = AlikeReplies(
                    at=any_time(counted) if buckets is None else buckets.start(start),
                    mall=mall,
                    shop=shop,
                    channel=kind,
                    is_reopened=bool(is_reopened),
                    minutes=None if minutes is None else {},
                    business_minutes=None if in_hours is None else {},
                )
            alike.add(minutes, in_hours)
    for alike in found.values():
        yield alike, alike.number


class _Waiting:
    """How long customers waited, by the hours that the shop kept when they asked."""

    def __init__(self, rules: RulesThen) -> None:
        self._hours = MadeThen(rules, ShopHours(rules).of)

    def minutes(self, shop_id: int, asked: int, answered: int | None) -> tuple[int | None, int | None]:
        """All from question to answer, and those within hours; ``None`` where nobody answered, or no calendar is."""
        if answered is None:
            return None, None
        hours = self._hours.at(shop_id, asked)
        in_hours = None if hours is None else hours.between(asked, answered) // MINUTE_MS
        return max(answered - asked, 0) // MINUTE_MS, in_hours


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


def _is_answered(fact: Reply) -> bool:
    return fact.minutes is not None


REPLIES: Final = FactReport(
    name="replies",
    row=Reply,
    read=read_replies,
    read_alike=read_replies_alike,
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
