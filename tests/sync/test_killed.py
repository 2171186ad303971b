"""A process that is killed at any moment: the next one goes on, loses nothing, doubles nothing."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.emulation import shop_file
from hub.sandbox.serve import base_urls, serving
from tests.sync.mall_town import RunningClock, Town

_AFTER_CALLS = (12, 60, 130)


class Street:
    """The malls on loopback ports and a home for processes of `hub`."""

    def __init__(self, town: Town, home: Path, database_url: str) -> None:
        self.town = town
        self._environment = {
            **os.environ,
            "HUB_HOME": str(home),
            "HUB_DATABASE_URL": database_url,
            "HUB_LOG_LEVEL": "ERROR",
        }

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hub",
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str) -> tuple[int | None, Any, str]:
        """Exit code, the JSON of stdout (``None`` when there is none), stderr."""
        process = await self.start(*arguments)
        out, err = await process.communicate()
        return process.returncode, json.loads(out) if out else None, err.decode()

    @property
    def calls(self) -> int:
        return sum(len(line.calls) for line in self.town.lines.values())


@asynccontextmanager
async def open_street(town: Town, home: Path, database_url: str) -> AsyncIterator[Street]:
    malls = list(town.malls.values())
    for mall in malls:
        mall.app = town.lines[mall.mall]
    ports = _free_ports(len(malls))
    urls = base_urls(malls, ports=ports)
    home.mkdir(exist_ok=True)  # noqa: ASYNC240
    (home / "shops.toml").write_text(shop_file(malls, urls))
    street = Street(town, home, database_url)
    async with serving(malls, ports=ports):
        code, _, err = await street.run("shop", "import", str(home / "shops.toml"))
        assert code == 0, err
        yield street


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def calls_for_orders(report: dict[str, Any], mall: str) -> int:
    (shop,) = (shop for shop in report["shops"] if shop["mall"] == mall)
    return next(feed["calls"] for feed in shop["feeds"] if feed["feed"] == "orders")


async def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=300, clock=RunningClock())
    home = tmp_path / "home"
    async with open_street(town, home, database_url) as street:
        for calls in _AFTER_CALLS:
            process = await street.start("sync", "--json")
            async with asyncio.timeout(30):
                while street.calls < calls and process.returncode is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            assert process.returncode is None, "the run ended before it could be killed"
            process.send_signal(signal.SIGKILL)
            await process.communicate()

        code, report, err = await street.run("sync", "--json")

        assert (code, report["complete"]) == (0, True), err
        code, again, err = await street.run("sync", "--json", "--full")
        assert code == 0, err
        assert calls_for_orders(report, "smartstore") < calls_for_orders(again, "smartstore")
        counts = [(feed["new"], feed["changed"], feed["vanished"]) for shop in again["shops"] for feed in shop["feeds"]]
        assert set(counts) == {(0, 0, 0)}
    async with town.hub(home, database_url, add_shops=False) as hub:
        await town.assert_true(hub)


async def test_the_worker_reads_at_once_and_stops_when_told(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=60, clock=RunningClock())
    home = tmp_path / "home"
    async with open_street(town, home, database_url) as street:
        worker = await street.start("worker")
        try:
            async with asyncio.timeout(60):
                while True:
                    _code, status, err = await street.run("status", "--json")
                    assert status is not None, err
                    if status["complete"] or worker.returncode is not None:
                        break
                    await asyncio.sleep(0.5)
            assert worker.returncode is None, (await worker.communicate())[1].decode()[-2000:]
            assert status["worker_seen"]
            assert all(feed["next_run"] for shop in status["shops"] for feed in shop["feeds"])

            code, _, err = await street.run("worker")
            assert (code, "HUB_WORKER_ID" in err) == (2, True)
        finally:
            if worker.returncode is None:
                worker.send_signal(signal.SIGTERM)
            _, err_bytes = await asyncio.wait_for(worker.communicate(), 20)
        assert worker.returncode == 0, err_bytes.decode()[-2000:]
    async with town.hub(home, database_url, add_shops=False) as hub:
        await town.assert_true(hub)
