"""What holds where a section of a book has no row, as its page shows it: read only."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from hub.desk.books.fields import Field, fields_of, sections_of
from hub.policy.book_rows import ClockRow, GroundRow, PolicyTables, SwitchRow, TargetRow
from hub.policy.clock_file import standard_clocks
from hub.policy.due import DEFAULT_TARGETS, Targets
from hub.policy.grounds import Ground
from hub.policy.switches import Switches
from hub.store.books import BookKind
from hub.web.books.words import field_key, value_words
from hub.web.words import Words

_HOURS: Final = frozenset({"opens", "closes"})
_CLAIMS: Final = frozenset({"cancel_business_days", "return_business_days", "exchange_business_days"})


class Defaults(Struct, frozen=True, kw_only=True):
    """``rows`` are label and value; ``sentence`` says the rest in words."""

    sentence: str
    rows: tuple[tuple[str, str], ...] = ()


def defaults_of(words: Words, kind: BookKind, section: str) -> Defaults | None:
    """``None`` for a book without defaults of this kind: what an empty section of it means, its text says."""
    if kind is not BookKind.POLICY or section not in sections_of(PolicyTables):
        return None
    rows = _ROWS.get(section)
    return Defaults(sentence=words(f"book.default.{section}"), rows=rows(words) if rows else ())


def _switches(words: Words) -> tuple[tuple[str, str], ...]:
    plain = Switches()
    return tuple(
        (label, value_words(words, field, getattr(plain, field.name)) or words("book.default_by_law"))
        for field, label in _labelled(words, "switches", SwitchRow)
        if hasattr(plain, field.name)
    )


def _targets(words: Words) -> tuple[tuple[str, str], ...]:
    return tuple(
        (label, _target(field, DEFAULT_TARGETS))
        for field, label in _labelled(words, "targets", TargetRow)
        if hasattr(DEFAULT_TARGETS, field.name)
    )


def _target(field: Field, targets: Targets) -> str:
    value = getattr(targets, field.name)
    if value is None and field.name in _CLAIMS:
        value = targets.claim_business_days
    # As the columns are written, in minutes; people read a clock.
    return f"{value:,} ({value // 60:02}:{value % 60:02})" if field.name in _HOURS else f"{value:,}"


def _grounds(words: Words) -> tuple[tuple[str, str], ...]:
    ground = _field(GroundRow, "ground")
    return tuple((value_words(words, ground, each), words("book.yes")) for each in Ground)


def _clocks(words: Words) -> tuple[tuple[str, str], ...]:
    kinds, since = _field(ClockRow, "kinds"), _field(ClockRow, "since")
    found = []
    for clock in standard_clocks():
        length = "clock_hours" if clock.hours is not None else "clock_days"
        told = words(
            f"book.default_{length}",
            count=clock.hours or clock.business_days or 0,
            country=words.country(clock.country),
        )
        label = f"{words.mall(clock.mall)} · {value_words(words, kinds, clock.kinds)}"
        found.append((label, f"{value_words(words, since, clock.since)} → {told}"))
    return tuple(found)


def _labelled(words: Words, section: str, row: type[Struct]) -> list[tuple[Field, str]]:
    return [(field, words(field_key(words, BookKind.POLICY, section, field.name))) for field in fields_of(row)]


def _field(row: type[Struct], name: str) -> Field:
    return next(field for field in fields_of(row) if field.name == name)


_Rows = Callable[[Words], tuple[tuple[str, str], ...]]
_ROWS: Final[Mapping[str, _Rows]] = {
    "switches": _switches,
    "targets": _targets,
    "grounds": _grounds,
    "clocks": _clocks,
}
