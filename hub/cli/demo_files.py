"""The demo's mall without an API: its two lists are handed in as files, through the same door as a person's."""

import io

from hub.bootstrap import Hub
from hub.core.contract import Capability, Manifest, Support
from hub.desk.access import Actor, Role
from hub.desk.files.importing import file_desk, import_upload
from hub.desk.users import list_users
from hub.emulation import write_modes
from hub.sandbox.kit import GivesFiles, SandboxOptions
from hub.sandbox.world import ShopSpec, World, make_world

_SHOP = "welfare"
#: few orders of the last days: a small mall, and read within a second
_ORDERS = 40
_DAYS = 14
_SEED = 20261122


def _takes_files(manifest: Manifest) -> bool:
    stated = manifest.capabilities.get(Capability.IMPORT_FILES)
    return stated is not None and stated.state is Support.YES


class FileMall:
    """A small World of its own. It is made anew at each start: its goods are the same, its orders those of then."""

    def __init__(self, hub: Hub) -> None:
        mall = next(mall for mall, manifest in hub.registry.manifests.items() if _takes_files(manifest))
        spec = ShopSpec(name=_SHOP, mall=mall, share=1.0)
        self._hub = hub
        self._world: World = make_world(
            now=hub.now, seed=_SEED, orders=_ORDERS, days=_DAYS, shops=(spec,), future_hours=1
        )
        self._shop: GivesFiles = hub.registry.sandbox(mall).build(self._world, shop=_SHOP, options=SandboxOptions())

    async def open(self) -> None:
        """Add the shop; what is in it stays."""
        table = self._shop.shop_table("")
        await self._hub.add_shop(
            name=_SHOP, mall=self._shop.mall, base_url=table["base_url"], credentials=table["credentials"]
        )

    def modes(self) -> bytes:
        """Who keeps its goods: rows to stand below those of the other shops."""
        out = io.StringIO(newline="")
        write_modes(out, self._world, is_first=False)
        return out.getvalue().encode()

    async def hand_in(self) -> None:
        """Import both lists once, by the layouts that a supervisor made for them."""
        _, desk = await file_desk(self._hub, _SHOP)
        if await desk.files():
            return
        user = next(user for user in await list_users(self._hub.database) if user.role is Role.SUPERVISOR)
        actor = Actor(user_id=user.user_id, login=user.login, name=user.name, role=user.role)
        for upload, layout in self._shop.downloads():
            await import_upload(self._hub, actor=actor, shop=_SHOP, upload=upload, layout=layout)
