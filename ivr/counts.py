"""Counts of calls per mall, line and hour.

A call counts in the hour in which it entered, whatever its end falls into, and under the line that was dialled.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo

import msgspec

from ivr.calls import Call, CallResult


class HourCount(msgspec.Struct, kw_only=True):
    """One row. ``hour``: ISO 8601 start of the hour with the zone's offset.

    The columns from ``answered`` to ``system_lost`` without the two parts below add up to ``offered``:
    ``abandoned_short`` (under five seconds in the queue) is a part of ``abandoned_queue``, ``transferred_out``
    a part of ``answered``. ``mall`` and ``line`` are ``None`` for numbers that nobody routes. A call that still
    goes on is in no column.
    """

    mall: str | None
    line: str | None
    hour: str
    offered: int = 0
    answered: int = 0
    abandoned_notice: int = 0
    abandoned_menu: int = 0
    abandoned_queue: int = 0
    abandoned_short: int = 0
    left_queue: int = 0
    not_joined: int = 0
    closed: int = 0
    ivr_giveup: int = 0
    callback_requested: int = 0
    transferred_out: int = 0
    unknown_did: int = 0
    system_lost: int = 0

    @property
    def ended(self) -> int:
        """The sum of the columns that end a call."""
        return sum(getattr(self, result.value) for result in CallResult)


def count_calls(calls: Iterable[Call], *, zone: tzinfo) -> list[HourCount]:
    """Count ended calls; rows are sorted by mall, line, hour, and hours without calls have none."""
    hours: dict[int, tuple[float, str]] = {}
    rows: dict[tuple[str, str, float], HourCount] = {}
    for call in calls:
        if call.result is None:
            continue
        quarter = int(call.entered_at // 900)  # every zone's offset is a whole number of quarter hours
        hour = hours.get(quarter)
        if hour is None:
            start = datetime.fromtimestamp(quarter * 900, zone).replace(minute=0)
            hour = hours[quarter] = (start.timestamp(), start.isoformat())
        key = (call.mall or "", call.line or "", hour[0])
        row = rows.get(key)
        if row is None:
            row = rows[key] = HourCount(mall=call.mall, line=call.line, hour=hour[1])
        row.offered += 1
        setattr(row, call.result.value, getattr(row, call.result.value) + 1)
        row.abandoned_short += call.is_short_abandon
        row.transferred_out += call.is_transferred_out
    return [rows[key] for key in sorted(rows)]
