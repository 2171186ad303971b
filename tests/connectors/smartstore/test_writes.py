"""Every write against the emulated mall: done once and seen, lost and found, refused where the state forbids it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import pytest

from connectors.smartstore import MANIFEST, documented
from connectors.smartstore.sandbox import build
from connectors.smartstore.sandbox_feed import feed_row, unix_ms
from connectors.smartstore.sandbox_render import delivery_attribute, line_id, order_id
from connectors.smartstore.wire import DetailWire
from hub.core.contract import HoldReason, LineAction, Outcome, ShopContext, WriteResult
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, Line, LineStatus, Order, ShopRef
from hub.core.wire_watch import WireWatch
from hub.sandbox.facts import LineFact
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import make_world

from .conftest import Secrets

SHOP = "main-smartstore"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PARCEL = {"carrier": "KGB", "tracking_no": "600000000001"}
SENT = "/v1/pay-order/seller/product-orders/"


class Town:
    """The emulated mall, and everything between it and the connector that a test bends.

    ``loses``: the answer of every write is lost on its way back. ``swallows``: writes never arrive.
    """

    def __init__(self) -> None:
        self.at = NOW
        self.world = make_world(now=lambda: self.at, orders=900, days=20)
        self.mall = build(self.world, shop=SHOP, options=SandboxOptions(enforce_limits=False))
        self.writes: list[str] = []
        self.loses = False
        self.swallows = False
        self._inner = httpx.ASGITransport(app=self.mall.app)
        context = ShopContext(
            shop=ShopRef(name=SHOP, mall="smartstore"),
            base_url="http://127.0.0.1:9/external",
            credentials=self.mall.shop_table("http://127.0.0.1:9")["credentials"],
            secrets=Secrets(),
            now=lambda: self.at,
            sleep=self.wait,
            transport=httpx.MockTransport(self._pass),
        )
        self.connector: Any = MANIFEST.open(context)

    async def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def _pass(self, request: httpx.Request) -> httpx.Response:
        is_write = request.method != "GET" and not request.url.path.endswith(("/oauth2/token", "/query"))
        if is_write:
            self.writes.append(request.url.path.removeprefix("/external" + SENT).partition("/")[2])
            if self.swallows:
                raise httpx.ReadTimeout("no answer")
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        if is_write and self.loses:
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    # -- lines and claims to act on

    def line(self, status: LineStatus) -> LineFact:
        for order in reversed(self.world.orders(SHOP)):
            for line in order.lines:
                if line.plain_status(self.at) is status and not line.claims and line.quantity == 1:
                    return line
        pytest.fail(f"no line is {status}")

    def hoped(self, attribute: str, status: LineStatus = LineStatus.PREPARING) -> LineFact:
        """A line whose day of delivery the buyer chose."""
        for order in reversed(self.world.orders(SHOP)):
            for line in order.lines:
                is_free = line.plain_status(self.at) is status and not line.claims
                if is_free and delivery_attribute(line) == attribute:
                    return line
        pytest.fail(f"no line is {status} and {attribute}")

    def claimed(self, status: LineStatus, kind: ClaimKind, *states: ClaimState) -> LineFact:
        line = self.line(status)
        claim = self.world.request_claim(line, kind, ClaimReason.CHANGE_OF_MIND, "마음이 바뀌었어요")
        for state in states:
            self.at += timedelta(minutes=1)
            self.world.move_claim(line, claim, state, "seller")
        self.at += timedelta(minutes=1)
        return line

    async def seen(self, line: LineFact) -> tuple[str, Line, tuple[Claim, ...]]:
        order = self.world.order_of(line.number)
        (reading,) = await self.connector.read_order(order_id(order), (line_id(order, line),))
        assert isinstance(reading.record, Order)
        return reading.record.order_no, reading.record.lines[0], reading.record.claims

    async def act(self, what: str, line: LineFact, **fields: Any) -> WriteResult:
        order_no, seen, claims = await self.seen(line)
        kind = {"cancel": ClaimKind.CANCEL, "return": ClaimKind.RETURN, "exchange": ClaimKind.EXCHANGE}
        wanted = None if what in {"seller_cancel", "file_return"} else kind.get(what.rpartition("_")[2])
        claim = next((claim for claim in claims if claim.kind is wanted and claim.state.is_open), None)
        action = LineAction(order_no=order_no, line=seen, claim=claim, **fields)
        return await getattr(self.connector, what)(action)


@pytest.fixture
async def town():
    made = Town()
    yield made
    await made.connector.aclose()


def _paid(town: Town) -> LineFact:
    return town.line(LineStatus.PAID)


def _preparing(town: Town) -> LineFact:
    return town.line(LineStatus.PREPARING)


def _wished(town: Town) -> LineFact:
    return town.hoped("HOPE")


def _delivered(town: Town) -> LineFact:
    return town.line(LineStatus.DELIVERED)


def _cancel(town: Town) -> LineFact:
    return town.claimed(LineStatus.PREPARING, ClaimKind.CANCEL)


def _claim(kind: ClaimKind, *states: ClaimState) -> Callable[[Town], LineFact]:
    return lambda town: town.claimed(LineStatus.DELIVERED, kind, *states)


RETURN, EXCHANGE, HOLD, COLLECTED = ClaimKind.RETURN, ClaimKind.EXCHANGE, ClaimState.HOLD, ClaimState.COLLECTED

#: write -> the line it is for, its fields, the call it makes, and line status and claim state afterwards
WRITES: dict[str, tuple[Callable[[Town], LineFact], dict[str, Any], str, str, str | None]] = {
    "confirm": (_paid, {}, "", "preparing", None),
    "dispatch": (_preparing, PARCEL, "", "dispatched", None),
    "delay": (_preparing, {"ship_on": date(2026, 12, 3)}, "delay", "preparing", None),
    "move_delivery": (
        _wished,
        {"deliver_on": date(2026, 12, 8), "deliver_at": time(10, 30), "text": "고객 요청"},
        "hope-delivery/change",
        "preparing",
        None,
    ),
    "seller_cancel": (
        _preparing,
        {"reason": ClaimReason.OUT_OF_STOCK, "text": "품절"},
        "claim/cancel/request",
        "cancelled",
        "done",
    ),
    "approve_cancel": (_cancel, {}, "claim/cancel/approve", "cancelled", "done"),
    "refuse_cancel": (_cancel, PARCEL, "", "dispatched", "rejected"),
    "file_return": (
        _delivered,
        {"reason": ClaimReason.MISSING_PART, **PARCEL},
        "claim/return/request",
        "delivered",
        "requested",
    ),
    "complete_return": (_claim(RETURN, COLLECTED), {}, "claim/return/approve", "returned", "done"),
    "hold_return": (
        _claim(RETURN),
        {"text": "반품비 미입금", "hold_reason": HoldReason.EXTRA_FEE},
        "claim/return/holdback",
        "delivered",
        "hold",
    ),
    "release_return": (_claim(RETURN, HOLD), {}, "claim/return/holdback/release", "delivered", "requested"),
    "refuse_return": (_claim(RETURN), {"text": "사용하신 상품"}, "claim/return/reject", "delivered", "rejected"),
    "collect_exchange": (_claim(EXCHANGE), {}, "claim/exchange/collect/approve", "delivered", "collected"),
    "redeliver_exchange": (
        _claim(EXCHANGE, COLLECTED),
        PARCEL,
        "claim/exchange/dispatch",
        "delivered",
        "reshipping",
    ),
    "hold_exchange": (
        _claim(EXCHANGE, COLLECTED),
        {"text": "준비 중", "hold_reason": HoldReason.NOT_READY},
        "claim/exchange/holdback",
        "delivered",
        "hold",
    ),
    "release_exchange": (
        _claim(EXCHANGE, COLLECTED, HOLD),
        {},
        "claim/exchange/holdback/release",
        "delivered",
        "collected",
    ),
    "refuse_exchange": (_claim(EXCHANGE), {"text": "재고 없음"}, "claim/exchange/reject", "delivered", "rejected"),
}


def _state(result: WriteResult) -> tuple[str, str | None]:
    """Line status and the state of the newest claim, as the result's reading shows them."""
    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    claims = reading.record.claims
    return reading.record.lines[0].status.value, claims[-1].state.value if claims else None


