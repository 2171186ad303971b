"""Limits, verdicts, the check, the manifest and links."""

from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from connectors.smartstore import MANIFEST, documented
from connectors.smartstore.client import Verdicts
from connectors.smartstore.wire import DetailWire, InquiryWire, QnaWire
from hub.core.contract import PROTOCOLS, Capability, Feed, OpenKeys, Span, Support
from hub.core.errors import (
    AccessError,
    MallTimeoutError,
    NotFoundAtMallError,
    RateLimitedError,
    RejectedByMallError,
    UnavailableError,
)
from hub.core.wire_watch import WireWatch

from .conftest import (
    DETAIL,
    FEED,
    INQUIRIES,
    NOW,
    QNAS,
    detail,
    details,
    feed,
    inquiry,
    inquiry_page,
    kst,
    qna,
    qna_page,
    refusal,
)

CASES = Path(__file__).parents[3] / "connectors" / "smartstore" / "cases"


@pytest.mark.parametrize("capability", list(MANIFEST.capabilities))
async def test_declared_is_implemented_and_the_rest_names_a_way(shop, capability):
    state = MANIFEST.capabilities[capability]

    protocol = PROTOCOLS.get(capability)
    assert (protocol is not None and isinstance(shop, protocol)) == (state.state is Support.YES)
    assert state.state is not Support.PLANNED
    assert (state.state is Support.YES) or (state.instead and state.instead_ko)
    assert bool(state.warning) == bool(state.warning_ko)


def test_every_capability_has_an_answer():
    others = {Capability.READ_CLAIMS, Capability.IMPORT_FILES, Capability.EXPORT_FILES}

    assert set(Capability) - others == set(MANIFEST.capabilities)


async def test_the_carriers_are_the_malls_own_codes(shop):
    carriers = {carrier.code: carrier.name for carrier in await shop.list_carriers()}

    assert next(iter(carriers)) == "CJGLS"
    assert (carriers["HYUNDAI"], carriers["KGB"], carriers["GS더프레시"]) == ("롯데택배", "로젠택배", "GS더프레시")


def test_claims_come_with_the_orders():
    assert MANIFEST.feeds[Feed.CLAIMS] is Capability.READ_ORDERS


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(400, "4000"), RejectedByMallError),
        (refusal(400, "104139"), RejectedByMallError),
        (refusal(500, "104442"), RejectedByMallError),
        (refusal(500, "9999"), UnavailableError),
        (refusal(400, "9999"), RejectedByMallError),
        (refusal(400, "100001"), NotFoundAtMallError),
        (refusal(500, "100003"), NotFoundAtMallError),
        (refusal(400, "ERR-NC-101004"), NotFoundAtMallError),
        (refusal(500, "ERR-NC-101006"), UnavailableError),
        (refusal(400, "4003"), RejectedByMallError),
        (refusal(500, "5000"), UnavailableError),
        (refusal(403, "GW.IP_NOT_ALLOWED"), AccessError),
        (refusal(401, "GW.AUTHN"), AccessError),
        (refusal(401, "UNAUTHORIZED"), AccessError),
        (refusal(404, "GW.NOT_FOUND"), AccessError),
        (refusal(404, "NOT_FOUND"), NotFoundAtMallError),
        (refusal(503, "GW.BLOCK.01"), UnavailableError),
        (refusal(504, "GW.TIMEOUT.02"), MallTimeoutError),
        (refusal(500, "INTERNAL_SERVER_ERROR"), UnavailableError),
        (refusal(429, "GW.RATE_LIMIT"), RateLimitedError),
        (refusal(429, "GW.QUOTA_LIMIT", GNCP_GW_Quota_Period="SECONDS"), RateLimitedError),
        (refusal(429, "GW.QUOTA_LIMIT", GNCP_GW_Quota_Period="HOURS"), AccessError),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), UnavailableError),
        (httpx.Response(429, content=b"<html>slow down</html>"), RateLimitedError),
        (httpx.Response(403, content=b"<html>blocked</html>"), AccessError),
        (httpx.Response(400, content=b"<html>bad gateway</html>"), UnavailableError),
        (httpx.Response(400, json=["not", "an", "envelope"]), RejectedByMallError),
        (httpx.Response(400, json={"code": 4000, "message": None, "timestamp": 1}), RejectedByMallError),
        (httpx.Response(400, content=b"\xff"), RejectedByMallError),
    ],
    ids=lambda value: getattr(value, "text", getattr(value, "__name__", ""))[:50],
)
def test_each_refusal_says_what_to_do(answer, error):
    found = Verdicts().classify(answer)

    assert type(found) is error


def test_the_traces_that_support_asks_for_are_kept():
    by_header = Verdicts().classify(refusal(400, "4000", GNCP_GW_Trace_ID="from-header"))
    by_body = Verdicts().classify(refusal(400, "4000", "안 됩니다"))

    assert by_header is not None
    assert by_header.request_id == "from-header"
    assert by_body is not None
    assert (by_body.request_id, by_body.mall_code, by_body.mall_message) == ("trace-1", "4000", "안 됩니다")
    assert "안 됩니다" not in str(by_body)


def test_pauses_grow_and_a_good_answer_resets_them():
    verdicts = Verdicts()

    def pause(response: httpx.Response) -> float:
        found = verdicts.classify(response)
        assert isinstance(found, RateLimitedError)
        return found.wait_seconds

    first, second, third = (pause(refusal(429, "GW.RATE_LIMIT")) for _ in range(3))
    assert 1 <= first <= 1.5
    assert 2 <= second <= 3
    assert 4 <= third <= 6
    assert verdicts.classify(feed([])) is None
    assert pause(refusal(429, "GW.RATE_LIMIT")) <= 1.5
    assert pause(refusal(429, "GW.RATE_LIMIT", Retry_After="25")) == 25
    dated = refusal(
        429, "GW.RATE_LIMIT", Retry_After="Sun, 22 Nov 2026 03:00:40 GMT", Date="Sun, 22 Nov 2026 03:00:00 GMT"
    )
    assert pause(dated) == 40


