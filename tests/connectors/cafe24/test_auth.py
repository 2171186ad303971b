"""Tokens: rotation, one refresher, Korean times, what a person must do."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.cafe24.auth import TOKEN_NAME, read_state
from hub.core.errors import AccessError, ConfigurationError, MallTimeoutError
from tests.connectors.cafe24.mall import NOW, Mall, order

ORDER = "20261118-0000021"


def ready() -> Mall:
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", {"order": order()})
    return mall


async def test_the_new_pair_is_stored_before_its_first_use() -> None:
    mall = ready()
    stored_at_use = []

    def answer(_request: httpx.Request) -> httpx.Response:
        state = read_state(mall.secrets.values[TOKEN_NAME])
        stored_at_use.append(state and state.refresh_token)
        return httpx.Response(200, json={"order": order()})

    mall.on(f"GET orders/{ORDER}", answer)

    await mall.open().read_order(ORDER, ())

    assert stored_at_use == ["refresh-1"]


async def test_an_end_in_korean_time_without_offset_is_read_as_such() -> None:
    mall = ready()

    await mall.open().read_order(ORDER, ())

    state = read_state(mall.secrets.values[TOKEN_NAME])
    assert state is not None
    assert state.expires_at == NOW + timedelta(hours=2)
    assert state.refresh_expires_at == NOW + timedelta(days=14)


async def test_a_token_near_its_end_is_renewed_with_the_newest_refresh_token() -> None:
    mall = ready()
    await mall.open().read_order(ORDER, ())
    mall.clock.now += timedelta(hours=1, minutes=56)

    await mall.open().read_order(ORDER, ())

    assert mall.refreshes == 2
    assert mall.refresh_token == "refresh-2"


async def test_ten_refused_callers_refresh_once() -> None:
    mall = ready()
    connector = mall.open()
    await connector.read_order(ORDER, ())
    mall.access_token = "replaced"

    await asyncio.gather(*(connector.read_order(ORDER, ()) for _ in range(10)))

    assert mall.refreshes == 2


async def test_two_connectors_share_one_refresh() -> None:
    mall = ready()

    await asyncio.gather(mall.open().read_order(ORDER, ()), mall.open().read_order(ORDER, ()))

    assert mall.refreshes == 1


async def test_a_refused_refresh_token_needs_a_person() -> None:
    mall = ready()
    mall.refresh_token = "used by somebody else"

    with pytest.raises(AccessError, match="consent again") as caught:
        await mall.open().read_order(ORDER, ())

    assert caught.value.mall_code == "invalid_grant"
    assert "seed" not in str(caught.value)


async def test_a_new_consent_in_the_credentials_replaces_the_stored_pair() -> None:
    mall = ready()
    await mall.open().read_order(ORDER, ())
    mall.refresh_token = "consented again"

    await mall.open(refresh_token="consented again").read_order(ORDER, ())

    assert mall.refreshes == 2


async def test_a_token_that_stays_refused_is_an_access_error_after_one_repeat() -> None:
    mall = ready()
    refused = {"error": {"code": 401, "message": "access_token time expired. (invalid_token)"}}
    mall.on(f"GET orders/{ORDER}", lambda _request: httpx.Response(401, json=refused))

    with pytest.raises(AccessError):
        await mall.open().read_order(ORDER, ())

    assert len(mall.asked(f"GET orders/{ORDER}")) == 2


async def test_a_missing_scope_is_asked_once_and_named() -> None:
    mall = ready()
    refused = {"error": {"code": 403, "message": "The app does not have permission."}}
    mall.on(f"GET orders/{ORDER}", lambda _request: httpx.Response(403, json=refused))

    with pytest.raises(AccessError, match="re-consent") as caught:
        await mall.open().read_order(ORDER, ())

    assert caught.value.mall_message == "The app does not have permission."
    assert len(mall.asked(f"GET orders/{ORDER}")) == 1


async def test_a_silent_token_endpoint_is_transient() -> None:
    mall = ready()
    connector = mall.open()

    async def silent(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing came")

    connector._client._plain._transport = httpx.MockTransport(silent)

    with pytest.raises(MallTimeoutError):
        await connector.read_order(ORDER, ())


async def test_the_basic_form_and_the_pinned_version_are_sent() -> None:
    mall = ready()

    await mall.open().read_order(ORDER, ())

    token, read = mall.requests
    assert token.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert token.headers["Authorization"].startswith("Basic ")
    assert read.headers["X-Cafe24-Api-Version"] == "2026-03-01"


@pytest.mark.parametrize(
    "wrong", [{"shop_no": []}, {"shop_no": 0}, {"mall_id": "a.example.com/"}, {"refresh": "x"}, {"api_version": "new"}]
)
def test_wrong_credentials_are_named_without_their_values(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Mall().open(**wrong)

    assert next(iter(wrong)) in str(caught.value)
    assert "secret-of-the-app" not in str(caught.value)


def test_no_secret_in_a_repr() -> None:
    connector = Mall().open()

    assert "secret-of-the-app" not in repr(connector._credentials)
    assert connector._credentials.default_base_url == "https://demomall.cafe24api.com"


async def test_check_tries_every_permission_and_the_clock() -> None:
    mall = Mall()
    mall.scopes = ["mall.read_order", "mall.read_community"]
    late = {"Date": "Sun, 22 Nov 2026 02:00:00 GMT"}
    mall.on("GET orders/count", lambda _request: httpx.Response(200, json={"count": 3}, headers=late))
    mall.on("GET boards", lambda _request: httpx.Response(403, json={"error": {"code": 403, "message": "scope"}}))

    items = {item.name: item for item in await mall.open().check()}

    assert (mall.clock.now - NOW).total_seconds() < 5
    assert {name for name, item in items.items() if not item.is_ok} == {
        "mall.read_community",
        "mall.write_order",
        "mall.write_community",
        "clock",
    }
    assert all(item.fix for item in items.values() if not item.is_ok)
    assert items["mall.read_supply"].detail == "not granted; does not work: read_catalogue"
    assert "approve_cancel" in items["mall.write_order"].detail


async def test_check_names_shop_numbers_that_nobody_reads_and_those_that_do_not_exist() -> None:
    mall = Mall()
    mall.scopes = []
    mall.on("GET shops", {"shops": [{"shop_no": 1}, {"shop_no": "2", "active": "T"}, {"shop_no": 3, "active": "F"}]})

    (shops,) = [item for item in await mall.open().check() if item.name == "mall.read_store"]
    (strange,) = [item for item in await mall.open(shop_no=[1, 7]).check() if item.name == "mall.read_store"]

    assert (shops.is_ok, shops.detail) == (True, "read: 1; not in shop_no: 2")
    assert (strange.is_ok, strange.detail) == (False, "the mall has no shop_no 7")
    assert strange.fix


async def test_check_tells_when_refunds_are_refused_but_not_when_an_older_mall_has_no_list() -> None:
    mall = Mall()

    (older,) = [item for item in await mall.open().check() if item.name == "refunds"]
    mall.on("GET refunds", lambda _request: httpx.Response(403, json={"error": {"code": 403, "message": "scope"}}))
    (refused,) = [item for item in await mall.open().check() if item.name == "refunds"]

    assert (older.is_ok, refused.is_ok) == (True, False)
    assert "mall.read_order" in refused.fix


async def test_check_stops_at_a_dead_token() -> None:
    mall = Mall()
    mall.refresh_token = "gone"

    (item,) = await mall.open().check()

    assert not item.is_ok
    assert "refresh_token" in item.fix


def answering(mall: Mall, change: Callable[[dict[str, Any]], httpx.Response]) -> None:
    """Bend what the token endpoint of ``mall`` answers."""
    made = mall._token
    mall._token = lambda request: change(made(request).json())  # type: ignore[method-assign]


@pytest.mark.parametrize("life", [10, 120, 7200])
async def test_a_token_is_used_for_most_of_its_life_however_short(life: int) -> None:
    mall = ready()
    answering(
        mall,
        lambda answer: httpx.Response(
            200,
            json={
                **answer,
                "issued_at": "2026-11-22T12:00:00.000",
                "expires_at": f"{datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(seconds=life):%Y-%m-%dT%H:%M:%S}.000",
            },
        ),
    )
    connector = mall.open()

    await connector.read_order(ORDER, ())
    mall.clock.now += timedelta(seconds=life * 0.7)
    await connector.read_order(ORDER, ())
    assert mall.refreshes == 1

    mall.clock.now += timedelta(seconds=life * 0.3)
    await connector.read_order(ORDER, ())
    assert mall.refreshes == 2


async def test_an_end_that_is_over_already_does_not_renew_before_every_call() -> None:
    mall = ready()
    over = {"expires_at": "2026-11-22T05:00:00.000", "issued_at": None}
    answering(mall, lambda answer: httpx.Response(200, json={**answer, **over}))
    connector = mall.open()

    for _ in range(3):
        await connector.read_order(ORDER, ())

    assert mall.refreshes == 1


async def test_an_answer_without_a_new_refresh_token_keeps_the_old_one() -> None:
    mall = ready()
    answering(mall, lambda answer: httpx.Response(200, json={**answer, "refresh_token": None}))

    await mall.open().read_order(ORDER, ())

    state = read_state(mall.secrets.values[TOKEN_NAME])
    assert state is not None
    assert state.refresh_token == "seed"


@pytest.mark.parametrize(
    ("status", "said", "named"),
    [(200, "invalid_grant", "re-consent"), (400, "invalid_grant", "re-consent"), (401, "invalid_client", "client_id")],
)
async def test_a_refused_refresh_names_what_a_person_must_do(status: int, said: str, named: str) -> None:
    mall = ready()
    answering(mall, lambda _answer: httpx.Response(status, json={"error": said}))

    with pytest.raises(AccessError, match=named):
        await mall.open().read_order(ORDER, ())

    assert len([request for request in mall.requests if request.url.path.endswith("/token")]) == 1


async def test_a_token_endpoint_that_gives_up_waiting_is_asked_again() -> None:
    mall = ready()
    made, waits = mall._token, [httpx.Response(408)]
    mall._token = lambda request: waits.pop() if waits else made(request)  # type: ignore[method-assign]

    await mall.open().read_order(ORDER, ())

    assert mall.refreshes == 1
