"""The bucket against a mall that counts for itself: never over its limit, and little time wasted."""

import asyncio
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.rate import SCENES, Scene, pace
from hub.core.http import Bucket, Limits, Rate
from tests.core.clock import FakeClock, SleepingClock


class LeakyMall:
    """A mall with a leaky bucket of its own: counts what comes in, reports it rounded up, refuses what is over."""

    def __init__(self, clock: FakeClock, *, capacity: float, per_second: float) -> None:
        self.capacity = capacity
        self.per_second = per_second
        self.refused = 0
        self.taken = 0
        self._clock = clock
        self._level = 0.0
        self._at = clock()

    def hit(self) -> Limits:
        self._level = max(0.0, self._level - (self._clock() - self._at) * self.per_second)
        self._at = self._clock()
        if self._level + 1 > self.capacity:
            self.refused += 1
        else:
            self._level += 1
            self.taken += 1
        return Limits(used=math.ceil(self._level), capacity=self.capacity, rate=self.per_second)


async def _read(mall: LeakyMall, bucket: Bucket, clock: FakeClock, *, calls: int, delay: float) -> None:
    for _ in range(calls):
        sent_at = await bucket.take()
        await clock.sleep(delay / 2)
        limits = mall.hit()
        await clock.sleep(delay / 2)
        bucket.seen(limits, sent_at=sent_at)


@settings(max_examples=30, deadline=None)
@given(
    capacity=st.integers(min_value=3, max_value=40),
    per_second=st.sampled_from([1.0, 2.0, 3.5, 10.0]),
    callers=st.integers(min_value=1, max_value=4),
    delay=st.floats(min_value=0.001, max_value=0.4),
)
async def test_one_client_is_never_refused(capacity: int, per_second: float, callers: int, delay: float):
    clock = FakeClock()
    mall = LeakyMall(clock, capacity=capacity, per_second=per_second)
    bucket = Bucket(Rate(per_second=per_second, capacity=capacity, source="test"), clock=clock, sleep=clock.sleep)

    await clock.run(*(_read(mall, bucket, clock, calls=30, delay=delay) for _ in range(callers)))

    assert mall.refused == 0
    assert mall.taken == 30 * callers


async def test_the_time_taken_is_close_to_the_ideal():
    clock = FakeClock()
    mall = LeakyMall(clock, capacity=40, per_second=2.0)
    bucket = Bucket(Rate(per_second=2.0, capacity=40, source="test"), clock=clock, sleep=clock.sleep)
    began = clock()

    await clock.run(*(_read(mall, bucket, clock, calls=150, delay=0.1) for _ in range(4)))

    ideal = (600 - 40) / 2.0
    assert mall.refused == 0
    assert clock() - began <= ideal * 1.03


async def test_a_smaller_limit_is_learnt_from_the_first_answer():
    clock = FakeClock()
    mall = LeakyMall(clock, capacity=10, per_second=1.0)
    bucket = Bucket(Rate(per_second=50.0, capacity=100, source="too hopeful"), clock=clock, sleep=clock.sleep)

    await clock.run(_read(mall, bucket, clock, calls=60, delay=0.05))

    assert mall.refused == 0
    assert (bucket.per_second, bucket.capacity) == (1.0, 10)


async def test_a_larger_limit_is_used_when_it_is_learnt():
    clock = FakeClock()
    mall = LeakyMall(clock, capacity=100, per_second=20.0)
    bucket = Bucket(Rate(per_second=1.0, capacity=10, source="too careful"), clock=clock, sleep=clock.sleep)
    began = clock()

    await clock.run(_read(mall, bucket, clock, calls=300, delay=0.01))

    assert mall.refused == 0
    assert clock() - began <= 15


async def test_another_client_that_eats_half_is_made_room_for():
    clock = FakeClock()
    mall = LeakyMall(clock, capacity=20, per_second=2.0)
    bucket = Bucket(Rate(per_second=2.0, capacity=20, source="test"), clock=clock, sleep=clock.sleep)

    async def stranger() -> None:
        for _ in range(100):
            mall.hit()
            await clock.sleep(1.0)

    await clock.run(stranger(), _read(mall, bucket, clock, calls=80, delay=0.1))

    # What the other sends between our calls cannot be known before; it costs a few refusals, not half.
    assert mall.refused <= 4


async def test_silence_asked_for_is_kept_by_every_caller():
    clock = FakeClock()
    bucket = Bucket(Rate(per_second=10.0, capacity=10, source="test"), clock=clock, sleep=clock.sleep)
    bucket.close_for(30.0)
    taken: list[float] = []

    async def take() -> None:
        taken.append(await bucket.take())

    await clock.run(take(), take(), take())

    assert min(taken) >= 1_030.0


async def test_a_shorter_silence_does_not_end_a_longer_one():
    clock = SleepingClock()
    bucket = Bucket(Rate(per_second=10.0, capacity=10, source="test"), clock=clock, sleep=clock.sleep)
    bucket.close_for(30.0)
    bucket.close_for(1.0)

    assert await bucket.take() >= 1_030.0


