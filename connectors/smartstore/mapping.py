"""SmartStore's records as canonical ones: pure, no I/O.

Sources: Naver Commerce API 2.73.0, order detail and inquiries (confidence: sure for the shapes);
where the mall's own words leave a choice, the reason stands beside it.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Struct

from connectors.smartstore.claims import map_claims
from connectors.smartstore.leaves import (
    CURRENCY,
    Times,
    Unknowns,
    code_of,
    count_unknown,
    day_of,
    flag_of,
    hour_of,
    id_of,
    malformed,
    money_of,
    name_of,
    required_time,
    text_of,
    time_of,
    whole_of,
)
from connectors.smartstore.vocabulary import (
    LINE_STATUS,
    PLACE_ORDER_STATUS,
    PLACED,
)
from connectors.smartstore.wire import (
    AddressWire,
    DeliveryWire,
    DetailWire,
    HopeDeliveryWire,
    InquiryWire,
    OrderWire,
    ProductOrderWire,
    QnaWire,
    Scalar,
    clean_json,
)
from hub.core.contract import Feed, Reading
from hub.core.errors import MalformedResponseError
from hub.core.model import (
    Address,
    Claim,
    ClaimKind,
    ClaimState,
    Inquiry,
    InquiryKind,
    InquiryState,
    InventoryHint,
    Line,
    LineStatus,
    Message,
    MessageAuthor,
    Order,
    Party,
    Product,
    Shipment,
)

INQUIRY_PREFIX = "inquiry:"
QNA_PREFIX = "qna:"

W = TypeVar("W", bound=Struct)

_detail = msgspec.json.Decoder(DetailWire)
_inquiry = msgspec.json.Decoder(InquiryWire)
_qna = msgspec.json.Decoder(QnaWire)


# -- records as they came -> readings


def read_detail(raw: bytes, unknown: Unknowns) -> Reading:
    """One element of the detail answer; ``key`` is the productOrderId."""
    return _read(raw, _detail, map_detail, unknown, ("productOrder", "productOrderId"))


def read_inquiry(raw: bytes, unknown: Unknowns) -> Reading:
    """One customer inquiry; ``key`` is ``inquiry:{inquiryNo}``."""
    return _read(raw, _inquiry, map_inquiry, unknown, ("inquiryNo",), INQUIRY_PREFIX)


def read_qna(raw: bytes, unknown: Unknowns) -> Reading:
    """One product question; ``key`` is ``qna:{questionId}``."""
    return _read(raw, _qna, map_qna, unknown, ("questionId",), QNA_PREFIX)


def read_stored(feed: Feed, key: str, raw: bytes, unknown: Unknowns) -> Reading:
    """A payload of any list: it holds all that was ever read of its record."""
    if feed is Feed.ORDERS:
        return read_detail(raw, unknown)
    return read_qna(raw, unknown) if key.startswith(QNA_PREFIX) else read_inquiry(raw, unknown)


def product_order_of(raw: bytes) -> ProductOrderWire:
    """The mall's own fields of a line that could be read: what a write must know beyond the canonical record."""
    return _decode(raw, _detail).product_order or ProductOrderWire()


def answer_no_of(raw: bytes) -> str | None:
    """The number of the answer that a customer inquiry shows (answerContentId)."""
    return text_of(_decode(raw, _inquiry).answer_content_id)


def _read(
    raw: bytes,
    decoder: msgspec.json.Decoder[W],
    to_record: Callable[[W, Unknowns], Order | Inquiry],
    unknown: Unknowns,
    key_path: tuple[str, ...],
    prefix: str = "",
) -> Reading:
    """A record that cannot be read becomes an error of its own; the error quotes no value of it."""
    try:
        record = to_record(_decode(raw, decoder), unknown)
    except MalformedResponseError as error:
        problem = f"{error.message} at {error.path}"
    except msgspec.ValidationError as error:
        problem = str(error)
    except (ValueError, RecursionError):
        problem = "the record is no JSON that can be read"
    else:
        key = record.lines[0].line_no if isinstance(record, Order) else record.inquiry_no
        return Reading(key=key, raw=raw, record=record)
    return Reading(key=_best_key(raw, key_path, prefix), raw=raw, error=problem)


