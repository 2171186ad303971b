"""The worklist's part of a page: its filters, as they stand in the address, and its values."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import ClientException

from hub.desk.access import Actor
from hub.desk.services import Services
from hub.desk.worklist.beside_list import read_list
from hub.desk.worklist.filters import Filters, filter_values, filters_of
from hub.desk.worklist.rows import Worklist, read_worklist
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
    "vanished",
)
PageRequest = Request[Actor, str, State]


def filters_in(request: PageRequest) -> Filters:
    return filters_of({name: str(value) for name, value in request.query_params.items()})


async def page_of(services: Services, request: PageRequest, filters: Filters, after: str | None) -> Worklist:
    with _of_this_list():
        return await read_worklist(services, actor=request.user, filters=filters, cursor=after)


@contextmanager
def _of_this_list() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ClientException(detail="not a page of this list", status_code=400) from error


async def list_values(services: Services, request: PageRequest, *, after: str | None) -> dict[str, Any]:
    filters = filters_in(request)
    with _of_this_list():
        async with services.database.one_look():
            worklist, beside = await read_list(services, actor=request.user, filters=filters, cursor=after)
    return {
        "worklist": worklist,
        **view_values(beside, filters),
        "told": read_told(str(request.query_params.get("told", ""))),
        "address": filter_values(filters),
        "states": _STATES,
        "is_first": after is None,
    }
