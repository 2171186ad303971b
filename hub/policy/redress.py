"""The requests that leave the purchase as it is: money back for a flaw, a return taken back, where is my parcel."""

from datetime import datetime
from typing import Final

from hub.core.model import ClaimState, FaultParty, LineStatus
from hub.policy.book_rows import DefectProof, Gift, ReturnWithdrawal
from hub.policy.card import DelayKind, Verdict
from hub.policy.grounds import Proof
from hub.policy.ruling import (
    ARRIVED,
    CUSTOMERS,
    NOT_AS_AGREED,
    UNSENT,
    Ruling,
    Situation,
    ask,
    at_the_mall,
    fault_of,
    notice_steps,
    was_late,
)
from hub.policy.stage import Stage

_S = ClaimState
_BEFORE_COLLECTED: Final = frozenset({_S.REQUESTED, _S.APPROVED, _S.ACCEPTED, _S.COLLECTING})
_UNTIL: Final = {
    ReturnWithdrawal.NO: frozenset[ClaimState](),
    ReturnWithdrawal.UNTIL_COLLECTED: _BEFORE_COLLECTED,
    ReturnWithdrawal.UNTIL_RECEIVED: _BEFORE_COLLECTED | {_S.COLLECTED},
}
_OVER: Final = frozenset({_S.DONE, _S.REJECTED, _S.WITHDRAWN})


def rule_on_partial_refund(situation: Situation) -> Ruling:
    """Amount, basis, limit and consent: with one of them missing it is not done."""
    facts = situation.facts
    decided = at_the_mall(situation)
    if decided is not None:
        return decided
    rules = ("hub.partial-refund",)
    fault = fault_of(situation)
    if facts.status in UNSENT or facts.status is LineStatus.PENDING_PAYMENT:
        return Ruling(
            verdict=Verdict.REFUSE,
            ground="not_sent_yet",
            rules=("hub.not-sent-yet",),
            fault=fault,
            alternatives=("cancel",),
        )
    is_disproved = facts.reason in NOT_AS_AGREED and fault is FaultParty.CUSTOMER
    if facts.reason in CUSTOMERS or is_disproved:
        alternatives = ("return",)
        return Ruling(verdict=Verdict.REFUSE, ground="no_flaw", rules=rules, fault=fault, alternatives=alternatives)
    if _is_more_than_left(situation):
        return Ruling(
            verdict=Verdict.REFUSE, ground="more_than_price", rules=rules, fault=fault, alternatives=("return",)
        )
    missing = tuple(_missing_of_partial_refund(situation))
    return Ruling(
        verdict=Verdict.ASK if missing else Verdict.ALLOW,
        ground="partial_refund_open" if missing else "partial_refund_agreed",
        rules=rules,
        fault=fault,
        missing=missing,
        evidence=(Proof.PHOTOS, Proof.CONSENT),
        steps=("note_basis",),
        warnings=("later_return_is_less",),
    )


def _is_more_than_left(situation: Situation) -> bool:
    facts = situation.facts
    if facts.amount is None or facts.amount_asked is None or facts.amount_asked.currency != facts.amount.currency:
        return False
    paid_back = facts.refunded.minor if facts.refunded else 0
    return facts.amount_asked.minor > facts.amount.minor - paid_back


def _missing_of_partial_refund(situation: Situation) -> list[str]:
    facts = situation.facts
    missing = []
    if facts.reason not in NOT_AS_AGREED and fault_of(situation) is FaultParty.UNKNOWN:
        missing.append("reason")
    if facts.amount is None:
        missing.append("line_amount")
    asked = facts.amount_asked
    if asked is None or asked.minor <= 0 or (facts.amount and asked.currency != facts.amount.currency):
        missing.append("amount")
    elif not facts.is_approved:
        limit = situation.switches.limit(Gift.PARTIAL_REFUND, asked.currency)
        if limit is None or asked.minor > limit.amount_minor:
            missing.append("approval")
    is_shown = facts.is_fault_proved or Proof.PHOTOS in facts.proofs
    if not is_shown and situation.switches.defect_proof is DefectProof.PHOTO_FIRST:
        missing.append("photos")
    if not facts.has_consent:
        missing.append("consent")
    return missing


