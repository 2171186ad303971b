"""Counts that are kept with the events equal a plain count of them, whatever comes, moves or goes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import delete, insert, select, update

from hub.core.model import InquiryKind
from hub.stats.call_figures import COLUMNS
from hub.store.database import Database, from_ms, to_ms
from hub.store.rollup_tables import CALL_FIGURES, call_counts, count_changes, count_checks, inquiry_counts
from hub.store.rollups import DAY, HOUR, recount, start_of
from hub.store.tables import calls, feed_states, inquiries
from hub.sync.calls import CallImport
from ivr.calls import Call
from ivr.routes import Routes
from tests.stats.rows import random_call
from tests.store.shapes import NOW, Shop, a_shop, an_inquiry, reading, rows

SEOUL = ZoneInfo("Asia/Seoul")
HOUR_MS = 3_600_000
KINDS = tuple(InquiryKind)


def begins(at: int, unit: int) -> int:
    """The plain way: by the calendar of Seoul."""
    local = datetime.fromtimestamp(at / 1000, SEOUL).replace(minute=0, second=0, microsecond=0)
    return to_ms(local.replace(hour=0) if unit == DAY else local) or 0


async def plain_inquiries(database: Database) -> Counter[tuple[int, int, int, str]]:
    return Counter(
        (unit, begins(row["asked_at"], unit), row["shop_id"], row["kind"])
        for row in await rows(database, inquiries)
        for unit in (HOUR, DAY)
    )


async def kept_inquiries(database: Database) -> Counter[tuple[int, int, int, str]]:
    found = await rows(database, inquiry_counts)
    return +Counter({(r["unit"], r["starts_at"], r["shop_id"], r["kind"]): r["number"] for r in found})


async def plain_calls(database: Database) -> dict[tuple[object, ...], int]:
    counted: Counter[tuple[object, ...]] = Counter()
    for row in await rows(database, calls):
        if row["result"] is None:
            continue
        figures = {"offered", row["result"]}
        figures |= {"abandoned_short"} if row["is_short_abandon"] else set()
        figures |= {"transferred_out"} if row["is_transferred"] else set()
        key = tuple(row[name] or "" for name in ("mall", "line", "handling_line"))
        counted.update(
            (unit, begins(row["entered_at"], unit), *key, figure) for unit in (HOUR, DAY) for figure in figures
        )
    return dict(counted)


async def kept_calls(database: Database) -> dict[tuple[object, ...], int]:
    return {
        (r["unit"], r["starts_at"], r["mall"], r["line"], r["handling_line"], figure): r[figure]
        for r in await rows(database, call_counts)
        for figure in CALL_FIGURES
        if r[figure]
    }


def random_inquiry(random: Random) -> object:
    at = NOW - timedelta(days=2) + timedelta(minutes=random.randrange(4 * 1440))
    inquiry = an_inquiry(f"Q{random.randrange(60)}", text=f"{random.random()}")
    return reading(msgspec.structs.replace(inquiry, asked_at=at, kind=random.choice(KINDS)))


@pytest.mark.parametrize("seed", [1, 2])
async def test_inquiries_are_counted_in_the_page_that_writes_them(database: Database, seed: int):
    random = Random(seed)
    shops = [await a_shop(database, name) for name in ("a", "b")]
    for _ in range(8):
        await random.choice(shops).write(*[random_inquiry(random) for _ in range(random.randrange(1, 25))])

        assert await kept_inquiries(database) == await plain_inquiries(database)
    assert sum((await kept_inquiries(database)).values()) > 100


@pytest.mark.parametrize("seed", [3, 4])
async def test_calls_are_counted_in_the_window_that_derives_them(database: Database, seed: int):
    """Each round derives a window again: calls are new, changed, gone, or have moved there from another."""
    random = Random(seed)
    importer = CallImport(database, Routes(timezone="Asia/Seoul", dids={}, queues={}))
    base = start_of(to_ms(NOW) or 0, HOUR)
    for _ in range(8):
        first = base + random.randrange(-30, 30) * HOUR_MS
        end = first + random.randrange(1, 25) * HOUR_MS
        found: dict[str, Call] = {}
        for _ in range(random.randrange(40)):
            call = random_call(random, random.randrange(50), first=first // 1000, last=end // 1000)
            found[call.call_id] = call
        async with database.writing() as connection:
            await importer._replace(connection, list(found.values()), first, end, base)

        assert await kept_calls(database) == await plain_calls(database)


async def test_what_differs_is_found_mended_and_written_down(shop: Shop):
    database = shop.database
    await shop.write(*[reading(an_inquiry(f"Q{number}")) for number in range(3)])
    row = {"unit": HOUR, "starts_at": 0, "mall": "cafe24", "line": "order", "handling_line": ""}
    row |= dict.fromkeys(CALL_FIGURES, 0) | {"offered": 2}
    async with database.writing() as connection:
        await connection.execute(update(inquiry_counts).where(inquiry_counts.c.unit == DAY).values(number=7))
        await connection.execute(delete(inquiry_counts).where(inquiry_counts.c.unit == HOUR))
        await connection.execute(insert(call_counts).values(row))

    found = await recount(database, at=5, started_by="hand")
    again = await recount(database, at=6, started_by="night")

    assert found.events == 3
    assert {(each.source, each.key[0], each.kept[0], each.counted[0]) for each in found.differences} == {
        ("inquiries", HOUR, 0, 3),
        ("inquiries", DAY, 7, 3),
        ("calls", HOUR, 2, 0),
    }
    assert again.differences == ()
    assert await kept_inquiries(database) == await plain_inquiries(database)
    assert await kept_calls(database) == {}
    written = await rows(database, count_checks)
    assert [(check["at"], check["started_by"], check["differences"]) for check in written] == [
        (5, "hand", 3),
        (6, "night", 0),
    ]


async def test_a_day_that_was_known_whole_changes_with_a_trace(shop: Shop):
    database = shop.database
    yesterday, today = NOW - timedelta(days=1), NOW
    await shop.write(reading(msgspec.structs.replace(an_inquiry("Q1"), asked_at=yesterday)))
    async with database.writing() as connection:
        await connection.execute(insert(feed_states).values(shop_id=shop.id, feed="inquiries", data_as_of=to_ms(NOW)))

    # One comes late to yesterday, one is of today, one is corrected from yesterday to the day before.
    await shop.write(reading(msgspec.structs.replace(an_inquiry("Q2"), asked_at=yesterday)), reading(an_inquiry("Q3")))
    await shop.write(
        reading(msgspec.structs.replace(an_inquiry("Q1"), asked_at=yesterday - timedelta(days=1), text="again"))
    )

    async with database.reading() as connection:
        found = (await connection.execute(select(count_changes).order_by(count_changes.c.id))).all()
    assert today.astimezone(SEOUL).date() != yesterday.astimezone(SEOUL).date()
    assert [
        (row.source, row.what, (from_ms(row.starts_at) or NOW).astimezone(SEOUL).day, row.change) for row in found
    ] == [
        ("inquiries", "shop-a", 9, 1),
        ("inquiries", "shop-a", 8, 1),
        ("inquiries", "shop-a", 9, -1),
    ]


def test_a_day_begins_at_midnight_in_seoul():
    midnight = to_ms(datetime(2026, 3, 9, 15, tzinfo=UTC)) or 0
    assert [start_of(at, DAY) for at in (midnight - 1, midnight)] == [midnight - 24 * HOUR_MS, midnight]
    assert start_of(midnight + 1, HOUR) == midnight


def test_the_kept_figures_are_those_of_the_reports():
    assert tuple(figure.value for figure in COLUMNS) == CALL_FIGURES


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await a_shop(database)
