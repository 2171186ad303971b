"""The one list of cases over all shops: keyset pages and counts of what :mod:`hub.desk.worklist.filters` asks for."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.asks.views import ask_marks_of
from hub.desk.cases.twins import copies_of, originals_of
from hub.desk.customers.known import badges_of, marked_of
from hub.desk.customers.views import MarkBadge
from hub.desk.marks import mall_mark
from hub.desk.services import Malls, Services
from hub.desk.views import AskMark, CaseRow, DueView, IncidentMark, TwinView
from hub.desk.worklist.filters import (
    KINDS,
    READER,
    Filters,
    KindGroup,
    View,
    conditions,
    filter_parameters,
    moment_values,
    shape_of,
    unseen_mentions,
)
from hub.desk.worklist.incident_marks import marks_of
from hub.desk.worklist.lock_marks import lock_mark, mark_columns
from hub.store.database import among, from_ms, read_rows
from hub.store.questions import Answer, Asking, Question, asking
from hub.store.tables import case_seen, cases, shops, teams, users
from hub.sync.cases import NEVER

__all__ = [
    "KINDS",
    "PAGE",
    "Filters",
    "KindGroup",
    "View",
    "Worklist",
    "case_row",
    "case_rows",
    "cause_of",
    "count_new",
    "read_case_rows",
    "read_worklist",
    "select_rows",
]

PAGE: Final = 50
_INT64: Final = 2**63
#: queries that are kept, the one used last the longest
_SHAPES: Final = 256
#: a cursor among the rows that are back from being laid aside, which stand before all others
_BACK: Final = "b"


class Worklist(Struct, frozen=True, kw_only=True):
    """One page. ``next_cursor`` continues right after its last row; ``newest`` is the marker for :func:`count_new`."""

    rows: tuple[CaseRow, ...]
    next_cursor: str | None
    newest: int


class AskedPage(Struct, frozen=True, kw_only=True):
    """Rows for :func:`worklist_of`. ``back``: those on top, on a page that begins there."""

    back: Answer[list[Any]] | None
    others: Answer[list[Any]]


async def read_worklist(services: Services, *, actor: Actor, filters: Filters, cursor: str | None = None) -> Worklist:
    """Open cases by their earliest deadline, closed ones newest first; each case on exactly one page.

    What is back from being laid aside stands on top, its deadlines beside it. Raises: ForbiddenError;
    ValueError for a cursor that was not made here.
    """
    async with services.database.reading() as connection:
        async with asking(connection) as ask:
            asked = ask_worklist(ask, services, actor=actor, filters=filters, cursor=cursor)
        return await worklist_of(services, connection, asked)


def ask_worklist(
    ask: Asking, services: Services, *, actor: Actor, filters: Filters, cursor: str | None = None
) -> AskedPage:
    """The first step of :func:`read_worklist`, which raises what it does."""
    require(actor, Permission.WORK_CASES)
    place = _parse_cursor(cursor) if cursor is not None else None

    shape, is_known = shape_of(filters), actor.user_id is not None
    values = moment_values(services.now(), services.settings.zone, user_id=actor.user_id) | filter_parameters(filters)
    if place is not None:
        values |= {"after_due": place[1], "after_id": place[2]}

    back = None
    if _has_top(filters.view) and (place is None or place[0]):
        top = _page(shape, is_known=is_known, is_back=True, is_after=place is not None)
        back = ask(Question(top, values, list))
    # They are nearly always wanted too: those on top are few.
    rest = _page(shape, is_known=is_known, is_after=place is not None and not place[0])
    return AskedPage(back=back, others=ask(Question(rest, values, list)))


async def worklist_of(services: Services, connection: AsyncConnection, asked: AskedPage) -> Worklist:
    """The page, once its rows are there."""
    back, others = asked.back.found if asked.back else [], asked.others.found
    if len(back) > PAGE:
        found = back[:PAGE]
        next_cursor: str | None = _cursor_at(back[PAGE - 1], prefix=_BACK)
    else:
        found = [*back, *others[:PAGE]]
        next_cursor = _cursor_at(others[PAGE - 1]) if len(others) > PAGE else None
    newest = found[0].newest if found else await connection.scalar(select(_NEWEST))
    shown = await case_rows(connection, found, malls=services.registry, now=services.now())
    return Worklist(rows=shown, next_cursor=next_cursor, newest=newest or 0)


def _has_top(view: View) -> bool:
    return view not in {View.CLOSED, View.SNOOZED}


@lru_cache(maxsize=_SHAPES)
def _page(shape: Filters, *, is_known: bool, is_after: bool, is_back: bool = False) -> Select[Any]:
    """The rows of one page and one more. ``is_after`` a place; ``is_back``: of those on top only."""
    reader = READER if is_known else None
    query = select_rows(reader).add_columns(_NEWEST.label("newest")).limit(PAGE + 1)
    query = query.where(*conditions(shape, reader=reader, is_back=is_back))
    query = query.order_by(*(_FEW_FIRST if is_back else _order(shape.view)))
    if _has_top(shape.view) and not is_back:
        query = query.where(or_(cases.c.snoozed_until.is_(None), ~cases.c.is_open))
    return query.where(_after(is_descending=shape.view is View.CLOSED)) if is_after else query


#: of few rows: not through the index of all cases by deadline, which would be read from end to end for them
_FEW_FIRST: Final = (cases.c.due_at + 0, cases.c.id)


def _order(view: View) -> tuple[ColumnElement[Any], ...]:
    if view is View.CLOSED:
        return cases.c.due_at.desc(), cases.c.id.desc()
    if view in {View.SNOOZED, View.MENTIONED, View.TEAM}:
        return _FEW_FIRST
    return cases.c.due_at, cases.c.id


_NEWEST: Final = select(func.max(cases.c.id)).scalar_subquery()


async def read_case_rows(services: Services, *, actor: Actor, case_ids: Sequence[int]) -> tuple[CaseRow, ...]:
    """Single rows as they are now, closed ones too; what is not there is left out."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        query = _SINGLE[actor.user_id is not None]
        found = await read_rows(connection, query, reader=actor.user_id, cases=list(case_ids))
        return await case_rows(connection, found, malls=services.registry, now=services.now())


