"""Odd calls, told in queue_log lines as the PBX writes them."""

import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.calls import LOST_AFTER_SECONDS, Call, derive_calls
from ivr.counts import count_calls
from ivr.records import Tally, read_records
from ivr.routes import Place, Routes, RoutesError, plain_number, routes_from_map

SEOUL = ZoneInfo("Asia/Seoul")
T = 1795310900
ROUTES = routes_from_map(
    json.dumps(
        {
            "timezone": "Asia/Seoul",
            "did": {"07000001001": "malla/order", "07000001002": {"mall": "malla", "line": "inquiry"}},
            "queues": {
                "malla_order": {"mall": "malla", "line": "order"},
                "malla_inquiry": {"mall": "malla", "line": "inquiry"},
            },
        }
    )
)
ENTER = "IVR|ENTER|malla|order|07000001001|01000000001"


def log(*steps: tuple[float, str], callid: str = f"{T}.1") -> list[str]:
    """(seconds after T, "queue|agent|EVENT|…" or "IVR|…") -> queue_log lines of one call."""
    return [
        f"{T + int(at)}|{callid}|{text if not text.startswith('IVR') else 'NONE|NONE|' + text}\n" for at, text in steps
    ]


def calls(lines: list[str], *, as_of: float | None = None) -> list[Call]:
    tally = Tally()
    events = list(read_records(lines, zone=SEOUL, tally=tally))
    assert tally.unreadable == 0, tally.problems
    return derive_calls(events, ROUTES, as_of=as_of)


def one(*steps: tuple[float, str], as_of: float | None = None) -> Call:
    (call,) = calls(log(*steps), as_of=as_of)
    return call


WAITING = (
    (0, ENTER),
    (3, "IVR|KEY|1|order|07000001001|01000000001"),
    (4, "malla_order|NONE|ENTERQUEUE||01000000001|1"),
)
TALKING = (*WAITING, (6, "malla_order|agent1|CONNECT|2|1.2|2"))


def test_a_plain_queue_log_without_steps_counts_by_queue():
    call = one(
        (0, "malla_inquiry|NONE|ENTERQUEUE|||1"),
        (9, "malla_inquiry|agent1|CONNECT|9|1.2|2"),
        (29, "malla_inquiry|agent1|COMPLETECALLER|9|20|1"),
    )

    assert (call.result, call.did, call.mall, call.line) == ("answered", None, "malla", "inquiry")
    assert (call.wait_seconds, call.talk_seconds, call.chosen_line, call.handling_line) == (9, 20, None, "inquiry")


@pytest.mark.parametrize("word", ["QUEUESTART", "CONFIGRELOAD"])
@pytest.mark.parametrize("steps", [WAITING[:1], WAITING, TALKING], ids=["menu", "waiting", "talking"])
def test_a_restart_loses_the_calls_that_have_no_end(steps, word):
    (call,) = calls([*log(*steps), f"{T + 60}|NONE|NONE|NONE|{word}|\n"])

    assert call.result == "system_lost"
    assert count_calls([call], zone=SEOUL)[0].system_lost == 1


def test_a_restart_before_the_end_of_a_call_loses_nothing():
    lines = [*log(*WAITING, (90, "malla_order|NONE|ABANDON|1|1|86")), f"{T + 60}|NONE|NONE|NONE|CONFIGRELOAD|\n"]

    assert calls(lines)[0].result == "abandoned_queue"


def test_a_disposition_written_after_the_restart_does_not_revive_the_call():
    lines = [*log(*TALKING, (70, "malla_order|agent1|DISPOSITION|order")), f"{T + 60}|NONE|NONE|NONE|QUEUESTART|\n"]

    assert calls(lines)[0].result == "system_lost"


def test_a_call_that_goes_on_has_no_result_and_is_not_counted():
    call = one(*WAITING)

    assert call.result is None
    assert count_calls([call], zone=SEOUL) == []


def test_a_call_that_never_ended_is_given_up_after_hours():
    assert one(*WAITING, as_of=T + 4 + LOST_AFTER_SECONDS - 1).result is None
    assert one(*WAITING, as_of=T + 4 + LOST_AFTER_SECONDS).result == "system_lost"


