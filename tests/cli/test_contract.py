"""The command line as scripts see it: exit codes, one JSON document on stdout, errors that say what to do."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAPTURE = Path(__file__).parents[1] / "data" / "asterisk-22.10.1"
_COMMANDS = (
    "demo", "serve", "worker", "sandbox", "db upgrade", "db check", "backup", "restore", "shop import", "shop add",
    "shop list", "shop check", "shop remove", "sync", "status", "quarantine list", "quarantine show",
    "quarantine retry", "act", "export", "route explain", "ivr check", "ivr import", "ivr counts", "connectors",
)  # fmt: skip


class Ran:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Terminal:
    def __init__(self, home: Path) -> None:
        self.home = home

    def hub(self, *arguments: str | Path, **settings: str) -> Ran:
        environment = {**os.environ, "HUB_HOME": str(self.home), **settings}
        command = [sys.executable, "-m", "hub", *map(str, arguments)]
        return Ran(
            subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=60,
            )
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "home")


def test_every_command_has_help() -> None:
    from typer.testing import CliRunner

    from hub import cli

    if not cli.app.registered_commands:
        cli._register()
    for command in _COMMANDS:
        shown = CliRunner().invoke(cli.app, [*command.split(), "--help"])
        assert (shown.exit_code, "Usage" in shown.output) == (0, True), command


def test_wrong_settings_are_named(terminal: Terminal) -> None:
    ran = terminal.hub("status", HUB_TIMEZONE="Mars")

    assert (ran.code, ran.out) == (2, "")
    assert "HUB_TIMEZONE" in ran.err
    assert "Traceback" not in ran.err


def test_a_port_in_use_is_named(terminal: Terminal) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ran = terminal.hub("serve", "--port", port)

    assert ran.code == 2
    assert port in ran.err
    assert "--port" in ran.err


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[[shop]]\nname="a"\nmall="cafe24"\nsecret="x"\n[shop.credentials]\nmall_id="m"\n', "secret"),
        ('[[shop]]\nname="a"\nmall="nowhere"\n[shop.credentials]\nmall_id="m"\n', "nowhere"),
        (
            '[[shop]]\nname="a"\nmall="qoo10"\nbase_url="http://mall.example"\n[shop.credentials]\nseller_key="k"\n',
            "http://mall.example",
        ),
        ('[[shop]]\nname="a"\nmall="qoo10"\n[shop.credentials]\nseller_kay="k"\n', "seller_kay"),
        ("[[shop]\n", "shops.toml"),
    ],
    ids=["unknown key", "unknown mall", "plain http", "unknown credential", "no TOML"],
)
def test_a_wrong_shop_file_adds_nothing(terminal: Terminal, tmp_path: Path, text: str, named: str) -> None:
    good = '[[shop]]\nname="good"\nmall="qoo10"\n[shop.credentials]\nseller_key="k"\n'
    file = tmp_path / "shops.toml"
    file.write_text(good + text)

    ran = terminal.hub("shop", "import", file)

    assert (ran.code, ran.out) == (2, "")
    assert named in ran.err
    assert "Traceback" not in ran.err
    assert terminal.hub("shop", "list", "--json").document == []


def test_no_shop_and_an_unknown_shop_are_wrong_use(terminal: Terminal) -> None:
    assert terminal.hub("sync").code == 2
    ran = terminal.hub("sync", "--shop", "nobody", "--json")

    assert (ran.code, ran.out, "nobody" in ran.err) == (2, "", True)


def test_what_cannot_be_taken_back_needs_yes_without_a_terminal(terminal: Terminal) -> None:
    ran = terminal.hub("act", "approve-cancel", "--shop", "a", "--order", "1", "--line", "2")

    assert (ran.code, "--yes" in ran.err) == (2, True)


def test_the_matrix_says_what_exists_instead(terminal: Terminal) -> None:
    ran = terminal.hub("connectors", "--json")

    assert ran.code == 0
    assert [row["mall"] for row in ran.document] == ["cafe24", "qoo10", "smartstore"]
    for row in ran.document:
        for state in row["capabilities"].values():
            assert state["state"] in {"yes", "no", "planned"}
            assert state["state"] != "no" or state["instead"]


def test_call_records_count_to_the_known_totals_however_often_they_are_read(terminal: Terminal) -> None:
    files = [CAPTURE / "queue_log", CAPTURE / "cel.jsonl", "--map", CAPTURE / "rig_map.json", "--json"]
    assert terminal.hub("ivr", "import", *files).code == 0
    once = terminal.hub("ivr", "counts", "--json").document

    again = terminal.hub("ivr", "import", *files).document

    assert [file["new_events"] for file in again["files"]] == [0, 0]
    assert terminal.hub("ivr", "counts", "--json").document == once
    ends = ("answered", "abandoned_notice", "abandoned_menu", "abandoned_queue", "left_queue", "not_joined", "closed",
            "ivr_giveup", "callback_requested")  # fmt: skip
    for row in once:
        assert sum(row[name] for name in ends) == row["offered"]
    assert sum(row["offered"] for row in once) > 0


def test_a_backup_comes_back(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "shops.toml"
    file.write_text('[[shop]]\nname="good"\nmall="qoo10"\n[shop.credentials]\nseller_key="k"\n')
    assert terminal.hub("shop", "import", file).code == 0
    assert terminal.hub("backup", tmp_path / "hub.tar.gz").code == 0

    other = Terminal(tmp_path / "other")
    assert other.hub("restore", tmp_path / "hub.tar.gz").code == 0

    assert [shop["name"] for shop in other.hub("shop", "list", "--json").document] == ["good"]
    assert other.hub("restore", tmp_path / "hub.tar.gz").code == 2
