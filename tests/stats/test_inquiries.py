from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from hub.stats.dimension import CALL_DIMENSIONS, INQUIRY_DIMENSIONS, Dimension, read_dimensions
from hub.stats.inquiries import (
    Channel,
    InquiryFilter,
    all_inquiries,
    inquiries_as_of,
    inquiries_per_channel,
    read_inquiries,
)
from hub.stats.span import MAX_DAYS, SpanError, day_span, make_span
from hub.store.database import Database
from tests.stats.rows import random_calls, store_calls, store_inquiries, store_shop

SEOUL = ZoneInfo("Asia/Seoul")
SPAN = day_span(date(2026, 11, 20), date(2026, 11, 22), zone=SEOUL)
KINDS = ("product_inquiry", "order_inquiry", "chat")


def asked(seed: int, count: int) -> list[tuple[str, datetime]]:
    random = Random(seed)
    return [
        (random.choice(KINDS), SPAN.since + timedelta(seconds=random.randrange(-90_000, 4 * 86_400)))
        for _ in range(count)
    ]


async def test_the_cube_counts_every_inquiry_of_the_span_once(database: Database):
    expected: Counter[tuple[date, str, str | None, str]] = Counter()
    for seed, (name, mall) in enumerate([("a", "cafe24"), ("b", "cafe24"), ("c", "qoo10")]):
        found = asked(seed, 150)
        await store_inquiries(database, await store_shop(database, name, mall), found)
        expected.update(
            (at.astimezone(SEOUL).date(), mall, name, kind) for kind, at in found if SPAN.since <= at < SPAN.until
        )
    found_calls = random_calls(2, 200, since=SPAN.since, until=SPAN.until)
    await store_calls(database, found_calls)
    channels = {"order": "call_order", "inquiry": "call_inquiry", None: "call_other"}
    expected.update(
        (datetime.fromtimestamp(call.entered_at, SEOUL).date(), call.mall, None, channels[call.line])
        for call in found_calls
        if call.result
    )

    cube = await inquiries_per_channel(database, since=SPAN.since, until=SPAN.until, by=INQUIRY_DIMENSIONS, zone=SEOUL)
    whole = await inquiries_per_channel(database, since=SPAN.since, until=SPAN.until, by=(), zone=SEOUL)

    assert {(row.day, row.mall, row.shop, row.channel): row.count for row in cube} == expected
    assert [row.count for row in whole] == [sum(expected.values())]


async def test_a_figure_opens_to_its_rows_and_the_file_has_the_same(database: Database):
    for name, mall in (("a", "cafe24"), ("b", "cafe24"), ("c", "qoo10")):
        await store_inquiries(database, await store_shop(database, name, mall), asked(len(name), 130))
    by = (Dimension.MALL, Dimension.SHOP, Dimension.CHANNEL)

    cube = await inquiries_per_channel(database, since=SPAN.since, until=SPAN.until, by=by, zone=SEOUL)

    assert len(cube) == 9
    for cell in cube:
        where = InquiryFilter(mall=cell.mall, shop=cell.shop, channel=cell.channel)
        seen, cursor = [], None
        while True:
            page = await read_inquiries(database, span=SPAN, where=where, cursor=cursor, limit=4)
            seen += [row.inquiry_id for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        filed = [row.inquiry_id async for row in all_inquiries(database, span=SPAN, where=where)]
        assert seen == filed
        assert (page.total, len(set(seen)), len(seen)) == (cell.count, cell.count, cell.count)
        assert all(row.case_id is not None for row in page.rows)


async def test_a_day_begins_at_midnight_in_seoul(database: Database):
    midnight = datetime(2026, 11, 20, 15, tzinfo=UTC)
    shop_id = await store_shop(database, "a", "cafe24")
    await store_inquiries(database, shop_id, [("chat", midnight - timedelta(milliseconds=1)), ("chat", midnight)])

    cube = await inquiries_per_channel(database, by=(Dimension.DAY,), zone=SEOUL)

    assert [(row.day, row.count) for row in cube] == [(date(2026, 11, 20), 1), (date(2026, 11, 21), 1)]


async def test_no_inquiries_give_no_rows(database: Database):
    assert await inquiries_per_channel(database, by=INQUIRY_DIMENSIONS, zone=SEOUL) == []
    assert await inquiries_per_channel(database, since=SPAN.since, until=SPAN.until, by=(), zone=SEOUL) == []


async def test_data_is_as_old_as_the_oldest_shop(database: Database):
    late, early = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    assert await inquiries_as_of(database) is None
    await store_shop(database, "a", "cafe24", inquiries_as_of=late)
    await store_shop(database, "b", "cafe24", inquiries_as_of=early)
    assert await inquiries_as_of(database) == early

    await store_shop(database, "never read", "cafe24")

    assert await inquiries_as_of(database) is None


def test_spans_that_mean_nothing_are_refused():
    day = date(2026, 11, 22)
    for first, last, key in (
        (day, day - timedelta(days=1), "reversed"),
        (day - timedelta(days=MAX_DAYS), day, "too_long"),
        (date.min, date.max, "no_time"),
    ):
        with pytest.raises(SpanError) as caught:
            day_span(first, last, zone=SEOUL)
        assert caught.value.key == key
    assert len(day_span(day - timedelta(days=MAX_DAYS - 1), day, zone=SEOUL).days) == MAX_DAYS
    with pytest.raises(SpanError):
        make_span(since=SPAN.since, until=SPAN.since, zone=SEOUL)


def test_a_span_of_whole_days_knows_its_days_where_the_clock_is_set_back():
    zone = ZoneInfo("America/New_York")
    span = day_span(date(2026, 11, 1), date(2026, 11, 1), zone=zone)

    assert span.days == [date(2026, 11, 1)]
    assert span.until - span.since == timedelta(hours=25)


def test_dimensions_stand_in_the_order_of_the_report():
    assert read_dimensions("channel, Day", allowed=INQUIRY_DIMENSIONS, default=()) == (
        Dimension.DAY,
        Dimension.CHANNEL,
    )
    assert read_dimensions(None, allowed=CALL_DIMENSIONS, default=[Dimension.MALL]) == (Dimension.MALL,)
    with pytest.raises(ValueError, match="'shop' is no dimension"):
        read_dimensions("mall,shop", allowed=CALL_DIMENSIONS, default=())


def test_a_channel_knows_whether_it_is_the_telephone():
    assert {channel for channel in Channel if channel.is_call} == {
        Channel.CALL_ORDER,
        Channel.CALL_INQUIRY,
        Channel.CALL_OTHER,
    }
