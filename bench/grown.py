"""What a change costs in a small store and in a large one, and the memory of storing both.

A process of its own fills a SQLite file with invented orders and then changes a thousand lines spread over
all of them, three times with other lines; the least CPU time counts. ``python -m bench.grown FOLDER SMALL LARGE``.
"""

import asyncio
import random
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.full_sync import settings_of
from bench.invented import PAGE, Invented, open_ingest, reading, store
from bench.measure import cost
from hub.bootstrap import Hub, open_hub
from hub.sync.ingest import Ingest

AIM = 3.0
AIM_MEMORY = 1.2
_CHANGED = 1_000
_TRIES = 3


class Grown(Struct, frozen=True, kw_only=True):
    """``change_seconds`` of CPU for a thousand changed lines; ``peak_mib`` of the process so far."""

    orders: int
    change_seconds: float
    peak_mib: float


async def measure(folder: Path, sizes: list[int]) -> list[Grown]:
    """One entry per size; each store is the one before, filled up."""
    found: list[Grown] = []
    async with open_hub(settings_of(folder, None)) as hub:
        ingest = await open_ingest(hub)
        filled = 0
        for size in sizes:
            for page in Invented(first=filled, count=size - filled, total=sizes[-1]).pages():
                await store(hub, ingest, page)
            filled = size
            tries = [await _change(hub, ingest, size, total=sizes[-1], turn=turn) for turn in range(_TRIES)]
            found.append(Grown(orders=size, change_seconds=min(tries), peak_mib=cost().peak_mib))
    return found


async def _change(hub: Hub, ingest: Ingest, size: int, *, total: int, turn: int) -> float:
    """CPU seconds of reading a thousand lines whose status moved."""
    numbers = random.Random(turn).sample(range(size), _CHANGED)
    readings = [reading(number, total=total, raw_status=f"MOVED {size} {turn}") for number in numbers]
    changed = 0
    begun = time.process_time()
    for start in range(0, _CHANGED, PAGE):
        changed += (await store(hub, ingest, readings[start : start + PAGE])).changed
    seconds = time.process_time() - begun
    if changed != _CHANGED:
        message = f"{changed} lines changed instead of {_CHANGED}"
        raise RuntimeError(message)
    return seconds


def lines(found: list[Grown]) -> list[str]:
    small, large = found[0], found[-1]
    ratio = large.change_seconds / small.change_seconds
    memory = large.peak_mib / small.peak_mib
    changed = (
        f"{_CHANGED:,} changed lines: {small.change_seconds:.3f} s CPU at {small.orders:,} orders stored, "
        f"{large.change_seconds:.3f} s at {large.orders:,} = {ratio:.2f} (aim {AIM})"
    )
    stored = (
        f"  memory of storing them: {small.peak_mib:.0f} MiB -> {large.peak_mib:.0f} MiB = {memory:.2f} "
        f"(aim {AIM_MEMORY} from 100,000 to 1,000,000)"
    )
    return [changed, stored]


if __name__ == "__main__":
    where, *counts = sys.argv[1:]
    grown = asyncio.run(measure(Path(where), [int(count) for count in counts]))
    sys.stdout.write(msgspec.json.encode(grown).decode() + "\n")
