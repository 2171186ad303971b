"""SmartStore's endpoints: sends, pages, checks the envelope; gives no meaning to a record.

Source: Naver Commerce API 2.73.0 and the mall's answers in its public discussions; confidence: sure
unless a comment says otherwise.
"""

import random
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
import structlog
from msgspec import Struct

from connectors.smartstore import documented
from connectors.smartstore.leaves import KST
from connectors.smartstore.vocabulary import ACCESS_CODES, NOT_FOUND_CODES, SERVER_CODES
from connectors.smartstore.wire import (
    ActedWire,
    ActionAnswerWire,
    DetailWire,
    EnvelopeWire,
    ErrorWire,
    FeedAnswerWire,
    FeedRowWire,
    IdsAnswerWire,
    InquiryWire,
    MoreWire,
    PageWire,
    QnaWire,
    RecordsAnswerWire,
    Scalar,
    clean_json,
)
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
from hub.core.http import Limits, MallHttp, Rate, html_error
from hub.core.wire_watch import WireWatch

#: used until the headers of the first answer tell better
RATE = Rate(per_second=2, capacity=4, source="Commerce API discussions 3754, 3738: usual for own-store apps (likely)")
#: rows of the change feed and ids of one detail call
MOST_ROWS = 300
INQUIRY_PAGE = 200
QNA_PAGE = 100

_LINES = "/v1/pay-order/seller/product-orders"
_FEED = f"{_LINES}/last-changed-statuses"
_DETAIL = f"{_LINES}/query"
_INQUIRIES = "/v1/pay-user/inquiries"
_QNAS = "/v1/contents/qnas"
_LONGEST_BACK_OFF_SECONDS = 30.0
_LONGEST_MESSAGE = 500

#: the mall's ids are digits, 20 bytes at most
_LINE_NO = re.compile(r"[0-9A-Za-z_-]{1,20}")

log = structlog.get_logger(__name__)

T = TypeVar("T", bound=Struct)


class FeedPage(Struct, frozen=True):
    """Ids of changed lines, oldest change first; ``broken`` are rows without one.

    ``more`` is (moreFrom, moreSequence) when rows are left; the sequence is "" where the mall names none.
    """

    ids: tuple[str, ...]
    broken: tuple[bytes, ...]
    more: tuple[str, str] | None
    mall_time: str | None


class RecordPage(Struct, frozen=True):
    records: tuple[bytes, ...]
    is_last: bool
    total: int | None


class Acted(Struct, frozen=True):
    """What an action call says of one line: done, refused with words, or neither.

    ``is_address_changed``: the receiver's address is another one than before (confirm only).
    """

    is_done: bool
    refusal: str | None = None
    is_address_changed: bool = False


class Verdicts:
    """Reads an answer's verdict; remembers refusals in a row so that the pauses grow."""

    def __init__(self) -> None:
        self._refused_in_a_row = 0

    def classify(self, response: httpx.Response) -> MallError | None:
        """``None`` for a good answer. A body that is cut off is an error too, whatever the status."""
        found = self._found(response)
        noted = log.debug if found is None else log.info
        noted(
            "smartstore.answered",
            status=response.status_code,
            mall_code=found and found.mall_code,
            request_id=found.request_id if found and found.request_id else _trace_id(response),
        )
        return found

    def _found(self, response: httpx.Response) -> MallError | None:
        page = html_error(response)
        if page is not None and response.status_code not in {401, 403, 429}:
            return page
        if not response.is_success:
            return self._refusal(response, _error_body(response))
        self._refused_in_a_row = 0
        if _says_nothing(response):
            return None
        try:
            error = _error_inside(response.content)
        except MalformedResponseError as malformed:
            return UnavailableError(malformed.message, status=response.status_code, request_id=_trace_id(response))
        return None if error is None else self._refusal(response, error)

    def _refusal(self, response: httpx.Response, error: ErrorWire) -> MallError:
        status = response.status_code
        code = _short(error.code)
        about: dict[str, Any] = {
            "status": status,
            "mall_code": code,
            "mall_message": _short(error.message, _LONGEST_MESSAGE),
            "request_id": _trace_id(response) or _short(error.trace_id),
        }
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return self._too_many(response, code, about)
        if status in {401, 403} or code in ACCESS_CODES:
            return AccessError(_access_message(code), **about)
        if code == "GW.NOT_FOUND":
            return AccessError("the gateway does not know this address: check base_url", **about)
        if code in NOT_FOUND_CODES or (status == httpx.codes.NOT_FOUND and code is None):
            return NotFoundAtMallError("the mall does not know it", **about)
        if status in {408, 504}:
            return MallTimeoutError("the mall's gateway gave up waiting", **about)
        # The order group answers plain refusals with 500 as well; 9999 ("other") says nothing at 500.
        is_named_refusal = code is not None and code.isdigit() and code not in SERVER_CODES
        if status >= 500 and not is_named_refusal:
            return UnavailableError("the mall's server failed", **about)
        if code in SERVER_CODES and code != "9999":
            return UnavailableError("the mall's server failed", **about)
        if 300 <= status < 400:
            return UnavailableError("the mall answered with a redirect", **about)
        if code is not None and code.startswith("GW."):
            return UnavailableError("the mall's gateway failed", **about)
        return RejectedByMallError("the mall refused", **about)

    def _too_many(self, response: httpx.Response, code: str | None, about: dict[str, Any]) -> MallError:
        period = response.headers.get("GNCP-GW-Quota-Period", "").strip().upper()
        if code == "GW.QUOTA_LIMIT" and period not in {"", "SECONDS"}:
            # HOURS is the penalty for one malformed token request: one call an hour, until the
            # morning after a day without any such request.
            message = (
                f"the mall cut this application's quota (period {period[:20]}): waiting inside a run does not help"
            )
            return AccessError(message, **about)
        self._refused_in_a_row += 1
        asked = _retry_after(response)
        grown = min(_LONGEST_BACK_OFF_SECONDS, 2.0 ** (self._refused_in_a_row - 1)) * (1 + random.random() / 2)
        return RateLimitedError("over the mall's rate", wait_seconds=max(grown, asked or 0.0), **about)


