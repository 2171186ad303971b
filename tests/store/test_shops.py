"""Shops keep their credentials sealed, and the secrets of a shop live as long as its credentials."""

import pytest

from hub.core.errors import ConfigurationError
from hub.store.database import Database
from hub.store.shops import ShopSecrets, ShopStore
from hub.store.tables import orders, shop_secrets, shops
from tests.store.shapes import NOW, a_shop, an_order, number_of, reading, rows

CREDENTIALS = {"client_id": "id-1", "client_secret": "s3cret-value", "shop_no": [1, 2]}


async def _put(database: Database, **fields: object) -> bool:
    told = {"name": "main", "mall": "cafe24", "base_url": None, "credentials": CREDENTIALS, "now": NOW} | fields
    return await ShopStore(database).put(**told)  # type: ignore[arg-type]


async def _secrets(database: Database) -> ShopSecrets:
    return ShopSecrets(database, (await ShopStore(database).named("main")).id)


async def test_a_shop_is_added_once_and_then_replaced(database: Database):
    assert await _put(database)
    assert not await _put(database, base_url="https://new.example.com")

    (shop,) = await ShopStore(database).all()
    assert (shop.name, shop.mall, shop.base_url) == ("main", "cafe24", "https://new.example.com")
    assert await ShopStore(database).credentials(shop.id) == CREDENTIALS


async def test_credentials_and_secrets_are_stored_sealed(database: Database):
    await _put(database)
    await (await _secrets(database)).put("token", "t0ken-value")

    stored = repr([await rows(database, shops), await rows(database, shop_secrets)])

    assert "s3cret-value" not in stored
    assert "t0ken-value" not in stored


async def test_the_same_credentials_again_keep_a_rotated_token(database: Database):
    await _put(database)
    await (await _secrets(database)).put("token", "rotated")

    await _put(database, credentials=dict(reversed(CREDENTIALS.items())), base_url="https://moved.example.com")

    assert await (await _secrets(database)).get("token") == "rotated"


async def test_changed_credentials_drop_the_tokens_of_the_old_ones(database: Database):
    await _put(database)
    await (await _secrets(database)).put("token", "rotated")

    await _put(database, credentials=CREDENTIALS | {"client_secret": "other"})

    assert await (await _secrets(database)).get("token") is None


async def test_a_name_stays_with_its_mall(database: Database):
    await _put(database)

    with pytest.raises(ConfigurationError, match="is a cafe24 shop already"):
        await _put(database, mall="qoo10")


async def test_an_unknown_shop_is_answered_with_the_known_ones(database: Database):
    await _put(database)

    with pytest.raises(ConfigurationError) as caught:
        await ShopStore(database).named("maim")

    assert (caught.value.what, caught.value.fix) == ("no shop named 'maim'", "Shops: main.")


async def test_removing_a_shop_forgets_what_was_read_from_it_and_nothing_else(database: Database):
    first, second = await a_shop(database, "a"), await a_shop(database, "b")
    await first.write(reading(an_order()))
    await second.write(reading(an_order()))

    await ShopStore(database).remove("a")

    assert [row["shop_id"] for row in await rows(database, orders)] == [second.id]
    assert [shop.name for shop in await ShopStore(database).all()] == ["b"]


async def test_secrets_of_two_shops_never_mix(database: Database):
    first, second = await a_shop(database, "a"), await a_shop(database, "b")
    await ShopSecrets(database, first.id).put("token", "of-a")

    assert await ShopSecrets(database, second.id).get("token") is None
    assert await ShopSecrets(database, first.id).get("token") == "of-a"


async def test_a_secret_is_replaced_not_added(database: Database):
    secrets = ShopSecrets(database, (await a_shop(database)).id)
    await secrets.put("token", "old")

    await secrets.put("token", "new")

    assert await secrets.get("token") == "new"
    assert await number_of(database, shop_secrets) == 1
