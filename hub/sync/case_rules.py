"""The clocks and aims by which the cases of one shop are counted: the policy book's, else the shipped ones."""

from datetime import date, datetime

import structlog
from msgspec import Struct
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.policy.book import decode
from hub.policy.calendar import OwnDays, business_calendar
from hub.policy.due import DEFAULT_TARGETS, NO_OWN_DAYS, MallClock, Targets
from hub.policy.switches import clocks_with, switches_at
from hub.store.books import BookKind
from hub.store.database import Database
from hub.store.shops import ShopRow
from hub.store.tables import rule_books

log = structlog.get_logger(__name__)


class CaseRules(Struct, frozen=True, kw_only=True):
    clocks: tuple[MallClock, ...]
    targets: Targets = DEFAULT_TARGETS
    days: OwnDays = NO_OWN_DAYS


class ShopRules:
    """What holds for one shop on a day; the book is read again only when there is a newer one."""

    def __init__(self, database: Database, *, shop: ShopRow, country: str, shipped: tuple[MallClock, ...]) -> None:
        self._database = database
        self._shop = shop
        self._country = country
        self._calendar = business_calendar(country)
        self._shipped = CaseRules(clocks=shipped)
        self._known: tuple[int, date, CaseRules] | None = None

    async def at(self, connection: AsyncConnection, now: datetime) -> CaseRules:
        """A book that this version of the hub cannot read stops no sync: the log tells, the shipped clocks hold."""
        found = await self._database.fetch(connection, _NEWEST, {"kind": BookKind.POLICY.value})
        if not found:
            return self._shipped
        version, day = found[0][0], self._calendar.day_of(now)
        if self._known is None or self._known[:2] != (version, day):
            self._known = version, day, await self._read(connection, version, day)
        return self._known[2]

    async def _read(self, connection: AsyncConnection, version: int, day: date) -> CaseRules:
        body = await connection.scalar(_BODY, {"kind": BookKind.POLICY.value, "version": version})
        try:
            tables = decode((body or "").encode())
        except ConfigurationError:
            log.exception("sync.policy.unreadable", shop=self._shop.name, version=version)
            return self._shipped
        switches = switches_at(tables, shop=self._shop.name, mall=self._shop.mall, on=day)
        clocks = clocks_with(switches, self._shipped.clocks, mall=self._shop.mall)
        return CaseRules(clocks=clocks, targets=switches.targets, days=switches.own_days(self._country))


_OF_KIND = rule_books.c.kind == bindparam("kind")
_NEWEST = select(rule_books.c.version).where(_OF_KIND).order_by(rule_books.c.version.desc()).limit(1)
_BODY = select(rule_books.c.body).where(_OF_KIND, rule_books.c.version == bindparam("version"))
