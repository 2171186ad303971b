"""Endpoints of QAPI: sends, checks the envelope, returns rows as received. No meaning.

Source: QAPI conventions (POST of a form, status 200 for refusals too); confidence: sure.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.auth import FORM, IssuedKeyAuth, SellerKey
from connectors.qoo10.mapping import stamp
from connectors.qoo10.settings import Qoo10Credentials
from connectors.qoo10.wire import Envelope, ItemPage, LineRow, decode_envelope, decode_item_page, rows_of, text
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
#: what the service answers, as plain text, to a name it does not have
_NO_SUCH_NAME = (b"can't find service", b"can't find method")
#: seconds to stay away after a 429 that names no time; no limiter of this mall is documented
_PAUSE_SECONDS = 5.0
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)


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
            classify=lambda response: classify(response, now=context.now),
            read_limits=lambda _response: None,
            clock=lambda: context.now().timestamp(),
            sleep=context.sleep,
        )
        self.auth: SellerKey | IssuedKeyAuth
        if credentials.seller_key is not None:
            self.auth = SellerKey(credentials.seller_key.get_secret_value(), issued_on=credentials.seller_key_issued_on)
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

    async def confirm(self, line_no: str, *, ship_on: str, delay_type: str, memo: str) -> None:
        """Take an order, or tell the day (yyyyMMdd) on which it will be sent; "" leaves a field out.

        This and the writes below raise: OutcomeUnknownError when it may have happened; RejectedByMallError.
        """
        form = {"OrderNo": line_no, "EstShipDt": ship_on, "DelayType": delay_type, "DelayMemo": memo}
        await self._call(self.http.write, codes.CONFIRM_ORDER, form)

    async def send_parcel(self, line_no: str, *, carrier: str, tracking_no: str) -> None:
        form = {"OrderNo": line_no, "ShippingCorp": carrier, "TrackingNo": tracking_no}
        await self._call(self.http.write, codes.SEND_PARCEL, form)

    async def cancel(self, line_no: str, *, reason: str, memo: str) -> None:
        """Cancel one order in the seller's name; nothing takes it back."""
        form = {"ContrNo": line_no, "CancelReason": reason, "SellerMemo": memo, "returnFeeStat": ""}
        await self._call(self.http.write, codes.CANCEL_ORDER, form)

    async def accept_exchange(self, line_no: str) -> None:
        """Accept; the seller's return address may be sent along, without it QSM's own holds."""
        await self._call(self.http.write, codes.ACCEPT_EXCHANGE, {"orderNo": line_no})

    async def redeliver(self, line_no: str, *, day: str, carrier: str, tracking_no: str, to: LineRow) -> None:
        """Send the replacement on ``day`` (YYYY-MM-DD here) to the receiver in ``to``."""
        form = {
            "orderNo": line_no,
            "redelivery_date": day,
            "invoice_no": tracking_no,
            # The mall's own spelling.
            "del_comapny_name": carrier,
            "rcv_name": text(to.receiver) or "",
            "rcv_zip_code": text(to.zip_code) or "",
            "rcv_front_address": text(to.address_base) or text(to.address) or "",
            "rcv_back_address": text(to.address_detail) or "",
            "rcv_hp_no": text(to.receiver_mobile) or "",
            "rcv_tel_no": text(to.receiver_tel) or "",
        }
        await self._call(self.http.write, codes.REDELIVER, form)

    async def items(self, status: str, page: int) -> ItemPage:
        """One page of the goods in one status, counted from 1; here the mall's paging is real."""
        envelope = await self._call(self.http.read, codes.LIST_ITEMS, {"ItemStatus": status, "Page": str(page)})
        return decode_item_page(envelope.result)

    async def item(self, item_code: str) -> list[bytes]:
        """What the mall tells of one item. Raises: NotFoundAtMallError."""
        return await self._list(codes.ONE_ITEM, {"ItemCode": item_code, "SellerCode": ""})

    async def item_options(self, item_code: str) -> list[bytes]:
        """The option combinations of one item; none when it has no combined options."""
        return await self._list(codes.ITEM_OPTIONS, {"ItemCode": item_code, "SellerCode": ""})

    async def _list(self, method: str, form: dict[str, str]) -> list[bytes]:
        return rows_of((await self._call(self.http.read, method, form)).result)

    async def _call(
        self, send: Callable[..., Awaitable[httpx.Response]], method: str, form: dict[str, str]
    ) -> Envelope:
        async with self._one_at_a_time:
            response = await send(
                "POST",
                method,
                operation=method,
                data={**form, "returnType": "application/json"},
                headers={"QAPIVersion": codes.VERSIONS.get(method, "1.0"), "Content-Type": FORM},
            )
        self.mall_time = _date_of(response)
        return decode_envelope(response.content)

    async def aclose(self) -> None:
        await self.http.aclose()
        await self._plain.aclose()


def classify(response: httpx.Response, *, now: Callable[[], datetime]) -> MallError | None:
    """What is wrong with an answer, in the order that tells causes apart: transport, name, key, business."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError("the mall asks for a pause", wait_seconds=_retry_after(response, now()), status=429)
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


def _retry_after(response: httpx.Response, now: datetime) -> float:
    """Seconds to stay away: told as a number or as a time, else some that were chosen here."""
    told = response.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(told):
        return float(told)
    until = _date_of(response, "retry-after")
    return _PAUSE_SECONDS if until is None else max(0.0, (until - (_date_of(response) or now)).total_seconds())


def _date_of(response: httpx.Response, header: str = "date") -> datetime | None:
    """A time in a header; one without an offset is UTC by the rules of HTTP."""
    try:
        told = parsedate_to_datetime(response.headers[header])
    except (KeyError, ValueError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
