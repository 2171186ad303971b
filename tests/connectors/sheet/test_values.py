from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sheet.values import CellError, identity, moment_reader, money, quantity, text
from hub.core.files import DateOrder
from hub.core.model import Money

SEOUL = ZoneInfo("Asia/Seoul")
CELLS = st.one_of(
    st.none(), st.text(max_size=30), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(),
    st.datetimes(), st.dates(), st.times(), st.timedeltas(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("  a ", "a"),
        ("", None),
        ("   ", None),
        (None, None),
        ('="00123"', "00123"),
        ("a\x00b", "ab"),
        (2026112200001234.0, "2026112200001234"),
        (12.5, "12.5"),
        (0.00001, "0.00001"),
        (7, "7"),
        (True, "TRUE"),
        (datetime(2026, 11, 22, 10, 5), "2026-11-22 10:05:00"),
        (datetime(2026, 11, 22), "2026-11-22"),
    ],
)
def test_text_is_what_a_person_sees(cell: object, shown: str | None):
    assert text(cell) == shown


@pytest.mark.parametrize(
    ("cell", "number"),
    [(2026112200001234.0, "2026112200001234"), ("２０２６－１", "2026-1"), ("A\u202e1", "A1"), (" 007 ", "007")],
)
def test_a_number_keeps_its_digits(cell: object, number: str):
    assert identity(cell) == number


@pytest.mark.parametrize("cell", ["2.02611E+15", "1e+20", 1.5e17, "9" * 201])
def test_a_number_that_lost_digits_is_refused(cell: object):
    with pytest.raises(CellError):
        identity(cell)


@pytest.mark.parametrize(
    ("cell", "count"), [("2", 2), (2.0, 2), ("2개", 2), ("３ EA", 3), ("1,000", 1000), (None, None)]
)
def test_quantity(cell: object, count: int | None):
    assert quantity(cell) == count


@pytest.mark.parametrize("cell", ["0", "-1", "1.5", "둘", True, "9999999999", "٣٣ x"])
def test_what_is_no_quantity(cell: object):
    with pytest.raises(CellError):
        quantity(cell)


@pytest.mark.parametrize(
    ("cell", "currency", "minor"),
    [
        ("12,000원", "KRW", 12_000),
        ("₩12,000", "KRW", 12_000),
        (12000.0, "KRW", 12_000),
        ("¥1,980", "JPY", 1_980),
        ("￥１，９８０", "JPY", 1_980),
        ("12.50", "USD", 1_250),
        ("-500", "KRW", -500),
        ("0", "KRW", 0),
    ],
)
def test_money(cell: object, currency: str, minor: int):
    assert money(cell, currency) == Money(minor=minor, currency=currency)


@pytest.mark.parametrize("cell", ["12.5", "만원", "1e5", True, "9" * 20, datetime(2026, 1, 1)])
def test_what_is_no_amount(cell: object):
    with pytest.raises(CellError):
        money(cell, "KRW")


TWO_PM = datetime(2026, 11, 22, 5, 5, tzinfo=UTC)
DAY = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("2026-11-22 14:05", TWO_PM),
        ("2026-11-22T14:05:00", TWO_PM),
        ("2026-11-22T05:05:00Z", TWO_PM),
        ("2026-11-22T14:05:00+09:00", TWO_PM),
        ("2026/11/22 14:05:00", TWO_PM),
        ("2026.11.22 14:05", TWO_PM),
        ("2026. 11. 22. 오후 2:05:00", TWO_PM),
        ("2026년 11월 22일 오후 2시 5분", TWO_PM),
        ("2026年11月22日 14時05分", TWO_PM),
        ("令和8年11月22日 14:05", TWO_PM),
        ("2026-11-22(일) 14:05", TWO_PM),
        ("２０２６－１１－２２　１４：０５", TWO_PM),
        ("20261122140500", TWO_PM),
        ("26-11-22 2:05 PM", TWO_PM),
        ("2026-11-22", DAY),
        ("20261122", DAY),
        (20261122.0, DAY),
        (46348.0, DAY),
        ("46348", DAY),
        (datetime(2026, 11, 22, 14, 5), TWO_PM),
        (date(2026, 11, 22), DAY),
        ("", None),
        (None, None),
    ],
)
def test_moments(cell: object, at: datetime | None):
    assert moment_reader(SEOUL, DateOrder.YMD)(cell) == at


@pytest.mark.parametrize(("order", "cell"), [(DateOrder.MDY, "11/22/2026 14:05"), (DateOrder.DMY, "22.11.2026 14:05")])
def test_the_year_may_come_last(order: DateOrder, cell: str):
    assert moment_reader(SEOUL, order)(cell) == TWO_PM


@pytest.mark.parametrize(
    "cell", ["어제", "2026-13-01", "25:00", 7.0, True, time(3), timedelta(1), "0000-00-00", "2026"]
)
def test_what_is_no_moment(cell: object):
    with pytest.raises(CellError):
        moment_reader(SEOUL, DateOrder.YMD)(cell)


@given(cell=CELLS)
def test_any_cell_is_a_value_or_says_why_not(cell: object):
    readers = (text, identity, quantity, lambda each: money(each, "KRW"), moment_reader(SEOUL, DateOrder.YMD))
    for read in readers:
        try:
            found = read(cell)
        except CellError:
            continue
        if isinstance(found, str):
            assert found
            assert "\0" not in found
        if isinstance(found, datetime):
            assert found.utcoffset() == timedelta(0)
