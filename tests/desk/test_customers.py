"""A person over malls: found by number and address, confirmed and split by agents, marked, with what was given."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core.model import Party
from hub.desk.access import Actor, ForbiddenError
from hub.desk.cases.case import NotFoundError, read_case
from hub.desk.customers.identity import Identity, RecordKind, RecordRef, Standing, read_ref, shared_keys
from hub.desk.customers.links import LinkError, Verdict, components, decide, undo
from hub.desk.customers.marks import MarkError, clear, list_marks, mark
from hub.desk.customers.views import MarkBadge, MarkKind
from hub.desk.views import CaseView
from hub.desk.worklist.rows import Filters, read_worklist
from hub.store.tables import customer_links, customer_marks, orders
from tests.desk.invented import NOW, Rig, claim, line, order

HONG = "010-1234-5678"
S = Standing


async def _order(rig: Rig, shop: str, number: str, name: str, *, phone: str | None, email: str | None = None) -> None:
    buyer = Party(name=name, phone=phone, email=email)
    wanted = order(number, line(f"{number}-1"), claims=(claim(number, f"{number}-1"),), buyer=buyer, receiver=buyer)
    await rig.write(shop, wanted)


async def _ref(rig: Rig, number: str) -> RecordRef:
    async with rig.database.reading() as connection:
        found = await connection.scalar(select(orders.c.id).where(orders.c.order_no == number))
    assert found is not None
    return RecordRef(kind=RecordKind.ORDER, id=found)


async def _case(rig: Rig, actor: Actor, shop: str, number: str) -> CaseView:
    return await read_case(rig, actor=actor, case_id=await rig.case_id(shop, order_no=number))


async def _standings(rig: Rig, actor: Actor, number: str, shop: str = "alpha-main") -> dict[str, str]:
    view = await _case(rig, actor, shop, number)
    return {other.order_no: other.standing for other in view.dossier.others}


async def _decide(rig: Rig, actor: Actor, one: str, other: str, verdict: Verdict = Verdict.SAME) -> None:
    await decide(rig, actor=actor, one=await _ref(rig, one), other=await _ref(rig, other), verdict=verdict)


@pytest.fixture
async def people(rig: Rig) -> Rig:
    """Hong orders under a number, and in Japan under another with the same address; Lee shares Hong's number."""
    await _order(rig, "alpha-main", "A-1", "홍길동", phone=HONG, email="hong@example.com")
    await _order(rig, "alpha-outlet", "B-1", "홍길동", phone="+82 10 1234 5678")
    await _order(rig, "japan-main", "J-1", "洪吉童", phone="090-1111-2222", email="hong@example.com")
    await _order(rig, "alpha-outlet", "B-2", "이수연", phone=HONG)
    return rig


async def test_a_case_says_how_sure_each_other_order_is(people: Rig, agent: Actor):
    assert await _standings(people, agent, "A-1") == {"B-1": S.SAME, "J-1": S.PERHAPS, "B-2": S.PERHAPS}


async def test_confirmed_and_split_are_told_apart_and_taken_back(people: Rig, agent: Actor):
    await _decide(people, agent, "A-1", "J-1")
    await _decide(people, agent, "A-1", "B-2", Verdict.DIFFERENT)

    assert await _standings(people, agent, "A-1") == {"B-1": S.SAME, "J-1": S.CONFIRMED}
    # From the other end, and over the confirmation: who was split off Hong is split off his Japanese self.
    assert await _standings(people, agent, "J-1", "japan-main") == {"A-1": S.CONFIRMED, "B-1": S.CONFIRMED}
    view = await _case(people, agent, "alpha-main", "A-1")
    assert view.dossier.customer is not None
    assert (view.dossier.customer.confirmed, view.dossier.customer.split) == (1, 1)

    async with people.database.reading() as connection:
        made = (await connection.execute(select(customer_links).order_by(customer_links.c.id))).all()
    assert [(row.verdict, row.decided_by) for row in made] == [("same", 11), ("different", 11)]
    people.at = NOW + timedelta(hours=1)
    for row in made:
        await undo(people, actor=agent, link_id=row.id)
        await undo(people, actor=agent, link_id=row.id)
    assert await _standings(people, agent, "A-1") == {"B-1": S.SAME, "J-1": S.PERHAPS, "B-2": S.PERHAPS}
    async with people.database.reading() as connection:
        kept = (await connection.execute(select(customer_links))).all()
    assert {row.undone_by for row in kept} == {11}
    assert len(kept) == 2


async def test_only_confirmations_carry_on(people: Rig, agent: Actor):
    await _order(people, "alpha-outlet", "C-1", "박하나", phone="010-7777-8888")
    await _decide(people, agent, "J-1", "C-1")

    # Hong and his Japanese self share an address, but nobody has confirmed it: Park is not his.
    assert "C-1" not in await _standings(people, agent, "A-1")

    await _decide(people, agent, "A-1", "J-1")
    assert (await _standings(people, agent, "A-1"))["C-1"] == S.CONFIRMED


async def test_a_decision_against_another_one_is_refused(people: Rig, agent: Actor):
    await _decide(people, agent, "A-1", "J-1")
    await _decide(people, agent, "J-1", "B-2")
    with pytest.raises(LinkError) as joined:
        await _decide(people, agent, "A-1", "B-2", Verdict.DIFFERENT)
    assert joined.value.key == "notice.customer_joined"

    await _order(people, "alpha-outlet", "C-1", "박하나", phone="010-7777-8888")
    await _decide(people, agent, "C-1", "B-2", Verdict.DIFFERENT)
    await _decide(people, agent, "C-1", "B-2", Verdict.DIFFERENT)
    with pytest.raises(LinkError) as apart:
        await _decide(people, agent, "C-1", "A-1")
    assert apart.value.key == "notice.customer_told_apart"
    with pytest.raises(LinkError) as itself:
        await _decide(people, agent, "A-1", "B-1")
    assert itself.value.key == "notice.customer_is_same"
    with pytest.raises(NotFoundError):
        await decide(
            people,
            actor=agent,
            one=await _ref(people, "A-1"),
            other=RecordRef(kind=RecordKind.ORDER, id=1),
            verdict=Verdict.SAME,
        )


