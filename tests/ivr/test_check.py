"""Each rule finds the one error planted in the demo spec, at its line."""

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import demo_spec_text
from ivr.check import SpecError, check_spec, load_spec
from ivr.document import Problem, Severity
from ivr.hours import closed_reason, open_minutes
from ivr.routes import Place
from ivr.spec import routes_from_spec

TEXT = demo_spec_text()
TODAY = date(2026, 11, 22)


def check(text: str, *, today: date = TODAY) -> list[Problem]:
    return check_spec(text, source="centre.yaml", today=today)


def found(text: str, code: str) -> Problem:
    problems = [problem for problem in check(text) if problem.code == code]
    assert problems, (code, [str(problem) for problem in check(text)])
    return problems[0]


def line_with(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


# code -> (text in the demo, what it becomes, a part of the line that is reported)
PLANTED = {
    "did-two-lines": ('did: "07000001002"', 'did: "07000001001"', 'display: "1588-0102"'),
    "bad-did": ('did: "07000001002"', 'did: "070-0000-1002"', "070-0000-1002"),
    "unknown-mall": ("mall: smartstore, line: order", "mall: amazon, line: order", "mall: amazon"),
    "unknown-line": ("mall: smartstore, line: order", "mall: smartstore, line: sales", "line: sales"),
    "unknown-target": ('"2": queue:cafe24.inquiry', '"2": queue:cafe24.inquiri', "inquiri"),
    "unknown-calendar": ("hours: weekdays\n", "hours: weekends\n", "hours: weekends"),
    "unknown-notice": ("notices: [recording, abuse-protection]", "notices: [abuse-protection, jingle]", "jingle"),
    "unknown-timezone": ("timezone: Asia/Seoul", "timezone: Asia/Soul", "timezone"),
    "unknown-member": ("members: [agent1001, agent1002]", "members: [agent1001, agent9]", "agent9"),
    "line-without-hours": ("    hours: weekdays-and-saturday\n", "", "cafe24.order:"),
    "line-without-entry": ("    entry: cafe24-order\n", "", "cafe24.order:"),
    "overlapping-ranges": ('sat: ["09:00-13:00"]', 'sat: ["09:00-13:00", "12:00-14:00"]', "12:00-14:00"),
    "reversed-range": ('sat: ["09:00-13:00"]', 'sat: ["22:00-02:00"]', "22:00-02:00"),
    "hours-24": ('sat: ["09:00-13:00"]', 'sat: ["09:00-24:00"]', "24:00"),
    "bad-range": ('sat: ["09:00-13:00"]', 'sat: ["9-13"]', '"9-13"'),
    "bad-day": ('sat: ["09:00-13:00"]', 'sut: ["09:00-13:00"]', "sut:"),
    "bad-date": ('"2026-12-25"', '"2026-12-32"', "2026-12-32"),
    "menu-without-prompt": ("    prompt: prompts/qoo10-order\n", "", "  qoo10-order:"),
    "menu-without-no-input": (
        '    no_input: {seconds: 5, tries: 3, then: "hangup:prompts/goodbye"}\n',
        "",
        "  cafe24-order:",
    ),
    "menu-without-invalid": ('    invalid: {tries: 3, then: "hangup:prompts/goodbye"}\n', "", "  cafe24-order:"),
    "bad-tries": ("invalid: {tries: 3", "invalid: {tries: 9", "tries: 9"),
    "duplicate-key": ('"9": callback:cafe24', '"1": callback:cafe24', '"1": callback:cafe24'),
    "bad-key": ('"9": callback:cafe24', '"A": callback:cafe24', '"A": callback'),
    "queue-without-member": ("members: [agent1001, agent1002]", "members: []", "  cafe24.order:"),
    "queue-without-limit": ("    max_wait_s: 120\n", "", "  cafe24.order:"),
    "wait-under-ring": ("max_wait_s: 120", "max_wait_s: 10", "max_wait_s: 10"),
    "queue-without-exit": ('timeout: "callback:cafe24", ', "", "  cafe24.order:"),
    "bad-exit": ("key-9:", "key-77:", "key-77"),
    "no-protection-notice": ("notices: [recording, abuse-protection]", "notices: [recording]", "cafe24.order:"),
    "no-recording-notice": ("notices: [recording, abuse-protection]", "notices: [abuse-protection]", "cafe24.order:"),
    "overflow-loop": ('timeout: "callback:cafe24"', "timeout: queue:cafe24.order", "timeout: queue:cafe24.order"),
    "loop-without-exit": (
        'no_input: {seconds: 5, tries: 3, then: "hangup:prompts/goodbye"}',
        "no_input: {seconds: 5, tries: 3, then: menu:cafe24-order}",
        "then: menu:cafe24-order",
    ),
    "callback-caller-id": ('caller_id: "1588-0101"', 'caller_id: "1588-9999"', "1588-9999"),
    "bad-prompt": ("prompt: prompts/qoo10-order", 'prompt: "prompts/a,b;${EXTEN}"', "a,b;"),
    "unknown-field": ("    max_len: 10\n", "    max_length: 10\n", "max_length"),
    "bad-value": ("ring_s: 15", "ring_s: soon", "ring_s: soon"),
    "version-newer": ("spec_version: 1", "spec_version: 2", "spec_version: 2"),
    "missing-field": ('then: "hangup:prompts/goodbye"}\n    invalid', "seconds: 5}\n    invalid", "no_input:"),
}
SECOND_PLACE = {"overflow-loop", "queue-without-member", "queue-without-limit", "wait-under-ring", "queue-without-exit"}


@pytest.mark.parametrize(("old", "new", "reported"), PLANTED.values(), ids=PLANTED)
def test_a_planted_error_is_found_at_its_line(request, old, new, reported):
    code = request.node.callspec.id
    assert old in TEXT
    text = TEXT.replace(old, new, 1)

    problem = found(text, code)

    start = text.index("\nqueues:") if code in SECOND_PLACE or code == "bad-exit" else 0
    skipped = text[:start].count("\n")
    expected = skipped + line_with(text[start:], reported)
    if code == "missing-field":
        expected = problem.line  # the line of the broken entry, asserted below
        assert "no_input" in text.splitlines()[problem.line - 1]
    assert (problem.severity, problem.file, problem.line) == (Severity.ERROR, "centre.yaml", expected)
    assert problem.fix
    with pytest.raises(SpecError) as raised:
        load_spec(text, source="centre.yaml")
    assert problem in raised.value.problems


def test_the_demo_spec_has_no_problem():
    assert check(TEXT) == []
    assert load_spec(TEXT, source="demo.yaml").revision == 1


def test_one_number_twice_for_the_same_line_is_a_duplicate():
    line = TEXT.splitlines()[line_with(TEXT, '"07000001001"') - 1]
    text = TEXT.replace(line, f"{line}\n{line}")

    assert found(text, "did-duplicate").line == line_with(TEXT, '"07000001001"') + 1


def test_a_line_that_no_number_leads_to():
    text = "\n".join(line for line in TEXT.splitlines() if '"07000003002"' not in line)

    assert found(text, "line-without-number").line == line_with(text, "  qoo10.inquiry:")


def test_a_menu_that_no_number_leads_to():
    island = TEXT[TEXT.index("  qoo10-inquiry:\n    prompt") : TEXT.index("\nqueues:")].replace(
        "qoo10-inquiry:", "attic:", 1
    )
    text = TEXT.replace("\nqueues:", f"{island}\nqueues:", 1)

    assert found(text, "unreachable").line == line_with(text, "  attic:")
    library = text.replace("  attic:\n", "  attic:\n    is_library: true\n")
    assert found(library, "unreachable").severity is Severity.WARNING


def test_a_menu_from_which_no_call_ends():
    text = TEXT.replace('"1": queue:cafe24.order', '"1": menu:maze', 1).replace(
        "\nqueues:",
        '  maze:\n    prompt: prompts/maze\n    keys: {"1": menu:maze, "0": repeat}\n'
        "    no_input: {then: repeat}\n    invalid: {then: repeat}\n\nqueues:",
        1,
    )

    assert found(text, "no-way-out").line == line_with(text, "  maze:")
    assert found(text, "loop-without-exit").line == line_with(text, "no_input: {then: repeat}")


def test_two_lines_on_one_queue_need_a_logged_matter():
    shared = TEXT.replace("queue:qoo10.order", "queue:qoo10.inquiry")

    assert found(shared, "lines-not-separable").line == line_with(
        shared[shared.index("\nqueues:") :], "  qoo10.inquiry:"
    ) + shared[: shared.index("\nqueues:")].count("\n")
    logged = shared.replace("members: [agent3001, agent3002]", "members: [agent3001, agent3002]\n    asks_topic: true")
    assert "lines-not-separable" not in {problem.code for problem in check(logged)}


def test_holidays_that_run_out_are_a_warning():
    problems = check(TEXT, today=date(2027, 1, 2))

    assert {(problem.severity, problem.code) for problem in problems} == {(Severity.WARNING, "holidays-end")}
    assert "2028" in problems[0].message
    assert load_spec(TEXT, source="demo.yaml")


def test_a_menu_without_key_0_and_a_strange_star_are_warnings():
    text = TEXT.replace('      "0": queue:cafe24.order\n      "*": repeat\n', '      "*": callback:cafe24\n', 1)

    assert {problem.code for problem in check(text)} == {"no-agent-key", "key-habit"}
    assert load_spec(text, source="demo.yaml")


def test_several_errors_are_reported_together():
    text = TEXT.replace('did: "07000001002"', 'did: "x"').replace("sat:", "sut:").replace("ring_s: 15", "ring_s: soon")

    assert {"bad-did", "bad-day", "bad-value"} <= {problem.code for problem in check(text)}


@pytest.mark.parametrize("broken", ["", "[queue:cafe24.order]", "{queue: cafe24.order}"])
def test_a_broken_key_is_told_at_its_line_and_takes_no_other_with_it(broken):
    key = '"1": queue:cafe24.order'
    line = next(number for number, text in enumerate(TEXT.splitlines(), 1) if key in text)
    text = TEXT.replace(key, f'"1": {broken}', 1)

    assert [(problem.code, problem.line) for problem in check(text)] == [("bad-value", line)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-a-mapping"),
        ("{}", "empty"),
        ("- 1", "not-a-mapping"),
        ("a: [1", "yaml"),
        ("a: \x00", "yaml"),
        ("a: &x 1\nb: *x", "alias"),
        ("a: " + "[" * 40 + "]" * 40, "too-deep"),
        ("a: 1\n" * 300_000, "too-large"),
        ("? [1, 2]\n: 3\nspec_version: 1", "complex-key"),
        ("!!python/object/apply:os.system ['true']", "not-a-mapping"),
        ("spec_version: 1", "missing-field"),
        ("spec_version: 99999999999999999999", "version-newer"),
        ("spec_version: 1\nnumbers: 3", "wants-list"),
    ],
)
def test_hostile_or_broken_text_is_a_problem_and_no_crash(text, code):
    assert code in {problem.code for problem in check(text)}
    with pytest.raises(SpecError):
        load_spec(text, source="x.yaml")


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 60), st.text(max_size=12))
@settings(max_examples=40, deadline=None)
def test_any_damage_is_reported_or_harmless(start, length, inserted):
    text = TEXT[:start] + inserted + TEXT[start + length :]
    errors = [problem for problem in check(text) if problem.severity is Severity.ERROR]

    if errors:
        with pytest.raises(SpecError):
            load_spec(text, source="x.yaml")
    else:
        load_spec(text, source="x.yaml")


