"""A mall that is down is left alone by the schedule, tried at growing intervals, and never by two at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from hub.core.contract import CallCounts, Capability, Feed, OpenKeys, Page, Span
from hub.core.errors import AccessError, MallError, RateLimitedError, UnavailableError
from hub.core.model import ShopRef
from hub.store.database import Database
from hub.store.shops import ShopRow, ShopStore
from hub.sync.breaker import Breaker, BreakerState, pause_after
from hub.sync.run import ShopReport, ShopRun
from tests.desk.invented import manifest

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ONE_FEED = msgspec.structs.replace(manifest("alpha", "A"), feeds={Feed.ORDERS: Capability.READ_ORDERS})
DOWN = UnavailableError("down")


class Mall:
    """Answers with nothing, or with ``error``; counts how often it was asked."""

    shop = ShopRef(name="main", mall="alpha")

    def __init__(self) -> None:
        self.unknown_codes: dict[str, int] = {}
        self.calls = CallCounts()
        self.error: MallError | None = DOWN
        self.asked = 0

    async def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        del span, open_keys, cursor
        self.asked += 1
        if self.error is not None:
            raise self.error
        yield Page(readings=(), cursor="1")


class Desk:
    """One shop under a clock of its own."""

    def __init__(self, database: Database, shop: ShopRow) -> None:
        self.database = database
        self.shop = shop
        self.mall = Mall()
        self.at = NOON

    def breaker(self) -> Breaker:
        return Breaker(self.database, self.shop.id, now=lambda: self.at)

    async def run(self, *, is_scheduled: bool = True) -> ShopReport:
        mall: Any = self.mall
        run = ShopRun(
            self.database,
            shop=self.shop,
            manifest=ONE_FEED,
            connector=mall,
            clocks=(),
            first_read_days=90,
            now=lambda: self.at,
        )
        return await run.run(is_scheduled=is_scheduled)

    async def state(self) -> BreakerState:
        return (await self.breaker().view()).state


@pytest.fixture
async def desk(database: Database) -> Desk:
    store = ShopStore(database)
    await store.put(name="main", mall="alpha", base_url=None, credentials={}, now=NOON)
    return Desk(database, await store.named("main"))


async def test_one_outage_is_a_hiccup_two_in_a_row_open_it(desk: Desk) -> None:
    await desk.run()
    assert await desk.state() is BreakerState.CLOSED
    desk.at += timedelta(minutes=5)
    await desk.run()

    view = await desk.breaker().view()

    assert (view.state, view.since, view.kind) == (BreakerState.OPEN, NOON, "unavailable")
    assert view.next_try == desk.at + pause_after(2)


async def test_a_success_between_outages_counts_anew(desk: Desk) -> None:
    for error in (DOWN, None, DOWN):
        desk.mall.error = error
        await desk.run()

    assert await desk.state() is BreakerState.CLOSED


async def test_the_schedule_does_not_knock_while_it_is_open(desk: Desk) -> None:
    await desk.run()
    await desk.run()
    asked = desk.mall.asked

    reports = [await desk.run() for _ in range(5)]

    assert desk.mall.asked == asked
    assert {report.complete for report in reports} == {False}
    error = reports[0].error
    assert error is not None
    assert (error.kind, "down since" in error.message) == ("unavailable", True)


async def test_intervals_grow_and_are_bounded(desk: Desk) -> None:
    """A worker that comes every minute for five hours: few tries, and the last ones half an hour apart."""
    tried_at = []
    for _ in range(5 * 60):
        before = desk.mall.asked
        await desk.run()
        if desk.mall.asked > before:
            tried_at.append(desk.at)
        desk.at += timedelta(minutes=1)

    gaps = [later - earlier for earlier, later in pairwise(tried_at)]
    assert gaps[:6] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 30)]
    assert set(gaps[6:]) == {timedelta(minutes=30)}


async def test_a_try_that_succeeds_closes_it(desk: Desk) -> None:
    await desk.run()
    await desk.run()
    desk.at += pause_after(2)
    assert await desk.state() is BreakerState.HALF_OPEN
    desk.mall.error = None

    report = await desk.run()

    assert (report.complete, await desk.state()) == (True, BreakerState.CLOSED)
    assert (await desk.run()).complete


async def test_only_one_of_many_gets_the_try(desk: Desk) -> None:
    await desk.run()
    await desk.run()
    desk.at += pause_after(2)

    through = await asyncio.gather(*(desk.breaker().let_through() for _ in range(8)))

    assert sum(through) == 1


async def test_a_person_always_tries_and_the_outcome_counts(desk: Desk) -> None:
    await desk.run()
    await desk.run()
    asked = desk.mall.asked

    await desk.run(is_scheduled=False)
    assert desk.mall.asked == asked + 1
    assert await desk.state() is BreakerState.OPEN
    desk.mall.error = None
    await desk.run(is_scheduled=False)

    assert await desk.state() is BreakerState.CLOSED


async def test_a_mall_that_refuses_is_there(desk: Desk) -> None:
    await desk.run()
    desk.mall.error = AccessError("no")
    for _ in range(4):
        await desk.run()

    assert await desk.state() is BreakerState.CLOSED
    assert desk.mall.asked == 5


async def test_the_pause_that_a_mall_asks_for_is_kept(desk: Desk) -> None:
    desk.mall.error = RateLimitedError("slow down", wait_seconds=3600)
    await desk.run()
    await desk.run()

    view = await desk.breaker().view()

    assert view.next_try == NOON + timedelta(hours=1)
