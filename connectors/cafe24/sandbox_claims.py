"""What an agent can do to claims of the emulated Cafe24: accept, move, take back, refuse.

Accepting a request is the same POST as making a claim. Nothing here is idempotent except by state: a
wrong state is a 422, the same refusal again a 409.

Source: Cafe24 Admin API, Orders and Claims, version 2026-03-01; confidence: sure for fields and forms,
guess for the table of states from which each step is possible.
"""

from collections.abc import Callable
from datetime import datetime

from connectors.cafe24.sandbox_http import ApiError, Json, body_shop_no, many_requests, one_request, required
from connectors.cafe24.sandbox_items import LETTERS, Item, items_of
from connectors.cafe24.sandbox_orders import (
    EMBEDS,
    claim_code,
    is_market_order,
    item_code,
    order_id,
    render_claim,
)
from connectors.cafe24.sandbox_search import OrderSearch
from hub.core.model import ClaimKind, ClaimReason, ClaimState
from hub.sandbox.asgi import Request, Response
from hub.sandbox.facts import ClaimFact, OrderFact
from hub.sandbox.world import World

KINDS = {"cancellation": ClaimKind.CANCEL, "return": ClaimKind.RETURN, "exchange": ClaimKind.EXCHANGE}
_STATES = {
    "cancellation": {
        "accepted": ClaimState.APPROVED,
        "canceling": ClaimState.REFUNDING,
        "canceled": ClaimState.DONE,
    },
    "return": {"accepted": ClaimState.ACCEPTED, "processing": ClaimState.REFUNDING, "returned": ClaimState.DONE},
    "exchange": {"accepted": ClaimState.ACCEPTED, "exchanged": ClaimState.DONE},
}
OPEN_TO = {
    "cancellation": frozenset({"N00", "N10", "N20", "N21", "N22"}),
    "return": frozenset({"N30", "N40"}),
    "exchange": frozenset({"N10", "N20", "N21", "N22", "N30", "N40"}),
}
REASONS = {
    "A": ClaimReason.CHANGE_OF_MIND,
    "B": ClaimReason.LATE,
    "D": ClaimReason.DAMAGED,
    "F": ClaimReason.NOT_AS_DESCRIBED,
    "H": ClaimReason.OUT_OF_STOCK,
    "J": ClaimReason.WRONG_ITEM,
    "K": ClaimReason.DEFECT,
}
_REASON_CODES = frozenset("ABJCLDEFKGHI")
_FORBIDDEN_FOR_MARKETS = (
    "refund_method_code", "refund_bank_code", "refund_bank_account_no", "refund_bank_account_holder",
    "recover_coupon", "add_memo_too", "payment_gateway_cancel",
)  # fmt: skip
_REFUSALS_AT_ONCE = 100
_MOVABLE = frozenset(state for state in ClaimState if state.is_open) | {ClaimState.RESHIPPING}