@pytest.mark.parametrize("what", WRITES)
async def test_a_write_is_sent_once_and_shows(town, what):
    find, fields, call, status, state = WRITES[what]
    line = find(town)

    result = await town.act(what, line, **fields)
    again = await town.act(what, line, **fields)

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.DONE, None)
    assert _state(result) == (status, state)
    assert town.writes == [call]
    assert again.outcome in {Outcome.DONE, Outcome.REFUSED}
    assert (again.outcome is Outcome.DONE) == (again.lines[0].mall_message is None)


@pytest.mark.parametrize("what", WRITES)
async def test_a_lost_answer_is_found_by_reading(town, what):
    find, fields, call, status, state = WRITES[what]
    line = find(town)
    town.loses = True

    result = await town.act(what, line, **fields)

    assert result.outcome is Outcome.DONE
    assert _state(result) == (status, state)
    assert town.writes == [call]


@pytest.mark.parametrize("what", WRITES)
async def test_a_write_that_never_arrived_is_unknown_and_not_repeated(town, what):
    find, fields, call, _, _ = WRITES[what]
    line = find(town)
    before = repr(town.mall.truth())
    town.swallows = True

    result = await town.act(what, line, **fields)

    assert result.outcome is Outcome.UNKNOWN
    assert result.lines[0].mall_message
    assert town.writes == [call]
    assert repr(town.mall.truth()) == before


