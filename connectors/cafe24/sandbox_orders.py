"""How the emulated Cafe24 words orders, items and claims, awkward shapes included.

Money is text with two decimals, "no date" is ``null``, ``""`` or ``"0000-00-00"``, item dates are now
and then naive Korean time, empty text is ``""`` or ``null``.

Source: Cafe24 Admin API, Orders and Claims, version 2026-03-01; confidence: sure for names and codes.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from connectors.cafe24.sandbox_items import LETTERS, UNDONE_WORDS, Item, accepted_at, items_of, was_requested
from hub.core.model import ClaimKind, ClaimReason, ClaimState, InventoryMode
from hub.sandbox.facts import ClaimFact, OrderFact
from hub.sandbox.facts import Item as Goods

Json = dict[str, Any]

_KST = timedelta(hours=9)
_NO_DATE: tuple[str | None, ...] = (None, "", "0000-00-00")
CARRIERS = {"CJ대한통운": "0006", "롯데택배": "0079", "한진택배": "0018", "우체국택배": "0012"}
_BUYER_CANCEL_REASONS = {
    ClaimReason.CHANGE_OF_MIND: "A",
    ClaimReason.WRONG_ORDER: "I",
    ClaimReason.LATE: "B",
}
_BUYER_RETURN_REASONS = {
    ClaimReason.CHANGE_OF_MIND: "O",
    ClaimReason.WRONG_ORDER: "O",
    ClaimReason.NOT_AS_DESCRIBED: "P",
    ClaimReason.DEFECT: "V",
    ClaimReason.DAMAGED: "V",
    ClaimReason.WRONG_ITEM: "W",
    ClaimReason.MISSING_PART: "W",
}
_SELLER_REASONS = {
    ClaimReason.CHANGE_OF_MIND: "A",
    ClaimReason.WRONG_ORDER: "A",
    ClaimReason.LATE: "B",
    ClaimReason.NOT_AS_DESCRIBED: "F",
    ClaimReason.DEFECT: "K",
    ClaimReason.DAMAGED: "D",
    ClaimReason.WRONG_ITEM: "J",
    ClaimReason.MISSING_PART: "J",
    ClaimReason.OUT_OF_STOCK: "H",
}
_PAYMENTS = {"card": "card", "cash": "cash", "point": "point", "naverpay": "card", "kakaopay": "card"}
_REQUEST_DATES = {"C": "cancel_request_date", "R": "return_request_date", "E": "exchange_request_date"}
_STATUS_CODES = {"C": "C2", "R": "C3", "E": "E1"}
EMBEDS = {"cancellation": "C", "return": "R", "exchange": "E"}


# -- words


def kst(moment: datetime | None) -> str | None:
    return None if moment is None else (moment + _KST).isoformat()[:19] + "+09:00"


def money(amount: int) -> str:
    return f"{amount}.00"


def order_id(order: OrderFact) -> str:
    return f"{(order.ordered_at + _KST).isoformat()[:10].replace('-', '')}-{order.number:07d}"


def number_of(text: str) -> int | None:
    """The World's number inside an order id, ``None`` when it is none."""
    day, dash, number = text.partition("-")
    return int(number) if dash and len(day) == 8 and day.isdecimal() and number.isdecimal() else None


def item_code(order: OrderFact, item: Item) -> str:
    return f"{order_id(order)}-{item.suffix:02d}"


def claim_code(claim: ClaimFact, now: datetime) -> str | None:
    accepted = accepted_at(claim)
    if accepted is None or accepted > now:
        return None
    letter = "B" if claim.kind is ClaimKind.EXCHANGE else "C"
    return f"{letter}{(accepted + _KST):%Y%m%d}-{claim.number:07d}"


def product_no(goods: Goods) -> int:
    return int(goods.sku[-3:]) + 9


def product_code(goods: Goods) -> str:
    return _code_of_sku(goods.sku)


@cache
def _code_of_sku(sku: str) -> str:
    first, second = divmod(int(sku[-3:]) - 1, 26)
    return "P00000" + chr(65 + first) + chr(65 + second)


