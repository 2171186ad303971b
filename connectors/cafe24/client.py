"""The endpoints of the Cafe24 Admin API that the hub uses: sends, pages, returns rows as they came."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from msgspec import Raw, Struct

from connectors.cafe24.auth import Cafe24Auth
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import KST
from connectors.cafe24.wire import (
    ErrorWire,
    envelope_decoder,
    error_decoder,
    links_decoder,
    repair,
    rows_decoder,
    syntax_decoder,
)
from hub.core.contract import CallCounts, ShopContext
from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    MallTimeoutError,
    NotFoundAtMallError,
    RateLimitedError,
    RejectedByMallError,
    UnavailableError,
)
from hub.core.http import Limits, MallHttp, Rate, html_error, make_client

ADMIN = "/api/v2/admin"
#: ten calls a second from one address may be taken for abnormal although the bucket has room (confidence: sure).
#: A tenth of a second apart, ten of them stand within one; renewing a token is a call beside these.
RATE = Rate(
    per_second=2,
    capacity=40,
    burst_per_second=8,
    source="Cafe24 Admin API introduction, API Limit: 40 calls, 2 leak a second",
)
#: rows asked for at once: 1000 is allowed, but slow with all embeds (confidence: guess)
ORDER_LIMIT = 500
#: the highest offset that lists of orders accept
ORDER_WALL = 15_000
ARTICLE_LIMIT = 100
ARTICLE_WALL = 8_000
CARRIER_LIMIT = 100
REFUND_LIMIT = 500
REFUND_WALL = 15_000
POINTS_LIMIT = 100
#: most order numbers, article numbers in one filter
ID_LIMIT = 100
EMBED = "items,receivers,buyer,cancellation,return,exchange"

Params = Mapping[str, str | int]


class Rows(Struct, frozen=True, kw_only=True):
    """One page of a list. ``has_next``: the mall itself says that more follows."""

    rows: tuple[bytes, ...]
    has_next: bool = False


class Sent(Struct, frozen=True, kw_only=True):
    """The answer to a write: its status and the messages of the elements that the mall refused."""

    status: int
    refused: tuple[str, ...] = ()


class Cafe24Client:
    """One mall, all its shop numbers: they share the bucket and the token."""

    def __init__(self, context: ShopContext, credentials: Cafe24Credentials) -> None:
        base_url = context.base_url or credentials.default_base_url
        self._plain = make_client(base_url=base_url, transport=context.transport)
        self.auth = Cafe24Auth(secrets=context.secrets, credentials=credentials, client=self._plain, now=context.now)
        client = make_client(base_url=base_url, auth=self.auth, transport=context.transport)
        # Asked for on every call, reads included (Cafe24 Admin API, introduction; confidence: sure).
        client.headers["Content-Type"] = "application/json"
        client.headers["X-Cafe24-Api-Version"] = credentials.api_version
        self._http = MallHttp(
            shop=context.shop.name,
            client=client,
            rate=RATE,
            classify=classify,
            read_limits=read_limits,
            clock=lambda: context.now().timestamp(),
            sleep=context.sleep,
        )

    @property
    def calls(self) -> CallCounts:
        return self._http.counts

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._plain.aclose()

    async def orders(
        self, *, shop_no: int, date_type: str, since: datetime, until: datetime, offset: int, limit: int = ORDER_LIMIT
    ) -> Rows:
        """One page of GET /orders over one kind of date; both ends belong to the window."""
        filters = _order_filters(shop_no, date_type, since, until)
        return await self._list("orders", {**filters, "embed": EMBED, "limit": limit, "offset": offset})

    async def count_orders(self, *, shop_no: int, date_type: str, since: datetime, until: datetime) -> int:
        response = await self._get("orders/count", _order_filters(shop_no, date_type, since, until))
        try:
            return msgspec.json.decode(body(response), type=_Count, strict=False).count
        except msgspec.MsgspecError as error:
            raise MalformedResponseError("no count in the answer", path="count", operation="orders/count") from error

    async def orders_by_number(self, *, shop_no: int, order_nos: Sequence[str]) -> Rows:
        """At most :data:`ID_LIMIT` orders by their numbers; those of another shop number are left out."""
        params: Params = {"shop_no": shop_no, "order_id": ",".join(order_nos), "embed": EMBED, "limit": ID_LIMIT}
        return await self._list("orders", params)

    async def order(self, *, shop_no: int, order_no: str) -> bytes:
        """Raises: NotFoundAtMallError when this shop number has no such order."""
        response = await self._get(f"orders/{segment(order_no)}", {"shop_no": shop_no, "embed": EMBED})
        return _one(response, "order")

    async def claim(self, *, shop_no: int, resource: str, claim_code: str) -> bytes:
        """One accepted claim. ``resource``: cancellation, return or exchange."""
        response = await self._get(f"{resource}/{segment(claim_code)}", {"shop_no": shop_no})
        return _one(response, resource)

    async def boards(self, *, shop_no: int) -> Rows:
        return await self._list("boards", {"shop_no": shop_no})

    async def articles(self, *, shop_no: int, board_no: int, since: datetime, until: datetime, offset: int) -> Rows:
        """One page of a board's posts by creation, answers included; the window is at most one year."""
        params = {"shop_no": shop_no, **_dates(since, until), "limit": ARTICLE_LIMIT, "offset": offset}
        return await self._list("articles", params, path=f"boards/{board_no}/articles")

    async def articles_by_number(self, *, shop_no: int, board_no: int, article_nos: Sequence[int]) -> Rows:
        numbers = ",".join(map(str, article_nos))
        params: Params = {"shop_no": shop_no, "article_no": numbers, "limit": ARTICLE_LIMIT}
        return await self._list("articles", params, path=f"boards/{board_no}/articles")

    async def articles_with_comments(self, *, shop_no: int, board_no: int, article_nos: Sequence[int]) -> Rows:
        """Those of the posts that have comments. That both filters hold together: confidence guess."""
        numbers = ",".join(map(str, article_nos))
        params: Params = {"shop_no": shop_no, "article_no": numbers, "comment": "T", "limit": ARTICLE_LIMIT}
        return await self._list("articles", params, path=f"boards/{board_no}/articles")

    async def comments(self, *, shop_no: int, board_no: int, article_no: int, offset: int) -> Rows:
        """One page of the comments below one post."""
        params: Params = {"shop_no": shop_no, "limit": ARTICLE_LIMIT, "offset": offset}
        return await self._list("comments", params, path=f"boards/{board_no}/articles/{article_no}/comments")

    async def urgent_inquiries(self, *, shop_no: int, since: datetime, until: datetime, offset: int) -> Rows:
        params = {"shop_no": shop_no, **_dates(since, until), "limit": ARTICLE_LIMIT, "offset": offset}
        return await self._list("urgentinquiry", params)

    async def urgent_reply(self, *, shop_no: int, article_no: int) -> bytes:
        response = await self._get(f"urgentinquiry/{article_no}/reply", {"shop_no": shop_no})
        return _one(response, "reply")

    async def memos(self, *, shop_no: int, order_no: str) -> Rows:
        return await self._list("memos", {"shop_no": shop_no}, path=f"orders/{segment(order_no)}/memos")

    async def points(self, *, shop_no: int, member_id: str, since: datetime, until: datetime, offset: int) -> Rows:
        """One page of what was given to and taken from one member."""
        params = {"shop_no": shop_no, "member_id": member_id, **_dates(since, until), "limit": POINTS_LIMIT}
        return await self._list("points", {**params, "offset": offset})

    async def send(self, method: str, path: str, *, shop_no: int, request: Mapping[str, Any]) -> Sent:
        """One write in the form ``{"shop_no", "request": {...}}``; numbers in ``path`` went through :func:`segment`."""
        return await self._write(method, path, shop_no, request=request)

    async def send_many(self, method: str, path: str, *, shop_no: int, request: Mapping[str, Any]) -> Sent:
        """One write to an endpoint that takes the form ``{"shop_no", "requests": [{...}]}`` only."""
        return await self._write(method, path, shop_no, requests=[request])

    async def server_date(self, *, shop_no: int, now: datetime) -> str | None:
        """The Date header of a harmless read of orders. Raises MallError when orders may not be read."""
        filters = _order_filters(shop_no, "order_date", now - timedelta(days=1), now)
        response = await self._get("orders/count", filters)
        date: str | None = response.headers.get("Date")
        return date

    async def carriers(self, *, shop_no: int) -> Rows:
        """The carriers registered with one shop number (mall.read_shipping), all pages of them."""
        rows: dict[bytes, None] = {}
        params: dict[str, str | int] = {"shop_no": shop_no, "limit": CARRIER_LIMIT}
        while True:
            page = await self._list("carriers", params)
            before = len(rows)
            rows.update(dict.fromkeys(page.rows))
            if len(page.rows) < CARRIER_LIMIT or len(rows) == before:
                return Rows(rows=tuple(rows))
            params["offset"] = len(rows)

    async def listed(self, key: str, params: Params) -> Rows:
        """One page of a list that has no filters worth a method of its own (suppliers, products, shops)."""
        return await self._list(key, params)

    async def refunds(self, *, shop_no: int, date_type: str, since: datetime, until: datetime, offset: int) -> Rows:
        """One page of GET /refunds over one kind of date; both ends belong to the window."""
        filters = _order_filters(shop_no, date_type, since, until)
        return await self._list("refunds", {**filters, "limit": REFUND_LIMIT, "offset": offset})

    async def _get(self, path: str, params: Params) -> httpx.Response:
        return await self._http.read("GET", f"{ADMIN}/{path}", operation=_operation(path), params=dict(params))

    async def _list(self, key: str, params: Params, *, path: str | None = None) -> Rows:
        response = await self._get(path or key, params)
        fields = _fields(response)
        if key not in fields:
            raise MalformedResponseError("the list is missing", path=key, operation=_operation(path or key))
        try:
            rows = rows_decoder.decode(fields[key]) or []
        except msgspec.MsgspecError as error:
            raise MalformedResponseError("not a list", path=key, operation=_operation(path or key)) from error
        return Rows(rows=tuple(map(bytes, rows)), has_next=_has_next(fields.get("links")))

    async def _write(self, method: str, path: str, shop_no: int, **payload: object) -> Sent:
        response = await self._http.write(
            method, f"{ADMIN}/{path}", operation=_operation(path), json={"shop_no": shop_no, **payload}
        )
        return Sent(status=response.status_code, refused=_refused(response))


