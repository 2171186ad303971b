"""A whole emulated Cafe24 with a connector in front of it, and a wire between them that can lose answers."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from connectors.cafe24.connector import Cafe24Connector
from connectors.cafe24.sandbox import build
from connectors.cafe24.sandbox_orders import order_id
from hub.core.contract import LineAction, Outcome, ShopContext, WriteResult
from hub.core.model import ClaimKind, ClaimReason, ClaimState, LineStatus, Order, ShopRef
from hub.sandbox.facts import ClaimFact, LineFact, OrderFact
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import make_world
from tests.connectors.cafe24.mall import Secrets

SHOP = "main-cafe24"
NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = date(2026, 12, 24)
TRACKING = "600000000002"


class Town(httpx.AsyncBaseTransport):
    """``lose`` breaks the connection at writes: "before" the mall hears of them, or "after" it has acted."""

    def __init__(self) -> None:
        self.now = NOON
        self.world = make_world(now=lambda: self.now, orders=700, days=4, future_hours=1)
        self.mall = build(self.world, shop=SHOP, options=SandboxOptions(enforce_limits=False))
        self.lose: str | None = None
        self._waited = timedelta()
        self.writes: list[tuple[str, str, bytes]] = []
        self._inner = httpx.ASGITransport(self.mall.app)
        self.connector = self._open()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        is_write = request.method != "GET" and not request.url.path.endswith("/oauth/token")
        if is_write:
            self.writes.append((request.method, request.url.path, body))
            if self.lose == "before":
                raise httpx.ReadTimeout("no answer")
        response = await self._inner.handle_async_request(request)
        if is_write and self.lose == "after":
            await response.aread()
            raise httpx.ReadTimeout("no answer")
        return response

    def _open(self) -> Cafe24Connector:
        table = self.mall.shop_table("http://127.0.0.1:9101")
        return Cafe24Connector(
            ShopContext(
                shop=ShopRef(name=SHOP, mall="cafe24"),
                base_url=table["base_url"],
                credentials=table["credentials"],
                secrets=Secrets(),
                now=lambda: self.now + self._waited,
                sleep=self._sleep,
                transport=self,
            )
        )

    async def _sleep(self, seconds: float) -> None:
        """The hub's time runs while it waits, the mall's stands still."""
        self._waited += timedelta(seconds=seconds)

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)

    def line(
        self,
        status: LineStatus,
        *,
        quantity: int = 1,
        sub_shop: int = 2,
        payments: tuple[str, ...] = ("card", "cash", "point"),
        has_member: bool = True,
    ) -> "Spot":
        """A line of an order of the own mall without claims, its future cut off."""
        for order in reversed(self.world.orders(SHOP)):
            fits = order.sub_shop == sub_shop and order.payment in payments and order.number % 33 and order.number % 41
            if not fits or (order.buyer.member_id is not None) is not has_member:
                continue
            for line in order.lines:
                if (
                    line.status(self.now) is status
                    and not line.claims
                    and not line.is_held
                    and line.quantity >= quantity
                ):
                    return Spot(self, order, line)
        message = f"the World has no such line: {status}"
        raise AssertionError(message)


class Spot:
    """One line of the town, and what an agent does with it."""

    def __init__(self, town: Town, order: OrderFact, line: LineFact) -> None:
        self.town = town
        self.order = order
        self.line = line
        self.order_no = order_id(order)
        self.line_no = f"{self.order_no}-{order.lines.index(line) + 1:02d}"

    def claim(self, kind: ClaimKind, *states: ClaimState, quantity: int | None = None) -> ClaimFact:
        """A request of the customer, brought through ``states``."""
        world = self.town.world
        claim = world.request_claim(self.line, kind, ClaimReason.DEFECT, "불량이에요", quantity)
        for state in states:
            self.town.pass_time(minutes=1)
            world.move_claim(self.line, claim, state, "seller")
        self.town.pass_time(minutes=1)
        return claim

    async def read(self) -> Order:
        (reading,) = await self.town.connector.read_order(self.order_no, ())
        assert isinstance(reading.record, Order), reading.error
        return reading.record

    async def action(self, line_no: str | None = None, **fields: Any) -> LineAction:
        wanted = line_no or self.line_no
        order = await self.read()
        line = next(line for line in order.lines if line.line_no == wanted)
        claims = [claim for claim in order.claims if claim.line_no == wanted and claim.state.is_open]
        return LineAction(order_no=self.order_no, line=line, claim=claims[-1] if claims else None, **fields)

    async def act(self, write: str, line_no: str | None = None, **fields: Any) -> WriteResult:
        action = await self.action(line_no, **fields)
        self.town.writes.clear()
        return await getattr(self.town.connector, write)(action)

    def truth(self) -> dict[str, str]:
        """The mall's own status of every line of the order."""
        rows = self.town.mall.truth().lines
        return {row["line_no"]: row["raw_status"] for row in rows if row["order_no"] == self.order_no}


Prepare = Callable[[Town], Spot]


def shown(result: WriteResult, line_no: str) -> str:
    """The status of a line as the readings of a result show it."""
    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    return next(line.raw_status for line in reading.record.lines if line.line_no == line_no)


def outcome_of(result: WriteResult) -> tuple[Outcome, str | None]:
    (line,) = result.lines
    assert line.outcome is result.outcome
    return line.outcome, line.mall_message
