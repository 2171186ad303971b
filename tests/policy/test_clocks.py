"""Every clock over every kind of holiday, row by row out of data/clocks.csv, and the clocks of single shops.

Times of the table are those of the country. The dates were counted by hand from the official lists of
holidays: Korean Ministry of Personnel Management, Japanese Cabinet Office.
"""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import ConfigurationError
from hub.policy.calendar import ZONES, OwnDays
from hub.policy.clock_file import read_clocks, standard_clocks
from hub.policy.due import CaseFacts, CaseKind, DueCause, MallClock, Promised, Since, Targets, due_dates
from hub.policy.window import Right, WindowFacts, withdrawal_windows

_TABLE = Path(__file__).parent / "data" / "clocks.csv"
ROWS = list(csv.DictReader(_TABLE.read_text(encoding="utf-8").splitlines()))
WINDOWS = {
    "withdrawal any reason": ("delivered_at", Right.ANY_REASON),
    "withdrawal japan": ("delivered_at", Right.ANY_REASON),
    "defect from receipt": ("delivered_at", Right.NOT_AS_AGREED),
    "defect from knowing": ("known_at", Right.NOT_AS_AGREED),
}
#: clock -> mall, kind of case, the fact that starts it, the label of the deadline
DUES = {
    "supply after payment": ("other", CaseKind.DISPATCH, "paid_at", "due.law.supply"),
    "supply after order": ("other", CaseKind.DISPATCH, "ordered_at", "due.law.supply"),
    "refund after return": ("other", CaseKind.RETURN, "collected_at", "due.law.refund"),
    "refund after cancel": ("other", CaseKind.CANCEL, "opened_at", "due.law.refund"),
    "refund out of stock": ("other", CaseKind.DISPATCH, "paid_at", "due.law.refund_no_supply"),
    "smartstore dispatch": ("smartstore", CaseKind.DISPATCH, "paid_at", "due.mall.dispatch"),
    "smartstore after collection": ("smartstore", CaseKind.EXCHANGE, "collected_at", "due.mall.claim_after_collection"),
    "qoo10 dispatch": ("qoo10", CaseKind.DISPATCH, "paid_at", "due.mall.dispatch"),
    "own target claim": ("other", CaseKind.EXCHANGE, "opened_at", "due.target.claim"),
}
SEOUL = ZONES["KR"]


def local(text: str, country: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONES[country])


def found_end(row: dict[str, str]) -> datetime | None:
    country, starts = row["country"], local(row["starts"], row["country"])
    if row["clock"] in WINDOWS:
        fact, right = WINDOWS[row["clock"]]
        windows = withdrawal_windows(WindowFacts(country=country, **{fact: starts}))
        return next(window.until for window in windows if window.right is right)
    mall, kind, fact, label = DUES[row["clock"]]
    facts = {"opened_at": starts, fact: starts}
    if label == "due.law.refund_no_supply":
        facts["out_of_stock_at"] = starts + timedelta(hours=30)
    case = CaseFacts(kind=kind, mall=mall, country=country, **facts)
    (due,) = [due for due in due_dates(case, clocks=standard_clocks()) if due.label_key == label]
    assert due.counted_from == starts
    return due.at


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['clock']}, {row['why']}, {row['starts']}")
def test_a_clock_ends_when_the_table_says(row: dict[str, str]):
    assert found_end(row) == local(row["ends"], row["country"])


def test_the_table_holds_every_clock_and_every_kind_of_holiday():
    told = " ".join(row["why"] for row in ROWS)

    assert len(ROWS) >= 100
    assert {row["clock"] for row in ROWS} == {*WINDOWS, *DUES}
    assert all(word in told for word in ("Seollal", "Chuseok", "substitute", "temporary", "year end", "golden week"))


# Windows of the customer.


def window(right: Right, **facts):
    return next(each for each in withdrawal_windows(WindowFacts(country="KR", **facts)) if each.right is right)


def test_seven_days_run_from_the_later_of_contract_and_receipt():
    early, late = local("2026-11-02T10:00", "KR"), local("2026-11-09T10:00", "KR")

    found = window(Right.ANY_REASON, contract_at=late, delivered_at=early)

    assert (found.until, found.counted_from) == (local("2026-11-16T23:59:59", "KR"), late)


