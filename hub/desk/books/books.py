"""The books that supervisors write: read, changed in a draft, previewed, put in force, with their history.

Nothing a supervisor types is in force before a preview of it was seen. A draft belongs to one author;
whoever is second to put one in force sees the other's change first.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.desk.access import Actor, ForbiddenError, Permission, require
from hub.desk.books.changes import Changes, Clash, compare, rebase
from hub.desk.books.forms import BookForm
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.book_drafts import BookDraft, drop_draft, keep_draft, read_draft
from hub.store.books import BookKind, BookVersion, OvertakenError, list_versions, read_version, write_version
from hub.store.tables import rule_books, users
from hub.sync.recount import recount

PAGE: Final = 50
LONGEST_NOTE: Final = 500
LONGEST_BODY: Final = 8 * 1024 * 1024
#: what a column of versions can hold
_LAST_VERSION: Final = 2**31 - 1
#: cases whose deadlines are counted anew while the author waits; the worker counts the others
_RECOUNTED_AT_ONCE: Final = 1_000


class VersionHead(Struct, frozen=True, kw_only=True):
    """Who wrote a version, when and why; ``author`` is ``None`` for a file or the command line."""

    version: int
    source: str
    note: str | None
    author: str | None
    created_at: datetime


class Book(Struct, frozen=True, kw_only=True):
    """One state of a book. ``version`` 0 is what holds before anybody has written one.

    ``head`` tells of the version; ``problems`` are those that find_problems names in this state.
    """

    kind: BookKind
    version: int
    newest: int
    tables: Any
    head: VersionHead | None
    problems: tuple[Problem, ...] = ()


class OpenBook(Struct, frozen=True, kw_only=True):
    """What an author works on: the draft, or the book in force where there is no draft.

    ``based_on`` is the version the draft started from, ``newest`` the one in force. ``stamp`` names
    this very state: a form that carries it is about nothing else.
    """

    kind: BookKind
    tables: Any
    base: Any
    based_on: int
    newest: int
    changes: Changes
    problems: tuple[Problem, ...]
    stamp: str
    changed_at: datetime | None = None

    @property
    def is_draft(self) -> bool:
        return self.changed_at is not None

    @property
    def is_overtaken(self) -> bool:
        return self.is_draft and self.based_on != self.newest


class DraftChangedError(Exception):
    """The draft is not what the form showed: another window of the same author has changed it."""


class UnfinishedError(Exception):
    """There is a draft with changes that this step would throw away."""


class ProblemsError(Exception):
    """The book has mistakes and cannot be put in force."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def stamp_of(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def decode_book(form: BookForm, body: str | bytes) -> Any:
    """Raises: ConfigurationError when the JSON is no book of this kind (a newer program may have written it)."""
    try:
        return form.decode(body.encode() if isinstance(body, str) else body)
    except msgspec.MsgspecError as error:
        what = f"this is no {form.kind} book: {error}"
        raise ConfigurationError(what, fix="Export a book to see how one is written.") from error


async def read_book(services: Services, form: BookForm, *, actor: Actor, version: int | None = None) -> Book:
    """The book in force, or one version of it. Raises: ForbiddenError; NotFoundError for a version never written."""
    require(actor, Permission.WORK_CASES)
    if version is not None and not 0 <= version <= _LAST_VERSION:
        raise NotFoundError
    newest = await read_version(services.database, form.kind)
    found = newest if version is None else await read_version(services.database, form.kind, version)
    if found is None:
        if version not in (None, 0):
            raise NotFoundError
        tables = form.standard()
        return Book(kind=form.kind, version=0, newest=newest.version if newest else 0, tables=tables, head=None)
    tables = decode_book(form, found.body)
    return Book(
        kind=form.kind,
        version=found.version,
        newest=newest.version if newest else 0,
        tables=tables,
        head=(await _heads(services, [found]))[0],
        problems=form.find_problems(tables),
    )


