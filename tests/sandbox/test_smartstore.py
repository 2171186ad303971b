"""The emulated SmartStore does what the reference of the Commerce API says, awkward parts included."""

import base64
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import httpx
import pytest

from connectors.smartstore.sandbox import CLIENT_ID, CLIENT_SECRET, SmartStore, build
from connectors.smartstore.sandbox_render import line_id, stamp
from hub.core.model import ClaimKind, ClaimReason, ClaimState, LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.kit import CLAIM_COLUMNS, INQUIRY_COLUMNS, LINE_COLUMNS, SandboxOptions
from hub.sandbox.world import World, make_world

FEED = "/v1/pay-order/seller/product-orders/last-changed-statuses"
LINES = "/v1/pay-order/seller/product-orders"
SHOP = "main-smartstore"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Shop:
    """One emulated shop with a client that holds a token."""

    def __init__(self, options: SandboxOptions, orders: int = 1500) -> None:
        self.clock = Clock()
        self.world: World = make_world(now=self.clock, orders=orders, days=20)
        self.mall: SmartStore = build(self.world, shop=SHOP, options=options)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.mall.app), base_url="http://mall.test/external"
        )

    def token_form(self, **changes: str) -> dict[str, str]:
        ms = str(round(self.clock.now.timestamp() * 1000))
        signed = bcrypt.hashpw(f"{CLIENT_ID}_{changes.get('timestamp', ms)}".encode(), CLIENT_SECRET.encode())
        return {
            "client_id": CLIENT_ID,
            "timestamp": ms,
            "grant_type": "client_credentials",
            "client_secret_sign": base64.b64encode(signed).decode(),
            "type": "SELF",
        } | changes

    async def log_in(self) -> None:
        answer = await self.http.post("/v1/oauth2/token", data=self.token_form())
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def feed(self, start: datetime, end: datetime, **more: str) -> list[dict[str, Any]]:
        """Every row of one window, paged to the end."""
        query = {"lastChangedFrom": stamp(start), "lastChangedTo": stamp(end)} | more
        rows: list[dict[str, Any]] = []
        while True:
            data = (await self.http.get(FEED, params=query)).json()["data"]
            assert data["count"] == len(data["lastChangeStatuses"])
            rows += data["lastChangeStatuses"]
            if "more" not in data:
                return rows
            query |= {"lastChangedFrom": data["more"]["moreFrom"], "moreSequence": data["more"]["moreSequence"]}

    async def whole_feed(self, **more: str) -> list[dict[str, Any]]:
        start = self.clock.now - timedelta(days=21)
        rows = []
        while start < self.clock.now:
            end = min(start + timedelta(days=1), self.clock.now)
            rows += await self.feed(start, end, **more)
            start = end
        return rows

    async def details(self, *numbers: str) -> list[dict[str, Any]]:
        body = {"productOrderIds": list(numbers), "quantityClaimCompatibility": True}
        return (await self.http.post(f"{LINES}/query", json=body)).json()["data"]

    def pick(self, fits: Callable[[LineFact], bool]) -> tuple[OrderFact, LineFact, str]:
        for order in self.world.orders(SHOP):
            for line in order.lines:
                if fits(line):
                    return order, line, line_id(order, line)
        pytest.fail("the World holds no such line")

    def preparing(self, *, quantity: int = 1) -> tuple[OrderFact, LineFact, str]:
        """A line that the seller has confirmed and on which nobody ever claimed anything."""
        return self.pick(
            lambda line: (
                line.status(self.clock.now) is LineStatus.PREPARING and not line.claims and line.quantity >= quantity
            )
        )


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop(SandboxOptions(enforce_limits=False))
    await made.log_in()
    yield made
    await made.http.aclose()


@pytest.fixture
async def strict_shop() -> AsyncIterator[Shop]:
    made = Shop(SandboxOptions(), orders=60)
    await made.log_in()
    yield made
    await made.http.aclose()


# -- tokens and limits


async def test_a_token_is_given_again_until_half_an_hour_is_left(shop: Shop) -> None:
    first = (await shop.http.post("/v1/oauth2/token", data=shop.token_form())).json()
    shop.clock.now += timedelta(minutes=149)
    again = (await shop.http.post("/v1/oauth2/token", data=shop.token_form())).json()
    shop.clock.now += timedelta(minutes=2)
    renewed = (await shop.http.post("/v1/oauth2/token", data=shop.token_form())).json()

    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] < first["expires_in"] - 8900
    assert renewed["access_token"] != first["access_token"]
    assert (await shop.http.get("/v1/seller/channels")).status_code == 200  # the old one works until its own end
    assert not shop.mall.gate.violations


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"client_secret_sign": "AAAA"}, "client_secret_sign"),
        ({"client_secret_sign": "not base64!"}, "client_secret_sign"),
        ({"timestamp": "1643961623299"}, "timestamp"),
        ({"client_id": "somebody"}, "client_id"),
        ({"type": "SELLER"}, "account_id"),
    ],
)
async def test_a_wrong_token_call_is_refused(shop: Shop, changes: dict[str, str], named: str) -> None:
    answer = await shop.http.post("/v1/oauth2/token", data=shop.token_form(**changes))

    assert answer.status_code == 400
    assert answer.json()["invalidInputs"][0]["name"] == named


