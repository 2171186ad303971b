"""The one place that builds concrete objects: settings in, a working hub out."""

import asyncio
import gc
import os
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog
from msgspec import Struct

from hub.core.contract import Capability, Connector, Manifest, ShopContext, Support
from hub.core.errors import ConfigurationError, MallError
from hub.core.http import require_safe_url
from hub.core.model import Product, ShopRef
from hub.desk.acting.carriers import CarrierBook
from hub.desk.books.routing import RoutingBook, read_book, read_stamp
from hub.desk.export import ModeOf
from hub.desk.shops.incidents import Evaluated, evaluate_incidents
from hub.desk.worklist.case_counts import KeptGroups
from hub.policy.clock_file import standard_clocks
from hub.registry import Registry, find_connectors
from hub.settings import Settings
from hub.store import schema
from hub.store.box import load_box
from hub.store.database import Database, open_database
from hub.store.inbox import ShopInbox
from hub.store.shops import ShopRow, ShopSecrets, ShopStore
from hub.sync.catalogue import CatalogueError, CatalogueReport, CatalogueRun, OnCatalogueProgress
from hub.sync.run import OnProgress, RunError, ShopReport, ShopRun
from routing.modes import ModeTable, resolve_mode

log = structlog.get_logger(__name__)


class SyncReport(Struct, kw_only=True):
    """What `hub sync --json` prints."""

    started_at: datetime
    finished_at: datetime
    complete: bool
    shops: list[ShopReport]


