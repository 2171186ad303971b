"""`hub act` killed with -9 while the mall works: the answer stands there once or not at all, and the hub finds out."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from litestar.types import ASGIApp, Receive, Scope, Send
from sqlalchemy import select, update

from hub.bootstrap import Hub
from hub.desk.acting.outbox import LOOKS, Outbox
from hub.desk.export import ExportKind
from hub.store.tables import actions
from tests.sync.mall_town import RunningClock, Town, assert_complete, exported
from tests.sync.test_killed import open_street

SHOP = "main-smartstore"


class Murder:
    """Kills the process that answers a question: before the mall has seen the call, or before its reply is out."""

    def __init__(self, app: ASGIApp, *, is_before: bool) -> None:
        self._app = app
        self._is_before = is_before
        self.victim: asyncio.subprocess.Process | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_answer = scope["method"] in {"POST", "PUT"} and "/answer" in scope["path"]
        if not is_answer or self.victim is None:
            await self._app(scope, receive, send)
            return
        if self._is_before:
            await self._kill()
            raise ConnectionAbortedError

        async def nowhere(_message: Any) -> None: ...

        await self._app(scope, receive, nowhere)
        await self._kill()
        raise ConnectionAbortedError

    async def _kill(self) -> None:
        assert self.victim is not None
        self.victim.kill()
        await self.victim.wait()
        self.victim = None


async def _stored(hub: Hub) -> Any:
    async with hub.database.reading() as connection:
        return (await connection.execute(select(actions))).one()


async def _drain(hub: Hub) -> Any:
    await Outbox(hub, await hub.shop_store.named(SHOP)).drain()
    return await _stored(hub)


async def _long_after(hub: Hub) -> Any:
    """An hour later, for the hub's clock does not jump here: everything happened that much earlier."""
    long_ago = round((datetime.now(UTC) - LOOKS[-1]).timestamp() * 1000)
    async with hub.database.writing() as connection:
        await connection.execute(update(actions).values(started_at=long_ago, finished_at=long_ago, look_at=long_ago))
    return await _drain(hub)


@pytest.mark.parametrize(
    ("is_before", "settled", "answers"), [(True, "refused", 0), (False, "done", 1)], ids=["unsent", "done"]
)
async def test_a_killed_answer_is_settled_by_the_next_process(
    tmp_path: Path, database_url: str, is_before: bool, settled: str, answers: int
) -> None:
    town = Town(orders=30, clock=RunningClock())
    line = town.lines["smartstore"]
    murder = line._app = Murder(line._app, is_before=is_before)
    order = town.world.orders(SHOP)[-1]
    town.world.ask(SHOP, subject="배송 문의", text="언제 오나요?", order=order)
    async with open_street(town, tmp_path / "home", database_url) as street, street.hub() as hub:
        assert_complete(await hub.sync([SHOP]))
        rows = (await exported(hub, ExportKind.INQUIRIES)).values()
        row = max((row for row in rows if row["state"] == "unanswered"), key=lambda row: row["asked_at"])
        key = (SHOP, row["inquiry_no"])

        text = "확인 후 안내드리겠습니다."
        process = await street.start("act", "answer-inquiry", "--shop", SHOP, "--inquiry", key[1], "--text", text)
        murder.victim = process
        await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == -9

        waiting = await _stored(hub)
        assert (waiting.outcome, waiting.started, waiting.finished_at) == ("pending", 1, None)
        looked_at = await _drain(hub)
        assert looked_at.outcome == ("done" if answers else "unknown")
        over = looked_at if answers else await _long_after(hub)

        assert (over.outcome, over.letter_sealed) == (settled, None)
        truth = town.truth(ExportKind.INQUIRIES)[key]
        assert truth["state"] == ("answered" if answers else "unanswered")
        shown = (await exported(hub, ExportKind.INQUIRIES))[key]
        assert shown["state"] == truth["state"]
