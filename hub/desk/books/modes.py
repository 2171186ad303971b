"""The long table of inventory modes: found, paged, changed row by row, imported with a preview, exported.

It is too long to be a book: a row changes at once, and what was done stands in a history of its own.
"""

import base64
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, delete, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor, ForbiddenError, Permission, require
from hub.desk.books.books import DraftChangedError
from hub.desk.books.changes import Kind
from hub.desk.books.mode_rows import mode_columns, mode_row, replace_modes
from hub.desk.books.rows import RowGoneError, RowRefusedError, TypedError, read_row, row_stamp
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.book_drafts import drop_draft, keep_draft, read_draft
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.tables import mode_changes, product_modes, shops, users
from routing.book import RoutingTables, find_problems
from routing.entries import ProductEntry
from routing.modes import KEYS, key_of
from routing.sheet import MAX_ROWS
from routing.table_file import ModeTableImport, read_mode_table

PAGE: Final = 100
SECTION: Final = "products"
MOST_BYTES: Final = 20 * 1024 * 1024
_DRAFT: Final = "modes"
_EXAMPLES: Final = 50
_DAY: Final = timedelta(days=1)


class StoredMode(Struct, frozen=True, kw_only=True):
    """``row_id`` is the key of the stored row; ``stamp`` names its content."""

    row_id: int
    row: ProductEntry
    stamp: str
    changed_at: datetime


class ModePage(Struct, frozen=True, kw_only=True):
    """``after`` continues behind the last row; ``found`` of ``total`` rows hold what was sought."""

    rows: tuple[StoredMode, ...]
    after: int | None
    found: int
    total: int


class ModeChange(Struct, frozen=True, kw_only=True):
    """One line of the history. ``counts`` are the new, changed and removed rows of an import."""

    at: datetime
    author: str | None
    change: str
    old: ProductEntry | None = None
    new: ProductEntry | None = None
    counts: Mapping[str, int] | None = None


class ModePreview(Struct, frozen=True, kw_only=True):
    """What an import would change. ``examples`` are the first changes with the rows before and after.

    With any problem in ``read`` nothing can be imported.
    """

    read: ModeTableImport
    added: int
    changed: int
    removed: int
    unchanged: int
    examples: tuple[tuple[Kind, ProductEntry | None, ProductEntry | None], ...]
    stamp: str


async def read_modes(services: Services, *, actor: Actor, sought: str = "", after: int = 0) -> ModePage:
    """Rows that hold ``sought`` in a code, partner or shop, by key. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    condition = _holds(sought)
    query = select(product_modes).where(condition, product_modes.c.id > after).order_by(product_modes.c.id)
    async with services.database.reading() as connection:
        rows = (await connection.execute(query.limit(PAGE + 1))).all()
        total = await connection.scalar(select(func.count()).select_from(product_modes)) or 0
        found = total
        if sought.strip():
            found = await connection.scalar(select(func.count()).select_from(product_modes).where(condition)) or 0
    return ModePage(
        rows=tuple(_stored(row) for row in rows[:PAGE]),
        after=rows[PAGE - 1].id if len(rows) > PAGE else None,
        found=found,
        total=total,
    )


def _holds(sought: str) -> ColumnElement[bool]:
    word = sought.strip().lower()
    if not word:
        return true()
    columns = [product_modes.c[name] for name in (*KEYS, "partner", "logistics", "shop")]
    return or_(*(func.lower(column).contains(word, autoescape=True) for column in columns))


def _stored(row: Row[Any]) -> StoredMode:
    entry = mode_row(row)
    return StoredMode(row_id=row.id, row=entry, stamp=row_stamp(entry), changed_at=time_of(row.imported_at))


async def read_mode(services: Services, *, actor: Actor, row_id: int) -> StoredMode:
    """Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await _one(connection, row_id)


async def _one(connection: AsyncConnection, row_id: int) -> StoredMode:
    row = (await connection.execute(select(product_modes).where(product_modes.c.id == row_id))).one_or_none()
    if row is None:
        raise NotFoundError
    return _stored(row)


