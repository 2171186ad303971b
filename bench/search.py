"""What the search box costs over a store of :mod:`bench.large`: its index, and questions to it, on both databases.

Each question is the whole search of the desk, with the rows that it shows.
``python -m bench.search HOME ORDERS [DATABASE_URL]``; a store that is not there is built.
"""

import asyncio
import gc
import os
import random
import statistics
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import func, select, text

from bench.full_sync import settings_of
from bench.invented import NOW
from bench.large import build, claim_no_of, copy, order_of
from bench.server_cost import server_seconds
from hub.bootstrap import Hub, open_hub
from hub.desk.access import Actor, Role
from hub.desk.search.box import search
from hub.desk.search.tending import WORKER_STEP
from hub.store.rows import RowMaker
from hub.store.search_index import SearchIndex
from hub.store.tables import orders, search_documents, search_queue

AIM_MS = 30.0
_ROUNDS = 60


class Asked(Struct, frozen=True, kw_only=True):
    """One kind of question; milliseconds of the whole search, ``found`` by the last one.

    ``cpu_ms``: what one takes of this process and of the server, whatever else the machine does.
    """

    what: str
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    found: int


class Found(Struct, frozen=True, kw_only=True):
    """``worker_seconds``: CPU, with the server's, of a thousand orders that were written again and changed."""

    database: str
    orders: int
    documents: int
    worker_seconds: float
    index_bytes: int
    all_bytes: int
    load: float
    asked: tuple[Asked, ...]


async def measure(home: Path, count: int, url: str | None) -> Found:
    await build(home, count)
    if url is not None:
        await copy(home, url)
    async with open_hub(settings_of(home, url), now=lambda: NOW) as hub:
        async with hub.database.reading() as connection:
            documents = await connection.scalar(select(func.count()).select_from(search_documents)) or 0
        index_bytes, all_bytes = await _sizes(hub)
        # As `hub serve` does it.
        gc.collect()
        gc.freeze()
        # As `hub serve` does it.
        gc.collect()
        gc.freeze()
        asked = [await _ask(hub, url, what, texts) for what, texts in _questions(count).items()]
        begun = _cpu(url)
        await _change(hub, WORKER_STEP, count)
        written = _cpu(url) - begun
    return Found(
        database="sqlite" if url is None else "postgresql",
        orders=count,
        documents=documents,
        worker_seconds=written,
        index_bytes=index_bytes,
        all_bytes=all_bytes,
        load=os.getloadavg()[0],
        asked=tuple(asked),
    )


async def _change(hub: Hub, many: int, count: int) -> None:
    """What goes on every day: orders that were written again, and are another's now."""
    chosen = random.Random(time.time()).sample(range(count), min(many, count))
    query = select(orders.c.id, orders.c.shop_id).where(
        orders.c.order_no.in_([f"2026{number:012d}" for number in chosen])
    )
    async with hub.database.writing() as connection:
        found = (await connection.execute(query)).all()
        for number, (order_id, shop_id) in zip(chosen, found, strict=True):
            maker = RowMaker(hub.database.box, shop_id=shop_id, country="KR")
            row = maker.order_row(order_id, "", "", order_of(-number, count), b"2" * 16, 0)
            await connection.execute(orders.update().where(orders.c.id == order_id).values(sealed=row["sealed"]))
        queued = [{"row_id": order_id, "source": "order", "queued_at": 0} for order_id, _ in found]
        key = list(search_queue.primary_key.columns)
        await hub.database.upsert_rows(connection, search_queue, queued, key=key, changed_hash=False)
    index = SearchIndex(hub.database)
    while not (await index.take_in(limit=WORKER_STEP, now=NOW)).is_last:
        pass


# what is asked


