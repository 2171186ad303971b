"""Re-billing without shipment on both databases: approved by a supervisor, never sent, no second order."""

from datetime import timedelta

import pytest

from hub.core.model import LineStatus
from hub.desk.access import Actor, ForbiddenError
from hub.desk.acting.act import Action, ActionRequest, act
from hub.desk.acting.rebill import (
    LineName,
    RebillError,
    RebillReason,
    approve_rebill,
    ask_rebill,
    read_rebills,
    undo_rebill,
)
from hub.desk.acting.rebill_hold import HELD, RebilledError
from hub.desk.books.policy import put_in_force
from hub.desk.cases.case import NotFoundError
from hub.desk.export import ExportKind, ExportRequest, export_rows
from hub.policy.book import PolicyTables
from hub.policy.book_rows import Rebilling, SwitchRow
from hub.stats.rates import rates_per_100_lines
from hub.store.live import Topic, read_events
from tests.desk.invented import NOW, Rig, claim, line, order

OLD = LineName(shop="alpha-main", order_no="R-1", line_no="R-1-1")
NEW = LineName(shop="alpha-main", order_no="R-2", line_no="R-2-1")
_WHY = RebillReason.GOODS_KEPT
_DISPATCH = {"carrier": "0006", "tracking_no": "688000000001"}


@pytest.fixture
async def shop(rig: Rig) -> Rig:
    """Goods that are there and were cancelled all the same, and the order that pays for them."""
    await rig.write(
        "alpha-main",
        order("R-1", line("R-1-1", status=LineStatus.CANCELLED), claims=(claim("R-1", "R-1-1"),)),
        order("R-2", line("R-2-1"), claims=(claim("R-2", "R-2-1"),)),
    )
    await put(rig, Rebilling.WITH_APPROVAL)
    return rig


async def put(rig: Rig, switch: Rebilling) -> None:
    tables = PolicyTables(switches=(SwitchRow(rebill_without_shipment=switch),))
    await put_in_force(rig.database, tables, malls=rig.registry, shops=tuple(rig.shops), now=NOW)


async def dispatch(rig: Rig, actor: Actor, name: LineName = NEW, action: Action = Action.DISPATCH) -> None:
    request = ActionRequest(
        action=action, shop=name.shop, order_no=name.order_no, line_nos=(name.line_no,), confirmed=True, **_DISPATCH
    )
    await act(rig, actor, request)


async def exported(rig: Rig) -> dict[str, str | None]:
    request = ExportRequest(kind=ExportKind.LINES)
    return {
        row["order_no"]: row["rebill_of"]
        async for row in export_rows(rig.database, request, mode_of=lambda *_: "unknown", zone=rig.settings.zone)
    }


async def order_lines(rig: Rig) -> int:
    rates = await rates_per_100_lines(rig.database, since=NOW - timedelta(days=90), until=NOW, by=())
    return sum(rate.order_lines for rate in rates)


async def test_an_agent_asks_and_a_supervisor_approves(shop: Rig, agent: Actor, supervisor: Actor) -> None:
    rebill_id = await ask_rebill(shop, actor=agent, old=OLD, new=NEW, reason=_WHY)
    (waiting,) = await read_rebills(shop, actor=agent, shop=NEW.shop, order_no=NEW.order_no)
    with pytest.raises(ForbiddenError):
        await approve_rebill(shop, actor=agent, rebill_id=rebill_id)

    await approve_rebill(shop, actor=supervisor, rebill_id=rebill_id)

    (active,) = await read_rebills(shop, actor=agent, shop=OLD.shop, order_no=OLD.order_no)
    assert (waiting.state, waiting.is_new_side, waiting.old) == ("waiting", True, OLD)
    assert (active.state, active.is_new_side, active.new, active.approved_at) == ("active", False, NEW, NOW)
    with pytest.raises(NotFoundError):
        await approve_rebill(shop, actor=supervisor, rebill_id=rebill_id)


async def test_a_supervisors_own_link_needs_no_second_yes(shop: Rig, supervisor: Actor) -> None:
    await ask_rebill(shop, actor=supervisor, old=OLD, new=NEW, reason=_WHY)

    (found,) = await read_rebills(shop, actor=supervisor, shop=NEW.shop, order_no=NEW.order_no)
    assert found.state == "active"


