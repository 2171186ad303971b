"""A record that a mall no longer lists is gone only when a whole reading and a question by number say so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hub.core.contract import CallCounts, Capability, Feed, OpenKeys, Page, Reading, Span
from hub.core.errors import NotFoundAtMallError, UnavailableError
from hub.core.model import LineStatus, Order, ShopRef
from hub.store.database import Database
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import lines
from hub.sync.run import ShopReport, ShopRun
from tests.desk.invented import line, manifest, order
from tests.store.shapes import rows

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
VANISHING = msgspec.structs.replace(
    manifest("alpha", "A"),
    feeds={Feed.ORDERS: Capability.READ_ORDERS},
    vanishing_feeds=frozenset({Feed.ORDERS}),
)


class Forgetful:
    """Lists the orders ``shown``, one a page; knows by number those of ``known``; breaks before the page ``fails_at``."""

    shop = ShopRef(name="main", mall="alpha")

    def __init__(self) -> None:
        self.unknown_codes: dict[str, int] = {}
        self.calls = CallCounts()
        self.shown = ["A", "B", "C"]
        self.known: dict[str, LineStatus] = {}
        self.fails_at: int | None = None
        self.asked: list[str] = []

    async def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        del span, open_keys
        for place in range(int(cursor or 0), len(self.shown)):
            if place == self.fails_at:
                message = "down"
                raise UnavailableError(message)
            yield Page(readings=(_reading(self.shown[place], LineStatus.PAID),), cursor=str(place + 1))

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        del line_nos
        self.asked.append(order_no)
        if order_no not in self.known:
            message = "no such order"
            raise NotFoundAtMallError(message)
        return (_reading(order_no, self.known[order_no]),)


def _reading(order_no: str, status: LineStatus) -> Reading:
    record: Order = order(order_no, line(f"{order_no}-1", status=status))
    return Reading(key=order_no, raw=b"{}", record=record)


@pytest.fixture
async def shop(database: Database) -> ShopRow:
    store = ShopStore(database)
    await store.put(name="main", mall="alpha", base_url=None, credentials={}, now=NOON)
    return await store.named("main")


async def run(database: Database, shop: ShopRow, mall: Any, *, full: bool = True) -> ShopReport:
    one = ShopRun(
        database, shop=shop, manifest=VANISHING, connector=mall, clocks=(), first_read_days=90, now=lambda: NOON
    )
    return await one.run(full=full)


async def gone(database: Database) -> list[str]:
    return [row["line_no"] for row in await rows(database, lines) if row["vanished_at"] is not None]


async def test_what_a_whole_run_did_not_show_and_nobody_knows_is_gone(database: Database, shop: ShopRow) -> None:
    mall = Forgetful()
    await run(database, shop, mall)
    mall.shown = ["A", "C"]

    report = await run(database, shop, mall)

    assert (report.complete, report.feeds[0].vanished) == (True, 1)
    assert mall.asked == ["B"]
    assert await gone(database) == ["B-1"]


async def test_what_the_mall_still_knows_by_number_is_not_gone(database: Database, shop: ShopRow) -> None:
    mall = Forgetful()
    await run(database, shop, mall)
    mall.shown, mall.known = ["A", "C"], {"B": LineStatus.CANCELLED}

    report = await run(database, shop, mall)

    assert report.feeds[0].vanished == 0
    assert await gone(database) == []
    assert {row["line_no"]: row["status"] for row in await rows(database, lines)}["B-1"] == "cancelled"


@pytest.mark.parametrize("fails_at", [0, 1, 2])
async def test_a_run_that_broke_off_proves_nothing(database: Database, shop: ShopRow, fails_at: int) -> None:
    mall = Forgetful()
    await run(database, shop, mall)
    mall.shown, mall.fails_at = ["A", "C", "D"], fails_at

    broken = await run(database, shop, mall)
    mall.fails_at = None
    continued = await run(database, shop, mall, full=False)

    assert (broken.complete, continued.complete) == (False, True)
    assert mall.asked == []
    assert await gone(database) == []


async def test_a_run_for_changes_proves_nothing(database: Database, shop: ShopRow) -> None:
    mall = Forgetful()
    await run(database, shop, mall)
    mall.shown = []

    await run(database, shop, mall, full=False)

    assert mall.asked == []
    assert await gone(database) == []
