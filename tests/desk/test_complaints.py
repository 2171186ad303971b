"""Complaints: their steps in order, what each needs, the promise of prevention, and hard cases."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.desk.access import Actor
from hub.desk.asks.contact import likely_matter
from hub.desk.care.complaint_views import complaint_of
from hub.desk.care.complaints import ComplaintError, StepGiven, mark_hard, record_step
from hub.desk.care.promises import PromiseError, tell_kept
from hub.desk.care.views import CAUSES, GROUP_OF, ComplaintStep, ComplaintView
from hub.desk.cases.case import NotFoundError, open_case
from hub.store.database import to_ms
from hub.store.tables import complaint_steps, users
from routing.chain import Matter
from tests.desk.invented import NOW, Rig

S = ComplaintStep


@pytest.fixture
async def desk(sample: Rig, agent: Actor) -> Rig:
    async with sample.database.writing() as connection:
        await connection.execute(
            users.insert().values(
                id=agent.user_id,
                login="kim",
                name="kim",
                role="agent",
                password_hash="-",
                locale="ko",
                is_active=True,
                failed_logins=0,
                created_at=to_ms(NOW),
            )
        )
    return sample


async def _step(rig: Rig, actor: Actor, step: ComplaintStep, **more: Any) -> None:
    case_id = await rig.case_id("alpha-main", order_no="A-2")
    fields = {"text": f"{step} 내용", **more}
    await record_step(rig, actor=actor, case_id=case_id, given=StepGiven(step=step, **fields))


async def _read(rig: Rig) -> ComplaintView | None:
    case_id = await rig.case_id("alpha-main", order_no="A-2")
    view = await open_case(rig, case_id=case_id, is_unmasked=False)
    return complaint_of(view.dossier.complaint_steps, case_id)


def test_each_cause_is_in_one_group():
    assert sum(map(len, CAUSES.values())) == len(GROUP_OF)


async def test_the_steps_of_a_complaint_in_their_order(desk: Rig, agent: Actor):
    assert await _read(desk) is None
    await _step(desk, agent, S.INTAKE, text="박음질이 터졌다고 함. 010-2222-3333")
    found = await _read(desk)
    assert found is not None
    assert found.next_step is S.CAUSE
    assert "2222" not in found.steps["intake"].text

    await _step(desk, agent, S.CAUSE, cause="defect", text="")
    await _step(desk, agent, S.SOLUTION)
    await _step(desk, agent, S.COMPENSATION)
    await _step(desk, agent, S.PREVENTION, due_at=NOW + timedelta(days=3), token="p")

    found = await _read(desk)
    assert found is not None
    assert (found.next_step, found.steps["cause"].cause_group, found.steps["cause"].by) == (None, "product", "kim")
    case_id = await desk.case_id("alpha-main", order_no="A-2")
    view = await open_case(desk, case_id=case_id, is_unmasked=False)
    (promise,) = view.dossier.promises
    assert (promise.to_whom, promise.channel, promise.owner) == ("us", "none", "kim")
    keys = [entry.key for entry in view.dossier.timeline]
    assert keys.count("event.complaint_step") == 4
    desk.at = NOW + timedelta(days=1)
    # A promise to ourselves has nobody at the other end.
    assert await tell_kept(desk, actor=agent, case_id=case_id, promise_id=promise.promise_id, at=desk.at, with_whom="")


@pytest.mark.parametrize(
    ("step", "more", "why"),
    [
        (S.INTAKE, {"text": "  "}, "text_missing"),
        (S.INTAKE, {"text": "가" * 2001}, "text_long"),
        (S.INTAKE, {"due_at": NOW + timedelta(days=1)}, "wrong"),
        (S.CAUSE, {}, "cause_missing"),
        (S.CAUSE, {"cause": "weather"}, "cause_missing"),
        (S.CAUSE, {"cause": "late"}, "early"),
        (S.SOLUTION, {}, "early"),
        (S.PREVENTION, {}, "due_missing"),
        (S.HARD_CASE, {}, "wrong"),
    ],
)
async def test_a_step_that_cannot_be_stores_nothing(
    desk: Rig, agent: Actor, step: ComplaintStep, more: dict[str, Any], why: str
):
    with pytest.raises(ComplaintError, match=why):
        await _step(desk, agent, step, **more)

    assert await _read(desk) is None


async def test_said_twice_an_earlier_step_may_be_left_out(desk: Rig, agent: Actor):
    await _step(desk, agent, S.INTAKE)
    with pytest.raises(ComplaintError) as early:
        await _step(desk, agent, S.SOLUTION)
    assert early.value.missing is S.CAUSE

    await _step(desk, agent, S.SOLUTION, is_early=True)

    found = await _read(desk)
    assert found is not None
    assert found.next_step is S.CAUSE


async def test_prevention_without_an_owner_who_works_here_stores_nothing(desk: Rig, agent: Actor):
    with pytest.raises(PromiseError):
        await _step(desk, agent, S.PREVENTION, is_early=True, due_at=NOW + timedelta(days=1), owner_id=99)

    assert await _read(desk) is None


async def test_written_anew_the_newest_counts_and_the_same_again_adds_nothing(desk: Rig, agent: Actor):
    for text in ("처음", "처음", "고침"):
        await _step(desk, agent, S.INTAKE, text=text)

    async with desk.database.reading() as connection:
        rows = (await connection.execute(select(complaint_steps))).all()
    assert len(rows) == 2
    assert all("처음".encode() not in row.text_sealed for row in rows)
    found = await _read(desk)
    assert found is not None
    assert found.steps["intake"].text == "고침"


async def test_a_hard_case_opens_its_hot_line_until_the_mark_is_taken_back(desk: Rig, agent: Actor):
    case_id = await desk.case_id("alpha-main", order_no="A-2")
    with pytest.raises(ComplaintError):
        await mark_hard(desk, actor=agent, case_id=case_id, text="")
    with pytest.raises(NotFoundError):
        await mark_hard(desk, actor=agent, case_id=1, text="세 번째 불량")

    await mark_hard(desk, actor=agent, case_id=case_id, text="세 번째 불량")
    assert likely_matter(await open_case(desk, case_id=case_id, is_unmasked=False)) is Matter.HARD_CASE
    desk.at += timedelta(minutes=1)
    await mark_hard(desk, actor=agent, case_id=case_id, text="해결", is_hard=False)

    assert await _read(desk) is None
    assert likely_matter(await open_case(desk, case_id=case_id, is_unmasked=False)) is Matter.DEFECT
