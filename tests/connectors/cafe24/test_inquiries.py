"""Questions: answers are posts too, threads cross windows, HTML is hostile."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.cafe24 import inquiry_feed
from connectors.cafe24.inquiry_mapping import Board, map_urgent
from connectors.cafe24.values import html_text, plain_text
from connectors.cafe24.wire import UrgentWire
from hub.core.contract import OpenKeys, Span
from hub.core.errors import MalformedResponseError, NotFoundAtMallError, UnsupportedByMallError
from hub.core.model import Attachment, Inquiry, InquiryKind, InquiryState, MessageAuthor
from tests.connectors.cafe24.mall import NOW, Mall

SPAN = Span(since=NOW - timedelta(days=30), until=NOW)
CHANGES = Span(since=NOW - timedelta(hours=1), until=NOW, is_full=False)
BOARDS = {
    "boards": [
        {"board_no": 4, "board_type": 5, "board_name": "사용후기"},
        {"board_no": 6, "board_type": "5", "board_name": "상품 Q&A"},
        {"board_no": 9, "board_type": 7, "board_name": "1:1 맞춤상담"},
        {"board_no": 1, "board_type": 1, "board_name": "공지"},
    ]
}


def post(number: int, *, parent: int | None = None, days: float = 1, **fields: Any) -> dict[str, Any]:
    created = (NOW - timedelta(days=days)).astimezone(UTC) + timedelta(hours=9)
    return {
        "shop_no": 1,
        "article_no": number,
        "parent_article_no": parent,
        "reply_depth": 0 if parent in (None, 0, number) else 1,
        "created_date": created.strftime("%Y-%m-%dT%H:%M:%S+09:00"),
        "writer": "이서연",
        "member_id": "seoyeon",
        "title": "배송 언제 되나요?",
        "content": "<p>주문한 지 3일…🚚</p>",
        "secret": "T",
        "notice": "F",
        "order_id": "20261118-0000021",
        "product_no": None,
        "reply_status": "N" if parent in (None, 0, number) else None,
        **fields,
    }


def answer(number: int, parent: int, *, days: float = 0.5, **fields: Any) -> dict[str, Any]:
    return post(number, parent=parent, days=days, **{"member_id": "demomall", "content": "내일 출고됩니다.", **fields})


def mall_with(*posts: dict[str, Any], board: int = 9) -> Mall:
    mall = Mall()
    mall.on("GET boards", BOARDS)
    mall.on("GET boards/6/articles", {"articles": []})
    mall.on("GET boards/9/articles", {"articles": []})
    mall.on(f"GET boards/{board}/articles", board_of(list(posts)))
    return mall


def board_of(posts: list[dict[str, Any]], *, commented: Sequence[int] = ()):
    def listed(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        rows = [row for row in posts if "comment" not in params or row.get("article_no") in commented]
        if "article_no" in params:
            wanted = set(params["article_no"].split(","))
            rows = [row for row in rows if str(row.get("article_no")) in wanted]
        if "start_date" in params:
            since, until = (datetime.fromisoformat(params[name]) for name in ("start_date", "end_date"))
            assert until - since <= timedelta(days=365)
            rows = [row for row in rows if since <= datetime.fromisoformat(row["created_date"]) <= until]
        offset, limit = int(params.get("offset", 0)), int(params["limit"])
        assert offset <= 8000
        return httpx.Response(200, json={"articles": rows[offset : offset + limit]})

    return listed


async def collect(mall: Mall, span: Span = SPAN, *, open_keys: OpenKeys | None = None, cursor=None, **credentials):
    connector = mall.open(**credentials)
    return [page async for page in connector.read_inquiries(span, open_keys=open_keys or OpenKeys(), cursor=cursor)]


async def inquiries(mall: Mall, span: Span = SPAN, **keywords: Any) -> dict[str, Inquiry]:
    pages = await collect(mall, span, **keywords)
    records = [reading.record for page in pages for reading in page.readings]
    return {record.inquiry_no: record for record in records if isinstance(record, Inquiry)}


async def test_an_answer_is_no_inquiry_of_its_own() -> None:
    mall = mall_with(answer(155, 154, reply_depth=1), post(154, parent=154, reply_status="C", reply_user_id="demomall"))

    found = await inquiries(mall)

    assert list(found) == ["9:154"]
    record = found["9:154"]
    assert record.kind is InquiryKind.ORDER_INQUIRY
    assert record.state is InquiryState.ANSWERED
    assert record.text == "주문한 지 3일…🚚"
    assert record.answer == "내일 출고됩니다."
    assert record.order_no == "20261118-0000021"
    assert not record.is_public
    assert [message.author for message in record.messages] == [MessageAuthor.CUSTOMER, MessageAuthor.SELLER]


@pytest.mark.parametrize("parent", [None, 0, 154, "0", ""])
async def test_each_way_to_name_no_parent_is_a_question(parent: object) -> None:
    mall = mall_with(post(154) | {"parent_article_no": parent})

    assert list(await inquiries(mall)) == ["9:154"]


async def test_a_post_of_some_depth_without_a_parent_is_not_a_question() -> None:
    assert await inquiries(mall_with(post(154) | {"reply_depth": 1})) == {}


async def test_a_chain_of_posts_belongs_to_its_question() -> None:
    mall = mall_with(
        post(154, days=3, reply_status="C"),
        answer(155, 154, days=2),
        post(156, parent=155, days=1, content="아직도 안 왔어요"),
    )

    (record,) = (await inquiries(mall)).values()

    assert [message.message_no for message in record.messages] == ["154", "155", "156"]
    assert record.state is InquiryState.IN_PROGRESS
    assert record.answer == "내일 출고됩니다."


@pytest.mark.parametrize(
    ("status", "posts", "state"),
    [
        ("N", [], InquiryState.UNANSWERED),
        ("P", [], InquiryState.IN_PROGRESS),
        ("C", [], InquiryState.ANSWERED),
        ("N", [answer(155, 154)], InquiryState.ANSWERED),
        (None, [answer(155, 154)], InquiryState.ANSWERED),
        (None, [], InquiryState.UNANSWERED),
        ("N", [post(155, parent=154, days=0.5)], InquiryState.UNANSWERED),
        ("Q", [], InquiryState.UNKNOWN),
    ],
)
async def test_the_state(status: str | None, posts: list[dict[str, Any]], state: InquiryState) -> None:
    mall = mall_with(post(154, reply_status=status), *posts)

    (record,) = (await inquiries(mall)).values()

    assert record.state is state


async def test_only_boards_of_questions_are_read() -> None:
    mall = mall_with(post(7, board_no=6, product_no=10, secret="F", order_id=""), board=6)

    (record,) = (await inquiries(mall)).values()

    assert record.inquiry_no == "6:7"
    assert record.kind is InquiryKind.PRODUCT_INQUIRY
    assert (record.product_code, record.order_no, record.is_public) == ("10", None, True)
    assert not mall.asked("GET boards/4/articles")
    assert not mall.asked("GET boards/1/articles")


async def test_configured_boards_are_read_instead() -> None:
    mall = mall_with(post(7), board=3001)

    found = await inquiries(mall, boards=[{"no": 3001, "kind": "product_inquiry"}])

    assert list(found) == ["3001:7"]
    assert not mall.asked("GET boards")


async def test_a_mall_that_lists_no_boards_has_the_usual_ones() -> None:
    mall = mall_with(post(154))
    mall.on("GET boards", lambda _request: httpx.Response(404, json={}))

    assert list(await inquiries(mall)) == ["9:154"]


async def test_other_shop_numbers_have_their_own_numbers() -> None:
    mall = mall_with(post(154, shop_no=None))

    assert list(await inquiries(mall, shop_no=[1, 2])) == ["9:154", "shop2:9:154"]
    assert Board(shop_no=2, no=9, kind=InquiryKind.ORDER_INQUIRY).article_no("shop2:9:154") == 154
    assert Board(shop_no=1, no=9, kind=InquiryKind.ORDER_INQUIRY).article_no("shop2:9:154") is None


async def test_a_new_answer_to_an_old_question_brings_the_whole_thread() -> None:
    mall = mall_with(
        post(154, days=40, reply_status="C"),
        answer(155, 154, days=38, content="확인 중입니다."),
        answer(170, 154, days=0.01),
        post(171, days=0.02),
    )

    found = await inquiries(mall, CHANGES)

    assert [message.message_no for message in found["9:154"].messages] == ["154", "155", "170"]
    assert set(found) == {"9:154", "9:171"}


async def test_open_questions_are_read_again_by_number() -> None:
    mall = mall_with(post(154, days=60, reply_status="C"), answer(155, 154, days=30))

    found = await inquiries(mall, CHANGES, open_keys=OpenKeys(inquiries=("9:154", "6:1", "urgent:3", "strange")))

    assert found["9:154"].state is InquiryState.ANSWERED
    assert found["9:154"].answer == "내일 출고됩니다."


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_pages_are_complete(count: int) -> None:
    mall = mall_with(*(post(number + 1) for number in range(count)))

    assert len(await inquiries(mall)) == count


async def test_a_post_deleted_while_paging_hides_no_other() -> None:
    posts = [post(number + 1) for number in range(150)]
    mall = mall_with()
    listed = board_of(posts)

    def deleting(request: httpx.Request) -> httpx.Response:
        response = listed(request)
        del posts[:1]
        return response

    mall.on("GET boards/9/articles", deleting)

    assert len(await inquiries(mall)) == 150


async def test_a_board_beyond_the_offset_wall_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry_feed, "ARTICLE_WALL", 200)
    mall = mall_with(*(post(number + 1, days=29 * number / 900) for number in range(900)))

    found = await inquiries(mall)

    assert len(found) == 900
    assert all(int(request.url.params.get("offset", 0)) <= 200 for request in mall.asked("GET boards/9/articles"))


async def test_a_run_continues_after_any_page() -> None:
    mall = mall_with(*(post(number + 1) for number in range(250)))
    whole = await collect(mall)

    for stop in range(1, len(whole)):
        rest = await collect(mall, cursor=whole[stop - 1].cursor)
        keys = [reading.key for page in [*whole[:stop], *rest] for reading in page.readings]
        assert sorted(keys) == sorted({f"9:{number + 1}" for number in range(250)})


async def test_a_broken_post_is_reported_alone() -> None:
    mall = mall_with(post(1), post(2))
    broken = {"article_no": "none", "created_date": "2026-11-20T00:00:00+09:00"}
    timeless = post(3) | {"created_date": ""}
    mall.on("GET boards/9/articles", {"articles": [post(1), broken, timeless, [], post(2)]})

    pages = await collect(mall)

    readings = [reading for page in pages for reading in page.readings]
    assert {reading.key for reading in readings if reading.error is None} == {"9:1", "9:2"}
    assert {reading.key.split(":")[1] for reading in readings if reading.error} == {"none", "3", "unreadable"}


async def test_notices_are_no_questions() -> None:
    assert await inquiries(mall_with(post(1, notice="T"))) == {}


async def test_urgent_inquiries_bring_their_reply() -> None:
    mall = mall_with()
    urgent = {
        "article_no": 2,
        "created_date": "2026-11-20T09:00:00+09:00",
        "title": "긴급",
        "content": "주소를 바꿔 주세요",
        "order_id": "20261118-0000021",
        "reply_status": "T",
    }
    mall.on("GET urgentinquiry", {"urgentinquiry": [urgent, urgent | {"article_no": 3, "reply_status": "F"}]})
    reply = {"article_no": 2, "created_date": "2026-11-20T10:00:00+09:00", "status": "T", "content": "확인 중입니다."}
    mall.on("GET urgentinquiry/2/reply", {"reply": reply})

    found = await inquiries(mall)

    assert found["urgent:2"].state is InquiryState.ANSWERED
    assert found["urgent:2"].answer == "확인 중입니다."
    assert found["urgent:3"].state is InquiryState.UNANSWERED


async def test_one_inquiry_is_read_with_its_thread_or_missed() -> None:
    mall = mall_with(post(154, days=20, reply_status="N"), answer(155, 154, days=1))
    (record,) = (await inquiries(mall)).values()
    connector = mall.open()

    reading = await connector.read_inquiry(record)

    assert isinstance(reading.record, Inquiry)
    assert reading.record == record
    mall.on("GET boards/9/articles", {"articles": []})
    with pytest.raises(NotFoundAtMallError):
        await connector.read_inquiry(record)


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        ({"articles": [post(154, days=20) | {"created_date": {"broken": True}}]}, MalformedResponseError),
        (lambda _request: httpx.Response(404, json={}), UnsupportedByMallError),
    ],
    ids=["unreadable", "no such board"],
)
async def test_what_does_not_tell_of_one_inquiry_does_not_say_that_it_is_gone(
    answered: Any, error: type[Exception]
) -> None:
    mall = mall_with(post(154, days=20))
    (record,) = (await inquiries(mall)).values()
    mall.on("GET boards/9/articles", answered)

    with pytest.raises(error):
        await mall.open().read_inquiry(record)


async def test_an_inquiry_of_a_board_that_is_read_no_more_is_not_gone() -> None:
    mall = mall_with(post(154, days=20))
    (record,) = (await inquiries(mall)).values()
    mall.on("GET boards", {"boards": [{"board_no": 6, "board_type": 5}]})

    with pytest.raises(UnsupportedByMallError):
        await mall.open().read_inquiry(record)


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        ("<p>하나</p><p>둘</p>", "하나\n\n둘"),
        ("하나<br>둘<br/>셋", "하나\n둘\n셋"),
        ("<script>alert(1)</script>본문<style>p{}</style>", "본문"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("<div>열린 <b>채로", "열린 채로"),
        ("1 < 2", "1 < 2"),
        ("줄\n바꿈", "줄\n바꿈"),
        ("<b>줄</b>\n바꿈", "줄\n바꿈"),
        ("하나<br>\n둘", "하나\n둘"),
        ("<img src=x onerror=alert(1)>", ""),
        (None, ""),
        ("\x00널", "널"),
    ],
)
def test_html_becomes_plain_text(content: str | None, plain: str) -> None:
    assert plain_text(content) == plain


@pytest.mark.parametrize("text", ["한 줄", "두\n줄", "a <b> & c", "\"따옴표\" 'x'", "1 < 2 > 0"])
def test_what_an_agent_writes_comes_back_as_written(text: str) -> None:
    assert plain_text(html_text(text)) == text


async def test_unknown_codes_are_counted() -> None:
    mall = mall_with(post(154, reply_status="Q"))
    connector = mall.open()

    async for _page in connector.read_inquiries(SPAN, open_keys=OpenKeys(), cursor=None):
        pass

    assert connector.unknown_codes == Counter({"reply_status:Q": 1})


def test_an_urgent_inquirys_files_are_named_and_have_no_address():
    wire = UrgentWire(
        article_no=7,
        start_date="2026-11-20T10:00:00+09:00",
        content="찢어졌어요",
        reply_status="F",
        attached_file_detail=[
            {"no": 1, "source": "상자.png", "name": "/2026/11/20/4f43.png"},
            {"no": 2, "source": None, "name": 5},
            None,
        ],
    )
    board = Board(shop_no=1, no=None, kind=InquiryKind.ORDER_INQUIRY)

    inquiry = map_urgent(wire, None, board=board, codes=Counter())

    assert inquiry.messages[0].attachments == (Attachment(name="상자.png"), Attachment(name="file-2"))
    odd = map_urgent(
        UrgentWire(article_no=8, start_date="2026-11-20", reply_status="F", attached_file_detail="x"),
        None,
        board=board,
        codes=Counter(),
    )
    assert odd.messages[0].attachments == ()
