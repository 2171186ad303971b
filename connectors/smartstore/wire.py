"""The shape of SmartStore's JSON, as far as it is read.

Every leaf is a ``Scalar``: the mall's numbers come as text and its texts as numbers now and then,
and the mapping decides what it needs. Unknown fields are skipped, absent and null are the same.
"""

import json
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct, field

Scalar: TypeAlias = str | int | float | bool | None


class OrderWire(Struct, frozen=True, gc=False, rename="camel"):
    order_id: Scalar = None
    order_date: Scalar = None
    payment_date: Scalar = None
    orderer_id: Scalar = None
    orderer_name: Scalar = None
    orderer_tel: Scalar = None
    payment_means: Scalar = None


class AddressWire(Struct, frozen=True, gc=False, rename="camel"):
    name: Scalar = None
    tel1: Scalar = None
    tel2: Scalar = None
    zip_code: Scalar = None
    base_address: Scalar = None
    detailed_address: Scalar = None
    country: Scalar = None


class PlaceWire(Struct, frozen=True, gc=False, rename="camel"):
    """The seller's own place (takingAddress): where the goods leave from."""

    zip_code: Scalar = None


class HopeDeliveryWire(Struct, frozen=True, gc=False, rename="camel"):
    """The day of delivery that the buyer chose (희망배송): ``yyyyMMdd`` and ``HHmm``."""

    hope_delivery_ymd: Scalar = None
    hope_delivery_hm: Scalar = None
    region: Scalar = None


class ProductOrderWire(Struct, frozen=True, gc=False, rename="camel"):
    product_order_id: Scalar = None
    product_order_status: Scalar = None
    place_order_status: Scalar = None
    place_order_date: Scalar = None
    decision_date: Scalar = None
    shipping_due_date: Scalar = None
    delayed_dispatch_reason: Scalar = None
    product_id: Scalar = None
    product_name: Scalar = None
    product_option: Scalar = None
    option_manage_code: Scalar = None
    seller_product_code: Scalar = None
    quantity: Scalar = None
    initial_quantity: Scalar = None
    remain_quantity: Scalar = None
    total_payment_amount: Scalar = None
    initial_payment_amount: Scalar = None
    delivery_attribute_type: Scalar = None
    seller_custom_code1: Scalar = None
    seller_custom_code2: Scalar = None
    logistics_company_id: Scalar = None
    logistics_center_id: Scalar = None
    logistics_direct_contracted: Scalar = None
    hope_delivery: HopeDeliveryWire | Scalar = None
    gift_receiving_status: Scalar = None
    shipping_memo: Scalar = None
    shipping_address: AddressWire | None = None
    taking_address: PlaceWire | None = None
    claim_type: Scalar = None
    claim_status: Scalar = None
    claim_id: Scalar = None

    @property
    def wish(self) -> HopeDeliveryWire:
        """``hopeDelivery``; an empty one where there is none: no order is lost for it."""
        return self.hope_delivery if isinstance(self.hope_delivery, HopeDeliveryWire) else HopeDeliveryWire()


class DeliveryWire(Struct, frozen=True, gc=False, rename="camel"):
    delivery_company: Scalar = None
    tracking_number: Scalar = None
    send_date: Scalar = None
    pickup_date: Scalar = None
    delivered_date: Scalar = None


class ClaimWire(Struct, frozen=True, gc=False, rename="camel"):
    """A cancel, return or exchange section, or one of ``completedClaims``: the names differ, the sense does not."""

    claim_type: Scalar = None
    claim_id: Scalar = None
    claim_status: Scalar = None
    claim_request_date: Scalar = None
    request_quantity: Scalar = None
    cancel_reason: Scalar = None
    return_reason: Scalar = None
    exchange_reason: Scalar = None
    claim_request_reason: Scalar = None
    cancel_detailed_reason: Scalar = None
    return_detailed_reason: Scalar = None
    exchange_detailed_reason: Scalar = None
    claim_request_detail_content: Scalar = None
    cancel_approval_date: Scalar = None
    cancel_completed_date: Scalar = None
    return_completed_date: Scalar = None
    claim_request_admission_date: Scalar = None
    claim_complete_operation_date: Scalar = None
    collect_delivery_company: Scalar = None
    collect_tracking_number: Scalar = None
    collect_completed_date: Scalar = None
    collect_operation_date: Scalar = None
    holdback_status: Scalar = None
    holdback_reason: Scalar = None
    holdback_config_date: Scalar = None
    holdback_release_date: Scalar = None
    re_delivery_company: Scalar = None
    re_delivery_tracking_number: Scalar = None
    re_delivery_operation_date: Scalar = None


