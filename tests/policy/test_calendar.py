"""Counting of business days. Dates of holidays: Korean Ministry of Government Legislation, Japanese Cabinet Office."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.policy.calendar import BusinessCalendar, business_calendar

KR = business_calendar("KR")
JP = business_calendar("JP")
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("calendar", "day", "count", "expected"),
    [
        pytest.param(KR, date(2026, 11, 16), 3, date(2026, 11, 19), id="plain week"),
        pytest.param(KR, date(2026, 11, 20), 3, date(2026, 11, 25), id="over a weekend"),
        pytest.param(KR, date(2026, 11, 21), 1, date(2026, 11, 23), id="starts on a Saturday"),
        pytest.param(KR, date(2026, 2, 13), 3, date(2026, 2, 23), id="over the lunar new year 2026"),
        pytest.param(KR, date(2025, 1, 24), 1, date(2025, 1, 31), id="lunar new year 2025 with a temporary holiday"),
        pytest.param(KR, date(2025, 10, 2), 3, date(2025, 10, 14), id="chuseok 2025 with its substitute and two days"),
        pytest.param(KR, date(2026, 9, 23), 1, date(2026, 9, 28), id="chuseok 2026 falls on a Saturday"),
        pytest.param(KR, date(2026, 2, 27), 1, date(2026, 3, 3), id="substitute of 1 March 2026"),
        pytest.param(KR, date(2026, 6, 2), 1, date(2026, 6, 4), id="election day"),
        pytest.param(KR, date(2026, 12, 30), 2, date(2027, 1, 4), id="over the year end"),
        pytest.param(JP, date(2026, 5, 1), 1, date(2026, 5, 7), id="Japanese golden week with its substitute"),
        pytest.param(JP, date(2026, 9, 18), 3, date(2026, 9, 28), id="Japanese day between two holidays"),
        pytest.param(JP, date(2026, 2, 13), 3, date(2026, 2, 18), id="Japan works over the lunar new year"),
        pytest.param(JP, date(2026, 12, 30), 2, date(2027, 1, 4), id="Japanese year end"),
    ],
)
def test_business_days_are_counted_without_the_first_day(calendar, day, count, expected):
    assert calendar.add_business_days(day, count) == expected


def test_calendar_days_that_end_on_a_holiday_move_on():
    assert KR.add_days(date(2026, 2, 9), 7) == date(2026, 2, 19)


def test_a_company_day_of_rest_is_skipped():
    calendar = BusinessCalendar("KR", closed=frozenset({date(2026, 11, 23)}))

    assert calendar.add_business_days(date(2026, 11, 20), 1) == date(2026, 11, 24)


def test_a_day_belongs_to_the_country_not_to_utc():
    just_after_midnight_in_seoul = datetime(2026, 11, 15, 15, 0, tzinfo=UTC)

    assert KR.day_of(just_after_midnight_in_seoul) == date(2026, 11, 16)
    assert KR.day_of(just_after_midnight_in_seoul - timedelta(seconds=1)) == date(2026, 11, 15)


def test_a_day_ends_with_its_last_local_second():
    assert KR.end_of(date(2026, 11, 19)) == datetime(2026, 11, 19, 14, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "minutes", "expected"),
    [
        pytest.param("2026-11-20T01:00", 240, "2026-11-20T05:00", id="inside one day"),
        pytest.param("2026-11-20T05:00", 240, "2026-11-20T09:00", id="ends exactly at closing"),
        pytest.param("2026-11-20T07:00", 240, "2026-11-23T02:00", id="Friday afternoon to Monday"),
        pytest.param("2026-11-20T13:00", 240, "2026-11-23T04:00", id="asked on Friday night"),
        pytest.param("2026-11-21T01:00", 0, "2026-11-23T00:00", id="no time at all still waits for the opening"),
        pytest.param("2026-02-13T08:30", 60, "2026-02-19T00:30", id="over the lunar new year"),
        pytest.param("2026-11-16T00:00", 3 * 540, "2026-11-18T09:00", id="whole days"),
    ],
)
def test_opening_time_is_counted_in_opening_hours_only(at, minutes, expected):
    found = KR.add_business_minutes(datetime.fromisoformat(at).replace(tzinfo=UTC), minutes)

    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_country_without_a_calendar_is_refused():
    with pytest.raises(ValueError, match="known: KR, JP"):
        business_calendar("XX")


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        KR.day_of(datetime(2026, 11, 20))


def test_hours_that_never_open_are_refused():
    with pytest.raises(ValueError, match="opening hours"):
        KR.add_business_minutes(datetime(2026, 11, 20, tzinfo=UTC), 5, opens=600, closes=600)


@settings(deadline=None)
@given(day=DAYS, count=st.integers(0, 40))
def test_a_sum_is_a_business_day_after_its_start_with_as_many_between(day, count):
    end = KR.add_business_days(day, count)

    between = sum(KR.is_business_day(day + timedelta(n)) for n in range(1, (end - day).days + 1))
    assert KR.is_business_day(end)
    assert end >= day
    assert between == count or count == 0


@settings(deadline=None)
@given(day=DAYS, first=st.integers(1, 15), second=st.integers(1, 15))
def test_sums_add_up(day, first, second):
    assert JP.add_business_days(JP.add_business_days(day, first), second) == JP.add_business_days(day, first + second)
