"""Time as a shop's working days count it."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from hub.policy.calendar import BusinessCalendar

WHOLE_DAY: Final = 24 * 60
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


def business_minutes(
    calendar: BusinessCalendar, start: datetime, end: datetime, *, opens: int = 0, closes: int = WHOLE_DAY
) -> int:
    """Whole minutes between two aware times that lie on business days between two minutes after midnight.

    An end before the start gives 0. With the defaults every minute of a business day counts.
    """
    spent = timedelta()
    day, last = calendar.day_of(start), calendar.day_of(end)
    while day <= last:
        if calendar.is_business_day(day):
            midnight = datetime.combine(day, time(), calendar.zone).astimezone(UTC)
            begins, ends = max(start, midnight + opens * _MINUTE), min(end, midnight + closes * _MINUTE)
            spent += max(ends - begins, timedelta())
        day += _DAY
    return spent // _MINUTE
