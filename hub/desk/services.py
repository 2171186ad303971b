"""What the desk needs of the rest of the hub; the one builder of it stands above the desk."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from hub.core.contract import Connector, Manifest
from hub.settings import Settings
from hub.store.database import Database
from routing.contacts import Directory
from routing.modes import ModeTable

if TYPE_CHECKING:
    from hub.desk.carriers import CarrierBook


class Malls(Protocol):
    """Every mall the hub knows, by name."""

    @property
    def manifests(self) -> Mapping[str, Manifest]: ...

    def manifest(self, mall: str) -> Manifest: ...


class RoutingBook(Protocol):
    """Whom to ask: inventory modes of products, and the people."""

    @property
    def table(self) -> ModeTable: ...

    @property
    def directory(self) -> Directory: ...


class Services(Protocol):
    """One running hub. ``now`` gives aware UTC times; ``routing`` is ``None`` where no table was imported."""

    @property
    def settings(self) -> Settings: ...

    @property
    def database(self) -> Database: ...

    @property
    def registry(self) -> Malls: ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    @property
    def routing(self) -> RoutingBook | None: ...

    @property
    def carriers(self) -> "CarrierBook": ...

    async def refresh_routing(self) -> None:
        """Read the routing table again if it changed. Raises: ConfigurationError when it is wrong."""
        ...

    async def connector(self, shop_name: str) -> Connector: ...
