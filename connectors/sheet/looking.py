"""What a file looks like before it is read: columns with samples, a layout, and what to be careful about."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec.structs import replace

from connectors.sheet.head import open_sheet
from connectors.sheet.headings import column_warnings, folded, guess_fields, unread_columns
from connectors.sheet.reading import missing_fields
from connectors.sheet.tables import Cell
from connectors.sheet.values import MOST_EXACT, text, word
from connectors.sheet.vocabulary import MEANINGS, WORDS
from hub.core.files import ColumnLook, ColumnRule, FileLook, Layout, Upload

_SAMPLES: Final = 3
_LOOKED_AT: Final = 5_000
_MOST_WORDS: Final = 40
_SAMPLE_LENGTH: Final = 60
_PHONES: Final = frozenset(
    {"buyer_phone", "buyer_phone_second", "receiver_phone", "receiver_phone_second", "writer_phone", "zip_code"}
)
#: a spreadsheet program keeps fifteen digits of a number and makes zeros of the others
_KEPT_DIGITS: Final = 10**15


def look_at(upload: Upload, layout: Layout | None) -> FileLook:
    """Raises: UnreadableFileError."""
    sheet = open_sheet(upload, layout)
    rows = [cells for _, cells in islice(sheet.rows, _LOOKED_AT)]
    count = len(rows) + sum(1 for _ in sheet.rows)
    guessed = guess_fields(upload.kind, [heading for heading in sheet.headings if heading])
    fields = _fields_of(layout, sheet.headings) if layout is not None else guessed
    suggested = {} if layout is None else {each.heading: each.field for each in unread_columns(layout, sheet.headings)}
    columns = [
        (_look_at_column(heading, [row[place] for row in rows if place < len(row)], fields, guessed, layout), place)
        for place, heading in enumerate(sheet.headings)
        if heading
    ]
    columns = [(replace(column, suggested=suggested.get(column.heading)), place) for column, place in columns]
    used = layout or _guessed_layout(upload, [column for column, _ in columns])
    return FileLook(
        sheet=sheet.table.name,
        sheets=sheet.table.names,
        encoding=sheet.table.encoding,
        header_row=sheet.header_row,
        rows=count,
        columns=tuple(column for column, _ in columns),
        layout=used,
        missing=missing_fields(used, sheet.headings),
        warnings=(*_warnings(columns, rows), *(column_warnings(layout, sheet.headings) if layout else ())),
    )


def _fields_of(layout: Layout, headings: Sequence[str]) -> dict[str, str]:
    by_heading = {folded(rule.heading): rule.field for rule in layout.columns}
    return {heading: by_heading[folded(heading)] for heading in headings if folded(heading) in by_heading}


def _look_at_column(
    heading: str, cells: Sequence[Cell], fields: dict[str, str], guessed: dict[str, str], layout: Layout | None
) -> ColumnLook:
    field = fields.get(heading)
    samples = list(dict.fromkeys(shown[:_SAMPLE_LENGTH] for cell in cells[:200] if (shown := text(cell))))
    words: tuple[tuple[str, str | None], ...] = ()
    if field is not None and field in MEANINGS:
        kept = {word(each): meaning for each, meaning in (layout.words.get(field, {}) if layout else {}).items()}
        met = dict.fromkeys(shown for cell in cells if (shown := text(cell)) and len(shown) <= _SAMPLE_LENGTH)
        words = tuple((each, kept.get(word(each)) or WORDS[field].get(word(each))) for each in islice(met, _MOST_WORDS))
    return ColumnLook(
        heading=heading,
        samples=tuple(samples[:_SAMPLES]),
        field=field,
        is_guessed=layout is None and field is not None and guessed.get(heading) == field,
        words=words,
    )


def _guessed_layout(upload: Upload, columns: Sequence[ColumnLook]) -> Layout:
    chosen = [column for column in columns if column.field]
    return Layout(
        kind=upload.kind,
        columns=tuple(ColumnRule(heading=column.heading, field=column.field or "") for column in chosen),
        words={
            column.field or "": {spelt: meaning for spelt, meaning in column.words if meaning}
            for column in chosen
            if any(meaning for _, meaning in column.words)
        },
        unused=tuple(column.heading for column in columns if not column.field),
    )


def _warnings(columns: Sequence[tuple[ColumnLook, int]], rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[str, str]]:
    for column, place in columns:
        numbers = [row[place] for row in rows if place < len(row) and isinstance(row[place], float | int)]
        numbers = [number for number in numbers if not isinstance(number, bool)]
        if not numbers:
            continue
        if column.field in _PHONES:
            yield "leading_zero_lost", column.heading
        elif column.field and column.field.endswith("_no"):
            long = [int(number) for number in numbers if _KEPT_DIGITS <= abs(number) <= MOST_EXACT]  # type: ignore[arg-type, operator]
            if long and all(number % 10 == 0 for number in long):
                yield "digits_rounded", column.heading
