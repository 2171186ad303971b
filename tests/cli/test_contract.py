"""The command line as scripts see it: exit codes, one JSON document on stdout, errors that say what to do."""

import socket
import sqlite3
import tarfile
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

_COMMANDS = (
    "demo", "serve", "worker", "sandbox", "db upgrade", "db check", "backup", "restore", "shop import", "shop add",
    "shop list", "shop check", "shop webhook", "shop remove", "sync", "status", "quarantine list", "quarantine show",
    "quarantine retry", "resync", "replay", "act", "export", "route explain", "ivr check", "ivr graph", "ivr schema", "ivr simulate", "ivr import", "ivr counts", "connectors",
)  # fmt: skip


def test_every_command_has_help(terminal: Terminal) -> None:
    for command in _COMMANDS:
        shown = terminal.hub(*command.split(), "--help")
        assert (shown.code, "Usage" in shown.out) == (0, True), command


def test_wrong_settings_are_named(terminal: Terminal) -> None:
    ran = terminal.hub("status", HUB_TIMEZONE="Mars")

    assert (ran.code, ran.out) == (2, "")
    assert "HUB_TIMEZONE" in ran.err


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
    malls = [row["mall"] for row in ran.document]
    assert malls == sorted(malls)
    assert {"cafe24", "qoo10", "smartstore", "talktalk"} <= set(malls)
    for row in ran.document:
        for state in row["capabilities"].values():
            assert state["state"] in {"yes", "no", "planned"}
            assert state["state"] != "no" or state["instead"]


def test_a_database_of_a_newer_version_is_left_alone(terminal: Terminal) -> None:
    assert terminal.hub("db", "upgrade").code == 0
    assert terminal.hub("db", "check").code == 0
    with sqlite3.connect(terminal.home / "hub.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999_later'")
    database.close()

    for command in ("status", "db check", "db upgrade", "export lines"):
        ran = terminal.hub(*command.split())
        assert (ran.code, ran.out) == (2, ""), command
        assert "9999_later" in ran.err
        assert "newer" in ran.err


def test_a_database_that_cannot_be_reached_is_named_without_its_password(terminal: Terminal) -> None:
    ran = terminal.hub("status", HUB_DATABASE_URL="postgresql://hub:s3cret@127.0.0.1:1/hub")

    assert (ran.code, ran.out) == (2, "")
    assert "127.0.0.1" in ran.err
    assert "s3cret" not in ran.err


def test_a_backup_comes_back(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "shops.toml"
    file.write_text('[[shop]]\nname="good"\nmall="qoo10"\n[shop.credentials]\nseller_key="k"\n')
    assert terminal.hub("shop", "import", file).code == 0
    assert terminal.hub("backup", tmp_path / "hub.tar.gz").code == 0

    other = Terminal(tmp_path / "other")
    assert other.hub("restore", tmp_path / "hub.tar.gz").code == 0

    assert [shop["name"] for shop in other.hub("shop", "list", "--json").document] == ["good"]
    assert (tmp_path / "hub.tar.gz").stat().st_mode & 0o777 == 0o600
    assert other.hub("restore", tmp_path / "hub.tar.gz").code == 2


def test_what_is_no_whole_backup_leaves_nothing_behind(terminal: Terminal, tmp_path: Path) -> None:
    part, keyless = tmp_path / "part.tar.gz", tmp_path / "keyless.tar.gz"
    assert terminal.hub("shop", "list").code == 0
    assert terminal.hub("backup", part).code == 0
    with tarfile.open(part) as whole, tarfile.open(keyless, "w:gz") as archive:
        archive.addfile(whole.getmember("hub.db"), whole.extractfile("hub.db"))
    part.write_bytes(part.read_bytes()[:2_000])
    other = Terminal(tmp_path / "other")

    for file in (part, keyless, tmp_path / "absent.tar.gz"):
        ran = other.hub("restore", file)
        assert (ran.code, str(file) in ran.err) == (2, True)

    assert list(other.home.iterdir()) == []


@pytest.mark.parametrize(
    "command", ["export lines --output", "stats calls --xlsx", "backup", "book export routing --output"]
)
def test_a_file_that_cannot_be_written_is_named(terminal: Terminal, tmp_path: Path, command: str) -> None:
    assert terminal.hub("shop", "list").code == 0

    ran = terminal.hub(*command.split(), tmp_path / "nowhere" / "file")

    assert (ran.code, ran.out, "nowhere" in ran.err) == (2, "", True)


def test_a_password_is_set_for_an_account_that_there_is(terminal: Terminal) -> None:
    new = {"HUB_NEW_PASSWORD": "맞는 말 건전지"}
    assert terminal.hub("user", "add", "kim", "--name", "김상담", **new).code == 0

    done = terminal.hub("user", "password", "kim", **new)
    unknown = terminal.hub("user", "password", "lee", **new)

    assert (done.code, "kim" in done.err) == (0, True)
    assert (unknown.code, "'lee'" in unknown.err, "hub user list" in unknown.err) == (2, True, True)


def test_the_address_of_a_webhook_is_made_once_and_can_be_renewed(terminal: Terminal) -> None:
    for name, mall, key in (("talk", "talktalk", "authorization"), ("q", "qoo10", "seller_key")):
        assert terminal.hub("shop", "add", name, "--mall", mall, "--credential", f"{key}=k").code == 0

    first = terminal.hub("shop", "webhook", "talk", "--at", "https://desk.example.com/", "--json").document
    again = terminal.hub("shop", "webhook", "talk", "--at", "https://desk.example.com")
    renewed = terminal.hub("shop", "webhook", "talk", "--renew", "--json").document
    none = terminal.hub("shop", "webhook", "q")

    assert first["address"] == f"https://desk.example.com{first['path']}"
    assert first["path"].startswith("/hooks/talk/")
    assert len(first["path"].rpartition("/")[2]) == 43
    assert (again.out, again.err) == (first["address"] + "\n", "")
    assert renewed["path"] != first["path"]
    assert (none.code, none.out, "qoo10" in none.err) == (2, "", True)
