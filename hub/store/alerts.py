"""What is wrong, remembered: raised once, recovered once, and told on every channel until it was told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec import Struct
from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, from_ms, to_ms
from hub.store.ids import new_id
from hub.store.tables import alert_messages, alerts

#: tries of one message; the last comes about a day after the first
MOST_TRIES = 12
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=4)
_DAY = timedelta(days=1)
_BATCH = 50


class Severity(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


class Event(StrEnum):
    RAISED = "raised"
    REMINDED = "reminded"
    RECOVERED = "recovered"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong now. Raised when it has lasted for ``patience``.

    ``key`` names it over time. ``facts`` fill its sentence: names and figures, never a personal datum.
    ``since`` is ``None`` where nobody knows: then it counts from when it was first looked at.
    """

    key: str
    kind: str
    severity: Severity
    facts: Mapping[str, str]
    since: datetime | None
    patience: timedelta = timedelta(0)


class StoredAlert(Struct, frozen=True, kw_only=True):
    """An alert that was raised. ``recovered_at`` is ``None`` while it lasts."""

    id: int
    key: str
    kind: str
    severity: Severity
    facts: Mapping[str, str]
    since: datetime
    raised_at: datetime
    recovered_at: datetime | None


class Message(Struct, frozen=True, kw_only=True):
    """One telling that is due."""

    id: int
    channel: str
    event: Event
    tries: int
    alert: StoredAlert


class Change(Struct, frozen=True, kw_only=True):
    """What became of the alerts: how many were raised, recovered or said again."""

    raised: int = 0
    recovered: int = 0
    reminded: int = 0


class AlertStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(
        self, findings: Sequence[Finding], *, now: datetime, channels: Sequence[str], is_daily: bool
    ) -> Change:
        """Bring the alerts up to ``findings`` and queue what is to be told, in one transaction.

        An alert is told when it is raised and when it becomes critical, once more each day where
        ``is_daily``, and once when it is over. The caller holds the lease of alerts.
        """
        found = {finding.key: finding for finding in findings}
        told: list[tuple[int, Event]] = []
        async with self._database.writing() as connection:
            rows = (await connection.execute(select(alerts).where(alerts.c.recovered_at.is_(None)))).all()
            for row in rows:
                if row.key not in found:
                    told += await _end(connection, row, now=now)
                else:
                    told += await _go_on(connection, row, found.pop(row.key), now=now, is_daily=is_daily)
            for finding in found.values():
                told += await _begin(connection, finding, now=now)
            await _queue(connection, told, now=now, channels=channels)
        events = [event for _, event in told]
        return Change(
            raised=events.count(Event.RAISED),
            recovered=events.count(Event.RECOVERED),
            reminded=events.count(Event.REMINDED),
        )

    async def note_test(self, *, now: datetime) -> StoredAlert:
        """A test of the channels, kept as an alert that is over already."""
        row = {
            "id": new_id(),
            "key": "test",
            "kind": "test",
            "severity": Severity.WARNING.value,
            "facts": "{}",
            "since_at": to_ms(now),
            "raised_at": to_ms(now),
            "told_at": to_ms(now),
            "recovered_at": to_ms(now),
        }
        async with self._database.writing() as connection:
            await connection.execute(alerts.insert(), [row])
            return _stored((await connection.execute(select(alerts).where(alerts.c.id == row["id"]))).one())

    async def standing(self) -> list[StoredAlert]:
        """Raised and not over, the gravest first, then the oldest."""
        query = select(alerts).where(alerts.c.recovered_at.is_(None), alerts.c.raised_at.is_not(None))
        # "critical" stands before "warning".
        query = query.order_by(alerts.c.severity, alerts.c.since_at, alerts.c.key)
        async with self._database.reading() as connection:
            return [_stored(row) for row in await connection.execute(query)]

    async def over(self, *, limit: int = 100) -> list[StoredAlert]:
        """Raised once and over now, the newest first."""
        query = (
            select(alerts)
            .where(alerts.c.recovered_at.is_not(None), alerts.c.raised_at.is_not(None))
            .order_by(alerts.c.recovered_at.desc(), alerts.c.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_stored(row) for row in await connection.execute(query)]

    async def due(self, *, now: datetime) -> list[Message]:
        """Messages to send now, the longest waiting first."""
        query = (
            select(
                alerts,
                alert_messages.c.id.label("message_id"),
                alert_messages.c.channel,
                alert_messages.c.event,
                alert_messages.c.tries,
            )
            .join_from(alert_messages, alerts)
            .where(alert_messages.c.due_at <= to_ms(now))
            .order_by(alert_messages.c.id)
            .limit(_BATCH)
        )
        async with self._database.reading() as connection:
            return [
                Message(
                    id=row.message_id,
                    channel=row.channel,
                    event=Event(row.event),
                    tries=row.tries,
                    alert=_stored(row),
                )
                for row in await connection.execute(query)
            ]

    async def note_sent(self, message: Message, *, now: datetime) -> None:
        await self._note(message, due_at=None, tries=message.tries + 1, sent_at=to_ms(now), error=None)

    async def note_failed(self, message: Message, *, kind: str, now: datetime) -> bool:
        """Try again later, each time twice as late; given up after ``MOST_TRIES``. Returns whether it is given up."""
        tries = message.tries + 1
        is_over = tries >= MOST_TRIES
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**message.tries)
        await self._note(message, due_at=None if is_over else to_ms(now + pause), tries=tries, error=kind)
        return is_over

    async def _note(self, message: Message, **values: object) -> None:
        async with self._database.writing() as connection:
            await connection.execute(alert_messages.update().where(alert_messages.c.id == message.id).values(**values))

    async def undelivered(self) -> dict[str, int]:
        """Messages by channel that were tried and are not sent, given up ones of the last week included."""
        query = select(alert_messages.c.channel).where(alert_messages.c.sent_at.is_(None), alert_messages.c.tries > 0)
        found: dict[str, int] = {}
        async with self._database.reading() as connection:
            for channel in await connection.scalars(query):
                found[channel] = found.get(channel, 0) + 1
        return found


