"""A whole service under real HTTP in a thread: emulated malls, a synced hub, the desk on a free port."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.core.model import ClaimKind, ClaimReason
from hub.desk.access import Role
from hub.desk.books.routing import FILE_NAME as ROUTING_FILE
from hub.desk.phone.flow import SPEC_FILE, current_spec
from hub.desk.users import create_user
from hub.emulation import build_malls
from hub.registry import find_connectors
from hub.sandbox.facts import ClaimFact, InquiryFact, LineFact, OrderFact, Person
from hub.sandbox.kit import Row, SandboxOptions
from hub.sandbox.world import World, make_world
from hub.settings import Settings
from hub.sync.calls import CallImport
from ivr import demo_spec_text
from ivr.demo_day import write_days
from ivr.spec import routes_from_spec
from routing import demo_rules_text

PASSWORD = "correct horse battery"
LOGINS = {
    "agent": Role.AGENT,
    "locked": Role.AGENT,
    "english": Role.ADMIN,
    "supervisor": Role.SUPERVISOR,
    "admin": Role.ADMIN,
}
NAMES = {"agent": "김상담", "locked": "최잠금", "english": "Kim English", "supervisor": "박슈퍼", "admin": "이관리"}
SHOPS = {"cafe24": "main-cafe24", "smartstore": "main-smartstore", "qoo10": "main-qoo10"}
_START_SECONDS = 60
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_STAGE = timedelta(hours=1)


@dataclass(frozen=True)
class Sent:
    """One call that reached a mall and was not a read."""

    method: str
    path: str
    body: Any


@dataclass
class Ear:
    """Stands before a mall's application and keeps what was written to it."""

    app: ASGIApp
    sent: list[Sent] = field(default_factory=list)
    #: whether somebody waits for a mall that is silent
    is_asked: threading.Event = field(default_factory=threading.Event)
    _answers: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._answers.set()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The mall takes calls and answers none of them before the end of the block."""
        self.is_asked.clear()
        self._answers.clear()
        try:
            yield
        finally:
            self._answers.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""

        async def hear() -> Message:
            nonlocal body
            message: Any = await receive()
            body += message.get("body", b"")
            return message

        if not self._answers.is_set():
            self.is_asked.set()
            await asyncio.to_thread(self._answers.wait)
        await self.app(scope, hear, send)
        method = str(scope.get("method"))
        if method != "GET":
            self.sent.append(Sent(method, str(scope.get("path")), _decoded(body)))


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class Town:
    """The emulated malls of one World and the situations that journeys need in it."""

    def __init__(self, *, orders: int, days: int, seed: int) -> None:
        self._back = timedelta(0)
        self.world: World = make_world(seed=seed, orders=orders, days=days, now=self._now)
        options = SandboxOptions(rate_per_second=500, burst=1000)
        malls = build_malls(find_connectors(), self.world, options=options)
        self.malls = {mall.mall: mall for mall in malls}
        self.ears = {mall.mall: Ear(mall.app) for mall in malls}

    def tables(self) -> list[Row]:
        tables = [mall.shop_table("http://127.0.0.1:9") for mall in self.malls.values()]
        for table in tables:
            if table["mall"] == "qoo10":
                table["credentials"]["calls_per_second"] = 50
        return tables

    def transports(self) -> dict[str, httpx.AsyncBaseTransport]:
        return {mall.shop: httpx.ASGITransport(self.ears[name]) for name, mall in self.malls.items()}

    @contextmanager
    def staging(self, *, ago: timedelta = timedelta(0)) -> Iterator[None]:
        """What is placed meanwhile came a minute apart in the hour before ``ago``, so that its times tell it apart."""
        self._back = ago + _STAGE
        yield
        assert self._back > ago, "the scene needs more minutes"
        self._back = timedelta(0)

    def _now(self) -> datetime:
        return datetime.now(UTC) - self._back

    def paid_order(self, mall: str) -> OrderFact:
        """A new order of one line that is not claimed and goes nowhere until the scene says so."""
        self._back -= _MINUTE
        while True:
            # Those that did not fit stay in the World: each has a second of its own, by which it is told apart.
            self._back -= _SECOND
            order = self.world.place_order(SHOPS[mall])
            line = order.lines[0]
            line.claims.clear()
            if self.world.was_paid(order) and len(order.lines) == 1 and line.quantity == 1:
                line.is_held = False
                return order

    def waiting_order(self, mall: str) -> OrderFact:
        """An order of one line that is being prepared and about which nothing was ever claimed."""
        order = self.paid_order(mall)
        self.world.prepare(order.lines[0])
        return order

    def sent_order(self, mall: str) -> OrderFact:
        """An order of one line that is on its way."""
        order = self.waiting_order(mall)
        self._back -= _MINUTE
        self.world.dispatch(order.lines[0], order.lines[0].carrier, order.lines[0].tracking_no)
        return order

    def request_cancel(self, mall: str, *, text: str) -> tuple[LineFact, ClaimFact, Row]:
        """A customer wants to cancel. The row is the mall's own truth about it."""
        line = self.waiting_order(mall).lines[0]
        claim = self.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, text)
        rows = [row for row in self.claims(mall) if row["requested_at"] == claim.requested_at]
        return line, claim, next(row for row in rows if row["state"] == "requested" and row["kind"] == "cancel")

    def ask(self, mall: str, *, subject: str, text: str) -> InquiryFact:
        """A customer asks about an order of theirs."""
        return self.world.ask(SHOPS[mall], subject=subject, text=text, category="배송", order=self.waiting_order(mall))

    def ask_about_sent(self, mall: str, *, subject: str, text: str) -> InquiryFact:
        """The same about an order that is on its way."""
        return self.world.ask(SHOPS[mall], subject=subject, text=text, category="배송", order=self.sent_order(mall))

    def customer_of_two_malls(self, one: str, other: str) -> tuple[Person, dict[str, Row]]:
        """Somebody who bought at both, with the newest line of theirs at each as the mall tells it."""
        orders = {mall: self.waiting_order(mall) for mall in (one, other)}
        caller = orders[one].buyer
        for order in orders.values():
            order.buyer = order.receiver = caller
        return caller, {mall: self.line_row(mall, order) for mall, order in orders.items()}

    def line_row(self, mall: str, order: OrderFact) -> Row:
        return next(row for row in self.malls[mall].truth().lines if row["ordered_at"] == order.ordered_at)

    def claims(self, mall: str) -> Sequence[Row]:
        return self.malls[mall].truth().claims

    def claim_row(self, mall: str, line_no: str) -> Row:
        return next(row for row in self.claims(mall) if row["line_no"] == line_no)

    def inquiry_row(self, mall: str, text: str) -> Row:
        return next(row for row in self.malls[mall].truth().inquiries if row["text"] == text)

    def heard(self, mall: str, words: str) -> list[Sent]:
        """The writes that reached the mall and hold ``words`` in their path or body."""
        return [sent for sent in self.ears[mall].sent if words in sent.path or words in str(sent.body)]


