"""Listening to an exchange for weeks, while the spec behind it changes."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from sqlalchemy import select

from hub.desk.phone.exchange import listen
from hub.store.tables import live_calls
from ivr.phone import LiveEvent, LiveKind
from tests.desk.invented import Rig
from tests.desk.test_callbacks import demo_text
from tests.desk.test_phone_calls import told


class Exchange:
    """Tells calls one after the other; before each of them something happens."""

    name = "main"

    def __init__(self, before: list[Callable[[], object]]) -> None:
        self._before = before

    async def events(self) -> AsyncGenerator[LiveEvent, None]:
        for number, happens in enumerate(self._before):
            happens()
            yield told(LiveKind.RINGING, call_id=f"{number}.1")


async def test_a_spec_that_changes_while_one_listens_counts_from_the_next_call_on(rig: Rig, tmp_path: Path) -> None:
    path, text = tmp_path / "ivr.yaml", demo_text()
    rig.settings = rig.settings.model_copy(update={"home": tmp_path})
    swapped = text.replace("07000001001", "-").replace("07000001002", "07000001001").replace('-"', '07000001002"')

    def write(content: str) -> Callable[[], object]:
        # Of another length each time: a clock that stands still would hide a change.
        return lambda: path.write_text(content, encoding="utf-8")

    await listen(rig, Exchange([write("spec_version: ["), write(text), write(f"{swapped}# swapped\n"), path.unlink]))

    async with rig.database.reading() as connection:
        rows = await connection.execute(select(live_calls.c.call_id, live_calls.c.line))
    assert dict(map(tuple, rows)) == {"0.1": None, "1.1": "order", "2.1": "inquiry", "3.1": None}
