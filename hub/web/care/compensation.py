"""Compensations: the form on a case, the ledger of a month, and its file for settlement."""

import asyncio
import csv
import io
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Stream
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.core.model import Money
from hub.desk.access import AccessAction, Permission, record_access, require
from hub.desk.books.sheets import safe_cell
from hub.desk.care.compensation import GiftError, GiftGiven, decide_gift, give, reverse, send_again
from hub.desk.care.compensation_list import NOBODY, LedgerRow, LedgerSpan, ledger_rows, month_span, read_ledger
from hub.desk.care.views import GiftReason, GiftState
from hub.desk.services import Services
from hub.policy.book_rows import Gift
from hub.stats.workbook import as_mappings, write_workbook
from hub.web.auth import Form
from hub.web.care.again import again_with_typed
from hub.web.cases.page import AT_CASE, Case
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages, query_string

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BLOCK: Final = 1 << 16
_LONGEST_NUMBER: Final = 12
_TOLD: Final = {
    GiftState.GIVEN: "gift_given",
    GiftState.ASKED: "gift_asked",
    GiftState.SENDING: "gift_sending",
    GiftState.NOT_GIVEN: "gift_not_given",
}


class GiftForm(Struct, kw_only=True):
    kind: str = ""
    amount: str = ""
    reason: str = ""
    line_no: str = ""
    note: str = ""
    at_mall: str = ""
    token: str = ""


class ReverseForm(Struct, kw_only=True):
    note: str = ""


class DecideForm(Struct, kw_only=True):
    approve: str = ""
    month: str = ""


def _given(form: GiftForm) -> GiftGiven:
    """Raises: GiftError."""
    amount = form.amount.strip().replace(",", "")
    if form.kind not in set(Gift) or form.reason not in set(GiftReason):
        raise GiftError("wrong")
    if not (amount.isascii() and amount.isdigit() and len(amount) <= _LONGEST_NUMBER):
        raise GiftError("amount")
    return GiftGiven(
        kind=Gift(form.kind),
        amount_minor=int(amount),
        reason=GiftReason(form.reason),
        token=form.token,
        line_no=form.line_no or None,
        note=form.note,
        is_at_mall=bool(form.at_mall),
    )


class CompensationController(Controller):
    path = "/cases/{case_id:int}/compensations"
    dependencies = AT_CASE

    @post("/")
    async def give(
        self,
        at: Case,
        data: Annotated[GiftForm, Form],
    ) -> Response[Any]:
        try:
            gift = await give(at.services, actor=at.actor, case_id=at.case_id, given=_given(data))
        except GiftError as error:
            return await again_with_typed(at, "compensation", "gift", data, error.key)
        return await at.changed(_TOLD[gift.state])

    @post("/{gift_id:int}/reverse")
    async def reverse(
        self,
        at: Case,
        gift_id: FromPath[int],
        data: Annotated[ReverseForm, Form],
    ) -> Response[Any]:
        try:
            await reverse(at.services, actor=at.actor, case_id=at.case_id, gift_id=gift_id, reason=data.note)
        except GiftError as error:
            return await again_with_typed(at, "compensation", "reverse", data, error.key)
        return await at.changed("gift_reversed")

    @post("/{gift_id:int}/send")
    async def send(self, at: Case, gift_id: FromPath[int]) -> Response[Any]:
        gift = await send_again(at.services, actor=at.actor, case_id=at.case_id, gift_id=gift_id)
        return await at.changed(_TOLD[gift.state])


def _span(services: Services, month: str, partner: str) -> tuple[str, LedgerSpan]:
    """The month in the address, or this one for what is none."""
    zone = services.settings.zone
    try:
        return month, month_span(month, zone=zone, partner=partner or None)
    except ValueError:
        today = services.now().astimezone(zone).strftime("%Y-%m")
        return today, month_span(today, zone=zone, partner=partner or None)


@get("/compensations")
async def ledger_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    month: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    after: FromQuery[int | None] = None,
) -> Response[str]:
    month, span = _span(services, month, partner)
    ledger = await read_ledger(services, actor=request.user, span=span, after=after)
    asked = {"month": month, "partner": partner}
    return pages.page(
        request,
        "pages/compensations.html",
        ledger=ledger,
        month=month,
        partner=partner,
        nobody=NOBODY,
        of=lambda minor, currency: Money(minor=minor, currency=currency),
        export=lambda form: f"/compensations/export{query_string(asked, form=form)}",
        next=f"/compensations{query_string(asked, after=ledger.next_after)}" if ledger.next_after else None,
    )


@post("/compensations/{gift_id:int}/decide")
async def decide_form(
    request: PageRequest, services: Given, gift_id: FromPath[int], data: Annotated[DecideForm, Form]
) -> Response[Any]:
    """A supervisor approves or declines what an agent asked for."""
    await decide_gift(services, actor=request.user, gift_id=gift_id, is_approved=bool(data.approve))
    return Redirect(f"/compensations{query_string({'month': data.month[:7]})}", status_code=303)


@get("/compensations/export")
async def ledger_export(
    request: PageRequest,
    services: Given,
    month: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    form: FromQuery[str] = "xlsx",
) -> Stream:
    """The rows of the page as a file; who took it stands in the access log before."""
    require(request.user, Permission.EXPORT)
    month, span = _span(services, month, partner)
    async with services.database.writing() as connection:
        await record_access(
            connection,
            at=services.now(),
            actor=request.user,
            action=AccessAction.EXPORT,
            subject=f"export compensations {month}",
        )
    name = f"compensations-{month}"
    if form == "csv":
        return Stream(_csv(services, span), media_type="text/csv; charset=utf-8", headers=_attached(f"{name}.csv"))
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="hub-"))
    try:
        rows = as_mappings(ledger_rows(services, span=span))
        columns = LedgerRow.__struct_fields__
        await write_workbook(folder / "rows.xlsx", title="compensations", columns=columns, rows=rows)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Stream(_sent(folder / "rows.xlsx"), media_type=_XLSX, headers=_attached(f"{name}.xlsx"))


def _attached(name: str) -> dict[str, Any]:
    return {"content-disposition": f'attachment; filename="{name}"'}


async def _csv(services: Services, span: LedgerSpan) -> AsyncIterator[str]:
    # The mark at the beginning tells Excel that it is UTF-8.
    yield "\ufeff" + _line(LedgerRow.__struct_fields__)
    async for row in ledger_rows(services, span=span):
        values = (getattr(row, name) for name in row.__struct_fields__)
        yield _line([safe_cell(value) if isinstance(value, str) else value for value in values])


def _line(values: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()


async def _sent(path: Path) -> AsyncIterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := await asyncio.to_thread(file.read, _BLOCK):
                yield block
    finally:
        await asyncio.to_thread(shutil.rmtree, path.parent, ignore_errors=True)


COMPENSATION_PAGES: Final[list[ControllerRouterHandler]] = [
    CompensationController,
    ledger_page,
    decide_form,
    ledger_export,
]
