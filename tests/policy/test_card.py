"""The decision card: a table of situations, and what is true of every card."""

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.model import ClaimReason, ClaimState, FaultParty, InventoryMode, LineStatus, Money
from hub.policy.book_rows import CompensationRow, DefectProof, FeeItem, FeeRow, FlatFee, Gift, RetentionRow
from hub.policy.card import Card, CardFacts, MallCan, MallWay, Request, Verdict
from hub.policy.card_words import card_words, draft_words, rules
from hub.policy.clock_file import standard_clocks
from hub.policy.decide import decide, sums
from hub.policy.grounds import LEGAL, NEEDED, Ground, Proof
from hub.policy.stage import Stage, StageFacts, Told
from hub.policy.switches import Switches
from tests.policy.situations import ASKED_AT, Row, read_rows

_ROWS: Final = read_rows()
_FORBIDDEN: Final = re.compile(
    r"위약금|벌금|취소\s*수수료|손해배상|違約金|キャンセル料|罰金|損害賠償|penalt|damages|cancel(?:l)?ation fee|\bfine\b",
    re.IGNORECASE,
)
_DAY: Final = timedelta(days=1)
_DEFAULTS: Final = Switches()
#: grounds that hold only where the exclusion was marked before the purchase
_MARKED: Final = {"used", "time_passed", "unsealed_copyable", "digital_begun", "made_to_order"}


def _card(facts: CardFacts, request: Request, switches: Switches = _DEFAULTS, **more: Any) -> Card:
    return decide(facts, request=request, switches=switches, policy_version=3, clocks=standard_clocks(), **more)


def test_the_table_is_long_enough() -> None:
    assert len(_ROWS) >= 100
    assert len({row.situation for row in _ROWS}) == len(_ROWS)
    assert {row.request for row in _ROWS} == set(Request)


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.situation)
def test_a_situation_is_decided_as_the_table_says(row: Row) -> None:
    card = _card(row.facts, row.request, row.switches)

    payer = card.costs[0].payer.value if card.costs else "-"
    assert (card.decision.value, card.ground, payer, card.missing) == (row.decision, row.ground, row.payer, row.missing)


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.situation)
@pytest.mark.parametrize("language", ["ko", "ja", "en"])
def test_a_draft_says_nothing_that_may_not_be_said(row: Row, language: str) -> None:
    card = _card(row.facts, row.request, row.switches, language=language, locale="ko" if language == "ko" else "en")

    assert card.draft_language == language
    assert not _FORBIDDEN.search(card.draft)
    assert set(re.findall(r"\{.*?\}", card.draft)) <= {"{promise_time}"}
    assert "{" not in " ".join((*(step.text for step in card.steps), *card.warnings, *card.evidence))
    if language == "en":
        assert card.draft.isascii()
    if language == "ja":
        assert not re.search(r"[가-힣]", card.draft)
    if language == "ko":
        assert not re.search(r"[ぁ-ヿ]", card.draft)


def test_a_refusal_of_a_cancel_has_its_duties_in_order() -> None:
    facts = _facts(
        mall="qoo10",
        country="JP",
        status=LineStatus.DISPATCHED,
        dispatched_at=ASKED_AT - _DAY,
        tracking_no="1",
        refuse_way=MallWay(can=MallCan.ADMIN, way="QSM > claims", way_ko="QSM > 클레임"),
    )

    card = _card(facts, Request.CANCEL)

    assert card.decision is Verdict.REFUSE
    assert card.mall_can is MallCan.ADMIN
    assert [step.key for step in card.steps] == [
        "contact_customer",
        "state_reason",
        "offer_alternative",
        "keep_evidence",
        "mall_admin",
        "follow_up",
    ]
    assert all(step.required for step in card.steps)
    assert "QSM > 클레임" in card.steps[4].text
    assert "exchange" in card.alternatives
    assert "coupon" in card.alternatives
    assert card.rules[-1] == "qoo10.refusal-grounds"
    assert card.draft_language == "ja"


def test_an_allowed_cancel_tells_the_word_of_the_api() -> None:
    facts = _facts(
        status=LineStatus.PAID, allow_way=MallWay(can=MallCan.API, action="approve-cancel", warning="Final.")
    )

    card = _card(facts, Request.CANCEL, locale="en")

    assert (card.mall_can, card.mall_action) == (MallCan.API, "approve-cancel")
    assert card.steps[-1].key == "mall_api"
    assert "approve-cancel" in card.steps[-1].text
    assert card.warnings == ("The mall says: Final.",)


