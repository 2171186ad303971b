"""What is wrong is said once, in words that tell what to do, and once when it is over; nothing of it is lost."""

import asyncio
import json
import re
import socketserver
import string
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from hub.core.contract import Feed
from hub.desk.access import Actor, ForbiddenError
from hub.desk.alerting import check as alert_check
from hub.desk.alerting import words as alert_words
from hub.desk.alerting.alerts import (
    AlertFacts,
    CountCheck,
    Quarantined,
    StuckQueue,
    TroubledMail,
    UnknownAction,
    find_alerts,
    last_morning,
    read_alert_facts,
)
from hub.desk.alerting.channels import Channel, MailChannel, WebhookChannel, channels_of
from hub.desk.alerting.check import Checked, check_alerts, read_alerts, try_channels, watch_alerts
from hub.desk.alerting.words import KINDS, sentence
from hub.desk.sending import ChannelError
from hub.desk.shops.consent import ConsentState, ConsentStatus
from hub.desk.shops.status import FeedError, FeedStatus, ShopStatus, Status
from hub.settings import Settings
from hub.store.alerts import MOST_TRIES, AlertStore, Change, Event, Finding, Severity, StoredAlert
from hub.store.database import to_ms
from hub.store.health import Check
from hub.store.ids import new_id
from hub.store.leases import LEASE_SECONDS
from hub.store.tables import actions, leases, quarantine, rereads
from tests.desk.invented import BUYER, NOW, Rig

#: 09:00 in Seoul
AT = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)
SETTINGS = Settings(alert_disk_free_mb=100)


def _feed(*, as_of: datetime | None = AT, error: FeedError | None = None, breaker: str = "closed") -> FeedStatus:
    return FeedStatus(
        feed=Feed.ORDERS,
        data_as_of=as_of,
        complete=as_of is not None and error is None,
        known=1,
        missing=[],
        missing_count=0,
        quarantined=0,
        breaker=breaker,
        next_run=None,
        error=error,
        unknown_codes={},
    )


def _status(feed: FeedStatus | None = None, *, at: datetime = AT, worker: bool = True, **shop: Any) -> Status:
    feed = feed or _feed()
    one = ShopStatus(shop="main", mall="alpha", complete=feed.complete, feeds=[feed], **shop)
    return Status(at=at, complete=feed.complete, worker_seen=worker, shops=[one])


def _facts(**more: Any) -> AlertFacts:
    given: dict[str, Any] = {
        "shop_since": {"main": AT - timedelta(days=30)},
        "quarantined": {},
        "had_worker": True,
        "worker_seen_at": None,
        "unknown_actions": (),
        "stuck_queues": (),
        "disk_free_mb": 50_000,
        "schema": Check.OK,
    }
    return AlertFacts(**(given | more))


def _found(status: Status, facts: AlertFacts | None = None) -> dict[str, Finding]:
    return {finding.key: finding for finding in find_alerts(status, facts or _facts(), settings=SETTINGS)}


def _error(kind: str, *, minutes: float) -> FeedError:
    return FeedError(kind=kind, message="홍길동 010-1234-5678", since=AT - timedelta(minutes=minutes))


def test_nothing_wrong_is_nothing():
    assert _found(_status()) == {}


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        ("2026-11-21T20:59:59Z", "2026-11-20T21:00:00Z"),
        ("2026-11-21T21:00:00Z", "2026-11-21T21:00:00Z"),
        ("2026-11-22T14:59:00Z", "2026-11-21T21:00:00Z"),
        ("2026-11-22T15:01:00Z", "2026-11-21T21:00:00Z"),
    ],
    ids=["before six", "at six", "before midnight", "after midnight"],
)
def test_the_morning_is_that_of_the_centre(at: str, morning: str):
    assert last_morning(datetime.fromisoformat(at), SETTINGS.zone) == datetime.fromisoformat(morning)


@pytest.mark.parametrize(
    ("as_of", "is_late"),
    [
        (None, True),
        (datetime(2026, 11, 21, 14, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 15, 0, tzinfo=UTC), False),
        (AT, False),
    ],
    ids=["never", "yesterday", "after midnight", "now"],
)
def test_a_shop_that_was_not_read_in_the_night_is_late(as_of: datetime | None, is_late: bool):
    found = _found(_status(_feed(as_of=as_of)))

    assert ("incomplete:main" in found) is is_late
    if is_late:
        assert (found["incomplete:main"].since, found["incomplete:main"].facts["feeds"]) == (MORNING, "orders")


