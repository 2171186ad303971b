"""Erlang C: how long callers wait when so many agents take so many calls.

Source: A. K. Erlang's delay formula by the recursion of Erlang B, as in any textbook of queueing; confidence: sure.
It assumes that nobody hangs up, so it asks for a few agents more than are needed where callers do.
"""

import math
from typing import Final

from msgspec import Struct

MOST_AGENTS: Final = 10_000


class Staffing(Struct, frozen=True, kw_only=True):
    """What so many agents give. ``traffic`` in erlang; ``asa_seconds``: the mean wait of all calls.

    ``waiting`` (share of calls that wait), ``service_level`` and ``occupancy`` are shares of 1. Where there are no more
    agents than erlangs the queue grows without end: every call waits, and there is no mean wait (``None``).
    """

    agents: int
    traffic: float
    waiting: float
    service_level: float
    asa_seconds: float | None
    occupancy: float


def traffic_of(*, calls_per_hour: float, handling_seconds: float) -> float:
    """Erlang: how many agents are busy on average."""
    return calls_per_hour * handling_seconds / 3600


def staffing_of(*, agents: int, traffic: float, handling_seconds: float, within_seconds: float) -> Staffing:
    """Raises: ValueError for fewer than no agents, negative traffic or handling that takes no time."""
    if not 0 <= agents <= MOST_AGENTS or not 0 <= traffic < math.inf or not 0 < handling_seconds < math.inf:
        message = f"agents must be 0 to {MOST_AGENTS}, calls not negative, handling time longer than nothing"
        raise ValueError(message)
    if traffic == 0:
        return Staffing(agents=agents, traffic=0.0, waiting=0.0, service_level=1.0, asa_seconds=0.0, occupancy=0.0)
    if agents <= traffic:
        return Staffing(agents=agents, traffic=traffic, waiting=1.0, service_level=0.0, asa_seconds=None, occupancy=1.0)
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = traffic * blocked / (number + traffic * blocked)
    waiting = agents * blocked / (agents - traffic * (1 - blocked))
    spare = agents - traffic
    return Staffing(
        agents=agents,
        traffic=traffic,
        waiting=waiting,
        service_level=1 - waiting * math.exp(-spare * within_seconds / handling_seconds),
        asa_seconds=waiting * handling_seconds / spare,
        occupancy=traffic / agents,
    )


def agents_for(*, traffic: float, handling_seconds: float, within_seconds: float, target: float) -> Staffing:
    """The fewest agents whose service level reaches ``target`` (below 1).

    Raises: ValueError for a target that no number reaches, or traffic that more than 10,000 agents would be needed for.
    """
    if not 0 < target < 1:
        message = "the target of a service level lies between 0 and 1"
        raise ValueError(message)
    if not 0 <= traffic < MOST_AGENTS / 2:
        message = f"{MOST_AGENTS} agents would not be enough"
        raise ValueError(message)
    low, high = math.floor(traffic), math.floor(traffic) + 1
    while not _reaches(high, traffic, handling_seconds, within_seconds, target):
        low, high = high, min(2 * high, MOST_AGENTS)
    while high - low > 1:
        middle = (low + high) // 2
        if _reaches(middle, traffic, handling_seconds, within_seconds, target):
            high = middle
        else:
            low = middle
    agents = 0 if traffic == 0 else high
    return staffing_of(agents=agents, traffic=traffic, handling_seconds=handling_seconds, within_seconds=within_seconds)


def on_the_roster(agents: int, *, shrinkage: float) -> int:
    """How many must be on duty when the share ``shrinkage`` of paid time is not at the telephone.

    Raises: ValueError unless it lies from 0 to below 1.
    """
    if not 0 <= shrinkage < 1:
        message = "shrinkage lies from 0 to below 1"
        raise ValueError(message)
    return math.ceil(round(agents / (1 - shrinkage), 9))


def _reaches(agents: int, traffic: float, handling_seconds: float, within_seconds: float, target: float) -> bool:
    found = staffing_of(
        agents=agents, traffic=traffic, handling_seconds=handling_seconds, within_seconds=within_seconds
    )
    return found.service_level >= target
