"""Saved reports and their mails: when they are due, to whom they may go, and that each goes out once."""

import asyncio
import json
import socketserver
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.alerting.check import check_alerts
from hub.desk.cases.case import NotFoundError
from hub.desk.reports.mails import (
    BEGUN_FOR,
    PAUSES,
    Figures,
    UnreadableReportError,
    Wanted,
    mails_to_send,
    make_due_mails,
    send_mail,
)
from hub.desk.reports.saved import MOST, SavedReportError, read_saved_reports, remove_report, save_report
from hub.desk.reports.schedules import (
    MailState,
    Schedule,
    SentMail,
    ask_for_mail,
    put_schedule,
    read_recipients,
    read_schedules,
    read_sent,
    remove_schedule,
)
from hub.desk.reports.times import Every, OnRest, Timetable, newest_due, next_due
from hub.desk.sending import ChannelError, MailSender
from hub.policy.calendar import business_calendar
from hub.settings import Settings
from hub.store.alerts import AlertStore
from hub.store.database import to_ms
from hub.store.tables import report_mails, users
from tests.desk.invented import Rig, open_rig

SEOUL = Settings().zone
KOREA = business_calendar("KR")
DAILY = Timetable(every=Every.DAILY, on_day=0, at_minute=8 * 60, on_rest=OnRest.SEND)
SETTINGS = Settings(
    smtp_host="127.0.0.1",
    smtp_security="none",
    smtp_from="hub.example.com",
    report_recipients="md@partner.example, @centre.example",
    public_url="https://desk.example",
)
MORNING = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)  # Saturday 08:00 in Seoul


@dataclass
class Post:
    """Stands for the mail server; ``trouble`` is what it fails with."""

    letters: list[EmailMessage] = field(default_factory=list)
    trouble: ChannelError | None = None

    async def send(self, letter: EmailMessage) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.letters.append(letter)


async def figures(wanted: Wanted) -> Figures:
    return Figures(
        period=f"until {wanted.due_at.astimezone(SEOUL):%Y-%m-%d}",
        text="mall  asked\nalpha    12",
        rows=1,
        workbook=b"PK",
        file_name="replies.xlsx",
        address="/stats/reports/replies?first=2026-11-20",
    )


async def prepare(rig: Rig) -> Rig:
    """Two supervisors, and a mail server."""
    rig.settings = SETTINGS
    async with rig.database.writing() as connection:
        for user_id, login in ((12, "lee@centre.example"), (13, "park@elsewhere.example")):
            await connection.execute(
                users.insert().values(
                    id=user_id,
                    login=login,
                    name=login,
                    role=Role.SUPERVISOR.value,
                    password_hash="-",
                    locale="ko",
                    is_active=True,
                    failed_logins=0,
                    created_at=0,
                )
            )
    return rig


@pytest.fixture
async def both(rig: Rig) -> Rig:
    """On either kind of database."""
    return await prepare(rig)


@pytest.fixture
async def mailing(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Rig]:
    """On SQLite alone: what is told here is not the database's."""
    rig = await open_rig(tmp_path, sqlite_url)
    yield await prepare(rig)
    await rig.database.aclose()


async def planned(rig: Rig, actor: Actor, *, recipients: str = "md@partner.example", **more: Any) -> Schedule:
    report_id = await save_report(
        rig, actor=actor, name="아침 응답", address="/stats/reports/replies?by=mall", span="yesterday"
    )
    given: dict[str, Any] = {"timetable": DAILY, "locale": "ko", **more}
    await put_schedule(rig, actor=actor, report_id=report_id, recipients=recipients, **given)
    (found,) = await read_schedules(rig, actor=actor)
    return found


async def look(rig: Rig, post: Post) -> list[MailState | None]:
    await make_due_mails(rig)
    due = await mails_to_send(rig.database, now=rig.now())
    return [await send_mail(rig, each, figures=figures, sender=post) for each in due]


