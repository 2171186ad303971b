"""The worklist's part of a page: its filters, as they stand in the address, and its values."""

from typing import Any, Final

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException
from msgspec.structs import asdict

from hub.desk.access import Actor
from hub.desk.freshness import read_freshness, read_shops
from hub.desk.services import Services
from hub.desk.users import list_users
from hub.desk.worklist import Filters, KindGroup, View, count_cases, read_worklist

_STATES: Final = (
    "requested",
    "hold",
    "collecting",
    "collected",
    "unanswered",
    "in_progress",
    "unknown",
)
PageRequest = Request[Actor, str, State]


def filters_of(values: dict[str, str]) -> Filters:
    """The filters of an address; what is not understood is no filter."""
    view, kind, assignee = values.get("view"), values.get("kind"), values.get("assignee", "")
    return Filters(
        view=View(view) if view in set(View) else View.OPEN,
        mall=values.get("mall") or None,
        shop=values.get("shop") or None,
        kind=KindGroup(kind) if kind in set(KindGroup) else None,
        state=values.get("state") or None,
        assignee=int(assignee) if assignee.isascii() and assignee.isdigit() and len(assignee) < 19 else None,
    )


def filter_values(filters: Filters) -> dict[str, object]:
    """The filters as address parameters; the default view is left out."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    if filters.view is View.OPEN:
        values.pop("view")
    return {name: str(value) for name, value in values.items()}


def filters_in(request: PageRequest) -> Filters:
    return filters_of({name: str(value) for name, value in request.query_params.items()})


async def page_of(services: Services, request: PageRequest, filters: Filters, after: str | None) -> Any:
    try:
        return await read_worklist(services, actor=request.user, filters=filters, cursor=after)
    except ValueError as error:
        raise ClientException(detail="not a page of this list", status_code=400) from error


async def list_values(services: Services, request: PageRequest, *, after: str | None) -> dict[str, Any]:
    filters = filters_in(request)
    return {
        "worklist": await page_of(services, request, filters, after),
        "counts": await count_cases(services, actor=request.user),
        "filters": filters,
        "address": filter_values(filters),
        "shops": await read_shops(services, actor=request.user),
        "freshness": await read_freshness(services, actor=request.user),
        "people": [user for user in await list_users(services.database) if user.is_active],
        "views": tuple(View),
        "kinds": tuple(KindGroup),
        "states": _STATES,
        "is_first": after is None,
    }
