"""Plain data for templates and JSON: already masked or knowingly not, no rows, no queries.

Times are aware UTC, money is minor units with its currency; words are keys of the message tables.
"""

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from hub.core.model import Attachment, Money, Party
from hub.desk.care.views import GiftView, PromiseView, StepView
from hub.desk.customers.views import CustomerView, MarkBadge


class MallMark(Struct, frozen=True, kw_only=True):
    """How a mall is marked on dense screens: a letter and a colour, with its name for those who ask."""

    mall: str
    title: str
    title_ko: str
    letter: str


class DueView(Struct, frozen=True, kw_only=True):
    """One deadline. ``cause`` is law, mall, promise or target; ``label_key`` may be empty."""

    at: datetime
    cause: str
    label_key: str = ""
    source: str = ""
    is_overdue: bool = False


class TwinView(Struct, frozen=True, kw_only=True):
    """The same order in another shop. ``is_original``: it was placed there, and this one is a copy of it."""

    order_id: int
    order_no: str
    shop: str
    mark: MallMark
    is_original: bool
    open_case_id: int | None


class StockView(Struct, frozen=True, kw_only=True):
    """What the mall's catalogue says of a line's product; ``on_hand`` is ``None`` where no stock is counted."""

    on_hand: int | None
    supplier_code: str | None
    supplier_name: str | None
    is_supplier_active: bool
    contacts: tuple[Party, ...]


class IncidentMark(Struct, frozen=True, kw_only=True):
    """The open incident that a case belongs to; ``count`` is all its cases, ``reason`` a message key or ``text:…``."""

    incident_id: int
    count: int
    reason: str


class AskMark(Struct, frozen=True, kw_only=True):
    """Whom a case waits for since when; or, with ``is_answered``, that an answer came which nobody has read."""

    role: str
    since: datetime
    is_answered: bool = False


class LockMark(Struct, frozen=True, kw_only=True):
    """Who works on a case now, and until when without a sign of life."""

    user_id: int
    name: str
    until: datetime


class CaseRow(Struct, frozen=True, kw_only=True):
    """One line of the worklist. ``original``: where the case's order was really placed, if it is a copy.

    ``snoozed_until`` without ``is_asleep``: it is back. ``is_new``: changed since this reader saw it.
    """

    case_id: int
    mark: MallMark
    shop: str
    kind: str
    state: str
    is_open: bool
    opened_at: datetime
    order_no: str | None = None
    product_name: str | None = None
    quantity: int | None = None
    customer: str | None = None
    excerpt: str | None = None
    due: DueView | None = None
    assignee_id: int | None = None
    assignee: str | None = None
    team_id: int | None = None
    team: str | None = None
    snoozed_until: datetime | None = None
    is_asleep: bool = False
    is_new: bool = False
    is_mentioned: bool = False
    original: TwinView | None = None
    incident: IncidentMark | None = None
    ask: AskMark | None = None
    lock: LockMark | None = None
    has_draft: bool = False
    badges: tuple[MarkBadge, ...] = ()


class ShipmentView(Struct, frozen=True, kw_only=True):
    carrier: str | None
    tracking_no: str | None
    dispatched_at: datetime | None
    delivered_at: datetime | None


class LineView(Struct, frozen=True, kw_only=True):
    line_id: int
    line_no: str
    status: str
    raw_status: str
    is_held: bool
    quantity: int
    remaining_quantity: int | None
    product_name: str
    option: str | None
    product_code: str | None
    seller_sku: str | None
    amount: Money | None
    planned_ship_at: datetime | None
    is_reserved: bool
    sendable_from: datetime | None
    shipment: ShipmentView
    purchase_confirmed_at: datetime | None
    mall_changed_at: datetime | None
    has_vanished: bool
    link: str | None = None
    stock: StockView | None = None
    #: the mall lets nobody but its logistics firm confirm and dispatch it
    is_sent_by_logistics: bool = False
    #: when the customer wants it delivered: a day, or a day and a time, as the mall has it
    wished_delivery: str | None = None


class ClaimView(Struct, frozen=True, kw_only=True):
    claim_id: int
    line_no: str
    claim_no: str | None
    kind: str
    state: str
    raw_state: str
    is_open: bool
    reason: str
    raw_reason: str | None
    reason_text: str | None
    fault_party: str
    quantity: int | None
    requested_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    hold_reason: str | None
    refund: Money | None


class MessageView(Struct, frozen=True, kw_only=True):
    author: str
    text: str
    at: datetime | None
    attachments: tuple[Attachment, ...] = ()


