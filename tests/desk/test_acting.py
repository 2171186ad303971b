"""The one path of every write, over an invented mall: what is asked first, and what is kept of each line."""

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from hub.core.contract import Capability, CapabilityState, HoldReason, LineAction, Outcome, Support
from hub.core.errors import NotFoundAtMallError, OutcomeUnknownError, RejectedByMallError
from hub.core.model import ClaimKind, ClaimReason, ClaimState
from hub.desk.access import Actor
from hub.desk.acting.act import act
from hub.desk.acting.action import (
    IRREVERSIBLE,
    Action,
    ActionRequest,
    ActionResult,
    UnconfirmedError,
    WrongRequestError,
)
from hub.registry import Registry
from hub.store.tables import actions
from tests.desk.invented import MANIFESTS, NOW, Rig, claim, inquiry, line, order

LINES = ("X-1", "X-2", "X-3")


@pytest.fixture
async def shop(rig: Rig) -> Rig:
    """An order of three lines."""
    await rig.write("alpha-main", order("X", *(line(line_no, quantity=2) for line_no in LINES)))
    return rig


async def do(rig: Rig, agent: Actor, action: Action, **more: Any) -> ActionResult:
    more.setdefault("line_nos", ("X-1",))
    request = ActionRequest(action=action, shop="alpha-main", order_no="X", **more)
    return await act(rig, agent, request)


def sent(rig: Rig) -> list[Any]:
    return rig.connectors["alpha-main"].sent


def stating(rig: Rig, states: Mapping[Capability, CapabilityState]) -> None:
    manifest = MANIFESTS["alpha"]
    changed = msgspec.structs.replace(manifest, capabilities={**manifest.capabilities, **states})
    rig.registry = Registry({**MANIFESTS, "alpha": changed})


async def test_several_lines_are_worked_one_after_the_other(shop: Rig, agent: Actor) -> None:
    connector = shop.connectors["alpha-main"]
    connector.outcomes = {"X-2": RejectedByMallError("no", mall_message="이미 발송된 주문")}

    result = await do(shop, agent, Action.DISPATCH, line_nos=LINES, carrier="CJ", tracking_no=" 1 ", confirmed=True)

    assert [each.line.line_no for each in sent(shop)] == list(LINES)
    assert {each.tracking_no for each in sent(shop)} == {"1"}
    assert [(each.line_no, each.outcome, each.mall_message) for each in result.lines] == [
        ("X-1", Outcome.DONE, None),
        ("X-2", Outcome.REFUSED, "이미 발송된 주문"),
        ("X-3", Outcome.DONE, None),
    ]
    assert (result.outcome, result.is_mixed, result.message) == (Outcome.REFUSED, True, "이미 발송된 주문")
    async with shop.database.reading() as connection:
        (row,) = (await connection.execute(select(actions))).all()
    assert (row.outcome, row.line_no, len(msgspec.json.decode(row.lines))) == ("refused", None, 3)
    assert row.finished_at is not None


async def test_what_is_unknown_is_the_worst(shop: Rig, agent: Actor) -> None:
    connector = shop.connectors["alpha-main"]
    connector.outcomes = {"X-1": OutcomeUnknownError("lost"), "X-2": RejectedByMallError("no")}

    assert (await do(shop, agent, Action.MEMO, line_nos=LINES, text="메모")).outcome is Outcome.UNKNOWN


async def test_one_token_covers_all_lines(shop: Rig, agent: Actor) -> None:
    first = await do(shop, agent, Action.MEMO, line_nos=LINES, text="메모", token="form")
    again = await do(shop, agent, Action.MEMO, line_nos=LINES, text="메모", token="form")

    assert first == again
    assert len(sent(shop)) == 3


@pytest.mark.parametrize("action", sorted(IRREVERSIBLE))
async def test_what_cannot_be_taken_back_is_asked_for_twice(shop: Rig, agent: Actor, action: Action) -> None:
    everything: dict[str, Any] = {
        "carrier": "CJ", "tracking_no": "1", "text": "사유", "reason": ClaimReason.OUT_OF_STOCK, "points": 1,
    }  # fmt: skip
    with pytest.raises(UnconfirmedError):
        await do(shop, agent, action, **everything)
    assert sent(shop) == []

    assert (await do(shop, agent, action, **everything, confirmed=True)).outcome is Outcome.DONE


async def test_a_malls_warning_asks_twice_and_is_told(shop: Rig, agent: Actor) -> None:
    stating(
        shop, {Capability.MEMO: CapabilityState(state=Support.YES, warning="Customers see it.", warning_ko="보입니다.")}
    )

    with pytest.raises(UnconfirmedError) as caught:
        await do(shop, agent, Action.MEMO, text="메모")

    assert (caught.value.warning, caught.value.warning_ko) == ("Customers see it.", "보입니다.")
    assert "Customers see it." in str(caught.value)
    assert (await do(shop, agent, Action.MEMO, text="메모", confirmed=True)).outcome is Outcome.DONE


async def test_a_mall_can_need_more_and_names_it(shop: Rig, agent: Actor) -> None:
    stating(
        shop,
        {
            Capability.REFUSE_CANCEL: CapabilityState(state=Support.YES, needs=("carrier", "tracking_no")),
            Capability.HOLD_RETURN: CapabilityState(state=Support.YES, needs=("hold_reason",)),
        },
    )

    with pytest.raises(WrongRequestError, match="carrier and tracking_no") as caught:
        await do(shop, agent, Action.REFUSE_CANCEL, confirmed=True)
    assert (caught.value.field, caught.value.is_missing) == ("carrier", True)
    with pytest.raises(WrongRequestError, match="hold_reason"):
        await do(shop, agent, Action.HOLD_RETURN, text="안 왔어요")
    # It is refused by sending: the customer is shown no words, so none are asked for.
    result = await do(shop, agent, Action.REFUSE_CANCEL, carrier="CJ", tracking_no="1", confirmed=True)

    assert result.outcome is Outcome.DONE


