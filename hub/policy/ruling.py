"""What a request comes to, in keys: the step between the facts and the card's words."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from hub.core.model import ClaimReason, FaultParty, LineStatus
from hub.policy.calendar import BusinessCalendar, OwnDays
from hub.policy.card import CardFacts, Verdict
from hub.policy.due import NO_OWN_DAYS
from hub.policy.grounds import Ground, Proof
from hub.policy.stage import Stage, StageFinding
from hub.policy.switches import Switches
from hub.policy.window import Right, Window

#: whose wish or mistake a reason is; the others are nobody's yet
CUSTOMERS: Final = frozenset({ClaimReason.CHANGE_OF_MIND, ClaimReason.WRONG_ORDER})
NOT_AS_AGREED: Final = frozenset(
    {
        ClaimReason.DEFECT,
        ClaimReason.DAMAGED,
        ClaimReason.WRONG_ITEM,
        ClaimReason.MISSING_PART,
        ClaimReason.NOT_AS_DESCRIBED,
    }
)
UNSENT: Final = frozenset({LineStatus.PAID, LineStatus.PREPARING})
ARRIVED: Final = frozenset({LineStatus.DELIVERED, LineStatus.PURCHASE_CONFIRMED})
_ENDED: Final = frozenset({LineStatus.CANCELLED, LineStatus.RETURNED, LineStatus.EXCHANGED})


class Ruling(Struct, frozen=True, kw_only=True):
    """Keys of ``card.toml`` and ``rules.toml``. ``marks`` call the rules of one mall.

    ``missing``: facts or people without which nothing can be decided. ``considered``: rules that were
    looked at and did not hold. ``steps`` that may be left out begin with "?". ``alternatives`` are what a
    refused customer is offered.
    """

    verdict: Verdict
    ground: str
    rules: tuple[str, ...]
    considered: tuple[str, ...] = ()
    fault: FaultParty = FaultParty.UNKNOWN
    missing: tuple[str, ...] = ()
    evidence: tuple[Proof, ...] = ()
    steps: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def also(
        self,
        *,
        rules: Iterable[str] = (),
        considered: Iterable[str] = (),
        steps: Iterable[str] = (),
        warnings: Iterable[str] = (),
        missing: Iterable[str] = (),
        marks: Iterable[str] = (),
    ) -> "Ruling":
        """The same with more of each; something missing makes what was allowed an ``ask``."""
        missing = (*self.missing, *missing)
        allowed = Verdict.ASK if missing and self.verdict is Verdict.ALLOW else self.verdict
        return replace(
            self,
            verdict=allowed,
            rules=(*self.rules, *rules),
            considered=(*self.considered, *considered),
            steps=(*self.steps, *steps),
            warnings=(*self.warnings, *warnings),
            missing=missing,
            marks=(*self.marks, *marks),
        )


class Situation(Struct, frozen=True, kw_only=True):
    """The facts with what follows from them: ``stage`` is ``None`` for goods that are not bought abroad."""

    facts: CardFacts
    switches: Switches
    stage: StageFinding | None
    windows: tuple[Window, ...]
    days: OwnDays = NO_OWN_DAYS

    @property
    def calendar(self) -> BusinessCalendar:
        return self.days.of_public(self.facts.country)

    @property
    def is_korean(self) -> bool:
        return self.facts.country == "KR"

    @property
    def stage_now(self) -> Stage | None:
        return self.stage.stage if self.stage else None

    def window(self, right: Right) -> Window | None:
        return next((window for window in self.windows if window.right is right), None)

    @property
    def held(self) -> frozenset[Proof]:
        """Proofs at hand: those told, and those that stand in the order itself."""
        facts = self.facts
        found = set(facts.proofs)
        if facts.tracking_no:
            found.add(Proof.WAYBILL)
        if facts.dispatched_at:
            found.add(Proof.DISPATCH_TIME)
        if facts.delivered_at:
            found.add(Proof.DELIVERY_DATE)
        if facts.made_to_order:
            found.add(Proof.ORDER_RECORD)
        if facts.notice_given:
            found |= {Proof.NOTICE, Proof.CONSENT} if facts.made_to_order else {Proof.NOTICE}
        if self.switches.return_clause_shown:
            found.add(Proof.CLAUSE)
        return frozenset(found)

    @property
    def denied(self) -> frozenset[Proof]:
        return frozenset({*self.facts.denied, *({Proof.NOTICE} if self.facts.notice_given is False else ())})

    @property
    def alleged(self) -> tuple[Ground, ...]:
        """Grounds that somebody puts forward and that we use; what nobody puts forward is no ground (17(5))."""
        facts = self.facts
        told = list(facts.alleged)
        if facts.made_to_order:
            told.append(Ground.MADE_TO_ORDER)
        if facts.is_used:
            told.append(Ground.USED)
        if facts.claimed_fault is FaultParty.CUSTOMER and facts.is_fault_proved and facts.reason in NOT_AS_AGREED:
            told.append(Ground.DAMAGED_BY_CUSTOMER)
        return tuple(ground for ground in dict.fromkeys(told) if ground not in self.switches.unused_grounds)


def at_the_mall(situation: Situation) -> Ruling | None:
    """What the state of the line decides before anything else."""
    status = situation.facts.status
    if status in _ENDED:
        return Ruling(
            verdict=Verdict.REFUSE, ground="already_ended", rules=("hub.already-ended",), steps=("tell_state",)
        )
    if status is LineStatus.UNKNOWN:
        return ask("status_unknown", rules=("hub.status-unknown",), missing=("line_status",))
    return None


def ask(ground: str, *, rules: tuple[str, ...], missing: tuple[str, ...], **more: object) -> Ruling:
    return Ruling(verdict=Verdict.ASK, ground=ground, rules=rules, missing=missing, **more)  # type: ignore[arg-type]


def fault_of(situation: Situation) -> FaultParty:
    """Whose doing it is, as far as it is known; the customer's fault is proved by the seller, not presumed."""
    facts = situation.facts
    if facts.reason in CUSTOMERS:
        return FaultParty.CUSTOMER
    if facts.is_fault_proved and facts.claimed_fault is not FaultParty.UNKNOWN:
        return facts.claimed_fault
    if facts.reason in NOT_AS_AGREED:
        # Looked into and found right: then it is a change of mind like any other.
        return FaultParty.CUSTOMER if facts.is_fault_proved is False else FaultParty.SELLER
    if facts.reason is ClaimReason.OUT_OF_STOCK:
        return FaultParty.SELLER
    if facts.reason is ClaimReason.LATE:
        late = was_late(situation)
        return FaultParty.UNKNOWN if late is None else FaultParty.SELLER if late else FaultParty.CUSTOMER
    return FaultParty.UNKNOWN


