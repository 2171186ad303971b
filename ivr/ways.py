"""Which ways through the flow a call took, and how many calls took each.

The dialplan tells the way of a step where the caller or the queue decided it. That a line was open or closed is told
by what follows, and is added here: ``cafe24.order.open``, ``cafe24.order.closed.hours``.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ivr.event import Event, Kind
from ivr.flow import Flow, Step, Way

#: the word of a way beside which there is no other: it counts nothing
_STRAIGHT: Final = "next"
_NEXT: Final = f".{_STRAIGHT}"


class WayCount(msgspec.Struct, frozen=True, kw_only=True):
    """``origin`` is the kind and name of the step that the way leaves, ``to`` the id of the step it leads to."""

    way: str
    origin: str
    word: str
    to: str
    calls: int


class WayCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A call counts once on every way it took, however often. ``ways``: those at which something was decided, in the
    order of the spec. ``unknown``: ways that this spec does not have, as of
    an earlier one. ``without``: calls whose records tell no way at all; they are among ``calls``.
    """

    calls: int
    without: int
    ways: tuple[WayCount, ...]
    unknown: tuple[tuple[str, int], ...]

    @property
    def by_way(self) -> dict[str, int]:
        return {each.way: each.calls for each in self.ways}


def ways_of(stories: Iterable[Sequence[Event]]) -> tuple[str, ...]:
    """The ways of one call, each once, in the order of the source that tells them first.

    ``stories``: the call's events by source, each oldest first.
    """
    found: dict[str, None] = {}
    for events in stories:
        is_closed = any(event.kind is Kind.CLOSED for event in events)
        for index, event in enumerate(events):
            if not event.way:
                continue
            before, _, _ = event.way.rpartition(_NEXT)
            if event.kind is Kind.CLOSED and before:
                found[before] = None
            found[event.way] = None
            if event.kind is Kind.ENTER and before and not is_closed and index + 1 < len(events):
                found[f"{before}.open"] = None
    return tuple(found)


def count_ways(flow: Flow, taken: Iterable[tuple[Sequence[str], int]]) -> WayCounts:
    """``taken``: ways of calls, and how many calls took just these."""
    counts: dict[str, int] = {}
    calls = without = 0
    for ways, number in taken:
        calls += number
        without += 0 if ways else number
        for way in set(ways):
            counts[way] = counts.get(way, 0) + number
    rows = [_row(step, way, counts.pop(way.id, 0)) for step in flow.steps.values() for way in step.ways]
    shown = tuple(row for row in rows if row.word != _STRAIGHT)
    return WayCounts(calls=calls, without=without, ways=shown, unknown=tuple(sorted(counts.items())))


def _row(step: Step, way: Way, calls: int) -> WayCount:
    return WayCount(way=way.id, origin=step.id, word=way.word, to=way.to, calls=calls)
