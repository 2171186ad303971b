"""Probes: alive is not ready, and neither tells a secret."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.settings import Settings
from hub.store.box import load_box
from hub.store.database import Database, open_database
from hub.store.health import Check, Health, read_health
from hub.store.shops import ShopStore
from tests.desk.invented import NOW
from tests.web.conftest import Browser

OK = Health(database=Check.OK, schema=Check.OK, keys=Check.OK)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "keys.json"
    load_box(path)
    return path


@pytest.fixture
async def kept(database_url: str, keys: Path) -> Any:
    """A database whose keys stand in ``keys``, with a shop in it."""
    database = open_database(database_url, load_box(keys))
    await ShopStore(database).put(name="a", mall="m", base_url=None, credentials={"k": "v"}, now=NOW)
    yield database
    await database.aclose()


async def test_all_is_well(kept: Database, keys: Path):
    health = await read_health(kept, keys=keys)

    assert (health, health.is_ready) == (OK, True)


@pytest.mark.parametrize("revision", ["0001", "9999"])
async def test_another_schema_is_not_ready(kept: Database, keys: Path, revision: str):
    async with kept.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})

    health = await read_health(kept, keys=keys)

    assert (health.schema, health.is_ready) == (Check.OTHER, False)


async def test_keys_that_are_lost_open_or_of_another_hub(kept: Database, keys: Path, tmp_path: Path):
    other = tmp_path / "other" / "keys.json"
    load_box(other)
    exposed = tmp_path / "exposed.json"
    shutil.copyfile(keys, exposed)
    exposed.chmod(0o644)
    broken = tmp_path / "broken.json"
    broken.touch(mode=0o600)

    found = [(await read_health(kept, keys=path)).keys for path in (other, exposed, broken, tmp_path / "absent.json")]

    assert found == [Check.OTHER, Check.UNREADABLE, Check.UNREADABLE, Check.UNREADABLE]
    assert not (tmp_path / "absent.json").exists()


async def test_a_database_that_is_away(keys: Path):
    database = open_database("postgresql://hub:hunter2@127.0.0.1:1/hub", load_box(keys))

    health = await read_health(database, keys=keys)

    assert health == Health(database=Check.UNREACHABLE, schema=Check.UNKNOWN, keys=Check.UNKNOWN)
    await database.aclose()


def test_a_probe_answers_to_anybody_and_says_what_is_wrong(browser: Browser, tmp_path: Path):
    browser.rig.settings = Settings(home=tmp_path / "nowhere")

    live, ready = browser.get("/health/live"), browser.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert ready.status_code == 503
    # The rig's database was made without migrations, so its schema is nobody's.
    assert ready.json() == {
        "status": "not_ready",
        "checks": {"database": "ok", "schema": "other", "keys": "unknown"},
    }


def test_a_probe_of_a_whole_hub_is_ready(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def well(*_: Any, **__: Any) -> Health:
        return OK

    monkeypatch.setattr("hub.web.service.health.read_health", well)

    ready = browser.get("/health/ready")

    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert set(ready.json()["checks"].values()) == {"ok"}
