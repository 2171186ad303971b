"""Everything under some numbers and addresses, over all malls and kinds of record: newest first, page by page.

Each kind is read by itself from the cursor on, at most one page; merged they are one list. A page costs the
same statements however much there is.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.cases.person import matching_orders
from hub.desk.customers.identity import Identity, RecordKind, RecordRef, identity_of_inquiry, identity_of_order
from hub.desk.customers.views import HistoryKind
from hub.desk.marks import mall_mark
from hub.desk.services import Malls
from hub.desk.views import MallMark
from hub.store.belonging import order_of_claim
from hub.store.database import time_of
from hub.store.tables import calls, cases, claims, inquiries, lines, orders, shops
from hub.store.vanished import shown_state

PAGE: Final = 50
_ORDER: Final = list(HistoryKind)
_LONGEST_CURSOR: Final = 200
_INT64: Final = 2**63


class Keys(Struct, frozen=True, kw_only=True):
    """What is looked for. ``emails`` find orders only: no other table knows an address."""

    phones: Sequence[bytes]
    emails: Sequence[bytes]

    def orders(self) -> Any:
        """Ids of the orders; of none without any key."""
        found = matching_orders(self.phones, self.emails)
        return select(orders.c.id).where(false()) if found is None else found

    def inquiries(self) -> Any:
        """Ids of the questions: by their writer, and those about one of the orders."""
        numbers = select(orders.c.shop_id, orders.c.order_no).where(orders.c.id.in_(self.orders())).subquery()
        about = select(inquiries.c.id).join(
            numbers, (inquiries.c.shop_id == numbers.c.shop_id) & (inquiries.c.order_no == numbers.c.order_no)
        )
        return union(select(inquiries.c.id).where(inquiries.c.writer_phone_idx.in_(self.phones)), about)


class Place(Struct, frozen=True, kw_only=True):
    """Right after which record a page begins: its time in stored milliseconds, its kind, its key."""

    at: int
    kind: HistoryKind
    key: str

    def __str__(self) -> str:
        return f"{self.at}.{self.kind.value}.{self.key}"


def read_place(text: str) -> Place:
    """Raises: ValueError for what is no place of this list."""
    at, _, rest = text.partition(".")
    kind, _, key = rest.partition(".")
    is_number = at.isascii() and at.isdigit() and int(at) < _INT64
    if not is_number or kind not in set(HistoryKind) or not key or len(text) > _LONGEST_CURSOR:
        message = "not a place of this list"
        raise ValueError(message)
    if kind != HistoryKind.CALL and not (key.isascii() and key.isdigit() and int(key) < _INT64):
        message = "not a place of this list"
        raise ValueError(message)
    return Place(at=int(at), kind=HistoryKind(kind), key=key)


class Entry(Struct, frozen=True, kw_only=True):
    """One record. ``identity`` tells whose it is, as far as it says so itself; ``by_email``: found by an address.

    ``states`` are pairs of a message prefix and a code; ``open_case_id`` is the case to open, if there is one.
    """

    kind: HistoryKind
    place: Place
    at: datetime
    mark: MallMark
    shop: str
    what: str
    number: str | None
    states: tuple[tuple[str, str], ...]
    identity: Identity
    by_email: bool = False
    order_id: int | None = None
    ref: RecordRef | None = None
    open_case_id: int | None = None
    seconds: float | None = None


class Reader:
    """Reads the kinds of one page. ``kind`` limits it to one of them."""

    def __init__(
        self, connection: AsyncConnection, keys: Keys, *, malls: Malls, after: Place | None, kind: HistoryKind | None
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._malls = malls
        self._after = after
        self._kind = kind
        self._has_more = False

    async def page(self) -> tuple[tuple[Entry, ...], Place | None]:
        """At most PAGE entries, and where the next page begins."""
        found: list[Entry] = []
        for kind, read in (
            (HistoryKind.ORDER, self._orders),
            (HistoryKind.CLAIM, self._claims),
            (HistoryKind.INQUIRY, self._inquiries),
            (HistoryKind.CALL, self._calls),
        ):
            if self._kind in {None, kind}:
                found += await read()
        found.sort(key=_newest_first)
        shown = tuple(found[:PAGE])
        return shown, shown[-1].place if shown and (self._has_more or len(found) > PAGE) else None

    def _from(
        self, kind: HistoryKind, at: ColumnElement[Any], key: ColumnElement[Any]
    ) -> Sequence[ColumnElement[bool]]:
        """What of ``kind`` stands after the place: rows of one moment are in the order of kinds, then of keys."""
        if self._after is None:
            return ()
        place = self._after
        if _ORDER.index(kind) < _ORDER.index(place.kind):
            return (at < place.at,)
        if kind is not place.kind:
            return (at <= place.at,)
        last = place.key if kind is HistoryKind.CALL else int(place.key)
        return (or_(at < place.at, and_(at == place.at, key < last)),)

    async def _rows(self, kind: HistoryKind, query: Select[Any], at: Any, key: Any) -> list[Row[Any]]:
        # "+ 0" keeps the planner from walking an index of all records by date until enough of them match.
        asked = query.add_columns(at.label("at")).where(*self._from(kind, at, key))
        asked = asked.order_by((at + 0).desc(), key.desc()).limit(PAGE + 1)
        rows = (await self._connection.execute(asked)).all()
        self._has_more |= len(rows) > PAGE
        return list(rows)

    async def _orders(self) -> list[Entry]:
        query: Select[Any] = (
            select(orders, shops.c.name.label("shop"), shops.c.mall)
            .join(shops, shops.c.id == orders.c.shop_id)
            .where(orders.c.id.in_(self._keys.orders()), shops.c.is_active)
        )
        at = func.coalesce(orders.c.ordered_at, orders.c.first_seen_at)
        rows = await self._rows(HistoryKind.ORDER, query, at, orders.c.id)
        of_order: dict[int, list[Row[Any]]] = defaultdict(list)
        sold: Select[Any] = select(lines.c.order_id, lines.c.product_name, lines.c.status).where(
            lines.c.order_id.in_([row.id for row in rows])
        )
        for line in (await self._connection.execute(sold.order_by(lines.c.order_id, lines.c.line_no))).all():
            of_order[line.order_id].append(line)
        opened = await self._open_cases(rows)
        return [
            self._entry(
                HistoryKind.ORDER,
                row,
                what=of_order[row.id][0].product_name if of_order[row.id] else "",
                states=tuple(dict.fromkeys(("line", line.status) for line in of_order[row.id])),
                identity=identity_of_order(row),
                by_email=row.buyer_email_idx in self._keys.emails,
                order_id=row.id,
                ref=RecordRef(kind=RecordKind.ORDER, id=row.id),
                open_case_id=opened.get((row.shop_id, row.order_no)),
            )
            for row in rows
        ]

    async def _open_cases(self, rows: Sequence[Row[Any]]) -> dict[tuple[int, str], int]:
        """The open case of each order that is due first."""
        query: Select[Any] = select(
            cases.c.id, cases.c.shop_id, cases.c.order_no, cases.c.due_at, cases.c.is_open
        ).where(
            cases.c.shop_id.in_({row.shop_id for row in rows}), cases.c.order_no.in_({row.order_no for row in rows})
        )
        found = [row for row in await self._connection.execute(query) if row.is_open]
        found.sort(key=lambda row: (row.due_at, row.id), reverse=True)
        return {(row.shop_id, row.order_no): row.id for row in found}

    async def _claims(self) -> list[Entry]:
        query: Select[Any] = (
            select(
                claims.c.id,
                claims.c.order_no,
                claims.c.kind,
                claims.c.state,
                orders.c.id.label("order_id"),
                orders.c.buyer_phone_idx,
                orders.c.receiver_phone_idx,
                orders.c.buyer_email_idx,
                orders.c.buyer_name_idx,
                orders.c.receiver_name_idx,
                lines.c.product_name,
                shops.c.name.label("shop"),
                shops.c.mall,
            )
            .select_from(
                claims.join(orders, order_of_claim())
                .join(shops, shops.c.id == claims.c.shop_id)
                .outerjoin(lines, (lines.c.order_id == orders.c.id) & (lines.c.line_no == claims.c.line_no))
            )
            .where(orders.c.id.in_(self._keys.orders()), shops.c.is_active)
        )
        at = func.coalesce(claims.c.requested_at, claims.c.first_seen_at)
        rows = await self._rows(HistoryKind.CLAIM, query, at, claims.c.id)
        return [
            self._entry(
                HistoryKind.CLAIM,
                row,
                what=row.product_name or "",
                states=(("kind", row.kind), ("state", row.state)),
                identity=identity_of_order(row),
                by_email=row.buyer_email_idx in self._keys.emails,
                order_id=row.order_id,
            )
            # A mall with shops inside a shop may have two orders of one number.
            for row in {row.id: row for row in rows}.values()
        ]

    async def _inquiries(self) -> list[Entry]:
        of_thread = (cases.c.shop_id == inquiries.c.shop_id) & (cases.c.thread_no == inquiries.c.thread_no)
        query: Select[Any] = (
            select(
                inquiries.c.id,
                inquiries.c.shop_id,
                inquiries.c.order_no,
                inquiries.c.kind,
                shown_state().label("state"),
                inquiries.c.writer_phone_idx,
                inquiries.c.writer_name_idx,
                inquiries.c.product_name,
                cases.c.id.label("case_id"),
                cases.c.excerpt_masked,
                shops.c.name.label("shop"),
                shops.c.mall,
            )
            .select_from(inquiries.join(shops, shops.c.id == inquiries.c.shop_id).outerjoin(cases, of_thread))
            .where(inquiries.c.id.in_(self._keys.inquiries()), shops.c.is_active)
        )
        rows = await self._rows(HistoryKind.INQUIRY, query, inquiries.c.asked_at, inquiries.c.id)
        buyers = await self._buyers([row for row in rows if not row.writer_phone_idx])
        return [
            self._entry(
                HistoryKind.INQUIRY,
                row,
                what=row.excerpt_masked or row.product_name or "",
                states=(("kind", row.kind), ("state", row.state)),
                identity=buyers.get((row.shop_id, row.order_no)) or identity_of_inquiry(row),
                ref=RecordRef(kind=RecordKind.INQUIRY, id=row.id),
                open_case_id=row.case_id,
            )
            for row in {row.id: row for row in rows}.values()
        ]

    async def _buyers(self, rows: Sequence[Row[Any]]) -> dict[tuple[int, str | None], Identity]:
        """Who bought what was asked about, where the mall tells no number of the writer."""
        query: Select[Any] = select(orders).where(
            orders.c.shop_id.in_({row.shop_id for row in rows}),
            orders.c.order_no.in_({row.order_no for row in rows if row.order_no is not None}),
        )
        found = await self._connection.execute(query)
        asked = {(row.shop_id, row.order_no) for row in rows}
        return {
            (row.shop_id, row.order_no): identity_of_order(row) for row in found if (row.shop_id, row.order_no) in asked
        }

    async def _calls(self) -> list[Entry]:
        query: Select[Any] = select(calls).where(calls.c.caller_idx.in_(self._keys.phones))
        rows = await self._rows(HistoryKind.CALL, query, calls.c.entered_at, calls.c.call_id)
        return [
            Entry(
                kind=HistoryKind.CALL,
                place=Place(at=row.at, kind=HistoryKind.CALL, key=row.call_id),
                at=time_of(row.at),
                mark=mall_mark(self._malls, row.mall or ""),
                shop=row.agent or "",
                what=row.topic or "",
                number=None,
                states=tuple(
                    (prefix, code) for prefix, code in (("line_name", row.line), ("stats.figure", row.result)) if code
                ),
                identity=Identity(phone=row.caller_idx),
                seconds=row.talk_seconds,
            )
            for row in rows
        ]

    def _entry(self, kind: HistoryKind, row: Row[Any], **more: Any) -> Entry:
        return Entry(
            kind=kind,
            place=Place(at=row.at, kind=kind, key=str(row.id)),
            at=time_of(row.at),
            mark=mall_mark(self._malls, row.mall),
            shop=row.shop,
            number=row.order_no,
            **more,
        )


def _newest_first(entry: Entry) -> tuple[int, int]:
    """Within one kind the order of the database stays: the next page is cut by it."""
    return -entry.place.at, _ORDER.index(entry.kind)