def variant_code(goods: Goods) -> str:
    return product_code(goods) + "000" + chr(64 + int(goods.option_sku.rpartition("-")[2]))


def buyer_reason(claim: ClaimFact) -> str | None:
    """The code on the item; none when no customer asked."""
    if not was_requested(claim):
        return None
    table = _BUYER_CANCEL_REASONS if LETTERS[claim.kind] == "C" else _BUYER_RETURN_REASONS
    return table.get(claim.reason, "I")


def seller_reason(claim: ClaimFact) -> str:
    return _SELLER_REASONS.get(claim.reason, "I")


def is_market_order(order: OrderFact) -> bool:
    """Orders that came from SmartStore through the mall's market channel."""
    return order.number % 33 == 0


def hides_address(order: OrderFact) -> bool:
    return order.number % 41 == 0


def _item_date(moment: datetime | None, item: Item, place: int) -> str | None:
    """One of the shapes in which the official samples write item dates."""
    if moment is None:
        return _NO_DATE[(item.line.number + place) % 3]
    local = (moment + _KST).isoformat(sep=" ")[:19]
    return local if item.line.number % 3 == 0 else local.replace(" ", "T") + "+09:00"


# -- items


def render_item(order: OrderFact, item: Item, now: datetime) -> Json:
    goods, line = item.line.item, item.line
    newest = item.newest_claim(now)
    claim, step = newest or (None, None)
    letter = LETTERS[claim.kind] if claim else ""
    is_withdrawn = step is not None and step.state is ClaimState.WITHDRAWN
    code = item.code(now)
    option_price = 1000 if goods.option and goods.number % 3 == 0 else 0
    requested = claim.requested_at if claim and was_requested(claim) else None
    refunded = step.at if step and step.state is ClaimState.DONE and letter in ("C", "R") else None
    shipped = item.shipped_at(now)
    dates = {name: requested if name == _REQUEST_DATES.get(letter) else None for name in _REQUEST_DATES.values()}
    return {
        "item_no": item.number,
        "order_item_code": item_code(order, item),
        "variant_code": variant_code(goods),
        "product_no": product_no(goods),
        "product_code": product_code(goods),
        "custom_product_code": goods.sku,
        "custom_variant_code": None if line.number % 2 else "",
        "option_value": goods.option or (None if line.number % 2 else ""),
        "product_name": goods.name,
        "product_price": money(goods.price - option_price),
        "option_price": money(option_price),
        "payment_amount": None,
        "quantity": item.quantity,
        "supplier_id": goods.supplier_code,
        "supplier_name": goods.supplier_name,
        "supplier_transaction_type": "D" if goods.mode is InventoryMode.DIRECT_PURCHASE else "P",
        "supply_price": money(goods.price * 6 // 10),
        "tracking_no": item.tracking_no(now) or ("" if line.number % 2 else None),
        "shipping_code": f"D-{order_id(order)}-00" if shipped else "",
        "shipping_company_code": CARRIERS.get(line.carrier, line.carrier) if shipped else None,
        "shipping_company_name": line.carrier if shipped else None,
        "claim_code": claim_code(claim, now) if claim else None,
        "claim_reason_type": buyer_reason(claim) if claim else None,
        "claim_reason": claim.text if claim and was_requested(claim) else None,
        "claim_quantity": min(claim.quantity, item.quantity) if claim else 0,
        "order_status": code,
        "order_status_before_cs": item.plain_code(claim.requested_at) if claim and not is_withdrawn else "",
        "request_undone": UNDONE_WORDS[letter] if is_withdrawn else None,
        "status_code": _status_code(item, letter if claim and not is_withdrawn else "", code),
        "status_text": "",
        "naver_pay_order_id": f"{2_026_000_000_000_000 + line.number}" if order.payment == "naverpay" else None,
        "naver_pay_claim_status": None,
        "market_item_no": f"{line.number:016d}" if is_market_order(order) else None,
        "market_cancel_request": None,
        "product_bundle": "F",
        "gift": "F",
        "original_item_no": [item.origin.number] if item.origin else None,
        "ordered_date": _item_date(order.ordered_at, item, 0),
        "shipped_date": _item_date(shipped, item, 1),
        "delivered_date": _item_date(item.delivered_at(now), item, 2),
        **{name: _item_date(moment, item, place) for place, (name, moment) in enumerate(dates.items(), start=3)},
        "refund_date": _item_date(refunded, item, 6),
        "shipping_expected_date": f"{(line.planned_ship_at + _KST):%Y-%m-%d}" if line.planned_ship_at else "",
        "multi_invoice": None,
        "dropshipping_type": "N",
    }


def _status_code(item: Item, letter: str, code: str) -> str:
    if letter:
        return _STATUS_CODES[letter]
    if code.startswith("C"):
        return "C1"
    return "N2" if item.replaces else "N1"


# -- orders


def render_order(order: OrderFact, now: datetime, *, embed: frozenset[str]) -> Json:
    items = items_of(order, now)
    total = sum(line.item.price * line.quantity for line in order.lines)
    is_paid = order.paid_at is not None and order.paid_at <= now
    is_market = is_market_order(order)
    codes = [item.code(now) for item in items]
    ended = sum(code in ("C40", "C47", "C48", "C49") for code in codes)
    method = _PAYMENTS.get(order.payment, "card")
    rendered: Json = {
        "shop_no": order.sub_shop,
        "currency": "KRW",
        "order_id": order_id(order),
        "market_id": "shopn" if is_market else "self",
        "market_order_no": market_order_no(order),
        "member_id": order.buyer.member_id or ("" if order.number % 2 else None),
        "member_email": order.buyer.email,
        "member_authentication": "T",
        "initial_order_amount": {
            "order_price_amount": money(total),
            "shipping_fee": "3000.00",
            "total_amount_due": "0.00",
            "payment_amount": money(total + 3000),
        },
        "actual_order_amount": {"order_price_amount": money(total), "payment_amount": money(total + 3000)},
        "billing_name": order.buyer.name,
        "payment_method": [method],
        "payment_method_name": [{"card": "신용카드", "cash": "무통장입금", "point": "적립금"}[method]],
        "paid": "T" if is_paid else "F",
        "canceled": "T" if ended == len(codes) else "M" if ended else "F",
        "order_date": kst(order.ordered_at),
        "payment_date": kst(order.paid_at) if is_paid else _NO_DATE[order.number % 2],
        "cancel_date": None,
        "order_from_mobile": "T" if order.is_from_mobile else "F",
        "payment_amount": money(total + 3000),
        "order_place_name": "스마트스토어" if is_market else "모바일웹" if order.is_from_mobile else "PC쇼핑몰",
        "order_place_id": order_place(order),
        "shipping_type": "A",
        "shipping_status": _shipping_status(codes),
        "wished_delivery_date": "",
        "return_confirmed_date": None,
        "first_payment_methods": [method],
        "easypay_name": "카카오페이" if order.payment == "kakaopay" else "",
        "naverpay_payment_information": "N" if order.payment == "naverpay" else None,
        "multiple_addresses": "F",
        "subscription": "F",
        "show_shipping_address": "F" if hides_address(order) else "T",
        "social_name": None,
        "total_supply_price": str(total * 6 // 10),
        "naver_point": 0,
    }
    if "items" in embed:
        rendered["items"] = [render_item(order, item, now) for item in items]
    if "buyer" in embed:
        rendered["buyer"] = render_buyer(order)
    if "receivers" in embed:
        rendered["receivers"] = render_receivers(order)
    for name, letter in EMBEDS.items():
        if name in embed:
            rendered[name] = [
                render_claim(order, item, claim, now)
                for item in items
                for claim in item.claims
                if LETTERS[claim.kind] == letter and claim_code(claim, now)
            ]
    return rendered


def market_order_no(order: OrderFact) -> str | None:
    return f"{(order.ordered_at + _KST):%Y%m%d}{90_000_000 + order.number}" if is_market_order(order) else None


def order_place(order: OrderFact) -> str:
    if is_market_order(order):
        return "shopn"
    if order.payment == "naverpay":
        return "NCHECKOUT"
    return "mobile" if order.is_from_mobile else "cafe24"


def _shipping_status(codes: list[str]) -> str:
    if "N22" in codes:
        return "W"
    if all(code in ("N40", "N50") for code in codes):
        return "T"
    return "M" if any(code in ("N30", "N40", "N50") for code in codes) else "F"


def render_buyer(order: OrderFact) -> Json:
    buyer = order.buyer
    return {
        "shop_no": order.sub_shop,
        "member_id": buyer.member_id or "",
        "name": buyer.name,
        "email": buyer.email,
        "phone": "",
        "cellphone": buyer.phone,
        "updated_date": None,
    }


def render_receivers(order: OrderFact) -> list[Json]:
    receiver, hidden = order.receiver, hides_address(order)
    has_safe_number = order.number % 10 == 0
    return [
        {
            "shop_no": order.sub_shop,
            "name": "" if hidden else receiver.name,
            "phone": "",
            "cellphone": "" if hidden or has_safe_number else receiver.phone,
            "virtual_phone_no": f"0503-000-{order.number % 10000:04d}" if has_safe_number and not hidden else None,
            "zipcode": "" if hidden else receiver.zip_code,
            "address1": "" if hidden else receiver.address_base,
            "address2": "" if hidden else receiver.address_detail,
            "country_code": "KR",
            "shipping_message": order.message or None,
            "shipping_code": f"D-{order_id(order)}-00",
        }
    ]


# -- claims


def render_claim(order: OrderFact, item: Item, claim: ClaimFact, now: datetime) -> Json:
    """The claim resource: as embedded in an order and as answered by its claim code."""
    step = claim.step_at(now)
    is_undone = step is not None and step.state in (ClaimState.WITHDRAWN, ClaimState.REJECTED)
    is_done = step is not None and step.state is ClaimState.DONE
    amount = claim.quantity * item.line.item.price
    accepted = accepted_at(claim) or claim.requested_at
    letter = LETTERS[claim.kind]
    rendered: Json = {
        "shop_no": order.sub_shop,
        "order_id": order_id(order),
        "claim_code": claim_code(claim, now),
        "claim_reason_type": seller_reason(claim),
        "claim_reason": claim.text,
        "claim_due_date": f"{(accepted + _KST + timedelta(days=5)):%Y-%m-%d}",
        "refund_methods": ["카드 취소"] if letter != "E" else [],
        "refund_reason": "",
        "order_price_amount": money(amount),
        "refund_amounts": [{"payment_method": "card", "amount": money(amount)}] if is_done and letter != "E" else [],
        "shipping_fee": "0.00",
        "return_shipping_fee": "-3000.00" if letter == "R" and claim.reason is ClaimReason.CHANGE_OF_MIND else "0.00",
        "point_used": "0.00",
        "credit_used": "0.00",
        "undone": "T" if is_undone else "F",
        "undone_reason_type": "A" if is_undone else None,
        "undone_reason": None,
        "items": [render_item(order, item, now)],
        "include_tax": "T",
        "tax": None,
    }
    if letter != "C":
        rendered |= _pickup(order, item, claim)
    if letter == "E":
        rendered["exchanged_items"] = [
            {"order_item_code": item_code(order, other)} for other in items_of(order, now) if other.replaces is claim
        ]
    return rendered


def _pickup(order: OrderFact, item: Item, claim: ClaimFact) -> Json:
    return {
        "return_address": {
            "zipcode": "07071",
            "address1": "서울",
            "address2": "창고",
            "items": [item_code(order, item)],
        },
        "pickup": {
            "use_pickup": "T",
            "same_address": "T",
            "name": order.receiver.name,
            "phone": None,
            "cellphone": order.receiver.phone,
            "zipcode": order.receiver.zip_code,
            "address": order.receiver.address_base,
        },
        "return_invoice_no": claim.tracking_no,
        "return_shipping_company_name": "CJ대한통운" if claim.tracking_no else None,
        "pickup_request_state": "T" if claim.tracking_no else "W",
    }