async def open_book(services: Services, form: BookForm, *, actor: Actor) -> OpenBook:
    """The author's draft, or the book in force. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    return await _opened(services, form, await _draft(services, form, actor))


async def _draft(services: Services, form: BookForm, actor: Actor) -> BookDraft | None:
    if actor.user_id is None or not actor.may(Permission.EDIT_BOOKS):
        return None
    return await read_draft(services.database, form.kind, author_id=actor.user_id)


async def _opened(services: Services, form: BookForm, draft: BookDraft | None) -> OpenBook:
    newest = await read_version(services.database, form.kind)
    number = newest.version if newest else 0
    in_force = decode_book(form, newest.body) if newest else form.standard()
    if draft is None:
        return OpenBook(
            kind=form.kind,
            tables=in_force,
            base=in_force,
            based_on=number,
            newest=number,
            changes=Changes(),
            problems=form.find_problems(in_force),
            stamp=stamp_of(form.encode(in_force)),
        )
    tables = decode_book(form, draft.body)
    base = in_force if draft.based_on == number else await _tables_of(services, form, draft.based_on)
    return OpenBook(
        kind=form.kind,
        tables=tables,
        base=base,
        based_on=draft.based_on,
        newest=number,
        changes=compare(base, tables),
        problems=form.find_problems(tables),
        stamp=stamp_of(draft.body),
        changed_at=draft.changed_at,
    )


async def _tables_of(services: Services, form: BookForm, version: int) -> Any:
    if not 0 <= version <= _LAST_VERSION:
        raise NotFoundError
    if version == 0:
        return form.standard()
    found = await read_version(services.database, form.kind, version)
    if found is None:
        raise NotFoundError
    return decode_book(form, found.body)


async def keep(services: Services, form: BookForm, tables: Any, *, actor: Actor, on: OpenBook) -> None:
    """Make ``tables`` the author's draft; one that equals its base is no draft any more.

    Raises: ForbiddenError; DraftChangedError when the draft is no longer what ``on`` was;
    ConfigurationError for a book too large.
    """
    author_id = _author(actor)
    body = form.encode(tables)
    if len(body) > LONGEST_BODY:
        what = f"the book would have {len(body):,} characters, more than {LONGEST_BODY:,}"
        raise ConfigurationError(what, fix="Remove rows that are not needed.")
    now_there = await _opened(services, form, await _draft(services, form, actor))
    if now_there.stamp != on.stamp:
        raise DraftChangedError
    if not compare(on.base, tables):
        await drop_draft(services.database, form.kind, author_id=author_id)
        return
    await keep_draft(services.database, form.kind, body, author_id=author_id, based_on=on.based_on, now=services.now())


def _author(actor: Actor) -> int:
    require(actor, Permission.EDIT_BOOKS)
    if actor.user_id is None:
        # A draft belongs to a person; the command line writes whole versions.
        raise ForbiddenError(Permission.EDIT_BOOKS)
    return actor.user_id


async def discard(services: Services, form: BookForm, *, actor: Actor) -> None:
    """Throw the author's own draft away. Raises: ForbiddenError."""
    await drop_draft(services.database, form.kind, author_id=_author(actor))


async def catch_up(services: Services, form: BookForm, *, actor: Actor) -> tuple[Clash, ...]:
    """Put the author's changes on top of the version that is in force now; returns the rows both changed.

    Raises: ForbiddenError; NotFoundError without a draft.
    """
    author_id = _author(actor)
    desk = await open_book(services, form, actor=actor)
    if not desk.is_draft:
        raise NotFoundError
    if not desk.is_overtaken:
        return ()
    theirs = await _tables_of(services, form, desk.newest)
    merged, clashes = rebase(base=desk.base, mine=desk.tables, theirs=theirs)
    await keep_draft(
        services.database,
        form.kind,
        form.encode(merged),
        author_id=author_id,
        based_on=desk.newest,
        now=services.now(),
    )
    return clashes


async def put_in_force(services: Services, form: BookForm, *, actor: Actor, stamp: str, note: str) -> BookVersion:
    """Write the draft that was previewed (``stamp``) as the newest version.

    Raises: ForbiddenError; NotFoundError without a draft; DraftChangedError; OvertakenError;
    ProblemsError; ConfigurationError without a note.
    """
    author_id = _author(actor)
    draft = await read_draft(services.database, form.kind, author_id=author_id)
    if draft is None:
        raise NotFoundError
    if stamp_of(draft.body) != stamp:
        raise DraftChangedError
    written = await _write(
        services, form, draft.body, based_on=draft.based_on, source="screen", note=note, author_id=author_id
    )
    await drop_draft(services.database, form.kind, author_id=author_id)
    await _recount(services, form)
    return written


