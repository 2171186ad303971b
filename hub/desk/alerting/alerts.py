"""What is wrong now: pure on top of the status and a few facts, so that every case of it can be tried."""

import shutil
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Outcome
from hub.core.errors import MallTimeoutError, RateLimitedError, TransientMallError, UnavailableError
from hub.desk.services import Services
from hub.desk.shops.consent import ConsentState
from hub.desk.shops.status import WORKER_LEASE, FeedStatus, ShopStatus, Status
from hub.settings import Settings
from hub.store.alerts import Finding, Severity
from hub.store.database import from_ms, time_of, to_ms
from hub.store.health import Check, read_health
from hub.store.leases import LEASE_SECONDS
from hub.store.tables import actions, count_checks, leases, quarantine, report_mails, rereads, shops

#: from here on the day's data is expected to be whole, by the clock of the centre
MORNING: Final = time(6, 0)
#: a mall that is down comes back by itself, mostly sooner
BREAKER_PATIENCE: Final = timedelta(minutes=15)
WORKER_PATIENCE: Final = timedelta(minutes=5)
ACTION_PATIENCE: Final = timedelta(hours=1)
#: an outcome that nobody looked up in a week is history, not news
ACTION_FORGOTTEN: Final = timedelta(days=7)
QUEUE_PATIENCE: Final = timedelta(minutes=15)
#: tries of one webhook's reading until the queue counts as stuck: a quarter of an hour after the first
QUEUE_TRIES: Final = 4
_DAY: Final = timedelta(days=1)
_MIB: Final = 1024 * 1024
_OPEN: Final = frozenset({"open", "half_open"})
#: kinds of errors that mostly pass by themselves
_TRANSIENT: Final = frozenset(
    error.kind for error in (TransientMallError, UnavailableError, MallTimeoutError, RateLimitedError)
)


class Quarantined(Struct, frozen=True, kw_only=True):
    """Unresolved records of a shop now, and how many of a day ago stood there then."""

    now: int
    before: int


class UnknownAction(Struct, frozen=True, kw_only=True):
    """A write whose answer was lost and that nobody has done again since."""

    id: int
    shop: str
    action: str
    since: datetime


class StuckQueue(Struct, frozen=True, kw_only=True):
    shop: str
    waiting: int
    since: datetime


class CountCheck(Struct, frozen=True, kw_only=True):
    """The newest comparison of kept counts with their events."""

    at: datetime
    differences: int


class TroubledMail(Struct, frozen=True, kw_only=True):
    """The newest mail of a schedule that did not go out as it should have. ``error``: kind of what went wrong."""

    schedule_id: int
    report: str
    error: str
    since: datetime


class AlertFacts(Struct, frozen=True, kw_only=True):
    """What the status does not tell. ``had_worker``: one was seen at some time; where cron reads the shops
    there never was, and none is missed. ``worker_seen_at``: when the newest was last alive, if known.
    """

    shop_since: dict[str, datetime]
    quarantined: dict[str, Quarantined]
    had_worker: bool
    worker_seen_at: datetime | None
    unknown_actions: tuple[UnknownAction, ...]
    stuck_queues: tuple[StuckQueue, ...]
    disk_free_mb: int
    schema: Check
    count_check: CountCheck | None = None
    troubled_mails: tuple[TroubledMail, ...] = ()


def find_alerts(status: Status, facts: AlertFacts, *, settings: Settings) -> tuple[Finding, ...]:
    """Everything that is wrong at ``status.at``, in no order. A finding may still have to last (``patience``)."""
    found: list[Finding] = []
    for shop in status.shops:
        found += _late(shop, status.at, settings.zone, since=facts.shop_since.get(shop.shop))
        found += _consent(shop)
        found += _breaker(shop) or [finding for feed in shop.feeds for finding in _failing(shop, feed)]
        found += _quarantine(shop, facts, growth=settings.alert_quarantine)
    if status.shops and facts.had_worker and not status.worker_seen:
        found.append(
            Finding(
                key="worker",
                kind="worker",
                severity=Severity.CRITICAL,
                facts={},
                since=facts.worker_seen_at,
                patience=WORKER_PATIENCE,
            )
        )
    found += [_action(action) for action in facts.unknown_actions]
    found += [_queue(queue) for queue in facts.stuck_queues]
    found += _counts(facts.count_check)
    found += [_mail(mail) for mail in facts.troubled_mails]
    found += _machine(facts, settings)
    return tuple(found)


def last_morning(at: datetime, zone: ZoneInfo) -> datetime:
    """The newest 06:00 of the centre that is not after ``at``."""
    local = at.astimezone(zone)
    today = datetime.combine(local.date(), MORNING, zone)
    return today if today <= local else datetime.combine(local.date() - _DAY, MORNING, zone)


