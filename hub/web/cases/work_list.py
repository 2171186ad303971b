"""The worklist's part of a page: its filters, as they stand in the address, and its values."""

from typing import Any, Final

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException

from hub.desk.access import Actor
from hub.desk.services import Services
from hub.desk.worklist.filters import Filters, filter_values, filters_of
from hub.desk.worklist.rows import read_worklist
from hub.web.cases.work_values import read_told, view_values

__all__ = ["PageRequest", "filter_values", "filters_in", "list_values", "page_of"]

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


def filters_in(request: PageRequest) -> Filters:
    return filters_of({name: str(value) for name, value in request.query_params.items()})


async def page_of(services: Services, request: PageRequest, filters: Filters, after: str | None) -> Any:
    try:
        return await read_worklist(services, actor=request.user, filters=filters, cursor=after)
    except ValueError as error:
        raise ClientException(detail="not a page of this list", status_code=400) from error


async def list_values(services: Services, request: PageRequest, *, after: str | None) -> dict[str, Any]:
    filters = filters_in(request)
    async with services.database.one_look():
        return {
            "worklist": await page_of(services, request, filters, after),
            **await view_values(services, request.user, filters),
            "told": read_told(str(request.query_params.get("told", ""))),
            "address": filter_values(filters),
            "states": _STATES,
            "is_first": after is None,
        }
