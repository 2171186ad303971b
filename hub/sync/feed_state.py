"""Where each feed of a shop stands: what lets a broken run go on and every screen say how fresh it is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed, Span
from hub.store.database import Database, from_ms, to_ms
from hub.store.live import Topic, forget_old, publish
from hub.store.tables import call_quotas, feed_states


class FeedState(Struct, frozen=True, kw_only=True):
    """``running`` is the span of a run under way or broken off, ``cursor`` where it goes on.

    ``data_as_of``: the end of the newest complete run. ``full_as_of``: the same for full runs.
    """

    feed: Feed
    running: Span | None = None
    cursor: str | None = None
    data_as_of: datetime | None = None
    full_as_of: datetime | None = None


async def read_state(database: Database, shop_id: int, feed: Feed) -> FeedState:
    query = select(feed_states).where(feed_states.c.shop_id == shop_id, feed_states.c.feed == feed.value)
    async with database.reading() as connection:
        row = (await connection.execute(query)).mappings().first()
    if row is None:
        return FeedState(feed=feed)
    since, until = from_ms(row["span_since"]), from_ms(row["span_until"])
    return FeedState(
        feed=feed,
        running=Span(since=since, until=until, is_full=bool(row["is_full"])) if since and until else None,
        cursor=row["cursor"],
        data_as_of=from_ms(row["data_as_of"]),
        full_as_of=from_ms(row["full_as_of"]),
    )


class FeedStates:
    """Writes the states of one shop. Columns not named keep their value."""

    def __init__(self, database: Database, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id

    async def begin(self, feed: Feed, span: Span, *, cursor: str | None, now: datetime) -> None:
        async with self._database.writing() as connection:
            await self._put(connection, [feed], _span_columns(span) | {"cursor": cursor, "tried_at": to_ms(now)})

    async def move(self, connection: AsyncConnection, feed: Feed, cursor: str) -> None:
        """Remember the page just written, in its own transaction."""
        await self._put(connection, [feed], {"cursor": cursor})

    async def complete(self, feeds: Sequence[Feed], span: Span, counts: Mapping[Feed, Any]) -> None:
        done = _span_columns(None) | {
            "cursor": None,
            "data_as_of": to_ms(span.until),
            "error_kind": None,
            "error_message": None,
            "failing_since": None,
        }
        if span.is_full:
            done["full_as_of"] = to_ms(span.until)
        async with self._database.writing() as connection:
            for feed in feeds:
                await self._put(connection, [feed], done | {"last_counts": msgspec.json.encode(counts[feed]).decode()})
            await self._tell(connection)

    async def fail(self, feeds: Sequence[Feed], *, kind: str, message: str, now: datetime) -> None:
        """The run broke off; its cursor stays. ``message`` holds no personal datum."""
        async with self._database.writing() as connection:
            await self._put(
                connection,
                feeds,
                {"error_kind": kind, "error_message": message[:500], "tried_at": to_ms(now)},
            )
            await connection.execute(
                feed_states.update()
                .where(
                    feed_states.c.shop_id == self._shop_id,
                    feed_states.c.feed.in_([feed.value for feed in feeds]),
                    feed_states.c.failing_since.is_(None),
                )
                .values(failing_since=to_ms(now))
            )
            await self._tell(connection)

    async def _tell(self, connection: AsyncConnection) -> None:
        """Open screens show the shop's freshness anew. What nobody was there to read goes with the same write."""
        await publish(connection, Topic.SHOP, shop=self._shop_id)
        await forget_old(connection)

    async def note_listed(self, feed: Feed, *, named: int, held: int, at: datetime) -> None:
        """What an unbroken full run that ended at ``at`` was shown, and how much of it stands in the store."""
        async with self._database.writing() as connection:
            columns = {"listed": named, "listed_held": held, "listed_at": to_ms(at)}
            await self._put(connection, [feed], columns)

    async def note_quota(self, used_share: float | None, *, now: datetime) -> None:
        """How much of the mall's long quota is used up; ``None`` where it has told nothing."""
        if used_share is None:
            return
        row = {"shop_id": self._shop_id, "used_share": used_share, "told_at": to_ms(now)}
        async with self._database.writing() as connection:
            await self._database.upsert_rows(
                connection, call_quotas, [row], key=[call_quotas.c.shop_id], changed_hash=False
            )

    async def open_settling(self, feed: Feed, *, now: datetime) -> datetime:
        """A run begins whose records are still to be settled. Returns when the oldest such run began."""
        this_feed = (feed_states.c.shop_id == self._shop_id) & (feed_states.c.feed == feed.value)
        async with self._database.writing() as connection:
            since = await connection.scalar(select(feed_states.c.unsettled_since).where(this_feed))
            if since is None:
                await self._put(connection, [feed], {"unsettled_since": to_ms(now)})
        return now if since is None else datetime.fromtimestamp(since / 1000, UTC)

    async def close_settling(self, feed: Feed) -> None:
        """Everything that was met so far is settled."""
        async with self._database.writing() as connection:
            await self._put(connection, [feed], {"unsettled_since": None})

    async def note_unknown_codes(self, feed: Feed, codes: Mapping[str, int]) -> None:
        async with self._database.writing() as connection:
            await self._put(connection, [feed], {"unknown_codes": msgspec.json.encode(dict(codes)).decode()})

    async def _put(self, connection: AsyncConnection, feeds: Sequence[Feed], columns: dict[str, Any]) -> None:
        await self._database.upsert_rows(
            connection,
            feed_states,
            [{"shop_id": self._shop_id, "feed": feed.value, **columns} for feed in feeds],
            key=[feed_states.c.shop_id, feed_states.c.feed],
            keep=[column for column in feed_states.c if column.name not in columns],
            changed_hash=False,
        )


def _span_columns(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"span_since": None, "span_until": None, "is_full": None}
    return {"span_since": to_ms(span.since), "span_until": to_ms(span.until), "is_full": span.is_full}
