"""Finds the row of headings below whatever stands above it, and gives the rows under it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from msgspec import Struct

from connectors.sheet.headings import folded, known_headings
from connectors.sheet.tables import Cell, Row, Table, open_table
from connectors.sheet.values import text
from hub.core.files import Layout, UnreadableFileError, Upload

_SEARCHED: Final = 40
#: a merged range longer than this is decoration
_LONGEST_MERGE: Final = 500
#: a row that adds up the others begins with one of these
_SUMS: Final = frozenset({"합계", "총계", "소계", "총합계", "合計", "総計", "total", "sum", "grandtotal"})


class Sheet(Struct, kw_only=True):
    """``headings`` by column, ``""`` where there is none, each other one once. ``rows``: number as a
    spreadsheet counts (from 1) and cells; blank rows and sums are left out.
    """

    table: Table
    header_row: int
    headings: tuple[str, ...]
    rows: Iterator[tuple[int, Row]]


def open_sheet(upload: Upload, layout: Layout | None) -> Sheet:
    """Raises: UnreadableFileError, also when no row looks like headings."""
    table = open_table(
        upload.body, sheet=layout.sheet if layout else None, encoding=layout.encoding if layout else None
    )
    first = list(islice(table.rows, _SEARCHED))
    texts = [[_heading(cell) for cell in row] for row in first]
    if layout is not None:
        wanted = {folded(rule.heading) for rule in layout.columns}
        scores = [len({folded(cell) for cell in row if cell} & wanted) for row in texts]
    else:
        scores = [known_headings(upload.kind, row) for row in texts]
        if max(scores, default=0) < 2:
            scores = [1 if sum(map(bool, row)) >= 2 else 0 for row in texts]
    if not any(scores):
        raise UnreadableFileError("no_headings", "no row of the file holds the headings")
    place = scores.index(max(scores))
    rows = _filled(chain(first[place + 1 :], table.rows), table, place + 1)
    return Sheet(table=table, header_row=place + 1, headings=_unique(texts[place]), rows=_real(rows))


def _heading(cell: Cell) -> str:
    return " ".join((text(cell) or "").split())[:100]


def _unique(headings: Sequence[str]) -> tuple[str, ...]:
    """The second column of a name is "name (2)"."""
    met: Counter[str] = Counter()
    found = []
    for heading in headings:
        met[heading] += 1
        found.append(f"{heading} ({met[heading]})" if heading and met[heading] > 1 else heading)
    return tuple(found)


def _filled(rows: Iterator[Row], table: Table, start: int) -> Iterator[tuple[int, Row]]:
    """Rows with their number; cells of a vertically merged range all have its value."""
    below: dict[int, list[int]] = defaultdict(list)
    for column, top, bottom in table.merged:
        if bottom - top <= _LONGEST_MERGE and top >= start:
            for number in range(top + 1, bottom + 1):
                below[number].append(column)
    above: Row = ()
    for number, row in enumerate(rows, start=start):
        columns = below.get(number)
        if columns:
            cells = list(row)
            for column in columns:
                if column < min(len(cells), len(above)):
                    cells[column] = above[column]
            row = cells
        above = row
        yield number + 1, row


def _real(rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    for number, row in rows:
        first = next((cell for cell in row if cell is not None and cell != ""), None)
        if first is None:
            continue
        if type(first) is str:
            if not first.strip() and not any(text(cell) for cell in row):
                continue
            if len(first) < 12 and "".join(first.split()).casefold().rstrip(":") in _SUMS:
                continue
        yield number, row
