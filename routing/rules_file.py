"""routing.toml: rules, defaults, contacts and table rows that people write by hand.

Strict: an unknown key, a wrong value or a deputy that does not exist refuses the whole file, with
file, key and what to do.
"""

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.core.model import InventoryHint, InventoryMode
from routing.contacts import Contact, Directory, Hours, Period, Role
from routing.modes import ModeDefault, ModeRow, ModeRule, ModeTable
from routing.table_file import MODE_WORDS, find_overlaps, mode_of
from routing.words import shown

STANDARD_FILE: Final = "standard.toml"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PERIOD: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:(24):(00)|([01]\d|2[0-3]):([0-5]\d))")
_PLACE: Final = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<path>[^`]*)`$")
_INDEX: Final = re.compile(r"\[(\d+)\]")
_COUNTRY_OF_ZONE: Final = {"Asia/Seoul": "KR", "Asia/Tokyo": "JP"}


class _Mode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mode: str
    partner: str | None = None
    logistics: str | None = None


class _RuleTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    shop: str | None = None
    mall: str | None = None
    supplier: str | None = None
    sku_prefix: str | None = None
    hints: dict[str, str] = {}


class _DefaultTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shop: str | None = None


class _ProductTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seller_sku: str | None = None
    option_code: str | None = None
    product_code: str | None = None
    shop: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class _HoursTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``daily``, ``weekdays`` (Monday to Friday) and single days; the narrower word wins."""

    daily: tuple[str, ...] = ()
    weekdays: tuple[str, ...] | None = None
    mon: tuple[str, ...] | None = None
    tue: tuple[str, ...] | None = None
    wed: tuple[str, ...] | None = None
    thu: tuple[str, ...] | None = None
    fri: tuple[str, ...] | None = None
    sat: tuple[str, ...] | None = None
    sun: tuple[str, ...] | None = None
    holidays: str | None = None
    closed: tuple[date, ...] = ()


class _ContactTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    role: Role
    key: str | None = None
    organisation: str | None = None
    phone: str | None = None
    chat: str | None = None
    email: str | None = None
    hours: _HoursTable | None = None
    timezone: str = "Asia/Seoul"
    deputy: str | None = None
    codes: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    malls: tuple[str, ...] = ()


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    standard_rules: bool = True
    rule: tuple[_RuleTable, ...] = ()
    default: tuple[_DefaultTable, ...] = ()
    product: tuple[_ProductTable, ...] = ()
    contact: tuple[_ContactTable, ...] = ()


_TABLES: Final[dict[str, type[Struct]]] = {
    "rule": _RuleTable,
    "default": _DefaultTable,
    "product": _ProductTable,
    "contact": _ContactTable,
}


class RoutingFile(Struct, frozen=True, kw_only=True):
    """What one file says. ``rules`` are in order, with the shipped ones behind the file's own."""

    rows: tuple[ModeRow, ...]
    rules: tuple[ModeRule, ...]
    defaults: tuple[ModeDefault, ...]
    contacts: tuple[Contact, ...]

    def table(self, rows: Iterable[ModeRow] = ()) -> ModeTable:
        """The mode table of this file and of further ``rows``, which come before the file's own."""
        return ModeTable(rows=(*rows, *self.rows), rules=self.rules, defaults=self.defaults)

    def directory(self) -> Directory:
        return Directory(self.contacts)


def read_rules(data: bytes, *, file: str) -> RoutingFile:
    """Read ``[[rule]]``, ``[[default]]``, ``[[product]]`` and ``[[contact]]`` tables. ``file`` names it in errors.

    The shipped rules follow the file's own unless it says ``standard_rules = false``.
    Raises: ConfigurationError naming file, table, key and what to do.
    """
    tables = _decode(data, file)
    read = _assemble(tables, file)
    if not tables.standard_rules:
        return read
    return msgspec.structs.replace(read, rules=(*read.rules, *standard_rules().rules))


@cache
def standard_rules() -> RoutingFile:
    """What holds without any file: facts of the malls that tell the mode by themselves."""
    return read_package_file(STANDARD_FILE)


def read_package_file(name: str) -> RoutingFile:
    """A file that ships with the package ("standard.toml", "demo.toml"), without the shipped rules behind it."""
    return _assemble(_decode(resources.files("routing").joinpath(name).read_bytes(), name), name)


def _assemble(tables: _File, file: str) -> RoutingFile:
    rows = tuple(_row(table, f"{file}: product {place}") for place, table in enumerate(tables.product, 1))
    for problem in find_overlaps(enumerate(rows, 1)):
        what = f"{file}: product {problem.row}, {problem.column}: {problem.reason}"
        raise ConfigurationError(what, fix=problem.fix)
    contacts = tuple(_contact(table, f"{file}: contact {place}") for place, table in enumerate(tables.contact, 1))
    _check_deputies(contacts, file)
    rules = tuple(_rule(table, f"{file}: rule {place}") for place, table in enumerate(tables.rule, 1))
    defaults = tuple(_default(table, f"{file}: default {place}") for place, table in enumerate(tables.default, 1))
    _check_unique("rule", "name", [rule.name for rule in rules], file)
    _check_unique("default", "shop", [default.shop or "(every shop)" for default in defaults], file)
    _check_unique("contact", "key", [contact.key for contact in contacts], file)
    return RoutingFile(rows=rows, rules=rules, defaults=defaults, contacts=contacts)


def _decode(data: bytes, file: str) -> _File:
    try:
        content: dict[str, Any] = tomllib.loads(data.removeprefix(b"\xef\xbb\xbf").decode())
    except UnicodeDecodeError:
        what = f"{file}: not UTF-8"
        raise ConfigurationError(what, fix="Save the file as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        what = f"{file}: {error}"
        raise ConfigurationError(what, fix="Correct the TOML at this place; texts stand in quotation marks.") from None
    try:
        return msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error), file) from None


