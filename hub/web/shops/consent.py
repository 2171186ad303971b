"""The page on which a supervisor asks for the owner's consent, and the way back from the mall."""

from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from hub.core.consent import AsksConsent
from hub.desk.access import Actor
from hub.desk.services import Services
from hub.desk.shops.consent import Answer, ConsentError, Problem, ask_consent, read_consent, take_consent
from hub.web.cases.acting import Notice
from hub.web.headers import policy_with_forms_to
from hub.web.render import Given, Pages

PageRequest = Request[Actor, str, State]
_LONGEST: Final = 2000
_GIVEN: Final = "given"


@get("/shops/{name:str}/consent")
async def consent_page(
    request: PageRequest, services: Given, pages: Pages, name: FromPath[str], notice: FromQuery[str] = ""
) -> Response[str]:
    view = await read_consent(services, actor=request.user, shop=name)
    back = _way_back(request, services, name)
    page = pages.page(request, "pages/consent.html", view=view, way_back=back, notice=_notice(notice))
    page.headers["content-security-policy"] = policy_with_forms_to(await _origin(services, name, back))
    return page


@post("/shops/{name:str}/consent")
async def ask_consent_form(request: PageRequest, services: Given, name: FromPath[str]) -> Response[Any]:
    back = _way_back(request, services, name)
    url = await ask_consent(services, actor=request.user, shop=name, session=request.auth, redirect_uri=back)
    return Redirect(url, status_code=302)


@get("/consent/{name:str}/callback")
async def consent_callback(
    request: PageRequest,
    services: Given,
    name: FromPath[str],
) -> Response[Any]:
    """Answers with a redirect in any case: what the mall put into the address does not stay on screen."""
    brought = {key: str(value)[:_LONGEST] for key, value in request.query_params.items()}
    answer = Answer(state=brought.get("state", ""), code=brought.get("code", ""), error=brought.get("error", ""))
    notice = _GIVEN
    try:
        await take_consent(services, actor=request.user, shop=name, session=request.auth, answer=answer)
    except ConsentError as refused:
        notice = refused.problem.value
    return Redirect(f"/shops/{quote(name, safe='')}/consent?notice={notice}", status_code=303)


def _notice(name: str) -> Notice | None:
    if name == _GIVEN:
        return Notice(key="consent.given", tone="done")
    return Notice(key=f"consent.problem.{name}", tone="wrong") if name in set(Problem) else None


def _way_back(request: PageRequest, services: Services, name: str) -> str:
    """The address that the mall sends the browser back to; it has to be registered with the app there."""
    scheme = "https" if services.settings.secure_cookies else request.url.scheme
    return f"{scheme}://{request.url.netloc}/consent/{quote(name, safe='')}/callback"


async def _origin(services: Services, name: str, back: str) -> str:
    connector = await services.connector(name)
    if not isinstance(connector, AsksConsent):
        return ""
    parts = urlsplit(connector.consent_url(state="", redirect_uri=back))
    return f"{parts.scheme}://{parts.netloc}"


PAGES: Final = [consent_page, ask_consent_form, consent_callback]
