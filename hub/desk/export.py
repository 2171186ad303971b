"""Rows for files: the columns are a public contract, the same for every format, CLI and API.

Times are ISO 8601 UTC, absent is ``None``. Rows are read in chunks by key, so an export of any size
needs the memory of one chunk.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Party, Product
from hub.core.redact import mask_party, mask_text
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.database import Database, from_ms, to_ms
from hub.store.one import product_of, unpack_inquiry
from hub.store.sealed import INQUIRY_PLACE, ORDER_PLACE, unpack_order
from hub.store.tables import calls, cases, claims, inquiries, lines, orders, rebills, shops
from hub.sync.cases import NEVER
from routing.facts import with_facts

Row = dict[str, Any]
#: product, shop, mall, day -> inventory mode
ModeOf = Callable[[Product, str, str, date], str]

_CHUNK = 2_000


class ExportKind(StrEnum):
    ORDERS = "orders"
    LINES = "lines"
    CLAIMS = "claims"
    INQUIRIES = "inquiries"
    CASES = "cases"
    CALLS = "calls"


class ExportRequest(Struct, frozen=True, kw_only=True):
    """``since`` and ``until`` are half-open over the row's own time: ordered, requested, asked, opened, entered."""

    kind: ExportKind
    shop: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    unmask: bool = False


async def export_rows(
    database: Database, request: ExportRequest, *, mode_of: ModeOf, zone: ZoneInfo
) -> AsyncIterator[Row]:
    """Every row of the request in a stable order. The caller has checked and logged the right to ask.

    ``zone``: the centre's. The mode of a line is that of the day on which it was ordered there.
    """
    table = _TABLES[request.kind]
    query = table.select.where(*_filters(table, request)).order_by(table.key).limit(_CHUNK)
    after: Any = None
    while True:
        page = query if after is None else query.where(table.key > after)
        async with database.reading() as connection:
            rows = (await connection.execute(page)).all()
            modes = await _modes(database, connection, rows, mode_of, zone) if request.kind is ExportKind.LINES else ()
        for place, row in enumerate(rows):
            values = _render(database, request, row)
            if request.kind is ExportKind.LINES:
                values["inventory_mode"] = modes[place]
            yield values
        if len(rows) < _CHUNK:
            return
        after = rows[-1].key


def columns(kind: ExportKind) -> tuple[str, ...]:
    """Column names in their order, for formats that need them before the first row."""
    return _TABLES[kind].columns


class _Table(Struct, frozen=True, kw_only=True):
    select: Select[Any]
    key: ColumnElement[Any]
    time: ColumnElement[Any]
    columns: tuple[str, ...]


def _filters(table: _Table, request: ExportRequest) -> list[ColumnElement[bool]]:
    filters = []
    if request.shop is not None and request.kind is not ExportKind.CALLS:
        filters.append(shops.c.name == request.shop)
    if request.since is not None:
        filters.append(table.time >= to_ms(request.since))
    if request.until is not None:
        filters.append(table.time < to_ms(request.until))
    return filters


def _render(database: Database, request: ExportRequest, row: Any) -> Row:
    values: Row = {}
    stored: Mapping[str, Any] = row._mapping  # noqa: SLF001  the documented way to read a Row by name
    for name in columns(request.kind):
        value = stored.get(name)
        values[name] = _iso(value) if name.endswith("_at") else value
    if request.kind is ExportKind.LINES:
        values["held"] = bool(row.is_held)
        values["option"] = row.product_option
    elif request.kind is ExportKind.CASES and row.due_at >= NEVER:
        values["due_at"] = None
    elif request.kind is ExportKind.ORDERS:
        _add_people(database, values, row.sealed, unmask=request.unmask)
    elif request.kind is ExportKind.INQUIRIES:
        _add_texts(database, values, row.sealed, unmask=request.unmask)
    return values


def _iso(at: int | None) -> str | None:
    if at is None:
        return None
    moment = datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000)
    spec = "milliseconds" if at % 1000 else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


async def _modes(
    database: Database, connection: AsyncConnection, rows: Sequence[Any], mode_of: ModeOf, zone: ZoneInfo
) -> Sequence[str]:
    """The inventory mode of each line, the facts of the malls' catalogues included."""
    products = [product_of(row) for row in rows]
    ids = [row.shop_id for row in rows]
    stock = await read_stock_facts(database, connection, list(zip(ids, products, strict=True)))
    return [
        mode_of(with_facts(product, catalogue_facts(facts)), row.shop, row.mall, _day(row.ordered_at, zone))
        for row, product, facts in zip(rows, products, stock, strict=True)
    ]


def _day(at: int | None, zone: ZoneInfo) -> date:
    return (from_ms(at) or datetime.now(UTC)).astimezone(zone).date()


