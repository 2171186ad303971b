"""What is repeated, what is not, and what a caller is told, over one shop's HTTP."""

import gc
import weakref
from collections.abc import Callable

import httpx
import pytest

from hub.core.contract import CallCounts
from hub.core.errors import (
    AccessError,
    ConfigurationError,
    MallError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedByMallError,
    UnavailableError,
)
from hub.core.http import ATTEMPTS, MallHttp, Rate, counted_calls, html_error, make_client, require_safe_url
from tests.core.clock import SleepingClock

Answer = httpx.Response | Exception


def classify(response: httpx.Response) -> MallError | None:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        wait = float(response.headers.get("Retry-After", "1"))
        return RateLimitedError("slow down", wait_seconds=wait, status=429)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return AccessError("refused", status=401)
    if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        return RejectedByMallError("no", status=422, mall_code="E1", mall_message="이미 발송됨")
    if response.is_server_error:
        return UnavailableError("broken", status=response.status_code)
    return None


class Mall:
    """Gives the scripted answers one after another, the last one for ever; counts the calls."""

    def __init__(self, *answers: Answer) -> None:
        self.calls = 0
        self._answers = list(answers)

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(self.calls, len(self._answers) - 1)]
        self.calls += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def a_http(mall: Callable[[httpx.Request], httpx.Response], clock: SleepingClock) -> MallHttp:
    return MallHttp(
        shop="main",
        client=make_client(base_url="https://mall.example.com", transport=httpx.MockTransport(mall)),
        rate=Rate(per_second=1000.0, capacity=1000, source="test"),
        classify=classify,
        read_limits=lambda _response: None,
        clock=clock,
        sleep=clock.sleep,
    )


def ok() -> httpx.Response:
    return httpx.Response(200, json={})


UNSENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]
LOST = [httpx.ReadTimeout("slow"), httpx.WriteTimeout("slow"), httpx.ReadError("cut"), httpx.RemoteProtocolError("cut")]
_named = {"ids": lambda error: type(error).__name__}


@pytest.mark.parametrize("failure", [*UNSENT, *LOST], **_named)
async def test_a_read_that_failed_on_the_way_is_repeated(failure: Exception):
    mall, clock = Mall(failure, failure, ok()), SleepingClock()

    response = await a_http(mall, clock).read("GET", "/orders", operation="read_orders")

    assert (response.status_code, mall.calls) == (200, 3)
    assert len(clock.slept) == 2


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_read_of_a_broken_mall_is_repeated_within_the_budget_and_then_raised(status: int):
    mall, clock = Mall(httpx.Response(status)), SleepingClock()
    http = a_http(mall, clock)

    with pytest.raises(UnavailableError) as caught:
        await http.read("GET", "/orders", operation="read_orders")

    assert mall.calls == ATTEMPTS
    assert (caught.value.shop, caught.value.operation, caught.value.status) == ("main", "read_orders", status)
    assert http.counts == CallCounts(sent=ATTEMPTS, throttled=0, retried=ATTEMPTS - 1)


async def test_pauses_grow():
    mall, clock = Mall(httpx.Response(503)), SleepingClock()

    with pytest.raises(UnavailableError):
        await a_http(mall, clock).read("GET", "/orders", operation="read_orders")

    for number, pause in enumerate(clock.slept):
        assert 0.25 * 2**number <= pause <= 0.75 * 2**number


@pytest.mark.parametrize("failure", UNSENT, **_named)
async def test_a_write_that_never_left_is_repeated(failure: Exception):
    mall = Mall(failure, ok())

    response = await a_http(mall, SleepingClock()).write("POST", "/answers", operation="answer")

    assert (response.status_code, mall.calls) == (200, 2)


@pytest.mark.parametrize("failure", LOST, **_named)
async def test_a_write_whose_answer_was_lost_is_sent_once_and_called_unknown(failure: Exception):
    mall = Mall(failure, ok())

    with pytest.raises(OutcomeUnknownError) as caught:
        await a_http(mall, SleepingClock()).write("POST", "/answers", operation="answer")

    assert mall.calls == 1
    assert caught.value.__cause__ is failure
    assert (caught.value.shop, caught.value.operation) == ("main", "answer")


async def test_a_write_answered_by_a_server_error_is_sent_once_and_called_unknown():
    mall = Mall(httpx.Response(500), ok())

    with pytest.raises(OutcomeUnknownError) as caught:
        await a_http(mall, SleepingClock()).write("POST", "/answers", operation="answer")

    assert (mall.calls, caught.value.status) == (1, 500)


@pytest.mark.parametrize("method", ["read", "write"])
async def test_a_refusal_is_sent_once_and_keeps_the_malls_words(method: str):
    mall = Mall(httpx.Response(422), ok())

    with pytest.raises(RejectedByMallError) as caught:
        await getattr(a_http(mall, SleepingClock()), method)("POST", "/x", operation="x")

    assert mall.calls == 1
    assert (caught.value.mall_code, caught.value.mall_message) == ("E1", "이미 발송됨")


