"""Contacts beside the order lines that were paid: how many of a hundred lines made somebody write or call.

Two variants, named apart. Same period: contacts of the span over lines paid in the span. Cohort: contacts, whenever
they came, about orders paid in the span; calls name no order and are left out there. What belongs to a copy of an
order (:mod:`hub.store.twins`) stands with the original, and a line paid anew for goods that are there is no order.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, and_, null, select

from hub.stats.alike import any_time, counted_alike, unit_of
from hub.stats.call_figures import Figure
from hub.stats.dimension import Dimension
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, rows_of, stream
from hub.stats.inquiries import Channel
from hub.stats.kept import count_calls
from hub.stats.sold import is_copy, is_of_copy, is_rebilled
from hub.stats.span import start_of_day
from hub.store.tables import calls, inquiries, lines, orders, shops

LINE, CONTACT, COHORT = "order_line", "contact", "cohort"
_OFFERED: Final = (Figure.OFFERED,)
_TOLD: Final = (
    inquiries.c.kind.label("channel"),
    inquiries.c.order_no,
    inquiries.c.inquiry_no.label("reference"),
)


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
        async for row in stream(counted, query, at=at, row_id=row_id):
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


async def read_alike_contacts(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[Contact, int]]:
    """As :func:`read_contacts`, counted by the database: by shop, channel, and as much of the time as is asked for."""
    for what, query, at, channel in (
        (LINE, _paid_lines(counted), orders.c.paid_at, None),
        (CONTACT, _written(counted), inquiries.c.asked_at, inquiries.c.kind),
        (COHORT, _cohort(counted), orders.c.paid_at, inquiries.c.kind),
    ):
        columns = {"mall": shops.c.mall, "shop": shops.c.name, "channel": channel}
        async for time, row, number in counted_alike(counted, query, names, at=at, by=columns):
            yield _contact(time, what, row.mall, row.shop, row.channel), number
    if counted.shop is None:
        by = (Dimension.MALL, Dimension.LINE, *unit_of(names))
        for count in await count_calls(
            counted.database, since=counted.since, until=counted.until, zone=counted.zone, by=by, figures=_OFFERED
        ):
            if counted.mall in (None, count.mall):
                time = count.hour or (start_of_day(count.day, counted.zone) if count.day else any_time(counted))
                yield (
                    _contact(time, CONTACT, count.mall, None, Channel.of_line(count.line).value),
                    count.figures[Figure.OFFERED],
                )


def _contact(at: datetime, what: str, mall: str | None, shop: str | None, channel: str | None) -> Contact:
    return Contact(at=at, mall=mall, shop=shop, what=what, channel=channel, order_no=None, reference="")


async def _phoned(counted: Counted) -> AsyncIterator[Contact]:
    query = select(calls.c.entered_at.label("at_ms"), calls.c.call_id.label("row_id"), calls.c.mall, calls.c.line)
    query = query.where(calls.c.result.is_not(None))
    if counted.mall is not None:
        query = query.where(calls.c.mall == counted.mall)
    async for row in stream(counted, query, at=calls.c.entered_at, row_id=calls.c.call_id):
        yield Contact(
            at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
            mall=row.mall,
            shop=None,
            what=CONTACT,
            channel=Channel.of_line(row.line).value,
            order_no=None,
            reference=row.row_id,
        )


def _paid_lines(counted: Counted) -> Select[Any]:
    told = (null().label("channel"), orders.c.order_no, lines.c.line_no.label("reference"))
    query = rows_of(counted, lines, *told, at=orders.c.paid_at).join(orders, orders.c.id == lines.c.order_id)
    return query.where(~is_copy(orders.c.id), ~is_rebilled())


def _written(counted: Counted) -> Select[Any]:
    return rows_of(counted, inquiries, *_TOLD, at=inquiries.c.asked_at).where(~is_of_copy(inquiries))


def _cohort(counted: Counted) -> Select[Any]:
    """Written inquiries about an order that was paid in the span, on the day it was paid."""
    is_about = and_(orders.c.shop_id == inquiries.c.shop_id, orders.c.order_no == inquiries.c.order_no)
    return rows_of(counted, inquiries, *_TOLD, at=orders.c.paid_at).join(orders, is_about).where(~is_copy(orders.c.id))


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
    read_alike=read_alike_contacts,
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
