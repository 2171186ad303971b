"""One emulated shop in this process, and everything between it and a connector that a rule may bend."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from hub.core.contract import Capability, Connector, OpenKeys, Page, Reading, ShopContext, Span
from hub.core.events import keep_events
from hub.core.inbox import MemoryInbox
from hub.core.model import Claim, Inquiry, Line, LineStatus, Order, ShopRef
from hub.sandbox.kit import Row, SandboxOptions
from hub.sandbox.world import ShopSpec, make_world
from tests.contract.subject import Subject

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
READERS = {
    Capability.READ_ORDERS: "read_orders",
    Capability.READ_CLAIMS: "read_claims",
    Capability.READ_INQUIRIES: "read_inquiries",
}
_ENDED = {LineStatus.PURCHASE_CONFIRMED, LineStatus.CANCELLED, LineStatus.RETURNED, LineStatus.EXCHANGED}


class Clock:
    """The hub's time runs while it waits; the mall's stands still until :meth:`pass_time`.

    ``waited`` is all waiting so far in seconds: what the mall's limits count by. With ``is_one`` the
    mall's time runs along: for runs that wait so long that no mall would believe their clock.
    """

    def __init__(self) -> None:
        self.hub_time = START
        self.mall_time = START
        self.waited = 0.0
        self.is_one = False

    def now(self) -> datetime:
        return self.hub_time

    def mall_now(self) -> datetime:
        return self.hub_time if self.is_one else self.mall_time

    async def sleep(self, seconds: float) -> None:
        self.hub_time += timedelta(seconds=seconds)
        self.waited += seconds
        await asyncio.sleep(0)

    def pass_time(self, span: timedelta) -> None:
        self.mall_time = self.mall_now() + span
        self.hub_time = self.mall_time
        self.waited += span.total_seconds()

    def meet(self) -> None:
        """The hub's clock goes back to the mall's: the next run starts at the moment at which the mall stands."""
        self.hub_time = self.mall_now()


class Secrets:
    """The shop's secret store; ``puts`` counts what was saved."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.puts = 0
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> str | None:
        await asyncio.sleep(0)
        return self.values.get(name)

    async def put(self, name: str, value: str) -> None:
        await asyncio.sleep(0)
        self.puts += 1
        self.values[name] = value

    def lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    def texts(self) -> set[str]:
        """Every text of some length in what is stored: tokens, keys."""
        return {text for value in self.values.values() for text in _texts(value) if len(text) >= 8}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        try:
            inner = msgspec.json.decode(value)
        except msgspec.DecodeError:
            inner = value
        if isinstance(inner, dict | list):
            yield from _texts(inner)
        else:
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


@dataclass(slots=True)
class Call:
    """One request as it went over the wire. ``acted``: the mall's truth was another one afterwards."""

    method: str
    url: str
    path: str
    body: bytes
    at: datetime
    status: int = 0
    acted: bool = False

    @property
    def request(self) -> tuple[str, str, bytes]:
        return self.method, self.url, self.body


@dataclass(slots=True)
class Wire(httpx.AsyncBaseTransport):
    """``before`` may answer or raise instead of the mall, ``after`` may replace its answer or lose it.

    A text in ``revoked`` is not let through in any header: the mall refuses such a token in its own way.
    """

    street: "Street"
    inner: httpx.AsyncBaseTransport
    calls: list[Call] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    is_watched: bool = False
    before: Callable[[Call], httpx.Response | None] = lambda _: None
    after: Callable[[Call, httpx.Response], httpx.Response] = lambda _, response: response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        call = Call(request.method, str(request.url), request.url.path, body, self.street.clock.now())
        self.calls.append(call)
        await asyncio.sleep(0)
        response = self.before(call)
        if response is None:
            for name, value in request.headers.items():
                for token in self.revoked:
                    if token in value:
                        request.headers[name] = value.replace(token, "revoked-" + token[8:])
            truth = repr(self.street.mall.truth()) if self.is_watched else ""
            answer = await self.inner.handle_async_request(request)
            content = await answer.aread()
            call.acted = self.is_watched and repr(self.street.mall.truth()) != truth
            response = remade(answer, content)
            call.status = response.status_code
            response = self.after(call, response)
        call.status = response.status_code
        return response


