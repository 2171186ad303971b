"""Canonical records as rows of the tables: personal parts sealed, indexed blindly, digests beside them."""

from datetime import datetime
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from hub.core.model import Claim, Inquiry, Line, LineStatus, Order, Party
from hub.store.box import Box
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.sealed import (
    CLAIM_TEXT_PLACE,
    INQUIRY_PLACE,
    ORDER_PLACE,
    OrderPrivate,
    normal_email,
    normal_name,
    normal_phone,
    pack,
)

Row = dict[str, Any]
R = TypeVar("R")
_to_json = msgspec.json.Encoder().encode
_NOBODY = Party()
# How U+0000 stands in JSON; PostgreSQL takes it in no text.
NUL = b"\\u0000"


def without_nul(record: R) -> R:
    return msgspec.convert(_cleaned(msgspec.to_builtins(record)), type(record))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def digest_of(value: object) -> bytes:
    return blake2b(pack(value), digest_size=16).digest()


def head_digest(order: Order, head_line_no: str) -> bytes:
    """``head_line_no`` is a part of it: of lines that tell the same, the first must become the head too."""
    return digest_of(
        (
            head_line_no,
            order.ordered_at,
            order.paid_at,
            order.currency,
            order.amount,
            order.payment_method,
            order.market,
            order.market_order_no,
            order.buyer,
            order.receiver,
            order.delivery_message,
        )
    )


def line_changed_at(line: Line) -> datetime | None:
    """The mall's own time of the newest change, as far as it tells one."""
    shipment = line.shipment
    if line.status is LineStatus.PURCHASE_CONFIRMED and line.purchase_confirmed_at:
        return line.purchase_confirmed_at
    if shipment and line.status is LineStatus.DELIVERED and shipment.delivered_at:
        return shipment.delivered_at
    if shipment and line.status is LineStatus.DISPATCHED and shipment.dispatched_at:
        return shipment.dispatched_at
    return line.mall_changed_at


