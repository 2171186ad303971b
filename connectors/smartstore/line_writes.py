"""Writes on a line itself: confirm, dispatch, delay, cancel, refuse a cancel, file a return.

Source: Naver Commerce API 2.73.0, product-order actions (confidence: sure where nothing else is said).
"""

from datetime import date, datetime, time
from typing import Any

from connectors.smartstore.client import Acted, SmartstoreClient, wire_time
from connectors.smartstore.leaves import KST, day_of, flag_of, hour_of, text_of
from connectors.smartstore.vocabulary import (
    CANCEL_REASON_SENT,
    CANCEL_REFUSABLE,
    DELAY_REASON_SENT,
    DELAY_WORDS,
    NO_ADDRESS_YET,
    PLACED,
    RETURN_REASON_SENT,
    WISHED_BY_DAY,
    WISHED_DELIVERY,
)
from connectors.smartstore.writing import STANDS, LineState, LineWrite, Stop, is_same_number, missing, refused
from hub.core.contract import LineAction, Outcome
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, LineStatus

_DIRECT_CONTRACT = (
    "물류사 직계약 상품은 물류사만 발주확인·발송할 수 있습니다. / "
    "Only the logistics firm may confirm or dispatch this line (direct contract)."
)
_NO_ADDRESS = (
    "선물 받는 분이 아직 배송지를 입력하지 않았습니다. / The receiver of this gift has not given an address yet."
)
_NOT_PAID = "결제완료 상태의 상품주문이 아닙니다. / The line is not in the state PAYED."
_CONFIRM_FIRST = (
    "발주확인을 먼저 하세요. 확인 결과에 배송지 변경 여부가 나옵니다. / "
    "Confirm the line first: the mall then tells whether the receiver's address has changed."
)
_CANCEL_OPEN = (
    "취소 요청이 있습니다. 발송하면 요청이 거부되므로, 먼저 승인하거나 취소 거부로 처리하세요. / "
    "A cancel request is open, and dispatching would refuse it: approve or refuse the request."
)
_CLAIM_OPEN = "진행 중인 클레임이 있습니다. 먼저 처리하세요. / A claim is open on this line: decide it first."
_NO_CANCEL_OPEN = "거부할 취소 요청이 없습니다. / No cancel request is open on this line."
_ANOTHER_CLAIM = (
    "확인한 것과 다른 취소 요청입니다. 다시 확인하세요. / The open request is not the one you saw: look again."
)
_SENT_ALREADY = "이미 다른 송장으로 발송되었습니다. / It is dispatched already, with another parcel."
_DUE_ALREADY = "발송기한이 이미 그 날짜입니다. / That day is the due date already."
_NO_WISH = "희망배송일이 있는 상품주문이 아닙니다. / The buyer could choose no day of delivery for this line."
_NO_TIME = "이 배송 방식은 날짜만 변경할 수 있습니다. / This kind of delivery takes a day and no time."
_NOT_DELIVERED = (
    "배송중·배송완료 상품주문만 반품을 접수할 수 있습니다. / Only a line on its way or delivered can be returned."
)

#: the mall's step once the goods have left
_SENT = frozenset({LineStatus.DISPATCHED, LineStatus.DELIVERED, LineStatus.PURCHASE_CONFIRMED})
#: claims that do not stand in the way of another act
_HARMLESS = frozenset({ClaimKind.CONFIRM_HOLD})
#: characters of cancelDetailedReason, of changeReason and of region
_LONGEST_REASON = 500
_LONGEST_CHANGE = 300
_LONGEST_REGION = 30


# -- confirm


def _nothing_wrong(_action: LineAction, _now: datetime) -> str | None:
    return None


def _stop_confirm(state: LineState, _action: LineAction) -> Stop | None:
    if _is_direct_contract(state):
        return refused(_DIRECT_CONTRACT)
    if not _is_payed(state):
        return refused(_NOT_PAID)
    return STANDS if text_of(state.product.place_order_status) == PLACED else None


async def _send_confirm(client: SmartstoreClient, action: LineAction, _now: datetime, _state: LineState) -> Acted:
    return await client.confirm(action.line.line_no)


def _confirm_shows(_before: LineState, after: LineState, _action: LineAction) -> Outcome:
    is_placed = text_of(after.product.place_order_status) == PLACED or after.line.status in _SENT
    return Outcome.DONE if is_placed else Outcome.UNKNOWN


CONFIRM = LineWrite(wrong=_nothing_wrong, stop=_stop_confirm, send=_send_confirm, shows=_confirm_shows)


# -- dispatch


def _wrong_parcel(action: LineAction, _now: datetime) -> str | None:
    return missing(action, "carrier", "tracking_no")


