import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.model import InventoryMode
from routing.entries import ProductEntry
from routing.table_file import MODE_WORDS, ModeTableImport, read_mode_table
from routing.words import LOCALES

CONSIGNMENT = InventoryMode.CONSIGNMENT
DIRECT = InventoryMode.DIRECT_PURCHASE
WAREHOUSE = InventoryMode.THIRD_PARTY_LOGISTICS


def xlsx(*rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    dates = book.add_format({"num_format": "yyyy-mm-dd"})
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(place, column, value, dates)
            else:
                sheet.write(place, column, value)
    book.close()
    return out.getvalue()


def problems_of(data):
    found = read_mode_table(data)
    assert found.rows == ()
    return [(problem.row, problem.column, problem.value) for problem in found.problems]


KOREAN = "판매자 상품코드,재고형태,협력사,메모\nHB-001,위탁,한빛유통,가나다\nHB-002,사입,,\n"
JAPANESE = "販売者商品コード,在庫形態,取引先,メモ\nHB-001,委託,ハンビット,あいう\nHB-002,仕入,,\n"


@pytest.mark.parametrize(
    ("text", "encoding", "partner", "kind"),
    [
        pytest.param(KOREAN, "utf-8", "한빛유통", "utf-8", id="UTF-8"),
        pytest.param(KOREAN, "utf-8-sig", "한빛유통", "utf-8-sig", id="UTF-8 with a mark"),
        pytest.param(KOREAN, "utf-16", "한빛유통", "utf-16", id="UTF-16"),
        pytest.param(KOREAN, "cp949", "한빛유통", "cp949", id="CP949"),
        pytest.param(JAPANESE, "cp932", "ハンビット", "cp932", id="Shift_JIS"),
        pytest.param(KOREAN.replace(",", "\t"), "cp949", "한빛유통", "cp949", id="CP949 with tabs"),
        pytest.param(KOREAN.replace(",", ";").replace("\n", "\r\n"), "utf-8", "한빛유통", "utf-8", id="semicolons"),
    ],
)
def test_text_files_are_read_in_their_own_encoding(text, encoding, partner, kind):
    found = read_mode_table(text.encode(encoding))

    assert found == ModeTableImport(
        rows=(
            ProductEntry(mode=CONSIGNMENT, seller_sku="HB-001", partner=partner),
            ProductEntry(mode=DIRECT, seller_sku="HB-002"),
        ),
        problems=(),
        readable=2,
        kind=kind,
    )


def test_english_heads_tell_nothing_and_the_script_of_the_cells_does():
    korean = "seller_sku,mode,partner\nA,위탁,한빛유통과 그린팜\n".encode("cp949")
    japanese = "seller_sku,mode,partner\nA,委託,ハンビットとグリーン\n".encode("cp932")

    assert [row.partner for row in read_mode_table(korean).rows] == ["한빛유통과 그린팜"]
    assert [row.partner for row in read_mode_table(japanese).rows] == ["ハンビットとグリーン"]


def test_an_excel_file_is_read_with_its_numbers_and_dates():
    data = xlsx(
        ("재고 관리표", None),
        ("상품번호", "옵션 코드", "판매자상품코드", "재고구분", "shop", "적용시작일", "종료일", "물류사"),
        (1100000001, "", "", "물류/3PL", "main", datetime(2026, 1, 1), "2026.12.31", "EX01"),
        ("", "O-1", "", "직매입", "", "2026년 3월 1일", "", ""),
        ("", "", "=1+1", "consignment", "", "", "20260630", ""),
    )

    found = read_mode_table(data)

    assert found.problems == ()
    assert found.rows == (
        ProductEntry(
            mode=WAREHOUSE,
            product_code="1100000001",
            shop="main",
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 12, 31),
            logistics="EX01",
        ),
        ProductEntry(mode=DIRECT, option_code="O-1", valid_from=date(2026, 3, 1)),
        ProductEntry(mode=CONSIGNMENT, seller_sku="=1+1", valid_to=date(2026, 6, 30)),
    )


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        ("위탁", CONSIGNMENT),
        ("위탁 상품", CONSIGNMENT),
        ("Consignment", CONSIGNMENT),
        ("직매입", DIRECT),
        ("사입", DIRECT),
        ("직매입/사입", DIRECT),
        ("direct purchase", DIRECT),
        ("물류", WAREHOUSE),
        ("３ＰＬ", WAREHOUSE),
        ("third-party logistics", WAREHOUSE),
        ("買取", DIRECT),
    ],
)
def test_modes_are_known_by_the_words_of_the_trade(word, mode):
    assert [row.mode for row in read_mode_table(f"sku,mode\nA,{word}\n".encode()).rows] == [mode]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("sku,mode\nA,위탁\nB,??\n", [(3, "mode", "??")], id="unknown mode"),
        pytest.param("sku,mode\nA,\n", [(2, "mode", "")], id="empty mode"),
        pytest.param("sku,mode\n,위탁\n", [(2, "seller_sku", "")], id="no key"),
        pytest.param("sku,mode,valid_from\nA,위탁,2026-02-30\n", [(2, "valid_from", "2026-02-30")], id="no such day"),
        pytest.param("sku,mode,valid_to\nA,위탁,soon\n", [(2, "valid_to", "soon")], id="no date"),
        pytest.param(
            "sku,mode,valid_from,valid_to\nA,위탁,2026-02-02,2026-02-01\n",
            [(2, "valid_to", "2026-02-01")],
            id="swapped",
        ),
        pytest.param("sku,memo\nA,위탁\n", [(1, "mode", None)], id="no mode column"),
        pytest.param("mode,memo\n위탁,A\n", [(1, "seller_sku | option_code | product_code", None)], id="no key column"),
        pytest.param("sku,SKU,mode\nA,B,위탁\n", [(1, "seller_sku", "SKU")], id="column twice"),
        pytest.param("sku,mode\n1.23457E+17,위탁\n", [(2, "seller_sku", "1.23457E+17")], id="number rounded by Excel"),
        pytest.param(f"sku,mode\n{'A' * 201},위탁\n", [(2, "seller_sku", "A" * 59 + "…")], id="endless code"),
        pytest.param("sku,mode\n", [(0, None, None)], id="head only"),
        pytest.param("", [(0, None, None)], id="nothing"),
        pytest.param('sku,mode\n"A,위탁\n', [(0, None, None)], id="open quotation mark"),
    ],
)
def test_a_problem_names_row_column_and_value(text, expected):
    assert problems_of(text.encode()) == expected
    for problem in read_mode_table(text.encode()).problems:
        korean, english = (" ".join(problem.told(locale)) for locale in ("ko", "en"))
        assert any("가" <= sign <= "힣" for sign in korean)
        assert korean != english
        assert "{" not in korean + english


