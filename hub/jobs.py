"""Durable jobs and schedules: shops are read by themselves, and what a crash broke off goes on.

DBOS keeps the jobs on a database of its own (an SQLite file, or PostgreSQL). A job's arguments are
names only: they are stored in the clear.
"""

import asyncio
from datetime import datetime
from typing import Any

import structlog
from dbos import DBOS, SetWorkflowID
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

from hub.bootstrap import Hub
from hub.core.errors import ConfigurationError, MallError
from hub.desk.consent import renew_consent
from hub.desk.status import WORKER_LEASE
from hub.store.leases import Lease
from hub.sync.rereads import drain_shop, shops_with_rereads

log = structlog.get_logger(__name__)

_QUEUE = "sync"
#: the hour of the centre in which every shop is read whole again
_NIGHT = "30 3 * * *"
#: suppliers and stock, before the shops are read whole: the night's routing knows them
_CATALOGUE = "10 2 * * *"
#: once a day a shop's consent is renewed, so that a resting shop does not lose it
_CONSENTS = "40 4 * * *"
#: what webhooks asked for and no process has read yet
_REREADS = "* * * * *"
_STOP_SECONDS = 10


class Worker:
    """Reads every shop by schedule until stopped. Its id stays the same over restarts, so that a
    restarted worker goes on with the jobs it had.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._lease = Lease(hub.database, f"{WORKER_LEASE}{hub.settings.worker_id}")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set. Raises: ConfigurationError when another worker has this id."""
        settings = self._hub.settings
        if not await self._lease.try_take():
            what = f"a worker {settings.worker_id!r} is running already"
            raise ConfigurationError(what, fix="Give each worker its own HUB_WORKER_ID.")
        engine = _jobs_engine(settings.resolved_jobs_url)
        try:
            DBOS(
                config={
                    "name": "hub",
                    "system_database_url": engine.url.render_as_string(hide_password=False),
                    "system_database_engine": engine,
                    # A hash of the code would strand what an older version left unfinished.
                    "application_version": "1",
                    "executor_id": settings.worker_id,
                    "console_log_level": "WARNING",
                }
            )
            await self._launch()
            log.info("worker.started", worker=settings.worker_id)
            await stop.wait()
        finally:
            DBOS.destroy(workflow_completion_timeout_sec=_STOP_SECONDS)
            engine.dispose()
            await self._lease.give_back()

    async def _launch(self) -> None:
        settings, sync_shop = self._hub.settings, self._register()

        async def enqueue(at: datetime, full: bool) -> None:
            for shop in await self._here(self._hub.shops()):
                # Several workers meet the same tick; the id makes it one job.
                with SetWorkflowID(f"sync:{shop.name}:{at:%Y%m%d%H%M}"):
                    await DBOS.enqueue_workflow_async(_QUEUE, sync_shop, shop.name, full)

        read_catalogue = self._register_catalogue()

        @DBOS.workflow(name="catalogue_night")
        async def catalogue_night(at: datetime, _context: Any) -> None:
            for shop in filter(self._hub.tells_catalogue, await self._here(self._hub.shops())):
                with SetWorkflowID(f"catalogue:{shop.name}:{at:%Y%m%d%H%M}"):
                    await DBOS.enqueue_workflow_async(_QUEUE, read_catalogue, shop.name)

        renew = self._register_consents()

        @DBOS.workflow(name="consents_daily")
        async def consents_daily(at: datetime, _context: Any) -> None:
            for shop in await self._here(self._hub.shops()):
                with SetWorkflowID(f"consent:{shop.name}:{at:%Y%m%d}"):
                    await DBOS.enqueue_workflow_async(_QUEUE, renew, shop.name, shop.mall)

        drain = self._register_rereads()

        @DBOS.workflow(name="rereads_due")
        async def rereads_due(at: datetime, _context: Any) -> None:
            due = shops_with_rereads(self._hub.database, now=self._hub.now())
            for name in await self._here(due):
                with SetWorkflowID(f"rereads:{name}:{at:%Y%m%d%H%M}"):
                    await DBOS.enqueue_workflow_async(_QUEUE, drain, name)

        @DBOS.workflow(name="sync_changes")
        async def sync_changes(at: datetime, _context: Any) -> None:
            await enqueue(at, full=False)

        @DBOS.workflow(name="sync_night")
        async def sync_night(at: datetime, _context: Any) -> None:
            await enqueue(at, full=True)

        DBOS.launch()
        await DBOS.register_queue_async(_QUEUE, worker_concurrency=8)
        minutes = settings.sync_minutes
        every = f"*/{minutes} * * * *" if minutes < 60 else f"0 */{minutes // 60} * * *"
        for name, workflow, cron in (
            ("changes", sync_changes, every),
            ("night", sync_night, _NIGHT),
            ("catalogue", catalogue_night, _CATALOGUE),
            ("rereads", rereads_due, _REREADS),
            ("consents", consents_daily, _CONSENTS),
        ):
            await DBOS.delete_schedule_async(name)
            await DBOS.create_schedule_async(
                schedule_name=name, workflow_fn=workflow, schedule=cron, cron_timezone=settings.timezone
            )
        # The first tick may be minutes away.
        await enqueue(self._hub.now(), full=False)

    def _register(self) -> Any:
        @DBOS.step(name="read_shop")
        async def read_shop(shop: str, full: bool) -> bool:
            report = await self._here(self._hub.sync([shop], full=full))
            return bool(report.complete)

        @DBOS.workflow(name="sync_shop")
        async def sync_shop(shop: str, full: bool) -> bool:
            return await read_shop(shop, full)

        return sync_shop

    def _register_consents(self) -> Any:
        @DBOS.step(name="renew_consent_of_shop")
        async def renew_consent_of_shop(shop: str, mall: str) -> bool:
            try:
                await self._here(renew_consent(self._hub, shop=shop, mall=mall))
            except MallError as error:
                # Every read of the shop fails the same way and says so; the days left stand on screen.
                log.warning("consent.renewal.failed", shop=shop, error=str(error))
                return False
            return True

        @DBOS.workflow(name="renew_consent")
        async def renew(shop: str, mall: str) -> bool:
            return await renew_consent_of_shop(shop, mall)

        return renew

    def _register_catalogue(self) -> Any:
        @DBOS.step(name="read_catalogue_of_shop")
        async def read_catalogue_of_shop(shop: str) -> bool:
            reports = await self._here(self._hub.read_catalogue([shop]))
            return all(report.complete for report in reports)

        @DBOS.workflow(name="read_catalogue")
        async def read_catalogue(shop: str) -> bool:
            return await read_catalogue_of_shop(shop)

        return read_catalogue

    def _register_rereads(self) -> Any:
        async def work(shop: str) -> int:
            return (await drain_shop(self._hub, await self._hub.shop_store.named(shop))).read

        @DBOS.step(name="drain_rereads_of_shop")
        async def drain_rereads_of_shop(shop: str) -> int:
            return int(await self._here(work(shop)))

        @DBOS.workflow(name="drain_rereads")
        async def drain_rereads(shop: str) -> int:
            return await drain_rereads_of_shop(shop)

        return drain_rereads

    async def _here(self, work: Any) -> Any:
        """Run on the loop that opened the hub: the engine may call from a loop of its own."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


def _jobs_engine(url: str) -> Engine:
    """An engine for the job tables; SQLite with a write-ahead log, several times faster than its default."""
    parsed = make_url(url)
    if parsed.drivername.startswith("postgres"):
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(parsed.set(drivername="sqlite"), connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
