"""Every rule of the check by one clean spec and one change that breaks just this rule, at the line that is told."""

import io
import wave
from collections.abc import Callable
from datetime import date

import pytest

from ivr.check import check_spec
from ivr.document import Problem, Severity, problem_words

TODAY = date(2026, 11, 22)
CLEAN = """\
spec_version: 1
revision: 7
timezone: Asia/Seoul
malls: [alpha]
agents: [agent1001, agent1002]
numbers:
  - {did: "07000001001", display: "1588-0101", mall: alpha, line: order, note: led by the carrier}
  - {did: "07000001002", mall: alpha, line: inquiry}
calendars:
  days:
    weekly:
      mon-fri: ["09:00-12:00", "13:00-18:00"]
      sat: ["10:00-13:00"]
    closed: ["2026-12-31"]
    extra_open:
      - {date: "2026-12-27", hours: ["10:00-12:00"]}
    holidays: {country: KR, years: [2026, 2027], worked: ["2027-05-01"]}
notices:
  welcome: {prompt: prompts/welcome, seconds: 4}
lines:
  alpha.order:
    hours: days
    notices: [welcome, recording, abuse-protection]
    closed: {hours: prompts/closed, then: "hangup:"}
    entry: first
  alpha.inquiry:
    hours: days
    notices: [recording, abuse-protection]
    closed: {hours: prompts/closed}
    entry: queue:alpha.inquiry
menus:
  first:
    prompt: prompts/first
    seconds: 8
    keys:
      "1": queue:alpha.order
      "2": queue:alpha.inquiry
      "0": queue:alpha.order
      "*": repeat
    no_input: {seconds: 5, tries: 3, then: "hangup:prompts/bye"}
    invalid: {tries: 3, then: callback:alpha}
queues:
  alpha.order:
    members: [agent1001]
    ring_s: 15
    max_wait_s: 60
    max_len: 10
    record: true
    survey: kind
    on: {timeout: callback:alpha, full: callback:alpha, empty: callback:alpha, key-9: callback:alpha}
  alpha.inquiry:
    members: [agent1001, agent1002]
    ring_s: 20
    max_wait_s: 90
    max_len: 9
    on: {timeout: callback:alpha, full: callback:alpha, empty: "hangup:", key-8: callback:alpha}
callbacks:
  alpha: {mall: alpha, caller_id: "1588-0101", ask_number: prompts/ask, due_minutes: 30}
surveys:
  kind: {prompt: prompts/kind, best: 5, seconds: 6}
unknown_number_prompt: prompts/unknown
"""
ORDER = "    members: [agent1001]\n    ring_s: 15"
_DEEP = "".join(
    f"  level-{n}:\n    prompt: prompts/deep\n    keys: {{'1': {to}, '0': queue:alpha.order}}\n"
    "    no_input: {then: 'hangup:'}\n    invalid: {then: 'hangup:'}\n"
    for n, to in (
        (2, "menu:level-3"),
        (3, "menu:level-4"),
        (4, "menu:level-5"),
        (5, "menu:level-6"),
        (6, "queue:alpha.order"),
    )
)
_ATTIC = (
    "  attic:\n    prompt: prompts/attic\n    keys: {'0': queue:alpha.order}\n"
    "    no_input: {then: 'hangup:'}\n    invalid: {then: 'hangup:'}\n"
)
_MAZE = (
    "  maze:\n    prompt: prompts/maze\n    keys: {'0': repeat}\n"
    "    no_input: {then: menu:first}\n    invalid: {then: repeat}\n"
)
_OVERFLOW = "    max_wait_s: 20\n    on: {timeout: 'hangup:', full: 'hangup:', empty: 'hangup:'}\n"

