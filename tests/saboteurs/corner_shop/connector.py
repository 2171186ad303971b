"""One corner shop: joins client and mapping, implements what MANIFEST declares."""

import hmac
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from hub.core.catalogue import CataloguePage, CatalogueReading, StockItem
from hub.core.consent import Consent
from hub.core.contract import (
    Answer,
    CallCounts,
    Capability,
    CapabilityState,
    Carrier,
    CheckItem,
    Feed,
    LineAction,
    LineOutcome,
    Manifest,
    OpenKeys,
    Outcome,
    Page,
    Reading,
    ShopContext,
    Span,
    Support,
    WriteResult,
)
from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.events import Delivery, Notice
from hub.core.model import Inquiry, InquiryState, LineStatus, Order
from hub.core.paging import decode_cursor, encode_cursor
from hub.core.wire_watch import WireWatch

from . import mapping
from .client import DEFAULT_BASE_URL, PAGE, CornerClient
from .settings import CornerCredentials
from .wire import CarrierWire, EventWire, GoodWire, OrderWire, QuestionWire

_SENT = {LineStatus.DISPATCHED, LineStatus.DELIVERED}
_ADMIN = "https://admin.corner.example"
_ANSWER_LIMIT = 500


class Cursor(Struct, frozen=True):
    """``after``: number of the last record read. ``kept``: how many of the open records were read again."""

    after: str = ""
    is_listed: bool = False
    kept: int = 0


