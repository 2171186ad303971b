"""Incidents: the same product with the same reason, far more often than usual, over all malls.

A claim counts once per case, so one customer who returns five pieces raises nothing; a copy of an order
that came through another mall does not count beside the original. Products are the same by the seller's
own SKU, else by the product code within one shop: codes of two malls say nothing about each other.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import ClaimReason
from hub.desk.access import Actor, Permission, require
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.views import CaseRow, MallMark
from hub.desk.worklist.rows import case_rows, select_rows
from hub.settings import Settings
from hub.store.belonging import case_of_claim, order_of_claim
from hub.store.database import Database, from_ms, to_ms
from hub.store.ids import new_id
from hub.store.tables import cases, claims, incident_cases, incidents, inquiries, lines, order_twins, orders, shops

#: what is usual is measured over so long before the window
USUAL_OVER: Final = timedelta(days=28)
PAGE: Final = 100
_NO_REASON: Final = (ClaimReason.UNKNOWN.value, ClaimReason.OTHER.value)
#: shorter ones are placeholders ("-", "0")
_SHORTEST_SKU: Final = 2


class Rule(Struct, frozen=True, kw_only=True):
    """``least`` cases within ``hours``, and at least ``ratio`` times what is usual in that time."""

    least: int = 5
    hours: int = 24
    ratio: float = 3.0


class Evaluated(Struct, frozen=True, kw_only=True):
    raised: int
    closed: int


class IncidentView(Struct, frozen=True, kw_only=True):
    """``reason`` is a message key, or what the mall calls it. ``usual``: cases in the time of one window."""

    incident_id: int
    product_name: str | None
    reason: str
    count: int
    open_cases: int
    usual: float
    first_at: datetime | None
    last_at: datetime | None
    closed_at: datetime | None
    marks: tuple[MallMark, ...] = ()
    cases: tuple[CaseRow, ...] = ()


_OPEN: Final = select(incidents.c.key).where(incidents.c.closed_at.is_(None))


class Watched(Protocol):
    """What is needed of a running hub to look for incidents."""

    @property
    def settings(self) -> Settings: ...

    @property
    def database(self) -> Database: ...

    @property
    def now(self) -> Callable[[], datetime]: ...


async def evaluate_incidents(hub: Watched) -> Evaluated:
    """:func:`evaluate` by the rule of the settings; whatever brought new records ends with it."""
    settings = hub.settings
    rule = Rule(least=settings.incident_least, hours=settings.incident_hours, ratio=settings.incident_ratio)
    return await evaluate(hub.database, rule=rule, now=hub.now())


async def evaluate(database: Database, *, rule: Rule, now: datetime) -> Evaluated:
    """Raise what has become one, add newer cases to what is open, close what is quiet. Twice is as once."""
    since = now - timedelta(hours=rule.hours)
    window = _events(since=since, until=now)
    query = (
        select(
            window.c.key,
            func.min(window.c.reason).label("reason"),
            func.max(window.c.product_name).label("product_name"),
            func.min(window.c.at).label("first_at"),
            func.max(window.c.at).label("last_at"),
            func.count(func.distinct(window.c.case_id)).label("many"),
        )
        .group_by(window.c.key)
        .having(func.count(func.distinct(window.c.case_id)) >= rule.least)
    )
    async with database.reading() as connection:
        # Most days there is none: nobody is kept from writing while it is looked for.
        is_quiet = not await connection.scalar(_OPEN.exists().select())
        if is_quiet and (await connection.execute(query.limit(1))).first() is None:
            return Evaluated(raised=0, closed=0)
    async with database.writing() as connection:
        standing = set(await connection.scalars(_OPEN))
        new = [row for row in (await connection.execute(query)).all() if row.key not in standing]
        usual = await _usual(connection, [row.key for row in new], rule=rule, until=since)
        raised = [row for row in new if row.many >= rule.ratio * usual.get(row.key, 0.0)]
        if raised:
            await connection.execute(insert(incidents), [_row(row, usual, now) for row in raised])
        await _grow(connection, window)
        closed = await connection.execute(
            update(incidents)
            .where(incidents.c.closed_at.is_(None), incidents.c.last_at <= to_ms(since))
            .values(closed_at=to_ms(now))
        )
    return Evaluated(raised=len(raised), closed=closed.rowcount)


def _row(row: Row[Any], usual: Mapping[str, float], now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "key": row.key,
        "reason": row.reason,
        "product_name": row.product_name,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "count": row.many,
        "usual": usual.get(row.key, 0.0),
        "raised_at": to_ms(now),
        "closed_at": None,
    }


async def _usual(connection: AsyncConnection, keys: Sequence[str], *, rule: Rule, until: datetime) -> dict[str, float]:
    """Cases per window before ``until``, of these keys; only asked for what is about to be raised."""
    if not keys:
        return {}
    before = _events(since=until - USUAL_OVER, until=until)
    query = (
        select(before.c.key, func.count(func.distinct(before.c.case_id)).label("many"))
        .where(before.c.key.in_(keys))
        .group_by(before.c.key)
    )
    windows = USUAL_OVER / timedelta(hours=rule.hours)
    return {row.key: row.many / windows for row in await connection.execute(query)}


async def _grow(connection: AsyncConnection, window: Subquery) -> None:
    """Cases of the window join the open incident of their key, once each."""
    is_linked = (
        select(literal(1))
        .where(incident_cases.c.incident_id == incidents.c.id, incident_cases.c.case_id == window.c.case_id)
        .exists()
    )
    fresh = (
        select(incidents.c.id, window.c.case_id)
        .join_from(incidents, window, window.c.key == incidents.c.key)
        .where(incidents.c.closed_at.is_(None), ~is_linked)
        .distinct()
    )
    await connection.execute(insert(incident_cases).from_select(["incident_id", "case_id"], fresh))
    last_at = select(func.max(window.c.at)).where(window.c.key == incidents.c.key).scalar_subquery()
    count = (
        select(func.count())
        .select_from(incident_cases)
        .where(incident_cases.c.incident_id == incidents.c.id)
        .scalar_subquery()
    )
    newest = case((last_at > incidents.c.last_at, last_at), else_=incidents.c.last_at)
    await connection.execute(
        update(incidents).where(incidents.c.closed_at.is_(None)).values(last_at=newest, count=count)
    )


def _events(*, since: datetime, until: datetime) -> Subquery:
    """One row per claim and inquiry of the half-open stretch (since, until]: key, reason, at, case_id, product_name."""
    return union_all(_claims(since, until), _inquiries(since, until)).subquery()


def _claims(since: datetime, until: datetime) -> Select[Any]:
    sku = func.lower(func.trim(func.coalesce(lines.c.seller_sku, "")))
    product = _product(sku, claims.c.shop_id, lines.c.product_code)
    reason = literal("reason.") + claims.c.reason
    return (
        select(
            (product + literal(" ") + reason).label("key"),
            reason.label("reason"),
            claims.c.requested_at.label("at"),
            cases.c.id.label("case_id"),
            lines.c.product_name,
        )
        .join_from(claims, lines, and_(lines.c.shop_id == claims.c.shop_id, lines.c.line_no == claims.c.line_no))
        .join(orders, and_(orders.c.id == lines.c.order_id, order_of_claim()))
        .join(cases, case_of_claim())
        .outerjoin(order_twins, order_twins.c.order_id == orders.c.id)
        .where(
            claims.c.requested_at > to_ms(since),
            claims.c.requested_at <= to_ms(until),
            claims.c.reason.not_in(_NO_REASON),
            order_twins.c.order_id.is_(None),
            _is_named(sku, lines.c.product_code),
        )
    )


def _inquiries(since: datetime, until: datetime) -> Select[Any]:
    """The mall tells no SKU with a question: it is that of the product's lines, where they have one only."""
    skus = _only_skus(since, until)
    sku = func.coalesce(skus.c.sku, "")
    category = func.nullif(func.trim(func.coalesce(inquiries.c.category, "")), "")
    reason = func.coalesce(literal("text:") + category, literal("kind.") + inquiries.c.kind)
    product = _product(sku, inquiries.c.shop_id, inquiries.c.product_code)
    return (
        select(
            (product + literal(" ") + reason).label("key"),
            reason.label("reason"),
            inquiries.c.asked_at.label("at"),
            cases.c.id.label("case_id"),
            inquiries.c.product_name,
        )
        .join_from(
            inquiries,
            cases,
            and_(
                cases.c.shop_id == inquiries.c.shop_id, cases.c.case_key == literal("inquiry:") + inquiries.c.thread_no
            ),
        )
        .outerjoin(skus, and_(skus.c.shop_id == inquiries.c.shop_id, skus.c.product_code == inquiries.c.product_code))
        .where(
            inquiries.c.asked_at > to_ms(since),
            inquiries.c.asked_at <= to_ms(until),
            inquiries.c.product_code != "",
        )
    )


