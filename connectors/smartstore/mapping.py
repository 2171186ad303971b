"""SmartStore's records as canonical ones: pure, no I/O.

Sources: Naver Commerce API 2.73.0, order detail and inquiries (confidence: sure for the shapes);
where the mall's own words leave a choice, the reason stands beside it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from connectors.smartstore.vocabulary import (
    CLAIM_KIND,
    CLAIM_REASON,
    CLAIM_STATE,
    FAULT_PARTY,
    HELD_BACK,
    HOLDBACK_REASON,
    HOLDBACK_STATUS,
    LINE_STATUS,
    PLACE_ORDER_STATUS,
    PLACED,
)
from connectors.smartstore.wire import (
    AddressWire,
    ClaimWire,
    DeliveryWire,
    DetailWire,
    InquiryWire,
    OrderWire,
    ProductOrderWire,
    QnaWire,
    Scalar,
    clean_json,
)
from hub.core.contract import Reading
from hub.core.errors import MalformedResponseError
from hub.core.model import (
    Address,
    Claim,
    ClaimKind,
    ClaimReason,
    ClaimState,
    EndedBy,
    FaultParty,
    Inquiry,
    InquiryKind,
    InquiryState,
    InventoryHint,
    Line,
    LineStatus,
    Message,
    MessageAuthor,
    Money,
    Order,
    Party,
    Product,
    Shipment,
    minor_units,
)

KST = ZoneInfo("Asia/Seoul")
CURRENCY = "KRW"
INQUIRY_PREFIX = "inquiry:"
QNA_PREFIX = "qna:"

#: codes met that no table holds, "field:code" -> how often
Unknowns = Counter[str]

W = TypeVar("W", bound=Struct)

_detail = msgspec.json.Decoder(DetailWire)
_inquiry = msgspec.json.Decoder(InquiryWire)
_qna = msgspec.json.Decoder(QnaWire)


class _Claimed(NamedTuple):
    kind: ClaimKind
    type_word: str
    wire: ClaimWire


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

    Money: whole KRW; ``amount`` is totalPaymentAmount. ``mall_changed_at`` is the newest time that
    the detail shows, because the detail names no time of change itself.
    Raises: MalformedResponseError when orderId, productOrderId or the quantity is missing, or a
    number or a time is none.
    """
    order = wire.order or OrderWire()
    product = wire.product_order or ProductOrderWire()
    line_no = _id(product.product_order_id, "productOrder.productOrderId")
    order_no = _id(order.order_id, "order.orderId")
    times = _Times()
    claims = _claims(wire, order_no=order_no, line_no=line_no, times=times, unknown=unknown)
    ordered_at = times.note(order.order_date, "order.orderDate")
    paid_at = times.note(order.payment_date, "order.paymentDate")
    times.note(product.place_order_date, "productOrder.placeOrderDate")
    confirmed_at = times.note(product.decision_date, "productOrder.decisionDate")
    shipment = _shipment(wire.delivery, times)
    line = Line(
        line_no=line_no,
        status=_line_status(product, claims, unknown),
        raw_status=_text(product.product_order_status) or "",
        quantity=_quantity(product),
        product=_product(product),
        held=any(claim.kind is ClaimKind.CONFIRM_HOLD and claim.state.is_open for claim in claims),
        remaining_quantity=_whole(product.remain_quantity, "productOrder.remainQuantity"),
        amount=_money(product.total_payment_amount, "productOrder.totalPaymentAmount"),
        planned_ship_at=_time(product.shipping_due_date, "productOrder.shippingDueDate"),
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
        payment_method=_text(order.payment_means),
        buyer=_party(name=order.orderer_name, phone=order.orderer_tel, member_id=order.orderer_id),
        receiver=_receiver(product.shipping_address),
        delivery_message=_text(product.shipping_memo),
    )


