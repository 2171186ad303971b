"""Names, products and what was written, by parts of two characters and more."""

from collections import defaultdict
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
_SPARE: Final = 50
#: and in all: what has found too little by then says that there may be more
_MOST_READ: Final = 600


class Words(Struct, frozen=True, kw_only=True):
    """What was typed, folded. ``parts`` must stand in the text; ``lasts`` may be the end of a phone instead."""

    parts: tuple[str, ...]
    lasts: tuple[str, ...]

    @property
    def pairs(self) -> tuple[str, ...]:
        """By which documents are looked for: all of them, or some from every part of a long text."""
        pairs = tuple(dict.fromkeys(part[at : at + 2] for part in self.parts for at in range(len(part) - 1)))
        return (
            tuple(pairs[at * len(pairs) // _MOST_PAIRS] for at in range(_MOST_PAIRS)) if pairs[_MOST_PAIRS:] else pairs
        )

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


NOTHING: Final = WordHits(documents=(), is_many=False)


async def find_words(
    database: Database, connection: AsyncConnection, words: Words, *, below: int, limit: int
) -> dict[Group, WordHits]:
    """At most ``limit`` documents of each group. Nothing where no word has two characters.

    ``below``: the index's next number.
    """
    pairs = words.pairs
    hits = dict.fromkeys(Group, NOTHING)
    if not pairs:
        return hits
    index = SearchIndex(database)
    found: dict[Group, list[Document]] = {group: [] for group in Group}
    sought = dict.fromkeys(Group, below)
    for _ in range(0, _MOST_READ, limit + _SPARE):
        numbers = await index.find(connection, pairs, sought, limit=limit + _SPARE)
        rows = await index.rows_of(connection, [number for group in sought for number in numbers[group]])
        for document in await _matching(database, connection, rows, words):
            found[Group.of(document.source)].append(document)
        for group in tuple(sought):
            if len(numbers[group]) < limit + _SPARE or len(found[group]) > limit:
                del sought[group]
            else:
                sought[group] = numbers[group][-1]
        if not sought:
            break
    return {
        group: WordHits(documents=tuple(found[group][:limit]), is_many=group in sought or len(found[group]) > limit)
        for group in Group
    }


async def _matching(
    database: Database, connection: AsyncConnection, rows: list[tuple[Source, int]], words: Words
) -> list[Document]:
    """Documents of these rows that hold the words, in their order."""
    by_source: dict[Source, list[int]] = defaultdict(list)
    for source, row_id in rows:
        by_source[source].append(row_id)
    read = {
        source: await read_documents(database, connection, source, ids, is_enough=words.are_in)
        for source, ids in by_source.items()
    }
    documents = [read[source][row_id] for source, row_id in rows if row_id in read[source]]
    return [document for document in documents if words.are_in(document)]


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdecimal())
