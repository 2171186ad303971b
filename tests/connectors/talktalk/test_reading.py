"""Chats out of the inbox: whole, the same twice, resumable, and true to what the customers wrote."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import connectors.talktalk
from connectors.talktalk.kept import conversation_of
from connectors.talktalk.replay import replay
from connectors.talktalk.sandbox import user_of
from hub.core.contract import OpenKeys, Span
from hub.core.errors import NotFoundAtMallError
from hub.core.inbox import InboxKind
from hub.core.model import Inquiry, InquiryState, MessageAuthor
from tests.connectors.talktalk.conftest import NOON, USER, Desk, echoed, said

CASES = sorted((Path(connectors.talktalk.__file__).parent / "cases").glob("0*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_recorded_case_maps_exactly(path: Path) -> None:
    case = json.loads(path.read_bytes())

    record, unknown = replay(case)

    assert record == msgspec.convert(case["canonical"], type=Inquiry)
    assert set(unknown) == set(case.get("unknown_codes", ()))


def _row(inquiry: Inquiry) -> dict[str, Any]:
    return {
        "inquiry_no": inquiry.inquiry_no,
        "thread_no": inquiry.thread_no,
        "kind": inquiry.kind.value,
        "state": inquiry.state.value,
        "product_code": inquiry.product_code,
        "asked_at": inquiry.asked_at,
        "answered_at": inquiry.answered_at,
        "text": inquiry.text,
        "answer": inquiry.answer,
    }


async def _assert_true(desk: Desk) -> int:
    truth = [{name: row[name] for name in _row_names()} for row in desk.mall.truth().inquiries]
    found = [_row(inquiry) for inquiry in await desk.inquiries()]
    assert sorted(found, key=lambda row: row["inquiry_no"]) == sorted(truth, key=lambda row: row["inquiry_no"])
    return len(found)


def _row_names() -> tuple[str, ...]:
    return (
        "inquiry_no", "thread_no", "kind", "state", "product_code", "asked_at", "answered_at", "text", "answer",
    )  # fmt: skip


async def test_what_is_read_is_true_now_and_later(desk: Desk) -> None:
    await desk.tell_all()
    assert await _assert_true(desk) > 10

    for hours in (1, 30, 40):
        desk.now += timedelta(hours=hours)
        fact = desk.world.inquiries("talk")[-1]
        desk.world.follow_up(fact, "하나 더 여쭤볼게요")
        await desk.tell_all()
        await _assert_true(desk)
        desk.now += timedelta(minutes=5)
        desk.world.answer(fact, "네, 확인했습니다.", "shop")
        await desk.tell_all()
        await _assert_true(desk)

    numbers = [row["thread_no"] for row in desk.mall.truth().inquiries]
    assert len(numbers) > len(set(numbers)), "nobody came back after a day"


async def test_two_readings_are_equal_and_so_are_their_numbers_later(desk: Desk) -> None:
    await desk.tell_all()
    first = await desk.readings()
    desk.open()
    assert await desk.readings() == first

    desk.now += timedelta(hours=50)
    await desk.tell_all()

    assert {reading.key for reading in first} <= {reading.key for reading in await desk.readings()}


async def test_a_broken_off_run_goes_on_after_its_page(desk: Desk) -> None:
    for number in range(130):
        await desk.tell(said(f"질문 {number}") | {"user": f"person-{number}"}, after=1)
    span = Span(since=NOON - timedelta(days=1), until=desk.now, is_full=True)
    pages = [page async for page in desk.connector.read_inquiries(span, open_keys=OpenKeys(), cursor=None)]

    rest = await desk.readings(cursor=pages[0].cursor)

    assert [len(page.readings) for page in pages] == [50, 50, 30]
    assert [*pages[0].readings, *rest] == await desk.readings()
    shares = [page.progress for page in pages]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1 == shares[-1]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100])
async def test_pages_are_complete_at_their_edges(desk: Desk, count: int) -> None:
    for number in range(count):
        await desk.tell(said("질문") | {"user": f"person-{number}"}, after=1)
        await desk.tell({"event": "profile", "user": f"person-{number}", "options": {
            "result": "SUCCESS", "nickname": "나"}})  # fmt: skip

    keys = [reading.key for reading in await desk.readings()]

    assert len(keys) == len(set(keys)) == count


async def test_a_change_run_reads_only_what_moved_and_misses_nothing_late(desk: Desk) -> None:
    await desk.tell(said("옛날 질문") | {"user": "other"})
    await desk.tell(said("질문"), after=3600)
    run_until = desk.now + timedelta(seconds=1)
    desk.now += timedelta(minutes=5)

    found = await desk.readings(since=run_until)

    assert [reading.key.partition("-")[0] for reading in found] == [conversation_of(USER)]


async def test_one_inquiry_is_read_again_by_itself(desk: Desk) -> None:
    await desk.tell(said("언제 와요?"))
    before = await desk.chat()
    await desk.tell(echoed("내일이요"), after=60)

    after = (await desk.connector.read_inquiry(before)).record

    assert isinstance(after, Inquiry)
    assert (before.inquiry_no, before.state) == (after.inquiry_no, InquiryState.UNANSWERED)
    assert (after.state, after.answer) == (InquiryState.ANSWERED, "내일이요")
    with pytest.raises(NotFoundAtMallError):
        await desk.connector.read_inquiry(msgspec.structs.replace(before, inquiry_no="x-1", thread_no="x"))


@pytest.mark.parametrize(("hours", "inquiries"), [(23.9, 1), (24.1, 2)])
async def test_silence_after_an_answer_ends_an_inquiry(desk: Desk, hours: float, inquiries: int) -> None:
    await desk.tell(said("언제 와요?"))
    await desk.tell(echoed("내일이요"), after=60)
    await desk.tell(said("안 왔어요"), after=hours * 3600)

    found = await desk.inquiries()

    assert len(found) == inquiries
    assert found[-1].state is (InquiryState.IN_PROGRESS if inquiries == 1 else InquiryState.UNANSWERED)
    assert len({inquiry.thread_no for inquiry in found}) == 1


async def test_an_unanswered_question_stays_one_however_long(desk: Desk) -> None:
    await desk.tell(said("언제 와요?"))
    await desk.tell(said("저기요?"), after=5 * 86400)

    (chat,) = await desk.inquiries()

    assert chat.text == "언제 와요?\n저기요?"
    assert chat.asked_at == NOON


async def test_the_setting_moves_the_silence(desk: Desk) -> None:
    desk.open(silence_hours=1)
    await desk.tell(said("언제 와요?"))
    await desk.tell(echoed("내일이요"), after=60)
    await desk.tell(said("네"), after=2 * 3600)

    assert len(await desk.inquiries()) == 2


HOSTILE: list[dict[str, Any]] = [
    {"textContent": {"text": "<script>alert(1)</script>"}},
    {"textContent": {"text": "a\x00b\u202e"}},
    {"textContent": {"text": "가" * 300_000}},
    {"textContent": {"text": 7}},
    {"textContent": "text"},
    {"textContent": None},
    {"imageContent": {"imageUrl": "javascript:alert(1)"}},
    {"imageContent": {"imageUrl": "http://[::1"}},
    {"imageContent": []},
    {"compositeContent": {"compositeList": {"a": 1}}},
    {"compositeContent": {"compositeList": [1, None, {"elementList": [], "buttonList": {}, "image": 3}]}},
    {"compositeContent": {"compositeList": [{"elementList": {"data": [{}, 1]}, "buttonList": [{"data": None}]}]}},
    {"options": []},
    {"options": None},
    {"standby": "yes", "partner": 5},
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_content_does_no_harm(desk: Desk, content: dict[str, Any]) -> None:
    await desk.tell(said("먼저"))
    await desk.tell({"event": "send", "user": USER, **content}, after=20)

    chat = await desk.chat()

    assert [message.author for message in chat.messages] == [MessageAuthor.CUSTOMER] * 2
    assert all(message.text.strip() for message in chat.messages)
    assert "javascript:" not in chat.text


async def test_an_item_that_is_no_event_is_set_aside_alone(desk: Desk) -> None:
    await desk.tell(said("언제 와요?"))
    await desk.inbox.put(kind=InboxKind.EVENT, key="odd", body=b"{", at=desk.now, subject=conversation_of(USER))

    readings = await desk.readings()

    assert [reading.error is None for reading in readings] == [True, False]
    assert readings[1].raw == b"{"


async def test_nobodys_id_stands_where_it_could_be_seen(desk: Desk) -> None:
    await desk.tell_all()

    ids = {user_of(fact) for fact in desk.world.inquiries("talk")}
    for reading in await desk.readings():
        assert isinstance(reading.record, Inquiry)
        shown = reading.key + reading.record.thread_no + "".join(m.message_no for m in reading.record.messages)
        assert reading.record.write_ref in ids
        assert reading.record.write_ref not in shown


async def test_times_are_those_of_receipt(desk: Desk) -> None:
    await desk.tell(said("언제 와요?"), after=90)

    chat = await desk.chat()

    assert chat.asked_at == chat.messages[0].sent_at == NOON + timedelta(seconds=90)
    assert isinstance(chat.asked_at, datetime)
    assert chat.asked_at.utcoffset() == timedelta(0)
