"""Both lists of questions: pages, moving rows, stretches of days, open questions of long ago."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hub.core.contract import OpenKeys, Page, Span
from hub.core.errors import MalformedResponseError, NotFoundAtMallError, RejectedByMallError
from hub.core.model import Inquiry

from .conftest import INQUIRIES, NOW, QNAS, Call, inquiry, inquiry_page, open_shop, qna, qna_page, refusal


async def pages(shop, *, days: float = 10, full: bool = True, known: tuple[str, ...] = (), cursor: str | None = None):
    span = Span(since=NOW - timedelta(days=days), until=NOW, is_full=full)
    return [page async for page in shop.read_inquiries(span, open_keys=OpenKeys(inquiries=known), cursor=cursor)]


def keys(read: list[Page]) -> list[str]:
    return [reading.key for page in read for reading in page.readings]


def listing(rows: list[dict], size: int):
    """The customer list over ``rows``, ``size`` a page, by day of asking."""

    def answer(call: Call) -> httpx.Response:
        days = call.query["startSearchDate"], call.query["endSearchDate"]
        found = [row for row in rows if days[0] <= row["inquiryRegistrationDateTime"][:10] <= days[1]]
        start = (int(call.query["page"]) - 1) * size
        return inquiry_page(found[start : start + size], last=start + size >= len(found), total=len(found))

    return answer


async def test_both_lists_are_asked_with_their_own_words(shop, mall):
    await pages(shop)

    (first,) = mall.called(INQUIRIES)
    assert first.query == {"startSearchDate": "2026-02-28", "endSearchDate": "2026-03-10", "page": "1", "size": "200"}
    (second,) = mall.called(QNAS)
    assert second.query == {
        "fromDate": "2026-02-28T00:00:00.000+09:00",
        "toDate": "2026-03-10T12:00:00.000+09:00",
        "page": "1",
        "size": "100",
    }


async def test_days_are_korean(mall, secrets):
    mall.clock.at = datetime(2026, 3, 9, 15, 30, tzinfo=UTC)
    shop = open_shop(mall, secrets)
    span = Span(since=datetime(2026, 3, 9, 14, 59, tzinfo=UTC), until=mall.clock.at)

    [page async for page in shop.read_inquiries(span, open_keys=OpenKeys(), cursor=None)]
    await shop.aclose()

    query = mall.called(INQUIRIES)[0].query
    assert (query["startSearchDate"], query["endSearchDate"]) == ("2026-03-09", "2026-03-10")


async def test_long_spans_are_cut_into_joining_stretches(shop, mall):
    read = await pages(shop, days=100)

    spans = [(call.query["startSearchDate"], call.query["endSearchDate"]) for call in mall.called(INQUIRIES)]
    assert len(spans) == 4
    ends = [datetime.fromisoformat(end) + timedelta(days=1) for _, end in spans[:-1]]
    assert ends == [datetime.fromisoformat(start) for start, _ in spans[1:]]
    assert spans[-1][1] == "2026-03-10"
    assert read[-1].progress == 1.0


async def test_a_run_for_changes_reads_a_month(shop, mall):
    await pages(shop, days=0.1, full=False)

    assert mall.called(INQUIRIES)[0].query["startSearchDate"] == "2026-02-08"
    assert mall.called(QNAS)[0].query["fromDate"] == "2026-02-08T00:00:00.000+09:00"


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 10, 11])
async def test_all_pages_are_read(shop, mall, count):
    rows = [inquiry(number) for number in range(1, count + 1)]
    mall.on(INQUIRIES, listing(rows, 5))

    read = await pages(shop)

    assert keys(read) == [f"inquiry:{number}" for number in range(1, count + 1)]


async def test_a_row_pulled_to_a_page_already_read_is_not_lost(shop, mall):
    rows = [inquiry(number) for number in range(1, 9)]

    def answer(call: Call) -> httpx.Response:
        response = listing(rows, 4)(call)
        if len(mall.called(INQUIRIES)) == 1:
            del rows[0]  # deleted while the list is paged: number 5 moves to page 1
        return response

    mall.on(INQUIRIES, answer)

    assert set(keys(await pages(shop))) == {f"inquiry:{number}" for number in range(1, 9)}


async def test_a_wrong_total_does_not_stop_the_reading(shop, mall):
    mall.on(INQUIRIES, lambda _: inquiry_page([inquiry(1)], total=99))

    assert set(keys(await pages(shop))) == {"inquiry:1"}
    assert len(mall.called(INQUIRIES)) == 2


@pytest.mark.parametrize("rows", [[], [1]], ids=["empty", "always the same"])
async def test_a_list_without_end_is_an_error(shop, mall, rows):
    mall.on(INQUIRIES, lambda _: inquiry_page([inquiry(number) for number in rows], last=False, total=1000))

    with pytest.raises(MalformedResponseError):
        await pages(shop)


async def test_one_bad_question_stands_alone(shop, mall):
    mall.on(QNAS, lambda _: qna_page([qna(1), {"questionId": 2}, qna(3)]))

    read = await pages(shop)

    readings = [(reading.key, reading.error is None) for page in read for reading in page.readings]
    assert readings == [("qna:1", True), ("qna:2", False), ("qna:3", True)]


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
async def test_an_interrupted_run_goes_on_right_after_its_last_page(shop, mall, stop_after):
    rows = [inquiry(number) for number in range(1, 14)]
    mall.on(INQUIRIES, listing(rows, 5))
    mall.on(QNAS, lambda _: qna_page([qna(1)]))

    whole = await pages(shop)
    rest = await pages(shop, cursor=whole[stop_after - 1].cursor)

    assert set(keys(whole[:stop_after])) | set(keys(rest)) == set(keys(whole))
    assert "inquiry:1" not in keys(rest[:1]) or stop_after == len(whole)


async def test_a_question_still_open_after_months_is_looked_for(shop, mall):
    old = inquiry(7, inquiryRegistrationDateTime="2025-11-20T08:00:00.000+09:00", answered=True, answerContent="네")
    mall.on(INQUIRIES, listing([old], 5))

    read = await pages(shop, days=1, full=False, known=("inquiry:7",))

    assert keys(read) == ["inquiry:7"]
    assert len(mall.called(INQUIRIES)) < 6


async def test_the_search_for_a_vanished_question_ends(shop, mall):
    await pages(shop, days=1, full=False, known=("inquiry:7", "qna:8"))

    assert 12 <= len(mall.called(INQUIRIES)) <= 14
    assert min(call.query["startSearchDate"] for call in mall.called(INQUIRIES)) > "2025-03-08"
    assert len(mall.called(QNAS)) == len(mall.called(INQUIRIES))


async def test_a_refused_listing_ends_the_run(shop, mall):
    mall.on(QNAS, lambda _: refusal(400, "BAD_REQUEST"))

    with pytest.raises(RejectedByMallError):
        await pages(shop)


@pytest.mark.parametrize("longest", [1, 7, 29])
async def test_a_search_that_is_too_long_for_the_mall_is_cut(shop, mall, longest):
    """How long a search of product questions may be is documented nowhere."""
    asked = [NOW - timedelta(days=age, hours=3) for age in range(29)]
    rows = [qna(number, createDate=at.isoformat()) for number, at in enumerate(asked)]

    def answer(call: Call) -> httpx.Response:
        since, until = (datetime.fromisoformat(call.query[name]) for name in ("fromDate", "toDate"))
        if until - since > timedelta(days=longest):
            return refusal(400, "BAD_REQUEST")
        return qna_page([row for row, at in zip(rows, asked, strict=True) if since <= at <= until])

    mall.on(QNAS, answer)

    read = await pages(shop, days=29)
    again = await pages(shop, days=29, cursor=read[len(read) // 2].cursor)

    assert set(keys(read)) == {f"qna:{number}" for number in range(29)}
    assert set(keys(again)) >= {f"qna:{number}" for number in range(29)} - set(keys(read[: len(read) // 2 + 1]))


# -- one inquiry


def one(number: str) -> Inquiry:
    return Inquiry(
        inquiry_no=number,
        thread_no=number,
        kind="order_inquiry",
        state="unanswered",
        raw_state="false",
        asked_at=datetime(2026, 3, 4, 23, 0, tzinfo=UTC),
        text="",
    )


async def test_one_inquiry_is_found_on_its_day(shop, mall):
    mall.on(INQUIRIES, listing([inquiry(number) for number in range(1, 9)], 3))

    reading = await shop.read_inquiry(one("inquiry:8"))

    assert reading.key == "inquiry:8"
    assert mall.called(INQUIRIES)[0].query["startSearchDate"] == "2026-03-05"
    assert mall.called(INQUIRIES)[0].query["endSearchDate"] == "2026-03-05"


@pytest.mark.parametrize("number", ["inquiry:9", "qna:9"])
async def test_an_inquiry_that_is_gone(shop, mall, number):
    with pytest.raises(NotFoundAtMallError):
        await shop.read_inquiry(one(number))


async def test_a_day_that_came_out_short_is_listed_again_before_a_question_is_gone(shop, mall):
    rows = [inquiry(number) for number in range(1, 4)]
    shown = [rows[:2], rows]
    mall.on(INQUIRIES, lambda _: inquiry_page(shown.pop(0), last=True, total=3))

    assert (await shop.read_inquiry(one("inquiry:3"))).key == "inquiry:3"


async def test_beside_a_row_that_cannot_be_read_no_question_is_gone(shop, mall):
    mall.on(INQUIRIES, listing([inquiry(1), inquiry(2) | {"inquiryNo": None}], 5))

    with pytest.raises(MalformedResponseError):
        await shop.read_inquiry(one("inquiry:9"))
