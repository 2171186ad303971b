"""Questions of customers, with their threads."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.core.model.party import Party


class InquiryKind(StrEnum):
    PRODUCT_INQUIRY = "product_inquiry"
    ORDER_INQUIRY = "order_inquiry"
    CHAT = "chat"


class InquiryState(StrEnum):
    UNANSWERED = "unanswered"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    UNKNOWN = "unknown"


class MessageAuthor(StrEnum):
    CUSTOMER = "customer"
    SELLER = "seller"
    UNKNOWN = "unknown"


class Attachment(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A file beside a message: its name, and where the mall keeps it, if it tells. The hub never fetches it."""

    name: str
    url: str | None = None


class Message(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One message of a thread; ``text`` is plain text as the mall gave it (HTML already reduced)."""

    message_no: str
    author: MessageAuthor
    text: str
    sent_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()


class Inquiry(Struct, frozen=True, kw_only=True, gc=False):
    """One question as the mall counts it.

    ``inquiry_no`` identifies it in the shop over all kinds (a prefix keeps number spaces apart
    where the mall has several). ``thread_no`` groups questions of one conversation. ``answer`` is
    the newest answer of the shop. ``messages`` is the thread, oldest first, question included.
    ``is_public`` tells that others can read it, so an answer must not hold personal data.
    ``write_ref`` is what the connector needs to answer it; opaque to everyone else.
    """

    inquiry_no: str
    thread_no: str
    kind: InquiryKind
    state: InquiryState
    raw_state: str
    asked_at: datetime
    text: str
    subject: str | None = None
    answer: str | None = None
    answered_at: datetime | None = None
    order_no: str | None = None
    line_nos: tuple[str, ...] = ()
    product_code: str | None = None
    product_name: str | None = None
    category: str | None = None
    writer: Party | None = None
    is_public: bool = False
    messages: tuple[Message, ...] = ()
    write_ref: str | None = None
