"""What webhooks asked for is read again: once, by one process, and never lost."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from hub.core.contract import (
    CallCounts,
    Capability,
    CapabilityState,
    Feed,
    Manifest,
    OpenKeys,
    Page,
    Reading,
    ShopContext,
    Span,
    Support,
)
from hub.core.errors import AccessError, NotFoundAtMallError, RateLimitedError
from hub.core.events import Notice
from hub.core.model import Inquiry, InquiryKind, InquiryState, Line, LineStatus, Order, Product, ShopRef
from hub.store.database import Database, to_ms
from hub.store.leases import Lease
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import inquiries, orders, rereads
from hub.sync.rereads import TRIES, Drained, Rereader, RereadQueue, shops_with_rereads

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Mall:
    """A connector that answers from memory. ``before`` runs in the middle of each reading."""

    def __init__(self) -> None:
        self.shop = ShopRef(name="main", mall="harbour")
        self.unknown_codes: dict[str, int] = {}
        self.calls = CallCounts()
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.errors: dict[str, Exception] = {}
        self.runs = 0
        self.status = LineStatus.PAID
        self.before: Callable[[], Any] = lambda: asyncio.sleep(0)

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        self.asked.append((order_no, line_nos))
        await self.before()
        if order_no in self.errors:
            raise self.errors[order_no]
        line = Line(
            line_no=f"{order_no}-1", status=self.status, raw_status="x", quantity=1, product=Product(name="머그컵")
        )
        order = Order(order_no=order_no, ordered_at=NOON, lines=(line,))
        return (Reading(key=order_no, raw=b"{}", record=order),)

    def _inquiry(self, number: str) -> Reading:
        record = Inquiry(
            inquiry_no=number, thread_no=number, kind=InquiryKind.CHAT, state=InquiryState.UNANSWERED,
            raw_state="x", asked_at=NOON, text="언제 와요?",
        )  # fmt: skip
        return Reading(key=number, raw=b"{}", record=record)

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        self.asked.append((inquiry.inquiry_no, ()))
        return self._inquiry(inquiry.inquiry_no)

    async def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        self.runs += 1
        await self.before()
        if "feed" in self.errors:
            raise self.errors["feed"]
        yield Page(readings=(), cursor="end")

    async def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        yield Page(readings=(self._inquiry("q1"),), cursor="end")

    def admin_link(self, **_: Any) -> str | None:
        return None

    async def aclose(self) -> None:
        return


def _open(_context: ShopContext) -> Any:
    return Mall()


_YES = CapabilityState(state=Support.YES)
MANIFEST = Manifest(
    mall="harbour", title="Harbour", title_ko="항구", letter="H", colour="#123456", timezone="Asia/Seoul",
    default_base_url=None, capabilities={Capability.READ_ORDERS: _YES, Capability.READ_INQUIRIES: _YES},
    feeds={Feed.ORDERS: Capability.READ_ORDERS, Feed.INQUIRIES: Capability.READ_INQUIRIES}, credentials=dict, open=_open,
)  # fmt: skip


class Rig:
    def __init__(self, database: Database, shop: ShopRow) -> None:
        self.database = database
        self.shop = shop
        self.mall = Mall()
        self.now = NOON
        self.queue = RereadQueue(database, shop.id)

    async def ask(self, notice: Notice) -> int:
        async with self.database.writing() as connection:
            return await self.queue.ask(connection, notice, now=self.now)

    def rereader(self) -> Rereader:
        return Rereader(
            self.database,
            shop=self.shop,
            manifest=MANIFEST,
            connector=self.mall,
            clocks=(),
            first_read_days=7,
            now=lambda: self.now,
        )

    async def drain(self) -> Drained:
        return await self.rereader().drain()

    async def left(self) -> dict[str, tuple[int, float]]:
        """What still waits: tries and the seconds from now until it is due, by key."""
        async with self.database.reading() as connection:
            rows = (await connection.execute(select(rereads).order_by(rereads.c.key))).all()
        return {row.key: (row.tries, (row.due_at - (to_ms(self.now) or 0)) / 1000) for row in rows}

    async def known(self, column: Any) -> list[str]:
        async with self.database.reading() as connection:
            return list(await connection.scalars(select(column).order_by(column)))


@pytest.fixture
async def rig(database: Database) -> Rig:
    shops = ShopStore(database)
    await shops.put(name="main", mall="harbour", base_url=None, credentials={}, now=NOON)
    return Rig(database, await shops.named("main"))


async def test_what_is_named_is_read_and_stored(rig: Rig) -> None:
    assert await rig.ask(Notice(orders=("A", "B"), reads_inquiries=True)) == 3
    assert await shops_with_rereads(rig.database, now=rig.now) == ["main"]

    drained = await rig.drain()

    assert (drained.read, drained.postponed, drained.dropped) == (3, 0, 0)
    assert rig.mall.asked == [("A", ()), ("B", ())]
    assert await rig.known(orders.c.order_no) == ["A", "B"]
    assert await rig.known(inquiries.c.inquiry_no) == ["q1"]
    assert await rig.left() == {}
    assert await shops_with_rereads(rig.database, now=rig.now) == []


async def test_known_lines_are_named(rig: Rig) -> None:
    for _ in range(2):
        await rig.ask(Notice(orders=("A",)))
        await rig.drain()

    assert rig.mall.asked == [("A", ()), ("A", ("A-1",))]


async def test_asked_twice_is_read_once(rig: Rig) -> None:
    for _ in range(50):
        await rig.ask(Notice(orders=("A", "A"), reads_orders=True))

    drained = await rig.drain()

    assert (drained.read, len(rig.mall.asked), rig.mall.runs) == (2, 1, 1)


async def test_asked_again_while_it_is_read_is_read_again(rig: Rig) -> None:
    await rig.ask(Notice(orders=("A",)))

    async def move() -> None:
        if len(rig.mall.asked) == 1:
            # In the same millisecond, after the mall has answered with the old state.
            await rig.ask(Notice(orders=("A",)))

    rig.mall.before = move
    await rig.drain()

    assert len(rig.mall.asked) == 2
    assert await rig.left() == {}


async def test_a_feed_asked_for_while_it_is_read_is_read_again(rig: Rig) -> None:
    await rig.ask(Notice(reads_orders=True))

    async def move() -> None:
        if rig.mall.runs == 1:
            await rig.ask(Notice(reads_orders=True))

    rig.mall.before = move
    await rig.drain()

    assert rig.mall.runs == 2
    assert await rig.left() == {}


async def test_an_inquiry_that_is_known_is_read_alone_and_another_by_its_feed(rig: Rig) -> None:
    await rig.ask(Notice(inquiries=("q1",)))
    await rig.drain()
    assert (rig.mall.asked, rig.mall.runs) == ([], 1)

    await rig.ask(Notice(inquiries=("q1",)))
    await rig.drain()

    assert (rig.mall.asked, rig.mall.runs) == ([("q1", ())], 1)


async def test_what_fails_is_tried_later_and_later_and_the_others_go_on(rig: Rig) -> None:
    rig.mall.errors["A"] = NotFoundAtMallError("not yet")
    await rig.ask(Notice(orders=("A", "B")))
    pauses = []

    for _ in range(3):
        await rig.drain()
        tries, pause = (await rig.left())["A"]
        pauses.append((tries, pause))
        rig.now += timedelta(seconds=pause)

    assert pauses == [(1, 60), (2, 120), (3, 240)]
    assert await rig.known(orders.c.order_no) == ["B"]
    rig.mall.errors.clear()
    assert (await rig.drain()).read == 1
    assert await rig.known(orders.c.order_no) == ["A", "B"]


async def test_nothing_is_read_before_it_is_due(rig: Rig) -> None:
    rig.mall.errors["A"] = AccessError("no")
    await rig.ask(Notice(orders=("A",)))
    await rig.drain()
    await rig.ask(Notice(orders=("A",)))

    assert (await rig.drain()).read == 0

    assert len(rig.mall.asked) == 1, "more events must not make a refused call come sooner"


async def test_a_mall_that_asks_for_silence_gets_it(rig: Rig) -> None:
    rig.mall.errors["A"] = RateLimitedError("slow down", wait_seconds=900)
    await rig.ask(Notice(orders=("A",)))

    await rig.drain()

    assert await rig.left() == {"A": (1, 900)}


async def test_what_never_can_be_read_is_dropped_with_a_word(rig: Rig) -> None:
    rig.mall.errors["A"] = NotFoundAtMallError("gone")
    rig.mall.errors["feed"] = AccessError("no")
    await rig.ask(Notice(orders=("A",), reads_orders=True))

    with capture_logs() as logs:
        for _ in range(TRIES):
            await rig.drain()
            rig.now += timedelta(hours=2)

    assert await rig.left() == {}
    assert [(log["what"], log["tries"]) for log in logs if log["event"] == "sync.reread.dropped"] == [
        ("order", TRIES),
        ("feed", TRIES),
    ]
    assert len(rig.mall.asked) == TRIES


async def test_a_bug_in_one_reading_stops_no_other(rig: Rig) -> None:
    rig.mall.errors["A"] = ZeroDivisionError("bug")
    await rig.ask(Notice(orders=("A", "B")))

    await rig.drain()

    assert await rig.known(orders.c.order_no) == ["B"]
    assert (await rig.left())["A"][0] == 1


async def test_two_at_once_never_read_the_same(rig: Rig) -> None:
    await rig.ask(Notice(orders=tuple(f"N{number}" for number in range(250)), reads_inquiries=True))

    first, second = await asyncio.gather(rig.drain(), rig.drain())

    assert {first.is_busy, second.is_busy} == {True, False}
    assert first.read + second.read == 251
    assert len(rig.mall.asked) == 250


async def test_a_run_by_schedule_is_not_waited_for(rig: Rig) -> None:
    await rig.ask(Notice(orders=("A",), reads_orders=True))

    async with Lease(rig.database, f"sync:{rig.shop.id}"):
        drained = await asyncio.wait_for(rig.drain(), 10)

    assert (drained.read, drained.postponed) == (1, 1)
    assert await rig.left() == {"orders": (0, 5)}
    rig.now += timedelta(seconds=5)
    await rig.drain()
    assert rig.mall.runs == 1


@pytest.mark.parametrize("key", ["", "  ", "a\x00b", "x" * 300, "\u202e", "a\nb"])
async def test_a_key_that_is_none_is_not_asked_for(rig: Rig, key: str) -> None:
    assert await rig.ask(Notice(orders=(key,), inquiries=(key,))) == 0


async def test_a_shop_that_is_removed_takes_its_queue_along(rig: Rig) -> None:
    await rig.ask(Notice(orders=("A",)))

    await ShopStore(rig.database).remove("main")

    assert await rig.left() == {}


_WORKER = """
import asyncio, sys
from hub.store.box import Box
from hub.store.database import open_database
from hub.store.shops import ShopStore
from tests.sync.test_rereads import Rig

async def main() -> None:
    database = open_database(sys.argv[1], Box(keys={1: b"k" * 32}, index_key=b"i" * 32))
    rig = Rig(database, await ShopStore(database).named("main"))
    read = 0
    async def slow() -> None:
        nonlocal read
        read += 1
        print("reading", flush=True)
        if read == 3:
            await asyncio.Event().wait()
    rig.mall.before = slow
    await rig.drain()

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing(rig: Rig, database_url: str) -> None:
    """A process is killed while it reads the third of ten orders; the next one reads what is left."""
    await rig.ask(Notice(orders=tuple(f"N{number}" for number in range(10))))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, database_url,
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(60):
        for _ in range(3):
            assert await process.stdout.readline() == b"reading\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    stored = await rig.known(orders.c.order_no)
    left = await rig.left()
    assert len(stored) + len(left) == 10
    assert len(left) >= 7

    drained = await rig.drain()

    assert drained.read == len(left)
    assert await rig.known(orders.c.order_no) == [f"N{number}" for number in range(10)]
    assert await rig.left() == {}
