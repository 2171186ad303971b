"""Scripts of calls: the demo's hold, a miss is named, and every mistake has its line."""

from textwrap import dedent

import pytest

from ivr import demo_calls_text, demo_spec_text
from ivr.acts import WordsError, read_acts, read_agents
from ivr.calls import CallResult
from ivr.check import load_spec
from ivr.document import Problem
from ivr.flow import Flow, flow_of
from ivr.scripts import Case, Outcome, ScriptError, load_centre, load_script, run_case, script_words
from ivr.telling import LANGUAGES, tell, tell_result
from ivr.walk import Act, Agent, AgentState, Do


@pytest.fixture(scope="module")
def flow() -> Flow:
    return flow_of(load_spec(demo_spec_text(), source="demo.yaml"))


def one_call(flow: Flow, **values: str) -> Outcome:
    """A call of the order line on a Monday morning; ``values`` are written as they stand."""
    texts = {"did": '"07000001001"', "at": '"2026-11-23 10:00"', "expect": "{result: answered}"} | values
    text = "script_version: 1\ncalls:\n  - name: a call\n"
    text += "".join(f"    {name}: {value}\n" for name, value in texts.items())
    (case,) = load_script(text, source="ivr.calls.yaml", flow=flow)
    return run_case(case, flow)


def problems_of(flow: Flow, text: str) -> list[Problem]:
    with pytest.raises(ScriptError) as raised:
        load_script(dedent(text), source="ivr.calls.yaml", flow=flow)
    return raised.value.problems


def demo_cases(flow: Flow) -> tuple[Case, ...]:
    return load_script(demo_calls_text(), source="demo_calls.yaml", flow=flow)


def test_the_demo_keeps_its_calls(flow: Flow) -> None:
    outcomes = [run_case(case, flow) for case in demo_cases(flow)]

    assert [(each.case.name, *map(str, each.misses)) for each in outcomes if each.misses] == []


def test_the_demo_shows_every_end_that_a_caller_can_come_to(flow: Flow) -> None:
    results = {run_case(case, flow).walk.result for case in demo_cases(flow)}

    # Every exit of the demo's queues offers a callback, and a lost call has no end to walk to.
    assert set(CallResult) - results == {CallResult.LEFT_QUEUE, CallResult.SYSTEM_LOST}


def test_a_miss_names_what_was_expected_and_what_was_found(flow: Flow) -> None:
    outcome = one_call(
        flow, keys='"2, wait 3, hangup"', expect="{result: answered, chosen_line: order, agent: agent1001}"
    )

    assert [str(miss) for miss in outcome.misses] == [
        "result: expected answered, found abandoned_queue",
        "chosen_line: expected order, found inquiry",
        "agent: expected agent1001, found None",
    ]


def test_ways_are_looked_for_in_their_order(flow: Flow) -> None:
    def missed(*ways: str) -> bool:
        expect = f"{{result: ivr_giveup, ways: [{', '.join(ways)}]}}"
        return bool(one_call(flow, keys='"*"', expect=expect).misses)

    assert not missed("cafe24-order.key.star", "cafe24-order.no_input")
    assert not missed("cafe24-order.no_input")
    assert missed("cafe24-order.no_input", "cafe24-order.key.star")
    assert missed("cafe24-order.key.1")


def test_agents_of_a_call_come_before_those_of_the_script(flow: Flow) -> None:
    text = dedent("""\
        script_version: 1
        agents: {all: {answers_after: 5}}
        calls:
          - {name: one, did: "07000001001", at: "2026-11-23 10:00", keys: "1", expect: {result: answered, agent: agent1001}}
          - name: two
            did: "07000001001"
            at: "2026-11-23 10:00"
            keys: "1"
            agents: {agent1001: {state: out}}
            expect: {result: answered, agent: agent1002}
        """)
    cases = load_script(text, source="ivr.calls.yaml", flow=flow)

    assert [run_case(case, flow).misses for case in cases] == [(), ()]


@pytest.mark.parametrize(
    ("at", "result"),
    [
        ("2026-11-23 08:59:59", "closed"),
        ("2026-11-23T00:00:00Z", "abandoned_menu"),
        ("2026-11-22T23:59:59+00:00", "closed"),
    ],
)
def test_a_time_without_offset_is_in_the_zone_of_the_spec(flow: Flow, at: str, result: str) -> None:
    assert one_call(flow, at=f'"{at}"', keys='"wait 4, hangup"', expect=f"{{result: {result}}}").misses == ()


