"""Wire rows of Qoo10 -> canonical records. Pure: no call, no clock.

Times of the mall are Asia/Tokyo without an offset; amounts are yen unless a row says otherwise.
Every function raises MalformedResponseError with the name of the field, never with its value.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct, json, structs

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.wire import InquiryRow, LineRow, Scalar, decode_inquiry, decode_line, number, text, whole
from hub.core.contract import Feed, Reading
from hub.core.errors import MalformedResponseError
from hub.core.model import (
    Address,
    Claim,
    ClaimKind,
    ClaimReason,
    ClaimState,
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

ZONE = ZoneInfo("Asia/Tokyo")
CURRENCY = "JPY"
#: counted codes are a hint for people: a mall gone mad must not fill the memory
MOST_UNKNOWN_CODES = 500
_LARGEST = 10**15
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?")
#: how the mall, or what it keeps its times in, writes that there is none
_NO_DATE = re.compile(r"-|0000[-/.]?00[-/.]?00(?:[ T].*)?", re.ASCII)
_CLAIM_FIELD = re.compile(rb'"(?:claimstatus|cancelrefunddate)"\s*:', re.IGNORECASE)
_DIGITS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}

Unknown = Counter[str]
R = TypeVar("R", bound=Struct)


def read_listed_order(raw: bytes, *, unknown: Unknown) -> Reading:
    """A row of the order list -> an Order with one line and no word about claims."""
    return _reading(raw, decode_line, _line_key, lambda row: map_order(row, unknown=unknown))


def read_whole_line(raw: bytes, *, unknown: Unknown) -> Reading:
    """A row of the look-up by number -> an Order with one line and the claim it has, if any.

    Partial: it words the status and the times otherwise than the lists do, and tells less of a claim.
    """
    reading = _reading(raw, decode_line, _line_key, lambda row: map_order(row, unknown=unknown, is_whole=True))
    return structs.replace(reading, is_partial=True)


def read_claim(raw: bytes, *, unknown: Unknown) -> Reading:
    return _reading(raw, decode_line, _claim_key, lambda row: map_claim(row, unknown=unknown))


def read_inquiry(raw: bytes, *, unknown: Unknown) -> Reading:
    return _reading(raw, decode_inquiry, _inquiry_no, lambda row: map_inquiry(row, unknown=unknown))


def read_stored(feed: Feed, raw: bytes, *, unknown: Unknown) -> Reading:
    """A stored row by the list it came from. Of the orders' rows only the look-up by number names a claim's fields."""
    if feed is Feed.CLAIMS:
        return read_claim(raw, unknown=unknown)
    if feed is Feed.INQUIRIES:
        return read_inquiry(raw, unknown=unknown)
    is_looked_up = _CLAIM_FIELD.search(raw) is not None
    return (read_whole_line if is_looked_up else read_listed_order)(raw, unknown=unknown)


def _reading(
    raw: bytes,
    decode: Callable[[bytes], R],
    key_of: Callable[[R], str | None],
    to_record: Callable[[R], Order | Claim | Inquiry],
) -> Reading:
    """Decode and map one row; whatever is wrong with it stays with this row."""
    try:
        row = decode(raw)
    except ValueError:
        # The decoder's words could quote the row.
        key = _key_of_broken(raw, decode, key_of)
        return Reading(key=key, raw=raw, error="the row is no readable object of plain values")
    key = ""
    try:
        key = key_of(row) or ""
        return Reading(key=key, raw=raw, record=to_record(row))
    except MalformedResponseError as error:
        return Reading(key=key, raw=raw, error=f"{error.path}: {error.message}")


def _key_of_broken(raw: bytes, decode: Callable[[bytes], R], key_of: Callable[[R], str | None]) -> str:
    """The key from the plain values of a row that holds others too; "" when there is none."""
    try:
        row = json.decode(raw)
        if not isinstance(row, dict):
            return ""
        plain = {name: value for name, value in row.items() if not isinstance(value, dict | list)}
        return key_of(decode(json.encode(plain))) or ""
    except (ValueError, MalformedResponseError):
        return ""


def map_order(row: LineRow, *, unknown: Unknown, is_whole: bool = False) -> Order:
    """One order number -> an Order that holds this line only; the pack number joins the lines.

    ``is_whole``: the row comes from the look-up by number, so a claim in it is all there is.
    Source: GetShippingInfo_v3 and GetShippingAndClaimInfoByOrderNo_V2; confidence: sure.
    """
    order_no = _required(number(row.pack_no), "PackNo")
    line_no = _required(number(row.order_no), "OrderNo")
    currency = _currency(row.currency)
    # Empty says that there is none; a zero, which is no code, does too.
    has_claim = is_whole and number(row.claim_status) is not None
    return Order(
        order_no=order_no,
        ordered_at=moment(row.order_date, "OrderDate"),
        lines=(_line(row, line_no, currency, unknown=unknown, is_whole=is_whole),),
        claims=(map_claim(row, unknown=unknown),) if has_claim else (),
        claims_are_complete=is_whole,
        paid_at=moment(row.payment_date, "PaymentDate"),
        currency=currency,
        payment_method=text(row.payment_method),
        buyer=_buyer(row),
        receiver=_receiver(row),
        delivery_message=text(row.message),
    )


def _line(row: LineRow, line_no: str, currency: str, *, unknown: Unknown, is_whole: bool) -> Line:
    quantity = _quantity(row.quantity, "OrderQty")
    if quantity is None:
        raise MalformedResponseError("missing", path="OrderQty")
    raw_status = text(row.status) or ""
    code = codes.number_in(raw_status)
    claim_code = codes.number_in(text(row.claim_status) or "") if is_whole else None
    status = codes.LINE_STATUS_OF_CLAIM.get(claim_code or "")
    if status is None:
        status = codes.LINE_STATUS.get(code or "", LineStatus.UNKNOWN)
        if status is LineStatus.UNKNOWN:
            count_unknown(unknown, "ShippingStatus", raw_status)
    is_gone = status in (LineStatus.CANCELLED, LineStatus.RETURNED)
    total = _amount(row.total, currency, "Total")
    return Line(
        line_no=line_no,
        status=status,
        raw_status=raw_status,
        quantity=quantity,
        remaining_quantity=0 if is_gone else quantity,
        product=Product(
            name=text(row.item_title) or "",
            code=text(row.item_no),
            option=text(row.option),
            option_code=text(row.option_code),
            seller_sku=text(row.seller_item_code),
            hints=_hints(row),
        ),
        amount=None if total is None else Money(minor=total, currency=currency),
        planned_ship_at=moment(row.planned_date, "EstimatedShippingDate"),
        is_reserved=_is_reserved(row, unknown),
        sendable_from=_sendable_from(row, unknown),
        shipment=_shipment(row, code),
    )


def _is_reserved(row: LineRow, unknown: Unknown) -> bool | None:
    """``None`` in the look-up by number, which does not tell it, and for a code that no table holds."""
    told = text(row.send_type)
    if told is None:
        return None
    found = codes.IS_RESERVED.get(codes.number_in(told) or "")
    if found is None:
        count_unknown(unknown, "AvailableSendType", told)
    return found


def _sendable_from(row: LineRow, unknown: Unknown) -> datetime | None:
    """The day from which on the shop may ship. One that cannot be read is not known, and counted: the order stays."""
    try:
        return moment(row.sendable_from, "AvailableShippingDate")
    except MalformedResponseError:
        count_unknown(unknown, "AvailableShippingDate", "unreadable")
        return None


def _hints(row: LineRow) -> tuple[InventoryHint, ...]:
    """Weak ones only: the API has no word for who owns the stock. The second is a v2 column, so of the look-up."""
    told = (
        ("delivery_attribute", text(row.shipping_way)),
        ("overseas_consignment", text(row.overseas)),
        # A day, a span of hours, or both; with blanks around them.
        ("wished_delivery", _on_one_line(text(row.wished_delivery))),
    )
    return tuple(InventoryHint(name=name, value=value) for name, value in told if value is not None)


def _on_one_line(told: str | None) -> str | None:
    return None if told is None else " ".join(told.split())


def _shipment(row: LineRow, status_code: str | None) -> Shipment | None:
    """The parcel. A carrier may be filled in before dispatch: only status 4, 5 or a number prove it."""
    carrier, tracking_no = text(row.carrier), text(row.tracking_no)
    is_sent = status_code in codes.SENT or tracking_no is not None
    dispatched_at = moment(row.shipping_date, "ShippingDate") if is_sent else None
    delivered_at = moment(row.delivered_date, "DeliveredDate")
    if carrier is None and tracking_no is None and dispatched_at is None and delivered_at is None:
        return None
    return Shipment(carrier=carrier, tracking_no=tracking_no, dispatched_at=dispatched_at, delivered_at=delivered_at)


def _buyer(row: LineRow) -> Party | None:
    mobile, phone = _phone(row.buyer_mobile), _phone(row.buyer_tel)
    party = Party(
        name=text(row.buyer),
        name_kana=text(row.buyer_kana),
        phone=mobile or phone,
        phone_second=phone if mobile else None,
        email=text(row.buyer_email),
    )
    return None if party == _NOBODY else party


def _receiver(row: LineRow) -> Party | None:
    mobile, phone = _phone(row.receiver_mobile), _phone(row.receiver_tel)
    base, detail = text(row.address_base), text(row.address_detail)
    if base is None and detail is None:
        base = text(row.address)
    zip_code = text(row.zip_code)
    party = Party(
        name=text(row.receiver),
        name_kana=text(row.receiver_kana),
        phone=mobile or phone,
        phone_second=phone if mobile else None,
        address=Address(zip_code=zip_code, base=base, detail=detail) if zip_code or base or detail else None,
    )
    return None if party == _NOBODY else party


_NOBODY = Party()


def _phone(value: Scalar) -> str | None:
    found = text(value)
    return None if found == "-" else found


def map_claim(row: LineRow, *, unknown: Unknown) -> Claim:
    """The claim in a row of GetClaimInfo_V3 or of the look-up by number; the fields are the same.

    The mall gives claims no number: order number and request time name one (a change of status
    keeps the request time; confidence: likely). Who ended a claim is not told.
    """
    line_no = _required(number(row.order_no), "orderNo")
    raw_state = _required(text(row.claim_status), "claimStatus")
    code = codes.number_in(raw_state) or ""
    kind, state = codes.CLAIM_STATUS.get(code, (ClaimKind.UNKNOWN, ClaimState.UNKNOWN))
    if state is ClaimState.UNKNOWN:
        count_unknown(unknown, "claimStatus", raw_state)
    reason = text(row.reason)
    quantity, refund = _quantity(row.quantity, "orderQty"), None
    if code == codes.PARTLY_REFUNDED:
        quantity = _quantity(row.part_refund_count, "nrPartRefundCnt") or quantity
        currency = _currency(row.currency)
        balance = _amount(row.part_refund_balance, currency, "nrPartRefundBalance")
        refund = Money(minor=balance, currency=currency) if balance else None
    return Claim(
        claim_key=_claim_key(row) or "",
        order_no=_required(number(row.pack_no), "packNo"),
        line_no=line_no,
        kind=kind,
        state=state,
        raw_state=raw_state,
        reason=codes.reason_of(reason) if reason else ClaimReason.UNKNOWN,
        raw_reason=reason,
        fault_party=codes.fault_of(reason) if reason else FaultParty.UNKNOWN,
        quantity=quantity,
        requested_at=moment(row.request_date, "requestDate"),
        ended_at=moment(row.completion_date, "cancelRefundDate"),
        collect_carrier=text(row.return_carrier),
        collect_tracking_no=text(row.return_tracking_no),
        refund=refund,
    )


def _line_key(row: LineRow) -> str | None:
    return number(row.order_no)


def _claim_key(row: LineRow) -> str | None:
    """``orderNo:yyyymmddHHMMSS`` (the mall's own time); a claim without request time is one per kind."""
    line_no = number(row.order_no)
    if line_no is None:
        return None
    requested_at = moment(row.request_date, "requestDate")
    if requested_at is not None:
        return f"{line_no}:{requested_at.astimezone(ZONE):%Y%m%d%H%M%S}"
    code = codes.number_in(text(row.claim_status) or "") or ""
    kind, _ = codes.CLAIM_STATUS.get(code, (ClaimKind.UNKNOWN, ClaimState.UNKNOWN))
    return f"{line_no}:{kind}"


def map_inquiry(row: InquiryRow, *, unknown: Unknown) -> Inquiry:
    """One message of a customer -> one inquiry; those of one QUESTION_NO are a thread.

    The mall names the order line (CONTR_NO), not the order, so ``order_no`` stays open. It never
    gives the answer's text. A type that is not known counts as public, so that nobody writes
    personal data under it. Source: CSCenter.GetInquiryMessage; confidence: sure for the fields, a
    guess for the meaning of the types.
    """
    inquiry_no = _required(_inquiry_no(row), "INQ_TYPE, QUESTION_NO or SEQ_NO")
    inquiry_type, question_no, seq_no = inquiry_no.split(":")
    line_no = number(row.contr_no)
    kind, is_public = codes.INQUIRY_TYPE.get(
        inquiry_type, (InquiryKind.ORDER_INQUIRY if line_no else InquiryKind.PRODUCT_INQUIRY, True)
    )
    if inquiry_type not in codes.INQUIRY_TYPE:
        count_unknown(unknown, "INQ_TYPE", inquiry_type)
    raw_state = text(row.status) or ""
    state = codes.INQUIRY_STATE.get(raw_state.upper(), InquiryState.UNKNOWN)
    if state is InquiryState.UNKNOWN:
        count_unknown(unknown, "STATUS", raw_state)
    asked_at = moment(row.inq_dt, "INQ_DT")
    if asked_at is None:
        raise MalformedResponseError("missing", path="INQ_DT")
    name, contents = text(row.cust_nm), text(row.contents) or ""
    return Inquiry(
        inquiry_no=inquiry_no,
        thread_no=f"{inquiry_type}:{question_no}",
        kind=kind,
        state=state,
        raw_state=raw_state,
        asked_at=asked_at,
        text=contents,
        subject=text(row.title),
        line_nos=(line_no,) if line_no else (),
        product_code=number(row.gd_no),
        product_name=text(row.gd_nm),
        category=text(row.cate_nm) or text(row.cate_cd),
        writer=Party(name=name) if name else None,
        is_public=is_public,
        messages=(Message(message_no=seq_no, author=MessageAuthor.CUSTOMER, text=contents, sent_at=asked_at),),
        write_ref=inquiry_no,
    )


def _inquiry_no(row: InquiryRow) -> str | None:
    kind, question_no, seq_no = text(row.inq_type), number(row.question_no), number(row.seq_no)
    if kind is None or question_no is None or seq_no is None or ":" in f"{kind}{question_no}{seq_no}":
        return None
    return f"{kind.upper()}:{question_no}:{seq_no}"


def moment(value: Scalar, field: str) -> datetime | None:
    """A time of the mall as aware UTC; ``None`` when empty, "-" or a filler (0000-00-00, 0001, 1900).

    Reads YYYY-MM-DD or YYYY/MM/DD with or without time, with or without seconds, and 8, 12 or 14
    digits; a day alone is its first moment in Tokyo.
    """
    written = text(value)
    if written is None or _NO_DATE.fullmatch(written):
        return None
    try:
        return _moment(written)
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not a date", path=field) from error


@lru_cache(maxsize=16384)
def _moment(written: str) -> datetime | None:
    if len(written) in _DIGITS and written.isascii() and written.isdigit():
        local = datetime.strptime(written, _DIGITS[len(written)])  # noqa: DTZ007  the zone follows
    else:
        try:
            local = datetime.fromisoformat(written)
        except ValueError:
            local = _loosely(written)
    if local.year < 1970:
        return None
    return (local if local.tzinfo else local.replace(tzinfo=ZONE)).astimezone(UTC)


def _loosely(written: str) -> datetime:
    found = _DATE.fullmatch(written)
    if found is None:
        message = "not a date"
        raise ValueError(message)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=ZONE)


