"""Rows as an Excel file, made while it is sent: exactly the columns and rows of the list they come from.

The file is a ZIP of XML parts (ECMA-376, SpreadsheetML). Text stands in its cell and not in a table of its own, which
would have to be known whole; what is listed at last is written at last.
"""

import asyncio
import io
import math
import re
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

_EXACT: Final = 10**15
_LONGEST: Final = 32_767
#: Excel's own limit of one sheet, with one row for the headings; more go on in another sheet
MAX_ROWS: Final = 1_048_575
#: a part of a ZIP whose length is not known before stays below 2 GiB
_MAX_BYTES: Final = 1_500_000_000
_BATCH: Final = 500
_CHUNK: Final = 1 << 15
#: of nine: rows are much alike, and more than this costs time and saves little
_LEVEL: Final = 3
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS_TYPE: Final = "application/vnd.openxmlformats-package.relationships+xml"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_BEGIN: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_SHEET_END: Final = "</sheetData></worksheet>"
#: what XML cannot hold is written as the format's own escape, and so is text that looks like one
_NO_XML: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9A-Fa-f]{4}_)")
_NO_NAME: Final = re.compile(r"[\[\]:*?/\\]")


async def workbook_chunks(
    *, title: str, columns: Sequence[str], rows: AsyncIterator[Mapping[str, Any]]
) -> AsyncIterator[bytes]:
    """The file piece by piece; times are ISO 8601 with their offset.

    Text stays text: what looks like a formula or a link is neither.
    """
    writer = _Writer(title=title, columns=columns)
    batch: list[Mapping[str, Any]] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            # Writing and compressing are the long part, and others wait for the loop.
            if chunk := await asyncio.to_thread(writer.add, batch):
                yield chunk
            batch = []
    yield await asyncio.to_thread(writer.end, batch)


async def write_workbook(
    path: Path, *, title: str, columns: Sequence[str], rows: AsyncIterator[Mapping[str, Any]]
) -> int:
    """:func:`workbook_chunks` into a file; returns the number of rows."""
    number = 0

    async def counted() -> AsyncIterator[Mapping[str, Any]]:
        nonlocal number
        async for row in rows:
            number += 1
            yield row

    with path.open("wb") as file:
        async for chunk in workbook_chunks(title=title, columns=columns, rows=counted()):
            file.write(chunk)
    return number


async def as_mappings(rows: AsyncIterator[Struct]) -> AsyncIterator[dict[str, Any]]:
    async for row in rows:
        yield {name: getattr(row, name) for name in row.__struct_fields__}


class _Pieces(io.RawIOBase):
    """Takes what is written and gives it on; it cannot be wound back."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._held = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._held += len(piece)
        return len(piece)

    def take(self, *, at_least: int = 0) -> bytes:
        if self._held < at_least:
            return b""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        return taken


class _Writer:
    """One workbook; used by one thread at a time."""

    def __init__(self, *, title: str, columns: Sequence[str]) -> None:
        self._title = _NO_NAME.sub(" ", title)
        self._columns = tuple(columns)
        self._letters = [_letters(number) for number in range(len(columns))]
        self._pieces = _Pieces()
        self._zip = zipfile.ZipFile(self._pieces, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._sheets = 0
        self._sheet: IO[bytes] | None = None
        self._row = self._bytes = 0
        self._write_parts(_first_parts())

    def _write_parts(self, parts: Sequence[tuple[str, str]]) -> None:
        for name, text in parts:
            self._zip.writestr(name, _XML + text)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """What is ready to be sent; often nothing."""
        for row in rows:
            if self._row > MAX_ROWS or self._bytes > _MAX_BYTES:
                self._end_sheet()
            self._write([row.get(name) for name in self._columns])
        return self._pieces.take(at_least=_CHUNK)

    def end(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        self.add(rows)
        self._open_sheet()
        self._end_sheet()
        self._write_parts(_last_parts(self._title, self._sheets))
        self._zip.close()
        return self._pieces.take()

    def _open_sheet(self) -> IO[bytes]:
        if self._sheet is None:
            self._sheets += 1
            self._sheet = self._zip.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
            self._sheet.write(_SHEET_BEGIN.encode())
            self._row = self._bytes = 0
            self._put(self._sheet, self._columns)
        return self._sheet

    def _end_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.write(_SHEET_END.encode())
            self._sheet.close()
            self._sheet = None

    def _write(self, values: Sequence[Any]) -> None:
        self._put(self._open_sheet(), values)

    def _put(self, sheet: IO[bytes], values: Sequence[Any]) -> None:
        self._row += 1
        cells = [
            _cell(f"{letters}{self._row}", value)
            for letters, value in zip(self._letters, values, strict=True)
            if value is not None
        ]
        self._bytes += sheet.write(f'<row r="{self._row}">{"".join(cells)}</row>'.encode())


def _cell(place: str, value: Any) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < _EXACT:
        return f'<c r="{place}"><v>{value!r}</v></c>'
    if isinstance(value, datetime):
        value = value.isoformat().replace("+00:00", "Z")
    elif isinstance(value, date):
        value = value.isoformat()
    text = escape(_NO_XML.sub(_escaped, str(value)[:_LONGEST]))
    # Without the mark, blanks at the ends would be lost.
    kept = "" if text.strip() == text else ' xml:space="preserve"'
    return f'<c r="{place}" t="inlineStr"><is><t{kept}>{text}</t></is></c>'


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    return "_x005F_" if sign == "_" else "\ufffd" if "\ud800" <= sign <= "\udfff" else f"_x{ord(sign):04X}_"


def _letters(number: int) -> str:
    """A, B, …, Z, AA, …"""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _first_parts() -> list[tuple[str, str]]:
    """What the file is: programs look for it at its beginning."""
    return [
        (
            "[Content_Types].xml",
            (
                f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="{_RELATIONS_TYPE}"/>'
                f'<Default Extension="xml" ContentType="{_TYPE}.worksheet+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/></Types>'
            ),
        ),
        (
            "_rels/.rels",
            (
                f'<Relationships xmlns="{_RELATIONS}">'
                f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ),
        ),
    ]


def _last_parts(title: str, sheets: int) -> list[tuple[str, str]]:
    """What names the sheets."""
    numbers = range(1, sheets + 1)
    # Excel asks for names of up to 31 letters, each another.
    names = [quoteattr(f"{title[:25]} ({number})" if number > 1 else title[:31]) for number in numbers]
    book = "".join(
        f'<sheet name={name} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    return [
        (
            "xl/workbook.xml",
            (
                f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><bookViews><workbookView/></bookViews>'
                f"<sheets>{book}</sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_RELATIONS}">{links}</Relationships>'),
    ]
