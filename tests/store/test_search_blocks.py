"""Which numbers hold all tokens, however common each is and however few rows are read for it."""

import random
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.resources import files
from runpy import run_path

import pytest

from hub.store.search_blocks import (
    BITS,
    BLOCK,
    Row,
    count_places,
    places_of,
    sift,
    with_places,
    without_places,
)

_MANY = 30 * BLOCK


def _index(tokens: Mapping[int, Sequence[int]]) -> dict[tuple[int, int], bytes]:
    """As the database has it: the members of each block and token, of the numbers of each token."""
    places: dict[tuple[int, int], array[int]] = defaultdict(lambda: array("H"))
    for token, numbers in tokens.items():
        for number in sorted(numbers):
            places[number >> BITS, token].append(number & (BLOCK - 1))
    return {key: with_places(b"", each) for key, each in places.items()}


def _find(
    index: Mapping[tuple[int, int], bytes], tokens: frozenset[int], *, below: int, limit: int
) -> tuple[list[int], int]:
    """What is found, and how many rows were read for it."""
    sifting, read = sift(tokens, below, limit), 0
    asked = next(sifting)
    while True:
        rows: list[Row] = [
            (block, token, index[block, token]) for block in asked[0] for token in asked[1] if (block, token) in index
        ]
        read += len(rows)
        try:
            asked = sifting.send(rows)
        except StopIteration as done:
            return done.value, read


def _drawn(chance: random.Random, share: float) -> list[int]:
    return chance.sample(range(_MANY), int(_MANY * share))


@pytest.mark.parametrize(
    "shares",
    [(0.0001, 0.02), (0.02, 0.02, 0.02), (0.02, 0.0), (0.0005,) * 4, (0.03, 0.03), (0.06, 0.02, 0.0005), (0.06, 0.07)],
    ids=["a rare one", "three common ones", "one that never occurs", "rare ones", "common ones", "bits", "bits alone"],
)
@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_the_newest_numbers_with_all_tokens_are_found(shares: tuple[float, ...], limit: int) -> None:
    chance = random.Random(f"{shares}")
    together = chance.sample(range(_MANY), 40)
    tokens = {token: {*_drawn(chance, share), *(together if share else ())} for token, share in enumerate(shares)}
    index = _index({token: sorted(numbers) for token, numbers in tokens.items()})

    for below in (_MANY, 20 * BLOCK + 77, BLOCK, 1, 0):
        every = sorted((no for no in set.intersection(*tokens.values()) if no < below), reverse=True)
        found, _ = _find(index, frozenset(tokens), below=below, limit=limit)
        assert found == every[:limit]


def test_common_tokens_are_read_only_where_rare_ones_leave_something() -> None:
    chance = random.Random(1)
    tokens = {token: _drawn(chance, share) for token, share in enumerate((0.0001, 0.02, 0.02, 0.02, 0.02, 0.02))}
    index = _index(tokens)

    _, read = _find(index, frozenset(tokens), below=_MANY, limit=100)

    assert read < len(index) * 0.6


def test_tokens_that_stand_together_are_read_block_by_block() -> None:
    """Every pair of one long word stands in the same documents: each is common, and nothing is ruled out."""
    numbers = list(range(0, _MANY, 300))
    index = _index(dict.fromkeys(range(8), numbers))

    found, read = _find(index, frozenset(range(8)), below=_MANY, limit=600)

    assert found == sorted(numbers, reverse=True)[:600]
    assert read < len(index) * 0.7


@pytest.mark.parametrize("many", [0, 1, 700, 768, 769, 5_000, BLOCK])
def test_places_are_added_and_taken_away(many: int) -> None:
    chance = random.Random(many)
    every = array("H", sorted(chance.sample(range(BLOCK), many)))
    members = with_places(with_places(b"", every[: many // 3]), every[many // 3 :])

    gone = set(chance.sample(every, many // 2))

    assert places_of(members) == every
    assert count_places(members) == many
    assert list(places_of(without_places(members, gone))) == [place for place in every if place not in gone]
    assert without_places(members, set(every)) == b""
    assert len(members) <= BLOCK // 8 + 1


@pytest.mark.parametrize("many", [769, 1_500])
def test_an_older_store_is_upgraded_to_the_same_rows(many: int) -> None:
    path = files("hub.store.migrations") / "versions/20261122_dense_blocks.py"
    upgrade = run_path(str(path))
    places = array("H", sorted(random.Random(many).sample(range(BLOCK), many)))
    listed = b"".join(place.to_bytes(2, "little") for place in places)

    members = upgrade["_as_bits"](listed)

    assert members == with_places(b"", places)
    assert upgrade["_as_list"](members) == listed
