"""One SmartStore shop: joins the client and the mapping into what the hub asks for."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from connectors.smartstore import answers, claim_writes, line_writes
from connectors.smartstore.auth import NaverAuth
from connectors.smartstore.capabilities import CAPABILITIES
from connectors.smartstore.client import RATE, SmartstoreClient, Verdicts, read_limits
from connectors.smartstore.inquiries import find_inquiry, read_inquiry_pages
from connectors.smartstore.leaves import Unknowns
from connectors.smartstore.mapping import QNA_PREFIX, read_stored
from connectors.smartstore.orders import missing_lines, read_lines, read_order_pages
from connectors.smartstore.probe import probe
from connectors.smartstore.settings import DEFAULT_BASE_URL, SmartstoreCredentials
from connectors.smartstore.vocabulary import CARRIERS
from connectors.smartstore.writing import LineWrite, write_line
from hub.core.contract import (
    Answer,
    CallCounts,
    Capability,
    Carrier,
    CheckItem,
    Connector,
    Feed,
    LineAction,
    Manifest,
    OpenKeys,
    Page,
    Reading,
    ShopContext,
    Span,
    WriteResult,
)
from hub.core.errors import NotFoundAtMallError
from hub.core.http import MallHttp, make_client
from hub.core.model import Inquiry
from hub.core.wire_watch import WireWatch

_ADMIN = "https://sell.smartstore.naver.com"


class SmartstoreConnector:
    """Implements every capability that MANIFEST declares as yes."""

    def __init__(self, context: ShopContext) -> None:
        credentials = SmartstoreCredentials.read(context.credentials, where=f"shop {context.shop.name}")
        base_url = context.base_url or DEFAULT_BASE_URL
        verdicts = Verdicts()
        self.shop = context.shop
        self._now = context.now
        self._unknown: Unknowns = Unknowns()
        self._auth = NaverAuth(
            credentials=credentials,
            secrets=context.secrets,
            now=context.now,
            client=make_client(base_url=base_url, transport=context.transport),
            classify=verdicts.classify,
        )
        self._http = MallHttp(
            shop=context.shop.name,
            client=make_client(base_url=base_url, auth=self._auth, transport=context.transport),
            rate=RATE,
            classify=verdicts.classify,
            read_limits=read_limits,
            clock=lambda: context.now().timestamp(),
            sleep=context.sleep,
        )
        self._client = SmartstoreClient(self._http, WireWatch(self._unknown))

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        return self._unknown

    @property
    def calls(self) -> CallCounts:
        return self._http.counts

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._auth.aclose()

    # -- reading

    def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        """Orders with their claims, one line each.

        The feed is read from 10 minutes before the span to now, whatever the span's end.
        """
        return read_order_pages(
            self._client, span, open_keys=open_keys, cursor=cursor, now=self._now, unknown=self._unknown
        )

    def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        """Customer inquiries, then product questions; by the day of asking, there is no filter by change."""
        return read_inquiry_pages(
            self._client, span, open_keys=open_keys, cursor=cursor, now=self._now(), unknown=self._unknown
        )

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        """The lines asked for, or all lines of the order; one line that is not shown is a reading with an error.

        Raises: NotFoundAtMallError when the mall shows none.
        """
        ids = line_nos or await self._client.line_ids(order_no)
        readings = await read_lines(self._client, ids, self._unknown)
        if not readings:
            raise NotFoundAtMallError("the mall shows no line of this order", shop=self.shop.name)
        return readings + missing_lines(ids, readings)

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        reading = await find_inquiry(
            self._client,
            inquiry.inquiry_no,
            asked_at=inquiry.asked_at,
            now=self._now(),
            unknown=self._unknown,
        )
        if reading is None:
            raise NotFoundAtMallError("the mall does not list this inquiry any more", shop=self.shop.name)
        return reading

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        return read_stored(feed, key, raw, self._unknown)

    async def check(self) -> tuple[CheckItem, ...]:
        return await probe(self._client, self._auth, now=self._now)

    # -- acting: answers

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        """Refused without sending when another answer stands already: changing it is another act."""
        return await answers.answer_inquiry(self._client, answer, read_back=lambda: self.read_inquiry(answer.inquiry))

    async def change_answer(self, answer: Answer) -> WriteResult:
        """An answer to a customer inquiry is changed by its number, one to a product question by the question's."""
        return await answers.change_answer(self._client, answer, read_back=lambda: self.read_inquiry(answer.inquiry))

    # -- acting: lines

    async def confirm(self, action: LineAction) -> WriteResult:
        """DONE bears a message when the receiver's address has changed; the readings show the new one."""
        return await self._write(action, line_writes.CONFIRM)

    async def dispatch(self, action: LineAction) -> WriteResult:
        """Refused while a cancel request is open, which it would withdraw, and before the line is confirmed."""
        return await self._write(action, line_writes.DISPATCH)

    async def delay(self, action: LineAction) -> WriteResult:
        """The new due date is the last second of ``ship_on`` in Korea."""
        return await self._write(action, line_writes.DELAY)

    async def move_delivery(self, action: LineAction) -> WriteResult:
        """The time and the region that the buyer chose stay, where no ``deliver_at`` is given."""
        return await self._write(action, line_writes.MOVE_DELIVERY)

    async def seller_cancel(self, action: LineAction) -> WriteResult:
        """Only the reasons that the mall takes; ``quantity`` cancels a part."""
        return await self._write(action, line_writes.SELLER_CANCEL)

    async def file_return(self, action: LineAction) -> WriteResult:
        """The customer sends the goods himself, with ``carrier`` and ``tracking_no`` where they are known.

        The mall keeps no words beside the reason: ``text`` is not sent.
        """
        return await self._write(action, line_writes.FILE_RETURN)

    # -- acting: claims

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        """Final at the mall: there is no way back."""
        return await self._write(action, claim_writes.APPROVE_CANCEL)

    async def refuse_cancel(self, action: LineAction) -> WriteResult:
        """Sends the line: the mall has no other refusal. ``text`` is not sent, tell the customer apart."""
        return await self._write(action, line_writes.REFUSE_CANCEL)

    async def hold_return(self, action: LineAction) -> WriteResult:
        """The mall tells ``text`` to the customer, and asks for ``fee`` won beside the fee of the way back."""
        return await self._write(action, claim_writes.HOLD_RETURN)

    async def release_return(self, action: LineAction) -> WriteResult:
        return await self._write(action, claim_writes.RELEASE_RETURN)

    async def refuse_return(self, action: LineAction) -> WriteResult:
        """Refused without sending while the return is on hold."""
        return await self._write(action, claim_writes.REFUSE_RETURN)

    async def complete_return(self, action: LineAction) -> WriteResult:
        """Refunds at once, also before the goods are back. Refused without sending while on hold."""
        return await self._write(action, claim_writes.COMPLETE_RETURN)

    async def collect_exchange(self, action: LineAction) -> WriteResult:
        return await self._write(action, claim_writes.COLLECT_EXCHANGE)

    async def hold_exchange(self, action: LineAction) -> WriteResult:
        return await self._write(action, claim_writes.HOLD_EXCHANGE)

    async def release_exchange(self, action: LineAction) -> WriteResult:
        return await self._write(action, claim_writes.RELEASE_EXCHANGE)

    async def refuse_exchange(self, action: LineAction) -> WriteResult:
        """Possible until the replacement is sent."""
        return await self._write(action, claim_writes.REFUSE_EXCHANGE)

    async def redeliver_exchange(self, action: LineAction) -> WriteResult:
        """Only after ``collect_exchange``, and not on hold."""
        return await self._write(action, claim_writes.REDELIVER_EXCHANGE)

    async def _write(self, action: LineAction, write: LineWrite) -> WriteResult:
        return await write_line(
            self._client,
            action,
            write,
            read_back=lambda: self.read_order(action.order_no, (action.line.line_no,)),
            now=self._now(),
        )

    async def list_carriers(self) -> tuple[Carrier, ...]:
        """The usual ones of about 190; a code that is not here may be used all the same."""
        return tuple(Carrier(code=code, name=name) for code, name in CARRIERS.items())

    def admin_link(
        self, *, order_no: str | None = None, line_no: str | None = None, inquiry: Inquiry | None = None
    ) -> str | None:
        """The seller centre; its addresses are not documented (confidence: likely) and need a login there."""
        if inquiry is not None:
            return f"{_ADMIN}/#/comment/" if inquiry.inquiry_no.startswith(QNA_PREFIX) else f"{_ADMIN}/#/home/dashboard"
        if line_no is not None:
            return f"{_ADMIN}/o/v3/manage/order/popup/{quote(line_no, safe='')}/productOrderDetail"
        return f"{_ADMIN}/#/naverpay/manage/order" if order_no is not None else f"{_ADMIN}/"


def _open(context: ShopContext) -> Connector:
    return SmartstoreConnector(context)


MANIFEST = Manifest(
    mall="smartstore",
    title="Naver SmartStore",
    title_ko="네이버 스마트스토어",
    letter="N",
    colour="#03c75a",
    timezone="Asia/Seoul",
    default_base_url=DEFAULT_BASE_URL,
    capabilities=CAPABILITIES,
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_ORDERS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    credentials=SmartstoreCredentials,
    open=_open,
    vanishing_feeds=frozenset({Feed.INQUIRIES}),
    answer_limit=answers.ANSWER_LIMIT,
)