def _wrong_shape(message: str, file: str) -> ConfigurationError:
    """``$.rule[0].mode`` becomes "rule 1, mode"; the fix lists the keys of that table."""
    place = _PLACE.match(message)
    path = place["path"] if place else ""
    what = place["what"] if place else message
    table = _TABLES.get(path.partition("[")[0])
    spoken = _INDEX.sub(lambda found: f" {int(found[1]) + 1}", path).replace(".", ", ")
    if table is None:
        fix = f"Known keys: standard_rules and the tables {', '.join(f'[[{name}]]' for name in _TABLES)}."
    else:
        fix = f"Known keys of [[{path.partition('[')[0]}]]: {', '.join(table.__struct_fields__)}."
        if path.endswith(".role"):
            fix = f"Write one of: {', '.join(Role)}."
        elif ".hours" in path:
            fix += f" Known keys of its hours: {', '.join(_HoursTable.__struct_fields__)}."
    return ConfigurationError(f"{file}: {spoken}: {what}" if spoken else f"{file}: {what}", fix=fix)


def _mode(table: _Mode, where: str) -> InventoryMode:
    mode = mode_of(table.mode)
    if mode is None:
        what = f"{where}, mode: {shown(table.mode)!r} is no inventory mode"
        raise ConfigurationError(what, fix=f"Write one of: {MODE_WORDS}.")
    return mode


def _rule(table: _RuleTable, where: str) -> ModeRule:
    if not (table.shop or table.mall or table.supplier or table.sku_prefix or table.hints):
        what = f"{where}: a rule without a condition would hold for every product"
        raise ConfigurationError(what, fix="Add shop, mall, supplier, sku_prefix or hints, or write a [[default]].")
    return ModeRule(
        name=table.name,
        mode=_mode(table, where),
        shop=table.shop,
        mall=table.mall,
        supplier=table.supplier,
        sku_prefix=table.sku_prefix,
        hints=tuple(InventoryHint(name=name, value=value) for name, value in table.hints.items()),
        partner=table.partner,
        logistics=table.logistics,
    )


def _default(table: _DefaultTable, where: str) -> ModeDefault:
    return ModeDefault(mode=_mode(table, where), shop=table.shop, partner=table.partner, logistics=table.logistics)


def _row(table: _ProductTable, where: str) -> ModeRow:
    row = ModeRow(
        mode=_mode(table, where),
        seller_sku=table.seller_sku,
        option_code=table.option_code,
        product_code=table.product_code,
        shop=table.shop,
        valid_from=table.valid_from,
        valid_to=table.valid_to,
        partner=table.partner,
        logistics=table.logistics,
    )
    if row.key is None:
        what = f"{where}: it names no product"
        raise ConfigurationError(what, fix="Add seller_sku, option_code or product_code.")
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        what = f"{where}, valid_to: {row.valid_to} lies before valid_from {row.valid_from}"
        raise ConfigurationError(what, fix="Exchange the two dates.")
    return row


