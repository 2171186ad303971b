"""The sheet of a shop's mall: over a case by one key, and on a page of its own where supervisors write it."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Permission
from hub.desk.services import Services
from hub.desk.shops.cheat_sheets import (
    LOCALES,
    LONGEST_BODY,
    LONGEST_NOTE,
    Sheet,
    SheetError,
    read_sheet,
    read_sheet_history,
    shop_of_case,
    write_sheet,
)
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.work_list import PageRequest
from hub.web.markdown import render_markdown
from hub.web.render import Given, Pages, query_string
from hub.web.shops.sheet_text import default_text
from hub.web.words import Words

_NOTICES: Final = {"sheet_written": "done"}


class SheetForm(Struct, kw_only=True):
    """``change`` is write, preview or drop: drop takes the sheet back to what the hub knows."""

    body: str = ""
    note: str = ""
    based_on: str = ""
    change: str = ""


def _locale(request: PageRequest, asked: str) -> str:
    return asked if asked in LOCALES else request.user.locale


def _text(sheet: Sheet) -> str:
    return sheet.body if sheet.body is not None else default_text(sheet.facts, Words(sheet.locale))


@get("/cases/{case_id:int}/sheet")
async def case_sheet(
    request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int], lang: FromQuery[str] = ""
) -> Response[str]:
    """The part that stands beside the keys."""
    shop = await shop_of_case(services, actor=request.user, case_id=case_id)
    sheet = await read_sheet(services, actor=request.user, shop=shop, locale=_locale(request, lang))
    again = f"/cases/{case_id}/sheet"
    return pages.page(request, "partials/sheet.html", again=again, **_values(sheet))


@get("/shops/{name:str}/sheet")
async def sheet_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    name: FromPath[str],
    lang: FromQuery[str] = "",
    version: FromQuery[int | None] = None,
    notice: FromQuery[str] = "",
) -> Response[str]:
    locale = _locale(request, lang)
    sheet = await read_sheet(services, actor=request.user, shop=name, locale=locale, version=version)
    told = Notice(key=f"notice.{notice}", tone=_NOTICES[notice]) if notice in _NOTICES else None
    return await _page(request, services, pages, sheet, notice=told, is_old=version not in (None, sheet.newest))


@post("/shops/{name:str}/sheet")
async def sheet_form(
    request: PageRequest,
    services: Given,
    pages: Pages,
    name: FromPath[str],
    data: Annotated[SheetForm, Form],
    lang: FromQuery[str] = "",
) -> Response[Any]:
    locale = _locale(request, lang)
    if data.change != "preview":
        try:
            await write_sheet(
                services,
                actor=request.user,
                shop=name,
                locale=locale,
                body="" if data.change == "drop" else data.body,
                note=data.note,
                based_on=int(data.based_on) if data.based_on.isascii() and data.based_on.isdigit() else -1,
            )
        except SheetError as error:
            notice = Notice(key=error.key, tone="wrong")
        else:
            asked = query_string({"lang": locale}, notice="sheet_written")
            return Redirect(f"/shops/{quote(name, safe='')}/sheet{asked}", status_code=303)
    else:
        notice = Notice(key="notice.sheet_preview", tone="due")
    sheet = await read_sheet(services, actor=request.user, shop=name, locale=locale)
    status = 200 if data.change == "preview" else 422
    return await _page(request, services, pages, sheet, notice=notice, typed=data, status=status)


async def _page(
    request: PageRequest,
    services: Services,
    pages: Pages,
    sheet: Sheet,
    *,
    notice: Notice | None,
    typed: SheetForm | None = None,
    is_old: bool = False,
    status: int = 200,
) -> Response[str]:
    text = typed.body[:LONGEST_BODY] if typed is not None else _text(sheet)
    return pages.page(
        request,
        "pages/sheet.html",
        status=status,
        notice=notice,
        typed=typed,
        text=text,
        is_old=is_old,
        history=await read_sheet_history(services, actor=request.user, shop=sheet.shop, locale=sheet.locale),
        may_edit=request.user.may(Permission.EDIT_BOOKS),
        longest=LONGEST_BODY,
        longest_note=LONGEST_NOTE,
        **{**_values(sheet), "html": render_markdown(text)},
    )


def _values(sheet: Sheet) -> dict[str, Any]:
    return {"mall_sheet": sheet, "html": render_markdown(_text(sheet)), "sheet_locales": LOCALES}


SHEET_PAGES: Final[list[ControllerRouterHandler]] = [case_sheet, sheet_page, sheet_form]
