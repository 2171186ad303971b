"""Bytes to rows of plain cells: .xlsx, .xls, pages that call themselves .xls, and text in any usual encoding.

Every file is somebody's upload. Nothing is evaluated: a formula is the value that stands in its cell.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from msgspec import Struct
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from connectors.sheet.formulas import MARKS, with_errors_as_text
from connectors.sheet.pages import PageTables
from hub.core.archive import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, require_harmless
from hub.core.files import UnreadableFileError

Cell = str | int | float | bool | datetime | date | time | timedelta | None
Row = Sequence[Cell]

ENCODINGS: Final = ("utf-8-sig", "utf-16", "cp949", "cp932")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A workbook with a password is packed in the old container under this name (UTF-16).
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_CRASH: Final = "PanicException"
_DELIMITERS: Final = (",", "\t", ";", "|")
_HEAD: Final = 1 << 16
#: fewer of them in a line of a letter are no sign of anything
_FEWEST_DELIMITERS: Final = 5
#: one byte in so many, at least, is the zero of a digit, a comma or a line's end in text of two bytes a character
_FEWEST_ZEROS: Final = 40
_PAGE: Final = re.compile(
    r"\s*(?:<\?[^>]*>\s*)*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|table|meta|head|style|(?:ss:)?workbook)\b",
    re.IGNORECASE,
)

# A cell is bounded by the file alone; the library's own bound would end the whole file at one long cell.
csv.field_size_limit(MOST_BYTES)


class Table(Struct, kw_only=True):
    """One sheet. ``height``: how many rows, nearly. ``encoding`` is ``None`` for workbooks. ``merged``:
    column, first and last row of each vertically merged range, counted from 0 as the rows are.
    ``others`` opens the further sheets with anything in them, those that people see first.
    """

    name: str
    names: tuple[str, ...]
    encoding: str | None
    rows: Iterator[Row]
    height: int
    merged: tuple[tuple[int, int, int], ...] = ()
    counts_from_1904: bool = False
    others: Iterator["Table"] = iter(())


def open_table(body: bytes, *, sheet: str | None = None, encoding: str | None = None) -> Table:
    """The sheet of that name, else the first visible one with anything in it.

    Raises: UnreadableFileError when the file is no table, has a password, is too big, or cannot be
    decoded without a loss.
    """
    if not body.strip():
        raise UnreadableFileError("empty", "the file is empty")
    if len(body) > MOST_BYTES:
        raise UnreadableFileError("too_big", f"the file has more than {MOST_BYTES:,} bytes")
    if body.startswith(_ZIP):
        nature = require_harmless(body, marks=MARKS)
        if nature.is_marked:
            body = with_errors_as_text(body)
        return _workbook(body, sheet, counts_from_1904=nature.counts_from_1904)
    if body.startswith(_OLE):
        if _ENCRYPTED in body:
            raise UnreadableFileError("password", "the workbook has a password")
        return _workbook(body, sheet)
    text, found = decode(body, encoding)
    if _PAGE.match(text[:_HEAD]):
        rows = PageTables.rows_of(text)
        return Table(name="HTML", names=("HTML",), encoding=found, rows=iter(rows), height=len(rows))
    if "\0" in text[:_HEAD]:
        raise UnreadableFileError("not_a_table", "the file is no text and no workbook")
    return Table(name="", names=(), encoding=found, rows=_text_rows(text), height=text.count("\n"))


def _workbook(body: bytes, wanted: str | None, *, counts_from_1904: bool = False) -> Table:
    tables = _tables(body, wanted, counts_from_1904=counts_from_1904)
    first = next(tables, None)
    if first is None:
        raise UnreadableFileError("empty", "no sheet has a cell with anything in it")
    first.others = tables
    return first


def _tables(body: bytes, wanted: str | None, *, counts_from_1904: bool) -> Iterator[Table]:
    """The sheets with anything in them, opened one by one; only the ``wanted`` one if that is named."""
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(body))
        names = tuple(book.sheet_names)
        for name in _seen_first(book) if wanted is None else _only(wanted, names):
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                table = _table_of(sheet, names)
                table.counts_from_1904 = counts_from_1904
                yield table
    except PasswordError as error:
        raise UnreadableFileError("password", "the workbook has a password") from error
    except CalamineError as error:
        raise UnreadableFileError("broken", "the workbook is broken") from error
    except BaseException as error:
        # The crash of the library is no Exception; a broken file must not end the program.
        if type(error).__name__ == _CRASH:
            raise UnreadableFileError("broken", "the workbook is broken") from error
        raise


def _only(wanted: str, names: Sequence[str]) -> list[str]:
    if wanted not in names:
        raise UnreadableFileError("no_such_sheet", "the workbook has no sheet of that name")
    return [wanted]


def _seen_first(book: CalamineWorkbook) -> list[str]:
    """Sheets with cells, the hidden ones last: they hold what a program needs, not what a person looks for."""
    sheets = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    sheets.sort(key=lambda each: each.visible != SheetVisibleEnum.Visible)
    return [each.name for each in sheets]


def _table_of(sheet: CalamineSheet, names: tuple[str, ...]) -> Table:
    if sheet.total_height > MOST_ROWS:
        raise UnreadableFileError("too_many_rows", f"the sheet has more than {MOST_ROWS:,} rows")
    merged = sheet.merged_cell_ranges or ()
    ranges = tuple((top[1], top[0], bottom[0]) for top, bottom in merged if bottom[0] > top[0])
    return Table(
        name=sheet.name,
        names=names,
        encoding=None,
        rows=iter(sheet.iter_rows()),
        height=sheet.total_height,
        merged=ranges,
    )


# text


def decode(body: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text and its encoding, without a single replaced character.

    Raises: UnreadableFileError when ``encoding``, or every one that is tried, does not fit.
    """
    if encoding is not None:
        text = _strictly(body, encoding)
        if text is None:
            raise UnreadableFileError("wrong_encoding", f"the file is not in {encoding[:20]}")
        return text, encoding
    if _wide(body) and (text := _strictly(body, "utf-16")) is not None:
        return text, "utf-16"
    if (text := _strictly(body, "utf-8-sig")) is not None:
        return text, "utf-8-sig"
    found = [(plain, name) for name in ("cp949", "cp932") if (plain := _strictly(body, name)) is not None]
    if not found:
        raise UnreadableFileError("wrong_encoding", "the file is in no encoding that is tried")
    return max(found, key=lambda pair: _plausible(pair[0], pair[1]))


