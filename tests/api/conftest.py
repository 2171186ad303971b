"""A hub with three shops of the desk's invented world, telephone calls, and one signed-in client per role."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from litestar.testing import AsyncTestClient

from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.desk import users as accounts
from hub.desk.access import Role
from hub.desk.sessions import open_session
from hub.desk.users import create_user
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.world import make_world
from hub.settings import Settings
from hub.web.auth import SESSION_COOKIE
from tests.stats.rows import random_calls, store_calls

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # Friday 14:00 in Seoul
SHOP = "main-cafe24"
CALLS = random_calls(4, 400, since=NOW - timedelta(days=6), until=NOW)

Client = AsyncTestClient[object]
SignIn = Callable[[Role], Awaitable[httpx.AsyncClient]]


def _mall() -> SandboxMall:
    world = make_world(orders=150, now=lambda: NOW, seed=8)
    options = SandboxOptions(rate_per_second=10_000, burst=10_000)
    return find_connectors().sandbox("cafe24").build(world, shop=SHOP, options=options)


@asynccontextmanager
async def _opened(home: Path, mall: SandboxMall) -> AsyncIterator[Hub]:
    transports = {SHOP: httpx.ASGITransport(mall.app)}
    async with open_hub(Settings(home=home), now=lambda: NOW, transports=transports) as hub:
        yield hub


@pytest.fixture(scope="session")
def synced_home(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HUB_HOME whose one emulated mall was read once."""
    home = tmp_path_factory.mktemp("synced") / "home"
    home.mkdir()
    shutil.copyfile(sqlite_template, home / "hub.db")

    async def fill() -> None:
        mall = _mall()
        async with _opened(home, mall) as hub:
            table = mall.shop_table("http://127.0.0.1:9")
            await hub.add_shop(name=SHOP, mall="cafe24", base_url=table["base_url"], credentials=table["credentials"])
            assert (await hub.sync()).complete
            await store_calls(hub.database, CALLS)
            # Each test has a mall of its own, which knows no token of this one.
            await hub.shop_store.forget_secrets((await hub.shop_store.named(SHOP)).id)

    asyncio.run(fill())
    return home


@pytest.fixture
async def hub(synced_home: Path, tmp_path: Path) -> AsyncIterator[Hub]:
    """A copy of it, and a mall with the same orders in it."""
    shutil.copytree(synced_home, tmp_path / "home")
    async with _opened(tmp_path / "home", _mall()) as opened:
        yield opened


@pytest.fixture
async def sign_in(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SignIn]:
    """Gives a client of the whole service; the role may be asked for several times."""
    monkeypatch.setattr(accounts, "_hasher", accounts.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
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
