"""The schema's version: bring a database up to this program, refuse one from a newer program."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import OperationalError

from hub.core.errors import ConfigurationError
from hub.store.database import Database
from hub.store.tables import metadata


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@cache
def newest_revision() -> str | None:
    """The revision of this program's own migrations."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def _upgrade(connection: Connection) -> None:
    context = MigrationContext.configure(connection)
    scripts = ScriptDirectory.from_config(alembic_config())
    head = scripts.get_current_head()
    current = context.get_current_revision()
    if current == head:
        return
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        what = f"the database has schema {current}, which is newer than this program"
        raise ConfigurationError(what, fix="Install the newer version of the hub, or restore an older backup.")
    if current is None and (strange := set(inspect(connection).get_table_names()) & set(metadata.tables)):
        what = f"the database already has tables of other origin ({', '.join(sorted(strange)[:3])})"
        raise ConfigurationError(what, fix="Give the hub a database of its own in HUB_DATABASE_URL.")
    command.upgrade(alembic_config(connection), "head")


def _drift(connection: Connection) -> list[str]:
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
    except OperationalError as error:
        where = database.engine.url.render_as_string(hide_password=True)
        what = f"cannot open the database {where}: {str(error.orig).splitlines()[0]}"
        raise ConfigurationError(what, fix="Check HUB_DATABASE_URL and HUB_HOME.") from error


async def drift(database: Database) -> list[str]:
    """Differences between the migrated schema and the tables of the program: none, or a bug."""
    async with database.reading() as connection:
        return await connection.run_sync(_drift)
