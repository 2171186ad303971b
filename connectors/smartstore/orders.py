"""Reading product orders: the change feed tells which lines moved, the detail tells how they are.

The feed is no log. It shows each line once, at its newest listed event, and is silent about order
confirmation, delivery, holds and delays (operators' answer, discussion 2437; sure). So every type of
event is read, the detail decides, and lines that the hub believes open are read again by number.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta

import msgspec
import structlog
from msgspec import Struct

from connectors.smartstore.ahead import work_ahead
from connectors.smartstore.client import MOST_ROWS, FeedPage, SmartstoreClient
from connectors.smartstore.leaves import Unknowns, count_unknown
from connectors.smartstore.mapping import read_detail, unreadable_key
from hub.core.contract import OpenKeys, Page, Reading, Span
from hub.core.errors import MalformedResponseError, NotFoundAtMallError, RejectedByMallError
from hub.core.paging import Window, decode_cursor, encode_cursor, windows

log = structlog.get_logger(__name__)

#: longer is refused with 104139
LONGEST_WINDOW = timedelta(hours=24)
#: rows may become visible after their own time (lag unknown, seconds to a minute reported): stay behind
BEHIND = timedelta(minutes=2)
#: and start before the last end; on top of the hub's own overlap
OVERLAP = timedelta(minutes=10)
#: days without a full chunk after which what was found is read, so that a slow shop makes progress too
_WINDOWS_PER_CHUNK = 5
#: chunks of details being read while the feed goes on
_DEPTH = 3


class OrdersCursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything found before the place (``at``, ``more``) was read, except ``pending``.

    ``until`` keeps the end of an interrupted run. ``reread_after`` is set once the feed is done: open
    lines with greater numbers are left.
    """

    until: datetime
    at: datetime
    more: tuple[str, str] | None = None
    pending: tuple[str, ...] = ()
    reread_after: str | None = None


class _Chunk(Struct, frozen=True, kw_only=True):
    ids: tuple[str, ...]
    cursor: OrdersCursor
    progress: float
    broken: tuple[bytes, ...] = ()


async def read_order_pages(
    client: SmartstoreClient,
    span: Span,
    *,
    open_keys: OpenKeys,
    cursor: str | None,
    now: Callable[[], datetime],
    unknown: Unknowns,
) -> AsyncGenerator[Page, None]:
    """One Page per detail call of at most 300 lines; the feed runs ahead of the details.

    The feed is always walked to two minutes before now: a line that was ordered inside the span and
    moved after its end stands at its newest event, not inside the span. The minutes since then are
    read too, so that a new order shows at once, but nothing relies on them.
    """
    start = span.since - OVERLAP
    place = decode_cursor(cursor, OrdersCursor) or OrdersCursor(until=max(start, now() - BEHIND), at=start)
    open_ids = sorted({line_no for _, line_nos in open_keys.orders for line_no in line_nos})
    # The share of the run that the feed takes, guessed by calls, so that progress moves evenly.
    feed_calls = max(1.0, (place.until - start) / LONGEST_WINDOW)
    feed_share = feed_calls / (feed_calls + len(open_ids) / MOST_ROWS)
    # Only of the open lines: all that a full reading shows would fill the memory.
    unseen = set(open_ids)

    async def read(chunk: _Chunk) -> Page:
        return await _read_chunk(client, chunk, unknown)

    if place.reread_after is None:
        walked = _walk_feed(client, place, start=start, share=feed_share, unknown=unknown)
        for walk in (walked, _newest(client, place, now, feed_share)):
            async with aclosing(work_ahead(walk, read, depth=_DEPTH)) as pages:
                async for page in pages:
                    unseen.difference_update(reading.key for reading in page.readings)
                    yield page
    left = [line_no for line_no in open_ids if line_no in unseen and line_no > (place.reread_after or "")]
    again = _reread(left, until=place.until, share=feed_share)
    async with aclosing(work_ahead(again, read, depth=_DEPTH)) as pages:
        async for page in pages:
            yield page


async def read_lines(client: SmartstoreClient, ids: tuple[str, ...], unknown: Unknowns) -> tuple[Reading, ...]:
    """The lines ``ids``; those that the mall does not show, asked twice, are left out."""
    found: dict[str, Reading] = {}
    for first in range(0, len(ids), MOST_ROWS):
        wanted = tuple(dict.fromkeys(ids[first : first + MOST_ROWS]))
        found |= await _details(client, wanted, unknown)
        missing = tuple(line_no for line_no in wanted if line_no not in found)
        if missing:
            found |= await _details(client, missing, unknown)
    return tuple(found.values())


