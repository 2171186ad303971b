"""Looking after the hub: find what is wrong, remember it, tell it. Any number of processes may ask at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.alerting.alerts import find_alerts, read_alert_facts
from hub.desk.alerting.channels import Channel, channels_of
from hub.desk.alerting.words import sentence
from hub.desk.sending import ChannelError
from hub.desk.services import Services
from hub.desk.shops.status import read_status
from hub.store.alerts import AlertStore, Change, Event, Severity, StoredAlert
from hub.store.leases import Lease

log = structlog.get_logger(__name__)

_LEASE = "alerts"
_WATCH_SECONDS = 60.0


class AlertView(Struct, frozen=True, kw_only=True):
    """One alert as people see it; ``recovered_at`` is ``None`` while it lasts."""

    key: str
    kind: str
    severity: Severity
    shop: str | None
    since: datetime
    raised_at: datetime
    recovered_at: datetime | None
    text_ko: str
    text_en: str


class AlertsView(Struct, frozen=True, kw_only=True):
    """``undelivered``: messages by channel that were tried and not taken."""

    standing: tuple[AlertView, ...]
    over: tuple[AlertView, ...]
    undelivered: dict[str, int]


class Checked(Struct, frozen=True, kw_only=True):
    """What one look found and told. ``is_busy``: another process was looking; nothing was done here."""

    change: Change = Change()
    sent: int = 0
    failed: int = 0
    is_busy: bool = False


class Tested(Struct, frozen=True, kw_only=True):
    """``error`` is ``None`` where the channel took it."""

    channel: str
    error: str | None


async def check_alerts(services: Services, *, channels: Sequence[Channel] | None = None) -> Checked:
    """Find what is wrong, raise and recover, and send what is due; ``channels`` replaces those of the settings.

    One process at a time over all machines. What a channel does not take waits in the store.
    """
    lease = Lease(services.database, _LEASE)
    if not await lease.try_take():
        return Checked(is_busy=True)
    try:
        chosen = channels_of(services.settings) if channels is None else tuple(channels)
        return await _check(services, chosen)
    finally:
        await lease.give_back()


async def watch_alerts(services: Services, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Look every minute until cancelled; whatever breaks one look is logged, and the next one comes."""
    while True:
        # Who has just started knows least: what is still starting is not missed yet.
        await sleep(_WATCH_SECONDS)
        try:
            await check_alerts(services)
        except Exception:
            log.exception("alerts.check.failed")


async def _check(services: Services, channels: tuple[Channel, ...]) -> Checked:
    store = AlertStore(services.database)
    status = await read_status(services)
    findings = find_alerts(status, await read_alert_facts(services), settings=services.settings)
    change = await store.settle(
        findings,
        now=status.at,
        channels=[channel.name for channel in channels],
        is_daily=services.settings.alert_daily,
    )
    if change != Change():
        log.info("alerts.settled", raised=change.raised, recovered=change.recovered, reminded=change.reminded)
    sent = failed = 0
    by_name = {channel.name: channel for channel in channels}
    for message in await store.due(now=services.now()):
        # A channel that is not set any more keeps its messages: it may be set again.
        if (channel := by_name.get(message.channel)) is None:
            continue
        try:
            await channel.send(message.alert, message.event)
        except ChannelError as error:
            failed += 1
            is_over = await store.note_failed(message, kind=error.kind, now=services.now())
            log.warning("alerts.message.failed", channel=channel.name, kind=error.kind, given_up=is_over)
        else:
            sent += 1
            await store.note_sent(message, now=services.now())
    return Checked(change=change, sent=sent, failed=failed)


async def try_channels(services: Services, *, channels: Sequence[Channel] | None = None) -> list[Tested]:
    """Send one test through each channel that is set, at once and once; the screen's list shows it too."""
    alert = await AlertStore(services.database).note_test(now=services.now())
    tested = [Tested(channel="screen", error=None)]
    for channel in channels_of(services.settings) if channels is None else channels:
        try:
            await channel.send(alert, Event.RAISED)
        except ChannelError as error:
            tested.append(Tested(channel=channel.name, error=error.kind))
        else:
            tested.append(Tested(channel=channel.name, error=None))
    return tested


async def read_alerts(services: Services, *, actor: Actor, limit: int = 100) -> AlertsView:
    """What stands, and the newest ``limit`` that are over. Raises: ForbiddenError."""
    require(actor, Permission.SEE_STATISTICS)
    store = AlertStore(services.database)
    return AlertsView(
        standing=tuple(_view(alert) for alert in await store.standing()),
        over=tuple(_view(alert) for alert in await store.over(limit=limit)),
        undelivered=await store.undelivered(),
    )


def _view(alert: StoredAlert) -> AlertView:
    said = sentence(alert)
    return AlertView(
        key=alert.key,
        kind=alert.kind,
        severity=alert.severity,
        shop=alert.facts.get("shop"),
        since=alert.since,
        raised_at=alert.raised_at,
        recovered_at=alert.recovered_at,
        text_ko=said.ko,
        text_en=said.en,
    )
