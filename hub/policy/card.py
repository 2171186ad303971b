"""The decision card: what to answer, on what ground, what it costs and who pays, and by when.

Facts in, decision with its rules out. What is not known stays unknown: the card then asks for it
instead of guessing. None of this is legal advice.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from hub.core.model import ClaimReason, ClaimState, FaultParty, InventoryMode, LineStatus, Money
from hub.policy.due import Due
from hub.policy.grounds import Ground, Proof
from hub.policy.stage import Stage, StageFacts
from hub.policy.window import Window


class Request(StrEnum):
    """What the customer asks for."""

    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    PARTIAL_REFUND = "partial_refund"
    WITHDRAW_RETURN = "withdraw_return"
    DELIVERY_STATUS = "delivery_status"


#: what agents call a matter, as the request and reason that it is
MATTERS: Final[Mapping[str, tuple[Request, ClaimReason]]] = {
    "defect": (Request.RETURN, ClaimReason.DEFECT),
    "wrong_item": (Request.RETURN, ClaimReason.WRONG_ITEM),
    "delay": (Request.DELIVERY_STATUS, ClaimReason.LATE),
    "out_of_stock": (Request.CANCEL, ClaimReason.OUT_OF_STOCK),
}


class Verdict(StrEnum):
    """``ASK``: a fact or a person's approval is missing; the card's steps name it."""

    ALLOW = "allow"
    REFUSE = "refuse"
    ASK = "ask"


class MallCan(StrEnum):
    """How the answer is carried out at the mall: by its API, in its admin by hand, or not at all."""

    API = "api"
    ADMIN = "admin"
    NONE = "none"


class DelayKind(StrEnum):
    """What a customer who waits is told first: where it is; that we look and call back; an apology."""

    LATE_KNOWN = "late_known"
    NO_NEWS = "no_news"
    CUSTOMER_CHASING = "customer_chasing"


class MallWay(Struct, frozen=True, kw_only=True):
    """How one answer is carried out: ``action`` is the command line's word for it, ``way`` the place in the
    mall's admin where the API cannot, ``…_ko`` the same in Korean. ``warning`` is the mall's own.
    """

    can: MallCan = MallCan.NONE
    action: str | None = None
    way: str = ""
    way_ko: str = ""
    warning: str = ""
    warning_ko: str = ""


NO_WAY: Final = MallWay()


class ToldFacts(Struct, frozen=True, kw_only=True):
    """What a person has to tell of a request; ``None`` and empty where nobody has.

    ``alleged`` are grounds of refusal that somebody puts forward; ``proofs`` are at hand, ``denied`` is known
    not to exist. ``made_to_order``, ``is_used`` and ``notice_given`` say the same of the commonest of them:
    ``notice_given`` is that the product page named the exclusion before the purchase and, for made to order,
    that the customer agreed to it in writing. ``return_cost``: what the product page names, for this order.
    ``known_at`` is when the customer noticed a defect. ``amount_asked``, ``has_consent``, ``is_approved`` are of
    a partial refund, ``is_position_known`` and ``eta_…`` of a delivery.
    """

    is_fault_proved: bool | None = None
    made_to_order: bool | None = None
    notice_given: bool | None = None
    is_used: bool | None = None
    alleged: tuple[Ground, ...] = ()
    proofs: tuple[Proof, ...] = ()
    denied: tuple[Proof, ...] = ()
    return_cost: Money | None = None
    is_cost_disclosed: bool | None = None
    known_at: datetime | None = None
    amount_asked: Money | None = None
    has_consent: bool | None = None
    is_approved: bool = False
    delay: DelayKind | None = None
    is_position_known: bool | None = None
    eta_from: date | None = None
    eta_to: date | None = None
    promised_at: datetime | None = None


class CardFacts(ToldFacts, frozen=True, kw_only=True):
    """What is known of one line and of what is asked; aware times, ``None`` where not known.

    ``country`` is the law's country (KR, JP). ``opened_at`` is when the request came, ``decided_at`` when
    it is decided (``None``: at once). ``left_at`` is when the goods came back to the seller, ``claim_state``
    the state of the claim that is open for this request. ``refunded`` was
    paid back before. ``allow_way`` and ``refuse_way`` tell how the mall lets a seller do it.
    """

    shop: str
    mall: str
    country: str
    sub_shop: str = ""
    brand: str = ""
    order_no: str
    line_no: str
    status: LineStatus
    quantity: int = 1
    amount: Money | None = None
    mode: InventoryMode = InventoryMode.UNKNOWN
    opened_at: datetime
    decided_at: datetime | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    planned_ship_at: datetime | None = None
    is_reserved: bool = False
    sendable_from: datetime | None = None
    dispatched_at: datetime | None = None
    tracking_no: str | None = None
    delivered_at: datetime | None = None
    left_at: datetime | None = None
    claim_state: ClaimState | None = None
    reason: ClaimReason = ClaimReason.UNKNOWN
    claimed_fault: FaultParty = FaultParty.UNKNOWN
    is_purchase_agency: bool = False
    stage_facts: StageFacts | None = None
    refunded: Money | None = None
    allow_way: MallWay = NO_WAY
    refuse_way: MallWay = NO_WAY

    @property
    def at(self) -> datetime:
        return self.decided_at or self.opened_at


class Cost(Struct, frozen=True, kw_only=True):
    """One item: ``item`` is a message key's last word (return_shipping, forwarder_return, points, …).

    ``amount_minor`` is ``None`` where it is known who pays, but not how much. ``is_disclosed``: named before
    the purchase, as ``source`` proves.
    """

    item: str
    amount_minor: int | None
    currency: str
    payer: FaultParty
    source: str = ""
    is_disclosed: bool | None = None


class Step(Struct, frozen=True, kw_only=True):
    """Something to do. ``key`` is stable, so that a tick stays with it; ``text`` is in the card's language."""

    key: str
    text: str
    required: bool


class RuleText(Struct, frozen=True, kw_only=True):
    """A rule in words. ``source`` names the law, the mall's page or our own policy; ``confidence`` how sure it is."""

    id: str
    source: str
    confidence: str
    text: str


class Card(Struct, frozen=True, kw_only=True):
    """``rules`` are never empty: each decision names what it rests on. ``dues`` are earliest first.

    ``costs`` add up per payer and currency; ``draft`` is what may be sent, already free of what the
    answer guard forbids; ``considered`` tells the rules that were looked at and did not hold.
    ``fault_party`` is presumed (the seller must prove the customer's fault) until ``is_fault_proved``.
    ``missing`` are the facts or people that an ``ask`` waits for; each has its step. Stored cards are read
    for years: a field that is added here needs a default.
    """

    request: Request
    decision: Verdict
    ground: str
    ground_text: str
    evidence: tuple[str, ...]
    fault_party: FaultParty
    is_fault_proved: bool | None
    stage: Stage | None
    dues: tuple[Due, ...]
    windows: tuple[Window, ...]
    costs: tuple[Cost, ...]
    mall_can: MallCan
    mall_action: str | None
    steps: tuple[Step, ...]
    missing: tuple[str, ...]
    alternatives: tuple[str, ...]
    draft: str
    draft_language: str
    warnings: tuple[str, ...]
    rules: tuple[str, ...]
    rule_texts: tuple[RuleText, ...]
    considered: tuple[RuleText, ...]
    policy_version: int
