from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from hub.stats.call_figures import COLUMNS, Figure
from hub.stats.calls import ABSENT, CallFilter, all_calls, calls_per_hour, count_calls_by, read_calls
from hub.stats.dimension import Dimension
from hub.stats.span import Span
from hub.store.database import Database
from ivr.counts import count_calls
from tests.stats.rows import random_calls, store_calls

SEOUL = ZoneInfo("Asia/Seoul")
SINCE = datetime(2026, 11, 20, 15, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=3)
SPAN = Span(since=SINCE, until=UNTIL, zone=SEOUL)


@pytest.mark.parametrize(
    ("zone", "since"),
    [
        pytest.param("Asia/Seoul", SINCE, id="one offset"),
        pytest.param("America/New_York", datetime(2026, 10, 31, tzinfo=UTC), id="clock set back inside the span"),
        pytest.param("Asia/Kathmandu", SINCE, id="offset of quarters"),
        pytest.param("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC), id="clock set by half an hour"),
    ],
)
async def test_the_database_counts_as_the_pure_function_does(database: Database, zone: str, since: datetime):
    until = since + timedelta(days=3)
    found = random_calls(7, 700, since=since - timedelta(days=1), until=until + timedelta(days=1))
    await store_calls(database, found)
    inside = [call for call in found if since.timestamp() <= call.entered_at < until.timestamp()]

    counted = await calls_per_hour(database, since=since, until=until, zone=ZoneInfo(zone))

    assert counted == count_calls(inside, zone=ZoneInfo(zone))
    assert await calls_per_hour(database, zone=ZoneInfo(zone)) == count_calls(found, zone=ZoneInfo(zone))


async def test_no_calls_give_no_rows(database: Database):
    assert await calls_per_hour(database, zone=SEOUL) == []
    assert await calls_per_hour(database, since=SINCE, until=UNTIL, zone=SEOUL) == []
    assert await count_calls_by(database, since=SINCE, until=UNTIL, zone=SEOUL, by=()) == []


async def test_every_figure_opens_to_as_many_calls_as_it_says(database: Database):
    await store_calls(database, random_calls(3, 300, since=SINCE, until=UNTIL))
    by = (Dimension.MALL, Dimension.LINE, Dimension.HANDLING_LINE)

    for count in await count_calls_by(database, since=SINCE, until=UNTIL, zone=SEOUL, by=by):
        for figure in (Figure.OFFERED, Figure.ANSWERED, Figure.ABANDONED_SHORT, Figure.TRANSFERRED_OUT, Figure.CLOSED):
            where = CallFilter(
                figure=figure,
                mall=count.mall or ABSENT,
                line=count.line or ABSENT,
                handling_line=count.handling_line or ABSENT,
            )
            page = await read_calls(database, span=SPAN, where=where)
            assert (page.total, len(page.rows)) == (count.figures[figure], count.figures[figure])


async def test_the_ends_add_up_to_all_calls(database: Database):
    await store_calls(database, random_calls(5, 200, since=SINCE, until=UNTIL))

    totals = {
        figure: (await read_calls(database, span=SPAN, where=CallFilter(figure=figure))).total for figure in Figure
    }
    (whole,) = await count_calls_by(database, since=SINCE, until=UNTIL, zone=SEOUL, by=())

    assert {figure: totals[figure] for figure in COLUMNS} == whole.figures
    parts = (Figure.ANSWERED, Figure.ABANDONED_QUEUE, Figure.OTHER)
    assert sum(totals[figure] for figure in parts) == totals[Figure.OFFERED]


async def test_pages_and_files_show_each_call_once(database: Database):
    found = random_calls(11, 120, since=SINCE, until=UNTIL)
    # many calls in one millisecond: the second key must carry the page
    same = [replace(call, entered_at=SINCE.timestamp()) if number % 2 else call for number, call in enumerate(found)]
    await store_calls(database, same)
    ended = Counter(call.call_id for call in same if call.result is not None)
    seen: Counter[str] = Counter()
    cursor = None

    while True:
        page = await read_calls(database, span=SPAN, where=CallFilter(), cursor=cursor, limit=7)
        seen.update(row.call_id for row in page.rows)
        assert page.total == len(ended)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ended
    assert Counter([row.call_id async for row in all_calls(database, span=SPAN, where=CallFilter())]) == ended


async def test_callers_are_masked(database: Database):
    await store_calls(database, random_calls(1, 60, since=SINCE, until=UNTIL))

    callers = {row.caller async for row in all_calls(database, span=SPAN, where=CallFilter())}

    assert callers == {"010-••••-5678", None}


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.", "-1.a", "99999999999999999999.a", "٣.a", "1.a\0b"])
async def test_a_strange_cursor_is_refused(database: Database, cursor: str):
    with pytest.raises(ValueError, match="not a cursor"):
        await read_calls(database, span=SPAN, where=CallFilter(), cursor=cursor)
