"""`hub ivr`: a spec's mistakes by line, call records counted once, totals that are true."""

import json
from collections import Counter
from pathlib import Path

import pytest

from ivr import demo_spec_text
from tests.cli.conftest import CAPTURE
from tests.cli.terminal import Terminal

TRUTH = json.loads((CAPTURE / "truth.json").read_text(encoding="utf-8"))
MAP = ("--map", CAPTURE / "rig_map.json")
LOG, CEL = CAPTURE / "queue_log", CAPTURE / "cel.jsonl"
ENDS = ("answered", "abandoned_notice", "abandoned_menu", "abandoned_queue", "left_queue", "not_joined", "closed",
        "ivr_giveup", "callback_requested")  # fmt: skip
KEYS = {"mall", "line", "hour", "offered", "abandoned_short", "transferred_out", *ENDS}
#: words of the truth -> columns; what a caller did before the menu is told apart by ``abandoned_in``
COLUMN = {
    "closed_hours": "closed",
    "closed_holiday": "closed",
    "closed_dnd": "closed",
    "queue_full": "not_joined",
    "join_empty": "not_joined",
    "queue_timeout": "left_queue",
    "leave_empty": "left_queue",
}


def true_counts() -> dict[tuple[str, str], Counter[str]]:
    counts: dict[tuple[str, str], Counter[str]] = {}
    for call in TRUTH["calls"]:
        end = COLUMN.get(call["result"], call["result"])
        found = counts.setdefault((call["mall"], call["entered_line"]), Counter())
        found["offered"] += 1
        found["abandoned_notice" if call.get("abandoned_in") == "notice" else end] += 1
        found["abandoned_short"] += call.get("short_abandon", False)
        found["transferred_out"] += "transfer" in call
    return counts


def test_counts_are_the_truth_per_line_and_result(terminal: Terminal) -> None:
    assert terminal.hub("ivr", "import", LOG, CEL, *MAP).code == 0

    ran = terminal.hub("ivr", "counts", "--json")

    assert ran.code == 0
    assert [set(row) - {"unknown_did", "system_lost"} for row in ran.document] == [KEYS] * len(ran.document)
    assert {row["hour"] for row in ran.document} == {"2026-11-22T10:00:00+09:00"}
    figures = [*ENDS, "offered", "abandoned_short", "transferred_out"]
    assert {(row["mall"], row["line"]): {name: row[name] for name in figures} for row in ran.document} == {
        place: {name: counts[name] for name in figures} for place, counts in true_counts().items()
    }
    assert all(sum(row[name] for name in ENDS) == row["offered"] for row in ran.document)


def test_calls_are_exported_as_they_truly_were(terminal: Terminal) -> None:
    assert terminal.hub("ivr", "import", LOG, CEL, *MAP).code == 0

    rows = {row["call_id"]: row for row in terminal.hub("export", "calls").rows}

    assert rows.keys() == {call["pbx_uniqueid"] for call in TRUTH["calls"]}
    for call in TRUTH["calls"]:
        row = rows[call["pbx_uniqueid"]]
        told = (row["did"], row["mall"], row["line"], row["chosen_line"], row["handling_line"])
        assert told == (call["did"], call["mall"], call["entered_line"], call["chosen_line"], call["handling_line"])


