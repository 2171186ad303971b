"""The shape of Qoo10's JSON: one envelope, one row for orders and claims, one for inquiries.

Keys are read without regard to case, because the methods (and their versions) spell them
differently; numbers may come as text or with decimals; every value may be null, "" or absent.
Source: QAPI field tables of GetShippingInfo_v3, GetShippingAndClaimInfoByOrderNo_V2,
GetClaimInfo_V3 and GetInquiryMessage; confidence: sure for names, likely for types.
"""

import json
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from hub.core.errors import MalformedResponseError

Scalar = str | int | float | bool | None
T = TypeVar("T")
S = TypeVar("S", bound=Struct)

_LONGEST_KEY = 64


class LineRow(Struct, frozen=True, kw_only=True, gc=False):
    """One order number: a row of the order list, of the claim list, or of the look-up by number."""

    status: Scalar = None
    pack_no: Scalar = None
    order_no: Scalar = None
    order_date: Scalar = None
    payment_date: Scalar = None
    planned_date: Scalar = None
    shipping_date: Scalar = None
    delivered_date: Scalar = None
    buyer: Scalar = None
    buyer_kana: Scalar = None
    buyer_tel: Scalar = None
    buyer_mobile: Scalar = None
    buyer_email: Scalar = None
    item_no: Scalar = None
    seller_item_code: Scalar = None
    item_title: Scalar = None
    option: Scalar = None
    option_code: Scalar = None
    quantity: Scalar = None
    total: Scalar = None
    currency: Scalar = None
    payment_method: Scalar = None
    receiver: Scalar = None
    receiver_kana: Scalar = None
    zip_code: Scalar = None
    address: Scalar = None
    address_base: Scalar = None
    address_detail: Scalar = None
    receiver_tel: Scalar = None
    receiver_mobile: Scalar = None
    shipping_way: Scalar = None
    overseas: Scalar = None
    send_type: Scalar = None
    sendable_from: Scalar = None
    wished_delivery: Scalar = None
    message: Scalar = None
    carrier: Scalar = None
    tracking_no: Scalar = None
    related_orders: Scalar = None
    claim_status: Scalar = None
    request_date: Scalar = None
    completion_date: Scalar = None
    reason: Scalar = None
    return_carrier: Scalar = None
    return_tracking_no: Scalar = None
    part_refund_count: Scalar = None
    part_refund_balance: Scalar = None


#: spelling in lower case -> field; two spellings of one field are those of v3 and v2
LINE_KEYS = {
    "shippingstatus": "status",
    "packno": "pack_no",
    "orderno": "order_no",
    "orderdate": "order_date",
    "paymentdate": "payment_date",
    "estimatedshippingdate": "planned_date",
    "estshippingdate": "planned_date",
    "shippingdate": "shipping_date",
    "delivereddate": "delivered_date",
    "buyer": "buyer",
    "buyerkana": "buyer_kana",
    "buyer_gata": "buyer_kana",
    "buyertel": "buyer_tel",
    "buyermobile": "buyer_mobile",
    "buyeremail": "buyer_email",
    "itemno": "item_no",
    "itemcode": "item_no",
    "selleritemcode": "seller_item_code",
    "itemtitle": "item_title",
    "option": "option",
    "optioncode": "option_code",
    "orderqty": "quantity",
    "total": "total",
    "currency": "currency",
    "paymentmethod": "payment_method",
    "receiver": "receiver",
    "receiverkana": "receiver_kana",
    "receiver_gata": "receiver_kana",
    "zipcode": "zip_code",
    "shippingaddress": "address",
    "shippingaddr": "address",
    "address1": "address_base",
    "addr1": "address_base",
    "address2": "address_detail",
    "addr2": "address_detail",
    "receivertel": "receiver_tel",
    "receivermobile": "receiver_mobile",
    "shippingway": "shipping_way",
    "overseaconsignment": "overseas",
    "availablesendtype": "send_type",
    "availableshippingdate": "sendable_from",
    "desireddeliverydate": "wished_delivery",
    "hopedate": "wished_delivery",
    "shippingmessage": "message",
    "shippingmsg": "message",
    "deliverycompany": "carrier",
    "trackingno": "tracking_no",
    "relatedorder": "related_orders",
    "claimstatus": "claim_status",
    "requestdate": "request_date",
    "cancelrefunddate": "completion_date",
    "reason": "reason",
    "deliverycompanyreturn": "return_carrier",
    "trackingnoreturn": "return_tracking_no",
    "nrpartrefundcnt": "part_refund_count",
    "nrpartrefundbalance": "part_refund_balance",
}