def test_a_shop_that_fails_since_before_six_is_late_and_one_that_fails_later_is_not():
    before = _found(_status(_feed(error=_error("access", minutes=200))))
    after = _found(_status(_feed(error=_error("access", minutes=5))))

    assert "incomplete:main" in before
    assert "incomplete:main" not in after


def test_a_shop_that_is_new_since_the_morning_is_not_late():
    assert _found(_status(_feed(as_of=None)), _facts(shop_since={"main": AT - timedelta(hours=1)})) == {}


@pytest.mark.parametrize(
    ("state", "kind", "severity"),
    [
        (ConsentState.VALID, None, None),
        (ConsentState.UNTRIED, None, None),
        (ConsentState.ENDING, "consent_ending", Severity.WARNING),
        (ConsentState.ENDED, "consent_ended", Severity.CRITICAL),
        (ConsentState.NONE, "consent_ended", Severity.CRITICAL),
    ],
)
def test_a_consent_about_to_end(state: ConsentState, kind: str | None, severity: Severity | None):
    found = _found(_status(consent=ConsentStatus(state=state, days_left=2))).get("consent:main")

    assert (found and found.kind, found and found.severity) == (kind, severity)


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("access", Severity.CRITICAL), ("internal", Severity.CRITICAL), ("rate_limited", Severity.WARNING)],
)
def test_a_feed_that_fails_is_named_with_its_reason_and_nothing_else(kind: str, severity: Severity):
    found = _found(_status(_feed(error=_error(kind, minutes=16))))["failing:main:orders"]

    assert (found.kind, found.severity, found.patience) == ("failing", severity, timedelta(minutes=15))
    assert (found.facts, found.since) == (
        {"shop": "main", "feed": "orders", "error": kind},
        AT - timedelta(minutes=16),
    )


@pytest.mark.parametrize("breaker", ["open", "half_open"])
def test_an_open_breaker_is_one_alert_of_the_shop(breaker: str):
    since = AT - timedelta(minutes=40)
    feed = _feed(error=_error("unavailable", minutes=16), breaker=breaker)

    found = _found(_status(msgspec.structs.replace(feed, breaker_since=since)))

    assert set(found) == {"breaker:main"}
    assert (found["breaker:main"].since, found["breaker:main"].patience) == (since, timedelta(minutes=15))


@pytest.mark.parametrize(
    ("now", "before", "is_wrong"), [(19, 0, False), (20, 0, True), (25, 20, False), (3, 50, False)]
)
def test_a_quarantine_that_grows(now: int, before: int, is_wrong: bool):
    found = _found(_status(), _facts(quarantined={"main": Quarantined(now=now, before=before)}))

    assert ("quarantine:main" in found) is is_wrong


def test_the_machine_the_worker_the_queue_and_the_outbox():
    facts = _facts(
        worker_seen_at=AT - timedelta(minutes=6),
        disk_free_mb=99,
        schema=Check.OTHER,
        unknown_actions=(UnknownAction(id=7, shop="main", action="dispatch", since=AT),),
        stuck_queues=(StuckQueue(shop="main", waiting=3, since=AT),),
    )

    found = _found(_status(worker=False), facts)

    assert set(found) == {"worker", "disk", "schema", "action:7", "queue:main"}
    assert found["worker"].since == AT - timedelta(minutes=6)
    assert found["action:7"].patience == timedelta(hours=1)


def test_a_hub_without_shops_misses_no_worker():
    assert find_alerts(Status(at=AT, complete=True, worker_seen=False, shops=[]), _facts(), settings=SETTINGS) == ()


def test_a_hub_that_cron_alone_has_ever_read_misses_no_worker():
    assert _found(_status(worker=False), _facts(had_worker=False)) == {}
    assert set(_found(_status(worker=False), _facts())) == {"worker"}


@pytest.mark.parametrize(("until", "had_worker"), [(None, False), (0, True)], ids=["never seen", "ended properly"])
async def test_whether_there_ever_was_a_worker_is_read(rig: Rig, until: int | None, had_worker: bool):
    if until is not None:
        async with rig.database.writing() as connection:
            await connection.execute(leases.insert(), [{"name": "worker:w1", "owner": "x", "until_at": until}])

    facts = await read_alert_facts(rig)

    assert (facts.had_worker, facts.worker_seen_at) == (had_worker, None)


