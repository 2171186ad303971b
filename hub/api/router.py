"""All routes of the JSON API under /api/v1, and their OpenAPI description."""

from functools import cache
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Response, Router, get
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from hub.api import customers, desk, facts, figures, work
from hub.api.errors import HANDLERS

PATH: Final = "/api/v1"
#: every route but the description of them
ROUTES: Final = (*desk.HANDLERS, *work.HANDLERS, *customers.HANDLERS, *facts.HANDLERS, *figures.HANDLERS)
_DESCRIPTION: Final = """Everything the desk does, as JSON. Sign in at /sign-in; the session is a cookie.
A POST also needs the header x-csrftoken with the value of the cookie hub_csrf, which every GET sets.
Errors: {"error": {"code", "message", "fix"}}. Ids are strings. Times are ISO 8601 UTC. Lists continue
with cursor=next_cursor until it is null."""


def create_api_router(*, session_cookie: str = "hub_session") -> Router:
    """The API to stand beside the pages: the app around it brings ``services`` (a Hub) and the signed-in user."""
    description = _describe(session_cookie)

    @get("/openapi.json", include_in_schema=False, exclude_from_auth=True, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        return Response(description(), media_type=MediaType.JSON)

    return Router(
        PATH,
        route_handlers=[*ROUTES, openapi],
        exception_handlers=HANDLERS,
    )


def _describe(session_cookie: str) -> Any:
    @cache
    def document() -> bytes:
        """Made once, at the first request, from the handlers themselves."""
        app = Litestar(
            route_handlers=[Router(PATH, route_handlers=[*ROUTES])],
            openapi_config=OpenAPIConfig(
                title="hub",
                version="1",
                description=_DESCRIPTION,
                path=f"{PATH}/schema",
                use_handler_docstrings=True,
                components=Components(
                    security_schemes={
                        "session": SecurityScheme(type="apiKey", name=session_cookie, security_scheme_in="cookie")
                    }
                ),
                security=[{"session": []}],
            ),
            dependencies={"services": Provide(lambda: None, sync_to_thread=False)},
        )
        return msgspec.json.encode(app.openapi_schema.to_schema())

    return document
