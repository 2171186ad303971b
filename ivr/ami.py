"""Events of the Asterisk Manager Interface, saved as JSON lines (one event a line, all fields as text).

Source: Asterisk 22, AMI event documentation; confidence: sure. ``Timestamp`` is the PBX's time
(``timestampevents=yes``); where it is missing, ``recv`` (time of receipt) stands in for it.
``QueueCallerAbandon`` is also raised for a timeout, an emptied queue and a withdrawal: what it was is
decided where the call is derived. ``AgentComplete`` may lack every id when the caller hung up first.
"""

from datetime import tzinfo
from typing import Any

import msgspec

from ivr.cel import decode_row, pbx_time
from ivr.event import Event, Kind, Source, UnknownEventError, UnreadableLineError
from ivr.queue_log import step

_KNOWN_NAMES = """
Newstate NewExten Newexten NewCallerid NewConnectedLine NewAccountCode VarSet DialBegin DialState DialEnd
DTMFBegin DTMFEnd BridgeCreate BridgeDestroy BridgeMerge BridgeEnter BridgeLeave BridgeInfoChannel LocalBridge
LocalOptimizationBegin LocalOptimizationEnd AgentCalled AgentDump AgentLogin AgentLogoff Agents QueueMember
QueueMemberStatus QueueMemberPenalty QueueMemberRinginuse QueueParams QueueEntry QueueStatusComplete
QueueSummary QueueSummaryComplete Hold Unhold HangupRequest SoftHangupRequest HangupHandlerPush
HangupHandlerPop HangupHandlerRun MusicOnHoldStart MusicOnHoldStop Rename ExtensionStatus DeviceStateChange
PresenceStateChange PeerStatus Registry ContactStatus Cdr CEL Reload ChannelReload
ChannelTalkingStart ChannelTalkingStop RTCPSent RTCPReceived MixMonitorStart MixMonitorStop MonitorStart
MonitorStop ParkedCall UnParkedCall ParkedCallGiveUp ParkedCallTimeOut Pickup OriginateResponse AsyncAGIStart
AsyncAGIExec AsyncAGIEnd AGIExecStart AGIExecEnd SuccessfulAuth ChallengeSent ChallengeResponseFailed
InvalidAccountID InvalidPassword RequestBadFormat Status StatusComplete CoreShowChannel
CoreShowChannelsComplete MessageWaiting LoadAverageLimit MemoryLimit FailedACL QueueCallerLeaveComplete
SessionTimeout Alarm AlarmClear Flash Wink ConfbridgeJoin ConfbridgeLeave AOC-D AOC-E AOC-S UnexpectedAddress
SessionLimit RequestNotSupported AuthMethodNotAllowed DNDState Dial
"""
_IGNORED = frozenset(_KNOWN_NAMES.split())
_NO_NUMBER = frozenset({"<unknown>", "anonymous", "unknown"})


class Message(msgspec.Struct, rename="pascal"):
    """The fields that are used here; a missing one is empty."""

    event: str = ""
    timestamp: str | float = ""
    recv: str | float = msgspec.field(default="", name="recv")
    uniqueid: str = ""
    linkedid: str = ""
    context: str = ""
    exten: str = ""
    queue: str = ""
    member_name: str = ""
    interface: str = ""
    hold_time: str | float = ""
    talk_time: str | float = ""
    ring_time: str | float = ""
    reason: str = ""
    paused_reason: str = ""
    paused: str = ""
    cause: str | float = ""
    uptime: str | float = ""
    caller_number: str = msgspec.field(default="", name="CallerIDNum")
    user_event: str = ""
    arg: str = ""
    arg2: str = ""
    did: str = ""
    caller: str = ""
    way: str = ""
    transferee_uniqueid: str = ""
    transferer_linkedid: str = ""
    transferer_uniqueid: str = ""
    orig_transferer_linkedid: str = ""
    orig_transferer_uniqueid: str = ""


_message = msgspec.json.Decoder(Message)


def _number(value: str) -> str:
    return "" if value in _NO_NUMBER else value


def _seconds(value: str | float) -> float | None:
    if value == "":
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise UnreadableLineError("a number of seconds is broken") from error
    if not 0 <= number < 10_000_000:
        raise UnreadableLineError("a number of seconds is broken")
    return number


def _agent(message: Message) -> str:
    return message.member_name or message.interface.rpartition("/")[2]


