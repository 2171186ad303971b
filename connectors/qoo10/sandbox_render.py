"""How the emulated Qoo10 Japan words the World: order rows, claim rows, dates and numbers in many shapes.

Source: field tables of the QAPI guide (revised 2026-06) and traps seen by its users; confidence: sure
for the names, likely for the shapes. Which shape a row has depends on its number alone, so the same
record looks alike in every call.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.sandbox.facts import ClaimFact, Item, LineFact, OrderFact

JST = ZoneInfo("Asia/Tokyo")
SELLER_ID = "demo_shop"
_PACK_BASE = 240_000_000
_LINE_BASE = 1_070_000_000
_ITEM_BASE = 1_100_000_000
#: yen that an option of every third good adds; the order price is lower by as much
_OPTION_EXTRA = 200

STATUS_TEXTS = {
    1: "Awaiting shipping(1)",
    2: "On request(2)",
    3: "Seller confirm(3)",
    4: "On delivery(4)",
    5: "Delivered(5)",
}
_STATUS_CODES = {
    LineStatus.PENDING_PAYMENT: 1,
    LineStatus.PAID: 2,
    LineStatus.PREPARING: 3,
    LineStatus.DISPATCHED: 4,
    LineStatus.DELIVERED: 5,
    LineStatus.PURCHASE_CONFIRMED: 5,
    LineStatus.CANCELLED: 1,  # never paid for; its claim 16 tells
}
_PAYMENTS = {
    "card": "クレジットカード",
    "cash": "コンビニ決済",
    "kakaopay": "PayPay",
    "naverpay": "PayPay",
    "point": "",
}
# names of the second version that are not the third one's with a small first letter
_OLD_NAMES = {
    "PaymentDate": "PaymentDate",
    "EstimatedShippingDate": "EstShippingDate",
    "ShippingDate": "ShippingDate",
    "DeliveredDate": "DeliveredDate",
    "BuyerKana": "buyer_gata",
    "ReceiverKana": "receiver_gata",
    "ItemNo": "itemCode",
    "CartDiscountSeller": "Cart_Discount_Seller",
    "CartDiscountQoo10": "Cart_Discount_Qoo10",
    "SettlePrice": "SettlePrice",
    "ShippingRate": "ShippingRate",
    "Currency": "Currency",
    "ShippingAddress": "shippingAddr",
    "Address1": "Addr1",
    "Address2": "Addr2",
    "DesiredDeliveryDate": "hopeDate",
    "ShippingMessage": "ShippingMsg",
    "DeliveryCompany": "DeliveryCompany",
    "TrackingNo": "TrackingNo",
    "PackingNo": "PackingNo",
}
# the single-order call writes these small although the second version's list does not
_SMALL_IN_SINGLE = {
    "ShippingDate": "shippingDate",
    "Currency": "currency",
    "DeliveryCompany": "deliveryCompany",
    "TrackingNo": "trackingNo",
}


def pack_no(order: OrderFact) -> int:
    return _PACK_BASE + order.number


def order_no(line: LineFact) -> int:
    return _LINE_BASE + line.number


def line_number(text: str) -> int:
    """The World's line number of an ``OrderNo``. Raises: ValueError when it is no number."""
    return int(text) - _LINE_BASE


def item_no(item: Item) -> str:
    return str(_ITEM_BASE + item.number)


_PREPARATION = timedelta(days=5)


class Shapes:
    """The awkward shapes of one row, chosen by its ``number`` and the sandbox's ``seed``.

    ``pack`` chooses the form of its dates: the lines of one order say the same order time.
    """

    __slots__ = ("_dates", "_empty", "_numbers", "has_small_keys")

    def __init__(self, number: int, seed: int, *, pack: int | None = None) -> None:
        choice = number + seed
        self._dates = (choice if pack is None else pack + seed) % 8
        self._numbers = choice % 3
        self._empty = "" if choice % 2 else None
        self.has_small_keys = choice % 7 == 0

    def whole(self, value: int) -> int | str:
        return str(value) if self._numbers == 1 else value

    def money(self, value: int) -> float | str:
        return (float(value), f"{value}.00", value)[self._numbers]

    def text(self, value: str | None) -> str | None:
        return value or self._empty

    def day(self, at: datetime | None) -> str | None:
        return f"{at.astimezone(JST):%Y-%m-%d}" if at else self._empty

    def date(self, at: datetime | None) -> str | None:
        if at is None:
            return self._empty
        local = at.astimezone(JST)
        if self._dates == 0:
            return f"{local:%Y/%m/%d %H:%M:%S}"
        if self._dates == 1:
            return f"{local:%Y%m%d%H%M%S}"
        if self._dates == 2:
            return f"{local:%Y-%m-%d %H:%M}"
        return local.strftime("%Y-%m-%d %H:%M:%S")

    def as_shown(self, at: datetime | None) -> datetime | None:
        """``at`` with what the shape cuts off."""
        return at.replace(second=0) if at and self._dates == 2 else at

    def delivered(self, at: datetime | None) -> str | None:
        """Delivery is at times known by its day only."""
        return self.day(at) if self._dates == 3 else self.date(at)

    def delivered_as_shown(self, at: datetime | None) -> datetime | None:
        return midnight(at) if at and self._dates == 3 else self.as_shown(at)

    def claim_date(self, at: datetime | None) -> str | None:
        """Seconds are never cut: the date of the request is the only identity a claim has."""
        if at is None:
            return self._empty
        if self._dates == 1:
            return f"{at.astimezone(JST):%Y%m%d%H%M%S}"
        return f"{at.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def midnight(at: datetime) -> datetime:
    """The first moment of that day in Japan."""
    return at.astimezone(JST).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


