"""The change feed of the emulated SmartStore: one row per product order, its newest listed event.

Silent changes (place-order confirm, delivery, collecting, holds, the end of an unpaid order) never
move a row. Source: Naver Commerce API 2.73, "last-changed-statuses"; confidence: sure, save for the
silence of the unpaid end and the five-minute batches of purchase decisions (design of the emulator).
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connectors.smartstore import sandbox_render as render
from connectors.smartstore.sandbox_notes import NO_NOTES, Notes
from hub.core.model import ClaimState, LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.world import World

_LINE_CHANGES = {
    LineStatus.PENDING_PAYMENT: "PAY_WAITING",
    LineStatus.PAID: "PAYED",
    LineStatus.DISPATCHED: "DISPATCHED",
    LineStatus.PURCHASE_CONFIRMED: "PURCHASE_DECIDED",
}
_CLAIM_CHANGES = {
    ClaimState.COLLECTED: "COLLECT_DONE",
    ClaimState.RESHIPPING: "CLAIM_REDELIVERING",
    ClaimState.DONE: "CLAIM_COMPLETED",
    ClaimState.REJECTED: "CLAIM_REJECTED",
    ClaimState.WITHDRAWN: "CLAIM_REJECTED",
}
#: purchases are decided by a batch: its rows carry the batch's start and show up minutes later, many at one time
_BATCH_MS = 5 * 60_000


class Event(NamedTuple):
    """``shown_ms``: the ``lastChangedDate`` as Unix milliseconds; ``at``: when it truly happened.

    Sorts by date, then product order: the order of the feed.
    """

    shown_ms: int
    line_id: str
    rank: int
    change: str
    at: datetime
    order: OrderFact
    line: LineFact


def unix_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _changes(line: LineFact, notes: Notes) -> list[tuple[datetime, str]]:
    """Every listed change of the line, past and scheduled, oldest first."""
    changes = [(step.at, _LINE_CHANGES[step.status]) for step in line.steps if step.status in _LINE_CHANGES]
    for claim in line.claims:
        if claim.kind not in render.CLAIM_TYPES:
            continue
        changes.append((claim.requested_at, "CLAIM_REQUESTED"))
        changes += [(step.at, _CLAIM_CHANGES[step.state]) for step in claim.steps if step.state in _CLAIM_CHANGES]
    changes += [(change.at, "HOPE_DELIVERY_INFO_CHANGED") for change in notes.hopes.get(line.number, ())]
    changes.sort(key=lambda change: change[0])
    return changes


def events_of(order: OrderFact, line: LineFact, notes: Notes = NO_NOTES) -> list[Event]:
    line_id = render.line_id(order, line)
    events: list[Event] = []
    shown_before = 0
    for rank, (at, change) in enumerate(_changes(line, notes)):
        shown = unix_ms(at)
        if change == "PURCHASE_DECIDED":
            shown = max(shown_before, shown - shown % _BATCH_MS)
        events.append(Event(shown, line_id, rank, change, at, order, line))
        shown_before = shown
    return events


def _newest(order: OrderFact, line: LineFact, now: datetime, notes: Notes) -> Event | None:
    newest = None
    for event in events_of(order, line, notes):
        if event.at > now:
            break
        newest = event
    return newest


def _signature(line: LineFact, notes: Notes) -> tuple[datetime, ...]:
    """Differs after every act on the line: an act cuts what was to come and adds a step of its own time."""
    hopes = notes.hopes.get(line.number, ())
    if not (line.claims or hopes):
        return (line.steps[-1].at,)
    return (line.steps[-1].at, *[claim.steps[-1].at for claim in line.claims], *[change.at for change in hopes])


class ChangeFeed:
    """Finds the rows of a window without walking over every line of the shop.

    All events stand sorted by their time. What the World changed since the last look has happened
    after that look, so only windows that reach so far make it look again.
    """

    def __init__(self, world: World, shop: str, notes: Notes) -> None:
        self._world = world
        self._notes = notes
        self._shop = shop
        self._events: list[Event] = []
        self._signatures: dict[int, tuple[datetime, ...]] = {}
        self._looked_at: datetime | None = None

    def window(self, start_ms: int, end_ms: int) -> list[Event]:
        """Rows dated from ``start_ms`` to ``end_ms``, both inclusive, in the feed's order."""
        now = self._world.now()
        if self._looked_at is None or end_ms + _BATCH_MS >= unix_ms(self._looked_at):
            self._look(now)
        first = bisect_left(self._events, (start_ms,))
        last = bisect_right(self._events, end_ms, key=lambda event: event.shown_ms)
        rows = []
        for event in self._events[first:last]:
            newest = _newest(event.order, event.line, now, self._notes)
            if newest is not None and newest[:4] == event[:4]:
                rows.append(event)
        return rows

    def _look(self, now: datetime) -> None:
        """Take in new lines, and lines whose history was changed by somebody's act."""
        touched: dict[int, list[Event]] = {}
        are_all_new = True
        for order in self._world.orders(self._shop):
            for line in order.lines:
                signature = _signature(line, self._notes)
                known = self._signatures.get(line.number)
                if known != signature:
                    are_all_new = are_all_new and known is None
                    self._signatures[line.number] = signature
                    touched[line.number] = events_of(order, line, self._notes)
        self._looked_at = now
        if not touched:
            return
        if not are_all_new:
            self._events = [event for event in self._events if event.line.number not in touched]
        for events in touched.values():
            self._events += events
        self._events.sort()


def feed_row(event: Event) -> dict[str, Any]:
    """One element of ``lastChangeStatuses``: the state at the time of the event, which may be older than the detail."""
    line, at = event.line, event.at
    row: dict[str, Any] = {
        "orderId": render.order_id(event.order),
        "productOrderId": event.line_id,
        "lastChangedType": event.change,
        "lastChangedDate": render.stamp(datetime.fromtimestamp(event.shown_ms / 1000, UTC)),
        "productOrderStatus": render.line_code(line, at),
        "receiverAddressChanged": False,
    }
    paid_at = render.paid_at(event.order, line, at)
    if paid_at is not None:
        row["paymentDate"] = render.stamp(paid_at)
    claims = render.claims_shown(line, at)
    if claims:
        row["claimType"] = render.CLAIM_TYPES[claims[-1].kind]
        row["claimStatus"] = render.claim_code(claims[-1], at)
    elif line.number % 3 == 0:
        row["claimType"] = row["claimStatus"] = None
    return row
