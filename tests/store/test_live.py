"""News of one transaction reach every listener once it has ended, also when it ends after later ones."""

import asyncio

import pytest

from hub.desk import live
from hub.desk.live import Listener, LiveFeed, MissedError
from hub.store.database import Database
from hub.store.ids import id_of_age, new_id
from hub.store.live import Topic, forget_events, publish, read_events
from hub.store.tables import live_events

PATIENCE = 20.0


@pytest.fixture
def feed(database: Database) -> LiveFeed:
    async def brief(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))

    return LiveFeed(database, sleep=brief)


async def tell(database: Database, **body: int) -> None:
    async with database.writing() as connection:
        await publish(connection, Topic.CASE, **body)


async def heard(listener: Listener) -> dict[str, int]:
    event = await listener.next(patience=PATIENCE)
    assert event is not None
    return dict(event.body)


async def test_two_listeners_hear_what_is_told_after_they_came(database: Database, feed: LiveFeed) -> None:
    await tell(database, id=1)
    async with feed.listening() as first, feed.listening() as second:
        await asyncio.sleep(0.05)
        await tell(database, id=2)

        assert await heard(first) == {"id": 2}
        assert await heard(second) == {"id": 2}
        assert await first.next(patience=0.05) is None


async def test_a_transaction_that_ends_late_is_not_missed(database: Database, feed: LiveFeed) -> None:
    early = new_id()
    async with feed.listening() as listener:
        await asyncio.sleep(0.05)
        await tell(database, id=2)
        assert await heard(listener) == {"id": 2}
        async with database.writing() as connection:
            await connection.execute(live_events.insert().values(id=early, topic="case", body='{"id":1}'))

        assert await heard(listener) == {"id": 1}


async def test_who_was_away_hears_what_came_meanwhile(database: Database, feed: LiveFeed) -> None:
    await tell(database, id=1)
    (told,) = await read_events(database, after=0)
    await tell(database, id=2)

    async with feed.listening(after=told.id) as listener:
        assert await heard(listener) == {"id": 2}


async def test_who_was_away_too_long_is_told_to_read_again(feed: LiveFeed) -> None:
    with pytest.raises(MissedError):
        async with feed.listening(after=id_of_age(3600)):
            pass


async def test_who_does_not_listen_is_told_to_read_again(
    database: Database, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_LONGEST_QUEUE", 2)
    async with feed.listening() as listener:
        await asyncio.sleep(0.05)
        # In one transaction, so that one look finds them all.
        async with database.writing() as connection:
            for number in range(4):
                await publish(connection, Topic.CASE, id=number)
        with pytest.raises(MissedError):
            for _ in range(2):
                await listener.next(patience=PATIENCE)


async def test_nobody_looks_when_nobody_listens(feed: LiveFeed) -> None:
    def looks() -> int:
        return sum(task.get_name() == "live feed" for task in asyncio.all_tasks())

    async with feed.listening():
        assert looks() == 1
    async with asyncio.timeout(PATIENCE):
        # A look that was cut off gives its connection back before it ends.
        while looks():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_old_news_are_removed(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(live_events.insert().values(id=id_of_age(3600), topic="case", body="{}"))
    await tell(database, id=1)

    await forget_events(database)

    assert [dict(event.body) for event in await read_events(database, after=0)] == [{"id": 1}]
