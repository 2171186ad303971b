"""What cases are about: a statement over many says of each what its page says, and teams get theirs by it."""

from sqlalchemy import select

from hub.core.model import ClaimReason
from hub.desk.access import Actor, Role
from hub.desk.asks.contact import likely_matter
from hub.desk.care.complaints import mark_hard
from hub.desk.cases.case import read_case
from hub.desk.worklist.filters import KindGroup
from hub.desk.worklist.matters import TOLD, is_about
from hub.desk.worklist.teams import TeamGiven, save_team, tend_teams
from hub.store.tables import cases
from routing.chain import Matter
from tests.desk.invented import Rig, claim, inquiry, line, order

LEE = Actor(user_id=12, login="lee", name="이", role=Role.SUPERVISOR)


async def _about(rig: Rig, matter: Matter) -> set[int]:
    async with rig.database.reading() as connection:
        return set(await connection.scalars(select(cases.c.id).where(cases.c.is_open, is_about([matter]))))


async def _fill(rig: Rig) -> int:
    """Open cases of every matter that is told; returns the id of one that is marked as hard."""
    reasons = (ClaimReason.OUT_OF_STOCK, ClaimReason.LATE, ClaimReason.DAMAGED, ClaimReason.CHANGE_OF_MIND)
    orders = [
        order(f"M-{place}", line(f"M-{place}-1"), claims=(claim(f"M-{place}", f"M-{place}-1", reason=reason),))
        for place, reason in enumerate(reasons)
    ]
    await rig.write("alpha-main", *orders, inquiry("M-Q", "언제 오나요?"))
    hard, calmed = [await rig.case_id("alpha-main", order_no=f"M-{place}") for place in (1, 2)]
    for case_id, *marks in ((hard, True), (calmed, True, False)):
        for is_hard in marks:
            await mark_hard(rig, actor=LEE, case_id=case_id, text="x", is_hard=is_hard)
    return hard


async def test_a_statement_says_of_each_case_what_its_page_says(sample: Rig):
    hard = await _fill(sample)

    found = {matter: await _about(sample, matter) for matter in TOLD}

    assert found[Matter.HARD_CASE] == {hard}
    assert {matter for matter in TOLD if found[matter]} >= {Matter.STOCK, Matter.DEFECT, Matter.DISPATCH_DELAY}
    async with sample.database.reading() as connection:
        ids = set(await connection.scalars(select(cases.c.id).where(cases.c.is_open)))
    assert sum(map(len, found.values())) == len(ids), "each is about one"
    for case_id in ids:
        matter = likely_matter(await read_case(sample, actor=LEE, case_id=case_id))
        assert case_id in found[matter], matter


async def test_a_team_gets_the_cases_of_its_matters(sample: Rig):
    await _fill(sample)
    cancels = await save_team(sample, actor=LEE, given=TeamGiven(name="취소", kinds=[KindGroup.CANCEL]))
    defects = await save_team(
        sample, actor=LEE, given=TeamGiven(name="불량", kinds=[KindGroup.CANCEL], matters=[Matter.DEFECT])
    )
    hot = await save_team(sample, actor=LEE, given=TeamGiven(name="강성", matters=[Matter.HARD_CASE, Matter.OTHER]))

    await tend_teams(sample)

    async with sample.database.reading() as connection:
        rows = (await connection.execute(select(cases.c.order_no, cases.c.team_id).where(cases.c.is_open))).all()
    team_of = {row.order_no: row.team_id for row in rows if row.order_no}
    assert team_of["M-0"] == team_of["M-3"] == cancels
    assert team_of["M-2"] == defects, "the narrower rule"
    assert team_of["M-1"] == cancels, "of equals the oldest"
    assert hot not in team_of.values()