async def newest(rig: Rig, actor: Actor) -> SentMail:
    return (await read_sent(rig, actor=actor))[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("table", "after", "due"),
    [
        (DAILY, "2026-11-20T07:59", "2026-11-20T08:00"),
        (DAILY, "2026-11-20T08:00", "2026-11-21T08:00"),
        (Timetable(every=Every.DAILY, on_day=0, at_minute=480, on_rest=OnRest.SKIP), "2026-11-20T08:00", "2026-11-23T08:00"),
        # 2026-09-24 to 26 are Chuseok, a Thursday to a Saturday
        (Timetable(every=Every.WEEKLY, on_day=3, at_minute=0, on_rest=OnRest.SKIP), "2026-09-18T00:00", "2026-10-01T00:00"),
        (Timetable(every=Every.WEEKLY, on_day=3, at_minute=0, on_rest=OnRest.NEXT), "2026-09-18T00:00", "2026-09-28T00:00"),
        (Timetable(every=Every.WEEKLY, on_day=3, at_minute=0, on_rest=OnRest.NEXT), "2026-09-25T00:00", "2026-09-28T00:00"),
        (Timetable(every=Every.MONTHLY, on_day=31, at_minute=1439, on_rest=OnRest.SEND), "2026-02-01T00:00", "2026-02-28T23:59"),
        (Timetable(every=Every.MONTHLY, on_day=1, at_minute=540, on_rest=OnRest.NEXT), "2026-07-15T00:00", "2026-08-03T09:00"),
    ],
)  # fmt: skip
def test_a_turn_comes_at_its_time_and_days_of_rest_are_kept_as_chosen(table: Timetable, after: str, due: str):
    assert next_due(table, after=at(after), zone=SEOUL, calendar=KOREA) == at(due)


def test_a_day_that_is_always_one_of_rest_has_no_turn():
    sundays = Timetable(every=Every.WEEKLY, on_day=6, at_minute=0, on_rest=OnRest.SKIP)

    assert next_due(sundays, after=at("2026-11-20T00:00"), zone=SEOUL, calendar=KOREA) is None


def test_of_ten_missed_turns_the_last_is_due_and_the_next_lies_ahead():
    due = newest_due(DAILY, due=at("2026-11-10T08:00"), now=at("2026-11-20T07:00"), zone=SEOUL, calendar=KOREA)

    assert due == (at("2026-11-19T08:00"), 9, at("2026-11-20T08:00"))


async def test_a_view_is_kept_changed_shared_and_removed(both: Rig, supervisor: Actor):
    other = Actor(user_id=13, login="park", name="박슈퍼", role=Role.SUPERVISOR)
    kept = {"address": "/stats", "span": "last_week"}
    first = await save_report(both, actor=supervisor, name=" 주간  문의 ", **kept)
    assert (
        await save_report(both, actor=supervisor, name="주간 문의", address="/stats?mall=alpha", span="last_week")
        == first
    )
    assert await read_saved_reports(both, actor=other) == ()
    with pytest.raises(NotFoundError):
        await remove_report(both, actor=other, report_id=first)

    await save_report(both, actor=supervisor, name="주간 문의", is_shared=True, **kept)
    (seen,) = await read_saved_reports(both, actor=other)
    assert (seen.name, seen.address, seen.is_own, seen.owner) == ("주간 문의", "/stats", False, "lee@centre.example")
    await remove_report(both, actor=other, report_id=first)
    assert await read_saved_reports(both, actor=supervisor) == ()


async def test_a_name_is_a_line_of_text(mailing: Rig, supervisor: Actor):
    for name in ("", "   ", "x" * 61, "a\x00b", "a\u202eb"):
        with pytest.raises(SavedReportError, match="name"):
            await save_report(mailing, actor=supervisor, name=name, address="/stats", span="yesterday")


async def test_nobody_keeps_more_than_so_many(mailing: Rig, supervisor: Actor):
    for number in range(MOST):
        await save_report(mailing, actor=supervisor, name=f"{number}", address="/stats", span="yesterday")

    with pytest.raises(SavedReportError, match="many"):
        await save_report(mailing, actor=supervisor, name="one more", address="/stats", span="yesterday")

    assert len(await read_saved_reports(mailing, actor=supervisor)) == MOST


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "recipients"),
        ("nobody", "recipients"),
        ("a@b.example\r\nBcc: c@d.example", "recipients"),
        ("ａ@centre.example", "recipients"),
        ("x@centre.example.evil.example", "not_allowed"),
        ("x@evil.example", "not_allowed"),
        ("lee@centre.example, x@gmail.com", "not_allowed"),
        (",".join(f"a{number}@centre.example" for number in range(21)), "recipients"),
    ],
)
def test_figures_go_only_to_colleagues_and_to_those_whom_the_settings_name(text: str, key: str):
    with pytest.raises(SavedReportError, match=f"^{key}$"):
        read_recipients(text, SETTINGS.report_addresses | {"lee@centre.example"})


async def test_an_agent_neither_sees_nor_schedules_reports(mailing: Rig, supervisor: Actor, agent: Actor):
    schedule = await planned(mailing, supervisor)

    with pytest.raises(ForbiddenError):
        await read_saved_reports(mailing, actor=agent)
    with pytest.raises(ForbiddenError):
        await ask_for_mail(mailing, actor=agent, schedule_id=schedule.schedule_id, token="t")
    with pytest.raises(ForbiddenError):
        await remove_schedule(mailing, actor=agent, schedule_id=schedule.schedule_id)