def remade(answer: httpx.Response, content: bytes) -> httpx.Response:
    """The same answer with another body."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name.lower() != "content-length"]
    return httpx.Response(answer.status_code, headers=headers, content=content)


def html(status: int) -> httpx.Response:
    return httpx.Response(
        status, headers={"content-type": "text/html"}, content=b"<!DOCTYPE html><html><body>Maintenance</body></html>"
    )


class Street:
    """A World with one shop of the subject's mall. ``visible``: only so many orders were placed by now."""

    def __init__(
        self,
        subject: Subject,
        *,
        orders: int = 30,
        days: int = 20,
        seed: int = 5,
        shop: str = "first",
        visible: int | None = None,
        has_limits: bool = False,
    ) -> None:
        self.subject = subject
        self.shop = shop
        self._days = days
        self.clock = Clock()
        spec = ShopSpec(name=shop, mall=subject.manifest.mall, share=1.0, country=subject.manifest.country)
        self.world = make_world(seed=seed, orders=orders, days=days, now=self.clock.mall_now, shops=(spec,))
        if visible is not None:
            placed = [order.ordered_at for order in self.world.orders(shop)]
            self.clock.mall_time = placed[visible - 1] if visible else placed[0] - timedelta(days=1)
            self.clock.hub_time = self.clock.mall_time + timedelta(seconds=1)
        options = SandboxOptions(enforce_limits=has_limits, clock=lambda: self.clock.waited)
        self.mall = subject.build(self.world, shop=shop, options=options)
        self.secrets = Secrets()
        self.inbox = MemoryInbox()
        self.wire = Wire(self, httpx.ASGITransport(self.mall.app))
        self.table: Row = self.mall.shop_table("http://127.0.0.1:9")

    def context(self, *, credentials: dict[str, Any] | None = None, secrets: Secrets | None = None) -> ShopContext:
        return ShopContext(
            shop=ShopRef(name=self.shop, mall=self.subject.manifest.mall),
            base_url=self.table["base_url"],
            credentials=credentials or self.table["credentials"],
            secrets=secrets or self.secrets,
            now=self.clock.now,
            sleep=self.clock.sleep,
            transport=self.wire,
            inbox=self.inbox,
        )

    @asynccontextmanager
    async def open(
        self, *, credentials: dict[str, Any] | None = None, secrets: Secrets | None = None
    ) -> AsyncIterator[Any]:
        self.clock.meet()
        if hasattr(self.mall, "hand_in"):
            # Files stay for good: what a rule has spoilt must not outlive its trial.
            self.inbox = MemoryInbox()
        connector: Connector = self.subject.manifest.open(self.context(credentials=credentials, secrets=secrets))
        try:
            yield connector
        finally:
            await connector.aclose()

    def span(self, *, since: datetime | None = None) -> Span:
        """All of the World, or what changed since ``since``."""
        start = START - timedelta(days=self._days + 2)
        return Span(since=since or start, until=self.clock.now(), is_full=since is None)

    def feeds(self) -> list[Capability]:
        return [capability for capability in READERS if self.subject.can(capability)]

    async def read(self, connector: Any, *, since: datetime | None = None, keys: OpenKeys | None = None) -> "Book":
        """One run over every feed."""
        book = Book()
        for capability in self.feeds():
            book.take(await self.pages(connector, capability, since=since, keys=keys))
        return book

    async def pages(
        self,
        connector: Any,
        capability: Capability,
        *,
        since: datetime | None = None,
        keys: OpenKeys | None = None,
        cursor: str | None = None,
        span: Span | None = None,
    ) -> list[Page]:
        await self.deliver(connector)
        reader = getattr(connector, READERS[capability])
        return [
            page async for page in reader(span or self.span(since=since), open_keys=keys or OpenKeys(), cursor=cursor)
        ]

    async def deliver(self, connector: Any) -> None:
        """Hand over what the mall has sent by itself since the last time, as the hub's own address does.

        An emulated mall that sends webhooks has ``deliveries()``: hub.core.events.Delivery, each told once.
        One whose only way out is a file has ``hand_in()``; its rows pass the wire as those of an answer do.
        """
        if (hand_in := getattr(self.mall, "hand_in", None)) is not None:
            await hand_in(connector, at=self.clock.now(), change=self._rows_on_the_way)
        sent = getattr(self.mall, "deliveries", None)
        if sent is None or not self.subject.can(Capability.RECEIVE_EVENTS):
            return
        for delivery in sent():
            await keep_events(self.inbox, connector.receive_events(delivery), at=delivery.received_at)

    def _rows_on_the_way(self, name: str, rows: list[Row]) -> list[Any]:
        call = Call("FILE", name, name, b"", self.clock.now())
        response = self.wire.after(call, httpx.Response(200, json={"rows": rows}))
        changed: list[Any] = msgspec.json.decode(response.content)["rows"]
        return changed

    async def read_new(self, **run: Any) -> "Book":
        """One run by a connector of its own."""
        async with self.open() as connector:
            return await self.read(connector, **run)


class Book:
    """What a hub would know after some pages: the newest reading of each record."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.lines: dict[str, Line] = {}
        self.claims: dict[str, Claim] = {}
        self.inquiries: dict[str, Inquiry] = {}
        self.readings: list[Reading] = []
        self.pages: list[Page] = []
        self.order_of: dict[str, Order] = {}

    def take(self, pages: Sequence[Page]) -> None:
        self.pages += pages
        self.take_readings(reading for page in pages for reading in page.readings)

    def take_readings(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            self.readings.append(reading)
            record = reading.record
            if isinstance(record, Order):
                self.orders[record.order_no] = record
                for line in record.lines:
                    self.lines[line.line_no] = line
                    self.order_of[line.line_no] = record
                self.claims.update((claim.claim_key, claim) for claim in record.claims)
            elif isinstance(record, Claim):
                self.claims[record.claim_key] = record
            elif isinstance(record, Inquiry):
                self.inquiries[record.inquiry_no] = record

    @property
    def errors(self) -> list[Reading]:
        return [reading for reading in self.readings if reading.record is None]

    def records(self) -> dict[tuple[str, str], Any]:
        """Every readable record by kind and key."""
        return {
            (type(reading.record).__name__, reading.key): reading.record
            for reading in self.readings
            if reading.record is not None
        }

    def open_keys(self) -> OpenKeys:
        """What the hub would read again: lines that may still move and every question it knows."""
        moving: dict[str, list[str]] = {}
        for line_no, line in self.lines.items():
            if line.status not in _ENDED:
                moving.setdefault(self.order_of[line_no].order_no, []).append(line_no)
        orders = tuple((order_no, tuple(line_nos)) for order_no, line_nos in moving.items())
        return OpenKeys(orders=orders, inquiries=tuple(self.inquiries))
