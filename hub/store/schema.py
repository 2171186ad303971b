"""The schema's version: bring a database up to this program, refuse one from a newer program.

Alembic is imported where it has something to do: most starts find the schema as it should be, and need no more
than to see that.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from hub.core.errors import ConfigurationError
from hub.store.database import Database
from hub.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_REVISION: Final = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def alembic_config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@cache
def newest_revision() -> str | None:
    """The one of this program's own migrations that no other follows; ``None`` where that is not one."""
    found: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in (_MIGRATIONS / "versions").glob("*.py"):
        for name, revision in _REVISION.findall(path.read_text(encoding="utf-8")):
            found[name].add(revision)
    heads = found["revision"] - found["down_revision"]
    return heads.pop() if len(heads) == 1 else None


def revision_of(connection: Connection) -> str | None:
    """The revision that this database has, ``None`` before its first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision


def _upgrade(connection: Connection) -> None:
    current = revision_of(connection)
    if current is not None and current == newest_revision():
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if current is not None and current not in known:
        what = f"the database has schema {current}, which is newer than this program"
        raise ConfigurationError(what, fix="Install the newer version of the hub, or restore an older backup.")
    if current is None and (strange := set(inspect(connection).get_table_names()) & set(metadata.tables)):
        what = f"the database already has tables of other origin ({', '.join(sorted(strange)[:3])})"
        raise ConfigurationError(what, fix="Give the hub a database of its own in HUB_DATABASE_URL.")
    command.upgrade(alembic_config(connection), "head")


def _drift(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection)
    return [str(difference) for difference in compare_metadata(context, metadata)]


async def upgrade(database: Database) -> None:
    """Create or upgrade the schema; does nothing when it is current.

    Raises: ConfigurationError when the database is newer than this program, is somebody else's, or
    cannot be reached.
    """
    try:
        async with database.writing() as connection:
            await connection.run_sync(_upgrade)
    except DatabaseError as error:
        # The narrower kinds, but for this one, are mistakes of a migration.
        if type(error) not in {DatabaseError, OperationalError}:
            raise
        where = database.engine.url.render_as_string(hide_password=True)
        what = f"cannot open the database {where}: {str(error.orig).splitlines()[0]}"
        raise ConfigurationError(what, fix="Check HUB_DATABASE_URL and HUB_HOME.") from error


async def drift(database: Database) -> list[str]:
    """Differences between the migrated schema and the tables of the program: none, or a bug."""
    async with database.reading() as connection:
        return await connection.run_sync(_drift)
