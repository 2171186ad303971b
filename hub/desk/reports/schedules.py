"""When saved reports are mailed and to whom; asking for one now; what was sent."""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Select, delete, select

from hub.desk.access import GRANTS, AccessAction, Actor, Permission, Role, record_access, require
from hub.desk.books.policy import read_policy
from hub.desk.cases.case import NotFoundError
from hub.desk.reports.saved import SavedReportError, seen_by
from hub.desk.reports.times import Every, OnRest, Timetable, is_sound, next_due
from hub.desk.services import Services
from hub.policy.calendar import ZONES, BusinessCalendar
from hub.policy.switches import switches_at
from hub.settings import Settings
from hub.store.database import Database, from_ms, time_of, to_ms
from hub.store.ids import new_id
from hub.store.sealed import REPORT_MAIL_PLACE, REPORT_SCHEDULE_PLACE
from hub.store.tables import report_mails, report_schedules, saved_reports, users

MOST_RECIPIENTS: Final = 20
#: of one report
MOST_SCHEDULES: Final = 10
_ADDRESS: Final = re.compile(r"[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}", re.ASCII)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


class MailState(StrEnum):
    """``PARTLY``: some recipients were refused. ``UNKNOWN``: the line broke while it was handed over."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    PARTLY = "partly"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Schedule(Struct, frozen=True, kw_only=True):
    schedule_id: int
    report_id: int
    timetable: Timetable
    recipients: tuple[str, ...]
    locale: str
    next_at: datetime


class SentMail(Struct, frozen=True, kw_only=True):
    """``asked_by`` is ``None`` where it was its time; ``rows`` and ``recipients`` until they are known."""

    name: str
    due_at: datetime
    missed: int
    asked_by: str | None
    state: MailState
    tries: int
    ended_at: datetime | None
    error: str | None
    recipients: tuple[str, ...] | None
    rows: int | None


async def allowed_recipients(database: Database, settings: Settings) -> frozenset[str]:
    """Addresses, and domains with their "@".

    Figures leave the house by mail, and a slip of the pen must not send them anywhere: they go to colleagues who may
    see them on the screen, and to those whom the settings name.
    """
    roles = [role.value for role in Role if Permission.SEE_STATISTICS in GRANTS[role]]
    query = select(users.c.login).where(users.c.is_active, users.c.role.in_(roles))
    async with database.reading() as connection:
        logins = await connection.scalars(query)
    return settings.report_addresses | {login for login in logins if _ADDRESS.fullmatch(login)}


def is_allowed(address: str, allowed: frozenset[str]) -> bool:
    return address in allowed or "@" + address.rpartition("@")[2] in allowed


def read_recipients(text: str, allowed: frozenset[str]) -> tuple[str, ...]:
    """Addresses with commas, semicolons or blanks between. Raises: SavedReportError."""
    found = tuple(dict.fromkeys(word.casefold() for word in re.split(r"[\s,;]+", text) if word))
    if not found or len(found) > MOST_RECIPIENTS or not all(_ADDRESS.fullmatch(word) for word in found):
        raise SavedReportError("recipients")
    if not all(is_allowed(word, allowed) for word in found):
        raise SavedReportError("not_allowed")
    return found


async def centre_calendar(services: Services) -> BusinessCalendar:
    """Days of rest where the centre is, those that the policy book announces included."""
    country = next((name for name, zone in ZONES.items() if zone.key == services.settings.timezone), "KR")
    book = await read_policy(services.database)
    today = services.now().astimezone(services.settings.zone).date()
    return switches_at(book.tables, shop="", mall="", on=today).own_days(country).of_public(country)


async def put_schedule(
    services: Services, *, actor: Actor, report_id: int, timetable: Timetable, recipients: str, locale: str
) -> int:
    """Mail a report from now on; what is due first lies ahead.

    Raises: ForbiddenError, NotFoundError, SavedReportError.
    """
    require(actor, Permission.SEE_STATISTICS)
    require(actor, Permission.EXPORT)
    if not is_sound(timetable):
        raise SavedReportError("time")
    addresses = read_recipients(recipients, await allowed_recipients(services.database, services.settings))
    now, zone = services.now(), services.settings.zone
    due = next_due(timetable, after=now, zone=zone, calendar=await centre_calendar(services))
    if due is None:
        raise SavedReportError("never")
    schedule_id = new_id()
    async with services.database.writing() as connection:
        report = (await connection.execute(_seen(actor, report_id).with_for_update())).one_or_none()
        if report is None:
            raise NotFoundError
        of_report = select(report_schedules.c.id).where(report_schedules.c.report_id == report_id)
        if len((await connection.execute(of_report)).all()) >= MOST_SCHEDULES:
            raise SavedReportError("many")
        await connection.execute(
            report_schedules.insert().values(
                id=schedule_id,
                report_id=report_id,
                user_id=actor.user_id,
                every=timetable.every.value,
                on_day=timetable.on_day,
                at_minute=timetable.at_minute,
                on_rest=timetable.on_rest.value,
                locale="en" if locale == "en" else "ko",
                recipients_sealed=services.database.box.seal(_encode(addresses), REPORT_SCHEDULE_PLACE),
                created_at=to_ms(now),
                next_at=to_ms(due),
            )
        )
        await record_access(
            connection,
            at=now,
            actor=actor,
            action=AccessAction.REPORT,
            subject=f"schedule {schedule_id} of report {report_id}",
        )
    return schedule_id


async def remove_schedule(services: Services, *, actor: Actor, schedule_id: int) -> None:
    """Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.EXPORT)
    visible = select(saved_reports.c.id).where(seen_by(actor))
    gone = delete(report_schedules).where(
        report_schedules.c.id == schedule_id, report_schedules.c.report_id.in_(visible)
    )
    async with services.database.writing() as connection:
        if not (await connection.execute(gone)).rowcount:
            raise NotFoundError
        await record_access(
            connection,
            at=services.now(),
            actor=actor,
            action=AccessAction.REPORT,
            subject=f"schedule {schedule_id} removed",
        )


