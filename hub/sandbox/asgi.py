"""The little of HTTP that an emulated mall needs: one request in, one answer out, no framework in between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``headers`` have lower-case names. ``query_string`` is as sent, ``query`` decoded, the last value wins."""

    method: str
    path: str
    query_string: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises: msgspec.DecodeError when the body is not JSON."""
        return msgspec.json.decode(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True, kw_only=True)
class Response:
    """``content`` is encoded as JSON unless it is bytes."""

    content: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


def app_of(handle: Callable[[Request], Response]) -> ASGIApp:
    """An ASGI application that answers every HTTP request by ``handle``."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        query_string = scope["query_string"].decode("latin-1")
        response = handle(
            Request(
                method=str(scope.get("method", "")),
                path=scope["path"],
                query_string=query_string,
                query=dict(parse_qsl(query_string, keep_blank_values=True)),
                headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
                body=body,
            )
        )
        content = response.content if isinstance(response.content, bytes) else _encode(response.content)
        headers = [
            (b"content-type", response.content_type.encode()),
            (b"content-length", str(len(content)).encode()),
            *((name.encode(), value.encode()) for name, value in response.headers.items()),
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    return app