def test_goods_that_have_not_come_keep_the_window_open():
    found = window(Right.ANY_REASON, contract_at=local("2026-11-02T10:00", "KR"))

    assert (found.until, found.missing) == (None, ("delivered_at",))
    assert found.is_open(local("2027-11-02T10:00", "KR")) is None


@pytest.mark.parametrize(
    ("known", "until", "counted_from"),
    [
        pytest.param("2026-03-20T10:00", "2026-04-20T23:59:59", "known", id="thirty days end first"),
        pytest.param("2026-06-01T10:00", "2026-06-10T23:59:59", "delivered", id="three months end first"),
    ],
)
def test_a_defect_counts_while_neither_period_is_over(known: str, until: str, counted_from: str):
    times = {"delivered": local("2026-03-10T10:00", "KR"), "known": local(known, "KR")}

    found = window(Right.NOT_AS_AGREED, delivered_at=times["delivered"], known_at=times["known"])

    assert (found.until, found.counted_from, found.missing) == (local(until, "KR"), times[counted_from], ())
    assert found.is_open(local(until, "KR"))
    assert found.is_open(local(until, "KR") + timedelta(seconds=1)) is False


def test_a_defect_with_an_unknown_day_is_not_called_open():
    found = window(Right.NOT_AS_AGREED, delivered_at=local("2026-03-10T10:00", "KR"))

    assert found.missing == ("known_at",)
    assert found.is_open(local("2026-04-30T10:00", "KR")) is None
    assert found.is_open(local("2026-06-30T10:00", "KR")) is False


@pytest.mark.parametrize(("is_shown", "expected"), [(True, []), (False, [()]), (None, [("is_return_clause_shown",)])])
def test_a_japanese_return_clause_takes_the_place_of_the_eight_days(is_shown, expected):
    facts = WindowFacts(country="JP", delivered_at=local("2026-11-16T10:00", "JP"), is_return_clause_shown=is_shown)

    assert [each.missing for each in withdrawal_windows(facts)] == expected


# Clocks of shops and dates.


def clock(days: int | None = 3, **more) -> MallClock:
    more = {"mall": "malla", "kinds": (CaseKind.ORDER_INQUIRY,), "since": Since.OPENED, "country": "KR"} | more
    return MallClock(business_days=days, label_key="due.mall.answer", source="Rules", confidence="sure", **more)


def mall_ends(*clocks: MallClock, shop: str = "shop-a", on: date | None = None, opened: str = "2026-11-16T10:00"):
    case = CaseFacts(kind=CaseKind.ORDER_INQUIRY, mall="malla", shop=shop, country="KR", opened_at=local(opened, "KR"))
    found = due_dates(case, clocks=clocks, on=on)
    return [f"{due.at.astimezone(SEOUL):%m-%d %H:%M}" for due in found if due.cause is DueCause.MALL]


def test_a_shop_has_its_own_clock_in_place_of_the_malls():
    clocks = (clock(3), clock(1, shop="shop-b"))

    assert mall_ends(*clocks) == ["11-19 23:59"]
    assert mall_ends(*clocks, shop="shop-b") == ["11-17 23:59"]


def test_a_clock_of_one_shop_replaces_only_what_starts_with_the_same_fact():
    clocks = (clock(3), clock(1, shop="shop-b", since=Since.PAID))
    case = CaseFacts(
        kind=CaseKind.ORDER_INQUIRY,
        mall="malla",
        shop="shop-b",
        country="KR",
        opened_at=local("2026-11-16T10:00", "KR"),
        paid_at=local("2026-11-12T10:00", "KR"),
    )

    ends = [due.at.astimezone(SEOUL).date() for due in due_dates(case, clocks=clocks) if due.cause is DueCause.MALL]

    assert ends == [date(2026, 11, 13), date(2026, 11, 19)]


