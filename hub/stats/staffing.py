"""How many agents each line needs: Erlang C from its own calls, or from numbers that are only asked about.

Arrivals are the calls that tried a queue, per hour of the day, averaged over the days on which the line had any;
handling time is the mean talking time of the span, which holds no after-call work: give that as a what-if.
"""

from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.stats.call_figures import Figure
from hub.stats.call_lines import quality_per_line
from hub.stats.calls import count_calls_by, known_span
from hub.stats.dimension import Dimension
from hub.stats.occupancy import Measured, measured_per_hour
from hub.store.database import Database
from ivr.erlang import agents_for, on_the_roster, staffing_of, traffic_of


class WhatIf(Struct, frozen=True, kw_only=True):
    """What is wanted, and numbers that stand in for the measured ones; ``None`` keeps the measured.

    ``target``: service level as a share of 1 within ``within_seconds``. ``shrinkage``: share of paid time away from
    the telephone. ``after_call_seconds`` is added to a measured talking time.
    """

    target: float = 0.8
    within_seconds: float = 20.0
    shrinkage: float = 0.0
    agents: int | None = None
    calls_per_hour: float | None = None
    handling_seconds: float | None = None
    after_call_seconds: float = 0.0


class Need(Struct, frozen=True, kw_only=True):
    """Of one hour of the day on one line; both are ``None`` for a pure what-if.

    ``calls`` were counted on ``days`` days. ``needed``: the fewest agents that reach the target. The figures after it
    are those of ``agents``. They are ``None`` where no handling time is known. ``measured_hours``: of how many of these
    hours the records know who was there; the two occupancies after it are measured in those, ``None`` where in none.
    """

    mall: str | None
    line: str | None
    hour: int | None
    calls: int
    days: int
    calls_per_hour: float
    handling_seconds: float | None
    traffic: float | None = None
    needed: int | None = None
    agents: int | None = None
    on_roster: int | None = None
    waiting: float | None = None
    service_level: float | None = None
    asa_seconds: float | None = None
    occupancy: float | None = None
    measured_hours: int = 0
    occupancy_ready: float | None = None
    occupancy_signed_in: float | None = None


COLUMNS: Final = tuple(name for name in Need.__struct_fields__ if name != "mall")


def need_of(what_if: WhatIf, *, calls_per_hour: float, handling_seconds: float | None, **of: Any) -> Need:
    """Raises: ValueError for numbers that Erlang's formula does not take."""
    rate = what_if.calls_per_hour if what_if.calls_per_hour is not None else calls_per_hour
    handling = what_if.handling_seconds
    if handling is None and handling_seconds is not None:
        handling = handling_seconds + what_if.after_call_seconds
    if handling is None or (handling == 0 and what_if.handling_seconds is None):
        return Need(calls_per_hour=round(rate, 2), handling_seconds=None, **of)
    traffic = traffic_of(calls_per_hour=rate, handling_seconds=handling)
    least = agents_for(
        traffic=traffic, handling_seconds=handling, within_seconds=what_if.within_seconds, target=what_if.target
    )
    agents = what_if.agents if what_if.agents is not None else least.agents
    found = staffing_of(
        agents=agents, traffic=traffic, handling_seconds=handling, within_seconds=what_if.within_seconds
    )
    return Need(
        calls_per_hour=round(rate, 2),
        handling_seconds=round(handling, 1),
        traffic=round(traffic, 3),
        needed=least.agents,
        agents=agents,
        on_roster=on_the_roster(agents, shrinkage=what_if.shrinkage),
        waiting=round(found.waiting, 3),
        service_level=round(found.service_level, 3),
        asa_seconds=round(found.asa_seconds, 1) if found.asa_seconds is not None else None,
        occupancy=round(found.occupancy, 3),
        **of,
    )


async def staffing_needs(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    what_if: WhatIf,
    mall: str | None = None,
) -> list[Need]:
    """Per line and hour of the day, quiet hours between too; one need without line and hour for a pure what-if.

    ``mall``: of this mall alone; absent: of all together, for centres whose agents serve them all.
    Raises: ValueError for numbers that Erlang's formula does not take.
    """
    if what_if.calls_per_hour is not None and what_if.handling_seconds is not None:
        rate, handling = what_if.calls_per_hour, what_if.handling_seconds
        need = need_of(
            what_if, calls_per_hour=rate, handling_seconds=handling, mall=mall, line=None, hour=None, calls=0, days=0
        )
        return [need]
    bounds: dict[str, Any] = {"since": since, "until": until, "zone": zone}
    counted = await count_calls_by(
        database,
        **bounds,
        by=(Dimension.MALL, Dimension.LINE, Dimension.HOUR),
        figures=(Figure.OFFERED, Figure.OFFERED_QUEUE),
    )
    qualities = await quality_per_line(database, **bounds)
    span = await known_span(database, since, until, zone)
    measured = await measured_per_hour(database, span=span, mall=mall) if span else {}
    hours: dict[str, dict[int, int]] = {}
    days: dict[str, set[date]] = {}
    for count in counted:
        number = count.figures[Figure.OFFERED_QUEUE]
        if count.line is None or count.hour is None or not number or mall not in (None, count.mall):
            continue
        of_line = hours.setdefault(count.line, {})
        of_line[count.hour.hour] = of_line.get(count.hour.hour, 0) + number
        days.setdefault(count.line, set()).add(count.hour.date())
    needs = []
    for line in sorted(hours, reverse=True):
        own = [quality for quality in qualities if quality.line == line and mall in (None, quality.mall)]
        timed = sum(quality.timed for quality in own)
        handling_seconds = sum(quality.talked for quality in own) / timed if timed else None
        needs += [
            need_of(
                what_if,
                calls_per_hour=hours[line].get(hour, 0) / len(days[line]),
                handling_seconds=handling_seconds,
                mall=mall,
                line=line,
                hour=hour,
                calls=hours[line].get(hour, 0),
                days=len(days[line]),
                **_measured(measured.get((line, hour))),
            )
            for hour in range(min(hours[line]), max(hours[line]) + 1)
        ]
    return needs


def _measured(found: Measured | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "measured_hours": found.hours,
        "occupancy_ready": found.occupancy_ready,
        "occupancy_signed_in": found.occupancy_signed_in,
    }
