"""Replay: a mended mapping reaches what is stored, and nothing else moves."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.cafe24 import mapping as cafe24
from connectors.qoo10 import mapping as qoo10
from connectors.smartstore import mapping as smartstore
from hub.bootstrap import Hub
from hub.core.contract import Feed
from hub.core.model import LineStatus
from hub.store.tables import claims, feed_states, inquiries, lines, orders, raw_payloads, status_changes
from hub.sync import replay as replaying
from hub.sync.replay import Replay, ReplayReport, replay_shop
from tests.sync.mall_town import Town, assert_complete

_TABLES = (orders, lines, claims, inquiries, raw_payloads, feed_states)
_SHOPS = ("main-cafe24", "main-qoo10", "main-smartstore")


async def image(hub: Hub) -> dict[str, dict[tuple[Any, ...], Mapping[str, Any]]]:
    """Every row of the records as it stands; sealed values are left out, they differ whenever they are sealed."""
    found = {}
    async with hub.database.reading() as connection:
        for table in _TABLES:
            rows = (await connection.execute(select(table))).mappings().all()
            found[table.name] = {
                tuple(row[column.name] for column in table.primary_key): {
                    name: value for name, value in row.items() if not name.endswith("sealed")
                }
                for row in rows
            }
    return found


async def replay(hub: Hub, shop: str, *, is_written: bool = False, feed: Feed | None = None) -> ReplayReport:
    return await replay_shop(hub, await hub.shop_store.named(shop), is_written=is_written, feed=feed)


def differing(before: Any, after: Any) -> set[tuple[str, str]]:
    """(table, column) of everything that is not as it was."""
    assert {name: rows.keys() for name, rows in before.items()} == {name: rows.keys() for name, rows in after.items()}
    return {
        (table, column)
        for table, rows in before.items()
        for key, row in rows.items()
        for column, value in row.items()
        if after[table][key][column] != value
    }


def misread(patch: pytest.MonkeyPatch) -> None:
    """Another meaning of one word of each mall: what was ``preparing`` is ``paid``, at one mall what was sent."""

    def changed(table: Any) -> dict[Any, Any]:
        return {code: LineStatus.PAID if found is LineStatus.PREPARING else found for code, found in table.items()}

    def status(*about: Any) -> LineStatus:
        found = line_status(*about)
        return LineStatus.PAID if found is LineStatus.DISPATCHED else found

    line_status = smartstore._line_status
    patch.setattr(smartstore, "_line_status", status)
    patch.setattr(cafe24, "PLAIN_STATUS", changed(cafe24.PLAIN_STATUS))
    patch.setattr(qoo10.codes, "LINE_STATUS", changed(qoo10.codes.LINE_STATUS))


async def test_what_was_just_read_shows_no_difference(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=300)
    async with town.hub(tmp_path, database_url) as hub:
        assert_complete(await hub.sync())
        before = await image(hub)

        for shop in _SHOPS:
            report = await replay(hub, shop, is_written=True)

            assert report.complete
            assert (report.new, report.changed, report.columns, report.examples) == (0, 0, {}, [])
            assert {feed.feed: feed.payloads - feed.same for feed in report.feeds} == dict.fromkeys(
                (feed.feed for feed in report.feeds), 0
            )
            assert sum(feed.payloads for feed in report.feeds) > 50
        assert await image(hub) == before


@pytest.mark.parametrize(
    ("shop", "status"), list(zip(_SHOPS, ("preparing", "preparing", "dispatched"), strict=True)), ids=_SHOPS
)
async def test_a_changed_mapping_is_shown_then_written_and_nothing_else(
    tmp_path: Path, database_url: str, shop: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=300)
    async with town.hub(tmp_path, database_url) as hub:
        assert_complete(await hub.sync())
        before = await image(hub)
        calls = len(town.lines[shop.removeprefix("main-")].calls)
        shop_id = (await hub.shop_store.named(shop)).id
        moving = {
            key for key, row in before["order_lines"].items() if row["shop_id"] == shop_id and row["status"] == status
        }
        assert moving
        misread(monkeypatch)

        shown = await replay(hub, shop)

        assert await image(hub) == before
        assert not shown.written
        assert shown.columns == {"line.status": len(moving)}
        assert (shown.new, shown.changed) == (0, len(moving))
        assert {(each.column, each.before, each.after) for each in shown.examples} == {("status", status, "paid")}

        written = await replay(hub, shop, is_written=True)

        assert written.written
        assert (written.columns, written.changed) == (shown.columns, shown.changed)
        after = await image(hub)
        assert differing(before, after) == {("order_lines", "status"), ("order_lines", "content_hash")}
        moved = {key for key, row in after["order_lines"].items() if row != before["order_lines"][key]}
        assert moved == moving
        async with hub.database.reading() as connection:
            seen = (await connection.execute(select(status_changes.c.subject_id, status_changes.c.to_status))).all()
        assert {(row.subject_id,) for row in seen if row.to_status == "paid"} >= moving

        again = await replay(hub, shop, is_written=True)

        assert (again.new, again.changed, again.columns) == (0, 0, {})
        assert await image(hub) == after
        assert len(town.lines[shop.removeprefix("main-")].calls) == calls


async def test_a_person_is_never_in_an_example(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        read = cafe24.text
        monkeypatch.setattr(cafe24, "text", lambda value: f"{found} 님" if (found := read(value)) else None)

        report = await replay(hub, "main-cafe24")

        assert report.columns["order.buyer"]
        people = [each for each in report.examples if each.column in {"buyer", "receiver", "delivery_message"}]
        assert people
        assert {each.after for each in people} == {"•••"}
        names = {order.buyer.name for order in town.world.orders("main-cafe24")}
        assert not [each for each in report.examples if any(name in str(each.after) for name in names)]


async def test_a_killed_replay_is_simply_run_again(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=300)
    async with town.hub(tmp_path, database_url) as hub:
        assert_complete(await hub.sync())
        misread(monkeypatch)
        monkeypatch.setattr(replaying, "_PAGE", 10)
        whole = await replay(hub, "main-cafe24")
        take = Replay._take

        async def dies(self: Replay, *about: Any) -> None:
            is_something_written = self._differences.changed > 0
            await take(self, *about)
            if is_something_written:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Replay, "_take", dies)
            with pytest.raises(KeyboardInterrupt):
                await replay(hub, "main-cafe24", is_written=True)

        rest = await replay(hub, "main-cafe24", is_written=True)

        assert 0 < rest.changed < whole.changed
        assert (await replay(hub, "main-cafe24")).changed == 0


async def test_a_payload_that_reads_no_more_is_told_and_its_record_stays(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        before = await image(hub)

        def refuse(*_about: Any, **_more: Any) -> None:
            raise cafe24.MalformedResponseError("not so", path="order_date")

        monkeypatch.setattr("connectors.cafe24.payload.map_order", refuse)
        report = await replay(hub, "main-cafe24", is_written=True, feed=Feed.ORDERS)

        assert not report.complete
        (feed,) = report.feeds
        assert feed.unreadable == feed.payloads > 0
        assert "not so" in report.unreadable[0].error
        assert await image(hub) == before


async def test_what_the_hub_learnt_later_is_not_overwritten(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that its list dropped was looked up by number: the older row of the list says less."""
    town = Town(orders=400)
    async with town.hub(tmp_path, database_url) as hub:
        assert_complete(await hub.sync())
        town.clock.pass_time(timedelta(hours=24))
        assert_complete(await hub.sync())
        await town.assert_true(hub)
        misread(monkeypatch)
        before = await image(hub)

        await replay(hub, "main-qoo10", is_written=True)
        monkeypatch.undo()
        await replay(hub, "main-qoo10", is_written=True)

        await town.assert_true(hub)
        assert differing(before, await image(hub)) <= {("order_lines", "content_hash")}
