"""How long the desk's pages take over HTTP, beside a bare Litestar and Jinja page of 50 rows in the same run.

One process serves both, each at its own port; this one asks, a client at a time and eight at once, on connections that
stay open. ``python -m bench.desk_pages HOME ORDERS [DATABASE_URL]`` over a store of :mod:`bench.large`.
"""

import asyncio
import gc
import itertools
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import uvicorn
from jinja2 import Environment
from litestar import Litestar, MediaType, Response, get
from msgspec import Struct
from sqlalchemy import delete, select

from bench.full_sync import settings_of
from bench.invented import NOW
from bench.large import build, copy, order_of
from bench.server_cost import server_seconds
from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.desk.access import Actor, Role
from hub.desk.phone.calls import CallerPart
from hub.desk.sessions import open_session
from hub.desk.users import create_user
from hub.desk.worklist.rows import Filters, read_worklist
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.sealed import LIVE_CALLER_PLACE, normal_phone, pack
from hub.store.tables import live_calls, users
from hub.web.auth import SESSION_COOKIE

_PASSWORD = "an invented password"  # noqa: S105  of a store that is thrown away
_ROUNDS = 150
_CLIENTS = 8
_FAR_PAGE = 200
#: what is also asked for by all clients at once
_BY_MANY = {"bare page of 50 rows", "worklist"}
_BARE = Environment(autoescape=True).from_string(
    """<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>bare</title></head><body><table>
{% for row in rows %}<tr class="row"><td>{{ row.mall }}</td><td><a href="/cases/{{ row.id }}">{{ row.kind }}</a></td>
<td>{{ row.state }}</td><td>{{ row.customer }}</td><td>{{ row.product }}</td><td>{{ row.order_no }}</td>
<td>{{ row.due }}</td><td>{{ row.assignee or "–" }}</td><td>{{ row.age }}</td></tr>
{% endfor %}</table></body></html>"""
)


class Latency(Struct, frozen=True, kw_only=True):
    """Milliseconds; ``cpu_ms``: of the serving process and the database's server for one answer."""

    what: str
    clients: int
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    sent: int


class Served(Struct, frozen=True, kw_only=True):
    """What the serving process says of itself. ``after``: the cursor of page ``far``; ``cases``: on pages before."""

    desk: int
    bare: int
    cookie: str
    cases: list[int]
    after: str | None
    far: int
    pid: int


class Paged(Struct, frozen=True, kw_only=True):
    database: str
    orders: int
    load: float
    pages: tuple[Latency, ...]


# what is served


@get("/", sync_to_thread=False)
def _bare() -> Response[str]:
    rows = [
        {
            "id": 1_000_000 + number,
            "mall": "N",
            "kind": "취소",
            "state": "요청",
            "customer": "홍*동",
            "product": "블루 린넨 셔츠 오버핏 0001",
            "order_no": f"2026{number:012d}",
            "due": "11-22 12:00",
            "assignee": None,
            "age": "3시간",
        }
        for number in range(50)
    ]
    return Response(_BARE.render(rows=rows), media_type=MediaType.HTML)


async def serve(home: Path, url: str | None) -> None:
    """Desk and bare page until this process is ended; its first line names their ports, the session and a case."""
    async with open_hub(settings_of(home, url), now=lambda: NOW) as hub:
        cookie = await _agent(hub)
        bare = Litestar([_bare], openapi_config=None, logging_config=None)
        servers = [
            uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
            for app in (make_asgi(hub), bare)
        ]
        running = [asyncio.create_task(server.serve()) for server in servers]
        while not all(server.started for server in servers):  # noqa: ASYNC110  it has no event for this
            await asyncio.sleep(0.02)
        desk, bare_port = (server.servers[0].sockets[0].getsockname()[1] for server in servers)
        shown, after, far = await _pages(hub)
        # As `hub serve` does it.
        gc.collect()
        gc.freeze()
        told = Served(desk=desk, bare=bare_port, cookie=cookie, cases=shown, after=after, far=far, pid=os.getpid())
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        sys.stdout.flush()
        await asyncio.gather(*running)


async def _agent(hub: Hub) -> str:
    """The session of an agent whose telephone rings."""
    async with hub.database.writing() as connection:
        await connection.execute(delete(users).where(users.c.login == "bench"))
        await connection.execute(delete(live_calls))
    await create_user(hub.database, login="bench", name="bench", role=Role.AGENT, password=_PASSWORD, at=hub.now())
    buyer = order_of(12_345, 1_000_000).buyer
    phone = normal_phone(buyer.phone if buyer else None) or ""
    box = hub.database.box
    async with hub.database.writing() as connection:
        user_id: int = (await connection.execute(select(users.c.id).where(users.c.login == "bench"))).scalar_one()
        await connection.execute(
            live_calls.insert().values(
                id=new_id(),
                pbx="pbx",
                call_id="1.1",
                member="agent1001",
                user_id=user_id,
                state="ringing",
                leg="1.1",
                queue="",
                caller_idx=box.blind("phone", phone),
                caller_sealed=box.seal(pack(CallerPart(number=phone)), LIVE_CALLER_PLACE),
                rang_at=to_ms(NOW),
                updated_at=to_ms(NOW),
            )
        )
    return await open_session(hub.database, user_id=user_id, at=hub.now(), lasts=timedelta(days=1))


