"""One database, SQLite or PostgreSQL, opened by URL; transactions; what differs between the two."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.dml import Insert

from hub.core.errors import ConfigurationError
from hub.store.box import Box

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def async_url(url: str) -> str:
    """``url`` with the driver the hub uses. Raises: ConfigurationError for any other kind of database."""
    try:
        parsed = make_url(url)
        driver = _DRIVERS[parsed.drivername.split("+")[0]]
    except (ArgumentError, NoSuchModuleError, KeyError) as error:
        what = f"HUB_DATABASE_URL names no SQLite or PostgreSQL database: {url.rsplit('@', maxsplit=1)[-1]!r}"
        raise ConfigurationError(what, fix="Write sqlite:///path/hub.db or postgresql://user@host/name.") from error
    return parsed.set(drivername=driver).render_as_string(hide_password=False)


class Database:
    """The engine and the keys. ``reading`` gives a snapshot, ``writing`` one transaction.

    SQLite has one writer at a time: writers of this process queue on a lock, other processes on the
    file (``busy_timeout``). A reader never waits for a writer (WAL).
    """

    def __init__(self, engine: AsyncEngine, box: Box) -> None:
        self.engine = engine
        self.box = box
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._write_lock = asyncio.Lock()
        # Both drivers take values by position: "?" and "%s".
        self._positional = engine.dialect if self.is_sqlite else PGDialectAsync_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
        self._statements: dict[object, tuple[str, itemgetter[Any]]] = {}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back by any exception."""
        if not self.is_sqlite:
            async with self.engine.begin() as connection:
                yield connection
            return
        async with self._write_lock, self.engine.connect() as connection:
            # Take the write lock at once: a deferred transaction that upgrades later can deadlock.
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                await connection.rollback()
                raise
            await connection.commit()

    def upsert(
        self, table: Table, *, key: Sequence[Column[Any]], keep: Sequence[Column[Any]] = (), changed_hash: bool = True
    ) -> Insert:
        """``INSERT … ON CONFLICT (key) DO UPDATE`` of all columns but key, primary key and ``keep``.

        With ``changed_hash`` a row whose ``content_hash`` is equal is not touched. Execute it with a
        list of dicts (executemany), never with one large VALUES: that compiles anew on each call.
        """
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        fixed = {column.name for column in (*key, *keep, *table.primary_key.columns)}
        update = {column.name: insert.excluded[column.name] for column in table.c if column.name not in fixed}
        if not update:
            return insert.on_conflict_do_nothing(index_elements=list(key))
        where = table.c.content_hash != insert.excluded.content_hash if changed_hash else None
        return insert.on_conflict_do_update(index_elements=list(key), set_=update, where=where)

    async def upsert_rows(
        self,
        connection: AsyncConnection,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        key: Sequence[Column[Any]],
        keep: Sequence[Column[Any]] = (),
        changed_hash: bool = True,
    ) -> None:
        """:meth:`upsert` of many rows, which all have the columns of the first.

        The statement is compiled once and the values go to the driver as they are: binding them one
        by one through SQLAlchemy took a third of a full run.
        """
        if not rows:
            return
        columns = tuple(rows[0])
        mark = (table.name, columns, tuple(column.name for column in keep), changed_hash)
        statement = self._statements.get(mark)
        if statement is None:
            insert = self.upsert(table, key=key, keep=keep, changed_hash=changed_hash)
            compiled = insert.compile(dialect=self._positional, column_keys=list(columns))
            statement = compiled.string, itemgetter(*(compiled.positiontup or ()))
            self._statements[mark] = statement
        text, values = statement
        await connection.exec_driver_sql(text, [values(row) for row in rows])

    async def aclose(self) -> None:
        await self.engine.dispose()


def open_database(url: str, box: Box) -> Database:
    """Open without touching the schema (see :mod:`hub.store.schema`)."""
    url = async_url(url)
    # Parameters are people's data: an error must not print them.
    if url.startswith("sqlite"):
        # The connection used last is used next: the page caches of the others stay small.
        engine = create_async_engine(url, connect_args={"timeout": 30}, hide_parameters=True, pool_use_lifo=True)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    else:
        engine = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True, hide_parameters=True)
    return Database(engine, box)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions of its own; ours begin explicitly (see Database.writing).
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "cache_size=-16000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def to_ms(at: datetime | None) -> int | None:
    """Aware time to stored milliseconds."""
    return None if at is None else round(at.timestamp() * 1000)


def from_ms(at: int | None) -> datetime | None:
    """Stored milliseconds to an aware UTC time."""
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)
