import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.desk.access import Actor, Role
from tests.desk.invented import Rig, fill_sample, open_rig


@pytest.fixture(scope="package")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the sample in it: a copy takes a hundredth of the time of filling one."""
    path = tmp_path_factory.mktemp("filled") / "hub.db"
    shutil.copyfile(sqlite_template, path)

    async def fill() -> None:
        rig = await open_rig(path.parent, f"sqlite:///{path}")
        await fill_sample(rig)
        await rig.database.aclose()

    asyncio.run(fill())
    return path


@pytest.fixture
def is_filled(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> bool:
    """The test asks for the sample, and the database is a copy of the file that has it."""
    if "sample" not in request.fixturenames or not database_url.startswith("sqlite"):
        return False
    shutil.copyfile(request.getfixturevalue("filled"), tmp_path / "hub.db")
    return True


@pytest.fixture
async def rig(tmp_path: Path, database_url: str, is_filled: bool) -> AsyncIterator[Rig]:
    """Shops, on either kind of database; no record in it unless the test asks for the sample, too."""
    del is_filled
    rig = await open_rig(tmp_path, database_url)
    yield rig
    await rig.database.aclose()


@pytest.fixture
async def sample(rig: Rig, is_filled: bool) -> Rig:
    """A small, varied day of work."""
    if not is_filled:
        await fill_sample(rig)
    return rig


@pytest.fixture
def agent() -> Actor:
    return Actor(user_id=11, login="kim", name="김상담", role=Role.AGENT, address="10.0.0.7")


@pytest.fixture
def supervisor() -> Actor:
    return Actor(user_id=12, login="lee", name="이슈퍼", role=Role.SUPERVISOR)