@pytest.mark.parametrize("action", [Action.DISPATCH, Action.CONFIRM])
async def test_the_new_line_is_never_sent_from_the_moment_it_is_asked(
    shop: Rig, agent: Actor, supervisor: Actor, action: Action
) -> None:
    rebill_id = await ask_rebill(shop, actor=agent, old=OLD, new=NEW, reason=_WHY)
    for approve in (False, True):
        if approve:
            await approve_rebill(shop, actor=supervisor, rebill_id=rebill_id)
        with pytest.raises(RebilledError) as held:
            await dispatch(shop, agent, action=action)
        assert held.value.old_order_no == "R-1"
    assert shop.connectors["alpha-main"].sent == []

    await undo_rebill(shop, actor=supervisor, rebill_id=rebill_id)
    await dispatch(shop, agent, action=action)

    assert len(shop.connectors["alpha-main"].sent) == 1


def test_whatever_moves_goods_is_held() -> None:
    assert {Action.CONFIRM, Action.DISPATCH, Action.REDELIVER_EXCHANGE} <= HELD
    assert Action.SELLER_CANCEL not in HELD


async def test_the_export_names_the_old_order_and_the_rates_count_one(shop: Rig, supervisor: Actor) -> None:
    before = await order_lines(shop)
    rebill_id = await ask_rebill(shop, actor=supervisor, old=OLD, new=NEW, reason=_WHY)

    linked, counted = await exported(shop), await order_lines(shop)
    await undo_rebill(shop, actor=supervisor, rebill_id=rebill_id)

    assert (linked["R-2"], linked["R-1"]) == ("R-1", None)
    assert counted == before - 1
    assert (await exported(shop))["R-2"] is None
    assert await order_lines(shop) == before


async def test_what_waits_is_still_an_order(shop: Rig, agent: Actor) -> None:
    before = await order_lines(shop)

    await ask_rebill(shop, actor=agent, old=OLD, new=NEW, reason=_WHY)

    assert (await exported(shop))["R-2"] is None
    assert await order_lines(shop) == before


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (OLD, OLD, "same_line"),
        (OLD, LineName(shop="alpha-main", order_no="' OR 1=1", line_no=""), "no_line"),
        (OLD, LineName(shop="nowhere", order_no="R-2", line_no=""), "no_line"),
        (OLD, LineName(shop="alpha-main", order_no="R-2", line_no="R-1-1"), "no_line"),
    ],
)
async def test_what_cannot_be_linked_is_named(shop: Rig, agent: Actor, old: LineName, new: LineName, key: str) -> None:
    with pytest.raises(RebillError, match=key):
        await ask_rebill(shop, actor=agent, old=old, new=new, reason=_WHY)


async def test_a_line_stands_in_one_link_only(shop: Rig, agent: Actor, supervisor: Actor) -> None:
    rebill_id = await ask_rebill(shop, actor=agent, old=OLD, new=NEW, reason=_WHY)
    for old, new in ((OLD, NEW), (NEW, OLD)):
        with pytest.raises(RebillError, match="taken"):
            await ask_rebill(shop, actor=agent, old=old, new=new, reason=_WHY)

    await undo_rebill(shop, actor=supervisor, rebill_id=rebill_id)

    assert await ask_rebill(shop, actor=agent, old=OLD, new=NEW, reason=_WHY) != rebill_id


async def test_the_policy_may_forbid_it(shop: Rig, agent: Actor) -> None:
    await put(shop, Rebilling.OFF)

    with pytest.raises(RebillError, match="off"):
        await ask_rebill(shop, actor=agent, old=OLD, new=NEW, reason=_WHY)


async def test_without_a_line_number_the_only_line_is_meant_and_both_cases_are_told(shop: Rig, agent: Actor) -> None:
    only = LineName(shop="alpha-main", order_no="R-2", line_no="")

    await ask_rebill(shop, actor=agent, old=OLD, new=only, reason=_WHY)

    told = {event.body["id"] for event in await read_events(shop.database, after=0) if event.topic is Topic.CASE}
    assert told == {await shop.case_id("alpha-main", order_no=number) for number in ("R-1", "R-2")}
