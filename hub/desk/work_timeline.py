"""Moves of a case and notes among colleagues as entries of its timeline."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.record_views import Curtain
from hub.desk.views import EntryKind, TimelineEntry
from hub.store.box import Box
from hub.store.database import from_ms, time_of
from hub.store.sealed import CASE_NOTE_PLACE, MOVE_NOTE_PLACE
from hub.store.tables import case_moves, case_notes, teams, users


async def work_entries(
    connection: AsyncConnection, case_ids: Sequence[int], *, box: Box, curtain: Curtain
) -> tuple[TimelineEntry, ...]:
    """Two queries, however many the cases."""
    return (
        *await move_entries(connection, case_ids, box=box, curtain=curtain),
        *await note_entries(connection, case_ids, box=box, curtain=curtain),
    )


async def move_entries(
    connection: AsyncConnection, case_ids: Sequence[int], *, box: Box, curtain: Curtain
) -> tuple[TimelineEntry, ...]:
    """The moves of these cases as entries of a timeline, oldest first."""
    by, to = users.alias("by_user"), users.alias("to_user")
    query = (
        select(case_moves, by.c.name.label("by"), to.c.name.label("to"), teams.c.name.label("team"))
        .select_from(
            case_moves.outerjoin(by, by.c.id == case_moves.c.by_id)
            .outerjoin(to, to.c.id == case_moves.c.to_id)
            .outerjoin(teams, teams.c.id == case_moves.c.to_team_id)
        )
        .where(case_moves.c.case_id.in_(case_ids))
        .order_by(case_moves.c.at, case_moves.c.id)
    )
    return tuple(_entry(row, box, curtain) for row in (await connection.execute(query)).all())


def _entry(row: Any, box: Box, curtain: Curtain) -> TimelineEntry:
    note = box.open(row.note_sealed, MOVE_NOTE_PLACE).decode() if row.note_sealed else None
    return TimelineEntry(
        kind=EntryKind.EVENT,
        at=time_of(row.at),
        key=f"event.moved_{row.move}",
        words=(("to", row.to or "–"), ("team", row.team or "–")),
        text=curtain.text(note),
        author=row.by,
        due_at=from_ms(row.until_at),
    )


async def note_entries(
    connection: AsyncConnection, case_ids: Sequence[int], *, box: Box, curtain: Curtain
) -> tuple[TimelineEntry, ...]:
    """The notes of these cases as entries of a timeline, oldest first."""
    query = (
        select(case_notes, users.c.name.label("by"))
        .select_from(case_notes.outerjoin(users, users.c.id == case_notes.c.by_id))
        .where(case_notes.c.case_id.in_(case_ids))
        .order_by(case_notes.c.at, case_notes.c.id)
    )
    return tuple(
        TimelineEntry(
            kind=EntryKind.EVENT,
            at=time_of(row.at),
            key="event.note",
            text=curtain.text(box.open(row.text_sealed, CASE_NOTE_PLACE).decode()),
            author=row.by,
        )
        for row in (await connection.execute(query)).all()
    )
