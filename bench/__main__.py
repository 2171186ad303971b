"""``python -m bench``: a full sync of all emulated malls, beside a lower bound, as ratios of one run.

The malls, the hub and the lower bound are processes of their own; only the CPU time of the reading
process counts (user + system), so other work on the machine and the malls' own rendering do not.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bench.equality import compare
from bench.full_sync import Synced
from bench.lower_bound import Bound
from bench.mapping import report as mapping
from bench.rate import report as pacing
from tests.postgres import Server, running_server

S = TypeVar("S", bound=Struct)

_AIM = {"sqlite": 3.0, "postgresql": 3.5}
_AIM_MIB = 200
_PATIENCE_SECONDS = 600.0


class Measured(Struct, frozen=True, kw_only=True):
    database: str
    orders: int
    hub: Synced
    bound: Bound
    is_equal: bool | None

    @property
    def ratio(self) -> float:
        return self.hub.cost.cpu_seconds / self.bound.cost.cpu_seconds


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def main(arguments: argparse.Namespace) -> int:
    wanted = ["sqlite", "postgresql"] if arguments.database == "both" else [arguments.database]
    sizes = sorted({max(1, arguments.orders // 10), arguments.orders}) if arguments.flat else [arguments.orders]
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder, _postgres(needed="postgresql" in wanted) as server:
        measured = [
            await _best(Path(folder), orders=orders, database=database, server=server, arguments=arguments)
            for database in wanted
            for orders in sizes
        ]
    say()
    for database in wanted:
        of_database = [each for each in measured if each.database == database]
        largest = of_database[-1]
        peaks = " -> ".join(f"{each.hub.cost.peak_mib:.0f} MiB at {each.orders:,}" for each in of_database)
        say(f"{database}: CPU ratio {largest.ratio:.2f} (aim {_AIM[database]}), memory {peaks} (aim {_AIM_MIB} MiB)")
    for line in (*await mapping(), *await pacing()):
        say(line)
    return 0 if all(each.hub.complete and each.is_equal is not False for each in measured) else 1


async def _best(
    folder: Path, *, orders: int, database: str, server: Server | None, arguments: argparse.Namespace
) -> Measured:
    """The repetition in which hub and bound were least disturbed, each by itself."""
    runs = [
        await _measure(folder, orders=orders, database=database, server=server, checked=arguments.check)
        for _ in range(arguments.repeat)
    ]
    return msgspec.structs.replace(
        min(runs, key=lambda run: run.hub.cost.cpu_seconds),
        bound=min((run.bound for run in runs), key=lambda bound: bound.cost.cpu_seconds),
        is_equal=None if runs[0].is_equal is None else all(run.is_equal for run in runs),
    )


async def _measure(folder: Path, *, orders: int, database: str, server: Server | None, checked: bool) -> Measured:
    work = Path(tempfile.mkdtemp(dir=folder))
    url = server.create() if database == "postgresql" and server else None
    bound_url = server.create() if database == "postgresql" and server else str(work / "bound.db")
    at = datetime.now(UTC).replace(microsecond=0)
    async with _serving(work, orders=orders, at=at) as roots:
        hub = await _child(
            Synced,
            "bench.full_sync",
            str(work / "home"),
            str(work / "shops.toml"),
            at.isoformat(),
            *([url] if url else []),
        )
        # Made again by the lower bound, while what it makes itself goes on to be written down.
        calls = work / "calls.made"
        shutil.copyfile(work / "calls", calls)
        bound = await _child(
            Bound, "bench.lower_bound", str(calls), bound_url, *(f"{shop}={root}" for shop, root in roots.items())
        )
    say(
        f"{database} {orders:,} orders: hub {hub.cost.cpu_seconds:.2f} s CPU, {hub.cost.peak_mib:.0f} MiB, "
        f"{hub.calls} calls, {hub.read:,} records; bound {bound.cost.cpu_seconds:.2f} s, "
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
    return Measured(database=database, orders=orders, hub=hub, bound=bound, is_equal=is_equal)


@asynccontextmanager
async def _serving(work: Path, *, orders: int, at: datetime) -> AsyncIterator[dict[str, str]]:
    """The malls, until the block ends. Gives shop -> scheme, host and port."""
    malls = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.malls", str(work), str(orders), at.isoformat(), str(_PORT)
    )
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (work / "shops.toml").exists():
                if malls.returncode is not None:
                    message = f"the emulated malls ended with {malls.returncode}"
                    raise RuntimeError(message)
                await asyncio.sleep(0.1)
        shops = tomllib.loads((work / "shops.toml").read_text(encoding="utf-8"))["shop"]
        yield {shop["name"]: "http://" + urlsplit(shop["base_url"]).netloc for shop in shops}
    finally:
        if malls.returncode is None:
            malls.terminate()
            await malls.wait()


_PORT = int(os.environ.get("BENCH_PORT", "9301"))


async def _child(kind: type[S], module: str, *arguments: str) -> S:
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
    parser.add_argument("--orders", type=int, default=100_000, help="orders over 90 days (default 100,000)")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--repeat", type=int, default=1, help="take the least CPU time of so many runs")
    parser.add_argument("--flat", action=argparse.BooleanOptionalAction, default=True, help="also a tenth of the size")
    parser.add_argument("--check", action=argparse.BooleanOptionalAction, default=True, help="compare every row")
    return parser


if __name__ == "__main__":
    sys.exit(asyncio.run(main(_parser().parse_args())))
