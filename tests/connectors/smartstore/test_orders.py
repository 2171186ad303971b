"""The change feed and the details: windows, paging, silent changes, interruption, hostile answers."""

from contextlib import aclosing
from datetime import timedelta

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.contract import OpenKeys, Page, Span
from hub.core.errors import AccessError, MalformedResponseError, MallError, NotFoundAtMallError, UnavailableError

from .conftest import DETAIL, FEED, NOW, Call, Clock, Mall, Secrets, detail, details, feed, kst, open_shop, refusal

DAY = timedelta(days=1)


async def pages(
    shop, *, days: float = 1, full: bool = True, open_lines: tuple[str, ...] = (), cursor: str | None = None
):
    span = Span(since=NOW - timedelta(days=days), until=NOW, is_full=full)
    keys = OpenKeys(orders=tuple(("O" + line_no, (line_no,)) for line_no in open_lines))
    return [page async for page in shop.read_orders(span, open_keys=keys, cursor=cursor)]


def keys(read: list[Page]) -> list[str]:
    return [reading.key for page in read for reading in page.readings]


class FeedOf:
    """A feed with the mall's own rules: one row per line, ordered by time and number, 300 rows a page or fewer."""

    def __init__(self, rows: dict[str, int], *, size: int = 300) -> None:
        self.rows = sorted((kst(NOW - timedelta(seconds=age)), line_no) for line_no, age in rows.items())
        self.size = size

    def __call__(self, call: Call) -> httpx.Response:
        since, until = call.query["lastChangedFrom"], call.query["lastChangedTo"]
        sequence = call.query.get("moreSequence", "")
        found = [row for row in self.rows if since <= row[0] <= until and not (row[0] == since and row[1] < sequence)]
        left = found[self.size] if len(found) > self.size else None
        return feed([line_no for _, line_no in found[: self.size]], left)


async def test_windows_join_stay_within_a_day_and_behind_now(shop, mall):
    await pages(shop, days=3.5)

    windows = [(call.query["lastChangedFrom"], call.query["lastChangedTo"]) for call in mall.called(FEED)]
    assert windows.pop()[0] == kst(NOW - timedelta(minutes=2))
    assert windows[0][0] == kst(NOW - timedelta(days=3.5, minutes=10))
    assert windows[-1][1] == kst(NOW - timedelta(minutes=2))
    assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]
    assert len(windows) == 4
    assert all("lastChangedType" not in call.query for call in mall.called(FEED))


async def test_the_plus_of_the_offset_is_escaped(mall, secrets):
    urls = []
    mall.on(FEED, lambda _: feed([]))
    shop = open_shop(mall, secrets)
    original = shop._http.client._transport.handler
    shop._http.client._transport.handler = lambda request: urls.append(str(request.url)) or original(request)

    await pages(shop)
    await shop.aclose()

    assert all("%2B09" in url and "+09" not in url for url in urls if "lastChangedFrom" in url)


async def test_a_span_that_ended_long_ago_is_read_to_now(shop, mall):
    span = Span(since=NOW - 5 * DAY, until=NOW - 4 * DAY)

    async for _ in shop.read_orders(span, open_keys=OpenKeys(), cursor=None):
        pass

    assert mall.called(FEED)[-1].query["lastChangedTo"] >= kst(NOW - timedelta(minutes=2))


async def test_an_order_of_this_minute_shows_at_once(shop, mall):
    mall.on(FEED, FeedOf({"1": 30}))

    assert keys(await pages(shop)) == ["1"]


async def test_a_mall_whose_clock_is_behind_costs_only_the_last_minute(shop, mall):
    rows = FeedOf({"1": 600, "2": 90, "3": 30})
    late = kst(NOW - timedelta(minutes=1))
    mall.on(FEED, lambda call: refusal(400, "104139") if call.query["lastChangedTo"] > late else rows(call))

    assert set(keys(await pages(shop))) == {"1", "2"}


async def test_an_empty_shop_still_tells_that_it_is_done(shop, mall):
    read = await pages(shop)

    assert keys(read) == []
    assert read[-1].progress == 1.0
    assert mall.called(DETAIL) == []