# -- state


def status_code(line: LineFact, now: datetime) -> int:
    return _STATUS_CODES[line.plain_status(now)]


def ended_as(line: LineFact, now: datetime) -> LineStatus | None:
    """What a finished claim made of the line. A claim takes whole lines here: the mall tells no part of one."""
    for claim in reversed(claims_shown(line, now)):
        if claim.code in (3, 16):
            return LineStatus.CANCELLED
        if claim.code == 6:
            return LineStatus.RETURNED
    return None


def moved_until(line: LineFact, now: datetime) -> datetime:
    """The time up to which the line moves: a cancelled or returned one stands still from its end on."""
    return min(
        (claim.ended_at for claim in claims_shown(line, now) if claim.code in _ENDING and claim.ended_at), default=now
    )


def is_listed(line: LineFact, now: datetime) -> bool:
    """Cancelled and returned lines vanish from the lists without a word."""
    return ended_as(line, now) is None


def paid_at(order: OrderFact, now: datetime) -> datetime | None:
    return order.paid_at if order.paid_at and order.paid_at <= now else None


def planned_at(line: LineFact, now: datetime) -> datetime | None:
    """The planned day is told when the seller takes the order."""
    return line.planned_ship_at if status_code(line, now) >= 3 else None


def carrier(line: LineFact, now: datetime) -> str | None:
    """Filled in ahead of the dispatch on every other line that is being prepared."""
    code = status_code(line, now)
    return line.carrier if code >= 4 or (code == 3 and line.number % 2) else None


def is_reserved(item: Item) -> bool:
    """Goods that take days of preparation, as their AvailableDateType says."""
    return item.number % 5 == 0


def option_text(item: Item) -> str:
    extra = f"(+{_OPTION_EXTRA}円)" if option_extra(item) else ""
    return f"{item.option}{extra}"


def option_extra(item: Item) -> int:
    return _OPTION_EXTRA if item.option and item.number % 3 == 0 else 0


class ShownClaim(NamedTuple):
    """A claim as the mall knows it: ``code`` is its ClaimStat."""

    code: int
    requested_at: datetime
    ended_at: datetime | None
    reason: str
    quantity: int
    fact: ClaimFact | None


#: cancelled, returned, cancelled unpaid
_ENDING = frozenset({3, 6, 16})
_ENDED_UNSEEN = frozenset({ClaimState.REJECTED, ClaimState.WITHDRAWN})


def claims_shown(line: LineFact, now: datetime) -> list[ShownClaim]:
    """Claims the mall shows now, oldest first; refused and withdrawn ones have disappeared."""
    shown = [claim for fact in line.claims if (claim := _shown(line, fact, now)) is not None]
    at = line.at_of(LineStatus.CANCELLED, now)
    if at is not None:
        shown.append(ShownClaim(16, at, at, "未入金キャンセル", line.quantity, None))
    shown.sort(key=lambda claim: claim.requested_at)
    return shown


def _shown(line: LineFact, fact: ClaimFact, now: datetime) -> ShownClaim | None:
    step = fact.step_at(now)
    if step is None or step.state in _ENDED_UNSEEN:
        return None
    code = _claim_code(line, fact, step.state)
    if code is None:
        return None
    # A replacement under way is the last that the mall tells of an exchange: it has no date of completion.
    ended_at = step.at if step.state is ClaimState.DONE and code != 13 else None
    quantity = fact.quantity if code == 15 else line.quantity
    return ShownClaim(code, fact.requested_at, ended_at, fact.text, quantity, fact)


