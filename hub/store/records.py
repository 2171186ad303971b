"""Writes what the malls show: idempotent by identity, touching only rows whose content changed.

A page of readings is compared with the stored digests in a few set-based queries; only new and
changed rows are written, as executemany. Everything happens on the caller's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Table, bindparam, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed, Reading
from hub.core.model import Claim, ClaimState, EndedBy, Inquiry, Line, LineStatus, Order, Party
from hub.store.database import Database, among, to_ms
from hub.store.ids import new_id
from hub.store.sealed import (
    CLAIM_TEXT_PLACE,
    INQUIRY_PLACE,
    ORDER_PLACE,
    QUARANTINE_PLACE,
    RAW_PLACE,
    OrderPrivate,
    folded,
    normal_email,
    normal_name,
    normal_phone,
    pack,
)
from hub.store.tables import (
    claims,
    inquiries,
    lines,
    orders,
    products,
    quarantine,
    raw_payloads,
    status_changes,
)

Row = dict[str, Any]
_to_json = msgspec.json.Encoder().encode


class Counts(Struct, kw_only=True):
    """What became of the records of one feed; ``read`` = new + changed + unchanged + quarantined."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    vanished: int = 0

    def add(self, other: "Counts") -> None:
        for field in Counts.__struct_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))


class Written(Struct, kw_only=True):
    """The effect of one page. ``claimed`` are (order_no, kind) pairs and ``threads`` thread numbers
    whose cases must be looked at again.
    """

    counts: dict[Feed, Counts]
    claimed: set[tuple[str, str]]
    threads: set[str]


def _digest(value: object) -> bytes:
    return blake2b(pack(value), digest_size=16).digest()


