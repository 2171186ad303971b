"""The jobs themselves: what each does with one shop, as the engine starts it, again after a crash if need be.

A job looks for itself what is to be done now, so that one that comes late or twice does nothing wrong.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog
from dbos import DBOS

from hub.bootstrap import Hub
from hub.core.errors import ConfigurationError, MallError
from hub.desk.acting.answered import note_answered
from hub.desk.acting.outbox import Outbox
from hub.desk.asks.sending import tend
from hub.desk.care.promise_keeping import settle
from hub.desk.shops.consent import renew_consent
from hub.jobs.due import due_of
from hub.store.leases import Lease, held_and_abandoned
from hub.store.shops import ShopRow
from hub.sync.recount import recount
from hub.sync.rereads import drain_shop

log = structlog.get_logger(__name__)

T = TypeVar("T")
#: leases of runs begin with it
RUN_LEASE = "sync:"
#: takes the id of a shop
Job = Callable[[int], Coroutine[Any, Any, bool]]


class Jobs:
    """One durable job for each kind of work on a shop; made before the engine is launched.

    ``here`` runs a coroutine on the loop that opened the hub: the engine may call from a loop of its own.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self.read = self._job("read_shop", self._read)
        self.reread = self._job("drain_rereads", self._reread)
        self.deliver = self._job("deliver_actions", self._deliver)
        self.tend_asks = self._job("tend_asks", self._tend_asks)
        self.tend_promises = self._job("tend_promises", self._tend_promises)
        self.recount = self._job("recount_cases", self._recount)
        self.read_catalogue = self._job("read_catalogue", self._read_catalogue)
        self.renew_consent = self._job("renew_consent", self._renew_consent)

    async def here(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _job(self, name: str, work: Callable[[ShopRow], Awaitable[bool]]) -> Job:
        async def of_shop(shop_id: int) -> bool:
            shop = await self._shop(shop_id)
            if shop is None:
                return True
            try:
                return await work(shop)
            except ConfigurationError as error:
                # It stands in the status; a job that breaks would be tried again and again.
                log.warning("job.shop.wrong", job=name, shop=shop.name, error=error.what)
                return False

        @DBOS.step(name=f"{name}_step")
        async def step(shop_id: int) -> bool:
            return await self.here(of_shop(shop_id))

        @DBOS.workflow(name=name)
        async def job(shop_id: int) -> bool:
            return await step(shop_id)

        return job

    async def _shop(self, shop_id: int) -> ShopRow | None:
        """``None`` for a shop that was removed since the job was made."""
        return next((shop for shop in await self._hub.shops() if shop.id == shop_id), None)

    async def _read(self, shop: ShopRow) -> bool:
        """Whatever of the shop is due now. Nothing while another run reads it: that one reads the same."""
        lease = Lease(self._hub.database, run_lease(shop.id))
        _, abandoned = await held_and_abandoned(self._hub.database, run_lease(shop.id))
        if not await lease.try_take():
            return False
        await lease.give_back()
        due = await due_of(
            self._hub.database,
            shop,
            self._hub.registry.manifest(shop.mall),
            settings=self._hub.settings,
            now=self._hub.now(),
            is_abandoned=run_lease(shop.id) in abandoned,
        )
        if due is None:
            return True
        report = await self._hub.sync([shop.name], full=due.is_full, is_scheduled=True, ways=due.ways)
        return report.complete

    async def _reread(self, shop: ShopRow) -> bool:
        drained = await drain_shop(self._hub, shop)
        if drained.read:
            await note_answered(self._hub, shop_id=shop.id)
        return not drained.is_busy

    async def _deliver(self, shop: ShopRow) -> bool:
        return bool(await Outbox(self._hub, shop).drain())

    async def _tend_asks(self, shop: ShopRow) -> bool:
        """Questions to contacts: sent, reminded of, passed on."""
        return not (await tend(self._hub, shop_id=shop.id)).failed

    async def _tend_promises(self, shop: ShopRow) -> bool:
        """Promises: reminded of, and broken when their time is over."""
        await settle(self._hub, shop_id=shop.id)
        return True

    async def _recount(self, shop: ShopRow) -> bool:
        """Deadlines of open cases by the policy book in force."""
        countries = {shop.mall: self._hub.registry.manifest(shop.mall).country}
        await recount(self._hub.database, countries=countries, now=self._hub.now(), shop_ids=[shop.id])
        return True

    async def _read_catalogue(self, shop: ShopRow) -> bool:
        return all(report.complete for report in await self._hub.read_catalogue([shop.name]))

    async def _renew_consent(self, shop: ShopRow) -> bool:
        try:
            await renew_consent(self._hub, shop=shop.name, mall=shop.mall)
        except MallError as error:
            # Every read of the shop fails the same way and says so; the days left stand on screen.
            log.warning("consent.renewal.failed", shop=shop.name, error=str(error))
            return False
        return True


def run_lease(shop_id: int) -> str:
    """The lease that a run over a shop holds."""
    return f"{RUN_LEASE}{shop_id}"
