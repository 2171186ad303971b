"""Opening hours of a calendar: ranges of minutes per weekday, half open (09:00-18:00 ends before 18:00)."""

import re
from datetime import date, datetime, timedelta

import holidays
import msgspec

COUNTRIES = {"KR": "ko", "JP": "ja"}  # country -> its language
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", re.ASCII)


class HoursError(ValueError):
    """``code`` names the rule that is broken, ``value`` the text that breaks it."""

    def __init__(self, code: str, value: str) -> None:
        self.code, self.value = code, value
        super().__init__(f"{code}: {value!r}")


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """A day that is open otherwise than its weekday says."""

    date: str
    hours: tuple[str, ...]


class Holidays(msgspec.Struct, frozen=True, kw_only=True):
    """Public holidays on which the line is closed. ``country``: KR or JP.

    ``years`` are named, so that the same spec means the same days whenever it is read. ``worked``: the dates among
    them on which the centre works as on any weekday.
    """

    country: str
    years: tuple[int, ...]
    worked: tuple[str, ...] = ()


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """``weekly``: ``mon``, ``mon-fri`` or ``daily`` -> ranges ``HH:MM-HH:MM`` or ``all-day``; ``closed``: dates.

    A spec that is loaded has its ``holidays`` among ``closed`` already.
    """

    weekly: dict[str, tuple[str, ...]]
    closed: tuple[str, ...] = ()
    extra_open: tuple[Extra, ...] = ()
    holidays: Holidays | None = None


def days_of(name: str) -> tuple[int, ...]:
    """``mon-fri`` -> (0, 1, 2, 3, 4); ``sat-mon`` runs over the week's end. Raises: HoursError."""
    if name == "daily":
        return tuple(range(7))
    first, dash, last = name.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise HoursError("bad-day", name)
    start, end = DAYS.index(first), DAYS.index(last or first)
    return tuple((start + step) % 7 for step in range((end - start) % 7 + 1))


def minutes_of(text: str) -> tuple[int, int]:
    """``09:00-18:00`` -> (540, 1080), half open. Raises: HoursError."""
    if text == "all-day":
        return 0, DAY_MINUTES
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise HoursError("bad-range", text)
    start_hour, start_minute, end_hour, end_minute = (int(part) for part in match.groups())
    if end_hour == 24 or start_hour == 24:
        raise HoursError("hours-24", text)
    if start_hour > 23 or end_hour > 23 or start_minute > 59 or end_minute > 59:
        raise HoursError("bad-range", text)
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if end <= start:
        raise HoursError("reversed-range", text)
    return start, end


def day_of(text: str) -> date:
    """Only YYYY-MM-DD: a date in another form would never equal a day. Raises: HoursError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise HoursError("bad-date", text) from error
    if day.isoformat() != text:
        raise HoursError("bad-date", text)
    return day


def public_holidays(named: Holidays, *, language: str | None = None) -> dict[date, str]:
    """The public holidays of those years with their names, substitute days too, without those worked on.

    ``language``: "en", else the country's own.
    Source: the holidays package, which knows what is decreed up to its release; confidence: likely.
    """
    tongue = "en_US" if language == "en" else COUNTRIES[named.country]
    found = holidays.country_holidays(named.country, years=named.years, language=tongue)
    return {day: name for day, name in sorted(found.items()) if day.isoformat() not in named.worked}


def with_holidays(calendar: Calendar) -> Calendar:
    """The calendar with its public holidays among the closed days, unless they are open otherwise."""
    if calendar.holidays is None:
        return calendar
    extra = {extra.date for extra in calendar.extra_open}
    days = {day.isoformat() for day in public_holidays(calendar.holidays)} - extra
    return msgspec.structs.replace(calendar, closed=tuple(sorted({*calendar.closed, *days})))


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
