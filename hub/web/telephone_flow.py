"""The flow of the telephone, drawn from its spec."""

from typing import Final

from litestar import Request, Response, get
from litestar.datastructures import State
from markupsafe import Markup

from hub.desk.access import Actor
from hub.desk.case import NotFoundError
from hub.desk.telephone import SPEC_FILE, read_flow
from hub.web.render import Given, Pages, locale_of
from ivr.drawing import flow_css

PageRequest = Request[Actor, str, State]


@get("/telephone/flow")
async def flow_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    locale = locale_of(request)
    flow = await read_flow(services, actor=request.user, locale=locale)
    told = [(problem, *problem.told(locale)) for problem in flow.problems]
    # Our own SVG, in which every text of the spec is escaped.
    drawing = Markup(flow.drawing) if flow.drawing else None  # noqa: S704
    return pages.page(request, "pages/telephone_flow.html", flow=flow, told=told, drawing=drawing, file=SPEC_FILE)


@get("/telephone/flow.svg")
async def flow_file(request: PageRequest, services: Given) -> Response[str]:
    """The drawing with its colours, for elsewhere."""
    flow = await read_flow(services, actor=request.user, locale=locale_of(request), has_style=True)
    if flow.drawing is None:
        raise NotFoundError
    headers = {"content-disposition": 'attachment; filename="telephone-flow.svg"'}
    return Response(flow.drawing, media_type="image/svg+xml", headers=headers)


@get("/telephone/flow.css")
async def flow_colours() -> Response[str]:
    return Response(flow_css(), media_type="text/css", headers={"cache-control": "max-age=300"})


TELEPHONE_FLOW_PAGES: Final = [flow_page, flow_file, flow_colours]
