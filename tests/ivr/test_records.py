import csv
import io
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import queue_log
from ivr.cel import CSV_COLUMNS
from ivr.event import Event, Kind, Source, identity
from ivr.records import KEPT_PROBLEMS, LineProblem, Tally, UnknownRecordsError, detect, read_records

FOLDER = Path(__file__).parents[1] / "data" / "asterisk-22.10.1"
SEOUL = ZoneInfo("Asia/Seoul")
GOOD = "1795310905|1795310905.0|NONE|NONE|IVR|ENTER|malla|order|07000001001|01000005001"


def read(lines: list[str]) -> tuple[list[Event], Tally]:
    tally = Tally()
    return list(read_records(lines, zone=SEOUL, tally=tally)), tally


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("179531", "fewer than five columns"),
        ("1795310905|1795310905.0|malla_order|NONE|ENTERQ", "an event is cut short"),
        ("1795310905|1795310905.0|malla_order|NONE|ENTERQUEUE||0100", "an event is cut short"),
        ("1795310905|1795310905.0|malla_order|NONE|ABANDON|1|1|x", "a number of seconds is broken"),
        ("1795310905|1795310905.0|malla_order|NONE|ABANDON|1|1|-3", "a number of seconds is broken"),
        ("1795310905|NONE|malla_order|NONE|ABANDON|1|1|3", "no call id"),
        ("nan|1795310905.0|malla_order|NONE|ABANDON|1|1|3", "the time is not an epoch"),
        ("1_795_310_905|1795310905.0|malla_order|NONE|ABANDON|1|1|3", "the time is not an epoch"),
        ("1795310905|1795310905.0|NONE|NONE|IVR|ENTER|malla|ord", "an IVR step is cut short"),
        ("\x00\ufffd\ufffd", "fewer than five columns"),
        ("x" * 400_000, "fewer than five columns"),
    ],
)
def test_a_broken_queue_log_line_is_counted_with_its_number(line, reason):
    events, tally = read([GOOD + "\n", line + "\n", GOOD + "\n"])

    assert len(events) == 2
    assert (tally.lines, tally.events, tally.unreadable) == (3, 2, 1)
    assert tally.problems == [LineProblem(2, reason)]


def test_unknown_events_are_counted_by_name():
    step = "1795310905|1795310905.0|NONE|NONE|IVR|DANCE|a|b|c|d"
    _, tally = read([GOOD, step, *["1795310905|1795310905.0|q|NONE|NEWTHING|1"] * 150])

    assert tally.unknown_events == {"NEWTHING": 150, "IVR DANCE": 1}
    assert (tally.lines, tally.events, tally.ignored, tally.unreadable) == (152, 1, 151, 0)


def test_of_many_unreadable_lines_the_first_are_named():
    _, tally = read([GOOD, *["1795310905|x|torn"] * 150])

    assert (tally.unreadable, len(tally.problems)) == (150, KEPT_PROBLEMS)


@pytest.mark.parametrize("name", ["queue_log", "cel.jsonl", "ami_events.jsonl", "cdr.csv"])
def test_torn_lines_never_stop_the_reading(name):
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    torn = [line if index % 7 else line[: len(line) // 3] for index, line in enumerate(lines)]

    events, tally = read(torn)

    assert tally.unreadable >= len(lines) // 7
    assert tally.lines == tally.events + tally.ignored + tally.unreadable == len(lines)
    assert len(events) == tally.events


@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.from_regex(r"\A[0-9]{10}\|[^\n]*\|q\|a\|[A-Z]+\|[^\n]*\Z")), max_size=20
    )
)
@settings(max_examples=150, deadline=None)
def test_any_text_is_an_event_or_is_counted(texts):
    _, tally = read([GOOD, *texts])

    assert tally.lines == len(texts) + 1 == tally.events + tally.ignored + tally.unreadable


