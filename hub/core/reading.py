"""What a connector reads: records, pages, and the Protocols that give them."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hub.core.model import Claim, Inquiry, Order


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
