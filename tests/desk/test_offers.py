"""What the desk offers about a case, by the state of claims and lines and by what the mall can do."""

from datetime import timedelta

import msgspec
import pytest

from hub.core.contract import Capability, CapabilityState, Support
from hub.core.model import ClaimKind, ClaimState, InventoryHint, LineStatus
from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.acting.act import VanishedError, act
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.acting.admin_steps import tick, untick
from hub.desk.acting.offers import offers_of, waiting_inquiry
from hub.desk.cases.case import NotFoundError, read_case
from hub.desk.views import CaseView, Offer
from hub.registry import Registry
from tests.desk.invented import MANIFESTS, NOW, Rig, claim, inquiry, line, order


async def view_of(rig: Rig, agent: Actor, shop: str = "alpha-main", **which: str) -> CaseView:
    return await read_case(rig, actor=agent, case_id=await rig.case_id(shop, **which))


def allowed(offers: tuple[Offer, ...], group: str) -> set[str]:
    return {offer.action for offer in offers if offer.group == group and offer.is_allowed}


def without(rig: Rig, *capabilities: Capability) -> None:
    """The mall's API cannot do these."""
    no = CapabilityState(state=Support.NO, instead="in the admin", instead_ko="어드민에서")
    manifest = MANIFESTS["alpha"]
    changed = {**manifest.capabilities, **dict.fromkeys(capabilities, no)}
    rig.registry = Registry({**MANIFESTS, "alpha": msgspec.structs.replace(manifest, capabilities=changed)})


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        (ClaimKind.CANCEL, ClaimState.REQUESTED, {"approve-cancel", "refuse-cancel"}),
        (ClaimKind.CANCEL, ClaimState.APPROVED, set()),
        (ClaimKind.RETURN, ClaimState.REQUESTED, {"accept-return", "hold-return", "refuse-return"}),
        (ClaimKind.RETURN, ClaimState.COLLECTING, {"collect-return", "hold-return", "refuse-return"}),
        (ClaimKind.RETURN, ClaimState.COLLECTED, {"complete-return", "hold-return", "refuse-return"}),
        (ClaimKind.RETURN, ClaimState.HOLD, {"release-return"}),
        (ClaimKind.EXCHANGE, ClaimState.COLLECTED, {"redeliver-exchange", "hold-exchange", "refuse-exchange"}),
        (ClaimKind.EXCHANGE, ClaimState.RESHIPPING, {"complete-exchange"}),
        (
            ClaimKind.RETURN,
            ClaimState.UNKNOWN,
            {
                "accept-return",
                "collect-return",
                "hold-return",
                "release-return",
                "refuse-return",
                "complete-return",
            },
        ),
    ],
)
async def test_a_claim_is_offered_what_its_state_allows(
    rig: Rig, agent: Actor, kind: ClaimKind, state: ClaimState, expected: set[str]
) -> None:
    await rig.write("alpha-main", order("X", claims=(claim("X", "X-1", kind=kind),)))
    await rig.write("alpha-main", order("X", claims=(claim("X", "X-1", kind=kind, state=state),)))

    offers = offers_of(rig, actor=agent, case=await view_of(rig, agent, order_no="X"))

    assert allowed(offers, "claim") == expected
    assert all(offer.why_not for offer in offers if not offer.is_allowed)


async def test_a_mall_without_the_step_before_goes_on_without_it(rig: Rig, agent: Actor) -> None:
    without(rig, Capability.ACCEPT_RETURN, Capability.COLLECT_RETURN)
    await rig.write("alpha-main", order("X", claims=(claim("X", "X-1", kind=ClaimKind.RETURN),)))

    offers = offers_of(rig, actor=agent, case=await view_of(rig, agent, order_no="X"))

    assert "complete-return" in allowed(offers, "claim")
    (accept,) = (offer for offer in offers if offer.action == "accept-return")
    assert (accept.is_elsewhere, accept.instead_ko) == (True, "어드민에서")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (LineStatus.PAID, {"confirm", "dispatch", "delay", "seller-cancel", "memo", "give-points"}),
        (LineStatus.PREPARING, {"dispatch", "delay", "seller-cancel", "memo", "give-points"}),
        (LineStatus.DELIVERED, {"file-return", "file-exchange", "memo", "give-points"}),
        (LineStatus.CANCELLED, {"memo", "give-points"}),
    ],
)
async def test_lines_are_offered_on_an_inquirys_case_too(
    rig: Rig, agent: Actor, status: LineStatus, expected: set[str]
) -> None:
    await rig.write("alpha-main", order("X", line("X-1", status=status)), inquiry("Q", "언제 와요?", order_no="X"))

    offers = offers_of(rig, actor=agent, case=await view_of(rig, agent, thread_no="Q"))

    assert allowed(offers, "line") == expected
    assert allowed(offers, "inquiry") == {"answer-inquiry"}


