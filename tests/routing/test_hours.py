import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.hours import DAYS, HoursError, Period, read_week, tell_week

MORNING, AFTERNOON, SATURDAY = Period(540, 720), Period(780, 1080), Period(600, 840)
OFFICE = (MORNING, AFTERNOON)


@pytest.mark.parametrize(
    "text",
    [
        "mon-fri 09:00-12:00 13:00-18:00; sat 10:00-14:00",
        "MON-FRI 13:00-18:00  09:00 - 12:00\nsat 10:00-14:00",
        "월~금 09:00~12:00 13:00~18:00; 토 10:00~14:00",
        "평일 09:00-12:00; weekdays 13:00-18:00; 토요일 10:00-14:00",
        "월，화,수 , 목,금　09:00－12:00 13:00-18:00; sat 10:00-14:00",
    ],
)
def test_hours_are_read_however_they_are_written(text):
    assert read_week(text) == (OFFICE,) * 5 + ((SATURDAY,), ())


def test_a_night_goes_on_into_the_next_day():
    assert read_week("sun 22:00-02:00") == ((Period(0, 120),), (), (), (), (), (), (Period(1320, 1440),))


def test_a_range_may_go_over_the_end_of_the_week():
    assert [bool(day) for day in read_week("sat-mon 00:00-24:00")] == [True, False, False, False, False, True, True]


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("mon", "period", "mon"),
        ("mon 9-18", "period", "9-18"),
        ("mon 09:00-09:00", "period", "09:00-09:00"),
        ("mon 09:00-25:00", "period", "09:00-25:00"),
        ("moon 09:00-18:00", "day", "moon"),
        ("mon- 09:00-18:00", "period", "mon- 09:00-18:00"),
        ("mon 09:00-12:00; daily 11:00-13:00", "overlap", "mon"),
        ("x" * 501, "length", "501 > 500"),
    ],
)
def test_what_cannot_be_read_is_named(text, kind, part):
    with pytest.raises(HoursError) as caught:
        read_week(text)

    assert (caught.value.kind, caught.value.part) == (kind, part)


PERIODS = st.tuples(st.integers(0, 1439), st.integers(1, 600)).map(lambda p: (Period(p[0], min(1440, sum(p))),))


@given(week=st.tuples(*[PERIODS | st.just(())] * len(DAYS)))
def test_a_week_is_the_same_after_being_written_down(week):
    assert read_week(tell_week(week)) == week


@given(text=st.text(max_size=60))
def test_no_text_breaks_the_reading(text):
    assert kind_of(text) in {"right", "period", "day", "overlap", "length"}


def kind_of(text):
    try:
        return "right" if len(read_week(text)) == len(DAYS) else "a day is missing"
    except HoursError as error:
        return error.kind