async def ask_for_mail(services: Services, *, actor: Actor, schedule_id: int, token: str) -> None:
    """Mail it now, once for each form (``token``), as of today. The worker sends it.

    Raises: ForbiddenError, NotFoundError.
    """
    require(actor, Permission.EXPORT)
    query = (
        select(saved_reports.c.name)
        .join_from(report_schedules, saved_reports, saved_reports.c.id == report_schedules.c.report_id)
        .where(report_schedules.c.id == schedule_id, seen_by(actor))
    )
    now = to_ms(services.now())
    row = {
        "id": new_id(),
        "schedule_id": schedule_id,
        "mark": f"{schedule_id}:now:{token[:64]}",
        "due_at": now,
        "missed": 0,
        "asked_by": actor.name,
        "state": MailState.WAITING.value,
        "tries": 0,
        "try_at": now,
    }
    once = services.database.upsert(report_mails, key=[report_mails.c.mark], keep=list(report_mails.c))
    async with services.database.writing() as connection:
        name = await connection.scalar(query)
        if name is None:
            raise NotFoundError
        await connection.execute(once, {**row, "name": name})


async def read_schedules(services: Services, *, actor: Actor) -> tuple[Schedule, ...]:
    """Of the reports that the actor sees, the next one first. Raises: ForbiddenError."""
    require(actor, Permission.SEE_STATISTICS)
    query = (
        select(report_schedules)
        .join_from(report_schedules, saved_reports, saved_reports.c.id == report_schedules.c.report_id)
        .where(seen_by(actor))
        .order_by(report_schedules.c.next_at, report_schedules.c.id)
    )
    async with services.database.reading() as connection:
        return tuple(schedule_of(services.database, row) for row in await connection.execute(query))


async def read_sent(services: Services, *, actor: Actor, limit: int = 50) -> tuple[SentMail, ...]:
    """The newest mails of the reports that the actor sees, and of those that are gone. Raises: ForbiddenError."""
    require(actor, Permission.SEE_STATISTICS)
    hidden = (
        select(report_schedules.c.id)
        .join_from(report_schedules, saved_reports, saved_reports.c.id == report_schedules.c.report_id)
        .where(~seen_by(actor))
    )
    query = (
        select(report_mails)
        .where(report_mails.c.schedule_id.is_(None) | report_mails.c.schedule_id.not_in(hidden))
        .order_by(report_mails.c.id.desc())
        .limit(limit)
    )
    async with services.database.reading() as connection:
        return tuple(_mail(services.database, row) for row in await connection.execute(query))


def schedule_of(database: Database, row: Any) -> Schedule:
    return Schedule(
        schedule_id=row.id,
        report_id=row.report_id,
        timetable=timetable_of(row),
        recipients=_decode(database.box.open(row.recipients_sealed, REPORT_SCHEDULE_PLACE)),
        locale=row.locale,
        next_at=time_of(row.next_at),
    )


def timetable_of(row: Any) -> Timetable:
    return Timetable(every=Every(row.every), on_day=row.on_day, at_minute=row.at_minute, on_rest=OnRest(row.on_rest))


def seal_recipients(database: Database, addresses: Sequence[str]) -> bytes:
    """Of one mail."""
    return database.box.seal(_encode(addresses), REPORT_MAIL_PLACE)


def _seen(actor: Actor, report_id: int) -> Select[Any]:
    return select(saved_reports.c.id).where(saved_reports.c.id == report_id, seen_by(actor))


def _mail(database: Database, row: Any) -> SentMail:
    sealed = row.recipients_sealed
    return SentMail(
        name=row.name,
        due_at=time_of(row.due_at),
        missed=row.missed,
        asked_by=row.asked_by,
        state=MailState(row.state),
        tries=row.tries,
        ended_at=from_ms(row.ended_at),
        error=row.error,
        recipients=None if sealed is None else _decode(database.box.open(sealed, REPORT_MAIL_PLACE)),
        rows=row.rows,
    )