TEXT = {"text": "사유"}
REASON = {"reason": ClaimReason.DAMAGED}

#: a write, the line it must not be done on, its fields, and a word of the reason
FORBIDDEN: dict[str, tuple[str, Callable[[Town], LineFact], dict[str, Any], str]] = {
    "confirm what is sent": ("confirm", lambda town: town.line(LineStatus.DISPATCHED), {}, "PAYED"),
    "dispatch before confirming": ("dispatch", _paid, PARCEL, "Confirm"),
    "dispatch over a cancel request": ("dispatch", _cancel, PARCEL, "cancel request"),
    "dispatch what has left": ("dispatch", _delivered, PARCEL, "another parcel"),
    "dispatch without a carrier": ("dispatch", _preparing, {"tracking_no": "1"}, "carrier"),
    "dispatch without a number": ("dispatch", _preparing, {"carrier": "CJGLS", "tracking_no": " "}, "tracking_no"),
    "delay what has left": ("delay", _delivered, {"ship_on": date(2026, 12, 3)}, "PAYED"),
    "delay to no day": ("delay", _preparing, TEXT, "ship_on"),
    "delay into the past": ("delay", _preparing, {"ship_on": date(2026, 11, 21)}, "past"),
    "move a day that nobody chose": (
        "move_delivery",
        lambda town: town.hoped("NORMAL"),
        {"deliver_on": date(2026, 12, 8), "text": "고객 요청"},
        "no day of delivery",
    ),
    "move what has left": (
        "move_delivery",
        lambda town: town.hoped("HOPE", LineStatus.DELIVERED),
        {"deliver_on": date(2026, 12, 8), "text": "고객 요청"},
        "PAYED",
    ),
    "move to a time where only days are": (
        "move_delivery",
        lambda town: town.hoped("HOPE_SELLER_GUARANTEE"),
        {"deliver_on": date(2026, 12, 8), "deliver_at": time(14), "text": "고객 요청"},
        "no time",
    ),
    "move to no day": ("move_delivery", _wished, TEXT, "deliver_on"),
    "move into the past": ("move_delivery", _wished, {"deliver_on": date(2026, 11, 21), **TEXT}, "past"),
    "move without words": ("move_delivery", _wished, {"deliver_on": date(2026, 12, 8), "text": " "}, "text"),
    "move in too many words": (
        "move_delivery",
        _wished,
        {"deliver_on": date(2026, 12, 8), "text": "가" * 301},
        "text",
    ),
    "cancel for another reason": ("seller_cancel", _preparing, {"reason": ClaimReason.OTHER}, "out_of_stock"),
    "cancel for no reason": ("seller_cancel", _preparing, TEXT, "reason"),
    "cancel too many": (
        "seller_cancel",
        _preparing,
        {"reason": ClaimReason.LATE, "quantity": 2},
        "quantity",
    ),
    "cancel none": ("seller_cancel", _preparing, {"reason": ClaimReason.LATE, "quantity": 0}, "quantity"),
    "cancel in too many words": (
        "seller_cancel",
        _preparing,
        {"reason": ClaimReason.LATE, "text": "가" * 501},
        "text",
    ),
    "cancel what was sent": ("seller_cancel", _delivered, {"reason": ClaimReason.LATE}, "PAYED"),
    "cancel over a request": ("seller_cancel", _cancel, {"reason": ClaimReason.LATE}, "approve"),
    "approve nothing": ("approve_cancel", _preparing, {}, "No cancel request"),
    "refuse nothing": ("refuse_cancel", _preparing, PARCEL, "No cancel request"),
    "refuse without a parcel": ("refuse_cancel", _cancel, TEXT, "carrier"),
    "file before it was sent": ("file_return", _preparing, REASON, "returned"),
    "file over an open claim": ("file_return", _claim(EXCHANGE), REASON, "claim is open"),
    "file for another reason": ("file_return", _delivered, {"reason": ClaimReason.OTHER}, "reason"),
    "file half a parcel": ("file_return", _delivered, {**REASON, "carrier": "CJGLS"}, "tracking_no"),
    "refund on hold": ("complete_return", _claim(RETURN, HOLD), {}, "release"),
    "refund without a return": ("complete_return", _delivered, {}, "No return"),
    "refund an exchange": ("complete_return", _claim(EXCHANGE, COLLECTED), {}, "No return"),
    "hold twice": ("hold_return", _claim(RETURN, HOLD), TEXT, "on hold"),
    "hold without words": ("hold_return", _claim(RETURN), {}, "text"),
    "release what is not held": ("release_return", _claim(RETURN), {}, "not on hold"),
    "refuse a return on hold": ("refuse_return", _claim(RETURN, HOLD), TEXT, "release"),
    "refuse a return without words": ("refuse_return", _claim(RETURN), {"text": " "}, "text"),
    "refuse a return that is over": ("refuse_return", _claim(RETURN, ClaimState.DONE), TEXT, "No return"),
    "send again before collecting": ("redeliver_exchange", _claim(EXCHANGE), PARCEL, "EXCHANGE_REQUEST"),
    "send again on hold": ("redeliver_exchange", _claim(EXCHANGE, COLLECTED, HOLD), PARCEL, "release"),
    "send again without a parcel": ("redeliver_exchange", _claim(EXCHANGE, COLLECTED), {}, "carrier"),
    "refuse what is on its way": (
        "refuse_exchange",
        _claim(EXCHANGE, COLLECTED, ClaimState.RESHIPPING),
        TEXT,
        "No exchange",
    ),
    "collect what is over": ("collect_exchange", _claim(EXCHANGE, ClaimState.REJECTED), {}, "No exchange"),
}


