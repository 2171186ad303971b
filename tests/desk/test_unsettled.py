"""A second answer waits for a person's word while nobody knows what became of the first."""

from typing import Any

import pytest

from hub.core.contract import Outcome
from hub.core.errors import OutcomeUnknownError, RejectedByMallError
from hub.desk.access import Actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest, ActionResult, UnconfirmedError
from tests.desk.invented import Rig, inquiry, line, order

SHOP = "alpha-main"


@pytest.fixture
async def asked(rig: Rig) -> Rig:
    await rig.write(SHOP, order("X", line("X-1")), inquiry("Q", "언제 오나요?"), inquiry("R", "색상 문의"))
    return rig


async def answer(rig: Rig, agent: Actor, number: str = "Q", **more: Any) -> ActionResult:
    action = more.pop("action", Action.ANSWER_INQUIRY)
    return await act(rig, agent, ActionRequest(action=action, shop=SHOP, inquiry_no=number, text="곧 갑니다", **more))


def sent(rig: Rig) -> int:
    return len(rig.connectors[SHOP].sent)


async def test_a_second_answer_is_held_back_while_the_first_is_unknown(asked: Rig, agent: Actor) -> None:
    asked.connectors[SHOP].outcome = OutcomeUnknownError("no answer in time")
    assert (await answer(asked, agent)).outcome is Outcome.UNKNOWN
    asked.connectors[SHOP].outcome = Outcome.DONE
    before = sent(asked)

    with pytest.raises(UnconfirmedError) as held_back:
        await answer(asked, agent)
    with pytest.raises(UnconfirmedError):
        await answer(asked, agent, action=Action.CHANGE_ANSWER)

    assert sent(asked) == before
    assert "two answers" in held_back.value.warning
    assert "두 번" in held_back.value.warning_ko
    # Another question is another matter, and so is the order.
    assert (await answer(asked, agent, "R")).outcome is Outcome.DONE
    memo = ActionRequest(action=Action.MEMO, shop=SHOP, order_no="X", line_no="X-1", text="메모")
    assert (await act(asked, agent, memo)).outcome is Outcome.DONE


async def test_whoever_has_looked_may_send_it_and_then_nothing_is_held_back(asked: Rig, agent: Actor) -> None:
    asked.connectors[SHOP].outcome = OutcomeUnknownError("no answer in time")
    await answer(asked, agent)
    asked.connectors[SHOP].outcome = Outcome.DONE

    assert (await answer(asked, agent, confirmed=True)).outcome is Outcome.DONE
    assert (await answer(asked, agent)).outcome is Outcome.DONE


async def test_the_same_form_again_is_no_second_answer(asked: Rig, agent: Actor) -> None:
    asked.connectors[SHOP].outcome = OutcomeUnknownError("no answer in time")
    first = await answer(asked, agent, token="form")

    assert await answer(asked, agent, token="form") == first
    with pytest.raises(UnconfirmedError):
        await answer(asked, agent, token="another form")


async def test_a_refused_answer_holds_nothing_back(asked: Rig, agent: Actor) -> None:
    asked.connectors[SHOP].outcome = RejectedByMallError("no")
    assert (await answer(asked, agent)).outcome is Outcome.REFUSED
    asked.connectors[SHOP].outcome = Outcome.DONE

    assert (await answer(asked, agent)).outcome is Outcome.DONE
