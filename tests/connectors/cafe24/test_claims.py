"""The two layers of claims become one claim with one key for life."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cafe24.mapping import map_order
from connectors.cafe24.vocabulary import CLAIM_STATE, FINAL_STATUS
from connectors.cafe24.wire import order_decoder
from hub.core.model import ClaimKind, ClaimReason, ClaimState, EndedBy, FaultParty, LineStatus, Order
from tests.connectors.cafe24.mall import Mall, item, order

LINE = "20261118-0000021-01"
ASKED = "2026-11-19T09:00:00+09:00"
CANCEL_KEY = f"{LINE}:cancel:20261119090000"


def read(*items: dict[str, Any], codes: Counter[str] | None = None, **fields: Any) -> Order:
    wire = order_decoder.decode(msgspec.json.encode(order(items=list(items), **fields)))
    return map_order(wire, codes=Counter() if codes is None else codes)


def requested(status: str = "C00", **fields: Any) -> dict[str, Any]:
    return item(
        order_status=status,
        order_status_before_cs="N20",
        cancel_request_date=ASKED,
        claim_reason_type="A",
        claim_reason="단순 변심",
        claim_quantity=1,
        **fields,
    )


def claim(claim_code: str = "C20261119-0000004", *nested: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"claim_code": claim_code, "claim_reason_type": "K", "undone": "F", "items": list(nested), **fields}


def test_a_request_leaves_the_line_where_it_was() -> None:
    record = read(requested())

    (found,) = record.claims
    assert record.lines[0].status is LineStatus.PREPARING
    assert record.lines[0].raw_status == "C00"
    assert found.claim_key == CANCEL_KEY
    assert (found.state, found.claim_no, found.quantity) == (ClaimState.REQUESTED, None, 1)
    assert (found.reason, found.fault_party) == (ClaimReason.CHANGE_OF_MIND, FaultParty.CUSTOMER)
    assert found.requested_at == datetime(2026, 11, 19, tzinfo=UTC)


@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("status", ["C10", "C34", "C36", "C40"])
def test_the_key_stays_from_request_to_end(status: str, naive: bool) -> None:
    asked = "2026-11-19 09:00:00" if naive else ASKED
    current = requested(status, claim_code="C20261119-0000004") | {"cancel_request_date": asked}
    record = read(current, cancellation=[claim("C20261119-0000004", current)])

    (found,) = record.claims
    assert found.claim_key == CANCEL_KEY
    assert found.claim_no == "C20261119-0000004"
    assert found.state is CLAIM_STATE[status]
    assert record.claims_are_complete


def test_a_withdrawn_request_leaves_its_date_behind() -> None:
    record = read(requested("N20", request_undone="Cancellation"))

    (found,) = record.claims
    assert found.claim_key == CANCEL_KEY
    assert found.state is ClaimState.WITHDRAWN


@pytest.mark.parametrize("status", ["C11", "N20", "N30"])
def test_a_refused_request_is_rejected_by_the_seller(status: str) -> None:
    record = read(requested(status))

    (found,) = record.claims
    assert (found.claim_key, found.state, found.ended_by) == (CANCEL_KEY, ClaimState.REJECTED, EndedBy.SELLER)


@pytest.mark.parametrize("status", ["E20", "E33"])
def test_nobody_has_ended_an_exchange_whose_goods_are_on_their_way(status: str) -> None:
    current = item(order_status=status, exchange_request_date=ASKED, claim_code="B1")
    record = read(current, exchange=[claim("B1", current)])

    (found,) = record.claims
    assert (found.state, found.ended_at, found.ended_by) == (ClaimState.RESHIPPING, None, None)


def test_a_request_without_a_trace_is_no_claim() -> None:
    assert read(item(cancel_request_date="0000-00-00 00:00:00", return_request_date="")).claims == ()


def test_an_accepted_claim_without_a_request_is_known_by_its_number() -> None:
    current = item(order_status="C40", order_status_before_cs="N20", claim_code="C20261119-0000004")
    record = read(current, cancellation=[claim("C20261119-0000004", current)])

    assert [found.claim_key for found in record.claims] == [f"{LINE}:C20261119-0000004"]


def test_a_second_request_after_an_undone_claim_is_another_claim() -> None:
    first = requested("N20", request_undone="Cancellation", claim_code=None)
    now = requested("C00") | {"cancel_request_date": "2026-11-20T10:00:00+09:00"}
    record = read(now, cancellation=[claim("C20261119-0000004", first, undone="T")])

    states = {found.claim_key: found.state for found in record.claims}
    assert states == {
        CANCEL_KEY: ClaimState.WITHDRAWN,
        f"{LINE}:cancel:20261120100000": ClaimState.REQUESTED,
    }


def test_two_claims_never_share_a_key() -> None:
    now = requested("C00")
    record = read(now, cancellation=[claim("C1", now, undone="T"), claim("C2", now, undone="T")])

    keys = [found.claim_key for found in record.claims]
    assert len(keys) == len(set(keys)) == 3


def test_a_return_after_a_done_exchange_keeps_both() -> None:
    now = item(
        order_status="R00",
        order_status_before_cs="N40",
        exchange_request_date="2026-11-10T10:00:00+09:00",
        return_request_date="2026-11-20T10:00:00+09:00",
    )
    record = read(now, exchange=[claim("B20261110-0000001", now)])

    states = {found.kind.value: found.state for found in record.claims}
    assert states == {"exchange": ClaimState.DONE, "return": ClaimState.REQUESTED}


def test_the_replacement_of_an_exchange_has_no_claim_of_its_own() -> None:
    origin = item(order_status="E40", exchange_request_date=ASKED, claim_code="B1")
    replacement = item(
        number=2, order_status="N01", status_code="N2", exchange_request_date=ASKED, original_item_no=[201]
    )
    record = read(
        origin, replacement, exchange=[claim("B1", origin, exchanged_items=[{"order_item_code": f"{LINE[:-1]}2"}])]
    )

    assert [found.line_no for found in record.claims] == [LINE]
    assert [line.status for line in record.lines] == [LineStatus.EXCHANGED, LineStatus.PREPARING]


def test_a_rest_of_a_split_line_is_not_refused() -> None:
    rest = requested("N20") | {"quantity": 2, "claim_quantity": None}
    part = requested("C40", claim_code="C1") | {
        "order_item_code": f"{LINE[:-1]}2",
        "item_no": 202,
        "original_item_no": [201],
    }
    record = read(rest, part, cancellation=[claim("C1", part)])

    assert [(found.line_no, found.state) for found in record.claims] == [(f"{LINE[:-1]}2", ClaimState.DONE)]


@pytest.mark.parametrize("status", ["C47", "C48", "C49"])
def test_an_order_that_was_never_paid_is_cancelled_without_a_claim(status: str) -> None:
    record = read(item(order_status=status), paid="F")

    assert record.lines[0].status is LineStatus.CANCELLED
    assert record.claims == ()


@pytest.mark.parametrize("code", ["C99", "R77", "E01", "X00", "", "C00 "])
def test_a_code_without_a_table_is_unknown_and_counted(code: str) -> None:
    codes: Counter[str] = Counter()
    record = read(item(order_status=code, order_status_before_cs="N20"), codes=codes)

    if code.strip() == "C00":
        assert record.lines[0].status is LineStatus.PREPARING
        return
    assert record.lines[0].status is LineStatus.UNKNOWN
    assert record.lines[0].raw_status == code
    assert codes[f"order_status:{code}"] == 1
    assert [found.state for found in record.claims] == ([ClaimState.UNKNOWN] if code[:1] in {"C", "R", "E"} else [])


def test_an_unknown_reason_is_unknown_and_counted() -> None:
    codes: Counter[str] = Counter()
    record = read(requested() | {"claim_reason_type": "K7"}, codes=codes)

    assert (record.claims[0].reason, record.claims[0].raw_reason) == (ClaimReason.UNKNOWN, "K7")
    assert codes == {"claim_reason_type:K7": 1}


@pytest.mark.parametrize(
    ("buyer", "seller", "reason"),
    [
        ("V", "F", ClaimReason.DEFECT),
        ("W", "J", ClaimReason.WRONG_ITEM),
        (None, "D", ClaimReason.DAMAGED),
        (None, "H", ClaimReason.OUT_OF_STOCK),
        ("", "", ClaimReason.UNKNOWN),
    ],
)
def test_the_buyers_reason_stands_before_the_sellers(buyer: str | None, seller: str, reason: ClaimReason) -> None:
    now = item(order_status="R20", return_request_date=ASKED, claim_code="C1", claim_reason_type=buyer)
    record = read(now, **{"return": [claim("C1", now, claim_reason_type=seller)]})

    assert record.claims[0].reason is reason


def test_the_return_parcel_and_the_refund_are_read() -> None:
    now = item(order_status="R34", order_status_before_cs="N40", return_request_date=ASKED, claim_code="C1")
    details = {
        "return_invoice_no": "600000000001",
        "return_shipping_company_name": "CJ대한통운",
        "refund_amounts": [
            {"payment_method": "card", "amount": "9000.00"},
            {"payment_method": "point", "amount": "500.00"},
        ],
    }
    record = read(now, **{"return": [claim("C1", **details)]})

    (found,) = record.claims
    assert (found.collect_carrier, found.collect_tracking_no) == ("CJ대한통운", "600000000001")
    assert found.refund is not None
    assert (found.refund.minor, found.refund.currency) == (9500, "KRW")


async def test_a_claim_is_fetched_only_when_the_order_does_not_bring_it() -> None:
    now = requested("C10", claim_code="C20261119-0000004")
    bare = order(items=[now])
    del bare["cancellation"]
    mall = Mall()
    mall.on("GET orders/20261118-0000021", {"order": bare})
    mall.on("GET cancellation/C20261119-0000004", {"cancellation": claim("C20261119-0000004", now)})

    (reading,) = await mall.open().read_order("20261118-0000021", ())

    assert isinstance(reading.record, Order)
    assert reading.record.claims_are_complete
    assert len(mall.asked("GET cancellation/C20261119-0000004")) == 1

    mall.on("GET cancellation/C20261119-0000004", lambda _request: httpx.Response(404, json={}))
    (reading,) = await mall.open().read_order("20261118-0000021", ())

    assert isinstance(reading.record, Order)
    assert not reading.record.claims_are_complete
    assert reading.record.claims[0].claim_key == CANCEL_KEY


DATES = st.sampled_from([None, "", "0000-00-00", ASKED, "2026-11-19 09:00:00", "2026-11-20T10:00:00+09:00"])


@given(
    status=st.sampled_from([*CLAIM_STATE, *FINAL_STATUS, "N20", "N40", "Z1", ""]),
    before=st.sampled_from([None, "N20", "N40", "C00", "?"]),
    claim_code=st.sampled_from([None, "", "C1", "B1"]),
    undone=st.sampled_from([None, "Cancellation", "Return", "exchange", "x"]),
    dates=st.tuples(DATES, DATES, DATES),
    quantity=st.integers(min_value=1, max_value=3),
)
def test_claims_are_unique_and_never_crash(
    status: str, before: str | None, claim_code: str | None, undone: str | None, dates: tuple[Any, ...], quantity: int
) -> None:
    now = item(
        order_status=status,
        order_status_before_cs=before,
        claim_code=claim_code,
        request_undone=undone,
        cancel_request_date=dates[0],
        return_request_date=dates[1],
        exchange_request_date=dates[2],
        quantity=quantity,
    )
    record = read(
        now, cancellation=[claim("C1", now)], **{"return": [claim("C1", now, undone="T")]}, exchange=[claim("B1")]
    )

    keys = [found.claim_key for found in record.claims]
    assert len(keys) == len(set(keys))
    assert record.lines[0].quantity == quantity


@pytest.mark.parametrize(
    ("sign", "kind", "state", "ended_by"),
    [
        ({"market_cancel_request": "T"}, ClaimKind.CANCEL, ClaimState.REQUESTED, None),
        ({"naver_pay_claim_status": "CANCEL_REQUEST"}, ClaimKind.CANCEL, ClaimState.REQUESTED, None),
        ({"naver_pay_claim_status": "CANCEL_REJECT"}, ClaimKind.CANCEL, ClaimState.REJECTED, EndedBy.UNKNOWN),
        ({"naver_pay_claim_status": "RETURN_REQUEST"}, ClaimKind.RETURN, ClaimState.REQUESTED, None),
        ({"naver_pay_claim_status": "COLLECTING"}, ClaimKind.UNKNOWN, ClaimState.COLLECTING, None),
        ({"naver_pay_claim_status": "EXCHANGE_REDELIVERING"}, ClaimKind.EXCHANGE, ClaimState.RESHIPPING, None),
        ({"naver_pay_claim_status": "ADMIN_CANCEL_DONE"}, ClaimKind.ADMIN_CANCEL, ClaimState.DONE, EndedBy.UNKNOWN),
        ({"naver_pay_claim_status": "PURCHASE_DECISION_HOLDBACK"}, ClaimKind.CONFIRM_HOLD, ClaimState.HOLD, None),
    ],
)
def test_a_claim_that_is_kept_elsewhere_is_seen(
    sign: dict[str, str], kind: ClaimKind, state: ClaimState, ended_by: EndedBy | None
) -> None:
    """The item's own status stays a plain one."""
    record = read(item(order_status="N20", **sign))

    (found,) = record.claims
    assert (found.kind, found.state, found.ended_by) == (kind, state, ended_by)
    assert found.raw_state == sign.get("naver_pay_claim_status", "market_cancel_request")
    assert record.lines[0].status is LineStatus.PREPARING


