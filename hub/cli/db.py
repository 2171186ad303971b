"""`hub db`, `hub backup`, `hub restore`: the database itself."""

import gzip
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, screen, settings_and_logs, with_hub
from hub.core.errors import ConfigurationError
from hub.settings import Settings
from hub.store import schema
from hub.store.health import Check, Health, read_health


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Schema and health of the database.", no_args_is_help=True)
    group.command("upgrade", help="Create the schema or bring it up to this version.")(upgrade)
    group.command("check", help="Compare the schema with this version; says what differs.")(check)
    app.add_typer(group, name="db")
    app.command("backup", help="Copy database and keys of HUB_HOME into one file (SQLite).")(backup)
    app.command("restore", help="Put a backup back into an empty HUB_HOME (SQLite).")(restore)


def upgrade() -> None:
    async def work(_hub: object) -> None:
        """Opening the hub upgrades."""

    with_hub(work)
    screen.print("the schema is current")


def check() -> int:
    async def work(hub: Hub) -> tuple[list[str], Health]:
        health = await read_health(hub.database, keys=hub.settings.home / "keys.json")
        return await schema.drift(hub.database), health

    differences, health = with_hub(work)
    for difference in differences:
        complain(difference)
    if health.keys is not Check.OK:
        complain(f"keys.json: {health.keys.value}", fix="Restore the key file that belongs to this database.")
    if not differences and health.is_ready:
        screen.print("schema and keys are as they should be")
        return ExitCode.ALL_DONE
    return ExitCode.PART_DONE


def _database_file(settings: Settings) -> Path:
    url = settings.resolved_database_url
    if not url.startswith("sqlite:///"):
        what = "backup and restore copy SQLite files"
        raise ConfigurationError(what, fix="For PostgreSQL use pg_dump and pg_restore, and keep keys.json of HUB_HOME.")
    return Path(url.removeprefix("sqlite:///"))


def backup(
    file: Annotated[Path, typer.Argument(help="File to write (.tar.gz); holds the keys: keep it safe.")],
) -> None:
    settings = settings_and_logs()
    database, keys = _database_file(settings), settings.home / "keys.json"
    if not database.exists() or not keys.exists():
        what = f"nothing to back up in {settings.home}"
        raise ConfigurationError(what, fix="Set HUB_HOME to the folder of the hub.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "hub.db"
        # SQLite's own backup: a consistent copy while others write.
        source, target = sqlite3.connect(database), sqlite3.connect(copy)
        with source, target:
            source.backup(target)
        source.close()
        target.close()
        draft = file.with_name(file.name + ".part")
        draft.touch(mode=0o600)
        with tarfile.open(draft, "w:gz") as archive:
            archive.add(copy, "hub.db")
            archive.add(keys, "keys.json")
        draft.replace(file)
    screen.print(f"written: {file}", markup=False)


def restore(file: Annotated[Path, typer.Argument(help="A file that `hub backup` wrote.")]) -> None:
    settings = settings_and_logs()
    database = _database_file(settings)
    if database.exists():
        what = f"{database} exists already"
        raise ConfigurationError(what, fix="Restore into an empty HUB_HOME, or move the old one away.")
    settings.home.mkdir(parents=True, exist_ok=True)
    places = {"hub.db": database, "keys.json": settings.home / "keys.json"}
    drafts = {name: place.with_name(place.name + ".part") for name, place in places.items()}
    try:
        with tarfile.open(file) as archive:
            for name, draft in drafts.items():
                member = archive.getmember(name)
                draft.touch(mode=0o600)
                # Written by us from the member's bytes: no path of the archive is ever followed.
                with draft.open("wb") as opened:
                    shutil.copyfileobj(cast("IO[bytes]", archive.extractfile(member)), opened)
        for name, draft in drafts.items():
            draft.replace(places[name])
    except (EOFError, gzip.BadGzipFile, KeyError, TypeError, zlib.error, tarfile.TarError) as error:
        what = f"{file} is no backup of the hub"
        raise ConfigurationError(what, fix="Name a file that `hub backup` wrote, whole.") from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    screen.print(f"restored into {settings.home}", markup=False)
