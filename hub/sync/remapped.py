"""Stored payloads by today's mapping, held against the records that stand in the store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector, Feed, Manifest, Reading
from hub.core.model import Claim, Inquiry, Line, Order
from hub.store.database import Database, among, from_ms
from hub.store.rows import NUL, digest_of, head_digest, without_nul
from hub.store.tables import claims, inquiries, lines, orders
from hub.store.vanished import Sought, keep_sought, sought_among
from hub.sync.ingest import Ingest
from hub.sync.settle import Linker, Settler

Record = Order | Claim | Inquiry


class Remapped(Struct, frozen=True, kw_only=True):
    """One stored payload read again. ``read_at``: when the mall sent it, in stored milliseconds."""

    feed: Feed
    reading: Reading
    read_at: int

    @property
    def record(self) -> Record | None:
        """As it is stored: without U+0000."""
        record = self.reading.record
        return without_nul(record) if record is not None and NUL in self.reading.raw else record


class Verdict(StrEnum):
    """``NEWER``: the hub has learnt something later than this payload."""

    SAME = "same"
    DIFFERENT = "different"
    NEWER = "newer"


class Sorted(Struct, frozen=True, kw_only=True):
    """``at``: when what is stored of the record was told, at the latest; the payload's time where nothing is stored."""

    verdict: Verdict
    at: int


