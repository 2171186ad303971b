"""An agent steps away from the telephone: told to the exchange, and noted by it."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from pydantic import SecretStr

from hub.desk.access import Actor
from hub.desk.phone.agents import PAUSE_REASONS, AgentView
from hub.desk.phone.calls import PhoneCalls
from hub.desk.phone.notes import NoteError, flag_abuse
from hub.desk.phone.pauses import pause_phone, resume_phone
from hub.desk.phone.pop import read_pop
from hub.settings import Settings
from hub.web.words import LOCALES, Words
from ivr.phone import AgentState, LiveKind
from tests.desk.invented import NOW, Rig
from tests.desk.test_phone_calls import ROUTES, told, with_phone
from tests.telephony.fake_ami import SECRET, USER, FakeAmi


@pytest.fixture
async def pbx(rig: Rig, agent: Actor) -> AsyncIterator[FakeAmi]:
    """The exchange of the telephone at the agent's seat."""
    async with FakeAmi() as fake:
        await with_phone(rig, agent)
        rig.settings = Settings(
            ami_host="127.0.0.1", ami_port=fake.port, ami_user=USER, ami_secret=SecretStr(SECRET), ami_name="main"
        )
        yield fake


def seated(agent: Actor) -> Actor:
    return msgspec.structs.replace(agent, phone="agent1001")


async def test_a_pause_and_its_reason_are_told_to_the_exchange(rig: Rig, agent: Actor, pbx: FakeAmi) -> None:
    await pause_phone(rig, actor=seated(agent), reason="lunch")
    await resume_phone(rig, actor=seated(agent))

    told_to = [(order["Interface"], order["Paused"], order["Reason"]) for order in pbx.orders("QueuePause")]
    assert told_to == [("PJSIP/agent1001", "true", "lunch"), ("PJSIP/agent1001", "false", "")]


@pytest.mark.parametrize("reason", ["", "rest-after-abuse", "lunch\r\nAction: Hangup"])
async def test_only_reasons_of_the_desk_are_taken(rig: Rig, agent: Actor, pbx: FakeAmi, reason: str) -> None:
    with pytest.raises(NoteError, match="wrong_reason"):
        await pause_phone(rig, actor=seated(agent), reason=reason)
    assert pbx.orders("QueuePause") == []


async def test_who_has_no_telephone_or_no_exchange_is_told_so(rig: Rig, agent: Actor, pbx: FakeAmi) -> None:
    with pytest.raises(NoteError, match="no_phone"):
        await pause_phone(rig, actor=msgspec.structs.replace(agent, phone=None), reason="lunch")
    await pbx.stop()
    with pytest.raises(NoteError, match="not_paused"):
        await pause_phone(rig, actor=seated(agent), reason="lunch")


async def test_a_rest_after_abuse_is_no_pause_and_is_not_ended_by_one(rig: Rig, agent: Actor, pbx: FakeAmi) -> None:
    calls = PhoneCalls(rig, pbx="main", routes=ROUTES)
    for kind in (LiveKind.RINGING, LiveKind.ANSWERED):
        await calls.apply(told(kind, queue="cafe24_order"))
    pop = await read_pop(rig, actor=agent)
    assert pop is not None
    await flag_abuse(rig, actor=agent, call_id=pop.call.id, text="", ends=True)
    before = len(pbx.orders("QueuePause"))

    with pytest.raises(NoteError, match="at_rest"):
        await pause_phone(rig, actor=seated(agent), reason="lunch")
    with pytest.raises(NoteError, match="at_rest"):
        await resume_phone(rig, actor=seated(agent))
    assert len(pbx.orders("QueuePause")) == before == 1


@pytest.mark.parametrize(
    ("state", "may_pause", "may_resume"),
    [
        (AgentState.READY, True, False),
        (AgentState.IN_CALL, True, False),
        (AgentState.PAUSED, False, True),
        (AgentState.REST, False, False),
        (AgentState.SIGNED_OUT, False, False),
        (AgentState.UNKNOWN, True, True),
    ],
)
def test_what_is_offered_follows_the_state(state: AgentState, may_pause: bool, may_resume: bool) -> None:
    view = AgentView(pbx="main", member="agent1001", name=None, state=state, reason="", since=NOW)

    assert (view.may_pause, view.may_resume) == (may_pause, may_resume)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_reason_has_a_word(locale: str) -> None:
    assert all(Words(locale).has(f"pause_reason.{reason}") for reason in PAUSE_REASONS)
