"""The owner's consent against the emulated mall: the code once, the pair kept first, what is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.cafe24 import MANIFEST
from connectors.cafe24.auth import TOKEN_NAME, read_state
from connectors.cafe24.connector import Cafe24Connector
from connectors.cafe24.consent import NEEDED
from connectors.cafe24.sandbox import Cafe24Sandbox, build
from hub.core.contract import ShopContext, Support
from hub.core.errors import AccessError, MallTimeoutError, OutcomeUnknownError, UnavailableError
from hub.core.model import ShopRef
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import ShopSpec, make_world
from tests.connectors.cafe24.mall import NOW, Secrets

BACK = "https://desk.example/consent/own-mall/callback"


class Town:
    """One emulated mall and whoever opens it; ``fail`` breaks the line after the mall has answered."""

    def __init__(self) -> None:
        self.at = NOW
        spec = ShopSpec(name="own-mall", mall="cafe24", share=1.0, country="KR")
        world = make_world(seed=3, orders=5, days=5, now=lambda: self.at, shops=(spec,))
        self.mall: Cafe24Sandbox = build(world, shop="own-mall", options=SandboxOptions())
        self.secrets = Secrets()
        self.fail: httpx.Response | Exception | None = None
        self.calls: list[str] = []
        self._inner = httpx.ASGITransport(self.mall.app)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        if isinstance(self.fail, httpx.ConnectError):
            raise self.fail
        answer = await self._inner.handle_async_request(request)
        await answer.aread()
        if isinstance(self.fail, Exception):
            raise self.fail
        return self.fail or answer

    def open(self, **changes: Any) -> Cafe24Connector:
        table = self.mall.shop_table("http://127.0.0.1:9")["credentials"]
        del table["refresh_token"]
        connector = MANIFEST.open(
            ShopContext(
                shop=ShopRef(name="own-mall", mall="cafe24"),
                base_url="http://127.0.0.1:9",
                credentials={**table, **changes},
                secrets=self.secrets,
                now=lambda: self.at,
                sleep=self._sleep,
                transport=httpx.MockTransport(self._handle),
            )
        )
        assert isinstance(connector, Cafe24Connector)
        return connector

    async def _sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def agree(self, connector: Cafe24Connector, *, state: str = "st&8") -> dict[str, str]:
        """What the owner's browser brings back."""
        async with httpx.AsyncClient(transport=self._inner) as browser:
            answer = await browser.get(connector.consent_url(state=state, redirect_uri=BACK))
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(BACK)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_the_address_asks_for_what_is_used_and_nothing_else() -> None:
    url = urlsplit(Town().open().consent_url(state="st&8", redirect_uri=BACK))

    assert (url.hostname, url.path) == ("127.0.0.1", "/api/v2/oauth/authorize")
    assert parse_qs(url.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": ["sandbox-client"],
        "state": ["st&8"],
        "redirect_uri": [BACK],
        "scope": [" ".join(NEEDED)],
    }


def test_every_capability_that_is_used_has_its_scope() -> None:
    without_scope = {"receive_events", "consent"}
    used = {name.value for name, state in MANIFEST.capabilities.items() if state.state is Support.YES}
    named = {capability.value for capabilities in NEEDED.values() for capability in capabilities}

    assert used - without_scope <= named
    assert named <= used | {"read_claims"}


async def test_a_shop_without_any_token_says_who_must_act() -> None:
    town = Town()
    connector = town.open()

    assert await connector.consent() is None
    with pytest.raises(AccessError, match="nobody has consented yet"):
        await connector.list_carriers()
    (token,) = await connector.check()
    assert not token.is_ok
    assert "동의 받기" in token.fix
    assert town.calls == []


async def test_the_owner_agrees_and_the_shop_works() -> None:
    town = Town()
    connector = town.open()
    brought = await town.agree(connector)

    consent = await connector.redeem_consent(code=brought["code"], redirect_uri=BACK)

    assert brought["state"] == "st&8"
    assert set(consent.scopes) == set(NEEDED)
    assert (consent.missing, consent.stopped) == ((), {})
    # The mall tells 2026-12-06T12:00 without an offset: Korean time.
    assert consent.renew_by == datetime(2026, 12, 6, 3, 0, tzinfo=UTC)
    assert consent.renewed_at == NOW
    assert await town.open().consent() == consent
    assert [item.name for item in await connector.check() if not item.is_ok] == []


