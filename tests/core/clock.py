"""A clock that moves only by sleeping on it."""

import asyncio
import heapq
from collections.abc import Awaitable


class FakeClock:
    """Many tasks may sleep; :meth:`run` lets them work until all are asleep, then jumps to the next wake."""

    def __init__(self) -> None:
        self.at = 1_000.0
        self.slept: list[float] = []
        self._asleep: list[tuple[float, int, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        awake = asyncio.Event()
        heapq.heappush(self._asleep, (self.at + seconds, len(self.slept), awake))
        await awake.wait()

    async def run(self, *work: Awaitable[object]) -> None:
        """Run all of ``work`` to its end, jumping over every pause."""
        tasks = [asyncio.ensure_future(each) for each in work]
        while not all(task.done() for task in tasks):
            await _settle()
            if self._asleep and not all(task.done() for task in tasks):
                at, _, awake = heapq.heappop(self._asleep)
                self.at = max(self.at, at)
                awake.set()
        for task in tasks:
            task.result()


async def _settle(rounds: int = 12) -> None:
    for _ in range(rounds):
        await asyncio.sleep(0)


class SleepingClock:
    """For one caller: a pause passes at once."""

    def __init__(self) -> None:
        self.at = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)