class RecordWriter:
    """Writes the records of one shop. Keep one per run: it remembers which products it has stored."""

    def __init__(self, database: Database, *, shop_id: int, country: str) -> None:
        self._database = database
        self._box = database.box
        self._shop_id = shop_id
        self._country = country
        self._known_products: set[tuple[str, str]] = set()

    async def write(
        self,
        connection: AsyncConnection,
        readings: Sequence[Reading],
        *,
        feed: Feed,
        now: datetime,
    ) -> Written:
        """Store one page. ``feed`` is what the page was read for (a broken record counts there)."""
        written = Written(counts={each: Counts() for each in Feed}, claimed=set(), threads=set())
        at = to_ms(now)
        orders_read: list[tuple[Order, bool]] = []
        claims_read: list[tuple[Claim, bool]] = []
        inquiries_read: list[Inquiry] = []
        broken: list[Reading] = []
        for reading in readings:
            record = reading.record
            if record is not None and _NUL in reading.raw:
                record = _without_nul(record)
            if isinstance(record, Order):
                orders_read.append((record, reading.is_partial))
            elif isinstance(record, Claim):
                claims_read.append((record, reading.is_partial))
            elif isinstance(record, Inquiry):
                inquiries_read.append(record)
            else:
                broken.append(reading)
        if orders_read:
            await self._write_orders(connection, orders_read, at, written)
            for order, is_partial in orders_read:
                claims_read.extend((claim, is_partial) for claim in order.claims)
        if claims_read or orders_read:
            complete = {line.line_no for order, _ in orders_read if order.claims_are_complete for line in order.lines}
            await self._write_claims(connection, claims_read, complete, at, written)
        if inquiries_read:
            await self._write_inquiries(connection, inquiries_read, at, written)
        await self._write_raw(connection, readings, feed, at)
        await self._write_broken(connection, broken, feed, at, written)
        return written

    # orders and lines

    async def _write_orders(
        self, connection: AsyncConnection, read: Iterable[tuple[Order, bool]], at: int | None, written: Written
    ) -> None:
        heads: dict[tuple[str, str], tuple[str, Order, bool]] = {}
        by_order: dict[tuple[str, str], dict[str, tuple[Line, bool]]] = {}
        for order, is_partial in read:
            key = (order.sub_shop or "", order.order_no)
            first = min((line.line_no for line in order.lines), default="")
            if key not in heads or first <= heads[key][0]:
                heads[key] = (first, order, is_partial)
            # The same line twice in one page (rows that moved while paging): the later reading wins.
            by_order.setdefault(key, {}).update((line.line_no, (line, is_partial)) for line in order.lines)

        numbers = {order_no for _, order_no in heads}
        stored_heads = {
            (row.sub_shop, row.order_no): row
            for row in map(
                _StoredHead._make,
                await self._database.fetch(
                    connection, _ORDER_HEADS, {"shop_id": self._shop_id, "numbers": list(numbers)}
                ),
            )
        }
        order_rows: list[Row] = []
        order_ids: dict[tuple[str, str], int] = {}
        head_changed: set[int] = set()
        for key, (first, order, is_partial) in heads.items():
            stored = stored_heads.get(key)
            digest = _head_digest(order, first)
            if stored is None:
                order_ids[key] = new_id()
            else:
                order_ids[key] = stored.id
                if is_partial or stored.content_hash == digest or first > stored.head_line_no:
                    continue
                head_changed.add(stored.id)
            order_rows.append(self._order_row(order_ids[key], key[0], first, order, digest, at))

        known_ids = [order_ids[key] for key in heads if key in stored_heads]
        stored_lines = (
            {
                (row.order_id, row.line_no): row
                for row in map(
                    _StoredLine._make,
                    await self._database.fetch(connection, _STORED_LINES, {"order_ids": known_ids}),
                )
            }
            if known_ids
            else {}
        )
        counts = written.counts[Feed.ORDERS]
        line_rows: list[Row] = []
        changes: list[Row] = []
        for key, order_lines in by_order.items():
            order_id = order_ids[key]
            for line, is_partial in order_lines.values():
                counts.read += 1
                digest = _digest(line)
                stored_line = stored_lines.get((order_id, line.line_no))
                if stored_line is None:
                    counts.new += 1
                elif stored_line.content_hash == digest or (is_partial and stored_line.status == line.status):
                    if order_id in head_changed:
                        counts.changed += 1
                    else:
                        counts.unchanged += 1
                    continue
                else:
                    counts.changed += 1
                    if stored_line.raw_status != line.raw_status or stored_line.status != line.status:
                        changes.append(
                            self._change(
                                "line",
                                stored_line.id,
                                (stored_line.status, line.status.value, line.raw_status),
                                _line_changed_at(line),
                                at,
                            )
                        )
                line_rows.append(
                    _line_row(stored_line.id if stored_line else new_id(), self._shop_id, order_id, line, digest, at)
                )
        await self._database.upsert_rows(
            connection,
            orders,
            order_rows,
            key=[orders.c.shop_id, orders.c.sub_shop, orders.c.order_no],
            keep=[orders.c.first_seen_at],
        )
        await self._database.upsert_rows(
            connection, lines, line_rows, key=[lines.c.order_id, lines.c.line_no], keep=[lines.c.first_seen_at]
        )
        await self._write_products(connection, line_rows)
        await _add_changes(connection, changes)

    def _order_row(
        self, order_id: int, sub_shop: str, head_line_no: str, order: Order, digest: bytes, at: int | None
    ) -> Row:
        private = OrderPrivate(buyer=order.buyer, receiver=order.receiver, delivery_message=order.delivery_message)
        buyer, receiver = order.buyer or _NOBODY, order.receiver or _NOBODY
        buyer_name, receiver_name = normal_name(buyer.name), normal_name(receiver.name)
        buyer_phone = normal_phone(buyer.phone or buyer.phone_second, self._country)
        receiver_phone = normal_phone(receiver.phone or receiver.phone_second, self._country)
        return {
            "id": order_id,
            "shop_id": self._shop_id,
            "sub_shop": sub_shop,
            "order_no": order.order_no,
            "ordered_at": to_ms(order.ordered_at),
            "paid_at": to_ms(order.paid_at),
            "currency": order.currency,
            "amount_minor": order.amount.minor if order.amount else None,
            "payment_method": order.payment_method,
            "market": order.market,
            "market_order_no": order.market_order_no,
            "sealed": self._box.seal(pack(private), ORDER_PLACE),
            "buyer_name_idx": self._blind("name", buyer_name),
            "buyer_phone_idx": self._blind("phone", buyer_phone),
            "buyer_email_idx": self._blind("email", normal_email(buyer.email)),
            # Most receive what they bought: nothing to find twice.
            "receiver_name_idx": self._blind("name", _other(receiver_name, buyer_name)),
            "receiver_phone_idx": self._blind("phone", _other(receiver_phone, buyer_phone)),
            "head_line_no": head_line_no,
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
        }

    def _blind(self, domain: str, value: str | None) -> bytes | None:
        return None if value is None else self._box.blind(domain, value)

    async def _write_products(self, connection: AsyncConnection, line_rows: Iterable[Row]) -> None:
        fresh = {
            (row["product_code"] or "", row["product_name"]) for row in line_rows if row["product_name"]
        } - self._known_products
        if not fresh:
            return
        self._known_products |= fresh
        await self._database.upsert_rows(
            connection,
            products,
            [
                {"id": new_id(), "shop_id": self._shop_id, "code": code, "name": name, "name_folded": folded(name)}
                for code, name in fresh
            ],
            key=[products.c.shop_id, products.c.code, products.c.name],
            keep=list(products.c),
        )

    # claims

    async def _write_claims(
        self,
        connection: AsyncConnection,
        read: Iterable[tuple[Claim, bool]],
        complete_lines: set[str],
        at: int | None,
        written: Written,
    ) -> None:
        """Store claims; an open one missing on a line whose claims are completely known has ended."""
        by_key = {claim.claim_key: (claim, is_partial) for claim, is_partial in read}
        line_nos = complete_lines | {claim.line_no for claim, _ in by_key.values()}
        if not line_nos:
            return
        stored_rows = {
            row.claim_key: row
            for row in map(
                _StoredClaim._make,
                await self._database.fetch(
                    connection, _STORED_CLAIMS, {"shop_id": self._shop_id, "line_nos": list(line_nos)}
                ),
            )
        }
        counts = written.counts[Feed.CLAIMS]
        rows: list[Row] = []
        changes: list[Row] = []
        for claim, is_partial in by_key.values():
            counts.read += 1
            digest = _digest(claim)
            stored = stored_rows.get(claim.claim_key)
            if stored is None:
                counts.new += 1
            elif stored.content_hash == digest or (is_partial and stored.state == claim.state):
                counts.unchanged += 1
                continue
            else:
                counts.changed += 1
                if stored.state != claim.state or stored.raw_state != claim.raw_state:
                    moved = (stored.state, claim.state.value, claim.raw_state)
                    mall_at = claim.ended_at if not claim.state.is_open else None
                    changes.append(self._change("claim", stored.id, moved, mall_at, at))
            written.claimed.add((claim.order_no, claim.kind.value))
            rows.append(self._claim_row(stored.id if stored else new_id(), claim, digest, at))
        await self._database.upsert_rows(
            connection, claims, rows, key=[claims.c.shop_id, claims.c.claim_key], keep=[claims.c.first_seen_at]
        )
        gone = [
            row
            for row in stored_rows.values()
            if row.is_open and row.line_no in complete_lines and row.claim_key not in by_key
        ]
        for row in gone:
            counts.vanished += 1
            written.claimed.add((row.order_no, row.kind))
            moved = (row.state, ClaimState.WITHDRAWN.value, "")
            changes.append(self._change("claim", row.id, moved, None, at))
        if gone:
            await connection.execute(
                _END_CLAIM,
                [
                    {
                        "row_id": row.id,
                        "new_hash": blake2b(row.content_hash + b"withdrawn", digest_size=16).digest(),
                        "at": at,
                    }
                    for row in gone
                ],
            )
        await _add_changes(connection, changes)

    def _claim_row(self, claim_id: int, claim: Claim, digest: bytes, at: int | None) -> Row:
        text = claim.reason_text
        return {
            "id": claim_id,
            "shop_id": self._shop_id,
            "claim_key": claim.claim_key,
            "order_no": claim.order_no,
            "line_no": claim.line_no,
            "claim_no": claim.claim_no,
            "kind": claim.kind.value,
            "state": claim.state.value,
            "is_open": claim.state.is_open,
            "raw_state": claim.raw_state,
            "reason": claim.reason.value,
            "raw_reason": claim.raw_reason,
            "fault_party": claim.fault_party.value,
            "quantity": claim.quantity,
            "requested_at": to_ms(claim.requested_at),
            "ended_at": to_ms(claim.ended_at),
            "ended_by": claim.ended_by.value if claim.ended_by else None,
            "hold_reason": claim.hold_reason,
            "collect_carrier": claim.collect_carrier,
            "collect_tracking_no": claim.collect_tracking_no,
            "collected_at": to_ms(claim.collected_at),
            "reship_carrier": claim.reship_carrier,
            "reship_tracking_no": claim.reship_tracking_no,
            "refund_minor": claim.refund.minor if claim.refund else None,
            "refund_currency": claim.refund.currency if claim.refund else None,
            "reason_text_sealed": self._box.seal(text.encode(), CLAIM_TEXT_PLACE) if text else None,
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
        }

    # inquiries

    async def _write_inquiries(
        self, connection: AsyncConnection, read: Iterable[Inquiry], at: int | None, written: Written
    ) -> None:
        by_no = {inquiry.inquiry_no: inquiry for inquiry in read}
        stored_rows = {
            row.inquiry_no: row
            for row in map(
                _StoredInquiry._make,
                await self._database.fetch(
                    connection, _STORED_INQUIRIES, {"shop_id": self._shop_id, "numbers": list(by_no)}
                ),
            )
        }
        counts = written.counts[Feed.INQUIRIES]
        rows: list[Row] = []
        changes: list[Row] = []
        for inquiry in by_no.values():
            counts.read += 1
            digest = _digest(inquiry)
            stored = stored_rows.get(inquiry.inquiry_no)
            if stored is None:
                counts.new += 1
            elif stored.content_hash == digest:
                counts.unchanged += 1
                continue
            else:
                counts.changed += 1
                if stored.state != inquiry.state:
                    moved = (stored.state, inquiry.state.value, inquiry.raw_state)
                    changes.append(self._change("inquiry", stored.id, moved, inquiry.answered_at, at))
            written.threads.add(inquiry.thread_no)
            rows.append(self._inquiry_row(stored.id if stored else new_id(), inquiry, digest, at))
        await self._database.upsert_rows(
            connection,
            inquiries,
            rows,
            key=[inquiries.c.shop_id, inquiries.c.inquiry_no],
            keep=[inquiries.c.first_seen_at],
        )
        await _add_changes(connection, changes)

    def _inquiry_row(self, inquiry_id: int, inquiry: Inquiry, digest: bytes, at: int | None) -> Row:
        writer = inquiry.writer or _NOBODY
        return {
            "id": inquiry_id,
            "shop_id": self._shop_id,
            "inquiry_no": inquiry.inquiry_no,
            "thread_no": inquiry.thread_no,
            "kind": inquiry.kind.value,
            "state": inquiry.state.value,
            "raw_state": inquiry.raw_state,
            "order_no": inquiry.order_no,
            "line_nos": _to_json(inquiry.line_nos).decode(),
            "product_code": inquiry.product_code,
            "product_name": inquiry.product_name,
            "category": inquiry.category,
            "asked_at": to_ms(inquiry.asked_at),
            "answered_at": to_ms(inquiry.answered_at),
            "is_public": inquiry.is_public,
            "writer_name_idx": self._blind("name", normal_name(writer.name)),
            "writer_phone_idx": self._blind("phone", normal_phone(writer.phone, self._country)),
            "sealed": self._box.seal(pack(inquiry), INQUIRY_PLACE),
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
        }

    # what came, and what could not be read

    async def _write_raw(
        self, connection: AsyncConnection, readings: Iterable[Reading], feed: Feed, at: int | None
    ) -> None:
        fresh = {
            reading.key: (reading, blake2b(reading.raw, digest_size=16).digest())
            for reading in readings
            if reading.record is not None
        }
        if not fresh:
            return
        same = dict(
            await self._database.fetch(
                connection, _STORED_RAW, {"shop_id": self._shop_id, "feed": feed.value, "keys": list(fresh)}
            )
        )
        rows = [
            {
                "shop_id": self._shop_id,
                "feed": feed.value,
                "key": key,
                "payload_sealed": self._box.seal(reading.raw, RAW_PLACE),
                "payload_hash": digest,
                "fetched_at": at,
            }
            for key, (reading, digest) in fresh.items()
            if same.get(key) != digest and not (reading.is_partial and key in same)
        ]
        await self._database.upsert_rows(
            connection,
            raw_payloads,
            rows,
            key=[raw_payloads.c.shop_id, raw_payloads.c.feed, raw_payloads.c.key],
            changed_hash=False,
        )
        # A record that can be read again leaves quarantine by itself.
        if await self._database.fetch(connection, _UNRESOLVED, {"shop_id": self._shop_id}):
            await connection.execute(
                _RESOLVE, {"of_shop": self._shop_id, "of_feed": feed.value, "keys": list(fresh), "at": at}
            )

    async def _write_broken(
        self, connection: AsyncConnection, broken: Sequence[Reading], feed: Feed, at: int | None, written: Written
    ) -> None:
        counts = written.counts[feed]
        counts.read += len(broken)
        counts.quarantined += len(broken)
        if not broken:
            return
        rows = {}
        for reading in broken:
            digest = blake2b(reading.raw, digest_size=16).digest()
            # Records too broken to name themselves must not hide one another.
            key = reading.key.replace("\0", "") or f"unnamed-{digest.hex()}"
            rows[key] = {
                "id": new_id(),
                "shop_id": self._shop_id,
                "feed": feed.value,
                "key": key,
                "error": (reading.error or "unreadable").replace("\0", ""),
                "payload_sealed": self._box.seal(reading.raw, QUARANTINE_PLACE),
                "payload_hash": digest,
                "first_seen_at": at,
                "last_seen_at": at,
                "resolved_at": None,
            }
        await connection.execute(
            self._database.upsert(
                quarantine,
                key=[quarantine.c.shop_id, quarantine.c.feed, quarantine.c.key],
                keep=[quarantine.c.first_seen_at],
                changed_hash=False,
            ),
            list(rows.values()),
        )

    async def resolve_unseen(self, connection: AsyncConnection, *, feed: Feed, since: datetime) -> None:
        """After an unbroken full run that began at ``since``: what it no longer met broken is mended."""
        await connection.execute(
            update(quarantine)
            .where(
                quarantine.c.shop_id == self._shop_id,
                quarantine.c.feed == feed.value,
                quarantine.c.resolved_at.is_(None),
                quarantine.c.last_seen_at < to_ms(since),
            )
            .values(resolved_at=to_ms(since))
        )

    def _change(
        self,
        subject: str,
        subject_id: int,
        moved: tuple[str, str, str],
        mall_at: datetime | None,
        at: int | None,
    ) -> Row:
        return {
            "id": new_id(),
            "shop_id": self._shop_id,
            "subject": subject,
            "subject_id": subject_id,
            "from_status": moved[0],
            "to_status": moved[1],
            "raw_status": moved[2],
            "mall_at": to_ms(mall_at),
            "seen_at": at,
        }


