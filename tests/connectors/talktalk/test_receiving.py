"""Events: who sent them, what is kept of them, and that nothing is ever answered."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.talktalk.kept import conversation_of
from hub.core.errors import AccessError, MalformedResponseError
from hub.core.events import Notice
from hub.core.inbox import InboxKind
from hub.core.model import Inquiry, InquiryState
from tests.connectors.talktalk.conftest import USER, Desk, echoed, said

CONVERSATION = conversation_of(USER)


async def _kept(desk: Desk) -> list[bytes]:
    return [item.body async for item in desk.inbox.items(InboxKind.EVENT)]


async def test_a_message_is_kept_as_it_came_and_asks_to_be_read(desk: Desk) -> None:
    body = b'{ "event":"send","user":"al-2eGuGr5WQOexample","textContent":{"text":"\xeb\x84\xa4"} ,"new":1}'

    notice = await desk.tell(body)

    assert (notice.reads_inquiries, notice.reads_orders, notice.orders, notice.reply) == (True, False, (), b"")
    assert [(kept.subject, kept.body) for kept in notice.kept] == [(CONVERSATION, body)]
    assert USER not in notice.kept[0].key + notice.kept[0].subject
    assert desk.connector.unknown_codes == {"new_field:event.send.new": 1}


@pytest.mark.parametrize(
    "event",
    [
        {"event": "friend", "user": USER, "options": {"set": "on"}},
        {"event": "action", "user": USER, "options": {"action": "typingOn"}},
        {"event": "persistentMenu", "menuContent": []},
        {"event": "test"},
    ],
    ids=lambda event: event["event"],
)
async def test_what_tells_nothing_is_not_kept(desk: Desk, event: dict[str, Any]) -> None:
    assert await desk.tell(event) == Notice()


async def test_an_echo_is_never_answered(desk: Desk) -> None:
    await desk.tell(said("언제 와요?"))

    notice = await desk.tell(echoed("내일 도착합니다."), after=60)
    await desk.readings()

    assert notice.reply == b""
    assert desk.calls == []


async def test_an_event_of_tomorrow_is_counted_and_kept(desk: Desk) -> None:
    notice = await desk.tell({"event": "reaction", "user": USER})
    nobodys = await desk.tell({"event": "weather"})

    assert (len(notice.kept), nobodys) == (1, Notice())
    assert desk.connector.unknown_codes == {"event:reaction": 1, "event:weather": 1}
    assert await desk.readings() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"send"', b"{}", b'{"event":1}', b"\xff\xfe", b'{"event":"send"}',
     b'{"event":"send","user":7}', b'{"event":"send","user":" "}', b'{"event":"send","user":"' + b"a" * 300 + b'"}',
     b"[" * 100_000],
    ids=range(13),
)  # fmt: skip
async def test_a_body_that_is_no_event_is_refused(desk: Desk, body: bytes) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        await desk.tell(body)

    assert await _kept(desk) == []
    assert "a" * 20 not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b'"\\ud83d \xec\x95\x88"', "\ufffd 안"),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b'"\\ud83d\\ude00 \\ude00"', "😀 \ufffd"),
        (b'"hi","code":NaN', "hi"),
    ],
    ids=["half an emoji", "no utf-8", "whole and half", "no number"],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
async def test_what_can_be_read_of_a_message_is_never_lost(desk: Desk, text: bytes, shown: str, mark: bytes) -> None:
    await desk.tell(mark + b'{"event":"send","user":"%s","textContent":{"text":%s}}' % (USER.encode(), text))

    assert (await desk.chat()).text == shown


async def test_the_same_bytes_within_seconds_are_one_event(desk: Desk) -> None:
    await desk.tell(said("네"))
    await desk.tell(said("네"), after=9)
    assert len(await _kept(desk)) == 1

    await desk.tell(said("네"), after=11)

    assert len(await _kept(desk)) == 2
    assert [message.text for message in (await desk.chat()).messages] == ["네", "네"]


async def test_the_same_event_taken_by_two_processes_shows_once(desk: Desk) -> None:
    await desk.tell(said("네"))
    desk.open()
    await desk.tell(said("네"), after=5)

    assert len(await _kept(desk)) == 2
    assert [message.text for message in (await desk.chat()).messages] == ["네"]


async def test_an_event_of_another_account_is_refused(desk: Desk) -> None:
    with pytest.raises(AccessError):
        await desk.tell(echoed("x") | {"partner": "wc9999"})


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"x-hub-peer": "211.249.40.7"}, True),
        ({"x-hub-peer": "8.8.8.8"}, False),
        ({"x-hub-peer": "127.0.0.1", "x-forwarded-for": "10.0.0.1, 211.249.40.7"}, True),
        ({"x-hub-peer": "127.0.0.1", "x-forwarded-for": "211.249.40.7, 8.8.8.8"}, False),
        ({"x-hub-peer": "8.8.8.8", "x-forwarded-for": "211.249.40.7"}, False),
        ({}, False),
    ],
)
async def test_networks_are_checked_where_a_shop_wants_it(
    desk: Desk, headers: dict[str, str], *, is_taken: bool
) -> None:
    desk.open(source_networks=["211.249.40.0/27"])
    if is_taken:
        assert (await desk.tell(said("네"), **headers)).kept
        return
    with pytest.raises(AccessError):
        await desk.tell(said("네"), **headers)


def _profile(**options: Any) -> dict[str, Any]:
    return {"event": "profile", "user": USER, "options": options}


async def test_a_profile_is_shown_until_it_is_taken_back(desk: Desk) -> None:
    await desk.tell(said("주소 바꿔 주세요"))
    await desk.tell(_profile(nickname="길동이", result="SUCCESS"), after=1)
    await desk.tell(_profile(cellphone="01000000001", result="SUCCESS"), after=1)
    await desk.tell(
        _profile(address={"roadAddr": "세종대로 110", "detAddr": "1층", "zipNo": "04524"}, result="SUCCESS")
    )
    writer = (await desk.chat()).writer
    assert writer is not None
    assert (writer.name, writer.phone, writer.address and writer.address.base) == (
        "길동이",
        "01000000001",
        "세종대로 110",
    )

    await desk.tell(_profile(result="WITHDRAW", withdrawals=["cellphone", "address"]), after=1)

    writer = (await desk.chat()).writer
    assert writer is not None
    assert (writer.name, writer.phone, writer.address) == ("길동이", None, None)
    assert not [body for body in await _kept(desk) if b"01000000001" in body or "세종대로".encode() in body]

    await desk.tell(_profile(result="WITHDRAW"), after=1)
    assert (await desk.chat()).writer is None


async def test_a_withdrawal_has_the_conversation_read_again_however_old(desk: Desk) -> None:
    await desk.tell(said("주소 바꿔 주세요"))
    await desk.tell(_profile(nickname="길동이", result="SUCCESS"), after=1)
    await desk.tell(_profile(result="WITHDRAW", withdrawals=["nickname"]), after=40 * 86400)

    (reading,) = await desk.readings(since=desk.now - timedelta(minutes=5))

    assert isinstance(reading.record, Inquiry)
    assert reading.record.writer is None
    assert "길동이".encode() not in reading.raw
    assert desk.connector.unknown_codes == {}


async def test_a_newer_profile_replaces_the_older(desk: Desk) -> None:
    await desk.tell(said("안녕하세요"))
    await desk.tell(_profile(nickname="하나", result="SUCCESS"), after=1)
    await desk.tell(_profile(nickname="둘", result="SUCCESS"), after=1)

    writer = (await desk.chat()).writer
    assert writer is not None
    assert writer.name == "둘"
    assert not [body for body in await _kept(desk) if "하나".encode() in body]


@pytest.mark.parametrize("result", ["DISAGREE", "CANCEL", "LATER", None])
async def test_what_was_not_told_is_not_kept(desk: Desk, result: str | None) -> None:
    assert await desk.tell(_profile(result=result, nickname="x")) == Notice()
    assert ("profile.result:LATER" in desk.connector.unknown_codes) is (result == "LATER")


async def test_events_out_of_order_still_give_one_conversation(desk: Desk) -> None:
    await desk.tell({"event": "leave", "user": USER})
    await desk.tell(echoed("먼저 연락드립니다."), after=5)
    await desk.tell(said("네 감사합니다"), after=60)

    chat = await desk.chat()

    assert chat.state is InquiryState.UNANSWERED
    assert chat.text == "네 감사합니다"
    assert len(chat.messages) == 3


async def test_unknown_codes_do_not_grow_without_end(desk: Desk) -> None:
    for number in range(500):
        await desk.tell({"event": f"new{number}" + "x" * 200, "user": USER})

    assert len(desk.connector.unknown_codes) == 200
    assert max(map(len, desk.connector.unknown_codes)) <= 80
