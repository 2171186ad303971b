"""What a change of the tree of reasons does: how many claims, inquiries and calls get another reason by it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.stats.facts import Counted
from hub.stats.reason_book import tree_history
from hub.stats.reason_facts import read_told
from hub.stats.reason_tree import ReasonTree
from hub.store.database import Database


class Effect(Struct, frozen=True, kw_only=True):
    """Rows whose reason changes, by source; ``of``: rows that were looked at."""

    claims: int
    inquiries: int
    calls: int
    of: int

    @property
    def total(self) -> int:
        return self.claims + self.inquiries + self.calls


async def effect_of(
    database: Database, tree: ReasonTree, *, valid_from: datetime | None, now: datetime, zone: ZoneInfo
) -> Effect:
    """What putting ``tree`` in force from ``valid_from`` on changes; ``None``: for all of the past."""
    changed = {"claim": 0, "inquiry": 0, "call": 0}
    seen = 0
    for stretch in (await tree_history(database)).stretches(valid_from, None):
        counted = Counted(database=database, zone=zone, now=now, since=stretch.since, until=stretch.until)
        for told in await read_told(counted):
            seen += told.number
            if told.reason(tree) != told.reason(stretch.tree):
                changed[told.source] += told.number
    return Effect(claims=changed["claim"], inquiries=changed["inquiry"], calls=changed["call"], of=seen)
