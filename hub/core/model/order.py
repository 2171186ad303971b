"""Orders and their lines. State, stock, dispatch and claims live on the line."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.core.model.claim import Claim
from hub.core.model.money import Money
from hub.core.model.party import Party
from hub.core.model.product import Product


class LineStatus(StrEnum):
    """Where a line is. A line with an open claim keeps the status it has without the claim,
    unless the mall itself has already moved it.
    """

    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    PREPARING = "preparing"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    PURCHASE_CONFIRMED = "purchase_confirmed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    EXCHANGED = "exchanged"
    UNKNOWN = "unknown"


class Shipment(Struct, frozen=True, kw_only=True, gc=False):
    """One parcel of a line. ``carrier`` is the mall's code or name for the carrier.

    A carrier without a tracking number is only planned: dispatch is proved by ``dispatched_at``.
    """

    carrier: str | None = None
    tracking_no: str | None = None
    dispatched_at: datetime | None = None
    delivered_at: datetime | None = None


class Line(Struct, frozen=True, kw_only=True, gc=False):
    """One sold position of an order.

    ``line_no`` is the mall's own number of the line, unique in the shop. ``quantity`` is what was
    ordered, ``remaining_quantity`` what is left after finished partial claims (``None``: the mall
    does not tell). ``amount`` is what the line costs the buyer for ``quantity`` before order-wide
    discounts, or ``None`` when the mall does not say it per line. ``planned_ship_at`` is what was
    told to the mall; where a mall knows days only it is the first moment of that day in the mall's
    zone. ``is_reserved`` says that the goods were sold before they can be sent (``None``: the mall does
    not tell), ``sendable_from`` from which day on they can be. ``mall_changed_at`` is the mall's own
    time of the newest change, where it gives one.
    """

    line_no: str
    status: LineStatus
    raw_status: str
    quantity: int
    product: Product
    held: bool = False
    remaining_quantity: int | None = None
    amount: Money | None = None
    planned_ship_at: datetime | None = None
    is_reserved: bool | None = None
    sendable_from: datetime | None = None
    purchase_confirmed_at: datetime | None = None
    mall_changed_at: datetime | None = None
    shipment: Shipment | None = None
    replaces_line_no: str | None = None


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """What one reading of the mall shows of an order: its head, some or all of its lines, and the
    claims on those lines.

    A reading may hold only part of an order (a mall that answers per line): nothing is concluded
    from a line that is absent. ``claims_are_complete`` says that every claim that the mall still
    knows of these lines stands in ``claims``; only then may an open claim that is missing here be
    taken as ended. ``market`` and ``market_order_no`` name the same order on another mall that
    delivered it through this one.
    """

    order_no: str
    ordered_at: datetime | None
    lines: tuple[Line, ...]
    claims: tuple[Claim, ...] = ()
    claims_are_complete: bool = False
    paid_at: datetime | None = None
    currency: str | None = None
    amount: Money | None = None
    payment_method: str | None = None
    buyer: Party | None = None
    receiver: Party | None = None
    delivery_message: str | None = None
    sub_shop: str | None = None
    market: str | None = None
    market_order_no: str | None = None