def rows_of_cel() -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / "cel.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("has_header", [False, True])
def test_cel_as_csv_says_the_same_as_cel_as_json(has_header):
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    if has_header:
        writer.writerow(CSV_COLUMNS)
    for row in rows_of_cel():
        writer.writerow([row.get(name, "") for name in CSV_COLUMNS])

    from_csv, tally = read(file.getvalue().splitlines())
    from_json, _ = read((FOLDER / "cel.jsonl").read_text(encoding="utf-8").splitlines())

    assert tally.source is Source.CEL
    assert tally.unreadable == 0
    assert from_csv == from_json


def test_local_times_of_a_cdr_are_read_in_the_zone():
    events, _ = read((FOLDER / "cdr.csv").read_text(encoding="utf-8").splitlines())

    first = min(event.at for event in events)
    assert first == 1795310905.0
    assert all(event.kind is Kind.ROW for event in events)


@pytest.mark.parametrize(
    ("start", "uniqueid", "zone", "at"),
    [
        ("2026-11-22 10:28:25", "1795310905.0", SEOUL, 1795310905),
        ("2026-11-22 01:28:25", "1795310905.0", SEOUL, 1795310905),  # usegmtime=yes
        ("2026-11-22 01:38:25", "busan-1795310905.7", SEOUL, 1795311505),  # a later row of the same channel
        ("2026-11-22 10:28:25", "no-time", SEOUL, 1795310905),
        ("2026-10-25 02:30:00", "1792888200.1", ZoneInfo("Europe/Berlin"), 1792888200),  # the first of two such hours
        ("2026-10-25 02:30:00", "1792891800.1", ZoneInfo("Europe/Berlin"), 1792891800),  # the second
    ],
)
def test_the_channels_own_time_tells_how_a_cdr_without_offset_is_read(start, uniqueid, zone, at):
    times = f'"{start}","{start}","{start}",1,0,"ANSWERED","DOCUMENTATION"'
    row = f'"","010","07000001001","from-trunk","","c","","Hangup","1",{times},"{uniqueid}","","","{uniqueid}",1\n'

    assert [event.at for event in read_records([row], zone=zone, tally=Tally())] == [at]


def test_what_is_no_call_record_is_refused():
    for text in ("hello", '{"type":"StasisStart"}', "a,b,c", "\x00"):
        with pytest.raises(UnknownRecordsError, match="queue_log"):
            detect([text])


def test_an_empty_file_has_no_events():
    assert read([]) == ([], Tally())
    assert read(["\n", "  \n"])[0] == []


def test_a_torn_first_line_does_not_hide_the_kind():
    assert detect(["905.0|malla", GOOD]) is Source.QUEUE_LOG
    assert detect(['{"recv": 17953', '{"Event": "Hangup", "Timestamp": "1795310905.1"}']) is Source.AMI


def test_a_callback_number_is_kept_as_the_caller_only():
    line = "1795310966|1795310962.54|NONE|NONE|IVR|CALLBACK|01000005016||07000002002|"
    (event,), _ = read([line])

    assert event.caller == "01000005016"
    assert event.detail == ""
    assert "01000005016" not in repr(event)


def test_an_attended_transfer_line_has_two_shapes():
    bridge = "1795310966|1795310962.54|q|a|ATTENDEDTRANSFER|BRIDGE|5ee|1|18|1"
    link = "1795310966|1795310962.54|q|a|ATTENDEDTRANSFER|LINK|IAX2/a|IAX2/b|1|18|1"
    events, _ = read([bridge, link])

    assert [(event.wait, event.talk, event.detail) for event in events] == [(1.0, 18.0, "attended")] * 2


def test_a_step_tells_the_way_it_took_where_the_dialplan_writes_it():
    step = "1795310905|1795310905.1|NONE|NONE|IVR|KEY|1|order|07000001001|01000001001"
    before, after = queue_log.parse_line(step), queue_log.parse_line(f"{step}|malla-order.key.1")

    assert (before.way, after.way) == ("", "malla-order.key.1")
    assert identity(before) == identity(after)
