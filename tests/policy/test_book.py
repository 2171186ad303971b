"""The policy book: read, written, and every mistake named at entry."""

from datetime import date
from typing import Any

import pytest

from hub.core.errors import ConfigurationError
from hub.core.model import InventoryMode
from hub.policy.book import EMPTY, PolicyTables, decode, decode_toml, encode, find_problems
from hub.policy.book_rows import (
    BrandRow,
    ClockRow,
    CompensationRow,
    DayKind,
    DayRow,
    FeeItem,
    FeeRow,
    Gift,
    GroundRow,
    LimitRow,
    RetentionRow,
    ReturnWithdrawal,
    SwitchRow,
    TargetRow,
)
from hub.policy.card import Request
from hub.policy.due import CaseKind, Since
from hub.policy.grounds import Ground
from hub.policy.stage import Stage

_WHOLE = PolicyTables(
    switches=(
        SwitchRow(return_withdrawal=ReturnWithdrawal.NO),
        SwitchRow(mall="cafe24", valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30), exchange_offered=False),
        SwitchRow(mall="cafe24", valid_from=date(2026, 7, 1), exchange_offered=True),
        SwitchRow(shop="a", brand="north", note="why"),
    ),
    fees=(FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=3_000, disclosed=True, disclosed_where="https://p"),),
    compensation=(CompensationRow(mode=InventoryMode.CONSIGNMENT, limit_minor=5_000, partner_percent=60),),
    limits=(LimitRow(gift=Gift.POINTS, amount_minor=3_000),),
    retention=(RetentionRow(request=Request.CANCEL, gift=Gift.COUPON, amount_minor=1_000, text_ko="쿠폰"),),
    grounds=(GroundRow(ground=Ground.USED, is_used=False),),
    targets=(TargetRow(chat_minutes=10, opens=540, closes=1080),),
    clocks=(ClockRow(mall="cafe24", kinds=(CaseKind.ORDER_INQUIRY,), since=Since.OPENED, business_days=1),),
    days=(
        DayRow(kind=DayKind.HOLIDAY, on=date(2027, 5, 4), country="KR"),
        DayRow(kind=DayKind.CLOSED, on=date(2027, 5, 6)),
    ),
    brands=(BrandRow(brand="north", sku_prefix="N-"),),
)


def _problems(**sections: Any) -> list[tuple[str, int | None, str | None, str]]:
    found = find_problems(PolicyTables(**sections), malls=("cafe24", "qoo10"), shops=("a", "b"))
    return [(problem.section, problem.row, problem.column, problem.key) for problem in found]


def test_a_book_comes_back_as_it_was_written() -> None:
    assert decode(encode(_WHOLE).encode()) == _WHOLE
    assert encode(decode(encode(_WHOLE).encode())) == encode(_WHOLE)
    assert encode(EMPTY) == "{}"
    assert find_problems(_WHOLE, malls=("cafe24",), shops=("a",)) == ()


def test_a_book_can_be_written_in_toml() -> None:
    tables = decode_toml(
        b'[[switches]]\nshop = "a"\nvalid_from = 2026-01-01\nreturn_days = 14\n\n[[fees]]\nitem = "forwarder_return"\n'
        b'stage = "2"\namount_minor = 3000\n'
    )

    assert tables.switches == (SwitchRow(shop="a", valid_from=date(2026, 1, 1), return_days=14),)
    assert tables.fees[0].stage is Stage.SENT_ABROAD


@pytest.mark.parametrize(
    "body",
    [b"[1]", b"{", b'{"other": []}', b'{"switches": [{"colour": "red"}]}', b'{"fees": [{"item": "bribe"}]}', b"\xff"],
)
def test_what_is_no_book_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(ConfigurationError) as refused:
        decode(body)
    assert refused.value.what.startswith("policy book: ")
    assert refused.value.fix


