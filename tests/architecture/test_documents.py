"""The documents say what the program does: each promise that can be compared is compared."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from hub import cli
from hub.settings import Settings
from tools.readme_tables import DOCUMENTS, filled

ROOT = Path(__file__).parents[2]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("connectors/**/*.md")])
SETTINGS = {f"HUB_{name.upper()}" for name in Settings.model_fields}
#: read by one command or by the tests, never by the running hub
OTHER_NAMES = {"HUB_NEW_PASSWORD", "HUB_TEST_POSTGRES_URL", "HUB_TEST_NO_SKIP"}
_SETTING = re.compile(r"\bHUB_[A-Z_]+\b")


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _commands(command: Any, path: str = "hub") -> dict[str, Any]:
    """Every command that does something, by its full name."""
    below = getattr(command, "commands", None)
    if below is None:
        return {path: command}
    return {name: found for each in below for name, found in _commands(below[each], f"{path} {each}").items()}


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    if not cli.app.registered_commands:
        cli._register()
    return _commands(typer.main.get_command(cli.app))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_tables_are_current(name: str):
    assert filled(_read(name)) == _read(name), "run: python -m tools.readme_tables"


def test_every_setting_stands_in_the_example_file_and_in_the_documents():
    assert set(_SETTING.findall(_read(".env.example"))) == SETTINGS
    assert set(_SETTING.findall(_read("README.md"))) >= SETTINGS
    assert set(_SETTING.findall(_read("docs/operations.md"))) >= SETTINGS


def test_the_example_file_shows_the_defaults():
    shown = dict(re.findall(r"^(HUB_[A-Z_]+)=(.*)$", _read(".env.example"), re.MULTILINE))

    assert shown == {
        f"HUB_{name.upper()}": str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        for name, field in Settings.model_fields.items()
        if field.default is not None
    }


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_only_settings_that_exist(path: Path):
    assert set(_SETTING.findall(path.read_text(encoding="utf-8"))) <= SETTINGS | OTHER_NAMES


def test_every_command_is_documented_and_every_documented_command_exists(commands: dict[str, Any]):
    documented = re.findall(r"^### `(hub [a-z -]+)`$", _read("docs/command-line.md"), re.MULTILINE)

    assert sorted(documented) == sorted(commands)


def test_documents_use_only_options_that_exist(commands: dict[str, Any]):
    known = {option for command in commands.values() for parameter in command.params for option in parameter.opts}

    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", _read("docs/command-line.md")))

    assert used <= known


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_code_exist(path: Path, commands: dict[str, Any]):
    first_words = {name.split()[1] for name in commands}

    for word in re.findall(r"`hub ([a-z-]+)", path.read_text(encoding="utf-8")):
        assert word in first_words, f"`hub {word}`"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(path: Path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_no_folder_of_one_machine(path: Path):
    assert re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\S*", path.read_text(encoding="utf-8")) == []
