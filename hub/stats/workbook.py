"""Rows as an Excel file, in constant memory: exactly the columns and rows of the list they come from."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from msgspec import Struct

_EXACT: Final = 10**15
_LONGEST: Final = 32_767
#: Excel's own limit, with one row for the headings
MAX_ROWS: Final = 1_048_575


async def write_workbook(
    path: Path, *, title: str, columns: Sequence[str], rows: AsyncIterator[Mapping[str, Any]]
) -> int:
    """Write one sheet and return its number of rows; times are ISO 8601 with their offset.

    Text stays text: what looks like a formula or a link is neither. Raises: ValueError for more rows than Excel takes.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), options)
    number = 0
    try:
        sheet = book.add_worksheet(title[:31])
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, columns)
        async for row in rows:
            number += 1
            if number > MAX_ROWS:
                message = f"Excel takes {MAX_ROWS} rows; choose a shorter span"
                raise ValueError(message)
            for place, name in enumerate(columns):
                _write(sheet, number, place, row.get(name))
    finally:
        # Compressing is the long part.
        await asyncio.to_thread(book.close)
    return number


async def as_mappings(rows: AsyncIterator[Struct]) -> AsyncIterator[dict[str, Any]]:
    async for row in rows:
        yield {name: getattr(row, name) for name in row.__struct_fields__}


def _write(sheet: Any, row: int, place: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float) and abs(value) < _EXACT:
        sheet.write_number(row, place, value)
    elif isinstance(value, datetime):
        sheet.write_string(row, place, value.isoformat().replace("+00:00", "Z"))
    elif isinstance(value, date):
        sheet.write_string(row, place, value.isoformat())
    else:
        sheet.write_string(row, place, str(value)[:_LONGEST])
