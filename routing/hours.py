"""Opening hours as people write them: "mon-fri 09:00-12:00 13:00-18:00; sat 10:00-14:00"."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from msgspec import Struct

from hub.core.public_holidays import public_holidays

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKS_THROUGH: Final = "open"
COUNTRY_OF_ZONE: Final = {"Asia/Seoul": "KR", "Asia/Tokyo": "JP"}
_DAY_MINUTES: Final = 24 * 60
_PERIOD: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:(24):(00)|([01]\d|2[0-3]):([0-5]\d))")
_LONGEST: Final = 500
#: Names of days beside the English ones; Saturday and Sunday are no weekdays.
_GROUPS: Final = {"daily": range(7), "매일": range(7), "weekdays": range(5), "평일": range(5), "주말": range(5, 7)}
_KOREAN_DAYS: Final = "월화수목금토일"


class HoursError(ValueError):
    """``part`` is the piece of text that cannot be read, ``kind`` the mistake: period, day, overlap or length."""

    def __init__(self, kind: str, part: str) -> None:
        super().__init__(f"{kind}: {part}")
        self.kind = kind
        self.part = part


class Period(Struct, frozen=True):
    """Part of a day, in minutes after local midnight: 540 to 1080 is 09:00 to 18:00; 1440 ends the day."""

    opens: int
    closes: int


class Hours(Struct, frozen=True, kw_only=True):
    """Opening periods for Monday to Sunday, in order and apart.

    ``country`` ("KR", "JP") closes on that country's public holidays, ``None`` works through them.
    ``closed`` are days of rest of this contact alone.
    """

    week: tuple[tuple[Period, ...], ...]
    country: str | None = None
    closed: frozenset[date] = frozenset()

    def periods(self, day: date) -> tuple[Period, ...]:
        if day in self.closed or (self.country is not None and day in public_holidays(self.country, day.year)):
            return ()
        return self.week[day.weekday()]


def read_week(text: str) -> tuple[tuple[Period, ...], ...]:
    """The periods of Monday to Sunday. A day named twice has both; a day that is not named is closed.

    A period over midnight ("22:00-02:00") goes on into the next day. Days are mon … sun, 월 … 일, ranges of
    them, several with a comma, daily (매일), weekdays (평일), 주말.
    Raises: HoursError naming the piece that cannot be read.
    """
    if len(text) > _LONGEST:
        kind = "length"
        raise HoursError(kind, f"{len(text)} > {_LONGEST}")
    said: dict[int, list[str]] = {}
    for part in re.split(r"[;\n]", unicodedata.normalize("NFKC", text)):
        if not part.strip():
            continue
        # Blanks around a dash or comma belong to it; the first word names the days.
        days, *periods = re.sub(r"\s*([-,~])\s*", r"\1", part.strip()).replace("~", "-").split()
        if not periods:
            kind = "period"
            raise HoursError(kind, part.strip())
        for day in _days(days.casefold()):
            said.setdefault(day, []).extend(periods)
    return build_week(said)


def _days(text: str) -> list[int]:
    found: list[int] = []
    for piece in text.split(","):
        if piece in _GROUPS:
            found.extend(_GROUPS[piece])
            continue
        first, _, last = piece.partition("-")
        begin, end = _day(first), _day(last or first)
        found.extend(range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1)))
    return found


def _day(word: str) -> int:
    if word in DAYS:
        return DAYS.index(word)
    if len(word) in (1, 3) and word[0] in _KOREAN_DAYS and word[1:] in ("", "요일"):
        return _KOREAN_DAYS.index(word[0])
    kind = "day"
    raise HoursError(kind, word)


def build_week(said: Mapping[int, Iterable[str]]) -> tuple[tuple[Period, ...], ...]:
    """Periods such as "09:00-18:00" per weekday (0: Monday) as a week. Raises: HoursError."""
    week: list[list[Period]] = [[] for _ in DAYS]
    for day, texts in said.items():
        for text in texts:
            opens, closes = read_period(text)
            if opens < closes:
                week[day].append(Period(opens, closes))
            else:
                # Over midnight: the rest belongs to the next day.
                week[day].append(Period(opens, _DAY_MINUTES))
                if closes:
                    week[(day + 1) % 7].append(Period(0, closes))
    return tuple(_in_order(periods, DAYS[day]) for day, periods in enumerate(week))


def read_period(text: str) -> tuple[int, int]:
    """Minutes after midnight of opening and closing; closing is the earlier one over midnight. Raises: HoursError."""
    found = _PERIOD.fullmatch(text.strip())
    if found is not None:
        opens = int(found[1]) * 60 + int(found[2])
        closes = int(found[3] or found[5]) * 60 + int(found[4] or found[6])
        if opens != closes:
            return opens, closes
    kind = "period"
    raise HoursError(kind, text)


def _in_order(periods: list[Period], day: str) -> tuple[Period, ...]:
    ordered = sorted(periods, key=lambda period: period.opens)
    for before, after in pairwise(ordered):
        if after.opens < before.closes:
            kind = "overlap"
            raise HoursError(kind, day)
    return tuple(ordered)


def tell_week(week: Sequence[Sequence[Period]], *, days: Sequence[str] = DAYS) -> str:
    """The text that :func:`read_week` reads as ``week``; neighbouring days with the same periods stand together.

    ``days`` are the names of Monday to Sunday.
    """
    parts: list[tuple[int, int, str]] = []
    for day, periods in enumerate(week):
        text = " ".join(f"{_clock(period.opens)}-{_clock(period.closes)}" for period in periods)
        if parts and parts[-1][1] == day - 1 and parts[-1][2] == text:
            parts[-1] = (parts[-1][0], day, text)
        else:
            parts.append((day, day, text))
    return "; ".join(
        f"{days[first]}{f'-{days[last]}' if last > first else ''} {text}" for first, last, text in parts if text
    )


def plain_week(text: str, *, days: Sequence[str] = DAYS) -> str:
    """``text`` as :func:`tell_week` writes it; as it is where it cannot be read."""
    try:
        return tell_week(read_week(text), days=days)
    except HoursError:
        return text


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
