"""A stored row by today's layout, without its file."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from connectors.sheet.mapping import RowReader, Terms
from connectors.sheet.reading import SENTENCES, missing_fields
from hub.core.contract import Feed, Reading
from hub.core.files import FileKind, FileRow, Layout, RowProblem

_KINDS: Final = {
    Feed.ORDERS: (FileKind.ORDERS, FileKind.CLAIMS),
    Feed.CLAIMS: (FileKind.CLAIMS, FileKind.ORDERS),
    Feed.INQUIRIES: (FileKind.INQUIRIES,),
}
#: rows of one order that look alike are told apart by their count
_MOST_ALIKE: Final = 200
_NO_FILE: Final = "no row of a file that a layout reads: upload the file again"
_rows = msgspec.json.Decoder(dict[str, Any])


class Remapper:
    """``layouts``: one of each kind of file at most."""

    def __init__(self, layouts: Iterable[Layout], *, terms: Terms, unknown: Counter[str]) -> None:
        self._layouts = {layout.kind: layout for layout in layouts}
        self._terms = terms
        self._unknown = unknown

    def read(self, feed: Feed, key: str, raw: bytes) -> Reading:
        """The row in the first kind of file that gives it its key; else what its problem is there."""
        try:
            cells = _rows.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Reading(key=key, raw=raw, error=_NO_FILE)
        problem: RowProblem | None = None
        for kind in _KINDS[feed]:
            layout = self._layouts.get(kind)
            if layout is None or missing_fields(layout, tuple(cells)):
                continue
            row = self._row(layout, key, cells)
            if row.problem is None:
                if row.key == key or key.startswith("row-"):
                    return Reading(key=row.key, raw=raw, record=row.record)
                if row.key == key.rpartition("#")[0]:
                    # The file holds this line twice, with other content.
                    problem = RowProblem(code="repeated", row=row.row)
            problem = problem or row.problem
        return Reading(key=key, raw=raw, error=_sentence(problem) if problem else _NO_FILE)

    def _row(self, layout: Layout, key: str, cells: dict[str, Any]) -> FileRow:
        """As many times as it takes to come to its key: a line without a number is the n-th of its kind."""
        reader = RowReader(layout, headings=tuple(cells), terms=self._terms, unknown=self._unknown)
        last = key.rpartition(".")[2]
        times = int(last) if last.isascii() and last.isdigit() and len(last) < 4 else 1
        first = row = reader.read(1, tuple(cells.values()))
        for _ in range(min(times, _MOST_ALIKE) - 1):
            if row.key == key:
                break
            row = reader.read(1, tuple(cells.values()))
        return row if row.key == key else first


def _sentence(problem: RowProblem) -> str:
    """Without file and row, which a stored row no longer knows."""
    korean, english = SENTENCES[problem.code]
    field = problem.field or "row"
    return f"{field}: {korean}. / {field}: {english}."
