"""The door of the emulated Cafe24: tokens, scopes, limits, and how parameters and bodies are checked.

Source: Cafe24 Admin API, Introduction (OAuth 2.0, API Limit, Response codes), version 2026-03-01;
confidence: sure, except the text of token errors (likely).
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any

import msgspec

from hub.sandbox.asgi import Request, Response
from hub.sandbox.kit import LeakyBucket, SandboxOptions

Json = dict[str, Any]

_KST = timedelta(hours=9)
_ACCESS_LIFE = timedelta(hours=2)
_REFRESH_LIFE = timedelta(days=14)
_CAPACITY, _DRAIN_PER_SECOND = 40, 2.0
_QUOTA_CALLS, _QUOTA_SECONDS = 3000, 600.0
# A plus sign that nobody encoded arrives as a blank before the offset.
_BARE_OFFSET = re.compile(r"T\d{2}:\d{2}:\d{2} \d{2}:\d{2}$")
SCOPES = frozenset(
    {
        "mall.read_order", "mall.write_order", "mall.read_community", "mall.write_community", "mall.read_product",
        "mall.read_supply", "mall.read_shipping", "mall.read_store", "mall.read_mileage", "mall.write_mileage",
    }
)  # fmt: skip


class ApiError(Exception):
    """An answer in the API's error envelope."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = Response(
            status=status, content={"error": {"code": status, "message": message, "more_info": {}}}
        )


