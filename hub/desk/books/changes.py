"""What differs between two states of a book, row by row; and one author's changes on top of another's."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.desk.books.fields import row_code, sections_of, settings_of

#: the first of these that a row has tells which row it is, whatever else of it changes
_NAMES: Final = ("id", "key", "name")
#: Above this many pairs to compare, rows without a name are paired by their place alone.
_MOST_PAIRS: Final = 40_000


class Kind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class FieldChange(Struct, frozen=True, kw_only=True):
    field: str
    old: Any
    new: Any


class RowChange(Struct, frozen=True, kw_only=True):
    """``old`` and ``new`` are whole rows, ``None`` where there is none; ``row`` is the place of the row, from 0:

    in the newer state, for a removed row in the older one.
    """

    section: str
    kind: Kind
    row: int
    old: Any = None
    new: Any = None
    fields: tuple[FieldChange, ...] = ()


class Changes(Struct, frozen=True, kw_only=True):
    """``reordered`` names the sections in which rows that stayed have changed their order; ``settings`` are

    the fields of the book itself.
    """

    rows: tuple[RowChange, ...] = ()
    reordered: tuple[str, ...] = ()
    settings: tuple[FieldChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.reordered or self.settings)

    def count(self, kind: Kind) -> int:
        return sum(change.kind is kind for change in self.rows)


class Clash(Struct, frozen=True, kw_only=True):
    """Two authors changed the same row. ``mine`` and ``theirs`` are what each made of ``old``; ``None``: removed."""

    section: str
    old: Any
    mine: Any
    theirs: Any


def same_row(one: Any, other: Any) -> bool:
    return row_code(one) == row_code(other)


def compare(old: Struct, new: Struct) -> Changes:
    """Everything that differs. Both are states of the same kind of book."""
    rows: list[RowChange] = []
    reordered: list[str] = []
    for section in sections_of(type(old)):
        before, after = getattr(old, section), getattr(new, section)
        rows += compare_rows(section, before, after)
        if _kept(before, after) != _kept(after, before):
            reordered.append(section)
    return Changes(rows=tuple(rows), reordered=tuple(reordered), settings=_fields(old, new, settings_of(type(old))))


def _kept(rows: Sequence[Any], others: Sequence[Any]) -> list[bytes]:
    known = {row_code(row) for row in others}
    return [code for row in rows if (code := row_code(row)) in known]


def compare_rows(section: str, before: Sequence[Any], after: Sequence[Any]) -> list[RowChange]:
    """The rows of one section that differ, in the order of the newer state, removed ones last."""
    gone, come = _without_equal(before, after)
    pairs = _pairs(gone, come)
    changed = {new[0]: (old, new) for old, new in pairs}
    paired = {old[0] for old, _ in pairs}
    found = []
    for place, row in come:
        if place in changed:
            (_, old), _ = changed[place]
            change = RowChange(
                section=section,
                kind=Kind.CHANGED,
                row=place,
                old=old,
                new=row,
                fields=_fields(old, row, row.__struct_fields__),
            )
        else:
            change = RowChange(section=section, kind=Kind.ADDED, row=place, new=row)
        found.append(change)
    found += [
        RowChange(section=section, kind=Kind.REMOVED, row=place, old=row) for place, row in gone if place not in paired
    ]
    return found


_Placed = tuple[int, Any]


def _without_equal(before: Sequence[Any], after: Sequence[Any]) -> tuple[list[_Placed], list[_Placed]]:
    waiting: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(before):
        waiting[row_code(row)].append(place)
    come = []
    for place, row in enumerate(after):
        equal = waiting.get(row_code(row))
        if equal:
            equal.pop(0)
        else:
            come.append((place, row))
    gone = sorted(place for places in waiting.values() for place in places)
    return [(place, before[place]) for place in gone], come


def _pairs(gone: list[_Placed], come: list[_Placed]) -> list[tuple[_Placed, _Placed]]:
    """Which row became which: by the same name, else by most of the fields, or some of them at the same place."""
    pairs: list[tuple[_Placed, _Placed]] = []
    by_name = {name: placed for placed in reversed(gone) if (name := _name(placed[1])) is not None}
    taken: set[int] = set()
    left: list[_Placed] = []
    for placed in come:
        old = by_name.get(_name(placed[1]))
        if old is not None and old[0] not in taken:
            taken.add(old[0])
            pairs.append((old, placed))
        else:
            left.append(placed)
    rest = [placed for placed in gone if placed[0] not in taken]
    return pairs + _likely_pairs(rest, left)


def _likely_pairs(gone: list[_Placed], come: list[_Placed]) -> list[tuple[_Placed, _Placed]]:
    if len(gone) * len(come) > _MOST_PAIRS:
        here = dict(gone)
        scored = [(_likeness(here[place], row), place, place) for place, row in come if place in here]
    else:
        scored = [(_likeness(old, new), place, to) for place, old in gone for to, new in come]
    old_rows, new_rows = dict(gone), dict(come)
    pairs = []
    for score, place, to in sorted(scored, key=lambda each: (-each[0], abs(each[1] - each[2]), each[1], each[2])):
        if score > (0 if place == to else 0.5) and place in old_rows and to in new_rows:
            pairs.append(((place, old_rows.pop(place)), (to, new_rows.pop(to))))
    return pairs


def _name(row: Any) -> Any:
    return next((name for field in _NAMES if (name := getattr(row, field, None)) is not None), None)


def _likeness(old: Any, new: Any) -> float:
    """The share of equal fields among those that are filled in one of the two; other names are never alike."""
    if _name(old) != _name(new) and _name(old) is not None:
        return 0.0
    values = [(getattr(old, name), getattr(new, name)) for name in old.__struct_fields__]
    filled = [pair for pair in values if any(value not in (None, (), "") for value in pair)]
    return sum(a == b for a, b in filled) / len(filled) if filled else 0.0


def _fields(old: Any, new: Any, names: Sequence[str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field=name, old=getattr(old, name), new=getattr(new, name))
        for name in names
        if getattr(old, name) != getattr(new, name)
    )


def rebase(*, base: Struct, mine: Struct, theirs: Struct) -> tuple[Struct, tuple[Clash, ...]]:
    """My changes since ``base`` on top of what somebody else made of it; and the rows that both changed.

    Of a row that both changed mine stands, so that the comparison with theirs shows both; one that I
    removed and they changed stays. A section that only one of us changed is taken as it is.
    """
    merged: dict[str, tuple[Any, ...]] = {}
    clashes: list[Clash] = []
    for section in sections_of(type(base)):
        was, own, other = (getattr(state, section) for state in (base, mine, theirs))
        if own == was:
            merged[section] = other
        elif other == was:
            merged[section] = own
        else:
            rows, clashed = _merge(section, was, own, other)
            merged[section] = tuple(rows)
            clashes += clashed
    settings = {
        name: getattr(mine, name) for name in settings_of(type(base)) if getattr(mine, name) != getattr(base, name)
    }
    return msgspec.structs.replace(theirs, **merged, **settings), tuple(clashes)


def _merge(section: str, was: Sequence[Any], own: Sequence[Any], other: Sequence[Any]) -> tuple[list[Any], list[Clash]]:
    rows = list(other)
    clashes: list[Clash] = []
    theirs = {
        row_code(change.old): change.new for change in compare_rows(section, was, other) if change.old is not None
    }

    def place_of(row: Any) -> int | None:
        return next((place for place, each in enumerate(rows) if same_row(each, row)), None)

    for change in compare_rows(section, was, own):
        if change.kind is Kind.ADDED:
            if place_of(change.new) is None:
                rows.insert(_place_after(own, change.row, place_of), change.new)
            continue
        place = place_of(change.old)
        if place is not None:
            rows[place : place + 1] = [] if change.new is None else [change.new]
            continue
        their_row = theirs.get(row_code(change.old))
        if their_row is None and change.new is None:
            continue  # both removed it
        if their_row is not None and change.new is not None and same_row(their_row, change.new):
            continue  # both made the same of it
        clashes.append(Clash(section=section, old=change.old, mine=change.new, theirs=their_row))
        if change.new is None:
            continue
        at = None if their_row is None else place_of(their_row)
        if at is None:
            rows.append(change.new)
        else:
            rows[at] = change.new
    return rows, clashes


def _place_after(own: Sequence[Any], place: int, place_of: Callable[[Any], int | None]) -> int:
    """Behind the nearest row above that the other state has too."""
    for row in reversed(own[:place]):
        found = place_of(row)
        if found is not None:
            return found + 1
    return 0
