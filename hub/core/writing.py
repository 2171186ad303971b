"""What a connector writes: one action on one line or inquiry, its outcome, and one Protocol per kind of write."""

from datetime import date, time
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hub.core.model import Claim, ClaimReason, Inquiry, Line
from hub.core.reading import Reading


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
    """An answer to one inquiry, written by ``author`` (a name to show, where the mall shows one).

    ``is_only_look``: as in :class:`LineAction`.
    """

    inquiry: Inquiry
    text: str
    author: str = ""
    is_only_look: bool = False


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
    in an exchange, ``None`` the same again; ``points`` whole points; ``fee`` what a hold asks the customer to
    pay, in whole units of the mall's money; ``deliver_on`` and ``deliver_at`` the day and time of delivery
    that the customer wants now, in the mall's zone. Which of these an action needs is said by its Protocol.

    ``is_only_look``: the write was sent before and its outcome is not known. Nothing is sent: the fresh
    state is read, and the outcome is DONE where the very effect stands, REFUSED ("not done") where the
    state shows that it does not, UNKNOWN where it does not tell.
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
    fee: int | None = None
    deliver_on: date | None = None
    deliver_at: time | None = None
    is_only_look: bool = False


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


@runtime_checkable
class MovesDeliveries(Protocol):
    async def move_delivery(self, action: LineAction) -> WriteResult:
        """Another day of delivery than the one that the customer chose; needs ``deliver_on``, and ``text``, why.

        Without ``deliver_at`` the time of the day stays as it is. Refused without sending where the line has no
        such day.
        """
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