class _Count(Struct):
    count: int


def _operation(path: str) -> str:
    """The endpoint without its numbers, for errors and logs."""
    return "/".join(part for part in path.split("/") if not any(char.isdigit() for char in part))


def segment(number: str) -> str:
    """A number as one segment of a path: it came from outside and must not climb out of it."""
    cleaned = "".join(char for char in number if char.isalnum() or char in "-_")
    if not cleaned or cleaned != number:
        raise NotFoundAtMallError("not a number of this mall")
    return cleaned


def _dates(since: datetime, until: datetime) -> dict[str, str | int]:
    return {
        "start_date": since.astimezone(KST).isoformat(timespec="seconds"),
        "end_date": until.astimezone(KST).isoformat(timespec="seconds"),
    }


def _order_filters(shop_no: int, date_type: str, since: datetime, until: datetime) -> dict[str, str | int]:
    return {"shop_no": shop_no, "date_type": date_type, **_dates(since, until)}


def body(response: httpx.Response) -> bytes:
    """The JSON of an answer, with lone surrogates repaired (:func:`classify` has done it)."""
    found = response.extensions.get("cafe24.body", response.content)
    return found if isinstance(found, bytes) else response.content


def _fields(response: httpx.Response) -> dict[str, Raw]:
    try:
        return envelope_decoder.decode(body(response))
    except msgspec.MsgspecError as error:
        raise MalformedResponseError("the answer is not an object", path="$") from error


