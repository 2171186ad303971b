"""The demo's chat: an emulated platform that keeps no history and tells what happens by webhook.

It lives in the demo's own process, for it must know the address of the hub. What was said before the demo began is
handed over with its own times; from then on every message comes through the door that the real platform uses.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from hub.bootstrap import Hub
from hub.core.contract import Capability, Manifest, Support
from hub.core.errors import ConfigurationError
from hub.core.events import ReceivesEvents, keep_events
from hub.sandbox.kit import SandboxOptions, TellsEvents
from hub.sandbox.live import Talkers
from hub.sandbox.serve import serving_one
from hub.sandbox.world import ShopSpec, World, make_world
from hub.store.inbox import ShopInbox
from hub.store.webhooks import WebhookStore

log = structlog.get_logger(__name__)

_SHOP = "talk"
_STATE = "talk.pickle"
#: orders of the World in which people chat: one in fifteen or so writes
_ORDERS = 300
_DAYS = 14
_SEED = 20261122
#: how often the platform tells what happened, and how often somebody writes
_TELL = timedelta(seconds=3)
_WRITE = timedelta(seconds=45)


def _is_told(manifest: Manifest) -> bool:
    """Whether its chats come by webhook alone: it has no orders to read."""

    def can(capability: Capability) -> bool:
        stated = manifest.capabilities.get(capability)
        return stated is not None and stated.state is Support.YES

    return can(Capability.RECEIVE_EVENTS) and not can(Capability.READ_ORDERS)


class TalkMall:
    """One account with the people who write to it; both go on where the last demo in ``hub``'s home ended."""

    def __init__(self, hub: Hub) -> None:
        mall = next(mall for mall, manifest in hub.registry.manifests.items() if _is_told(manifest))
        self._hub = hub
        self._state = hub.settings.home / _STATE
        self._world, memory = self._wake(mall)
        self._mall: TellsEvents = hub.registry.sandbox(mall).build(self._world, shop=_SHOP, options=SandboxOptions())
        if memory is not None:
            self._mall.memory = memory

    def _wake(self, mall: str) -> tuple[World, Any]:
        """Raises: ConfigurationError for a file of another version."""
        if not self._state.exists():
            spec = ShopSpec(name=_SHOP, mall=mall, share=1.0)
            world = make_world(now=self._hub.now, seed=_SEED, orders=_ORDERS, days=_DAYS, shops=(spec,))
            return world, None
        try:
            # A file of our own, in a folder that only this user can write to.
            world, memory = pickle.loads(self._state.read_bytes())  # noqa: S301
        except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, OSError, ValueError, TypeError) as error:
            what = f"{self._state} holds no chats of this version"
            raise ConfigurationError(what, fix="Start anew with `hub demo --fresh`.") from error
        world.wake(self._hub.now)
        return world, memory

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Add the shop, and serve the platform's API for its answers while the block runs."""
        async with serving_one(self._mall) as address:
            table = self._mall.shop_table(address)
            await self._hub.add_shop(
                name=_SHOP, mall=self._mall.mall, base_url=table["base_url"], credentials=table["credentials"]
            )
            try:
                yield
            finally:
                self._save()

    async def hand_over(self) -> None:
        """What was said while no hub was there to be told, as of then."""
        shop = await self._hub.shop_store.named(_SHOP)
        inbox = ShopInbox(self._hub.database, shop.id)
        connector = await self._hub.connector(_SHOP)
        assert isinstance(connector, ReceivesEvents)  # noqa: S101 - its manifest says so
        for delivery in self._mall.deliveries():
            await keep_events(inbox, connector.receive_events(delivery), at=delivery.received_at)
        self._save()

    async def keep_talking(self, desk: str, *, ready: asyncio.Event) -> None:
        """Let people write, and tell the hub at ``desk`` (scheme, host, port) once it is ``ready``, until cancelled."""
        await ready.wait()
        shop = await self._hub.shop_store.named(_SHOP)
        secret = await WebhookStore(self._hub.database).secret(shop.id, now=self._hub.now())
        address = f"{desk}/hooks/{quote(_SHOP, safe='')}/{secret}"
        talkers = Talkers(self._world, shop=_SHOP, seed=int(self._hub.now().timestamp()))
        written_at = self._hub.now()
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                if self._hub.now() - written_at >= _WRITE:
                    talkers.act()
                    written_at = self._hub.now()
                await self.tell(client, address)
                await asyncio.sleep(_TELL.total_seconds())

    async def tell(self, client: httpx.AsyncClient, address: str) -> None:
        """Once each, as the platform does: what finds nobody is lost."""
        for delivery in self._mall.deliveries():
            try:
                answer = await client.post(address, content=delivery.body, headers=dict(delivery.headers))
                is_taken = answer.is_success
            except httpx.TransportError:
                is_taken = False
            if not is_taken:
                log.warning("demo.chat.lost")
            self._save()

    def _save(self) -> None:
        part: Path = self._state.with_suffix(".part")
        part.write_bytes(pickle.dumps((self._world, self._mall.memory)))
        part.replace(self._state)