class Hub:
    """Everything opened and wired; made by :func:`open_hub`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        registry: Registry,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        transports: Mapping[str, httpx.AsyncBaseTransport],
    ) -> None:
        self.settings = settings
        self.database = database
        self.registry = registry
        self.now = now
        self.shop_store = ShopStore(database)
        self._sleep = sleep
        self._transports = transports
        #: whom to ask; ``None`` only before :meth:`refresh_routing`
        self.routing: RoutingBook | None = None
        self.carriers = CarrierBook()
        self.case_groups = KeptGroups()
        self._connectors: dict[str, Connector] = {}
        self._opening = asyncio.Lock()

    async def shops(self) -> list[ShopRow]:
        return await self.shop_store.all()

    async def connector(self, shop_name: str) -> Connector:
        """The shop's connector, opened once. Raises: ConfigurationError for a shop or mall unknown."""
        async with self._opening:
            if shop_name not in self._connectors:
                shop = await self.shop_store.named(shop_name)
                self._connectors[shop_name] = self.registry.manifest(shop.mall).open(
                    ShopContext(
                        shop=ShopRef(name=shop.name, mall=shop.mall),
                        base_url=shop.base_url,
                        credentials=await self.shop_store.credentials(shop.id),
                        secrets=ShopSecrets(self.database, shop.id),
                        now=self.now,
                        sleep=self._sleep,
                        transport=self._transports.get(shop_name),
                        inbox=ShopInbox(self.database, shop.id),
                    )
                )
            return self._connectors[shop_name]

    async def refresh_routing(self) -> None:
        """Read the routing book again if it changed; a file that is wrong leaves the last good version in force."""
        home = self.settings.home
        stamp = await read_stamp(self.database, home)
        if self.routing is None or self.routing.stamp != stamp:
            self.routing = await read_book(
                self.database, home, now=self.now(), malls=frozenset(self.registry.manifests)
            )
            if self.routing.problem is not None:
                # The sentence may name a person; the card, `hub status` and `hub route explain` tell it.
                log.warning("routing.file.refused", version=self.routing.version)

    async def mode_of(self) -> ModeOf:
        """A function from product, shop, mall and day to the inventory mode, by the table of now."""
        await self.refresh_routing()
        table = self.routing.table if self.routing else ModeTable()

        def mode(product: Product, shop: str, mall: str, on: date) -> str:
            return resolve_mode(product, shop=shop, mall=mall, on=on, table=table).mode.value

        return mode

    async def add_shop(self, *, name: str, mall: str, base_url: str | None, credentials: Mapping[str, Any]) -> bool:
        """Add or replace one shop. Returns whether it is new. Raises: ConfigurationError naming the wrong key."""
        table = ShopTable(name=name, mall=mall, base_url=base_url, credentials=dict(credentials))
        shop = _checked(table, f"shop {name!r}", Path.cwd(), self.registry)
        return await self.shop_store.put(
            name=name, mall=mall, base_url=base_url, credentials=shop.credentials, now=self.now()
        )

    async def import_shops(self, path: Path) -> list[tuple[str, bool]]:
        """Add or replace the shops of a TOML file: all of them or, with any mistake, none.

        Returns name and whether it is new. Raises: ConfigurationError naming file, shop and key.
        """
        found = read_shop_file(path, self.registry)
        return [
            (
                shop.name,
                await self.shop_store.put(
                    name=shop.name,
                    mall=shop.mall,
                    base_url=shop.base_url,
                    credentials=shop.credentials,
                    now=self.now(),
                ),
            )
            for shop in found
        ]

    async def sync(
        self,
        names: Sequence[str] = (),
        *,
        full: bool = False,
        is_scheduled: bool = False,
        ways: frozenset[Capability] | None = None,
        on_progress: OnProgress | None = None,
    ) -> SyncReport:
        """One complete run over the named shops, or all, at once; ``is_scheduled`` and ``ways`` as in ShopRun.run.

        Raises: ConfigurationError when there is no shop, or a name is unknown.
        """
        started_at = self.now()
        chosen = [await self.shop_store.named(name) for name in dict.fromkeys(names)] or await self.shops()
        if not chosen:
            what = "there is no shop to read"
            raise ConfigurationError(what, fix="Add shops with `hub shop import FILE.toml`, or try `hub demo`.")
        reports = await asyncio.gather(
            *(
                self._sync_shop(shop, full=full, is_scheduled=is_scheduled, ways=ways, on_progress=on_progress)
                for shop in chosen
            )
        )
        await self.evaluate_incidents()
        return SyncReport(
            started_at=started_at,
            finished_at=self.now(),
            complete=all(report.complete for report in reports),
            shops=list(reports),
        )

    async def evaluate_incidents(self) -> Evaluated:
        """Whether a product has become a matter of many cases; every run over shops ends with it."""
        return await evaluate_incidents(self)

    async def compare(self, names: Sequence[str] = ()) -> dict[str, RunError]:
        """Compare the named shops, or all, with what their malls count, day by day; what failed by shop.

        Where a mall does not count, nothing is asked. Raises: ConfigurationError when a name is unknown.
        """
        chosen = [await self.shop_store.named(name) for name in dict.fromkeys(names)] or await self.shops()
        failed: dict[str, RunError] = {}

        async def one(shop: ShopRow) -> None:
            try:
                await (await self._shop_run(shop)).reconcile()
            except MallError as error:
                failed[shop.name] = RunError(kind=error.kind, message=str(error))
            except ConfigurationError as error:
                failed[shop.name] = RunError(kind="configuration", message=str(error))

        await asyncio.gather(*(one(shop) for shop in chosen))
        return failed

    async def read_catalogue(
        self, names: Sequence[str] = (), *, on_progress: OnCatalogueProgress | None = None
    ) -> list[CatalogueReport]:
        """Read suppliers and stock of the named shops, or of all whose mall tells them; one report each.

        Raises: ConfigurationError when a name is unknown.
        """
        chosen = [await self.shop_store.named(name) for name in dict.fromkeys(names)] or [
            shop for shop in await self.shops() if self.tells_catalogue(shop)
        ]
        return list(await asyncio.gather(*(self._read_catalogue(shop, on_progress=on_progress) for shop in chosen)))

    def tells_catalogue(self, shop: ShopRow) -> bool:
        """Whether the shop's mall tells suppliers and stock."""
        manifest = self.registry.manifests.get(shop.mall)
        stated = manifest.capabilities.get(Capability.READ_CATALOGUE) if manifest else None
        return stated is not None and stated.state is Support.YES

    async def _read_catalogue(self, shop: ShopRow, *, on_progress: OnCatalogueProgress | None) -> CatalogueReport:
        try:
            connector = await self.connector(shop.name)
        except ConfigurationError as error:
            wrong = CatalogueError(kind="configuration", message=str(error))
            return CatalogueReport(shop=shop.name, mall=shop.mall, error=wrong)
        return await CatalogueRun(
            self.database, shop=shop, connector=connector, now=self.now, on_progress=on_progress
        ).run()

    async def _sync_shop(
        self,
        shop: ShopRow,
        *,
        full: bool,
        is_scheduled: bool,
        ways: frozenset[Capability] | None,
        on_progress: OnProgress | None,
    ) -> ShopReport:
        try:
            run = await self._shop_run(shop, on_progress=on_progress)
        except ConfigurationError as error:
            # One shop that is set up wrongly does not stop the others.
            wrong = RunError(kind="configuration", message=str(error))
            return ShopReport(shop=shop.name, mall=shop.mall, complete=False, error=wrong, feeds=[])
        return await run.run(full=full, is_scheduled=is_scheduled, ways=ways)

    async def _shop_run(self, shop: ShopRow, *, on_progress: OnProgress | None = None) -> ShopRun:
        manifest: Manifest = self.registry.manifest(shop.mall)
        return ShopRun(
            self.database,
            shop=shop,
            manifest=manifest,
            connector=await self.connector(shop.name),
            clocks=standard_clocks(),
            first_read_days=self.settings.first_read_days,
            now=self.now,
            on_progress=on_progress,
        )

    async def aclose(self) -> None:
        for connector in self._connectors.values():
            await connector.aclose()
        await self.database.aclose()