async def _begin(connection: AsyncConnection, finding: Finding, *, now: datetime) -> list[tuple[int, Event]]:
    since = finding.since or now
    is_raised = now - since >= finding.patience
    alert_id = new_id()
    row = {
        "id": alert_id,
        "key": finding.key,
        "kind": finding.kind,
        "severity": finding.severity.value,
        "facts": msgspec.json.encode(finding.facts).decode(),
        "since_at": to_ms(since),
        "raised_at": to_ms(now) if is_raised else None,
        "told_at": to_ms(now) if is_raised else None,
    }
    await connection.execute(alerts.insert(), [row])
    return [(alert_id, Event.RAISED)] if is_raised else []


async def _go_on(
    connection: AsyncConnection, row: Row[tuple[object, ...]], finding: Finding, *, now: datetime, is_daily: bool
) -> list[tuple[int, Event]]:
    since = finding.since or from_ms(row.since_at) or now
    event = None
    if row.raised_at is None:
        event = Event.RAISED if now - since >= finding.patience else None
    elif finding.severity is Severity.CRITICAL and row.severity != finding.severity.value:
        event = Event.RAISED
    elif is_daily and now - (from_ms(row.told_at) or now) >= _DAY:
        event = Event.REMINDED
    values: dict[str, object] = {
        "facts": msgspec.json.encode(finding.facts).decode(),
        "severity": finding.severity.value,
        "kind": finding.kind,
    }
    if row.raised_at is None:
        values["since_at"] = to_ms(since)
    if event is not None:
        values |= {"told_at": to_ms(now)} | ({"raised_at": to_ms(now)} if row.raised_at is None else {})
    await connection.execute(alerts.update().where(alerts.c.id == row.id).values(**values))
    return [(row.id, event)] if event is not None else []


async def _end(connection: AsyncConnection, row: Row[tuple[object, ...]], *, now: datetime) -> list[tuple[int, Event]]:
    if row.raised_at is None:
        await connection.execute(delete(alerts).where(alerts.c.id == row.id))
        return []
    await connection.execute(alerts.update().where(alerts.c.id == row.id).values(recovered_at=to_ms(now)))
    return [(row.id, Event.RECOVERED)]


async def _queue(
    connection: AsyncConnection, told: Iterable[tuple[int, Event]], *, now: datetime, channels: Sequence[str]
) -> None:
    at = to_ms(now)
    rows = [
        {
            "id": new_id(),
            "alert_id": alert_id,
            "event": event.value,
            "channel": channel,
            "created_at": at,
            "due_at": at,
            "tries": 0,
        }
        for alert_id, event in told
        for channel in channels
    ]
    if rows:
        await connection.execute(alert_messages.insert(), rows)


def _stored(row: Row[tuple[object, ...]]) -> StoredAlert:
    since, raised_at = from_ms(row.since_at), from_ms(row.raised_at)
    assert since is not None  # noqa: S101  the column is never null
    return StoredAlert(
        id=row.id,
        key=row.key,
        kind=row.kind,
        severity=Severity(row.severity),
        facts=msgspec.json.decode(row.facts, type=dict[str, str]),
        since=since,
        raised_at=raised_at or since,
        recovered_at=from_ms(row.recovered_at),
    )
