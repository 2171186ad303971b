"""The routing book: every section that a supervisor edits, as one document that is checked and versioned whole."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from routing.chain_table import standard_entries
from routing.check_chain import check_chain
from routing.check_contacts import check_absences, check_contacts
from routing.check_modes import check_partner_defaults, check_products, check_rules, check_shop_defaults
from routing.check_texts import check_size, check_texts
from routing.entries import (
    AbsenceEntry,
    ChainEntry,
    ContactEntry,
    Entry,
    PartnerDefaultEntry,
    ProductEntry,
    RuleEntry,
    ShopDefaultEntry,
)

#: Section -> the Struct of its rows, in the order in which a supervisor meets them.
SECTIONS: Final[Mapping[str, type[Entry]]] = {
    "contacts": ContactEntry,
    "absences": AbsenceEntry,
    "chain": ChainEntry,
    "rules": RuleEntry,
    "partner_defaults": PartnerDefaultEntry,
    "shop_defaults": ShopDefaultEntry,
    "products": ProductEntry,
}


class RoutingTables(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, repr_omit_defaults=True
):
    """One version of the book. ``rules`` are in order.

    ``standard_rules``: the shipped rules follow the book's own. ``read_from`` is a digest of the file that this
    version was read from and is left as it is by an edit.
    """

    contacts: tuple[ContactEntry, ...] = ()
    absences: tuple[AbsenceEntry, ...] = ()
    chain: tuple[ChainEntry, ...] = ()
    rules: tuple[RuleEntry, ...] = ()
    partner_defaults: tuple[PartnerDefaultEntry, ...] = ()
    shop_defaults: tuple[ShopDefaultEntry, ...] = ()
    products: tuple[ProductEntry, ...] = ()
    standard_rules: bool = True
    read_from: str | None = None


def standard_tables() -> RoutingTables:
    """The book before anybody has written one: the chain table as it ships."""
    return fill_chain(RoutingTables())


def fill_chain(tables: RoutingTables) -> RoutingTables:
    """The book with the shipped rows for every cell of the chain that it says nothing about.

    So a version shows the whole table that was in force with it, and goes on doing so when another ships.
    """
    own = {(row.mode, row.matter) for row in tables.chain}
    shipped = (row for row in standard_entries() if (row.mode, row.matter) not in own)
    return msgspec.structs.replace(tables, chain=(*tables.chain, *shipped))


_DECODER: Final = msgspec.json.Decoder(RoutingTables)


def decode(data: bytes) -> RoutingTables:
    """Read the JSON of a book; its rows are not checked here.

    Raises: ConfigurationError naming section, row and column.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"routing book: {error}"
        raise ConfigurationError(what, fix="Sections and columns are listed in docs/routing.md.") from None


def encode(tables: RoutingTables) -> str:
    """Canonical JSON: the same tables give the same text; what has its default is left out."""
    return msgspec.json.encode(tables, order="deterministic").decode()


def find_problems(
    tables: RoutingTables, *, malls: Collection[str] = (), shops: Collection[str] = ()
) -> tuple[Problem, ...]:
    """Everything that is wrong, in the order of sections and rows; a book with any problem is refused whole.

    ``malls`` are the malls of this hub, ``shops`` its shops, best with their malls (shop -> mall). Without
    them no name is unknown.
    """
    found = [problem for name in SECTIONS for problem in check_size(name, rows_of(tables, name))]
    if found:
        return tuple(found)
    found += [problem for name in SECTIONS for problem in check_texts(name, rows_of(tables, name))]
    found += check_contacts(tables.contacts, malls=malls, shops=shops)
    found += check_absences(tables.absences, tables.contacts)
    found += check_chain(tables.chain)
    found += check_rules(tables.rules, malls=malls, shops=shops)
    found += check_partner_defaults(tables.partner_defaults, malls=malls, shops=shops)
    found += check_shop_defaults(tables.shop_defaults, malls=malls, shops=shops)
    found += check_products(tables.products, shops=shops)
    order = {name: place for place, name in enumerate(SECTIONS)}
    return tuple(sorted(found, key=lambda each: (order[each.section], -1 if each.row is None else each.row)))


def rows_of(tables: RoutingTables, section: str) -> tuple[Any, ...]:
    rows: tuple[Any, ...] = getattr(tables, section)
    return rows