class InquiryView(Struct, frozen=True, kw_only=True):
    inquiry_id: int
    inquiry_no: str
    thread_no: str
    kind: str
    state: str
    raw_state: str
    subject: str | None
    text: str
    category: str | None
    asked_at: datetime
    answered_at: datetime | None
    is_public: bool
    product_name: str | None
    product_code: str | None
    messages: tuple[MessageView, ...]
    link: str | None = None
    #: since when the mall, asked for its number, says that there is none; and when that was believed
    missing_since: datetime | None = None
    vanished_at: datetime | None = None


class EntryKind(StrEnum):
    EVENT = "event"
    MESSAGE = "message"
    ACTION = "action"


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that happened. ``key`` is a message key; ``words`` fill it, those that start with ``@``
    are message keys themselves. ``author`` is customer, seller, unknown, or the name of a colleague.
    ``lines``: line number, outcome and the mall's words, of an action on several lines. ``waiting_id``: of
    an action that can still be taken back; ``look_at``: when an uncertain one is looked at again.
    ``seen_at``: when the hub saw it, where that was long after the mall's own time. ``due_at`` is what was
    promised, ``money`` what was given; ``attachments`` are files of a message, kept by the mall.
    """

    kind: EntryKind
    at: datetime | None
    key: str
    words: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    author: str | None = None
    outcome: str | None = None
    lines: tuple[tuple[str, str, str], ...] = ()
    seen_at: datetime | None = None
    waiting_id: int | None = None
    look_at: datetime | None = None
    due_at: datetime | None = None
    money: Money | None = None
    attachments: tuple[Attachment, ...] = ()


class PersonView(Struct, frozen=True, kw_only=True):
    """The people of one order or inquiry, masked unless the case was opened with a reason."""

    buyer: Party | None = None
    receiver: Party | None = None
    delivery_message: str | None = None


class OrderView(Struct, frozen=True, kw_only=True):
    order_id: int
    order_no: str
    shop: str
    mark: MallMark
    sub_shop: str
    ordered_at: datetime | None
    paid_at: datetime | None
    amount: Money | None
    payment_method: str | None
    market: str | None
    market_order_no: str | None
    fetched_at: datetime | None
    lines: tuple[LineView, ...]
    link: str | None = None


class OtherOrder(Struct, frozen=True, kw_only=True):
    """Another order, perhaps of the same person: joined by the keyed hash of a phone or e-mail only."""

    order_id: int
    order_no: str
    shop: str
    mark: MallMark
    ordered_at: datetime | None
    product_name: str
    line_count: int
    statuses: tuple[str, ...]
    open_case_id: int | None
    open_kinds: tuple[str, ...]
    matched_by: str
    twins: tuple[TwinView, ...] = ()
    standing: str = "perhaps"


class FeedView(Struct, frozen=True, kw_only=True):
    """How fresh one feed of a shop is; ``error_kind`` says why its newest try failed."""

    feed: str
    data_as_of: datetime | None
    error_kind: str | None
    failing_since: datetime | None


class ShopView(Struct, frozen=True, kw_only=True):
    shop_id: int
    shop: str
    mark: MallMark
    is_active: bool
    feeds: tuple[FeedView, ...]

    @property
    def data_as_of(self) -> datetime | None:
        """The shop is as fresh as its oldest feed; unknown when one was never read."""
        times = [feed.data_as_of for feed in self.feeds]
        return None if not times or None in times else min(at for at in times if at is not None)

    @property
    def is_failing(self) -> bool:
        return any(feed.error_kind for feed in self.feeds)


class CaseLink(Struct, frozen=True, kw_only=True):
    case_id: int
    kind: str
    state: str
    is_open: bool


class ContactView(Struct, frozen=True, kw_only=True):
    """One person to ask; ``name`` is ``None`` when nobody is known for the role, and ``why`` says so.

    ``opens`` tells when, in words ("opens Mon 11-23 09:00"). ``deputy_for`` is whom this one stands in for,
    ``together``: one of a hot line. ``escalate_minutes`` of opening time pass before the next is asked.
    """

    role: str
    name: str | None
    organisation: str | None
    phone: str | None
    chat: str | None
    email: str | None
    is_open: bool
    next_open_at: datetime | None
    why: str
    key: str | None = None
    opens: str | None = None
    deputy_for: str | None = None
    together: bool = False
    escalate_minutes: int | None = None
    languages: tuple[str, ...] = ()


class ContactCard(Struct, frozen=True, kw_only=True):
    """Whom to ask about ``matter``, in order; ``mode_rule`` and ``steps`` tell how that was found.

    ``considered`` (what, why not) was looked at and did not decide. ``version`` of the routing book decided,
    0 where none was written; ``problem`` tells why the file beside it is not in force.
    """

    matter: str
    mode: str
    mode_rule: str
    product_name: str
    chain: tuple[ContactView, ...]
    steps: tuple[str, ...]
    considered: tuple[tuple[str, str], ...] = ()
    version: int = 0
    problem: str | None = None


class OfferLine(Struct, frozen=True, kw_only=True):
    """One line that an action could be done on; ``quantity`` is what is left of it."""

    line_no: str
    product_name: str
    option: str | None
    quantity: int


class AskView(Struct, frozen=True, kw_only=True):
    """One question to a contact. ``state``: open, answered, escalated, withdrawn; ``channel``: mail, webhook, call.

    ``person`` are the customer's data that it carried, by label (name, phone, address). ``next_send_at``: a
    message that waits, after ``send_error`` for its next try; with an error and without a time it was given
    up. ``answer_minutes`` of the contact's opening hours passed until the answer.
    """

    ask_id: int
    case_id: int
    contact_key: str
    contact_name: str
    organisation: str | None
    role: str
    matter: str
    channel: str
    state: str
    text: str
    person: tuple[tuple[str, str], ...]
    asked_at: datetime
    asked_by: str | None
    sent_at: datetime | None
    send_error: str | None
    next_send_at: datetime | None
    reminded_at: datetime | None
    escalate_at: datetime | None
    follows_id: int | None
    answered_at: datetime | None
    answer_minutes: int | None
    answered_via: str | None
    answered_by: str | None
    choice: str | None
    promised_on: date | None
    answer: str | None
    is_unread: bool

    @property
    def is_waiting(self) -> bool:
        return self.answered_at is None and self.state in {"open", "escalated"}


class AdminStep(Struct, frozen=True, kw_only=True):
    """Somebody did ``action`` in the mall's own admin, and said so here; taken back at ``undone_at``."""

    step_id: int
    action: str
    line_no: str | None
    done_at: datetime | None
    done_by: str | None
    done_by_id: int | None
    undone_at: datetime | None = None


