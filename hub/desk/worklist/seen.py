"""What a reader has looked at: it is new to them no more, their mentions in it are read, what was back is received."""

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import read_case
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.desk.worklist.assign import MOST
from hub.desk.worklist.filters import is_asleep
from hub.store.database import to_ms
from hub.store.tables import case_seen, cases, mentions


async def mark_seen(services: Services, *, actor: Actor, case_ids: Sequence[int]) -> int:
    """Tag cases as seen by ``actor``; returns how many are there. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    if actor.user_id is None:
        return 0
    async with services.database.writing() as connection:
        ids = sorted(await connection.scalars(select(cases.c.id).where(cases.c.id.in_(case_ids[:MOST]))))
        if not ids:
            return 0
        await _note(services, connection, ids, user_id=actor.user_id)
        await _read_mentions(services, connection, ids, user_id=actor.user_id)
        await _receive(services, connection, ids, user_id=actor.user_id)
    return len(ids)


async def _note(services: Services, connection: AsyncConnection, ids: Sequence[int], *, user_id: int) -> None:
    at = to_ms(services.now())
    seen = [{"case_id": case_id, "user_id": user_id, "seen_at": at} for case_id in ids]
    key = [case_seen.c.case_id, case_seen.c.user_id]
    await services.database.upsert_rows(connection, case_seen, seen, key=key, changed_hash=False)


async def _read_mentions(services: Services, connection: AsyncConnection, ids: Sequence[int], *, user_id: int) -> None:
    unread = mentions.c.case_id.in_(ids) & (mentions.c.user_id == user_id) & mentions.c.seen_at.is_(None)
    await connection.execute(update(mentions).where(unread).values(seen_at=to_ms(services.now())))


async def _receive(services: Services, connection: AsyncConnection, ids: Sequence[int], *, user_id: int) -> None:
    """Back from being laid aside: whoever has it has seen it now, and it goes to its place in the list."""
    back = cases.c.id.in_(ids) & cases.c.snoozed_until.is_not(None) & ~is_asleep(services.now())
    mine = back & (cases.c.assignee_id.is_(None) | (cases.c.assignee_id == user_id))
    await connection.execute(update(cases).where(mine).values(snoozed_at=None, snoozed_until=None))


async def look_at(services: Services, *, actor: Actor, case_id: int) -> CaseView:
    """A reader opens a case; nothing is written where nothing is new. Raises: ForbiddenError, NotFoundError."""
    case = await read_case(services, actor=actor, case_id=case_id)
    row = case.row
    is_back = row.snoozed_until is not None and not row.is_asleep and row.assignee_id in {None, actor.user_id}
    if actor.user_id is None or not (row.is_new or row.is_mentioned or is_back):
        return case
    async with services.database.writing() as connection:
        await _note(services, connection, [case_id], user_id=actor.user_id)
        if row.is_mentioned:
            await _read_mentions(services, connection, [case_id], user_id=actor.user_id)
        if is_back:
            await _receive(services, connection, [case_id], user_id=actor.user_id)
    seen = replace(row, is_new=False, is_mentioned=False, snoozed_until=None if is_back else row.snoozed_until)
    return replace(case, row=seen)