async def save_mode(
    services: Services, *, actor: Actor, values: Mapping[str, str], row_id: int | None = None, was: str = ""
) -> int:
    """Add a row, or change the one with ``row_id`` while its content still has the stamp ``was``. Returns its key.

    Raises: ForbiddenError; RowRefusedError naming fields or what the row contradicts; RowGoneError.
    """
    require(actor, Permission.EDIT_BOOKS)
    new = read_row(ProductEntry, values)
    now = services.now()
    async with services.database.writing() as connection:
        await _refuse_wrong(connection, new, besides=row_id)
        if row_id is None:
            total = await connection.scalar(select(func.count()).select_from(product_modes)) or 0
            if total >= MAX_ROWS:
                full = TypedError(field="", key="too_many_rows", words={"most": f"{MAX_ROWS:,}"})
                raise RowRefusedError(typed=(full,))
            row_id = new_id()
            await connection.execute(product_modes.insert().values(id=row_id, **mode_columns(new, now=now)))
            await _note(connection, actor, now, "added", None, new)
        else:
            old = await _still(connection, row_id, was)
            await _change(connection, row_id, new, now=now)
            await _note(connection, actor, now, "changed", old, new)
    await services.refresh_routing()
    return row_id


async def _change(connection: AsyncConnection, row_id: int, new: ProductEntry, *, now: datetime) -> None:
    stored = update(product_modes).where(product_modes.c.id == row_id)
    await connection.execute(stored.values(**mode_columns(new, now=now)))


async def _still(connection: AsyncConnection, row_id: int, was: str) -> ProductEntry:
    try:
        stored = await _one(connection, row_id)
    except NotFoundError:
        raise RowGoneError from None
    if stored.stamp != was:
        raise RowGoneError
    return stored.row


async def _refuse_wrong(connection: AsyncConnection, new: ProductEntry, *, besides: int | None) -> None:
    """Check the row against those that could name the same product.

    They are looked for by the code as typed and in small letters; a code that differs in blanks or
    width only is found when a whole file is imported.
    """
    names = [getattr(new, column) for column in KEYS]
    same = [
        func.lower(product_modes.c[column]) == name.strip().lower()
        for column, name in zip(KEYS, names, strict=True)
        if name
    ]
    others: list[ProductEntry] = []
    if same:
        query = select(product_modes).where(or_(*same), product_modes.c.id != (besides or 0))
        others = [mode_row(row) for row in await connection.execute(query)]
    known = {row.name: row.mall for row in await connection.execute(select(shops.c.name, shops.c.mall))}
    tables = RoutingTables(products=(*others, new))
    before = set(find_problems(RoutingTables(products=tuple(others)), shops=known))
    wrong = [each for each in find_problems(tables, shops=known) if each not in before]
    if wrong:
        raise RowRefusedError(here=tuple(wrong))


async def end_mode(services: Services, *, actor: Actor, row_id: int, was: str, last_day: date) -> None:
    """Let a row hold up to and including ``last_day``.

    Raises: ForbiddenError; RowGoneError; RowRefusedError when it would end before it begins.
    """
    require(actor, Permission.EDIT_BOOKS)
    now = services.now()
    async with services.database.writing() as connection:
        old = await _still(connection, row_id, was)
        if old.valid_from is not None and last_day < old.valid_from:
            words = {"begins": old.valid_from.isoformat(), "before": (old.valid_from - _DAY).isoformat()}
            raise RowRefusedError(typed=(TypedError(field="valid_to", key="ends_early", words=words),))
        new = msgspec.structs.replace(old, valid_to=last_day)
        await _change(connection, row_id, new, now=now)
        await _note(connection, actor, now, "changed", old, new)
    await services.refresh_routing()


async def remove_mode(services: Services, *, actor: Actor, row_id: int, was: str) -> None:
    """Raises: ForbiddenError; RowGoneError."""
    require(actor, Permission.EDIT_BOOKS)
    async with services.database.writing() as connection:
        old = await _still(connection, row_id, was)
        await connection.execute(delete(product_modes).where(product_modes.c.id == row_id))
        await _note(connection, actor, services.now(), "removed", old, None)
    await services.refresh_routing()


async def _note(
    connection: AsyncConnection, actor: Actor, at: datetime, change: str, old: object | None, new: object | None
) -> None:
    encode = msgspec.json.encode
    await connection.execute(
        mode_changes.insert().values(
            id=new_id(),
            at=to_ms(at),
            author_id=actor.user_id,
            change=change,
            old=None if old is None else encode(old).decode(),
            new=None if new is None else encode(new).decode(),
        )
    )