def read_limits(response: httpx.Response) -> Limits | None:
    """The token bucket of one API as its headers tell it."""
    rate = _number(response.headers.get("GNCP-GW-RateLimit-Replenish-Rate"))
    burst = _number(response.headers.get("GNCP-GW-RateLimit-Burst-Capacity"))
    left = _number(response.headers.get("GNCP-GW-RateLimit-Remaining"))
    if rate is None and burst is None:
        return None
    used = burst - max(0.0, left) if burst is not None and left is not None else None
    return Limits(used=used, capacity=burst, rate=rate)


class SmartstoreClient:
    """Limits are per API, so each endpoint has its own bucket. ``watch`` sees the records that are read."""

    def __init__(self, http: MallHttp, watch: WireWatch) -> None:
        self._http = http
        self._watch = watch

    async def changed(self, *, since: datetime, until: datetime, more: tuple[str, str] | None) -> FeedPage:
        """One page of the change feed, both ends inclusive, at most 24 hours. ``more`` is that of the page before.

        Raises: MalformedResponseError when the mall says that more follows but gives no row, or gives
        the same place again.
        """
        query = {
            "lastChangedFrom": more[0] if more else wire_time(since),
            "lastChangedTo": wire_time(until),
            "limitCount": str(MOST_ROWS),
        }
        if more and more[1]:
            query["moreSequence"] = more[1]
        response = await self._http.read("GET", _FEED, operation="orders.changed", bucket="feed", params=query)
        answer = _typed(response, FeedAnswerWire)
        data = answer.data
        rows = (data.last_change_statuses if data else None) or []
        following = None if data is None else _following(data.more)
        if following is not None and (not rows or following == more or _is_earlier(following[0], query)):
            message = "the change feed does not move on: " + ("a place met before" if rows else "more, but no rows")
            raise MalformedResponseError(message, operation="orders.changed", path="$.data.more")
        ids, broken = _row_ids(bytes(row) for row in rows)
        return FeedPage(ids, broken, following, _plain(answer.timestamp))

    async def details(self, ids: tuple[str, ...]) -> list[bytes]:
        """Product orders in full, in any order; unknown ids may be absent, or fail the whole call."""
        body = {"productOrderIds": list(ids), "quantityClaimCompatibility": True}
        response = await self._http.read("POST", _DETAIL, operation="orders.detail", bucket="detail", json=body)
        told = _typed(response, RecordsAnswerWire).data
        if told is None:
            message = "the answer holds no product orders"
            raise MalformedResponseError(message, operation="orders.detail", path="$.data")
        records = [bytes(record) for record in told]
        for record in records:
            self._watch.look(record, shape=DetailWire, where="order", known=documented.DETAIL)
        return records

    async def line_ids(self, order_no: str) -> tuple[str, ...]:
        url = f"/v1/pay-order/seller/orders/{quote(order_no, safe='')}/product-order-ids"
        response = await self._http.read("GET", url, operation="orders.lines", bucket="lines")
        return tuple(text for value in _typed(response, IdsAnswerWire).data or () if (text := _plain(value)))

    async def inquiries(self, *, first: date, last: date, page: int) -> RecordPage:
        """Customer inquiries registered on the days ``first``..``last`` (Korea, inclusive)."""
        query = {
            "startSearchDate": first.isoformat(),
            "endSearchDate": last.isoformat(),
            "page": str(page),
            "size": str(INQUIRY_PAGE),
        }
        response = await self._http.read("GET", _INQUIRIES, operation="inquiries", bucket="inquiries", params=query)
        found = _record_page(_typed(response, PageWire), page=page, size=INQUIRY_PAGE)
        for record in found.records:
            self._watch.look(record, shape=InquiryWire, where="inquiry", known=documented.INQUIRY)
        return found

    async def qnas(self, *, since: datetime, until: datetime, page: int) -> RecordPage:
        """Product questions written in ``since``..``until``."""
        query = {
            "fromDate": wire_time(since),
            "toDate": wire_time(until),
            "page": str(page),
            "size": str(QNA_PAGE),
        }
        response = await self._http.read("GET", _QNAS, operation="qnas", bucket="qnas", params=query)
        found = _record_page(_typed(response, PageWire), page=page, size=QNA_PAGE)
        for record in found.records:
            self._watch.look(record, shape=QnaWire, where="qna", known=documented.QNA)
        return found

    async def answer_inquiry(self, number: str, text: str) -> None:
        url = f"/v1/pay-merchant/inquiries/{quote(number, safe='')}/answer"
        body = {"answerComment": text}
        await self._http.write("POST", url, operation="inquiries.answer", bucket="inquiries.answer", json=body)

    async def answer_qna(self, number: str, text: str) -> None:
        """Creates and replaces alike: the caller makes sure that nothing stands there."""
        url = f"{_QNAS}/{quote(number, safe='')}"
        await self._http.write("PUT", url, operation="qnas.answer", bucket="qnas.answer", json={"commentContent": text})

    async def change_inquiry_answer(self, number: str, answer_no: str, text: str) -> None:
        """``answer_no`` is the answerContentId that the list shows."""
        url = f"/v1/pay-merchant/inquiries/{quote(number, safe='')}/answer/{quote(answer_no, safe='')}"
        body = {"answerComment": text}
        await self._http.write("PUT", url, operation="inquiries.answer.change", bucket="inquiries.change", json=body)

    async def confirm(self, line_no: str) -> Acted:
        """발주확인 of one line."""
        return await self._act(line_no, "/confirm", {"productOrderIds": [line_no]}, operation="confirm")

    async def dispatch(self, line_no: str, parcel: Mapping[str, str]) -> Acted:
        """발송처리 of one line; it also withdraws a cancel request that is open on it."""
        body = {"dispatchProductOrders": [{"productOrderId": line_no, **parcel}]}
        return await self._act(line_no, "/dispatch", body, operation="dispatch")

    async def act_on(self, line_no: str, path: str, body: Mapping[str, Any] | None, *, operation: str) -> Acted:
        """A call on one line, ``path`` below its number; ``None`` sends no body, as the approvals want it."""
        return await self._act(line_no, f"/{quote(line_no, safe='')}/{path}", body, operation=operation)

    async def _act(self, line_no: str, path: str, body: Mapping[str, Any] | None, *, operation: str) -> Acted:
        """An answer that names the line neither as done nor as failed, an empty one too, is neither."""
        content = {} if body is None else {"json": body}
        response = await self._http.write("POST", _LINES + path, operation=operation, bucket=operation, **content)
        data = _typed(response, ActionAnswerWire).data or ActedWire()
        for failed in data.fail_product_order_infos or ():
            if _plain(failed.product_order_id) in {line_no, None}:
                return Acted(False, _short(failed.message, _LONGEST_MESSAGE) or _short(failed.code) or "")
        for done in data.success_product_order_infos or ():
            if _plain(done.product_order_id) == line_no:
                return Acted(True, is_address_changed=_truth(done.is_receiver_address_changed) is True)
        return Acted(line_no in {_plain(done) for done in data.success_product_order_ids or ()})


