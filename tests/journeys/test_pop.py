"""The telephone rings: the agent sees who it is without being asked to look, notes the call in two keys, and it counts."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update

from hub.bootstrap import Hub, open_hub
from hub.cli.demo_phone import PBX, listening_to
from hub.desk.phone.exchange import addresses, listen
from hub.desk.phone.flow import current_routes
from hub.sandbox.exchange import EmulatedCall, Exchange
from hub.store.tables import call_notes, users
from hub.sync.call_files import FollowedFile
from hub.telephony.ami import AmiSource
from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.keystrokes import Keys, Task
from tests.journeys.scene import Scene
from tests.journeys.stack import Desk
from tests.journeys.window import Locator, Page, assert_fits, expect

MEMBER = "agent1001"
QUEUE = "cafe24_order"
T = TypeVar("T")


class Telephone:
    """The emulated exchange and one who listens to it, in a process of their own as far as the desk can tell."""

    def __init__(self, exchange: Exchange, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self.exchange, self._hub, self._loop = exchange, hub, loop

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    def rings(self, caller: str) -> EmulatedCall:
        """Somebody has dialled the order line, and the agent's telephone rings."""

        async def ring() -> EmulatedCall:
            arriving = {"caller": caller, "did": "07000001001", "mall": "cafe24", "line": "order", "queue": QUEUE}
            call = await self.exchange.arrive(**arriving)
            await self.exchange.ring(call, MEMBER)
            return call

        return self.do(ring())

    def topics(self) -> list[str]:
        async def read() -> list[str]:
            async with self._hub.database.reading() as connection:
                return list(await connection.scalars(select(call_notes.c.topic).order_by(call_notes.c.id)))

        return self.do(read())

    def read_records(self) -> None:
        """As `hub ivr import --follow` does."""
        log = self.exchange.log.absolute()
        file = FollowedFile(self._hub.database, current_routes(self._hub), path=log, pbx=PBX, now=self._hub.now)
        assert self.do(file.poll()), "it has grown"


@contextmanager
def running_telephone(desk: Desk) -> Iterator[Telephone]:
    started: dict[str, Any] = {}
    is_ready, is_over = threading.Event(), threading.Event()

    async def run() -> None:
        settings = desk.hub.settings
        async with Exchange(settings.home / "pbx" / "queue_log") as exchange:
            await exchange.sign_on(MEMBER, [QUEUE])
            async with open_hub(listening_to(exchange, settings)) as hub:
                async with hub.database.writing() as connection:
                    await connection.execute(update(users).where(users.c.login == "agent").values(phone_member=MEMBER))
                (address,) = addresses(hub.settings)
                listening = asyncio.create_task(listen(hub, AmiSource(address)))
                while not exchange.ami.orders("CoreShowChannels"):  # noqa: ASYNC110  a handful of looks
                    await asyncio.sleep(0.01)
                started["telephone"] = Telephone(exchange, hub, asyncio.get_running_loop())
                is_ready.set()
                await asyncio.to_thread(is_over.wait)
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="exchange")
    thread.start()
    try:
        assert is_ready.wait(30)
        yield started["telephone"]
    finally:
        is_over.set()
        thread.join(30)


@pytest.fixture
def telephone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telephone]:
    with running_telephone(desk) as telephone:
        monkeypatch.setattr(desk.hub, "settings", listening_to(telephone.exchange, desk.hub.settings))
        yield telephone


def _offered(page: Page) -> Locator:
    """The figure of calls offered to the order line; none where it is 0."""
    first_row = page.locator("section[aria-labelledby=quality-title] tbody:first-of-type tr:first-child")
    return first_row.locator('a[href*="mall=cafe24"][href*="line=order"]')


def test_a_ringing_telephone_shows_the_orders_of_two_malls_and_takes_its_note(
    agent: Window, telephone: Telephone, scene: Scene
) -> None:
    keys = Keys(agent.page)
    page = agent.go("/cases")
    page.locator("#find").click()
    page.keyboard.type("half a wo")
    number = scene.caller.phone.replace("-", "")
    keys.start()

    call = telephone.rings(number)

    bar = page.locator("#phone [data-call]")
    expect(bar).to_contain_text("전화 옴")
    # The newest comes first: of the two it is the one at the second mall.
    newest = bar.locator(".phone-orders li").first
    expect(newest.locator(".mall-smartstore")).to_be_visible()
    expect(newest).to_contain_text(scene.caller_lines["smartstore"]["product_name"])
    keys.assert_told(Task.CALLER)
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("rd")
    expect(page.locator("#find")).to_have_value("half a word")
    expect(bar.locator(".phone-orders .mall-cafe24").first).to_be_visible()
    assert_fits(page)
    assert number not in page.content()

    telephone.do(telephone.exchange.answer(call))
    expect(bar).to_have_attribute("data-state", "talking")
    telephone.do(telephone.exchange.end(call, by="agent"))
    expect(bar).to_have_attribute("data-state", "after_call")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(bar.get_by_role("button", name="웹·앱 오류")).to_be_visible()
    page.keyboard.press("1")

    expect(bar).to_have_count(0)
    assert telephone.topics()[-1] == "order_help.web_error"
    told = telephone.exchange.ami.orders("QueueLog")[-1]
    assert (told["UniqueID"], told["Event"], told["Message"]) == (call.id, "DISPOSITION", "order_help.web_error")


def test_a_noted_call_changes_the_order_lines_count_and_is_found_behind_it(
    open_window: OpenWindow, telephone: Telephone, scene: Scene, desk: Desk
) -> None:
    today = desk.hub.now().astimezone(desk.hub.settings.zone).date()
    # Yesterday, too: the call may ring at midnight.
    days = f"first={today - timedelta(days=1)}&last={today}"
    telephone.read_records()
    supervisor, page = open_window("supervisor"), open_window("agent").go("/cases")
    figure = _offered(supervisor.go(f"/stats/lines?{days}"))
    before = int(figure.inner_text().replace(",", "")) if figure.count() else 0
    call = telephone.rings(scene.caller.phone.replace("-", ""))
    bar = page.locator("#phone [data-call]")
    expect(bar).to_have_attribute("data-state", "ringing")
    telephone.do(telephone.exchange.answer(call))
    telephone.do(telephone.exchange.end(call, by="caller"))
    expect(bar).to_have_attribute("data-state", "after_call")
    page.keyboard.press("1")
    page.keyboard.press("3")
    expect(bar).to_have_count(0)

    telephone.read_records()

    stats = supervisor.go(f"/stats/lines?{days}")
    expect(_offered(stats)).to_have_text(f"{before + 1:,}")
    _offered(stats).click()
    expect(stats.locator("main tbody tr")).to_have_count(before + 1)
    row = stats.locator("main tbody tr", has_text=f"••••-{scene.caller.phone[-4:]}").filter(has_text=MEMBER)
    expect(row.filter(has_text="웹 사용 어려움").first).to_be_visible()
