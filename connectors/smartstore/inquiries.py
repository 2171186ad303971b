"""Reading inquiries: two lists without any filter by change, walked in stretches of Korean days.

An answer given in the seller centre shows only when the day of the question is read again. So every
run reads at least the last 30 days, and goes further back only for questions that the hub still
holds open and has not met.
"""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import structlog
from msgspec import Struct

from connectors.smartstore.client import RecordPage, SmartstoreClient
from connectors.smartstore.leaves import KST, Unknowns
from connectors.smartstore.mapping import INQUIRY_PREFIX, QNA_PREFIX, read_inquiry, read_qna
from hub.core.contract import OpenKeys, Page, Reading, Span
from hub.core.errors import MalformedResponseError, RejectedByMallError
from hub.core.paging import decode_cursor, encode_cursor

log = structlog.get_logger(__name__)

#: an answer that is given later than this to a question the hub does not hold open would be missed
TRAILING = timedelta(days=30)
#: days of one stretch: the customer list allows 365, the longest span of the other is not documented
_STRETCH = timedelta(days=30)
#: how far back open questions are looked for
_FURTHEST = timedelta(days=365)
#: rows may move between pages: a list that came out short is read again, this often at most
_PASSES = 4


class Source(StrEnum):
    """The two lists, in the order in which they are read."""

    INQUIRY = "inquiry"
    QNA = "qna"

    @property
    def prefix(self) -> str:
        return INQUIRY_PREFIX if self is Source.INQUIRY else QNA_PREFIX


class InquiriesCursor(Struct, frozen=True, kw_only=True):
    """The next page to read. ``first``..``last`` are the Korean days of the run, fixed at its start."""

    source: Source
    first: date
    last: date
    stretch: int
    page: int


class _Stretch(Struct, frozen=True):
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


async def read_inquiry_pages(
    client: SmartstoreClient, span: Span, *, open_keys: OpenKeys, cursor: str | None, now: datetime, unknown: Unknowns
) -> AsyncGenerator[Page, None]:
    """One Page per page of the mall. A run that is not full reads the last 30 days at least."""
    since = span.since if span.is_full else min(span.since, now - TRAILING)
    last = min(span.until, now).astimezone(KST).date()
    begin = InquiriesCursor(
        source=Source.INQUIRY, first=min(last, since.astimezone(KST).date()), last=last, stretch=0, page=1
    )
    place = decode_cursor(cursor, InquiriesCursor) or begin
    for source in Source:
        if source is Source.INQUIRY and place.source is Source.QNA:
            continue
        if source is not place.source:
            place = InquiriesCursor(source=source, first=place.first, last=place.last, stretch=0, page=1)
        wanted = {key for key in open_keys.inquiries if key.startswith(source.prefix)}
        async for page in _walk(client, place, wanted=wanted, now=now, unknown=unknown):
            yield page


async def find_inquiry(
    client: SmartstoreClient, key: str, *, asked_at: datetime, now: datetime, unknown: Unknowns
) -> Reading | None:
    """One inquiry by number: no address reads one, so the day on which it was asked is listed.

    ``None`` when the whole list of that day, as long as its own total, does not hold it: it is gone (likely; what
    the mall does with what a customer deletes is documented nowhere, but its answers know "no such or deleted").
    Raises: MalformedResponseError when it may be among rows that cannot be read.
    """
    source = Source.QNA if key.startswith(QNA_PREFIX) else Source.INQUIRY
    day = asked_at.astimezone(KST).date()
    is_unreadable = False
    async for readings, _ in _read_stretch(client, source, _Stretch(day, day), 1, now, unknown):
        for reading in readings:
            if reading.key == key:
                return reading
            is_unreadable |= reading.record is None
    if is_unreadable:
        raise MalformedResponseError("a row beside this inquiry cannot be read", path="$")
    return None


async def _walk(
    client: SmartstoreClient, place: InquiriesCursor, *, wanted: set[str], now: datetime, unknown: Unknowns
) -> AsyncGenerator[Page, None]:
    """The stretches of one list: those of the run, then further back while open questions are missing."""
    stretches = _stretches(place.first, place.last)
    further = _stretches_before(place.first, place.last)
    base = 0.0 if place.source is Source.INQUIRY else 0.5
    for index, stretch in enumerate(stretches + further):
        if index >= len(stretches) and not wanted:
            break
        if index < place.stretch:
            continue
        first_page = place.page if index == place.stretch else 1
        async for readings, next_page in _read_parts(client, place.source, stretch, first_page, now, unknown):
            wanted -= {reading.key for reading in readings}
            done = index + (next_page is None)
            cursor = InquiriesCursor(
                source=place.source,
                first=place.first,
                last=place.last,
                stretch=index if next_page else index + 1,
                page=next_page or 1,
            )
            progress = base + 0.5 * min(1.0, done / len(stretches))
            yield Page(readings=readings, cursor=encode_cursor(cursor), progress=progress)


