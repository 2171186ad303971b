"""Rules of numbers, lines, notices and opening hours."""

import re
from datetime import date

import msgspec

from ivr.check_names import note_day
from ivr.document import Document, Path, Severity
from ivr.hours import COUNTRIES, Calendar, HoursError, days_of, minutes_of, public_holidays
from ivr.prompts import LONGEST_PROMPT_SECONDS
from ivr.routes import plain_number
from ivr.spec import LINES, NOTICE_KINDS, LineSpec, Number, Spec, notice_of

#: what Korean carriers deliver calls to: area, mobile, internet, free and representative numbers
_DID = re.compile(r"0[0-9]{8,11}|1[0-9]{5,7}", re.ASCII)
#: kinds of numbers that are always led to another one
_LED = frozenset({"representative", "free"})
_YEARS = range(2000, 2100)


def check_numbers(spec: Spec, document: Document) -> None:
    seen: dict[str, tuple[str, str]] = {}
    shown: dict[str, tuple[str, str]] = {}
    for index, number in enumerate(spec.numbers):
        path: Path = ("numbers", index)
        place = (number.mall, number.line)
        if not _DID.fullmatch(number.did) or number.did.startswith("060"):
            document.report("bad-did", (*path, "did"), did=number.did)
        if number.did in seen:
            code = "did-duplicate" if seen[number.did] == place else "did-two-lines"
            document.report(code, (*path, "did"), did=number.did)
        seen.setdefault(number.did, place)
        _check_place(number, path, spec, document)
        if number.display:
            _check_display(number.did, number.display, number.note, path, document)
            if shown.setdefault(plain_number(number.display), place) != place:
                document.report("display-twice", (*path, "display"), number=number.display)


def _check_place(number: Number, path: Path, spec: Spec, document: Document) -> None:
    malls = set(spec.malls) or {name.partition(".")[0] for name in spec.lines}
    line = f"{number.mall}.{number.line}"
    if number.line not in LINES:
        document.report("unknown-line", (*path, "line"), line=number.line)
    elif number.mall not in malls:
        document.report("unknown-mall", (*path, "mall"), mall=number.mall, known=", ".join(sorted(malls)))
    elif line not in spec.lines:
        document.report("line-not-described", (*path, "line"), line=line)


def _check_display(did: str, display: str, note: str | None, path: Path, document: Document) -> None:
    """A representative or free number always ends on another one, so that only its note is missed."""
    kind = _number_kind(plain_number(display))
    if not note and _number_kind(did) != kind:
        severity = Severity.WARNING if kind in _LED else Severity.ERROR
        document.report("display-differs", (*path, "display"), severity=severity)


def _number_kind(number: str) -> str:
    if len(number) == 8 and number[:2] in ("15", "16", "18"):
        return "representative"
    kinds = {"080": "free", "070": "internet", "010": "mobile"}
    return kinds.get(number[:3], "free" if number.startswith("14") else "area")


def check_lines(spec: Spec, document: Document) -> None:
    numbered = {f"{number.mall}.{number.line}" for number in spec.numbers}
    for name, line in spec.lines.items():
        path: Path = ("lines", name)
        mall, _, word = name.partition(".")
        if word not in LINES:
            document.report("unknown-line", path, line=name)
        if spec.malls and mall not in spec.malls:
            document.report("unknown-mall", path, mall=mall, known=", ".join(spec.malls))
        if name not in numbered:
            document.report("line-without-number", path, line=name)
        if line.hours is None:
            document.report("line-without-hours", path, line=name)
        elif line.hours not in spec.calendars:
            document.report("unknown-calendar", (*path, "hours"), name=line.hours)
        if line.entry is None:
            document.report("line-without-entry", path, line=name)
        _check_closed(name, line, document)
        for index, notice in enumerate(line.notices):
            if notice_of(spec, notice) is None:
                document.report("unknown-notice", (*path, "notices", index), name=notice)
            if notice in line.notices[:index]:
                document.report("notice-twice", (*path, "notices", index), name=notice, line=name)


def _check_closed(name: str, line: LineSpec, document: Document) -> None:
    path: Path = ("lines", name)
    if line.closed is None:
        document.report("line-without-closed", path, line=name)
    elif not line.closed.then.startswith("hangup"):
        document.report("closed-answers", (*path, "closed", "then"), line=name, target=line.closed.then)