def _only_skus(since: datetime, until: datetime) -> Subquery:
    """The one SKU of each product asked about: looked up once a product, for a product has very many lines."""
    asked = (
        select(inquiries.c.shop_id, inquiries.c.product_code)
        .where(
            inquiries.c.asked_at > to_ms(since),
            inquiries.c.asked_at <= to_ms(until),
            inquiries.c.product_code != "",
        )
        .distinct()
        .subquery()
    )
    given = func.nullif(func.lower(func.trim(lines.c.seller_sku)), "")
    only = case((func.count(func.distinct(given)) == 1, func.min(given)))
    of_product = and_(lines.c.shop_id == asked.c.shop_id, lines.c.product_code == asked.c.product_code)
    return (
        select(asked.c.shop_id, asked.c.product_code, only.label("sku"))
        .join_from(asked, lines, of_product)
        .group_by(asked.c.shop_id, asked.c.product_code)
        .subquery()
    )


def _product(sku: ColumnElement[str], shop_id: ColumnElement[int], code: ColumnElement[str]) -> ColumnElement[str]:
    by_code = literal("code:") + cast(shop_id, String) + literal(":") + func.coalesce(code, "")
    return case((func.length(sku) >= _SHORTEST_SKU, literal("sku:") + sku), else_=by_code)


