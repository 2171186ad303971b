"""Asterisk's queue_log: one event a line, ``epoch|callid|queue|agent|EVENT|data…``.

Source: Asterisk 22, apps/app_queue.c and the queue_log documentation; confidence: sure.
The dialplan's own steps are lines of event ``IVR`` (``IVR|KIND|arg|arg|did|caller|way``, ``IVR|HANGUP|cause|path``)
and ``DISPOSITION|value``, written by the QueueLog application.
"""

import re
from collections.abc import Callable

from ivr.event import Event, Kind, Source, UnknownEventError, UnreadableLineError

_EPOCH = re.compile(r"[0-9]{9,11}(\.[0-9]{1,9})?", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,7}", re.ASCII)
#: a way that no spec could have is none: its text goes on screens and into files
_WAY = re.compile(r"[a-z0-9._-]{1,200}", re.ASCII)
_KEY = re.compile(r"[0-9*#]", re.ASCII)
_NOBODY = frozenset({"", "NONE", "REALTIME", "MANAGER", "CLI"})
_STEPS = {
    "ENTER": Kind.ENTER,
    "CLOSED": Kind.CLOSED,
    "KEY": Kind.KEY,
    "INVALID": Kind.INVALID,
    "NOINPUT": Kind.NO_INPUT,
    "GIVEUP": Kind.GIVE_UP,
    "SWITCH": Kind.SWITCH,
    "QUEUE": Kind.TRY_QUEUE,
    "QRESULT": Kind.QUEUE_RESULT,
    "XFER": Kind.MOVE,
    "CALLBACK": Kind.CALLBACK,
    "CSAT": Kind.SURVEY,
    "HANGUP": Kind.HANGUP,
}
_QUEUE_STEPS = frozenset({Kind.TRY_QUEUE, Kind.QUEUE_RESULT, Kind.MOVE})
_PRESENCE_NAMES = """
ADDMEMBER REMOVEMEMBER PAUSE UNPAUSE PAUSEALL UNPAUSEALL PENALTY RINGINUSE MEMBERSTATUS AGENTLOGIN AGENTLOGOFF
AGENTCALLBACKLOGIN AGENTCALLBACKLOGOFF OUTCALL AGENTDUMP
"""
_PRESENCE = frozenset(_PRESENCE_NAMES.split())


def seconds(text: str) -> float:
    if not _SECONDS.fullmatch(text):
        raise UnreadableLineError("a number of seconds is broken")
    return float(text)


def epoch(text: str) -> float:
    if not _EPOCH.fullmatch(text):
        raise UnreadableLineError("the time is not an epoch")
    return float(text)


def step(
    kind_word: str,
    args: tuple[str, str, str, str],
    *,
    source: Source,
    at: float,
    ids: tuple[str, str],
    way: str = "",
) -> Event:
    """One step of the dialplan; ``args`` = the two arguments, DID, caller; ``ids`` = callid, linkedid.

    A callback's argument is the number to call, so it goes where the caller's number goes.
    """
    kind = _STEPS.get(kind_word)
    if kind is None:
        raise UnknownEventError("IVR", kind_word)
    first, second, did, caller = args
    queue = ""
    if kind in _QUEUE_STEPS:
        queue, first, second = first, second, ""
    elif kind is Kind.CALLBACK:
        caller, first = caller or first, ""
    elif kind is Kind.HANGUP:
        second = ""  # the path repeats the steps, numbers of callers included
    return Event(
        source=source,
        kind=kind,
        at=at,
        callid=ids[0],
        linkedid=ids[1],
        queue=queue,
        detail=first,
        extra=second,
        did=did,
        caller=caller,
        way=way if _WAY.fullmatch(way) else "",
    )


def _ivr(at: float, callid: str, data: list[str]) -> Event:
    word = data[0] if data else ""
    if word == "HANGUP" and len(data) >= 3:
        args = (data[1], "", "", "")
    elif len(data) >= 5:
        args = (data[1], data[2], data[3], data[4])
    elif word in _STEPS:
        raise UnreadableLineError("an IVR step is cut short")
    else:
        raise UnknownEventError("IVR", word)
    way = data[5] if len(data) > 5 and word != "HANGUP" else ""
    return step(word, args, source=Source.QUEUE_LOG, at=at, ids=(callid, ""), way=way)


def _waited(detail: str, kind: Kind, index: int) -> Callable[[list[str]], dict[str, object]]:
    def read(data: list[str]) -> dict[str, object]:
        return {"kind": kind, "detail": detail, "wait": seconds(data[index])}

    return read


