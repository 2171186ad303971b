"""Values in every form the mall sends them, and hostile ones."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.qoo10 import mapping, vocabulary
from hub.core.errors import MalformedResponseError
from hub.core.model import ClaimReason

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
KEYS = ["ORDERNO", "packNo", "OrderQty", "Total", "claimStatus", "requestDate", "OrderDate", "reason", "Currency",
        "ShippingStatus", "INQ_TYPE", "SEQ_NO", "QUESTION_NO", "INQ_DT", "CONTR_NO", "STATUS"]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-18 09:31:26", datetime(2026, 11, 18, 0, 31, 26, tzinfo=UTC)),
        ("2026-11-18 09:31", datetime(2026, 11, 18, 0, 31, tzinfo=UTC)),
        ("2026/11/18 9:31:26", datetime(2026, 11, 18, 0, 31, 26, tzinfo=UTC)),
        ("2026-11-18 ", datetime(2026, 11, 17, 15, tzinfo=UTC)),
        ("20261118", datetime(2026, 11, 17, 15, tzinfo=UTC)),
        (20261118093126, datetime(2026, 11, 18, 0, 31, 26, tzinfo=UTC)),
        ("0001-01-01 00:00:00", None),
        ("1900-01-01", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_tokyo_times_in_any_spelling(written, read):
    assert mapping.moment(written, "OrderDate") == read


def test_a_text_that_is_no_time_names_the_field_and_not_the_text():
    with pytest.raises(MalformedResponseError) as caught:
        mapping.moment("山田 花子", "OrderDate")

    assert (caught.value.path, "山田" in str(caught.value)) == ("OrderDate", False)


# Rows of many wide values are slow to make on a busy machine; that says nothing of the reader.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_row_breaks_the_reader(row):
    raw = json.dumps(row).encode()
    for read in (mapping.read_listed_order, mapping.read_whole_line, mapping.read_claim, mapping.read_inquiry):
        reading = read(raw, unknown=Counter())
        assert (reading.record is None) is (reading.error is not None)


def test_a_broken_row_keeps_the_number_that_it_shows():
    row = {"PackNo": 1, "OrderNo": 2, "OrderDate": {"broken": True}, "buyer": ["x"]}

    reading = mapping.read_listed_order(json.dumps(row).encode(), unknown=Counter())

    assert (reading.key, reading.record) == ("2", None)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw):
    assert mapping.read_claim(raw, unknown=Counter()).record is None


def test_keys_are_read_in_any_case():
    row = {"PACKNO": "1", "orderno": "2", "orderQTY": "3", "SHIPPINGSTATUS": "Delivered(5)"}

    (line,) = mapping.read_listed_order(json.dumps(row).encode(), unknown=Counter()).record.lines

    assert (line.line_no, line.quantity, line.status) == ("2", 3, "delivered")


def test_a_planned_carrier_is_no_dispatch():
    row = {"PackNo": 1, "OrderNo": 2, "OrderQty": 1, "ShippingStatus": "Seller confirm(3)", "DeliveryCompany": "佐川急便",
           "ShippingDate": "2026-11-18 09:31:26"}  # fmt: skip

    (line,) = mapping.read_listed_order(json.dumps(row).encode(), unknown=Counter()).record.lines

    assert (line.shipment.carrier, line.shipment.dispatched_at) == ("佐川急便", None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("注文間違い", ClaimReason.WRONG_ORDER),
        ("商品が破損していた", ClaimReason.DAMAGED),
        ("その他(初期不良)", ClaimReason.DEFECT),
        ("不良品か誤配送", ClaimReason.UNKNOWN),
        ("なんとなく", ClaimReason.UNKNOWN),
    ],
)
def test_a_reason_is_named_only_when_its_words_mean_one_thing(text, reason):
    assert vocabulary.reason_of(text) is reason


def test_unknown_codes_are_counted_within_bounds():
    unknown: Counter[str] = Counter()
    for code in range(2000):
        mapping.count_unknown(unknown, "STATUS", f"{code}" * 100)

    assert len(unknown) == mapping.MOST_UNKNOWN_CODES
    assert max(map(len, unknown)) <= 47


def row_of(**more: object) -> bytes:
    return json.dumps({"PackNo": 1, "OrderNo": 2, "OrderQty": 3, "ShippingStatus": "5", **more}).encode()


@pytest.mark.parametrize("none", ["", None, 0, "0", "  "])
def test_every_form_of_no_claim_is_none(none):
    order = mapping.read_whole_line(row_of(claimStatus=none), unknown=Counter()).record

    assert (order.claims, order.claims_are_complete, order.lines[0].status) == ((), True, "delivered")


def test_a_return_of_a_part_leaves_the_quantity_of_the_line_alone():
    unknown: Counter[str] = Counter()
    claim = mapping.read_claim(row_of(claimStatus="4", requestDate="2026-11-08 09:12:00", OrderQty=1), unknown=unknown)
    listed = mapping.read_listed_order(row_of(), unknown=unknown)

    assert (claim.record.quantity, listed.record.lines[0].remaining_quantity) == (1, 3)


def test_two_messages_of_one_question_are_two_inquiries_of_one_thread():
    rows = [
        {"INQ_TYPE": "MSG", "QUESTION_NO": 10, "SEQ_NO": seq, "INQ_DT": "2026-11-20 13:05:00", "STATUS": "S1"}
        for seq in (11, 12)
    ]

    found = [mapping.read_inquiry(json.dumps(row).encode(), unknown=Counter()).record for row in rows]

    assert [(each.inquiry_no, each.thread_no) for each in found] == [("MSG:10:11", "MSG:10"), ("MSG:10:12", "MSG:10")]


def test_the_look_up_by_number_tells_of_consignment_abroad():
    (line,) = mapping.read_whole_line(row_of(OverseaConsignment="Y"), unknown=Counter()).record.lines

    assert [(hint.name, hint.value) for hint in line.product.hints] == [("overseas_consignment", "Y")]
