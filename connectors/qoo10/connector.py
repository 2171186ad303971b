"""One Qoo10 Japan shop: reads orders, claims, inquiries and goods, answers, acts on lines."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from msgspec import structs

from connectors.qoo10 import mapping
from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.actions import LOST, NOT_DONE, Actions
from connectors.qoo10.capabilities import CAPABILITIES, CLAIM_PAGE, DELIVERY_PAGE, HOME_PAGE
from connectors.qoo10.catalogue import Catalogue
from connectors.qoo10.check import check_shop
from connectors.qoo10.client import DEFAULT_BASE_URL, Qoo10Client
from connectors.qoo10.plan import Call, Plan, claim_plan, inquiry_plan, order_plan
from connectors.qoo10.settings import Qoo10Credentials
from connectors.qoo10.wire import INQUIRY_FIELDS, LINE_FIELDS, AnyRow, decode_line, text
from hub.core.catalogue import CataloguePage
from hub.core.contract import (
    Answer,
    CallCounts,
    Capability,
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
    WriteResult,
)
from hub.core.errors import (
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.model import Claim, Inquiry, InquiryState, Order, ShopRef
from hub.core.paging import decode_cursor, encode_cursor
from hub.core.scratch import Marks
from hub.core.wire_watch import WireWatch

log = structlog.get_logger(__name__)

#: readings in one page; a call may answer with ten thousands of rows
PAGE_ROWS = 1000
#: look-ups by number in one page
PAGE_LOOK_UPS = 20
#: lines of one cart that are followed from one of them
MOST_RELATED = 100
#: names of goods that claims have told, kept for look-ups that tell none
MOST_NAMES = 50_000

_ANSWERED = "이미 답변된 문의입니다. / Answered already."

ToReading = Callable[[bytes], Reading]
Fetch = Callable[[Call], Awaitable[list[bytes]]]


class Qoo10Connector:
    """Implements the Protocols that MANIFEST declares."""

    def __init__(self, context: ShopContext) -> None:
        credentials = Qoo10Credentials.read(context.credentials, where=f"shop {context.shop.name}")
        self.shop: ShopRef = context.shop
        self._now = context.now
        self._client = Qoo10Client(context, credentials)
        self._unknown: Counter[str] = Counter()
        self._watch = WireWatch(self._unknown)
        self._names: dict[str, str] = {}
        self._actions = Actions(
            self._client, shop=context.shop.name, now=context.now, look_up=self._look_up, listed=self._to_order
        )
        self._catalogue = Catalogue(self._client, now=context.now)

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        return self._unknown

    @property
    def calls(self) -> CallCounts:
        return self._client.http.counts

    async def aclose(self) -> None:
        await self._client.aclose()

    # --- reading ---------------------------------------------------------------------------------

    async def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        """Each reading is an Order with one line. Open lines that no list shows are looked up by number."""
        plan = decode_cursor(cursor, Plan) or order_plan(span, open_keys)

        async for page, rest in self._pages(plan, self._orders, self._to_order):
            plan = rest
            yield page
        while plan.left:
            chunk = plan.left[:PAGE_LOOK_UPS]
            readings = [reading for line_no in chunk for reading in await self._look_up_alone(line_no)]
            plan = plan.without_left(len(chunk))
            yield Page(readings=tuple(readings), cursor=encode_cursor(plan), progress=plan.progress)

    async def read_claims(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:  # noqa: ARG002
        """Claims of every status, by the days of request and of completion."""
        plan = decode_cursor(cursor, Plan) or claim_plan(span)

        async for page, _ in self._pages(plan, self._claims, self._to_claim):
            yield page

    async def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        """One reading per customer message. Open inquiries that no list shows are sought among the answered."""
        plan = decode_cursor(cursor, Plan) or inquiry_plan(span, open_keys)
        async for page, _ in self._pages(plan, self._inquiries, self._to_inquiry):
            yield page

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        """Each line with its claim. The mall finds lines only, so without ``line_nos`` the number is
        tried as that of a line, and the lines related to it are read too.
        """
        if line_nos:
            readings = [reading for line_no in line_nos for reading in await self._look_up_alone(line_no)]
        else:
            readings = await self._look_up(order_no)
            for line_no in sorted({line_no for reading in readings for line_no in _related(reading)} - {order_no}):
                readings += await self._look_up(line_no)
        if not readings:
            raise NotFoundAtMallError("Qoo10 has none of these order numbers", shop=self.shop.name)
        return tuple(readings)

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        """Sought in every status around the time it was asked; the newest status wins.

        That it stands in none of them means that it is gone: a guess, no document tells what Qoo10 deletes.
        Raises: NotFoundAtMallError; MalformedResponseError when it may be among rows that cannot be read.
        """
        around = timedelta(days=1)
        since, until = inquiry.asked_at - around, inquiry.asked_at + around
        plan = Plan.of(Call(status, "", since, until) for status in codes.INQUIRY_STATUSES)
        found: Reading | None = None
        is_unreadable = False
        while plan.todo:
            rows = await self._inquiries(plan.todo[0])
            plan = plan.after_first(len(rows))
            for reading in map(self._to_inquiry, rows):
                if reading.key == inquiry.inquiry_no:
                    found = reading
                is_unreadable |= reading.record is None
        if found is None and is_unreadable:
            raise MalformedResponseError("a row beside this inquiry cannot be read", path="$.ResultObject")
        if found is None:
            raise NotFoundAtMallError("Qoo10 does not show this inquiry any more", shop=self.shop.name)
        return found

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        """A row that was looked up by number stays partial."""
        del key
        return mapping.read_stored(feed, raw, unknown=self._unknown)

    async def check(self) -> tuple[CheckItem, ...]:
        return await check_shop(self._client, now=self._now)

    async def _pages(self, plan: Plan, fetch: Fetch, to_reading: ToReading) -> AsyncIterator[tuple[Page, Plan]]:
        """Make the calls of ``plan``. A row that came before, byte for byte, is not repeated.

        Only the last page of a call moves the cursor on: the rows of a call cannot be resumed in
        the middle, because nothing fixes their order.
        """
        with Marks() as shown:
            while (plan := plan.with_fallback()).todo:
                rows = await fetch(plan.todo[0])
                after = plan.after_first(len(rows))
                fresh = _fresh(rows, shown)
                del rows
                keys: set[str] = set()
                for start in range(0, len(fresh) or 1, PAGE_ROWS):
                    readings = tuple(map(to_reading, fresh[start : start + PAGE_ROWS]))
                    keys.update(reading.key for reading in readings)
                    if start + PAGE_ROWS < len(fresh):
                        done = (start + PAGE_ROWS) / len(fresh)
                        progress = plan.progress + (after.progress - plan.progress) * done
                        yield Page(readings=readings, cursor=encode_cursor(plan), progress=progress), plan
                    else:
                        plan = after.seen(keys)
                        yield Page(readings=readings, cursor=encode_cursor(plan), progress=plan.progress), plan
                # Or they would be held while the next thousands come.
                del fresh, readings

    async def _orders(self, call: Call) -> list[bytes]:
        return await self._client.orders(call.status, call.condition, call.since, _next_second(call.until))

    async def _claims(self, call: Call) -> list[bytes]:
        return await self._client.claims(call.condition, call.since, _next_second(call.until))

    async def _inquiries(self, call: Call) -> list[bytes]:
        return await self._client.inquiries(call.status, call.since, _next_second(call.until))

    async def _look_up_alone(self, line_no: str) -> list[Reading]:
        """The look-up of one number among others: a refusal of this number is one broken record and ends no run."""
        try:
            return await self._look_up(line_no)
        except RejectedByMallError as error:
            refusal = f"Qoo10 refuses to tell of this order number ({error.mall_code}); look in QSM, delivery page"
            return [Reading(key=line_no, raw=b"{}", error=refusal)]

    async def _look_up(self, line_no: str) -> list[Reading]:
        """Nothing where the mall does not know the number; what it tells of another one is no answer."""
        try:
            rows = await self._client.order(line_no)
        except NotFoundAtMallError:
            return []
        for raw in rows:
            self._watch.look(raw, shape=AnyRow, where="line", known=LINE_FIELDS)
        readings = [mapping.read_whole_line(raw, unknown=self._unknown) for raw in rows]
        return [self._named(reading) for reading in readings if reading.key in ("", line_no)]

    def _named(self, reading: Reading) -> Reading:
        """A line that only a claim has shown may come without its name: the claim told it."""
        order, name = reading.record, self._names.get(reading.key)
        if name is None or not isinstance(order, Order) or order.lines[0].product.name:
            return reading
        line = order.lines[0]
        line = structs.replace(line, product=structs.replace(line.product, name=name))
        return structs.replace(reading, record=structs.replace(order, lines=(line,)))

    def _to_order(self, raw: bytes) -> Reading:
        self._watch.look(raw, shape=AnyRow, where="order", known=LINE_FIELDS)
        return mapping.read_listed_order(raw, unknown=self._unknown)

    def _to_claim(self, raw: bytes) -> Reading:
        self._watch.look(raw, shape=AnyRow, where="claim", known=LINE_FIELDS)
        reading = mapping.read_claim(raw, unknown=self._unknown)
        if isinstance(reading.record, Claim) and len(self._names) < MOST_NAMES:
            self._names[reading.record.line_no] = text(decode_line(raw).item_title) or ""
        return reading

    def _to_inquiry(self, raw: bytes) -> Reading:
        self._watch.look(raw, shape=AnyRow, where="inquiry", known=INQUIRY_FIELDS)
        return mapping.read_inquiry(raw, unknown=self._unknown)

    # --- acting ----------------------------------------------------------------------------------

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        """Post the answer once. An inquiry that is answered already is refused without a call, a lost
        answer is settled by the status that the inquiry then has.

        Raises: RejectedByMallError for an empty or too long text (nothing is sent), NotFoundAtMallError
        when the inquiry is gone.
        """
        written = answer.text.replace("\x00", "").strip()
        if not written or len(written) > codes.ANSWER_LIMIT:
            message = f"an answer has 1 to {codes.ANSWER_LIMIT} characters, this one has {len(written)}"
            raise RejectedByMallError(message, shop=self.shop.name, operation=codes.ANSWER_INQUIRY)
        before = await self.read_inquiry(answer.inquiry)
        if answer.is_only_look:
            return _looked(before, written)
        if _state_of(before) is InquiryState.ANSWERED:
            return _result(Outcome.REFUSED, _ANSWERED, before)
        inquiry_type, question_no, seq_no = answer.inquiry.inquiry_no.split(":")
        try:
            await self._client.answer(
                inquiry_type=inquiry_type, question_no=question_no, seq_no=seq_no, contents=written
            )
        except (OutcomeUnknownError, MalformedResponseError) as error:
            after = await self._read_back(answer.inquiry)
            is_done = after is not None and _state_of(after) is InquiryState.ANSWERED
            if is_done:
                return _result(Outcome.DONE, None, after)
            return _result(Outcome.UNKNOWN, error.mall_message or LOST, after)
        except RejectedByMallError as error:
            return _result(Outcome.REFUSED, error.mall_message or error.message, await self._read_back(answer.inquiry))
        return _result(Outcome.DONE, None, await self._read_back(answer.inquiry))

    async def _read_back(self, inquiry: Inquiry) -> Reading | None:
        """The inquiry after a write; a failure to read is logged, for the write itself is over."""
        try:
            return await self.read_inquiry(inquiry)
        except MallError as error:
            log.warning("qoo10.answer.not_read_back", shop=self.shop.name, error=error.kind)
            return None

    async def confirm(self, action: LineAction) -> WriteResult:
        return await self._actions.confirm(action)

    async def delay(self, action: LineAction) -> WriteResult:
        return await self._actions.delay(action)

    async def dispatch(self, action: LineAction) -> WriteResult:
        return await self._actions.dispatch(action)

    async def seller_cancel(self, action: LineAction) -> WriteResult:
        return await self._actions.seller_cancel(action)

    async def accept_exchange(self, action: LineAction) -> WriteResult:
        return await self._actions.accept_exchange(action)

    async def redeliver_exchange(self, action: LineAction) -> WriteResult:
        return await self._actions.redeliver_exchange(action)

    # --- what the shop has ---------------------------------------------------------------------------

    async def list_carriers(self) -> tuple[Carrier, ...]:
        """Names seen in use; the mall publishes no list and takes others too. Its names are its codes."""
        return tuple(Carrier(code=name, name=name) for name in codes.CARRIERS)

    def read_catalogue(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        """Every item by its status; names and stock of the first of them (see :mod:`catalogue`)."""
        return self._catalogue.read(cursor=cursor)

    # --- the way that always exists -----------------------------------------------------------------

    def admin_link(
        self,
        *,
        order_no: str | None = None,
        line_no: str | None = None,
        inquiry: Inquiry | None = None,
    ) -> str | None:
        """QSM pages take no order number, so the page is opened and the number searched there.

        For an order that is the delivery page; for one line, on which claims are decided, the claim page.
        """
        if inquiry is not None or (order_no is None and line_no is None):
            return HOME_PAGE
        return DELIVERY_PAGE if line_no is None else CLAIM_PAGE


def _fresh(rows: Iterable[bytes], shown: Marks) -> list[bytes]:
    """The rows that are not among ``shown``, each once; they are from now on."""
    by_mark = {hash(row): row for row in rows}
    new = shown.add(by_mark)
    return [row for mark, row in by_mark.items() if mark in new]


def _next_second(until: datetime) -> datetime:
    """The mall filters by whole seconds: one more, so that none is cut off; a row seen twice is no harm."""
    return until + timedelta(seconds=1) if until.microsecond else until


def _related(reading: Reading) -> tuple[str, ...]:
    if reading.record is None:
        return ()
    related = text(decode_line(reading.raw).related_orders) or ""
    return tuple(part for part in (part.strip() for part in related.split(",")) if part.isdigit())[:MOST_RELATED]


def _state_of(reading: Reading) -> InquiryState:
    return reading.record.state if isinstance(reading.record, Inquiry) else InquiryState.UNKNOWN


def _looked(now: Reading, text: str) -> WriteResult:
    """What became of an answer that was sent before. An answer without its text may be anybody's."""
    if _state_of(now) is not InquiryState.ANSWERED:
        is_open = _state_of(now) in (InquiryState.UNANSWERED, InquiryState.IN_PROGRESS)
        return _result(Outcome.REFUSED, NOT_DONE, now) if is_open else _result(Outcome.UNKNOWN, LOST, now)
    shown = now.record.answer if isinstance(now.record, Inquiry) else None
    if shown is None:
        return _result(Outcome.DONE, None, now)
    is_ours = shown.split() == text.split()
    return _result(Outcome.DONE, None, now) if is_ours else _result(Outcome.REFUSED, _ANSWERED, now)


def _result(outcome: Outcome, mall_message: str | None, reading: Reading | None) -> WriteResult:
    return WriteResult(
        outcome=outcome,
        lines=(LineOutcome(line_no=None, outcome=outcome, mall_message=mall_message),),
        readings=() if reading is None else (reading,),
    )


MANIFEST = Manifest(
    mall="qoo10",
    title="Qoo10 Japan",
    title_ko="큐텐 재팬",
    letter="Q",
    colour="#d3224a",
    country="JP",
    timezone="Asia/Tokyo",
    default_base_url=DEFAULT_BASE_URL,
    capabilities=CAPABILITIES,
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_CLAIMS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    credentials=Qoo10Credentials,
    open=Qoo10Connector,
    vanishing_feeds=frozenset({Feed.ORDERS, Feed.CLAIMS, Feed.INQUIRIES}),
    answer_limit=codes.ANSWER_LIMIT,
)
