"""Versions of the books that supervisors write: the newest of a kind is in force, none is ever changed."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from hub.store.database import Database, time_of, to_ms
from hub.store.ids import new_id
from hub.store.questions import Question, ask_one
from hub.store.tables import rule_books


class BookKind(StrEnum):
    ROUTING = "routing"
    POLICY = "policy"
    TEMPLATES = "templates"


class BookVersion(Struct, frozen=True, kw_only=True):
    """``body`` is the JSON of the whole book; ``author_id`` is ``None`` for a file or the command line."""

    kind: BookKind
    version: int
    body: str
    source: str
    note: str | None
    author_id: int | None
    created_at: datetime


class OvertakenError(Exception):
    """Somebody else has written a newer version meanwhile. ``newest`` is its number."""

    def __init__(self, newest: int) -> None:
        super().__init__(f"version {newest} was written meanwhile")
        self.newest = newest


async def newest_version(database: Database, kind: BookKind) -> int:
    """0 where the book was never written."""
    query = select(rule_books.c.version).where(rule_books.c.kind == kind).order_by(rule_books.c.version.desc()).limit(1)
    async with database.reading() as connection:
        return await connection.scalar(query) or 0


async def read_version(database: Database, kind: BookKind, version: int | None = None) -> BookVersion | None:
    """One version, or the newest; ``None`` where there is none."""
    async with database.reading() as connection:
        return await ask_one(connection, version_of(kind, version))


def version_of(kind: BookKind, version: int | None = None) -> Question[BookVersion | None]:
    """As :func:`read_version`."""
    query = _NEWEST if version is None else _ONE
    values = {"kind": kind.value, "version": version}
    return Question(query, values, lambda rows: _version(rows[0]) if rows else None)


_NEWEST: Final = (
    select(rule_books).where(rule_books.c.kind == bindparam("kind")).order_by(rule_books.c.version.desc()).limit(1)
)
_ONE: Final = _NEWEST.where(rule_books.c.version == bindparam("version"))


async def list_versions(
    database: Database, kind: BookKind, *, before: int | None = None, limit: int = 50
) -> Sequence[BookVersion]:
    """Newest first."""
    query = select(rule_books).where(rule_books.c.kind == kind).order_by(rule_books.c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(rule_books.c.version < before)
    async with database.reading() as connection:
        return [_version(row) for row in await connection.execute(query)]


async def write_version(
    database: Database,
    kind: BookKind,
    body: str,
    *,
    based_on: int,
    source: str,
    now: datetime,
    note: str | None = None,
    author_id: int | None = None,
) -> BookVersion:
    """Put ``body`` in force, unless it equals what is. ``based_on`` is the version that the author saw, 0 for none.

    Raises: OvertakenError when that is no longer the newest: nothing of another's work is lost unseen.
    """
    newest = await read_version(database, kind)
    if newest is not None and newest.body == body:
        return newest
    if (newest.version if newest else 0) != based_on:
        raise OvertakenError(newest.version if newest else 0)
    written = BookVersion(
        kind=kind, version=based_on + 1, body=body, source=source, note=note, author_id=author_id, created_at=now
    )
    values = {
        "id": new_id(),
        "kind": kind.value,
        "version": written.version,
        "body": body,
        "source": source,
        "note": note,
        "author_id": author_id,
        "created_at": to_ms(now),
    }
    try:
        async with database.writing() as connection:
            await connection.execute(rule_books.insert().values(values))
    except IntegrityError as error:
        # Two wrote at once: the number tells who was second.
        raise OvertakenError(await newest_version(database, kind)) from error
    return written


def _version(row: Any) -> BookVersion:
    return BookVersion(
        kind=BookKind(row.kind),
        version=row.version,
        body=row.body,
        source=row.source,
        note=row.note,
        author_id=row.author_id,
        created_at=time_of(row.created_at),
    )
