"""Windows join without gap or overlap; cursors survive, or start anew."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Struct

from hub.core.paging import Window, decode_cursor, encode_cursor, windows

_times = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC))
_spans = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=400))


@given(_times, _spans, st.timedeltas(min_value=timedelta(hours=1), max_value=timedelta(days=90)))
def test_windows_cover_the_span_exactly_once(since: datetime, span: timedelta, longest: timedelta):
    cut = list(windows(since, since + span, longest=longest))

    assert cut[0].since == since
    assert cut[-1].until == since + span
    assert all(before.until == after.since for before, after in pairwise(cut))
    assert all(timedelta(0) < window.until - window.since <= longest for window in cut)


@given(_times, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)))
def test_an_empty_span_has_no_windows(since: datetime, back: timedelta):
    assert list(windows(since, since - back, longest=timedelta(days=1))) == []


@pytest.mark.parametrize("longest", [timedelta(0), timedelta(seconds=-1)])
def test_a_window_without_length_is_refused(longest: timedelta):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="longer than zero"):
        list(windows(at, at + timedelta(days=1), longest=longest))


@given(_times, _spans)
def test_halves_join_and_are_both_shorter(since: datetime, span: timedelta):
    assume(span >= timedelta(seconds=2))
    window = Window(since=since, until=since + span)

    first, second = window.halves()

    assert (first.since, first.until, second.until) == (window.since, second.since, window.until)
    assert first.until.microsecond == 0
    assert window.since < first.until < window.until


@given(_times, st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=30)))
def test_halving_ends_in_windows_too_short_to_cut(since: datetime, span: timedelta):
    window = Window(since=since, until=since + span)
    for _ in range(64):
        try:
            window, _rest = window.halves()
        except ValueError:
            break
    assert window.until - window.since <= timedelta(seconds=2)


class _Cursor(Struct, frozen=True):
    window: int
    page: str = ""


class _OtherCursor(Struct, frozen=True):
    after: datetime


def test_a_cursor_comes_back_as_it_was():
    assert decode_cursor(encode_cursor(_Cursor(3, "가=1&b")), _Cursor) == _Cursor(3, "가=1&b")


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", '{"page": "p"}', encode_cursor(_OtherCursor(datetime(2026, 11, 22, tzinfo=UTC)))]
)
def test_a_cursor_of_another_version_starts_anew(text: str | None):
    assert decode_cursor(text, _Cursor) is None
