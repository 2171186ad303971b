"""Files of facts as forwarders and agents write them; hostile ones among them."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.desk.decisions.fact_sheet import HEADINGS, MOST_BYTES, FactSheet, read_fact_sheet
from hub.desk.decisions.facts_told import FactState, Moment, read_moment
from hub.policy.stage import StageFact

SEOUL = ZoneInfo("Asia/Seoul")
HEAD = "주문번호,상품주문번호,해외주문일,해외주문번호,해외발송일,배대지입고일,배대지출고일,메모\n"


def read(text: str, *, shop: str | None = "shop-a", encoding: str = "utf-8") -> FactSheet:
    return read_fact_sheet(text.encode(encoding), shop=shop, zone=SEOUL)


def keys(sheet: FactSheet) -> list[tuple[int, str | None, str]]:
    return [(problem.row, problem.column, problem.key) for problem in sheet.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_row_tells_what_its_cells_hold(encoding: str):
    sheet = read(HEAD + "O-1,L-1,2026-11-18 09:30,112-7,2026.11.19,아직,,서둘러\n", encoding=encoding)

    assert sheet.problems == ()
    assert sheet.columns[-1] == ("메모", None)
    assert [(each.place, each.order_no, each.line_no, each.fact, each.moment, each.reference) for each in sheet.given] == [
        (
            2,
            "O-1",
            "L-1",
            StageFact.OVERSEAS_ORDERED,
            Moment(state=FactState.HAPPENED, at=datetime(2026, 11, 18, 0, 30, tzinfo=UTC)),
            "112-7",
        ),
        (
            2,
            "O-1",
            "L-1",
            StageFact.OVERSEAS_DISPATCHED,
            Moment(state=FactState.HAPPENED, at=datetime(2026, 11, 18, 15, tzinfo=UTC), is_day=True),
            None,
        ),
        (2, "O-1", "L-1", StageFact.FORWARDER_IN, Moment(state=FactState.NOT_HAPPENED), None),
    ]  # fmt: skip


def test_a_spreadsheet_is_read_with_its_dates():
    file = io.BytesIO()
    heads = ("판매계정", "주문번호", "입고일", "입고번호")
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet()
        page.write_row(0, 0, heads)
        page.write_row(1, 0, ("shop-b", "O-1"))
        page.write_datetime(1, 2, datetime(2026, 11, 19), day)
        page.write(1, 3, "F-77")

    sheet = read_fact_sheet(file.getvalue(), shop="shop-a", zone=SEOUL)

    (only,) = sheet.given
    assert (only.shop, only.order_no, only.line_no, only.reference) == ("shop-b", "O-1", None, "F-77")
    assert (only.moment.at, only.moment.is_day) == (datetime(2026, 11, 18, 15, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [(0, None, "empty")], id="nothing"),
        pytest.param(HEAD, [(0, None, "empty")], id="head alone"),
        pytest.param("a,b\n1,2\n", [(1, "order_no", "no_heading"), (1, "overseas_ordered", "no_heading")], id="heads"),
        pytest.param("주문번호,입고일,센터입고일\n1,,\n", [(1, "forwarder_in", "two_headings")], id="doubled"),
        pytest.param(HEAD + ",,2026-11-18,,,,\n", [(2, "order_no", "no_line")], id="no line"),
        pytest.param(HEAD + "O-1,L-1,,,,,,메모뿐\n", [(2, None, "nothing_told")], id="nothing told"),
        pytest.param(HEAD + "O-1,L-1,곧,,,,\n", [(2, "overseas_ordered", "not_a_time")], id="soon"),
        pytest.param(HEAD + "O-1,L-1,2026-02-30,,,,\n", [(2, "overseas_ordered", "not_a_time")], id="30 February"),
        pytest.param(HEAD + "O-1,L-1,,112-7,,,\n", [(2, "overseas_ordered", "number_alone"), (2, None, "nothing_told")], id="number alone"),
        pytest.param(HEAD + "1.23457E+15,,2026-11-18,,,,\n", [(2, "order_no", "rounded_number")], id="rounded"),
        pytest.param('주문번호,입고일\n"O-1,2026-11-18\n', [(0, None, "unreadable")], id="open quotation mark"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_cell(text: str, expected):
    sheet = read(text)

    assert sheet.given == ()
    assert sorted(keys(sheet), key=str) == sorted(expected, key=str)
    assert all(problem.told("ko") != problem.told("en") for problem in sheet.problems)


def test_a_mistake_in_one_row_leaves_the_others():
    sheet = read(HEAD + "O-1,L-1,내일쯤,,,,\n" + "O-2,L-2,2026-11-18,,,,\n" + ",,,,,,\n")

    assert (sheet.rows, keys(sheet)) == (2, [(2, "overseas_ordered", "not_a_time")])
    assert [each.order_no for each in sheet.given] == ["O-2"]


def test_rows_of_no_shop_are_named():
    assert keys(read(HEAD + "O-1,L-1,2026-11-18,,,,\n", shop=None)) == [(2, "shop", "no_shop")]


def test_a_file_that_is_too_large_is_not_read():
    assert keys(read_fact_sheet(b"x" * (MOST_BYTES + 1), shop="shop-a", zone=SEOUL)) == [(0, None, "too_large")]


def test_no_heading_means_two_things():
    words = [word for names in HEADINGS.values() for word in names]

    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", (datetime(2026, 11, 19, 15, tzinfo=UTC), True)),
        ("2026. 11. 20.", (datetime(2026, 11, 19, 15, tzinfo=UTC), True)),
        ("2026년 11월 20일", (datetime(2026, 11, 19, 15, tzinfo=UTC), True)),
        ("２０２６/11/20 14:05", (datetime(2026, 11, 20, 5, 5, tzinfo=UTC), False)),
        ("2026-11-20T14:05:09Z", (datetime(2026, 11, 20, 14, 5, 9, tzinfo=UTC), False)),
        ("2026-11-20T14:05:09.123-08:00", (datetime(2026, 11, 20, 22, 5, 9, tzinfo=UTC), False)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected):
    moment = read_moment(text, zone=SEOUL)

    assert moment is not None
    assert (moment.at, moment.is_day) == expected


@pytest.mark.parametrize(
    "text", ["1999-12-31", "20261120", "2026-11-20 25:00", "2026-11", "9999-12-31T23:59-14:00", "1"]
)
def test_what_is_no_time_is_none(text: str):
    assert read_moment(text, zone=SEOUL) is None


@pytest.mark.parametrize(
    ("text", "state"),
    [("아직", "not_happened"), (" Not yet ", "not_happened"), ("not_happened", "not_happened"), ("まだ", "not_happened"),
     ("모름", "unknown"), ("?", "unknown")],
)  # fmt: skip
def test_words_for_not_yet_and_for_unknown(text: str, state: str):
    assert read_moment(text, zone=SEOUL) == Moment(state=FactState(state))


@settings(deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: (HEAD + text).encode()))
def test_no_file_breaks_the_reader(data: bytes):
    sheet = read_fact_sheet(data, shop="shop-a", zone=SEOUL)

    assert sheet.given or sheet.problems
    assert not {each.place for each in sheet.given} & {each.row for each in sheet.problems}
