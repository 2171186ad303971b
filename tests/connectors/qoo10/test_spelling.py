"""Rows are read alike whatever the spelling of their keys, also when it changes in the middle of a page."""

import json
from itertools import permutations
from typing import Any

import pytest

from connectors.qoo10.wire import LineRow, decode_line

GUIDE = {"ShippingStatus": "On delivery(4)", "PackNo": "1", "OrderNo": "2", "OrderQty": "3", "Material": "cotton"}
SENT = {"shippingStatus": "On delivery(4)", "packNo": 1, "orderNo": 2, "orderQty": 3, "gift": None}
OLD = {"ShippingStatus": "On delivery(4)", "packno": "1", "ORDERNO": "2", "orderQty": "3"}


def read(row: dict[str, Any]) -> tuple[str, str, str]:
    line = decode_line(json.dumps(row).encode())
    assert isinstance(line, LineRow)
    return str(line.pack_no), str(line.order_no), str(line.quantity)


@pytest.mark.parametrize("rows", list(permutations((GUIDE, SENT, OLD))))
def test_spellings_may_change_from_row_to_row(rows: tuple[dict[str, Any], ...]) -> None:
    assert [read(row) for row in (*rows, *rows)] == [("1", "2", "3")] * 6


def test_a_key_that_the_first_row_lacked_is_read() -> None:
    read(GUIDE)

    line = decode_line(json.dumps(GUIDE | {"TrackingNo": "77", "Brand_New": {"deep": [1]}}).encode())

    assert line.tracking_no == "77"


def test_a_field_name_of_ours_is_no_key_of_the_mall() -> None:
    read(GUIDE)

    line = decode_line(json.dumps(GUIDE | {"tracking_no": "77", "status": "x"}).encode())

    assert (line.tracking_no, line.status) == (None, "On delivery(4)")


def test_of_two_spellings_in_one_row_the_filled_one_counts() -> None:
    for row in ({"Address1": "", "Addr1": "a"}, {"Address1": "a", "Addr1": ""}):
        assert decode_line(json.dumps(GUIDE | row).encode()).address_base == "a"


@pytest.mark.parametrize("value", [{"a": 1}, [1]])
def test_a_list_or_object_where_a_value_belongs_is_refused_in_any_row(value: Any) -> None:
    read(GUIDE)

    with pytest.raises(ValueError, match="Expected"):
        decode_line(json.dumps(GUIDE | {"OrderNo": value}).encode())


def test_hundreds_of_spellings_are_read_and_not_remembered() -> None:
    keys = list(GUIDE)
    for number in range(300):
        row = {f"X{number}": 1} | {
            (key.upper() if number >> place & 1 else key): GUIDE[key] for place, key in enumerate(keys)
        }
        assert read(row) == ("1", "2", "3")