class ClaimSectionsWire(Struct, frozen=True, gc=False):
    cancel: ClaimWire | None = None
    return_: ClaimWire | None = field(name="return", default=None)
    exchange: ClaimWire | None = None


class DetailWire(Struct, frozen=True, gc=False, rename="camel"):
    """One element of product-orders/query.

    The sections ``cancel``, ``return`` and ``exchange`` beside these ended on 2026-10-28 and are not read.
    """

    order: OrderWire | None = None
    product_order: ProductOrderWire | None = None
    delivery: DeliveryWire | None = None
    current_claim: ClaimSectionsWire | None = None
    before_claim: ClaimSectionsWire | None = None
    completed_claims: tuple[ClaimWire | None, ...] | None = None


class InquiryWire(Struct, frozen=True, gc=False, rename="camel"):
    """One customer inquiry (고객 문의), tied to an order."""

    inquiry_no: Scalar = None
    category: Scalar = None
    title: Scalar = None
    inquiry_content: Scalar = None
    inquiry_registration_date_time: Scalar = None
    answered: Scalar = None
    answer_content_id: Scalar = None
    answer_content: Scalar = None
    answer_registration_date_time: Scalar = None
    order_id: Scalar = None
    product_order_id_list: Scalar | tuple[Scalar, ...] = None
    product_no: Scalar = None
    product_name: Scalar = None
    customer_id: Scalar = None
    customer_name: Scalar = None


class QnaWire(Struct, frozen=True, gc=False, rename="camel"):
    """One product question (상품 문의), asked in public before buying."""

    question_id: Scalar = None
    create_date: Scalar = None
    question: Scalar = None
    answer: Scalar = None
    answered: Scalar = None
    product_id: Scalar = None
    product_name: Scalar = None
    masked_writer_id: Scalar = None


class MoreWire(Struct, frozen=True, rename="camel"):
    more_from: Scalar = None
    more_sequence: Scalar = None


class FeedWire(Struct, frozen=True, rename="camel"):
    last_change_statuses: list[Raw] | None = None
    more: MoreWire | None = None


class FeedAnswerWire(Struct, frozen=True):
    timestamp: Scalar = None
    data: FeedWire | None = None


class FeedRowWire(Struct, frozen=True, gc=False, rename="camel"):
    product_order_id: Scalar = None


class RecordsAnswerWire(Struct, frozen=True):
    data: list[Raw] | None = None


class IdsAnswerWire(Struct, frozen=True):
    data: list[Scalar] | None = None


class PageWire(Struct, frozen=True, rename="camel"):
    """A page of either inquiry list: one names its rows ``content``, the other ``contents``."""

    content: list[Raw] | None = None
    contents: list[Raw] | None = None
    last: Scalar = None
    total_pages: Scalar = None
    total_elements: Scalar = None


class FailedLineWire(Struct, frozen=True, rename="camel"):
    product_order_id: Scalar = None
    code: Scalar = None
    message: Scalar = None


class ConfirmedLineWire(Struct, frozen=True, rename="camel"):
    product_order_id: Scalar = None
    is_receiver_address_changed: Scalar = None


class ActedWire(Struct, frozen=True, rename="camel"):
    """Confirm names what it did in ``successProductOrderInfos``, every other call in ``successProductOrderIds``."""

    success_product_order_ids: list[Scalar] | None = None
    success_product_order_infos: list[ConfirmedLineWire] | None = None
    fail_product_order_infos: list[FailedLineWire] | None = None


class ActionAnswerWire(Struct, frozen=True):
    data: ActedWire | None = None


class ErrorWire(Struct, frozen=True, rename="camel"):
    """Every group has its own envelope; these three are common to all."""

    code: Scalar = None
    message: Scalar = None
    trace_id: Scalar = None


class EnvelopeWire(ErrorWire, frozen=True, rename="camel"):
    """Any answer, as far as it takes to tell data from an error; an absent part is empty."""

    data: Raw = Raw()
    content: Raw = Raw()
    contents: Raw = Raw()


def clean_json(document: bytes) -> bytes:
    """The same JSON without what decoders and databases refuse: lone surrogates, U+0000, broken UTF-8.

    Slow, so only for documents that need it. Raises: ValueError when it is no JSON, or too deep.
    """
    try:
        # A byte order mark says nothing, and decoders stumble over it.
        return msgspec.json.encode(_clean(json.loads(document.decode("utf-8-sig", "replace"))))
    except (RecursionError, OverflowError) as error:
        message = "JSON nested too deep, or with a number too long"
        raise ValueError(message) from error


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(inner) for name, inner in value.items()}
    return value
