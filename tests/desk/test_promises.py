"""Promises: what is a time, the ways of a promise and no other, keeping by an answer, handing over."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub.core.contract import Outcome
from hub.core.errors import OutcomeUnknownError
from hub.desk.access import Actor, ForbiddenError
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.acting.outbox import Outbox
from hub.desk.care.promise_keeping import TELL_WITHIN, settle, shops_with_promises
from hub.desk.care.promise_list import PromiseFilter, count_promises, list_promises, read_due_now
from hub.desk.care.promise_times import PromiseTimeError, read_due, read_said
from hub.desk.care.promises import (
    NewPromise,
    PromiseError,
    change_promise,
    explain_broken,
    hand_over,
    make_promise,
    tell_kept,
)
from hub.desk.care.views import BrokenReason, Channel, PromiseView, ToWhom
from hub.desk.cases.case import NotFoundError, open_case
from hub.store.database import to_ms
from hub.store.live import Topic, newest_event, read_events
from hub.store.questions import ask_one
from hub.store.tables import cases, promises, users
from hub.sync.cases import NEVER
from tests.desk.invented import NOW, Rig

SEOUL = ZoneInfo("Asia/Seoul")
DUE = NOW + timedelta(hours=4)  # 18:00 in Seoul


@pytest.fixture
async def people(sample: Rig, agent: Actor, supervisor: Actor) -> Rig:
    """Both may own promises, and a colleague; somebody who left may not."""
    rows = [(11, "kim", True), (12, "lee", True), (13, "choi", True), (14, "gone", False)]
    async with sample.database.writing() as connection:
        for user_id, login, is_active in rows:
            await connection.execute(
                users.insert().values(
                    id=user_id,
                    login=login,
                    name=login,
                    role="agent",
                    password_hash="-",
                    locale="ko",
                    is_active=is_active,
                    failed_logins=0,
                    created_at=to_ms(NOW),
                )
            )
    return sample


async def _promise(rig: Rig, actor: Actor, case_id: int, **more: object) -> int:
    given = {"due_at": DUE, "what": "입고일 안내", **more}
    return await make_promise(rig, actor=actor, case_id=case_id, given=NewPromise(**given))  # type: ignore[arg-type]


async def _read(rig: Rig, case_id: int, promise_id: int) -> PromiseView:
    view = await open_case(rig, case_id=case_id, is_unmasked=False)
    return next(each for each in view.dossier.promises if each.promise_id == promise_id)


async def _case(rig: Rig) -> int:
    return await rig.case_id("alpha-main", thread_no="Q-1")


# --- times


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("18:00", "2026-11-20 18:00"),
        ("1830", "2026-11-20 18:30"),
        ("18", "2026-11-20 18:00"),
        ("１８：００", "2026-11-20 18:00"),
        ("오후 6시 반", "2026-11-20 18:30"),
        ("6pm", "2026-11-20 18:00"),
        ("18시 20분까지", "2026-11-20 18:20"),
        ("내일 10:00", "2026-11-21 10:00"),
        ("모레 9시", "2026-11-22 09:00"),
        ("tomorrow 10:00", "2026-11-21 10:00"),
        ("월 9:30", "2026-11-23 09:30"),
        ("금 10:00", "2026-11-27 10:00"),
        ("11-25 14:00", "2026-11-25 14:00"),
        ("1/5 10:00", "2027-01-05 10:00"),
        ("2026-12-01 9:00", "2026-12-01 09:00"),
        ("+30m", "2026-11-20 14:30"),
        ("+1h30m", "2026-11-20 15:30"),
        ("2시간 뒤", "2026-11-20 16:00"),
        ("+1d", "2026-11-21 14:00"),
    ],
)
def test_times_are_read_as_agents_write_them(typed: str, meant: str):
    due = read_due(typed, now=NOW, zone=SEOUL)

    assert due.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M") == meant


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("13:59", "past"),
        ("14:00", "past"),
        ("+0m", "past"),
        ("오늘 9:00", "past"),
        ("2028-01-01 10:00", "too_far"),
        ("25:00", "unreadable"),
        ("10:60", "unreadable"),
        ("2-30 10:00", "unreadable"),
        ("내일", "unreadable"),
        ("월", "unreadable"),
        ("10일", "unreadable"),
        ("13pm", "unreadable"),
        ("", "unreadable"),
        ("곧", "unreadable"),
        ("1" * 50, "unreadable"),
    ],
)
def test_what_is_no_time_to_promise_is_refused_with_its_reason(typed: str, why: str):
    with pytest.raises(PromiseTimeError) as refused:
        read_due(typed, now=NOW, zone=SEOUL)

    assert refused.value.key == f"notice.promise_{why}"


def test_an_hour_that_the_clocks_leave_out_is_no_appointment():
    night = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)

    with pytest.raises(PromiseTimeError):
        read_due("2:30", now=night, zone=ZoneInfo("Europe/Berlin"))


@given(st.text(max_size=60))
def test_any_text_is_a_time_to_come_or_refused(text: str):
    try:
        due = read_due(text, now=NOW, zone=SEOUL)
    except PromiseTimeError:
        return
    assert NOW < due <= NOW + timedelta(days=366)


def test_a_contact_was_and_is_not_to_come():
    assert read_said("", now=NOW, zone=SEOUL) == NOW
    assert read_said("13:40", now=NOW, zone=SEOUL) == NOW - timedelta(minutes=20)
    with pytest.raises(PromiseTimeError):
        read_said("14:01", now=NOW, zone=SEOUL)


# --- making


async def test_a_promise_enters_the_deadlines_of_its_case(people: Rig, agent: Actor):
    case_id = await _case(people)

    promise_id = await _promise(people, agent, case_id)

    view = await open_case(people, case_id=case_id, is_unmasked=False)
    assert DUE in [due.at for due in view.dues if due.cause == "promise"]
    (promise,) = view.dossier.promises
    assert (promise.promise_id, promise.state, promise.owner, promise.what) == (
        promise_id,
        "open",
        "kim",
        "입고일 안내",
    )
    assert "event.promise_made" in [entry.key for entry in view.dossier.timeline]


async def test_the_same_form_twice_promises_once(people: Rig, agent: Actor):
    case_id = await _case(people)

    first = await _promise(people, agent, case_id, token="one")
    again = await _promise(people, agent, case_id, token="one")

    assert first == again


async def test_what_is_promised_is_sealed(people: Rig, agent: Actor):
    case_id = await _case(people)
    await _promise(people, agent, case_id, what="홍길동님 010-1234-5678")

    async with people.database.reading() as connection:
        (stored,) = (await connection.execute(select(promises))).all()
    assert "홍길동".encode() not in stored.what_sealed
    assert "1234-5678" not in (await _read(people, case_id, stored.id)).what


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"due_at": NOW}, "past"),
        ({"owner_id": 14}, "no_owner"),
        ({"owner_id": 99}, "no_owner"),
        ({"what": "가" * 501}, "text_long"),
    ],
)
async def test_a_promise_that_cannot_be_is_refused(people: Rig, agent: Actor, more: dict[str, object], why: str):
    with pytest.raises(PromiseError) as refused:
        await _promise(people, agent, await _case(people), **more)

    assert refused.value.key == f"notice.promise_{why}"


async def test_there_must_be_a_case_and_a_person(people: Rig, agent: Actor):
    with pytest.raises(NotFoundError):
        await _promise(people, agent, 1)
    with pytest.raises(PromiseError):
        await _promise(people, msgspec.structs.replace(agent, user_id=None), await _case(people))


# --- keeping and breaking


async def test_told_in_time_it_is_kept_and_leaves_the_deadlines(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    people.at = DUE - timedelta(minutes=10)

    said = await tell_kept(
        people, actor=agent, case_id=case_id, promise_id=promise_id, at=DUE - timedelta(minutes=20), with_whom="고객"
    )

    promise = await _read(people, case_id, promise_id)
    assert said
    assert (promise.state, promise.kept_at, promise.kept_with) == ("kept", DUE - timedelta(minutes=20), "고객")
    view = await open_case(people, case_id=case_id, is_unmasked=False)
    assert [due for due in view.dues if due.cause == "promise"] == []


@pytest.mark.parametrize("minutes", [-1, 0, 1, 10])
async def test_the_contact_counts_by_its_own_time_not_by_its_note(people: Rig, agent: Actor, minutes: int):
    """Noted ten minutes after it was due."""
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    people.at = DUE + timedelta(minutes=10)
    assert await settle(people) == 0

    at = DUE + timedelta(minutes=minutes)
    said = await tell_kept(people, actor=agent, case_id=case_id, promise_id=promise_id, at=at, with_whom="고객")

    promise = await _read(people, case_id, promise_id)
    assert said is (minutes <= 0)
    assert promise.state == ("kept" if minutes <= 0 else "broken")
    assert promise.kept_at == at


async def test_over_it_is_broken_for_good_whatever_is_told_after(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    people.at = DUE + TELL_WITHIN + timedelta(minutes=1)
    assert [shop.name for shop in await shops_with_promises(people)] == ["alpha-main"]

    assert await settle(people) == 1
    assert await settle(people) == 0
    assert await shops_with_promises(people) == []
    assert not await tell_kept(
        people, actor=agent, case_id=case_id, promise_id=promise_id, at=DUE - timedelta(minutes=1), with_whom="고객"
    )

    promise = await _read(people, case_id, promise_id)
    assert (promise.state, promise.broken_at) == ("broken", DUE)
    assert promise.kept_at == DUE - timedelta(minutes=1)
    keys = [entry.key for entry in (await open_case(people, case_id=case_id, is_unmasked=False)).dossier.timeline]
    assert {"event.promise_broken", "event.promise_kept_late"} <= set(keys)
    for step in (
        change_promise(
            people,
            actor=agent,
            case_id=case_id,
            promise_id=promise_id,
            due_at=people.at + DUE.resolution,
            is_agreed=True,
        ),
        tell_kept(people, actor=agent, case_id=case_id, promise_id=promise_id, at=people.at, with_whom="고객"),
    ):
        with pytest.raises(PromiseError):
            await step


async def test_a_broken_one_asks_why(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    told = {"actor": agent, "case_id": case_id, "promise_id": promise_id}
    with pytest.raises(PromiseError):
        await explain_broken(people, **told, reason=BrokenReason.FORGOTTEN)  # type: ignore[arg-type]
    people.at = DUE + timedelta(hours=1)
    await settle(people, case_id=case_id)
    assert (await _read(people, case_id, promise_id)).wants_reason

    with pytest.raises(PromiseError):
        await explain_broken(people, **told, reason=BrokenReason.OTHER)  # type: ignore[arg-type]
    await explain_broken(people, **told, reason=BrokenReason.TOO_BUSY, text="통화가 길었음")  # type: ignore[arg-type]

    promise = await _read(people, case_id, promise_id)
    assert (promise.broken_reason, promise.broken_text) == ("too_busy", "통화가 길었음")
    assert (await count_promises(people, actor=agent)).unexplained == 0


async def test_agreed_anew_before_it_was_due_it_is_not_broken(people: Rig, agent: Actor):
    case_id = await _case(people)
    first = await _promise(people, agent, case_id)
    later = DUE + timedelta(hours=2)
    with pytest.raises(PromiseError):
        await change_promise(people, actor=agent, case_id=case_id, promise_id=first, due_at=later, is_agreed=False)

    change = {"actor": agent, "case_id": case_id, "promise_id": first, "due_at": later, "is_agreed": True, "token": "c"}
    second = await change_promise(people, **change)  # type: ignore[arg-type]
    assert await change_promise(people, **change) == second  # type: ignore[arg-type]

    people.at = DUE + timedelta(hours=1)
    await settle(people)
    old, new = await _read(people, case_id, first), await _read(people, case_id, second)
    assert (old.state, old.changed_to, new.state, new.changed_from) == ("changed", later, "open", DUE)


async def test_once_due_nothing_can_be_agreed_any_more(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    people.at = DUE

    with pytest.raises(PromiseError) as refused:
        await change_promise(
            people, actor=agent, case_id=case_id, promise_id=promise_id, due_at=DUE + timedelta(hours=1), is_agreed=True
        )

    assert refused.value.key == "notice.promise_too_late"


@pytest.mark.parametrize(
    ("at", "who", "why"),
    [
        (NOW + timedelta(hours=1), "", "with_whom"),
        (NOW + timedelta(hours=2), "고객", "contact_time"),
        (NOW - timedelta(minutes=2), "고객", "contact_time"),
    ],
)
async def test_a_contact_has_a_person_and_a_time_since_the_promise(
    people: Rig, agent: Actor, at: datetime, who: str, why: str
):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    people.at = NOW + timedelta(hours=1)

    with pytest.raises(PromiseError) as refused:
        await tell_kept(people, actor=agent, case_id=case_id, promise_id=promise_id, at=at, with_whom=who)

    assert refused.value.key == f"notice.promise_{why}"


# --- by an answer


def _answer(token: str) -> ActionRequest:
    return ActionRequest(
        action=Action.ANSWER_INQUIRY,
        shop="alpha-main",
        inquiry_no="Q-1",
        text="내일 출고됩니다.",
        confirmed=True,
        token=token,
    )


async def test_an_answer_in_time_keeps_what_was_promised_as_an_answer(people: Rig, agent: Actor):
    case_id = await _case(people)
    answer = await _promise(people, agent, case_id, channel=Channel.ANSWER)
    call = await _promise(people, agent, case_id, channel=Channel.CALL)
    inside = await _promise(people, agent, case_id, channel=Channel.ANSWER, to_whom=ToWhom.PARTNER)
    people.at = DUE - timedelta(minutes=1)

    result = await act(people, agent, _answer("t"))

    assert result.outcome is Outcome.DONE
    kept = await _read(people, case_id, answer)
    assert (kept.state, kept.kept_by, kept.kept_at) == ("kept", "action", people.at)
    assert (await _read(people, case_id, call)).state == "open"
    assert (await _read(people, case_id, inside)).state == "open"


async def test_a_refused_answer_keeps_nothing_and_a_late_one_only_shows(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id, channel=Channel.ANSWER)
    people.connectors["alpha-main"].outcome = Outcome.REFUSED
    await act(people, agent, _answer("refused"))
    assert (await _read(people, case_id, promise_id)).state == "open"

    people.connectors["alpha-main"].outcome = Outcome.DONE
    people.at = DUE + timedelta(minutes=1)
    await act(people, agent, _answer("late"))

    promise = await _read(people, case_id, promise_id)
    assert (promise.state, promise.broken_at, promise.kept_at) == ("broken", DUE, people.at)


async def test_an_answer_of_which_nobody_knows_yet_holds_the_verdict_back(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id, channel=Channel.ANSWER)
    people.connectors["alpha-main"].outcome = OutcomeUnknownError("time-out", shop="alpha-main")
    sent_at = people.at = DUE - timedelta(minutes=1)
    await act(people, agent, _answer("t"))

    people.at = DUE + TELL_WITHIN + timedelta(minutes=5)
    await settle(people)
    assert (await _read(people, case_id, promise_id)).state == "open"
    people.connectors["alpha-main"].outcome = Outcome.DONE
    await Outbox(people, people.shops["alpha-main"]).drain()

    promise = await _read(people, case_id, promise_id)
    assert (promise.state, promise.kept_at) == ("kept", sent_at)


async def test_an_answer_before_the_promise_does_not_keep_it(people: Rig, agent: Actor):
    case_id = await _case(people)
    await act(people, agent, _answer("t"))
    people.at = NOW + timedelta(minutes=1)

    promise_id = await _promise(people, agent, case_id, channel=Channel.ANSWER)

    assert (await _read(people, case_id, promise_id)).state == "open"


# --- lists, reminders, hand-over


async def test_reminded_once_before_it_is_due(people: Rig, agent: Actor):
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id)
    assert (await read_due_now(people, actor=agent)).soon == ()
    people.at = DUE - timedelta(minutes=15)

    async with people.database.reading() as connection:
        newest = await ask_one(connection, newest_event())
    assert await settle(people) == 1
    assert await settle(people) == 0

    told = [event for event in await read_events(people.database, after=newest) if event.topic is Topic.MENTION]
    assert [event.body for event in told] == [{"user_id": agent.user_id, "case_id": case_id}]
    due = await read_due_now(people, actor=agent)
    assert [row.promise.promise_id for row in due.soon] == [promise_id]
    assert (await _read(people, case_id, promise_id)).reminded_at == people.at


async def test_lists_tell_mine_todays_the_teams_and_the_broken(people: Rig, agent: Actor, supervisor: Actor):
    case_id = await _case(people)
    mine = await _promise(people, agent, case_id)
    theirs = await _promise(people, supervisor, case_id, due_at=NOW + timedelta(days=1))
    broken = await _promise(people, agent, case_id, due_at=NOW + timedelta(minutes=1))
    people.at = NOW + timedelta(hours=1)

    async def ids(view: PromiseFilter) -> list[int]:
        found = await list_promises(people, actor=agent, view=view)
        return [row.promise.promise_id for row in found.rows]

    assert await ids(PromiseFilter.MINE) == [mine]
    assert await ids(PromiseFilter.TODAY) == [mine]
    assert await ids(PromiseFilter.TEAM) == [mine, theirs]
    assert await ids(PromiseFilter.BROKEN) == [broken]
    counts = await count_promises(people, actor=agent)
    assert (counts.mine, counts.today, counts.team, counts.broken, counts.kept_percent) == (1, 1, 2, 1, 0)


async def test_at_the_end_of_a_shift_nothing_is_left_unowned(people: Rig, agent: Actor, supervisor: Actor):
    case_id = await _case(people)
    first = await _promise(people, agent, case_id)
    await _promise(people, agent, await people.case_id("alpha-main", order_no="A-1"))
    other = await _promise(people, supervisor, case_id)

    assert await hand_over(people, actor=agent, to_id=13) == 2

    promise = await _read(people, case_id, first)
    assert (promise.owner, [(move.from_name, move.to_name) for move in promise.moves]) == ("choi", [("kim", "choi")])
    assert (await _read(people, case_id, other)).owner == "lee"
    assert (await count_promises(people, actor=agent)).mine == 0
    with pytest.raises(PromiseError):
        await hand_over(people, actor=supervisor, from_id=13, to_id=14)
    with pytest.raises(ForbiddenError):
        await hand_over(people, actor=agent, promise_ids=[first], to_id=11)
    assert await hand_over(people, actor=supervisor, from_id=13, to_id=11) == 2


async def test_promises_of_somebody_who_left_stand_out(people: Rig, agent: Actor):
    case_id = await _case(people)
    await _promise(people, agent, case_id)
    async with people.database.writing() as connection:
        await connection.execute(users.update().where(users.c.id == 11).values(is_active=False))

    found = await list_promises(people, actor=agent, view=PromiseFilter.TEAM)

    assert found.counts.unowned == 1
    assert found.rows[0].promise.owner_is_gone


async def test_a_new_look_at_the_mall_keeps_the_promise_among_the_deadlines(people: Rig, agent: Actor):
    case_id = await people.case_id("alpha-main", order_no="A-1")
    soon = NOW + timedelta(minutes=20)
    await _promise(people, agent, case_id, due_at=soon)

    async with people.database.reading() as connection:
        due_at = await connection.scalar(select(cases.c.due_at).where(cases.c.id == case_id))

    assert due_at == min(to_ms(soon) or 0, NEVER)


async def test_no_way_leads_from_broken_back(people: Rig, agent: Actor):
    """Whatever is done in whatever order: once broken, broken; once kept or changed, so it stays."""
    case_id = await _case(people)
    promise_id = await _promise(people, agent, case_id, channel=Channel.ANSWER)
    people.at = DUE + timedelta(hours=1)
    seen = []
    for number in range(4):
        people.at += timedelta(minutes=1)
        await settle(people)
        await act(people, agent, _answer(f"t{number}"))
        with pytest.raises(PromiseError, match="not_open"):
            # The answer stands as its late contact already.
            await tell_kept(people, actor=agent, case_id=case_id, promise_id=promise_id, at=people.at, with_whom="고객")
        await hand_over(people, actor=agent, to_id=13)
        seen.append((await _read(people, case_id, promise_id)).state)

    assert seen == ["broken"] * 4
