"""Reading the access log, newest first."""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import select

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.store.database import from_ms
from hub.store.tables import access_log, users

PAGE: Final = 100


class AccessEntry(Struct, frozen=True, kw_only=True):
    entry_id: int
    at: datetime
    name: str | None
    login: str | None
    address: str | None
    action: str
    subject: str | None
    reason: str | None


class AccessPage(Struct, frozen=True, kw_only=True):
    """``next_before`` continues with older entries."""

    entries: tuple[AccessEntry, ...]
    next_before: int | None


async def read_access_log(services: Services, *, actor: Actor, before: int | None = None) -> AccessPage:
    """Raises: ForbiddenError."""
    require(actor, Permission.READ_ACCESS_LOG)
    query = (
        select(access_log, users.c.name)
        .select_from(access_log.outerjoin(users, users.c.id == access_log.c.user_id))
        # Keys are made in time order by the writer of the entry.
        .order_by(access_log.c.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(access_log.c.id < before)
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    shown = rows[:PAGE]
    return AccessPage(
        entries=tuple(
            AccessEntry(
                entry_id=row.id,
                at=from_ms(row.at) or datetime.min.replace(tzinfo=UTC),
                name=row.name,
                login=row.login,
                address=row.address,
                action=row.action,
                subject=row.subject,
                reason=row.reason,
            )
            for row in shown
        ),
        next_before=shown[-1].id if len(rows) > PAGE else None,
    )
