"""One street of emulated malls and one synced HUB_HOME for the whole folder; whoever writes takes a copy."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from hub.bootstrap import open_hub
from hub.cli import console
from ivr import demo_spec_text
from routing import demo_rules_text
from tests.cli.street import Street, open_street
from tests.cli.terminal import Terminal

#: a mall refuses to be asked about what lies further ahead than a minute; a run asks up to two minutes ago
_LONGEST_BEHIND = timedelta(seconds=90)
CAPTURE = Path(__file__).parents[1] / "data" / "asterisk-22.10.1"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """An empty HUB_HOME."""
    return Terminal(tmp_path / "home")


@pytest.fixture(scope="session")
def street() -> Iterator[Street]:
    with open_street(orders=120).served() as street:
        yield street


@pytest.fixture
def fresh_street() -> Iterator[Street]:
    """Malls that nobody has signed in to: a mall that changes its refresh token knows one hub only."""
    with open_street(orders=40).served() as street:
        yield street


@pytest.fixture(scope="session")
def read_only(street: Street, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Three shops read once, the captured calls, contacts and inventory modes. Only for commands that read."""
    terminal = Terminal(tmp_path_factory.mktemp("cli") / "home")
    terminal.home.mkdir()
    (terminal.home / "routing.toml").write_text(demo_rules_text(), encoding="utf-8")
    (terminal.home / "ivr.yaml").write_text(demo_spec_text(), encoding="utf-8")
    shops = street.write_shops(terminal.home / "shops.toml")
    records = (CAPTURE / "queue_log", CAPTURE / "cel.jsonl", "--map", CAPTURE / "rig_map.json")
    for command in (
        ("shop", "import", shops),
        ("route", "import", street.write_modes(terminal.home)),
        ("ivr", "import", *records),
        ("sync",),
    ):
        ran = terminal.hub(*command)
        assert ran.code == 0, ran.err
    return terminal


@pytest.fixture
def synced(read_only: Terminal, street: Street, tmp_path: Path) -> Terminal:
    """A HUB_HOME of the test's own with the same in it."""
    clock = street.town.clock
    if clock.now() - clock.mall_time > _LONGEST_BEHIND:
        # The malls' time stands still; where tests take long they would refuse what is to come.
        clock.mall_time = clock.now().replace(microsecond=0)
    shutil.copytree(read_only.home, tmp_path / "home")
    return Terminal(tmp_path / "home")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands do not wait between two tries of a call."""

    async def blink(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))

    monkeypatch.setattr(console, "open_hub", partial(open_hub, sleep=blink))
