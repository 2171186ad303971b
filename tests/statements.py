"""What is sent to a database, for tests that a page costs the same few statements however much is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import aiosqlite
from sqlalchemy import event

from hub.store.database import Database


@contextmanager
def sent_to(database: Database) -> Iterator[list[str]]:
    """The statements sent inside, in their order; an executemany is one.

    Queries compiled once go past SQLAlchemy's events on SQLite, so there the driver is listened to as well.
    """
    sent: list[str] = []
    fetch_all = aiosqlite.Connection._execute_fetchall

    def note(*told: Any) -> None:
        sent.append(told[2])

    def fetch(connection: aiosqlite.Connection, sql: str, parameters: Any) -> Any:
        sent.append(sql)
        return fetch_all(connection, sql, parameters)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with patch.object(aiosqlite.Connection, "_execute_fetchall", fetch):
            yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
