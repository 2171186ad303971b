"""Ways through the flow: told by the steps of all three records, counted once a call, unknown ones apart."""

from zoneinfo import ZoneInfo

import msgspec
import pytest

from ivr import ami, cel, demo_spec_text
from ivr.calls import Call, derive_calls
from ivr.check import load_spec
from ivr.flow import flow_of
from ivr.queue_log import parse_line
from ivr.routes import Routes, routes_from_map
from ivr.spec import routes_from_spec
from ivr.ways import count_ways

SPEC = load_spec(demo_spec_text(), source="demo.yaml")
FLOW, ROUTES = flow_of(SPEC), routes_from_spec(SPEC)
SEOUL = ZoneInfo("Asia/Seoul")
ENTER = "0|1795309019.1|NONE|NONE|IVR|ENTER|cafe24|order|07000001001|01000001111|cafe24.order.next"


def call_of(*lines: str, routes: Routes = ROUTES) -> Call:
    """``lines``: seconds, then as in the log."""
    events = []
    for line in lines:
        seconds, _, rest = line.partition("|")
        events.append(parse_line(f"{1795309019 + int(seconds)}|{rest}"))
    (call,) = derive_calls(events, routes)
    return call


def step(seconds: int, kind: str, first: str = "", second: str = "", *, way: str = "") -> str:
    return f"{seconds}|1795309019.1|NONE|NONE|IVR|{kind}|{first}|{second}|07000001001|01000001111|{way}"


HANGUP = "20|1795309019.1|NONE|NONE|IVR|HANGUP|16|cafe24/order"


def test_the_ways_of_a_call_in_their_order_and_once():
    call = call_of(
        ENTER,
        step(1, "KEY", "*", "repeat", way="cafe24-order.key.star"),
        step(2, "KEY", "*", "repeat", way="cafe24-order.key.star"),
        step(3, "KEY", "1", "order", way="cafe24-order.key.1"),
        HANGUP,
    )

    assert call.ways == ("cafe24.order.next", "cafe24.order.open", "cafe24-order.key.star", "cafe24-order.key.1")


def test_a_closed_line_is_not_open():
    call = call_of(ENTER, step(0, "CLOSED", "hours", way="cafe24.order.closed.hours.next"), HANGUP)

    assert call.ways == ("cafe24.order.next", "cafe24.order.closed.hours", "cafe24.order.closed.hours.next")


@pytest.mark.parametrize("way", ["a b", "x" * 201, "<b>", "a'%", "A"])
def test_what_no_spec_can_name_is_no_way(way):
    assert call_of(ENTER, step(1, "KEY", "1", "order", way=way), HANGUP).ways[2:] == ()


def test_channel_and_manager_events_tell_the_ways_too():
    row = {
        "eventtype": "USER_DEFINED", "eventtime": "1795309020.5", "usereventname": "IVR_KEY", "uniqueid": "1.1",
        "linkedid": "1.1", "eventextra": {"extra": "1|order|07000001001|01000001111|cafe24-order.key.1"},
    }  # fmt: skip
    message = {
        "Event": "UserEvent", "Timestamp": "1795309020.5", "UserEvent": "IvrKEY", "Uniqueid": "1.1", "Arg": "1",
        "Linkedid": "1.1", "Way": "cafe24-order.key.1",
    }  # fmt: skip

    told = [
        cel.parse_json(msgspec.json.encode(row), zone=SEOUL),
        ami.parse_json(msgspec.json.encode(message), zone=SEOUL),
    ]

    assert [event.way for event in told if event] == ["cafe24-order.key.1"] * 2


def test_a_call_counts_once_on_a_way_and_unknown_ways_stand_apart():
    found = count_ways(
        FLOW,
        [
            (("cafe24.order.next", "cafe24.order.open", "cafe24-order.key.1"), 3),
            (("cafe24-order.key.1", "old-menu.key.7"), 2),
            ((), 4),
        ],
    )

    assert (found.calls, found.without, found.unknown) == (9, 4, (("old-menu.key.7", 2),))
    assert {way: calls for way, calls in found.by_way.items() if calls} == {
        "cafe24.order.open": 3,
        "cafe24-order.key.1": 5,
    }
    assert all(not way.endswith(".next") for way in found.by_way)


# ---------------------------------------------------------------- the wish to be called back

JOIN = "5|1795309019.1|cafe24_order|NONE|ENTERQUEUE||01000001111|1"
KEY_EXIT = "12|1795309019.1|cafe24_order|NONE|EXITWITHKEY|9|1|1|7"


def test_the_key_that_leaves_the_queue_for_a_callback_is_a_wish():
    call = call_of(ENTER, JOIN, KEY_EXIT, HANGUP)

    assert (call.result, call.reason, call.callback_at) == ("left_queue", "key", 1795309019.0 + 12)


def test_another_key_is_none():
    assert call_of(ENTER, JOIN, KEY_EXIT.replace("|9|", "|5|"), HANGUP).callback_at is None


def test_without_a_spec_only_the_step_tells_a_wish():
    plain = routes_from_map(b'{"did": {"07000001001": "cafe24/order"}}')

    assert call_of(ENTER, JOIN, KEY_EXIT, HANGUP, routes=plain).callback_at is None
    told = call_of(ENTER, JOIN, KEY_EXIT, step(13, "CALLBACK", "01000001111"), HANGUP, routes=plain)
    assert (told.result, told.callback_at) == ("callback_requested", 1795309019.0 + 13)


def test_a_wish_after_a_talk_is_kept_though_the_call_was_answered():
    call = call_of(
        ENTER, JOIN,
        "9|1795309019.1|cafe24_order|agent1001|CONNECT|4|1795309023.3|2",
        "12|1795309019.1|cafe24_order|agent1001|BLINDTRANSFER|72|xfer|4|3|1",
        "13|1795309019.1|cafe24_inquiry|NONE|ENTERQUEUE||01000001111|1",
        "16|1795309019.1|cafe24_inquiry|NONE|EXITWITHTIMEOUT|1|1|3",
        step(16, "CALLBACK", "01000001111"), HANGUP,
    )  # fmt: skip

    assert (call.result, call.callback_at) == ("answered", 1795309019.0 + 16)
    assert [(talk.agent, talk.line, talk.ended_at) for talk in call.talks] == [
        ("agent1001", "order", 1795309019.0 + 12)
    ]
