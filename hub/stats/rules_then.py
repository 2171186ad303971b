"""The clocks, aims and days of rest of each shop as they were at a moment: the policy book that stood then.

Every version of the book is kept, and its rows say from when to when they hold. So a question is measured by the
version that was in force when it was asked, and by that version's rows for its day; what was asked before the first
version by the first. Without a book, and where a version cannot be read, the shipped clocks hold.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, Generic, TypeVar

import structlog
from sqlalchemy import select

from hub.core.errors import ConfigurationError
from hub.policy.book import PolicyTables, decode
from hub.policy.calendar import ZONES, business_calendar
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.policy.switches import clocks_with, switches_at
from hub.stats.facts import Counted
from hub.store.books import BookKind
from hub.store.database import time_of, to_ms
from hub.store.shops import ShopRow
from hub.store.tables import rule_books, shops
from hub.sync.case_rules import CaseRules

log = structlog.get_logger(__name__)
T = TypeVar("T")
_DAY: Final = timedelta(days=1)


class RulesThen:
    """``shops``: with the country of their calendar. ``books``: since when, and ``None`` for one that is unreadable."""

    def __init__(
        self,
        shops: Mapping[int, tuple[ShopRow, str]],
        books: list[tuple[datetime, PolicyTables | None]],
        *,
        shipped: tuple[MallClock, ...],
    ) -> None:
        self.shops: Final = shops
        self._begun = [since for since, _ in books]
        self._books = [tables for _, tables in books]
        self._shipped = CaseRules(clocks=shipped)
        self._known: dict[tuple[int, int, date], CaseRules] = {}

    def day_offset(self, at: datetime) -> int | None:
        """By how many milliseconds days begin before those of UTC, where clocks look at nothing but the day.

        ``None`` where one is of hours, or countries have different days.
        """
        offsets = {at.astimezone(zone).utcoffset() for zone in ZONES.values()}
        offset = offsets.pop()
        return None if offset is None or offsets or self.counts_hours else offset // timedelta(milliseconds=1)

    @property
    def counts_hours(self) -> bool:
        """Whether any clock that ever stood is one of hours: such a clock cares for more than the day."""
        return any(hours is not None for _, hours in self._lengths())

    @property
    def longest_days(self) -> int:
        """More calendar days than any clock that ever stood can take, rest and feasts included."""
        return max((2 * (days or (hours or 0) // 24 + 1) for days, hours in self._lengths()), default=0) + 30

    def _lengths(self) -> list[tuple[int | None, int | None]]:
        """Business days or hours of each."""
        own = [(row.business_days, row.hours) for tables in self._books if tables for row in tables.clocks]
        return own + [(clock.business_days, clock.hours) for clock in self._shipped.clocks]

    def at(self, shop_id: int, moment: datetime) -> CaseRules | None:
        """``None`` for a shop whose mall has no calendar."""
        found = self.shops.get(shop_id)
        if found is None:
            return None
        if not self._books:
            return self._shipped
        shop, country = found
        place = max(bisect_right(self._begun, moment) - 1, 0)
        key = (shop_id, place, business_calendar(country).day_of(moment))
        rules = self._known.get(key)
        if rules is None:
            rules = self._known[key] = self._rules(shop, country, self._books[place], key[2])
        return rules

    def on(self, shop_id: int, day: date) -> CaseRules | None:
        """As they were when ``day`` began in the shop's country: for what is counted by whole days."""
        found = self.shops.get(shop_id)
        return self.at(shop_id, datetime.combine(day, time(), ZONES[found[1]])) if found else None

    def stretch(self, shop_id: int, moment: datetime) -> tuple[int, int]:
        """From when to when, in milliseconds, the rules of a moment surely hold: a day, less on one of a new book."""
        calendar, place = business_calendar(self.shops[shop_id][1]), bisect_right(self._begun, moment)
        day = calendar.day_of(moment)
        first, last = (datetime.combine(each, time(), calendar.zone) for each in (day, day + _DAY))
        since = max([first, *self._begun[max(place - 1, 0) : place]])
        return to_ms(since) or 0, to_ms(min([last, *self._begun[place : place + 1]])) or 0

    def _rules(self, shop: ShopRow, country: str, tables: PolicyTables | None, day: date) -> CaseRules:
        if tables is None:
            return self._shipped
        switches = switches_at(tables, shop=shop.name, mall=shop.mall, on=day)
        clocks = clocks_with(switches, self._shipped.clocks, mall=shop.mall)
        return CaseRules(clocks=clocks, targets=switches.targets, days=switches.own_days(country))


class MadeThen(Generic[T]):
    """What ``make`` makes of a shop's rules at a moment, kept while they hold: for moments in their order."""

    def __init__(self, rules: RulesThen, make: Callable[[int, CaseRules], T]) -> None:
        self._rules = rules
        self._make = make
        self._held: dict[int, tuple[int, int, T]] = {}

    def at(self, shop_id: int, at: int) -> T | None:
        """``at`` in milliseconds. ``None`` for a shop whose mall has no calendar."""
        held = self._held.get(shop_id)
        if held is None or not held[0] <= at < held[1]:
            moment = time_of(at)
            rules = self._rules.at(shop_id, moment)
            if rules is None:
                return None
            held = self._held[shop_id] = (*self._rules.stretch(shop_id, moment), self._make(shop_id, rules))
        return held[2]


async def read_rules_then(counted: Counted) -> RulesThen:
    query = select(rule_books.c.version, rule_books.c.created_at, rule_books.c.body)
    query = query.where(rule_books.c.kind == BookKind.POLICY.value).order_by(rule_books.c.version)
    async with counted.database.reading() as connection:
        rows = (await connection.execute(query)).all()
        # Those that are no longer worked as well: their past is counted too.
        known = (await connection.execute(select(shops.c.id, shops.c.name, shops.c.mall))).all()
    of_shop = {
        row.id: (ShopRow(id=row.id, name=row.name, mall=row.mall, base_url=None), counted.countries[row.mall])
        for row in known
        if row.mall in counted.countries
    }
    books = [(time_of(row.created_at), _tables(row.version, row.body)) for row in rows]
    return RulesThen(of_shop, books, shipped=standard_clocks())


def _tables(version: int, body: str) -> PolicyTables | None:
    try:
        return decode(body.encode())
    except ConfigurationError:
        log.warning("stats.policy.unreadable", version=version)
        return None
