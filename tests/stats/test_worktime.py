"""Opening time in milliseconds, beside the calendar's own arithmetic and a walk from day to day."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import example, given
from hypothesis import strategies as some

from hub.policy.calendar import BusinessCalendar, business_calendar
from hub.stats.worktime import MINUTE_MS, WHOLE_DAY, OpenTime
from hub.store.database import time_of, to_ms
from tests.stats.worked import SEOUL

#: a company that closes for a week and works on a Saturday
OWN = business_calendar("KR", frozenset(date(2026, 12, day) for day in range(7, 12)), frozenset({date(2026, 12, 19)}))
CALENDARS = some.sampled_from((business_calendar("KR"), business_calendar("JP"), OWN))
#: around the turn of a year, where another year has to be looked up
MOMENTS = some.integers(to_ms(datetime(2026, 11, 20, tzinfo=UTC)), to_ms(datetime(2027, 1, 20, tzinfo=UTC)))
HOURS = some.sampled_from(((0, WHOLE_DAY), (540, 1080), (600, 601)))


def walked(calendar: BusinessCalendar, start: int, end: int, opens: int, closes: int) -> int:
    """The same from day to day."""
    found, day = 0, calendar.day_of(time_of(start))
    while day <= calendar.day_of(time_of(end)):
        midnight = to_ms(datetime.combine(day, time(), calendar.zone)) or 0
        if calendar.is_business_day(day):
            found += max(0, min(end, midnight + closes * MINUTE_MS) - max(start, midnight + opens * MINUTE_MS))
        day += timedelta(days=1)
    return found


@given(CALENDARS, HOURS, MOMENTS, MOMENTS)
def test_opening_time_between_is_what_lies_on_business_days(calendar, hours, start, end):
    opens, closes = hours
    assert OpenTime(calendar, opens=opens, closes=closes).between(start, end) == walked(
        calendar, start, end, opens, closes
    )


@given(CALENDARS, HOURS, MOMENTS, some.integers(1, 6_000))
@example(business_calendar("KR"), (540, 1080), to_ms(datetime(2026, 12, 31, 9, tzinfo=SEOUL)), 540)
@example(business_calendar("KR"), (540, 1080), to_ms(datetime(2026, 12, 31, 18, tzinfo=SEOUL)), 540)
def test_opening_time_after_ends_where_the_calendar_ends_it(calendar, hours, start, minutes):
    opens, closes = hours
    due = calendar.add_business_minutes(time_of(start), minutes, opens=opens, closes=closes)
    assert OpenTime(calendar, opens=opens, closes=closes).after(start, minutes * MINUTE_MS) == to_ms(due)


def test_what_is_known_serves_later_and_earlier_years_too():
    hours = OpenTime(business_calendar("KR"), opens=540, closes=1080)
    friday, monday = (to_ms(datetime(2026, *day, tzinfo=SEOUL)) for day in ((2, 27, 17), (3, 3, 10)))

    # 1 March is a Sunday and a holiday, so Monday the 2nd rests in its place.
    for _ in range(2):
        assert hours.between(friday, monday) == 120 * MINUTE_MS
        assert hours.between(monday, friday) == 0
        assert hours.between(to_ms(datetime(2024, 1, 2, 10, tzinfo=SEOUL)), friday) > hours.between(monday, friday)
        assert hours.between(monday, to_ms(datetime(2028, 1, 4, tzinfo=SEOUL))) > 540 * MINUTE_MS
    assert OpenTime(business_calendar("KR")).between(friday, monday) == (7 + 10) * 60 * MINUTE_MS
    assert OpenTime(business_calendar("KR"), opens=600, closes=600).between(friday, monday) == 0
