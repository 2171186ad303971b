"""Urgent calls of one shop go before its bulk reads, and nobody waits for ever."""

import asyncio
from itertools import pairwise

import pytest

from hub.core.http import Bucket, Rate, urgently
from tests.core.clock import FakeClock

SLOT = 0.5
#: of waking up
GRAIN = 1e-3


def a_bucket(clock: FakeClock, **rate: float) -> Bucket:
    stated = {"per_second": 1 / SLOT, "capacity": 4, **rate}
    return Bucket(Rate(source="test", **stated), clock=clock, sleep=clock.sleep)


class Queue:
    """Who was let through, and when."""

    def __init__(self, clock: FakeClock, bucket: Bucket) -> None:
        self.clock = clock
        self.bucket = bucket
        self.went: list[tuple[str, float]] = []

    async def call(self, name: str, *, after: float = 0.0) -> float:
        """Seconds that it had to wait."""
        if after:
            await self.clock.sleep(after)
        began = self.clock()
        await self.bucket.take()
        self.went.append((name, self.clock()))
        return self.clock() - began

    async def urgent(self, *, after: float = 0.0) -> float:
        with urgently():
            return await self.call("urgent", after=after)


@pytest.mark.parametrize("after", [0.0, 0.1, 3.0, 7.77, 20.26])
async def test_an_urgent_call_waits_one_slot_at_most_while_a_hundred_bulk_calls_queue(after: float) -> None:
    clock = FakeClock()
    queue = Queue(clock, a_bucket(clock))
    bulk = [asyncio.ensure_future(queue.call("bulk")) for _ in range(100)]
    urgent = asyncio.ensure_future(queue.urgent(after=after))

    await clock.run(*bulk, urgent)

    assert urgent.result() <= SLOT + GRAIN
    assert len(queue.went) == 101


async def test_urgent_calls_without_end_leave_every_fifth_place_to_the_others() -> None:
    clock = FakeClock()
    queue = Queue(clock, a_bucket(clock))

    async def keep_asking() -> None:
        for _ in range(40):
            await queue.urgent()

    await clock.run(*(queue.call("bulk") for _ in range(20)), *(keep_asking() for _ in range(3)))

    names = [name for name, _ in queue.went]
    assert (names.count("urgent"), names.count("bulk")) == (120, 20)
    first = names.index("urgent")
    while_both_wait = names[first : first + 50]
    assert 8 <= while_both_wait.count("bulk") <= 15


async def test_the_rate_is_the_same_whoever_goes_first() -> None:
    clock = FakeClock()
    queue = Queue(clock, a_bucket(clock))
    began = clock()

    await clock.run(
        *(queue.call("bulk") for _ in range(30)), *(queue.urgent(after=2.0 + number * 0.7) for number in range(10))
    )

    # Three at once out of the bucket, the others as it drains; a bulk call that let another one by may lose a slot.
    least = (40 - 3) * SLOT
    assert least - GRAIN <= clock() - began <= least + 2 * SLOT


async def test_an_urgent_call_in_a_burst_keeps_the_distance() -> None:
    clock = FakeClock()
    queue = Queue(clock, a_bucket(clock, capacity=100, burst_per_second=8.0))
    bulk = [asyncio.ensure_future(queue.call("bulk")) for _ in range(25)]
    urgent = [asyncio.ensure_future(queue.urgent(after=after)) for after in (0.3, 1.01)]

    await clock.run(*bulk, *urgent)

    moments = sorted(at for _, at in queue.went)
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.125 - GRAIN
    assert all(call.result() <= 0.125 + GRAIN for call in urgent)


async def test_who_is_cancelled_while_waiting_holds_nobody_up() -> None:
    clock = FakeClock()
    queue = Queue(clock, a_bucket(clock))
    for _ in range(3):
        await queue.bucket.take()
    gone = asyncio.ensure_future(queue.urgent())
    await asyncio.sleep(0)
    gone.cancel()

    waited = asyncio.ensure_future(queue.call("bulk"))
    await clock.run(waited)

    assert waited.result() <= SLOT + GRAIN
