"""``python -m bench``: what the hub costs, in sections that print ratios of one run beside their aims.

Section ``sync``: a full sync of all emulated malls beside a lower bound, then the same sync again. The malls,
the hub and the lower bound are processes of their own; only the CPU time of the reading process counts
(user + system, on PostgreSQL the server's too), so other work on the machine and the malls' own rendering
do not.
"""

import argparse
import asyncio
import compileall
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bench import call_records, desk, desk_pages, dlt_load, grown, pop, search, shops, stats
from bench.again import AIM as AIM_AGAIN
from bench.again import Reread
from bench.equality import compare
from bench.full_sync import Synced
from bench.lower_bound import Bound
from bench.mapping import report as mapping
from bench.policy import report as policy
from bench.rate import report as pacing
from bench.required import Required
from bench.routing import report as routing
from bench.server_cost import server_seconds
from tests.postgres import Server, running_server

T = TypeVar("T")

_AIM = {"sqlite": 3.0, "postgresql": 3.5}
_AIM_MIB = 200
_PATIENCE_SECONDS = 600.0


class Measured(Struct, frozen=True, kw_only=True):
    """``*_server`` are CPU seconds of the PostgreSQL server, 0 on SQLite and where it runs elsewhere."""

    database: str
    orders: int
    hub: Synced
    hub_server: float
    again: Reread
    again_server: float
    bound: Bound
    bound_server: float
    required: Required | None
    is_equal: bool | None

    @property
    def hub_seconds(self) -> float:
        return self.hub.cost.cpu_seconds + self.hub_server

    @property
    def bound_seconds(self) -> float:
        return self.bound.cost.cpu_seconds + self.bound_server

    @property
    def ratio(self) -> float:
        return self.hub_seconds / self.bound_seconds

    @property
    def ratio_again(self) -> float:
        return (self.again.cost.cpu_seconds + self.again_server) / self.hub_seconds


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


SECTIONS = (
    "sync",
    "mapping",
    "pacing",
    "grown",
    "shops",
    "desk",
    "dlt",
    "routing",
    "policy",
    "calls",
    "pop",
    "search",
    "pages",
    "stats",
)