def test_a_clock_holds_for_what_starts_between_its_days():
    clocks = (clock(3, valid_to=date(2026, 11, 15)), clock(1, valid_from=date(2026, 11, 16)))

    assert mall_ends(*clocks, opened="2026-11-15T23:59") == ["11-18 23:59"]
    assert mall_ends(*clocks, opened="2026-11-16T00:00") == ["11-17 23:59"]
    assert mall_ends(*clocks, opened="2026-11-16T00:00", on=date(2026, 11, 1)) == ["11-19 23:59"]
    assert mall_ends(clock(3, valid_from=date(2026, 12, 1))) == []


def test_a_shop_falls_back_on_the_malls_clock_when_its_own_is_over():
    assert mall_ends(clock(3), clock(1, shop="shop-a", valid_to=date(2026, 10, 31))) == ["11-19 23:59"]


def test_a_clock_may_count_hours():
    assert mall_ends(clock(None, hours=24), opened="2026-11-20T22:30") == ["11-21 22:30"]


def test_promises_are_kept_apart_from_each_other_with_their_cause():
    made = local("2026-11-16T11:00", "KR")
    promises = (
        Promised(at=local("2026-11-16T18:00", "KR"), made_at=made),
        Promised(at=local("2026-11-16T15:00", "KR"), made_at=made, to_whom="partner"),
    )
    case = CaseFacts(kind=CaseKind.CHAT, mall="m", country="KR", opened_at=made, is_answered=True, promises=promises)

    found = [(due.at, due.label_key, due.cause, due.counted_from) for due in due_dates(case)]

    assert found == [
        (promises[1].at, "due.promise.other", "promise", made),
        (promises[0].at, "due.promise.customer", "promise", made),
    ]


# Days of the shop's own.


def own_ends(days: OwnDays, kind: CaseKind = CaseKind.CANCEL) -> dict[str, date]:
    case = CaseFacts(kind=kind, mall="malla", country="KR", opened_at=local("2026-11-20T10:00", "KR"))
    clocks = (clock(1, kinds=(kind,)),)
    return {due.cause.value: due.at.astimezone(SEOUL).date() for due in due_dates(case, clocks=clocks, days=days)}


def test_a_company_holiday_moves_the_shops_own_aim_alone():
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)

    assert own_ends(OwnDays(closed=frozenset({monday}))) == {
        "law": date(2026, 11, 25), "mall": monday, "target": tuesday,
    }  # fmt: skip


def test_a_shop_that_works_on_saturdays_aims_for_it():
    saturday = date(2026, 11, 21)

    assert own_ends(OwnDays(opened=frozenset({saturday})))["target"] == saturday
    assert own_ends(OwnDays(opened=frozenset({saturday}), closed=frozenset({saturday})))["target"] == date(2026, 11, 23)


def test_a_newly_announced_holiday_moves_every_clock():
    monday = frozenset({date(2026, 11, 23)})

    assert own_ends(OwnDays(holidays=monday)) == {
        "law": date(2026, 11, 26), "mall": date(2026, 11, 24), "target": date(2026, 11, 24),
    }  # fmt: skip
    assert own_ends(OwnDays(holidays=monday, opened=monday))["target"] == date(2026, 11, 23)


def test_a_korean_announcement_moves_no_japanese_clock():
    case = CaseFacts(kind=CaseKind.CANCEL, mall="malla", country="KR", opened_at=local("2026-11-19T10:00", "KR"))
    clocks = (clock(1, kinds=(CaseKind.CANCEL,), country="JP"),)

    found = due_dates(case, clocks=clocks, days=OwnDays(holidays=frozenset({date(2026, 11, 20)})))

    assert [due.at for due in found if due.cause is DueCause.MALL] == [local("2026-11-20T23:59:59", "KR")]


