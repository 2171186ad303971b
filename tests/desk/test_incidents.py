"""One matter of many cases: raised when it is far more than usual, never over different products, closed when quiet."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from hub.core.model import ClaimKind, ClaimReason, Inquiry, InquiryKind, Line, Order
from hub.desk.access import Actor, ForbiddenError
from hub.desk.shops.incidents import Rule, evaluate, read_incident, read_incidents
from hub.desk.worklist.rows import Filters, read_worklist
from hub.store.tables import incident_cases, order_twins, orders
from tests.desk.invented import NOW, Rig, claim, inquiry, line, order

RULE = Rule(least=5, hours=24, ratio=3.0)


def sold(number: str, *, sku: str | None = "SKU-1", code: str | None = "P1", name: str = "린넨 셔츠") -> Line:
    made = line(f"{number}-1", name=name)
    product = msgspec.structs.replace(made.product, seller_sku=sku, code=code)
    return msgspec.structs.replace(made, product=product)


def claimed(number: str, *, hours_ago: float = 1, reason: ClaimReason = ClaimReason.DEFECT, **of: Any) -> Order:
    made = sold(number, **of)
    at = NOW - timedelta(hours=hours_ago)
    about = claim(number, made.line_no, kind=ClaimKind.RETURN, reason=reason, requested_at=at)
    return order(number, made, claims=(about,), ordered_at=NOW - timedelta(days=40))


def asked(number: str, *, hours_ago: float = 1, **more: Any) -> Inquiry:
    more.setdefault("product_code", "P1")
    more.setdefault("category", "불량")
    kind = InquiryKind.PRODUCT_INQUIRY
    return inquiry(number, "흠집이 있어요", kind=kind, asked_at=NOW - timedelta(hours=hours_ago), **more)


async def counts(rig: Rig, supervisor: Actor) -> list[tuple[int, bool]]:
    return [(each.count, each.closed_at is None) for each in await read_incidents(rig, actor=supervisor)]


async def raise_them(rig: Rig) -> int:
    return (await evaluate(rig.database, rule=RULE, now=rig.now())).raised


async def test_five_cases_of_one_product_over_malls_are_one_incident(rig: Rig, supervisor: Actor) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}") for number in range(3)])
    await rig.write("japan-main", *[claimed(f"J{number}", code="J9", sku=" sku-1 ") for number in range(2)])

    assert await raise_them(rig) == 1

    (one,) = await read_incidents(rig, actor=supervisor)
    assert (one.count, one.open_cases, one.reason, one.usual) == (5, 5, "reason.defect", 0.0)
    assert [mark.mall for mark in one.marks] == ["alpha", "japan"]


@pytest.mark.parametrize(
    "others",
    [
        {"sku": "SKU-2"},
        {"reason": ClaimReason.WRONG_ITEM},
        {"hours_ago": 25},
        {"sku": None, "code": "P9"},
    ],
    ids=["another product", "another reason", "too long ago", "no sku, another code"],
)
async def test_what_differs_is_not_counted_together(rig: Rig, supervisor: Actor, others: dict[str, Any]) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}") for number in range(4)], claimed("B", **others))

    assert await raise_them(rig) == 0
    assert await counts(rig, supervisor) == []


async def test_the_same_product_code_of_two_shops_is_not_the_same_product(rig: Rig, supervisor: Actor) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}", sku=None) for number in range(4)])
    await rig.write("alpha-outlet", *[claimed(f"O{number}", sku="-") for number in range(4)])

    assert await raise_them(rig) == 0


@pytest.mark.parametrize("reason", [ClaimReason.UNKNOWN, ClaimReason.OTHER])
async def test_an_unknown_reason_is_no_reason_in_common(rig: Rig, reason: ClaimReason) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}", reason=reason) for number in range(9)])

    assert await raise_them(rig) == 0


async def test_one_customer_with_five_pieces_is_no_incident(rig: Rig) -> None:
    pieces = [msgspec.structs.replace(sold("A"), line_no=f"A-{number}") for number in range(6)]
    returned = [
        claim("A", piece.line_no, kind=ClaimKind.RETURN, reason=ClaimReason.DEFECT, requested_at=NOW)
        for piece in pieces
    ]
    await rig.write("alpha-main", order("A", *pieces, claims=tuple(returned)))

    assert await raise_them(rig) == 0


async def test_a_copy_of_an_order_does_not_count_beside_it(rig: Rig) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}") for number in range(3)])
    await rig.write("alpha-outlet", *[claimed(f"C{number}") for number in range(3)])
    async with rig.database.writing() as connection:
        ids = {row.order_no: row.id for row in await connection.execute(select(orders.c.order_no, orders.c.id))}
        pairs = [{"order_id": ids[f"C{number}"], "original_id": ids[f"A{number}"]} for number in range(3)]
        await connection.execute(order_twins.insert(), pairs)

    assert await raise_them(rig) == 0


@pytest.mark.parametrize(("before", "is_raised"), [(0, True), (40, True), (60, False), (200, False)])
async def test_what_comes_as_often_as_ever_is_no_incident(rig: Rig, before: int, is_raised: bool) -> None:
    """Six a day against a usual of ``before`` in 28 days: three times is 18 in 9 days."""
    usual = [claimed(f"U{number}", hours_ago=30 + number * 3) for number in range(before)]
    await rig.write("alpha-main", *usual, *[claimed(f"A{number}") for number in range(6)])

    assert await raise_them(rig) == int(is_raised)


async def test_evaluating_again_changes_nothing_and_new_cases_join(rig: Rig, supervisor: Actor, agent: Actor) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}") for number in range(5)])
    assert [await raise_them(rig) for _ in range(3)] == [1, 0, 0]

    rig.at = NOW + timedelta(hours=2)
    await rig.write("alpha-outlet", claimed("L1", hours_ago=0.5), claimed("L2", hours_ago=0.2))
    assert await raise_them(rig) == 0

    assert await counts(rig, supervisor) == [(7, True)]
    rows = (await read_worklist(rig, actor=agent, filters=Filters())).rows
    assert {row.incident.count for row in rows if row.incident} == {7}
    assert len(rows) == 7


async def test_it_closes_when_quiet_and_opens_anew_as_another(rig: Rig, supervisor: Actor, agent: Actor) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}") for number in range(5)])
    await raise_them(rig)

    rig.at = NOW + timedelta(hours=22)
    await raise_them(rig)
    assert await counts(rig, supervisor) == [(5, True)]
    rig.at = NOW + timedelta(hours=24)
    assert (await evaluate(rig.database, rule=RULE, now=rig.at)).closed == 1

    rows = (await read_worklist(rig, actor=agent, filters=Filters())).rows
    assert [row.incident for row in rows] == [None] * 5
    rig.at = NOW + timedelta(hours=100)
    later = [claimed(f"B{number}", hours_ago=-99) for number in range(5)]
    await rig.write("alpha-main", *later)
    assert await raise_them(rig) == 1
    assert await counts(rig, supervisor) == [(5, True), (5, False)]


async def test_questions_about_one_product_count_by_its_sku(rig: Rig, supervisor: Actor) -> None:
    await rig.write("alpha-main", order("X", sold("X", code="P1")))
    await rig.write("japan-main", order("Y", sold("Y", code="J1")))
    await rig.write("alpha-main", *[asked(f"Q{number}") for number in range(3)])
    await rig.write("japan-main", *[asked(f"R{number}", product_code="J1") for number in range(2)])

    assert await raise_them(rig) == 1

    (one,) = await read_incidents(rig, actor=supervisor)
    assert (one.count, one.reason) == (5, "text:불량")


async def test_the_page_of_one_shows_each_case_once(rig: Rig, supervisor: Actor, agent: Actor) -> None:
    await rig.write("alpha-main", *[claimed(f"A{number}") for number in range(6)])
    await raise_them(rig)
    (one,) = await read_incidents(rig, actor=supervisor)

    shown = await read_incident(rig, actor=agent, incident_id=one.incident_id)

    assert shown is not None
    assert sorted(row.order_no or "" for row in shown.cases) == [f"A{number}" for number in range(6)]
    assert await read_incident(rig, actor=agent, incident_id=1) is None
    with pytest.raises(ForbiddenError):
        await read_incidents(rig, actor=agent)
    async with rig.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(incident_cases)) == 6