@pytest.mark.parametrize("word", ["PAYED", "DELIVERED", "NOT_YET", "OK", "", None])
def test_the_steps_of_a_naver_pay_order_are_no_claims(word: str | None) -> None:
    codes: Counter[str] = Counter()

    assert read(item(naver_pay_claim_status=word), codes=codes).claims == ()
    assert codes == Counter()


def test_a_word_of_naver_pay_that_no_table_holds_is_counted_and_tells_nothing() -> None:
    codes: Counter[str] = Counter()

    assert read(item(naver_pay_claim_status="TOMORROW"), codes=codes).claims == ()
    assert codes == Counter({"naver_pay_claim_status:TOMORROW": 1})


def test_the_malls_own_status_wins_over_what_is_told_from_elsewhere() -> None:
    record = read(requested("C00", naver_pay_claim_status="CANCEL_REQUEST"))

    assert [(found.kind, found.raw_state) for found in record.claims] == [(ClaimKind.CANCEL, "C00")]


def test_a_request_date_beside_a_claim_kept_elsewhere_makes_no_second_claim() -> None:
    line = item(naver_pay_claim_status="CANCEL_REQUEST", cancel_request_date="2026-11-19T09:00:00+09:00")

    (found,) = read(line).claims

    assert (found.state, found.requested_at) == (ClaimState.REQUESTED, datetime(2026, 11, 19, 0, 0, tzinfo=UTC))


def test_a_claim_that_is_told_twice_is_one() -> None:
    """One claim over two lines may be embedded once for each of them."""
    lines = [{**requested("C10", claim_code="C1"), "order_item_code": f"20261118-0000021-{n:02}"} for n in (1, 2)]

    record = read(*lines, cancellation=[claim("C1", *lines), claim("C1", *lines)])

    assert sorted((found.line_no, found.claim_no) for found in record.claims) == [
        ("20261118-0000021-01", "C1"),
        ("20261118-0000021-02", "C1"),
    ]


def test_a_claim_over_a_line_that_the_order_does_not_show_is_counted() -> None:
    codes: Counter[str] = Counter()
    elsewhere = {**requested("C10", claim_code="C1"), "order_item_code": "20261118-0000021-77"}

    record = read(item(), cancellation=[claim("C1", elsewhere)], codes=codes)

    assert (record.claims, record.claims_are_complete) == ((), False)
    assert codes == Counter({"claim.items:cancel": 1})
