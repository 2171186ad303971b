"""The owner's consent from the desk: who may ask, what comes back, what is believed, what is shown."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub.bootstrap import Hub, open_hub
from hub.core.consent import Consent
from hub.core.errors import AccessError, OutcomeUnknownError, UnavailableError
from hub.desk.access import Role
from hub.desk.shops.consent import consent_status, renew_consent
from hub.desk.shops.status import read_status
from hub.desk.users import create_user
from hub.registry import find_connectors
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import ShopSpec, make_world
from hub.settings import Settings
from hub.web.app import make_app
from tests.desk.invented import NOW, InventedConnector, Rig
from tests.web.conftest import PASSWORD, Browser

SHOP = "alpha-main"
PAGE = f"/shops/{SHOP}/consent"
BACK = f"/consent/{SHOP}/callback"


def given(**changes: Any) -> Consent:
    values: dict[str, Any] = {"scopes": ("orders.read",), "renew_by": NOW + timedelta(days=14), "renewed_at": NOW}
    return Consent(**{**values, **changes})


@dataclass
class Consenting(InventedConnector):
    """A mall whose owner is asked at mall.example; ``answer`` is what becomes of a code."""

    stands: Consent | None = None
    answer: Consent | Exception = field(default_factory=given)
    redeemed: list[tuple[str, str]] = field(default_factory=list)

    async def consent(self) -> Consent | None:
        return self.stands

    def consent_url(self, *, state: str, redirect_uri: str) -> str:
        return str(httpx.URL("https://mall.example/ask", params={"state": state, "redirect_uri": redirect_uri}))

    async def redeem_consent(self, *, code: str, redirect_uri: str) -> Consent:
        self.redeemed.append((code, redirect_uri))
        if isinstance(self.answer, Exception):
            raise self.answer
        self.stands = self.answer
        return self.answer

    async def renew_consent(self) -> Consent:
        return await self.redeem_consent(code="renewal", redirect_uri="")


def mall(browser: Browser) -> Consenting:
    known = browser.rig.connectors[SHOP]
    connector = Consenting(shop=known.shop, manifest=known.manifest)
    browser.rig.connectors[SHOP] = connector
    return connector


@pytest.fixture
def asked(supervisor: Browser) -> tuple[Consenting, str]:
    """The mall, and the state that the supervisor's browser was sent there with."""
    connector = mall(supervisor)
    return connector, ask(supervisor)


def ask(browser: Browser) -> str:
    answer = browser.post(PAGE)
    assert answer.status_code == 302
    sent = urlsplit(answer.headers["location"])
    assert (sent.netloc, sent.path) == ("mall.example", "/ask")
    query = parse_qs(sent.query)
    assert query["redirect_uri"] == [f"http://testserver.local{BACK}"]
    return query["state"][0]


def come_back(browser: Browser, **query: str) -> str:
    """The notice that the mall's answer ends in."""
    answer = browser.get(str(httpx.URL(BACK, params=query)))
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert target.path == PAGE
    return parse_qs(target.query)["notice"][0]


def test_a_shop_nobody_consented_to_says_so_and_offers_the_button(supervisor: Browser) -> None:
    mall(supervisor)

    page = supervisor.get(PAGE)

    assert page.status_code == 200
    assert 'data-consent="none"' in page.text
    assert "동의 받기" in page.text
    assert f"http://testserver.local{BACK}" in page.text
    # The form's redirect leads to the mall: the browser would stop it otherwise.
    assert "form-action 'self' https://mall.example;" in page.headers["content-security-policy"]


def test_the_owner_agrees(supervisor: Browser, asked: tuple[Consenting, str]) -> None:
    connector, state = asked

    notice = come_back(supervisor, state=state, code="one-time")

    assert notice == "given"
    assert connector.redeemed == [("one-time", f"http://testserver.local{BACK}")]
    page = supervisor.get(f"{PAGE}?notice={notice}").text
    assert "동의를 받았습니다" in page
    assert "14일 남음" in page
    assert "orders.read" in page
    assert "one-time" not in page
    assert "쇼핑몰 동의" in supervisor.get("/access-log").text


def test_a_state_works_once(supervisor: Browser, asked: tuple[Consenting, str]) -> None:
    connector, state = asked
    come_back(supervisor, state=state, code="one-time")

    assert come_back(supervisor, state=state, code="another") == "state"
    assert len(connector.redeemed) == 1


