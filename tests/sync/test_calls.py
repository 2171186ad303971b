"""Telephone records in: whatever is read how often and broken off where, the calls are the same."""

from pathlib import Path

from sqlalchemy import func, select

from hub.store.database import Database
from hub.store.rollup_tables import call_counts
from hub.store.rollups import HOUR
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


async def test_a_call_without_an_end_is_lost_though_nothing_came_for_hours_after_it(sqlite_database: Database):
    entered, later = 1795309200, 1795309200 + 86_400
    first = [
        f"{entered}|{entered}.1|NONE|NONE|IVR|ENTER|malla|order|07000001001|01000000001",
        f"{entered + 4}|{entered}.1|malla_order|NONE|ENTERQUEUE||01000000001|1",
    ]
    next_day = [
        f"{later}|{later}.1|malla_order|NONE|ENTERQUEUE||01000000002|1",
        f"{later + 9}|{later}.1|malla_order|NONE|ABANDON|1|1|9",
    ]
    found = []
    for lines in (first, next_day):
        records = CallImport(sqlite_database, ROUTES)
        await _read(records, lines)
        await records.derive()
        async with sqlite_database.reading() as connection:
            query = select(calls.c.result).order_by(calls.c.entered_at)
            counted = select(func.sum(call_counts.c.system_lost)).where(call_counts.c.unit == HOUR)
            found.append((list(await connection.scalars(query)), await connection.scalar(counted)))

    assert found == [([None], None), (["system_lost", "abandoned_queue"], 1)]
