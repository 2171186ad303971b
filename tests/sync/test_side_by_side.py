"""Desk and worker as two processes on one SQLite file: lists answer while everything is read."""

import asyncio
import re
import signal
import time
from asyncio.subprocess import Process
from datetime import UTC, datetime
from pathlib import Path

import httpx

from hub.desk.access import Role
from hub.desk.shops.status import read_status
from hub.desk.users import create_user
from hub.store.shops import ShopStore
from tests.sync.mall_town import RunningClock, Town
from tests.sync.test_killed import _free_ports, open_street

_PASSWORD = "correct horse battery"
_START_SECONDS = 60
#: a list that waits for a writer would wait for whole pages
_LONGEST_SECONDS = 10.0


async def test_the_desk_answers_while_the_worker_reads_everything(tmp_path: Path) -> None:
    town = Town(orders=600, days=80, clock=RunningClock())
    home = tmp_path / "home"
    url = f"sqlite:///{home / 'hub.db'}"
    (port,) = _free_ports(1)
    async with open_street(town, home, url, add_shops=False) as street, street.hub() as hub:
        await create_user(
            hub.database, login="kim", name="김상담", role=Role.SUPERVISOR, password=_PASSWORD, at=datetime.now(UTC)
        )
        serving = await street.start("serve", "--port", str(port), HUB_LOG_LEVEL="WARNING")
        working = await street.start("worker", HUB_LOG_LEVEL="WARNING")
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                await _sign_in(client, serving)
                await hub.import_shops(home / "shops.toml")
                took = []
                async with asyncio.timeout(180):
                    while not (await read_status(hub)).complete:
                        took.append(await _look(client))
                        await asyncio.sleep(0.05)
                shown = (await client.get("/cases")).text
        finally:
            said = [await _stop(process) for process in (serving, working)]
        assert len(await ShopStore(hub.database).all()) == len(town.malls)
        await town.assert_true(hub)
    assert len(took) > 5, "everything was read before anybody could look"
    assert max(took) < _LONGEST_SECONDS
    assert 'href="/cases/' in shown
    for code, text in said:
        assert code == 0, text
        assert "locked" not in text
        assert "Traceback" not in text


async def _sign_in(client: httpx.AsyncClient, serving: Process) -> None:
    page = await _first_page(client, serving)
    found = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', page)
    assert found is not None
    form = {"login": "kim", "password": _PASSWORD, "next": "", "_csrf_token": found[1]}
    assert (await client.post("/sign-in", data=form)).status_code == 303


async def _first_page(client: httpx.AsyncClient, serving: Process) -> str:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            assert serving.returncode is None, "the desk did not start"
            try:
                return (await client.get("/sign-in")).text
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def _look(client: httpx.AsyncClient) -> float:
    """Seconds that the work list took."""
    begun = time.perf_counter()
    page = await client.get("/cases")
    assert page.status_code == 200, page.text[:500]
    return time.perf_counter() - begun


async def _stop(process: Process) -> tuple[int | None, str]:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, (out + err).decode()