def _decode(raw: bytes, decoder: msgspec.json.Decoder[W]) -> W:
    if b"\\u0000" in raw:
        return decoder.decode(clean_json(raw))
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(clean_json(raw))


def _best_key(raw: bytes, path: tuple[str, ...], prefix: str) -> str:
    """The identity of a broken record, or a name made of its bytes so that the same one is kept once."""
    try:
        value = msgspec.json.decode(clean_json(raw))
        for name in path:
            value = value[name]
        if isinstance(value, str | int) and str(value).strip():
            return f"{prefix}{value}"[:200]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        pass  # no key to be had: the bytes name it
    return prefix + unreadable_key(raw)


def unreadable_key(raw: bytes) -> str:
    """A name for a record that tells none itself."""
    return f"unreadable:{sha256(raw).hexdigest()[:16]}"


# -- product orders


def map_detail(wire: DetailWire, unknown: Unknowns) -> Order:
    """One product order (상품주문) as an order with one line and every claim that the mall knows of it.

    Money: whole KRW; ``amount`` is what was first paid (totalPaymentAmount), what is left of it is
    not kept. ``mall_changed_at`` is the newest time that the detail shows, because the detail names no
    time of change itself.
    Raises: MalformedResponseError when orderId, productOrderId or the quantity is missing, or a
    number or a time is none.
    """
    order = wire.order or OrderWire()
    product = wire.product_order or ProductOrderWire()
    line_no = id_of(product.product_order_id, "productOrder.productOrderId")
    order_no = id_of(order.order_id, "order.orderId")
    times = Times()
    claims = map_claims(wire, order_no=order_no, line_no=line_no, times=times, unknown=unknown)
    ordered_at = times.note(order.order_date, "order.orderDate")
    paid_at = times.note(order.payment_date, "order.paymentDate")
    times.note(product.place_order_date, "productOrder.placeOrderDate")
    confirmed_at = times.note(product.decision_date, "productOrder.decisionDate")
    shipment = _shipment(wire.delivery, times)
    line = Line(
        line_no=line_no,
        status=_line_status(product, claims, unknown),
        raw_status=text_of(product.product_order_status) or "",
        quantity=_quantity(product),
        product=_product(product),
        held=any(claim.kind is ClaimKind.CONFIRM_HOLD and claim.state.is_open for claim in claims),
        remaining_quantity=whole_of(product.remain_quantity, "productOrder.remainQuantity"),
        amount=money_of(product.total_payment_amount, "productOrder.totalPaymentAmount")
        or money_of(product.initial_payment_amount, "productOrder.initialPaymentAmount"),
        planned_ship_at=time_of(product.shipping_due_date, "productOrder.shippingDueDate"),
        purchase_confirmed_at=confirmed_at,
        mall_changed_at=times.newest,
        shipment=shipment,
    )
    return Order(
        order_no=order_no,
        ordered_at=ordered_at,
        lines=(line,),
        claims=claims,
        claims_are_complete=True,
        paid_at=paid_at,
        currency=CURRENCY,
        payment_method=text_of(order.payment_means),
        buyer=_party(name=order.orderer_name, phone=order.orderer_tel, member_id=order.orderer_id),
        receiver=_receiver(product.shipping_address),
        delivery_message=text_of(product.shipping_memo),
    )


def _line_status(product: ProductOrderWire, claims: tuple[Claim, ...], unknown: Unknowns) -> LineStatus:
    """The mall's status; a partial claim leaves it as it was, so only "nothing is left" ends the line."""
    code = text_of(product.product_order_status)
    status = LINE_STATUS.get(code or "")
    placed = text_of(product.place_order_status)
    if placed is not None and placed not in PLACE_ORDER_STATUS:
        count_unknown(unknown, "placeOrderStatus", placed)
    if status is None:
        count_unknown(unknown, "productOrderStatus", code)
        return LineStatus.UNKNOWN
    if status in _STILL_RUNNING and whole_of(product.remain_quantity, "productOrder.remainQuantity") == 0:
        for claim in reversed(claims):
            if claim.state is ClaimState.DONE and claim.kind in _TAKEN_AWAY_BY:
                return _TAKEN_AWAY_BY[claim.kind]
    if status is LineStatus.PAID and placed == PLACED:
        return LineStatus.PREPARING
    return status


