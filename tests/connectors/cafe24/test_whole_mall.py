"""The connector against the emulated mall: after a full run it knows what is true there."""

from datetime import timedelta

import httpx
import pytest

from connectors.cafe24 import MANIFEST
from connectors.cafe24.sandbox import build
from hub.core.contract import OpenKeys, ReadsInquiries, ReadsOrders, ShopContext, Span
from hub.core.model import Inquiry, Order, ShopRef
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.world import make_world
from tests.connectors.cafe24.mall import Clock, Secrets


class Shop:
    def __init__(self, clock: Clock) -> None:
        world = make_world(orders=600, days=90, now=clock)
        self.clock = clock
        self.mall: SandboxMall = build(world, shop="main-cafe24", options=SandboxOptions())
        table = self.mall.shop_table("http://127.0.0.1:9101")
        self.connector = MANIFEST.open(
            ShopContext(
                shop=ShopRef(name="main-cafe24", mall="cafe24"),
                base_url=table["base_url"],
                credentials=table["credentials"],
                secrets=Secrets(),
                now=clock,
                sleep=clock.sleep,
                transport=httpx.ASGITransport(self.mall.app),
            )
        )
        self.orders: dict[str, Order] = {}
        self.inquiries: dict[str, Inquiry] = {}

    async def run(self, span: Span) -> None:
        assert isinstance(self.connector, ReadsOrders)
        assert isinstance(self.connector, ReadsInquiries)
        open_keys = OpenKeys(
            orders=tuple((order.order_no, ()) for order in self.orders.values()),
            inquiries=tuple(sorted(self.inquiries)),
        )
        for feed in (self.connector.read_orders, self.connector.read_inquiries):
            async for page in feed(span, open_keys=open_keys, cursor=None):
                for reading in page.readings:
                    assert reading.error is None
                    if isinstance(reading.record, Order):
                        self.orders[reading.key] = reading.record
                    elif isinstance(reading.record, Inquiry):
                        self.inquiries[reading.key] = reading.record

    def check(self) -> None:
        truth = self.mall.truth()
        lines = {line.line_no: line for order in self.orders.values() for line in order.lines}
        claims = {
            (claim.line_no, claim.kind.value, claim.requested_at): claim
            for order in self.orders.values()
            for claim in order.claims
        }
        assert {no: (line.status.value, line.raw_status) for no, line in lines.items()} == {
            row["line_no"]: (row["status"], row["raw_status"]) for row in truth.lines
        }
        assert {key: (claim.state.value, claim.reason.value, claim.quantity) for key, claim in claims.items()} == {
            (row["line_no"], row["kind"], row["requested_at"]): (row["state"], row["reason"], row["quantity"])
            for row in truth.claims
        }
        assert {no: (found.state.value, found.text, found.answer) for no, found in self.inquiries.items()} == {
            row["inquiry_no"]: (row["state"], row["text"], row["answer"]) for row in truth.inquiries
        }


@pytest.fixture
def shop() -> Shop:
    return Shop(Clock())


async def test_a_full_run_and_the_changes_after_it_end_in_the_truth(shop: Shop) -> None:
    start = shop.clock.now
    await shop.run(Span(since=start - timedelta(days=92), until=start))
    shop.check()

    shop.clock.now += timedelta(hours=30)
    await shop.run(Span(since=start, until=shop.clock.now, is_full=False))

    shop.check()
    assert not shop.connector.unknown_codes
    await shop.connector.aclose()
