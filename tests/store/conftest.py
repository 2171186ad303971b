import pytest

from hub.store.database import Database
from tests.store.shapes import Shop, a_shop


@pytest.fixture
async def shop(database: Database) -> Shop:
    """A shop in an otherwise empty database, once of each kind."""
    return await a_shop(database)
