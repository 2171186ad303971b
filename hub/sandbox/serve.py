"""Emulated malls on loopback ports, for the demo and for programs that want real sockets."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn

from hub.sandbox.kit import SandboxMall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

DEFAULT_PORTS = (9101, 9102, 9103)


class Server(uvicorn.Server):
    """A server that leaves the process's signals to the program it runs in: set ``should_exit`` to stop it."""

    @contextmanager
    def capture_signals(self) -> "Iterator[None]":
        yield


def base_urls(
    malls: Sequence[SandboxMall], *, host: str = "127.0.0.1", ports: Sequence[int] = DEFAULT_PORTS
) -> dict[str, str]:
    """Shop name -> scheme, host and port under which ``serve`` will answer for it."""
    return {mall.shop: f"http://{host}:{port}" for mall, port in zip(malls, ports, strict=False)}


async def serve(malls: Sequence[SandboxMall], *, host: str = "127.0.0.1", ports: Sequence[int] = DEFAULT_PORTS) -> None:
    """Serve until cancelled, one port per mall. Raises: ValueError when there are fewer ports than malls."""
    async with serving(malls, host=host, ports=ports):
        await asyncio.Event().wait()


@asynccontextmanager
async def serving_one(mall: SandboxMall, *, host: str = "127.0.0.1") -> "AsyncIterator[str]":
    """Serve one mall on a port that nobody else can take meanwhile; yields scheme, host and port."""
    with socket.socket() as listening:
        listening.bind((host, 0))
        port = listening.getsockname()[1]
        async with _running([_server(mall, host, port)], sockets=[listening]):
            yield f"http://{host}:{port}"


@asynccontextmanager
async def serving(
    malls: Sequence[SandboxMall], *, host: str = "127.0.0.1", ports: Sequence[int] = DEFAULT_PORTS
) -> "AsyncIterator[None]":
    """Serve while the block runs; every port answers before it starts.

    Raises: ValueError when there are fewer ports than malls, OSError when a port is taken.
    """
    if len(ports) < len(malls):
        message = f"{len(malls)} malls need as many ports, not {len(ports)}"
        raise ValueError(message)
    async with _running([_server(mall, host, port) for mall, port in zip(malls, ports, strict=False)]):
        yield


@asynccontextmanager
async def _running(servers: Sequence[Server], *, sockets: list[socket.socket] | None = None) -> "AsyncIterator[None]":
    tasks = [asyncio.create_task(server.serve(sockets=sockets)) for server in servers]
    try:
        while not all(server.started for server in servers):
            for task in tasks:
                if task.done():
                    task.result()
                    raise OSError("an emulated mall could not listen on its port")
            await asyncio.sleep(0.02)
        yield
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks, return_exceptions=True)


def _server(mall: SandboxMall, host: str, port: int) -> Server:
    config = uvicorn.Config(
        mall.app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        # Some malls are plain callables; uvicorn would take a bound method for the older protocol.
        interface="asgi3",
    )
    return Server(config)