async def test_token_calls_off_the_standard_answer_but_are_counted(shop: Shop) -> None:
    form = shop.token_form()
    answers = [
        await shop.http.post("/v1/oauth2/token", json=form),
        await shop.http.post("/v1/oauth2/token", params=form),
        await shop.http.post("/v1/oauth2/token", data=form | {"account_id": "me"}),
        await shop.http.post("/v1/oauth2/token", data={k: v for k, v in form.items() if k != "grant_type"}),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert set(shop.mall.gate.violations) == {
        "body is no form",
        "fields in the query",
        "account_id with SELF",
        "grant_type missing",
    }


async def test_the_day_after_a_violation_allows_one_call_an_hour(strict_shop: Shop) -> None:
    await strict_shop.http.post("/v1/oauth2/token", data=strict_shop.token_form(account_id="me"))
    strict_shop.clock.now += timedelta(days=1)
    await strict_shop.log_in()

    first = await strict_shop.http.get("/v1/seller/channels")
    second = await strict_shop.http.get("/v1/seller/channels")

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (429, "GW.QUOTA_LIMIT")
    assert second.headers["GNCP-GW-Quota-Period"] == "HOURS"


async def test_calls_without_a_living_token_do_not_get_in(shop: Shop) -> None:
    shop.mall.gate.expire_tokens()

    answer = await shop.http.get("/v1/seller/channels")

    assert (answer.status_code, answer.json()["code"]) == (401, "GW.AUTHN")
    assert answer.json()["traceId"] == answer.headers["GNCP-GW-Trace-ID"]
    assert shop.mall.calls == []


async def test_each_api_has_its_own_rate(strict_shop: Shop) -> None:
    answers = [await strict_shop.http.get("/v1/seller/channels") for _ in range(8)]
    other = await strict_shop.http.get("/v1/pay-user/inquiries", params={"startSearchDate": "2026-11-01"})

    assert answers[0].headers["GNCP-GW-RateLimit-Burst-Capacity"] == "4"
    assert answers[0].headers["GNCP-GW-RateLimit-Replenish-Rate"] == "2"
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "GW.RATE_LIMIT")
    assert other.status_code == 400  # let in, then refused for its missing date

    strict_shop.clock.now += timedelta(seconds=1)
    assert (await strict_shop.http.get("/v1/seller/channels")).status_code == 200


async def test_an_unregistered_path_is_named(shop: Shop) -> None:
    answer = await shop.http.post(f"{LINES}/2026/claim/cancel/reject")

    assert (answer.status_code, answer.json()["code"]) == (404, "GW.NOT_FOUND")


# -- the feed


async def test_the_feed_shows_each_line_once_whatever_the_page_size(shop: Shop) -> None:
    everything = {
        line_id(order, line) for order in shop.world.orders(SHOP) for line in order.lines
    }  # all were changed within the three weeks read

    in_one = Counter(row["productOrderId"] for row in await shop.whole_feed())
    one_by_one = Counter(row["productOrderId"] for row in await shop.whole_feed(limitCount="1"))

    assert set(in_one) == everything
    assert in_one == one_by_one
    assert max(in_one.values()) == 1


async def test_rows_of_one_millisecond_are_paged_by_the_sequence(shop: Shop) -> None:
    shop.clock.now += timedelta(minutes=10)
    same_time = next(
        found
        for found in shop.world.orders(SHOP)
        if len(found.lines) > 1 and all(not line.claims for line in found.lines)
    )
    for line in same_time.lines:  # all sent in one act
        shop.world.dispatch(line, "CJ대한통운", "600000009999")

    rows = await shop.feed(shop.clock.now, shop.clock.now, limitCount="1")

    assert [row["productOrderId"] for row in rows] == sorted(line_id(same_time, line) for line in same_time.lines)
    assert {row["lastChangedDate"] for row in rows} == {stamp(shop.clock.now)}


