"""The emulated Qoo10 Japan does what the reference of its QAPI says, awkward parts included."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.qoo10.sandbox import API_KEY, PASSWORD, SERVICE, USER_ID, Qoo10, build
from connectors.qoo10.sandbox_render import JST, STATUS_TEXTS, Shapes, order_no, pack_no
from hub.core.model import ClaimKind, ClaimReason, ClaimState, LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.kit import CLAIM_COLUMNS, INQUIRY_COLUMNS, LINE_COLUMNS, SandboxOptions
from hub.sandbox.world import World, make_world

SHOP = "main-qoo10"
ORDERS = "ShippingBasic.GetShippingInfo_v3"
ONE_ORDER = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2"
CLAIMS = "ShippingBasic.GetClaimInfo_V3"
MESSAGES = "CSCenter.GetInquiryMessage"
WINDOW = {"SearchStartDate": "20261020", "SearchEndDate": "20261122"}
CLAIM_WINDOW = {"search_Sdate": "20261020", "search_Edate": "20261122"}
MESSAGE_WINDOW = {"search_start_dt": "20261020", "search_end_dt": "20261122"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Shop:
    """One emulated shop with a client that holds a seller key."""

    def __init__(self, options: SandboxOptions) -> None:
        self.clock = Clock()
        self.world: World = make_world(now=self.clock, orders=2000, days=20)
        self.mall: Qoo10 = build(self.world, shop=SHOP, options=options)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.mall.app), base_url=f"http://mall.test{SERVICE}"
        )
        self.key = self.mall.seller_key

    async def call(self, method: str, **fields: str) -> dict[str, Any]:
        answer = await self.http.post(f"/{method}", data=fields, headers={"GiosisCertificationKey": self.key})
        assert answer.status_code == 200
        return answer.json()

    async def rows(self, method: str, **fields: str) -> list[dict[str, Any]]:
        """The rows of a read, keys in small letters."""
        envelope = await self.call(method, **fields)
        assert envelope["ResultCode"] == 0
        return [{key.lower(): value for key, value in row.items()} for row in envelope["ResultObject"] or []]

    async def orders(self, **fields: str) -> list[dict[str, Any]]:
        return await self.rows(ORDERS, **(WINDOW | fields))

    def pick(self, fits: Callable[[LineFact], bool]) -> tuple[OrderFact, LineFact, str]:
        for order in self.world.orders(SHOP):
            for line in order.lines:
                if fits(line):
                    return order, line, str(order_no(line))
        pytest.fail("the World holds no such line")

    def in_status(self, status: LineStatus) -> tuple[OrderFact, LineFact, str]:
        """A line on which nobody ever claimed anything."""
        return self.pick(lambda line: line.status(self.clock.now) is status and not line.claims)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop(SandboxOptions())
    yield made
    await made.http.aclose()


# -- keys and envelopes


async def test_a_seller_key_is_issued_for_the_api_key(shop: Shop) -> None:
    shop.key = API_KEY
    issued = await shop.call("CertificationAPI.CreateCertificationKey", user_id=USER_ID, pwd=PASSWORD)
    wrong = await shop.call("CertificationAPI.CreateCertificationKey", user_id=USER_ID, pwd="x")
    shop.key = issued["ResultObject"]
    read = await shop.call(ORDERS, **WINDOW)

    assert issued["ResultCode"] == 0
    assert "_g_2_" in issued["ResultObject"]
    assert wrong["ResultCode"] == -10001
    assert read["ResultCode"] == 0
    assert shop.mall.keys_issued == 2


async def test_a_wrong_key_looks_like_a_missing_api(shop: Shop) -> None:
    shop.key = "somebody"
    answer = await shop.call(ORDERS, **WINDOW)

    assert answer == {"ErrorCode": -90001, "ErrorMsg": "存在しないAPIです。"}


async def test_an_expired_key_is_named(shop: Shop) -> None:
    shop.mall.expire_keys()

    assert (await shop.call(ORDERS, **WINDOW))["ErrorCode"] == -90004


async def test_a_key_ends_after_a_year(shop: Shop) -> None:
    shop.clock.now += timedelta(days=365)

    assert (await shop.call(ORDERS, **WINDOW))["ErrorCode"] == -90004


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ShopInquiry.Get", "Can't find service Name ShopInquiry"),
        ("Claim.SetReturnProcess", "Can't find method Info SetReturnProcess"),
    ],
)
async def test_what_does_not_exist_answers_in_plain_text(shop: Shop, name: str, text: str) -> None:
    answer = await shop.http.post(f"/{name}")

    assert (answer.status_code, answer.text) == (200, text)


async def test_method_names_ignore_case(shop: Shop) -> None:
    assert (await shop.call(ORDERS.upper(), **WINDOW))["ResultCode"] == 0


async def test_a_null_value_is_no_empty_value(shop: Shop) -> None:
    assert (await shop.call(ORDERS, **(WINDOW | {"SearchCondition": "null"})))["ErrorCode"] == -90001


async def test_limits_hold_when_they_are_set() -> None:
    limited = Shop(SandboxOptions(rate_per_second=2, burst=2))
    headers = {"GiosisCertificationKey": limited.key}
    codes = [(await limited.http.post(f"/{ORDERS}", data=WINDOW, headers=headers)).status_code for _ in range(6)]
    await limited.http.aclose()

    assert codes[0] == 200
    assert codes[-1] == 429


async def test_an_empty_result_is_null_or_an_empty_list(shop: Shop) -> None:
    nothing = {"ShippingStatus": "5", "SearchStartDate": "20200101", "SearchEndDate": "20200102"}
    seen = [(await shop.call(ORDERS, **nothing))["ResultObject"] for _ in range(4)]

    assert None in seen
    assert [] in seen


# -- orders


async def test_the_five_statuses_hold_every_line_that_has_not_vanished(shop: Shop) -> None:
    shown = {}
    for status in "12345":
        for row in await shop.orders(ShippingStatus=status, SearchCondition="1"):
            shown[str(row["orderno"])] = row["shippingstatus"]
            assert row["shippingstatus"] == STATUS_TEXTS[int(status)]

    truth = shop.mall.truth().lines
    listed = {row["line_no"]: row["raw_status"] for row in truth if row["status"] not in ("cancelled", "returned")}
    assert shown == listed
    assert len(listed) < len(truth)


async def test_no_status_means_the_first_three(shop: Shop) -> None:
    shown = {str(row["orderno"]) for row in await shop.orders(ShippingStatus="")}
    first_three = {"pending_payment", "paid", "preparing"}

    assert shown == {row["line_no"] for row in shop.mall.truth().lines if row["status"] in first_three}
    assert shown


async def test_the_condition_chooses_the_date(shop: Shop) -> None:
    sent = [
        line
        for order in shop.world.orders(SHOP)
        for line in order.lines
        if line.status(shop.clock.now) is LineStatus.DISPATCHED
    ]
    day = max(line.at_of(LineStatus.DISPATCHED, shop.clock.now) for line in sent).astimezone(JST).date()  # type: ignore[type-var, union-attr]
    text = f"{day:%Y%m%d}"

    by_shipping = await shop.orders(
        ShippingStatus="4", SearchCondition="3", SearchStartDate=text, SearchEndDate=f"{text}235959"
    )
    by_order = await shop.orders(
        ShippingStatus="4", SearchCondition="1", SearchStartDate=text, SearchEndDate=f"{text}235959"
    )

    assert by_shipping
    assert {row["orderno"] for row in by_shipping} != {row["orderno"] for row in by_order}


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("20260823", "20261121", 0),
        ("20260823", "20261122", -10001),
        ("2026-08-23", "20261122", -10001),
        ("20261122", "20261121", -10001),
    ],
)
async def test_a_window_has_90_days_at_most(shop: Shop, start: str, end: str, code: int) -> None:
    answer = await shop.call(ORDERS, SearchStartDate=start, SearchEndDate=end)

    assert answer["ResultCode"] == code


async def test_an_end_of_eight_digits_takes_in_the_day(shop: Shop) -> None:
    newest = list(shop.world.orders(SHOP))[-1]
    day = f"{newest.ordered_at.astimezone(JST):%Y%m%d}"
    numbers = {
        str(row["packno"])
        for status in "12345"
        for row in await shop.orders(ShippingStatus=status, SearchStartDate=day, SearchEndDate=day)
    }

    assert str(pack_no(newest)) in numbers


async def test_rows_come_in_the_shapes_that_users_have_met(shop: Shop) -> None:
    envelope = await shop.call(ORDERS, **(WINDOW | {"ShippingStatus": "5"}))
    rows = envelope["ResultObject"]
    low = [{key.lower(): value for key, value in row.items()} for row in rows]

    assert {"OrderNo" in row for row in rows} == {True, False}
    assert {type(row["orderno"]) for row in low} == {int, str}
    assert {type(row["total"]) for row in low} == {int, float, str}
    assert {len(row["orderdate"]) for row in low} == {14, 16, 19}
    assert any("/" in row["orderdate"] for row in low)
    assert any(len(row["delivereddate"]) == 10 for row in low)
    assert any(row["selleritemcode"].endswith(" ") for row in low)
    assert {row["buyerkana"] == "" for row in low} == {True, False}
    assert any(", " in row["relatedorder"] for row in low)


async def test_a_carrier_is_named_before_the_parcel_is_sent(shop: Shop) -> None:
    rows = await shop.orders(ShippingStatus="3")

    assert {bool(row["deliverycompany"]) for row in rows} == {True, False}
    assert {row["trackingno"] for row in rows} == {""}


async def test_the_second_version_answers_under_old_names(shop: Shop) -> None:
    envelope = await shop.call(
        "ShippingBasic.GetShippingInfo_v2", ShippingStat="3", search_Sdate="20261020", search_Edate="20261122"
    )
    row = envelope["ResultObject"][0]

    assert {"shippingStatus", "packNo", "EstShippingDate", "itemCode", "buyer_gata", "hopeDate"} <= row.keys()


# -- claims


async def test_a_cancelled_line_vanishes_and_is_found_by_its_number(shop: Shop) -> None:
    _, line, number = shop.in_status(LineStatus.PREPARING)
    claim = shop.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "不要になりました")
    requested_at = shop.clock.now
    still_there = number in {str(row["orderno"]) for row in await shop.orders(ShippingStatus="3")}
    shop.clock.now += timedelta(minutes=5)
    shop.world.move_claim(line, claim, ClaimState.DONE, "seller")

    vanished = number not in {str(row["orderno"]) for row in await shop.orders(ShippingStatus="3")}
    row = (await shop.rows(ONE_ORDER, OrderNo=number))[0]
    claims = [found for found in await shop.rows(CLAIMS, **CLAIM_WINDOW) if str(found["orderno"]) == number]

    assert still_there
    assert vanished
    assert (row["claimstatus"], row["reason"]) == ("3", "不要になりました")
    assert [found["claimstatus"] for found in claims] == ["3"]
    assert claims[0]["requestdate"].replace("-", "").replace(":", "").replace(" ", "") == (
        f"{requested_at.astimezone(JST):%Y%m%d%H%M%S}"
    )


async def test_a_refused_request_just_disappears(shop: Shop) -> None:
    _, line, number = shop.in_status(LineStatus.PREPARING)
    claim = shop.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "遅い")
    before = [row for row in await shop.rows(CLAIMS, **CLAIM_WINDOW) if str(row["orderno"]) == number]
    shop.world.move_claim(line, claim, ClaimState.REJECTED, "seller")
    after = [row for row in await shop.rows(CLAIMS, **CLAIM_WINDOW) if str(row["orderno"]) == number]

    assert [row["claimstatus"] for row in before] == ["1"]
    assert after == []
    assert (await shop.rows(ONE_ORDER, OrderNo=number))[0]["claimstatus"] == ""


async def test_an_order_never_paid_for_becomes_claim_16(shop: Shop) -> None:
    shop.clock.now += timedelta(days=2)
    rows = await shop.rows(CLAIMS, **CLAIM_WINDOW, ClaimStat="16")
    truth = {row["line_no"]: row["status"] for row in shop.mall.truth().lines}

    assert rows
    assert {truth[str(row["orderno"])] for row in rows} == {"cancelled"}


async def test_completion_is_searched_by_its_own_condition(shop: Shop) -> None:
    rows = await shop.rows(CLAIMS, **CLAIM_WINDOW, search_condition="3")

    assert rows
    assert {row["claimstatus"] for row in rows} <= {"3", "6", "16"}
    assert all(row["cancelrefunddate"] for row in rows)


async def test_claims_of_more_than_90_days_have_a_code_of_their_own(shop: Shop) -> None:
    assert (await shop.call(CLAIMS, search_Sdate="20260101", search_Edate="20261122"))["ResultCode"] == -10003


async def test_an_unknown_order_number_is_an_empty_list(shop: Shop) -> None:
    assert await shop.rows(ONE_ORDER, OrderNo="1") == []
    assert await shop.rows(ONE_ORDER, OrderNo="no number") == []


# -- what sellers do


async def test_confirm_moves_an_order_to_3_with_its_planned_day(shop: Shop) -> None:
    _, _, number = shop.in_status(LineStatus.PAID)

    answer = await shop.call(
        "ShippingBasic.SetSellerCheckYN_V2", OrderNo=number, EstShipDt="20261124", DelayType="", DelayMemo=""
    )
    row = next(row for row in await shop.orders(ShippingStatus="3") if str(row["orderno"]) == number)

    assert answer == {"ResultCode": 0, "ResultMsg": "SUCCESS"}
    assert row["estimatedshippingdate"] == "2026-11-24"


async def test_a_parcel_moves_an_order_to_4_from_2_directly(shop: Shop) -> None:
    _, _, number = shop.in_status(LineStatus.PAID)

    refused = await shop.call("ShippingBasic.SetSendingInfo", OrderNo=number, ShippingCorp="佐川急便", TrackingNo="")
    await shop.call("ShippingBasic.SetSendingInfo", OrderNo=number, ShippingCorp="佐川急便", TrackingNo="500000000001")
    row = next(row for row in await shop.orders(ShippingStatus="4") if str(row["orderno"]) == number)

    assert refused["ResultCode"] == -10001
    assert (row["deliverycompany"], row["trackingno"]) == ("佐川急便", "500000000001")


async def test_a_sellers_cancel_ends_lines_that_are_not_sent(shop: Shop) -> None:
    _, _, waiting = shop.in_status(LineStatus.PREPARING)
    _, _, sent = shop.in_status(LineStatus.DISPATCHED)
    fields = {"CancelReason": "", "SellerMemo": "", "returnFeeStat": ""}

    done = await shop.call("Claim.SetCancelProcess", ContrNo=waiting, **fields)
    again = await shop.call("Claim.SetCancelProcess", ContrNo=waiting, **fields)
    refused = await shop.call("Claim.SetCancelProcess", ContrNo=sent, **fields)
    missing = await shop.call("Claim.SetCancelProcess", ContrNo="1", **fields)

    assert done == {"ResultCode": 0, "ResultMsg": "SUCCESS"}
    assert [found["ResultCode"] for found in (again, refused, missing)] == [-10004, -10004, -10002]
    assert (await shop.rows(ONE_ORDER, OrderNo=waiting))[0]["claimstatus"] == "3"


async def test_an_exchange_is_accepted_then_sent_again(shop: Shop) -> None:
    _, line, number = shop.in_status(LineStatus.DELIVERED)
    shop.world.request_claim(line, ClaimKind.EXCHANGE, ClaimReason.DEFECT, "壊れています")
    parcel = {
        "orderNo": number,
        "redelivery_date": "2026-11-23",
        "invoice_no": "500000000009",
        "del_comapny_name": "佐川急便",
    }

    too_early = await shop.call("Claim.SetClaimRedelivery", **parcel)
    accepted = await shop.call("Claim.SetClaimAccept", orderNo=number)
    again = await shop.call("Claim.SetClaimAccept", orderNo=number)
    between = (await shop.rows(ONE_ORDER, OrderNo=number))[0]["claimstatus"]
    undashed = await shop.call("Claim.SetClaimRedelivery", **(parcel | {"redelivery_date": "20261123"}))
    well_spelt = await shop.call(
        "Claim.SetClaimRedelivery", **(parcel | {"del_comapny_name": "", "del_company_name": "佐川急便"})
    )
    sent = await shop.call("Claim.SetClaimRedelivery", **parcel)

    assert [answer["ResultCode"] for answer in (too_early, accepted, again)] == [-10001, 0, -10001]
    assert between == "12"
    assert [answer["ResultCode"] for answer in (undashed, well_spelt, sent)] == [-10001, -10001, 0]
    assert (await shop.rows(ONE_ORDER, OrderNo=number))[0]["claimstatus"] == "13"


async def test_a_bulk_confirmation_answers_row_by_row(shop: Shop) -> None:
    paid = [
        str(order_no(line))
        for order in shop.world.orders(SHOP)
        for line in order.lines
        if line.status(shop.clock.now) is LineStatus.PAID and not line.claims
    ]
    _, _, confirmed = shop.in_status(LineStatus.PREPARING)
    _, _, sent = shop.in_status(LineStatus.DISPATCHED)
    wanted = [
        (paid[0], "20261124", 0),
        (confirmed, "20261124", -10012),
        (sent, "20261124", -10013),
        (paid[1], "", -10016),
        (paid[1], "20270124", -10017),
        (paid[1], "20261121", -10018),
        ("1", "20261124", -10001),
    ]
    rows = [{"OrderNo": number, "EstShipDt": day, "DelayType": "", "DelayMemo": ""} for number, day, _ in wanted]

    answer = await shop.call("ShippingBasic.SetSellerCheckYNBulk", SendPlanDtInfoJson=json.dumps(rows))
    too_many = await shop.call("ShippingBasic.SetSellerCheckYNBulk", SendPlanDtInfoJson=json.dumps(rows * 100))

    assert answer["ResultCode"] == 0
    assert [(str(row["cont_no"]), row["result_cd"], row["ResultCode"]) for row in answer["ResultObject"]] == [
        (number, code, code) for number, _, code in wanted
    ]
    assert too_many["ResultCode"] == -10011


async def test_a_bulk_dispatch_answers_row_by_row(shop: Shop) -> None:
    _, _, waiting = shop.in_status(LineStatus.PREPARING)
    rows = [
        {"OrderNo": waiting, "ShippingCorp": "ゆうパック", "TrackingNo": "500000000002"},
        {"OrderNo": waiting, "ShippingCorp": "ゆうパック", "TrackingNo": ""},
    ]

    answer = await shop.call("ShippingBasic.SetSendingInfoBulk", ShippingInfoJson=json.dumps(rows))

    assert [(str(row["contr_no"]), row["transc_nm"], row["result_cd"]) for row in answer["ResultObject"]] == [
        (waiting, "ゆうパック", 0),
        (waiting, "ゆうパック", -10001),
    ]
    assert (await shop.rows(ONE_ORDER, OrderNo=waiting))[0]["trackingno"] == "500000000002"


async def test_a_day_before_today_cannot_be_promised(shop: Shop) -> None:
    _, _, number = shop.in_status(LineStatus.PAID)

    answer = await shop.call("ShippingBasic.SetSellerCheckYN_V2", OrderNo=number, EstShipDt="20261121")

    assert answer["ResultCode"] == -10001


# -- goods


async def test_goods_are_listed_by_status_and_told_one_by_one(shop: Shop) -> None:
    pages = {
        status: (await shop.call("ItemsLookup.GetAllGoodsInfo", ItemStatus=status, Page="1"))["ResultObject"]
        for status in ("S0", "S1", "S2", "S3", "S5", "S8")
    }
    beyond = (await shop.call("ItemsLookup.GetAllGoodsInfo", ItemStatus="S2", Page="2"))["ResultObject"]
    item = pages["S2"]["Items"][0]
    (detail,) = (await shop.call("ItemsLookup.GetItemDetailInfo", ItemCode=item["ItemCode"]))["ResultObject"]
    missing = await shop.call("ItemsLookup.GetItemDetailInfo", ItemCode="1")
    stock = [
        (await shop.call("ItemsLookup.GetGoodsInventoryInfo", ItemCode=each["ItemCode"]))["ResultObject"]
        for each in pages["S2"]["Items"]
    ]

    assert sum(page["TotalItems"] for page in pages.values()) == len(shop.world.goods(SHOP))
    assert (pages["S2"]["TotalPages"], pages["S2"]["PresentPage"], pages["S0"]["TotalPages"]) == (1, 1, 0)
    assert beyond["Items"] == []
    assert {type(value) for value in detail.values()} == {str}
    assert (detail["ItemCode"], detail["ItemStatus"]) == (item["ItemCode"], "S2")
    assert missing["ResultCode"] == -10001
    assert {rows is None for rows in stock} == {True, False}


# -- inquiries


async def test_the_three_statuses_hold_every_message(shop: Shop) -> None:
    numbers = [
        f"{row['inq_type']}:{row['question_no']}:{row['seq_no']}"
        for status in ("S1", "S2", "S3")
        for row in await shop.rows(MESSAGES, **MESSAGE_WINDOW, proc_status=status)
    ]

    assert len(set(numbers)) == len(numbers)
    assert sorted(numbers) == sorted(row["inquiry_no"] for row in shop.mall.truth().inquiries)


async def test_an_answer_changes_the_status_and_a_second_one_is_posted_too(shop: Shop) -> None:
    order, _, number = shop.in_status(LineStatus.PREPARING)
    inquiry = shop.world.ask(SHOP, subject="いつ", text="まだですか", category="配送", order=order)
    row = next(
        found
        for found in await shop.rows(MESSAGES, **MESSAGE_WINDOW, proc_status="S1")
        if found["contents"] == "まだですか"
    )
    fields = {"inq_type": row["inq_type"], "question_no": str(row["question_no"]), "seq_no": str(row["seq_no"])}

    first = await shop.call("CSCenter.SetInquiryMessage", **fields, contents="明日発送します。")
    second = await shop.call("CSCenter.SetInquiryMessage", **fields, contents="明日発送します。")
    too_long = await shop.call("CSCenter.SetInquiryMessage", **fields, contents="あ" * 4001)
    unknown = await shop.call("CSCenter.SetInquiryMessage", **(fields | {"seq_no": "1"}), contents="はい")
    done = await shop.rows(MESSAGES, **MESSAGE_WINDOW, proc_status="S3")

    assert str(row["contr_no"]) in {str(order_no(line)) for line in order.lines} | {number}
    assert first["ResultObject"]["SEQ_NO"] != second["ResultObject"]["SEQ_NO"]
    assert len(inquiry.answers) == 2
    assert (too_long["ResultCode"], unknown["ResultCode"]) == (-10001, -10002)
    assert str(row["seq_no"]) in {str(found["seq_no"]) for found in done}


async def test_a_follow_up_of_an_answered_thread_is_in_progress(shop: Shop) -> None:
    order, _, _ = shop.in_status(LineStatus.PREPARING)
    inquiry = shop.world.ask(SHOP, subject="いつ", text="まだですか", order=order)
    shop.clock.now += timedelta(minutes=1)
    shop.world.answer(inquiry, "確認します。", "seller")
    shop.clock.now += timedelta(minutes=1)
    shop.world.follow_up(inquiry, "どうなりましたか")

    rows = await shop.rows(MESSAGES, **MESSAGE_WINDOW, proc_status="S2")
    follow_up = next(row for row in rows if row["contents"] == "どうなりましたか")
    first = next(
        row
        for row in await shop.rows(MESSAGES, **MESSAGE_WINDOW, proc_status="S3")
        if row["question_no"] == follow_up["question_no"] or str(row["question_no"]) == str(follow_up["question_no"])
    )

    assert first["contents"] == "まだですか"
    assert str(first["seq_no"]) != str(follow_up["seq_no"])


# -- truth


async def test_the_truth_holds_the_claims_that_are_listed(shop: Shop) -> None:
    rows = await shop.rows(CLAIMS, **CLAIM_WINDOW)
    truth = shop.mall.truth()

    shown = sorted((str(row["orderno"]), row["claimstatus"], row["reason"]) for row in rows)
    assert shown == sorted((row["line_no"], row["raw_state"], row["raw_reason"]) for row in truth.claims)
    assert tuple(truth.lines[0]) == LINE_COLUMNS
    assert tuple(truth.claims[0]) == CLAIM_COLUMNS
    assert tuple(truth.inquiries[0]) == INQUIRY_COLUMNS


def test_shapes_cut_only_what_the_truth_knows() -> None:
    at = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    minute_only = next(shapes for number in range(8) if (shapes := Shapes(number, 0)).date(at) == "2026-11-22 12:04")
    day_only = next(shapes for number in range(8) if (shapes := Shapes(number, 0)).delivered(at) == "2026-11-22")

    assert minute_only.as_shown(at) == datetime(2026, 11, 22, 3, 4, tzinfo=UTC)
    assert day_only.delivered_as_shown(at) == datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
    assert "5" in (minute_only.claim_date(at) or "")[-2:]


def test_the_shop_table_reaches_the_mall(shop: Shop) -> None:
    table = shop.mall.shop_table("http://127.0.0.1:9103/")

    assert table["base_url"] == f"http://127.0.0.1:9103{SERVICE}"
    assert set(table["credentials"]) == {"api_key", "user_id", "password"}