class RowMaker:
    """Makes the rows of one shop. ``at`` is the time of writing in stored milliseconds."""

    def __init__(self, box: Box, *, shop_id: int, country: str) -> None:
        self._box = box
        self._shop_id = shop_id
        self._country = country

    def order_row(
        self, order_id: int, sub_shop: str, head_line_no: str, order: Order, digest: bytes, at: int | None
    ) -> Row:
        private = OrderPrivate(buyer=order.buyer, receiver=order.receiver, delivery_message=order.delivery_message)
        buyer, receiver = order.buyer or _NOBODY, order.receiver or _NOBODY
        buyer_name, receiver_name = normal_name(buyer.name), normal_name(receiver.name)
        buyer_phone = normal_phone(buyer.phone or buyer.phone_second, self._country)
        receiver_phone = normal_phone(receiver.phone or receiver.phone_second, self._country)
        return {
            "id": order_id,
            "shop_id": self._shop_id,
            "sub_shop": sub_shop,
            "order_no": order.order_no,
            "ordered_at": to_ms(order.ordered_at),
            "paid_at": to_ms(order.paid_at),
            "currency": order.currency,
            "amount_minor": order.amount.minor if order.amount else None,
            "payment_method": order.payment_method,
            "market": order.market,
            "market_order_no": order.market_order_no,
            "sealed": self._box.seal(pack(private), ORDER_PLACE),
            "buyer_name_idx": self._blind("name", buyer_name),
            "buyer_phone_idx": self._blind("phone", buyer_phone),
            "buyer_email_idx": self._blind("email", normal_email(buyer.email)),
            # Most receive what they bought: nothing to find twice.
            "receiver_name_idx": self._blind("name", _other(receiver_name, buyer_name)),
            "receiver_phone_idx": self._blind("phone", _other(receiver_phone, buyer_phone)),
            "head_line_no": head_line_no,
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
        }

    def _blind(self, domain: str, value: str | None) -> bytes | None:
        return None if value is None else self._box.blind(domain, value)

    def line_row(self, line_id: int, order_id: int, line: Line, digest: bytes, at: int | None) -> Row:
        product, amount, shipment = line.product, line.amount, line.shipment
        return {
            "id": line_id,
            "shop_id": self._shop_id,
            "order_id": order_id,
            "line_no": line.line_no,
            "status": line.status.value,
            "raw_status": line.raw_status,
            "is_held": line.held,
            "quantity": line.quantity,
            "remaining_quantity": line.remaining_quantity,
            "product_name": product.name,
            "product_option": product.option,
            "product_code": product.code,
            "option_code": product.option_code,
            "seller_sku": product.seller_sku,
            "hints": _to_json([(hint.name, hint.value) for hint in product.hints]).decode() if product.hints else None,
            "amount_minor": amount.minor if amount else None,
            "currency": amount.currency if amount else None,
            "planned_ship_at": to_ms(line.planned_ship_at),
            "is_reserved": line.is_reserved,
            "sendable_from": to_ms(line.sendable_from),
            "purchase_confirmed_at": to_ms(line.purchase_confirmed_at),
            "carrier": shipment.carrier if shipment else None,
            "tracking_no": shipment.tracking_no if shipment else None,
            "dispatched_at": to_ms(shipment.dispatched_at) if shipment else None,
            "delivered_at": to_ms(shipment.delivered_at) if shipment else None,
            "mall_changed_at": to_ms(line.mall_changed_at),
            "replaces_line_no": line.replaces_line_no,
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
            "vanished_at": None,
        }

    def claim_row(self, claim_id: int, sub_shop: str, claim: Claim, digest: bytes, at: int | None) -> Row:
        text = claim.reason_text
        return {
            "id": claim_id,
            "shop_id": self._shop_id,
            "claim_key": claim.claim_key,
            "sub_shop": sub_shop,
            "order_no": claim.order_no,
            "line_no": claim.line_no,
            "claim_no": claim.claim_no,
            "kind": claim.kind.value,
            "state": claim.state.value,
            "is_open": claim.state.is_open,
            "raw_state": claim.raw_state,
            "reason": claim.reason.value,
            "raw_reason": claim.raw_reason,
            "fault_party": claim.fault_party.value,
            "quantity": claim.quantity,
            "requested_at": to_ms(claim.requested_at),
            "ended_at": to_ms(claim.ended_at),
            "ended_by": claim.ended_by.value if claim.ended_by else None,
            "hold_reason": claim.hold_reason,
            "collect_carrier": claim.collect_carrier,
            "collect_tracking_no": claim.collect_tracking_no,
            "collected_at": to_ms(claim.collected_at),
            "reship_carrier": claim.reship_carrier,
            "reship_tracking_no": claim.reship_tracking_no,
            "refund_minor": claim.refund.minor if claim.refund else None,
            "refund_currency": claim.refund.currency if claim.refund else None,
            "reason_text_sealed": self._box.seal(text.encode(), CLAIM_TEXT_PLACE) if text else None,
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
        }

    def inquiry_row(self, inquiry_id: int, inquiry: Inquiry, digest: bytes, at: int | None) -> Row:
        writer = inquiry.writer or _NOBODY
        return {
            "id": inquiry_id,
            "shop_id": self._shop_id,
            "inquiry_no": inquiry.inquiry_no,
            "thread_no": inquiry.thread_no,
            "kind": inquiry.kind.value,
            "state": inquiry.state.value,
            "raw_state": inquiry.raw_state,
            "order_no": inquiry.order_no,
            "line_nos": _to_json(inquiry.line_nos).decode(),
            "product_code": inquiry.product_code,
            "product_name": inquiry.product_name,
            "category": inquiry.category,
            "asked_at": to_ms(inquiry.asked_at),
            "answered_at": to_ms(inquiry.answered_at),
            "is_public": inquiry.is_public,
            "writer_name_idx": self._blind("name", normal_name(writer.name)),
            "writer_phone_idx": self._blind("phone", normal_phone(writer.phone, self._country)),
            "sealed": self._box.seal(pack(inquiry), INQUIRY_PLACE),
            "content_hash": digest,
            "first_seen_at": at,
            "fetched_at": at,
            "sought_at": None,
            "missing_since": None,
            "vanished_at": None,
        }

    def change_row(
        self,
        subject: str,
        subject_id: int,
        moved: tuple[str, str, str],
        mall_at: datetime | None,
        at: int | None,
    ) -> Row:
        return {
            "id": new_id(),
            "shop_id": self._shop_id,
            "subject": subject,
            "subject_id": subject_id,
            "from_status": moved[0],
            "to_status": moved[1],
            "raw_status": moved[2],
            "mall_at": to_ms(mall_at),
            "seen_at": at,
        }


def _other(receiver: str | None, buyer: str | None) -> str | None:
    return None if receiver == buyer else receiver
