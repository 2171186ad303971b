"""Migrations: from empty to now, back, and the databases they refuse."""

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from hub.core.errors import ConfigurationError
from hub.store import schema
from hub.store.box import Box
from hub.store.database import Database, open_database
from hub.store.tables import metadata


async def test_an_empty_database_gets_every_table_and_no_drift(empty_url: str, box: Box):
    database = open_database(empty_url, box)
    try:
        await schema.upgrade(database)

        async with database.reading() as connection:
            tables = set(await connection.run_sync(lambda raw: inspect(raw).get_table_names()))
        assert set(metadata.tables) <= tables
        assert await schema.drift(database) == []
    finally:
        await database.aclose()


def test_the_newest_revision_is_the_one_that_alembic_finds():
    assert schema.newest_revision() == ScriptDirectory.from_config(schema.alembic_config()).get_current_head()


async def test_upgrading_twice_changes_nothing(database: Database):
    async with database.writing() as connection:
        await connection.execute(text("INSERT INTO leases (name, owner, until_at) VALUES ('kept', 'me', 1)"))

    await schema.upgrade(database)

    async with database.reading() as connection:
        assert await connection.scalar(text("SELECT owner FROM leases WHERE name = 'kept'")) == "me"


async def test_one_step_down_and_up_again_leaves_no_drift(database: Database):
    def down(connection: Connection) -> None:
        command.downgrade(schema.alembic_config(connection), "-1")

    async with database.writing() as connection:
        await connection.run_sync(down)
    await schema.upgrade(database)

    assert await schema.drift(database) == []


async def test_a_missing_column_is_called_drift(database: Database):
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE leases DROP COLUMN until_at"))

    differences = await schema.drift(database)

    assert any("until_at" in difference for difference in differences)


async def test_a_database_of_a_newer_program_is_refused(database: Database):
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))

    with pytest.raises(ConfigurationError, match="newer than this program"):
        await schema.upgrade(database)


async def test_a_database_of_somebody_else_is_refused_untouched(empty_url: str, box: Box):
    database = open_database(empty_url, box)
    try:
        async with database.writing() as connection:
            await connection.execute(text("CREATE TABLE orders (theirs INTEGER)"))

        with pytest.raises(ConfigurationError, match="other origin"):
            await schema.upgrade(database)

        async with database.reading() as connection:
            assert await connection.run_sync(lambda raw: inspect(raw).get_table_names()) == ["orders"]
    finally:
        await database.aclose()


@pytest.mark.parametrize("url", ["mysql://localhost/hub", "hub.db", "", "sqlite"])
def test_an_unusable_url_is_a_configuration_error(url: str, box: Box):
    with pytest.raises(ConfigurationError, match="HUB_DATABASE_URL"):
        open_database(url, box)


async def test_an_unreachable_server_is_named_without_its_password(box: Box):
    database = open_database("postgresql://hub:hunter2@127.0.0.1:1/hub", box)

    with pytest.raises(ConfigurationError) as caught:
        await schema.upgrade(database)

    assert "127.0.0.1:1" in str(caught.value.what)
    assert "hunter2" not in f"{caught.value} {caught.value.what} {caught.value.fix}"
    await database.aclose()
