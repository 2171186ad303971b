"""Opening hours of a calendar: ranges of minutes per weekday, half open (09:00-18:00 ends before 18:00)."""

import re
from datetime import date, datetime, timedelta

import msgspec

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", re.ASCII)


class HoursError(ValueError):
    """``code`` names the rule that is broken, ``fix`` what to write."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        self.code, self.fix = code, fix
        super().__init__(message)


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """A day that is open otherwise than its weekday says."""

    date: str
    hours: tuple[str, ...]


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """``weekly``: ``mon``, ``mon-fri`` or ``daily`` -> ranges ``HH:MM-HH:MM`` or ``all-day``; ``closed``: dates."""

    weekly: dict[str, tuple[str, ...]]
    closed: tuple[str, ...] = ()
    extra_open: tuple[Extra, ...] = ()


def days_of(name: str) -> tuple[int, ...]:
    """``mon-fri`` -> (0, 1, 2, 3, 4); ``sat-mon`` runs over the week's end. Raises: HoursError."""
    if name == "daily":
        return tuple(range(7))
    first, dash, last = name.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise HoursError("bad-day", f"{name!r} is no day of the week", "write mon … sun, mon-fri or daily")
    start, end = DAYS.index(first), DAYS.index(last or first)
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


def minutes_of(text: str) -> tuple[int, int]:
    """``09:00-18:00`` -> (540, 1080), half open. Raises: HoursError."""
    if text == "all-day":
        return 0, DAY_MINUTES
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise HoursError("bad-range", f"{text!r} is no range of hours", 'write "09:00-18:00" in quotes')
    start_hour, start_minute, end_hour, end_minute = (int(part) for part in match.groups())
    if end_hour == 24 or start_hour == 24:
        raise HoursError(
            "hours-24", f"{text!r} names 24:00, which the PBX skips", 'write "all-day", or end the day at 23:59'
        )
    if start_hour > 23 or end_hour > 23 or start_minute > 59 or end_minute > 59:
        raise HoursError("bad-range", f"{text!r} names no time of a day", "write hours 00-23 and minutes 00-59")
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if end <= start:
        fix = "write the earlier time first; split hours over midnight into two days"
        raise HoursError("reversed-range", f"{text!r} ends before it begins", fix)
    return start, end


def day_of(text: str) -> date:
    """Raises: HoursError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise HoursError("bad-date", f"{text!r} is no date", "write YYYY-MM-DD") from error


def open_minutes(calendar: Calendar, day: date) -> list[tuple[int, int]]:
    """The open ranges of a day, in order; empty on a closed day. The calendar must have passed its check."""
    text = day.isoformat()
    for extra in calendar.extra_open:
        if extra.date == text:
            return sorted(minutes_of(hours) for hours in extra.hours)
    if text in calendar.closed:
        return []
    ranges = (hours for name, hours in calendar.weekly.items() if day.weekday() in days_of(name))
    return sorted(minutes_of(text) for hours in ranges for text in hours)


def closed_reason(calendar: Calendar, at: datetime) -> str | None:
    """``None`` when open at this local time, else ``holiday`` or ``hours``."""
    minute = at.hour * 60 + at.minute
    if any(start <= minute < end for start, end in open_minutes(calendar, at.date())):
        return None
    return "holiday" if at.date().isoformat() in calendar.closed else "hours"


def next_day(day: date) -> date:
    return day + timedelta(days=1)