def _one(response: httpx.Response, key: str) -> bytes:
    """The object under ``key``; some endpoints give a list of one."""
    fields = _fields(response)
    found = bytes(fields.get(key, Raw(b"null")))
    if found.startswith(b"["):
        rows = rows_decoder.decode(found) or []
        found = bytes(rows[0]) if rows else b"null"
    if not found.startswith(b"{"):
        message = f"the answer holds no {key}"
        raise NotFoundAtMallError(message)
    return found


def _has_next(links: Raw | None) -> bool:
    if links is None:
        return False
    try:
        found = links_decoder.decode(links)
    except msgspec.MsgspecError:
        return False  # paging goes by the number of rows, links only add to it
    return any(link.rel == "next" and link.href for link in found or ())


class _Element(Struct):
    status: int | str | None = None
    code: int | str | None = None
    message: str | None = None
    error: ErrorWire | str | None = None


_elements_decoder = msgspec.json.Decoder(list[_Element] | _Element, strict=False)


def _refused(response: httpx.Response) -> tuple[str, ...]:
    """Messages of the elements that failed inside an answer that is good as a whole (207).

    Failed elements carry their own status and message; confidence: guess for claims. Never raises: the
    call has acted by now, and what cannot be read here is told by the reading that follows.
    """
    messages: list[str] = []
    for value in _told_fields(response):
        try:
            found = _elements_decoder.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        elements = found if isinstance(found, list) else [found]
        messages += [_message(element) for element in elements if _has_failed(element, response)]
    return tuple(messages)


def _told_fields(response: httpx.Response) -> list[Raw]:
    try:
        return list(envelope_decoder.decode(body(response)).values())
    except msgspec.MsgspecError:
        return []  # no answer at all (204), or one of another shape


def _has_failed(element: _Element, response: httpx.Response) -> bool:
    if element.error is not None:
        return True
    is_mixed = response.status_code == httpx.codes.MULTI_STATUS
    told = str(element.status or (element.code if is_mixed else None) or "")
    return _is_failure(told)


