"""A statement on SQLite in one turn of the driver's thread.

SQLAlchemy's own adapter takes four: it makes a cursor, executes, fetches and closes. Each turn is a hand-over between
two threads of one interpreter, which costs more than most of our statements do. No cursor is left open here either.
"""

import sqlite3
from collections import deque
from typing import Any, Final

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.engine import Dialect

_NOTHING_TOLD: Final = (None, -1, None)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Holds the rows and what the driver's cursor said, which is closed by then."""

    __slots__ = ("_told",)

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection  # noqa: SLF001
        self._rows = deque()
        self._told: tuple[Any, int, int | None] = _NOTHING_TOLD

    @property
    def description(self) -> Any:
        return self._told[0]

    @property
    def rowcount(self) -> int:
        return self._told[1]

    @property
    def lastrowid(self) -> Any:
        return self._told[2]

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """There is nothing to close."""

    async def _execute_async(self, operation: Any, parameters: Any = None) -> Any:
        await self._run(_execute, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._run(_execute_many, operation, seq_of_parameters)

    async def _run(self, run: Any, operation: str, parameters: Any) -> None:
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001
            driver: Any = self._connection
            rows, self._told = await driver._execute(run, driver._conn, operation, parameters)  # noqa: SLF001
            self._rows = deque(rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor  # type: ignore[assignment]

    def rollback(self) -> None:
        """Whoever only read has nothing to roll back."""
        driver: Any = self._connection
        if driver._connection is not None and driver.in_transaction:  # noqa: SLF001
            super().rollback()


def _execute(connection: sqlite3.Connection, operation: str, parameters: Any) -> tuple[list[Any], Any]:
    return _read(connection.execute(operation, parameters))


def _execute_many(connection: sqlite3.Connection, operation: str, parameters: Any) -> tuple[list[Any], Any]:
    return _read(connection.executemany(operation, parameters))


def _read(cursor: sqlite3.Cursor) -> tuple[list[Any], Any]:
    try:
        rows = cursor.fetchall() if cursor.description else []
        return rows, (cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


def connect(dialect: Dialect, _record: object, arguments: Any, options: Any) -> _Connection:
    """For SQLAlchemy's event ``do_connect``: the driver's connection as it is, behind the adapter above."""
    adapted: Any = dialect.connect(*arguments, **options)
    return _Connection(adapted.dbapi, adapted._connection)  # noqa: SLF001
