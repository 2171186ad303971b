"""The supervisor's figures, the rows behind them, and exports."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from hub.api.desk import ApiRequest, Given, answer, answers
from hub.api.errors import BadQueryError
from hub.api.shapes import to_json
from hub.bootstrap import Hub
from hub.desk.access import AccessAction, Permission, record_access, require
from hub.desk.export import ExportKind, ExportRequest, export_rows
from hub.stats.call_figures import Figure
from hub.stats.calls import CallFilter, CallPage, read_calls
from hub.stats.inquiries import InquiryFilter, InquiryPage, read_inquiries
from hub.stats.report import Report, read_report
from hub.stats.span import Span, SpanError, make_span, read_moment

Since = Annotated[str | None, QueryParameter(name="from", description="ISO 8601; a bare day is its start")]
Until = Annotated[str | None, QueryParameter(name="to", description="not included; ISO 8601")]
RowsSince = Annotated[str, QueryParameter(name="from", description="ISO 8601; a bare day is its start")]
RowsUntil = Annotated[str, QueryParameter(name="to", description="not included; ISO 8601")]
_NDJSON: Final = "application/x-ndjson"


@get("/stats/inquiries", responses=answers(Report, "The figures, and what they mean."), tags=["stats"])
async def inquiry_figures(
    request: ApiRequest, services: Given, since: Since = None, until: Until = None, by: FromQuery[str | None] = None
) -> Response[bytes]:
    """Inquiries per day, mall, shop and channel, or per the dimensions of ``by``."""
    return await _report(request, services, "inquiries", since, until, by)


@get("/stats/calls", responses=answers(Report, "The figures, and what they mean."), tags=["stats"])
async def call_figures(
    request: ApiRequest, services: Given, since: Since = None, until: Until = None, by: FromQuery[str | None] = None
) -> Response[bytes]:
    """Calls per mall, line and hour, or per the dimensions of ``by``; each result is a column."""
    return await _report(request, services, "calls", since, until, by)


@get("/stats/inquiries/rows", responses=answers(InquiryPage, "The inquiries behind one figure."), tags=["stats"])
async def inquiry_rows(
    request: ApiRequest,
    services: Given,
    since: RowsSince,
    until: RowsUntil,
    mall: FromQuery[str | None] = None,
    shop: FromQuery[str | None] = None,
    channel: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[bytes]:
    """The written inquiries behind one figure; ``total`` is that figure."""
    require(request.user, Permission.SEE_STATISTICS)
    where = InquiryFilter(mall=mall or None, shop=shop or None, channel=channel or None)
    try:
        page = await read_inquiries(services.database, span=_span(services, since, until), where=where, cursor=cursor)
    except ValueError as error:
        raise BadQueryError(str(error)) from error
    return answer(page)


@get("/stats/calls/rows", responses=answers(CallPage, "The calls behind one figure."), tags=["stats"])
async def call_rows(
    request: ApiRequest,
    services: Given,
    since: RowsSince,
    until: RowsUntil,
    figure: FromQuery[Figure] = Figure.OFFERED,
    mall: FromQuery[str | None] = None,
    line: FromQuery[str | None] = None,
    handling_line: FromQuery[str | None] = None,
    topic: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[bytes]:
    """The calls behind one figure, callers masked; ``total`` is that figure. "-" means: without such a value."""
    require(request.user, Permission.SEE_STATISTICS)
    where = CallFilter(
        figure=figure,
        mall=mall or None,
        line=line or None,
        handling_line=handling_line or None,
        topic=topic or None,
    )
    try:
        page = await read_calls(services.database, span=_span(services, since, until), where=where, cursor=cursor)
    except ValueError as error:
        raise BadQueryError(str(error)) from error
    return answer(page)


@get(
    "/export/{kind:str}",
    media_type=_NDJSON,
    responses={
        200: ResponseSpec(
            data_container=str, media_type=_NDJSON, description="One JSON object a line.", generate_examples=False
        )
    },
    tags=["export"],
)
async def export(
    request: ApiRequest,
    services: Given,
    kind: FromPath[ExportKind],
    shop: FromQuery[str | None] = None,
    since: Since = None,
    until: Until = None,
) -> Stream:
    """Rows as files have them, personal data masked; it stands in the access log."""
    require(request.user, Permission.EXPORT)
    start, end = _moments(services, since, until)
    if shop is not None:
        await services.shop_store.named(shop)
    async with services.database.writing() as connection:
        await record_access(
            connection,
            at=services.now(),
            actor=request.user,
            action=AccessAction.EXPORT,
            subject=f"export {kind.value}",
        )
    wanted = ExportRequest(kind=kind, shop=shop, since=start, until=end)
    rows = export_rows(services.database, wanted, mode_of=await services.mode_of(), zone=services.settings.zone)
    return Stream(_lines(rows), media_type=_NDJSON)


async def _lines(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for row in rows:
        yield to_json(row) + b"\n"


async def _report(
    request: ApiRequest, services: Given, name: str, since: str | None, until: str | None, by: str | None
) -> Response[bytes]:
    require(request.user, Permission.SEE_STATISTICS)
    start, end = _moments(services, since, until)
    try:
        found = await read_report(
            services.database, name=name, since=start, until=end, zone=services.settings.zone, by=by
        )
    except ValueError as error:
        message = f"by: {error}"
        raise BadQueryError(message) from error
    return answer(found)


def _moments(services: Hub, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    zone = services.settings.zone
    try:
        start, end = read_moment(since, zone=zone), read_moment(until, zone=zone)
        if start is not None and end is not None:
            make_span(since=start, until=end, zone=zone)
    except SpanError as error:
        message = f"from, to: {error}"
        raise BadQueryError(message) from error
    return start, end


def _span(services: Hub, since: str, until: str) -> Span:
    start, end = _moments(services, since, until)
    if start is None or end is None:
        message = "from and to are needed"
        raise BadQueryError(message)
    return make_span(since=start, until=end, zone=services.settings.zone)


HANDLERS: Final = [inquiry_figures, call_figures, inquiry_rows, call_rows, export]