def _stored(kind: str, **facts: str) -> StoredAlert:
    return StoredAlert(
        id=1,
        key=kind,
        kind=kind,
        severity=Severity.WARNING,
        facts=facts,
        since=AT,
        raised_at=AT,
        recovered_at=None,
    )


def test_every_kind_has_its_sentence_with_what_to_do_in_both_languages():
    errors = [_feed(error=_error("unavailable", minutes=20), breaker="open"), _feed(error=_error("access", minutes=20))]
    states = [ConsentState.ENDING, ConsentState.ENDED]
    facts = _facts(
        quarantined={"main": Quarantined(now=99, before=0)},
        disk_free_mb=1,
        schema=Check.OTHER,
        unknown_actions=(UnknownAction(id=7, shop="main", action="dispatch", since=AT),),
        stuck_queues=(StuckQueue(shop="main", waiting=3, since=AT),),
        count_check=CountCheck(at=AT, differences=2),
        troubled_mails=(TroubledMail(schedule_id=3, report="weekly", error="NoMailServer", since=AT),),
    )
    found = [
        finding
        for feed, state in zip(errors, states, strict=True)
        for finding in find_alerts(
            _status(
                msgspec.structs.replace(feed, data_as_of=None),
                worker=False,
                consent=ConsentStatus(state=state, days_left=1),
            ),
            facts,
            settings=SETTINGS,
        )
    ]

    assert {finding.kind for finding in found} == set(KINDS) - {"test"}
    for finding in found:
        words = alert_words._SENTENCES[finding.kind]
        gaps = {name for text in (words.ko, words.en) for _, name, _, _ in string.Formatter().parse(text) if name}
        assert gaps <= set(finding.facts)
        said = sentence(_stored(finding.kind, **finding.facts))
        assert re.search("[가-힣]", said.ko)
        assert not re.search("[가-힣]", said.en)
        # What is wrong is one sentence, what to do another.
        assert min(text.count(". ") + text.count(".\n") + text.endswith(".") for text in (said.ko, said.en)) >= 1


def test_a_kind_of_a_newer_program_and_a_lost_fact_do_not_break_the_list():
    assert sentence(_stored("brand_new")).en == "brand_new"
    assert "?" in sentence(_stored("disk")).ko


# Remembered in the store, on both kinds of database.


class Ear:
    """A channel that keeps what it was told, or refuses it."""

    name = "webhook"

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.error: str | None = None

    async def send(self, alert: StoredAlert, event: Event) -> None:
        if self.error is not None:
            raise ChannelError(self.error)
        self.told.append((alert.key, event.value))


def _finding(*, severity: Severity = Severity.WARNING, **more: Any) -> Finding:
    given: dict[str, Any] = {"key": "disk", "kind": "disk", "facts": {"free": "1"}, "since": None}
    return Finding(severity=severity, **(given | more))


async def _settle(rig: Rig, *findings: Finding, minutes: float = 0, is_daily: bool = False) -> Change:
    return await AlertStore(rig.database).settle(
        findings, now=NOW + timedelta(minutes=minutes), channels=["webhook"], is_daily=is_daily
    )


async def _queued(rig: Rig) -> list[str]:
    due = await AlertStore(rig.database).due(now=NOW + timedelta(days=99))
    return [f"{message.alert.key} {message.event.value}" for message in due]


async def test_an_alert_is_told_once_and_its_end_once(rig: Rig):
    changes = [await _settle(rig, _finding(), minutes=minute) for minute in (0, 1, 5000)]
    ends = [await _settle(rig, minutes=minute) for minute in (5001, 5002)]

    assert changes == [Change(raised=1), Change(), Change()]
    assert ends == [Change(recovered=1), Change()]
    assert await _queued(rig) == ["disk raised", "disk recovered"]


async def test_what_comes_again_is_told_again(rig: Rig):
    for minute, findings in enumerate(([_finding()], [], [_finding()])):
        await _settle(rig, *findings, minutes=minute)

    store = AlertStore(rig.database)
    assert await _queued(rig) == ["disk raised", "disk recovered", "disk raised"]
    assert (len(await store.standing()), len(await store.over())) == (1, 1)


