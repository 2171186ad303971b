"""What is wrong: a strip on every page of a supervisor, and the list behind it."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State

from hub.desk.access import Actor
from hub.desk.alerting.check import read_alerts
from hub.web.render import Given, Pages

PageRequest = Request[Actor, str, State]


@get("/alerts")
async def alerts_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    alerts = await read_alerts(services, actor=request.user)
    return pages.page(request, "pages/alerts.html", alerts=alerts)


@get("/alerts/strip")
async def alerts_strip(request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
    """Asked for by each page when it stands and every minute after."""
    alerts = await read_alerts(services, actor=request.user, limit=0)
    return pages.page(request, "partials/alert_strip.html", standing=alerts.standing)


ALERT_PAGES: Final = [alerts_page, alerts_strip]
