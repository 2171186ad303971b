"""How often each feed is read, and so when next and when what is shown has become old."""

from datetime import datetime, timedelta

from hub.core.contract import Feed
from hub.settings import Settings


def cadence(settings: Settings, feed: Feed) -> timedelta:
    """Time between two turns of a feed: what waits for an agent is read more often."""
    minutes = settings.sync_minutes if feed is Feed.ORDERS else min(settings.open_minutes, settings.sync_minutes)
    return timedelta(minutes=minutes)


def next_run(
    settings: Settings, feed: Feed, *, last: datetime | None, now: datetime, next_try: datetime | None = None
) -> datetime | None:
    """When the worker reads the feed next. ``last``: its newest turn; ``next_try``: not before, the mall is down."""
    if last is None:
        return None
    return max(now, last + cadence(settings, feed), next_try or now)


def is_stale(settings: Settings, feed: Feed, *, data_as_of: datetime | None, now: datetime) -> bool:
    """Whether the data is older than two turns; what was never read is neither old nor new."""
    return data_as_of is not None and now - data_as_of > 2 * cadence(settings, feed)
