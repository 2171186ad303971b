"""Looks into an .xlsx before anything unpacks it: size, entities, the area its sheets claim.

A spreadsheet library trusts a file. Two cells in opposite corners make it allocate the whole area, and
a few kilobytes can unpack to gigabytes; both are refused here, by reading the archive piece by piece.
"""

import io
import re
import zipfile
import zlib
from typing import Final

from msgspec import Struct

from connectors.sheet.formulas import MARKS
from hub.core.files import UnreadableFileError

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_UNPACKED: Final = 400 * 1024 * 1024
MOST_ROWS: Final = 200_000
#: of one sheet; rows times columns is what a reader allocates, filled or not
MOST_COLUMNS: Final = 256
_MOST_CELLS: Final = 20_000_000
_MOST_PARTS: Final = 2_000
_PIECE: Final = 1 << 20
_OVERLAP: Final = 512
#: an address beyond what a sheet may have, or wide enough to be counted; looked for in every piece
_FAR: Final = re.compile(rb'r="(?:[A-Z]{3}|[B-Z][A-Z]\d|[A-Z]{1,2}(?:[2-9]\d{5}|\d{7}))')
_FAR_ROW: Final = re.compile(rb'row\s[^>]{0,300}?\br="(?:[2-9]\d{5}|\d{7})')
_ADDRESS: Final = re.compile(rb'r="([A-Z]{1,7})(\d{1,9})"')
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")
_BOOK: Final = "xl/workbook.xml"
_FROM_1904: Final = re.compile(rb'\bdate1904="(?:1|true)"')


class Nature(Struct, kw_only=True):
    """What was noticed on the way. ``counts_from_1904``: a day's number is 1,462 less than in other workbooks."""

    has_bare_formulas: bool = False
    counts_from_1904: bool = False


def require_harmless(body: bytes) -> Nature:
    """Raises: UnreadableFileError for an archive that is broken, no workbook, too big or up to something."""
    nature = Nature()
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise UnreadableFileError("too_big", "the workbook unpacks to too much")
            if not any(part.filename.lower() == _BOOK for part in parts):
                raise UnreadableFileError("not_a_table", "the archive holds no xlsx workbook")
            for part in parts:
                _read_part(archive, part, nature)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise UnreadableFileError("broken", "the archive is broken") from error
    return nature


def _read_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, nature: Nature) -> None:
    """Unpack one part to its end: a size that the directory tells wrongly does not pass the checksum.

    Any part may be a sheet: what it is called is the sender's choice.
    """
    area = _Area()
    _read_pieces(archive, part, area, nature)
    if area.may_be_big:
        area.is_exact = True
        _read_pieces(archive, part, area, nature)


def _read_pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo, area: "_Area", nature: Nature) -> None:
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
            nature.has_bare_formulas = nature.has_bare_formulas or any(mark in piece for mark in MARKS)
            nature.counts_from_1904 = nature.counts_from_1904 or (is_book and _FROM_1904.search(piece) is not None)
            tail = piece[-_OVERLAP:]


class _Area:
    """How wide and high one sheet is, as far as its cells are far out."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns = 0
        self.is_exact = False

    @property
    def may_be_big(self) -> bool:
        return self._columns * MOST_ROWS > _MOST_CELLS

    def see(self, piece: bytes) -> None:
        if _FAR_ROW.search(piece):
            raise UnreadableFileError("too_many_rows", f"the sheet has more than {MOST_ROWS:,} rows")
        if not self.is_exact and not _FAR.search(piece):
            return
        for letters, digits in _ADDRESS.findall(piece):
            column = 0
            for letter in letters:
                column = column * 26 + letter - 64
            self._columns = max(self._columns, column)
            self._rows = max(self._rows, int(digits))
        if self._columns > MOST_COLUMNS:
            raise UnreadableFileError("too_wide", f"the sheet has more than {MOST_COLUMNS} columns")
        if self._rows > MOST_ROWS or self._rows * self._columns > _MOST_CELLS:
            raise UnreadableFileError("too_many_rows", f"the sheet has more than {MOST_ROWS:,} rows")
