"""One database, SQLite or PostgreSQL, opened by URL; transactions; what differs between the two."""

import asyncio
import json
import socket
import sqlite3
import time
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from threading import Thread
from typing import Any, Final, cast

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    CompoundSelect,
    Engine,
    Select,
    Table,
    bindparam,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.functions import FunctionElement

from hub.core.errors import ConfigurationError
from hub.store.box import Box
from hub.store.sqlite_turns import connect as connect_sqlite

#: seconds; whoever has a connection longer than this is not waited for
_GIVEN_BACK_WITHIN: Final = 5.0
#: seconds; a server that went away since is not back yet either
_TRUSTED: Final = 1.0
#: compiled queries that are kept, the ones used last the longest
_STATEMENTS: Final = 4_096
#: statements that a session of PostgreSQL keeps prepared
_PREPARED: Final = 500
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}

Query = Select[Any] | CompoundSelect[Any]


SQLITE_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=30000",
    "foreign_keys=ON",
    # Each connection has its own; larger pages of records need no larger one (docs/benchmarks.md).
    "cache_size=-8000",
    "temp_store=MEMORY",
    # Indexes of hashes touch pages everywhere: fewer checkpoints write each of them fewer times.
    "wal_autocheckpoint=8000",
)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """As it is: for a database without booleans SQLAlchemy would write ``… = 1``, which no index serves."""
        del against
        return self


def among(column: ColumnElement[Any], parameter: str) -> FunctionElement[bool]:
    """``column`` is one of a list given as one value, for :meth:`Database.fetch` and :func:`read_rows`.

    ``IN`` with a value for each member would be another statement for each length.
    """
    return _Among(column, bindparam(parameter))


