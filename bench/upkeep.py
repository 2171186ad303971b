"""What keeping the counts of the statistics costs a whole sync: full syncs with and without them, turn by turn.

``python -m bench.upkeep ORDERS [PAIRS]``. Each sync is a process of its own on an empty SQLite file; the malls are
another. A machine that is busy slows both kinds alike, so the middle of the differences within the pairs is told.
Beside it stands the CPU that passed while counts were written, which work of other shops at that time makes too large.
"""

import asyncio
import statistics
import sys
import tempfile
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.full_sync import Synced, sync
from hub.store import records

_PORT = 9461
_PATIENCE_SECONDS = 600
AIM = 0.05


class Pair(Struct, frozen=True, kw_only=True):
    """Seconds of CPU of a sync with the counts, of one without, and while the counts were written."""

    kept: float
    without: float
    counting: float

    @property
    def share(self) -> float:
        return (self.kept - self.without) / self.without


class Spent(Struct, frozen=True, kw_only=True):
    synced: Synced
    counting: float


async def measure(orders: int, pairs: int) -> list[Pair]:
    at = datetime.now(UTC).replace(microsecond=0)
    found = []
    for pair in range(pairs):
        # The second of a pair finds a warmer machine: turn about.
        spent = {is_kept: await _synced(orders, at, is_kept=is_kept) for is_kept in (bool(pair % 2), not pair % 2)}
        kept = spent[True]
        found.append(
            Pair(
                kept=kept.synced.cost.cpu_seconds,
                without=spent[False].synced.cost.cpu_seconds,
                counting=kept.counting,
            )
        )
    return found


async def _synced(orders: int, at: datetime, *, is_kept: bool) -> Spent:
    """Malls of its own for each sync: they take a token once."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        work = Path(folder)
        malls = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.malls", folder, str(orders), at.isoformat(), str(_PORT)
        )
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not (work / "shops.toml").exists():
                    if malls.returncode is not None:
                        raise RuntimeError("the emulated malls ended")
                    await asyncio.sleep(0.1)
            return await _child(work, at, is_kept=is_kept)
        finally:
            if malls.returncode is None:
                malls.terminate()
                await malls.wait()


async def _child(work: Path, at: datetime, *, is_kept: bool) -> Spent:
    home = work / "home"
    home.mkdir()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.upkeep", str(home), str(work / "shops.toml"), at.isoformat(), str(int(is_kept)),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await child.communicate()
    spent = msgspec.json.decode(output.splitlines()[-1], type=Spent)
    if not spent.synced.complete:
        raise RuntimeError("a sync was not complete")
    return spent


async def _sync(work: Path, shops: list[dict[str, Any]], at: datetime, *, is_kept: bool) -> Spent:
    own, counting = records.add_inquiries, 0.0

    async def counted(*given: object, **named: object) -> None:
        nonlocal counting
        begun = time.process_time()
        if is_kept:
            await own(*given, **named)
        counting += time.process_time() - begun

    records.add_inquiries = counted
    synced = await sync(work, shops, at, None)
    return Spent(synced=synced, counting=counting)


def line_of(found: list[Pair]) -> str:
    shares = [pair.share for pair in found]
    kept = statistics.median(pair.kept for pair in found)
    most = statistics.median(pair.counting / pair.kept for pair in found)
    of_pairs = f"{statistics.median(shares):.1%}, pairs from {min(shares):.1%} to {max(shares):.1%}"
    return (
        f"full sync with the counts kept {kept:.2f} s of CPU ({len(found)} pairs): upkeep {of_pairs}; "
        f"at most {most:.1%} passed while counts were written (aim {AIM:.0%})"
    )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        where, shops, moment, kept = sys.argv[1:]
        tables = tomllib.loads(Path(shops).read_text(encoding="utf-8"))["shop"]
        spent = asyncio.run(_sync(Path(where), tables, datetime.fromisoformat(moment), is_kept=kept == "1"))
        sys.stdout.write(msgspec.json.encode(spent).decode() + "\n")
    else:
        pairs = asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 5))
        sys.stdout.write(line_of(pairs) + "\n")