def _add_people(database: Database, values: Row, sealed: bytes | None, *, unmask: bool) -> None:
    private = unpack_order(database.box.open(sealed, ORDER_PLACE)) if sealed else None
    for role in ("buyer", "receiver"):
        party: Party | None = getattr(private, role) if private else None
        shown = (party if unmask else mask_party(party)) or Party()
        values[f"{role}_name"] = shown.name
        values[f"{role}_phone"] = shown.phone


def _add_texts(database: Database, values: Row, sealed: bytes, *, unmask: bool) -> None:
    inquiry = unpack_inquiry(database.box.open(sealed, INQUIRY_PLACE))
    for name in ("subject", "text", "answer"):
        text = getattr(inquiry, name)
        values[name] = text if unmask else mask_text(text)


_LINE_COLUMNS = (
    "shop", "mall", "order_no", "line_no", "status", "raw_status", "held", "quantity", "remaining_quantity",
    "product_name", "option", "product_code", "seller_sku", "amount_minor", "currency", "ordered_at", "paid_at",
    "planned_ship_at", "dispatched_at", "delivered_at", "carrier", "tracking_no", "inventory_mode",
    "mall_changed_at", "fetched_at", "rebill_of",
)  # fmt: skip
_ORDER_COLUMNS = (
    "shop", "mall", "order_no", "sub_shop", "ordered_at", "paid_at", "amount_minor", "currency", "payment_method",
    "market", "market_order_no", "buyer_name", "buyer_phone", "receiver_name", "receiver_phone", "fetched_at",
)  # fmt: skip
_CLAIM_COLUMNS = (
    "shop", "mall", "order_no", "line_no", "claim_no", "kind", "state", "raw_state", "reason", "raw_reason",
    "fault_party", "quantity", "requested_at", "ended_at", "ended_by",
)  # fmt: skip
_INQUIRY_COLUMNS = (
    "shop", "mall", "inquiry_no", "thread_no", "kind", "state", "order_no", "product_code", "asked_at",
    "answered_at", "subject", "text", "answer",
)  # fmt: skip
_CASE_COLUMNS = (
    "shop", "mall", "case_key", "kind", "state", "is_open", "order_no", "thread_no", "product_name", "quantity",
    "opened_at", "closed_at", "due_at", "due_cause",
)  # fmt: skip
_CALL_COLUMNS = (
    "call_id", "did", "mall", "line", "chosen_line", "handling_line", "topic", "result", "entered_at",
    "wait_seconds", "talk_seconds", "agent",
)  # fmt: skip

_SHOP = (shops.c.name.label("shop"), shops.c.mall.label("mall"))
_HEAD = (orders.c.order_no, orders.c.ordered_at, orders.c.paid_at)
#: the order that a line was paid anew for, without goods of its own
_REBILL_OF = (
    select(func.min(rebills.c.old_order_no))
    .where(
        rebills.c.new_shop_id == lines.c.shop_id,
        rebills.c.new_order_no == orders.c.order_no,
        rebills.c.new_line_no == lines.c.line_no,
        rebills.c.is_active,
    )
    .correlate(lines, orders)
    .scalar_subquery()
    .label("rebill_of")
)
_TABLES = {
    ExportKind.ORDERS: _Table(
        select=select(*_SHOP, orders, orders.c.id.label("key")).join_from(orders, shops),
        key=orders.c.id,
        time=orders.c.ordered_at,
        columns=_ORDER_COLUMNS,
    ),
    ExportKind.LINES: _Table(
        select=select(*_SHOP, lines, *_HEAD, lines.c.id.label("key"), _REBILL_OF).select_from(
            lines.join(orders, orders.c.id == lines.c.order_id).join(shops, shops.c.id == lines.c.shop_id)
        ),
        key=lines.c.id,
        time=orders.c.ordered_at,
        columns=_LINE_COLUMNS,
    ),
    ExportKind.CLAIMS: _Table(
        select=select(*_SHOP, claims, claims.c.id.label("key")).join_from(claims, shops),
        key=claims.c.id,
        time=claims.c.requested_at,
        columns=_CLAIM_COLUMNS,
    ),
    ExportKind.INQUIRIES: _Table(
        select=select(*_SHOP, inquiries, inquiries.c.id.label("key")).join_from(inquiries, shops),
        key=inquiries.c.id,
        time=inquiries.c.asked_at,
        columns=_INQUIRY_COLUMNS,
    ),
    ExportKind.CASES: _Table(
        select=select(*_SHOP, cases, cases.c.id.label("key")).join_from(cases, shops),
        key=cases.c.id,
        time=cases.c.opened_at,
        columns=_CASE_COLUMNS,
    ),
    ExportKind.CALLS: _Table(
        select=select(calls, calls.c.call_id.label("key")),
        key=calls.c.call_id,
        time=calls.c.entered_at,
        columns=_CALL_COLUMNS,
    ),
}