def _stop_dispatch(state: LineState, action: LineAction) -> Stop | None:
    """A line that is not confirmed is refused: only the confirming tells that its address has changed."""
    if _is_direct_contract(state):
        return refused(_DIRECT_CONTRACT)
    if state.line.status in _SENT:
        return STANDS if _is_parcel(state, action) else refused(_SENT_ALREADY)
    if not _is_payed(state):
        return refused(_NOT_PAID)
    if _open_claim(state, ClaimKind.CANCEL) is not None:
        return refused(_CANCEL_OPEN)
    if _is_busy(state):
        return refused(_CLAIM_OPEN)
    return _not_sendable(state)


async def _send_dispatch(client: SmartstoreClient, action: LineAction, now: datetime, _state: LineState) -> Acted:
    parcel = {
        "deliveryMethod": "DELIVERY",
        "deliveryCompanyCode": (action.carrier or "").strip(),
        "trackingNumber": (action.tracking_no or "").strip(),
        "dispatchDate": wire_time(now),
    }
    return await client.dispatch(action.line.line_no, parcel)


def _dispatch_shows(_before: LineState, after: LineState, action: LineAction) -> Outcome:
    if after.line.status not in _SENT:
        return Outcome.UNKNOWN
    shown = after.line.shipment.tracking_no if after.line.shipment else None
    return Outcome.DONE if shown is None or is_same_number(shown, action.tracking_no) else Outcome.REFUSED


DISPATCH = LineWrite(wrong=_wrong_parcel, stop=_stop_dispatch, send=_send_dispatch, shows=_dispatch_shows)


# -- refuse a cancel: the mall has no other way than to send the line


def _stop_refuse_cancel(state: LineState, action: LineAction) -> Stop | None:
    request = _open_claim(state, ClaimKind.CANCEL)
    if request is None or request.raw_state not in CANCEL_REFUSABLE:
        return refused(_NO_CANCEL_OPEN)
    if action.claim is not None and action.claim.claim_key != request.claim_key:
        return refused(_ANOTHER_CLAIM)
    if _is_direct_contract(state):
        return refused(_DIRECT_CONTRACT)
    if not _is_payed(state):
        return refused(_NOT_PAID)
    return _not_sendable(state)


def _refusal_shows(before: LineState, after: LineState, action: LineAction) -> Outcome:
    """Both must show: the request withdrawn, and this very parcel on its way."""
    request = _open_claim(before, ClaimKind.CANCEL)
    now = next((claim for claim in after.claims if request and claim.claim_key == request.claim_key), None)
    if now is not None and now.state in {ClaimState.DONE, ClaimState.REFUNDING}:
        return Outcome.REFUSED
    if now is None or now.state not in {ClaimState.REJECTED, ClaimState.WITHDRAWN}:
        return Outcome.UNKNOWN
    return _dispatch_shows(before, after, action)


REFUSE_CANCEL = LineWrite(
    wrong=_wrong_parcel,
    stop=_stop_refuse_cancel,
    send=_send_dispatch,
    shows=_refusal_shows,
    is_proved_by_reading=True,
)


# -- delay


def _wrong_delay(action: LineAction, now: datetime) -> str | None:
    if action.ship_on is None:
        return "ship_on 값이 필요합니다. / ship_on is needed: the new day of dispatch."
    if action.ship_on < now.astimezone(KST).date():
        return "ship_on이 지난 날짜입니다. / ship_on is in the past."
    return None


def _stop_delay(state: LineState, action: LineAction) -> Stop | None:
    if not _is_payed(state):
        return refused(_NOT_PAID)
    if not _is_due_on(state, action):
        return None
    is_ours = text_of(state.product.delayed_dispatch_reason) == _delay_reason(action)
    return STANDS if is_ours else refused(_DUE_ALREADY)


async def _send_delay(client: SmartstoreClient, action: LineAction, _now: datetime, _state: LineState) -> Acted:
    assert action.ship_on is not None  # noqa: S101 - refused before by _wrong_delay
    code = _delay_reason(action)
    body = {
        "dispatchDueDate": wire_time(datetime.combine(action.ship_on, _LAST_SECOND, KST)),
        "delayedDispatchReason": code,
        "dispatchDelayedDetailedReason": action.text.strip() or DELAY_WORDS[code],
    }
    return await client.act_on(action.line.line_no, "delay", body, operation="delay")


#: the mall's own due dates end with the day
_LAST_SECOND = time(23, 59, 59)


def _delay_shows(_before: LineState, after: LineState, action: LineAction) -> Outcome:
    return Outcome.DONE if _is_due_on(after, action) else Outcome.UNKNOWN


def _delay_reason(action: LineAction) -> str:
    return DELAY_REASON_SENT.get(action.reason or ClaimReason.UNKNOWN, "PRODUCT_PREPARE")


def _is_due_on(state: LineState, action: LineAction) -> bool:
    due = state.line.planned_ship_at
    return due is not None and due.astimezone(KST).date() == action.ship_on


