"""A worker: reads every shop in its turns, sends what waits, takes over from workers that died."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from dbos import DBOS, SetWorkflowID
from sqlalchemy.exc import DBAPIError

from hub.bootstrap import Hub
from hub.core.errors import ConfigurationError
from hub.desk.shops.status import WORKER_LEASE
from hub.jobs.engine import job_engine, purge, upgrade_jobs
from hub.jobs.watch import LOOK_SECONDS, READING, Watch
from hub.jobs.work import Job, Jobs
from hub.store.database import to_ms
from hub.store.leases import Lease
from hub.store.rollups import recount as recount_kept
from hub.store.shops import ShopRow

log = structlog.get_logger(__name__)

#: suppliers and stock, before the shops are read whole: the night's routing knows them
_CATALOGUE = "10 2 * * *"
#: once a day a shop's consent is renewed, so that a resting shop does not lose it
_CONSENTS = "40 4 * * *"
_PURGE = "20 5 * * *"
#: the counts behind the statistics against the events themselves, after the shops were read whole
_COUNTS = "30 5 * * *"
#: ended jobs are kept for a week, to be looked at when something went wrong
_KEPT = timedelta(days=7)


class Worker:
    """Works until stopped. Its id stays the same over restarts, so that a restarted worker goes on with
    the jobs it had; where it does not come back, another worker does.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lease = Lease(hub.database, f"{WORKER_LEASE}{hub.settings.worker_id}")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set.

        Raises: ConfigurationError when another worker has this id, or has taken over from this one
        because it was held up for too long.
        """
        settings = self._hub.settings
        if not await self._lease.take_from_the_dead():
            what = f"a worker {settings.worker_id!r} is running already"
            raise ConfigurationError(what, fix="Give each worker its own HUB_WORKER_ID.")
        try:
            await upgrade_jobs(settings.resolved_jobs_url)
            with job_engine(settings.resolved_jobs_url, worker_id=settings.worker_id):
                watch = await self._launch()
                log.info("worker.started", worker=settings.worker_id)
                await self._work(watch, stop)
        finally:
            # Not given back: the jobs that did not end in time are for the others to take over.
            await self._lease.abandon()
        if self._lease.lost.is_set():
            what = f"worker {settings.worker_id!r} was held up, and others have taken over its work"
            raise ConfigurationError(what, fix="Start it again.")

    async def _work(self, watch: Watch, stop: asyncio.Event) -> None:
        ends = [asyncio.create_task(stop.wait()), asyncio.create_task(self._lease.lost.wait())]
        try:
            while not any(end.done() for end in ends):
                try:
                    await watch.look()
                except DBAPIError as error:
                    # The database is away for a moment; whether it comes back is seen next time.
                    log.warning("worker.look.failed", error=type(error.orig).__name__)
                await asyncio.wait(ends, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
                with suppress(asyncio.CancelledError):
                    await end

    async def _launch(self) -> Watch:
        jobs = Jobs(self._hub)

        async def each(kind: str, shops: list[ShopRow], job: Job, day: datetime) -> None:
            for shop in shops:
                # Several workers meet the same tick; the id makes it one job.
                with SetWorkflowID(f"{kind}:{shop.id}:{day:%Y%m%d}"):
                    await DBOS.enqueue_workflow_async(READING, job, shop.id)

        @DBOS.workflow(name="catalogue_night")
        async def catalogue_night(at: datetime, _context: Any) -> None:
            shops = [shop for shop in await jobs.here(self._hub.shops()) if self._hub.tells_catalogue(shop)]
            await each("catalogue", shops, jobs.read_catalogue, at)

        @DBOS.workflow(name="consents_daily")
        async def consents_daily(at: datetime, _context: Any) -> None:
            await each("consent", await jobs.here(self._hub.shops()), jobs.renew_consent, at)

        @DBOS.step(name="purge_ended")
        async def purge_ended() -> int:
            return await purge(before=self._hub.now() - _KEPT)

        @DBOS.workflow(name="purge_night")
        async def purge_night(_at: datetime, _context: Any) -> None:
            await purge_ended()

        @DBOS.step(name="recount_counts")
        async def recount_counts() -> int:
            hub = self._hub
            found = await jobs.here(recount_kept(hub.database, at=to_ms(hub.now()) or 0, started_by="night"))
            return len(found.differences)

        @DBOS.workflow(name="counts_night")
        async def counts_night(_at: datetime, _context: Any) -> None:
            await recount_counts()

        DBOS.launch()
        watch = Watch(self._hub, jobs)
        for name, workflow, cron in (
            ("catalogue", catalogue_night, _CATALOGUE),
            ("consents", consents_daily, _CONSENTS),
            ("purge", purge_night, _PURGE),
            ("counts", counts_night, _COUNTS),
        ):
            await DBOS.delete_schedule_async(name)
            await DBOS.create_schedule_async(
                schedule_name=name, workflow_fn=workflow, schedule=cron, cron_timezone=self._hub.settings.timezone
            )
        for name in ("changes", "night", "rereads"):
            # Of earlier versions: what they made is found by looking now.
            await DBOS.delete_schedule_async(name)
        return watch
