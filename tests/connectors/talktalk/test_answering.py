"""Answers: sent once in the documented form, refused in the platform's words, never called done when unsure."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import connectors.talktalk
from connectors.talktalk import MANIFEST
from connectors.talktalk.replay import BASE_URL, CREDENTIALS
from hub.core.contract import Answer, Outcome, ShopContext
from hub.core.errors import AccessError
from hub.core.model import Inquiry, InquiryState, MessageAuthor, ShopRef
from tests.connectors.talktalk.conftest import USER, Desk, echoed, said
from tests.contract.street import Secrets

TEXT = "오늘 출고됩니다."
CASES = sorted((Path(connectors.talktalk.__file__).parent / "cases").glob("write_*.json"))


async def _asked(desk: Desk) -> Inquiry:
    """A question of a person whom the emulated platform knows."""
    desk.world.ask("talk", subject="배송", text="언제 와요?")
    await desk.tell_all()
    found = [inquiry for inquiry in await desk.inquiries() if inquiry.state is InquiryState.UNANSWERED]
    return max(found, key=lambda inquiry: inquiry.asked_at)


async def _open_chat(desk: Desk) -> Inquiry:
    await desk.tell(said("언제 와요?"))
    return await desk.chat()


def _ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "resultCode": "00"} | body)


async def test_an_answer_goes_out_in_the_documented_form_and_shows(desk: Desk) -> None:
    chat = await _asked(desk)

    result = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT, author="김상담"))

    assert result.outcome is Outcome.DONE
    (request,) = desk.calls
    assert (request.method, request.url.path) == ("POST", "/chatbot/v1/event")
    assert request.headers["authorization"] == desk.mall.shop_table("")["credentials"]["authorization"]
    assert request.headers["content-type"] == "application/json;charset=UTF-8"
    assert json.loads(request.content) == {
        "event": "send",
        "user": chat.write_ref,
        "textContent": {"text": TEXT},
        "options": {"notification": False},
    }
    (shown,) = [reading.record for reading in result.readings]
    assert isinstance(shown, Inquiry)
    assert (shown.inquiry_no, shown.state, shown.answer) == (chat.inquiry_no, InquiryState.ANSWERED, TEXT)


async def test_its_echo_is_no_second_message(desk: Desk) -> None:
    chat = await _asked(desk)
    await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    await desk.tell_all()

    shown = (await desk.connector.read_inquiry(chat)).record
    assert isinstance(shown, Inquiry)
    assert [message.text for message in shown.messages if message.author is MessageAuthor.SELLER] == [TEXT]


async def test_without_echo_the_own_note_tells(desk: Desk) -> None:
    desk.mall.has_echo = False
    chat = await _asked(desk)
    await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))
    await desk.tell_all()

    desk.open()
    shown = (await desk.connector.read_inquiry(chat)).record

    assert isinstance(shown, Inquiry)
    assert (shown.state, shown.answer) == (InquiryState.ANSWERED, TEXT)


async def test_more_can_be_said_and_the_same_words_only_once(desk: Desk) -> None:
    chat = await _open_chat(desk)
    desk.answers = [_ok(), _ok(), _ok()]

    first = await desk.connector.answer_inquiry(Answer(inquiry=chat, text="확인해 보겠습니다."))
    second = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))
    desk.open()
    again = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))
    assert [each.outcome for each in (first, second, again)] == [Outcome.DONE] * 3
    assert len(desk.calls) == 2

    await desk.tell(said("정말요?"), after=60)
    later = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    assert later.outcome is Outcome.DONE
    assert len(desk.calls) == 3


async def test_two_at_once_send_it_once(desk: Desk) -> None:
    chat = await _open_chat(desk)
    here, there = desk.connector, desk.open()
    desk.answers = [_ok(), _ok()]

    results = await asyncio.gather(
        here.answer_inquiry(Answer(inquiry=chat, text=TEXT)), there.answer_inquiry(Answer(inquiry=chat, text=TEXT))
    )

    assert len(desk.calls) == 1
    assert sorted(result.outcome.value for result in results) == ["done", "refused"]


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("lost"), httpx.Response(502), httpx.Response(200, text="<html>")])
async def test_a_lost_answer_is_unknown_and_not_sent_again(desk: Desk, lost: Any) -> None:
    chat = await _open_chat(desk)
    desk.answers = [lost]

    result = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))
    again = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    assert (result.outcome, again.outcome) == (Outcome.UNKNOWN, Outcome.REFUSED)
    assert all(each.lines[0].mall_message for each in (result, again))
    assert len(desk.calls) == 1
    assert (await desk.chat()).state is InquiryState.UNANSWERED


async def test_an_echo_settles_a_lost_answer(desk: Desk) -> None:
    chat = await _open_chat(desk)
    desk.answers = [httpx.ReadTimeout("lost")]
    desk.on_sleep = [echoed(TEXT)]

    result = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    assert result.outcome is Outcome.DONE
    assert (await desk.chat()).state is InquiryState.ANSWERED


async def test_a_late_echo_settles_it_too(desk: Desk) -> None:
    chat = await _open_chat(desk)
    desk.answers = [httpx.ReadTimeout("lost")]
    await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    await desk.tell(echoed(TEXT), after=120)

    shown = await desk.chat()
    assert (shown.state, [message.text for message in shown.messages]) == (InquiryState.ANSWERED, ["언제 와요?", TEXT])
    assert (await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))).outcome is Outcome.DONE
    assert len(desk.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"success": False, "resultCode": "99", "resultMessage": "차단한 사용자입니다"}),
        httpx.Response(200, json={"success": False, "resultCode": 2, "resultMessage": "차단한 사용자입니다"}),
        httpx.Response(200, json={"success": True, "resultCode": "99", "resultMessage": "차단한 사용자입니다"}),
        httpx.Response(400, json={"resultMessage": "차단한 사용자입니다"}),
    ],
    ids=range(4),
)
async def test_a_refusal_is_told_in_its_own_words_and_may_be_tried_again(desk: Desk, answer: httpx.Response) -> None:
    chat = await _open_chat(desk)
    desk.answers = [answer, _ok()]

    result = await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.REFUSED, "차단한 사용자입니다")
    assert len(desk.calls) == 1
    assert (await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))).outcome is Outcome.DONE


async def test_a_wrong_key_is_a_matter_of_access(desk: Desk) -> None:
    chat = await _open_chat(desk)
    desk.open(authorization="ct_wc8b1i_another")

    with pytest.raises(AccessError):
        await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))

    assert len(desk.calls) == 1


@pytest.mark.parametrize("text", ["", " \n ", "가" * 10_001], ids=["empty", "blank", "long"])
async def test_what_cannot_be_sent_is_refused_before(desk: Desk, text: str) -> None:
    result = await desk.connector.answer_inquiry(Answer(inquiry=await _open_chat(desk), text=text))

    assert result.outcome is Outcome.REFUSED
    assert (result.lines[0].mall_message or "").startswith("text:")
    assert desk.calls == []


async def test_an_echo_with_other_line_ends_is_no_second_message(desk: Desk) -> None:
    chat = await _open_chat(desk)
    desk.answers.append(httpx.ReadTimeout("slow"))
    desk.on_sleep.append(echoed("안녕하세요.\n오늘 출고됩니다."))

    result = await desk.connector.answer_inquiry(Answer(inquiry=chat, text="안녕하세요.\r\n오늘 출고됩니다. "))

    assert result.outcome is Outcome.DONE
    assert [message.author for message in (await desk.chat()).messages] == [
        MessageAuthor.CUSTOMER,
        MessageAuthor.SELLER,
    ]


async def test_without_the_person_nothing_is_sent(desk: Desk) -> None:
    chat = msgspec.structs.replace(await _open_chat(desk), write_ref=None)

    assert (await desk.connector.answer_inquiry(Answer(inquiry=chat, text=TEXT))).outcome is Outcome.REFUSED
    assert desk.calls == []


async def test_an_event_from_outside_cannot_pretend_to_be_our_note(desk: Desk) -> None:
    await desk.tell(said("언제 와요?"))
    await desk.tell({"event": "send", "hub": "result", "claim": "x", "state": "sent", "user": USER}, after=20)
    await desk.tell({"hub": "sending", "event": "echo2", "claim": "x", "text": "속였다", "user": USER}, after=20)

    chat = await desk.chat()

    assert chat.state is InquiryState.UNANSWERED
    assert "속였다" not in repr(chat)


@pytest.mark.parametrize("case", [json.loads(path.read_bytes()) for path in CASES], ids=[path.stem for path in CASES])
async def test_a_recorded_write_replays(case: dict[str, Any]) -> None:
    exchanges = list(case["exchanges"])

    def handle(request: httpx.Request) -> httpx.Response:
        exchange = exchanges.pop(0)
        assert (request.method, request.url.path) == (exchange["request"]["method"], exchange["request"]["path"])
        assert json.loads(request.content) == exchange["request"]["json"]
        return httpx.Response(exchange["response"]["status"], json=exchange["response"]["json"])

    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    now = datetime.fromisoformat(case["now"]).astimezone(UTC)
    connector: Any = MANIFEST.open(
        ShopContext(
            shop=ShopRef(name="case", mall="talktalk"),
            base_url=BASE_URL,
            credentials=CREDENTIALS,
            secrets=Secrets(),
            now=lambda: now,
            sleep=sleep,
            transport=httpx.MockTransport(handle),
        )
    )

    result = await connector.answer_inquiry(msgspec.convert(case["answer"], type=Answer))

    assert (result.outcome.value, result.lines[0].mall_message) == (case["outcome"], case["mall_message"])
    assert exchanges == []
    await connector.aclose()


async def test_the_check_writes_to_nobody(desk: Desk) -> None:
    key, events = await desk.connector.check()
    assert (key.is_ok, events.is_ok, bool(events.fix)) == (True, True, True)
    assert [request.content for request in desk.calls] == [b"{}"]
    assert desk.mall.sent == []

    await desk.tell(said("안녕하세요"))
    desk.open(authorization="ct_wc8b1i_another")
    key, events = await desk.connector.check()

    assert (key.is_ok, bool(key.fix), events.fix) == (False, True, "")