async def test_both_ends_of_a_window_belong_to_it(shop: Shop) -> None:
    rows = await shop.whole_feed()
    at = datetime.fromisoformat(rows[5]["lastChangedDate"])

    edge = await shop.feed(at, at)

    assert rows[5] in edge


@pytest.mark.parametrize(
    ("start", "end"), [(timedelta(hours=-25), timedelta()), (timedelta(hours=-1), timedelta(hours=2))]
)
async def test_windows_too_long_or_in_the_future_are_refused(shop: Shop, start: timedelta, end: timedelta) -> None:
    now = shop.clock.now
    answer = await shop.http.get(
        FEED, params={"lastChangedFrom": stamp(now + start), "lastChangedTo": stamp(now + end)}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "104139")


async def test_a_plus_that_is_not_escaped_is_refused(shop: Shop) -> None:
    answer = await shop.http.get(f"{FEED}?lastChangedFrom={stamp(shop.clock.now)}")

    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


@pytest.mark.parametrize(
    "at", ["2026-03-05T09:07:01+09:00", "2026-03-05T09:07:01.120456+09:00", "2026-03-05T09:07:01.120", "2026-03-05"]
)
async def test_a_time_of_another_form_is_refused(shop: Shop, at: str) -> None:
    feed = await shop.http.get(FEED, params={"lastChangedFrom": at})
    parcel = {"productOrderId": "1", "deliveryMethod": "NOTHING", "dispatchDate": at}
    dispatch = await shop.http.post(f"{LINES}/dispatch", json={"dispatchProductOrders": [parcel]})

    assert [answer.json()["code"] for answer in (feed, dispatch)] == ["4000", "4000"]


async def test_silent_changes_do_not_move_a_row(shop: Shop) -> None:
    _, line, number = shop.pick(lambda line: line.status(shop.clock.now) is LineStatus.DISPATCHED and not line.claims)
    delivered_at = next(step.at for step in line.steps if step.status is LineStatus.DELIVERED)
    before = [row for row in await shop.whole_feed() if row["productOrderId"] == number]

    shop.clock.now = delivered_at + timedelta(minutes=1)
    await shop.log_in()
    after = [row for row in await shop.whole_feed() if row["productOrderId"] == number]
    detail = (await shop.details(number))[0]

    assert after == before
    assert after[0]["productOrderStatus"] == "DELIVERING"
    assert detail["productOrder"]["productOrderStatus"] == "DELIVERED"


async def test_a_type_filter_sees_only_lines_whose_newest_event_it_is(shop: Shop) -> None:
    rows = await shop.whole_feed(lastChangedType="PAYED")
    details = {row["productOrderId"]: row for row in await shop.whole_feed()}

    assert rows
    assert all(details[row["productOrderId"]]["lastChangedType"] == "PAYED" for row in rows)
    assert len(rows) < len(details) / 2


# -- details


async def test_unknown_numbers_are_missing_and_the_order_is_not_kept(shop: Shop) -> None:
    numbers = [line_id(order, line) for order in shop.world.orders(SHOP) for line in order.lines][:100]

    found = await shop.details(*numbers, "2026010100000000", "no number")

    shown = [detail["productOrder"]["productOrderId"] for detail in found]
    assert sorted(shown) == sorted(numbers)
    assert shown != numbers


@pytest.mark.parametrize("count", [0, 301])
async def test_a_query_takes_1_to_300_numbers(shop: Shop, count: int) -> None:
    answer = await shop.http.post(f"{LINES}/query", json={"productOrderIds": ["1"] * count})

    assert (answer.status_code, answer.json()["code"]) == (400, "4000")


async def test_the_conditional_search_pages_over_one_day(shop: Shop) -> None:
    start = shop.clock.now - timedelta(days=5)
    query: dict[str, Any] = {"from": stamp(start), "rangeType": "ORDERED_DATETIME", "pageSize": 3, "page": 1}
    found: list[str] = []
    while True:
        data = (await shop.http.get(LINES, params=query)).json()["data"]
        found += [content["productOrderId"] for content in data["contents"]]
        if not data["pagination"]["hasNext"]:
            break
        query["page"] += 1

    expected = [
        line_id(order, line)
        for order in shop.world.orders(SHOP)
        for line in order.lines
        if start <= order.ordered_at <= start + timedelta(days=1)
    ]
    assert expected
    assert sorted(found) == sorted(expected)


async def test_an_order_names_its_lines(shop: Shop) -> None:
    order, _, number = shop.preparing()
    detail = (await shop.details(number))[0]

    answer = await shop.http.get(f"/v1/pay-order/seller/orders/{detail['order']['orderId']}/product-order-ids")

    assert answer.json()["data"] == [line_id(order, line) for line in order.lines]


