"""Single values of the mall's JSON: liberal in what they accept, exact in what they return."""

from collections import Counter
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from connectors.smartstore.wire import Scalar
from hub.core.errors import MalformedResponseError
from hub.core.model import Money, minor_units

KST = ZoneInfo("Asia/Seoul")
CURRENCY = "KRW"

#: codes met that no table holds, "field:code" -> how often
Unknowns = Counter[str]


class Times:
    """Reads times and remembers the newest."""

    __slots__ = ("newest",)

    def __init__(self) -> None:
        self.newest: datetime | None = None

    def note(self, value: Scalar, path: str) -> datetime | None:
        at = time_of(value, path)
        if at is not None and (self.newest is None or at > self.newest):
            self.newest = at
        return at


def time_of(value: Scalar, path: str) -> datetime | None:
    """ISO 8601 with an offset; a time without one is read in Korea, where the mall's clocks stand."""
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is answered below
        return (at if at.tzinfo else at.replace(tzinfo=KST)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise malformed("not a time", path) from None


def required_time(value: Scalar, path: str) -> datetime:
    at = time_of(value, path)
    if at is None:
        raise malformed("no time", path)
    return at


def text_of(value: Scalar) -> str | None:
    """Text as the mall gave it; empty means not given."""
    if type(value) is str:
        return value or None
    return None if value is None else str(value)


def first_of(*values: Scalar) -> str | None:
    for value in values:
        if value is not None and value != "":
            return str(value)
    return None


def id_of(value: Scalar, path: str) -> str:
    text = "" if value is None or isinstance(value, bool | float) else str(value).strip()
    if not text or len(text) > _LONGEST_ID:
        raise malformed("no usable number", path)
    return text


#: the mall's ids are 20 bytes at most; room is left for longer ones to come
_LONGEST_ID = 60
#: characters of a code, a carrier or a tracking number: databases index these, and take no longer ones
_LONGEST_CODE = 200
#: characters of a product's name or option that are shown; the stored payload has the rest
_LONGEST_NAME = 500
#: what a database's column of quantities holds
_MOST_PIECES = 2**31 - 1
#: won; more than all money there is
_MOST_MONEY = 10**15


def code_of(value: Scalar, path: str) -> str | None:
    """A short text by which things are found again. Raises: MalformedResponseError when it is none."""
    text = text_of(value)
    if text is not None and len(text) > _LONGEST_CODE:
        raise malformed("a code longer than any", path)
    return text


def day_of(value: Scalar) -> date | None:
    """``yyyyMMdd``; ``None`` for anything else."""
    text = text_of(value) or ""
    try:
        return date.fromisoformat(text) if len(text) == _LENGTH_OF_A_DAY and text.isascii() and text.isdigit() else None
    except ValueError:
        return None


def hour_of(value: Scalar) -> time | None:
    """``HHmm``; ``None`` for anything else."""
    text = text_of(value) or ""
    try:
        return (
            time.fromisoformat(text) if len(text) == _LENGTH_OF_AN_HOUR and text.isascii() and text.isdigit() else None
        )
    except ValueError:
        return None


_LENGTH_OF_A_DAY = 8
_LENGTH_OF_AN_HOUR = 4


def name_of(value: Scalar) -> str | None:
    text = text_of(value)
    return text if text is None or len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"


def whole_of(value: Scalar, path: str) -> int | None:
    """A number of pieces: 0 is one of them. Raises: MalformedResponseError."""
    if value is None or value == "":
        return None
    whole = value if type(value) is int else _whole(value, path)
    if not 0 <= whole <= _MOST_PIECES:
        raise malformed("not a number of pieces", path)
    return whole


def _whole(value: str | float, path: str) -> int:
    try:
        number = float(value)
        whole = int(number)
    except (ValueError, OverflowError):
        raise malformed("not a whole number", path) from None
    if whole != number or isinstance(value, bool):
        raise malformed("not a whole number", path)
    return whole


def flag_of(value: Scalar) -> bool | None:
    """``None`` when absent or no word for yes or no."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(str(value).strip().lower()) if value is not None else None


_FLAGS = {"true": True, "y": True, "1": True, "false": False, "n": False, "0": False}


def money_of(value: Scalar, path: str) -> Money | None:
    if value is None or value == "":
        return None
    try:
        minor = minor_units(value, CURRENCY)
    except (ValueError, OverflowError):
        raise malformed("not an amount of money", path) from None
    if abs(minor) > _MOST_MONEY:
        raise malformed("not an amount of money", path)
    return Money(minor=minor, currency=CURRENCY)


def malformed(message: str, path: str) -> MalformedResponseError:
    return MalformedResponseError(message, path=path)


def count_unknown(unknown: Unknowns, field: str, code: str | None) -> None:
    """Cut short, so that hostile text does not fill the status screen."""
    unknown[f"{field}:{(code or '')[:60]}"] += 1
