"""The tree of reasons in force and its history: versions are added, never changed.

A version counts from its day on, or for all of the past too: each moment is named by the newest version that had begun
by then.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.stats.reason_tree import ReasonTree, read_tree, standard_text, standard_tree
from hub.store.database import Database, from_ms, time_of, to_ms
from hub.store.tables import reason_trees, users

#: kept between two looks: texts never change
_read: Final = lru_cache(maxsize=32)(read_tree)

#: called in the transaction that writes a version, with its number
Logged = Callable[[AsyncConnection, int], Awaitable[None]]


class OvertakenError(ValueError):
    """Somebody else wrote a version meanwhile; nothing was written."""


class TreeVersion(Struct, frozen=True, kw_only=True):
    """``author`` is ``None`` for the command line; ``valid_from`` for a version that names all of the past too."""

    version: int
    created_at: datetime
    author: str | None
    note: str
    valid_from: datetime | None = None


class Stretch(Struct, frozen=True, kw_only=True):
    """Half-open, ``None`` where there is no bound; one tree names all of it."""

    since: datetime | None
    until: datetime | None
    tree: ReasonTree


class TreeHistory:
    """Which tree names which time. ``parts``: since when each counts, latest first; the last counts for ever before."""

    def __init__(self, parts: Sequence[tuple[datetime | None, ReasonTree]]) -> None:
        self._parts = parts

    @property
    def newest(self) -> ReasonTree:
        """It has a title for every code of the past."""
        former = [tree for _, tree in self._parts[1:]]
        return ReasonTree(self._parts[0][1].groups, former=former)

    def at(self, moment: datetime) -> ReasonTree:
        return next(tree for since, tree in self._parts if since is None or since <= moment)

    def stretches(self, since: datetime | None, until: datetime | None) -> list[Stretch]:
        """The time from ``since`` to ``until``, cut where another tree begins; oldest first."""
        found: list[Stretch] = []
        end = until
        for begin, tree in self._parts:
            if begin is not None and end is not None and begin >= end:
                continue
            start = begin if since is None or (begin is not None and begin > since) else since
            found.append(Stretch(since=start, until=end, tree=tree))
            if start == since:
                break
            end = start
        return found[::-1]


async def tree_history(database: Database) -> TreeHistory:
    query = select(reason_trees.c.version, reason_trees.c.valid_from).order_by(reason_trees.c.version.desc())
    wanted: dict[int, datetime | None] = {}
    async with database.reading() as connection:
        for row in await connection.execute(query):
            begin = from_ms(row.valid_from)
            # A later version that began earlier has taken its place.
            if not any(other is None or (begin is not None and other <= begin) for other in wanted.values()):
                wanted[row.version] = begin
        bodies = select(reason_trees.c.version, reason_trees.c.body).where(reason_trees.c.version.in_(wanted))
        texts = {row.version: row.body for row in await connection.execute(bodies)}
    parts: list[tuple[datetime | None, ReasonTree]] = [
        (begin, _read(texts[version])) for version, begin in wanted.items()
    ]
    if None not in wanted.values():
        parts.append((None, standard_tree()))
    return TreeHistory(parts)


async def tree_in_force(database: Database) -> ReasonTree:
    """The newest version, the shipped tree where none was written; it has a title for every code of the past."""
    return (await tree_history(database)).newest


async def tree_text(database: Database, version: int | None = None) -> str:
    """One version as TOML, or the newest; 0 is the shipped tree. Raises: ValueError for one that was never written."""
    if version is None:
        return (await newest_tree(database))[1]
    if version == 0:
        return standard_text()
    async with database.reading() as connection:
        text = await connection.scalar(select(reason_trees.c.body).where(reason_trees.c.version == version))
    if text is None:
        message = f"there is no version {version} of the reasons"
        raise ValueError(message)
    return str(text)


async def write_tree(
    database: Database,
    text: str,
    *,
    now: datetime,
    note: str = "",
    author_id: int | None = None,
    valid_from: datetime | None = None,
    based_on: int | None = None,
    logged: Logged | None = None,
) -> int:
    """Put a tree in force; the same text again writes nothing. Returns the version in force.

    ``valid_from``: what came before it keeps its reasons; ``None``: it names all of the past. ``based_on``: the version
    that the writer has seen; ``None`` for the newest, whatever it is.
    Raises: ValueError for text that is no tree; OvertakenError when somebody else wrote meanwhile.
    """
    read_tree(text)
    version, current = await newest_tree(database)
    if based_on is not None and based_on != version:
        message = f"somebody else has written version {version}: look at it first"
        raise OvertakenError(message)
    if current == text and valid_from is None:
        return version
    row = {
        "version": version + 1,
        "body": text,
        "note": note,
        "author_id": author_id,
        "created_at": to_ms(now),
        "valid_from": to_ms(valid_from),
    }
    try:
        async with database.writing() as connection:
            await connection.execute(reason_trees.insert().values(row))
            if logged is not None:
                await logged(connection, version + 1)
    except IntegrityError as error:
        message = "somebody else has just written a version: look at it first"
        raise OvertakenError(message) from error
    return version + 1


async def tree_versions(database: Database) -> list[TreeVersion]:
    """Newest first; the shipped tree is no row."""
    query = (
        select(
            reason_trees.c.version,
            reason_trees.c.created_at,
            reason_trees.c.note,
            reason_trees.c.valid_from,
            users.c.name,
        )
        .select_from(reason_trees.outerjoin(users, users.c.id == reason_trees.c.author_id))
        .order_by(reason_trees.c.version.desc())
    )
    async with database.reading() as connection:
        return [
            TreeVersion(
                version=row.version,
                created_at=time_of(row.created_at),
                author=row.name,
                note=row.note,
                valid_from=from_ms(row.valid_from),
            )
            for row in await connection.execute(query)
        ]


async def newest_tree(database: Database) -> tuple[int, str]:
    """Its number and text; 0 is the shipped one."""
    newest = select(func.max(reason_trees.c.version)).scalar_subquery()
    query = select(reason_trees.c.version, reason_trees.c.body).where(reason_trees.c.version == newest)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return (0, standard_text()) if row is None else (row.version, row.body)
