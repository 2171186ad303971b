"""What supervisors are still working on: one draft per author of each kind of book, or of another thing they write."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, select

from hub.store.database import Database, time_of, to_ms
from hub.store.ids import new_id
from hub.store.tables import book_drafts


class BookDraft(Struct, frozen=True, kw_only=True):
    """``kind`` is a BookKind, with the JSON of the whole book as ``body`` and the version its author started from
    as ``based_on`` (0 for none); or the name of something else, which says itself what they are.
    """

    kind: str
    author_id: int
    based_on: int
    body: str
    changed_at: datetime


async def read_draft(database: Database, kind: str, *, author_id: int) -> BookDraft | None:
    query = select(book_drafts).where(book_drafts.c.kind == kind, book_drafts.c.author_id == author_id)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return BookDraft(
        kind=kind, author_id=author_id, based_on=row.based_on, body=row.body, changed_at=time_of(row.changed_at)
    )


async def keep_draft(database: Database, kind: str, body: str, *, author_id: int, based_on: int, now: datetime) -> None:
    """Store the draft of ``author_id``, in place of the one before."""
    values = {
        "id": new_id(),
        "kind": str(kind),
        "author_id": author_id,
        "based_on": based_on,
        "body": body,
        "changed_at": to_ms(now),
    }
    statement = database.upsert(book_drafts, key=(book_drafts.c.kind, book_drafts.c.author_id), changed_hash=False)
    async with database.writing() as connection:
        await connection.execute(statement, [values])


async def drop_draft(database: Database, kind: str, *, author_id: int) -> None:
    query = delete(book_drafts).where(book_drafts.c.kind == kind, book_drafts.c.author_id == author_id)
    async with database.writing() as connection:
        await connection.execute(query)