@pytest.mark.parametrize("stage", [Stage.SENT_ABROAD, Stage.AT_FORWARDER])
def test_a_lump_sum_is_never_charged_while_it_is_blocked(stage: Stage) -> None:
    lump = FeeRow(item=FeeItem.LUMP_SUM, stage=stage, amount_minor=10_000, disclosed=True, disclosed_where="page")
    real = FeeRow(item=FeeItem.FORWARDER_RETURN, amount_minor=3_000, disclosed=True, disclosed_where="page")
    facts = _abroad(stage)

    blocked = _card(facts, Request.CANCEL, Switches(fees=(lump, real)))
    warned = _card(facts, Request.CANCEL, Switches(fees=(lump, real), flat_fee=FlatFee.WARN))

    assert sums(blocked.costs) == {(FaultParty.CUSTOMER, "KRW"): 3_000}
    assert sums(warned.costs) == {(FaultParty.CUSTOMER, "KRW"): 13_000}
    assert any("10,000원" in warning for warning in blocked.warnings)
    assert any("2012" in warning for warning in blocked.warnings)
    assert "kr.kftc.2012" in blocked.rules
    assert "3,000원" in blocked.draft
    assert "10,000원" not in blocked.draft


def test_costs_of_an_item_are_named_with_the_proof_of_their_disclosure() -> None:
    fee = FeeRow(item=FeeItem.FORWARDER_RETURN, amount_minor=3_000, disclosed=True, disclosed_where="https://p/1")

    (cost,) = _card(_abroad(Stage.SENT_ABROAD), Request.CANCEL, Switches(fees=(fee,))).costs

    assert (cost.item, cost.amount_minor, cost.is_disclosed, cost.source) == (
        "forwarder_return",
        3_000,
        True,
        "https://p/1",
    )


@pytest.mark.parametrize("without", ["overseas_ordered", "overseas_dispatched", "forwarder_in", "forwarder_out"])
@pytest.mark.parametrize("request_made", [Request.CANCEL])
def test_a_missing_fact_of_the_stage_is_asked_for(without: str, request_made: Request) -> None:
    told = {name: Told(at=ASKED_AT - _DAY) for name in ("overseas_ordered", "overseas_dispatched", "forwarder_in")}
    told["forwarder_out"] = Told(at=None)
    told.pop(without)
    facts = _facts(status=LineStatus.PREPARING, is_purchase_agency=True, stage_facts=StageFacts(**told))

    card = _card(facts, request_made)

    assert (card.decision, card.stage, card.costs) == (Verdict.ASK, Stage.UNKNOWN, ())
    assert without in card.missing
    assert f"ask.{without}" in {step.key for step in card.steps if step.required}


def test_the_parts_of_a_shared_cost_add_up_to_it() -> None:
    share = CompensationRow(partner_percent=33)
    fee = FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=1_000)
    facts = _delivered(
        reason=ClaimReason.DEFECT,
        claimed_fault=FaultParty.SELLER,
        is_fault_proved=True,
        mode=InventoryMode.CONSIGNMENT,
    )

    card = _card(facts, Request.RETURN, Switches(compensation=(share,), fees=(fee,)))

    assert sums(card.costs) == {(FaultParty.PARTNER, "KRW"): 330, (FaultParty.SELLER, "KRW"): 670}


def test_what_may_keep_a_customer_is_offered_only_for_a_change_of_mind() -> None:
    offer = RetentionRow(request=Request.CANCEL, gift=Gift.COUPON, amount_minor=1_000, text_ko="쿠폰", text_en="coupon")
    switches = Switches(retention=(offer,))

    theirs = _card(_facts(status=LineStatus.PAID, reason=ClaimReason.CHANGE_OF_MIND), Request.CANCEL, switches)
    ours = _card(_facts(status=LineStatus.PAID, reason=ClaimReason.OUT_OF_STOCK), Request.CANCEL, switches)

    (step,) = [step for step in theirs.steps if step.key == "retention.coupon"]
    assert not step.required
    assert "쿠폰" in step.text
    assert not [step for step in ours.steps if step.key.startswith("retention")]
    assert theirs.decision is Verdict.ALLOW


@pytest.mark.parametrize("is_on", [True, False])
def test_a_shortage_is_told_with_its_points(is_on: bool) -> None:
    share = CompensationRow(is_on=is_on, limit_minor=1_500)
    facts = _facts(status=LineStatus.PAID, reason=ClaimReason.OUT_OF_STOCK)

    card = _card(facts, Request.CANCEL, Switches(delay_message=True, delay_points=2_000, compensation=(share,)))

    keys = [step.key for step in card.steps]
    assert keys[:2] == ["tell_shortage", "offer_substitute"]
    assert "send_notice" in keys
    assert ("give_points" in keys) is is_on
    assert [cost.amount_minor for cost in card.costs] == ([1_500] if is_on else [])