def _line_status(product: ProductOrderWire, claims: tuple[Claim, ...], unknown: Unknowns) -> LineStatus:
    """The mall's status; a partial claim leaves it as it was, so only "nothing is left" ends the line."""
    code = _text(product.product_order_status)
    status = LINE_STATUS.get(code or "")
    placed = _text(product.place_order_status)
    if placed is not None and placed not in PLACE_ORDER_STATUS:
        unknown[f"placeOrderStatus:{placed[:60]}"] += 1
    if status is None:
        unknown[f"productOrderStatus:{(code or '')[:60]}"] += 1
        return LineStatus.UNKNOWN
    if status in _STILL_RUNNING and _whole(product.remain_quantity, "productOrder.remainQuantity") == 0:
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
    quantity = _whole(product.quantity, "productOrder.quantity")
    if quantity is None:
        quantity = _whole(product.initial_quantity, "productOrder.initialQuantity")
    if quantity is None:
        raise _malformed("no quantity", "productOrder.quantity")
    return quantity


def _product(product: ProductOrderWire) -> Product:
    hints = tuple(
        InventoryHint(name=name, value=value)
        for name, value in (
            ("logistics_company", _text(product.logistics_company_id)),
            ("direct_contract", "true" if _flag(product.logistics_direct_contracted) else None),
            ("delivery_attribute", _text(product.delivery_attribute_type)),
        )
        if value is not None
    )
    return Product(
        name=_text(product.product_name) or "",
        code=_text(product.product_id),
        option=_text(product.product_option),
        option_code=_text(product.option_manage_code),
        seller_sku=_text(product.seller_product_code),
        hints=hints,
    )


def _shipment(delivery: DeliveryWire | None, times: "_Times") -> Shipment | None:
    """``None`` before dispatch, when the mall leaves the section out or empty."""
    if delivery is None:
        return None
    times.note(delivery.pickup_date, "delivery.pickupDate")
    shipment = Shipment(
        carrier=_text(delivery.delivery_company),
        tracking_no=_text(delivery.tracking_number),
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
        zip_code=_text(address.zip_code),
        base=_text(address.base_address),
        detail=_text(address.detailed_address),
        country=_text(address.country),
    )
    return Party(
        name=_text(address.name),
        phone=_text(address.tel1),
        phone_second=_text(address.tel2),
        address=None if place == _NO_ADDRESS else place,
    )


_NO_ADDRESS = Address()


# -- claims


def _claims(wire: DetailWire, *, order_no: str, line_no: str, times: "_Times", unknown: Unknowns) -> tuple[Claim, ...]:
    """Every claim of the line, oldest request first, each claimId once.

    A finished claim may stand in ``currentClaim`` and in ``completedClaims`` at once. Confirm holds
    (구매 확정 보류) and cancels by the mall (직권 취소) have no section: productOrder names them.
    """
    merged: dict[str, Claim] = {}
    unnumbered: list[Claim] = []
    for found in _claims_found(wire, unknown):
        claim = _claim(found, order_no=order_no, line_no=line_no, times=times, unknown=unknown)
        if claim.claim_no is None:
            unnumbered.append(claim)
        elif (known := merged.get(claim.claim_no)) is None:
            merged[claim.claim_no] = claim
        else:
            merged[claim.claim_no] = _merge(known, claim)
    claims = [*merged.values(), *_keyed_by_order_of_request(unnumbered)]
    if len(claims) > 1:
        claims.sort(key=lambda claim: (claim.requested_at or _NEVER, claim.claim_key))
    return tuple(claims)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _claims_found(wire: DetailWire, unknown: Unknowns) -> Iterator[_Claimed]:
    told: set[tuple[ClaimKind, str | None]] = set()
    for sections in (wire.current_claim, wire.before_claim):
        if sections is None:
            continue
        for kind, type_word, section in (
            (ClaimKind.CANCEL, "CANCEL", sections.cancel),
            (ClaimKind.RETURN, "RETURN", sections.return_),
            (ClaimKind.EXCHANGE, "EXCHANGE", sections.exchange),
        ):
            if section is not None and section != _NO_CLAIM:
                told.add((kind, _text(section.claim_id)))
                yield _Claimed(kind, type_word, section)
    for section in wire.completed_claims or ():
        if section is not None and section != _NO_CLAIM:
            type_word = _text(section.claim_type) or ""
            kind = _kind(type_word, unknown)
            told.add((kind, _text(section.claim_id)))
            yield _Claimed(kind, type_word, section)
    product = wire.product_order or ProductOrderWire()
    current_type = _text(product.claim_type)
    if current_type is None:
        return
    kind = _kind(current_type, unknown)
    claim_no = _text(product.claim_id)
    is_told = any(no == claim_no for _, no in told) if claim_no else any(known is kind for known, _ in told)
    if not is_told:
        yield _Claimed(kind, current_type, ClaimWire(claim_id=product.claim_id, claim_status=product.claim_status))


