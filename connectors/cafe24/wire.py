"""The shape of Cafe24's JSON, as tolerant as the mall is loose.

Every field but the identity may be absent, ``null`` or ``""``. ``Text`` fields may come as numbers,
amounts are text with two decimals or numbers, dates are text in several forms (mapping reads them).
Source: Cafe24 Admin API, version 2026-03-01, Orders, Claims and Boards; confidence: sure unless noted.
"""

import re
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

Text = str | int | float | None
Amount = str | int | float | None
Texts = list[str | int | float | None] | str | int | float | None
#: an object that is not there may be absent, ``null`` or ``""``
Nothing = str | None


class ItemWire(Struct, gc=False):
    """One line of an order; also the shape of the items inside a claim."""

    order_item_code: str = ""
    item_no: Text = None
    order_status: Text = None
    order_status_before_cs: Text = None
    status_code: Text = None
    quantity: Text = None
    variant_code: Text = None
    product_no: Text = None
    product_code: Text = None
    custom_product_code: Text = None
    custom_variant_code: Text = None
    option_value: Text = None
    product_name: Text = None
    product_price: Amount = None
    option_price: Amount = None
    supplier_id: Text = None
    supplier_transaction_type: Text = None
    tracking_no: Text = None
    shipping_code: Text = None
    shipping_company_code: Text = None
    shipping_company_name: Text = None
    original_item_no: Texts = None
    claim_code: Text = None
    claim_reason_type: Text = None
    claim_reason: Text = None
    claim_quantity: Text = None
    request_undone: Text = None
    naver_pay_order_id: Text = None
    naver_pay_claim_status: Text = None
    market_cancel_request: Text = None
    market_cancel_request_quantity: Text = None
    ordered_date: Text = None
    shipped_date: Text = None
    delivered_date: Text = None
    shipping_expected_date: Text = None
    purchaseconfirmation_date: Text = None
    cancel_request_date: Text = None
    return_request_date: Text = None
    exchange_request_date: Text = None
    refund_date: Text = None
    # Seen in samples of some versions only (confidence: likely).
    cancel_date: Text = None
    return_confirmed_date: Text = None
    return_collected_date: Text = None
    exchange_date: Text = None


class RefundAmountWire(Struct, gc=False):
    amount: Amount = None


class ExchangedItemWire(Struct, gc=False):
    order_item_code: Text = None


class ClaimWire(Struct, gc=False):
    """One accepted cancel, return or exchange; the seller's side of it."""

    claim_code: Text = None
    order_id: Text = None
    claim_reason_type: Text = None
    claim_reason: Text = None
    undone: Text = None
    undone_reason_type: Text = None
    undone_reason: Text = None
    items: list[ItemWire | str] | Nothing = None
    exchanged_items: list[ExchangedItemWire | str] | Nothing = None
    return_address: Any = None
    return_invoice_no: Text = None
    return_shipping_company_name: Text = None
    refund_amounts: list[RefundAmountWire] | Nothing = None


class PartyWire(Struct, gc=False):
    """A buyer or a receiver; ``virtual_phone_no`` is a safe number that ends with the delivery."""

    name: Text = None
    member_id: Text = None
    email: Text = None
    phone: Text = None
    cellphone: Text = None
    virtual_phone_no: Text = None
    zipcode: Text = None
    address1: Text = None
    address2: Text = None
    country_code: Text = None
    shipping_message: Text = None
    shipping_code: Text = None


Embedded = list[ClaimWire | Nothing] | ClaimWire | Nothing | UnsetType
People = list[PartyWire | Nothing] | PartyWire | Nothing


def people(found: People) -> list[PartyWire]:
    """The people of one embed, which may be absent, empty, one object or a list."""
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, PartyWire)]


class OrderWire(Struct, gc=False):
    """One order with what was embedded. A claim list that is ``UNSET`` was not delivered at all."""

    order_id: str
    shop_no: Text = None
    currency: Text = None
    market_id: Text = None
    market_order_no: Text = None
    member_id: Text = None
    order_place_id: Text = None
    paid: Text = None
    order_date: Text = None
    payment_date: Text = None
    wished_delivery_date: Text = None
    payment_amount: Amount = None
    payment_method: Texts = None
    payment_method_name: Texts = None
    payment_gateway_names: Texts = None
    easypay_name: Text = None
    naverpay_payment_information: Any = None
    items: list[ItemWire] | None = None
    buyer: People = None
    receivers: People = None
    cancellation: Embedded = UNSET
    return_: Embedded = msgspec.field(default=UNSET, name="return")
    exchange: Embedded = UNSET


class ArticleWire(Struct):
    """One post of a board: a question, an answer or a follow-up."""

    article_no: int
    shop_no: Text = None
    board_no: Text = None
    parent_article_no: Text = None
    reply_depth: Text = None
    created_date: Text = None
    writer: Text = None
    writer_email: Text = None
    member_id: Text = None
    title: Text = None
    content: Text = None
    product_no: Text = None
    order_id: Text = None
    secret: Text = None
    notice: Text = None
    deleted: Text = None
    reply_status: Text = None
    reply_user_id: Text = None
    attach_file_urls: Any = None


