"""The one module that knows the job engine (DBOS): opening it, taking over from the dead, clearing away.

DBOS keeps the jobs on a database of its own (an SQLite file, or PostgreSQL). A job's arguments are ids
and names only: they are stored in the clear.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from dbos import DBOS
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

_STOP_SECONDS = 10
_OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_PURGED_AT_ONCE = 500


@contextmanager
def job_engine(url: str, *, worker_id: str) -> Iterator[None]:
    """The engine as long as a worker runs. What is under way at the end gets some seconds."""
    engine = _open(url)
    try:
        DBOS(
            config={
                "name": "hub",
                "system_database_url": engine.url.render_as_string(hide_password=False),
                "system_database_engine": engine,
                # A hash of the code would strand what an older version left unfinished.
                "application_version": "1",
                "executor_id": worker_id,
                "console_log_level": "WARNING",
            }
        )
        yield
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=_STOP_SECONDS)
        engine.dispose()


async def upgrade_jobs(url: str) -> None:
    """Bring the job tables up to date, before :func:`job_engine` is entered.

    On PostgreSQL an index is built that waits for every transaction of the database. Launched without
    this, the library waits in the thread of the loop, for ever if a transaction of that loop is open.
    """
    parsed = make_url(url)
    if parsed.drivername.startswith("postgres"):
        plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        await asyncio.to_thread(DBOS.migrate, plain)


async def take_over(worker_id: str) -> int:
    """Put the unfinished jobs of a worker that is gone back into their queues; returns how many.

    The free library has no public way to do this; the method's name is private, so a test holds it.
    """
    return len(await asyncio.to_thread(DBOS._recover_pending_workflows, [worker_id]))  # noqa: SLF001


async def purge(*, before: datetime) -> int:
    """Forget jobs that ended before ``before`` (aware); returns how many. The library keeps every row for ever."""
    purged = 0
    while True:
        ended = await DBOS.list_workflows_async(
            status=_OVER,
            completed_before=before.isoformat(),
            limit=_PURGED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended])
        purged += len(ended)
        if len(ended) < _PURGED_AT_ONCE:
            return purged


def _open(url: str) -> Engine:
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
