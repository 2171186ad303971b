"""Files as people really hand them in: each row ends right, or in a sentence that names sheet, row and column."""

import io
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from connectors.sheet.formulas import with_errors_as_text
from connectors.sheet.mapping import Terms
from connectors.sheet.pages import PageTables
from connectors.sheet.payload import Remapper
from connectors.sheet.reading import open_file, read_rows, to_reading
from hub.core.archive import MOST_COLUMNS
from hub.core.contract import Feed, Reading
from hub.core.files import FileKind, Layout, UnreadableFileError, Upload
from tests.connectors.sheet.shop import HEADINGS, ROW, Shop, layout, text_file, workbook

TERMS = Terms(zone=ZoneInfo("Asia/Seoul"), currency="KRW")
HEADS = tuple(HEADINGS)
TEXT = f"{','.join(HEADS)}\n{','.join(ROW)}\nA-2,1,배송완료,접시,1,2026-11-22,이순신\n"
#: on a page of the World's oldest kind of spreadsheet
XML = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
    '<Worksheet ss:Name="a"><Table>%s</Table></Worksheet></Workbook>'
)


def book(fill: Callable[[Any, list[Any]], None], *, sheets: Sequence[str] = ("주문",), **options: Any) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, **options}) as made:
        fill(made, [made.add_worksheet(name) for name in sheets])
    return out.getvalue()


def read(body: bytes, name: str = "orders.xlsx", kept: Layout | None = None) -> list[Reading]:
    file = open_file(Upload(kind=FileKind.ORDERS, name=name, body=body), kept or layout())
    return [to_reading(row, file) for row in read_rows(file, terms=TERMS, unknown=Counter())]


def keys(readings: list[Reading]) -> list[str]:
    return [reading.key if reading.error is None else "" for reading in readings]


FORMULAS = {
    "with its result": ("=1+1", 2, None),
    "failed": ("=1/0", "#DIV/0!", "'수량'"),
    "of what is gone": ("=#REF!", "#REF!", "'수량'"),
}


@pytest.mark.parametrize("case", FORMULAS)
def test_a_formula_is_its_result_and_says_so_where_it_has_none(case: str):
    formula, result, column = FORMULAS[case]

    def fill(_: Any, pages: list[Any]) -> None:
        pages[0].write_row(0, 0, HEADS)
        pages[0].write_row(1, 0, ROW)
        pages[0].write_formula(1, 4, formula, None, result)

    (reading,) = read(book(fill))

    if column is None:
        assert reading.record.lines[0].quantity == 2
    else:
        assert reading.error.startswith(f"orders.xlsx, 주문 2행, {column} 열 (quantity)")
        assert "formula has no result" in reading.error


def test_a_failed_formula_of_an_optional_column_is_not_taken_for_nothing():
    def fill(_: Any, pages: list[Any]) -> None:
        pages[0].write_row(0, 0, HEADS)
        pages[0].write_row(1, 0, ROW)
        pages[0].write_formula(1, 6, "=VLOOKUP(A2,Z:Z,1)", None, "#N/A")

    (reading,) = read(book(fill))
    (as_text,) = read(TEXT.splitlines()[0].encode() + b"\n" + ",".join((*ROW[:6], "#N/A")).encode(), "a.csv")

    assert reading.key == as_text.key == "A-1001/A-1001-1"
    assert "'수취인'" in reading.error
    assert "'수취인'" in as_text.error


