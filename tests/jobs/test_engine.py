"""The job engine's corners that the hub leans on: a private method of it, and rows that it keeps for ever."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS, SetWorkflowID
from sqlalchemy import create_engine, text

from hub.jobs.engine import job_engine, purge, take_over, upgrade_jobs
from hub.store.box import Box
from hub.store.database import open_database


async def _work(url: str) -> dict[str, Any]:
    """Jobs of a dead worker ``w2`` are finished by ``w1``, then all that is over is forgotten."""
    done: list[int] = []
    with job_engine(url, worker_id="w1"):

        @DBOS.step(name="note_number")
        async def note(number: int) -> int:
            done.append(number)
            return number

        @DBOS.workflow(name="note")
        async def job(number: int) -> int:
            return await note(number)

        DBOS.launch()
        await DBOS.register_queue_async("numbers", worker_concurrency=4)
        for number in (1, 2):
            with SetWorkflowID(f"job:{number}"):
                await DBOS.enqueue_workflow_async("numbers", job, number)
        await _until(lambda: len(done) == 2)
        await _all_over(2)

        # As if another worker had begun the second and died.
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE workflow_status SET status = 'PENDING', executor_id = 'w2' WHERE workflow_uuid = 'job:2'")
            )
            connection.execute(text("DELETE FROM operation_outputs WHERE workflow_uuid = 'job:2'"))
        engine.dispose()
        taken = (await take_over("w3"), await take_over("w2"))
        await _until(lambda: len(done) == 3)
        await _all_over(2)

        kept = await purge(before=datetime.now(UTC) - timedelta(days=7))
        gone = await purge(before=datetime.now(UTC) + timedelta(minutes=1))
        left = len(await DBOS.list_workflows_async())
    return {"taken": taken, "done": done, "kept": kept, "gone": gone, "left": left}


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _all_over(count: int) -> None:
    async with asyncio.timeout(60):
        while len(await DBOS.list_workflows_async(status="SUCCESS")) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.filterwarnings("default")
async def test_jobs_of_the_dead_are_taken_over_and_old_ones_forgotten(tmp_path: Path) -> None:
    seen = await _work(f"sqlite:///{tmp_path / 'jobs.db'}")

    seen["done"] = sorted(seen["done"])  # nothing orders the two jobs
    assert seen == {"taken": (0, 1), "done": [1, 2, 2], "kept": 0, "gone": 2, "left": 0}


async def test_the_tables_are_made_while_another_task_is_in_a_transaction(postgres_url: str, box: Box) -> None:
    """An index waited for the transaction, the transaction for its loop, and the loop for the index."""
    database = open_database(postgres_url, box)

    async def read_slowly() -> None:
        async with database.writing() as connection:
            # What keeps a snapshot between its statements holds an index up.
            await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await connection.exec_driver_sql("SELECT 1")
            begun.set()
            await asyncio.sleep(1)

    begun = asyncio.Event()
    reading = asyncio.create_task(read_slowly())
    await begun.wait()
    async with asyncio.timeout(60):
        await upgrade_jobs(postgres_url)
    assert reading.done()
    await reading

    # Nothing is left to be done at the launch, which runs in the loop's own thread.
    async with database.reading() as connection:
        version = text("SELECT version FROM dbos.dbos_migrations")
        before = await connection.scalar(version)
    with job_engine(postgres_url, worker_id="w1"):
        DBOS.launch()
        async with database.reading() as connection:
            assert await connection.scalar(version) == before
    await database.aclose()
