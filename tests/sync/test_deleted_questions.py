"""Customers delete what they asked: every emulated mall then says so in its way, and the hub believes it late."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.core.contract import Feed
from hub.desk.access import command_line_actor
from hub.desk.acting.act import Action, ActionRequest, VanishedError, act
from hub.sandbox.facts import InquiryFact
from hub.store.tables import cases, inquiries, shops
from hub.sync.sought import APART
from tests.sync.mall_town import Town, assert_complete, counted

#: as long as a mall's token lives unused, and not more
_STEP = timedelta(days=12)
_STEPS = 4


def ask(town: Town, shop: str) -> list[InquiryFact]:
    """One question of each kind, asked now and answered by nobody."""
    order = town.world.orders(shop)[-1]
    about = {"subject": "문의", "text": "언제 오나요?"}
    return [town.world.ask(shop, **about, order=order), town.world.ask(shop, **about)]


async def gone(hub: Hub) -> dict[str, list[str]]:
    """Inquiry numbers by shop."""
    query = (
        select(shops.c.name, inquiries.c.inquiry_no)
        .join_from(inquiries, shops)
        .where(inquiries.c.vanished_at.is_not(None))
        .order_by(inquiries.c.id)
    )
    found: dict[str, list[str]] = {}
    async with hub.database.reading() as connection:
        for name, number in await connection.execute(query):
            found.setdefault(name, []).append(number)
    return found


async def closed_as_vanished(hub: Hub) -> int:
    query = select(cases.c.id).where(cases.c.state == "vanished", ~cases.c.is_open)
    async with hub.database.reading() as connection:
        return len((await connection.execute(query)).all())


async def days_listed(town: Town, hub: Hub) -> int:
    """How often one more run asks SmartStore for a stretch of days."""
    line = town.lines["smartstore"]
    line.calls.clear()
    assert_complete(await hub.sync(["main-smartstore"]))
    return sum(path.endswith("/v1/pay-user/inquiries") for _, path in line.calls)


async def test_a_deleted_question_is_settled_and_comes_back_when_it_is_shown_again(
    tmp_path: Path, sqlite_url: str
) -> None:
    town = Town(orders=60)
    deleted = [fact for shop in town.world.shops for fact in ask(town, shop)]
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        for _ in range(_STEPS):
            town.clock.pass_time(_STEP)
            assert_complete(await hub.sync())
        for shop in town.world.shops:
            deleted += ask(town, shop)
            ask(town, shop)
        assert_complete(await hub.sync())
        for fact in deleted:
            town.world.delete(fact)

        assert await days_listed(town, hub) > 10
        missed = await hub.sync()
        assert_complete(missed)
        assert counted(missed, "vanished") == {}
        town.clock.pass_time(APART)
        settled = await hub.sync()
        assert_complete(settled)

        assert counted(settled, "vanished") == {(shop, Feed.INQUIRIES): 4 for shop in town.world.shops}
        numbers = await gone(hub)
        assert {shop: len(found) for shop, found in numbers.items()} == dict.fromkeys(town.world.shops, 4)
        assert await closed_as_vanished(hub) == 12
        # Nothing is looked for any more, months back where a mall lists by day only.
        assert await days_listed(town, hub) == 2
        with pytest.raises(VanishedError):
            answer = ActionRequest(
                action=Action.ANSWER_INQUIRY, shop="main-qoo10", inquiry_no=numbers["main-qoo10"][0], text="네"
            )
            await act(hub, command_line_actor(), answer)

        for fact in deleted:
            town.world.restore(fact)
        assert_complete(await hub.sync(full=True))
        assert await gone(hub) == {}
        assert await closed_as_vanished(hub) == 0


async def test_a_mall_that_shows_nothing_for_hours_has_not_lost_its_questions(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        for shop in town.world.shops:
            for fact in town.world.inquiries(shop):
                town.world.delete(fact)

        for _ in range(3):
            town.clock.pass_time(APART)
            assert_complete(await hub.sync())

        assert await gone(hub) == {}