@compiles(_Among, "sqlite")
def _among_json(element: _Among, compiler: SQLCompiler, **given: Any) -> str:
    column, values = (compiler.process(clause, **given) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  both are names and marks


@compiles(_Among, "postgresql")
def _among_array(element: _Among, compiler: SQLCompiler, **given: Any) -> str:
    column, values = (compiler.process(clause, **given) for clause in element.clauses)
    return f"{column} = ANY({values})"


def async_url(url: str) -> str:
    """``url`` with the driver the hub uses. Raises: ConfigurationError for any other kind of database."""
    try:
        parsed = make_url(url)
        driver = _DRIVERS[parsed.drivername.split("+")[0]]
    except (ArgumentError, NoSuchModuleError, KeyError) as error:
        what = f"HUB_DATABASE_URL names no SQLite or PostgreSQL database: {url.rsplit('@', maxsplit=1)[-1]!r}"
        raise ConfigurationError(what, fix="Write sqlite:///path/hub.db or postgresql://user@host/name.") from error
    return parsed.set(drivername=driver).render_as_string(hide_password=False)


class _Look(Struct, kw_only=True):
    """The connection of one task's reads, once it has read; ``is_busy`` while a reader is at it."""

    connection: AsyncConnection | None = None
    is_busy: bool = False

    async def give_back(self) -> None:
        """To the pool, unless a reader is still at it; the next reader takes another."""
        if self.connection is not None and not self.is_busy:
            connection, self.connection = self.connection, None
            # Whoever is cancelled meanwhile leaves none behind.
            await asyncio.shield(asyncio.create_task(connection.close()))


class Database:
    """The engine and the keys. In ``reading`` each statement sees what is committed; ``writing`` is one transaction.

    SQLite has one writer at a time: writers of this process queue on a lock, other processes on the
    file (``busy_timeout``). A reader never waits for a writer (WAL).
    """

    def __init__(self, engine: AsyncEngine, box: Box, *, host: str) -> None:
        self.engine = engine
        self.box = box
        #: the machine as leases name it
        self.host = host
        self.is_sqlite = engine.dialect.name == "sqlite"
        # Each statement sees what is committed, with or without a transaction. At the end of one the driver would
        # roll back, and forget with that what the server has prepared: planning took most of its time.
        self._reader = engine if self.is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._write_lock = asyncio.Lock()
        self._positional = _POSITIONAL[self.is_sqlite]
        self._statements: dict[object, tuple[str, itemgetter[Any]]] = {}
        self._ending: list[Thread] = []
        self._looks: dict[asyncio.Task[Any], _Look] = {}
        if self.is_sqlite:
            event.listen(engine.sync_engine, "invalidate", self._roll_back)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        look = self._look_of_task()
        if look is None or look.is_busy:
            async with self._reader.connect() as connection:
                yield connection
            return
        if look.connection is None:
            look.connection = await self._reader.connect()
        look.is_busy, is_whole = True, False
        try:
            yield look.connection
            is_whole = True
        finally:
            look.is_busy = False
            if not is_whole:
                # On PostgreSQL a transaction in which anything failed answers nothing any more.
                await look.give_back()

    @asynccontextmanager
    async def one_look(self) -> AsyncIterator[None]:
        """Whatever this task reads inside, one after the other, comes over one connection.

        A page reads in twenty places, and each :meth:`reading` of its own asks the pool for one and the server
        for a transaction, which takes longer than most of our statements do. Every statement still sees what was
        committed before it. Other tasks, also those begun inside, read for themselves.
        """
        task = asyncio.current_task()
        if task is None or task in self._looks:
            yield
            return
        look = self._looks[task] = _Look()
        try:
            yield
        finally:
            del self._looks[task]
            await look.give_back()

    def _look_of_task(self) -> _Look | None:
        task = asyncio.current_task()
        return self._looks.get(task) if task is not None else None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back by any exception."""
        if (look := self._look_of_task()) is not None:
            # Who waits for the way to write holds no connection that another writer may be waiting for.
            await look.give_back()
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
        # What a row belongs to never changes. SQLite would keep a way back for each row that may get another parent.
        fixed |= {column.name for column in table.c if column.foreign_keys}
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
        bound = [values(row) for row in rows]
        if not self.is_sqlite:
            await connection.exec_driver_sql(text, bound)
            return
        # A cursor that wrote holds nothing: to close it would be another turn of the driver's thread.
        await (await _driver(connection)).executemany(text, bound)

    async def fetch(self, connection: AsyncConnection, query: Select[Any], parameters: dict[str, Any]) -> Sequence[Any]:
        """All rows of ``query`` (one that lives as long as the program) as tuples; lists belong to :func:`among`.

        Like :meth:`upsert_rows` it is compiled once and goes to the driver as it is: on SQLite that is one turn
        of the driver's thread, where a statement through SQLAlchemy takes four. Raises: DBAPIError.
        """
        (rows,) = await _send(connection, [(_compiled(query, is_sqlite=self.is_sqlite), parameters)])
        return rows

    async def aclose(self) -> None:
        # A task that was cancelled is still giving its connection back, and a pool that is gone would never close it.
        with suppress(TimeoutError):
            async with asyncio.timeout(_GIVEN_BACK_WITHIN):
                # The pool tells nobody that it has got one back.
                while cast("AsyncAdaptedQueuePool", self.engine.pool).checkedout():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        await self.engine.dispose()
        # A thread that is still at a cancelled statement tells this loop of its end, so the loop has to be there.
        for thread in self._ending:
            await asyncio.to_thread(thread.join)

    def _roll_back(self, connection: Any, _record: object, _error: object) -> None:
        """A task was cancelled in the middle of a statement, and its connection is about to be closed.

        SQLite keeps a closed connection, its transaction and the lock on the file for as long as a cursor
        of it is unread; so the transaction ends here. It runs on the driver's thread, behind the statement
        and before the closing.
        """
        driver = connection.driver_connection

        def roll_back() -> None:
            if driver._connection is not None and driver._connection.in_transaction:  # noqa: SLF001
                driver._connection.execute("ROLLBACK")  # noqa: SLF001

        # The driver's own way in would take its turn too late.
        driver._tx.put_nowait((None, roll_back))  # noqa: SLF001
        self._ending = [thread for thread in (*self._ending, driver._thread) if thread.is_alive()]  # noqa: SLF001


class _Compiled(Struct, frozen=True, kw_only=True):
    """A query in the words of one driver, what it is given, and what makes a named row of what the driver gives."""

    text: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    row: Callable[[Sequence[Any]], Any]

    def values(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """By place; the caller's parameters stand before those that the query has of itself."""
        given = {**self.fixed, **parameters}
        return tuple([given[name] for name in self.names])


class _Constants(PGCompiler_psycopg):
    """Whole numbers that a query has of itself, which bear no name, stand in its text.

    As values they make PostgreSQL plan it anew each time: one plan for any LIMIT looks dearer than one for each.
    """

    def visit_bindparam(self, bindparam: BindParameter[Any], *places: Any, **given: Any) -> Any:
        if bindparam.unique and type(bindparam.value) is int:
            given["literal_binds"] = True
        return super().visit_bindparam(bindparam, *places, **given)  # type: ignore[no-untyped-call]


class _PostgreSQL(PGDialectAsync_psycopg):
    statement_compiler = _Constants


#: by whether it is SQLite; both drivers take values by position: "?" and "%s"
_POSITIONAL: Final[Mapping[bool, Any]] = {
    True: SQLiteDialect_aiosqlite(paramstyle="qmark"),
    False: _PostgreSQL(paramstyle="format"),  # type: ignore[no-untyped-call]
}


@lru_cache(maxsize=_STATEMENTS)
def _compiled(query: Query, *, is_sqlite: bool) -> _Compiled:
    compiled = query.compile(dialect=_POSITIONAL[is_sqlite])
    columns = list(query.selected_columns)
    named = namedtuple("Row", [column.key or "" for column in columns], rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024  made here
    # SQLite has no columns of yes and no.
    truths = [at for at, column in enumerate(columns) if is_sqlite and isinstance(column.type, Boolean)]

    def with_truths(row: Sequence[Any]) -> Any:
        values = list(row)
        for at in truths:
            values[at] = None if values[at] is None else bool(values[at])
        return named(values)

    return _Compiled(
        text=compiled.string,
        names=tuple(compiled.positiontup or ()),
        fixed=compiled.params,
        row=with_truths if truths else named,
    )


async def _send(
    connection: AsyncConnection, asked: Sequence[tuple[_Compiled, Mapping[str, Any]]]
) -> list[Sequence[tuple[Any, ...]]]:
    """To the driver as they are, past SQLAlchemy; the rows of each. Raises: DBAPIError."""
    dialect, driver = connection.dialect, await _driver(connection)
    try:
        if dialect.name == "sqlite":
            told = [(query.text, tuple(map(_as_json, query.values(given)))) for query, given in asked]
            answers: list[Sequence[tuple[Any, ...]]] = await driver._execute(_read_sqlite, driver._conn, told)  # noqa: SLF001
            return answers
        if len(asked) == 1:
            query, given = asked[0]
            return [await (await driver.execute(query.text, query.values(given))).fetchall()]
        async with driver.pipeline():
            cursors = [await driver.execute(query.text, query.values(given)) for query, given in asked]
        return [await cursor.fetchall() for cursor in cursors]
    except dialect.loaded_dbapi.Error as error:
        # What goes past SQLAlchemy fails as everything else does.
        texts = "; ".join(query.text for query, _ in asked)
        raise DBAPIError.instance(texts, None, error, type(error), True, dialect=dialect) from error


def _as_json(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def _read_sqlite(
    connection: sqlite3.Connection, told: Sequence[tuple[str, tuple[Any, ...]]]
) -> list[Sequence[tuple[Any, ...]]]:
    return [connection.execute(text, values).fetchall() for text, values in told]


async def read_rows(connection: AsyncConnection, query: Query, **parameters: Any) -> list[Any]:
    """As :meth:`Database.fetch`, by name: each row a tuple with the columns of ``query`` as attributes."""
    return (await read_each(connection, [(query, parameters)]))[0]


async def read_each(connection: AsyncConnection, asked: Sequence[tuple[Query, Mapping[str, Any]]]) -> list[list[Any]]:
    """As :func:`read_rows`, the rows of several queries, answered in their order: on SQLite in one turn of the
    driver's thread, on PostgreSQL in one way to the server and back.
    """
    if not asked:
        return []
    is_sqlite = connection.dialect.name == "sqlite"
    compiled = [(_compiled(query, is_sqlite=is_sqlite), given) for query, given in asked]
    answers = await _send(connection, compiled)
    return [list(map(query.row, rows)) for (query, _), rows in zip(compiled, answers, strict=True)]


async def _driver(connection: AsyncConnection) -> Any:
    """The driver's own connection, inside the transaction of ``connection``."""
    return (await connection.get_raw_connection()).driver_connection


def open_database(url: str, box: Box, *, host: str | None = None) -> Database:
    """Open without touching the schema (see :mod:`hub.store.schema`). ``host`` names this machine."""
    url = async_url(url)
    # Parameters are people's data: an error must not print them.
    if url.startswith("sqlite"):
        # The connection used last is used next: the page caches of the others stay small.
        engine = create_async_engine(url, connect_args={"timeout": 30}, hide_parameters=True, pool_use_lifo=True)
        event.listen(engine.sync_engine, "do_connect", connect_sqlite)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    else:
        # The connection used last is used next: it has most statements prepared.
        engine = create_async_engine(url, pool_size=10, max_overflow=10, pool_use_lifo=True, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _prepare_postgresql)
        _ask_idle(engine.sync_engine)
    # An owner's parts are parted by colons.
    return Database(engine, box, host=(host or socket.gethostname()).replace(":", "-"))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions of its own; ours begin explicitly (see Database.writing).
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # All that the screens ask for, not the driver's hundred.
    connection.driver_connection.prepared_max = _PREPARED


def _ask_idle(engine: Engine) -> None:
    """Ask a connection whether it is still there before it is used, if it stood idle.

    To ask each time, as the pool itself would, takes as long as most of our questions do.
    """

    def note_use(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used_at = record.info.get("used_at")
        is_trusted = used_at is None or time.monotonic() < used_at + _TRUSTED
        if is_trusted and not connection.driver_connection.closed:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", ask)


def to_ms(at: datetime | None) -> int | None:
    """Aware time to stored milliseconds."""
    return None if at is None else round(at.timestamp() * 1000)


def from_ms(at: int | None) -> datetime | None:
    """Stored milliseconds to an aware UTC time."""
    return None if at is None else time_of(at)


def time_of(at: int) -> datetime:
    """As :func:`from_ms`, of a column that is never null."""
    return datetime.fromtimestamp(at / 1000, UTC)