#: code -> (a part of the clean spec, what it becomes, a part of the line that is told)
BROKEN = {
    "yaml": ("revision: 7", "revision: [7", "timezone:"),
    "alias": ("revision: 7", "revision: &x 7\nvalid_from: *x", "valid_from"),
    "complex-key": ("revision: 7", "revision: 7\n? [1, 2]\n: 3", "? [1, 2]"),
    "duplicate-key": ('"2": queue:alpha.inquiry', '"1": queue:alpha.inquiry', '"1": queue:alpha.inquiry'),
    "wants-mapping": ("{prompt: prompts/welcome, seconds: 4}", "prompts/welcome", "welcome: prompts"),
    "unknown-field": ("ring_s: 15", "ring_s: 15\n    ring: 3", "ring: 3"),
    "missing-field": ('caller_id: "1588-0101", ', "", "alpha: {mall: alpha, ask"),
    "bad-value": ("ring_s: 15", "ring_s: soon", "ring_s: soon"),
    "version": ("spec_version: 1", "spec_version: 0", "spec_version"),
    "version-newer": ("spec_version: 1", "spec_version: 2", "spec_version"),
    "revision": ("revision: 7", "revision: 0", "revision"),
    "unknown-timezone": ("Asia/Seoul", "Asia/Soul", "timezone"),
    "bad-prompt": ("prompt: prompts/first", 'prompt: "first,${EXTEN}"', "EXTEN"),
    "unsafe-text": ("note: led by the carrier", 'note: "a\\nexten => x"', "exten"),
    "bad-did": ('"07000001002"', '"070-0000-1002"', "070-0000-1002"),
    "did-duplicate": (
        "calendars:",
        '  - {did: "07000001002", mall: alpha, line: inquiry}\ncalendars:',
        "",
    ),
    "did-two-lines": ('"07000001002"', '"07000001001"', "line: inquiry"),
    "bad-display": ('display: "1588-0101"', 'display: "1588-0101;x"', "0101;x"),
    "display-differs": (
        "mall: alpha, line: inquiry",
        'display: "02-123-4567", mall: alpha, line: inquiry',
        "02-123-4567",
    ),
    "display-twice": (
        "mall: alpha, line: inquiry",
        'display: "1588-0101", mall: alpha, line: inquiry, note: x',
        "line: inquiry, note",
    ),
    "line-without-number": ('  - {did: "07000001002", mall: alpha, line: inquiry}\n', "", "alpha.inquiry:"),
    "line-without-hours": ("    hours: days\n", "", "alpha.order:"),
    "unknown-calendar": ("hours: days", "hours: nights", "hours: nights"),
    "line-without-entry": ("    entry: queue:alpha.inquiry\n", "", "alpha.inquiry:"),
    "line-without-closed": ("    closed: {hours: prompts/closed}\n", "", "alpha.inquiry:"),
    "closed-answers": ('then: "hangup:"}\n    entry', "then: callback:alpha}\n    entry", "then: callback"),
    "unknown-notice": ("[welcome, recording", "[welcome, jingle, recording", "jingle"),
    "notice-twice": ("[welcome, recording", "[welcome, welcome, recording", "welcome, welcome"),
    "unknown-notice-kind": ("prompts/welcome,", "prompts/welcome, kind: music,", "kind: music"),
    "bad-seconds": ("{seconds: 5, tries", "{seconds: 0, tries", "seconds: 0"),
    "long-prompt": ("seconds: 8", "seconds: 31", "seconds: 31"),
    "empty-week": (
        '      mon-fri: ["09:00-12:00", "13:00-18:00"]\n      sat: ["10:00-13:00"]',
        "      mon-fri: []",
        "  days:",
    ),
    "bad-day": ("      sat:", "      sut:", "sut:"),
    "bad-range": ('sat: ["10:00-13:00"]', 'sat: ["10-13"]', '"10-13"'),
    "hours-24": ('sat: ["10:00-13:00"]', 'sat: ["10:00-24:00"]', "24:00"),
    "reversed-range": ('sat: ["10:00-13:00"]', 'sat: ["22:00-02:00"]', "22:00-02:00"),
    "overlapping-ranges": ('sat: ["10:00-13:00"]', 'sat: ["10:00-13:00", "12:00-14:00"]', "12:00-14:00"),
    "bad-date": ('closed: ["2026-12-31"]', 'closed: ["20261231"]', "20261231"),
    "day-twice": ('closed: ["2026-12-31"]', 'closed: ["2026-12-31", "2026-12-27"]', "{date:"),
    "extra-without-hours": ('hours: ["10:00-12:00"]', "hours: []", "hours: []"),
    "unknown-holidays": ("country: KR", "country: KP", "country: KP"),
    "bad-year": ("years: [2026, 2027]", "years: [2026, 2027, 20266]", "20266"),
    "no-such-holiday": ('worked: ["2027-05-01"]', 'worked: ["2027-05-02"]', "2027-05-02"),
    "holidays-end": ('years: [2026, 2027], worked: ["2027-05-01"]', "years: [2026]", "years: [2026]"),
    "menu-without-prompt": ("    prompt: prompts/first\n", "", "  first:"),
    "menu-without-no-input": (
        '    no_input: {seconds: 5, tries: 3, then: "hangup:prompts/bye"}\n',
        "",
        "  first:",
    ),
    "menu-without-invalid": ("    invalid: {tries: 3, then: callback:alpha}\n", "", "  first:"),
    "bad-tries": ("invalid: {tries: 3", "invalid: {tries: 6", "tries: 6"),
    "bad-key": ('"2": queue', '"i": queue', '"i": queue'),
    "multi-digit-key": ('"2": queue', '"21": queue', '"21": queue'),
    "key-habit": ('"*": repeat', '"*": callback:alpha', '"*": callback'),
    "no-agent-key": ('      "0": queue:alpha.order\n', "", "keys:"),
    "many-options": (
        '      "1": queue:alpha.order\n',
        "".join(f'      "{key}": queue:alpha.order\n' for key in "1345678"),
        "keys:",
    ),
    "queue-without-member": ("members: [agent1001]", "members: []", "alpha.order:\n    members"),
    "unknown-member": ("members: [agent1001]", "members: [agent9]", "agent9"),
    "member-twice": ("members: [agent1001]", "members: [agent1001, agent1001]", "agent1001, agent1001"),
    "queue-without-limit": ("    max_wait_s: 60\n", "", "alpha.order:\n    members"),
    "wait-under-ring": ("max_wait_s: 60", "max_wait_s: 14", "max_wait_s: 14"),
    "bad-length": ("max_len: 10", "max_len: -1", "max_len: -1"),
    "queue-without-exit": ("full: callback:alpha, empty: callback:alpha, key-9", "full: callback:alpha, key-9", ""),
    "bad-exit": ("key-9:", "key-99:", "key-99"),
    "feature-key": ("key-9:", "key-#:", "key-#"),
    "wait-without-callback": (
        '{timeout: callback:alpha, full: callback:alpha, empty: "hangup:", key-8: callback:alpha}',
        "{timeout: 'hangup:', full: 'hangup:', empty: 'hangup:'}",
        "alpha.inquiry:\n    members",
    ),
    "bad-best": ("best: 5", "best: 10", "best: 10"),
    "callback-caller-id": ('caller_id: "1588-0101"', 'caller_id: "1588-9999"', "1588-9999"),
    "callback-without-question": (", ask_number: prompts/ask", "", "caller_id"),
    "bad-digits": ("due_minutes: 30", "due_minutes: 30, least_digits: 12", "least_digits"),
    "bad-due": ("due_minutes: 30", "due_minutes: 0", "due_minutes: 0"),
    "unknown-target": ('"2": queue:alpha.inquiry', '"2": queue:alpha.inquiri', "inquiri"),
    "turn-outside-menu": ("key-9: callback:alpha", "key-9: back", "key-9: back"),
    "unreachable": ("queues:\n", f"{_ATTIC}queues:\n", "attic:"),
    "unused": ("[welcome, recording", "[recording", "welcome:"),
    "too-many-levels": (
        '"1": queue:alpha.order\n      "2": queue:alpha.inquiry',
        '"1": queue:alpha.order\n      "2": menu:level-2',
        "level-",
    ),
    "loop-without-exit": ('then: "hangup:prompts/bye"', "then: menu:first", "then: menu:first"),
    "overflow-loop": (
        '{timeout: callback:alpha, full: callback:alpha, empty: "hangup:"',
        '{timeout: queue:alpha.inquiry, full: callback:alpha, empty: "hangup:"',
        "timeout: queue:alpha.inquiry",
    ),
    "no-protection-notice": ("notices: [recording, abuse-protection]", "notices: [recording]", "alpha.inquiry:\n    hours"),
    "no-recording-notice": ("[welcome, recording, abuse", "[welcome, abuse", "alpha.order:\n    hours"),
}  # fmt: skip


