"""Interest on a refund that comes too late.

Source: Korean E-Commerce Consumer Protection Act, article 18(2) with its Decree; the rate is a setting
because it changes: 20 % a year in older texts, 15 % since the amendment announced on 25 September 2015
(confidence: likely). None of this is legal advice.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from hub.core.model import Money
from hub.policy.calendar import BusinessCalendar

LIKELY_PERCENT: Final = Decimal(15)
_DAYS_A_YEAR: Final = 365


def late_interest(
    amount: Money, *, due_at: datetime, paid_at: datetime, calendar: BusinessCalendar, percent: Decimal
) -> Money:
    """What is owed on top of ``amount`` for the days after the day of ``due_at`` until that of ``paid_at``.

    ``percent`` a year, simple interest, a year of 365 days, rounded to the minor unit.
    Raises: ValueError for a negative rate or amount.
    """
    if percent < 0 or amount.minor < 0:
        message = "neither the rate nor the amount can be negative"
        raise ValueError(message)
    days = max((calendar.day_of(paid_at) - calendar.day_of(due_at)).days, 0)
    owed = Decimal(amount.minor) * percent * days / (100 * _DAYS_A_YEAR)
    return Money(minor=int(owed.quantize(Decimal(1), rounding=ROUND_HALF_UP)), currency=amount.currency)
