"""A process of its own that reads every shop of a filled home a second time, when nothing has changed.

``python -m bench.again HOME AT [DATABASE_URL]``.
"""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.full_sync import StillClock, settings_of
from bench.measure import Cost, cost
from hub.bootstrap import open_hub

AIM = 0.6


class Reread(Struct, frozen=True, kw_only=True):
    """``touched`` records were written though nothing had changed: new, changed or vanished."""

    complete: bool
    read: int
    touched: int
    cost: Cost


async def reread(home: Path, at: datetime, database_url: str | None) -> Reread:
    clock = StillClock(at)
    async with open_hub(settings_of(home, database_url), now=clock.now, sleep=clock.sleep) as hub:
        report = await hub.sync(full=True)
    feeds = [feed for shop in report.shops for feed in shop.feeds]
    return Reread(
        complete=report.complete,
        read=sum(feed.read for feed in feeds),
        touched=sum(feed.new + feed.changed + feed.vanished for feed in feeds),
        cost=cost(),
    )


if __name__ == "__main__":
    where, moment, *url = sys.argv[1:]
    found = asyncio.run(reread(Path(where), datetime.fromisoformat(moment), url[0] if url else None))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
