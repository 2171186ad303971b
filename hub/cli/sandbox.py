"""`hub sandbox`: the emulated malls alone, for connectors, tests and bug reports."""

import asyncio
import os
import pickle
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.console import screen, settings_and_logs
from hub.core.errors import ConfigurationError
from hub.emulation import build_malls, write_kit
from hub.registry import find_connectors
from hub.sandbox.faults import Fault, FaultPlan, FaultyApp, PlannedRowFaults
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.live import Customers, keep_coming, open_day
from hub.sandbox.serve import base_urls, serving
from hub.sandbox.world import World, make_world

_SAVE_SECONDS = 20


def register(app: typer.Typer) -> None:
    app.command("sandbox", help="Serve the emulated malls on loopback ports.")(sandbox)


def sandbox(
    orders: Annotated[int, typer.Option(min=1, max=100_000, help="Orders over 90 days.")] = 3_000,
    port: Annotated[int, typer.Option(help="First of the ports; 0 takes free ones.")] = 9101,
    seed: Annotated[int, typer.Option(help="Another seed, another World.")] = 20261122,
    kit: Annotated[
        Path | None, typer.Option(help="Folder to write the shop file, inventory modes and caller numbers to.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="File that keeps the World over restarts.")] = None,
    live: Annotated[float, typer.Option(min=0, help="Seconds between customers; 0: nobody comes.")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="Calls per second of every mall; 0: as the malls do.")] = 0,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="Stop when standard input closes: whoever started it is gone.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(help=f"NAME=CHANCE per call, e.g. http_500=0.05. Names: {', '.join(Fault)}."),
    ] = None,
) -> None:
    settings_and_logs()
    is_new = state is None or not state.exists()
    world = _open_world(state, seed=seed, orders=orders)
    if live and is_new:
        open_day(world)
    plan = FaultPlan(seed=seed, chances=_chances(fault or []))
    options = SandboxOptions(
        rate_per_second=rate or None,
        burst=int(4 * rate) if rate else None,
        rows=PlannedRowFaults(plan, break_record=_break_record),
    )
    malls = build_malls(find_connectors(), world, options=options)
    for mall in malls:
        mall.app = FaultyApp(mall.app, plan)
    asyncio.run(_serve(world, malls, port=port, kit=kit, state=state, live=live, until_eof=until_eof))


async def _serve(
    world: World,
    malls: list[SandboxMall],
    *,
    port: int,
    kit: Path | None,
    state: Path | None,
    live: float,
    until_eof: bool,
) -> None:
    ports = range(port, port + len(malls)) if port else _free_ports(len(malls))
    urls = base_urls(malls, ports=ports)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = []
    try:
        async with serving(malls, ports=ports):
            for mall in malls:
                screen.print(f"{mall.shop}: {urls[mall.shop]}", markup=False)
            if kit is not None:
                write_kit(kit, world, malls, urls)
            if live:
                tasks.append(asyncio.create_task(keep_coming(Customers(world, seed=os.getpid()), every_seconds=live)))
            if state is not None:
                tasks.append(asyncio.create_task(_keep(world, state)))
            if until_eof:
                asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
            await stop.wait()
    except OSError as error:
        what = f"cannot listen on ports {list(ports)}: {error.strerror or error}"
        raise ConfigurationError(what, fix="Choose others with --port, or 0 for free ones.") from error
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if state is not None:
            _save(world, state)


def _chances(faults: list[str]) -> dict[Fault, float]:
    chances = {}
    for each in faults:
        name, _, chance = each.partition("=")
        try:
            chances[Fault(name)] = float(chance)
        except ValueError:
            what = f"--fault {each!r} is not NAME=CHANCE"
            raise ConfigurationError(what, fix=f"Names: {', '.join(Fault)}; a chance is 0 to 1.") from None
    return chances


def _break_record(row: Any) -> Any:
    """A row whose values are all of the wrong kind, ids included."""
    return {name: {"broken": True} for name in row} if isinstance(row, dict) else row


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _open_world(state: Path | None, *, seed: int, orders: int) -> World:
    def now() -> datetime:
        return datetime.now(UTC)

    if state is None or not state.exists():
        return make_world(seed=seed, orders=orders, now=now)
    try:
        # A file of our own, in a folder that only this user can write to.
        world: World = pickle.loads(state.read_bytes())  # noqa: S301
    except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, OSError) as error:
        what = f"{state} holds no World of this version"
        raise ConfigurationError(what, fix="Remove it to start with a new World.") from error
    world.wake(now)
    return world


async def _keep(world: World, state: Path) -> None:
    while True:
        await asyncio.sleep(_SAVE_SECONDS)
        _save(world, state)


def _save(world: World, state: Path) -> None:
    draft = state.with_name(state.name + ".part")
    draft.write_bytes(pickle.dumps(world, protocol=pickle.HIGHEST_PROTOCOL))
    draft.replace(state)
