"""Blocks of document numbers: which of them stand in the rows of all pairs that are sought. Pure, for search_index."""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any, Final

BITS: Final = 14
#: documents that share a row for each pair: what a step writes anew stays small, what a search reads stays few
BLOCK: Final = 1 << BITS
#: blocks that are read first, where common words have hits enough, and then at once
_FIRST: Final = 8
_AT_ONCE: Final = 128
#: where so many times as much is to be gone through, each place is looked up instead
_MUCH: Final = 16
_PLACE_BYTES: Final = 2
#: another turn to the database is worth so many of the rows
_WORTH_IT: Final = 0.75

#: block, token, members
Row = Sequence[Any]


def sift(
    tokens: frozenset[int], below: int, limit: int
) -> Generator[tuple[Sequence[int], frozenset[int]], list[Row], list[int]]:
    """The ``limit`` highest numbers under ``below`` that hold all ``tokens``: asks for rows of blocks and tokens.

    In the newest blocks all tokens are looked up. In the others it is the rarest ones first, and the others only
    where these leave something.
    """
    blocks = range((below - 1) >> BITS, -1, -1)
    rows = yield blocks[:_FIRST], tokens
    common = Counter[int]()
    for _, token, members in rows:
        common[token] += count_places(members)
    found: list[int] = []

    def take(held: Iterator[tuple[int, set[int]]]) -> None:
        numbers = (block << BITS | place for block, places in held for place in sorted(places, reverse=True))
        found.extend(islice((no for no in numbers if no < below), limit - len(found)))

    take(_in_all(rows, tokens))
    rarest = _rarest(tokens, common)
    at = _FIRST
    while len(found) < limit and at < len(blocks):
        some = blocks[at : at + _enough(at, len(found), limit)]
        at += len(some)
        held = _in_all((yield some, rarest), rarest)
        if rarest == tokens:
            take(held)
            continue
        left, many = dict(held), limit - len(found)
        while left and len(found) < limit:
            many *= 4
            some_left = _newest(left, many)
            take(_in_all((yield list(some_left), tokens - rarest), tokens - rarest, some_left))
            left = {block: places for block, places in left.items() if block not in some_left}
    return found


def _rarest(tokens: frozenset[int], common: Mapping[int, int]) -> frozenset[int]:
    """The tokens that are read first of a block, by their places in the ``_FIRST`` newest ones (``common``).

    Each of them costs a row of every block, the others one of those blocks where these leave anything: as many as
    make these rows fewest, or all where that would not spare a quarter of them.
    """
    by_places = sorted(tokens, key=lambda token: common[token])
    left, cost = float(BLOCK), []
    for many, token in enumerate(by_places, start=1):
        left *= common[token] / (_FIRST * BLOCK)
        cost.append(many + min(left, 1.0) * (len(by_places) - many))
    is_worth_it = min(cost) < _WORTH_IT * len(tokens)
    return frozenset(by_places[: cost.index(min(cost)) + 1]) if is_worth_it else tokens


def _enough(blocks: int, found: int, limit: int) -> int:
    """How many blocks are read next, after so many had so many documents: those of the rest, and half as many more."""
    return min(_AT_ONCE, 1 + 3 * blocks * (limit - found) // (2 * found)) if found else _AT_ONCE


def _newest(held: Mapping[int, set[int]], places: int) -> dict[int, set[int]]:
    """The newest blocks of ``held`` that have so many places together."""
    some: dict[int, set[int]] = {}
    for block in sorted(held, reverse=True):
        some[block] = held[block]
        places -= len(held[block])
        if places <= 0:
            break
    return some


def _in_all(
    rows: Iterable[Row], tokens: frozenset[int], left: Mapping[int, set[int]] | None = None
) -> Iterator[tuple[int, set[int]]]:
    """By block, newest first: places that stand in the row of each of ``tokens``, and in ``left`` if it is given."""
    blocks: dict[int, list[bytes]] = defaultdict(list)
    for block, _, members in rows:
        blocks[block].append(members)
    for block in sorted(blocks, reverse=True):
        if len(blocks[block]) < len(tokens):
            continue
        common = _common(blocks[block], None if left is None else left[block])
        if common:
            yield block, common


def _common(every: Sequence[bytes], common: set[int] | None) -> set[int]:
    """Places in ``every`` row of a block, and in ``common`` if it is given: the fewest are cut by the others."""
    lists = sorted((members for members in every if not _is_bits(members)), key=len)
    bits = [members for members in every if _is_bits(members)]
    if common is None and not lists:
        return _set_places(reduce(and_, map(_number, bits)))
    if common is None:
        common = set(places_of(lists.pop(0)))
    for members in lists:
        if not common:
            break
        common = _cut(common, places_of(members))
    for members in bits:
        common = {place for place in common if members[place >> 3] >> (place & 7) & 1}
    return common


def _cut(common: set[int], places: "array[int]") -> set[int]:
    """What of ``common`` stands among the sorted ``places``."""
    if len(common) * _MUCH > len(places):
        return common.intersection(places)
    return {place for place in common if places[min(bisect_left(places, place), len(places) - 1)] == place}


# How the places of one token in one block are stored: two bytes each, lowest first; or, where they are many, a bit for
# every place of the block and a byte behind, so that the length is odd. Lists are cut place by place, bits at once.

_BIT_BYTES: Final = BLOCK // 8
#: bits are shorter from 1,024 places on, and cut ten times as fast
_MOST_LISTED: Final = 768


def no_places() -> "array[int]":
    return array("H")


def count_places(members: bytes) -> int:
    return _number(members).bit_count() if _is_bits(members) else len(members) // _PLACE_BYTES


def with_places(members: bytes, places: "array[int]") -> bytes:
    """``members`` and ``places``, all of which are higher."""
    if not _is_bits(members):
        members += _packed(places)
        if len(members) <= _MOST_LISTED * _PLACE_BYTES:
            return members
        members, places = bytes(_BIT_BYTES + 1), places_of(members)
    bits = bytearray(members)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def without_places(members: bytes, gone: Collection[int]) -> bytes:
    """Empty when none is left."""
    if not _is_bits(members):
        return _packed(array("H", (place for place in places_of(members) if place not in gone)))
    bits = bytearray(members)
    for place in gone:
        bits[place >> 3] &= ~(1 << (place & 7))
    return bytes(bits) if any(bits) else b""


def places_of(members: bytes) -> "array[int]":
    """Lowest first. The order of bytes is little-endian in the database, whatever machine wrote it."""
    if _is_bits(members):
        return array("H", sorted(_set_places(_number(members))))
    places = array("H")
    places.frombytes(members)
    if _IS_BIG:
        places.byteswap()
    return places


def _is_bits(members: bytes) -> bool:
    return len(members) % _PLACE_BYTES == 1


def _number(members: bytes) -> int:
    """A row of bits as one number."""
    return int.from_bytes(members[:_BIT_BYTES], "little")


def _set_places(number: int) -> set[int]:
    """Which bits of ``number`` are set."""
    digits = f"{number:b}"[::-1]
    places, at = set(), digits.find("1")
    while at >= 0:
        places.add(at)
        at = digits.find("1", at + 1)
    # Nothing set is written "0".
    return places


def _packed(places: "array[int]") -> bytes:
    if _IS_BIG:
        places = array("H", places)
        places.byteswap()
    return places.tobytes()


_IS_BIG: Final = array("H", [1]).tobytes() == b"\0\1"
