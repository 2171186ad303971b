"""The token: signature, form, life, refusal."""

from datetime import timedelta

import httpx
import pytest

from connectors.smartstore.auth import sign
from hub.core.errors import AccessError, ConfigurationError, UnavailableError
from hub.core.http import require_safe_url

from .conftest import CREDENTIALS, FEED, SECRET, TOKEN, Secrets, feed, open_shop, refusal


def test_the_official_sample_is_signed_as_documented():
    signature = sign(client_id="aaaabbbbcccc", client_secret=SECRET, timestamp=1643961623299)

    assert signature == "JDJhJDEwJGFiY2RlZmdoaWprbG1ub3BxcnN0dXVCVldZSk42T0VPdEx1OFY0cDQxa2IuTnpVaUEzbmsy"


def test_a_canonical_secret_signs_the_same():
    odd = sign(client_id="a", client_secret=SECRET, timestamp=1)

    assert sign(client_id="a", client_secret=SECRET[:-1] + "u", timestamp=1) == odd


@pytest.mark.parametrize(
    "secret", ["", "$2a$10$short", "not-a-salt-but-long-enough-text", "$2a$10$abcdefghijklmnopqrst한v"]
)
def test_a_cut_secret_is_named_without_being_shown(secret):
    with pytest.raises(AccessError) as caught:
        sign(client_id="a", client_secret=secret, timestamp=1)

    assert not secret or secret not in str(caught.value)


async def test_the_token_request_is_a_form_and_nothing_else(shop, mall):
    await shop.check()

    (call,) = mall.token_calls
    assert call.query == {}
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(call.form) == {"client_id", "timestamp", "grant_type", "client_secret_sign", "type"}
    assert call.form["grant_type"] == "client_credentials"
    assert call.form["timestamp"] == str(int(mall.clock.at.timestamp() * 1000))
    assert "authorization" not in call.headers


async def test_a_seller_names_its_account(mall, secrets):
    shop = open_shop(mall, secrets, {**CREDENTIALS, "type": "SELLER", "account_id": "ncp_1"})

    await shop.check()
    await shop.aclose()

    assert mall.token_calls[0].form["account_id"] == "ncp_1"


@pytest.mark.parametrize(
    "wrong",
    [{"type": "SELF", "account_id": "x"}, {"type": "SELLER"}, {"type": "OTHER"}, {"surplus": 1}],
    ids=["account with SELF", "SELLER without account", "unknown type", "unknown key"],
)
def test_wrong_credentials_are_refused_before_any_call(mall, secrets, wrong):
    with pytest.raises(ConfigurationError) as caught:
        open_shop(mall, secrets, {**CREDENTIALS, **wrong})

    assert CREDENTIALS["client_secret"] not in str(caught.value)
    assert mall.token_calls == []


async def test_one_token_serves_many_calls_and_the_next_process(shop, mall, secrets):
    await shop.check()
    await shop.check()
    again = open_shop(mall, secrets)
    await again.check()
    await again.aclose()

    assert len(mall.token_calls) == 1


async def test_a_token_with_less_than_half_an_hour_is_renewed(shop, mall):
    await shop.check()
    mall.clock.at += timedelta(seconds=10799 - 1790)
    await shop.check()

    assert len(mall.token_calls) == 2
    assert mall.calls[-1].headers["authorization"] == "Bearer token-2"


async def test_a_short_lived_token_is_not_fetched_for_each_call(shop, mall):
    mall.token_life = 600

    await shop.check()
    await shop.check()

    assert len(mall.token_calls) == 1


async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(shop, mall):
    mall.on(FEED, lambda call: feed([]) if call.headers["authorization"] == "Bearer token-2" else _authn())

    items = await shop.check()

    assert all(item.is_ok for item in items)
    assert len(mall.called(FEED)) == 2


async def test_a_token_refused_twice_is_a_matter_of_access(shop, mall):
    mall.on(FEED, lambda _: _authn())

    items = await shop.check()

    assert [item.name for item in items if not item.is_ok] == ["orders"]
    assert len(mall.called(FEED)) == 2


async def test_refused_credentials_are_not_asked_again(shop, mall):
    mall.on(TOKEN, lambda _: refusal(400, "BadRequest"))

    items = await shop.check()

    assert [(item.name, item.is_ok) for item in items] == [("token", False)]
    assert items[0].fix
    assert mall.calls == []
    assert len(mall.token_calls) == 1


async def test_an_address_that_is_not_allowed_is_no_matter_of_credentials(shop, mall):
    mall.on(TOKEN, lambda _: refusal(403, "GW.IP_NOT_ALLOWED"))

    (item,) = await shop.check()

    assert "API호출 IP" in item.detail
    assert "API호출 IP" in item.fix
    assert "client_id" not in item.detail


async def test_a_token_call_that_breaks_is_never_taken_for_a_lost_write(shop, mall):
    def broken(_call):
        raise httpx.ReadTimeout("slow")

    mall.on(TOKEN, broken)

    with pytest.raises(UnavailableError):
        await shop._auth.token()


async def test_secrets_and_tokens_stay_out_of_errors(shop, mall):
    mall.on(TOKEN, lambda _: httpx.Response(200, json={"access_token": "very-secret", "expires_in": "soon"}))

    items = await shop.check()

    assert "very-secret" not in repr(items)
    assert CREDENTIALS["client_secret"] not in repr(items) + repr(shop.__dict__)


def test_new_credentials_do_not_meet_the_old_token(mall, secrets):
    one = open_shop(mall, secrets)
    other = open_shop(mall, Secrets(), {**CREDENTIALS, "client_id": "other"})

    assert one._auth._name != other._auth._name


def test_plain_http_is_for_loopback_only():
    require_safe_url("http://127.0.0.1:9101/external")
    with pytest.raises(ConfigurationError):
        require_safe_url("http://api.commerce.naver.com/external")


def _authn() -> httpx.Response:
    return refusal(401, "GW.AUTHN")
