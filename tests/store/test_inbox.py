"""What was handed in stays, once, in the order in which it came; in the store and in memory alike."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.core.inbox import Inbox, InboxKind, MemoryInbox
from hub.store.database import Database
from hub.store.inbox import ShopInbox
from hub.store.shops import ShopStore
from hub.store.tables import inbox

MORNING = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


@pytest.fixture(params=["store", "memory"])
async def place(request: pytest.FixtureRequest, database: Database) -> Inbox:
    if request.param == "memory":
        return MemoryInbox()
    shops = ShopStore(database)
    await shops.put(name="talk", mall="invented", base_url=None, credentials={}, now=MORNING)
    return ShopInbox(database, (await shops.named("talk")).id)


async def _keys(place: Inbox, **wanted: object) -> list[str]:
    return [item.key async for item in place.items(InboxKind.EVENT, **wanted)]  # type: ignore[arg-type]


async def test_items_come_back_whole_and_in_order(place: Inbox) -> None:
    for number in range(450):
        assert await place.put(
            kind=InboxKind.EVENT,
            key=f"e{number}",
            body=f"안녕 {number}".encode(),
            at=MORNING + timedelta(seconds=number),
            subject="user-1" if number % 2 else "user-2",
        )

    items = [item async for item in place.items(InboxKind.EVENT)]

    assert [item.body.decode() for item in items] == [f"안녕 {number}" for number in range(450)]
    assert items[7].received_at == MORNING + timedelta(seconds=7)
    assert await _keys(place, after=items[447].seq) == ["e448", "e449"]
    assert await _keys(place, since=MORNING + timedelta(seconds=448)) == ["e448", "e449"]
    assert (await _keys(place, subject="user-1"))[:2] == ["e1", "e3"]
    assert await place.subjects(InboxKind.EVENT, since=MORNING) == ("user-1", "user-2")
    assert await place.subjects(InboxKind.EVENT, since=MORNING, after="user-1") == ("user-2",)
    assert await place.subjects(InboxKind.EVENT, since=MORNING + timedelta(seconds=449)) == ("user-1",)


async def test_the_same_key_is_kept_once(place: Inbox) -> None:
    assert await place.put(kind=InboxKind.EVENT, key="e", body=b"first", at=MORNING)
    assert not await place.put(kind=InboxKind.EVENT, key="e", body=b"second", at=MORNING)
    assert await place.put(kind=InboxKind.FILE, key="e", body=b"another kind", at=MORNING)

    assert [item.body async for item in place.items(InboxKind.EVENT)] == [b"first"]


async def test_what_a_person_takes_back_is_gone_and_nothing_else(place: Inbox) -> None:
    for key, subject in (("a", "user-1"), ("b", "user-1:phone"), ("c", "user-2"), ("d", "user-1:phone")):
        assert await place.put(kind=InboxKind.EVENT, key=key, body=b"x", at=MORNING, subject=subject)

    assert await place.forget(kind=InboxKind.EVENT, subject="user-1:phone") == 2

    assert await _keys(place) == ["a", "c"]
    assert await place.put(kind=InboxKind.EVENT, key="e", body=b"later", at=MORNING)
    assert await _keys(place) == ["a", "c", "e"]


async def test_bodies_are_sealed(database: Database) -> None:
    shops = ShopStore(database)
    await shops.put(name="talk", mall="invented", base_url=None, credentials={}, now=MORNING)
    place = ShopInbox(database, (await shops.named("talk")).id)
    await place.put(kind=InboxKind.EVENT, key="e", body="010-1234-5678로 전화주세요".encode(), at=MORNING)

    async with database.reading() as connection:
        sealed = await connection.scalar(select(inbox.c.body_sealed))

    assert sealed is not None
    assert b"1234" not in sealed
    assert "1234" not in repr([item async for item in place.items(InboxKind.EVENT)])
