"""The compiled files: as they are kept, sound to a checker of dialplans, deaf to hostile text, told apart by --diff."""

import re
import subprocess
import sys
from html import unescape
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from ivr.check import load_spec
from ivr.compile.asterisk import FAREWELL_CONTEXT, LONGEST_CONTEXT, PREVIOUS_FILE, spec_hash, write_dialplan
from ivr.compile.deployed import compare, previous_contexts
from ivr.compile.targets import TARGETS
from ivr.compile.text import UnsafeTextError, comment, safe
from ivr.flow import Flow, flow_of
from tests.cli.terminal import Terminal
from tests.ivr.interpreter import gotos, read_dialplan
from tests.ivr.specs import spec_text, specs

DATA = Path(__file__).parents[1] / "data" / "ivr"
CENTRE, GOLDEN = DATA / "centre.yaml", DATA / "golden"
HOSTILE = [
    "a;b",
    "a,b",
    "a|b",
    "${SHELL(id)}",
    "$[1]",
    "a\nexten => x",
    "a b",
    'a"b',
    "a'b",
    "a\\b",
    "(x)",
    "&",
    "",
    "한",
]


@pytest.fixture(scope="module")
def flow() -> Flow:
    return flow_of(load_spec(CENTRE.read_text(encoding="utf-8"), source=str(CENTRE)))


@pytest.fixture(scope="module")
def demo() -> Flow:
    text = resources.files("ivr").joinpath("demo.yaml").read_text(encoding="utf-8")
    return flow_of(load_spec(text, source="demo.yaml"))


def edited(flow: Flow, **changes: object) -> Flow:
    return flow_of(msgspec.structs.replace(flow.spec, **changes))


