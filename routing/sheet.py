"""Rows of plain cells out of a CSV or Excel file somebody uploaded. Hostile input: every cell is data.

Nothing is evaluated: a cell that looks like a formula is its text. Sizes are bounded before a file
is unpacked.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from hub.core.archive import MOST_COLUMNS, require_harmless
from hub.core.files import UnreadableFileError
from routing.words import tell_file_problem

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 512 * 1024 * 1024
MAX_ROWS: Final = 500_000
_MAX_EXACT_FLOAT: Final = 2**53
_DELIMITERS: Final = (",", "\t", ";")
_DELIMITER: Final = re.compile(r"[,\t;]")
_EXCEL_MARKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: Tried in this order where a file says nothing of its encoding and is no UTF-8.
_EAST_ASIAN: Final = ("cp949", "cp932")

_CRASH: Final = "PanicException"

Cell = str | date


class SheetError(Exception):
    """A file that cannot be read at all. ``key`` names the mistake in the table of sentences (``file.…``)."""

    def __init__(self, key: str, **words: str) -> None:
        self.key, self.words = key, words
        self.what, self.fix = self.told("en")
        super().__init__(self.what)

    def told(self, locale: str) -> tuple[str, str]:
        """What is wrong and what its owner can do, in the words of ``locale``."""
        return tell_file_problem(self.key, locale, **self.words)


class Sheet(Struct, frozen=True, kw_only=True):
    """Cells row by row, the first row of the file first. ``kind`` is the encoding of a CSV, or "excel"."""

    rows: tuple[tuple[Cell, ...], ...]
    kind: str


def read_sheet(data: bytes, *, words: frozenset[str]) -> Sheet:
    """Read the first filled sheet of an Excel file, or a CSV in UTF-8, UTF-16 with a mark, CP949 or Shift_JIS.

    ``words`` are the words expected in the file's head (no blanks, folded case); they tell the two
    East Asian encodings apart, which share most of their bytes. Dates of Excel stay dates.
    Raises: SheetError when the file cannot be read, is too large or protected.
    """
    if len(data) > MAX_BYTES:
        key = "bytes"
        raise SheetError(key, length=f"{len(data):,}", limit=f"{MAX_BYTES:,}")
    if data.startswith(_EXCEL_MARKS):
        return _bounded(Sheet(rows=_excel_rows(data), kind="excel"))
    text, encoding = _decode(data, words)
    return _bounded(Sheet(rows=_csv_rows(text), kind=encoding))


def _bounded(sheet: Sheet) -> Sheet:
    if len(sheet.rows) > MAX_ROWS:
        key = "rows"
        raise SheetError(key, length=f"{len(sheet.rows):,}", limit=f"{MAX_ROWS:,}")
    return sheet


def _excel_rows(data: bytes) -> tuple[tuple[Cell, ...], ...]:
    if data.startswith(b"PK"):
        _refuse_bomb(data)
    try:
        rows = _first_sheet(CalamineWorkbook.from_filelike(io.BytesIO(data)))
    except PasswordError as error:
        raise SheetError("password") from error
    except CalamineError as error:
        raise SheetError("no_excel") from error
    except BaseException as error:
        # The crash of the library is no Exception; a broken file must not end the program.
        if type(error).__name__ == _CRASH:
            raise SheetError("damaged") from error
        raise
    return tuple(tuple(_cell(value) for value in row) for row in rows)


def _first_sheet(workbook: CalamineWorkbook) -> list[list[Any]]:
    """The first one with anything in it, those that people see before the hidden ones."""
    sheets = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    sheets.sort(key=lambda each: each.visible != SheetVisibleEnum.Visible)
    for each in sheets:
        sheet = workbook.get_sheet_by_name(each.name)
        if sheet.height:
            return sheet.to_python(skip_empty_area=False)
    return []


def _refuse_bomb(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise SheetError("damaged") from error
    if unpacked > MAX_UNPACKED_BYTES:
        key = "unpacked"
        raise SheetError(key, length=f"{unpacked:,}", limit=f"{MAX_UNPACKED_BYTES:,}")
    try:
        require_harmless(data, most_rows=MAX_ROWS)
    except UnreadableFileError as error:
        # A cell in a far corner makes the library allocate all between: no memory would do.
        keys = {"too_many_rows": "area", "too_wide": "area", "not_a_table": "no_excel"}
        key = keys.get(error.code, "damaged")
        raise SheetError(key, rows=f"{MAX_ROWS:,}", columns=str(MOST_COLUMNS)) from error


def _cell(value: Any) -> Cell:
    """A cell as text, a whole number without its ".0", a date as a date."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT_FLOAT:
        return str(int(value))
    return str(value)


def _decode(data: bytes, words: frozenset[str]) -> tuple[str, str]:
    if data.startswith(b"\xef\xbb\xbf"):
        found = [*_decodings(data, ("utf-8-sig",))]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = [*_decodings(data, ("utf-16",))]
    else:
        found = [*_decodings(data, ("utf-8",))] or [*_decodings(data, _EAST_ASIAN)]
    if not found:
        raise SheetError("encoding")
    return max(found, key=lambda pair: _likeness(pair[0], words))


def _decodings(data: bytes, encodings: Sequence[str]) -> Iterator[tuple[str, str]]:
    for encoding in encodings:
        try:
            yield data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue


def _likeness(text: str, words: frozenset[str]) -> tuple[int, int]:
    """How much a decoding looks right: known words in the head, then script that people write."""
    sample = text[:20_000]
    head = sum(fold_word(cell) in words for cell in _DELIMITER.split(sample.partition("\n")[0]))
    # Hangul read as Shift_JIS turns into half-width katakana and rare ideographs; kana read as CP949
    # turns into rare hangul mixed with ideographs. Plain kana and hangul are what people type.
    natural = sum("\u3041" <= char <= "\u30fe" or "\uac00" <= char <= "\ud7a3" for char in sample)
    odd = sum("\uff61" <= char <= "\uff9f" or "\ue000" <= char <= "\uf8ff" for char in sample)
    return head, natural - 2 * odd


def fold_word(text: str) -> str:
    """A head or mode word without blanks, hyphens and case: "Seller SKU" and "seller_sku" are one word."""
    return "".join(char for char in text.casefold() if char.isalnum())


def _csv_rows(text: str) -> tuple[tuple[Cell, ...], ...]:
    lines = io.StringIO(text, newline="")
    delimiter = max(_DELIMITERS, key=lines.readline().count)
    lines.seek(0)
    rows: list[tuple[Cell, ...]] = []
    try:
        rows.extend(tuple(row) for row in csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        key = "csv"
        raise SheetError(key, number=str(len(rows) + 1), why=str(error)) from error
    return tuple(rows)
