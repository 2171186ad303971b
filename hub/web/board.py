"""The supervisor's board, the teams behind it, and own views of the list."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Permission, require
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.users import list_users
from hub.desk.worklist.board import read_board
from hub.desk.worklist.filters import KindGroup, filter_values, filters_of
from hub.desk.worklist.matters import TOLD
from hub.desk.worklist.saved_views import ViewError, remove_view, save_view
from hub.desk.worklist.teams import LANGUAGES, Team, TeamError, TeamGiven, read_teams, remove_team, save_team
from hub.web.auth import Form
from hub.web.cases.work_list import PageRequest
from hub.web.forms import row_id
from hub.web.render import Given, Pages, is_swap, query_string
from routing.chain import Matter

_LONGEST: Final = 200


class ViewForm(Struct, kw_only=True):
    """``query`` is the address of the list, without its path."""

    name: str = ""
    query: str = ""
    is_shared: str = ""


class TeamForm(Struct, kw_only=True):
    name: str = ""
    mall: str | list[str] = ""
    kind: str | list[str] = ""
    language: str | list[str] = ""
    matter: str | list[str] = ""
    member_id: str | list[str] = ""
    is_dealt: str = ""


def _all(given: str | list[str]) -> list[str]:
    return [each[:_LONGEST] for each in ([given] if isinstance(given, str) else given) if each]


@get("/board")
async def board_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    """As a whole, or only its figures, which are read again when something changes."""
    board = await read_board(services, actor=request.user)
    template = "partials/board.html" if is_swap(request) else "pages/board.html"
    return pages.page(request, template, board=board, address={}, open_id=None)


@get("/teams")
async def teams_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    require(request.user, Permission.ASSIGN_OTHERS)
    return await _teams(request, services, pages)


async def _teams(
    request: PageRequest,
    services: Services,
    pages: Pages,
    *,
    wrong: str | None = None,
    typed: tuple[int, TeamGiven] | None = None,
) -> Response[str]:
    """``typed``: what was refused, in the form of that team; 0: of a new one."""
    found = await read_teams(services.database)
    forms = [(team.team_id, _given_of(team)) for team in found] + [(0, TeamGiven(name=""))]
    if typed is not None:
        forms = [typed if typed[0] == team_id else (team_id, given) for team_id, given in forms]
    return pages.page(
        request,
        "pages/teams.html",
        status=422 if wrong else 200,
        forms=forms,
        wrong=wrong,
        wrong_id=typed[0] if typed else None,
        malls=[mall_mark(services.registry, name) for name in sorted(services.registry.manifests)],
        kinds=tuple(KindGroup),
        languages=sorted(set(LANGUAGES.values())),
        matters=TOLD,
        people=[user for user in await list_users(services.database) if user.is_active],
    )


def _given_of(team: Team) -> TeamGiven:
    return TeamGiven(
        name=team.name,
        malls=team.malls,
        kinds=team.kinds,
        languages=team.languages,
        matters=team.matters,
        is_dealt=team.is_dealt,
        member_ids=[member.user_id for member in team.members],
    )


@post("/teams")
async def new_team_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[TeamForm, Form]
) -> Response[Any]:
    return await _save(request, services, pages, data, team_id=None)


@post("/teams/{team_id:int}")
async def team_form(
    request: PageRequest, services: Given, pages: Pages, team_id: FromPath[int], data: Annotated[TeamForm, Form]
) -> Response[Any]:
    return await _save(request, services, pages, data, team_id=team_id)


async def _save(
    request: PageRequest, services: Services, pages: Pages, data: TeamForm, *, team_id: int | None
) -> Response[Any]:
    given = TeamGiven(
        name=data.name[:_LONGEST],
        malls=_all(data.mall),
        kinds=[KindGroup(kind) for kind in _all(data.kind) if kind in set(KindGroup)],
        languages=_all(data.language),
        matters=[Matter(matter) for matter in _all(data.matter) if matter in set(TOLD)],
        is_dealt=bool(data.is_dealt),
        member_ids=[row_id(each) for each in _all(data.member_id)],
    )
    try:
        await save_team(services, actor=request.user, given=given, team_id=team_id)
    except TeamError as error:
        return await _teams(request, services, pages, wrong=error.key, typed=(team_id or 0, given))
    return Redirect("/teams", status_code=303)


@post("/teams/{team_id:int}/remove")
async def remove_team_form(request: PageRequest, services: Given, team_id: FromPath[int]) -> Response[Any]:
    await remove_team(services, actor=request.user, team_id=team_id)
    return Redirect("/teams", status_code=303)


@post("/views")
async def save_view_form(request: PageRequest, services: Given, data: Annotated[ViewForm, Form]) -> Response[Any]:
    filters = filters_of(dict(parse_qsl(data.query[:1000])))
    address = filter_values(filters)
    try:
        await save_view(
            services,
            actor=request.user,
            name=data.name[:_LONGEST],
            filters=filters,
            is_shared=bool(data.is_shared),
        )
    except ViewError as error:
        told = error.key.removeprefix("notice.")
        return Redirect(f"/cases{query_string(address, told=told)}", status_code=303)
    return Redirect(f"/cases{query_string(address)}", status_code=303)


@post("/views/{view_id:int}/remove")
async def remove_view_form(
    request: PageRequest, services: Given, view_id: FromPath[int], back: FromQuery[str] = ""
) -> Response[Any]:
    await remove_view(services, actor=request.user, view_id=view_id)
    return Redirect(f"/cases{query_string(filter_values(filters_of(dict(parse_qsl(back[:1000])))))}", status_code=303)


BOARD_PAGES: Final[list[ControllerRouterHandler]] = [
    board_page,
    teams_page,
    new_team_form,
    team_form,
    remove_team_form,
    save_view_form,
    remove_view_form,
]
