"""Single values of Cafe24's JSON: text, numbers, dates, HTML. Pure and cached: they run per field."""

import html
from datetime import UTC, datetime
from functools import lru_cache
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from hub.core.errors import MalformedResponseError
from hub.core.model import Money, minor_units

KST = ZoneInfo("Asia/Seoul")

Value = str | int | float | None

#: more than any count or number of the mall; the databases keep such numbers in 32 bits
MOST = 2**31 - 1
#: more minor units than any amount; what is larger is no price, and no row could hold its multiples
MOST_MINOR = 10**15


def text(value: Value) -> str | None:
    """Empty text and ``null`` are both "not given"; NUL is dropped, no database keeps it."""
    if value is None:
        return None
    if type(value) is str:
        return (value if "\x00" not in value else value.replace("\x00", "")) or None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def code(value: Value) -> str | None:
    """A code: text without blanks around it."""
    if value is None:
        return None
    if type(value) is str and "\x00" not in value:
        return value.strip() or None
    found = text(value)
    return (found.strip() or None) if found is not None else None


def shop_front(shop_no: Value) -> str:
    """What stands in front of the hub's own numbers for things of another shop number than 1."""
    number = code(shop_no)
    return "" if number in (None, "1") else f"shop{number}:"


def whole(value: Value, *, path: str) -> int | None:
    """A count that may come as 2, "2" or "2.00". Raises: MalformedResponseError, also for more than MOST."""
    if type(value) is int and -MOST <= value <= MOST:
        return value
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not a number", path=path) from error
    if not number.is_integer():
        raise MalformedResponseError("not a whole number", path=path)
    if abs(number) > MOST:
        raise MalformedResponseError("a number larger than any", path=path)
    return int(number)


@lru_cache(maxsize=8192)
def _moment(value: str) -> datetime | None:
    stripped = value.strip()
    if not stripped or stripped.startswith("0000-00-00"):
        return None
    moment = datetime.fromisoformat(stripped)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=KST)
    return moment.astimezone(UTC)


def when(value: Value, *, path: str) -> datetime | None:
    """A time as aware UTC; ``null``, "" and "0000-00-00" mean none, naive text is KST, a day its start.

    Raises: MalformedResponseError for anything else.
    Source: Cafe24 Admin API, Orders (samples with both forms); confidence: sure.
    """
    if value is None or value == "":
        return None
    try:
        return _moment(value if type(value) is str else str(value))
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not a time", path=path) from error


def money(value: Value, currency: str | None, *, path: str) -> Money | None:
    """An amount like "15000.00". Raises: MalformedResponseError."""
    if currency is None or (found := minor(value, currency, path=path)) is None:
        return None
    return Money(minor=found, currency=currency)


def minor(value: Value, currency: str, *, path: str) -> int | None:
    """The same in minor units. Raises: MalformedResponseError."""
    if value is None or value == "":
        return None
    try:
        return within(minor_units(value, currency), path=path)
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not an amount", path=path) from error


def within(amount: int, *, path: str) -> int:
    """The minor units themselves. Raises: MalformedResponseError for more than MOST_MINOR."""
    if not -MOST_MINOR <= amount <= MOST_MINOR:
        raise MalformedResponseError("an amount larger than any", path=path)
    return amount


_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"})
#: stands for a break while the text is gathered; no text holds NUL (:func:`text`)
_BREAK = "\x00"
_HIDDEN = frozenset({"script", "style", "head", "title", "template"})


class _PlainText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.has_breaks = False
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BREAKS:
            self.has_breaks = True
            self.parts.append(_BREAK)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BREAKS and tag not in ("br", "hr"):
            self.parts.append(_BREAK)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace(_BREAK, ""))


def plain_text(content: Value) -> str:
    """Reduce HTML of a customer to plain text: line breaks stay, tags, scripts and styles go.

    Text without any markup is returned as it is.
    """
    source = text(content) or ""
    if "<" not in source:
        return (html.unescape(source) if "&" in source else source).replace("\x00", "").strip()
    parser = _PlainText()
    parser.feed(source)
    parser.close()
    # Where the page breaks its lines by tags, a line end of the source is only a blank.
    joined = "".join(parser.parts)
    joined = (joined.replace("\n", " ") if parser.has_breaks else joined).replace(_BREAK, "\n")
    lines = (" ".join(line.split()) for line in joined.split("\n"))
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()


def html_text(plain: str) -> str:
    """Plain text of an agent as the HTML that a board shows; its source stays readable as text too."""
    return html.escape(plain, quote=False).replace("\r\n", "\n").replace("\n", "<br>\n")
