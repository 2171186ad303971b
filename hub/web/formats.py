"""Money, times, phones and long names as people read them; one function each."""

import unicodedata
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hub.core.model import Money
from hub.web.words import Words

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
#: decimal places of the currencies that have none; two otherwise
EXPONENT: Final = {"KRW": 0, "JPY": 0}


def money(amount: Money | None, locale: str) -> str:
    """12,000원 (₩12,000 in English), ¥1,980, USD 12.50; a dash where the mall tells no amount."""
    if amount is None:
        return "–"
    exponent = EXPONENT.get(amount.currency, 2)
    number = f"{Decimal(amount.minor).scaleb(-exponent):,.{exponent}f}"
    if amount.currency == "KRW":
        return f"{number}원" if locale == "ko" else f"₩{number}"
    return f"¥{number}" if amount.currency == "JPY" else f"{amount.currency} {number}"


def span_words(span: timedelta, words: Words) -> str:
    """The length of a stretch of time, always positive, in its two largest units at most: "2시간 10분"."""
    seconds = abs(int(span.total_seconds()))
    if seconds < _MINUTE:
        return words("time.moment")
    if seconds < _HOUR:
        return words("time.minutes", m=seconds // _MINUTE)
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return words("time.hours_minutes", h=hours, m=minutes) if minutes else words("time.hours", h=hours)
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    return words("time.days_hours", d=days, h=hours) if hours and days < 3 else words("time.days", d=days)


def absolute(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def short(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The clock time today, month and day this year, else the date."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return local.strftime("%H:%M")
    return local.strftime("%m-%d %H:%M" if local.year == today.year else "%Y-%m-%d")


def day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """As :func:`short`; the first moment of a day stands for the whole day, where a mall knows days only."""
    local = at.astimezone(zone)
    if (local.hour, local.minute) != (0, 0):
        return short(at, now, zone)
    return local.strftime("%m-%d" if local.year == now.astimezone(zone).year else "%Y-%m-%d")


def places_of(text: str) -> int:
    """Places that it takes where a Latin letter takes one: Korean and Japanese ones take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str, places: int) -> str:
    """At most so many places (see :func:`places_of`); what is left out is told by an ellipsis."""
    if places_of(text) <= places:
        return text
    while places_of(text) > places - 1:
        text = text[:-1]
    return f"{text}…"
