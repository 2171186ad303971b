"""Mall-neutral facts of the emulated World: what truly happened, before any mall words it.

Everything is a schedule: an order, a claim and an inquiry carry the times at which things happen,
past and future. What is true now is read off the schedule, so time moves by itself; a write through
an emulated mall cuts the future off and adds a step. All times are aware UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime

from hub.core.model import ClaimKind, ClaimReason, ClaimState, InquiryKind, InventoryMode, LineStatus


@dataclass(slots=True)
class Person:
    """``phone`` is national form with dashes (010-0000-0001, 090-0000-0001). All people are invented."""

    name: str
    kana: str | None
    phone: str
    email: str
    zip_code: str
    address_base: str
    address_detail: str
    member_id: str | None


@dataclass(slots=True)
class Item:
    """A product with one option. ``number`` is small and unique; malls make their codes from it."""

    number: int
    name: str
    option: str
    price: int
    sku: str
    option_sku: str
    mode: InventoryMode
    supplier_code: str
    supplier_name: str
    logistics_company: str | None


@dataclass(slots=True)
class LineStep:
    at: datetime
    status: LineStatus


@dataclass(slots=True)
class ClaimStep:
    """``by``: who moved it (customer, seller, mall)."""

    at: datetime
    state: ClaimState
    by: str


@dataclass(slots=True)
class ClaimFact:
    """One claim; ``number`` is unique in the World. The first step is the request (or the seller's act)."""

    number: int
    kind: ClaimKind
    reason: ClaimReason
    text: str
    quantity: int
    steps: list[ClaimStep]
    tracking_no: str | None = None
    reship_tracking_no: str | None = None

    @property
    def requested_at(self) -> datetime:
        return self.steps[0].at

    def step_at(self, now: datetime) -> ClaimStep | None:
        """The newest step that has happened, ``None`` before the request."""
        reached = None
        for step in self.steps:
            if step.at > now:
                break
            reached = step
        return reached


@dataclass(slots=True)
class LineFact:
    """One line. ``steps`` are without claims; a finished claim over the whole rest ends the line."""

    number: int
    item: Item
    quantity: int
    discount: int
    steps: list[LineStep]
    carrier: str
    tracking_no: str
    planned_ship_at: datetime | None
    claims: list[ClaimFact] = field(default_factory=list)
    is_held: bool = False

    @property
    def amount(self) -> int:
        """Minor units for the whole quantity after the line's own discount."""
        return self.item.price * self.quantity - self.discount

    def at_of(self, status: LineStatus, now: datetime) -> datetime | None:
        """When the line reached ``status``, if it has by now."""
        for step in self.steps:
            if step.status is status and step.at <= now:
                return step.at
        return None

    def plain_status(self, now: datetime) -> LineStatus:
        """The status without claims."""
        reached = self.steps[0].status
        for step in self.steps:
            if step.at > now:
                break
            reached = step.status
        return reached

    def remaining(self, now: datetime) -> int:
        """What is left after finished cancels and returns; nothing of a line that was never paid."""
        if self.plain_status(now) is LineStatus.CANCELLED:
            return 0
        gone = 0
        for claim in self.claims:
            step = claim.step_at(now)
            if step and step.state is ClaimState.DONE and claim.kind in _TAKES_AWAY:
                gone += claim.quantity
        return max(0, self.quantity - gone)

    def status(self, now: datetime) -> LineStatus:
        """The status with finished claims counted: ended only when nothing is left."""
        for claim in reversed(self.claims):
            step = claim.step_at(now)
            if step is None or step.state is not ClaimState.DONE:
                continue
            if claim.kind is ClaimKind.EXCHANGE and claim.quantity >= self.quantity:
                return LineStatus.EXCHANGED
            if claim.kind in _TAKES_AWAY and self.remaining(now) == 0:
                return LineStatus.RETURNED if claim.kind is ClaimKind.RETURN else LineStatus.CANCELLED
        return self.plain_status(now)


_TAKES_AWAY = frozenset({ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.ADMIN_CANCEL})


@dataclass(slots=True)
class MemoFact:
    """A note of the seller's own people on an order."""

    number: int
    at: datetime
    text: str


@dataclass(slots=True)
class PointsFact:
    """Points given to the buyer of an order; ``amount`` in whole points."""

    at: datetime
    amount: int
    reason: str


@dataclass(slots=True)
class OrderFact:
    """``number`` is unique in the World; ``shop`` the shop's name; ``sub_shop`` its shop number (1, 2)."""

    number: int
    shop: str
    sub_shop: int
    ordered_at: datetime
    paid_at: datetime | None
    buyer: Person
    receiver: Person
    lines: list[LineFact]
    payment: str
    message: str
    is_from_mobile: bool
    memos: list[MemoFact] = field(default_factory=list)
    points: list[PointsFact] = field(default_factory=list)


@dataclass(slots=True)
class AnswerFact:
    number: int
    at: datetime
    text: str
    author: str


@dataclass(slots=True)
class InquiryFact:
    """``follow_ups`` are later messages of the customer in the same thread, oldest first."""

    number: int
    shop: str
    sub_shop: int
    kind: InquiryKind
    asked_at: datetime
    subject: str
    text: str
    category: str
    writer: Person
    item: Item | None
    order: OrderFact | None
    line: LineFact | None
    answers: list[AnswerFact] = field(default_factory=list)
    follow_ups: list[AnswerFact] = field(default_factory=list)