_NOBODY = Party()
# How U+0000 stands in JSON; PostgreSQL takes it in no text.
_NUL = b"\\u0000"


def _without_nul(record: Order | Claim | Inquiry) -> Order | Claim | Inquiry:
    return msgspec.convert(_cleaned(msgspec.to_builtins(record)), type(record))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def _other(receiver: str | None, buyer: str | None) -> str | None:
    return None if receiver == buyer else receiver


def _head_digest(order: Order, head_line_no: str) -> bytes:
    """``head_line_no`` is a part of it: of lines that tell the same, the first must become the head too."""
    return _digest(
        (
            head_line_no,
            order.ordered_at,
            order.paid_at,
            order.currency,
            order.amount,
            order.payment_method,
            order.market,
            order.market_order_no,
            order.buyer,
            order.receiver,
            order.delivery_message,
        )
    )


def _line_row(line_id: int, shop_id: int, order_id: int, line: Line, digest: bytes, at: int | None) -> Row:
    product, amount, shipment = line.product, line.amount, line.shipment
    return {
        "id": line_id,
        "shop_id": shop_id,
        "order_id": order_id,
        "line_no": line.line_no,
        "status": line.status.value,
        "raw_status": line.raw_status,
        "is_held": line.held,
        "quantity": line.quantity,
        "remaining_quantity": line.remaining_quantity,
        "product_name": product.name,
        "product_option": product.option,
        "product_code": product.code,
        "option_code": product.option_code,
        "seller_sku": product.seller_sku,
        "hints": _to_json([(hint.name, hint.value) for hint in product.hints]).decode() if product.hints else None,
        "amount_minor": amount.minor if amount else None,
        "currency": amount.currency if amount else None,
        "planned_ship_at": to_ms(line.planned_ship_at),
        "purchase_confirmed_at": to_ms(line.purchase_confirmed_at),
        "carrier": shipment.carrier if shipment else None,
        "tracking_no": shipment.tracking_no if shipment else None,
        "dispatched_at": to_ms(shipment.dispatched_at) if shipment else None,
        "delivered_at": to_ms(shipment.delivered_at) if shipment else None,
        "mall_changed_at": to_ms(line.mall_changed_at),
        "replaces_line_no": line.replaces_line_no,
        "content_hash": digest,
        "first_seen_at": at,
        "fetched_at": at,
        "vanished_at": None,
    }


