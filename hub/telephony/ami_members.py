"""What the members of the queues do, from the events that carry their state.

One person is a member of several queues, and each tells of him on its own: he is paused when all of them have paused
him. Source: Asterisk 22, documentation of QueueMemberStatus and DeviceStateChange, and a capture of 22.10.1;
confidence: sure.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, field

from hub.telephony.ami_wire import Message
from ivr.phone import REST_REASON, AgentState, LiveEvent, LiveKind

_LONGEST_REASON: Final = 40
_STATES: Final = {
    "1": AgentState.READY,
    "2": AgentState.IN_CALL,
    "3": AgentState.IN_CALL,
    "4": AgentState.UNREACHABLE,
    "5": AgentState.UNREACHABLE,
    "6": AgentState.RINGING,
    "7": AgentState.IN_CALL,
    "8": AgentState.IN_CALL,
}
#: how DeviceStateChange words what queues give as a number; in this order they are 0, 1, 2, …
_WORDS: Final = (
    "UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD",
)  # fmt: skip
_TOLD: Final = frozenset({"QueueMemberStatus", "QueueMemberPause", "QueueMemberAdded", "QueueMember"})
_IS_PAUSED: Final = {"1": True, "0": False}


class _Member(Struct, kw_only=True):
    """``pauses``: queue -> whether it has paused him (``None``: it does not say) and why."""

    device: str = ""
    status: str = ""
    is_in_queue_call: bool = False
    pauses: dict[str, tuple[bool | None, str]] = field(default_factory=dict)

    def state(self) -> tuple[AgentState, str]:
        """What he does, and why he is paused."""
        at_phone = _STATES.get(self.status, AgentState.UNKNOWN)
        if at_phone is AgentState.RINGING:
            return at_phone, ""
        if at_phone is AgentState.IN_CALL or self.is_in_queue_call:
            return AgentState.IN_CALL, ""
        if not self.pauses:
            return AgentState.SIGNED_OUT, ""
        if all(is_paused for is_paused, _ in self.pauses.values()):
            reason = next((reason for _, reason in self.pauses.values() if reason), "")
            return AgentState.REST if reason == REST_REASON else AgentState.PAUSED, reason
        if at_phone is AgentState.READY and not any(is_paused is False for is_paused, _ in self.pauses.values()):
            return AgentState.UNKNOWN, ""
        return at_phone, ""


class Members:
    """Those of one connection; each change is told once."""

    def __init__(self) -> None:
        self._members: dict[str, _Member] = {}
        self._told: dict[str, tuple[AgentState, str]] = {}

    def read(self, message: Message, *, at: float) -> list[LiveEvent]:
        """What ``message`` has changed: mostly nothing."""
        name = message.get("Event", "")
        if name == "DeviceStateChange":
            return self._device(message, at)
        member = name_of(message)
        if not member:
            return []
        if name in _TOLD:
            self._put(member, message)
        elif name == "QueueMemberRemoved" and member in self._members:
            self._members[member].pauses.pop(message.get("Queue", ""), None)
        else:
            return []
        return self._changes([member], at)

    def standing(self, rows: Iterable[Message], *, at: float) -> Iterator[LiveEvent]:
        """All members anew, as QueueStatus lists them."""
        self._members.clear()
        self._told.clear()
        for row in rows:
            if member := name_of(row):
                self._put(member, row)
        yield from self._changes(list(self._members), at)

    def _put(self, member: str, message: Message) -> None:
        known = self._members.setdefault(member, _Member())
        known.device = device_of(message)
        known.status = message.get("Status", "")
        known.is_in_queue_call = message.get("InCall") == "1"
        is_paused = _IS_PAUSED.get(message.get("Paused", ""))
        reason = message.get("PausedReason", "")[:_LONGEST_REASON] if is_paused else ""
        known.pauses[message.get("Queue", "")] = (is_paused, reason)

    def _device(self, message: Message, at: float) -> list[LiveEvent]:
        device, word = message.get("Device", ""), message.get("State", "")
        found = [name for name, member in self._members.items() if device and member.device == device]
        for name in found:
            self._members[name].status = str(_WORDS.index(word)) if word in _WORDS else ""
        return self._changes(found, at)

    def _changes(self, names: Iterable[str], at: float) -> list[LiveEvent]:
        events = []
        for name in names:
            state, reason = now = self._members[name].state()
            if self._told.get(name) != now:
                self._told[name] = now
                events.append(LiveEvent(kind=LiveKind.AGENT, at=at, member=name, agent=state, detail=reason))
        return events


def name_of(message: Message) -> str:
    """A member's name: events and the list call it differently; without one it is the last part of the device."""
    return message.get("MemberName") or message.get("Name") or device_of(message).rpartition("/")[2]


def device_of(message: Message) -> str:
    """The telephone itself, for members that are reached through a dialplan; the list calls it ``Location``."""
    return message.get("StateInterface") or message.get("Interface") or message.get("Location", "")
