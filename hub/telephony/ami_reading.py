"""What manager events mean for the desk. Keeps only what the events of a call leave out one from another.

A queue's member rings at ``AgentCalled``, not at the call's first channel. ``AgentComplete`` may lack every id when
the caller hung up first: the member is told then, and whoever keeps the calls knows his call.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from hub.telephony.ami_members import Members, device_of, name_of
from hub.telephony.ami_wire import Message
from ivr.phone import LiveEvent, LiveKind

#: events that are asked for: the rest is most of what a busy exchange has to say
EVENT_CLASSES: Final = "call,agent,user,system"
_NO_NUMBER: Final = frozenset({"<unknown>", "unknown", "anonymous", "withheld", "restricted", "private"})
_SIMPLE: Final = {
    "AgentCalled": LiveKind.RINGING,
    "AgentRingNoAnswer": LiveKind.NOT_ANSWERED,
    "AgentConnect": LiveKind.ANSWERED,
    "AgentComplete": LiveKind.ENDED,
}
#: Reason of an OriginateResponse. Source: field practice; confidence: likely, but 4, which was seen
_DIAL_REASONS: Final = {"4": "answered", "3": "no_answer", "5": "busy", "1": "failed", "8": "failed", "0": "failed"}
_RINGING_STATES: Final = frozenset({"4", "5"})
_UP: Final = "6"


class Reading:
    """The calls of one connection."""

    def __init__(self) -> None:
        #: call -> (caller, number dialled, channel) of its first channel
        self._first: dict[str, tuple[str, str, str]] = {}
        #: channel id of an agent's phone -> (member, queue)
        self._phones: dict[str, tuple[str, str]] = {}
        self._members = Members()

    def read(self, message: Message, *, received: float) -> list[LiveEvent]:
        """``received``: epoch seconds, for a PBX that sends no times. Empty: says nothing to the desk."""
        at = _time(message, received)
        told = self._call(message, at)
        return [told] if told else self._members.read(message, at=at)

    def _call(self, message: Message, at: float) -> LiveEvent | None:
        name = message.get("Event", "")
        call_id, channel_id = message.get("Linkedid", ""), message.get("Uniqueid", "")
        if name in _SIMPLE:
            return self._of_queue(_SIMPLE[name], message, at)
        if name in ("Hold", "Unhold"):
            member, queue = self._phones.get(channel_id, ("", ""))
            kind = LiveKind.HELD if name == "Hold" else LiveKind.RESUMED
            return LiveEvent(kind=kind, at=at, call_id=call_id, member=member, queue=queue) if member else None
        if name == "Newchannel" and channel_id == call_id:
            self._first[call_id] = (
                _number(message.get("CallerIDNum", "")),
                message.get("Exten", ""),
                message.get("Channel", ""),
            )
        if name == "Hangup":
            self._phones.pop(channel_id, None)
            if channel_id and channel_id == call_id:
                self._first.pop(call_id, None)
                return LiveEvent(kind=LiveKind.OVER, at=at, call_id=call_id)
        if name == "OriginateResponse":
            reason = _DIAL_REASONS.get(message.get("Reason", ""), "failed")
            told = reason if message.get("Response") != "Success" else "answered"
            return LiveEvent(kind=LiveKind.DIALLED, at=at, reference=message.get("ActionID", ""), detail=told)
        if name == "UserEvent" and message.get("UserEvent", "").lower().removeprefix("ivr").strip("_") == "callback":
            return self._callback(message, at)
        return None

    def _of_queue(self, kind: LiveKind, message: Message, at: float) -> LiveEvent:
        call_id, phone = message.get("Linkedid", ""), message.get("DestUniqueid", "")
        member = name_of(message)
        caller, did, channel = self._first.get(call_id, ("", "", ""))
        if phone and kind in (LiveKind.RINGING, LiveKind.ANSWERED):
            self._phones[phone] = (member, message.get("Queue", ""))
        return LiveEvent(
            kind=kind,
            at=at,
            call_id=call_id,
            leg=message.get("Uniqueid", ""),
            member=member,
            queue=message.get("Queue", ""),
            did=did,
            detail=message.get("Reason", ""),
            # The consultation before a transfer shows the colleague's channel: the caller is the first one's.
            caller=caller or _number(message.get("CallerIDNum", "")),
            channel=channel or message.get("Channel", ""),
        )

    def _callback(self, message: Message, at: float) -> LiveEvent:
        given = message.get("Arg", "")
        number = given if given.isascii() and given.isdigit() else ""
        call_id = message.get("Linkedid", "")
        return LiveEvent(
            kind=LiveKind.CALLBACK,
            at=at,
            call_id=call_id,
            did=message.get("Did", "") or self._first.get(call_id, ("", "", ""))[1],
            caller=number or _number(message.get("Caller", "")) or _number(message.get("CallerIDNum", "")),
        )

    def standing(self, members: Iterable[Message], channels: Iterable[Message], *, at: float) -> Iterator[LiveEvent]:
        """What QueueStatus and CoreShowChannels tell, as events: phones that ring or talk, then all calls."""
        members, channels = list(members), list(channels)
        by_phone = {device: each for each in members if (device := device_of(each))}
        self._first = {
            each["Linkedid"]: (
                _number(each.get("CallerIDNum", "")),
                self._first.get(each["Linkedid"], ("", each.get("Exten", ""), ""))[1],
                each.get("Channel", ""),
            )
            for each in channels
            if each.get("Linkedid") and each.get("Linkedid") == each.get("Uniqueid")
        }
        self._phones.clear()
        for each in channels:
            call_id, state = each.get("Linkedid", ""), each.get("ChannelState", "")
            member = by_phone.get(each.get("Channel", "").rpartition("-")[0])
            if member is None or call_id not in self._first or each.get("Uniqueid") == call_id:
                continue
            if state != _UP and state not in _RINGING_STATES:
                continue
            name = name_of(member)
            caller, did, channel = self._first[call_id]
            self._phones[each.get("Uniqueid", "")] = (name, "")
            yield LiveEvent(
                kind=LiveKind.ANSWERED if state == _UP else LiveKind.RINGING,
                at=at,
                call_id=call_id,
                leg=call_id,
                member=name,
                did=did,
                caller=caller,
                channel=channel,
            )
        yield from self._members.standing(members, at=at)
        yield LiveEvent(kind=LiveKind.STANDING, at=at, standing=frozenset(self._first))


def _number(text: str) -> str:
    return "" if text.casefold() in _NO_NUMBER else text


def _time(message: Message, received: float) -> float:
    try:
        at = float(message.get("Timestamp", ""))
    except ValueError:
        return received
    # A clock that is days off would show hours of ringing.
    return at if abs(at - received) < 86_400.0 else received