def wire_time(at: datetime) -> str:
    """Korean time with milliseconds and offset, the one form that the mall accepts."""
    return at.astimezone(KST).isoformat(timespec="milliseconds")


def json_body(content: bytes) -> bytes:
    """``content`` as JSON that decodes.

    Lone surrogates anywhere would spoil a whole page, so they are replaced.
    Raises: MalformedResponseError when it is no JSON, or cut off.
    """
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        try:
            return clean_json(content)
        except ValueError:
            raise MalformedResponseError("the answer is no complete JSON") from None
    return content


def _says_nothing(response: httpx.Response) -> bool:
    """Whether an empty body is a whole answer: to a write whose effect is read back, or by its status.

    What the mall answers to an answer to a product question is documented nowhere.
    """
    if response.content.strip():
        return False
    return response.status_code == httpx.codes.NO_CONTENT or response.request.method == "PUT"


def _error_inside(content: bytes) -> ErrorWire | None:
    """The error that a body is although the status says success: a code, a message, and nothing read or done.

    Raises: MalformedResponseError as :func:`json_body`.
    """
    try:
        told = msgspec.json.decode(content, type=EnvelopeWire)
    except (msgspec.DecodeError, RecursionError):
        try:
            told = msgspec.json.decode(json_body(content), type=EnvelopeWire)
        except msgspec.DecodeError:
            return None  # JSON of another shape: whoever reads it says which one was wanted
    if any(bytes(payload) not in {b"", b"null"} for payload in (told.data, told.content, told.contents)):
        return None
    return told if _plain(told.code) and _plain(told.message) else None


