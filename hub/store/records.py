"""Writes what the malls show: idempotent by identity, touching only rows whose content changed.

A page of readings is compared with the stored digests in a few set-based queries; only new and
changed rows are written, as executemany. Everything happens on the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Column, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed, Reading
from hub.core.model import Claim, ClaimState, EndedBy, Inquiry, Line, Order
from hub.store.database import Database, to_ms
from hub.store.fitting import LONGEST, LONGEST_NAME, misfit
from hub.store.ids import new_id
from hub.store.late import LateReadings
from hub.store.people_kept import Head, keep_people
from hub.store.rollups import add_inquiries
from hub.store.rows import NUL, Row, RowMaker, digest_of, head_digest, line_changed_at, without_nul
from hub.store.sealed import QUARANTINE_PLACE, RAW_PLACE, folded
from hub.store.search_documents import Source
from hub.store.search_index import queue_for_search
from hub.store.stored import Stored, StoredLine
from hub.store.tables import claims, inquiries, lines, orders, products, quarantine, raw_payloads, status_changes
from hub.store.vanished import bring_back


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


#: the sub-shop of the order that a claim came with, the claim, and whether the reading was partial
_ClaimRead = tuple[str, Claim, bool]


class Written(Struct, kw_only=True):
    """The effect of one page. ``claimed`` are (order_no, kind) pairs and ``threads`` thread numbers
    whose cases must be looked at again.
    """

    counts: dict[Feed, Counts]
    claimed: set[tuple[str, str]]
    threads: set[str]


class RecordWriter:
    """Writes the records of one shop. Keep one per run: it remembers which products it has stored.

    ``is_stamped``: each line carries a time of change that only grows, so that readings may come late.
    """

    def __init__(self, database: Database, *, shop_id: int, country: str, is_stamped: bool = False) -> None:
        self._database = database
        self._box = database.box
        self._shop_id = shop_id
        self._rows = RowMaker(database.box, shop_id=shop_id, country=country)
        self._stored = Stored(database, shop_id)
        self._late = LateReadings(self._rows, shop_id=shop_id) if is_stamped else None
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
        claims_read: list[_ClaimRead] = []
        inquiries_read: list[Inquiry] = []
        broken: list[Reading] = []
        readings = [_fitting(reading) for reading in readings]
        for reading in readings:
            record = reading.record
            if record is not None and NUL in reading.raw:
                record = without_nul(record)
            if isinstance(record, Order):
                orders_read.append((record, reading.is_partial))
            elif isinstance(record, Claim):
                claims_read.append(("", record, reading.is_partial))
            elif isinstance(record, Inquiry):
                inquiries_read.append(record)
            else:
                broken.append(reading)
        if orders_read:
            orders_read = await self._write_newest(connection, orders_read, at, written)
            for order, is_partial in orders_read:
                claims_read.extend((order.sub_shop or "", claim, is_partial) for claim in order.claims)
        if claims_read or orders_read:
            complete = {
                (order.sub_shop or "", line.line_no)
                for order, _ in orders_read
                if order.claims_are_complete
                for line in order.lines
            }
            await self._write_claims(connection, claims_read, complete, at, written)
        if inquiries_read:
            await self._write_inquiries(connection, inquiries_read, at, written)
        await self._write_raw(connection, readings, feed, at)
        await self._write_broken(connection, broken, feed, at, written)
        return written

    # orders and lines

    async def _write_newest(
        self, connection: AsyncConnection, read: list[tuple[Order, bool]], at: int | None, written: Written
    ) -> list[tuple[Order, bool]]:
        """Write what is not late. Returns it: of late lines the claims are no news either."""
        if self._late is None:
            await _add_changes(connection, await self._write_orders(connection, read, at, written))
            return read
        sifted = await self._late.sift(connection, read)
        # Every state goes into the history below, each with its own time.
        await self._write_orders(connection, sifted.orders, at, written)
        await self._late.note(connection, read, at)
        written.counts[Feed.ORDERS].read += sifted.late
        written.counts[Feed.ORDERS].unchanged += sifted.late
        return sifted.orders

    async def _write_orders(
        self, connection: AsyncConnection, read: Iterable[tuple[Order, bool]], at: int | None, written: Written
    ) -> list[Row]:
        """Returns the changes of status, not yet written."""
        heads: dict[tuple[str, str], tuple[str, Order, bool]] = {}
        by_order: dict[tuple[str, str], dict[str, tuple[Line, bool]]] = {}
        for order, is_partial in read:
            key = (order.sub_shop or "", order.order_no)
            first = min((line.line_no for line in order.lines), default="")
            if key not in heads or first <= heads[key][0]:
                heads[key] = (first, order, is_partial)
            # The same line twice in one page (rows that moved while paging): the later reading wins.
            by_order.setdefault(key, {}).update({line.line_no: (line, is_partial) for line in order.lines})

        stored_heads = await self._stored.heads(connection, {order_no for _, order_no in heads})
        told: list[Head] = []
        order_ids: dict[tuple[str, str], int] = {}
        head_changed: set[int] = set()
        for key, (first, order, is_partial) in heads.items():
            stored = stored_heads.get(key)
            digest = head_digest(order, first)
            if stored is None:
                order_ids[key] = new_id()
            else:
                order_ids[key] = stored.id
                if is_partial or stored.content_hash == digest or first > stored.head_line_no:
                    continue
                head_changed.add(stored.id)
            told.append(Head(order_ids[key], key[0], first, order, digest))
        order_rows = [
            self._rows.order_row(*head, at)
            for head in await keep_people(self._database, connection, told, changed=head_changed)
        ]

        stored_lines = await self._stored.lines(connection, [order_ids[key] for key in heads if key in stored_heads])
        counts = written.counts[Feed.ORDERS]
        line_rows: list[Row] = []
        changes: list[Row] = []
        for key, order_lines in by_order.items():
            order_id = order_ids[key]
            for line, is_partial in order_lines.values():
                counts.read += 1
                digest = digest_of(line)
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
                            self._rows.change_row(
                                "line",
                                stored_line.id,
                                (stored_line.status, line.status.value, line.raw_status),
                                line_changed_at(line),
                                at,
                            )
                        )
                line_rows.append(
                    self._rows.line_row(stored_line.id if stored_line else new_id(), order_id, line, digest, at)
                )
        await self._database.upsert_rows(
            connection,
            orders,
            order_rows,
            key=[orders.c.shop_id, orders.c.sub_shop, orders.c.order_no],
            keep=[orders.c.first_seen_at],
        )
        in_part = {
            (order_ids[key], no) for key, some in by_order.items() for no, (_, is_part) in some.items() if is_part
        }
        await self._write_lines(connection, line_rows, stored_lines, in_part)
        await self._write_products(connection, line_rows)
        found_by = [*(row["id"] for row in order_rows), *(row["order_id"] for row in line_rows)]
        await queue_for_search(self._database, connection, Source.ORDER, found_by, at=at)
        return changes

    async def _write_lines(
        self,
        connection: AsyncConnection,
        rows: Iterable[Row],
        stored: Mapping[tuple[int, str], StoredLine],
        in_part: Collection[tuple[int, str]],
    ) -> None:
        """Of the lines told ``in_part`` (order and number) what is left out stays as it was.

        SQLite writes an index anew when a column of it is set, to the same value too: it is left out then.

        PostgreSQL sees for itself what stays. There another process could also have written the row since it was read.
        """
        by_equal: dict[tuple[Column[Any], ...], list[Row]] = defaultdict(list)
        for row in rows:
            old = stored.get((row["order_id"], row["line_no"])) if self._database.is_sqlite else None
            equal = () if old is None else tuple(c for c in _INDEXED if getattr(old, c.name) == row[c.name])
            if (row["order_id"], row["line_no"]) in in_part:
                equal += tuple(c for c in _LEFT_OUT if row[c.name] in (None, "") and c not in equal)
            by_equal[equal].append(row)
        for equal, some in by_equal.items():
            keep = [lines.c.first_seen_at, *equal]
            await self._database.upsert_rows(
                connection, lines, some, key=[lines.c.order_id, lines.c.line_no], keep=keep
            )

    async def _write_products(self, connection: AsyncConnection, line_rows: Iterable[Row]) -> None:
        fresh = {
            (row["product_code"] or "", row["product_name"][:LONGEST_NAME]) for row in line_rows if row["product_name"]
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
        read: Iterable[_ClaimRead],
        complete_lines: set[tuple[str, str]],
        at: int | None,
        written: Written,
    ) -> None:
        """Store claims; an open one missing on a line whose claims are completely known has ended.

        ``complete_lines``: sub-shop and number of each such line.
        """
        by_key = {claim.claim_key: (sub_shop, claim, is_partial) for sub_shop, claim, is_partial in read}
        line_nos = {line_no for _, line_no in complete_lines} | {claim.line_no for _, claim, _ in by_key.values()}
        if not line_nos:
            return
        stored_rows = await self._stored.claims(connection, line_nos)
        counts = written.counts[Feed.CLAIMS]
        rows: list[Row] = []
        changes: list[Row] = []
        for sub_shop, claim, is_partial in by_key.values():
            counts.read += 1
            digest = digest_of(claim)
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
                    changes.append(self._rows.change_row("claim", stored.id, moved, mall_at, at))
            written.claimed.add((claim.order_no, claim.kind.value))
            rows.append(self._rows.claim_row(stored.id if stored else new_id(), sub_shop, claim, digest, at))
        await self._database.upsert_rows(
            connection, claims, rows, key=[claims.c.shop_id, claims.c.claim_key], keep=[claims.c.first_seen_at]
        )
        found_by = [row["id"] for row in rows if row["reason_text_sealed"] or row["claim_key"] in stored_rows]
        await queue_for_search(self._database, connection, Source.CLAIM, found_by, at=at)
        gone = [
            row
            for row in stored_rows.values()
            if row.is_open and (row.sub_shop, row.line_no) in complete_lines and row.claim_key not in by_key
        ]
        for row in gone:
            counts.vanished += 1
            written.claimed.add((row.order_no, row.kind))
            moved = (row.state, ClaimState.WITHDRAWN.value, "")
            changes.append(self._rows.change_row("claim", row.id, moved, None, at))
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

    # inquiries

    async def _write_inquiries(
        self, connection: AsyncConnection, read: Iterable[Inquiry], at: int | None, written: Written
    ) -> None:
        by_no = {inquiry.inquiry_no: inquiry for inquiry in read}
        stored_rows = await self._stored.inquiries(connection, by_no)
        counts = written.counts[Feed.INQUIRIES]
        rows: list[Row] = []
        changes: list[Row] = []
        shifted: list[tuple[str, int, int]] = []
        found: list[int] = []
        for inquiry in by_no.values():
            counts.read += 1
            digest = digest_of(inquiry)
            stored = stored_rows.get(inquiry.inquiry_no)
            if stored is None:
                counts.new += 1
            elif stored.content_hash == digest:
                if stored.sought_at is not None:
                    found.append(stored.id)
                if stored.vanished_at is None:
                    counts.unchanged += 1
                else:
                    counts.changed += 1
                    written.threads.add(inquiry.thread_no)
                continue
            else:
                counts.changed += 1
                if stored.state != inquiry.state:
                    moved = (stored.state, inquiry.state.value, inquiry.raw_state)
                    changes.append(self._rows.change_row("inquiry", stored.id, moved, inquiry.answered_at, at))
            written.threads.add(inquiry.thread_no)
            counted = inquiry.kind.value, to_ms(inquiry.asked_at) or 0
            if stored is None or (stored.kind, stored.asked_at) != counted:
                shifted += [(*counted, 1)] if stored is None else [(stored.kind, stored.asked_at, -1), (*counted, 1)]
            rows.append(self._rows.inquiry_row(stored.id if stored else new_id(), inquiry, digest, at))
        await self._database.upsert_rows(
            connection,
            inquiries,
            rows,
            key=[inquiries.c.shop_id, inquiries.c.inquiry_no],
            keep=[inquiries.c.first_seen_at],
        )
        await bring_back(connection, found)
        await queue_for_search(self._database, connection, Source.INQUIRY, [row["id"] for row in rows], at=at)
        await add_inquiries(self._database, connection, shop_id=self._shop_id, changes=shifted, at=at or 0)
        await _add_changes(connection, changes)

    # what came, and what could not be read

    async def _write_raw(
        self, connection: AsyncConnection, readings: Iterable[Reading], feed: Feed, at: int | None
    ) -> None:
        fresh = {
            reading.key.replace("\0", ""): (reading, blake2b(reading.raw, digest_size=16).digest())
            for reading in readings
            if reading.record is not None
        }
        if not fresh:
            return
        same = await self._stored.payload_hashes(connection, feed.value, fresh)
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
        if await self._stored.has_quarantine(connection):
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
            key = reading.key.replace("\0", "")
            if not 0 < len(key) <= LONGEST:
                key = f"unnamed-{digest.hex()}"
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


def _fitting(reading: Reading) -> Reading:
    """As it is, or as one that cannot be read."""
    wrong = None if reading.record is None else misfit(reading.record)
    if wrong is None and len(reading.key) > LONGEST:
        wrong = "key"
    if wrong is None or reading.record is None:
        return reading
    return replace(reading, record=None, error=f"{wrong}: larger than any row holds")


#: of a line, what may change and has an index
_INDEXED = (lines.c.status, lines.c.tracking_no, lines.c.product_code)
#: of a line, what a reading may leave out that tells less than the one before
_LEFT_OUT = (
    lines.c.product_name,
    lines.c.product_option,
    lines.c.product_code,
    lines.c.option_code,
    lines.c.seller_sku,
    lines.c.hints,
    lines.c.amount_minor,
    lines.c.currency,
    lines.c.planned_ship_at,
    lines.c.is_reserved,
    lines.c.sendable_from,
    lines.c.carrier,
    lines.c.tracking_no,
    lines.c.dispatched_at,
    lines.c.delivered_at,
)


async def _add_changes(connection: AsyncConnection, changes: Sequence[Mapping[str, Any]]) -> None:
    if changes:
        await connection.execute(status_changes.insert(), list(changes))


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
