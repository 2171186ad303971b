"""Section ``calls``: a million lines of a PBX's log read, sealed, stored and made into calls."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench.measure import cost
from hub.store.box import load_box
from hub.store.database import open_database
from hub.store.schema import upgrade
from hub.sync.calls import CallImport
from ivr import demo_spec_text
from ivr.check import load_spec
from ivr.demo_day import write_days
from ivr.spec import routes_from_spec

AIM_SECONDS: Final = 60.0
AIM_MIB: Final = 150.0
_FIRST: Final = date(2026, 1, 5)
_CALLS_A_DAY: Final = 1_000


class Imported(Struct, frozen=True, kw_only=True):
    """``*_seconds`` are CPU time, ``wall_seconds`` what a clock on the wall showed."""

    lines: int
    calls: int
    storing_seconds: float
    deriving_seconds: float
    wall_seconds: float
    peak_mib: float


def write_log(path: Path, *, lines: int) -> None:
    """Half a year and more of the demo centre."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(islice(_lines(), lines))


def _lines() -> Iterator[str]:
    spec = load_spec(demo_spec_text(), source="demo.yaml")
    day = _FIRST
    while True:
        yield from write_days(spec, first=day, last=day, seed=3, calls_per_day=_CALLS_A_DAY)
        day += timedelta(days=1)


async def read(log: Path, home: Path) -> Imported:
    database = open_database(f"sqlite:///{home / 'calls.db'}", load_box(home / "keys.json"))
    async with aclosing(database):
        await upgrade(database)
        records = CallImport(database, routes_from_spec(load_spec(demo_spec_text(), source="demo.yaml")))
        begun, wall = cost().cpu_seconds, time.perf_counter()
        with log.open(encoding="utf-8", errors="replace") as lines:
            report = await records.read_file(log.name, lines)
        stored = cost().cpu_seconds
        calls = await records.derive()
        ended = cost()
    return Imported(
        lines=report.lines,
        calls=calls,
        storing_seconds=stored - begun,
        deriving_seconds=ended.cpu_seconds - stored,
        wall_seconds=time.perf_counter() - wall,
        peak_mib=ended.peak_mib,
    )


def lines_of(found: Imported) -> list[str]:
    """For people."""
    cpu = found.storing_seconds + found.deriving_seconds
    return [
        f"calls: {found.lines:,} lines of queue_log, {found.calls:,} calls, SQLite",
        f"  stored   {found.storing_seconds:.1f} s CPU",
        f"  derived  {found.deriving_seconds:.1f} s CPU",
        f"  together {cpu:.1f} s CPU (aim {AIM_SECONDS:g}), {found.wall_seconds:.1f} s on the clock",
        f"  memory   {found.peak_mib:.0f} MiB (aim {AIM_MIB:g})",
    ]


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(asyncio.run(read(Path(sys.argv[1]), Path(sys.argv[2])))).decode() + "\n")
