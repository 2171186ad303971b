"""The telephone rings: the agent sees who it is without being asked to look, and notes the call in two keys."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from hub.bootstrap import open_hub
from hub.desk.exchange import listen
from hub.settings import Settings
from hub.store.tables import call_notes, users
from hub.telephony.ami import AmiAddress, AmiSource
from tests.journeys.conftest import OpenWindow
from tests.journeys.scene import Scene
from tests.journeys.stack import Desk
from tests.journeys.window import expect
from tests.telephony.fake_ami import SECRET, USER, FakeAmi, arrived, called, completed, connected, hung_up

MEMBER = "agent1001"


class Exchange:
    """The emulated exchange and one who listens to it, in a process of their own as far as the desk can tell."""

    def __init__(self, fake: FakeAmi, loop: asyncio.AbstractEventLoop, notes: Any) -> None:
        self.fake, self._loop, self._notes = fake, loop, notes

    def tell(self, *events: Any) -> None:
        asyncio.run_coroutine_threadsafe(self.fake.tell(*events), self._loop).result(10)

    def topics(self) -> list[str]:
        found: list[str] = asyncio.run_coroutine_threadsafe(self._notes(), self._loop).result(10)
        return found


@contextmanager
def running_exchange(desk: Desk) -> Iterator[Exchange]:
    started: dict[str, Any] = {}
    is_ready, is_over = threading.Event(), threading.Event()

    async def run() -> None:
        async with FakeAmi() as fake, open_hub(Settings(home=desk.hub.settings.home)) as hub:
            async with hub.database.writing() as connection:
                await connection.execute(update(users).where(users.c.login == "agent").values(phone_member=MEMBER))

            async def notes() -> list[str]:
                async with hub.database.reading() as connection:
                    return list(await connection.scalars(select(call_notes.c.topic)))

            address = AmiAddress(name="pbx", host="127.0.0.1", port=fake.port, user=USER, secret=SECRET)
            listening = asyncio.create_task(listen(hub, AmiSource(address)))
            while not fake.orders("CoreShowChannels"):  # noqa: ASYNC110  a handful of looks
                await asyncio.sleep(0.01)
            started["exchange"] = Exchange(fake, asyncio.get_running_loop(), notes)
            is_ready.set()
            await asyncio.to_thread(is_over.wait)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="exchange")
    thread.start()
    try:
        assert is_ready.wait(30)
        yield started["exchange"]
    finally:
        is_over.set()
        thread.join(30)


@pytest.fixture
def exchange(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    with running_exchange(desk) as exchange:
        settings = Settings(
            home=desk.hub.settings.home,
            ami_host="127.0.0.1",
            ami_port=exchange.fake.port,
            ami_user=USER,
            ami_secret=SecretStr(SECRET),
        )
        monkeypatch.setattr(desk.hub, "settings", settings)
        yield exchange


@pytest.mark.parametrize("width", [1440, 1024])
def test_a_ringing_telephone_shows_the_orders_of_two_malls_and_takes_its_note(
    open_window: OpenWindow, exchange: Exchange, scene: Scene, width: int
) -> None:
    page = open_window("agent", width=width).go("/cases")
    page.locator("#find").click()
    page.keyboard.type("half a wo")
    number, call_id = scene.caller.phone.replace("-", ""), f"{width}.1"
    call = {"call_id": call_id, "queue": "cafe24_order"}

    exchange.tell(arrived(number, call_id=call_id), called(MEMBER, number, **call))

    bar = page.locator("#phone [data-call]")
    expect(bar).to_contain_text("전화 옴")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("rd")
    expect(page.locator("#find")).to_have_value("half a word")
    marks = {"cafe24", "smartstore"}
    for mall in marks:
        expect(bar.locator(f".phone-orders .mall-{mall}").first).to_be_visible()
    assert number not in page.content()

    exchange.tell(connected(MEMBER, number, **call))
    expect(bar).to_have_attribute("data-state", "talking")
    exchange.tell(completed(MEMBER, number, **call), hung_up(call_id))
    expect(bar).to_have_attribute("data-state", "after_call")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(bar.get_by_role("button", name="웹·앱 오류")).to_be_visible()
    page.keyboard.press("1")

    expect(bar).to_have_count(0)
    assert exchange.topics()[-1] == "order_help.web_error"
    told = exchange.fake.orders("QueueLog")[-1]
    assert (told["UniqueID"], told["Event"], told["Message"]) == (call_id, "DISPOSITION", "order_help.web_error")
