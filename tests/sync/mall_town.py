"""Every mall emulated in one process, behind a line that can be spoilt, under a clock of our own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from litestar.types import ASGIApp, Receive, Scope, Send

from hub.bootstrap import Hub, SyncReport, open_hub
from hub.core.contract import Feed
from hub.core.model import ClaimState
from hub.desk.export import ExportKind, ExportRequest, export_rows
from hub.emulation import build_malls
from hub.registry import Registry, find_connectors
from hub.sandbox.faults import Fault, FaultPlan, FaultyApp, PlannedRowFaults
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.world import make_world
from hub.settings import Settings

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

Rows = dict[tuple[Any, ...], dict[str, Any]]
_KINDS = {
    ExportKind.LINES: ("shop", "order_no", "line_no"),
    ExportKind.CLAIMS: ("shop", "line_no", "claim_no", "kind", "requested_at"),
    ExportKind.INQUIRIES: ("shop", "inquiry_no"),
}


class Clock:
    """The hub's time runs while it waits; the malls' time stands still until :meth:`pass_time`."""

    def __init__(self, start: datetime = NOON) -> None:
        self.hub_time = start
        self.mall_time = start

    def now(self) -> datetime:
        return self.hub_time

    def seconds(self) -> float:
        return self.hub_time.timestamp()

    def mall_now(self) -> datetime:
        return self.mall_time

    async def sleep(self, seconds: float) -> None:
        self.hub_time += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def pass_time(self, span: timedelta = timedelta()) -> None:
        self.hub_time += span
        self.mall_time = self.hub_time


class RunningClock(Clock):
    """Real time for the hub and the malls' limits; the malls' facts stand still at the start."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        return time.time()