def broken(code: str) -> str:
    """The clean spec with the one mistake."""
    if code in WHOLE:
        return WHOLE[code]
    old, new, _ = BROKEN[code]
    assert CLEAN.count(old) >= 1, old
    text = CLEAN.replace(old, new, 1)
    if code == "too-many-levels":
        text = text.replace("queues:\n", f"{_DEEP}queues:\n", 1)
    return text


def _swap(*changes: tuple[str, str]) -> str:
    text = CLEAN
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


#: mistakes that need more than one change, or no spec at all
WHOLE = {
    "wants-list": CLEAN[: CLEAN.index("numbers:")] + "numbers: 3\n" + CLEAN[CLEAN.index("calendars:") :],
    "bad-dotted-id": _swap(("alpha.inquiry:\n    members", "alpha.In:\n    members"), ("queue:alpha.inquiry", "queue:alpha.In")),
    "long-id": _swap(("welcome", "welcome-" + "x" * 40)),
    "bad-member": _swap(("agent1002", '"a,b"')),
    "too-large": CLEAN + "#" * 1_000_001,
    "not-a-mapping": "- 1\n",
    "empty": "{}\n",
    "too-deep": "spec_version: " + "[" * 20 + "]" * 20,
    "bad-id": _swap(("  first:", "  First:"), ("entry: first", "entry: First")),
    "line-not-described": _swap(
        ("line: inquiry}\n", 'line: inquiry}\n  - {did: "07000001003", mall: beta, line: order}\n'),
        ("malls: [alpha]", "malls: [alpha, beta]"),
    ),
    "unknown-mall": _swap(
        ("line: inquiry}\n", 'line: inquiry}\n  - {did: "07000001003", mall: beta, line: order}\n')
    ),
    "unknown-line": _swap(
        ("line: inquiry}\n", 'line: inquiry}\n  - {did: "07000001003", mall: alpha, line: sales}\n')
    ),
    "menu-without-keys": _swap(
        ('    keys:\n      "1": queue:alpha.order\n      "2": queue:alpha.inquiry\n', ""),
        ('      "0": queue:alpha.order\n      "*": repeat\n', ""),
        ("    entry: queue:alpha.inquiry", "    entry: queue:alpha.inquiry"),
        ("key-8: callback:alpha}", "key-8: queue:alpha.order}"),
    ),
    "queue-without-line": _swap(
        ("queues:\n", f"queues:\n  overflow:\n{ORDER}\n{_OVERFLOW}"), ("key-8: callback:alpha", "key-8: queue:overflow")
    ),
    "unknown-survey": _swap(
        ("    max_len: 9\n", "    max_len: 9\n    survey: kinder\n"),
    ),
    "no-way-out": _swap(
        ("queues:\n", f"{_MAZE}queues:\n"),
        ('"2": queue:alpha.inquiry', '"2": menu:maze'),
        ("then: menu:first}", "then: menu:maze}"),
    ),
    "lines-not-separable": _swap(
        ('      "2": queue:alpha.inquiry\n', ""),
        ("    entry: queue:alpha.inquiry", "    entry: queue:alpha.order"),
        ("    max_len: 9\n", "    max_len: 9\n    is_library: true\n"),
    ),
}  # fmt: skip