def stamp(at: datetime) -> str:
    """A time as the mall's 14 digits in Tokyo time, the fraction of a second cut off."""
    return at.astimezone(ZONE).strftime("%Y%m%d%H%M%S")


def count_unknown(unknown: Unknown, field: str, code: str) -> None:
    """Count a code that no table holds. Free text never comes here, so no personal data does."""
    name = f"{field}:{code[:40]}"
    if name in unknown or len(unknown) < MOST_UNKNOWN_CODES:
        unknown[name] += 1


def _required(value: str | None, field: str) -> str:
    if value is None:
        raise MalformedResponseError("missing", path=field)
    return value


def _currency(value: Scalar) -> str:
    found = (text(value) or CURRENCY).upper()
    if len(found) != 3 or not found.isascii() or not found.isalpha():
        raise MalformedResponseError("not a currency", path="Currency")
    return found


def _quantity(value: Scalar, field: str) -> int | None:
    try:
        found = whole(value.replace(",", "") if isinstance(value, str) else value)
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not a whole number", path=field) from error
    if found is not None and not 0 <= found < 10**9:
        raise MalformedResponseError("not a possible quantity", path=field)
    return found


def _amount(value: Scalar, currency: str, field: str) -> int | None:
    written = text(value)
    if written is None:
        return None
    try:
        found = minor_units(written.replace(",", ""), currency)
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not an amount of money", path=field) from error
    if abs(found) > _LARGEST:
        raise MalformedResponseError("not a possible amount", path=field)
    return found
