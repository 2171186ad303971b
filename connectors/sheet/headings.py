"""What a column's heading lets guess. A guess is shown to a person; nothing is read by it until it is kept."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final

from connectors.sheet.vocabulary import FIELDS
from hub.core.files import FileKind

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


def known_headings(kind: FileKind, cells: Sequence[str]) -> int:
    """How many of a row's texts are headings: tells the head from titles above it."""
    return sum(1 for cell in cells if cell and folded(cell) in _TABLES[kind])
