"""Drafts of replies: kept while they are written, gone with what is sent, never another's."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.desk.access import Actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.acting.drafts import TEXT_LIMIT, DraftTooLongError, read_drafts, save_draft
from hub.desk.worklist.rows import read_case_rows
from hub.store.tables import reply_drafts
from tests.desk.invented import NOW, Rig, inquiry

SHOP = "alpha-main"
SECRET = "010-7777-8888로 연락드리겠습니다"


@pytest.fixture
async def case_id(rig: Rig) -> int:
    await rig.write(SHOP, inquiry("Q", "언제 오나요?"))
    return await rig.case_id(SHOP, thread_no="Q")


async def texts(rig: Rig, actor: Actor, case_id: int) -> list[str]:
    return [draft.text for draft in await read_drafts(rig, actor=actor, case_id=case_id)]


async def save(rig: Rig, actor: Actor, case_id: int, text: str, *, screen: str = "one", **more: str | int) -> bool:
    saved = await save_draft(rig, actor=actor, case_id=case_id, screen=screen, text=text, **more)  # type: ignore[arg-type]
    return saved is not None


async def test_a_draft_is_sealed_and_its_writers_alone(rig: Rig, agent: Actor, supervisor: Actor, case_id: int) -> None:
    await save(rig, agent, case_id, "앞부분")
    assert await save(rig, agent, case_id, SECRET + "\r\n끝", template_id="t1")

    (draft,) = await read_drafts(rig, actor=agent, case_id=case_id)
    assert (draft.text, draft.saved_at, draft.template_id) == (SECRET + "\n끝", NOW, "t1")
    assert await texts(rig, supervisor, case_id) == []
    assert [row.has_draft for row in await read_case_rows(rig, actor=agent, case_ids=[case_id])] == [True]
    assert [row.has_draft for row in await read_case_rows(rig, actor=supervisor, case_ids=[case_id])] == [False]
    async with rig.database.reading() as connection:
        (row,) = (await connection.execute(select(reply_drafts))).all()
    assert SECRET.encode() not in bytes(row.text_sealed)


async def test_two_pages_never_overwrite_each_other(rig: Rig, agent: Actor, case_id: int) -> None:
    await save(rig, agent, case_id, "첫 창의 글")
    rig.at += timedelta(seconds=1)
    await save(rig, agent, case_id, "둘째 창의 글", screen="two")

    assert await texts(rig, agent, case_id) == ["둘째 창의 글", "첫 창의 글"]
    newest, _ = await read_drafts(rig, actor=agent, case_id=case_id)
    await save(rig, agent, case_id, "셋째 창에서 이어 쓴 글", screen="three", replaces=newest.draft_id)
    assert set(await texts(rig, agent, case_id)) == {"셋째 창에서 이어 쓴 글", "첫 창의 글"}
    assert not await save(rig, agent, case_id, "  \n", screen="three")
    assert await texts(rig, agent, case_id) == ["첫 창의 글"]


async def test_sending_removes_it_and_what_comes_late_is_not_kept(rig: Rig, agent: Actor, case_id: int) -> None:
    await save(rig, agent, case_id, "내일 도착", screen="other")
    request = ActionRequest(
        action=Action.ANSWER_INQUIRY, shop=SHOP, inquiry_no="Q", text="내일 도착합니다.", token="form"
    )

    await act(rig, agent, request)

    assert await texts(rig, agent, case_id) == []
    assert not await save(rig, agent, case_id, "내일 도착합니다", token="form")
    assert await texts(rig, agent, case_id) == []
    assert await save(rig, agent, case_id, "덧붙일 말", token="form")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_too_long_is_refused_and_the_last_one_stays(rig: Rig, agent: Actor, case_id: int) -> None:
    await save(rig, agent, case_id, "가" * TEXT_LIMIT)

    with pytest.raises(DraftTooLongError):
        await save(rig, agent, case_id, "가" * (TEXT_LIMIT + 1))

    assert [len(text) for text in await texts(rig, agent, case_id)] == [TEXT_LIMIT]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_so_many_and_so_old_are_kept(rig: Rig, agent: Actor, case_id: int) -> None:
    for number in range(8):
        rig.at += timedelta(days=1)
        await save(rig, agent, case_id, f"글 {number}", screen=f"{number}")
    assert await texts(rig, agent, case_id) == [f"글 {number}" for number in (7, 6, 5, 4, 3)]

    rig.at += timedelta(days=28)
    await save(rig, agent, case_id, "새 글", screen="new")

    assert await texts(rig, agent, case_id) == ["새 글", "글 7", "글 6", "글 5"]