DELAY = LineWrite(wrong=_wrong_delay, stop=_stop_delay, send=_send_delay, shows=_delay_shows)


# -- another day of delivery than the buyer chose


def _wrong_day(action: LineAction, now: datetime) -> str | None:
    if action.deliver_on is None:
        return "deliver_on 값이 필요합니다. / deliver_on is needed: the new day of delivery."
    if action.deliver_on < now.astimezone(KST).date():
        return "deliver_on이 지난 날짜입니다. / deliver_on is in the past."
    if len(action.text.strip()) > _LONGEST_CHANGE:
        return f"text는 {_LONGEST_CHANGE}자까지입니다. / text is longer than {_LONGEST_CHANGE} characters."
    return missing(action, "text")


def _stop_move(state: LineState, action: LineAction) -> Stop | None:
    """A time goes with the day only for lines that the seller brings at a time of the day (104450 for the others)."""
    if _wished_day(state) is None and text_of(state.product.delivery_attribute_type) not in WISHED_DELIVERY:
        return refused(_NO_WISH)
    if not _is_payed(state):
        return refused(_NOT_PAID)
    if action.deliver_at is not None and not _takes_time(state):
        return refused(_NO_TIME)
    return STANDS if _is_wished_on(state, action) else None


async def _send_move(client: SmartstoreClient, action: LineAction, _now: datetime, state: LineState) -> Acted:
    """What the buyer chose beside the day stays: it is sent as it stands, where the mall takes it at all."""
    assert action.deliver_on is not None  # noqa: S101 - refused before by _wrong_day
    body = {"hopeDeliveryYmd": f"{action.deliver_on:%Y%m%d}", "changeReason": action.text.strip()}
    if _takes_time(state):
        at = action.deliver_at or hour_of(state.product.wish.hope_delivery_hm)
        region = (text_of(state.product.wish.region) or "").strip()
        body |= {} if at is None else {"hopeDeliveryHm": f"{at:%H%M}"}
        body |= {"region": region} if 1 <= len(region) <= _LONGEST_REGION else {}
    return await client.act_on(action.line.line_no, "hope-delivery/change", body, operation="hope.change")


def _move_shows(_before: LineState, after: LineState, action: LineAction) -> Outcome:
    return Outcome.DONE if _is_wished_on(after, action) else Outcome.UNKNOWN


MOVE_DELIVERY = LineWrite(wrong=_wrong_day, stop=_stop_move, send=_send_move, shows=_move_shows)


# -- the seller cancels


def _wrong_cancel(action: LineAction, _now: datetime) -> str | None:
    if len(action.text.strip()) > _LONGEST_REASON:
        return f"text는 {_LONGEST_REASON}자까지입니다. / text is longer than {_LONGEST_REASON} characters."
    return _wrong_reason(action, CANCEL_REASON_SENT) or _wrong_quantity(action)


def _stop_cancel(state: LineState, action: LineAction) -> Stop | None:
    if not _is_payed(state):
        return refused(_NOT_PAID)
    if _open_claim(state, ClaimKind.CANCEL) is not None:
        return refused(_CANCEL_ASKED)
    return refused(_CLAIM_OPEN) if _is_busy(state) else _too_many(state, action)


_CANCEL_ASKED = (
    "구매자의 취소 요청이 있습니다. 판매자 취소 대신 승인하세요. / The buyer asked for a cancel: approve it instead."
)


async def _send_cancel(client: SmartstoreClient, action: LineAction, _now: datetime, _state: LineState) -> Acted:
    body: dict[str, Any] = {"cancelReason": CANCEL_REASON_SENT[action.reason or ClaimReason.UNKNOWN]}
    if action.text.strip():
        body["cancelDetailedReason"] = action.text.strip()
    if action.quantity is not None:
        body["cancelQuantity"] = action.quantity
    return await client.act_on(action.line.line_no, "claim/cancel/request", body, operation="cancel.request")


def _cancel_shows(before: LineState, after: LineState, _action: LineAction) -> Outcome:
    is_going = {ClaimState.REQUESTED, ClaimState.REFUNDING, ClaimState.DONE}
    new = [claim for claim in _new_claims(before, after, ClaimKind.CANCEL) if claim.state in is_going]
    is_cancelled = after.line.status is LineStatus.CANCELLED
    if not new and not is_cancelled:
        return Outcome.UNKNOWN
    # A buyer's own request that came in between waits for the seller: it is not this cancel.
    return Outcome.DONE if is_cancelled or new[-1].raw_state not in CANCEL_REFUSABLE else Outcome.UNKNOWN


SELLER_CANCEL = LineWrite(wrong=_wrong_cancel, stop=_stop_cancel, send=_send_cancel, shows=_cancel_shows)


# -- a return in the customer's name


