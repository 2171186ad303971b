"""Looks into an .xlsx before anything unpacks it: size, entities, the area its sheets claim.

A spreadsheet library trusts a file. Two cells in opposite corners make it allocate the whole area, and
a few kilobytes can unpack to gigabytes; both are refused here, by reading the archive piece by piece.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from hub.core.files import UnreadableFileError

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_UNPACKED: Final = 400 * 1024 * 1024
MOST_ROWS: Final = 200_000
#: of one sheet; rows times columns is what a reader allocates, filled or not
MOST_COLUMNS: Final = 256
_MOST_CELLS: Final = 20_000_000
_MOST_PARTS: Final = 2_000
_PIECE: Final = 1 << 20
_BLANKS: Final = (b" ", b"\t", b"\n", b"\r")
_OVERLAP: Final = 512
#: an address beyond what a sheet may have, or wide enough to be counted; looked for in every piece
_FAR: Final = re.compile(rb'r="(?:[A-Za-z]{3}|[B-Zb-z][A-Za-z]\d|[A-Za-z]{1,2}(?:[2-9]\d{5}|\d{7}))')
_FAR_ROW: Final = re.compile(rb'row\s[^>]{0,400}?\br="([2-9]\d{5}|\d{7})')
_ADDRESS: Final = re.compile(rb'r="([A-Za-z]+)(\d+)')
#: more than a row's own number needs: it would stand where nobody looks
_LONG_ROW: Final = re.compile(rb"<(?:[\w.\-]{1,40}:)?row\s[^<>]{400}")
#: XML leaves writers more ways to spell an attribute than any program uses; the reader takes them all
_SPELT_OTHERWISE: Final = re.compile(rb"""\br\s*=\s*["']""")
_SIGNS_OF_IT: Final = tuple(b"=" + mark for mark in (b"'", *_BLANKS)) + tuple(mark + b"=" for mark in _BLANKS)
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")
_BOOK: Final = "xl/workbook.xml"
#: of the reader's other kinds of workbook, whose cells nobody looks at here
_OTHER_BOOKS: Final = frozenset({"content.xml", "xl/workbook.bin"})
_FROM_1904: Final = re.compile(rb'\bdate1904="(?:1|true)"')


class Nature(Struct, kw_only=True):
    """What was noticed on the way. ``counts_from_1904``: a day's number is 1,462 less than in other workbooks.

    ``is_marked``: one of the marks that were looked for stands in some part.
    """

    is_marked: bool = False
    counts_from_1904: bool = False


def require_harmless(body: bytes, *, marks: Sequence[bytes] = (), most_rows: int = MOST_ROWS) -> Nature:
    """``marks``: what to look for in every part.

    Raises: UnreadableFileError for an archive that is broken, no workbook, too big or up to something.
    """
    looked = _Look(marks=marks, most_rows=most_rows)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise UnreadableFileError("too_big", "the workbook unpacks to too much")
            names = {part.filename.lower() for part in parts}
            if _BOOK not in names or not names.isdisjoint(_OTHER_BOOKS):
                raise UnreadableFileError("not_a_table", "the archive holds no xlsx workbook")
            for part in parts:
                _read_part(archive, part, looked)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise UnreadableFileError("broken", "the archive is broken") from error
    return looked.nature


class _Look(Struct, kw_only=True):
    marks: Sequence[bytes]
    most_rows: int
    nature: Nature = msgspec.field(default_factory=Nature)


def _read_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, looked: _Look) -> None:
    """Unpack one part to its end: a size that the directory tells wrongly does not pass the checksum.

    Any part may be a sheet: what it is called is the sender's choice.
    """
    area = _Area(looked.most_rows)
    _read_pieces(archive, part, area, looked)
    if area.may_be_big:
        area.is_exact = True
        _read_pieces(archive, part, area, looked)


def _read_pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo, area: "_Area", looked: _Look) -> None:
    nature = looked.nature
    is_book = part.filename.lower() == _BOOK
    tail = b""
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            if not tail and piece.startswith(_UTF16):
                # Two bytes a character would hide everything that is looked for here.
                raise UnreadableFileError("hostile", "a part of the workbook is in UTF-16")
            piece = tail + piece
            if b"<!" in piece and any(each in piece for each in _DECLARATIONS):
                raise UnreadableFileError("hostile", "the workbook declares entities")
            area.see(piece)
            nature.is_marked = nature.is_marked or any(mark in piece for mark in looked.marks)
            nature.counts_from_1904 = nature.counts_from_1904 or (is_book and _FROM_1904.search(piece) is not None)
            tail = piece[-_OVERLAP:]


class _Area:
    """How wide and high one sheet is, as far as its cells are far out."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._rows = 0
        self._columns = 0
        self.is_exact = False

    @property
    def may_be_big(self) -> bool:
        return self._columns * self._most_rows > _MOST_CELLS

    def see(self, piece: bytes) -> None:
        if any(sign in piece for sign in _SIGNS_OF_IT):
            piece = _SPELT_OTHERWISE.sub(b'r="', piece)
        if _LONG_ROW.search(piece):
            raise UnreadableFileError("hostile", "a row of the sheet has attributes that no program writes")
        if any(int(row) > self._most_rows for row in _FAR_ROW.findall(piece)):
            raise UnreadableFileError("too_many_rows", f"the sheet has more than {self._most_rows:,} rows")
        if not self.is_exact and not _FAR.search(piece):
            return
        for letters, digits in _ADDRESS.findall(piece):
            column = 0
            for letter in letters.upper():
                column = column * 26 + letter - 64
            self._columns = max(self._columns, column)
            self._rows = max(self._rows, int(digits))
        if self._columns > MOST_COLUMNS:
            raise UnreadableFileError("too_wide", f"the sheet has more than {MOST_COLUMNS} columns")
        if self._rows > self._most_rows or self._rows * self._columns > _MOST_CELLS:
            raise UnreadableFileError("too_many_rows", f"the sheet has more than {self._most_rows:,} rows")
