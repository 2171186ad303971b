"""Written inquiries as several reports read them: the case of their thread, and the working hours of their shop."""

from typing import Any, Final

from sqlalchemy import ScalarSelect, func, select

from hub.policy.calendar import BusinessCalendar
from hub.stats.rules_then import RulesThen
from hub.stats.worktime import OpenTime
from hub.store.tables import cases, inquiries
from hub.sync.case_rules import CaseRules


def case_of_thread() -> ScalarSelect[Any]:
    """The first of the cases that a conversation has."""
    return (
        select(func.min(cases.c.id))
        .where(cases.c.shop_id == inquiries.c.shop_id, cases.c.thread_no == inquiries.c.thread_no)
        .scalar_subquery()
    )


class ShopHours:
    """The opening hours of shops; those that are the same share what was looked up."""

    def __init__(self, rules: RulesThen) -> None:
        self._rules: Final = rules
        self._known: dict[tuple[BusinessCalendar, int, int], OpenTime] = {}

    def of(self, shop_id: int, rules: CaseRules) -> OpenTime:
        """By ``rules`` of some moment."""
        calendar, targets = rules.days.of_shop(self._rules.shops[shop_id][1]), rules.targets
        key = (calendar, targets.opens, targets.closes)
        if key not in self._known:
            self._known[key] = OpenTime(calendar, opens=targets.opens, closes=targets.closes)
        return self._known[key]
