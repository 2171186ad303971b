"""The whole service: pages, JSON API and the addresses of the webhooks in one application."""

from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException

from hub.api.errors import http_error
from hub.api.router import PATH, create_api_router
from hub.bootstrap import Hub
from hub.web.app import make_app
from hub.web.auth import SESSION_COOKIE
from hub.web.service.hooks import Hooks, create_hooks_router


def make_asgi(hub: Hub) -> Litestar:
    """Nothing is read and no network is used before the first request."""
    hooks = Hooks(hub)
    app = make_app(hub, more=[create_api_router(session_cookie=SESSION_COOKIE), create_hooks_router(hub, hooks=hooks)])
    app.on_shutdown.append(hooks.aclose)
    page_error: Any = app.exception_handlers[HTTPException]

    def error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        """A path or a method that no route has: each half of the service answers in its own language."""
        answer: Response[Any] = (http_error if request.url.path.startswith(f"{PATH}/") else page_error)(request, error)
        return answer

    app.exception_handlers[HTTPException] = error
    return app
