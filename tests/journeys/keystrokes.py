"""Keys that really went down, told as docs/keystrokes.md tells them."""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from tests.journeys.window import Locator, Page

_PAGE = Path(__file__).parents[2] / "docs" / "keystrokes.md"
_ROW = re.compile(r"^\| (?P<task>[^|]+) \| (?P<counted>\d+) \| (?P<allowed>\d+) \| (?P<keys>[^|]*) \|$", re.MULTILINE)
#: keeps what a hand does in the window, over all pages of a journey; a key held down and a script's own keys are none
_WATCH = """
for (const name of ["keydown", "pointerdown"]) addEventListener(name, (event) => {
  if (!event.isTrusted || event.repeat || !location.protocol.startsWith("http")) return;
  const pressed = JSON.parse(sessionStorage.getItem("pressed") ?? "[]");
  sessionStorage.setItem("pressed", JSON.stringify([...pressed, name === "keydown" ? event.key : "mouse"]));
}, true);
"""


class Task(StrEnum):
    """What is counted, as the table calls it, and the most keys that it may take."""

    ANSWER = "Open the most urgent inquiry and answer it with a template"
    REFUSE = "Open a request to cancel and refuse it with a reason"
    CALLER = "From the ringing telephone to the caller's newest order"
    CONTACT = "Open a case and ask its right contact"
    PHONE = "Find an order by a telephone number, the number itself not counted"

    @property
    def allowed(self) -> int:
        return {Task.ANSWER: 6, Task.REFUSE: 8, Task.CALLER: 0, Task.CONTACT: 4, Task.PHONE: 2}[self]


class Told(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    counted: int
    allowed: int
    keys: str


class Keys:
    """Counts from when it is made: the page must be opened, or opened again, after that."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.add_init_script(_WATCH)

    def start(self) -> None:
        self._page.evaluate("sessionStorage.removeItem('pressed')")

    def pressed(self) -> list[str]:
        """Every key since the start, Shift and Control too, each by its own; a click is a ``mouse``."""
        found: list[str] = json.loads(self._page.evaluate("sessionStorage.getItem('pressed') ?? '[]'"))
        return found

    def assert_told(self, task: Task, *, typed: str = "") -> None:
        """The table says of ``task`` what was pressed, and no more was than is allowed. ``typed`` counts as nothing."""
        keys = _without(self.pressed(), typed)
        assert "mouse" not in keys
        assert Told(counted=len(keys), allowed=task.allowed, keys=" ".join(map(_shown, keys))) == told()[task]
        assert len(keys) <= task.allowed


def stand_before(row: Locator) -> None:
    """As an agent stands in the list: the next ``j`` reaches the row."""
    row.wait_for()
    row.page.wait_for_load_state()
    row.evaluate(
        """row => {
            const rows = [...document.querySelectorAll("#rows [data-row]")];
            rows[rows.indexOf(row) - 1]?.focus();
        }"""
    )


def told() -> dict[str, Told]:
    """The table of docs/keystrokes.md by its first column."""
    return {
        row["task"]: Told(counted=int(row["counted"]), allowed=int(row["allowed"]), keys=row["keys"].strip())
        for row in _ROW.finditer(_PAGE.read_text(encoding="utf-8"))
    }


def _without(keys: Sequence[str], typed: str) -> list[str]:
    """``keys`` without the one run of them that types ``typed``."""
    size = len(typed)
    starts = [at for at in range(len(keys) - size + 1) if size and list(keys[at : at + size]) == list(typed)]
    assert len(starts) == bool(typed)
    return [key for at, key in enumerate(keys) if not any(start <= at < start + size for start in starts)]


def _shown(key: str) -> str:
    return f"`{'Ctrl' if key == 'Control' else key}`"
