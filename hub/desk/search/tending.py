"""Keeps the index of the search behind what is written, a step at a time, so that nobody waits for it."""

import asyncio
import time
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError

from hub.desk.services import Services
from hub.store.search_index import SearchIndex, Step

log = structlog.get_logger(__name__)

#: seconds until new rows are looked for again
EVERY: Final = 2.0
#: rows of one step: some hundredths of a second, in which others of this process wait
STEP: Final = 100
#: of a worker, whose other work waits for malls
WORKER_STEP: Final = 1_000
#: and where nothing else is done: the more at once, the fewer rows of the index are written twice
BULK: Final = 8_000


async def tend_search(services: Services, *, step: int = STEP) -> None:
    """For ever. Several processes may do so: one of them is at it at a time."""
    index = SearchIndex(services.database)
    while True:
        begun = time.monotonic()
        is_idle = True
        try:
            done = await index.take_in(limit=step, now=services.now())
            is_idle = done.is_last and not await index.sweep(now=services.now())
        except DBAPIError as error:
            log.warning("search.step.failed", error=type(error.orig).__name__)
        # As long as it worked it rests: a database with one writer is everybody's.
        await asyncio.sleep(EVERY if is_idle else time.monotonic() - begun)


async def take_all_in(services: Services) -> int:
    """Everything that waits, at once; returns how many rows that were."""
    index, taken = SearchIndex(services.database), 0
    while True:
        done: Step = await index.take_in(limit=BULK, now=services.now())
        taken += done.taken
        if done.is_last:
            return taken
