"""Transactions, upserts and times, alike on both kinds of database."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, cast

import aiosqlite
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, column, event, func, select, table, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.pool import AsyncAdaptedQueuePool

from hub.store.box import Box
from hub.store.database import Database, from_ms, open_database, read_rows, to_ms
from hub.store.ids import new_id
from hub.store.leases import Lease
from hub.store.tables import leases, products
from tests.store.shapes import a_shop, rows


def test_times_are_stored_as_utc_milliseconds():
    seoul = datetime(2026, 1, 1, 0, 0, 0, 123_000, timezone(timedelta(hours=9)))

    assert to_ms(seoul) == 1_767_193_200_123
    assert from_ms(to_ms(seoul)) == seoul.astimezone(UTC)
    assert (to_ms(None), from_ms(None)) == (None, None)


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_every_millisecond_of_this_century_comes_back(at: int):
    assert to_ms(from_ms(at)) == at


async def test_writers_of_one_process_queue_up(database: Database):
    async with database.writing() as connection:
        await connection.execute(leases.insert(), {"name": "n", "owner": "0", "until_at": 0})

    async def add_one() -> None:
        async with database.writing() as connection:
            query = select(leases.c.until_at).where(leases.c.name == "n").with_for_update()
            before = (await connection.execute(query)).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(leases.update().values(until_at=before + 1))

    await asyncio.gather(*(add_one() for _ in range(15)))

    assert [row["until_at"] for row in await rows(database, leases)] == [15]


async def test_a_reader_sees_nothing_of_a_transaction_under_way(database: Database):
    async with database.writing() as connection:
        await connection.execute(leases.insert(), {"name": "n", "owner": "me", "until_at": 0})
        assert await rows(database, leases) == []

    assert len(await rows(database, leases)) == 1


async def test_a_cancelled_writer_leaves_nothing_and_frees_the_way(database: Database):
    inside = asyncio.Event()

    async def write_slowly() -> None:
        async with database.writing() as connection:
            await connection.execute(leases.insert(), {"name": "n", "owner": "me", "until_at": 0})
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write_slowly())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.writing() as connection:
        assert await connection.scalar(select(func.count()).select_from(leases)) == 0


async def test_an_upsert_of_equal_rows_touches_none(database: Database):
    shop = await a_shop(database)
    row = {"shop_id": shop.id, "code": "P1", "name": "찻잔", "name_folded": "찻잔"}
    key = [products.c.shop_id, products.c.code, products.c.name]
    statement = database.upsert(products, key=key, keep=list(products.c))
    for _ in range(2):
        async with database.writing() as connection:
            await connection.execute(statement, [row | {"id": new_id()}])

    (stored,) = await rows(database, products)

    async with database.writing() as connection:
        update = database.upsert(products, key=key, changed_hash=False)
        await connection.execute(update, [row | {"id": new_id(), "name_folded": "other"}])
    (changed,) = await rows(database, products)
    assert (changed["id"], changed["name_folded"]) == (stored["id"], "other")


async def test_a_writer_that_is_cancelled_leaves_no_lock(database: Database) -> None:
    """A statement that was cut off with its rows unread kept SQLite's file locked, though its connection was closed."""
    pause = Random(1)

    async def take(name: str) -> None:
        async with Lease(database, name):
            await asyncio.sleep(1)

    for number in range(150):
        taking = asyncio.create_task(take(f"lease-{number}"))
        await asyncio.sleep(pause.random() * 0.006)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        async with asyncio.timeout(10), database.writing() as connection:
            await connection.execute(leases.insert(), [{"name": f"free-{number}", "owner": "test", "until_at": 1}])


async def test_a_closed_database_leaves_no_thread_at_a_cancelled_statement(sqlite_url: str, box: Box) -> None:
    """Such a thread told a loop that had ended meanwhile."""
    database = open_database(sqlite_url, box)
    before = set(threading.enumerate())
    connected = asyncio.Event()

    async def count_slowly() -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT max(i) FROM n"
        async with database.reading() as connection:
            connected.set()
            await connection.execute(text(endless))

    counting = asyncio.create_task(count_slowly())
    await connected.wait()
    counting.cancel()
    await asyncio.sleep(0)
    at_work = {thread for thread in threading.enumerate() if "_connection_worker" in thread.name} - before
    await database.aclose()

    assert at_work
    assert not any(thread.is_alive() for thread in at_work)
    with pytest.raises(asyncio.CancelledError):
        await counting


async def test_a_database_is_not_closed_before_cancelled_readers_gave_their_connections_back(
    database: Database,
) -> None:
    """A pool that is gone takes a connection back and never closes it."""
    closed: list[object] = []
    event.listen(database.engine.sync_engine, "close", lambda connection, _: closed.append(connection))
    begun = asyncio.Event()

    async def read() -> None:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
            begun.set()
            await asyncio.sleep(60)

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    await database.aclose()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert len(closed) == 1


