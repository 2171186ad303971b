"""Acting at the mall: look first, send once, look again.

The mall knows no idempotency key, and its approvals are final. So a write is sent only when the
fresh state allows it, and a lost answer is settled by reading, never by sending again.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from connectors.smartstore.client import SmartstoreClient
from connectors.smartstore.mapping import QNA_PREFIX
from connectors.smartstore.vocabulary import CANCEL_APPROVABLE
from hub.core.contract import Answer, LineAction, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import (
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.model import Claim, ClaimKind, ClaimState, Inquiry, InquiryState, Order

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: characters; the mall documents no limit, this one is the hub's own (confidence: guess)
ANSWER_LIMIT = 4000


# -- answers


async def answer_inquiry(
    client: SmartstoreClient, answer: Answer, *, read_back: Callable[[], Awaitable[Reading]]
) -> WriteResult:
    """Answer a question that has no answer yet.

    A question that already carries exactly this text is done: somebody pressed twice, or an earlier
    answer was lost on its way.
    Raises: RejectedByMallError for a text that is empty or too long; NotFoundAtMallError, AccessError.
    """
    text = answer.text.strip()
    if not text or len(text) > ANSWER_LIMIT:
        message = f"an answer needs 1 to {ANSWER_LIMIT} characters, this one has {len(text)}"
        raise RejectedByMallError(message, operation="inquiries.answer", mall_message=message)
    before = await read_back()
    standing = _standing_answer(before)
    if standing is not None:
        return _answered(Outcome.DONE if _is_same(standing, text) else Outcome.REFUSED, before, _ALREADY)
    number = answer.inquiry.write_ref or answer.inquiry.inquiry_no.partition(":")[2]
    try:
        if answer.inquiry.inquiry_no.startswith(QNA_PREFIX):
            await client.answer_qna(number, text)
        else:
            await client.answer_inquiry(number, text)
    except OutcomeUnknownError:
        return await _settle_answer(text, read_back, otherwise=Outcome.UNKNOWN, mall_message=None)
    except (RejectedByMallError, NotFoundAtMallError) as error:
        # "Already answered" (ERR-NC-101010) may be the echo of our own lost call: the text decides.
        return await _settle_answer(text, read_back, otherwise=Outcome.REFUSED, mall_message=_words(error))
    return _answered(Outcome.DONE, await _try(read_back), None)


async def _settle_answer(
    text: str, read_back: Callable[[], Awaitable[Reading]], *, otherwise: Outcome, mall_message: str | None
) -> WriteResult:
    after = await _try(read_back)
    standing = _standing_answer(after)
    if standing is None:
        return _answered(otherwise, after, mall_message)
    if _is_same(standing, text):
        return _answered(Outcome.DONE, after, None)
    return _answered(Outcome.REFUSED, after, mall_message or _ALREADY)


_ALREADY = "이미 다른 답변이 등록되어 있습니다. / Another answer stands there already."


def _standing_answer(reading: Reading | None) -> str | None:
    """The text of the answer that the mall shows, "" when it shows that there is one but not its text."""
    record = reading.record if reading else None
    if not isinstance(record, Inquiry):
        return None
    return record.answer or ("" if record.state is InquiryState.ANSWERED else None)


def _is_same(one: str, other: str) -> bool:
    """Malls turn line ends and trim blanks: the words decide."""
    return one.split() == other.split()


def _answered(outcome: Outcome, reading: Reading | None, mall_message: str | None) -> WriteResult:
    message = mall_message if outcome is not Outcome.DONE else None
    return WriteResult(
        outcome=outcome,
        lines=(LineOutcome(line_no=None, outcome=outcome, mall_message=message),),
        readings=(reading,) if reading else (),
    )


# -- cancels


async def approve_cancel(
    client: SmartstoreClient,
    action: LineAction,
    *,
    read_back: Callable[[], Awaitable[tuple[Reading, ...]]],
) -> WriteResult:
    """Approve the open cancel request of one line.

    Refused without sending when no request is open, or another one than the agent saw.
    Raises: NotFoundAtMallError, AccessError.
    """
    line_no = action.line.line_no
    before = await read_back()
    request = _open_cancel(before, line_no)
    if request is None:
        return _decided(line_no, Outcome.REFUSED, before, _NOTHING_OPEN)
    if action.claim is not None and action.claim.claim_key != request.claim_key:
        return _decided(line_no, Outcome.REFUSED, before, _ANOTHER)
    try:
        acted = await client.approve_cancel(line_no)
    except (OutcomeUnknownError, MalformedResponseError):
        return await _settle_cancel(line_no, request, read_back)
    except (RejectedByMallError, NotFoundAtMallError) as error:
        return _decided(line_no, Outcome.REFUSED, await _try(read_back) or (), _words(error))
    if acted.refusal is not None:
        return _decided(line_no, Outcome.REFUSED, await _try(read_back) or (), acted.refusal)
    if acted.is_done:
        return _decided(line_no, Outcome.DONE, await _try(read_back) or (), None)
    return await _settle_cancel(line_no, request, read_back)


async def _settle_cancel(
    line_no: str, request: Claim, read_back: Callable[[], Awaitable[tuple[Reading, ...]]]
) -> WriteResult:
    """What a lost answer did: only a claim that has moved on proves it."""
    after = await _try(read_back) or ()
    claim = next((claim for claim in _claims(after, line_no) if claim.claim_key == request.claim_key), None)
    if claim is None or claim.raw_state == request.raw_state:
        return _decided(line_no, Outcome.UNKNOWN, after, None)
    if claim.state in {ClaimState.DONE, ClaimState.REFUNDING}:
        return _decided(line_no, Outcome.DONE, after, None)
    if claim.state is ClaimState.REJECTED:
        return _decided(line_no, Outcome.REFUSED, after, _NOTHING_OPEN)
    return _decided(line_no, Outcome.UNKNOWN, after, None)


_NOTHING_OPEN = "처리할 취소 요청이 없습니다. / No cancel request is open on this line."
_ANOTHER = "확인한 것과 다른 취소 요청입니다. 다시 확인하세요. / The open request is not the one you saw: look again."


def _open_cancel(readings: tuple[Reading, ...], line_no: str) -> Claim | None:
    for claim in _claims(readings, line_no):
        if claim.kind is ClaimKind.CANCEL and claim.raw_state in CANCEL_APPROVABLE:
            return claim
    return None


def _claims(readings: tuple[Reading, ...], line_no: str) -> list[Claim]:
    orders = [reading.record for reading in readings if isinstance(reading.record, Order)]
    return [claim for order in orders for claim in order.claims if claim.line_no == line_no]


def _decided(line_no: str, outcome: Outcome, readings: tuple[Reading, ...], mall_message: str | None) -> WriteResult:
    line = LineOutcome(line_no=line_no, outcome=outcome, mall_message=mall_message)
    return WriteResult(outcome=outcome, lines=(line,), readings=readings)


# -- both


async def _try(read_back: Callable[[], Awaitable[T]]) -> T | None:
    """Read back; a failure of the reading changes nothing about what the write did."""
    try:
        return await read_back()
    except MallError as error:
        log.warning("smartstore.read_back.failed", error=type(error).__name__, request_id=error.request_id)
        return None


def _words(error: MallError) -> str:
    """The mall's own words, which say more than its code does."""
    return error.mall_message or error.mall_code or error.message
