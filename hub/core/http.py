"""HTTP to malls: one client factory, one sender with limits and retries, one refresher of tokens.

A connector says how to read an answer (``classify``), what the mall's headers tell of its limits
(``read_limits``) and how to authenticate (an ``httpx.Auth``, mostly :class:`TokenAuth`). Everything
else - time-outs, pacing, retries, what may be repeated - is decided here, once for all malls.
"""

import ipaddress
import math
import random
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpx
import structlog
from msgspec import Struct
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from hub.core.contract import CallCounts, SecretStore
from hub.core.errors import (
    ConfigurationError,
    MallError,
    MallTimeoutError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientMallError,
    UnavailableError,
)

log = structlog.get_logger(__name__)

#: seconds: a mall's slow page takes longer than a connection may
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
#: tries of one call, the first included
ATTEMPTS = 5
#: a pause longer than this is not waited for inside one call: the run is rescheduled instead
LONGEST_PAUSE_SECONDS = 60.0
#: a shorter pause is lost in the rounding of a wall clock and would be waited for again and again
_CLOCK_GRAIN_SECONDS = 1e-5


def make_client(
    *, base_url: str, auth: httpx.Auth | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The only place that makes an httpx client.

    No redirects (a token must not follow one), no environment proxies, a small pool.
    Raises: ConfigurationError for plain http to anything but a loopback address.
    """
    require_safe_url(base_url)
    return httpx.AsyncClient(
        base_url=base_url,
        auth=auth,
        transport=transport,
        verify=_tls(),
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=30),
        headers={"User-Agent": "mall-hub/0.1"},
    )


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificates takes longer than some whole commands: once is enough."""
    return httpx.create_ssl_context()


def require_safe_url(base_url: str) -> None:
    """Refuse addresses that would send credentials in the clear.

    Raises: ConfigurationError naming the address and the way out.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        what = f"base_url {base_url!r} is not an address"
        raise ConfigurationError(what, fix="Write it like https://api.example.com") from error
    if url.scheme == "https" and url.host:
        return
    if url.scheme == "http" and _is_loopback(url.host):
        return
    what = f"base_url {base_url!r} would send credentials unencrypted"
    raise ConfigurationError(what, fix="Use https://; plain http is accepted for loopback addresses only.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


#: calls of whoever reads now are counted here too (a feed of a run); set by the reader for its own task
counted_calls: ContextVar[CallCounts | None] = ContextVar("counted_calls", default=None)


class Limits(Struct, frozen=True, kw_only=True):
    """What an answer's headers tell: calls now in the bucket, its size, its drain per second.

    ``pause_seconds``: how long the mall wants no call at all. ``quota_share``: how much of a longer
    quota is used up, 1 being all of it.
    """

    used: float | None = None
    capacity: float | None = None
    rate: float | None = None
    pause_seconds: float | None = None
    quota_share: float | None = None


class Rate(Struct, frozen=True, kw_only=True):
    """A mall's stated limit, used until its headers teach better. ``source`` says where it stands."""

    per_second: float
    capacity: float
    source: str


class Bucket:
    """A leaky bucket that learns from the mall's own headers.

    ``take`` before a call, ``seen`` once after it, ``refused`` when the mall said that it was too much.

    *Level.* A report was true when the mall counted the call. With a constant delay on the wire the
    mall's bucket is ours a little later, so a report speaks of the moment at which its call was sent.
    Our own count is pulled up to it at once (somebody else calls too), and down to it plus what is
    still on its way.

    *Drain.* Between two reports all that was poured and is no longer there has drained, as long as
    the bucket was never empty in between. That holds the rate within bounds that grow tighter with
    the time between the reports; the rate in use moves only when it is outside of them. So a mall
    with another limit than the documented one is read as fast as it allows, and a stranger who calls
    all the time makes the rate smaller by what he takes.

    *Room.* One call of the capacity stays free for the rounding; twice as many after each refusal
    (a stranger calls in bursts that no report can announce), one less for every quiet minute.
    After a refusal what was learnt of the drain is forgotten too.
    """

    def __init__(self, rate: Rate, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self.per_second = rate.per_second
        self.capacity = rate.capacity
        self._stated = rate.per_second
        self._clock = clock
        self._sleep = sleep
        self._level = 0.0
        self._at = clock()
        self._closed_until = 0.0
        self._free = 1.0
        self._refused_at = 0.0
        self._near_quota = False
        self._rate_is_told = False
        self._is_sure = False  # whether the newest look at the drain agreed with the rate in use
        #: calls taken and ended so far; of each call on its way, what both were when it was sent
        self._taken = 0
        self._ended = 0
        self._flying: dict[float, tuple[int, int]] = {}
        self._sent_at = 0.0
        self._reports: deque[_Report] = deque(maxlen=_REPORTS)

    @property
    def _pace(self) -> float:
        return min(self.per_second, self._stated) if self._near_quota else self.per_second

    def _leak(self) -> float:
        now = self._clock()
        self._level = max(0.0, self._level - max(0.0, now - self._at) * self._pace)
        self._at = now
        return now

    def _room(self, now: float) -> float:
        """How high the level may be after a call."""
        free = max(1.0, self._free - (now - self._refused_at) / _QUIET_SECONDS)
        return max(1.0, self.capacity - free)

    async def take(self) -> float:
        """Wait for room and take it. Returns the time of the taking, different for each call, for :meth:`seen`."""
        while True:
            now = self._leak()
            room_in = (self._level + 1 - self._room(now)) / self._pace
            pause = max(room_in, self._closed_until - now)
            if pause <= _CLOCK_GRAIN_SECONDS:
                self._level += 1
                self._taken += 1
                self._sent_at = max(now, math.nextafter(self._sent_at, math.inf))
                self._flying[self._sent_at] = self._taken, self._ended
                return self._sent_at
            await self._sleep(pause)

    def seen(self, limits: Limits | None, *, sent_at: float) -> None:
        """The call sent at ``sent_at`` has ended; ``limits`` is what its answer told, ``None`` without an answer."""
        number, ended_before = self._flying.pop(sent_at, (0, self._ended))
        # Calls of which nobody knows whether the mall counted them before or after this one.
        beside = len(self._flying) + self._ended - ended_before
        self._ended += 1
        if limits is None:
            self._reports.clear()  # nobody knows whether the mall counted it
            return
        if limits.capacity is not None and limits.capacity >= 1:
            self.capacity = limits.capacity
        if limits.rate is not None and limits.rate > 0:
            self.per_second, self._rate_is_told = limits.rate, True
        if limits.pause_seconds is not None:
            self.close_for(limits.pause_seconds)
        if limits.quota_share is not None:
            self._near_quota = limits.quota_share >= _NEAR_QUOTA
        if limits.used is not None:
            now = self._leak()
            used = min(limits.used, self.capacity)
            reported = used - (now - sent_at) * self._pace
            above = max(0.0, reported - self._level)
            # Where the drain is known, less than a call is the mall's rounding: met halfway.
            self._level += above / 2 if self._is_sure and above < 1 else above
            if number and 0 <= limits.used <= self.capacity:
                self._learn(_Report(sent_at=sent_at, number=number, used=used, beside=beside), reported)

    def _learn(self, report: "_Report", reported: float) -> None:
        """Lower the level and bound the drain by a report that is newer than those before."""
        last = self._reports[-1] if self._reports else None
        if last is not None and report.number < last.number:
            return  # overtaken: the newer one knew of this call
        self._level = min(self._level, max(0.0, reported) + report.beside)
        if last is not None and report.used <= report.number - last.number + 1:
            self._reports.clear()  # perhaps empty in between: less has drained than could have
        self._reports.append(report)
        first = self._reports[0]
        seconds = report.sent_at - first.sent_at
        if self._rate_is_told or seconds <= _CLOCK_GRAIN_SECONDS:
            return
        drained = first.used + (report.number - first.number) - report.used
        doubt = _REPORT_DOUBT + first.beside + report.beside
        before = self.per_second
        self.per_second = max(self.per_second, (drained - doubt) / seconds)
        is_long = seconds >= _LONG_LOOK_SECONDS
        if is_long:
            most = max(self._stated * _LEAST_SHARE, (drained + doubt) / seconds)
            self.per_second = min(self.per_second, most)
        self._is_sure = is_long and self.per_second == before

    def refused(self, *, wait_seconds: float) -> None:
        """The mall refused a call as one too many: no other before ``wait_seconds`` are over."""
        now = self._clock()
        if now >= self._closed_until:  # the others of one burst say nothing new
            self._free = min(self.capacity / 2, max(1.0, self.capacity - self._room(now)) * 2)
            self._refused_at = now + wait_seconds
        if not self._rate_is_told:
            self.per_second = min(self.per_second, self._stated)
        self._reports.clear()
        self._is_sure = False
        self.close_for(wait_seconds)

    def close_for(self, seconds: float) -> None:
        """The mall asked for silence: no call before it is over."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)


class _Report(Struct, frozen=True, kw_only=True):
    """The mall's counter as of the call ``number`` of this bucket. ``beside``: others may be in it or not."""

    sent_at: float
    number: int
    used: float
    beside: int


#: how many reports a drain is measured over: a stranger who comes or goes is noticed within them
_REPORTS = 64
#: calls by which a measured drain may be wrong: two roundings, and malls that drain once a second
_REPORT_DOUBT = 3.0
#: a drain that looks smaller than it is costs time, so a short look is not believed
_LONG_LOOK_SECONDS = 5.0
#: never slower than this part of what the mall states
_LEAST_SHARE = 0.1
_QUIET_SECONDS = 60.0
#: from here on a longer quota is spared by keeping to the stated rate
_NEAR_QUOTA = 0.9


class TokenAuth(httpx.Auth):
    """Bearer-like auth with one refresher for any number of callers, workers and machines.

    A connector derives it and says how to fetch (``fetch``), how to dress a request (``apply``) and
    when the mall refused the token (``is_refused``). A refused token is renewed once and the
    request repeated once; what is refused again goes to the caller as it is.
    """

    requires_response_body = True

    def __init__(self, *, secrets: SecretStore, name: str) -> None:
        self._secrets = secrets
        self._name = name
        self._token: str | None = None

    async def fetch(self, stored: str | None) -> str:
        """Get a new token from the mall. ``stored`` is the newest saved state (it may hold a refresh token).

        Runs under the shop's lock. The result is saved before anyone uses it.
        """
        raise NotImplementedError

    def is_fresh(self, token: str) -> bool:
        """Whether the token may be used now; a token about to end is renewed before it is refused."""
        raise NotImplementedError

    def apply(self, request: httpx.Request, token: str) -> None:
        raise NotImplementedError

    async def is_refused(self, response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.UNAUTHORIZED

    async def token(self, *, refused: str | None = None) -> str:
        """The token to use; fetched when there is none, when it is old, or when ``refused`` is the one held."""
        if self._token is not None and self._token != refused and self.is_fresh(self._token):
            return self._token
        async with self._secrets.lock(self._name):
            # Another task, process or machine may have renewed it while we waited for the lock.
            stored = await self._secrets.get(self._name)
            if stored is not None and stored != refused and self.is_fresh(stored):
                self._token = stored
                return stored
            fetched = await self.fetch(stored)
            await self._secrets.put(self._name, fetched)
            self._token = fetched
            return fetched

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self.token()
        self.apply(request, token)
        response = yield request
        # httpx reads the body for its own flow only; this one replaces it.
        await response.aread()
        if await self.is_refused(response):
            token = await self.token(refused=token)
            self.apply(request, token)
            yield request


class MallHttp:
    """Sends the calls of one shop: paces them, repeats what may be repeated, names what went wrong.

    ``classify`` returns ``None`` for a good answer, else the error to raise; the error's type
    decides: transient ones are retried for reads, and for writes only when the mall surely did not
    act (refused by its limiter, or never reached). Any other failed write is OutcomeUnknownError.
    """

    def __init__(
        self,
        *,
        shop: str,
        client: httpx.AsyncClient,
        rate: Rate,
        classify: Callable[[httpx.Response], MallError | None],
        read_limits: Callable[[httpx.Response], Limits | None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.client = client
        self.counts = CallCounts()
        self._shop = shop
        self._rate = rate
        self._classify = classify
        self._read_limits = read_limits
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, name: str = "") -> Bucket:
        """The bucket of one API of this shop (``name``), or the shop's only one."""
        if name not in self._buckets:
            self._buckets[name] = Bucket(self._rate, clock=self._clock, sleep=self._sleep)
        return self._buckets[name]

    async def read(self, method: str, url: str, *, operation: str, bucket: str = "", **request: Any) -> httpx.Response:
        """Send a call that changes nothing at the mall; retried within the budget."""
        return await self._send(method, url, operation=operation, bucket=bucket, is_write=False, request=request)

    async def write(self, method: str, url: str, *, operation: str, bucket: str = "", **request: Any) -> httpx.Response:
        """Send a call that acts at the mall, at most once.

        Raises: OutcomeUnknownError when it may have acted; RejectedByMallError when it refused.
        """
        return await self._send(method, url, operation=operation, bucket=bucket, is_write=True, request=request)

    async def _send(
        self, method: str, url: str, *, operation: str, bucket: str, is_write: bool, request: Mapping[str, Any]
    ) -> httpx.Response:
        def may_retry(error: BaseException) -> bool:
            if isinstance(error, RateLimitedError):
                return error.wait_seconds <= LONGEST_PAUSE_SECONDS
            if isinstance(error, _UnsentError):
                return True
            return isinstance(error, TransientMallError) and not is_write

        async for attempt in AsyncRetrying(
            retry=retry_if_exception(may_retry),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause,
            sleep=self._sleep,
            before_sleep=self._note_retry,
            reraise=True,
        ):
            with attempt:
                return await self._once(
                    method, url, operation=operation, bucket=self.bucket(bucket), is_write=is_write, request=request
                )
        raise AssertionError  # tenacity either returned or raised

    def _counters(self) -> tuple[CallCounts, ...]:
        reader = counted_calls.get()
        return (self.counts,) if reader is None else (self.counts, reader)

    def _note_retry(self, state: RetryCallState) -> None:
        for counts in self._counters():
            counts.retried += 1
        error = state.outcome.exception() if state.outcome else None
        log.info("mall.call.retried", shop=self._shop, attempt=state.attempt_number, error=type(error).__name__)

    async def _once(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        bucket: Bucket,
        is_write: bool,
        request: Mapping[str, Any],
    ) -> httpx.Response:
        sent_at = await bucket.take()
        for counts in self._counters():
            counts.sent += 1
        limits: Limits | None = None
        try:
            response = await self.client.request(method, url, **request)
            limits = self._read_limits(response) or Limits()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            message = "could not reach the mall"
            raise _UnsentError(message, shop=self._shop, operation=operation) from error
        except httpx.TimeoutException as error:
            message = "no answer in time"
            raise self._failed(MallTimeoutError(message), operation, is_write) from error
        except httpx.TransportError as error:
            message = f"the connection broke ({type(error).__name__})"
            raise self._failed(MallTimeoutError(message), operation, is_write) from error
        finally:
            bucket.seen(limits, sent_at=sent_at)
        error_found = self._classify(response)
        if error_found is None:
            return response
        if isinstance(error_found, RateLimitedError):
            for counts in self._counters():
                counts.throttled += 1
            bucket.refused(wait_seconds=error_found.wait_seconds)
        raise self._failed(error_found, operation, is_write)

    def _failed(self, error: MallError, operation: str, is_write: bool) -> MallError:
        error.shop = self._shop
        error.operation = operation
        if is_write and isinstance(error, TransientMallError) and not isinstance(error, RateLimitedError):
            unknown = OutcomeUnknownError(
                f"sent, but the outcome is not known: {error.message}",
                shop=self._shop,
                operation=operation,
                status=error.status,
                mall_code=error.mall_code,
                mall_message=error.mall_message,
                request_id=error.request_id,
            )
            unknown.__cause__ = error
            return unknown
        return error

    async def aclose(self) -> None:
        await self.client.aclose()


class _UnsentError(UnavailableError):
    """The request provably never reached the mall."""


def _pause(state: RetryCallState) -> float:
    """Seconds to wait before the next try: what the mall asked for, else growing with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RateLimitedError):
        return error.wait_seconds
    # Jitter spreads the retries of many workers; it is no secret.
    return min(20.0, 0.5 * 2.0 ** (state.attempt_number - 1)) * (0.5 + random.random())


def html_error(response: httpx.Response) -> UnavailableError | None:
    """An error when a body that should be JSON is a page of HTML (a CDN's, often with status 200)."""
    start = response.content[:64].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return UnavailableError("a page of HTML came instead of data", status=response.status_code)
    return None