def _questions(count: int) -> dict[str, list[str]]:
    chance = random.Random(7)
    numbers = chance.sample(range(count), _ROUNDS)
    some = [order_of(number, count) for number in numbers]
    names = [order.buyer.name or "" for order in some if order.buyer]
    phones = [order.buyer.phone or "" for order in some if order.buyer]
    products = [order.lines[0].product.name for order in some]
    shipped = [order.lines[0].shipment for order in some]
    return {
        "order number": [order.order_no for order in some],
        "tracking number": [parcel.tracking_no or "" for parcel in shipped if parcel],
        "claim number": [claim_no_of(number // 20 * 20) for number in numbers],
        "phone": [phone.replace("-", " ") for phone in phones],
        "phone of nobody": [f"010-9999-{number:04d}" for number in range(_ROUNDS)],
        "whole name": names,
        "part of a name": [name[1:] for name in names],
        "name and last digits": [f"{name} {phone[-4:]}" for name, phone in zip(names, phones, strict=True)],
        "name of nobody": [f"{name[0]}뷁{name[2]}" for name in names],
        "product": products,
        "word of many products": ["린넨", "셔츠", "무료배송", "가죽"] * (_ROUNDS // 4),
        "text": ["지퍼가 고장", "찢어져", "재입고 예정", "영수증"] * (_ROUNDS // 4),
        "common words that never meet": ["셔츠 지갑", "양말 모자", "고장 우산", "블루 화이트 가디건 머그컵"]
        * (_ROUNDS // 4),
    }


async def _ask(hub: Hub, url: str | None, what: str, texts: list[str]) -> Asked:
    agent = Actor(user_id=1, login="bench", name="bench", role=Role.AGENT)
    times: list[float] = []
    for typed in texts[:3]:
        result = await search(hub, actor=agent, text=typed)
    cpu = _cpu(url)
    for typed in texts:
        begun = time.perf_counter()
        result = await search(hub, actor=agent, text=typed)
        times.append(time.perf_counter() - begun)
    return Asked(
        what=what,
        cpu_ms=(_cpu(url) - cpu) / len(texts) * 1000,
        p50_ms=statistics.median(times) * 1000,
        p99_ms=statistics.quantiles(times, n=100)[98] * 1000,
        found=result.order_count + result.case_count,
    )


# what it cost


def _cpu(url: str | None) -> float:
    return time.process_time() + ((server_seconds(url) or 0.0) if url else 0.0)


async def _sizes(hub: Hub) -> tuple[int, int]:
    """Bytes of the index (0 where the database does not tell), and of all."""
    async with hub.database.reading() as connection:
        if hub.database.is_sqlite:
            size = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            return 0, await connection.scalar(size) or 0
        of_index = text("SELECT pg_total_relation_size('search_blocks') + pg_total_relation_size('search_documents')")
        every = text("SELECT pg_database_size(current_database())")
        return await connection.scalar(of_index) or 0, await connection.scalar(every) or 0


def lines_of(found: Found) -> list[str]:
    """What the bench says of it."""
    worst = max(found.asked, key=lambda each: each.p99_ms)
    index = f"index of {found.index_bytes / 1e6:.0f} MB in " if found.index_bytes else ""
    said = [
        f"search, {found.database}, {found.orders:,} orders, {found.documents:,} documents, load {found.load:.0f}",
        f"  {index}{found.all_bytes / 1e6:.0f} MB; {WORKER_STEP:,} changed orders {found.worker_seconds:.2f} s CPU",
    ]
    for asked in found.asked:
        times = f"{asked.cpu_ms:.1f} ms CPU, p50 {asked.p50_ms:.1f} ms, p99 {asked.p99_ms:.1f} ms"
        said.append(f"  {asked.what}: {times}, {asked.found} found")
    is_met = "met" if worst.p99_ms <= AIM_MS else "MISSED"
    return [*said, f"  worst p99 {worst.p99_ms:.1f} ms (aim {AIM_MS:.0f}): {is_met}"]


if __name__ == "__main__":
    where, size, *address = sys.argv[1:]
    measured = asyncio.run(measure(Path(where), int(size), address[0] if address else None))
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")
