"""What a changed book would change for the cases that are open: each is decided under both states."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.core.model import InventoryMode, Product
from hub.desk.access import Actor, Permission, require
from hub.desk.book_forms import BookForm
from hub.desk.book_modes import read_mode_rows
from hub.desk.routing_book import catalogue_facts
from hub.desk.services import Services
from hub.policy.book import PolicyTables
from hub.policy.switches import brand_of, switches_at
from hub.store.books import BookKind
from hub.store.catalogue import read_stock_facts
from hub.store.one import product_of
from hub.store.tables import cases, lines, orders, shops
from routing.book import RoutingTables
from routing.chain import build_chain
from routing.compiled import compile_book
from routing.facts import CatalogueFacts
from routing.matter import Matter
from routing.modes import ModeDecision, resolve_mode

#: The most urgent open cases are decided, no more: a preview is not worth a minute of the database.
MOST_CASES: Final = 500
_EXAMPLES: Final = 20


class TouchedCase(Struct, frozen=True, kw_only=True):
    case_id: int
    shop: str
    kind: str
    product: str | None


class Impact(Struct, frozen=True, kw_only=True):
    """``checked`` of the ``open`` cases were decided, the most urgent first; ``touched`` of them come out otherwise.

    ``examples`` are the first of those. ``is_counted`` is false for books that decide nothing of a case.
    """

    is_counted: bool
    open: int = 0
    checked: int = 0
    touched: int = 0
    examples: tuple[TouchedCase, ...] = ()


class CaseLine(Struct, frozen=True, kw_only=True):
    """What a case is about, as far as rules ask for it."""

    case_id: int
    shop_id: int
    shop: str
    mall: str
    sub_shop: str
    kind: str
    product: Product | None
    facts: CatalogueFacts | None = None


#: What a state of a book decides about one case; equal values are equal decisions.
Decide = Callable[[CaseLine], object]


async def read_impact(services: Services, form: BookForm, *, actor: Actor, old: Any, new: Any) -> Impact:
    """Raises: ForbiddenError."""
    require(actor, Permission.EDIT_BOOKS)
    if form.kind is BookKind.TEMPLATES:
        return Impact(is_counted=False)
    at = services.now()
    before = await _decider(services, form.kind, old, at=at)
    after = await _decider(services, form.kind, new, at=at)
    total, found = await _open_cases(services)
    touched = [case for case in found if before(case) != after(case)]
    return Impact(
        is_counted=True,
        open=total,
        checked=len(found),
        touched=len(touched),
        examples=tuple(
            TouchedCase(
                case_id=case.case_id,
                shop=case.shop,
                kind=case.kind,
                product=case.product.name if case.product else None,
            )
            for case in touched[:_EXAMPLES]
        ),
    )


async def _decider(services: Services, kind: BookKind, tables: Any, *, at: datetime) -> Decide:
    if kind is BookKind.ROUTING:
        return await _by_routing(services, tables, at=at)
    return _by_policy(tables, at=at.astimezone(services.settings.zone))


async def _by_routing(services: Services, tables: RoutingTables, *, at: datetime) -> Decide:
    """The inventory mode of a case's product and whom to ask about it, whatever the matter."""
    book = compile_book(tables)
    table, directory = book.table(await read_mode_rows(services)), book.directory()
    on = at.astimezone(services.settings.zone).date()

    @cache
    def chains(mode: InventoryMode, partner: str | None, logistics: str | None, shop: str, mall: str) -> object:
        decision = ModeDecision(mode=mode, rule="", steps=(), partner=partner, logistics=logistics)
        scope = {"shop": shop, "mall": mall, "at": at, "directory": directory, "chain": book.chain}
        return tuple(build_chain(decision, matter=matter, **scope) for matter in Matter)  # type: ignore[arg-type]

    def decide(case: CaseLine) -> object:
        if case.product is None:
            return None
        found = resolve_mode(case.product, shop=case.shop, mall=case.mall, on=on, table=table, facts=case.facts)
        return found.mode, chains(found.mode, found.partner, found.logistics, case.shop, case.mall)

    return decide


def _by_policy(tables: PolicyTables, *, at: datetime) -> Decide:
    """The switches of a case's line, whatever row they come from."""

    def decide(case: CaseLine) -> object:
        on = at.date()
        scope = {"shop": case.shop, "mall": case.mall, "on": on}
        sku = case.product.seller_sku if case.product else None
        brand = brand_of(tables, sub_shop=case.sub_shop, seller_sku=sku, **scope)  # type: ignore[arg-type]  # by name
        return msgspec.structs.replace(switches_at(tables, brand=brand, **scope), origins=())  # type: ignore[arg-type]

    return decide


async def _open_cases(services: Services) -> tuple[int, list[CaseLine]]:
    """How many cases are open, and the first of them with their lines."""
    is_open = cases.c.is_open & shops.c.is_active
    joined = cases.join(shops, shops.c.id == cases.c.shop_id)
    first = (
        select(cases.c.id, cases.c.shop_id, cases.c.order_no, cases.c.kind, cases.c.product_name.label("case_product"))
        .add_columns(cases.c.due_at, shops.c.name.label("shop"), shops.c.mall)
        .select_from(joined)
        .where(is_open)
        .order_by(cases.c.due_at, cases.c.id)
        .limit(MOST_CASES)
        .subquery()
    )
    of_order = (orders.c.shop_id == first.c.shop_id) & (orders.c.order_no == first.c.order_no)
    query = (
        select(
            first,
            orders.c.sub_shop,
            lines.c.line_no,
            lines.c.product_code,
            lines.c.product_option,
            lines.c.option_code,
            lines.c.seller_sku,
            lines.c.hints,
            lines.c.product_name,
        )
        .select_from(first.outerjoin(orders, of_order).outerjoin(lines, lines.c.order_id == orders.c.id))
        # The line that a case names, before the others of its order.
        .order_by(first.c.due_at, first.c.id, (lines.c.product_name == first.c.case_product).desc(), lines.c.line_no)
    )
    async with services.database.reading() as connection:
        total = await connection.scalar(select(func.count()).select_from(joined).where(is_open)) or 0
        rows: dict[int, Any] = {}
        for row in await connection.execute(query):
            rows.setdefault(row.id, row)
        found = [_case(row) for row in rows.values()]
        known = [case for case in found if case.product is not None]
        facts = await read_stock_facts(
            services.database, connection, [(case.shop_id, case.product) for case in known if case.product]
        )
    stock = {case.case_id: catalogue_facts(each) for case, each in zip(known, facts, strict=True)}
    return total, [msgspec.structs.replace(case, facts=stock.get(case.case_id)) for case in found]


def _case(row: Any) -> CaseLine:
    product = None
    if row.line_no is not None:
        product = product_of(row)
    elif row.case_product is not None:
        product = Product(name=row.case_product)
    return CaseLine(
        case_id=row.id,
        shop_id=row.shop_id,
        shop=row.shop,
        mall=row.mall,
        sub_shop=row.sub_shop or "",
        kind=row.kind,
        product=product,
    )
