"""How long the customer may withdraw: information for the card, no deadline of the seller's.

Source: Korean E-Commerce Consumer Protection Act, article 17; Japanese Act on Specified Commercial
Transactions, article 15-3; confidence: sure. Days are counted the way that is kinder to the customer:
without the first day, and an end on a day of rest moves on. The Japanese article counts the day of
delivery as the first, which would end one day earlier. None of this is legal advice.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.policy.calendar import BusinessCalendar, OwnDays
from hub.policy.due import NO_OWN_DAYS


class Right(StrEnum):
    """What the customer may withdraw for."""

    ANY_REASON = "any_reason"
    NOT_AS_AGREED = "not_as_agreed"


class WindowFacts(Struct, frozen=True, kw_only=True):
    """What is known of one line; aware times, ``None`` where not known or not happened.

    ``country`` is the law's. ``contract_at`` is when the customer got the contract paper, at the latest
    the order's confirmation. ``known_at`` is when the customer knew of the defect or the wrong goods;
    their complaint proves it. ``is_return_clause_shown``: Japan only, the shop's own terms of return
    were clearly shown.
    """

    country: str
    contract_at: datetime | None = None
    delivered_at: datetime | None = None
    known_at: datetime | None = None
    is_return_clause_shown: bool | None = None


class Window(Struct, frozen=True, kw_only=True):
    """``until``: the last second of the right, in UTC; ``None``: it has not begun to end, or cannot be told.

    ``missing`` are the facts that could change ``until``. ``source`` names the rule for people,
    ``label_key`` the screen's text, ``counted_from`` the moment that started the clock that ends first.
    """

    right: Right
    until: datetime | None
    source: str
    label_key: str
    counted_from: datetime | None
    missing: tuple[str, ...] = ()

    def is_open(self, at: datetime) -> bool | None:
        """``None`` where that cannot be told."""
        if self.until is not None and at > self.until:
            return False
        return None if self.missing else True


def withdrawal_windows(facts: WindowFacts, *, days: OwnDays = NO_OWN_DAYS) -> tuple[Window, ...]:
    """The windows that the law of ``facts.country`` gives. Raises: ValueError for a country without a calendar."""
    calendar = days.of_public(facts.country)
    if facts.country == "KR":
        return _any_reason(facts, calendar), _not_as_agreed(facts, calendar)
    return (_japanese(facts, calendar),) if facts.country == "JP" and not facts.is_return_clause_shown else ()


def _any_reason(facts: WindowFacts, calendar: BusinessCalendar) -> Window:
    times = [at for at in (facts.contract_at, facts.delivered_at) if at is not None]
    since = max(times) if facts.delivered_at is not None else None
    return Window(
        right=Right.ANY_REASON,
        until=_days_after(since, 7, calendar),
        source="E-Commerce Consumer Protection Act 17(1): 7 days from the contract paper or, if later, from receipt",
        label_key="window.any_reason",
        counted_from=since,
        missing=() if since else ("delivered_at",),
    )


def _not_as_agreed(facts: WindowFacts, calendar: BusinessCalendar) -> Window:
    """3 months from receipt and 30 days from knowing: the right is gone when either is over."""
    ends = []
    if facts.delivered_at is not None:
        ends.append((calendar.add_months(calendar.day_of(facts.delivered_at), 3), facts.delivered_at))
    if facts.known_at is not None:
        ends.append((calendar.add_days(calendar.day_of(facts.known_at), 30), facts.known_at))
    last, since = min(ends, default=(None, None))
    return Window(
        right=Right.NOT_AS_AGREED,
        until=calendar.end_of(last) if last else None,
        source="E-Commerce Consumer Protection Act 17(3): 3 months from receipt, and 30 days from knowing",
        label_key="window.not_as_agreed",
        counted_from=since,
        missing=tuple(name for name in ("delivered_at", "known_at") if getattr(facts, name) is None),
    )


def _japanese(facts: WindowFacts, calendar: BusinessCalendar) -> Window:
    since = facts.delivered_at
    unknown = {"delivered_at": since, "is_return_clause_shown": facts.is_return_clause_shown}
    return Window(
        right=Right.ANY_REASON,
        until=_days_after(since, 8, calendar),
        source="Act on Specified Commercial Transactions 15-3: 8 days from delivery unless a return clause was shown",
        label_key="window.japan",
        counted_from=since,
        missing=tuple(name for name, value in unknown.items() if value is None),
    )


def _days_after(since: datetime | None, count: int, calendar: BusinessCalendar) -> datetime | None:
    return None if since is None else calendar.end_of(calendar.add_days(calendar.day_of(since), count))