class Comparer:
    """Tells which payloads of one shop say something else than the store, with a few queries for many payloads."""

    def __init__(self, database: Database, *, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id

    async def sort(
        self, connection: AsyncConnection, remapped: Sequence[Remapped], *, yields_to_newer: bool
    ) -> list[Sorted]:
        """One verdict for each; all of them hold records. ``yields_to_newer``: what was told later stands."""
        found = [each.record for each in remapped]
        known = await self._known(connection, [record for record in found if record is not None])
        sorted_out = []
        for each, record in zip(remapped, found, strict=True):
            ats = [] if record is None else known.differing(record, is_partial=each.reading.is_partial)
            at = max([each.read_at, *(at for at in ats if at is not None)])
            verdict = Verdict.DIFFERENT if ats else Verdict.SAME
            if ats and yields_to_newer and at > each.read_at:
                verdict = Verdict.NEWER
            sorted_out.append(Sorted(verdict=verdict, at=at))
        return sorted_out

    async def _known(self, connection: AsyncConnection, records: Iterable[Record]) -> "_Known":
        order_nos: set[str] = set()
        line_nos: set[str] = set()
        inquiry_nos: set[str] = set()
        for record in records:
            if isinstance(record, Order):
                order_nos.add(record.order_no)
                line_nos.update(line.line_no for line in record.lines)
                line_nos.update(claim.line_no for claim in record.claims)
            elif isinstance(record, Claim):
                line_nos.add(record.line_no)
            else:
                inquiry_nos.add(record.inquiry_no)
        known = _Known()
        for row in await self._fetch(connection, _HEADS, order_nos):
            known.heads[row[0], row[1]] = _Stored(row[2], row[4], head_line_no=row[3])
        for row in await self._fetch(connection, _LINES, order_nos):
            known.lines[row[0], row[1], row[2]] = _Stored(row[3], row[5], state=row[4])
        for row in await self._fetch(connection, _CLAIMS, line_nos):
            known.claims[row[0]] = _Stored(row[2], row[4], state=row[3])
            if row[5]:
                known.open_claims[row[6], row[1]].add(row[0])
        for row in await self._fetch(connection, _INQUIRIES, inquiry_nos):
            known.inquiries[row[0]] = _Stored(row[1], row[2])
        return known

    async def _fetch(self, connection: AsyncConnection, query: Any, names: set[str]) -> Sequence[Any]:
        if not names:
            return ()
        return await self._database.fetch(connection, query, {"shop_id": self._shop_id, "names": sorted(names)})


class _Stored(Struct, frozen=True):
    content_hash: bytes
    fetched_at: int
    state: str = ""
    head_line_no: str = ""


class _Known:
    def __init__(self) -> None:
        self.heads: dict[tuple[str, str], _Stored] = {}
        self.lines: dict[tuple[str, str, str], _Stored] = {}
        self.claims: dict[str, _Stored] = {}
        #: by sub-shop and line
        self.open_claims: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.inquiries: dict[str, _Stored] = {}

    def differing(self, record: Record, *, is_partial: bool) -> list[int | None]:
        """Of every stored part that differs, when it was told; ``None`` for a part that is not stored.

        The rules are those of the writer (hub.store.records): it touches nothing where this is empty.
        """
        if isinstance(record, Inquiry):
            return _unless_same(self.inquiries.get(record.inquiry_no), record, is_partial=is_partial)
        if isinstance(record, Claim):
            return self._claim(record, is_partial=is_partial)
        found = self._head(record, is_partial=is_partial)
        for line in record.lines:
            key = (record.sub_shop or "", record.order_no, line.line_no)
            found += _unless_same(self.lines.get(key), line, is_partial=is_partial, state=line.status.value)
        for claim in record.claims:
            found += self._claim(claim, is_partial=is_partial)
        if record.claims_are_complete:
            told = {claim.claim_key for claim in record.claims}
            for line in record.lines:
                still_open = self.open_claims[record.sub_shop or "", line.line_no]
                found += [self.claims[key].fetched_at for key in still_open - told]
        return found

    def _head(self, order: Order, *, is_partial: bool) -> list[int | None]:
        first = min((line.line_no for line in order.lines), default="")
        stored = self.heads.get((order.sub_shop or "", order.order_no))
        if stored is None:
            return [None]
        if is_partial or first > stored.head_line_no or stored.content_hash == head_digest(order, first):
            return []
        return [stored.fetched_at]

    def _claim(self, claim: Claim, *, is_partial: bool) -> list[int | None]:
        return _unless_same(self.claims.get(claim.claim_key), claim, is_partial=is_partial, state=claim.state.value)


def _unless_same(
    stored: _Stored | None, record: Line | Claim | Inquiry, *, is_partial: bool, state: str = ""
) -> list[int | None]:
    if stored is None:
        return [None]
    is_same = stored.content_hash == digest_of(record) or (is_partial and stored.state == state)
    return [] if is_same else [stored.fetched_at]


class Rewriter:
    """Writes remapped payloads as a run would, except that nobody has read anything anew: they keep their time."""

    def __init__(
        self, database: Database, *, shop_id: int, connector: Connector, manifest: Manifest, ingest: Ingest, now: Any
    ) -> None:
        about = {"shop_id": shop_id, "ingest": ingest, "now": now}
        self._shop_id = shop_id
        self._settles = manifest.drops_orders
        self._settler = Settler(database, connector=connector, **about)
        self._linker = Linker(database, **about)
        self._ingest = ingest
        self._database = database
        self._now = now

    async def write(self, connection: AsyncConnection, remapped: Iterable[tuple[Remapped, int]]) -> None:
        """``remapped``: with the time that each record keeps. On the caller's transaction."""
        by_time: dict[tuple[Feed, int], list[Reading]] = defaultdict(list)
        for each, at in remapped:
            by_time[each.feed, at].append(each.reading)
        if not by_time:
            return
        vanished = await self._vanished(connection, by_time.values())
        sought = await self._sought(connection, by_time.values())
        for (feed, at), readings in sorted(by_time.items(), key=lambda item: item[0][1]):
            await self._ingest.page(connection, readings, feed=feed, now=self._now(), read_at=from_ms(at))
        if vanished:
            await connection.execute(_VANISH_AGAIN, vanished)
        if sought:
            await keep_sought(connection, sought)
            await self._ingest.refresh_cases(connection, threads={one.thread_no for one in sought}, now=self._now())
        since = from_ms(min(at for _, at in by_time))
        if self._settles and since is not None:
            await self._settler.end_lines(connection, since=since)
        await self._linker.link_in(connection)

    async def _sought(self, connection: AsyncConnection, groups: Iterable[Sequence[Reading]]) -> list[Sought]:
        """Questions that the mall did not show: what it said of them stays, too."""
        records = [reading.record for readings in groups for reading in readings]
        numbers = {record.inquiry_no.replace("\0", "") for record in records if isinstance(record, Inquiry)}
        return await sought_among(self._database, connection, shop_id=self._shop_id, numbers=numbers)

    async def _vanished(
        self, connection: AsyncConnection, groups: Iterable[Sequence[Reading]]
    ) -> list[dict[str, int | datetime]]:
        """Lines that the mall shows no more: a payload that is read again does not bring them back."""
        numbers = {
            line.line_no.replace("\0", "")
            for readings in groups
            for reading in readings
            if isinstance(reading.record, Order)
            for line in reading.record.lines
        }
        if not numbers:
            return []
        rows = await self._database.fetch(connection, _VANISHED, {"shop_id": self._shop_id, "names": sorted(numbers)})
        return [{"row_id": row[0], "at": row[1]} for row in rows]


_HEADS = select(
    orders.c.sub_shop, orders.c.order_no, orders.c.content_hash, orders.c.head_line_no, orders.c.fetched_at
).where(orders.c.shop_id == bindparam("shop_id"), among(orders.c.order_no, "names"))
_LINES = (
    select(
        orders.c.sub_shop,
        orders.c.order_no,
        lines.c.line_no,
        lines.c.content_hash,
        lines.c.status,
        lines.c.fetched_at,
    )
    .join_from(orders, lines, lines.c.order_id == orders.c.id)
    .where(orders.c.shop_id == bindparam("shop_id"), among(orders.c.order_no, "names"))
)
_CLAIMS = select(
    claims.c.claim_key,
    claims.c.line_no,
    claims.c.content_hash,
    claims.c.state,
    claims.c.fetched_at,
    claims.c.is_open,
    claims.c.sub_shop,
).where(claims.c.shop_id == bindparam("shop_id"), among(claims.c.line_no, "names"))
_INQUIRIES = select(inquiries.c.inquiry_no, inquiries.c.content_hash, inquiries.c.fetched_at).where(
    inquiries.c.shop_id == bindparam("shop_id"), among(inquiries.c.inquiry_no, "names")
)
_VANISHED = select(lines.c.id, lines.c.vanished_at).where(
    lines.c.shop_id == bindparam("shop_id"), lines.c.vanished_at.is_not(None), among(lines.c.line_no, "names")
)
_VANISH_AGAIN = update(lines).where(lines.c.id == bindparam("row_id")).values(vanished_at=bindparam("at"))
