"""The outbox: every action has one effect or none, whoever dies when, and says which."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from hub.core.contract import Answer, LineAction, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import MallError, OutcomeUnknownError, RejectedByMallError, TransientMallError
from hub.desk.access import Actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest, ActionResult
from hub.desk.acting.outbox import (
    LOOKS,
    Outbox,
    cancel,
    shops_with_letters,
    waiting_actions,
)
from hub.desk.acting.outcome_words import CANCELLED
from hub.store.leases import Lease
from hub.store.tables import actions
from tests.desk.invented import InventedConnector, Rig, line, order

SHOP = "alpha-main"
SECRET = "010-7777-8888로 연락 주세요"


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more."""


class Mall(InventedConnector):
    """Counts the effects of each text. ``fate`` says what becomes of a write, ``is_blind`` whether looking fails."""

    def prepare(self) -> "Mall":
        self.effects: Counter[str] = Counter()
        self.looks = 0
        self.fate: Any = lambda _text: "done"
        self.is_blind = False
        return self

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        return self._write(action.text, action.line.line_no, is_only_look=action.is_only_look)

    memo = approve_cancel

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        return self._write(answer.text, None, is_only_look=answer.is_only_look)

    def _write(self, text: str, line_no: str | None, *, is_only_look: bool) -> WriteResult:
        reading = Reading(key="X", raw=b"{}", error="not kept here")
        if is_only_look:
            self.looks += 1
            if self.is_blind:
                raise TransientMallError("down")
            outcome = Outcome.DONE if self.effects[text] else Outcome.REFUSED
            return _result(outcome, line_no, reading)
        fate = self.fate(text)
        if fate == "refused":
            raise RejectedByMallError("no", mall_message="안 됩니다")
        if fate == "unsent":
            raise TransientMallError("could not reach the mall")
        if fate == "lost before":
            raise OutcomeUnknownError("no answer in time")
        if fate == "killed before":
            raise KilledError
        self.effects[text] += 1
        if fate == "lost after":
            raise OutcomeUnknownError("no answer in time")
        if fate == "killed after":
            raise KilledError
        return _result(Outcome.PENDING if fate == "pending" else Outcome.DONE, line_no, reading)


def _result(outcome: Outcome, line_no: str | None, reading: Reading) -> WriteResult:
    return WriteResult(outcome=outcome, lines=(LineOutcome(line_no=line_no, outcome=outcome),), readings=(reading,))


@pytest.fixture
async def mall(rig: Rig) -> Mall:
    await rig.write(SHOP, order("X", *(line(f"X-{number}") for number in range(1, 4))))
    given = rig.connectors[SHOP]
    connector = Mall(shop=given.shop, manifest=given.manifest).prepare()
    rig.connectors[SHOP] = connector
    return connector


async def memo(rig: Rig, agent: Actor, text: str, *lines: str, **more: Any) -> ActionResult:
    request = ActionRequest(
        action=Action.MEMO, shop=SHOP, order_no="X", line_nos=lines or ("X-1",), text=text, confirmed=True, **more
    )
    return await act(rig, agent, request)


async def rows(rig: Rig) -> list[Any]:
    async with rig.database.reading() as connection:
        return list((await connection.execute(select(actions).order_by(actions.c.id))).all())


def outbox(rig: Rig) -> Outbox:
    return Outbox(rig, rig.shops[SHOP])


async def pass_looks(rig: Rig) -> None:
    """Drain at each time at which an unknown outcome is looked at."""
    for _ in range(len(LOOKS) + 1):
        due = [row.look_at for row in await rows(rig) if row.look_at is not None]
        if not due:
            return
        rig.at = max(rig.at, datetime.fromtimestamp(max(due) / 1000, rig.at.tzinfo))
        await outbox(rig).drain()


async def test_what_is_done_leaves_nothing_behind(rig: Rig, mall: Mall, agent: Actor) -> None:
    result = await memo(rig, agent, SECRET)

    (row,) = await rows(rig)
    assert (result.outcome, mall.effects[SECRET]) == (Outcome.DONE, 1)
    assert (row.letter_sealed, row.look_at, row.started) == (None, None, 1)
    assert row.started_at is not None
    assert await outbox(rig).drain() == 0
    assert await waiting_actions(rig.database) == []