class Line:
    """The line to one mall: keeps every call, is cut while ``is_down``, and loses the answer of each
    write whose path holds ``lost`` (the mall has done its work).
    """

    def __init__(self, app: ASGIApp, on_call: Callable[[], None]) -> None:
        self._app = app
        self._on_call = on_call
        self._losing = FaultyApp(app, FaultPlan(chances={Fault.LOST_ANSWER: 1.0}))
        self.is_down = False
        self.lost = ""
        self.calls: list[tuple[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls.append((str(scope.get("method")), str(scope.get("path"))))
        self._on_call()
        if self.is_down:
            raise httpx.ConnectError("refused")
        is_lost = self.lost and self.lost in scope["path"] and scope["method"] in {"POST", "PUT"}
        await (self._losing if is_lost else self._app)(scope, receive, send)


def break_dates(row: Any) -> Any:
    """The row with every date of a kind that no mall sends; its numbers stay readable."""
    if not isinstance(row, dict):
        return row
    return {
        name: {"broken": True} if "date" in name.lower() and isinstance(value, str) else break_dates(value)
        for name, value in row.items()
    }


async def hang(_seconds: float) -> None:
    """A mall that never answers, seen from the caller."""
    raise httpx.ReadTimeout("no answer")


class Town:
    """``faults`` strike on every mall's line; set ``faults.chances`` at any time."""

    def __init__(
        self,
        *,
        orders: int,
        registry: Registry | None = None,
        seed: int = 20261122,
        days: int = 90,
        clock: Clock | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.faults = faults or FaultPlan(seed=seed % 1000)
        self.registry = registry or find_connectors()
        self._shown: dict[ExportKind, set[tuple[Any, ...]]] = {kind: set() for kind in _KINDS}
        self._was_true: dict[ExportKind, set[tuple[Any, ...]]] = {kind: set() for kind in _KINDS}
        options = SandboxOptions(
            rate_per_second=500,
            burst=1000,
            rows=PlannedRowFaults(self.faults, break_record=break_dates),
            clock=self.clock.seconds,
        )
        self.world = make_world(seed=seed, orders=orders, days=days, now=self.clock.mall_now)
        malls = build_malls(self.registry, self.world, options=options)
        self.malls: dict[str, SandboxMall] = {mall.mall: mall for mall in malls}
        #: told of every call to any mall
        self.on_call: Callable[[], None] = lambda: None
        self.lines = {mall.mall: Line(FaultyApp(mall.app, self.faults, sleep=hang), self._called) for mall in malls}

    def _called(self) -> None:
        self.on_call()

    def tables(self) -> list[dict[str, Any]]:
        tables = [mall.shop_table("http://127.0.0.1:9") for mall in self.malls.values()]
        for table in tables:
            if table["mall"] == "qoo10":
                table["credentials"]["calls_per_second"] = 20
        return tables

    @asynccontextmanager
    async def hub(self, home: Path, database_url: str, *, add_shops: bool = True) -> AsyncIterator[Hub]:
        settings = Settings(home=home, database_url=database_url, log_level="ERROR")
        transports = {mall.shop: httpx.ASGITransport(self.lines[mall.mall]) for mall in self.malls.values()}
        async with open_hub(
            settings, now=self.clock.now, sleep=self.clock.sleep, registry=self.registry, transports=transports
        ) as hub:
            for table in self.tables() if add_shops else ():
                await hub.add_shop(
                    name=table["name"],
                    mall=table["mall"],
                    base_url=table["base_url"],
                    credentials=table["credentials"],
                )
            yield hub

    def truth(self, kind: ExportKind) -> Rows:
        rows: Rows = {}
        for mall in self.malls.values():
            for row in getattr(mall.truth(), kind.value):
                plain = {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}
                key = tuple(plain[name] for name in _KINDS[kind])
                assert key not in rows, f"the truth tells {key} twice"
                rows[key] = plain
        return rows

    def note_truth(self) -> None:
        """Whoever read now may have seen what is true now, and keeps it when the mall shows it no more."""
        for kind, seen in self._was_true.items():
            seen.update(_lasting(kind, key) for key in self.truth(kind))

    async def assert_true(self, hub: Hub) -> None:
        """Every exported row of every shop is a row of the truth, field by field, and none is missing.

        What a mall once showed and shows no more is not lost, and no claim of it is open.
        """
        for kind in _KINDS:
            truth, found = self.truth(kind), await exported(hub, kind)
            shown_before = self._shown[kind]
            shown_now = {_lasting(kind, key) for key in truth}
            no_more = (shown_before | self._was_true[kind]) - shown_now
            gone = {key for key in found if _lasting(kind, key) in no_more}
            differences = [f"lost {key}" for key in shown_before - {_lasting(kind, key) for key in found}]
            differences += compare(truth, {key: row for key, row in found.items() if key not in gone})
            differences += [f"still open {found[key]}" for key in gone if ClaimState(found[key]["state"]).is_open]
            assert not differences, f"{kind}: {len(differences)} differences: {differences[:5]}"
            shown_before.update(shown_now)


def _lasting(kind: ExportKind, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """What of a key never changes: a mall may number a claim only when it accepts it."""
    if kind is not ExportKind.CLAIMS:
        return key
    shop, line_no, _claim_no, claim_kind, requested_at = key
    return shop, line_no, claim_kind, requested_at


async def exported(hub: Hub, kind: ExportKind) -> Rows:
    rows: Rows = {}
    request = ExportRequest(kind=kind, unmask=True)
    async for row in export_rows(hub.database, request, mode_of=lambda *_: "unknown", zone=hub.settings.zone):
        key = tuple(row[name] for name in _KINDS[kind])
        assert key not in rows, f"{key} is exported twice"
        rows[key] = row
    return rows


#: columns that the truth leaves open with None
_NOT_JUDGED = frozenset({"reason", "fault_party"})


def compare(truth: Rows, found: Rows) -> list[str]:
    differences = [f"missing {key}" for key in truth.keys() - found.keys()]
    differences += [f"extra {found[key]}" for key in found.keys() - truth.keys()]
    for key in truth.keys() & found.keys():
        for column, value in truth[key].items():
            if value is None and column in _NOT_JUDGED:
                continue
            if found[key][column] != value:
                differences.append(f"{key} {column}: {found[key][column]!r} instead of {value!r}")
    return differences


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def counted(report: SyncReport, name: str) -> dict[tuple[str, Feed], int]:
    """One count of every feed, zeros left out."""
    return {
        (shop.shop, feed.feed): getattr(feed, name)
        for shop in report.shops
        for feed in shop.feeds
        if getattr(feed, name)
    }


def assert_complete(report: SyncReport) -> None:
    assert report.complete, [(shop.shop, shop.error) for shop in report.shops if not shop.complete]


async def until_complete(hub: Hub, *, runs: int, shops: Sequence[str] = ()) -> SyncReport:
    """Runs again until one is complete, as the schedule would."""
    for _ in range(runs):
        report = await hub.sync(shops)
        if report.complete:
            return report
    raise AssertionError([(shop.shop, shop.error) for shop in report.shops if shop.error])