def _wrong_return(action: LineAction, _now: datetime) -> str | None:
    wrong = _wrong_reason(action, RETURN_REASON_SENT) or _wrong_quantity(action)
    if wrong is None and (action.carrier or action.tracking_no):
        return missing(action, "carrier", "tracking_no")
    return wrong


def _stop_return(state: LineState, action: LineAction) -> Stop | None:
    """While an exchange is on its way again, a further claim is allowed (Commerce API discussion 1841; sure)."""
    if state.line.status not in {LineStatus.DISPATCHED, LineStatus.DELIVERED}:
        return refused(_NOT_DELIVERED)
    return refused(_CLAIM_OPEN) if _is_busy(state) else _too_many(state, action)


async def _send_return(client: SmartstoreClient, action: LineAction, _now: datetime, _state: LineState) -> Acted:
    """The customer sends the goods back himself: the other methods would order a courier at once (likely)."""
    body: dict[str, Any] = {
        "returnReason": RETURN_REASON_SENT[action.reason or ClaimReason.UNKNOWN],
        "collectDeliveryMethod": "RETURN_INDIVIDUAL",
    }
    if action.carrier and action.tracking_no:
        body["collectDeliveryCompany"] = action.carrier.strip()
        body["collectTrackingNumber"] = action.tracking_no.strip()
    if action.quantity is not None:
        body["returnQuantity"] = action.quantity
    return await client.act_on(action.line.line_no, "claim/return/request", body, operation="return.request")


def _return_shows(before: LineState, after: LineState, _action: LineAction) -> Outcome:
    return Outcome.DONE if _new_claims(before, after, ClaimKind.RETURN) else Outcome.UNKNOWN


FILE_RETURN = LineWrite(wrong=_wrong_return, stop=_stop_return, send=_send_return, shows=_return_shows)


# -- what the fresh state says


def _is_payed(state: LineState) -> bool:
    return state.line.status in {LineStatus.PAID, LineStatus.PREPARING}


def _is_placed(state: LineState) -> bool:
    """Only what the mall calls unconfirmed is; a line that does not say may be sent, the mall decides."""
    return text_of(state.product.place_order_status) in {PLACED, None}


def _not_sendable(state: LineState) -> Stop | None:
    """Why no parcel can leave, though the line is paid and nothing is claimed."""
    if text_of(state.product.gift_receiving_status) == NO_ADDRESS_YET:
        return refused(_NO_ADDRESS)
    return None if _is_placed(state) else refused(_CONFIRM_FIRST)


def _is_direct_contract(state: LineState) -> bool:
    """The mall refuses these with 101011 and 105308."""
    return flag_of(state.product.logistics_direct_contracted) is True


def _is_parcel(state: LineState, action: LineAction) -> bool:
    shipment = state.line.shipment
    if shipment is None:
        return False
    is_same_carrier = shipment.carrier == (action.carrier or "").strip()
    return is_same_carrier and is_same_number(shipment.tracking_no, action.tracking_no)


def _open_claim(state: LineState, kind: ClaimKind) -> Claim | None:
    return next((claim for claim in state.claims if claim.kind is kind and claim.state.is_open), None)


def _is_busy(state: LineState) -> bool:
    return any(claim.state.is_open and claim.kind not in _HARMLESS for claim in state.claims)


def _new_claims(before: LineState, after: LineState, kind: ClaimKind) -> list[Claim]:
    known = {claim.claim_key for claim in before.claims}
    return [claim for claim in after.claims if claim.kind is kind and claim.claim_key not in known]


def _wished_day(state: LineState) -> date | None:
    return day_of(state.product.wish.hope_delivery_ymd)


def _takes_time(state: LineState) -> bool:
    return text_of(state.product.delivery_attribute_type) not in WISHED_BY_DAY


def _is_wished_on(state: LineState, action: LineAction) -> bool:
    is_hour = action.deliver_at in {None, hour_of(state.product.wish.hope_delivery_hm)}
    return is_hour and _wished_day(state) == action.deliver_on


def _too_many(state: LineState, action: LineAction) -> Stop | None:
    left = state.line.remaining_quantity
    if left is None:
        left = state.line.quantity
    if left < 1 or (action.quantity or 1) > left:
        return refused(f"quantity: 남은 수량은 {left}개입니다. / quantity: only {left} left.")
    return None


def _wrong_quantity(action: LineAction) -> str | None:
    if action.quantity is not None and action.quantity < 1:
        return "quantity는 1 이상이어야 합니다. / quantity must be at least 1."
    return None


def _wrong_reason(action: LineAction, sendable: Any) -> str | None:
    if action.reason in sendable:
        return None
    known = ", ".join(reason.value for reason in sendable)
    return f"reason: 이 쇼핑몰에 보낼 수 있는 사유가 아닙니다. / reason: the mall takes only {known}."
