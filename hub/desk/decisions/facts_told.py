"""One fact of a line as somebody tells it, its time as people write it, and what can be wrong with it."""

import re
import tomllib
import unicodedata
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from hub.policy.stage import StageFact

_WORDS_FILE: Final = "fact_problems.toml"
_SHOWN: Final = 60
_DAY: Final = re.compile(r"(\d{4})\s*[-/.년]\s*(\d{1,2})\s*[-/.월]\s*(\d{1,2})(?:\s*[일.])?")
_TIME: Final = re.compile(r"[T\s]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?")
#: nobody traded by this hub before
_FIRST_YEAR: Final = 2000
_NOT_YET: Final = frozenset({"no", "notyet", "nothappened", "x", "아직", "아직아님", "미완료", "미입고", "미출고"})
_NOT_YET_JAPANESE: Final = frozenset({"まだ", "未", "未完了", "未入庫", "未出庫"})
_TAKEN_BACK: Final = frozenset({"?", "unknown", "모름", "알수없음", "不明"})


class FactState(StrEnum):
    """``UNKNOWN`` takes back what was told by mistake."""

    HAPPENED = "happened"
    NOT_HAPPENED = "not_happened"
    UNKNOWN = "unknown"


class FactSource(StrEnum):
    AGENT = "agent"
    FILE = "file"
    API = "api"


class Moment(Struct, frozen=True, kw_only=True):
    """``at`` is aware UTC, of ``HAPPENED`` alone; ``is_day``: only the day is known, and ``at`` is its local start."""

    state: FactState
    at: datetime | None = None
    is_day: bool = False


class FactGiven(Struct, frozen=True, kw_only=True):
    """One fact as told. ``place`` is its row in a file or its number in a list, from 1, for problems.

    Without ``line_no`` it is told of every line of the order.
    """

    place: int
    shop: str
    order_no: str | None
    line_no: str | None
    fact: StageFact
    moment: Moment
    reference: str | None = None


class FactProblem(Struct, frozen=True, kw_only=True):
    """What is wrong and what to do. ``row`` counts from 1, as a spreadsheet shows it; 0 is the file as a whole.

    ``key`` is stable. ``value`` is what stands there, shortened.
    """

    row: int
    column: str | None
    key: str
    value: str
    reason: str
    reason_ko: str
    fix: str
    fix_ko: str

    def told(self, locale: str) -> tuple[str, str]:
        """Reason and fix in ``locale``; Korean for "ko", else English."""
        return (self.reason_ko, self.fix_ko) if locale == "ko" else (self.reason, self.fix)


class _Sentence(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    reason_ko: str
    fix: str
    fix_ko: str


class _Words(Struct, frozen=True, forbid_unknown_fields=True):
    """``names``: the columns and facts in English and Korean."""

    names: dict[str, tuple[str, str]]
    problem: dict[str, _Sentence]


@cache
def _words() -> _Words:
    data = resources.files("hub.desk.decisions").joinpath(_WORDS_FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(data), _Words)


def fact_problem(key: str, *, row: int, column: str | None = None, value: str = "", **gaps: str) -> FactProblem:
    """``gaps`` and ``column`` fill the sentences; a column or fact stands there by its name."""
    words = _words()
    told = words.problem[key]
    gaps["column"] = column or ""
    english, korean = (
        {gap: words.names.get(text, (text, text))[place] for gap, text in gaps.items()} for place in (0, 1)
    )
    return FactProblem(
        row=row,
        column=column,
        key=key,
        value=value if len(value) <= _SHOWN else value[:_SHOWN] + "…",
        reason=told.reason.format(**english),
        reason_ko=told.reason_ko.format(**korean),
        fix=told.fix.format(**english),
        fix_ko=told.fix_ko.format(**korean),
    )


def read_moment(text: str | date, *, zone: ZoneInfo) -> Moment | None:
    """A day or a time, "not yet" or "unknown", as people write them in Korean, English or Japanese.

    Without an offset a time is of ``zone``. ``None``: it is none of these.
    """
    if not isinstance(text, str):
        return _moment(text, None, zone)
    plain = unicodedata.normalize("NFKC", text).strip()
    word = "".join(plain.casefold().split()).replace("_", "")
    if word in _NOT_YET or word in _NOT_YET_JAPANESE:
        return Moment(state=FactState.NOT_HAPPENED)
    if word in _TAKEN_BACK:
        return Moment(state=FactState.UNKNOWN)
    found = _DAY.match(plain)
    if found is None:
        return None
    rest = plain[found.end() :]
    clock = _TIME.fullmatch(rest) if rest.strip() else None
    if rest.strip() and clock is None:
        return None
    try:
        day = date(*map(int, found.groups()))
        if clock is None:
            return _moment(day, None, zone)
        hour, minute, second = (int(part or 0) for part in clock.groups()[:3])
        offset = datetime.fromisoformat(f"2000-01-01T00:00{clock[4]}").tzinfo if clock[4] else zone
        return _moment(day, time(hour, minute, second, tzinfo=offset), zone)
    except (ValueError, OverflowError):
        # 2026-02-30, 25:00: no more a time than any other text
        return None


def _moment(day: date, clock: time | None, zone: ZoneInfo) -> Moment | None:
    if day.year < _FIRST_YEAR:
        return None
    at = datetime.combine(day, clock or time(tzinfo=zone)).astimezone(UTC)
    return Moment(state=FactState.HAPPENED, at=at, is_day=clock is None)
