"""Tables of HTML and of the XML spreadsheets of 2003: what many an admin downloads under the name of .xls.

Source: the HTML table model (spans), Microsoft's XML Spreadsheet reference (ss:Index, ss:MergeAcross);
confidence: sure.
"""

from html.parser import HTMLParser
from typing import Final

from hub.core.archive import MOST_COLUMNS, MOST_ROWS
from hub.core.files import UnreadableFileError

Cells = list[str | None]
_ROWS: Final = frozenset({"tr", "row"})
_CELLS: Final = frozenset({"td", "th", "cell"})
#: spans make many cells of few bytes
_MOST_CELLS: Final = 10_000_000


class PageTables(HTMLParser):
    """Cells of the table with most rows. A cell that spans rows stands in each of them, in its first column."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._tables: list[list[Cells]] = []
        self._cell: list[str] | None = None
        self._in_row = False
        self._made = 0
        #: of the cell being read: rows below it that it spans, and columns beside it
        self._below = 0
        self._beside = 0
        #: of the newest table: column -> rows still to come and what stands in them
        self._hanging: dict[int, tuple[int, str]] = {}

    @classmethod
    def rows_of(cls, text: str) -> list[Cells]:
        parser = cls()
        parser.feed(text)
        parser.close()
        parser._end_row()
        return max(parser._tables, key=len, default=[])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._end_row()
            self._hanging = {}
            self._tables.append([])
        elif not self._tables:
            return
        elif tag in _ROWS:
            self._end_row()
            if len(self._tables[-1]) >= MOST_ROWS:
                raise UnreadableFileError("too_many_rows", f"the page has more than {MOST_ROWS:,} rows")
            self._tables[-1].append([])
            self._in_row = True
        elif tag in _CELLS:
            self._begin_cell(dict(attrs))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _CELLS:
            self._end_cell()
        elif tag in _ROWS or tag == "table":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _begin_cell(self, attrs: dict[str, str | None]) -> None:
        self._end_cell()
        self._cell = []
        self._below = _count(attrs.get("rowspan"), less=1) or _count(attrs.get("ss:mergedown"))
        self._beside = _count(attrs.get("colspan"), less=1) or _count(attrs.get("ss:mergeacross"))
        rows = self._tables[-1]
        if rows:
            # An XML row leaves out empty cells and numbers the next one.
            rows[-1] += [None] * (min(_count(attrs.get("ss:index"), less=1), MOST_COLUMNS) - len(rows[-1]))

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        rows = self._tables[-1] if self._tables else []
        self._fill()
        if rows and len(rows[-1]) < MOST_COLUMNS:
            told = "".join(self._cell).strip()
            if self._below:
                self._hanging[len(rows[-1])] = (self._below + 1, told)
            rows[-1] += [told, *[None] * min(self._beside, MOST_COLUMNS - len(rows[-1]) - 1)]
        self._cell = None

    def _fill(self) -> None:
        """What hangs down from the rows above into the next places of this row."""
        row = self._tables[-1][-1] if self._tables and self._tables[-1] else None
        while row is not None and len(row) in self._hanging and len(row) < MOST_COLUMNS:
            row.append(self._hanging[len(row)][1])

    def _end_row(self) -> None:
        self._end_cell()
        if not self._in_row:
            return
        self._in_row = False
        self._fill()
        self._made += len(self._tables[-1][-1])
        if self._made > _MOST_CELLS:
            raise UnreadableFileError("too_many_rows", f"the page has more than {_MOST_CELLS:,} cells")
        self._hanging = {place: (rows - 1, told) for place, (rows, told) in self._hanging.items() if rows > 1}


def _count(written: str | None, *, less: int = 0) -> int:
    """A span as a number of further cells, at most as many as a sheet may have."""
    digits = (written or "").strip()[:6]
    return min(max(0, int(digits) - less), MOST_ROWS) if digits.isascii() and digits.isdecimal() else 0
