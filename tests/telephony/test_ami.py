import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from hub.telephony.ami import AmiAddress, AmiControl, AmiSource, pause_after
from hub.telephony.ami_reading import Reading
from ivr.phone import AgentState, LiveEvent, LiveKind, PhoneError
from ivr.running import Running
from tests.telephony.fake_ami import SECRET, USER, FakeAmi, arrived, called, completed, connected, hung_up

CAPTURE = Path("tests/data/asterisk-22.10.1/ami_events.jsonl")
NUMBER = "01000005001"


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


def address(pbx: FakeAmi, *, secret: str = SECRET, farewell: str = "") -> AmiAddress:
    return AmiAddress(
        name="main",
        host="127.0.0.1",
        port=pbx.port,
        user=USER,
        secret=secret,
        phone="IAX2/{member}",
        farewell=farewell,
    )


def source(pbx: FakeAmi, *, quiet: float = 20.0) -> AmiSource:
    async def soon(_: float) -> None:
        await asyncio.sleep(0.01)

    return AmiSource(address(pbx), sleep=soon, quiet=quiet)


async def take(events: AsyncIterator[LiveEvent], count: int) -> list[LiveEvent]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


async def test_a_call_is_told_from_ringing_to_its_end(pbx: FakeAmi) -> None:
    async with aclosing(source(pbx).events()) as events:
        assert [event.kind for event in await take(events, 2)] == [LiveKind.GAP, LiveKind.STANDING]
        call = (arrived(NUMBER), called("agent1001", NUMBER), connected("agent1001", NUMBER))
        await pbx.tell(*call, completed("agent1001", NUMBER), hung_up())
        told = await take(events, 4)
    assert [event.kind for event in told] == [LiveKind.RINGING, LiveKind.ANSWERED, LiveKind.ENDED, LiveKind.OVER]
    assert (told[0].member, told[0].caller, told[0].did, told[0].queue) == (
        "agent1001",
        NUMBER,
        "07000001001",
        "cafe24_order",
    )
    assert NUMBER not in repr(told)


async def test_messages_in_pieces_are_whole_messages(pbx: FakeAmi) -> None:
    async with aclosing(source(pbx).events()) as events:
        await take(events, 2)
        await pbx.tell(arrived(NUMBER), called("agent1001", NUMBER), pieces=3)
        assert (await take(events, 1))[0].caller == NUMBER


async def test_after_a_cut_in_a_message_what_stands_is_told(pbx: FakeAmi) -> None:
    async with aclosing(source(pbx).events()) as events:
        await take(events, 2)
        await pbx.tell(arrived(NUMBER), called("agent1001", NUMBER))
        await take(events, 1)
        # As QueueStatus lists them: other names than those of the events.
        listed = {"Queue": "cafe24_order", "Name": "agent1002", "Location": "IAX2/agent1002"}
        pbx.members = [{**listed, "Status": "2", "Paused": "0"}]
        pbx.channels = [
            {"Channel": "IAX2/trunk-2", "ChannelState": "6", "CallerIDNum": "01000005002", "Exten": "cafe24_order"}
            | {"Uniqueid": "200.1", "Linkedid": "200.1"},
            {"Channel": "IAX2/agent1002-9", "ChannelState": "6", "Uniqueid": "200.2", "Linkedid": "200.1"},
        ]
        await pbx.cut(after=b"Event: AgentConn")
        told = await take(events, 5)
    kinds = [LiveKind.LOST, LiveKind.GAP, LiveKind.ANSWERED, LiveKind.AGENT, LiveKind.STANDING]
    assert [event.kind for event in told] == kinds
    assert (told[2].member, told[2].caller) == ("agent1002", "01000005002")
    assert (told[3].member, told[3].agent) == ("agent1002", AgentState.IN_CALL)
    assert told[4].standing == {"200.1"}, "the first call is over"


async def test_a_restart_is_waited_for(pbx: FakeAmi) -> None:
    async with aclosing(source(pbx).events()) as events:
        await take(events, 2)
        await pbx.stop()
        assert [event.kind for event in await take(events, 1)] == [LiveKind.LOST]
        waiting = asyncio.create_task(take(events, 2))
        await asyncio.sleep(0.05)
        assert not waiting.done(), "that it is away is said once"
        await pbx.start()
        assert [event.kind for event in await waiting] == [LiveKind.GAP, LiveKind.STANDING]


async def test_an_exchange_that_falls_silent_is_left_and_asked_anew(pbx: FakeAmi) -> None:
    async with aclosing(source(pbx, quiet=0.05).events()) as events:
        await take(events, 2)
        pbx.is_silent = True
        assert [event.kind for event in await take(events, 1)] == [LiveKind.LOST]
        pbx.is_silent = False
        assert [event.kind for event in await take(events, 1)] == [LiveKind.GAP]
    assert pbx.orders("Ping")


async def test_a_wrong_password_is_not_tried_again(pbx: FakeAmi) -> None:
    wrong = AmiSource(address(pbx, secret="wrong"))
    with pytest.raises(PhoneError, match="password") as caught:
        await take(wrong.events(), 1)
    assert "wrong" not in repr(address(pbx, secret="wrong"))
    assert len(pbx.orders("Login")) == 1
    assert USER not in str(caught.value)


