"""The web application: routes, sessions, headers and the pages of errors."""

import hashlib
import importlib
import importlib.util
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import structlog
from litestar import Litestar, Request, Response, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.middleware import DefineMiddleware
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Message, Scope

from hub.core.errors import ConfigurationError
from hub.desk.access import ForbiddenError, Permission
from hub.desk.cases.case import NotFoundError
from hub.desk.live import LiveFeed
from hub.desk.services import Services
from hub.desk.shops.running import RunningBook
from hub.web.alerts import ALERT_PAGES
from hub.web.auth import HOME, SessionGate, locale_form, sign_in_form, sign_in_page, sign_out_form, to_sign_in
from hub.web.board import BOARD_PAGES
from hub.web.books.modes import BOOK_MODE_PAGES
from hub.web.books.pages import BOOK_TABLE_PAGES
from hub.web.books.versions import BOOK_VERSION_PAGES
from hub.web.calling import CallingController
from hub.web.care.compensation import COMPENSATION_PAGES
from hub.web.care.complaints import ComplaintController
from hub.web.care.promises import PROMISE_PAGES
from hub.web.cases.answers import answer_pages
from hub.web.cases.asks import AskController
from hub.web.cases.assigning import ASSIGNING_PAGES
from hub.web.cases.decision import DecisionController
from hub.web.cases.line_facts import FACT_PAGES
from hub.web.cases.locks import DraftController, LockController
from hub.web.cases.rebill import RebillController
from hub.web.cases.reply import ReplyController
from hub.web.cases.work import WorkController
from hub.web.colours import ink_on
from hub.web.compression import COMPRESSION
from hub.web.customers import CUSTOMER_PAGES
from hub.web.headers import HEADERS
from hub.web.live import live
from hub.web.more_pages import PAGES
from hub.web.phone import PhoneController
from hub.web.render import Given, Renderer
from hub.web.search import SEARCH_PAGES
from hub.web.service.health import PROBES
from hub.web.service.metrics import RequestTimes, metrics
from hub.web.shops.cheat_sheets import SHEET_PAGES
from hub.web.shops.consent import PAGES as CONSENT_PAGES
from hub.web.shops.files import FILE_PAGES
from hub.web.shops.openings import OPENING_PAGES
from hub.web.shops.truth import TRUTH_PAGES
from hub.web.style import STYLE_PAGES
from hub.web.telephone_flow import TELEPHONE_FLOW_PAGES

log = structlog.get_logger(__name__)

_STATIC: Final = Path(__file__).parent / "static"
_HTMX: Final = Path(str(resources.files("js_lib_htmx"))) / "static" / "htmx"
#: what Litestar says of a browser that left before it had sent its form: nobody here has failed
_GONE: Final = "client disconnected prematurely"
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_NAME: Final = re.compile(r"[a-z0-9_-]+")


