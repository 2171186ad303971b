"""Finds the row of headings below whatever stands above it, and gives the rows under it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from msgspec import Struct

from connectors.sheet.headings import folded, known_headings
from connectors.sheet.tables import Cell, Row, Table, open_table
from connectors.sheet.values import text
from hub.core.files import FileKind, Layout, UnreadableFileError, Upload

_SEARCHED: Final = 40
#: so many headings that are known are no accident
_FEW_HEADINGS: Final = 2
#: sheets that are looked into for the headings
_MOST_SHEETS: Final = 20
#: rows that the headings may take together
_MOST_HEAD_ROWS: Final = 3
#: a merged range longer than this is decoration
_LONGEST_MERGE: Final = 500
#: a row that adds up the others begins with one of these
_SUMS: Final = frozenset({"합계", "총계", "소계", "총합계", "合計", "総計", "total", "sum", "grandtotal"})


class Sheet(Struct, kw_only=True):
    """``headings`` by column, ``""`` where there is none, each other one once. ``rows``: number as a
    spreadsheet counts (from 1) and cells; blank rows, sums and repeated headings are left out.
    """

    table: Table
    header_row: int
    headings: tuple[str, ...]
    rows: Iterator[tuple[int, Row]]


class _Head(Struct, kw_only=True):
    """The best row of headings of one sheet, among its ``first`` rows."""

    table: Table
    first: list[Row]
    texts: list[list[str]]
    place: int
    score: int


def open_sheet(upload: Upload, layout: Layout | None) -> Sheet:
    """The sheet that the layout names, else the first that holds the headings.

    Raises: UnreadableFileError, also when none does.
    """
    table = open_table(
        upload.body, sheet=layout.sheet if layout else None, encoding=layout.encoding if layout else None
    )
    wanted = {folded(rule.heading) for rule in layout.columns} if layout is not None else None
    head = _head_of(table, upload.kind, wanted)
    enough = _FEW_HEADINGS if wanted is None else (len(wanted) + 1) // 2
    if head.score < enough:
        # Many a download begins with a page of notes.
        others = (_head_of(each, upload.kind, wanted) for each in islice(table.others, _MOST_SHEETS))
        head = max([head, *others], key=lambda each: each.score)
    if wanted is None and head.score < _FEW_HEADINGS:
        filled = [sum(map(bool, row)) >= _FEW_HEADINGS for row in head.texts]
        head.place, head.score = (filled.index(True), 1) if any(filled) else (0, 0)
    if not head.score:
        where = ", ".join(table.names[:_MOST_SHEETS]) or "the file"
        raise UnreadableFileError("no_headings", f"none of the first {_SEARCHED} rows of {where} holds the headings")
    place, texts = head.place, head.texts
    headings = _unique(texts[place])
    rows = _filled(chain(head.first[place + 1 :], head.table.rows), head.table, place + 1)
    heads = frozenset(folded(heading) for heading in texts[place] if heading)
    real = _real(rows, lambda row: _is_head_again(row, upload.kind, heads))
    return Sheet(table=head.table, header_row=place + 1, headings=headings, rows=real)


def _head_of(table: Table, kind: FileKind, wanted: set[str] | None) -> _Head:
    first = list(islice(table.rows, _SEARCHED))
    texts = _under_groups([[_heading(cell) for cell in row] for row in first], table)
    if wanted is not None:
        scores = [len({folded(cell) for cell in row if cell} & wanted) for row in texts]
    else:
        scores = [known_headings(kind, row) for row in texts]
    score = max(scores, default=0)
    return _Head(table=table, first=first, texts=texts, place=scores.index(score) if scores else 0, score=score)


def _under_groups(texts: list[list[str]], table: Table) -> list[list[str]]:
    """Headings in two rows: one that is merged over both stands in the lower one too, beside those of its group."""
    for column, top, bottom in table.merged:
        for number in range(top + 1, min(bottom, top + _MOST_HEAD_ROWS - 1) + 1):
            if number < len(texts) and column < min(len(texts[number]), len(texts[top])):
                texts[number][column] = texts[number][column] or texts[top][column]
    return texts


def _is_head_again(row: Row, kind: FileKind, heads: frozenset[str]) -> bool:
    """A row that says the headings once more, as at the top of each printed page or in another language below."""
    cells = [shown for cell in row if type(cell) is str and (shown := _heading(cell))]
    if not cells or (folded(cells[0]) not in heads and not known_headings(kind, cells[:1])):
        return False
    again = sum(folded(cell) in heads for cell in cells)
    return max(again, known_headings(kind, cells)) >= max(_FEW_HEADINGS + 1, len(cells) * 2 / 3)


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


def _real(rows: Iterator[tuple[int, Row]], is_head: Callable[[Row], bool]) -> Iterator[tuple[int, Row]]:
    for number, row in rows:
        first = next((cell for cell in row if cell is not None and cell != ""), None)
        if first is None:
            continue
        if type(first) is str:
            if not first.strip() and not any(text(cell) for cell in row):
                continue
            if len(first) < 12 and "".join(first.split()).casefold().rstrip(":") in _SUMS:
                continue
            if is_head(row):
                continue
        yield number, row
