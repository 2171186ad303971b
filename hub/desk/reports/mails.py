"""Mailing saved reports: each due time makes one mail, and each mail is handed to the mail server once.

A due time becomes a row in the transaction that moves the schedule on, so that of many workers one makes it, and
those that were missed become one. The figures are counted first; then the start is marked, then the letter handed over.
What was begun by a process that died, or broke off while it was handed over, may have arrived: it is never sent again
by itself, and raises an alert. What was surely not taken is tried again for some hours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final, Protocol

import structlog
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, or_, select, update

from hub.desk.reports.schedules import (
    MailState,
    Schedule,
    allowed_recipients,
    centre_calendar,
    is_allowed,
    schedule_of,
    seal_recipients,
    timetable_of,
)
from hub.desk.reports.times import newest_due
from hub.desk.sending import ChannelError, MailSender
from hub.desk.services import Services
from hub.store.database import Database, time_of, to_ms
from hub.store.ids import new_id
from hub.store.tables import report_mails, report_schedules, saved_reports

log = structlog.get_logger(__name__)

#: pauses after a mail that was surely not taken
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 60, 60))
#: a mail that was begun so long ago was begun by a process that is gone: the mail server's time-outs are shorter
BEGUN_FOR: Final = timedelta(minutes=10)
#: whoever gets a mail later than this is told so
LATE: Final = timedelta(minutes=30)
#: larger files stay behind the link
LARGEST: Final = 8 * 1024 * 1024
_XLSX: Final = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be counted: a saved view as seen on the day of ``due_at``. ``missed``: due times before it."""

    name: str
    address: str
    span: str
    due_at: datetime
    locale: str
    missed: int


class Figures(Struct, frozen=True, kw_only=True):
    """What was counted: ``text`` is the table and what it means, ``address`` the page that shows it.

    No personal datum stands in any of it.
    """

    period: str
    text: str
    rows: int
    workbook: bytes
    file_name: str
    address: str