_NO_CLAIM = ClaimWire()


def _kind(type_word: str, unknown: Unknowns) -> ClaimKind:
    kind = CLAIM_KIND.get(type_word)
    if kind is None:
        unknown[f"claimType:{type_word[:60]}"] += 1
        return ClaimKind.UNKNOWN
    return kind


def _claim(found: _Claimed, *, order_no: str, line_no: str, times: "_Times", unknown: Unknowns) -> Claim:
    wire = found.wire
    claim_no = _text(wire.claim_id)
    raw_state = _text(wire.claim_status) or ""
    state = CLAIM_STATE.get(raw_state)
    if state is None:
        unknown[f"claimStatus:{raw_state[:60]}"] += 1
        state = ClaimState.UNKNOWN
    held_back = _text(wire.holdback_status)
    if held_back is not None and held_back not in HOLDBACK_STATUS:
        unknown[f"holdbackStatus:{held_back[:60]}"] += 1
    is_on_hold = held_back == HELD_BACK and state.is_open
    hold_reason = _text(wire.holdback_reason) if is_on_hold else None
    if hold_reason is not None and hold_reason not in HOLDBACK_REASON:
        unknown[f"holdbackReason:{hold_reason[:60]}"] += 1
    raw_reason = _first(wire.cancel_reason, wire.return_reason, wire.exchange_reason, wire.claim_request_reason)
    requested_at = times.note(wire.claim_request_date, "claim.claimRequestDate")
    ended_at = _claim_times(wire, times)
    collected_at = times.note(wire.collect_completed_date, "claim.collectCompletedDate")
    return Claim(
        claim_key=claim_no or f"{line_no}:{found.type_word or found.kind.value}",
        claim_no=claim_no,
        order_no=order_no,
        line_no=line_no,
        kind=found.kind,
        state=ClaimState.HOLD if is_on_hold else state,
        raw_state=raw_state,
        reason=_reason(raw_reason, unknown),
        raw_reason=raw_reason,
        reason_text=_first(
            wire.cancel_detailed_reason,
            wire.return_detailed_reason,
            wire.exchange_detailed_reason,
            wire.claim_request_detail_content,
        ),
        fault_party=FAULT_PARTY.get(raw_reason or "", FaultParty.UNKNOWN),
        quantity=_whole(wire.request_quantity, "claim.requestQuantity"),
        requested_at=requested_at,
        ended_at=None if state.is_open else ended_at,
        # The mall's one word for "refused" and "withdrawn" does not tell who ended it.
        ended_by=EndedBy.UNKNOWN if state is ClaimState.REJECTED else None,
        hold_reason=hold_reason,
        collect_carrier=_text(wire.collect_delivery_company),
        collect_tracking_no=_text(wire.collect_tracking_number),
        collected_at=collected_at,
        reship_carrier=_text(wire.re_delivery_company),
        reship_tracking_no=_text(wire.re_delivery_tracking_number),
    )


