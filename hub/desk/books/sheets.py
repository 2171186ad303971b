"""A section of a book as rows of a spreadsheet, out and in: the whole section, with every wrong cell named."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.core.book_problem import Problem
from hub.desk.access import Actor, Permission, require
from hub.desk.books.books import keep, open_book
from hub.desk.books.changes import RowChange, compare_rows
from hub.desk.books.fields import Field, cell_text, fields_of
from hub.desk.books.forms import BookForm
from hub.desk.books.rows import MOST_ROWS, RowRefusedError, TypedError, read_row, row_type
from hub.desk.services import Services
from routing.sheet import Cell, SheetError, fold_word, read_sheet

MOST_BYTES: Final = 10 * 1024 * 1024
_SEARCHED_HEAD: Final = 10
_MOST_SHOWN: Final = 200


class CellError(Struct, frozen=True, kw_only=True):
    """One cell that cannot be read. ``row`` counts from 1 as a spreadsheet does; ``typed`` says what is wrong."""

    row: int
    typed: TypedError


class SheetRead(Struct, frozen=True, kw_only=True):
    """What a file says about a section. ``rows`` is empty when ``errors`` is not: nothing is half read.

    ``ignored`` are headings that name no field. ``total`` counts the errors, of which some are listed.
    """

    rows: tuple[Any, ...] = ()
    errors: tuple[CellError, ...] = ()
    total: int = 0
    ignored: tuple[str, ...] = ()


class SheetKept(Struct, frozen=True, kw_only=True):
    """What became of an import: errors and nothing kept, or the changes that now stand in the draft."""

    read: SheetRead
    changes: tuple[RowChange, ...] = ()
    problems: tuple[Problem, ...] = ()


def sheet_rows(rows: Sequence[Any], row: type[Struct]) -> Iterator[dict[str, str]]:
    """Every row as text by field; :func:`read_section` reads the same rows back."""
    for each in rows:
        yield {field.name: cell_text(getattr(each, field.name)) for field in fields_of(row)}


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet program runs: what looks like a formula gets an apostrophe before it."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdecimal()


def read_section(
    data: bytes, row: type[Struct], *, headings: Mapping[str, str], meanings: Mapping[str, Mapping[str, str]]
) -> SheetRead:
    """Rows of a CSV, xlsx or xls file.

    ``headings`` are folded words for fields beside the fields' own names, ``meanings`` by field folded words for
    its codes. Raises: SheetError when the file cannot be read as a table, or names none of the fields it must.
    """
    fields = {field.name: field for field in fields_of(row)}
    words = {fold_word(name): name for name in fields} | {
        fold_word(word): name for word, name in headings.items() if name in fields
    }
    if len(data) > MOST_BYTES:
        key = "bytes"
        raise SheetError(key, length=f"{len(data):,}", limit=f"{MOST_BYTES:,}")
    sheet = read_sheet(data, words=frozenset(words))
    head = _head(sheet.rows, words)
    if head is None:
        key = "no_head"
        raise SheetError(key, known=", ".join(fields))
    columns, ignored = _columns(sheet.rows[head], words)
    missing = [name for name, field in fields.items() if field.is_required and name not in columns.values()]
    if missing:
        key = "columns_missing"
        raise SheetError(key, names=", ".join(missing))
    return _read_rows(sheet.rows, head, columns, row, fields, meanings, ignored)


def _head(rows: Sequence[Sequence[Cell]], words: Mapping[str, str]) -> int | None:
    """The one of the first rows that names the most fields."""
    named = [sum(_word(cell) in words for cell in cells) for cells in rows[:_SEARCHED_HEAD]]
    most = max(named, default=0)
    return named.index(most) if most else None


def _word(cell: Cell) -> str:
    return fold_word(cell) if isinstance(cell, str) else ""


def _columns(cells: Sequence[Cell], words: Mapping[str, str]) -> tuple[dict[int, str], tuple[str, ...]]:
    columns: dict[int, str] = {}
    ignored = []
    for place, cell in enumerate(cells):
        name = words.get(_word(cell))
        if name is None:
            ignored += [str(cell).strip()[:40]] if str(cell).strip() else []
        elif name in columns.values():
            key = "column_twice"
            raise SheetError(key, name=name)
        else:
            columns[place] = name
    return columns, tuple(ignored[:20])


def _read_rows(
    rows: Sequence[Sequence[Cell]],
    head: int,
    columns: Mapping[int, str],
    row: type[Struct],
    fields: Mapping[str, Field],
    meanings: Mapping[str, Mapping[str, str]],
    ignored: tuple[str, ...],
) -> SheetRead:
    read: list[Any] = []
    errors: list[CellError] = []
    for number, cells in enumerate(rows[head + 1 :], head + 2):
        values = {name: _text(cells[place]) for place, name in columns.items() if place < len(cells)}
        if not any(text.strip() for text in values.values()):
            continue
        if len(read) >= MOST_ROWS:
            key = "rows_by_hand"
            raise SheetError(key, limit=f"{MOST_ROWS:,}")
        try:
            read.append(read_row(row, {name: values.get(name, "") for name in fields}, meanings=meanings))
        except RowRefusedError as refused:
            errors += [CellError(row=number, typed=typed) for typed in refused.typed]
    if errors:
        return SheetRead(errors=tuple(errors[:_MOST_SHOWN]), total=len(errors), ignored=ignored)
    return SheetRead(rows=tuple(read), ignored=ignored)


def _text(cell: Cell) -> str:
    if not isinstance(cell, str):
        return cell.isoformat()
    # What an export has made safe is itself again.
    return cell[1:] if cell[:1] == "'" and safe_cell(cell[1:]) == cell else cell


async def import_section(
    services: Services,
    form: BookForm,
    *,
    actor: Actor,
    section: str,
    data: bytes,
    headings: Mapping[str, str],
    meanings: Mapping[str, Mapping[str, str]],
) -> SheetKept:
    """Make the rows of a file the whole section of the author's draft; nothing, when a cell cannot be read.

    Raises: ForbiddenError; NotFoundError; SheetError; DraftChangedError.
    """
    require(actor, Permission.EDIT_BOOKS)
    read = read_section(data, row_type(form, section), headings=headings, meanings=meanings)
    if read.errors:
        return SheetKept(read=read)
    book = await open_book(services, form, actor=actor)
    before = getattr(book.tables, section)
    tables = msgspec.structs.replace(book.tables, **{section: read.rows})
    await keep(services, form, tables, actor=actor, on=book)
    problems = tuple(each for each in form.find_problems(tables) if each.section == section)
    return SheetKept(read=read, changes=tuple(compare_rows(section, before, read.rows)), problems=problems)
