"""Written inquiries and calls in one list: what stands behind a figure of all channels together."""

from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import Struct

from hub.stats.calls import PAGE, CallFilter, CallRow, all_calls, read_calls
from hub.stats.inquiries import Channel, InquiryFilter, InquiryRow, all_inquiries, read_inquiries
from hub.stats.span import Span
from hub.store.database import Database, to_ms


class ArrivalFilter(Struct, frozen=True, kw_only=True):
    """``None`` means all. ``clock_hour``: 0 to 23, ``weekday``: 0 (Monday) to 6, of the span's zone."""

    mall: str | None = None
    clock_hour: int | None = None
    weekday: int | None = None

    @property
    def inquiries(self) -> InquiryFilter:
        return InquiryFilter(mall=self.mall, clock_hour=self.clock_hour, weekday=self.weekday)

    @property
    def calls(self) -> CallFilter:
        return CallFilter(mall=self.mall, clock_hour=self.clock_hour, weekday=self.weekday)


class Arrival(Struct, frozen=True, kw_only=True):
    """One inquiry or call. ``result``: state of an inquiry, end of a call; ``case_id`` is absent for calls."""

    at: datetime
    channel: str
    mall: str | None
    shop: str | None
    reference: str
    result: str
    order_no: str | None
    topic: str | None
    case_id: int | None


class ArrivalPage(Struct, frozen=True, kw_only=True):
    """``total`` counts all rows of the filter: it is the figure that was opened."""

    rows: tuple[Arrival, ...]
    total: int
    next_cursor: str | None


async def read_arrivals(
    database: Database, *, span: Span, where: ArrivalFilter, cursor: str | None = None, limit: int = PAGE
) -> ArrivalPage:
    """Oldest first; of one moment, inquiries before calls. Raises: ValueError for a cursor that was not made here."""
    of_inquiries, _, of_calls = (cursor or "~").partition("~")
    written = await read_inquiries(database, span=span, where=where.inquiries, cursor=of_inquiries or None, limit=limit)
    phoned = await read_calls(database, span=span, where=where.calls, cursor=of_calls or None, limit=limit)
    both: list[InquiryRow | CallRow] = [*written.rows, *phoned.rows]
    found = sorted(both, key=_time)
    shown = found[:limit]
    for row in shown:
        if isinstance(row, InquiryRow):
            of_inquiries = f"{to_ms(row.asked_at)}.{row.inquiry_id}"
        else:
            of_calls = f"{to_ms(row.entered_at)}.{row.call_id}"
    is_more = len(found) > limit or written.next_cursor is not None or phoned.next_cursor is not None
    return ArrivalPage(
        rows=tuple(_arrival(row) for row in shown),
        total=written.total + phoned.total,
        next_cursor=f"{of_inquiries}~{of_calls}" if is_more else None,
    )


async def all_arrivals(database: Database, *, span: Span, where: ArrivalFilter) -> AsyncIterator[Arrival]:
    """Every one of them, in chunks, for files."""
    written = all_inquiries(database, span=span, where=where.inquiries)
    phoned = all_calls(database, span=span, where=where.calls)
    inquiry, call = await anext(written, None), await anext(phoned, None)
    while inquiry is not None or call is not None:
        if inquiry is not None and (call is None or inquiry.asked_at <= call.entered_at):
            yield _arrival(inquiry)
            inquiry = await anext(written, None)
        elif call is not None:
            yield _arrival(call)
            call = await anext(phoned, None)


def _time(row: InquiryRow | CallRow) -> datetime:
    return row.asked_at if isinstance(row, InquiryRow) else row.entered_at


def _arrival(row: InquiryRow | CallRow) -> Arrival:
    if isinstance(row, InquiryRow):
        return Arrival(
            at=row.asked_at,
            channel=row.channel,
            mall=row.mall,
            shop=row.shop,
            reference=row.inquiry_no,
            result=row.state,
            order_no=row.order_no,
            topic=None,
            case_id=row.case_id,
        )
    return Arrival(
        at=row.entered_at,
        channel=Channel.of_line(row.line).value,
        mall=row.mall,
        shop=None,
        reference=row.call_id,
        result=row.result,
        order_no=None,
        topic=row.topic,
        case_id=None,
    )
