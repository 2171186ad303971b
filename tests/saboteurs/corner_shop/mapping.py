"""Corner shop wire <-> canonical. Times come without an offset and are Seoul's."""

from collections import Counter
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hub.core.contract import Reading
from hub.core.model import Claim, Inquiry, Line, Money, Order, Product, Shipment, minor_units

from . import vocabulary as codes
from .wire import LineWire, OrderWire, QuestionWire

SEOUL = ZoneInfo("Asia/Seoul")
Codes = Counter[str]
Word = TypeVar("Word")

_order_decoder = msgspec.json.Decoder(OrderWire)
_question_decoder = msgspec.json.Decoder(QuestionWire)


def read_order(raw: bytes, unknown: Codes) -> Reading:
    """One order with its lines and claims; a record that cannot be read carries its error."""
    try:
        wire = _order_decoder.decode(raw)
        return Reading(key=wire.no, raw=raw, record=map_order(wire, unknown))
    except (msgspec.MsgspecError, ValueError) as error:
        return _unreadable(raw, error)


def read_question(raw: bytes, unknown: Codes) -> Reading:
    try:
        wire = _question_decoder.decode(raw)
        return Reading(key=wire.no, raw=raw, record=map_question(wire, unknown))
    except (msgspec.MsgspecError, ValueError) as error:
        return _unreadable(raw, error)


def _unreadable(raw: bytes, error: Exception) -> Reading:
    try:
        row = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        row = None
    key = str(row.get("no", "")) if isinstance(row, dict) else ""
    return Reading(key=key[:64] or f"unreadable:{hash(raw):x}", raw=raw, error=type(error).__name__)


def map_order(wire: OrderWire, unknown: Codes) -> Order:
    """Shape: one record -> one Order with every line and every claim."""
    return Order(
        order_no=plain(wire.no),
        ordered_at=moment(wire.ordered_at),
        paid_at=moment(wire.paid_at) if wire.paid_at else None,
        currency="KRW",
        lines=tuple(_line(line, unknown) for line in wire.lines),
        claims=tuple(claim for line in wire.lines for claim in _claims(wire.no, line, unknown)),
        claims_are_complete=True,
    )


def _line(wire: LineWire, unknown: Codes) -> Line:
    return Line(
        line_no=plain(wire.no),
        status=word("line.state", wire.state, codes.LINE_STATUS, codes.LineStatus.UNKNOWN, unknown),
        raw_status=plain(wire.state),
        quantity=wire.quantity,
        product=Product(name=plain(wire.name)),
        shipment=Shipment(carrier=plain(wire.carrier or ""), tracking_no=plain(wire.tracking))
        if wire.tracking
        else None,
        amount=None if wire.price is None else Money(minor=minor_units(wire.price, "KRW"), currency="KRW"),
    )


def _claims(order_no: str, line: LineWire, unknown: Codes) -> list[Claim]:
    return [
        Claim(
            claim_key=f"{plain(line.no)}:{index}",
            order_no=plain(order_no),
            line_no=plain(line.no),
            kind=word("claim.kind", wire.kind, codes.CLAIM_KIND, codes.ClaimKind.UNKNOWN, unknown),
            state=word("claim.state", wire.state, codes.CLAIM_STATE, codes.ClaimState.UNKNOWN, unknown),
            raw_state=plain(wire.state),
            quantity=wire.quantity,
            requested_at=moment(wire.asked_at),
        )
        for index, wire in enumerate(line.claims)
    ]


def map_question(wire: QuestionWire, unknown: Codes) -> Inquiry:
    return Inquiry(
        inquiry_no=plain(wire.no),
        thread_no=plain(wire.no),
        kind=codes.INQUIRY_KIND.get(wire.kind, codes.InquiryKind.PRODUCT_INQUIRY),
        state=word("question.state", wire.state, codes.INQUIRY_STATE, codes.InquiryState.UNKNOWN, unknown),
        raw_state=plain(wire.state),
        asked_at=moment(wire.asked_at),
        text=plain(wire.text),
        answer=plain(wire.answer) if wire.answer else None,
    )


def moment(text: str) -> datetime:
    """ "2026-11-22 12:00:00" in Seoul -> aware UTC. Raises: ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SEOUL).astimezone(UTC)


def word(field: str, code: str, table: dict[str, Word], unknown_word: Word, unknown: Codes) -> Word:
    found = table.get(code)
    if found is None:
        unknown[f"{field}:{plain(code)[:40]}"] += 1
        return unknown_word
    return found


def plain(text: str) -> str:
    """Without U+0000, which PostgreSQL refuses."""
    return text.replace("\x00", "")
