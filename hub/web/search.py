"""Find anything: the box on every page, what it shows while somebody types, and the page of all that was found."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.response import Redirect
from msgspec import Struct

from hub.desk.access import Actor
from hub.desk.search.box import QUICK, search
from hub.web.auth import Form
from hub.web.render import Given, Pages

PageRequest = Request[Actor, str, State]


class SearchForm(Struct, kw_only=True):
    q: str = ""


@get("/search")
async def search_page(request: PageRequest, pages: Pages) -> Response[str]:
    return pages.page(request, "pages/search.html", result=None)


@post("/search")
async def search_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[SearchForm, Form]
) -> Response[Any]:
    """A POST, because a phone number or a name must not stand in an address or a server's log."""
    result = await search(services, actor=request.user, text=data.q)
    if result.opens is not None:
        return Redirect(f"/orders/{result.opens}", status_code=303)
    return pages.page(request, "pages/search.html", result=result)


@post("/search/quick", status_code=200)
async def quick_search(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[SearchForm, Form]
) -> Response[str]:
    """The first of each kind, under the box."""
    result = await search(services, actor=request.user, text=data.q, extent=QUICK)
    return pages.page(request, "partials/search_quick.html", result=result)


SEARCH_PAGES: Final = [search_page, search_form, quick_search]