class Claims:
    """The claim endpoints of one shop. ``name`` is cancellation, return or exchange."""

    def __init__(self, world: World, search: OrderSearch) -> None:
        self._world = world
        self._search = search

    def read(self, name: str, code: str, shop_no: int) -> Response:
        """GET /cancellation|return|exchange/{claim_code}."""
        order, item, claim = self._by_code(name, code, shop_no)
        return Response(content={name: render_claim(order, item, claim, self._world.now())})

    def accept(self, request: Request, order_no: str, name: str) -> Response:
        """POST /orders/{order_id}/cancellation|return|exchange."""
        wanted = one_request(request)
        required(wanted, "status", *(("same_product",) if name == "exchange" else ()))
        state = _STATES[name].get(str(wanted["status"]))
        if state is None:
            raise ApiError(422, "Invalid value. (parameter.status)")
        order = self._search.one(order_no, body_shop_no(request))
        self._check_reason(order, wanted, name)
        now = self._world.now()
        chosen = self._chosen(order, wanted, now)
        for item, _ in chosen:
            self._check_state(item, name, now)
        claims = [self._accept_one(item, quantity, name, wanted, state) for item, quantity in chosen]
        rows = [{"order_item_code": item_code(order, item), "quantity": quantity} for item, quantity in chosen]
        answer: Json = {
            "shop_no": order.sub_shop,
            "order_id": order_id(order),
            "status": wanted["status"],
            "claim_code": claim_code(claims[0], self._world.now()),
            "items": rows,
        }
        if name == "return":
            answer["pickup_completed"] = "F"
        if name == "exchange":
            answer["exchanged_items"] = [
                {"order_item_code": item_code(order, item)}
                for item in items_of(order, self._world.now())
                if item.replaces in claims
            ]
        return Response(status=201, content={name: answer})

    def move(self, request: Request, order_no: str, name: str, code: str) -> Response:
        """PUT /orders/{order_id}/cancellation|return|exchange/{claim_code}."""
        wanted = one_request(request)
        order, item, claim = self._by_code(name, code, body_shop_no(request))
        if order_id(order) != order_no:
            raise ApiError(404, "The claim does not exist. (claim_code)")
        step = claim.step_at(self._world.now())
        if step is None or step.state not in _MOVABLE:
            raise ApiError(422, "The claim has ended. (claim_code)")
        _check_items(order, item, wanted)
        state = _state_after(wanted, name, step.state)
        if wanted.get("return_invoice_no"):
            claim.tracking_no = str(wanted["return_invoice_no"])
        self._world.move_claim(item.line, claim, state, "seller")
        now = self._world.now()
        return Response(content={name: render_claim(order, item, claim, now) | {"status": wanted.get("status")}})

    def refuse(self, request: Request, name: str) -> Response:
        """PUT /cancellationrequests|returnrequests|exchangerequests; 207 when only some were refused."""
        wanted = many_requests(request, most=_REFUSALS_AT_ONCE)
        shop_no = body_shop_no(request)
        return answer_of_many(f"{name}requests", wanted, lambda one: self._refuse_one(one, name, shop_no))

    def refuse_of_order(self, request: Request, order_no: str) -> Response:
        """PUT /orders/{order_id}/exchangerequests."""
        wanted = one_request(request)
        row = self._refuse_one({**wanted, "order_id": order_no}, "exchange", body_shop_no(request))
        return Response(content={"exchangerequests": row})

    # -- one claim

    def _refuse_one(self, wanted: Json, name: str, shop_no: int) -> Json:
        required(wanted, "order_id", "order_item_code", "undone")
        if wanted["undone"] != "T" or not isinstance(wanted["order_item_code"], list):
            raise ApiError(422, "Invalid value. (parameter.undone)")
        order = self._search.one(str(wanted["order_id"]), shop_no)
        now = self._world.now()
        by_code = {item_code(order, item): item for item in items_of(order, now)}
        requests: list[tuple[Item, ClaimFact]] = []
        for code in wanted["order_item_code"]:
            item = by_code.get(str(code))
            if item is None:
                raise ApiError(422, "The item does not exist. (parameter.order_item_code)")
            status = item.code(now)
            if status == EMBEDS[name] + "11":
                raise ApiError(409, "The request has been refused already.")
            if status != EMBEDS[name] + "00":
                raise ApiError(422, f"The item has no request. (parameter.order_item_code) {status}")
            requests.append((item, item.claims[-1]))
        for item, claim in requests:
            self._world.move_claim(item.line, claim, ClaimState.REJECTED, "seller")
        return {
            "shop_no": order.sub_shop,
            "order_id": order_id(order),
            "undone": "T",
            "order_item_code": wanted["order_item_code"],
        }

    def _accept_one(self, item: Item, quantity: int, name: str, wanted: Json, state: ClaimState) -> ClaimFact:
        now = self._world.now()
        if item.code(now) == EMBEDS[name] + "00":
            claim = item.claims[-1]
            claim.quantity = quantity
        else:
            claim = self._world.request_claim(
                item.line,
                KINDS[name],
                REASONS.get(str(wanted.get("claim_reason_type")), ClaimReason.OTHER),
                str(wanted.get("reason", "")),
                quantity,
                by="seller",
                state=ClaimState.APPROVED if name == "cancellation" else ClaimState.ACCEPTED,
            )
        self._world.move_claim(item.line, claim, state, "seller")
        return claim

    def _check_state(self, item: Item, name: str, now: datetime) -> None:
        status = item.code(now)
        if status == EMBEDS[name] + "00":
            return
        if status == EMBEDS[name] + "40":
            raise ApiError(409, "The claim has been completed already.")
        if status not in OPEN_TO[name] or item.replaces is not None or self._world.open_claim(item.line):
            raise ApiError(422, f"The item is in a state that does not allow it. {status}")

    def _check_reason(self, order: OrderFact, wanted: Json, name: str) -> None:
        code = wanted.get("claim_reason_type")
        if code is not None and code not in _REASON_CODES:
            raise ApiError(422, "Invalid value. (parameter.claim_reason_type)")
        if len(str(wanted.get("reason") or "")) > 2000:
            raise ApiError(422, "Invalid value. (parameter.reason)")
        if is_market_order(order) or order.payment in ("naverpay", "kakaopay"):
            forbidden = [field for field in _FORBIDDEN_FOR_MARKETS if field in wanted]
            if name == "cancellation" and code is not None:
                forbidden.append("claim_reason_type")
            if forbidden:
                raise ApiError(422, f"Not allowed for this order. (parameter.{forbidden[0]})")

    def _chosen(self, order: OrderFact, wanted: Json, now: datetime) -> list[tuple[Item, int]]:
        """The items meant, each with its quantity; without a list all that have not ended."""
        items = items_of(order, now)
        rows = wanted.get("items")
        if not rows:
            return [(item, item.quantity) for item in items if not item.code(now).endswith(("40", "47", "48", "49"))]
        by_code = {item_code(order, item): item for item in items}
        chosen = []
        for row in rows:
            item = by_code.get(str(row.get("order_item_code")))
            if item is None:
                raise ApiError(422, "The item does not exist. (parameter.order_item_code)")
            quantity = int(row.get("quantity", item.quantity))
            if not 1 <= quantity <= item.quantity:
                raise ApiError(422, "Invalid value. (parameter.quantity)")
            chosen.append((item, quantity))
        return chosen

    def _by_code(self, name: str, code: str, shop_no: int) -> tuple[OrderFact, Item, ClaimFact]:
        """Raises: ApiError 404 when no accepted claim of that kind has the code."""
        now = self._world.now()
        order = self._order_of_claim(code)
        if order is not None and self._search.owns(order, shop_no):
            for item in items_of(order, now):
                for claim in item.claims:
                    if claim_code(claim, now) == code and LETTERS[claim.kind] == EMBEDS[name]:
                        return order, item, claim
        raise ApiError(404, "The claim does not exist. (claim_code)")

    def _order_of_claim(self, code: str) -> OrderFact | None:
        number = code.rpartition("-")[2]
        if not number.isdecimal():
            return None
        try:
            return self._world.order_of(self._world.line_of_claim(int(number)).number)
        except KeyError:
            return None


