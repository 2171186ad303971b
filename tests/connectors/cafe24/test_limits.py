"""What an answer means, how long to wait, what is repeated."""

import asyncio

import httpx
import pytest

from connectors.cafe24.client import classify, read_limits
from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    RateLimitedError,
    RejectedByMallError,
    UnavailableError,
)
from hub.core.http import Limits
from tests.connectors.cafe24.mall import Mall, order

ORDER = "20261118-0000021"
ENVELOPE = {"error": {"code": 422, "message": "Invalid value. (parameter.order_status)", "more_info": {}}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RejectedByMallError),
        (401, AccessError),
        (403, AccessError),
        (404, NotFoundAtMallError),
        (409, RejectedByMallError),
        (422, RejectedByMallError),
        (302, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[MallError]) -> None:
    headers = {"Location": "https://elsewhere.example"} if status == 302 else {}
    error = classify(httpx.Response(status, json=ENVELOPE, headers=headers))

    assert type(error) is kind


def test_the_words_of_the_mall_are_kept() -> None:
    error = classify(httpx.Response(422, json=ENVELOPE))

    assert error is not None
    assert (error.mall_code, error.mall_message) == ("422", "Invalid value. (parameter.order_status)")


@pytest.mark.parametrize("content", [b"<html><body>busy</body></html>", b'{"orders":[{"order_id":"2026', b"OK"])
def test_a_success_that_is_no_json_is_not_available(content: bytes) -> None:
    assert isinstance(classify(httpx.Response(200, content=content)), UnavailableError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(404, NotFoundAtMallError), (429, RateLimitedError), (500, UnavailableError), (9, RejectedByMallError)],
)
def test_an_error_inside_a_success_is_an_error(code: int, kind: type[MallError]) -> None:
    body = {"error": {"code": code, "message": "Something"}}

    assert type(classify(httpx.Response(200, json=body))) is kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Cafe24-Call-Remain": "12", "X-Cafe24-Time-Remain": "30"}, 30.0),
        ({"X-Cafe24-Call-Remain": "0"}, 1.0),
        ({"X-Api-Call-Limit": "40/40"}, 20.0),
        ({"X-Cafe24-Call-Remain": "soon", "X-Api-Call-Limit": "nothing"}, 1.0),
        ({}, 1.0),
    ],
)
def test_the_pause_after_a_429(headers: dict[str, str], seconds: float) -> None:
    error = classify(httpx.Response(429, headers=headers))

    assert isinstance(error, RateLimitedError)
    assert error.wait_seconds == seconds


def test_the_call_limit_header_is_read() -> None:
    assert read_limits(httpx.Response(200, headers={"X-Api-Call-Limit": "7/40"})) == Limits(used=7, capacity=40)
    assert read_limits(httpx.Response(200, headers={"X-Api-Call-Limit": "a/b"})) is None
    assert read_limits(httpx.Response(200)) is None


async def test_a_429_is_waited_for_and_repeated() -> None:
    mall = Mall()
    answers = [httpx.Response(429, headers={"X-Cafe24-Call-Remain": "9"}), httpx.Response(200, json={"order": order()})]
    mall.on(f"GET orders/{ORDER}", lambda _request: answers.pop(0))
    connector = mall.open()

    (reading,) = await connector.read_order(ORDER, ())

    assert reading.record is not None
    assert connector.calls.throttled == 1
    assert max(mall.clock.slept) == 9.0


async def test_a_long_block_is_handed_back_with_its_time() -> None:
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", lambda _request: httpx.Response(429, headers={"X-Cafe24-Time-Remain": "540"}))

    with pytest.raises(RateLimitedError) as caught:
        await mall.open().read_order(ORDER, ())

    assert caught.value.wait_seconds == 540.0
    assert len(mall.asked(f"GET orders/{ORDER}")) == 1


async def test_a_server_error_is_repeated_and_a_refusal_is_not() -> None:
    mall = Mall()
    answers = [httpx.Response(503, text="<html>"), httpx.Response(422, json=ENVELOPE)]
    mall.on(f"GET orders/{ORDER}", lambda _request: answers.pop(0))

    with pytest.raises(RejectedByMallError):
        await mall.open().read_order(ORDER, ())

    assert not answers


async def test_a_list_without_its_key_does_not_pass_for_empty() -> None:
    mall = Mall()
    mall.on("GET boards", {"something": []})

    with pytest.raises(MalformedResponseError):
        await mall.open()._client.boards(shop_no=1)


async def test_calls_keep_to_two_a_second_once_the_bucket_is_full() -> None:
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", {"order": order()})
    connector = mall.open()

    for _ in range(59):
        await connector.read_order(ORDER, ())

    assert sum(mall.clock.slept) == pytest.approx(10.0, abs=0.6)


async def test_no_second_holds_ten_calls_though_the_bucket_has_room() -> None:
    """Counted at the mall, renewed tokens included."""
    mall = Mall()
    arrived: list[float] = []
    answer = mall._token

    def noted(request: httpx.Request) -> httpx.Response:
        arrived.append(mall.clock.now.timestamp())
        return httpx.Response(200, json={"order": order()})

    mall.on(f"GET orders/{ORDER}", noted)
    mall._token = lambda request: (arrived.append(mall.clock.now.timestamp()), answer(request))[1]
    connector = mall.open()

    await asyncio.gather(*(connector.read_order(ORDER, ()) for _ in range(30)))

    in_one_second = [sum(first <= moment < first + 1 for moment in arrived) for first in arrived]
    assert max(in_one_second) < 10
    assert len(arrived) == 31


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({"X-Cafe24-Call-Usage": "12", "X-Cafe24-Time-Usage": "95"}, Limits(quota_share=0.95)),
        ({"X-Cafe24-Call-Usage": "100%", "X-Cafe24-Call-Remain": "80"}, Limits(quota_share=1.0, pause_seconds=80)),
        ({"X-Cafe24-Call-Remain": "7", "X-Cafe24-Time-Remain": "90"}, Limits(pause_seconds=90)),
        ({"X-Api-Call-Limit": "7/40", "X-Cafe24-Call-Usage": "nan"}, Limits(used=7, capacity=40)),
        ({"X-Cafe24-Time-Remain": "soon"}, None),
    ],
)
def test_the_quota_is_read_beside_the_bucket(headers: dict[str, str], limits: Limits | None) -> None:
    assert read_limits(httpx.Response(200, headers=headers)) == limits


async def test_no_call_is_sent_while_the_quota_is_used_up() -> None:
    mall = Mall()
    told = {"X-Cafe24-Call-Usage": "100", "X-Cafe24-Call-Remain": "50"}
    mall.on(f"GET orders/{ORDER}", lambda _request: httpx.Response(200, json={"order": order()}, headers=told))
    connector = mall.open()

    await connector.read_order(ORDER, ())
    first = mall.clock.now
    await connector.read_order(ORDER, ())

    assert (mall.clock.now - first).total_seconds() >= 50
