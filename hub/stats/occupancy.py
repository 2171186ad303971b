"""How busy the agents of a line were, measured: per hour of the day, as far as the records know who was there.

Two figures under two names, because both are in use: talk ÷ signed in (``occupancy_signed_in``), and talk ÷ signed in
without pauses (``occupancy_ready``), which is what Erlang's occupancy can be laid beside. Talk is talk and hold; work
after calls is in no record, unless agents pause for it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.stats.span import Span
from hub.store.database import Database
from hub.store.tables import agent_states, call_events, calls
from ivr.occupancy import LONGEST_SILENCE, AgentState, Occupied, Sign, Spoken, measure

_HOUR: Final = 3600
#: before the span, so that who signed in before it is there
_BEFORE_MS: Final = round(2 * LONGEST_SILENCE * 1000)
_decode: Final = msgspec.json.Decoder(list[tuple[str, str | None, str | None, int, int]]).decode


class Measured(Struct, frozen=True, kw_only=True):
    """Of one hour of the day on one line; ``hours``: on how many days it is known. Seconds of all its agents."""

    hours: int
    signed_in: float
    paused: float
    talked: float

    @property
    def occupancy_signed_in(self) -> float | None:
        return _share(self.talked, self.signed_in)

    @property
    def occupancy_ready(self) -> float | None:
        return _share(self.talked, self.signed_in - self.paused)


async def measured_per_hour(
    database: Database, *, span: Span, mall: str | None = None
) -> dict[tuple[str, int], Measured]:
    """Line and hour of the day -> what was measured; hours of which nothing is known are left out.

    ``mall``: agents at the queues of this mall; absent: of all.
    """
    since, until = span.bounds
    first = since - _BEFORE_MS
    known = select(agent_states).where(agent_states.c.at >= first, agent_states.c.at < until)
    told = select(calls.c.talks).where(
        calls.c.entered_at >= first, calls.c.entered_at < until, calls.c.talks.is_not(None)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(known.order_by(agent_states.c.at, agent_states.c.digest))).all()
        if not any(row.state != AgentState.RESTART.value for row in rows):
            return {}
        newest = await connection.scalar(select(func.max(call_events.c.at)))
        talks = list(await connection.scalars(told))
    found = measure(
        [_sign(row, mall) for row in rows],
        [each for text in talks for each in _spoken(text, mall)],
        hours=list(_hours(span)),
        as_of=min(until, newest or 0) / 1000,
    )
    sums: dict[tuple[str, int], list[Occupied]] = {}
    for (line, start), occupied in found.items():
        sums.setdefault((line, datetime.fromtimestamp(start, span.zone).hour), []).append(occupied)
    return {
        key: Measured(
            hours=len(each),
            signed_in=sum(one.signed_in for one in each),
            paused=sum(one.paused for one in each),
            talked=sum(one.talked for one in each),
        )
        for key, each in sums.items()
    }


def _sign(row: Any, mall: str | None) -> Sign:
    line = row.line if mall in (None, row.mall) else None
    return Sign(at=row.at / 1000, agent=row.agent, queue=row.queue, line=line, state=AgentState(row.state))


def _spoken(text: str, mall: str | None) -> Iterator[Spoken]:
    for agent, of_mall, line, began, ended in _decode(text):
        of_line = line if mall in (None, of_mall) else None
        yield Spoken(agent=agent, line=of_line, began_at=began / 1000, ended_at=ended / 1000)


def _hours(span: Span) -> Iterator[tuple[float, float]]:
    """Every hour of the zone's clock that the span touches, cut at its ends."""
    since, until = (edge / 1000 for edge in span.bounds)
    start = span.since.astimezone(span.zone).replace(minute=0, second=0, microsecond=0).timestamp()
    while start < until:
        yield max(start, since), min(start + _HOUR, until)
        start += _HOUR


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole > 0 else None