@pytest.mark.parametrize(
    "nonsense", [Limits(), Limits(capacity=0), Limits(rate=0), Limits(rate=-1), Limits(used=10**9), Limits(used=-5)]
)
async def test_nonsense_in_headers_neither_stops_nor_floods(nonsense: Limits):
    clock = SleepingClock()
    bucket = Bucket(Rate(per_second=2.0, capacity=10, source="test"), clock=clock, sleep=clock.sleep)

    for _ in range(30):
        bucket.seen(nonsense, sent_at=await bucket.take())

    assert 9.0 <= clock() - 1_000.0 <= 120.0
    assert (bucket.per_second, bucket.capacity) == (2.0, 10)


async def test_a_clock_too_coarse_for_the_pause_does_not_spin():
    """A pause below the resolution of a wall clock counts as no pause."""
    clock = SleepingClock()
    clock.at = 1_793_318_392.0
    bucket = Bucket(Rate(per_second=3.0, capacity=2, source="test"), clock=clock, sleep=clock.sleep)

    async with asyncio.timeout(5):
        for _ in range(50):
            await bucket.take()

    assert len(clock.slept) <= 100


ALONE = [scene for scene in SCENES if not scene.stranger]


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("scene", ALONE, ids=lambda scene: scene.name)
async def test_a_mall_that_tells_its_counter_only_is_read_as_fast_as_it_allows(scene: Scene, connections: int):
    for seed in range(2):
        paced = await pace(scene, connections=connections, seed=seed)

        assert paced.refused == 0
        assert paced.ratio <= 1.03


@pytest.mark.parametrize("connections", [1, 4])
async def test_a_stranger_costs_three_refusals_at_most(connections: int):
    (scene,) = (scene for scene in SCENES if scene.stranger)

    for seed in range(3):
        paced = await pace(scene, connections=connections, seed=seed)

        assert paced.refused <= 3
        assert paced.ratio <= 1.3


async def test_a_mall_left_alone_for_a_while_is_not_taken_for_a_slow_one():
    clock = SleepingClock()
    mall = LeakyMall(clock, capacity=40, per_second=2.0)
    bucket = Bucket(Rate(per_second=2.0, capacity=40, source="test"), clock=clock, sleep=clock.sleep)

    for _ in range(200):
        sent_at = await bucket.take()
        limits = mall.hit()
        bucket.seen(Limits(used=limits.used, capacity=40), sent_at=sent_at)
        await clock.sleep(20.0)

    assert bucket.per_second == 2.0


async def test_a_pause_that_a_header_names_is_kept():
    clock = SleepingClock()
    bucket = Bucket(Rate(per_second=2.0, capacity=40, source="test"), clock=clock, sleep=clock.sleep)

    bucket.seen(Limits(pause_seconds=90.0), sent_at=await bucket.take())

    assert await bucket.take() >= 1_090.0


async def test_a_quota_nearly_used_up_brings_the_stated_rate_back():
    clock = SleepingClock()
    bucket = Bucket(Rate(per_second=2.0, capacity=4, source="test"), clock=clock, sleep=clock.sleep)
    bucket.per_second = 10.0
    for share in (0.2, 0.95):
        for _ in range(10):
            bucket.seen(Limits(quota_share=share), sent_at=await bucket.take())
        began = clock()
        for _ in range(20):
            await bucket.take()
        took = clock() - began
        assert took == pytest.approx(20 / (10.0 if share < 0.9 else 2.0), abs=0.2)


async def test_an_answer_that_never_came_teaches_nothing():
    clock = SleepingClock()
    bucket = Bucket(Rate(per_second=2.0, capacity=40, source="test"), clock=clock, sleep=clock.sleep)

    for _ in range(30):
        bucket.seen(None, sent_at=await bucket.take())

    assert (bucket.per_second, bucket.capacity) == (2.0, 40)


async def test_a_burst_keeps_the_distance_that_the_mall_wants():
    clock = SleepingClock()
    rate = Rate(per_second=2.0, capacity=40, burst_per_second=8.0, source="test")
    bucket = Bucket(rate, clock=clock, sleep=clock.sleep)

    sent = [await bucket.take() for _ in range(30)]

    assert min(later - earlier for earlier, later in pairwise(sent)) >= 0.125 - 1e-4
    assert sent[-1] - sent[0] <= 29 * 0.125 + 0.1


async def test_a_mall_larger_than_stated_takes_larger_bursts():
    clock = SleepingClock()
    rate = Rate(per_second=2.0, capacity=40, burst_per_second=8.0, source="test")
    bucket = Bucket(rate, clock=clock, sleep=clock.sleep)
    bucket.seen(Limits(used=1, capacity=400), sent_at=await bucket.take())
    began = clock()

    for _ in range(80):
        await bucket.take()

    assert clock() - began <= 1.1
