from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import ConfigurationError
from hub.core.model import ClaimKind, InquiryKind
from hub.policy.clock_file import read_clocks, standard_clocks
from hub.policy.due import CaseFacts, CaseKind, DueCause, Promised, Targets, due_dates, earliest

NO_TARGETS = Targets(
    product_inquiry_minutes=None,
    order_inquiry_minutes=None,
    chat_minutes=None,
    call_minutes=None,
    claim_business_days=None,
)
CLOCK = b"""
[[clock]]
mall = "malla"
kinds = ["dispatch"]
since = "paid_at"
business_days = 3
country = "JP"
label_key = "due.mall.dispatch"
source = "Rules of the mall"
confidence = "sure"
"""


def seoul(text):
    return datetime.fromisoformat(f"{text}+09:00")


def dues_of(kind, **facts):
    clocks = facts.pop("clocks", ())
    targets = facts.pop("targets", NO_TARGETS)
    known = {"mall": "malla", "country": "KR", "opened_at": seoul("2026-11-20T10:00")} | facts
    found = due_dates(CaseFacts(kind=kind, **known), clocks=clocks, targets=targets)
    return [(due.at, due.cause.value, due.label_key) for due in found]


def test_a_cancelled_unsent_order_is_refunded_within_three_business_days():
    assert dues_of(CaseKind.CANCEL) == [(seoul("2026-11-25T23:59:59"), "law", "due.law.refund")]


def test_a_cancel_that_meets_a_sent_parcel_waits_for_the_goods():
    sent = seoul("2026-11-20T09:00")

    assert dues_of(CaseKind.CANCEL, dispatched_at=sent) == []
    assert dues_of(CaseKind.CANCEL, dispatched_at=sent, collected_at=seoul("2026-11-24T12:00")) == [
        (seoul("2026-11-27T23:59:59"), "law", "due.law.refund")
    ]


def test_a_return_is_refunded_after_the_goods_came_back_not_after_the_request():
    assert dues_of(CaseKind.RETURN) == []
    assert dues_of(CaseKind.RETURN, collected_at=seoul("2026-02-13T18:00")) == [
        (seoul("2026-02-23T23:59:59"), "law", "due.law.refund")
    ]


def test_a_prepaid_order_is_supplied_within_three_business_days():
    assert dues_of(CaseKind.DISPATCH, paid_at=seoul("2026-09-22T23:30")) == [
        (seoul("2026-09-29T23:59:59"), "law", "due.law.supply")
    ]


def test_an_order_paid_later_is_supplied_within_seven_days():
    assert dues_of(CaseKind.DISPATCH, ordered_at=seoul("2026-02-09T10:00")) == [
        (seoul("2026-02-19T23:59:59"), "law", "due.law.supply")
    ]


def test_reserved_goods_are_due_on_the_malls_day_and_not_some_days_after_the_payment():
    paid = {"paid_at": seoul("2026-11-20T10:00"), "ordered_at": seoul("2026-11-20T10:00")}
    # A Saturday, and counted all the same.
    reserved = {**paid, "is_reserved": True, "sendable_from": seoul("2026-12-05T00:00")}
    ends = (seoul("2026-12-05T23:59:59"), "mall", "due.mall.reserved")

    for country in ("KR", "JP"):
        clocks = read_clocks(CLOCK.replace(b"JP", country.encode()), file="clocks")
        assert dues_of(CaseKind.DISPATCH, country=country, clocks=clocks, **reserved) == [ends]
        assert (
            dues_of(CaseKind.DISPATCH, country=country, clocks=clocks, dispatched_at=paid["paid_at"], **reserved) == []
        )


def test_reserved_goods_without_a_day_are_due_when_the_seller_said_or_at_no_known_time():
    reserved = {"paid_at": seoul("2026-11-20T10:00"), "is_reserved": True}

    assert dues_of(CaseKind.DISPATCH, **reserved) == []
    assert dues_of(CaseKind.DISPATCH, planned_ship_at=seoul("2026-12-01T00:00"), **reserved) == [
        (seoul("2026-12-01T23:59:59"), "promise", "due.promise.planned_ship")
    ]


def test_a_day_from_which_on_usual_goods_can_be_sent_moves_nothing():
    paid = seoul("2026-11-20T10:00")
    told = dues_of(CaseKind.DISPATCH, paid_at=paid, sendable_from=seoul("2026-12-05T00:00"))

    assert told == dues_of(CaseKind.DISPATCH, paid_at=paid) == [(seoul("2026-11-25T23:59:59"), "law", "due.law.supply")]


def test_a_sent_line_has_no_supply_clock():
    sent = {"paid_at": seoul("2026-11-20T10:00"), "dispatched_at": seoul("2026-11-20T15:00")}

    assert dues_of(CaseKind.DISPATCH, clocks=read_clocks(CLOCK, file="c"), **sent) == []


def test_goods_that_cannot_be_supplied_are_refunded():
    known = seoul("2026-11-19T10:00")

    assert dues_of(CaseKind.ORDER_INQUIRY, out_of_stock_at=known) == [
        (known, "law", "due.law.tell_no_supply"),
        (seoul("2026-11-24T23:59:59"), "law", "due.law.refund_no_supply"),
    ]


def test_money_that_was_paid_before_is_refunded_from_its_payment_on():
    sent = {"out_of_stock_at": seoul("2026-11-19T10:00"), "dispatched_at": seoul("2026-11-19T12:00")}
    paid = dues_of(CaseKind.RETURN, paid_at=seoul("2026-11-18T09:00"), is_shortage_told=True, **sent)

    assert paid == [(seoul("2026-11-23T23:59:59"), "law", "due.law.refund_no_supply")]


