"""Shops beside each other: none waits for another's mistake, none sees another's data."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.bootstrap import Hub
from hub.core.errors import ConfigurationError
from hub.desk.export import ExportKind
from hub.store.tables import cases, claims, inquiries, lines
from tests.sync.mall_town import Town, assert_complete, counted, exported


async def number_of_rows(hub: Hub) -> int:
    async with hub.database.reading() as connection:
        return sum(
            [
                await connection.scalar(select(func.count()).select_from(table)) or 0
                for table in (lines, claims, inquiries, cases)
            ]
        )


async def test_two_processes_on_one_shop_take_turns(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=100)
    async with town.hub(tmp_path, database_url) as one, town.hub(tmp_path, database_url, add_shops=False) as other:
        reports = await asyncio.gather(one.sync(["main-cafe24"]), other.sync(["main-cafe24"]))

        for report in reports:
            assert_complete(report)
        new = [sum(counted(report, "new").values()) for report in reports]
        assert min(new) == 0
        assert_complete(await one.sync())
        await town.assert_true(one)


async def test_two_shops_of_one_mall_never_mix(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=100)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync(["main-qoo10"]))
        first = await exported(hub, ExportKind.LINES)
        table = next(table for table in town.tables() if table["mall"] == "qoo10")
        await hub.add_shop(name="second", mall="qoo10", base_url=table["base_url"], credentials=table["credentials"])
        hub._transports = {**hub._transports, "second": hub._transports["main-qoo10"]}

        assert_complete(await hub.sync(["second"]))

        both = await exported(hub, ExportKind.LINES)
        mine = {key[1:]: row for key, row in first.items()}
        theirs = {key[1:]: row for key, row in both.items() if key[0] == "second"}
        assert mine.keys() == theirs.keys()
        assert len(both) == 2 * len(first)
        await hub.shop_store.remove("second")
        assert await exported(hub, ExportKind.LINES) == first


_WRONG = {
    "cafe24": {"refresh_token": "not-the-token"},
    "smartstore": {"client_secret": "$2a$04$wrongwrongwrongwrongwru"},
    "qoo10": {"seller_key": "not-the-key", "api_key": None, "user_id": None, "password": None},
}


@pytest.mark.parametrize("mall", list(_WRONG))
async def test_a_wrong_credential_is_named_and_leaves_nothing(tmp_path: Path, sqlite_url: str, mall: str) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url, add_shops=False) as hub:
        table = next(table for table in town.tables() if table["mall"] == mall)
        credentials = {key: value for key, value in (table["credentials"] | _WRONG[mall]).items() if value is not None}
        await hub.add_shop(name=table["name"], mall=mall, base_url=table["base_url"], credentials=credentials)

        report = await hub.sync()

        (shop,) = report.shops
        assert not shop.complete
        assert shop.error is not None
        assert shop.error.kind == "access"
        for secret in _WRONG[mall].values():
            assert secret is None or secret not in shop.error.message
        assert await number_of_rows(hub) == 0


async def test_a_name_that_is_no_shop_tells_which_there_are(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=10)
    async with town.hub(tmp_path, sqlite_url, add_shops=False) as hub:
        with pytest.raises(ConfigurationError, match="there is no shop"):
            await hub.sync()
    async with town.hub(tmp_path, sqlite_url) as hub:
        with pytest.raises(ConfigurationError, match="main-cafe24, main-qoo10, main-smartstore"):
            await hub.sync(["main"])
