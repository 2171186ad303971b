"""Locks over processes and machines: a row that its holder keeps alive and anybody may take when it is stale.

On PostgreSQL the database's clock is the only one asked, so that machines whose clocks differ agree on
what is stale. SQLite is one machine, with one clock.
"""

import asyncio
import os
import secrets
import time
from types import TracebackType
from typing import Any, Self

import structlog
from sqlalchemy import BigInteger, cast, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.tables import leases

log = structlog.get_logger(__name__)

# A holder that died is waited for no longer than this; a living one renews at a third of it. Half of
# the half minute in which another worker must have gone on with a dead one's work.
LEASE_SECONDS = 15.0
_POLL_SECONDS = 0.05
#: a heartbeat that the database did not take is tried again after this
_RETRY_SECONDS = 1.0


class Lease:
    """``async with Lease(database, "name"):`` waits for the lease, keeps it, gives it back.

    A process that is killed while it holds one blocks other machines for at most ``LEASE_SECONDS``,
    and its own machine not at all: there it is seen to be gone. ``lost`` is set when the lease was
    taken away, because this process was held up for longer than it lasts.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._owner = f"{database.host}:{os.getpid()}:{secrets.token_hex(8)}"
        self._keeper: asyncio.Task[None] | None = None
        self.lost = asyncio.Event()

    async def try_take(self) -> bool:
        """Take it if it is free or stale; ``False`` when somebody living holds it."""
        now = _now(self._database)
        insert = sqlite.insert(leases) if self._database.is_sqlite else postgresql.insert(leases)
        statement = (
            insert.values(name=self._name, owner=self._owner, until_at=now + round(LEASE_SECONDS * 1000))
            .on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"owner": insert.excluded.owner, "until_at": insert.excluded.until_at},
                where=(leases.c.until_at < now) | (leases.c.owner == self._owner),
            )
            .returning(leases.c.name)
        )  # psycopg tells no row count of an insert
        async with self._database.writing() as connection:
            taken = await connection.scalar(statement) is not None
            if not taken and await self._evict_dead(connection):
                taken = await connection.scalar(statement) is not None
        if taken and self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        return taken

    async def take_from_the_dead(self) -> bool:
        """Take it, waiting for as long as a holder of another machine may be dead; ``False`` once it shows life."""
        seen = await self._until()
        while not await self.try_take():
            if await self._is_held_here():
                return False
            until = await self._until()
            if None not in (seen, until) and until != seen:
                return False
            seen = until
            await asyncio.sleep(_POLL_SECONDS * 4)
        return True

    async def _until(self) -> int | None:
        async with self._database.reading() as connection:
            return await connection.scalar(select(leases.c.until_at).where(leases.c.name == self._name))

    async def _is_held_here(self) -> bool:
        """Whether a process of this machine holds it; :meth:`try_take` has shown that it lives."""
        async with self._database.reading() as connection:
            holder = await connection.scalar(select(leases.c.owner).where(leases.c.name == self._name))
        return holder is not None and _pid_here(holder, self._database.host) is not None

    async def _evict_dead(self, connection: AsyncConnection) -> bool:
        """Remove the holder if it was a process of this machine that no longer lives."""
        holder = await connection.scalar(select(leases.c.owner).where(leases.c.name == self._name))
        if holder is None:
            return True
        if not _is_gone(holder, self._database.host):
            return False
        await connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.owner == holder))
        return True

    async def _keep(self) -> None:
        pause = LEASE_SECONDS / 3
        while True:
            await asyncio.sleep(pause)
            try:
                is_ours = await self._renew()
            except DBAPIError as error:
                log.warning("lease.renewal.failed", lease=self._name, error=type(error.orig).__name__)
                pause = min(_RETRY_SECONDS, LEASE_SECONDS / 3)
                continue
            pause = LEASE_SECONDS / 3
            if not is_ours:
                self.lost.set()
                log.error("lease.lost", lease=self._name)
                return

    async def _renew(self) -> bool:
        until = _now(self._database) + round(LEASE_SECONDS * 1000)
        async with self._database.writing() as connection:
            renewed = await connection.execute(
                update(leases).where(leases.c.name == self._name, leases.c.owner == self._owner).values(until_at=until)
            )
            return renewed.rowcount > 0

    async def give_back(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        giving = asyncio.create_task(self._delete())
        try:
            await asyncio.shield(giving)
        except asyncio.CancelledError:
            # Whoever is cancelled here must not leave it to others to wait out.
            await giving
            raise

    async def abandon(self) -> None:
        """Leave it behind as a dead holder would: the next one sees that there may be something to take over."""
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        async with self._database.writing() as connection:
            await connection.execute(
                update(leases).where(leases.c.name == self._name, leases.c.owner == self._owner).values(until_at=0)
            )

    async def _delete(self) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.owner == self._owner))

    async def __aenter__(self) -> Self:
        try:
            while not await self.try_take():  # noqa: ASYNC110  the holder may be another machine
                await asyncio.sleep(_POLL_SECONDS)
        except BaseException:
            # Cancelled between the commit and its answer it is ours, and nobody would give it back.
            await self.give_back()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.give_back()


async def held_and_abandoned(database: Database, prefix: str) -> tuple[list[str], list[str]]:
    """Names of leases that begin with ``prefix``: those of the living, and those whose holder died with them."""
    query = (
        select(leases.c.name, leases.c.owner, (leases.c.until_at < _now(database)).label("is_stale"))
        .where(leases.c.name.startswith(prefix, autoescape=True))
        .order_by(leases.c.name)
    )
    held: list[str] = []
    abandoned: list[str] = []
    async with database.reading() as connection:
        for row in await connection.execute(query):
            is_dead = row.is_stale or _is_gone(row.owner, database.host)
            (abandoned if is_dead else held).append(row.name)
    return held, abandoned


def _now(database: Database) -> Any:
    """Milliseconds since 1970: a number, or what makes the server compute it."""
    if database.is_sqlite:
        return time.time_ns() // 1_000_000
    return cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)


def _pid_here(owner: str, host: str) -> int | None:
    """The process of a holder on this machine; ``None`` for one of another machine."""
    machine, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    return int(pid) if machine == host and pid.isdigit() else None


def _is_gone(owner: str, host: str) -> bool:
    pid = _pid_here(owner, host)
    return pid is not None and not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
