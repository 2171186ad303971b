"""How long the desk's list takes while a sync writes: eight clients in one process, the sync in another.

Each client waits a little between its lists, as people do. ``python -m bench.desk write HOME SECONDS`` stores
invented orders for so long; ``python -m bench.desk HOME ORDERS SECONDS`` measures idle, then beside a writer.
"""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.full_sync import settings_of
from bench.invented import MALL, NOW, Invented, open_ingest, store
from hub.bootstrap import Hub, open_hub
from hub.desk.access import Actor, Role
from hub.desk.worklist.rows import Filters, read_worklist
from hub.policy.clock_file import standard_clocks
from hub.sync.ingest import Ingest

AIM_TIMES = 2.0
AIM_PLUS_MS = 10.0
_CLIENTS = 8
_PAUSE_SECONDS = 0.1
#: far behind the orders that the measuring process stored
_WRITTEN_FROM = 100_000_000
_AGENT = Actor(user_id=None, login="bench", name="bench", role=Role.AGENT)


class Latency(Struct, frozen=True, kw_only=True):
    """Of one list, in milliseconds."""

    lists: int
    p50_ms: float
    p99_ms: float


class Listed(Struct, frozen=True, kw_only=True):
    idle: Latency
    busy: Latency
    written: int


async def measure(home: Path, *, orders: int, seconds: float) -> Listed:
    async with open_hub(settings_of(home, None), now=lambda: NOW) as hub:
        ingest = await open_ingest(hub)
        for page in Invented(first=0, count=orders, total=orders).pages():
            await store(hub, ingest, page)
        await _clients(hub, seconds=1.0)
        idle = await _clients(hub, seconds=seconds)
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.desk", "write", str(home), str(seconds + 2), stdout=asyncio.subprocess.PIPE
        )
        if writer.stdout is not None:
            # Its first line says that it writes.
            await writer.stdout.readline()
        busy = await _clients(hub, seconds=seconds)
        output, _ = await writer.communicate()
    if writer.returncode != 0:
        message = "the writer broke off"
        raise RuntimeError(message)
    return Listed(idle=idle, busy=busy, written=int(output.split()[-1]))


async def _clients(hub: Hub, *, seconds: float) -> Latency:
    """Any error of the database ends the measurement: a locked one is not a slow one."""
    until = time.perf_counter() + seconds
    taken: list[float] = []

    async def client(number: int) -> None:
        await asyncio.sleep(_PAUSE_SECONDS * number / _CLIENTS)
        while time.perf_counter() < until:
            begun = time.perf_counter()
            await read_worklist(hub, actor=_AGENT, filters=Filters())
            taken.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(_PAUSE_SECONDS)

    await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
    taken.sort()
    return Latency(lists=len(taken), p50_ms=taken[len(taken) // 2], p99_ms=taken[int(len(taken) * 0.99)])


async def write(home: Path, *, seconds: float) -> int:
    """Store pages without a pause; returns how many orders."""
    written = 0
    async with open_hub(settings_of(home, None), now=lambda: NOW) as hub:
        shop = await hub.shop_store.named("invented")
        ingest = Ingest(hub.database, shop=shop, manifest=hub.registry.manifest(MALL), clocks=standard_clocks())
        until = time.perf_counter() + seconds
        for page in Invented(first=_WRITTEN_FROM, count=_WRITTEN_FROM, total=2 * _WRITTEN_FROM).pages():
            written += (await store(hub, ingest, page)).new
            if written == len(page):
                sys.stdout.write("writing\n")
                sys.stdout.flush()
            if time.perf_counter() > until:
                break
    return written


def lines(listed: Listed) -> list[str]:
    idle, busy = listed.idle, listed.busy
    aim = AIM_TIMES * idle.p99_ms + AIM_PLUS_MS
    line = (
        f"the desk's list, {_CLIENTS} clients: p99 {idle.p99_ms:.1f} ms idle, {busy.p99_ms:.1f} ms while a sync "
        f"writes (aim {aim:.1f}); p50 {idle.p50_ms:.1f} and {busy.p50_ms:.1f} ms; {busy.lists} lists, "
        f"{listed.written:,} orders written, no refusal"
    )
    return [line]


if __name__ == "__main__":
    if sys.argv[1] == "write":
        sys.stdout.write(f"{asyncio.run(write(Path(sys.argv[2]), seconds=float(sys.argv[3])))}\n")
    else:
        found = asyncio.run(measure(Path(sys.argv[1]), orders=int(sys.argv[2]), seconds=float(sys.argv[3])))
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
