"""What every emulated mall is made of and must offer, and the truth a correct reader must end with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from litestar.types import ASGIApp

from hub.core.events import Delivery
from hub.core.files import Layout, Upload
from hub.sandbox.faults import RowFaults

Row = dict[str, Any]

LINE_COLUMNS = (
    "shop", "mall", "order_no", "line_no", "status", "raw_status", "held", "quantity", "remaining_quantity",
    "product_name", "option", "product_code", "seller_sku", "amount_minor", "currency", "ordered_at", "paid_at",
    "planned_ship_at", "dispatched_at", "delivered_at", "carrier", "tracking_no", "mall_changed_at",
)  # fmt: skip
CLAIM_COLUMNS = (
    "shop", "mall", "order_no", "line_no", "claim_no", "kind", "state", "raw_state", "reason", "raw_reason",
    "fault_party", "quantity", "requested_at", "ended_at", "ended_by",
)  # fmt: skip
INQUIRY_COLUMNS = (
    "shop", "mall", "inquiry_no", "thread_no", "kind", "state", "order_no", "product_code", "asked_at", "answered_at",
    "subject", "text", "answer",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Rows in the columns of the exports (without ``fetched_at`` and ``inventory_mode``).

    Times are aware UTC datetimes, absent is ``None``, states are the canonical words. Derived from
    the World's facts and the mall's documented meaning, never from a mapper. ``memos`` (order_no, text)
    and ``points`` (order_no, amount, reason) are what agents left at the mall, where it keeps them; ``wishes``
    (line_no, day) are the days of delivery that customers chose.
    """

    lines: tuple[Row, ...]
    claims: tuple[Row, ...]
    inquiries: tuple[Row, ...]
    memos: tuple[Row, ...] = ()
    points: tuple[Row, ...] = ()
    wishes: tuple[Row, ...] = ()


def line_row(**values: Any) -> Row:
    return _row(LINE_COLUMNS, values)


def claim_row(**values: Any) -> Row:
    return _row(CLAIM_COLUMNS, values)


def inquiry_row(**values: Any) -> Row:
    return _row(INQUIRY_COLUMNS, values)


def _row(columns: tuple[str, ...], values: Row) -> Row:
    """All ``columns`` in their order, ``None`` where no value is given.

    Raises: TypeError for a value that has no column.
    """
    strange = values.keys() - set(columns)
    if strange:
        message = f"no such column: {sorted(strange)}"
        raise TypeError(message)
    return {column: values.get(column) for column in columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How strict and how awkward an emulated mall is.

    ``rate_per_second`` and ``burst`` replace the mall's documented limit when given. ``rows`` is asked
    to spoil the rows of every list answer; the default leaves them as they are. ``seed`` chooses the
    awkward shapes. ``clock`` answers the seconds that limits count by; the World's own time when absent.
    """

    rate_per_second: float | None = None
    burst: int | None = None
    enforce_limits: bool = True
    rows: RowFaults = field(default_factory=RowFaults)
    seed: int = 1
    clock: Callable[[], float] | None = None


class SandboxMall(Protocol):
    """One emulated shop: an ASGI application and what it knows to be true."""

    mall: str
    shop: str
    app: ASGIApp

    def shop_table(self, base_url_root: str) -> Row:
        """The ``[[shop]]`` table that reaches this mall at ``base_url_root`` (scheme, host and port)."""
        ...

    def truth(self) -> Truth: ...


class GivesFiles(SandboxMall, Protocol):
    """An emulated mall without an API: a person downloads its lists."""

    def downloads(self) -> tuple[tuple[Upload, Layout], ...]:
        """The lists of now, each with the layout by which the hub is to read it."""
        ...


class TellsEvents(SandboxMall, Protocol):
    """An emulated mall that is never asked: it tells what happens, and keeps no history.

    ``memory`` is what it has told so far: to be kept beside the World, and put back with it.
    """

    memory: Any

    def deliveries(self) -> Iterator[Delivery]:
        """What has happened by now and was not told before, oldest first, as of the time at which it happened."""
        ...


class LeakyBucket:
    """A mall's own counter: ``capacity`` calls, draining ``per_second``. ``clock`` answers seconds."""

    def __init__(self, *, capacity: float, per_second: float, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self._per_second = per_second
        self._clock = clock
        self._level = 0.0
        self._seen = clock()

    def pour(self) -> bool:
        """Count one call; ``False`` when it does not fit (it is not counted then)."""
        if self.level() + 1 > self.capacity:
            return False
        self._level += 1
        return True

    def level(self) -> float:
        now = self._clock()
        self._level = max(0.0, self._level - (now - self._seen) * self._per_second)
        self._seen = now
        return self._level

    def wait_seconds(self) -> float:
        """Seconds until the next call fits."""
        return max(0.0, (self.level() + 1 - self.capacity) / self._per_second)