class CornerConnector:
    def __init__(self, context: ShopContext) -> None:
        self.shop = context.shop
        self.codes: Counter[str] = Counter()
        self.watch = WireWatch(self.codes)
        self.secret = CornerCredentials.read(context.credentials, where="corner shop").secret
        self.client = CornerClient(context)

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        return self.codes

    @property
    def calls(self) -> CallCounts:
        return self.client.http.counts

    async def aclose(self) -> None:
        await self.client.aclose()

    def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        numbers = [order_no for order_no, _ in open_keys.orders]
        return self.pages("orders", span, numbers, cursor, self.to_order)

    def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        return self.pages("questions", span, open_keys.inquiries, cursor, self.to_inquiry)

    def to_order(self, raw: bytes) -> Reading:
        self.look(raw, OrderWire, "order")
        return mapping.read_order(raw, self.codes)

    def to_inquiry(self, raw: bytes) -> Reading:
        self.look(raw, QuestionWire, "question")
        return mapping.read_question(raw, self.codes)

    def look(self, raw: bytes, shape: type[Struct], where: str) -> None:
        self.watch.look(raw, shape=shape, where=where)

    async def pages(
        self, kind: str, span: Span, numbers: Sequence[str], cursor: str | None, to_reading: Callable[[bytes], Reading]
    ) -> AsyncIterator[Page]:
        """First what is new, then what was open: there is no filter by change."""
        at = decode_cursor(cursor, Cursor) or Cursor()
        while not at.is_listed:
            found = await self.client.rows(kind, after=at.after, since=span.since)
            at = Cursor(after=found.after or at.after, is_listed=found.after is None)
            progress = 0.9 if at.is_listed else 0.5
            readings = tuple(to_reading(bytes(row)) for row in found.rows)
            yield Page(readings=readings, cursor=encode_cursor(at), progress=progress)
        for index, number in enumerate(numbers[at.kept :], start=at.kept + 1):
            again = (to_reading(await self.client.one(kind, number)),)
            at = Cursor(after=at.after, is_listed=True, kept=index)
            yield Page(readings=again, cursor=encode_cursor(at), progress=0.9 + 0.1 * index / len(numbers))

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        del line_nos  # an order always comes whole
        return (self.to_order(await self.client.one("orders", order_no)),)

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        return self.to_inquiry(await self.client.one("questions", inquiry.inquiry_no))

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        del key
        read = mapping.read_question if feed is Feed.INQUIRIES else mapping.read_order
        return read(raw, self.codes)

    async def check(self) -> tuple[CheckItem, ...]:
        try:
            await self.client.one("orders", "0")
        except NotFoundAtMallError:
            return (CheckItem(name="token", is_ok=True),)
        except MallError as error:
            fix = "user와 secret을 확인하세요. / Check user and secret."
            return (CheckItem(name="token", is_ok=False, detail=error.kind, fix=fix),)
        return (CheckItem(name="token", is_ok=True),)

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        if not 0 < len(answer.text) <= _ANSWER_LIMIT:
            message = f"an answer has 1 to {_ANSWER_LIMIT} characters"
            raise RejectedByMallError(message, shop=self.shop.name)

        async def read() -> tuple[Reading, bool]:
            reading = await self.read_inquiry(answer.inquiry)
            record = reading.record
            return reading, isinstance(record, Inquiry) and record.state is InquiryState.ANSWERED

        if answer.is_only_look:
            return await self.look_again(read)
        return await self.act(f"/questions/{answer.inquiry.inquiry_no}/answer", {"text": answer.text}, read)

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        async def read() -> tuple[Reading, bool]:
            (reading,) = await self.read_order(action.order_no, ())
            claims = reading.record.claims if isinstance(reading.record, Order) else ()
            return reading, not any(claim.line_no == action.line.line_no and claim.state.is_open for claim in claims)

        if action.is_only_look:
            return await self.look_again(read)
        return await self.act(f"/lines/{action.line.line_no}/approve", {}, read)

    async def refuse_return(self, action: LineAction) -> WriteResult:
        """A return that still waits is refused with ``text``."""

        async def read() -> tuple[Reading, bool]:
            (reading,) = await self.read_order(action.order_no, ())
            claims = reading.record.claims if isinstance(reading.record, Order) else ()
            return reading, not any(claim.line_no == action.line.line_no and claim.state.is_open for claim in claims)

        if action.is_only_look:
            return await self.look_again(read)
        return await self.act(f"/lines/{action.line.line_no}/refuse", {"text": action.text}, read)

    async def dispatch(self, action: LineAction) -> WriteResult:
        async def read() -> tuple[Reading, bool]:
            (reading,) = await self.read_order(action.order_no, ())
            lines = reading.record.lines if isinstance(reading.record, Order) else ()
            line = next(line for line in lines if line.line_no == action.line.line_no)
            return reading, line.status in _SENT

        if action.is_only_look:
            return await self.look_again(read)
        body = {"carrier": action.carrier or "", "tracking": action.tracking_no or ""}
        return await self.act(f"/lines/{action.line.line_no}/dispatch", body, read)

    async def look_again(self, read: Callable[[], object]) -> WriteResult:
        """What became of a write that was sent before."""
        reading, is_over = await read()  # type: ignore[misc]
        return _result(Outcome.DONE if is_over else Outcome.REFUSED, reading)

    async def act(self, path: str, body: dict[str, str], read: Callable[[], object]) -> WriteResult:
        """Read, send once, read back. A lost answer is DONE when reading shows it, else UNKNOWN."""
        _, is_over = await read()  # type: ignore[misc]
        if is_over:
            return _result(Outcome.REFUSED)
        try:
            await self.client.write(path, body)
        except RejectedByMallError as error:
            return _result(Outcome.REFUSED, said=error.mall_message)
        except OutcomeUnknownError:
            try:
                reading, is_done = await read()  # type: ignore[misc]
            except MallError:
                return _result(Outcome.UNKNOWN)
            return _result(Outcome.DONE if is_done else Outcome.UNKNOWN, reading)
        reading, _ = await read()  # type: ignore[misc]
        return _result(Outcome.DONE, reading)

    async def list_carriers(self) -> tuple[Carrier, ...]:
        rows = [msgspec.json.decode(row, type=CarrierWire) for row in (await self.client.all_rows("carriers")).rows]
        return tuple(Carrier(code=row.code, name=row.name) for row in rows)

    async def read_catalogue(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        """Pages of ten; the cursor is how many were told before."""
        rows = [msgspec.json.decode(row, type=GoodWire) for row in (await self.client.all_rows("goods")).rows]
        for start in range(int(cursor or 0), len(rows), PAGE):
            page = rows[start : start + PAGE]
            readings = tuple(
                CatalogueReading(key=row.no, record=StockItem(product_code=row.no, name=row.name)) for row in page
            )
            yield CataloguePage(readings=readings, cursor=str(start + len(page)), progress=start / len(rows))

    def receive_events(self, delivery: Delivery) -> Notice:
        if not hmac.compare_digest(delivery.headers.get("x-key", ""), self.secret.get_secret_value()):
            raise AccessError("not the shop's key")
        try:
            event = msgspec.json.decode(delivery.body, type=EventWire)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise MalformedResponseError("no event") from error
        return Notice(orders=(event.order,))

    async def consent(self) -> Consent | None:
        return None

    def consent_url(self, *, state: str, redirect_uri: str) -> str:
        return f"{_ADMIN}/consent?{urlencode({'state': state, 'redirect_uri': redirect_uri})}"

    async def redeem_consent(self, *, code: str, redirect_uri: str) -> Consent:
        del redirect_uri
        await self.client.redeem(code)
        return Consent(scopes=("all",))

    async def renew_consent(self) -> Consent:
        return Consent(scopes=("all",))

    def admin_link(
        self, *, order_no: str | None = None, line_no: str | None = None, inquiry: Inquiry | None = None
    ) -> str | None:
        del line_no, inquiry
        return f"{_ADMIN}/orders/{quote(order_no, safe='')}" if order_no else f"{_ADMIN}/"


def _result(outcome: Outcome, *readings: Reading, said: str | None = None) -> WriteResult:
    line = LineOutcome(line_no=None, outcome=outcome, mall_message=said)
    return WriteResult(outcome=outcome, lines=(line,), readings=readings)


_YES = CapabilityState(state=Support.YES)

_BY_TELEPHONE = CapabilityState(state=Support.NO, instead="Call the corner shop.", instead_ko="구멍가게에 전화하세요.")
_ONLY_BY_TELEPHONE = (
    Capability.CHANGE_ANSWER,
    Capability.SEND_ATTACHMENT,
    Capability.CONFIRM,
    Capability.DELAY,
    Capability.SELLER_CANCEL,
    Capability.REFUSE_CANCEL,
    Capability.ACCEPT_RETURN,
    Capability.COLLECT_RETURN,
    Capability.HOLD_RETURN,
    Capability.RELEASE_RETURN,
    Capability.COMPLETE_RETURN,
    Capability.ACCEPT_EXCHANGE,
    Capability.COLLECT_EXCHANGE,
    Capability.HOLD_EXCHANGE,
    Capability.RELEASE_EXCHANGE,
    Capability.REFUSE_EXCHANGE,
    Capability.REDELIVER_EXCHANGE,
    Capability.COMPLETE_EXCHANGE,
    Capability.FILE_RETURN,
    Capability.FILE_EXCHANGE,
    Capability.MEMO,
    Capability.GIVE_POINTS,
    Capability.MOVE_DELIVERY,
)

MANIFEST = Manifest(
    mall="corner_shop",
    title="Corner shop",
    title_ko="구멍가게",
    letter="S",
    colour="#228833",
    timezone="Asia/Seoul",
    default_base_url=DEFAULT_BASE_URL,
    capabilities={
        Capability.READ_ORDERS: _YES,
        Capability.READ_CLAIMS: CapabilityState(
            state=Support.NO, instead="Claims come inside the orders.", instead_ko="클레임은 주문 안에 있습니다."
        ),
        Capability.READ_INQUIRIES: _YES,
        Capability.READ_ONE_ORDER: _YES,
        Capability.READ_ONE_INQUIRY: _YES,
        Capability.CHECK: _YES,
        Capability.ANSWER_INQUIRY: _YES,
        Capability.APPROVE_CANCEL: _YES,
        Capability.REFUSE_RETURN: _YES,
        Capability.DISPATCH: _YES,
        Capability.LIST_CARRIERS: _YES,
        Capability.READ_CATALOGUE: _YES,
        Capability.RECEIVE_EVENTS: _YES,
        Capability.CONSENT: _YES,
        **dict.fromkeys(_ONLY_BY_TELEPHONE, _BY_TELEPHONE),
    },
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_ORDERS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    credentials=CornerCredentials,
    open=CornerConnector,
    answer_limit=_ANSWER_LIMIT,
)
