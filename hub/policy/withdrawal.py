"""Cancel, return and exchange: the customer wants out of the purchase.

The law's right of withdrawal covers cancel and return alike, whatever the mall's buttons say; an
exchange is a matter of policy. Purchases abroad are decided by their stage.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from hub.core.model import ClaimReason, FaultParty, LineStatus
from hub.policy.book_rows import DefectProof
from hub.policy.card import Verdict
from hub.policy.grounds import LEGAL, NEEDED, Ground, Proof, weigh
from hub.policy.ruling import (
    ARRIVED,
    CUSTOMERS,
    NOT_AS_AGREED,
    UNSENT,
    Ruling,
    Situation,
    ask,
    at_the_mall,
    end_after,
    fault_of,
    notice_steps,
)
from hub.policy.stage import Stage, answer_of
from hub.policy.window import Right

_FLAWS: Final = frozenset({ClaimReason.DEFECT, ClaimReason.DAMAGED, ClaimReason.MISSING_PART})
_STAGE_RULE: Final = {
    Stage.ORDERED: "agency.stage-1",
    Stage.SENT_ABROAD: "agency.stage-2",
    Stage.AT_FORWARDER: "agency.stage-3",
    Stage.ON_ITS_WAY: "agency.stage-4",
}


def rule_on_cancel(situation: Situation) -> Ruling:
    facts = situation.facts
    decided = at_the_mall(situation)
    if decided is not None:
        return decided
    if facts.status is LineStatus.PENDING_PAYMENT:
        return Ruling(verdict=Verdict.ALLOW, ground="not_paid", rules=("hub.not-paid",), fault=fault_of(situation))
    if facts.status in ARRIVED:
        return _arrived(situation)
    if situation.stage is not None:
        return _of_stage(situation)
    if facts.status is LineStatus.DISPATCHED:
        return _sent(situation)
    return _unsent(situation)


def _arrived(situation: Situation) -> Ruling:
    law = ("kr.law.17-1",) if situation.is_korean else ()
    return Ruling(
        verdict=Verdict.REFUSE,
        ground="delivered",
        rules=("hub.dispatched", *law),
        fault=fault_of(situation),
        evidence=(Proof.DELIVERY_DATE,),
        alternatives=("return",),
        warnings=("right_stays",) if situation.is_korean else (),
        marks=("cancel.delivered",),
    )


def _unsent(situation: Situation) -> Ruling:
    facts = situation.facts
    if facts.reason is ClaimReason.OUT_OF_STOCK:
        return Ruling(
            verdict=Verdict.ALLOW,
            ground="supply_impossible",
            rules=("kr.law.15-2",) if situation.is_korean else ("hub.cancel-unsent",),
            fault=FaultParty.SELLER,
            steps=("tell_shortage", "?offer_substitute", *notice_steps(situation)),
            marks=("cancel.out_of_stock",),
        )
    law = ("kr.law.17-1", "kr.law.18-2") if situation.is_korean else ()
    unannounced = "cancel.reserved" if facts.is_reserved else "cancel.unannounced"
    announced = "cancel.announced" if facts.planned_ship_at else unannounced
    allowed = Ruling(
        verdict=Verdict.ALLOW,
        ground="withdrawal" if situation.is_korean else "not_sent",
        rules=("hub.cancel-unsent", *law),
        fault=fault_of(situation),
        considered=("hub.dispatched",),
        marks=(announced,),
    )
    # Nothing else of the law's grounds can have happened to goods that are still here.
    return _weighed(situation, allowed, only=(Ground.MADE_TO_ORDER, Ground.DIGITAL_BEGUN), request="cancel")


def _sent(situation: Situation) -> Ruling:
    facts = situation.facts
    fault = fault_of(situation)
    has_scan = Proof.DISPATCH_TIME in facts.proofs
    if facts.dispatched_at and facts.opened_at <= facts.dispatched_at and not has_scan:
        return ask(
            "dispatch_race",
            rules=("hub.dispatch-race",),
            considered=("hub.dispatched",),
            missing=("scan_time",),
            fault=fault,
            steps=("?stop_parcel",),
            evidence=NEEDED[Ground.DISPATCHED],
        )
    weighed = weigh(Ground.DISPATCHED, held=situation.held, denied=situation.denied)
    if weighed.failed:
        return ask(
            "ground_unproved",
            rules=("hub.dispatch-race",),
            considered=("hub.dispatched",),
            missing=("line_status",),
            fault=fault,
            steps=("?stop_parcel",),
        )
    law = ("kr.law.17-1", "kr.law.17-5") if situation.is_korean else ()
    refused = Ruling(
        verdict=Verdict.REFUSE,
        ground="dispatched",
        rules=("hub.dispatched", *law),
        fault=fault,
        evidence=NEEDED[Ground.DISPATCHED],
        considered=("hub.cancel-unsent",),
        alternatives=("return", *_instead(situation)),
        warnings=("right_stays",) if situation.is_korean else (),
        marks=("cancel.dispatched",),
    )
    if weighed.missing:
        missing = tuple(proof.value for proof in weighed.missing)
        return replace(refused, verdict=Verdict.ASK, ground="ground_unproved", missing=missing, alternatives=())
    return refused


def _of_stage(situation: Situation) -> Ruling:
    """A purchase abroad: what is possible depends on where the goods are, and only facts tell that."""
    assert situation.stage is not None  # noqa: S101  asked by the caller
    stage = situation.stage.stage
    fault = fault_of(situation)
    if stage is Stage.UNKNOWN:
        missing = ("contradiction",) if situation.stage.contradiction else situation.stage.missing
        return ask("stage_unknown", rules=("agency.stage-unknown",), missing=missing, fault=fault)
    if stage is Stage.DELIVERED:
        return _arrived(situation)
    answer = answer_of(stage)
    law = ("kr.law.17-1",) if situation.is_korean else ()
    rules = (_STAGE_RULE[stage], *law)
    if stage is Stage.ON_ITS_WAY:
        return Ruling(
            verdict=Verdict.REFUSE,
            ground="on_its_way",
            rules=rules,
            fault=fault,
            steps=answer.steps,
            alternatives=("return",),
            warnings=("right_stays",) if situation.is_korean else (),
            marks=("cancel.dispatched",),
        )
    ground = "agency_free" if stage is Stage.ORDERED else "agency_at_cost"
    allowed = Ruling(verdict=Verdict.ALLOW, ground=ground, rules=rules, fault=fault, steps=answer.steps)
    if stage is Stage.ORDERED:
        return _weighed(situation, allowed, only=(Ground.MADE_TO_ORDER,), request="cancel")
    if fault is FaultParty.UNKNOWN:
        # Whether the customer or we pay the way back hangs on it.
        return allowed.also(missing=("reason",))
    return allowed


def _weighed(situation: Situation, allowed: Ruling, *, only: tuple[Ground, ...], request: str) -> Ruling:
    """``allowed``, unless a ground of the law that somebody puts forward is proved, or not yet disproved."""
    held, denied = situation.held, situation.denied
    open_grounds = []
    for ground in situation.alleged:
        if ground not in only:
            continue
        if ground is Ground.MADE_TO_ORDER and not situation.is_korean:
            # The written consent is a demand of Korean law.
            held = held | {Proof.CONSENT}
        weighed = weigh(ground, held=held, denied=denied)
        if weighed.is_proved:
            law = (LEGAL[ground], "kr.law.17-5") if situation.is_korean else ("hub.proof",)
            return Ruling(
                verdict=Verdict.REFUSE,
                ground=ground.value,
                rules=law,
                considered=allowed.rules,
                fault=allowed.fault,
                evidence=NEEDED[ground],
                alternatives=_instead(situation) if request == "cancel" else ("coupon",),
                marks=(f"{request}.{ground.value}",),
            )
        if weighed.failed:
            allowed = allowed.also(considered=(LEGAL[ground],) if situation.is_korean else ())
        else:
            open_grounds.append(weighed)
    if not open_grounds:
        return allowed
    missing = tuple(dict.fromkeys(proof.value for weighed in open_grounds for proof in weighed.missing))
    evidence = tuple(dict.fromkeys(proof for weighed in open_grounds for proof in NEEDED[weighed.ground]))
    return replace(
        allowed,
        verdict=Verdict.ASK,
        ground="ground_unproved",
        rules=(*(LEGAL[weighed.ground] for weighed in open_grounds), "kr.law.17-5")
        if situation.is_korean
        else ("hub.proof",),
        considered=(*allowed.considered, *allowed.rules),
        missing=missing,
        evidence=evidence,
    )


def _instead(situation: Situation) -> tuple[str, ...]:
    exchange = situation.switches.exchange_offered and situation.stage is None
    return ("exchange", "coupon") if exchange else ("coupon",)


def rule_on_return(situation: Situation) -> Ruling:
    facts = situation.facts
    decided = at_the_mall(situation)
    if decided is not None:
        return decided
    if facts.status in UNSENT or facts.status is LineStatus.PENDING_PAYMENT:
        return Ruling(
            verdict=Verdict.REFUSE,
            ground="not_sent_yet",
            rules=("hub.not-sent-yet",),
            fault=fault_of(situation),
            alternatives=("cancel",),
        )
    is_disproved = facts.is_fault_proved is not None and fault_of(situation) is FaultParty.CUSTOMER
    if facts.reason in NOT_AS_AGREED and not is_disproved:
        ruling = _not_as_agreed(situation)
    else:
        ruling = _weighed(situation, _any_reason(situation), only=tuple(LEGAL), request="return")
    warnings = ("purchase_confirmed",) if facts.status is LineStatus.PURCHASE_CONFIRMED else ()
    return ruling.also(warnings=warnings, marks=("return",))


def _any_reason(situation: Situation) -> Ruling:
    """Within the days of the law, or our own longer ones, no reason is needed."""
    facts = situation.facts
    fault = fault_of(situation)
    if situation.switches.return_clause_shown and not situation.is_korean:
        return _by_clause(situation, fault)
    rule = "kr.law.17-1" if situation.is_korean else "jp.law.15-3"
    costs = ("kr.law.18-9",) if situation.is_korean and fault is FaultParty.CUSTOMER else ()
    allowed = Ruling(
        verdict=Verdict.ALLOW,
        ground="withdrawal",
        rules=(rule, *costs),
        fault=fault,
        steps=("collect",) if fault is not FaultParty.UNKNOWN else ("collect", "?ask_reason"),
    )
    is_open = _is_open(situation)
    if is_open:
        return allowed
    if is_open is None:
        return ask("window_unknown", rules=(rule,), missing=("delivered_at",), fault=fault)
    until = _own_until(situation)
    if until is not None and facts.opened_at <= until:
        return replace(allowed, ground="return_days", rules=("hub.return-days", *costs), considered=(rule,))
    if facts.reason not in CUSTOMERS and facts.is_fault_proved is None and fault is not FaultParty.CUSTOMER:
        # Goods that are not as agreed have longer.
        return ask("reason_unknown", rules=(rule,), missing=("reason",), fault=fault)
    considered = ("hub.return-days",) if situation.switches.return_days else ()
    return _over(situation, Ground.WINDOW_OVER, rule, fault).also(considered=considered)


def _is_open(situation: Situation) -> bool | None:
    """Whether the law's days still run; ``None`` where the missing delivery date decides it."""
    facts = situation.facts
    window = situation.window(Right.ANY_REASON)
    if facts.status is LineStatus.DISPATCHED and facts.delivered_at is None:
        return True
    if window is None or window.until is None:
        # It cannot have come before it went: still open then is open in any case.
        earliest = facts.dispatched_at or facts.ordered_at
        days = 7 if situation.is_korean else 8
        return True if earliest and facts.opened_at <= end_after(situation.calendar, earliest, days) else None
    return facts.opened_at <= window.until