async def count_new(services: Services, *, actor: Actor, filters: Filters, since: int) -> int:
    """Cases that came into this list after its marker ``since`` (see :class:`Worklist`)."""
    require(actor, Permission.WORK_CASES)
    wanted = conditions(filters, reader=None if actor.user_id is None else READER)
    query = select(func.count()).select_from(_joined()).where(*wanted, cases.c.id > since)
    values = moment_values(services.now(), services.settings.zone, user_id=actor.user_id)
    async with services.database.reading() as connection:
        return await connection.scalar(query, values | filter_parameters(filters)) or 0


def _joined() -> Any:
    return (
        cases.join(shops, shops.c.id == cases.c.shop_id)
        .outerjoin(users, users.c.id == cases.c.assignee_id)
        .outerjoin(teams, teams.c.id == cases.c.team_id)
    )


def select_rows(user_id: int | BindParameter[int] | None = None) -> Select[Any]:
    """All that :func:`case_row` needs, for the list and for single cases; with ``user_id`` what is new to them."""
    columns: tuple[Any, ...] = (
        cases,
        shops.c.name.label("shop"),
        shops.c.mall,
        users.c.name.label("assignee"),
        teams.c.name.label("team"),
        *mark_columns(user_id),
    )
    if user_id is None:
        return select(*columns, false().label("is_new"), false().label("is_mentioned")).select_from(_joined())
    seen = and_(case_seen.c.case_id == cases.c.id, case_seen.c.user_id == user_id)
    is_new = cases.c.updated_at > func.coalesce(case_seen.c.seen_at, 0)
    is_mentioned = cases.c.id.in_(unseen_mentions(user_id))
    return select(*columns, is_new.label("is_new"), is_mentioned.label("is_mentioned")).select_from(
        _joined().outerjoin(case_seen, seen)
    )


