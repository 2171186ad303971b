"""The emulated exchange as tests use it, and the events of one call as Asterisk tells them."""

from hub.sandbox.ami import SECRET, USER, Fields
from hub.sandbox.ami import EmulatedAmi as FakeAmi

__all__ = ["SECRET", "USER", "FakeAmi", "arrived", "called", "completed", "connected", "hung_up"]


def called(member: str, caller: str, *, call_id: str = "100.1", queue: str = "cafe24_order", at: str = "") -> Fields:
    """The phone of ``member`` rings."""
    return {"Event": "AgentCalled", **_queue(member, caller, call_id, queue, at)}


def connected(member: str, caller: str, *, call_id: str = "100.1", queue: str = "cafe24_order", at: str = "") -> Fields:
    return {"Event": "AgentConnect", "HoldTime": "2", "RingTime": "2", **_queue(member, caller, call_id, queue, at)}


def completed(member: str, caller: str, *, call_id: str = "100.1", queue: str = "cafe24_order", at: str = "") -> Fields:
    fields = {"Event": "AgentComplete", "HoldTime": "2", "TalkTime": "8", "Reason": "agent"}
    return {**fields, **_queue(member, caller, call_id, queue, at)}


def hung_up(call_id: str = "100.1") -> Fields:
    return {"Event": "Hangup", "Channel": "IAX2/trunk-1", "Uniqueid": call_id, "Linkedid": call_id, "Cause": "16"}


def arrived(caller: str, *, call_id: str = "100.1", did: str = "07000001001") -> Fields:
    fields = {"Event": "Newchannel", "Channel": "IAX2/trunk-1", "CallerIDNum": caller, "Context": "from-trunk"}
    return {**fields, "Exten": did, "Uniqueid": call_id, "Linkedid": call_id}


def _queue(member: str, caller: str, call_id: str, queue: str, at: str) -> Fields:
    fields = {"Channel": "IAX2/trunk-1", "CallerIDNum": caller, "Uniqueid": call_id, "Linkedid": call_id}
    phone = {"DestChannel": f"IAX2/{member}-7", "DestUniqueid": f"{call_id}-{member}", "Queue": queue}
    named = {"Interface": f"IAX2/{member}", "MemberName": member}
    return {**fields, **phone, **named, **({"Timestamp": at} if at else {})}
