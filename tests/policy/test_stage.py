"""Stages of a purchase abroad out of data/stages.csv: a number is the day, "no" told not to have happened, "?" not told."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.policy.stage import (
    Certainty,
    RealCost,
    Stage,
    StageCosts,
    StageFacts,
    Told,
    answer_of,
    find_contradiction,
    stage_of,
)

_TABLE = Path(__file__).parent / "data" / "stages.csv"
ROWS = list(csv.DictReader(_TABLE.read_text(encoding="utf-8").splitlines()))
NAMES = ("overseas_ordered", "overseas_dispatched", "forwarder_in", "forwarder_out", "delivered")
START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def told(cell: str) -> Told | None:
    if cell == "?":
        return None
    return Told(at=None if cell == "no" else START + int(cell) * DAY)


def facts(*cells: str) -> StageFacts:
    return StageFacts(**{name: told(cell) for name, cell in zip(NAMES, cells, strict=True)})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["why"])
def test_the_stage_is_the_tables(row: dict[str, str]):
    found = stage_of(facts(*(row[name] for name in NAMES)))

    reason = found.contradiction.key if found.contradiction else " ".join(found.missing)
    assert (found.stage, reason) == (row["stage"], row["missing"])


COMPLETE = [
    ("1", "no", "no", "no", "no"),
    ("1", "2", "no", "no", "no"),
    ("1", "2", "3", "no", "no"),
    ("1", "2", "3", "4", "no"),
]


@pytest.mark.parametrize("cells", COMPLETE, ids=["1", "2", "3", "4"])
@pytest.mark.parametrize("left_out", range(5), ids=NAMES)
def test_with_one_fact_missing_the_stage_is_unknown_or_follows_from_the_others(cells, left_out: int):
    """What follows the first step that has not happened cannot have happened: nothing is guessed there."""
    decided_by = cells.index("no")
    known = stage_of(facts(*cells)).stage

    found = stage_of(facts(*cells[:left_out], "?", *cells[left_out + 1 :]))

    assert found.stage is (known if left_out > decided_by else Stage.UNKNOWN)
    assert found.missing == (() if left_out > decided_by else (NAMES[left_out],))


def test_a_stage_tells_since_when_and_as_of_when():
    asked = START + 9 * DAY
    way = StageFacts(
        overseas_ordered=told("1"), overseas_dispatched=told("2"), forwarder_in=Told(at=None, told_at=asked)
    )

    found = stage_of(way)

    assert (found.stage, found.since, found.as_of) == (Stage.SENT_ABROAD, START + 2 * DAY, asked)


def test_not_yet_is_worth_nothing_once_a_later_step_has_happened():
    before = StageFacts(
        overseas_ordered=told("1"),
        overseas_dispatched=told("2"),
        forwarder_in=Told(at=None, told_at=START + 3 * DAY),
        forwarder_out=told("8"),
        delivered=told("no"),
    )

    assert stage_of(before).missing == ("forwarder_in",)
    assert stage_of(before).contradiction is None


def test_not_yet_told_after_the_later_step_contradicts_it():
    way = StageFacts(forwarder_in=Told(at=None, told_at=START + 9 * DAY), forwarder_out=told("8"))

    found = stage_of(way).contradiction

    assert found is not None
    assert (found.key, found.earlier, found.later) == ("not_before", "forwarder_in", "forwarder_out")


@pytest.mark.parametrize(
    ("later", "is_wrong"),
    [
        pytest.param(Told(at=START, is_day=True), False, id="the same day"),
        pytest.param(Told(at=START - DAY, is_day=True), True, id="the day before"),
        pytest.param(Told(at=START + timedelta(hours=9)), True, id="an earlier hour"),
        pytest.param(Told(at=START, is_day=True, told_at=START + timedelta(hours=9)), True, id="told before the hour"),
    ],
)
def test_a_bare_day_may_be_any_hour_of_it(later: Told, is_wrong: bool):
    way = StageFacts(forwarder_in=Told(at=START + timedelta(hours=10)), forwarder_out=later)

    assert (find_contradiction(way) is not None) is is_wrong


TELLINGS = st.none() | st.builds(Told, at=st.none() | st.integers(0, 4).map(lambda day: START + day * DAY))


@given(st.builds(StageFacts, **dict.fromkeys(NAMES, TELLINGS)))
def test_an_unknown_stage_always_says_why_and_a_known_one_is_proved(way: StageFacts):
    found = stage_of(way)

    if found.stage is Stage.UNKNOWN:
        assert bool(found.missing) is not (found.contradiction is not None)
        return
    happened = [name for name in NAMES if (each := getattr(way, name)) is not None and each.at is not None]
    needed = {"1": 0, "2": 2, "3": 3, "4": 4, "delivered": 1}[found.stage]
    assert len(happened) >= needed
    assert (found.stage is Stage.DELIVERED) is ("delivered" in happened)


# What to answer.


@pytest.mark.parametrize(
    ("stage", "response", "announced", "items", "has_link"),
    [
        (Stage.ORDERED, "accept_free", None, [], False),
        (Stage.SENT_ABROAD, "accept_at_cost", 10_000, [("forwarder_return", "possible", 2_000, 4_000)], False),
        (Stage.AT_FORWARDER, "accept_at_cost", 10_000, [("forwarder_return", "certain", 2_000, 4_000)], False),
        (Stage.ON_ITS_WAY, "receive_then_return", None, [("return_shipping", "unknown", None, None)], True),
        (Stage.DELIVERED, "return", None, [("return_shipping", "unknown", None, None)], False),
        (Stage.UNKNOWN, "ask", None, [], False),
    ],
)
def test_each_stage_has_its_answer(stage, response, announced, items, has_link):
    found = answer_of(stage)

    assert (found.response, found.announced_cost_minor) == (response, announced)
    assert [(each.item, each.certainty, each.low_minor, each.high_minor) for each in found.costs] == items
    assert found.steps
    assert (found.customs_link is not None) is has_link


def test_amounts_and_the_customs_link_are_the_shops_own():
    own = StageCosts(
        currency="USD",
        announced_cost_minor=None,
        return_work_low_minor=None,
        return_work_high_minor=None,
        return_cost_minor=900,
        customs_link="https://customs.example/?no={number}",
    )

    assert answer_of(Stage.AT_FORWARDER, costs=own).costs[0].certainty is Certainty.UNKNOWN
    found = answer_of(Stage.ON_ITS_WAY, costs=own, parcel_no="A/1&2")
    assert found.customs_link == "https://customs.example/?no=A%2F1%262"
    assert found.costs == (
        RealCost(item="return_shipping", certainty=Certainty.CERTAIN, low_minor=900, high_minor=900, currency="USD"),
    )