async def _wait_for_a_letter(rig: Rig) -> None:
    async with asyncio.timeout(10):
        while not await rows(rig):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_letters_are_sealed_whole(rig: Rig, mall: Mall, agent: Actor) -> None:
    async with Lease(rig.database, f"outbox:{rig.shops[SHOP].id}"):
        sending = asyncio.ensure_future(memo(rig, agent, SECRET))
        await _wait_for_a_letter(rig)
        (row,) = await rows(rig)
        (waiting,) = await waiting_actions(rig.database)
    await sending

    seen = repr(row).encode() + bytes(row.letter_sealed)
    assert not any(word in seen for word in (SECRET.encode(), b"010-7777", "홍길동".encode(), b"X-1-"))
    assert (waiting.can_cancel, waiting.outcome, waiting.started_at) == (True, Outcome.PENDING, None)
    assert mall.effects[SECRET] == 1


async def test_what_was_not_begun_can_be_cancelled(rig: Rig, mall: Mall, agent: Actor) -> None:
    async with Lease(rig.database, f"outbox:{rig.shops[SHOP].id}"):
        sending = asyncio.ensure_future(memo(rig, agent, "메모"))
        await _wait_for_a_letter(rig)
        (row,) = await rows(rig)

        assert await cancel(rig, agent, row.id)
        assert not await cancel(rig, agent, row.id)

    result = await sending
    assert (result.outcome, result.message) == (Outcome.REFUSED, CANCELLED)
    assert mall.effects == Counter()


async def test_what_was_begun_cannot_be_cancelled(rig: Rig, mall: Mall, agent: Actor) -> None:
    mall.fate = lambda _text: "killed after"
    with pytest.raises(KilledError):
        await memo(rig, agent, "메모")
    (row,) = await rows(rig)

    assert not await cancel(rig, agent, row.id)
    assert not await cancel(rig, agent, 12345)


async def test_killed_before_the_start_it_is_sent_by_the_next(
    rig: Rig, mall: Mall, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any) -> bool:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_mark_started", killed)
        with pytest.raises(KilledError):
            await memo(rig, agent, "메모")

    assert [shop.name for shop in await shops_with_letters(rig.database, now=rig.now())] == [SHOP]
    assert await outbox(rig).drain() == 1
    (row,) = await rows(rig)
    assert (row.outcome, mall.effects["메모"], mall.looks) == ("done", 1, 0)


@pytest.mark.parametrize(("fate", "settled", "effects"), [("killed before", "refused", 0), ("killed after", "done", 1)])
async def test_killed_after_the_start_it_is_settled_by_looking(
    rig: Rig, mall: Mall, agent: Actor, fate: str, settled: str, effects: int
) -> None:
    mall.fate = lambda _text: fate
    with pytest.raises(KilledError):
        await memo(rig, agent, "메모")
    mall.fate = lambda _text: "done"

    await outbox(rig).drain()

    (row,) = await rows(rig)
    assert row.outcome == ("done" if effects else "unknown")
    await pass_looks(rig)
    (row,) = await rows(rig)
    assert (row.outcome, mall.effects["메모"], row.letter_sealed) == (settled, effects, None)


