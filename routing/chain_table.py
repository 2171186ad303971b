"""Which roles are asked about a matter, per inventory mode: what ships, with the cells that a supervisor replaced."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.core.model import InventoryMode
from routing.check_chain import PARTNER_WITHHELD
from routing.entries import ChainEntry
from routing.matter import Matter, Role
from routing.words import Step, step

STANDARD_FILE: Final = "chain.toml"

Cell = tuple[InventoryMode, Matter]


class Ask(Struct, frozen=True, kw_only=True):
    """One place of a chain before a person is known for it.

    ``escalate_minutes`` of opening time pass before the next is asked; ``together``: part of a hot line.
    """

    role: Role
    why: Step
    escalate_minutes: int | None = None
    together: bool = False


class ChainTable:
    """The standard chain table with some cells replaced. ``replaced`` names those that differ from it."""

    def __init__(self, entries: Iterable[ChainEntry] = ()) -> None:
        standard = _standard_cells()
        self._cells: Final = {**standard, **_cells(entries)}
        self.replaced: Final = frozenset(cell for cell, asks in self._cells.items() if asks != standard[cell])

    def asks_for(self, mode: InventoryMode, matter: Matter) -> tuple[Ask, ...]:
        """The roles to ask, in order; at least one. A partner is left out where the mode forbids one."""
        asks = self._cells[mode, matter]
        if mode in PARTNER_WITHHELD and any(ask.role is Role.PARTNER for ask in asks):
            # A book is refused for this; what is shown does not hang on that alone.
            asks = tuple(ask for ask in asks if ask.role is not Role.PARTNER)
            return asks or _standard_cells()[mode, matter]
        return asks


@cache
def standard_entries() -> tuple[ChainEntry, ...]:
    """The chain table as it ships."""
    text = resources.files("routing").joinpath(STANDARD_FILE).read_text(encoding="utf-8")
    return number_places(tomllib.loads(text)["chain"])


def number_places(rows: Iterable[Mapping[str, Any]]) -> tuple[ChainEntry, ...]:
    """Rows of a file as entries; rows of one cell that tell no place keep their order.

    Raises: msgspec.ValidationError for a row of a wrong shape.
    """
    counted: dict[tuple[Any, Any], int] = {}
    entries = []
    for row in rows:
        cell = (row.get("mode"), row.get("matter"))
        counted[cell] = counted.get(cell, 0) + 1
        entries.append(msgspec.convert({"place": counted[cell], **row}, ChainEntry))
    return tuple(entries)


@cache
def _standard_cells() -> dict[Cell, tuple[Ask, ...]]:
    return _cells(standard_entries())


def _cells(entries: Iterable[ChainEntry]) -> dict[Cell, tuple[Ask, ...]]:
    cells: dict[Cell, list[ChainEntry]] = {}
    for entry in entries:
        cells.setdefault((entry.mode, entry.matter), []).append(entry)
    return {cell: tuple(map(_ask, sorted(rows, key=lambda row: row.place))) for cell, rows in cells.items()}


def _ask(entry: ChainEntry) -> Ask:
    korean, english = entry.why or entry.why_en, entry.why_en or entry.why
    return Ask(
        role=entry.role,
        why=step("own", ko=korean, en=english) if korean and english else step("no_reason"),
        escalate_minutes=entry.escalate_minutes,
        together=entry.together,
    )
