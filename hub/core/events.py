"""What a mall sends by itself: webhooks. Authenticated by the connector, acted on later."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hub.core.inbox import Inbox, InboxKind


class Delivery(Struct, frozen=True, kw_only=True):
    """One request that came to the shop's webhook address. ``headers`` have names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    def __repr__(self) -> str:
        # Headers hold keys, the body holds what customers wrote.
        return f"Delivery({len(self.body)} bytes)"


class Kept(Struct, frozen=True, kw_only=True):
    """An event that is itself the record: the hub keeps it in the shop's inbox. Fields as of InboxItem."""

    key: str
    subject: str
    body: bytes


class Notice(Struct, frozen=True, kw_only=True):
    """What one delivery asks for. A notice is a hint to read again, never the truth itself.

    ``orders`` and ``inquiries`` are numbers to read again, ``reads_orders`` and ``reads_inquiries``
    ask for everything that changed since the last run of that feed. ``kept`` goes to the inbox.
    ``forgotten`` are subjects of kept events that a person has taken back: they are deleted first.
    ``reply`` is the body of the answer to the caller; empty where it expects none.
    """

    orders: tuple[str, ...] = ()
    inquiries: tuple[str, ...] = ()
    reads_orders: bool = False
    reads_inquiries: bool = False
    kept: tuple[Kept, ...] = ()
    forgotten: tuple[str, ...] = ()
    reply: bytes = b""


@runtime_checkable
class ReceivesEvents(Protocol):
    def receive_events(self, delivery: Delivery) -> Notice:
        """Check who sent it and say what it means. No I/O: the caller waits a second or two at most.

        An event that means nothing to the hub is an empty Notice.
        Raises: AccessError when the sender cannot prove itself; MalformedResponseError for a body that
        is none of the mall's.
        """
        ...


async def keep_events(inbox: Inbox, notice: Notice, *, at: datetime) -> int:
    """Do in the inbox what a notice asks for. Returns how many events were not there before."""
    for subject in notice.forgotten:
        await inbox.forget(kind=InboxKind.EVENT, subject=subject)
    new = [
        await inbox.put(kind=InboxKind.EVENT, key=kept.key, body=kept.body, at=at, subject=kept.subject)
        for kept in notice.kept
    ]
    return sum(new)
