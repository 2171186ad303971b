"""Who has the desk open: told by the stream of news of each open page, and by hand who is away."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, select

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.store.database import Database, to_ms
from hub.store.questions import Question
from hub.store.tables import presence

#: between two signs of one page
SIGN: Final = timedelta(seconds=30)
#: without a sign for this long nobody is there
GONE: Final = timedelta(seconds=90)


def is_there(now: datetime) -> ColumnElement[bool]:
    return and_(presence.c.seen_at > to_ms(now - GONE), ~presence.c.is_away)


async def tell_present(database: Database, *, user_id: int, at: datetime) -> None:
    """A page of this user is open; whether they are away is theirs to say."""
    row = {"user_id": user_id, "seen_at": to_ms(at), "is_away": False}
    upsert = database.upsert(presence, key=[presence.c.user_id], keep=[presence.c.is_away], changed_hash=False)
    async with database.writing() as connection:
        await connection.execute(upsert, [row])


async def set_away(services: Services, *, actor: Actor, is_away: bool) -> None:
    """Away from the desk, or back: who is away is dealt nothing. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    if actor.user_id is None:
        return
    row = {"user_id": actor.user_id, "seen_at": to_ms(services.now()), "is_away": is_away}
    upsert = services.database.upsert(presence, key=[presence.c.user_id], changed_hash=False)
    async with services.database.writing() as connection:
        await connection.execute(upsert, [row])


def away_of(user_id: int | None) -> Question[bool]:
    """Whether this user said that they are away."""
    return Question(_OWN, {"user_id": user_id}, lambda rows: any(row.is_away for row in rows))


_OWN: Final = select(presence.c.is_away).where(presence.c.user_id == bindparam("user_id"))
