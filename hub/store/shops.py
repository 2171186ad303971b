"""Shops, their credentials and the secrets that change while they work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, select

from hub.core.errors import ConfigurationError
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.leases import Lease
from hub.store.sealed import CREDENTIALS_PLACE, SECRET_PLACE
from hub.store.search_index import forget_shop
from hub.store.tables import shop_secrets, shops


class ShopRow(Struct, frozen=True, kw_only=True):
    """A shop without its credentials."""

    id: int
    name: str
    mall: str
    base_url: str | None


class ShopStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[ShopRow]:
        """Every active shop, by name."""
        query = (
            select(shops.c.id, shops.c.name, shops.c.mall, shops.c.base_url)
            .where(shops.c.is_active)
            .order_by(shops.c.name)
        )
        async with self._database.reading() as connection:
            return [ShopRow(**row) for row in (await connection.execute(query)).mappings()]

    async def named(self, name: str) -> ShopRow:
        """Raises: ConfigurationError naming the shops there are."""
        rows = await self.all()
        for row in rows:
            if row.name == name:
                return row
        known = ", ".join(row.name for row in rows) or "none yet; add one with `hub shop import FILE.toml`"
        what = f"no shop named {name!r}"
        raise ConfigurationError(what, fix=f"Shops: {known}.")

    async def put(
        self, *, name: str, mall: str, base_url: str | None, credentials: Mapping[str, Any], now: datetime
    ) -> bool:
        """Add a shop or replace its address and credentials. Returns whether it is new.

        New credentials make the secrets of the old ones useless, so these are dropped; the same
        credentials again keep them (a rotated token must survive a repeated import).
        Raises: ConfigurationError when the name belongs to a shop of another mall.
        """
        sealed_from = msgspec.json.encode(credentials, order="deterministic")
        async with self._database.writing() as connection:
            row = (await connection.execute(select(shops).where(shops.c.name == name))).mappings().first()
            if row is None:
                await connection.execute(
                    shops.insert(),
                    {
                        "id": new_id(),
                        "name": name,
                        "mall": mall,
                        "base_url": base_url,
                        "credentials_sealed": self._database.box.seal(sealed_from, CREDENTIALS_PLACE),
                        "created_at": to_ms(now),
                        "is_active": True,
                    },
                )
                return True
            if row["mall"] != mall:
                what = f"shop {name!r} is a {row['mall']} shop already"
                raise ConfigurationError(what, fix="Choose another name, or remove the old one first.")
            if self._database.box.open(row["credentials_sealed"], CREDENTIALS_PLACE) != sealed_from:
                await connection.execute(delete(shop_secrets).where(shop_secrets.c.shop_id == row["id"]))
            await connection.execute(
                shops.update()
                .where(shops.c.id == row["id"])
                .values(
                    base_url=base_url,
                    credentials_sealed=self._database.box.seal(sealed_from, CREDENTIALS_PLACE),
                    is_active=True,
                )
            )
            return False

    async def remove(self, name: str) -> None:
        """Forget a shop and everything read from it. Raises: ConfigurationError when there is none."""
        row = await self.named(name)
        async with self._database.writing() as connection:
            await forget_shop(connection, row.id)
            await connection.execute(delete(shops).where(shops.c.id == row.id))

    async def forget_secrets(self, shop_id: int) -> None:
        """Drop tokens and issued keys: the next call starts from the credentials."""
        async with self._database.writing() as connection:
            await connection.execute(delete(shop_secrets).where(shop_secrets.c.shop_id == shop_id))

    async def credentials(self, shop_id: int) -> dict[str, Any]:
        query = select(shops.c.credentials_sealed).where(shops.c.id == shop_id)
        async with self._database.reading() as connection:
            sealed = (await connection.execute(query)).scalar_one()
        plain: dict[str, Any] = msgspec.json.decode(self._database.box.open(sealed, CREDENTIALS_PLACE))
        return plain


class ShopSecrets:
    """The SecretStore of one shop (hub.core.contract): durable when ``put`` returns."""

    def __init__(self, database: Database, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id

    async def get(self, name: str) -> str | None:
        query = select(shop_secrets.c.value_sealed).where(
            shop_secrets.c.shop_id == self._shop_id, shop_secrets.c.name == name
        )
        async with self._database.reading() as connection:
            sealed = await connection.scalar(query)
        return None if sealed is None else self._database.box.open(sealed, SECRET_PLACE).decode()

    async def put(self, name: str, value: str) -> None:
        row = {
            "shop_id": self._shop_id,
            "name": name,
            "value_sealed": self._database.box.seal(value.encode(), SECRET_PLACE),
            "updated_at": to_ms(datetime.now().astimezone()),
        }
        statement = self._database.upsert(
            shop_secrets, key=[shop_secrets.c.shop_id, shop_secrets.c.name], changed_hash=False
        )
        async with self._database.writing() as connection:
            await connection.execute(statement, [row])

    def lock(self, name: str) -> Lease:
        return Lease(self._database, f"secret:{self._shop_id}:{name}")
