"""A store as large as wanted, built fast: invented orders, claims, inquiries, cases and the index of the search.

Rows are sealed and blind as the hub makes them, and go straight into a SQLite file whose indexes are made at the end;
the index of the search is filled by the hub's own steps. For PostgreSQL the rows of that file are copied, so that both
hold the same. A store that is there already is used again. ``python -m bench.large FOLDER ORDERS [DATABASE_URL]``.
"""

import asyncio
import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Boolean, Table, select
from sqlalchemy.engine import make_url

from bench.full_sync import settings_of
from bench.invented import NOW
from hub.bootstrap import Hub, open_hub
from hub.core.model import (
    Claim,
    ClaimKind,
    ClaimState,
    Inquiry,
    InquiryKind,
    InquiryState,
    Line,
    LineStatus,
    Money,
    Order,
    Party,
    Product,
    Shipment,
)
from hub.desk.search.tending import take_all_in
from hub.store.columns import metadata
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.rows import Row, RowMaker
from hub.store.schema import upgrade
from hub.store.tables import cases, claims, inquiries, lines, orders, search_queue

SHOPS = 10
#: of so many orders one has a claim and three have an inquiry: 200,000 cases of a million orders
_MATTERS = 20
#: one case in so many is open
_OPEN = 10
_ROWS = 5_000
_SPAN = timedelta(days=90)
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


# what is invented


def order_of(number: int, count: int) -> Order:
    """Order ``number`` of ``count``: the same number is always the same order."""
    chance = random.Random(number)
    order_no = f"2026{number:012d}"
    buyer = Party(name=_name(chance), phone=f"010-{number % 9973:04d}-{number // 7 % 9973:04d}")
    at = NOW - _SPAN + _SPAN * (number / count)
    line = Line(
        line_no=f"{order_no}-1",
        status=LineStatus.DISPATCHED,
        raw_status="DELIVERING",
        quantity=1,
        product=Product(name=_product(chance), code=f"P{number % 2000}"),
        amount=Money(minor=1000 * (1 + number % 90), currency="KRW"),
        shipment=Shipment(carrier="CJGLS", tracking_no=f"6{number:011d}", dispatched_at=at),
    )
    return Order(order_no=order_no, ordered_at=at, paid_at=at, buyer=buyer, receiver=buyer, lines=(line,))


def _name(chance: random.Random) -> str:
    """A few names are many people's, as they are."""
    bends = {_FAMILY: 2.5, _FIRST: 1.5, _LAST: 1.5}
    return "".join(letters[int(len(letters) * chance.random() ** bend)] for letters, bend in bends.items())


def _product(chance: random.Random) -> str:
    number = int(2_000 * chance.random() ** 2)
    own = random.Random(number)
    looks = own.sample(_LOOKS.split(","), 2)
    return f"{looks[0]} {own.choice(_KINDS.split(','))} {looks[1]} {number:04d}"


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
        product_name=order.lines[0].product.name,
    )


def _claim(number: int, order: Order) -> Claim:
    return Claim(
        claim_key=f"{order.order_no}-C",
        order_no=order.order_no,
        line_no=order.lines[0].line_no,
        claim_no=claim_no_of(number),
        kind=ClaimKind.CANCEL,
        state=ClaimState.REQUESTED,
        raw_state="CANCEL_REQUEST",
        reason_text=random.Random(-number).choice(_SAID),
        quantity=1,
        requested_at=order.ordered_at,
    )


def claim_no_of(number: int) -> str:
    return f"C{number:010d}"


# what is stored


def _pages(hub: Hub, shop_ids: list[int], count: int) -> Iterator[dict[Table, list[Row]]]:
    makers = [RowMaker(hub.database.box, shop_id=shop_id, country="KR") for shop_id in shop_ids]
    at = to_ms(NOW)
    for start in range(0, count, _ROWS):
        rows: dict[Table, list[Row]] = {table: [] for table in (orders, lines, claims, inquiries, cases, search_queue)}
        for number in range(start, min(start + _ROWS, count)):
            order, order_id = order_of(number, count), new_id()
            maker = makers[number % len(makers)]
            rows[orders].append(maker.order_row(order_id, "", "", order, number.to_bytes(16, "big"), at))
            rows[lines] += [maker.line_row(new_id(), order_id, line, b"1" * 16, at) for line in order.lines]
            rows[search_queue].append({"row_id": order_id, "source": "order", "queued_at": at})
            if number % _MATTERS == 0:
                row = maker.claim_row(new_id(), "", _claim(number, order), b"1" * 16, at)
                rows[claims].append(row)
                rows[cases].append(_case_of_claim(row, order, number))
                rows[search_queue].append({"row_id": row["id"], "source": "claim", "queued_at": at})
            elif number % _MATTERS in {5, 10, 15}:
                row = maker.inquiry_row(new_id(), _inquiry(number, order), b"1" * 16, at)
                rows[inquiries].append(row)
                rows[cases].append(_case_of_inquiry(row, number))
                rows[search_queue].append({"row_id": row["id"], "source": "inquiry", "queued_at": at})
        yield rows