def _own_until(situation: Situation) -> datetime | None:
    delivered_at = situation.facts.delivered_at
    return end_after(situation.calendar, delivered_at, situation.switches.return_days) if delivered_at else None


def _by_clause(situation: Situation, fault: FaultParty) -> Ruling:
    facts = situation.facts
    is_arrived = facts.status is not LineStatus.DISPATCHED or facts.delivered_at is not None
    until = _own_until(situation)
    if situation.switches.return_days and is_arrived and until is None:
        return ask("window_unknown", rules=("jp.clause",), missing=("delivered_at",), fault=fault)
    if situation.switches.return_days and (until is None or facts.opened_at <= until):
        return Ruling(
            verdict=Verdict.ALLOW, ground="return_clause", rules=("jp.clause",), fault=fault, steps=("collect",)
        )
    if facts.reason not in CUSTOMERS and fault is not FaultParty.CUSTOMER and facts.is_fault_proved is None:
        return ask("reason_unknown", rules=("jp.clause",), missing=("reason",), fault=fault)
    return _over(situation, Ground.RETURN_CLAUSE, "jp.clause", fault)


def _over(situation: Situation, ground: Ground, rule: str, fault: FaultParty) -> Ruling:
    """Too late by the law or the clause; the date is proved before it is said."""
    weighed = weigh(ground, held=situation.held, denied=situation.denied)
    proving = ("kr.law.17-5",) if situation.is_korean else ()
    refused = Ruling(
        verdict=Verdict.REFUSE,
        ground=ground.value,
        rules=(rule, *proving),
        fault=fault,
        evidence=NEEDED[ground],
        alternatives=("coupon",),
    )
    missing = (*weighed.missing, *weighed.failed)
    if missing:
        return replace(
            refused, verdict=Verdict.ASK, ground="ground_unproved", missing=tuple(proof.value for proof in missing)
        )
    return refused


