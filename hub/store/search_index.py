"""The index behind the search box: which documents hold which pairs of characters, without a character in it.

A pair is known by 32 bits of its keyed hash. Documents have numbers, newest highest, in blocks of
:data:`BLOCK`; of each pair a block holds the places where it occurs (hub/store/search_blocks.py). A search reads one
short row for each block and pair and cuts them in memory, from the newest block downwards. It may find too much
(pairs that are not side by side, rows that changed since), never too little: whoever asks reads the rows.

What was written waits in a queue (:func:`queue_for_search`) and is taken in by whoever looks after the index.
See docs/decisions/0010.
"""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BigInteger, bindparam, delete, func, insert, literal, literal_column, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, among, to_ms
from hub.store.search_blocks import BITS, BLOCK, Row, no_places, places_of, sift, with_places, without_places
from hub.store.search_documents import TABLES, TEXTS, Document, Group, Source, read_documents
from hub.store.search_tables import search_blocks, search_dead, search_documents, search_queue, search_state
from hub.store.search_text import pairs_of

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
        sifting = {
            group: sift(frozenset(self._token(group, pair) for pair in pairs), number, limit)
            for group, number in below.items()
        }
        asked = {group: next(each) for group, each in sifting.items()}
        found: dict[Group, list[int]] = {}
        while asked:
            rows = await self._rows(connection, asked)
            for group in tuple(asked):
                try:
                    asked[group] = sifting[group].send(rows[group])
                except StopIteration as done:
                    found[group] = done.value
                    del asked[group]
        return found

    async def _rows(
        self, connection: AsyncConnection, asked: Mapping[Group, tuple[Sequence[int], frozenset[int]]]
    ) -> dict[Group, list[Row]]:
        """The rows of each group's blocks and tokens, in one statement for all of them."""
        given: dict[str, list[int]] = {}
        for group in Group:
            blocks, tokens = asked.get(group, ((), ()))
            given |= {f"blocks_{group.value}": list(blocks), f"tokens_{group.value}": sorted(tokens)}
        rows: dict[Group, list[Row]] = {group: [] for group in Group}
        for group, *row in await self._database.fetch(connection, _FIND, given):
            rows[_GROUPS[group]].append(row)
        return rows

    async def rows_of(self, connection: AsyncConnection, numbers: Sequence[int]) -> dict[int, tuple[Source, int]]:
        """Source and key of the row that each of these numbers stands for; those of nothing are left out."""
        if not numbers:
            return {}
        rows = await self._database.fetch(connection, _BY_NUMBER, {"numbers": list(numbers)})
        return {no: (Source(source), row_id) for no, source, row_id in rows}

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
        documents = (await read_documents(self._database, connection, {source: row_ids}))[source]
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
        places: dict[int, dict[int, array[int]]] = defaultdict(lambda: defaultdict(no_places))
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
            block = places[no >> BITS]
            for token in self._tokens_of(document):
                block[token].append(no & (BLOCK - 1))
        await connection.execute(insert(search_documents), rows)
        for number, block in places.items():
            await self._extend(connection, number, block)
        await connection.execute(update(search_state).values(next_no=next_no + len(fresh)))

    async def _extend(self, connection: AsyncConnection, block: int, places: Mapping[int, "array[int]"]) -> None:
        """Numbers only grow: what is new stands behind what is there."""
        given = {"block": block, "tokens": list(places)}
        there = dict(await self._database.fetch(connection, _MEMBERS, given))
        rows = [
            {"block": block, "token": token, "members": with_places(there.get(token, b""), new)}
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
            of_block = search_dead.c.no.between(block << BITS, (block << BITS) + BLOCK - 1)
            dead = {no & (BLOCK - 1) for no in (await connection.scalars(select(search_dead.c.no).where(of_block)))}
            query = select(search_blocks.c.token, search_blocks.c.members).where(search_blocks.c.block == block)
            emptied, shorter = [], []
            for row in await connection.execute(query):
                gone = dead.intersection(places_of(row.members))
                if not gone:
                    continue
                left = without_places(row.members, gone)
                if left:
                    shorter.append({"block": block, "token": row.token, "members": left})
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
                if source in TEXTS:
                    every = every.where(TEXTS[source].is_not(None))
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
    block = search_dead.c.no.bitwise_rshift(literal_column(str(BITS)))
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


_GROUPS: Final = dict(enumerate(Group))
#: for each group its own blocks and tokens
_FIND: Any = union_all(
    *(
        select(
            literal_column(str(number)), search_blocks.c.block, search_blocks.c.token, search_blocks.c.members
        ).where(
            among(search_blocks.c.block, f"blocks_{group.value}"), among(search_blocks.c.token, f"tokens_{group.value}")
        )
        for number, group in _GROUPS.items()
    )
)
_MEMBERS: Any = select(search_blocks.c.token, search_blocks.c.members).where(
    search_blocks.c.block == bindparam("block"), among(search_blocks.c.token, "tokens")
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
