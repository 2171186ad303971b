"""Cafe24's orders to the canonical model. Pure; claims and inquiries have modules of their own."""

from collections import Counter
from functools import lru_cache

from connectors.cafe24.claim_mapping import is_replacement, map_claims, origins
from connectors.cafe24.values import Value, code, minor, money, text, when, whole, within
from connectors.cafe24.vocabulary import (
    CLAIM_STATE,
    FINAL_STATUS,
    HELD_STATUS,
    KIND_OF_LETTER,
    MALL_OF_MARKET,
    OWN_MARKET,
    PLAIN_STATUS,
)
from connectors.cafe24.wire import ItemWire, OrderWire, PartyWire, People, Texts, people
from hub.core.errors import MalformedResponseError
from hub.core.model import Address, ClaimKind, InventoryHint, Line, LineStatus, Money, Order, Party, Product, Shipment

#: characters; what is longer is not kept in memory for the next order
_LONGEST_NAME = 500
_GONE = frozenset({LineStatus.CANCELLED, LineStatus.RETURNED})


def map_order(wire: OrderWire, *, codes: Counter[str]) -> Order:
    """Turn one order with its embedded lines, people and claims into a canonical order.

    Shape: one wire order -> one Order with 1..n lines and 0..n claims; ``codes`` counts what no table
    holds. Amounts in the order's currency. Times: ISO with offset, naive ones are KST; UTC out.
    Raises: MalformedResponseError when the order number, every line or a line's number is missing.
    Source: Cafe24 Admin API, version 2026-03-01, GET /orders; confidence: sure.
    """
    order_no = code(wire.order_id)
    if order_no is None:
        raise MalformedResponseError("an order without a number", path="order_id")
    items = wire.items
    if not items:
        raise MalformedResponseError("an order without lines", path="items")
    currency = code(wire.currency) or "KRW"
    claims, are_complete = map_claims(wire, order_no=order_no, currency=currency, codes=codes)
    market, market_order_no = _market(wire)
    receiver = _first(wire.receivers)
    wished = _wished_day(wire)
    return Order(
        order_no=order_no,
        ordered_at=when(wire.order_date, path="order_date"),
        lines=tuple(
            [_line(item, items, currency=currency, paid=wire.paid, wished=wished, codes=codes) for item in items]
        ),
        claims=claims,
        claims_are_complete=are_complete,
        paid_at=when(wire.payment_date, path="payment_date"),
        currency=currency,
        amount=money(wire.payment_amount, currency, path="payment_amount"),
        payment_method=_joined(wire.payment_method_name) or _joined(wire.payment_method),
        buyer=_party(_first(wire.buyer), member_id=wire.member_id),
        receiver=_party(receiver, member_id=None),
        delivery_message=text(receiver.shipping_message) if receiver is not None else None,
        sub_shop=code(wire.shop_no),
        market=market,
        market_order_no=market_order_no,
    )


def _wished_day(wire: OrderWire) -> str | None:
    """The day on which the customer wants the goods, for all lines of the order."""
    day = code(wire.wished_delivery_date) if wire.wished_delivery_date else None
    return None if day is None or day.startswith("0000-00-00") else day


def _line(
    item: ItemWire,
    items: list[ItemWire],
    *,
    currency: str,
    paid: Value,
    wished: str | None,
    codes: Counter[str],
) -> Line:
    line_no = code(item.order_item_code)
    if line_no is None:
        raise MalformedResponseError("a line without a number", path="items.order_item_code")
    quantity = whole(item.quantity, path="items.quantity")
    if quantity is None or quantity < 0:
        raise MalformedResponseError("a line without a quantity", path="items.quantity")
    raw_status = code(item.order_status) or ""
    status, basis = _status(item, raw_status, paid=paid, codes=codes)
    return Line(
        line_no=line_no,
        status=status,
        raw_status=raw_status,
        quantity=quantity,
        product=_product(item, wished),
        held=basis == HELD_STATUS,
        remaining_quantity=0 if status in _GONE else quantity,
        amount=_line_amount(item, quantity, currency),
        planned_ship_at=when(item.shipping_expected_date, path="items.shipping_expected_date"),
        purchase_confirmed_at=when(item.purchaseconfirmation_date, path="items.purchaseconfirmation_date"),
        shipment=_shipment(item),
        replaces_line_no=_replaced(item, items),
    )


def _line_amount(item: ItemWire, quantity: int, currency: str) -> Money | None:
    price = minor(item.product_price, currency, path="items.product_price")
    if price is None:
        return None
    option_price = minor(item.option_price, currency, path="items.option_price") or 0
    return Money(minor=within((price + option_price) * quantity, path="items.product_price"), currency=currency)


