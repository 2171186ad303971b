"""Wrong credentials are named by their key; their value is never told."""

import traceback

import pytest
from pydantic import SecretStr

from hub.core.connector_settings import ConnectorCredentials
from hub.core.errors import ConfigurationError

SECRET = "s3cret-value"


class Credentials(ConnectorCredentials):
    client_id: str
    client_secret: SecretStr
    shop_no: tuple[int, ...] = (1,)


def test_good_credentials_are_read_and_stripped():
    read = Credentials.read({"client_id": " id ", "client_secret": SECRET, "shop_no": [1, 2]}, where="shops.toml")

    assert (read.client_id, read.client_secret.get_secret_value(), read.shop_no) == ("id", SECRET, (1, 2))
    assert SECRET not in f"{read!r} {read}"


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"client_id": "id"}, "client_secret"),
        ({"client_id": "id", "client_secret": SECRET, "shop_no": SECRET}, "shop_no"),
        ({"client_id": {"a": SECRET}, "client_secret": SECRET}, "client_id"),
        ({"client_id": "id", "client_secret": SECRET, "clientid": SECRET}, "clientid"),
        ({"client_id": "id", "client_secret": [SECRET]}, "client_secret"),
        ({"client_id": "id", "client_secret": SECRET, "shop_no": [1, SECRET]}, "shop_no.1"),
    ],
    ids=["missing", "wrong type", "table", "unknown", "list", "inside a list"],
)
def test_a_wrong_key_is_named_with_its_place_and_without_its_value(table: dict[str, object], key: str):
    with pytest.raises(ConfigurationError) as caught:
        Credentials.read(table, where="shops.toml, shop main")

    assert caught.value.what.startswith("shops.toml, shop main: ")
    assert f"{key}: " in caught.value.what
    assert caught.value.fix == "Known keys of credentials: client_id, client_secret, shop_no."
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told


def test_every_wrong_key_is_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        Credentials.read({}, where="shops.toml")

    assert "client_id: " in caught.value.what
    assert "client_secret: " in caught.value.what