async def test_a_number_of_many_names_joins_nobody_by_itself(people: Rig, agent: Actor):
    for number, name in enumerate(("박하나", "최두리", "정세영")):
        await _order(people, "alpha-outlet", f"F-{number}", name, phone=HONG)

    found = await _standings(people, agent, "A-1")

    assert (found["B-1"], found["J-1"], found["B-2"], found["F-0"]) == (S.SAME, S.PERHAPS, S.WEAK, S.WEAK)
    view = await _case(people, agent, "alpha-main", "A-1")
    assert view.dossier.customer is not None
    assert view.dossier.customer.is_shared


async def test_a_mark_shows_on_case_and_list_until_it_ends(people: Rig, agent: Actor, supervisor: Actor):
    ref = await _ref(people, "A-1")
    with pytest.raises(MarkError, match="reason_missing"):
        await mark(people, actor=agent, ref=ref, kind=MarkKind.ABUSE, reason=" ", days=30)
    with pytest.raises(MarkError, match="without_end"):
        await mark(people, actor=agent, ref=ref, kind=MarkKind.ABUSE, reason="욕설", days=None)
    with pytest.raises(MarkError, match="days"):
        await mark(people, actor=agent, ref=ref, kind=MarkKind.ABUSE, reason="욕설", days=366)
    for _ in range(2):
        await mark(people, actor=agent, ref=ref, kind=MarkKind.ABUSE, reason="욕설 010-1234-5678", days=30)
    await mark(people, actor=agent, ref=ref, kind=MarkKind.HARD_CASE, reason="세 번째 불량", days=None)

    view = await _case(people, agent, "alpha-main", "A-1")
    assert view.dossier.customer is not None
    abuse = next(each for each in view.dossier.customer.marks if each.kind is MarkKind.ABUSE)
    assert "1234" not in abuse.reason
    assert (abuse.until, abuse.is_sure) == (NOW + timedelta(days=30), True)
    badges = await _badges(people, agent)
    sure = (MarkBadge(kind=MarkKind.ABUSE, is_sure=True), MarkBadge(kind=MarkKind.HARD_CASE, is_sure=True))
    unsure = tuple(MarkBadge(kind=badge.kind, is_sure=False) for badge in sure)
    assert badges == {"A-1": sure, "B-1": sure, "B-2": unsure}

    await _decide(people, agent, "A-1", "J-1")
    await _decide(people, agent, "A-1", "B-2", Verdict.DIFFERENT)
    badges = await _badges(people, agent)
    assert badges == {"A-1": sure, "B-1": sure, "J-1": sure}

    people.at = NOW + timedelta(days=31)
    assert {number: [one.kind for one in found] for number, found in (await _badges(people, agent)).items()} == {
        number: [MarkKind.HARD_CASE] for number in ("A-1", "B-1", "J-1")
    }
    listed = await list_marks(people, actor=supervisor)
    assert [(each.kind, each.is_over) for each in listed.marks] == [(MarkKind.HARD_CASE, False), (MarkKind.ABUSE, True)]
    assert listed.in_force == 1
    async with people.database.reading() as connection:
        stored = (await connection.execute(select(customer_marks))).all()
    assert len(stored) == 2
    assert all("욕설".encode() not in row.reason_sealed for row in stored)


async def _badges(rig: Rig, actor: Actor) -> dict[str | None, tuple[MarkBadge, ...]]:
    found = await read_worklist(rig, actor=actor, filters=Filters())
    return {row.order_no: row.badges for row in found.rows if row.badges}


async def test_abuse_is_cleared_by_who_marked_it_or_a_supervisor(people: Rig, agent: Actor, supervisor: Actor):
    ref = await _ref(people, "A-1")
    await mark(people, actor=agent, ref=ref, kind=MarkKind.ABUSE, reason="욕설", days=30)
    (found,) = (await list_marks(people, actor=agent)).marks
    other = Actor(user_id=99, login="choi", name="최", role=agent.role)
    with pytest.raises(ForbiddenError):
        await clear(people, actor=other, mark_id=found.mark_id, reason="오해")
    with pytest.raises(MarkError):
        await clear(people, actor=supervisor, mark_id=found.mark_id, reason="")
    with pytest.raises(NotFoundError):
        await clear(people, actor=supervisor, mark_id=1, reason="오해")

    await clear(people, actor=supervisor, mark_id=found.mark_id, reason="오해")

    (after,) = (await list_marks(people, actor=agent)).marks
    assert (after.is_over, after.cleared_reason, after.cleared_at) == (True, "오해", NOW)
    assert await _badges(people, agent) == {}


def test_components_put_everybody_in_one_set():
    assert components([1, 2, 3, 4], [(1, 2), (3, 2)]) == [{1, 2, 3}, {4}]


def test_a_shared_key_has_more_names_than_a_household():
    found = [Identity(phone=b"p", name=name) for name in (b"a", b"b", b"c", b"")]
    assert shared_keys(found) == frozenset()
    assert shared_keys([*found, Identity(phone=b"p", name=b"d")]) == {b"p"}


@pytest.mark.parametrize("text", ["", "order", "order-", "order-x", "shop-1", "order-１", f"order-{10**19}"])
def test_what_names_no_record_is_no_ref(text: str):
    assert read_ref(text) is None
