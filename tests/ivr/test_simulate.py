"""A simulated call has one result, and its lines read back as records give the same."""

from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ivr.calls import Call, CallResult, derive_calls
from ivr.check import load_spec
from ivr.event import Kind
from ivr.flow import Flow, flow_of
from ivr.records import Tally, read_records
from ivr.simulate import Act, Centre, Do, EndlessWalkError, Stay, Walk, queue_log_lines, walk_call
from ivr.spec import Callback, Menu, NoInput, Queue, Survey, routes_from_spec
from ivr.walk import Agent, AgentState, Missed, stay_with

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


# ---------------------------------------------------------------- agents

QUEUE = Queue(members=("one", "two"), ring_s=10, max_wait_s=35, on={})
RINGS, OUT = Agent(state=AgentState.RINGS), Agent(state=AgentState.OUT)


@pytest.mark.parametrize(
    ("agents", "stay"),
    [
        ({}, Stay(is_empty=True)),
        ({"one": OUT, "two": Agent(state=AgentState.PAUSED), "three": Agent()}, Stay(is_empty=True)),
        ({"one": OUT, "two": Agent(answers_after=3)}, Stay(answers_after=3, agent="two")),
        (
            {"one": RINGS, "two": Agent(answers_after=3)},
            Stay(answers_after=13, agent="two", missed=(Missed(agent="one", after=10, rang=10),)),
        ),
        (
            {"one": Agent(answers_after=10)},
            Stay(missed=tuple(Missed(agent="one", after=after, rang=10) for after in (10, 20, 30, 40))),
        ),
    ],
    ids=["nobody named", "nobody there", "the second", "the second, after the first rang", "slower than the ring"],
)
def test_members_ring_one_after_the_other(agents: dict[str, Agent], stay: Stay) -> None:
    assert stay_with(QUEUE, agents) == stay


def test_phones_that_ring_in_vain_are_told_until_the_caller_is_gone(flow: Flow) -> None:
    centre = Centre(agents={"agent1001": RINGS, "agent1002": RINGS})
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=[press("1"), hang_up(35)], number="0100", centre=centre)

    rings = [(each.agent, each.at) for each in walk.happenings if each.kind is Kind.RING]
    joined = next(each.at for each in walk.happenings if each.kind is Kind.JOIN)
    assert rings == [("agent1001", joined + 15), ("agent1002", joined + 30)]
    assert read_back(flow, walk).wait_seconds == 35


def test_two_agents_who_hand_on_to_each_other_do_not_go_round(flow: Flow) -> None:
    centre = Centre(
        agents={
            "agent1001": Agent(moves_to="cafe24.inquiry"),
            "agent2001": Agent(moves_to="cafe24.order", topic="order"),
        }
    )
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=[press("1")], number="0100", centre=centre)
    call = read_back(flow, walk)

    assert call.agents == ("agent1001", "agent2001")
    assert (call.is_transferred_out, call.handling_line, call.topic) == (True, "order", "order")


# ---------------------------------------------------------------- keys


def with_menu(flow: Flow, **values: object) -> Flow:
    """The demo with the order menu changed."""
    menu: Menu = msgspec.structs.replace(flow.spec.menus["cafe24-order"], **values)
    return flow_of(msgspec.structs.replace(flow.spec, menus=flow.spec.menus | {"cafe24-order": menu}))


def test_silence_and_wrong_keys_are_counted_apart(flow: Flow) -> None:
    # Two of each: neither has reached three.
    acts = [press("7"), Act(do=Do.SILENT), press("8"), Act(do=Do.SILENT), press("1")]
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=acts, centre=order_queue(answers_after=5.0))

    kinds = [each.kind for each in walk.happenings]
    assert (kinds.count(Kind.INVALID), kinds.count(Kind.NO_INPUT), kinds.count(Kind.GIVE_UP)) == (2, 2, 0)
    assert walk.result is CallResult.ANSWERED


def test_hearing_the_menu_again_gives_no_new_tries(flow: Flow) -> None:
    acts = [press("7"), press("*"), press("7"), press("*"), press("7")]
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=acts)

    assert walk.result is CallResult.IVR_GIVEUP
    assert walk.ways[-1] == "cafe24-order.invalid"


