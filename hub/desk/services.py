"""What the desk needs of the rest of the hub; the one builder of it stands above the desk."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from hub.core.contract import Connector, Manifest
from hub.settings import Settings
from hub.store.database import Database
from routing.chain_table import ChainTable
from routing.contacts import Directory
from routing.modes import ModeTable

if TYPE_CHECKING:
    from hub.desk.acting.carriers import CarrierBook
    from hub.desk.books.routing import Refusal
    from hub.desk.worklist.case_counts import KeptGroups


class Malls(Protocol):
    """Every mall the hub knows, by name."""

    @property
    def manifests(self) -> Mapping[str, Manifest]: ...

    def manifest(self, mall: str) -> Manifest: ...


class RoutingBook(Protocol):
    """Whom to ask: inventory modes of products, the roles per matter, and the people; which version says so."""

    @property
    def table(self) -> ModeTable: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def chain(self) -> ChainTable: ...

    @property
    def version(self) -> int: ...

    @property
    def source(self) -> str | None: ...

    @property
    def problem(self) -> "Refusal | None": ...


class Services(Protocol):
    """One running hub. ``now`` gives aware UTC times; ``routing`` is ``None`` before it was read first."""

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

    @property
    def case_groups(self) -> "KeptGroups": ...

    async def refresh_routing(self) -> None:
        """Read the routing book again if it changed; a file that is wrong leaves the last good version in force."""
        ...

    async def connector(self, shop_name: str) -> Connector: ...
