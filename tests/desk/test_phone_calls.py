from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.desk.access import Actor
from hub.desk.phone.calls import PhoneCalls
from hub.desk.phone.pop import Pop, read_pop
from hub.store.live import Topic, read_events
from hub.store.tables import live_calls, users
from ivr.phone import LiveEvent, LiveKind
from ivr.routes import Place, Routes
from tests.desk.invented import NOW, Rig, order

AT = NOW.timestamp()
BUYER = "01012345678"
ROUTES = Routes(
    timezone="Asia/Seoul",
    dids={"07000001001": Place("cafe24", "order")},
    queues={"cafe24_inquiry": Place("cafe24", "inquiry")},
)


def told(kind: LiveKind, member: str = "agent1001", *, call_id: str = "100.1", **fields: Any) -> LiveEvent:
    given = {"caller": BUYER, "did": "07000001001", "channel": "IAX2/trunk-1", "leg": call_id, **fields}
    return LiveEvent(kind=kind, at=AT, call_id=call_id, member=member, **given)


async def with_phone(rig: Rig, actor: Actor, member: str | None = "agent1001") -> None:
    row = {"id": actor.user_id, "login": actor.login, "name": actor.name, "role": actor.role.value}
    rest = {"password_hash": "", "locale": "ko", "is_active": True, "failed_logins": 0, "created_at": 0}
    async with rig.database.writing() as connection:
        await connection.execute(users.insert().values(**row, **rest, phone_member=member))


async def states(rig: Rig) -> dict[str, str]:
    async with rig.database.reading() as connection:
        return {row.member: row.state for row in await connection.execute(select(live_calls))}


async def pop_of(rig: Rig, actor: Actor) -> Pop:
    pop = await read_pop(rig, actor=actor)
    assert pop is not None
    return pop


@pytest.fixture
def calls(rig: Rig) -> PhoneCalls:
    return PhoneCalls(rig, pbx="main", routes=ROUTES)


async def test_a_ringing_phone_pops_up_at_its_own_agent(rig: Rig, agent: Actor, calls: PhoneCalls) -> None:
    await with_phone(rig, agent)
    await calls.apply(told(LiveKind.RINGING))
    (event,) = await read_events(rig.database, after=0)
    assert event.topic is Topic.CALL
    assert (event.body["member"], event.body["state"], event.body["user_id"]) == ("agent1001", "ringing", 11)
    assert BUYER not in str(event.body)
    call = (await pop_of(rig, agent)).call
    assert (call.mall, call.line, call.state) == ("cafe24", "order", "ringing")
    assert call.caller is not None
    assert "2345" not in call.caller, "masked"


async def test_the_pop_shows_the_callers_orders_of_every_mall(sample: Rig, agent: Actor) -> None:
    await with_phone(sample, agent)
    await sample.write("japan-main", order("J-9", ordered_at=NOW - timedelta(hours=1)))
    calls = PhoneCalls(sample, pbx="main", routes=ROUTES)
    await calls.apply(told(LiveKind.RINGING, caller="821012345678"))
    pop = await pop_of(sample, agent)
    assert len({order.mark.mall for order in pop.orders}) == 2
    days = [order.ordered_at for order in pop.orders if order.ordered_at]
    assert days == sorted(days, reverse=True)
    assert pop.cases
    assert all(case.is_open for case in pop.cases)


async def test_nobody_else_sees_the_call(rig: Rig, agent: Actor, supervisor: Actor, calls: PhoneCalls) -> None:
    await with_phone(rig, agent)
    await calls.apply(told(LiveKind.RINGING))
    assert await read_pop(rig, actor=supervisor) is None


@pytest.mark.parametrize("caller", ["", "anonymous"])
async def test_a_withheld_number_pops_up_without_one(rig: Rig, agent: Actor, calls: PhoneCalls, caller: str) -> None:
    await with_phone(rig, agent)
    await calls.apply(told(LiveKind.RINGING, caller=caller))
    pop = await pop_of(rig, agent)
    assert (pop.orders, pop.cases) == ((), ())


async def test_states_follow_the_call(rig: Rig, agent: Actor, calls: PhoneCalls) -> None:
    await with_phone(rig, agent)
    seen = []
    for kind in (LiveKind.RINGING, LiveKind.ANSWERED, LiveKind.HELD, LiveKind.RESUMED, LiveKind.ENDED, LiveKind.OVER):
        await calls.apply(told(kind))
        seen.append((await states(rig))["agent1001"])
    assert seen == ["ringing", "talking", "held", "talking", "after_call", "after_call"]
    assert (await pop_of(rig, agent)).call.state == "after_call", "its note is asked for"


async def test_with_all_phones_ringing_the_one_who_answers_has_it(rig: Rig, calls: PhoneCalls) -> None:
    for member in ("agent1001", "agent1002"):
        await calls.apply(told(LiveKind.RINGING, member))
    await calls.apply(told(LiveKind.ANSWERED, "agent1002"))
    assert await states(rig) == {"agent1001": "missed", "agent1002": "talking"}


async def test_an_end_without_ids_ends_the_call_of_that_phone(rig: Rig, calls: PhoneCalls) -> None:
    await calls.apply(told(LiveKind.ANSWERED, "agent1001", call_id="100.1"))
    await calls.apply(told(LiveKind.ANSWERED, "agent1002", call_id="100.2"))
    await calls.apply(LiveEvent(kind=LiveKind.ENDED, at=AT, member="agent1002"))
    assert await states(rig) == {"agent1001": "talking", "agent1002": "after_call"}


async def test_after_a_gap_only_what_stands_goes_on(rig: Rig, calls: PhoneCalls) -> None:
    await calls.apply(told(LiveKind.ANSWERED, "agent1001", call_id="100.1"))
    await calls.apply(told(LiveKind.ANSWERED, "agent1002", call_id="100.2"))
    await calls.apply(told(LiveKind.RINGING, "agent1003", call_id="100.3"))
    await calls.apply(told(LiveKind.RINGING, "agent1004", call_id="100.3"))
    await calls.apply(LiveEvent(kind=LiveKind.GAP, at=AT))
    await calls.apply(told(LiveKind.RINGING, "agent1003", call_id="100.3"))
    await calls.apply(LiveEvent(kind=LiveKind.STANDING, at=AT, standing=frozenset({"100.2", "100.3"})))
    assert await states(rig) == {
        "agent1001": "after_call",
        "agent1002": "talking",
        "agent1003": "ringing",
        "agent1004": "missed",
    }


async def test_a_call_that_rings_again_at_the_same_phone_is_new_there(rig: Rig, calls: PhoneCalls) -> None:
    await calls.apply(told(LiveKind.RINGING))
    await calls.apply(told(LiveKind.NOT_ANSWERED))
    assert await states(rig) == {"agent1001": "missed"}
    await calls.apply(told(LiveKind.RINGING))
    assert await states(rig) == {"agent1001": "ringing"}


async def test_a_phone_of_one_exchange_is_not_that_of_another(rig: Rig, agent: Actor, calls: PhoneCalls) -> None:
    await with_phone(rig, agent, "second/agent1001")
    await calls.apply(told(LiveKind.RINGING))
    assert await read_pop(rig, actor=agent) is None
    async with rig.database.writing() as connection:
        await connection.execute(update(users).values(phone_member="main/agent1001"))
    await calls.apply(told(LiveKind.RINGING, call_id="100.2"))
    assert await read_pop(rig, actor=agent) is not None
