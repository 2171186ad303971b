from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from hub.core.model import ClaimKind, InquiryKind
from hub.desk.access import Actor, Permission, Role, require
from hub.desk.worklist.case_counts import count_cases
from hub.desk.worklist.rows import (
    KINDS,
    PAGE,
    Filters,
    KindGroup,
    View,
    count_new,
    read_worklist,
)
from hub.store.database import to_ms
from hub.store.tables import cases
from hub.sync.cases import NEVER
from tests.desk.invented import NOW, Rig, new_case_row, order
from tests.statements import sent_to


async def _insert(rig: Rig, count: int, *, shop: str = "alpha-main", due: int | None = None) -> None:
    base = to_ms(NOW) or 0
    rows = [
        # Many share a deadline: the order within it must hold as well.
        new_case_row(rig, shop, number, due_at=due if due is not None else base + number // 7 * 60_000)
        for number in range(count)
    ]
    if not rows:
        return
    async with rig.database.writing() as connection:
        await connection.execute(cases.insert(), rows)


async def _all(rig: Rig, actor: Actor, filters: Filters) -> list[int]:
    seen: list[int] = []
    cursor = None
    while True:
        page = await read_worklist(rig, actor=actor, filters=filters, cursor=cursor)
        seen += [row.case_id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return seen


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 3 * PAGE + 20])
@pytest.mark.parametrize("view", [View.OPEN, View.CLOSED])
async def test_pages_hold_every_case_once_in_order(rig: Rig, agent: Actor, count: int, view: View) -> None:
    await _insert(rig, count)
    if view is View.CLOSED:
        async with rig.database.writing() as connection:
            await connection.execute(update(cases).values(is_open=False, due_at=NEVER))

    seen = await _all(rig, agent, Filters(view=view))

    assert len(seen) == len(set(seen)) == count


async def test_a_case_that_comes_while_paging_moves_no_other(rig: Rig, agent: Actor) -> None:
    await _insert(rig, 2 * PAGE)
    before = await _all(rig, agent, Filters())
    first = await read_worklist(rig, actor=agent, filters=Filters())

    await _insert_other(rig, due=(to_ms(NOW) or 0) - 1)
    second = await read_worklist(rig, actor=agent, filters=Filters(), cursor=first.next_cursor)

    assert [row.case_id for row in (*first.rows, *second.rows)] == before


async def _insert_other(rig: Rig, *, due: int) -> None:
    async with rig.database.writing() as connection:
        await connection.execute(cases.insert(), [new_case_row(rig, "japan-main", 1, due_at=due)])