def test_every_problem_says_what_to_do_and_nothing_is_half_imported():
    found = read_mode_table("sku,mode\nA,위탁\nB,x\nC,y\n".encode())

    assert (found.rows, found.readable, [problem.row for problem in found.problems]) == ((), 1, [3, 4])
    assert {problem.told("en") for problem in found.problems} == {("No inventory mode", f"Write one of: {MODE_WORDS}.")}
    assert {problem.told("ko") for problem in found.problems} == {
        ("재고 형태가 아닙니다", f"다음 중 하나를 쓰세요: {MODE_WORDS}.")
    }


@pytest.mark.parametrize(
    ("first", "second", "clashes"),
    [
        pytest.param(",,", ",,", True, id="both for ever"),
        pytest.param(",2026-06-30,", "2026-06-30,,", True, id="share one day"),
        pytest.param(",2026-06-30,", "2026-07-01,,", False, id="one after the other"),
        pytest.param("2026-07-01,,", ",2026-06-30,", False, id="written in reverse"),
        pytest.param(",,", ",,second", False, id="one is of a shop"),
        pytest.param(",,second", ",,second", True, id="both of one shop"),
    ],
)
def test_rows_of_one_key_never_hold_on_the_same_day(first, second, clashes):
    text = f"valid_from,valid_to,shop,sku,mode\n{first},A-1,위탁\n{second},ａ-1,사입\n"

    found = read_mode_table(text.encode())

    assert bool(found.problems) is clashes
    assert len(found.rows) == (0 if clashes else 2)


