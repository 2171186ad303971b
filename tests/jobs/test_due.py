"""What is due when: each way of reading at its own pace, everything once a night, the dead one's work at once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hub.core.contract import Capability, Feed, Manifest
from hub.jobs.due import NIGHT_LENGTH, NIGHT_SPREAD, Due, begun_night, due_of
from hub.settings import Settings
from hub.store.database import to_ms
from hub.store.tables import feed_states
from tests.desk.invented import MANIFESTS, Rig, open_rig

SEOUL = ZoneInfo("Asia/Seoul")
NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ORDERS, CLAIMS, INQUIRIES = Capability.READ_ORDERS, Capability.READ_CLAIMS, Capability.READ_INQUIRIES
#: a mall that lists its claims apart
APART = msgspec.structs.replace(
    MANIFESTS["alpha"], feeds={Feed.ORDERS: ORDERS, Feed.CLAIMS: CLAIMS, Feed.INQUIRIES: INQUIRIES}
)
SETTINGS = Settings(sync_minutes=5, open_minutes=3)


@pytest.fixture
async def rig(tmp_path: Any, sqlite_url: str) -> Any:
    rig = await open_rig(tmp_path, sqlite_url)
    yield rig
    await rig.database.aclose()


async def put(rig: Rig, *feeds: Feed, tried_at: datetime, full_as_of: datetime | None = None, **more: Any) -> None:
    async with rig.database.writing() as connection:
        for feed in feeds:
            await connection.execute(
                feed_states.insert().values(
                    shop_id=rig.shops["alpha-main"].id,
                    feed=feed.value,
                    tried_at=to_ms(tried_at),
                    data_as_of=to_ms(tried_at),
                    full_as_of=to_ms(full_as_of or tried_at),
                    **more,
                )
            )


async def due(rig: Rig, now: datetime, *, manifest: Manifest = APART, is_abandoned: bool = False) -> Due | None:
    shop = rig.shops["alpha-main"]
    return await due_of(rig.database, shop, manifest, settings=SETTINGS, now=now, is_abandoned=is_abandoned)


async def test_a_new_shop_is_due_at_once_in_every_way(rig: Rig) -> None:
    assert await due(rig, NOON) == Due(ways=frozenset({ORDERS, CLAIMS, INQUIRIES}))


@pytest.mark.parametrize(
    ("minutes", "ways"),
    [(1, None), (2.5, None), (3, {CLAIMS, INQUIRIES}), (4.5, {CLAIMS, INQUIRIES}), (5, {ORDERS, CLAIMS, INQUIRIES})],
)
async def test_what_waits_for_an_agent_is_read_more_often_than_orders(
    rig: Rig, minutes: float, ways: set[Capability] | None
) -> None:
    await put(rig, *Feed, tried_at=NOON)

    found = await due(rig, NOON + timedelta(minutes=minutes))

    assert found == (None if ways is None else Due(ways=frozenset(ways)))


async def test_orders_that_carry_claims_are_read_as_often_as_claims(rig: Rig) -> None:
    await put(rig, Feed.ORDERS, Feed.INQUIRIES, tried_at=NOON)

    found = await due(rig, NOON + timedelta(minutes=3), manifest=MANIFESTS["alpha"])

    assert found == Due(ways=frozenset({ORDERS, INQUIRIES}))


async def test_what_broke_off_with_its_process_goes_on_at_once(rig: Rig) -> None:
    await put(rig, Feed.ORDERS, tried_at=NOON, span_since=1, span_until=2, is_full=True)
    await put(rig, Feed.CLAIMS, Feed.INQUIRIES, tried_at=NOON)
    now = NOON + timedelta(seconds=20)

    assert await due(rig, now) is None
    assert await due(rig, now, is_abandoned=True) == Due(ways=frozenset({ORDERS, CLAIMS, INQUIRIES}))


async def test_at_night_everything_is_read_whole_once(rig: Rig) -> None:
    night = datetime(2026, 11, 21, 4, 45, tzinfo=SEOUL)
    await put(rig, *Feed, tried_at=night - timedelta(minutes=6), full_as_of=night - timedelta(days=1))

    assert await due(rig, night) == Due(ways=frozenset({ORDERS, CLAIMS, INQUIRIES}), is_full=True)

    async with rig.database.writing() as connection:
        await connection.execute(feed_states.update().values(full_as_of=to_ms(night), tried_at=to_ms(night)))
    assert await due(rig, night + timedelta(minutes=1)) is None
    assert await due(rig, night + timedelta(minutes=3)) == Due(ways=frozenset({CLAIMS, INQUIRIES}))


async def test_a_way_that_failed_at_night_is_tried_again_alone(rig: Rig) -> None:
    night = datetime(2026, 11, 21, 4, 45, tzinfo=SEOUL)
    await put(rig, Feed.ORDERS, tried_at=night - timedelta(minutes=6), full_as_of=night - timedelta(days=1))
    await put(rig, Feed.CLAIMS, Feed.INQUIRIES, tried_at=night)

    assert await due(rig, night + timedelta(minutes=1)) == Due(ways=frozenset({ORDERS}), is_full=True)


def test_shops_begin_their_night_one_after_the_other_and_end_it_before_people_come() -> None:
    day = datetime(2026, 11, 21, tzinfo=SEOUL)
    begins = set()
    for number in range(200):
        shop = f"shop-{number}"
        minutes = [m for m in range(24 * 60) if begun_night(shop, now=day + timedelta(minutes=m), zone=SEOUL)]
        assert minutes == [*range(minutes[0], minutes[0] + NIGHT_LENGTH // timedelta(minutes=1))]
        begins.add(minutes[0])

    assert min(begins) >= 3 * 60 + 30
    assert max(begins) < 3 * 60 + 30 + NIGHT_SPREAD // timedelta(minutes=1)
    assert len(begins) > 40
