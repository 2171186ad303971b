from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core.contract import Capability
from hub.core.model import ClaimKind, ClaimState, LineStatus, Message, MessageAuthor, Party
from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.acting.offers import offers_of, waiting_inquiry
from hub.desk.asks.contact import contact_card, likely_matter
from hub.desk.cases.case import NotFoundError, read_case, read_order, unmask_case, unmask_order
from hub.desk.users import create_user
from hub.desk.worklist.assign import TakenError, assign, release, take
from hub.store.tables import access_log, orders
from routing.chain import Matter
from tests.desk.invented import BUYER, NOW, Rig, claim, inquiry, line, order


async def _order_id(rig: Rig, order_no: str) -> int:
    async with rig.database.reading() as connection:
        return (await connection.execute(select(orders.c.id).where(orders.c.order_no == order_no))).scalar_one()


async def test_a_case_shows_its_order_and_masks_its_people(sample: Rig, agent: Actor) -> None:
    case_id = await sample.case_id("alpha-main", order_no="A-2")

    view = await read_case(sample, actor=agent, case_id=case_id)

    assert view.row.kind == "return"
    assert view.dossier.order is not None
    assert [shown.line_no for shown in view.dossier.order.lines] == ["A-2-1"]
    assert view.dossier.person.buyer == Party(name="김•지", phone="010-••••-3333")
    assert view.dossier.link == "https://admin.example/alpha/A-2"
    assert view.dossier.shop.data_as_of == NOW - timedelta(minutes=2)
    assert not view.dossier.is_unmasked
    assert [due.label_key for due in view.dues] == ["due.target.claim", "due.law.refund"]


async def test_nothing_personal_is_in_a_masked_case(sample: Rig, agent: Actor) -> None:
    case_id = await sample.case_id("alpha-main", thread_no="Q-1")

    text = repr(await read_case(sample, actor=agent, case_id=case_id))

    for secret in ("홍길동", "1234-5678", "hong@", "hong1234", "테헤란로", "파이낸스"):
        assert secret not in text


async def test_unmasking_needs_a_reason_and_stands_in_the_log(sample: Rig, agent: Actor) -> None:
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    with pytest.raises(ValueError, match="reason"):
        await unmask_case(sample, actor=agent, case_id=case_id, reason=" \n ")

    view = await unmask_case(sample, actor=agent, case_id=case_id, reason="고객에게\n전화")

    assert view.dossier.person.buyer == Party(name="김민지", phone="010-2222-3333")
    async with sample.database.reading() as connection:
        rows = (await connection.execute(select(access_log))).all()
    assert [(row.login, row.action, row.subject, row.reason, row.address) for row in rows] == [
        ("kim", "unmask", f"case {case_id}", "고객에게 전화", "10.0.0.7")
    ]


async def test_unmasking_an_order_is_logged_even_when_it_is_gone(sample: Rig, agent: Actor) -> None:
    order_id = await _order_id(sample, "A-1")
    dossier = await unmask_order(sample, actor=agent, order_id=order_id, reason="배송 확인")
    assert dossier.person.buyer == BUYER
    assert dossier.person.delivery_message == "문 앞에 놓아 주세요"

    with pytest.raises(NotFoundError):
        await unmask_order(sample, actor=agent, order_id=1, reason="배송 확인")
    async with sample.database.reading() as connection:
        subjects = (await connection.execute(select(access_log.c.subject))).scalars().all()
    assert subjects == [f"order {order_id}", "order 1"]


async def test_other_orders_of_the_same_phone_come_from_every_mall(sample: Rig, agent: Actor) -> None:
    await sample.write(
        "japan-main",
        order("J-7", line("J-7-1", name="同じ人"), buyer=Party(name="HONG", phone="+82 10 1234 5678"), receiver=None),
        order("J-8", buyer=Party(name="홍길동", phone="010-****-5678"), receiver=None),
    )

    view = await read_case(sample, actor=agent, case_id=await sample.case_id("alpha-main", thread_no="Q-1"))

    assert [(other.order_no, other.matched_by) for other in view.dossier.others] == [
        ("J-7", "phone"),
        ("O-1", "phone"),
    ]


async def test_the_timeline_is_one_column_oldest_first(rig: Rig, agent: Actor) -> None:
    early = order("T-1", line("T-1-1"), line("T-1-2"))
    await rig.write("alpha-main", early)
    rig.at = NOW + timedelta(hours=1)
    sent = [line(f"T-1-{number}", status=LineStatus.CANCELLED, raw_status="C40") for number in (1, 2)]
    asked = claim("T-1", "T-1-1", reason_text="전화 010-1234-5678", state=ClaimState.DONE, ended_at=NOW)
    await rig.write("alpha-main", order("T-1", *sent, claims=(asked,)))
    thread = (
        Message(message_no="1", author=MessageAuthor.CUSTOMER, text="언제요?", sent_at=NOW - timedelta(hours=4)),
        Message(message_no="2", author=MessageAuthor.SELLER, text="내일요"),
    )
    await rig.write("alpha-main", inquiry("TQ", "언제요?", order_no="T-1", messages=thread))

    view = await read_case(rig, actor=agent, case_id=await rig.case_id("alpha-main", thread_no="TQ"))

    assert [(entry.key, entry.text) for entry in view.dossier.timeline] == [
        ("event.ordered", None),
        ("event.paid", None),
        ("message.customer", "언제요?"),
        ("message.seller", "내일요"),
        ("event.claim_requested", "전화 010-••••-5678"),
        ("event.claim_ended", None),
        # Two lines that changed together are one event.
        ("event.line_status", None),
    ]


