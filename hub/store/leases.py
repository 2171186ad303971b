"""Locks over processes and machines: a row that its holder keeps alive and anybody may take when it is stale."""

import asyncio
import os
import secrets
import socket
import time
from types import TracebackType
from typing import Self

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.tables import leases

# A holder that died is waited for no longer than this; a living one renews at a third of it.
LEASE_SECONDS = 30.0
_POLL_SECONDS = 0.05


class Lease:
    """``async with Lease(database, "name"):`` waits for the lease, keeps it, gives it back.

    A process that is killed while it holds one blocks other machines for at most ``LEASE_SECONDS``,
    and its own machine not at all: there it is seen to be gone.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(8)}"
        self._keeper: asyncio.Task[None] | None = None

    async def try_take(self) -> bool:
        """Take it if it is free or stale; ``False`` when somebody living holds it."""
        now = time.time_ns() // 1_000_000
        row = {"name": self._name, "owner": self._owner, "until_at": now + round(LEASE_SECONDS * 1000)}
        insert = sqlite.insert(leases) if self._database.is_sqlite else postgresql.insert(leases)
        statement = (
            insert.values(row)
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

    async def _evict_dead(self, connection: AsyncConnection) -> bool:
        """Remove the holder if it was a process of this machine that no longer lives."""
        holder = await connection.scalar(select(leases.c.owner).where(leases.c.name == self._name))
        if holder is None:
            return True
        host, _, rest = holder.partition(":")
        pid = rest.partition(":")[0]
        if host != socket.gethostname() or not pid.isdigit() or _lives(int(pid)):
            return False
        await connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.owner == holder))
        return True

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            until = time.time_ns() // 1_000_000 + round(LEASE_SECONDS * 1000)
            async with self._database.writing() as connection:
                await connection.execute(
                    update(leases)
                    .where(leases.c.name == self._name, leases.c.owner == self._owner)
                    .values(until_at=until)
                )

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


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