async def test_an_open_claim_comes_before_sending(rig: Rig, agent: Actor) -> None:
    lines = (line("X-1"), line("X-2"))
    await rig.write("alpha-main", order("X", *lines, claims=(claim("X", "X-1"),)))

    offers = {offer.action: offer for offer in await _offers(rig, agent, "X")}

    assert [each.line_no for each in offers["dispatch"].lines] == ["X-2"]
    assert [each.line_no for each in offers["memo"].lines] == ["X-1", "X-2"]
    assert [each.line_no for each in offers["approve-cancel"].lines] == ["X-1"]


async def test_what_only_logistics_may_send_is_not_offered(rig: Rig, agent: Actor) -> None:
    ours, theirs = line("X-1"), line("X-2")
    hint = InventoryHint(name="direct_contract", value="true")
    theirs = msgspec.structs.replace(theirs, product=msgspec.structs.replace(theirs.product, hints=(hint,)))
    await rig.write("alpha-main", order("X", ours, theirs, claims=(claim("X", "X-1"),)))

    dispatch = next(offer for offer in await _offers(rig, agent, "X") if offer.action == "dispatch")
    assert (dispatch.is_allowed, dispatch.why_not) == (False, "action.claim_open")

    await rig.write("alpha-main", order("X", ours, theirs, claims=(claim("X", "X-1", state=ClaimState.REJECTED),)))
    dispatch = next(offer for offer in await _offers(rig, agent, "X") if offer.action == "dispatch")
    assert (dispatch.is_allowed, [each.line_no for each in dispatch.lines]) == (True, ["X-1"])

    sent = msgspec.structs.replace(ours, status=LineStatus.DISPATCHED)
    await rig.write("alpha-main", order("X", sent, theirs, claims=(claim("X", "X-1", state=ClaimState.REJECTED),)))
    dispatch = next(offer for offer in await _offers(rig, agent, "X") if offer.action == "dispatch")
    assert (dispatch.is_allowed, dispatch.why_not) == (False, "line.logistics")


async def test_a_wished_day_can_be_moved_where_there_is_one(rig: Rig, agent: Actor) -> None:
    plain, wished, sent = line("X-1"), line("X-2"), line("X-3", status=LineStatus.DISPATCHED)
    hint = InventoryHint(name="wished_delivery", value="2026-12-01 14:00")
    wished, sent = (
        msgspec.structs.replace(each, product=msgspec.structs.replace(each.product, hints=(hint,)))
        for each in (wished, sent)
    )
    await rig.write("alpha-main", order("X", plain, wished, sent), inquiry("Q", "날짜를 바꾸고 싶어요", order_no="X"))
    await rig.write("alpha-main", order("Y", line("Y-1")), inquiry("R", "언제 와요?", order_no="Y"))

    view = await view_of(rig, agent, thread_no="Q")
    (move,) = (offer for offer in offers_of(rig, actor=agent, case=view) if offer.action == "move-delivery")
    others = offers_of(rig, actor=agent, case=await view_of(rig, agent, thread_no="R"))

    assert (move.is_allowed, [each.line_no for each in move.lines]) == (True, ["X-2"])
    assert (move.needs, move.fields) == (("deliver_on", "text"), ("deliver_on", "deliver_at", "text"))
    assert view.dossier.order
    assert [each.wished_delivery for each in view.dossier.order.lines] == [None, hint.value, hint.value]
    assert "move-delivery" not in {offer.action for offer in others}


async def test_claims_in_one_state_share_one_form(rig: Rig, agent: Actor) -> None:
    lines = tuple(line(f"X-{number}") for number in (1, 2, 3))
    states = (ClaimState.REQUESTED, ClaimState.REQUESTED, ClaimState.APPROVED)
    claims = tuple(claim("X", each.line_no, state=state) for each, state in zip(lines, states, strict=True))
    await rig.write("alpha-main", order("X", *lines, claims=claims))

    offers = [offer for offer in await _offers(rig, agent, "X") if offer.action == "approve-cancel"]

    assert [(offer.state, [each.line_no for each in offer.lines], offer.is_allowed) for offer in offers] == [
        ("requested", ["X-1", "X-2"], True),
        ("approved", ["X-3"], False),
    ]


async def test_an_answer_that_stands_can_be_changed(rig: Rig, agent: Actor) -> None:
    await rig.write("alpha-main", inquiry("Q", "언제요?"))
    open_ = offers_of(rig, actor=agent, case=await view_of(rig, agent, thread_no="Q"))
    await rig.write("alpha-main", inquiry("Q", "언제요?", answer="내일요", answered_at=NOW - timedelta(hours=1)))
    answered = offers_of(rig, actor=agent, case=await view_of(rig, agent, thread_no="Q"))

    assert allowed(open_, "inquiry") == {"answer-inquiry"}
    assert allowed(answered, "inquiry") == {"answer-inquiry", "change-answer"}