async def test_a_partial_cancel_keeps_the_line_and_reduces_what_remains(shop: Shop) -> None:
    _, line, number = shop.preparing(quantity=2)
    claim = shop.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "하나만 취소", 1)
    await shop.http.post(f"{LINES}/{number}/claim/cancel/approve")

    detail = (await shop.details(number))[0]
    product_order = detail["productOrder"]

    assert product_order["productOrderStatus"] == "PAYED"
    assert (product_order["claimType"], product_order["claimStatus"]) == ("CANCEL", "CANCEL_DONE")
    assert product_order["remainQuantity"] == line.quantity - 1
    assert detail["currentClaim"]["cancel"]["requestQuantity"] == 1
    assert claim.steps[-1].by == "seller"


async def test_a_hold_interrupts_a_return_without_replacing_its_state(shop: Shop) -> None:
    _, line, number = shop.pick(lambda line: line.status(shop.clock.now) is LineStatus.DELIVERED and not line.claims)
    claim = shop.world.request_claim(line, ClaimKind.RETURN, ClaimReason.DAMAGED, "파손")
    shop.clock.now += timedelta(hours=1)
    shop.world.move_claim(line, claim, ClaimState.HOLD, "seller")
    held = (await shop.details(number))[0]["currentClaim"]["return"]
    row = next(row for row in shop.mall.truth().claims if row["line_no"] == number)
    shop.clock.now += timedelta(hours=1)
    shop.world.move_claim(line, claim, ClaimState.COLLECTED, "seller")
    released = (await shop.details(number))[0]["currentClaim"]["return"]

    assert (held["claimStatus"], held["holdbackStatus"]) == ("RETURN_REQUEST", "HOLDBACK")
    assert (row["state"], row["raw_state"], row["reason"]) == ("hold", "RETURN_REQUEST", "damaged")
    assert (released["claimStatus"], released["holdbackStatus"]) == ("COLLECT_DONE", "RELEASED")


async def test_a_return_on_top_of_an_exchange_shows_both(shop: Shop) -> None:
    _, line, number = shop.pick(lambda line: line.status(shop.clock.now) is LineStatus.DELIVERED and not line.claims)
    exchange = shop.world.request_claim(line, ClaimKind.EXCHANGE, ClaimReason.WRONG_ITEM, "다른 색")
    shop.clock.now += timedelta(hours=1)
    shop.world.move_claim(line, exchange, ClaimState.RESHIPPING, "seller")
    shop.clock.now += timedelta(hours=1)
    shop.world.move_claim(line, exchange, ClaimState.DONE, "seller")
    done_at = shop.clock.now
    shop.clock.now += timedelta(hours=1)
    shop.world.request_claim(line, ClaimKind.RETURN, ClaimReason.DEFECT, "고장")
    await shop.log_in()

    detail = (await shop.details(number))[0]

    assert detail["currentClaim"]["return"]["claimStatus"] == "RETURN_REQUEST"
    assert [(claim["claimType"], claim["claimStatus"]) for claim in detail["completedClaims"]] == [
        ("EXCHANGE", "EXCHANGE_DONE")
    ]
    assert detail["completedClaims"][0]["claimCompleteOperationDate"] == stamp(done_at)
    assert detail["currentClaim"]["return"]["claimId"] != detail["completedClaims"][0]["claimId"]


# -- what sellers do


async def test_dispatch_withdraws_a_cancel_request_and_sends(shop: Shop) -> None:
    _, line, number = shop.preparing()
    shop.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "늦어요")
    parcel = {
        "productOrderId": number,
        "deliveryMethod": "DELIVERY",
        "deliveryCompanyCode": "CJGLS",
        "trackingNumber": "600000000001",
        "dispatchDate": stamp(shop.clock.now),
    }

    answer = await shop.http.post(f"{LINES}/dispatch", json={"dispatchProductOrders": [parcel]})
    detail = (await shop.details(number))[0]

    assert answer.json()["data"] == {"successProductOrderIds": [number], "failProductOrderInfos": []}
    assert detail["productOrder"]["productOrderStatus"] == "DELIVERING"
    assert detail["productOrder"]["claimStatus"] == "CANCEL_REJECT"
    assert detail["delivery"]["deliveryCompany"] == "CJGLS"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deliveryCompanyCode": ""}, "104118"),
        ({"deliveryCompanyCode": "NOBODY"}, "104119"),
        ({"trackingNumber": ""}, "104120"),
        ({"productOrderId": "2026010100000000"}, "100001"),
    ],
)
async def test_a_refused_dispatch_is_http_200_with_its_code(shop: Shop, changes: dict[str, str], code: str) -> None:
    _, _, number = shop.preparing()
    parcel = {
        "productOrderId": number,
        "deliveryMethod": "DELIVERY",
        "deliveryCompanyCode": "CJGLS",
        "trackingNumber": "1",
        "dispatchDate": stamp(shop.clock.now),
    }

    answer = await shop.http.post(f"{LINES}/dispatch", json={"dispatchProductOrders": [parcel | changes]})

    assert answer.status_code == 200
    assert answer.json()["data"]["successProductOrderIds"] == []
    assert answer.json()["data"]["failProductOrderInfos"][0]["code"] == code


