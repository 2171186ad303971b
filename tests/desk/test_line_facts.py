"""Facts of lines on both databases: what is stored, what is refused, what counts."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from hub.core.model import LineStatus, Shipment
from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.decisions.facts_told import FactGiven, FactSource, FactState, Moment
from hub.desk.decisions.line_facts import read_line_facts, read_told, set_facts
from hub.policy.stage import Stage, StageFact
from hub.store.tables import line_facts
from tests.desk.invented import NOW, Rig, line, order
from tests.statements import sent_to

ORDERED, SENT, IN, OUT = StageFact
NOT_YET = Moment(state=FactState.NOT_HAPPENED)
TAKEN_BACK = Moment(state=FactState.UNKNOWN)


def at(hours_ago: float) -> Moment:
    return Moment(state=FactState.HAPPENED, at=NOW - timedelta(hours=hours_ago))


def day(text: str) -> Moment:
    """A day of Seoul."""
    return Moment(state=FactState.HAPPENED, at=datetime.fromisoformat(f"{text}T00:00+09:00"), is_day=True)


def told(fact: StageFact, moment: Moment, *, line_no: str | None = "A-1-1", place: int = 1, **more) -> FactGiven:
    more = {"shop": "alpha-main", "order_no": "A-1", "reference": None} | more
    return FactGiven(place=place, line_no=line_no, fact=fact, moment=moment, **more)


async def tell(rig: Rig, agent: Actor, *given: FactGiven, source: FactSource = FactSource.AGENT, **more):
    return await set_facts(rig, actor=agent, given=given, source=source, **more)


async def stage(rig: Rig, agent: Actor, *, shop: str = "alpha-main", order_no: str = "A-1"):
    (first, *_) = await read_line_facts(rig, actor=agent, shop=shop, order_no=order_no)
    return first.finding


async def rows_of(rig: Rig) -> int:
    async with rig.database.reading() as connection:
        return len((await connection.execute(select(line_facts.c.id))).all())


async def test_what_is_told_gives_the_stage_and_stays_as_history(sample: Rig, agent: Actor):
    result = await tell(
        sample,
        agent,
        told(ORDERED, at(50), reference="112-0099"),
        told(SENT, at(30), reference="1Z999"),
        told(IN, NOT_YET),
    )

    assert (result.written, result.unchanged, result.problems) == (3, 0, ())
    finding = await stage(sample, agent)
    assert (finding.stage, finding.since, finding.as_of) == (Stage.SENT_ABROAD, at(30).at, NOW)
    view, other = await read_line_facts(sample, actor=agent, shop="alpha-main", order_no="A-1")
    assert [(fact, each.reference, each.source) for fact, each in view.facts.items()] == [
        (ORDERED, "112-0099", "agent"),
        (SENT, "1Z999", "agent"),
        (IN, None, "agent"),
    ]
    assert (other.facts, other.history, other.finding.stage) == ({}, (), Stage.UNKNOWN)


async def test_a_wrong_fact_is_corrected_by_the_next_and_both_stay(sample: Rig, agent: Actor):
    await tell(sample, agent, told(ORDERED, at(50), reference="112"))
    sample.at = NOW + timedelta(minutes=5)

    again = await tell(sample, agent, told(ORDERED, at(49)), source=FactSource.API)

    assert again.written == 1
    (view, _) = await read_line_facts(sample, actor=agent, shop="alpha-main", order_no="A-1")
    assert (view.facts[ORDERED].moment, view.facts[ORDERED].reference) == (at(49), "112")
    assert [(each.moment, each.source, each.set_at) for each in view.history] == [
        (at(49), "api", sample.at),
        (at(50), "agent", NOW),
    ]


async def test_the_same_again_writes_nothing(sample: Rig, agent: Actor):
    given = (told(ORDERED, at(50), reference="112"), told(SENT, day("2026-11-19")), told(IN, NOT_YET))
    await tell(sample, agent, *given)

    again = await tell(sample, agent, *given, told(ORDERED, at(50)), source=FactSource.FILE)

    assert (again.written, again.unchanged, again.problems) == (0, 3, ())
    assert await rows_of(sample) == 3


async def test_not_yet_is_news_on_another_day(sample: Rig, agent: Actor):
    await tell(sample, agent, told(ORDERED, at(50)), told(SENT, NOT_YET))
    sample.at = NOW + timedelta(days=1)

    again = await tell(sample, agent, told(SENT, NOT_YET))

    assert again.written == 1
    assert (await stage(sample, agent)).as_of == sample.at


async def test_a_fact_told_by_mistake_is_taken_back(sample: Rig, agent: Actor):
    await tell(sample, agent, told(ORDERED, at(50)), told(SENT, NOT_YET))

    await tell(sample, agent, told(ORDERED, TAKEN_BACK))

    finding = await stage(sample, agent)
    assert (finding.stage, finding.missing) == (Stage.UNKNOWN, ("overseas_ordered",))
    async with sample.database.reading() as connection:
        shop_id = sample.shops["alpha-main"].id
        counting = await read_told(connection, shop_id=shop_id, order_nos=["A-1", "A-2"])
    assert set(counting["A-1", "A-1-1"]) == {SENT}


async def test_without_a_line_every_line_of_the_order_is_told(sample: Rig, agent: Actor):
    await tell(sample, agent, told(ORDERED, at(50), line_no=None), told(SENT, NOT_YET, line_no=None))

    views = await read_line_facts(sample, actor=agent, shop="alpha-main", order_no="A-1")
    assert [(view.line_no, view.finding.stage) for view in views] == [("A-1-1", "1"), ("A-1-2", "1")]


async def test_a_line_number_alone_is_enough_where_only_one_order_has_it(rig: Rig, agent: Actor):
    await rig.write("alpha-main", order("B-1", line("1"), line("only")), order("B-2", line("1")))

    result = await tell(
        rig,
        agent,
        told(ORDERED, at(9), order_no=None, line_no="only"),
        told(ORDERED, at(9), order_no=None, line_no="1", place=2),
        told(ORDERED, at(9), order_no="B-2", line_no="1", place=3),
    )

    assert result.written == 2
    assert [(each.row, each.key, each.value) for each in result.problems] == [(2, "several_lines", "1")]


@pytest.mark.parametrize(
    ("given", "key", "column"),
    [
        pytest.param(told(ORDERED, at(-0.1)), "in_future", "overseas_ordered", id="future"),
        pytest.param(told(ORDERED, day("2026-11-21")), "in_future", "overseas_ordered", id="tomorrow"),
        pytest.param(told(ORDERED, Moment(state=FactState.HAPPENED)), "time_missing", "overseas_ordered", id="when"),
        pytest.param(
            told(ORDERED, Moment(state=FactState.NOT_HAPPENED, at=NOW)), "time_unwanted", "overseas_ordered", id="both"
        ),
        pytest.param(told(ORDERED, at(1), line_no="A-9-1"), "unknown_line", "line_no", id="line"),
        pytest.param(told(ORDERED, at(1), order_no="A-9", line_no=None), "unknown_line", "order_no", id="order"),
        pytest.param(told(ORDERED, at(1), shop="alpha-outlet"), "unknown_line", "line_no", id="other shop"),
        pytest.param(told(ORDERED, at(1), shop="nowhere"), "unknown_shop", "shop", id="shop"),
        pytest.param(told(ORDERED, at(1), order_no=None, line_no=None), "no_line", "order_no", id="nothing named"),
        pytest.param(told(OUT, at(1), reference="9" * 101), "reference_too_long", "forwarder_out_no", id="long"),
        pytest.param(told(OUT, at(1), reference="1\n2"), "reference_unprintable", "forwarder_out_no", id="control"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(sample: Rig, agent: Actor, given, key, column):
    result = await tell(sample, agent, given)

    assert (result.written, result.problem_count) == (0, 1)
    (named,) = result.problems
    assert (named.key, named.row, named.column) == (key, 1, column)
    assert all(named.told("ko"))
    assert all(named.told("en"))
    assert named.told("ko") != named.told("en")
    assert await rows_of(sample) == 0


async def test_steps_out_of_their_order_are_refused_and_may_be_corrected_together(sample: Rig, agent: Actor):
    await tell(sample, agent, told(ORDERED, at(50)), told(SENT, at(40)), told(IN, at(10)))

    refused = await tell(sample, agent, told(OUT, at(20)))
    both = await tell(sample, agent, told(OUT, at(20)), told(IN, at(25)))

    assert [(each.key, each.column) for each in refused.problems] == [("out_of_order", "forwarder_out")]
    assert "배대지 출고" in refused.problems[0].reason_ko
    assert (both.written, both.problems) == (2, ())
    assert (await stage(sample, agent)).stage is Stage.ON_ITS_WAY


async def test_a_step_is_refused_while_the_one_before_is_told_not_to_have_happened(sample: Rig, agent: Actor):
    refused = await tell(sample, agent, told(SENT, NOT_YET), told(IN, at(3), place=2))

    assert [(each.key, each.row) for each in refused.problems] == [("not_before", 2)]
    assert await rows_of(sample) == 0


async def test_that_it_had_not_happened_yesterday_does_not_stand_in_the_way(sample: Rig, agent: Actor):
    await tell(sample, agent, told(ORDERED, at(50)), told(SENT, at(40)), told(IN, NOT_YET))
    sample.at = NOW + timedelta(days=3)

    later = await tell(sample, agent, told(OUT, at(-48)))

    assert later.written == 1
    finding = await stage(sample, agent)
    assert (finding.stage, finding.missing) == (Stage.UNKNOWN, ("forwarder_in",))


async def test_a_day_and_a_time_of_that_day_do_not_contradict_each_other(sample: Rig, agent: Actor):
    result = await tell(sample, agent, told(IN, at(3)), told(OUT, day("2026-11-20"), place=2))

    assert (result.written, result.problems) == (2, ())


async def test_a_fact_after_the_delivery_is_refused(rig: Rig, agent: Actor):
    shipment = Shipment(carrier="X", tracking_no="1", dispatched_at=at(60).at, delivered_at=at(48).at)
    await rig.write("alpha-main", order("A-1", line("A-1-1", status=LineStatus.DELIVERED, shipment=shipment)))

    result = await tell(rig, agent, told(OUT, at(24)))

    assert [each.key for each in result.problems] == ["out_of_order"]
    assert (await stage(rig, agent)).stage is Stage.DELIVERED


async def test_one_line_with_a_mistake_does_not_hold_up_the_others(sample: Rig, agent: Actor):
    result = await tell(
        sample,
        agent,
        told(ORDERED, at(5), place=1),
        told(SENT, at(-5), place=1),
        told(ORDERED, at(5), line_no="A-1-2", place=2),
        told(ORDERED, at(5), shop="japan-main", order_no="J-1", line_no="J-1-1", place=3),
        told(ORDERED, at(6), shop="japan-main", order_no="J-1", line_no="J-1-1", place=4),
    )

    assert [(each.row, each.key) for each in result.problems] == [(1, "in_future"), (4, "told_twice")]
    assert result.written == 1
    assert (await stage(sample, agent)).missing[0] == "overseas_ordered"


async def test_a_trial_writes_nothing_and_says_the_same(sample: Rig, agent: Actor):
    given = (told(ORDERED, at(5)), told(SENT, at(-5), line_no="A-1-2", place=2))

    trial = await tell(sample, agent, *given, is_trial=True)

    assert await rows_of(sample) == 0
    assert trial == await tell(sample, agent, *given)
    assert await rows_of(sample) == 1


async def test_nobody_tells_facts_who_may_not_work_cases(sample: Rig, agent: Actor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hub.desk.access.GRANTS", {role: frozenset() for role in Role})

    with pytest.raises(ForbiddenError):
        await tell(sample, agent, told(ORDERED, at(5)))
    with pytest.raises(ForbiddenError):
        await read_line_facts(sample, actor=agent, shop="alpha-main", order_no="A-1")


async def test_two_who_tell_at_once_are_both_kept(sample: Rig, agent: Actor):
    await asyncio.gather(*(tell(sample, agent, told(fact, at(9 - place))) for place, fact in enumerate(StageFact)))

    assert (await stage(sample, agent)).stage is Stage.ON_ITS_WAY


async def test_ten_thousand_lines_take_a_handful_of_statements(rig: Rig, agent: Actor):
    orders = [order(f"N-{number}", line(f"N-{number}-1")) for number in range(2_500)]
    await rig.write("alpha-main", *orders)
    given = [
        told(fact, at(9 - step), order_no=f"N-{number}", line_no=None, place=number)
        for number in range(2_500)
        for step, fact in enumerate(StageFact)
    ]

    statements, written = await _counted(rig, lambda: tell(rig, agent, *given))
    again = await tell(rig, agent, *given)

    assert (written.written, again.written, again.unchanged) == (10_000, 0, 10_000)
    assert statements < 15


async def _counted(rig: Rig, work):
    """``work`` and how many statements it sent: an executemany is one."""
    with sent_to(rig.database) as statements:
        done = await work()
    return len(statements), done
