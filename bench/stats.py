"""What the figures of ninety days cost at very many events, kept and counted anew, and what keeping them costs a sync.

``python -m bench.stats EVENTS [--postgresql]``: half of the events are written inquiries of three shops, half calls,
spread over ninety days. The page is mall × channel × day, the export mall × line × hour; both are timed beside the
same figures counted from the events. The upkeep is CPU time of the counts beside that of the whole page of records.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import text

from bench.full_sync import settings_of
from hub.bootstrap import open_hub
from hub.core.contract import Feed, Reading
from hub.core.model import Inquiry, InquiryKind, InquiryState
from hub.stats.calls import count_calls_by
from hub.stats.dimension import Dimension
from hub.stats.inquiries import inquiries_per_channel
from hub.stats.kept import count_calls
from hub.store import records
from hub.store.database import Database, to_ms
from hub.store.records import RecordWriter
from hub.store.rollups import recount
from hub.store.shops import ShopStore
from tests.postgres import running_server

AIM_MS, AIM_TIMES, AIM_UPKEEP = 20.0, 1.3, 0.05
AIM_EXPORT = {"sqlite": 5.0, "postgresql": 3.0}
_SEOUL = ZoneInfo("Asia/Seoul")
_UNTIL = datetime(2026, 11, 22, 15, tzinfo=UTC)
_SINCE = _UNTIL - timedelta(days=90)
_REPEATS = 100
_PAGE = (Dimension.DAY, Dimension.MALL, Dimension.CHANNEL)
_EXPORT = (Dimension.MALL, Dimension.LINE, Dimension.HOUR)
_PAGES, _PER_PAGE = 30, 100


class Figures(Struct, frozen=True, kw_only=True):
    """Times in milliseconds, ``upkeep`` as a share of 1, ``recount`` in seconds."""

    database: str
    events: int
    page_p50: float
    page_p99: float
    export: float
    export_raw: float
    recount: float
    upkeep: float


async def measure(home: Path, url: str | None, events: int) -> Figures:
    async with open_hub(settings_of(home, url)) as hub:
        database = hub.database
        await _fill(database, events // 2)
        begun = time.perf_counter()
        await recount(database, at=0, started_by="hand")
        recounted = time.perf_counter() - begun
        if not database.is_sqlite:
            async with database.writing() as connection:
                await connection.execute(text("ANALYZE"))
        bounds = {"since": _SINCE, "until": _UNTIL, "zone": _SEOUL}
        pages = await _times(lambda: inquiries_per_channel(database, **bounds, by=_PAGE), _REPEATS)
        kept = await _times(lambda: count_calls(database, **bounds, by=_EXPORT), 7)
        raw = await _times(lambda: count_calls_by(database, **bounds, by=_EXPORT), 5)
        return Figures(
            database="sqlite" if database.is_sqlite else "postgresql",
            events=events,
            page_p50=statistics.median(pages) * 1000,
            page_p99=statistics.quantiles(pages, n=100)[98] * 1000,
            export=statistics.median(kept) * 1000,
            export_raw=statistics.median(raw) * 1000,
            recount=recounted,
            upkeep=await _upkeep(database),
        )


async def _times(work: Callable[[], Awaitable[object]], number: int) -> list[float]:
    await work()
    found = []
    for _ in range(number):
        begun = time.perf_counter()
        await work()
        found.append(time.perf_counter() - begun)
    return found


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


async def _upkeep(database: Database) -> float:
    """CPU time of keeping the counts, as a share of writing whole pages of new inquiries, this process alone."""
    shop = await _shop(database, "upkeep")
    writer = RecordWriter(database, shop_id=shop, country="KR")
    own = records.add_inquiries
    spent = 0.0

    async def timed(*given: object, **named: object) -> None:
        nonlocal spent
        begun = time.process_time()
        await own(*given, **named)  # type: ignore[arg-type]
        spent += time.process_time() - begun

    records.add_inquiries = timed
    try:
        begun = time.process_time()
        for page in range(_PAGES):
            read = [_reading(page * _PER_PAGE + number) for number in range(_PER_PAGE)]
            async with database.writing() as connection:
                await writer.write(connection, read, feed=Feed.INQUIRIES, now=_UNTIL)
        return spent / (time.process_time() - begun)
    finally:
        records.add_inquiries = own


def _reading(number: int) -> Reading:
    inquiry = Inquiry(
        inquiry_no=f"U{number}",
        thread_no=f"U{number}",
        kind=InquiryKind.ORDER_INQUIRY,
        state=InquiryState.UNANSWERED,
        raw_state="N",
        asked_at=_SINCE + timedelta(minutes=number * 13),
        text="언제 오나요? " * 5,
    )
    return Reading(key=inquiry.inquiry_no, raw=msgspec.json.encode(inquiry), record=inquiry)


def lines_of(small: Figures, large: Figures) -> list[str]:
    """What the bench says of it."""
    times, export = large.page_p50 / small.page_p50, large.export_raw / large.export
    aim = AIM_EXPORT[large.database]
    return [
        (
            f"{large.database} {large.events:,} events: page of 90 days × mall × channel p50 {large.page_p50:.1f} ms, "
            f"p99 {large.page_p99:.1f} ms (aim {AIM_MS:g}); "
            f"p50 {times:.2f} times that at {small.events:,} (aim {AIM_TIMES:g})"
        ),
        (
            f"{large.database} calls by hour {large.export:.0f} ms, from events {large.export_raw:.0f} ms: "
            f"{export:.1f} times faster (aim {aim:g}); upkeep {large.upkeep:.1%} of the CPU of a sync of inquiries "
            f"(aim {AIM_UPKEEP:.0%}); all counted anew in {large.recount:.1f} s"
        ),
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
