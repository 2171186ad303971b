"""Writing to one product order: look first, send once, look again.

The mall knows no idempotency key, and most of its calls are final. So a write is sent only when the
fresh state allows it, and a lost answer is settled by reading, never by sending again. What the
single writes are stands in ``line_writes.py`` and ``claim_writes.py``.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import structlog
from msgspec import Struct

from connectors.smartstore.client import Acted, SmartstoreClient
from connectors.smartstore.mapping import product_order_of
from connectors.smartstore.wire import ProductOrderWire
from hub.core.contract import LineAction, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import (
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.model import Claim, Line, Order

log = structlog.get_logger(__name__)

T = TypeVar("T")

UNREADABLE = "상품주문의 현재 상태를 읽을 수 없어 보내지 않았습니다. / The line cannot be read now: nothing was sent."
NOT_DONE = "처리되지 않았습니다. / Not done."
ADDRESS_CHANGED = (
    "수령자 주소가 변경되었습니다. 송장을 만들기 전에 다시 확인하세요. / "
    "The receiver's address has changed: look again before you make the label."
)
_LOST = (
    "응답이 오지 않았고 다시 읽어도 처리 결과가 보이지 않습니다. / "
    "The answer was lost, and reading again does not show the effect."
)
_NOT_SHOWN_YET = (
    "쇼핑몰이 접수했으나 아직 반영되지 않았습니다. / The mall accepted it; reading again does not show the effect yet."
)
_NOT_OURS = "그사이 다른 처리가 되었습니다. / Something else was done to it meanwhile."


class LineState(Struct, frozen=True, kw_only=True):
    """One line as the mall shows it now; ``product`` holds the mall's own words."""

    line: Line
    claims: tuple[Claim, ...]
    product: ProductOrderWire


class Stop(Struct, frozen=True):
    """Why a write is not sent: refused, or done because its very effect stands already."""

    outcome: Outcome
    message: str | None


def refused(message: str) -> Stop:
    return Stop(Outcome.REFUSED, message)


#: what was asked for stands already, for certain
STANDS = Stop(Outcome.DONE, None)


class LineWrite(Struct, frozen=True, kw_only=True):
    """One kind of write on a line.

    ``wrong`` names the field of the action that cannot be sent. ``stop`` tells from the fresh state why
    it is not sent, and ``send`` is given that state. ``shows`` tells of the state after: DONE shows the
    effect, REFUSED shows that something else happened instead, UNKNOWN shows neither.
    ``is_proved_by_reading``: the mall's yes alone is not enough to call it done.
    """

    wrong: Callable[[LineAction, datetime], str | None]
    stop: Callable[[LineState, LineAction], Stop | None]
    send: Callable[[SmartstoreClient, LineAction, datetime, LineState], Awaitable[Acted]]
    shows: Callable[[LineState, LineState, LineAction], Outcome]
    is_proved_by_reading: bool = False


async def write_line(
    client: SmartstoreClient,
    action: LineAction,
    write: LineWrite,
    *,
    read_back: Callable[[], Awaitable[tuple[Reading, ...]]],
    now: datetime,
) -> WriteResult:
    """Do one write, once.

    A yes whose effect reading does not show yet is PENDING; a lost answer is DONE only when reading
    shows the effect. Raises: NotFoundAtMallError, AccessError.
    """
    line_no = action.line.line_no
    wrong = write.wrong(action, now)
    if wrong is not None:
        return decided(line_no, Outcome.REFUSED, (), wrong)
    readings = await read_back()
    before = state_of(readings, line_no)
    if before is None:
        return decided(line_no, Outcome.REFUSED, readings, UNREADABLE)
    stop = write.stop(before, action)
    if action.is_only_look:
        return _looked(before, action, write, stop, readings)
    if stop is not None:
        return decided(line_no, stop.outcome, readings, stop.message)
    lost, is_told_inside = _LOST, False
    try:
        acted = await write.send(client, action, now, before)
    except (OutcomeUnknownError, MalformedResponseError) as error:
        acted = Acted(False)
        lost = _LOST if error.mall_message is None else f"{error.mall_message} ({_LOST})"
    except (RejectedByMallError, NotFoundAtMallError) as error:
        acted = Acted(False, words(error))
        is_told_inside = error.status is not None and error.status < 400
    after = await attempt(read_back) or ()
    state = state_of(after, line_no)
    shown = Outcome.UNKNOWN if state is None else write.shows(before, state, action)
    # A success by its status that holds an error is no documented answer: what reading shows comes first.
    if acted.refusal is not None and not (is_told_inside and shown is Outcome.DONE):
        return decided(line_no, Outcome.REFUSED, after, acted.refusal)
    if acted.is_done and state is None and not write.is_proved_by_reading:
        shown = Outcome.DONE
    return _settled(line_no, acted, shown, after, lost)


