"""Reading orders: windows over kinds of date, the offset wall, rows that move while paging."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from connectors.cafe24 import documented
from connectors.cafe24.claim_mapping import missing_claims
from connectors.cafe24.client import ID_LIMIT, ORDER_LIMIT, ORDER_WALL, Cafe24Client
from connectors.cafe24.decoding import best_key, decode
from connectors.cafe24.listing import SHORTEST
from connectors.cafe24.mapping import map_order
from connectors.cafe24.payload import RESOURCE, add_claim, order_key, order_payload
from connectors.cafe24.refund_feed import RefundFeed
from connectors.cafe24.values import shop_front
from connectors.cafe24.vocabulary import CHANGE_DATES
from connectors.cafe24.wire import OrderWire, order_decoder
from hub.core.contract import OpenKeys, Page, Reading, Span
from hub.core.errors import MalformedResponseError, NotFoundAtMallError, RejectedByMallError
from hub.core.model import ClaimKind
from hub.core.paging import Window, decode_cursor, encode_cursor, windows
from hub.core.scratch import Marks
from hub.core.wire_watch import WireWatch

#: less than 3 months a call; the shortest three months have 89 days (confidence: sure)
LONGEST = timedelta(days=85)
#: the mall filters by whole seconds and its clock is not ours
OVERLAP = timedelta(minutes=10)
#: how often a window is read when rows moved under the reader
TURNS = 3
#: rows read twice at each page break: one that left the list meanwhile pulls the rest up
PAGE_OVERLAP = 10


class Place(Struct, frozen=True, kw_only=True):
    """Where a run stands: what the next call reads. It is the cursor.

    ``step`` counts the (shop number, kind of date) pairs, then the shop numbers of open orders.
    ``pending`` are the windows of the step still to read (none: not cut yet), the first from
    ``offset`` on; ``found`` is how many different orders it gave so far, ``turn`` which reading of it
    this is. ``reread`` is the last open order number that was read again.
    """

    step: int = 0
    pending: tuple[tuple[datetime, datetime], ...] = ()
    offset: int = 0
    found: int = 0
    turn: int = 1
    reread: str = ""

    def next_window(self) -> "Place":
        rest = self.pending[1:]
        return Place(step=self.step if rest else self.step + 1, pending=rest)


class OrderFeed:
    """Every order of a span, or every one that may have changed since.

    Full: by order date. Changes: there is no filter by change, so every kind of date that has one
    (10 minutes of overlap), and what no date shows by re-reading the open orders and those with a refund.
    Source: Cafe24 Admin API, version 2026-03-01, GET /orders; confidence: sure for the filters.
    """

    def __init__(self, client: Cafe24Client, *, shop_nos: Sequence[int], codes: Counter[str]) -> None:
        self._client = client
        self._shop_nos = shop_nos
        self._codes = codes
        self._watch = WireWatch(codes)
        self._refunds = RefundFeed(client, shop_nos=shop_nos, codes=codes)

    async def read(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        place = decode_cursor(cursor, Place) or Place()
        kinds = CHANGE_DATES[:1] if span.is_full else CHANGE_DATES
        steps = [(shop_no, kind) for shop_no in self._shop_nos for kind in kinds]
        with Marks() as given:
            run = _Run(span=span, steps=len(steps) + 1, given=given, shop_nos=self._shop_nos)
            while place.step < len(steps):
                if not place.pending:
                    place = msgspec.structs.replace(place, pending=_cut(span))
                shop_no, date_type = steps[place.step]
                readings, place = await self._next_page(place, shop_no, date_type, run)
                yield run.page(readings, place)
            again = {number for number, _ in open_keys.orders}
            if not span.is_full:
                again |= await self._refunds.orders(_cut(span))
            async for page in self._reread(again, place, run):
                yield page

    async def read_each(self, order_no: str) -> list[tuple[Reading, OrderWire | None]]:
        """One order, looked for in every shop number; each with its wire record when it could be read.

        A line is known by shop number and code (confidence: sure), so several shop numbers may have an order
        of this number. Raises: NotFoundAtMallError when none has it.
        """
        found: dict[str, tuple[Reading, OrderWire | None]] = {}
        rows: set[bytes] = set()
        for shop_no in self._shop_nos:
            try:
                row = await self._client.order(shop_no=shop_no, order_no=order_no)
            except NotFoundAtMallError:
                continue  # an order of another shop number looks the same as none (confidence: guess)
            if row not in rows:
                rows.add(row)
                reading, wire = await self._reading(row, shop_no)
                found.setdefault(reading.key, (reading, wire))
        if not found:
            raise NotFoundAtMallError("no shop number of this mall has the order", operation="orders")
        return list(found.values())

    async def _next_page(self, place: Place, shop_no: int, date_type: str, run: "_Run") -> tuple[list[Reading], Place]:
        since, until = place.pending[0]
        page = await self._client.orders(
            shop_no=shop_no, date_type=date_type, since=since, until=until, offset=place.offset
        )
        readings = await self._readings(page.rows, shop_no)
        found, moves_on = run.found_in_window(place, readings)
        fresh = run.unseen(readings)
        looks_full = len(page.rows) >= ORDER_LIMIT or page.has_next
        after = _next_offset(place, readings, len(page.rows), found)
        may_follow = moves_on and after.offset <= ORDER_WALL
        if may_follow and looks_full and place.offset > 0:
            return fresh, after
        is_one_page = place.offset == 0 and place.turn == 1 and not looks_full
        if is_one_page and (not page.rows or not (run.is_full or len(page.rows) * 2 >= ORDER_LIMIT)):
            return fresh, place.next_window()  # a small list of changes: nothing could move between pages
        total = await self._client.count_orders(shop_no=shop_no, date_type=date_type, since=since, until=until)
        is_left = bool(page.rows) and _passed(place, readings) < total
        if is_left and total > ORDER_WALL and until - since > SHORTEST:
            halves = Window(since=since, until=until).halves()
            cut = tuple((half.since, half.until) for half in halves)
            return fresh, Place(step=place.step, pending=cut + place.pending[1:])
        if (is_left or looks_full) and may_follow:
            return fresh, after  # after a full page in any case: a row that left may have pulled one up to the next
        if found >= total:
            return fresh, place.next_window()
        if place.turn < TURNS and total <= ORDER_WALL:
            return fresh, msgspec.structs.replace(place, offset=0, found=0, turn=place.turn + 1)
        fresh.append(_short(shop_no, date_type, since, until, found=found, total=total))
        return fresh, place.next_window()

    async def _reread(self, again: set[str], place: Place, run: "_Run") -> AsyncIterator[Page]:
        """Open and refunded orders by number: holds, refused and withdrawn requests, refunds move no date.

        An order that is not returned is not concluded to be gone.
        """
        numbers = run.not_given(number for number in again if number > place.reread)
        for start in range(0, len(numbers), ID_LIMIT):
            batch = numbers[start : start + ID_LIMIT]
            readings: list[Reading] = []
            for shop_no in self._shop_nos:
                page = await self._client.orders_by_number(shop_no=shop_no, order_nos=batch)
                readings += run.unseen(await self._readings(page.rows, shop_no))
            after = Place(step=run.steps - 1, reread=batch[-1])
            yield run.page(readings, after, share=(start + len(batch)) / len(numbers))

    async def _readings(self, rows: Sequence[bytes], shop_no: int) -> list[Reading]:
        return [(await self._reading(row, shop_no))[0] for row in rows]

    async def _reading(self, row: bytes, shop_no: int) -> tuple[Reading, OrderWire | None]:
        """What one row became; a row that cannot be read is reported alone."""
        self._watch.look(row, shape=OrderWire, where="order", known=documented.ORDER)
        raw = row
        try:
            wire = decode(order_decoder, row)
            missing = missing_claims(wire)
            if missing or wire.shop_no is None:
                wire.shop_no = shop_no if wire.shop_no is None else wire.shop_no
                fetched = [(kind, claim) async for kind, claim in self._claims(missing, shop_no)]
                raw = order_payload(row, shop_no=shop_no, claims=fetched)
                for kind, claim in fetched:
                    add_claim(wire, kind, claim)
            record = map_order(wire, codes=self._codes)
        except MalformedResponseError as error:
            told = best_key(row, "shop_no")
            front = shop_front(told if told.isdecimal() else shop_no)
            key = f"{front}{best_key(row, 'order_id')}"
            return Reading(key=key, raw=raw, error=str(error)), None
        return Reading(key=order_key(record), raw=raw, record=record), wire

    async def _claims(
        self, missing: Iterable[tuple[ClaimKind, str]], shop_no: int
    ) -> AsyncIterator[tuple[ClaimKind, bytes]]:
        """Claims that an order only names; it stays incomplete when there is none."""
        for kind, claim_code in missing:
            try:
                row = await self._client.claim(shop_no=shop_no, resource=RESOURCE[kind], claim_code=claim_code)
            except NotFoundAtMallError:
                continue
            except RejectedByMallError as error:
                self._codes[f"claim not read:{error.status}"] += 1
                continue
            yield kind, row


class _Run:
    """What one process remembers of its run: orders ``given`` out, orders of the window being read."""

    def __init__(self, *, span: Span, steps: int, given: Marks, shop_nos: Sequence[int]) -> None:
        self.steps = steps
        self.is_full = span.is_full
        self._given = given
        self._fronts = [shop_front(shop_no) for shop_no in shop_nos]
        self._seconds = max(1.0, (span.until - span.since).total_seconds())
        self._window: set[str] = set()
        self._turn: set[str] = set()
        self._before = 0

    def found_in_window(self, place: Place, readings: list[Reading]) -> tuple[int, bool]:
        """How many different orders the window gave, this page included, and whether the page moved the reader on.

        A page that holds nothing but what this turn has shown already never ends by going on.
        """
        if place.offset == 0:
            self._before = 0
            self._turn = set()
            if place.turn == 1:
                self._window = set()
        elif not self._window:
            self._before = place.found  # continued by another process: those it found are not these
        keys = {reading.key for reading in readings}
        moves_on = not keys <= self._turn
        self._turn |= keys
        self._window |= keys
        return self._before + len(self._window), moves_on

    def unseen(self, readings: list[Reading]) -> list[Reading]:
        """Without the orders that this run has given out already, in other windows or by other dates."""
        by_mark = {_mark(reading.key, is_read=reading.record is not None): reading for reading in readings}
        fresh = self._given.add(by_mark)
        return [reading for mark, reading in by_mark.items() if mark in fresh]

    def not_given(self, numbers: Iterable[str]) -> list[str]:
        """Those of ``numbers`` that this run has given out in no shop number, in their order."""
        wanted = set(numbers)
        by_mark = {_mark(f"{front}{number}"): number for number in wanted for front in self._fronts}
        lacking = self._given.lacks(by_mark)
        return sorted(wanted - {number for mark, number in by_mark.items() if mark not in lacking})

    def page(self, readings: list[Reading], place: Place, *, share: float = 0.0) -> Page:
        left = sum((until - since).total_seconds() for since, until in place.pending)
        inside = max(0.0, 1 - left / self._seconds) if place.pending else share
        progress = min(1.0, (place.step + inside) / self.steps)
        return Page(readings=tuple(readings), cursor=encode_cursor(place), progress=progress)


def _mark(key: str, *, is_read: bool = True) -> int:
    """One that could not be read is met again where it is asked for by its number."""
    return hash((is_read, key))


def _passed(place: Place, readings: Sequence[Reading]) -> int:
    """How far the list is read; rows that the mall shows twice on one page do not count as rows passed."""
    return place.offset + len({reading.key for reading in readings})


def _next_offset(place: Place, readings: Sequence[Reading], rows: int, found: int) -> Place:
    """Where the next page begins: a full page is followed by one that shows its last rows again."""
    again = min(PAGE_OVERLAP, ORDER_LIMIT // 10) if rows >= ORDER_LIMIT else 0
    return msgspec.structs.replace(place, offset=_passed(place, readings) - again, found=found - again)


def _cut(span: Span) -> tuple[tuple[datetime, datetime], ...]:
    """The windows of a span; both ends belong to the mall's windows, so neighbours share a second."""
    since = span.since.replace(microsecond=0) - (timedelta() if span.is_full else OVERLAP)
    until = span.until.replace(microsecond=0) + timedelta(seconds=1)
    cut = windows(since, max(until, since + timedelta(seconds=1)), longest=LONGEST)
    return tuple((window.since, window.until) for window in cut)


def _short(shop_no: int, date_type: str, since: datetime, until: datetime, *, found: int, total: int) -> Reading:
    """The mall counts more orders than it lists: said aloud instead of passing as complete."""
    where = f"shop_no {shop_no}, {date_type} {since.isoformat()} to {until.isoformat()}"
    return Reading(
        key=f"window:{shop_no}:{date_type}:{since.isoformat()}",
        raw=b"{}",
        error=f"the mall counts {total} orders but listed {found} in {TURNS} readings ({where})",
    )