async def test_two_workers_make_and_send_one_mail(both: Rig, supervisor: Actor):
    post = Post()
    schedule = await planned(both, supervisor, recipients="MD@partner.example park@elsewhere.example")
    assert schedule.next_at == MORNING
    assert await look(both, post) == []

    both.at = MORNING + timedelta(seconds=3)
    await asyncio.gather(make_due_mails(both), make_due_mails(both))
    (due,) = await mails_to_send(both.database, now=both.now())
    sent = await asyncio.gather(*(send_mail(both, due, figures=figures, sender=post) for _ in range(2)))

    assert sorted(sent, key=str) == [None, MailState.SENT]
    assert await look(both, post) == []
    (letter,) = post.letters
    assert letter["To"] == "md@partner.example, park@elsewhere.example"
    assert letter["Subject"] == "[hub] 아침 응답 · until 2026-11-21"
    text = letter.get_body()
    assert text is not None
    assert "alpha    12" in text.get_content()
    assert "늦게" not in text.get_content()
    assert "https://desk.example/stats/reports/replies?first=2026-11-20" in text.get_content()
    assert [(part.get_filename(), part.get_content()) for part in letter.iter_attachments()] == [
        ("replies.xlsx", b"PK")
    ]
    mail = await newest(both, supervisor)
    assert (mail.state, mail.tries, mail.rows, mail.missed) == (MailState.SENT, 1, 1, 0)
    (after,) = await read_schedules(both, actor=supervisor)
    assert after.next_at == MORNING + timedelta(days=1)


async def test_after_days_without_a_worker_one_mail_goes_out_and_says_so(mailing: Rig, supervisor: Actor):
    post = Post()
    await planned(mailing, supervisor)
    mailing.at = MORNING + timedelta(days=9, hours=2)

    assert await look(mailing, post) == [MailState.SENT]
    assert await look(mailing, post) == []

    text = post.letters[0].get_body()
    assert text is not None
    assert "2026-11-30 08:00(Asia/Seoul)에 보낼 메일이 늦게 발송" in text.get_content()
    assert "9회분" in text.get_content()


async def test_what_was_refused_is_tried_again_raises_an_alert_and_recovers(both: Rig, supervisor: Actor):
    post = Post(trouble=ChannelError("ConnectionRefusedError"))
    await planned(both, supervisor)
    both.at = MORNING

    assert await look(both, post) == [MailState.WAITING]
    assert await look(both, post) == []
    both.at += PAUSES[0]
    assert await look(both, post) == [MailState.WAITING]
    await check_alerts(both, channels=())
    (alert,) = [each for each in await AlertStore(both.database).standing() if each.kind == "report_mail"]
    assert alert.facts == {"report": "아침 응답", "error": "ConnectionRefusedError"}

    post.trouble = None
    both.at += PAUSES[1]
    assert await look(both, post) == [MailState.SENT]
    await check_alerts(both, channels=())
    assert "report_mail" not in {each.kind for each in await AlertStore(both.database).standing()}


async def test_tries_end_within_hours(mailing: Rig, supervisor: Actor):
    post = Post(trouble=ChannelError("SMTPDataError"))
    await planned(mailing, supervisor)
    mailing.at = MORNING
    states = await look(mailing, post)
    for pause in PAUSES:
        mailing.at += pause
        states += await look(mailing, post)

    assert states == [MailState.WAITING] * len(PAUSES) + [MailState.FAILED]
    assert mailing.at < MORNING + timedelta(hours=4)


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (ChannelError("SMTPServerDisconnected", is_unsure=True), MailState.UNKNOWN),
        (ChannelError("SomeRecipientsRefused", is_in_part=True), MailState.PARTLY),
    ],
)
async def test_what_may_have_arrived_is_never_sent_again_by_itself(
    mailing: Rig, supervisor: Actor, trouble: ChannelError, state: MailState
):
    post = Post(trouble=trouble)
    schedule = await planned(mailing, supervisor)
    mailing.at = MORNING
    assert await look(mailing, post) == [state]

    post.trouble = None
    mailing.at += timedelta(hours=5)
    assert await look(mailing, post) == []
    for _ in range(2):
        await ask_for_mail(mailing, actor=supervisor, schedule_id=schedule.schedule_id, token="one form")
    assert await look(mailing, post) == [MailState.SENT]
    assert (await newest(mailing, supervisor)).asked_by == "이슈퍼"


