"""Some malls answer by comment: below a question that no post answers, comments are read."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.cafe24.sandbox_boards import board_of as board_no
from connectors.cafe24.sandbox_boards import is_urgent, root_no
from hub.core.contract import Answer, Feed, OpenKeys, Outcome, Span, WriteResult
from hub.core.model import Inquiry, InquiryState, MessageAuthor
from tests.connectors.cafe24.mall import NOW, Mall
from tests.connectors.cafe24.test_inquiries import SPAN, answer, board_of, collect, inquiries, mall_with, post
from tests.connectors.cafe24.town import SHOP, Town


def comment(number: int, *, hours: float = 2, **fields: Any) -> dict[str, Any]:
    written = NOW - timedelta(hours=hours) + timedelta(hours=9)
    return {
        "comment_no": number,
        "article_no": 154,
        "content": "내일 출고됩니다.",
        "writer": "데모몰",
        "member_id": "demomall",
        "created_date": written.strftime("%Y-%m-%dT%H:%M:%S+09:00"),
        **fields,
    }


def commented(*comments: dict[str, Any], posts: tuple[dict[str, Any], ...] = ()) -> Mall:
    mall = mall_with()
    mall.on("GET boards/9/articles", board_of([post(154), *posts], commented=[154]))
    mall.on("GET boards/9/articles/154/comments", {"comments": list(comments)})
    return mall


async def test_a_question_that_the_shop_answered_by_comment_is_answered() -> None:
    record = (await inquiries(commented(comment(5))))["9:154"]

    assert (record.state, record.raw_state) == (InquiryState.ANSWERED, "N")
    assert record.answer == "내일 출고됩니다."
    assert record.answered_at == NOW - timedelta(hours=2)
    assert [message.message_no for message in record.messages] == ["154", "comment-5"]


async def test_a_customer_who_comments_again_waits_for_the_shop() -> None:
    record = (await inquiries(commented(comment(6, hours=1, member_id="seoyeon"), comment(5, hours=3))))["9:154"]

    assert record.state is InquiryState.IN_PROGRESS
    assert [message.author for message in record.messages] == [
        MessageAuthor.CUSTOMER,
        MessageAuthor.SELLER,
        MessageAuthor.CUSTOMER,
    ]


@pytest.mark.parametrize(("board", "author"), [(9, MessageAuthor.CUSTOMER), (6, MessageAuthor.UNKNOWN)])
async def test_a_guest_who_comments_is_the_customer_only_where_nobody_else_can_be(
    board: int, author: MessageAuthor
) -> None:
    mall = mall_with()
    mall.on(f"GET boards/{board}/articles", board_of([post(154)], commented=[154]))
    mall.on(f"GET boards/{board}/articles/154/comments", {"comments": [comment(5, member_id="")]})

    record = (await inquiries(mall))[f"{board}:154"]

    assert record.messages[1].author is author
    assert record.state is InquiryState.UNANSWERED


async def test_only_questions_without_a_post_of_the_shop_are_asked_for() -> None:
    mall = commented(comment(5), posts=(answer(155, 154),))

    await collect(mall)

    assert not any("comment" in request.url.params for request in mall.asked("GET boards/9/articles"))


async def test_many_comments_are_paged() -> None:
    rows = [comment(number, hours=2 + number / 100, member_id="seoyeon") for number in range(150)]
    mall = commented()
    mall.on(
        "GET boards/9/articles/154/comments",
        lambda request: httpx.Response(200, json={"comments": rows[int(request.url.params["offset"]) :][:100]}),
    )

    record = (await inquiries(mall))["9:154"]

    assert len(record.messages) == 151


@pytest.mark.parametrize(("status", "is_counted"), [(404, False), (422, True)])
async def test_a_mall_that_gives_no_comments_loses_nothing_else(status: int, is_counted: bool) -> None:
    mall = commented()
    refused = {"error": {"code": status, "message": "no"}}
    mall.on("GET boards/9/articles/154/comments", lambda _request: httpx.Response(status, json=refused))
    connector = mall.open()

    pages = [page async for page in connector.read_inquiries(SPAN, open_keys=OpenKeys(), cursor=None)]

    (record,) = [reading.record for page in pages for reading in page.readings]
    assert isinstance(record, Inquiry)
    assert record.state is InquiryState.UNANSWERED
    assert ("comments not read:422" in connector.unknown_codes) is is_counted


async def test_a_broken_comment_sets_its_question_aside_alone() -> None:
    mall = commented(comment(5, created_date="yesterday"), posts=(post(200),))

    readings = [reading for page in await collect(mall) for reading in page.readings]

    assert {reading.key: reading.error is None for reading in readings} == {"9:154": False, "9:200": True}


async def test_what_is_kept_of_a_thread_holds_its_comments() -> None:
    mall = commented(comment(5))
    (reading,) = [reading for page in await collect(mall) for reading in page.readings]

    again = mall.open().remap(Feed.INQUIRIES, reading.key, reading.raw)

    assert again.record == reading.record


async def test_an_answer_by_comment_is_not_answered_again_and_cannot_be_changed() -> None:
    mall = commented(comment(5))
    connector = mall.open()
    record = (await inquiries(mall))["9:154"]

    answered = await connector.answer_inquiry(Answer(inquiry=record, text="오늘 출고됩니다."))
    changed = await connector.change_answer(Answer(inquiry=record, text="오늘 출고됩니다."))

    assert (answered.outcome, changed.outcome) == (Outcome.REFUSED, Outcome.REFUSED)
    assert "comment" in (changed.lines[0].mall_message or "")
    assert {request.method for request in mall.requests if "/boards" in request.url.path} == {"GET"}


async def test_the_emulated_mall_answers_by_comment_too() -> None:
    town = Town()
    fact = next(
        inquiry
        for inquiry in town.world.inquiries(SHOP)
        if inquiry.sub_shop == 1 and not is_urgent(inquiry) and not town.world.said(inquiry.answers)
    )
    place = (1, board_no(fact), root_no(fact))
    town.mall.comments.write(*place, "내일 출고됩니다.", writer="데모몰", member_id="hubmall")
    span = Span(since=town.now - timedelta(days=30), until=town.now)
    pages = [page async for page in town.connector.read_inquiries(span, open_keys=OpenKeys(), cursor=None)]

    found = {reading.key: reading.record for page in pages for reading in page.readings}

    record = found[f"{place[1]}:{place[2]}"]
    assert isinstance(record, Inquiry)
    assert (record.state, record.answer) == (InquiryState.ANSWERED, "내일 출고됩니다.")
    assert not town.connector.unknown_codes


BY_COMMENT = [{"no": 9, "kind": "order_inquiry", "answers_by": "comment"}]
COMMENTS = "boards/9/articles/154/comments"


async def answered_by_comment(*, answer_of_mall: httpx.Response, stands: bool) -> tuple[Mall, WriteResult]:
    """A question of board 9, where this mall answers by comment, is answered."""
    mall = commented()
    connector = mall.open(boards=BY_COMMENT)
    pages = [page async for page in connector.read_inquiries(SPAN, open_keys=OpenKeys(), cursor=None)]
    (record,) = [reading.record for page in pages for reading in page.readings]
    assert isinstance(record, Inquiry)

    def write(_request: httpx.Request) -> httpx.Response:
        if stands:
            mall.on(f"GET {COMMENTS}", {"comments": [comment(5, hours=0)]})
        return answer_of_mall

    mall.on(f"POST {COMMENTS}", write)
    return mall, await connector.answer_inquiry(Answer(inquiry=record, text="내일 출고됩니다."))


async def test_a_board_that_is_answered_by_comment_gets_one() -> None:
    mall, result = await answered_by_comment(answer_of_mall=httpx.Response(201, json={"comment": {}}), stands=True)

    (sent,) = mall.asked(f"POST {COMMENTS}")
    body = msgspec.json.decode(sent.content)
    request = body["request"]
    assert result.outcome is Outcome.DONE
    assert (body["shop_no"], request["content"], request["member_id"]) == (1, "내일 출고됩니다.", "demomall")
    assert (request["writer"], request["secret"]) == ("demomall", "T")
    assert 1 <= len(request["password"]) <= 20
    assert mall.asked("POST boards/9/articles") == []
    assert isinstance(result.readings[0].record, Inquiry)
    assert result.readings[0].record.state is InquiryState.ANSWERED


@pytest.mark.parametrize(("stands", "outcome"), [(True, Outcome.DONE), (False, Outcome.UNKNOWN)])
async def test_a_comment_whose_answer_was_lost_is_looked_for_and_not_sent_again(stands: bool, outcome: Outcome) -> None:
    mall, result = await answered_by_comment(answer_of_mall=httpx.Response(504), stands=stands)

    assert result.outcome is outcome
    assert len(mall.asked(f"POST {COMMENTS}")) == 1