async def test_confirm_places_a_paid_line_silently_and_once(shop: Shop) -> None:
    _, _, number = shop.pick(lambda line: line.status(shop.clock.now) is LineStatus.PAID and not line.claims)
    body = {"productOrderIds": [number]}

    first = (await shop.http.post(f"{LINES}/confirm", json=body)).json()["data"]
    again = (await shop.http.post(f"{LINES}/confirm", json=body)).json()["data"]
    product_order = (await shop.details(number))[0]["productOrder"]

    assert first["successProductOrderInfos"] == [{"productOrderId": number, "isReceiverAddressChanged": False}]
    assert again["failProductOrderInfos"][0]["code"] == "104443"
    assert (product_order["productOrderStatus"], product_order["placeOrderStatus"]) == ("PAYED", "OK")


async def test_approving_a_cancel_ends_the_line_and_works_once(shop: Shop) -> None:
    _, line, number = shop.preparing()
    shop.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "변심")
    path = f"{LINES}/{number}/claim/cancel/approve"

    with_body = await shop.http.post(path, json={"reason": "x"})
    first = (await shop.http.post(path)).json()["data"]
    again = (await shop.http.post(path)).json()["data"]
    row = next(row for row in await shop.feed(shop.clock.now, shop.clock.now) if row["productOrderId"] == number)

    assert with_body.status_code == 400
    assert first == {"successProductOrderIds": [number], "failProductOrderInfos": []}
    assert again["failProductOrderInfos"][0]["code"] == "9999"
    assert (row["lastChangedType"], row["productOrderStatus"]) == ("CLAIM_COMPLETED", "CANCELED")


async def test_a_sellers_cancel_takes_only_reasons_that_may_be_sent(shop: Shop) -> None:
    _, _, number = shop.preparing()
    path = f"{LINES}/{number}/claim/cancel/request"

    refused = await shop.http.post(path, json={"cancelReason": "ETC"})
    done = await shop.http.post(path, json={"cancelReason": "SOLD_OUT", "cancelDetailedReason": "품절"})
    product_order = (await shop.details(number))[0]["productOrder"]

    assert (refused.status_code, refused.json()["code"]) == (400, "4000")
    assert done.json()["data"]["successProductOrderIds"] == [number]
    assert (product_order["productOrderStatus"], product_order["remainQuantity"]) == ("CANCELED", 0)


async def test_a_delay_moves_the_due_day_and_keeps_its_reason(shop: Shop) -> None:
    _, _, number = shop.preparing()
    body = {"dispatchDueDate": "2026-12-03T23:59:59.000+09:00", "delayedDispatchReason": "PRODUCT_PREPARE"}
    path = f"{LINES}/{number}/delay"

    done = (await shop.http.post(path, json=body)).json()["data"]
    past = (await shop.http.post(path, json=body | {"dispatchDueDate": stamp(shop.clock.now)})).json()["data"]
    product_order = (await shop.details(number))[0]["productOrder"]

    assert done["successProductOrderIds"] == [number]
    assert past["failProductOrderInfos"][0]["code"] == "104105"
    assert product_order["shippingDueDate"] == "2026-12-03T23:59:59.000+09:00"
    assert product_order["delayedDispatchReason"] == "PRODUCT_PREPARE"


# -- returns and exchanges


async def _claimed(shop: Shop, kind: ClaimKind, *states: ClaimState) -> tuple[LineFact, str]:
    """A delivered line with a claim brought through ``states``."""
    _, line, number = shop.pick(lambda line: line.status(shop.clock.now) is LineStatus.DELIVERED and not line.claims)
    claim = shop.world.request_claim(line, kind, ClaimReason.DAMAGED, "파손")
    for state in states:
        shop.clock.now += timedelta(minutes=1)
        shop.world.move_claim(line, claim, state, "seller")
    return line, number


