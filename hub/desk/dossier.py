"""Gathers everything about one order or one inquiry thread in a fixed number of queries."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector
from hub.core.errors import ConfigurationError
from hub.core.model import Inquiry, Message, MessageAuthor, Party
from hub.desk.ask_views import asks_of
from hub.desk.care_timeline import care_entries
from hub.desk.compensation_views import gifts_of
from hub.desk.complaint_views import complaint_steps_of
from hub.desk.customer_identity import Identity, RecordKind, RecordRef, identity_of_inquiry, identity_of_order
from hub.desk.customer_panel import Subject as CustomerSubject
from hub.desk.customer_panel import read_customer
from hub.desk.decision_timeline import decision_entries
from hub.desk.dossier_rows import (
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
from hub.desk.freshness import one_shop
from hub.desk.promise_views import promise_moves_of, promises_of, with_moves
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
from hub.desk.thread_orders import linked_orders, suggested_orders
from hub.desk.timeline import build_timeline
from hub.desk.twins import twin_pairs_of, twins_of
from hub.desk.views import Dossier, OtherOrder, StockView
from hub.desk.work_timeline import move_entries, note_entries
from hub.store.catalogue import read_stock_facts
from hub.store.one import product_of
from hub.store.questions import ask_one, asking
from hub.store.sealed import normal_email

__all__ = ["Subject", "read_dossier"]


async def read_dossier(
    services: Services, connection: AsyncConnection, *, subject: Subject, is_unmasked: bool
) -> Dossier:
    curtain = Curtain(is_open=is_unmasked)
    box, malls = services.database.box, services.registry
    connector = await _connector(services, subject.shop)
    async with asking(connection) as ask:
        order_asked, lines_asked = ask(order_of(subject)), ask(lines_of(subject))
        claims_asked, inquiries_asked = ask(claims_of(subject)), ask(inquiries_of(subject))
        links_asked, callback_asked = ask(cases_of(subject)), ask(callback_of(subject))
    order_row, line_rows, claim_rows = order_asked.found, lines_asked.found, claims_asked.found
    inquiry_rows, callback = inquiries_asked.found, callback_asked.found
    opened = [open_inquiry(row, box) for row in inquiry_rows]
    case_ids = [link.case_id for link in links_asked.found]

    seen: dict[str, Any] = {"box": box, "curtain": curtain}
    async with asking(connection) as ask:
        steps, decided = ask(steps_of(case_ids)), ask(decision_entries(case_ids))
        asks, gifts = ask(asks_of(case_ids, **seen)), ask(gifts_of(case_ids, **seen))
        promised, moves = ask(promises_of(case_ids, now=services.now(), **seen)), ask(promise_moves_of(case_ids))
        complaint_steps = ask(complaint_steps_of(case_ids, **seen))
        moved, noted = ask(move_entries(case_ids, **seen)), ask(note_entries(case_ids, **seen))
        changes = ask(changes_of(line_rows, claim_rows))
        acted = ask(actions_of(subject, [inquiry.inquiry_no for inquiry in opened]))
        pairs = ask(twin_pairs_of([order_row.id] if order_row else []))
    promises = with_moves(promised.found, moves.found)

    order = (
        order_view(
            order_row,
            line_rows,
            shop=subject.shop,
            malls=malls,
            mall=subject.mall,
            connector=connector,
            stock=await _stock(services, connection, line_rows, curtain),
        )
        if order_row
        else None
    )
    claim_views = tuple(claim_view(row, box, curtain) for row in claim_rows)
    inquiry_views = tuple(
        inquiry_view(row, inquiry, curtain, connector) for row, inquiry in zip(inquiry_rows, opened, strict=True)
    )
    timeline = build_timeline(
        order=order,
        claims=claim_views,
        inquiries=inquiry_views,
        changes=changes.found,
        actions=acted.found,
        steps=steps.found,
        asks=asks.found,
        care=(*care_entries(promises, complaint_steps.found, gifts.found), *decided.found, *moved.found, *noted.found),
        box=box,
        curtain=curtain,
    )
    twins = await twins_of(connection, pairs.found, malls=malls)
    own_twins = twins.get(order_row.id, ()) if order_row else ()
    writer = next((inquiry.writer for inquiry in reversed(opened) if inquiry.writer), None)
    phones, emails = _keys_of_person(services, order_row, inquiry_rows, writer)
    if callback is not None:
        phones.append(callback.caller_idx)
    on_screen = [order_row.id, *(twin.order_id for twin in own_twins)] if order_row else []
    whose = _whose(order_row, inquiry_rows, callback, phones=phones, emails=emails, on_screen=on_screen)
    customer, others = (
        await read_customer(services, connection, subject=whose, curtain=curtain) if whose else (None, ())
    )
    linked, suggested = await _thread_orders(services, connection, subject, opened)
    return Dossier(
        shop=await ask_one(connection, one_shop(malls, subject.shop_id)),
        order=order,
        person=person_view(open_order(order_row, box), writer, curtain),
        claims=claim_views,
        inquiries=inquiry_views,
        timeline=timeline,
        others=others,
        cases=links_asked.found,
        steps=steps.found,
        link=_link(connector, subject, opened),
        is_unmasked=is_unmasked,
        twins=own_twins,
        linked=linked,
        suggested=suggested,
        asks=asks.found,
        promises=promises,
        complaint_steps=complaint_steps.found,
        gifts=gifts.found,
        customer=customer,
    )


def _whose(
    order_row: Row[Any] | None,
    inquiry_rows: Sequence[Row[Any]],
    callback: Row[Any] | None,
    *,
    phones: Sequence[bytes],
    emails: Sequence[bytes],
    on_screen: Sequence[int],
) -> CustomerSubject | None:
    """The customer by the order, else by the newest question, else by the call; ``None`` where none names anybody."""
    named: list[tuple[RecordRef, Identity]] = []
    if order_row is not None:
        named.append((RecordRef(kind=RecordKind.ORDER, id=order_row.id), identity_of_order(order_row)))
    for row in reversed(inquiry_rows):
        # Without an order the address is the writer's.
        email = emails[0] if emails and order_row is None else b""
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


def _keys_of_person(
    services: Services, order_row: Row[Any] | None, inquiry_rows: Sequence[Row[Any]], writer: Party | None
) -> tuple[list[bytes], list[bytes]]:
    phones = [row.writer_phone_idx for row in inquiry_rows]
    emails = []
    if order_row is not None:
        phones += [order_row.buyer_phone_idx, order_row.receiver_phone_idx]
        emails.append(order_row.buyer_email_idx)
    if writer is not None and (email := normal_email(writer.email)):
        emails.append(services.database.box.blind("email", email))
    return [key for key in dict.fromkeys(phones) if key], [key for key in dict.fromkeys(emails) if key]
