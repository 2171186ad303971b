"""Mistakes of the chain table. One is a law: who sold us purchased stock is no contact of a customer's matter."""

from collections.abc import Iterator, Sequence
from typing import Final

from hub.core.book_problem import Problem
from hub.core.model import InventoryMode
from routing.check_contacts import check_minutes
from routing.entries import ChainEntry
from routing.matter import Matter, Role
from routing.words import problem

#: Modes whose chain may show no partner: the stock is ours, or may be ours as far as anybody knows.
PARTNER_WITHHELD: Final = frozenset({InventoryMode.DIRECT_PURCHASE, InventoryMode.UNKNOWN})
_CHAIN: Final = "chain"


def check_chain(rows: Sequence[ChainEntry]) -> Iterator[Problem]:
    cells: dict[tuple[InventoryMode, Matter], list[tuple[int, ChainEntry]]] = {}
    for row, entry in enumerate(rows):
        yield from check_minutes(_CHAIN, row, entry.escalate_minutes)
        if entry.role is Role.PARTNER and entry.mode in PARTNER_WITHHELD:
            yield problem(_CHAIN, row, "role", "partner_shown", mode=f"@mode.{entry.mode}")
        cells.setdefault((entry.mode, entry.matter), []).append((row, entry))
    for (mode, _), cell in cells.items():
        cell.sort(key=lambda pair: (pair[1].place, pair[0]))
        yield from _check_cell(mode, cell)


def _check_cell(mode: InventoryMode, cell: Sequence[tuple[int, ChainEntry]]) -> Iterator[Problem]:
    seen: set[Role] = set()
    for place, (row, entry) in enumerate(cell, 1):
        if entry.place != place:
            yield problem(_CHAIN, row, "place", "place")
        if entry.role in seen:
            yield problem(_CHAIN, row, "role", "role_twice")
        seen.add(entry.role)
    first = cell[0]
    if mode is InventoryMode.UNKNOWN and first[1].role is not Role.MD:
        yield problem(_CHAIN, first[0], "role", "unknown_needs_md")
    together = [row for row, entry in cell if entry.together]
    if len(together) == 1:
        yield problem(_CHAIN, together[0], "together", "alone_together")
