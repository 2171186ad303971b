"""How far the desk can be trusted: the badge of every list, what lacks, and incidents."""

from typing import Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath

from hub.core.contract import Feed
from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.marks import mall_mark
from hub.desk.shops.freshness import read_freshness
from hub.desk.shops.incidents import read_incident, read_incidents
from hub.desk.shops.status import read_status
from hub.web.render import Given, Pages

PageRequest = Request[Actor, str, State]


@get("/shops/fresh")
async def fresh_badge(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    """Asked for by every page when it stands and every minute after."""
    freshness = await read_freshness(services, actor=request.user)
    return pages.page(request, "partials/fresh.html", freshness=freshness)


@get("/shops/{shop:str}/gaps")
async def gaps_page(request: PageRequest, services: Given, pages: Pages, shop: FromPath[str]) -> Response[str]:
    """What the mall named and the hub does not hold, with the reason."""
    require(request.user, Permission.WORK_CASES)
    status = await read_status(services)
    found = next((each for each in status.shops if each.shop == shop), None)
    if found is None:
        raise NotFoundError
    mark = mall_mark(services.registry, found.mall)
    return pages.page(request, "pages/gaps.html", shop=found, mark=mark, feeds=tuple(Feed))


@get("/incidents")
async def incidents_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    incidents = await read_incidents(services, actor=request.user)
    return pages.page(request, "pages/incidents.html", incidents=incidents)


@get("/incidents/{incident_id:int}")
async def incident_page(
    request: PageRequest, services: Given, pages: Pages, incident_id: FromPath[int]
) -> Response[str]:
    incident = await read_incident(services, actor=request.user, incident_id=incident_id)
    if incident is None:
        raise NotFoundError
    return pages.page(request, "pages/incident.html", incident=incident)


TRUTH_PAGES: Final = [fresh_badge, gaps_page, incidents_page, incident_page]
