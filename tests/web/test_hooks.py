"""Webhooks over HTTP: who may send, what is answered, that it is quick, and that nothing is lost or told on."""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from connectors.talktalk.sandbox import TalktalkSandbox
from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.core.contract import Outcome
from hub.desk.access import command_line_actor
from hub.desk.acting.act import Action, ActionRequest, act
from hub.desk.shops.status import WebhookStatus, read_status
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import ShopSpec, World, make_world
from hub.settings import Settings
from hub.store.database import Database
from hub.store.leases import Lease
from hub.store.sealed import INBOX_PLACE, INQUIRY_PLACE, RAW_PLACE
from hub.store.tables import cases, inbox, inquiries, raw_payloads, rereads, webhooks
from hub.store.webhooks import WebhookStore
from hub.sync.rereads import drain_shop, shops_with_rereads
from hub.web.service.hooks import BODY_LIMIT

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
USER = "al-2eGuGr5WQOexample"


class Town:
    """A hub with a chat account, served without a port."""

    def __init__(self, hub: Hub, mall: TalktalkSandbox, world: World) -> None:
        self.hub = hub
        self.mall = mall
        self.world = world
        self.app = make_asgi(hub)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://testserver.local")
        self.path = ""

    async def make_address(self) -> None:
        shop = await self.hub.shop_store.named("talk")
        self.path = f"/hooks/talk/{await WebhookStore(self.hub.database).secret(shop.id, now=NOON)}"

    async def stop(self) -> None:
        """What the server does when it is told to end."""
        for hook in self.app.on_shutdown:
            ended: Any = hook()  # type: ignore[call-arg]
            await ended

    async def send(self, event: Any = None, *, path: str | None = None, **request: Any) -> httpx.Response:
        if event is not None:
            request["json"] = event
        return await self.client.post(path or self.path, **request)

    async def count(self, table: Any) -> int:
        async with self.hub.database.reading() as connection:
            return await connection.scalar(select(func.count()).select_from(table)) or 0

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def until_read(self) -> None:
        async def is_empty() -> bool:
            return await self.count(rereads) == 0

        await self.until(is_empty)

    async def states(self) -> dict[str, str]:
        """State of each stored inquiry."""
        async with self.hub.database.reading() as connection:
            rows = await connection.execute(select(inquiries.c.inquiry_no, inquiries.c.state))
            return {row.inquiry_no: row.state for row in rows}


@pytest.fixture
async def town(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Town]:
    shutil.copyfile(sqlite_template, tmp_path / "hub.db")
    spec = ShopSpec(name="talk", mall="talktalk", share=1.0)
    world = make_world(seed=3, orders=60, days=10, now=lambda: NOON, shops=(spec,))
    mall = TalktalkSandbox(world, shop="talk", options=SandboxOptions())
    transports = {"talk": httpx.ASGITransport(mall.app)}
    async with open_hub(Settings(home=tmp_path), now=lambda: NOON, transports=transports) as hub:
        table = mall.shop_table("http://127.0.0.1:9")
        await hub.add_shop(name="talk", mall="talktalk", base_url=table["base_url"], credentials=table["credentials"])
        town = Town(hub, mall, world)
        await town.make_address()
        async with town.client:
            yield town
        await town.stop()


def said(text: str, user: str = USER) -> dict[str, Any]:
    return {"event": "send", "user": user, "textContent": {"text": text, "inputType": "typing"}}