async def _outcome(shop: Shop, number: str, path: str, body: dict[str, Any] | None = None) -> str:
    """``done``, or the code of the refusal, of the answer's status or of the line's."""
    shop.clock.now += timedelta(minutes=1)
    answer = await shop.http.post(f"{LINES}/{number}/claim/{path}", **({} if body is None else {"json": body}))
    if answer.status_code != 200:
        return str(answer.json()["code"])
    data = answer.json()["data"]
    assert len(data["successProductOrderIds"]) + len(data["failProductOrderInfos"]) == 1
    return "done" if data["successProductOrderIds"] == [number] else str(data["failProductOrderInfos"][0]["code"])


RETURN_HOLD = {
    "holdbackClassType": "EXTRAFEEE",
    "holdbackReturnDetailReason": "추가 비용",
    "extraReturnFeeAmount": 3000,
}
EXCHANGE_HOLD = {"holdbackClassType": "EXCHANGE_PRODUCT_READY", "holdbackExchangeDetailReason": "준비 중"}
NEW_PARCEL = {"reDeliveryMethod": "DELIVERY", "reDeliveryCompany": "KGB", "reDeliveryTrackingNumber": "7"}


async def test_a_return_is_held_released_and_refunded(shop: Shop) -> None:
    _, number = await _claimed(shop, ClaimKind.RETURN, ClaimState.COLLECTED)

    held = await _outcome(shop, number, "return/holdback", RETURN_HOLD)
    section = (await shop.details(number))[0]["currentClaim"]["return"]
    while_held = [await _outcome(shop, number, "return/approve")]
    while_held.append(await _outcome(shop, number, "return/reject", {"rejectReturnReason": "사용"}))
    while_held.append(await _outcome(shop, number, "return/holdback", RETURN_HOLD))
    after = [await _outcome(shop, number, path) for path in ("return/holdback/release", "return/approve")]
    again = [await _outcome(shop, number, path) for path in ("return/holdback/release", "return/approve")]
    detail = (await shop.details(number))[0]

    assert (held, after, again) == ("done", ["done", "done"], ["9999", "9999"])
    assert while_held == ["9999", "9999", "9999"]
    assert (section["holdbackStatus"], section["holdbackReason"]) == ("HOLDBACK", "EXTRAFEEE")
    assert section["holdbackDetailedReason"] == "추가 비용"
    assert detail["productOrder"]["productOrderStatus"] == "RETURNED"
    assert detail["currentClaim"]["return"]["claimStatus"] == "RETURN_DONE"


async def test_a_refused_return_leaves_the_line_as_it_was_and_may_be_asked_again(shop: Shop) -> None:
    line, number = await _claimed(shop, ClaimKind.RETURN)

    outcome = await _outcome(shop, number, "return/reject", {"rejectReturnReason": "사용 흔적"})
    product_order = (await shop.details(number))[0]["productOrder"]
    shop.world.request_claim(line, ClaimKind.RETURN, ClaimReason.DAMAGED, "다시")

    assert outcome == "done"
    assert (product_order["productOrderStatus"], product_order["claimStatus"]) == ("DELIVERED", "RETURN_REJECT")


async def test_a_seller_files_a_return_only_for_what_was_sent(shop: Shop) -> None:
    _, _, delivered = shop.pick(lambda line: line.status(shop.clock.now) is LineStatus.DELIVERED and not line.claims)
    _, _, waiting = shop.preparing()
    body = {
        "returnReason": "DROPPED_DELIVERY",
        "collectDeliveryMethod": "RETURN_INDIVIDUAL",
        "collectDeliveryCompany": "CJGLS",
        "collectTrackingNumber": "42",
    }

    refused = [
        await _outcome(shop, waiting, "return/request", body),
        await _outcome(shop, delivered, "return/request", body | {"returnReason": "ETC"}),
        await _outcome(shop, delivered, "return/request", body | {"collectDeliveryMethod": "BY_PIGEON"}),
    ]
    done = await _outcome(shop, delivered, "return/request", body)
    section = (await shop.details(delivered))[0]["currentClaim"]["return"]

    assert refused == ["9999", "4000", "4000"]
    assert done == "done"
    assert (section["returnReason"], section["requestChannel"]) == ("DROPPED_DELIVERY", "판매자")
    assert (section["collectDeliveryCompany"], section["collectTrackingNumber"]) == ("CJGLS", "42")


