"""The days of a calendar that are not as its weekdays say, for a person to look through before they are used."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from ivr.hours import Calendar, Holidays, public_holidays, with_holidays
from ivr.spec import Spec

_COUNTRY_OF_ZONE = {"Asia/Seoul": "KR", "Asia/Tokyo": "JP"}


class DayKind(StrEnum):
    CLOSED = "closed"
    OTHER_HOURS = "other_hours"
    WORKED = "worked"  # a public holiday on which the line is open as on any weekday


class ListedDay(msgspec.Struct, frozen=True, kw_only=True):
    """``date``: ISO. ``name``: of the public holiday, ``None`` for a day of the centre's own."""

    calendar: str
    date: str
    kind: DayKind
    name: str | None


def listed_days(spec: Spec, *, language: str) -> list[ListedDay]:
    """By calendar and date, with every public holiday of the years in question. ``spec`` has passed its check."""
    return [day for name, calendar in spec.calendars.items() for day in _days(name, calendar, spec.timezone, language)]


def _days(name: str, calendar: Calendar, timezone: str, language: str) -> Iterator[ListedDay]:
    closed = set(with_holidays(calendar).closed)
    extra = {extra.date for extra in calendar.extra_open}
    years = {int(date[:4]) for date in closed} | set(calendar.holidays.years if calendar.holidays else ())
    country = calendar.holidays.country if calendar.holidays else _COUNTRY_OF_ZONE.get(timezone)
    public: dict[str, str] = {}
    if country and years:
        named = Holidays(country=country, years=tuple(sorted(years)))
        public = {day.isoformat(): text for day, text in public_holidays(named, language=language).items()}
    for date in sorted(closed | extra | public.keys()):
        kind = DayKind.OTHER_HOURS if date in extra else DayKind.CLOSED if date in closed else DayKind.WORKED
        yield ListedDay(calendar=name, date=date, kind=kind, name=public.get(date))
