"""A run that is stopped leaves no reader behind that somebody else would have to close."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hub.bootstrap import Hub
from hub.core.contract import Feed
from tests.sync.mall_town import Town


@pytest.fixture
def left_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the readers that the loop had to close instead of those who had opened them."""
    found: list[str] = []
    close = asyncio.BaseEventLoop._asyncgen_finalizer_hook

    def note(loop: Any, agen: Any) -> None:
        found.append(agen.__qualname__)
        close(loop, agen)

    monkeypatch.setattr(asyncio.BaseEventLoop, "_asyncgen_finalizer_hook", note)
    yield found
    monkeypatch.undo()


@pytest.mark.parametrize("shop", ["main-smartstore", "main-cafe24", "main-qoo10"])
async def test_a_stopped_run_closes_what_it_reads(tmp_path: Path, left_open: list[str], shop: str) -> None:
    town = Town(orders=60)
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    stopped = 0
    async with town.hub(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}") as hub:
        for page in range(1, 6):
            stopped += await stop_at(hub, shop, page)
            gc.collect()
            await asyncio.sleep(0.05)
    assert stopped
    assert complaints == []
    outer = {"gathered", "ShopRun._told", "read_order_pages", "read_inquiry_pages", "work_ahead"}
    assert outer.isdisjoint(left_open), left_open


async def stop_at(hub: Hub, shop: str, page: int) -> bool:
    """Read everything, and be cancelled while page number ``page`` is written. Returns whether there was one."""
    run: asyncio.Task[Any]
    left = page

    def count(_shop: str, _feed: Feed, _share: float, _read: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            # Not before the page is on its way into the store: there the run waits, and its readers stand still.
            asyncio.get_running_loop().call_later(0.002, run.cancel)

    run = asyncio.create_task(hub.sync([shop], full=True, on_progress=count))
    with suppress(asyncio.CancelledError):
        await run
    return run.cancelled()
