"""What a connector is: a manifest, a factory, and one small Protocol per capability.

A connector folder exposes ``MANIFEST`` and nothing else. A capability is declared in the manifest
if and only if the connector object implements its Protocol; ``tests/contract`` proves it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import httpx
from msgspec import Struct, field

from hub.core.catalogue import ReadsCatalogue
from hub.core.consent import AsksConsent
from hub.core.events import ReceivesEvents
from hub.core.files import ExportsFiles, ImportsFiles
from hub.core.inbox import Inbox, MemoryInbox
from hub.core.model import Inquiry, ShopRef
from hub.core.reading import (
    OpenKeys,
    Page,
    Reading,
    ReadsClaims,
    ReadsInquiries,
    ReadsOneInquiry,
    ReadsOneOrder,
    ReadsOrders,
    Span,
)
from hub.core.writing import (
    AcceptsExchanges,
    AcceptsReturns,
    Answer,
    AnswersInquiries,
    ApprovesCancels,
    CancelsLines,
    Carrier,
    ChangesAnswers,
    CollectsExchanges,
    CollectsReturns,
    CompletesExchanges,
    CompletesReturns,
    ConfirmsOrders,
    Delays,
    Dispatches,
    FilesExchanges,
    FilesReturns,
    GivesPoints,
    HoldReason,
    HoldsExchanges,
    HoldsReturns,
    LineAction,
    LineOutcome,
    ListsCarriers,
    MovesDeliveries,
    Outcome,
    RedeliversExchanges,
    RefusesCancels,
    RefusesExchanges,
    RefusesReturns,
    ReleasesExchanges,
    ReleasesReturns,
    WriteResult,
    WritesMemos,
)

#: the words of reading and writing are told here too: a connector needs one door
__all__ = [
    "PROTOCOLS",
    "AcceptsExchanges",
    "AcceptsReturns",
    "Answer",
    "AnswersInquiries",
    "ApprovesCancels",
    "CallCounts",
    "CancelsLines",
    "Capability",
    "CapabilityState",
    "Carrier",
    "ChangesAnswers",
    "CheckItem",
    "Checks",
    "CollectsExchanges",
    "CollectsReturns",
    "CompletesExchanges",
    "CompletesReturns",
    "ConfirmsOrders",
    "Connector",
    "Delays",
    "Dispatches",
    "Feed",
    "FilesExchanges",
    "FilesReturns",
    "GivesPoints",
    "HoldReason",
    "HoldsExchanges",
    "HoldsReturns",
    "LineAction",
    "LineOutcome",
    "LinksToAdmin",
    "ListsCarriers",
    "Manifest",
    "MovesDeliveries",
    "OpenKeys",
    "Outcome",
    "Page",
    "PreparesRemap",
    "Reading",
    "ReadsClaims",
    "ReadsInquiries",
    "ReadsOneInquiry",
    "ReadsOneOrder",
    "ReadsOrders",
    "RedeliversExchanges",
    "RefusesCancels",
    "RefusesExchanges",
    "RefusesReturns",
    "ReleasesExchanges",
    "ReleasesReturns",
    "SecretStore",
    "ShopContext",
    "Span",
    "Support",
    "WriteResult",
    "WritesMemos",
]


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
    MOVE_DELIVERY = "move_delivery"
    CHANGE_ANSWER = "change_answer"
    SEND_ATTACHMENT = "send_attachment"
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

    ``needs``: fields of :class:`LineAction` that this mall wants beyond those its Protocol names, ``takes``
    those that it may be given beyond what every mall takes.
    ``warning``: what a person must have read before, because this mall does more than the word says;
    a write with a warning is asked for twice.
    """

    state: Support
    instead: str = ""
    instead_ko: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    warning: str = ""
    warning_ko: str = ""


class CheckItem(Struct, frozen=True, kw_only=True):
    """One permission or setting tried harmlessly. ``fix`` is for the person who must act."""

    name: str
    is_ok: bool
    detail: str = ""
    fix: str = ""


@runtime_checkable
class Checks(Protocol):
    async def check(self) -> tuple[CheckItem, ...]: ...


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
    """``quota_share``: how much of the mall's longer quota is used up, as it told last (1 is all of it)."""

    sent: int = 0
    throttled: int = 0
    retried: int = 0
    quota_share: float | None = None


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
    may disappear without a word; nothing is concluded but from complete runs, and by asking for the number.
    ``tells_change_time``: a line's ``mall_changed_at`` is the mall's own stamp, which only grows, so that
    a reading with an older one is late and changes nothing (false where it is put together of other times).
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
    tells_change_time: bool = False
    answer_limit: int = 4000

    @property
    def drops_orders(self) -> bool:
        """Whether orders or claims, which settle together, may disappear without a word."""
        return bool(self.vanishing_feeds - {Feed.INQUIRIES})

    @property
    def drops_inquiries(self) -> bool:
        return Feed.INQUIRIES in self.vanishing_feeds


#: what a connector implements if and only if its manifest says yes. SEND_ATTACHMENT has none yet, so that no
#: manifest can say yes: no mall's API takes a file with an answer but by the address of one that is public.
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
    Capability.MOVE_DELIVERY: MovesDeliveries,
    Capability.CHANGE_ANSWER: ChangesAnswers,
    Capability.LIST_CARRIERS: ListsCarriers,
    Capability.READ_CATALOGUE: ReadsCatalogue,
    Capability.RECEIVE_EVENTS: ReceivesEvents,
    Capability.CONSENT: AsksConsent,
    Capability.IMPORT_FILES: ImportsFiles,
    Capability.EXPORT_FILES: ExportsFiles,
}
