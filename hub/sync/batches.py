"""Small pages written together: what a transaction costs, it costs once for a thousand records."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from hub.core.contract import Page

P = TypeVar("P")

#: readings in one transaction, unless a mall's own page has more
MOST_READINGS = 1_000
#: one part in so many of the pages that came may wait to be written: all that a killed run reads again
_SHARE_HELD = 10


@asynccontextmanager
async def closing(pages: AsyncIterator[P]) -> AsyncIterator[AsyncIterator[P]]:
    """The pages for one block, closed with it however it ends.

    A run that is stopped between two pages would leave them to the garbage collector, which closes
    readers within readers in no order, some while they still run.
    """
    try:
        yield pages
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def gathered(pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    """The same readings in the same order in fewer pages, each with the last cursor of its parts.

    A record that comes twice is never twice in one page, unless the mall's own page has it twice: what
    a later reading may overwrite is judged against what an earlier one stored. When reading fails,
    what came before is given first.
    """
    held: list[Page] = []
    keys: set[str] = set()
    came = 0
    try:
        async for page in pages:
            came += 1
            # Records too broken to name themselves repeat nothing.
            fresh = {reading.key for reading in page.readings} - {""}
            size = sum(len(each.readings) for each in held)
            if held and (size + len(page.readings) > MOST_READINGS or not keys.isdisjoint(fresh)):
                yield _joined(held)
                held, keys = [], set()
            held.append(page)
            keys |= fresh
            if len(held) * _SHARE_HELD >= came:
                yield _joined(held)
                held, keys = [], set()
    except Exception:
        if held:
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _joined(pages: list[Page]) -> Page:
    last = pages[-1]
    if len(pages) == 1:
        return last
    readings = tuple(reading for page in pages for reading in page.readings)
    return Page(readings=readings, cursor=last.cursor, progress=last.progress)
