"""The decision card: what to answer, on what ground, what it costs and who pays, and by when.

Facts in, decision with its rules out. What is not known stays unknown: the card then asks for it
instead of guessing. None of this is legal advice.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.core.model import ClaimReason, FaultParty, InventoryMode, LineStatus, Money
from hub.policy.due import Due
from hub.policy.stage import Stage, StageFacts


class Request(StrEnum):
    """What the customer asks for."""

    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    PARTIAL_REFUND = "partial_refund"
    WITHDRAW_RETURN = "withdraw_return"
    DELIVERY_STATUS = "delivery_status"


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


class CardFacts(Struct, frozen=True, kw_only=True):
    """What is known of one line and of what is asked; aware times, ``None`` where not known.

    ``country`` is the law's country (KR, JP). ``opened_at`` is when the request came. ``left_at`` is
    when the goods came back to the seller. ``made_to_order``, ``notice_given``: the product was made
    for this customer, and the loss of withdrawal was told and agreed to before. ``return_cost``: what
    the product page names. ``mall_can`` and ``mall_way`` tell how the mall lets a seller do it.
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
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    planned_ship_at: datetime | None = None
    dispatched_at: datetime | None = None
    delivered_at: datetime | None = None
    left_at: datetime | None = None
    reason: ClaimReason = ClaimReason.UNKNOWN
    claimed_fault: FaultParty = FaultParty.UNKNOWN
    is_fault_proved: bool | None = None
    is_purchase_agency: bool = False
    stage_facts: StageFacts | None = None
    made_to_order: bool | None = None
    notice_given: bool | None = None
    is_used: bool | None = None
    return_cost: Money | None = None
    is_cost_disclosed: bool | None = None
    promised_at: datetime | None = None
    mall_can: MallCan = MallCan.NONE
    mall_way: str = ""
    mall_way_ko: str = ""


class Cost(Struct, frozen=True, kw_only=True):
    """One item: ``item`` is a message key's last word (return_shipping, forwarder_return, points, …)."""

    item: str
    amount_minor: int
    currency: str
    payer: FaultParty
    source: str = ""


class Step(Struct, frozen=True, kw_only=True):
    """Something to do. ``key`` is stable, so that a tick stays with it; ``text`` is in the card's language."""

    key: str
    text: str
    required: bool


class Card(Struct, frozen=True, kw_only=True):
    """``rules`` are never empty: each decision names what it rests on. ``dues`` are earliest first.

    ``costs`` add up per payer and currency; ``draft`` is what may be sent, already free of what the
    answer guard forbids; ``considered`` tells the rules that were looked at and did not hold.
    """

    request: Request
    decision: Verdict
    ground: str
    evidence: tuple[str, ...]
    fault_party: FaultParty
    stage: Stage | None
    dues: tuple[Due, ...]
    costs: tuple[Cost, ...]
    mall_can: MallCan
    steps: tuple[Step, ...]
    draft: str
    warnings: tuple[str, ...]
    rules: tuple[str, ...]
    considered: tuple[str, ...]
    policy_version: int
