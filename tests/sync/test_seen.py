"""What a run has met is counted and asked for exactly, however long the mall's list is."""

import pytest

from hub.core.contract import Feed
from hub.store.database import Database
from hub.sync import seen
from hub.sync.seen import Listed, Seen
from tests.store.shapes import a_claim, a_line, a_shop, an_inquiry, an_order, broken, reading


@pytest.fixture(autouse=True)
def parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is asked in several parts."""
    monkeypatch.setattr(seen, "_AT_ONCE", 2)


def five(first: int = 1) -> list:
    return [reading(an_order(a_line(f"L{number}"), order_no=f"O{number}")) for number in range(first, first + 5)]


async def test_a_record_met_twice_is_named_once_and_held_as_it_stands(database: Database) -> None:
    shop, other = await a_shop(database), await a_shop(database, "shop-b")
    await shop.write(*five()[:3])
    await other.write(*five())
    with Seen() as met:
        met.note(five(), feed=Feed.ORDERS)
        met.note(five(first=4), feed=Feed.ORDERS)

        listed = await met.listed(database, shop_id=shop.id, feed=Feed.ORDERS)

    assert listed == Listed(named=8, held=3)


async def test_broken_records_are_named_in_their_feed_and_not_held(database: Database) -> None:
    shop = await a_shop(database)
    with Seen() as met:
        met.note([broken("A"), broken("B"), broken("A"), broken("")], feed=Feed.CLAIMS)

        of_claims = await met.listed(database, shop_id=shop.id, feed=Feed.CLAIMS)
        of_orders = await met.listed(database, shop_id=shop.id, feed=Feed.ORDERS)

    assert (of_claims, of_orders) == (Listed(named=3, held=0), Listed(named=0, held=0))


async def test_every_kind_is_apart_and_claims_inside_orders_count(database: Database) -> None:
    shop = await a_shop(database)
    inside = an_order(claims=(a_claim("L1/C1"),))
    readings = [reading(inside), reading(a_claim("L2/C1", line_no="L2")), reading(an_inquiry("L1"))]
    await shop.write(*readings)
    with Seen() as met:
        met.note(readings, feed=Feed.ORDERS)

        listed = [await met.listed(database, shop_id=shop.id, feed=feed) for feed in Feed]

    assert dict(zip(Feed, listed, strict=True)) == {
        Feed.ORDERS: Listed(named=1, held=1),
        Feed.CLAIMS: Listed(named=2, held=2),
        Feed.INQUIRIES: Listed(named=1, held=1),
    }


def test_what_was_not_met_is_lacking() -> None:
    with Seen() as met:
        met.note(five(), feed=Feed.ORDERS)

        lacking = met.lacks(Feed.ORDERS, ["L1", "L6", "L2", "L3", "L7", "L5"])

    assert lacking == {"L6", "L7"}


def test_a_key_counts_as_the_store_has_it() -> None:
    with Seen() as met:
        met.note([reading(an_order(a_line("L\0001")))], feed=Feed.ORDERS)

        lacking = met.lacks(Feed.ORDERS, ["L1"])

    assert lacking == set()


def test_a_run_that_met_nothing_lacks_everything() -> None:
    with Seen() as met:
        assert met.lacks(Feed.CLAIMS, ["C1"]) == {"C1"}