#: rows of some cases, by whether the reader is known
_SINGLE: Final = {
    is_known: select_rows(READER if is_known else None).where(among(cases.c.id, "cases")) for is_known in (False, True)
}


def _parse_cursor(cursor: str) -> tuple[bool, int, int]:
    """Whether it stands among those that are back, and after which row."""
    is_back = cursor.startswith(_BACK)
    due_at, _, case_id = cursor.removeprefix(_BACK).partition(".")
    if not (due_at.isascii() and due_at.isdigit() and case_id.isascii() and case_id.isdigit()):
        message = "not a cursor of this list"
        raise ValueError(message)
    if max(int(due_at), int(case_id)) >= _INT64:
        message = "not a cursor of this list"
        raise ValueError(message)
    return is_back, int(due_at), int(case_id)


def _cursor_at(row: Any, *, prefix: str = "") -> str:
    return f"{prefix}{row.due_at}.{row.id}"


def _after(*, is_descending: bool = False) -> ColumnElement[bool]:
    due_at, case_id = bindparam("after_due", type_=BigInteger), bindparam("after_id", type_=BigInteger)
    if is_descending:
        return or_(cases.c.due_at < due_at, and_(cases.c.due_at == due_at, cases.c.id < case_id))
    return or_(cases.c.due_at > due_at, and_(cases.c.due_at == due_at, cases.c.id > case_id))


async def case_rows(
    connection: AsyncConnection, found: Sequence[Any], *, malls: Malls, now: datetime
) -> tuple[CaseRow, ...]:
    """Rows of :func:`select_rows` as views; those of a copied order say where it was placed."""
    keys = {(row.shop_id, row.order_no) for row in found if row.order_no is not None}
    if not found:
        return ()
    ids = [row.id for row in found]
    async with asking(connection) as ask:
        copies, marked = ask(copies_of(keys)), ask(marked_of(ids, now=now))
        incidents_of, asks_of = ask(marks_of(ids)), ask(ask_marks_of(ids))
    originals = await originals_of(connection, copies.found, malls=malls)
    badges = await badges_of(connection, marked.found)
    return tuple(
        case_row(
            row,
            malls=malls,
            now=now,
            original=originals.get((row.shop_id, row.order_no)),
            incident=incidents_of.found.get(row.id),
            ask=asks_of.found.get(row.id),
            badges=badges.get(row.id, ()),
        )
        for row in found
    )


def case_row(
    row: Any,
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
        team_id=row.team_id,
        team=row.team,
        snoozed_until=from_ms(row.snoozed_until) if row.is_open else None,
        is_asleep=_is_asleep(row, now),
        is_new=bool(row.is_new) and row.is_open,
        is_mentioned=bool(row.is_mentioned),
        original=original,
        incident=incident,
        ask=ask,
        lock=lock_mark(row, now),
        has_draft=bool(row.has_draft),
        badges=badges,
    )


def _due(row: Any, now: datetime) -> DueView | None:
    if row.due_at >= NEVER or not row.due_cause:
        return None
    at = _at(row.due_at)
    return DueView(at=at, cause=cause_of(row.due_cause), label_key=row.due_cause, is_overdue=at < now)


def _is_asleep(row: Any, now: datetime) -> bool:
    if row.snoozed_until is None or not row.is_open:
        return False
    return _at(row.snoozed_until) > now and bool(row.updated_at <= row.snoozed_at)


def cause_of(label_key: str) -> str:
    """``due.law.refund`` -> ``law``."""
    return label_key.split(".")[1] if label_key.startswith("due.") else label_key


def _at(milliseconds: int) -> datetime:
    at = from_ms(milliseconds)
    if at is None:
        message = "a time that is never absent is absent"
        raise ValueError(message)
    return at
