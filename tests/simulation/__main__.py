"""`python -m tests.simulation --nights N`: shop-nights by seed; names the seeds that fail.

One seed again, step by step: `--first SEED --nights 1 --journals FOLDER`. On SQLite it is the very same
night; on PostgreSQL (every tenth seed) the server answers in an order of its own.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from hub.store import schema
from hub.store.box import load_box
from hub.store.database import open_database
from tests.postgres import Server, running_server
from tests.simulation.deeds import act_alone
from tests.simulation.kills import kill_often
from tests.simulation.night import SHOPS_A_NIGHT, live_alone

#: one night in so many is lived on PostgreSQL
_ON_POSTGRESQL = 10


def main() -> int:
    """Exit code 1 when any night went wrong, or all of them took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--nights", type=int, default=1000, help="shop-nights, three to a seed (default 1000)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--kills", type=int, default=0, help="besides, kill so many real runs with SIGKILL (default 0)")
    parser.add_argument("--actions", type=int, default=0, help="besides, act so often on bad lines (default 0)")
    parser.add_argument("--processes", type=int, default=2, help="worked side by side (default 2)")
    parser.add_argument("--minutes", type=float, default=20, help="fail when it takes longer (default 20)")
    parser.add_argument("--journals", type=Path, help="write down every call of every night in this folder")
    arguments = parser.parse_args()
    # Sets of words are walked in an order that Python draws for each process.
    os.environ["PYTHONHASHSEED"] = "0"
    seeds = range(arguments.first, arguments.first + -(-arguments.nights // SHOPS_A_NIGHT))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hub-nights-") as folder, running_server() as server:
        failed = _live_all(seeds, Path(folder), server, processes=arguments.processes, journals=arguments.journals)
        if arguments.kills:
            _kill(Path(folder), server, kills=arguments.kills, seed=arguments.first)
        if arguments.actions:
            _act(Path(folder), count=arguments.actions, seed=arguments.first)
    minutes = (time.monotonic() - begun) / 60
    _say(f"{len(seeds) * SHOPS_A_NIGHT} shop-nights in {minutes:.1f} minutes, wrong seeds: {sorted(failed) or 'none'}")
    return 1 if failed or minutes > arguments.minutes else 0


def _live_all(seeds: range, folder: Path, server: Server, *, processes: int, journals: Path | None) -> list[int]:
    template = folder / "template.db"
    _migrate(f"sqlite:///{template}", folder)
    postgres = server.create()
    _migrate(postgres, folder)
    failed = []
    # A pool that forks would take the server's connections with it.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        runs = {}
        for seed in seeds:
            url = server.create(template=postgres) if seed % _ON_POSTGRESQL == 0 else ""
            runs[pool.submit(live_alone, seed, folder, template, url)] = (seed, url)
        for count, run in enumerate(as_completed(runs), start=1):
            seed, url = runs[run]
            if url:
                server.drop(url)
            lived = run.result()
            if lived.story:
                failed.append(seed)
                _say(lived.story)
            if journals is not None:
                journals.mkdir(parents=True, exist_ok=True)
                (journals / f"{seed}.txt").write_text("\n".join(lived.journal), encoding="utf-8")
            if count % 20 == 0:
                _say(f"{count * SHOPS_A_NIGHT} shop-nights, wrong seeds: {sorted(failed) or 'none'}")
    return failed


def _kill(folder: Path, server: Server, *, kills: int, seed: int) -> None:
    """Half of them on each database. Raises: AssertionError naming the first difference."""
    for name, url, share in (
        ("sqlite", f"sqlite:///{folder / 'killed.db'}", kills - kills // 2),
        ("postgresql", server.create(), kills // 2),
    ):
        died = asyncio.run(kill_often(folder / f"killed-{name}", url, kills=share, seed=seed))
        _say(f"{name}: {len(died)} runs killed, the truth is whole ({', '.join(died)} calls)")


def _act(folder: Path, *, count: int, seed: int) -> None:
    """Raises: AssertionError naming what was done twice, or not as it was said."""
    outcomes = act_alone(folder / "acting", count=count, seed=seed)
    told = ", ".join(f"{what} {times}" for what, times in sorted(outcomes.items()))
    _say(f"{sum(outcomes.values())} actions, none twice, none lost, none unknown ({told})")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _migrate(url: str, home: Path) -> None:
    async def migrate() -> None:
        database = open_database(url, load_box(home / "keys.json"))
        await schema.upgrade(database)
        await database.aclose()

    asyncio.run(migrate())


if __name__ == "__main__":
    sys.exit(main())