def test_unquoted_numbers_and_words_are_taken_as_written():
    text = TEXT.replace('did: "07000001001"', "did: 07000001001").replace('["09:00-13:00"]', "[09:00-13:00]")

    assert check(text) == []


def test_routes_know_numbers_queues_and_the_length_of_the_notices():
    routes = routes_from_spec(load_spec(TEXT, source="demo.yaml"))

    assert routes.place_of_did("+82 70 0000 3002") == Place("qoo10", "inquiry", 8.0)
    assert routes.queues["smartstore_order"] == routes.queues["smartstore.order"] == Place("smartstore", "order")


def test_hours_are_half_open_and_holidays_have_their_own_reason():
    calendar = load_spec(TEXT, source="demo.yaml").calendars["weekdays-and-saturday"]

    assert open_minutes(calendar, date(2026, 11, 21)) == [(540, 780)]
    assert closed_reason(calendar, datetime(2026, 11, 23, 17, 59)) is None
    assert closed_reason(calendar, datetime(2026, 11, 23, 18, 0)) == "hours"
    assert closed_reason(calendar, datetime(2026, 11, 23, 12, 30)) == "hours"
    assert closed_reason(calendar, datetime(2026, 12, 25, 10, 0)) == "holiday"


def test_the_demo_spec_is_in_the_package():
    assert (Path(__file__).parents[2] / "ivr" / "demo.yaml").read_text(encoding="utf-8") == TEXT