def lint(folder: Path, files: dict[str, str]) -> str:
    """What asterisklint has against the dialplan; it is a program of its own, run as one."""
    (folder / "extensions.conf").write_text(files["extensions.conf"], encoding="utf-8")
    program = Path(sys.executable).with_name("asterisklint")
    ran = subprocess.run(
        [program, "dialplan-check", folder / "extensions.conf"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ran.stdout + ran.stderr


# ---------------------------------------------------------------- as kept


@pytest.mark.parametrize("target", TARGETS)
def test_the_files_are_those_that_were_looked_through(flow: Flow, target: str) -> None:
    """After a wanted change: hub ivr compile --spec …/centre.yaml --target … --out …/golden/…, and read the diff."""
    folder = GOLDEN / target
    kept = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }

    assert TARGETS[target](flow) == kept


def test_a_new_field_of_the_program_leaves_the_hash_of_a_spec(flow: Flow) -> None:
    written = edited(flow, malls=flow.spec.malls, valid_from=None)

    assert spec_hash(written) == spec_hash(flow)
    assert spec_hash(edited(flow, revision=8)) != spec_hash(flow)
    assert f"IVR_SPEC_HASH={spec_hash(flow)}\n" in write_dialplan(flow)


# ---------------------------------------------------------------- Asterisk's rules


@pytest.mark.parametrize("name", ["flow", "demo"])
def test_a_checker_of_dialplans_finds_nothing(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> None:
    assert lint(tmp_path, TARGETS["asterisk"](request.getfixturevalue(name))) == ""


def test_the_checker_would_find_something(flow: Flow, tmp_path: Path) -> None:
    broken = write_dialplan(flow).replace("Goto(menu-more-menu-v7,s,1)", "Goto(menu-less-menu-v7,s,1)")

    assert "menu-less-menu-v7" in lint(tmp_path, {"extensions.conf": broken})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=specs())
def test_every_jump_leads_somewhere_and_every_menu_hears_silence(spec: object) -> None:
    flow = flow_of(load_spec(spec_text(spec), source="random.yaml"))  # type: ignore[arg-type]
    files = TARGETS["asterisk"](flow)
    plan = read_dialplan(files["extensions.conf"])
    places = {f"{context},{extension}" for context, found in plan.contexts.items() for extension in found}

    assert [jump for jump in gotos(plan) if jump[2] not in places] == []
    menus = [found for context, found in plan.contexts.items() if context.startswith("menu-")]
    assert len(menus) == len(flow.spec.menus)
    assert all({"s", "i", "t"} <= set(found) for found in menus)
    assert all(len(context) <= LONGEST_CONTEXT for context in plan.contexts)
    exits = re.findall(r"^context=(keys-.+)$", files["queues.conf"], re.MULTILINE)
    assert set(exits) == {context for context in plan.contexts if context.startswith("keys-")}


def test_hours_end_before_their_last_minute(flow: Flow) -> None:
    dialplan = write_dialplan(flow)

    assert "GotoIfTime(13:00-17:59,mon-fri,*,*,Asia/Seoul?open,1)" in dialplan
    assert "GotoIfTime(*,*,*,*,Asia/Seoul?open,1)" in dialplan
    assert not re.search(r"GotoIfTime\([^)]*:00-[0-9]{2}:00", dialplan)


def test_a_call_out_shows_a_number_of_a_mall_or_is_refused(flow: Flow) -> None:
    extension = read_dialplan(write_dialplan(flow)).contexts["outbound"]["_X."]
    shown = re.findall(r'"="([0-9]*)"\]\?owned', " ".join(extension.applications))

    assert shown == ["07000001001", "07000001002"]
    assert extension.applications[len(shown) + 1] == "Hangup(21)"
    assert extension.labels["owned"] == len(shown) + 2


# ---------------------------------------------------------------- hostile text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_a_pbx_would_read_as_a_command_is_refused(text: str) -> None:
    with pytest.raises(UnsafeTextError):
        safe(text)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("text", HOSTILE[:-2])
def test_no_name_brings_a_command_into_a_file(flow: Flow, target: str, text: str) -> None:
    """The check refuses such names; the compilers refuse them again, whoever hands them a spec."""
    menu = msgspec.structs.replace(flow.spec.menus["order-menu"], prompt=text)
    with pytest.raises(UnsafeTextError):
        TARGETS[target](edited(flow, menus={**flow.spec.menus, "order-menu": menu}))

    number = msgspec.structs.replace(flow.spec.numbers[0], did=text)
    with pytest.raises(UnsafeTextError):
        TARGETS[target](edited(flow, numbers=(number, *flow.spec.numbers[1:])))

    queue = msgspec.structs.replace(flow.spec.queues["alpha.order"], members=(text,))
    with pytest.raises(UnsafeTextError):
        TARGETS[target](edited(flow, queues={**flow.spec.queues, "alpha.order": queue}))


def test_a_context_whose_name_would_be_cut_is_refused(flow: Flow) -> None:
    name = "m" * (LONGEST_CONTEXT - len("menu--v7"))
    menus = {**flow.spec.menus, name: flow.spec.menus["more-menu"]}
    assert f"[menu-{name}-v7]" in write_dialplan(edited(flow, menus=menus))

    with pytest.raises(UnsafeTextError):
        write_dialplan(edited(flow, menus={**menus, f"{name}m": flow.spec.menus["more-menu"]}))


def test_a_comment_stays_on_its_line() -> None:
    assert comment("a\nexten => 1\r\t\x00") == "a exten => 1   "


# ---------------------------------------------------------------- FreeSWITCH


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=specs())
def test_the_second_target_takes_the_same_ways(spec: object) -> None:
    """Every transfer meets an extension, and every way that Asterisk would log is logged here under the same id."""
    flow = flow_of(load_spec(spec_text(spec), source="random.yaml"))  # type: ignore[arg-type]
    text = "".join(TARGETS["freeswitch"](flow).values())
    names = set(re.findall(r'<extension name="([^"]+)"', text))
    targets = {unescape(found) for found in re.findall(r'application="transfer" data="(\S+) XML hub-v[0-9]+"', text)}

    assert {target for target in targets if not target.startswith("$")} <= names
    assert set(re.findall(r"Hub-Way=([a-z0-9._-]+)", text)) == logged_ways(flow)


def logged_ways(flow: Flow) -> set[str]:
    """The fourth word of every step of the Asterisk dialplan."""
    words = re.findall(r",s,1\([A-Z]+,[^,]*,[^,]*,([^,)]+)\)\)", write_dialplan(flow))
    never_full = {f"{name}.on.full" for name, queue in flow.spec.queues.items() if not queue.max_len}
    return set(words) - never_full


# ---------------------------------------------------------------- deployed


