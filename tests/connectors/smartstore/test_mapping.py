"""Traps of single records: hostile text, wrong types, merged claims, every known word."""

import json
from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.smartstore import vocabulary
from connectors.smartstore.mapping import read_detail, read_inquiry, read_qna
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, LineStatus, Order

from .conftest import detail, inquiry, qna


def read(record: object) -> Order:
    reading = read_detail(json.dumps(record).encode(), Counter())
    assert isinstance(reading.record, Order), reading.error
    return reading.record


def with_claims(current: dict | None = None, completed: list | None = None, before: dict | None = None, **product):
    return {**detail("1", **product), "currentClaim": current, "completedClaims": completed, "beforeClaim": before}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        None,
        [],
        "text",
        7,
        {"productOrder": {"productOrderId": "1", "quantity": 1}},
        {"order": {"orderId": "1"}, "productOrder": {"quantity": 1}},
        detail("1", quantity=None),
        detail("1", quantity="many"),
        detail("1", quantity=1.5),
        detail("1", quantity=[1]),
        detail("1", quantity=True),
        detail("1", totalPaymentAmount="12,400원"),
        detail("1", shippingDueDate="someday"),
        detail("1", shippingDueDate=20260307),
        detail("1", shippingDueDate="0001-01-01T00:00:00+09:00"),
        {**detail("1"), "delivery": "none"},
        with_claims(completed=["x"]),
    ],
    ids=str,
)
def test_a_broken_record_is_an_error_of_its_own(wrong):
    raw = json.dumps(wrong).encode()

    reading = read_detail(raw, Counter())

    assert reading.record is None
    assert reading.error
    assert reading.key
    assert reading.raw == raw


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"hopeDeliveryYmd": "20260320", "hopeDeliveryHm": "1400", "region": "서울"}, ["2026-03-20 14:00"]),
        ({"hopeDeliveryYmd": 20260320, "hopeDeliveryHm": "2460"}, ["2026-03-20"]),
        ({"hopeDeliveryYmd": "20261340", "hopeDeliveryHm": "1400"}, []),
        ({"hopeDeliveryYmd": "2026-3-2"}, []),
        ({}, []),
        ("", []),
        (None, []),
    ],
    ids=str,
)
def test_a_wished_day_is_shown_where_it_can_be_read_and_costs_no_order(told, shown):
    (line,) = read(detail("1", hopeDelivery=told)).lines

    assert [hint.value for hint in line.product.hints if hint.name == "wished_delivery"] == shown


def test_a_broken_record_keeps_its_number_and_tells_no_value():
    reading = read_detail(json.dumps(detail("20260304", totalPaymentAmount="홍길동 010-1234-5678")).encode(), Counter())

    assert reading.key == "20260304"
    assert reading.error == "not an amount of money at productOrder.totalPaymentAmount"


def test_broken_records_without_a_number_stay_apart():
    keys = {read_detail(raw, Counter()).key for raw in (b'{"a":1}', b'{"a":2}', b"nonsense", b'{"a":')}

    assert len(keys) == 4


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (r"a\u0000b", "ab"),
        (r"a\ud800b", "a?b"),
        (r"\ud83d\ude00", "😀"),
        ("<b>&\\\"'", "<b>&\"'"),
        (r"a\u0007\u001bb", "a\x07\x1bb"),
    ],
    ids=["NUL", "lone surrogate", "emoji", "markup", "control characters"],
)
def test_hostile_text_is_kept_as_far_as_databases_can(sent, kept):
    raw = json.dumps(detail("1", productName="@")).replace("@", sent).encode()

    reading = read_detail(raw, Counter())

    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].product.name == kept
    assert reading.raw == raw


def test_bytes_that_are_no_utf8_do_not_lose_the_record():
    raw = json.dumps(detail("1", productName="@")).encode().replace(b"@", b"\xff\xfe")

    reading = read_detail(raw, Counter())

    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].product.name == "��"


