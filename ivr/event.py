"""One thing that happened to a call, whichever record told it.

The four kinds of record (queue_log, CEL, AMI, CDR) are read into the same small struct, so that the
rules which derive a call are written once. ``callid`` is the Uniqueid of the channel the record speaks
of; ``linkedid`` is the first channel of the call, known to CEL, AMI and CDR but not to queue_log.
"""

from enum import StrEnum
from hashlib import blake2b

import msgspec
from msgspec.structs import replace


class Source(StrEnum):
    QUEUE_LOG = "queue_log"
    CEL = "cel"
    AMI = "ami"
    CDR = "cdr"


class Kind(StrEnum):
    """What happened. The comment names what ``detail`` and ``extra`` hold."""

    RESTART = "restart"
    # steps that the dialplan writes itself
    ENTER = "enter"  # mall, line as the dialplan words them
    CLOSED = "closed"  # hours | holiday | dnd
    KEY = "key"  # key, its meaning (order, inquiry, agent, callback, …)
    INVALID = "invalid"  # key
    NO_INPUT = "no_input"
    GIVE_UP = "give_up"
    SWITCH = "switch"  # from line, to line
    TRY_QUEUE = "try_queue"
    QUEUE_RESULT = "queue_result"  # QUEUESTATUS
    MOVE = "move"  # the step of a transfer
    CALLBACK = "callback"
    SURVEY = "survey"  # score
    # the queue
    JOIN = "join"
    RING = "ring"  # no_answer | cancelled
    CONNECT = "connect"
    COMPLETE = "complete"  # agent | caller | transfer
    TRANSFER = "transfer"  # blind | attended
    ABANDON = "abandon"
    LEAVE = "leave"  # timeout | key | empty | withdrawn | codec
    OUT = "out"  # AMI's QueueCallerLeave: gone from the queue for whatever reason
    DISPOSITION = "disposition"  # the agent's word on the matter
    PRESENCE = "presence"  # event name, reason
    # channels
    CHANNEL = "channel"  # dialplan context
    BRIDGE = "bridge"  # application
    HANGUP = "hangup"  # cause, dialplan context
    END = "end"
    ROW = "row"  # one CDR row: disposition, dialplan context


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: epoch seconds of the PBX. ``wait`` and ``talk``: seconds as the record states them.

    ``way``: id of the edge of the flow that a step took, where the dialplan writes it; ``key``: pressed to leave a
    queue. Neither is part of the identity: records that were read before it was are still the same.
    ``caller`` is personal: it stands in no other field, not in ``repr`` and not in ``identity``.
    """

    source: Source
    kind: Kind
    at: float
    callid: str
    linkedid: str = ""
    queue: str = ""
    agent: str = ""
    detail: str = ""
    extra: str = ""
    did: str = ""
    caller: str = ""
    wait: float | None = None
    talk: float | None = None
    way: str = ""
    key: str = ""

    def __repr__(self) -> str:
        return f"<{self.source} {self.kind} {self.callid} at {self.at}>"


def identity(event: Event) -> str:
    """The same record read twice has the same identity (32 hex digits), whatever file it came in."""
    parts = (
        event.source,
        event.kind,
        repr(event.at),
        event.callid,
        event.queue,
        event.agent,
        event.detail,
        event.extra,
        event.did,
    )
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def of_pbx(event: Event, pbx: str) -> Event:
    """The event with ids that no other PBX has: ``pbx-`` in front, as Asterisk's own ``systemname`` puts it.

    A restart has no call: its id is the beginning of those it ended.
    """
    prefix = f"{pbx}-"
    if event.kind is Kind.RESTART:
        return replace(event, callid=prefix)
    return replace(event, callid=_prefixed(event.callid, prefix), linkedid=_prefixed(event.linkedid, prefix))


def _prefixed(callid: str, prefix: str) -> str:
    return callid if not callid or callid.startswith(prefix) else prefix + callid


class UnreadableLineError(ValueError):
    """The line cannot be read; the message says why, without quoting it (it may hold a caller's number)."""


class UnknownEventError(UnreadableLineError):
    """The line is whole, but its event is not one of ours; ``name`` is the event's name, cut to 40 characters."""

    def __init__(self, *words: str) -> None:
        self.name = " ".join(words)[:40]
        super().__init__(f"unknown event {self.name!r}")