def test_a_blind_transfer_logged_as_complete_is_seen_by_the_second_queue():
    call = one(
        *TALKING,
        (14, "malla_order|agent1|COMPLETEAGENT|2|8|1"),
        (14, "malla_inquiry|NONE|ENTERQUEUE||01000000001|1"),
        (20, "malla_inquiry|agent2|CONNECT|6|1.3|2"),
        (30, "malla_inquiry|agent2|COMPLETECALLER|6|10|1"),
    )

    assert (call.result, call.line, call.handling_line) == ("answered", "order", "inquiry")
    assert call.is_transferred_out
    assert (call.wait_seconds, call.talk_seconds, call.agents) == (2, 18, ("agent1", "agent2"))


def test_a_call_lost_after_its_transfer_stays_answered():
    call = one(
        *TALKING,
        (14, "malla_order|agent1|BLINDTRANSFER|72|xfer|2|8|1"),
        (14, "malla_inquiry|NONE|ENTERQUEUE||01000000001|1"),
        (40, "malla_inquiry|NONE|ABANDON|1|1|26"),
    )

    assert (call.result, call.handling_line, call.is_transferred_out) == ("answered", "order", True)
    assert not call.is_short_abandon


def test_a_transfer_to_a_number_outside_is_a_transfer():
    call = one(*TALKING, (14, "malla_order|agent1|BLINDTRANSFER|0312345678|out|2|8|1"))

    assert (call.result, call.is_transferred_out, call.talk_seconds) == ("answered", True, 8)


def test_a_question_to_a_colleague_is_no_transfer():
    consultation = log(
        (8, "IVR|XFER|malla_inquiry||07000001001|"),
        (8, "malla_inquiry|NONE|ENTERQUEUE|||1"),
        (10, "malla_inquiry|agent2|CONNECT|2|1.4|2"),
        (15, "malla_inquiry|agent2|COMPLETEAGENT|2|5|1"),
        callid=f"{T + 8}.3",
    )
    (call,) = calls([*log(*TALKING, (36, "malla_order|agent1|COMPLETECALLER|2|30|1")), *consultation])

    assert (call.handling_line, call.agent, call.is_transferred_out) == ("order", "agent1", False)
    assert call.talk_seconds == 30


def test_a_consultation_is_joined_to_the_talk_in_which_it_began():
    other = log(
        (0, "IVR|ENTER|malla|inquiry|07000001002|01000000002"),
        (1, "malla_inquiry|NONE|ENTERQUEUE||01000000002|1"),
        (2, "malla_inquiry|agent9|CONNECT|1|1.9|1"),
        (50, "malla_inquiry|agent9|COMPLETEAGENT|1|48|1"),
        callid=f"{T}.7",
    )
    consultation = log(
        (8, "IVR|XFER|malla_inquiry||07000001001|"),
        (8, "malla_inquiry|NONE|ENTERQUEUE|||1"),
        (10, "malla_inquiry|agent2|CONNECT|2|1.4|2"),
        (40, "malla_inquiry|agent2|COMPLETEAGENT|2|30|1"),
        callid=f"{T + 8}.3",
    )
    first, second = calls([*log(*TALKING, (20, "malla_order|agent1|COMPLETEAGENT|2|14|1")), *other, *consultation])

    assert (first.agents, first.handling_line, first.is_transferred_out) == (("agent1", "agent2"), "inquiry", True)
    assert first.talk_seconds == 34
    assert (second.agents, second.is_transferred_out) == (("agent9",), False)


def test_a_withheld_number_is_no_consultation():
    assert len(calls([*log(*TALKING), *log((7, "IVR|ENTER|malla|order|07000001001|"), callid=f"{T + 7}.5")])) == 2


def test_overflow_waits_add_up():
    call = one(
        *WAITING,
        (24, "malla_order|NONE|EXITWITHTIMEOUT|1|1|20"),
        (24, "malla_inquiry|NONE|ENTERQUEUE||01000000001|1"),
        (29, "malla_inquiry|agent2|CONNECT|5|1.3|2"),
        (39, "malla_inquiry|agent2|COMPLETECALLER|5|10|1"),
    )

    assert (call.result, call.wait_seconds, call.is_transferred_out) == ("answered", 25, False)