def _not_as_agreed(situation: Situation) -> Ruling:
    """Defect, damage, wrong or missing goods: the seller pays, once it was looked into."""
    facts = situation.facts
    fault = fault_of(situation)
    law = ("kr.law.17-3", "kr.law.18-10", "kr.law.17-5") if situation.is_korean else ("jp.nonconformity",)
    window = situation.window(Right.NOT_AS_AGREED)
    if window is not None and window.is_open(facts.opened_at) is False:
        return _over(situation, Ground.WINDOW_OVER, "kr.law.17-3", fault)
    if window is not None and "delivered_at" in window.missing and facts.status in ARRIVED and not _is_open(situation):
        return ask("window_unknown", rules=law, missing=("delivered_at",), fault=fault)
    offer = situation.switches.partial_refund_first and facts.reason in _FLAWS
    steps = ("?offer_partial_refund", "collect") if offer else ("collect",)
    allowed = Ruling(verdict=Verdict.ALLOW, ground="not_as_agreed", rules=law, fault=fault, steps=steps)
    if facts.is_fault_proved:
        return allowed
    if situation.switches.defect_proof is DefectProof.INSPECT_ALWAYS:
        return allowed.also(steps=("inspect",), rules=("hub.proof",))
    missing = "judgement" if Proof.PHOTOS in facts.proofs else "photos"
    return replace(
        allowed,
        verdict=Verdict.ASK,
        ground="defect_unproved",
        rules=("hub.proof", *law),
        missing=(missing,),
        evidence=(Proof.PHOTOS,),
        steps=steps[:1] if offer else (),
    )


def rule_on_exchange(situation: Situation) -> Ruling:
    """As a return, where exchange is offered at all."""
    ruling = rule_on_return(situation)
    if ruling.ground in {"already_ended", "status_unknown", "not_sent_yet"}:
        return ruling
    is_abroad = situation.stage is not None
    if is_abroad or not situation.switches.exchange_offered:
        return Ruling(
            verdict=Verdict.REFUSE,
            ground="exchange_not_offered",
            rules=("hub.no-exchange-abroad",) if is_abroad else ("hub.exchange",),
            considered=ruling.rules,
            fault=ruling.fault,
            alternatives=("return", "new_order"),
            warnings=ruling.warnings,
        )
    rules = ("hub.exchange", *ruling.rules)
    if ruling.verdict is Verdict.ALLOW:
        return replace(ruling, ground="exchange_by_policy", rules=rules, steps=("check_stock", *ruling.steps))
    return replace(ruling, rules=rules)
