"""What is logged can be followed, and holds nothing of anybody: a sync on a bad night, actions, webhooks."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from msgspec.structs import replace
from sqlalchemy import select

from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.desk.access import command_line_actor
from hub.desk.acting.act import Action, ActionRequest, act
from hub.desk.alerting.check import check_alerts
from hub.emulation import build_malls
from hub.logging import configure_logging
from hub.registry import find_connectors
from hub.sandbox.faults import Fault, FaultPlan, FaultyApp, PlannedRowFaults
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import DEFAULT_SHOPS, ShopSpec, World, make_world
from hub.settings import Settings
from hub.store.sealed import SECRET_PLACE
from hub.store.tables import inquiries, shop_secrets, shops
from hub.store.webhooks import WebhookStore
from hub.sync.rereads import shops_with_rereads
from tests.sync.mall_town import NOON, Clock, break_dates, hang

ANSWER = "안녕하세요 고객님 답변드립니다 오늘 출고 예정입니다"
ASKED = ("선물 포장 여부", "할머니 생신 선물인데 포장 되나요")
#: what a customer writes at once, with everything that must not be told
CHAT = "박보검입니다 연락처는 010-5555-0199 이고 서울 종로구 청와대로 1 로 보내 주세요"


@contextmanager
def _logged(level: str = "DEBUG") -> Iterator[io.StringIO]:
    """All that a process in production would write, libraries included."""
    stream, before = io.StringIO(), structlog.get_config()
    root = logging.getLogger()
    handlers, root_level = root.handlers[:], root.level
    patch = pytest.MonkeyPatch()
    try:
        patch.setattr(sys, "stderr", stream)
        root.handlers = []
        configure_logging(Settings(log_format="json", log_level=level))
        yield stream
    finally:
        patch.undo()
        root.handlers = handlers
        root.setLevel(root_level)
        structlog.configure(**before)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class Night:
    """Every mall of a World behind a bad line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = Clock()
        self.plan = FaultPlan(seed=7)
        specs = (*DEFAULT_SHOPS, ShopSpec(name="talk", mall="talktalk", share=0.2))
        self.world: World = make_world(seed=7, orders=150, days=20, now=lambda: NOON, shops=specs)
        rows = PlannedRowFaults(self.plan, break_record=break_dates)
        options = SandboxOptions(rate_per_second=500, burst=1000, rows=rows, clock=self.clock.seconds)
        self.malls = {mall.shop: mall for mall in build_malls(find_connectors(), self.world, options=options)}
        self.tables = [mall.shop_table("http://127.0.0.1:9") for mall in self.malls.values()]

        for spec in DEFAULT_SHOPS:
            for number in range(2):
                order = self.world.orders(spec.name)[number]
                self.world.ask(spec.name, subject=ASKED[0], text=f"{ASKED[1]} {number}", category="배송", order=order)

    def transports(self) -> dict[str, httpx.AsyncBaseTransport]:
        return {
            shop: httpx.ASGITransport(FaultyApp(mall.app, self.plan, sleep=hang)) for shop, mall in self.malls.items()
        }

    async def live(self) -> set[str]:
        """A whole night; returns every secret that the hub came to know."""
        transports, clock = self.transports(), self.clock
        async with open_hub(Settings(home=self.home), now=clock.now, sleep=clock.sleep, transports=transports) as hub:
            for table in self.tables:
                await hub.add_shop(**{key: table[key] for key in ("name", "mall", "base_url", "credentials")})
            await hub.sync()
            self.plan.chances = dict.fromkeys(Fault, 0.04)
            self.clock.pass_time()
            for _ in range(2):
                await hub.sync(full=True)
            await self._answer(hub)
            self.plan.chances = {Fault.HTTP_500: 1.0}
            await hub.sync()
            await self._answer(hub)
            secret = await self._chat(hub)
            await check_alerts(hub)
            return {secret, *await _stored_secrets(hub)}

    async def _answer(self, hub: Hub) -> None:
        query = select(shops.c.name, inquiries.c.inquiry_no).join_from(inquiries, shops)
        query = query.where(inquiries.c.state == "unanswered").order_by(shops.c.name, inquiries.c.inquiry_no)
        async with hub.database.reading() as connection:
            waiting = {row.name: row.inquiry_no for row in await connection.execute(query) if row.name != "talk"}
        for shop, inquiry_no in waiting.items():
            request = ActionRequest(action=Action.ANSWER_INQUIRY, shop=shop, inquiry_no=inquiry_no, text=ANSWER)
            # Of the answer before nobody may know yet whether the mall has it.
            await act(hub, command_line_actor(), replace(request, confirmed=True))
        assert waiting

    async def _chat(self, hub: Hub) -> str:
        shop = await hub.shop_store.named("talk")
        secret = await WebhookStore(hub.database).secret(shop.id, now=hub.now())
        app = make_asgi(hub)
        event = {"event": "send", "user": "al-2eGuGr5WQOexample", "textContent": {"text": CHAT, "inputType": "typing"}}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver.local") as client:
            taken = await client.post(f"/hooks/talk/{secret}", json=event)
            await client.post(f"/hooks/talk/{secret}", content=CHAT.encode())
            await client.post(f"/hooks/talk/{secret}x", json=event)
        assert taken.status_code == 200
        async with asyncio.timeout(30):
            while await shops_with_rereads(hub.database, now=hub.now()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for hook in app.on_shutdown:
            await hook()  # type: ignore[call-arg,misc]
        return secret

    def personal_data(self) -> set[str]:
        """Names, phones, addresses, what people wrote."""
        found = {*ASKED, CHAT, "박보검", "010-5555-0199", "청와대로", ANSWER, "al-2eGuGr5WQOexample"}
        people = []
        for shop in self.world.shops:
            for order in self.world.orders(shop):
                people += [order.buyer, order.receiver]
                found |= {order.message} | {claim.text for line in order.lines for claim in line.claims}
            for inquiry in self.world.inquiries(shop):
                people.append(inquiry.writer)
                found |= {inquiry.text, inquiry.subject}
        for person in people:
            found |= {person.name, person.phone, person.phone.replace("-", ""), person.email}
            found |= {person.address_detail, person.address_base, person.kana or ""}
        return {text for text in found if len(text) > 1}

    def credentials(self) -> set[str]:
        values = [value for table in self.tables for value in table["credentials"].values()]
        return {value for value in values if isinstance(value, str) and len(value) > 8}


async def _stored_secrets(hub: Hub) -> set[str]:
    async with hub.database.reading() as connection:
        sealed = list(await connection.scalars(select(shop_secrets.c.value_sealed)))
    opened = {hub.database.box.open(value, SECRET_PLACE).decode() for value in sealed}
    # Some hold a document of several.
    return {part for text in opened for part in [text, *text.split('"')] if len(part) > 12}


async def test_a_whole_night_is_told_without_anybody_in_it(tmp_path: Path):
    night = Night(tmp_path)

    with _logged() as stream:
        secrets = await night.live()

    text, lines = stream.getvalue(), _lines(stream)
    assert {line["event"] for line in lines} >= {"sync.feed.incomplete", "desk.action.failed", "web.hook.body_refused"}
    assert len(night.personal_data()) > 300
    assert len(secrets | night.credentials()) > 6
    assert {secret for secret in secrets | night.credentials() | night.personal_data() if secret in text} == set()


async def test_every_line_says_where_it_belongs(tmp_path: Path):
    night = Night(tmp_path)

    with _logged() as stream:
        await night.live()

    lines = _lines(stream)
    of_runs = [line for line in lines if line["event"] in {"sync.feed.incomplete", "sync.feed.failed"}]
    assert of_runs
    assert all({"shop", "run_id", "feed", "timestamp", "level"} <= set(line) for line in of_runs)
    assert len({line["run_id"] for line in of_runs}) >= len(DEFAULT_SHOPS)
    of_actions = [line for line in lines if line["event"].startswith("desk.action.")]
    assert of_actions
    assert all({"shop", "action_id"} <= set(line) for line in of_actions)


def test_a_library_speaks_the_same_form_and_is_covered_too():
    with _logged("INFO") as stream:
        logging.getLogger("some.library").warning("cannot reach %s at %s", "kim@example.com", "010-1234-5678")
        try:
            int("010-1234-5678")
        except ValueError:
            logging.getLogger("some.library").exception("failed")
        logging.getLogger("httpx").info("GET https://mall/?token=hunter2")

    first, second = _lines(stream)
    assert (first["level"], first["logger"]) == ("warning", "some.library")
    assert "ValueError" in second["exception"]
    for secret in ("kim@example.com", "1234-5678", "hunter2"):
        assert secret not in stream.getvalue().replace("•", "")
