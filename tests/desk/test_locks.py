"""Who works on a case: one at a time, on either database, and never longer than they show life."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.core.contract import Outcome
from hub.core.errors import OutcomeUnknownError
from hub.desk.access import Actor, ForbiddenError, Role, command_line_actor
from hub.desk.acting.act import ReusedTokenError, act
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.acting.answer_guard import GuardedText, guard_answer
from hub.desk.cases.case import NotFoundError
from hub.desk.worklist.locks import (
    ANSWER_WITHIN,
    HELD_FOR,
    AskedError,
    HeldError,
    LockState,
    LockView,
    answer_asker,
    ask_for,
    give_back,
    give_back_all,
    keep,
    open_to_work,
    override,
    read_lock,
)
from hub.desk.worklist.rows import read_case_rows
from hub.store.database import to_ms
from hub.store.tables import access_log, actions, users
from tests.desk.invented import NOW, Rig, claim, inquiry, line, order

SHOP = "alpha-main"
_SECOND = timedelta(seconds=1)
#: where the statements have been tried on both databases already
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def case_id(rig: Rig) -> int:
    """An open question about an order, which a customer also wants to cancel."""
    await rig.write(
        SHOP, order("A", line("A-1"), claims=(claim("A", "A-1"),)), inquiry("Q", "언제 오나요?", order_no="A")
    )
    return await rig.case_id(SHOP, thread_no="Q")


@pytest.fixture
async def people(rig: Rig) -> dict[str, Actor]:
    """Three agents and a supervisor, with accounts."""
    roles = {"kim": Role.AGENT, "lee": Role.AGENT, "han": Role.AGENT, "boss": Role.SUPERVISOR}
    actors = {
        login: Actor(user_id=number, login=login, name=f"{login}-name", role=role)
        for number, (login, role) in enumerate(roles.items(), start=1)
    }
    fixed = {"password_hash": "-", "locale": "ko", "is_active": True, "failed_logins": 0, "created_at": to_ms(NOW)}
    rows = [
        {"id": actor.user_id, "login": actor.login, "name": actor.name, "role": actor.role.value, **fixed}
        for actor in actors.values()
    ]
    async with rig.database.writing() as connection:
        await connection.execute(users.insert(), rows)
    return actors


def answer(text: str = "내일 도착합니다.", token: str | None = None) -> ActionRequest:
    return ActionRequest(action=Action.ANSWER_INQUIRY, shop=SHOP, inquiry_no="Q", text=text, token=token)


async def see(rig: Rig, actor: Actor, case_id: int) -> LockView:
    return await read_lock(rig, actor=actor, case_id=case_id)


async def test_of_two_agents_at_one_moment_one_gets_the_case(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    views = await asyncio.gather(*(keep(rig, actor=actor, case_id=case_id) for actor in people.values()))

    holders = {view.holder for view in views}
    assert len(holders) == 1
    assert sorted(view.state for view in views) == ["mine", "others", "others", "others"]


async def test_of_two_answers_at_one_moment_one_is_sent(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    """Nobody has opened the case: the transaction that stores the answer decides."""
    results = await asyncio.gather(
        act(rig, people["kim"], answer("김의 답변", "k")),
        act(rig, people["lee"], answer("이의 답변", "l")),
        return_exceptions=True,
    )

    (refused,) = [result for result in results if isinstance(result, BaseException)]
    assert isinstance(refused, HeldError)
    assert refused.name in {"kim-name", "lee-name"}
    assert len(rig.connectors[SHOP].sent) == 1
    async with rig.database.reading() as connection:
        assert len((await connection.execute(select(actions))).all()) == 1


@on_sqlite
async def test_an_answer_that_is_sent_meanwhile_is_nothing_to_confirm(
    rig: Rig, people: dict[str, Actor], case_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the lock and the look at earlier answers somebody else takes the case and sends one."""
    rig.connectors[SHOP].outcome = OutcomeUnknownError("no answer in time")

    async def guard_slowly(*given: Any) -> GuardedText:
        monkeypatch.undo()
        await act(rig, people["kim"], answer("김의 답변", "k"))
        return await guard_answer(*given)

    monkeypatch.setattr("hub.desk.acting.act.guard_answer", guard_slowly)
    with pytest.raises(HeldError, match="kim-name"):
        await act(rig, people["lee"], answer("이의 답변", "l"))
    assert len(rig.connectors[SHOP].sent) == 1


