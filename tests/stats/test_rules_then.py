"""A question is measured by the clocks that were in force when it was asked, not by those of today."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.policy.due import DEFAULT_TARGETS
from hub.stats.facts import tabulate
from hub.stats.on_time import ON_TIME
from hub.stats.rules_then import read_rules_then
from hub.store.database import Database
from tests.stats.worked import SEOUL, counted_of, read_worked, store

WORKED = read_worked("worked.toml")
#: first an hour for a question about an order, from the tenth ten minutes, and later a book that makes them a day
BOOKS = (
    (1, datetime(2026, 3, 1, tzinfo=SEOUL), '{"targets":[{"order_inquiry_minutes":60}]}'),
    (
        2,
        datetime(2026, 3, 9, tzinfo=SEOUL),
        (
            '{"targets":[{"order_inquiry_minutes":60,"valid_to":"2026-03-09"},'
            '{"order_inquiry_minutes":10,"valid_from":"2026-03-10"}]}'
        ),
    ),
    (3, datetime(2026, 3, 11, tzinfo=SEOUL), '{"targets":[{"order_inquiry_minutes":540}]}'),
    (4, datetime(2026, 3, 11, 12, tzinfo=SEOUL), "no book"),
)


@pytest.fixture
async def kept(sqlite_database: Database) -> Database:
    books = [
        {"id": version, "kind": "policy", "version": version, "body": body, "created_at": at}
        for version, at, body in BOOKS
    ]
    await store(sqlite_database, WORKED | {"rule_books": books})
    return sqlite_database


async def test_an_inquiry_is_measured_by_the_rules_of_its_time(kept: Database):
    found = await tabulate(ON_TIME, counted_of(kept, WORKED), by=("mall", "channel", "cause"))

    targets = {
        (row["mall"], row["channel"]): (row["on_time"], row["late"]) for row in found if row["cause"] == "target"
    }
    # Q2 asked on the 6th: 60 business minutes end exactly when it was answered. Q3 and Q4 on the 10th: ten minutes.
    assert targets[("cafe24", "order_inquiry")] == (1, 1)
    assert targets[("qoo10", "order_inquiry")] == (0, 1)
    assert targets[("cafe24", "product_inquiry")] == (1, 0)


async def test_before_the_first_book_holds_the_first_and_an_unreadable_one_leaves_the_shipped(kept: Database):
    rules = await read_rules_then(counted_of(kept, WORKED))

    def minutes(at: datetime) -> int | None:
        found = rules.at(1, at)
        return found.targets.order_inquiry_minutes if found else None

    assert minutes(datetime(2020, 1, 1, tzinfo=UTC)) == 60
    assert minutes(BOOKS[1][1] - timedelta(milliseconds=1)) == 60
    assert minutes(datetime(2026, 3, 10, tzinfo=SEOUL)) == 10
    assert minutes(BOOKS[2][1]) == 540
    assert minutes(BOOKS[3][1]) == DEFAULT_TARGETS.order_inquiry_minutes
    assert rules.at(99, WORKED["now"]) is None
    assert not rules.counts_hours
    assert rules.longest_days >= 30
