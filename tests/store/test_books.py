"""Versions of a book: each stays, the newest counts, and two authors do not overwrite each other."""

from datetime import UTC, datetime

import pytest

from hub.store.books import BookKind, OvertakenError, list_versions, newest_version, read_version, write_version
from hub.store.database import Database

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


async def test_each_version_stays_and_the_newest_counts(database: Database) -> None:
    assert await read_version(database, BookKind.POLICY) is None
    assert await newest_version(database, BookKind.POLICY) == 0

    first = await write_version(database, BookKind.POLICY, '{"a":1}', based_on=0, source="screen", now=NOW, author_id=7)
    second = await write_version(database, BookKind.POLICY, '{"a":2}', based_on=1, source="file", now=NOW, note="why")

    assert await read_version(database, BookKind.POLICY) == second
    assert await read_version(database, BookKind.POLICY, 1) == first
    assert await list_versions(database, BookKind.POLICY) == [second, first]
    assert await list_versions(database, BookKind.POLICY, before=2) == [first]
    assert await newest_version(database, BookKind.ROUTING) == 0


async def test_the_same_book_again_is_no_new_version(database: Database) -> None:
    first = await write_version(database, BookKind.ROUTING, "{}", based_on=0, source="file", now=NOW)

    assert await write_version(database, BookKind.ROUTING, "{}", based_on=1, source="screen", now=NOW) == first


async def test_who_saw_an_older_version_is_told_so(database: Database) -> None:
    await write_version(database, BookKind.ROUTING, "1", based_on=0, source="screen", now=NOW)

    with pytest.raises(OvertakenError, match="version 1"):
        await write_version(database, BookKind.ROUTING, "2", based_on=0, source="screen", now=NOW)

    assert await newest_version(database, BookKind.ROUTING) == 1
