"""The counts that are kept tell the same as the events, in every zone, for every span and dimension."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from hub.stats.calls import count_calls_by
from hub.stats.dimension import INQUIRY_TIMES, Dimension
from hub.stats.inquiries import _count_written, inquiries_per_channel
from hub.stats.kept import count_calls, count_written
from hub.store.database import Database
from tests.stats.rows import random_calls, store_calls, store_inquiries, store_shop

SEOUL = ZoneInfo("Asia/Seoul")
#: a clock that is set back in the span, and one that is half an hour off
ZONES = ("Asia/Seoul", "America/New_York", "Asia/Kolkata")
FIRST, LAST = datetime(2026, 10, 30, 15, tzinfo=UTC), datetime(2026, 11, 3, 15, tzinfo=UTC)
SPANS = {
    "days of Seoul": (FIRST, LAST),
    "hours": (FIRST + timedelta(hours=2), LAST - timedelta(hours=5)),
    "within an hour": (FIRST + timedelta(minutes=7), LAST - timedelta(minutes=90)),
    "all there is": (None, None),
}


@pytest.fixture
async def stored(database: Database) -> Database:
    random = Random(7)
    await store_calls(database, random_calls(7, 400, since=FIRST - timedelta(days=1), until=LAST + timedelta(days=1)))
    for name, mall in (("a", "cafe24"), ("b", "qoo10")):
        asked = [
            (random.choice(("chat", "order_inquiry")), FIRST + timedelta(minutes=random.randrange(-1000, 6000)))
            for _ in range(200)
        ]
        await store_inquiries(database, await store_shop(database, name, mall), asked)
    return database


async def test_calls_are_those_that_are_counted_from_the_events(stored: Database):
    ways = ((), (Dimension.MALL, Dimension.LINE, Dimension.HOUR), (Dimension.HANDLING_LINE, Dimension.DAY))
    for zone in map(ZoneInfo, ZONES):
        for name, (since, until) in SPANS.items():
            for by in ways:
                kept = await count_calls(stored, since=since, until=until, zone=zone, by=by)
                plain = await count_calls_by(stored, since=since, until=until, zone=zone, by=by)
                assert kept == plain, (zone.key, name, by)
                assert plain


async def test_inquiries_are_those_that_are_counted_from_the_events(stored: Database):
    for zone in map(ZoneInfo, ZONES):
        for name, (since, until) in SPANS.items():
            for is_hourly in (False, True):
                given = {"since": since, "until": until, "zone": zone, "is_hourly": is_hourly}
                kept = await count_written(stored, **given)
                plain = await _count_written(stored, **given, mall=None, shop=None)
                total = sum(number for *_, number in plain)
                assert (kept is None) == (zone.key == "Asia/Kolkata" or name == "within an hour")
                assert kept is None or sum(number for *_, number in kept) == total > 0


async def test_months_weeks_and_hours_add_up_to_the_days(stored: Database):
    bounds = {"since": FIRST, "until": LAST, "zone": SEOUL}
    days = await inquiries_per_channel(stored, **bounds, by=(Dimension.DAY, Dimension.CHANNEL))
    for dimension in INQUIRY_TIMES:
        found = await inquiries_per_channel(stored, **bounds, by=(dimension, Dimension.CHANNEL))
        assert sum(cell.count for cell in found) == sum(cell.count for cell in days)
    months = await inquiries_per_channel(stored, **bounds, by=(Dimension.MONTH,))
    weeks = await inquiries_per_channel(stored, **bounds, by=(Dimension.WEEK,))
    assert [cell.month for cell in months] == ["2026-10", "2026-11"]
    assert [cell.week for cell in weeks] == [date(2026, 10, 26), date(2026, 11, 2)]
    assert months[0].count == sum(cell.count for cell in days if cell.day and cell.day.month == 10)

    of_mall = await inquiries_per_channel(stored, **bounds, by=(Dimension.MALL, Dimension.SHOP), mall="qoo10")
    of_shop = await inquiries_per_channel(stored, **bounds, by=(Dimension.SHOP,), shop="b")
    assert {cell.mall for cell in of_mall} == {"qoo10"}
    assert [cell.shop for cell in of_shop] == ["b"]
    assert of_shop[0].count == sum(cell.count for cell in of_mall)