@pytest.mark.parametrize("state", ["", "guessed", "키"])
def test_a_state_that_was_not_given_out_is_refused(
    supervisor: Browser, asked: tuple[Consenting, str], state: str
) -> None:
    connector, right = asked

    assert come_back(supervisor, state=state, code="attacker's") == "state"
    assert connector.redeemed == []
    assert come_back(supervisor, state=right, code="one-time") == "given"


def test_a_state_of_another_session_is_refused(supervisor: Browser, asked: tuple[Consenting, str]) -> None:
    connector, state = asked
    supervisor.client.cookies.clear()
    supervisor.sign_in("lee")

    assert come_back(supervisor, state=state, code="one-time") == "state"
    assert connector.redeemed == []


def test_a_state_lives_ten_minutes(supervisor: Browser, asked: tuple[Consenting, str]) -> None:
    connector, state = asked
    supervisor.rig.at += timedelta(minutes=10, seconds=1)

    assert come_back(supervisor, state=state, code="one-time") == "state"
    assert connector.redeemed == []


def test_a_second_asking_ends_the_first(supervisor: Browser, asked: tuple[Consenting, str]) -> None:
    _, first = asked
    second = ask(supervisor)

    assert come_back(supervisor, state=first, code="one-time") == "state"
    assert come_back(supervisor, state=second, code="one-time") == "given"


def test_nobody_asked_at_all(supervisor: Browser) -> None:
    connector = mall(supervisor)

    assert come_back(supervisor, state="", code="one-time") == "state"
    assert connector.redeemed == []


@pytest.mark.parametrize("query", [{"error": "access_denied"}, {"code": ""}, {"error": "<script>", "code": "x"}])
def test_the_owner_denies(supervisor: Browser, asked: tuple[Consenting, str], query: dict[str, str]) -> None:
    connector, state = asked

    assert come_back(supervisor, state=state, **query) == "denied"
    assert connector.redeemed == []
    assert "동의하지 않았습니다" in supervisor.get(f"{PAGE}?notice=denied").text


@pytest.mark.parametrize(
    ("error", "notice", "words"),
    [
        (AccessError("the code is too old"), "code", "1분 동안 한 번만"),
        (OutcomeUnknownError("lost"), "unknown", "알 수 없습니다"),
        (UnavailableError("down"), "unreachable", "연결하지 못했습니다"),
    ],
)
def test_what_goes_wrong_is_said_in_words(
    supervisor: Browser, asked: tuple[Consenting, str], error: Exception, notice: str, words: str
) -> None:
    connector, state = asked
    connector.answer = error

    assert come_back(supervisor, state=state, code="one-time") == notice
    assert words in supervisor.get(f"{PAGE}?notice={notice}").text


def test_a_notice_of_somebody_elses_making_is_not_shown(supervisor: Browser) -> None:
    mall(supervisor)

    assert "notice-" not in supervisor.get(f"{PAGE}?notice=<b>x</b>").text


def test_missing_scopes_are_shown_with_what_does_not_work(supervisor: Browser) -> None:
    mall(supervisor).stands = given(
        missing=("supply.read", "orders.write"),
        stopped={"supply.read": ("read_catalogue",), "orders.write": ("approve_cancel", "give_points")},
    )

    page = supervisor.get(PAGE).text

    assert "받지 못한 권한" in page
    assert re.search(r"supply\.read</code> — 사용할 수 없는 기능:\s+상품·공급사 수집", page)
    assert re.search(r"orders\.write</code> — 사용할 수 없는 기능:\s+취소 승인, 적립금 지급", page)


@pytest.mark.parametrize(
    ("left", "state", "shown"),
    [
        (timedelta(days=13, hours=5), "valid", None),
        (timedelta(days=2, hours=23), "ending", "동의 만료까지 2일 23시간"),
        (timedelta(minutes=-5), "ended", "동의 만료됨"),
    ],
)
def test_the_end_is_announced_three_days_before(
    supervisor: Browser, left: timedelta, state: str, shown: str | None
) -> None:
    mall(supervisor).stands = given(renew_by=NOW + left)

    shops = supervisor.get("/shops").text

    assert f'data-consent="{state}"' in supervisor.get(PAGE).text
    if shown is None:
        assert "동의 만료" not in shops
    else:
        assert shown in shops
    report = supervisor.client.blocking_portal.call(lambda: read_status(supervisor.rig))
    (consent,) = [shop.consent for shop in report.shops if shop.shop == SHOP]
    assert consent is not None
    assert (consent.state, consent.days_left) == (state, max(0, left.days))


