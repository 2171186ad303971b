"""The emulated exchange, heard by the client that speaks to real ones, and read by the reader of real records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from hub.sandbox.ami import SECRET, USER
from hub.sandbox.exchange import EmulatedCall, Exchange
from hub.telephony.ami import AmiAddress, AmiControl, AmiSource
from ivr.calls import Call, CallResult, derive_calls
from ivr.phone import REST_REASON, AgentState, LiveEvent, LiveKind, PhoneError
from ivr.records import Tally, read_records
from ivr.routes import Place, Routes

ROUTES = Routes(
    timezone="Asia/Seoul",
    dids={"07000001001": Place("cafe24", "order")},
    queues={"cafe24_order": Place("cafe24", "order")},
)
CALLER = "01000000007"
START = 1_795_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def exchange(tmp_path: Path, clock: Clock) -> AsyncIterator[Exchange]:
    async with Exchange(tmp_path / "pbx" / "queue_log", clock=clock, sleep=clock.sleep) as exchange:
        await exchange.sign_on("agent1001", ["cafe24_order", "cafe24_inquiry"])
        yield exchange


def address(exchange: Exchange) -> AmiAddress:
    return AmiAddress(name="pbx", host="127.0.0.1", port=exchange.ami.port, user=USER, secret=SECRET)


async def arrive(exchange: Exchange, caller: str = CALLER) -> EmulatedCall:
    return await exchange.arrive(caller=caller, did="07000001001", mall="cafe24", line="order", queue="cafe24_order")


async def take(events: AsyncIterator[LiveEvent], count: int) -> list[LiveEvent]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


def recorded(exchange: Exchange) -> list[Call]:
    tally = Tally()
    lines = exchange.log.read_text(encoding="utf-8").splitlines()
    events = list(read_records(lines, zone=ROUTES.zone, tally=tally))
    assert tally.unreadable == 0
    return list(derive_calls(events, ROUTES, as_of=events[-1].at))


async def answered(exchange: Exchange, clock: Clock) -> EmulatedCall:
    call = await arrive(exchange)
    await exchange.ring(call, "agent1001")
    clock.now += 4
    await exchange.answer(call)
    clock.now += 30
    return call


async def test_a_call_is_told_live_and_stands_in_the_records(exchange: Exchange, clock: Clock) -> None:
    async with aclosing(AmiSource(address(exchange), clock=clock).events()) as events:
        first = await take(events, 3)
        assert [event.kind for event in first] == [LiveKind.GAP, LiveKind.AGENT, LiveKind.STANDING]
        call = await answered(exchange, clock)
        await exchange.end(call, by="caller")
        told = await take(events, 7)
    kinds = {event.kind for event in told}
    assert kinds == {LiveKind.RINGING, LiveKind.AGENT, LiveKind.ANSWERED, LiveKind.ENDED, LiveKind.OVER}
    states = [event.agent for event in told if event.kind is LiveKind.AGENT]
    assert states == [AgentState.RINGING, AgentState.IN_CALL, AgentState.READY]
    assert (told[0].caller, told[0].did, told[0].member) == (CALLER, "07000001001", "agent1001")
    await AmiControl(address(exchange)).note(
        leg=call.id, queue=call.queue, member="agent1001", topic="order_help.web_error"
    )
    (found,) = recorded(exchange)
    assert (found.result, found.line, found.agent) == (CallResult.ANSWERED, "order", "agent1001")
    assert (found.wait_seconds, found.talk_seconds, found.topic) == (4, 30, "order_help.web_error")


async def test_who_gives_up_is_counted_as_that(exchange: Exchange, clock: Clock) -> None:
    call = await arrive(exchange, "")
    await exchange.ring(call, "agent1001")
    clock.now += 15
    await exchange.give_up_ringing(call)
    assert exchange.is_free("agent1001")
    await exchange.ring(call, "agent1001")
    clock.now += 5
    for _ in range(2):
        await exchange.end(call, by="caller")
    (found,) = recorded(exchange)
    assert (found.result, found.wait_seconds, found.caller) == (CallResult.ABANDONED_QUEUE, 20, "")


async def test_what_stands_is_told_to_who_comes_later(exchange: Exchange, clock: Clock) -> None:
    call = await arrive(exchange)
    await exchange.ring(call, "agent1001")
    async with aclosing(AmiSource(address(exchange), clock=clock).events()) as events:
        told = await take(events, 4)
    assert [event.kind for event in told] == [LiveKind.GAP, LiveKind.RINGING, LiveKind.AGENT, LiveKind.STANDING]
    assert (told[1].member, told[1].caller, told[2].agent) == ("agent1001", CALLER, AgentState.RINGING)
    assert told[3].standing == {call.id}


async def test_orders_of_the_desk_have_their_effect(exchange: Exchange, clock: Clock) -> None:
    control = AmiControl(address(exchange))
    call = await answered(exchange, clock)
    await control.rest(member="agent1001", is_resting=True, reason=REST_REASON)
    await control.end(channel=call.channel)
    assert call.over.is_set()
    assert [each.agent for each in await control.agents()] == [AgentState.REST]
    assert not exchange.is_free("agent1001")
    await control.rest(member="agent1001", is_resting=False, reason="")
    assert exchange.is_free("agent1001")
    for refused in (control.end(channel=call.channel), control.rest(member="agent9", is_resting=True, reason="")):
        with pytest.raises(PhoneError):
            await refused


async def test_a_call_out_rings_the_agent_first(exchange: Exchange, clock: Clock) -> None:
    async with aclosing(AmiSource(address(exchange), clock=clock).events()) as events:
        await take(events, 3)
        control = AmiControl(address(exchange))
        await control.dial(member="agent1001", number="01000000007", caller_id="15880101", reference="hub-7")
        told = await take(events, 4)
        busy = {**call_of("agent9"), "reference": "hub-8"}
        await control.dial(**busy)
        told += await take(events, 1)
    assert [event.agent for event in told if event.kind is LiveKind.AGENT] == [
        AgentState.RINGING,
        AgentState.IN_CALL,
        AgentState.READY,
    ]
    dialled = [(event.reference, event.detail) for event in told if event.kind is LiveKind.DIALLED]
    assert dialled == [("hub-7", "answered"), ("hub-8", "busy")]


def call_of(member: str) -> dict[str, str]:
    return {"member": member, "number": "01000000007", "caller_id": "15880101"}


async def test_calls_of_an_exchange_that_ended_are_lost(tmp_path: Path, clock: Clock) -> None:
    log = tmp_path / "queue_log"
    async with Exchange(log, clock=clock) as before:
        await arrive(before)
    clock.now += 60
    async with Exchange(log, clock=clock) as after:
        (found,) = recorded(after)
    assert found.result is CallResult.SYSTEM_LOST
