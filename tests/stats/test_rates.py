"""Rates per 100 order lines: bounds in time, and an order that two shops delivered counts once."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.stats.dimension import Dimension
from hub.stats.rates import Rate, rates_per_100_lines
from hub.stats.report import read_report
from hub.store.database import Database
from hub.store.twins import link_twins
from tests.store.shapes import NOW, Shop, a_claim, a_line, a_shop, an_inquiry, an_order, reading


@pytest.fixture
async def builder(database: Database) -> Shop:
    """Four lines, two of them a copy; one claim on each order, one inquiry about each and one about none."""
    shop = await a_shop(database, "builder", "cafe24")
    await shop.write(
        reading(
            an_order(a_line("1"), a_line("2"), order_no="B1", claims=(a_claim("1/c", order_no="B1", line_no="1"),))
        ),
        reading(
            an_order(
                a_line("3"),
                a_line("4"),
                order_no="B2",
                market="smartstore",
                market_order_no="S1",
                claims=(a_claim("3/c", order_no="B2", line_no="3"),),
            )
        ),
        reading(an_inquiry("Q1", order_no="B1")),
        reading(an_inquiry("Q2", order_no="B2")),
        reading(an_inquiry("Q3")),
    )
    return shop


@pytest.fixture
async def store(builder: Shop) -> Shop:
    shop = await a_shop(builder.database, "store", "smartstore")
    await shop.write(reading(an_order(a_line("S1-1"), a_line("S1-2"), order_no="S1")))
    return shop


async def tie(shop: Shop) -> None:
    async with shop.database.writing() as connection:
        assert await link_twins(shop.database, connection, shop_id=shop.id, mall="smartstore") == 1


def a_rate(mall: str, shop: str, order_lines: int, inquiries: int, claims: int) -> Rate:
    return Rate(mall=mall, shop=shop, order_lines=order_lines, inquiries=inquiries, claims=claims)


async def test_a_pair_counts_once_where_it_was_placed(store: Shop) -> None:
    before = await rates_per_100_lines(store.database)
    await tie(store)
    after = await rates_per_100_lines(store.database)

    assert before == [a_rate("cafe24", "builder", 4, 3, 2), a_rate("smartstore", "store", 2, 0, 0)]
    assert after == [a_rate("cafe24", "builder", 2, 2, 1), a_rate("smartstore", "store", 2, 0, 0)]
    assert (after[0].inquiries_per_100, after[0].claims_per_100) == (100.0, 50.0)


async def test_bounds_are_half_open(builder: Shop) -> None:
    at = await rates_per_100_lines(builder.database, since=NOW, until=NOW + timedelta(milliseconds=1))
    before = await rates_per_100_lines(builder.database, since=NOW - timedelta(days=1), until=NOW)

    assert [(rate.order_lines, rate.inquiries) for rate in at] == [(4, 3)]
    assert before == []


async def test_a_shop_without_lines_has_no_rate(database: Database) -> None:
    shop = await a_shop(database)
    await shop.write(reading(an_inquiry("Q1")))

    (rate,) = await rates_per_100_lines(database)

    assert (rate.inquiries, rate.inquiries_per_100) == (1, None)


async def test_the_report_adds_shops_up_by_mall(store: Shop) -> None:
    report = await read_report(store.database, name="rates", zone=ZoneInfo("Asia/Seoul"), by="mall")

    assert report.by == (Dimension.MALL.value,)
    assert [tuple(row.values()) for row in report.rows] == [
        ("cafe24", 4, 3, 2, 75.0, 50.0),
        ("smartstore", 2, 0, 0, 0.0, 0.0),
    ]
    assert set(report.definitions) == set(report.columns) - {"mall"}