@asynccontextmanager
async def open_hub(
    settings: Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    transports: Mapping[str, httpx.AsyncBaseTransport] | None = None,
    registry: Registry | None = None,
) -> AsyncIterator[Hub]:
    """Open keys, database (created or upgraded) and connectors; close them at the end.

    ``sleep`` waits out the malls' limits by the clock of ``now``. ``transports`` replaces the network
    of a shop, by its name (emulated malls in process).
    Raises: ConfigurationError for whatever is set up wrongly.
    """
    # A page makes tens of thousands of short-lived objects without cycles: the default threshold of
    # 700 spends a fifth of a sync looking for cycles among them. A higher one than this saves
    # nothing more and holds 30 MiB of what is dead.
    gc.set_threshold(10_000, 20, 50)
    home = settings.home
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = f"HUB_HOME {home} cannot be used: {error.strerror}"
        raise ConfigurationError(what, fix="Choose a folder that this user can write to.") from error
    database = open_database(settings.resolved_database_url, load_box(home / "keys.json"), host=settings.host_name)
    hub = Hub(settings, database, registry or find_connectors(), now=now, sleep=sleep, transports=transports or {})
    try:
        await schema.upgrade(database)
        await hub.refresh_routing()
        yield hub
    finally:
        await hub.aclose()


class ShopTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[shop]]`` of a shop file."""

    name: str
    mall: str
    credentials: dict[str, Any]
    base_url: str | None = None


class _ShopFile(Struct, frozen=True, forbid_unknown_fields=True):
    shop: list[ShopTable]


def read_shop_file(path: Path, registry: Registry) -> list[ShopTable]:
    """Read and check a shop file without storing anything.

    A credential may be "env:NAME" or "file:PATH" instead of its value.
    Raises: ConfigurationError naming file, shop and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tables = msgspec.convert(tomllib.loads(text), _ShopFile).shop
    except OSError as error:
        what = f"{path}: {error.strerror}"
        raise ConfigurationError(what, fix="Name a TOML file with [[shop]] tables.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        what = f"{path}: not a TOML file: {error}"
        raise ConfigurationError(what) from error
    except msgspec.ValidationError as error:
        what = f"{path}: {error}"
        fix = f"Each [[shop]] has the keys {', '.join(ShopTable.__struct_fields__)}, and no other."
        raise ConfigurationError(what, fix=fix) from error
    names = [table.name for table in tables]
    if twice := {name for name in names if names.count(name) > 1}:
        what = f"{path}: two shops are named {', '.join(sorted(twice))}"
        raise ConfigurationError(what, fix="Give each shop a name of its own.")
    return [_checked(table, f"{path}, shop {table.name!r}", path.parent, registry) for table in tables]


def _checked(table: ShopTable, where: str, folder: Path, registry: Registry) -> ShopTable:
    if not table.name.strip():
        what = f"{where}: the shop has no name"
        raise ConfigurationError(what)
    if table.mall not in registry.manifests:
        what = f"{where}: unknown mall {table.mall!r}"
        raise ConfigurationError(what, fix=f"Known malls: {', '.join(sorted(registry.manifests))}.")
    if table.base_url is not None:
        require_safe_url(table.base_url)
    credentials = {
        key: _resolved(value, f"{where}, credentials.{key}", folder) for key, value in table.credentials.items()
    }
    registry.manifest(table.mall).credentials.read(credentials, where=where)
    return msgspec.structs.replace(table, credentials=credentials)


def _resolved(value: Any, where: str, folder: Path) -> Any:
    """A credential's value; "env:NAME" and "file:PATH" (relative to ``folder``) are looked up."""
    if not isinstance(value, str):
        return value
    kind, _, rest = value.partition(":")
    if kind == "env":
        if rest not in os.environ:
            what = f"{where}: the environment has no {rest!r}"
            raise ConfigurationError(what, fix=f"Set {rest}, or write the value itself.")
        return os.environ[rest]
    if kind == "file":
        secret = folder / Path(rest).expanduser()
        try:
            return secret.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            what = f"{where}: cannot read {secret}"
            raise ConfigurationError(what, fix="Name a readable text file after file:.") from error
    return value