async def test_a_fee_goes_with_a_hold_where_the_mall_takes_it(shop: Rig, agent: Actor) -> None:
    with pytest.raises(WrongRequestError, match="no fee at this mall"):
        await do(shop, agent, Action.HOLD_RETURN, text="반품비 미입금", fee=3_000)
    stating(shop, {Capability.HOLD_RETURN: CapabilityState(state=Support.YES, takes=("fee",))})
    for wrong in ({"fee": 0}, {"fee": 10_000_001}, {"fee": 3_000, "line_nos": LINES}):
        with pytest.raises(WrongRequestError) as caught:
            await do(shop, agent, Action.HOLD_RETURN, text="반품비 미입금", **wrong)
        assert caught.value.field == "fee"
    assert sent(shop) == []

    await do(shop, agent, Action.HOLD_RETURN, text="반품비 미입금", fee=3_000)

    (action,) = sent(shop)
    assert isinstance(action, LineAction)
    assert action.fee == 3_000


async def test_a_question_is_known_by_the_malls_own_number_where_only_one_has_it(shop: Rig, agent: Actor) -> None:
    await shop.write(
        "alpha-main", inquiry("qna:7", "재입고?"), inquiry("inquiry:17", "언제요?"), inquiry("qna:17", "크기?")
    )

    done = await do(shop, agent, Action.ANSWER_INQUIRY, inquiry_no=" 7", text="곧 들어옵니다")
    with pytest.raises(WrongRequestError, match="inquiry:17, qna:17"):
        await do(shop, agent, Action.ANSWER_INQUIRY, inquiry_no="17", text="곧 들어옵니다")
    for nobodys in ("%7", "_", "8"):
        with pytest.raises(NotFoundAtMallError):
            await do(shop, agent, Action.ANSWER_INQUIRY, inquiry_no=nobodys, text="곧 들어옵니다")

    assert done.outcome is Outcome.DONE
    (answer,) = sent(shop)
    assert answer.inquiry.inquiry_no == "qna:7"
    async with shop.database.reading() as connection:
        assert (await connection.execute(select(actions.c.inquiry_no))).scalars().all() == ["qna:7"]


@pytest.mark.parametrize(
    ("action", "given", "field"),
    [
        (Action.DISPATCH, {}, "carrier"),
        (Action.DELAY, {}, "ship_on"),
        (Action.SELLER_CANCEL, {}, "reason"),
        (Action.REFUSE_CANCEL, {"text": "  "}, "text"),
        (Action.HOLD_EXCHANGE, {}, "text"),
        (Action.FILE_RETURN, {}, "reason"),
        (Action.GIVE_POINTS, {"text": "사과"}, "points"),
        (Action.GIVE_POINTS, {"text": "사과", "points": 0}, "points"),
        (Action.GIVE_POINTS, {"text": "사과", "points": 5, "line_nos": LINES}, "line_no"),
        (Action.CONFIRM, {"line_nos": ()}, "line_no"),
        (Action.FILE_RETURN, {"reason": ClaimReason.DEFECT, "quantity": 3}, "quantity"),
        (Action.FILE_RETURN, {"reason": ClaimReason.DEFECT, "quantity": 1, "line_nos": LINES}, "quantity"),
        (Action.ANSWER_INQUIRY, {"text": "네"}, "inquiry_no"),
        (Action.CHANGE_ANSWER, {"inquiry_no": "1"}, "text"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_sent(
    shop: Rig, agent: Actor, action: Action, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(WrongRequestError) as caught:
        await do(shop, agent, action, confirmed=True, **given)

    assert caught.value.field == field
    assert field in str(caught.value)
    assert sent(shop) == []
    async with shop.database.reading() as connection:
        assert (await connection.execute(select(actions))).all() == []


async def test_every_field_reaches_the_mall(shop: Rig, agent: Actor) -> None:
    await do(
        shop, agent, Action.FILE_EXCHANGE, reason=ClaimReason.DEFECT, option_code="RED-M", quantity=1, text=" 자세히 ",
        hold_reason=HoldReason.EXTRA_FEE, points=7, ship_on=date(2026, 11, 25),
        deliver_on=date(2026, 11, 28), deliver_at=time(14, 30),
    )  # fmt: skip

    (action,) = sent(shop)
    assert isinstance(action, LineAction)
    assert (action.reason, action.option_code, action.quantity, action.text) == (
        ClaimReason.DEFECT, "RED-M", 1, "자세히",
    )  # fmt: skip
    assert (action.hold_reason, action.points, action.ship_on) == (HoldReason.EXTRA_FEE, 7, date(2026, 11, 25))
    assert (action.deliver_on, action.deliver_at) == (date(2026, 11, 28), time(14, 30))


async def test_the_claim_that_goes_on_is_handed_over(rig: Rig, agent: Actor) -> None:
    older = claim(
        "X", "X-1", kind=ClaimKind.EXCHANGE, state=ClaimState.REJECTED, requested_at=NOW - timedelta(days=3), round=1
    )
    newer = claim("X", "X-1", kind=ClaimKind.EXCHANGE, state=ClaimState.RESHIPPING, round=2)
    await rig.write("alpha-main", order("X", line("X-1"), claims=(older, newer)))

    await do(rig, agent, Action.COMPLETE_EXCHANGE, confirmed=True)
    await do(rig, agent, Action.ACCEPT_RETURN)

    complete, accept = sent(rig)
    assert complete.claim.claim_key == newer.claim_key
    assert accept.claim is None
