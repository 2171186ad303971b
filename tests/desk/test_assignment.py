"""Teams, hand-overs, snoozes, mentions and own views, on either kind of database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.cases.case import NotFoundError, read_case
from hub.desk.cases.notes import NoteError, add_note
from hub.desk.presence import set_away, tell_present
from hub.desk.worklist.assign import assign_many, hand_over_cases, queue_many, take
from hub.desk.worklist.board import read_board
from hub.desk.worklist.case_counts import count_cases
from hub.desk.worklist.filters import Filters, KindGroup, View, filter_values, filters_of
from hub.desk.worklist.rows import PAGE, read_worklist
from hub.desk.worklist.saved_views import ViewError, read_views, remove_view, save_view
from hub.desk.worklist.seen import look_at, mark_seen
from hub.desk.worklist.snooze import snooze, tell_came_back, wake
from hub.desk.worklist.teams import TeamError, TeamGiven, read_teams, remove_team, save_team, tend_teams
from hub.policy.due import Due, DueCause
from hub.store.database import to_ms
from hub.store.tables import case_notes, cases, live_events, users
from tests.desk.invented import NOW, Rig, new_case_row
from tests.statements import sent_to

KIM = Actor(user_id=11, login="kim", name="김상담", role=Role.AGENT)
LEE = Actor(user_id=12, login="lee", name="이슈퍼", role=Role.SUPERVISOR)
PARK = Actor(user_id=13, login="park", name="박상담", role=Role.AGENT)


@pytest.fixture
async def staffed(rig: Rig) -> Rig:
    """Three people, and six cancels: four on the main shop, two in Japan; due hour after hour."""
    people = [
        {
            "id": actor.user_id,
            "login": actor.login,
            "name": actor.name,
            "role": actor.role.value,
            "password_hash": "-",
            "locale": "ko",
            "is_active": True,
            "failed_logins": 0,
            "created_at": to_ms(NOW),
        }
        for actor in (KIM, LEE, PARK)
    ]
    rows = [_row(rig, "alpha-main", number) for number in range(4)] + [_row(rig, "japan-main", 4 + n) for n in range(2)]
    async with rig.database.writing() as connection:
        await connection.execute(users.insert(), people)
        await connection.execute(cases.insert(), rows)
    return rig


def _row(rig: Rig, shop: str, number: int, **changes: Any) -> dict[str, Any]:
    due = NOW + timedelta(hours=number + 1)
    return {**new_case_row(rig, shop, number, due_at=to_ms(due) or 0), **changes}


async def _ids(rig: Rig, actor: Actor = KIM, **filters: Any) -> list[int]:
    page = await read_worklist(rig, actor=actor, filters=Filters(**filters))
    return [row.case_id for row in page.rows]


async def _owner(rig: Rig, case_id: int) -> tuple[int | None, int | None]:
    async with rig.database.reading() as connection:
        row = (await connection.execute(select(cases).where(cases.c.id == case_id))).one()
    return row.assignee_id, row.team_id


async def _has_law(rig: Rig, case_id: int, at: datetime) -> None:
    law = Due(at=at, cause=DueCause.LAW, source="act", label_key="due.law.refund", counted_from=NOW)
    async with rig.database.writing() as connection:
        await connection.execute(
            update(cases).where(cases.c.id == case_id).values(due_all=msgspec.json.encode([law]).decode())
        )


async def test_many_are_given_at_once_and_others_cases_stay_theirs(staffed: Rig) -> None:
    first, second, third, *_ = await _ids(staffed)
    await take(staffed, actor=PARK, case_id=third)

    taken = await assign_many(staffed, actor=KIM, case_ids=[first, second, third, first, 5], user_id=11)
    assert (taken.changed, taken.left) == ((first, second), 2)
    assert (await assign_many(staffed, actor=KIM, case_ids=[first], user_id=11)).changed == ()

    given = await assign_many(staffed, actor=KIM, case_ids=[first, third], user_id=13)
    assert (given.changed, given.left) == ((first,), 0)
    assert await _ids(staffed, PARK, view=View.MINE) == [first, third]

    moved = await assign_many(staffed, actor=LEE, case_ids=[first, third], user_id=12)
    assert moved.changed == (first, third)
    with pytest.raises(NotFoundError):
        await assign_many(staffed, actor=LEE, case_ids=[first], user_id=99)
    entries = (await read_case(staffed, actor=KIM, case_id=first)).dossier.timeline
    assert [(entry.key, entry.author, dict(entry.words)["to"]) for entry in entries if "moved" in entry.key] == [
        ("event.moved_taken", "김상담", "김상담"),
        ("event.moved_assigned", "김상담", "박상담"),
        ("event.moved_taken", "이슈퍼", "이슈퍼"),
    ]


async def test_a_shift_is_handed_over_with_a_note(staffed: Rig) -> None:
    first, second, *_ = await _ids(staffed)
    await assign_many(staffed, actor=KIM, case_ids=[first, second], user_id=11)
    await snooze(staffed, actor=KIM, case_ids=[second], until=NOW + timedelta(hours=5))

    with pytest.raises(ForbiddenError):
        await hand_over_cases(staffed, actor=KIM, from_id=13, to_id=11)
    assert await hand_over_cases(staffed, actor=KIM, to_id=13, note="010-1234-5678 에 전화") == 2
    assert await hand_over_cases(staffed, actor=KIM, to_id=13) == 0

    assert [await _owner(staffed, case_id) for case_id in (first, second)] == [(13, None), (13, None)]
    (handed,) = [
        entry
        for entry in (await read_case(staffed, actor=PARK, case_id=first)).dossier.timeline
        if entry.key == "event.moved_handed"
    ]
    assert handed.text == "010-••••-5678 에 전화" or "1234" not in (handed.text or "")


async def test_a_snoozed_case_sleeps_is_counted_and_is_back_on_top(staffed: Rig) -> None:
    ids = await _ids(staffed)
    last = ids[-1]
    until = NOW + timedelta(minutes=30)
    assert (await snooze(staffed, actor=KIM, case_ids=[last], until=until)).changed == (last,)

    assert (await _ids(staffed), await _ids(staffed, view=View.SNOOZED)) == (ids[:-1], [last])
    counts = await count_cases(staffed, actor=KIM)
    assert (counts.views[View.OPEN], counts.views[View.SNOOZED], counts.views[View.MINE]) == (5, 1, 0)
    assert await _owner(staffed, last) == (11, None), "nothing sleeps that nobody has"
    assert await tell_came_back(staffed, since=NOW) == ()

    staffed.at = until
    assert await tell_came_back(staffed, since=NOW) == (last,)
    page = await read_worklist(staffed, actor=KIM, filters=Filters())
    assert [row.case_id for row in page.rows] == [last, *ids[:-1]]
    assert page.rows[0].due is not None
    assert page.rows[0].due.at == NOW + timedelta(hours=6)
    assert (await count_cases(staffed, actor=KIM)).views[View.OPEN] == 6

    await look_at(staffed, actor=KIM, case_id=last)
    assert await _ids(staffed) == ids, "received, and in its place"


async def test_no_deadline_of_the_law_is_slept_through_and_news_wake(staffed: Rig) -> None:
    first, second, third, fourth, *_ = await _ids(staffed)
    await take(staffed, actor=PARK, case_id=fourth)
    await _has_law(staffed, first, NOW - timedelta(minutes=1))
    await _has_law(staffed, second, NOW + timedelta(hours=1))

    done = await snooze(staffed, actor=KIM, case_ids=[first, second, third, fourth], until=NOW + timedelta(hours=9))

    assert (done.changed, done.shortened, done.overdue, done.left) == ((second, third), (second,), (first,), 1)
    staffed.at = NOW + timedelta(hours=1)
    assert second in await _ids(staffed)
    async with staffed.database.writing() as connection:
        await connection.execute(update(cases).where(cases.c.id == third).values(updated_at=to_ms(staffed.at)))
    assert third in await _ids(staffed), "something of it changed"
    assert await wake(staffed, actor=KIM, case_ids=[third]) == 0
    with pytest.raises(ValueError, match="over"):
        await snooze(staffed, actor=KIM, case_ids=[third], until=staffed.at)


@pytest.mark.parametrize("count", [PAGE, PAGE + 3])
async def test_pages_with_many_that_are_back_hold_each_once(rig: Rig, count: int) -> None:
    back = {"snoozed_at": to_ms(NOW), "snoozed_until": to_ms(NOW), "assignee_id": 11}
    rows = [_row(rig, "alpha-main", number, **back) for number in range(count)]
    rows += [_row(rig, "alpha-main", count + number) for number in range(PAGE + 2)]
    async with rig.database.writing() as connection:
        await connection.execute(cases.insert(), [{"snoozed_at": None, "snoozed_until": None, **row} for row in rows])

    seen: list[int] = []
    cursor = None
    while True:
        page = await read_worklist(rig, actor=KIM, filters=Filters(), cursor=cursor)
        seen += [row.case_id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [row["id"] for row in rows]


async def test_a_mention_is_in_the_list_of_who_was_called_until_they_look(staffed: Rig) -> None:
    first = (await _ids(staffed))[0]
    async with staffed.database.writing() as connection:
        await connection.execute(update(cases).where(cases.c.id == first).values(is_open=False))

    noted = await add_note(staffed, actor=KIM, case_id=first, text="@park 010-1234-5678 확인 @kim @ghost", token="t")
    await add_note(staffed, actor=KIM, case_id=first, text="@park 다시", token="t")

    assert (noted.called, noted.unknown) == (("박상담", "김상담"), ("ghost",))
    assert await _ids(staffed, PARK, view=View.MENTIONED) == [first]
    assert (await count_cases(staffed, actor=PARK)).views[View.MENTIONED] == 1
    assert await _ids(staffed, KIM, view=View.MENTIONED) == [], "nobody calls themselves"
    async with staffed.database.reading() as connection:
        (sealed,) = await connection.scalars(select(case_notes.c.text_sealed))
        told = [row.body for row in await connection.execute(select(live_events)) if row.topic == "mention"]
    assert "확인".encode() not in sealed
    assert [msgspec.json.decode(body) for body in told] == [{"user_id": 13, "case_id": first}]
    case = await read_case(staffed, actor=PARK, case_id=first)
    (note,) = [entry for entry in case.dossier.timeline if entry.key == "event.note"]
    assert "1234" not in (note.text or "")

    await look_at(staffed, actor=PARK, case_id=first)
    assert await _ids(staffed, PARK, view=View.MENTIONED) == []
    for text in (" ", "x" * 2001):
        with pytest.raises(NoteError):
            await add_note(staffed, actor=KIM, case_id=first, text=text)


async def test_a_case_is_new_to_each_reader_until_seen_and_again_when_it_changes(staffed: Rig) -> None:
    first, second, *_ = await _ids(staffed)

    assert await mark_seen(staffed, actor=KIM, case_ids=[first, second, 5]) == 2
    assert await mark_seen(staffed, actor=KIM, case_ids=[first]) == 1

    async def new(actor: Actor) -> list[int]:
        page = await read_worklist(staffed, actor=actor, filters=Filters())
        return [row.case_id for row in page.rows if row.is_new]

    assert first not in await new(KIM)
    assert first in await new(PARK)
    async with staffed.database.writing() as connection:
        later = to_ms(NOW + timedelta(seconds=1))
        await connection.execute(update(cases).where(cases.c.id == first).values(updated_at=later))
    assert first in await new(KIM)


async def test_cases_come_to_their_team_and_are_dealt_to_who_is_there(staffed: Rig) -> None:
    with pytest.raises(ForbiddenError):
        await save_team(staffed, actor=KIM, given=TeamGiven(name="x"))
    japan = await save_team(
        staffed, actor=LEE, given=TeamGiven(name="일본", languages=["ja"], is_dealt=True, member_ids=[11, 13])
    )
    cancels = await save_team(staffed, actor=LEE, given=TeamGiven(name="취소", kinds=[KindGroup.CANCEL]))
    with pytest.raises(TeamError, match="exists"):
        await save_team(staffed, actor=LEE, given=TeamGiven(name=" 취소 "))
    for wrong in (TeamGiven(name=""), TeamGiven(name="y", malls=["nowhere"]), TeamGiven(name="y", member_ids=[99])):
        with pytest.raises(TeamError):
            await save_team(staffed, actor=LEE, given=wrong)

    assert await tend_teams(staffed) == 6
    assert await tend_teams(staffed) == 0, "nobody is there"
    assert len(await _ids(staffed, LEE, team=japan)) == 2
    assert len(await _ids(staffed, LEE, team=cancels)) == 4
    counts = await count_cases(staffed, actor=KIM)
    assert (counts.views[View.TEAM], counts.teams) == (2, {japan: 2, cancels: 4})

    await tell_present(staffed.database, user_id=11, at=NOW)
    await tell_present(staffed.database, user_id=13, at=NOW)
    await set_away(staffed, actor=PARK, is_away=True)
    await tell_present(staffed.database, user_id=13, at=NOW)
    assert await tend_teams(staffed) == 2
    assert len(await _ids(staffed, KIM, view=View.MINE)) == 2, "who is away is dealt nothing"

    first = (await _ids(staffed, KIM, view=View.MINE))[0]
    assert (await queue_many(staffed, actor=KIM, case_ids=[first], team_id=cancels)).changed == (first,)
    assert await _owner(staffed, first) == (None, cancels)
    await remove_team(staffed, actor=LEE, team_id=cancels)
    assert await _owner(staffed, first) == (None, None)
    assert [team.name for team in await read_teams(staffed.database)] == ["일본"]


async def test_own_views_are_counted_in_the_one_statement(staffed: Rig) -> None:
    await save_view(
        staffed, actor=LEE, name="일본 취소", filters=Filters(mall="japan", kind=KindGroup.CANCEL), is_shared=True
    )
    own = await save_view(staffed, actor=KIM, name="지난 것", filters=Filters(view=View.OVERDUE))
    await save_view(staffed, actor=KIM, name="끝난 것", filters=Filters(view=View.CLOSED))
    with pytest.raises(ForbiddenError):
        await save_view(staffed, actor=KIM, name="x", filters=Filters(), is_shared=True)
    with pytest.raises(ViewError):
        await save_view(staffed, actor=KIM, name=" ", filters=Filters())
    views = await read_views(staffed, actor=KIM)
    assert [(view.name, view.is_own, view.is_shared) for view in views] == [
        ("끝난 것", True, False),
        ("일본 취소", False, True),
        ("지난 것", True, False),
    ]
    staffed.at = NOW + timedelta(hours=2)
    with sent_to(staffed.database) as statements:
        counts = await count_cases(staffed, actor=KIM, saved=[view.filters for view in views])

    # the newest news, the shared counts, the reader's own with the saved views', and the reader's teams
    assert len(statements) == 4
    assert counts.saved == (None, 2, len(await _ids(staffed, view=View.OVERDUE)))
    with pytest.raises(NotFoundError):
        await remove_view(staffed, actor=PARK, view_id=own)
    await remove_view(staffed, actor=LEE, view_id=views[1].view_id)
    await remove_view(staffed, actor=KIM, view_id=own)
    assert [view.name for view in await read_views(staffed, actor=KIM)] == ["끝난 것"]


async def test_each_figure_of_the_board_is_that_of_its_list(staffed: Rig) -> None:
    ids = await _ids(staffed)
    await assign_many(staffed, actor=LEE, case_ids=ids[:3], user_id=11)
    team_id = await save_team(staffed, actor=LEE, given=TeamGiven(name="일본", languages=["ja"]))
    await tend_teams(staffed)
    await snooze(staffed, actor=KIM, case_ids=ids[2:3], until=NOW + timedelta(hours=8))
    staffed.at = NOW + timedelta(minutes=90)
    with pytest.raises(ForbiddenError):
        await read_board(staffed, actor=KIM)

    board = await read_board(staffed, actor=LEE)

    for view, count in board.total.counts.items():
        assert count == len(await _ids(staffed, LEE, view=view)), view
    (kim,) = [desk for desk in board.desks if desk.user_id == 11]
    for view, count in kim.figures.counts.items():
        assert count == len(await _ids(staffed, LEE, view=view, assignee=11)), view
    assert kim.figures.counts[View.OVERDUE] == 1
    (queue,) = board.queues
    assert (queue.team.team_id, queue.figures.counts[View.OPEN]) == (team_id, 2)
    assert board.total.oldest_id == min(ids)
    assert [row.case_id for row in board.oldest] == sorted(set(ids) - {ids[2]})
    assert [row.case_id for row in board.risk] == [ids[0], ids[1], ids[3]][: len(board.risk)]


def test_a_list_is_the_same_in_the_address_and_back() -> None:
    filters = Filters(view=View.TEAM, mall="japan", shop="s", kind=KindGroup.RETURN, state="hold", assignee=7, team=8)

    assert filters_of({name: str(value) for name, value in filter_values(filters).items()}) == filters
    assert filters_of({"team": "x", "view": "?", "assignee": "9" * 30}) == Filters()
    assert filter_values(Filters()) == {}
    assert NOW.tzinfo is UTC
