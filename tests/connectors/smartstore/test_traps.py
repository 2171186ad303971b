"""Traps of this mall that no other test holds."""

import json
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from connectors.smartstore.mapping import read_detail
from hub.core.contract import OpenKeys, Span
from hub.core.errors import AccessError, MallError
from hub.core.model import LineStatus, Order

from .conftest import DETAIL, FEED, NOW, TOKEN, Call, detail, feed, kst, open_shop, refusal


async def test_a_row_at_the_end_of_a_window_is_not_lost_and_not_doubled(shop, mall):
    """The feed includes both ends of a window."""
    span = Span(since=NOW - timedelta(days=3), until=NOW)
    [page async for page in shop.read_orders(span, open_keys=OpenKeys(), cursor=None)]
    border = mall.called(FEED)[0].query["lastChangedTo"]
    asked = []

    def answer(call: Call) -> httpx.Response:
        is_inside = call.query["lastChangedFrom"] <= border <= call.query["lastChangedTo"]
        asked.append(is_inside)
        return feed(["7"] if is_inside else [])

    mall.on(FEED, answer)

    pages = [page async for page in shop.read_orders(span, open_keys=OpenKeys(), cursor=None)]

    assert sum(asked) >= 1
    assert [reading.key for page in pages for reading in page.readings] == ["7"]


async def test_a_penalty_for_too_many_calls_is_not_met_with_more_of_them(mall, secrets):
    mall.on(FEED, lambda _: refusal(429, "GW.QUOTA_LIMIT", GNCP_GW_Quota_Limit="1", GNCP_GW_Quota_Period="HOURS"))
    shop = open_shop(mall, secrets)

    with pytest.raises(MallError):
        [p async for p in shop.read_orders(Span(since=NOW, until=NOW), open_keys=OpenKeys(), cursor=None)]
    await shop.aclose()

    assert len(mall.called(FEED)) == 1


async def test_a_refused_token_request_is_not_hammered(mall, secrets):
    mall.on(TOKEN, lambda _: refusal(403, "GW.IP_NOT_ALLOWED"))
    shop = open_shop(mall, secrets)

    for _ in range(3):
        with pytest.raises(AccessError):
            await shop.read_order("O1", ("1",))
    await shop.aclose()

    assert len(mall.token_calls) <= 3
    assert mall.called(DETAIL) == []


def test_claims_told_only_in_the_sections_that_ended_are_none():
    record = detail("1", claimType="CANCEL", claimStatus="CANCEL_REQUEST")
    record["cancel"] = {"claimId": "C1", "claimStatus": "CANCEL_REQUEST"}

    reading = read_detail(json.dumps(record).encode(), Counter())

    assert isinstance(reading.record, Order)
    assert [claim.claim_no for claim in reading.record.claims if claim.claim_no == "C1"] == []


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202e\u0007컵"], ids=["script", "control"])
def test_hostile_names_are_kept_as_text(text):
    record = detail("1", productName=text)
    record["order"]["ordererName"] = text

    reading = read_detail(json.dumps(record).encode(), Counter())

    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].product.name == text
    assert reading.record.buyer is not None
    assert reading.record.buyer.name == text


def test_an_unknown_status_is_unknown_and_counted():
    unknown: Counter[str] = Counter()

    reading = read_detail(json.dumps(detail("1", productOrderStatus="TELEPORTED")).encode(), unknown)

    assert isinstance(reading.record, Order)
    assert (reading.record.lines[0].status, reading.record.lines[0].raw_status) == (LineStatus.UNKNOWN, "TELEPORTED")
    assert unknown == {"productOrderStatus:TELEPORTED": 1}


def test_a_time_is_korean_where_nothing_else_is_said():
    record = detail("1")
    record["order"]["orderDate"] = "2026-03-04T20:00:58"

    reading = read_detail(json.dumps(record).encode(), Counter())

    assert isinstance(reading.record, Order)
    assert reading.record.ordered_at is not None
    assert kst(reading.record.ordered_at).startswith("2026-03-04T20:00:58")
