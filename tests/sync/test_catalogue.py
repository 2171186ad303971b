"""Reading a catalogue: whole or not, it says so; a broken reading goes on; orders do not wait for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core.catalogue import CataloguePage, CatalogueReading, StockItem
from hub.core.errors import AccessError, UnavailableError
from hub.store.database import Database
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import stock_items
from hub.sync.catalogue import BrokenRecord, CatalogueRun, read_catalogue_status
from tests.store.shapes import rows

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Catalogue:
    """A mall with so many products, one a page; breaks before the page ``fails_at``, by ``error``."""

    def __init__(self, products: int, *, fails_at: int | None = None, error: Exception | None = None) -> None:
        self.products = products
        self.fails_at = fails_at
        self.error = error or UnavailableError("down")
        self.asked: list[str | None] = []

    async def read_catalogue(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        self.asked.append(cursor)
        for number in range(int(cursor or 0), self.products):
            if number == self.fails_at:
                raise self.error
            item = StockItem(product_code=f"P{number}", name="찻잔", on_hand=number)
            reading = CatalogueReading(key=item.product_code, record=item)
            yield CataloguePage(readings=(reading,), cursor=str(number + 1), progress=(number + 1) / self.products)


class Broken(Catalogue):
    async def read_catalogue(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        yield CataloguePage(readings=(CatalogueReading(key="P0", error="no name"),), cursor="1")
        async for page in super().read_catalogue(cursor="1"):
            yield page


@pytest.fixture
async def shop(database: Database) -> ShopRow:
    store = ShopStore(database)
    await store.put(name="main", mall="cafe24", base_url=None, credentials={}, now=NOON)
    return await store.named("main")


def run(database: Database, shop: ShopRow, mall: Any, *, at: datetime = NOON, told: Any = None) -> CatalogueRun:
    return CatalogueRun(database, shop=shop, connector=mall, now=lambda: at, on_progress=told)


async def codes(database: Database) -> list[str]:
    return [row["product_code"] for row in await rows(database, stock_items)]


async def test_a_whole_reading_says_what_it_found(database: Database, shop: ShopRow) -> None:
    told: list[Any] = []

    report = await run(database, shop, Catalogue(3), told=lambda *each: told.append(each)).run()
    status = await read_catalogue_status(database, shop)

    assert (report.complete, report.read, report.items, report.new, report.error) == (True, 3, 3, 3, None)
    assert [round(share, 2) for _, share, _ in told] == [0.33, 0.67, 1.0, 1.0]
    assert (status.items, status.data_as_of, status.error, status.broken) == (3, NOON, None, 0)


async def test_a_broken_reading_goes_on_at_its_cursor_and_forgets_nothing(database: Database, shop: ShopRow) -> None:
    await run(database, shop, Catalogue(5)).run()
    mall = Catalogue(4, fails_at=2)

    first = await run(database, shop, mall).run()
    between = await read_catalogue_status(database, shop)
    mall.fails_at = None
    second = await run(database, shop, mall).run()

    assert first.error is not None
    assert (first.complete, first.error.kind, first.read) == (False, "unavailable", 2)
    assert between.error is not None
    assert between.data_as_of == NOON
    assert mall.asked == [None, "2"]
    assert (second.complete, second.read, second.removed) == (True, 2, 0)
    assert (await read_catalogue_status(database, shop)).error is None
    assert len(await codes(database)) == 5


async def test_a_reading_broken_off_long_ago_starts_anew(database: Database, shop: ShopRow) -> None:
    mall = Catalogue(3, fails_at=1)
    await run(database, shop, mall).run()
    mall.fails_at = None

    await run(database, shop, mall, at=NOON + timedelta(days=1)).run()

    assert mall.asked == [None, None]


async def test_what_the_mall_no_longer_lists_is_forgotten(database: Database, shop: ShopRow) -> None:
    await run(database, shop, Catalogue(3)).run()

    report = await run(database, shop, Catalogue(2)).run()

    assert report.removed == 1
    assert await codes(database) == ["P0", "P1"]


async def test_a_record_that_cannot_be_read_is_shown_and_keeps_the_others(database: Database, shop: ShopRow) -> None:
    await run(database, shop, Catalogue(2)).run()

    report = await run(database, shop, Broken(2)).run()
    status = await read_catalogue_status(database, shop)

    assert (report.complete, report.broken, report.removed) == (True, 1, 0)
    assert status.broken_records == [BrokenRecord(key="P0", error="no name")]
    assert await codes(database) == ["P0", "P1"]


async def test_a_missing_right_is_named(database: Database, shop: ShopRow) -> None:
    report = await run(database, shop, Catalogue(2, fails_at=0, error=AccessError("scope mall.read_supply"))).run()

    assert report.error is not None
    assert (report.error.kind, report.error.message) == ("access", "scope mall.read_supply")


async def test_a_mall_without_a_catalogue_says_so(database: Database, shop: ShopRow) -> None:
    report = await run(database, shop, object()).run()

    assert report.error is not None
    assert report.error.kind == "unsupported"


async def test_a_foreign_exception_does_not_show_its_text(database: Database, shop: ShopRow) -> None:
    report = await run(database, shop, Catalogue(1, fails_at=0, error=RuntimeError("홍길동 010-1234-5678"))).run()

    assert report.error is not None
    assert (report.error.kind, report.error.message) == ("internal", "RuntimeError")
