"""Contacts beside the order lines that were paid: how many of a hundred lines made somebody write or call.

Two variants, named apart. Same period: contacts of the span over lines paid in the span. Cohort: contacts, whenever
they came, about orders paid in the span; calls name no order and are left out there. What belongs to a copy of an
order (:mod:`hub.store.twins`) stands with the original, and a line paid anew for goods that are there is no order.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, null, select

from hub.stats.facts import Counted, Fact, FactReport, How, Measure, stream
from hub.store.tables import calls, inquiries, lines, order_twins, orders, rebills, shops

LINE, CONTACT, COHORT = "order_line", "contact", "cohort"


class Contact(Fact, frozen=True, kw_only=True):
    """A paid line (``what`` "order_line"), a contact of the span, or one about a line paid in it ("cohort")."""

    what: str
    channel: str | None
    order_no: str | None
    reference: str


async def read_contacts(counted: Counted) -> AsyncIterator[Contact]:
    for what, query, at, row_id in (
        (LINE, _paid_lines(counted), orders.c.paid_at, lines.c.id),
        (CONTACT, _written(counted), inquiries.c.asked_at, inquiries.c.id),
        (COHORT, _cohort(counted), orders.c.paid_at, inquiries.c.id),
    ):
        async for row in stream(counted.database, query, at=at, row_id=row_id):
            yield Contact(
                at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
                mall=row.mall,
                shop=row.shop,
                what=what,
                channel=row.channel,
                order_no=row.order_no,
                reference=row.reference,
            )
    if counted.shop is None:
        async for call in _phoned(counted):
            yield call


async def _phoned(counted: Counted) -> AsyncIterator[Contact]:
    query = select(calls.c.entered_at.label("at_ms"), calls.c.call_id.label("row_id"), calls.c.mall, calls.c.line)
    query = query.where(calls.c.result.is_not(None), *counted.within(calls.c.entered_at))
    if counted.mall is not None:
        query = query.where(calls.c.mall == counted.mall)
    async for row in stream(counted.database, query, at=calls.c.entered_at, row_id=calls.c.call_id):
        yield Contact(
            at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
            mall=row.mall,
            shop=None,
            what=CONTACT,
            channel=f"call_{row.line}" if row.line in ("order", "inquiry") else "call_other",
            order_no=None,
            reference=row.row_id,
        )


def _paid_lines(counted: Counted) -> Select[Any]:
    rebilled = exists().where(
        rebills.c.new_shop_id == lines.c.shop_id,
        rebills.c.new_order_no == orders.c.order_no,
        rebills.c.new_line_no == lines.c.line_no,
        rebills.c.is_active,
    )
    return (
        select(
            orders.c.paid_at.label("at_ms"),
            lines.c.id.label("row_id"),
            shops.c.mall,
            shops.c.name.label("shop"),
            null().label("channel"),
            orders.c.order_no,
            lines.c.line_no.label("reference"),
        )
        .join_from(lines, orders, orders.c.id == lines.c.order_id)
        .join(shops, shops.c.id == lines.c.shop_id)
        .where(*counted.within(orders.c.paid_at), *counted.of_shop(shops), ~_is_copy(orders.c.id), ~rebilled)
    )


def _written(counted: Counted) -> Select[Any]:
    copies = orders.alias("copies")
    is_of_copy = exists().where(
        order_twins.c.order_id == copies.c.id,
        copies.c.shop_id == inquiries.c.shop_id,
        copies.c.order_no == inquiries.c.order_no,
    )
    return (
        select(
            inquiries.c.asked_at.label("at_ms"),
            inquiries.c.id.label("row_id"),
            shops.c.mall,
            shops.c.name.label("shop"),
            inquiries.c.kind.label("channel"),
            inquiries.c.order_no,
            inquiries.c.inquiry_no.label("reference"),
        )
        .join_from(inquiries, shops, shops.c.id == inquiries.c.shop_id)
        .where(*counted.within(inquiries.c.asked_at), *counted.of_shop(shops), ~is_of_copy)
    )


def _cohort(counted: Counted) -> Select[Any]:
    """Written inquiries about an order that was paid in the span, on the day it was paid."""
    return (
        select(
            orders.c.paid_at.label("at_ms"),
            inquiries.c.id.label("row_id"),
            shops.c.mall,
            shops.c.name.label("shop"),
            inquiries.c.kind.label("channel"),
            inquiries.c.order_no,
            inquiries.c.inquiry_no.label("reference"),
        )
        .join_from(
            inquiries,
            orders,
            (orders.c.shop_id == inquiries.c.shop_id) & (orders.c.order_no == inquiries.c.order_no),
        )
        .join(shops, shops.c.id == inquiries.c.shop_id)
        .where(*counted.within(orders.c.paid_at), *counted.of_shop(shops), ~_is_copy(orders.c.id))
    )


def _is_copy(order_id: Any) -> ColumnElement[bool]:
    return exists().where(order_twins.c.order_id == order_id)


def _is_line(fact: Contact) -> bool:
    return fact.what == LINE


def _is_contact(fact: Contact) -> bool:
    return fact.what == CONTACT


def _is_cohort(fact: Contact) -> bool:
    return fact.what == COHORT


CONTACT_RATE: Final = FactReport(
    name="contact-rate",
    row=Contact,
    read=read_contacts,
    dimensions=("mall", "shop"),
    default=("mall",),
    measures=(
        Measure(name="paid_lines", of=_is_line),
        Measure(name="contacts", of=_is_contact),
        Measure(name="written", of=lambda fact: _is_contact(fact) and not (fact.channel or "").startswith("call_")),
        Measure(name="called", of=lambda fact: _is_contact(fact) and (fact.channel or "").startswith("call_")),
        Measure(name="contacts_per_100", how=How.RATE, of=_is_line, part=_is_contact),
        Measure(name="cohort_contacts", of=_is_cohort),
        Measure(name="cohort_per_100", how=How.RATE, of=_is_line, part=_is_cohort),
    ),
)
