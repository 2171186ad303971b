"""Quarantine: what could not be read leaves it when it can, without a call."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from connectors.cafe24 import order_feed, payload
from hub.bootstrap import Hub
from hub.core.errors import MalformedResponseError
from hub.desk.export import ExportKind
from hub.desk.shops.status import read_status
from hub.sandbox.faults import Fault
from hub.store.tables import quarantine
from hub.sync.quarantine import Retried, list_quarantine, outline, read_payload, retry_quarantine
from tests.sync.mall_town import Town, assert_complete, exported

SHOP = "main-cafe24"


async def retry(hub: Hub, **chosen: Any) -> Retried:
    return await retry_quarantine(hub, await hub.shop_store.named(SHOP), **chosen)


def refuse_some(patch: pytest.MonkeyPatch) -> None:
    """A mapping that stumbles over every third order."""
    read = order_feed.map_order

    def stumble(wire: Any, **more: Any) -> Any:
        if int(str(wire.order_id)[-3:]) % 3 == 0:
            raise MalformedResponseError("a new kind of order", path="order_place_id")
        return read(wire, **more)

    patch.setattr(order_feed, "map_order", stumble)
    patch.setattr(payload, "map_order", stumble)


async def test_a_mended_mapping_empties_the_quarantine(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, database_url) as hub:
        with monkeypatch.context() as patch:
            refuse_some(patch)
            assert_complete(await hub.sync())
            waiting = await list_quarantine(hub.database)
            assert len(waiting) > 2
            calls = len(town.lines["cafe24"].calls)

            in_vain = await retry(hub)

            assert (in_vain.tried, in_vain.resolved) == (len(waiting), 0)
            assert {row.key for row in in_vain.left} == {row.key for row in waiting}
            assert await list_quarantine(hub.database) == waiting

        one = await retry(hub, ids=[waiting[0].id])
        assert (one.tried, one.resolved, one.left) == (1, 1, [])
        assert await list_quarantine(hub.database) == waiting[1:]

        rest = await retry(hub)

        assert (rest.resolved, rest.outdated, rest.left) == (len(waiting) - 1, 0, [])
        assert await list_quarantine(hub.database) == []
        assert len(town.lines["cafe24"].calls) == calls
        await town.assert_true(hub)
        assert (await retry(hub)).tried == 0
        assert (await read_status(hub)).complete


async def test_a_new_reason_takes_the_place_of_the_old_one(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url) as hub:
        with monkeypatch.context() as patch:
            refuse_some(patch)
            assert_complete(await hub.sync([SHOP]))

        def refuse(*_about: Any, **_more: Any) -> None:
            raise MalformedResponseError("another reason")

        monkeypatch.setattr(payload, "map_order", refuse)
        retried = await retry(hub)

        assert {row.error for row in retried.left} == {"another reason"}
        assert {row.error for row in await list_quarantine(hub.database)} == {"another reason"}


@pytest.mark.parametrize(
    ("mall", "path"),
    [("cafe24", "/admin/orders"), ("smartstore", "product-orders/query"), ("qoo10", "GetShippingInfo_v3")],
)
async def test_what_is_broken_at_the_mall_stays(tmp_path: Path, sqlite_url: str, mall: str, path: str) -> None:
    town = Town(orders=60)
    town.faults.only, town.faults.chances = path, {Fault.BAD_RECORD: 1.0}
    async with town.hub(tmp_path, sqlite_url) as hub:
        await hub.sync([f"main-{mall}"])
        waiting = await list_quarantine(hub.database)
        assert waiting

        retried = await retry_quarantine(hub, await hub.shop_store.named(f"main-{mall}"))

        assert (retried.tried, retried.resolved) == (len(waiting), 0)
        assert {row.key for row in await list_quarantine(hub.database)} == {row.key for row in waiting}


async def test_what_was_read_well_since_is_not_overwritten(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, database_url) as hub:
        with monkeypatch.context() as patch:
            refuse_some(patch)
            assert_complete(await hub.sync([SHOP]))
        async with hub.database.reading() as connection:
            rows = (await connection.execute(select(quarantine))).mappings().all()
        assert_complete(await hub.sync(full=True))
        stored = await exported(hub, ExportKind.LINES)
        async with hub.database.writing() as connection:
            # As if the good reading had come under another key.
            await connection.execute(quarantine.update().values(resolved_at=None))

        retried = await retry(hub)

        assert (retried.resolved, retried.left) == (len(rows), [])
        assert retried.outdated == len(rows)
        assert await exported(hub, ExportKind.LINES) == stored


async def test_an_outline_shows_nobody(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url) as hub:
        refuse_some(monkeypatch)
        assert_complete(await hub.sync([SHOP]))
        row = (await list_quarantine(hub.database))[0]
        told = await read_payload(hub.database, row.id)
        order = next(each for each in town.world.orders(SHOP) if each.buyer.name in told.decode())

        shown = msgspec.json.encode(outline(told)).decode()

        assert "order_id" in shown
        assert order.buyer.name not in shown
        assert order.buyer.phone not in shown
        assert outline(b"\xff{") == "no JSON, 2 bytes"
