"""Every write on a line against the emulated mall: done, in a wrong state, with its answer lost, on a part."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from hub.core.contract import Answer, LineAction, OpenKeys, Outcome, Span
from hub.core.errors import RejectedByMallError
from hub.core.model import ClaimKind, ClaimReason, ClaimState, Inquiry, Line, LineStatus, Product
from tests.connectors.cafe24.mall import Mall, item, order
from tests.connectors.cafe24.town import LATER, SHOP, TRACKING, Prepare, Spot, Town, outcome_of, shown

PAID, PREPARING = LineStatus.PAID, LineStatus.PREPARING
DELIVERED = LineStatus.DELIVERED
RETURN, EXCHANGE, CANCEL = ClaimKind.RETURN, ClaimKind.EXCHANGE, ClaimKind.CANCEL
ACCEPTED, COLLECTED = ClaimState.ACCEPTED, ClaimState.COLLECTED


def plain(status: LineStatus) -> Prepare:
    return lambda town: town.line(status)


def claimed(kind: ClaimKind, *states: ClaimState) -> Prepare:
    def prepare(town: Town) -> Spot:
        spot = town.line(PREPARING if kind is CANCEL else DELIVERED)
        spot.claim(kind, *states)
        return spot

    return prepare


@dataclass(frozen=True)
class Write:
    """One write: a line that it fits, one that it does not, what is given with it and where the line ends."""

    name: str
    ready: Prepare
    wrong: Prepare
    ends: set[str]
    gives: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


PARCEL = {"carrier": "0006", "tracking_no": TRACKING}
WHY = {"reason": ClaimReason.DEFECT, "text": "지퍼가 고장났대요"}
SAID = {"text": "기간이 지났습니다."}
WRITES = (
    Write("confirm", plain(PAID), plain(DELIVERED), {"N20", "N21"}),
    Write("dispatch", plain(PREPARING), plain(DELIVERED), {"N30"}, PARCEL),
    Write("dispatch", plain(PREPARING), claimed(CANCEL), {"N30"}, PARCEL),
    Write("seller_cancel", plain(PAID), plain(DELIVERED), {"C10"}, {"reason": ClaimReason.OUT_OF_STOCK}),
    Write("seller_cancel", plain(PREPARING), claimed(CANCEL), {"C10"}, {"reason": ClaimReason.LATE}),
    Write("approve_cancel", claimed(CANCEL), plain(PREPARING), {"C10"}),
    Write("refuse_cancel", claimed(CANCEL), plain(PREPARING), {"C11"}, SAID),
    Write("accept_return", claimed(RETURN), plain(DELIVERED), {"R10"}),
    Write("collect_return", claimed(RETURN, ACCEPTED), claimed(RETURN), {"R13", "R20"}, PARCEL),
    Write("collect_return", claimed(RETURN, ACCEPTED), claimed(RETURN, ACCEPTED, COLLECTED), {"R13", "R20"}),
    Write("refuse_return", claimed(RETURN), claimed(RETURN, ACCEPTED), {"R11"}, SAID),
    Write("complete_return", claimed(RETURN, ACCEPTED, COLLECTED), claimed(RETURN, ACCEPTED, ClaimState.HOLD), {"R40"}),
    Write("accept_exchange", claimed(EXCHANGE), plain(DELIVERED), {"E10"}),
    Write("collect_exchange", claimed(EXCHANGE, ACCEPTED), plain(DELIVERED), {"E13", "E31"}),
    Write("refuse_exchange", claimed(EXCHANGE), claimed(RETURN), {"E11"}, SAID),
    Write("redeliver_exchange", claimed(EXCHANGE, ACCEPTED, COLLECTED), claimed(EXCHANGE), {"E20"}, PARCEL),
    Write("complete_exchange", claimed(EXCHANGE, ACCEPTED, COLLECTED), claimed(EXCHANGE), {"E40"}),
    Write("file_return", plain(DELIVERED), plain(PREPARING), {"R00"}, WHY),
    Write("file_exchange", plain(DELIVERED), claimed(RETURN), {"E00"}, WHY),
)
every_write = pytest.mark.parametrize("write", WRITES, ids=str)


@pytest.fixture
def town() -> Town:
    return Town()


@every_write
async def test_a_write_is_sent_once_and_its_effect_is_read_back(town: Town, write: Write) -> None:
    spot = write.ready(town)

    result = await spot.act(write.name, **write.gives)

    assert outcome_of(result) == (Outcome.DONE, None)
    assert len(town.writes) == 1
    assert spot.truth()[spot.line_no] in write.ends
    assert shown(result, spot.line_no) == spot.truth()[spot.line_no]


@every_write
async def test_the_wrong_state_is_refused_without_sending(town: Town, write: Write) -> None:
    spot = write.wrong(town)
    before = spot.truth()

    result = await spot.act(write.name, **write.gives)

    assert result.outcome is Outcome.REFUSED
    assert result.lines[0].mall_message
    assert shown(result, spot.line_no) == before[spot.line_no]
    assert (town.writes, spot.truth()) == ([], before)


@every_write
async def test_a_lost_answer_is_settled_by_reading(town: Town, write: Write) -> None:
    spot = write.ready(town)
    town.lose = "after"

    result = await spot.act(write.name, **write.gives)

    assert result.outcome is Outcome.DONE
    assert len(town.writes) == 1


@every_write
async def test_a_write_that_never_arrived_is_not_called_done(town: Town, write: Write) -> None:
    spot = write.ready(town)
    before = spot.truth()
    town.lose = "before"

    result = await spot.act(write.name, **write.gives)

    assert result.outcome is Outcome.UNKNOWN
    assert before[spot.line_no] in (result.lines[0].mall_message or "")
    assert len(town.writes) == 1
    assert spot.truth() == before


@every_write
async def test_the_same_write_again_sends_nothing(town: Town, write: Write) -> None:
    spot = write.ready(town)
    action = await spot.action(**write.gives)
    await getattr(town.connector, write.name)(action)
    town.writes.clear()
    town.pass_time(minutes=1)

    again = await getattr(town.connector, write.name)(action)

    assert again.outcome in {Outcome.DONE, Outcome.REFUSED}
    assert town.writes == []


async def test_a_part_is_cancelled_and_the_rest_stays(town: Town) -> None:
    spot = town.line(PREPARING, quantity=2)
    before = spot.truth()

    result = await spot.act("seller_cancel", quantity=1, reason=ClaimReason.OUT_OF_STOCK)

    after = spot.truth()
    assert result.outcome is Outcome.DONE
    assert after[spot.line_no] == before[spot.line_no]
    assert [code for line_no, code in after.items() if line_no not in before] == ["C10"]


async def test_the_part_that_is_asked_for_is_accepted_and_goes_on_as_a_line_of_its_own(town: Town) -> None:
    spot = town.line(DELIVERED, quantity=2)
    spot.claim(RETURN, quantity=1)
    before = spot.truth()

    accepted = await spot.act("accept_return")
    (part,) = set(spot.truth()) - set(before)
    collected = await spot.act("collect_return", part)
    completed = await spot.act("complete_return", part)

    assert [accepted.outcome, collected.outcome, completed.outcome] == [Outcome.DONE] * 3
    assert spot.truth()[part] == "R40"
    assert spot.truth()[spot.line_no] == "N40"


async def test_an_exchange_goes_its_whole_way(town: Town) -> None:
    spot = town.line(DELIVERED)
    variant = (await spot.read()).lines[0].product.option_code
    outcomes = [(await spot.act("file_exchange", **WHY)).outcome]

    outcomes.append((await spot.act("accept_exchange")).outcome)
    (sent,) = town.writes
    town.pass_time(minutes=1)
    for step, gives in (("collect_exchange", {}), ("redeliver_exchange", PARCEL), ("complete_exchange", {})):
        outcomes.append((await spot.act(step, **gives)).outcome)
        town.pass_time(minutes=1)

    assert outcomes == [Outcome.DONE] * 5
    assert spot.truth()[spot.line_no] == "E40"
    body = json.loads(sent[2])
    assert body["request"]["same_product"] == "T"
    assert variant is None or body["request"]["items"][0]["exchange_variant_code"]
    after = await spot.read()
    replacement = next(line for line in after.lines if line.replaces_line_no == spot.line_no)
    assert [claim.reship_tracking_no for claim in after.claims if claim.kind is EXCHANGE] == [TRACKING]
    assert replacement.shipment is not None
    assert replacement.shipment.tracking_no == TRACKING


async def test_the_replacement_itself_may_be_named(town: Town) -> None:
    spot = claimed(EXCHANGE, ACCEPTED, COLLECTED)(town)
    replacement = next(line for line in (await spot.read()).lines if line.replaces_line_no == spot.line_no)

    result = await spot.act("redeliver_exchange", replacement.line_no, **PARCEL)

    assert result.outcome is Outcome.DONE
    assert json.loads(town.writes[0][2])["request"]["order_item_code"] == [replacement.line_no]


async def test_a_delay_tells_the_new_day_and_nothing_else(town: Town) -> None:
    spot = town.line(PREPARING)
    gives = {"ship_on": LATER, "reason": ClaimReason.LATE}

    result = await spot.act("delay", **gives)
    written = list(town.writes)
    again = await spot.act("delay", **gives)

    assert (result.outcome, again.outcome) == (Outcome.DONE, Outcome.DONE)
    assert town.writes == []
    ((method, path, body),) = written
    assert (method, path) == ("PUT", f"/api/v2/admin/orders/{spot.order_no}/items/{spot.line_no}")
    assert json.loads(body) == {"shop_no": 2, "request": {"shipping_expected_date": "2026-12-24"}}
    line = next(line for line in (await spot.read()).lines if line.line_no == spot.line_no)
    assert line.planned_ship_at is not None
    assert line.planned_ship_at + timedelta(hours=9) == line.planned_ship_at.replace(
        year=2026, month=12, day=24, hour=0, minute=0
    )


async def test_a_held_line_is_not_dispatched(town: Town) -> None:
    spot = town.line(PREPARING)
    town.world.set_held(spot.line, is_held=True)

    result = await spot.act("dispatch", **PARCEL)

    assert result.outcome is Outcome.REFUSED
    assert "N22" in (result.lines[0].mall_message or "")
    assert town.writes == []


async def test_another_parcel_than_ours_is_not_our_dispatch(town: Town) -> None:
    spot = town.line(PREPARING)
    action = await spot.action(**PARCEL)
    town.world.dispatch(spot.line, "한진택배", "999999999999")
    town.writes.clear()

    result = await town.connector.dispatch(action)

    assert result.outcome is Outcome.REFUSED
    assert town.writes == []


@pytest.mark.parametrize(
    ("write", "gives", "named"),
    [
        ("dispatch", {"tracking_no": "1"}, "carrier"),
        ("dispatch", {"carrier": "0006", "tracking_no": " "}, "tracking_no"),
        ("dispatch", {"carrier": "0006", "tracking_no": "1" * 41}, "tracking_no"),
        ("delay", {}, "ship_on"),
        ("delay", {"ship_on": date(2026, 11, 21)}, "ship_on"),
        ("seller_cancel", {}, "reason"),
        ("seller_cancel", {"reason": ClaimReason.UNKNOWN}, "reason"),
        ("seller_cancel", {"reason": ClaimReason.LATE, "text": "가" * 2001}, "text"),
        ("seller_cancel", {"reason": ClaimReason.LATE, "quantity": 99}, "quantity"),
        ("refuse_return", {}, "text"),
        ("refuse_exchange", {"text": " "}, "text"),
        ("collect_return", {"tracking_no": "1" * 41}, "tracking_no"),
        ("file_return", {}, "reason"),
        ("file_exchange", {"reason": ClaimReason.UNKNOWN}, "reason"),
        ("memo", {"text": " "}, "text"),
        ("memo", {"text": "가" * 1001}, "text"),
        ("give_points", {"text": "보상"}, "points"),
        ("give_points", {"text": "보상", "points": 0}, "points"),
        ("give_points", {"text": "보상", "points": 1_000_001}, "points"),
        ("give_points", {"points": 1000}, "text"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_sent(
    town: Town, write: str, gives: dict[str, Any], named: str
) -> None:
    spot = town.line(PREPARING)

    with pytest.raises(RejectedByMallError, match=f"^{named}: "):
        await spot.act(write, **gives)

    assert town.writes == []


async def test_a_variant_of_another_product_is_not_promised(town: Town) -> None:
    spot = claimed(EXCHANGE)(town)

    result = await spot.act("accept_exchange", option_code="P0000ZZZ000A")

    assert result.outcome is Outcome.REFUSED
    assert "option_code" in (result.lines[0].mall_message or "")
    assert town.writes == []


async def test_an_order_paid_by_naver_pay_gets_its_own_reason_only(town: Town) -> None:
    spot = town.line(PREPARING, payments=("naverpay",), sub_shop=1)

    result = await spot.act("seller_cancel", reason=ClaimReason.OUT_OF_STOCK)

    assert result.outcome is Outcome.DONE
    body = json.loads(town.writes[0][2])["request"]
    assert body["naverpay_cancel_reason_type"] == "56"
    assert not body.keys() & {"claim_reason_type", "recover_coupon", "add_memo_too", "payment_gateway_cancel"}


async def test_a_refusal_of_the_mall_is_shown_in_its_words(town: Town) -> None:
    spot = town.line(PREPARING)

    result = await spot.act("dispatch", carrier="9999", tracking_no=TRACKING)

    assert outcome_of(result) == (Outcome.REFUSED, "Invalid value. (parameter.shipping_company_code)")
    assert len(town.writes) == 1


async def test_a_claim_that_is_not_meant_is_left_alone(town: Town) -> None:
    spot = claimed(RETURN, ACCEPTED)(town)
    action = await spot.action()
    assert action.claim is not None
    other = msgspec.structs.replace(action, claim=msgspec.structs.replace(action.claim, claim_no="C20260101-0000001"))

    result = await town.connector.complete_return(other)

    assert result.outcome is Outcome.REFUSED
    assert town.writes == []


# -- memos and points


async def test_a_memo_is_kept_once(town: Town) -> None:
    spot = town.line(PREPARING)

    first = await spot.act("memo", text="고객 통화: 내일 <재통화>\n꼭")
    second = await spot.act("memo", text="고객 통화: 내일 <재통화>\n꼭")

    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.DONE)
    assert [memo.text for memo in spot.order.memos] == ["고객 통화: 내일 <재통화>\n꼭"]


@pytest.mark.parametrize(("lose", "outcome", "kept"), [("after", Outcome.DONE, 1), ("before", Outcome.UNKNOWN, 0)])
async def test_a_lost_memo_is_looked_for(town: Town, lose: str, outcome: Outcome, kept: int) -> None:
    spot = town.line(PREPARING)
    town.lose = lose

    result = await spot.act("memo", text="메모")

    assert (result.outcome, len(spot.order.memos), len(town.writes)) == (outcome, kept, 1)


async def test_points_are_given_once_for_one_reason(town: Town) -> None:
    spot = town.line(PREPARING)

    first = await spot.act("give_points", points=3000, text="배송 지연 보상")
    sent = list(town.writes)
    second = await spot.act("give_points", points=3000, text="배송 지연 보상")
    other = await spot.act("give_points", points=500, text="다른 사유")

    assert [first.outcome, second.outcome, other.outcome] == [Outcome.DONE, Outcome.REFUSED, Outcome.DONE]
    assert [(given.amount, given.reason) for given in spot.order.points] == [
        (3000, "배송 지연 보상"),
        (500, "다른 사유"),
    ]
    assert json.loads(sent[0][2]) == {
        "shop_no": 2,
        "request": {
            "member_id": spot.order.buyer.member_id,
            "order_id": spot.order_no,
            "amount": 3000,
            "type": "increase",
            "reason": "배송 지연 보상",
        },
    }


@pytest.mark.parametrize(("lose", "outcome", "given"), [("after", Outcome.DONE, 1), ("before", Outcome.UNKNOWN, 0)])
async def test_lost_points_are_looked_for(town: Town, lose: str, outcome: Outcome, given: int) -> None:
    spot = town.line(PREPARING)
    town.lose = lose

    result = await spot.act("give_points", points=3000, text="보상")

    assert (result.outcome, len(spot.order.points), len(town.writes)) == (outcome, given, 1)


async def test_a_guest_gets_no_points(town: Town) -> None:
    spot = town.line(PREPARING, has_member=False)

    result = await spot.act("give_points", points=3000, text="보상")

    assert result.outcome is Outcome.REFUSED
    assert town.writes == []


# -- answers


async def asked(town: Town, *, is_urgent: bool = False) -> Inquiry:
    """A question of an order that was just asked, as the hub reads it."""
    about = town.line(PREPARING).order
    for _ in range(10):
        fact = town.world.ask(SHOP, subject="언제 와요?", text="배송이 궁금합니다", order=about)
        if (fact.number % 10 == 0) is is_urgent:
            break
    town.pass_time(minutes=1)
    span = Span(since=town.now - timedelta(hours=1), until=town.now, is_full=False)
    found = [
        reading.record
        async for page in town.connector.read_inquiries(span, open_keys=OpenKeys(), cursor=None)
        for reading in page.readings
    ]
    return next(
        each
        for each in found
        if isinstance(each, Inquiry) and each.asked_at == fact.asked_at and ("urgent" in each.inquiry_no) is is_urgent
    )


@pytest.mark.parametrize("is_urgent", [False, True])
@pytest.mark.parametrize("lose", [None, "after"])
async def test_a_standing_answer_is_replaced(town: Town, is_urgent: bool, lose: str | None) -> None:
    inquiry = await asked(town, is_urgent=is_urgent)
    nothing = await town.connector.change_answer(Answer(inquiry=inquiry, text="모레 출고됩니다."))
    first = await town.connector.answer_inquiry(Answer(inquiry=inquiry, text="내일 출고됩니다.", author="김상담"))
    town.pass_time(minutes=1)
    town.writes.clear()
    town.lose = lose

    changed = await town.connector.change_answer(Answer(inquiry=inquiry, text="모레 <출고>됩니다.\n감사합니다."))
    again = await town.connector.change_answer(Answer(inquiry=inquiry, text="모레 <출고>됩니다.\n감사합니다."))

    assert [nothing.outcome, first.outcome] == [Outcome.REFUSED, Outcome.DONE]
    assert [changed.outcome, again.outcome] == [Outcome.DONE, Outcome.DONE]
    assert [method for method, _, _ in town.writes] == ["PUT"]
    row = next(row for row in town.mall.truth().inquiries if row["inquiry_no"] == inquiry.inquiry_no)
    assert (row["state"], row["answer"]) == ("answered", "모레 <출고>됩니다.\n감사합니다.")


# -- what only the item's own fields tell


@pytest.mark.parametrize(
    "sign",
    [
        {"market_cancel_request": "T"},
        {"naver_pay_claim_status": "CANCEL_REQUEST"},
        {"naver_pay_claim_status": "CANCELING"},
    ],
)
@pytest.mark.parametrize("write", ["confirm", "dispatch", "seller_cancel", "approve_cancel", "refuse_cancel"])
async def test_a_cancel_request_kept_elsewhere_stops_the_line_too(write: str, sign: dict[str, str]) -> None:
    mall = Mall()
    mall.on("GET orders/20261118-0000021", {"order": order(items=[item(order_status="N20", **sign)])})
    line = Line(line_no="20261118-0000021-01", status=PREPARING, raw_status="N20", quantity=1, product=Product(name=""))
    action = LineAction(order_no="20261118-0000021", line=line, reason=ClaimReason.LATE, **PARCEL)

    result = await getattr(mall.open(), write)(action)

    assert result.outcome is Outcome.REFUSED
    assert "Naver Pay or the market keeps this" in (result.lines[0].mall_message or "")
    assert [request.method for request in mall.requests if request.url.path != "/api/v2/oauth/token"] == ["GET"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"easypay_name": "카카오페이"},
        {"payment_method_name": ["KAKAOPAY"]},
        {"market_id": "shopn", "order_place_id": "shopn"},
        {"naverpay_payment_information": "P"},
    ],
)
async def test_orders_paid_elsewhere_bear_no_reason_code(elsewhere: dict[str, Any]) -> None:
    mall = Mall()
    mall.on("GET orders/20261118-0000021", {"order": order(items=[item(order_status="N20")], **elsewhere)})
    mall.on("POST orders/20261118-0000021/cancellation", {"cancellation": {}})
    line = Line(line_no="20261118-0000021-01", status=PREPARING, raw_status="N20", quantity=1, product=Product(name=""))

    await mall.open().seller_cancel(LineAction(order_no="20261118-0000021", line=line, reason=ClaimReason.OUT_OF_STOCK))

    (sent,) = mall.sent("POST orders/20261118-0000021/cancellation")
    assert sent["request"] == {
        "status": "accepted",
        "items": [{"order_item_code": "20261118-0000021-01", "quantity": 1}],
        "reason": "품절",
    }


@pytest.mark.parametrize(
    "told",
    [
        {"items": [{"order_item_code": "20261118-0000021-01"}]},
        {"items": ["20261118-0000021-01"]},
        {"items": [], "return_address": {"items": ["20261118-0000021-01"]}},
    ],
)
async def test_a_claim_number_that_only_the_claim_tells_is_found(told: dict[str, Any]) -> None:
    mall = Mall()
    gone = {"claim_code": "C20261101-0000001", "undone": "T", **told}
    claim = {"claim_code": "C20261119-0000005", "undone": "F", **told}
    mall.on(
        "GET orders/20261118-0000021",
        {"order": order(items=[item(order_status="R10", claim_code=None)], **{"return": [gone, claim]})},
    )
    mall.on("PUT orders/20261118-0000021/return/C20261119-0000005", {"return": {}})
    line = Line(line_no="20261118-0000021-01", status=DELIVERED, raw_status="R10", quantity=1, product=Product(name=""))

    result = await mall.open().collect_return(LineAction(order_no="20261118-0000021", line=line))

    assert result.outcome is Outcome.PENDING
    assert mall.sent("PUT orders/20261118-0000021/return/C20261119-0000005") == [
        {"shop_no": 1, "request": {"pickup_completed": "T", "items": [{"order_item_code": "20261118-0000021-01"}]}}
    ]


@pytest.mark.parametrize("status", ["N99", "", None])
@pytest.mark.parametrize("write", ["confirm", "dispatch", "delay", "seller_cancel", "file_return", "complete_exchange"])
async def test_a_state_that_no_table_holds_is_left_alone(write: str, status: str | None) -> None:
    mall = Mall()
    mall.on("GET orders/20261118-0000021", {"order": order(items=[item(order_status=status)])})
    line = Line(
        line_no="20261118-0000021-01", status=LineStatus.UNKNOWN, raw_status="", quantity=1, product=Product(name="")
    )
    gives = PARCEL | {"reason": ClaimReason.LATE, "ship_on": LATER}

    result = await getattr(mall.open(), write)(LineAction(order_no="20261118-0000021", line=line, **gives))

    assert result.outcome is Outcome.REFUSED
    assert [request.method for request in mall.requests if request.url.path != "/api/v2/oauth/token"] == ["GET"]


async def test_what_customers_wrote_and_where_they_live_stays_out_of_errors(town: Town) -> None:
    spot = town.line(DELIVERED)
    town.lose = "before"

    result = await spot.act("file_return", **WHY)

    said = repr(result.lines)
    assert result.outcome is Outcome.UNKNOWN
    assert spot.order.receiver.phone not in said
    assert spot.order.receiver.name not in said
    assert WHY["text"] not in said
