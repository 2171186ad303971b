"""When a promise is due, from what an agent types: "18:00", "내일 10시", "+30m", "월 9:30", "11-25 14:00".

The clock is the centre's. Nothing is rolled to tomorrow unsaid: an hour that is over today is refused.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_FURTHEST: Final = timedelta(days=366)
_LONGEST: Final = 40
_SPAN = re.compile(
    r"\A(?:\+|(?=.*\d))\s*(?:(?P<d>\d{1,3})\s*(?:d|일(?=.*[뒤후])))?\s*(?:(?P<h>\d{1,3})\s*(?:h|시간))?"
    r"\s*(?:(?P<m>\d{1,4})\s*(?:m|min|분))?\s*(?:뒤|후|뒤에|후에)?\Z"
)
_CLOCK = re.compile(
    r"\A(?P<half>오전|오후|am|pm)?\s*(?P<h>\d{1,2})(?::(?P<m>\d{2})|\s*시(?:\s*(?P<m2>\d{1,2})\s*분|\s*(?P<mid>반))?)?"
    r"\s*(?P<late>am|pm)?(?:까지)?\Z"
)
_DIGITS = re.compile(r"\A(\d{1,2})(\d{2})\Z")
_DAY = re.compile(r"\A(?:(?P<y>\d{4})[-./])?(?P<m>\d{1,2})[-./](?P<d>\d{1,2})\Z")
_DAYS: Final = {"오늘": 0, "today": 0, "내일": 1, "tomorrow": 1, "모레": 2}
_WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("월", "월요일", "mon", "monday"),
            ("화", "화요일", "tue", "tuesday"),
            ("수", "수요일", "wed", "wednesday"),
            ("목", "목요일", "thu", "thursday"),
            ("금", "금요일", "fri", "friday"),
            ("토", "토요일", "sat", "saturday"),
            ("일", "일요일", "sun", "sunday"),
        )
    )
    for name in names
}


class PromiseTimeError(ValueError):
    """What was typed is no time that can be promised. ``key`` is a message key: unreadable, past or too_far."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.promise_{key}"


def read_due(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment meant, as UTC, to the minute. Raises: PromiseTimeError."""
    due = _read(_plain(text), now=now.astimezone(zone), zone=zone)
    if due <= now:
        raise PromiseTimeError("past")
    if due - now > _FURTHEST:
        raise PromiseTimeError("too_far")
    return due


def read_said(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """When a contact was, as an agent says: a clock time, with a day or of today; empty is now.

    Raises: PromiseTimeError, also for what is still to come.
    """
    plain = _plain(text)
    if not plain:
        return now.astimezone(UTC)
    said = _read(plain, now=now.astimezone(zone), zone=zone)
    if said > now:
        raise PromiseTimeError("future")
    return said


def _plain(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if len(plain) > _LONGEST:
        raise PromiseTimeError("unreadable")
    return plain


def _read(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    if not text:
        raise PromiseTimeError("unreadable")
    span = _span_of(text)
    if span is not None:
        return (now.astimezone(UTC) + span).replace(second=0, microsecond=0)
    first, _, rest = text.partition(" ")
    day = _day_of(first, now.date())
    hour, minute = _clock_of(rest if day else text)
    due = datetime.combine(day or now.date(), datetime.min.time(), zone).replace(hour=hour, minute=minute)
    # An hour that a change of the clocks leaves out is nobody's appointment.
    if due.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != due.replace(tzinfo=None):
        raise PromiseTimeError("unreadable")
    return due.astimezone(UTC)


def _span_of(text: str) -> timedelta | None:
    found = _SPAN.match(text)
    if found is None or not any(found.groupdict().values()):
        return None
    days, hours, minutes = (int(found[name] or 0) for name in ("d", "h", "m"))
    return timedelta(days=days, hours=hours, minutes=minutes)


def _day_of(word: str, today: date) -> date | None:
    if word in _DAYS:
        return today + timedelta(days=_DAYS[word])
    if word in _WEEKDAYS:
        # "월" said on a Monday means the next one.
        return today + timedelta(days=(_WEEKDAYS[word] - today.weekday() - 1) % 7 + 1)
    found = _DAY.match(word)
    if found is None:
        return None
    try:
        if found["y"]:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
        day = date(today.year, int(found["m"]), int(found["d"]))
        # In December "1-5" is of the new year.
        is_long_over = day < today - timedelta(days=180)
        return day.replace(year=today.year + 1) if is_long_over else day
    except ValueError:
        raise PromiseTimeError("unreadable") from None


def _clock_of(text: str) -> tuple[int, int]:
    found = _CLOCK.match(text.strip())
    digits = _DIGITS.match(text.strip())
    if digits is not None:
        hour, minute = int(digits[1]), int(digits[2])
    elif found is not None:
        hour = int(found["h"])
        minute = 30 if found["mid"] else int(found["m"] or found["m2"] or 0)
        half = {"오전": "am", "오후": "pm"}.get(found["half"] or "", found["half"] or found["late"])
        hour = _on_24(hour, half)
    else:
        raise PromiseTimeError("unreadable")
    if hour > 23 or minute > 59:
        raise PromiseTimeError("unreadable")
    return hour, minute


def _on_24(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise PromiseTimeError("unreadable")
    return hour % 12 + (12 if half == "pm" else 0)
