"""The inbox of one shop in the store: see hub.core.inbox."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from hub.core.inbox import InboxItem, InboxKind
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.sealed import INBOX_PLACE
from hub.store.tables import inbox

_PAGE = 200
#: items of a page by kind: files are megabytes each
_PAGES = {InboxKind.FILE: 1}


class ShopInbox:
    def __init__(self, database: Database, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id

    async def put(
        self, *, kind: InboxKind, key: str, body: bytes, at: datetime, subject: str = "", name: str = ""
    ) -> bool:
        row = {
            "id": new_id(),
            "shop_id": self._shop_id,
            "kind": kind.value,
            "key": key,
            "subject": subject,
            "name": name,
            "body_sealed": self._database.box.seal(body, INBOX_PLACE),
            "received_at": to_ms(at),
        }
        try:
            async with self._database.writing() as connection:
                await connection.execute(inbox.insert(), [row])
        except IntegrityError:
            return False
        return True

    async def items(
        self, kind: InboxKind, *, since: datetime | None = None, after: int = 0, subject: str | None = None
    ) -> AsyncIterator[InboxItem]:
        query = select(inbox).where(inbox.c.shop_id == self._shop_id, inbox.c.kind == kind.value)
        if since is not None:
            query = query.where(inbox.c.received_at >= to_ms(since))
        if subject is not None:
            query = query.where(inbox.c.subject == subject)
        limit = _PAGES.get(kind, _PAGE)
        while True:
            page = query.where(inbox.c.id > after).order_by(inbox.c.id).limit(limit)
            async with self._database.reading() as connection:
                rows = (await connection.execute(page)).all()
            for row in rows:
                yield InboxItem(
                    seq=row.id,
                    kind=InboxKind(row.kind),
                    key=row.key,
                    body=self._database.box.open(row.body_sealed, INBOX_PLACE),
                    received_at=datetime.fromtimestamp(row.received_at / 1000, UTC),
                    subject=row.subject,
                    name=row.name,
                )
            if len(rows) < limit:
                return
            after = rows[-1].id

    async def subjects(self, kind: InboxKind, *, since: datetime, after: str = "", limit: int = 100) -> tuple[str, ...]:
        query = (
            select(inbox.c.subject)
            .distinct()
            .where(
                inbox.c.shop_id == self._shop_id,
                inbox.c.kind == kind.value,
                inbox.c.received_at >= to_ms(since),
                inbox.c.subject > after,
            )
            .order_by(inbox.c.subject)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return tuple((await connection.execute(query)).scalars())

    async def forget(self, *, kind: InboxKind, subject: str) -> int:
        statement = delete(inbox).where(
            inbox.c.shop_id == self._shop_id, inbox.c.kind == kind.value, inbox.c.subject == subject
        )
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount
