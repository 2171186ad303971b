import io
import zipfile
from datetime import datetime

import pytest

from connectors.sheet.head import open_sheet
from connectors.sheet.tables import decode, open_table
from hub.core.archive import MOST_BYTES
from hub.core.files import FileKind, UnreadableFileError, Upload
from tests.connectors.sheet.shop import HEADINGS, ROW, text_file, workbook

KOREAN = "주문번호,상품명,수취인\n1,머그컵,홍길동\n"
JAPANESE = "注文番号,商品名,受取人名\n1,カップ,山田花子\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (KOREAN, "utf-8", "utf-8-sig"),
        (KOREAN, "utf-8-sig", "utf-8-sig"),
        (KOREAN, "cp949", "cp949"),
        (KOREAN, "utf-16", "utf-16"),
        (JAPANESE, "cp932", "cp932"),
        (JAPANESE, "utf-8", "utf-8-sig"),
        ("order,qty\n1,2\n", "ascii", "utf-8-sig"),
    ],
)
def test_encodings_are_found(text: str, encoding: str, found: str):
    assert decode(text.encode(encoding)) == (text, found)


def test_an_encoding_may_be_given_and_must_fit():
    assert decode(KOREAN.encode("cp949"), "cp949")[0] == KOREAN
    with pytest.raises(UnreadableFileError) as refused:
        decode(KOREAN.encode("cp949"), "utf-8-sig")
    assert refused.value.code == "wrong_encoding"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters_are_found(delimiter: str):
    body = f"주문번호{delimiter}상품명\n1{delimiter}머그컵\n".encode()

    assert [list(row) for row in open_table(body).rows] == [["주문번호", "상품명"], ["1", "머그컵"]]


def test_a_page_of_html_that_calls_itself_xls():
    page = "<html><head><meta charset='utf-8'></head><table><tr><td colspan=2>목록<tr><th>주문번호</th><th>상품명</th></tr>"
    page += "<tr><td>1</td><td>머그 &amp; 컵<script>x</script></td></tr></table></html>"

    rows = [list(row) for row in open_table(page.encode()).rows]

    assert rows[1] == ["주문번호", "상품명"]
    assert rows[2][1].startswith("머그 & 컵")


def _sheet(body: bytes) -> list[tuple[int, list[object]]]:
    sheet = open_sheet(Upload(kind=FileKind.ORDERS, name="a.xlsx", body=body), None)
    return [(number, list(cells)) for number, cells in sheet.rows]


def test_headings_stand_below_titles_and_sums_are_left_out():
    body = workbook([("주문 목록",), (), tuple(HEADINGS), ROW, (), ("합계", None, None, None, 2)])

    assert _sheet(body) == [(4, list(ROW))]


def test_a_merged_cell_stands_in_each_of_its_rows():
    second = (None, "2", *ROW[2:])
    body = workbook([tuple(HEADINGS), (None, *ROW[1:]), second], merged=[(0, 1, 2, "A-1001")])

    assert [cells[0] for _, cells in _sheet(body)] == ["A-1001", "A-1001"]


def test_numbers_and_dates_of_a_workbook():
    when = datetime(2026, 11, 22, 10, 0)
    body = workbook([tuple(HEADINGS), (2026112200001234, 1, "배송중", "머그컵", 2, when, "홍길동")])

    assert _sheet(body) == [(2, [2026112200001234.0, 1.0, "배송중", "머그컵", 2.0, when, "홍길동"])]


def test_a_heading_that_comes_twice_is_told_apart():
    upload = text_file([(*ROW, "x")], headings=(*HEADINGS, "수취인"))

    assert open_sheet(upload, None).headings[-2:] == ("수취인", "수취인 (2)")


def _archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name.replace("__", "/"), body)
    return out.getvalue()


