"""How busy agents were, measured: what the PBX noted of their states beside the talks that it noted.

Signed in is an agent from ADDMEMBER, AGENTLOGIN or the end of a pause until REMOVEMEMBER or AGENTLOGOFF. A PBX notes
changes only, so a state is believed for twelve hours after the agent's last sign of life; before the first change, and
after a restart, nothing is known. An hour of a line is known when everybody who spoke for the line in it was signed in.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Final

import msgspec

from ivr.event import Event, Kind

#: a shift is never longer: who has given no sign for so long forgot to sign out
LONGEST_SILENCE: Final = 12 * 3600.0


class AgentState(StrEnum):
    IN = "in"
    OUT = "out"
    PAUSED = "paused"
    BACK = "back"
    RESTART = "restart"


_QUEUE_LOG: Final[Mapping[str, AgentState]] = {
    "ADDMEMBER": AgentState.IN,
    "AGENTLOGIN": AgentState.IN,
    "AGENTCALLBACKLOGIN": AgentState.IN,
    "REMOVEMEMBER": AgentState.OUT,
    "AGENTLOGOFF": AgentState.OUT,
    "AGENTCALLBACKLOGOFF": AgentState.OUT,
    "PAUSE": AgentState.PAUSED,
    "PAUSEALL": AgentState.PAUSED,
    "UNPAUSE": AgentState.BACK,
    "UNPAUSEALL": AgentState.BACK,
    # the manager interface tells the same, with the new state behind
    "QueueMemberAdded0": AgentState.IN,
    "QueueMemberAdded1": AgentState.PAUSED,
    "QueueMemberRemoved0": AgentState.OUT,
    "QueueMemberRemoved1": AgentState.OUT,
    "QueueMemberPause1": AgentState.PAUSED,
    "QueueMemberPause0": AgentState.BACK,
}
#: a reload of the configuration keeps the members as they are
_RESTARTS: Final = frozenset({"QUEUESTART", "FullyBooted", "Shutdown"})


def state_of(event: Event) -> AgentState | None:
    """What an event says of an agent's state; ``None``: nothing, or nothing of anybody known."""
    if event.kind is Kind.RESTART:
        return AgentState.RESTART if event.detail in _RESTARTS else None
    if event.kind is not Kind.PRESENCE or not event.agent:
        return None
    if event.detail == "ADDMEMBER" and event.extra == "PAUSED":
        return AgentState.PAUSED
    return _QUEUE_LOG.get(event.detail)


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state at one queue, or ("") at all of the agent. ``line``: of the queue, ``None`` where unknown."""

    at: float
    agent: str
    queue: str
    line: str | None
    state: AgentState


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """An agent on a call; ``line`` is that of the queue he took it from."""

    agent: str
    line: str | None
    began_at: float
    ended_at: float


class Occupied(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of all agents of a line together, within some time. A talk of any line keeps an agent busy.

    ``paused``: signed in, away, and not on a call.
    """

    signed_in: float
    paused: float
    talked: float
    agents: int


_Stretch = tuple[float, float]


def measure(
    signs: Iterable[Sign], spoken: Iterable[Spoken], *, hours: Sequence[_Stretch], as_of: float
) -> dict[tuple[str, float], Occupied]:
    """Line and beginning of an hour -> what was measured; hours of which not everything is known are left out.

    ``hours``: stretches of time (epoch seconds), apart from each other and in order. ``as_of``: how far the records
    reach.
    """
    signs, spoken = sorted(signs, key=lambda sign: sign.at), list(spoken)
    restarts = [sign.at for sign in signs if sign.state is AgentState.RESTART]
    people: dict[str, tuple[list[Sign], list[Spoken]]] = {}
    for sign in signs:
        if sign.state is not AgentState.RESTART:
            people.setdefault(sign.agent, ([], []))[0].append(sign)
    for talk in spoken:
        people.setdefault(talk.agent, ([], []))[1].append(talk)
    found: dict[tuple[str, float], Occupied] = {}
    unknown: set[tuple[str, float]] = set()
    for own_signs, own_talks in people.values():
        agent = _Agent(own_signs, own_talks, restarts, as_of)
        for line in agent.lines:
            signed_in, paused = agent.times(line)
            own = agent.talks_for(line)
            for hour in hours:
                key = (line, hour[0])
                present = _cut(signed_in, hour)
                if not present and _cut(own, hour):
                    unknown.add(key)
                if not present:
                    continue
                busy = _meet(present, _cut(agent.busy, hour))
                known = found.get(key) or Occupied(signed_in=0.0, paused=0.0, talked=0.0, agents=0)
                away = _meet(_cut(paused, hour), present)
                found[key] = Occupied(
                    signed_in=known.signed_in + _length(present),
                    paused=known.paused + _length(away) - _length(_meet(away, busy)),
                    talked=known.talked + _length(busy),
                    agents=known.agents + 1,
                )
    return {key: value for key, value in found.items() if key not in unknown}


