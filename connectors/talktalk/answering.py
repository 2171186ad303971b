"""Answering a chat: at most once, although the platform neither numbers messages nor shows what it has.

The hub's own notes in the inbox take the place of reading back: one is written before the sending, and
nobody can write the same one twice; another after it says what became of it. Only an echo can tell of
an answer whose outcome was lost.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from connectors.talktalk.client import TalktalkClient
from connectors.talktalk.kept import (
    OWN_KEY,
    REFUSED,
    SENT,
    UNKNOWN,
    Note,
    Result,
    conversation_of,
    digest,
    encode_own,
)
from connectors.talktalk.mapping import Conversation, Stretch, is_same_text
from connectors.talktalk.reading import ChatReader
from hub.core.contract import Answer, LineOutcome, Outcome, WriteResult
from hub.core.errors import AccessError, OutcomeUnknownError, RateLimitedError, RejectedByMallError, TransientMallError
from hub.core.inbox import Inbox, InboxKind
from hub.core.model import MessageAuthor

ANSWER_LIMIT: Final = 10_000
#: how often, and how long apart, the echo of a lost answer is looked for
_LOOKS: Final = 3
_LOOK_SECONDS: Final = 1.0

_EMPTY: Final = "text: 보낼 내용이 없습니다 / there is nothing to send"
_TOO_LONG: Final = "text: 10,000자를 넘습니다 / longer than 10,000 characters"
_NO_USER: Final = "대화 상대를 알 수 없습니다 / it is not known who wrote"
_UNSETTLED: Final = (
    "같은 답변을 이미 보냈고 전달 여부를 알 수 없습니다. 톡톡 파트너센터에서 대화를 확인하세요. / "
    "The same answer was sent and its outcome is not known: look at the conversation in the partner centre."
)
_LOST: Final = (
    "전달 여부를 확인할 수 없습니다. 톡톡 파트너센터에서 대화를 확인하세요. / "
    "It is not known whether it arrived: look at the conversation in the partner centre."
)


_NOT_SENT: Final = "보내지 않았습니다 / not sent"


class Answerer:
    def __init__(
        self,
        *,
        client: TalktalkClient,
        reader: ChatReader,
        inbox: Inbox,
        notification: bool,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client = client
        self._reader = reader
        self._inbox = inbox
        self._notification = notification
        self._now = now
        self._sleep = sleep

    async def answer(self, answer: Answer) -> WriteResult:
        text, user = answer.text.strip(), answer.inquiry.write_ref
        wrong = _EMPTY if not text else _TOO_LONG if len(text) > ANSWER_LIMIT else None if user else _NO_USER
        if wrong is not None or user is None:
            return _result(Outcome.REFUSED, wrong)
        conversation = conversation_of(user)
        found = await self._reader.conversation(conversation)
        if _stands_already(found, text):
            return await self._with_readings(_result(Outcome.DONE), conversation)
        if answer.is_only_look:
            return await self._with_readings(_looked(found, user, text), conversation)
        note = _next_note(found, user, text)
        if note is None or not await self._put(note, f"{OWN_KEY}{note.claim}", conversation):
            return _result(Outcome.REFUSED, _UNSETTLED)
        return await self._with_readings(await self._send(note, conversation), conversation)

    async def _send(self, note: Note, conversation: str) -> WriteResult:
        try:
            await self._client.send_text(user=note.user, text=note.text, notification=self._notification)
        except RejectedByMallError as error:
            await self._settle(note, REFUSED, conversation)
            return _result(Outcome.REFUSED, error.mall_message)
        except (AccessError, RateLimitedError, TransientMallError):
            # Provably not taken: the same text may be sent again.
            await self._settle(note, REFUSED, conversation)
            raise
        except OutcomeUnknownError:
            await self._settle(note, UNKNOWN, conversation)
            return await self._look_for_echo(note, conversation)
        await self._settle(note, SENT, conversation)
        return _result(Outcome.DONE)

    async def _look_for_echo(self, note: Note, conversation: str) -> WriteResult:
        for _ in range(_LOOKS):
            await self._sleep(_LOOK_SECONDS)
            found = await self._reader.conversation(conversation)
            if found.results.get(note.claim) == SENT:
                return _result(Outcome.DONE)
        return _result(Outcome.UNKNOWN, _LOST)

    async def _settle(self, note: Note, state: str, conversation: str) -> None:
        result = Result(claim=note.claim, user=note.user, state=state)
        await self._put(result, f"{OWN_KEY}{note.claim}:{state}", conversation)

    async def _put(self, own: Note | Result, key: str, conversation: str) -> bool:
        """``False`` when this very note was there: somebody else is sending the same answer."""
        return await self._inbox.put(
            kind=InboxKind.EVENT, key=key, body=encode_own(own), at=self._now(), subject=conversation
        )

    async def _with_readings(self, result: WriteResult, conversation: str) -> WriteResult:
        readings = await self._reader.readings(conversation)
        return WriteResult(outcome=result.outcome, lines=result.lines, readings=readings)


def _stands_already(found: Conversation, text: str) -> bool:
    """Whether the shop has said just this since the customer's newest message."""
    newest: Stretch | None = found.stretches[-1] if found.stretches else None
    for entry in reversed(newest.entries if newest else ()):
        if entry.author is MessageAuthor.CUSTOMER:
            return False
        if entry.author is MessageAuthor.SELLER and is_same_text(entry.text, text):
            return True
    return False


def _next_note(found: Conversation, user: str, text: str) -> Note | None:
    """The note of this sending; ``None`` while an earlier one of the same text has an unknown outcome.

    The name is made of the person, the place in the conversation and the text: the same words may be
    said again after the customer has written again, or after a refusal.
    """
    base, attempt = _claim_base(found, user, text), 0
    while (claim := f"{base}:{attempt}") in found.notes:
        if found.results.get(claim) != REFUSED:
            return None
        attempt += 1
    return Note(claim=claim, user=user, text=text)


def _claim_base(found: Conversation, user: str, text: str) -> str:
    customers = [
        entry for stretch in found.stretches for entry in stretch.entries if entry.author is MessageAuthor.CUSTOMER
    ]
    return digest(user, customers[-1].key if customers else "", text)


def _looked(found: Conversation, user: str, text: str) -> WriteResult:
    """What became of an answer that was sent before: the newest note of it tells, and without one it never went out.

    Where the customer has written since, the note has another name: then nobody knows.
    """
    notes = [note.claim for note in found.notes.values() if note.user == user and note.text == text]
    if not notes:
        return _result(Outcome.REFUSED, _NOT_SENT)
    base = _claim_base(found, user, text)
    newest = max(
        (claim for claim in notes if claim.rpartition(":")[0] == base),
        key=lambda claim: int(claim.rpartition(":")[2]),
        default=None,
    )
    state = found.results.get(newest) if newest else None
    if state == SENT:
        return _result(Outcome.DONE)
    return _result(Outcome.REFUSED, _NOT_SENT) if state == REFUSED else _result(Outcome.UNKNOWN, _LOST)


def _result(outcome: Outcome, message: str | None = None) -> WriteResult:
    return WriteResult(outcome=outcome, lines=(LineOutcome(line_no=None, outcome=outcome, mall_message=message),))