def test_the_same_queue_twice_in_one_second_pairs_rightly():
    call = one(
        *WAITING,
        (24, "malla_order|NONE|EXITWITHTIMEOUT|1|1|20"),
        (24, "malla_order|NONE|ENTERQUEUE||01000000001|1"),
        (27, "malla_order|NONE|ABANDON|1|1|3"),
    )

    # Three seconds in the second queue, but nobody who waited 23 hung up early.
    assert (call.result, call.wait_seconds, call.is_short_abandon) == ("abandoned_queue", 23, False)


@pytest.mark.parametrize(("wait", "is_short"), [(4, True), (5, False)])
def test_an_abandon_is_short_under_five_seconds(wait, is_short):
    call = one(*WAITING, (4 + wait, f"malla_order|NONE|ABANDON|1|1|{wait}"))

    assert call.is_short_abandon is is_short
    assert count_calls([call], zone=SEOUL)[0].abandoned_short == is_short


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("EXITWITHKEY|9|1|1|6", "key"),
        ("EXITEMPTY|1|1|6", "empty"),
        ("WITHDRAW|1|1|6|moved-to-chat", "withdrawn"),
        ("EXITWITHTIMEOUT|1|1|6", "timeout"),
    ],
)
def test_every_way_out_of_the_queue(event, reason):
    call = one(*WAITING, (10, f"malla_order|NONE|{event}"))

    assert (call.result, call.reason, call.wait_seconds) == ("left_queue", reason, 6)


def test_a_callback_after_the_queue_is_the_result():
    call = one(*WAITING, (10, "malla_order|NONE|EXITWITHKEY|9|1|1|6"), (11, "IVR|CALLBACK|01000000001||07000001001|"))

    assert (call.result, call.caller) == ("callback_requested", "01000000001")


def test_who_was_let_into_no_queue_has_tried_one_whatever_came_after():
    refused = (
        (4, "IVR|QUEUE|malla_order||07000001001|"),
        (4, "IVR|QRESULT|malla_order|FULL|07000001001|"),
    )
    wish = one(*WAITING[:2], *refused, (9, "IVR|CALLBACK|01000000001||07000001001|"), (12, "IVR|HANGUP|16|"))
    only_hung_up = one(*WAITING[:2], *refused, (12, "IVR|HANGUP|16|"))
    menu = one(*WAITING[:2], (9, "IVR|CALLBACK|01000000001||07000001001|"), (12, "IVR|HANGUP|16|"))

    assert (wish.result, wish.wait_seconds) == ("callback_requested", 0)
    assert (only_hung_up.result, only_hung_up.wait_seconds) == ("not_joined", 0)
    assert (menu.result, menu.wait_seconds) == ("callback_requested", None)


def test_a_number_that_goes_to_another_line_takes_no_earlier_call_with_it():
    """The dialplan of that moment said which line it was; the map of today says another."""
    moved = routes_from_map('{"did": {"07000001001": "malla/inquiry", "07000001003": "malla/order"}}')
    own_words = "IVR|ENTER|shop7|hotline|07000001001|"
    for told, line in ((ENTER, "order"), (ENTER.replace("|order|", "|inquiry|"), "inquiry"), (own_words, "inquiry")):
        (call,) = derive_calls(read_records(log((0, told)), zone=SEOUL, tally=Tally()), moved)
        assert (call.mall, call.line) == ("malla", line)


def test_a_number_nobody_routes_is_its_own_result():
    call = one((0, "IVR|ENTER|||07099999999|01000000001"), (2, "IVR|HANGUP|1|"))

    assert (call.result, call.did, call.mall, call.line) == ("unknown_did", "07099999999", None, None)


def test_an_unknown_number_of_a_cdr_is_counted_and_an_outbound_call_is_not():
    def row(context: str, destination: str, callid: str) -> str:
        times = '"2026-11-22 10:28:25","","2026-11-22 10:28:26",1,0,"NO ANSWER","DOCUMENTATION"'
        return f'"","010","{destination}","{context}","","c","","Hangup","1",{times},"{callid}","","","{callid}",1\n'

    events = list(
        read_records(
            [row("from-trunk", "07099999999", f"{T}.1"), row("from-agent", "01012345678", f"{T}.2")],
            zone=SEOUL,
            tally=Tally(),
        )
    )
    (call,) = derive_calls(events, ROUTES)

    assert (call.result, call.did) == ("unknown_did", "07099999999")