def notice_steps(situation: Situation) -> tuple[str, ...]:
    """How the duty to tell of late or missing goods is kept: by the switches on the notice and its points."""
    switches = situation.switches
    share = switches.share(situation.facts.mode)
    has_points = switches.delay_points and (share is None or share.is_on)
    switched = (("send_notice", switches.delay_message), ("give_points", has_points))
    return tuple(step for step, is_on in switched if is_on)


def was_late(situation: Situation) -> bool | None:
    """Whether the goods left, or came, later than was told; ``None`` where nothing tells it."""
    latest, happened = _told_until(situation), _happened(situation)
    if latest is None:
        return None
    return happened > latest


def _told_until(situation: Situation) -> datetime | None:
    facts, calendar = situation.facts, situation.calendar
    if situation.stage is not None:
        days = timedelta(days=situation.switches.delivery_days_to)
        return calendar.end_of(calendar.day_of(facts.ordered_at) + days) if facts.ordered_at else None
    if facts.planned_ship_at:
        return calendar.end_of(calendar.day_of(facts.planned_ship_at))
    if facts.is_reserved:
        return calendar.end_of(calendar.day_of(facts.sendable_from)) if facts.sendable_from else None
    if facts.paid_at and situation.is_korean:
        # 15(1): supply begins within 3 business days of the payment.
        return calendar.end_of(calendar.add_business_days(calendar.day_of(facts.paid_at), 3))
    return None


def _happened(situation: Situation) -> datetime:
    facts = situation.facts
    return (facts.delivered_at if situation.stage is not None else facts.dispatched_at) or facts.at


def end_after(calendar: BusinessCalendar, since: datetime, days: int) -> datetime:
    """The last second of the last of ``days`` after the day of ``since``; a day of rest moves it on."""
    return calendar.end_of(calendar.add_days(calendar.day_of(since), days))
