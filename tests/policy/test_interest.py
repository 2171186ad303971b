from datetime import datetime
from decimal import Decimal

import pytest

from hub.core.model import Money
from hub.policy.calendar import business_calendar
from hub.policy.interest import LIKELY_PERCENT, late_interest

KR = business_calendar("KR")
DUE = datetime.fromisoformat("2026-11-25T23:59:59+09:00")


def owed(paid: str, *, minor: int = 365_000, percent: Decimal = LIKELY_PERCENT) -> int:
    paid_at = datetime.fromisoformat(f"{paid}+09:00")
    amount = Money(minor=minor, currency="KRW")
    return late_interest(amount, due_at=DUE, paid_at=paid_at, calendar=KR, percent=percent).minor


@pytest.mark.parametrize(
    ("paid", "percent", "expected"),
    [
        ("2026-11-24T10:00", 15, 0),
        ("2026-11-25T23:59:59", 15, 0),
        ("2026-11-26T00:00", 15, 150),
        ("2026-12-05T10:00", 15, 1_500),
        ("2026-12-05T10:00", 20, 2_000),
        ("2027-11-25T10:00", 15, 54_750),
        ("2026-12-05T10:00", 0, 0),
    ],
)
def test_each_day_after_the_due_day_counts(paid: str, percent: int, expected: int):
    assert owed(paid, percent=Decimal(percent)) == expected


def test_half_a_unit_is_rounded_up():
    assert owed("2026-11-26T10:00", minor=36_500, percent=Decimal("14.5")) == 15


@pytest.mark.parametrize(("minor", "percent"), [(-1, 15), (1, -1)])
def test_nothing_negative_bears_interest(minor: int, percent: int):
    with pytest.raises(ValueError, match="negative"):
        owed("2026-11-26T10:00", minor=minor, percent=Decimal(percent))
