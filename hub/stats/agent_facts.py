"""What each agent had to do and when he rested: calls, written answers, cases, time at the telephone, pauses, rests.

The telephone names agents as its exchange does; whose seat it is stands with the users. Times at the telephone are
known as far as the exchange noted who was there (:mod:`ivr.occupancy`). The rest after an abusive call is no pause: it
is told apart, and stands in no figure against the agent. Work after a call is in no record.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace
from sqlalchemy import and_, func, or_, select

from hub.core.contract import Outcome
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, rows_of, stream
from hub.stats.sold import is_within
from hub.store.database import time_of, to_ms
from hub.store.sealed import CALL_EVENT_PLACE
from hub.store.tables import actions, agent_states, call_events, call_notes, calls, cases, users
from hub.store.vanished import VANISHED
from ivr.event import Event
from ivr.occupancy import LONGEST_SILENCE, AgentState, Sign, Spoken, measure
from ivr.phone import REST_REASON

CALL, ANSWER, CASE, PRESENCE, PAUSE, REST, ABUSE = "call", "answer", "case", "presence", "pause", "rest", "abuse"
#: action of the desk that answers an inquiry
_ANSWER_INQUIRY: Final = "answer-inquiry"
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_SILENCE: Final = timedelta(seconds=LONGEST_SILENCE)
_MINUTE: Final = 60.0
#: agent, mall and line of the queue, from and to (milliseconds)
_Talk = tuple[str, str | None, str | None, int, int | None]
_talks: Final = msgspec.json.Decoder(list[tuple[str, str | None, str | None, int, int]]).decode
_event: Final = msgspec.msgpack.Decoder(Event).decode


class AgentFact(Fact, frozen=True, kw_only=True):
    """One call, answer, closed case, pause, rest or abusive call of an agent, or an hour at the telephone.

    ``minutes``: spoken, paused, rested, or signed in; ``None`` where it has not ended or nobody tells. Of an hour at
    the telephone, the part that was paused and the part that was spoken stand beside it.
    """

    agent: str | None
    what: str
    reason: str | None = None
    line: str | None = None
    reference: str | None = None
    minutes: float | None = None
    paused_minutes: float | None = None
    talk_minutes: float | None = None


async def read_agents(counted: Counted) -> AsyncIterator[AgentFact]:
    seats = await _seats(counted)
    wanted = _SECTIONS.get(counted.opens or "", tuple(_READERS))
    for name in wanted:
        async for fact in _READERS[name](counted, seats):
            if is_within(counted, fact.at):
                yield fact


class _Seats:
    """Whose telephone and whose account it is: the names to log in by."""

    def __init__(self, rows: list[Any]) -> None:
        self._users = {row.id: row.login for row in rows}
        self._phones: dict[str, str | None] = {}
        for row in rows:
            if row.phone_member:
                member = row.phone_member.rpartition("/")[2]
                # Two exchanges may use one name, and calls do not tell the exchange: then it stays that name.
                self._phones[member] = None if member in self._phones else row.login

    def at(self, phone: str) -> str:
        return self._phones.get(phone) or self._phones.get(phone.rpartition("/")[2]) or phone

    def of(self, user_id: int | None) -> str | None:
        return None if user_id is None else self._users.get(user_id)


async def _seats(counted: Counted) -> _Seats:
    query = select(users.c.id, users.c.login, users.c.phone_member).order_by(users.c.id)
    async with counted.database.reading() as connection:
        return _Seats(list((await connection.execute(query)).all()))


# ---------------------------------------------------------------- calls


async def _spoken(counted: Counted, seats: _Seats) -> AsyncIterator[AgentFact]:
    """One for each agent who spoke: a call that was handed on counts for both."""
    if counted.shop is not None:
        return
    # A call may have entered before the span and been taken in it.
    async for row in _answered(replace(counted, since=counted.since and counted.since - _DAY)):
        # Who gets the caller back has spoken twice in one call.
        own: dict[str, list[_Talk]] = {}
        for talk in _talks_of(row):
            if counted.mall in (None, talk[1]):
                own.setdefault(seats.at(talk[0]), []).append(talk)
        for agent, talks in own.items():
            _, mall, line, began, _ = talks[0]
            spans = [ended - began for _, _, _, began, ended in talks if ended is not None]
            yield AgentFact(
                at=time_of(began),
                mall=mall,
                shop=None,
                agent=agent,
                what=CALL,
                line=line,
                reference=row.row_id,
                minutes=round(sum(spans) / 1000 / _MINUTE, 1) if spans else None,
            )


async def _answered(counted: Counted) -> AsyncIterator[Any]:
    query = select(calls.c.entered_at.label("at_ms"), calls.c.call_id.label("row_id"), calls).where(
        or_(calls.c.talks.is_not(None), and_(calls.c.result == "answered", calls.c.agent.is_not(None)))
    )
    async for row in stream(counted, query, at=calls.c.entered_at, row_id=calls.c.call_id):
        yield row


def _talks_of(row: Any) -> Iterator[_Talk]:
    """By their beginning."""
    if row.talks is not None:
        yield from _talks(row.talks)
        return
    # Some records tell only who answered and how long it took.
    began = row.at_ms + round((row.wait_seconds or 0) * 1000)
    ended = None if row.talk_seconds is None else began + round(row.talk_seconds * 1000)
    yield row.agent, row.mall, row.handling_line or row.line, began, ended


# ---------------------------------------------------------------- the desk


async def _answers(counted: Counted, seats: _Seats) -> AsyncIterator[AgentFact]:
    query = rows_of(counted, actions, actions.c.user_id, actions.c.inquiry_no, at=actions.c.created_at).where(
        actions.c.action == _ANSWER_INQUIRY,
        actions.c.outcome == Outcome.DONE.value,
        *counted.within(actions.c.created_at),
    )
    async for row in stream(counted, query, row_id=actions.c.id):
        yield AgentFact(
            at=time_of(row.at_ms),
            mall=row.mall,
            shop=row.shop,
            agent=seats.of(row.user_id),
            what=ANSWER,
            reference=row.inquiry_no,
        )


async def _cases(counted: Counted, seats: _Seats) -> AsyncIterator[AgentFact]:
    """Without those that were closed because the mall has the question no more: nobody has worked them off."""
    query = rows_of(counted, cases, cases.c.assignee_id, cases.c.order_no, at=cases.c.closed_at).where(
        ~cases.c.is_open,
        cases.c.assignee_id.is_not(None),
        cases.c.state != VANISHED,
        *counted.within(cases.c.closed_at),
    )
    async for row in stream(counted, query, row_id=cases.c.id):
        yield AgentFact(
            at=time_of(row.at_ms),
            mall=row.mall,
            shop=row.shop,
            case_id=row.row_id,
            agent=seats.of(row.assignee_id),
            what=CASE,
            reference=row.order_no,
        )


# ---------------------------------------------------------------- the telephone: of no one mall


async def _presence(counted: Counted, seats: _Seats) -> AsyncIterator[AgentFact]:
    """Week by week, so that a year needs no more memory than a week."""
    if counted.mall is not None or counted.shop is not None:
        return
    async with counted.database.reading() as connection:
        oldest = await connection.scalar(select(func.min(agent_states.c.at)))
        newest = await connection.scalar(select(func.max(call_events.c.at)))
    if oldest is None or newest is None:
        return
    until = min(counted.until or counted.now, counted.now, time_of(newest))
    first = _start_of_hour(max(counted.since or time_of(oldest), time_of(oldest)), counted.zone)
    while first < until:
        last = min(first + _WEEK, until)
        for fact in await _week(counted, seats, first, last, as_of=newest / 1000):
            yield fact
        first += _WEEK


def _start_of_hour(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


async def _week(counted: Counted, seats: _Seats, first: datetime, last: datetime, *, as_of: float) -> list[AgentFact]:
    since = first - 2 * _SILENCE
    query = select(agent_states).where(agent_states.c.at >= to_ms(since), agent_states.c.at < to_ms(last))
    async with counted.database.reading() as connection:
        states = (await connection.execute(query.order_by(agent_states.c.at, agent_states.c.digest))).all()
    if not states:
        return []
    # Each agent is a line of his own here: his time counts once, however many queues he serves.
    signs = [
        Sign(
            at=row.at / 1000,
            agent=row.agent,
            queue=row.queue,
            line=seats.at(row.agent) if row.agent else None,
            state=AgentState(row.state),
        )
        for row in states
    ]
    spoken = [
        Spoken(agent=agent, line=seats.at(agent), began_at=began / 1000, ended_at=ended / 1000)
        async for row in _answered(replace(counted, since=since, until=last))
        for agent, _, _, began, ended in _talks_of(row)
        if ended is not None
    ]
    hours = []
    start = first
    while start < last:
        hours.append((max(start, counted.since or start).timestamp(), min(start + _HOUR, last).timestamp()))
        start += _HOUR
    found = measure(signs, spoken, hours=hours, as_of=min(as_of, last.timestamp()))
    return [
        AgentFact(
            at=datetime.fromtimestamp(hour, UTC),
            mall=None,
            shop=None,
            agent=agent,
            what=PRESENCE,
            minutes=round(there.signed_in / _MINUTE, 1),
            paused_minutes=round(there.paused / _MINUTE, 1),
            talk_minutes=round(there.talked / _MINUTE, 1),
        )
        for (agent, hour), there in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


async def _pauses(counted: Counted, seats: _Seats) -> AsyncIterator[AgentFact]:
    """Without the rests after abusive calls, which the desk has noted with their length."""
    if counted.mall is not None or counted.shop is not None:
        return
    async for agent, pause, ended in _away(counted):
        if pause.reason != REST_REASON:
            yield AgentFact(
                at=pause.since,
                mall=None,
                shop=None,
                agent=seats.at(agent),
                what=PAUSE,
                reason=pause.reason,
                minutes=None if ended is None else round((ended - pause.since).total_seconds() / _MINUTE, 1),
            )


async def _away(counted: Counted) -> AsyncIterator[tuple[str, "_Pause", datetime | None]]:
    """From the first queue at which an agent paused to the last at which he came back; the first reason counts.

    The end is ``None`` where none is told within twelve hours, or before the exchange was restarted.
    """
    query = select(
        agent_states.c.at.label("at_ms"),
        agent_states.c.digest.label("row_id"),
        agent_states.c.agent,
        agent_states.c.queue,
        agent_states.c.state,
        call_events.c.event_sealed,
    ).outerjoin(call_events, call_events.c.digest == agent_states.c.digest)
    around = replace(
        counted, since=counted.since and counted.since - _SILENCE, until=counted.until and counted.until + _SILENCE
    )
    away: dict[str, _Pause] = {}
    async for row in stream(around, query, at=agent_states.c.at, row_id=agent_states.c.digest):
        at = time_of(row.at_ms)
        is_restart = row.state == AgentState.RESTART
        for agent in sorted(agent for agent, pause in away.items() if is_restart or at - pause.since > _SILENCE):
            yield agent, away.pop(agent), None
        if row.state == AgentState.PAUSED:
            away.setdefault(row.agent, _Pause(at, _reason(counted, row.event_sealed))).queues.add(row.queue)
        elif row.state in (AgentState.BACK, AgentState.OUT) and row.agent in away:
            pause = away[row.agent]
            pause.queues = set() if row.queue == "" else pause.queues - {row.queue}
            if not pause.queues:
                yield row.agent, away.pop(row.agent), at
    for agent, pause in sorted(away.items(), key=lambda each: each[0]):
        yield agent, pause, None


class _Pause:
    def __init__(self, since: datetime, reason: str | None) -> None:
        self.since: Final = since
        self.reason: Final = reason
        self.queues: set[str] = set()


def _reason(counted: Counted, sealed: bytes | None) -> str | None:
    """As the exchange words it; ``None`` where it tells none."""
    if sealed is None:
        return None
    event = _event(counted.database.box.open(sealed, CALL_EVENT_PLACE))
    return None if event.extra == "PAUSED" else event.extra.strip() or None


async def _notes(counted: Counted, seats: _Seats) -> AsyncIterator[AgentFact]:
    """Abusive calls, and the rests after them."""
    if counted.mall is not None or counted.shop is not None:
        return
    noted = select(call_notes.c.id.label("row_id"), call_notes).where(call_notes.c.is_abuse)
    async for row in stream(counted, noted, row_id=call_notes.c.id):
        agent = seats.of(row.user_id) or seats.at(row.member)
        same: Mapping[str, Any] = {"mall": None, "shop": None, "agent": agent, "reference": row.call_id}
        yield AgentFact(at=time_of(row.noted_at), what=ABUSE, **same)
        if row.rest_began_at is not None:
            ended = row.rest_ended_at
            minutes = None if ended is None else round((ended - row.rest_began_at) / 1000 / _MINUTE, 1)
            yield AgentFact(at=time_of(row.rest_began_at), what=REST, minutes=minutes, **same)


_READERS: Final = {
    CALL: _spoken,
    ANSWER: _answers,
    CASE: _cases,
    PRESENCE: _presence,
    PAUSE: _pauses,
    REST: _notes,
}
#: what has to be read for one figure
_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "calls": (CALL,),
    "talk_minutes": (CALL,),
    "talk_median": (CALL,),
    "answers": (ANSWER,),
    "cases": (CASE,),
    "signed_in_minutes": (PRESENCE,),
    "occupancy": (PRESENCE,),
    "pauses": (PAUSE,),
    "pause_minutes": (PAUSE,),
    "abusive_calls": (REST,),
    "rest_minutes": (REST,),
}


def _is(what: str) -> Any:
    return lambda fact: fact.what == what


def _minutes(fact: AgentFact) -> float | None:
    return fact.minutes


def _ready(fact: AgentFact) -> float:
    return (fact.minutes or 0.0) - (fact.paused_minutes or 0.0)


AGENTS: Final = FactReport(
    name="agents",
    row=AgentFact,
    read=read_agents,
    dimensions=("agent", "what", "reason", "mall", "shop", "line"),
    default=("agent",),
    measures=(
        Measure(name="calls", of=_is(CALL)),
        Measure(name="talk_minutes", how=How.SUM, of=_is(CALL), value=_minutes),
        Measure(name="talk_median", how=How.MEDIAN, of=_is(CALL), value=_minutes),
        Measure(name="answers", of=_is(ANSWER)),
        Measure(name="cases", of=_is(CASE)),
        Measure(name="signed_in_minutes", how=How.SUM, of=_is(PRESENCE), value=_minutes),
        Measure(name="occupancy", how=How.RATIO, of=_is(PRESENCE), value=lambda fact: fact.talk_minutes, base=_ready),
        Measure(name="pauses", of=_is(PAUSE)),
        Measure(name="pause_minutes", how=How.SUM, of=_is(PAUSE), value=_minutes),
        Measure(name="abusive_calls", of=_is(ABUSE)),
        Measure(name="rest_minutes", how=How.SUM, of=_is(REST), value=_minutes),
    ),
)
