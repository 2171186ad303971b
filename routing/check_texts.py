"""Checks that every section of the book needs: sizes, lengths, characters, dates, known malls and shops."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final, Protocol

from hub.core.book_problem import Problem
from routing.words import problem

_MAX_ROWS: Final = 5_000
_MAX_TEXT: Final = 200
_MAX_LIST: Final = 500
_LONGER: Final = {"hours": 500, "why": 500, "why_en": 500, "webhook_url": 500}


class Dated(Protocol):
    @property
    def valid_from(self) -> date | None: ...

    @property
    def valid_to(self) -> date | None: ...


def check_size(section: str, rows: Sequence[Any]) -> Iterator[Problem]:
    """Too many rows: nothing else is looked at then."""
    if len(rows) > _MAX_ROWS:
        yield problem(section, None, None, "too_many", length=f"{len(rows):,}", limit=f"{_MAX_ROWS:,}")


def check_texts(section: str, rows: Sequence[Any]) -> Iterator[Problem]:
    """Texts that are empty, too long or hold characters that cannot be seen."""
    for row, entry in enumerate(rows):
        for column in entry.__struct_fields__:
            value = getattr(entry, column)
            if isinstance(value, tuple) and len(value) > _MAX_LIST:
                yield problem(section, row, column, "too_long", length=f"{len(value):,}", limit=str(_MAX_LIST))
                continue
            for text in value if isinstance(value, tuple) else (value,):
                if isinstance(text, str):
                    yield from _check_text(section, row, column, text)


def _check_text(section: str, row: int, column: str, text: str) -> Iterator[Problem]:
    limit = _LONGER.get(column, _MAX_TEXT)
    if len(text) > limit:
        yield problem(section, row, column, "too_long", length=f"{len(text):,}", limit=str(limit))
    elif not text.strip():
        yield problem(section, row, column, "empty")
    elif not text.replace("\n", " ").isprintable():
        yield problem(section, row, column, "control")


def check_mall(section: str, row: int, column: str, mall: str, malls: Collection[str]) -> Iterator[Problem]:
    if malls and mall not in malls:
        yield problem(section, row, column, "unknown_mall", value=mall, known=", ".join(sorted(malls)))


def check_shop(section: str, row: int, column: str, shop: str, shops: Collection[str]) -> Iterator[Problem]:
    if shops and shop not in shops:
        yield problem(section, row, column, "unknown_shop", value=shop, known=", ".join(sorted(shops)))


def check_dates(
    section: str, row: int, since: date | None, until: date | None, *, column: str = "valid_to"
) -> Iterator[Problem]:
    if since is not None and until is not None and until < since:
        yield problem(section, row, column, "dates", since=str(since), until=str(until))


def check_overlaps(
    section: str, rows: Iterable[tuple[int, object, date | None, date | None]], *, column: str
) -> Iterator[Problem]:
    """Rows (index, what they are about, from, to) that are about the same thing on the same day."""
    last: dict[object, tuple[int, date]] = {}
    for row, thing, since, until in sorted(rows, key=lambda each: (each[2] or date.min, each[0])):
        before = last.get(thing)
        if before is not None and (since or date.min) <= before[1]:
            yield problem(section, row, column, "overlap", other=str(before[0] + 1))
        if before is None or (until or date.max) >= before[1]:
            last[thing] = (row, until or date.max)


def is_within(inner: Dated, outer: Dated) -> bool:
    """Whether ``outer`` holds on every day on which ``inner`` does."""
    return (outer.valid_from or date.min) <= (inner.valid_from or date.min) and (inner.valid_to or date.max) <= (
        outer.valid_to or date.max
    )


def overlaps(one: Dated, other: Dated) -> bool:
    """Whether both hold on some day."""
    return (one.valid_from or date.min) <= (other.valid_to or date.max) and (other.valid_from or date.min) <= (
        one.valid_to or date.max
    )
