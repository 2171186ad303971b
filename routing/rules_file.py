"""routing.toml: the routing book as people write it by hand.

Strict: an unknown key, a wrong value or a deputy that does not exist refuses the whole file, with
file, key and what to do.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.core.model import InventoryMode
from routing.book import RoutingTables, find_problems
from routing.chain_table import number_places
from routing.compiled import Routing, compile_book
from routing.entries import (
    AbsenceEntry,
    ContactEntry,
    PartnerDefaultEntry,
    ProductEntry,
    RuleEntry,
    ShopDefaultEntry,
)
from routing.hours import DAYS, HoursError, build_week, tell_week
from routing.matter import Matter, Role
from routing.table_file import MODE_WORDS, mode_of
from routing.words import problem

#: Section of the book -> the word of its tables in the file.
TABLE_OF: Final = {
    "contacts": "contact",
    "absences": "absence",
    "chain": "chain",
    "rules": "rule",
    "partner_defaults": "partner_default",
    "shop_defaults": "default",
    "products": "product",
}
_PLACE: Final = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<path>[^`]*)`$")
_INDEX: Final = re.compile(r"\[(\d+)\]")


class _Mode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mode: str
    logistics: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class _RuleTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    shop: str | None = None
    mall: str | None = None
    supplier: str | None = None
    sku_prefix: str | None = None
    hints: dict[str, str] = {}
    partner: str | None = None


class _PartnerTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    partner: str
    shop: str | None = None
    mall: str | None = None


class _DefaultTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shop: str | None = None
    mall: str | None = None
    partner: str | None = None


class _ProductTable(_Mode, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seller_sku: str | None = None
    option_code: str | None = None
    product_code: str | None = None
    shop: str | None = None
    partner: str | None = None


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
    """As a row of the book; ``hours`` may be a text or a table."""

    name: str
    role: Role
    key: str | None = None
    organisation: str | None = None
    phone: str | None = None
    chat: str | None = None
    email: str | None = None
    webhook_url: str | None = None
    languages: tuple[str, ...] = ()
    hours: _HoursTable | str | None = None
    holidays: str | None = None
    closed: tuple[date, ...] = ()
    timezone: str = "Asia/Seoul"
    deputy: str | None = None
    escalate_minutes: int | None = None
    codes: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    malls: tuple[str, ...] = ()


class _ChainTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place; without ``place`` it is the next of its mode and matter."""

    mode: str
    matter: Matter
    role: Role
    place: int | None = None
    why: str | None = None
    why_en: str | None = None
    escalate_minutes: int | None = None
    together: bool = False


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    standard_rules: bool = True
    rule: tuple[_RuleTable, ...] = ()
    partner_default: tuple[_PartnerTable, ...] = ()
    default: tuple[_DefaultTable, ...] = ()
    product: tuple[_ProductTable, ...] = ()
    contact: tuple[_ContactTable, ...] = ()
    absence: tuple[AbsenceEntry, ...] = ()
    chain: tuple[_ChainTable, ...] = ()


_TABLES: Final[dict[str, type[Struct]]] = {
    "rule": _RuleTable,
    "partner_default": _PartnerTable,
    "default": _DefaultTable,
    "product": _ProductTable,
    "contact": _ContactTable,
    "absence": AbsenceEntry,
    "chain": _ChainTable,
}