def make_app(services: Services, *, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The desk as an ASGI application; ``more`` are routers that stand beside it (the JSON API).

    Nothing is read and no network is used before the first request.
    """
    nav = [("nav.work", HOME, Permission.WORK_CASES), ("nav.promises", "/promises", Permission.WORK_CASES)]
    if statistics := _statistics():
        nav.append(("nav.stats", "/stats", Permission.SEE_STATISTICS))
    nav += [
        ("nav.shops", "/shops", Permission.WORK_CASES),
        ("nav.alerts", "/alerts", Permission.SEE_STATISTICS),
        ("nav.books", "/books", Permission.WORK_CASES),
    ]
    # What is opened now and then stands behind one word, so that the rest fits beside the search.
    nav_more = (
        ("nav.board", "/board", Permission.ASSIGN_OTHERS),
        ("nav.files", "/files", Permission.WORK_CASES),
        ("nav.compensations", "/compensations", Permission.WORK_CASES),
        ("nav.customers", "/customers", Permission.WORK_CASES),
        ("nav.connectors", "/connectors", Permission.WORK_CASES),
        ("nav.phone", "/phone", Permission.WORK_CASES),
        ("nav.incidents", "/incidents", Permission.SEE_STATISTICS),
        ("nav.telephone_flow", "/telephone/flow", Permission.SEE_STATISTICS),
        ("nav.people", "/people", Permission.MANAGE_USERS),
        ("nav.access_log", "/access-log", Permission.READ_ACCESS_LOG),
    )
    pages = Renderer(services, nav=tuple(nav), nav_more=nav_more)
    request_times = RequestTimes()
    return Litestar(
        route_handlers=[
            _home,
            _mall_marks,
            _health,
            *PROBES,
            metrics,
            live,
            sign_in_page,
            sign_in_form,
            sign_out_form,
            locale_form,
            WorkController,
            *ASSIGNING_PAGES,
            *BOARD_PAGES,
            AskController,
            ReplyController,
            LockController,
            DraftController,
            ComplaintController,
            PhoneController,
            CallingController,
            *PROMISE_PAGES,
            *COMPENSATION_PAGES,
            *CUSTOMER_PAGES,
            *SHEET_PAGES,
            *OPENING_PAGES,
            DecisionController,
            RebillController,
            *answer_pages(),
            *PAGES,
            *SEARCH_PAGES,
            *TRUTH_PAGES,
            *FILE_PAGES,
            *FACT_PAGES,
            *CONSENT_PAGES,
            *ALERT_PAGES,
            *BOOK_TABLE_PAGES,
            *BOOK_VERSION_PAGES,
            *BOOK_MODE_PAGES,
            *TELEPHONE_FLOW_PAGES,
            *STYLE_PAGES,
            *statistics,
            *more,
            create_static_files_router("/static", directories=[_STATIC], opt={"exclude_from_auth": True}),
            create_static_files_router("/vendor/htmx", directories=[_HTMX], opt={"exclude_from_auth": True}),
        ],
        state=State(
            {
                "services": services,
                "pages": pages,
                "request_times": request_times.times,
                "running": RunningBook(),
                "live": LiveFeed(services.database),
            }
        ),
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "pages": Provide(lambda: pages, sync_to_thread=False),
        },
        middleware=[request_times, DefineMiddleware(SessionGate)],
        csrf_config=CSRFConfig(
            # Not in any file: derived from the index key, so that it is the same after a restart.
            secret=hashlib.sha256(services.database.box.blind("web", "csrf")).hexdigest(),
            cookie_name="hub_csrf",
            cookie_httponly=True,
            cookie_secure=services.settings.secure_cookies,
        ),
        exception_handlers={
            NotAuthorizedException: _not_signed_in,
            ForbiddenError: _forbidden,
            NotFoundError: _not_found,
            ConfigurationError: _misconfigured,
            HTTPException: _http_error,
            Exception: _failed,
        },
        before_send=[_add_headers],
        compression_config=COMPRESSION,
        openapi_config=None,
        # Logs are set up once, by hub.logging.
        logging_config=None,
    )


def _statistics() -> list[ControllerRouterHandler]:
    """The supervisors' pages, where they are installed."""
    if importlib.util.find_spec("hub.web.stats.pages") is None:
        return []
    return [importlib.import_module("hub.web.stats.pages").router]


@get("/")
async def _home() -> Redirect:
    return Redirect(HOME, status_code=303)


@get("/healthz", exclude_from_auth=True)
async def _health() -> Response[str]:
    return Response("ok", media_type="text/plain")


@get("/marks.css", exclude_from_auth=True)
async def _mall_marks(services: Given) -> Response[str]:
    """One class per mall with its colour, and the ink that can be read on it: the pages themselves carry no style."""
    rules = [
        f".mall-{name} {{ --mall: {manifest.colour}; --mall-ink: {ink_on(manifest.colour)}; }}"
        for name, manifest in services.registry.manifests.items()
        if _NAME.fullmatch(name) and _COLOUR.fullmatch(manifest.colour)
    ]
    return Response("\n".join(rules) + "\n", media_type="text/css", headers={"cache-control": "max-age=300"})


async def _add_headers(message: Message, scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if not scope["path"].startswith(("/static/", "/vendor/", "/marks.css")):
        headers.setdefault("cache-control", "no-store")
        headers.setdefault("vary", "HX-Request")


def _pages(request: Request[Any, Any, Any]) -> Renderer:
    pages: Renderer = request.app.state.pages
    return pages


def _not_signed_in(request: Request[Any, Any, Any], _: NotAuthorizedException) -> Response[Any]:
    if _is_for_programs(request):
        return _error_json(401, "not_signed_in", "there is no session; sign in at /sign-in")
    return to_sign_in(request)


def _is_for_programs(request: Request[Any, Any, Any]) -> bool:
    """A program wants no page: the gates before the routes answer it here, everything else its own router."""
    return request.url.path.startswith("/api/")


def _error_json(status: int, code: str, message: str) -> Response[Any]:
    return Response({"error": {"code": code, "message": message, "fix": None}}, status_code=status)


def _error(request: Request[Any, Any, Any], status: int, key: str, detail: str = "") -> Response[Any]:
    return _pages(request).page(request, "pages/error.html", status=status, key=key, status_code=status, detail=detail)


def _forbidden(request: Request[Any, Any, Any], error: ForbiddenError) -> Response[Any]:
    return _error(request, 403, "error.forbidden", error.permission.value)


def _not_found(request: Request[Any, Any, Any], _: NotFoundError) -> Response[Any]:
    return _error(request, 404, "error.no_such_thing")


def _misconfigured(request: Request[Any, Any, Any], error: ConfigurationError) -> Response[Any]:
    return _error(request, 409, "error.configuration", str(error))


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= 500:
        return _failed(request, error)
    if _is_for_programs(request):
        return _error_json(error.status_code, "csrf" if error.status_code == 403 else "wrong_request", error.detail)
    key = {403: "error.form_expired", 404: "error.no_such_page", 405: "error.no_such_page"}.get(
        error.status_code, "error.request"
    )
    return _error(request, error.status_code, key)


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if getattr(error, "detail", None) == _GONE:
        log.info("web.request.broken_off", path=request.url.path)
        return _error(request, 400, "error.request")
    log.error("web.request.failed", path=request.url.path, exc_info=error)
    return _error(request, 500, "error.ours")