class UnreadableReportError(Exception):
    """The view cannot be counted any more. ``kind`` says why."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


#: Raises: UnreadableReportError
ReadFigures = Callable[[Wanted], Awaitable[Figures]]


class Sender(Protocol):
    async def send(self, letter: EmailMessage) -> None:
        """Raises: ChannelError."""
        ...


async def make_due_mails(services: Services) -> int:
    """Make the mails whose time has come, and settle those that will not be sent any more."""
    now = to_ms(services.now()) or 0
    due = select(report_schedules, saved_reports.c.name).join_from(
        report_schedules, saved_reports, saved_reports.c.id == report_schedules.c.report_id
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(due.where(report_schedules.c.next_at <= now))).all()
        left = await connection.scalar(select(report_mails.c.id).where(_is_left(services.now())).limit(1))
    if left is not None:
        await _settle_left(services)
    made = 0
    for row in rows:
        made += await _make(services, row)
    return made


async def mails_to_send(database: Database, *, now: datetime) -> list[int]:
    """Ids of the mails whose turn it is, oldest first."""
    query = (
        select(report_mails.c.id)
        .where(report_mails.c.state == MailState.WAITING.value, report_mails.c.try_at <= to_ms(now))
        .order_by(report_mails.c.id)
    )
    async with database.reading() as connection:
        return list(await connection.scalars(query))


async def send_mail(
    services: Services, mail_id: int, *, figures: ReadFigures, sender: Sender | None = None
) -> MailState | None:
    """Count, begin, hand over, note. ``None`` where somebody else has it, or it is not its turn.

    ``sender`` replaces the mail server of the settings.
    """
    found = await _wanted(services.database, mail_id, now=services.now())
    if found is None:
        return None
    wanted, schedule = found
    try:
        addresses = await _addresses(services, schedule)
        counted = await figures(wanted)
    except UnreadableReportError as error:
        return await _end(services, mail_id, MailState.FAILED, error=error.kind)
    if sender is None and services.settings.smtp_host is None:
        return await _failed(services, mail_id, ChannelError("NoMailServer"))
    letter = make_letter(wanted, counted, addresses, services=services)
    if not await _begin(services, mail_id, addresses, rows=counted.rows):
        return None
    handing = asyncio.create_task(_hand_over(services, mail_id, letter, sender or MailSender(services.settings)))
    try:
        return await asyncio.shield(handing)
    except asyncio.CancelledError:
        # A thread is at it and does not stop: how it ends is known in seconds, and would be unknown for ever.
        await handing
        raise


def make_letter(mail: Wanted, found: Figures, addresses: list[str], *, services: Services) -> EmailMessage:
    """The table as text, the link, and the workbook where it is not too large."""
    words = _WORDS[mail.locale]
    settings, now = services.settings, services.now()
    letter = EmailMessage()
    letter["Subject"] = " ".join(f"[hub] {mail.name} · {found.period}".split())
    letter["From"] = settings.smtp_from or ""
    letter["To"] = ", ".join(addresses)
    letter["Date"] = formatdate(now.timestamp(), localtime=False)
    letter["Message-ID"] = make_msgid(domain="hub.invalid")
    letter["Auto-Submitted"] = "auto-generated"
    is_large = len(found.workbook) > LARGEST
    due = mail.due_at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M")
    parts = [f"{mail.name}\n{found.period}"]
    if now - mail.due_at > LATE:
        parts.append(words.late.format(due=due, zone=settings.timezone))
    if mail.missed:
        parts.append(words.missed.format(count=mail.missed))
    parts.append(found.text)
    if is_large:
        parts.append(words.large)
    if settings.public_url is not None:
        parts.append(f"{words.link} {settings.public_url}{found.address}")
    parts.append(words.why)
    letter.set_content("\n\n".join(parts) + "\n", charset="utf-8")
    if not is_large:
        letter.add_attachment(found.workbook, maintype=_XLSX[0], subtype=_XLSX[1], filename=found.file_name)
    return letter


class _Sentences(Struct, frozen=True, kw_only=True):
    late: str
    missed: str
    large: str
    link: str
    why: str


_WORDS: Final = {
    "ko": _Sentences(
        late="※ {due}({zone})에 보낼 메일이 늦게 발송되었습니다. 기간은 원래 시각을 기준으로 합니다.",
        missed="※ 그 전에 보내지 못한 {count}회분은 따로 보내지 않습니다.",
        large="엑셀 파일이 커서 첨부하지 않았습니다. 통계 화면에서 내려받으세요.",
        link="통계 화면:",
        why="통계의 저장한 보기에서 예약한 메일입니다. 그만 받으려면 예약을 지우도록 담당자에게 알리세요.",
    ),
    "en": _Sentences(
        late="Note: this mail was due at {due} ({zone}) and is late. Its days are those of that time.",
        missed="Note: the {count} mails before it could not be sent and do not follow.",
        large="The Excel file is too large for a mail. Download it from the page.",
        link="Page:",
        why="This mail is scheduled under saved views of the statistics. Ask for its removal there.",
    ),
}


async def _addresses(services: Services, schedule: Schedule) -> list[str]:
    """Those that are still allowed. Raises: UnreadableReportError when none is left."""
    allowed = await allowed_recipients(services.database, services.settings)
    found = [each for each in schedule.recipients if is_allowed(each, allowed)]
    if not found:
        kind = "NoRecipients"
        raise UnreadableReportError(kind)
    return found


async def _hand_over(services: Services, mail_id: int, letter: EmailMessage, sender: Sender) -> MailState:
    try:
        await sender.send(letter)
    except ChannelError as error:
        return await _failed(services, mail_id, error)
    return await _end(services, mail_id, MailState.SENT)


async def note_broken(services: Services, mail_id: int) -> None:
    """What broke before it was begun is tried again like any other, not at every look."""
    async with services.database.reading() as connection:
        state = await connection.scalar(select(report_mails.c.state).where(report_mails.c.id == mail_id))
    if state == MailState.WAITING.value:
        await _failed(services, mail_id, ChannelError("Broken"))


async def _make(services: Services, row: Any) -> bool:
    """The newest due time of one schedule; whoever moves the schedule on makes the mail."""
    now, zone = services.now(), services.settings.zone
    due, missed, later = newest_due(
        timetable_of(row), due=time_of(row.next_at), now=now, zone=zone, calendar=await centre_calendar(services)
    )
    # A timetable that has no turn any more sleeps for a year.
    upcoming = later or now + timedelta(days=365)
    move = (
        update(report_schedules)
        .where(report_schedules.c.id == row.id, report_schedules.c.next_at == row.next_at)
        .values(next_at=to_ms(upcoming))
    )
    async with services.database.writing() as connection:
        if not (await connection.execute(move)).rowcount:
            return False
        await connection.execute(
            report_mails.insert().values(
                id=new_id(),
                schedule_id=row.id,
                mark=f"{row.id}:{to_ms(due)}",
                name=row.name,
                due_at=to_ms(due),
                missed=missed,
                state=MailState.WAITING.value,
                tries=0,
                try_at=to_ms(now),
            )
        )
    return True


def _is_broken_off(now: datetime) -> ColumnElement[bool]:
    """Begun by a process that died with it."""
    return and_(report_mails.c.state == MailState.SENDING.value, report_mails.c.begun_at < to_ms(now - BEGUN_FOR))


def _is_unwanted() -> ColumnElement[bool]:
    """Made for a schedule that was removed since."""
    return and_(report_mails.c.state == MailState.WAITING.value, report_mails.c.schedule_id.is_(None))


def _is_left(now: datetime) -> ColumnElement[bool]:
    return or_(_is_broken_off(now), _is_unwanted())


async def _settle_left(services: Services) -> None:
    now = services.now()
    ended = {"ended_at": to_ms(now), "try_at": None}
    unknown = {**ended, "state": MailState.UNKNOWN.value, "error": "BrokenOff"}
    unwanted = {**ended, "state": MailState.FAILED.value, "error": "Removed"}
    async with services.database.writing() as connection:
        found = await connection.execute(update(report_mails).where(_is_broken_off(now)).values(unknown))
        await connection.execute(update(report_mails).where(_is_unwanted()).values(unwanted))
    if found.rowcount:
        log.warning("reports.mail.broken_off", mails=found.rowcount)


async def _wanted(database: Database, mail_id: int, *, now: datetime) -> tuple[Wanted, Schedule] | None:
    query = (
        select(
            report_schedules,
            report_mails.c.due_at,
            report_mails.c.missed,
            saved_reports.c.name,
            saved_reports.c.address,
            saved_reports.c.span,
        )
        .join_from(report_mails, report_schedules, report_schedules.c.id == report_mails.c.schedule_id)
        .join(saved_reports, saved_reports.c.id == report_schedules.c.report_id)
        .where(*_is_turn(mail_id, now))
    )
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    mail = Wanted(
        name=row.name,
        address=row.address,
        span=row.span,
        due_at=time_of(row.due_at),
        locale=row.locale,
        missed=row.missed,
    )
    return mail, schedule_of(database, row)


def _is_turn(mail_id: int, now: datetime) -> tuple[Any, ...]:
    return (
        report_mails.c.id == mail_id,
        report_mails.c.state == MailState.WAITING.value,
        report_mails.c.try_at <= to_ms(now),
    )


async def _begin(services: Services, mail_id: int, addresses: list[str], *, rows: int) -> bool:
    """Whether it is this process that hands it over."""
    now = services.now()
    begun = {
        "state": MailState.SENDING.value,
        "begun_at": to_ms(now),
        "tries": report_mails.c.tries + 1,
        "recipients_sealed": seal_recipients(services.database, addresses),
        "rows": rows,
    }
    async with services.database.writing() as connection:
        found = await connection.execute(update(report_mails).where(*_is_turn(mail_id, now)).values(begun))
        return found.rowcount > 0


async def _failed(services: Services, mail_id: int, error: ChannelError) -> MailState:
    if error.is_in_part:
        return await _end(services, mail_id, MailState.PARTLY, error=error.kind)
    if error.is_unsure:
        return await _end(services, mail_id, MailState.UNKNOWN, error=error.kind)
    async with services.database.writing() as connection:
        row = (await connection.execute(select(report_mails).where(report_mails.c.id == mail_id))).one()
        # Where there is no mail server nothing was begun, and it counts as a try all the same.
        tries = row.tries if row.state == MailState.SENDING.value else row.tries + 1
        if tries <= len(PAUSES):
            again = {
                "state": MailState.WAITING.value,
                "tries": tries,
                "try_at": to_ms(services.now() + PAUSES[tries - 1]),
                "error": error.kind,
            }
            await connection.execute(update(report_mails).where(report_mails.c.id == mail_id).values(again))
            log.warning("reports.mail.failed", mail=mail_id, kind=error.kind, tries=tries)
            return MailState.WAITING
    return await _end(services, mail_id, MailState.FAILED, error=error.kind)


async def _end(services: Services, mail_id: int, state: MailState, *, error: str | None = None) -> MailState:
    ended = {"state": state.value, "ended_at": to_ms(services.now()), "try_at": None, "error": error}
    async with services.database.writing() as connection:
        await connection.execute(update(report_mails).where(report_mails.c.id == mail_id).values(ended))
    log.info("reports.mail.ended", mail=mail_id, state=state.value, error=error)
    return state
