"""One SmartStore shop: joins the client and the mapping into what the hub asks for."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from connectors.smartstore import actions
from connectors.smartstore.auth import NaverAuth
from connectors.smartstore.client import RATE, SmartstoreClient, Verdicts, read_limits
from connectors.smartstore.inquiries import find_inquiry, read_inquiry_pages
from connectors.smartstore.leaves import Unknowns
from connectors.smartstore.mapping import QNA_PREFIX
from connectors.smartstore.orders import missing_lines, read_lines, read_order_pages
from connectors.smartstore.probe import probe
from connectors.smartstore.settings import DEFAULT_BASE_URL, SmartstoreCredentials
from hub.core.contract import (
    Answer,
    CallCounts,
    Capability,
    CapabilityState,
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
    Support,
    WriteResult,
)
from hub.core.errors import NotFoundAtMallError
from hub.core.http import MallHttp, make_client
from hub.core.model import Inquiry

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
        self._client = SmartstoreClient(self._http)

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

    async def check(self) -> tuple[CheckItem, ...]:
        return await probe(self._client, self._auth, now=self._now)

    # -- acting

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        """Refused without sending when another answer stands already: editing is left to the seller centre."""
        return await actions.answer_inquiry(
            self._client,
            answer,
            read_back=lambda: self.read_inquiry(answer.inquiry),
        )

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        """Final at the mall: there is no way back."""
        return await actions.approve_cancel(
            self._client,
            action,
            read_back=lambda: self.read_order(action.order_no, (action.line.line_no,)),
        )

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


_YES = CapabilityState(state=Support.YES)

MANIFEST = Manifest(
    mall="smartstore",
    title="Naver SmartStore",
    title_ko="네이버 스마트스토어",
    letter="N",
    colour="#03c75a",
    timezone="Asia/Seoul",
    default_base_url=DEFAULT_BASE_URL,
    capabilities={
        Capability.READ_ORDERS: _YES,
        Capability.READ_INQUIRIES: _YES,
        Capability.READ_ONE_ORDER: _YES,
        Capability.READ_ONE_INQUIRY: _YES,
        Capability.CHECK: _YES,
        Capability.ANSWER_INQUIRY: _YES,
        Capability.APPROVE_CANCEL: _YES,
        Capability.REFUSE_CANCEL: CapabilityState(
            state=Support.PLANNED,
            instead=(
                "The API has no refusal of a cancel. Only dispatching that line (carrier and invoice number) "
                "withdraws the request; the hub never does this by itself. Do it in the seller centre, cancel list."
            ),
            instead_ko=(
                "취소 거부 API는 없습니다. 해당 상품주문을 발송처리(택배사·송장번호)하면 취소 요청이 철회됩니다. "
                "자동으로 발송하지 않으니 판매자센터 > 판매관리 > 취소 관리에서 처리하세요."
            ),
        ),
    },
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_ORDERS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    credentials=SmartstoreCredentials,
    open=_open,
    answer_limit=actions.ANSWER_LIMIT,
)