async def test_a_shop_with_broken_credentials_still_shows_its_cases(sample: Rig, agent: Actor) -> None:
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    sample.connectors.clear()

    view = await read_case(sample, actor=agent, case_id=case_id)

    assert view.dossier.link is None


@pytest.mark.parametrize("read", [read_case, read_order])
async def test_what_is_not_there_is_not_found(sample: Rig, agent: Actor, read: object) -> None:
    with pytest.raises(NotFoundError):
        if read is read_case:
            await read_case(sample, actor=agent, case_id=2**62)
        else:
            await read_order(sample, actor=agent, order_id=2**62)


async def test_what_the_mall_cannot_do_is_offered_greyed_with_the_way_there(sample: Rig, agent: Actor) -> None:
    view = await read_case(sample, actor=agent, case_id=await sample.case_id("japan-main", order_no="J-1"))

    offers = offers_of(sample, actor=agent, case=view)

    of_claim = [offer for offer in offers if offer.group == "claim"]
    assert [(offer.action, offer.is_allowed, offer.why_not, offer.link) for offer in of_claim] == [
        ("approve-cancel", True, None, "https://admin.example/japan/J-1-1"),
        ("refuse-cancel", False, "action.mall_cannot", "https://admin.example/japan/J-1-1"),
    ]
    assert offers[1].instead == sample.registry.manifest("japan").capabilities[Capability.REFUSE_CANCEL].instead


async def test_an_answer_goes_to_the_newest_question_that_waits(rig: Rig, agent: Actor) -> None:
    await rig.write(
        "alpha-main",
        inquiry("1", "첫째", thread_no="T", answer="네", answered_at=NOW - timedelta(hours=3)),
        inquiry("2", "둘째", thread_no="T", asked_at=NOW - timedelta(hours=2)),
        inquiry("3", "셋째", thread_no="T", asked_at=NOW - timedelta(hours=1), answer="네", answered_at=NOW),
    )

    view = await read_case(rig, actor=agent, case_id=await rig.case_id("alpha-main", thread_no="T"))

    waiting = waiting_inquiry(view)
    assert waiting is not None
    assert waiting.inquiry_no == "2"


async def test_of_two_agents_one_gets_the_case(sample: Rig, agent: Actor, supervisor: Actor) -> None:
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    other = Actor(user_id=77, login="o", name="o", role=Role.AGENT)
    await take(sample, actor=agent, case_id=case_id)
    await take(sample, actor=agent, case_id=case_id)

    with pytest.raises(TakenError):
        await take(sample, actor=other, case_id=case_id)
    with pytest.raises(TakenError):
        await release(sample, actor=other, case_id=case_id)

    await release(sample, actor=supervisor, case_id=case_id)
    await take(sample, actor=other, case_id=case_id)
    view = await read_case(sample, actor=agent, case_id=case_id)
    assert view.row.assignee_id == 77


async def test_only_who_may_gives_a_case_to_somebody(sample: Rig, agent: Actor, supervisor: Actor) -> None:
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    user_id = await create_user(
        sample.database, login="kim", name="김상담", role=Role.AGENT, password="long enough", at=NOW
    )
    with pytest.raises(ForbiddenError):
        await assign(sample, actor=agent, case_id=case_id, user_id=user_id)
    with pytest.raises(NotFoundError):
        await assign(sample, actor=supervisor, case_id=case_id, user_id=1)

    await assign(sample, actor=supervisor, case_id=case_id, user_id=user_id)

    view = await read_case(sample, actor=agent, case_id=case_id)
    assert view.row.assignee == "김상담"


async def test_the_matter_starts_with_the_customers_reason(sample: Rig, agent: Actor) -> None:
    returned = await read_case(sample, actor=agent, case_id=await sample.case_id("alpha-main", order_no="A-2"))
    asked = await read_case(sample, actor=agent, case_id=await sample.case_id("alpha-main", thread_no="Q-1"))

    assert likely_matter(returned) is Matter.DEFECT
    assert likely_matter(asked) is Matter.DISPATCH_DELAY


async def test_without_a_table_nobody_is_named(sample: Rig, agent: Actor) -> None:
    case_id = await sample.case_id("alpha-main", order_no="A-2")

    assert await contact_card(sample, actor=agent, case_id=case_id, matter=Matter.STOCK) is None


async def test_claims_of_one_order_become_cases_that_name_each_other(rig: Rig, agent: Actor) -> None:
    await rig.write(
        "alpha-main",
        order(
            "M-1",
            line("M-1-1"),
            claims=(claim("M-1", "M-1-1"), claim("M-1", "M-1-1", kind=ClaimKind.EXCHANGE)),
        ),
    )
    dossier = await read_order(rig, actor=agent, order_id=await _order_id(rig, "M-1"))

    assert sorted(link.kind for link in dossier.cases) == ["cancel", "exchange"]