@on_sqlite
async def test_who_opens_a_case_holds_it_against_everybody(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    await open_to_work(rig, actor=people["kim"], case_id=case_id)
    await open_to_work(rig, actor=people["lee"], case_id=case_id)

    assert (await see(rig, people["lee"], case_id)).holder == "kim-name"
    (row,) = await read_case_rows(rig, actor=people["lee"], case_ids=[case_id])
    assert row.lock is not None
    assert (row.lock.name, row.lock.until) == ("kim-name", NOW + HELD_FOR)
    for other in (people["lee"], people["boss"], command_line_actor()):
        with pytest.raises(HeldError, match="kim-name"):
            await act(rig, other, answer(token=other.login), dry_run=True)
        with pytest.raises(HeldError, match="kim-name"):
            await act(rig, other, answer(token=other.login))
    assert rig.connectors[SHOP].sent == []
    assert (await act(rig, people["kim"], answer())).outcome is Outcome.DONE


@on_sqlite
async def test_the_claim_of_the_same_order_is_another_case(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    await keep(rig, actor=people["kim"], case_id=case_id)
    approve = ActionRequest(
        action=Action.APPROVE_CANCEL, shop=SHOP, order_no="A", line_nos=("A-1",), confirmed=True, token="a"
    )

    with pytest.raises(HeldError):
        # From the page of the question it is its holder's.
        await act(rig, people["lee"], approve, case_id=case_id)
    assert (await act(rig, people["lee"], approve)).outcome is Outcome.DONE
    cancel_id = await rig.case_id(SHOP, order_no="A")
    assert (await see(rig, people["lee"], cancel_id)).state is LockState.MINE
    with pytest.raises(HeldError):
        await act(
            rig, people["han"], ActionRequest(action=Action.MEMO, shop=SHOP, order_no="A", line_no="A-1", text="메모")
        )


@on_sqlite
async def test_a_case_is_free_when_its_time_is_over(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    await keep(rig, actor=people["kim"], case_id=case_id)
    rig.at += HELD_FOR - _SECOND
    assert (await see(rig, people["lee"], case_id)).seconds == 1
    await keep(rig, actor=people["kim"], case_id=case_id)
    rig.at += HELD_FOR - _SECOND
    assert (await keep(rig, actor=people["lee"], case_id=case_id)).state is LockState.OTHERS

    rig.at += _SECOND

    assert (await see(rig, people["lee"], case_id)).state is LockState.FREE
    assert (await read_case_rows(rig, actor=people["lee"], case_ids=[case_id]))[0].lock is None
    taken = await keep(rig, actor=people["lee"], case_id=case_id)
    assert (taken.state, taken.how, taken.is_lost) == (LockState.MINE, "opened", False)
    assert not (await see(rig, people["kim"], case_id)).is_lost


@on_sqlite
async def test_leaving_one_page_keeps_it_for_another(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    kim = people["kim"]
    await keep(rig, actor=kim, case_id=case_id, screen="one")
    await keep(rig, actor=kim, case_id=case_id, screen="two")

    await give_back(rig, actor=kim, case_id=case_id, screen="one")
    await give_back(rig, actor=people["lee"], case_id=case_id)
    assert (await see(rig, kim, case_id)).state is LockState.MINE
    await give_back(rig, actor=kim, case_id=case_id, screen="two")
    assert (await see(rig, kim, case_id)).state is LockState.FREE
    await keep(rig, actor=kim, case_id=case_id, screen="two")
    await give_back_all(rig, actor=kim)
    assert (await see(rig, kim, case_id)).state is LockState.FREE


@on_sqlite
async def test_an_asker_whom_nobody_answers_gets_the_case(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    kim, lee = people["kim"], people["lee"]
    await keep(rig, actor=kim, case_id=case_id)

    asked = await ask_for(rig, actor=lee, case_id=case_id)

    assert (asked.is_asker, asked.answer_seconds) == (True, ANSWER_WITHIN.total_seconds())
    assert (await see(rig, kim, case_id)).asker == "lee-name"
    with pytest.raises(AskedError):
        await ask_for(rig, actor=people["han"], case_id=case_id)
    assert (await keep(rig, actor=lee, case_id=case_id)).state is LockState.OTHERS
    rig.at += ANSWER_WITHIN
    await open_to_work(rig, actor=lee, case_id=case_id)
    told = await see(rig, kim, case_id)
    assert (told.holder, told.how, told.is_lost) == ("lee-name", "passed", True)
    with pytest.raises(HeldError, match="lee-name"):
        await act(rig, kim, answer())


@on_sqlite
@pytest.mark.parametrize("is_granted", [True, False])
async def test_the_holder_grants_or_keeps(rig: Rig, people: dict[str, Actor], case_id: int, is_granted: bool) -> None:
    kim, lee = people["kim"], people["lee"]
    await keep(rig, actor=kim, case_id=case_id)
    await ask_for(rig, actor=lee, case_id=case_id)

    await answer_asker(rig, actor=kim, case_id=case_id, is_granted=is_granted)

    rig.at += ANSWER_WITHIN
    await keep(rig, actor=lee, case_id=case_id)
    seen = await see(rig, lee, case_id)
    if is_granted:
        assert (seen.state, seen.how) == (LockState.MINE, "granted")
    else:
        assert (seen.state, seen.is_refused, seen.is_asker) == (LockState.OTHERS, True, False)


@on_sqlite
async def test_an_asker_gets_what_is_given_back_and_is_forgotten_after_a_while(
    rig: Rig, people: dict[str, Actor], case_id: int
) -> None:
    kim, lee = people["kim"], people["lee"]
    await keep(rig, actor=kim, case_id=case_id)
    await ask_for(rig, actor=lee, case_id=case_id)
    rig.at += timedelta(minutes=2)
    assert (await keep(rig, actor=lee, case_id=case_id)).state is LockState.OTHERS
    assert not (await see(rig, kim, case_id)).asker

    await ask_for(rig, actor=people["han"], case_id=case_id)
    await give_back(rig, actor=kim, case_id=case_id)

    assert (await see(rig, people["han"], case_id)).state is LockState.MINE


@on_sqlite
async def test_a_supervisor_takes_it_and_the_log_says_so(rig: Rig, people: dict[str, Actor], case_id: int) -> None:
    await keep(rig, actor=people["kim"], case_id=case_id)
    with pytest.raises(ForbiddenError):
        await override(rig, actor=people["lee"], case_id=case_id)

    assert (await override(rig, actor=people["boss"], case_id=case_id)).state is LockState.MINE

    told = await see(rig, people["kim"], case_id)
    assert (told.is_lost, told.how, told.holder) == (True, "override", "boss-name")
    async with rig.database.reading() as connection:
        logged = (await connection.execute(select(access_log).where(access_log.c.action == "lock"))).one()
    assert (logged.login, logged.subject, logged.reason) == ("boss", f"case {case_id}", "from kim")


async def test_the_same_form_gets_its_outcome_whoever_has_the_case_by_now(
    rig: Rig, people: dict[str, Actor], case_id: int
) -> None:
    kim = people["kim"]
    first = await act(rig, kim, answer(token="form"))
    await override(rig, actor=people["boss"], case_id=case_id)

    again = await act(rig, kim, answer(token="form"))

    assert again == first
    with pytest.raises(ReusedTokenError):
        await act(rig, kim, answer("다른 창의 다른 답변", token="form"))
    assert len(rig.connectors[SHOP].sent) == 1


async def test_a_case_that_is_not_there_is_nobodys(rig: Rig, people: dict[str, Actor]) -> None:
    for work in (keep, open_to_work, ask_for):
        with pytest.raises(NotFoundError):
            await work(rig, actor=people["kim"], case_id=12345)
