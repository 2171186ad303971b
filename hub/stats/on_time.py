"""Whether written inquiries were answered in time, by each clock that was in force when they were asked.

All clocks of malls and laws but those of hours end with a day, so that all questions of a day share them; the house's
own aims count minutes of opening time from each question on.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Select, or_

from hub.policy.due import CaseFacts, CaseKind, Due, DueCause, due_dates
from hub.stats.alike import any_time
from hub.stats.asked import ShopHours, case_of_thread
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, pages, rows_of, stream
from hub.stats.rules_then import MadeThen, RulesThen, read_rules_then
from hub.stats.sold import buckets_of
from hub.stats.worktime import OpenTime
from hub.store.database import time_of, to_ms
from hub.store.tables import inquiries
from hub.sync.case_rules import CaseRules

#: no clock of an inquiry runs longer than this, days of rest included
_LONGEST_DUE: Final = timedelta(days=40)
_PAGE: Final = 5_000


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


async def read_on_time(counted: Counted) -> AsyncIterator[OnTime]:
    """By the clocks that were in force when it was asked; a shop whose mall has no calendar has none."""
    clocks, now = _Clocks(counted, await read_rules_then(counted)), to_ms(counted.now) or 0
    query = _inquiries(counted, inquiries.c.inquiry_no, case_of_thread().label("case_id"))
    async for row in stream(_reaching(counted), query, at=inquiries.c.asked_at, row_id=inquiries.c.id):
        for clock, due in clocks.dues(row.shop_id, row.kind, row.at_ms):
            yield OnTime(
                at=time_of(due),
                mall=row.mall,
                shop=row.shop,
                case_id=row.case_id,
                channel=row.kind,
                inquiry_no=row.inquiry_no,
                cause=clock.cause,
                rule=clock.rule,
                asked_at=time_of(row.at_ms),
                due_at=time_of(due),
                answered_at=moment(row.answered_at),
                is_on_time=row.answered_at is not None and row.answered_at <= due,
                is_over=row.answered_at is not None or due <= now,
            )


async def read_on_time_alike(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[OnTime, int]]:
    clocks, now = _Clocks(counted, await read_rules_then(counted)), to_ms(counted.now) or 0
    buckets = buckets_of(counted, names)
    found: Counter[tuple[Any, ...]] = Counter()
    query = _inquiries(counted)
    async for rows in pages(_reaching(counted), query, at=inquiries.c.asked_at, row_id=inquiries.c.id, most=_PAGE):
        for asked, _, shop_id, mall, shop, kind, answered in rows:
            for clock, due in clocks.dues(shop_id, kind, asked):
                is_on_time = answered is not None and answered <= due
                is_over = answered is not None or due <= now
                start = None if buckets is None else buckets.of(due)
                found[mall, shop, kind, clock.cause, clock.rule, start, is_on_time, is_over] += 1
    for (mall, shop, kind, cause, rule, start, is_on_time, is_over), number in found.items():
        at = any_time(counted) if buckets is None else buckets.start(start)
        fact = OnTime(
            at=at,
            mall=mall,
            shop=shop,
            channel=kind,
            inquiry_no="",
            cause=cause,
            rule=rule,
            asked_at=at,
            due_at=at,
            answered_at=None,
            is_on_time=is_on_time,
            is_over=is_over,
        )
        yield fact, number


def _inquiries(counted: Counted, *columns: Any) -> Select[Any]:
    """Without those that the mall has no more and nobody answered: there is nobody to be in time for."""
    given = (inquiries.c.kind, inquiries.c.answered_at, *columns)
    is_owed = or_(inquiries.c.vanished_at.is_(None), inquiries.c.answered_at.is_not(None))
    return rows_of(counted, inquiries, *given, at=inquiries.c.asked_at).where(is_owed)


def _reaching(counted: Counted) -> Counted:
    """The questions whose clocks may run out within the span."""
    return replace(counted, since=counted.since and counted.since - _LONGEST_DUE)


class _Clock(Struct, frozen=True, kw_only=True):
    """``ends``: for all questions of its day; else ``opening_ms`` after each, in opening time."""

    cause: str
    rule: str
    ends: int | None
    opening_ms: int = 0


class _Then(Struct, frozen=True, kw_only=True):
    """What holds for the questions of a shop on one day; the clocks by kind, as they are asked for."""

    rules: CaseRules
    hours: OpenTime
    clocks: dict[str, list[_Clock]]


class _Clocks:
    """When the clocks of inquiries run out, within the span that is counted."""

    def __init__(self, counted: Counted, rules: RulesThen) -> None:
        self._rules = rules
        self._since, self._until = to_ms(counted.since), to_ms(counted.until)
        self._is_daily = rules.day_offset(counted.now) is not None
        hours = ShopHours(rules)
        self._then = MadeThen(rules, lambda shop_id, then: _Then(rules=then, hours=hours.of(shop_id, then), clocks={}))

    def dues(self, shop_id: int, kind: str, asked: int) -> list[tuple[_Clock, int]]:
        then = self._then.at(shop_id, asked)
        if then is None:
            return []
        clocks = then.clocks.get(kind)
        if clocks is None:
            clocks = self._clocks(shop_id, kind, asked, then)
            if self._is_daily:
                then.clocks[kind] = clocks
        found = []
        for clock in clocks:
            due = clock.ends if clock.ends is not None else then.hours.after(asked, clock.opening_ms)
            if (self._since is None or due >= self._since) and (self._until is None or due < self._until):
                found.append((clock, due))
        return found

    def _clocks(self, shop_id: int, kind: str, asked: int, then: _Then) -> list[_Clock]:
        clocks = []
        for due in self._reckoned(shop_id, kind, time_of(asked), then.rules):
            ends = to_ms(due.at) or 0
            is_aim = due.cause is DueCause.TARGET
            clocks.append(
                _Clock(
                    cause=due.cause.value,
                    rule=due.source,
                    ends=None if is_aim else ends,
                    opening_ms=then.hours.between(asked, ends) if is_aim else 0,
                )
            )
        return clocks

    def _reckoned(self, shop_id: int, kind: str, asked: datetime, rules: CaseRules) -> tuple[Due, ...]:
        shop, country = self._rules.shops[shop_id]
        facts = CaseFacts(kind=CaseKind(kind), mall=shop.mall, shop=shop.name, country=country, opened_at=asked)
        return due_dates(facts, clocks=rules.clocks, targets=rules.targets, days=rules.days)


ON_TIME: Final = FactReport(
    name="on-time",
    row=OnTime,
    read=read_on_time,
    read_alike=read_on_time_alike,
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
