"""What a changed book would change for the cases that are open: each is decided under both states."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.core.errors import ConfigurationError
from hub.core.model import ClaimKind, InventoryMode, Product
from hub.desk.access import Actor, Permission, require
from hub.desk.books.changes import compare
from hub.desk.books.forms import BookForm
from hub.desk.books.mode_rows import read_mode_rows
from hub.desk.decisions.facts import LineKey, LineKnown, read_card_facts
from hub.desk.services import Services
from hub.policy.book import PolicyTables
from hub.policy.card import Card, Request
from hub.policy.clock_file import standard_clocks
from hub.policy.decide import decide
from hub.policy.switches import brand_of, switches_at
from hub.store.books import BookKind
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.one import product_of
from hub.store.tables import cases, lines, orders, shops
from routing.book import RoutingTables
from routing.chain import build_chain
from routing.compiled import compile_book
from routing.entries import ProductEntry
from routing.facts import CatalogueFacts
from routing.matter import Matter
from routing.modes import ModeDecision, resolve_mode

#: The most urgent open cases are decided, no more: a preview is not worth a minute of the database.
MOST_CASES: Final = 500
_EXAMPLES: Final = 20
#: what a case asks of the policy; every other one asks where the goods are
_ASKS: Final[Mapping[str, Request]] = {
    ClaimKind.CANCEL: Request.CANCEL,
    ClaimKind.ADMIN_CANCEL: Request.CANCEL,
    ClaimKind.RETURN: Request.RETURN,
    ClaimKind.EXCHANGE: Request.EXCHANGE,
}


class TouchedCase(Struct, frozen=True, kw_only=True):
    case_id: int
    shop: str
    kind: str
    product: str | None


class Outcome(StrEnum):
    COUNTED = "counted"
    #: books that decide nothing of a case
    DECIDES_NOTHING = "decides_nothing"
    #: a book with mistakes decides nothing yet
    PROBLEMS = "problems"


class Impact(Struct, frozen=True, kw_only=True):
    """``checked`` of the ``open`` cases were looked at, the most urgent first; ``touched`` of them come out otherwise.

    ``undecided`` are those whose order line is not known. ``examples`` are the first that are touched.
    """

    outcome: Outcome
    open: int = 0
    checked: int = 0
    touched: int = 0
    undecided: int = 0
    examples: tuple[TouchedCase, ...] = ()


class CaseLine(Struct, frozen=True, kw_only=True):
    """What a case is about, as far as rules ask for it."""

    case_id: int
    shop_id: int
    shop: str
    mall: str
    kind: str
    order_no: str | None
    line_no: str | None
    product: Product | None
    facts: CatalogueFacts | None = None


#: Whether a case comes out otherwise; ``None``: what it is about is not known well enough to decide it.
Differs = Callable[[CaseLine], Awaitable[bool | None]]


async def read_impact(services: Services, form: BookForm, *, actor: Actor, old: Any, new: Any) -> Impact:
    """Raises: ForbiddenError."""
    require(actor, Permission.EDIT_BOOKS)
    if form.kind is BookKind.TEMPLATES:
        return Impact(outcome=Outcome.DECIDES_NOTHING)
    if form.find_problems(old) or form.find_problems(new):
        return Impact(outcome=Outcome.PROBLEMS)
    if form.kind is BookKind.ROUTING:
        differs = await _by_routing(services, old, new)
    else:
        differs = _by_policy(services, old, new)
    total, found = await _open_cases(services)
    answers = [(case, await differs(case)) for case in found]
    touched = [case for case, answer in answers if answer]
    return Impact(
        outcome=Outcome.COUNTED,
        open=total,
        checked=len(found),
        touched=len(touched),
        undecided=sum(answer is None for _, answer in answers),
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


async def _by_routing(services: Services, old: RoutingTables, new: RoutingTables) -> Differs:
    """By the inventory mode of the product and by whom to ask about it, whatever the matter."""
    at = services.now()
    on = at.astimezone(services.settings.zone).date()
    rows = await read_mode_rows(services.database)
    before, after = _route(old, rows, at=at, on=on), _route(new, rows, at=at, on=on)

    async def differs(case: CaseLine) -> bool | None:
        return None if case.product is None else before(case, case.product) != after(case, case.product)

    return differs


def _route(
    tables: RoutingTables, rows: Sequence[ProductEntry], *, at: datetime, on: date
) -> Callable[[CaseLine, Product], object]:
    book = compile_book(tables)
    table, directory = book.table(rows), book.directory()

    @cache
    def chains(mode: InventoryMode, partner: str | None, logistics: str | None, shop: str, mall: str) -> object:
        decision = ModeDecision(mode=mode, rule="", steps=(), partner=partner, logistics=logistics)
        return tuple(
            build_chain(decision, matter=matter, shop=shop, mall=mall, at=at, directory=directory, chain=book.chain)
            for matter in Matter
        )

    def route(case: CaseLine, product: Product) -> object:
        found = resolve_mode(product, shop=case.shop, mall=case.mall, on=on, table=table, facts=case.facts)
        return found.mode, chains(found.mode, found.partner, found.logistics, case.shop, case.mall)

    return route


def _by_policy(services: Services, old: PolicyTables, new: PolicyTables) -> Differs:
    """By the whole card, for what the case asks; only cases in the scope of a changed row are decided."""
    scopes = {
        (row.mall, row.shop) for change in compare(old, new).rows for row in (change.old, change.new) if row is not None
    }

    async def differs(case: CaseLine) -> bool | None:
        if not any(mall in (None, case.mall) and shop in (None, case.shop) for mall, shop in scopes):
            return False
        if case.line_no is None:
            return None
        key = LineKey(shop=case.shop, line_no=case.line_no, order_no=case.order_no)
        request = _ASKS.get(case.kind, Request.DELIVERY_STATUS)
        try:
            known = await read_card_facts(services, key, request=request)
        except ConfigurationError:
            # Its mall or shop is not set up any more: nobody can decide it.
            return None
        on = known.facts.at.astimezone(services.settings.zone).date()
        return _card(known, old, request, on) != _card(known, new, request, on)

    return differs


def _card(known: LineKnown, tables: PolicyTables, request: Request, on: date) -> Card:
    facts = known.facts
    brand = brand_of(
        tables, shop=facts.shop, mall=facts.mall, sub_shop=known.sub_shop, seller_sku=known.seller_sku, on=on
    )
    switches = switches_at(tables, shop=facts.shop, mall=facts.mall, brand=brand, on=on)
    facts = msgspec.structs.replace(facts, brand=brand or "")
    return decide(facts, request=request, switches=switches, policy_version=0, clocks=standard_clocks())


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
        kind=row.kind,
        order_no=row.order_no,
        line_no=row.line_no,
        product=product,
    )
