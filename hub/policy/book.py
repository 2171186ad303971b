"""The policy book: what a supervisor decides beforehand, read, written and checked.

Raises nothing for what stands in a book that can be read: :func:`find_problems` names it.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.policy.book_rows import BrandRow, ClockRow, DayRow, FeeItem, FeeRow, Gift, PolicyTables, RetentionRow
from hub.policy.calendar import ZONES
from hub.policy.card import Request
from hub.policy.stage import Stage

__all__ = ["EMPTY", "PolicyTables", "decode", "decode_toml", "encode", "find_problems", "key_of"]

EMPTY: Final = PolicyTables()
_FIX: Final = "Sections and columns are listed in docs/policy.md."
_WORDS_FILE: Final = "book_problems.toml"
_LONGEST: Final = 500
_MOST_ROWS: Final = 5_000
_LARGEST: Final = 10**12
_MOST_DAYS: Final = 365
_MINUTES_A_DAY: Final = 24 * 60
_DAYS: Final = frozenset({"return_days", "delivery_days_from", "delivery_days_to", "business_days"})
_PERCENT: Final = frozenset({"partner_percent", "late_interest_percent"})
#: columns beside the scope that make a row one of its own
_KEYS: Final = {
    "fees": ("item", "stage"),
    "compensation": ("mode",),
    "limits": ("gift",),
    "retention": ("request", "gift"),
    "grounds": ("ground",),
    "clocks": ("since", "kinds"),
    "days": ("on", "country", "is_public"),
    "brands": ("brand", "sub_shop", "sku_prefix"),
}
_SCOPE: Final = ("mall", "shop", "brand")
_RETAINED: Final = frozenset({Request.CANCEL, Request.RETURN, Request.EXCHANGE})
_STAGES: Final = frozenset({None, Stage.ORDERED, Stage.SENT_ABROAD, Stage.AT_FORWARDER, Stage.ON_ITS_WAY})


def decode(data: bytes) -> PolicyTables:
    """The book out of its JSON. Raises: ConfigurationError naming section, row and column."""
    try:
        return msgspec.json.decode(data, type=PolicyTables)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"policy book: {error}"
        raise ConfigurationError(what, fix=_FIX) from None


def decode_toml(data: bytes) -> PolicyTables:
    """The same out of TOML: ``[[switches]]``, ``[[fees]]``, … Raises: ConfigurationError."""
    try:
        return msgspec.convert(tomllib.loads(data.decode()), PolicyTables)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        what = f"policy book: {error}"
        raise ConfigurationError(what, fix=_FIX) from None


def encode(tables: PolicyTables) -> str:
    """Canonical JSON: equal books are equal texts; columns without a value are left out."""
    return msgspec.json.encode(tables).decode()


def key_of(section: str, row: Struct) -> tuple[Any, ...]:
    """What a row decides about inside its section: of two rows with one key the narrower scope wins."""
    return tuple(getattr(row, column) for column in _KEYS.get(section, ()))


def find_problems(
    tables: PolicyTables, *, malls: Collection[str] = (), shops: Collection[str] = ()
) -> tuple[Problem, ...]:
    """Everything that is wrong, in the order of the book. Without ``malls`` and ``shops`` no name is unknown."""
    names = {"mall": frozenset(malls), "shop": frozenset(shops)}
    brands = frozenset(row.brand for row in tables.brands)
    return tuple(
        problem
        for section in PolicyTables.__struct_fields__
        for problem in _section_problems(section, getattr(tables, section), names, brands)
    )


def _section_problems(
    section: str, rows: tuple[Any, ...], names: dict[str, frozenset[str]], brands: frozenset[str]
) -> Iterator[Problem]:
    if len(rows) > _MOST_ROWS:
        yield _problem(section, None, None, "too_many_rows", most=_MOST_ROWS)
        return
    for place, row in enumerate(rows):
        yield from _scope_problems(section, place, row, names, brands)
        yield from _value_problems(section, place, row)
        yield from _own_problems(section, place, row)
    yield from _overlaps(section, rows)


def _scope_problems(
    section: str, place: int, row: Any, names: dict[str, frozenset[str]], brands: frozenset[str]
) -> Iterator[Problem]:
    for column, known in names.items():
        name = getattr(row, column)
        if name is not None and known and name not in known:
            words = {"name": name, "known": ", ".join(sorted(known))}
            yield _problem(section, place, column, f"unknown_{column}", **words)
    if section != "brands" and row.brand is not None and row.brand not in brands:
        yield _problem(section, place, "brand", "unknown_brand", name=row.brand)
    if row.valid_from and row.valid_to and row.valid_from > row.valid_to:
        yield _problem(section, place, "valid_to", "dates_reversed", since=row.valid_from, until=row.valid_to)


def _value_problems(section: str, place: int, row: Any) -> Iterator[Problem]:
    for column in row.__struct_fields__:
        value = getattr(row, column)
        if isinstance(value, str):
            if len(value) > _LONGEST:
                yield _problem(section, place, column, "too_long", most=_LONGEST)
            elif not value.isprintable():
                yield _problem(section, place, column, "control_character")
            elif not value.strip() and column in {*_SCOPE, "sub_shop", "sku_prefix"}:
                yield _problem(section, place, column, "empty")
            elif column == "currency" and not (len(value) == 3 and value.isascii() and value.isupper()):
                yield _problem(section, place, column, "currency", name=value)
        elif isinstance(value, int) and not isinstance(value, bool):
            most = 100 if column in _PERCENT else _MOST_DAYS if column in _DAYS else _LARGEST
            if not 0 <= value <= most:
                key = "percent" if column in _PERCENT else "negative" if value < 0 else "too_large"
                yield _problem(section, place, column, key, number=value, most=most)


def _own_problems(section: str, place: int, row: Any) -> Iterator[Problem]:
    """What only rows of one kind can have wrong."""
    if section == "switches" and (row.delivery_days_from or 0) > (row.delivery_days_to or _MOST_DAYS):
        yield _problem(section, place, "delivery_days_to", "days_reversed")
    if section == "targets":
        opens, closes = row.opens or 0, _MINUTES_A_DAY if row.closes is None else row.closes
        if not opens < closes <= _MINUTES_A_DAY:
            yield _problem(section, place, "closes", "hours_reversed")
    if isinstance(row, FeeRow):
        yield from _fee_problems(section, place, row)
    if isinstance(row, RetentionRow):
        yield from _retention_problems(section, place, row)
    if isinstance(row, ClockRow):
        yield from _clock_problems(section, place, row)
    if isinstance(row, DayRow):
        yield from _day_problems(section, place, row)
    if isinstance(row, BrandRow) and not (row.mall or row.shop or row.sub_shop or row.sku_prefix):
        yield _problem(section, place, None, "brand_of_everything", name=row.brand)


def _fee_problems(section: str, place: int, row: FeeRow) -> Iterator[Problem]:
    if row.disclosed and not (row.disclosed_where or "").strip():
        yield _problem(section, place, "disclosed_where", "disclosed_without_proof")
    if row.stage not in _STAGES:
        yield _problem(section, place, "stage", "no_such_stage", name=row.stage)
    if row.item is FeeItem.LUMP_SUM and row.stage is None:
        yield _problem(section, place, "stage", "lump_sum_without_stage")


def _retention_problems(section: str, place: int, row: RetentionRow) -> Iterator[Problem]:
    if row.request not in _RETAINED:
        yield _problem(section, place, "request", "no_retention", name=row.request)
    if row.amount_minor is None and row.gift is not Gift.GIFT:
        yield _problem(section, place, "amount_minor", "no_amount")
    if not (row.text_ko.strip() and (row.text_en.strip() or row.text_ja.strip() or row.mall is None)):
        column = "text_en" if row.text_ko.strip() else "text_ko"
        yield _problem(section, place, column, "no_text")


def _clock_problems(section: str, place: int, row: ClockRow) -> Iterator[Problem]:
    if row.mall is None:
        yield _problem(section, place, "mall", "clock_without_mall")
    if row.brand is not None:
        yield _problem(section, place, "brand", "clock_of_brand")
    if (row.business_days is None) == (row.hours is None):
        yield _problem(section, place, "business_days", "clock_without_length")
    if not row.kinds:
        yield _problem(section, place, "kinds", "clock_without_kind")
    if row.country not in ZONES:
        yield _problem(section, place, "country", "no_calendar", name=row.country, known=", ".join(ZONES))


def _day_problems(section: str, place: int, row: DayRow) -> Iterator[Problem]:
    if row.brand is not None:
        yield _problem(section, place, "brand", "day_of_brand")
    if row.country is not None and row.country not in ZONES:
        yield _problem(section, place, "country", "no_calendar", name=row.country, known=", ".join(ZONES))
    if row.is_public and row.country is None:
        yield _problem(section, place, "country", "holiday_without_country", known=", ".join(ZONES))
    if row.is_public and (row.mall or row.shop):
        yield _problem(section, place, "shop" if row.shop else "mall", "holiday_of_part")


def _overlaps(section: str, rows: Iterable[Any]) -> Iterator[Problem]:
    """Two rows for the same, of one scope, that are valid on one day: which of them counts nobody could say."""
    groups: dict[tuple[Any, ...], list[tuple[date, date, int]]] = {}
    for place, row in enumerate(rows):
        scope = tuple(getattr(row, column) for column in _SCOPE)
        span = (row.valid_from or date.min, row.valid_to or date.max, place)
        groups.setdefault((scope, key_of(section, row)), []).append(span)
    for spans in groups.values():
        latest: tuple[date, date, int] | None = None
        for span in sorted(spans):
            if latest is not None and span[0] <= latest[1]:
                yield _problem(section, span[2], "valid_from", "overlap", other=latest[2] + 1)
            if latest is None or span[1] > latest[1]:
                latest = span


class _Words(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    reason_ko: str
    fix: str
    fix_ko: str


@cache
def _words() -> dict[str, _Words]:
    data = resources.files("hub.policy").joinpath(_WORDS_FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(data), dict[str, _Words])


def _problem(section: str, row: int | None, column: str | None, key: str, **words: object) -> Problem:
    told = _words()[key]
    words = {name: value if isinstance(value, int) else str(value) for name, value in words.items()}
    return Problem(
        section=section,
        row=row,
        column=column,
        key=key,
        reason=told.reason.format(**words),
        reason_ko=told.reason_ko.format(**words),
        fix=told.fix.format(**words),
        fix_ko=told.fix_ko.format(**words),
    )
