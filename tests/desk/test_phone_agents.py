from collections.abc import AsyncIterator

import pytest

from hub.desk.access import Actor
from hub.desk.phone.agents import LEASE, PhoneAgents, read_agents
from hub.store.leases import Lease
from hub.store.live import Topic, read_events
from ivr.phone import AgentState, LiveEvent, LiveKind
from tests.desk.invented import NOW, Rig
from tests.desk.test_phone_calls import with_phone

AT = NOW.timestamp()


def does(state: AgentState, member: str = "agent1001", reason: str = "") -> LiveEvent:
    return LiveEvent(kind=LiveKind.AGENT, at=AT, member=member, agent=state, detail=reason)


def event(kind: LiveKind) -> LiveEvent:
    return LiveEvent(kind=kind, at=AT)


async def shown(rig: Rig, actor: Actor) -> dict[str, tuple[AgentState, str]]:
    return {each.member: (each.state, each.reason) for each in await read_agents(rig, actor=actor)}


@pytest.fixture
async def agents(rig: Rig, agent: Actor) -> AsyncIterator[PhoneAgents]:
    """Of an exchange that somebody listens to."""
    await with_phone(rig, agent)
    async with Lease(rig.database, f"{LEASE}main"):
        yield PhoneAgents(rig, pbx="main")


async def test_a_state_reaches_the_desk_and_the_screens_of_its_own_agent(
    rig: Rig, agent: Actor, supervisor: Actor, agents: PhoneAgents
) -> None:
    for each in (does(AgentState.READY), does(AgentState.PAUSED, "agent1002", "lunch"), does(AgentState.READY)):
        await agents.apply(each)
    everybody = await read_agents(rig, actor=supervisor)
    assert [(each.member, each.name, each.state, each.reason) for each in everybody] == [
        ("agent1001", agent.name, AgentState.READY, ""),
        ("agent1002", None, AgentState.PAUSED, "lunch"),
    ]
    assert await shown(rig, agent) == {"agent1001": (AgentState.READY, "")}, "an agent sees his own"
    (told,) = await read_events(rig.database, after=0)
    assert (told.topic, told.body["state"], told.body["user_id"]) == (Topic.CALL, "ready", agent.user_id)


@pytest.mark.parametrize("ending", [LiveKind.LOST, LiveKind.GAP])
async def test_what_is_not_heard_is_unknown(rig: Rig, supervisor: Actor, agents: PhoneAgents, ending: LiveKind) -> None:
    await agents.apply(does(AgentState.PAUSED, reason="lunch"))
    await agents.apply(event(ending))
    assert await shown(rig, supervisor) == {"agent1001": (AgentState.UNKNOWN, "")}


async def test_whom_the_exchange_no_longer_knows_is_forgotten(rig: Rig, supervisor: Actor, agents: PhoneAgents) -> None:
    await agents.apply(does(AgentState.READY))
    for each in (event(LiveKind.GAP), does(AgentState.READY, "agent1002"), event(LiveKind.STANDING)):
        await agents.apply(each)
    assert await shown(rig, supervisor) == {"agent1002": (AgentState.READY, "")}


async def test_without_a_listener_nothing_is_known(rig: Rig, agent: Actor, supervisor: Actor) -> None:
    await with_phone(rig, agent)
    await PhoneAgents(rig, pbx="main").apply(does(AgentState.READY))
    assert await shown(rig, supervisor) == {"agent1001": (AgentState.UNKNOWN, "")}
