"""Files of call records that a worker reads on and on: which, by whom, and how far.

Each file is read by one worker at a time; where that one dies or is held up, another goes on from the kept position.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from hub.core.errors import ConfigurationError
from hub.desk.phone.callbacks import callbacks_of_records
from hub.desk.phone.flow import SpecInForce
from hub.desk.services import Services
from hub.store.database import from_ms, to_ms
from hub.store.leases import Lease, held_and_abandoned
from hub.store.tables import call_files, call_follows
from hub.sync.call_files import FollowedFile
from ivr.records import UnknownRecordsError
from ivr.spec import Spec, routes_from_spec

log = structlog.get_logger(__name__)

FOLLOW_LEASE: Final = "calls:"
#: seconds between two looks at a file, and between two tries to be the one who reads it
EVERY: Final = 2.0
_TURN: Final = 5.0
#: seconds after which it is noted again that a file was looked at
_NOTED_EVERY: Final = 15.0
NOT_THERE: Final = "the file is not there"


class FollowStatus(Struct, frozen=True, kw_only=True):
    """One file that is to be followed. ``followed``: a living worker has it. ``read_at``: when it had something new.

    ``position``: bytes read of the newest file under this path; ``lines`` and ``unreadable`` are of all of them.
    ``problem``: why it cannot be read.
    """

    pbx: str
    path: str
    followed: bool
    looked_at: datetime | None
    read_at: datetime | None
    kind: str | None
    position: int
    lines: int
    unreadable: int
    problem: str | None

    @property
    def is_well(self) -> bool:
        return self.followed and self.looked_at is not None and self.problem is None


async def follow_calls(services: Services) -> None:
    """Every file of the settings, for ever; at once over where there is none."""
    async with asyncio.TaskGroup() as group:
        for pbx, path in services.settings.followed_calls:
            group.create_task(Follower(services, pbx=pbx, path=path).run())


class Follower:
    """Reads one file whenever no other worker does."""

    def __init__(self, services: Services, *, pbx: str, path: Path, every: float = EVERY, turn: float = _TURN) -> None:
        self._services, self._pbx, self._path = services, pbx, path
        self._every, self._turn = every, turn
        self._in_force = SpecInForce(services)
        self._spec: Spec | None = None
        self._file: FollowedFile | None = None
        self._noted: tuple[datetime, str | None] | None = None
        #: who read before may have died between the calls and what follows from them
        self._may_owe = True

    async def run(self) -> None:
        while True:
            lease = Lease(self._services.database, lease_name(self._pbx, self._path))
            try:
                is_ours = await lease.try_take()
            except DBAPIError as error:
                log.warning("calls.no_lease", pbx=self._pbx, error=type(error.orig).__name__)
                is_ours = False
            if not is_ours:
                await asyncio.sleep(self._turn)
                continue
            try:
                await self._read(lease)
            finally:
                await self._give_back(lease)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await lease.give_back()
        except DBAPIError as error:
            # It runs out by itself.
            log.warning("calls.lease_kept", pbx=self._pbx, error=type(error.orig).__name__)

    async def _read(self, lease: Lease) -> None:
        """Until the lease is lost."""
        self._may_owe = True
        lost = asyncio.create_task(lease.lost.wait())
        try:
            while not lost.done():
                try:
                    await self.look()
                except DBAPIError as error:
                    # The database is away for a moment: the position that was kept last is where it goes on.
                    log.warning("calls.look.failed", pbx=self._pbx, error=type(error.orig).__name__)
                await asyncio.wait([lost], timeout=self._every)
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)

    async def look(self) -> None:
        """Read what is new, and make cases of wishes to be called back that stand in it."""
        has_news, problem = False, None
        try:
            spec, file = await self._current()
            reports = await file.poll()
            has_news = any(report.new_events for report in reports)
            self._may_owe = self._may_owe or has_news
            if self._may_owe:
                await callbacks_of_records(self._services, spec)
                self._may_owe = False
            if not await asyncio.to_thread(self._path.exists):
                problem = NOT_THERE
        except ConfigurationError as error:
            problem = error.what
        except UnknownRecordsError as error:
            problem = str(error)
        except OSError as error:
            problem = error.strerror or type(error).__name__
        await self._note(problem, has_news=has_news)

    async def _current(self) -> tuple[Spec, FollowedFile]:
        """By the spec as it stands now. Raises: ConfigurationError when there is none, or it has errors."""
        spec = await self._in_force.read()
        if self._file is None or self._spec is not spec:
            services, routes = self._services, routes_from_spec(spec)
            self._file = FollowedFile(
                services.database, routes, path=self._path, pbx=self._pbx or None, now=services.now
            )
            self._spec = spec
        return spec, self._file

    async def _note(self, problem: str | None, *, has_news: bool) -> None:
        now = self._services.now()
        if self._noted is not None and not has_news:
            at, told = self._noted
            if told == problem and (now - at).total_seconds() < _NOTED_EVERY:
                return
        if problem is not None and (self._noted is None or self._noted[1] != problem):
            log.warning("calls.not_read", pbx=self._pbx, problem=problem)
        database = self._services.database
        row = {"path": str(self._path), "pbx": self._pbx, "looked_at": to_ms(now), "problem": problem}
        async with database.writing() as connection:
            upsert = database.upsert(call_follows, key=[call_follows.c.path, call_follows.c.pbx], changed_hash=False)
            await connection.execute(upsert, [row])
        self._noted = now, problem


def lease_name(pbx: str, path: Path) -> str:
    return f"{FOLLOW_LEASE}{pbx}:{path}"


async def read_follows(services: Services) -> list[FollowStatus]:
    """Every file of the settings, in their order."""
    files = services.settings.followed_calls
    if not files:
        return []
    held, _ = await held_and_abandoned(services.database, FOLLOW_LEASE)
    sums = select(
        call_files.c.path,
        call_files.c.pbx,
        func.max(call_files.c.id).label("newest"),
        func.max(call_files.c.read_at).label("read_at"),
        func.sum(call_files.c.lines).label("lines"),
        func.sum(call_files.c.unreadable).label("unreadable"),
    ).group_by(call_files.c.path, call_files.c.pbx)
    async with services.database.reading() as connection:
        looks = _by_place(await connection.execute(select(call_follows)))
        read = _by_place(await connection.execute(sums))
        wanted = [row.newest for row in read.values()]
        query = select(call_files.c.id, call_files.c.kind, call_files.c.position).where(call_files.c.id.in_(wanted))
        newest = {row.id: row for row in await connection.execute(query)}
    found = []
    for pbx, path in files:
        place, is_held = (str(path), pbx), lease_name(pbx, path) in held
        found.append(_status(pbx, path, is_held=is_held, look=looks.get(place), read=read.get(place), newest=newest))
    return found


def _by_place(rows: Iterable[Any]) -> dict[tuple[str, str], Any]:
    return {(row.path, row.pbx): row for row in rows}


def _status(pbx: str, path: Path, *, is_held: bool, look: Any, read: Any, newest: dict[int, Any]) -> FollowStatus:
    last = newest.get(read.newest) if read else None
    return FollowStatus(
        pbx=pbx,
        path=str(path),
        followed=is_held,
        looked_at=from_ms(look.looked_at) if look else None,
        read_at=from_ms(read.read_at) if read else None,
        kind=last.kind if last else None,
        position=last.position if last else 0,
        lines=int(read.lines) if read else 0,
        unreadable=int(read.unreadable) if read else 0,
        problem=look.problem if look else None,
    )
