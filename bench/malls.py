"""A process of its own that serves the emulated malls, without limits and with their time standing still."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send, WebSocketReceiveMessage

from bench.calls import Call, CallWriter
from hub.emulation import build_malls, shop_file
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.serve import base_urls, serving
from hub.sandbox.world import make_world

#: what httpx sets anew for each call
_CONNECTION_HEADERS = frozenset({b"host", b"connection", b"content-length", b"accept", b"accept-encoding"})
#: getting a token is no page
_SIGN_IN = ("oauth", "CreateCertificationKey")


def noted(shop: str, app: ASGIApp, calls: CallWriter) -> ASGIApp:
    """``app``, with every call but the sign-ins written down."""

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""

        async def heard() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal body
            message = await receive()
            if message["type"] == "http.request":
                body += message["body"]
            return message

        await app(scope, heard, send)
        if scope["type"] != ScopeType.HTTP or any(word in scope["path"] for word in _SIGN_IN):
            return
        query = scope["query_string"].decode()
        calls.add(
            Call(
                shop=shop,
                method=str(scope.get("method")),
                target=f"{scope['path']}?{query}" if query else scope["path"],
                headers={
                    name.decode(): value.decode() for name, value in scope["headers"] if name not in _CONNECTION_HEADERS
                },
                body=body,
            )
        )

    return note


def write_truth(malls: Sequence[SandboxMall], path: Path) -> None:
    """One JSON row a line: the kind of row and the row, as every mall knows it."""
    with path.open("wb") as file:
        for mall in malls:
            truth = mall.truth()
            for kind, rows in (("lines", truth.lines), ("claims", truth.claims), ("inquiries", truth.inquiries)):
                file.writelines(msgspec.json.encode([kind, row]) + b"\n" for row in rows)


async def serve(folder: Path, *, orders: int, at: datetime, first_port: int) -> None:
    """Serve until told to end. Writes ``shops.toml``, ``truth.jsonl`` and ``calls`` into ``folder``."""
    options = SandboxOptions(rate_per_second=1e6, burst=1_000_000)
    malls = build_malls(find_connectors(), make_world(orders=orders, now=lambda: at), options=options)
    write_truth(malls, folder / "truth.jsonl")
    ports = range(first_port, first_port + len(malls))
    calls = CallWriter(folder / "calls")
    for mall in malls:
        mall.app = noted(mall.shop, mall.app, calls)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serving(malls, ports=ports):
        draft = folder / "shops.draft"
        draft.write_text(shop_file(malls, base_urls(malls, ports=ports)), encoding="utf-8")
        # Its presence says that the malls answer.
        draft.rename(folder / "shops.toml")
        await stop.wait()
    calls.close()


if __name__ == "__main__":
    where, count, moment, port = sys.argv[1:]
    asyncio.run(serve(Path(where), orders=int(count), at=datetime.fromisoformat(moment), first_port=int(port)))