def test_korean_law_gives_no_clock_in_japan():
    assert dues_of(CaseKind.CANCEL, country="JP") == []


def test_a_mall_clock_counts_in_its_own_calendar():
    # 23 November is a holiday in Japan and a working Monday in Korea.
    clocks = read_clocks(CLOCK, file="clocks.toml")

    assert dues_of(CaseKind.DISPATCH, paid_at=seoul("2026-11-20T10:00"), clocks=clocks) == [
        (seoul("2026-11-25T23:59:59"), "law", "due.law.supply"),
        (seoul("2026-11-26T23:59:59"), "mall", "due.mall.dispatch"),
    ]
    assert (
        dues_of(CaseKind.DISPATCH, mall="mallb", country="JP", paid_at=seoul("2026-11-20T10:00"), clocks=clocks) == []
    )


def test_the_planned_ship_date_holds_until_its_end():
    assert dues_of(CaseKind.DISPATCH, planned_ship_at=seoul("2026-11-22T00:00")) == [
        (seoul("2026-11-22T23:59:59"), "promise", "due.promise.planned_ship")
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (CaseKind.PRODUCT_INQUIRY, "2026-11-20T14:00"),
        (CaseKind.ORDER_INQUIRY, "2026-11-20T14:00"),
        (CaseKind.CHAT, "2026-11-20T10:30"),
        (CaseKind.CALL, "2026-11-20T14:00"),
        (CaseKind.EXCHANGE, "2026-11-23T23:59:59"),
    ],
)
def test_own_targets_count_opening_time(kind, expected):
    found = [due for due in dues_of(kind, targets=Targets()) if due[1] == "target"]

    label = "due.target.claim" if kind is CaseKind.EXCHANGE else "due.target.answer"
    assert found == [(seoul(expected), "target", label)]


def test_an_answered_case_has_no_target_left():
    assert dues_of(CaseKind.CHAT, targets=Targets(), is_answered=True) == []


def test_the_earliest_deadline_names_its_cause():
    facts = CaseFacts(
        kind=CaseKind.CANCEL,
        mall="malla",
        country="KR",
        opened_at=seoul("2026-11-20T10:00"),
        promises=(Promised(at=seoul("2026-11-20T18:00"), made_at=seoul("2026-11-20T11:00")),),
    )

    found = earliest(due_dates(facts))

    assert found is not None
    assert (found.at, found.cause, found.source) == (
        seoul("2026-11-20T18:00"),
        DueCause.PROMISE,
        "Told to the customer",
    )
    assert earliest(()) is None


def test_the_law_is_named_first_where_two_end_together():
    clocks = read_clocks(CLOCK.replace(b'"JP"', b'"KR"'), file="c")

    found = dues_of(CaseKind.DISPATCH, paid_at=seoul("2026-11-20T10:00"), clocks=clocks)

    assert [cause for _, cause, _ in found] == ["law", "mall"]


def test_every_kind_of_the_model_is_a_kind_of_case():
    assert {*ClaimKind, *InquiryKind} <= {kind.value for kind in CaseKind}


def test_the_shipped_clocks_read_and_name_their_source():
    clocks = standard_clocks()

    assert {(clock.country, clock.business_days) for clock in clocks} == {("KR", 3), ("JP", 3)}
    assert all(clock.source and clock.confidence in {"sure", "likely"} for clock in clocks)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        pytest.param(b'"sure"', b'"sure"\ncolour = 1', "colour", id="unknown key"),
        pytest.param(b'mall = "malla"\n', b"", "mall", id="missing key"),
        pytest.param(b'"JP"', b'"XX"', "country", id="country without a calendar"),
        pytest.param(b"= 3", b"= -1", "business_days", id="negative days"),
        pytest.param(b"= 3", b"= ", "line 6", id="broken TOML"),
        pytest.param(b'"dispatch"', b'"despatch"', "despatch", id="unknown kind"),
        pytest.param(b"Rules", b"\xff\xfe", "utf-8", id="not UTF-8"),
    ],
)
def test_a_wrong_clock_file_is_refused_with_its_place(old, new, named):
    with pytest.raises(ConfigurationError) as caught:
        read_clocks(CLOCK.replace(old, new), file="clocks.toml")

    assert "clocks.toml" in caught.value.what
    assert named in caught.value.what
    assert caught.value.fix


TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
MAYBE = st.none() | TIMES


@settings(deadline=None)
@given(
    facts=st.builds(
        CaseFacts,
        kind=st.sampled_from(CaseKind),
        mall=st.sampled_from(["smartstore", "qoo10", "other"]),
        country=st.sampled_from(["KR", "JP"]),
        opened_at=TIMES,
        paid_at=MAYBE,
        ordered_at=MAYBE,
        planned_ship_at=MAYBE,
        dispatched_at=MAYBE,
        collected_at=MAYBE,
        out_of_stock_at=MAYBE,
        is_shortage_told=st.booleans(),
        promises=st.lists(st.builds(Promised, at=TIMES, made_at=TIMES), max_size=2).map(tuple),
        is_answered=st.booleans(),
    )
)
def test_no_deadline_lies_before_its_cause(facts):
    dues = due_dates(facts, clocks=standard_clocks())

    assert all(due.at >= due.counted_from for due in dues)
    assert all(due.at.utcoffset() == timedelta(0) for due in dues)
    assert list(dues) == sorted(dues, key=lambda due: due.at)
    assert all(due.source and due.label_key.startswith(f"due.{due.cause}.") for due in dues)
