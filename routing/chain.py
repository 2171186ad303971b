"""Whom to ask about a matter, in which order, and why.

Source: division of tasks between MD, partner and logistics per inventory mode as Korean contact
centres plan it (mode and role: sure; the row per matter is this project's own rule).
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.core.model import InventoryMode, Product
from routing.chain_table import Ask, ChainTable
from routing.check_chain import PARTNER_WITHHELD
from routing.considered import ToldConsidered, consider
from routing.contacts import Contact, Directory, next_open_at, open_now
from routing.facts import CatalogueFacts
from routing.hours import DAYS
from routing.matter import Matter, Role
from routing.modes import ModeDecision, ModeTable, resolve_mode
from routing.words import Step, shown, step

__all__ = [
    "BookInForce",
    "Link",
    "Matter",
    "RouteDecision",
    "RouteLink",
    "build_chain",
    "explain",
    "tell_book",
    "tell_chain",
    "tell_opening",
]


class Link(Struct, frozen=True, kw_only=True):
    """One place of a chain; ``contact`` is ``None`` when nobody is known for it, and ``why`` says so.

    ``next_open_at`` in UTC, ``None`` while open or not known. ``deputy_for`` is the name of the contact that
    this one stands in for. ``escalate_minutes`` of opening time pass before the next is asked, ``None``: not
    set. ``together``: one of a hot line, asked at once with the others of it.
    """

    role: Role
    contact: Contact | None
    open_now: bool
    next_open_at: datetime | None
    why: tuple[Step, ...]
    deputy_for: str | None = None
    escalate_minutes: int | None = None
    together: bool = False

    def told(self, locale: str) -> str:
        """Why this one is asked, in the words of ``locale``."""
        return " ".join(each.text(locale) for each in self.why)


class RouteLink(Struct, frozen=True, kw_only=True):
    """One place of a chain as it is shown. ``reachable_by``: phone, chat, email, webhook."""

    role: Role
    name: str | None
    organisation: str | None
    open_now: bool
    next_open_at: datetime | None
    why: str
    deputy_for: str | None = None
    reachable_by: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    escalate_minutes: int | None = None
    together: bool = False


class BookInForce(Struct, frozen=True, kw_only=True):
    """Which version of the routing book decides: 0 where none was written. ``source``: file, screen, import.

    ``problem`` tells why the file beside it is not in force.
    """

    version: int = 0
    source: str | None = None
    problem: str | None = None


class RouteDecision(Struct, frozen=True, kw_only=True):
    """The answer of ``hub route explain``. ``considered`` was looked at and did not decide."""

    mode: InventoryMode
    mode_rule: str
    matter: Matter
    chain: tuple[RouteLink, ...]
    steps: tuple[str, ...]
    considered: tuple[ToldConsidered, ...] = ()
    flags: tuple[str, ...] = ()
    book: BookInForce = BookInForce()


@cache
def _standard() -> ChainTable:
    return ChainTable()


def build_chain(
    decision: ModeDecision,
    *,
    matter: Matter,
    shop: str,
    mall: str,
    at: datetime,
    directory: Directory,
    chain: ChainTable | None = None,
) -> tuple[Link, ...]:
    """The people to ask at an aware time. A contact that cannot be reached is followed by its deputies.

    The deputies end with the first that is open. A role without a contact keeps its place without a
    name; when no place has one, the MD follows. ``chain`` is the standard one where it is not given.
    """
    asks = (chain or _standard()).asks_for(decision.mode, matter)
    links: list[Link] = []
    for ask in asks:
        links += _links(ask, decision, shop=shop, mall=mall, at=at, directory=directory)
    if all(link.contact is None for link in links) and all(ask.role is not Role.MD for ask in asks):
        nobody_else = Ask(role=Role.MD, why=step("nobody_else"))
        links += _links(nobody_else, decision, shop=shop, mall=mall, at=at, directory=directory)
    return tuple(links)


def _links(
    ask: Ask, decision: ModeDecision, *, shop: str, mall: str, at: datetime, directory: Directory
) -> Iterator[Link]:
    codes = _codes(ask.role, decision)
    contact = directory.find(ask.role, codes=codes, shop=shop, mall=mall)
    if contact is None:
        words = {"role": f"@role.{ask.role}"}
        # While nobody knows whose the stock is, its supplier may be one that is not to be shown.
        may_name = ask.role is Role.LOGISTICS or decision.mode not in PARTNER_WITHHELD
        missing = (
            step("no_contact_for", codes=shown(", ".join(codes)), **words)
            if codes and may_name
            else step("no_contact", **words)
        )
        yield Link(
            role=ask.role,
            contact=None,
            open_now=False,
            next_open_at=None,
            why=(ask.why, missing),
            escalate_minutes=ask.escalate_minutes,
            together=ask.together,
        )
        return
    first = _link(contact, (ask.why,), ask, at)
    yield first
    if first.open_now:
        return
    reason = _instead_of(contact, at)
    for deputy in directory.deputies_of(contact, at=at):
        link = _link(deputy, (reason,), ask, at, deputy_for=contact.name)
        yield link
        if link.open_now:
            return


def _codes(role: Role, decision: ModeDecision) -> tuple[str, ...]:
    """What a role's contact is found by: an MD may look after one partner, logistics is one firm.

    A purchased product has a supplier too, who is none of the agent's business.
    """
    if role is Role.LOGISTICS:
        return (decision.logistics,) if decision.logistics else ()
    if decision.partner is None or decision.mode is InventoryMode.DIRECT_PURCHASE:
        return ()
    return decision.partner, *decision.partner_names


def _link(contact: Contact, why: tuple[Step, ...], ask: Ask, at: datetime, *, deputy_for: str | None = None) -> Link:
    absence = contact.absence_at(at)
    if absence is not None:
        why = (*why, step("away", until=str(absence.until)))
    elif contact.hours is None:
        why = (*why, step("hours_unknown", name=shown(contact.name)))
    is_open = open_now(contact, at)
    return Link(
        role=contact.role,
        contact=contact,
        open_now=is_open,
        next_open_at=None if is_open else next_open_at(contact, at),
        why=why,
        deputy_for=deputy_for,
        escalate_minutes=contact.escalate_minutes or ask.escalate_minutes,
        together=ask.together,
    )


def _instead_of(contact: Contact, at: datetime) -> Step:
    absence = contact.absence_at(at)
    if absence is None:
        return step("deputy_closed", name=shown(contact.name))
    return step("deputy_away", name=shown(contact.name), until=str(absence.until))


def tell_opening(opens: datetime, *, at: datetime, zone: ZoneInfo) -> Step:
    """When a closed contact opens, by the clock of ``zone``: "opens Mon 11-23 09:00"."""
    local, now = opens.astimezone(zone), at.astimezone(zone)
    words = {"day": f"@day.{DAYS[local.weekday()]}", "time": f"{local:%H:%M}"}
    days = (local.date() - now.date()).days
    if days == 0:
        return step("opens_today", **words)
    if days == 1:
        return step("opens_tomorrow", **words)
    return step("opens", date=f"{local:%m-%d}" if local.year == now.year else f"{local:%Y-%m-%d}", **words)


def tell_chain(
    links: Iterable[Link],
    *,
    matter: Matter,
    mode: InventoryMode,
    at: datetime,
    zone: ZoneInfo,
    chain: ChainTable | None = None,
) -> tuple[Step, ...]:
    """The chain as steps: the roles in order, whose order it is, who is asked at once, and who is there."""
    table = chain or _standard()
    asks = table.asks_for(mode, matter)
    steps = [step("chain", matter=f"@matter.{matter}", mode=f"@mode.{mode}", roles=_roles(asks))]
    if (mode, matter) in table.replaced:
        steps.append(step("cell_of_book"))
    if together := [ask for ask in asks if ask.together]:
        steps.append(step("hot_line", roles=_roles(together)))
    return (*steps, *(_tell_person(link, at=at, zone=zone) for link in links))


def tell_change(before: InventoryMode, *, on: date, mode: InventoryMode) -> tuple[Step, ...]:
    """That a matter began under another mode, on that day; nothing where it is the same."""
    if before is mode:
        return ()
    return (step("mode_was", day=str(on), before=f"@mode.{before}", mode=f"@mode.{mode}"),)


def _roles(asks: Iterable[Ask]) -> str:
    return "@" + "|".join(f"role.{ask.role}" for ask in asks)


def _tell_person(link: Link, *, at: datetime, zone: ZoneInfo) -> Step:
    role = f"@role.{link.role}"
    if link.contact is None:
        return step("nobody", role=role)
    words = {"role": role, "name": shown(link.contact.name)}
    if link.open_now:
        return step("person_open", **words)
    if link.next_open_at is not None:
        return step("person_opens", **words, opens=tell_opening(link.next_open_at, at=at, zone=zone))
    return step("person_hours_unknown" if link.contact.hours is None else "person_closed", **words)


def tell_book(version: int, source: str | None) -> Step:
    """Which version of the book decides, as a step."""
    return step("book", version=str(version), source=f"@source.{source}") if version else step("no_book")


def explain(
    product: Product,
    *,
    shop: str,
    mall: str,
    matter: Matter,
    at: datetime,
    table: ModeTable,
    directory: Directory,
    chain: ChainTable | None = None,
    zone: str = "Asia/Seoul",
    facts: CatalogueFacts | None = None,
    book: BookInForce | None = None,
    locale: str = "en",
) -> RouteDecision:
    """Decide mode and chain for a product at an aware time, with every step of the way.

    ``facts`` are those of the mall's catalogue about the product. ``zone`` says which day it is for
    the validity of table rows. ``locale`` ("ko", "en") is the language of the sentences.
    Raises: ValueError for a time without a zone.
    """
    if at.tzinfo is None:
        message = "a time without a zone belongs to no day"
        raise ValueError(message)
    place = ZoneInfo(zone)
    on = at.astimezone(place).date()
    decision = resolve_mode(product, shop=shop, mall=mall, on=on, table=table, facts=facts)
    links = build_chain(decision, matter=matter, shop=shop, mall=mall, at=at, directory=directory, chain=chain)
    people = tell_chain(links, matter=matter, mode=decision.mode, at=at, zone=place, chain=chain)
    book = book or BookInForce()
    considered = consider(product, decision=decision, shop=shop, mall=mall, on=on, table=table, facts=facts)
    return RouteDecision(
        mode=decision.mode,
        mode_rule=decision.rule,
        matter=matter,
        chain=tuple(_shown_link(link, locale) for link in links),
        steps=tuple(each.text(locale) for each in (tell_book(book.version, book.source), *decision.steps, *people)),
        considered=tuple(each.told(locale) for each in considered),
        flags=("mode_unknown",) if decision.mode is InventoryMode.UNKNOWN else (),
        book=book,
    )


def _shown_link(link: Link, locale: str) -> RouteLink:
    contact = link.contact
    return RouteLink(
        role=link.role,
        name=contact.name if contact else None,
        organisation=contact.organisation if contact else None,
        open_now=link.open_now,
        next_open_at=link.next_open_at,
        why=link.told(locale),
        deputy_for=link.deputy_for,
        reachable_by=contact.ways if contact else (),
        languages=contact.languages if contact else (),
        escalate_minutes=link.escalate_minutes,
        together=link.together,
    )
