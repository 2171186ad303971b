"""The demo's chats: handed over with their own times, answered through the desk's path, told once over restarts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from hub.bootstrap import Hub, open_hub
from hub.cli import demo_talk
from hub.cli.demo_talk import TalkMall
from hub.core.contract import Outcome
from hub.desk.access import command_line_actor
from hub.desk.acting.act import Action, ActionRequest, act
from hub.sandbox.live import Talkers
from hub.sandbox.world import ShopSpec, make_world
from hub.settings import Settings
from hub.store.database import from_ms
from hub.store.tables import inquiries

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(demo_talk, "_ORDERS", 100)
    async with open_hub(Settings(home=tmp_path), now=lambda: NOON) as hub:
        yield hub


class Hook:
    """Stands where the hub's address is, and keeps what is told there."""

    def __init__(self, status: int = 200) -> None:
        self.events: list[dict[str, Any]] = []
        self._status = status

    async def told(self, talk: TalkMall) -> list[tuple[str, str]]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self._take)) as client:
            await talk.tell(client, "http://127.0.0.1:9/hooks/talk/key")
        return [(event["event"], event.get("textContent", {}).get("text", "")) for event in self.events]

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.events.append(msgspec.json.decode(request.content))
        return httpx.Response(self._status)


async def _chats(hub: Hub) -> list[Any]:
    query = select(inquiries.c.inquiry_no, inquiries.c.kind, inquiries.c.asked_at)
    async with hub.database.reading() as connection:
        return list((await connection.execute(query.order_by(inquiries.c.asked_at))).all())


async def test_chats_come_as_of_then_and_are_answered_through_the_platform(hub: Hub) -> None:
    talk = TalkMall(hub)
    async with talk.open():
        await talk.hand_over()
        report = await hub.sync(["talk"])
        before = await _chats(hub)
        request = ActionRequest(
            action=Action.ANSWER_INQUIRY,
            shop="talk",
            inquiry_no=before[-1].inquiry_no,
            text="확인했습니다.",
            confirmed=True,
        )
        result = await act(hub, command_line_actor(), request)
        told = await Hook().told(talk)

    assert report.complete
    assert {chat.kind for chat in before} == {"chat"}
    assert (from_ms(before[0].asked_at) or NOON) < NOON - timedelta(days=1)
    assert result.outcome is Outcome.DONE
    assert ("echo", "확인했습니다.") in told

    again = TalkMall(hub)
    async with again.open():
        await again.hand_over()
        await hub.sync(["talk"])
    # What was told before the demo ended is not told a second time.
    assert len(await _chats(hub)) == len(before)
    assert ("echo", "확인했습니다.") not in await Hook().told(again)


async def test_what_finds_no_hub_is_lost_as_at_the_platform(hub: Hub) -> None:
    talk = TalkMall(hub)
    lost = await Hook(status=503).told(talk)

    assert lost
    assert await Hook().told(talk) == []


def test_whoever_was_answered_a_moment_ago_replies_and_nobody_for_ever() -> None:
    now = NOON
    world = make_world(now=lambda: now, orders=0, shops=(ShopSpec(name="talk", mall="talktalk", share=1.0),))
    talkers = Talkers(world, shop="talk", seed=1)
    said = []
    for _ in range(40):
        said.append(talkers.act())
        now += timedelta(seconds=45)
        for chat in world.inquiries("talk"):
            if len(world.said(chat.answers)) == len(world.said(chat.follow_ups)):
                world.answer(chat, "네, 확인했습니다.", "shop")
                now += timedelta(seconds=1)

    assert {"chat", "reply"} == set(said)
    assert max(len(chat.follow_ups) for chat in world.inquiries("talk")) == 2
