"""Late, corrected and repeated readings: the newest truth in the row, every state in the history, in any order."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from hub.core.contract import Feed, Reading
from hub.core.model import LineStatus, Order
from hub.desk.access import Actor
from hub.desk.cases.case import read_order
from hub.store.tables import claims, lines, orders, status_changes
from hub.sync.ingest import Ingest
from tests.desk.invented import MANIFESTS, NOW, Rig, claim, line, open_rig, order

STAMPED = msgspec.structs.replace(MANIFESTS["alpha"], tells_change_time=True)
STATES = (LineStatus.PAID, LineStatus.PREPARING, LineStatus.DISPATCHED, LineStatus.DELIVERED, LineStatus.CANCELLED)


def told(minute: int, status: LineStatus, *, line_no: str = "X-1", quantity: int = 1, claimed: bool = False) -> Order:
    """What the mall says of a line that changed at this minute."""
    stamp = NOW - timedelta(days=1) + timedelta(minutes=minute)
    made = line(line_no, status=status, quantity=quantity, raw_status=f"R-{status.value}", mall_changed_at=stamp)
    about = (claim("X", line_no, requested_at=NOW - timedelta(days=1)),) if claimed else ()
    return order("X", made, claims=about)


async def take(rig: Rig, pages: Sequence[Sequence[Order]], *, manifest: Any = STAMPED) -> None:
    """Write the pages one after the other, a minute apart."""
    ingest = Ingest(rig.database, shop=rig.shops["alpha-main"], manifest=manifest, clocks=())
    for number, page in enumerate(pages):
        readings = [Reading(key=f"X-{number}", raw=b"{}", record=record) for record in page]
        async with rig.database.writing() as connection:
            await ingest.page(connection, readings, feed=Feed.ORDERS, now=NOW + timedelta(minutes=number))


async def stands(rig: Rig) -> tuple[Any, Any]:
    """The lines without the times of seeing, and every state of the history with the mall's time."""
    columns = (lines.c.line_no, lines.c.status, lines.c.raw_status, lines.c.quantity, lines.c.mall_changed_at)
    async with rig.database.reading() as connection:
        rows = (await connection.execute(select(*columns).order_by(lines.c.line_no))).all()
        query = (
            select(lines.c.line_no, status_changes.c.to_status, status_changes.c.mall_at)
            .join_from(status_changes, lines, lines.c.id == status_changes.c.subject_id)
            .where(status_changes.c.subject == "line")
        )
        trail = (await connection.execute(query)).all()
    return [tuple(row) for row in rows], sorted(tuple(row) for row in trail)


readings_of_two_lines = st.lists(
    st.builds(
        told,
        minute=st.integers(0, 1_000_000),
        status=st.sampled_from(STATES),
        line_no=st.sampled_from(("X-1", "X-2")),
        quantity=st.integers(1, 3),
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda record: (record.lines[0].line_no, record.lines[0].mall_changed_at),
)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), records=readings_of_two_lines)
def test_any_order_of_the_same_readings_ends_in_the_same_row_and_history(
    sqlite_template: Path, data: st.DataObject, records: list[Order]
) -> None:
    shuffled = data.draw(st.permutations(records))
    repeated = [*shuffled, *data.draw(st.lists(st.sampled_from(records), max_size=4))]
    size = data.draw(st.integers(1, len(repeated)))
    in_pages = [repeated[first : first + size] for first in range(0, len(repeated), size)]
    in_order = sorted(records, key=lambda record: record.lines[0].mall_changed_at or NOW)

    async def outcome(pages: Sequence[Sequence[Order]]) -> tuple[Any, Any]:
        with TemporaryDirectory() as folder:
            path = shutil.copyfile(sqlite_template, Path(folder) / "hub.db")
            rig = await open_rig(path.parent, f"sqlite:///{path}")
            try:
                await take(rig, pages)
                return await stands(rig)
            finally:
                await rig.database.aclose()

    expected = asyncio.run(outcome([[record] for record in in_order]))

    assert asyncio.run(outcome(in_pages)) == expected
    newest = {record.lines[0].line_no: record.lines[0] for record in in_order}
    assert [row[:4] for row in expected[0]] == [
        (number, line.status.value, line.raw_status, line.quantity) for number, line in sorted(newest.items())
    ]
    assert len(expected[1]) == len(records)


async def test_a_late_reading_brings_no_claim_back(rig: Rig) -> None:
    await take(rig, [[told(9, LineStatus.DELIVERED)], [told(3, LineStatus.PAID, claimed=True)]])

    async with rig.database.reading() as connection:
        found = (await connection.execute(select(lines.c.status, orders.c.order_no).join_from(lines, orders))).all()
    assert [tuple(row) for row in found] == [("delivered", "X")]
    async with rig.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(claims)) == 0


async def test_where_the_mall_gives_no_stamp_of_its_own_the_newest_look_wins(rig: Rig) -> None:
    """A time put together of others falls when a claim is taken back: that is news, not an old reading."""
    pages = [[told(9, LineStatus.CANCELLED)], [told(3, LineStatus.PREPARING)]]

    await take(rig, pages, manifest=MANIFESTS["alpha"])

    assert [row[1] for row in (await stands(rig))[0]] == ["preparing"]


async def test_the_timeline_says_when_it_was_seen_if_that_was_late(rig: Rig, agent: Actor) -> None:
    first, late = told(0, LineStatus.PAID), told(600, LineStatus.PREPARING)
    soon = order(
        "X", line("X-1", status=LineStatus.CANCELLED, mall_changed_at=NOW + timedelta(minutes=1), raw_status="C")
    )
    await take(rig, [[first], [late], [soon]])
    async with rig.database.reading() as connection:
        order_id = (await connection.execute(select(orders.c.id))).scalar_one()

    dossier = await read_order(rig, actor=agent, order_id=order_id)

    shown = [
        (dict(entry.words)["status"], entry.at, entry.seen_at)
        for entry in dossier.timeline
        if entry.key == "event.line_status"
    ]
    assert shown == [
        ("@line.paid", NOW - timedelta(days=1), NOW),
        ("@line.preparing", NOW - timedelta(hours=14), NOW + timedelta(minutes=1)),
        ("@line.cancelled", NOW + timedelta(minutes=1), None),
    ]
