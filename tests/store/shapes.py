"""Canonical records for the tests of the store; each test names only what it is about."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, func, select

from hub.core.contract import Feed, Reading
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
)
from hub.store.database import Database
from hub.store.records import Counts, RecordWriter, Written
from hub.store.shops import ShopStore

NOW = datetime(2026, 3, 10, 14, 59, 59, tzinfo=UTC)
LATER = datetime(2026, 3, 10, 15, 0, 1, tzinfo=UTC)


def a_line(line_no: str = "L1", **fields: Any) -> Line:
    return Line(
        line_no=line_no,
        status=fields.pop("status", LineStatus.PAID),
        raw_status=fields.pop("raw_status", "PAYED"),
        quantity=fields.pop("quantity", 1),
        product=fields.pop("product", Product(name="찻잔", code="P1")),
        **fields,
    )


def an_order(*lines: Line, **fields: Any) -> Order:
    return Order(
        order_no=fields.pop("order_no", "O1"),
        ordered_at=fields.pop("ordered_at", NOW),
        lines=lines or (a_line(),),
        buyer=fields.pop("buyer", Party(name="홍길동", phone="010-1234-5678", email="hong@example.com")),
        **fields,
    )


def a_claim(claim_key: str = "L1/C1", **fields: Any) -> Claim:
    return Claim(
        claim_key=claim_key,
        order_no=fields.pop("order_no", "O1"),
        line_no=fields.pop("line_no", "L1"),
        kind=fields.pop("kind", ClaimKind.RETURN),
        state=fields.pop("state", ClaimState.REQUESTED),
        raw_state=fields.pop("raw_state", "RETURN_REQUEST"),
        **fields,
    )


def an_inquiry(inquiry_no: str = "Q1", **fields: Any) -> Inquiry:
    return Inquiry(
        inquiry_no=inquiry_no,
        thread_no=fields.pop("thread_no", inquiry_no),
        kind=InquiryKind.PRODUCT_INQUIRY,
        state=fields.pop("state", InquiryState.UNANSWERED),
        raw_state="N",
        asked_at=NOW,
        text=fields.pop("text", "언제 오나요?"),
        **fields,
    )


def reading(record: Order | Claim | Inquiry, raw: bytes = b"{}", **fields: Any) -> Reading:
    return Reading(key=fields.pop("key", _key(record)), raw=raw, record=record, **fields)


def broken(key: str = "O1", raw: bytes = b"{", error: str = "no order number") -> Reading:
    return Reading(key=key, raw=raw, error=error)


def _key(record: Order | Claim | Inquiry) -> str:
    if isinstance(record, Order):
        return record.order_no
    return record.claim_key if isinstance(record, Claim) else record.inquiry_no


class Shop:
    """One shop of a database and a writer for it."""

    def __init__(self, database: Database, shop_id: int) -> None:
        self.database = database
        self.id = shop_id
        self.writer = RecordWriter(database, shop_id=shop_id, country="KR")

    async def write(self, *readings: Reading, feed: Feed = Feed.ORDERS, now: datetime = NOW, **options: Any) -> Written:
        async with self.database.writing() as connection:
            return await self.writer.write(connection, readings, feed=feed, now=now, **options)

    async def count(self, *readings: Reading, of: Feed = Feed.ORDERS, **options: Any) -> Counts:
        """What writing ``readings`` did to the records of one kind."""
        options.setdefault("feed", of)
        return (await self.write(*readings, **options)).counts[of]


async def a_shop(database: Database, name: str = "shop-a", mall: str = "cafe24") -> Shop:
    store = ShopStore(database)
    await store.put(name=name, mall=mall, base_url=None, credentials={"key": name}, now=NOW)
    return Shop(database, (await store.named(name)).id)


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    """Every row, oldest first where the table has an id."""
    query = select(table).order_by(*table.primary_key.columns)
    async with database.reading() as connection:
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def number_of(database: Database, table: Table) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


def counted(**fields: int) -> Counts:
    return Counts(**fields)


def won(amount: int) -> Money:
    return Money(minor=amount, currency="KRW")
