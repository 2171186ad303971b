"""What a message shows: its text and the parts of a card as plain text, its pictures as files beside it.

Source: Naver TalkTalk Chat Bot API V1, message types; confidence: sure.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from connectors.talktalk.vocabulary import PLAIN_INPUT, STICKER
from connectors.talktalk.wire import EventWire
from hub.core.attachments import MOST, attachment, web_address
from hub.core.model import Attachment

PICTURE: Final = "[사진]"
CARD: Final = "[카드]"
UNREADABLE: Final = "[표시할 수 없는 메시지]"
_PICTURE_NAME: Final = "사진"


def text_of(event: EventWire, count: Callable[[str], None]) -> str:
    """Never empty. ``count`` notes content that no reader here knows."""
    shown = [*_text(event.text_content, count), *_picture(event.image_content), *_cards(event.composite_content)]
    if not shown:
        count(f"content:{event.event}")
        return UNREADABLE
    return "\n".join(shown)


def files_of(event: EventWire) -> tuple[Attachment, ...]:
    """The pictures of a message, in their order; those without an address of the web are in the text alone."""
    found = (attachment(_PICTURE_NAME, address, unnamed=_PICTURE_NAME) for address in _addresses(event))
    return tuple(each for each in found if each.url is not None)[:MOST]


def _addresses(event: EventWire) -> Iterator[Any]:
    if isinstance(event.image_content, dict):
        yield event.image_content.get("imageUrl")
    content = event.composite_content
    cards = content.get("compositeList") if isinstance(content, dict) else None
    for card in cards if isinstance(cards, list) else ():
        picture = card.get("image") if isinstance(card, dict) else None
        if isinstance(picture, dict):
            yield picture.get("imageUrl")


def _text(content: Any, count: Callable[[str], None]) -> Iterator[str]:
    if not isinstance(content, dict):
        return
    text = _plain(content.get("text"))
    kind = content.get("inputType")
    if kind == STICKER:
        yield f"[스티커] {text or ''}".rstrip()
        return
    if isinstance(kind, str) and kind not in PLAIN_INPUT:
        count(f"inputType:{kind}")
    if text is not None:
        yield text


def _picture(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield PICTURE


def _cards(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        return
    cards = content.get("compositeList")
    for card in cards if isinstance(cards, list) else ():
        if isinstance(card, dict):
            yield "\n".join([CARD, *_card(card)])


def _card(card: dict[str, Any]) -> Iterator[str]:
    yield from _words(card)
    picture = card.get("image")
    if isinstance(picture, dict):
        yield PICTURE
    elements = card.get("elementList")
    data = elements.get("data") if isinstance(elements, dict) else None
    for element in data if isinstance(data, list) else ():
        if isinstance(element, dict):
            yield " · ".join(_words(element)) or UNREADABLE
    buttons = card.get("buttonList")
    for button in buttons if isinstance(buttons, list) else ():
        inner = button.get("data") if isinstance(button, dict) else None
        if isinstance(inner, dict):
            yield _with_address(f"[{_plain(inner.get('title')) or '버튼'}]", inner.get("url"))


def _words(part: dict[str, Any]) -> Iterator[str]:
    for name in ("title", "description", "subDescription"):
        if (text := _plain(part.get(name))) is not None:
            yield text


def _plain(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _with_address(label: str, address: Any) -> str:
    """The label, with the address where it is one of the web."""
    found = web_address(address)
    return f"{label} {found}" if found else label
