"""Pages of the statistics that somebody gave a name: which page, which filters, which days as seen from today."""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, func, or_, select

from hub.desk.access import Actor, ForbiddenError, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import saved_reports, users

NAME_LIMIT: Final = 60
#: of one person
MOST: Final = 50


class SavedReportError(Exception):
    """Nothing was stored. ``key`` is the last part of a message key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class SavedReport(Struct, frozen=True, kw_only=True):
    """``address``: path and query without days; ``span``: which days, seen from the day on which it is opened.

    ``owner`` is the name of whoever keeps it.
    """

    report_id: int
    name: str
    address: str
    span: str
    is_shared: bool
    is_own: bool
    owner: str


async def read_saved_reports(services: Services, *, actor: Actor) -> tuple[SavedReport, ...]:
    """One's own and the shared ones, by name. Raises: ForbiddenError."""
    require(actor, Permission.SEE_STATISTICS)
    query = (
        select(saved_reports, users.c.name.label("owner"))
        .join_from(saved_reports, users, users.c.id == saved_reports.c.owner_id)
        .where(seen_by(actor))
        .order_by(saved_reports.c.name, saved_reports.c.id)
    )
    async with services.database.reading() as connection:
        return tuple(_report(row, actor) for row in await connection.execute(query))


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """Condition on saved reports."""
    return or_(saved_reports.c.is_shared, saved_reports.c.owner_id == actor.user_id)


async def save_report(
    services: Services, *, actor: Actor, name: str, address: str, span: str, is_shared: bool = False
) -> int:
    """Keep a view under a name; said again under the same name it is changed, and so is what is mailed of it.

    ``address`` and ``span`` are known to be good (:mod:`hub.stats.report_view`). Returns its id.
    Raises: ForbiddenError; SavedReportError.
    """
    require(actor, Permission.SEE_STATISTICS)
    if actor.user_id is None:
        raise ForbiddenError(Permission.SEE_STATISTICS)
    name = " ".join(name.split())
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise SavedReportError("name")
    row = {
        "id": new_id(),
        "owner_id": actor.user_id,
        "name": name,
        "address": address,
        "span": span,
        "is_shared": is_shared,
        "created_at": to_ms(services.now()),
    }
    key = [saved_reports.c.owner_id, saved_reports.c.name]
    put = services.database.upsert(saved_reports, key=key, changed_hash=False).returning(saved_reports.c.id)
    own = select(func.count()).where(saved_reports.c.owner_id == actor.user_id)
    async with services.database.writing() as connection:
        report_id = (await connection.execute(put, row)).scalar_one()
        if (await connection.scalar(own) or 0) > MOST:
            raise SavedReportError("many")
    return int(report_id)


async def remove_report(services: Services, *, actor: Actor, report_id: int) -> None:
    """One's own, or a shared one; what was to be mailed of it is not mailed any more.

    Raises: ForbiddenError, NotFoundError.
    """
    require(actor, Permission.SEE_STATISTICS)
    gone = delete(saved_reports).where(saved_reports.c.id == report_id, seen_by(actor))
    async with services.database.writing() as connection:
        if not (await connection.execute(gone)).rowcount:
            raise NotFoundError


def _report(row: Any, actor: Actor) -> SavedReport:
    return SavedReport(
        report_id=row.id,
        name=row.name,
        address=row.address,
        span=row.span,
        is_shared=row.is_shared,
        is_own=row.owner_id == actor.user_id,
        owner=row.owner,
    )
