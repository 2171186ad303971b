"""Reading a list that cannot be counted: every row of a window, whatever the pages do meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from connectors.cafe24.client import Rows
from hub.core.paging import Window

#: rows read twice at each page break: one that left the list meanwhile pulls the rest up
PAGE_OVERLAP = 5
#: a window this short cannot be cut: the mall filters by whole seconds, both ends included
SHORTEST = timedelta(seconds=2)

#: one page of a window, from an offset on
Ask = Callable[[Window, int], Awaitable[Rows]]


async def every_row(window: Window, ask: Ask, *, limit: int, wall: int) -> AsyncIterator[list[bytes]]:
    """The rows of one window, page by page, each once.

    ``limit`` is how many rows a page is asked for, ``wall`` the highest offset that the list accepts: a
    window with more is halved. A list that shows the same rows whatever the offset is read once.
    """
    offset, shown = 0, set[int]()
    while True:
        page = await ask(window, offset)
        fresh = [row for row in page.rows if hash(row) not in shown]
        shown.update(map(hash, fresh))
        yield fresh
        # There is no count to compare with: a page that is nearly full is not taken as the last.
        looks_full = len(page.rows) * 2 >= limit or page.has_next
        if not fresh or not looks_full:
            return
        offset += len(page.rows) - (min(PAGE_OVERLAP, limit // 10) if len(page.rows) >= limit else 0)
        if offset > wall:
            for half in window.halves() if window.until - window.since > SHORTEST else ():
                async for rows in every_row(half, ask, limit=limit, wall=wall):
                    yield rows
            return