async def test_a_reminder_comes_daily_where_it_is_wanted(rig: Rig):
    changes = [await _settle(rig, _finding(), minutes=minute, is_daily=True) for minute in (0, 1439, 1440, 1441, 2880)]

    assert [change.reminded for change in changes] == [0, 0, 1, 0, 1]


async def test_what_is_over_before_its_patience_ends_was_never_there(rig: Rig):
    finding = _finding(patience=timedelta(minutes=5))

    changes = [await _settle(rig, finding), await _settle(rig, finding, minutes=4), await _settle(rig, minutes=4.5)]

    assert changes == [Change(), Change(), Change()]
    assert await _queued(rig) == []
    assert (await _settle(rig, finding, minutes=5)) == Change()
    assert (await _settle(rig, finding, minutes=10)) == Change(raised=1)


async def test_a_known_beginning_counts_at_once(rig: Rig):
    finding = _finding(patience=timedelta(minutes=5), since=NOW - timedelta(minutes=5))

    assert await _settle(rig, finding) == Change(raised=1)


async def test_a_warning_that_becomes_critical_is_told_again_and_the_way_back_is_not(rig: Rig):
    grave = _finding(severity=Severity.CRITICAL)

    changes = [await _settle(rig, each, minutes=1) for each in (_finding(), grave, grave, _finding())]

    assert [change.raised for change in changes] == [1, 1, 0, 0]


async def test_two_who_look_at_once_tell_once(rig: Rig):
    rig.settings = Settings(alert_disk_free_mb=10_000_000)
    ear = Ear()

    looked = await asyncio.gather(*(check_alerts(rig, channels=[ear]) for _ in range(5)))

    assert sum(each.change.raised for each in looked) >= 1
    assert sorted(ear.told) == sorted(set(ear.told))
    assert ("disk", "raised") in ear.told


