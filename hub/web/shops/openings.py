"""The checklist of a new shop: what the hub has found, ticks and waivers of supervisors."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Permission
from hub.desk.services import Services
from hub.desk.shops.opening_facts import Item
from hub.desk.shops.openings import LONGEST_REASON, Answer, OpeningError, read_opening, reopen, settle
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages

_REOPEN: Final = "reopen"


class OpeningForm(Struct, kw_only=True):
    """``change`` is ticked, waived or reopen."""

    item: str = ""
    change: str = ""
    reason: str = ""


async def _page(
    request: PageRequest, services: Services, pages: Pages, name: str, *, notice: Notice | None, status: int = 200
) -> Response[str]:
    return pages.page(
        request,
        "pages/opening.html",
        status=status,
        opening=await read_opening(services, actor=request.user, shop=name),
        notice=notice,
        may_settle=request.user.may(Permission.EDIT_BOOKS),
        longest=LONGEST_REASON,
    )


@get("/shops/{name:str}/opening")
async def opening_page(
    request: PageRequest, services: Given, pages: Pages, name: FromPath[str], notice: FromQuery[str] = ""
) -> Response[str]:
    told = Notice(key="notice.opening_kept", tone="done") if notice == "opening_kept" else None
    return await _page(request, services, pages, name, notice=told)


@post("/shops/{name:str}/opening")
async def opening_form(
    request: PageRequest, services: Given, pages: Pages, name: FromPath[str], data: Annotated[OpeningForm, Form]
) -> Response[Any]:
    try:
        await _change(services, request, name, data)
    except OpeningError as error:
        notice = Notice(key=error.key, tone="wrong")
        return await _page(request, services, pages, name, notice=notice, status=422)
    return Redirect(f"/shops/{quote(name, safe='')}/opening?notice=opening_kept", status_code=303)


async def _change(services: Services, request: PageRequest, name: str, data: OpeningForm) -> None:
    if data.item not in set(Item) or data.change not in {_REOPEN, *Answer}:
        raise OpeningError("wrong")
    item = Item(data.item)
    if data.change == _REOPEN:
        await reopen(services, actor=request.user, shop=name, item=item)
        return
    await settle(
        services, actor=request.user, shop=name, item=item, answer=Answer(data.change), reason=data.reason[:1_000]
    )


OPENING_PAGES: Final[list[ControllerRouterHandler]] = [opening_page, opening_form]
