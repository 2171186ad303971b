"""The store beside the mall's own count: by day, read again where it differs, said aloud where it still does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hub.core.contract import CallCounts, Capability, Feed, OpenKeys, Page, Reading, Span
from hub.core.errors import UnavailableError
from hub.core.model import Order, ShopRef
from hub.desk.shops.gaps import DayGap, read_day_gaps
from hub.store.database import Database
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import feed_states, lines, orders, reconciliations
from hub.sync.reconcile import MOST_DAYS, days_before
from hub.sync.run import ShopReport, ShopRun
from tests.desk.invented import line, manifest, order
from tests.store.shapes import rows

SEOUL = ZoneInfo("Asia/Seoul")
NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ONE_FEED = msgspec.structs.replace(manifest("alpha", "A"), feeds={Feed.ORDERS: Capability.READ_ORDERS})


class Counting:
    """A mall that counts all of ``truth`` and, in a list of many days, forgets those of ``hidden``."""

    shop = ShopRef(name="main", mall="alpha")

    def __init__(self) -> None:
        self.unknown_codes: dict[str, int] = {}
        self.calls = CallCounts()
        self.truth: dict[str, datetime] = {}
        self.hidden: set[str] = set()
        #: never listed, not even by day
        self.lost: set[str] = set()
        self.broken: set[str] = set()
        self.read_days: list[str] = []
        self.counted = 0
        self.fails_after: int | None = None

    async def count_orders(self, since: datetime, until: datetime) -> int:
        if self.counted == self.fails_after:
            message = "down"
            raise UnavailableError(message)
        self.counted += 1
        return sum(since <= at < until for at in self.truth.values())

    async def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        del open_keys, cursor
        is_day = span.until - span.since <= timedelta(days=1)
        if is_day:
            self.read_days.append(span.since.astimezone(SEOUL).date().isoformat())
        shown = [
            number
            for number, at in self.truth.items()
            if span.since <= at < span.until and number not in self.lost and (is_day or number not in self.hidden)
        ]
        yield Page(readings=tuple(self._reading(number) for number in shown), cursor="1")

    def _reading(self, number: str) -> Reading:
        if number in self.broken:
            return Reading(key=number, raw=b"{}", error="a date is none")
        record: Order = order(number, line(f"{number}-1"), ordered_at=self.truth[number])
        return Reading(key=number, raw=b"{}", record=record)


@pytest.fixture
async def shop(database: Database) -> ShopRow:
    store = ShopStore(database)
    await store.put(name="main", mall="alpha", base_url=None, credentials={}, now=NOON)
    return await store.named("main")


@pytest.fixture
def mall() -> Counting:
    """Three orders a day for a fortnight, the first and the last second of the day among them."""
    made = Counting()
    for days in range(1, 15):
        start = datetime(2026, 11, 22, tzinfo=SEOUL) - timedelta(days=days)
        for place, hours in enumerate((timedelta(), timedelta(hours=12), timedelta(hours=24, seconds=-1))):
            made.truth[f"{days:02}-{place}"] = start + hours
    return made


async def night(database: Database, shop: ShopRow, mall: Any, *, full: bool = True) -> ShopReport:
    run = ShopRun(
        database, shop=shop, manifest=ONE_FEED, connector=mall, clocks=(), first_read_days=90, now=lambda: NOON
    )
    return await run.run(full=full, is_scheduled=True)


async def gaps(database: Database, shop: ShopRow) -> list[DayGap]:
    async with database.reading() as connection:
        return list(await read_day_gaps(connection, shop_id=shop.id, feed=Feed.ORDERS))


async def test_equal_days_are_left_alone(database: Database, shop: ShopRow, mall: Counting) -> None:
    report = await night(database, shop, mall)

    assert report.complete
    assert (mall.counted, mall.read_days, await gaps(database, shop)) == (90, [], [])
    stored = {row["day"]: (row["listed"], row["held"]) for row in await rows(database, reconciliations)}
    assert (len(stored), stored["2026-11-21"], stored["2026-11-08"], stored["2026-11-07"]) == (
        90,
        (3, 3),
        (3, 3),
        (0, 0),
    )


async def test_a_day_that_differs_is_read_again_and_whole(database: Database, shop: ShopRow, mall: Counting) -> None:
    mall.hidden = {"03-0", "03-2", "09-1"}

    report = await night(database, shop, mall)

    assert mall.read_days == ["2026-11-19", "2026-11-13"]
    assert await gaps(database, shop) == []
    assert {row["order_no"] for row in await rows(database, orders)} == set(mall.truth)
    assert report.feeds[0].new == len(mall.truth)


async def test_what_still_differs_is_named_with_its_day(database: Database, shop: ShopRow, mall: Counting) -> None:
    mall.lost = {"05-0", "05-1"}

    await night(database, shop, mall)

    assert await gaps(database, shop) == [DayGap(day="2026-11-17", listed=3, held=1)]
    mall.lost = set()
    await night(database, shop, mall)
    assert await gaps(database, shop) == []


async def test_no_more_days_are_read_again_than_a_night_allows(
    database: Database, shop: ShopRow, mall: Counting
) -> None:
    mall.hidden = {number for number in mall.truth if number.endswith("-1")}

    await night(database, shop, mall)

    assert len(mall.read_days) == MOST_DAYS
    assert len(await gaps(database, shop)) == 14 - MOST_DAYS


async def test_what_the_mall_knows_no_more_does_not_hide_what_lacks(
    database: Database, shop: ShopRow, mall: Counting
) -> None:
    mall.hidden = {"04-1"}
    await night(database, shop, mall, full=False)
    async with database.writing() as connection:
        await connection.execute(lines.update().where(lines.c.line_no == "04-0-1").values(vanished_at=1))
    del mall.truth["04-0"]

    await night(database, shop, mall)

    assert mall.read_days == ["2026-11-18"]
    assert await gaps(database, shop) == []


async def test_a_count_that_fails_is_said_and_keeps_what_was_compared(
    database: Database, shop: ShopRow, mall: Counting
) -> None:
    mall.fails_after = 7

    report = await night(database, shop, mall)

    assert report.error is not None
    assert (report.complete, report.error.kind) == (False, "unavailable")
    assert len(await rows(database, reconciliations)) == 7


async def test_a_run_for_changes_counts_nothing(database: Database, shop: ShopRow, mall: Counting) -> None:
    await night(database, shop, mall, full=False)

    assert mall.counted == 0


async def test_the_list_of_a_full_run_stands_beside_what_is_held(
    database: Database, shop: ShopRow, mall: Counting
) -> None:
    mall.broken = {"02-0", "02-1"}

    await night(database, shop, mall)

    (state,) = await rows(database, feed_states)
    assert (state["listed"], state["listed_held"]) == (42, 40)
    mall.broken = set()
    await night(database, shop, mall)
    (state,) = await rows(database, feed_states)
    assert (state["listed"], state["listed_held"]) == (42, 42)


def test_days_are_those_of_the_mall_and_leave_today_out() -> None:
    days = days_before(datetime(2026, 11, 21, 15, 30, tzinfo=UTC), count=2, zone=SEOUL)

    assert [day.name for day in days] == ["2026-11-21", "2026-11-20"]
    assert days[0].since == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert days[0].until == days[0].since + timedelta(days=1) == datetime(2026, 11, 21, 15, tzinfo=UTC)