async def test_an_exchange_is_collected_sent_again_and_ends(shop: Shop) -> None:
    _, number = await _claimed(shop, ClaimKind.EXCHANGE)

    early = await _outcome(shop, number, "exchange/dispatch", NEW_PARCEL)
    steps = [await _outcome(shop, number, "exchange/collect/approve")]
    twice = await _outcome(shop, number, "exchange/collect/approve")
    steps.append(await _outcome(shop, number, "exchange/holdback", EXCHANGE_HOLD))
    held = await _outcome(shop, number, "exchange/dispatch", NEW_PARCEL)
    steps.append(await _outcome(shop, number, "exchange/holdback/release"))
    wrong = [
        await _outcome(shop, number, "exchange/dispatch", NEW_PARCEL | changes)
        for changes in ({"reDeliveryCompany": ""}, {"reDeliveryCompany": "X"}, {"reDeliveryTrackingNumber": ""})
    ]
    steps.append(await _outcome(shop, number, "exchange/dispatch", NEW_PARCEL))
    section = (await shop.details(number))[0]["currentClaim"]["exchange"]
    late = await _outcome(shop, number, "exchange/reject", {"rejectExchangeReason": "늦음"})
    shop.clock.now += timedelta(days=3)
    await shop.log_in()
    ended = (await shop.details(number))[0]["productOrder"]["claimStatus"]

    assert steps == ["done"] * 4
    assert (early, twice, held, late) == ("104417", "105306", "104417", "9999")
    assert wrong == ["104118", "104119", "104120"]
    assert (section["claimStatus"], section["holdbackStatus"]) == ("EXCHANGE_REDELIVERING", "RELEASED")
    assert (section["reDeliveryCompany"], section["reDeliveryTrackingNumber"]) == ("KGB", "7")
    assert ended == "EXCHANGE_DONE"


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        (ClaimKind.RETURN, "return/holdback", RETURN_HOLD | {"holdbackReturnDetailReason": " "}),
        (ClaimKind.RETURN, "return/holdback", RETURN_HOLD | {"holdbackClassType": "EXTRAFEE"}),
        (ClaimKind.RETURN, "return/holdback", RETURN_HOLD | {"extraReturnFeeAmount": -1}),
        (ClaimKind.RETURN, "return/reject", {}),
        (ClaimKind.RETURN, "return/approve", {"reason": "x"}),
        (ClaimKind.EXCHANGE, "exchange/holdback", {"holdbackClassType": "ETC", "holdbackReturnDetailReason": "x"}),
        (ClaimKind.EXCHANGE, "exchange/reject", {"rejectReturnReason": "x"}),
        (ClaimKind.EXCHANGE, "exchange/collect/approve", {"x": 1}),
    ],
    ids=str,
)
async def test_a_claim_call_of_another_form_is_refused(
    shop: Shop, kind: ClaimKind, path: str, body: dict[str, Any]
) -> None:
    _, number = await _claimed(shop, kind)
    before = await shop.details(number)

    assert await _outcome(shop, number, path, body) == "4000"
    assert await shop.details(number) == before


# -- inquiries

DAYS = {"startSearchDate": "2026-11-01", "endSearchDate": "2026-11-22"}


@pytest.mark.parametrize("missing", ["startSearchDate", "endSearchDate"])
async def test_inquiries_need_both_days(shop: Shop, missing: str) -> None:
    answer = await shop.http.get(
        "/v1/pay-user/inquiries", params={name: day for name, day in DAYS.items() if name != missing}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "4001")
    assert answer.json()["invalidInputs"][0]["name"] == missing


async def test_inquiries_are_paged_until_last(shop: Shop) -> None:
    for number in range(25):
        shop.world.ask(SHOP, subject=f"문의 {number}", text="언제 오나요", order=shop.preparing()[0])
    page, numbers = 1, []
    while True:
        body = (await shop.http.get("/v1/pay-user/inquiries", params=DAYS | {"page": page, "size": 10})).json()
        numbers += [row["inquiryNo"] for row in body["content"]]
        if body["last"]:
            break
        page += 1

    expected = [row["inquiry_no"] for row in shop.mall.truth().inquiries if row["kind"] == "order_inquiry"]
    assert page > 2
    assert sorted(f"inquiry:{number}" for number in numbers) == sorted(expected)


async def test_an_inquiry_is_answered_once_and_edited_after(shop: Shop) -> None:
    order, _, _ = shop.preparing()
    shop.world.ask(SHOP, subject="언제 오나요", text="배송 문의", category="배송", order=order)
    query = DAYS | {"answered": "false", "category": "배송"}
    row = (await shop.http.get("/v1/pay-user/inquiries", params=query)).json()["content"][0]
    path = f"/v1/pay-merchant/inquiries/{row['inquiryNo']}/answer"

    first = (await shop.http.post(path, json={"answerComment": "내일 출고합니다."})).json()["data"]
    again = await shop.http.post(path, json={"answerComment": "또"})
    edited = await shop.http.put(f"{path}/{first['inquiryCommentNo']}", json={"answerComment": "모레 출고합니다."})
    truth = next(found for found in shop.mall.truth().inquiries if found["inquiry_no"] == f"inquiry:{row['inquiryNo']}")

    assert row["productOrderIdList"] == line_id(order, order.lines[0])
    assert (again.status_code, again.json()["code"]) == (400, "ERR-NC-101010")
    assert edited.status_code == 200
    assert (truth["state"], truth["answer"], truth["answered_at"]) == ("answered", "모레 출고합니다.", shop.clock.now)


