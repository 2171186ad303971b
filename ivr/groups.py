"""Which events are one call: by Linkedid where a record knows it, by the talk it grew out of where none does.

A store keeps events under ``group_key``. When a record teaches a new link, or an orphan appears, the events of the
groups named by it are read again and their calls derived anew.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import inf

from ivr.event import Event, Kind, Source
from ivr.legs import queue_legs

CONSULTATION_SECONDS = 3 * 3600.0  # a consultation is looked for among the talks begun at most so long before

#: an agent has spoken: either of two lines says it, should the other be lost
_TALKED = frozenset({Kind.CONNECT, Kind.COMPLETE, Kind.TRANSFER})
_OWN_STEPS = frozenset({Kind.ENTER, Kind.KEY, Kind.CLOSED, Kind.GIVE_UP, Kind.TRANSFER})


def learn_links(events: Iterable[Event]) -> dict[str, str]:
    """Map callid -> call id, as CEL, AMI and CDR say it; a channel that is its own call is left out."""
    links: dict[str, str] = {}
    for event in events:
        if event.linkedid and event.linkedid != event.callid and event.callid:
            known = links.get(event.callid)
            links[event.callid] = event.linkedid if known is None else min(known, event.linkedid, key=_age)
    return links


def _age(callid: str) -> tuple[float, int, str]:
    """``name-1795310905.12`` -> time and counter of the channel's creation."""
    stamp, _, counter = callid.rpartition("-")[2].partition(".")
    is_number = stamp.isascii() and stamp.isdigit() and counter.isascii() and counter.isdigit()
    return (float(stamp), int(counter), callid) if is_number and len(callid) < 200 else (inf, 0, callid)


def group_key(event: Event, links: Mapping[str, str]) -> str:
    """The call an event belongs to; "" for events of no call (restart, presence)."""
    key = event.linkedid or event.callid
    for _ in range(8):
        further = links.get(key)
        if further is None or further == key:
            break
        key = further
    return key


def group_events(events: Iterable[Event], links: Mapping[str, str]) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        key = group_key(event, links) if event.kind is not Kind.RESTART else ""
        if key:
            groups.setdefault(key, []).append(event)
    return groups


def is_orphan(group: Sequence[Event]) -> bool:
    """Does the group look like an attended transfer's consultation: it begins with a transfer and never entered?"""
    if any(event.source is not Source.QUEUE_LOG or event.kind in _OWN_STEPS for event in group):
        return False
    began = min((event.at for event in group), default=0.0)
    return any(event.kind is Kind.MOVE and event.at == began for event in group)


def guess_links(groups: Mapping[str, Sequence[Event]]) -> dict[str, str]:
    """Consultation callid -> call id, for queue_log alone, which does not say whose consultation it was.

    A consultation has a transfer step but never entered. It belongs to a call whose caller was talking to an agent
    when it began. Of several, the one whose disposition was logged by the consulted agent, then the one whose caller's
    number the consultation ends with, then the same DID, then the talk that ended soonest after it began.
    """
    orphans = {key: group for key, group in groups.items() if is_orphan(group)}
    if not orphans:
        return {}
    talks = sorted(
        (
            (leg.connected, key, leg)
            for key, group in groups.items()
            if key not in orphans and any(event.kind in _TALKED for event in group)
            for leg in queue_legs(event for event in group if event.source is Source.QUEUE_LOG)
            if leg.connected is not None
        ),
        key=lambda talk: talk[:2],
    )
    starts = [talk[0] for talk in talks]
    links: dict[str, str] = {}
    for key, orphan in sorted(orphans.items()):
        began = min(event.at for event in orphan)
        best: tuple[tuple[bool, bool, bool, float], str] | None = None
        for index in range(bisect_right(starts, began) - 1, -1, -1):
            connected, parent, leg = talks[index]
            if connected < began - CONSULTATION_SECONDS:
                break
            if (leg.end is not None and leg.end < began) or _pbx(parent) != _pbx(key):
                continue
            rank = (*_kinship(orphan, groups[parent]), -(leg.end if leg.end is not None else inf))
            if best is None or rank > best[0]:
                best = (rank, parent)
        if best is not None:
            links[key] = best[1]
    return links


def _pbx(callid: str) -> str:
    return callid.rpartition("-")[0]


def _kinship(orphan: Sequence[Event], parent: Sequence[Event]) -> tuple[bool, bool, bool]:
    served = {(event.queue, event.agent) for event in orphan if event.kind is Kind.CONNECT}
    callers = {event.caller for event in orphan} - {""}
    dids = {event.did for event in orphan} - {""}
    return (
        any(event.kind is Kind.DISPOSITION and (event.queue, event.agent) in served for event in parent),
        any(event.caller in callers for event in parent),
        any(event.did in dids for event in parent),
    )
