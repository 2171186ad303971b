"""A simulated call has one result, and its lines read back as records give the same."""

from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from ivr.calls import Call, CallResult, derive_calls
from ivr.check import load_spec
from ivr.flow import Flow, flow_of
from ivr.records import Tally, read_records
from ivr.simulate import Act, Centre, Do, Stay, Walk, queue_log_lines, walk_call
from ivr.spec import routes_from_spec

SEOUL = ZoneInfo("Asia/Seoul")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=SEOUL)
ORDER_LINE = "07000001001"


@pytest.fixture(scope="module")
def flow() -> Flow:
    text = resources.files("ivr").joinpath("demo.yaml").read_text(encoding="utf-8")
    return flow_of(load_spec(text, source="demo.yaml"))


def press(key: str, after: float = 2.0, *, early: bool = False) -> Act:
    return Act(do=Do.PRESS, key=key, after=after, is_early=early)


def hang_up(after: float = 2.0, *, early: bool = False) -> Act:
    return Act(do=Do.HANG_UP, after=after, is_early=early)


def order_queue(**stay: object) -> Centre:
    return Centre(stays={"cafe24.order": [Stay(agent="agent1001", **stay)]})  # type: ignore[arg-type]


def read_back(flow: Flow, walk: Walk) -> Call:
    lines = list(queue_log_lines(walk, callid="1795000000.1"))
    tally = Tally()
    events = list(read_records(lines, zone=SEOUL, tally=tally))
    assert (tally.unreadable, tally.ignored) == (0, 0)
    (call,) = derive_calls(events, routes_from_spec(flow.spec), as_of=events[-1].at + 1)
    return call


CALLS = [
    ("silence to the end", (), None, CallResult.IVR_GIVEUP),
    ("served", (press("1"),), order_queue(answers_after=5.0), CallResult.ANSWERED),
    ("gone after three seconds in the queue", (press("2"), hang_up(3)), None, CallResult.ABANDONED_QUEUE),
    ("a wrong key, the menu again, a callback", (press("5"), press("*"), press("9")), None, "callback_requested"),
    ("gone in the notice", (press("1", 1, early=True), hang_up(1, early=True)), None, CallResult.ABANDONED_NOTICE),
    ("gone in the menu", (hang_up(4),), None, CallResult.ABANDONED_MENU),
    ("a full queue leads to a callback", (press("1"),), order_queue(is_full=True), CallResult.CALLBACK_REQUESTED),
    ("key 9 while waiting", (press("1"), press("9", 20)), None, CallResult.CALLBACK_REQUESTED),
    ("switched off", (), Centre(dnd=frozenset({"cafe24.order"})), CallResult.CLOSED),
    ("handed on", (press("1"),), order_queue(answers_after=5.0, moves_to="cafe24.inquiry"), CallResult.ANSWERED),
]


@pytest.mark.parametrize(("acts", "centre", "result"), [call[1:] for call in CALLS], ids=[call[0] for call in CALLS])
def test_a_walk_ends_as_its_records_tell(
    flow: Flow, acts: tuple[Act, ...], centre: Centre | None, result: CallResult
) -> None:
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=acts, number="01000001111", centre=centre)
    call = read_back(flow, walk)

    assert walk.result == result
    assert (call.result, call.reason, call.is_short_abandon) == (walk.result, walk.reason, walk.is_short_abandon)


def test_a_key_over_the_notice_is_lost(flow: Flow) -> None:
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=[press("1", 1, early=True)], number="01000001111")

    assert walk.result is CallResult.IVR_GIVEUP


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ((2026, 11, 23, 8, 59, 59), "hours"),
        ((2026, 11, 23, 9, 0, 0), None),
        ((2026, 11, 23, 11, 59, 59), None),
        ((2026, 11, 23, 12, 0, 0), "hours"),
        ((2026, 12, 25, 10, 0, 0), "holiday"),
    ],
)
def test_hours_are_half_open(flow: Flow, at: tuple[int, ...], reason: str | None) -> None:
    year, month, day, hour, minute, second = at
    start = datetime(year, month, day, hour, minute, second, tzinfo=SEOUL)
    walk = walk_call(flow, did=ORDER_LINE, start=start)

    assert (walk.reason if walk.result is CallResult.CLOSED else None) == reason


def test_a_number_that_the_spec_does_not_know_is_told_apart(flow: Flow) -> None:
    walk = walk_call(flow, did="07099999999", start=MONDAY, number="01000001111")

    assert (walk.result, read_back(flow, walk).result) == (CallResult.UNKNOWN_DID, CallResult.UNKNOWN_DID)


def test_each_way_is_named_as_in_the_spec(flow: Flow) -> None:
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=[press("1")], centre=order_queue(is_full=True))

    assert walk.ways == ("cafe24.order.next", "cafe24-order.key.1", "cafe24.order.on.full")
