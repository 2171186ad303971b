"""What a contract rule is held against: one mall's manifest, its folder, its emulated mall and its recorded cases."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from hub.core.contract import Capability, Manifest, Support
from hub.core.events import Delivery
from hub.registry import Registry
from hub.sandbox.kit import SandboxMall


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``build`` makes the emulated mall; ``replay`` reads one case file's content (``replay.py`` of the folder).

    ``credentials``, ``base_url`` and ``sign_in``, of the same file, open a shop for the recorded writes;
    ``sign_in`` answers the calls for a token and no other. ``event``: one that this shop accepts.
    """

    manifest: Manifest
    folder: Path
    build: Callable[..., SandboxMall]
    replay: Callable[[dict[str, Any]], Any]
    credentials: dict[str, Any] | None = None
    base_url: str | None = None
    sign_in: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    event: Delivery | None = None

    def can(self, capability: Capability) -> bool:
        state = self.manifest.capabilities.get(capability)
        return state is not None and state.state is Support.YES


def subject_of(package: str, manifest: Manifest) -> Subject:
    """The subject of one connector folder, by the dotted name of its package."""
    module = importlib.import_module(package)
    assert module.__file__ is not None
    recorded = importlib.import_module(f"{package}.replay")
    subject = Subject(
        manifest=manifest,
        folder=Path(module.__file__).parent,
        build=importlib.import_module(f"{package}.sandbox").build,
        replay=recorded.replay,
    )
    if not hasattr(recorded, "CREDENTIALS"):
        # Nothing is written to this mall.
        return subject
    return replace(
        subject,
        credentials=recorded.CREDENTIALS,
        base_url=recorded.BASE_URL,
        sign_in=recorded.sign_in,
        event=getattr(recorded, "EVENT", None),
    )


def subjects(registry: Registry) -> dict[str, Subject]:
    return {
        mall: subject_of(manifest_package(manifest), manifest) for mall, manifest in sorted(registry.manifests.items())
    }


def manifest_package(manifest: Manifest) -> str:
    """A connector's folder is named after its mall."""
    return f"connectors.{manifest.mall}"