class _Agent:
    """One agent's time."""

    def __init__(self, signs: list[Sign], talks: list[Spoken], restarts: list[float], as_of: float) -> None:
        self._signs, self._talks, self._restarts, self._as_of = signs, talks, restarts, as_of
        self.busy = _union((talk.began_at, talk.ended_at) for talk in talks)
        lines = [sign.line for sign in signs] + [talk.line for talk in talks]
        self.lines = {line for line in lines if line is not None}
        lives = [sign.at for sign in signs] + [edge for talk in talks for edge in (talk.began_at, talk.ended_at)]
        self._lives = sorted(lives)

    def talks_for(self, line: str) -> list[_Stretch]:
        return _union((talk.began_at, talk.ended_at) for talk in self._talks if talk.line == line)

    def times(self, line: str) -> tuple[list[_Stretch], list[_Stretch]]:
        """When he was signed in to any queue of the line, and when he was paused in all of those he was in."""
        queues = {sign.queue for sign in self._signs if sign.line == line} or {""}
        there: list[_Stretch] = []
        ready: list[_Stretch] = []
        for queue in queues:
            own = [sign for sign in self._signs if sign.queue in (queue, "")]
            for first, last, state in self._stretches(own):
                if state is not AgentState.OUT:
                    there.append((first, last))
                if state is AgentState.BACK:
                    ready.append((first, last))
        return _union(there), _without(_union(there), _union(ready))

    def _stretches(self, signs: list[Sign]) -> Iterable[tuple[float, float, AgentState]]:
        """OUT, PAUSED or BACK (there and ready), each as long as it is believed."""
        state = AgentState.OUT
        for index, sign in enumerate(signs):
            if sign.state is AgentState.IN:
                # Who is added while he is paused, or twice, stays as he was.
                state = AgentState.BACK if state is AgentState.OUT else state
            else:
                state = sign.state
            following = signs[index + 1].at if index + 1 < len(signs) else self._as_of
            restart = next((at for at in self._restarts if sign.at < at < following), inf)
            end = min(following, restart, self._last_life(sign.at, min(following, restart)))
            if end > sign.at:
                yield sign.at, end, state
            if restart < following:
                state = AgentState.OUT

    def _last_life(self, first: float, until: float) -> float:
        """Up to when the signs of life reach from ``first`` on, none later than twelve hours after the one before."""
        last = first
        for at in self._lives:
            if at <= last:
                continue
            if at - last > LONGEST_SILENCE or at >= until:
                break
            last = at
        return until if until - last <= LONGEST_SILENCE else last


# ---------------------------------------------------------------- stretches of time, in order and apart


def _union(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    found: list[_Stretch] = []
    for first, last in sorted(stretches):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        elif last > first:
            found.append((first, last))
    return found


def _meet(one: Sequence[_Stretch], other: Sequence[_Stretch]) -> list[_Stretch]:
    found: list[_Stretch] = []
    here = there = 0
    while here < len(one) and there < len(other):
        first, last = max(one[here][0], other[there][0]), min(one[here][1], other[there][1])
        if last > first:
            found.append((first, last))
        if one[here][1] < other[there][1]:
            here += 1
        else:
            there += 1
    return found


def _without(one: Sequence[_Stretch], other: Sequence[_Stretch]) -> list[_Stretch]:
    gaps = [(-inf, inf)]
    for first, last in other:
        begin, _ = gaps.pop()
        gaps += [(begin, first), (last, inf)]
    return _meet(one, gaps)


def _cut(stretches: Sequence[_Stretch], hour: _Stretch) -> list[_Stretch]:
    found: list[_Stretch] = []
    for index in range(bisect_right(stretches, hour[0], key=lambda each: each[1]), len(stretches)):
        first, last = stretches[index]
        if first >= hour[1]:
            break
        found.append((max(first, hour[0]), min(last, hour[1])))
    return found


def _length(stretches: Iterable[_Stretch]) -> float:
    return sum(last - first for first, last in stretches)