def test_a_long_row_covers_a_short_one_between_others():
    text = (
        "sku,mode,valid_from,valid_to\nA,위탁,2026-01-01,2026-12-31\n"
        "A,위탁,2026-02-01,2026-02-02\nA,위탁,2026-11-01,2027-01-01\n"
    )

    assert [problem[0] for problem in problems_of(text.encode())] == [3, 4]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"PK\x03\x04" + b"x" * 100, id="broken zip"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, id="broken xls"),
        pytest.param(b"\xff\xfe\x00", id="half a UTF-16 sign"),
        pytest.param(bytes(range(128, 256)), id="no text"),
        pytest.param(b"\0\0\0\0", id="zeros"),
    ],
)
def test_a_file_that_is_no_table_is_told_not_raised(data):
    found = read_mode_table(data)

    assert found.rows == ()
    assert found.problems
    assert all(all(problem.told(locale)) for problem in found.problems for locale in LOCALES)


def test_a_zip_without_a_workbook_is_told():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "x")

    assert problems_of(out.getvalue()) == [(0, None, None)]


def test_a_zip_of_a_version_nobody_knows_is_told():
    data = xlsx(("sku", "mode"), ("A", "위탁"))
    directory = data.rindex(b"PK\x01\x02")

    assert problems_of(data[: directory + 6] + b"\x6e" + data[directory + 7 :]) == [(0, None, None)]


def test_a_workbook_that_unpacks_too_far_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr("routing.sheet.MAX_UNPACKED_BYTES", 100)

    found = read_mode_table(xlsx(("sku", "mode"), ("A", "위탁")))

    assert "unpacks" in found.problems[0].told("en")[0]


def test_a_cell_in_a_far_corner_ends_the_file_and_not_the_program():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ("sku", "mode"))
        page.write(1_048_575, 16_383, "x")

    (problem,) = read_mode_table(out.getvalue()).problems

    assert "256 columns" in problem.told("en")[0]


def test_the_table_is_found_behind_sheets_that_are_hidden_or_hold_nothing():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        hidden, _, page = book.add_worksheet("codes"), book.add_worksheet("empty"), book.add_worksheet("table")
        hidden.write(0, 0, "x")
        page.write_row(0, 0, ("sku", "mode"))
        page.write_row(1, 0, ("A", "위탁"))
        page.activate()
        page.set_first_sheet()
        hidden.hide()

    found = read_mode_table(out.getvalue())

    assert (len(found.rows), found.problems) == (1, ())


def test_problems_are_listed_up_to_a_limit_and_counted_beyond():
    found = read_mode_table(("sku,mode\n" + "A,x\n" * 1500).encode())

    assert len(found.problems) == 1001
    assert "500 more" in found.problems[-1].told("en")[0]


@settings(deadline=None)
@given(data=st.binary(max_size=300))
@example(data=b'"')
@example(data=b'\xb0\xa1"')
def test_no_bytes_raise(data):
    found = read_mode_table(data)

    assert bool(found.rows) is not bool(found.problems)


@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_no_cells_raise(text):
    found = read_mode_table(f"sku,mode,valid_from,shop\n{text}".encode("utf-8", "replace"))

    assert bool(found.rows) is not bool(found.problems)


def test_every_row_of_a_long_file_is_read():
    data = ("sku,mode,valid_from\n" + "".join(f"SKU-{n},위탁,2026-01-01\n" for n in range(20_000))).encode("cp949")

    assert len(read_mode_table(data).rows) == 20_000