def _contact(table: _ContactTable, where: str) -> Contact:
    try:
        ZoneInfo(table.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what = f"{where}, timezone: {shown(table.timezone)!r} is no time zone"
        raise ConfigurationError(what, fix="Write a name such as Asia/Seoul or Asia/Tokyo.") from None
    if table.role is Role.PARTNER and not table.codes and not table.organisation:
        what = f"{where}: a partner without codes and organisation serves nobody"
        raise ConfigurationError(what, fix='Add codes = ["the supplier\'s code or name"] or organisation.')
    return Contact(
        key=table.key or table.name,
        name=table.name,
        role=table.role,
        organisation=table.organisation,
        phone=table.phone,
        chat=table.chat,
        email=table.email,
        hours=None if table.hours is None else _hours(table.hours, table.timezone, where),
        timezone=table.timezone,
        deputy=table.deputy,
        codes=table.codes,
        shops=table.shops,
        malls=table.malls,
    )


def _hours(table: _HoursTable, zone: str, where: str) -> Hours:
    week: list[list[Period]] = [[] for _ in _DAYS]
    for place, day in enumerate(_DAYS):
        texts = getattr(table, day)
        key = day
        if texts is None and place < 5 and table.weekdays is not None:
            texts, key = table.weekdays, "weekdays"
        if texts is None:
            texts, key = table.daily, "daily"
        for text in texts:
            opens, closes = _period(text, f"{where}, hours.{key}")
            if opens < closes:
                week[place].append(Period(opens, closes))
            else:
                # Over midnight: the rest belongs to the next day.
                week[place].append(Period(opens, 24 * 60))
                if closes:
                    week[(place + 1) % 7].append(Period(0, closes))
    return Hours(
        week=tuple(_in_order(periods, day, where) for day, periods in zip(_DAYS, week, strict=True)),
        country=_country(table.holidays, zone, where),
        closed=frozenset(table.closed),
    )


def _period(text: str, where: str) -> tuple[int, int]:
    found = _PERIOD.fullmatch(text.strip())
    if found is not None:
        opens = int(found[1]) * 60 + int(found[2])
        closes = int(found[3] or found[5]) * 60 + int(found[4] or found[6])
        if opens != closes:
            return opens, closes
    what = f"{where}: {shown(text)!r} is no period"
    raise ConfigurationError(what, fix='Write it as "09:00-18:00"; the whole day is "00:00-24:00".')


def _in_order(periods: list[Period], day: str, where: str) -> tuple[Period, ...]:
    periods = sorted(periods, key=lambda period: period.opens)
    for before, after in pairwise(periods):
        if after.opens < before.closes:
            what = f"{where}, hours: two periods of {day} overlap"
            raise ConfigurationError(what, fix="Write them one after the other, or as one.")
    return tuple(periods)


def _country(word: str | None, zone: str, where: str) -> str | None:
    """Whose public holidays close: the zone's country unless told otherwise; "open" works through them."""
    if word is None:
        return _COUNTRY_OF_ZONE.get(zone)
    if word == "open":
        return None
    if word not in _COUNTRY_OF_ZONE.values():
        what = f"{where}, hours.holidays: {shown(word)!r} is not known"
        raise ConfigurationError(what, fix='Write "KR" or "JP" (closed on their holidays), or "open".')
    return word


def _check_deputies(contacts: tuple[Contact, ...], file: str) -> None:
    roles = {contact.key: contact.role for contact in contacts}
    for place, contact in enumerate(contacts, 1):
        if contact.deputy is None:
            continue
        where = f"{file}: contact {place}, deputy"
        if contact.deputy == contact.key or contact.deputy not in roles:
            what = f"{where}: there is no other contact with this key or name"
            raise ConfigurationError(what, fix="Write the key (or the name, where it has none) of another [[contact]].")
        if roles[contact.deputy] is not contact.role:
            what = f"{where}: the deputy has the role {roles[contact.deputy]}, not {contact.role}"
            raise ConfigurationError(what, fix="Choose a deputy with the same role.")


def _check_unique(table: str, key: str, values: list[str], file: str) -> None:
    seen: set[str] = set()
    for place, value in enumerate(values, 1):
        if value in seen:
            what = f"{file}: {table} {place}, {key}: the same value stands in an earlier [[{table}]]"
            raise ConfigurationError(what, fix=f"Give each [[{table}]] its own {key}.")
        seen.add(value)
