"""Shape of TalkTalk's JSON. What is optional, or may be of another type, is read leniently.

Source: Naver TalkTalk Chat Bot API V1 with Handover and Profile API, as of 2025-05; confidence: sure.
"""

from typing import Any

from msgspec import Struct, field


class TextContent(Struct, frozen=True, kw_only=True, rename="camel"):
    """``input_type``: typing, button, sticker, vphone, nameCard, …; only on what is received."""

    text: Any = None
    code: Any = None
    input_type: Any = None


class ImageContent(Struct, frozen=True, kw_only=True, rename="camel"):
    image_url: Any = None


class CompositeContent(Struct, frozen=True, kw_only=True, rename="camel"):
    composite_list: Any = None


class EventWire(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event. ``standby``: a person in the partner centre has the conversation.

    ``options`` differ by event. An event says neither when it happened nor which one it is.
    """

    event: str
    user: Any = None
    partner: Any = None
    echoed_event: Any = None
    standby: Any = None
    text_content: Any = None
    image_content: Any = None
    composite_content: Any = None
    options: Any = field(default_factory=dict)


class EventShape(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every documented field of an event, for the watch over new ones. Nothing is read by it."""

    event: str
    user: str
    partner: str | None = None
    echoed_event: str | None = None
    standby: bool | None = None
    text_content: TextContent | None = None
    image_content: ImageContent | None = None
    composite_content: CompositeContent | None = None
    options: Any = None


class ResultWire(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of the sending API: HTTP 200 whether it worked or not."""

    success: Any = None
    result_code: Any = None
    result_message: Any = None
