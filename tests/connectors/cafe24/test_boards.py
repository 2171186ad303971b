"""Boards that are odd: types that tell nothing, deleted posts, lists that are long, repeat or do not end."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.cafe24 import inquiry_feed
from hub.core.contract import Answer, OpenKeys, Outcome, Span
from hub.core.errors import NotFoundAtMallError
from hub.core.model import Inquiry, InquiryKind, InquiryState
from tests.connectors.cafe24.mall import NOW, Mall
from tests.connectors.cafe24.test_inquiries import CHANGES, answer, board_of, collect, inquiries, mall_with, post


def boards(*rows: tuple[object, object]) -> dict[str, object]:
    return {"boards": [{"board_no": number, "board_type": kind} for number, kind in rows]}


@pytest.mark.parametrize(
    ("listed", "read"),
    [
        (boards((None, 7), (9, 7)), {9: InquiryKind.ORDER_INQUIRY}),
        (boards((6, 5), (9, None)), {6: InquiryKind.PRODUCT_INQUIRY, 9: InquiryKind.ORDER_INQUIRY}),
        (boards((6, 4), (9, 11), (3, 1)), {6: InquiryKind.PRODUCT_INQUIRY, 9: InquiryKind.ORDER_INQUIRY}),
        (boards((12, "7"), (9, 2)), {12: InquiryKind.ORDER_INQUIRY}),
        (boards((4, 5), (3, 1)), {}),
        ({"boards": []}, {}),
    ],
    ids=["a broken row", "a type that is not told", "no known type", "own numbers", "reviews only", "none"],
)
async def test_boards_of_questions_are_found(listed: dict[str, object], read: dict[int, InquiryKind]) -> None:
    mall = mall_with()
    mall.on("GET boards", listed)

    found = await mall.open()._inquiries.boards()

    assert {board.no: board.kind for board in found if board.no is not None} == read


async def test_a_usual_board_that_the_mall_lacks_costs_no_other() -> None:
    missing = httpx.Response(404, json={"error": {"code": 404, "message": "No board"}})
    mall = mall_with(post(154))
    mall.on("GET boards", lambda _request: missing)
    mall.on("GET boards/6/articles", lambda _request: missing)

    assert list(await inquiries(mall)) == ["9:154"]


async def test_a_configured_board_that_the_mall_lacks_is_an_error() -> None:
    mall = mall_with(post(154))

    with pytest.raises(NotFoundAtMallError):
        await collect(mall, boards=[{"no": 9, "kind": "order_inquiry"}, {"no": 77, "kind": "order_inquiry"}])


async def test_a_deleted_answer_answers_nothing() -> None:
    mall = mall_with(post(154), answer(155, 154, deleted="T"), answer(157, 156), post(156))

    found = await inquiries(mall)

    assert (found["9:154"].state, found["9:154"].answer) == (InquiryState.UNANSWERED, None)
    assert found["9:156"].state is InquiryState.ANSWERED


async def test_what_was_said_below_a_deleted_post_stays_in_its_thread() -> None:
    follow_up = post(156, parent=155, days=0.2, reply_depth=2, content="아직인가요?")
    mall = mall_with(post(154), answer(155, 154, deleted="T"), follow_up)

    found = await inquiries(mall)

    assert [message.text for message in found["9:154"].messages] == ["주문한 지 3일…🚚", "아직인가요?"]


async def test_a_deleted_question_is_owed_no_answer_and_gets_none() -> None:
    mall = mall_with(post(154, deleted="T"))
    connector = mall.open()

    record = (await inquiries(mall))["9:154"]
    result = await connector.answer_inquiry(Answer(inquiry=record, text="네"))

    assert (record.state, record.raw_state, record.text) == (InquiryState.ANSWERED, "deleted", "주문한 지 3일…🚚")
    assert result.outcome is Outcome.REFUSED
    assert mall.asked("POST boards/9/articles") == []


async def test_a_post_that_nobody_has_filed_yet_is_none() -> None:
    assert await inquiries(mall_with(post(154, deleted="B"))) == {}


async def test_an_answer_without_its_question_is_counted() -> None:
    mall = mall_with(answer(155, 100), post(200))
    connector = mall.open()

    span = Span(since=NOW - timedelta(days=30), until=NOW)
    pages = [page async for page in connector.read_inquiries(span, open_keys=OpenKeys(), cursor=None)]

    assert [reading.key for page in pages for reading in page.readings] == ["9:200"]
    assert connector.unknown_codes["article.parent:missing"] == 1


async def test_a_board_that_ignores_the_offset_is_read_once() -> None:
    posts = [post(number) for number in range(100)]
    mall = mall_with()
    mall.on("GET boards/9/articles", {"articles": posts})

    assert len(await inquiries(mall)) == 100
    assert len([one for one in mall.asked("GET boards/9/articles") if "start_date" in one.url.params]) == 2


def urgent(number: int, *, days: float, status: str = "F") -> dict[str, Any]:
    asked = NOW - timedelta(days=days) + timedelta(hours=9)
    return {
        "article_no": number,
        "title": "급해요",
        "content": "<p>언제 오나요?</p>",
        "start_date": asked.strftime("%Y-%m-%dT%H:%M:%S+09:00"),
        "search_type": "P",
        "keyword": "P00000AA",
        "reply_status": status,
    }


def urgent_mall(*rows: dict[str, Any]) -> Mall:
    mall = mall_with()
    as_posts = board_of([{**row, "created_date": row["start_date"]} for row in rows])

    def listed(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"urgentinquiry": as_posts(request).json()["articles"]})

    mall.on("GET urgentinquiry", listed)
    return mall


async def test_an_old_urgent_inquiry_that_was_answered_meanwhile_is_seen() -> None:
    """No filter finds one by its number, and none tells what changed."""
    mall = urgent_mall(urgent(2, days=40, status="T"), urgent(3, days=40, status="T"), urgent(4, days=1))
    mall.on("GET urgentinquiry/2/reply", {"reply": {"content": "내일 갑니다.", "status": "T"}})

    found = await inquiries(mall, CHANGES, open_keys=OpenKeys(inquiries=("urgent:2",)))

    assert {number: record.state for number, record in found.items()} == {
        "urgent:2": InquiryState.ANSWERED,
        "urgent:4": InquiryState.UNANSWERED,
    }
    assert found["urgent:2"].answer == "내일 갑니다."
    assert mall.asked("GET urgentinquiry/3/reply") == []


async def test_more_urgent_inquiries_than_the_wall_lets_see_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry_feed, "ARTICLE_LIMIT", 100)
    monkeypatch.setattr(inquiry_feed, "ARTICLE_WALL", 100)
    mall = urgent_mall(*(urgent(number, days=number / 20) for number in range(1, 500)))

    found = await inquiries(mall)

    assert len(found) == 499
    assert all(int(request.url.params["offset"]) <= 100 for request in mall.asked("GET urgentinquiry"))


async def test_a_reply_that_the_mall_will_not_show_stops_no_run() -> None:
    mall = urgent_mall(urgent(2, days=1, status="T"), urgent(3, days=1))
    refused = {"error": {"code": 422, "message": "no"}}
    mall.on("GET urgentinquiry/2/reply", lambda _request: httpx.Response(422, json=refused))

    found = await inquiries(mall)

    assert (found["urgent:2"].state, found["urgent:2"].answer) == (InquiryState.ANSWERED, None)
    assert isinstance(found["urgent:3"], Inquiry)
    assert found["urgent:3"].asked_at == datetime.fromisoformat(urgent(3, days=1)["start_date"])


async def test_a_post_shown_under_every_shop_number_comes_under_its_own() -> None:
    """Some malls keep one board for all their shop numbers."""
    mall = urgent_mall({**urgent(2, days=1), "shop_no": 1})
    mall.on("GET boards/9/articles", board_of([post(154, shop_no=1), answer(155, 154, shop_no=1)]))

    found = await inquiries(mall, shop_no=[1, 2])

    assert set(found) == {"9:154", "urgent:2"}
    assert found["9:154"].state is InquiryState.ANSWERED


async def test_a_post_is_kept_whatever_shop_number_it_names() -> None:
    """Only one that was read already is left out: the number may be a constant of the mall's."""
    mall = mall_with()
    of_shop = {"1": board_of([post(154, shop_no=1)]), "2": board_of([post(156, shop_no=1), post(158, shop_no="2")])}
    mall.on("GET boards/9/articles", lambda request: of_shop[request.url.params["shop_no"]](request))

    assert set(await inquiries(mall, shop_no=[1, 2])) == {"9:154", "shop2:9:156", "shop2:9:158"}


async def test_a_post_with_no_number_of_a_shop_is_set_aside_alone() -> None:
    pages = await collect(mall_with(post(154, shop_no="main"), post(156)))

    readings = {reading.key: reading.error for page in pages for reading in page.readings}
    assert readings == {"9:154": "not a number", "9:156": None}