_STILL_RUNNING = frozenset({LineStatus.PAID, LineStatus.DISPATCHED, LineStatus.DELIVERED})
_TAKEN_AWAY_BY = {
    ClaimKind.CANCEL: LineStatus.CANCELLED,
    ClaimKind.ADMIN_CANCEL: LineStatus.CANCELLED,
    ClaimKind.RETURN: LineStatus.RETURNED,
}


def _quantity(product: ProductOrderWire) -> int:
    quantity = whole_of(product.quantity, "productOrder.quantity")
    if quantity is None:
        quantity = whole_of(product.initial_quantity, "productOrder.initialQuantity")
    if quantity is None:
        raise malformed("no quantity", "productOrder.quantity")
    return quantity


def _product(product: ProductOrderWire) -> Product:
    """The facts tell who holds the stock and, by the seller's free codes or the place it leaves from, whose it is."""
    place = product.taking_address
    hints = tuple(
        InventoryHint(name=name, value=value)
        for name, value in (
            ("logistics_company", text_of(product.logistics_company_id)),
            ("logistics_center", text_of(product.logistics_center_id)),
            ("direct_contract", "true" if flag_of(product.logistics_direct_contracted) else None),
            ("delivery_attribute", text_of(product.delivery_attribute_type)),
            ("custom_code_1", text_of(product.seller_custom_code1)),
            ("custom_code_2", text_of(product.seller_custom_code2)),
            ("ships_from_zip", text_of(place.zip_code) if place is not None else None),
            ("wished_delivery", _wished_delivery(product.wish)),
        )
        if value is not None
    )
    return Product(
        name=name_of(product.product_name) or "",
        code=code_of(product.product_id, "productOrder.productId"),
        option=name_of(product.product_option),
        option_code=code_of(product.option_manage_code, "productOrder.optionManageCode"),
        seller_sku=code_of(product.seller_product_code, "productOrder.sellerProductCode"),
        hints=hints,
    )


def _wished_delivery(wish: HopeDeliveryWire) -> str | None:
    """``yyyy-mm-dd`` or ``yyyy-mm-dd HH:MM`` in Korea, ``None`` without a day that can be read."""
    day, at = day_of(wish.hope_delivery_ymd), hour_of(wish.hope_delivery_hm)
    if day is None:
        return None
    return day.isoformat() if at is None else f"{day.isoformat()} {at:%H:%M}"


def _shipment(delivery: DeliveryWire | None, times: Times) -> Shipment | None:
    """``None`` before dispatch, when the mall leaves the section out or empty."""
    if delivery is None:
        return None
    times.note(delivery.pickup_date, "delivery.pickupDate")
    shipment = Shipment(
        carrier=code_of(delivery.delivery_company, "delivery.deliveryCompany"),
        tracking_no=code_of(delivery.tracking_number, "delivery.trackingNumber"),
        dispatched_at=times.note(delivery.send_date, "delivery.sendDate"),
        delivered_at=times.note(delivery.delivered_date, "delivery.deliveredDate"),
    )
    return None if shipment == _NO_SHIPMENT else shipment


_NO_SHIPMENT = Shipment()


def _receiver(address: AddressWire | None) -> Party | None:
    """``None`` for a gift whose receiver has not given an address yet."""
    if address is None:
        return None
    place = Address(
        zip_code=text_of(address.zip_code),
        base=text_of(address.base_address),
        detail=text_of(address.detailed_address),
        country=text_of(address.country),
    )
    return Party(
        name=text_of(address.name),
        phone=text_of(address.tel1),
        phone_second=text_of(address.tel2),
        address=None if place == _NO_ADDRESS else place,
    )


_NO_ADDRESS = Address()


# -- inquiries


