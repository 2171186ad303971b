"""The same order in two shops is recognised once, whichever was read first, and only where it is certain."""

import pytest

from hub.store.database import Database
from hub.store.tables import order_twins, orders
from hub.store.twins import link_twins
from tests.store.shapes import Shop, a_line, a_shop, an_order, reading, rows

NUMBER = "2026112255550011"


@pytest.fixture
async def original(database: Database) -> Shop:
    return await a_shop(database, "store", "smartstore")


async def write_copy(shop: Shop, order_no: str = "C1", *, market: str = "smartstore", number: str = NUMBER) -> None:
    await shop.write(
        reading(an_order(a_line(f"{order_no}-1"), order_no=order_no, market=market, market_order_no=number))
    )


async def write_original(shop: Shop, order_no: str = NUMBER, line_no: str = "7001") -> None:
    await shop.write(reading(an_order(a_line(line_no), order_no=order_no)))


async def tie(shop: Shop, mall: str) -> int:
    async with shop.database.writing() as connection:
        return await link_twins(shop.database, connection, shop_id=shop.id, mall=mall)


async def pairs(shop: Shop) -> list[tuple[str, str]]:
    number_of = {row["id"]: row["order_no"] for row in await rows(shop.database, orders)}
    return sorted(
        (number_of[row["order_id"]], number_of[row["original_id"]]) for row in await rows(shop.database, order_twins)
    )


@pytest.mark.parametrize("is_copy_first", [True, False])
async def test_a_copy_is_tied_whichever_was_read_first(shop: Shop, original: Shop, is_copy_first: bool) -> None:
    if is_copy_first:
        await write_copy(shop)
        assert await tie(shop, "cafe24") == 0
        await write_original(original)
        assert await tie(original, "smartstore") == 1
    else:
        await write_original(original)
        assert await tie(original, "smartstore") == 0
        await write_copy(shop)
        assert await tie(shop, "cafe24") == 1

    assert await pairs(shop) == [("C1", NUMBER)]


async def test_the_markets_number_may_be_that_of_a_line(shop: Shop, original: Shop) -> None:
    await write_original(original, "O-1", line_no=NUMBER)
    await write_copy(shop)

    assert await tie(shop, "cafe24") == 1
    assert await pairs(shop) == [("C1", "O-1")]


async def test_an_order_whose_line_bears_its_own_number_is_one_match(shop: Shop, original: Shop) -> None:
    await write_original(original, NUMBER, line_no=NUMBER)
    await write_copy(shop)

    assert await tie(shop, "cafe24") == 1


async def test_looking_again_writes_nothing(shop: Shop, original: Shop) -> None:
    await write_original(original)
    await write_copy(shop)
    await tie(shop, "cafe24")

    assert await tie(shop, "cafe24") == 0
    assert await tie(original, "smartstore") == 0
    assert await pairs(shop) == [("C1", NUMBER)]


async def test_several_copies_may_have_one_original(shop: Shop, original: Shop) -> None:
    await write_original(original)
    await write_copy(shop, "C1")
    await write_copy(shop, "C2")

    assert await tie(original, "smartstore") == 2


async def test_two_possible_originals_are_none(shop: Shop, original: Shop) -> None:
    second = await a_shop(shop.database, "store-2", "smartstore")
    await write_original(original)
    await write_original(second)
    await write_copy(shop)

    assert await tie(original, "smartstore") == 0
    assert await tie(second, "smartstore") == 0
    assert await tie(shop, "cafe24") == 0


@pytest.mark.parametrize(
    ("market", "number"),
    [("gmarket", NUMBER), ("smartstore", "another"), ("cafe24", NUMBER)],
    ids=["a market that nobody reads", "another number", "its own mall"],
)
async def test_anything_else_is_no_twin(shop: Shop, original: Shop, market: str, number: str) -> None:
    await write_original(original)
    await write_original(shop)
    await write_copy(shop, market=market, number=number)

    assert await tie(shop, "cafe24") == 0
    assert await tie(original, "smartstore") == 0