@pytest.mark.parametrize("method", ["read", "write"])
async def test_refused_credentials_are_not_tried_again(method: str):
    mall = Mall(httpx.Response(401), ok())

    with pytest.raises(AccessError):
        await getattr(a_http(mall, SleepingClock()), method)("POST", "/x", operation="x")

    assert mall.calls == 1


@pytest.mark.parametrize("method", ["read", "write"])
async def test_a_pause_that_the_mall_asks_for_is_obeyed(method: str):
    mall, clock = Mall(httpx.Response(429, headers={"Retry-After": "7"}), ok()), SleepingClock()
    http = a_http(mall, clock)

    response = await getattr(http, method)("POST", "/x", operation="x")

    assert (response.status_code, mall.calls) == (200, 2)
    assert sum(clock.slept) == pytest.approx(7.0)
    assert http.counts == CallCounts(sent=2, throttled=1, retried=1)


async def test_a_pause_too_long_to_wait_for_is_raised_with_its_length():
    mall, clock = Mall(httpx.Response(429, headers={"Retry-After": "3600"}), ok()), SleepingClock()

    with pytest.raises(RateLimitedError) as caught:
        await a_http(mall, clock).read("GET", "/orders", operation="read_orders")

    assert (mall.calls, caught.value.wait_seconds, clock.slept) == (1, 3600.0, [])


async def test_after_a_long_pause_was_asked_for_the_next_call_waits_for_its_end():
    mall, clock = Mall(httpx.Response(429, headers={"Retry-After": "90"}), ok()), SleepingClock()
    http = a_http(mall, clock)
    with pytest.raises(RateLimitedError):
        await http.read("GET", "/a", operation="a")

    await http.read("GET", "/b", operation="b")

    assert sum(clock.slept) == pytest.approx(90.0)


async def test_calls_are_counted_for_the_shop_and_for_the_reader():
    http = a_http(Mall(httpx.Response(503), ok()), SleepingClock())
    mine = CallCounts()
    token = counted_calls.set(mine)
    try:
        await http.read("GET", "/a", operation="a")
    finally:
        counted_calls.reset(token)
    await http.read("GET", "/b", operation="b")

    assert mine == CallCounts(sent=2, throttled=0, retried=1)
    assert http.counts == CallCounts(sent=3, throttled=0, retried=1)


async def test_a_redirect_is_not_followed():
    mall = Mall(httpx.Response(302, headers={"Location": "https://thief.example.com"}), ok())

    response = await a_http(mall, SleepingClock()).read("GET", "/a", operation="a")

    assert (response.status_code, mall.calls) == (302, 1)


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><p>", b"\n  <HTML>", b"<html lang=ko>"])
def test_a_page_of_html_is_an_unavailable_mall(body: bytes):
    error = html_error(httpx.Response(200, content=body))

    assert error is not None
    assert error.status == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"text": "<html>"}', b"<ResponseData>"])
def test_other_bodies_are_no_page_of_html(body: bytes):
    assert html_error(httpx.Response(200, content=body)) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://10.0.0.1/external",
        "http://127.0.0.1:9101",
        "http://localhost",
        "http://[::1]:1",
    ],
)
def test_addresses_that_keep_a_secret_are_accepted(url: str):
    require_safe_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0",
        "http://127.0.0.1@example.com",
        "ftp://api.example.com",
        "api.example.com",
        "https://",
        "",
        "http://[::1",
    ],
)
def test_addresses_that_would_tell_a_secret_are_refused(url: str):
    with pytest.raises(ConfigurationError) as caught:
        require_safe_url(url)

    assert caught.value.fix
    with pytest.raises(ConfigurationError):
        make_client(base_url=url)


async def test_what_a_mall_asks_to_remember_is_neither_kept_nor_sent() -> None:
    sent: list[str | None] = []

    def mall(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Cookie"))
        return httpx.Response(200, json={}, headers={"Set-Cookie": "session=abc; Path=/"})

    http = a_http(mall, SleepingClock())
    for _ in range(2):
        await http.read("GET", "/orders", operation="orders")

    assert sent == [None, None]


async def test_a_body_is_freed_with_the_last_name_of_its_answer() -> None:
    """A large page must not wait in a circle of references for the collector of cycles."""
    http = a_http(lambda _request: ok(), SleepingClock())
    gc.disable()
    try:
        answer = await http.read("GET", "/orders", operation="orders")
        body = weakref.ref(answer)
        del answer
        assert body() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("base", ["https://mall.example.com", "https://mall.example.com/", "http://127.0.0.1:9/api/v2"])
@pytest.mark.parametrize("path", ["", "orders", "/orders/1%2F2", "/주문?since=1&a=b c", "https://other.example.com/x"])
async def test_an_address_is_what_the_client_would_make_of_it(base: str, path: str) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return ok()

    clock = SleepingClock()
    client = make_client(base_url=base, transport=httpx.MockTransport(answer))
    http = MallHttp(
        shop="main",
        client=client,
        rate=Rate(per_second=1000.0, capacity=1000, source="test"),
        classify=classify,
        read_limits=lambda _response: None,
        clock=clock,
        sleep=clock.sleep,
    )

    await http.read("GET", path, operation="read_orders", params={"page": "2"})

    assert asked == [client.build_request("GET", path, params={"page": "2"}).url]
