"""A leg: one stay of a call in one queue, from joining to whatever ended it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from ivr.event import Event, Kind

_ENDS = frozenset({Kind.COMPLETE, Kind.TRANSFER, Kind.ABANDON, Kind.LEAVE})
_LEFT_BY_STATUS = {
    "TIMEOUT": "timeout",
    "LEAVEEMPTY": "empty",
    "LEAVEUNAVAIL": "empty",
    "WITHDRAW": "withdrawn",
    "CONTINUE": "",
}
STATUS_SECONDS = 5.0  # QUEUESTATUS is logged within this time of the end of the leg
HANGUP_SECONDS = 1.0  # a caller who hung up in the queue is gone within this time


@dataclass(slots=True)
class Leg:
    """Times are epoch seconds; ``end`` is ``None`` while the leg is open.

    ``outcome``: "" while open, complete, transfer, abandon or leave; ``left_by`` says how for ``leave``.
    ``wait``: seconds as the record states them, which a truncated time stamp does not give.
    """

    callid: str
    queue: str
    joined: float
    connected: float | None = None
    agent: str = ""
    end: float | None = None
    outcome: str = ""
    left_by: str = ""
    wait: float | None = None
    out: float | None = None

    @property
    def waited(self) -> float:
        if self.wait is not None:
            return self.wait
        until = self.connected if self.connected is not None else self.end if self.end is not None else self.out
        return 0.0 if until is None else max(0.0, until - self.joined)

    def finish(self, at: float, outcome: str, left_by: str = "") -> None:
        self.end, self.outcome, self.left_by = at, outcome, left_by


@dataclass(slots=True)
class _Stays:
    """The events of one callid in one queue, oldest first."""

    joins: list[Event] = field(default_factory=list)
    connects: list[Event] = field(default_factory=list)
    ends: list[Event] = field(default_factory=list)
    outs: list[Event] = field(default_factory=list)


def queue_legs(events: Iterable[Event]) -> list[Leg]:
    """Pair the queue events of one source into legs, oldest first.

    A call stays in one queue once at a time, so the n-th end belongs to the n-th join; pairing does not depend
    on the order of records with the same second. A lost record leaves a leg open or makes it start at its end.
    """
    stays: dict[tuple[str, str], _Stays] = {}
    for event in sorted(events, key=lambda event: event.at):
        stay = stays.setdefault((event.callid, event.queue), _Stays())
        if event.kind is Kind.JOIN:
            stay.joins.append(event)
        elif event.kind is Kind.CONNECT:
            stay.connects.append(event)
        elif event.kind is Kind.OUT:
            stay.outs.append(event)
        elif event.kind in _ENDS and event.queue:
            stay.ends.append(event)
    legs = [leg for stay in stays.values() for leg in _pair(stay)]
    return sorted(legs, key=lambda leg: (leg.joined, leg.end or inf, leg.callid, leg.queue))


def _pair(stay: _Stays) -> list[Leg]:
    legs = [Leg(event.callid, event.queue, event.at) for event in stay.joins]
    for event in stay.ends:
        leg = next((leg for leg in legs if leg.end is None and leg.joined <= event.at), None)
        if leg is None:
            leg = Leg(event.callid, event.queue, event.at - (event.wait or 0) - (event.talk or 0))
            legs.append(leg)
        leg.finish(event.at, event.kind.value, event.detail if event.kind is Kind.LEAVE else "")
        leg.wait = event.wait
        if event.kind in (Kind.COMPLETE, Kind.TRANSFER):
            leg.agent = event.agent
            leg.connected = event.at - (event.talk or 0)
    served = {"", Kind.COMPLETE.value, Kind.TRANSFER.value}
    taken: set[int] = set()
    for event in stay.connects:
        leg = next(
            (
                leg
                for leg in legs
                if id(leg) not in taken
                and leg.outcome in served
                and leg.joined <= event.at
                and (leg.end is None or event.at <= leg.end)
            ),
            None,
        )
        if leg is None:
            leg = Leg(event.callid, event.queue, event.at - (event.wait or 0))
            legs.append(leg)
        taken.add(id(leg))
        leg.connected, leg.agent = event.at, event.agent
        leg.wait = event.wait if event.wait is not None else leg.wait
    for event, leg in zip(stay.outs, sorted(legs, key=lambda leg: leg.joined), strict=False):
        leg.out = event.at
    return legs


def settle(legs: list[Leg], *, results: list[Event], hangup: float | None, is_live: bool) -> None:
    """Decide what the queue events leave open, with the dialplan's own result lines and the hang-up.

    ``is_live``: the events are AMI's, where "abandon" is also said of a timeout, an emptied queue and a withdrawal,
    and a key exit is no event but leaving.
    """
    for index, leg in enumerate(legs):
        if is_live and leg.outcome == Kind.ABANDON:
            leg.outcome, leg.left_by = _what_it_was(leg, results, hangup)
        if leg.end is not None:
            continue
        status = _status(leg, results)
        further = next((later.joined for later in legs[index + 1 :] if later.callid == leg.callid), None)
        if leg.connected is None and leg.out is not None:
            leg.finish(leg.out, Kind.LEAVE.value, "key")
        elif leg.connected is not None and status is not None:
            leg.finish(status.at, Kind.COMPLETE.value)
        elif status is not None and _LEFT_BY_STATUS.get(status.detail):
            leg.finish(status.at, Kind.LEAVE.value, _LEFT_BY_STATUS[status.detail])
        elif further is not None:
            # The end line was lost: nobody stands in two queues at once.
            leg.finish(
                further, *((Kind.LEAVE.value, "unknown") if leg.connected is None else (Kind.TRANSFER.value, ""))
            )
        elif hangup is not None and hangup >= leg.joined:
            leg.finish(hangup, (Kind.ABANDON if leg.connected is None else Kind.COMPLETE).value)


def _status(leg: Leg, results: list[Event]) -> Event | None:
    """The first result line of this stay."""
    after = leg.end if leg.end is not None else leg.connected if leg.connected is not None else leg.joined
    return next(
        (
            event
            for event in results
            if event.queue == leg.queue
            and event.callid == leg.callid
            and event.at >= after - HANGUP_SECONDS
            and (leg.end is None or event.at <= leg.end + STATUS_SECONDS)
        ),
        None,
    )


def _what_it_was(leg: Leg, results: list[Event], hangup: float | None) -> tuple[str, str]:
    status = _status(leg, results)
    if status is not None and _LEFT_BY_STATUS.get(status.detail):
        return Kind.LEAVE.value, _LEFT_BY_STATUS[status.detail]
    gone_at_once = hangup is None or hangup - (leg.end or 0) <= HANGUP_SECONDS
    return (Kind.ABANDON.value, "") if gone_at_once else (Kind.LEAVE.value, "unknown")


def channel_legs(events: list[Event]) -> list[Leg]:
    """Legs from channel events alone (CEL without queue_log): the step before the queue, the agent's channel.

    An agent is a channel that Queue() dialled and that entered a bridge; its hang-up ends the leg.
    """
    tries = sorted((event for event in events if event.kind is Kind.TRY_QUEUE), key=lambda event: event.at)
    legs = [Leg(event.callid, event.queue, event.at) for event in tries]
    hangups = {event.callid: event.at for event in events if event.kind is Kind.HANGUP}
    met: set[str] = set()
    for event in sorted((event for event in events if event.kind is Kind.BRIDGE), key=lambda event: event.at):
        if event.detail != "AppQueue" or event.callid in met:
            continue
        waiting = [leg for leg in legs if leg.connected is None and leg.joined <= event.at]
        leg = next((leg for leg in waiting if leg.queue == event.queue), waiting[-1] if waiting else None)
        if leg is None:
            # The step was lost: how long the caller had waited before is not known.
            leg = Leg(event.linkedid or event.callid, event.queue, event.at)
            legs.append(leg)
        met.add(event.callid)
        leg.connected, leg.agent = event.at, event.agent
        if event.callid in hangups:
            leg.finish(hangups[event.callid], Kind.COMPLETE.value)
    _meet_unnamed(legs, events)
    return sorted(legs, key=lambda leg: leg.joined)


def _meet_unnamed(legs: list[Leg], events: list[Event]) -> None:
    """The caller's own channel entered the bridge too: where the agent's line was lost, it tells that one spoke."""
    for event in sorted((event for event in events if event.kind is Kind.BRIDGE), key=lambda event: event.at):
        own = [leg for leg in legs if (leg.callid, leg.queue) == (event.callid, event.queue)]
        if event.detail == "Queue" and own and own[-1].connected is None and own[-1].joined <= event.at:
            own[-1].connected = event.at
