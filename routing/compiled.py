"""A routing book made ready for decisions: hours read, absences with their contacts, shipped rules behind its own."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from msgspec import Struct

from routing.book import RoutingTables
from routing.chain_table import ChainTable
from routing.check_modes import read_hint
from routing.contacts import Absence, Contact, Directory
from routing.entries import (
    AbsenceEntry,
    ContactEntry,
    PartnerDefaultEntry,
    ProductEntry,
    RuleEntry,
    ShopDefaultEntry,
)
from routing.hours import COUNTRY_OF_ZONE, WORKS_THROUGH, Hours, read_week
from routing.modes import ModeRule, ModeTable

STANDARD_FILE: Final = "standard.toml"


class Routing(Struct, frozen=True, kw_only=True):
    """What one book says. ``rules`` are in order, with the shipped ones behind the book's own."""

    rows: tuple[ProductEntry, ...]
    rules: tuple[ModeRule, ...]
    partner_defaults: tuple[PartnerDefaultEntry, ...]
    defaults: tuple[ShopDefaultEntry, ...]
    contacts: tuple[Contact, ...]
    chain: ChainTable

    def table(self, rows: Iterable[ProductEntry] = ()) -> ModeTable:
        """The mode table of this book and of further ``rows``, which come before the book's own."""
        return ModeTable(
            rows=(*rows, *self.rows),
            rules=self.rules,
            partner_defaults=self.partner_defaults,
            defaults=self.defaults,
        )

    def directory(self) -> Directory:
        return Directory(self.contacts)


def compile_book(tables: RoutingTables) -> Routing:
    """Make a book without problems ready. Raises: ValueError for hours or zones that find_problems would name."""
    rules = tuple(_rule(entry) for entry in tables.rules)
    return Routing(
        rows=tables.products,
        rules=(*rules, *_standard_rules()) if tables.standard_rules else rules,
        partner_defaults=tables.partner_defaults,
        defaults=tables.shop_defaults,
        contacts=tuple(_contact(entry, tables.absences) for entry in tables.contacts),
        chain=ChainTable(tables.chain),
    )


@cache
def _standard_rules() -> tuple[ModeRule, ...]:
    text = resources.files("routing").joinpath(STANDARD_FILE).read_text(encoding="utf-8")
    rows = tomllib.loads(text)["rule"]
    hints = ([f"{name}={value}" for name, value in row["hints"].items()] for row in rows)
    return tuple(
        _rule(msgspec.convert({**row, "hints": of_row}, RuleEntry)) for row, of_row in zip(rows, hints, strict=True)
    )


def _rule(entry: RuleEntry) -> ModeRule:
    return ModeRule(
        name=entry.name,
        mode=entry.mode,
        shop=entry.shop,
        mall=entry.mall,
        supplier=entry.supplier,
        sku_prefix=entry.sku_prefix,
        hints=tuple(hint for text in entry.hints if (hint := read_hint(text))),
        partner=entry.partner,
        logistics=entry.logistics,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
    )


def _contact(entry: ContactEntry, absences: Iterable[AbsenceEntry]) -> Contact:
    return Contact(
        key=entry.named_key,
        name=entry.name,
        role=entry.role,
        organisation=entry.organisation,
        phone=entry.phone,
        chat=entry.chat,
        email=entry.email,
        webhook_url=entry.webhook_url,
        languages=entry.languages,
        hours=_hours(entry) if entry.hours else None,
        timezone=entry.timezone,
        deputy=entry.deputy,
        absences=tuple(
            Absence(since=absence.absent_from, until=absence.absent_to, deputy=absence.deputy)
            for absence in absences
            if absence.contact == entry.named_key
        ),
        escalate_minutes=entry.escalate_minutes,
        codes=entry.codes,
        shops=entry.shops,
        malls=entry.malls,
    )


def _hours(entry: ContactEntry) -> Hours:
    """Whose public holidays close: the zone's country unless told otherwise; "open" works through them."""
    country = entry.holidays or COUNTRY_OF_ZONE.get(entry.timezone)
    return Hours(
        week=read_week(entry.hours or ""),
        country=None if country == WORKS_THROUGH else country,
        closed=frozenset(entry.closed),
    )
