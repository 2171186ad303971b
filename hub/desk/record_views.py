"""Stored records as views: opened, masked unless told otherwise, nothing added."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from hub.core.contract import Connector
from hub.core.model import Attachment, Inquiry, Money, Party
from hub.core.redact import mask_party, mask_text
from hub.desk.marks import mall_mark
from hub.desk.services import Malls
from hub.desk.views import (
    ClaimView,
    InquiryView,
    LineView,
    MessageView,
    OrderView,
    PersonView,
    ShipmentView,
    StockView,
)
from hub.store.box import Box
from hub.store.catalogue import StockFacts
from hub.store.database import from_ms
from hub.store.one import unpack_hints, unpack_inquiry
from hub.store.sealed import CLAIM_TEXT_PLACE, INQUIRY_PLACE, ORDER_PLACE, OrderPrivate, unpack_order


class Curtain:
    """The one place that decides whether a personal datum is shown as it is."""

    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open

    def text(self, text: str | None) -> str | None:
        return text if self.is_open else mask_text(text)

    def party(self, party: Party | None) -> Party | None:
        return party if self.is_open else mask_party(party)


def open_order(row: Row[Any] | None, box: Box) -> OrderPrivate:
    """The personal part of an order row; empty where there is none."""
    if row is None or row.sealed is None:
        return OrderPrivate()
    return unpack_order(box.open(row.sealed, ORDER_PLACE))


def open_inquiry(row: Row[Any], box: Box) -> Inquiry:
    return unpack_inquiry(box.open(row.sealed, INQUIRY_PLACE))


def person_view(private: OrderPrivate, writer: Party | None, curtain: Curtain) -> PersonView:
    """Buyer and receiver of an order; without an order, who wrote."""
    return PersonView(
        buyer=curtain.party(private.buyer or (None if private.receiver else writer)),
        receiver=curtain.party(private.receiver),
        delivery_message=curtain.text(private.delivery_message),
    )


def order_view(
    row: Row[Any],
    line_rows: list[Row[Any]],
    *,
    shop: str,
    malls: Malls,
    mall: str,
    connector: Connector | None,
    stock: Mapping[int, StockView],
) -> OrderView:
    """``stock``: by the line's id, as far as the mall's catalogue tells it."""
    return OrderView(
        order_id=row.id,
        order_no=row.order_no,
        shop=shop,
        mark=mall_mark(malls, mall),
        sub_shop=row.sub_shop,
        ordered_at=from_ms(row.ordered_at),
        paid_at=from_ms(row.paid_at),
        amount=money(row.amount_minor, row.currency),
        payment_method=row.payment_method,
        market=row.market,
        market_order_no=row.market_order_no,
        fetched_at=from_ms(row.fetched_at),
        lines=tuple(line_view(line, row.order_no, connector, stock.get(line.id)) for line in line_rows),
        link=connector.admin_link(order_no=row.order_no) if connector else None,
    )


def line_view(row: Row[Any], order_no: str, connector: Connector | None, stock: StockView | None) -> LineView:
    return LineView(
        line_id=row.id,
        line_no=row.line_no,
        status=row.status,
        raw_status=row.raw_status,
        is_held=row.is_held,
        quantity=row.quantity,
        remaining_quantity=row.remaining_quantity,
        product_name=row.product_name,
        option=row.product_option,
        product_code=row.product_code,
        seller_sku=row.seller_sku,
        amount=money(row.amount_minor, row.currency),
        planned_ship_at=from_ms(row.planned_ship_at),
        is_reserved=bool(row.is_reserved),
        sendable_from=from_ms(row.sendable_from),
        shipment=ShipmentView(
            carrier=row.carrier,
            tracking_no=row.tracking_no,
            dispatched_at=from_ms(row.dispatched_at),
            delivered_at=from_ms(row.delivered_at),
        ),
        purchase_confirmed_at=from_ms(row.purchase_confirmed_at),
        mall_changed_at=from_ms(row.mall_changed_at),
        has_vanished=row.vanished_at is not None,
        link=connector.admin_link(order_no=order_no, line_no=row.line_no) if connector else None,
        stock=stock,
        is_sent_by_logistics=_DIRECT_CONTRACT in (row.hints or ""),
        wished_delivery=_wished_delivery(row.hints),
    )


#: a hint of the line, as it is stored
_DIRECT_CONTRACT = '["direct_contract","true"]'
_WISHED_DELIVERY = "wished_delivery"


def _wished_delivery(hints: str | None) -> str | None:
    if hints is None or _WISHED_DELIVERY not in hints:
        return None
    return dict(unpack_hints(hints)).get(_WISHED_DELIVERY)


def stock_view(facts: StockFacts, curtain: Curtain) -> StockView:
    people = (curtain.party(person) for person in facts.contacts)
    return StockView(
        on_hand=facts.on_hand,
        supplier_code=facts.supplier_code,
        supplier_name=facts.supplier_name,
        is_supplier_active=facts.is_supplier_active,
        contacts=tuple(person for person in people if person is not None),
    )


def claim_view(row: Row[Any], box: Box, curtain: Curtain) -> ClaimView:
    sealed = row.reason_text_sealed
    return ClaimView(
        claim_id=row.id,
        line_no=row.line_no,
        claim_no=row.claim_no,
        kind=row.kind,
        state=row.state,
        raw_state=row.raw_state,
        is_open=row.is_open,
        reason=row.reason,
        raw_reason=row.raw_reason,
        reason_text=curtain.text(box.open(sealed, CLAIM_TEXT_PLACE).decode()) if sealed else None,
        fault_party=row.fault_party,
        quantity=row.quantity,
        requested_at=from_ms(row.requested_at),
        ended_at=from_ms(row.ended_at),
        ended_by=row.ended_by,
        hold_reason=row.hold_reason,
        refund=money(row.refund_minor, row.refund_currency),
    )


def inquiry_view(row: Row[Any], inquiry: Inquiry, curtain: Curtain, connector: Connector | None) -> InquiryView:
    return InquiryView(
        inquiry_id=row.id,
        inquiry_no=inquiry.inquiry_no,
        thread_no=inquiry.thread_no,
        kind=inquiry.kind,
        state=inquiry.state,
        raw_state=inquiry.raw_state,
        subject=curtain.text(inquiry.subject),
        text=curtain.text(inquiry.text) or "",
        category=inquiry.category,
        asked_at=inquiry.asked_at,
        answered_at=inquiry.answered_at,
        is_public=inquiry.is_public,
        product_name=inquiry.product_name,
        product_code=inquiry.product_code,
        messages=_messages(inquiry, curtain),
        link=connector.admin_link(inquiry=inquiry) if connector else None,
        missing_since=from_ms(row.missing_since),
        vanished_at=from_ms(row.vanished_at),
    )


def _messages(inquiry: Inquiry, curtain: Curtain) -> tuple[MessageView, ...]:
    """The thread; made of question and answer where the mall gives no messages."""
    if inquiry.messages:
        return tuple(
            MessageView(
                author=message.author,
                text=curtain.text(message.text) or "",
                at=message.sent_at,
                attachments=tuple(
                    Attachment(name=curtain.text(file.name) or "", url=file.url) for file in message.attachments
                ),
            )
            for message in inquiry.messages
        )
    question = MessageView(author="customer", text=curtain.text(inquiry.text) or "", at=inquiry.asked_at)
    if not inquiry.answer:
        return (question,)
    answered_at: datetime | None = inquiry.answered_at
    return question, MessageView(author="seller", text=curtain.text(inquiry.answer) or "", at=answered_at)


def money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor=minor, currency=currency)
