"""`hub sandbox`: the emulated malls alone, for connectors, tests and bug reports."""

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.console import screen, settings_and_logs
from hub.emulation import build_malls, shop_file
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.serve import base_urls, serving


def register(app: typer.Typer) -> None:
    app.command("sandbox", help="Serve the emulated malls on loopback ports.")(sandbox)


def sandbox(
    orders: Annotated[int, typer.Option(min=1, max=100_000, help="Orders over 90 days.")] = 3_000,
    port: Annotated[int, typer.Option(help="First of the ports.")] = 9101,
    seed: Annotated[int, typer.Option(help="Another seed, another World.")] = 20261122,
    write_shops: Annotated[Path | None, typer.Option(help="Write the shop file for `hub shop import` here.")] = None,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="Enforce no rate limits.")] = False,
) -> None:
    settings_and_logs()

    async def run() -> None:
        options = SandboxOptions(rate_per_second=1e6, burst=1_000_000) if no_limits else SandboxOptions()
        _world, malls = build_malls(
            find_connectors(), seed=seed, orders=orders, now=lambda: datetime.now(UTC), options=options
        )
        ports = range(port, port + len(malls))
        urls = base_urls(malls, ports=ports)
        if write_shops is not None:
            write_shops.write_text(shop_file(malls, urls), encoding="utf-8")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with serving(malls, ports=ports):
            for mall in malls:
                screen.print(f"{mall.shop}: {urls[mall.shop]}", markup=False)
            await stop.wait()

    asyncio.run(run())
