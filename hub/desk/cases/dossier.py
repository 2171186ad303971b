"""Gathers everything about one order or one inquiry thread in a fixed number of queries."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector
from hub.core.errors import ConfigurationError
from hub.core.model import Inquiry, Message, MessageAuthor, Party
from hub.desk.asks.views import asks_of
from hub.desk.care.compensation_views import gifts_of
from hub.desk.care.complaint_views import complaint_steps_of
from hub.desk.care.promise_views import promise_moves_of, promises_of, with_moves
from hub.desk.care.timeline import care_entries
from hub.desk.care.views import GiftView, PromiseView, StepView
from hub.desk.cases.dossier_rows import (
    Subject,
    actions_of,
    callback_of,
    cases_of,
    changes_of,
    claims_of,
    inquiries_of,
    lines_of,
    order_of,
    steps_of,
)
from hub.desk.cases.thread_orders import linked_orders, suggested_orders
from hub.desk.cases.timeline import build_timeline
from hub.desk.cases.twins import twin_pairs_of, twins_of
from hub.desk.cases.work_timeline import move_entries, note_entries
from hub.desk.customers.identity import Identity, RecordKind, RecordRef, identity_of_inquiry, identity_of_order
from hub.desk.customers.panel import Subject as CustomerSubject
from hub.desk.customers.panel import read_customer
from hub.desk.decisions.timeline import decision_entries
from hub.desk.record_views import (
    Curtain,
    claim_view,
    inquiry_view,
    open_inquiry,
    open_order,
    order_view,
    person_view,
    stock_view,
)
from hub.desk.services import Services
from hub.desk.shops.freshness import one_shop
from hub.desk.views import (
    AdminStep,
    AskView,
    CaseLink,
    Dossier,
    OrderView,
    OtherOrder,
    ShopView,
    StockView,
    TimelineEntry,
)
from hub.store.catalogue import read_stock_facts
from hub.store.one import product_of
from hub.store.questions import asking
from hub.store.sealed import normal_email

__all__ = ["Subject", "read_dossier"]


class _Records(Struct, frozen=True, kw_only=True):
    """Rows of the subject; ``inquiries`` with what each says, ``cases`` all that are about it."""

    order: Any | None
    lines: list[Any]
    claims: list[Any]
    inquiries: list[tuple[Any, Inquiry]]
    callback: Any | None
    cases: tuple[CaseLink, ...]
    shop: ShopView


class _Done(Struct, frozen=True, kw_only=True):
    """What was done about it, by whomever. ``entries``: of the timeline; ``twins``: pairs of orders."""

    steps: tuple[AdminStep, ...]
    asks: tuple[AskView, ...]
    promises: tuple[PromiseView, ...]
    complaint_steps: tuple[StepView, ...]
    gifts: tuple[GiftView, ...]
    changes: list[Any]
    actions: list[Any]
    entries: tuple[TimelineEntry, ...]
    twins: list[Any]


async def read_dossier(
    services: Services, connection: AsyncConnection, *, subject: Subject, is_unmasked: bool
) -> Dossier:
    """Everything about the subject: what the malls tell, what was done, whose it is. In as many statements for many
    lines and cases as for one.
    """
    curtain = Curtain(is_open=is_unmasked)
    box, malls = services.database.box, services.registry
    connector = await _connector(services, subject.shop)
    records = await _read_records(services, connection, subject)
    done = await _read_done(services, connection, subject, records, curtain)
    order = await _order(services, connection, subject, records, curtain, connector)
    claims = tuple(claim_view(row, box, curtain) for row in records.claims)
    inquiries = tuple(inquiry_view(row, inquiry, curtain, connector) for row, inquiry in records.inquiries)
    timeline = build_timeline(
        order=order,
        claims=claims,
        inquiries=inquiries,
        changes=done.changes,
        actions=done.actions,
        steps=done.steps,
        asks=done.asks,
        care=(*care_entries(done.promises, done.complaint_steps, done.gifts), *done.entries),
        box=box,
        curtain=curtain,
    )
    twins = (await twins_of(connection, done.twins, malls=malls)).get(order.order_id, ()) if order else ()
    opened = [inquiry for _, inquiry in records.inquiries]
    writer = next((inquiry.writer for inquiry in reversed(opened) if inquiry.writer), None)
    on_screen = [order.order_id, *(twin.order_id for twin in twins)] if order else []
    whose = _whose(services, records, writer, on_screen=on_screen)
    customer, others = (
        await read_customer(services, connection, subject=whose, curtain=curtain) if whose else (None, ())
    )
    linked, suggested = await _thread_orders(services, connection, subject, opened)
    return Dossier(
        shop=records.shop,
        order=order,
        person=person_view(open_order(records.order, box), writer, curtain),
        claims=claims,
        inquiries=inquiries,
        timeline=timeline,
        others=others,
        cases=records.cases,
        steps=done.steps,
        link=_link(connector, subject, opened),
        is_unmasked=is_unmasked,
        twins=twins,
        linked=linked,
        suggested=suggested,
        asks=done.asks,
        promises=done.promises,
        complaint_steps=done.complaint_steps,
        gifts=done.gifts,
        customer=customer,
    )


async def _read_records(services: Services, connection: AsyncConnection, subject: Subject) -> _Records:
    async with asking(connection) as ask:
        order, lines = ask(order_of(subject)), ask(lines_of(subject))
        claims, inquiries = ask(claims_of(subject)), ask(inquiries_of(subject))
        cases, callback = ask(cases_of(subject)), ask(callback_of(subject))
        shop = ask(one_shop(services.registry, subject.shop_id))
    return _Records(
        order=order.found,
        lines=lines.found,
        claims=claims.found,
        inquiries=[(row, open_inquiry(row, services.database.box)) for row in inquiries.found],
        callback=callback.found,
        cases=cases.found,
        shop=shop.found,
    )


async def _read_done(
    services: Services, connection: AsyncConnection, subject: Subject, records: _Records, curtain: Curtain
) -> _Done:
    ids = [link.case_id for link in records.cases]
    seen: dict[str, Any] = {"box": services.database.box, "curtain": curtain}
    async with asking(connection) as ask:
        steps, decided = ask(steps_of(ids)), ask(decision_entries(ids))
        asks, gifts = ask(asks_of(ids, **seen)), ask(gifts_of(ids, **seen))
        promises, passed_on = ask(promises_of(ids, now=services.now(), **seen)), ask(promise_moves_of(ids))
        complaint_steps = ask(complaint_steps_of(ids, **seen))
        moves, notes = ask(move_entries(ids, **seen)), ask(note_entries(ids, **seen))
        changes = ask(changes_of(records.lines, records.claims))
        actions = ask(actions_of(subject, [inquiry.inquiry_no for _, inquiry in records.inquiries]))
        twins = ask(twin_pairs_of([records.order.id] if records.order else []))
    return _Done(
        steps=steps.found,
        asks=asks.found,
        promises=with_moves(promises.found, passed_on.found),
        complaint_steps=complaint_steps.found,
        gifts=gifts.found,
        changes=changes.found,
        actions=actions.found,
        entries=(*decided.found, *moves.found, *notes.found),
        twins=twins.found,
    )


async def _order(
    services: Services,
    connection: AsyncConnection,
    subject: Subject,
    records: _Records,
    curtain: Curtain,
    connector: Connector | None,
) -> OrderView | None:
    if records.order is None:
        return None
    return order_view(
        records.order,
        records.lines,
        shop=subject.shop,
        malls=services.registry,
        mall=subject.mall,
        connector=connector,
        stock=await _stock(services, connection, records.lines, curtain),
    )


def _whose(
    services: Services, records: _Records, writer: Party | None, *, on_screen: Sequence[int]
) -> CustomerSubject | None:
    """The customer by the order, else by the newest question, else by the call; ``None`` where none names anybody."""
    order, callback = records.order, records.callback
    phones, emails = _keys_of_person(services, records, writer)
    named: list[tuple[RecordRef, Identity]] = []
    if order is not None:
        named.append((RecordRef(kind=RecordKind.ORDER, id=order.id), identity_of_order(order)))
    for row, _ in reversed(records.inquiries):
        # Without an order the address is the writer's.
        email = emails[0] if emails and order is None else b""
        named.append((RecordRef(kind=RecordKind.INQUIRY, id=row.id), identity_of_inquiry(row, email)))
    if callback is not None:
        named.append((RecordRef(kind=RecordKind.CALLBACK, id=callback.id), Identity(phone=callback.caller_idx)))
    found = next(((ref, identity) for ref, identity in named if identity.is_known), None)
    if found is None:
        return None
    return CustomerSubject(ref=found[0], identity=found[1], phones=phones, emails=emails, on_screen=on_screen)


async def _thread_orders(
    services: Services, connection: AsyncConnection, subject: Subject, opened: Sequence[Inquiry]
) -> tuple[tuple[OtherOrder, ...], tuple[OtherOrder, ...]]:
    """Orders linked to a thread that the mall ties to none, and those that the customer may mean."""
    if subject.thread_no is None or subject.order_no is not None:
        return (), ()
    malls = services.registry
    linked = await linked_orders(connection, shop_id=subject.shop_id, thread_no=subject.thread_no, malls=malls)
    texts = [
        message.text
        for inquiry in opened
        for message in inquiry.messages or (Message(message_no="", author=MessageAuthor.CUSTOMER, text=inquiry.text),)
        if message.author is MessageAuthor.CUSTOMER
    ]
    without = [order.order_id for order in linked]
    return linked, await suggested_orders(connection, texts=texts, without=without, malls=malls)


async def _stock(
    services: Services, connection: AsyncConnection, line_rows: Sequence[Row[Any]], curtain: Curtain
) -> dict[int, StockView]:
    """What the mall's catalogue says of each line's product, by the line's id."""
    products = [(row.shop_id, product_of(row)) for row in line_rows]
    found = await read_stock_facts(services.database, connection, products, people=True)
    return {
        row.id: stock_view(facts, curtain) for row, facts in zip(line_rows, found, strict=True) if facts is not None
    }


async def _connector(services: Services, shop: str) -> Connector | None:
    """Only for addresses of the mall's admin: wrong credentials must not hide the case."""
    try:
        return await services.connector(shop)
    except ConfigurationError:
        return None


def _link(connector: Connector | None, subject: Subject, opened: Sequence[Inquiry]) -> str | None:
    if connector is None:
        return None
    inquiry = next((each for each in reversed(opened) if each.thread_no == subject.thread_no), None)
    if inquiry is not None:
        return connector.admin_link(inquiry=inquiry)
    return connector.admin_link(order_no=subject.order_no)


def _keys_of_person(services: Services, records: _Records, writer: Party | None) -> tuple[list[bytes], list[bytes]]:
    phones = [row.writer_phone_idx for row, _ in records.inquiries]
    emails = []
    if records.order is not None:
        phones += [records.order.buyer_phone_idx, records.order.receiver_phone_idx]
        emails.append(records.order.buyer_email_idx)
    if writer is not None and (email := normal_email(writer.email)):
        emails.append(services.database.box.blind("email", email))
    if records.callback is not None:
        phones.append(records.callback.caller_idx)
    return [key for key in dict.fromkeys(phones) if key], [key for key in dict.fromkeys(emails) if key]
