"""How well each line was answered, and whether it was the right line: figures per mall and line.

Rates are computed on read from counts that open to their calls. The service level has four formulas in use; each
figure carries the name of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import case, func, select

from hub.stats.call_figures import DEFAULT_TERMS, ENDED, LINE_COLUMNS, Figure, Terms, condition_of
from hub.stats.calls import GROUPS, count_calls_by, known_span, within
from hub.stats.dimension import Dimension
from hub.store.database import Database
from hub.store.tables import calls
from ivr.topics import line_of_topic

LINE_DIMENSIONS: Final = (Dimension.MALL, Dimension.LINE)
#: rates and means of a line, in the order of the columns
RATES: Final = (
    "service_level",
    "answer_rate",
    "abandon_rate",
    "asa_seconds",
    "aht_seconds",
    "transfer_rate",
    "misdial_rate",
    "order_assist_share",
)


class Formula(StrEnum):
    """What the calls answered in time are divided by; all of calls that tried a queue."""

    OFFERED = "offered"
    WITHOUT_ABANDONED = "without_abandoned"
    WITHOUT_EARLY = "without_early"
    WITH_EARLY = "with_early"


class LineQuality(Struct, frozen=True, kw_only=True):
    """One mall and line; a dimension that was not asked for is ``None``, as is a rate of nothing.

    Rates are shares of 1. ``waited`` and ``talked``: seconds of all answered calls together.
    """

    mall: str | None
    line: str | None
    figures: Mapping[Figure, int]
    waited: float
    talked: float
    timed: int
    formula: Formula
    terms: Terms

    @property
    def service_level(self) -> float | None:
        offered, in_time = self.figures[Figure.OFFERED_QUEUE], self.figures[Figure.ANSWERED_IN_TIME]
        match self.formula:
            case Formula.OFFERED:
                return _share(in_time, offered)
            case Formula.WITHOUT_ABANDONED:
                return _share(in_time, offered - self.figures[Figure.ABANDONED_QUEUE])
            case Formula.WITHOUT_EARLY:
                return _share(in_time, offered - self.figures[Figure.ABANDONED_IN_TIME])
            case Formula.WITH_EARLY:
                return _share(in_time + self.figures[Figure.ABANDONED_IN_TIME], offered)

    @property
    def answer_rate(self) -> float | None:
        return _share(self.figures[Figure.ANSWERED], self.figures[Figure.OFFERED_QUEUE])

    @property
    def abandon_rate(self) -> float | None:
        return _share(self.figures[Figure.ABANDONED_QUEUE], self.figures[Figure.OFFERED_QUEUE])

    @property
    def asa_seconds(self) -> float | None:
        return _share(self.waited, self.figures[Figure.ANSWERED], digits=1)

    @property
    def aht_seconds(self) -> float | None:
        """Of talk and hold; after-call work is in no call record."""
        return _share(self.talked, self.timed, digits=1)

    @property
    def transfer_rate(self) -> float | None:
        return _share(self.figures[Figure.TRANSFERRED_OUT], self.figures[Figure.ANSWERED])

    @property
    def misdial_rate(self) -> float | None:
        """Of answered calls whose topic is known: an unknown topic is neither right nor wrong."""
        return _share(self.figures[Figure.MISDIALLED], self.figures[Figure.WITH_TOPIC])

    @property
    def order_assist_share(self) -> float | None:
        if self.line != "order":
            return None
        return _share(self.figures[Figure.ORDER_ASSIST], self.figures[Figure.ANSWERED])


class TopicCount(Struct, frozen=True, kw_only=True):
    """Answered calls of one line with one topic; ``topic_line``: the line that the topic belongs to."""

    mall: str | None
    line: str | None
    topic: str | None
    topic_line: str | None
    answered: int

    @property
    def is_misdialled(self) -> bool:
        return self.topic_line is not None and self.line in ("order", "inquiry") and self.topic_line != self.line


async def quality_per_line(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    by: Sequence[Dimension] = LINE_DIMENSIONS,
    terms: Terms = DEFAULT_TERMS,
    formula: Formula = Formula.OFFERED,
) -> list[LineQuality]:
    """Sorted by mall and line; ``by``: both, one or none of them."""
    bounds: dict[str, Any] = {"since": since, "until": until, "zone": zone}
    counted = await count_calls_by(database, **bounds, by=by, figures=LINE_COLUMNS, terms=terms)
    seconds = await _seconds(database, **bounds, by=by)
    found = []
    for count in counted:
        waited, talked, timed = seconds.get(tuple(getattr(count, dimension.value) for dimension in by), (0.0, 0.0, 0))
        found.append(
            LineQuality(
                mall=count.mall,
                line=count.line,
                figures=count.figures,
                waited=waited,
                talked=talked,
                timed=timed,
                formula=formula,
                terms=terms,
            )
        )
    return found


async def topics_per_line(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    by: Sequence[Dimension] = LINE_DIMENSIONS,
) -> list[TopicCount]:
    """Answered calls by the line that was dialled and by what they turned out to be about."""
    counted = await count_calls_by(
        database,
        since=since,
        until=until,
        zone=zone,
        by=(*by, Dimension.TOPIC),
        figures=(Figure.OFFERED, Figure.ANSWERED),
    )
    return [
        TopicCount(
            mall=count.mall,
            line=count.line,
            topic=count.topic,
            topic_line=line_of_topic(count.topic),
            answered=count.figures[Figure.ANSWERED],
        )
        for count in counted
        if count.figures[Figure.ANSWERED]
    ]


async def _seconds(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, by: Sequence[Dimension]
) -> dict[tuple[Any, ...], tuple[float, float, int]]:
    """Of answered calls: seconds waited, seconds talked, and how many have a talking time."""
    span = await known_span(database, since, until, zone)
    if span is None:
        return {}
    answered = condition_of(Figure.ANSWERED)
    groups = [GROUPS[dimension] for dimension in by]
    query = (
        select(
            *groups,
            func.sum(calls.c.wait_seconds),
            func.sum(calls.c.talk_seconds),
            func.sum(case((calls.c.talk_seconds.is_not(None), 1), else_=0)),
        )
        .where(ENDED, answered, *within(span))
        .group_by(*groups)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return {tuple(row[: len(groups)]): (float(row[-3] or 0), float(row[-2] or 0), int(row[-1] or 0)) for row in rows}


def _share(part: float, whole: float, *, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole > 0 else None
