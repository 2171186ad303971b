"""A process that is killed at any moment: the next one goes on, loses nothing, doubles nothing."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.bootstrap import Hub, SyncReport, open_hub
from hub.core.contract import Feed
from hub.desk.shops.status import read_status
from hub.emulation import shop_file
from hub.sandbox.serve import base_urls, serving
from hub.settings import Settings
from tests.sync.mall_town import RunningClock, Town, assert_complete, counted

#: calls after which a run is killed; once is enough where only the database differs
_AFTER_CALLS = {"sqlite": (12, 60, 130), "postgresql": (60,)}
#: seconds, however busy the machine is
_PATIENCE_SECONDS = 120


class Street:
    """The malls on loopback ports and a home for processes of `hub`."""

    def __init__(self, town: Town, home: Path, database_url: str) -> None:
        self.town = town
        self._settings = Settings(home=home, database_url=database_url, log_level="ERROR")
        self._environment = {
            **os.environ,
            "HUB_HOME": str(home),
            "HUB_DATABASE_URL": database_url,
            "HUB_LOG_LEVEL": "ERROR",
        }

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub",
            *arguments,
            env=self._environment | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    @asynccontextmanager
    async def hub(self) -> AsyncIterator[Hub]:
        """The same home and database, opened by this process."""
        async with open_hub(self._settings) as hub:
            yield hub

    @property
    def calls(self) -> int:
        return sum(len(line.calls) for line in self.town.lines.values())


@asynccontextmanager
async def open_street(town: Town, home: Path, database_url: str, *, add_shops: bool = True) -> AsyncIterator[Street]:
    malls = list(town.malls.values())
    for mall in malls:
        mall.app = town.lines[mall.mall]
    ports = _free_ports(len(malls))
    urls = base_urls(malls, ports=ports)
    home.mkdir(exist_ok=True)  # noqa: ASYNC240
    (home / "shops.toml").write_text(shop_file(malls, urls))
    street = Street(town, home, database_url)
    async with serving(malls, ports=ports):
        async with street.hub() as hub:
            if add_shops:
                await hub.import_shops(home / "shops.toml")
        yield street


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


#: the call by which Qoo10 is asked for one order
_ASKS_ONE = "GetShippingAndClaimInfoByOrderNo_V2"


def calls_for_orders(report: SyncReport, mall: str) -> int:
    return counted(report, "calls")[f"main-{mall}", Feed.ORDERS]


async def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=300, clock=RunningClock())
    home = tmp_path / "home"
    async with open_street(town, home, database_url) as street:
        for calls in _AFTER_CALLS[database_url.partition(":")[0]]:
            process = await street.start("sync", "--json")
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while street.calls < calls and process.returncode is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            assert process.returncode is None, "the run ended before it could be killed"
            process.send_signal(signal.SIGKILL)
            await process.communicate()

        async with street.hub() as hub:
            report = await hub.sync()

            assert_complete(report)
            again = await hub.sync(full=True)
            assert_complete(again)
            assert calls_for_orders(report, "smartstore") < calls_for_orders(again, "smartstore")
            assert (counted(again, "new"), counted(again, "changed"), counted(again, "vanished")) == ({}, {}, {})
            await town.assert_true(hub)


async def test_the_worker_reads_at_once_and_stops_when_told(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=60, clock=RunningClock())
    async with open_street(town, tmp_path / "home", database_url) as street, street.hub() as hub:
        worker = await street.start("worker")
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while worker.returncode is None:
                    status = await read_status(hub)
                    if status.complete:
                        break
                    await asyncio.sleep(0.1)
            assert worker.returncode is None, (await worker.communicate())[1].decode()[-2000:]
            assert status.worker_seen
            assert all(feed.next_run for shop in status.shops for feed in shop.feeds)

            second = await street.start("worker")
            _, refusal = await asyncio.wait_for(second.communicate(), _PATIENCE_SECONDS)
            assert (second.returncode, b"HUB_WORKER_ID" in refusal) == (2, True)
        finally:
            if worker.returncode is None:
                worker.send_signal(signal.SIGTERM)
            _, err_bytes = await asyncio.wait_for(worker.communicate(), _PATIENCE_SECONDS)
        assert worker.returncode == 0, err_bytes.decode()[-2000:]
        await town.assert_true(hub)


async def test_what_was_not_settled_when_the_run_was_killed_is_settled_by_the_next(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Lines that only a claim names are asked for after everything is read: there the run is stopped."""
    town = Town(orders=200)
    line = town.lines["qoo10"]
    async with town.hub(tmp_path, sqlite_url) as hub:
        running = asyncio.create_task(hub.sync(["main-qoo10"]))
        asked = 0

        def stop_while_asking() -> None:
            nonlocal asked
            asked += line.calls[-1][1].endswith(_ASKS_ONE)
            if asked == 3:
                running.cancel()

        town.on_call = stop_while_asking
        with pytest.raises(asyncio.CancelledError):
            await running
        town.on_call = lambda: None

    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync(["main-qoo10"]))
        assert_complete(await hub.sync())
        await town.assert_true(hub)