@pytest.mark.parametrize("count", [1, 299, 300, 301, 600, 601])
async def test_every_line_is_read_once_in_calls_of_at_most_300(shop, mall, count):
    lines = {f"{number:016d}": 700 + number for number in range(count)}
    mall.on(FEED, FeedOf(lines))

    read = await pages(shop)

    assert sorted(keys(read)) == sorted(lines)
    calls = [call.json for call in mall.called(DETAIL)]
    assert all(1 <= len(body["productOrderIds"]) <= 300 for body in calls)
    assert all(body["quantityClaimCompatibility"] is True for body in calls)
    assert len(calls) == -(-count // 300)


async def test_rows_of_one_millisecond_neither_repeat_nor_vanish(shop, mall):
    lines = {f"{number:03d}": 900 for number in range(25)}
    mall.on(FEED, FeedOf(lines, size=4))

    read = await pages(shop)

    assert sorted(keys(read)) == sorted(lines)


@given(
    rows=st.dictionaries(st.integers(0, 10**6).map(str), st.integers(121, 86400 * 4), max_size=60),
    size=st.integers(1, 7),
)
@settings(max_examples=30, deadline=None)
async def test_any_feed_is_read_whole(rows, size):
    clock = Clock()
    mall = Mall(clock)
    mall.on(FEED, FeedOf(rows, size=size))
    mall.on(DETAIL, lambda call: details([detail(no) for no in call.json["productOrderIds"]]))
    shop = open_shop(mall, Secrets())

    read = await pages(shop, days=4)
    await shop.aclose()

    assert set(keys(read)) == set(rows)
    progress = [page.progress for page in read]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


@pytest.mark.parametrize("stop_after", range(1, 8))
async def test_an_interrupted_run_goes_on_right_after_its_last_page(shop, mall, secrets, stop_after):
    lines = {f"{number:04d}": 300 + number * 173 for number in range(2000)}
    mall.on(FEED, FeedOf(lines))
    open_lines = tuple(f"open{number:04d}" for number in range(400))
    span = Span(since=NOW - 5 * DAY, until=NOW)
    known = OpenKeys(orders=tuple(("O", (line_no,)) for line_no in open_lines))

    first: list[Page] = []
    async with aclosing(shop.read_orders(span, open_keys=known, cursor=None)) as stream:
        async for page in stream:
            first.append(page)
            if len(first) == stop_after:
                break
    again = open_shop(mall, secrets)
    mall.clock.at += timedelta(hours=1)
    rest = [page async for page in again.read_orders(span, open_keys=known, cursor=first[-1].cursor)]
    await again.aclose()

    assert set(keys(first)) | set(keys(rest)) == set(lines) | set(open_lines)
    assert len(keys(first)) + len(keys(rest)) <= len(lines) + len(open_lines) + 10


async def test_a_cursor_of_another_version_starts_anew(shop, mall):
    mall.on(FEED, FeedOf({"1": 600}))

    assert keys(await pages(shop, cursor='{"old":"shape"}')) == ["1"]


async def test_lines_that_change_in_silence_are_read_by_number(shop, mall):
    mall.on(FEED, FeedOf({"7": 600}))

    read = await pages(shop, full=False, open_lines=("7", "8", "9"))

    assert keys(read) == ["7", "8", "9"]
    assert [call.json["productOrderIds"] for call in mall.called(DETAIL)] == [["7"], ["8", "9"]]


async def test_a_line_missing_from_the_details_is_asked_again_and_then_reported(shop, mall):
    mall.on(FEED, FeedOf({"1": 600, "2": 500, "3": 400}))
    asked = []

    def answer(call: Call) -> httpx.Response:
        asked.append(call.json["productOrderIds"])
        shown = ["1"] if len(asked) == 1 else ["2"]
        return details([detail(no) for no in shown])

    mall.on(DETAIL, answer)

    (page, *_) = await pages(shop)

    assert asked == [["1", "2", "3"], ["2", "3"]]
    assert [(reading.key, reading.error is None) for reading in page.readings] == [
        ("1", True),
        ("2", True),
        ("3", False),
    ]
    assert page.readings[2].record is None


async def test_one_unknown_number_that_fails_the_whole_call_costs_only_itself(shop, mall):
    lines = [str(number) for number in range(10)]
    mall.on(FEED, FeedOf(dict.fromkeys(lines, 600)))

    def answer(call: Call) -> httpx.Response:
        ids = call.json["productOrderIds"]
        return refusal(400, "100001") if "6" in ids else details([detail(no) for no in ids])

    mall.on(DETAIL, answer)

    read = await pages(shop)

    broken = [reading.key for page in read for reading in page.readings if reading.error]
    assert sorted(keys(read)) == lines
    assert broken == ["6"]


async def test_one_bad_record_stands_alone(shop, mall):
    mall.on(FEED, FeedOf({"1": 600, "2": 500}))
    mall.on(DETAIL, lambda _: details([detail("1"), {**detail("2"), "delivery": 7}, None]))

    (page, *_) = await pages(shop)

    assert [(reading.key, reading.error is None) for reading in page.readings][:2] == [("1", True), ("2", False)]
    assert page.readings[1].raw == msgspec.json.encode({**detail("2"), "delivery": 7})
    assert len(page.readings) == 3


async def test_a_lone_surrogate_does_not_spoil_the_page(shop, mall):
    mall.on(FEED, FeedOf({"1": 600, "2": 500}))
    body = msgspec.json.encode({"data": [detail("1", productName="@"), detail("2")]}).replace(b"@", rb"\ud800")
    mall.on(DETAIL, lambda _: httpx.Response(200, content=body))

    read = await pages(shop)

    assert keys(read) == ["1", "2"]
    assert all(reading.error is None for page in read for reading in page.readings)


async def test_a_row_without_number_is_reported_and_the_rest_goes_on(shop, mall):
    rows = [{"orderId": "1"}, {"productOrderId": "2"}, {"productOrderId": None}, 7]
    mall.on(FEED, lambda _: httpx.Response(200, json={"data": {"lastChangeStatuses": rows}}))

    read = await pages(shop, days=0.5)

    readings = [reading for page in read for reading in page.readings]
    assert {reading.key for reading in readings if reading.error is None} == {"2"}
    assert len({reading.key for reading in readings if reading.error}) == 3


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {}}, {"data": {"lastChangeStatuses": None, "more": None}}], ids=str
)
async def test_a_day_without_changes_may_be_told_in_many_ways(shop, mall, body):
    mall.on(FEED, lambda _: httpx.Response(200, json=body))

    assert keys(await pages(shop)) == []


