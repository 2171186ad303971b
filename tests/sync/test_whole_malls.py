"""Nothing is lost: after each run the exports equal what is true at every mall, row by row, field by field."""

from datetime import timedelta
from pathlib import Path

import pytest

from hub.core.contract import Feed
from hub.desk.shops.status import read_status
from tests.sync.mall_town import Town, assert_complete, counted

#: hours that pass between two runs of changes
_STEPS = (2, 7, 12, 24, 26)


async def test_three_thousand_orders_and_the_days_after_them(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=3_000)
    async with town.hub(tmp_path, database_url) as hub:
        first = await hub.sync()
        assert_complete(first)
        await town.assert_true(hub)

        again = await hub.sync()
        assert_complete(again)
        assert (counted(again, "new"), counted(again, "changed"), counted(again, "vanished")) == ({}, {}, {})

        moved: set[tuple[str, Feed]] = set()
        for hours in _STEPS:
            town.clock.pass_time(timedelta(hours=hours))
            report = await hub.sync()
            assert_complete(report)
            await town.assert_true(hub)
            moved |= counted(report, "new").keys() | counted(report, "changed").keys()
        assert moved == {(shop, feed) for shop in town.world.shops for feed in Feed}

        full = await hub.sync(full=True)
        assert_complete(full)
        assert (counted(full, "new"), counted(full, "changed"), counted(full, "vanished")) == ({}, {}, {})

        status = await read_status(hub)
        assert status.complete
        assert {(shop.shop, feed.feed, feed.missing_count) for shop in status.shops for feed in shop.feeds} == {
            (shop, feed, 0) for shop in town.world.shops for feed in Feed
        }


@pytest.mark.parametrize("seed", [3, 4])
async def test_other_worlds_are_read_as_truly(tmp_path: Path, sqlite_url: str, seed: int) -> None:
    town = Town(orders=1_000, seed=seed)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        await town.assert_true(hub)
        assert counted(await hub.sync(), "changed") == {}
        for hours in (6, 24, 30):
            town.clock.pass_time(timedelta(hours=hours))
            assert_complete(await hub.sync())
            await town.assert_true(hub)


async def test_a_report_adds_up(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=200)
    async with town.hub(tmp_path, sqlite_url) as hub:
        started_at = town.clock.now()
        report = await hub.sync()

        for shop in report.shops:
            for feed in shop.feeds:
                assert feed.read == feed.new + feed.changed + feed.unchanged + feed.quarantined
                assert feed.complete
                assert feed.data_as_of is not None
                assert started_at <= feed.data_as_of <= report.finished_at
        tokens = 0  # a call for a token is made below the reading of any feed
        for line in town.lines.values():
            tokens += sum("token" in path or "Certification" in path for _, path in line.calls)
        asked = sum(len(line.calls) for line in town.lines.values())
        assert sum(counted(report, "calls").values()) == asked - tokens
