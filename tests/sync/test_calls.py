"""Telephone records in: whatever is read how often and broken off where, the calls are the same."""

from pathlib import Path

from sqlalchemy import func, select

from hub.store.database import Database
from hub.store.tables import calls
from hub.sync.calls import CallImport
from ivr.routes import routes_from_map

CAPTURE = Path(__file__).parents[1] / "data" / "asterisk-22.10.1"
ROUTES = routes_from_map((CAPTURE / "rig_map.json").read_text(encoding="utf-8"))


async def _count(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(calls))).scalar_one()


async def _read(records: CallImport, lines: list[str]) -> int:
    return (await records.read_file("queue_log", lines)).new_events


async def test_events_stored_by_a_killed_import_become_calls_with_the_next(database: Database):
    lines = (CAPTURE / "queue_log").read_text(encoding="utf-8").splitlines()
    killed = CallImport(database, ROUTES)
    assert await _read(killed, lines) > 0
    assert await _count(database) == 0

    again = CallImport(database, ROUTES)
    assert await _read(again, lines) == 0
    await again.derive()

    assert await _count(database) == 30


async def test_a_file_in_halves_is_the_whole_and_twice_is_once(database: Database):
    lines = (CAPTURE / "queue_log").read_text(encoding="utf-8").splitlines()
    middle = len(lines) // 2

    for part in (lines[:middle], lines[middle:], lines):
        records = CallImport(database, ROUTES)
        await _read(records, part)
        await records.derive()

    assert await _count(database) == 30
