from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.contacts import Absence, Contact, Directory, Hours, Period, Role, next_open_at, open_now

OFFICE = (Period(540, 720), Period(780, 1080))
WEEK = (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, (), ())


def seoul(text):
    return datetime.fromisoformat(f"{text}+09:00")


def contact(role=Role.LOGISTICS, **fields):
    return Contact(**({"key": "a", "name": "오세진", "role": role} | fields))


KOREAN = contact(hours=Hours(week=WEEK, country="KR"))


@pytest.mark.parametrize(
    ("at", "is_open", "opens"),
    [
        pytest.param("2026-11-20T09:00", True, None, id="opens on the minute"),
        pytest.param("2026-11-20T08:59:59", False, "2026-11-20T09:00", id="a second before"),
        pytest.param("2026-11-20T12:00", False, "2026-11-20T13:00", id="lunch"),
        pytest.param("2026-11-20T18:00", False, "2026-11-23T09:00", id="Friday evening"),
        pytest.param("2026-02-13T18:30", False, "2026-02-19T09:00", id="over the lunar new year"),
        pytest.param("2025-10-02T19:00", False, "2025-10-10T09:00", id="over chuseok 2025 with its substitute"),
        pytest.param("2026-03-02T10:00", False, "2026-03-03T09:00", id="substitute holiday"),
        pytest.param("2026-12-31T18:30", False, "2027-01-04T09:00", id="year end"),
    ],
)
def test_a_contact_is_open_in_its_hours_and_closed_on_holidays(at, is_open, opens):
    assert open_now(KOREAN, seoul(at)) is is_open
    assert next_open_at(KOREAN, seoul(at)) == (opens and seoul(opens))


def test_a_japanese_contact_keeps_japanese_holidays():
    japanese = contact(hours=Hours(week=WEEK, country="JP"), timezone="Asia/Tokyo")

    assert open_now(japanese, seoul("2026-02-17T10:00"))
    assert next_open_at(japanese, seoul("2026-11-20T18:00")) == seoul("2026-11-24T09:00")


def test_own_days_of_rest_close_too_and_without_a_country_holidays_do_not():
    always = contact(hours=Hours(week=WEEK, closed=frozenset({date(2026, 2, 16)})))

    assert next_open_at(always, seoul("2026-02-16T10:00")) == seoul("2026-02-17T09:00")


def test_hours_follow_the_clock_of_the_place():
    berlin = contact(hours=Hours(week=WEEK), timezone="Europe/Berlin")

    # The clocks change on Sunday 2026-03-29.
    assert next_open_at(berlin, datetime(2026, 3, 27, 18, tzinfo=UTC)) == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_unknown_hours_are_not_open_and_promise_no_opening():
    assert open_now(contact(), seoul("2026-11-20T10:00")) is False
    assert next_open_at(contact(), seoul("2026-11-20T10:00")) is None


def test_a_contact_that_never_opens_has_no_next_opening():
    assert next_open_at(contact(hours=Hours(week=((),) * 7)), seoul("2026-11-20T10:00")) is None


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        open_now(KOREAN, datetime(2026, 11, 20))


def find(contacts, role, *codes, shop="main", mall="malla"):
    found = Directory(contacts).find(role, codes=codes, shop=shop, mall=mall)
    return found and found.key


def test_a_partner_is_found_by_its_code_or_organisation_only():
    contacts = (
        contact(Role.PARTNER, key="hanbit", organisation="한빛 유통", codes=("S000000A",)),
        contact(Role.PARTNER, key="daon", organisation="다온상사"),
    )

    assert find(contacts, Role.PARTNER, "s000000a ") == "hanbit"
    assert find(contacts, Role.PARTNER, "한빛  유통") == "hanbit"
    assert find(contacts, Role.PARTNER, "다온상사") == "daon"
    assert find(contacts, Role.PARTNER, "S000000Z") is None
    assert find(contacts, Role.PARTNER) is None


def test_the_own_warehouse_serves_what_no_other_firm_serves():
    contacts = (contact(key="own"), contact(key="firm", codes=("EX01",)))

    assert find(contacts, Role.LOGISTICS, "EX01") == "firm"
    assert find(contacts, Role.LOGISTICS, "EX99") == "own"
    assert find(contacts, Role.LOGISTICS) == "own"