async def test_a_statement_on_sqlite_takes_one_turn_of_the_drivers_thread(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[object] = []
    execute = aiosqlite.Connection._execute

    async def noted(self: Any, function: Any, *arguments: Any) -> Any:
        turns.append(function)
        return await execute(self, function, *arguments)

    async with sqlite_database.reading() as connection:
        monkeypatch.setattr(aiosqlite.Connection, "_execute", noted)
        rows = (await connection.execute(text("SELECT 1 UNION SELECT 2 ORDER BY 1"))).all()

    # Nothing was begun, so giving the connection back takes none either.
    assert (len(turns), [row[0] for row in rows]) == (1, [1, 2])


@pytest.fixture
def lent(database: Database) -> list[object]:
    """Each time that the pool lent a connection."""
    found: list[object] = []
    event.listen(database.engine.sync_engine, "checkout", lambda connection, *_: found.append(connection))
    return found


async def _owners(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list(await connection.scalars(select(leases.c.owner).order_by(leases.c.owner)))


async def test_all_that_a_look_reads_comes_over_one_connection(database: Database, lent: list[object]) -> None:
    async with database.one_look():
        await _owners(database)
        async with database.one_look():
            await _owners(database)
        await _owners(database)
        during = len(lent)
    await _owners(database)

    assert (during, len(lent)) == (1, 2)


async def test_a_look_sees_what_is_written_meanwhile(database: Database, lent: list[object]) -> None:
    async def write(owner: str) -> None:
        async with database.writing() as connection:
            await connection.execute(leases.insert(), {"name": owner, "owner": owner, "until_at": 0})

    async with database.one_look():
        before = await _owners(database)
        # By another task, which has connections of its own, and by this one, which holds none while it writes.
        await asyncio.create_task(write("another"))
        between = await _owners(database)
        await write("own")
        after = await _owners(database)

    assert (before, between, after) == ([], ["another"], ["another", "own"])
    assert len(lent) == 4


async def test_a_look_goes_on_after_a_statement_failed(database: Database) -> None:
    async with database.one_look():
        with pytest.raises(DBAPIError):
            async with database.reading() as connection:
                await connection.execute(text("SELECT no_such_column FROM leases"))
        found = await _owners(database)

    assert found == []


async def test_a_reader_inside_a_reader_of_a_look_has_its_own(database: Database) -> None:
    async with database.one_look(), database.reading() as outer, database.reading() as inner:
        assert outer is not inner


async def test_a_cancelled_look_leaves_no_connection_behind(database: Database) -> None:
    begun = asyncio.Event()

    async def look() -> None:
        async with database.one_look():
            await _owners(database)
            begun.set()
            await asyncio.Event().wait()

    looking = asyncio.create_task(look())
    await begun.wait()
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking

    pool = cast("AsyncAdaptedQueuePool", database.engine.pool)
    assert pool.checkedout() == 0


_NOWHERE = select(column("nothing")).select_from(table("nowhere", column("nothing")))


async def test_what_goes_past_sqlalchemy_fails_as_everything_else(database: Database) -> None:
    async with database.reading() as connection:
        with pytest.raises(DBAPIError, match="nowhere") as failed:
            await read_rows(connection, _NOWHERE)
    assert isinstance(failed.value, OperationalError if database.is_sqlite else ProgrammingError)

    async with database.reading() as connection:
        assert await read_rows(connection, select(leases)) == []


async def test_a_session_that_the_server_ends_is_not_used_again(postgres_url: str, box: Box) -> None:
    database = open_database(postgres_url, box)
    try:
        with pytest.raises(DBAPIError):
            async with database.reading() as lost:
                pid = await lost.scalar(text("select pg_backend_pid()"))
                async with database.reading() as other:
                    await other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
                await read_rows(lost, select(leases))
        async with database.reading() as connection:
            assert await read_rows(connection, select(leases)) == []
    finally:
        await database.aclose()


async def test_a_connection_that_ended_while_it_stood_idle_is_made_anew(
    postgres_url: str, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.database._TRUSTED", 0.0)
    database, other = open_database(postgres_url, box), open_database(postgres_url, box)
    own = text("select pg_backend_pid()")
    try:
        async with database.reading() as connection:
            pid = await connection.scalar(own)
        async with other.reading() as connection:
            # Waits until it has ended; milliseconds.
            assert await connection.scalar(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        async with database.reading() as connection:
            assert await connection.scalar(own) != pid
    finally:
        await database.aclose()
        await other.aclose()


async def test_what_the_server_has_prepared_is_there_for_the_next_reader(postgres_url: str, box: Box) -> None:
    database = open_database(postgres_url, box)
    query = select(leases.c.name)
    try:
        for _ in range(8):
            async with database.reading() as connection:
                await read_rows(connection, query)
        async with database.reading() as connection:
            prepared = await connection.scalars(text("select statement from pg_prepared_statements"))
            assert [statement for statement in prepared if "leases" in statement]
    finally:
        await database.aclose()


async def test_numbers_of_a_query_stand_in_its_text_and_those_with_a_name_do_not(postgres_url: str, box: Box) -> None:
    database = open_database(postgres_url, box)
    query = select(bindparam("given", 3).label("given"), (func.length("four") + 10).label("sum")).limit(2)
    try:
        async with database.reading() as connection:
            for _ in range(8):
                assert await read_rows(connection, query, given=7) == [(7, 14)]
            prepared = await connection.scalars(text("select statement from pg_prepared_statements"))
            (told,) = [statement for statement in prepared if "length" in statement]
    finally:
        await database.aclose()

    assert told.endswith("LIMIT 2")
    assert "+ 10" in told