def test_without_names_no_name_is_unknown() -> None:
    assert find_problems(PolicyTables(switches=(SwitchRow(mall="anything", shop="any"),))) == ()


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"switches": (SwitchRow(mall="nowhere"),)}, ("switches", 0, "mall", "unknown_mall")),
        ({"switches": (SwitchRow(shop="nobody"),)}, ("switches", 0, "shop", "unknown_shop")),
        ({"switches": (SwitchRow(brand="none"),)}, ("switches", 0, "brand", "unknown_brand")),
        (
            {"switches": (SwitchRow(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 31)),)},
            ("switches", 0, "valid_to", "dates_reversed"),
        ),
        ({"switches": (SwitchRow(), SwitchRow())}, ("switches", 1, "valid_from", "overlap")),
        (
            {"switches": (SwitchRow(valid_to=date(2026, 6, 30)), SwitchRow(valid_from=date(2026, 6, 30)))},
            ("switches", 1, "valid_from", "overlap"),
        ),
        ({"switches": (SwitchRow(late_interest_percent=101),)}, ("switches", 0, "late_interest_percent", "percent")),
        ({"switches": (SwitchRow(return_days=-1),)}, ("switches", 0, "return_days", "negative")),
        ({"switches": (SwitchRow(return_days=999),)}, ("switches", 0, "return_days", "too_large")),
        (
            {"switches": (SwitchRow(delivery_days_from=14, delivery_days_to=7),)},
            ("switches", 0, "delivery_days_to", "days_reversed"),
        ),
        ({"switches": (SwitchRow(note="x" * 501),)}, ("switches", 0, "note", "too_long")),
        ({"switches": (SwitchRow(note="a\x00b"),)}, ("switches", 0, "note", "control_character")),
        (
            {"fees": (FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=-1),)},
            ("fees", 0, "amount_minor", "negative"),
        ),
        (
            {"fees": (FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=1, disclosed=True, disclosed_where=" "),)},
            ("fees", 0, "disclosed_where", "disclosed_without_proof"),
        ),
        (
            {"fees": (FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=1, stage=Stage.UNKNOWN),)},
            ("fees", 0, "stage", "no_such_stage"),
        ),
        (
            {"fees": (FeeRow(item=FeeItem.LUMP_SUM, amount_minor=10_000),)},
            ("fees", 0, "stage", "lump_sum_without_stage"),
        ),
        (
            {"fees": (FeeRow(item=FeeItem.RETURN_SHIPPING, amount_minor=1, currency="won"),)},
            ("fees", 0, "currency", "currency"),
        ),
        ({"compensation": (CompensationRow(partner_percent=150),)}, ("compensation", 0, "partner_percent", "percent")),
        ({"limits": (LimitRow(gift=Gift.POINTS, amount_minor=-5),)}, ("limits", 0, "amount_minor", "negative")),
        (
            {"retention": (RetentionRow(request=Request.DELIVERY_STATUS, gift=Gift.GIFT, text_ko="선물"),)},
            ("retention", 0, "request", "no_retention"),
        ),
        (
            {"retention": (RetentionRow(request=Request.CANCEL, gift=Gift.COUPON, text_ko="쿠폰"),)},
            ("retention", 0, "amount_minor", "no_amount"),
        ),
        (
            {"retention": (RetentionRow(request=Request.CANCEL, gift=Gift.GIFT),)},
            ("retention", 0, "text_ko", "no_text"),
        ),
        ({"targets": (TargetRow(opens=600, closes=540),)}, ("targets", 0, "closes", "hours_reversed")),
        (
            {"clocks": (ClockRow(kinds=(CaseKind.CHAT,), since=Since.OPENED, business_days=1),)},
            ("clocks", 0, "mall", "clock_without_mall"),
        ),
        (
            {"clocks": (ClockRow(mall="cafe24", kinds=(), since=Since.OPENED, business_days=1),)},
            ("clocks", 0, "kinds", "clock_without_kind"),
        ),
        (
            {"clocks": (ClockRow(mall="cafe24", kinds=(CaseKind.CHAT,), since=Since.OPENED),)},
            ("clocks", 0, "business_days", "clock_without_length"),
        ),
        (
            {"clocks": (ClockRow(mall="cafe24", kinds=(CaseKind.CHAT,), since=Since.OPENED, hours=1, country="XX"),)},
            ("clocks", 0, "country", "no_calendar"),
        ),
        ({"brands": (BrandRow(brand="all"),)}, ("brands", 0, None, "brand_of_everything")),
        ({"switches": (SwitchRow(),) * 5_001}, ("switches", None, None, "too_many_rows")),
    ],
    ids=lambda value: value[3] if isinstance(value, tuple) else None,
)
def test_a_mistake_is_named_with_its_place(sections: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert _problems(**sections) == [expected]


def test_one_scope_may_have_rows_one_after_the_other() -> None:
    first = SwitchRow(shop="a", valid_to=date(2026, 6, 30))
    second = SwitchRow(shop="a", valid_from=date(2026, 7, 1), valid_to=date(2026, 7, 31))
    other = SwitchRow(shop="b")

    assert _problems(switches=(second, other, first)) == []


def test_an_overlap_is_found_behind_a_longer_row() -> None:
    long = SwitchRow(valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    short = SwitchRow(valid_from=date(2026, 2, 1), valid_to=date(2026, 2, 28))
    late = SwitchRow(valid_from=date(2026, 6, 1), valid_to=date(2026, 6, 30))

    found = find_problems(PolicyTables(switches=(long, short, late)))

    assert [(problem.row, problem.key) for problem in found] == [(1, "overlap"), (2, "overlap")]
    assert "1행" in found[1].reason_ko
    assert "row 1" in found[1].reason


def test_every_mistake_is_told_in_both_languages() -> None:
    tables = PolicyTables(switches=(SwitchRow(mall="nowhere", return_days=-1),))

    for problem in find_problems(tables, malls=("cafe24",)):
        assert problem.told("ko") != problem.told("en")
        assert all(problem.told("ko"))
        assert all(problem.told("en"))


@pytest.mark.parametrize(
    ("row", "column", "key"),
    [
        ({"kind": DayKind.HOLIDAY}, "country", "holiday_without_country"),
        ({"kind": DayKind.HOLIDAY, "country": "KR", "shop": "a"}, "shop", "holiday_of_part"),
        ({"kind": DayKind.HOLIDAY, "country": "KR", "mall": "qoo10"}, "mall", "holiday_of_part"),
        ({"kind": DayKind.OPENED, "country": "FR"}, "country", "no_calendar"),
    ],
)
def test_a_day_that_says_nothing_certain_is_refused(row: dict[str, Any], column: str, key: str) -> None:
    found = _problems(days=(DayRow(on=date(2027, 5, 4), **row),))

    assert found == [("days", 0, column, key)]


def test_a_day_is_not_closed_and_opened_at_once_nor_of_a_brand() -> None:
    day = date(2027, 5, 4)
    closed, opened = (DayRow(kind=kind, on=day, shop="a") for kind in (DayKind.CLOSED, DayKind.OPENED))
    holiday = DayRow(kind=DayKind.HOLIDAY, on=day, country="KR")
    branded = DayRow(kind=DayKind.CLOSED, on=day, brand="north")

    assert _problems(days=(closed, opened, holiday)) == [("days", 1, "valid_from", "overlap")]
    brands = (BrandRow(brand="north", sku_prefix="N-"),)
    assert _problems(days=(branded,), brands=brands) == [("days", 0, "brand", "day_of_brand")]