async def read_mode_history(services: Services, *, actor: Actor) -> tuple[ModeChange, ...]:
    """The latest changes, newest first, at most PAGE. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    query = (
        select(mode_changes, users.c.name)
        .select_from(mode_changes.outerjoin(users, users.c.id == mode_changes.c.author_id))
        .order_by(mode_changes.c.id.desc())
        .limit(PAGE)
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(_told(row) for row in rows)


def _told(row: Row[Any]) -> ModeChange:
    decode = msgspec.json.decode
    if row.change == "imported":
        counts = decode(row.new, type=dict[str, int])
        return ModeChange(at=time_of(row.at), author=row.name, change=row.change, counts=counts)
    return ModeChange(
        at=time_of(row.at),
        author=row.name,
        change=row.change,
        old=None if row.old is None else decode(row.old, type=ProductEntry),
        new=None if row.new is None else decode(row.new, type=ProductEntry),
    )


# import


async def start_import(services: Services, *, actor: Actor, data: bytes) -> None:
    """Keep a file of the author's until it is imported or another takes its place.

    Raises: ForbiddenError; ConfigurationError for a file too large.
    """
    author_id = _author(actor)
    if len(data) > MOST_BYTES:
        what = f"The file has {len(data):,} bytes, more than {MOST_BYTES:,}"
        raise ConfigurationError(what, fix="Split it, or use `hub route import FILE`.")
    body = base64.b64encode(data).decode()
    await keep_draft(services.database, _DRAFT, body, author_id=author_id, based_on=0, now=services.now())


async def _uploaded(services: Services, author_id: int) -> bytes:
    draft = await read_draft(services.database, _DRAFT, author_id=author_id)
    if draft is None:
        raise NotFoundError
    return base64.b64decode(draft.body)


def _author(actor: Actor) -> int:
    require(actor, Permission.EDIT_BOOKS)
    if actor.user_id is None:
        raise ForbiddenError(Permission.EDIT_BOOKS)
    return actor.user_id


async def preview_import(services: Services, *, actor: Actor) -> ModePreview:
    """What the author's file would change. Raises: ForbiddenError; NotFoundError without a file."""
    read = read_mode_table(await _uploaded(services, _author(actor)))
    async with services.database.reading() as connection:
        rows = (await connection.execute(select(product_modes))).all()
    return _compare(read, [mode_row(row) for row in rows], stamp=_stamp(rows))


def _stamp(rows: Any) -> str:
    """Names the state of the whole table: any change adds, removes or touches a row."""
    return f"{len(rows)}.{max((row.imported_at for row in rows), default=0)}"


def _compare(read: ModeTableImport, before: list[ProductEntry], *, stamp: str) -> ModePreview:
    """Rows of the same product, shop and beginning are the same row."""
    now_there: dict[object, list[ProductEntry]] = {}
    for row in before:
        now_there.setdefault(_identity(row), []).append(row)
    examples: list[tuple[Kind, ProductEntry | None, ProductEntry | None]] = []
    added = changed = unchanged = 0
    for new in read.rows:
        same = now_there.get(_identity(new))
        old = same.pop(0) if same else None
        if old == new:
            unchanged += 1
            continue
        added += old is None
        changed += old is not None
        if len(examples) < _EXAMPLES:
            examples.append((Kind.ADDED if old is None else Kind.CHANGED, old, new))
    gone = [row for rows in now_there.values() for row in rows] if read.rows else []
    examples += [(Kind.REMOVED, row, None) for row in gone[: _EXAMPLES // 2]]
    return ModePreview(
        read=read,
        added=added,
        changed=changed,
        removed=len(gone),
        unchanged=unchanged,
        examples=tuple(examples),
        stamp=stamp,
    )


def _identity(row: ProductEntry) -> object:
    return key_of(row), row.shop, row.valid_from


async def finish_import(services: Services, *, actor: Actor, stamp: str) -> ModePreview:
    """Replace the table by the author's file, whole, as it was previewed (``stamp``).

    Raises: ForbiddenError; NotFoundError without a file or for one with problems; DraftChangedError when
    the table is no longer what the preview compared with.
    """
    author_id = _author(actor)
    preview = await preview_import(services, actor=actor)
    if not preview.read.rows:
        raise NotFoundError
    if preview.stamp != stamp:
        raise DraftChangedError
    now = services.now()
    await replace_modes(services.database, preview.read.rows, now=now)
    counts = {"added": preview.added, "changed": preview.changed, "removed": preview.removed}
    async with services.database.writing() as connection:
        await _note(connection, actor, now, "imported", None, counts)
    await drop_draft(services.database, _DRAFT, author_id=author_id)
    await services.refresh_routing()
    return preview


async def export_modes(services: Services, *, actor: Actor) -> AsyncIterator[ProductEntry]:
    """All rows, by key. Raises: ForbiddenError."""
    require(actor, Permission.EXPORT)
    after = 0
    while True:
        query = select(product_modes).where(product_modes.c.id > after).order_by(product_modes.c.id).limit(5_000)
        async with services.database.reading() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            yield mode_row(row)
        if not rows:
            return
        after = rows[-1].id
