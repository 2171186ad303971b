"""Stretches of time and their days and hours in the centre's zone."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, false, or_

from hub.store.database import to_ms

#: a stored time, or a column of them
N = TypeVar("N", int, ColumnElement[int])
MAX_DAYS: Final = 400
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_QUARTER_MS: Final = 900_000


class SpanError(ValueError):
    """A span that no figure is counted for. ``key`` is ``reversed``, ``too_long`` or ``no_time``."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class Span(Struct, frozen=True, kw_only=True):
    """Half-open: ``since`` counts, ``until`` does not. Days and hours are those of ``zone``."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    @property
    def bounds(self) -> tuple[int, int]:
        """In stored milliseconds."""
        return to_ms(self.since) or 0, to_ms(self.until) or 0

    @property
    def days(self) -> list[date]:
        """Every day that the span touches."""
        first = self.since.astimezone(self.zone).date()
        last = (self.until - timedelta(milliseconds=1)).astimezone(self.zone).date()
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def make_span(*, since: datetime, until: datetime, zone: ZoneInfo, max_days: int = MAX_DAYS) -> Span:
    """Raises: SpanError when it is reversed, empty or longer than ``max_days``."""
    if since >= until:
        raise SpanError("reversed", "the span ends before it begins")
    if until - since > timedelta(days=max_days, hours=1):
        raise SpanError("too_long", f"the span is longer than {max_days} days")
    return Span(since=since.astimezone(UTC), until=until.astimezone(UTC), zone=zone)


def day_span(first: date, last: date, *, zone: ZoneInfo, max_days: int = MAX_DAYS) -> Span:
    """Whole days, both counted. Raises: SpanError."""
    try:
        return make_span(
            since=start_of_day(first, zone), until=start_of_day(last + timedelta(days=1), zone), zone=zone,
            max_days=max_days,
        )  # fmt: skip
    except OverflowError:
        raise SpanError("no_time", "no such day") from None


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def at_clock(
    column: ColumnElement[int], span: Span, *, clock_hour: int | None = None, weekday: int | None = None
) -> ColumnElement[bool]:
    """Stored times at an hour of the clock, or on a day of the week, whatever the zone's offset was on each day.

    An hour that a clock runs twice is all of it. ``weekday``: 0 is Monday.
    """
    first, last = (0, 23) if clock_hour is None else (clock_hour, clock_hour)
    edges = [
        (
            start_of_day(day, span.zone).replace(hour=first),
            start_of_day(day, span.zone).replace(hour=last, minute=59, second=59, microsecond=999_000, fold=1),
        )
        for day in span.days
        if weekday in (None, day.weekday())
    ]
    return or_(false(), *(column.between(to_ms(start), to_ms(end)) for start, end in edges))


class Buckets(Struct, frozen=True, kw_only=True):
    """How a database cuts stored times of one span: whole numbers that :meth:`start` turns back into times.

    Where the zone keeps one offset all through the span, a bucket is a day or an hour; else a quarter of
    an hour, because every offset of every zone is a whole number of them, and the caller adds them up.
    """

    offset_ms: int
    unit_ms: int
    zone: ZoneInfo

    def of(self, at: N) -> N:
        """Of a stored time, or of a column of them."""
        return (at + self.offset_ms) // self.unit_ms

    def day(self, bucket: int) -> date:
        return self.start(bucket).date()

    def hour(self, bucket: int) -> datetime:
        """The start of the hour, with the zone's offset of that hour: the two hours of a clock set back differ."""
        start = self.start(bucket).replace(minute=0, second=0, microsecond=0)
        return start.replace(tzinfo=timezone(start.utcoffset() or timedelta()))

    def start(self, bucket: int) -> datetime:
        return datetime.fromtimestamp((bucket * self.unit_ms - self.offset_ms) / 1000, self.zone)


def day_buckets(span: Span) -> Buckets:
    return _buckets(span, _DAY_MS)


def hour_buckets(span: Span) -> Buckets:
    return _buckets(span, _HOUR_MS)


def _buckets(span: Span, unit_ms: int) -> Buckets:
    # A zone never changes and changes back within a day, so one look at each day's start is enough.
    moments = [span.since, span.until, *(start_of_day(day, span.zone) for day in span.days)]
    offsets = {moment.astimezone(span.zone).utcoffset() for moment in moments}
    offset = offsets.pop()
    if offsets or offset is None:
        return Buckets(offset_ms=0, unit_ms=_QUARTER_MS, zone=span.zone)
    return Buckets(offset_ms=round(offset.total_seconds() * 1000), unit_ms=unit_ms, zone=span.zone)


def read_moment(text: str | None, *, zone: ZoneInfo) -> datetime | None:
    """ISO 8601; without an offset it is the centre's zone, a bare day is its start. Raises: SpanError."""
    if not text:
        return None
    # An offset's plus sign that an address did not quote has become a space.
    words = text.strip().replace(" ", "+") if "T" in text else text.strip()
    try:
        moment = datetime.fromisoformat(words)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SpanError("no_time", "write 2026-11-22 or 2026-11-22T09:00:00+09:00") from None
