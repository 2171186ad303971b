"""What a seller does to product orders of the emulated SmartStore: confirm, dispatch, delay, cancel.

Source: Naver Commerce API 2.73, product-order actions; that dispatching a line withdraws its cancel
request is an operator's word (confidence: likely), that unconfirmed lines cannot be sent a guess.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.smartstore import sandbox_render as render
from connectors.smartstore.sandbox_gate import Call, Problem, moment_of
from connectors.smartstore.sandbox_notes import HopeChange, Notes
from hub.core.model import ClaimKind, ClaimState
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.world import World

_LINES_PER_WRITE = 30
#: characters of cancelDetailedReason
_LONGEST_REASON = 500
#: characters of changeReason and region, and how far ahead a day may lie
_FURTHEST_HOPE = timedelta(days=60)
_LONGEST_CHANGE = 300
_LONGEST_REGION = 30
REASONS_TO_CANCEL = frozenset(
    {
        "INTENT_CHANGED",
        "COLOR_AND_SIZE",
        "WRONG_ORDER",
        "PRODUCT_UNSATISFIED",
        "DELAYED_DELIVERY",
        "SOLD_OUT",
        "INCORRECT_INFO",
    }
)
_DELAY_REASONS = frozenset(
    {"PRODUCT_PREPARE", "CUSTOMER_REQUEST", "CUSTOM_BUILD", "RESERVED_DISPATCH", "OVERSEA_DELIVERY", "ETC"}
)
METHODS = frozenset({"DELIVERY", "GDFW_ISSUE_SVC", "VISIT_RECEIPT", "DIRECT_DELIVERY", "QUICK_SVC", "NOTHING"})


class Refusal(Exception):  # noqa: N818 - an answer about one line, not a failure of the emulator
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LineDesk:
    """Finds product orders and writes what sellers do to them. Answers are HTTP 200 even when all lines fail."""

    def __init__(self, world: World, shop: str, notes: Notes) -> None:
        self._world = world
        self._shop = shop
        self._notes = notes

    def find(self, number: str) -> tuple[OrderFact, LineFact] | None:
        """The line of a ``productOrderId`` of this shop that exists by now."""
        try:
            line = self._world.line(int(number[8:]) - render.LINE_BASE)
            order = self._world.order_of(line.number)
        except (KeyError, ValueError):
            return None
        if order.shop != self._shop or render.line_id(order, line) != number:
            return None
        return order, line

    def confirm(self, call: Call) -> dict[str, Any]:
        numbers = _rows(call, "productOrderIds", str)
        done, failed = self._each([(number, self._confirm) for number in numbers])
        infos = [{"productOrderId": number, "isReceiverAddressChanged": False} for number in done]
        return {"successProductOrderInfos": infos, "failProductOrderInfos": failed}

    def _confirm(self, line: LineFact) -> None:
        now = self._world.now()
        if render.line_code(line, now) != "PAYED":
            raise Refusal("104442", "상품주문 상태를 확인해 주세요.")
        if render.is_placed(line, now):
            raise Refusal("104443", "발주 상태를 확인해 주세요.")
        self._world.prepare(line)

    def dispatch(self, call: Call) -> dict[str, Any]:
        parcels = _rows(call, "dispatchProductOrders", dict)
        try:
            for parcel in parcels:
                moment_of(str(parcel.get("dispatchDate")))
        except ValueError as error:
            raise Problem(400, "4000", "dispatchDate") from error
        todo = [(str(parcel.get("productOrderId", "")), _with(self._dispatch, parcel)) for parcel in parcels]
        return plain(self._each(todo))

    def _dispatch(self, line: LineFact, parcel: dict[str, Any]) -> None:
        now = self._world.now()
        if render.line_code(line, now) != "PAYED":
            raise Refusal("104442", "상품주문 상태를 확인해 주세요.")
        if not render.is_placed(line, now):
            raise Refusal("104443", "발주 확인 후 발송 처리할 수 있습니다.")
        method, company = parcel.get("deliveryMethod"), parcel.get("deliveryCompanyCode")
        tracking = str(parcel.get("trackingNumber") or "")
        if method not in METHODS:
            raise Refusal("9999", "배송방법을 확인해 주세요.")
        if method == "DELIVERY":
            if not company:
                raise Refusal("104118", "택배사를 입력해 주세요.")
            if company not in render.CARRIER_NAMES:
                raise Refusal("104119", "택배사 코드를 확인해 주세요.")
            if not tracking:
                raise Refusal("104120", "송장번호를 입력해 주세요.")
        claim = self._world.open_claim(line)
        if claim is not None and claim.kind is ClaimKind.CANCEL:
            if render.claim_code(claim, now) != "CANCEL_REQUEST":
                raise Refusal("9999", "취소 처리 중인 상품주문입니다.")
            self._world.move_claim(line, claim, ClaimState.REJECTED, "seller")
        self._world.dispatch(line, render.CARRIER_NAMES.get(str(company), ""), tracking)

    def delay(self, call: Call, line: str) -> dict[str, Any]:
        body = body_of(call)
        try:
            due = moment_of(str(body.get("dispatchDueDate")))
        except ValueError as error:
            raise Problem(400, "4000", "dispatchDueDate") from error
        if body.get("delayedDispatchReason") not in _DELAY_REASONS:
            raise Problem(400, "4000", "delayedDispatchReason")

        def postpone(fact: LineFact) -> None:
            now = self._world.now()
            if render.line_code(fact, now) != "PAYED":
                raise Refusal("104442", "상품주문 상태를 확인해 주세요.")
            if due <= now:
                raise Refusal("104105", "발송기한을 확인해 주세요.")
            day = due.astimezone(render.KST).replace(hour=0, minute=0, second=0, microsecond=0)
            self._world.plan_shipping(fact, day)
            self._notes.lines[fact.number] = {
                "delayedDispatchReason": body["delayedDispatchReason"],
                "delayedDispatchDetailedReason": body.get("dispatchDelayedDetailedReason"),
            }

        return self.one(line, postpone)

    def change_hope_date(self, call: Call, line: str) -> dict[str, Any]:
        """Only lines whose day the buyer chose; what may be told beside the day depends on the kind of delivery.

        That it goes before dispatch only, and up to 60 days from now, is a guess (104442 and 104445 have no text).
        """
        body = body_of(call)
        day, why, region = body.get("hopeDeliveryYmd"), body.get("changeReason"), body.get("region", "전국")
        hour = body.get("hopeDeliveryHm", "0900")
        try:
            wanted = datetime.strptime(f"{day} {hour}", "%Y%m%d %H%M").replace(tzinfo=render.KST)
        except ValueError as error:
            raise Problem(400, "4000", "hopeDeliveryYmd") from error
        if not isinstance(why, str) or not 1 <= len(why) <= _LONGEST_CHANGE:
            raise Problem(400, "4000", "changeReason")
        if not isinstance(region, str) or not 1 <= len(region) <= _LONGEST_REGION:
            raise Problem(400, "4000", "region")

        def change(fact: LineFact) -> None:
            now = self._world.now()
            present = render.hope_delivery(self._world.order_of(fact.number), fact, self._notes)
            if present is None:
                raise Refusal("104441", "희망일배송 상품주문이 아닙니다.")
            if render.line_code(fact, now) != "PAYED":
                raise Refusal("104442", "상품주문 상태를 확인해 주세요.")
            if (
                render.delivery_attribute(fact) == "HOPE_SELLER_GUARANTEE"
                and {"hopeDeliveryHm", "region"} & body.keys()
            ):
                raise Refusal("104450", "N희망일배송은 시간과 지역을 입력할 수 없습니다.")
            if wanted.date() < now.astimezone(render.KST).date():
                raise Refusal("104444", "희망배송일을 확인해 주세요.")
            if wanted - now > _FURTHEST_HOPE:
                raise Refusal("104445", "선택할 수 없는 희망배송일입니다.")
            told = {name: body[name] for name in ("hopeDeliveryYmd", "hopeDeliveryHm", "region") if name in body}
            if told.items() <= present.items():
                raise Refusal("104446", "기존과 같은 희망배송일입니다.")
            fields = present | told | {"changeReason": why, "changer": "판매자"}
            self._notes.hopes.setdefault(fact.number, []).append(HopeChange(now, fields))

        return self.one(line, change)

    def request_cancel(self, call: Call, line: str) -> dict[str, Any]:
        body = body_of(call)
        code, quantity = body.get("cancelReason"), body.get("cancelQuantity")
        if code not in REASONS_TO_CANCEL or not (quantity is None or isinstance(quantity, int)):
            raise Problem(400, "4000", "cancelReason")
        if len(str(body.get("cancelDetailedReason") or "")) > _LONGEST_REASON:
            raise Problem(400, "4000", "cancelDetailedReason")

        def cancel(fact: LineFact) -> None:
            if render.line_code(fact, self._world.now()) != "PAYED":
                raise Refusal("9999", "취소 요청이 불가능한 주문상태입니다.")
            text = str(body.get("cancelDetailedReason") or "")
            reason = render.REASONS.get(str(code), render.REASONS["ETC"])
            try:
                claim = self._world.request_claim(
                    fact, ClaimKind.CANCEL, reason, text, quantity, by="seller", state=ClaimState.APPROVED
                )
            except ValueError as error:
                raise Refusal("9999", "취소 수량 또는 진행 중인 클레임을 확인해 주세요.") from error
            self._world.move_claim(fact, claim, ClaimState.DONE, "seller")

        return self.one(line, cancel)

    def approve_cancel(self, call: Call, line: str) -> dict[str, Any]:
        if call.body not in (b"", b"{}"):
            raise Problem(400, "4000", "본문이 없는 요청이어야 합니다.")

        def approve(fact: LineFact) -> None:
            claim = self._world.open_claim(fact)
            if claim is None or claim.kind is not ClaimKind.CANCEL:
                raise Refusal("9999", "취소 승인이 불가능한 주문상태입니다. (클레임상태 확인 필요)")
            self._world.move_claim(fact, claim, ClaimState.DONE, "seller")

        return self.one(line, approve)

    def one(self, number: str, act: Callable[[LineFact], None]) -> dict[str, Any]:
        """Work on one line, the answer in the shape of all."""
        return plain(self._each([(number, act)]))

    def _each(self, todo: list[tuple[str, Callable[[LineFact], None]]]) -> tuple[list[str], list[dict[str, str]]]:
        """Work in the order of the list; what was done stays done when a later line fails."""
        done: list[str] = []
        failed: list[dict[str, str]] = []
        for number, act in todo:
            try:
                found = self.find(number)
                if found is None:
                    raise Refusal("100001", "존재하지 않는 상품주문입니다.")  # noqa: TRY301 - one place tells failures
                act(found[1])
            except Refusal as refusal:
                failed.append({"productOrderId": number, "code": refusal.code, "message": str(refusal)})
            else:
                done.append(number)
        return done, failed


def _with(act: Callable[[LineFact, dict[str, Any]], None], parcel: dict[str, Any]) -> Callable[[LineFact], None]:
    return lambda line: act(line, parcel)


def plain(outcome: tuple[list[str], list[dict[str, str]]]) -> dict[str, Any]:
    done, failed = outcome
    return {"successProductOrderIds": done, "failProductOrderInfos": failed}


def body_of(call: Call) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Problem(400, "4000", "요청 본문을 읽을 수 없습니다.") from error


def _rows(call: Call, name: str, kind: type) -> list[Any]:
    rows = body_of(call).get(name)
    if not isinstance(rows, list) or not 1 <= len(rows) <= _LINES_PER_WRITE:
        raise Problem(400, "4000", name)
    if not all(isinstance(row, kind) for row in rows):
        raise Problem(400, "4000", name)
    return rows
