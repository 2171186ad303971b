"""Answering inquiries, and changing an answer: look first, send once, look again.

The texts decide: a question that carries exactly the words sent is answered, whoever pressed twice.
"""

from collections.abc import Awaitable, Callable

from connectors.smartstore.client import SmartstoreClient
from connectors.smartstore.mapping import QNA_PREFIX, answer_no_of
from connectors.smartstore.writing import NOT_DONE, attempt, words
from hub.core.contract import Answer, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import NotFoundAtMallError, OutcomeUnknownError, RejectedByMallError
from hub.core.model import Inquiry, InquiryState

#: characters; the mall documents no limit, this one is the hub's own (confidence: guess)
ANSWER_LIMIT = 4000

_ALREADY = "이미 다른 답변이 등록되어 있습니다. / Another answer stands there already."
_NONE_YET = "수정할 답변이 없습니다. / There is no answer to change."
_NO_NUMBER = (
    "답변 번호가 조회되지 않아 수정할 수 없습니다. 판매자센터에서 수정하세요. / "
    "The mall does not show the answer's number: change it in the seller centre."
)
_NOT_SHOWN_YET = (
    "쇼핑몰이 접수했으나 아직 조회되지 않습니다. / The mall accepted it; reading again does not show it yet."
)
_LOST = (
    "응답이 오지 않았고 다시 읽어도 답변이 보이지 않습니다. / "
    "The mall's reply was lost, and reading again does not show the answer."
)


async def answer_inquiry(
    client: SmartstoreClient, answer: Answer, *, read_back: Callable[[], Awaitable[Reading]]
) -> WriteResult:
    """Answer a question that has no answer yet.

    Raises: RejectedByMallError for a text that is empty or too long; NotFoundAtMallError, AccessError.
    """
    text = _sendable(answer)
    before = await read_back()
    standing = _standing_answer(before)
    if answer.is_only_look:
        return _looked(standing, text, before)
    if standing is not None:
        return _answered(Outcome.DONE if _is_same(standing, text) else Outcome.REFUSED, before, _ALREADY)
    number = _number(answer)

    async def send() -> None:
        if answer.inquiry.inquiry_no.startswith(QNA_PREFIX):
            await client.answer_qna(number, text)
        else:
            await client.answer_inquiry(number, text)

    # "Already answered" (ERR-NC-101010) may be the echo of our own lost call: the text decides there too.
    return await _send_once(send, text, read_back)


async def change_answer(
    client: SmartstoreClient, answer: Answer, *, read_back: Callable[[], Awaitable[Reading]]
) -> WriteResult:
    """Put another text in the place of the answer that stands.

    Of a product question the list shows the first answer where it has several (sure), which need not be
    the one that was changed: then the new text stays out of sight, and the outcome is PENDING.
    Raises: RejectedByMallError for a text that is empty or too long; NotFoundAtMallError, AccessError.
    """
    text = _sendable(answer)
    before = await read_back()
    standing = _standing_answer(before)
    if standing is None:
        return _answered(Outcome.REFUSED, before, _NONE_YET)
    if _is_same(standing, text):
        return _answered(Outcome.DONE, before, None)
    number = _number(answer)
    is_qna = answer.inquiry.inquiry_no.startswith(QNA_PREFIX)
    if answer.is_only_look:
        return _answered(Outcome.UNKNOWN if is_qna else Outcome.REFUSED, before, None if is_qna else NOT_DONE)
    answer_no = None if is_qna else answer_no_of(before.raw)
    if not is_qna and answer_no is None:
        return _answered(Outcome.REFUSED, before, _NO_NUMBER)

    async def send() -> None:
        if answer_no is None:
            await client.answer_qna(number, text)
        else:
            await client.change_inquiry_answer(number, answer_no, text)

    return await _send_once(send, text, read_back, replaced=standing)


def _sendable(answer: Answer) -> str:
    text = answer.text.strip()
    if not text or len(text) > ANSWER_LIMIT:
        message = f"an answer needs 1 to {ANSWER_LIMIT} characters, this one has {len(text)}"
        raise RejectedByMallError(message, operation="inquiries.answer", mall_message=message)
    return text


def _number(answer: Answer) -> str:
    return answer.inquiry.write_ref or answer.inquiry.inquiry_no.partition(":")[2]


async def _send_once(
    send: Callable[[], Awaitable[None]],
    text: str,
    read_back: Callable[[], Awaitable[Reading]],
    *,
    replaced: str | None = None,
) -> WriteResult:
    """``replaced`` is the answer that stood before, if any."""
    try:
        await send()
    except OutcomeUnknownError:
        return await _settle(text, read_back, replaced, otherwise=Outcome.UNKNOWN, why=_LOST)
    except (RejectedByMallError, NotFoundAtMallError) as error:
        return await _settle(text, read_back, replaced, otherwise=Outcome.REFUSED, why=words(error))
    after = await attempt(read_back)
    standing = _standing_answer(after)
    is_shown = standing is not None and (_is_same(standing, text) or (not standing and replaced is None))
    if after is None or is_shown:
        return _answered(Outcome.DONE, after, None)
    return _answered(Outcome.PENDING, after, _NOT_SHOWN_YET)


async def _settle(
    text: str, read_back: Callable[[], Awaitable[Reading]], replaced: str | None, *, otherwise: Outcome, why: str
) -> WriteResult:
    """What a lost or refused call did, by the answer that stands afterwards."""
    after = await attempt(read_back)
    standing = _standing_answer(after)
    if not standing or (replaced is not None and _is_same(standing, replaced)):
        return _answered(otherwise, after, why)
    if _is_same(standing, text):
        return _answered(Outcome.DONE, after, None)
    return _answered(Outcome.REFUSED, after, why if otherwise is Outcome.REFUSED else _ALREADY)


def _looked(standing: str | None, text: str, reading: Reading) -> WriteResult:
    """What became of an answer that was sent before."""
    if standing is None:
        return _answered(Outcome.REFUSED, reading, NOT_DONE)
    if not standing:
        return _answered(Outcome.UNKNOWN, reading, None)
    return _answered(Outcome.DONE if _is_same(standing, text) else Outcome.REFUSED, reading, _ALREADY)


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
