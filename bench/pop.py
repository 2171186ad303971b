"""How long a ringing telephone takes to reach the agent's screen: event at the exchange to message in the browser.

Everything is real but the exchange: its events come over TCP, go through the database and leave as a stream over
HTTP. Beside them an empty piece of news, written to the database alone, goes the same way. ``python -m bench.pop``.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import uvicorn
from msgspec import Struct

from bench.full_sync import settings_of
from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.desk.access import Role
from hub.desk.phone.exchange import listen
from hub.desk.sessions import open_session
from hub.desk.users import create_user, sign_in
from hub.store.live import Topic, publish
from hub.store.tables import users
from hub.telephony.ami import AmiAddress, AmiSource
from hub.web.auth import SESSION_COOKIE
from ivr.phone import LiveEvent, LiveKind
from tests.telephony.fake_ami import SECRET, USER, FakeAmi, called

AIM_MS = 150.0
AIM_TIMES = 3.0
_TIMES = 100
_PAUSE_SECONDS = 0.037  # no multiple of the pace at which news are looked for
_PASSWORD = "an invented password"  # noqa: S105  of a hub that lasts a minute
_MEMBER = "agent1001"
_PATIENCE_SECONDS = 30.0


class Popped(Struct, frozen=True, kw_only=True):
    """Milliseconds; ``empty``: of the news without a telephone."""

    rings: int
    p50_ms: float
    p99_ms: float
    empty_p50_ms: float
    empty_p99_ms: float


async def measure(home: Path) -> Popped:
    async with FakeAmi() as exchange, open_hub(settings_of(home, None)) as hub, _desk(hub) as base:
        cookie = await _agent(hub)
        address = AmiAddress(name="pbx", host="127.0.0.1", port=exchange.port, user=USER, secret=SECRET)
        standing = asyncio.Event()

        async def note(event: LiveEvent) -> None:
            if event.kind is LiveKind.STANDING:
                standing.set()

        listening = asyncio.create_task(listen(hub, AmiSource(address), also=note))
        try:
            # What rings before somebody listens is told to nobody.
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await standing.wait()
            rings, empty = await _measure(hub, exchange, base, cookie)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    return Popped(
        rings=len(rings),
        p50_ms=statistics.median(rings) * 1000,
        p99_ms=statistics.quantiles(rings, n=100)[98] * 1000,
        empty_p50_ms=statistics.median(empty) * 1000,
        empty_p99_ms=statistics.quantiles(empty, n=100)[98] * 1000,
    )


async def _measure(hub: Hub, exchange: FakeAmi, base: str, cookie: str) -> tuple[list[float], list[float]]:
    rings, empty = [], []
    cookies = {SESSION_COOKIE: cookie}
    async with httpx.AsyncClient(cookies=cookies, timeout=30) as client, client.stream("GET", f"{base}/live") as answer:
        answer.raise_for_status()
        news = _events(answer)
        await anext(news)
        for number in range(_TIMES):
            begun = time.perf_counter()
            await exchange.tell(called(_MEMBER, f"0100000{number:04d}", call_id=f"{number}.1"))
            await _until(news, Topic.CALL)
            rings.append(time.perf_counter() - begun)
            await asyncio.sleep(_PAUSE_SECONDS)
            begun = time.perf_counter()
            async with hub.database.writing() as connection:
                await publish(connection, Topic.SHOP)
            await _until(news, Topic.SHOP)
            empty.append(time.perf_counter() - begun)
            await asyncio.sleep(_PAUSE_SECONDS)
    return rings, empty


@asynccontextmanager
async def _desk(hub: Hub) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(make_asgi(hub), port=0, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  it has no event for this
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def _agent(hub: Hub) -> str:
    password = _PASSWORD
    await create_user(hub.database, login="bench", name="bench", role=Role.AGENT, password=password, at=hub.now())
    async with hub.database.writing() as connection:
        await connection.execute(users.update().values(phone_member=_MEMBER))
    actor = await sign_in(hub.database, login="bench", password=password, at=hub.now(), address=None)
    assert actor.user_id is not None  # noqa: S101  it was added above
    return await open_session(hub.database, user_id=actor.user_id, at=hub.now(), lasts=timedelta(hours=1))


async def _events(answer: httpx.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        if line.startswith("event:"):
            yield line.removeprefix("event:").strip()


async def _until(news: AsyncIterator[str], topic: Topic) -> None:
    async for event in news:
        if event == topic.value:
            return


def lines_of(popped: Popped) -> list[str]:
    """What the bench says of it."""
    times = popped.p50_ms / popped.empty_p50_ms
    is_met = popped.p99_ms <= AIM_MS and times <= AIM_TIMES
    return [
        f"{popped.rings} rings to an open screen: p50 {popped.p50_ms:.0f} ms, p99 {popped.p99_ms:.0f} ms",
        f"empty news p50 {popped.empty_p50_ms:.0f} ms, p99 {popped.empty_p99_ms:.0f} ms",
        f"{times:.2f} times empty news (aim: {AIM_MS:.0f} ms, {AIM_TIMES:g} times): {'met' if is_met else 'MISSED'}",
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(Path(folder)))
    if "--json" in sys.argv:
        sys.stdout.write(msgspec.json.encode(result).decode())
    else:
        sys.stdout.write("\n".join(lines_of(result)) + "\n")
