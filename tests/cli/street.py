"""Every mall emulated on loopback ports of this process, for as many commands as care to call."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.core.model import ClaimKind, ClaimReason
from hub.emulation import shop_file, write_kit
from hub.sandbox.facts import ClaimFact, InquiryFact
from hub.sandbox.serve import base_urls, serving
from hub.sandbox.world import World
from tests.sync.mall_town import RunningClock, Town

#: a customer who writes what a spreadsheet would run
FORMULA = "=HYPERLINK(A1)"
_PATIENCE_SECONDS = 30


class Street:
    """``town`` is what the malls truly hold; ``urls`` is where each shop's mall listens."""

    def __init__(self, town: Town, ports: list[int]) -> None:
        self.town = town
        self._malls = list(town.malls.values())
        for mall in self._malls:
            mall.app = town.lines[mall.mall]
        self.ports = ports
        self.urls = base_urls(self._malls, ports=ports)
        self.trick: InquiryFact = town.world.ask("main-cafe24", subject=FORMULA, text=FORMULA, category="배송")
        self.cancel = ask_to_cancel(town.world, "main-cafe24")

    def write_shops(self, file: Path, *, down: tuple[str, ...] = ()) -> Path:
        """The shop file as of now; nobody listens at the malls that are ``down``."""
        dead = f"http://127.0.0.1:{free_ports(1)[0]}"
        urls = {mall.shop: dead if mall.mall in down else self.urls[mall.shop] for mall in self._malls}
        file.write_text(shop_file(self._malls, urls))
        return file

    def write_modes(self, folder: Path) -> Path:
        """The World's table of inventory modes, UTF-8."""
        write_kit(folder, self.town.world, self._malls, self.urls)
        return folder / "product_modes.csv"

    def calls(self, mall: str) -> int:
        """How many calls have reached the mall so far."""
        return len(self.town.lines[mall].calls)

    @contextmanager
    def served(self) -> Iterator["Street"]:
        is_ready, stop, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
        failed: list[BaseException] = []

        async def serve() -> None:
            async with serving(self._malls, ports=self.ports):
                is_ready.set()
                await stop.wait()

        def work() -> None:
            try:
                loop.run_until_complete(serve())
            except BaseException as error:  # noqa: BLE001  raised again in the thread of the test
                failed.append(error)
            finally:
                is_ready.set()

        thread = threading.Thread(target=work, name="malls")
        thread.start()
        try:
            assert is_ready.wait(_PATIENCE_SECONDS)
            if not failed:
                yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(_PATIENCE_SECONDS)
            loop.close()
        if failed:
            raise failed[0]


def ask_to_cancel(world: World, shop: str) -> ClaimFact:
    """A paid order made and asked back now: which of the random claims are open depends on the hour of the day."""
    order = next(order for order in iter(lambda: world.place_order(shop), None) if world.was_paid(order))
    return world.request_claim(order.lines[0], ClaimKind.CANCEL, ClaimReason.LATE, "늦어요")


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def open_street(*, orders: int) -> Street:
    return Street(Town(orders=orders, clock=RunningClock()), free_ports(3))