def test_days_counted_from_1904_are_the_same_days_also_without_the_file():
    def fill(made: Any, pages: list[Any]) -> None:
        pages[0].write_row(0, 0, HEADS)
        pages[0].write_row(1, 0, ROW)
        pages[0].write_datetime(1, 5, datetime(2026, 11, 22, 10), made.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        pages[0].write_row(2, 0, ("A-2", *ROW[1:]))
        pages[0].write_number(2, 5, 46348.5 - 1462)

    readings = read(book(fill, date_1904=True))
    stored = Remapper([layout()], terms=TERMS, unknown=Counter()).read(Feed.ORDERS, readings[1].key, readings[1].raw)

    assert [reading.record.ordered_at for reading in readings] == [
        datetime(2026, 11, 22, 1, tzinfo=UTC),
        datetime(2026, 11, 22, 3, tzinfo=UTC),
    ]
    assert stored.record == readings[1].record


@pytest.mark.parametrize("is_hidden", [True, False])
def test_the_headings_are_found_behind_a_page_of_notes(is_hidden: bool):
    def fill(_: Any, pages: list[Any]) -> None:
        pages[0].write_row(0, 0, ("안내문", "이 파일은"))
        pages[1].write_row(0, 0, HEADS)
        pages[1].write_row(1, 0, ROW)
        if is_hidden:
            pages[0].hide()
            pages[1].activate()

    assert keys(read(book(fill, sheets=("안내", "주문")))) == ["A-1001/A-1001-1"]


def test_what_is_seen_goes_before_what_is_hidden():
    def fill(_: Any, pages: list[Any]) -> None:
        for number, page in enumerate(pages):
            page.write_row(0, 0, HEADS)
            page.write_row(1, 0, (f"A-{number}", *ROW[1:]))
        pages[0].hide()
        pages[1].activate()

    assert keys(read(book(fill, sheets=("이전", "주문")))) == ["A-1/A-1-1"]


def test_headings_over_two_rows_or_said_again_are_no_orders():
    def fill(_: Any, pages: list[Any]) -> None:
        page = pages[0]
        page.merge_range(0, 0, 0, 1, "주문정보")
        page.merge_range(0, 2, 0, 4, "상품정보")
        english = ("Order No", "Seq", "Order Status", "Product Name", "Quantity", "Order Date", "Receiver")
        for number, row in enumerate((HEADS, english, ROW, HEADS, ("A-2", *ROW[1:])), start=1):
            page.write_row(number, 0, row)
        page.set_row(5, None, None, {"hidden": True})

    assert keys(read(book(fill))) == ["A-1001/A-1001-1", "A-2/A-2-1"]


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_with_and_without_a_mark_of_its_encoding(encoding: str, end: str):
    readings = read(TEXT.replace("\n", end).encode(encoding), "a.csv")

    assert keys(readings) == ["A-1001/A-1001-1", "A-2/A-2-1"]
    assert readings[1].record.receiver.name == "이순신"


def test_japanese_text_of_windows():
    text = "注文番号,状態,商品名,数量,お届け先名\nJ-1,発送済み,ﾏｸﾞｶｯﾌﾟ 白①,2,山田 髙橋\n"
    fields = ("order_no", "status", "product_name", "quantity", "receiver_name")
    kept = layout(headings=dict(zip(text.splitlines()[0].split(","), fields, strict=True)))

    (reading,) = read(text.encode("cp932"), "a.csv", kept)

    assert (reading.record.lines[0].product.name, reading.record.receiver.name) == ("ﾏｸﾞｶｯﾌﾟ 白①", "山田 髙橋")


@pytest.mark.parametrize("written", ["00123", "'00123", '="00123"', " 00123 ", "００１２３"])
def test_zeros_in_front_stay_however_they_were_kept(written: str):
    cells = ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in (written, *ROW[1:]))

    assert keys(read(f"{','.join(HEADS)}\n{cells}\n".encode(), "a.csv")) == ["00123/00123-1"]


def test_truth_is_no_order_number():
    def fill(_: Any, pages: list[Any]) -> None:
        pages[0].write_row(0, 0, HEADS)
        pages[0].write_row(1, 0, ROW)
        pages[0].write_boolean(1, 0, True)

    (reading,) = read(book(fill))

    assert "'주문번호'" in reading.error


def _page(rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"<tr>{''.join(row)}</tr>" for row in rows)


