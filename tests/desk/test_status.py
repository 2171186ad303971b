"""What a supervisor may rely on: as of when, what lacks and why, whether the mall is there, and when next."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.core.contract import Capability, Feed
from hub.core.errors import UnavailableError
from hub.desk.access import Actor
from hub.desk.shops.cadence import is_stale, next_run
from hub.desk.shops.freshness import Trouble, read_freshness
from hub.desk.shops.gaps import DayGap, Gap, GapReason
from hub.desk.shops.status import FeedStatus, read_status
from hub.registry import Registry
from hub.settings import Settings
from hub.store.database import to_ms
from hub.store.tables import claims, leases, quarantine, reconciliations
from hub.sync.breaker import Breaker
from hub.sync.feed_state import FeedStates
from tests.desk.invented import MANIFESTS, NOW, Rig, claim, order

SETTINGS = Settings(sync_minutes=5, open_minutes=3)


async def orders_of(rig: Rig, shop: str = "alpha-main") -> FeedStatus:
    found = next(each for each in (await read_status(rig)).shops if each.shop == shop)
    return next(feed for feed in found.feeds if feed.feed is Feed.ORDERS)


async def put(rig: Rig, table: Any, **values: Any) -> None:
    async with rig.database.writing() as connection:
        await connection.execute(table.insert().values(**values))


async def quarantined(rig: Rig, *keys: str, shop: str = "alpha-main") -> None:
    for number, key in enumerate(keys):
        await put(
            rig,
            quarantine,
            id=number + 1,
            shop_id=rig.shops[shop].id,
            feed="orders",
            key=key,
            error="a date is none",
            payload_sealed=b"x",
            payload_hash=b"x",
            first_seen_at=1,
            last_seen_at=1,
        )


async def claim_without_line(rig: Rig, *, fetched_at: datetime) -> None:
    named = claim("GONE", "GONE-1")
    await rig.write("alpha-main", order("GONE", claims=(named,)))
    async with rig.database.writing() as connection:
        await connection.execute(
            claims.update().where(claims.c.order_no == "GONE").values(line_no="LOST-1", fetched_at=to_ms(fetched_at))
        )


async def test_what_lacks_has_its_reason(sample: Rig) -> None:
    await quarantined(sample, "20261118-1")
    await claim_without_line(sample, fetched_at=NOW)

    orders = await orders_of(sample)

    assert orders.gaps == [
        Gap(id="20261118-1", reason=GapReason.QUARANTINED),
        Gap(id="LOST-1", reason=GapReason.NAMED_BY_CLAIM),
    ]
    assert (orders.missing, orders.missing_count, orders.quarantined) == (["20261118-1", "LOST-1"], 2, 1)


@pytest.mark.parametrize(
    ("age", "reason"), [(timedelta(hours=1), GapReason.NOT_AT_MALL), (timedelta(), GapReason.NAMED_BY_CLAIM)]
)
async def test_asked_for_and_not_there_is_told_apart(sample: Rig, age: timedelta, reason: GapReason) -> None:
    """Where a mall drops lines without a word, a complete run has asked for each by its number."""
    asks = msgspec.structs.replace(MANIFESTS["alpha"], vanishing_feeds=frozenset({Feed.ORDERS}))
    sample.registry = Registry({**MANIFESTS, "alpha": asks})
    assert Capability.READ_ONE_ORDER in asks.capabilities
    await claim_without_line(sample, fetched_at=NOW - age)

    assert [gap.reason for gap in (await orders_of(sample)).gaps] == [reason]


async def test_a_hundred_are_shown_and_all_counted(sample: Rig) -> None:
    await quarantined(sample, *(f"N{number:03}" for number in range(130)))

    orders = await orders_of(sample)

    assert (len(orders.missing), len(orders.gaps), orders.missing_count, orders.lacking) == (100, 100, 130, 130)
    assert orders.missing[0] == "N000"


async def test_a_day_that_differs_stands_with_both_figures(sample: Rig) -> None:
    shop_id = sample.shops["alpha-main"].id
    for day, listed, held in (("2026-11-17", 310, 308), ("2026-11-18", 5, 5), ("2026-11-19", 7, 8)):
        figures = {"day": day, "listed": listed, "held": held, "checked_at": to_ms(NOW)}
        await put(sample, reconciliations, shop_id=shop_id, feed="orders", **figures)

    orders = await orders_of(sample)

    assert (orders.days, orders.lacking) == ([DayGap(day="2026-11-17", listed=310, held=308)], 2)
    assert (orders.compared_at, orders.complete) == (NOW, True)


async def test_the_malls_list_and_its_quota_are_told_with_their_time(sample: Rig) -> None:
    states = FeedStates(sample.database, sample.shops["alpha-main"].id)
    await states.note_listed(Feed.ORDERS, named=1204, held=1203, at=NOW - timedelta(hours=3))
    await states.note_quota(None, now=NOW)
    await states.note_quota(0.41, now=NOW)

    shop = (await read_status(sample)).shops[0]

    assert (shop.feeds[0].listed, shop.feeds[0].held) == (1204, 1203)
    assert shop.feeds[0].listed_at == NOW - timedelta(hours=3)
    assert shop.quota is not None
    assert (shop.quota.used_share, shop.quota.told_at) == (0.41, NOW)


async def test_the_breaker_is_the_shops_and_says_since_when(sample: Rig) -> None:
    breaker = Breaker(sample.database, sample.shops["japan-main"].id, now=sample.now)
    for _ in range(2):
        await breaker.failed(UnavailableError("down"))
    await put(sample, leases, name="worker:w1", owner="x", until_at=to_ms(NOW + timedelta(hours=9)))

    down, up = await orders_of(sample, "japan-main"), await orders_of(sample)

    assert (down.breaker, down.breaker_since, up.breaker, up.breaker_since) == ("open", NOW, "closed", None)
    assert (up.next_run, down.next_run) == (NOW + timedelta(minutes=3), NOW + timedelta(minutes=3))
    sample.at = NOW + timedelta(minutes=2)
    assert (await orders_of(sample, "japan-main")).breaker == "half_open"


def test_the_next_run_follows_the_feeds_own_cadence() -> None:
    last = NOW - timedelta(minutes=1)

    assert next_run(SETTINGS, Feed.ORDERS, last=last, now=NOW) == NOW + timedelta(minutes=4)
    assert next_run(SETTINGS, Feed.INQUIRIES, last=last, now=NOW) == NOW + timedelta(minutes=2)
    assert next_run(SETTINGS, Feed.ORDERS, last=NOW - timedelta(hours=2), now=NOW) == NOW
    later = NOW + timedelta(minutes=30)
    assert next_run(SETTINGS, Feed.ORDERS, last=last, now=NOW, next_try=later) == later
    assert next_run(SETTINGS, Feed.ORDERS, last=None, now=NOW) is None


@pytest.mark.parametrize(("minutes", "expected"), [(0, False), (10, False), (11, True)])
def test_two_turns_missed_is_stale(minutes: int, expected: bool) -> None:
    as_of = NOW - timedelta(minutes=minutes)

    assert is_stale(SETTINGS, Feed.ORDERS, data_as_of=as_of, now=NOW) is expected
    assert is_stale(SETTINGS, Feed.ORDERS, data_as_of=None, now=NOW) is False


async def test_the_badge_is_as_old_as_the_oldest_that_is_sound(sample: Rig, agent: Actor) -> None:
    fresh = await read_freshness(sample, actor=agent)
    assert (fresh.shops, fresh.as_of, fresh.troubles) == (3, NOW - timedelta(minutes=2), ())

    states = FeedStates(sample.database, sample.shops["alpha-outlet"].id)
    await states.fail([Feed.ORDERS], kind="access", message="no", now=NOW - timedelta(hours=1))
    breaker = Breaker(sample.database, sample.shops["japan-main"].id, now=sample.now)
    for _ in range(2):
        await breaker.failed(UnavailableError("down"))
    await quarantined(sample, "N1")

    told = await read_freshness(sample, actor=agent)

    assert [(each.trouble, each.shop, each.is_only_shop, each.since) for each in told.troubles] == [
        (Trouble.DOWN, "japan-main", True, NOW),
        (Trouble.FAILING, "alpha-outlet", False, NOW - timedelta(hours=1)),
        (Trouble.LACKING, "alpha-main", False, None),
    ]
    assert told.as_of == NOW - timedelta(minutes=2)


async def test_what_nobody_refreshes_is_stale(sample: Rig, agent: Actor) -> None:
    sample.at = NOW + timedelta(hours=1)

    told = await read_freshness(sample, actor=agent)

    assert {each.trouble for each in told.troubles} == {Trouble.STALE}
    assert told.as_of == NOW - timedelta(minutes=2)


async def test_a_shop_never_read_is_named(rig: Rig, agent: Actor) -> None:
    told = await read_freshness(rig, actor=agent)

    assert (told.as_of, {each.trouble for each in told.troubles}) == (None, {Trouble.NEVER})