def _is_failure(status: str) -> bool:
    return len(status) == 3 and status.isascii() and status.isdigit() and int(status) >= httpx.codes.BAD_REQUEST


def _message(element: _Element) -> str:
    if isinstance(element.error, ErrorWire):
        return str(element.error.message or element.error.code or "refused")
    return element.message or element.error or f"status {element.status or element.code}"


def read_limits(response: httpx.Response) -> Limits | None:
    """The bucket ("7/40"), the share of the ten-minute quota, and the silence asked for once that is used up.

    Source: Cafe24 Admin API introduction, API Limit; confidence: sure.
    """
    used, slash, capacity = response.headers.get("X-Api-Call-Limit", "").partition("/")
    shares = _told(response, "X-Cafe24-Call-Usage", "X-Cafe24-Time-Usage")
    pauses = _told(response, "X-Cafe24-Call-Remain", "X-Cafe24-Time-Remain")
    share, pause = max(shares, default=None), max(pauses, default=None)
    counted, size = (_seconds(used), _seconds(capacity)) if slash else (None, None)
    if counted is None and share is None and pause is None:
        return None
    return Limits(
        used=counted if size is not None else None,
        capacity=size,
        pause_seconds=pause,
        quota_share=None if share is None else share / 100,
    )


def _told(response: httpx.Response, *names: str) -> list[float]:
    return [number for name in names if (number := _seconds(response.headers.get(name))) is not None]


def classify(response: httpx.Response) -> MallError | None:
    """Name what an answer is; an error inside a success counts by the code that it tells.

    Source: Cafe24 developer guide, status codes; confidence: sure.
    """
    status, error = response.status_code, None
    if response.is_success:
        unreadable = _unreadable(response)
        if unreadable is not None or b'"error"' not in response.content[:64]:
            return unreadable
        error = _error(body(response))
        if error is None:
            return None
        told = str(error.code or "")
        status = int(told) if _is_failure(told) else httpx.codes.UNPROCESSABLE_ENTITY
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError("the mall's limit is reached", wait_seconds=_wait_seconds(response), status=status)
    if response.is_redirect or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError("the mall is not available", status=status)
    if status == httpx.codes.REQUEST_TIMEOUT:
        return MallTimeoutError("the mall gave up waiting", status=status)
    kind, message = _REFUSALS.get(status, (RejectedByMallError, "the mall refused"))
    return kind(message, status=status, **_words(error or _error(response.content)))


_REFUSALS: dict[int, tuple[type[MallError], str]] = {
    httpx.codes.UNAUTHORIZED: (AccessError, "the access token is not accepted"),
    httpx.codes.FORBIDDEN: (AccessError, "no permission: scope missing or app removed, re-consent needed"),
    httpx.codes.NOT_FOUND: (NotFoundAtMallError, "no such thing at the mall"),
}


def _unreadable(response: httpx.Response) -> MallError | None:
    """An error when a body that should be JSON is not; text with a lone surrogate is repaired."""
    content = response.content
    if not content:
        # A write may answer with nothing (204); a list that is empty says so.
        is_read = response.request.method == "GET"
        return UnavailableError("the answer is empty", status=response.status_code) if is_read else None
    page = html_error(response)
    if page is not None:
        return page
    try:
        syntax_decoder.decode(content)
    except msgspec.MsgspecError:
        content = repair(content)
        try:
            syntax_decoder.decode(content)
        except msgspec.MsgspecError:
            return UnavailableError("the answer is cut off or not JSON", status=response.status_code)
        response.extensions["cafe24.body"] = content
    return None


def _error(content: bytes) -> ErrorWire | None:
    try:
        answer = error_decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if isinstance(answer.error, str):
        return ErrorWire(code=answer.error, message=answer.error_description)
    return answer.error


def _words(error: ErrorWire | None) -> dict[str, Any]:
    if error is None:
        return {}
    return {
        "mall_code": None if error.code is None else str(error.code),
        "mall_message": None if error.message is None else str(error.message)[:500],
    }


def _wait_seconds(response: httpx.Response) -> float:
    """Seconds of silence after a 429: what the mall says, else until the bucket has drained."""
    told = _told(response, "X-Cafe24-Call-Remain", "X-Cafe24-Time-Remain", "Retry-After")
    if told:
        return max(1.0, *told)
    limits = read_limits(response)
    used = limits.used if limits is not None and limits.used is not None else 2.0
    return max(1.0, used / RATE.per_second)


def _seconds(header: str | None) -> float | None:
    try:
        number = None if header is None else float(header.strip().removesuffix("%"))
    except ValueError:
        return None
    return None if number is None or not math.isfinite(number) else max(0.0, number)