class _AnyCase(frozenset[str]):
    """Names in small letters, found in any case."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())


#: every documented field of the three methods whose rows are lines; those that no field reads follow LINE_KEYS
LINE_FIELDS = _AnyCase(
    {
        *LINE_KEYS,
        *("sellerid", "ordertype", "orderprice", "discount", "sellerdiscount", "settleprice"),
        *("cartdiscountseller", "cart_discount_seller", "cartdiscountqoo10", "cart_discount_qoo10"),
        *("shippingrate", "shippingratetype", "paymentnation", "shippingcountry", "cod_price"),
        *("packingno", "sellerdeliveryno", "vouchercode", "gift", "branchname"),
        *("sendername", "sendertel", "sendernation", "senderzipcode", "senderaddress", "senderaddr", "material"),
        *("paymentamount", "paymentreturnshipping", "itemcondition"),
        *("pickupaddress", "pickupzipcode", "nrdutytarget", "nrsoltype"),
        *("codcancelprice", "codqrefundprice", "codcancelrelatedorder"),
    }
)


class AnyRow(Struct, frozen=True):
    """Declares no field: what a row may hold stands in LINE_FIELDS and INQUIRY_FIELDS."""


class InquiryRow(Struct, frozen=True, kw_only=True, gc=False):
    """One message of a customer. ``contr_no`` is the number of one order line, 0 when there is none."""

    inq_type: Scalar = None
    seq_no: Scalar = None
    question_no: Scalar = None
    inq_dt: Scalar = None
    cust_nm: Scalar = None
    cate_nm: Scalar = None
    cate_cd: Scalar = None
    title: Scalar = None
    contents: Scalar = None
    gd_no: Scalar = None
    gd_nm: Scalar = None
    contr_no: Scalar = None
    status: Scalar = None


INQUIRY_KEYS = {name: name for name in InquiryRow.__struct_fields__}
INQUIRY_FIELDS = _AnyCase({*INQUIRY_KEYS, "claim_yn"})


class ItemRow(Struct, frozen=True, kw_only=True, gc=False):
    """One item of the shop: a row of the list (code, seller's code, status) or of the detail (all)."""

    item_code: Scalar = None
    seller_code: Scalar = None
    item_status: Scalar = None
    item_title: Scalar = None
    item_qty: Scalar = None
    available_date_type: Scalar = None
    available_date_value: Scalar = None


ITEM_KEYS = {name.replace("_", ""): name for name in ItemRow.__struct_fields__}


class OptionRow(Struct, frozen=True, kw_only=True, gc=False):
    """One combination of an item's options; ``item_type_code`` is the seller's code, as orders show it."""

    item_type_code: Scalar = None
    qty: Scalar = None


OPTION_KEYS = {name.replace("_", ""): name for name in OptionRow.__struct_fields__}


class ItemPage(Struct, frozen=True, kw_only=True):
    """``rows`` as received; the totals are ``None`` when the mall does not say."""

    rows: list[bytes]
    total_pages: int | None
    total_items: int | None = None


class Envelope(Struct, frozen=True, kw_only=True):
    """``code`` is 0 for success. ``result`` is the unread ResultObject."""

    code: int
    message: str | None
    result: Raw


_NULL = Raw(b"null")
_WRAPPERS = frozenset({"claiminfo", "inquiryinfo", "shippinginfo", "orderinfo"})
_envelopes = msgspec.json.Decoder(dict[str, Raw])
_lists = msgspec.json.Decoder(list[Raw])
_objects = msgspec.json.Decoder(dict[str, Raw])
_rows = msgspec.json.Decoder(dict[str, Any])


def decode_envelope(body: bytes) -> Envelope:
    """Read the outer object. ErrorCode goes before ResultCode: a refused key answers with it alone.

    Raises: ValueError when the body is no JSON object (cut off, a page of HTML, plain text);
    MalformedResponseError when it is one without a readable code.
    """
    fields = {key.lower(): value for key, value in _decode(_envelopes, body.removeprefix(b"\xef\xbb\xbf")).items()}
    error_code = _code(fields.get("errorcode"))
    if error_code:
        return Envelope(code=error_code, message=_message(fields.get("errormsg")), result=_NULL)
    code = _code(fields.get("resultcode"))
    if code is None:
        raise MalformedResponseError("the answer has no ResultCode", path="ResultCode")
    return Envelope(code=code, message=_message(fields.get("resultmsg")), result=fields.get("resultobject", _NULL))


def rows_of(result: Raw) -> list[bytes]:
    """The records of a ResultObject, each still as received: a list, one object, or either inside of an object.

    Raises: MalformedResponseError when it is something else.
    """
    start = _start(result)
    if start in (b"", b"null", b'""'):
        return []
    try:
        if start.startswith(b"["):
            # A result may be tens of megabytes: it is not copied but for its rows.
            return [bytes(item) for item in _decode(_lists, result)]
        if start.startswith(b"{"):
            fields = _decode(_objects, result)
            inside = _wrapped(fields)
            if inside is not None:
                return rows_of(inside)
            return [bytes(result).strip()] if fields else []
    except ValueError as error:
        raise MalformedResponseError("ResultObject cannot be read", path="ResultObject") from error
    raise MalformedResponseError("ResultObject is neither a list nor an object", path="ResultObject")


def _wrapped(fields: dict[str, Raw]) -> Raw | None:
    """What an object holds that is no record but wraps them, as ``{"ClaimInfo": [...]}``; a guess, and cheap.

    Counts may stand beside it under one of these names. A record holds plain values only.
    """
    named = [value for key, value in fields.items() if key.lower() in _WRAPPERS]
    if len(named) == 1:
        return named[0]
    only = next(iter(fields.values()), None)
    return only if only is not None and len(fields) == 1 and _start(only)[:1] in (b"[", b"n") else None


def _start(value: Raw) -> bytes:
    """How a value begins, enough to tell what it is."""
    return bytes(memoryview(value)[:16]).strip()


def decode_line(raw: bytes) -> LineRow:
    """One row of orders or claims. Raises: ValueError when it is no object or a value is a list or object."""
    return _line_rows.read(raw)


def decode_item_page(result: Raw) -> ItemPage:
    """The ResultObject of a paged list: one object with counts and ``Items``; null when there is nothing.

    Raises: MalformedResponseError when it is something else.
    """
    found = rows_of(result)
    if not found:
        return ItemPage(rows=[], total_pages=0)
    try:
        fields = {key.lower(): value for key, value in _decode(_objects, found[0]).items()}
    except ValueError as error:
        raise MalformedResponseError("the list of items is no object", path="ResultObject") from error
    if len(found) == 1 and "items" in fields:
        return ItemPage(
            rows=rows_of(fields["items"]),
            total_pages=_code(fields.get("totalpages"), path="ResultObject.TotalPages"),
            total_items=_code(fields.get("totalitems"), path="ResultObject.TotalItems"),
        )
    return ItemPage(rows=found, total_pages=None)


def decode_item(raw: bytes) -> ItemRow:
    """One item. Raises: ValueError as :func:`decode_line`."""
    return _item_rows.read(raw)


def decode_option(raw: bytes) -> OptionRow:
    """One option combination. Raises: ValueError as :func:`decode_line`."""
    return _option_rows.read(raw)


def decode_inquiry(raw: bytes) -> InquiryRow:
    """One row of inquiries. Raises: ValueError when it is no object or a value is a list or object."""
    return _inquiry_rows.read(raw)


@lru_cache(maxsize=1024)
def _line_field(key: str) -> str | None:
    return LINE_KEYS.get(key.lower())


@lru_cache(maxsize=1024)
def _inquiry_field(key: str) -> str | None:
    return INQUIRY_KEYS.get(key.lower())


@lru_cache(maxsize=256)
def _item_field(key: str) -> str | None:
    return ITEM_KEYS.get(key.lower())


@lru_cache(maxsize=256)
def _option_field(key: str) -> str | None:
    return OPTION_KEYS.get(key.lower())


class _Rows(Generic[S]):
    """Reads rows of one kind, whatever the spelling of their keys.

    There are few spellings, and the first key tells them apart: after the first row of a spelling
    the others are decoded straight into a struct of that spelling, which refuses any other.
    """

    def __init__(self, kind: type[S], field_of: Callable[[str], str | None]) -> None:
        self._kind = kind
        self._field_of = field_of
        self._decoders: dict[bytes, msgspec.json.Decoder[S]] = {}

    def read(self, raw: bytes) -> S:
        """Raises: ValueError when the row is no object or a value is a list or object."""
        start = raw[: raw.find(b'":', 0, _LONGEST_KEY)]
        decoder = self._decoders.get(start)
        if decoder is not None:
            try:
                return decoder.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # spelt otherwise, or broken: read with patience below
        row = _decode(_rows, raw)
        read = msgspec.convert(self._known(row), self._kind)
        if decoder is None and len(self._decoders) < _MOST_SPELLINGS and len(row) <= _MOST_KEYS:
            spelt = self._spelt(tuple(row))
            if spelt is not None:
                self._decoders[start] = spelt
        return read

    def _known(self, row: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for key, value in row.items():
            if value is None or value == "" or len(key) > _LONGEST_KEY:
                continue
            field = self._field_of(key)
            if field is not None:
                known[field] = value
        return known

    def _spelt(self, keys: tuple[str, ...]) -> msgspec.json.Decoder[S] | None:
        """A decoder for exactly these keys; ``None`` where two of them mean one field, or one is odd."""
        fields = {field: key for key in keys if (field := self._field_of(key)) is not None}
        others = [key for key in keys if self._field_of(key) is None]
        if len(fields) + len(others) != len(keys) or not all(map(_SPELLING.fullmatch, keys)):
            return None
        # A field that this spelling lacks gets a name that no mall sends.
        names = {field: fields.get(field, f"(none) {field}") for field in self._kind.__struct_fields__}
        names |= {f"other_{place}": key for place, key in enumerate(others)}
        types: list[tuple[str, Any, Any]] = [(field, Scalar, None) for field in self._kind.__struct_fields__]
        types += [(f"other_{place}", Raw, _NULL) for place in range(len(others))]
        spelt = msgspec.defstruct(
            self._kind.__name__,
            types,
            bases=(self._kind,),
            frozen=True,
            kw_only=True,
            gc=False,
            rename=names,
            forbid_unknown_fields=True,
        )
        return msgspec.json.Decoder(spelt)


_MOST_SPELLINGS = 16
_MOST_KEYS = 200
_SPELLING = re.compile(r"[A-Za-z0-9_.\-]{1,64}")

_line_rows = _Rows(LineRow, _line_field)
_item_rows = _Rows(ItemRow, _item_field)
_option_rows = _Rows(OptionRow, _option_field)
_inquiry_rows = _Rows(InquiryRow, _inquiry_field)


def _decode(decoder: msgspec.json.Decoder[T], body: bytes | Raw) -> T:
    """Decode; a body with raw control characters, lone surrogates or broken UTF-8 is mended first.

    Raises: ValueError when it is no JSON of the wanted type even then.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error
    try:
        mended = json.dumps(json.loads(bytes(body).decode(errors="replace"), strict=False), ensure_ascii=False)
        return decoder.decode(mended.encode(errors="replace"))
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error


def _code(raw: Raw | None, *, path: str = "ResultCode") -> int | None:
    """A code or count sent as a number or as text; ``None`` when absent.

    Raises: MalformedResponseError when it is something else.
    """
    if raw is None or bytes(raw) == b"null":
        return None
    try:
        return whole(msgspec.json.decode(raw, type=Scalar))
    except ValueError as error:
        raise MalformedResponseError("not a whole number", path=path) from error


def _message(raw: Raw | None) -> str | None:
    if raw is None:
        return None
    try:
        return text(msgspec.json.decode(raw, type=Scalar))
    except ValueError:
        # The mall's own words are only shown; their shape decides nothing.
        return None


def text(value: Scalar) -> str | None:
    """Plain text without outer blanks and NUL (a database refuses it); ``None`` when nothing is left.

    A number loses a fraction of zeros: 1071000201.0 -> "1071000201".
    """
    if value is None:
        return None
    if type(value) is str:
        return value.replace("\x00", "").strip() or None if "\x00" in value else value.strip() or None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def number(value: Scalar) -> str | None:
    """An identifying number as text: 1071000201, "1071000201 ", 1071000201.0; 0 and "" are none."""
    found = text(value)
    if found is None:
        return None
    if "." in found and found.endswith("0"):
        whole_part, _, fraction = found.partition(".")
        if whole_part.isdigit() and not fraction.strip("0"):
            found = whole_part
    return None if found == "0" else found


def whole(value: Scalar) -> int | None:
    """A whole number sent as 2, "2", 2.0 or "2.0"; ``None`` when absent.

    Raises: ValueError when it is no whole number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return int(value)
    amount = float(value)
    if not math.isfinite(amount) or not amount.is_integer():
        message = "not a whole number"
        raise ValueError(message)
    return int(amount)