def test_a_late_refund_is_told_with_its_interest() -> None:
    facts = _delivered(
        status=LineStatus.DELIVERED,
        reason=ClaimReason.CHANGE_OF_MIND,
        left_at=ASKED_AT - 20 * _DAY,
        claim_state=ClaimState.INSPECTING,
    )

    late = _card(facts, Request.RETURN, Switches(late_interest_percent=20), locale="en")
    in_time = _card(_delivered(reason=ClaimReason.CHANGE_OF_MIND, left_at=ASKED_AT - _DAY), Request.RETURN, locale="en")

    assert any("20 %" in warning for warning in late.warnings)
    assert not any("interest" in warning for warning in in_time.warnings)


def test_the_customers_window_is_shown() -> None:
    card = _card(_delivered(reason=ClaimReason.CHANGE_OF_MIND), Request.RETURN)

    assert card.windows[0].until is not None
    assert card.windows[0].until > ASKED_AT


def test_the_promised_hour_stands_in_the_draft_or_is_left_open() -> None:
    late = {"status": LineStatus.PREPARING, "planned_ship_at": ASKED_AT - 4 * _DAY, "reason": ClaimReason.LATE}

    opened = _card(_facts(**late), Request.DELIVERY_STATUS)
    promised = _card(_facts(**late, promised_at=ASKED_AT + timedelta(hours=5)), Request.DELIVERY_STATUS)

    assert "{promise_time}" in opened.draft
    assert "6월 15일 15:00" in promised.draft


def test_every_word_that_a_decision_can_use_is_there() -> None:
    words = card_words()
    named = {key for rule in _ROWS for key in [rule.ground]}

    assert named <= set(words["ground"])
    assert set(words["evidence"]) == {proof.value for proof in Proof}
    assert {proof.value for proof in Proof} <= set(words["ask"]) | {"photos"}
    assert {ground.value for ground in Ground} <= set(words["ground"])
    for section in words.values():
        assert all(sentence.ko and sentence.en for sentence in section.values())
    for section in draft_words().values():
        assert all(sentence.ko and sentence.en and sentence.ja for sentence in section.values())
        assert not any(_FORBIDDEN.search(text) for s in section.values() for text in (s.ko, s.ja, s.en))
    assert all(rule.source and rule.confidence in {"sure", "likely", "own"} for rule in rules().values())


# --- what is true of every card ---------------------------------------------------------------------------

_times = st.none() | st.integers(-120, 5).map(lambda days: ASKED_AT + days * _DAY)
_told = st.none() | st.integers(-30, 0).map(lambda days: Told(at=ASKED_AT + days * _DAY)) | st.just(Told(at=None))
_money = st.none() | st.builds(Money, minor=st.integers(0, 50_000), currency=st.sampled_from(["KRW", "JPY"]))
_maybe = st.none() | st.booleans()
_facts_of_any_kind = st.builds(
    CardFacts,
    shop=st.just("shop"),
    mall=st.sampled_from(["cafe24", "smartstore", "qoo10", "other"]),
    country=st.sampled_from(["KR", "JP"]),
    order_no=st.just("O"),
    line_no=st.just("L"),
    status=st.sampled_from(LineStatus),
    amount=_money,
    mode=st.sampled_from(InventoryMode),
    opened_at=st.just(ASKED_AT),
    ordered_at=_times,
    paid_at=_times,
    planned_ship_at=_times,
    dispatched_at=_times,
    tracking_no=st.none() | st.just("1"),
    delivered_at=_times,
    left_at=_times,
    claim_state=st.none() | st.sampled_from(ClaimState),
    reason=st.sampled_from(ClaimReason),
    claimed_fault=st.sampled_from(FaultParty),
    is_fault_proved=_maybe,
    is_purchase_agency=st.booleans(),
    stage_facts=st.none()
    | st.builds(
        StageFacts,
        overseas_ordered=_told,
        overseas_dispatched=_told,
        forwarder_in=_told,
        forwarder_out=_told,
        delivered=_told,
    ),
    made_to_order=_maybe,
    notice_given=_maybe,
    is_used=_maybe,
    alleged=st.lists(st.sampled_from(Ground), max_size=3).map(tuple),
    proofs=st.lists(st.sampled_from(Proof), max_size=5).map(tuple),
    denied=st.lists(st.sampled_from(Proof), max_size=2).map(tuple),
    return_cost=_money,
    is_cost_disclosed=_maybe,
    known_at=_times,
    amount_asked=_money,
    has_consent=_maybe,
    is_approved=st.booleans(),
    is_position_known=_maybe,
    promised_at=_times,
)
_switches_of_any_kind = st.builds(
    Switches,
    defect_proof=st.sampled_from(DefectProof),
    flat_fee=st.sampled_from(FlatFee),
    exchange_offered=st.booleans(),
    return_days=st.integers(0, 60),
    return_clause_shown=st.booleans(),
    delay_points=st.integers(0, 5_000),
    purchase_agency=st.booleans(),
    fees=st.lists(
        st.builds(
            FeeRow,
            item=st.sampled_from(FeeItem),
            amount_minor=st.integers(0, 20_000),
            stage=st.none() | st.sampled_from([Stage.SENT_ABROAD, Stage.AT_FORWARDER]),
            disclosed=st.booleans(),
        ),
        max_size=4,
    ).map(tuple),
    compensation=st.lists(
        st.builds(
            CompensationRow,
            mode=st.none() | st.sampled_from(InventoryMode),
            is_on=st.booleans(),
            partner_percent=st.integers(0, 100),
        ),
        max_size=2,
    ).map(tuple),
)


