"""The one list of cases over all shops: filters, counts and keyset pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import ClaimKind, InquiryKind
from hub.desk.access import Actor, Permission, require
from hub.desk.ask_views import read_ask_marks
from hub.desk.customer_known import read_badges
from hub.desk.customer_views import MarkBadge
from hub.desk.incident_marks import read_marks
from hub.desk.marks import mall_mark
from hub.desk.services import Malls, Services
from hub.desk.twins import read_originals
from hub.desk.views import AskMark, CaseRow, DueView, IncidentMark, TwinView
from hub.store.database import from_ms, to_ms
from hub.store.tables import cases, shops, users
from hub.sync.cases import NEVER

PAGE: Final = 50
_INT64: Final = 2**63


class View(StrEnum):
    """The agent's standing questions; each is one link with its count."""

    MINE = "mine"
    TODAY = "today"
    OVERDUE = "overdue"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    CLOSED = "closed"


class KindGroup(StrEnum):
    """Kinds as agents speak of them; every kind belongs to exactly one group."""

    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    INQUIRY = "inquiry"
    OTHER = "other"


KINDS: Final[Mapping[KindGroup, tuple[str, ...]]] = {
    KindGroup.CANCEL: (ClaimKind.CANCEL, ClaimKind.ADMIN_CANCEL),
    KindGroup.RETURN: (ClaimKind.RETURN,),
    KindGroup.EXCHANGE: (ClaimKind.EXCHANGE,),
    KindGroup.INQUIRY: (InquiryKind.PRODUCT_INQUIRY, InquiryKind.ORDER_INQUIRY, InquiryKind.CHAT),
    KindGroup.OTHER: (ClaimKind.CONFIRM_HOLD, ClaimKind.NON_RECEIPT, ClaimKind.UNKNOWN, "call"),
}
_GROUP_OF: Final = {kind: group for group, kinds in KINDS.items() for kind in kinds}


class Filters(Struct, frozen=True, kw_only=True):
    """What the list shows. Empty means all. ``assignee`` is a user's id; ``state`` a case's state."""

    view: View = View.OPEN
    mall: str | None = None
    shop: str | None = None
    kind: KindGroup | None = None
    state: str | None = None
    assignee: int | None = None


class Worklist(Struct, frozen=True, kw_only=True):
    """One page. ``next_cursor`` continues right after its last row; ``newest`` is the marker for :func:`count_new`."""

    rows: tuple[CaseRow, ...]
    next_cursor: str | None
    newest: int


class Counts(Struct, frozen=True, kw_only=True):
    """How many cases each link of the left pane leads to; open cases unless the name says otherwise."""

    views: dict[View, int]
    kinds: dict[KindGroup, int]
    shops: dict[str, int]
    malls: dict[str, int]


async def read_worklist(services: Services, *, actor: Actor, filters: Filters, cursor: str | None = None) -> Worklist:
    """Open cases by their earliest deadline, closed ones newest first; each case on exactly one page.

    Raises: ForbiddenError; ValueError for a cursor that was not made here.
    """
    require(actor, Permission.WORK_CASES)
    query = select_rows().where(*_conditions(filters, actor, services.now(), services.settings.zone)).limit(PAGE + 1)
    is_closed = filters.view is View.CLOSED
    if cursor is not None:
        due_at, case_id = _parse_cursor(cursor)
        query = query.where(_after(due_at, case_id, is_descending=is_closed))
    order = (cases.c.due_at, cases.c.id)
    query = query.order_by(*(column.desc() for column in order)) if is_closed else query.order_by(*order)
    async with services.database.reading() as connection:
        found = (await connection.execute(query)).all()
        newest = await connection.scalar(select(func.max(cases.c.id))) or 0
        shown = await case_rows(connection, found[:PAGE], malls=services.registry, now=services.now())
    return Worklist(
        rows=shown,
        next_cursor=f"{found[PAGE - 1].due_at}.{found[PAGE - 1].id}" if len(found) > PAGE else None,
        newest=newest,
    )


async def read_rows(services: Services, *, actor: Actor, case_ids: Sequence[int]) -> tuple[CaseRow, ...]:
    """Single rows as they are now, closed ones too; what is not there is left out."""
    require(actor, Permission.WORK_CASES)
    query = select_rows().where(cases.c.id.in_(case_ids))
    async with services.database.reading() as connection:
        found = (await connection.execute(query)).all()
        return await case_rows(connection, found, malls=services.registry, now=services.now())


async def count_cases(services: Services, *, actor: Actor) -> Counts:
    """One statement over the open cases; its rows are few (shops times kinds)."""
    require(actor, Permission.WORK_CASES)
    now = services.now()
    today = to_ms(_end_of_day(now, services.settings.zone))
    query = (
        select(
            shops.c.name,
            shops.c.mall,
            cases.c.kind,
            func.count().label("open"),
            func.sum(case((cases.c.due_at < to_ms(now), 1), else_=0)).label("overdue"),
            func.sum(case((cases.c.due_at < today, 1), else_=0)).label("today"),
            func.sum(case((cases.c.assignee_id.is_(None), 1), else_=0)).label("unassigned"),
            func.sum(case((cases.c.assignee_id == actor.user_id, 1), else_=0)).label("mine"),
        )
        .select_from(cases.join(shops, shops.c.id == cases.c.shop_id))
        .where(cases.c.is_open, shops.c.is_active)
        .group_by(shops.c.name, shops.c.mall, cases.c.kind)
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).mappings().all()
    views: dict[View, int] = {view: sum(row[view.value] for row in rows) for view in View if view is not View.CLOSED}
    kinds = dict.fromkeys(KindGroup, 0)
    by_shop: dict[str, int] = {}
    by_mall: dict[str, int] = {}
    for row in rows:
        kinds[_GROUP_OF.get(row["kind"], KindGroup.OTHER)] += row["open"]
        by_shop[row["name"]] = by_shop.get(row["name"], 0) + row["open"]
        by_mall[row["mall"]] = by_mall.get(row["mall"], 0) + row["open"]
    return Counts(views=views, kinds=kinds, shops=by_shop, malls=by_mall)


