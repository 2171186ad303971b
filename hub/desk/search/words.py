"""Names, products and what was written, by parts of two characters and more."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.search_documents import Document, Group, Source, read_documents
from hub.store.search_index import SearchIndex
from hub.store.search_text import words_of

#: pairs that are looked up: more would find no less and read more
_MOST_PAIRS: Final = 8
#: digits of the shortest number that is typed in groups
_NUMBER: Final = 8
#: digits of a phone's end that narrow what other words find
_LAST_DIGITS: Final = 4
#: documents read in one look beyond those that are wanted: some hold the pairs, but not side by side
_SPARE: Final = 12
#: pairs of a name of three syllables
_NAME_PAIRS: Final = 2
#: and in all: what has found too little by then says that there may be more
_MOST_READ: Final = 600


class Words(Struct, frozen=True, kw_only=True):
    """What was typed, folded. ``parts`` must stand in the text; ``lasts`` may be the end of a phone instead."""

    parts: tuple[str, ...]
    lasts: tuple[str, ...]

    @property
    def literally(self) -> "Words":
        """Four digits as text alone."""
        return Words(parts=(*self.parts, *self.lasts), lasts=())

    @property
    def are_pairs(self) -> bool:
        """Whether what the index finds holds them for sure, but for rows that have changed since."""
        return not self.lasts and all(len(part) <= 2 for part in self.parts)

    @property
    def pairs(self) -> tuple[str, ...]:
        """By which documents are looked for: all of them, or some from every part of a long text."""
        pairs = tuple(dict.fromkeys(part[at : at + 2] for part in self.parts for at in range(len(part) - 1)))
        return (
            tuple(pairs[at * len(pairs) // _MOST_PAIRS] for at in range(_MOST_PAIRS)) if pairs[_MOST_PAIRS:] else pairs
        )

    def are_in(self, document: Document) -> bool:
        # A blank between them: words have none.
        text = " ".join(document.texts)
        for part in self.parts:
            if part not in text:
                return False
        for last in self.lasts:
            if last not in text and not any(_digits(phone).endswith(last) for phone in document.phones):
                return False
        return True


class WordHits(Struct, frozen=True, kw_only=True):
    """Documents that hold the words, newest first; ``is_many``: there are more, or may be."""

    documents: tuple[Document, ...]
    is_many: bool


def read_words(text: str) -> Words:
    """Four digits beside other words are the end of a phone, or text; alone they are text.

    A number in several groups is one word: so it stands in what customers wrote.
    """
    words = words_of(text)
    number = "".join(words)
    if number.isdecimal() and len(number) >= _NUMBER:
        return Words(parts=(number,), lasts=())
    lasts = tuple(word for word in words if len(word) == _LAST_DIGITS and word.isdecimal())
    if all(word in lasts or len(word) < 2 for word in words):
        lasts = ()
    return Words(parts=tuple(word for word in words if word not in lasts), lasts=lasts)


async def find_words(
    database: Database,
    connection: AsyncConnection,
    words: Words,
    *,
    below: int,
    limit: int,
    may_see: Callable[[Document], bool],
) -> dict[Group, WordHits]:
    """At most ``limit`` documents of each group. Nothing where no word has two characters.

    Orders of :attr:`Words.are_pairs` are not read: see :func:`find_changed`.

    ``below``: the index's next number; ``may_see``: whether the reader may see a document. Four digits beside what is
    longer than a name, or stands in many documents, are looked for as text before they are looked for as the end of a
    phone: where a text stands the index knows, whose phone it is shows only once a row is opened. If more orders or
    cases than are wanted hold the text, no phone is asked.
    """
    search = _Search(database, connection, words, below=below, limit=limit, may_see=may_see)
    pairs = words.pairs
    if not pairs:
        return search.hits()
    is_long = bool(words.lasts) and len(pairs) > _NAME_PAIRS
    first = None if is_long else await search.look_up(pairs)
    if words.lasts and (first is None or search.may_be_cut(first)):
        literal = words.literally.pairs
        await search.read(literal, await search.look_up(literal))
        if search.has_plenty():
            return search.hits()
    await search.read(pairs, first or await search.look_up(pairs))
    return search.hits()


async def find_changed(
    database: Database, connection: AsyncConnection, words: Words, order_ids: Sequence[int]
) -> set[int]:
    """Which of these orders, found by the index alone, do not hold the words any more."""
    if not order_ids:
        return set()
    read = await read_documents(database, connection, {Source.ORDER: order_ids}, is_enough=words.are_in)
    return {row_id for row_id in order_ids if not _is_held(read[Source.ORDER].get(row_id), words)}


def _is_held(document: Document | None, words: Words) -> bool:
    return document is not None and words.are_in(document)


class _Search:
    """What one search has read so far. Numbers are those of the index, by group, highest first."""

    def __init__(
        self,
        database: Database,
        connection: AsyncConnection,
        words: Words,
        *,
        below: int,
        limit: int,
        may_see: Callable[[Document], bool],
    ) -> None:
        self._database = database
        self._connection = connection
        self._words = words
        self._may_see = may_see
        self._index = SearchIndex(database)
        self._below = dict.fromkeys(Group, below)
        self._limit = limit
        self._at_once = limit + (1 if words.are_pairs else _SPARE)
        self._read: set[int] = set()
        self._found: dict[Group, dict[int, Document]] = {group: {} for group in Group}
        #: groups in which something is left unread
        self._left: set[Group] = set()

    async def look_up(self, pairs: Sequence[str], below: Mapping[Group, int] | None = None) -> dict[Group, list[int]]:
        """The next numbers that hold ``pairs``."""
        return await self._index.find(self._connection, pairs, below or self._below, limit=self._at_once)

    def may_be_cut(self, numbers: Mapping[Group, list[int]]) -> bool:
        return any(len(of_group) >= self._at_once for of_group in numbers.values())

    async def read(self, pairs: Sequence[str], numbers: Mapping[Group, list[int]]) -> None:
        """Read the documents of ``numbers`` and of what follows them, until a group has enough or there are no more."""
        for _ in range(0, _MOST_READ, self._at_once):
            numbers = {group: of_group for group, of_group in numbers.items() if not self._has_enough(group)}
            await self._match([no for of_group in numbers.values() for no in of_group if no not in self._read])
            below = {group: of_group[-1] for group, of_group in numbers.items() if len(of_group) >= self._at_once}
            below = {group: number for group, number in below.items() if not self._has_enough(group)}
            self._left = set(below)
            if not below:
                break
            numbers = await self.look_up(pairs, below)

    def hits(self) -> dict[Group, WordHits]:
        return {
            group: WordHits(
                documents=tuple(found[no] for no in sorted(found, reverse=True)[: self._limit]),
                is_many=group in self._left or self._has_enough(group),
            )
            for group, found in self._found.items()
        }

    def has_plenty(self) -> bool:
        return any(self._has_enough(group) for group in Group)

    def _has_enough(self, group: Group) -> bool:
        return len(self._found[group]) > self._limit

    async def _match(self, numbers: Sequence[int]) -> None:
        self._read.update(numbers)
        rows = await self._index.rows_of(self._connection, numbers)
        by_source: dict[Source, dict[int, int]] = defaultdict(dict)
        for no, (source, row_id) in rows.items():
            by_source[source][row_id] = no
        wanted = {source: list(of_source) for source, of_source in by_source.items()}
        if self._words.are_pairs:
            for row_id in wanted.pop(Source.ORDER, ()):
                unread = Document(source=Source.ORDER, row_id=row_id, shop_id=None, texts=())
                self._found[Group.ORDER][by_source[Source.ORDER][row_id]] = unread
        read = await read_documents(self._database, self._connection, wanted, is_enough=self._words.are_in)
        for source, documents in read.items():
            for row_id, document in documents.items():
                if self._words.are_in(document) and self._may_see(document):
                    self._found[Group.of(source)][by_source[source][row_id]] = document


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdecimal())