def _late(shop: ShopStatus, at: datetime, zone: ZoneInfo, *, since: datetime | None) -> list[Finding]:
    """A feed that was not read whole in the night before the newest morning, and not since."""
    morning = last_morning(at, zone)
    midnight = datetime.combine(morning.date(), time(0, 0), zone)
    if since is not None and since > morning:
        return []
    late = [
        feed.feed.value
        for feed in shop.feeds
        if feed.data_as_of is None
        or feed.data_as_of < midnight
        or (feed.error is not None and feed.error.since is not None and feed.error.since <= morning)
    ]
    if not late:
        return []
    return [
        Finding(
            key=f"incomplete:{shop.shop}",
            kind="incomplete",
            severity=Severity.CRITICAL,
            facts={"shop": shop.shop, "feeds": ", ".join(late)},
            since=morning,
        )
    ]


def _consent(shop: ShopStatus) -> list[Finding]:
    consent = shop.consent
    if consent is None or not consent.is_alarming:
        return []
    is_ending = consent.state is ConsentState.ENDING
    return [
        Finding(
            key=f"consent:{shop.shop}",
            kind="consent_ending" if is_ending else "consent_ended",
            severity=Severity.WARNING if is_ending else Severity.CRITICAL,
            facts={"shop": shop.shop, "days": str(consent.days_left or 0)},
            since=None,
        )
    ]


def _breaker(shop: ShopStatus) -> list[Finding]:
    """The mall is away for the whole shop: one alert, whatever its feeds say."""
    feed = next((feed for feed in shop.feeds if feed.breaker in _OPEN), None)
    if feed is None:
        return []
    error = next((each.error for each in shop.feeds if each.error is not None), None)
    return [
        Finding(
            key=f"breaker:{shop.shop}",
            kind="breaker",
            severity=Severity.WARNING,
            facts={"shop": shop.shop, "error": error.kind if error else "unavailable"},
            since=feed.breaker_since or (error.since if error else None),
            patience=BREAKER_PATIENCE,
        )
    ]


def _failing(shop: ShopStatus, feed: FeedStatus) -> list[Finding]:
    """A feed that fails while the mall is there: most often a reason that only a person can remove."""
    if feed.error is None:
        return []
    passes_by_itself = feed.error.kind in _TRANSIENT
    return [
        Finding(
            key=f"failing:{shop.shop}:{feed.feed.value}",
            kind="failing",
            severity=Severity.WARNING if passes_by_itself else Severity.CRITICAL,
            facts={"shop": shop.shop, "feed": feed.feed.value, "error": feed.error.kind},
            since=feed.error.since,
            patience=BREAKER_PATIENCE,
        )
    ]


def _quarantine(shop: ShopStatus, facts: AlertFacts, *, growth: int) -> list[Finding]:
    counts = facts.quarantined.get(shop.shop)
    if counts is None or counts.now - counts.before < growth:
        return []
    return [
        Finding(
            key=f"quarantine:{shop.shop}",
            kind="quarantine",
            severity=Severity.WARNING,
            facts={"shop": shop.shop, "now": str(counts.now), "before": str(counts.before)},
            since=None,
        )
    ]


def _action(action: UnknownAction) -> Finding:
    return Finding(
        key=f"action:{action.id}",
        kind="action",
        severity=Severity.CRITICAL,
        facts={"shop": action.shop, "action": action.action, "id": str(action.id)},
        since=action.since,
        patience=ACTION_PATIENCE,
    )


def _queue(queue: StuckQueue) -> Finding:
    return Finding(
        key=f"queue:{queue.shop}",
        kind="queue",
        severity=Severity.WARNING,
        facts={"shop": queue.shop, "waiting": str(queue.waiting)},
        since=queue.since,
    )


def _mail(mail: TroubledMail) -> Finding:
    """It stands until a later mail of the same schedule goes out, or the schedule is removed."""
    return Finding(
        key=f"report_mail:{mail.schedule_id}",
        kind="report_mail",
        severity=Severity.WARNING,
        facts={"report": mail.report, "error": mail.error},
        since=mail.since,
    )


def _counts(check: CountCheck | None) -> list[Finding]:
    """It stands until a comparison finds nothing: what was mended once should not have been wrong."""
    if check is None or not check.differences:
        return []
    return [
        Finding(
            key="counts",
            kind="counts",
            severity=Severity.WARNING,
            facts={"differences": str(check.differences)},
            since=check.at,
        )
    ]


def _machine(facts: AlertFacts, settings: Settings) -> list[Finding]:
    found = []
    if facts.disk_free_mb < settings.alert_disk_free_mb:
        free = {"free": str(facts.disk_free_mb)}
        found.append(Finding(key="disk", kind="disk", severity=Severity.CRITICAL, facts=free, since=None))
    if facts.schema is not Check.OK:
        found.append(Finding(key="schema", kind="schema", severity=Severity.CRITICAL, facts={}, since=None))
    return found


