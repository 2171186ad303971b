"""Real processes, really killed: `hub sync` dies at random points, again and again, and nothing is lost."""

import asyncio
import logging
import signal
from pathlib import Path
from random import Random

import structlog

from hub.desk.export import ExportKind
from tests.sync.mall_town import RunningClock, Town, assert_complete, counted, exported
from tests.sync.test_killed import Street, open_street

#: however busy the machine is
_PATIENCE_SECONDS = 600


async def kill_often(home: Path, database_url: str, *, kills: int, seed: int, orders: int = 300) -> list[str]:
    """Kill ``kills`` runs with SIGKILL at random calls, then read to the end. Returns at how many calls each died.

    Raises: AssertionError when a row is lost, doubled or wrong, or a second whole run writes anything.
    """
    random = Random(seed)
    town = Town(orders=orders, seed=seed, days=80, clock=RunningClock())
    died: list[str] = []
    async with open_street(town, home, database_url) as street:
        while len(died) < kills:
            _catch_up(town)
            how = ("sync", "--full") if random.random() < 0.5 else ("sync",)
            if at := await _kill(street, random.randint(1, 90), *how):
                died.append(f"{how[-1]} at {at}")
        _catch_up(town)
        async with street.hub() as hub:
            assert_complete(await hub.sync())
            assert_complete(await hub.sync(full=True))
            again = await hub.sync(full=True)
            assert_complete(again)
            assert (counted(again, "new"), counted(again, "changed"), counted(again, "vanished")) == ({}, {}, {})
            await town.assert_true(hub)
            assert await exported(hub, ExportKind.LINES)
    return died


def tell_kills(folder: Path, postgres_url: str, *, kills: int, seed: int) -> str:
    """Half of them on each database. Raises: AssertionError naming the first difference."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    told = []
    for name, url, share in (
        ("sqlite", f"sqlite:///{folder / 'killed.db'}", kills - kills // 2),
        ("postgresql", postgres_url, kills // 2),
    ):
        died = asyncio.run(kill_often(folder / f"killed-{name}", url, kills=share, seed=seed))
        told.append(f"{len(died)} runs killed on {name}, the truth is whole ({', '.join(died)} calls)")
    return "; ".join(told)


def _catch_up(town: Town) -> None:
    """The malls' time stands still while a run reads; left behind for long, they would refuse what is to come."""
    town.note_truth()
    town.clock.mall_time = town.clock.now().replace(microsecond=0)


async def _kill(street: Street, calls: int, *command: str) -> int:
    """Kill after ``calls`` calls to the malls; 0 when the run was over before."""
    before = street.calls
    process = await street.start(*command)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while street.calls - before < calls and process.returncode is None:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    if process.returncode is not None:
        return 0
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    return street.calls - before