@dataclass(slots=True, kw_only=True)
class Tokens:
    """The token endpoint's state: one living refresh token, each use of it makes a new pair."""

    now: Callable[[], datetime]
    mall_id: str
    client_id: str
    client_secret: str
    refresh_token: str
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    refreshes: int = 0
    _issued: int = 0
    _access: dict[str, datetime] = field(default_factory=dict)
    _refresh_until: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._refresh_until = self.now() + _REFRESH_LIFE

    def accepts(self, refresh_token: str) -> bool:
        """Whether it is the living one, and still lives."""
        return refresh_token == self.refresh_token and self.now() <= self._refresh_until

    def revoke(self, token: str) -> None:
        """End an access token, or the refresh token with everything that hangs on it."""
        self._access.pop(token, None)
        if token == self.refresh_token:
            self.refresh_token = ""
            self._access.clear()

    def issue(self) -> Json:
        """A new pair; the old one ends."""
        now = self.now()
        self._issued += 1
        access = f"aT{self._issued}.{self.mall_id}.{now.timestamp():.0f}"
        self.refresh_token = f"rT{self._issued}.{self.mall_id}.{now.timestamp():.0f}"
        self._refresh_until = now + _REFRESH_LIFE
        self._access = {access: now + _ACCESS_LIFE}  # an old one does not survive
        return {
            "access_token": access,
            "expires_at": _naive(now + _ACCESS_LIFE),
            "refresh_token": self.refresh_token,
            "refresh_token_expires_at": _naive(self._refresh_until),
            "client_id": self.client_id,
            "mall_id": self.mall_id,
            "user_id": self.mall_id,
            "scopes": sorted(self.scopes),
            "issued_at": _naive(now),
            "shop_no": "1",
            "token_type": "Bearer",
        }

    def check(self, request: Request, scope: str) -> None:
        """Raises: ApiError 401 for a bad or old access token, 403 when the scope was not granted."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        until = self._access.get(token)
        if until is None:
            raise ApiError(401, "Invalid access_token. (invalid_token)")
        if until <= self.now():
            raise ApiError(401, "access_token time expired. (invalid_token)")
        if scope not in self.scopes:
            raise ApiError(403, f"Insufficient scope. ({scope})")

    def expire_access(self) -> None:
        """Make every access token old at once."""
        self._access = dict.fromkeys(self._access, self.now())


def _naive(moment: datetime) -> str:
    """Korean time without an offset, milliseconds kept."""
    return (moment + _KST).isoformat()[:19] + ".000"


class Limits:
    """The bucket of a mall and its ten-minute quota; counts what was refused in ``refused``."""

    def __init__(self, *, options: SandboxOptions, clock: Callable[[], float]) -> None:
        self._enforce = options.enforce_limits
        self._has_quota = options.rate_per_second is None
        self._clock = clock
        self._calls: deque[float] = deque()
        self._bucket = LeakyBucket(
            capacity=options.burst or _CAPACITY,
            per_second=options.rate_per_second or _DRAIN_PER_SECOND,
            clock=clock,
        )
        self.refused = 0

    def admit(self) -> Response | None:
        """``None`` when the call may pass, else the 429."""
        if not self._enforce:
            return None
        now = self._clock()
        while self._calls and self._calls[0] <= now - _QUOTA_SECONDS:
            self._calls.popleft()
        self._calls.append(now)  # a call while blocked counts too: waiting gets longer
        over = self._has_quota and len(self._calls) > _QUOTA_CALLS
        if not over and self._bucket.pour():
            return None
        self.refused += 1
        response = ApiError(429, "Too Many Requests").response
        if over:
            remain = self._calls[len(self._calls) - _QUOTA_CALLS] + _QUOTA_SECONDS - now
            response.headers["X-Cafe24-Call-Remain"] = str(ceil(remain))
        return response

    def headers(self) -> dict[str, str]:
        if not self._enforce:
            return {}
        return {
            "X-Api-Call-Limit": f"{ceil(self._bucket.level())}/{self._bucket.capacity:.0f}",
            "X-Cafe24-Call-Usage": f"{len(self._calls) * 100 / _QUOTA_CALLS:.0f}" if self._has_quota else "0",
            "X-Cafe24-Time-Usage": "0",
        }


# -- parameters


def page_of(request: Request, *, most: int, deepest: int) -> tuple[int, int]:
    """``limit`` and ``offset``. Raises: ApiError 422 outside their range."""
    limit = _whole(request, "limit", 10)
    offset = _whole(request, "offset", 0)
    if not 1 <= limit <= most:
        raise ApiError(422, "Invalid value. (parameter.limit)")
    if not 0 <= offset <= deepest:
        raise ApiError(422, "Invalid value. (parameter.offset)")
    return limit, offset


def shop_no_of(request: Request) -> int:
    return _whole(request, "shop_no", 1)


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal():
        raise ApiError(422, f"Invalid value. (parameter.{name})")
    return int(text)


def many(request: Request, name: str) -> list[str]:
    """Values with commas, at most 100."""
    values = [value for value in request.query.get(name, "").split(",") if value]
    if len(values) > 100:
        raise ApiError(422, f"Too many values. (parameter.{name})")
    return values


def window_of(request: Request, *, months: int) -> tuple[datetime, datetime] | None:
    """``start_date`` and ``end_date`` as UTC, both ends included; ``None`` when neither is given.

    A date alone means its whole day in Korea. Raises: ApiError 400 for an offset that was not
    encoded, 422 for one without the other, no date, or a window that is not shorter than ``months``.
    """
    texts = request.query.get("start_date"), request.query.get("end_date")
    if texts == (None, None):
        return None
    start, end = _moment(texts[0], "start_date"), _moment(texts[1], "end_date", is_end=True)
    if end < start or _months_later(start, months) <= end:
        raise ApiError(422, "Invalid period. (parameter.end_date)")
    return start, end


def _moment(text: str | None, name: str, *, is_end: bool = False) -> datetime:
    if not text:
        raise ApiError(422, f"Required parameter is missing. (parameter.{name})")
    if _BARE_OFFSET.search(text):
        raise ApiError(400, "The request is not URL-encoded.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(422, f"Invalid value. (parameter.{name})") from error
    if len(text) == 10 and is_end:
        moment += timedelta(days=1, seconds=-1)
    if moment.tzinfo is None:
        return (moment - _KST).replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _months_later(start: datetime, months: int) -> datetime:
    local = start + _KST
    month = local.month - 1 + months
    first = date(local.year + month // 12, month % 12 + 1, 1)
    last = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(days=1)).day
    return local.replace(year=first.year, month=first.month, day=min(local.day, last)) - _KST


# -- bodies


def one_request(request: Request) -> Json:
    """The object under ``request``. Raises: ApiError as Cafe24 answers each wrong form."""
    wanted = _body(request, "request")
    if not isinstance(wanted, dict):
        raise ApiError(422, "An invalid request is entered.")
    return wanted


def many_requests(request: Request, *, most: int) -> list[Json]:
    wanted = _body(request, "requests")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, dict) for one in wanted):
        raise ApiError(422, "An invalid request is entered.")
    if len(wanted) > most:
        raise ApiError(422, "Too many requests in one call. (requests)")
    return wanted


def body_shop_no(request: Request) -> int:
    shop_no = request.json().get("shop_no", 1)
    return int(shop_no) if str(shop_no).isdecimal() else 1


def _body(request: Request, name: str) -> Any:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise ApiError(400, "Content-Type must be application/json.")
    try:
        body = request.json()
    except msgspec.DecodeError as error:
        raise ApiError(400, "The body is not JSON.") from error
    if not isinstance(body, dict) or not body.keys() & {"request", "requests"}:
        raise ApiError(400, "The body has no request.")
    if name not in body:
        raise ApiError(422, "An invalid request is entered.")
    return body[name]


def required(wanted: Json, *names: str) -> None:
    """Raises: ApiError 422 for the first of ``names`` that is missing or empty."""
    for name in names:
        if wanted.get(name) in (None, "", []):
            raise ApiError(422, f"Required parameter is missing. (parameter.{name})")
