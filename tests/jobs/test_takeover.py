"""Two workers that look like two machines: one dies in the middle of its work, and the other goes on with it."""

import asyncio
import signal
import time
from pathlib import Path

from litestar.types import ASGIApp, Receive, Scope, Send
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.desk.shops.status import WORKER_LEASE, read_status
from hub.store.tables import leases
from tests.sync.mall_town import RunningClock, Town, assert_complete, counted
from tests.sync.test_killed import Street, open_street

#: A dead machine's work goes on within half a minute; twice that where several tests share two cores.
TAKE_OVER_SECONDS = 60
MACHINES = ("east", "west")


class Slow:
    """A mall that takes its time with every answer, so that there is a middle to be killed in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.seconds = 0.25

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.seconds)
        await self._app(scope, receive, send)


async def _holders(hub: Hub, prefix: str) -> dict[str, str]:
    """Machine by lease."""
    async with hub.database.reading() as connection:
        rows = await connection.execute(select(leases).where(leases.c.name.startswith(prefix)))
        return {row.name: row.owner.partition(":")[0] for row in rows}


async def _workers_are_up(hub: Hub) -> None:
    async with asyncio.timeout(120):
        while set((await _holders(hub, WORKER_LEASE)).values()) != set(MACHINES):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _reader_of(hub: Hub, run: str, street: Street) -> str:
    """The machine (whichever was quicker may have taken every shop) that is in the middle of ``run``."""
    async with asyncio.timeout(120):
        while True:
            runs = await _holders(hub, "sync:")
            if run in runs and street.calls >= 10:
                return runs[run]
            await asyncio.sleep(0.05)


async def _whole(hub: Hub) -> set[str]:
    """The runs of shops that have been read to the end."""
    names = {shop.name: f"sync:{shop.id}" for shop in await hub.shops()}
    status = await read_status(hub)
    return {names[shop.shop] for shop in status.shops if all(feed.complete for feed in shop.feeds)}


async def test_a_dead_machine_s_work_goes_on_with_another_within_half_a_minute(
    tmp_path: Path, postgres_url: str
) -> None:
    # The oldest order stays within the window of a first reading that begins late.
    town = Town(orders=200, days=80, clock=RunningClock())
    home = tmp_path / "home"
    slow_malls = []
    for line in town.lines.values():
        line._app = Slow(line._app)
        slow_malls.append(line._app)
    async with open_street(town, home, postgres_url, add_shops=False) as street, street.hub() as hub:
        workers = {
            machine: await street.start("worker", HUB_WORKER_ID=f"w-{machine}", HUB_HOST_NAME=machine)
            for machine in MACHINES
        }
        try:
            await _workers_are_up(hub)
            # Shops that come while workers run need no restart of theirs.
            await hub.import_shops(home / "shops.toml")
            # Qoo10 answers one number at a time: its first run is the longest.
            longest = f"sync:{(await hub.shop_store.named('main-qoo10')).id}"
            dead = await _reader_of(hub, longest, street)
            living = next(machine for machine in MACHINES if machine != dead)
            workers[dead].send_signal(signal.SIGKILL)
            await workers[dead].wait()
            killed_at = time.monotonic()
            # It had no time to give them back.
            broken_off = {name for name, machine in (await _holders(hub, "sync:")).items() if machine == dead}
            assert longest in broken_off
            for mall in slow_malls:
                mall.seconds = 0.02

            async with asyncio.timeout(TAKE_OVER_SECONDS):
                while broken_off:
                    runs = await _holders(hub, "sync:")
                    # A short one may be over before anybody looks.
                    broken_off -= {name for name in broken_off if runs.get(name) == living} | await _whole(hub)
                    await asyncio.sleep(0.1)
            assert time.monotonic() - killed_at <= TAKE_OVER_SECONDS

            status = await read_status(hub)
            until = time.monotonic() + 180
            while not status.complete and time.monotonic() < until:
                await asyncio.sleep(0.2)
                status = await read_status(hub)
            left = [
                (shop.shop, feed.feed, feed.error) for shop in status.shops for feed in shop.feeds if not feed.complete
            ]
            assert left == []
            assert set((await _holders(hub, WORKER_LEASE)).values()) == {living}
        finally:
            for worker in workers.values():
                if worker.returncode is None:
                    worker.send_signal(signal.SIGTERM)
                await asyncio.wait_for(worker.communicate(), 60)
        assert workers[living].returncode == 0

        # Lines that only a claim names are asked for after the feeds are complete: the end may come before that.
        assert_complete(await hub.sync())
        again = await hub.sync(full=True)
        assert_complete(again)
        assert (counted(again, "new"), counted(again, "changed"), counted(again, "vanished")) == ({}, {}, {})
        await town.assert_true(hub)
