"""How the hub itself runs, in numbers for a monitoring system: what the status tells, and what stands behind it."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.core.contract import Feed
from hub.desk.services import Services
from hub.desk.shops.status import WORKER_LEASE, Status, read_status
from hub.store.alerts import AlertStore, Severity
from hub.store.database import to_ms
from hub.store.tables import actions, call_events, calls, feed_states, leases, rereads, shops


class RunCounts(Struct, frozen=True, kw_only=True):
    """Of the newest finished run of a feed."""

    calls: int = 0
    throttled: int = 0
    seconds: float = 0.0


class Running(Struct, frozen=True, kw_only=True):
    """``calls``: ended telephone calls by result. ``rereads``: things waiting by shop."""

    status: Status
    runs: Mapping[tuple[str, Feed], RunCounts]
    outbox: Mapping[tuple[str, str], int]
    rereads: Mapping[str, int]
    workers: int
    alerts: Mapping[Severity, int]
    call_events: int
    calls: Mapping[str, int]


#: figures may be so old: to count every record of every shop is more than a scrape should cost
KEPT_FOR: Final = timedelta(seconds=15)


class RunningBook:
    """The figures, counted once in :data:`KEPT_FOR` however many ask, and by one of them at a time."""

    def __init__(self) -> None:
        self._counting = asyncio.Lock()
        self._kept: Running | None = None

    async def read(self, services: Services) -> Running:
        """Figures of ``status.at``, which is at most :data:`KEPT_FOR` ago."""
        async with self._counting:
            if self._kept is None or not timedelta() <= services.now() - self._kept.status.at < KEPT_FOR:
                self._kept = await read_running(services)
            return self._kept


async def read_running(services: Services) -> Running:
    """Every active shop. No personal datum is in it, and no number of an order."""
    status = await read_status(services)
    runs = select(shops.c.name, feed_states.c.feed, feed_states.c.last_counts).join_from(feed_states, shops)
    sent = (
        select(shops.c.name, actions.c.outcome, func.count().label("number"))
        .join_from(actions, shops)
        .group_by(shops.c.name, actions.c.outcome)
    )
    waiting = select(shops.c.name, func.count().label("number")).join_from(rereads, shops).group_by(shops.c.name)
    alive = (
        select(func.count())
        .select_from(leases)
        .where(leases.c.name.startswith(WORKER_LEASE), leases.c.until_at > to_ms(status.at))
    )
    ended = select(calls.c.result, func.count().label("number")).where(calls.c.result.is_not(None))
    async with services.database.reading() as connection:
        known = {shop.shop for shop in status.shops}
        feeds = {feed.value for feed in Feed}
        running = Running(
            status=status,
            runs={
                (row.name, Feed(row.feed)): msgspec.json.decode(row.last_counts, type=RunCounts)
                for row in await connection.execute(runs)
                if row.last_counts and row.name in known and row.feed in feeds
            },
            outbox={(row.name, row.outcome): row.number for row in await connection.execute(sent)},
            rereads={row.name: row.number for row in await connection.execute(waiting)},
            workers=await connection.scalar(alive) or 0,
            alerts={},
            call_events=await connection.scalar(select(func.count()).select_from(call_events)) or 0,
            calls={row.result: row.number for row in await connection.execute(ended.group_by(calls.c.result))},
        )
    standing = [alert.severity for alert in await AlertStore(services.database).standing()]
    return msgspec.structs.replace(running, alerts={severity: standing.count(severity) for severity in Severity})