async def count_new(services: Services, *, actor: Actor, filters: Filters, since: int) -> int:
    """Cases that came into this list after its marker ``since`` (see :class:`Worklist`)."""
    require(actor, Permission.WORK_CASES)
    query = (
        select(func.count())
        .select_from(_joined())
        .where(*_conditions(filters, actor, services.now(), services.settings.zone), cases.c.id > since)
    )
    async with services.database.reading() as connection:
        return await connection.scalar(query) or 0


def select_rows() -> Select[Any]:
    """All that :func:`case_row` needs, for the list and for single cases."""
    return select(
        cases,
        shops.c.name.label("shop"),
        shops.c.mall,
        users.c.name.label("assignee"),
    ).select_from(_joined())


def _joined() -> Any:
    return cases.join(shops, shops.c.id == cases.c.shop_id).outerjoin(users, users.c.id == cases.c.assignee_id)


def _conditions(filters: Filters, actor: Actor, now: datetime, zone: Any) -> Iterable[ColumnElement[bool]]:
    yield cases.c.is_open.is_(filters.view is not View.CLOSED)
    yield shops.c.is_active
    if filters.view is View.MINE:
        yield cases.c.assignee_id == actor.user_id
    elif filters.view is View.UNASSIGNED:
        yield cases.c.assignee_id.is_(None)
    elif filters.view is View.TODAY:
        yield cases.c.due_at < to_ms(_end_of_day(now, zone))
    elif filters.view is View.OVERDUE:
        yield cases.c.due_at < to_ms(now)
    if filters.mall is not None:
        yield shops.c.mall == filters.mall
    if filters.shop is not None:
        yield shops.c.name == filters.shop
    if filters.kind is not None:
        yield cases.c.kind.in_(KINDS[filters.kind])
    if filters.state is not None:
        yield cases.c.state == filters.state
    if filters.assignee is not None:
        yield cases.c.assignee_id == filters.assignee


def _end_of_day(now: datetime, zone: Any) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)


def _parse_cursor(cursor: str) -> tuple[int, int]:
    due_at, _, case_id = cursor.partition(".")
    if not (due_at.isascii() and due_at.isdigit() and case_id.isascii() and case_id.isdigit()):
        message = "not a cursor of this list"
        raise ValueError(message)
    if max(int(due_at), int(case_id)) >= _INT64:
        message = "not a cursor of this list"
        raise ValueError(message)
    return int(due_at), int(case_id)


def _after(due_at: int, case_id: int, *, is_descending: bool) -> ColumnElement[bool]:
    if is_descending:
        return or_(cases.c.due_at < due_at, and_(cases.c.due_at == due_at, cases.c.id < case_id))
    return or_(cases.c.due_at > due_at, and_(cases.c.due_at == due_at, cases.c.id > case_id))


async def case_rows(
    connection: AsyncConnection, found: Sequence[Row[Any]], *, malls: Malls, now: datetime
) -> tuple[CaseRow, ...]:
    """Rows of :func:`select_rows` as views; those of a copied order say where it was placed."""
    keys = {(row.shop_id, row.order_no) for row in found if row.order_no is not None}
    originals = await read_originals(connection, keys, malls=malls)
    marks = await read_marks(connection, [row.id for row in found])
    asked = await read_ask_marks(connection, [row.id for row in found])
    badges = await read_badges(connection, [row.id for row in found], now=now)
    return tuple(
        case_row(
            row,
            malls=malls,
            now=now,
            original=originals.get((row.shop_id, row.order_no)),
            incident=marks.get(row.id),
            ask=asked.get(row.id),
            badges=badges.get(row.id, ()),
        )
        for row in found
    )


def case_row(
    row: Row[Any],
    *,
    malls: Malls,
    now: datetime,
    original: TwinView | None = None,
    incident: IncidentMark | None = None,
    ask: AskMark | None = None,
    badges: tuple[MarkBadge, ...] = (),
) -> CaseRow:
    return CaseRow(
        case_id=row.id,
        mark=mall_mark(malls, row.mall),
        shop=row.shop,
        kind=row.kind,
        state=row.state,
        is_open=row.is_open,
        opened_at=_at(row.opened_at),
        order_no=row.order_no,
        product_name=row.product_name,
        quantity=row.quantity,
        customer=row.customer_masked,
        excerpt=row.excerpt_masked,
        due=_due(row, now),
        assignee_id=row.assignee_id,
        assignee=row.assignee,
        original=original,
        incident=incident,
        ask=ask,
        badges=badges,
    )


def _due(row: Row[Any], now: datetime) -> DueView | None:
    if row.due_at >= NEVER or not row.due_cause:
        return None
    at = _at(row.due_at)
    return DueView(at=at, cause=cause_of(row.due_cause), label_key=row.due_cause, is_overdue=at < now)


def cause_of(label_key: str) -> str:
    """``due.law.refund`` -> ``law``."""
    return label_key.split(".")[1] if label_key.startswith("due.") else label_key


def _at(milliseconds: int) -> datetime:
    at = from_ms(milliseconds)
    if at is None:
        message = "a time that is never absent is absent"
        raise ValueError(message)
    return at