def missing_lines(ids: tuple[str, ...], readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """What of ``ids`` does not stand in ``readings``, as readings with an error: a line shown once is never lost."""
    found = {reading.key for reading in readings}
    return tuple(
        Reading(
            key=line_no,
            raw=msgspec.json.encode({"productOrderId": line_no}),
            error="the mall has named this line but does not show its detail",
        )
        for line_no in ids
        if line_no not in found
    )


async def _read_chunk(client: SmartstoreClient, chunk: _Chunk, unknown: Unknowns) -> Page:
    readings = await read_lines(client, chunk.ids, unknown)
    broken = tuple(
        Reading(key=unreadable_key(row), raw=row, error="a row of the change feed without a usable productOrderId")
        for row in chunk.broken
    )
    return Page(
        readings=readings + missing_lines(chunk.ids, readings) + broken,
        cursor=encode_cursor(chunk.cursor),
        progress=chunk.progress,
    )


async def _details(client: SmartstoreClient, ids: tuple[str, ...], unknown: Unknowns) -> dict[str, Reading]:
    """Readings by line number; when the mall refuses the whole call for one unknown id, the halves are asked."""
    try:
        records = await client.details(ids)
    except NotFoundAtMallError:
        if len(ids) == 1:
            return {}
        middle = len(ids) // 2
        halves = await _details(client, ids[:middle], unknown)
        return halves | await _details(client, ids[middle:], unknown)
    readings = (read_detail(record, unknown) for record in records)
    return {reading.key: reading for reading in readings}


async def _walk_feed(
    client: SmartstoreClient, place: OrdersCursor, *, start: datetime, share: float, unknown: Unknowns
) -> AsyncGenerator[_Chunk, None]:
    """Ids in chunks of at most 300, each with the place from which another process goes on."""
    pending = dict.fromkeys(place.pending)
    broken: list[bytes] = []
    more = place.more
    quiet = 0
    length = max(timedelta(seconds=1), place.until - start)

    def chunks(at: datetime, following: tuple[str, str] | None, *, is_flushed: bool) -> list[_Chunk]:
        made: list[_Chunk] = []
        while len(pending) >= MOST_ROWS or (is_flushed and (pending or broken or not made)):
            ids = tuple(pending)[:MOST_ROWS]
            for line_no in ids:
                del pending[line_no]
            cursor = OrdersCursor(until=place.until, at=at, more=following, pending=tuple(pending))
            progress = min(1.0, max(0.0, share * ((at - start) / length)))
            made.append(_Chunk(ids=ids, cursor=cursor, progress=progress, broken=tuple(broken)))
            broken.clear()
        return made

    for window in windows(place.at, place.until, longest=LONGEST_WINDOW):
        async for page in _walked(client, window, more, end=place.until, unknown=unknown):
            pending.update(dict.fromkeys(page.ids))
            broken += page.broken
            if page.more is not None:
                for chunk in chunks(window.since, page.more, is_flushed=False):
                    yield chunk
        more = None
        quiet += 1
        is_flushed = quiet >= _WINDOWS_PER_CHUNK or window.until >= place.until
        for chunk in chunks(window.until, None, is_flushed=is_flushed):
            yield chunk
        if is_flushed:
            quiet = 0
    # A run that broke off between the last chunks goes on with what its cursor still holds.
    if pending or broken:
        for chunk in chunks(place.until, None, is_flushed=True):
            yield chunk


async def _walked(
    client: SmartstoreClient, window: Window, more: tuple[str, str] | None, *, end: datetime, unknown: Unknowns
) -> AsyncGenerator[FeedPage, None]:
    """One window of the walk to ``end``.

    A place inside the window that the mall takes no more (of a run that broke off) is left for the window's
    beginning. How far back the feed goes is documented nowhere: a window of long ago that the mall refuses as
    out of range holds nothing to be had, and is counted beside the unknown codes, where ``hub status`` shows it.
    """
    skews = _BEHIND_SKEWS if window.until >= end else _NO_SKEW
    for place in (more, None) if more is not None else (None,):
        has_begun = False
        try:
            async for page in _pages_by_clock(client, window, place, skews=skews):
                has_begun = True
                yield page
        except RejectedByMallError as error:
            is_too_old = error.mall_code == _OUT_OF_RANGE and end - window.until >= _SURELY_READABLE
            if is_too_old:
                count_unknown(unknown, "feed_too_old", error.mall_code)
            elif place is None or has_begun:
                raise
            log.info("smartstore.feed.refused", is_too_old=is_too_old, request_id=error.request_id)
            if is_too_old:
                return
        else:
            return


#: public programs read this far back
_SURELY_READABLE = timedelta(days=30)


async def _window_pages(
    client: SmartstoreClient, window: Window, more: tuple[str, str] | None
) -> AsyncGenerator[FeedPage, None]:
    """Raises MalformedResponseError when the feed names a place it has named before: it would never end."""
    places: set[tuple[str, str] | None] = {more}
    while True:
        page = await client.changed(since=window.since, until=window.until, more=more)
        yield page
        more = page.more
        if more is None:
            return
        if more in places:
            raise MalformedResponseError("the change feed gives the same place twice", path="$.data.more")
        places.add(more)


async def _newest(
    client: SmartstoreClient, place: OrdersCursor, now: Callable[[], datetime], share: float
) -> AsyncGenerator[_Chunk, None]:
    """What the time since the end of the walk shows already; rows that come late are met by the next run's overlap."""
    ids: dict[str, None] = {}
    broken: list[bytes] = []
    until = now()
    window = Window(since=max(place.until, until - LONGEST_WINDOW), until=until)
    try:
        async for page in _pages_by_clock(client, window, None, skews=_NEWEST_SKEWS):
            ids.update(dict.fromkeys(page.ids))
            broken += page.broken
    except RejectedByMallError as error:
        if error.mall_code != _OUT_OF_RANGE:
            raise
    cursor = OrdersCursor(until=place.until, at=place.until)
    found = tuple(ids)
    for first in range(0, len(found), MOST_ROWS):
        yield _Chunk(ids=found[first : first + MOST_ROWS], cursor=cursor, progress=share)
    if broken:
        yield _Chunk(ids=(), cursor=cursor, progress=share, broken=tuple(broken))


async def _pages_by_clock(
    client: SmartstoreClient, window: Window, more: tuple[str, str] | None, *, skews: tuple[timedelta, ...]
) -> AsyncGenerator[FeedPage, None]:
    """Pages of ``window``, cut at its end by the first of ``skews`` with which the mall takes it.

    Raises: RejectedByMallError when the mall takes none.
    """
    refused: RejectedByMallError | None = None
    for skew in skews:
        until = window.until - skew
        if refused is not None and until <= window.since:
            break
        try:
            async for page in _window_pages(client, Window(since=window.since, until=until), more):
                yield page
        except RejectedByMallError as error:
            if error.mall_code != _OUT_OF_RANGE:
                raise
            log.info("smartstore.feed.refused_as_too_late", behind=skew.total_seconds(), request_id=error.request_id)
            refused = error
        else:
            return
    if refused is not None:
        raise refused


#: how far the mall's clock may be behind ours, tried one after the other: what is cut off of the newest minutes
#: comes with the next run, what is cut off of the walk (less than OVERLAP) too; a token asks for less than 5 minutes
_NO_SKEW = (timedelta(),)
_NEWEST_SKEWS = (timedelta(), timedelta(minutes=1))
_BEHIND_SKEWS = (timedelta(), timedelta(minutes=3))
#: also the answer to a window that ends in the future, as seen by the mall's clock (likely)
_OUT_OF_RANGE = "104139"


async def _reread(left: list[str], *, until: datetime, share: float) -> AsyncGenerator[_Chunk, None]:
    """Chunks of known lines; at least one, possibly empty, chunk says that the run is at its end."""
    for first in range(0, max(1, len(left)), MOST_ROWS):
        ids = tuple(left[first : first + MOST_ROWS])
        cursor = OrdersCursor(until=until, at=until, reread_after=ids[-1] if ids else "")
        done = 1.0 if first + MOST_ROWS >= len(left) else share + (1 - share) * (first + MOST_ROWS) / len(left)
        yield _Chunk(ids=ids, cursor=cursor, progress=done)
