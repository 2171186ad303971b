"""Whether this process can do its work: one answer for `hub db check`, probes and alerts."""

import asyncio
from enum import StrEnum
from pathlib import Path

import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.store.box import Box, load_box
from hub.store.database import Database
from hub.store.schema import newest_revision, revision_of
from hub.store.sealed import CREDENTIALS_PLACE
from hub.store.tables import shops

log = structlog.get_logger(__name__)

#: a probe is asked every few seconds: slower than this is not ready
_PATIENCE_SECONDS = 5.0


class Check(StrEnum):
    """``OTHER``: a schema that is not this program's, keys that do not open this database."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    OTHER = "other"
    UNKNOWN = "unknown"


class Health(Struct, frozen=True, kw_only=True):
    """One word per part; ``UNKNOWN`` where the database did not answer."""

    database: Check
    schema: Check
    keys: Check

    @property
    def is_ready(self) -> bool:
        return {self.database, self.schema, self.keys} == {Check.OK}


async def read_health(database: Database, *, keys: Path) -> Health:
    """Ask database, schema and the key file at ``keys``. Never raises for what is wrong with them; tells no secret."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), database.reading() as connection:
            schema = await _schema(connection)
            # Another schema may not even have the table to try the keys on.
            opened = await _keys(connection, keys) if schema is Check.OK else Check.UNKNOWN
            return Health(database=Check.OK, schema=schema, keys=opened)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        # Its text names host and user.
        log.warning("health.database.unreachable", error=type(error).__name__)
        return Health(database=Check.UNREACHABLE, schema=Check.UNKNOWN, keys=Check.UNKNOWN)


async def _schema(connection: AsyncConnection) -> Check:
    current = await connection.run_sync(revision_of)
    return Check.OK if current is not None and current == newest_revision() else Check.OTHER


async def _keys(connection: AsyncConnection, path: Path) -> Check:
    """Whether the file of now opens what stands in the database: what was stored first is tried."""
    box = _box(path)
    if box is None:
        return Check.UNREADABLE
    sealed = await connection.scalar(select(shops.c.credentials_sealed).order_by(shops.c.id).limit(1))
    if sealed is None:
        return Check.OK
    try:
        box.open(sealed, CREDENTIALS_PLACE)
    except ConfigurationError:
        return Check.OTHER
    return Check.OK


def _box(path: Path) -> Box | None:
    # An absent file would be made anew, and would open nothing.
    if not path.exists():
        return None
    try:
        return load_box(path)
    except (ConfigurationError, OSError):
        return None