#: what cannot be had without another problem in the same spec
WITH = {
    "bad-dotted-id": {"queue-without-line"},
    "wants-mapping": {"unknown-notice"},
    "menu-without-keys": {"no-agent-key"},
    "no-way-out": {"loop-without-exit"},
    "lines-not-separable": {"unreachable"},
}
#: told by other tests: they need sound files
SOUNDS = {"prompt-missing", "prompt-format", "prompt-empty"}


def check(text: str) -> list[Problem]:
    return check_spec(text, source="centre.yaml", today=TODAY)


def test_the_clean_spec_has_nothing_to_say():
    assert [str(problem) for problem in check(CLEAN)] == []


@pytest.mark.parametrize("code", sorted(problem_words().keys() - SOUNDS))
def test_a_mistake_is_told_and_nothing_else(code):
    text = broken(code)

    problems = check(text)

    assert {problem.code for problem in problems} == {code} | WITH.get(code, set()), [str(each) for each in problems]
    problem = next(problem for problem in problems if problem.code == code)
    assert problem_words()[code].severity in {each.severity for each in problems if each.code == code}
    for message, fix in (problem.told("en"), problem.told("ko")):
        assert message
        assert fix
        assert "{" not in message.replace("${EXTEN}", "")
    assert any("가" <= sign <= "힣" for sign in problem.message_ko)
    assert any("가" <= sign <= "힣" for sign in problem.fix_ko)


