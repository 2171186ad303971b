"""Cancels, returns, exchanges and what the malls file beside them: 0..n per line."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.core.model.money import Money


class ClaimKind(StrEnum):
    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    ADMIN_CANCEL = "admin_cancel"
    CONFIRM_HOLD = "confirm_hold"
    NON_RECEIPT = "non_receipt"
    UNKNOWN = "unknown"


class ClaimState(StrEnum):
    """One set of words for every kind; ``hold`` wins over the step it interrupts."""

    REQUESTED = "requested"
    APPROVED = "approved"
    ACCEPTED = "accepted"
    COLLECTING = "collecting"
    COLLECTED = "collected"
    INSPECTING = "inspecting"
    REFUNDING = "refunding"
    RESHIPPING = "reshipping"
    HOLD = "hold"
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act; an unknown state counts as open, so nobody forgets it.

        Goods on their way to the customer ask nothing of anybody, and one mall never says more.
        """
        return self not in _NOTHING_TO_DO


_NOTHING_TO_DO = frozenset({ClaimState.RESHIPPING, ClaimState.DONE, ClaimState.REJECTED, ClaimState.WITHDRAWN})


class ClaimReason(StrEnum):
    CHANGE_OF_MIND = "change_of_mind"
    WRONG_ORDER = "wrong_order"
    LATE = "late"
    OUT_OF_STOCK = "out_of_stock"
    DEFECT = "defect"
    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    MISSING_PART = "missing_part"
    NOT_AS_DESCRIBED = "not_as_described"
    OTHER = "other"
    UNKNOWN = "unknown"


class FaultParty(StrEnum):
    CUSTOMER = "customer"
    SELLER = "seller"
    PARTNER = "partner"
    CARRIER = "carrier"
    MALL = "mall"
    UNKNOWN = "unknown"


class EndedBy(StrEnum):
    SELLER = "seller"
    CUSTOMER = "customer"
    MALL = "mall"
    UNKNOWN = "unknown"


class Claim(Struct, frozen=True, kw_only=True, gc=False):
    """One cancel, return or exchange on one line.

    ``claim_key`` is stable over the claim's whole life and unique in the shop: several claims on
    one line never share it, nor do those of sub-shops that number an order alike, and a claim keeps it
    when the mall gives it a number later.
    ``claim_no`` is the mall's own number, ``None`` where the mall has none (yet). ``quantity`` is
    what was asked for, ``None`` when not told. ``refund`` is the amount the mall says it pays back.
    """

    claim_key: str
    order_no: str
    line_no: str
    kind: ClaimKind
    state: ClaimState
    raw_state: str
    claim_no: str | None = None
    reason: ClaimReason = ClaimReason.UNKNOWN
    raw_reason: str | None = None
    reason_text: str | None = None
    fault_party: FaultParty = FaultParty.UNKNOWN
    quantity: int | None = None
    requested_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    hold_reason: str | None = None
    collect_carrier: str | None = None
    collect_tracking_no: str | None = None
    collected_at: datetime | None = None
    reship_carrier: str | None = None
    reship_tracking_no: str | None = None
    refund: Money | None = None
