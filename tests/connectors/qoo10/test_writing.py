"""Writes on order lines: what is refused unsent, what is sent, what is read back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest

from connectors.qoo10 import MANIFEST
from connectors.qoo10.mapping import read_whole_line
from hub.core.contract import Capability, LineAction, LineOutcome, Outcome, Support
from hub.core.errors import AccessError, NotFoundAtMallError, RejectedByMallError
from hub.core.model import ClaimReason, LineStatus, Order
from tests.connectors.qoo10.conftest import Call, Mall, ok, refused

NUMBER = "1071000201"
LOOK_UP = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2"
LIST = "ShippingBasic.GetShippingInfo_v3"
CONFIRM = "ShippingBasic.SetSellerCheckYN_V2"
SEND = "ShippingBasic.SetSendingInfo"
CANCEL = "Claim.SetCancelProcess"
ACCEPT = "Claim.SetClaimAccept"
REDELIVER = "Claim.SetClaimRedelivery"
TEXTS = {"1": "Awaiting shipping(1)", "2": "On request(2)", "3": "Seller confirm(3)", "4": "On delivery(4)"}
REQUESTED = "2026-11-19 08:02:11"


@dataclass
class Line:
    """One order at the mall. ``answers`` replaces what a write would be answered; what it does stays."""

    status: str = "2"
    claim: str = ""
    planned: str = ""
    carrier: str = ""
    tracking: str = ""
    is_deaf: bool = False
    answers: Callable[[], httpx.Response] | None = None
    sent: list[Call] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> httpx.Response:
        if call.method == LOOK_UP:
            self.asked.append(call)
            return ok([self.old_row()])
        if call.method == LIST:
            self.asked.append(call)
            return ok([self.row()] if call.form["ShippingStatus"] == self.status else None)
        self.sent.append(call)
        if not self.is_deaf:
            self.apply(call)
        if self.answers is not None:
            return self.answers()
        return httpx.Response(200, json={"ResultCode": 0, "ResultMsg": "SUCCESS"})

    def apply(self, call: Call) -> None:
        form = call.form
        if call.method == CONFIRM:
            self.status = "3"
            if form["EstShipDt"]:
                self.planned = f"{form['EstShipDt'][:4]}-{form['EstShipDt'][4:6]}-{form['EstShipDt'][6:]}"
        elif call.method == SEND:
            self.status, self.carrier, self.tracking = "4", form["ShippingCorp"], form["TrackingNo"]
        elif call.method == CANCEL:
            self.claim = "3"
        elif call.method == ACCEPT:
            self.claim = "12"
        elif call.method == REDELIVER:
            self.claim = "13"

    def row(self) -> dict[str, Any]:
        return {
            "ShippingStatus": TEXTS[self.status],
            "PackNo": 242000101,
            "OrderNo": int(NUMBER),
            "OrderDate": "2026-11-18 09:31:26",
            "OrderQty": 2,
            "Total": "5360.00",
            "EstimatedShippingDate": self.planned,
            "DeliveryCompany": self.carrier,
            "TrackingNo": self.tracking,
        }

    def old_row(self) -> dict[str, Any]:
        """As the look-up by number words it: without the planned day, as in the guide's example."""
        return {
            "shippingStatus": self.status,
            "packNo": 242000101,
            "orderNo": NUMBER,
            "orderDate": "2026-11-18 09:31:26",
            "orderQty": "2",
            "total": 5360,
            "deliveryCompany": self.carrier,
            "trackingNo": self.tracking,
            "receiver": "山田 花子",
            "receiverMobile": "090-0000-0000",
            "receiverTel": None,
            "zipCode": "154-0024",
            "Addr1": "東京都世田谷区",
            "Addr2": "見本1-2-3",
            "claimStatus": self.claim,
            "requestDate": REQUESTED if self.claim else "",
            "reason": "サイズが合わない" if self.claim else "",
        }


@pytest.fixture
def line(mall: Mall) -> Line:
    made = Line()
    mall.answer = made.answer
    return made


def action(line: Line, **fields: Any) -> LineAction:
    """What the hub knows of the line, as it stands now."""

    order = read_whole_line(msgspec.json.encode(line.old_row()), unknown=Counter()).record
    assert isinstance(order, Order)
    claim = order.claims[0] if order.claims else None
    return LineAction(order_no="242000101", line=order.lines[0], claim=claim, **fields)


def silence() -> httpx.Response:
    raise httpx.ReadTimeout("silence")


WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "confirm": ("2", "", {"ship_on": date(2026, 11, 24)}),
    "delay": ("3", "", {"ship_on": date(2026, 11, 27), "reason": ClaimReason.OUT_OF_STOCK, "text": "入荷待ち"}),
    "dispatch": ("3", "", {"carrier": "佐川急便", "tracking_no": "5000-0000-0001"}),
    "seller_cancel": ("3", "", {"reason": ClaimReason.OUT_OF_STOCK, "text": "在庫切れ"}),
    "accept_exchange": ("4", "11", {}),
    "redeliver_exchange": ("4", "12", {"carrier": "ヤマト宅急便", "tracking_no": "600000000001"}),
}
FORMS = {
    "confirm": {"OrderNo": NUMBER, "EstShipDt": "20261124", "DelayType": "", "DelayMemo": ""},
    "delay": {"OrderNo": NUMBER, "EstShipDt": "20261127", "DelayType": "1", "DelayMemo": "入荷待ち"},
    "dispatch": {"OrderNo": NUMBER, "ShippingCorp": "佐川急便", "TrackingNo": "5000-0000-0001"},
    "seller_cancel": {"ContrNo": NUMBER, "CancelReason": "", "SellerMemo": "在庫切れ", "returnFeeStat": ""},
    "accept_exchange": {"orderNo": NUMBER},
    "redeliver_exchange": {
        "orderNo": NUMBER,
        "redelivery_date": "2026-11-22",
        "invoice_no": "600000000001",
        "del_comapny_name": "ヤマト宅急便",
        "rcv_name": "山田 花子",
        "rcv_zip_code": "154-0024",
        "rcv_front_address": "東京都世田谷区",
        "rcv_back_address": "見本1-2-3",
        "rcv_hp_no": "090-0000-0000",
        "rcv_tel_no": "",
    },
}
METHODS = {
    "confirm": CONFIRM,
    "delay": CONFIRM,
    "dispatch": SEND,
    "seller_cancel": CANCEL,
    "accept_exchange": ACCEPT,
    "redeliver_exchange": REDELIVER,
}
every_write = pytest.mark.parametrize("name", WRITES)


def stage(line: Line, name: str) -> LineAction:
    line.status, line.claim, fields = WRITES[name]
    return action(line, **fields)


async def do(mall: Mall, name: str, wanted: LineAction):
    return await getattr(mall.open(), name)(wanted)


@every_write
async def test_a_write_is_sent_once_in_the_documented_form_and_read_back(mall: Mall, line: Line, name: str):
    result = await do(mall, name, stage(line, name))

    assert (result.outcome, result.lines) == (Outcome.DONE, (LineOutcome(line_no=NUMBER, outcome=Outcome.DONE),))
    assert [(call.method, call.form) for call in line.sent] == [
        (METHODS[name], FORMS[name] | {"returnType": "application/json"})
    ]
    assert line.sent[0].headers["qapiversion"] == "1.0"
    assert result.readings


@every_write
async def test_the_same_write_again_is_not_sent(mall: Mall, line: Line, name: str):
    wanted = stage(line, name)
    await do(mall, name, wanted)

    again = await do(mall, name, wanted)

    assert again.outcome in (Outcome.DONE, Outcome.REFUSED)
    assert len(line.sent) == 1


@every_write
async def test_a_lost_answer_is_settled_by_what_the_mall_shows(mall: Mall, line: Line, name: str):
    wanted = stage(line, name)
    line.answers = silence

    result = await do(mall, name, wanted)

    assert (result.outcome, len(line.sent)) == (Outcome.DONE, 1)


@every_write
@pytest.mark.parametrize(
    "answers",
    [silence, lambda: httpx.Response(502), lambda: httpx.Response(200, json={"ResultMsg": "SUCCESS"})],
    ids=["silence", "502", "no result code"],
)
async def test_a_lost_answer_without_effect_stays_unknown(mall: Mall, line: Line, name: str, answers):
    wanted = stage(line, name)
    line.is_deaf, line.answers = True, answers

    result = await do(mall, name, wanted)

    assert (result.outcome, len(line.sent)) == (Outcome.UNKNOWN, 1)
    assert result.lines[0].mall_message


@every_write
async def test_the_malls_no_is_shown_and_not_repeated(mall: Mall, line: Line, name: str):
    wanted = stage(line, name)
    line.is_deaf, line.answers = True, lambda: refused("-10004", "キャンセルできない注文状態です。")

    result = await do(mall, name, wanted)

    assert (result.outcome, result.lines[0].mall_message, len(line.sent)) == (
        Outcome.REFUSED,
        "キャンセルできない注文状態です。",
        1,
    )


async def test_a_key_that_is_refused_at_a_write_goes_to_a_person(mall: Mall, line: Line):
    wanted = stage(line, "dispatch")
    line.is_deaf = True
    line.answers = lambda: httpx.Response(200, json={"ErrorCode": "-90001", "ErrorMsg": "存在しないAPIです。"})

    with pytest.raises(AccessError):
        await do(mall, "dispatch", wanted)
    assert len(line.sent) == 1


