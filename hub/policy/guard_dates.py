"""Days and haste: what an answer may promise about time."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Final

from hub.policy.finding import Finding, FindingKind, Level
from hub.policy.guard_text import View
from hub.policy.guard_words import GuardWords

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGIT = re.compile(r"[0-9]")
#: how days are written, and letters without which none is there
_DAYS: Final = (
    (
        re.compile(
            r"(?:(?P<y>20\d\d)\s?[년年]\s?)?(?<!\d)(?P<m>1[0-2]|0?[1-9])\s?[월月]\s?(?P<d>3[01]|[12]\d|0?[1-9])\s?[일日]"
        ),
        "월月",
    ),
    (
        re.compile(r"(?<!\d)(?P<y>20\d\d)[.\-/]\s?(?P<m>1[0-2]|0?[1-9])[.\-/]\s?(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)"),
        ".-/",
    ),
    (re.compile(r"(?<![\d/.\-])(?P<m>1[0-2]|0?[1-9])/(?P<d>3[01]|[12]\d|0?[1-9])(?![\d/])"), "/"),
    (re.compile(rf"\b(?P<name>{'|'.join(_MONTHS)})[a-z]{{0,6}}\.?\s(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)"), _MONTHS),
    (re.compile(rf"(?<!\d)(?P<d>3[01]|[12]\d|0?[1-9])\s(?P<name>{'|'.join(_MONTHS)})[a-z]{{0,6}}\b"), _MONTHS),
    (
        re.compile(r"(?<![\d월月~\-])(?<![월月]\s)(?P<d>3[01]|[12]\d|[1-9])일(?=에\s|\s?\([월화수목금토일])"),
        ("일에", "일(", "일 ("),
    ),
)
_RANGE_AFTER = re.compile(r"\s?(?:~|-|–|〜|부터|에서|から|to\s|쯤|경|전후|이후|頃|ごろ|前後)")
_RANGE_BEFORE = re.compile(r"(?:~|–|〜|부터|에서|から|between|around|about)\s?\Z")
_MAY_CHANGE: Final = ("바뀔 수", "변경될 수", "변동", "달라질 수", "변경될수", "may change", "変わる場合", "前後する")
_SENTENCE_END = re.compile(r"[!?。\n]|\.(?=\s|\Z)")
_CONCRETE = re.compile(
    r"\d\s?시(?!즌|리)|\d:\d\d|\d\s?(?:일|영업일|시간|분|주)(?![가-힣]*번호)|오늘|금일|내일|명일|모레|이번\s?주|다음\s?주|금주|차주|[월화수목금토일]요일"
    r"|本日|今日|明日|明後日|今週|来週|\d\s?(?:日|時|営業日)|[月火水木金土日]曜"
    r"|\b(?:today|tomorrow|this week|next week|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b|\d\s?(?:day|hour|business)"
    r"|\{(?:promise_time|eta_range|planned_ship_date)\}|⟦"
)


def find_dates(
    plain: View, words: GuardWords, *, today: date, known: frozenset[date], level: Level = Level.WARNING
) -> Iterator[Finding]:
    """Days to come that somebody will wait for, though nothing that is known rests on them.

    ``known``: days that the case knows for certain (told to the mall, promised). A range, a day that is
    called a rough one, and a sentence that says that it may change, pass; so do "today" and "tomorrow".
    """
    text, dates = plain.text, words.dates
    ends = [-1, *(end.start() for end in _SENTENCE_END.finditer(text)), len(text)]
    if not any(word in text for word in dates.words):
        return
    at = 0
    for begin, end in pairwise(ends):
        sentence = text[begin + 1 : end]
        at = begin + 1
        if not any(word in sentence for word in dates.words) or any(word in sentence for word in _MAY_CHANGE):
            continue
        for start, stop, day in _days(sentence, today):
            if day > today and day not in known:
                span = plain.span(at + start, at + stop)
                yield words.finding(FindingKind.EXACT_DATE, "not_known", span, level, source=dates.source)


def _days(sentence: str, today: date) -> Iterator[tuple[int, int, date]]:
    if _DIGIT.search(sentence) is None:
        return
    for pattern, hints in _DAYS:
        # Most sentences hold no day: a look for one letter is quicker than a pattern.
        if not any(hint in sentence for hint in hints):
            continue
        for match in pattern.finditer(sentence):
            day = _day(match.groupdict(), today)
            is_range = _RANGE_AFTER.match(sentence, match.end()) or _RANGE_BEFORE.search(
                sentence, max(0, match.start() - 10), match.start()
            )
            if day is not None and not is_range:
                yield match.start(), match.end(), day


def _day(parts: dict[str, str | None], today: date) -> date | None:
    """The day meant: without a year the nearest one, without a month the next one. ``None`` for 31 June."""
    day = int(parts["d"] or 0)
    name = parts.get("name")
    month = _MONTHS.index(name) + 1 if name else int(parts.get("m") or 0)
    year = int(parts.get("y") or 0)
    if not month:
        month = today.month if day >= today.day else today.month % 12 + 1
    if not year:
        year = today.year + (month - today.month < -6) - (month - today.month > 6)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def find_haste(
    plain: View, tight: View, spaced: View, words: GuardWords, *, is_delay: bool, level: Level = Level.WARNING
) -> Iterator[Finding]:
    """A promise of haste ("as soon as possible") with nothing that says when."""
    haste = words.haste
    places = [
        (view, view.text.find(word), len(word))
        for view, group in ((tight, haste.words), (spaced, haste.spaced_words))
        for word in group
        if word in view.text
    ]
    if not places or not (is_delay or any(word in spaced.text for word in haste.delivery)):
        return
    if _CONCRETE.search(plain.text):
        return
    for view, at, length in places:
        span = view.span(at, at + length)
        yield words.finding(FindingKind.BARE_HASTE, "no_time", span, level, source=haste.source)
