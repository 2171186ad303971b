"""Moves of a case and notes among colleagues as entries of its timeline."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from hub.desk.record_views import Curtain
from hub.desk.views import EntryKind, TimelineEntry
from hub.store.box import Box
from hub.store.database import among, from_ms, time_of
from hub.store.questions import Question
from hub.store.sealed import CASE_NOTE_PLACE, MOVE_NOTE_PLACE
from hub.store.tables import case_moves, case_notes, teams, users


def move_entries(case_ids: Sequence[int], *, box: Box, curtain: Curtain) -> Question[tuple[TimelineEntry, ...]]:
    """The moves of these cases as entries of a timeline, oldest first."""

    def entries(rows: list[Any]) -> tuple[TimelineEntry, ...]:
        return tuple(_move(row, box, curtain) for row in rows)

    return Question(_MOVES, {"cases": list(case_ids)}, entries)


def _move(row: Any, box: Box, curtain: Curtain) -> TimelineEntry:
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


def note_entries(case_ids: Sequence[int], *, box: Box, curtain: Curtain) -> Question[tuple[TimelineEntry, ...]]:
    """The notes of these cases as entries of a timeline, oldest first."""

    def entries(rows: list[Any]) -> tuple[TimelineEntry, ...]:
        return tuple(_note(row, box, curtain) for row in rows)

    return Question(_NOTES, {"cases": list(case_ids)}, entries)


def _note(row: Any, box: Box, curtain: Curtain) -> TimelineEntry:
    return TimelineEntry(
        kind=EntryKind.EVENT,
        at=time_of(row.at),
        key="event.note",
        text=curtain.text(box.open(row.text_sealed, CASE_NOTE_PLACE).decode()),
        author=row.by,
    )


_by, _to = users.alias("by_user"), users.alias("to_user")
_MOVES: Final = (
    select(case_moves, _by.c.name.label("by"), _to.c.name.label("to"), teams.c.name.label("team"))
    .select_from(
        case_moves.outerjoin(_by, _by.c.id == case_moves.c.by_id)
        .outerjoin(_to, _to.c.id == case_moves.c.to_id)
        .outerjoin(teams, teams.c.id == case_moves.c.to_team_id)
    )
    .where(among(case_moves.c.case_id, "cases"))
    .order_by(case_moves.c.at, case_moves.c.id)
)
_NOTES: Final = (
    select(case_notes, users.c.name.label("by"))
    .select_from(case_notes.outerjoin(users, users.c.id == case_notes.c.by_id))
    .where(among(case_notes.c.case_id, "cases"))
    .order_by(case_notes.c.at, case_notes.c.id)
)
