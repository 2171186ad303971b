"""The ledger: shares add up, limits, the mall's points, approval, taking back, the sums of a month."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from hub.core.contract import Outcome
from hub.core.errors import OutcomeUnknownError
from hub.core.model import InventoryMode, Money
from hub.desk.access import Actor, ForbiddenError
from hub.desk.acting.outbox import Outbox
from hub.desk.books.policy import put_in_force
from hub.desk.care.compensation import GiftError, GiftGiven, decide_gift, give, reverse, send_again
from hub.desk.care.compensation_list import NOBODY, LedgerSpan, ledger_rows, month_span, read_ledger, read_sums
from hub.desk.care.views import GiftReason, GiftState, GiftView
from hub.desk.cases.case import NotFoundError, open_case
from hub.policy.book import PolicyTables
from hub.policy.book_rows import CompensationRow, Gift, LimitRow
from hub.policy.shares import needs_approval, share_of
from hub.policy.switches import Switches
from hub.store.tables import compensations
from tests.desk.asking import give_people
from tests.desk.invented import NOW, SHOPS, Rig

TABLES = PolicyTables(
    compensation=(CompensationRow(partner_percent=30, limit_minor=5_000),),
    limits=(LimitRow(gift=Gift.POINTS, amount_minor=10_000), LimitRow(gift=Gift.COUPON, amount_minor=3_000)),
)


@pytest.fixture
async def ledger(sample: Rig) -> Rig:
    """A-1 is consigned by 한빛유통, A-2 at a warehouse firm for 다온상사, O-2 is our own."""
    give_people(sample)
    await put_in_force(sample.database, TABLES, malls=sample.registry, shops=list(SHOPS), now=NOW)
    return sample


async def _give(rig: Rig, actor: Actor, order_no: str = "A-2", shop: str = "alpha-main", **more: Any) -> GiftView:
    fields = {"kind": Gift.POINTS, "amount_minor": 3_001, "reason": GiftReason.DEFECT, "token": f"t{len(more)}", **more}
    case_id = await rig.case_id(shop, order_no=order_no)
    return await give(rig, actor=actor, case_id=case_id, given=GiftGiven(**fields))


@given(st.integers(-(10**12), 10**12), st.integers(0, 100), st.sampled_from(InventoryMode))
def test_shares_add_up_and_mirror(amount: int, percent: int, mode: InventoryMode):
    switches = Switches(compensation=(CompensationRow(partner_percent=percent),))

    share, back = (share_of(each, mode=mode, switches=switches) for each in (amount, -amount))

    assert share.partner_minor + share.our_minor == amount
    assert (back.partner_minor, back.our_minor) == (-share.partner_minor, -share.our_minor)
    assert abs(share.partner_minor) <= abs(amount)
    if mode is InventoryMode.DIRECT_PURCHASE:
        assert share.partner_minor == 0


@pytest.mark.parametrize(
    ("gift", "amount", "currency", "is_asked"),
    [
        (Gift.POINTS, 5_000, "KRW", False),
        (Gift.POINTS, 5_001, "KRW", True),
        (Gift.COUPON, 3_000, "KRW", False),
        (Gift.COUPON, 3_001, "KRW", True),
        (Gift.GIFT, 1, "KRW", True),
        (Gift.POINTS, 1, "JPY", True),
    ],
)
def test_above_the_limit_or_without_one_a_supervisor_is_asked(gift: Gift, amount: int, currency: str, is_asked: bool):
    switches = Switches(compensation=TABLES.compensation, limits=TABLES.limits)

    found = needs_approval(amount, gift=gift, currency=currency, mode=InventoryMode.CONSIGNMENT, switches=switches)

    assert found is is_asked


def test_points_that_are_switched_off_are_for_a_supervisor():
    switches = Switches(compensation=(CompensationRow(is_on=False),), limits=TABLES.limits)

    assert needs_approval(1, gift=Gift.POINTS, currency="KRW", mode=InventoryMode.UNKNOWN, switches=switches)


async def test_a_gift_is_shared_as_the_policy_says(ledger: Rig, agent: Actor):
    gift = await _give(ledger, agent)

    assert (gift.state, gift.partner, gift.policy_version) == (GiftState.GIVEN, "다온상사", 1)
    assert (gift.partner_share.minor, gift.our_share.minor) == (900, 2_101)
    view = await open_case(ledger, case_id=gift.case_id or 0, is_unmasked=False)
    told = next(entry for entry in view.dossier.timeline if entry.key == "event.gift_given")
    assert told.money == Money(minor=3_001, currency="KRW")


async def test_of_our_own_goods_no_partner_pays(ledger: Rig, agent: Actor):
    gift = await _give(ledger, agent, "O-2", "alpha-outlet")

    assert (gift.partner, gift.partner_share.minor) == (None, 0)


async def test_one_line_of_several_must_be_named(ledger: Rig, agent: Actor):
    with pytest.raises(GiftError, match="line"):
        await _give(ledger, agent, "A-1")
    with pytest.raises(GiftError, match="line"):
        await _give(ledger, agent, "A-1", line_no="A-2-1")

    assert (await _give(ledger, agent, "A-1", line_no="A-1-1")).partner == "한빛유통"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": -1}, "amount"),
        ({"amount_minor": 10**13}, "amount"),
        ({"reason": GiftReason.OTHER}, "note_missing"),
        ({"note": "가" * 501}, "note_long"),
        ({"token": ""}, "wrong"),
        ({"kind": Gift.COUPON, "is_at_mall": True, "note": "x"}, "not_at_mall"),
        ({"is_at_mall": True}, "note_missing"),
    ],
)
async def test_what_makes_no_sense_is_refused(ledger: Rig, agent: Actor, more: dict[str, Any], why: str):
    with pytest.raises(GiftError, match=why):
        await _give(ledger, agent, **more)


async def test_the_same_form_twice_gives_once(ledger: Rig, agent: Actor):
    assert (await _give(ledger, agent)).gift_id == (await _give(ledger, agent)).gift_id


async def test_small_steps_do_not_go_round_the_limit(ledger: Rig, agent: Actor):
    states = [(await _give(ledger, agent, token=f"step{number}")).state for number in range(2)]

    assert states == [GiftState.GIVEN, GiftState.ASKED]


async def test_above_the_limit_it_counts_once_a_supervisor_approved(ledger: Rig, agent: Actor, supervisor: Actor):
    gift = await _give(ledger, agent, amount_minor=8_000)
    assert gift.state is GiftState.ASKED
    assert await read_sums(ledger, actor=agent, span=LedgerSpan()) == ()
    with pytest.raises(ForbiddenError):
        await decide_gift(ledger, actor=agent, gift_id=gift.gift_id, is_approved=True)

    approved = await decide_gift(ledger, actor=supervisor, gift_id=gift.gift_id, is_approved=True)

    assert approved.state is GiftState.GIVEN
    (total,) = await read_sums(ledger, actor=agent, span=LedgerSpan())
    assert (total.amount_minor, total.partner_minor, total.our_minor) == (8_000, 2_400, 5_600)
    with pytest.raises(NotFoundError):
        await decide_gift(ledger, actor=supervisor, gift_id=gift.gift_id, is_approved=False)


async def test_declined_it_never_counts(ledger: Rig, agent: Actor, supervisor: Actor):
    gift = await _give(ledger, agent, amount_minor=8_000)

    declined = await decide_gift(ledger, actor=supervisor, gift_id=gift.gift_id, is_approved=False)

    assert declined.state is GiftState.DECLINED
    assert await read_sums(ledger, actor=agent, span=LedgerSpan()) == ()


async def test_a_supervisor_gives_at_once(ledger: Rig, supervisor: Actor):
    assert (await _give(ledger, supervisor, amount_minor=8_000)).state is GiftState.GIVEN


async def test_points_go_through_the_mall_and_count_when_it_gave_them(ledger: Rig, agent: Actor):
    gift = await _give(ledger, agent, is_at_mall=True, note="불편을 드려 죄송합니다")

    (sent,) = ledger.connectors["alpha-main"].sent
    assert (sent.points, sent.text) == (3_001, "불편을 드려 죄송합니다")  # type: ignore[union-attr]
    assert gift.state is GiftState.GIVEN
    assert gift.action_id is not None


async def test_points_that_the_mall_refuses_are_not_given(ledger: Rig, agent: Actor):
    ledger.connectors["alpha-main"].outcome = Outcome.REFUSED

    gift = await _give(ledger, agent, is_at_mall=True, note="죄송합니다")

    assert gift.state is GiftState.NOT_GIVEN
    assert await read_sums(ledger, actor=agent, span=LedgerSpan()) == ()


async def test_points_of_which_nobody_knows_count_once_they_show(ledger: Rig, agent: Actor):
    ledger.connectors["alpha-main"].outcome = OutcomeUnknownError("time-out", shop="alpha-main")
    gift = await _give(ledger, agent, is_at_mall=True, note="죄송합니다")
    assert gift.state is GiftState.SENDING
    page = await read_ledger(ledger, actor=agent, span=LedgerSpan())
    assert ([each.gift_id for each in page.unsettled], page.rows) == ([gift.gift_id], ())

    ledger.connectors["alpha-main"].outcome = Outcome.DONE
    ledger.at += timedelta(minutes=3)
    await Outbox(ledger, ledger.shops["alpha-main"]).drain()

    page = await read_ledger(ledger, actor=agent, span=LedgerSpan())
    assert (page.unsettled, [each.state for each in page.rows]) == ((), [GiftState.GIVEN])


async def test_a_process_that_died_before_sending_is_gone_on_with_and_sends_once(ledger: Rig, agent: Actor):
    gift = await _give(ledger, agent, is_at_mall=True, note="죄송합니다")
    async with ledger.database.writing() as connection:
        values = {"state": "sending", "action_id": None}
        await connection.execute(update(compensations).values(**values))

    again = await send_again(ledger, actor=agent, case_id=gift.case_id or 0, gift_id=gift.gift_id)

    assert again.state is GiftState.GIVEN
    assert len(ledger.connectors["alpha-main"].sent) == 1


async def test_a_mistake_is_taken_back_by_a_row_of_its_own(ledger: Rig, agent: Actor, supervisor: Actor):
    gift = await _give(ledger, agent)
    case_id = gift.case_id or 0

    back = await reverse(ledger, actor=agent, case_id=case_id, gift_id=gift.gift_id, reason="잘못 누름")

    assert (back.amount.minor, back.partner_share.minor, back.our_share.minor) == (-3_001, -900, -2_101)
    (total,) = await read_sums(ledger, actor=agent, span=LedgerSpan())
    assert (total.count, total.amount_minor, total.partner_minor) == (2, 0, 0)
    for which in (gift.gift_id, back.gift_id):
        with pytest.raises(GiftError, match="not_reversible"):
            await reverse(ledger, actor=supervisor, case_id=case_id, gift_id=which, reason="다시")


async def test_yesterdays_is_taken_back_by_a_supervisor_only(ledger: Rig, agent: Actor, supervisor: Actor):
    gift = await _give(ledger, agent)
    ledger.at += timedelta(days=1)
    told = {"case_id": gift.case_id or 0, "gift_id": gift.gift_id, "reason": "오류"}

    with pytest.raises(ForbiddenError):
        await reverse(ledger, actor=agent, **told)  # type: ignore[arg-type]

    assert (await reverse(ledger, actor=supervisor, **told)).reverses_id == gift.gift_id  # type: ignore[arg-type]


async def test_screen_and_file_tell_the_same_sums(ledger: Rig, agent: Actor, supervisor: Actor):
    await _give(ledger, agent, "A-1", line_no="A-1-1", token="a")
    await _give(ledger, agent, token="b")
    await _give(ledger, agent, "O-2", "alpha-outlet", token="c")
    await _give(ledger, supervisor, "J-1", "japan-main", token="d", amount_minor=101)
    ledger.at = NOW + timedelta(days=20)
    await _give(ledger, supervisor, token="e")
    november = month_span("2026-11", zone=ledger.settings.zone)

    rows = [row async for row in ledger_rows(ledger, span=november)]
    page = await read_ledger(ledger, actor=agent, span=november)

    assert len(rows) == len(page.rows) == sum(each.count for each in page.sums) == 4
    assert {row.month for row in rows} == {"2026-11"}
    for each in page.sums:
        mine = [row for row in rows if (row.partner, row.currency) == (each.partner, each.currency)]
        assert sum(row.amount_minor for row in mine) == each.amount_minor
        assert sum(row.partner_minor for row in mine) == each.partner_minor
        assert sum(row.our_minor for row in mine) == each.our_minor
    assert {(each.partner, each.currency) for each in page.sums} == {
        ("한빛유통", "KRW"),
        ("다온상사", "KRW"),
        ("東京商事", "JPY"),
        (None, "KRW"),
    }
    only = [row async for row in ledger_rows(ledger, span=LedgerSpan(partner="다온상사"))]
    assert [row.order_no for row in only] == ["A-2", "A-2"]
    assert [row.order_no async for row in ledger_rows(ledger, span=LedgerSpan(partner=NOBODY))] == ["O-2"]


async def test_the_note_is_sealed_and_masked(ledger: Rig, agent: Actor):
    gift = await _give(ledger, agent, note="010-1234-5678 고객")

    async with ledger.database.reading() as connection:
        stored = await connection.scalar(select(compensations.c.note_sealed))
    assert b"1234" not in stored
    assert "1234-5678" not in gift.note
