"""What a transaction changes in the records of some orders and inquiries, column by column, nobody's data in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Claim, Inquiry, Order
from hub.core.redact import MASK, mask_text
from hub.store.database import Database, from_ms
from hub.store.one import unpack_inquiry
from hub.store.sealed import CLAIM_TEXT_PLACE, INQUIRY_PLACE, ORDER_PLACE, unpack_order
from hub.store.tables import claims, inquiries, lines, orders

#: one statement takes so many numbers
_AT_ONCE = 400
_HIDDEN = MASK * 3
#: not the record itself: keys, digests, times of our own
_OWN = frozenset({"id", "shop_id", "order_id", "content_hash", "first_seen_at", "fetched_at", "head_line_no"})
_PERSONAL = frozenset(
    {"buyer", "receiver", "delivery_message", "subject", "text", "answer", "writer", "messages", "reason_text_sealed"}
)
_INQUIRY_PARTS = ("subject", "text", "answer", "writer", "messages", "write_ref")
#: what a record is named by
_KEYS = {"order": "order_no", "line": "line_no", "claim": "claim_key", "inquiry": "inquiry_no"}

Columns = dict[str, Any]
#: columns by kind of record and row
Image = dict[tuple[str, int], Columns]


class Example(Struct, frozen=True, kw_only=True):
    """One column of one record. Times are ISO 8601 UTC; what is personal is masked, also where it only moved."""

    record: str
    key: str
    column: str
    before: str | int | bool | None
    after: str | int | bool | None


class Differences(Struct, kw_only=True):
    """``columns`` counts by "line.status"; ``new`` are records that were not there."""

    new: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    def add(self, before: Image, after: Image, *, most_examples: int) -> None:
        for place, row in after.items():
            kind, _ = place
            if place not in before:
                self.new += 1
                continue
            moved = [name for name, value in row.items() if before[place].get(name) != value]
            self.changed += bool(moved)
            for name in moved:
                self.columns[f"{kind}.{_shown_name(name)}"] += 1
                if len(self.examples) < most_examples:
                    self.examples.append(_example(kind, row, name, before[place].get(name)))


class Camera:
    """Takes images of the records of one shop."""

    def __init__(self, database: Database, *, shop_id: int) -> None:
        self._box = database.box
        self._shop_id = shop_id

    async def take(self, connection: AsyncConnection, records: Iterable[Order | Claim | Inquiry]) -> Image:
        """Every order, line, claim and inquiry that ``records`` are about, as it stands for ``connection``."""
        order_nos: set[str] = set()
        inquiry_nos: set[str] = set()
        for record in records:
            if isinstance(record, Inquiry):
                inquiry_nos.add(record.inquiry_no)
            else:
                order_nos.add(record.order_no)
        image: Image = {}
        for numbers in _parts(sorted(order_nos)):
            found = orders.c.shop_id == self._shop_id, orders.c.order_no.in_(numbers)
            for row in (await connection.execute(select(orders).where(*found))).mappings():
                image["order", row["id"]] = self._order(row)
            of_order = select(lines).join_from(lines, orders, orders.c.id == lines.c.order_id).where(*found)
            for row in (await connection.execute(of_order)).mappings():
                image["line", row["id"]] = _plain(row)
            of_claims = select(claims).where(claims.c.shop_id == self._shop_id, claims.c.order_no.in_(numbers))
            for row in (await connection.execute(of_claims)).mappings():
                image["claim", row["id"]] = self._claim(row)
        for numbers in _parts(sorted(inquiry_nos)):
            query = select(inquiries).where(inquiries.c.shop_id == self._shop_id, inquiries.c.inquiry_no.in_(numbers))
            for row in (await connection.execute(query)).mappings():
                image["inquiry", row["id"]] = self._inquiry(row)
        return image

    def _order(self, row: Any) -> Columns:
        private = unpack_order(self._box.open(row["sealed"], ORDER_PLACE))
        people = {"buyer": private.buyer, "receiver": private.receiver, "delivery_message": private.delivery_message}
        return _plain(row) | people

    def _claim(self, row: Any) -> Columns:
        sealed = row["reason_text_sealed"]
        # A sealed value differs each time that it is sealed.
        text = self._box.open(sealed, CLAIM_TEXT_PLACE) if sealed else None
        return _plain(row) | {"reason_text_sealed": text}

    def _inquiry(self, row: Any) -> Columns:
        whole = unpack_inquiry(self._box.open(row["sealed"], INQUIRY_PLACE))
        return _plain(row) | {name: getattr(whole, name) for name in _INQUIRY_PARTS}


def _parts(numbers: Sequence[str]) -> Iterable[Sequence[str]]:
    return (numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE))


def _plain(row: Any) -> Columns:
    """Without blind indexes, which follow from what they index, and without sealed bytes."""
    return {
        name: value
        for name, value in row.items()
        if name not in _OWN and not name.endswith("_idx") and not name.endswith("sealed")
    }


def _shown_name(name: str) -> str:
    return name.removesuffix("_sealed")


def _example(kind: str, row: Columns, name: str, before: Any) -> Example:
    key = row[_KEYS[kind]]
    return Example(
        record=kind,
        key=str(key),
        column=_shown_name(name),
        before=_shown(name, before),
        after=_shown(name, row[name]),
    )


def _shown(name: str, value: Any) -> str | int | bool | None:
    if value is None:
        return None
    if name in _PERSONAL:
        return _HIDDEN
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return moment.isoformat() if name.endswith("_at") and (moment := from_ms(value)) else value
    return mask_text(str(value))