def check_notices(spec: Spec, document: Document) -> None:
    for name, notice in spec.notices.items():
        path: Path = ("notices", name)
        if notice.kind not in NOTICE_KINDS:
            document.report("unknown-notice-kind", (*path, "kind"), kind=notice.kind)
        check_length(name, notice.seconds, path, document)


def check_length(name: str, seconds: float, path: Path, document: Document) -> None:
    """How long a prompt speaks, as the spec says it."""
    if not 0 <= seconds <= 600:
        document.report("bad-seconds", (*path, "seconds"), name="seconds", least=0, most=600)
    elif seconds > LONGEST_PROMPT_SECONDS:
        document.report(
            "long-prompt", (*path, "seconds"), name=name, seconds=f"{seconds:g}", most=LONGEST_PROMPT_SECONDS
        )


# ---------------------------------------------------------------- calendars


def check_calendars(spec: Spec, document: Document) -> None:
    for name, calendar in spec.calendars.items():
        path: Path = ("calendars", name)
        if not any(calendar.weekly.values()):
            document.report("empty-week", path)
        _check_week(calendar, path, document)
        _check_days(calendar, path, document)
        _check_holidays(calendar, (*path, "holidays"), document)


def _check_week(calendar: Calendar, path: Path, document: Document) -> None:
    taken: dict[int, list[tuple[int, int]]] = {}
    for name, texts in calendar.weekly.items():
        place: Path = (*path, "weekly", name)
        try:
            days = days_of(name)
        except HoursError as error:
            document.report(error.code, place, value=error.value)
            continue
        for index, text in enumerate(texts):
            _check_range(text, [taken.setdefault(day, []) for day in days], (*place, index), document)


def _check_range(text: str, taken: list[list[tuple[int, int]]], path: Path, document: Document) -> None:
    """One range, which must not overlap what is ``taken`` of its days; it is taken then."""
    try:
        start, end = minutes_of(text)
    except HoursError as error:
        document.report(error.code, path, value=error.value)
        return
    if any(start < other_end and other < end for day in taken for other, other_end in day):
        document.report("overlapping-ranges", path, value=text)
    for day in taken:
        day.append((start, end))


def _check_days(calendar: Calendar, path: Path, document: Document) -> None:
    told: list[tuple[Path, str]] = [((*path, "closed", index), text) for index, text in enumerate(calendar.closed)]
    told += [((*path, "extra_open", index), extra.date) for index, extra in enumerate(calendar.extra_open)]
    seen: set[str] = set()
    for place, text in told:
        if note_day(text, place, document) and text in seen:
            document.report("day-twice", place, value=text)
        seen.add(text)
    for index, extra in enumerate(calendar.extra_open):
        place = (*path, "extra_open", index)
        if not extra.hours:
            document.report("extra-without-hours", place, value=extra.date)
        taken: list[tuple[int, int]] = []
        for text in extra.hours:
            _check_range(text, [taken], place, document)


def _check_holidays(calendar: Calendar, path: Path, document: Document) -> None:
    named = calendar.holidays
    if named is None:
        return
    if named.country not in COUNTRIES:
        document.report("unknown-holidays", (*path, "country"), country=named.country)
        return
    strange = [year for year in named.years if year not in _YEARS]
    if strange or not named.years:
        document.report("bad-year", (*path, "years"), year=strange[0] if strange else "nothing")
        return
    every = public_holidays(msgspec.structs.replace(named, worked=()))
    for index, text in enumerate(named.worked):
        day = note_day(text, (*path, "worked", index), document)
        if day and day not in every:
            document.report("no-such-holiday", (*path, "worked", index), value=text)


def warn_of_holidays(spec: Spec, document: Document, today: date) -> None:
    """Lists that run out: a holiday list that ends this year is out of date on New Year's Day."""
    used = {line.hours for line in spec.lines.values()}
    for name, calendar in spec.calendars.items():
        years = {text[:4] for text in calendar.closed} | {
            str(year) for year in (calendar.holidays.years if calendar.holidays else ())
        }
        missing = [str(year) for year in (today.year, today.year + 1) if str(year) not in years]
        if name in used and missing:
            word = "holidays" if calendar.holidays else "closed"
            document.report("holidays-end", ("calendars", name, word), years=", ".join(missing))
