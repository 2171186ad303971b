"""What an unbroken full run has met: the mall's own list, to judge what it lacks and what the store lacks.

It is as long as the mall's list, so it lies in a scratch database.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Self

from msgspec import Struct
from sqlalchemy import bindparam, func, select

from hub.core.contract import Feed, Reading
from hub.core.model import Claim, Inquiry, Order
from hub.core.scratch import scratch_database
from hub.store.database import Database, among
from hub.store.tables import claims, inquiries, lines

#: keys looked up in one statement
_AT_ONCE = 5_000


class Listed(Struct, frozen=True, kw_only=True):
    """``named`` records the mall showed; ``held`` of them stand in the store."""

    named: int
    held: int


class Seen:
    """Identities by feed: line numbers, claim keys, inquiry numbers. Broken records apart, by the feed they came in."""

    def __init__(self) -> None:
        self._scratch: sqlite3.Connection | None = None

    def note(self, readings: Sequence[Reading], *, feed: Feed) -> None:
        met: set[tuple[str, str]] = set()
        for reading in readings:
            record = reading.record
            if isinstance(record, Order):
                met.update((Feed.ORDERS.value, line.line_no) for line in record.lines)
                met.update((Feed.CLAIMS.value, claim.claim_key) for claim in record.claims)
            elif isinstance(record, Claim):
                met.add((Feed.CLAIMS.value, record.claim_key))
            elif isinstance(record, Inquiry):
                met.add((Feed.INQUIRIES.value, record.inquiry_no))
            else:
                met.add((_broken(feed), reading.key))
        # As the store has them.
        rows = sorted((kind, key.replace("\0", "")) for kind, key in met)
        self._opened().executemany("INSERT OR IGNORE INTO met VALUES (?, ?)", rows)

    def lacks(self, feed: Feed, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that the run has not met."""
        lacking: set[str] = set()
        for some in _parts(keys):
            found = self._opened().execute(
                "SELECT key FROM met WHERE kind = ? AND key IN (SELECT value FROM json_each(?))",
                (feed.value, json.dumps(some)),
            )
            lacking |= set(some) - {key for (key,) in found}
        return lacking

    async def listed(self, database: Database, *, shop_id: int, feed: Feed) -> Listed:
        """A broken record counts as named and, until it can be read, as lacking."""
        named = sum(len(keys) for keys in self._keys(_broken(feed)))
        held = 0
        for keys in self._keys(feed.value):
            async with database.reading() as connection:
                rows = await database.fetch(connection, _HELD[feed], {"shop_id": shop_id, "numbers": keys})
            named += len(keys)
            held += rows[0][0]
        return Listed(named=named, held=held)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def _opened(self) -> sqlite3.Connection:
        if self._scratch is None:
            self._scratch = scratch_database()
            self._scratch.execute("CREATE TABLE met (kind TEXT, key TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID")
        return self._scratch

    def _keys(self, kind: str) -> Iterator[list[str]]:
        """In parts, each a statement of its own: others note while one part is looked up."""
        part = self._part("kind = ? AND key >= ?", kind, "")
        while part:
            yield part
            part = self._part("kind = ? AND key > ?", kind, part[-1])

    def _part(self, where: str, kind: str, key: str) -> list[str]:
        query = f"SELECT key FROM met WHERE {where} ORDER BY key LIMIT {_AT_ONCE}"  # noqa: S608  words of this file
        return [found for (found,) in self._opened().execute(query, (kind, key))]


def _broken(feed: Feed) -> str:
    return f"broken {feed.value}"


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while part := list(islice(left, _AT_ONCE)):
        yield part


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
