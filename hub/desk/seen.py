"""What a reader has looked at: it is new to them no more, their mentions in it are read, what was back is received."""

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import select, update

from hub.desk.access import Actor, Permission, require
from hub.desk.assign import MOST
from hub.desk.case import read_case
from hub.desk.list_filters import is_asleep
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.store.database import to_ms
from hub.store.tables import case_seen, cases, mentions


async def mark_seen(services: Services, *, actor: Actor, case_ids: Sequence[int]) -> int:
    """Tag cases as seen by ``actor``; returns how many are there. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    if actor.user_id is None:
        return 0
    now = services.now()
    database = services.database
    async with database.writing() as connection:
        ids = sorted(await connection.scalars(select(cases.c.id).where(cases.c.id.in_(case_ids[:MOST]))))
        if not ids:
            return 0
        seen = [{"case_id": case_id, "user_id": actor.user_id, "seen_at": to_ms(now)} for case_id in ids]
        key = [case_seen.c.case_id, case_seen.c.user_id]
        await connection.execute(database.upsert(case_seen, key=key, changed_hash=False), seen)
        unread = mentions.c.case_id.in_(ids) & (mentions.c.user_id == actor.user_id) & mentions.c.seen_at.is_(None)
        await connection.execute(update(mentions).where(unread).values(seen_at=to_ms(now)))
        # Back from being laid aside: whoever has it has seen it now, and it goes to its place in the list.
        back = cases.c.id.in_(ids) & cases.c.snoozed_until.is_not(None) & ~is_asleep(now)
        mine = back & (cases.c.assignee_id.is_(None) | (cases.c.assignee_id == actor.user_id))
        await connection.execute(update(cases).where(mine).values(snoozed_at=None, snoozed_until=None))
    return len(ids)


async def look_at(services: Services, *, actor: Actor, case_id: int) -> CaseView:
    """A reader opens a case; nothing is written where nothing is new. Raises: ForbiddenError, NotFoundError."""
    case = await read_case(services, actor=actor, case_id=case_id)
    row = case.row
    is_back = row.snoozed_until is not None and not row.is_asleep and row.assignee_id in {None, actor.user_id}
    if not (row.is_new or row.is_mentioned or is_back):
        return case
    await mark_seen(services, actor=actor, case_ids=[case_id])
    seen = replace(row, is_new=False, is_mentioned=False, snoozed_until=None if is_back else row.snoozed_until)
    return replace(case, row=seen)
