"""Decisions on both databases: from the store to the card, kept as made, refused when incomplete, ticked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core.errors import ConfigurationError
from hub.core.model import ClaimKind, ClaimReason, ClaimState, FaultParty, LineStatus, Money, Shipment
from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.books.policy import RefusedBookError, put_in_force, read_policy
from hub.desk.cases.case import NotFoundError
from hub.desk.decisions.decision import (
    DecidedLine,
    IncompleteError,
    RefusalRecord,
    decide_line,
    open_steps,
    read_decisions,
    read_ticks,
    record_decision,
    tick_step,
    untick_step,
)
from hub.desk.decisions.facts import LineKey, Told, read_card_facts
from hub.desk.decisions.facts_told import FactGiven, FactSource, FactState, Moment
from hub.desk.decisions.line_facts import set_facts
from hub.policy.book import PolicyTables
from hub.policy.book_rows import BrandRow, FeeItem, FeeRow, SwitchRow
from hub.policy.card import MallCan, Request, Verdict
from hub.policy.stage import Stage, StageFact
from hub.store.tables import decisions
from tests.desk.invented import NOW, Rig, claim, line, order
from tests.statements import sent_to

_DAY = timedelta(days=1)
_REFUSAL = RefusalRecord(evidence="송장 1234", message_sent="이미 발송되었습니다", alternative_offered="반품 안내")


@pytest.fixture
async def sent(rig: Rig) -> Rig:
    """A line that was sent two days before its cancel was asked for."""
    parcel = Shipment(carrier="CJ대한통운", tracking_no="688000000001", dispatched_at=NOW - 2 * _DAY)
    await rig.write(
        "alpha-main",
        order(
            "A-9",
            line("A-9-1", status=LineStatus.DISPATCHED, shipment=parcel),
            claims=(claim("A-9", "A-9-1"),),
            ordered_at=NOW - 4 * _DAY,
        ),
    )
    return rig


async def _decide(rig: Rig, actor: Actor, line_no: str, request: Request, **more: object) -> DecidedLine:
    told = Told(**more)  # type: ignore[arg-type]  # by name
    shop = "alpha-main"
    return await decide_line(rig, actor=actor, key=LineKey(shop=shop, line_no=line_no), request=request, told=told)


async def _put(rig: Rig, tables: PolicyTables) -> int:
    written = await put_in_force(
        rig.database, tables, malls=rig.registry, shops=tuple(rig.shops), now=NOW, note="as agreed"
    )
    return written.version


async def test_the_facts_come_from_line_order_and_claim(sample: Rig) -> None:
    known = await read_card_facts(sample, LineKey(shop="alpha-main", line_no="A-2-1"), request=Request.RETURN)

    facts = known.facts
    assert (facts.order_no, facts.status, facts.reason) == ("A-2", LineStatus.DELIVERED, ClaimReason.DEFECT)
    assert (facts.opened_at, facts.decided_at) == (NOW - 6 * _DAY, NOW)
    assert (facts.claim_state, facts.left_at) == (ClaimState.COLLECTED, NOW - 5 * _DAY)
    assert facts.delivered_at == NOW - 2 * _DAY
    assert facts.amount == Money(minor=39_000, currency="KRW")
    assert facts.allow_way.action == "complete-return"
    assert facts.country == "KR"


async def test_what_the_agent_tells_stands_over_what_the_mall_says(sample: Rig, agent: Actor) -> None:
    decided = await _decide(
        sample, agent, "A-2-1", Request.RETURN, reason=ClaimReason.CHANGE_OF_MIND, at=NOW, is_used=False
    )

    assert decided.facts.reason is ClaimReason.CHANGE_OF_MIND
    assert decided.facts.opened_at == NOW
    assert decided.facts.is_used is False
    assert (decided.card.decision, decided.card.fault_party) == (Verdict.ALLOW, FaultParty.CUSTOMER)


async def test_a_refusal_rests_on_what_the_mall_told(sent: Rig, agent: Actor) -> None:
    card = (await _decide(sent, agent, "A-9-1", Request.CANCEL)).card

    assert (card.decision, card.ground, card.mall_can) == (Verdict.REFUSE, "dispatched", MallCan.API)
    assert card.policy_version == 0


async def test_a_stage_is_told_by_people_alone(sample: Rig, agent: Actor) -> None:
    def told(fact: StageFact, *, happened: bool) -> FactGiven:
        state = FactState.HAPPENED if happened else FactState.NOT_HAPPENED
        moment = Moment(state=state, at=NOW - _DAY if happened else None)
        return FactGiven(place=1, shop="alpha-main", order_no="A-1", line_no="A-1-1", fact=fact, moment=moment)

    before = await _decide(sample, agent, "A-1-1", Request.CANCEL)
    await set_facts(
        sample, actor=agent, given=[told(StageFact.OVERSEAS_ORDERED, happened=True)], source=FactSource.AGENT
    )
    half = await _decide(sample, agent, "A-1-1", Request.CANCEL)
    given = [told(StageFact.OVERSEAS_DISPATCHED, happened=True), told(StageFact.FORWARDER_IN, happened=False)]
    await set_facts(sample, actor=agent, given=given, source=FactSource.AGENT)
    whole = await _decide(sample, agent, "A-1-1", Request.CANCEL)

    assert before.card.stage is None
    assert (half.card.stage, half.card.decision) == (Stage.UNKNOWN, Verdict.ASK)
    assert (whole.card.stage, whole.card.missing) == (Stage.SENT_ABROAD, ("return_cost",))


async def test_the_policy_of_the_shop_and_brand_decides(sample: Rig, agent: Actor) -> None:
    tables = PolicyTables(
        switches=(SwitchRow(exchange_offered=False, brand="linen"), SwitchRow(shop="alpha-outlet", return_days=9)),
        brands=(BrandRow(brand="linen", sku_prefix="SKU-"),),
    )
    version = await _put(sample, tables)

    decided = await _decide(sample, agent, "A-2-1", Request.EXCHANGE, reason=ClaimReason.CHANGE_OF_MIND, at=NOW)

    assert decided.facts.brand == "linen"
    assert (decided.card.ground, decided.card.policy_version) == ("exchange_not_offered", version)


async def test_an_old_decision_shows_its_own_card_and_version(sent: Rig, agent: Actor) -> None:
    fee = FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=3_000)
    first = await _put(sent, PolicyTables(fees=(fee,)))
    told = {"reason": ClaimReason.CHANGE_OF_MIND}
    decided = await _decide(sent, agent, "A-9-1", Request.RETURN, **told)
    case_id = await sent.case_id("alpha-main", order_no="A-9")
    await record_decision(sent, actor=agent, decided=decided, case_id=case_id)

    second = await _put(sent, PolicyTables(switches=(SwitchRow(return_days=30),)))
    now = await _decide(sent, agent, "A-9-1", Request.RETURN, **told)
    (kept,) = await read_decisions(sent, actor=agent, case_id=case_id)

    assert (first, second) == (1, 2)
    assert kept.card == decided.card
    assert (kept.card.policy_version, now.card.policy_version) == (1, 2)
    assert kept.card.costs[0].amount_minor == 3_000
    assert now.card.costs[0].amount_minor is None
    assert (await read_policy(sent.database, 1)).tables.fees == (fee,)
    of_line = await read_decisions(sent, actor=agent, key=(decided.shop_id, "A-9", "A-9-1"))
    assert of_line == (kept,)


async def test_a_refusal_needs_proof_message_and_alternative(sent: Rig, agent: Actor) -> None:
    decided = await _decide(sent, agent, "A-9-1", Request.CANCEL)

    for refusal, field in (
        (None, "evidence"),
        (RefusalRecord(evidence=" ", message_sent="m", alternative_offered="a"), "evidence"),
        (RefusalRecord(evidence="e", message_sent="", alternative_offered="a"), "message_sent"),
        (RefusalRecord(evidence="e", message_sent="m", alternative_offered="x" * 2_001), "alternative_offered"),
    ):
        with pytest.raises(IncompleteError) as incomplete:
            await record_decision(sent, actor=agent, decided=decided, refusal=refusal)
        assert incomplete.value.field == field

    await record_decision(sent, actor=agent, decided=decided, refusal=_REFUSAL)
    (kept,) = await read_decisions(sent, actor=agent, key=(decided.shop_id, "A-9", "A-9-1"))
    assert kept.refusal == _REFUSAL


async def test_what_was_written_on_a_refusal_is_sealed(sent: Rig, agent: Actor) -> None:
    decided = await _decide(sent, agent, "A-9-1", Request.CANCEL)
    await record_decision(sent, actor=agent, decided=decided, refusal=_REFUSAL)

    async with sent.database.reading() as connection:
        row = (await connection.execute(select(decisions))).one()

    assert "이미 발송되었습니다".encode() not in row.grounds_sealed
    assert "홍길동" not in row.card


async def test_a_question_is_no_decision(sample: Rig, agent: Actor) -> None:
    decided = await _decide(sample, agent, "A-2-1", Request.RETURN)
    assert decided.card.decision is Verdict.ASK

    with pytest.raises(IncompleteError) as incomplete:
        await record_decision(sample, actor=agent, decided=decided)

    assert incomplete.value.field == decided.card.missing[0]


async def test_steps_are_ticked_once_and_taken_back_by_whom_it_concerns(
    sent: Rig, agent: Actor, supervisor: Actor
) -> None:
    card = (await _decide(sent, agent, "A-9-1", Request.CANCEL)).card
    case_id = await sent.case_id("alpha-main", order_no="A-9")
    step = {"case_id": case_id, "line_no": "A-9-1", "card": card}
    other = Actor(user_id=77, login="park", name="박상담", role=Role.AGENT)

    for _ in range(2):
        await tick_step(sent, actor=agent, step="contact_customer", **step)  # type: ignore[arg-type]
    (tick,) = ticks = await read_ticks(sent, actor=agent, case_id=case_id)

    assert tick.step == "contact_customer"
    assert "contact_customer" not in open_steps(card, ticks, line_no="A-9-1")
    assert "follow_up" in open_steps(card, ticks, line_no="A-9-1")
    assert "contact_customer" in open_steps(card, ticks, line_no="another")
    with pytest.raises(ForbiddenError):
        await untick_step(sent, actor=other, case_id=case_id, tick_id=tick.id)
    await untick_step(sent, actor=supervisor, case_id=case_id, tick_id=tick.id)
    assert await read_ticks(sent, actor=agent, case_id=case_id) == ()
    with pytest.raises(NotFoundError):
        await untick_step(sent, actor=agent, case_id=case_id, tick_id=tick.id)
    with pytest.raises(NotFoundError):
        await tick_step(sent, actor=agent, step="no_such_step", **step)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        await tick_step(sent, actor=agent, case_id=1, line_no="A-9-1", card=card, step="follow_up")


async def test_what_is_not_known_is_named(rig: Rig, agent: Actor) -> None:
    with pytest.raises(ConfigurationError, match="no line 'X'"):
        await _decide(rig, agent, "X", Request.CANCEL)
    with pytest.raises(ConfigurationError, match="no shop 'nowhere'"):
        await decide_line(rig, actor=agent, key=LineKey(shop="nowhere", line_no="1"), request=Request.CANCEL)
    with pytest.raises(ConfigurationError, match="version 4"):
        await read_policy(rig.database, 4)


async def test_a_book_with_mistakes_changes_nothing(rig: Rig) -> None:
    with pytest.raises(RefusedBookError) as refused:
        await _put(rig, PolicyTables(switches=(SwitchRow(mall="nowhere"),)))

    assert refused.value.problems[0].key == "unknown_mall"
    assert (await read_policy(rig.database)).version == 0


async def test_the_same_book_twice_is_one_version(rig: Rig) -> None:
    tables = PolicyTables(switches=(SwitchRow(return_days=5),))

    assert await _put(rig, tables) == await _put(rig, tables) == 1


async def test_facts_take_a_fixed_number_of_queries(rig: Rig) -> None:
    def big(number: int, lines: int) -> object:
        numbers = [f"B-{number}-{each}" for each in range(lines)]
        claims = tuple(claim(f"B-{number}", each, kind=ClaimKind.CANCEL) for each in numbers)
        return order(f"B-{number}", *(line(each) for each in numbers), claims=claims)

    await rig.write("alpha-main", big(1, 1), big(2, 30))  # type: ignore[arg-type]

    counts = [await _queries(rig, line_no) for line_no in ("B-1-0", "B-2-17")]

    assert counts[0] == counts[1]
    assert counts[0] <= 12


async def _queries(rig: Rig, line_no: str) -> int:
    with sent_to(rig.database) as statements:
        await read_card_facts(rig, LineKey(shop="alpha-main", line_no=line_no), request=Request.CANCEL)
    return len(statements)
