"""What the hub does to order lines at Qoo10 Japan: confirm, delay, dispatch, cancel, accept and redeliver exchanges.

Every write reads the fresh state first and refuses what that does not allow, sends once and reads
back. Nothing is sent twice: when the answer is lost, only what the mall shows afterwards decides.

Source: method tables of ShippingBasic and Claim (QAPI 1.0, 2026-06); confidence: sure for fields and
codes, likely for the statuses that a method wants.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import structlog
from msgspec import Struct
from msgspec.structs import replace

from connectors.qoo10 import mapping
from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.client import Qoo10Client
from connectors.qoo10.wire import LineRow, decode_line
from hub.core.contract import LineAction, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import (
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.model import Claim, ClaimKind, ClaimState, Line, LineStatus, Order

log = structlog.get_logger(__name__)

_OPEN_CANCEL = (
    "취소 요청이 처리 중입니다. QSM 클레임 관리(キャンセル/返品/未受取)에서 먼저 결정하세요. / "
    "A cancel is open on this order: decide it in QSM, claim page, first."
)
_OPEN_CLAIM = (
    "열린 클레임이 있습니다. QSM 클레임 관리(キャンセル/返品/未受取)에서 처리하세요. "
    "API로 취소하면 판매자 사유로 기록됩니다. / "
    "A claim is open on this order: decide it in QSM, claim page; a cancel by API would be booked as the seller's."
)
_CONFIRMED = "이미 확인된 주문입니다. / Confirmed already."
_CONFIRMED_OTHER_DAY = (
    "이미 확인된 주문입니다. 발송예정일은 발송지연(delay)으로 바꾸세요. / "
    "Confirmed already: move the planned day with a delay."
)
_SAME_DAY = "이미 그 날짜로 등록되어 있습니다. / This day stands already."
_SAME_PARCEL = "이미 이 운송장으로 발송되었습니다. / Sent with this number already."
_OTHER_PARCEL = (
    "이미 발송된 주문입니다. 운송장은 QSM 배송 관리(配送管理)에서 고치세요. / "
    "Sent already: correct the parcel in QSM, delivery page."
)
_SELLERS_REASONS = (
    "Qoo10 books every cancel by API as the seller's: only out_of_stock and late. For others use QSM, claim page / "
    "품절(out_of_stock)과 지연(late)만 됩니다. 다른 사유는 QSM 클레임 관리(キャンセル/返品/未受取)에서 하세요"
)
_CANCELLED = "이미 취소된 주문입니다. 할 일이 없습니다. / Cancelled already: nothing to do."
_NO_EXCHANGE = "처리할 교환 요청이 없습니다. / No exchange is open on this order."
_ANOTHER = "확인한 것과 다른 교환 요청입니다. 다시 확인하세요. / The exchange is not the one you saw: look again."
_ACCEPTED = "이미 승인된 교환입니다. / The exchange is accepted already."
_NOT_ACCEPTED = "교환을 먼저 승인하세요. / Accept the exchange first."
_RESENT = "이미 재배송 중입니다. 할 일이 없습니다. / Re-delivered already: nothing to do."
_NOT_YET = "Qoo10이 받았지만 아직 보이지 않습니다. / Qoo10 accepted it but does not show it yet."
NOT_DONE = "처리되지 않았습니다. / Not done."
LOST = (
    "응답을 받지 못했고 아직 보이지 않습니다. 반복하기 전에 QSM에서 확인하세요. / "
    "No answer came and Qoo10 does not show it: look in QSM before repeating."
)
_DAY_UNMOVED = (
    "Qoo10이 받았지만 발송예정일이 그대로입니다. QSM 배송 관리(配送管理)에서 확인하세요. / "
    "Qoo10 accepted it but still shows another planned day: look in QSM, delivery page."
)
_DAY_UNREAD = (
    "Qoo10이 받았지만 발송예정일을 확인하지 못했습니다. QSM 배송 관리(配送管理)에서 확인하세요. / "
    "Qoo10 accepted it, but the planned day could not be read back: look in QSM, delivery page."
)
_SENT = (LineStatus.DISPATCHED, LineStatus.DELIVERED)
_BLOCKING = (ClaimKind.CANCEL, ClaimKind.ADMIN_CANCEL, ClaimKind.UNKNOWN)

#: why nothing is sent
Stop = tuple[Outcome, str]
LookUp = Callable[[str], Awaitable[list[Reading]]]
ToReading = Callable[[bytes], Reading]


class Fresh(Struct, frozen=True, kw_only=True):
    """One line as the mall shows it now, with its newest claim; ``row`` is what it came from."""

    readings: tuple[Reading, ...]
    line: Line
    claim: Claim | None
    row: LineRow
    ordered_at: datetime | None

    @property
    def open_claim(self) -> Claim | None:
        return self.claim if self.claim is not None and self.claim.state.is_open else None

    @property
    def planned_on(self) -> date | None:
        return None if self.line.planned_ship_at is None else _local_day(self.line.planned_ship_at)


class Write(Struct, frozen=True, kw_only=True):
    """One write as questions to fresh states.

    ``stop`` says why nothing may be sent; ``shows`` whether the effect stands. ``unseen`` is what an
    accepted write is that is not shown afterwards, ``unread`` one after which the reading failed: that
    takes nothing back where a success is one for sure.
    """

    stop: Callable[[Fresh], Stop | None]
    send: Callable[[Fresh], Awaitable[None]]
    shows: Callable[[Fresh], bool]
    unseen: Stop = (Outcome.PENDING, _NOT_YET)
    unread: tuple[Outcome, str | None] = (Outcome.DONE, None)
    reads_list: bool = False


class Actions:
    """The writes of one shop. ``look_up`` reads one order number, ``listed`` maps a row of the order list."""

    def __init__(
        self, client: Qoo10Client, *, shop: str, now: Callable[[], datetime], look_up: LookUp, listed: ToReading
    ) -> None:
        self._client = client
        self._shop = shop
        self._now = now
        self._look_up = look_up
        self._listed = listed

    async def confirm(self, action: LineAction) -> WriteResult:
        """Status 2 to 3, with ``ship_on`` as the planned day when given. Reason and text are not told anybody."""
        day = action.ship_on
        self._check_day(day)

        def stop(fresh: Fresh) -> Stop | None:
            if fresh.line.status is LineStatus.PREPARING and fresh.open_claim is None:
                stands = day is None or fresh.planned_on == day
                return (Outcome.DONE, _CONFIRMED) if stands else (Outcome.REFUSED, _CONFIRMED_OTHER_DAY)
            return _stop_unless(fresh, LineStatus.PAID)

        def shows(fresh: Fresh) -> bool:
            is_taken = fresh.line.status in (LineStatus.PREPARING, *_SENT)
            return is_taken and (day is None or fresh.planned_on in (None, day))

        async def send(_: Fresh) -> None:
            await self._client.confirm(action.line.line_no, ship_on=_digits(day), delay_type="", memo="")

        # Only the order list surely tells the planned day.
        return await self._do(action, Write(stop=stop, send=send, shows=shows, reads_list=day is not None))

    async def delay(self, action: LineAction) -> WriteResult:
        """Tell another planned day, with the kind of delay and a memo; an order not confirmed yet is confirmed by it.

        Whether the mall moves the day of an order in status 3 is not documented, so the order list is
        read back: it tells the planned day. An accepted day that is not shown is UNKNOWN.
        """
        day = action.ship_on
        if day is None:
            raise _wrong("ship_on", "새 발송예정일이 필요합니다 / needed: the new planned day")
        self._check_day(day)
        memo = _plain(action.text)
        if action.reason is None and not memo:
            raise _wrong("reason", "사유나 설명이 필요합니다 / a delay needs a reason or a text")
        if len(memo) > codes.MEMO_LIMIT:
            raise _wrong("text", _too_long(memo))
        delay_type = codes.OTHER_DELAY if action.reason is None else codes.DELAY_TYPE.get(action.reason)

        def stop(fresh: Fresh) -> Stop | None:
            stopped = _stop_unless(fresh, LineStatus.PAID, LineStatus.PREPARING)
            if stopped is None and shows(fresh):
                return Outcome.DONE, _SAME_DAY
            return stopped

        def shows(fresh: Fresh) -> bool:
            return fresh.line.status is not LineStatus.PAID and fresh.planned_on == day

        async def send(_: Fresh) -> None:
            await self._client.confirm(
                action.line.line_no, ship_on=_digits(day), delay_type=delay_type or codes.OTHER_DELAY, memo=memo
            )

        write = Write(
            stop=stop,
            send=send,
            shows=shows,
            unseen=(Outcome.UNKNOWN, _DAY_UNMOVED),
            unread=(Outcome.UNKNOWN, _DAY_UNREAD),
            reads_list=True,
        )
        return await self._do(action, write)

    async def dispatch(self, action: LineAction) -> WriteResult:
        """Status 2 or 3 to 4. The mall takes no day of dispatch, so ``ship_on`` is not sent."""
        carrier, tracking_no = _parcel(action)

        def stop(fresh: Fresh) -> Stop | None:
            if fresh.line.status in _SENT:
                return (Outcome.DONE, _SAME_PARCEL) if shows(fresh) else (Outcome.REFUSED, _OTHER_PARCEL)
            return _stop_unless(fresh, LineStatus.PAID, LineStatus.PREPARING)

        def shows(fresh: Fresh) -> bool:
            shipment = fresh.line.shipment
            shown = None if shipment is None else shipment.tracking_no
            return fresh.line.status in _SENT and shown is not None and _bare(shown) == _bare(tracking_no)

        async def send(_: Fresh) -> None:
            await self._client.send_parcel(action.line.line_no, carrier=carrier, tracking_no=tracking_no)

        return await self._do(action, Write(stop=stop, send=send, shows=shows))

    async def seller_cancel(self, action: LineAction) -> WriteResult:
        """Cancel for a reason of the seller; ``text`` is the seller's memo. Irreversible, and counts against the shop.

        A customer's reason is refused before anything is sent: the mall would book it as the seller's.
        """
        if action.reason not in codes.CANCEL_REASON:
            raise _wrong("reason", _SELLERS_REASONS)
        memo, reason = _plain(action.text), codes.CANCEL_REASON[action.reason]
        if len(memo) > codes.MEMO_LIMIT:
            raise _wrong("text", _too_long(memo))

        def stop(fresh: Fresh) -> Stop | None:
            if fresh.line.status is LineStatus.CANCELLED:
                return Outcome.REFUSED, _CANCELLED
            if fresh.open_claim is not None:
                return Outcome.REFUSED, _OPEN_CLAIM
            return _stop_unless(fresh, LineStatus.PAID, LineStatus.PREPARING)

        def shows(fresh: Fresh) -> bool:
            claim = fresh.claim
            is_under_way = claim is not None and claim.kind is ClaimKind.CANCEL and claim.state is ClaimState.REFUNDING
            return fresh.line.status is LineStatus.CANCELLED or is_under_way

        async def send(_: Fresh) -> None:
            await self._client.cancel(action.line.line_no, reason=reason, memo=memo)

        return await self._do(action, Write(stop=stop, send=send, shows=shows))

    async def accept_exchange(self, action: LineAction) -> WriteResult:
        """Claim 11 to 12. The goods come back to the return address that QSM holds."""

        def stop(fresh: Fresh) -> Stop | None:
            claim = _exchange(fresh)
            if claim is None or claim.state is ClaimState.RESHIPPING:
                return Outcome.REFUSED, _NO_EXCHANGE
            if _is_another(action, claim):
                return Outcome.REFUSED, _ANOTHER
            return None if claim.state is ClaimState.REQUESTED else (Outcome.DONE, _ACCEPTED)

        def shows(fresh: Fresh) -> bool:
            claim = _exchange(fresh)
            return claim is not None and claim.state in (ClaimState.ACCEPTED, ClaimState.RESHIPPING)

        async def send(_: Fresh) -> None:
            await self._client.accept_exchange(action.line.line_no)

        return await self._do(action, Write(stop=stop, send=send, shows=shows))

    async def redeliver_exchange(self, action: LineAction) -> WriteResult:
        """Claim 12 to 13, on ``ship_on`` or today, to the receiver that the order has now. Only the same goods."""
        carrier, tracking_no = _parcel(action)
        if action.option_code is not None:
            raise _wrong(
                "option_code", "다른 옵션으로 교환할 수 없습니다 / Qoo10 takes no other option for an exchange"
            )
        day = action.ship_on or self._today()

        def stop(fresh: Fresh) -> Stop | None:
            claim = _exchange(fresh)
            if claim is None:
                return Outcome.REFUSED, _NO_EXCHANGE
            if _is_another(action, claim):
                return Outcome.REFUSED, _ANOTHER
            if claim.state is ClaimState.ACCEPTED:
                return None
            return Outcome.REFUSED, _RESENT if claim.state is ClaimState.RESHIPPING else _NOT_ACCEPTED

        def shows(fresh: Fresh) -> bool:
            claim = _exchange(fresh)
            return claim is not None and claim.state is ClaimState.RESHIPPING

        async def send(fresh: Fresh) -> None:
            await self._client.redeliver(
                action.line.line_no, day=day.isoformat(), carrier=carrier, tracking_no=tracking_no, to=fresh.row
            )

        return await self._do(action, Write(stop=stop, send=send, shows=shows))

    # --- one write --------------------------------------------------------------------------------

    async def _do(self, action: LineAction, write: Write) -> WriteResult:
        """Raises: RejectedByMallError for a wrong field, NotFoundAtMallError; AccessError. Nothing is sent then."""
        line_no = action.line.line_no
        before = await self._read(line_no, with_list=write.reads_list)
        _check_whole(action, before)
        stopped = write.stop(before)
        if action.is_only_look:
            return _looked(line_no, write, stopped, before)
        if stopped is not None:
            return _result(line_no, stopped, before.readings)
        try:
            await write.send(before)
        except (OutcomeUnknownError, MalformedResponseError) as error:
            sent: Stop = (Outcome.UNKNOWN, error.mall_message or LOST)
        except (RejectedByMallError, NotFoundAtMallError) as error:
            sent = (Outcome.REFUSED, error.mall_message or error.message)
        else:
            sent = write.unseen
        after = await self._read_back(line_no, with_list=write.reads_list)
        return self._judged(line_no, write, sent, after)

    def _judged(self, line_no: str, write: Write, sent: Stop, after: Fresh | None) -> WriteResult:
        """``sent`` is what holds when the effect is not shown; a refusal stands whatever is shown."""
        if after is None:
            return _result(line_no, write.unread if sent is write.unseen else sent, ())
        if sent[0] is not Outcome.REFUSED and write.shows(after):
            return _result(line_no, (Outcome.DONE, None), after.readings)
        return _result(line_no, sent, after.readings)

    async def _read(self, line_no: str, *, with_list: bool) -> Fresh:
        """Raises: NotFoundAtMallError; MalformedResponseError when the row cannot be read."""
        readings = await self._look_up(line_no)
        if not readings:
            raise NotFoundAtMallError("Qoo10 has no such order number", shop=self._shop)
        reading = readings[0]
        if not isinstance(reading.record, Order):
            raise MalformedResponseError(reading.error or "the order cannot be read", shop=self._shop)
        order = reading.record
        fresh = Fresh(
            readings=tuple(readings),
            line=order.lines[0],
            claim=order.claims[0] if order.claims else None,
            row=decode_line(reading.raw),
            ordered_at=order.ordered_at,
        )
        return await self._with_list_row(fresh) if with_list else fresh

    async def _with_list_row(self, fresh: Fresh) -> Fresh:
        """The same with the row of the order list, which tells more; a line that is not listed stays as it is."""
        status = next((code for code, status in codes.LINE_STATUS.items() if status is fresh.line.status), None)
        if status is None or fresh.ordered_at is None:
            return fresh
        since, until = _around(fresh.ordered_at)
        for raw in await self._client.orders(status, codes.BY_ORDER_DATE, since, until):
            reading = self._listed(raw)
            if reading.key == fresh.line.line_no and isinstance(reading.record, Order):
                return replace(fresh, readings=(*fresh.readings, reading), line=reading.record.lines[0])
        return fresh

    async def _read_back(self, line_no: str, *, with_list: bool) -> Fresh | None:
        """The line after a write; a failure to read is logged, for the write itself is over."""
        try:
            return await self._read(line_no, with_list=with_list)
        except MallError as error:
            log.warning("qoo10.write.not_read_back", shop=self._shop, error=error.kind)
            return None

    def _today(self) -> date:
        return _local_day(self._now())

    def _check_day(self, day: date | None) -> None:
        if day is not None and day < self._today():
            raise _wrong("ship_on", "일본 날짜로 오늘보다 이릅니다 / the day lies before today in Japan")


def _looked(line_no: str, write: Write, stopped: Stop | None, now: Fresh) -> WriteResult:
    """What became of a write that was sent before: its effect shows, or the line is where it was."""
    if write.shows(now):
        return _result(line_no, (Outcome.DONE, None), now.readings)
    judged = (Outcome.REFUSED, NOT_DONE) if stopped is None else (Outcome.UNKNOWN, stopped[1])
    return _result(line_no, judged, now.readings)


def _stop_unless(fresh: Fresh, *statuses: LineStatus) -> Stop | None:
    """An open cancel and any status but these stop a write."""
    if fresh.open_claim is not None and fresh.open_claim.kind in _BLOCKING:
        return Outcome.REFUSED, _OPEN_CANCEL
    if fresh.line.status in statuses:
        return None
    shown = fresh.line.raw_status[:40] or fresh.line.status.value
    return Outcome.REFUSED, (
        f"지금 상태({fresh.line.status.value}, {shown})에서는 할 수 없습니다. / "
        f"Not possible in this status ({fresh.line.status.value}, {shown})."
    )


def _exchange(fresh: Fresh) -> Claim | None:
    return fresh.claim if fresh.claim is not None and fresh.claim.kind is ClaimKind.EXCHANGE else None


def _is_another(action: LineAction, claim: Claim) -> bool:
    return action.claim is not None and action.claim.claim_key != claim.claim_key


def _check_whole(action: LineAction, fresh: Fresh) -> None:
    whole = {fresh.line.quantity, None if fresh.claim is None else fresh.claim.quantity}
    if action.quantity is not None and action.quantity not in whole:
        raise _wrong("quantity", "일부 수량은 QSM에서 처리하세요 / Qoo10's API acts on whole order lines: parts in QSM")


def _parcel(action: LineAction) -> tuple[str, str]:
    """Carrier and tracking number, checked. Raises: RejectedByMallError naming the field."""
    carrier, tracking_no = _plain(action.carrier or ""), _plain(action.tracking_no or "")
    if not carrier or len(carrier) > codes.CARRIER_LIMIT:
        raise _wrong(
            "carrier", f"택배사 이름 1~{codes.CARRIER_LIMIT}자 / a name of 1 to {codes.CARRIER_LIMIT} characters"
        )
    if carrier.isdigit():
        raise _wrong(
            "carrier", "코드가 아니라 이름(예: 佐川急便)을 쓰세요 / Qoo10 takes the carrier's name, not a code"
        )
    if not tracking_no or len(tracking_no) > codes.TRACKING_LIMIT:
        raise _wrong("tracking_no", f"1~{codes.TRACKING_LIMIT}자 / 1 to {codes.TRACKING_LIMIT} characters")
    return carrier, tracking_no


def _wrong(field: str, why: str) -> RejectedByMallError:
    # Ours, but the mall was not asked: it must not stand as one that refused without a word.
    return RejectedByMallError(f"{field}: {why}", mall_message=why)


def _too_long(memo: str) -> str:
    return f"{codes.MEMO_LIMIT}자까지 됩니다 / at most {codes.MEMO_LIMIT} characters, this has {len(memo)}"


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()


def _bare(number: str) -> str:
    """A tracking number without what only groups its digits."""
    return "".join(part for part in number if part.isalnum()).upper()


def _digits(day: date | None) -> str:
    """``yyyyMMdd``, "" for no day."""
    return "" if day is None else f"{day:%Y%m%d}"


def _local_day(at: datetime) -> date:
    return at.astimezone(mapping.ZONE).date()


def _around(ordered_at: datetime) -> tuple[datetime, datetime]:
    """The window in which an order of this time is listed: the time may be cut to its minute, or to its day."""
    local = ordered_at.astimezone(mapping.ZONE)
    is_day = (local.hour, local.minute, local.second) == (0, 0, 0)
    return ordered_at, ordered_at + (timedelta(days=1) if is_day else timedelta(minutes=1))


def _result(line_no: str, judged: tuple[Outcome, str | None], readings: tuple[Reading, ...]) -> WriteResult:
    outcome, message = judged
    line = LineOutcome(line_no=line_no, outcome=outcome, mall_message=message)
    return WriteResult(outcome=outcome, lines=(line,), readings=readings)
