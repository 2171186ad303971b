"""HTTP to malls: one client factory, one sender with limits and retries, one refresher of tokens.

A connector says how to read an answer (``classify``), what the mall's headers tell of its limits
(``read_limits``) and how to authenticate (an ``httpx.Auth``, mostly :class:`TokenAuth`). Everything
else - time-outs, pacing, retries, what may be repeated - is decided here, once for all malls.
"""

import ipaddress
import random
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any

import httpx
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from hub.core.bucket import Bucket, Limits, Rate, urgently
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

__all__ = [
    "ATTEMPTS",
    "LONGEST_PAUSE_SECONDS",
    "TIMEOUT",
    "Bucket",
    "Limits",
    "MallHttp",
    "Rate",
    "TokenAuth",
    "counted_calls",
    "html_error",
    "make_client",
    "require_safe_url",
    "urgently",
]

log = structlog.get_logger(__name__)

#: seconds: a mall's slow page takes longer than a connection may
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
#: tries of one call, the first included
ATTEMPTS = 5
#: a pause longer than this is not waited for inside one call: the run is rescheduled instead
LONGEST_PAUSE_SECONDS = 60.0


def make_client(
    *, base_url: str, auth: httpx.Auth | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The only place that makes an httpx client.

    No redirects (a token must not follow one), no environment proxies, a small pool.
    Raises: ConfigurationError for plain http to anything but a loopback address.
    """
    require_safe_url(base_url)
    return _Client(
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


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Nothing: to look for them takes a tenth of what a small call costs."""


class _Client(httpx.AsyncClient):
    """Every call stands for itself: what an answer wants to be remembered by is neither kept nor sent."""

    _none = _NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._none

    @cookies.setter
    def cookies(self, _cookies: Any) -> None:
        message = "a mall's cookies are neither kept nor sent"
        raise TypeError(message)


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
        self._base = str(client.base_url)
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
        # A write is somebody's decision: it does not queue behind what is only read.
        sent_at = await bucket.take(is_urgent=True if is_write else None)
        for counts in self._counters():
            counts.sent += 1
        limits: Limits | None = None
        try:
            response = await self.client.request(method, _address(self._base, url), **request)
            # The stream of an answer refers back to it: without that circle a large body is freed at once
            # and does not wait for the collector of cycles.
            response.stream = httpx.ByteStream(b"")
            limits = self._read_limits(response) or Limits()
            if limits.quota_share is not None:
                self.counts.quota_share = limits.quota_share
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


@lru_cache(maxsize=512)
def _address(base: str, path: str) -> httpx.URL:
    """``path`` below ``base``, or itself where it is a whole address: as httpx joins them.

    It would parse both anew for each call, a tenth of what a small one costs.
    """
    return httpx.URL(path if path.startswith(("http://", "https://")) else f"{base.rstrip('/')}/{path.lstrip('/')}")


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
