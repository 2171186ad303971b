"""Excel files: what a cell holds comes back as it was, and rows leave while others are still read."""

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from hub.stats import workbook
from hub.stats.workbook import workbook_chunks


async def rows(number: int, **values: Any) -> AsyncIterator[dict[str, Any]]:
    for each in range(number):
        yield {"n": each, **values}


async def whole(*, title: str = "t", columns: tuple[str, ...], rows: AsyncIterator[dict[str, Any]]) -> CalamineWorkbook:
    chunks = [chunk async for chunk in workbook_chunks(title=title, columns=columns, rows=rows)]
    return CalamineWorkbook.from_filelike(io.BytesIO(b"".join(chunks)))


async def test_a_cell_comes_back_as_it_was():
    values = {
        "formula": "=1+1",
        "blank": "  x ",
        "markup": "<b>&\"'</b>",
        "lines": "a\r\nb\tc",
        "control": "a\x00b\x1f",
        "escape": "_x0041_",
        "korean": "배송 지연 😀",
        "long": "가" * 40_000,
        "large": 10**15,
        "share": 0.5,
        "yes": True,
        "at": datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
        "day": date(2026, 11, 22),
        "no": None,
        "nan": float("nan"),
    }
    book = await whole(columns=tuple(values), rows=rows(1, **values))

    (head, found) = book.get_sheet_by_index(0).to_python()
    assert head == list(values)
    assert dict(zip(head, found, strict=False)) == {
        "formula": "=1+1",
        "blank": "  x ",
        "markup": "<b>&\"'</b>",
        "lines": "a\r\nb\tc",
        "control": "a\x00b\x1f",
        "escape": "_x0041_",
        "korean": "배송 지연 😀",
        "long": "가" * 32_767,
        "large": "1000000000000000",
        "share": 0.5,
        "yes": True,
        "at": "2026-11-22T01:02:03Z",
        "day": "2026-11-22",
        "no": "",
        "nan": "nan",
    }


async def test_no_rows_make_a_sheet_of_headings():
    book = await whole(title="a/b:c?" + "x" * 40, columns=("n", "m"), rows=rows(0))

    assert book.sheet_names == ["a b c " + "x" * 25]
    assert book.get_sheet_by_index(0).to_python() == [["n", "m"]]


async def test_more_rows_than_a_sheet_takes_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook, "MAX_ROWS", 700)

    book = await whole(title="calls", columns=("n",), rows=rows(1500))

    assert book.sheet_names == ["calls", "calls (2)", "calls (3)"]
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [sheet[0] for sheet in sheets] == [["n"]] * 3
    assert [row[0] for sheet in sheets for row in sheet[1:]] == list(range(1500))


async def test_the_first_rows_leave_before_the_last_are_read():
    read = 0

    async def many() -> AsyncIterator[dict[str, Any]]:
        nonlocal read
        for read in range(20_000):
            yield {"a": f"{read * 7919 % 10007}", "b": read}

    chunks = workbook_chunks(title="t", columns=("a", "b"), rows=many())
    first = await anext(chunks)
    assert read < 19_000
    rest = [chunk async for chunk in chunks]
    file = zipfile.ZipFile(io.BytesIO(b"".join([first, *rest])))
    assert file.testzip() is None
    assert file.namelist()[0] == "[Content_Types].xml"