@pytest.mark.parametrize("why", FORBIDDEN)
async def test_what_the_state_forbids_is_refused_before_sending(town, why):
    what, find, fields, word = FORBIDDEN[why]
    line = find(town)
    before = repr(town.mall.truth())

    result = await town.act(what, line, **fields)

    assert result.outcome is Outcome.REFUSED
    assert word in (result.lines[0].mall_message or "")
    assert town.writes == []
    assert repr(town.mall.truth()) == before


@pytest.mark.parametrize(
    ("what", "find", "fields"),
    [
        ("confirm", _preparing, {}),
        ("collect_exchange", _claim(EXCHANGE, COLLECTED), {}),
    ],
)
async def test_what_stands_already_is_done_without_sending(town, what, find, fields):
    result = await town.act(what, find(town), **fields)

    assert result.outcome is Outcome.DONE
    assert town.writes == []


@pytest.mark.parametrize("attribute", ["HOPE", "HOPE_SELLER_GUARANTEE"])
async def test_what_the_buyer_chose_beside_the_day_stays(town, attribute):
    line = town.hoped(attribute)
    _, before, _ = await town.seen(line)
    (chosen,) = _wishes(before)

    result = await town.act("move_delivery", line, deliver_on=date(2026, 12, 8), text="고객 요청")
    town.at += timedelta(minutes=5)
    (event,) = [event for event in events_of_line(town, line) if event["lastChangedType"].startswith("HOPE")]

    _, after, _ = await town.seen(line)
    assert result.outcome is Outcome.DONE
    assert _wishes(after) == ["2026-12-08" + chosen[10:]]
    assert event["productOrderId"] == after.line_no