def test_the_md_of_the_shop_comes_before_the_md_of_the_mall_before_any():
    contacts = (
        contact(Role.MD, key="any"),
        contact(Role.MD, key="mall", malls=("malla",)),
        contact(Role.MD, key="shop", shops=("main",)),
    )

    assert find(contacts, Role.MD) == "shop"
    assert find(contacts, Role.MD, shop="second") == "mall"
    assert find(contacts, Role.MD, shop="second", mall="mallb") == "any"


def test_a_deputy_has_the_same_role():
    boss = contact(Role.MD, key="boss", deputy="partner")
    contacts = (boss, contact(Role.PARTNER, key="partner", codes=("S",)))

    assert list(Directory(contacts).deputies_of(boss, at=seoul("2026-11-20T10:00"))) == []


def test_an_absence_closes_and_the_next_opening_lies_behind_it():
    away = (Absence(since=date(2026, 11, 20), until=date(2027, 5, 31)),)
    someone = contact(hours=Hours(week=WEEK, country="KR"), absences=away)

    assert not open_now(someone, seoul("2026-11-20T10:00"))
    assert open_now(someone, seoul("2026-11-19T10:00"))
    assert next_open_at(someone, seoul("2026-11-20T10:00")) == seoul("2027-06-01T09:00")


def test_an_absence_without_an_end_promises_no_opening():
    gone = contact(hours=Hours(week=WEEK), absences=(Absence(since=date(2026, 1, 1), until=date.max),))

    assert next_open_at(gone, seoul("2026-11-20T10:00")) is None


def test_an_absence_counts_the_days_of_the_contacts_own_place():
    away = (Absence(since=date(2026, 11, 20), until=date(2026, 11, 20)),)
    someone = contact(hours=Hours(week=WEEK), timezone="America/New_York", absences=away)

    assert someone.absence_at(seoul("2026-11-20T10:00")) is None
    assert someone.absence_at(seoul("2026-11-21T10:00")) == away[0]


def stand_ins(contacts, at="2026-11-20T10:00"):
    return [each.key for each in Directory(contacts).deputies_of(contacts[0], at=seoul(at))]


def test_the_stand_in_of_an_absence_comes_before_the_usual_deputy_and_his_own_deputies():
    contacts = (
        contact(
            key="a", deputy="b", absences=(Absence(since=date(2026, 11, 20), until=date(2026, 11, 20), deputy="c"),)
        ),
        contact(key="b", deputy="d"),
        contact(key="c"),
        contact(key="d", deputy="a"),
    )

    assert stand_ins(contacts) == ["c", "b", "d"]
    assert stand_ins(contacts, at="2026-11-23T10:00") == ["b", "d"]


def test_deputies_end_even_where_a_book_has_a_loop():
    assert stand_ins((contact(key="a", deputy="b"), contact(key="b", deputy="a"))) == ["b"]
    assert stand_ins((contact(key="a", deputy="a"),)) == []


def test_a_contact_in_a_log_line_tells_no_name_and_no_address():
    secret = contact(name="오세진", phone="02-1", webhook_url="https://chat.example/secret")

    assert repr(secret) == "Contact(role='logistics', organisation=None)"
    assert secret.ways == ("phone", "webhook")


PERIODS = st.tuples(st.integers(0, 1439), st.integers(1, 600)).map(lambda p: (Period(p[0], min(1440, sum(p))),))


@settings(deadline=None)
@given(
    week=st.tuples(*[PERIODS | st.just(())] * 7),
    country=st.sampled_from([None, "KR", "JP"]),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
def test_the_next_opening_is_later_open_and_not_one_minute_late(week, country, at):
    someone = contact(hours=Hours(week=week, country=country))

    opening = next_open_at(someone, at)

    if open_now(someone, at):
        assert opening is None
    elif opening is None:
        assert week.count(()) > 0
    else:
        assert opening > at
        assert open_now(someone, opening)
        # Not open a moment before, save where two periods touch at midnight and the first was already passed.
        assert not open_now(someone, opening - timedelta(minutes=1)) or opening - timedelta(minutes=1) < at
