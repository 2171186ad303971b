"""`hub ivr simulate`: one call by hand, a script of calls, and what is refused."""

from pathlib import Path

import pytest

from ivr import demo_calls_text, demo_spec_text
from tests.cli.terminal import Terminal

MORNING = ("--did", "07000001001", "--at", "2026-11-23T10:00")
CALLER = "01000001111"


@pytest.fixture
def centre(terminal: Terminal) -> Terminal:
    """A HUB_HOME with the demo centre's spec and its script."""
    terminal.home.mkdir()
    (terminal.home / "ivr.yaml").write_text(demo_spec_text(), encoding="utf-8")
    (terminal.home / "ivr.calls.yaml").write_text(demo_calls_text(), encoding="utf-8")
    return terminal


def test_a_call_is_walked_to_its_result(centre: Terminal) -> None:
    ran = centre.hub("ivr", "simulate", *MORNING, "--keys", "1, wait 20, 9", "--caller", CALLER, "--json")

    assert ran.code == 0
    assert (ran.document["result"], ran.document["mall"], ran.document["line"]) == (
        "callback_requested",
        "cafe24",
        "order",
    )
    assert ran.document["wait_seconds"] == 20
    assert [step["kind"] for step in ran.document["steps"]] == [
        "enter", "key", "try_queue", "join", "leave", "key", "callback", "hangup",
    ]  # fmt: skip
    assert ran.document["ways"] == ["cafe24.order.next", "cafe24-order.key.1", "cafe24.order.on.key-9"]
    assert ran.document["steps"][0]["at"] == "2026-11-23T10:00:00+09:00"
    assert CALLER not in ran.out + ran.err


def test_a_number_may_be_written_as_people_write_it(centre: Terminal) -> None:
    ran = centre.hub("ivr", "simulate", "--did", "+82 70-0000-1001", "--at", "2026-11-23T10:00", "--json")

    assert (ran.document["did"], ran.document["result"]) == ("07000001001", "ivr_giveup")


@pytest.mark.parametrize(
    ("agents", "result", "agent"),
    [
        ("all=5", "answered", "agent1001"),
        ("agent1001=rings,agent1002=5", "answered", "agent1002"),
        ("agent1001=out", "not_joined", None),
    ],
)
def test_agents_decide_who_answers(centre: Terminal, agents: str, result: str, agent: str | None) -> None:
    ran = centre.hub("ivr", "simulate", *MORNING, "--keys", "1", "--agents", agents, "--json")

    assert (ran.document["result"], ran.document["agent"]) == (result, agent)


def test_agents_stand_in_a_file_too(centre: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text("agents: {agent2001: {answers_after: 7, topic: inquiry}}\nfull: [cafe24.order]\n", encoding="utf-8")

    ran = centre.hub("ivr", "simulate", *MORNING, "--keys", "2", "--agents", file, "--json")
    full = centre.hub("ivr", "simulate", *MORNING, "--keys", "1", "--agents", file, "--json")

    assert (ran.document["agent"], ran.document["topic"], ran.document["wait_seconds"]) == ("agent2001", "inquiry", 7)
    assert (full.document["result"], full.document["reason"]) == ("not_joined", "full")


@pytest.mark.parametrize(
    ("language", "word", "result"), [("ko", "대기 시작", "콜백 요청"), ("en", "waits in", "callback")]
)
def test_a_walk_is_told_in_both_languages(centre: Terminal, language: str, word: str, result: str) -> None:
    ran = centre.hub("ivr", "simulate", *MORNING, "--keys", "1, 9", "--caller", CALLER, "--lang", language)

    assert ran.code == 0
    assert word in ran.out
    assert result in ran.out
    assert CALLER not in ran.out + ran.err


def test_the_script_beside_the_spec_is_run(centre: Terminal) -> None:
    ran = centre.hub("ivr", "simulate", "--json")

    assert (ran.code, ran.document["missed"]) == (0, 0)
    assert ran.document["calls"] == len(ran.document["outcomes"]) >= 12


def test_a_changed_menu_misses_its_calls(centre: Terminal) -> None:
    spec = centre.home / "ivr.yaml"
    text = spec.read_text(encoding="utf-8")
    old = '"1": queue:cafe24.order\n      "2": queue:cafe24.inquiry'
    assert old in text
    spec.write_text(text.replace(old, '"2": queue:cafe24.order\n      "1": queue:cafe24.inquiry'), encoding="utf-8")

    ran = centre.hub("ivr", "simulate", "--script", centre.home / "ivr.calls.yaml")
    document = centre.hub("ivr", "simulate", "--json").document

    assert ran.code == 1
    assert "order line, key 1, served: chosen_line: expected order, found inquiry" in ran.err
    assert "ivr.calls.yaml:8:" in ran.err
    missed = {outcome["name"]: outcome["misses"] for outcome in document["outcomes"] if outcome["misses"]}
    assert len(missed) == document["missed"]
    assert {"what": "chosen_line", "expected": "order", "found": "inquiry"} in missed["order line, key 1, served"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((*MORNING, "--keys", "dance"), "dance"),
        ((*MORNING, "--at", "monday"), "monday"),
        ((*MORNING, "--agents", "nobody.yaml"), "no such file"),
        ((*MORNING, "--agents", "agent9=5"), "agent9"),
        ((*MORNING, "--full", "nowhere"), "nowhere"),
        ((*MORNING, "--dnd", "nowhere"), "nowhere"),
        ((*MORNING, "--caller", "me"), "--caller"),
        ((*MORNING, "--script", "x.yaml"), "exclude"),
        (("--script", "x.yaml"), "x.yaml"),
        (("--spec", "x.yaml"), "x.yaml"),
    ],
)
def test_wrong_use_is_named(centre: Terminal, options: tuple[str, ...], word: str) -> None:
    ran = centre.hub("ivr", "simulate", *options, "--json")

    assert (ran.code, ran.out) == (2, "")
    assert word in ran.err


def test_a_broken_script_is_named_by_line(centre: Terminal) -> None:
    script = centre.home / "ivr.calls.yaml"
    script.write_text(
        script.read_text(encoding="utf-8").replace("result: closed, reason: dnd", "result: shut"), "utf-8"
    )

    ran = centre.hub("ivr", "simulate")

    assert ran.code == 2
    assert "ivr.calls.yaml:" in ran.err
    assert "[bad-value]" in ran.err


def test_a_spec_without_calls_is_told_of_them(centre: Terminal) -> None:
    assert "ivr.calls.yaml" not in centre.hub("ivr", "check").err
    (centre.home / "ivr.calls.yaml").unlink()

    ran = centre.hub("ivr", "check")

    assert ran.code == 0
    assert "ivr.calls.yaml: no calls yet" in ran.err
    assert "ivr.calls.yaml" not in centre.hub("ivr", "check", "--json").err
