import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from hub.desk import users as accounts
from hub.desk.access import Role
from hub.desk.live import LiveFeed
from hub.desk.shops.running import RunningBook
from hub.desk.users import create_user
from hub.web.app import make_app
from tests.desk.invented import NOW, Rig, fill_sample, open_rig

PASSWORD = "correct horse"
LOGINS = {"kim": Role.AGENT, "lee": Role.SUPERVISOR, "root": Role.ADMIN}


class Browser:
    """A browser without scripts: follows links and submits forms as they stand in the page."""

    def __init__(self, client: TestClient[Litestar], rig: Rig) -> None:
        self.client = client
        self.rig = rig

    def get(self, path: str, *, swap: bool = False) -> Response:
        return self.client.get(path, headers={"HX-Request": "true"} if swap else {}, follow_redirects=False)

    def post(self, path: str, *, swap: bool = False, csrf: str | None = None, **fields: str) -> Response:
        if csrf is None:
            csrf = self.token()
        return self.client.post(
            path,
            data={**fields, "_csrf_token": csrf},
            headers={"HX-Request": "true"} if swap else {},
            follow_redirects=False,
        )

    def token(self) -> str:
        found = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', self.client.get("/sign-in").text)
        assert found is not None
        return found[1]

    def sign_in(self, login: str = "kim") -> "Browser":
        answer = self.post("/sign-in", login=login, password=PASSWORD, next="")
        assert answer.status_code == 303, answer.text
        return self

    def case_id(self, shop: str, **which: str) -> int:
        return self.client.blocking_portal.call(lambda: self.rig.case_id(shop, **which))


@pytest.fixture(scope="package", autouse=True)
def _quick_passwords() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", accounts.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="package")
def prepared(_quick_passwords: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a small, varied day of work and one account per role."""
    folder = tmp_path_factory.mktemp("prepared")

    async def prepare() -> None:
        rig = await open_rig(folder)
        await fill_sample(rig)
        for login, role in LOGINS.items():
            await create_user(rig.database, login=login, name=f"{login} <b>", role=role, password=PASSWORD, at=NOW)
        await rig.database.aclose()

    asyncio.run(prepare())
    return folder / "hub.db"


@pytest.fixture
def rig(prepared: Path, tmp_path: Path) -> Rig:
    """The same, of the test's own."""
    shutil.copyfile(prepared, tmp_path / "hub.db")

    async def reopen() -> Rig:
        rig = await open_rig(tmp_path, f"sqlite:///{tmp_path / 'hub.db'}")
        await rig.database.aclose()
        return rig

    return asyncio.run(reopen())


class _Counter:
    """The services of whichever test is at it: an application takes longer to build than most tests take."""

    def __init__(self) -> None:
        self.rig: Rig | None = None
        self._app: Litestar | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rig, name)

    def open(self, rig: Rig) -> Litestar:
        """The desk over ``rig``, with nothing left of the test before."""
        self.rig = rig
        if self._app is None:
            self._app = make_app(self)
        self._app.state.update(live=LiveFeed(rig.database), running=RunningBook())
        return self._app


@pytest.fixture(scope="package")
def _counter() -> _Counter:
    return _Counter()


@pytest.fixture
def browser(rig: Rig, _counter: _Counter) -> Iterator[Browser]:
    """Nobody is signed in yet."""
    with TestClient(_counter.open(rig)) as client:
        yield Browser(client, rig)
        client.blocking_portal.call(rig.database.aclose)


@pytest.fixture
def agent(browser: Browser) -> Browser:
    return browser.sign_in("kim")


@pytest.fixture
def supervisor(browser: Browser) -> Browser:
    return browser.sign_in("lee")


@pytest.fixture
def admin(browser: Browser) -> Browser:
    return browser.sign_in("root")
