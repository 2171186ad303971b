"""What a column's heading lets guess. A guess is shown to a person; nothing is read by it until it is kept."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final, NamedTuple

from connectors.sheet.vocabulary import FIELDS
from hub.core.files import FileKind, Layout

_SPELT: Final[Mapping[str, list[str]]] = tomllib.loads(
    resources.files("connectors.sheet").joinpath("headings.toml").read_text(encoding="utf-8")
)
_NOISE: Final = re.compile(r"[\s_\-·./:*#()\[\]（）【】]+")


def folded(heading: str) -> str:
    """How headings are compared: NFKC, folded, without blanks and marks."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", heading).casefold())


def _by_heading(kind: FileKind) -> dict[str, tuple[str, int]]:
    """Field and rank (the first spelling of a field is its best) of every heading of one kind of file."""
    found: dict[str, tuple[str, int]] = {}
    for field in FIELDS[kind]:
        for rank, spelt in enumerate((field.name, *_SPELT.get(field.name, ()))):
            found.setdefault(folded(spelt), (field.name, rank))
    return found


_TABLES: Final[Mapping[FileKind, Mapping[str, tuple[str, int]]]] = {kind: _by_heading(kind) for kind in FileKind}


def guess_fields(kind: FileKind, headings: Sequence[str]) -> dict[str, str]:
    """Heading -> field, each field once: the heading whose spelling is the most usual gets it."""
    best: dict[str, tuple[int, int, str]] = {}
    for place, heading in enumerate(headings):
        if (found := _TABLES[kind].get(folded(heading))) is not None:
            field, rank = found
            best[field] = min(best.get(field, (rank, place, heading)), (rank, place, heading))
    return {heading: field for field, (_, _, heading) in best.items()}


class Unread(NamedTuple):
    """A column that a layout does not read. ``field``: what its heading lets guess, where nothing else fills that."""

    heading: str
    place: int
    field: str | None


def unread_columns(layout: Layout, headings: Sequence[str]) -> tuple[Unread, ...]:
    """Those that nobody has left out on purpose; of a layout that does not note these, those with a field only."""
    there = {folded(heading) for heading in headings if heading}
    read = {folded(rule.heading) for rule in layout.columns}
    seen = read | {folded(heading) for heading in layout.unused or ()}
    filled = {rule.field for rule in layout.columns if folded(rule.heading) in there}
    filled |= {field for field, value in layout.constants.items() if value.strip()}
    new = {heading: place for place, heading in enumerate(headings) if heading and folded(heading) not in seen}
    guessed = {
        heading: field for heading, field in guess_fields(layout.kind, tuple(new)).items() if field not in filled
    }
    found = (Unread(heading, place, guessed.get(heading)) for heading, place in new.items())
    return tuple(each for each in found if each.field is not None or layout.unused is not None)


def column_warnings(layout: Layout, headings: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """As of :class:`hub.core.files.ImportsFiles`."""
    there = {folded(heading) for heading in headings if heading}
    return (
        *(("new_known" if each.field else "new", _placed(each)) for each in unread_columns(layout, headings)),
        *(("gone", rule.heading) for rule in layout.columns if folded(rule.heading) not in there),
    )


def _placed(column: Unread) -> str:
    """The heading with its column's letter, as a spreadsheet counts: "받는분 (F)"."""
    letters, rest = "", column.place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{column.heading} ({letters})"


def known_headings(kind: FileKind, cells: Sequence[str]) -> int:
    """How many of a row's texts are headings: tells the head from titles above it."""
    return sum(1 for cell in cells if cell and folded(cell) in _TABLES[kind])
