"""A lost answer is not called done because of another one that came after it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.core.contract import Outcome
from hub.desk.access import command_line_actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest, ActionResult, UnconfirmedError
from hub.desk.acting.outbox import LOOKS, Outbox
from hub.sandbox.faults import Fault
from hub.store.tables import actions, inquiries
from tests.sync.mall_town import Town

SHOP = "main-qoo10"


async def test_an_answer_that_never_arrived_is_not_taken_for_the_next_one(tmp_path: Path, database_url: str) -> None:
    town = Town(orders=40)
    town.world.ask(SHOP, subject="いつ届きますか", text="まだ届きません", order=town.world.orders(SHOP)[-1])
    town.clock.pass_time()
    async with town.hub(tmp_path, database_url) as hub:
        await hub.sync([SHOP])
        async with hub.database.reading() as connection:
            number = (
                await connection.scalars(select(inquiries.c.inquiry_no).order_by(inquiries.c.asked_at.desc()))
            ).first()

        town.faults.only, town.faults.chances = "SetInquiryMessage", {Fault.TIMEOUT: 1.0}
        lost = await answer(hub, str(number), "一つ目")
        town.faults.chances = {}
        with pytest.raises(UnconfirmedError) as held_back:
            await answer(hub, str(number), "二つ目")
        stands = await answer(hub, str(number), "二つ目", confirmed=True)
        for look in LOOKS:
            town.clock.pass_time(look)
            for shop in await hub.shops():
                await Outbox(hub, shop).drain()

        assert (lost.outcome, stands.outcome) == (Outcome.UNKNOWN, Outcome.DONE)
        async with hub.database.reading() as connection:
            outcomes = {str(row.id): row.outcome for row in await connection.execute(select(actions))}
    assert "may already stand" in held_back.value.warning
    assert "확인되지 않았습니다" in held_back.value.warning_ko
    assert outcomes == {lost.action_id: "unknown", stands.action_id: "done"}


async def answer(hub: Hub, number: str, text: str, **more: Any) -> ActionResult:
    request = ActionRequest(action=Action.ANSWER_INQUIRY, shop=SHOP, inquiry_no=number, text=text, **more)
    return await act(hub, command_line_actor(), request)
