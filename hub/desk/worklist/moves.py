"""Who gave a case to whom, and who laid it aside: one row each, told to open screens in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.live import MOST_CASES, Topic, publish
from hub.store.sealed import MOVE_NOTE_PLACE
from hub.store.search_documents import Source
from hub.store.search_index import queue_for_search
from hub.store.tables import case_moves

NOTE_LIMIT: Final = 1_000


class Move(StrEnum):
    TAKEN = "taken"
    RELEASED = "released"
    ASSIGNED = "assigned"
    #: into a team's queue
    QUEUED = "queued"
    #: with all of a colleague's, at the end of a shift
    HANDED = "handed"
    #: by the hub, to the member with the fewest
    DEALT = "dealt"
    SNOOZED = "snoozed"
    WOKEN = "woken"


async def record_moves(
    services: Services,
    connection: AsyncConnection,
    case_ids: Sequence[int],
    move: Move,
    *,
    by_id: int | None,
    to_id: int | None = None,
    to_team_id: int | None = None,
    until: datetime | None = None,
    note: str = "",
) -> None:
    """In the transaction of the move itself; ``until`` is that of a snooze."""
    if not case_ids:
        return
    text = note.replace("\r\n", "\n").strip()[:NOTE_LIMIT]
    row: dict[str, Any] = {
        "move": move.value,
        "by_id": by_id,
        "at": to_ms(services.now()),
        "to_id": to_id,
        "to_team_id": to_team_id,
        "until_at": to_ms(until),
        "note_sealed": services.database.box.seal(text.encode(), MOVE_NOTE_PLACE) if text else None,
    }
    rows = [{"id": new_id(), "case_id": case_id, **row} for case_id in case_ids]
    await connection.execute(case_moves.insert(), rows)
    if text:
        ids = [each["id"] for each in rows]
        await queue_for_search(services.database, connection, Source.CASE_MOVE, ids, at=row["at"])
    await tell_moved(connection, case_ids)


async def tell_moved(connection: AsyncConnection, case_ids: Sequence[int]) -> None:
    """Open lists read these rows and their counts again."""
    if case_ids:
        told = list(case_ids[:MOST_CASES])
        await publish(connection, Topic.CASES, ids=told, more=len(case_ids) > len(told))