async def test_the_pair_is_kept_before_anything_else_and_without_a_second_call() -> None:
    town = Town()
    connector = town.open()
    brought = await town.agree(connector)

    await connector.redeem_consent(code=brought["code"], redirect_uri=BACK)

    assert town.calls == ["POST /api/v2/oauth/token"]
    state = read_state(town.secrets.values[TOKEN_NAME])
    assert state is not None
    assert state.refresh_token == town.mall.tokens.refresh_token


async def test_scopes_that_were_not_granted_are_named_with_what_stops() -> None:
    town = Town()
    town.mall.oauth.withheld = {"mall.read_supply", "mall.write_community"}
    connector = town.open()

    consent = await connector.redeem_consent(code=(await town.agree(connector))["code"], redirect_uri=BACK)

    assert consent.missing == ("mall.write_community", "mall.read_supply")
    assert consent.stopped == {
        "mall.write_community": ("answer_inquiry", "change_answer"),
        "mall.read_supply": ("read_catalogue",),
    }


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=61)])
async def test_a_code_that_was_used_or_is_too_old_is_refused(late: timedelta) -> None:
    town = Town()
    connector = town.open()
    code = (await town.agree(connector))["code"]
    if late:
        town.at += late
    else:
        await connector.redeem_consent(code=code, redirect_uri=BACK)
    kept = dict(town.secrets.values)

    with pytest.raises(AccessError, match="one minute") as caught:
        await connector.redeem_consent(code=code, redirect_uri=BACK)

    assert caught.value.mall_code == "invalid_grant"
    assert code not in str(caught.value)
    assert town.secrets.values == kept


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (httpx.ReadTimeout("nothing came"), OutcomeUnknownError),
        (httpx.Response(502, text="<html>Bad Gateway</html>"), OutcomeUnknownError),
        (httpx.Response(200, text='{"access_tok'), OutcomeUnknownError),
        (httpx.ConnectError("refused"), UnavailableError),
    ],
)
async def test_a_lost_answer_is_not_called_a_consent(fail: httpx.Response | Exception, kind: type[Exception]) -> None:
    town = Town()
    connector = town.open()
    code = (await town.agree(connector))["code"]
    town.fail = fail

    with pytest.raises(kind):
        await connector.redeem_consent(code=code, redirect_uri=BACK)

    assert town.calls == ["POST /api/v2/oauth/token"]
    assert await connector.consent() is None


async def test_a_resting_shop_keeps_its_consent_by_renewing_daily() -> None:
    town = Town()
    connector = town.open()
    await connector.redeem_consent(code=(await town.agree(connector))["code"], redirect_uri=BACK)

    for _ in range(30):
        town.at += timedelta(days=1)
        consent = await connector.renew_consent()
        assert consent.renew_by == town.at + timedelta(days=14)

    assert consent.renewed_at == town.at
    assert town.mall.tokens.refreshes == 30


async def test_a_renewal_that_comes_too_late_or_not_at_all() -> None:
    town = Town()
    connector = town.open()
    await connector.redeem_consent(code=(await town.agree(connector))["code"], redirect_uri=BACK)

    town.fail = httpx.ReadTimeout("nothing came")
    with pytest.raises(MallTimeoutError):
        await connector.renew_consent()
    town.fail = None
    town.at += timedelta(days=15)
    with pytest.raises(AccessError, match="consent again"):
        await connector.renew_consent()


async def test_a_new_consent_works_where_a_refresh_token_was_configured() -> None:
    town = Town()
    connector = town.open(refresh_token="a seed that has died")
    with pytest.raises(AccessError):
        await connector.list_carriers()

    await connector.redeem_consent(code=(await town.agree(connector))["code"], redirect_uri=BACK)

    assert len(await town.open(refresh_token="a seed that has died").list_carriers()) == 4


async def test_an_owner_who_denies_brings_no_code() -> None:
    town = Town()
    town.mall.oauth.is_denied = True

    brought = await town.agree(town.open())

    assert (brought["error"], brought["state"], "code" in brought) == ("access_denied", "st&8", False)


async def test_a_revoked_token_needs_the_owner_again() -> None:
    town = Town()
    connector = town.open()
    await connector.redeem_consent(code=(await town.agree(connector))["code"], redirect_uri=BACK)
    async with httpx.AsyncClient(transport=town._inner, auth=("sandbox-client", "sandbox-secret")) as app:
        form = {"token": town.mall.tokens.refresh_token, "token_hint": "refresh_token"}
        answer = await app.post("http://127.0.0.1:9/api/v2/oauth/revoke", data=form)
    assert (answer.status_code, answer.content) == (200, b"")

    with pytest.raises(AccessError, match="consent again"):
        await connector.list_carriers()
