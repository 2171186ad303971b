"""Reading chats out of the inbox, as other connectors read an API: paged, resumable, from the events alone."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Final

from msgspec import Struct

from connectors.talktalk.kept import FIELD_MARK, Told, profile_subject
from connectors.talktalk.mapping import Conversation, read_conversation, readings_of
from connectors.talktalk.vocabulary import PROFILE_FIELDS
from hub.core.contract import Page, Reading, Span
from hub.core.inbox import Inbox, InboxKind
from hub.core.paging import decode_cursor, encode_cursor

_PAGE: Final = 50
#: an event is stored a moment after it came: the run before may have missed its last minutes
_OVERLAP: Final = timedelta(minutes=10)
_SPACE: Final = 16**4


class ChatCursor(Struct, frozen=True, kw_only=True):
    """The last subject that was read."""

    after: str


class ChatReader:
    """``count`` notes a code that no table holds."""

    def __init__(self, inbox: Inbox, *, silence: timedelta, count: Callable[[str], None]) -> None:
        self._inbox = inbox
        self._silence = silence
        self._count = count

    async def pages(self, span: Span, *, cursor: str | None) -> AsyncIterator[Page]:
        """Every conversation in which something came since the span's start, whole."""
        since = span.since if span.is_full else span.since - _OVERLAP
        place = decode_cursor(cursor, ChatCursor)
        after = place.after if place else ""
        met = after.partition(FIELD_MARK)[0]
        while True:
            subjects = await self._inbox.subjects(InboxKind.EVENT, since=since, after=after, limit=_PAGE)
            readings: list[Reading] = []
            for subject in subjects:
                conversation = subject.partition(FIELD_MARK)[0]
                if conversation != met:
                    readings += await self.readings(conversation)
                    met = conversation
            after = subjects[-1] if subjects else after
            is_last = len(subjects) < _PAGE
            progress = 1.0 if is_last else _share(after)
            yield Page(readings=tuple(readings), cursor=encode_cursor(ChatCursor(after=after)), progress=progress)
            if is_last:
                return

    async def conversation(self, conversation: str) -> Conversation:
        items = [
            Told(at=item.received_at, key=item.key, body=item.body)
            async for item in self._inbox.items(InboxKind.EVENT, subject=conversation)
        ]
        return read_conversation(items, silence=self._silence, count=self._count)

    async def readings(self, conversation: str) -> tuple[Reading, ...]:
        """Every inquiry of one conversation, oldest first."""
        found = await self.conversation(conversation)
        return readings_of(found, conversation=conversation, profile=await self._profile(conversation))

    async def _profile(self, conversation: str) -> dict[str, bytes]:
        fields: dict[str, bytes] = {}
        for field in PROFILE_FIELDS:
            async for item in self._inbox.items(InboxKind.EVENT, subject=profile_subject(conversation, field)):
                fields[field] = item.body
        return fields


def _share(subject: str) -> float:
    """How far in the order of subjects: they are digests, evenly spread."""
    try:
        return int(subject[:4], 16) / _SPACE
    except ValueError:
        return 0.0