def _wishes(line: Line) -> list[str]:
    return [hint.value for hint in line.product.hints if hint.name == "wished_delivery"]


def events_of_line(town: Town, line: LineFact) -> list[dict[str, Any]]:
    """The rows of the change feed of the last hour that are the line's."""
    feed = town.mall._feed
    rows = feed.window(unix_ms(town.at - timedelta(hours=1)), unix_ms(town.at))
    return [feed_row(row) for row in rows if row.line is line]


@pytest.mark.parametrize(
    ("other", "outcome"), [({}, Outcome.DONE), ({"tracking_no": "7"}, Outcome.REFUSED)], ids=["same", "another"]
)
async def test_a_parcel_that_has_left_is_compared(town, other, outcome):
    line = _preparing(town)
    await town.act("dispatch", line, **PARCEL)

    again = await town.act("dispatch", line, **(PARCEL | other))

    assert again.outcome is outcome
    assert town.writes == [""]


async def test_a_part_is_cancelled_and_the_rest_stays(town):
    line = next(
        line
        for order in reversed(town.world.orders(SHOP))
        for line in order.lines
        if line.plain_status(town.at) is LineStatus.PREPARING and not line.claims and line.quantity > 1
    )

    result = await town.act("seller_cancel", line, reason=ClaimReason.OUT_OF_STOCK, quantity=1)

    (reading,) = result.readings
    assert result.outcome is Outcome.DONE
    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].remaining_quantity == line.quantity - 1
    assert reading.record.lines[0].status is LineStatus.PREPARING


async def test_a_return_may_be_filed_while_the_replacement_is_on_its_way(town):
    line = _claim(EXCHANGE, COLLECTED)(town)
    await town.act("redeliver_exchange", line, **PARCEL)

    result = await town.act("file_return", line, **REASON)

    assert result.outcome is Outcome.DONE
    _, _, claims = await town.seen(line)
    assert [claim.kind for claim in claims] == [EXCHANGE, RETURN]


async def test_the_refusals_of_the_mall_are_passed_on(town):
    line = _preparing(town)

    result = await town.act("dispatch", line, carrier="NOBODY", tracking_no="1")

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.REFUSED, "택배사 코드를 확인해 주세요.")
    assert town.writes == [""]


async def test_the_emulated_mall_sends_no_field_that_is_not_documented(town):
    for what, (find, fields, *_) in WRITES.items():
        await town.act(what, find(town), **fields)
    counts: dict[str, int] = {}
    watch = WireWatch(counts, every=1)

    for order in town.world.orders(SHOP):
        ids = tuple(line_id(order, line) for line in order.lines)
        for reading in await town.connector.read_order(order_id(order), ids):
            watch.look(reading.raw, shape=DetailWire, where="order", known=documented.DETAIL)

    assert counts == {}
