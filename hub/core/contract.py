"""What a connector is: a manifest, a factory, and one small Protocol per capability.

A connector folder exposes ``MANIFEST`` and nothing else. A capability is declared in the manifest
if and only if the connector object implements its Protocol; ``tests/contract`` proves it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import httpx
from msgspec import Struct, field

from hub.core.catalogue import ReadsCatalogue
from hub.core.consent import AsksConsent
from hub.core.events import ReceivesEvents
from hub.core.files import ExportsFiles, ImportsFiles
from hub.core.inbox import Inbox, MemoryInbox
from hub.core.model import Claim, ClaimReason, Inquiry, Line, Order, ShopRef


class Capability(StrEnum):
    """Everything the hub may want of a mall. Words of the capability matrix."""

    READ_ORDERS = "read_orders"
    READ_CLAIMS = "read_claims"
    READ_INQUIRIES = "read_inquiries"
    READ_ONE_ORDER = "read_one_order"
    READ_ONE_INQUIRY = "read_one_inquiry"
    CHECK = "check"
    ANSWER_INQUIRY = "answer_inquiry"
    CONFIRM = "confirm"
    DISPATCH = "dispatch"
    DELAY = "delay"
    SELLER_CANCEL = "seller_cancel"
    APPROVE_CANCEL = "approve_cancel"
    REFUSE_CANCEL = "refuse_cancel"
    ACCEPT_RETURN = "accept_return"
    COLLECT_RETURN = "collect_return"
    HOLD_RETURN = "hold_return"
    RELEASE_RETURN = "release_return"
    REFUSE_RETURN = "refuse_return"
    COMPLETE_RETURN = "complete_return"
    ACCEPT_EXCHANGE = "accept_exchange"
    COLLECT_EXCHANGE = "collect_exchange"
    HOLD_EXCHANGE = "hold_exchange"
    RELEASE_EXCHANGE = "release_exchange"
    REFUSE_EXCHANGE = "refuse_exchange"
    REDELIVER_EXCHANGE = "redeliver_exchange"
    COMPLETE_EXCHANGE = "complete_exchange"
    FILE_RETURN = "file_return"
    FILE_EXCHANGE = "file_exchange"
    MEMO = "memo"
    GIVE_POINTS = "give_points"
    CHANGE_ANSWER = "change_answer"
    LIST_CARRIERS = "list_carriers"
    READ_CATALOGUE = "read_catalogue"
    RECEIVE_EVENTS = "receive_events"
    CONSENT = "consent"
    IMPORT_FILES = "import_files"
    EXPORT_FILES = "export_files"


class Feed(StrEnum):
    """The streams a shop is read by; also the rows of every completeness figure."""

    ORDERS = "orders"
    CLAIMS = "claims"
    INQUIRIES = "inquiries"


class Support(StrEnum):
    YES = "yes"
    NO = "no"
    PLANNED = "planned"


class CapabilityState(Struct, frozen=True, kw_only=True):
    """``instead`` is the way that exists when the state is not yes (a place in the mall's admin),
    ``instead_ko`` the same in Korean.

    ``needs``: fields of :class:`LineAction` that this mall wants beyond those its Protocol names.
    ``warning``: what a person must have read before, because this mall does more than the word says;
    a write with a warning is asked for twice.
    """

    state: Support
    instead: str = ""
    instead_ko: str = ""
    needs: tuple[str, ...] = ()
    warning: str = ""
    warning_ko: str = ""


class Reading(Struct, frozen=True, kw_only=True, gc=False):
    """One record of a mall as it came, and what it became.

    ``key`` is the mall's identity of the record (best effort when it is broken). ``raw`` is the
    JSON as received, kept encrypted. Exactly one of ``record`` and ``error`` is set: a record that
    cannot be read is reported, never dropped and never the end of the page. ``is_partial``: this
    call of the mall tells less, or more coarsely, than the one that fills the feed; what is stored
    is then overwritten only when its status moved.
    """

    key: str
    raw: bytes
    record: Order | Claim | Inquiry | None = None
    error: str | None = None
    is_partial: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """Some readings and where to go on.

    ``cursor`` is opaque text; reading again with it continues right after this page, also in
    another process. ``progress`` is 0..1 over the whole run.
    """

    readings: tuple[Reading, ...]
    cursor: str
    progress: float = 0.0


class Span(Struct, frozen=True, kw_only=True):
    """A half-open stretch of time to read, aware UTC.

    ``is_full`` says that everything in the span is wanted, whether changed or not (first run,
    nightly reconciliation); otherwise the connector reads what may have changed since ``since``,
    and re-reads ``open_keys`` that its change feed cannot see.
    """

    since: datetime
    until: datetime
    is_full: bool = True


class OpenKeys(Struct, frozen=True, kw_only=True):
    """What the hub believes is still moving; silent changes are found only by reading these again.

    ``orders``: order numbers with their line numbers. ``inquiries``: inquiry numbers.
    """

    orders: tuple[tuple[str, tuple[str, ...]], ...] = ()
    inquiries: tuple[str, ...] = ()


@runtime_checkable
class ReadsOrders(Protocol):
    """Orders with their lines; claims too where the mall delivers them inside."""

    def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        """Page through every order of the span. ``cursor`` continues an interrupted run of the same span.

        Raises MallError when a call fails for good: the run is then not complete.
        """
        ...


@runtime_checkable
class ReadsClaims(Protocol):
    """Claims, on malls that list them apart from orders."""

    def read_claims(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]: ...


@runtime_checkable
class ReadsInquiries(Protocol):
    def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]: ...


@runtime_checkable
class ReadsOneOrder(Protocol):
    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        """The fresh state of one order. ``line_nos`` are the lines the hub knows; empty reads all that
        the mall can find by the order number. Raises NotFoundAtMallError when the mall has none of it.
        """
        ...


@runtime_checkable
class ReadsOneInquiry(Protocol):
    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        """The fresh state of one inquiry. Raises NotFoundAtMallError when it is gone."""
        ...


class CheckItem(Struct, frozen=True, kw_only=True):
    """One permission or setting tried harmlessly. ``fix`` is for the person who must act."""

    name: str
    is_ok: bool
    detail: str = ""
    fix: str = ""


@runtime_checkable
class Checks(Protocol):
    async def check(self) -> tuple[CheckItem, ...]: ...


class Outcome(StrEnum):
    """What became of one write."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    PENDING = "pending"


class LineOutcome(Struct, frozen=True, kw_only=True):
    line_no: str | None
    outcome: Outcome
    mall_message: str | None = None


class WriteResult(Struct, frozen=True, kw_only=True):
    """``outcome`` is the worst of ``lines``. ``readings`` is what reading back showed."""

    outcome: Outcome
    lines: tuple[LineOutcome, ...] = ()
    readings: tuple[Reading, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """An answer to one inquiry, written by ``author`` (a name to show, where the mall shows one)."""

    inquiry: Inquiry
    text: str
    author: str = ""


class HoldReason(StrEnum):
    """Why a return or exchange is stopped."""

    FEE_UNPAID = "fee_unpaid"
    EXTRA_FEE = "extra_fee"
    NOT_RECEIVED = "not_received"
    NOT_READY = "not_ready"
    OTHER = "other"


class LineAction(Struct, frozen=True, kw_only=True):
    """One write on one line of an order: confirm it, send it, decide its claim.

    ``claim`` is the open claim that it decides, ``None`` when the hub has seen none: the connector
    reads the fresh state in any case. ``quantity`` limits it to a part, ``None`` is all that is left.
    ``text`` is told to the customer (a memo: kept by the seller) where the mall shows it.
    ``ship_on`` is a day in the mall's zone; ``option_code`` the mall's code of what is sent instead
    in an exchange, ``None`` the same again; ``points`` whole points. Which of these an action needs
    is said by its Protocol.
    """

    order_no: str
    line: Line
    claim: Claim | None = None
    quantity: int | None = None
    reason: ClaimReason | None = None
    text: str = ""
    carrier: str | None = None
    tracking_no: str | None = None
    ship_on: date | None = None
    hold_reason: HoldReason = HoldReason.OTHER
    option_code: str | None = None
    points: int | None = None


@runtime_checkable
class AnswersInquiries(Protocol):
    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        """Send once, read back. A lost answer ends in UNKNOWN or, when the read shows it, in DONE."""
        ...


@runtime_checkable
class ChangesAnswers(Protocol):
    async def change_answer(self, answer: Answer) -> WriteResult:
        """Replace the answer that stands. Refused without sending when there is none."""
        ...


@runtime_checkable
class ApprovesCancels(Protocol):
    async def approve_cancel(self, action: LineAction) -> WriteResult:
        """Reads the fresh state first: refused without sending when the request is no longer open."""
        ...


@runtime_checkable
class RefusesCancels(Protocol):
    async def refuse_cancel(self, action: LineAction) -> WriteResult: ...


@runtime_checkable
class ConfirmsOrders(Protocol):
    async def confirm(self, action: LineAction) -> WriteResult:
        """The seller takes the line; on many malls the customer can then no longer cancel alone."""
        ...


@runtime_checkable
class Dispatches(Protocol):
    async def dispatch(self, action: LineAction) -> WriteResult:
        """Needs ``carrier`` (the mall's word) and ``tracking_no``."""
        ...


@runtime_checkable
class Delays(Protocol):
    async def delay(self, action: LineAction) -> WriteResult:
        """Needs ``ship_on``, the new day told to the mall, and ``reason`` or ``text``."""
        ...


@runtime_checkable
class CancelsLines(Protocol):
    async def seller_cancel(self, action: LineAction) -> WriteResult:
        """The seller cancels: needs ``reason``; most reasons count against the shop."""
        ...


@runtime_checkable
class AcceptsReturns(Protocol):
    async def accept_return(self, action: LineAction) -> WriteResult:
        """Accept the customer's return request."""
        ...


@runtime_checkable
class CollectsReturns(Protocol):
    async def collect_return(self, action: LineAction) -> WriteResult:
        """The goods have come back; ``carrier`` and ``tracking_no`` of the way back where known."""
        ...


@runtime_checkable
class HoldsReturns(Protocol):
    async def hold_return(self, action: LineAction) -> WriteResult:
        """Stop the return; needs ``text``, the reason in words, beside ``hold_reason``."""
        ...


@runtime_checkable
class ReleasesReturns(Protocol):
    async def release_return(self, action: LineAction) -> WriteResult:
        """End the hold."""
        ...


@runtime_checkable
class RefusesReturns(Protocol):
    async def refuse_return(self, action: LineAction) -> WriteResult:
        """Needs ``text``, told to the customer."""
        ...


@runtime_checkable
class CompletesReturns(Protocol):
    async def complete_return(self, action: LineAction) -> WriteResult:
        """Refund: money moves, nothing takes it back."""
        ...


@runtime_checkable
class AcceptsExchanges(Protocol):
    async def accept_exchange(self, action: LineAction) -> WriteResult:
        """Accept the customer's exchange request."""
        ...


@runtime_checkable
class CollectsExchanges(Protocol):
    async def collect_exchange(self, action: LineAction) -> WriteResult:
        """The goods have come back."""
        ...


@runtime_checkable
class HoldsExchanges(Protocol):
    async def hold_exchange(self, action: LineAction) -> WriteResult:
        """Stop the exchange; needs ``text``, the reason in words, beside ``hold_reason``."""
        ...


@runtime_checkable
class ReleasesExchanges(Protocol):
    async def release_exchange(self, action: LineAction) -> WriteResult:
        """End the hold."""
        ...


@runtime_checkable
class RefusesExchanges(Protocol):
    async def refuse_exchange(self, action: LineAction) -> WriteResult:
        """Needs ``text``, told to the customer."""
        ...


@runtime_checkable
class RedeliversExchanges(Protocol):
    async def redeliver_exchange(self, action: LineAction) -> WriteResult:
        """Send the replacement; needs ``carrier`` and ``tracking_no``."""
        ...


@runtime_checkable
class CompletesExchanges(Protocol):
    async def complete_exchange(self, action: LineAction) -> WriteResult:
        """The exchange is over."""
        ...


@runtime_checkable
class FilesReturns(Protocol):
    async def file_return(self, action: LineAction) -> WriteResult:
        """File a return in the customer's name, who asked by telephone; needs ``reason``, ``text`` tells more."""
        ...


@runtime_checkable
class FilesExchanges(Protocol):
    async def file_exchange(self, action: LineAction) -> WriteResult:
        """File an exchange in the customer's name; needs ``reason``; ``option_code`` is what is wanted instead."""
        ...


@runtime_checkable
class WritesMemos(Protocol):
    async def memo(self, action: LineAction) -> WriteResult:
        """Keep ``text`` at the mall for the seller's own people."""
        ...


@runtime_checkable
class GivesPoints(Protocol):
    async def give_points(self, action: LineAction) -> WriteResult:
        """Give the buyer ``points`` as compensation; needs ``text``, the reason. Money: nothing takes it back."""
        ...


class Carrier(Struct, frozen=True, kw_only=True):
    """A carrier that the mall takes: ``code`` is what an action carries and a shipment shows, ``name`` is for people.

    ``tracking_url`` has ``{tracking_no}`` where the number goes; ``None`` when the mall tells no address.
    """

    code: str
    name: str
    tracking_url: str | None = None


@runtime_checkable
class ListsCarriers(Protocol):
    async def list_carriers(self) -> tuple[Carrier, ...]:
        """The carriers this shop can dispatch with, the usual ones first."""
        ...


class LinksToAdmin(Protocol):
    """Every connector can at least say where a person does it in the mall's admin."""

    def admin_link(
        self, *, order_no: str | None = None, line_no: str | None = None, inquiry: Inquiry | None = None
    ) -> str | None:
        """An address of the mall's admin, or ``None`` when not even its home page is known."""
        ...


class Connector(LinksToAdmin, Protocol):
    """One shop, ready to be read. Capabilities are the Protocols it also implements."""

    shop: ShopRef

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        """Codes met that no table holds, as ``"<field>:<code>"`` with how often: shown in ``hub status``."""
        ...

    @property
    def calls(self) -> "CallCounts":
        """Calls sent to this shop since the connector was opened."""
        ...

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        """What a stored payload becomes by today's mapping; nothing is called. Never raises for what stands in it.

        ``feed`` is the one it was read for, ``key`` and ``raw`` are of its Reading (of a broken one too).
        Where the payload is not the whole truth (something was asked for beside it) the reading is
        partial, where it cannot be one without that, it is an error that says how to read it anew.
        """
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class PreparesRemap(Protocol):
    """A connector whose mapping needs more than payloads, of what the hub itself keeps: the layout of a file."""

    async def prepare_remap(self) -> None:
        """Called once before ``remap``. Sends nothing to the mall."""
        ...


class CallCounts(Struct, kw_only=True):
    sent: int = 0
    throttled: int = 0
    retried: int = 0


class SecretStore(Protocol):
    """State that belongs to one shop and must survive: tokens that rotate, keys that were issued.

    Values are encrypted by the store. ``put`` is durable when it returns: a token is saved before
    its first use. ``lock`` is held by one refresher at a time over all processes.
    """

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...

    def lock(self, name: str) -> AbstractAsyncContextManager[object]: ...


class ShopContext(Struct, kw_only=True):
    """Everything a connector is given. It reads no environment, no clock and no file of its own.

    ``inbox`` holds what was handed to the hub for this shop: chat messages, uploaded files.
    """

    shop: ShopRef
    base_url: str | None
    credentials: Mapping[str, Any]
    secrets: SecretStore
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    transport: httpx.AsyncBaseTransport | None = None
    inbox: Inbox = field(default_factory=MemoryInbox)

    def __repr__(self) -> str:
        # The credentials are in the clear here.
        return f"ShopContext(shop={self.shop!r}, base_url={self.base_url!r})"


class Manifest(Struct, frozen=True, kw_only=True):
    """What the hub knows of a mall without talking to it.

    ``letter`` and ``colour`` mark the mall on dense screens. ``timezone`` is the zone of its naive
    times and of its days. ``feeds`` maps each feed to the capability that fills it; a feed that is
    delivered inside another names the other's capability. ``credentials`` is the settings class
    that reads the ``[shop.credentials]`` table. ``vanishing_feeds`` are those from which a record
    may disappear without a word; only a complete full run may conclude anything from absence.
    """

    mall: str
    title: str
    title_ko: str
    letter: str
    colour: str
    timezone: str
    default_base_url: str | None
    capabilities: Mapping[Capability, CapabilityState]
    feeds: Mapping[Feed, Capability]
    credentials: type[Any]
    open: Callable[[ShopContext], Connector]
    country: str = "KR"
    vanishing_feeds: frozenset[Feed] = frozenset()
    answer_limit: int = 4000


#: what a connector implements if and only if its manifest says yes
PROTOCOLS: Mapping[Capability, type[Any]] = {
    Capability.READ_ORDERS: ReadsOrders,
    Capability.READ_CLAIMS: ReadsClaims,
    Capability.READ_INQUIRIES: ReadsInquiries,
    Capability.READ_ONE_ORDER: ReadsOneOrder,
    Capability.READ_ONE_INQUIRY: ReadsOneInquiry,
    Capability.CHECK: Checks,
    Capability.ANSWER_INQUIRY: AnswersInquiries,
    Capability.APPROVE_CANCEL: ApprovesCancels,
    Capability.REFUSE_CANCEL: RefusesCancels,
    Capability.CONFIRM: ConfirmsOrders,
    Capability.DISPATCH: Dispatches,
    Capability.DELAY: Delays,
    Capability.SELLER_CANCEL: CancelsLines,
    Capability.ACCEPT_RETURN: AcceptsReturns,
    Capability.COLLECT_RETURN: CollectsReturns,
    Capability.HOLD_RETURN: HoldsReturns,
    Capability.RELEASE_RETURN: ReleasesReturns,
    Capability.REFUSE_RETURN: RefusesReturns,
    Capability.COMPLETE_RETURN: CompletesReturns,
    Capability.ACCEPT_EXCHANGE: AcceptsExchanges,
    Capability.COLLECT_EXCHANGE: CollectsExchanges,
    Capability.HOLD_EXCHANGE: HoldsExchanges,
    Capability.RELEASE_EXCHANGE: ReleasesExchanges,
    Capability.REFUSE_EXCHANGE: RefusesExchanges,
    Capability.REDELIVER_EXCHANGE: RedeliversExchanges,
    Capability.COMPLETE_EXCHANGE: CompletesExchanges,
    Capability.FILE_RETURN: FilesReturns,
    Capability.FILE_EXCHANGE: FilesExchanges,
    Capability.MEMO: WritesMemos,
    Capability.GIVE_POINTS: GivesPoints,
    Capability.CHANGE_ANSWER: ChangesAnswers,
    Capability.LIST_CARRIERS: ListsCarriers,
    Capability.READ_CATALOGUE: ReadsCatalogue,
    Capability.RECEIVE_EVENTS: ReceivesEvents,
    Capability.CONSENT: AsksConsent,
    Capability.IMPORT_FILES: ImportsFiles,
    Capability.EXPORT_FILES: ExportsFiles,
}
