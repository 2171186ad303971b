"""Ten shops at their rate limits, read by one process, beside the slowest of them read alone.

Time is real here. The malls are served by a process of their own (``python -m bench.shops serve …``) with
the limits they document; the hub reads them in another (``python -m bench.shops read …``).
"""

import asyncio
import shutil
import signal
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.full_sync import settings_of
from bench.measure import cost
from hub.bootstrap import open_hub
from hub.emulation import build_malls, shop_file
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.serve import base_urls, serving
from hub.sandbox.world import ShopSpec, make_world

AIM_WALL = 1.03
AIM_CORE = 0.25
_MALLS = ("cafe24", "smartstore", "qoo10")
_COUNTRY = {"qoo10": "JP"}
SHOPS = tuple(
    ShopSpec(name=f"shop-{number}", mall=mall, share=0.1, country=_COUNTRY.get(mall, "KR"))
    for number, mall in ((number, _MALLS[number % len(_MALLS)]) for number in range(10))
)


class Read(Struct, frozen=True, kw_only=True):
    """``seconds`` of each shop: those of its feeds, added up."""

    complete: bool
    wall_seconds: float
    cpu_seconds: float
    seconds: dict[str, float]


async def serve(folder: Path, *, orders: int, first_port: int) -> None:
    """Until told to end. Writes ``shops.toml`` into ``folder``."""
    world = make_world(now=lambda: datetime.now(UTC), orders=orders, shops=SHOPS)
    malls = build_malls(find_connectors(), world, options=SandboxOptions(clock=time.monotonic))
    ports = range(first_port, first_port + len(malls))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serving(malls, ports=ports):
        draft = folder / "shops.draft"
        draft.write_text(shop_file(malls, base_urls(malls, ports=ports)), encoding="utf-8")
        draft.rename(folder / "shops.toml")
        await stop.wait()


async def read(home: Path, file: Path, names: list[str]) -> Read:
    """Read the named shops of ``file`` (all, when none is named) once in full."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))["shop"]  # noqa: ASYNC240
    async with open_hub(settings_of(home, None)) as hub:
        for table in tables:
            if not names or table["name"] in names:
                await hub.add_shop(**table)
        begun, before = time.perf_counter(), cost().cpu_seconds
        report = await hub.sync(full=True)
        wall, cpu = time.perf_counter() - begun, cost().cpu_seconds - before
    return Read(
        complete=report.complete,
        wall_seconds=wall,
        cpu_seconds=cpu,
        seconds={shop.shop: sum(feed.seconds for feed in shop.feeds) for shop in report.shops},
    )


def slowest(together: Read) -> str:
    return max(together.seconds, key=lambda name: together.seconds[name])


def lines(together: Read, alone: Read) -> list[str]:
    name = slowest(together)
    ratio = together.wall_seconds / alone.wall_seconds
    share = together.cpu_seconds / together.wall_seconds
    line = (
        f"{len(together.seconds)} shops at their limits in one process: {together.wall_seconds:.1f} s, {name} alone "
        f"{alone.wall_seconds:.1f} s = {ratio:.3f} (aim {AIM_WALL}), {share:.0%} of a core (aim {AIM_CORE:.0%})"
        f"{'' if together.complete and alone.complete else ' INCOMPLETE'}"
    )
    return [line]


async def _main(what: str, *given: str) -> None:
    if what == "serve":
        folder, orders, port = given
        await serve(Path(folder), orders=int(orders), first_port=int(port))
        return
    home, file, *names = given
    shutil.rmtree(home, ignore_errors=True)
    sys.stdout.write(msgspec.json.encode(await read(Path(home), Path(file), names)).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
