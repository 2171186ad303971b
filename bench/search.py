"""What the search box costs: the index of as many invented orders as wanted, and questions to it on both databases.

Orders, lines and inquiries are written straight into the tables, sealed and blind as the hub does it; the index
is filled by the hub's own steps. Each question is the whole search of the desk, with the rows that it shows.
``python -m bench.search HOME ORDERS [DATABASE_URL]``.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select, text

from bench.full_sync import settings_of
from bench.invented import NOW, open_ingest
from bench.server_cost import server_seconds
from hub.bootstrap import Hub, open_hub
from hub.core.model import Inquiry, InquiryKind, InquiryState, Line, LineStatus, Order, Party, Product
from hub.desk.access import Actor, Role
from hub.desk.search import search
from hub.desk.search_tending import BULK, WORKER_STEP
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.rows import Row, RowMaker
from hub.store.search_index import SearchIndex
from hub.store.tables import cases, inquiries, lines, orders, search_queue

AIM_MS = 30.0
_ROWS = 5_000
#: one order in so many has an inquiry
_ASKED = 5
_SPAN = timedelta(days=90)
_ROUNDS = 60
_FAMILY = (
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도"
)
_FIRST = "민서지도예하주현수준은시윤우진영성재동건승연태경혜정미선소나가규다라보상세아유이종찬창철필한해형호화환"
_LAST = "준서윤우원진현민호수영은지아연희경훈빈미나라린솔슬용욱웅율인일재정주철태하혁형환"
_KINDS = "린넨 셔츠,가죽 지갑,면 양말,여름 모자,니트 가디건,운동화,머그컵,무선 이어폰,수분 크림,에코백,우산,담요"
_LOOKS = "블루,화이트,그레이,베이지,블랙,핑크,오버핏,슬림핏,대용량,무료배송,신상,한정판,세트,기획,프리미엄"
_SAID = (
    "배송이 언제 되나요",
    "사이즈가 맞지 않아요",
    "색상이 화면과 달라요",
    "교환하고 싶어요",
    "환불은 언제 처리되나요",
    "포장이 찢어져 왔어요",
    "재입고 예정이 있나요",
    "주소를 바꾸고 싶어요",
    "영수증이 필요해요",
    "지퍼가 고장났어요",
)


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
    """CPU seconds with the server's; bytes of the whole database before and after the index was filled."""

    database: str
    orders: int
    documents: int
    fill_seconds: float
    worker_seconds: float
    bytes_before: int
    bytes_after: int
    asked: tuple[Asked, ...]


async def measure(home: Path, count: int, url: str | None) -> Found:
    async with open_hub(settings_of(home, url)) as hub:
        await open_ingest(hub)
        shop = await hub.shop_store.named("invented")
        maker = RowMaker(hub.database.box, shop_id=shop.id, country="KR")
        for page in _pages(maker, count):
            await _store(hub, page)
        before = await _size(hub)
        begun = _cpu(url)
        documents = await _fill(hub, BULK)
        filled = _cpu(url) - begun
        after = await _size(hub)
        asked = [await _ask(hub, url, what, texts) for what, texts in _questions(count).items()]
        # What goes on every day: a thousand rows that were written again and changed.
        begun = _cpu(url)
        await _change(hub, maker, WORKER_STEP, count)
        written = _cpu(url) - begun
    return Found(
        database="sqlite" if url is None else "postgresql",
        orders=count,
        documents=documents,
        fill_seconds=filled,
        worker_seconds=written,
        bytes_before=before,
        bytes_after=after,
        asked=tuple(asked),
    )


# what is stored


def _name(chance: random.Random) -> str:
    """A few names are many people's, as they are."""
    bends = {_FAMILY: 2.5, _FIRST: 1.5, _LAST: 1.5}
    return "".join(letters[int(len(letters) * chance.random() ** bend)] for letters, bend in bends.items())


def _product(chance: random.Random) -> str:
    number = int(2_000 * chance.random() ** 2)
    own = random.Random(number)
    looks = own.sample(_LOOKS.split(","), 2)
    return f"{looks[0]} {own.choice(_KINDS.split(','))} {looks[1]} {number:04d}"


def _order(number: int, count: int) -> Order:
    chance = random.Random(number)
    order_no = f"2026{number:012d}"
    buyer = Party(name=_name(chance), phone=f"010-{number % 9973:04d}-{number // 7 % 9973:04d}")
    line = Line(
        line_no=f"{order_no}-1",
        status=LineStatus.PAID,
        raw_status="PAYED",
        quantity=1,
        product=Product(name=_product(chance), code=f"P{number % 2000}"),
    )
    at = NOW - _SPAN + _SPAN * (number / count)
    return Order(order_no=order_no, ordered_at=at, paid_at=at, buyer=buyer, receiver=buyer, lines=(line,))