def _status(item: ItemWire, raw: str, *, paid: Value, codes: Counter[str]) -> tuple[LineStatus, str]:
    """The status without open claims, and the code that it was read from.

    A claim that is under way leaves the line where it was before customer service touched it
    (``order_status_before_cs``); where that is not told, the line's own dates say how far it came.
    """
    plain = PLAIN_STATUS.get(raw) or FINAL_STATUS.get(raw)
    if plain is not None:
        return plain, raw
    if raw not in CLAIM_STATE:
        codes[f"order_status:{raw}"] += 1
        return LineStatus.UNKNOWN, raw
    before = code(item.order_status_before_cs)
    if before is not None and before in PLAIN_STATUS:
        return PLAIN_STATUS[before], before
    if before is not None and before not in CLAIM_STATE:
        codes[f"order_status_before_cs:{before}"] += 1
    if when(item.delivered_date, path="items.delivered_date") is not None:
        return LineStatus.DELIVERED, raw
    if when(item.shipped_date, path="items.shipped_date") is not None:
        return LineStatus.DISPATCHED, raw
    if KIND_OF_LETTER[raw[0]] is not ClaimKind.CANCEL:
        return LineStatus.UNKNOWN, raw
    return (LineStatus.PENDING_PAYMENT if paid == "F" else LineStatus.PREPARING), raw


def _replaced(item: ItemWire, items: list[ItemWire]) -> str | None:
    """The line that an exchange replaced by this one; a line that was only split off replaces none."""
    if not item.original_item_no or not is_replacement(item):
        return None
    numbers = origins(item)
    return next((code(other.order_item_code) for other in items if code(other.item_no) in numbers), None)


def _product(item: ItemWire, wished: str | None) -> Product:
    name = item.product_name
    make = _product_of if type(name) is not str or len(name) <= _LONGEST_NAME else _product_of.__wrapped__
    return make(
        name,
        item.product_code,
        item.option_value,
        item.variant_code,
        item.custom_product_code,
        item.custom_variant_code,
        item.supplier_id,
        item.supplier_transaction_type,
        wished,
    )


@lru_cache(maxsize=2048)
def _product_of(
    name: Value,
    product_code: Value,
    option: Value,
    variant_code: Value,
    custom_product_code: Value,
    custom_variant_code: Value,
    supplier_id: Value,
    transaction_type: Value,
    wished: str | None,
) -> Product:
    """Products repeat from order to order: one that was met costs a look-up."""
    supplier, trading = code(supplier_id), code(transaction_type)
    hints: tuple[InventoryHint, ...] = ()
    if supplier is not None:
        hints += (InventoryHint(name="supplier", value=supplier),)
    if trading is not None:
        hints += (InventoryHint(name="supplier_transaction", value=trading),)
    if wished is not None:
        hints += (InventoryHint(name="wished_delivery", value=wished),)
    return Product(
        name=text(name) or "",
        code=code(product_code),
        option=text(option),
        option_code=code(variant_code),
        seller_sku=code(custom_product_code) or code(custom_variant_code),
        hints=hints,
    )


def _shipment(item: ItemWire) -> Shipment | None:
    carrier = code(item.shipping_company_code) or text(item.shipping_company_name)
    tracking_no = code(item.tracking_no)
    dispatched_at = when(item.shipped_date, path="items.shipped_date")
    delivered_at = when(item.delivered_date, path="items.delivered_date")
    if carrier is None and tracking_no is None and dispatched_at is None and delivered_at is None:
        return None
    return Shipment(carrier=carrier, tracking_no=tracking_no, dispatched_at=dispatched_at, delivered_at=delivered_at)


def _market(wire: OrderWire) -> tuple[str | None, str | None]:
    """The market that an order came through, and its number there: the same order as another shop's.

    The market is the hub's word for the mall where one is known, else the mall's own word.
    """
    number = code(wire.market_order_no)
    market_id = code(wire.market_id)
    if number is None and (market_id is None or market_id == OWN_MARKET):
        return None, None
    place = code(wire.order_place_id) or market_id
    return MALL_OF_MARKET.get(place or "", place), number


def _party(wire: PartyWire | None, *, member_id: Value) -> Party | None:
    if wire is None:
        return None
    cellphone, phone = text(wire.cellphone) or text(wire.virtual_phone_no), text(wire.phone)
    party = Party(
        name=text(wire.name),
        phone=cellphone or phone,
        phone_second=phone if cellphone is not None else None,
        email=text(wire.email),
        member_id=text(wire.member_id) or text(member_id),
        address=_address(wire) if wire.zipcode or wire.address1 or wire.address2 else None,
    )
    return None if party == _NOBODY else party


def _address(wire: PartyWire) -> Address:
    return Address(
        zip_code=text(wire.zipcode),
        base=text(wire.address1),
        detail=text(wire.address2),
        country=text(wire.country_code),
    )


_NOBODY = Party()


def _first(found: People) -> PartyWire | None:
    return next(iter(people(found)), None)


def _joined(values: Texts) -> str | None:
    if not isinstance(values, list):
        return text(values)
    return ", ".join(found for value in values if (found := text(value)) is not None) or None