@pytest.mark.parametrize("code", sorted(code for code in BROKEN if BROKEN[code][2] and code not in WHOLE))
def test_a_mistake_is_told_at_its_line(code):
    text, part = broken(code), BROKEN[code][2]

    problem = next(problem for problem in check(text) if problem.code == code)

    lines = {1 + text[:at].count("\n") for at in range(len(text)) if text.startswith(part, at)}
    assert problem.line in lines, (problem.line, lines)


@pytest.mark.parametrize(
    ("code", "text", "severity"),
    [
        (
            "too-many-levels",
            broken("too-many-levels").replace('"1": menu:level-5', '"1": queue:alpha.order'),
            "warning",
        ),
        ("unreachable", broken("unreachable").replace("  attic:\n", "  attic:\n    is_library: true\n"), "warning"),
        ("display-differs", CLEAN.replace(", note: led by the carrier", ""), "warning"),
    ],
)
def test_what_may_be_meant_is_a_warning(code, text, severity):
    found = {problem.severity for problem in check(text) if problem.code == code}

    assert Severity(severity) in found


def test_what_is_led_to_past_the_notices_needs_them_too():
    text = CLEAN.replace("closed: {hours: prompts/closed}", "closed: {hours: prompts/closed, then: queue:alpha.order}")

    assert {"no-protection-notice", "no-recording-notice"} <= {problem.code for problem in check(text)}


def test_back_may_close_a_ring_of_silence():
    text = CLEAN.replace('then: "hangup:prompts/bye"', "then: menu:second").replace(
        "queues:\n",
        "  second:\n    prompt: prompts/second\n    keys: {'0': queue:alpha.order}\n"
        "    no_input: {then: back}\n    invalid: {then: 'hangup:'}\nqueues:\n",
    )

    assert "loop-without-exit" in {problem.code for problem in check(text)}


# ---------------------------------------------------------------- sound files


def wav(*, rate: int = 8000, channels: int = 1, width: int = 2, seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(bytes(int(rate * seconds) * channels * width))
    return file.getvalue()


def sounds(**changed: bytes | None) -> Callable[[str], bytes | None]:
    """A folder in which every prompt is good, but for those named."""
    return lambda name: (
        changed.get(name.removeprefix("prompts/").removesuffix(".wav"), wav()) if name.endswith(".wav") else None
    )


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, "prompt-missing", "prompts/first"),
        (b"", "prompt-format", "no PCM WAV"),
        (b"RIFF\0\0\0\0WAVE", "prompt-format", "no PCM WAV"),
        (wav(rate=44100), "prompt-format", "44100 Hz"),
        (wav(channels=2), "prompt-format", "2 channels"),
        (wav(width=1), "prompt-format", "8 bit"),
        (wav(seconds=0), "prompt-empty", "prompts/first"),
        (wav(seconds=31), "long-prompt", "31 s"),
    ],
)
def test_a_sound_file_that_cannot_be_played_is_told(content, code, said):
    problems = check_spec(CLEAN, source="centre.yaml", today=TODAY, read_sound=sounds(first=content))

    assert [problem.code for problem in problems] == [code]
    assert said in problems[0].message
    assert "prompt: prompts/first" in CLEAN.splitlines()[problems[0].line - 1]


def test_good_sound_files_have_nothing_to_say():
    assert check_spec(CLEAN, source="centre.yaml", today=TODAY, read_sound=sounds()) == []
    plain = check_spec(CLEAN, source="x", today=TODAY, read_sound=lambda name: b"x" if name.endswith(".alaw") else None)
    assert plain == []
