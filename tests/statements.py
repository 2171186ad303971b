"""What is sent to a database, for tests that a page costs the same few statements however much is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

import hub.store.database
from hub.store.database import Database


@contextmanager
def sent_to(database: Database) -> Iterator[list[str]]:
    """The statements sent inside, in their order; an executemany is one.

    Queries compiled once go to the driver past SQLAlchemy's events, so their way is listened to as well.
    """
    sent: list[str] = []
    send = hub.store.database._send

    def note(*told: Any) -> None:
        sent.append(told[2])

    async def note_and_send(connection: Any, asked: Any) -> Any:
        sent.extend(query.text for query, _ in asked)
        return await send(connection, asked)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with patch.object(hub.store.database, "_send", note_and_send):
            yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