async def test_killed_before_the_outcome_is_stored_it_is_not_sent_again(
    rig: Rig, mall: Mall, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_write_down", killed)
        with pytest.raises(KilledError):
            await memo(rig, agent, "메모")

    await outbox(rig).drain()

    (row,) = await rows(rig)
    assert (row.outcome, mall.effects["메모"], mall.looks) == ("done", 1, 1)


async def test_of_several_lines_the_rest_is_sent_by_the_next(rig: Rig, mall: Mall, agent: Actor) -> None:
    fates = iter(["done", "killed after", "done"])
    mall.fate = lambda _text: next(fates)
    with pytest.raises(KilledError):
        await memo(rig, agent, "메모", "X-1", "X-2", "X-3")

    await outbox(rig).drain()

    (row,) = await rows(rig)
    lines = msgspec.json.decode(row.lines)
    assert [(each["line_no"], each["outcome"]) for each in lines] == [(f"X-{n}", "done") for n in (1, 2, 3)]
    assert (mall.effects["메모"], row.outcome) == (3, "done")


@pytest.mark.parametrize(("fate", "settled"), [("lost after", "done"), ("lost before", "refused")])
async def test_an_unknown_outcome_is_looked_at_until_it_is_known(
    rig: Rig, mall: Mall, agent: Actor, fate: str, settled: str
) -> None:
    mall.fate = lambda _text: fate
    assert (await memo(rig, agent, "메모")).outcome is Outcome.UNKNOWN
    assert await outbox(rig).drain() == 0

    rig.at += LOOKS[0]
    assert await outbox(rig).drain() == 1
    (row,) = await rows(rig)
    # After a minute an effect that shows is there; one that does not show may still come.
    assert row.outcome == ("done" if settled == "done" else "unknown")

    await pass_looks(rig)
    (row,) = await rows(rig)
    assert (row.outcome, row.letter_sealed, row.look_at) == (settled, None, None)
    assert mall.effects["메모"] == (fate == "lost after")


async def test_what_no_look_can_tell_stays_unknown_and_is_left_to_people(rig: Rig, mall: Mall, agent: Actor) -> None:
    mall.fate = lambda _text: "lost after"
    mall.is_blind = True
    began = rig.at
    await memo(rig, agent, "메모")

    await pass_looks(rig)

    (row,) = await rows(rig)
    assert (row.outcome, row.looks, row.letter_sealed) == ("unknown", len(LOOKS), None)
    assert row.error_message
    assert rig.at - began == LOOKS[-1]
    assert mall.looks == len(LOOKS)


async def test_what_the_mall_took_and_never_shows_is_unknown_in_the_end(rig: Rig, mall: Mall, agent: Actor) -> None:
    mall.fate = lambda _text: "pending"
    assert (await memo(rig, agent, "메모")).outcome is Outcome.PENDING
    mall.effects.clear()

    await pass_looks(rig)

    (row,) = await rows(rig)
    assert row.outcome == "unknown"
    assert "does not show it" in row.error_message


async def test_a_broken_connector_leaves_an_unknown_outcome_and_no_words(rig: Rig, mall: Mall, agent: Actor) -> None:
    def broken(_text: str) -> str:
        raise KeyError(SECRET)

    mall.fate = broken

    result = await memo(rig, agent, "메모")

    assert (result.outcome, result.message) == (Outcome.UNKNOWN, "허브에서 문제가 생겼습니다. / internal: KeyError")


async def test_the_same_form_twice_at_once_acts_once(rig: Rig, mall: Mall, agent: Actor) -> None:
    results = await asyncio.gather(*(memo(rig, agent, "메모", token="form") for _ in range(4)))

    assert {result.outcome for result in results} == {Outcome.DONE}
    assert len({result.action_id for result in results}) == 1
    assert mall.effects["메모"] == 1


async def test_actions_of_a_shop_go_one_after_the_other_in_order(rig: Rig, mall: Mall, agent: Actor) -> None:
    going: list[str] = []
    mall.fate = lambda text: going.append(text) or "done"
    async with Lease(rig.database, f"outbox:{rig.shops[SHOP].id}"):
        sending = []
        for number in range(6):
            sending.append(asyncio.ensure_future(memo(rig, agent, f"메모 {number}")))
            async with asyncio.timeout(10):
                while len(await rows(rig)) <= number:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    await asyncio.gather(*sending)

    assert going == [f"메모 {number}" for number in range(6)]


_FATES = ("done", "refused", "unsent", "lost before", "lost after", "killed before", "killed after")


async def test_a_hundred_actions_under_faults_have_one_effect_or_none(rig: Rig, mall: Mall, agent: Actor) -> None:
    dice = random.Random(20261122)
    mall.fate = lambda _text: dice.choice(_FATES)
    drains = [outbox(rig) for _ in range(2)]

    async def one(number: int) -> None:
        try:
            await memo(rig, agent, f"메모 {number}", f"X-{number % 3 + 1}")
        except (KilledError, MallError):
            pass

    async def drain(each: Outbox) -> None:
        try:
            await each.drain()
        except KilledError:
            pass

    for start in range(0, 100, 10):
        await asyncio.gather(*(one(number) for number in range(start, start + 10)), *(drain(each) for each in drains))
        mall.is_blind = dice.random() < 0.3
        rig.at += timedelta(seconds=dice.choice((1, 40, 90)))
    mall.is_blind = False
    mall.fate = lambda _text: "done"
    await outbox(rig).drain()
    await pass_looks(rig)

    stored = await rows(rig)
    assert len(stored) == 100
    assert [row.outcome for row in stored if row.finished_at is None or row.letter_sealed is not None] == []
    told = Counter(row.outcome for row in stored)
    box = rig.database.box
    texts = {row.id: box.open(row.payload_sealed, b"actions.payload_sealed").decode() for row in stored}
    assert max(mall.effects.values()) == 1
    wrong = {
        texts[row.id]: (row.outcome, mall.effects[texts[row.id]])
        for row in stored
        if row.outcome != "unknown" and (row.outcome == "done") != bool(mall.effects[texts[row.id]])
    }
    assert wrong == {}
    assert told["unknown"] == 0