class CommentWire(Struct):
    """One comment (댓글) below a post."""

    comment_no: Text = None
    article_no: Text = None
    created_date: Text = None
    writer: Text = None
    member_id: Text = None
    content: Text = None
    attach_file_urls: Any = None


class UrgentWire(Struct):
    """One urgent inquiry. ``search_type`` says what ``keyword`` is: O an order number, P a product code.

    Names that the samples do not have (created_date, order_id, ...) are read too (confidence: guess).
    """

    article_no: int
    shop_no: Text = None
    created_date: Text = None
    start_date: Text = None
    title: Text = None
    subject: Text = None
    content: Text = None
    writer: Text = None
    member_id: Text = None
    order_id: Text = None
    product_no: Text = None
    product_code: Text = None
    search_type: Text = None
    keyword: Text = None
    reply_status: Text = None
    status: Text = None
    attached_file_detail: Any = None


class ReplyWire(Struct):
    """The reply to an urgent inquiry."""

    article_no: Text = None
    created_date: Text = None
    status: Text = None
    content: Text = None
    user_id: Text = None
    attached_file_detail: Any = None


class BoardWire(Struct):
    board_no: int
    board_type: Text = None
    board_name: Text = None


class CarrierWire(Struct):
    """A carrier registered with the mall. ``track_shipment_url``: form not documented offline (confidence: guess)."""

    shipping_carrier_code: Text = None
    carrier_id: Text = None
    shipping_carrier: Text = None
    track_shipment_url: Text = None
    default_shipping_carrier: Text = None


class ShopWire(Struct):
    """One shop number of a mall."""

    shop_no: Text = None
    shop_name: Text = None
    active: Text = None


class ManagerWire(Struct):
    """One of the partner's people (personal data)."""

    name: Text = None
    phone: Text = None
    email: Text = None


class SupplierWire(Struct):
    supplier_code: Text = None
    supplier_name: Text = None
    status: Text = None
    trading_type: Text = None
    payment_type: Text = None
    manager_information: list[ManagerWire | Nothing] | ManagerWire | Nothing = None


class ProductWire(Struct):
    product_no: Text = None
    product_code: Text = None
    custom_product_code: Text = None
    product_name: Text = None
    supplier_code: Text = None


class RefundWire(Struct):
    """One refund; only the order that it belongs to is of use: amounts come with the claim."""

    order_id: Text = None


class MemoWire(Struct):
    """One memo of an order."""

    memo_no: Text = None
    content: Text = None


class PointsWire(Struct):
    """One row of a member's points; ``amount`` stands in the answer to a call only."""

    order_id: Text = None
    reason: Text = None
    amount: Amount = None
    available_points_increase: Amount = None
    unavailable_points: Amount = None


class LinkWire(Struct):
    rel: Text = None
    href: Text = None


class ErrorWire(Struct):
    """The envelope of a refusal; ``more_info`` is not kept, it may hold what was sent."""

    code: Text = None
    message: Text = None


class ErrorAnswer(Struct):
    error: ErrorWire | str | None = None
    error_description: Text = None


order_decoder = msgspec.json.Decoder(OrderWire, strict=False)
claim_decoder = msgspec.json.Decoder(ClaimWire, strict=False)
article_decoder = msgspec.json.Decoder(ArticleWire, strict=False)
comment_decoder = msgspec.json.Decoder(CommentWire, strict=False)
urgent_decoder = msgspec.json.Decoder(UrgentWire, strict=False)
reply_decoder = msgspec.json.Decoder(ReplyWire, strict=False)
carrier_decoder = msgspec.json.Decoder(CarrierWire, strict=False)
memo_decoder = msgspec.json.Decoder(MemoWire, strict=False)
points_decoder = msgspec.json.Decoder(PointsWire, strict=False)
board_decoder = msgspec.json.Decoder(BoardWire, strict=False)
shop_decoder = msgspec.json.Decoder(ShopWire, strict=False)
supplier_decoder = msgspec.json.Decoder(SupplierWire, strict=False)
product_decoder = msgspec.json.Decoder(ProductWire, strict=False)
refund_decoder = msgspec.json.Decoder(RefundWire, strict=False)
links_decoder = msgspec.json.Decoder(list[LinkWire] | None, strict=False)
error_decoder = msgspec.json.Decoder(ErrorAnswer, strict=False)
envelope_decoder = msgspec.json.Decoder(dict[str, Raw])
rows_decoder = msgspec.json.Decoder(list[Raw] | None)
syntax_decoder = msgspec.json.Decoder(Raw)

# A high surrogate with its low one, a high one alone, a low one alone; an escaped backslash first,
# so that the text "\\ud83d" is left as it is.
_SURROGATE = re.compile(
    rb"\\\\|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def repair(content: bytes) -> bytes:
    """Replace lone surrogates in JSON text by U+FFFD: one cut emoji must not cost a whole page."""
    return _SURROGATE.sub(lambda found: found[0] if found[1] or found[0] == rb"\\" else rb"\ufffd", content)
