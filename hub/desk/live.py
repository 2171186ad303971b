"""One process's reader of the news, shared by all its listeners: it looks only while somebody listens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hub.store.database import Database
from hub.store.ids import id_of_age
from hub.store.live import KEPT, LOOK_BACK, LiveEvent, forget_events, read_events

log = structlog.get_logger(__name__)

#: seconds between two looks: half of what a person takes to notice
EVERY: Final = 0.1
#: looks between two clearings
_CLEAR_EVERY: Final = 600
#: news that one listener may leave unread
_LONGEST_QUEUE: Final = 1_000


class MissedError(Exception):
    """The listener was away, or slow, for longer than news are kept: it has to read its page again."""


class Listener:
    """What one screen has not been told yet."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[LiveEvent] = asyncio.Queue(_LONGEST_QUEUE)
        self._has_missed = False

    def offer(self, event: LiveEvent) -> None:
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._has_missed = True

    async def next(self, *, patience: float) -> LiveEvent | None:
        """The next event, or ``None`` after ``patience`` seconds without one. Raises: MissedError."""
        if self._has_missed:
            raise MissedError
        try:
            async with asyncio.timeout(patience):
                return await self._queue.get()
        except TimeoutError:
            return None


class LiveFeed:
    """``sleep`` is for tests. All methods belong to one event loop."""

    def __init__(self, database: Database, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._database = database
        self._sleep = sleep
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None
        self._seen: dict[int, None] = {}

    @asynccontextmanager
    async def listening(self, *, after: int | None = None) -> AsyncIterator[Listener]:
        """Listen from now on, or from behind ``after``, the last event that the screen was told.

        Raises: MissedError when what came behind ``after`` is no longer kept.
        """
        if after is not None and after < id_of_age(KEPT):
            raise MissedError
        listener = Listener()
        self._listeners.add(listener)
        try:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="live feed")
            if after is not None:
                # Some may be told twice; that only reads a row of the list twice.
                for event in await read_events(self._database, after=after):
                    listener.offer(event)
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _look(self) -> None:
        since, looks = id_of_age(0.0), 0
        while True:
            try:
                # Also what was written before but has ended only now.
                for event in await read_events(self._database, after=min(since, id_of_age(LOOK_BACK))):
                    self._tell(event, is_old=event.id < since and looks == 0)
                since = max(since, id_of_age(LOOK_BACK))
                self._forget_seen()
                looks += 1
                if looks % _CLEAR_EVERY == 0:
                    await forget_events(self._database)
                await self._sleep(EVERY)
            except SQLAlchemyError as error:
                # A database that is away for a moment: the screens say that they are not fresh, and the look goes on.
                log.warning("live.unreadable", error=type(error).__name__)
                await self._sleep(1.0)

    def _tell(self, event: LiveEvent, *, is_old: bool) -> None:
        if event.id in self._seen:
            return
        self._seen[event.id] = None
        for listener in () if is_old else self._listeners:
            listener.offer(event)

    def _forget_seen(self) -> None:
        oldest = id_of_age(2 * LOOK_BACK)
        while self._seen and next(iter(self._seen)) < oldest:
            del self._seen[next(iter(self._seen))]
