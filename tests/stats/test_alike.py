"""What the database counts is what reading one fact after another counts."""

from datetime import timedelta
from random import Random

import msgspec

from hub.stats.contact_facts import CONTACT_RATE
from hub.stats.facts import TIMES, tabulate
from hub.stats.reason_facts import REASONS
from hub.store.database import Database
from tests.stats.rows import random_calls, store_calls, store_inquiries, store_shop
from tests.stats.worked import counted_of, read_worked, store


async def test_alike_facts_are_counted_as_one_by_one(database: Database):
    example, random = read_worked("worked.toml"), Random(5)
    await store(database, example)
    since, until = example["since"], example["until"]
    found = random_calls(5, 60, since=since - timedelta(days=1), until=until + timedelta(days=1))
    await store_calls(database, found)
    asked = [
        (random.choice(("chat", "order_inquiry")), since + timedelta(minutes=random.randrange(-900, 22_000)))
        for _ in range(40)
    ]
    await store_inquiries(database, await store_shop(database, "third", "smartstore"), asked)

    everything = counted_of(database, example)
    narrow = msgspec.structs.replace(everything, since=since + timedelta(minutes=77), mall="cafe24")
    unbound = msgspec.structs.replace(everything, since=None, until=None, shop="third")
    for report in (REASONS, CONTACT_RATE):
        plain = msgspec.structs.replace(report, read_alike=None)
        ways = [(), *((name,) for name in (*report.dimensions, *TIMES)), report.default, ("mall", "day", "weekday")]
        for by in ways:
            assert await tabulate(report, everything, by=by) == await tabulate(plain, everything, by=by), by
        for counted in (narrow, unbound):
            for by in (("shop",), ("day",), ("hour",)):
                assert await tabulate(report, counted, by=by) == await tabulate(plain, counted, by=by), (by, counted)
