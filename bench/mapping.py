"""What decoding and mapping of order records costs on one core, beside msgspec's bare typed decode of the same.

The records are those that the emulated malls send for one World. ``python -m bench.mapping`` prints the
table alone.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from bench.full_sync import StillClock, settings_of
from connectors.cafe24.decoding import decode
from connectors.cafe24.mapping import map_order
from connectors.cafe24.wire import order_decoder
from connectors.qoo10.mapping import read_listed_order
from connectors.qoo10.wire import LINE_KEYS, LineRow
from connectors.smartstore.leaves import Unknowns
from connectors.smartstore.mapping import read_detail
from connectors.smartstore.wire import DetailWire
from hub.bootstrap import open_hub
from hub.core.contract import OpenKeys, ReadsOrders, Span
from hub.core.model import Order
from hub.emulation import build_malls
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import make_world

AIM_LINES_PER_SECOND = 60_000
AIM_SHARE_OF_BARE = 0.5
_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_DAYS = 90

Read = Callable[[bytes], Any]


class Mapped(Struct, frozen=True, kw_only=True):
    """Lines per second of CPU time, mapped and merely decoded."""

    mall: str
    lines: int
    mapped: float
    bare: float

    @property
    def share(self) -> float:
        return self.mapped / self.bare

    @property
    def is_reached(self) -> bool:
        return self.mapped >= AIM_LINES_PER_SECOND or self.share >= AIM_SHARE_OF_BARE


async def measure(*, orders: int = 6_000, repeat: int = 7) -> list[Mapped]:
    """One entry per mall of which a reader is known here; the best of ``repeat`` runs of each."""
    found = []
    for mall, rows in (await read_raw(orders)).items():
        if mall in _READERS:
            read, bare = _READERS[mall](rows[0])
            lines = sum(len(record.lines) for row in rows if isinstance(record := read(row), Order))
            pair = (_best(read, rows, repeat), _best(bare, rows, repeat))
            found.append(Mapped(mall=mall, lines=lines, mapped=lines / pair[0], bare=lines / pair[1]))
    return found


def _best(read: Read, rows: Sequence[bytes], repeat: int) -> float:
    seconds = []
    for _ in range(repeat):
        gc.collect()
        begun = time.process_time()
        for row in rows:
            read(row)
        seconds.append(time.process_time() - begun)
    return min(seconds)


async def read_raw(orders: int) -> dict[str, list[bytes]]:
    """The order records of one World as each emulated mall sends them, by mall."""
    clock = StillClock(_AT)
    registry = find_connectors()
    options = SandboxOptions(rate_per_second=1_000, burst=1_000_000)
    malls = build_malls(registry, make_world(orders=orders, now=lambda: _AT), options=options)
    transports = {mall.shop: httpx.ASGITransport(mall.app) for mall in malls}  # type: ignore[arg-type]  # both mean ASGI
    raw: dict[str, list[bytes]] = {}
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        settings = settings_of(Path(folder), None)
        async with open_hub(settings, now=clock.now, sleep=clock.sleep, transports=transports) as hub:
            for mall in malls:
                await hub.add_shop(**mall.shop_table("http://127.0.0.1:9"))
                connector = await hub.connector(mall.shop)
                if isinstance(connector, ReadsOrders):
                    span = Span(since=_AT - timedelta(days=_DAYS), until=_AT)
                    raw[mall.mall] = [
                        reading.raw
                        async for page in connector.read_orders(span, open_keys=OpenKeys(), cursor=None)
                        for reading in page.readings
                        if isinstance(reading.record, Order)
                    ]
    return raw


def _cafe24(_row: bytes) -> tuple[Read, Read]:
    codes: Counter[str] = Counter()
    return lambda row: map_order(decode(order_decoder, row), codes=codes), order_decoder.decode


def _smartstore(_row: bytes) -> tuple[Read, Read]:
    unknown = Unknowns()
    return lambda row: read_detail(row, unknown).record, msgspec.json.Decoder(DetailWire).decode


def _qoo10(row: bytes) -> tuple[Read, Read]:
    """The mall spells keys as it likes; the bare decode is given the spelling of the first row."""
    unknown: Counter[str] = Counter()
    sent = {LINE_KEYS[key.lower()]: key for key in msgspec.json.decode(row) if key.lower() in LINE_KEYS}
    fields: list[tuple[str, Any, Any]] = [(name, LineRow.__annotations__[name], None) for name in sent]
    bare = msgspec.defstruct("BareRow", fields, rename=sent, frozen=True, gc=False)
    return lambda row: read_listed_order(row, unknown=unknown).record, msgspec.json.Decoder(bare).decode


_READERS: dict[str, Callable[[bytes], tuple[Read, Read]]] = {
    "cafe24": _cafe24,
    "smartstore": _smartstore,
    "qoo10": _qoo10,
}


async def report() -> list[str]:
    """One line per mall."""
    aim = f"aim: {AIM_LINES_PER_SECOND:,} lines/s or {AIM_SHARE_OF_BARE} x the bare decode"
    return [
        f"decoding and mapping of order lines on one core ({aim})",
        *(
            f"  {each.mall}: {each.mapped:,.0f} lines/s, bare typed decode {each.bare:,.0f} lines/s, "
            f"{each.share:.2f} x{'' if each.is_reached else ' (missed)'}"
            for each in await measure()
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(asyncio.run(report())) + "\n")