@dataclass(frozen=True)
class Desk:
    """The running service."""

    url: str
    hub: Hub


@contextmanager
def running_desk(home: Path, *, town: Town | None = None, calls_per_day: int = 0) -> Iterator[Desk]:
    """The desk on a free loopback port; with a ``town``, its shops are synced before the block runs."""
    started: dict[str, Any] = {}
    is_ready = threading.Event()

    async def serve() -> None:
        settings = Settings(home=home)
        async with open_hub(settings, transports=town.transports() if town else None) as hub:
            await _fill(hub, town, calls_per_day=calls_per_day)
            config = uvicorn.Config(
                make_asgi(hub), port=0, log_config=None, access_log=False, timeout_graceful_shutdown=2
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            while not server.started and not serving.done():  # noqa: ASYNC110  it has no event for this
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            started.update(server=server, desk=Desk(f"http://127.0.0.1:{port}", hub))
            is_ready.set()
            await serving

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001  raised again in the thread of the test
            started["error"] = error
        finally:
            is_ready.set()

    thread = threading.Thread(target=work, name="desk")
    thread.start()
    try:
        is_ready.wait(_START_SECONDS)
        if "error" in started:
            raise started["error"]
        yield started["desk"]
    finally:
        if "server" in started:
            started["server"].should_exit = True
        thread.join(_START_SECONDS)
    if "error" in started:
        raise started["error"]


async def _fill(hub: Hub, town: Town | None, *, calls_per_day: int) -> None:
    for login, role in LOGINS.items():
        await create_user(hub.database, login=login, name=NAMES[login], role=role, password=PASSWORD, at=hub.now())
    if town is None:
        return
    home = hub.settings.home
    (home / ROUTING_FILE).write_text(demo_rules_text(), encoding="utf-8")
    (home / SPEC_FILE).write_text(demo_spec_text(), encoding="utf-8")
    for table in town.tables():
        await hub.add_shop(**{key: table[key] for key in ("name", "mall", "base_url", "credentials")})
    await hub.refresh_routing()
    report = await hub.sync()
    assert report.complete, [(shop.shop, shop.error) for shop in report.shops]
    if calls_per_day:
        await _telephone(hub, calls_per_day=calls_per_day)


async def _telephone(hub: Hub, *, calls_per_day: int) -> None:
    """The log of the last seven whole days, today left out: nothing changes while a journey reads."""
    spec = current_spec(hub)
    today = hub.now().astimezone(hub.settings.zone).date()
    records = CallImport(hub.database, routes_from_spec(spec))
    lines = write_days(
        spec,
        first=today - _DAY * 7,
        last=today - _DAY,
        seed=1,
        calls_per_day=calls_per_day,
        callers=["010-0000-0001"],
    )
    await records.read_file("queue_log", lines)
    await records.derive()