@pytest.mark.parametrize(
    ("kind", "targets", "expected"),
    [
        (CaseKind.CANCEL, Targets(), date(2026, 11, 23)),
        (CaseKind.CANCEL, Targets(cancel_business_days=0), date(2026, 11, 20)),
        (CaseKind.RETURN, Targets(cancel_business_days=0, return_business_days=2), date(2026, 11, 24)),
        (CaseKind.EXCHANGE, Targets(claim_business_days=3), date(2026, 11, 25)),
        (CaseKind.EXCHANGE, Targets(claim_business_days=None, exchange_business_days=2), date(2026, 11, 24)),
        (CaseKind.NON_RECEIPT, Targets(claim_business_days=None, exchange_business_days=2), None),
    ],
)
def test_each_kind_of_claim_may_have_its_aim(kind, targets, expected):
    case = CaseFacts(kind=kind, mall="m", country="JP", opened_at=local("2026-11-20T10:00", "JP"))
    days = OwnDays(opened=frozenset({date(2026, 11, 23)}))

    found = [due.at.astimezone(SEOUL).date() for due in due_dates(case, targets=targets, days=days)]

    assert found == ([] if expected is None else [expected])


# The file.

FILE = """
[[clock]]
mall = "malla"
kinds = ["order_inquiry", "chat"]
since = "opened_at"
business_days = 1
country = "KR"
label_key = "due.mall.answer"
source = "Rules of the mall"
confidence = "sure"
"""


def test_a_file_may_narrow_a_clock_to_a_shop_and_days():
    text = FILE.replace(
        "business_days = 1", 'hours = 24\nshop = "shop-b"\nvalid_from = 2026-11-01\nvalid_to = 2026-12-31'
    )

    (found,) = read_clocks(text.encode(), file="clocks.toml")

    assert (found.shop, found.hours, found.business_days) == ("shop-b", 24, None)
    assert (found.valid_from, found.valid_to) == (date(2026, 11, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(FILE.replace("business_days = 1\n", ""), "business_days", id="no length"),
        pytest.param(FILE + "hours = 3\n", "business_days", id="two lengths"),
        pytest.param(FILE.replace("business_days = 1", "hours = 0"), "hours", id="no hours"),
        pytest.param(FILE + "valid_from = 2026-02-01\nvalid_to = 2026-01-31\n", "valid_to", id="dates reversed"),
        pytest.param(FILE.replace("due.mall.answer", "due.law.supply"), "label_key", id="label of the law"),
        pytest.param(FILE + FILE.replace('"chat"', '"call"'), "clock 2, valid_from", id="overlap"),
        pytest.param(
            FILE + "valid_to = 2026-11-15\n" + FILE + "valid_from = 2026-11-15\n",
            "clock 2, valid_from",
            id="one day twice",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_place(text: str, named: str):
    with pytest.raises(ConfigurationError) as caught:
        read_clocks(text.encode(), file="clocks.toml")

    assert named in caught.value.what
    assert caught.value.fix


def test_clocks_that_follow_each_other_are_no_overlap():
    text = FILE + "valid_to = 2026-11-15\n" + FILE + "valid_from = 2026-11-16\n" + FILE + 'shop = "shop-b"\n'

    assert len(read_clocks(text.encode(), file="clocks.toml")) == 3


# Always true.

TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(SEOUL))
DAYS = st.frozensets(st.dates(date(2024, 1, 1), date(2028, 12, 31)), max_size=3)


@settings(deadline=None)
@given(
    times=st.tuples(TIMES, TIMES),
    row=st.sampled_from(sorted({(row["clock"], row["country"]) for row in ROWS})),
)
def test_what_starts_later_does_not_end_earlier(times, row):
    clock_name, country = row
    first, second = (
        found_end({"clock": clock_name, "country": country, "starts": at.replace(tzinfo=None).isoformat()})
        for at in sorted(times)
    )

    assert first is not None
    assert second is not None
    assert first <= second
    assert first >= min(times)


@settings(deadline=None)
@given(delivered=TIMES, known=TIMES, country=st.sampled_from(["KR", "JP"]), holidays=DAYS)
def test_no_window_ends_before_it_began_or_on_a_day_of_rest(delivered, known, country, holidays):
    days = OwnDays(holidays=holidays)
    facts = WindowFacts(country=country, delivered_at=delivered, known_at=known, is_return_clause_shown=False)

    for each in withdrawal_windows(facts, days=days):
        assert each.until is not None
        assert each.counted_from is not None
        assert each.until > each.counted_from
        calendar = days.of_public(country)
        assert calendar.is_business_day(calendar.day_of(each.until))
