"""Time as a shop's working days count it, reckoned in whole milliseconds: a report asks for very many moments."""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from hub.policy.calendar import BusinessCalendar
from hub.store.database import to_ms

WHOLE_DAY: Final = 24 * 60
MINUTE_MS: Final = 60_000
_DAY: Final = timedelta(days=1)


class OpenTime:
    """What lies between two minutes after local midnight of every business day; with the defaults, all of such a day.

    Moments are stored milliseconds. Business days are looked up a year at a time, when one is asked for first.
    """

    def __init__(self, calendar: BusinessCalendar, *, opens: int = 0, closes: int = WHOLE_DAY) -> None:
        self._calendar = calendar
        self._opens = opens * MINUTE_MS
        self._length = max(closes - opens, 0) * MINUTE_MS
        # When each known business day opens; all are equally long.
        self._begins: list[int] = []
        self._years = range(0)
        self._first = self._last = 0

    def between(self, start: int, end: int) -> int:
        """How much lies between two moments; none where the end is the earlier one."""
        if end <= start:
            return 0
        if start < self._first or end >= self._last:
            self._look_up(start, end)
        return self._until(end) - self._until(start)

    def after(self, start: int, length: int) -> int:
        """The moment at which ``length``, more than nothing, has passed; at closing time it is that of closing."""
        if not self._first <= start < self._last:
            self._look_up(start, start)
        days, rest = divmod(self._until(start) + length - 1, self._length)
        while days >= len(self._begins):
            self._look_up(self._first, self._last)
        return self._begins[days] + rest + 1

    def _until(self, at: int) -> int:
        """Since the first day that is known."""
        place = bisect_right(self._begins, at) - 1
        if place < 0:
            return 0
        return place * self._length + min(at - self._begins[place], self._length)

    def _look_up(self, start: int, end: int) -> None:
        years = [self._calendar.day_of(datetime.fromtimestamp(at / 1000, UTC)).year for at in (start, end)]
        years += [self._years.start, self._years.stop - 1] if self._years else []
        self._years = range(min(years), max(years) + 1)
        self._first, self._last = (self._midnight(date(year, 1, 1)) for year in (min(years), max(years) + 1))
        day, over = date(min(years), 1, 1), date(max(years) + 1, 1, 1)
        self._begins = []
        while day < over:
            if self._calendar.is_business_day(day):
                self._begins.append(self._midnight(day) + self._opens)
            day += _DAY

    def _midnight(self, day: date) -> int:
        return to_ms(datetime.combine(day, time(), self._calendar.zone)) or 0