def _line_changed_at(line: Line) -> datetime | None:
    """The mall's own time of the newest change, as far as it tells one."""
    shipment = line.shipment
    if line.status is LineStatus.PURCHASE_CONFIRMED and line.purchase_confirmed_at:
        return line.purchase_confirmed_at
    if shipment and line.status is LineStatus.DELIVERED and shipment.delivered_at:
        return shipment.delivered_at
    if shipment and line.status is LineStatus.DISPATCHED and shipment.dispatched_at:
        return shipment.dispatched_at
    return line.mall_changed_at


async def _add_changes(connection: AsyncConnection, changes: Sequence[Mapping[str, Any]]) -> None:
    if changes:
        await connection.execute(status_changes.insert(), list(changes))


class _StoredHead(NamedTuple):
    id: int
    sub_shop: str
    order_no: str
    content_hash: bytes
    head_line_no: str


class _StoredLine(NamedTuple):
    id: int
    order_id: int
    line_no: str
    content_hash: bytes
    status: str
    raw_status: str


class _StoredClaim(NamedTuple):
    id: int
    claim_key: str
    content_hash: bytes
    order_no: str
    line_no: str
    kind: str
    state: str
    raw_state: str
    is_open: bool


class _StoredInquiry(NamedTuple):
    id: int
    inquiry_no: str
    content_hash: bytes
    state: str


