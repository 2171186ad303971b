"""The breaker of a shop: while its mall is down, runs by schedule do not knock again and again.

It opens when readings end in outages one after another, and closes with the first that does not. While
it is open one run may try at growing intervals (half open). It stands in the store, so that every
process and every screen know of it. What a person starts tries in any case, and its outcome counts.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import RateLimitedError, TransientMallError
from hub.store.database import Database, from_ms, to_ms
from hub.store.questions import Question, ask_one
from hub.store.tables import breakers

#: outages in a row that open it; each is a reading that failed after all of its own retries
TRIP_AT = 2
_FIRST_PAUSE = timedelta(minutes=2)
_LONGEST_PAUSE = timedelta(minutes=30)


class BreakerState(StrEnum):
    """``HALF_OPEN``: open long enough, the next run by schedule tries."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerView(Struct, frozen=True, kw_only=True):
    """``since``: the first outage of the row; ``next_try``: when a run by schedule may try. Both only while open."""

    state: BreakerState = BreakerState.CLOSED
    since: datetime | None = None
    next_try: datetime | None = None
    kind: str | None = None


async def read_breakers(connection: AsyncConnection, *, now: datetime) -> dict[int, BreakerView]:
    """By shop id; a shop without trouble has none."""
    return await ask_one(connection, breakers_of(now=now))


def breakers_of(*, now: datetime) -> Question[dict[int, BreakerView]]:
    """As :func:`read_breakers`."""
    return Question(_ALL, {}, lambda rows: {row.shop_id: _view(row, now) for row in rows})


_ALL: Final = select(breakers)


def _view(row: Row[Any], now: datetime) -> BreakerView:
    if row.opened_at is None:
        return BreakerView()
    next_try = from_ms(row.probe_at)
    is_due = next_try is not None and next_try <= now
    return BreakerView(
        state=BreakerState.HALF_OPEN if is_due else BreakerState.OPEN,
        since=from_ms(row.failing_since),
        next_try=next_try,
        kind=row.kind,
    )


def pause_after(failures: int) -> timedelta:
    """How long to leave a mall alone after so many outages in a row."""
    doublings: int = min(max(failures - TRIP_AT, 0), 10)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


class Breaker:
    """The breaker of one shop."""

    def __init__(self, database: Database, shop_id: int, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._shop_id = shop_id
        self._now = now

    async def view(self) -> BreakerView:
        async with self._database.reading() as connection:
            row = (await connection.execute(self._row())).first()
        return BreakerView() if row is None else _view(row, self._now())

    async def let_through(self) -> bool:
        """Whether a run by schedule may call now. While open, one of all processes gets each try."""
        now = self._now()
        async with self._database.writing() as connection:
            row = (await connection.execute(self._row())).first()
            if row is None or row.opened_at is None:
                return True
            # Whoever moves the time of the try on has it. Should it die, the next comes a pause later.
            taken = await connection.execute(
                update(breakers)
                .where(breakers.c.shop_id == self._shop_id, breakers.c.probe_at == row.probe_at)
                .where(breakers.c.probe_at <= to_ms(now))
                .values(probe_at=to_ms(now + pause_after(row.failures)))
            )
            return bool(taken.rowcount)

    async def failed(self, error: TransientMallError) -> None:
        """A reading ended in an outage."""
        now = self._now()
        async with self._database.writing() as connection:
            row = (await connection.execute(self._row())).first()
            failures = (row.failures if row else 0) + 1
            pause = pause_after(failures)
            if isinstance(error, RateLimitedError):
                pause = max(pause, timedelta(seconds=error.wait_seconds))
            is_open = failures >= TRIP_AT
            values = {
                "shop_id": self._shop_id,
                "failures": failures,
                "kind": error.kind,
                "failing_since": row.failing_since if row else to_ms(now),
                "opened_at": (row.opened_at if row and row.opened_at else to_ms(now)) if is_open else None,
                "probe_at": to_ms(now + pause) if is_open else None,
            }
            await self._database.upsert_rows(
                connection, breakers, [values], key=[breakers.c.shop_id], changed_hash=False
            )

    async def succeeded(self) -> None:
        """The mall answered, if only to refuse: it is there."""
        async with self._database.reading() as connection:
            if (await connection.execute(self._row())).first() is None:
                return
        async with self._database.writing() as connection:
            await connection.execute(delete(breakers).where(breakers.c.shop_id == self._shop_id))

    def _row(self) -> Any:
        return select(breakers).where(breakers.c.shop_id == self._shop_id)
