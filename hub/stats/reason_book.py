"""The tree of reasons in force and its history: versions are added, never changed."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from hub.stats.reason_tree import ReasonTree, read_tree, standard_text, standard_tree
from hub.store.database import Database, time_of, to_ms
from hub.store.tables import reason_trees, users


class TreeVersion(Struct, frozen=True, kw_only=True):
    """``author`` is ``None`` for the command line."""

    version: int
    created_at: datetime
    author: str | None
    note: str


async def tree_in_force(database: Database) -> ReasonTree:
    """The newest version, the shipped tree where none was written."""
    version, text = await _newest(database)
    return read_tree(text) if version else standard_tree()


async def tree_text(database: Database, version: int | None = None) -> str:
    """One version as TOML, or the newest; 0 is the shipped tree. Raises: ValueError for one that was never written."""
    if version is None:
        return (await _newest(database))[1]
    if version == 0:
        return standard_text()
    async with database.reading() as connection:
        text = await connection.scalar(select(reason_trees.c.body).where(reason_trees.c.version == version))
    if text is None:
        message = f"there is no version {version} of the reasons"
        raise ValueError(message)
    return str(text)


async def write_tree(
    database: Database, text: str, *, now: datetime, note: str = "", author_id: int | None = None
) -> int:
    """Put a tree in force; the same text again writes nothing. Returns the version in force.

    Raises: ValueError for text that is no tree, and when somebody else wrote one at the same moment.
    """
    read_tree(text)
    version, current = await _newest(database)
    if current == text:
        return version
    row = {"version": version + 1, "body": text, "note": note, "author_id": author_id, "created_at": to_ms(now)}
    try:
        async with database.writing() as connection:
            await connection.execute(reason_trees.insert().values(row))
    except IntegrityError as error:
        message = "somebody else has just written a version: look at it first"
        raise ValueError(message) from error
    return version + 1


async def tree_versions(database: Database) -> list[TreeVersion]:
    """Newest first; the shipped tree is no row."""
    query = (
        select(reason_trees.c.version, reason_trees.c.created_at, reason_trees.c.note, users.c.name)
        .select_from(reason_trees.outerjoin(users, users.c.id == reason_trees.c.author_id))
        .order_by(reason_trees.c.version.desc())
    )
    async with database.reading() as connection:
        return [
            TreeVersion(version=row.version, created_at=time_of(row.created_at), author=row.name, note=row.note)
            for row in await connection.execute(query)
        ]


async def _newest(database: Database) -> tuple[int, str]:
    newest = select(func.max(reason_trees.c.version)).scalar_subquery()
    query = select(reason_trees.c.version, reason_trees.c.body).where(reason_trees.c.version == newest)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return (0, standard_text()) if row is None else (row.version, row.body)