def test_a_lost_end_line_is_filled_by_the_hang_up():
    assert one(*WAITING, (20, "IVR|HANGUP|16|path")).result == "abandoned_queue"
    assert one(*TALKING, (20, "IVR|HANGUP|16|path")).talk_seconds == 14


def test_a_lost_join_line_is_filled_by_the_end():
    call = one((0, ENTER), (30, "malla_order|agent1|COMPLETEAGENT|5|20|1"))

    assert (call.result, call.wait_seconds, call.talk_seconds) == ("answered", 5, 20)


LEFT = "malla_order|NONE|EXITWITHTIMEOUT|1|1|20"


def test_a_record_that_stands_twice_is_one():
    lines = log(*WAITING, (24, LEFT), (25, "IVR|HANGUP|16|"))

    assert calls([line for line in lines for _ in range(2)]) == calls(lines)


@pytest.mark.parametrize(
    ("steps", "result"),
    [
        (((0, "IVR|CLOSED|hours||07000001001|"), (4, "IVR|HANGUP|16|")), "closed"),
        (((3, "IVR|KEY|9|callback|07000001001|"), (9, "IVR|HANGUP|16|")), "abandoned_menu"),
        (((3, "IVR|NOINPUT|||07000001001|"), (9, "IVR|HANGUP|16|")), "abandoned_menu"),
        (((3, "IVR|GIVEUP|3||07000001001|"), (9, "IVR|HANGUP|16|")), "ivr_giveup"),
        (((3, "IVR|CALLBACK|01000000001||07000001001|"), (9, "IVR|HANGUP|16|")), "callback_requested"),
    ],
)
def test_a_call_whose_first_line_was_lost_still_counts(steps, result):
    call = one(*steps)

    assert (call.result, call.mall, call.line) == (result, "malla", "order")


def test_whoever_stands_in_the_next_queue_has_left_the_one_before():
    further = (
        (24, "malla_inquiry|NONE|ENTERQUEUE||01000000001|1"),
        (29, "malla_inquiry|agent2|CONNECT|5|1.3|2"),
        (39, "malla_inquiry|agent2|COMPLETECALLER|5|10|1"),
        (40, "IVR|HANGUP|16|"),
    )
    overflow, transfer = one(*WAITING, *further), one(*TALKING, *further)

    assert (overflow.result, overflow.wait_seconds, overflow.is_transferred_out) == ("answered", 25, False)
    assert (transfer.handling_line, transfer.agents, transfer.is_transferred_out) == (
        "inquiry",
        ("agent1", "agent2"),
        True,
    )
    assert transfer.talk_seconds == 18 + 10


def test_a_consultation_is_joined_though_the_line_that_answered_was_lost():
    consultation = log(
        (8, "IVR|XFER|malla_inquiry||07000001001|"),
        (8, "malla_inquiry|NONE|ENTERQUEUE|||1"),
        (10, "malla_inquiry|agent2|CONNECT|2|1.4|2"),
        (40, "malla_inquiry|agent2|COMPLETEAGENT|2|30|1"),
        callid=f"{T + 8}.3",
    )
    (call,) = calls([*log(*WAITING, (20, "malla_order|agent1|COMPLETEAGENT|2|14|1")), *consultation])

    assert (call.agents, call.handling_line, call.is_transferred_out) == (("agent1", "agent2"), "inquiry", True)


def test_the_length_of_the_notice_tells_notice_from_menu():
    routes = Routes(timezone="Asia/Seoul", dids={"07000001001": Place("malla", "order", notice_seconds=8)}, queues={})
    for seconds, result in ((4, "abandoned_notice"), (9, "abandoned_menu")):
        events = read_records(log((0, ENTER), (seconds, "IVR|HANGUP|16|")), zone=SEOUL, tally=Tally())
        assert derive_calls(events, routes)[0].result == result


