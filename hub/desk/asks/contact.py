"""Whom an agent asks about a case: the chain of the routing table, with people, hours and reasons."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import bindparam, select

from hub.core.model import ClaimReason, Product
from hub.desk.access import Actor, Permission, require
from hub.desk.books.routing import Refusal
from hub.desk.care.complaint_views import complaint_of
from hub.desk.cases.case import NotFoundError
from hub.desk.customers.views import MarkKind
from hub.desk.services import Services
from hub.desk.views import CaseView, ContactCard, ContactView
from hub.desk.worklist.matters import OF_KIND, OF_REASON
from hub.store.belonging import order_of_case
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.database import read_rows, time_of
from hub.store.one import product_of
from hub.store.tables import cases, lines, orders, shops
from routing.chain import Link, Matter, build_chain, tell_book, tell_chain, tell_change, tell_opening
from routing.considered import Considered, consider
from routing.contacts import Directory
from routing.modes import ModeDecision, resolve_mode
from routing.words import Step


def likely_matter(case: CaseView) -> Matter:
    """Where the card starts: a hard case or customer has its hot line; else by reason, else by kind."""
    complaint = complaint_of(case.dossier.complaint_steps, case.row.case_id)
    is_marked = any(badge.kind is MarkKind.HARD_CASE and badge.is_sure for badge in case.row.badges)
    if is_marked or (complaint is not None and complaint.is_hard):
        return Matter.HARD_CASE
    for claim in case.dossier.claims:
        if claim.kind == case.row.kind and claim.is_open and claim.reason in OF_REASON:
            return OF_REASON[ClaimReason(claim.reason)]
    return OF_KIND.get(case.row.kind, Matter.OTHER)


class Route(Struct, frozen=True, kw_only=True):
    """The chain of one case and matter, with the people themselves and the address book that they are of.

    ``steps`` tell how the chain was found; ``considered`` is what did not decide.
    """

    shop: str
    mall: str
    mode: ModeDecision
    product_name: str
    chain: tuple[Link, ...]
    directory: Directory
    at: datetime
    steps: tuple[Step, ...] = ()
    considered: tuple[Considered, ...] = ()
    version: int = 0
    problem: Refusal | None = None


async def contact_card(services: Services, *, actor: Actor, case_id: int, matter: Matter) -> ContactCard | None:
    """``None`` when the case is about no known product. The sentences are in the actor's language.

    Raises: ForbiddenError; NotFoundError.
    """
    require(actor, Permission.WORK_CASES)
    route = await find_route(services, case_id=case_id, matter=matter)
    if route is None:
        return None
    return ContactCard(
        matter=matter.value,
        mode=route.mode.mode.value,
        mode_rule=route.mode.rule,
        product_name=route.product_name,
        chain=tuple(_view(link, route, services.settings.zone, actor.locale) for link in route.chain),
        steps=tuple(step.text(actor.locale) for step in route.steps),
        considered=tuple((each.title(actor.locale), each.why.text(actor.locale)) for each in route.considered),
        version=route.version,
        problem=route.problem.told(actor.locale) if route.problem else None,
    )


async def find_route(services: Services, *, case_id: int, matter: Matter) -> Route | None:
    """As :func:`contact_card`, for code that asks the people: nobody outside the chain may be asked."""
    await services.refresh_routing()
    book = services.routing
    row = await _product_row(services, case_id)
    name = row.product_name or row.case_product
    if book is None or name is None:
        return None
    product = product_of(row) if row.line_no is not None else Product(name=name)
    now, zone = services.now(), services.settings.zone
    on = now.astimezone(zone).date()
    async with services.database.reading() as connection:
        (stock,) = await read_stock_facts(services.database, connection, [(row.shop_id, product)])
    facts = catalogue_facts(stock)
    decision = resolve_mode(product, shop=row.shop, mall=row.mall, on=on, table=book.table, facts=facts)
    began = time_of(row.opened_at).astimezone(zone).date()
    before = resolve_mode(product, shop=row.shop, mall=row.mall, on=began, table=book.table, facts=facts)
    changed = tell_change(before.mode, on=began, mode=decision.mode)
    chain = build_chain(
        decision,
        matter=matter,
        shop=row.shop,
        mall=row.mall,
        at=now,
        directory=book.directory,
        chain=book.chain,
    )
    people = tell_chain(chain, matter=matter, mode=decision.mode, at=now, zone=zone, chain=book.chain)
    return Route(
        shop=row.shop,
        mall=row.mall,
        mode=decision,
        product_name=product.name,
        chain=chain,
        directory=book.directory,
        at=now,
        steps=(tell_book(book.version, book.source), *decision.steps, *changed, *people),
        considered=consider(
            product, decision=decision, shop=row.shop, mall=row.mall, on=on, table=book.table, facts=facts
        ),
        version=book.version,
        problem=book.problem,
    )


async def _product_row(services: Services, case_id: int) -> Any:
    """The case's first line, as far as it has an order; else the product it names."""
    async with services.database.reading() as connection:
        found = await read_rows(connection, _PRODUCT, case_id=case_id)
    if not found:
        raise NotFoundError
    return found[0]


_PRODUCT: Final = (
    select(
        cases.c.shop_id,
        cases.c.opened_at,
        shops.c.name.label("shop"),
        shops.c.mall,
        lines.c.line_no,
        lines.c.product_code,
        lines.c.product_option,
        lines.c.option_code,
        lines.c.seller_sku,
        lines.c.hints,
        lines.c.product_name,
        cases.c.product_name.label("case_product"),
    )
    .select_from(
        cases.join(shops, shops.c.id == cases.c.shop_id)
        .outerjoin(orders, order_of_case())
        .outerjoin(lines, lines.c.order_id == orders.c.id)
    )
    .where(cases.c.id == bindparam("case_id"))
    # The line that the case names, before the others of the order.
    .order_by((lines.c.product_name == cases.c.product_name).desc(), lines.c.line_no)
    .limit(1)
)


def _view(link: Link, route: Route, zone: ZoneInfo, locale: str) -> ContactView:
    contact = link.contact
    opens = tell_opening(link.next_open_at, at=route.at, zone=zone).text(locale) if link.next_open_at else None
    return ContactView(
        role=link.role.value,
        key=contact.key if contact else None,
        name=contact.name if contact else None,
        organisation=contact.organisation if contact else None,
        phone=contact.phone if contact else None,
        chat=contact.chat if contact else None,
        email=contact.email if contact else None,
        is_open=link.open_now,
        next_open_at=link.next_open_at,
        why=link.told(locale),
        opens=opens,
        deputy_for=link.deputy_for,
        together=link.together,
        escalate_minutes=link.escalate_minutes,
        languages=contact.languages if contact else (),
    )