def _with_sheet(sheet: bytes) -> bytes:
    """A workbook of the library's whose sheet is replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([tuple(HEADINGS), ROW]))) as real,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for part in real.infolist():
            body = sheet if part.filename == "xl/worksheets/sheet1.xml" else real.read(part)
            changed.writestr(part.filename, body)
    return out.getvalue()


_SHEET = b'<?xml version="1.0"?>%s<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
#: cells in a far corner, spelt as no program does and as the reader of workbooks takes them all the same
ODDLY_FAR = {
    "small letters": b'<row r="2"><c r="xfd1048576"><v>1</v></c></row>',
    "single quotes": b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
    "blanks": b'<row r = "1048576"><c r\n=\t"XFD1048576"><v>1</v></c></row>',
    "zeros": b'<row r="2"><c r="XFD0000001048576"><v>1</v></c></row>',
    "many digits": b'<row r="2"><c r="ZZZZZ99999999999"><v>1</v></c></row>',
    "many letters": b'<row r="2"><c r="AAAAAAAAAA1"><v>1</v></c></row>',
    "digits without end": b'<row r="2"><c r="B%s"><v>1</v></c></row>' % (b"9" * 5_000),
}


def _far(row: bytes) -> bytes:
    return _with_sheet(_SHEET % (b"", b'<row r="1"><c r="A1"><v>1</v></c></row>' + row))


#: made when they are asked for: some are as large as they claim to be
HOSTILE = {
    "empty": lambda: (b"  \n", "empty"),
    "too big": lambda: (b"a,b\n" * (MOST_BYTES // 4 + 1), "too_big"),
    "no workbook": lambda: (_archive(a=b"b"), "not_a_table"),
    "cut off": lambda: (workbook([tuple(HEADINGS), ROW])[:-200], "broken"),
    "binary": lambda: (b"\x00\x01\x02\x03" * 100, "not_a_table"),
    "old and broken": lambda: (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 3000, "broken"),
    "password": lambda: (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") * 9, "password"),
    "bomb": lambda: (_archive(xl__workbook=b"", **{"xl__workbook.xml": b"0" * (401 * 1024 * 1024)}), "too_big"),
    "entities": lambda: (_with_sheet(_SHEET % (b'<!DOCTYPE x [<!ENTITY a "b">]>', b"")), "hostile"),
    "utf-16": lambda: (_with_sheet((_SHEET % (b"", b"")).decode().encode("utf-16")), "hostile"),
    "far row": lambda: (_with_sheet(_SHEET % (b"", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>')), "too_many_rows"),
    "far column": lambda: (_with_sheet(_SHEET % (b"", b'<row r="1"><c r="XFD1"><v>1</v></c></row>')), "too_wide"),
    "far corner": lambda: (
        _with_sheet(_SHEET % (b"", b'<row r="1"><c r="GA1"><v>1</v></c></row><row r="199999"><c r="A199999"><v>1</v></c></row>')),
        "too_many_rows",
    ),
    "row out of sight": lambda: (_far(b'<row x="%s" r="4000000000"><c><v>1</v></c></row>' % (b"a" * 900)), "hostile"),
    "no encoding": lambda: (b"order,\x81 \n", "wrong_encoding"),
}  # fmt: skip


@pytest.mark.parametrize("spelling", ODDLY_FAR)
def test_a_far_cell_is_refused_however_it_is_spelt(spelling: str):
    with pytest.raises(UnreadableFileError) as refused:
        open_table(_far(ODDLY_FAR[spelling]))

    assert refused.value.code in {"too_many_rows", "too_wide", "broken"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_a_code(name: str):
    body, code = HOSTILE[name]()

    with pytest.raises(UnreadableFileError) as refused:
        list(open_table(body).rows)

    assert refused.value.code == code


def test_a_directory_that_lies_about_sizes_is_refused():
    body = bytearray(_archive(**{"xl__workbook.xml": b"a" * 100_000}))
    place = body.rindex(b"PK\x01\x02")
    body[place + 24 : place + 28] = (10).to_bytes(4, "little")

    with pytest.raises(UnreadableFileError) as refused:
        open_table(bytes(body))

    assert refused.value.code == "broken"


def test_a_file_without_headings_is_refused():
    with pytest.raises(UnreadableFileError) as refused:
        open_sheet(Upload(kind=FileKind.ORDERS, name="a.csv", body=b"x\ny\n"), None)

    assert refused.value.code == "no_headings"


def test_a_sheet_may_be_named():
    body = workbook([tuple(HEADINGS), ROW])

    assert open_table(body, sheet="주문").name == "주문"
    with pytest.raises(UnreadableFileError) as refused:
        open_table(body, sheet="환불")
    assert refused.value.code == "no_such_sheet"
