"""Shape of TalkTalk's JSON. What is optional, or may be of another type, is read leniently.

Source: Naver TalkTalk Chat Bot API V1 with Handover and Profile API, as of 2025-05; confidence: sure.
"""

import json
from typing import Any

import msgspec
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


def mended(body: bytes) -> bytes:
    """The same JSON without what decoders refuse: half an emoji, broken UTF-8, a byte order mark, NaN.

    What was not taken in is lost for ever, so such an event is kept with U+FFFD in the place of what
    nobody can read. Anything else comes back as it is, for the reader to refuse.
    """
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            return msgspec.json.encode(_mended(json.loads(body.decode("utf-8-sig", "replace"))))
        except (ValueError, RecursionError, OverflowError):
            return body
    except RecursionError:
        return body
    return body


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(inner) for name, inner in value.items()}
    return value
