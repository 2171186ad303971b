"""Business days of Korea and Japan, counted as the law counts them.

Counting: the first day is not counted, and a period that ends on a day of rest ends on the next
business day (Korean Civil Act, articles 157 and 161; confidence: likely). Saturdays, Sundays and
public holidays, substitute and temporary ones included, are days of rest. Days that only banks or
one company keep (31 December to 3 January in Japan) are business days here: that reading gives the
earlier date, the one kinder to the customer. Give such days as ``closed`` where they matter.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.core.public_holidays import public_holidays

ZONES: Final = {"KR": ZoneInfo("Asia/Seoul"), "JP": ZoneInfo("Asia/Tokyo")}
_DAY: Final = timedelta(days=1)
_MINUTES_A_DAY: Final = 24 * 60
_CACHE_LIMIT: Final = 100_000
#: What is left of a search that will find nothing: a calendar closed for a whole year is a mistake.
_LONGEST_REST: Final = 366
# A whole day ends with its last second, as malls write it, not at the midnight that looks a day late.
_LAST_SECOND: Final = time(23, 59, 59)


class BusinessCalendar:
    """The business days of ``country`` ("KR", "JP"), less the ``closed`` days of one company, and those it ``opened``.

    Times come and go as aware datetimes; days are days of the country's own zone. A day that is both
    is closed. Raises: ValueError for a country without a calendar, and for a naive time.
    """

    def __init__(
        self, country: str, *, closed: frozenset[date] = frozenset(), opened: frozenset[date] = frozenset()
    ) -> None:
        zone = ZONES.get(country)
        if zone is None:
            message = f"no business calendar for country {country!r}; known: {', '.join(ZONES)}"
            raise ValueError(message)
        self.country: Final = country
        self.zone: Final = zone
        self._closed = closed
        self._opened = opened
        self._sums: dict[tuple[date, int], date] = {}

    def is_business_day(self, day: date) -> bool:
        if day in self._closed:
            return False
        if day in self._opened:
            return True
        if day.weekday() >= 5:
            return False
        return day not in public_holidays(self.country, day.year)

    def roll_forward(self, day: date) -> date:
        """``day`` itself, or the next business day when it is a day of rest."""
        for _ in range(_LONGEST_REST):
            if self.is_business_day(day):
                return day
            day += _DAY
        message = f"calendar {self.country} has no business day in the year before {day}"
        raise ValueError(message)

    def add_business_days(self, day: date, count: int) -> date:
        """The ``count``-th business day after ``day``, which is not counted itself; 0 only rolls forward."""
        if count <= 0:
            return self.roll_forward(day)
        key = (day, count)
        found = self._sums.get(key)
        if found is None:
            found = day
            for _ in range(count):
                found = self.roll_forward(found + _DAY)
            if len(self._sums) >= _CACHE_LIMIT:
                self._sums.clear()
            self._sums[key] = found
        return found

    def add_days(self, day: date, count: int) -> date:
        """``count`` calendar days after ``day``; an end on a day of rest moves on."""
        return self.roll_forward(day + timedelta(days=count))

    def add_months(self, day: date, count: int) -> date:
        """``count`` calendar months after ``day``, which is not counted; an end on a day of rest moves on.

        The months begin on the next day and end on the day before that day's number comes again, or on
        the last of a month that has no such number (Korean Civil Act, article 160; confidence: likely).
        """
        begins = day + _DAY
        years, month = divmod(begins.month - 1 + count, 12)
        year, month = begins.year + years, month + 1
        length = monthrange(year, month)[1]
        end = date(year, month, begins.day) - _DAY if begins.day <= length else date(year, month, length)
        return self.roll_forward(end)

    def day_of(self, at: datetime) -> date:
        """The local day of an aware time."""
        if at.tzinfo is None:
            message = "a time without a zone has no day"
            raise ValueError(message)
        return at.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The last second of ``day``, in UTC."""
        return datetime.combine(day, _LAST_SECOND, self.zone).astimezone(UTC)

    def add_business_minutes(self, at: datetime, minutes: int, *, opens: int = 540, closes: int = 1080) -> datetime:
        """``minutes`` of opening time after ``at``, in UTC.

        ``opens`` and ``closes`` are minutes after local midnight of every business day. Time that
        ends exactly at closing ends there, not at the next opening.
        """
        if not 0 <= opens < closes <= _MINUTES_A_DAY:
            message = f"not opening hours: {opens} to {closes} minutes after midnight"
            raise ValueError(message)
        day = self.day_of(at)
        local = at.astimezone(self.zone)
        now = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        left = timedelta(minutes=minutes)
        start, end = timedelta(minutes=opens), timedelta(minutes=closes)
        begin = max(now, start) if self.is_business_day(day) else end
        while left > end - begin or begin >= end:
            left -= max(end - begin, timedelta())
            day = self.roll_forward(day + _DAY)
            begin = start
        midnight = datetime.combine(day, time(), self.zone).astimezone(UTC)
        return midnight + begin + left


class OwnDays(Struct, frozen=True, kw_only=True):
    """Days that no almanac knows.

    ``holidays``: public holidays of the shop's country that were announced after this release; every
    clock of that country rests on them. ``closed`` and ``opened`` are the shop's own days, for its own
    aims alone: a company holiday moves neither the law's clock nor a mall's.
    """

    holidays: frozenset[date] = frozenset()
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()

    def of_public(self, country: str) -> BusinessCalendar:
        return business_calendar(country, self.holidays)

    def of_shop(self, country: str) -> BusinessCalendar:
        return business_calendar(country, self.holidays - self.opened | self.closed, self.opened)


@lru_cache(maxsize=64)
def business_calendar(
    country: str, closed: frozenset[date] = frozenset(), opened: frozenset[date] = frozenset()
) -> BusinessCalendar:
    """The shared calendar of a country; its arithmetic is remembered between calls."""
    return BusinessCalendar(country, closed=closed, opened=opened)
