"""The emulated Cafe24 against its reference: Cafe24 Admin API, version 2026-03-01."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.cafe24.sandbox import Cafe24Sandbox, build
from hub.core.model import ClaimKind, ClaimReason, ClaimState, LineStatus
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import World, make_world

SHOP = "main-cafe24"
ADMIN = "/api/v2/admin"
ALL_EMBEDS = "items,receivers,buyer,cancellation,return,exchange"
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # noon in Korea


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Caller:
    """One authorised client of the emulated mall."""

    def __init__(self, mall: Cafe24Sandbox) -> None:
        self.mall = mall
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(mall.app), base_url="http://mall")

    async def token(self, refresh_token: str | None = None, **changes: object) -> httpx.Response:
        given = self.mall.shop_table("http://mall")["credentials"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token or given["refresh_token"]}
        auth = (given["client_id"], changes.pop("secret", given["client_secret"]))
        reply = await self.http.post("/api/v2/oauth/token", data=form, auth=auth)
        if reply.status_code == 200:
            self.http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        return reply

    async def get(self, path: str, **query: object) -> httpx.Response:
        return await self.http.get(ADMIN + path, params=query)

    async def orders(self, **query: object) -> list[dict]:
        window = {"start_date": "2026-08-24", "end_date": "2026-11-22", "limit": 1000, "embed": ALL_EMBEDS}
        reply = await self.get("/orders", **(window | query))
        assert reply.status_code == 200, reply.text
        return reply.json()["orders"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return make_world(now=clock, orders=3000, days=89)


@pytest.fixture
async def caller(world: World):
    one = Caller(build(world, shop=SHOP, options=SandboxOptions(enforce_limits=False)))
    await one.token()
    yield one
    await one.http.aclose()


def line_in(world: World, status: LineStatus, *, sub_shop: int = 1, quantity: int = 1):
    """A line of an own-mall order without claims."""
    now = world.now()
    return next(
        (order, line)
        for order in reversed(world.orders(SHOP))
        for line in order.lines
        if line.status(now) is status
        and not line.claims
        and line.quantity >= quantity
        and order.sub_shop == sub_shop
        and order.number % 33
    )


async def item_of(caller: Caller, order, line) -> dict:
    order_id = f"{order.ordered_at + timedelta(hours=9):%Y%m%d}-{order.number:07d}"
    orders = await caller.orders(order_id=order_id, shop_no=order.sub_shop)
    index = order.lines.index(line)
    return orders[0]["items"][index] | {"order_id": order_id}


# -- tokens


async def test_a_refresh_rotates_and_the_old_token_dies_at_once(caller: Caller) -> None:
    old = caller.mall.tokens.refresh_token

    fresh = await caller.token()
    again = await caller.token(old)

    assert fresh.json()["refresh_token"] != old
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_expiry_is_korean_time_without_offset(caller: Caller) -> None:
    body = (await caller.token()).json()

    assert body["issued_at"] == "2026-11-22T12:00:00.000"
    assert body["expires_at"] == "2026-11-22T14:00:00.000"
    assert "expires_in" not in body


async def test_an_access_token_lives_two_hours(caller: Caller, clock: Clock) -> None:
    clock.forward(hours=2)

    reply = await caller.get("/shops")

    assert reply.status_code == 401
    assert reply.json()["error"]["message"] == "access_token time expired. (invalid_token)"


async def test_a_wrong_secret_and_a_json_body_get_no_token(caller: Caller) -> None:
    wrong = await caller.token(secret="other")
    given = caller.mall.shop_table("http://mall")["credentials"]
    as_json = await caller.http.post(
        "/api/v2/oauth/token",
        json={"grant_type": "refresh_token", "refresh_token": given["refresh_token"]},
        auth=(given["client_id"], given["client_secret"]),
    )

    assert (wrong.status_code, as_json.status_code) == (401, 400)


async def test_a_missing_scope_is_a_403_in_the_envelope(caller: Caller) -> None:
    caller.mall.tokens.scopes.discard("mall.read_community")

    reply = await caller.get("/boards")

    assert reply.status_code == 403
    assert set(reply.json()["error"]) == {"code", "message", "more_info"}


async def test_the_bucket_overflows_at_forty_and_drains_two_a_second(world: World, clock: Clock) -> None:
    caller = Caller(build(world, shop=SHOP, options=SandboxOptions()))
    await caller.token()

    replies = [await caller.get("/shops") for _ in range(41)]
    clock.forward(seconds=1)
    later = [(await caller.get("/shops")).status_code for _ in range(3)]
    await caller.http.aclose()

    assert [reply.status_code for reply in replies].count(200) == 40
    assert replies[39].headers["X-Api-Call-Limit"] == "40/40"
    assert replies[40].status_code == 429
    assert later == [200, 200, 429]


async def test_the_quota_tells_how_long_to_wait(world: World, clock: Clock) -> None:
    caller = Caller(build(world, shop=SHOP, options=SandboxOptions(burst=5000)))
    await caller.token()
    for _ in range(3000):
        await caller.get("/shops")

    reply = await caller.get("/shops")
    await caller.http.aclose()

    assert (reply.status_code, reply.headers["X-Cafe24-Call-Remain"]) == (429, "600")


# -- orders


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"start_date": "2026-08-22", "end_date": "2026-11-22"}, 422),
        ({"start_date": "2026-08-23", "end_date": "2026-11-22"}, 200),
        ({"start_date": "2026-11-01"}, 422),
        ({}, 422),
        ({"start_date": "2026-11-01", "end_date": "2026-11-22", "limit": "1001"}, 422),
        ({"start_date": "2026-11-01", "end_date": "2026-11-22", "offset": "15001"}, 422),
        ({"start_date": "2026-11-01", "end_date": "2026-11-22", "date_type": "updated_date"}, 422),
        ({"start_date": "2026-11-01", "end_date": "2026-11-22", "embed": "items,gifts"}, 422),
        ({"start_date": "first of May", "end_date": "2026-11-22"}, 422),
        ({"order_id": ",".join(f"20261101-{number:07d}" for number in range(101))}, 422),
    ],
)
async def test_what_the_order_list_refuses(caller: Caller, query: dict[str, str], status: int) -> None:
    assert (await caller.get("/orders", **query)).status_code == status


async def test_an_offset_that_was_not_encoded_is_a_400(caller: Caller) -> None:
    path = f"{ADMIN}/orders?start_date=2026-11-01T00:00:00+09:00&end_date=2026-11-20T00:00:00%2B09:00"

    assert (await caller.http.get(path)).status_code == 400


async def test_pages_of_both_shop_numbers_hold_every_order_once(caller: Caller, world: World) -> None:
    seen: list[str] = []
    for shop_no in (1, 2):
        count = (
            await caller.get("/orders/count", start_date="2026-08-24", end_date="2026-11-22", shop_no=shop_no)
        ).json()["count"]
        paged: list[str] = []
        for offset in range(0, count, 50):
            rows = await caller.orders(limit=50, offset=offset, shop_no=shop_no)
            paged.extend(row["order_id"] for row in rows)
        assert len(paged) == count
        seen.extend(paged)

    assert len(seen) == len(set(seen)) == len(world.orders(SHOP))


async def test_an_order_of_another_shop_number_is_not_found(caller: Caller, world: World) -> None:
    order = next(order for order in world.orders(SHOP) if order.sub_shop == 2)
    order_id = f"{order.ordered_at + timedelta(hours=9):%Y%m%d}-{order.number:07d}"

    assert (await caller.get(f"/orders/{order_id}")).status_code == 404
    assert (await caller.get(f"/orders/{order_id}", shop_no=2)).json()["order"]["order_id"] == order_id


async def test_the_list_shows_what_is_awkward(caller: Caller) -> None:
    orders = await caller.orders() + await caller.orders(shop_no=2)
    items = [item for order in orders for item in order["items"]]
    dates = {item["delivered_date"] for item in items if item["order_status"] == "N20"}

    assert {None, "", "0000-00-00"} <= dates
    assert any(" " in item["ordered_date"] for item in items)
    assert any(item["ordered_date"].endswith("+09:00") for item in items)
    assert all(item["product_price"].endswith(".00") for item in items)
    assert any(order["market_id"] != "self" and order["market_order_no"] for order in orders)
    assert any(order["show_shipping_address"] == "F" and order["receivers"][0]["name"] == "" for order in orders)
    assert any(order["receivers"][0]["virtual_phone_no"] for order in orders)
    assert any(item["request_undone"] for item in items)
    assert any("<b>" in item["product_name"] for item in items)


CODES = [
    (LineStatus.PREPARING, ClaimKind.CANCEL, ClaimState.APPROVED, {"C10"}),
    (LineStatus.PREPARING, ClaimKind.CANCEL, ClaimState.REFUNDING, {"C34", "C35"}),
    (LineStatus.PREPARING, ClaimKind.CANCEL, ClaimState.HOLD, {"C36"}),
    (LineStatus.PREPARING, ClaimKind.CANCEL, ClaimState.REJECTED, {"C11"}),
    (LineStatus.DELIVERED, ClaimKind.RETURN, ClaimState.COLLECTING, {"R30"}),
    (LineStatus.DELIVERED, ClaimKind.RETURN, ClaimState.COLLECTED, {"R20", "R13"}),
    (LineStatus.DELIVERED, ClaimKind.RETURN, ClaimState.INSPECTING, {"R31"}),
    (LineStatus.DELIVERED, ClaimKind.RETURN, ClaimState.HOLD, {"R12", "R36"}),
    (LineStatus.DELIVERED, ClaimKind.RETURN, ClaimState.DONE, {"R40"}),
    (LineStatus.DELIVERED, ClaimKind.EXCHANGE, ClaimState.HOLD, {"E12", "E36"}),
    (LineStatus.DELIVERED, ClaimKind.EXCHANGE, ClaimState.RESHIPPING, {"E20"}),
    (LineStatus.DELIVERED, ClaimKind.EXCHANGE, ClaimState.DONE, {"E40"}),
]


@pytest.mark.parametrize(("status", "kind", "state", "codes"), CODES)
async def test_each_step_of_a_claim_has_its_code(
    caller: Caller, world: World, status: LineStatus, kind: ClaimKind, state: ClaimState, codes: set[str]
) -> None:
    order, line = line_in(world, status)
    claim = world.request_claim(line, kind, ClaimReason.CHANGE_OF_MIND, "")
    world.move_claim(line, claim, state, "seller")

    item = await item_of(caller, order, line)

    assert item["order_status"] in codes
    assert item["order_status_before_cs"].startswith("N")
    assert (item["claim_code"] is None) == (state is ClaimState.REJECTED)


async def test_a_withdrawn_request_leaves_its_word_on_the_item(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.DELIVERED)
    claim = world.request_claim(line, ClaimKind.RETURN, ClaimReason.DEFECT, "")
    world.move_claim(line, claim, ClaimState.WITHDRAWN, "customer")

    item = await item_of(caller, order, line)

    assert (item["order_status"], item["request_undone"]) == ("N40", "Return")


async def test_order_search_finds_by_status_and_by_phone(caller: Caller, world: World) -> None:
    asked = await caller.orders(order_status="C00")
    order = world.orders(SHOP)[-1]
    of_buyer = await caller.orders(buyer_cellphone=order.buyer.phone, shop_no=order.sub_shop)

    assert asked
    assert all("C00" in {item["order_status"] for item in row["items"]} for row in asked)
    assert {row["buyer"]["cellphone"] for row in of_buyer} == {order.buyer.phone}


# -- claims


async def test_a_request_lies_on_its_item_until_it_is_accepted(caller: Caller, world: World, clock: Clock) -> None:
    order, line = line_in(world, LineStatus.PREPARING)
    clock.forward(minutes=1)
    world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "늦어요")
    asked = await item_of(caller, order, line)

    reply = await caller.http.post(
        f"{ADMIN}/orders/{asked['order_id']}/cancellation",
        json={
            "shop_no": 1,
            "request": {
                "status": "canceled",
                "items": [{"order_item_code": asked["order_item_code"], "quantity": line.quantity}],
            },
        },
    )
    code = reply.json()["cancellation"]["claim_code"]
    after = await item_of(caller, order, line)
    claim = (await caller.get(f"/cancellation/{code}")).json()["cancellation"]

    assert (asked["order_status"], asked["claim_code"], asked["claim_reason_type"]) == ("C00", None, "B")
    assert asked["order_status_before_cs"] in ("N20", "N21", "N22")
    assert reply.status_code == 201
    assert (after["order_status"], after["claim_code"]) == ("C40", code)
    assert [item["order_item_code"] for item in claim["items"]] == [asked["order_item_code"]]
    assert claim["undone"] == "F"
    found = await caller.orders(date_type="cancel_complete_date", start_date="2026-11-22", end_date="2026-11-23")
    assert asked["order_id"] in {row["order_id"] for row in found}


async def test_a_part_is_split_off_as_an_item_of_its_own(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.DELIVERED, quantity=2)
    whole = await item_of(caller, order, line)

    reply = await caller.http.post(
        f"{ADMIN}/orders/{whole['order_id']}/return",
        json={
            "shop_no": 1,
            "request": {"status": "accepted", "items": [{"order_item_code": whole["order_item_code"], "quantity": 1}]},
        },
    )
    items = (await caller.get(f"/orders/{whole['order_id']}/items")).json()["items"]
    part = items[-1]

    assert reply.status_code == 201
    assert (await item_of(caller, order, line))["quantity"] == line.quantity - 1
    assert (part["quantity"], part["order_status"], part["original_item_no"]) == (1, "R10", [whole["item_no"]])


async def test_an_accepted_exchange_brings_a_replacement(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.DELIVERED)
    item = await item_of(caller, order, line)

    reply = await caller.http.post(
        f"{ADMIN}/orders/{item['order_id']}/exchange",
        json={
            "shop_no": 1,
            "request": {
                "status": "accepted",
                "same_product": "T",
                "items": [{"order_item_code": item["order_item_code"], "quantity": line.quantity}],
            },
        },
    )
    new_code = reply.json()["exchange"]["exchanged_items"][0]["order_item_code"]
    items = {row["order_item_code"]: row for row in (await caller.orders(order_id=item["order_id"]))[0]["items"]}

    assert reply.json()["exchange"]["claim_code"].startswith("B")
    assert items[item["order_item_code"]]["order_status"] == "E10"
    assert (items[new_code]["order_status"], items[new_code]["status_code"]) == ("N01", "N2")


def refusal(item: dict, **changes: object) -> dict:
    return {
        "order_id": item["order_id"],
        "order_item_code": [item["order_item_code"]],
        "undone": "T",
        "reason_type": "I",
        "display_reject_reason": "T",
        "reject_reason": "이미 출고되었습니다.",
    } | changes


async def test_a_refusal_takes_only_the_form_with_requests(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.PREPARING)
    claim = world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "늦어요")
    item = await item_of(caller, order, line)
    path = f"{ADMIN}/cancellationrequests"

    flat = await caller.http.put(path, json=refusal(item))
    single = await caller.http.put(path, json={"shop_no": 1, "request": refusal(item)})
    untouched = claim.step_at(world.now()).state
    good = await caller.http.put(path, json={"shop_no": 1, "requests": [refusal(item)]})
    again = await caller.http.put(path, json={"shop_no": 1, "requests": [refusal(item)]})

    assert (flat.status_code, single.status_code, untouched) == (400, 422, ClaimState.REQUESTED)
    assert good.json()["cancellationrequests"][0]["order_item_code"] == [item["order_item_code"]]
    assert again.status_code == 409
    assert (await item_of(caller, order, line))["order_status"] == "C11"


async def test_refusals_that_differ_are_a_207(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.PREPARING)
    world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "늦어요")
    item = await item_of(caller, order, line)
    unknown = refusal(item, order_id="20261122-9999999")

    reply = await caller.http.put(
        f"{ADMIN}/cancellationrequests", json={"shop_no": 1, "requests": [refusal(item), unknown]}
    )
    rows = reply.json()["cancellationrequests"]

    assert reply.status_code == 207
    assert (rows[0]["undone"], rows[1]["status"]) == ("T", 404)


async def test_a_dispatched_item_cannot_be_cancelled(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.DISPATCHED)
    item = await item_of(caller, order, line)

    reply = await caller.http.post(
        f"{ADMIN}/orders/{item['order_id']}/cancellation",
        json={"shop_no": 1, "request": {"status": "canceled", "items": [{"order_item_code": item["order_item_code"]}]}},
    )

    assert reply.status_code == 422


async def test_a_market_order_forbids_what_only_the_own_mall_can(caller: Caller, world: World) -> None:
    order = next(order for order in reversed(world.orders(SHOP)) if order.number % 33 == 0)
    order_id = f"{order.ordered_at + timedelta(hours=9):%Y%m%d}-{order.number:07d}"

    reply = await caller.http.post(
        f"{ADMIN}/orders/{order_id}/cancellation",
        json={"shop_no": order.sub_shop, "request": {"status": "canceled", "payment_gateway_cancel": "T"}},
    )

    assert (reply.status_code, "payment_gateway_cancel" in reply.text) == (422, True)


# -- items on their way


async def put(caller: Caller, path: str, body: dict, shop_no: int = 1) -> httpx.Response:
    return await caller.http.put(ADMIN + path, json={"shop_no": shop_no, "request": body})


async def post(caller: Caller, path: str, body: dict, shop_no: int = 1) -> httpx.Response:
    return await caller.http.post(ADMIN + path, json={"shop_no": shop_no, "request": body})


async def test_preparing_an_item_twice_is_a_409(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.PAID)
    item = await item_of(caller, order, line)
    path, body = (
        f"/orders/{item['order_id']}",
        {"process_status": "prepare", "order_item_code": [item["order_item_code"]]},
    )

    flat = await caller.http.put(ADMIN + path, json=body)
    wrong = await put(caller, path, body | {"process_status": "ready"})
    first = await put(caller, path, body)
    second = await put(caller, path, body)

    assert item["order_status"] == "N10"
    assert [flat.status_code, wrong.status_code, first.status_code, second.status_code] == [400, 422, 200, 409]
    assert first.json()["order"]["process_status"] == "prepare"
    assert (await item_of(caller, order, line))["order_status"] in ("N20", "N21")


async def test_the_day_of_shipping_is_told_per_item(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.PREPARING)
    item = await item_of(caller, order, line)
    path = f"/orders/{item['order_id']}/items/{item['order_item_code']}"

    missing = await put(caller, path, {"shipping_expected_date": ""})
    nonsense = await put(caller, path, {"shipping_expected_date": "soon"})
    good = await put(caller, path, {"shipping_expected_date": "2026-12-24"})

    assert [missing.status_code, nonsense.status_code, good.status_code] == [422, 422, 200]
    assert (await item_of(caller, order, line))["shipping_expected_date"] == "2026-12-24"


async def test_a_parcel_needs_its_fields_and_leaves_once(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.PREPARING)
    item = await item_of(caller, order, line)
    path = f"/orders/{item['order_id']}/shipments"
    body = {
        "tracking_no": "600000000002",
        "shipping_company_code": "0006",
        "status": "shipping",
        "order_item_code": [item["order_item_code"]],
    }

    refused = [
        (await post(caller, path, body | change)).status_code
        for change in (
            {"tracking_no": ""},
            {"tracking_no": "1" * 41},
            {"status": "shipped"},
            {"shipping_company_code": "x"},
        )
    ]
    sent = await post(caller, path, body)
    again = await post(caller, path, body)
    shown = (await caller.get(path)).json()["shipments"]

    assert refused == [422] * 4
    assert (sent.status_code, again.status_code) == (201, 422)
    assert sent.json()["shipments"][0]["order_item_code"] == [item["order_item_code"]]
    assert "600000000002" in {row["tracking_no"] for row in shown}
    assert (await item_of(caller, order, line))["order_status"] == "N30"


# -- requests filed for the customer


async def test_a_filed_return_needs_its_fields(caller: Caller, world: World) -> None:
    order, line = line_in(world, LineStatus.DELIVERED, quantity=2)
    item = await item_of(caller, order, line)
    body = {
        "order_id": item["order_id"],
        "reason_type": "K",
        "reason": "지퍼 고장",
        "request_pickup": "F",
        "items": [{"order_item_code": item["order_item_code"], "quantity": 1}],
    }
    path = f"{ADMIN}/returnrequests"

    async def file(**change: object) -> httpx.Response:
        return await caller.http.post(path, json={"shop_no": 1, "requests": [body | change]})

    single = await post(caller, "/returnrequests", body)
    refused = [
        (await file(**change)).status_code
        for change in (
            {"reason": ""},
            {"reason_type": "V"},
            {"request_pickup": None},
            {"request_pickup": "T"},
            {"request_pickup": "T", "pickup": {"name": "김민수", "cellphone": "010-0000-0001"}},
            {"items": [{"order_item_code": item["order_item_code"], "quantity": 99}]},
        )
    ]
    good = await file()
    again = await file()

    assert single.status_code == 422
    assert refused == [422] * 6
    assert (good.status_code, again.status_code) == (201, 422)
    assert good.json()["returnrequests"][0]["items"] == body["items"]
    after = await item_of(caller, order, line)
    assert (after["order_status"], after["claim_quantity"], after["claim_code"]) == ("R00", 1, None)


async def test_a_return_is_collected_once_and_closed(caller: Caller, world: World, clock: Clock) -> None:
    order, line = line_in(world, LineStatus.DELIVERED)
    claim = world.request_claim(line, ClaimKind.RETURN, ClaimReason.DEFECT, "")
    clock.forward(minutes=1)
    world.move_claim(line, claim, ClaimState.ACCEPTED, "seller")
    item = await item_of(caller, order, line)
    path = f"/orders/{item['order_id']}/return/{item['claim_code']}"
    collect = {"pickup_completed": "T", "return_invoice_no": "600000000001"}

    foreign = await put(caller, path, collect | {"items": [{"order_item_code": "20261101-0000001-01"}]})
    long = await put(caller, path, collect | {"return_shipping_company_name": "가" * 31})
    replies = [await put(caller, path, collect) for _ in range(2)]
    closed = await put(caller, path, {"status": "returned"})
    ended = await put(caller, path, {"status": "returned"})

    assert (foreign.status_code, long.status_code) == (422, 422)
    assert [reply.status_code for reply in replies] == [200, 409]
    assert replies[0].json()["return"]["return_invoice_no"] == "600000000001"
    assert (closed.status_code, ended.status_code) == (200, 422)
    assert (await item_of(caller, order, line))["order_status"] == "R40"


async def test_withdrawing_a_cancel_asks_for_all_its_fields(caller: Caller, world: World, clock: Clock) -> None:
    order, line = line_in(world, LineStatus.PREPARING)
    claim = world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "")
    clock.forward(minutes=1)
    world.move_claim(line, claim, ClaimState.APPROVED, "seller")
    item = await item_of(caller, order, line)
    path = f"/orders/{item['order_id']}/cancellation/{item['claim_code']}"
    body = {"undone": "T", "undone_reason_type": "I", "recover_inventory": "F", "add_memo_too": "F"}

    short = await put(caller, path, body)
    whole = await put(caller, path, body | {"expose_order_detail": "F"})

    assert (short.status_code, whole.status_code) == (422, 200)
    assert (await item_of(caller, order, line))["request_undone"] == "Cancellation"


# -- memos and points


async def test_memos_and_points_stand_as_often_as_they_were_sent(caller: Caller, world: World) -> None:
    order = next(order for order in world.orders(SHOP) if order.sub_shop == 1 and order.buyer.member_id)
    number = f"{order.ordered_at + timedelta(hours=9):%Y%m%d}-{order.number:07d}"
    give = {
        "member_id": order.buyer.member_id,
        "order_id": number,
        "amount": 3000,
        "type": "increase",
        "reason": "보상",
    }

    long = await post(caller, f"/orders/{number}/memos", {"content": "가" * 1001})
    memos = [await post(caller, f"/orders/{number}/memos", {"content": "메모"}) for _ in range(2)]
    listed = (await caller.get(f"/orders/{number}/memos")).json()["memos"]
    many = (await caller.get("/orders/memos", order_id=number)).json()["memos"]
    stranger = await post(caller, "/points", give | {"member_id": "nobody"})
    much = await post(caller, "/points", give | {"amount": 1_000_001})
    given = [await post(caller, "/points", give) for _ in range(2)]
    undated = await caller.get("/points")
    history = (await caller.get("/points", start_date="2026-11-22", end_date="2026-11-22")).json()["points"]

    assert [long.status_code, *(reply.status_code for reply in memos)] == [422, 201, 201]
    assert [memo["content"] for memo in listed] == ["메모", "메모"] == [memo["content"] for memo in many]
    assert [stranger.status_code, much.status_code, undated.status_code] == [422, 422, 422]
    assert given[0].json()["points"]["amount"] == "3000.00"
    assert [(row["order_id"], row["available_points_increase"], row["case"]) for row in history] == [
        (number, "3000.00", "AM")
    ] * 2
    assert [row["text"] for row in caller.mall.truth().memos] == ["메모", "메모"]
    assert [row["amount"] for row in caller.mall.truth().points] == [3000, 3000]


# -- inquiries


async def articles(caller: Caller, **query: object) -> list[dict]:
    found: list[dict] = []
    for shop_no in (1, 2):
        for board in (6, 9):
            while True:
                page = {
                    "limit": 100,
                    "offset": len([a for a in found if (a["board_no"], a["shop_no"]) == (board, shop_no)]),
                }
                rows = (await caller.get(f"/boards/{board}/articles", shop_no=shop_no, **page, **query)).json()[
                    "articles"
                ]
                found.extend(rows)
                if len(rows) < 100:
                    break
    return found


async def test_answers_come_in_the_list_of_their_questions(caller: Caller, world: World) -> None:
    answered = next(
        inquiry
        for inquiry in world.inquiries(SHOP)
        if inquiry.item and not inquiry.order and world.said(inquiry.answers)
    )
    world.follow_up(answered, "하나 더 여쭤볼게요")

    found = await articles(caller)
    roots = [row for row in found if row["reply_depth"] == 0]
    answers = [row for row in found if row["member_id"] == "hubmall"]

    assert len({(row["shop_no"], row["article_no"]) for row in found}) == len(found)
    assert {row["parent_article_no"] == row["article_no"] for row in roots} == {True, False}
    assert {None, 0} <= {row["parent_article_no"] for row in roots}
    assert answers
    assert all(row["reply_depth"] > 0 and row["reply_status"] is None for row in answers)
    assert {row["reply_status"] for row in roots} == {"N", "P", "C"}
    assert any("<script>" in row["content"] for row in roots) or any("onerror" in row["content"] for row in roots)


async def test_an_answer_posted_twice_stands_there_twice(caller: Caller, world: World, clock: Clock) -> None:
    order, _ = line_in(world, LineStatus.PREPARING)
    inquiry = world.ask(SHOP, subject="문의", text="언제 오나요?", order=order)
    if inquiry.number % 10 == 0:  # that one would be an urgent inquiry
        inquiry = world.ask(SHOP, subject="문의", text="언제 오나요?", order=order)
    root = next(row for row in await articles(caller, reply_status="N") if row["article_no"] == inquiry.number * 2)
    clock.forward(minutes=1)
    post = {
        "writer": "hubmall",
        "title": "RE: 문의",
        "content": "내일 출고됩니다.",
        "client_ip": "203.0.113.10",
        "reply_article_no": root["article_no"],
        "reply_status": "C",
    }

    flat = await caller.http.post(f"{ADMIN}/boards/9/articles", json=post)
    incomplete = await caller.http.post(
        f"{ADMIN}/boards/9/articles", json={"shop_no": 1, "requests": [post | {"client_ip": ""}]}
    )
    replies = [
        await caller.http.post(f"{ADMIN}/boards/9/articles", json={"shop_no": 1, "requests": [post]}) for _ in range(2)
    ]
    children = [row for row in await articles(caller) if row["title"] == "RE: 문의"]

    assert (flat.status_code, incomplete.status_code) == (400, 422)
    assert [reply.status_code for reply in replies] == [201, 201]
    assert len(children) == 2
    assert (await articles(caller, article_no=root["article_no"]))[0]["reply_status"] == "C"


async def test_an_urgent_inquiry_is_answered_by_its_own_call(caller: Caller) -> None:
    waiting: list[dict] = []
    for shop_no in (1, 2):
        waiting.extend((await caller.get("/urgentinquiry", limit=100, shop_no=shop_no)).json()["urgentinquiry"])
    row = waiting[0]
    path = f"{ADMIN}/urgentinquiry/{row['article_no']}/reply"

    wrong = await caller.http.post(path, json={"shop_no": row["shop_no"], "request": {"content": "확인 중"}})
    good = await caller.http.post(
        path, json={"shop_no": row["shop_no"], "request": {"content": "확인 중", "user_id": "hubmall", "status": "I"}}
    )

    changed = await caller.http.put(path, json={"shop_no": row["shop_no"], "request": {"content": "처리했습니다"}})

    assert (wrong.status_code, good.status_code) == (422, 201)
    assert good.json()["reply"]["content"] == "<p>확인 중</p>"
    assert changed.json()["reply"]["content"] == "<p>처리했습니다</p>"
    assert changed.json()["reply"]["count"] == good.json()["reply"]["count"]


async def test_an_answer_is_changed_in_its_place(caller: Caller, world: World) -> None:
    inquiry = next(
        inquiry
        for inquiry in world.inquiries(SHOP)
        if inquiry.item and not inquiry.order and inquiry.sub_shop == 1 and world.said(inquiry.answers)
    )
    answer = world.said(inquiry.answers)[-1]
    path = f"/boards/6/articles/{answer.number * 2 + 1}"

    many = await caller.http.put(ADMIN + path, json={"shop_no": 1, "requests": [{"content": "새 답변"}]})
    status = await put(caller, path, {"content": "새 답변", "reply_status": "N"})
    good = await put(caller, path, {"content": "새 답변"})

    assert (many.status_code, status.status_code, good.status_code) == (422, 422, 200)
    assert good.json()["article"]["content"] == "<p>새 답변</p>"
    assert answer.text == "새 답변"


# -- truth


async def test_the_truth_is_what_the_mall_shows(caller: Caller) -> None:
    truth = caller.mall.truth()
    items = {
        item["order_item_code"]: item
        for shop_no in (1, 2)
        for order in await caller.orders(shop_no=shop_no)
        for item in order["items"]
    }
    coded = [claim["claim_code"] for shop_no in (1, 2) for order in await caller.orders(shop_no=shop_no)
             for name in ("cancellation", "return", "exchange") for claim in order[name]]  # fmt: skip

    assert {row["line_no"]: row["raw_status"] for row in truth.lines} == {
        code: item["order_status"] for code, item in items.items()
    }
    assert sorted(row["claim_no"] for row in truth.claims if row["claim_no"]) == sorted(coded)
    assert all(row["remaining_quantity"] == 0 for row in truth.lines if row["status"] in ("cancelled", "returned"))
    roots = [row for row in await articles(caller) if row["reply_depth"] == 0]
    assert len([row for row in truth.inquiries if "urgent" not in row["inquiry_no"]]) == len(roots)


async def test_orders_are_found_by_who_bought_and_whether_it_is_paid(caller: Caller) -> None:
    everything = {order["order_id"]: order for order in await caller.orders()}

    guests = await caller.orders(member_type="3")
    members = await caller.orders(member_type="2")
    unpaid = await caller.orders(payment_status="F")
    asked_by_market = await caller.orders(market_cancel_request="T")

    assert {order["order_id"] for order in guests + members} == set(everything)
    assert all(not order["member_id"] for order in guests)
    assert all(order["member_id"] for order in members)
    assert {order["order_id"] for order in unpaid} == {no for no, order in everything.items() if order["paid"] == "F"}
    assert asked_by_market == []


async def test_one_supplier_one_refund_and_one_suppliers_items_are_found(caller: Caller) -> None:
    window = {"start_date": "2026-08-24", "end_date": "2026-11-22"}
    refunds = (await caller.get("/refunds", **window, date_type="accepted_refund_date")).json()["refunds"]
    order = next(order for order in await caller.orders() if len({item["supplier_id"] for item in order["items"]}) > 1)
    code = order["items"][0]["supplier_id"]

    refund = await caller.get(f"/refunds/{refunds[0]['refund_code']}")
    supplier = await caller.get(f"/suppliers/{code}")
    items = await caller.get(f"/orders/{order['order_id']}/items", supplier_id=code)

    assert refund.json()["refund"] == refunds[0]
    assert supplier.json()["supplier"]["supplier_code"] == code
    assert {item["supplier_id"] for item in items.json()["items"]} == {code}
    assert (await caller.get("/suppliers/S9999999")).status_code == 404
    assert (await caller.get("/refunds/C20261119-9999999")).status_code == 404
    assert (await caller.get("/refunds", **window, date_type="order_date")).status_code == 422


async def test_comments_stand_below_their_post_and_move_no_state(caller: Caller) -> None:
    window = {"start_date": "2026-08-24", "end_date": "2026-11-22", "limit": 100}
    question = (await caller.get("/boards/9/articles", **window, reply_status="N")).json()["articles"][0]
    place = f"/boards/9/articles/{question['article_no']}/comments"
    written = {"content": "내일 출고됩니다.", "writer": "데모몰", "password": "1234", "member_id": "hubmall"}

    made = await caller.http.post(ADMIN + place, json={"shop_no": 1, "request": written})
    incomplete = await caller.http.post(ADMIN + place, json={"shop_no": 1, "request": {"content": "?"}})

    (comment,) = (await caller.get(place)).json()["comments"]
    commented = (await caller.get("/boards/9/articles", **window, comment="T")).json()["articles"]
    of_board = (await caller.get("/boards/9/comments")).json()["comments"]
    after = (await caller.get("/boards/9/comments", since_comment_no=comment["comment_no"])).json()["comments"]
    assert (made.status_code, incomplete.status_code) == (201, 422)
    assert comment["content"] == "내일 출고됩니다."
    assert [(post["article_no"], post["reply_status"]) for post in commented] == [(question["article_no"], "N")]
    assert (of_board, after) == ([comment], [])


async def test_urgent_inquiries_are_found_by_their_order(caller: Caller) -> None:
    window = {"start_date": "2026-08-24", "end_date": "2026-11-22", "limit": 100}
    everything = (await caller.get("/urgentinquiry", **window)).json()["urgentinquiry"]
    about = next(row for row in everything if row["search_type"] == "O")

    found = (await caller.get("/urgentinquiry", **window, search_type="O", keyword=about["keyword"])).json()

    assert about in found["urgentinquiry"]
    assert {row["keyword"] for row in found["urgentinquiry"]} == {about["keyword"]}