def _looked(
    now: LineState, action: LineAction, write: LineWrite, stop: Stop | None, readings: tuple[Reading, ...]
) -> WriteResult:
    """What became of a write that was sent before: its effect shows, or the line is where it was.

    Before the write it was as the hub knew it then; claims that have ended may be older. Of a part
    nothing is concluded from the rest of the line.
    """
    line_no = action.line.line_no
    meant = () if action.claim is None else (action.claim,)
    ended = tuple(
        claim for claim in now.claims if not claim.state.is_open and claim.claim_key not in {c.claim_key for c in meant}
    )
    known = LineState(line=action.line, claims=(*ended, *meant), product=now.product)
    shown = write.shows(known, now, action)
    if shown is Outcome.DONE or (stop is not None and stop.outcome is Outcome.DONE):
        return decided(line_no, Outcome.DONE, readings, None)
    if shown is Outcome.REFUSED:
        return decided(line_no, Outcome.REFUSED, readings, _NOT_OURS)
    if stop is None and action.quantity in {None, action.line.quantity}:
        return decided(line_no, Outcome.REFUSED, readings, NOT_DONE)
    return decided(line_no, Outcome.UNKNOWN, readings, _LOST)


def _settled(line_no: str, acted: Acted, shown: Outcome, after: tuple[Reading, ...], lost: str) -> WriteResult:
    """What a yes (``is_done``) or a lost answer comes to, by what reading back showed; ``lost`` says why not."""
    if shown is Outcome.DONE:
        return decided(line_no, Outcome.DONE, after, ADDRESS_CHANGED if acted.is_address_changed else None)
    if acted.is_done:
        return decided(line_no, Outcome.PENDING, after, _NOT_SHOWN_YET)
    if shown is Outcome.REFUSED:
        return decided(line_no, Outcome.REFUSED, after, _NOT_OURS)
    return decided(line_no, Outcome.UNKNOWN, after, lost)


def state_of(readings: tuple[Reading, ...], line_no: str) -> LineState | None:
    """The line among ``readings``, ``None`` when it is missing or could not be read."""
    for reading in readings:
        if not isinstance(reading.record, Order):
            continue
        for line in reading.record.lines:
            if line.line_no == line_no:
                claims = tuple(claim for claim in reading.record.claims if claim.line_no == line_no)
                return LineState(line=line, claims=claims, product=product_order_of(reading.raw))
    return None


def decided(line_no: str, outcome: Outcome, readings: tuple[Reading, ...], mall_message: str | None) -> WriteResult:
    line = LineOutcome(line_no=line_no, outcome=outcome, mall_message=mall_message)
    return WriteResult(outcome=outcome, lines=(line,), readings=readings)


async def attempt(read_back: Callable[[], Awaitable[T]]) -> T | None:
    """Read back; a failure of the reading changes nothing about what the write did."""
    try:
        return await read_back()
    except MallError as error:
        log.warning("smartstore.read_back.failed", error=type(error).__name__, request_id=error.request_id)
        return None


def words(error: MallError) -> str:
    """The mall's own words, which say more than its code does."""
    return error.mall_message or error.mall_code or error.message


def is_same_number(shown: str | None, given: str | None) -> bool:
    """Tracking numbers are written with and without hyphens."""
    return _digits(shown) == _digits(given)


def _digits(number: str | None) -> str:
    return (number or "").replace("-", "").replace(" ", "").upper()


def missing(action: LineAction, *names: str) -> str | None:
    """The first of the text fields ``names`` that is empty, as a sentence."""
    for name in names:
        if not (getattr(action, name) or "").strip():
            return f"{name} 값이 필요합니다. / {name} is needed."
    return None
