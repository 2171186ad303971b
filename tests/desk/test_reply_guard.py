"""The guard on the one way to a mall: what it stops, what it tells, what is kept of it."""

import json

import pytest
from sqlalchemy import select

from hub.core.model import InquiryKind, Party
from hub.desk.access import Actor, ForbiddenError
from hub.desk.acting.act import Action, ActionRequest, act
from hub.desk.acting.action import ActionResult
from hub.desk.acting.answer_guard import GuardError, UnreadWarningsError
from hub.desk.acting.templates import template_choices
from hub.desk.cases.case import read_case
from hub.policy.book_rows import Language
from hub.policy.finding import FindingKind, Level
from hub.policy.templates import BannedWord, GuardRow, Template, TemplateTables, encode
from hub.store.books import BookKind, write_version
from hub.store.sealed import ACTION_PLACE
from hub.store.tables import access_log, actions
from tests.desk.invented import NOW, Rig, inquiry

PRIVATE = "Q-1"
PUBLIC = "Q-9"


@pytest.fixture
async def desk(sample: Rig) -> Rig:
    question = inquiry(PUBLIC, "재입고 되나요?", kind=InquiryKind.PRODUCT_INQUIRY, is_public=True, product_code="P1")
    await sample.write("alpha-main", question)
    await sample.write(
        "japan-main", inquiry("JQ-1", "いつ届きますか。よろしくお願いします", writer=Party(name="山田 花子"))
    )
    return sample


async def _answer(
    rig: Rig, actor: Actor, text: str, *, no: str = PRIVATE, shop: str = "alpha-main", **more: object
) -> ActionResult:
    request = ActionRequest(action=Action.ANSWER_INQUIRY, shop=shop, inquiry_no=no, text=text, **more)
    return await act(rig, actor, request)


def _sent(rig: Rig, shop: str = "alpha-main") -> list[str]:
    return [sent.text for sent in rig.connectors[shop].sent]


async def _stored(rig: Rig) -> list[tuple[str | None, str | None, str]]:
    async with rig.database.reading() as connection:
        rows = (await connection.execute(select(actions).order_by(actions.c.id))).all()
    box = rig.database.box
    return [(row.template_id, row.guard, box.open(row.payload_sealed, ACTION_PLACE).decode()) for row in rows]


async def test_a_harmless_answer_goes_as_ever(desk: Rig, agent: Actor):
    result = await _answer(desk, agent, "오늘 출고합니다.", template_id="ko-dispatched")

    assert (result.outcome.value, result.findings) == ("done", ())
    assert _sent(desk) == ["오늘 출고합니다."]
    assert await _stored(desk) == [("ko-dispatched", None, "오늘 출고합니다.")]


@pytest.mark.parametrize(
    ("no", "text", "kind"),
    [
        (PUBLIC, "010-7777-8888로 연락 주세요", FindingKind.PERSONAL_DATA),
        (PUBLIC, "{customer_name} 고객님 안녕하세요", FindingKind.PERSONAL_DATA),
        (PRIVATE, "세일 상품은 환불이 불가합니다", FindingKind.UNLAWFUL_REFUSAL),
        (PRIVATE, "위약금이 발생합니다", FindingKind.PENALTY),
        (PRIVATE, "송장번호는 {tracking_no} 입니다", FindingKind.UNFILLED),
    ],
)
async def test_what_blocks_is_neither_sent_nor_stored(desk: Rig, agent: Actor, no: str, text: str, kind: FindingKind):
    with pytest.raises(GuardError) as stopped:
        await _answer(desk, agent, text, no=no)

    assert [finding.kind for finding in stopped.value.findings] == [kind]
    assert "010-7777" not in str(stopped.value)
    assert _sent(desk) == []
    assert await _stored(desk) == []


async def test_another_customers_number_is_known_from_their_order(desk: Rig, agent: Actor):
    with pytest.raises(GuardError) as stopped:
        await _answer(desk, agent, "연락처 010-2222-3333 으로 주세요")

    assert [finding.kind for finding in stopped.value.findings] == [FindingKind.OTHERS_DATA]
    assert (await _answer(desk, agent, "고객님 번호 010-1234-5678 로 전화드리겠습니다")).findings == ()


async def test_a_program_passes_warnings_and_is_told(desk: Rig, agent: Actor):
    result = await _answer(desk, agent, "안녕하세요. 오늘 출고합니다.", no="JQ-1", shop="japan-main")

    assert [(each.kind, each.level) for each in result.findings] == [(FindingKind.LANGUAGE, Level.WARNING)]
    assert _sent(desk, "japan-main") == ["안녕하세요. 오늘 출고합니다."]
    assert json.loads((await _stored(desk))[0][1] or "") == {"findings": {"language": 1}, "forced": False}


