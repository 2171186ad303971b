"""Promises, complaints and compensations as screens show them: their codes and plain data, nothing read here."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from hub.core.model import Money


class ToWhom(StrEnum):
    """``US``: to ourselves, as the last step of a complaint."""

    CUSTOMER = "customer"
    PARTNER = "partner"
    LOGISTICS = "logistics"
    MD = "md"
    MALL = "mall"
    US = "us"


class Channel(StrEnum):
    """How it will be kept. An answer keeps ``ANSWER`` by itself, one in a chat ``CHAT`` too."""

    CALL = "call"
    ANSWER = "answer"
    CHAT = "chat"
    MAIL = "mail"
    NONE = "none"


class BrokenReason(StrEnum):
    FORGOTTEN = "forgotten"
    NO_ANSWER_YET = "no_answer_yet"
    NOT_REACHED = "not_reached"
    TOO_BUSY = "too_busy"
    AWAY = "away"
    SYSTEM = "system"
    OTHER = "other"


OPEN: Final = "open"
KEPT: Final = "kept"
CHANGED: Final = "changed"
BROKEN: Final = "broken"


class PromiseMove(Struct, frozen=True, kw_only=True):
    """A promise given by one colleague to another; ``by`` did it."""

    from_name: str | None
    to_name: str | None
    by: str | None
    at: datetime


class PromiseView(Struct, frozen=True, kw_only=True):
    """One promise. ``what`` is empty where only the hour was noted: to come back to them by ``channel``.

    ``state``: open, kept, changed, broken. ``kept_at`` of a broken one: kept late, which mends nothing.
    ``kept_by`` is action, call or said; ``kept_with`` whom an agent spoke to, as they say. ``owner_is_gone``:
    nobody who works here owns it. ``changed_to`` and ``changed_from``: when the one after and before it is due.
    """

    promise_id: int
    case_id: int
    what: str
    to_whom: str
    channel: str
    due_at: datetime
    state: str
    is_late: bool
    owner_id: int | None
    owner: str | None
    owner_is_gone: bool
    made_by: str | None
    made_at: datetime
    ask_id: int | None = None
    reminded_at: datetime | None = None
    kept_by: str | None = None
    kept_at: datetime | None = None
    kept_with: str = ""
    broken_at: datetime | None = None
    broken_reason: str | None = None
    broken_text: str = ""
    changed_to: datetime | None = None
    changed_from: datetime | None = None
    moves: tuple[PromiseMove, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def wants_reason(self) -> bool:
        """Broken, and nobody has said why."""
        return self.state == BROKEN and self.broken_reason is None


class ComplaintStep(StrEnum):
    """In their order; ``HARD_CASE`` is a mark beside them."""

    INTAKE = "intake"
    CAUSE = "cause"
    SOLUTION = "solution"
    COMPENSATION = "compensation"
    PREVENTION = "prevention"
    HARD_CASE = "hard_case"


STEPS: Final = tuple(step for step in ComplaintStep if step is not ComplaintStep.HARD_CASE)
MARKED: Final = "marked"
CLEARED: Final = "cleared"


class CauseGroup(StrEnum):
    PRODUCT = "product"
    DELIVERY = "delivery"
    EXPECTATION = "expectation"


#: what can be at fault, by group; each code stands in one group only
CAUSES: Final[Mapping[CauseGroup, tuple[str, ...]]] = {
    CauseGroup.PRODUCT: ("defect", "damaged", "wrong_item", "missing_part", "quality", "safety"),
    CauseGroup.DELIVERY: ("late", "out_of_stock", "lost", "misdelivered", "courier", "customs"),
    CauseGroup.EXPECTATION: ("page_differs", "size_colour", "price", "rules", "service", "other"),
}
GROUP_OF: Final = {code: group for group, codes in CAUSES.items() for code in codes}


class StepView(Struct, frozen=True, kw_only=True):
    """One step as it was written down; ``cause`` is a code of :data:`CAUSES`, of a hard case marked or cleared."""

    case_id: int
    step: str
    text: str
    cause_group: str | None
    cause: str | None
    by: str | None
    at: datetime


class ComplaintView(Struct, frozen=True, kw_only=True):
    """The complaint of one case: the newest row of each step that was taken, by step."""

    steps: dict[str, StepView]
    is_hard: bool

    @property
    def next_step(self) -> ComplaintStep | None:
        """The first that is missing; ``None``: all are taken."""
        return next((step for step in STEPS if step not in self.steps), None)


class GiftState(StrEnum):
    """``ASKED``: waits for a supervisor. ``SENDING``: on its way to the mall, or nobody knows what became of it.
    Only ``GIVEN`` counts.
    """

    ASKED = "asked"
    DECLINED = "declined"
    SENDING = "sending"
    GIVEN = "given"
    NOT_GIVEN = "not_given"


class GiftReason(StrEnum):
    LATE = "late"
    OUT_OF_STOCK = "out_of_stock"
    DEFECT = "defect"
    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    MISSING_PART = "missing_part"
    LOST = "lost"
    SERVICE = "service"
    GOODWILL = "goodwill"
    OTHER = "other"


class GiftView(Struct, frozen=True, kw_only=True):
    """One row of the ledger. ``partner_share`` and ``our_share`` add up to ``amount``; of a row that takes another back
    (``reverses_id``) all are negative. ``is_reversed``: another row takes this one back.
    """

    gift_id: int
    case_id: int | None
    shop: str
    mall: str
    order_no: str | None
    line_no: str | None
    kind: str
    state: GiftState
    is_at_mall: bool
    amount: Money
    partner: str | None
    partner_share: Money
    reason: str
    note: str
    policy_version: int | None
    given_by: str | None
    given_by_id: int | None
    approved_by: str | None
    given_at: datetime
    action_id: int | None
    mall_message: str | None
    reverses_id: int | None
    is_reversed: bool

    @property
    def our_share(self) -> Money:
        return Money(minor=self.amount.minor - self.partner_share.minor, currency=self.amount.currency)

    @property
    def counts(self) -> bool:
        return self.state is GiftState.GIVEN
