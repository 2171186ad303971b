import pytest

from hub.sandbox.ami import Fields
from hub.telephony.ami_members import Members
from ivr.phone import REST_REASON, AgentState, LiveEvent


def row(member: str = "agent1001", **fields: str) -> Fields:
    known = {"Event": "QueueMemberStatus", "MemberName": member, "Interface": f"PJSIP/{member}", "Queue": "a"}
    return {**known, "Status": "1", "Paused": "0", "PausedReason": "", "InCall": "0", **fields}


def told(events: list[LiveEvent]) -> list[tuple[AgentState | None, str]]:
    return [(event.agent, event.detail) for event in events]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, AgentState.READY),
        ({"Status": "2"}, AgentState.IN_CALL),
        ({"Status": "3"}, AgentState.IN_CALL),
        ({"Status": "7"}, AgentState.IN_CALL),
        ({"Status": "8"}, AgentState.IN_CALL),
        ({"Status": "6"}, AgentState.RINGING),
        ({"Status": "5"}, AgentState.UNREACHABLE),
        ({"Status": "4"}, AgentState.UNREACHABLE),
        ({"Status": "0"}, AgentState.UNKNOWN),
        ({"Status": "99"}, AgentState.UNKNOWN),
        ({"Status": ""}, AgentState.UNKNOWN),
        ({"Paused": "maybe"}, AgentState.UNKNOWN),
        ({"Status": "0", "InCall": "1"}, AgentState.IN_CALL),
        ({"Status": "2", "Paused": "1"}, AgentState.IN_CALL),
        ({"Paused": "1"}, AgentState.PAUSED),
        ({"Status": "0", "Paused": "1"}, AgentState.PAUSED),
        ({"Paused": "1", "PausedReason": REST_REASON}, AgentState.REST),
    ],
)
def test_a_state_is_what_the_exchange_says_and_no_more(fields: dict[str, str], state: AgentState) -> None:
    assert [event.agent for event in Members().read(row(**fields), at=1.0)] == [state]


def test_a_change_is_told_once_though_every_queue_tells_it() -> None:
    members = Members()
    assert told(members.read(row(Queue="a"), at=1.0)) == [(AgentState.READY, "")]
    assert told(members.read(row(Queue="b"), at=1.0)) == []
    assert told(members.read(row(Queue="a", Paused="1", PausedReason="lunch"), at=2.0)) == [], "b still rings him"
    paused = members.read(row(Queue="b", Event="QueueMemberPause", Paused="1", PausedReason="lunch"), at=2.0)
    assert told(paused) == [(AgentState.PAUSED, "lunch")]


def test_who_is_in_no_queue_has_signed_out() -> None:
    members = Members()
    members.read(row(Queue="a"), at=1.0)
    assert told(members.read(row(Queue="a", Event="QueueMemberRemoved"), at=2.0)) == [(AgentState.SIGNED_OUT, "")]
    assert members.read(row("agent9", Event="QueueMemberRemoved"), at=2.0) == [], "never heard of"
    assert told(members.read(row(Queue="a", Event="QueueMemberAdded"), at=3.0)) == [(AgentState.READY, "")]


def test_the_telephone_itself_tells_of_calls_that_no_queue_gave() -> None:
    members = Members()
    through_dialplan = {"Interface": "Local/1001@agents", "StateInterface": "PJSIP/agent1001"}
    members.read(row(**through_dialplan), at=1.0)
    device = {"Event": "DeviceStateChange", "Device": "PJSIP/agent1001"}
    assert told(members.read({**device, "State": "INUSE"}, at=2.0)) == [(AgentState.IN_CALL, "")]
    assert told(members.read({**device, "State": "SOMETHING_NEW"}, at=3.0)) == [(AgentState.UNKNOWN, "")]
    assert members.read({**device, "Device": "PJSIP/lobby", "State": "INUSE"}, at=4.0) == []
    assert members.read({**device, "Device": "", "State": "INUSE"}, at=4.0) == []


def test_after_a_gap_all_are_told_anew() -> None:
    members = Members()
    members.read(row("agent1001"), at=1.0)
    listed = {"Event": "QueueMember", "Name": "agent1002", "Location": "PJSIP/agent1002", "Queue": "a"}
    standing = list(members.standing([{**listed, "Status": "1", "Paused": "0"}], at=2.0))
    assert [(event.member, event.agent) for event in standing] == [("agent1002", AgentState.READY)]
    device = {"Event": "DeviceStateChange", "Device": "PJSIP/agent1001", "State": "INUSE"}
    assert members.read(device, at=3.0) == [], "it is no member any more"