async def test_a_person_reads_warnings_first_and_a_tick_is_for_these_alone(desk: Rig, agent: Actor):
    text = "최대한 빨리 배송하겠습니다"
    with pytest.raises(UnreadWarningsError) as first:
        await _answer(desk, agent, text, warnings_read="")
    read = first.value.digest
    with pytest.raises(UnreadWarningsError):
        await _answer(desk, agent, f"{text}. 11월 30일에 도착합니다", warnings_read=read)

    result = await _answer(desk, agent, text, warnings_read=read)

    assert result.outcome.value == "done"
    assert _sent(desk) == [text]


async def test_who_may_approve_sends_it_all_the_same_and_the_log_keeps_why(desk: Rig, agent: Actor, supervisor: Actor):
    text = "위약금이 발생합니다"
    with pytest.raises(ForbiddenError):
        await _answer(desk, agent, text, guard_override="고객 문구 인용")

    await _answer(desk, supervisor, text, guard_override="고객 문구 인용")

    async with desk.database.reading() as connection:
        logged = (await connection.execute(select(access_log).where(access_log.c.action == "guard"))).one()
    assert (logged.login, logged.subject, logged.reason) == ("lee", "inquiry Q-1 of alpha-main", "고객 문구 인용")
    assert json.loads((await _stored(desk))[0][1] or "") == {"findings": {"penalty": 1}, "forced": True}


async def test_a_name_is_put_in_on_the_way_out(desk: Rig, agent: Actor):
    await _answer(desk, agent, "{customer_name} 고객님, 오늘 출고합니다.")

    assert _sent(desk) == ["홍길동 고객님, 오늘 출고합니다."]
    assert (await _stored(desk))[0][2] == "홍길동 고객님, 오늘 출고합니다."


async def test_a_dry_run_is_guarded_too(desk: Rig, agent: Actor):
    request = ActionRequest(action=Action.ANSWER_INQUIRY, shop="alpha-main", inquiry_no=PRIVATE, text="위약금 발생")

    with pytest.raises(GuardError):
        await act(desk, agent, request, dry_run=True)


async def test_the_book_bans_words_and_sets_levels_for_a_shop(desk: Rig, agent: Actor):
    book = TemplateTables(
        banned_words=(BannedWord(word="짜증", level=Level.BLOCKING, shop="alpha-main"),),
        guard=(
            GuardRow(kind=FindingKind.BARE_HASTE, level=Level.BLOCKING),
            GuardRow(kind=FindingKind.BARE_HASTE, level=Level.OFF, shop="alpha-main"),
        ),
    )
    await write_version(desk.database, BookKind.TEMPLATES, encode(book), based_on=0, source="screen", now=NOW)

    with pytest.raises(GuardError):
        await _answer(desk, agent, "짜증 나셨지요")
    assert (await _answer(desk, agent, "최대한 빨리 배송하겠습니다")).findings == ()


async def test_templates_of_a_case_come_filled_and_the_used_ones_first(desk: Rig, agent: Actor):
    case = await read_case(desk, actor=agent, case_id=await desk.case_id("alpha-main", thread_no="Q-1"))

    first = await template_choices(desk, actor=agent, case=case)
    chosen = next(choice for choice in first if choice.id == "ko-late-before-dispatch")

    assert "린넨 오버핏 셔츠 [무료배송] 블루/화이트" in chosen.text
    assert "상담사 김상담 드림" in chosen.text
    assert "⟦사유⟧" in chosen.text
    assert chosen.missing == ("reason", "planned_ship_date", "eta_range")
    assert first[0].occasion == "late_known"
    assert {choice.language for choice in first[:2]} == {Language.KO}
    assert all("홍" not in choice.text for choice in first)


async def test_templates_of_another_shop_are_not_offered(desk: Rig, agent: Actor):
    template = Template(id="x", name="x", language=Language.KO, body="x", shop="alpha-outlet")
    book = encode(TemplateTables(templates=(template,)))
    await write_version(desk.database, BookKind.TEMPLATES, book, based_on=0, source="screen", now=NOW)
    case = await read_case(desk, actor=agent, case_id=await desk.case_id("alpha-main", thread_no="Q-1"))

    assert await template_choices(desk, actor=agent, case=case) == ()