async def test_a_place_given_twice_is_an_error(shop, mall):
    place = (kst(NOW - timedelta(hours=3)), "5")
    mall.on(FEED, lambda _: feed(["1"], place))

    with pytest.raises(MalformedResponseError):
        await pages(shop)


async def test_places_that_go_in_a_circle_are_an_error(shop, mall):
    places = [(kst(NOW - timedelta(hours=3)), "5"), (kst(NOW - timedelta(hours=2)), "6")]
    mall.on(FEED, lambda call: feed(["1"], places[call.query.get("moreSequence") == "5"]))

    with pytest.raises(MalformedResponseError):
        await pages(shop)


async def test_more_without_rows_is_an_error(shop, mall):
    mall.on(FEED, lambda _: feed([], (kst(NOW - timedelta(hours=3)), "5")))

    with pytest.raises(MalformedResponseError):
        await pages(shop)


@pytest.mark.parametrize("path", [FEED, DETAIL])
async def test_a_call_that_fails_for_good_ends_the_run(shop, mall, path):
    mall.on(FEED, FeedOf({"1": 600}))
    mall.on(path, lambda _: refusal(503, "GW.BLOCK.02"))

    with pytest.raises(UnavailableError):
        await pages(shop)

    assert len(mall.called(path)) == 5


async def test_a_failure_in_the_middle_gives_what_was_read_before_and_leaves_nothing_running(shop, mall):
    lines = {f"{number:04d}": 200 + number * 60 for number in range(1000)}
    mall.on(FEED, FeedOf(lines))
    answered = []

    def answer(call: Call) -> httpx.Response:
        answered.append(call)
        if len(answered) > 2:
            return refusal(403, "GW.IP_NOT_ALLOWED")
        return details([detail(no) for no in call.json["productOrderIds"]])

    mall.on(DETAIL, answer)
    read: list[Page] = []

    with pytest.raises(AccessError):
        async for page in shop.read_orders(Span(since=NOW - DAY, until=NOW), open_keys=OpenKeys(), cursor=None):
            read.append(page)  # noqa: PERF401  what came before the error counts

    assert len(read) == 2
    assert len(keys(read)) == 600


@pytest.mark.parametrize(
    "bad",
    [
        lambda: httpx.Response(200, content=b'{"data":[{"order":'),
        lambda: httpx.Response(200, content=b"<!DOCTYPE html><html>busy</html>"),
        lambda: httpx.Response(200, content=b""),
        lambda: refusal(500, "GW.PROXY.03"),
        lambda: refusal(504, "GW.TIMEOUT.01"),
        lambda: refusal(500, "9999"),
        lambda: refusal(429, "GW.RATE_LIMIT"),
        lambda: httpx.Response(502, content=b"Bad gateway"),
    ],
    ids=["cut off", "html", "empty", "proxy", "gateway time-out", "other", "rate", "no json"],
)
async def test_a_bad_moment_is_waited_for(shop, mall, bad):
    mall.on(FEED, FeedOf({"1": 600}))
    answers = [bad, bad, lambda: details([detail("1")])]
    mall.on(DETAIL, lambda _: answers.pop(0)())

    assert keys(await pages(shop)) == ["1"]
    assert shop.calls.retried == 2


# -- one order


async def test_one_order_by_its_lines_and_by_its_number(shop, mall):
    mall.on(
        "/v1/pay-order/seller/orders/77/product-order-ids", lambda _: httpx.Response(200, json={"data": ["1", "2"]})
    )

    by_lines = await shop.read_order("77", ("1",))
    by_number = await shop.read_order("77", ())

    assert [reading.key for reading in by_lines] == ["1"]
    assert [reading.key for reading in by_number] == ["1", "2"]


@pytest.mark.parametrize(
    "answer",
    [lambda: refusal(400, "100003"), lambda: httpx.Response(200, json={"data": []}), lambda: refusal(404, "100003")],
)
async def test_an_order_the_mall_does_not_know(shop, mall, answer):
    mall.on("/v1/pay-order/seller/orders/77/product-order-ids", lambda _: answer())

    with pytest.raises(NotFoundAtMallError):
        await shop.read_order("77", ())


async def test_lines_the_mall_does_not_show(shop, mall):
    mall.on(DETAIL, lambda _: details([]))

    with pytest.raises(NotFoundAtMallError):
        await shop.read_order("77", ("1",))


async def test_a_hostile_order_number_stays_one_part_of_the_address(shop, mall):
    with pytest.raises(MallError):
        await shop.read_order("../../token?x=1", ())

    assert "?x" not in mall.calls[-1].path or mall.calls[-1].query == {}
    assert mall.calls[-1].query == {}