def test_halves_are_the_whole_and_twice_is_once(terminal: Terminal, tmp_path: Path) -> None:
    whole = Terminal(tmp_path / "whole")
    assert whole.hub("ivr", "import", LOG, CEL, *MAP).code == 0
    lines = LOG.read_text(encoding="utf-8").splitlines(keepends=True)
    halves = [tmp_path / "second", tmp_path / "first"]
    for half, part in zip(halves, (lines[len(lines) // 2 :], lines[: len(lines) // 2]), strict=True):
        half.write_text("".join(part), encoding="utf-8")

    for part in (*halves, CEL):
        assert terminal.hub("ivr", "import", part, *MAP).code == 0

    assert terminal.hub("ivr", "counts", "--json").document == whole.hub("ivr", "counts", "--json").document
    calls = terminal.hub("export", "calls").out
    assert calls == whole.hub("export", "calls").out
    again = terminal.hub("ivr", "import", LOG, CEL, *MAP, "--json")
    assert (again.code, [file["new_events"] for file in again.document["files"]]) == (0, [0, 0])
    assert terminal.hub("export", "calls").out == calls


def test_torn_lines_are_named_and_cost_nothing_else(terminal: Terminal, tmp_path: Path) -> None:
    lines = LOG.read_text(encoding="utf-8").splitlines()
    torn = tmp_path / "torn_log"
    torn.write_text("\n".join([*lines[:3], "179531", *lines[3:40], lines[40], "1795|||", *lines[41:]]) + "\n")

    ran = terminal.hub("ivr", "import", torn, CEL, *MAP)

    assert ran.code == 1
    assert f"{torn}:4:" in ran.err
    assert f"{torn}:43:" in ran.err
    report = terminal.hub("ivr", "import", torn, *MAP, "--json")
    (file,) = report.document["files"]
    assert (report.code, file["unreadable"], [line_no for line_no, _ in file["problems"]]) == (1, 2, [4, 43])
    counts = terminal.hub("ivr", "counts", "--json").document
    assert {(row["mall"], row["line"]): row["offered"] for row in counts} == {
        place: found["offered"] for place, found in true_counts().items()
    }


def test_a_file_of_another_kind_stops_the_import_before_it_begins(terminal: Terminal, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear customer,\nthank you.\n")

    ran = terminal.hub("ivr", "import", LOG, other, *MAP)

    assert (ran.code, ran.out, str(other) in ran.err) == (2, "", True)
    assert terminal.hub("ivr", "counts", "--json").document == []
    assert terminal.hub("ivr", "import", LOG, tmp_path / "nothing", *MAP).code == 2
    assert terminal.hub("ivr", "import", LOG, *MAP, "--json").document["calls"] == len(TRUTH["calls"])


@pytest.mark.parametrize(
    "text", ["{", '{"timezone": "Mars", "did": {}}', '{"did": 3}'], ids=["no JSON", "no zone", "no numbers"]
)
def test_a_wrong_map_file_is_named(terminal: Terminal, tmp_path: Path, text: str) -> None:
    file = tmp_path / "map.json"
    file.write_text(text)

    ran = terminal.hub("ivr", "import", LOG, "--map", file)

    assert (ran.code, ran.out, str(file) in ran.err) == (2, "", True)


def test_two_lines_on_one_number_are_told_with_their_place(terminal: Terminal, tmp_path: Path) -> None:
    text = demo_spec_text()
    spec = tmp_path / "centre.yaml"
    spec.write_text(text.replace('did: "07000001002"', 'did: "07000001001"'), encoding="utf-8")
    line_no = 1 + next(n for n, line in enumerate(text.splitlines()) if 'did: "07000001002"' in line)

    ran = terminal.hub("ivr", "check", spec)
    told = terminal.hub("ivr", "check", spec, "--json")

    assert (ran.code, ran.out) == (2, "")
    assert f"{spec}:{line_no}: error" in ran.err
    assert "07000001001" in ran.err
    (problem,) = (each for each in told.document if each["code"] == "did-two-lines")
    assert (told.code, problem["file"], problem["line"]) == (2, str(spec), line_no)


def test_a_good_spec_has_nothing_to_say(terminal: Terminal, tmp_path: Path) -> None:
    spec = tmp_path / "centre.yaml"
    spec.write_text(demo_spec_text(), encoding="utf-8")

    assert terminal.hub("ivr", "check", spec).code == 0
    ran = terminal.hub("ivr", "check", spec, "--json")

    # Late in a year its holidays end too soon, whoever wrote them.
    assert (ran.code, [each for each in ran.document if each["code"] != "holidays-end"]) == (0, [])
    assert terminal.hub("ivr", "check", tmp_path / "nothing.yaml").code == 2