def test_a_call_counts_in_the_hour_in_which_it_entered():
    start = 1795312799  # 10:59:59 in Seoul
    lines = [
        f"{start}|{start}.1|malla_order|NONE|ENTERQUEUE||010|1\n",
        f"{start + 9}|{start}.1|malla_order|NONE|ABANDON|1|1|9\n",
    ]
    (row,) = count_calls(calls(lines), zone=SEOUL)

    assert row.hour == "2026-11-22T10:00:00+09:00"
    assert count_calls(calls(lines), zone=ZoneInfo("Asia/Kathmandu"))[0].hour == "2026-11-22T07:00:00+05:45"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[]", "map"),
        ("{", "map"),
        ("{}", "map"),
        ('{"timezone": "Mars/Olympus", "did": {"1": "a/b"}}', "timezone"),
        ('{"timezone": "../etc/passwd", "did": {"1": "a/b"}}', "timezone"),
        ('{"did": {"0700": "malla"}}', "did.0700"),
        ('{"did": {"0700": 7}}', "did.0700"),
        ('{"did": ["0700"]}', "did"),
        ('{"queues": {"q": {"mall": "a", "line": null}}}', "queues.q"),
    ],
)
def test_a_bad_map_names_the_key(text, where):
    with pytest.raises(RoutesError, match=rf"^{where}: "):
        routes_from_map(text)


def test_numbers_are_compared_without_their_dress():
    assert plain_number("+82 70-0000-1001") == plain_number("07000001001") == plain_number("827000001001")


KINDS = st.sampled_from(
    [
        ENTER,
        "IVR|CLOSED|hours||07000001001|",
        "IVR|KEY|1|order|07000001001|",
        "IVR|GIVEUP|3||07000001001|",
        "IVR|QUEUE|malla_order||07000001001|",
        "IVR|QRESULT|malla_order|FULL|07000001001|",
        "IVR|CALLBACK|010||07000001001|",
        "IVR|XFER|malla_inquiry||07000001001|",
        "IVR|HANGUP|16|",
        "malla_order|NONE|ENTERQUEUE||010|1",
        "malla_order|agent1|CONNECT|2|1.2|2",
        "malla_order|agent1|COMPLETEAGENT|2|8|1",
        "malla_order|NONE|ABANDON|1|1|3",
        "malla_inquiry|NONE|EXITEMPTY|1|1|3",
        "malla_order|agent1|BLINDTRANSFER|72|xfer|2|8|1",
    ]
)
STEPS = st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 4), KINDS), min_size=1, max_size=40)


@given(STEPS, st.randoms())
@settings(max_examples=200, deadline=None)
def test_counts_add_up_whatever_happens(steps, order):
    lines = [line for at, number, text in steps for line in log((at, text), callid=f"{T}.{number}")]
    shuffled = lines.copy()
    order.shuffle(shuffled)
    found = calls(lines, as_of=T + 100_000)
    rows = count_calls(found, zone=SEOUL)

    assert all(row.ended == row.offered for row in rows)
    assert sum(row.offered for row in rows) == len(found) <= len({number for _, number, _ in steps})
    assert all(row.abandoned_short <= row.abandoned_queue and row.transferred_out <= row.answered for row in rows)
    assert calls(shuffled, as_of=T + 100_000) == found
    for call in found:
        assert call.wait_seconds is None or call.wait_seconds >= 0
        assert call.talk_seconds is None or call.talk_seconds >= 0


def test_a_consultation_without_its_call_is_no_call():
    steps = ((8, "IVR|XFER|malla_inquiry||07000001001|"), (8, "malla_inquiry|NONE|ENTERQUEUE|||1"))

    assert calls(log(*steps)) == []


def test_a_blind_transfer_whose_first_line_was_lost_is_still_a_call():
    call = one(
        *TALKING[2:],
        (14, "malla_order|agent1|COMPLETEAGENT|2|8|1"),
        (14, "IVR|XFER|malla_inquiry||07000001001|"),
        (14, "malla_inquiry|NONE|ENTERQUEUE|||1"),
    )

    assert (call.result, call.did, call.is_transferred_out) == ("answered", "07000001001", True)


def test_a_login_of_the_reader_is_no_restart_and_a_young_pbx_is_one():
    join = {
        "Event": "QueueCallerJoin",
        "Timestamp": str(T),
        "Uniqueid": "1.1",
        "Linkedid": "1.1",
        "Queue": "malla_order",
        "CallerIDNum": None,
    }
    for uptime, result in ((100, None), (3, "system_lost")):
        booted = {"Event": "FullyBooted", "recv": T + 60.5, "Uptime": str(uptime)}
        lines = [json.dumps(join), json.dumps(booted)]
        (call,) = calls(lines)
        assert call.result == result