def _queue_event(message: Message) -> dict[str, Any] | None:
    name = message.event
    base = {"queue": message.queue, "agent": _agent(message), "wait": _seconds(message.hold_time)}
    if name == "QueueCallerJoin":
        return {"kind": Kind.JOIN, "queue": message.queue, "caller": _number(message.caller_number)}
    if name == "AgentConnect":
        return {"kind": Kind.CONNECT, **base}
    if name == "AgentComplete":
        return {"kind": Kind.COMPLETE, "detail": message.reason, "talk": _seconds(message.talk_time), **base}
    if name == "QueueCallerAbandon":
        return {"kind": Kind.ABANDON, **base}
    if name == "QueueCallerLeave":
        return {"kind": Kind.OUT, "queue": message.queue}
    if name == "AgentRingNoAnswer":
        milliseconds = _seconds(message.ring_time)
        ring = None if milliseconds is None else milliseconds / 1000
        return {"kind": Kind.RING, "detail": "no_answer", **base, "wait": ring}
    return None


def _channel_event(message: Message) -> dict[str, Any] | None:
    if message.event == "Newchannel":
        if message.uniqueid != message.linkedid:
            return {"kind": Kind.CHANNEL, "detail": message.context}
        caller = _number(message.caller_number)
        return {"kind": Kind.CHANNEL, "detail": message.context, "did": message.exten, "caller": caller}
    if message.event == "Hangup":
        return {"kind": Kind.HANGUP, "detail": str(message.cause), "extra": message.context}
    return None


def _transfer(message: Message, at: float) -> Event:
    is_blind = message.event == "BlindTransfer"
    linkedid = message.transferer_linkedid if is_blind else message.orig_transferer_linkedid
    callid = message.transferer_uniqueid if is_blind else message.orig_transferer_uniqueid
    if not linkedid:
        raise UnreadableLineError("a transfer without call id")
    detail = "blind" if is_blind else "attended"
    return Event(
        source=Source.AMI, kind=Kind.TRANSFER, at=at, callid=callid or linkedid, linkedid=linkedid, detail=detail
    )


def _user_event(message: Message, at: float) -> Event:
    name = message.user_event
    if name[:3].lower() != "ivr":
        raise UnknownEventError("UserEvent", name)
    word = name[3:].lstrip("_").upper()
    args = (message.arg, message.arg2, message.did, _number(message.caller) or _number(message.caller_number))
    if word == "HANGUP":
        args = (str(message.cause), "", "", "")
    ids = (message.uniqueid, message.linkedid or message.uniqueid)
    return step(word, args, source=Source.AMI, at=at, ids=ids, way=message.way)


def parse_json(line: str | bytes, *, zone: tzinfo) -> Event | None:
    """Read one event; ``None`` = known, but says nothing that is needed here.

    Raises: UnreadableLineError when it is torn or a field is broken; UnknownEventError for an event of others.
    """
    try:
        message = decode_row(line, _message)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableLineError("no AMI event") from error
    if message.event in _IGNORED:
        return None
    if not message.event:
        raise UnreadableLineError("no event name")
    at = pbx_time(message.timestamp or message.recv, zone)
    if message.event in ("FullyBooted", "Shutdown"):
        # FullyBooted is also told at every login: what counts is since when the PBX has been up
        began = at - (_seconds(message.uptime) or 0.0)
        return Event(source=Source.AMI, kind=Kind.RESTART, at=began, callid="", detail=message.event)
    if message.event in ("BlindTransfer", "AttendedTransfer"):
        return _transfer(message, at)
    if message.event.startswith("QueueMember"):
        return Event(
            source=Source.AMI,
            kind=Kind.PRESENCE,
            at=at,
            callid="",
            queue=message.queue,
            agent=_agent(message),
            detail=message.event + message.paused,
            extra=message.paused_reason[:40],
        )
    values = _queue_event(message) or _channel_event(message)
    if message.event == "UserEvent":
        if not message.uniqueid:
            raise UnreadableLineError("no call id")
        return _user_event(message, at)
    if values is None:
        raise UnknownEventError(message.event)
    if not message.uniqueid:
        if values["kind"] is Kind.COMPLETE:
            return None  # the PBX leaves the ids out when the caller hung up first; the hang-up tells the same
        raise UnreadableLineError("no call id")
    linkedid = message.linkedid or message.uniqueid
    return Event(source=Source.AMI, at=at, callid=message.uniqueid, linkedid=linkedid, **values)