async def test_a_look_that_breaks_does_not_end_the_watch(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    looks = 0

    async def look(_: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            message = "database is locked"
            raise RuntimeError(message)

    async def sleep(seconds: float) -> None:
        assert seconds == 60
        if looks == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(alert_check, "check_alerts", look)
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await watch_alerts(rig, sleep=sleep)

    assert (looks, [line["event"] for line in logs]) == (2, ["alerts.check.failed"])


async def test_what_a_channel_does_not_take_waits_and_is_told_once(rig: Rig):
    rig.settings = Settings(alert_disk_free_mb=10_000_000)
    ear = Ear()
    ear.error = "HTTP503"

    first = await check_alerts(rig, channels=[ear])
    too_soon = await check_alerts(rig, channels=[ear])
    rig.at += timedelta(minutes=1)
    ear.error = None
    then = await check_alerts(rig, channels=[ear])
    again = await check_alerts(rig, channels=[ear])

    assert (first.failed, too_soon.failed, too_soon.sent) == (first.change.raised, 0, 0)
    assert (then.sent >= first.failed, again.sent) == (True, 0)
    assert ear.told.count(("disk", "raised")) == 1


async def test_a_channel_that_never_takes_it_is_given_up_and_counted(rig: Rig, supervisor: Actor):
    await _settle(rig, _finding())
    store = AlertStore(rig.database)

    given_up = []
    for day in range(MOST_TRIES):
        at = NOW + timedelta(days=day)
        (message,) = await store.due(now=at)
        given_up.append(await store.note_failed(message, kind="HTTP500", now=at))

    assert given_up == [False] * (MOST_TRIES - 1) + [True]
    assert await _queued(rig) == []
    assert (await read_alerts(rig, actor=supervisor)).undelivered == {"webhook": 1}


async def test_a_channel_that_was_switched_off_holds_nothing_up(rig: Rig):
    await _settle(rig, _finding())

    checked = await check_alerts(rig, channels=[])

    assert (checked.sent, checked.failed, checked.is_busy) == (0, 0, False)


async def test_what_the_store_tells(rig: Rig):
    shop = rig.shops["alpha-main"].id
    hour = timedelta(hours=1)

    def record(key: str, *, first: timedelta, resolved: timedelta | None = None) -> dict[str, Any]:
        return {
            "id": new_id(),
            "shop_id": shop,
            "feed": "orders",
            "key": key,
            "error": "x",
            "payload_sealed": b"",
            "payload_hash": b"",
            "first_seen_at": to_ms(NOW - first),
            "last_seen_at": to_ms(NOW),
            "resolved_at": to_ms(NOW - resolved) if resolved else None,
        }

    def action(order_no: str, outcome: str, *, ago: timedelta) -> dict[str, Any]:
        return {
            "id": new_id(),
            "shop_id": shop,
            "action": "dispatch",
            "order_no": order_no,
            "outcome": outcome,
            "lines": "[]",
            "created_at": to_ms(NOW - ago),
            "finished_at": to_ms(NOW - ago),
        }

    def wish(key: str, *, due: timedelta, tries: int = 0) -> dict[str, Any]:
        at = to_ms(NOW - due)
        return {"shop_id": shop, "what": "order", "key": key, "asked_at": at, "due_at": at, "tries": tries}

    async with rig.database.writing() as connection:
        await connection.execute(
            quarantine.insert(),
            [
                record("old", first=48 * hour),
                record("new", first=hour),
                record("healed today", first=48 * hour, resolved=hour),
                record("healed before", first=48 * hour, resolved=30 * hour),
            ],
        )
        await connection.execute(
            actions.insert(),
            [
                action("A", "unknown", ago=2 * hour),
                action("B", "unknown", ago=2 * hour),
                action("B", "done", ago=hour),
                action("C", "done", ago=hour),
                action("D", "unknown", ago=24 * 8 * hour),
            ],
        )
        await connection.execute(
            rereads.insert(), [wish("1", due=hour), wish("2", due=-hour, tries=4), wish("3", due=hour / 60)]
        )
        seen = {"name": "worker:w1", "owner": "x", "until_at": to_ms(NOW - hour)}
        await connection.execute(leases.insert(), [seen])

    facts = await read_alert_facts(rig)

    assert facts.quarantined == {"alpha-main": Quarantined(now=2, before=2)}
    assert [(each.shop, each.action, each.since) for each in facts.unknown_actions] == [
        ("alpha-main", "dispatch", NOW - 2 * hour)
    ]
    assert [(each.shop, each.waiting) for each in facts.stuck_queues] == [("alpha-main", 2)]
    assert facts.had_worker
    assert facts.worker_seen_at == NOW - hour - timedelta(seconds=LEASE_SECONDS)
    assert (facts.schema, set(facts.shop_since)) == (Check.OK, set(rig.shops))


async def test_agents_do_not_see_them(rig: Rig, agent: Actor, supervisor: Actor):
    with pytest.raises(ForbiddenError):
        await read_alerts(rig, actor=agent)

    assert (await read_alerts(rig, actor=supervisor)).standing == ()


async def test_no_personal_datum_stands_in_an_alert(sample: Rig, supervisor: Actor):
    sample.settings = Settings(alert_disk_free_mb=10_000_000)
    sample.at += timedelta(days=3)
    async with sample.database.writing() as connection:
        await connection.execute(
            actions.insert(),
            [
                {
                    "id": new_id(),
                    "shop_id": sample.shops["alpha-main"].id,
                    "action": "dispatch",
                    "order_no": "A-1",
                    "outcome": "unknown",
                    "lines": "[]",
                    "error_message": BUYER.name,
                    "created_at": to_ms(sample.at - timedelta(hours=3)),
                    "finished_at": to_ms(sample.at - timedelta(hours=3)),
                }
            ],
        )
    bodies: list[str] = []
    channel = WebhookChannel("https://alerts.example.com/hook", transport=_answers(200, bodies))

    checked = await check_alerts(sample, channels=[channel])

    view = await read_alerts(sample, actor=supervisor)
    kinds = {json.loads(body)["kind"] for body in bodies}
    assert {"incomplete", "disk", "action"} <= kinds
    assert checked.sent == len(bodies) == len(view.standing)
    told = f"{bodies} {view}"
    for secret in (BUYER.name, BUYER.phone, BUYER.email, "A-1", "테헤란로"):
        assert secret is not None
        assert secret not in told


# The channels themselves.


def _answers(status: int, bodies: list[str]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content.decode())
        return httpx.Response(status)

    return httpx.MockTransport(answer)


async def test_a_webhook_is_told_what_is_wrong_in_both_languages():
    bodies: list[str] = []
    alert = _stored("disk", free="12")

    await WebhookChannel("https://alerts.example.com/T0/secret", transport=_answers(204, bodies)).send(
        alert, Event.RECOVERED
    )

    told = json.loads(bodies[0])
    assert (told["event"], told["key"], told["severity"]) == ("recovered", "disk", "warning")
    assert told["text"].startswith("해제: 디스크 여유 공간이 12 MiB")
    assert "12 MiB are left" in told["text_en"]


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_webhook_that_does_not_take_it_says_how_and_never_where(status: int):
    channel = WebhookChannel("https://alerts.example.com/T0/secret", transport=_answers(status, []))

    with pytest.raises(ChannelError) as caught:
        await channel.send(_stored("test"), Event.RAISED)

    assert caught.value.kind == f"HTTP{status}"


class _Post(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs: it offers no encryption."""

    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 mail\r\n")
        while line := self.rfile.readline().strip():
            server.heard.append(line.decode())
            word = line.split()[0].upper()
            if word == b"EHLO":
                self.wfile.write(b"250-mail\r\n250 8BITMIME\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    server.heard.append(line.decode().rstrip())
                self.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def post() -> Iterator[Any]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Post) as server:
        server.heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _mail_settings(post: Any, **more: Any) -> Settings:
    return Settings(
        smtp_host="127.0.0.1",
        smtp_port=post.server_address[1],
        smtp_from="hub.example.com",
        smtp_to="a@example.com, b@example.com",
        **more,
    )


async def test_a_mail_goes_to_everybody(post: Any):
    (channel,) = channels_of(_mail_settings(post, smtp_security="none"))

    await channel.send(_stored("disk", free="7", shop="main\r\nBcc: c@example.com"), Event.RAISED)

    heard = post.heard
    assert [line for line in heard if line.lower().startswith("rcpt")] == [
        "rcpt TO:<a@example.com>",
        "rcpt TO:<b@example.com>",
    ]
    assert "Auto-Submitted: auto-generated" in heard
    assert not [line for line in heard if line.lower().startswith("bcc")]


async def test_no_password_and_no_letter_go_over_an_open_line(post: Any):
    channel = MailChannel(_mail_settings(post, smtp_user="hub", smtp_password=SecretStr("hunter2")))

    with pytest.raises(ChannelError) as caught:
        await channel.send(_stored("test"), Event.RAISED)

    assert caught.value.kind == "SMTPNotSupportedError"
    assert [line.split()[0].lower() for line in post.heard] in (["ehlo"], ["ehlo", "quit"])


async def test_a_mail_server_that_is_not_there_is_an_error_of_the_channel(post: Any):
    settings = _mail_settings(post, smtp_security="none").model_copy(update={"smtp_port": 1})

    with pytest.raises(ChannelError) as caught:
        await MailChannel(settings).send(_stored("test"), Event.RAISED)

    assert caught.value.kind == "ConnectionRefusedError"


async def test_a_test_says_what_each_channel_did(rig: Rig, supervisor: Actor):
    deaf = Ear()
    deaf.error = "HTTP500"
    channels: list[Channel] = [Ear(), deaf]

    tested = await try_channels(rig, channels=channels)

    assert [(each.channel, each.error) for each in tested] == [
        ("screen", None),
        ("webhook", None),
        ("webhook", "HTTP500"),
    ]
    view = await read_alerts(rig, actor=supervisor)
    assert ([each.kind for each in view.over], view.standing) == (["test"], ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"alert_webhook_url": "http://alerts.example.com/T0/secret"},
        {"smtp_host": "mail.example.com"},
        {"smtp_host": "mail.example.com", "smtp_to": "a@b"},
        {"smtp_host": "mail.example.com", "smtp_from": "a@b", "smtp_to": "a@b", "smtp_security": "none"},
        {"smtp_security": "ssl3"},
    ],
)
def test_settings_that_would_tell_in_the_clear_or_to_nobody_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError) as caught:
        Settings(**wrong)

    assert "T0/secret" not in " ".join(str(item["msg"]) for item in caught.value.errors())


def test_without_settings_there_is_no_channel():
    assert channels_of(Settings()) == ()
    assert Checked().change == Change()


@pytest.mark.parametrize("nobody", [None, " , "])
def test_mail_for_questions_alone_sends_no_alert_by_mail(nobody: str | None):
    settings = Settings(smtp_host="mail.example.com", smtp_from="a@b", smtp_to=nobody)

    assert channels_of(settings) == ()
