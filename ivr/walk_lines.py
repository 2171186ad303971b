"""A walk told as the PBX would have logged it, and as the call that the records make of it."""

from collections.abc import Iterator

import msgspec

from ivr.calls import Call, derive_calls
from ivr.event import Kind
from ivr.queue_log import parse_line
from ivr.spec import Spec, routes_from_spec
from ivr.walk import Happening, Walk

RING_SECONDS = 3.0

_WORDS = {
    Kind.ENTER: "ENTER",
    Kind.CLOSED: "CLOSED",
    Kind.KEY: "KEY",
    Kind.INVALID: "INVALID",
    Kind.NO_INPUT: "NOINPUT",
    Kind.GIVE_UP: "GIVEUP",
    Kind.SWITCH: "SWITCH",
    Kind.TRY_QUEUE: "QUEUE",
    Kind.QUEUE_RESULT: "QRESULT",
    Kind.MOVE: "XFER",
    Kind.CALLBACK: "CALLBACK",
    Kind.SURVEY: "CSAT",
}
_LEFT = {"timeout": "EXITWITHTIMEOUT", "empty": "EXITEMPTY"}


def queue_log_lines(walk: Walk, *, callid: str) -> Iterator[str]:
    """The walk as the PBX would have logged it, oldest first; times are whole seconds, as queue_log has them."""
    base = walk.start.timestamp()
    path: list[str] = []
    for each in walk.happenings:
        at = int(base + each.at)
        head, waited = f"{at}|{callid}", int(base + each.at) - int(base + each.at - each.wait)
        word = _WORDS.get(each.kind)
        if word is not None:
            first = each.queue or each.detail
            path.append(f"{word}={'' if each.kind is Kind.CALLBACK else first}")
            yield f"{head}|NONE|NONE|IVR|{word}|{first}|{each.extra}|{walk.did}|{walk.number}|{each.way}"
        elif each.kind is Kind.HANGUP:
            yield f"{head}|NONE|NONE|IVR|HANGUP|{each.detail}|{'>'.join(path)}"
        else:
            yield f"{head}|{each.queue}|{each.agent or 'NONE'}|{_queue_event(walk, each, waited)}"


def _queue_event(walk: Walk, each: Happening, waited: int) -> str:
    match each.kind:
        case Kind.JOIN:
            return f"ENTERQUEUE||{walk.number}|1"
        case Kind.ABANDON:
            return f"ABANDON|1|1|{waited}"
        case Kind.LEAVE:
            exit_ = _LEFT.get(each.detail)
            return f"{exit_}|1|1|{waited}" if exit_ else f"EXITWITHKEY|{each.extra}|1|1|{waited}"
        case Kind.RING:
            return f"RINGNOANSWER|{int(each.wait * 1000)}"
        case Kind.CONNECT:
            return f"CONNECT|{waited}|{int(walk.start.timestamp() + each.at)}.999|{int(RING_SECONDS)}"
        case Kind.TRANSFER:
            return f"BLINDTRANSFER|7|xfer|{int(each.wait)}|{int(each.talk)}|1"
        case Kind.COMPLETE:
            return f"COMPLETE{each.detail.upper()}|{int(each.wait)}|{int(each.talk)}|1"
        case Kind.DISPOSITION:
            return f"DISPOSITION|{each.detail}"
    message = f"a walk has no {each.kind}"
    raise ValueError(message)


def call_of(walk: Walk, spec: Spec) -> Call:
    """The call as it is counted, read from the walk's own lines.

    The result is the walk's: from queue_log alone a hang-up in a notice whose length the spec does not tell looks
    like one in the menu.
    """
    callid = f"{int(walk.start.timestamp())}.1"
    events = [parse_line(line) for line in queue_log_lines(walk, callid=callid)]
    (call,) = derive_calls(events, routes_from_spec(spec), as_of=events[-1].at + 1)
    return msgspec.structs.replace(call, result=walk.result, reason=walk.reason)
