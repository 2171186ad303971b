"""The writes and the goods against the emulated mall: what an agent does becomes true there."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest

from connectors.qoo10 import MANIFEST
from connectors.qoo10.connector import Qoo10Connector
from connectors.qoo10.sandbox import Qoo10, build
from connectors.qoo10.sandbox_goods import status_of, stock_of
from connectors.qoo10.sandbox_render import is_reserved, item_no, midnight, order_no
from hub.core.contract import LineAction, OpenKeys, Outcome, ShopContext, Span
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, LineStatus, Order, ShopRef
from hub.sandbox.facts import LineFact
from hub.sandbox.kit import Row, SandboxOptions
from hub.sandbox.world import World, make_world
from tests.connectors.qoo10.conftest import Clock, Secrets

SHOP = "main-qoo10"


class Shop:
    def __init__(self) -> None:
        self.clock = Clock()
        self.world: World = make_world(now=self.clock, orders=800, days=20)
        self.mall: Qoo10 = build(self.world, shop=SHOP, options=SandboxOptions(enforce_limits=False))
        table = self.mall.shop_table("http://127.0.0.1:9")
        connector = MANIFEST.open(
            ShopContext(
                shop=ShopRef(name=SHOP, mall="qoo10"),
                base_url=table["base_url"],
                credentials=table["credentials"],
                secrets=Secrets(),
                now=self.clock,
                sleep=self.clock.sleep,
                transport=httpx.ASGITransport(app=self.mall.app),
            )
        )
        assert isinstance(connector, Qoo10Connector)
        self.connector = connector

    def pick(self, status: LineStatus) -> LineFact:
        for order in self.world.orders(SHOP):
            for line in order.lines:
                if line.status(self.clock.at) is status and not line.claims:
                    return line
        pytest.fail("the World holds no such line")

    async def action(self, fact: LineFact, **fields: object) -> LineAction:
        (reading,) = await self.connector.read_order("", (str(order_no(fact)),))
        order = reading.record
        assert isinstance(order, Order)
        claim: Claim | None = order.claims[0] if order.claims else None
        return LineAction(order_no=order.order_no, line=order.lines[0], claim=claim, **fields)

    def line_row(self, fact: LineFact) -> Row:
        return next(row for row in self.mall.truth().lines if row["line_no"] == str(order_no(fact)))

    def claim_states(self, fact: LineFact) -> list[str]:
        return [row["raw_state"] for row in self.mall.truth().claims if row["line_no"] == str(order_no(fact))]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    yield made
    await made.connector.aclose()


async def test_reserved_goods_are_told_from_others_with_their_day(shop: Shop):
    span = Span(since=shop.clock.at - timedelta(days=21), until=shop.clock.at, is_full=True)
    facts = {str(order_no(line)): (order, line) for order in shop.world.orders(SHOP) for line in order.lines}
    read = [reading async for page in shop.connector.read_orders(span, open_keys=OpenKeys(), cursor=None)
            for reading in page.readings]  # fmt: skip

    assert {is_reserved(facts[reading.key][1].item) for reading in read} == {True, False}
    for reading in read:
        (line,), (order, fact) = reading.record.lines, facts[reading.key]
        assert line.is_reserved == is_reserved(fact.item)
        assert line.sendable_from == (midnight(order.ordered_at + timedelta(days=5)) if line.is_reserved else None)


async def test_an_order_is_confirmed_put_off_and_sent(shop: Shop):
    fact, do = shop.pick(LineStatus.PAID), shop.connector

    confirmed = await do.confirm(await shop.action(fact, ship_on=date(2026, 11, 24)))
    put_off = await do.delay(
        await shop.action(fact, ship_on=date(2026, 11, 27), reason=ClaimReason.LATE, text="入荷待ち")
    )
    planned = shop.line_row(fact)["planned_ship_at"]
    sent = await do.dispatch(await shop.action(fact, carrier="佐川急便", tracking_no="500000000001"))
    again = await do.dispatch(await shop.action(fact, carrier="佐川急便", tracking_no="500000000001"))

    assert [result.outcome for result in (confirmed, put_off, sent, again)] == [Outcome.DONE] * 4
    assert planned.isoformat() == "2026-11-26T15:00:00+00:00"
    row = shop.line_row(fact)
    assert (row["status"], row["carrier"], row["tracking_no"]) == ("dispatched", "佐川急便", "500000000001")
    assert shop.mall.calls["ShippingBasic.SetSendingInfo"] == 1


async def test_an_order_is_cancelled_for_the_sellers_reason_only(shop: Shop):
    fact = shop.pick(LineStatus.PREPARING)

    result = await shop.connector.seller_cancel(await shop.action(fact, reason=ClaimReason.OUT_OF_STOCK))

    assert (result.outcome, shop.claim_states(fact)) == (Outcome.DONE, ["3"])
    assert shop.line_row(fact)["status"] == "cancelled"


async def test_a_parcel_does_not_overrun_a_cancel_request(shop: Shop):
    fact = shop.pick(LineStatus.PREPARING)
    shop.world.request_claim(fact, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "不要になりました")

    sent = await shop.connector.dispatch(await shop.action(fact, carrier="佐川急便", tracking_no="5"))
    cancelled = await shop.connector.seller_cancel(await shop.action(fact, reason=ClaimReason.OUT_OF_STOCK))

    assert (sent.outcome, cancelled.outcome) == (Outcome.REFUSED, Outcome.REFUSED)
    assert shop.claim_states(fact) == ["1"]
    assert not {"ShippingBasic.SetSendingInfo", "Claim.SetCancelProcess"} & set(shop.mall.calls)


async def test_an_exchange_is_accepted_and_sent_again(shop: Shop):
    fact = shop.pick(LineStatus.DELIVERED)
    shop.world.request_claim(fact, ClaimKind.EXCHANGE, ClaimReason.DEFECT, "壊れています")

    accepted = await shop.connector.accept_exchange(await shop.action(fact))
    resent = await shop.connector.redeliver_exchange(
        await shop.action(fact, carrier="ヤマト宅急便", tracking_no="600000000001")
    )

    assert (accepted.outcome, resent.outcome, shop.claim_states(fact)) == (Outcome.DONE, Outcome.DONE, ["13"])
    claim = resent.readings[0].record.claims[0]
    assert (claim.kind, claim.state) == (ClaimKind.EXCHANGE, ClaimState.RESHIPPING)
    assert fact.claims[-1].reship_tracking_no == "600000000001"


async def test_every_item_is_read_with_its_stock(shop: Shop):
    pages = [page async for page in shop.connector.read_catalogue(cursor=None)]

    found = {
        (each.record.product_code, each.record.option_code): (
            each.record.name,
            each.record.seller_sku,
            each.record.on_hand,
            each.record.hints[0].value,
        )
        for page in pages
        for each in page.readings
    }
    assert found == {
        (item_no(item), item.option_sku if item.option else None): (
            item.name,
            item.sku,
            stock_of(item),
            status_of(item),
        )
        for item in shop.world.goods(SHOP)
    }
    assert {status_of(item) for item in shop.world.goods(SHOP)} >= {"S2", "S3"}
