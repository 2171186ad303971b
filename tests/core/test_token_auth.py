"""One refresher for many callers; a new token is saved before anybody uses it."""

import asyncio

import httpx
import pytest

from hub.core.errors import AccessError
from hub.core.http import TokenAuth


class Secrets:
    """A store that outlives the process: it notes what happened in which order."""

    def __init__(self, log: list[str]) -> None:
        self.values: dict[str, str] = {}
        self.crash_on_put = False
        self._log = log
        self._lock = asyncio.Lock()

    async def get(self, name: str) -> str | None:
        return self.values.get(name)

    async def put(self, name: str, value: str) -> None:
        await asyncio.sleep(0)
        if self.crash_on_put:
            raise ConnectionResetError
        self.values[name] = value
        self._log.append(f"saved {value}")

    def lock(self, name: str) -> asyncio.Lock:
        return self._lock


class Mall:
    """Accepts only the newest token."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.issued = 0
        self.valid = ""
        self.calls = 0

    def issue(self) -> str:
        self.issued += 1
        self.valid = f"t{self.issued}"
        self.log.append(f"fetched {self.valid}")
        return self.valid

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        await asyncio.sleep(0)
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.log.append(f"used {token}")
        return httpx.Response(200 if token == self.valid else 401)


class Auth(TokenAuth):
    def __init__(self, mall: Mall, secrets: Secrets) -> None:
        super().__init__(secrets=secrets, name="token")
        self._mall = mall
        self.stored_at_fetch: list[str | None] = []
        self.old: set[str] = set()

    async def fetch(self, stored: str | None) -> str:
        self.stored_at_fetch.append(stored)
        await asyncio.sleep(0)
        return self._mall.issue()

    def is_fresh(self, token: str) -> bool:
        return token not in self.old

    def apply(self, request: httpx.Request, token: str) -> None:
        request.headers["Authorization"] = f"Bearer {token}"


class Setup:
    def __init__(self) -> None:
        self.mall = Mall()
        self.secrets = Secrets(self.mall.log)
        self.auth = Auth(self.mall, self.secrets)

    def client(self, auth: Auth | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url="https://mall.example.com", auth=auth or self.auth, transport=httpx.MockTransport(self.mall)
        )


@pytest.fixture
def setup() -> Setup:
    return Setup()


async def test_a_new_token_is_saved_before_its_first_use(setup: Setup):
    async with setup.client() as client:
        await client.get("/a")

    assert setup.mall.log == ["fetched t1", "saved t1", "used t1"]


async def test_ten_calls_refused_at_once_refresh_once(setup: Setup):
    async with setup.client() as client:
        await client.get("/warm-up")
        setup.mall.valid = "none"

        answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(10)))

    assert [answer.status_code for answer in answers] == [200] * 10
    assert setup.mall.issued == 2
    assert setup.mall.log.index("saved t2") < setup.mall.log.index("used t2")


async def test_two_processes_refused_at_once_refresh_once(setup: Setup):
    other = Auth(setup.mall, setup.secrets)
    async with setup.client() as client, setup.client(other) as client_of_other:
        await client.get("/warm-up")
        await client_of_other.get("/warm-up")
        setup.mall.valid = "none"

        answers = await asyncio.gather(client.get("/a"), client_of_other.get("/b"))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert setup.mall.issued == 2


async def test_a_restarted_process_uses_the_saved_token(setup: Setup):
    async with setup.client() as client:
        await client.get("/a")
    restarted = Auth(setup.mall, setup.secrets)

    async with setup.client(restarted) as client:
        answer = await client.get("/b")

    assert (answer.status_code, setup.mall.issued) == (200, 1)


async def test_a_token_that_could_not_be_saved_is_used_by_nobody(setup: Setup):
    setup.secrets.crash_on_put = True
    async with setup.client() as client:
        with pytest.raises(ConnectionResetError):
            await client.get("/a")
        setup.secrets.crash_on_put = False

        answer = await client.get("/b")

    assert answer.status_code == 200
    assert setup.mall.log == ["fetched t1", "fetched t2", "saved t2", "used t2"]


async def test_an_old_token_is_renewed_before_it_is_refused(setup: Setup):
    async with setup.client() as client:
        await client.get("/a")
        setup.auth.old.add("t1")

        await client.get("/b")

    assert [event for event in setup.mall.log if event.startswith("used")] == ["used t1", "used t2"]
    assert setup.auth.stored_at_fetch == [None, "t1"]


async def test_a_call_refused_twice_goes_to_the_caller_as_it_is(setup: Setup):
    async with setup.client() as client:
        await client.get("/a")
        setup.mall.issue = lambda: "never-valid"  # type: ignore[method-assign]
        setup.mall.valid = "none"
        setup.mall.calls = 0

        answer = await client.get("/b")

    assert (answer.status_code, setup.mall.calls) == (401, 2)


async def test_a_refresh_that_is_refused_is_raised_and_tried_again_later(setup: Setup):
    issue = setup.mall.issue

    def refuse() -> str:
        raise AccessError("the refresh token ended")

    setup.mall.issue = refuse  # type: ignore[method-assign]
    async with setup.client() as client:
        with pytest.raises(AccessError):
            await client.get("/a")
        setup.mall.issue = issue  # type: ignore[method-assign]

        assert (await client.get("/b")).status_code == 200