async def main(arguments: argparse.Namespace) -> int:
    chosen = arguments.sections.split(",")
    if unknown := set(chosen) - set(SECTIONS):
        say(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
        return 2
    is_good = True
    _compile()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        if "sync" in chosen:
            is_good = await _sync(Path(folder), arguments)
        if "calls" in chosen:
            log = Path(folder) / "queue_log"
            call_records.write_log(log, lines=arguments.log_lines)
            imported = await _child(call_records.Imported, "bench.call_records", str(log), folder)
            say("\n".join(call_records.lines_of(imported)))
        if "pop" in chosen:
            say("\n".join(pop.lines_of(await _child(pop.Popped, "bench.pop", "--json"))))
        if "stats" in chosen:
            for database in _databases(arguments):
                say("\n".join(await stats.report(arguments.events, is_postgresql=database == "postgresql")))
        if "search" in chosen:
            say("\n".join(await _over_large(Path(folder), arguments, what="search")))
        if "pages" in chosen:
            say("\n".join(await _over_large(Path(folder), arguments, what="pages")))
        if "mapping" in chosen:
            say("\n".join(await mapping()))
        if "pacing" in chosen:
            say("\n".join(await pacing()))
        if "grown" in chosen:
            say("\n".join(await _grown(Path(folder), arguments)))
        if "shops" in chosen:
            say("\n".join(await _shops(Path(folder), arguments)))
        if "desk" in chosen:
            home, seconds = str(Path(folder, "desk")), str(arguments.seconds)
            found = await _child(desk.Listed, "bench.desk", home, str(arguments.stored // 5), seconds)
            say("\n".join(desk.lines(found)))
        if "routing" in chosen:
            say("\n".join(routing()))
        if "policy" in chosen:
            say("\n".join(policy()))
        if "dlt" in chosen:
            await _dlt(Path(folder), arguments)
    return 0 if is_good else 1


def _compile() -> None:
    """As installing does, also where the environment forbids Python to keep its byte code."""
    for package in ("bench", "connectors", "hub", "ivr", "routing"):
        compileall.compile_dir(Path(__file__).parents[1] / package, quiet=1)


async def _sync(folder: Path, arguments: argparse.Namespace) -> bool:
    """Returns whether every run was complete and every row right."""
    wanted = _databases(arguments)
    sizes = sorted({max(1, arguments.orders // 10), arguments.orders}) if arguments.flat else [arguments.orders]
    with _postgres(needed="postgresql" in wanted) as server:
        measured = [
            await _best(folder, orders=orders, database=database, server=server, arguments=arguments)
            for database in wanted
            for orders in sizes
        ]
    say()
    for database in wanted:
        of_database = [each for each in measured if each.database == database]
        largest = of_database[-1]
        peaks = " -> ".join(f"{each.hub.cost.peak_mib:.0f} MiB at {each.orders:,}" for each in of_database)
        say(f"{database}: CPU ratio {largest.ratio:.2f} (aim {_AIM[database]}), memory {peaks} (aim {_AIM_MIB} MiB)")
        say(
            f"{database}: read again, nothing changed: {largest.ratio_again:.2f} of the CPU of writing "
            f"(aim {AIM_AGAIN}), {largest.again.touched} records written (aim 0)"
        )
        if parts := largest.required:
            say(
                f"{database}: what must be stored by hand: {parts.rows:,} rows {parts.writing:.2f} s, seals "
                f"{parts.sealing:.2f}, blind indexes {parts.indexing:.2f}, digests {parts.digesting:.2f}: the hub "
                f"takes {largest.hub_seconds / (largest.bound_seconds + parts.seconds):.2f} x the bound with these"
            )
    return all(each.hub.complete and each.again.complete and each.is_equal is not False for each in measured)


def _databases(arguments: argparse.Namespace) -> list[str]:
    return ["sqlite", "postgresql"] if arguments.database == "both" else [arguments.database]


async def _dlt(folder: Path, arguments: argparse.Namespace) -> None:
    if not dlt_load.is_installed():
        say(dlt_load.ABSENT)
        return
    wanted = _databases(arguments)
    with _postgres(needed="postgresql" in wanted) as server:
        for database in wanted:
            say(await _beside_dlt(folder, orders=arguments.orders, database=database, server=server))


async def _beside_dlt(folder: Path, *, orders: int, database: str, server: Server | None) -> str:
    """The hub reads the malls, then dlt makes the same calls and loads what comes."""
    work = Path(tempfile.mkdtemp(dir=folder))
    of_hub, of_dlt = (server.create() if database == "postgresql" and server else None for _ in range(2))
    at = datetime.now(UTC).replace(microsecond=0)
    home, table, into = str(work / "home"), str(work / "shops.toml"), [of_hub] if of_hub else []
    async with _serving(work, orders=orders, at=at) as roots:
        hub, hub_server = await _with_server(
            of_hub, _child(Synced, "bench.full_sync", home, table, at.isoformat(), *into)
        )
        calls = work / "calls.made"
        shutil.copyfile(work / "calls", calls)
        target = of_dlt or f"sqlite:///{work}/dlt.db"
        shops_at = [f"{shop}={root}" for shop, root in roots.items()]
        loaded, loaded_server = await _with_server(
            of_dlt, _child(dlt_load.Loaded, "bench.dlt_load", str(calls), target, str(work / "dlt"), *shops_at)
        )
    shutil.rmtree(work)
    ratio = (loaded.cost.cpu_seconds + loaded_server) / (hub.cost.cpu_seconds + hub_server)
    return (
        f"{database}: dlt {loaded.cost.cpu_seconds:.2f} s CPU{_beside(loaded_server)}, {loaded.cost.peak_mib:.0f} MiB, "
        f"{loaded.calls} calls, {loaded.records:,} records, {loaded.rows:,} rows; "
        f"hub {hub.cost.cpu_seconds:.2f} s{_beside(hub_server)}, {hub.cost.peak_mib:.0f} MiB, {hub.read:,} records "
        f"at {orders:,} orders: {ratio:.1f} times the CPU of the hub (aim {dlt_load.AIM[database]:.0f})"
    )


async def _grown(folder: Path, arguments: argparse.Namespace) -> list[str]:
    sizes = [str(size) for size in (arguments.stored // 10, arguments.stored)]
    return grown.lines(await _child(list[grown.Grown], "bench.grown", str(folder / "grown"), *sizes))


async def _over_large(folder: Path, arguments: argparse.Namespace, *, what: str) -> list[str]:
    """The search box, or the pages of the desk, over the same store on each database."""
    wanted = _databases(arguments)
    home, stored = str(folder / "large"), str(arguments.stored // 10)
    said: list[str] = []
    with _postgres(needed="postgresql" in wanted) as server:
        for database in wanted:
            into = [server.create()] if database == "postgresql" and server else []
            if what == "search":
                said += search.lines_of(await _child(search.Found, "bench.search", home, stored, *into))
            else:
                said += desk_pages.lines_of(await _child(desk_pages.Paged, "bench.desk_pages", home, stored, *into))
    return said


async def _shops(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """All at once from malls of their own, then the slowest alone from fresh ones."""

    async def read(name: str, *only: str) -> shops.Read:
        work = folder / name
        work.mkdir()
        serving = [sys.executable, "-m", "bench.shops", "serve", str(work), str(arguments.shop_orders), str(_PORT)]
        async with _running(work, *serving):
            return await _child(shops.Read, "bench.shops", "read", str(work / "home"), str(work / "shops.toml"), *only)

    together = await read("together")
    return shops.lines(together, await read("alone", shops.slowest(together)))


async def _best(
    folder: Path, *, orders: int, database: str, server: Server | None, arguments: argparse.Namespace
) -> Measured:
    """The repetition in which hub and bound were least disturbed, each by itself."""
    runs = [
        await _measure(folder, orders=orders, database=database, server=server, checked=arguments.check)
        for _ in range(arguments.repeat)
    ]
    return msgspec.structs.replace(
        min(runs, key=lambda run: run.hub_seconds),
        bound=(least := min(runs, key=lambda run: run.bound_seconds)).bound,
        bound_server=least.bound_server,
        is_equal=None if runs[0].is_equal is None else all(run.is_equal for run in runs),
    )


async def _measure(folder: Path, *, orders: int, database: str, server: Server | None, checked: bool) -> Measured:
    work = Path(tempfile.mkdtemp(dir=folder))
    url = server.create() if database == "postgresql" and server else None
    bound_url = server.create() if database == "postgresql" and server else str(work / "bound.db")
    at = datetime.now(UTC).replace(microsecond=0)
    home, table, into = str(work / "home"), str(work / "shops.toml"), [url] if url else []
    async with _serving(work, orders=orders, at=at) as roots:
        hub, hub_server = await _with_server(url, _child(Synced, "bench.full_sync", home, table, at.isoformat(), *into))
        # Made again by the lower bound, while what it makes itself goes on to be written down.
        calls = work / "calls.made"
        shutil.copyfile(work / "calls", calls)
        again, again_server = await _with_server(url, _child(Reread, "bench.again", home, at.isoformat(), *into))
        bound, bound_server = await _with_server(
            url,
            _child(
                Bound, "bench.lower_bound", str(calls), bound_url, *(f"{shop}={root}" for shop, root in roots.items())
            ),
        )
    required = None if url else await _child(Required, "bench.required", home)
    say(
        f"{database} {orders:,} orders: hub {hub.cost.cpu_seconds:.2f} s CPU{_beside(hub_server)}, "
        f"{hub.cost.peak_mib:.0f} MiB, {hub.calls} calls, {hub.read:,} records; "
        f"again {again.cost.cpu_seconds:.2f} s{_beside(again_server)}, {again.touched} written; "
        f"bound {bound.cost.cpu_seconds:.2f} s{_beside(bound_server)}, "
        f"{bound.cost.peak_mib:.0f} MiB, {bound.calls} calls, {bound.rows:,} rows"
    )
    is_equal = None
    if checked:
        compared = await compare(work / "truth.jsonl", work / "home", url)
        is_equal = all(each.is_equal for each in compared)
        for each in compared:
            say(
                f"  {each.kind}: {each.true:,} true rows, missing {each.missing}, extra {each.extra}, "
                f"different {dict(each.different)}"
            )
    shutil.rmtree(work)
    return Measured(
        database=database,
        orders=orders,
        hub=hub,
        hub_server=hub_server,
        again=again,
        again_server=again_server,
        bound=bound,
        bound_server=bound_server,
        required=required,
        is_equal=is_equal,
    )


async def _with_server(url: str | None, work: Awaitable[T]) -> tuple[T, float]:
    """The result, and what the PostgreSQL server worked meanwhile."""
    before = server_seconds(url) if url else None
    result = await work
    after = server_seconds(url) if url else None
    return result, 0.0 if before is None or after is None else after - before


def _beside(server: float) -> str:
    return f" + {server:.2f} s of the server" if server else ""


@asynccontextmanager
async def _serving(work: Path, *, orders: int, at: datetime) -> AsyncIterator[dict[str, str]]:
    """The malls, until the block ends. Gives shop -> scheme, host and port."""
    serving = [sys.executable, "-m", "bench.malls", str(work), str(orders), at.isoformat(), str(_PORT)]
    async with _running(work, *serving):
        tables = tomllib.loads((work / "shops.toml").read_text(encoding="utf-8"))["shop"]
        yield {shop["name"]: "http://" + urlsplit(shop["base_url"]).netloc for shop in tables}


@asynccontextmanager
async def _running(work: Path, *command: str) -> AsyncIterator[None]:
    """A process that serves malls and says so by the file of their shops in ``work``."""
    malls = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (work / "shops.toml").exists():
                if malls.returncode is not None:
                    message = f"the emulated malls ended with {malls.returncode}"
                    raise RuntimeError(message)
                await asyncio.sleep(0.1)
        yield
    finally:
        if malls.returncode is None:
            malls.terminate()
            await malls.wait()


_PORT = int(os.environ.get("BENCH_PORT", "9301"))


async def _child(kind: type[T], module: str, *arguments: str) -> T:
    """Run a module; its last line of output is the answer."""
    command = [sys.executable, *os.environ.get("BENCH_PYTHON", "").split(), "-m", module, *arguments]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    if child.returncode != 0:
        message = f"{module} ended with {child.returncode}"
        raise RuntimeError(message)
    return msgspec.json.decode(output.splitlines()[-1], type=kind)


@contextmanager
def _postgres(*, needed: bool) -> Iterator[Server | None]:
    if not needed:
        yield None
        return
    with running_server() as server:
        yield server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sections", default=",".join(SECTIONS), help="some of the default, separated by commas")
    parser.add_argument("--orders", type=int, default=20_000, help="sync: orders over 90 days (default 20,000)")
    parser.add_argument("--stored", type=int, default=100_000, help="grown: orders in the large store (100,000)")
    parser.add_argument("--shop-orders", type=int, default=1_000, help="shops: orders of the ten together (1,000)")
    parser.add_argument("--log-lines", type=int, default=1_000_000, help="calls: lines of the log (1,000,000)")
    parser.add_argument("--events", type=int, default=100_000, help="stats: inquiries and calls (100,000)")
    parser.add_argument("--seconds", type=float, default=15.0, help="desk: how long lists are read, twice (15)")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--repeat", type=int, default=1, help="take the least CPU time of so many runs")
    parser.add_argument("--flat", action=argparse.BooleanOptionalAction, default=True, help="also a tenth of the size")
    parser.add_argument("--check", action=argparse.BooleanOptionalAction, default=True, help="compare every row")
    return parser


if __name__ == "__main__":
    sys.exit(asyncio.run(main(_parser().parse_args())))