async def test_a_success_in_words_and_text_numbers_is_one(mall: Mall, line: Line):
    wanted = stage(line, "dispatch")
    line.answers = lambda: httpx.Response(200, json={"resultcode": "0", "ResultMsg": None, "ResultObject": None})

    assert (await do(mall, "dispatch", wanted)).outcome is Outcome.DONE


async def test_a_no_without_words_says_what_its_code_means(mall: Mall, line: Line):
    wanted = stage(line, "seller_cancel")
    line.is_deaf, line.answers = True, lambda: refused(-10004, "")

    result = await do(mall, "seller_cancel", wanted)

    assert result.lines[0].mall_message == "Qoo10 refused the call: the order's status does not allow a cancel"


@every_write
async def test_an_accepted_write_that_is_not_shown_is_not_done(mall: Mall, line: Line, name: str):
    wanted = stage(line, name)
    line.is_deaf = True

    result = await do(mall, name, wanted)

    assert (result.outcome, len(line.sent)) == (Outcome.UNKNOWN if name == "delay" else Outcome.PENDING, 1)


@every_write
async def test_an_accepted_write_that_cannot_be_read_back_is_done_where_that_is_sure(mall: Mall, line: Line, name: str):
    wanted = stage(line, name)
    mall.answer = lambda call: httpx.Response(500) if line.sent else line.answer(call)

    result = await do(mall, name, wanted)

    wanted_outcome = Outcome.UNKNOWN if name == "delay" else Outcome.DONE
    assert (result.outcome, result.readings, len(line.sent)) == (wanted_outcome, (), 1)


@every_write
async def test_an_order_that_the_mall_does_not_know_gets_no_write(mall: Mall, line: Line, name: str):
    wanted = stage(line, name)
    mall.answer = lambda call: ok(None)

    with pytest.raises(NotFoundAtMallError):
        await do(mall, name, wanted)
    assert [call.method for call in mall.calls] == [LOOK_UP]


@pytest.mark.parametrize("name", ["confirm", "delay", "dispatch", "seller_cancel"])
@pytest.mark.parametrize("claim", ["1", "2", "99"])
async def test_an_open_cancel_or_a_claim_nobody_knows_stops_every_order_write(
    mall: Mall, line: Line, name: str, claim: str
):
    stage(line, name)
    line.claim = claim

    result = await do(mall, name, action(line, **WRITES[name][2]))

    assert (result.outcome, line.sent) == (Outcome.REFUSED, [])
    assert "QSM" in (result.lines[0].mall_message or "")
    assert result.readings


@pytest.mark.parametrize(
    ("name", "status", "claim"),
    [
        ("confirm", "1", ""),
        ("confirm", "4", ""),
        ("confirm", "3", "3"),
        ("delay", "1", ""),
        ("delay", "4", ""),
        ("dispatch", "1", ""),
        ("dispatch", "3", "16"),
        ("seller_cancel", "1", ""),
        ("seller_cancel", "4", ""),
        ("seller_cancel", "3", "3"),
        ("seller_cancel", "4", "4"),
        ("accept_exchange", "4", ""),
        ("accept_exchange", "4", "4"),
        ("accept_exchange", "4", "13"),
        ("redeliver_exchange", "4", "11"),
        ("redeliver_exchange", "4", "13"),
        ("redeliver_exchange", "4", ""),
    ],
)
async def test_a_state_that_does_not_allow_it_is_refused_unsent(
    mall: Mall, line: Line, name: str, status: str, claim: str
):
    line.status, line.claim = status, claim

    result = await do(mall, name, action(line, **WRITES[name][2]))

    assert (result.outcome, line.sent) == (Outcome.REFUSED, [])