async def test_a_question_is_answered_and_edited_by_the_same_call(shop: Shop) -> None:
    shop.world.ask(SHOP, subject="", text="재입고?")
    query = {"fromDate": stamp(shop.clock.now - timedelta(hours=1)), "toDate": stamp(shop.clock.now)}
    row = (await shop.http.get("/v1/contents/qnas", params=query | {"answered": "false"})).json()["contents"][0]
    path = f"/v1/contents/qnas/{row['questionId']}"

    await shop.http.put(path, json={"commentContent": "다음 주입니다."})
    await shop.http.put(path, json={"commentContent": "이번 주입니다."})
    body = (await shop.http.get("/v1/contents/qnas", params=query)).json()

    assert row["maskedWriterId"].endswith("****")
    assert isinstance(row["productId"], int)
    assert [found["answer"] for found in body["contents"] if found["questionId"] == row["questionId"]] == [
        "이번 주입니다."
    ]


async def test_questions_need_both_times(shop: Shop) -> None:
    answer = await shop.http.get("/v1/contents/qnas", params={"fromDate": stamp(shop.clock.now)})

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


# -- truth


async def test_the_truth_covers_every_claim_that_details_show(shop: Shop) -> None:
    truth = shop.mall.truth()
    numbers = [row["line_no"] for row in truth.lines]
    shown: set[str] = set()
    for start in range(0, len(numbers), 300):
        for detail in await shop.details(*numbers[start : start + 300]):
            sections = [*(detail.get("currentClaim") or {}).values(), *(detail.get("beforeClaim") or {}).values()]
            sections += detail.get("completedClaims") or []
            shown |= {section["claimId"] for section in sections}

    assert len(set(numbers)) == len(numbers)
    assert shown == {row["claim_no"] for row in truth.claims}
    assert tuple(truth.lines[0]) == LINE_COLUMNS
    assert tuple(truth.claims[0]) == CLAIM_COLUMNS
    assert tuple(truth.inquiries[0]) == INQUIRY_COLUMNS


async def test_a_line_never_paid_for_ends_without_a_claim(shop: Shop) -> None:
    shop.clock.now += timedelta(days=2)
    ended = [row for row in shop.mall.truth().lines if row["raw_status"] == "CANCELED_BY_NOPAYMENT"]

    assert ended
    assert {row["status"] for row in ended} == {"cancelled"}
    assert {row["paid_at"] for row in ended} == {None}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            {"hopeDeliveryYmd": "20261220", "hopeDeliveryHm": "1400", "region": "서울", "changeReason": "고객 요청"},
            "104441",
        ),
        ({"hopeDeliveryYmd": "2026-12-20", "changeReason": "고객 요청"}, "4000"),
        ({"hopeDeliveryYmd": "20261220", "changeReason": ""}, "4000"),
        ({"hopeDeliveryYmd": "20261220", "changeReason": "고객 요청", "region": "가" * 31}, "4000"),
    ],
)
async def test_a_wished_day_is_changed_only_where_there_is_one(shop: Shop, body: dict[str, str], code: str) -> None:
    _, _, number = shop.preparing()

    answer = (await shop.http.post(f"{LINES}/{number}/hope-delivery/change", json=body)).json()

    assert (answer["code"] if code == "4000" else answer["data"]["failProductOrderInfos"][0]["code"]) == code


async def test_channels_templates_and_logistics_firms_are_listed(shop: Shop) -> None:
    channels = (await shop.http.get("/v1/seller/channels")).json()
    templates = (await shop.http.get("/v1/contents/qnas/templates")).json()
    firms = (await shop.http.get("/v1/logistics/logistics-companies")).json()["logisticsCompanies"]

    assert channels[0]["talkTalkAccountId"]
    assert {"questionType", "subject", "content"} <= templates[0].keys()
    assert all(firm["logisticsCompanyId"] for firm in firms)


def test_the_shop_table_reaches_the_mall(shop: Shop) -> None:
    table = shop.mall.shop_table("http://127.0.0.1:9102/")

    assert table["base_url"] == "http://127.0.0.1:9102/external"
    assert table["credentials"]["type"] == "SELF"