PAGES = {
    "rows spanned": "<table>"
    + _page(
        (
            [f"<th>{head}</th>" for head in HEADS],
            ["<td rowspan=2>A-1001</td>", *(f"<td>{cell}</td>" for cell in ROW[1:6]), '<td rowspan="2">홍길동'],
            ["<td>2</td>", *(f"<td>{cell}</td>" for cell in ROW[2:6])],
        )
    )
    + "</table>",
    "xml of 2003": XML
    % "".join(
        f"<Row>{''.join(cells)}</Row>"
        for cells in (
            [f'<Cell><Data ss:Type="String">{head}</Data></Cell>' for head in HEADS],
            [f"<Cell><Data>{cell}</Data></Cell>" for cell in ROW],
            [
                "<Cell><Data>A-1001</Data></Cell><Cell><Data>2</Data></Cell>",
                '<Cell ss:Index="3"><Data>배송중</Data></Cell><Cell><Data>접시</Data></Cell><Cell><Data>1</Data></Cell>',
                '<Cell ss:Index="7"><Data>홍길동</Data></Cell>',
            ],
        )
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_call_themselves_xls_keep_their_columns(name: str):
    readings = read(PAGES[name].encode("cp949"), "orders.xls")

    assert keys(readings) == ["A-1001/A-1001-1", "A-1001/A-1001-2"]
    assert [reading.record.receiver.name for reading in readings] == ["홍길동", "홍길동"]


SPANS = {
    "spans of spans": "<table>" + '<tr><td rowspan="65000" colspan="99999">x</td></tr>' * 300 + "</table>",
    "one row over all": "<table><tr>" + "<td rowspan=200000>x" * 256 + "</tr>" + "<tr>" * 300 + "</table>",
    "far places": XML % ('<Row><Cell ss:Index="199999"><Data>x</Data></Cell></Row>' * 300),
}


@pytest.mark.parametrize("name", SPANS)
def test_a_page_of_spans_is_no_bomb(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("connectors.sheet.pages._MOST_CELLS", 60_000)

    with pytest.raises(UnreadableFileError) as refused:
        read(SPANS[name].encode(), "orders.xls")

    assert refused.value.code == "too_many_rows"


def test_a_far_place_makes_no_wide_row():
    (row,) = PageTables.rows_of(XML % '<Row><Cell ss:Index="199999"><Data>x</Data></Cell></Row>')

    assert len(row) == MOST_COLUMNS


@pytest.mark.parametrize("part", [b"<c" * 400_000, b'<c t="' * 150_000, b"<c><f>" * 150_000, b'<c t="e" ' * 100_000])
def test_a_part_made_to_be_looked_at_for_ever_is_not(part: bytes):
    begun = time.process_time()

    with_errors_as_text(_zipped(part + b't="e"'))

    assert time.process_time() - begun < 5


def _zipped(part: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", part)
    return out.getvalue()


def test_headings_in_two_rows_under_groups_are_one_head():
    rows = [
        (None, None, "상품정보", None, None, None),
        (None, None, "상품명", "옵션", "수량", None),
        ("A-1", "배송중", "컵", "흰색", 2, "홍길동"),
        ("A-2", "배송중", "컵", "검정", 1, "김철수"),
    ]
    merged = [(0, 0, 1, "주문번호"), (1, 0, 1, "주문상태"), (5, 0, 1, "수취인")]
    upload = Upload(kind=FileKind.ORDERS, name="a.xlsx", body=workbook(rows, merged=merged))

    look = Shop().connector().look(upload)

    assert (look.header_row, look.rows, look.missing) == (2, 2, ())
    assert [column.heading for column in look.columns] == ["주문번호", "주문상태", "상품명", "옵션", "수량", "수취인"]
    (first, second) = Shop().connector().file_rows(upload, layout=look.layout)
    told = [(row.record.order_no, row.record.lines[0].quantity, row.record.receiver.name) for row in (first, second)]
    assert told == [("A-1", 2, "홍길동"), ("A-2", 1, "김철수")]


@pytest.mark.parametrize(
    "rows",
    [
        # Closed by the next quote somewhere below: all between stands in one cell, which is a memo and may hold anything.
        ['A-1,1,배송중,컵,1,2026-11-22,이순신,"급함', "A-2,1,배송중,컵,1,2026-11-22,김철수,", 'A-3,1,배송중,컵,1,2026-11-22,김영희,"문 앞"'],
        # Never closed.
        ['A-1,1,배송중,컵,1,2026-11-22,이순신,"급함', *(f"A-{n},1,배송중,컵,1,2026-11-22,김철수," for n in range(2, 9))],
    ],
    ids=["closed too late", "never closed"],
)  # fmt: skip
def test_a_quote_that_swallows_rows_ends_the_file_and_not_the_rows(rows: list[str]):
    body = "\n".join([",".join((*HEADS, "배송메모")), *rows]).encode()

    with pytest.raises(UnreadableFileError) as caught:
        list(Shop().connector().file_rows(Upload(kind=FileKind.ORDERS, name="a.csv", body=body), layout=layout()))

    assert (caught.value.code, "row 2" in caught.value.what) == ("open_quote", True)


def test_a_letter_of_many_lines_and_commas_is_one_cell():
    letter = "안녕하세요, 주문했는데,\n아직 안 왔어요, 언제 오나요,\n빨리, 부탁, 드려요"
    upload = text_file([(*ROW, letter)], headings=(*HEADS, "배송메모"))

    (row,) = Shop().connector().file_rows(upload, layout=layout(headings={**HEADINGS, "배송메모": "delivery_message"}))

    assert row.record.delivery_message == letter
