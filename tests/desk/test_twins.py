"""One order that two shops delivered: shown as one, and acted on where it was placed."""

import pytest

from hub.core.model import Order
from hub.desk.access import Actor
from hub.desk.cases.case import read_case, read_order
from hub.desk.search.box import search
from hub.desk.worklist.rows import Filters, read_worklist
from hub.store.tables import order_twins, orders
from hub.store.twins import link_twins
from tests.desk.invented import Rig, claim, order
from tests.store.shapes import rows

NUMBER = "2026112255550011"


def original() -> Order:
    return order(NUMBER, claims=(claim(NUMBER, f"{NUMBER}-1"),))


def copied(order_no: str = "A-9") -> Order:
    return order(order_no, claims=(claim(order_no, f"{order_no}-1"),), market="japan", market_order_no=NUMBER)


@pytest.fixture
async def pair(rig: Rig) -> Rig:
    await rig.write("japan-main", original())
    await rig.write("alpha-main", copied())
    async with rig.database.writing() as connection:
        await link_twins(rig.database, connection, shop_id=rig.shops["alpha-main"].id, mall="alpha")
    assert len(await rows(rig.database, order_twins)) == 1
    return rig


async def test_both_cases_name_and_link_each_other(pair: Rig, agent: Actor) -> None:
    copy_id = await pair.case_id("alpha-main", order_no="A-9")
    original_id = await pair.case_id("japan-main", order_no=NUMBER)

    copy = (await read_case(pair, actor=agent, case_id=copy_id)).dossier
    first = (await read_case(pair, actor=agent, case_id=original_id)).dossier

    assert copy.original is not None
    assert (copy.original.order_no, copy.original.shop, copy.original.open_case_id) == (
        NUMBER,
        "japan-main",
        original_id,
    )
    assert first.original is None
    assert [(twin.order_no, twin.is_original, twin.open_case_id) for twin in first.twins] == [("A-9", False, copy_id)]


async def test_the_worklist_marks_the_case_of_the_copy_only(pair: Rig, agent: Actor) -> None:
    found = await read_worklist(pair, actor=agent, filters=Filters())

    marked = {row.order_no: row.original.order_no if row.original else None for row in found.rows}
    assert marked == {"A-9": NUMBER, NUMBER: None}


@pytest.mark.parametrize("text", [NUMBER, "010-1234-5678", "홍길동"])
async def test_a_search_shows_the_order_once_with_its_copy(pair: Rig, agent: Actor, text: str) -> None:
    found = await search(pair, actor=agent, text=text)

    assert [(each.order_no, [twin.order_no for twin in each.twins]) for each in found.orders] == [(NUMBER, ["A-9"])]


async def test_the_copys_own_number_finds_the_copy_with_the_way_to_the_original(pair: Rig, agent: Actor) -> None:
    found = await search(pair, actor=agent, text="A-9")

    assert [(each.order_no, [twin.order_no for twin in each.twins]) for each in found.orders] == [("A-9", [NUMBER])]


async def test_the_twin_is_not_another_order_of_the_person(pair: Rig, agent: Actor) -> None:
    await pair.write("alpha-outlet", order("O-7"))
    for row in await rows(pair.database, orders):
        if row["order_no"] != "O-7":
            dossier = await read_order(pair, actor=agent, order_id=row["id"])
            assert [each.order_no for each in dossier.others] == ["O-7"]


async def test_orders_without_a_twin_say_nothing(sample: Rig, agent: Actor) -> None:
    found = await read_worklist(sample, actor=agent, filters=Filters())
    case = await read_case(sample, actor=agent, case_id=await sample.case_id("alpha-main", order_no="A-1"))

    assert {row.original for row in found.rows} == {None}
    assert case.dossier.twins == ()
