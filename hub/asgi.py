"""The desk's pages and the JSON API as one ASGI application."""

from litestar import Litestar

from hub.bootstrap import Hub
from hub.web.app import make_app


def make_asgi(hub: Hub) -> Litestar:
    return make_app(hub)