@pytest.mark.parametrize(
    ("name", "fields", "named"),
    [
        ("confirm", {"ship_on": date(2026, 11, 21)}, "ship_on"),
        ("delay", {"reason": ClaimReason.LATE}, "ship_on"),
        ("delay", {"ship_on": date(2026, 11, 21), "reason": ClaimReason.LATE}, "ship_on"),
        ("delay", {"ship_on": date(2026, 11, 27)}, "reason"),
        ("delay", {"ship_on": date(2026, 11, 27), "text": "あ" * 1001}, "text"),
        ("dispatch", {"carrier": "", "tracking_no": "5"}, "carrier"),
        ("dispatch", {"carrier": "あ" * 201, "tracking_no": "5"}, "carrier"),
        ("dispatch", {"carrier": "001", "tracking_no": "5"}, "carrier"),
        ("dispatch", {"carrier": "佐川急便"}, "tracking_no"),
        ("dispatch", {"carrier": "佐川急便", "tracking_no": "5" * 51}, "tracking_no"),
        ("dispatch", {"carrier": "佐川急便", "tracking_no": "5", "quantity": 1}, "quantity"),
        ("seller_cancel", {}, "reason"),
        ("seller_cancel", {"reason": ClaimReason.CHANGE_OF_MIND}, "reason"),
        ("seller_cancel", {"reason": ClaimReason.WRONG_ORDER}, "reason"),
        ("seller_cancel", {"reason": ClaimReason.OTHER}, "reason"),
        ("seller_cancel", {"reason": ClaimReason.LATE, "text": "あ" * 1001}, "text"),
        ("redeliver_exchange", {"carrier": "佐川急便", "tracking_no": "5", "option_code": "RED"}, "option_code"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_sent(
    mall: Mall, line: Line, name: str, fields: dict[str, Any], named: str
):
    stage(line, name)

    with pytest.raises(RejectedByMallError) as caught:
        await do(mall, name, action(line, **fields))

    assert caught.value.message.startswith(f"{named}: ")
    assert line.sent == []


async def test_the_present_day_in_japan_may_be_promised(mall: Mall, line: Line):
    """It is 12:00 of the 22nd in Tokyo."""
    result = await do(mall, "confirm", action(line, ship_on=date(2026, 11, 22)))

    assert (result.outcome, line.planned) == (Outcome.DONE, "2026-11-22")


async def test_confirming_without_a_day_sends_an_empty_one(mall: Mall, line: Line):
    await do(mall, "confirm", action(line))

    assert line.sent[0].form["EstShipDt"] == ""


@pytest.mark.parametrize(
    ("reason", "text", "sent"),
    [
        (ClaimReason.LATE, "", "1"),
        (ClaimReason.CHANGE_OF_MIND, "お客様のご希望", "3"),
        (ClaimReason.DEFECT, "", "4"),
        (None, "台風", "4"),
    ],
)
async def test_a_delay_says_of_which_kind_it_is(mall: Mall, line: Line, reason, text: str, sent: str):
    await do(mall, "delay", action(line, ship_on=date(2026, 11, 27), reason=reason, text=text))

    assert (line.sent[0].form["DelayType"], line.sent[0].form["DelayMemo"]) == (sent, text)


async def test_the_moved_day_is_read_from_the_list_that_tells_it(mall: Mall, line: Line):
    result = await do(mall, "delay", stage(line, "delay"))

    lists = [call.form for call in line.asked if call.method == LIST]
    newest = result.readings[-1]
    assert [(form["SearchStartDate"], form["SearchEndDate"], form["SearchCondition"]) for form in lists] == [
        ("20261118093126", "20261118093226", "1")
    ] * 2
    assert (newest.is_partial, newest.record.lines[0].planned_ship_at.isoformat()) == (
        False,
        "2026-11-26T15:00:00+00:00",
    )


async def test_a_day_that_the_mall_does_not_move_is_told_truly(mall: Mall, line: Line):
    wanted = stage(line, "delay")
    line.planned, line.is_deaf = "2026-11-24", True

    result = await do(mall, "delay", wanted)

    assert result.outcome is Outcome.UNKNOWN
    assert "QSM" in (result.lines[0].mall_message or "")


async def test_another_parcel_on_a_sent_order_is_for_qsm(mall: Mall, line: Line):
    line.status, line.tracking = "4", "999"

    result = await do(mall, "dispatch", action(line, carrier="佐川急便", tracking_no="5"))

    assert (result.outcome, line.sent) == (Outcome.REFUSED, [])


async def test_an_exchange_other_than_the_one_seen_is_left_alone(mall: Mall, line: Line):

    wanted = stage(line, "accept_exchange")
    seen = msgspec.structs.replace(wanted.claim, claim_key=f"{NUMBER}:20261101000000")

    result = await do(mall, "accept_exchange", msgspec.structs.replace(wanted, claim=seen))

    assert (result.outcome, line.sent) == (Outcome.REFUSED, [])


async def test_a_cancel_shows_the_line_as_cancelled(mall: Mall, line: Line):
    result = await do(mall, "seller_cancel", stage(line, "seller_cancel"))

    order = result.readings[0].record
    assert (order.lines[0].status, order.claims_are_complete) == (LineStatus.CANCELLED, True)


def test_every_capability_is_decided_and_a_no_names_a_place():
    # Files are for malls that have no API.
    assert set(MANIFEST.capabilities) == {each for each in Capability if not each.value.endswith("_files")}
    for capability, stated in MANIFEST.capabilities.items():
        assert stated.state is not Support.PLANNED, capability
        assert stated.state is Support.YES or (stated.instead and stated.instead_ko), capability
    assert MANIFEST.capabilities[Capability.SELLER_CANCEL].warning
    assert MANIFEST.capabilities[Capability.SELLER_CANCEL].warning_ko


async def test_carriers_are_names(mall: Mall):
    carriers = await mall.open().list_carriers()

    assert carriers[0].code == carriers[0].name == "佐川急便"
    assert len({carrier.code for carrier in carriers}) == len(carriers)
    assert mall.calls == []