async def test_a_cut_quota_is_told_at_once(shop, mall):
    mall.on(FEED, lambda _: refusal(429, "GW.QUOTA_LIMIT", GNCP_GW_Quota_Period="HOURS"))

    items = {item.name: item for item in await shop.check()}

    assert len(mall.called(FEED)) == 1
    assert not items["orders"].is_ok
    assert "quota" in items["orders"].fix


async def test_the_mall_that_counts_is_never_overrun(shop, mall):
    sent: list[float] = []
    level = {"at": 0.0, "tokens": 4.0}

    def counted(_call) -> httpx.Response:
        now = mall.clock().timestamp()
        level["tokens"] = min(4.0, level["tokens"] + (now - level["at"]) * 2)
        level["at"] = now
        sent.append(now)
        headers = {"GNCP-GW-RateLimit-Replenish-Rate": "2", "GNCP-GW-RateLimit-Burst-Capacity": "4"}
        if level["tokens"] < 1:
            return refusal(429, "GW.RATE_LIMIT", GNCP_GW_RateLimit_Remaining="0")
        level["tokens"] -= 1
        answer = feed([])
        answer.headers.update({**headers, "GNCP-GW-RateLimit-Remaining": str(int(level["tokens"]))})
        return answer

    mall.on(FEED, counted)
    for _ in range(40):
        await shop.check()

    assert shop.calls.throttled == 0
    assert sent[-1] - sent[0] <= 40 / 2


async def test_a_faster_limit_is_learnt_from_the_headers(shop, mall):
    def generous(_call) -> httpx.Response:
        answer = feed([])
        answer.headers.update(
            {
                "GNCP-GW-RateLimit-Replenish-Rate": "50",
                "GNCP-GW-RateLimit-Burst-Capacity": "100",
                "GNCP-GW-RateLimit-Remaining": "99",
            }
        )
        return answer

    mall.on(FEED, generous)
    await shop.check()

    assert shop._http.bucket("feed").per_second == 50
    assert shop._http.bucket("feed").capacity == 100
    assert shop._http.bucket("detail").per_second == 2


async def test_a_healthy_shop_passes_its_check(shop):
    items = await shop.check()

    assert [(item.name, item.is_ok) for item in items] == [
        ("token", True),
        ("orders", True),
        ("inquiries", True),
        ("product questions", True),
        ("clock", True),
    ]


async def test_a_refused_address_and_a_missing_group_each_name_their_cure(shop, mall):
    mall.on(FEED, lambda _: refusal(403, "GW.IP_NOT_ALLOWED"))
    mall.on(INQUIRIES, lambda _: refusal(403, "GW.AUTHZ"))

    items = {item.name: item for item in await shop.check()}

    assert "API호출 IP" in items["orders"].fix
    assert "문의" in items["inquiries"].fix
    assert items["product questions"].is_ok


async def test_a_clock_that_is_off_is_found(shop, mall):
    mall.on(
        FEED,
        lambda _: httpx.Response(200, json={"timestamp": kst(mall.clock().replace(hour=2)), "data": None}),
    )

    items = {item.name: item for item in await shop.check()}

    assert not items["clock"].is_ok
    assert items["clock"].fix


async def test_links_open_the_seller_centre(shop):
    line = shop.admin_link(order_no="1", line_no="2026030455550011")

    assert line == "https://sell.smartstore.naver.com/o/v3/manage/order/popup/2026030455550011/productOrderDetail"
    assert shop.admin_link(line_no="../x") == (
        "https://sell.smartstore.naver.com/o/v3/manage/order/popup/..%2Fx/productOrderDetail"
    )
    assert shop.admin_link() == "https://sell.smartstore.naver.com/"


async def test_new_fields_of_the_mall_are_counted_by_name(shop, mall):
    record = {**detail("1", claimType="RETURN", mood="good", originalProductId="6"), "weather": {"sun": 1}}
    record["currentClaim"] = {"return": {"claimId": "9", "collectStatus": "DELIVERED", "smile": 3}}
    mall.on(DETAIL, lambda _: details([record]))
    mall.on(INQUIRIES, lambda _: inquiry_page([inquiry(7, answerTemplateNo=None, stars=5)]))
    mall.on(QNAS, lambda _: qna_page([qna(7, likes=2)]))

    await shop.read_order("O1", ("1",))
    span = Span(since=NOW - timedelta(days=1), until=NOW)
    async for _ in shop.read_inquiries(span, open_keys=OpenKeys(), cursor=None):
        pass

    assert {code for code in shop.unknown_codes if code.startswith("new_field:")} == {
        "new_field:order.productOrder.mood",
        "new_field:order.weather",
        "new_field:order.currentClaim.return.smile",
        "new_field:inquiry.stars",
        "new_field:qna.likes",
    }


def test_nothing_that_the_mall_documents_is_new():
    counts: dict[str, int] = {}
    watch = WireWatch(counts, every=1)
    for path in sorted(CASES.glob("[0-9]*.json")):
        case = msgspec.json.decode(path.read_bytes())
        if path.stem != "09-words-of-tomorrow":
            shape, known = WATCHED[case["record"]]
            watch.look(msgspec.json.encode(case["wire"]), shape=shape, where="record", known=known)

    assert counts == {}


WATCHED = {
    "order": (DetailWire, documented.DETAIL),
    "inquiry": (InquiryWire, documented.INQUIRY),
    "qna": (QnaWire, documented.QNA),
}