def rule_on_withdraw_return(situation: Situation) -> Ruling:
    """May the customer take a return back? A switch of the policy; the law does not say."""
    facts = situation.facts
    rules = ("hub.return-withdrawal",)
    switch = situation.switches.return_withdrawal
    state = facts.claim_state
    if state is None or state in _OVER:
        return Ruling(verdict=Verdict.REFUSE, ground="nothing_to_withdraw", rules=rules, steps=("tell_state",))
    if switch is ReturnWithdrawal.NO:
        return Ruling(verdict=Verdict.REFUSE, ground="withdrawal_by_policy", rules=rules, alternatives=("new_order",))
    if state in {_S.HOLD, _S.UNKNOWN}:
        return ask("claim_state_unknown", rules=rules, missing=("claim_state",))
    if state not in _UNTIL[switch]:
        return Ruling(verdict=Verdict.REFUSE, ground="withdrawal_too_late", rules=rules, alternatives=("new_order",))
    steps = ("cancel_pickup",) if state is not _S.REQUESTED else ()
    return Ruling(
        verdict=Verdict.ALLOW, ground="withdrawal_allowed", rules=rules, fault=FaultParty.CUSTOMER, steps=steps
    )


def rule_on_delivery_status(situation: Situation) -> Ruling:
    """Where it is and how much longer, or by what hour we call back: never nothing."""
    facts = situation.facts
    rules = ("hub.delay-answer",)
    decided = at_the_mall(situation)
    if decided is not None and decided.verdict is Verdict.ASK:
        return decided
    if decided is not None:
        return Ruling(verdict=Verdict.ALLOW, ground="already_ended", rules=rules, steps=("tell_state",))
    if facts.status in ARRIVED:
        return Ruling(verdict=Verdict.ALLOW, ground="delivered", rules=rules, evidence=(Proof.DELIVERY_DATE,))
    if facts.status is LineStatus.PENDING_PAYMENT:
        return Ruling(verdict=Verdict.ALLOW, ground="not_paid", rules=rules, steps=("tell_state",))
    is_late = was_late(situation)
    kind = facts.delay or _kind(situation, is_late=is_late)
    ruling = _told(situation, kind)
    return ruling.also(steps=notice_steps(situation)) if is_late else ruling


def _kind(situation: Situation, *, is_late: bool | None) -> DelayKind | None:
    """``None``: nothing is wrong so far."""
    if not is_late:
        return None
    return DelayKind.LATE_KNOWN if situation.facts.is_position_known else DelayKind.NO_NEWS


def _told(situation: Situation, kind: DelayKind | None) -> Ruling:
    facts = situation.facts
    missing: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    if kind is DelayKind.LATE_KNOWN:
        known = (("position", facts.is_position_known), ("eta", facts.eta_from and facts.eta_to))
        missing = tuple(name for name, value in known if not value)
    elif kind is DelayKind.NO_NEWS:
        missing = _call_back(situation)
        steps = ("keep_promise",)
    elif kind is DelayKind.CUSTOMER_CHASING:
        missing = () if facts.is_position_known else _call_back(situation)
        steps = ("apologise", "?keep_promise")
    if situation.stage_now is Stage.ON_ITS_WAY:
        steps = (*steps, "send_customs_link")
    return Ruling(
        verdict=Verdict.ASK if missing else Verdict.ALLOW,
        ground=kind.value if kind else "on_time",
        rules=("hub.delay-answer",),
        fault=fault_of(situation),
        missing=missing,
        steps=steps,
        warnings=("no_exact_date", "never_just_soon") if kind else ("no_exact_date",),
    )


def _call_back(situation: Situation) -> tuple[str, ...]:
    promised: datetime | None = situation.facts.promised_at
    return () if promised and promised > situation.facts.at else ("callback_time",)