class Offer(Struct, frozen=True, kw_only=True):
    """One action on lines of the order or on an inquiry, as the screen offers it; a greyed one says why and where else.

    ``group`` is claim, line or inquiry. ``needs`` are the fields that must be filled, ``fields`` all that
    the form shows. ``must_confirm``: it is asked for twice; ``warning`` is what to read before. ``steps``
    were done in the mall's admin instead.
    """

    action: str
    group: str
    is_allowed: bool
    must_confirm: bool = False
    why_not: str | None = None
    instead: str = ""
    instead_ko: str = ""
    warning: str = ""
    warning_ko: str = ""
    needs: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    lines: tuple[OfferLine, ...] = ()
    kind: str | None = None
    state: str | None = None
    link: str | None = None
    order_no: str | None = None
    inquiry_no: str | None = None
    steps: tuple[AdminStep, ...] = ()

    @property
    def claim_key(self) -> str:
        """Equal for the offers of claims that share their actions."""
        return f"{self.kind} {self.state}"

    @property
    def is_elsewhere(self) -> bool:
        """Whether a person does it in the mall's admin."""
        return self.why_not == "action.mall_cannot"


class Dossier(Struct, frozen=True, kw_only=True):
    """Everything known about one order or one inquiry thread; the case page and the order page both show it.

    ``timeline`` is oldest first. ``cases`` are all cases of this order or thread, ``steps`` what was ticked
    off in any of them as done in the mall's admin. ``linked`` are orders that an agent found to belong to a
    thread without one, ``suggested`` those whose number the customer wrote.
    ``asks`` are the questions to contacts in any of the cases, oldest first; ``promises`` by the time they are
    due, ``complaint_steps`` and ``gifts`` oldest first, of any of them too.
    """

    shop: ShopView
    order: OrderView | None
    person: PersonView
    claims: tuple[ClaimView, ...]
    inquiries: tuple[InquiryView, ...]
    timeline: tuple[TimelineEntry, ...]
    others: tuple[OtherOrder, ...]
    cases: tuple[CaseLink, ...]
    steps: tuple[AdminStep, ...]
    link: str | None
    is_unmasked: bool
    twins: tuple[TwinView, ...] = ()
    linked: tuple[OtherOrder, ...] = ()
    suggested: tuple[OtherOrder, ...] = ()
    asks: tuple[AskView, ...] = ()
    promises: tuple[PromiseView, ...] = ()
    complaint_steps: tuple[StepView, ...] = ()
    gifts: tuple[GiftView, ...] = ()
    customer: CustomerView | None = None

    @property
    def original(self) -> TwinView | None:
        """Where this order was really placed, when it is a copy: what is done belongs there."""
        return next((twin for twin in self.twins if twin.is_original), None)


class CaseView(Struct, frozen=True, kw_only=True):
    """Everything of one case on one screen. ``thread_no`` tells which inquiries it is about."""

    row: CaseRow
    dues: tuple[DueView, ...]
    thread_no: str | None
    dossier: Dossier