def _state_after(wanted: Json, name: str, state: ClaimState) -> ClaimState:
    """Where a PUT brings a claim that is in ``state``. Raises: ApiError 422, or 409 when it is there already."""
    if wanted.get("undone") == "T":
        more = ("recover_inventory", "add_memo_too", "expose_order_detail") if name == "cancellation" else ()
        required(wanted, "undone_reason_type", *more)
        return ClaimState.WITHDRAWN
    for field, most in (("return_invoice_no", 40), ("return_shipping_company_name", 30)):
        if len(str(wanted.get(field) or "")) > most:
            raise ApiError(422, f"Invalid value. (parameter.{field})")
    if state is ClaimState.HOLD:
        raise ApiError(422, "The claim is on hold. (claim_code)")
    status = str(wanted.get("status") or "")
    if status and (status == "accepted" or status not in _STATES[name]):
        raise ApiError(422, "Invalid value. (parameter.status)")
    if status:
        return _STATES[name][status]
    if wanted.get("pickup_completed") != "T" or name == "cancellation":
        raise ApiError(422, "Required parameter is missing. (parameter.status)")
    if state in (ClaimState.COLLECTED, ClaimState.INSPECTING):
        raise ApiError(409, "The goods have been collected already. (parameter.pickup_completed)")
    if state not in (ClaimState.ACCEPTED, ClaimState.COLLECTING):
        raise ApiError(422, "The claim is in a state that does not allow it. (parameter.pickup_completed)")
    return ClaimState.COLLECTED


def _check_items(order: OrderFact, item: Item, wanted: Json) -> None:
    """``items`` narrows a claim down to some of its lines; one claim has one line here."""
    named = [str(row.get("order_item_code")) for row in wanted.get("items") or () if isinstance(row, dict)]
    if named and item_code(order, item) not in named:
        raise ApiError(422, "The item does not belong to the claim. (parameter.items)")


def answer_of_many(key: str, wanted: list[Json], act: Callable[[Json], Json], *, success: int = 200) -> Response:
    """The answer to a call with several objects: 207 when they differ, the first error when all failed."""
    rows: list[Json] = []
    failures: list[ApiError] = []
    for one in wanted:
        try:
            rows.append(act(one))
        except ApiError as error:
            failures.append(error)
            rows.append({"status": error.response.status, "message": str(error)})
    if len(failures) == len(wanted):
        raise failures[0]
    return Response(status=207 if failures else success, content={key: rows})
