"""Finds the connectors: every folder in ``connectors`` that exposes a MANIFEST. The only importer of them."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

import connectors
from hub.core.contract import Manifest
from hub.core.errors import ConfigurationError


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