CALL = """\
script_version: 1
calls:
  - name: a call
    did: "07000001001"
    at: "2026-11-23 10:00"
    expect: {result: answered}
"""
#: code, what is replaced, by what, line of the problem
MISTAKES = [
    ("script-version", "script_version: 1", "script_version: 2", 1),
    ("no-calls", CALL.partition("calls:")[2], " []\n", 2),
    ("missing-field", '    did: "07000001001"\n', "", 3),
    ("unknown-field", "    expect:", "    key: 1\n    expect:", 6),
    ("bad-number", '"07000001001"', "070-0000-1001", 4),
    ("bad-number", "    expect:", "    caller: nobody\n    expect:", 6),
    ("bad-time", "2026-11-23 10:00", "monday", 5),
    ("bad-keys", "    expect:", '    keys: "1, dance"\n    expect:', 6),
    ("bad-value", "answered", "served", 6),
    ("agent-in-no-queue", "    expect:", "    agents:\n      nobody: {answers_after: 5}\n    expect:", 7),
    ("bad-end", "    expect:", "    agents:\n      all: {ends_by: mall}\n    expect:", 7),
    ("bad-seconds", "    expect:", "    agents:\n      all: {answers_after: -1}\n    expect:", 7),
    ("bad-seconds", "    expect:", "    agents:\n      all: {talks: nan}\n    expect:", 7),
    ("unknown-name", "    expect:", "    agents:\n      all: {moves_to: nowhere}\n    expect:", 7),
    ("unknown-name", "    expect:", "    full: [nowhere]\n    expect:", 6),
    ("unknown-name", "    expect:", "    dnd: [cafe24.order, nowhere]\n    expect:", 6),
    ("unknown-name", "{result: answered}", "{result: answered, chosen_line: third}", 6),
    ("unknown-way", "{result: answered}", "{result: answered, ways: [cafe24-order.key.7]}", 6),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new", "line"), MISTAKES)
def test_a_mistake_is_named_with_its_line(flow: Flow, code: str, old: str, new: str, line: int) -> None:
    assert old in CALL
    (problem,) = problems_of(flow, CALL.replace(old, new))

    assert (problem.code, problem.line, problem.file) == (code, line, "ivr.calls.yaml")
    assert all(all(problem.told(language)) for language in LANGUAGES)


def test_two_calls_of_one_name_are_a_mistake(flow: Flow) -> None:
    (problem,) = problems_of(flow, CALL + CALL.partition("calls:\n")[2])

    assert (problem.code, problem.line) == ("duplicate-name", 7)


def test_an_empty_script_is_a_mistake(flow: Flow) -> None:
    (problem,) = problems_of(flow, "{}")

    assert problem.code == "script-empty"


def test_every_word_of_a_mistake_is_used(flow: Flow) -> None:
    told = {code for code, *_ in MISTAKES} | {"duplicate-name", "script-empty"}

    assert script_words().keys() <= told


def test_what_stands_in_a_script_cannot_steer_a_terminal(flow: Flow) -> None:
    (problem,) = problems_of(flow, CALL.replace("2026-11-23 10:00", "\\e[2J" + "9" * 5_000))

    assert "\x1b" not in str(problem)
    assert len(problem.message) < 400


def test_acts_are_read_from_words() -> None:
    assert read_acts("1, wait 20, 9, early hangup, silent, *,, wait 1.5, wait 2, 01000001111, wait 3") == (
        Act(do=Do.PRESS, key="1"),
        Act(do=Do.PRESS, key="9", after=20.0),
        Act(do=Do.HANG_UP, is_early=True),
        Act(do=Do.SILENT),
        Act(do=Do.PRESS, key="*"),
        Act(do=Do.PRESS, key="01000001111", after=3.5),
    )


@pytest.mark.parametrize(
    "words", ["dance", "wait", "wait x", "wait -1", "early", "early silent", "12345678901234567", "１"]
)
def test_words_that_are_no_acts_are_refused(words: str) -> None:
    with pytest.raises(WordsError):
        read_acts(words)


def test_agents_are_read_from_words() -> None:
    assert read_agents("agent1001=5, agent1002=paused,agent1003=rings, agent1004=out") == {
        "agent1001": Agent(answers_after=5.0),
        "agent1002": Agent(state=AgentState.PAUSED),
        "agent1003": Agent(state=AgentState.RINGS),
        "agent1004": Agent(state=AgentState.OUT),
    }


@pytest.mark.parametrize("words", ["agent1001", "agent1001=", "agent1001=ready?", "agent1001=soon", "=5", "a b=5"])
def test_words_that_are_no_agents_are_refused(words: str) -> None:
    with pytest.raises(WordsError):
        read_agents(words)


def test_a_centre_is_read_from_a_file(flow: Flow) -> None:
    centre = load_centre("agents: {all: {state: out}, agent1002: {answers_after: 3}}", source="agents.yaml", flow=flow)

    assert centre.agents is not None
    assert {name for name, agent in centre.agents.items() if agent.state is AgentState.READY} == {"agent1002"}


def test_a_walk_is_told_without_the_callers_number(flow: Flow) -> None:
    for case in demo_cases(flow):
        walk = run_case(case, flow).walk
        for language in LANGUAGES:
            told = " ".join(
                [*(tell(each, language=language) for each in walk.happenings), tell_result(walk, language=language)]
            )
            assert "01000001111" not in told
            assert told.isascii() == (language == "en")
        assert "01000001111" not in repr(walk)
