"""Customers who asked to be called back: who was called, who was reached, and how long the first try took.

A number that waits asks once, however often it calls: the wishes it repeats meanwhile are told, not counted again.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from hub.stats.facts import Counted, Fact, FactReport, How, Measure, moment, rows_of, stream
from hub.store.tables import callbacks, cases

_MINUTE_MS: Final = 60_000


class CallbackFact(Fact, frozen=True, kw_only=True):
    """One number that asked to be called back, when it asked first; ``line``: the one that it had dialled.

    ``asked``: how often until it was reached. ``minutes``: elapsed until the first try, ``None`` before it.
    """

    line: str | None
    asked: int
    tries: int
    first_tried_at: datetime | None
    reached_at: datetime | None
    minutes: int | None


async def read_callbacks(counted: Counted) -> AsyncIterator[CallbackFact]:
    told = (
        callbacks.c.case_id,
        callbacks.c.line,
        callbacks.c.asked,
        callbacks.c.tries,
        callbacks.c.first_tried_at,
        callbacks.c.reached_at,
    )
    query = rows_of(counted, cases, *told, at=callbacks.c.asked_at, row_id=callbacks.c.id)
    query = query.join(callbacks, callbacks.c.case_id == cases.c.id)
    async for row in stream(counted, query, at=callbacks.c.asked_at, row_id=callbacks.c.id):
        first = row.first_tried_at
        yield CallbackFact(
            at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            line=row.line,
            asked=row.asked,
            tries=row.tries,
            first_tried_at=moment(first),
            reached_at=moment(row.reached_at),
            # Two clocks are in it, the exchange's and ours: no wait is shorter than none.
            minutes=None if first is None else max(0, first - row.at_ms) // _MINUTE_MS,
        )


def _was_called(fact: Any) -> bool:
    return fact.first_tried_at is not None


def _was_reached(fact: Any) -> bool:
    return fact.reached_at is not None


CALLBACKS: Final = FactReport(
    name="callbacks",
    row=CallbackFact,
    read=read_callbacks,
    dimensions=("mall", "shop", "line"),
    default=("mall", "line"),
    measures=(
        Measure(name="requested"),
        Measure(name="called", of=_was_called),
        Measure(name="reached", of=_was_reached),
        Measure(name="waiting", of=lambda fact: not _was_reached(fact)),
        Measure(name="tries", how=How.SUM, value=lambda fact: fact.tries),
        Measure(name="reached_share", how=How.SHARE, part=_was_reached),
        Measure(name="first_try_median", how=How.MEDIAN, value=lambda fact: fact.minutes),
        Measure(name="first_try_p90", how=How.P90, value=lambda fact: fact.minutes),
    ),
)