async def test_who_speaks_another_protocol_is_not_told_the_password(pbx: FakeAmi) -> None:
    pbx.banner = b"220 mail.example ESMTP\r\n"
    with pytest.raises(PhoneError, match="no Asterisk"):
        await AmiControl(address(pbx)).ping()
    assert not pbx.asked


async def test_orders_reach_the_exchange(pbx: FakeAmi) -> None:
    control = AmiControl(address(pbx))
    await control.dial(member="agent1001", number="01000005001", caller_id="15880101", reference="hub-1")
    await control.note(leg="100.1", queue="cafe24_order", member="agent1001", topic="order_help.web_error")
    await control.rest(member="agent1001", is_resting=True, reason="abuse")
    await control.end(channel="IAX2/trunk-1")
    dialled = pbx.orders("Originate")[0]
    assert (dialled["Channel"], dialled["Exten"], dialled["CallerID"]) == ("IAX2/agent1001", "01000005001", "15880101")
    assert pbx.orders("QueueLog")[0]["Message"] == "order_help.web_error"
    assert pbx.orders("QueuePause")[0]["Paused"] == "true"
    assert pbx.orders("Hangup")[0]["Channel"] == "IAX2/trunk-1"


async def test_an_abusive_call_ends_with_the_notice_where_there_is_one(pbx: FakeAmi) -> None:
    await AmiControl(address(pbx, farewell="abuse-end")).end(channel="IAX2/trunk-1")
    assert pbx.orders("Redirect")[0]["Context"] == "abuse-end"
    assert not pbx.orders("Hangup")


async def test_an_exchange_says_which_spec_it_runs_and_which_queues_it_has(pbx: FakeAmi) -> None:
    control = AmiControl(address(pbx))
    assert await control.running() == Running(hash=None, revision=None, queues={})
    pbx.variables = {"IVR_SPEC_HASH": "0123456789ab", "IVR_SPEC_REVISION": "7"}
    pbx.queues = ("alpha_order", "alpha_inquiry")
    pbx.members = [{"Queue": "alpha_order", "Name": "agent1001", "Location": "PJSIP/agent1001"}]
    queues = {"alpha_order": frozenset({"agent1001"}), "alpha_inquiry": frozenset()}
    assert await control.running() == Running(hash="0123456789ab", revision="7", queues=queues)


async def test_a_refused_order_is_an_error(pbx: FakeAmi) -> None:
    pbx.refused.add("Originate")
    with pytest.raises(PhoneError, match="refused"):
        await AmiControl(address(pbx)).dial(
            member="agent1001", number="01000005001", caller_id="15880101", reference="hub-1"
        )


@pytest.mark.parametrize("number", ["010\r\nAction: Command", "", "0100000500a", "1" * 40])
async def test_nothing_but_a_number_is_dialled(pbx: FakeAmi, number: str) -> None:
    with pytest.raises(PhoneError):
        await AmiControl(address(pbx)).dial(member="agent1001", number=number, caller_id="15880101", reference="hub-1")
    assert not pbx.asked


async def test_no_value_begins_a_line_of_its_own(pbx: FakeAmi) -> None:
    with pytest.raises(PhoneError, match="line break"):
        await AmiControl(address(pbx)).note(leg="1\r\nAction: Command", queue="q", member="m", topic="t")
    assert {each["Action"] for each in pbx.asked} <= {"Login"}


def test_the_captured_day_pops_up_where_it_rang() -> None:
    reading = Reading()
    rows = [json.loads(line) for line in CAPTURE.read_text(encoding="utf-8").splitlines()]
    told = [
        event
        for row in rows
        for event in reading.read({k: str(v) for k, v in row.items()}, received=float(row["recv"]))
    ]
    by_kind = {kind: [event for event in told if event.kind is kind] for kind in LiveKind}
    assert len(by_kind[LiveKind.RINGING]) == 35
    assert len(by_kind[LiveKind.ANSWERED]) == len(by_kind[LiveKind.ENDED]) == 15
    assert len(by_kind[LiveKind.OVER]) == 30, "thirty calls"
    assert sum(not event.call_id for event in by_kind[LiveKind.ENDED]) == 1, "one end lacks every id"
    # The consultation before the attended transfer shows the caller, not the colleague.
    consulted = [event for event in by_kind[LiveKind.RINGING] if event.leg == "1795311092.112"]
    assert consulted
    assert {event.caller for event in consulted} == {"01000005028"}
    assert [event.member for event in by_kind[LiveKind.HELD]][-1:] == ["agent1001"]
    paused = [(event.member, event.detail) for event in by_kind[LiveKind.AGENT] if event.agent is AgentState.PAUSED]
    assert paused == [("agent2001", "education")], "a pause in one queue of two leaves one ready for the other"
    # These telephones tell of a ring and of nothing else: that they are free is not known.
    first = [event.agent for event in by_kind[LiveKind.AGENT] if event.member == "agent1001"][:3]
    assert first == [AgentState.RINGING, AgentState.IN_CALL, AgentState.UNKNOWN]


def test_pauses_grow_up_to_half_a_minute() -> None:
    assert pause_after(1) < 1 < pause_after(4) < 6
    assert 20 < pause_after(50) < 40