def test_ten_megabytes_of_text_and_a_deep_nest_are_no_crash():
    long = read_inquiry(json.dumps(inquiry(1, inquiryContent="가" * 3_500_000)).encode(), Counter())
    deep = read_detail(b'{"order":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Counter())

    assert long.error is None
    assert deep.error


def test_missing_remainder_is_unknown_and_zero_is_a_value():
    assert read(detail("1")).lines[0].remaining_quantity is None
    assert read(detail("1", remainQuantity=0)).lines[0].remaining_quantity == 0


def test_nothing_left_after_partial_cancels_is_cancelled():
    done = {"claimType": "CANCEL", "claimStatus": "CANCEL_DONE", "requestQuantity": 1}
    record = with_claims(completed=[{**done, "claimId": "1"}, {**done, "claimId": "2"}], quantity=2, remainQuantity=0)

    assert read(record).lines[0].status is LineStatus.CANCELLED


def test_a_claim_type_alone_cancels_nothing():
    order = read(detail("1", claimType="CANCEL", claimStatus="CANCEL_REJECT", remainQuantity=1))

    assert order.lines[0].status is LineStatus.PREPARING


def test_a_claim_in_two_places_is_one():
    current = {
        "return": {"claimId": "9", "claimStatus": "COLLECT_DONE", "returnReason": "BROKEN", "requestQuantity": 1}
    }
    completed = [{"claimId": "9", "claimType": "RETURN", "claimStatus": "RETURN_DONE"}]

    (claim,) = read(with_claims(current, completed, claimType="RETURN", claimStatus="RETURN_DONE", claimId="9")).claims

    assert (claim.state, claim.raw_state) == (ClaimState.DONE, "RETURN_DONE")
    assert (claim.reason, claim.quantity) == (ClaimReason.DAMAGED, 1)


def test_a_section_without_number_takes_that_of_the_product_order():
    current = {"cancel": {"claimRequestDate": "2026-03-05T08:00:00.000+09:00"}}

    (claim,) = read(with_claims(current, claimType="CANCEL", claimStatus="CANCEL_REQUEST", claimId="5")).claims

    assert (claim.claim_key, claim.state) == ("5", ClaimState.REQUESTED)


def test_a_claim_without_any_number_keeps_its_key_from_request_to_end():
    keys = []
    for status in ("CANCEL_REQUEST", "CANCELING", "CANCEL_DONE"):
        (claim,) = read(with_claims({"cancel": {"claimStatus": status}}, claimType="CANCEL", claimStatus=status)).claims
        keys.append(claim.claim_key)

    assert keys == ["1:CANCEL"] * 3


def test_claims_without_numbers_do_not_share_a_key():
    completed = [
        {"claimType": "RETURN", "claimStatus": "RETURN_REJECT", "claimRequestDate": "2026-03-06T08:00:00.000+09:00"},
        {"claimType": "RETURN", "claimStatus": "RETURN_REJECT", "claimRequestDate": "2026-03-05T08:00:00.000+09:00"},
    ]

    first, second = read(with_claims(completed=completed)).claims

    assert (first.claim_key, second.claim_key) == ("1:RETURN", "1:RETURN:2")
    assert first.requested_at is not None
    assert second.requested_at is not None
    assert first.requested_at < second.requested_at


@pytest.mark.parametrize("reason", ["EXTRAFEEE", "EXCHANGE_EXTRAFEE", "WHAT_IS_THIS"])
def test_a_hold_wins_over_the_step_it_interrupts(reason):
    unknown: Counter[str] = Counter()
    current = {
        "exchange": {
            "claimId": "9",
            "claimStatus": "COLLECT_DONE",
            "holdbackStatus": "HOLDBACK",
            "holdbackReason": reason,
        }
    }

    reading = read_detail(json.dumps(with_claims(current)).encode(), unknown)

    assert isinstance(reading.record, Order)
    (claim,) = reading.record.claims
    assert (claim.state, claim.raw_state, claim.hold_reason) == (ClaimState.HOLD, "COLLECT_DONE", reason)
    assert dict(unknown) == ({f"holdbackReason:{reason}": 1} if reason == "WHAT_IS_THIS" else {})


@pytest.mark.parametrize("held_back", ["RELEASED", None, "HOLDBACK"])
def test_a_finished_or_released_claim_is_not_on_hold(held_back):
    status = "RETURN_DONE" if held_back == "HOLDBACK" else "COLLECTING"
    current = {"return": {"claimId": "9", "claimStatus": status, "holdbackStatus": held_back, "holdbackReason": "ETC"}}

    (claim,) = read(with_claims(current)).claims

    assert claim.state is vocabulary.CLAIM_STATE[status]
    assert claim.hold_reason is None


def test_collecting_serves_return_and_exchange():
    kinds = [
        read(with_claims({kind: {"claimId": "1", "claimStatus": "COLLECTING"}})).claims[0].kind
        for kind in ("return", "exchange")
    ]

    assert kinds == [ClaimKind.RETURN, ClaimKind.EXCHANGE]


def test_a_released_confirm_hold_does_not_hold():
    order = read(detail("1", claimType="PURCHASE_DECISION_HOLDBACK", claimStatus="PURCHASE_DECISION_HOLDBACK_RELEASE"))

    assert order.lines[0].held is False
    assert order.claims[0].state is ClaimState.DONE


def test_the_sections_that_ended_are_not_read():
    assert read({**detail("1"), "cancel": {"claimId": "1", "claimStatus": "CANCEL_REQUEST"}}).claims == ()


@pytest.mark.parametrize("zone", ["", "+09:00", "Z"])
def test_times_end_in_utc(zone):
    order = read({**detail("1"), "delivery": {"sendDate": "2026-03-05T00:30:00.000" + zone}})

    shipment = order.lines[0].shipment
    assert shipment is not None
    day = 5 if zone == "Z" else 4
    hour = 0 if zone == "Z" else 15
    assert shipment.dispatched_at == datetime(2026, 3, day, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("answered", [None, "perhaps", 3], ids=["absent", "a strange word", "a number"])
def test_an_inquiry_in_a_strange_state_is_unknown_and_counted(answered):
    unknown: Counter[str] = Counter()

    reading = read_qna(json.dumps(qna(1, answered=answered)).encode(), unknown)

    assert reading.record is not None
    assert str(reading.record.state) == "unknown"
    assert list(unknown) == [f"answered:{'' if answered is None else answered}"]


@pytest.mark.parametrize("reader", [read_inquiry, read_qna])
@pytest.mark.parametrize("raw", [b"{}", b"null", b"[]", b"{", b'{"inquiryNo":1,"questionId":1}'])
def test_an_inquiry_without_number_or_time_is_an_error(reader, raw):
    reading = reader(raw, Counter())

    assert reading.record is None
    assert reading.error


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=30))
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "quantity",
                "productOrderStatus",
                "claimType",
                "claimStatus",
                "totalPaymentAmount",
                "shippingDueDate",
                "productName",
                "remainQuantity",
                "shippingAddress",
                "productId",
                "orderId",
            ]
        ),
        JUNK,
    ),
    JUNK,
    JUNK,
)
def test_no_record_crashes_and_each_is_read_or_an_error(product, claims, completed):
    record = {**detail("1", **product), "currentClaim": claims, "completedClaims": completed}
    raw = json.dumps(record).encode()

    reading = read_detail(raw, Counter())

    assert (reading.record is None) != (reading.error is None)
    assert reading.raw == raw
    msgspec.json.encode(reading.record)