def _columns(table: Table, kind: type[NamedTuple]) -> list[Column[Any]]:
    return [table.c[name] for name in kind._fields]


_ORDER_HEADS = select(*_columns(orders, _StoredHead)).where(
    orders.c.shop_id == bindparam("shop_id"), among(orders.c.order_no, "numbers")
)
_STORED_LINES = select(*_columns(lines, _StoredLine)).where(among(lines.c.order_id, "order_ids"))
_STORED_CLAIMS = select(*_columns(claims, _StoredClaim)).where(
    claims.c.shop_id == bindparam("shop_id"), among(claims.c.line_no, "line_nos")
)
_STORED_INQUIRIES = select(*_columns(inquiries, _StoredInquiry)).where(
    inquiries.c.shop_id == bindparam("shop_id"), among(inquiries.c.inquiry_no, "numbers")
)
_STORED_RAW = select(raw_payloads.c.key, raw_payloads.c.payload_hash).where(
    raw_payloads.c.shop_id == bindparam("shop_id"),
    raw_payloads.c.feed == bindparam("feed"),
    among(raw_payloads.c.key, "keys"),
)
_UNRESOLVED = (
    select(quarantine.c.id)
    .where(quarantine.c.shop_id == bindparam("shop_id"), quarantine.c.resolved_at.is_(None))
    .limit(literal_column("1"))
)
_RESOLVE = (
    update(quarantine)
    .where(
        quarantine.c.shop_id == bindparam("of_shop"),
        quarantine.c.feed == bindparam("of_feed"),
        quarantine.c.key.in_(bindparam("keys", expanding=True)),
        quarantine.c.resolved_at.is_(None),
    )
    .values(resolved_at=bindparam("at"))
)
# Nothing says whether the customer took it back or the seller refused: withdrawn, by unknown.
_END_CLAIM = (
    update(claims)
    .where(claims.c.id == bindparam("row_id"))
    .values(
        state=ClaimState.WITHDRAWN.value,
        is_open=False,
        ended_by=EndedBy.UNKNOWN.value,
        content_hash=bindparam("new_hash"),
        fetched_at=bindparam("at"),
    )
)
