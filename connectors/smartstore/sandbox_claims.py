"""What a seller does to the returns and exchanges of the emulated SmartStore: one line a call.

Source: Naver Commerce API 2.73, claim actions with the states in which each is taken; that refusals
come as 9999 with Korean words is likely. Left out: the re-collecting of goods, the fees themselves.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from connectors.smartstore import sandbox_render as render
from connectors.smartstore.sandbox_gate import Call, Problem
from connectors.smartstore.sandbox_notes import Notes
from connectors.smartstore.sandbox_writes import METHODS, REASONS_TO_CANCEL, LineDesk, Refusal, body_of
from hub.core.model import ClaimKind, ClaimState
from hub.sandbox.facts import ClaimFact, ClaimStep, LineFact
from hub.sandbox.world import World

_REASONS_TO_RETURN = REASONS_TO_CANCEL | {"DROPPED_DELIVERY", "BROKEN", "WRONG_DELIVERY", "WRONG_OPTION"}
_COLLECT_METHODS = frozenset({"RETURN_DESIGNATED", "RETURN_DELIVERY", "RETURN_INDIVIDUAL", "RETURN_MERCHANT"})
_HOLD_REASONS = frozenset(
    {
        "RETURN_DELIVERYFEE",
        "EXTRAFEEE",
        "RETURN_DELIVERYFEE_AND_EXTRAFEEE",
        "RETURN_PRODUCT_NOT_DELIVERED",
        "ETC",
        "EXCHANGE_DELIVERYFEE",
        "EXCHANGE_EXTRAFEE",
        "EXCHANGE_PRODUCT_READY",
        "EXCHANGE_PRODUCT_NOT_DELIVERED",
        "EXCHANGE_HOLDBACK",
        "SELLER_CONFIRM_NEED",
        "PURCHASER_CONFIRM_NEED",
        "SELLER_REMIT",
        "ETC2",
    }
)
_RETURNING = frozenset({"RETURN_REQUEST", "COLLECTING", "COLLECT_DONE"})
_EXCHANGING = frozenset({"EXCHANGE_REQUEST", "COLLECTING", "COLLECT_DONE"})
#: names of the fields that differ between the two kinds
_HOLD_FIELDS = {
    ClaimKind.RETURN: ("holdbackReturnDetailReason", "extraReturnFeeAmount"),
    ClaimKind.EXCHANGE: ("holdbackExchangeDetailReason", "extraExchangeFeeAmount"),
}
_REJECT_FIELDS = {ClaimKind.RETURN: "rejectReturnReason", ClaimKind.EXCHANGE: "rejectExchangeReason"}
_OPEN = {ClaimKind.RETURN: _RETURNING, ClaimKind.EXCHANGE: _EXCHANGING}
_REDELIVERY = timedelta(days=2)

Act = Callable[[LineFact, ClaimFact], None]


class ClaimDesk:
    """Handlers of the claim calls; each answers HTTP 200 even when the line is refused."""

    def __init__(self, world: World, desk: LineDesk, notes: Notes) -> None:
        self._world = world
        self._desk = desk
        self._notes = notes

    def request_return(self, call: Call, line: str) -> dict[str, Any]:
        body = body_of(call)
        code, method, quantity = body.get("returnReason"), body.get("collectDeliveryMethod"), body.get("returnQuantity")
        if code not in _REASONS_TO_RETURN or not (quantity is None or type(quantity) is int):
            raise Problem(400, "4000", "returnReason")
        if method not in _COLLECT_METHODS:
            raise Problem(400, "4000", "collectDeliveryMethod")

        def request(fact: LineFact) -> None:
            if render.line_code(fact, self._world.now()) not in {"DELIVERING", "DELIVERED"}:
                raise Refusal("9999", "반품 요청이 불가능한 주문상태입니다.")
            reason = render.REASONS[str(code)]
            try:
                claim = self._world.request_claim(fact, ClaimKind.RETURN, reason, "", quantity, by="seller")
            except ValueError as error:
                raise Refusal("9999", "반품 수량 또는 진행 중인 클레임을 확인해 주세요.") from error
            told = {"collectDeliveryMethod": method}
            if method == "RETURN_INDIVIDUAL":
                told["collectDeliveryCompany"] = body.get("collectDeliveryCompany")
                told["collectTrackingNumber"] = body.get("collectTrackingNumber")
            self._notes.of_claim(claim.number, told)

        return self._desk.one(line, request)

    def approve_return(self, call: Call, line: str) -> dict[str, Any]:
        def approve(fact: LineFact, claim: ClaimFact) -> None:
            self._require_free(claim)
            self._world.move_claim(fact, claim, ClaimState.DONE, "seller")

        return self._without_body(call, line, ClaimKind.RETURN, approve)

    def collect_exchange(self, call: Call, line: str) -> dict[str, Any]:
        def collect(fact: LineFact, claim: ClaimFact) -> None:
            if render.claim_code(claim, self._world.now()) == "COLLECT_DONE":
                raise Refusal("105306", "이미 처리된 상태입니다.")
            self._world.move_claim(fact, claim, ClaimState.COLLECTED, "seller")

        return self._without_body(call, line, ClaimKind.EXCHANGE, collect)

    def hold(self, kind: ClaimKind) -> Callable[[Call, str], dict[str, Any]]:
        """The handler that puts a return or an exchange on hold."""
        detail, fee = _HOLD_FIELDS[kind]

        def handle(call: Call, line: str) -> dict[str, Any]:
            body = body_of(call)
            code, text, amount = body.get("holdbackClassType"), body.get(detail), body.get(fee, 0)
            if code not in _HOLD_REASONS:
                raise Problem(400, "4000", "holdbackClassType")
            if not isinstance(text, str) or not text.strip():
                raise Problem(400, "4000", detail)
            if type(amount) is not int or amount < 0:
                raise Problem(400, "4000", fee)

            def hold(fact: LineFact, claim: ClaimFact) -> None:
                self._require_free(claim)
                told = {"holdbackReason": code, "holdbackDetailedReason": text, "etcFeeDemandAmount": amount}
                self._notes.of_claim(claim.number, told)
                self._world.move_claim(fact, claim, ClaimState.HOLD, "seller")

            return self._on_claim(line, kind, hold)

        return handle

    def release(self, kind: ClaimKind) -> Callable[[Call, str], dict[str, Any]]:
        def let_go(fact: LineFact, claim: ClaimFact) -> None:
            now = self._world.now()
            if not render.is_on_hold(claim, now):
                raise Refusal("9999", "보류 상태가 아닙니다. (클레임상태 확인 필요)")
            self._world.move_claim(fact, claim, render.unheld_step(claim, now).state, "seller")

        return lambda call, line: self._without_body(call, line, kind, let_go)

    def reject(self, kind: ClaimKind) -> Callable[[Call, str], dict[str, Any]]:
        name = _REJECT_FIELDS[kind]

        def handle(call: Call, line: str) -> dict[str, Any]:
            text = body_of(call).get(name)
            if not isinstance(text, str) or not text.strip():
                raise Problem(400, "4000", name)

            def reject(fact: LineFact, claim: ClaimFact) -> None:
                if kind is ClaimKind.RETURN:
                    self._require_free(claim)
                self._world.move_claim(fact, claim, ClaimState.REJECTED, "seller")

            return self._on_claim(line, kind, reject)

        return handle

    def send_again(self, call: Call, line: str) -> dict[str, Any]:
        body = body_of(call)

        def send(fact: LineFact, claim: ClaimFact) -> None:
            now = self._world.now()
            if render.claim_code(claim, now) != "COLLECT_DONE" or render.is_on_hold(claim, now):
                raise Refusal("104417", "교환 재배송 처리가 불가능한 상태입니다.")
            company, tracking = _parcel(body)
            told = {"reDeliveryMethod": body["reDeliveryMethod"], "reDeliveryCompany": company}
            self._notes.of_claim(claim.number, told)
            self._world.reship(fact, claim, tracking)
            claim.steps.append(ClaimStep(now + _REDELIVERY, ClaimState.DONE, "mall"))

        return self._on_claim(line, ClaimKind.EXCHANGE, send)

    def _require_free(self, claim: ClaimFact) -> None:
        if render.is_on_hold(claim, self._world.now()):
            raise Refusal("9999", "보류 중인 클레임입니다. 보류 해제 후 처리해 주세요.")

    def _without_body(self, call: Call, line: str, kind: ClaimKind, act: Act) -> dict[str, Any]:
        if call.body not in (b"", b"{}"):
            raise Problem(400, "4000", "본문이 없는 요청이어야 합니다.")
        return self._on_claim(line, kind, act)

    def _on_claim(self, line: str, kind: ClaimKind, act: Act) -> dict[str, Any]:
        """Do it to the newest claim of the kind that is not sent again or over."""

        def on_line(fact: LineFact) -> None:
            now = self._world.now()
            for claim in reversed(self._world.claims_of(fact)):
                if claim.kind is kind and render.claim_code(claim, now) in _OPEN[kind]:
                    return act(fact, claim)
            raise Refusal("9999", "처리할 수 없는 클레임 상태입니다. (클레임상태 확인 필요)")

        return self._desk.one(line, on_line)


def _parcel(body: Mapping[str, Any]) -> tuple[str | None, str]:
    """Company and tracking number; both are needed for DELIVERY only."""
    method, company = body.get("reDeliveryMethod"), body.get("reDeliveryCompany")
    tracking = str(body.get("reDeliveryTrackingNumber") or "")
    if method not in METHODS:
        raise Refusal("9999", "재배송방법을 확인해 주세요.")
    if method == "DELIVERY":
        if not company:
            raise Refusal("104118", "택배사를 입력해 주세요.")
        if company not in render.CARRIER_NAMES:
            raise Refusal("104119", "택배사 코드를 확인해 주세요.")
        if not tracking:
            raise Refusal("104120", "송장번호를 입력해 주세요.")
    return company, tracking
