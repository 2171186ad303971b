"""`hub serve`: the desk and the API."""

import asyncio
import gc
import signal
import socket
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from hub.bootstrap import Hub, open_hub
from hub.cli.console import screen, settings_and_logs
from hub.core.errors import ConfigurationError
from hub.desk.alerting.check import watch_alerts
from hub.desk.phone.tending import tend_phones
from hub.desk.search.tending import tend_search
from hub.sandbox.serve import Server

_ROUTING_SECONDS = 10


def register(app: typer.Typer) -> None:
    app.command("serve", help="Serve the desk and the JSON API.")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", envvar="PORT")] = 8000,
) -> None:
    settings = settings_and_logs()

    async def run() -> None:
        require_free_port(host, port)
        async with open_hub(settings) as hub:
            screen.print(f"desk: http://{host}:{port}", markup=False)
            await serve_desk(hub, host=host, port=port)

    asyncio.run(run())


def require_free_port(host: str, port: int) -> None:
    """Raises: ConfigurationError when somebody listens there already, or we may not."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            what = f"cannot listen on {host}:{port}: {error.strerror}"
            raise ConfigurationError(what, fix="Choose another port with --port, or stop what uses it.") from error


async def serve_desk(hub: Hub, *, host: str, port: int) -> None:
    """Serve until a signal ends it; open streams are given two seconds."""
    # The screens take a third of a second to import: other commands start without them.
    from hub.asgi import make_asgi

    config = uvicorn.Config(
        make_asgi(hub), host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = Server(config)

    def stop() -> None:
        # A second signal does not wait for open streams.
        server.force_exit = server.should_exit
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    # The desk looks after the hub as the worker does: a worker that is dead tells nobody.
    watchers = [asyncio.create_task(_keep_routing(hub)), asyncio.create_task(watch_alerts(hub))]
    watchers.append(asyncio.create_task(tend_phones(hub)))
    watchers.append(asyncio.create_task(tend_search(hub)))
    # What is loaded by now stays: the collector of cycles need not look at all of it in the middle of a page, which
    # took 30 to 60 ms.
    gc.collect()
    gc.freeze()
    try:
        await server.serve()
    finally:
        for watcher in watchers:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher


async def _keep_routing(hub: Hub) -> None:
    """A table imported by another process is seen here within seconds."""
    while True:
        await asyncio.sleep(_ROUTING_SECONDS)
        known = hub.routing
        await hub.refresh_routing()
        book = hub.routing
        if book is not None and book is not known and book.problem is not None:
            screen.print(f"routing stays as it was: {book.problem.told('en')}", style="red", markup=False)
