"""Who works on a case: take it, give it back, give it to somebody or to a team, one by one or many at once."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.desk.worklist.moves import Move, record_moves
from hub.store.live import Topic, publish
from hub.store.tables import cases, teams, users

#: cases of one request
MOST: Final = 200


class TakenError(Exception):
    """A colleague has the case; ``name`` tells who."""

    def __init__(self, name: str) -> None:
        super().__init__("the case is taken")
        self.name = name


class Given(Struct, frozen=True, kw_only=True):
    """What became of many: ``changed`` are ids, ``left`` how many are others' and stay as they were."""

    changed: tuple[int, ...]
    left: int


async def take(services: Services, *, actor: Actor, case_id: int) -> None:
    """Of two agents at once one gets it. Raises: TakenError, NotFoundError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.writing() as connection:
        if await _assign(services, connection, actor, [case_id], user_id=actor.user_id, which=_free_or_own(actor)):
            return
        query = (
            select(users.c.name, cases.c.assignee_id)
            .select_from(cases.outerjoin(users, users.c.id == cases.c.assignee_id))
            .where(cases.c.id == case_id)
        )
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    if row.assignee_id != actor.user_id:
        raise TakenError(row.name or "?")


async def release(services: Services, *, actor: Actor, case_id: int) -> None:
    """Give back one's own case; anybody's with the right to assign. Raises: TakenError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    if not actor.may(Permission.ASSIGN_OTHERS):
        await take(services, actor=actor, case_id=case_id)
    await _assign_one(services, actor, case_id, user_id=None)


async def assign(services: Services, *, actor: Actor, case_id: int, user_id: int) -> None:
    """Give a case to a user. Raises: ForbiddenError; NotFoundError for a case or an active user that is not there."""
    require(actor, Permission.ASSIGN_OTHERS)
    async with services.database.reading() as connection:
        await _require_user(connection, user_id)
    await _assign_one(services, actor, case_id, user_id=user_id)


async def assign_many(services: Services, *, actor: Actor, case_ids: Sequence[int], user_id: int) -> Given:
    """Give cases to one user: to oneself what is free, to others what is one's own; anything with the right to assign.

    What is somebody else's is left alone and counted. Raises: ForbiddenError; NotFoundError for the user.
    """
    require(actor, Permission.WORK_CASES)
    wanted = list(dict.fromkeys(case_ids))[:MOST]
    which = _free_or_own(actor) if user_id == actor.user_id else cases.c.assignee_id == actor.user_id
    async with services.database.writing() as connection:
        await _require_user(connection, user_id)
        allowed = true() if actor.may(Permission.ASSIGN_OTHERS) else which
        changed = await _assign(services, connection, actor, wanted, user_id=user_id, which=allowed)
        have = cases.c.id.in_(wanted) & (cases.c.assignee_id == user_id)
        there = set(await connection.scalars(select(cases.c.id).where(have)))
    return Given(changed=changed, left=len(wanted) - len(there))


async def queue_many(services: Services, *, actor: Actor, case_ids: Sequence[int], team_id: int) -> Given:
    """Put cases into a team's queue, where nobody has them: what is free or one's own, anything with the right.

    Raises: ForbiddenError; NotFoundError for the team.
    """
    require(actor, Permission.WORK_CASES)
    wanted = list(dict.fromkeys(case_ids))[:MOST]
    allowed = true() if actor.may(Permission.ASSIGN_OTHERS) else _free_or_own(actor)
    async with services.database.writing() as connection:
        if await connection.scalar(select(teams.c.id).where(teams.c.id == team_id)) is None:
            raise NotFoundError
        query = (
            update(cases)
            .where(cases.c.id.in_(wanted), allowed)
            .values(team_id=team_id, assignee_id=None)
            .returning(cases.c.id)
        )
        changed = tuple(sorted(await connection.scalars(query)))
        await record_moves(services, connection, changed, Move.QUEUED, by_id=actor.user_id, to_team_id=team_id)
    return Given(changed=changed, left=len(wanted) - len(changed))


async def hand_over_cases(
    services: Services, *, actor: Actor, to_id: int, note: str = "", from_id: int | None = None
) -> int:
    """Give all open cases of one person to a colleague, what sleeps too; returns how many.

    One's own; anybody's with the right to assign. Raises: ForbiddenError; NotFoundError for a colleague who
    does not work here.
    """
    require(actor, Permission.WORK_CASES)
    giver = actor.user_id if from_id is None else from_id
    if giver != actor.user_id:
        require(actor, Permission.ASSIGN_OTHERS)
    async with services.database.writing() as connection:
        await _require_user(connection, to_id)
        if giver == to_id:
            return 0
        query = (
            update(cases)
            .where(cases.c.assignee_id == giver, cases.c.is_open)
            .values(assignee_id=to_id)
            .returning(cases.c.id)
        )
        changed = sorted(await connection.scalars(query))
        await record_moves(services, connection, changed, Move.HANDED, by_id=actor.user_id, to_id=to_id, note=note)
    return len(changed)


def _free_or_own(actor: Actor) -> ColumnElement[bool]:
    return or_(cases.c.assignee_id.is_(None), cases.c.assignee_id == actor.user_id)


async def _require_user(connection: AsyncConnection, user_id: int) -> None:
    if await connection.scalar(select(users.c.id).where(users.c.id == user_id, users.c.is_active)) is None:
        raise NotFoundError


async def _assign_one(services: Services, actor: Actor, case_id: int, *, user_id: int | None) -> None:
    async with services.database.writing() as connection:
        if await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
            raise NotFoundError
        await _assign(services, connection, actor, [case_id], user_id=user_id, which=true())


async def _assign(
    services: Services,
    connection: AsyncConnection,
    actor: Actor,
    case_ids: Sequence[int],
    *,
    user_id: int | None,
    which: ColumnElement[bool],
) -> tuple[int, ...]:
    """The cases that changed hands; who had it before and has it still is none of them."""
    is_other: Any = cases.c.assignee_id.is_distinct_from(user_id)
    query = (
        update(cases).where(cases.c.id.in_(case_ids), which, is_other).values(assignee_id=user_id).returning(cases.c.id)
    )
    changed = tuple(sorted(await connection.scalars(query)))
    move = Move.RELEASED if user_id is None else Move.TAKEN if user_id == actor.user_id else Move.ASSIGNED
    await record_moves(services, connection, changed, move, by_id=actor.user_id, to_id=user_id)
    for case_id in changed:
        await publish(connection, Topic.LOCK, case_id=case_id)
    return changed