async def write_whole(
    services: Services, form: BookForm, tables: Any, *, actor: Actor, note: str, based_on: int
) -> BookVersion:
    """A whole book from a file at once (the command line). Raises: as :func:`put_in_force`."""
    require(actor, Permission.EDIT_BOOKS)
    body = form.encode(tables)
    written = await _write(services, form, body, based_on=based_on, source="import", note=note, author_id=actor.user_id)
    await _recount(services, form)
    return written


async def _recount(services: Services, form: BookForm) -> None:
    if form.kind is BookKind.POLICY:
        countries = {mall: manifest.country for mall, manifest in services.registry.manifests.items()}
        await recount(services.database, countries=countries, now=services.now(), most=_RECOUNTED_AT_ONCE)


async def _write(
    services: Services, form: BookForm, body: str, *, based_on: int, source: str, note: str, author_id: int | None
) -> BookVersion:
    note = " ".join("".join(char if char.isprintable() else " " for char in note).split())[:LONGEST_NOTE]
    if not note:
        what = "a change needs a note"
        raise ConfigurationError(what, fix="Write in a few words why the rule changes.")
    problems = form.find_problems(decode_book(form, body))
    if problems:
        raise ProblemsError(problems)
    written = await write_version(
        services.database,
        form.kind,
        body,
        based_on=based_on,
        source=source,
        now=services.now(),
        note=note,
        author_id=author_id,
    )
    await services.refresh_routing()
    return written


async def start_again_from(services: Services, form: BookForm, *, actor: Actor, version: int) -> None:
    """A draft that is an older version word for word, to be previewed and put in force as a new one.

    Raises: ForbiddenError; NotFoundError; UnfinishedError when the author has other changes waiting.
    """
    author_id = _author(actor)
    desk = await open_book(services, form, actor=actor)
    if desk.is_draft:
        raise UnfinishedError
    tables = await _tables_of(services, form, version)
    if not compare(desk.tables, tables):
        return
    await keep_draft(
        services.database,
        form.kind,
        form.encode(tables),
        author_id=author_id,
        based_on=desk.newest,
        now=services.now(),
    )


async def read_history(
    services: Services, kind: BookKind, *, actor: Actor, before: int | None = None
) -> tuple[VersionHead, ...]:
    """Newest first, at most PAGE. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    before = None if before is None else max(0, min(before, _LAST_VERSION))
    return tuple(await _heads(services, await list_versions(services.database, kind, before=before, limit=PAGE)))


async def read_change(services: Services, form: BookForm, *, actor: Actor, version: int) -> tuple[Book, Changes]:
    """One version and what it changed of the one before. Raises: ForbiddenError; NotFoundError."""
    book = await read_book(services, form, actor=actor, version=version)
    if book.version == 0:
        return book, Changes()
    before = await _tables_of(services, form, book.version - 1)
    return book, compare(before, book.tables)


async def _heads(services: Services, versions: Collection[BookVersion]) -> list[VersionHead]:
    names = await _names(services, {version.author_id for version in versions if version.author_id is not None})
    return [
        VersionHead(
            version=version.version,
            source=version.source,
            note=version.note,
            author=names.get(version.author_id) if version.author_id is not None else None,
            created_at=version.created_at,
        )
        for version in versions
    ]


async def _names(services: Services, ids: Collection[int]) -> dict[int, str]:
    if not ids:
        return {}
    query = select(users.c.id, users.c.name).where(users.c.id.in_(ids))
    async with services.database.reading() as connection:
        return {row.id: row.name for row in await connection.execute(query)}


async def count_versions(services: Services, *, actor: Actor) -> dict[BookKind, int]:
    """The number of the version in force of each kind that was ever written."""
    require(actor, Permission.WORK_CASES)
    query = select(rule_books.c.kind, func.max(rule_books.c.version)).group_by(rule_books.c.kind)
    async with services.database.reading() as connection:
        return {BookKind(kind): newest for kind, newest in await connection.execute(query)}


__all__ = [
    "Book",
    "DraftChangedError",
    "OpenBook",
    "OvertakenError",
    "ProblemsError",
    "UnfinishedError",
    "VersionHead",
    "catch_up",
    "count_versions",
    "decode_book",
    "discard",
    "keep",
    "open_book",
    "put_in_force",
    "read_book",
    "read_change",
    "read_history",
    "start_again_from",
    "write_whole",
]