async def test_a_message_becomes_a_case_by_itself(town: Town) -> None:
    answer = await town.send(said("배송 언제 와요?"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert "set-cookie" not in answer.headers
    await town.until_read()
    assert list((await town.states()).values()) == ["unanswered"]
    assert await town.count(cases) == 1


async def test_an_answer_from_the_desk_is_sent_and_its_echo_joins(town: Town) -> None:
    await town.mall.send_events(town.client, town.path)
    town.world.ask("talk", subject="배송", text="언제 와요?")
    await town.mall.send_events(town.client, town.path)
    await town.until_read()
    number = next(number for number, state in (await town.states()).items() if state == "unanswered")
    request = ActionRequest(action=Action.ANSWER_INQUIRY, shop="talk", inquiry_no=number, text="오늘 출고됩니다.")

    result = await act(town.hub, command_line_actor(), request)

    assert result.outcome is Outcome.DONE
    assert (await town.states())[number] == "answered"
    statuses = await town.mall.send_events(town.client, town.path)
    assert statuses == [200]
    await town.until_read()
    assert (await town.states())[number] == "answered"
    assert len(town.mall.sent) == 1


async def test_a_profile_that_is_taken_back_is_nowhere(town: Town) -> None:
    def profile(**options: Any) -> dict[str, Any]:
        return {"event": "profile", "user": USER, "options": options}

    await town.send(said("언제 와요?"))
    await town.send(profile(result="SUCCESS", cellphone="01000000001"))
    await town.until_read()
    assert "01000000001" in await _everything(town.hub.database)

    await town.send(profile(result="WITHDRAW", withdrawals=["cellphone"]))
    await town.until_read()

    told = await _everything(town.hub.database)
    assert "01000000001" not in told
    assert "언제 와요?" in told
    assert "phone index (None,)" in told


async def _everything(database: Database) -> str:
    """Whatever of a chat stands in the database, opened."""
    sealed = (
        (inbox.c.body_sealed, INBOX_PLACE),
        (inquiries.c.sealed, INQUIRY_PLACE),
        (raw_payloads.c.payload_sealed, RAW_PLACE),
    )
    told = []
    async with database.reading() as connection:
        for column, place in sealed:
            values = await connection.scalars(select(column))
            told += [database.box.open(value, place).decode("utf-8", "replace") for value in values]
        told += [f"phone index {row}" for row in await connection.execute(select(inquiries.c.writer_phone_idx))]
    return "\n".join(told)


async def test_the_same_event_twice_is_kept_once(town: Town) -> None:
    for _ in range(3):
        assert (await town.send(said("네"))).status_code == 200

    assert await town.count(inbox) == 1


@pytest.mark.parametrize("shop", ["talk", "nobody", "TALK", "talk%00", "%2e%2e"])
@pytest.mark.parametrize("secret", ["x", "a" * 43, "%00", "%ff", "x" * 5000])
async def test_a_stranger_learns_nothing(town: Town, shop: str, secret: str) -> None:
    answer = await town.send(said("네"), path=f"/hooks/{shop}/{secret}")

    assert (answer.status_code, answer.content) == (404, b"")
    assert await town.count(inbox) == 0


async def test_an_old_address_is_dead(town: Town) -> None:
    shop = await town.hub.shop_store.named("talk")
    await WebhookStore(town.hub.database).renew(shop.id, now=NOON)

    assert (await town.send(said("네"))).status_code == 404
    await town.make_address()
    assert (await town.send(said("네"))).status_code == 200


async def test_the_address_outlives_new_credentials_and_dies_with_the_shop(town: Town) -> None:
    table = town.mall.shop_table("http://127.0.0.1:9")
    await town.hub.add_shop(
        name="talk", mall="talktalk", base_url=None, credentials=table["credentials"] | {"authorization": "ct_other"}
    )
    assert (await town.send(said("네"))).status_code == 200

    await town.until_read()
    await town.hub.shop_store.remove("talk")
    assert (await town.send(said("네"))).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"", 400),
        (b'{"event":"send"}', 400),
        (b'{"event":"echo","echoedEvent":"send","user":"al-x","partner":"wc0000","textContent":{"text":"x"}}', 401),
        (b" " * BODY_LIMIT + b"{}", 413),
    ],
    ids=["no json", "empty", "no user", "another account", "too big"],
)
async def test_what_is_wrong_is_refused_with_an_empty_body(town: Town, body: bytes, status: int) -> None:
    answer = await town.send(content=body)

    assert (answer.status_code, answer.content) == (status, b"")
    assert (await town.count(inbox), await town.count(rereads)) == (0, 0)
    async with town.hub.database.reading() as connection:
        row = (await connection.execute(select(webhooks))).one()
    assert (row.received, row.refused) == (0, int(status in {400, 401}))


async def test_a_body_without_a_length_is_cut_off_too(town: Town) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 100_000
            yield b" " * 100_000

    assert (await town.send(content=endless())).status_code == 413
    assert taken <= 100 * 100_000


async def test_only_a_post_is_an_event(town: Town) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await town.client.request(method, town.path)
        assert answer.status_code in {404, 405}


async def test_neither_address_nor_body_stands_in_a_log(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    secret = town.path.rpartition("/")[2]
    words = "제 번호는 아무도몰라요"

    with capture_logs() as logs, caplog.at_level(logging.INFO):
        await town.send(said(words))
        await town.until_read()
        await town.send(content=words.encode())
        await town.send({"event": "echo", "user": USER, "partner": "wc0000"})
        connector: Any = await town.hub.connector("talk")
        connector.receive_events = _break
        broken = await town.send(said(words))

    assert (broken.status_code, broken.content) == (500, b"")
    # The sender's own log, httpx, is not the hub's.
    own = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    told = repr([logs, own])
    assert "web.hook.failed" in told
    assert secret not in told
    assert words not in told
    assert USER not in told


def _break(_delivery: object) -> Any:
    raise RuntimeError("a bug")


async def test_a_burst_is_taken_quickly_and_read_in_few_runs(town: Town) -> None:
    connector: Any = await town.hub.connector("talk")
    runs = 0
    read_inquiries = connector.read_inquiries

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal runs
        runs += 1
        return read_inquiries(*given, **named)

    connector.read_inquiries = counted
    gate = asyncio.Semaphore(20)
    slowest = 0.0

    async def one(number: int) -> int:
        nonlocal slowest
        async with gate:
            begun = time.perf_counter()
            status = (await town.send(said(f"질문 {number}", user=f"al-{number % 100}"))).status_code
            slowest = max(slowest, time.perf_counter() - begun)
            return status

    statuses = await asyncio.gather(*(one(number) for number in range(500)))

    assert set(statuses) == {200}
    await town.until_read()
    assert await town.count(inbox) == 500
    assert len(await town.states()) == 100
    assert runs < 30
    assert slowest < 3.0, "the platform waits five seconds"


async def test_what_a_process_leaves_is_read_by_the_next(town: Town) -> None:
    """The mall is down when the process ends: kept and queued, and the worker's minute finds it."""
    shop = await town.hub.shop_store.named("talk")
    async with Lease(town.hub.database, f"rereads:{shop.id}"):
        assert (await town.send(said("언제 와요?"))).status_code == 200
        await town.stop()
    assert (await town.count(inbox), await town.count(rereads), await town.states()) == (1, 1, {})
    assert await shops_with_rereads(town.hub.database, now=NOON) == ["talk"]

    drained = await drain_shop(town.hub, shop)

    assert drained.read == 1
    assert (await town.count(rereads), list((await town.states()).values())) == (0, ["unanswered"])


async def test_the_status_tells_what_came_and_what_waits(town: Town) -> None:
    shop = await town.hub.shop_store.named("talk")
    await town.send(content=b"no event")
    async with Lease(town.hub.database, f"rereads:{shop.id}"):
        await town.send(said("언제 와요?"))
        (told,) = [each.webhook for each in (await read_status(town.hub)).shops]
        await town.stop()

    assert told == WebhookStatus(received_at=NOON, received=1, refused_at=NOON, refused=1, waiting=1, failing=0)
