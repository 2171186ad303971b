"""`hub ivr check`, `graph`, `ways` and `schema` as a person and a script see them."""

import wave
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from ivr import demo_spec_text
from ivr.check import load_spec
from ivr.demo_day import write_days
from ivr.prompts import prompts_of
from ivr.schema import spec_schema_text
from tests.cli.terminal import Terminal

MONDAY = date(2026, 11, 16)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "centre.yaml"
    path.write_text(demo_spec_text(), encoding="utf-8")
    return path


@pytest.fixture
def broken(spec: Path) -> Path:
    spec.write_text(demo_spec_text().replace('sat: ["09:00-13:00"]', 'sat: ["09:00-24:00"]'), encoding="utf-8")
    return spec


def _record(folder: Path, name: str, *, rate: int = 8000) -> None:
    path = folder / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(rate * 2))


def test_problems_are_told_in_either_language(terminal: Terminal, broken: Path) -> None:
    english = terminal.hub("ivr", "check", broken)
    korean = terminal.hub("ivr", "check", broken, "--lang", "ko")

    assert (english.code, korean.code) == (2, 2)
    assert "which the PBX skips [hours-24]" in english.err
    assert "교환기가 건너뜁니다 [hours-24]" in korean.err


def test_a_script_gets_both_languages_at_once(terminal: Terminal, broken: Path) -> None:
    (problem,) = (
        each for each in terminal.hub("ivr", "check", broken, "--json").document if each["code"] == "hours-24"
    )

    assert {"severity", "code", "message", "fix", "message_ko", "fix_ko", "file", "line"} == set(problem)
    assert problem["severity"] == "error"


def test_sound_files_are_looked_at_where_a_folder_is_named(terminal: Terminal, spec: Path, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    for _, prompt in prompts_of(load_spec(demo_spec_text(), source="demo.yaml")):
        _record(sounds, prompt)
    good = terminal.hub("ivr", "check", spec, "--prompts", sounds, "--json")
    _record(sounds, "prompts/goodbye", rate=16000)
    (sounds / "prompts" / "closed-dnd.wav").unlink()

    bad = terminal.hub("ivr", "check", spec, "--prompts", sounds, "--json")

    assert (good.code, [each["code"] for each in good.document if each["severity"] == "error"]) == (0, [])
    assert bad.code == 2
    found = [each["code"] for each in bad.document if each["severity"] == "error"]
    assert found == ["prompt-missing", "prompt-format"]


def test_a_prompt_s_name_cannot_lead_out_of_the_folder(terminal: Terminal, spec: Path, tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    _record(tmp_path, "outside")
    spec.write_text(demo_spec_text().replace("prompts/qoo10-order", "../outside", 1), encoding="utf-8")

    ran = terminal.hub("ivr", "check", spec, "--prompts", tmp_path / "sounds", "--json")

    assert {"bad-prompt", "prompt-missing"} <= {
        each["code"] for each in ran.document if "../outside" in each["message"]
    }


def test_the_days_are_listed_for_a_person(terminal: Terminal, spec: Path) -> None:
    listed = terminal.hub("ivr", "check", spec, "--holidays", "--json", "--lang", "ko")

    assert {"calendar": "weekdays", "date": "2026-12-25", "kind": "closed", "name": "기독탄신일"} in listed.document
    shown = terminal.hub("ivr", "check", spec, "--holidays")
    assert (shown.code, "2026-12-25" in shown.out, "Christmas" in shown.out) == (0, True, True)


def test_the_flow_is_written_as_svg(terminal: Terminal, spec: Path, tmp_path: Path) -> None:
    printed = terminal.hub("ivr", "graph", spec)
    written = terminal.hub("ivr", "graph", spec, "--svg", tmp_path / "flow.svg", "--lang", "en")

    assert ET.fromstring(printed.out).tag.endswith("svg")
    assert "대기열 cafe24.order" in printed.out
    assert (written.code, "Queue cafe24.order" in (tmp_path / "flow.svg").read_text(encoding="utf-8")) == (0, True)


def test_a_spec_with_errors_is_not_drawn(terminal: Terminal, broken: Path) -> None:
    ran = terminal.hub("ivr", "graph", broken)

    assert (ran.code, ran.out, "hub ivr check" in ran.err) == (2, "", True)


def test_the_schema_is_printed(terminal: Terminal) -> None:
    assert terminal.hub("ivr", "schema").out == spec_schema_text()


def test_the_calls_of_a_log_are_counted_on_the_ways_of_the_spec(terminal: Terminal, tmp_path: Path) -> None:
    terminal.home.mkdir()
    (terminal.home / "ivr.yaml").write_text(demo_spec_text(), encoding="utf-8")
    log = tmp_path / "queue_log"
    lines = write_days(load_spec(demo_spec_text(), source="demo"), first=MONDAY, last=MONDAY, seed=3, calls_per_day=30)
    log.write_text("".join(lines), encoding="utf-8")
    assert terminal.hub("ivr", "import", log).code == 0

    found = terminal.hub("ivr", "ways", "--json").document
    drawn = terminal.hub("ivr", "graph", "--counts", "--lang", "en")

    counts = {each["way"]: each["calls"] for each in found["ways"]}
    opened = sum(calls for way, calls in counts.items() if way.endswith(".open"))
    closed = sum(calls for way, calls in counts.items() if ".closed." in way)
    assert (opened + closed, found["without"], found["unknown"]) == (found["calls"], 0, [])
    assert opened > closed > 0
    assert f">{counts['cafe24.order.open']} calls<" in drawn.out
