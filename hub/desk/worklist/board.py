"""The supervisor's board: who works on what, what waits where, what is oldest and what is at risk."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Row, and_, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.presence import GONE
from hub.desk.services import Services
from hub.desk.views import CaseRow
from hub.desk.worklist.filters import RISK, View, is_asleep, is_awake, is_laid_aside
from hub.desk.worklist.rows import case_rows, select_rows
from hub.desk.worklist.teams import Team, teams_of
from hub.store.database import from_ms, time_of, to_ms
from hub.store.tables import case_locks, cases, presence, shops, users

#: rows of each list beside the figures
ROWS: Final = 8
_FIGURES: Final = (View.OPEN, View.OVERDUE, View.RISK, View.UNASSIGNED, View.SNOOZED)


class Figures(Struct, frozen=True, kw_only=True):
    """Counts of open cases by the view that shows them; ``oldest_id`` was opened first, at ``oldest_at``."""

    counts: Mapping[View, int]
    oldest_id: int | None = None
    oldest_at: datetime | None = None


class Desk(Struct, frozen=True, kw_only=True):
    """One person. ``now_on`` are the cases that they have open to work on; ``teams`` the names of theirs."""

    user_id: int
    name: str
    is_there: bool
    is_away: bool
    seen_at: datetime | None
    figures: Figures
    teams: tuple[str, ...] = ()
    now_on: tuple[CaseRow, ...] = ()


class Queue(Struct, frozen=True, kw_only=True):
    team: Team
    figures: Figures


class Board(Struct, frozen=True, kw_only=True):
    """``oldest`` and ``risk`` are the first few of their kind over all shops."""

    total: Figures
    desks: tuple[Desk, ...]
    queues: tuple[Queue, ...]
    oldest: tuple[CaseRow, ...]
    risk: tuple[CaseRow, ...]


async def read_board(services: Services, *, actor: Actor) -> Board:
    """A fixed number of statements, however many cases, people and teams. Raises: ForbiddenError."""
    require(actor, Permission.ASSIGN_OTHERS)
    now = services.now()
    async with services.database.reading() as connection:
        by_person = await _figures(connection, cases.c.assignee_id, now, with_none=True)
        by_team = await _figures(connection, cases.c.team_id, now, with_none=False)
        found = await teams_of(connection)
        people = await _people(connection)
        at_work = await _locked(connection, now)
        oldest = await _first(connection, is_awake(now), cases.c.opened_at)
        due = and_(is_awake(now), cases.c.due_at < to_ms(now + RISK))
        risk = await _first(connection, due, cases.c.due_at)
        wanted = {*at_work, *oldest, *risk}
        rows = (await connection.execute(select_rows().where(cases.c.id.in_(wanted)))).all()
        shown = {row.case_id: row for row in await case_rows(connection, rows, malls=services.registry, now=now)}
    return Board(
        total=_sum(by_person.values()),
        desks=tuple(_desk(row, by_person, found, at_work, shown, now) for row in people),
        queues=tuple(Queue(team=team, figures=by_team.get(team.team_id, _NONE)) for team in found),
        oldest=tuple(shown[case_id] for case_id in oldest if case_id in shown),
        risk=tuple(shown[case_id] for case_id in risk if case_id in shown),
    )


_NONE: Final = Figures(counts=dict.fromkeys(_FIGURES, 0))


async def _figures(
    connection: AsyncConnection, by: Column[Any], now: datetime, *, with_none: bool
) -> dict[int | None, Figures]:
    """Of open cases in active shops, by one column; ``with_none``: those in which it is null under ``None``."""
    of_shop = cases.join(shops, shops.c.id == cases.c.shop_id)
    given = true() if with_none else by.is_not(None)
    awake = (cases.c.is_open, shops.c.is_active, is_awake(now), given)
    which = {
        View.OVERDUE: cases.c.due_at < to_ms(now),
        View.RISK: and_(cases.c.due_at >= to_ms(now), cases.c.due_at < to_ms(now + RISK)),
        View.UNASSIGNED: cases.c.assignee_id.is_(None),
    }
    counted = (
        select(
            by.label("of"),
            func.min(cases.c.opened_at).label("oldest_at"),
            func.count().label(View.OPEN.value),
            *(func.sum(case((condition, 1), else_=0)).label(view.value) for view, condition in which.items()),
        )
        .select_from(of_shop)
        .where(*awake)
        .group_by(by)
    )
    rows = (await connection.execute(counted)).mappings().all()
    first = counted.subquery()
    same = and_(by.is_not_distinct_from(first.c.of), cases.c.opened_at == first.c.oldest_at)
    oldest = select(first.c.of, func.min(cases.c.id)).select_from(of_shop.join(first, same)).where(*awake)
    oldest_ids = {row[0]: row[1] for row in await connection.execute(oldest.group_by(first.c.of))}
    asleep = select(by, func.count()).select_from(of_shop).where(cases.c.is_open, shops.c.is_active)
    asleep = asleep.where(is_laid_aside(), is_asleep(now)).group_by(by)
    sleeping = {row[0]: row[1] for row in await connection.execute(asleep)}
    figures = {of: Figures(counts={**_NONE.counts, View.SNOOZED: count}) for of, count in sleeping.items()}
    for row in rows:
        counts: dict[View, int] = {view: int(row[view.value]) for view in _FIGURES if view is not View.SNOOZED}
        figures[row["of"]] = Figures(
            counts={**counts, View.SNOOZED: sleeping.get(row["of"], 0)},
            oldest_id=oldest_ids[row["of"]],
            oldest_at=from_ms(row["oldest_at"]),
        )
    return figures


def _sum(parts: Any) -> Figures:
    parts = list(parts)
    first = min(
        (part for part in parts if part.oldest_at), key=lambda part: (part.oldest_at, part.oldest_id), default=None
    )
    return Figures(
        counts={view: sum(part.counts[view] for part in parts) for view in _FIGURES},
        oldest_id=first.oldest_id if first else None,
        oldest_at=first.oldest_at if first else None,
    )


async def _people(connection: AsyncConnection) -> Sequence[Any]:
    query = (
        select(users.c.id, users.c.name, presence.c.seen_at, presence.c.is_away)
        .select_from(users.outerjoin(presence, presence.c.user_id == users.c.id))
        .where(or_(users.c.is_active, users.c.id.in_(select(cases.c.assignee_id).where(cases.c.is_open))))
        .order_by(users.c.name, users.c.id)
    )
    return (await connection.execute(query)).all()


async def _locked(connection: AsyncConnection, now: datetime) -> dict[int, int]:
    """Who works on each case now, by the case."""
    query = select(case_locks.c.case_id, case_locks.c.user_id).where(case_locks.c.until_at > to_ms(now))
    return {row.case_id: row.user_id for row in await connection.execute(query.order_by(case_locks.c.taken_at))}


async def _first(connection: AsyncConnection, which: ColumnElement[bool], by: ColumnElement[int]) -> tuple[int, ...]:
    query = (
        select(cases.c.id)
        .select_from(cases.join(shops, shops.c.id == cases.c.shop_id))
        .where(cases.c.is_open, shops.c.is_active, which)
        .order_by(by, cases.c.id)
        .limit(ROWS)
    )
    return tuple(await connection.scalars(query))


def _desk(
    row: Row[Any],
    figures: Mapping[int | None, Figures],
    found: tuple[Team, ...],
    at_work: Mapping[int, int],
    shown: Mapping[int, CaseRow],
    now: datetime,
) -> Desk:
    seen_at = None if row.seen_at is None else time_of(row.seen_at)
    is_open = seen_at is not None and seen_at > now - GONE
    return Desk(
        user_id=row.id,
        name=row.name,
        is_there=is_open and not row.is_away,
        is_away=is_open and bool(row.is_away),
        seen_at=seen_at,
        figures=figures.get(row.id, _NONE),
        teams=tuple(team.name for team in found if any(member.user_id == row.id for member in team.members)),
        now_on=tuple(shown[case_id] for case_id, user_id in at_work.items() if user_id == row.id and case_id in shown),
    )
