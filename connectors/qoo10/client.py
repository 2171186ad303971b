"""Endpoints of QAPI: sends, checks the envelope, returns rows as received. No meaning.

Source: QAPI conventions (POST of a form, status 200 for refusals too); confidence: sure.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.auth import IssuedKeyAuth, SellerKey
from connectors.qoo10.mapping import stamp
from connectors.qoo10.settings import Qoo10Credentials
from connectors.qoo10.wire import Envelope, decode_envelope, rows_of
from hub.core.contract import ShopContext
from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    RateLimitedError,
    UnavailableError,
    UnsupportedByMallError,
)
from hub.core.http import MallHttp, Rate, html_error, make_client

DEFAULT_BASE_URL = "https://api.qoo10.jp/GMKT.INC.Front.QAPIService/ebayjapan.qapi"
_HEADERS = {"QAPIVersion": "1.0", "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
#: what the service answers, as plain text, to a name it does not have
_NO_SUCH_NAME = (b"can't find service", b"can't find method")
#: seconds to stay away after a 429 that names no time; no limiter of this mall is documented
_PAUSE_SECONDS = 5.0


class Qoo10Client:
    """One shop's service; one call at a time, because daily users found no more to be safe."""

    def __init__(self, context: ShopContext, credentials: Qoo10Credentials) -> None:
        base_url = context.base_url or DEFAULT_BASE_URL
        self._plain = make_client(base_url=base_url, transport=context.transport)
        self._sending = make_client(base_url=base_url, transport=context.transport)
        self.http = MallHttp(
            shop=context.shop.name,
            client=self._sending,
            rate=Rate(
                per_second=credentials.calls_per_second,
                # One call at once: the next one waits until the first has leaked away.
                capacity=2,
                source="no published limit; 300 ms between calls in daily use (likely)",
            ),
            classify=classify,
            read_limits=lambda _response: None,
            clock=lambda: context.now().timestamp(),
            sleep=context.sleep,
        )
        self.auth: SellerKey | IssuedKeyAuth
        if credentials.seller_key is not None:
            self.auth = SellerKey(credentials.seller_key.get_secret_value())
        else:
            self.auth = IssuedKeyAuth(
                credentials=credentials,
                secrets=context.secrets,
                client=self._plain,
                take=self.http.bucket().take,
                now=context.now,
            )
        self._sending.auth = self.auth
        self._one_at_a_time = asyncio.Lock()
        self.mall_time: datetime | None = None
        """The Date header of the newest answer, to compare clocks with."""

    async def orders(self, status: str, condition: str, since: datetime, until: datetime) -> list[bytes]:
        """Order numbers in one status, by one date. Both ends belong to the window, at whole seconds."""
        return await self._list(
            codes.LIST_ORDERS,
            {
                "ShippingStatus": status,
                "SearchStartDate": stamp(since),
                "SearchEndDate": stamp(until),
                "SearchCondition": condition,
            },
        )

    async def order(self, line_no: str) -> list[bytes]:
        """What the mall has of one order number: no or one row. Raises: NotFoundAtMallError."""
        return await self._list(codes.ONE_ORDER, {"OrderNo": line_no})

    async def claims(self, condition: str, since: datetime, until: datetime) -> list[bytes]:
        """Claims in every status, by one date. An empty ClaimStat means all."""
        return await self._list(
            codes.LIST_CLAIMS,
            {
                "ClaimStat": "",
                "search_Sdate": stamp(since),
                "search_Edate": stamp(until),
                "search_condition": condition,
            },
        )

    async def inquiries(self, status: str, since: datetime, until: datetime) -> list[bytes]:
        """Inquiries in one status, by the date they were asked."""
        return await self._list(
            codes.LIST_INQUIRIES,
            {"search_start_dt": stamp(since), "search_end_dt": stamp(until), "proc_status": status},
        )

    async def answer(self, *, inquiry_type: str, question_no: str, seq_no: str, contents: str) -> None:
        """Post one answer; not idempotent, so never repeated here.

        Raises: OutcomeUnknownError when it may have been posted; RejectedByMallError when refused.
        """
        form = {"inq_type": inquiry_type, "question_no": question_no, "seq_no": seq_no, "contents": contents}
        await self._call(self.http.write, codes.ANSWER_INQUIRY, form)

    async def _list(self, method: str, form: dict[str, str]) -> list[bytes]:
        return rows_of((await self._call(self.http.read, method, form)).result)

    async def _call(
        self, send: Callable[..., Awaitable[httpx.Response]], method: str, form: dict[str, str]
    ) -> Envelope:
        async with self._one_at_a_time:
            response = await send(
                "POST", method, operation=method, data={**form, "returnType": "application/json"}, headers=_HEADERS
            )
        self.mall_time = _date_of(response)
        return decode_envelope(response.content)

    async def aclose(self) -> None:
        await self.http.aclose()
        await self._plain.aclose()


def classify(response: httpx.Response) -> MallError | None:
    """What is wrong with an answer, in the order that tells causes apart: transport, name, key, business."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError("the mall asks for a pause", wait_seconds=_retry_after(response), status=429)
    if response.status_code == httpx.codes.NOT_FOUND:
        return AccessError("no service at this address: check base_url", status=404)
    if response.status_code != httpx.codes.OK:
        return UnavailableError("the mall is not available", status=response.status_code)
    page = html_error(response)
    if page is not None:
        return page
    if response.content[:64].lstrip(b'\xef\xbb\xbf" \r\n\t').lower().startswith(_NO_SUCH_NAME):
        return UnsupportedByMallError("the service has no method of this name", status=200)
    try:
        envelope = decode_envelope(response.content)
    except MalformedResponseError as error:
        return error
    except ValueError:
        return UnavailableError("the answer is no complete JSON", status=200)
    if envelope.code == 0:
        return None
    return codes.error_of(response.request.url.path.rpartition("/")[2], envelope.code, envelope.message)


def _retry_after(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else _PAUSE_SECONDS


def _date_of(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