async def read_alert_facts(services: Services) -> AlertFacts:
    """What :func:`find_alerts` needs beside the status."""
    now, settings = services.now(), services.settings
    health = await read_health(services.database, keys=settings.home / "keys.json")
    async with services.database.reading() as connection:
        had_worker, worker_seen_at = await _worker(connection)
        born = select(shops.c.name, shops.c.created_at).where(shops.c.is_active)
        return AlertFacts(
            shop_since={
                row.name: at for row in await connection.execute(born) if (at := from_ms(row.created_at)) is not None
            },
            quarantined=await _quarantined(connection, now),
            had_worker=had_worker,
            worker_seen_at=worker_seen_at,
            unknown_actions=await _unknown_actions(connection, now),
            stuck_queues=await _stuck_queues(connection, now),
            disk_free_mb=_free_mb(settings.home),
            schema=health.schema,
            count_check=await _count_check(connection),
            troubled_mails=await _troubled_mails(connection),
        )


async def _count_check(connection: AsyncConnection) -> CountCheck | None:
    newest = select(count_checks.c.at, count_checks.c.differences).order_by(count_checks.c.at.desc()).limit(1)
    row = (await connection.execute(newest)).one_or_none()
    return None if row is None else CountCheck(at=time_of(row.at), differences=row.differences)


async def _troubled_mails(connection: AsyncConnection) -> tuple[TroubledMail, ...]:
    """One that still waits is troubled from its second try on: the first may have met a mail server at rest."""
    newest = (
        select(func.max(report_mails.c.id))
        .where(report_mails.c.schedule_id.is_not(None))
        .group_by(report_mails.c.schedule_id)
    )
    is_over = report_mails.c.state.in_(("partly", "unknown", "failed"))
    is_failing = (report_mails.c.state == "waiting") & (report_mails.c.tries > 1)
    query = (
        select(report_mails)
        .where(report_mails.c.id.in_(newest), is_over | is_failing)
        .order_by(report_mails.c.schedule_id)
    )
    return tuple(
        TroubledMail(
            schedule_id=row.schedule_id, report=row.name, error=row.error or row.state, since=time_of(row.due_at)
        )
        for row in await connection.execute(query)
    )


async def _quarantined(connection: AsyncConnection, now: datetime) -> dict[str, Quarantined]:
    """By shop."""
    then = to_ms(now - _DAY) or 0
    stands = quarantine.c.resolved_at.is_(None)
    stood = (quarantine.c.first_seen_at <= then) & or_(stands, quarantine.c.resolved_at > then)
    query = (
        select(
            shops.c.name,
            func.count().filter(stands).label("now"),
            func.count().filter(stood).label("before"),
        )
        .join_from(quarantine, shops)
        .group_by(shops.c.name)
    )
    return {row.name: Quarantined(now=row.now, before=row.before) for row in await connection.execute(query)}


async def _worker(connection: AsyncConnection) -> tuple[bool, datetime | None]:
    """Whether there ever was one, and when the newest last renewed its lease (unknown once it ended properly)."""
    query = select(func.max(leases.c.until_at)).where(leases.c.name.startswith(WORKER_LEASE))
    until = await connection.scalar(query)
    seen_at = from_ms(until) if until else None
    return until is not None, None if seen_at is None else seen_at - timedelta(seconds=LEASE_SECONDS)


async def _unknown_actions(connection: AsyncConnection, now: datetime) -> tuple[UnknownAction, ...]:
    again = actions.alias("again")
    same = (
        (again.c.shop_id == actions.c.shop_id)
        & (again.c.action == actions.c.action)
        & (again.c.order_no.is_not_distinct_from(actions.c.order_no))
        & (again.c.line_no.is_not_distinct_from(actions.c.line_no))
        & (again.c.inquiry_no.is_not_distinct_from(actions.c.inquiry_no))
        & (again.c.created_at > actions.c.created_at)
        & (again.c.outcome == Outcome.DONE.value)
    )
    query = (
        select(actions.c.id, actions.c.action, actions.c.created_at, shops.c.name)
        .join_from(actions, shops)
        .where(
            actions.c.outcome == Outcome.UNKNOWN.value,
            actions.c.created_at > to_ms(now - ACTION_FORGOTTEN),
            ~select(again.c.id).where(same).exists(),
        )
        .order_by(actions.c.id)
    )
    return tuple(
        UnknownAction(id=row.id, shop=row.name, action=row.action, since=from_ms(row.created_at) or now)
        for row in await connection.execute(query)
    )


async def _stuck_queues(connection: AsyncConnection, now: datetime) -> tuple[StuckQueue, ...]:
    """Shops whose webhooks nobody reads, or whose mall does not answer to it."""
    is_stuck = or_(rereads.c.due_at <= to_ms(now - QUEUE_PATIENCE), rereads.c.tries >= QUEUE_TRIES)
    query = (
        select(shops.c.name, func.count().label("waiting"), func.min(rereads.c.asked_at).label("since"))
        .join_from(rereads, shops)
        .where(is_stuck)
        .group_by(shops.c.name)
        .order_by(shops.c.name)
    )
    return tuple(
        StuckQueue(shop=row.name, waiting=row.waiting, since=from_ms(row.since) or now)
        for row in await connection.execute(query)
    )


def _free_mb(home: Path) -> int:
    """Of the nearest folder that exists: a hub on another database may have no home of its own yet."""
    folder = next(each for each in (home.absolute(), *home.absolute().parents) if each.exists())
    return shutil.disk_usage(folder).free // _MIB
