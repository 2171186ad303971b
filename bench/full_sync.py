"""A process of its own that reads every shop once with the hub, and says what that cost."""

import asyncio
import sys
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.measure import Cost, cost
from hub.bootstrap import open_hub
from hub.settings import Settings


class Synced(Struct, frozen=True, kw_only=True):
    complete: bool
    calls: int
    read: int
    cost: Cost


class StillClock:
    """Time stands still, as it does in the malls; whoever waits moves it on and is not kept waiting."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    async def sleep(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


def settings_of(home: Path, database_url: str | None) -> Settings:
    return Settings.model_validate({"home": home, "database_url": database_url, "log_level": "WARNING"})


async def sync(home: Path, shops: list[dict[str, Any]], at: datetime, database_url: str | None) -> Synced:
    """``shops``: the tables of a shop file."""
    clock = StillClock(at)
    async with open_hub(settings_of(home, database_url), now=clock.now, sleep=clock.sleep) as hub:
        for shop in shops:
            if shop["mall"] == "qoo10":
                # This mall tells no limit that could be learned.
                shop["credentials"]["calls_per_second"] = 1_000
            await hub.add_shop(**shop)
        report = await hub.sync(full=True)
    feeds = [feed for shop in report.shops for feed in shop.feeds]
    return Synced(
        complete=report.complete,
        calls=sum(feed.calls for feed in feeds),
        read=sum(feed.read for feed in feeds),
        cost=cost(),
    )


if __name__ == "__main__":
    where, file, moment, *url = sys.argv[1:]
    tables = tomllib.loads(Path(file).read_text(encoding="utf-8"))["shop"]
    synced = asyncio.run(sync(Path(where), tables, datetime.fromisoformat(moment), url[0] if url else None))
    sys.stdout.write(msgspec.json.encode(synced).decode() + "\n")