@pytest.mark.parametrize("path", [PAGE, BACK])
def test_an_agent_may_neither_look_nor_bring_a_code(agent: Browser, path: str) -> None:
    connector = mall(agent)

    assert agent.get(path).status_code == 403
    assert agent.post(PAGE).status_code == 403
    assert connector.redeemed == []
    assert f'href="{PAGE}"' not in agent.get("/shops").text


def test_without_a_session_and_without_the_forms_token_nothing_is_asked(browser: Browser) -> None:
    mall(browser)

    assert browser.get(BACK + "?code=x&state=y").headers["location"].startswith("/sign-in")
    browser.sign_in("lee")
    assert browser.post(PAGE, csrf="wrong").status_code == 403


@pytest.mark.parametrize("shop", ["alpha-outlet", "nobody", "%2e%2e"])
def test_a_shop_without_consent_has_no_such_page(supervisor: Browser, shop: str) -> None:
    assert supervisor.get(f"/shops/{shop}/consent").status_code == 404
    assert supervisor.post(f"/shops/{shop}/consent").status_code == 404


def test_a_shop_without_consent_is_not_renewed_and_a_failure_is_told(rig: Rig) -> None:
    known = rig.connectors[SHOP]
    connector = rig.connectors[SHOP] = Consenting(shop=known.shop, manifest=known.manifest)

    assert asyncio.run(renew_consent(rig, shop=SHOP, mall="alpha")) is None
    connector.stands = given()
    renewed = asyncio.run(renew_consent(rig, shop=SHOP, mall="alpha"))
    assert renewed is not None
    assert renewed.days_left == 14
    connector.answer = AccessError("ended")
    with pytest.raises(AccessError):
        asyncio.run(renew_consent(rig, shop=SHOP, mall="alpha"))


def test_a_shop_added_without_a_token_is_consented_to_and_read(tmp_path: Path) -> None:
    """The whole way over an emulated mall: add, ask, agree, come back, read; then half a year of rest."""
    at = [datetime.fromisoformat("2026-11-22T03:00:00+00:00")]
    registry = find_connectors()
    name = next(mall for mall, manifest in registry.manifests.items() if _asks(manifest))
    spec = ShopSpec(name="own", mall=name, share=1.0, country="KR")
    world = make_world(seed=3, orders=20, days=10, now=lambda: at[0], shops=(spec,))
    emulated = registry.sandbox(name).build(world, shop="own", options=SandboxOptions(enforce_limits=False))
    wire = httpx.ASGITransport(emulated.app)
    table = emulated.shop_table("http://127.0.0.1:9")
    del table["credentials"]["refresh_token"]

    async def live() -> None:
        settings = Settings(home=tmp_path / "home")
        async with open_hub(settings, now=lambda: at[0], transports={"own": wire}, registry=registry) as hub:
            await hub.add_shop(**table)
            await create_user(hub.database, login="lee", name="lee", role=Role.SUPERVISOR, password=PASSWORD, at=at[0])
            before = await hub.sync()
            notice = await _consent(hub, wire)
            after = await hub.sync()

            assert (before.complete, notice, after.complete) == (False, "/shops/own/consent?notice=given", True)
            for _ in range(60):
                at[0] += timedelta(days=3)
                assert await renew_consent(hub, shop="own", mall=name) is not None
            status = await consent_status(hub, "own", name)
            assert status is not None
            assert (status.state, status.days_left, status.missing) == ("valid", 14, ())

    asyncio.run(live())


async def _consent(hub: Hub, mall: httpx.ASGITransport) -> str:
    """Where the supervisor's browser ends after the button and the owner's page."""
    desk = httpx.ASGITransport(make_app(hub))
    async with httpx.AsyncClient(mounts={"http://desk.test": desk, "all://": mall}, base_url="http://desk.test") as web:
        found = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', (await web.get("/sign-in")).text)
        assert found is not None
        csrf = {"_csrf_token": found[1]}
        signed_in = await web.post("/sign-in", data={**csrf, "login": "lee", "password": PASSWORD, "next": ""})
        assert signed_in.status_code == 303
        asked = await web.post("/shops/own/consent", data=csrf)
        agreed = await web.get(asked.headers["location"])
        came_back = await web.get(agreed.headers["location"])
        return str(came_back.headers["location"])


def _asks(manifest: Any) -> bool:
    return any(name.value == "consent" and state.state == "yes" for name, state in manifest.capabilities.items())
