"""A simulated call as data: what the caller does, how the centre stands, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from ivr.calls import CallResult
from ivr.event import Kind
from ivr.spec import Queue

#: that a caller has for keying a number, after he was asked for it
NUMBER_SECONDS = 15.0


class Do(StrEnum):
    PRESS = "press"
    SILENT = "silent"
    HANG_UP = "hang_up"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the caller does where he is listened to: ``after`` seconds there, or after his last act there.

    ``key``: a key; several digits where a number is asked for (elsewhere the first counts). ``is_early``: done already
    while a notice is played, where a key is lost. SILENT lets one wait for a key pass, and is nothing in a queue. With
    no act left the caller stays and says nothing.
    """

    do: Do
    key: str = ""
    after: float = 2.0
    is_early: bool = False


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """A phone that rang in vain: it gave up ``after`` seconds of the stay."""

    agent: str
    after: float
    rang: float


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """How one stay in a queue goes, if the caller waits for it.

    ``is_full``, ``is_empty``: he is not let in. ``empties_after``: the last agent leaves the queue. ``answers_after``:
    ``agent`` picks up, talks ``talks`` seconds, and hangs up (``ends_by`` agent), is hung up on (caller), or hands the
    caller on to the queue ``moves_to``. ``missed``: phones that rang before, in order.
    """

    is_full: bool = False
    is_empty: bool = False
    empties_after: float | None = None
    answers_after: float | None = None
    agent: str = ""
    talks: float = 60.0
    ends_by: str = "agent"
    moves_to: str | None = None
    topic: str | None = None
    missed: tuple[Missed, ...] = ()


class AgentState(StrEnum):
    """What an agent's phone does. RINGS: it rings in vain."""

    READY = "ready"
    RINGS = "rings"
    PAUSED = "paused"
    OUT = "out"


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """``answers_after``: seconds of ringing, fewer than the queue's ``ring_s``. The rest as in :class:`Stay`.

    ``moves_to``: he hands a caller on once; if the same caller comes back, he serves him.
    """

    state: AgentState = AgentState.READY
    answers_after: float = 5.0
    talks: float = 60.0
    ends_by: str = "agent"
    moves_to: str | None = None
    topic: str | None = None


class Centre(msgspec.Struct, frozen=True, kw_only=True):
    """``stays``: queue -> how its next stays go, in order. Where none is left the agents decide.

    ``agents``: by name; members of a queue who are not among them are not there. ``None``: the queues let callers in
    and nobody answers. ``full``: queues that let nobody in. ``dnd``: lines that are switched off.
    """

    stays: Mapping[str, Sequence[Stay]] = {}
    agents: Mapping[str, Agent] | None = None
    full: frozenset[str] = frozenset()
    dnd: frozenset[str] = frozenset()


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: seconds after the call came in. ``way``: the id of the way taken, if one was."""

    at: float
    kind: Kind
    step: str
    way: str = ""
    detail: str = ""
    extra: str = ""
    queue: str = ""
    agent: str = ""
    wait: float = 0.0
    talk: float = 0.0


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """One whole call. ``number`` is the caller's, empty when withheld; ``start`` is aware."""

    did: str
    number: str
    start: datetime
    happenings: tuple[Happening, ...]
    result: CallResult
    reason: str | None
    is_short_abandon: bool = False

    def __repr__(self) -> str:
        return f"<Walk {self.did} {self.result}>"

    @property
    def ways(self) -> tuple[str, ...]:
        """The ids of the ways taken, in order."""
        return tuple(each.way for each in self.happenings if each.way)


class EndlessWalkError(RuntimeError):
    """The call goes round for ever: the spec has a ring."""


def stay_with(queue: Queue, agents: Mapping[str, Agent], *, moved_by: frozenset[str] = frozenset()) -> Stay:
    """How a stay goes with these agents.

    Members who are there ring in the order of the spec, one after the other, again and again. A queue where no member
    is there lets nobody in, as ``joinempty=paused,unavailable,invalid`` has it. ``moved_by``: agents who have handed
    this caller on already.
    """
    ringing = (AgentState.READY, AgentState.RINGS)
    there = [name for name in queue.members if name in agents and agents[name].state in ringing]
    if not there:
        return Stay(is_empty=True)
    missed: list[Missed] = []
    at, ring = 0.0, float(max(queue.ring_s, 1))
    while at <= (queue.max_wait_s or 0):
        for name in there:
            agent = agents[name]
            if agent.state is AgentState.READY and agent.answers_after < ring:
                return Stay(
                    answers_after=at + agent.answers_after,
                    agent=name,
                    talks=agent.talks,
                    ends_by=agent.ends_by,
                    moves_to=None if name in moved_by else agent.moves_to,
                    topic=agent.topic,
                    missed=tuple(missed),
                )
            at += ring
            missed.append(Missed(agent=name, after=at, rang=ring))
    return Stay(missed=tuple(missed))