def _left_by_key(data: list[str]) -> dict[str, object]:
    key = data[0] if _KEY.fullmatch(data[0]) else ""
    return {"kind": Kind.LEAVE, "detail": "key", "wait": seconds(data[3]), "key": key}


def _talked(detail: str) -> Callable[[list[str]], dict[str, object]]:
    def read(data: list[str]) -> dict[str, object]:
        return {"kind": Kind.COMPLETE, "detail": detail, "wait": seconds(data[0]), "talk": seconds(data[1])}

    return read


def _transferred(detail: str) -> Callable[[list[str]], dict[str, object]]:
    def read(data: list[str]) -> dict[str, object]:
        """Holdtime, talktime and position stand last; what is before them varies with the kind of transfer."""
        return {"kind": Kind.TRANSFER, "detail": detail, "wait": seconds(data[-3]), "talk": seconds(data[-2])}

    return read


def _ring(detail: str) -> Callable[[list[str]], dict[str, object]]:
    def read(data: list[str]) -> dict[str, object]:
        return {"kind": Kind.RING, "detail": detail, "wait": seconds(data[0]) / 1000}

    return read


def _joined(data: list[str]) -> dict[str, object]:
    seconds(data[2])  # the position: a line cut inside the caller's number has none
    return {"kind": Kind.JOIN, "caller": data[1]}


def _connected(data: list[str]) -> dict[str, object]:
    return {"kind": Kind.CONNECT, "wait": seconds(data[0])}


def _disposed(data: list[str]) -> dict[str, object]:
    return {"kind": Kind.DISPOSITION, "detail": data[0].strip().lower()[:60]}


# event -> least number of data fields, what they mean
_EVENTS: dict[str, tuple[int, Callable[[list[str]], dict[str, object]]]] = {
    "ENTERQUEUE": (3, _joined),
    "CONNECT": (2, _connected),
    "COMPLETEAGENT": (2, _talked("agent")),
    "COMPLETECALLER": (2, _talked("caller")),
    "BLINDTRANSFER": (5, _transferred("blind")),
    "ATTENDEDTRANSFER": (5, _transferred("attended")),
    "TRANSFER": (5, _transferred("blind")),
    "ABANDON": (3, _waited("", Kind.ABANDON, 2)),
    "EXITWITHTIMEOUT": (3, _waited("timeout", Kind.LEAVE, 2)),
    "EXITEMPTY": (3, _waited("empty", Kind.LEAVE, 2)),
    "EXITWITHKEY": (4, _left_by_key),
    "WITHDRAW": (3, _waited("withdrawn", Kind.LEAVE, 2)),
    "SYSCOMPAT": (0, lambda _: {"kind": Kind.LEAVE, "detail": "codec"}),
    "RINGNOANSWER": (1, _ring("no_answer")),
    "RINGCANCELED": (1, _ring("cancelled")),
    "DISPOSITION": (1, _disposed),
}


def parse_line(line: str) -> Event:
    """Read one line.

    Raises: UnreadableLineError when it is torn or a field is broken; UnknownEventError for an event of others.
    """
    fields = line.rstrip("\r\n").split("|")
    if len(fields) < 5:
        raise UnreadableLineError("fewer than five columns")
    stamp, callid, queue, agent, name = fields[:5]
    data = fields[5:]
    at = epoch(stamp)
    if name in ("QUEUESTART", "CONFIGRELOAD"):
        return Event(source=Source.QUEUE_LOG, kind=Kind.RESTART, at=at, callid="", detail=name)
    queue = "" if queue == "NONE" else queue
    agent = "" if agent == "NONE" else agent
    if name in _PRESENCE:
        reason = data[0][:40] if data else ""
        return Event(
            source=Source.QUEUE_LOG,
            kind=Kind.PRESENCE,
            at=at,
            callid="",
            queue=queue,
            agent=agent,
            detail=name,
            extra=reason,
        )
    if name != "IVR" and name not in _EVENTS:
        if any(known.startswith(name) for known in _EVENTS):
            raise UnreadableLineError("an event is cut short")
        raise UnknownEventError(name)
    if callid in _NOBODY:
        raise UnreadableLineError("no call id")
    if name == "IVR":
        return _ivr(at, callid, data)
    least, read = _EVENTS[name]
    if len(data) < least:
        raise UnreadableLineError("an event is cut short")
    values = read(data)
    return Event(source=Source.QUEUE_LOG, at=at, callid=callid, queue=queue, agent=agent, **values)  # type: ignore[arg-type]
