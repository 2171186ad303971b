"""The figures per line against the same counted one call after the other, and every figure against its calls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from hub.stats.call_figures import LINE_COLUMNS, Figure, Terms
from hub.stats.call_lines import Formula, quality_per_line, topics_per_line
from hub.stats.calls import ABSENT, CallFilter, read_calls
from hub.stats.dimension import Dimension
from hub.stats.report import Asked, read_report
from hub.stats.span import Span
from hub.stats.staffing import WhatIf, staffing_needs
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.sealed import normal_phone
from hub.store.tables import orders
from ivr.calls import Call, CallResult
from tests.stats.rows import random_calls, store_calls, store_shop

LINE, HOUR = Dimension.LINE, Dimension.HOUR
SEOUL = ZoneInfo("Asia/Seoul")
SINCE = datetime(2026, 11, 20, 15, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=3)
SPAN = Span(since=SINCE, until=UNTIL, zone=SEOUL)
TERMS = Terms(within_seconds=10, repeat_hours=6)
TOPICS = ("order", "order_help.web_error", "order_help.prefers_phone", "order_status", "delivery", "abuse", None)
ORDER_TOPICS = ("order", "order_help.web_error", "order_help.prefers_phone")
CALLERS = tuple(f"0101000{number:04}" for number in range(25))
UNREACHED = ("abandoned_notice", "abandoned_menu", "abandoned_queue", "left_queue", "not_joined", "ivr_giveup")


def some_calls(seed: int, count: int = 250) -> list[Call]:
    random = Random(seed)
    return [
        replace(
            call,
            topic=random.choice(TOPICS),
            caller=random.choice((*CALLERS, "", "anonymous")),
            wait_seconds=random.choice([None, 0.0, 3.5, 10.0, 10.5, 40.0]),
        )
        for call in random_calls(seed, count, since=SINCE, until=UNTIL)
    ]


async def store_order(database: Database, shop_id: int, *, at: datetime, buyer: str = "", receiver: str = "") -> None:
    number = new_id()
    async with database.writing() as connection:
        await connection.execute(
            orders.insert().values(
                id=number,
                shop_id=shop_id,
                sub_shop="",
                order_no=str(number),
                ordered_at=to_ms(at),
                buyer_phone_idx=blinded(database, buyer),
                receiver_phone_idx=blinded(database, receiver),
                head_line_no="1",
                content_hash=b"-",
                first_seen_at=0,
                fetched_at=0,
            )
        )


def blinded(database: Database, phone: str) -> bytes | None:
    normal = normal_phone(phone)
    return database.box.blind("phone", normal) if normal else None


def is_numbered(call: Call) -> bool:
    return call.caller.startswith("010")


def again(call: Call, found: list[Call], results: tuple[str, ...], hours: tuple[float, float]) -> bool:
    return any(
        other.caller == call.caller
        and other.mall is not None
        and other.mall == call.mall
        and other.result is not None
        and other.result.value in results
        and hours[0] <= (other.entered_at - call.entered_at) / 3600 <= hours[1]
        and other.entered_at != call.entered_at
        for other in found
        if is_numbered(call)
    )


def conditions(found: list[Call], ordered: dict[str, datetime]) -> dict[Figure, Callable[[Call], bool]]:
    def answered(call: Call) -> bool:
        return call.result is CallResult.ANSWERED

    def waited(call: Call) -> float:
        return call.wait_seconds if call.wait_seconds is not None else 1e9

    def knows(call: Call) -> bool:
        return call.caller in ordered and ordered[call.caller].timestamp() < call.entered_at

    def is_wrong(call: Call) -> bool:
        if call.topic is None or call.topic == "abuse":
            return False
        return call.line == ("inquiry" if call.topic in ORDER_TOPICS else "order")

    return {
        Figure.OFFERED: lambda call: True,
        Figure.OFFERED_IN_HOURS: lambda call: call.result not in (CallResult.CLOSED, CallResult.UNKNOWN_DID),
        Figure.OFFERED_QUEUE: lambda call: call.wait_seconds is not None,
        Figure.ANSWERED: answered,
        Figure.ANSWERED_IN_TIME: lambda call: answered(call) and waited(call) <= 10,
        Figure.ABANDONED_QUEUE: lambda call: call.result is CallResult.ABANDONED_QUEUE,
        Figure.ABANDONED_SHORT: lambda call: call.is_short_abandon,
        Figure.ABANDONED_IN_TIME: lambda call: call.result is CallResult.ABANDONED_QUEUE and waited(call) <= 10,
        Figure.TRANSFERRED_OUT: lambda call: call.is_transferred_out,
        Figure.WITH_TOPIC: lambda call: answered(call) and call.topic is not None,
        Figure.MISDIALLED: lambda call: answered(call) and is_wrong(call),
        Figure.ORDER_ASSIST: lambda call: (
            answered(call) and (call.line, call.topic) == ("order", "order_help.web_error")
        ),
        Figure.CALLER_KNOWN: lambda call: is_numbered(call) and knows(call),
        Figure.CALLER_NEW: lambda call: is_numbered(call) and not knows(call),
        Figure.CALLER_WITHHELD: lambda call: not is_numbered(call),
        Figure.UNREACHED: lambda call: str(call.result) in UNREACHED,
        Figure.REPEATED: lambda call: again(call, found, UNREACHED, (-6, 0)),
        Figure.RECOVERED: lambda call: str(call.result) in UNREACHED and again(call, found, ("answered",), (0, 6)),
    }


async def test_figures_are_those_counted_one_by_one(database: Database):
    found = some_calls(2)
    await store_calls(database, found)
    shop_id = await store_shop(database, "main", "cafe24")
    ordered = {phone: SINCE + timedelta(hours=4 * place) for place, phone in enumerate(CALLERS[:15])}
    for place, (phone, at) in enumerate(ordered.items()):
        who = {"buyer": phone} if place % 2 else {"receiver": phone, "buyer": "01099999999"}
        await store_order(database, shop_id, at=at, **who)

    counted = await quality_per_line(database, since=SINCE, until=UNTIL, zone=SEOUL, terms=TERMS)

    wanted = conditions(found, ordered)
    assert set(wanted) == set(LINE_COLUMNS)
    seen = dict.fromkeys(LINE_COLUMNS, 0)
    for row in counted:
        of_line = [call for call in found if call.result and (call.mall, call.line) == (row.mall, row.line)]
        for figure, counts in wanted.items():
            assert row.figures[figure] == sum(map(counts, of_line)), (row.mall, row.line, figure)
            seen[figure] += row.figures[figure]
        talks = [call.talk_seconds or 0 for call in of_line if call.result is CallResult.ANSWERED]
        assert row.talked == pytest.approx(sum(talks))
        given_up = [call.wait_seconds or 0 for call in of_line if call.result is CallResult.ABANDONED_QUEUE]
        assert row.gave_up == pytest.approx(sum(given_up))
    parts = await quality_per_line(database, since=SINCE, until=UNTIL, zone=SEOUL, terms=TERMS, by=(LINE, HOUR))
    for line in {row.line for row in counted}:
        whole, hours = ([row for row in rows if row.line == line] for rows in (counted, parts))
        assert len({row.hour for row in hours}) == len(hours) > 24
        for name in ("waited", "talked", "timed", "gave_up"):
            assert sum(getattr(row, name) for row in hours) == pytest.approx(sum(getattr(row, name) for row in whole))
        for figure in LINE_COLUMNS:
            assert sum(row.figures[figure] for row in hours) == sum(row.figures[figure] for row in whole)
    assert all(seen.values()), "a figure that is never above zero proves nothing"


async def test_every_figure_opens_to_its_calls(database: Database):
    await store_calls(database, some_calls(4, 120))

    for row in await quality_per_line(database, since=SINCE, until=UNTIL, zone=SEOUL, terms=TERMS):
        for figure, number in row.figures.items():
            where = CallFilter(figure=figure, mall=row.mall or ABSENT, line=row.line or ABSENT, terms=TERMS)
            assert (await read_calls(database, span=SPAN, where=where)).total == number, figure


async def test_the_four_formulas_of_the_service_level(sqlite_database: Database):
    base = replace(some_calls(1, 1)[0], mall="cafe24", line="order", is_short_abandon=False, is_transferred_out=False)
    waits = [
        *[(CallResult.ANSWERED, 5.0)] * 6,
        *[(CallResult.ANSWERED, 30.0)] * 1,
        *[(CallResult.ABANDONED_QUEUE, 2.0)] * 2,
        *[(CallResult.ABANDONED_QUEUE, 60.0)] * 1,
    ]
    made = [
        replace(base, call_id=f"1.{number}", result=result, wait_seconds=wait)
        for number, (result, wait) in enumerate(waits)
    ]
    await store_calls(sqlite_database, made)

    levels = {}
    for formula in Formula:
        (row,) = await quality_per_line(sqlite_database, zone=SEOUL, formula=formula)
        levels[formula.value] = row.service_level
        assert (row.asa_seconds, row.ata_seconds) == (8.6, 21.3)

    assert levels == {"offered": 0.6, "without_abandoned": 0.8571, "without_early": 0.75, "with_early": 0.8}


async def test_rates_of_nothing_are_unknown(sqlite_database: Database):
    call = replace(some_calls(1, 1)[0], line="inquiry", result=CallResult.CLOSED, wait_seconds=None)
    await store_calls(sqlite_database, [call])

    (row,) = await quality_per_line(sqlite_database, zone=SEOUL)

    assert (row.service_level, row.asa_seconds, row.aht_seconds, row.misdial_rate) == (None, None, None, None)
    assert (row.ata_seconds, row.order_assist_share) == (None, None)


async def test_topics_open_to_their_calls(database: Database):
    await store_calls(database, some_calls(6))

    counted = await topics_per_line(database, since=SINCE, until=UNTIL, zone=SEOUL)

    assert {row.topic_line for row in counted} == {"order", "inquiry", None}
    for row in counted:
        where = CallFilter(
            figure=Figure.ANSWERED, mall=row.mall or ABSENT, line=row.line or ABSENT, topic=row.topic or ABSENT
        )
        assert (await read_calls(database, span=SPAN, where=where)).total == row.answered
    misdialled = sum(row.answered for row in counted if row.is_misdialled)
    where = CallFilter(figure=Figure.MISDIALLED)
    assert (await read_calls(database, span=SPAN, where=where)).total == misdialled > 0


async def test_the_report_says_which_formula_and_terms_it_used(sqlite_database: Database):
    await store_calls(sqlite_database, some_calls(6, 40))
    asked = Asked(terms=TERMS, formula=Formula.WITH_EARLY)

    report = await read_report(sqlite_database, name="lines", zone=SEOUL, asked=asked)

    assert report.definitions["service_level"] == "(answered_in_time + abandoned_in_time) ÷ offered_queue."
    assert "10 seconds" in report.definitions["answered_in_time"]
    assert "6 hours" in report.definitions["recovered"]
    assert {(row["formula"], row["within_seconds"]) for row in report.rows} == {("with_early", 10)}
    assert all(tuple(row) == report.columns for row in report.rows)
    assert set(report.definitions) == set(report.columns) - {"mall", "line"}


async def test_a_pure_what_if_needs_no_calls(sqlite_database: Database):
    what_if = WhatIf(calls_per_hour=200, handling_seconds=180, agents=14, shrinkage=0.3)

    (need,) = await staffing_needs(sqlite_database, zone=SEOUL, what_if=what_if)

    assert (need.traffic, need.waiting, need.service_level, need.asa_seconds) == (10, 0.174, 0.888, 7.8)
    assert (need.needed, need.on_roster) == (14, 20)


@pytest.mark.parametrize(
    ("zone", "since"),
    [
        pytest.param("Asia/Seoul", SINCE, id="one offset"),
        pytest.param("America/New_York", datetime(2026, 10, 31, tzinfo=UTC), id="clock set back inside the span"),
    ],
)
async def test_staffing_counts_own_calls_per_hour_of_the_day(database: Database, zone: str, since: datetime):
    span = Span(since=since, until=since + timedelta(days=3), zone=ZoneInfo(zone))
    await store_calls(database, random_calls(8, 300, since=span.since, until=span.until))

    needs = await staffing_needs(database, since=span.since, until=span.until, zone=span.zone, what_if=WhatIf())

    assert {need.line for need in needs} == {"order", "inquiry"}
    for need in needs:
        where = CallFilter(figure=Figure.OFFERED_QUEUE, line=need.line, clock_hour=need.hour)
        assert (await read_calls(database, span=span, where=where)).total == need.calls
        assert need.calls_per_hour == round(need.calls / need.days, 2)
        assert need.handling_seconds == 120.2
        assert need.service_level is None or need.service_level >= 0.8


async def test_without_a_known_talking_time_there_is_no_answer(sqlite_database: Database):
    call = replace(some_calls(1, 1)[0], line="order", result=CallResult.ABANDONED_QUEUE, wait_seconds=9.0)
    await store_calls(sqlite_database, [call])

    (need,) = await staffing_needs(sqlite_database, zone=SEOUL, what_if=WhatIf())

    assert (need.calls, need.handling_seconds, need.needed, need.service_level) == (1, None, None, None)
