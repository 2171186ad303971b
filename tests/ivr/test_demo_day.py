from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from ivr import demo_spec_text
from ivr.calls import Call, CallResult, derive_calls
from ivr.check import load_spec
from ivr.counts import count_calls
from ivr.demo_day import write_days
from ivr.records import Tally, read_records
from ivr.spec import routes_from_spec

SPEC = load_spec(demo_spec_text(), source="demo.yaml")
ROUTES = routes_from_spec(SPEC)
SEOUL = ZoneInfo("Asia/Seoul")
MONDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 20)


def calls(lines: list[str]) -> list[Call]:
    tally = Tally()
    found = derive_calls(read_records(lines, zone=SEOUL, tally=tally), ROUTES)
    assert tally.unreadable == 0
    return found


def week(**changes) -> list[str]:
    return list(write_days(SPEC, **{"first": MONDAY, "last": FRIDAY, "seed": 7, **changes}))


def test_the_same_seed_gives_the_same_days_and_another_seed_others():
    assert week() == week()
    assert week() != week(seed=8)


def test_a_day_does_not_depend_on_the_range_it_is_made_in():
    alone = list(write_days(SPEC, first=FRIDAY, last=FRIDAY, seed=7))

    assert week()[-len(alone) :] == alone


def test_every_call_of_the_week_ends_and_has_its_line():
    found = calls(week())

    assert 1200 < len(found) < 2000
    assert all(call.result is not None and call.mall and call.line for call in found)
    assert {(call.mall, call.line) for call in found} == {
        (mall, line) for mall in ("cafe24", "smartstore", "qoo10") for line in ("order", "inquiry")
    }
    assert not {CallResult.SYSTEM_LOST, CallResult.UNKNOWN_DID} & {call.result for call in found}


def test_the_week_shows_everything_a_supervisor_looks_for():
    found = calls(week())
    results = Counter(call.result for call in found)

    for result in (
        "answered",
        "abandoned_notice",
        "abandoned_menu",
        "abandoned_queue",
        "closed",
        "ivr_giveup",
        "callback_requested",
    ):
        assert results[CallResult(result)] > 3, result
    assert 0.5 < results[CallResult.ANSWERED] / len(found) < 0.95
    assert any(call.is_short_abandon for call in found)
    assert any(call.is_transferred_out for call in found)
    assert any(call.topic and call.topic != call.line for call in found)
    assert any(call.chosen_line and call.chosen_line != call.line for call in found)
    assert all(row.ended == row.offered for row in count_calls(found, zone=SEOUL))


def test_an_agent_speaks_with_one_caller_at_a_time():
    talks: dict[str, list[tuple[float, float]]] = {}
    for line in week():
        at, _, _, agent, event, *data = line.rstrip("\n").split("|")
        if event in ("COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER"):
            seconds = int(data[3] if event == "BLINDTRANSFER" else data[1])
            talks.setdefault(agent, []).append((int(at) - seconds, int(at)))
    for spans in talks.values():
        spans.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_lines_are_in_order_and_end_where_the_day_has_come_to():
    now = datetime(2026, 11, 18, 5, 30, tzinfo=UTC)  # 14:30 in Seoul
    lines = week(until=now)
    times = [int(line.split("|", 1)[0]) for line in lines]

    assert times == sorted(times)
    assert now.timestamp() - 600 < times[-1] <= now.timestamp()
    assert lines == week()[: len(lines)]


def test_customers_make_most_of_the_calls():
    found = calls(week(callers=["010-1111-2222", "01033334444"]))
    known = sum(call.caller in ("01011112222", "01033334444") for call in found)

    assert 0.5 < known / len(found) < 0.65
    assert any(call.caller == "" for call in found)


def test_a_sunday_is_closed():
    found = calls(list(write_days(SPEC, first=date(2026, 11, 22), last=date(2026, 11, 22), seed=7)))

    assert {call.result for call in found} == {CallResult.CLOSED}
    assert {call.reason for call in found} == {"hours"}