STATUSES = {
    "cancel": ["CANCEL_REQUEST", "CANCELING", "CANCEL_DONE", "CANCEL_REJECT"],
    "return": ["RETURN_REQUEST", "COLLECTING", "COLLECT_DONE", "RETURN_DONE", "RETURN_REJECT"],
    "exchange": ["EXCHANGE_REQUEST", "EXCHANGE_REDELIVERING", "EXCHANGE_DONE", "EXCHANGE_REJECT"],
}


@given(
    st.lists(
        st.sampled_from(list(STATUSES)).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(STATUSES[kind]))),
        min_size=1,
        max_size=5,
    )
)
def test_claims_are_counted_by_number(history):
    completed = [
        {"claimId": str(number), "claimType": kind.upper(), "claimStatus": status}
        for number, (kind, status) in enumerate(history)
    ]
    kind, status = history[-1]
    last = {"claimId": str(len(history) - 1), "claimStatus": status}
    record = with_claims({kind: last}, completed, claimType=kind.upper(), claimStatus=status, claimId=last["claimId"])

    claims = read(record).claims

    assert sorted(claim.claim_key for claim in claims) == [str(number) for number in range(len(history))]
    assert {claim.claim_key: claim.raw_state for claim in claims} == {
        str(number): status for number, (_, status) in enumerate(history)
    }


def test_every_canonical_claim_is_told_apart_from_a_gap():
    # The merge fills what is None or unknown: a new field with another default would be lost.
    defaults = {field.default for field in msgspec.structs.fields(Claim) if field.default is not msgspec.NODEFAULT}

    assert {str(default) for default in defaults} == {"None", "unknown"}


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({"totalPaymentAmount": 24800, "initialPaymentAmount": 24800, "remainPaymentAmount": 12400}, 24800),
        ({"totalPaymentAmount": None, "initialPaymentAmount": "24800", "remainPaymentAmount": 12400}, 24800),
        ({"totalPaymentAmount": 0, "initialPaymentAmount": 24800}, 0),
        ({"totalPaymentAmount": None, "remainPaymentAmount": 12400}, None),
    ],
    ids=["all three", "no total", "a total of nothing", "only what is left"],
)
def test_a_line_costs_what_was_first_paid(amounts, expected):
    amount = read(detail("1", **amounts)).lines[0].amount

    assert (amount.minor if amount else None) == expected