def map_inquiry(wire: InquiryWire, unknown: Unknowns) -> Inquiry:
    """A customer inquiry. ``answer`` is the newest one; the mall shows no older. Follow-ups get numbers of their own.

    Raises: MalformedResponseError without a number or a time of asking.
    """
    number = id_of(wire.inquiry_no, "inquiryNo")
    text = text_of(wire.inquiry_content) or ""
    asked_at = required_time(wire.inquiry_registration_date_time, "inquiryRegistrationDateTime")
    answer = text_of(wire.answer_content)
    answered_at = time_of(wire.answer_registration_date_time, "answerRegistrationDateTime")
    return Inquiry(
        inquiry_no=INQUIRY_PREFIX + number,
        thread_no=INQUIRY_PREFIX + number,
        kind=InquiryKind.ORDER_INQUIRY,
        state=_inquiry_state(wire.answered, unknown),
        raw_state=_raw_state(wire.answered),
        asked_at=asked_at,
        subject=text_of(wire.title),
        text=text,
        answer=answer,
        answered_at=answered_at,
        order_no=code_of(wire.order_id, "orderId"),
        line_nos=_line_nos(wire.product_order_id_list),
        product_code=code_of(wire.product_no, "productNo"),
        product_name=name_of(wire.product_name),
        category=code_of(wire.category, "category"),
        writer=_party(name=wire.customer_name, phone=None, member_id=wire.customer_id),
        messages=_messages(number, text, asked_at, answer, answered_at, text_of(wire.answer_content_id)),
        write_ref=number,
    )


def map_qna(wire: QnaWire, unknown: Unknowns) -> Inquiry:
    """A product question: public, the writer always masked, no order, no time of the answer.

    Raises: MalformedResponseError without a number or a time of asking.
    """
    number = id_of(wire.question_id, "questionId")
    text = text_of(wire.question) or ""
    asked_at = required_time(wire.create_date, "createDate")
    answer = text_of(wire.answer)
    return Inquiry(
        inquiry_no=QNA_PREFIX + number,
        thread_no=QNA_PREFIX + number,
        kind=InquiryKind.PRODUCT_INQUIRY,
        state=_inquiry_state(wire.answered, unknown),
        raw_state=_raw_state(wire.answered),
        asked_at=asked_at,
        text=text,
        answer=answer,
        product_code=code_of(wire.product_id, "productId"),
        product_name=name_of(wire.product_name),
        writer=_party(name=None, phone=None, member_id=wire.masked_writer_id),
        is_public=True,
        messages=_messages(number, text, asked_at, answer, None, None),
        write_ref=number,
    )


def _line_nos(joined: Scalar | tuple[Scalar, ...]) -> tuple[str, ...]:
    """The mall documents one text joined by commas; a list says the same."""
    parts = joined if isinstance(joined, tuple) else (text_of(joined) or "").split(",")
    numbers = (str(part).strip() for part in parts if part is not None)
    return tuple(dict.fromkeys(number for number in numbers if number))


def _inquiry_state(answered: Scalar, unknown: Unknowns) -> InquiryState:
    flag = flag_of(answered)
    if flag is None:
        count_unknown(unknown, "answered", _raw_state(answered))
        return InquiryState.UNKNOWN
    return InquiryState.ANSWERED if flag else InquiryState.UNANSWERED


def _raw_state(answered: Scalar) -> str:
    return "true" if answered is True else "false" if answered is False else text_of(answered) or ""


def _messages(
    number: str,
    text: str,
    asked_at: datetime,
    answer: str | None,
    answered_at: datetime | None,
    answer_no: str | None,
) -> tuple[Message, ...]:
    question = Message(message_no=number, author=MessageAuthor.CUSTOMER, text=text, sent_at=asked_at)
    if answer is None:
        return (question,)
    reply = Message(
        message_no=answer_no or f"{number}:answer", author=MessageAuthor.SELLER, text=answer, sent_at=answered_at
    )
    return (question, reply)


def _party(*, name: Scalar, phone: Scalar, member_id: Scalar) -> Party | None:
    party = Party(name=text_of(name), phone=text_of(phone), member_id=text_of(member_id))
    return None if party == _NOBODY else party


_NOBODY = Party()
