"""Marks of a customer: a hard case, and abuse. Each with a reason, who, and how long; nothing is deleted."""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.customers.identity import Identity, RecordKind, RecordRef, identity_of_row
from hub.desk.customers.known import find_identity
from hub.desk.customers.links import lock_people, stored_identity
from hub.desk.customers.views import MarkKind
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.store.box import Box
from hub.store.database import from_ms, time_of, to_ms
from hub.store.ids import new_id
from hub.store.sealed import CUSTOMER_CLEARED_PLACE, CUSTOMER_MARK_PLACE
from hub.store.tables import customer_identities, customer_marks, users

LONGEST_REASON: Final = 500
#: abuse is not held against somebody for ever
LONGEST_DAYS: Final = 365
USUAL_DAYS: Final = 90
PAGE: Final = 100
_clearer = users.alias("clearer")


class MarkError(Exception):
    """Nothing was stored. ``key`` is a message key that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.mark_{key}"


class PastMark(Struct, frozen=True, kw_only=True):
    """A mark with how it ended; ``is_over``: it holds no more. ``ref`` leads to the customer's page."""

    mark_id: int
    ref: str
    kind: MarkKind
    reason: str
    by: str | None
    at: datetime
    until: datetime | None
    cleared_by: str | None
    cleared_at: datetime | None
    cleared_reason: str
    is_over: bool


async def mark(
    services: Services, *, actor: Actor, ref: RecordRef, kind: MarkKind, reason: str, days: int | None
) -> None:
    """Mark the person of a record, for ``days`` from now; abuse always ends, a hard case may stay until it is cleared.

    The same mark again takes the place of the one before. Raises: MarkError; NotFoundError; ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    reason = _reason(reason)
    if days is None and kind is MarkKind.ABUSE:
        raise MarkError("without_end")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise MarkError("days")
    box, now = services.database.box, services.now()
    async with services.database.writing() as connection:
        await lock_people(services.database, connection)
        identity = await find_identity(connection, ref, box=box)
        if identity is None:
            raise NotFoundError
        row = await stored_identity(connection, identity)
        until = to_ms(now + timedelta(days=days)) if days else None
        standing = await _standing(connection, row.person_id, kind, now)
        if any(each.until_at == until and _opened(each, box) == reason for each in standing):
            return
        replaced = {"cleared_by": actor.user_id, "cleared_at": to_ms(now)}
        ids = [each.id for each in standing]
        await connection.execute(update(customer_marks).where(customer_marks.c.id.in_(ids)).values(**replaced))
        await connection.execute(
            customer_marks.insert().values(
                id=new_id(),
                identity_id=row.id,
                kind=kind.value,
                reason_sealed=box.seal(reason.encode(), CUSTOMER_MARK_PLACE),
                marked_by=actor.user_id,
                marked_at=to_ms(now),
                until_at=until,
            )
        )


async def clear(services: Services, *, actor: Actor, mark_id: int, reason: str) -> None:
    """Take a mark back before its end: abuse by who marked it, or by a supervisor.

    Raises: MarkError without a reason; NotFoundError; ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    reason = _reason(reason)
    values = {
        "cleared_by": actor.user_id,
        "cleared_at": to_ms(services.now()),
        "cleared_reason_sealed": services.database.box.seal(reason.encode(), CUSTOMER_CLEARED_PLACE),
    }
    of_mark = customer_marks.c.id == mark_id
    async with services.database.writing() as connection:
        row = (await connection.execute(select(customer_marks).where(of_mark))).one_or_none()
        if row is None:
            raise NotFoundError
        if row.kind == MarkKind.ABUSE and row.marked_by != actor.user_id:
            require(actor, Permission.APPROVE)
        still = of_mark & customer_marks.c.cleared_at.is_(None)
        await connection.execute(update(customer_marks).where(still).values(**values))


def _reason(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise MarkError("reason_missing")
    if len(text) > LONGEST_REASON:
        raise MarkError("reason_long")
    return text


def _opened(row: Row[Any], box: Box) -> str:
    return box.open(row.reason_sealed, CUSTOMER_MARK_PLACE).decode()


async def _standing(connection: AsyncConnection, person_id: int, kind: MarkKind, now: datetime) -> list[Row[Any]]:
    query = (
        select(customer_marks)
        .join(customer_identities, customer_identities.c.id == customer_marks.c.identity_id)
        .where(customer_identities.c.person_id == person_id, customer_marks.c.kind == kind.value)
        .where(customer_marks.c.cleared_at.is_(None))
        .where(or_(customer_marks.c.until_at.is_(None), customer_marks.c.until_at > to_ms(now)))
    )
    return list((await connection.execute(query)).all())


def _select_past() -> Any:
    return (
        select(customer_marks, users.c.name.label("by"), _clearer.c.name.label("clearer"))
        .join_from(customer_marks, customer_identities, customer_identities.c.id == customer_marks.c.identity_id)
        .outerjoin(users, users.c.id == customer_marks.c.marked_by)
        .outerjoin(_clearer, _clearer.c.id == customer_marks.c.cleared_by)
        .order_by(customer_marks.c.id.desc())
    )


async def read_past_marks(
    connection: AsyncConnection, services: Services, identities: frozenset[Identity], *, curtain: Curtain
) -> tuple[PastMark, ...]:
    """Every mark that these ever had, newest first."""
    phones = [one.phone for one in identities]
    names = [one.name for one in identities]
    query = (
        _select_past()
        .add_columns(customer_identities.c.phone_idx, customer_identities.c.email_idx, customer_identities.c.name_idx)
        .where(customer_identities.c.phone_idx.in_(phones), customer_identities.c.name_idx.in_(names))
        .limit(PAGE)
    )
    rows = (await connection.execute(query)).all()
    return tuple(_past(row, services, curtain) for row in rows if identity_of_row(row) in identities)


class MarkList(Struct, frozen=True, kw_only=True):
    """``next_before`` continues with older ones; ``in_force`` counts all."""

    marks: tuple[PastMark, ...]
    in_force: int
    next_before: int | None


async def list_marks(services: Services, *, actor: Actor, before: int | None = None) -> MarkList:
    """All marks of all customers, newest first. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    query = _select_past().limit(PAGE + 1)
    if before is not None:
        query = query.where(customer_marks.c.id < before)
    is_lasting = or_(customer_marks.c.until_at.is_(None), customer_marks.c.until_at > to_ms(services.now()))
    in_force = select(func.count()).where(customer_marks.c.cleared_at.is_(None), is_lasting)
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
        count = await connection.scalar(in_force) or 0
    curtain = Curtain(is_open=False)
    return MarkList(
        marks=tuple(_past(row, services, curtain) for row in rows[:PAGE]),
        in_force=count,
        next_before=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


def _past(row: Row[Any], services: Services, curtain: Curtain) -> PastMark:
    box = services.database.box
    why = box.open(row.cleared_reason_sealed, CUSTOMER_CLEARED_PLACE).decode() if row.cleared_reason_sealed else ""
    until = from_ms(row.until_at)
    return PastMark(
        mark_id=row.id,
        ref=str(RecordRef(kind=RecordKind.IDENTITY, id=row.identity_id)),
        kind=MarkKind(row.kind),
        reason=curtain.text(_opened(row, box)) or "",
        by=row.by,
        at=time_of(row.marked_at),
        until=until,
        cleared_by=row.clearer,
        cleared_at=from_ms(row.cleared_at),
        cleared_reason=curtain.text(why) or "",
        is_over=row.cleared_at is not None or (until is not None and until <= services.now()),
    )
