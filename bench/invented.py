"""Readings that no mall sent: as many orders of one shop as wanted, for what is measured without malls."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from hub.bootstrap import Hub
from hub.core.contract import Feed, Reading
from hub.core.model import Claim, ClaimKind, ClaimState, Line, LineStatus, Money, Order, Party, Product
from hub.policy.clock_file import standard_clocks
from hub.store.records import Counts
from hub.sync.ingest import Ingest

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MALL = "smartstore"
#: readings in one transaction
PAGE = 500
#: one order in so many has an open cancel request
_CLAIMED = 20
_SPAN = timedelta(days=90)


class Invented(Struct, frozen=True, kw_only=True):
    """The orders ``first`` to ``first + count`` of ``total`` evenly spread over 90 days."""

    first: int
    count: int
    total: int

    def pages(self) -> Iterator[list[Reading]]:
        for start in range(self.first, self.first + self.count, PAGE):
            last = min(start + PAGE, self.first + self.count)
            yield [reading(number, total=self.total) for number in range(start, last)]


def reading(number: int, *, total: int, raw_status: str = "PAYED") -> Reading:
    """Order ``number`` with one line; the same number is always the same order."""
    order_no = f"2026{number:012d}"
    ordered_at = NOW - _SPAN + _SPAN * (number / total)
    buyer = Party(name=f"구매자{number % 5003}", phone=f"010-{number % 9973:04d}-{number // 7 % 9973:04d}")
    line = Line(
        line_no=f"{order_no}-1",
        status=LineStatus.PAID,
        raw_status=raw_status,
        quantity=1 + number % 3,
        product=Product(name=f"상품 {number % 2000}", code=f"P{number % 2000}", seller_sku=f"SKU-{number % 2000}"),
        amount=Money(minor=1000 * (1 + number % 90), currency="KRW"),
    )
    claim = Claim(
        claim_key=f"{order_no}-C",
        order_no=order_no,
        line_no=line.line_no,
        kind=ClaimKind.CANCEL,
        state=ClaimState.REQUESTED,
        raw_state="CANCEL_REQUEST",
        quantity=1,
        requested_at=ordered_at + timedelta(hours=1),
    )
    order = Order(
        order_no=order_no,
        ordered_at=ordered_at,
        paid_at=ordered_at,
        currency="KRW",
        buyer=buyer,
        receiver=buyer,
        lines=(line,),
        claims=() if number % _CLAIMED else (claim,),
    )
    return Reading(key=line.line_no, raw=msgspec.json.encode(order), record=order)


async def open_ingest(hub: Hub) -> Ingest:
    """One shop in an empty hub, and the way in for what it is said to have sent."""
    await hub.add_shop(
        name="invented",
        mall=MALL,
        base_url="http://127.0.0.1:9",
        credentials={"client_id": "invented", "client_secret": "$2a$04$" + "a" * 22, "type": "SELF"},
    )
    shop = await hub.shop_store.named("invented")
    return Ingest(hub.database, shop=shop, manifest=hub.registry.manifest(MALL), clocks=standard_clocks())


async def store(hub: Hub, ingest: Ingest, readings: list[Reading]) -> Counts:
    """Write one page in a transaction of its own."""
    async with hub.database.writing() as connection:
        written = await ingest.page(connection, readings, feed=Feed.ORDERS, now=NOW)
    return written.counts[Feed.ORDERS]
