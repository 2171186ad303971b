"""Names, products and what was written, by parts of two characters and more."""

from collections import defaultdict
from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.search_documents import Document, Group, Source, read_documents
from hub.store.search_index import SearchIndex
from hub.store.search_text import pairs_of, words_of

#: digits of the shortest number that is typed in groups
_NUMBER: Final = 8
#: digits of a phone's end that narrow what other words find
_LAST_DIGITS: Final = 4
#: documents read in one look beyond those that are wanted: some hold the pairs, but not side by side
_SPARE: Final = 50
#: and in all: what has found too little by then says that there may be more
_MOST_READ: Final = 600


class Words(Struct, frozen=True, kw_only=True):
    """What was typed, folded. ``parts`` must stand in the text; ``lasts`` may be the end of a phone instead."""

    parts: tuple[str, ...]
    lasts: tuple[str, ...]

    @property
    def pairs(self) -> set[str]:
        return pairs_of(self.parts)

    def are_in(self, document: Document) -> bool:
        if not all(any(part in text for text in document.texts) for part in self.parts):
            return False
        return all(
            any(_digits(phone).endswith(last) for phone in document.phones)
            or any(last in text for text in document.texts)
            for last in self.lasts
        )


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
    database: Database, connection: AsyncConnection, words: Words, group: Group, *, limit: int
) -> WordHits:
    """At most ``limit`` documents. Nothing where no word has two characters."""
    pairs = words.pairs
    if not pairs:
        return WordHits(documents=(), is_many=False)
    index = SearchIndex(database)
    found: list[Document] = []
    below: int | None = None
    for _ in range(0, _MOST_READ, limit + _SPARE):
        numbers = await index.find(connection, group, pairs, limit=limit + _SPARE, below=below)
        documents = await _read(database, connection, await index.rows_of(connection, numbers))
        found += [document for document in documents if words.are_in(document)]
        if len(found) > limit:
            break
        if len(numbers) < limit + _SPARE:
            return WordHits(documents=tuple(found), is_many=False)
        below = numbers[-1]
    return WordHits(documents=tuple(found[:limit]), is_many=True)


async def _read(database: Database, connection: AsyncConnection, rows: list[tuple[Source, int]]) -> list[Document]:
    by_source: dict[Source, list[int]] = defaultdict(list)
    for source, row_id in rows:
        by_source[source].append(row_id)
    read = {source: await read_documents(database, connection, source, ids) for source, ids in by_source.items()}
    return [read[source][row_id] for source, row_id in rows if row_id in read[source]]


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdecimal())
