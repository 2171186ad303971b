"""Marks are a set: each is new once, however many came before it."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.scratch import Marks

_marks = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@given(st.lists(st.lists(_marks | st.integers(-3, 3), max_size=20), max_size=8))
def test_it_is_the_set_of_what_was_added(batches: list[list[int]]):
    known: set[int] = set()
    with Marks() as met:
        for batch in batches:
            assert met.lacks(batch) == set(batch) - known
            assert met.add(batch) == set(batch) - known
            known |= set(batch)
            assert met.lacks(batch) == set()


def test_it_begins_anew_after_its_block():
    met = Marks()
    with met:
        met.add([hash("O1")])

    with met:
        assert met.add([hash("O1")]) == {hash("O1")}
