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
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from hub.store import schema
from hub.store.box import load_box
from hub.store.database import open_database
from tests.postgres import Server, running_server
from tests.simulation.deeds import tell_actions
from tests.simulation.kills import tell_kills
from tests.simulation.night import SHOPS_A_NIGHT, Lived, live_alone

#: one night in so many is lived on PostgreSQL
_ON_POSTGRESQL = 10
#: seconds between two words about how far it is
_TELL_EVERY = 30.0


def main() -> int:
    """Exit code 1 when anything went wrong, or not all of it was done in time."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--nights", type=int, default=1000, help="shop-nights, three to a seed (default 1000)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--kills", type=int, default=0, help="besides, kill so many real runs with SIGKILL (default 0)")
    parser.add_argument("--actions", type=int, default=0, help="besides, act so often on bad lines (default 0)")
    parser.add_argument("--processes", type=int, default=2, help="worked side by side (default 2)")
    parser.add_argument("--minutes", type=float, default=25, help="no night is begun after these (default 25)")
    parser.add_argument("--journals", type=Path, help="write down every call of every night in this folder")
    arguments = parser.parse_args()
    # Sets of words are walked in an order that Python draws for each process.
    os.environ["PYTHONHASHSEED"] = "0"
    seeds = range(arguments.first, arguments.first + -(-arguments.nights // SHOPS_A_NIGHT))
    with tempfile.TemporaryDirectory(prefix="hub-nights-") as folder, running_server() as server:
        shift = Shift(Path(folder), server, seeds, minutes=arguments.minutes, journals=arguments.journals)
        # The long ones first; the nights fill what is left.
        others: list[Job] = []
        if count := arguments.kills:
            kill = partial(tell_kills, shift.folder, server.create(), kills=count, seed=arguments.first)
            others.append(Job("kills", kill))
        if count := arguments.actions:
            act = partial(tell_actions, shift.folder / "acting", count=count, seed=arguments.first)
            others.append(Job("actions", act))
        shift.work(others, processes=arguments.processes)
    return shift.tell_end()


@dataclass(frozen=True, slots=True)
class Job:
    """``work`` is called in another process. It returns what is to be told; a night, with a ``seed``, :class:`Lived`."""

    name: str
    work: Callable[[], str | Lived]
    seed: int | None = None
    url: str = ""


@dataclass
class Shift:
    """Everything that one command lives through, a few at a time."""

    folder: Path
    server: Server
    seeds: range
    minutes: float
    journals: Path | None
    lived: int = 0
    wrong: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._template = self.folder / "template.db"
        _migrate(f"sqlite:///{self._template}", self.folder)
        self._postgres = self.server.create()
        _migrate(self._postgres, self.folder)

    def work(self, others: list[Job], *, processes: int) -> None:
        jobs = chain(others, map(self._night, self.seeds))
        running: dict[Future[str | Lived], Job] = {}
        told = time.monotonic()
        # A pool that forks would take the server's connections with it.
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            while True:
                # One waits, so that none is idle; a night's database is made when its turn comes.
                while len(running) <= processes and not self._is_over() and (job := next(jobs, None)):
                    running[pool.submit(job.work)] = job
                if not running:
                    return
                done, _ = wait(running, timeout=_TELL_EVERY, return_when=FIRST_COMPLETED)
                for run in done:
                    self._note(running.pop(run), run)
                if time.monotonic() - told >= _TELL_EVERY:
                    told = time.monotonic()
                    self._tell_progress()

    def tell_end(self) -> int:
        left = len(self.seeds) - self.lived
        if left:
            first = self.seeds[-left]
            _say(f"time was over: go on with --first {first} --nights {left * SHOPS_A_NIGHT}")
        minutes = (time.monotonic() - self.begun) / 60
        _say(f"{self.lived * SHOPS_A_NIGHT} shop-nights in {minutes:.1f} minutes, wrong: {self._wrong()}")
        return 1 if self.wrong or left else 0

    def _night(self, seed: int) -> Job:
        url = self.server.create(template=self._postgres) if seed % _ON_POSTGRESQL == 0 else ""
        return Job(f"seed {seed}", partial(live_alone, seed, self.folder, self._template, url), seed=seed, url=url)

    def _note(self, job: Job, run: Future[str | Lived]) -> None:
        if job.url:
            self.server.drop(job.url)
        self.lived += job.seed is not None
        if error := run.exception():
            # A fault of the hub or of this program: told, and the others go on.
            self.wrong.append(job.name)
            _say(f"{job.name}: {type(error).__name__}: {error}\n{error.__cause__ or ''}")
            return
        found = run.result()
        if not isinstance(found, Lived):
            _say(f"{job.name}: {found}")
            return
        if found.story:
            self.wrong.append(job.name)
            _say(found.story)
        if self.journals is not None:
            self.journals.mkdir(parents=True, exist_ok=True)
            (self.journals / f"{job.seed}.txt").write_text("\n".join(found.journal), encoding="utf-8")

    def _tell_progress(self) -> None:
        minutes = (time.monotonic() - self.begun) / 60
        number, of = self.lived * SHOPS_A_NIGHT, len(self.seeds) * SHOPS_A_NIGHT
        _say(f"{minutes:.1f} minutes: {number} of {of} shop-nights, wrong: {self._wrong()}")

    def _wrong(self) -> str:
        return ", ".join(self.wrong) or "none"

    def _is_over(self) -> bool:
        return time.monotonic() - self.begun > self.minutes * 60


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
