"""Single values of the mall's JSON: liberal in what they accept, exact in what they return."""

from collections import Counter
from datetime import UTC, datetime
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


def whole_of(value: Scalar, path: str) -> int | None:
    if value is None or value == "":
        return None
    if type(value) is int:
        return value
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
        return Money(minor=minor_units(value, CURRENCY), currency=CURRENCY)
    except (ValueError, OverflowError):
        raise malformed("not an amount of money", path) from None


def malformed(message: str, path: str) -> MalformedResponseError:
    return MalformedResponseError(message, path=path)


def count_unknown(unknown: Unknowns, field: str, code: str | None) -> None:
    """Cut short, so that hostile text does not fill the status screen."""
    unknown[f"{field}:{(code or '')[:60]}"] += 1
