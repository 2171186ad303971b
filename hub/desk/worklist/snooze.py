"""Lay a case aside until a time: it is back on top of the list then, or as soon as anything of it changes.

Its deadlines stay where they are. One that the law sets is never slept through: a case sleeps at most until
then, and not at all once it is over.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import or_, select, true, update

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.desk.worklist.assign import MOST
from hub.desk.worklist.filters import is_asleep
from hub.desk.worklist.moves import Move, record_moves, tell_moved
from hub.policy.due import Due, DueCause
from hub.store.database import to_ms
from hub.store.tables import cases

_decode_dues: Final = msgspec.json.Decoder(list[Due]).decode


class Snoozed(Struct, frozen=True, kw_only=True):
    """What became of each case asked for. ``shortened`` of the ``changed`` sleep only until a deadline of the law;
    ``overdue`` were left alone because one is over; ``left`` are closed, or somebody else's.
    """

    changed: tuple[int, ...]
    shortened: tuple[int, ...]
    overdue: tuple[int, ...]
    left: int


async def snooze(services: Services, *, actor: Actor, case_ids: Sequence[int], until: datetime) -> Snoozed:
    """Lay open cases aside: one's own, and what nobody has, which is one's own from then on.

    With the right to assign anybody's, who keep it. Raises: ForbiddenError; ValueError for a time that is over.
    """
    require(actor, Permission.WORK_CASES)
    now = services.now()
    if until <= now:
        message = "a case cannot sleep until a time that is over"
        raise ValueError(message)
    wanted = list(dict.fromkeys(case_ids))[:MOST]
    own = or_(cases.c.assignee_id.is_(None), cases.c.assignee_id == actor.user_id)
    allowed = true() if actor.may(Permission.ASSIGN_OTHERS) else own
    query = select(cases.c.id, cases.c.due_all).where(cases.c.id.in_(wanted), cases.c.is_open, allowed)
    ends: dict[datetime, list[int]] = defaultdict(list)
    overdue: list[int] = []
    async with services.database.writing() as connection:
        # Held while its deadlines are compared: a run may be writing new ones.
        for row in (await connection.execute(query.with_for_update())).all():
            law = min((due.at for due in _decode_dues(row.due_all) if due.cause is DueCause.LAW), default=None)
            if law is not None and law <= now:
                overdue.append(row.id)
            else:
                ends[until if law is None else min(until, law)].append(row.id)
        for end, ids in ends.items():
            asleep = {"snoozed_at": to_ms(now), "snoozed_until": to_ms(end)}
            await connection.execute(update(cases).where(cases.c.id.in_(ids)).values(**asleep))
            if actor.user_id is not None:
                free = cases.c.id.in_(ids) & cases.c.assignee_id.is_(None)
                await connection.execute(update(cases).where(free).values(assignee_id=actor.user_id))
            await record_moves(services, connection, ids, Move.SNOOZED, by_id=actor.user_id, until=end)
    changed = tuple(sorted(case_id for ids in ends.values() for case_id in ids))
    return Snoozed(
        changed=changed,
        shortened=tuple(sorted(case_id for end, ids in ends.items() if end < until for case_id in ids)),
        overdue=tuple(sorted(overdue)),
        left=len(wanted) - len(changed) - len(overdue),
    )


async def wake(services: Services, *, actor: Actor, case_ids: Sequence[int]) -> int:
    """Bring cases back before their time; returns how many slept. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    which = cases.c.id.in_(case_ids[:MOST]) & is_asleep(services.now())
    woken = update(cases).where(which).values(snoozed_at=None, snoozed_until=None).returning(cases.c.id)
    async with services.database.writing() as connection:
        ids = sorted(await connection.scalars(woken))
        await record_moves(services, connection, ids, Move.WOKEN, by_id=actor.user_id)
    return len(ids)


async def tell_came_back(services: Services, *, since: datetime) -> tuple[int, ...]:
    """Tell open screens of cases whose time came after ``since`` and is over now; returns them."""
    time_is_over = (cases.c.snoozed_until > to_ms(since)) & (cases.c.snoozed_until <= to_ms(services.now()))
    query = select(cases.c.id).where(cases.c.snoozed_until.is_not(None), time_is_over)
    async with services.database.reading() as connection:
        back = tuple(await connection.scalars(query))
    if back:
        async with services.database.writing() as connection:
            await tell_moved(connection, back)
    return back