async def _pages(hub: Hub) -> tuple[list[int], str | None, int]:
    """Cases of the first pages, the cursor behind the last of them, and how many they are."""
    actor = Actor(user_id=None, login="bench", name="bench", role=Role.AGENT)
    shown: list[int] = []
    cursor: str | None = None
    for far in range(1, _FAR_PAGE):
        page = await read_worklist(hub, actor=actor, filters=Filters(), cursor=cursor)
        shown += [row.case_id for row in page.rows]
        if page.next_cursor is None:
            return shown, cursor, far
        cursor = page.next_cursor
    return shown, cursor, _FAR_PAGE


# what is asked


class _Client:
    """As little HTTP as possible on one connection, so that what is measured is the server."""

    def __init__(self, port: int, headers: str) -> None:
        self._port, self._headers = port, headers

    async def __aenter__(self) -> "_Client":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def get(self, path: str) -> int:
        """Bytes of the body. Raises: RuntimeError for any answer but 200."""
        self._writer.write(
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\n{self._headers}\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        body = await self._reader.readexactly(int(fields["content-length"]))
        if " 200 " not in status:
            message = f"{path}: {status} {body[:200]!r}"
            raise RuntimeError(message)
        return len(body)


async def measure(home: Path, count: int, url: str | None) -> Paged:
    await build(home, count)
    if url is not None:
        await copy(home, url)
    async with _serving(home, url) as told:
        signed_in = f"cookie: {SESSION_COOKIE}={told.cookie}\r\n"
        swap = signed_in + "hx-request: true\r\n"
        chance = random.Random(1)
        opened = itertools.cycle(chance.sample(told.cases, min(len(told.cases), _ROUNDS)))
        asked: list[tuple[str, int, str, Iterator[str]]] = [
            ("bare page of 50 rows", told.bare, "", itertools.repeat("/")),
            ("worklist", told.desk, signed_in, itertools.repeat("/cases/")),
            ("its rows alone, page 1", told.desk, swap, itertools.repeat("/cases/rows")),
            (f"its rows alone, page {told.far}", told.desk, swap, itertools.repeat(f"/cases/rows?after={told.after}")),
            ("case page", told.desk, signed_in, (f"/cases/{case_id}" for case_id in opened)),
            ("case, swapped in", told.desk, swap, (f"/cases/{case_id}" for case_id in opened)),
            ("phone pop", told.desk, swap, itertools.repeat("/phone")),
        ]
        pages = [
            await _ask(what, port, headers, paths, clients=clients, pid=told.pid, url=url)
            for what, port, headers, paths in asked
            for clients in (1, _CLIENTS)
            if clients == 1 or what in _BY_MANY
        ]
    return Paged(
        database="sqlite" if url is None else "postgresql", orders=count, load=os.getloadavg()[0], pages=tuple(pages)
    )


async def _ask(
    what: str, port: int, headers: str, paths: Iterator[str], *, clients: int, pid: int, url: str | None
) -> Latency:
    taken: list[float] = []
    sizes: list[int] = []

    async def one(many: int) -> None:
        async with _Client(port, headers) as client:
            for path in itertools.islice(paths, many):
                begun = time.perf_counter()
                sizes.append(await client.get(path))
                taken.append(1000 * (time.perf_counter() - begun))

    # As many as will ask: each has its connection to the database opened by then.
    await asyncio.gather(*(one(10) for _ in range(clients)))
    taken.clear()
    sizes.clear()
    before = _cpu(pid, url)
    await asyncio.gather(*(one(_ROUNDS // clients) for _ in range(clients)))
    return Latency(
        what=what,
        clients=clients,
        p50_ms=statistics.median(taken),
        p99_ms=statistics.quantiles(taken, n=100)[98],
        cpu_ms=1000 * (_cpu(pid, url) - before) / len(taken),
        sent=max(sizes),
    )


def _cpu(pid: int, url: str | None) -> float:
    """Seconds of the serving process, and of the database's server."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + ((server_seconds(url) or 0.0) if url else 0.0)


@asynccontextmanager
async def _serving(home: Path, url: str | None) -> AsyncIterator[Served]:
    command = [sys.executable, "-m", "bench.desk_pages", "serve", str(home), *([url] if url else [])]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, limit=1 << 22)
    try:
        line = await server.stdout.readline() if server.stdout else b""
        yield msgspec.json.decode(line, type=Served)
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


def lines_of(paged: Paged) -> list[str]:
    """What the bench says of it."""
    bare = {page.clients: page for page in paged.pages if page.what.startswith("bare")}
    said = [f"pages of the desk, {paged.database}, {paged.orders:,} orders, load {paged.load:.0f}"]
    for page in paged.pages:
        ratio = page.p50_ms / bare[page.clients].p50_ms
        times = f"p50 {page.p50_ms:.1f} ms ({ratio:.1f} x bare), p99 {page.p99_ms:.1f} ms, {page.cpu_ms:.1f} ms CPU"
        said.append(f"  {page.what}, {page.clients} client(s): {times}, {page.sent / 1000:.0f} kB")
    return said


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
    else:
        where, size, *address = sys.argv[1:]
        found = asyncio.run(measure(Path(where), int(size), address[0] if address else None))
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
