"""One row of a book: added, changed, ended, removed, moved; always in the author's draft."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.core.book_problem import Problem
from hub.desk.access import Actor, Permission, require
from hub.desk.books.books import OpenBook, keep, open_book
from hub.desk.books.fields import FieldError, fields_of, read_cell, row_code, sections_of
from hub.desk.books.forms import BookForm
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services

MOST_ROWS: Final = 5_000
_DAY: Final = timedelta(days=1)


class TypedError(Struct, frozen=True, kw_only=True):
    """What cannot be read of one field: the message ``book.wrong.<key>`` with its words."""

    field: str
    key: str
    words: Mapping[str, object]


class RowRefusedError(Exception):
    """The row is not kept. ``typed``: what cannot be read; else ``here`` and ``elsewhere``: what would be wrong."""

    def __init__(
        self,
        *,
        typed: tuple[TypedError, ...] = (),
        here: tuple[Problem, ...] = (),
        elsewhere: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__("the row is not kept")
        self.typed = typed
        self.here = here
        self.elsewhere = elsewhere


class RowGoneError(Exception):
    """The row that the form was about is not there any more: it was changed or removed meanwhile."""


def row_type(form: BookForm, section: str) -> type[Struct]:
    """Raises: NotFoundError for a section that this kind of book does not have."""
    found = sections_of(form.tables).get(section)
    if found is None:
        raise NotFoundError
    return found


def row_stamp(row: Any) -> str:
    """Names one content of a row, so that a form changes what it showed and nothing else."""
    return hashlib.sha256(row_code(row)).hexdigest()[:16]


def read_row(
    row: type[Struct], values: Mapping[str, str], *, meanings: Mapping[str, Mapping[str, str]] | None = None
) -> Any:
    """The row that was typed, field by field; ``meanings`` of a field are folded words for its codes.

    Raises: RowRefusedError naming every field that cannot be read.
    """
    read: dict[str, Any] = {}
    wrong = []
    for field in fields_of(row):
        try:
            read[field.name] = read_cell(field, values.get(field.name, ""), meanings=(meanings or {}).get(field.name))
        except FieldError as error:
            wrong.append(TypedError(field=field.name, key=error.key, words=error.words))
    if wrong:
        raise RowRefusedError(typed=tuple(wrong))
    return row(**read)


async def save_row(
    services: Services,
    form: BookForm,
    *,
    actor: Actor,
    section: str,
    values: Mapping[str, str],
    was: str = "",
    near: int = 0,
    place: int | None = None,
    even_so: bool = False,
) -> int:
    """Add a row (``was`` empty) or change the one that had the stamp ``was`` and stood at ``near``.

    ``place`` is where it shall stand, from 0; absent: where it is, a new one last. ``even_so`` keeps a
    row that makes the book wrong; such a draft cannot be put in force. Returns the row's place.
    Raises: ForbiddenError; NotFoundError; RowRefusedError; RowGoneError; DraftChangedError.
    """
    require(actor, Permission.EDIT_BOOKS)
    new = read_row(row_type(form, section), values)
    book = await open_book(services, form, actor=actor)
    rows = list(getattr(book.tables, section))
    if was:
        at = _find(rows, was, near)
        rows.pop(at)
        place = at if place is None else place
    elif len(rows) >= MOST_ROWS:
        too_many = TypedError(field="", key="too_many_rows", words={"most": f"{MOST_ROWS:,}"})
        raise RowRefusedError(typed=(too_many,))
    at = len(rows) if place is None else max(0, min(place, len(rows)))
    rows.insert(at, new)
    tables = msgspec.structs.replace(book.tables, **{section: tuple(rows)})
    if not even_so:
        _refuse_new_problems(form, book, tables, section=section, row=at)
    await keep(services, form, tables, actor=actor, on=book)
    return at


def _find(rows: list[Any], was: str, near: int) -> int:
    if 0 <= near < len(rows) and row_stamp(rows[near]) == was:
        return near
    found = next((place for place, row in enumerate(rows) if row_stamp(row) == was), None)
    if found is None:
        raise RowGoneError
    return found


def _refuse_new_problems(form: BookForm, book: OpenBook, tables: Any, *, section: str, row: int) -> None:
    """What was wrong before may stay; nothing may become wrong. Places shift, so kinds of problems are counted."""
    before = Counter((each.section, each.column, each.key) for each in book.problems)
    problems = form.find_problems(tables)
    after = Counter((each.section, each.column, each.key) for each in problems)
    grown = {kind for kind, count in after.items() if count > before[kind]}
    new = [each for each in problems if (each.section, each.column, each.key) in grown]
    if new:
        here = tuple(each for each in new if each.section == section and each.row == row)
        raise RowRefusedError(here=here, elsewhere=tuple(each for each in new if each not in here))


async def remove_row(services: Services, form: BookForm, *, actor: Actor, section: str, was: str, near: int) -> None:
    """Raises: ForbiddenError; NotFoundError; RowGoneError; DraftChangedError."""
    require(actor, Permission.EDIT_BOOKS)
    row_type(form, section)
    book = await open_book(services, form, actor=actor)
    rows = list(getattr(book.tables, section))
    rows.pop(_find(rows, was, near))
    tables = msgspec.structs.replace(book.tables, **{section: tuple(rows)})
    await keep(services, form, tables, actor=actor, on=book)


async def end_row(
    services: Services, form: BookForm, *, actor: Actor, section: str, was: str, near: int, last_day: date
) -> None:
    """Let a row hold up to and including ``last_day``.

    Raises: ForbiddenError; NotFoundError for rows without an end; RowRefusedError when it would end
    before it begins; RowGoneError; DraftChangedError.
    """
    require(actor, Permission.EDIT_BOOKS)
    if not can_end(row_type(form, section)):
        raise NotFoundError
    book = await open_book(services, form, actor=actor)
    rows = list(getattr(book.tables, section))
    at = _find(rows, was, near)
    begins = getattr(rows[at], "valid_from", None)
    if begins is not None and last_day < begins:
        words = {"begins": begins.isoformat(), "before": (begins - _DAY).isoformat()}
        raise RowRefusedError(typed=(TypedError(field="valid_to", key="ends_early", words=words),))
    rows[at] = msgspec.structs.replace(rows[at], valid_to=last_day)
    tables = msgspec.structs.replace(book.tables, **{section: tuple(rows)})
    await keep(services, form, tables, actor=actor, on=book)


def can_end(row: type[Struct]) -> bool:
    return "valid_to" in row.__struct_fields__
