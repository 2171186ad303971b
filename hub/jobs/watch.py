"""What a worker looks after every few seconds: colleagues that died, and work that is due.

Every worker finds the same work and gives it the same name, so that it becomes one job.
"""

import math
from collections.abc import Iterable
from datetime import date, datetime

import structlog
from dbos import DBOS, SetWorkflowID

from hub.bootstrap import Hub
from hub.desk.acting.outbox import shops_with_letters
from hub.desk.asks.sending import shops_with_asks
from hub.desk.care.promise_keeping import shops_with_promises
from hub.desk.shops.status import WORKER_LEASE
from hub.desk.worklist.tending import Tending
from hub.jobs.due import due_of
from hub.jobs.engine import take_over
from hub.jobs.work import RUN_LEASE, Job, Jobs, run_lease
from hub.store.books import BookKind, newest_version
from hub.store.leases import Lease, held_and_abandoned
from hub.store.shops import ShopRow
from hub.sync.recount import days_of_rows, find_uncounted
from hub.sync.rereads import shops_with_rereads

log = structlog.get_logger(__name__)

#: between two looks: with the time of a lease well within the half minute of a take-over
LOOK_SECONDS = 3.0
#: reading takes minutes; what an agent or a webhook waits for has a queue of its own
READING, URGENT = "sync", "urgent"
_MOST_URGENT = 16
_MOST_READING = 16
#: work that was named once is not named again within this, however often it is found
_READ_EVERY, _URGENT_EVERY = 60, 5


class Watch:
    def __init__(self, hub: Hub, jobs: Jobs) -> None:
        self._hub = hub
        self._jobs = jobs
        self._share = 0
        #: newest name given to each kind of work of a shop
        self._named: dict[tuple[str, int], str] = {}
        #: version of the policy book by which every open case is counted, and the day of its rows
        self._counted_by: tuple[int, tuple[date, ...]] = (0, ())
        self._tending = Tending()

    async def look(self) -> None:
        """One round."""
        shops = await self._hub.shops()
        living, dead = await held_and_abandoned(self._hub.database, WORKER_LEASE)
        for lease in dead:
            await self._take_over(lease)
        await self._spread(shops=len(shops), workers=len(living))
        now = self._hub.now()
        await self._enqueue_reading(shops, now)
        names = set(await shops_with_rereads(self._hub.database, now=now))
        await self._enqueue_urgent("reread", self._jobs.reread, [shop for shop in shops if shop.name in names], now)
        letters = await shops_with_letters(self._hub.database, now=now)
        await self._enqueue_urgent("deliver", self._jobs.deliver, letters, now)
        asked = await shops_with_asks(self._hub.database, now=now)
        await self._enqueue_urgent("asks", self._jobs.tend_asks, asked, now)
        promised = await shops_with_promises(self._hub)
        await self._enqueue_urgent("promises", self._jobs.tend_promises, promised, now)
        await self._enqueue_urgent("recount", self._jobs.recount, await self._uncounted(shops, now), now)
        await self._tending.round(self._hub)

    async def _uncounted(self, shops: Iterable[ShopRow], now: datetime) -> list[ShopRow]:
        """Shops with cases that were counted by an older policy book, or before rows of it began or ended; looked
        for until there are none, and again on the next day.
        """
        database = self._hub.database
        today = days_of_rows(now)
        if (await newest_version(database, BookKind.POLICY), today) == self._counted_by:
            return []
        found = await find_uncounted(database, now=now)
        if found is None:
            return []
        known = [shop for shop in shops if shop.id in found.shop_ids and shop.mall in self._hub.registry.manifests]
        if not known and found.is_final:
            self._counted_by = (found.version, today)
        return known

    async def _take_over(self, name: str) -> None:
        """The jobs of a dead worker are anybody's again; one of the living sees to it."""
        lease = Lease(self._hub.database, name)
        if not await lease.try_take():
            return
        try:
            taken = await take_over(name.removeprefix(WORKER_LEASE))
            log.warning("worker.taken_over", dead=name.removeprefix(WORKER_LEASE), jobs=taken)
        finally:
            await lease.give_back()

    async def _spread(self, *, shops: int, workers: int) -> None:
        """No worker takes more shops at a time than its share, so that the others have work too."""
        share = min(_MOST_READING, max(1, math.ceil(shops / max(1, workers))))
        if share == self._share:
            return
        await DBOS.register_queue_async(READING, worker_concurrency=share, on_conflict="always_update")
        if not self._share:
            await DBOS.register_queue_async(URGENT, worker_concurrency=_MOST_URGENT, on_conflict="always_update")
        self._share = share

    async def _enqueue_reading(self, shops: Iterable[ShopRow], now: datetime) -> None:
        _, left = await held_and_abandoned(self._hub.database, RUN_LEASE)
        for shop in shops:
            manifest = self._hub.registry.manifests.get(shop.mall)
            if manifest is None:
                continue
            is_abandoned = run_lease(shop.id) in left
            due = await due_of(
                self._hub.database,
                shop,
                manifest,
                settings=self._hub.settings,
                now=now,
                is_abandoned=is_abandoned,
            )
            if due is not None:
                # What broke off does not wait for the next minute.
                every = _URGENT_EVERY if is_abandoned else _READ_EVERY
                await self._enqueue("read", self._jobs.read, shop, READING, turn=int(now.timestamp()) // every)

    async def _enqueue_urgent(self, kind: str, job: Job, shops: Iterable[ShopRow], now: datetime) -> None:
        for shop in shops:
            await self._enqueue(kind, job, shop, URGENT, turn=int(now.timestamp()) // _URGENT_EVERY)

    async def _enqueue(self, kind: str, job: Job, shop: ShopRow, queue: str, *, turn: int) -> None:
        name = f"{kind}:{shop.id}:{turn}"
        if self._named.get((kind, shop.id)) == name:
            return
        with SetWorkflowID(name):
            await DBOS.enqueue_workflow_async(queue, job, shop.id)
        self._named[kind, shop.id] = name
