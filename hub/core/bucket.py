"""The pace of calls to one shop: a leaky bucket beside the mall's own, learning from its headers."""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct

#: a shorter pause is lost in the rounding of a wall clock and would be waited for again and again
_CLOCK_GRAIN_SECONDS = 1e-5
#: how many reports a drain is measured over: a stranger who comes or goes is noticed within them
_REPORTS = 64
#: calls by which a measured drain may be wrong: two roundings, and malls that drain once a second
_REPORT_DOUBT = 3.0
#: a drain that looks smaller than it is costs time, so a short look is not believed
_LONG_LOOK_SECONDS = 5.0
#: never slower than this part of what the mall states
_LEAST_SHARE = 0.1
#: after so long without a refusal one more call is dared
_QUIET_SECONDS = 60.0
#: callers that may wait for their place in a burst
_MOST_CALLERS = 32
#: from here on a longer quota is spared by keeping to the stated rate
_NEAR_QUOTA = 0.9
#: urgent calls that may pass one after the other while others wait: then one of those goes
_URGENT_IN_A_ROW = 4

#: somebody waits for what is read now: an agent, a customer behind a webhook; set by :func:`urgently`
_is_urgent: ContextVar[bool] = ContextVar("is_urgent", default=False)


@contextmanager
def urgently() -> Iterator[None]:
    """Calls made inside, also by tasks begun inside, go before the bulk reads of the same shop."""
    token = _is_urgent.set(True)
    try:
        yield
    finally:
        _is_urgent.reset(token)


class Limits(Struct, frozen=True, kw_only=True):
    """What an answer's headers tell: calls now in the bucket, its size, its drain per second.

    ``pause_seconds``: how long the mall wants no call at all. ``quota_share``: how much of a longer
    quota is used up, 1 being all of it.
    """

    used: float | None = None
    capacity: float | None = None
    rate: float | None = None
    pause_seconds: float | None = None
    quota_share: float | None = None


class Rate(Struct, frozen=True, kw_only=True):
    """A mall's stated limit, used until its headers teach better. ``source`` says where it stands.

    ``burst_per_second``: calls a second that the mall takes for abnormal even where its bucket has room.
    """

    per_second: float
    capacity: float
    source: str
    burst_per_second: float = math.inf