def _strictly(body: bytes, encoding: str) -> str | None:
    if encoding not in ENCODINGS:
        return None
    try:
        return body.decode((encoding == "utf-16" and _wide(body)) or encoding)
    except UnicodeDecodeError:
        return None


def _wide(body: bytes) -> str | None:
    """The codec of two bytes a character, by the mark at the start or by where the zeros of digits and commas stand."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = body[:_HEAD]
    for codec, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        is_mostly_there = zeros.count(0) * _FEWEST_ZEROS > len(head) and zeros.count(0) > 4 * others.count(0)
        if is_mostly_there and any(mark in others for mark in b"\n,;\t"):
            return codec
    return None


def _plausible(text: str, encoding: str) -> float:
    """How much of the foreign text is what people of that encoding write, 0..1.

    Korean bytes read as Japanese give half-width katakana; Japanese bytes read as Korean give syllables
    that the 2,350 everyday ones of KS X 1001 do not hold.
    """
    foreign = [char for char in text[:_HEAD] if char > "\x7f"]
    if not foreign:
        return 1.0
    if encoding == "cp932":
        return sum(not "｡" <= char <= "ﾟ" for char in foreign) / len(foreign)
    return sum(_is_everyday(char) for char in foreign) / len(foreign)


def _is_everyday(char: str) -> bool:
    if not ("가" <= char <= "힣" or char in "·…“”‘’₩원~→※"):
        # Kana and rare ideographs are in KS X 1001 too, and prove nothing.
        return False
    # The codec spells the syllables beyond those 2,350 out in eight bytes.
    return len(char.encode("euc_kr", "replace")) == 2 if char > "\u0fff" else True


def _is_of_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a line in a cell is as long as a row, swallowed by an open quotation mark. Letters have few commas."""
    least = max(width - 1, _FEWEST_DELIMITERS)
    return any(line.count(delimiter) >= least for line in cell.splitlines()[1:])


def _text_rows(text: str) -> Iterator[Row]:
    head = text[:_HEAD].splitlines()[:50]
    delimiter = max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in head))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    width = lines = 0
    try:
        for number, row in enumerate(reader, start=1):
            if number > MOST_ROWS:
                raise UnreadableFileError("too_many_rows", f"the file has more than {MOST_ROWS:,} rows")
            width = max(width, len(row))
            # Few rows take more than one line, and only they can have swallowed another.
            if reader.line_num > lines + 1 and any(_is_of_rows(cell, delimiter, width) for cell in row):
                what = f"a cell of row {number} holds whole rows: its quotation mark is not closed"
                raise UnreadableFileError("open_quote", what)
            lines = reader.line_num
            yield row[:MOST_COLUMNS]
    except csv.Error as error:
        raise UnreadableFileError("broken", "the text is no table") from error
