"""Cases, orders, search, actions, shops' freshness and the malls' abilities."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation
from msgspec import Struct

from hub.api.errors import BadQueryError
from hub.api.shapes import shape_of, to_json
from hub.bootstrap import Hub
from hub.core.contract import CapabilityState
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.act import act
from hub.desk.acting.action import ActionRequest, ActionResult
from hub.desk.cases.case import NotFoundError, read_case, read_order
from hub.desk.search.box import SearchResult, search
from hub.desk.shops.status import Status, read_status
from hub.desk.views import CaseRow, CaseView, Dossier
from hub.desk.worklist.rows import Filters, KindGroup, View, read_worklist
from hub.registry import capability_matrix
from hub.store.sealed import normal_email, normal_phone

ApiRequest = Request[Actor, str, State]
Given = NamedDependency[SkipValidation[Hub]]
_INT64: Final = 2**63


def answers(view: type[Struct], description: str) -> dict[int, ResponseSpec]:
    """What the API's description says of a good answer."""
    return {200: ResponseSpec(data_container=shape_of(view), description=description, generate_examples=False)}


def does(
    path: str, view: type[Struct], description: str, *, tag: str
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """A route that changes or reveals something: what it does, and what it answers with."""
    return post(path, status_code=200, responses=answers(view, description), tags=[tag])


def answer(view: object) -> Response[bytes]:
    return Response(to_json(view), media_type=MediaType.JSON)


def row_id(text: str) -> int:
    """Raises: NotFoundError for what can be no row's id."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < _INT64):
        raise NotFoundError
    return int(text)


class CasePage(Struct, frozen=True, kw_only=True):
    """Open cases by their earliest deadline, closed ones newest first; ``next_cursor`` continues after the last."""

    rows: tuple[CaseRow, ...]
    next_cursor: str | None


class MallAbilities(Struct, frozen=True, kw_only=True):
    mall: str
    title: str
    tier: str
    capabilities: dict[str, CapabilityState]


class Abilities(Struct, frozen=True, kw_only=True):
    malls: tuple[MallAbilities, ...]


class SearchWords(Struct, frozen=True, kw_only=True):
    q: str


@get("/cases", responses=answers(CasePage, "One page of cases."), tags=["desk"])
async def list_cases(
    request: ApiRequest,
    services: Given,
    view: FromQuery[View] = View.OPEN,
    mall: FromQuery[str | None] = None,
    shop: FromQuery[str | None] = None,
    kind: FromQuery[KindGroup | None] = None,
    case_state: Annotated[str | None, QueryParameter(name="state")] = None,
    assignee: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[bytes]:
    """List cases: the agent's worklist with its filters; every case stands on exactly one page."""
    filters = Filters(
        view=view,
        mall=mall or None,
        shop=shop or None,
        kind=kind,
        state=case_state or None,
        assignee=row_id(assignee) if assignee else None,
    )
    try:
        found = await read_worklist(services, actor=request.user, filters=filters, cursor=cursor)
    except ValueError as error:
        message = f"cursor: {error}"
        raise BadQueryError(message) from error
    return answer(CasePage(rows=found.rows, next_cursor=found.next_cursor))


@get("/cases/{case_id:str}", responses=answers(CaseView, "One case with everything around it."), tags=["desk"])
async def one_case(request: ApiRequest, services: Given, case_id: FromPath[str]) -> Response[bytes]:
    """Read one case: deadlines, order, claims, inquiries, timeline; personal data masked."""
    return answer(await read_case(services, actor=request.user, case_id=row_id(case_id)))


@get("/orders/{order_id:str}", responses=answers(Dossier, "One order with everything around it."), tags=["desk"])
async def one_order(request: ApiRequest, services: Given, order_id: FromPath[str]) -> Response[bytes]:
    """Read one order by the hub's id (``order_id`` of a case or of a search result); personal data masked."""
    return answer(await read_order(services, actor=request.user, order_id=row_id(order_id)))


@get("/search", responses=answers(SearchResult, "What was found, and how it was looked for."), tags=["desk"])
async def search_numbers(request: ApiRequest, services: Given, q: FromQuery[str]) -> Response[bytes]:
    """Find by number or product. Phones and e-mails are refused here: they stand in no address; use POST."""
    require(request.user, Permission.WORK_CASES)
    if _is_personal(q):
        message = 'q: a phone number or an e-mail must not stand in an address; POST it as {"q": …}'
        raise BadQueryError(message)
    return answer(await search(services, actor=request.user, text=q))


@does("/search", SearchResult, "What was found, and how.", tag="desk")
async def search_anything(request: ApiRequest, services: Given, data: JSONBody[SearchWords]) -> Response[bytes]:
    """Find by number, phone, name, e-mail or product, over all shops."""
    return answer(await search(services, actor=request.user, text=data.q))


@does("/actions", ActionResult, "What became of it.", tag="desk")
async def do_action(request: ApiRequest, services: Given, data: JSONBody[ActionRequest]) -> Response[bytes]:
    """Do one thing at a mall, at most once: the same ``token`` again gives the first outcome and sends nothing."""
    return answer(await act(services, request.user, data))


@get("/status", responses=answers(Status, "Every active shop with its feeds."), tags=["hub"])
async def status(request: ApiRequest, services: Given) -> Response[bytes]:
    """How fresh and how complete the data of each shop and feed is."""
    require(request.user, Permission.WORK_CASES)
    return answer(await read_status(services))


@get("/connectors", responses=answers(Abilities, "Every mall the hub knows."), tags=["hub"])
async def connectors(request: ApiRequest, services: Given) -> Response[bytes]:
    """What each mall's connector can do, and what to do instead where it cannot."""
    require(request.user, Permission.WORK_CASES)
    malls: list[Any] = [
        MallAbilities(mall=row.mall, title=row.title, tier=row.tier, capabilities=row.capabilities)
        for row in capability_matrix(services.registry)
    ]
    return answer(Abilities(malls=tuple(malls)))


def _is_personal(text: str) -> bool:
    """What can be recognised as a phone of Korea or Japan, or as an e-mail; order numbers do not begin like one."""
    is_phone = text.strip().startswith(("0", "+")) and any(normal_phone(text, country) for country in ("KR", "JP"))
    return is_phone or normal_email(text) is not None


HANDLERS: Final = [
    list_cases,
    one_case,
    one_order,
    search_numbers,
    search_anything,
    do_action,
    status,
    connectors,
]
