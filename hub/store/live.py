"""News for open screens: written in the transaction of what it tells, read by every process that has listeners.

Keys are times, but transactions end in another order than their keys: a reader looks back over
:data:`LOOK_BACK` and leaves out what it has seen, so that a row that came late is not missed.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.ids import id_of_age, new_id
from hub.store.questions import Question
from hub.store.tables import live_events

#: seconds: longer than any transaction that tells news
LOOK_BACK: Final = 15.0
#: seconds that news are kept: who was away for longer reads the page again
KEPT: Final = 600.0
_MOST: Final = 1_000
#: cases that one event names
MOST_CASES: Final = 100


class Topic(StrEnum):
    """What has changed. The comment names the body's keys."""

    CASES = "cases"  # ids: cases that were written (at most 100), more: there were others
    CASE = "case"  # id: something on the page of one case
    ACTION = "action"  # case_id, action_id, outcome
    LOCK = "lock"  # case_id: somebody took it, or gave it back
    CALL = "call"  # call_id, member, state, user_id: to the screens of this user only
    MENTION = "mention"  # case_id, user_id: somebody called this user, told to their screens only
    SHOP = "shop"  # shop: its freshness


class LiveEvent(Struct, frozen=True, kw_only=True):
    id: int
    topic: Topic
    body: Mapping[str, Any]


async def publish(connection: AsyncConnection, topic: Topic, **body: Any) -> None:
    """Tell open screens, once the transaction of ``connection`` has ended. No personal data: numbers and states."""
    encoded = msgspec.json.encode(body).decode()
    await connection.execute(_TELL, {"id": new_id(), "topic": topic.value, "body": encoded})


_TELL: Final = live_events.insert()


def newest_event() -> Question[int]:
    """The key of the newest news, 0 where there are none."""
    return Question(_NEWEST, {}, lambda rows: rows[0].newest or 0)


_NEWEST: Final = select(func.max(live_events.c.id).label("newest"))


async def read_events(database: Database, *, after: int, limit: int = _MOST) -> Sequence[LiveEvent]:
    """What has a key above ``after``, oldest first."""
    query = select(live_events).where(live_events.c.id > after).order_by(live_events.c.id).limit(limit)
    async with database.reading() as connection:
        return [
            LiveEvent(id=row.id, topic=Topic(row.topic), body=msgspec.json.decode(row.body))
            for row in await connection.execute(query)
        ]


async def forget_events(database: Database) -> None:
    """Remove what is older than :data:`KEPT`."""
    async with database.writing() as connection:
        await forget_old(connection)


async def forget_old(connection: AsyncConnection) -> None:
    """As :func:`forget_events`, in the transaction of ``connection``."""
    await connection.execute(delete(live_events).where(live_events.c.id < id_of_age(KEPT)))