async def test_a_mail_of_a_process_that_died_is_unknown_and_stays_so(mailing: Rig, supervisor: Actor):
    await planned(mailing, supervisor)
    mailing.at = MORNING
    await make_due_mails(mailing)
    begun = {"state": MailState.SENDING.value, "begun_at": to_ms(MORNING)}
    async with mailing.database.writing() as connection:
        await connection.execute(update(report_mails).values(begun))

    mailing.at += BEGUN_FOR
    assert await look(mailing, Post()) == []
    assert (await newest(mailing, supervisor)).state is MailState.SENDING
    mailing.at += timedelta(seconds=1)
    assert await look(mailing, Post()) == []
    mail = await newest(mailing, supervisor)
    assert (mail.state, mail.error) == (MailState.UNKNOWN, "BrokenOff")


async def test_a_worker_that_is_stopped_notes_how_its_letter_ended(mailing: Rig, supervisor: Actor):
    taken, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Post):
        async def send(self, letter: EmailMessage) -> None:
            taken.set()
            await go_on.wait()
            await super().send(letter)

    post = Slow()
    await planned(mailing, supervisor)
    mailing.at = MORNING
    task = asyncio.create_task(look(mailing, post))
    await taken.wait()
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert len(post.letters) == 1
    assert (await newest(mailing, supervisor)).state is MailState.SENT


async def test_who_may_not_see_figures_any_more_gets_none(mailing: Rig, supervisor: Actor):
    post = Post()
    await planned(mailing, supervisor, recipients="md@partner.example, park@elsewhere.example")
    mailing.settings = SETTINGS.model_copy(update={"report_recipients": None})
    mailing.at = MORNING
    assert await look(mailing, post) == [MailState.SENT]
    assert post.letters[0]["To"] == "park@elsewhere.example"

    async with mailing.database.writing() as connection:
        await connection.execute(update(users).where(users.c.id == 13).values(is_active=False))
    mailing.at += timedelta(days=1)
    assert await look(mailing, post) == [MailState.FAILED]
    assert (await newest(mailing, supervisor)).error == "NoRecipients"


async def test_a_view_that_cannot_be_counted_any_more_fails_at_once(mailing: Rig, supervisor: Actor):
    await planned(mailing, supervisor)
    mailing.at = MORNING
    await make_due_mails(mailing)
    (due,) = await mails_to_send(mailing.database, now=mailing.now())

    async def broken(_wanted: Wanted) -> Figures:
        kind = "SpanError"
        raise UnreadableReportError(kind)

    assert await send_mail(mailing, due, figures=broken, sender=Post()) is MailState.FAILED


async def test_without_a_mail_server_it_waits_and_a_removed_schedule_ends_it(mailing: Rig, supervisor: Actor):
    schedule = await planned(mailing, supervisor)
    mailing.settings = SETTINGS.model_copy(update={"smtp_host": None})
    mailing.at = MORNING
    await make_due_mails(mailing)
    (due,) = await mails_to_send(mailing.database, now=mailing.now())
    assert await send_mail(mailing, due, figures=figures) is MailState.WAITING
    assert (await newest(mailing, supervisor)).error == "NoMailServer"

    await remove_schedule(mailing, actor=supervisor, schedule_id=schedule.schedule_id)
    await make_due_mails(mailing)
    mail = await newest(mailing, supervisor)
    assert (mail.state, mail.error) == (MailState.FAILED, "Removed")


async def test_addresses_stand_sealed(mailing: Rig, supervisor: Actor):
    await planned(mailing, supervisor)
    mailing.at = MORNING
    await look(mailing, Post())

    async with mailing.database.reading() as connection:
        rows = [dict(row) for row in (await connection.execute(select(report_mails))).mappings()]
    assert rows
    assert "partner" not in json.dumps(rows, default=repr)


class _Server(socketserver.StreamRequestHandler):
    """A mail server that says ``after`` once it has the letter, or hangs up."""

    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            if line[:4].upper() == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
                if server.after is None:
                    return
                self.wfile.write(server.after)
            elif line[:4].upper() == b"QUIT":
                self.wfile.write(b"500 what\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def server() -> Iterator[Any]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("after", "raised"),
    [
        (b"250 taken\r\n", None),
        (b"554 no\r\n", ("SMTPDataError", False)),
        (None, ("SMTPServerDisconnected", True)),
    ],
)
async def test_a_letter_is_taken_refused_or_nobody_knows(
    server: Any, after: bytes | None, raised: tuple[str, bool] | None
):
    server.after = after
    letter = EmailMessage()
    letter["From"], letter["To"] = "hub.example.com", "a@example.com"
    letter.set_content("figures")
    sender = MailSender(SETTINGS.model_copy(update={"smtp_port": server.server_address[1]}))

    if raised is None:
        await sender.send(letter)
        return
    with pytest.raises(ChannelError) as caught:
        await sender.send(letter)
    assert (caught.value.kind, caught.value.is_unsure) == raised