class Bucket:
    """A leaky bucket that learns from the mall's own headers.

    ``take`` before a call, ``seen`` once after it, ``refused`` when the mall said that it was too much.

    *Level.* A report was true when the mall counted the call. With a constant delay on the wire the
    mall's bucket is ours a little later, so a report speaks of the moment at which its call was sent.
    Our own count is pulled up to it at once (somebody else calls too), and down to it plus what is
    still on its way.

    *Drain.* Between two reports all that was poured and is no longer there has drained, and if the
    bucket was never empty in between, no more could have. That holds the rate within bounds that grow
    tighter with the time between the reports; the rate in use moves only when it is outside of them.
    So a mall with another limit than the documented one is read as fast as it allows, and a stranger
    who calls all the time makes the rate smaller by what he takes.

    *Bursts.* Calls keep the distance that the mall's stated burst allows. A mall that proves to be
    larger than stated is taken to bear as many times more at once. Spreading a burst costs nothing:
    the room that it leaves is there later.

    *Room.* One call of the capacity stays free for the rounding; twice as many after each refusal
    (a stranger calls in bursts that no report can announce), one less for every quiet minute.
    After a refusal what was learnt of the drain is forgotten too.

    *Turns.* An urgent call takes the next place that comes free, before all bulk calls that wait. After
    a few urgent ones in a row a bulk call goes in between, so that nobody waits for ever.
    """

    def __init__(self, rate: Rate, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self.per_second = rate.per_second
        self.capacity = rate.capacity
        self._stated = rate
        self._told = clock
        self._sleep = sleep
        #: seconds that were slept while the clock stood still: whoever waited has waited
        self._stood = 0.0
        self._level = 0.0
        self._at = clock()
        self._closed_until = 0.0
        self._free = 1.0
        self._refused_at = 0.0
        self._near_quota = False
        self._rate_is_told = False
        self._is_sure = False  # whether the newest look at the drain agreed with the rate in use
        #: calls taken and ended so far; of each call on its way, what both were when it was sent
        self._taken = 0
        self._ended = 0
        self._flying: dict[float, tuple[int, int]] = {}
        self._sent_at = 0.0
        #: when the newest caller may go on as far as bursts are concerned
        self._slot = 0.0
        #: callers that wait, urgent and bulk; urgent calls taken since the last bulk one; when the last was taken
        self._waiting = {True: 0, False: 0}
        self._in_a_row = 0
        self._urgent_at = -math.inf
        self._reports: deque[_Report] = deque(maxlen=_REPORTS)
        #: the first report since which the bucket was surely never empty
        self._filled: _Report | None = None

    def _clock(self) -> float:
        return self._told() + self._stood

    async def _wait(self, seconds: float) -> None:
        before = self._told()
        await self._sleep(seconds)
        if self._told() == before:
            self._stood += seconds

    @property
    def _pace(self) -> float:
        return min(self.per_second, self._stated.per_second) if self._near_quota else self.per_second

    def _leak(self) -> float:
        now = self._clock()
        self._level = max(0.0, self._level - max(0.0, now - self._at) * self._pace)
        self._at = now
        return now

    def _room(self, now: float) -> float:
        """How high the level may be after a call."""
        free = max(1.0, self._free - (now - self._refused_at) / _QUIET_SECONDS)
        return max(1.0, self.capacity - free)

    def _distance(self) -> float:
        """Seconds between two calls of a burst."""
        larger = max(1.0, self._pace / self._stated.per_second, self.capacity / self._stated.capacity)
        return 1 / (self._stated.burst_per_second * larger)

    async def take(self, *, is_urgent: bool | None = None) -> float:
        """Wait for room and take it. Returns the time of the taking, different for each call, for :meth:`seen`.

        ``is_urgent``: before bulk calls; by default as :func:`urgently` says.
        """
        is_urgent = _is_urgent.get() if is_urgent is None else is_urgent
        await self._wait_in_burst(is_urgent=is_urgent)
        self._waiting[is_urgent] += 1
        try:
            while (pause := self._pause(is_urgent=is_urgent)) > _CLOCK_GRAIN_SECONDS:
                await self._wait(pause)
        finally:
            self._waiting[is_urgent] -= 1
        return self._taken_at(is_urgent=is_urgent)

    async def _wait_in_burst(self, *, is_urgent: bool) -> None:
        """Each call gets its place in the burst once. An urgent one does not wait for it: the others move on."""
        now, distance = self._clock(), self._distance()
        # A clock that was set back must not hold everybody up.
        self._slot = min(max(now, self._slot + distance), now + _MOST_CALLERS * distance)
        if not is_urgent and self._slot - now > _CLOCK_GRAIN_SECONDS:
            await self._wait(self._slot - now)

    def _pause(self, *, is_urgent: bool) -> float:
        """Seconds until it is worth while to look again; none when the place is free for this caller."""
        now = self._leak()
        room_in = (self._level + 1 - self._room(now)) / self._pace
        pause = max(room_in, self._closed_until - now)
        distance = self._distance()
        if is_urgent or self._urgent_at > now - _MOST_CALLERS * distance:
            # Somebody has gone out of turn: the places given are no longer a distance apart.
            pause = max(pause, min(self._sent_at - now, 0.0) + distance)
        is_others_turn = (self._in_a_row >= _URGENT_IN_A_ROW) if is_urgent else (self._in_a_row < _URGENT_IN_A_ROW)
        if pause <= _CLOCK_GRAIN_SECONDS and is_others_turn and self._waiting[not is_urgent]:
            return max(distance, 1 / self._pace)
        return pause

    def _taken_at(self, *, is_urgent: bool) -> float:
        now = self._at
        self._level += 1
        self._taken += 1
        self._in_a_row = self._in_a_row + 1 if is_urgent else 0
        self._sent_at = max(now, math.nextafter(self._sent_at, math.inf))
        if is_urgent:
            self._urgent_at = self._sent_at
        self._flying[self._sent_at] = self._taken, self._ended
        return self._sent_at

    def seen(self, limits: Limits | None, *, sent_at: float) -> None:
        """The call sent at ``sent_at`` has ended; ``limits`` is what its answer told, ``None`` without an answer."""
        number, ended_before = self._flying.pop(sent_at, (0, self._ended))
        # Calls of which nobody knows whether the mall counted them before or after this one.
        beside = len(self._flying) + self._ended - ended_before
        self._ended += 1
        if limits is None:
            self._forget()  # nobody knows whether the mall counted it
            return
        if limits.capacity is not None and limits.capacity >= 1:
            self.capacity = limits.capacity
        if limits.rate is not None and limits.rate > 0:
            self.per_second, self._rate_is_told = limits.rate, True
        if limits.pause_seconds is not None:
            self.close_for(limits.pause_seconds)
        if limits.quota_share is not None:
            self._near_quota = limits.quota_share >= _NEAR_QUOTA
        if limits.used is not None:
            now = self._leak()
            used = min(limits.used, self.capacity)
            reported = used - (now - sent_at) * self._pace
            above = max(0.0, reported - self._level)
            # Where the drain is known, less than a call is the mall's rounding: met halfway.
            self._level += above / 2 if self._is_sure and above < 1 else above
            if number and 0 <= limits.used <= self.capacity:
                self._learn(_Report(sent_at=sent_at, number=number, used=used, beside=beside), reported)

    def _learn(self, report: "_Report", reported: float) -> None:
        """Lower the level and bound the drain by a report that is newer than those before."""
        last = self._reports[-1] if self._reports else None
        if last is not None and report.number < last.number:
            return  # overtaken: the newer one knew of this call
        self._level = min(self._level, max(0.0, reported) + report.beside)
        self._reports.append(report)
        if self._filled is None or last is None or report.used <= report.number - last.number + 1:
            self._filled = report  # perhaps empty before: less has drained than could have
        if self._rate_is_told:
            return
        before = self.per_second
        least, _ = _drain(self._reports[0], report)
        self.per_second = max(self.per_second, least)
        since = max(self._filled, self._reports[0], key=lambda first: first.number)
        _, most = _drain(since, report)
        is_long = report.sent_at - since.sent_at >= _LONG_LOOK_SECONDS
        if is_long:
            self.per_second = min(self.per_second, max(self._stated.per_second * _LEAST_SHARE, most))
        self._is_sure = is_long and self.per_second == before

    def _forget(self) -> None:
        self._reports.clear()
        self._filled = None

    def refused(self, *, wait_seconds: float) -> None:
        """The mall refused a call as one too many: no other before ``wait_seconds`` are over."""
        now = self._clock()
        if now >= self._closed_until:  # the others of one burst say nothing new
            self._free = min(self.capacity / 2, max(1.0, self.capacity - self._room(now)) * 2)
            self._refused_at = now + wait_seconds
        if not self._rate_is_told:
            self.per_second = min(self.per_second, self._stated.per_second)
        self._forget()
        self._is_sure = False
        self.close_for(wait_seconds)

    def close_for(self, seconds: float) -> None:
        """The mall asked for silence: no call before it is over."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)


class _Report(Struct, frozen=True, kw_only=True):
    """The mall's counter as of the call ``number`` of this bucket. ``beside``: others may be in it or not."""

    sent_at: float
    number: int
    used: float
    beside: int


def _drain(first: _Report, last: _Report) -> tuple[float, float]:
    """What has drained a second between two reports, at least and at most."""
    seconds = last.sent_at - first.sent_at
    if seconds <= _CLOCK_GRAIN_SECONDS:
        return 0.0, math.inf
    drained = first.used + (last.number - first.number) - last.used
    doubt = _REPORT_DOUBT + first.beside + last.beside
    return (drained - doubt) / seconds, (drained + doubt) / seconds