class WrongFileError(ConfigurationError):
    """The file can be read and says what cannot be. ``problems`` are all its mistakes; the first one is told."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        self._file = file
        what, fix = self.told("en")
        super().__init__(what, fix=fix)

    def told(self, locale: str) -> tuple[str, str]:
        """What is wrong and what to do, in the words of ``locale``."""
        first = self.problems[0]
        reason, fix = first.told(locale)
        more = len(self.problems) - 1
        others = "" if not more else f" (외 {more}건)" if locale == "ko" else f" (and {more} more)"
        return f"{self._file}: {place_of(first)}: {reason}{others}", fix


def place_of(found: Problem) -> str:
    """Where a mistake stands in the file: "contact 2, hours"."""
    table = TABLE_OF.get(found.section, found.section)
    place = table if found.row is None else f"{table} {found.row + 1}"
    return f"{place}, {found.column}" if found.column else place


def read_rules(data: bytes, *, file: str, malls: Collection[str] = ()) -> Routing:
    """Read a file ready for decisions. ``file`` names it in errors; without ``malls`` no mall is unknown.

    The shipped rules follow the file's own unless it says ``standard_rules = false``.
    Raises: ConfigurationError naming file, table, key and what to do.
    """
    return compile_book(read_tables(data, file=file, malls=malls))


def read_tables(data: bytes, *, file: str, malls: Collection[str] = ()) -> RoutingTables:
    """Read ``[[rule]]``, ``[[contact]]``, … into a book without problems.

    Raises: ConfigurationError for a file of a wrong shape; WrongFileError with every mistake of its rows.
    """
    tables = _convert(_decode(data, file), file)
    problems = find_problems(tables, malls=malls)
    if problems:
        raise WrongFileError(file, problems)
    return tables


@cache
def standard_rules() -> Routing:
    """What holds without any file: facts of the malls that tell the mode by themselves."""
    return compile_book(RoutingTables())


def read_package_file(name: str) -> Routing:
    """A file that ships with the package ("standard.toml", "demo.toml"), without the shipped rules behind it."""
    data = resources.files("routing").joinpath(name).read_bytes()
    return compile_book(msgspec.structs.replace(read_tables(data, file=name), standard_rules=False))


def _convert(read: _File, file: str) -> RoutingTables:
    wrong: list[Problem] = []

    def mode(section: str, row: int, table: _Mode | _ChainTable) -> InventoryMode:
        found = mode_of(table.mode)
        if found is None and section == "chain" and table.mode == InventoryMode.UNKNOWN:
            return InventoryMode.UNKNOWN
        if found is None:
            wrong.append(problem(section, row, "mode", "no_mode", value=table.mode, known=MODE_WORDS))
        return found or InventoryMode.UNKNOWN

    tables = RoutingTables(
        standard_rules=read.standard_rules,
        rules=tuple(
            RuleEntry(**_fields(table, "mode", "hints"), mode=mode("rules", row, table), hints=_hints(table.hints))
            for row, table in enumerate(read.rule)
        ),
        partner_defaults=tuple(
            PartnerDefaultEntry(**_fields(table, "mode"), mode=mode("partner_defaults", row, table))
            for row, table in enumerate(read.partner_default)
        ),
        shop_defaults=tuple(
            ShopDefaultEntry(**_fields(table, "mode"), mode=mode("shop_defaults", row, table))
            for row, table in enumerate(read.default)
        ),
        products=tuple(
            ProductEntry(**_fields(table, "mode"), mode=mode("products", row, table))
            for row, table in enumerate(read.product)
        ),
        contacts=tuple(_contact(table, row, wrong) for row, table in enumerate(read.contact)),
        absences=read.absence,
        chain=number_places(
            {name: value for name, value in _fields(table, "mode").items() if value is not None}
            | {"mode": mode("chain", row, table)}
            for row, table in enumerate(read.chain)
        ),
    )
    if wrong:
        raise WrongFileError(file, tuple(wrong))
    return tables


def _fields(table: Struct, *without: str) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.__struct_fields__ if name not in without}


def _hints(hints: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in hints.items())


def _contact(table: _ContactTable, row: int, wrong: list[Problem]) -> ContactEntry:
    fields = _fields(table, "hours")
    hours = table.hours
    if isinstance(hours, _HoursTable):
        fields["holidays"] = hours.holidays or table.holidays
        fields["closed"] = (*table.closed, *hours.closed)
        hours = _hours_text(hours, row, wrong)
    return ContactEntry(**fields, hours=hours or None)


def _hours_text(table: _HoursTable, row: int, wrong: list[Problem]) -> str:
    said: dict[int, tuple[str, ...]] = {}
    for day, name in enumerate(DAYS):
        texts, column = getattr(table, name), name
        if texts is None and day < 5 and table.weekdays is not None:
            texts, column = table.weekdays, "weekdays"
        if texts is None:
            texts, column = table.daily, "daily"
        said[day] = texts
        try:
            build_week({day: texts})
        except HoursError as error:
            wrong.append(problem("contacts", row, f"hours.{column}", f"hours_{error.kind}", value=error.part))
            return ""
    try:
        return tell_week(build_week(said))
    except HoursError as error:
        # A night that runs into the next morning's hours.
        wrong.append(problem("contacts", row, "hours", f"hours_{error.kind}", value=error.part))
        return ""


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