def test_a_prompt_that_cannot_be_interrupted_loses_keys(flow: Flow) -> None:
    deaf = with_menu(flow, barge_in=False)
    over, behind = (
        walk_call(each, did=ORDER_LINE, start=MONDAY, acts=[press("1", after), hang_up(1)])
        for each, after in ((deaf, 7), (deaf, 8))
    )

    assert (over.result, behind.result) == (CallResult.ABANDONED_MENU, CallResult.ABANDONED_QUEUE)


def test_back_leads_to_the_menu_before(flow: Flow) -> None:
    keys = {"1": "queue:cafe24.order", "3": "menu:cafe24-inquiry", "#": "back"}
    other = msgspec.structs.replace(flow.spec.menus["cafe24-inquiry"], keys={"#": "back"})
    deep = with_menu(flow, keys=keys)
    deep = flow_of(msgspec.structs.replace(deep.spec, menus=deep.spec.menus | {"cafe24-inquiry": other}))

    walk = walk_call(deep, did=ORDER_LINE, start=MONDAY, acts=[press(key) for key in "3#3##1"])

    assert [each.step for each in walk.happenings if each.kind is Kind.KEY] == [
        "menu:cafe24-order", "menu:cafe24-inquiry", "menu:cafe24-order", "menu:cafe24-inquiry", "menu:cafe24-order", "menu:cafe24-order",
    ]  # fmt: skip


# ---------------------------------------------------------------- callbacks and surveys


@pytest.mark.parametrize(
    ("number", "asks", "acts", "result"),
    [
        ("01000001111", False, [], CallResult.CALLBACK_REQUESTED),
        ("", False, [], CallResult.ABANDONED_MENU),
        ("", True, [], CallResult.ABANDONED_MENU),
        ("", True, [press("01000002222")], CallResult.CALLBACK_REQUESTED),
        ("", True, [hang_up()], CallResult.ABANDONED_MENU),
    ],
    ids=["number known", "withheld", "withheld and silent", "withheld and told", "withheld and gone"],
)
def test_a_callback_needs_a_number(
    flow: Flow,
    number: str,
    asks: bool,
    acts: list[Act],
    result: CallResult,
) -> None:
    callback = Callback(mall="cafe24", caller_id="07000001001", ask_number="prompts/number" if asks else None)
    spec = msgspec.structs.replace(flow.spec, callbacks={"cafe24": callback})
    walk = walk_call(flow_of(spec), did=ORDER_LINE, start=MONDAY, acts=[press("9"), *acts], number=number)

    assert (walk.result, read_back(flow, walk).result) == (result, result)


@pytest.mark.parametrize(("key", "score"), [("5", "5"), ("1", "1"), ("0", None), ("6", None), ("#", None)])
def test_a_score_is_one_of_those_asked_for(flow: Flow, key: str, score: str | None) -> None:
    queue = msgspec.structs.replace(flow.spec.queues["cafe24.order"], survey="after")
    spec = msgspec.structs.replace(
        flow.spec,
        queues=flow.spec.queues | {"cafe24.order": queue},
        surveys={"after": Survey(prompt="prompts/survey", best=5)},
    )
    walk = walk_call(
        flow_of(spec),
        did=ORDER_LINE,
        start=MONDAY,
        acts=[press("1"), press(key)],
        centre=order_queue(answers_after=1.0),
    )

    assert next((each.detail for each in walk.happenings if each.kind is Kind.SURVEY), None) == score
    assert walk.result is CallResult.ANSWERED


def test_a_start_without_a_zone_is_refused(flow: Flow) -> None:
    with pytest.raises(ValueError, match="zone"):
        walk_call(flow, did=ORDER_LINE, start=datetime(2026, 11, 23, 10, 0))


def test_a_patient_caller_may_press_as_often_as_he_likes(flow: Flow) -> None:
    walk = walk_call(flow, did=ORDER_LINE, start=MONDAY, acts=[press("*")] * 1_500)

    assert sum(each.kind is Kind.KEY for each in walk.happenings) == 1_500


def test_a_spec_that_goes_round_is_found_out(flow: Flow) -> None:
    silent = NoInput(then="menu:cafe24-order")

    with pytest.raises(EndlessWalkError, match=r"cafe24-order\.no_input"):
        walk_call(with_menu(flow, no_input=silent), did=ORDER_LINE, start=MONDAY)