@given(
    facts=_facts_of_any_kind,
    request_made=st.sampled_from(Request),
    switches=_switches_of_any_kind,
    locale=st.sampled_from(["ko", "en"]),
    language=st.sampled_from([None, "ko", "ja", "en"]),
)
def test_every_card_is_whole(
    facts: CardFacts, request_made: Request, switches: Switches, locale: str, language: str | None
) -> None:
    card = _card(facts, request_made, switches, locale=locale, language=language)

    # it names what it rests on
    assert card.rules
    assert set(card.rules) <= set(rules())
    assert [rule.id for rule in card.rule_texts] == list(card.rules)
    # it asks exactly when something is missing
    assert (card.decision is Verdict.ASK) == bool(card.missing)
    assert {f"ask.{name}" for name in card.missing} <= {step.key for step in card.steps}
    assert len({step.key for step in card.steps}) == len(card.steps)
    # money adds up, and is never negative
    known = [cost for cost in card.costs if cost.amount_minor is not None]
    assert sum(sums(card.costs).values()) == sum(cost.amount_minor or 0 for cost in known)
    assert all((cost.amount_minor or 0) >= 0 for cost in card.costs)
    # no deadline is before what started it, and the first is the first
    assert all(due.at >= due.counted_from for due in card.dues)
    assert [due.at for due in card.dues] == sorted(due.at for due in card.dues)
    # a draft for the customer is there, and says nothing that may not be said
    assert card.draft.strip()
    assert not _FORBIDDEN.search(card.draft)
    assert card.policy_version == 3


@given(facts=_facts_of_any_kind, switches=_switches_of_any_kind)
def test_nobody_is_refused_by_korean_law_without_its_proofs(facts: CardFacts, switches: Switches) -> None:
    for request_made in (Request.CANCEL, Request.RETURN, Request.EXCHANGE):
        card = _card(facts, request_made, switches)
        if card.decision is not Verdict.REFUSE:
            continue
        assert not card.costs
        if card.ground in LEGAL:
            assert card.evidence
            assert not set(facts.denied) & set(NEEDED[Ground(card.ground)])
        if card.ground in _MARKED:
            assert Proof.NOTICE in facts.proofs or facts.notice_given
        if card.ground == Ground.DAMAGED_BY_CUSTOMER:
            assert {Proof.PHOTOS, Proof.INSPECTION} <= set(facts.proofs)


@given(facts=_facts_of_any_kind, switches=_switches_of_any_kind)
def test_goods_of_our_own_have_no_partner(facts: CardFacts, switches: Switches) -> None:
    if facts.mode is not InventoryMode.DIRECT_PURCHASE:
        return
    for request_made in Request:
        card = _card(facts, request_made, switches)
        assert all(cost.payer is not FaultParty.PARTNER for cost in card.costs)


def _facts(**more: Any) -> CardFacts:
    values: dict[str, Any] = {
        "shop": "main",
        "mall": "cafe24",
        "country": "KR",
        "order_no": "O-1",
        "line_no": "L-1",
        "status": LineStatus.PAID,
        "amount": Money(minor=20_000, currency="KRW"),
        "opened_at": ASKED_AT,
        "ordered_at": ASKED_AT - 5 * _DAY,
        "paid_at": ASKED_AT - 5 * _DAY,
    }
    return CardFacts(**{**values, **more})


def _delivered(**more: Any) -> CardFacts:
    values: dict[str, Any] = {
        "status": LineStatus.DELIVERED,
        "dispatched_at": ASKED_AT - 4 * _DAY,
        "delivered_at": ASKED_AT - 2 * _DAY,
    }
    return _facts(**{**values, **more})


def _abroad(stage: Stage) -> CardFacts:
    happened, not_yet = Told(at=ASKED_AT - _DAY), Told(at=None)
    facts = StageFacts(
        overseas_ordered=happened,
        overseas_dispatched=happened,
        forwarder_in=not_yet if stage is Stage.SENT_ABROAD else happened,
        forwarder_out=None if stage is Stage.SENT_ABROAD else not_yet,
    )
    return _facts(
        status=LineStatus.PREPARING,
        reason=ClaimReason.CHANGE_OF_MIND,
        is_purchase_agency=True,
        stage_facts=facts,
    )
