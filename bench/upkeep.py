"""What keeping the counts of the statistics costs a whole sync: full syncs with and without them, turn by turn.

``python -m bench.upkeep ORDERS [PAIRS]``. Each sync is a process of its own on an empty SQLite file; the malls are
another. A machine that is busy slows both kinds alike, so the middle of the differences within the pairs is told.
"""

import asyncio
import statistics
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.full_sync import Synced, sync
from hub.store import records

_PORT = 9461
_PATIENCE_SECONDS = 600
AIM = 0.05


async def measure(orders: int, pairs: int) -> list[tuple[float, float]]:
    """Seconds of CPU with and without the counts, of each pair."""
    at = datetime.now(UTC).replace(microsecond=0)
    found = []
    for pair in range(pairs):
        # The second of a pair finds a warmer machine: turn about.
        spent = {is_kept: await _synced(orders, at, is_kept=is_kept) for is_kept in (bool(pair % 2), not pair % 2)}
        found.append((spent[True], spent[False]))
    return found


async def _synced(orders: int, at: datetime, *, is_kept: bool) -> float:
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


async def _child(work: Path, at: datetime, *, is_kept: bool) -> float:
    home = work / "home"
    home.mkdir()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.upkeep", str(home), str(work / "shops.toml"), at.isoformat(), str(int(is_kept)),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await child.communicate()
    synced = msgspec.json.decode(output.splitlines()[-1], type=Synced)
    if not synced.complete:
        raise RuntimeError("a sync was not complete")
    return synced.cost.cpu_seconds


async def _nothing(*given: object, **named: object) -> None:
    del given, named


def line_of(found: list[tuple[float, float]]) -> str:
    shares = [(kept - without) / without for kept, without in found]
    kept, without = (statistics.median(each) for each in zip(*found, strict=True))
    return (
        f"full sync with the counts kept {kept:.2f} s of CPU, without {without:.2f} s ({len(found)} pairs): upkeep "
        f"{statistics.median(shares):.1%} (aim {AIM:.0%}), pairs from {min(shares):.1%} to {max(shares):.1%}"
    )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        where, shops, moment, is_kept = sys.argv[1:]
        if is_kept == "0":
            records.add_inquiries = _nothing
        tables = tomllib.loads(Path(shops).read_text(encoding="utf-8"))["shop"]
        synced = asyncio.run(sync(Path(where), tables, datetime.fromisoformat(moment), None))
        sys.stdout.write(msgspec.json.encode(synced).decode() + "\n")
    else:
        pairs = asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 5))
        sys.stdout.write(line_of(pairs) + "\n")
