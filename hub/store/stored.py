"""What stands in the store of the records of one page: read to tell what is new and what changed."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, bindparam, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, among
from hub.store.tables import claims, inquiries, lines, orders, quarantine, raw_payloads


class StoredHead(NamedTuple):
    id: int
    sub_shop: str
    order_no: str
    content_hash: bytes
    head_line_no: str


class StoredLine(NamedTuple):
    id: int
    order_id: int
    line_no: str
    content_hash: bytes
    status: str
    raw_status: str
    tracking_no: str | None
    product_code: str | None


class StoredClaim(NamedTuple):
    id: int
    claim_key: str
    content_hash: bytes
    sub_shop: str
    order_no: str
    line_no: str
    kind: str
    state: str
    raw_state: str
    is_open: bool


class StoredInquiry(NamedTuple):
    id: int
    inquiry_no: str
    content_hash: bytes
    state: str
    kind: str
    asked_at: int
    sought_at: int | None
    vanished_at: int | None


class Stored:
    """Look-ups of one shop on the caller's transaction, each one statement whatever the page's size."""

    def __init__(self, database: Database, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id

    async def heads(self, connection: AsyncConnection, order_nos: Collection[str]) -> dict[tuple[str, str], StoredHead]:
        """Orders by (sub_shop, order_no)."""
        rows = await self._fetch(connection, _HEADS, numbers=list(order_nos))
        return {(row.sub_shop, row.order_no): row for row in map(StoredHead._make, rows)}

    async def lines(self, connection: AsyncConnection, order_ids: Collection[int]) -> dict[tuple[int, str], StoredLine]:
        """Lines by (order_id, line_no)."""
        if not order_ids:
            return {}
        rows = await self._database.fetch(connection, _LINES, {"order_ids": list(order_ids)})
        return {(row.order_id, row.line_no): row for row in map(StoredLine._make, rows)}

    async def claims(self, connection: AsyncConnection, line_nos: Collection[str]) -> dict[str, StoredClaim]:
        """Every claim of these lines by its key."""
        rows = await self._fetch(connection, _CLAIMS, line_nos=list(line_nos))
        return {row.claim_key: row for row in map(StoredClaim._make, rows)}

    async def inquiries(self, connection: AsyncConnection, numbers: Collection[str]) -> dict[str, StoredInquiry]:
        rows = await self._fetch(connection, _INQUIRIES, numbers=list(numbers))
        return {row.inquiry_no: row for row in map(StoredInquiry._make, rows)}

    async def payload_hashes(self, connection: AsyncConnection, feed: str, keys: Collection[str]) -> dict[str, bytes]:
        return dict(await self._fetch(connection, _PAYLOADS, feed=feed, keys=list(keys)))

    async def has_quarantine(self, connection: AsyncConnection) -> bool:
        """Whether anything of this shop waits in quarantine."""
        return bool(await self._fetch(connection, _UNRESOLVED))

    async def _fetch(self, connection: AsyncConnection, query: Any, **parameters: Any) -> Any:
        return await self._database.fetch(connection, query, {"shop_id": self._shop_id, **parameters})


def _columns(table: Table, kind: type[NamedTuple]) -> list[Column[Any]]:
    return [table.c[name] for name in kind._fields]


# "+ 0": by the index of order numbers; that of shop, sub-shop and number would walk all orders of the shop.
_HEADS = select(*_columns(orders, StoredHead)).where(
    orders.c.shop_id + 0 == bindparam("shop_id"), among(orders.c.order_no, "numbers")
)
_LINES = select(*_columns(lines, StoredLine)).where(among(lines.c.order_id, "order_ids"))
_CLAIMS = select(*_columns(claims, StoredClaim)).where(
    claims.c.shop_id == bindparam("shop_id"), among(claims.c.line_no, "line_nos")
)
_INQUIRIES = select(*_columns(inquiries, StoredInquiry)).where(
    inquiries.c.shop_id == bindparam("shop_id"), among(inquiries.c.inquiry_no, "numbers")
)
_PAYLOADS = select(raw_payloads.c.key, raw_payloads.c.payload_hash).where(
    raw_payloads.c.shop_id == bindparam("shop_id"),
    raw_payloads.c.feed == bindparam("feed"),
    among(raw_payloads.c.key, "keys"),
)
_UNRESOLVED = (
    select(quarantine.c.id)
    .where(quarantine.c.shop_id == bindparam("shop_id"), quarantine.c.resolved_at.is_(None))
    .limit(literal_column("1"))
)
