"""How close the pacing of calls comes to what a mall allows, on a clock that jumps over every pause.

The mall counts for itself (a leaky bucket) and tells its counter in a header, never its rate, as one
of the malls does. Ideal is what a caller who knew everything would need: the whole bucket at once,
then the drain. ``python -m bench.rate`` prints the table alone.
"""

import asyncio
import math
import random
import sys
from collections.abc import Callable, Iterator

import httpx
from msgspec import Struct

from hub.core.errors import MallError, RateLimitedError
from hub.core.http import Limits, MallHttp, Rate
from hub.sandbox.kit import LeakyBucket
from tests.core.clock import FakeClock

STATED = Rate(per_second=2.0, capacity=40, burst_per_second=9.5, source="what the mall's document says")
PAGES = 120
_LATENCY_SECONDS = 0.05


class Scene(Struct, frozen=True, kw_only=True):
    """A mall as it is, whatever its document says.

    ``stranger``: the share of the drain that another client takes. ``rounded``: how its counter is told.
    """

    name: str
    per_second: float = 2.0
    capacity: int = 40
    stranger: float = 0.0
    rounded: Callable[[float], int] = math.ceil


SCENES = (
    Scene(name="as documented"),
    Scene(name="as documented, counter rounded down", rounded=math.floor),
    Scene(name="five times faster", per_second=10.0),
    Scene(name="five times faster, counter rounded down", per_second=10.0, rounded=math.floor),
    Scene(name="half as fast", per_second=1.0, capacity=10),
    Scene(name="a stranger takes half", stranger=0.5),
)


class Paced(Struct, frozen=True, kw_only=True):
    """``wall`` and ``ideal`` in seconds; ``refused`` is the number of 429s that the hub got."""

    wall: float
    ideal: float
    refused: int

    @property
    def ratio(self) -> float:
        return self.wall / self.ideal


async def pace(scene: Scene, *, connections: int, pages: int = PAGES, seed: int = 1) -> Paced:
    """Read ``pages`` pages over ``connections`` connections."""
    clock, chance = FakeClock(), random.Random(seed)
    bucket = LeakyBucket(capacity=scene.capacity, per_second=scene.per_second, clock=clock)
    is_over = False

    async def answer(_request: httpx.Request) -> httpx.Response:
        await clock.sleep(_LATENCY_SECONDS * chance.uniform(0.4, 0.6))
        is_poured = bucket.pour()
        counter = f"{scene.rounded(bucket.level())}/{scene.capacity}"
        await clock.sleep(_LATENCY_SECONDS * chance.uniform(0.4, 0.6))
        return httpx.Response(200 if is_poured else 429, headers={"X-Counter": counter})

    async def stranger() -> None:
        while not is_over:
            bucket.pour()
            await clock.sleep(chance.expovariate(scene.per_second * scene.stranger))

    http = MallHttp(
        shop="bench",
        client=httpx.AsyncClient(base_url="http://127.0.0.1", transport=httpx.MockTransport(answer)),
        rate=STATED,
        classify=_classify,
        read_limits=_read_limits,
        clock=clock,
        sleep=clock.sleep,
    )
    left = iter(range(pages))

    async def connection() -> None:
        for _ in left:
            await http.read("GET", "/", operation="page")

    async def work() -> None:
        nonlocal is_over
        await asyncio.gather(*(connection() for _ in range(connections)))
        is_over = True

    began, ended = clock(), 0.0

    async def timed() -> None:
        nonlocal ended
        await work()
        ended = clock()

    await clock.run(timed(), *([stranger()] if scene.stranger else []))
    await http.aclose()
    ours = scene.per_second * (1 - scene.stranger)
    ideal = max((pages - scene.capacity) / ours, (pages - 1) * _LATENCY_SECONDS / connections) + _LATENCY_SECONDS
    return Paced(wall=ended - began, ideal=ideal, refused=http.counts.throttled)


def _classify(response: httpx.Response) -> MallError | None:
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return None
    return RateLimitedError("too many", wait_seconds=STATED.capacity / STATED.per_second)


def _read_limits(response: httpx.Response) -> Limits:
    used, _, capacity = response.headers["X-Counter"].partition("/")
    return Limits(used=float(used), capacity=float(capacity))


async def report() -> list[str]:
    """One line per mall and number of connections."""
    lines = [f"pacing of {PAGES} pages: wall / ideal, refusals"]
    for scene in SCENES:
        for connections in (1, 4):
            paced = await pace(scene, connections=connections)
            lines.append(
                f"  {scene.name}, {connections} connection(s): {paced.wall:.1f} s / {paced.ideal:.1f} s = "
                f"{paced.ratio:.3f}, {paced.refused} x 429"
            )
    return lines


def _printed() -> Iterator[str]:
    yield from asyncio.run(report())


if __name__ == "__main__":
    sys.stdout.write("\n".join(_printed()) + "\n")
