"""The address at which a mall reaches one shop: its secret, and what came through it."""

import hmac
import secrets
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, from_ms, to_ms
from hub.store.sealed import WEBHOOK_PLACE
from hub.store.shops import ShopRow
from hub.store.tables import shops, webhooks

_SECRET_BYTES = 32
#: compared with when there is no such shop, so that both answers take the same steps
_NOBODYS = secrets.token_urlsafe(_SECRET_BYTES)


class WebhookState(Struct, frozen=True, kw_only=True):
    """How much came, and when last; ``refused``: a wrong key, or a body that is none of the mall's."""

    received_at: datetime | None
    received: int
    refused_at: datetime | None
    refused: int


class WebhookStore:
    """Addresses of all shops. The secret is kept apart from those that new credentials drop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def secret(self, shop_id: int, *, now: datetime) -> str:
        """The last part of the shop's address; made at the first call, the same afterwards."""
        async with self._database.writing() as connection:
            sealed = await connection.scalar(select(webhooks.c.secret_sealed).where(webhooks.c.shop_id == shop_id))
            if sealed is not None:
                return self._database.box.open(sealed, WEBHOOK_PLACE).decode()
            return await self._make(connection, shop_id, now=now, is_new=True)

    async def renew(self, shop_id: int, *, now: datetime) -> str:
        """A new secret; what is sent to the old address finds nobody from now on."""
        await self.secret(shop_id, now=now)
        async with self._database.writing() as connection:
            return await self._make(connection, shop_id, now=now, is_new=False)

    async def _make(self, connection: AsyncConnection, shop_id: int, *, now: datetime, is_new: bool) -> str:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        sealed = self._database.box.seal(secret.encode(), WEBHOOK_PLACE)
        values = {"secret_sealed": sealed, "created_at": to_ms(now)}
        if is_new:
            await connection.execute(webhooks.insert().values(shop_id=shop_id, received=0, refused=0, **values))
        else:
            await connection.execute(webhooks.update().where(webhooks.c.shop_id == shop_id).values(**values))
        return secret

    async def shop_at(self, *, name: str, secret: str) -> ShopRow | None:
        """The shop of an address; ``None`` for an unknown shop and for a wrong secret alike."""
        query = (
            select(shops.c.id, shops.c.name, shops.c.mall, shops.c.base_url, webhooks.c.secret_sealed)
            .join_from(shops, webhooks, webhooks.c.shop_id == shops.c.id)
            .where(shops.c.name == name, shops.c.is_active)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        kept = self._database.box.open(row.secret_sealed, WEBHOOK_PLACE).decode() if row else _NOBODYS
        is_right = hmac.compare_digest(kept.encode(), secret.encode("utf-8", "replace"))
        if row is None or not is_right:
            return None
        return ShopRow(id=row.id, name=row.name, mall=row.mall, base_url=row.base_url)

    async def note_received(self, connection: AsyncConnection, shop_id: int, *, at: datetime) -> None:
        """Count one delivery, on the caller's transaction."""
        await connection.execute(
            webhooks.update()
            .where(webhooks.c.shop_id == shop_id)
            .values(received_at=to_ms(at), received=webhooks.c.received + 1)
        )

    async def note_refused(self, shop_id: int, *, at: datetime) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                webhooks.update()
                .where(webhooks.c.shop_id == shop_id)
                .values(refused_at=to_ms(at), refused=webhooks.c.refused + 1)
            )


async def webhook_states(connection: AsyncConnection) -> dict[int, WebhookState]:
    """By shop id, of the shops that have an address."""
    columns = (webhooks.c.received_at, webhooks.c.received, webhooks.c.refused_at, webhooks.c.refused)
    return {
        row.shop_id: WebhookState(
            received_at=from_ms(row.received_at),
            received=row.received,
            refused_at=from_ms(row.refused_at),
            refused=row.refused,
        )
        for row in await connection.execute(select(webhooks.c.shop_id, *columns))
    }
