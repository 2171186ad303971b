"""When a report is mailed: a time of the day on every day, one weekday or one day of the month. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.policy.calendar import BusinessCalendar

_DAY: Final = timedelta(days=1)
#: a day of rest moves a mail on by less than this
_LONGEST_REST: Final = 21
#: a table that has no turn in this time has none
_LONGEST_WAIT: Final = 800


class Every(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class OnRest(StrEnum):
    """What happens to a turn on a Saturday, a Sunday or a public holiday."""

    SEND = "send"
    SKIP = "skip"
    NEXT = "next"


class Timetable(Struct, frozen=True, kw_only=True):
    """``on_day``: weekday (0 is Monday), or day of the month, the last one of shorter months; daily: no matter.

    ``at_minute``: minutes after midnight in the centre's zone.
    """

    every: Every
    on_day: int
    at_minute: int
    on_rest: OnRest


def is_sound(timetable: Timetable) -> bool:
    last = {Every.DAILY: (0, 0), Every.WEEKLY: (0, 6), Every.MONTHLY: (1, 31)}[timetable.every]
    return 0 <= timetable.at_minute < 24 * 60 and last[0] <= timetable.on_day <= last[1]


def next_due(timetable: Timetable, *, after: datetime, zone: ZoneInfo, calendar: BusinessCalendar) -> datetime | None:
    """The first turn later than ``after``, in ``zone``; ``None`` where there is none: on Sundays, less days of rest."""
    clock = time(*divmod(timetable.at_minute, 60))
    begin = after.astimezone(zone).date() - _DAY * _LONGEST_REST
    for day in _days(timetable, begin, calendar):
        # A time that the clock skips is the same span later, as every zone's own rule has it.
        due = datetime.combine(day, clock, zone)
        if due.timestamp() > after.timestamp():
            return due
    return None


def newest_due(
    timetable: Timetable, *, due: datetime, now: datetime, zone: ZoneInfo, calendar: BusinessCalendar
) -> tuple[datetime, int, datetime | None]:
    """Of the turns from ``due`` to ``now``: the last, how many came before it, and the first that is yet to come."""
    missed = 0
    while True:
        later = next_due(timetable, after=due, zone=zone, calendar=calendar)
        if later is None or later.timestamp() > now.timestamp():
            return due, missed, later
        due, missed = later, missed + 1


def _days(timetable: Timetable, begin: date, calendar: BusinessCalendar) -> Iterator[date]:
    for number in range(_LONGEST_WAIT):
        day = begin + _DAY * number
        if not _is_turn(timetable, day):
            continue
        if timetable.on_rest is OnRest.SEND or calendar.is_business_day(day):
            yield day
        elif timetable.on_rest is OnRest.NEXT:
            yield calendar.roll_forward(day)


def _is_turn(timetable: Timetable, day: date) -> bool:
    match timetable.every:
        case Every.DAILY:
            return True
        case Every.WEEKLY:
            return day.weekday() == timetable.on_day
        case Every.MONTHLY:
            is_last = (day + _DAY).month != day.month
            return day.day == timetable.on_day or (is_last and day.day < timetable.on_day)
