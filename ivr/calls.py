"""Derives calls from events: one call = one Linkedid, with one result.

Pure: the calls are a function of the set of events, whatever their order and however often they were read in
pieces. Four attributes are kept apart: the line that was dialled, the line chosen by key, the line of the agent
who spoke last, and the matter as the agent logged it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

import msgspec

from ivr.event import Event, Kind, Source
from ivr.groups import group_events, guess_links, is_orphan, learn_links
from ivr.legs import HANGUP_SECONDS, Leg, channel_legs, queue_legs, settle
from ivr.routes import Place, Routes
from ivr.ways import ways_of

SHORT_ABANDON_SECONDS = 5.0
LOST_AFTER_SECONDS = 4 * 3600.0  # a call without an end is given up this long after its last sign of life
# with what the ids of the calls begin that it ended ("" is all of them), and its time
Restart = tuple[str, float]
_NOWHERE = Place("", "")
NOT_JOINED = frozenset({"FULL", "JOINEMPTY", "JOINUNAVAIL"})


class CallResult(StrEnum):
    ANSWERED = "answered"
    ABANDONED_NOTICE = "abandoned_notice"
    ABANDONED_MENU = "abandoned_menu"
    ABANDONED_QUEUE = "abandoned_queue"
    LEFT_QUEUE = "left_queue"
    NOT_JOINED = "not_joined"
    CLOSED = "closed"
    IVR_GIVEUP = "ivr_giveup"
    CALLBACK_REQUESTED = "callback_requested"
    UNKNOWN_DID = "unknown_did"
    SYSTEM_LOST = "system_lost"


class Talk(msgspec.Struct, frozen=True):
    """An agent on a call: epoch seconds; ``ended_at`` is ``None`` while it goes on. Mall and line are the queue's."""

    agent: str
    mall: str | None
    line: str | None
    began_at: float
    ended_at: float | None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call. Times are epoch seconds, ``wait_seconds`` is ``None`` when no queue was tried.

    ``result`` is ``None`` while the call goes on. ``reason`` tells more: hours, holiday, dnd; full, joinempty;
    timeout, key, empty, withdrawn. ``agents``: all who spoke, in order; ``agent`` spoke last. ``caller`` is
    personal and stands outside ``repr``. Waiting after a transfer is no part of ``wait_seconds``; holding and
    consulting are part of ``talk_seconds``. ``ways``: ids of the ways taken through the menu, as far as they were
    told, each once. ``callback_at``: when the caller asked to be called back, whatever else came of the call.
    ``talks``: of each agent, by their beginning; those of a consultation overlap.
    """

    call_id: str
    did: str | None
    mall: str | None
    line: str | None
    chosen_line: str | None
    handling_line: str | None
    topic: str | None
    result: CallResult | None
    reason: str | None
    entered_at: float
    wait_seconds: float | None
    talk_seconds: float | None
    agent: str | None
    agents: tuple[str, ...] = ()
    is_short_abandon: bool = False
    is_transferred_out: bool = False
    caller: str = ""
    ways: tuple[str, ...] = ()
    callback_at: float | None = None
    talks: tuple[Talk, ...] = ()

    def __repr__(self) -> str:
        return f"<Call {self.call_id} {self.mall}/{self.line} {self.result}>"


@dataclass(slots=True)
class _Story:
    """What one source tells of a call."""

    events: list[Event]
    legs: list[Leg] = field(default_factory=list)
    hangup: Event | None = None

    def of(self, kind: Kind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]

    def first(self, kind: Kind) -> Event | None:
        return next((event for event in self.events if event.kind is kind), None)


def derive_calls(
    events: Iterable[Event], routes: Routes, *, links: Mapping[str, str] | None = None, as_of: float | None = None
) -> list[Call]:
    """Derive the calls of these events, oldest first.

    Give whole calls: all events of each call id, and every restart after them. ``links``: callid -> call id learnt
    earlier. ``as_of``: how far the records reach (epoch; the newest event when absent): a call without an end four
    hours before it is lost, a younger one goes on.
    """
    events = list(dict.fromkeys(events))  # a record that was written or read twice is one
    known = {**(links or {}), **learn_links(events)}
    groups = group_events(events, known)
    guessed = guess_links(groups)
    for key, call_id in guessed.items():
        groups[call_id] = [*groups[call_id], *groups.pop(key)]
    # a consultation whose call is not in these records is no call of its own
    groups = {key: group for key, group in groups.items() if not is_orphan(group)}
    restarts = [(event.callid, event.at) for event in events if event.kind is Kind.RESTART]
    horizon = as_of if as_of is not None else max((event.at for event in events), default=0.0)
    calls = (
        derive_call(key, group, routes, restarts=restarts, as_of=max(horizon, 0.0)) for key, group in groups.items()
    )
    return sorted((call for call in calls if call is not None), key=lambda call: (call.entered_at, call.call_id))


def derive_call(
    call_id: str, events: Iterable[Event], routes: Routes, *, restarts: Sequence[Restart], as_of: float
) -> Call | None:
    """Derive one call from all its events; ``None`` when they are no call from outside (an outbound call, a leg)."""
    by_source: dict[Source, list[Event]] = {}
    for event in sorted(events, key=_order):
        by_source.setdefault(event.source, []).append(event)
    stories = [
        _tell(call_id, by_source[source], source)
        for source in (Source.QUEUE_LOG, Source.AMI, Source.CEL)
        if source in by_source
    ]
    rows = by_source.get(Source.CDR, [])
    if not _is_inbound(call_id, stories, rows, routes):
        return None
    return _join(call_id, stories, rows, routes, restarts=restarts, as_of=as_of)


_RANK = {kind: index for index, kind in enumerate(Kind)}


def _order(event: Event) -> tuple[float, int, str, str, str, str]:
    return (event.at, _RANK[event.kind], event.callid, event.queue, event.agent, event.detail)


def _tell(call_id: str, events: list[Event], source: Source) -> _Story:
    story = _Story(events)
    hangups = [event for event in events if event.kind is Kind.HANGUP and event.callid == call_id]
    # the dialplan's own hang-up step knows no context; the channel's hang-up does
    story.hangup = next((event for event in hangups if event.extra and event.extra != "hh"), None) or (
        hangups[-1] if hangups else story.first(Kind.END)
    )
    hangup = story.hangup.at if story.hangup else None
    results = story.of(Kind.QUEUE_RESULT)
    if source is Source.CEL:
        refused = {(event.callid, event.queue) for event in results if event.detail in NOT_JOINED}
        story.legs = [leg for leg in channel_legs(events) if (leg.callid, leg.queue) not in refused]
        _leave_by_key(story)
    else:
        story.legs = queue_legs(events)
    settle(story.legs, results=results, hangup=hangup, is_live=source is Source.AMI)
    return story


def _leave_by_key(story: _Story) -> None:
    """Channel events do not tell a key exit: a step after joining, without result and agent, does."""
    steps = [event for event in story.events if event.kind in (Kind.KEY, Kind.CALLBACK)]
    for leg in story.legs:
        if leg.connected is None and leg.end is None:
            exit_step = next((event for event in steps if event.at > leg.joined), None)
            if exit_step and not any(event.queue == leg.queue for event in story.of(Kind.QUEUE_RESULT)):
                leg.finish(exit_step.at, Kind.LEAVE.value, "key")


def _is_inbound(call_id: str, stories: list[_Story], rows: list[Event], routes: Routes) -> bool:
    for story in stories:
        for event in story.events:
            if event.kind in _CALLERS_OWN:
                return True
            if event.kind is Kind.CHANNEL and event.callid == call_id and _from_outside(event, event.detail, routes):
                return True
        if story.legs:
            return True
    return any(event.callid == call_id and _from_outside(event, event.extra, routes) for event in rows)


def _from_outside(event: Event, context: str, routes: Routes) -> bool:
    return routes.place_of_did(event.did) is not None or (
        context in routes.inbound_contexts and event.did not in _SPECIAL
    )


_SPECIAL = frozenset({"", "s", "h", "i", "t", "e"})
#: what only the channel of a caller does: one of them is enough where the first lines of a call were lost
_CALLERS_OWN = frozenset(
    {
        Kind.ENTER, Kind.CLOSED, Kind.KEY, Kind.INVALID, Kind.NO_INPUT, Kind.GIVE_UP, Kind.CALLBACK, Kind.TRY_QUEUE,
        Kind.JOIN,
    }
)  # fmt: skip


def _find(stories: list[_Story], pick: Callable[[_Story], str]) -> str:
    return next((value for story in stories if (value := pick(story))), "")


def _did(call_id: str, stories: list[_Story], rows: list[Event], routes: Routes) -> str:
    """The number as a step of the dialplan tells it, else as the channel came in."""
    steps = (event for story in stories for event in story.events if event.kind not in (Kind.CHANNEL, Kind.ROW))
    told = [event for event in steps if event.did]
    if told:
        return next((event.did for event in told if event.kind is Kind.ENTER), told[0].did)
    channels = [event for story in stories for event in story.of(Kind.CHANNEL) if event.callid == call_id]
    known = [event.did for event in channels if _from_outside(event, event.detail, routes)]
    known += [event.did for event in rows if event.callid == call_id and _from_outside(event, event.extra, routes)]
    return known[0] if known else ""


def _join(
    call_id: str,
    stories: list[_Story],
    rows: list[Event],
    routes: Routes,
    *,
    restarts: Sequence[Restart],
    as_of: float,
) -> Call:
    legs = _best_legs(stories)
    did = _did(call_id, stories, rows, routes)
    place = _place(did, stories, legs, routes)
    caller = _find(stories, lambda story: next((e.caller for e in story.events if e.caller), ""))
    facts = _Facts(stories=stories, legs=legs, is_routed=place is not None, has_did=bool(did), place=place)
    last_sign = max(
        (event.at for story in stories for event in story.events if event.kind is not Kind.DISPOSITION), default=0.0
    )
    is_lost = (
        any(at >= last_sign and call_id.startswith(ids) for ids, at in restarts)
        or as_of - last_sign >= LOST_AFTER_SECONDS
    )
    result, reason = facts.decide(is_lost=is_lost)
    wait = _wait(legs, is_refused=result is CallResult.NOT_JOINED or bool(facts.refused()))
    talked = [leg for leg in legs if leg.connected is not None]
    last = max(talked, key=_last_word, default=None)
    handling = routes.queues.get(last.queue) if last else None
    entered = [event.at for story in reversed(stories) for event in story.events] or [event.at for event in rows]
    return Call(
        call_id=call_id,
        did=did or None,
        mall=place.mall if place else None,
        line=place.line if place else None,
        chosen_line=_chosen(stories, routes),
        handling_line=handling.line if handling else None,
        topic=_topic(stories),
        result=result,
        reason=reason,
        entered_at=_entered(stories, entered),
        wait_seconds=wait,
        talk_seconds=_talk(talked),
        agent=last.agent if last and last.agent else None,
        agents=_in_order(talked),
        is_short_abandon=result is CallResult.ABANDONED_QUEUE and (wait or 0.0) < SHORT_ABANDON_SECONDS,
        is_transferred_out=result is CallResult.ANSWERED and _is_transferred(stories, legs, talked),
        caller=caller,
        ways=ways_of(story.events for story in stories),
        callback_at=_callback_at(stories, routes),
        talks=_talks(talked, routes),
    )


def _best_legs(stories: list[_Story]) -> list[Leg]:
    """The first source whose legs are all closed; queue_log is the record, AMI the live view, CEL the channels."""
    told = [story.legs for story in stories if story.legs]
    return next((legs for legs in told if all(leg.end is not None for leg in legs)), told[0] if told else [])


def _callback_at(stories: list[_Story], routes: Routes) -> float | None:
    """The step says so; else the key that left the queue, where that is what it means."""
    wish = next((event for story in stories if (event := story.first(Kind.CALLBACK))), None)
    if wish is None:
        left = (event for story in stories for event in story.of(Kind.LEAVE))
        wish = next((event for event in left if (event.queue, event.key) in routes.callback_keys), None)
    return wish.at if wish else None


def _talks(talked: list[Leg], routes: Routes) -> tuple[Talk, ...]:
    found = []
    for leg in sorted(talked, key=lambda leg: leg.connected or 0.0):
        place = routes.queues.get(leg.queue) or _NOWHERE
        found.append(Talk(leg.agent, place.mall or None, place.line or None, leg.connected or 0.0, leg.end))
    return tuple(found)


def _entered(stories: list[_Story], times: list[float]) -> float:
    """The exactest start: queue_log truncates to seconds, so it is asked last."""
    for story in reversed(stories):
        enter = story.first(Kind.CHANNEL) or story.first(Kind.ENTER)
        if enter is not None:
            return enter.at
    return min(times)


def _place(did: str, stories: list[_Story], legs: list[Leg], routes: Routes) -> Place | None:
    """The mall and line that were dialled.

    The dialplan's own words where they name a place that is known: it is that of the moment, and a number may have
    gone to another line since. Else by number, else in whatever words the dialplan has, else the first queue's.
    """
    enters = (story.first(Kind.ENTER) for story in stories)
    told = next((Place(enter.detail, enter.extra) for enter in enters if enter and enter.detail and enter.extra), None)
    by_number = routes.place_of_did(did) if did else None
    if told is not None and (by_number is None or not by_number.is_of(told)):
        known = next((place for place in routes.dids.values() if place.is_of(told)), None)
        if known is not None or by_number is None:
            return known or told
    if by_number is not None:
        return by_number
    return None if did or not legs else routes.queues.get(legs[0].queue)


def _chosen(stories: list[_Story], routes: Routes) -> str | None:
    """The line chosen by key: what the key means, else the line of the queue it leads to."""
    for story in stories:
        keys = story.of(Kind.KEY)
        for key in keys:
            if key.extra in ("order", "inquiry"):
                return key.extra
            tried = next((event for event in story.of(Kind.TRY_QUEUE) if event.at >= key.at), None)
            queue = routes.queues.get(tried.queue) if tried else None
            if queue is not None:
                return queue.line
        if keys:
            return None
    return None


def _topic(stories: list[_Story]) -> str | None:
    words = [event.detail for story in stories for event in story.of(Kind.DISPOSITION) if event.detail]
    return words[-1] if words else None


def _last_word(leg: Leg) -> tuple[float, float]:
    """Who spoke last: a consulted agent who was not given the call ends before the first one does."""
    return (leg.end if leg.end is not None else inf, leg.connected or 0.0)


def _in_order(talked: list[Leg]) -> tuple[str, ...]:
    names = (leg.agent for leg in sorted(talked, key=lambda leg: leg.connected or 0.0))
    return tuple(dict.fromkeys(name for name in names if name))


def _wait(legs: list[Leg], *, is_refused: bool) -> float | None:
    """Waiting until the first agent: stays that nobody answered count too; what follows a talk does not.

    Who was let into no queue has waited for nothing, whatever came of the call after that.
    """
    if not legs:
        return 0.0 if is_refused else None
    total = 0.0
    for leg in legs:
        total += leg.waited
        if leg.connected is not None:
            break
    return round(total, 3)


def _talk(talked: list[Leg]) -> float | None:
    """The time in which at least one agent was on the call; legs of a consultation overlap."""
    spans = sorted((leg.connected, leg.end) for leg in talked if leg.connected is not None and leg.end is not None)
    if not spans:
        return None
    total, reached = 0.0, -inf
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return round(total, 3)


def _is_transferred(stories: list[_Story], legs: list[Leg], talked: list[Leg]) -> bool:
    """Handed on after an answer: said by a transfer event, or seen by a later stay that outlasts the first talk."""
    if not talked:
        return False
    if any(story.first(Kind.TRANSFER) for story in stories):
        return True
    first = min(talked, key=lambda leg: leg.connected or 0.0)
    ended = first.end if first.end is not None else inf
    return any(leg is not first and leg.joined >= (first.connected or 0.0) and (leg.end or inf) > ended for leg in legs)


@dataclass(slots=True)
class _Facts:
    stories: list[_Story]
    legs: list[Leg]
    is_routed: bool
    has_did: bool
    place: Place | None

    def any_of(self, kind: Kind) -> Event | None:
        return next((event for story in self.stories if (event := story.first(kind))), None)

    def refused(self) -> list[Event]:
        """What queues said that did not let the caller in."""
        return [e for story in self.stories for e in story.of(Kind.QUEUE_RESULT) if e.detail in NOT_JOINED]

    def decide(self, *, is_lost: bool) -> tuple[CallResult | None, str | None]:
        """One result, in the order of the counting rules; the reason where there is one."""
        is_open = any(leg.end is None for leg in self.legs)
        if is_open and is_lost:
            return CallResult.SYSTEM_LOST, None
        if any(leg.connected is not None for leg in self.legs):
            return CallResult.ANSWERED, None
        if self.has_did and not self.is_routed:
            return CallResult.UNKNOWN_DID, None
        closed = self.any_of(Kind.CLOSED)
        if closed is not None and not self.legs:
            return CallResult.CLOSED, closed.detail or None
        if self.any_of(Kind.CALLBACK):
            return CallResult.CALLBACK_REQUESTED, None
        if self.legs:
            return self._queue_result()
        return self._menu_result(is_lost=is_lost)

    def hangup(self) -> Event | None:
        return next((story.hangup for story in self.stories if story.hangup), None)

    def _queue_result(self) -> tuple[CallResult | None, str | None]:
        last = self.legs[-1]
        if last.outcome == Kind.ABANDON:
            return CallResult.ABANDONED_QUEUE, None
        if last.outcome == Kind.LEAVE:
            return CallResult.LEFT_QUEUE, last.left_by or None
        return None, None

    def _menu_result(self, *, is_lost: bool) -> tuple[CallResult | None, str | None]:
        if refused := self.refused():
            return CallResult.NOT_JOINED, refused[-1].detail.lower()
        hangup = self.hangup()
        if self.any_of(Kind.TRY_QUEUE) and hangup is not None:
            return CallResult.NOT_JOINED, None  # the queue writes no line for a caller it did not let in
        if self.any_of(Kind.GIVE_UP):
            return CallResult.IVR_GIVEUP, None
        if hangup is None:
            return (CallResult.SYSTEM_LOST, None) if is_lost else (None, None)
        return (CallResult.ABANDONED_NOTICE if self._in_notice() else CallResult.ABANDONED_MENU), None

    def _in_notice(self) -> bool:
        """Before the menu: by the dialplan context of the hang-up, else by the length of the notices."""
        if any(self.any_of(kind) for kind in (Kind.KEY, Kind.INVALID, Kind.NO_INPUT)):
            return False
        contexts = [
            story.hangup.extra for story in self.stories if story.hangup and story.hangup.extra not in ("", "hh")
        ]
        if contexts:
            return not contexts[0].startswith("menu")
        enter, hangup = self.any_of(Kind.ENTER), self.hangup()
        if enter is None or hangup is None or self.place is None:
            return enter is None
        return hangup.at - enter.at < self.place.notice_seconds - HANGUP_SECONDS
