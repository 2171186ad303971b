"""Whom to ask about a matter, in which order, and why.

Source: division of tasks between MD, partner and logistics per inventory mode as Korean contact
centres plan it (mode and role: sure; the row per matter is this project's own rule).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.core.model import InventoryMode, Product
from routing.contacts import Contact, Directory, next_open_at, open_now
from routing.facts import CatalogueFacts
from routing.matter import Matter, Role
from routing.modes import ModeDecision, ModeTable, resolve_mode

__all__ = ["MATRIX", "Ask", "Link", "Matter", "RouteDecision", "RouteLink", "asks_for", "build_chain", "explain"]


class Ask(Struct, frozen=True):
    """One place of a chain before a person is known for it."""

    role: Role
    why: str


class Link(Struct, frozen=True, kw_only=True):
    """One place of a chain; ``contact`` is ``None`` when nobody is known for it, and ``why`` says so."""

    role: Role
    contact: Contact | None
    open_now: bool
    next_open_at: datetime | None
    why: str


class RouteLink(Struct, frozen=True, kw_only=True):
    """One place of a chain as it is shown; ``next_open_at`` in UTC, ``None`` while open or not known."""

    role: Role
    name: str | None
    organisation: str | None
    open_now: bool
    next_open_at: datetime | None
    why: str


class RouteDecision(Struct, frozen=True, kw_only=True):
    """The answer of ``hub route explain``."""

    mode: InventoryMode
    mode_rule: str
    matter: Matter
    chain: tuple[RouteLink, ...]
    steps: tuple[str, ...]


_MD: Final = Role.MD
_PARTNER: Final = Role.PARTNER
_LOGISTICS: Final = Role.LOGISTICS
_CONSIGNMENT: Final = InventoryMode.CONSIGNMENT
_DIRECT: Final = InventoryMode.DIRECT_PURCHASE
_3PL: Final = InventoryMode.THIRD_PARTY_LOGISTICS

_MD_ANSWERS: Final = (Ask(_MD, "The MD answers for product detail, price and promotion in every mode."),)
_MD_DECIDES: Final = (Ask(_MD, "No other role is set for this matter; the MD decides whom it concerns."),)
_PARTNER_SENDS: Final = (Ask(_PARTNER, "The partner holds and sends the stock: ask it, it asks its carrier."),)
_WAREHOUSE_SENDS: Final = (Ask(_LOGISTICS, "The goods leave our warehouse: logistics knows the parcel."),)
_PARTNER_SHARES: Final = (Ask(_PARTNER, "The partner bears its share of a compensation by contract."),)

#: Who is asked, per matter and mode, in order. A purchased product never leads to a partner.
MATRIX: Final[dict[Matter, dict[InventoryMode, tuple[Ask, ...]]]] = {
    Matter.STOCK: {
        _CONSIGNMENT: (Ask(_PARTNER, "The partner owns and holds the stock."),),
        _DIRECT: (
            Ask(_LOGISTICS, "The stock is ours and lies in our warehouse."),
            Ask(_MD, "The MD buys the product and knows what is on order."),
        ),
        _3PL: (
            Ask(_LOGISTICS, "The stock lies in the warehouse that logistics runs."),
            Ask(_PARTNER, "The partner owns the stock and fills it up."),
        ),
    },
    Matter.DISPATCH_DELAY: {_CONSIGNMENT: _PARTNER_SENDS, _DIRECT: _WAREHOUSE_SENDS, _3PL: _WAREHOUSE_SENDS},
    Matter.MISSING_PARCEL: {_CONSIGNMENT: _PARTNER_SENDS, _DIRECT: _WAREHOUSE_SENDS, _3PL: _WAREHOUSE_SENDS},
    Matter.DEFECT: {
        _CONSIGNMENT: (Ask(_PARTNER, "The partner judges defects of its own goods."),),
        _DIRECT: (
            Ask(_LOGISTICS, "Logistics inspects what comes back."),
            Ask(_MD, "The MD decides on the inspection's result."),
        ),
        _3PL: (
            Ask(_LOGISTICS, "Logistics inspects what comes back."),
            Ask(_PARTNER, "The partner decides on the inspection's result."),
        ),
    },
    Matter.PRODUCT_DETAIL: {_CONSIGNMENT: _MD_ANSWERS, _DIRECT: _MD_ANSWERS, _3PL: _MD_ANSWERS},
    Matter.PRICE_PROMOTION: {_CONSIGNMENT: _MD_ANSWERS, _DIRECT: _MD_ANSWERS, _3PL: _MD_ANSWERS},
    Matter.COMPENSATION: {
        _CONSIGNMENT: _PARTNER_SHARES,
        _DIRECT: (Ask(_MD, "The goods are ours: we bear the compensation, the MD approves it."),),
        _3PL: _PARTNER_SHARES,
    },
    Matter.HARD_CASE: {
        _CONSIGNMENT: (
            Ask(_MD, "The MD leads a hard case."),
            Ask(_PARTNER, "The partner owns the stock: hot line with the MD."),
        ),
        _DIRECT: (Ask(_MD, "A hard case about our own goods is solved inside by the MD."),),
        _3PL: (
            Ask(_MD, "The MD leads a hard case."),
            Ask(_PARTNER, "The partner owns the stock: hot line with the MD."),
            Ask(_LOGISTICS, "Logistics holds the stock: hot line with the MD."),
        ),
    },
    Matter.OTHER: {_CONSIGNMENT: _MD_DECIDES, _DIRECT: _MD_DECIDES, _3PL: _MD_DECIDES},
}
_MODE_UNKNOWN: Final = (
    Ask(_MD, "The inventory mode is unknown: the MD finds out who holds the stock and enters it in the mode table."),
)
_NOBODY_ELSE: Final = Ask(_MD, "Nobody above can be named: the MD knows who is responsible.")


def asks_for(mode: InventoryMode, matter: Matter) -> tuple[Ask, ...]:
    """The roles to ask, in order; at least one."""
    return MATRIX[matter].get(mode, _MODE_UNKNOWN)


def build_chain(
    decision: ModeDecision, *, matter: Matter, shop: str, mall: str, at: datetime, directory: Directory
) -> tuple[Link, ...]:
    """The people to ask at an aware time. A closed contact is followed by its deputy.

    A role without a contact keeps its place without a name; when no place has one, the MD follows.
    """
    asks = asks_for(decision.mode, matter)
    links: list[Link] = []
    for ask in asks:
        links += _links(ask, decision, shop=shop, mall=mall, at=at, directory=directory)
    if all(link.contact is None for link in links) and all(ask.role is not Role.MD for ask in asks):
        links += _links(_NOBODY_ELSE, decision, shop=shop, mall=mall, at=at, directory=directory)
    return tuple(links)


def _links(
    ask: Ask, decision: ModeDecision, *, shop: str, mall: str, at: datetime, directory: Directory
) -> Iterable[Link]:
    codes = _codes(ask.role, decision)
    contact = directory.find(ask.role, codes=codes, shop=shop, mall=mall)
    if contact is None:
        whom = f" for {', '.join(codes)}" if codes else ""
        why = f"{ask.why} No contact with the role {ask.role}{whom} is in the directory."
        yield Link(role=ask.role, contact=None, open_now=False, next_open_at=None, why=why)
        return
    first = _link(contact, ask.why, at)
    yield first
    deputy = directory.deputy_of(contact)
    if not first.open_now and deputy is not None:
        yield _link(deputy, f"Deputy of {contact.name}, who cannot be reached now.", at)


def _codes(role: Role, decision: ModeDecision) -> tuple[str, ...]:
    """What a role's contact is found by: an MD may look after one partner, logistics is one firm.

    A purchased product has a supplier too, who is none of the agent's business.
    """
    if role is Role.LOGISTICS:
        return (decision.logistics,) if decision.logistics else ()
    return (decision.partner,) if decision.partner and decision.mode is not InventoryMode.DIRECT_PURCHASE else ()


def _link(contact: Contact, why: str, at: datetime) -> Link:
    if contact.hours is None:
        why = f"{why} The hours of {contact.name} are not known."
    return Link(
        role=contact.role,
        contact=contact,
        open_now=open_now(contact, at),
        next_open_at=next_open_at(contact, at),
        why=why,
    )


def explain(
    product: Product,
    *,
    shop: str,
    mall: str,
    matter: Matter,
    at: datetime,
    table: ModeTable,
    directory: Directory,
    zone: str = "Asia/Seoul",
    facts: CatalogueFacts | None = None,
) -> RouteDecision:
    """Decide mode and chain for a product at an aware time, with every step of the way.

    ``facts`` are those of the mall's catalogue about the product. ``zone`` says which day it is for
    the validity of table rows.
    Raises: ValueError for a time without a zone.
    """
    if at.tzinfo is None:
        message = "a time without a zone belongs to no day"
        raise ValueError(message)
    on = at.astimezone(ZoneInfo(zone)).date()
    decision = resolve_mode(product, shop=shop, mall=mall, on=on, table=table, facts=facts)
    chain = build_chain(decision, matter=matter, shop=shop, mall=mall, at=at, directory=directory)
    roles = ", then ".join(ask.role for ask in asks_for(decision.mode, matter))
    return RouteDecision(
        mode=decision.mode,
        mode_rule=decision.rule,
        matter=matter,
        chain=tuple(
            RouteLink(
                role=link.role,
                name=link.contact.name if link.contact else None,
                organisation=link.contact.organisation if link.contact else None,
                open_now=link.open_now,
                next_open_at=link.next_open_at,
                why=link.why,
            )
            for link in chain
        ),
        steps=(*decision.steps, f"Matter {matter} with mode {decision.mode}: {roles}."),
    )
