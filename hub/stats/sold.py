"""Order lines and claims as several reports count them: which are left out, and what belongs to what."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, exists

from hub.stats.facts import TIMES, Counted
from hub.stats.span import Buckets, day_buckets, hour_buckets, make_span
from hub.store.tables import lines, order_twins, orders, rebills

_HOURLY: Final = frozenset({"hour", "clock_hour"})
_LONGEST_SPAN: Final = 4_000
_QUARTER_MS: Final = 900_000


def is_copy(order_id: Any) -> ColumnElement[bool]:
    """A copy of an order, which stands with the original (:mod:`hub.store.twins`)."""
    return exists().where(order_twins.c.order_id == order_id)


def is_of_copy(table: Any) -> ColumnElement[bool]:
    """A claim or inquiry on a copy of an order."""
    copies = orders.alias("copies")
    of_sub_shop = [copies.c.sub_shop == table.c.sub_shop] if "sub_shop" in table.c else []
    return exists().where(
        order_twins.c.order_id == copies.c.id,
        copies.c.shop_id == table.c.shop_id,
        copies.c.order_no == table.c.order_no,
        *of_sub_shop,
    )


def is_rebilled() -> ColumnElement[bool]:
    """A line paid anew for goods that are there: no order of its own, and nothing may be sent."""
    return exists().where(
        rebills.c.new_shop_id == lines.c.shop_id,
        rebills.c.new_order_no == orders.c.order_no,
        rebills.c.new_line_no == lines.c.line_no,
        rebills.c.is_active,
    )


def of_cell(counted: Counted, **columns: Any) -> list[ColumnElement[bool]]:
    """Conditions on the dimensions of the cell that is opened, as far as a column tells them."""
    return [columns[name] == value for name, value in counted.where.items() if name in columns and value is not None]


def is_within(counted: Counted, at: datetime) -> bool:
    return (counted.since is None or at >= counted.since) and (counted.until is None or at < counted.until)


def buckets_of(counted: Counted, names: frozenset[str]) -> Buckets | None:
    """How finely times have to be told apart for these dimensions; ``None``: not at all."""
    if names.isdisjoint(TIMES):
        return None
    if counted.since is None or counted.until is None:
        return Buckets(offset_ms=0, unit_ms=_QUARTER_MS, zone=counted.zone)
    span = make_span(since=counted.since, until=counted.until, zone=counted.zone, max_days=_LONGEST_SPAN)
    return day_buckets(span) if names.isdisjoint(_HOURLY) else hour_buckets(span)
