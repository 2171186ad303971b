"""What the figures of ninety days cost at very many events, kept and counted anew; the upkeep is bench.upkeep's.

``python -m bench.stats EVENTS [--postgresql]``: half of the events are written inquiries of three shops, half calls,
spread over ninety days. The page is mall × channel × day: its figures alone, and the whole answer of the desk with
every figure's address, of all malls (together by day, each by week) and of one mall by day. The export is mall × line
× hour; it is timed beside the same figures counted from the events. Of the CPU only this process counts. A busy
machine moves times by the clock more than it moves the CPU.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from msgspec import Struct
from sqlalchemy import text

from bench.full_sync import settings_of
from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.desk.access import Role
from hub.desk.sessions import open_session
from hub.desk.users import create_user
from hub.stats.calls import count_calls_by
from hub.stats.dimension import Dimension
from hub.stats.inquiries import inquiries_per_channel
from hub.stats.kept import count_calls
from hub.store.database import Database, to_ms
from hub.store.rollups import recount
from hub.store.shops import ShopStore
from hub.web.auth import SESSION_COOKIE
from tests.postgres import running_server

AIM_MS, AIM_TIMES = 20.0, 1.3
AIM_EXPORT = {"sqlite": 5.0, "postgresql": 3.0}
_SEOUL = ZoneInfo("Asia/Seoul")
_UNTIL = datetime(2026, 11, 22, 15, tzinfo=UTC)
_SINCE = _UNTIL - timedelta(days=90)
_REPEATS = 100
_PAGE = (Dimension.DAY, Dimension.MALL, Dimension.CHANNEL)
_EXPORT = (Dimension.MALL, Dimension.LINE, Dimension.HOUR)


class Timed(Struct, frozen=True, kw_only=True):
    """Milliseconds of many runs: CPU in the middle, by the clock in the middle and at worst of a hundred."""

    cpu: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.cpu:.1f} ms CPU, {self.p50:.1f} ms by the clock, p99 {self.p99:.1f}"


class Figures(Struct, frozen=True, kw_only=True):
    """``export`` and ``export_raw``: CPU and clock; ``recount`` in seconds; ``weight`` of the page in bytes."""

    database: str
    events: int
    figures: Timed
    page: Timed
    page_of_mall: Timed
    weight: int
    export: Timed
    export_raw: Timed
    recount: float


async def measure(home: Path, url: str | None, events: int) -> Figures:
    async with open_hub(settings_of(home, url), now=lambda: _UNTIL) as hub:
        database = hub.database
        await _fill(database, events // 2)
        begun = time.perf_counter()
        await recount(database, at=0, started_by="hand")
        recounted = time.perf_counter() - begun
        if not database.is_sqlite:
            async with database.writing() as connection:
                await connection.execute(text("ANALYZE"))
        bounds = {"since": _SINCE, "until": _UNTIL, "zone": _SEOUL}
        async with _supervisor(hub) as client:
            last = (_UNTIL - timedelta(seconds=1)).astimezone(_SEOUL).date()
            address = f"/stats?first={last - timedelta(days=89)}&last={last}"
            return Figures(
                database="sqlite" if database.is_sqlite else "postgresql",
                events=events,
                figures=await _times(lambda: inquiries_per_channel(database, **bounds, by=_PAGE), _REPEATS),
                page=await _times(lambda: _get(client, address), _REPEATS),
                page_of_mall=await _times(lambda: _get(client, f"{address}&mall=qoo10"), _REPEATS),
                weight=await _get(client, address),
                export=await _times(lambda: count_calls(database, **bounds, by=_EXPORT), 7),
                export_raw=await _times(lambda: count_calls_by(database, **bounds, by=_EXPORT), 5),
                recount=recounted,
            )


@asynccontextmanager
async def _supervisor(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    user = await create_user(
        hub.database,
        login="bench",
        name="bench",
        role=Role.SUPERVISOR,
        password="not a secret",  # noqa: S106  of a hub that lives for minutes
        at=_UNTIL,
    )
    key = await open_session(hub.database, user_id=user, at=_UNTIL, lasts=timedelta(hours=9))
    transport = httpx.ASGITransport(make_asgi(hub))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", cookies={SESSION_COOKIE: key}) as client:
        yield client


async def _get(client: httpx.AsyncClient, address: str) -> int:
    answer = await client.get(address, headers={"accept-encoding": "identity"})
    return len(answer.raise_for_status().content)


async def _times(work: Callable[[], Awaitable[object]], number: int) -> Timed:
    await work()
    cpu, clock = [], []
    for _ in range(number):
        spent, begun = time.process_time(), time.perf_counter()
        await work()
        cpu.append((time.process_time() - spent) * 1000)
        clock.append((time.perf_counter() - begun) * 1000)
    worst = statistics.quantiles(clock, n=100)[98] if number >= 100 else max(clock)
    return Timed(cpu=statistics.median(cpu), p50=statistics.median(clock), p99=worst)


async def _fill(database: Database, each: int) -> None:
    """So many inquiries and so many calls, by the database itself."""
    shops = [await _shop(database, mall) for mall in ("cafe24", "smartstore", "qoo10")]
    first, step = to_ms(_SINCE) or 0, 90 * 86_400_000 / each
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {each - 1}) "  # noqa: S608
    at = f"{first} + CAST(i * {step} AS BIGINT)"
    kind = "CASE i % 3 WHEN 0 THEN 'chat' WHEN 1 THEN 'order_inquiry' ELSE 'product_inquiry' END"
    shop = f"CASE (i / 3) % 3 WHEN 0 THEN {shops[0]} WHEN 1 THEN {shops[1]} ELSE {shops[2]} END"
    blob = "x'2d'" if database.is_sqlite else r"'\x2d'::bytea"
    never = "0" if database.is_sqlite else "FALSE"
    mall = "CASE i % 3 WHEN 0 THEN 'cafe24' WHEN 1 THEN 'smartstore' ELSE 'qoo10' END"
    line = "CASE (i / 3) % 2 WHEN 0 THEN 'order' ELSE 'inquiry' END"
    result = "CASE i % 7 WHEN 0 THEN 'abandoned_queue' WHEN 1 THEN 'closed' ELSE 'answered' END"
    async with database.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO inquiries (id, shop_id, inquiry_no, thread_no, kind, state, raw_state, line_nos, "  # noqa: S608
                "asked_at, "
                f"is_public, sealed, content_hash, first_seen_at, fetched_at) {numbers} SELECT i + 1, {shop}, "
                f"'q' || i, 'q' || i, {kind}, 'answered', 'Y', '[]', {at}, {never}, {blob}, {blob}, 0, 0 FROM n"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO calls (call_id, mall, line, handling_line, result, entered_at, wait_seconds, "  # noqa: S608
                "talk_seconds, "
                f"is_short_abandon, is_transferred, content_hash) {numbers} SELECT 'c' || i, {mall}, {line}, {line}, "
                f"{result}, {at}, 5, 100, {never}, {never}, {blob} FROM n"
            )
        )


async def _shop(database: Database, mall: str) -> int:
    store = ShopStore(database)
    await store.put(name=mall, mall=mall, base_url=None, credentials={"key": mall}, now=_UNTIL)
    return (await store.named(mall)).id


def lines_of(small: Figures, large: Figures) -> list[str]:
    """What the bench says of it."""
    name, aim = f"{large.database} {large.events:,} events", AIM_EXPORT[large.database]
    figures = large.figures.cpu / small.figures.cpu
    page = large.page.cpu / small.page.cpu
    export = large.export_raw.p50 / large.export.p50
    beside = f"times that at {small.events:,}"
    return [
        f"{name}: figures of 90 days × mall × channel {large.figures} (aim {AIM_MS:g}); CPU {figures:.2f} {beside}",
        f"{name}: the whole page, all addresses {large.page} (aim {AIM_MS:g}); CPU {page:.2f} {beside} ({AIM_TIMES:g})",
        f"{name}: that page has {large.weight / 1000:.0f} kB; of one mall by day {large.page_of_mall}",
        f"{name}: calls by hour {large.export}; from events {large.export_raw}: {export:.1f} times (aim {aim:g})",
        f"{name}: all counted anew in {large.recount:.1f} s",
    ]


async def report(events: int, *, is_postgresql: bool) -> list[str]:
    found = []
    for size in (10_000, events):
        with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
            if is_postgresql:
                with running_server() as server:
                    found.append(await measure(Path(folder), server.create(), size))
            else:
                found.append(await measure(Path(folder), None, size))
    return lines_of(*found)


if __name__ == "__main__":
    said = asyncio.run(report(int(sys.argv[1]), is_postgresql="--postgresql" in sys.argv))
    sys.stdout.write("\n".join(said) + "\n")
