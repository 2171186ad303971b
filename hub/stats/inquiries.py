"""Inquiries per mall, shop, channel and day, and the rows behind each figure.

A channel is a kind of written inquiry or one of the telephone lines. Written inquiries count on the day
they were asked, calls on the day they entered, under the line that was dialled (see :mod:`hub.stats.calls`).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_

from hub.stats.call_figures import Figure
from hub.stats.calls import CallCount, in_order
from hub.stats.dimension import INQUIRY_TIMES, Dimension
from hub.stats.kept import Written, count_calls, count_written, hour_of
from hub.stats.span import Span, at_clock, day_buckets, hour_buckets, start_of_day
from hub.store.database import Database, from_ms, time_of, to_ms
from hub.store.tables import cases, feed_states, inquiries, shops
from hub.store.vanished import shown_state

PAGE: Final = 100
_CHUNK: Final = 2_000
_INT64: Final = 2**63


_READ_UP_TO: Final = (
    select(feed_states.c.data_as_of)
    .select_from(
        shops.outerjoin(feed_states, (feed_states.c.shop_id == shops.c.id) & (feed_states.c.feed == "inquiries"))
    )
    .where(shops.c.is_active)
)


class Channel(StrEnum):
    """How a customer reached us. ``CALL_OTHER``: calls to a number that belongs to neither line."""

    ORDER_INQUIRY = "order_inquiry"
    PRODUCT_INQUIRY = "product_inquiry"
    CHAT = "chat"
    CALL_ORDER = "call_order"
    CALL_INQUIRY = "call_inquiry"
    CALL_OTHER = "call_other"

    @property
    def is_call(self) -> bool:
        return self in _CALLS

    @classmethod
    def of_line(cls, line: str | None) -> "Channel":
        return _CHANNEL_OF_LINE.get(line or "", cls.CALL_OTHER)


_CALLS: Final = frozenset({Channel.CALL_ORDER, Channel.CALL_INQUIRY, Channel.CALL_OTHER})
_CHANNEL_OF_LINE: Final = {"order": Channel.CALL_ORDER, "inquiry": Channel.CALL_INQUIRY}


class InquiryCount(Struct, frozen=True, kw_only=True, gc=False):
    """One cell; the dimensions that were not asked for are ``None``, as is the shop of a call."""

    month: str | None = None
    week: date | None = None
    day: date | None = None
    hour: datetime | None = None
    mall: str | None = None
    shop: str | None = None
    channel: str | None = None
    count: int


class InquiryFilter(Struct, frozen=True, kw_only=True):
    """Which written inquiries stand behind a figure; ``None`` means all.

    ``clock_hour``: 0 to 23, ``weekday``: 0 (Monday) to 6, of the span's zone.
    """

    mall: str | None = None
    shop: str | None = None
    channel: str | None = None
    clock_hour: int | None = None
    weekday: int | None = None


class InquiryRow(Struct, frozen=True, kw_only=True):
    """One written inquiry, without its text: the case shows that. ``case_id`` is ``None`` where no case stands."""

    inquiry_id: int
    case_id: int | None
    asked_at: datetime
    mall: str
    shop: str
    channel: str
    inquiry_no: str
    thread_no: str
    state: str
    order_no: str | None
    product_code: str | None
    product_name: str | None
    answered_at: datetime | None


class InquiryPage(Struct, frozen=True, kw_only=True):
    """``total`` counts all rows of the filter: it is the figure that was opened."""

    rows: tuple[InquiryRow, ...]
    total: int
    next_cursor: str | None


async def inquiries_per_channel(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    by: Sequence[Dimension],
    zone: ZoneInfo,
    mall: str | None = None,
    shop: str | None = None,
) -> list[InquiryCount]:
    """How many inquiries came in per cell of ``by``, sorted by it; cells without any have no row.

    ``mall`` and ``shop``: of these alone; a call belongs to a mall, but to no shop.
    """
    bounds: dict[str, Any] = {"since": since, "until": until, "zone": zone}
    cells = await count_channels(database, **bounds, by=by, mall=mall, shop=shop)
    fields = [dimension.value for dimension in by]
    return [InquiryCount(**dict(zip(fields, key, strict=True)), count=cells[key]) for key in in_order(cells)]


async def count_channels(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    by: Sequence[Dimension],
    zone: ZoneInfo,
    mall: str | None = None,
    shop: str | None = None,
) -> dict[tuple[Any, ...], int]:
    """As :func:`inquiries_per_channel`, by the values of ``by`` and in no order: for whoever adds them up."""
    bounds: dict[str, Any] = {"since": since, "until": until, "zone": zone}
    is_hourly = Dimension.HOUR in by
    written = await count_written(database, **bounds, is_hourly=is_hourly, mall=mall, shop=shop)
    if written is None:
        written = await _count_written(database, **bounds, is_hourly=is_hourly, mall=mall, shop=shop)
    when = tuple(dimension for dimension in by if dimension in INQUIRY_TIMES)
    pick = _picker(by, when)
    # Hundreds of cells share a day, and finding its name costs more than counting them.
    times = _Times(when, zone)
    cells: dict[tuple[Any, ...], int] = {}
    for start, of_mall, of_shop, kind, number in written:
        key = pick((of_mall, of_shop, kind, *times[start]))
        cells[key] = cells.get(key, 0) + number
    if shop is None:
        unit = (Dimension.HOUR,) if is_hourly else (Dimension.DAY,) if when else ()
        found = await count_calls(
            database, **bounds, by=(*unit, Dimension.MALL, Dimension.LINE), figures=(Figure.OFFERED,)
        )
        starts: dict[date | datetime | None, int] = {}
        for count in found:
            if mall in (None, count.mall):
                at = count.hour or count.day
                if at not in starts:
                    starts[at] = _start(count, zone)
                channel = Channel.of_line(count.line).value
                key = pick((count.mall, None, channel, *(times[starts[at]] if when else ())))
                cells[key] = cells.get(key, 0) + count.figures[Figure.OFFERED]
    return cells


def _picker(by: Sequence[Dimension], when: Sequence[Dimension]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """The values of ``by``, in its order, out of mall, shop, channel and the times of ``when``."""
    places = [(Dimension.MALL, Dimension.SHOP, Dimension.CHANNEL, *when).index(dimension) for dimension in by]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])


class _Times(dict[int, tuple[Any, ...]]):
    """The times that are asked for, by the start of an hour or day in milliseconds."""

    def __init__(self, when: Sequence[Dimension], zone: ZoneInfo) -> None:
        super().__init__()
        self._when = when
        self._zone = zone

    def __missing__(self, start: int) -> tuple[Any, ...]:
        at = datetime.fromtimestamp(start / 1000, UTC)
        found = self[start] = tuple([_time(dimension, at, self._zone) for dimension in self._when])
        return found


def _start(count: CallCount, zone: ZoneInfo) -> int:
    at = count.hour or (start_of_day(count.day, zone) if count.day else None)
    return to_ms(at) or 0


def _time(dimension: Dimension, at: datetime, zone: ZoneInfo) -> date | datetime | str:
    day = at.astimezone(zone).date()
    match dimension:
        case Dimension.HOUR:
            return hour_of(at, zone)
        case Dimension.WEEK:
            return day - timedelta(days=day.weekday())
        case Dimension.MONTH:
            return f"{day:%Y-%m}"
        case _:
            return day


async def read_inquiries(
    database: Database, *, span: Span, where: InquiryFilter, cursor: str | None = None, limit: int = PAGE
) -> InquiryPage:
    """The written inquiries behind one figure, oldest first.

    Raises: ValueError for a cursor that was not made here.
    """
    query = _rows(span, where, after=None if cursor is None else _parse_cursor(cursor))
    matching = select(func.count()).select_from(_joined()).where(*_matching(span, where))
    async with database.reading() as connection:
        found = (await connection.execute(query.limit(limit + 1))).all()
        total = await connection.scalar(matching)
    shown = found[:limit]
    return InquiryPage(
        rows=tuple(_row(row) for row in shown),
        total=total or 0,
        next_cursor=f"{shown[-1].asked_at}.{shown[-1].id}" if len(found) > limit else None,
    )


async def all_inquiries(database: Database, *, span: Span, where: InquiryFilter) -> AsyncIterator[InquiryRow]:
    """Every written inquiry behind one figure, in chunks, for files."""
    after: tuple[int, int] | None = None
    while True:
        async with database.reading() as connection:
            rows = (await connection.execute(_rows(span, where, after=after).limit(_CHUNK))).all()
        for row in rows:
            yield _row(row)
        if len(rows) < _CHUNK:
            return
        after = rows[-1].asked_at, rows[-1].id


async def inquiries_as_of(database: Database) -> datetime | None:
    """Up to when the inquiries of every active shop are known; ``None`` when one was never read."""
    async with database.reading() as connection:
        times = [at for (at,) in await database.fetch(connection, _READ_UP_TO, {})]
    return None if not times or None in times else from_ms(min(times))


async def _count_written(
    database: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    is_hourly: bool,
    mall: str | None,
    shop: str | None,
) -> Sequence[Written]:
    """The long way, from the inquiries themselves."""
    span = await _known_span(database, since, until, zone)
    if span is None:
        return []
    buckets = hour_buckets(span) if is_hourly else day_buckets(span)
    groups = (buckets.of(inquiries.c.asked_at).label("bucket"), shops.c.mall, shops.c.name, inquiries.c.kind)
    query = (
        select(*groups, func.count().label("number"))
        .select_from(_joined())
        .where(*_matching(span, InquiryFilter(mall=mall, shop=shop)))
        .group_by(*groups)
    )
    async with database.reading() as connection:
        found = (await connection.execute(query)).all()
    start = buckets.hour if is_hourly else buckets.start
    return [(to_ms(start(row.bucket)) or 0, row.mall, row.name, row.kind, row.number) for row in found]


async def _known_span(
    database: Database, since: datetime | None, until: datetime | None, zone: ZoneInfo
) -> Span | None:
    """An open end is that of the stored inquiries; ``None`` where nothing can lie in between."""
    if since is None or until is None:
        async with database.reading() as connection:
            edges = (
                await connection.execute(select(func.min(inquiries.c.asked_at), func.max(inquiries.c.asked_at)))
            ).one()
        if edges[0] is None:
            return None
        since = since or datetime.fromtimestamp(edges[0] / 1000, UTC)
        until = until or datetime.fromtimestamp(edges[1] / 1000, UTC) + timedelta(milliseconds=1)
    return Span(since=since, until=until, zone=zone) if since < until else None


def _joined() -> Any:
    return inquiries.join(shops, shops.c.id == inquiries.c.shop_id)


def _within(span: Span) -> tuple[ColumnElement[bool], ...]:
    since, until = span.bounds
    return inquiries.c.asked_at >= since, inquiries.c.asked_at < until


def _matching(span: Span, where: InquiryFilter) -> list[ColumnElement[bool]]:
    conditions = list(_within(span))
    for wanted, column in ((where.mall, shops.c.mall), (where.shop, shops.c.name), (where.channel, inquiries.c.kind)):
        if wanted is not None:
            conditions.append(column == wanted)
    if where.clock_hour is not None or where.weekday is not None:
        conditions.append(at_clock(inquiries.c.asked_at, span, clock_hour=where.clock_hour, weekday=where.weekday))
    return conditions


def _rows(span: Span, where: InquiryFilter, *, after: tuple[int, int] | None) -> Select[Any]:
    case_id = (
        select(func.min(cases.c.id))
        .where(cases.c.shop_id == inquiries.c.shop_id, cases.c.thread_no == inquiries.c.thread_no)
        .scalar_subquery()
    )
    # Before the begin of the span: SQLite takes the first bound, and would go through all from there on.
    rest = [] if after is None else [tuple_(inquiries.c.asked_at, inquiries.c.id) > tuple_(*after)]
    return (
        select(
            inquiries,
            shown_state().label("shown_state"),
            shops.c.mall,
            shops.c.name.label("shop"),
            case_id.label("case_id"),
        )
        .select_from(_joined())
        .where(*rest, *_matching(span, where))
        .order_by(inquiries.c.asked_at, inquiries.c.id)
    )


def _row(row: Row[Any]) -> InquiryRow:
    return InquiryRow(
        inquiry_id=row.id,
        case_id=row.case_id,
        asked_at=time_of(row.asked_at),
        mall=row.mall,
        shop=row.shop,
        channel=row.kind,
        inquiry_no=row.inquiry_no,
        thread_no=row.thread_no,
        state=row.shown_state,
        order_no=row.order_no,
        product_code=row.product_code,
        product_name=row.product_name,
        answered_at=from_ms(row.answered_at),
    )


def _parse_cursor(cursor: str) -> tuple[int, int]:
    at, _, row_id = cursor.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 20 and int(part) < _INT64 for part in (at, row_id)):
        message = "not a cursor of this list"
        raise ValueError(message)
    return int(at), int(row_id)
