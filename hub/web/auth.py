"""Signing in and out, and the gate before every page."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.params import Body, FromQuery
from litestar.response import Redirect
from litestar.types import Receive, Scope, Send
from msgspec import Struct

from hub.desk.access import Actor
from hub.desk.sessions import end_session, open_session, read_session
from hub.desk.users import SignInError, set_locale, sign_in, sign_out
from hub.desk.worklist.locks import give_back_all
from hub.web.cases.unsent import keep_unsent, seal_unsent
from hub.web.render import LOCALE_COOKIE, Pages, Renderer
from hub.web.words import LOCALES

SESSION_COOKIE: Final = "hub_session"
HOME: Final = "/cases"
_LONGEST: Final = 200
_CASE: Final = re.compile(r"/cases/[0-9]+")

Form = Body(media_type=RequestEncodingType.URL_ENCODED)


class SignInForm(Struct, kw_only=True):
    login: str = ""
    password: str = ""
    next: str = ""
    unsent: str = ""


class LocaleForm(Struct, kw_only=True):
    locale: str = ""
    next: str = ""


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    return connection.client.host if connection.client else None


class SessionGate(AbstractAuthenticationMiddleware):
    """Reads who is asking from the session cookie; nobody passes without one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except NotAuthorizedException:
            request: Request[Any, Any, Any] = Request(scope, receive)
            request.state.unsent = await seal_unsent(request, now=request.app.state.services.now())
            raise

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        services = connection.app.state.services
        key = connection.cookies.get(SESSION_COOKIE, "")[:_LONGEST]
        actor = (
            await read_session(services.database, key=key, at=services.now(), address=address_of(connection))
            if key
            else None
        )
        if actor is None:
            raise NotAuthorizedException
        return AuthenticationResult(user=actor, auth=key)


def local_path(path: str) -> str:
    """Where to go on after a form: only a path of this site, never another host."""
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path
    is_plain = is_local and len(path) <= 2000 and not any(ord(char) < 32 for char in path)
    return path if is_plain and not path.startswith(("/sign-in", "/sign-out")) else HOME


def to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """What an ended session gets: the sign-in page, and afterwards the page that was asked for."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    of_case = _CASE.match(path)
    if request.headers.get("HX-Request") == "true":
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        target = local_path(shown.path + (f"?{shown.query}" if shown.query else ""))
        return Response(b"", status_code=401, headers={"HX-Redirect": f"/sign-in?next={quote(target)}"})
    if unsent := request.state.get("unsent"):
        pages: Renderer = request.app.state.pages
        return pages.page(
            request, "pages/sign_in.html", status=401, next=HOME, login="", has_failed=False, unsent=unsent
        )
    wanted = path if request.method == "GET" else of_case[0] if of_case else HOME
    return Redirect(f"/sign-in?next={quote(wanted)}", status_code=303)


@get("/sign-in", exclude_from_auth=True)
async def sign_in_page(
    request: Request[Any, Any, State],
    pages: Pages,
    next: FromQuery[str] = "",  # noqa: A002
) -> Response[str]:
    return pages.page(request, "pages/sign_in.html", next=next, login="", has_failed=False, unsent="")


@post("/sign-in", exclude_from_auth=True)
async def sign_in_form(
    request: Request[Any, Any, State], pages: Pages, data: Annotated[SignInForm, Form]
) -> Response[Any]:
    services = request.app.state.services
    try:
        actor = await sign_in(
            services.database,
            login=data.login[:_LONGEST],
            password=data.password[:1000],
            at=services.now(),
            address=address_of(request),
        )
    except SignInError:
        return pages.page(
            request,
            "pages/sign_in.html",
            status=403,
            next=data.next,
            login=data.login[:_LONGEST],
            has_failed=True,
            unsent=data.unsent,
        )
    lasts = timedelta(hours=services.settings.session_hours)
    key = await open_session(services.database, user_id=actor.user_id or 0, at=services.now(), lasts=lasts)
    kept_at = await keep_unsent(services, actor, data.unsent) if data.unsent else None
    return Redirect(
        kept_at or local_path(data.next),
        status_code=303,
        cookies=[
            Cookie(
                key=SESSION_COOKIE,
                value=key,
                max_age=int(lasts.total_seconds()),
                httponly=True,
                samesite="lax",
                secure=services.settings.secure_cookies,
            )
        ],
    )


@post("/sign-out")
async def sign_out_form(request: Request[Actor, str, State]) -> Response[Any]:
    services = request.app.state.services
    # The page that is left cannot do it any more.
    await give_back_all(services, actor=request.user)
    await sign_out(services.database, actor=request.user, at=services.now())
    await end_session(services.database, key=request.auth)
    return Redirect("/sign-in", status_code=303, cookies=[Cookie(key=SESSION_COOKIE, value="", max_age=0)])


@post("/locale", exclude_from_auth=True)
async def locale_form(request: Request[Any, Any, State], data: Annotated[LocaleForm, Form]) -> Response[Any]:
    """Switch the language: of the account when signed in, of this browser in any case."""
    services = request.app.state.services
    locale = data.locale if data.locale in LOCALES else LOCALES[0]
    key = request.cookies.get(SESSION_COOKIE, "")[:_LONGEST]
    actor = key and await read_session(services.database, key=key, at=services.now(), address=None)
    if actor:
        await set_locale(services.database, login=actor.login, locale=locale)
    target = data.next if data.next.startswith("/sign-in") else local_path(data.next)
    return Redirect(
        target if target.isprintable() and "\\" not in target else HOME,
        status_code=303,
        cookies=[Cookie(key=LOCALE_COOKIE, value=locale, max_age=365 * 86400, samesite="lax")],
    )