def test_what_is_deployed_is_compared(flow: Flow) -> None:
    files = TARGETS["asterisk"](flow)
    newer = TARGETS["asterisk"](edited(flow, revision=8))

    assert compare(files, files, revision=7).is_same
    difference = compare(newer, {**files, "cdr.conf": "[general]\n"}, revision=8)

    assert (difference.is_same, difference.deployed_revision, difference.deployed_hash) == (False, 7, spec_hash(flow))
    found = {file.name: (file.state, file.reload) for file in difference.files}
    assert found["extensions.conf"] == ("changed", "dialplan reload")
    assert found["cdr.conf"] == ("changed", "cdr reload")
    # Another revision in the first line is nothing to reload for.
    assert found["manager.conf"] == ("changed", None)
    assert "revision 7" in difference.notes[0]


def test_a_changed_menu_of_the_same_revision_is_warned_of(flow: Flow) -> None:
    deployed = {"extensions.conf": write_dialplan(flow).replace("WaitExten(5)", "WaitExten(9)")}

    notes = compare(TARGETS["asterisk"](flow), deployed, revision=7).notes

    assert "Raise the revision" in notes[0]


def test_calls_under_way_keep_their_contexts(flow: Flow) -> None:
    before = read_dialplan(write_dialplan(flow)).contexts
    kept = read_dialplan(previous_contexts(write_dialplan(flow))).contexts

    assert kept == {name: found for name, found in before.items() if name.endswith("-v7")}
    assert set(before) - set(kept) == {"general", "globals", "from-trunk", "hub-phones", "outbound", FAREWELL_CONTEXT}


# ---------------------------------------------------------------- the command


def test_compile_writes_compares_and_keeps_the_revision_before(tmp_path: Path) -> None:
    terminal, out = Terminal(tmp_path / "home"), tmp_path / "pbx"
    spec = tmp_path / "ivr.yaml"
    spec.write_text(CENTRE.read_text(encoding="utf-8"), encoding="utf-8")

    assert terminal.hub("ivr", "compile", "--spec", spec, "--diff", out).code == 2
    assert terminal.hub("ivr", "compile", "--spec", spec, "--out", out).code == 0
    same = terminal.hub("ivr", "compile", "--spec", spec, "--diff", out, "--json")
    assert (same.code, same.document["difference"]["is_same"]) == (0, True)

    spec.write_text(CENTRE.read_text(encoding="utf-8").replace("revision: 7", "revision: 8"), encoding="utf-8")
    ran = terminal.hub("ivr", "compile", "--spec", spec, "--diff", out)
    assert (ran.code, "+IVR_SPEC_REVISION=8" in ran.out, "dialplan reload" in ran.err) == (1, True, True)

    written = terminal.hub("ivr", "compile", "--spec", spec, "--out", out, "--json").document
    assert (written["revision"], PREVIOUS_FILE in written["written"]) == (8, True)
    assert "[menu-order-menu-v7]" in (out / PREVIOUS_FILE).read_text(encoding="utf-8")
    assert "-v7" not in (out / "extensions.conf").read_text(encoding="utf-8")


def test_compile_takes_the_spec_of_the_home_and_prints_the_files(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    (tmp_path / "ivr.yaml").write_text(CENTRE.read_text(encoding="utf-8"), encoding="utf-8")

    document = terminal.hub("ivr", "compile", "--target", "freeswitch", "--json").document

    assert (document["target"], document["revision"]) == ("freeswitch", 7)
    assert "dialplan/hub_v7.xml" in document["files"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "pots"), "asterisk, freeswitch"),
        (("--spec", "nowhere.yaml"), "nowhere.yaml"),
        (("--out", "a", "--diff", "b"), "exclude each other"),
    ],
)
def test_wrong_use_is_named(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = Terminal(tmp_path).hub("ivr", "compile", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_spec_with_errors_is_not_compiled(tmp_path: Path) -> None:
    spec = tmp_path / "ivr.yaml"
    spec.write_text(CENTRE.read_text(encoding="utf-8").replace("prompts/order-menu", "prompts/a;b"), encoding="utf-8")

    ran = Terminal(tmp_path / "home").hub("ivr", "compile", "--spec", spec, "--out", tmp_path / "pbx")

    assert (ran.code, (tmp_path / "pbx").exists()) == (2, False)
    assert f"{spec}:" in ran.err
