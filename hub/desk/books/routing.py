"""The routing of this hub: the newest version of its routing book, and the imported inventory modes.

HUB_HOME/routing.toml is one way to write the book: whenever what it says has changed, it becomes a new
version. The screens are the other way. A file that is wrong changes nothing: the last good version stays in
force, and the mistake is told wherever somebody looks at routing.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.core.errors import ConfigurationError
from hub.desk.books.mode_rows import read_mode_rows
from hub.store.books import BookKind, BookVersion, OvertakenError, list_versions, newest_version, write_version
from hub.store.database import Database, read_rows, time_of
from hub.store.tables import product_modes, rule_books
from routing.book import RoutingTables, decode, encode, fill_chain
from routing.chain_table import ChainTable
from routing.compiled import compile_book
from routing.contacts import Directory
from routing.modes import ModeTable
from routing.rules_file import WrongFileError, read_tables

FILE_NAME: Final = "routing.toml"
FROM_FILE: Final = "file"
#: versions of the file that are remembered, and how often a version that was overtaken is written again
_REMEMBERED: Final = 200
_TRIES: Final = 5

Stamp = tuple[float, ...]


class Refusal(Struct, frozen=True, kw_only=True):
    """Why the file is not in force: what is wrong and what to do, in both languages."""

    what: str
    fix: str | None
    what_ko: str
    fix_ko: str | None

    def told(self, locale: str) -> str:
        """In one sentence or two."""
        what, fix = (self.what_ko, self.fix_ko) if locale == "ko" else (self.what, self.fix)
        return f"{what}. {fix}" if fix else what


class RoutingBook(Struct, frozen=True, kw_only=True):
    """What is in force. ``version`` 0: the shipped rules alone; ``source``: file, screen or import.

    ``stamp`` changes when the file, the book or the imported rows do. ``problem``: the file is wrong.
    """

    table: ModeTable
    directory: Directory
    stamp: Stamp
    chain: ChainTable = msgspec.field(default_factory=ChainTable)
    version: int = 0
    source: str | None = None
    problem: Refusal | None = None


async def read_stamp(database: Database, home: Path) -> Stamp:
    """When the file changed (0.0: there is none), rows and newest import of the modes, version of the book."""
    async with database.reading() as connection:
        ((count, newest, version),) = await read_rows(connection, _STAMP)
    return (_changed_at(home / FILE_NAME), count, newest, version)


_STAMP: Final = select(
    select(func.count()).select_from(product_modes).scalar_subquery(),
    select(func.coalesce(func.max(product_modes.c.imported_at), 0)).scalar_subquery(),
    select(func.coalesce(func.max(rule_books.c.version), 0))
    .where(rule_books.c.kind == BookKind.ROUTING)
    .scalar_subquery(),
)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


async def read_book(database: Database, home: Path, *, now: datetime, malls: Collection[str] = ()) -> RoutingBook:
    """Take the file in if it has changed, then read what is in force. Without ``malls`` no mall is unknown."""
    *before, _ = await read_stamp(database, home)
    problem = await take_in_file(database, home / FILE_NAME, now=now, malls=malls)
    version, tables, unreadable = await _read_newest(database)
    compiled = compile_book(tables)
    return RoutingBook(
        table=compiled.table(await read_mode_rows(database)),
        directory=compiled.directory(),
        chain=compiled.chain,
        stamp=(*before, await newest_version(database, BookKind.ROUTING)),
        version=version.version if version else 0,
        source=version.source if version else None,
        problem=problem or unreadable,
    )


async def _read_newest(database: Database) -> tuple[BookVersion | None, RoutingTables, Refusal | None]:
    """The newest version that this program can read: a newer program may have written one that it cannot."""
    refused = None
    before = None
    for _ in range(_REMEMBERED):
        found = await list_versions(database, BookKind.ROUTING, before=before, limit=1)
        if not found:
            break
        try:
            return found[0], decode(found[0].body.encode()), refused
        except ConfigurationError as error:
            refused = refused or _refusal(error)
            before = found[0].version
    return None, RoutingTables(), refused


async def take_in_file(database: Database, path: Path, *, now: datetime, malls: Collection[str] = ()) -> Refusal | None:
    """Write what the file says as a new version, unless it was taken in before. Returns why it cannot be.

    A file that says what an earlier version of it said is taken in again only if it was saved after the
    newest one: on another machine an old copy of it may still lie.
    """
    tables = _read_file(path, malls)
    if not isinstance(tables, RoutingTables):
        return tables
    digest = hashlib.sha256(encode(tables).encode()).hexdigest()[:32]
    taken = await _taken_in(database)
    if taken and (taken[0][0] == digest or (_is_among(digest, taken) and _changed_at(path) <= taken[0][1].timestamp())):
        return None
    body = encode(msgspec.structs.replace(fill_chain(tables), read_from=digest))
    for _ in range(_TRIES):
        newest = await newest_version(database, BookKind.ROUTING)
        try:
            await write_version(
                database, BookKind.ROUTING, body, based_on=newest, source=FROM_FILE, now=now, note=FILE_NAME
            )
        except OvertakenError:
            continue
        break
    return None


def _read_file(path: Path, malls: Collection[str]) -> RoutingTables | Refusal | None:
    """What the file says, why it is refused, ``None`` where there is none."""
    try:
        return read_tables(path.read_bytes(), file=str(path), malls=malls)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"{path}: {error.strerror}"
        return _refusal(ConfigurationError(what, fix="Let this user read the file."))
    except ConfigurationError as error:
        return _refusal(error)


class _Origin(Struct):
    read_from: str | None = None


async def _taken_in(database: Database) -> list[tuple[str | None, datetime]]:
    """Digest and time of the versions that came from a file, newest first."""
    query = (
        select(rule_books.c.body, rule_books.c.created_at)
        .where(rule_books.c.kind == BookKind.ROUTING, rule_books.c.source == FROM_FILE)
        .order_by(rule_books.c.version.desc())
        .limit(_REMEMBERED)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [(msgspec.json.decode(row.body, type=_Origin).read_from, time_of(row.created_at)) for row in rows]


def _is_among(digest: str, taken: list[tuple[str | None, datetime]]) -> bool:
    return any(each == digest for each, _ in taken)


def _refusal(error: ConfigurationError) -> Refusal:
    what_ko, fix_ko = error.told("ko") if isinstance(error, WrongFileError) else (error.what, error.fix)
    return Refusal(what=error.what, fix=error.fix, what_ko=what_ko, fix_ko=fix_ko)