def _claim_code(line: LineFact, fact: ClaimFact, state: ClaimState) -> int | None:
    is_done = state is ClaimState.DONE
    is_new = state is ClaimState.REQUESTED
    if fact.kind in (ClaimKind.CANCEL, ClaimKind.ADMIN_CANCEL):
        return 3 if is_done else 1 if is_new else 2
    if fact.kind is ClaimKind.RETURN:
        return 6 if is_done else 4 if is_new else 5
    if fact.kind is ClaimKind.EXCHANGE:
        return 13 if is_done or state is ClaimState.RESHIPPING else 11 if is_new else 12
    if fact.kind is ClaimKind.NON_RECEIPT and is_done:
        return 15 if fact.quantity < line.quantity else 14
    return None  # an open report of non-receipt has no code of its own; this mall has no other kinds


# -- rows


def order_row(order: OrderFact, line: LineFact, now: datetime, *, seed: int) -> dict[str, Any]:
    """One row of GetShippingInfo_v3, in the spelling of the guide."""
    shapes = Shapes(line.number, seed, pack=order.number)
    item, buyer, receiver = line.item, order.buyer, order.receiver
    is_sent = line.at_of(LineStatus.DISPATCHED, now) is not None
    is_taken = status_code(line, now) >= 3
    number = order_no(line)
    return {
        "ShippingStatus": STATUS_TEXTS[status_code(line, now)],
        "SellerID": SELLER_ID,
        "PackNo": shapes.whole(pack_no(order)),
        "OrderDate": shapes.date(order.ordered_at),
        "PaymentDate": shapes.date(paid_at(order, now)),
        "EstimatedShippingDate": shapes.day(planned_at(line, now)),
        "ShippingDate": shapes.date(line.at_of(LineStatus.DISPATCHED, now)),
        "DeliveredDate": shapes.delivered(line.at_of(LineStatus.DELIVERED, now)),
        "Buyer": buyer.name,
        "BuyerKana": buyer.kana or "",
        "BuyerTel": "-",
        "BuyerMobile": f"+81-{buyer.phone[1:]}" if line.number % 2 else buyer.phone,
        "BuyerEmail": buyer.email if line.number % 5 == 0 else "",
        "OrderNo": shapes.whole(number),
        "ItemNo": item_no(item),
        "SellerItemCode": f"{item.sku} " if line.number % 5 == 0 else item.sku,
        "ItemTitle": item.name,
        "Option": shapes.text(option_text(item)),
        "OptionCode": shapes.text(item.option_sku),
        "OrderPrice": shapes.money(item.price - option_extra(item)),
        "OrderQty": shapes.whole(line.quantity),
        "Discount": shapes.money(line.discount),
        "Total": shapes.money(line.amount),
        "Receiver": receiver.name,
        "ReceiverKana": receiver.kana or "",
        "ZipCode": receiver.zip_code,
        "ShippingAddress": f"{receiver.address_base} {receiver.address_detail}",
        "Address1": receiver.address_base,
        "Address2": receiver.address_detail,
        "ReceiverTel": "",
        "ReceiverMobile": receiver.phone,
        "DesiredDeliveryDate": f"{shapes.day(order.ordered_at)} " if line.number % 20 == 0 else shapes.text(None),
        "SenderName": "",
        "SenderTel": "",
        "SenderNation": "",
        "SenderZipCode": "",
        "SenderAddress": "",
        "ShippingWay": "",
        "ShippingMessage": order.message,
        "PaymentMethod": _PAYMENTS.get(order.payment, ""),
        "SellerDiscount": shapes.money(line.discount),
        "Currency": "JPY",
        "ShippingRate": shapes.money(0),
        "RelatedOrder": ", ".join(str(order_no(other)) for other in order.lines),
        "ShippingRateType": "Free",
        "DeliveryCompany": shapes.text(carrier(line, now)),
        "PackingNo": f"JPP{line.number:08d}" if is_taken else shapes.text(None),
        "SellerDeliveryNo": f"{order.ordered_at.astimezone(JST):%y%m%d}-{line.number % 10_000:04d}" if is_taken else "",
        "VoucherCode": "",
        "Gift": "",
        "BranchName": "",
        "Material": "",
        "CartDiscountSeller": shapes.money(0),
        "CartDiscountQoo10": shapes.money(0),
        "SettlePrice": shapes.money(line.amount * 9 // 10),
        "TrackingNo": line.tracking_no if is_sent else "",
        "AvailableSendType": "1" if is_reserved(item) else "0",
        "AvailableShippingDate": shapes.day(order.ordered_at + _PREPARATION) if is_reserved(item) else "",
    }


def small_keys(row: dict[str, Any]) -> dict[str, Any]:
    """The same row with a small first letter in every key, as some versions of the service write."""
    return {f"{key[0].lower()}{key[1:]}": value for key, value in row.items()}


def old_row(row: dict[str, Any]) -> dict[str, Any]:
    """A v3 row under the names of GetShippingInfo_v2."""
    return {_OLD_NAMES.get(key, f"{key[0].lower()}{key[1:]}"): value for key, value in row.items()} | {
        "paymentNation": "JP"
    }


def single_row(order: OrderFact, line: LineFact, now: datetime, *, seed: int) -> dict[str, Any]:
    """One row of GetShippingAndClaimInfoByOrderNo_V2: the order's fields and its newest claim's side by side."""
    fields = old_row(order_row(order, line, moved_until(line, now), seed=seed))
    row = {_SMALL_IN_SINGLE.get(key, key): value for key, value in fields.items()}
    row["OrderType"] = ""
    row["pickupzipCode"] = ""
    row["shippingStatus"] = single_status(line, now)
    claims = claims_shown(line, now)
    if not claims:
        return row | {"claimStatus": "", "reason": "", "requestDate": "", "cancelRefundDate": ""}
    return row | _claim_fields(line, claims[-1], seed=seed)


def single_status(line: LineFact, now: datetime) -> str:
    """The text of the lists while the line is listed, else for every other line the bare number: the guide
    says the number, users have seen the text.
    """
    code = status_code(line, moved_until(line, now))
    return str(code) if line.number % 2 and not is_listed(line, now) else STATUS_TEXTS[code]


def _claim_fields(line: LineFact, claim: ShownClaim, *, seed: int) -> dict[str, Any]:
    shapes = Shapes(claim.fact.number if claim.fact else line.number, seed)
    fact = claim.fact
    has_parcel = fact is not None and fact.tracking_no is not None and claim.code in (5, 6, 12, 13)
    return {
        "claimStatus": str(claim.code),
        "cancelRefundDate": shapes.claim_date(claim.ended_at),
        "reason": claim.reason,
        "requestDate": shapes.claim_date(claim.requested_at),
        "deliveryCompanyReturn": "佐川急便" if has_parcel else "",
        "trackingNoReturn": fact.tracking_no if fact and has_parcel else "",
        "nrDutyTarget": "SC" if claim.code in (14, 15) else "",
        "nrSolType": "NC" if claim.code in (14, 15) else "",
        "nrPartRefundCnt": claim.quantity if claim.code == 15 else 0,
        "nrPartRefundBalance": 0.0,
    }


def claim_row(order: OrderFact, line: LineFact, claim: ShownClaim, now: datetime, *, seed: int) -> dict[str, Any]:
    """One row of GetClaimInfo_V3. There is no claim number and no option."""
    shapes = Shapes(line.number, seed)
    item, receiver, buyer = line.item, order.receiver, order.buyer
    is_sent = line.at_of(LineStatus.DISPATCHED, now) is not None
    return _claim_fields(line, claim, seed=seed) | {
        "orderDate": shapes.date(order.ordered_at),
        "PaymentDate": shapes.date(paid_at(order, now)),
        "shippingDate": shapes.date(line.at_of(LineStatus.DISPATCHED, now)),
        "DeliveredDate": shapes.delivered(line.at_of(LineStatus.DELIVERED, now)),
        "orderNo": shapes.whole(order_no(line)),
        "packNo": shapes.whole(pack_no(order)),
        "itemCode": item_no(item),
        "sellerItemCode": item.sku,
        "itemTitle": item.name,
        "orderQty": shapes.whole(claim.quantity),
        "paymentNation": "JP",
        "currency": "JPY",
        "paymentAmount": shapes.money(line.amount),
        "deliveryCompany": line.carrier if is_sent else "",
        "trackingNo": line.tracking_no if is_sent else "",
        "pickupAddress": f"{receiver.address_base} {receiver.address_detail}" if claim.code in (4, 5, 6) else "",
        "zipCode": receiver.zip_code,
        "paymentReturnShipping": "",
        "itemCondition": "",
        "receiver": receiver.name,
        "receiverTel": "",
        "receiverMobile": receiver.phone,
        "buyer": buyer.name,
        "buyerTel": "-",
        "buyerMobile": buyer.phone,
    }