async def _read_parts(
    client: SmartstoreClient, source: Source, stretch: _Stretch, first_page: int, now: datetime, unknown: Unknowns
) -> AsyncGenerator[tuple[tuple[Reading, ...], int | None], None]:
    """As :func:`_read_stretch`; product questions of a stretch that the mall refuses are asked for by halves of it.

    The longest span of that search is documented nowhere. Between the halves the next page is the first.
    Raises: RejectedByMallError when a single day is refused.
    """
    try:
        async for page in _read_stretch(client, source, stretch, first_page, now, unknown):
            yield page
    except RejectedByMallError as error:
        if source is not Source.QNA or stretch.first == stretch.last:
            raise
        log.info("smartstore.questions.span_refused", days=stretch.days, request_id=error.request_id)
    else:
        return
    middle = stretch.first + timedelta(days=stretch.days // 2)
    earlier, later = _Stretch(stretch.first, middle - timedelta(days=1)), _Stretch(middle, stretch.last)
    async for readings, next_page in _read_parts(client, source, earlier, 1, now, unknown):
        yield readings, next_page or 1
    async for page in _read_parts(client, source, later, 1, now, unknown):
        yield page


async def _read_stretch(
    client: SmartstoreClient, source: Source, stretch: _Stretch, first_page: int, now: datetime, unknown: Unknowns
) -> AsyncGenerator[tuple[tuple[Reading, ...], int | None], None]:
    """Readings and the next page (``None`` after the last).

    A row that is deleted or answered while the list is paged pulls others to a page already read. The
    list's own greatest total tells: when fewer came, it is read again until nothing new comes.
    """
    met: set[str] = set()
    most = 0
    number = first_page
    for attempt in range(_PASSES):
        known_before = len(met)
        while True:
            page = await _list(client, source, stretch, number, now)
            readings = _readings(source, page, unknown)
            keys = {reading.key for reading in readings}
            is_new_here = not keys <= met
            met |= keys
            most = max(most, page.total or 0)
            if page.is_last:
                break
            if not is_new_here and attempt == 0:
                raise MalformedResponseError("a list of inquiries repeats a page", path="$.last")
            number += 1
            _require_end(number, page)
            yield readings, number
        is_complete = len(met) >= most or len(met) == known_before
        yield readings, None if is_complete else 1
        if is_complete:
            return
        number = 1
    raise MalformedResponseError("a list of inquiries never comes to its own total", path="$.totalElements")


async def _list(client: SmartstoreClient, source: Source, stretch: _Stretch, number: int, now: datetime) -> RecordPage:
    if source is Source.INQUIRY:
        return await client.inquiries(first=stretch.first, last=stretch.last, page=number)
    since = datetime.combine(stretch.first, time.min, KST)
    until = datetime.combine(stretch.last + timedelta(days=1), time.min, KST)
    return await client.qnas(since=since, until=min(until, now.astimezone(UTC)), page=number)


def _readings(source: Source, page: RecordPage, unknown: Unknowns) -> tuple[Reading, ...]:
    read = read_inquiry if source is Source.INQUIRY else read_qna
    return tuple({(reading := read(record, unknown)).key: reading for record in page.records}.values())


def _stretches(first: date, last: date) -> tuple[_Stretch, ...]:
    """Joining stretches of days over ``first``..``last``, oldest first."""
    made = []
    start = first
    while start <= last:
        end = min(start + _STRETCH - timedelta(days=1), last)
        made.append(_Stretch(start, end))
        start = end + timedelta(days=1)
    return tuple(made)


def _stretches_before(first: date, last: date) -> tuple[_Stretch, ...]:
    """Stretches before ``first``, newest first, to a year before ``last``."""
    made = []
    end = first - timedelta(days=1)
    while end > last - _FURTHEST:
        start = max(end - _STRETCH + timedelta(days=1), last - _FURTHEST)
        made.append(_Stretch(start, end))
        end = start - timedelta(days=1)
    return tuple(made)


def _require_end(number: int, page: RecordPage) -> None:
    """Raises MalformedResponseError when a list goes on far past its own total."""
    if page.total is not None and number > page.total + 2:
        raise MalformedResponseError("a list of inquiries has no end", path="$.last")
    if number > _LAST_PAGE:
        raise MalformedResponseError("a list of inquiries has no end", path="$.last")


#: the mall's own limit
_LAST_PAGE = 1_000_000
