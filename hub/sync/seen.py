"""What an unbroken full run has met: the mall's own list, to judge what it lacks and what the store lacks."""

from collections.abc import Sequence

from msgspec import Struct, field
from sqlalchemy import bindparam, func, select

from hub.core.contract import Feed, Reading
from hub.core.model import Claim, Inquiry, Order
from hub.store.database import Database, among
from hub.store.tables import claims, inquiries, lines


class Listed(Struct, frozen=True, kw_only=True):
    """``named`` records the mall showed; ``held`` of them stand in the store."""

    named: int
    held: int


class Seen(Struct, kw_only=True):
    """Identities by kind; ``broken`` are keys of records that could not be read, by the feed they came in."""

    line_nos: set[str] = field(default_factory=set)
    claim_keys: set[str] = field(default_factory=set)
    inquiry_nos: set[str] = field(default_factory=set)
    broken: dict[Feed, set[str]] = field(default_factory=dict)

    def note(self, readings: Sequence[Reading], *, feed: Feed) -> None:
        for reading in readings:
            record = reading.record
            if isinstance(record, Order):
                self.line_nos.update(line.line_no for line in record.lines)
                self.claim_keys.update(claim.claim_key for claim in record.claims)
            elif isinstance(record, Claim):
                self.claim_keys.add(record.claim_key)
            elif isinstance(record, Inquiry):
                self.inquiry_nos.add(record.inquiry_no)
            else:
                self.broken.setdefault(feed, set()).add(reading.key)

    def of(self, feed: Feed) -> set[str]:
        return {Feed.ORDERS: self.line_nos, Feed.CLAIMS: self.claim_keys, Feed.INQUIRIES: self.inquiry_nos}[feed]

    async def listed(self, database: Database, *, shop_id: int, feed: Feed) -> Listed:
        """A broken record counts as named and, until it can be read, as lacking."""
        keys = {key.replace("\0", "") for key in self.of(feed)}
        async with database.reading() as connection:
            rows = await database.fetch(connection, _HELD[feed], {"shop_id": shop_id, "numbers": list(keys)})
        return Listed(named=len(keys) + len(self.broken.get(feed, ())), held=rows[0][0])


_HELD = {
    feed: select(func.count(func.distinct(column))).where(
        column.table.c.shop_id == bindparam("shop_id"), among(column, "numbers")
    )
    for feed, column in (
        (Feed.ORDERS, lines.c.line_no),
        (Feed.CLAIMS, claims.c.claim_key),
        (Feed.INQUIRIES, inquiries.c.inquiry_no),
    )
}
