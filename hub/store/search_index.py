"""The index behind the search box: which documents hold which pairs of characters, without a character in it.

A pair is known by 32 bits of its keyed hash. Documents have numbers, newest highest, in blocks of
:data:`BLOCK`; of each pair a block holds the places where it occurs, two bytes each. A search reads one short
row for each block and pair and cuts them in memory, from the newest block downwards. It may find too much
(pairs that are not side by side, rows that changed since), never too little: whoever asks reads the rows.

What was written waits in a queue (:func:`queue_for_search`) and is taken in by whoever looks after the index.
See docs/decisions/0010.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BigInteger, bindparam, delete, func, insert, literal, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, among, to_ms
from hub.store.search_documents import TABLES, Document, Group, Source, read_documents
from hub.store.search_tables import search_blocks, search_dead, search_documents, search_queue, search_state
from hub.store.search_text import pairs_of

_BITS: Final = 14
#: documents that share a row for each pair: what a step writes anew stays small, what a search reads stays few
BLOCK: Final = 1 << _BITS
#: blocks that are read first, where common words have hits enough, and then at once
_FIRST: Final = 8
_AT_ONCE: Final = 128
#: where so many times as much is to be gone through, each place is looked up instead
_MUCH: Final = 16
#: pairs whose token is remembered while documents are taken in
_REMEMBERED: Final = 200_000
#: a block is swept when so many of its documents are gone, or the first of them this long
_MOST_DEAD: Final = 500
_SWEEP_AFTER: Final = timedelta(hours=1)
#: more than this is "many": counting on would take longer than it is worth
MOST_COUNTED: Final = 1_000


class Step(Struct, frozen=True, kw_only=True):
    """``taken``: rows that left the queue; ``is_last``: it is empty now, or somebody else is at it."""

    taken: int
    is_last: bool


async def queue_for_search(
    database: Database, connection: AsyncConnection, source: Source, row_ids: Iterable[int], *, at: int | None
) -> None:
    """In the transaction that writes or removes these rows: they are to be taken in as they are then.

    ``at`` is in stored milliseconds. A row that waits already is written again on purpose: so whoever takes
    it in waits for this transaction.
    """
    rows = [{"row_id": row_id, "source": source.value, "queued_at": at or 0} for row_id in sorted(set(row_ids))]
    await database.upsert_rows(
        connection, search_queue, rows, key=[search_queue.c.row_id, search_queue.c.source], changed_hash=False
    )


async def forget_shop(connection: AsyncConnection, shop_id: int) -> None:
    """In the transaction that removes a shop: what the index knows of it goes with the next sweep."""
    gone = select(search_documents.c.no, literal(0, BigInteger)).where(search_documents.c.shop_id == shop_id)
    await connection.execute(insert(search_dead).from_select(["no", "since"], gone))
    await connection.execute(delete(search_documents).where(search_documents.c.shop_id == shop_id))


#: scalar subqueries for the statement that reads more beside them
NEXT_NUMBER: Final[Any] = select(search_state.c.next_no).limit(1).scalar_subquery()
WAITING: Final[Any] = (
    select(func.count())
    .select_from(select(search_queue.c.row_id).order_by(search_queue.c.row_id).limit(MOST_COUNTED + 1).subquery())
    .scalar_subquery()
)


async def count_waiting(database: Database, connection: AsyncConnection) -> int:
    """Rows that are not in the index as they are now; MOST_COUNTED + 1 stands for all higher numbers."""
    ((count,),) = await database.fetch(connection, _WAITING, {})
    return int(count)


class SearchIndex:
    """One for each task that writes the index, and one for a search: it remembers tokens, nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[tuple[Group, str], int] = {}

    # finding

    async def find(
        self, connection: AsyncConnection, pairs: Collection[str], below: Mapping[Group, int], *, limit: int
    ) -> dict[Group, list[int]]:
        """Numbers of the newest documents of each group that hold all ``pairs`` (one at least), highest first.

        Only numbers under that of ``below``: :data:`NEXT_NUMBER`, or the last number of an earlier answer. See
        :meth:`rows_of`.
        """
        tokens = {group: {self._token(group, pair) for pair in pairs} for group in below}
        found: dict[Group, list[int]] = {group: [] for group in below}
        blocks = list(range((max(below.values(), default=0) - 1) >> _BITS, -1, -1))
        for start in (0, *range(_FIRST, len(blocks), _AT_ONCE)):
            sought = [group for group in below if len(found[group]) < limit]
            if not sought or not blocks:
                break
            given = {
                "blocks": blocks[start : start + (_AT_ONCE if start else _FIRST)],
                "tokens": sorted({token for group in sought for token in tokens[group]}),
            }
            rows = await self._database.fetch(connection, _FIND, given)
            for group in sought:
                own = [row for row in rows if row[1] in tokens[group]]
                numbers = (no for no in _in_all(own, len(tokens[group])) if no < below[group])
                found[group] += islice(numbers, limit - len(found[group]))
        return found

    async def rows_of(self, connection: AsyncConnection, numbers: Sequence[int]) -> list[tuple[Source, int]]:
        """Source and key of the rows that these numbers stand for, in their order; those of nothing are left out."""
        if not numbers:
            return []
        rows = await self._database.fetch(connection, _BY_NUMBER, {"numbers": list(numbers)})
        known = {row[0]: (Source(row[1]), row[2]) for row in rows}
        return [known[no] for no in numbers if no in known]

    # taking in

    async def take_in(self, *, limit: int, now: datetime) -> Step:
        """The oldest ``limit`` rows of the queue, in one transaction: newer rows get higher numbers."""
        async with self._database.writing() as connection:
            next_no = await self._hold(connection)
            if next_no is None:
                return Step(taken=0, is_last=True)
            query = select(search_queue.c.source, search_queue.c.row_id).order_by(search_queue.c.row_id)
            queued: dict[Source, list[int]] = defaultdict(list)
            for row in await connection.execute(query.limit(limit).with_for_update(skip_locked=True)):
                queued[Source(row.source)].append(row.row_id)
            taken = sum(map(len, queued.values()))
            if not taken:
                return Step(taken=0, is_last=True)
            fresh: list[tuple[Document, bytes]] = []
            for source, row_ids in queued.items():
                fresh += await self._changed(connection, source, row_ids, now)
                await connection.execute(_DEQUEUE, {"of_source": source.value, "ids": row_ids})
            await self._write(connection, sorted(fresh, key=lambda each: each[0].row_id), next_no)
            return Step(taken=taken, is_last=taken < limit)

    async def _hold(self, connection: AsyncConnection, *, is_busy_left: bool = True) -> int | None:
        """The next number, held until the transaction ends; ``None`` while another process holds it,
        or waits for it to end where ``is_busy_left`` is not set.
        """
        rows, keep = [{"id": 1, "next_no": 0}], [search_state.c.next_no]
        await self._database.upsert_rows(connection, search_state, rows, key=[search_state.c.id], keep=keep)
        return await connection.scalar(select(search_state.c.next_no).with_for_update(skip_locked=is_busy_left))

    async def _changed(
        self, connection: AsyncConnection, source: Source, row_ids: list[int], now: datetime
    ) -> list[tuple[Document, bytes]]:
        """Documents that are not in the index as they are; the old ones of changed and removed rows die."""
        documents = await read_documents(self._database, connection, source, row_ids)
        digests = {row_id: self._digest(document) for row_id, document in documents.items()}
        stored = await connection.execute(_STORED, {"of_source": source.value, "ids": row_ids})
        same: set[int] = set()
        dead: list[dict[str, int | None]] = []
        gone: list[int] = []
        for row in stored:
            if digests.get(row.row_id) == row.digest:
                same.add(row.row_id)
            else:
                gone.append(row.row_id)
                # Text that was removed at its source must not wait among what was only changed.
                dead.append({"no": row.no, "since": to_ms(now) if row.row_id in digests else 0})
        if dead:
            await connection.execute(insert(search_dead), dead)
            await connection.execute(_REMOVE, {"of_source": source.value, "ids": gone})
        return [(document, digests[row_id]) for row_id, document in documents.items() if row_id not in same]

    async def _write(self, connection: AsyncConnection, fresh: Sequence[tuple[Document, bytes]], next_no: int) -> None:
        if not fresh:
            return
        rows = []
        places: dict[int, dict[int, array[int]]] = defaultdict(lambda: defaultdict(_no_places))
        for no, (document, digest) in enumerate(fresh, start=next_no):
            rows.append(
                {
                    "row_id": document.row_id,
                    "source": document.source.value,
                    "no": no,
                    "shop_id": document.shop_id,
                    "digest": digest,
                }
            )
            block = places[no >> _BITS]
            for token in self._tokens_of(document):
                block[token].append(no & (BLOCK - 1))
        await connection.execute(insert(search_documents), rows)
        for number, block in places.items():
            await self._extend(connection, number, block)
        await connection.execute(update(search_state).values(next_no=next_no + len(fresh)))

    async def _extend(self, connection: AsyncConnection, block: int, places: Mapping[int, "array[int]"]) -> None:
        """Numbers only grow: what is new stands behind what is there."""
        given = {"blocks": [block], "tokens": list(places)}
        there = {token: members for _, token, members in await self._database.fetch(connection, _FIND, given)}
        rows = [
            {"block": block, "token": token, "members": bytes(there.get(token, b"")) + _packed(new)}
            for token, new in sorted(places.items())
        ]
        await self._put(connection, rows)

    async def _put(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        key = [search_blocks.c.block, search_blocks.c.token]
        await self._database.upsert_rows(connection, search_blocks, rows, key=key, changed_hash=False)

    # keeping clean

    async def sweep(self, *, now: datetime) -> bool:
        """Take what is dead out of one block; returns whether there was one to sweep."""
        async with self._database.writing() as connection:
            if await self._hold(connection) is None:
                return False
            block = await _to_sweep(connection, now)
            if block is None:
                return False
            of_block = search_dead.c.no.between(block << _BITS, (block << _BITS) + BLOCK - 1)
            dead = {no & (BLOCK - 1) for no in (await connection.scalars(select(search_dead.c.no).where(of_block)))}
            query = select(search_blocks.c.token, search_blocks.c.members).where(search_blocks.c.block == block)
            emptied, shorter = [], []
            for row in await connection.execute(query):
                members = _places(row.members)
                if dead.isdisjoint(members):
                    continue
                left = array("H", (place for place in members if place not in dead))
                if left:
                    shorter.append({"block": block, "token": row.token, "members": _packed(left)})
                else:
                    emptied.append({"of_block": block, "of_token": row.token})
            await self._put(connection, shorter)
            if emptied:
                await connection.execute(_EMPTY, emptied)
            await connection.execute(delete(search_dead).where(of_block))
            return True

    async def start_again(self, *, at: int) -> None:
        """Forget the whole index and queue every row: it fills again, oldest rows first."""
        async with self._database.writing() as connection:
            await self._hold(connection, is_busy_left=False)
            for table in (search_dead, search_blocks, search_documents, search_queue):
                await connection.execute(delete(table))
            for source, table in TABLES.items():
                every = select(table.c.id, literal(source.value), literal(at, BigInteger))
                await connection.execute(insert(search_queue).from_select(["row_id", "source", "queued_at"], every))
            await connection.execute(update(search_state).values(next_no=0))

    # tokens

    def _tokens_of(self, document: Document) -> Iterator[int]:
        group = Group.of(document.source)
        return iter({self._token(group, pair) for pair in pairs_of(document.texts)})

    def _token(self, group: Group, pair: str) -> int:
        token = self._tokens.get((group, pair))
        if token is None:
            if len(self._tokens) >= _REMEMBERED:
                self._tokens.clear()
            blind = self._database.box.blind("pair", f"{group.value}\0{pair}")
            token = self._tokens[group, pair] = int.from_bytes(blind[:4], "big", signed=True)
        return token

    def _digest(self, document: Document) -> bytes:
        return self._database.box.blind("search", "\0".join(document.texts))[:8]


async def _to_sweep(connection: AsyncConnection, now: datetime) -> int | None:
    """The block in most need of it."""
    block = search_dead.c.no.bitwise_rshift(literal_column(str(_BITS)))
    oldest = func.min(search_dead.c.since)
    query = (
        select(block.label("block"))
        .group_by(block)
        .having((func.count() >= _MOST_DEAD) | (oldest < to_ms(now - _SWEEP_AFTER)))
        .order_by(oldest)
        .limit(1)
    )
    found: int | None = await connection.scalar(query)
    return found


def _in_all(rows: Iterable[tuple[int, int, bytes]], count: int) -> Iterator[int]:
    """Numbers that stand in the row of each of ``count`` tokens of their block, highest first."""
    blocks: dict[int, list[bytes]] = defaultdict(list)
    for block, _, members in rows:
        blocks[block].append(members)
    for block in sorted(blocks, reverse=True):
        rarest, *others = sorted(blocks[block], key=len)
        if len(others) + 1 < count:
            continue
        common = set(_places(rarest))
        for members in others:
            if not common:
                break
            common = _cut(common, _places(members))
        for place in sorted(common, reverse=True):
            yield block << _BITS | place


def _cut(common: set[int], places: "array[int]") -> set[int]:
    """What of ``common`` stands among the sorted ``places``."""
    if len(common) * _MUCH > len(places):
        return common.intersection(places)
    return {place for place in common if places[min(bisect_left(places, place), len(places) - 1)] == place}


def _no_places() -> "array[int]":
    return array("H")


def _places(members: bytes) -> "array[int]":
    """The order of bytes is little-endian in the database, whatever machine wrote it."""
    places = array("H")
    places.frombytes(members)
    if _IS_BIG:
        places.byteswap()
    return places


def _packed(places: "array[int]") -> bytes:
    if _IS_BIG:
        places = array("H", places)
        places.byteswap()
    return places.tobytes()


_IS_BIG: Final = array("H", [1]).tobytes() == b"\0\1"

_FIND: Any = select(search_blocks.c.block, search_blocks.c.token, search_blocks.c.members).where(
    among(search_blocks.c.block, "blocks"), among(search_blocks.c.token, "tokens")
)
_WAITING: Any = select(WAITING.label("waiting"))
_BY_NUMBER: Any = select(search_documents.c.no, search_documents.c.source, search_documents.c.row_id).where(
    among(search_documents.c.no, "numbers")
)
_STORED: Any = select(search_documents.c.row_id, search_documents.c.no, search_documents.c.digest).where(
    search_documents.c.source == bindparam("of_source"),
    search_documents.c.row_id.in_(bindparam("ids", expanding=True)),
)
_REMOVE: Any = delete(search_documents).where(
    search_documents.c.source == bindparam("of_source"),
    search_documents.c.row_id.in_(bindparam("ids", expanding=True)),
)
_DEQUEUE: Any = delete(search_queue).where(
    search_queue.c.source == bindparam("of_source"), search_queue.c.row_id.in_(bindparam("ids", expanding=True))
)
_EMPTY: Any = delete(search_blocks).where(
    search_blocks.c.block == bindparam("of_block"), search_blocks.c.token == bindparam("of_token")
)