def _following(more: MoreWire | None) -> tuple[str, str] | None:
    """Where the feed goes on.

    Raises: MalformedResponseError for a place without its time: rows are left, and nobody knows where.
    """
    start = None if more is None else _plain(more.more_from)
    sequence = None if more is None else _plain(more.more_sequence)
    if start is not None:
        return start, sequence or ""
    if sequence is not None:
        message = "the change feed says that more follows, and not from when"
        raise MalformedResponseError(message, operation="orders.changed", path="$.data.more.moreFrom")
    return None


def _is_earlier(start: str, query: Mapping[str, str]) -> bool:
    """Whether the feed goes back in time: it would never end."""
    try:
        return datetime.fromisoformat(start) < datetime.fromisoformat(query["lastChangedFrom"])
    except (ValueError, TypeError):
        return False  # whoever reads such a place is the mall: it refuses what it cannot read


def _typed(response: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.ValidationError as error:
        raise MalformedResponseError("the answer is not of the documented shape", path=str(error)) from None
    except (msgspec.DecodeError, RecursionError):
        content = json_body(response.content)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise MalformedResponseError("the answer is not of the documented shape", path=str(error)) from None


def _row_ids(rows: Iterable[bytes]) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    ids: dict[str, None] = {}
    broken: list[bytes] = []
    for row in rows:
        try:
            text = _plain(msgspec.json.decode(row, type=FeedRowWire).product_order_id)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            text = None
        if text is None or not _LINE_NO.fullmatch(text):
            # One such number would make the mall refuse the whole call for the details.
            broken.append(row)
        else:
            ids[text] = None
    return tuple(ids), tuple(broken)


def _record_page(wire: PageWire, *, page: int, size: int) -> RecordPage:
    """The number in the answer is 0-based in one list and 1-based in the other, so only ``last`` is trusted.

    Raises: MalformedResponseError for an empty page that claims not to be the last, and for an answer
    that holds neither rows nor any word of how many there are.
    """
    if wire.content is None and wire.contents is None and wire.last is None and wire.total_elements is None:
        raise MalformedResponseError("the answer holds no list of inquiries", path="$.content")
    records = tuple(bytes(record) for record in wire.content or wire.contents or ())
    is_last = _truth(wire.last)
    pages = _number(wire.total_pages)
    if is_last is None:
        is_last = page >= pages if pages is not None else len(records) < size
    if not records and not is_last:
        if pages is None or page <= pages:
            raise MalformedResponseError("an empty page that is not the last", path="$.last")
        is_last = True
    total = _number(wire.total_elements)
    return RecordPage(records, is_last, None if total is None else int(total))


def _truth(value: Scalar) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def _plain(value: Scalar) -> str | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    return str(value)


def _number(value: Scalar) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e12 else None


def _short(value: Scalar, longest: int = 60) -> str | None:
    return None if value is None or value == "" else str(value).replace("\0", "")[:longest]


def _error_body(response: httpx.Response) -> ErrorWire:
    """Error bodies differ per group; whatever has a code and a message will do."""
    try:
        return msgspec.json.decode(json_body(response.content), type=ErrorWire)
    except (msgspec.MsgspecError, MalformedResponseError):
        return ErrorWire()


def _trace_id(response: httpx.Response) -> str | None:
    return _short(response.headers.get("GNCP-GW-Trace-ID"), 100)


def _retry_after(response: httpx.Response) -> float | None:
    """Not documented for this mall; honoured when it comes, as seconds or as a date."""
    told = response.headers.get("Retry-After")
    seconds = _number(told)
    if seconds is not None or not told:
        return seconds
    try:
        at = parsedate_to_datetime(told)
        sent = parsedate_to_datetime(response.headers["Date"])
        return max(0.0, (at - sent).total_seconds())
    except (ValueError, KeyError, TypeError):
        return None


def _access_message(code: str | None) -> str:
    if code == "GW.IP_NOT_ALLOWED":
        return "this server's address is not among the application's allowed addresses (API호출 IP)"
    if code == "GW.AUTHN":
        return "the mall refused a token that it had just given"
    return "the application may not do this: is its API group ticked?"
