"""The live telephone as a port: what a PBX tells while it happens, and what it can be asked to do.

Another PBX is one module that gives these. Records of calls (``ivr.records``) stay the truth for counting: what is
told here may have gaps, and says so.
"""

from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import Final, Protocol

import msgspec


class LiveKind(StrEnum):
    """What happened. The comment names what ``detail`` holds."""

    RINGING = "ringing"  # the phone of ``member`` rings
    NOT_ANSWERED = "not_answered"  # it has stopped ringing, without an answer
    ANSWERED = "answered"
    HELD = "held"
    RESUMED = "resumed"
    ENDED = "ended"  # the talk of ``member`` is over: agent | caller | transfer; the call may go on
    OVER = "over"  # the caller is gone
    CALLBACK = "callback"  # the caller asks to be called back
    DIALLED = "dialled"  # ``reference``: the agent's phone was picked up (answered), or not: the reason
    AGENT = "agent"  # ``agent``: what ``member`` does now; the reason of a pause
    LOST = "lost"  # nothing is heard any more, until GAP
    GAP = "gap"  # what happened before was not heard; what stands now follows, then STANDING
    STANDING = "standing"  # ``standing``: all calls there are; every other one is over


class AgentState(StrEnum):
    """What an agent's telephone does, with the pauses of whoever sits there. Unknown is a state of its own."""

    READY = "ready"
    RINGING = "ringing"
    IN_CALL = "in_call"  # also on hold, and a call that no queue gave
    PAUSED = "paused"  # in every queue
    REST = "rest"  # paused for :data:`REST_REASON`
    UNREACHABLE = "unreachable"  # the telephone is not there
    SIGNED_OUT = "signed_out"  # in no queue
    UNKNOWN = "unknown"


#: the reason under which a rest after an abusive call stands at the exchange
REST_REASON: Final = "rest-after-abuse"


class LiveEvent(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: epoch seconds of the PBX. ``call_id``: one for the whole call, empty where the PBX did not say.

    ``leg``: the id under which records note this stay in a queue. ``caller``: as the PBX writes it, empty when
    withheld; ``channel``: where the caller can be reached to end the call. Both are personal and stand outside
    ``repr``.
    """

    kind: LiveKind
    at: float
    call_id: str = ""
    leg: str = ""
    member: str = ""
    queue: str = ""
    did: str = ""
    detail: str = ""
    reference: str = ""
    agent: AgentState | None = None
    standing: frozenset[str] = frozenset()
    caller: str = ""
    channel: str = ""

    def __repr__(self) -> str:
        return f"<{self.kind} {self.call_id or self.reference} {self.member} at {self.at}>"


class PhoneError(Exception):
    """The PBX cannot be reached or refuses; the message holds no number and no secret."""


class CallEventSource(Protocol):
    """``name``: of this PBX, among several."""

    @property
    def name(self) -> str: ...

    def events(self) -> AsyncGenerator[LiveEvent, None]:
        """For ever: an interruption ends in GAP, the calls that stand, STANDING.

        Raises: PhoneError when trying again cannot help: a wrong password.
        """
        ...


class CallControl(Protocol):
    """Each raises PhoneError when the PBX did not take it."""

    async def agents(self) -> list[LiveEvent]:
        """What every member of a queue does now: AGENT events."""
        ...

    async def dial(self, *, member: str, number: str, caller_id: str, reference: str) -> None:
        """Ring the phone of ``member``; once picked up, call ``number``, which is shown ``caller_id``."""
        ...

    async def note(self, *, leg: str, queue: str, member: str, topic: str) -> None:
        """Write what the call was about beside the call's own records."""
        ...

    async def end(self, *, channel: str) -> None:
        """End the caller's call, with a notice where the PBX has one."""
        ...

    async def rest(self, *, member: str, is_resting: bool, reason: str) -> None:
        """Give ``member`` no calls, or calls again."""
        ...
