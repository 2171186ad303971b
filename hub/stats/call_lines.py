"""How well each line was answered, and whether it was the right line: figures per mall and line.

Rates are computed on read from counts that open to their calls. The service level has four formulas in use; each
figure carries the name of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, case, func

from hub.stats.call_figures import DEFAULT_TERMS, LINE_COLUMNS, Figure, Terms, condition_of
from hub.stats.calls import count_calls_by, known_span, sums_by
from hub.stats.dimension import Dimension
from hub.store.database import Database
from hub.store.tables import calls
from ivr.topics import line_of_topic

LINE_DIMENSIONS: Final = (Dimension.MALL, Dimension.LINE)
#: by the time at which a call entered, in the centre's zone
LINE_TIMES: Final = (Dimension.DAY, Dimension.HOUR)
#: rates and means of a line, in the order of the columns
RATES: Final = (
    "service_level",
    "answer_rate",
    "abandon_rate",
    "asa_seconds",
    "ata_seconds",
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
    """One mall, line, day and hour; a dimension that was not asked for is ``None``, as is a rate of nothing.

    Rates are shares of 1. ``waited`` and ``talked``: seconds of all answered calls together, ``timed``: how many of
    these have a talking time. ``gave_up``: seconds that all who hung up in the queue had waited.
    """

    mall: str | None
    line: str | None
    day: date | None = None
    hour: datetime | None = None
    figures: Mapping[Figure, int]
    waited: float
    talked: float
    timed: int
    gave_up: float
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
    def ata_seconds(self) -> float | None:
        return _share(self.gave_up, self.figures[Figure.ABANDONED_QUEUE], digits=1)

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


_ANSWERED: Final = condition_of(Figure.ANSWERED)


def _sum(value: ColumnElement[Any], of: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((of, value), else_=0))


#: seconds waited and talked by answered calls, how many of them have a talking time, seconds waited in vain
_SECONDS: Final = (
    _sum(calls.c.wait_seconds, _ANSWERED),
    _sum(calls.c.talk_seconds, _ANSWERED),
    func.sum(case((and_(_ANSWERED, calls.c.talk_seconds.is_not(None)), 1), else_=0)),
    _sum(calls.c.wait_seconds, condition_of(Figure.ABANDONED_QUEUE)),
)


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
    """Sorted by ``by``: any of mall, line, day and hour."""
    bounds: dict[str, Any] = {"since": since, "until": until, "zone": zone}
    counted = await count_calls_by(database, **bounds, by=by, figures=LINE_COLUMNS, terms=terms)
    span = await known_span(database, **bounds)
    seconds = {} if span is None else await sums_by(database, span=span, by=by, sums=_SECONDS)
    found = []
    for count in counted:
        waited, talked, timed, gave_up = seconds.get(tuple(getattr(count, name.value) for name in by), (0, 0, 0, 0))
        found.append(
            LineQuality(
                mall=count.mall,
                line=count.line,
                day=count.day,
                hour=count.hour,
                figures=count.figures,
                waited=waited,
                talked=talked,
                timed=int(timed),
                gave_up=gave_up,
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


def _share(part: float, whole: float, *, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole > 0 else None
