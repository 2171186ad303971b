"""A sync tells open screens: one event a page of cases, one for the shop's freshness. On both databases."""

from pathlib import Path

import pytest

from hub.core.contract import Feed
from hub.store.live import MOST_CASES, LiveEvent, Topic, read_events
from hub.sync.feed_state import FeedStates
from tests.desk.invented import NOW, Rig, claim, line, open_rig, order


@pytest.fixture
async def rig(tmp_path: Path, database_url: str):
    rig = await open_rig(tmp_path, database_url)
    yield rig
    await rig.database.aclose()


async def told(rig: Rig, topic: Topic) -> list[LiveEvent]:
    return [event for event in await read_events(rig.database, after=0) if event.topic is topic]


async def test_a_page_of_cases_is_one_event(rig: Rig):
    orders = [order(f"A-{number}", claims=(claim(f"A-{number}", f"A-{number}-1"),)) for number in range(3)]
    await rig.write("alpha-main", *orders)

    (event,) = await told(rig, Topic.CASES)

    assert set(event.body["ids"]) == {await rig.case_id("alpha-main", order_no=f"A-{number}") for number in range(3)}
    assert event.body["more"] is False


async def test_orders_without_a_case_tell_nothing(rig: Rig):
    await rig.write("alpha-main", order("A-1"))

    assert await told(rig, Topic.CASES) == []


async def test_a_large_page_names_some_and_says_that_there_are_more(rig: Rig):
    many = [
        order(f"B-{number}", line(f"B-{number}-1"), claims=(claim(f"B-{number}", f"B-{number}-1"),))
        for number in range(MOST_CASES + 5)
    ]
    await rig.write("alpha-main", *many)

    (event,) = await told(rig, Topic.CASES)

    assert (len(event.body["ids"]), event.body["more"]) == (MOST_CASES, True)


async def test_a_feed_that_breaks_off_tells_of_its_shop(rig: Rig):
    shop_id = rig.shops["alpha-main"].id

    await FeedStates(rig.database, shop_id).fail([Feed.ORDERS], kind="network", message="gone", now=NOW)

    assert [event.body for event in await told(rig, Topic.SHOP)] == [{"shop": shop_id}]