@pytest.mark.parametrize(
    "cursor", ["", "1", "1.", ".1", "x.y", "-1.2", "1.2.3", "１.2", f"{2**63}.1", f"1.{2**64}", "1.2; drop table cases"]
)
async def test_a_foreign_cursor_is_refused(rig: Rig, agent: Actor, cursor: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        await read_worklist(rig, actor=agent, filters=Filters(), cursor=cursor)


async def test_every_filter_shows_exactly_its_cases(sample: Rig, agent: Actor) -> None:
    async def shown(**filters: object) -> set[tuple[str, str]]:
        page = await read_worklist(sample, actor=agent, filters=Filters(**filters))  # type: ignore[arg-type]
        return {(row.shop, row.kind) for row in page.rows}

    everything = {
        ("alpha-main", "cancel"),
        ("alpha-main", "return"),
        ("alpha-main", "order_inquiry"),
        ("japan-main", "cancel"),
    }
    assert await shown() == everything
    assert await shown(shop="japan-main") == {("japan-main", "cancel")}
    assert await shown(mall="alpha") == everything - {("japan-main", "cancel")}
    assert await shown(kind=KindGroup.CANCEL) == {("alpha-main", "cancel"), ("japan-main", "cancel")}
    assert await shown(kind=KindGroup.INQUIRY) == {("alpha-main", "order_inquiry")}
    assert await shown(state="collected") == {("alpha-main", "return")}
    assert await shown(view=View.OVERDUE) == {("alpha-main", "return"), ("alpha-main", "order_inquiry")}
    assert await shown(view=View.CLOSED) == {("alpha-outlet", "cancel"), ("alpha-main", "product_inquiry")}
    assert await shown(view=View.MINE) == set()
    assert await shown(assignee=99) == set()
    assert await shown(mall="nowhere") == set()


async def test_the_counts_are_those_of_the_lists(sample: Rig, agent: Actor) -> None:
    await _insert(sample, 5, shop="alpha-outlet", due=(to_ms(NOW) or 0) - 1)
    async with sample.database.writing() as connection:
        await connection.execute(update(cases).where(cases.c.state == "collected").values(assignee_id=agent.user_id))

    counts = await count_cases(sample, actor=agent)

    for view, count in counts.views.items():
        assert count == len(await _all(sample, agent, Filters(view=view))), view
    for kind, count in counts.kinds.items():
        assert count == len(await _all(sample, agent, Filters(kind=kind))), kind
    for shop, count in counts.shops.items():
        assert count == len(await _all(sample, agent, Filters(shop=shop))), shop
    for mall, count in counts.malls.items():
        assert count == len(await _all(sample, agent, Filters(mall=mall))), mall
    assert counts.views[View.MINE] == 1


async def test_a_question_asked_again_is_answered_for_its_own_words(sample: Rig, agent: Actor) -> None:
    await _insert(sample, 5, shop="alpha-outlet")
    whole = await _all(sample, agent, Filters())
    nobody = replace(agent, user_id=None)

    for shop in ("alpha-main", "alpha-outlet", "nowhere", "alpha-main"):
        wanted = Filters(shop=shop)
        listed = await _all(sample, agent, wanted)
        counts = await count_cases(sample, actor=agent, saved=[wanted, Filters(shop="alpha-outlet")])

        assert counts.saved == (len(listed), 5)
        assert counts.shops.get(shop, 0) == len(listed)
        assert await count_new(sample, actor=agent, filters=wanted, since=0) == len(listed)
        assert await _all(sample, nobody, wanted) == listed == [one for one in whole if one in listed]


async def test_a_day_ends_at_the_centres_midnight(rig: Rig, agent: Actor) -> None:
    midnight_in_seoul = NOW.replace(hour=15, minute=0)
    for number, at in enumerate((midnight_in_seoul - timedelta(milliseconds=1), midnight_in_seoul)):
        async with rig.database.writing() as connection:
            await connection.execute(cases.insert(), [new_case_row(rig, "alpha-main", number, due_at=to_ms(at) or 0)])

    page = await read_worklist(rig, actor=agent, filters=Filters(view=View.TODAY))

    assert [row.order_no for row in page.rows] == ["X0"]


async def test_new_cases_are_counted_from_the_lists_own_marker(rig: Rig, agent: Actor) -> None:
    await _insert(rig, 3)
    page = await read_worklist(rig, actor=agent, filters=Filters())
    assert await count_new(rig, actor=agent, filters=Filters(), since=page.newest) == 0

    await rig.write("japan-main", order("J-9"))
    await _insert(rig, 2, shop="alpha-outlet")

    assert await count_new(rig, actor=agent, filters=Filters(), since=page.newest) == 2
    assert await count_new(rig, actor=agent, filters=Filters(shop="alpha-main"), since=page.newest) == 0


async def test_a_page_costs_the_same_few_statements_however_long(rig: Rig, agent: Actor) -> None:
    await _insert(rig, PAGE)

    with sent_to(rig.database) as statements:
        await read_worklist(rig, actor=agent, filters=Filters())

    # the cases that are back, the others, where copied orders were placed, the incidents, the questions to contacts,
    # and the marks of the customers
    assert len(statements) == 6


async def test_a_case_without_a_deadline_comes_last_and_shows_none(rig: Rig, agent: Actor) -> None:
    await _insert(rig, 1, due=NEVER)
    await _insert(rig, 1, shop="japan-main")

    page = await read_worklist(rig, actor=agent, filters=Filters())

    assert [(row.shop, row.due is None) for row in page.rows] == [("japan-main", False), ("alpha-main", True)]


async def test_a_shop_whose_connector_is_gone_keeps_its_cases(sample: Rig, agent: Actor) -> None:
    sample.registry = type(sample.registry)({})

    page = await read_worklist(sample, actor=agent, filters=Filters())

    assert {row.mark.letter for row in page.rows} == {"A", "J"}


def test_every_kind_belongs_to_one_group() -> None:
    grouped = [kind for kinds in KINDS.values() for kind in kinds]

    assert sorted(grouped) == sorted({*ClaimKind, *InquiryKind, "call"})


@pytest.mark.parametrize(
    ("role", "missing"),
    [
        (Role.AGENT, set(Permission) - {Permission.WORK_CASES, Permission.UNMASK}),
        (Role.SUPERVISOR, {Permission.MANAGE_USERS, Permission.MANAGE_SHOPS}),
        (Role.ADMIN, set()),
    ],
)
def test_each_role_may_what_the_table_says(role: Role, missing: set[Permission]) -> None:
    actor = Actor(user_id=1, login="x", name="x", role=role)

    assert {permission for permission in Permission if not actor.may(permission)} == missing
    require(actor, Permission.WORK_CASES)
