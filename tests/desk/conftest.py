from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.desk.access import Actor, Role
from tests.desk.invented import Rig, fill_sample, open_rig


@pytest.fixture
async def rig(tmp_path: Path, database_url: str) -> AsyncIterator[Rig]:
    """Shops without a record, on either kind of database."""
    rig = await open_rig(tmp_path, database_url)
    yield rig
    await rig.database.aclose()


@pytest.fixture
async def sample(rig: Rig) -> Rig:
    """A small, varied day of work."""
    await fill_sample(rig)
    return rig


@pytest.fixture
def agent() -> Actor:
    return Actor(user_id=11, login="kim", name="김상담", role=Role.AGENT, address="10.0.0.7")


@pytest.fixture
def supervisor() -> Actor:
    return Actor(user_id=12, login="lee", name="이슈퍼", role=Role.SUPERVISOR)
