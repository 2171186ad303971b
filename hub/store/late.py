"""Readings that come late, of malls whose lines carry a time of change that only grows.

A file of yesterday that is handed in after today's, a page overtaken by a single question: whatever the
order in which they come, the newest state stands in the row and each state stands in the history once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Line, Order
from hub.store.database import to_ms
from hub.store.rows import RowMaker, line_changed_at
from hub.store.tables import lines, orders, status_changes

_LineKey = tuple[str, str, str]


class Sifted(Struct, frozen=True, kw_only=True):
    """``orders`` hold only lines that nothing newer is known of; ``late`` lines were taken out."""

    orders: list[tuple[Order, bool]]
    late: int


class LateReadings:
    """Sorts out what is older than what stands, and keeps it in the history. One shop."""

    def __init__(self, rows: RowMaker, *, shop_id: int) -> None:
        self._rows = rows
        self._shop_id = shop_id

    async def sift(self, connection: AsyncConnection, read: Sequence[tuple[Order, bool]]) -> Sifted:
        """``read``: orders with whether the reading is partial. A line without a time is never late."""
        newest = await self._stored(connection, {order.order_no for order, _ in read})
        for order, _ in read:
            for line in order.lines:
                key, stamp = _key(order, line), to_ms(line.mall_changed_at)
                if stamp is not None:
                    newest[key] = max(stamp, newest.get(key) or stamp)
        kept: list[tuple[Order, bool]] = []
        late = 0
        for order, is_partial in read:
            fresh = tuple(line for line in order.lines if not _is_late(line, newest.get(_key(order, line))))
            late += len(order.lines) - len(fresh)
            if len(fresh) == len(order.lines):
                kept.append((order, is_partial))
            elif fresh:
                numbers = {line.line_no for line in fresh}
                claims = tuple(claim for claim in order.claims if claim.line_no in numbers)
                kept.append((msgspec.structs.replace(order, lines=fresh, claims=claims), is_partial))
        return Sifted(orders=kept, late=late)

    async def note(self, connection: AsyncConnection, read: Iterable[tuple[Order, bool]], at: int | None) -> None:
        """Every state with its time once, late or not, after the lines themselves were written."""
        states = {
            (_key(order, line), line.status.value, to_ms(line_changed_at(line))): line
            for order, _ in read
            for line in order.lines
            if line.mall_changed_at is not None
        }
        ids = await self._ids(connection, {key[1] for key, _, _ in states})
        query = select(status_changes.c.subject_id, status_changes.c.to_status, status_changes.c.mall_at).where(
            status_changes.c.subject == "line", status_changes.c.subject_id.in_(list(ids.values()))
        )
        known = {(row.subject_id, row.to_status, row.mall_at) for row in await connection.execute(query)}
        fresh = [
            self._rows.change_row("line", ids[key], ("", status, line.raw_status), line_changed_at(line), at)
            for (key, status, stamp), line in states.items()
            if key in ids and (ids[key], status, stamp) not in known
        ]
        if fresh:
            await connection.execute(status_changes.insert(), fresh)

    async def _stored(self, connection: AsyncConnection, order_nos: set[str]) -> dict[_LineKey, int | None]:
        found = await connection.execute(self._lines(order_nos))
        return {(row.sub_shop, row.order_no, row.line_no): row.mall_changed_at for row in found}

    async def _ids(self, connection: AsyncConnection, order_nos: set[str]) -> dict[_LineKey, int]:
        found = await connection.execute(self._lines(order_nos))
        return {(row.sub_shop, row.order_no, row.line_no): row.id for row in found}

    def _lines(self, order_nos: set[str]) -> Any:
        return (
            select(lines.c.id, lines.c.line_no, lines.c.mall_changed_at, orders.c.sub_shop, orders.c.order_no)
            .join_from(orders, lines, lines.c.order_id == orders.c.id)
            .where(orders.c.shop_id == self._shop_id, orders.c.order_no.in_(order_nos))
        )


def _key(order: Order, line: Line) -> _LineKey:
    return order.sub_shop or "", order.order_no, line.line_no


def _is_late(line: Line, newest: int | None) -> bool:
    stamp = to_ms(line.mall_changed_at)
    return stamp is not None and newest is not None and stamp < newest