async def test_what_the_mall_has_no_more_cannot_be_answered(rig: Rig, agent: Actor) -> None:
    await rig.write("alpha-main", inquiry("Q", "언제요?"), inquiry("R", "어디요?"))
    await rig.vanish("alpha-main", "Q")

    view = await view_of(rig, agent, thread_no="Q")

    (offer,) = [offer for offer in offers_of(rig, actor=agent, case=view) if offer.group == "inquiry"]
    assert (offer.is_allowed, offer.why_not) == (False, "inquiry.vanished")
    assert (view.row.is_open, view.row.state, view.dues) == (False, "vanished", ())
    assert view.dossier.inquiries[0].vanished_at == NOW
    assert [entry.at for entry in view.dossier.timeline if entry.key == "event.inquiry_vanished"] == [NOW]
    for number, is_sent in (("Q", False), ("R", True)):
        request = ActionRequest(action=Action.ANSWER_INQUIRY, shop="alpha-main", inquiry_no=number, text="내일 갑니다.")
        try:
            await act(rig, agent, request)
        except VanishedError:
            assert not is_sent
        else:
            assert is_sent
    assert len(rig.connectors["alpha-main"].sent) == 1


async def test_of_a_thread_the_question_that_is_still_there_is_answered(rig: Rig, agent: Actor) -> None:
    await rig.write(
        "alpha-main",
        inquiry("Q1", "언제요?", thread_no="Q1", asked_at=NOW - timedelta(hours=3)),
        inquiry("Q2", "아직요?", thread_no="Q1", asked_at=NOW - timedelta(hours=1)),
    )
    await rig.vanish("alpha-main", "Q2")

    view = await view_of(rig, agent, thread_no="Q1")

    assert allowed(offers_of(rig, actor=agent, case=view), "inquiry") == {"answer-inquiry"}
    assert waiting_inquiry(view).inquiry_no == "Q1"


async def _offers(rig: Rig, agent: Actor, order_no: str) -> tuple[Offer, ...]:
    return offers_of(rig, actor=agent, case=await view_of(rig, agent, order_no=order_no))


# the mall's own admin


async def test_what_was_done_in_the_admin_is_ticked_once_and_taken_back(rig: Rig, agent: Actor) -> None:
    without(rig, Capability.APPROVE_CANCEL)
    await rig.write("alpha-main", order("X", claims=(claim("X", "X-1"),)))
    case_id = await rig.case_id("alpha-main", order_no="X")

    for _ in range(2):
        await tick(rig, actor=agent, case_id=case_id, action=Action.APPROVE_CANCEL, line_nos=["X-1"])

    view = await view_of(rig, agent, order_no="X")
    (offer,) = (offer for offer in offers_of(rig, actor=agent, case=view) if offer.action == "approve-cancel")
    (step,) = offer.steps
    assert (step.line_no, step.done_at, step.done_by_id) == ("X-1", NOW, agent.user_id)
    assert "event.admin_done" in {entry.key for entry in view.dossier.timeline}

    await untick(rig, actor=agent, case_id=case_id, step_id=step.step_id)

    view = await view_of(rig, agent, order_no="X")
    assert [offer.steps for offer in offers_of(rig, actor=agent, case=view) if offer.steps] == []
    keys = [entry.key for entry in view.dossier.timeline]
    assert keys.count("event.admin_done") == keys.count("event.admin_undone") == 1
    with pytest.raises(NotFoundError):
        await untick(rig, actor=agent, case_id=case_id, step_id=step.step_id)


async def test_a_colleagues_tick_is_taken_back_by_a_supervisor_only(rig: Rig, agent: Actor, supervisor: Actor) -> None:
    await rig.write("alpha-main", order("X", claims=(claim("X", "X-1"),)))
    case_id = await rig.case_id("alpha-main", order_no="X")
    await tick(rig, actor=agent, case_id=case_id, action=Action.MEMO, line_nos=["X-1"])
    (step,) = (await view_of(rig, agent, order_no="X")).dossier.steps

    with pytest.raises(ForbiddenError):
        other = Actor(user_id=77, login="o", name="o", role=Role.AGENT)
        await untick(rig, actor=other, case_id=case_id, step_id=step.step_id)
    await untick(rig, actor=supervisor, case_id=case_id, step_id=step.step_id)

    with pytest.raises(NotFoundError):
        await tick(rig, actor=agent, case_id=2**60, action=Action.MEMO, line_nos=[])
