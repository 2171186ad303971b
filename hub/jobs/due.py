"""What of a shop is to be read now: each way of reading at its own pace, all of it once a night.

Everything follows from what the store says of the newest readings, so any worker finds the same and a
shop that was just added is due at once.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import select

from hub.core.contract import Capability, Manifest
from hub.desk.shops.cadence import cadence
from hub.settings import Settings
from hub.store.database import Database, from_ms
from hub.store.shops import ShopRow
from hub.store.tables import feed_states
from hub.sync.run import Pass, passes

#: from here on shops are read whole again, in the centre's zone: shortly before people come
NIGHT = time(3, 30)
#: shops begin one after the other, each always at the same minute
NIGHT_SPREAD = timedelta(hours=1)
#: a night that was missed for longer is the next night's
NIGHT_LENGTH = timedelta(hours=3)
#: who looks every few seconds sees a turn a little late: the next one is not late for it
_SLACK = timedelta(seconds=5)


class Due(Struct, frozen=True, kw_only=True):
    """Ways of reading whose turn it is, and whether they read everything again."""

    ways: frozenset[Capability]
    is_full: bool = False


async def due_of(
    database: Database,
    shop: ShopRow,
    manifest: Manifest,
    *,
    settings: Settings,
    now: datetime,
    is_abandoned: bool = False,
) -> Due | None:
    """``None`` when nothing is. ``is_abandoned``: whoever read the shop died, what was begun goes on at once."""
    query = select(feed_states).where(feed_states.c.shop_id == shop.id)
    async with database.reading() as connection:
        states = {row.feed: row for row in await connection.execute(query)}
    ways = passes(manifest)
    night = begun_night(shop.name, now=now, zone=settings.zone)
    missing = [way for way in ways if night is not None and _misses_night(states.get(way.feeds[0].value), night)]
    if missing:
        # Together: what has vanished can be told only by a run that has seen all of it.
        if any(_is_turn(way, states, settings, now) for way in missing) or is_abandoned:
            return Due(ways=frozenset(way.capability for way in missing), is_full=True)
        return None
    # Together after a death, too: a line that only a claim has named is asked for when all is read.
    chosen = [way for way in ways if is_abandoned or _is_turn(way, states, settings, now)]
    return Due(ways=frozenset(way.capability for way in chosen)) if chosen else None


def begun_night(shop: str, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When this night's reading of ``shop`` began; ``None`` by day."""
    first = datetime.combine(now.astimezone(zone).date(), NIGHT, zone)
    minute = zlib.crc32(shop.encode()) % (NIGHT_SPREAD // timedelta(minutes=1))
    begin = first + timedelta(minutes=minute)
    return begin if begin <= now < begin + NIGHT_LENGTH else None


def _is_turn(way: Pass, states: Mapping[str, Any], settings: Settings, now: datetime) -> bool:
    state = states.get(way.feeds[0].value)
    tried_at = from_ms(state.tried_at) if state else None
    return tried_at is None or now >= tried_at + period_of(way.feeds, settings) - _SLACK


def period_of(feeds: Sequence[Any], settings: Settings) -> timedelta:
    """Of a way that fills several feeds: the shortest of theirs."""
    return min(cadence(settings, feed) for feed in feeds)


def _misses_night(state: Any, night: datetime) -> bool:
    """Read before, but not whole since ``night`` began."""
    if state is None or state.data_as_of is None:
        return False
    full_as_of = from_ms(state.full_as_of)
    return full_as_of is None or full_as_of < night
