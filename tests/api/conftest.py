"""A hub with three shops of the desk's invented world, telephone calls, and one signed-in client per role."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from litestar.testing import AsyncTestClient

from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.desk.access import Role
from hub.desk.sessions import open_session
from hub.desk.users import create_user
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import make_world
from hub.settings import Settings
from hub.web.auth import SESSION_COOKIE
from tests.stats.rows import random_calls, store_calls

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # Friday 14:00 in Seoul
SHOP = "main-cafe24"
CALLS = random_calls(4, 400, since=NOW - timedelta(days=6), until=NOW)

Client = AsyncTestClient[object]
SignIn = Callable[[Role], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def hub(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Hub]:
    """One emulated mall, read once."""
    registry = find_connectors()
    world = make_world(orders=150, now=lambda: NOW, seed=8)
    mall = registry.sandbox("cafe24").build(
        world, shop=SHOP, options=SandboxOptions(rate_per_second=10_000, burst=10_000)
    )
    settings = Settings(home=tmp_path / "home", database_url=sqlite_url)
    transports = {SHOP: httpx.ASGITransport(mall.app)}
    async with open_hub(settings, now=lambda: NOW, transports=transports) as opened:
        table = mall.shop_table("http://127.0.0.1:9")
        await opened.add_shop(name=SHOP, mall="cafe24", base_url=table["base_url"], credentials=table["credentials"])
        assert (await opened.sync()).complete
        await store_calls(opened.database, CALLS)
        yield opened


@pytest.fixture
async def sign_in(hub: Hub) -> AsyncIterator[SignIn]:
    """Gives a client of the whole service; the role may be asked for several times."""
    async with AsyncExitStack() as stack:

        async def client_of(role: Role) -> AsyncTestClient[object]:
            user_id = await create_user(
                hub.database, login=role.value, name=role.value, role=role, password="long enough", at=NOW
            )
            key = await open_session(hub.database, user_id=user_id, at=NOW, lasts=timedelta(hours=1))
            client = await stack.enter_async_context(AsyncTestClient(make_asgi(hub)))
            client.cookies.set(SESSION_COOKIE, key)
            return client

        yield client_of


@pytest.fixture
async def stranger(hub: Hub) -> AsyncIterator[AsyncTestClient[object]]:
    async with AsyncTestClient(make_asgi(hub)) as client:
        yield client
