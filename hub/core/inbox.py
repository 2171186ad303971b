"""What was handed to the hub for one shop, kept whole: chat messages that no mall keeps, uploaded files.

A connector whose source cannot be asked again reads its inbox as others read an API.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class InboxKind(StrEnum):
    """``LAYOUT``: how the columns of uploaded files are to be read; the newest one holds."""

    EVENT = "event"
    FILE = "file"
    LAYOUT = "layout"


class InboxItem(Struct, frozen=True, kw_only=True):
    """``seq`` grows with arrival in one shop. ``key`` is unique in the shop and kind: nothing is kept twice.

    ``subject`` groups what belongs together (a conversation, a kind of file). ``body`` is encrypted at
    rest. ``received_at`` is aware UTC.
    """

    seq: int
    kind: InboxKind
    key: str
    body: bytes
    received_at: datetime
    subject: str = ""
    name: str = ""

    def __repr__(self) -> str:
        # The body is what a customer wrote.
        return f"InboxItem(seq={self.seq}, kind={self.kind}, key={self.key!r})"


class Inbox(Protocol):
    async def put(
        self, *, kind: InboxKind, key: str, body: bytes, at: datetime, subject: str = "", name: str = ""
    ) -> bool:
        """Keep one item; durable when it returns. ``False`` when ``key`` was there already: nothing changed then."""
        ...

    def items(
        self, kind: InboxKind, *, since: datetime | None = None, after: int = 0, subject: str | None = None
    ) -> AsyncIterator[InboxItem]:
        """Oldest first: received at ``since`` or later, and after the item ``after``; of one ``subject`` when given."""
        ...

    async def subjects(self, kind: InboxKind, *, since: datetime, after: str = "", limit: int = 100) -> tuple[str, ...]:
        """Subjects that got an item at ``since`` or later, in order of the subject, after ``after``."""
        ...

    async def forget(self, *, kind: InboxKind, subject: str) -> int:
        """Delete every item of one subject: a person took back what was told. Returns how many there were."""
        ...


class MemoryInbox:
    """An inbox that lasts as long as the process: for whoever opens a connector without a database."""

    def __init__(self) -> None:
        self._items: list[InboxItem] = []

    async def put(
        self, *, kind: InboxKind, key: str, body: bytes, at: datetime, subject: str = "", name: str = ""
    ) -> bool:
        if any(item.kind is kind and item.key == key for item in self._items):
            return False
        seq = self._items[-1].seq + 1 if self._items else 1
        self._items.append(
            InboxItem(seq=seq, kind=kind, key=key, body=body, received_at=at, subject=subject, name=name)
        )
        return True

    async def items(
        self, kind: InboxKind, *, since: datetime | None = None, after: int = 0, subject: str | None = None
    ) -> AsyncIterator[InboxItem]:
        for item in list(self._items):
            is_wanted = item.kind is kind and item.seq > after and (since is None or item.received_at >= since)
            if is_wanted and subject in {None, item.subject}:
                yield item

    async def subjects(self, kind: InboxKind, *, since: datetime, after: str = "", limit: int = 100) -> tuple[str, ...]:
        found = {item.subject for item in self._items if item.kind is kind and item.received_at >= since}
        return tuple(sorted(subject for subject in found if subject > after)[:limit])

    async def forget(self, *, kind: InboxKind, subject: str) -> int:
        left = [item for item in self._items if item.kind is not kind or item.subject != subject]
        gone = len(self._items) - len(left)
        self._items = left
        return gone