def _claim_times(wire: ClaimWire, times: "_Times") -> datetime | None:
    """Note every time of a claim; returns that of its end."""
    times.note(wire.cancel_approval_date, "claim.cancelApprovalDate")
    times.note(wire.claim_request_admission_date, "claim.claimRequestAdmissionDate")
    times.note(wire.collect_operation_date, "claim.collectOperationDate")
    times.note(wire.holdback_config_date, "claim.holdbackConfigDate")
    times.note(wire.holdback_release_date, "claim.holdbackReleaseDate")
    times.note(wire.re_delivery_operation_date, "claim.reDeliveryOperationDate")
    return (
        times.note(wire.claim_complete_operation_date, "claim.claimCompleteOperationDate")
        or times.note(wire.cancel_completed_date, "claim.cancelCompletedDate")
        or times.note(wire.return_completed_date, "claim.returnCompletedDate")
    )


def _reason(code: str | None, unknown: Unknowns) -> ClaimReason:
    if code is None:
        return ClaimReason.UNKNOWN
    reason = CLAIM_REASON.get(code)
    if reason is None:
        unknown[f"claimReason:{code[:60]}"] += 1
        return ClaimReason.UNKNOWN
    return reason


def _merge(known: Claim, other: Claim) -> Claim:
    """Two readings of one claim: the finished one leads, the other fills what it leaves open."""
    leading, filling = (other, known) if known.state.is_open and not other.state.is_open else (known, other)
    gaps = {
        name: theirs
        for name in Claim.__struct_fields__
        if getattr(leading, name) in _GAPS and (theirs := getattr(filling, name)) not in _GAPS
    }
    if not leading.state.is_open:
        gaps.pop("hold_reason", None)
    return msgspec.structs.replace(leading, **gaps) if gaps else leading


_GAPS: tuple[object, ...] = (None, ClaimReason.UNKNOWN, FaultParty.UNKNOWN, ClaimKind.UNKNOWN)


def _keyed_by_order_of_request(claims: list[Claim]) -> list[Claim]:
    """Claims without a number keep apart by the order of their requests, which later claims do not change."""
    claims.sort(key=lambda claim: claim.requested_at or _NEVER)
    met: Counter[str] = Counter()
    keyed = []
    for claim in claims:
        met[claim.claim_key] += 1
        number = met[claim.claim_key]
        if number > 1:
            claim = msgspec.structs.replace(claim, claim_key=f"{claim.claim_key}:{number}")
        keyed.append(claim)
    return keyed


# -- inquiries


def map_inquiry(wire: InquiryWire, unknown: Unknowns) -> Inquiry:
    """A customer inquiry. ``answer`` is the newest one; the mall shows no older. Follow-ups get numbers of their own.

    Raises: MalformedResponseError without a number or a time of asking.
    """
    number = _id(wire.inquiry_no, "inquiryNo")
    text = _text(wire.inquiry_content) or ""
    asked_at = _required_time(wire.inquiry_registration_date_time, "inquiryRegistrationDateTime")
    answer = _text(wire.answer_content)
    answered_at = _time(wire.answer_registration_date_time, "answerRegistrationDateTime")
    return Inquiry(
        inquiry_no=INQUIRY_PREFIX + number,
        thread_no=INQUIRY_PREFIX + number,
        kind=InquiryKind.ORDER_INQUIRY,
        state=_inquiry_state(wire.answered, unknown),
        raw_state=_raw_state(wire.answered),
        asked_at=asked_at,
        subject=_text(wire.title),
        text=text,
        answer=answer,
        answered_at=answered_at,
        order_no=_text(wire.order_id),
        line_nos=tuple(no for part in (_text(wire.product_order_id_list) or "").split(",") if (no := part.strip())),
        product_code=_text(wire.product_no),
        product_name=_text(wire.product_name),
        category=_text(wire.category),
        writer=_party(name=wire.customer_name, phone=None, member_id=wire.customer_id),
        messages=_messages(number, text, asked_at, answer, answered_at, _text(wire.answer_content_id)),
        write_ref=number,
    )


