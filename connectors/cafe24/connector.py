"""One Cafe24 shop: joins client, mapping and feeds, and implements the Protocols of the contract."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from connectors.cafe24.answering import Answering
from connectors.cafe24.carriers import list_carriers
from connectors.cafe24.catalogue import Catalogue
from connectors.cafe24.checks import Checker
from connectors.cafe24.claim_actions import ClaimActions
from connectors.cafe24.client import Cafe24Client
from connectors.cafe24.consent import Consents
from connectors.cafe24.inquiry_feed import InquiryFeed
from connectors.cafe24.line_actions import LineActions
from connectors.cafe24.notes import Notes
from connectors.cafe24.order_feed import OrderFeed
from connectors.cafe24.payload import Remapper
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.vocabulary import CHANGE_DATES
from connectors.cafe24.webhooks import EventReader
from connectors.cafe24.writing import LineWriter
from hub.core.catalogue import CataloguePage
from hub.core.consent import Consent
from hub.core.contract import (
    Answer,
    CallCounts,
    Carrier,
    CheckItem,
    Feed,
    LineAction,
    OpenKeys,
    Page,
    Reading,
    ShopContext,
    Span,
    WriteResult,
)
from hub.core.events import Delivery, Notice
from hub.core.model import Inquiry


class Cafe24Connector:
    def __init__(self, context: ShopContext) -> None:
        credentials = Cafe24Credentials.read(context.credentials, where=f"shop {context.shop.name}")
        self.shop = context.shop
        self._context = context
        self._credentials = credentials
        self._codes: Counter[str] = Counter()
        self._client = Cafe24Client(context, credentials)
        self._orders = OrderFeed(self._client, shop_nos=credentials.shop_no, codes=self._codes)
        self._inquiries = InquiryFeed(self._client, credentials=credentials, codes=self._codes)
        self._remapper = Remapper(credentials, codes=self._codes)
        writer = LineWriter(self._orders)
        self._answering = Answering(self._client, credentials=credentials, inquiries=self._inquiries, now=context.now)
        self._lines = LineActions(self._client, writer=writer, credentials=credentials, now=context.now)
        self._claims = ClaimActions(self._client, writer=writer, credentials=credentials)
        self._notes = Notes(self._client, writer=writer, now=context.now)
        self._catalogue = Catalogue(self._client, shop_nos=credentials.shop_no, codes=self._codes)
        self._events = EventReader(credentials, codes=self._codes)
        self._consents = Consents(context, credentials=credentials, auth=self._client.auth)

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        return self._codes

    @property
    def calls(self) -> CallCounts:
        return self._client.calls

    async def aclose(self) -> None:
        await self._client.aclose()

    def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        return self._orders.read(span, open_keys=open_keys, cursor=cursor)

    async def count_orders(self, since: datetime, until: datetime) -> int:
        # Both ends belong to the mall's window, which knows whole seconds.
        last = until - timedelta(seconds=1)
        return sum(
            [
                await self._client.count_orders(shop_no=shop_no, date_type=CHANGE_DATES[0], since=since, until=last)
                for shop_no in self._credentials.shop_no
            ]
        )

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        del line_nos  # an order always comes with all of its lines
        return tuple(reading for reading, _ in await self._orders.read_each(order_no))

    def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        return self._inquiries.read(span, open_keys=open_keys, cursor=cursor)

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        return await self._inquiries.read_one(inquiry, until=self._context.now())

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        return self._remapper.read(feed, key, raw)

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        return await self._answering.answer(answer)

    async def change_answer(self, answer: Answer) -> WriteResult:
        return await self._answering.change(answer)

    async def confirm(self, action: LineAction) -> WriteResult:
        return await self._lines.confirm(action)

    async def dispatch(self, action: LineAction) -> WriteResult:
        return await self._lines.dispatch(action)

    async def delay(self, action: LineAction) -> WriteResult:
        return await self._lines.delay(action)

    async def seller_cancel(self, action: LineAction) -> WriteResult:
        return await self._lines.seller_cancel(action)

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        return await self._claims.approve_cancel(action)

    async def refuse_cancel(self, action: LineAction) -> WriteResult:
        return await self._claims.refuse_cancel(action)

    async def accept_return(self, action: LineAction) -> WriteResult:
        return await self._claims.accept_return(action)

    async def collect_return(self, action: LineAction) -> WriteResult:
        return await self._claims.collect_return(action)

    async def refuse_return(self, action: LineAction) -> WriteResult:
        return await self._claims.refuse_return(action)

    async def complete_return(self, action: LineAction) -> WriteResult:
        return await self._claims.complete_return(action)

    async def accept_exchange(self, action: LineAction) -> WriteResult:
        return await self._claims.accept_exchange(action)

    async def collect_exchange(self, action: LineAction) -> WriteResult:
        return await self._claims.collect_exchange(action)

    async def refuse_exchange(self, action: LineAction) -> WriteResult:
        return await self._claims.refuse_exchange(action)

    async def redeliver_exchange(self, action: LineAction) -> WriteResult:
        return await self._claims.redeliver_exchange(action)

    async def complete_exchange(self, action: LineAction) -> WriteResult:
        return await self._claims.complete_exchange(action)

    async def file_return(self, action: LineAction) -> WriteResult:
        return await self._claims.file_return(action)

    async def file_exchange(self, action: LineAction) -> WriteResult:
        return await self._claims.file_exchange(action)

    async def memo(self, action: LineAction) -> WriteResult:
        return await self._notes.memo(action)

    async def give_points(self, action: LineAction) -> WriteResult:
        return await self._notes.give_points(action)

    def read_catalogue(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        return self._catalogue.read(cursor=cursor)

    async def list_carriers(self) -> tuple[Carrier, ...]:
        return await list_carriers(self._client, shop_nos=self._credentials.shop_no)

    def receive_events(self, delivery: Delivery) -> Notice:
        return self._events.read(delivery)

    async def consent(self) -> Consent | None:
        return await self._consents.read()

    def consent_url(self, *, state: str, redirect_uri: str) -> str:
        return self._consents.url(state=state, redirect_uri=redirect_uri)

    async def redeem_consent(self, *, code: str, redirect_uri: str) -> Consent:
        return await self._consents.redeem(code=code, redirect_uri=redirect_uri)

    async def renew_consent(self) -> Consent:
        return await self._consents.renew()

    async def check(self) -> tuple[CheckItem, ...]:
        checker = Checker(self._client, credentials=self._credentials, inquiries=self._inquiries, now=self._context.now)
        return await checker.run()

    def admin_link(
        self, *, order_no: str | None = None, line_no: str | None = None, inquiry: Inquiry | None = None
    ) -> str | None:
        """The order in the mall's admin; other screens have no known address (confidence: likely).

        The shop number in the path is a guess for other shops than 1, so the first one read is used.
        """
        del line_no
        root = f"https://{self._credentials.mall_id}.cafe24.com/admin/php/shop{self._credentials.shop_no[0]}/"
        number = order_no or (inquiry.order_no if inquiry is not None else None)
        return f"{root}s_new/order_detail.php?order_id={quote(number, safe='')}" if number else root


def open_shop(context: ShopContext) -> Cafe24Connector:
    return Cafe24Connector(context)