def _is_named(sku: ColumnElement[str], code: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(func.length(sku) >= _SHORTEST_SKU, func.coalesce(code, "") != "")


async def read_incidents(services: Services, *, actor: Actor) -> tuple[IncidentView, ...]:
    """The open ones, the largest first; then the newest of those that are over. Raises: ForbiddenError."""
    require(actor, Permission.SEE_STATISTICS)
    query = (
        select(incidents, incidents.c.count.label("many"))
        .order_by(incidents.c.closed_at.is_not(None), incidents.c.closed_at.desc(), incidents.c.count.desc())
        .limit(PAGE)
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
        malls = await _malls(connection, [row.id for row in rows])
        open_cases = await _open_cases(connection, [row.id for row in rows])
    return tuple(
        _view(
            row,
            open_cases=open_cases.get(row.id, 0),
            marks=tuple(mall_mark(services.registry, mall) for mall in malls.get(row.id, ())),
        )
        for row in rows
    )


async def read_incident(services: Services, *, actor: Actor, incident_id: int) -> IncidentView | None:
    """One incident with its cases, the newest first (at most 200). Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        row = (await connection.execute(_one(incident_id))).first()
        if row is None:
            return None
        found = await connection.execute(
            select_rows()
            .join(incident_cases, incident_cases.c.case_id == cases.c.id)
            .where(incident_cases.c.incident_id == incident_id, shops.c.is_active)
            .order_by(cases.c.opened_at.desc(), cases.c.id.desc())
            .limit(2 * PAGE)
        )
        shown = await case_rows(connection, found.all(), malls=services.registry, now=services.now())
    marks = {each.mark.mall: each.mark for each in shown}
    is_open = sum(each.is_open for each in shown)
    return _view(row, open_cases=is_open, marks=tuple(marks[mall] for mall in sorted(marks)), shown=shown)


def _one(incident_id: int) -> Select[Any]:
    return select(incidents, incidents.c.count.label("many")).where(incidents.c.id == incident_id)


def _view(
    row: Row[Any], *, open_cases: int, marks: tuple[MallMark, ...], shown: tuple[CaseRow, ...] = ()
) -> IncidentView:
    return IncidentView(
        incident_id=row.id,
        product_name=row.product_name,
        reason=row.reason,
        count=row.many,
        open_cases=open_cases,
        usual=row.usual,
        first_at=from_ms(row.first_at),
        last_at=from_ms(row.last_at),
        closed_at=from_ms(row.closed_at),
        marks=marks,
        cases=shown,
    )


async def _malls(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, list[str]]:
    query = (
        select(incident_cases.c.incident_id, shops.c.mall)
        .join_from(incident_cases, cases, cases.c.id == incident_cases.c.case_id)
        .join(shops, shops.c.id == cases.c.shop_id)
        .where(incident_cases.c.incident_id.in_(ids))
        .distinct()
        .order_by(shops.c.mall)
    )
    found: dict[int, list[str]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.incident_id, []).append(row.mall)
    return found


async def _open_cases(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, int]:
    query = (
        select(incident_cases.c.incident_id, func.count().label("many"))
        .join_from(incident_cases, cases, cases.c.id == incident_cases.c.case_id)
        .where(incident_cases.c.incident_id.in_(ids), cases.c.is_open)
        .group_by(incident_cases.c.incident_id)
    )
    return {row.incident_id: row.many for row in await connection.execute(query)}
