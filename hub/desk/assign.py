"""Who works on a case: take it, give it back, give it to somebody."""

from sqlalchemy import select, update

from hub.desk.access import Actor, Permission, require
from hub.desk.case import NotFoundError
from hub.desk.services import Services
from hub.store.live import Topic, publish
from hub.store.tables import cases, users


class TakenError(Exception):
    """A colleague has the case; ``name`` tells who."""

    def __init__(self, name: str) -> None:
        super().__init__("the case is taken")
        self.name = name


async def take(services: Services, *, actor: Actor, case_id: int) -> None:
    """Of two agents at once one gets it. Raises: TakenError, NotFoundError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    free = (cases.c.assignee_id.is_(None)) | (cases.c.assignee_id == actor.user_id)
    async with services.database.writing() as connection:
        taken = await connection.execute(
            update(cases).where(cases.c.id == case_id, free).values(assignee_id=actor.user_id)
        )
        if taken.rowcount:
            await publish(connection, Topic.LOCK, case_id=case_id)
            return
        query = (
            select(users.c.name)
            .select_from(cases.outerjoin(users, users.c.id == cases.c.assignee_id))
            .where(cases.c.id == case_id)
        )
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    raise TakenError(row.name or "?")


async def release(services: Services, *, actor: Actor, case_id: int) -> None:
    """Give back one's own case; anybody's with the right to assign. Raises: TakenError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    if actor.may(Permission.ASSIGN_OTHERS):
        await _assign(services, case_id=case_id, user_id=None)
        return
    await take(services, actor=actor, case_id=case_id)
    await _assign(services, case_id=case_id, user_id=None)


async def assign(services: Services, *, actor: Actor, case_id: int, user_id: int) -> None:
    """Give a case to a user. Raises: ForbiddenError; NotFoundError for a case or an active user that is not there."""
    require(actor, Permission.ASSIGN_OTHERS)
    async with services.database.reading() as connection:
        found = await connection.scalar(select(users.c.id).where(users.c.id == user_id, users.c.is_active))
    if found is None:
        raise NotFoundError
    await _assign(services, case_id=case_id, user_id=user_id)


async def _assign(services: Services, *, case_id: int, user_id: int | None) -> None:
    async with services.database.writing() as connection:
        changed = await connection.execute(update(cases).where(cases.c.id == case_id).values(assignee_id=user_id))
        if changed.rowcount == 0:
            raise NotFoundError
        await publish(connection, Topic.LOCK, case_id=case_id)
