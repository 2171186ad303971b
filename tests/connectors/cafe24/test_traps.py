"""Traps of this mall that once cost somebody an order, a token or a night; each has its test by name."""

import json
from datetime import timedelta

import httpx
import pytest

from connectors.cafe24.auth import TOKEN_NAME
from hub.core.contract import Span
from hub.core.errors import AccessError
from hub.core.model import LineStatus, Order
from tests.connectors.cafe24.mall import NOW, Mall, Secrets, item, order
from tests.connectors.cafe24.test_orders import SPAN, collect, keys, number

ORDER = "20261118-0000021"


class DyingSecrets(Secrets):
    """The process dies while it saves, after the mall has already answered."""

    is_dying = True

    async def put(self, name: str, value: str) -> None:
        if self.is_dying:
            raise KeyboardInterrupt
        await super().put(name, value)


async def test_a_crash_between_answer_and_save_uses_nothing_unsaved_and_then_names_the_person() -> None:
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", {"order": order()})
    mall.secrets = dying = DyingSecrets()

    with pytest.raises(KeyboardInterrupt):
        await mall.open().read_order(ORDER, ())
    dying.is_dying = False
    with pytest.raises(AccessError) as caught:
        await mall.open().read_order(ORDER, ())

    assert mall.asked(f"GET orders/{ORDER}") == []
    assert TOKEN_NAME not in dying.values
    assert "consent" in caught.value.message


async def test_an_order_of_the_second_at_which_two_windows_meet_comes_once() -> None:
    """The mall's dates include both ends."""
    span = Span(since=SPAN.until - timedelta(days=200), until=SPAN.until)
    probe = Mall()
    probe.on("GET orders", {"orders": []})
    await collect(probe, span)
    border = probe.asked("GET orders")[0].url.params["end_date"]
    mall = Mall()
    asked_for = []

    def answer(request: httpx.Request) -> httpx.Response:
        is_inside = request.url.params["start_date"] <= border <= request.url.params["end_date"]
        asked_for.append(is_inside)
        return httpx.Response(200, json={"orders": [order(order_date=border)] if is_inside else []})

    mall.on("GET orders", answer)

    pages = await collect(mall, span)

    assert sum(asked_for) >= 2
    assert keys(pages) == [ORDER]


@pytest.mark.parametrize("none", [None, "", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00+09:00"])
async def test_the_words_for_no_date_are_no_date_and_no_claim(none: object) -> None:
    dates = dict.fromkeys(("shipped_date", "cancel_request_date", "return_request_date", "refund_date"), none)
    mall = Mall()
    mall.on("GET orders", {"orders": [order(payment_date=none, items=[item(**dates)])]})

    (reading,) = (await collect(mall))[0].readings

    assert isinstance(reading.record, Order)
    assert reading.record.paid_at is None
    assert reading.record.lines[0].shipment is None
    assert reading.record.claims == ()


async def test_the_state_stands_on_the_item_whatever_the_order_says() -> None:
    mall = Mall()
    items = [item(number=1, order_status="N30"), item(number=2, order_status="C40"), item(number=3, order_status="N10")]
    mall.on("GET orders", {"orders": [order(items=items, canceled="M", shipping_status="M", paid="T")]})

    (reading,) = (await collect(mall))[0].readings

    assert isinstance(reading.record, Order)
    assert [line.status for line in reading.record.lines] == [
        LineStatus.DISPATCHED,
        LineStatus.CANCELLED,
        LineStatus.PREPARING,
    ]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "가" * 3_500_000], ids=["script", "10 MB"])
async def test_hostile_names_are_kept_as_text_beside_their_neighbours(text: str) -> None:
    mall = Mall()
    hostile = order(buyer={"name": text}, items=[item(product_name=text)])
    mall.on("GET orders", {"orders": [order(number(1)), hostile, order(number(3))]})

    readings = (await collect(mall))[0].readings

    records = [reading.record for reading in readings]
    assert isinstance(records[1], Order)
    assert records[1].buyer is not None
    assert (records[1].buyer.name, records[1].lines[0].product.name) == (text, text)
    assert [reading.error for reading in readings] == [None, None, None]
    assert json.loads(readings[1].raw)["buyer"]["name"] == text


async def test_another_clock_than_the_malls_does_not_age_the_token() -> None:
    """``expires_at`` without an offset is Korean; read as UTC the token would seem to live nine hours longer."""
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", {"order": order()})
    connector = mall.open()
    await connector.read_order(ORDER, ())
    mall.clock.now = NOW + timedelta(hours=2, minutes=1)

    await connector.read_order(ORDER, ())

    assert mall.refreshes == 2