def _inquiry(number: int, order: Order) -> Inquiry:
    chance = random.Random(-number)
    said = chance.sample(_SAID, 3)
    return Inquiry(
        inquiry_no=f"Q{number}",
        thread_no=f"Q{number}",
        kind=InquiryKind.ORDER_INQUIRY,
        state=InquiryState.UNANSWERED,
        raw_state="WAIT",
        asked_at=order.ordered_at or NOW,
        order_no=order.order_no,
        subject=said[0],
        text=f"안녕하세요. {said[1]}. {said[2]}. 주문자 {order.buyer.name if order.buyer else ''} 입니다.",
        writer=order.buyer,
    )


def _pages(maker: RowMaker, count: int) -> Iterator[dict[Any, list[Row]]]:
    at = to_ms(NOW)
    for start in range(0, count, _ROWS):
        rows: dict[Any, list[Row]] = {orders: [], lines: [], inquiries: [], cases: [], search_queue: []}
        for number in range(start, min(start + _ROWS, count)):
            order = _order(number, count)
            order_id = new_id()
            rows[orders].append(maker.order_row(order_id, "", "", order, number.to_bytes(16, "big"), at))
            rows[lines] += [maker.line_row(new_id(), order_id, line, b"1" * 16, at) for line in order.lines]
            rows[search_queue].append({"row_id": order_id, "source": "order", "queued_at": at})
            if number % _ASKED == 0:
                row = maker.inquiry_row(new_id(), _inquiry(number, order), b"1" * 16, at)
                rows[inquiries].append(row)
                rows[cases].append(_case(row))
                rows[search_queue].append({"row_id": row["id"], "source": "inquiry", "queued_at": at})
        yield rows


def _case(inquiry: Row) -> Row:
    same = {name: inquiry[name] for name in ("shop_id", "kind", "order_no", "thread_no", "state", "product_name")}
    return same | {
        "id": new_id(),
        "case_key": f"inquiry:{inquiry['thread_no']}",
        "is_open": True,
        "opened_at": inquiry["asked_at"],
        "due_at": inquiry["asked_at"],
        "due_cause": "due.target.answer",
        "due_all": "[]",
        "updated_at": inquiry["asked_at"],
    }


async def _store(hub: Hub, page: dict[Any, list[Row]]) -> None:
    async with hub.database.writing() as connection:
        for table, rows in page.items():
            key = list(table.primary_key.columns)
            await hub.database.upsert_rows(connection, table, rows, key=key, changed_hash=False)


async def _change(hub: Hub, maker: RowMaker, many: int, count: int) -> None:
    chosen = random.Random(1).sample(range(count), min(many, count))
    query = select(orders.c.id).where(orders.c.order_no.in_([f"2026{number:012d}" for number in chosen]))
    async with hub.database.writing() as connection:
        ids = list(await connection.scalars(query))
        changed = [
            maker.order_row(order_id, "", "", _order(-number, count), b"2" * 16, 0)
            for number, order_id in zip(chosen, ids, strict=True)
        ]
        for row in changed:
            await connection.execute(orders.update().where(orders.c.id == row["id"]).values(sealed=row["sealed"]))
        queued = [{"row_id": order_id, "source": "order", "queued_at": 0} for order_id in ids]
        key = list(search_queue.primary_key.columns)
        await hub.database.upsert_rows(connection, search_queue, queued, key=key, changed_hash=False)
    await _fill(hub, WORKER_STEP)


async def _fill(hub: Hub, step: int) -> int:
    index, taken = SearchIndex(hub.database), 0
    while True:
        done = await index.take_in(limit=step, now=NOW)
        taken += done.taken
        if done.is_last:
            break
    if not hub.database.is_sqlite:
        async with hub.database.engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))
    return taken


# what is asked


def _questions(count: int) -> dict[str, list[str]]:
    chance = random.Random(7)
    some = [_order(number, count) for number in chance.sample(range(count), _ROUNDS)]
    names = [order.buyer.name or "" for order in some if order.buyer]
    phones = [order.buyer.phone or "" for order in some if order.buyer]
    products = [order.lines[0].product.name for order in some]
    return {
        "order number": [order.order_no for order in some],
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
    result = await search(hub, actor=agent, text=texts[0])
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


async def _size(hub: Hub) -> int:
    if hub.database.is_sqlite:
        size = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    else:
        size = text("SELECT pg_database_size(current_database())")
    async with hub.database.reading() as connection:
        return await connection.scalar(size) or 0


def lines_of(found: Found) -> list[str]:
    """What the bench says of it."""
    worst = max(found.asked, key=lambda each: each.p99_ms)
    each = found.fill_seconds / found.documents * 1e6
    size = f"{(found.bytes_after - found.bytes_before) / 1e6:.0f} MB beside {found.bytes_before / 1e6:.0f} MB"
    said = [
        f"search, {found.database}, {found.orders:,} orders: {found.documents:,} documents, {each:.0f} µs CPU each",
        f"  index of {size}; {WORKER_STEP:,} changed orders {found.worker_seconds:.2f} s CPU",
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
