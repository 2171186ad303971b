"""Words that files of Korean and Japanese malls use, where they mean one thing only.

They stand in words.toml. A layout's own words come first; a word in neither is UNKNOWN and counted.
"""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Final

from connectors.sheet.values import word
from hub.core.files import FileField, FileKind
from hub.core.model import ClaimKind, ClaimReason, ClaimState, InquiryKind, InquiryState, LineStatus

_FILE: Final[Mapping[str, Mapping[str, list[str]]]] = tomllib.loads(
    resources.files("connectors.sheet").joinpath("words.toml").read_text(encoding="utf-8")
)
#: what a word means, by field
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    field: {word(each): meaning for meaning, spelt in words.items() for each in spelt} for field, words in _FILE.items()
}

_KNOWN_STATUS: Final = tuple(status.value for status in LineStatus if status is not LineStatus.UNKNOWN)


def _values(words: type[ClaimKind | ClaimState | ClaimReason | InquiryKind | InquiryState]) -> tuple[str, ...]:
    return tuple(each.value for each in words if each.value != "unknown")


#: what a word of a field may be told to mean; a status may stand for a line and its claim ("paid+cancel:requested")
MEANINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "status": (*_KNOWN_STATUS, *(meaning for meaning in _FILE["status"] if "+" in meaning)),
    "claim_kind": _values(ClaimKind),
    "claim_state": _values(ClaimState),
    "claim_reason": _values(ClaimReason),
    "inquiry_kind": _values(InquiryKind),
    "inquiry_state": _values(InquiryState),
}


def allowed(field: str, meaning: str) -> bool:
    """Whether ``meaning`` can be what a word of ``field`` means; any line with any claim is a status."""
    if field != "status" or "+" not in meaning:
        return meaning in MEANINGS.get(field, ())
    status, _, claim = meaning.partition("+")
    kind, _, state = claim.partition(":")
    return status in _KNOWN_STATUS and kind in MEANINGS["claim_kind"] and state in MEANINGS["claim_state"]


_CLAIM_FIELDS: Final = (
    "claim_kind", "claim_state", "claim_no", "claim_reason", "claim_text", "claim_quantity", "claim_requested_at",
    "claim_ended_at",
)  # fmt: skip
_ORDER_FIELDS: Final = (
    "order_no", "line_no", "status", "product_name", "quantity", "option", "product_code", "option_code", "seller_sku",
    "amount", "unit_price", "order_amount", "ordered_at", "paid_at", "payment_method", "buyer_name", "buyer_phone",
    "buyer_phone_second", "buyer_email", "buyer_id", "receiver_name", "receiver_phone", "receiver_phone_second",
    "zip_code", "address", "address_detail", "delivery_message", "carrier", "tracking_no", "dispatched_at",
    "delivered_at", "planned_ship_at", "purchase_confirmed_at", "changed_at", "supplier", "market", "market_order_no",
    *_CLAIM_FIELDS,
)  # fmt: skip
_CLAIM_FILE_FIELDS: Final = (
    "order_no", "line_no", "product_name", "option", "product_code", *_CLAIM_FIELDS, "collect_carrier",
    "collect_tracking_no", "refund_amount",
)  # fmt: skip
_INQUIRY_FIELDS: Final = (
    "inquiry_no", "asked_at", "text", "inquiry_state", "inquiry_kind", "subject", "answer", "answered_at", "order_no",
    "line_no", "product_code", "product_name", "category", "writer_name", "writer_phone", "writer_email", "writer_id",
)  # fmt: skip
_REQUIRED: Final = {
    FileKind.ORDERS: {"order_no", "status", "product_name", "quantity"},
    FileKind.CLAIMS: {"order_no", "claim_kind", "claim_state"},
    FileKind.INQUIRIES: {"asked_at", "text"},
}
_NAMES: Final = {
    FileKind.ORDERS: _ORDER_FIELDS,
    FileKind.CLAIMS: _CLAIM_FILE_FIELDS,
    FileKind.INQUIRIES: _INQUIRY_FIELDS,
}
#: the fields of each kind of file, in the order in which a person meets them
FIELDS: Final[Mapping[FileKind, tuple[FileField, ...]]] = {
    kind: tuple(
        FileField(name=name, is_required=name in _REQUIRED[kind], meanings=MEANINGS.get(name, ())) for name in names
    )
    for kind, names in _NAMES.items()
}
