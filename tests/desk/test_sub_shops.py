"""Two sub-shops number an order alike: each has its own case, and the case shows nothing of the other."""

from typing import Any

from sqlalchemy import select

from hub.core.model import ClaimState
from hub.desk.access import Actor
from hub.desk.cases.case import read_case, read_order
from hub.store.tables import cases, orders
from tests.desk.invented import Rig, claim, line, order


async def a_pair(rig: Rig) -> dict[str, int]:
    """Two orders N-1 with a line N-1-1, both asked to be cancelled in the same second; their cases by sub-shop."""
    for sub_shop, name, number in (("1", "셔츠", "C1"), ("2", "모자", "C2")):
        asked = claim("N-1", "N-1-1", claim_no=number, quantity=1, round=f"{sub_shop}")
        await rig.write("alpha-main", order("N-1", line("N-1-1", name=name), claims=(asked,), sub_shop=sub_shop))
    return {row.sub_shop: row.id for row in await cases_of(rig)}


async def cases_of(rig: Rig) -> list[Any]:
    query = select(cases).where(cases.c.order_no == "N-1").order_by(cases.c.sub_shop)
    async with rig.database.reading() as connection:
        return list(await connection.execute(query))


async def test_each_order_has_a_case_of_its_own(rig: Rig, agent: Actor) -> None:
    await a_pair(rig)

    found = await cases_of(rig)

    assert [(row.sub_shop, row.product_name, row.quantity, row.is_open) for row in found] == [
        ("1", "셔츠", 1, True),
        ("2", "모자", 1, True),
    ]


async def test_a_case_shows_its_own_order_only(rig: Rig, agent: Actor) -> None:
    by_sub_shop = await a_pair(rig)

    shown = [(await read_case(rig, actor=agent, case_id=case_id)).dossier for case_id in by_sub_shop.values()]

    assert [[each.product_name for each in dossier.order.lines] for dossier in shown if dossier.order] == [
        ["셔츠"],
        ["모자"],
    ]
    assert [[each.claim_no for each in dossier.claims] for dossier in shown] == [["C1"], ["C2"]]
    assert [[each.case_id for each in dossier.cases] for dossier in shown] == [[each] for each in by_sub_shop.values()]


async def test_an_order_shows_its_own_claims_only(rig: Rig, agent: Actor) -> None:
    await a_pair(rig)
    async with rig.database.reading() as connection:
        ids = list(await connection.scalars(select(orders.c.id).where(orders.c.order_no == "N-1").order_by("sub_shop")))

    shown = [await read_order(rig, actor=agent, order_id=order_id) for order_id in ids]

    assert [[each.claim_no for each in dossier.claims] for dossier in shown] == [["C1"], ["C2"]]


async def test_what_ends_for_one_goes_on_for_the_other(rig: Rig) -> None:
    await a_pair(rig)

    done = claim("N-1", "N-1-1", claim_no="C2", quantity=1, round="2", state=ClaimState.DONE)
    await rig.write("alpha-main", order("N-1", line("N-1-1", name="모자"), claims=(done,), sub_shop="2"))

    assert [(row.sub_shop, row.is_open) for row in await cases_of(rig)] == [("1", True), ("2", False)]