def _case_of_inquiry(inquiry: Row, number: int) -> Row:
    same = {name: inquiry[name] for name in ("shop_id", "kind", "order_no", "thread_no", "state", "product_name")}
    told = {"case_key": f"inquiry:{inquiry['thread_no']}", "quantity": None, "excerpt_masked": "안녕하세요. …"}
    return same | told | _case(number, inquiry["asked_at"])


def _case_of_claim(claim: Row, order: Order, number: int) -> Row:
    same = {name: claim[name] for name in ("shop_id", "kind", "order_no", "state", "quantity")}
    told = {"case_key": f"claim:{order.order_no}:{claim['kind']}", "thread_no": None, "excerpt_masked": None}
    return same | told | {"product_name": order.lines[0].product.name} | _case(number, claim["requested_at"])


def _case(number: int, opened_at: int) -> Row:
    is_open = number // 5 % _OPEN == number // 50 % _OPEN
    return {
        "id": new_id(),
        "is_open": is_open,
        "opened_at": opened_at,
        "closed_at": None if is_open else opened_at,
        "due_at": opened_at + number % 7 * 3_600_000,
        "due_cause": "due.target.answer",
        "due_all": "[]",
        "customer_masked": "홍*동",
        "updated_at": opened_at,
    }


async def build(home: Path, count: int) -> None:
    """The SQLite store of ``home``, unless it is there already."""
    if (home / "built").exists():
        return
    async with open_hub(settings_of(home, None), now=lambda: NOW) as hub:
        shop_ids = []
        for number in range(SHOPS):
            name = "invented" if number == 0 else f"invented-{number}"
            credentials = {"client_id": name, "client_secret": "$2a$04$" + "a" * 22, "type": "SELF"}
            await hub.add_shop(name=name, mall="smartstore", base_url="http://127.0.0.1:9", credentials=credentials)
            shop_ids.append((await hub.shop_store.named(name)).id)
        file = sqlite3.connect(home / "hub.db", isolation_level=None)
        file.execute("PRAGMA synchronous=OFF")
        made = file.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
            "('orders', 'order_lines', 'claims', 'inquiries', 'cases')"
        ).fetchall()
        for name, _ in made:
            file.execute(f'DROP INDEX "{name}"')
        for page in _pages(hub, shop_ids, count):
            file.execute("BEGIN")
            for table, rows in page.items():
                _insert(file, table, rows)
            file.execute("COMMIT")
        file.execute("PRAGMA cache_size=-200000")
        for _, sql in made:
            file.execute(sql)
        file.close()
    async with open_hub(settings_of(home, None), now=lambda: NOW) as hub:
        await take_all_in(hub)
        async with hub.database.writing() as connection:
            await connection.exec_driver_sql("ANALYZE")
    (home / "built").touch()


def _insert(file: sqlite3.Connection, table: Table, rows: list[Row]) -> None:
    if rows:
        names = list(rows[0])
        marks = ", ".join(f":{name}" for name in names)
        file.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608


async def copy(home: Path, url: str) -> None:
    """The rows of ``home`` into a PostgreSQL database without orders, which is opened with the same keys."""
    async with open_hub(settings_of(home, url)) as hub:
        await upgrade(hub.database)
        async with hub.database.reading() as connection:
            if await connection.scalar(select(orders.c.id).limit(1)) is not None:
                return
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    file = sqlite3.connect(f"file:{home / 'hub.db'}?mode=ro", uri=True)
    with psycopg.connect(plain, autocommit=True) as server:
        server.execute("SET synchronous_commit = off")
        server.execute("SET session_replication_role = replica")
        server.execute("SET maintenance_work_mem = '256MB'")
        for table in metadata.sorted_tables:
            _copy_table(file, server, table)
        server.execute("VACUUM ANALYZE")
    file.close()


def _copy_table(file: sqlite3.Connection, server: psycopg.Connection[Any], table: Table) -> None:
    if file.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone() is None:  # noqa: S608
        return
    made = server.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname LIKE 'ix%%'", [table.name]
    ).fetchall()
    for name, _ in made:
        server.execute(f'DROP INDEX "{name}"')
    server.execute(f"TRUNCATE {table.name} CASCADE")
    names = [column.name for column in table.c]
    booleans = [at for at, column in enumerate(table.c) if isinstance(column.type, Boolean)]
    with server.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as into:
        for row in file.execute(f"SELECT {', '.join(names)} FROM {table.name}"):  # noqa: S608
            if booleans:
                values = list(row)
                for at in booleans:
                    values[at] = None if values[at] is None else bool(values[at])
                into.write_row(values)
            else:
                into.write_row(row)
    for _, definition in made:
        server.execute(definition)


if __name__ == "__main__":
    where, size, *address = sys.argv[1:]
    asyncio.run(build(Path(where), int(size)))
    if address:
        asyncio.run(copy(Path(where), address[0]))
