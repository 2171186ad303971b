"""Finds the connectors: every folder in ``connectors`` that exposes a MANIFEST. The only importer of them."""

import importlib
import importlib.util
import pkgutil
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType, ModuleType
from typing import Protocol

from msgspec import Struct

import connectors
from hub.core.contract import Capability, CapabilityState, Feed, Manifest, Support
from hub.core.errors import ConfigurationError

# What a manifest does not mention is not built yet.
_NOT_YET = CapabilityState(state=Support.PLANNED)
# Files are for those that have nothing else.
_FILES = frozenset({Capability.IMPORT_FILES, Capability.EXPORT_FILES})
_NO_FILES = CapabilityState(
    state=Support.NO,
    instead="Read and written through the mall's API: no files are needed.",
    instead_ko="API로 직접 연동하므로 파일이 필요 없습니다.",
)


class MallCapabilities(Struct, frozen=True, kw_only=True):
    """One row of the capability matrix; ``tier`` as claimed in the connector's quality.toml."""

    mall: str
    title: str
    title_ko: str
    tier: str
    capabilities: dict[str, CapabilityState]


class Registry:
    def __init__(self, manifests: Mapping[str, Manifest]) -> None:
        self.manifests = MappingProxyType(dict(manifests))

    def manifest(self, mall: str) -> Manifest:
        """Raises: ConfigurationError when no connector serves ``mall``."""
        try:
            return self.manifests[mall]
        except KeyError:
            what = f"no connector for mall {mall!r}"
            raise ConfigurationError(what, fix=f"Known malls: {', '.join(sorted(self.manifests))}.") from None

    def sandbox(self, mall: str) -> ModuleType:
        """The emulated mall beside a connector (its ``build`` function is described in hub.sandbox.kit)."""
        self.manifest(mall)
        return importlib.import_module(f"connectors.{mall}.sandbox")


def find_connectors() -> Registry:
    """Import every connector folder, in alphabetical order.

    Raises: ConfigurationError when two folders claim the same mall.
    """
    manifests: dict[str, Manifest] = {}
    for module in sorted(pkgutil.iter_modules(connectors.__path__), key=lambda found: found.name):
        if not module.ispkg:
            continue
        manifest: Manifest = importlib.import_module(f"connectors.{module.name}").MANIFEST
        if manifest.mall in manifests:
            what = f"connectors.{module.name} claims the mall {manifest.mall!r} a second time"
            raise ConfigurationError(what)
        manifests[manifest.mall] = manifest
    return Registry(manifests)


class KnowsMalls(Protocol):
    @property
    def manifests(self) -> Mapping[str, Manifest]: ...


def capability_matrix(registry: KnowsMalls) -> list[MallCapabilities]:
    """What every mall's connector can do, by mall: the truth behind table, page and `hub connectors`."""
    return [
        MallCapabilities(
            mall=mall,
            title=manifest.title,
            title_ko=manifest.title_ko,
            tier=_tier(mall),
            capabilities={capability.value: _state(manifest, capability) for capability in Capability},
        )
        for mall, manifest in sorted(registry.manifests.items())
    ]


def _state(manifest: Manifest, capability: Capability) -> CapabilityState:
    if capability is Capability.READ_CLAIMS and Feed.CLAIMS in manifest.feeds:
        # Read all the same where the mall delivers them inside its orders.
        return CapabilityState(state=Support.YES)
    if capability in _FILES:
        return manifest.capabilities.get(capability, _NO_FILES)
    return manifest.capabilities.get(capability, _NOT_YET)


def _tier(mall: str) -> str:
    if importlib.util.find_spec(f"connectors.{mall}") is None:
        return "unrated"
    quality = resources.files(f"connectors.{mall}").joinpath("quality.toml")
    if not quality.is_file():
        return "unrated"
    return str(tomllib.loads(quality.read_text(encoding="utf-8")).get("tier", "unrated"))
