"""Bad nights: what the malls spoil is read again, never doubled, never lost, and said while it is missing."""

from datetime import timedelta
from pathlib import Path

import pytest

from hub.core.contract import Feed
from hub.desk.export import ExportKind
from hub.desk.shops.status import read_status
from hub.sandbox.faults import Fault
from hub.sync.quarantine import list_quarantine
from tests.sync.mall_town import Town, assert_complete, counted, exported, until_complete

#: chance per call; what is retried within one call may strike more often than what breaks a run off
_CHANCES = {
    Fault.HTTP_500: 0.2,
    Fault.HTTP_429: 0.1,
    Fault.TIMEOUT: 0.15,
    Fault.TRUNCATED_JSON: 0.1,
    Fault.HTML_200: 0.1,
    Fault.DUPLICATE_ROWS: 0.3,
}


@pytest.mark.parametrize("fault", list(_CHANCES))
async def test_a_fault_costs_time_and_nothing_else(tmp_path: Path, sqlite_url: str, fault: Fault) -> None:
    town = Town(orders=150)
    town.faults.chances = {fault: _CHANCES[fault]}
    async with town.hub(tmp_path, sqlite_url) as hub:
        await until_complete(hub, runs=12)
        await town.assert_true(hub)

        town.clock.pass_time(timedelta(hours=20))
        await until_complete(hub, runs=12)
        await town.assert_true(hub)

    assert town.faults.struck[fault] > 3


async def test_all_faults_at_once_on_both_databases(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=150)
    town.faults.chances = {fault: chance / 4 for fault, chance in _CHANCES.items()}
    async with town.hub(tmp_path, database_url) as hub:
        await until_complete(hub, runs=12)
        await town.assert_true(hub)


async def test_rows_that_slip_away_while_paging_come_with_the_next_full_run(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=150)
    town.faults.chances = {Fault.SHIFTING_ROWS: 0.3}
    async with town.hub(tmp_path, sqlite_url) as hub:
        await hub.sync()
        assert town.faults.struck[Fault.SHIFTING_ROWS] > 3

        town.faults.chances = {}
        await until_complete(hub, runs=2)
        assert_complete(await hub.sync(full=True))

        await town.assert_true(hub)


@pytest.mark.parametrize(
    ("mall", "path"),
    [("cafe24", "/admin/orders"), ("smartstore", "product-orders/query"), ("qoo10", "GetShippingInfo_v3")],
)
async def test_a_record_that_cannot_be_read_waits_alone(
    tmp_path: Path, database_url: str, mall: str, path: str
) -> None:
    town = Town(orders=60)
    shop = f"main-{mall}"
    town.faults.only, town.faults.chances = path, {Fault.BAD_RECORD: 1.0}
    async with town.hub(tmp_path, database_url) as hub:
        report = await hub.sync([shop])

        waiting = await list_quarantine(hub.database)
        assert waiting
        assert {row.shop for row in waiting} == {shop}
        assert counted(report, "quarantined")[shop, Feed.ORDERS] >= len(waiting)
        known = {key for key in town.truth(ExportKind.LINES) if key[0] == shop}
        stored = await exported(hub, ExportKind.LINES)
        assert len(known) / 2 < len(stored) < len(known)
        status = next(each for each in (await read_status(hub)).shops if each.shop == shop)
        assert {row.key for row in waiting} <= set(status.feeds[0].missing)

        town.faults.chances = {}
        assert_complete(await hub.sync(full=True))
        assert await list_quarantine(hub.database) == []
        await town.assert_true(hub)


async def test_a_mall_that_is_down_is_named_and_stops_no_other(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=60)
    town.lines["smartstore"].is_down = True
    async with town.hub(tmp_path, sqlite_url) as hub:
        report = await hub.sync()

        shops = {shop.shop: shop for shop in report.shops}
        assert not report.complete
        assert [name for name, shop in shops.items() if not shop.complete] == ["main-smartstore"]
        error = shops["main-smartstore"].error
        assert error is not None
        assert (error.kind, bool(error.message)) == ("unavailable", True)
        status = {shop.shop: shop for shop in (await read_status(hub)).shops}
        assert not status["main-smartstore"].complete
        assert {feed.breaker for feed in status["main-smartstore"].feeds} == {"open"}

        town.lines["smartstore"].is_down = False
        assert_complete(await hub.sync())
        await town.assert_true(hub)


async def test_a_run_that_broke_off_goes_on_at_its_cursor(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=300)
    line = town.lines["smartstore"]

    def cut(_shop: str, feed: Feed, share: float, _read: int) -> None:
        line.is_down = feed is Feed.ORDERS and share > 0.5

    async with town.hub(tmp_path, database_url) as hub:
        assert not (await hub.sync(["main-smartstore"], on_progress=cut)).complete
        first = len(line.calls)
        line.is_down = False
        line.calls.clear()

        assert_complete(await hub.sync())

        assert len(line.calls) < first
        await town.assert_true(hub)
