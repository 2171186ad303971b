"""How the emulated SmartStore words the World: identities, times, order details and claims.

Source of every name and code: Naver Commerce API, document version 2.73, pages of the groups
pay-order and pay-user; confidence as marked in the README of this folder where it is not "sure".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.smartstore.sandbox_notes import NO_NOTES, Notes
from hub.core.model import ClaimKind, ClaimReason, ClaimState, LineStatus
from hub.sandbox.facts import ClaimFact, ClaimStep, LineFact, OrderFact, Person

KST = ZoneInfo("Asia/Seoul")

# Identities look alike on purpose: eight digits of the day, eight of a counter.
ORDER_BASE = 10_000_000
LINE_BASE = 50_000_000
CLAIM_BASE = 70_000_000

#: names as the World's carriers and the mall's list have them; HYUNDAI is Lotte, KGB is Logen
CARRIER_NAMES = {
    "CJGLS": "CJ대한통운", "HYUNDAI": "롯데택배", "HANJIN": "한진택배", "EPOST": "우체국택배", "KGB": "로젠",
    "KDEXP": "경동", "DAESIN": "대신", "ILYANG": "일양", "CHUNIL": "천일", "HDEXP": "합동", "KUNYOUNG": "건영",
    "CVSNET": "GS Postbox", "CUPARCEL": "CU편의점", "HOMEPICK": "홈픽", "SLX": "SLX", "YONGMA": "용마",
    "TEAMFRESH": "팀프레시", "KURLY": "컬리넥스트마일", "LGE": "LG전자", "SELC": "삼성전자",
    "TODAYPICKUP": "카카오T당일",
    "GS더프레시": "GS더프레시", "EMS": "EMS", "DHL": "DHL", "FEDEX": "FedEx", "UPS": "UPS", "USPS": "USPS",
    "SFEX": "SF", "KOREXG": "CJ국제", "HLCGLOBAL": "롯데국제", "REGISTPOST": "등기", "GENERALPOST": "일반우편",
    "CH1": "기타택배",
}  # fmt: skip
#: goods that come on a day which the buyer chooses; the last by the seller's own courier, who takes no time of the day
_HOPE_GOODS = {"KR-SKU-005": "HOPE", "KR-SKU-006": "HOPE", "KR-SKU-013": "HOPE_SELLER_GUARANTEE"}
#: from the order to the day that buyers choose here
_HOPED_FOR = timedelta(days=7)
CARRIER_CODES = {name: code for code, name in CARRIER_NAMES.items()}

_PAYMENT_MEANS = {
    "card": "신용카드",
    "cash": "무통장입금",
    "point": "포인트/머니결제",
    "naverpay": "신용카드 간편결제",
    "kakaopay": "계좌 간편결제",
}
_LINE_CODES = {
    LineStatus.PENDING_PAYMENT: "PAYMENT_WAITING",
    LineStatus.PAID: "PAYED",
    LineStatus.PREPARING: "PAYED",
    LineStatus.DISPATCHED: "DELIVERING",
    LineStatus.DELIVERED: "DELIVERED",
    LineStatus.PURCHASE_CONFIRMED: "PURCHASE_DECIDED",
    LineStatus.EXCHANGED: "EXCHANGED",
    LineStatus.RETURNED: "RETURNED",
    LineStatus.CANCELLED: "CANCELED",
}
CLAIM_TYPES = {
    ClaimKind.CANCEL: "CANCEL",
    ClaimKind.RETURN: "RETURN",
    ClaimKind.EXCHANGE: "EXCHANGE",
    ClaimKind.ADMIN_CANCEL: "ADMIN_CANCEL",
    ClaimKind.CONFIRM_HOLD: "PURCHASE_DECISION_HOLDBACK",
}
#: the kinds that have a section of their own in the detail
SECTIONS = {ClaimKind.CANCEL: "cancel", ClaimKind.RETURN: "return", ClaimKind.EXCHANGE: "exchange"}
_ENDED = frozenset({ClaimState.DONE, ClaimState.REJECTED, ClaimState.WITHDRAWN})
_COLLECTED = frozenset({ClaimState.COLLECTED, ClaimState.INSPECTING, ClaimState.REFUNDING})
_REASON_CODES = {
    ClaimReason.CHANGE_OF_MIND: "INTENT_CHANGED",
    ClaimReason.WRONG_ORDER: "WRONG_ORDER",
    ClaimReason.LATE: "DELAYED_DELIVERY",
    ClaimReason.OUT_OF_STOCK: "SOLD_OUT",
    ClaimReason.DEFECT: "BROKEN_AND_BAD",
    ClaimReason.DAMAGED: "BROKEN",
    ClaimReason.WRONG_ITEM: "WRONG_DELIVERY",
    ClaimReason.MISSING_PART: "DROPPED_DELIVERY",
    ClaimReason.NOT_AS_DESCRIBED: "INCORRECT_INFO",
    ClaimReason.OTHER: "ETC",
    # A code that no published table holds: readers must keep it and guess nothing.
    ClaimReason.UNKNOWN: "REASON_OF_TOMORROW",
}
#: and back; codes of one sense are shown as the first of them
REASONS = {code: reason for reason, code in _REASON_CODES.items()} | {
    "COLOR_AND_SIZE": ClaimReason.CHANGE_OF_MIND,
    "PRODUCT_UNSATISFIED": ClaimReason.OTHER,
    "WRONG_OPTION": ClaimReason.WRONG_ITEM,
}


@lru_cache(maxsize=65_536)
def stamp(at: datetime) -> str:
    """ISO 8601 with milliseconds and the Korean offset."""
    return at.astimezone(KST).isoformat(timespec="milliseconds")


def maybe_stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _numbered(at: datetime, base: int, number: int) -> str:
    return f"{at.astimezone(KST):%Y%m%d}{(base + number) % 100_000_000:08d}"


@lru_cache(maxsize=262_144)
def _order_id(at: datetime, number: int) -> str:
    return _numbered(at, ORDER_BASE, number)


def order_id(order: OrderFact) -> str:
    return _order_id(order.ordered_at, order.number)


@lru_cache(maxsize=262_144)
def _line_id(at: datetime, number: int) -> str:
    return _numbered(at, LINE_BASE, number)


def line_id(order: OrderFact, line: LineFact) -> str:
    """The ``productOrderId``."""
    return _line_id(order.ordered_at, line.number)


def claim_id(claim: ClaimFact) -> str:
    return _numbered(claim.requested_at, CLAIM_BASE, claim.number)


def line_code(line: LineFact, now: datetime) -> str:
    """``productOrderStatus``; a line cancelled without a claim was never paid for."""
    status = line.status(now)
    if status is LineStatus.CANCELLED and line.plain_status(now) is LineStatus.CANCELLED:
        return "CANCELED_BY_NOPAYMENT"
    return _LINE_CODES[status]


def is_placed(line: LineFact, now: datetime) -> bool:
    """Whether the seller has confirmed the line (``placeOrderStatus`` OK)."""
    return any(
        step.at <= now and step.status in (LineStatus.PREPARING, LineStatus.DISPATCHED, LineStatus.DELIVERED)
        for step in line.steps
    )


def claims_shown(line: LineFact, now: datetime) -> list[ClaimFact]:
    """Claims requested by ``now`` that this mall knows, oldest first."""
    shown = [claim for claim in line.claims if claim.kind in CLAIM_TYPES and claim.requested_at <= now]
    shown.sort(key=lambda claim: claim.requested_at)
    return shown


def unheld_step(claim: ClaimFact, now: datetime) -> ClaimStep:
    """The newest step that is no hold: a hold interrupts a state without replacing it."""
    newest = claim.steps[0]
    for step in claim.steps:
        if step.at <= now and step.state is not ClaimState.HOLD:
            newest = step
    return newest


def is_on_hold(claim: ClaimFact, now: datetime) -> bool:
    """Only returns and exchanges can be held; a cancel has no field that would tell."""
    if claim.kind not in (ClaimKind.RETURN, ClaimKind.EXCHANGE):
        return False
    step = claim.step_at(now)
    return step is not None and step.state is ClaimState.HOLD


def claim_code(claim: ClaimFact, now: datetime) -> str:
    """``claimStatus`` of a claim that has been requested."""
    state = unheld_step(claim, now).state
    if claim.kind is ClaimKind.CONFIRM_HOLD:
        return "PURCHASE_DECISION_HOLDBACK_RELEASE" if state in _ENDED else "PURCHASE_DECISION_HOLDBACK"
    word = CLAIM_TYPES[claim.kind]
    if state is ClaimState.DONE:
        return f"{word}_DONE"
    if state in _ENDED:
        return f"{word}_REJECT"
    if claim.kind is ClaimKind.ADMIN_CANCEL:
        return "ADMIN_CANCELING"
    if claim.kind is ClaimKind.CANCEL:
        return "CANCEL_REQUEST" if state is ClaimState.REQUESTED else "CANCELING"
    if state is ClaimState.COLLECTING:
        return "COLLECTING"
    if state is ClaimState.RESHIPPING:
        return "EXCHANGE_REDELIVERING"
    return "COLLECT_DONE" if state in _COLLECTED else f"{word}_REQUEST"


def reason_code(claim: ClaimFact) -> str:
    return _REASON_CODES[claim.reason]


def ended_step(claim: ClaimFact, now: datetime) -> ClaimStep | None:
    step = unheld_step(claim, now)
    return step if step.state in _ENDED else None


def _first_at(claim: ClaimFact, state: ClaimState, now: datetime) -> datetime | None:
    return next((step.at for step in claim.steps if step.state is state and step.at <= now), None)


def is_in_completed(claim: ClaimFact, now: datetime) -> bool:
    """Whether a finished claim stands in ``completedClaims``.

    Refused ones and exchanges always do; done cancels and returns of odd numbers do, beside
    ``currentClaim``: readers that count both count twice. One that is no longer the current claim
    has no other place.
    """
    step = ended_step(claim, now)
    if step is None or claim.kind not in SECTIONS:
        return False
    return step.state is not ClaimState.DONE or claim.kind is ClaimKind.EXCHANGE or claim.number % 2 == 1


def _hold_fields(claim: ClaimFact, now: datetime) -> dict[str, Any]:
    held = released = None
    for step in claim.steps:
        if step.at > now:
            break
        if step.state is ClaimState.HOLD:
            held, released = step, None
        elif held is not None and released is None:
            released = step
    if held is None:
        return {}
    if claim.kind is ClaimKind.EXCHANGE:
        reason = "EXCHANGE_EXTRAFEE" if claim.number % 5 == 0 else "EXCHANGE_DELIVERYFEE"
    else:
        reason = "EXTRAFEEE" if claim.number % 5 == 0 else "RETURN_DELIVERYFEE"
    return {
        "holdbackStatus": "RELEASED" if released else "HOLDBACK",
        "holdbackReason": reason,
        "holdbackDetailedReason": "배송비 미입금",
        "holdbackConfigDate": stamp(held.at),
        "holdbackConfigurer": "판매자",
        "holdbackReleaseDate": stamp(released.at) if released else None,
        "holdbackReleaser": "판매자" if released else None,
    }


def _collect_fields(claim: ClaimFact, now: datetime) -> dict[str, Any]:
    collected = _first_at(claim, ClaimState.COLLECTED, now)
    collecting = _first_at(claim, ClaimState.COLLECTING, now)
    status = "DELIVERED" if collected else "DELIVERING" if collecting else "NOT_REQUESTED"
    has_parcel = claim.tracking_no is not None and collecting is not None
    return {
        "collectStatus": status,
        "collectDeliveryMethod": "RETURN_DESIGNATED",
        "collectDeliveryCompany": "CJGLS" if has_parcel else None,
        "collectTrackingNumber": claim.tracking_no if has_parcel else None,
        "collectCompletedDate": maybe_stamp(collected),
        "claimDeliveryFeeDemandAmount": 0 if claim.kind is ClaimKind.CANCEL else 6000,
    }


def _redelivery_fields(claim: ClaimFact, now: datetime) -> dict[str, Any]:
    sent = _first_at(claim, ClaimState.RESHIPPING, now)
    if sent is None:
        return {}
    return {
        "reDeliveryMethod": "DELIVERY",
        "reDeliveryCompany": "CJGLS",
        "reDeliveryTrackingNumber": claim.reship_tracking_no,
        "reDeliveryStatus": "DELIVERY_COMPLETION" if ended_step(claim, now) else "DELIVERING",
        "reDeliveryOperationDate": stamp(sent),
    }


def claim_section(claim: ClaimFact, now: datetime) -> dict[str, Any]:
    """``currentClaim.<kind>`` or ``beforeClaim.exchange``."""
    word = SECTIONS[claim.kind]
    section: dict[str, Any] = {
        "claimId": claim_id(claim),
        "claimStatus": claim_code(claim, now),
        "claimRequestDate": stamp(claim.requested_at),
        "requestChannel": "구매회원" if claim.steps[0].by == "customer" else "판매자",
        "requestQuantity": claim.quantity,
        f"{word}Reason": reason_code(claim),
        f"{word}DetailedReason": claim.text or None,
    }
    done = _first_at(claim, ClaimState.DONE, now)
    if claim.kind is ClaimKind.CANCEL:
        section["cancelApprovalDate"] = maybe_stamp(done)
        section["cancelCompletedDate"] = maybe_stamp(done)
        return section
    section |= _collect_fields(claim, now) | _hold_fields(claim, now)
    if claim.kind is ClaimKind.RETURN:
        section["returnCompletedDate"] = maybe_stamp(done)
        section["refundExpectedDate"] = stamp(done + timedelta(days=3)) if done else None
        return section
    return section | _redelivery_fields(claim, now)


def completed_claim(claim: ClaimFact, ended: ClaimStep, now: datetime) -> dict[str, Any]:
    """One flat record of ``completedClaims``."""
    record: dict[str, Any] = {
        "claimType": CLAIM_TYPES[claim.kind],
        "claimId": claim_id(claim),
        "claimStatus": claim_code(claim, now),
        "claimRequestReason": reason_code(claim),
        "claimRequestDetailContent": claim.text or None,
        "claimRequestDate": stamp(claim.requested_at),
        "claimCompleteOperationDate": stamp(ended.at),
        "requestQuantity": claim.quantity,
    }
    if claim.kind is not ClaimKind.CANCEL:
        record |= _hold_fields(claim, now)
    return record


def _claim_sections(claims: list[ClaimFact], now: datetime, notes: Notes) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    newest = claims[-1]
    if newest.kind in SECTIONS:
        sections["currentClaim"] = {SECTIONS[newest.kind]: notes.over(newest.number, claim_section(newest, now))}
    completed = []
    for claim in claims:
        ended = ended_step(claim, now)
        if ended is None or claim.kind not in SECTIONS:
            if claim is not newest and claim.kind is ClaimKind.EXCHANGE:
                sections["beforeClaim"] = {"exchange": notes.over(claim.number, claim_section(claim, now))}
        elif claim is not newest or is_in_completed(claim, now):
            completed.append(notes.over(claim.number, completed_claim(claim, ended, now)))
    if completed:
        sections["completedClaims"] = completed
    return sections


def masked(text: str | None) -> str:
    """As the mall masks an account: two letters and stars."""
    return f"{(text or 'na')[:2]}****"


def _address(person: Person) -> dict[str, Any]:
    return {
        "addressType": "DOMESTIC",
        "name": person.name,
        "tel1": person.phone,
        "tel2": "",
        "zipCode": person.zip_code,
        "baseAddress": person.address_base,
        "detailedAddress": person.address_detail,
        "city": "",
        "state": "",
        "country": "대한민국",
        "isRoadNameAddress": True,
    }


def _order_section(order: OrderFact, paid_at: datetime | None) -> dict[str, Any]:
    return {
        "orderId": order_id(order),
        "orderDate": stamp(order.ordered_at),
        "paymentDate": maybe_stamp(paid_at),
        "ordererId": masked(order.buyer.member_id),
        "ordererNo": str(100_000_000 + order.number),
        "ordererName": order.buyer.name,
        "ordererTel": order.buyer.phone.replace("-", ""),
        "paymentMeans": _PAYMENT_MEANS.get(order.payment, "신용카드"),
        "payLocationType": "MOBILE" if order.is_from_mobile else "PC",
        "generalPaymentAmount": sum(line.amount for line in order.lines),
    }


def delivery_attribute(line: LineFact) -> str:
    if line.item.logistics_company:
        return "ARRIVAL_GUARANTEE"
    return _HOPE_GOODS.get(line.item.sku, "NORMAL")


def hope_delivery(order: OrderFact, line: LineFact, notes: Notes = NO_NOTES) -> dict[str, Any] | None:
    """``hopeDelivery``: as the buyer chose it, or as it was changed last; absent where no day can be chosen."""
    attribute = delivery_attribute(line)
    if attribute not in {"HOPE", "HOPE_SELLER_GUARANTEE"}:
        return None
    changes = notes.hopes.get(line.number)
    if changes:
        return changes[-1].fields
    chosen: dict[str, Any] = {"hopeDeliveryYmd": f"{(order.ordered_at + _HOPED_FOR).astimezone(KST):%Y%m%d}"}
    if attribute == "HOPE":
        chosen |= {"hopeDeliveryHm": "1400", "region": "수도권", "additionalFee": 0}
    return chosen


def _line_section(order: OrderFact, line: LineFact, now: datetime, notes: Notes) -> dict[str, Any]:
    remaining = line.remaining(now)
    amount = line.amount
    item = line.item
    section: dict[str, Any] = {
        "productOrderId": line_id(order, line),
        "productOrderStatus": line_code(line, now),
        "placeOrderStatus": "OK" if is_placed(line, now) else "NOT_YET",
        "placeOrderDate": maybe_stamp(line.at_of(LineStatus.PREPARING, now)),
        "decisionDate": maybe_stamp(line.at_of(LineStatus.PURCHASE_CONFIRMED, now)),
        "productClass": "조합형옵션상품" if item.option else "단일상품",
        "productId": str(70_000_000 + item.number),
        "originalProductId": str(60_000_000 + item.number),
        "productName": item.name,
        "productOption": item.option or None,
        "optionManageCode": item.option_sku or None,
        "sellerProductCode": item.sku or None,
        "sellerCustomCode1": item.supplier_code or None,
        "quantity": line.quantity,
        "initialQuantity": line.quantity,
        "remainQuantity": remaining,
        "unitPrice": item.price,
        "productDiscountAmount": line.discount,
        "totalPaymentAmount": amount,
        "initialPaymentAmount": amount,
        "remainPaymentAmount": amount * remaining // line.quantity,
        "deliveryAttributeType": delivery_attribute(line),
        "hopeDelivery": hope_delivery(order, line, notes),
        "logisticsCompanyId": item.logistics_company,
        "packageNumber": _numbered(order.ordered_at, 90_000_000, order.number),
        "shippingDueDate": maybe_stamp(due_at(order, line, now)),
        "shippingMemo": order.message or None,
        "shippingAddress": _address(order.receiver),
        "inflowPath": "네이버 쇼핑",
    }
    return section


def _delivery_section(line: LineFact, sent: datetime, now: datetime) -> dict[str, Any]:
    delivered = line.at_of(LineStatus.DELIVERED, now)
    return {
        "deliveryMethod": "DELIVERY",
        "deliveryCompany": CARRIER_CODES.get(line.carrier, line.carrier),
        "trackingNumber": line.tracking_no,
        "sendDate": stamp(sent),
        "deliveredDate": maybe_stamp(delivered),
        "deliveryStatus": "DELIVERY_COMPLETION" if delivered else "DELIVERING",
        "isWrongTrackingNumber": False,
    }


def dispatched_at(line: LineFact, now: datetime) -> datetime | None:
    return line.at_of(LineStatus.DISPATCHED, now)


def paid_at(order: OrderFact, line: LineFact, now: datetime) -> datetime | None:
    """When the order was paid, if it has been by ``now``."""
    at = order.paid_at or line.at_of(LineStatus.PAID, now)
    return at if at is not None and at <= now else None


def due_at(order: OrderFact, line: LineFact, now: datetime) -> datetime | None:
    """``shippingDueDate``: the last second of the planned day, once the order is paid."""
    if line.planned_ship_at is None or paid_at(order, line, now) is None:
        return None
    return line.planned_ship_at + timedelta(days=1, seconds=-1)


def detail(order: OrderFact, line: LineFact, now: datetime, notes: Notes = NO_NOTES) -> dict[str, Any]:
    """One element of ``data`` of product-orders/query; a value that is absent is a missing key or null, by chance."""
    product_order = _line_section(order, line, now, notes) | notes.lines.get(line.number, {})
    sections: dict[str, Any] = {
        "order": _order_section(order, paid_at(order, line, now)),
        "productOrder": product_order,
    }
    sent = dispatched_at(line, now)
    if sent is not None:
        sections["delivery"] = _delivery_section(line, sent, now)
    claims = claims_shown(line, now)
    if claims:
        newest = claims[-1]
        product_order["claimType"] = CLAIM_TYPES[newest.kind]
        product_order["claimStatus"] = claim_code(newest, now)
        product_order["claimId"] = claim_id(newest)
        sections |= _claim_sections(claims, now, notes)
    return sections if line.number % 3 == 0 else _without_nulls(sections)


def _without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(inner) if isinstance(inner, dict) else inner
        for key, inner in value.items()
        if inner is not None
    }