def map_qna(wire: QnaWire, unknown: Unknowns) -> Inquiry:
    """A product question: public, the writer always masked, no order, no time of the answer.

    Raises: MalformedResponseError without a number or a time of asking.
    """
    number = _id(wire.question_id, "questionId")
    text = _text(wire.question) or ""
    asked_at = _required_time(wire.create_date, "createDate")
    answer = _text(wire.answer)
    return Inquiry(
        inquiry_no=QNA_PREFIX + number,
        thread_no=QNA_PREFIX + number,
        kind=InquiryKind.PRODUCT_INQUIRY,
        state=_inquiry_state(wire.answered, unknown),
        raw_state=_raw_state(wire.answered),
        asked_at=asked_at,
        text=text,
        answer=answer,
        product_code=_text(wire.product_id),
        product_name=_text(wire.product_name),
        writer=_party(name=None, phone=None, member_id=wire.masked_writer_id),
        is_public=True,
        messages=_messages(number, text, asked_at, answer, None, None),
        write_ref=number,
    )


def _inquiry_state(answered: Scalar, unknown: Unknowns) -> InquiryState:
    flag = _flag(answered)
    if flag is None:
        unknown[f"answered:{_raw_state(answered)[:60]}"] += 1
        return InquiryState.UNKNOWN
    return InquiryState.ANSWERED if flag else InquiryState.UNANSWERED


def _raw_state(answered: Scalar) -> str:
    return "true" if answered is True else "false" if answered is False else _text(answered) or ""


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


# -- leaves


class _Times:
    """Reads times and remembers the newest."""

    __slots__ = ("newest",)

    def __init__(self) -> None:
        self.newest: datetime | None = None

    def note(self, value: Scalar, path: str) -> datetime | None:
        at = _time(value, path)
        if at is not None and (self.newest is None or at > self.newest):
            self.newest = at
        return at


def _time(value: Scalar, path: str) -> datetime | None:
    """ISO 8601 with an offset; a time without one is read in Korea, where the mall's clocks stand."""
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is answered below
        if at.tzinfo is None:
            at = at.replace(tzinfo=KST)
        return at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise _malformed("not a time", path) from None


def _required_time(value: Scalar, path: str) -> datetime:
    at = _time(value, path)
    if at is None:
        raise _malformed("no time", path)
    return at


def _text(value: Scalar) -> str | None:
    """Text as the mall gave it; empty means not given."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


def _first(*values: Scalar) -> str | None:
    for value in values:
        if value is not None and value != "":
            return str(value)
    return None


def _id(value: Scalar, path: str) -> str:
    text = "" if value is None or isinstance(value, bool | float) else str(value).strip()
    if not text or len(text) > _LONGEST_ID:
        raise _malformed("no usable number", path)
    return text


#: the mall's ids are 20 bytes at most; room is left for longer ones to come
_LONGEST_ID = 60


def _whole(value: Scalar, path: str) -> int | None:
    if value is None or value == "":
        return None
    if type(value) is int:
        return value
    try:
        number = float(value)
        whole = int(number)
    except (ValueError, OverflowError):
        raise _malformed("not a whole number", path) from None
    if whole != number or isinstance(value, bool):
        raise _malformed("not a whole number", path)
    return whole


def _flag(value: Scalar) -> bool | None:
    """``None`` when absent or no word for yes or no."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(str(value).strip().lower()) if value is not None else None


_FLAGS = {"true": True, "y": True, "1": True, "false": False, "n": False, "0": False}


def _money(value: Scalar, path: str) -> Money | None:
    if value is None or value == "":
        return None
    try:
        return Money(minor=minor_units(value, CURRENCY), currency=CURRENCY)
    except (ValueError, OverflowError):
        raise _malformed("not an amount of money", path) from None


def _party(*, name: Scalar, phone: Scalar, member_id: Scalar) -> Party | None:
    party = Party(name=_text(name), phone=_text(phone), member_id=_text(member_id))
    return None if party == _NOBODY else party


_NOBODY = Party()


def _malformed(message: str, path: str) -> MalformedResponseError:
    return MalformedResponseError(message, path=path)
