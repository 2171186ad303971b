"""Promises over all cases: mine, due today, the team's, the broken ones; how many were kept; what comes due now."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, case, func, or_, select

from hub.desk.access import Actor, Permission, require
from hub.desk.care.promise_keeping import settle
from hub.desk.care.promise_views import promise_view, select_promises
from hub.desk.care.views import BROKEN, KEPT, OPEN, PromiseView
from hub.desk.marks import mall_mark
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.views import MallMark
from hub.store.database import to_ms
from hub.store.tables import cases, promises, shops, users

LIMIT: Final = 200
#: how far the list of broken ones and the share of kept ones look back
LOOK_BACK: Final = timedelta(days=7)


class PromiseFilter(StrEnum):
    """``MINE`` and ``TEAM``: open ones; ``TODAY``: the team's due by midnight; ``BROKEN``: of the last seven days."""

    MINE = "mine"
    TODAY = "today"
    TEAM = "team"
    BROKEN = "broken"


class PromiseRow(Struct, frozen=True, kw_only=True):
    """One promise with its case; ``zone`` is that of the shop."""

    promise: PromiseView
    mark: MallMark
    shop: str
    zone: str
    kind: str
    order_no: str | None
    product_name: str | None
    customer: str | None


class PromiseCounts(Struct, frozen=True, kw_only=True):
    """``unowned``: open ones of people who left. ``kept`` and ``broken`` were due in the last seven days;
    ``unexplained`` of the broken ones nobody has said why.
    """

    mine: int
    today: int
    team: int
    unowned: int
    kept: int
    broken: int
    unexplained: int

    @property
    def kept_percent(self) -> int | None:
        """Of what was due, rounded down; broken ones never drop out."""
        due = self.kept + self.broken
        return self.kept * 100 // due if due else None


class PromiseList(Struct, frozen=True, kw_only=True):
    """At most 200 ``rows``; ``has_more`` says that there are others."""

    rows: tuple[PromiseRow, ...]
    counts: PromiseCounts
    has_more: bool


async def list_promises(services: Services, *, actor: Actor, view: PromiseFilter) -> PromiseList:
    """By the time they are due; broken ones newest first. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    await settle(services)
    now = services.now()
    order = (promises.c.due_at.desc(), promises.c.id.desc()) if view is PromiseFilter.BROKEN else _EARLIEST
    rows = await _rows(services, _which(view, actor, now, services.settings.zone), order=order)
    return PromiseList(
        rows=rows[:LIMIT], counts=await count_promises(services, actor=actor), has_more=len(rows) > LIMIT
    )


_EARLIEST: Final = (promises.c.due_at, promises.c.id)


async def _rows(services: Services, which: ColumnElement[bool], *, order: Sequence[Any]) -> tuple[PromiseRow, ...]:
    about = (
        cases.c.kind,
        cases.c.order_no,
        cases.c.product_name,
        cases.c.customer_masked,
        shops.c.name.label("shop"),
        shops.c.mall,
    )
    query = (
        select_promises()
        .add_columns(*about)
        .join(cases, cases.c.id == promises.c.case_id)
        .join(shops, shops.c.id == cases.c.shop_id)
        .where(shops.c.is_active, which)
        .order_by(*order)
        .limit(LIMIT + 1)
    )
    async with services.database.reading() as connection:
        found = (await connection.execute(query)).all()
    curtain, now = Curtain(is_open=False), services.now()
    return tuple(
        PromiseRow(
            promise=promise_view(row, box=services.database.box, curtain=curtain, now=now),
            mark=mall_mark(services.registry, row.mall),
            shop=row.shop,
            zone=zone_of(services, row.mall),
            kind=row.kind,
            order_no=row.order_no,
            product_name=row.product_name,
            customer=row.customer_masked,
        )
        for row in found
    )


def zone_of(services: Services, mall: str) -> str:
    """The mall's time zone; that of the centre for a mall that is not installed any more."""
    manifest = services.registry.manifests.get(mall)
    return manifest.timezone if manifest else services.settings.zone.key


def _which(view: PromiseFilter, actor: Actor, now: datetime, zone: ZoneInfo) -> ColumnElement[bool]:
    if view is PromiseFilter.BROKEN:
        return and_(promises.c.state == BROKEN, promises.c.due_at >= to_ms(now - LOOK_BACK))
    is_open = promises.c.state == OPEN
    if view is PromiseFilter.MINE:
        return and_(is_open, promises.c.owner_id == actor.user_id)
    if view is PromiseFilter.TODAY:
        return and_(is_open, promises.c.due_at < to_ms(_midnight(now, zone)))
    return is_open


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The end of today."""
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone).astimezone(UTC)


async def count_promises(services: Services, *, actor: Actor) -> PromiseCounts:
    """Every figure of the list's page, by one statement. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    now, zone = services.now(), services.settings.zone
    since, today = to_ms(now - LOOK_BACK), to_ms(_midnight(now, zone))
    is_open, is_past = promises.c.state == OPEN, promises.c.due_at >= since

    def count(name: str, which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((which, 1), else_=0)), 0).label(name)

    query = (
        select(
            count("mine", and_(is_open, promises.c.owner_id == actor.user_id)),
            count("today", and_(is_open, promises.c.due_at < today)),
            count("team", is_open),
            count("unowned", and_(is_open, users.c.id.is_(None))),
            count("kept", and_(promises.c.state == KEPT, is_past)),
            count("broken", and_(promises.c.state == BROKEN, is_past)),
            count("unexplained", and_(promises.c.state == BROKEN, is_past, promises.c.broken_reason.is_(None))),
        )
        .select_from(
            promises.join(cases, cases.c.id == promises.c.case_id)
            .join(shops, shops.c.id == cases.c.shop_id)
            .outerjoin(users, and_(users.c.id == promises.c.owner_id, users.c.is_active))
        )
        .where(shops.c.is_active, or_(is_open, is_past))
    )
    async with services.database.reading() as connection:
        row = (await connection.execute(query)).one()
    return PromiseCounts(**{name: int(value) for name, value in row._mapping.items()})  # noqa: SLF001


class DueNow(Struct, frozen=True, kw_only=True):
    """What stands over every page of an agent: own promises due soon, the earliest first, and those broken today
    of which nobody has said why.
    """

    soon: tuple[PromiseRow, ...]
    broken: int


async def read_due_now(services: Services, *, actor: Actor) -> DueNow:
    """Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    await settle(services)
    now = services.now()
    until = to_ms(now + timedelta(minutes=services.settings.promise_remind_minutes))
    mine = promises.c.owner_id == actor.user_id
    soon = await _rows(services, and_(promises.c.state == OPEN, mine, promises.c.due_at <= until), order=_EARLIEST)
    query = (
        select(func.count())
        .select_from(promises)
        .where(
            promises.c.state == BROKEN,
            mine,
            promises.c.broken_reason.is_(None),
            promises.c.due_at >= to_ms(now - LOOK_BACK),
        )
    )
    async with services.database.reading() as connection:
        return DueNow(soon=soon, broken=await connection.scalar(query) or 0)
