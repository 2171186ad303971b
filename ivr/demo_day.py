"""A seeded model of the demo centre's telephone: days of calls as queue_log lines.

The lines take the same way as a PBX's own: they are read by ``read_records`` and counted like real ones. A day's
lines depend on the spec, the seed and the date alone, so any range of dates can be made again or made longer.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import count, pairwise
from random import Random
from zoneinfo import ZoneInfo

from ivr.hours import closed_reason, next_day, open_minutes
from ivr.spec import LineSpec, Menu, Spec, notice_of, pbx_queue, queue_place

# share of a day's calls that come in an hour; some come before opening and after closing
HOUR_WEIGHTS = {8: 2, 9: 10, 10: 14, 11: 12, 12: 7, 13: 11, 14: 13, 15: 12, 16: 9, 17: 7, 18: 2, 19: 1}
WEEKDAY_FACTORS = (1.3, 1.1, 1.0, 1.0, 1.0, 0.45, 0.15)
LINE_WEIGHTS = {"order": 0.4, "inquiry": 0.6}
# why callers order by telephone; of ten, four could not do it themselves
ORDER_REASON_WEIGHTS = {
    "web_error": 12,
    "payment_error": 10,
    "cannot_use_web": 18,
    "asks_before_buying": 35,
    "prefers_phone": 25,
}
PATIENCE_SECONDS = 75.0
TALK_SECONDS = {"order": 170.0, "inquiry": 230.0}
AFTER_CALL_SECONDS = 25.0


@dataclass(slots=True)
class _Caller:
    """One call on its way. ``matter`` is what it is truly about."""

    callid: str
    did: str
    number: str
    mall: str
    line: str
    matter: str
    queue: str = ""
    is_transferred: bool = False


@dataclass(slots=True)
class _Day:
    """The state of one day: lines written so far, agents' next free time, stays in each queue."""

    spec: Spec
    random: Random
    lines: list[tuple[int, int, str]] = field(default_factory=list)
    free_at: dict[str, float] = field(default_factory=dict)
    stays: dict[str, list[float]] = field(default_factory=dict)
    joins: list[tuple[float, int, _Caller]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def write(self, at: float, caller: _Caller, text: str) -> None:
        self.lines.append((int(at), next(self.numbers), f"{int(at)}|{caller.callid}|{text}"))

    def note(self, at: float, text: str) -> None:
        self.lines.append((int(at), next(self.numbers), f"{int(at)}|{text}"))

    def step(self, at: float, caller: _Caller, kind: str, first: str = "", second: str = "", *, way: str = "") -> None:
        self.write(at, caller, f"NONE|NONE|IVR|{kind}|{first}|{second}|{caller.did}|{caller.number}|{way}")

    def hang_up(self, at: float, caller: _Caller) -> None:
        self.write(at, caller, f"NONE|NONE|IVR|HANGUP|16|{caller.mall}/{caller.line}")

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def lasts(self, mean: float, least: float = 1.0) -> float:
        return least + self.random.expovariate(1.0 / mean)


def write_days(
    spec: Spec,
    *,
    first: date,
    last: date,
    seed: int,
    calls_per_day: int = 300,
    callers: Sequence[str] = (),
    until: datetime | None = None,
) -> Iterator[str]:
    """Yield queue_log lines of the days ``first`` to ``last`` (both in the spec's zone), oldest first.

    ``calls_per_day``: of an ordinary weekday, over all lines. ``callers``: numbers of customers, who make six calls in
    ten; the others are invented. ``until``: nothing after this moment (aware), as a log read in mid-day ends.
    """
    zone = ZoneInfo(spec.timezone)
    limit = until.timestamp() if until else math.inf
    day = first
    while day <= last:
        state = _Day(spec, Random(f"{seed} {day.isoformat()}"))
        _arrivals(state, day, zone, calls_per_day, callers)
        while state.joins:
            at, _, caller = heapq.heappop(state.joins)
            _queue(state, at, caller)
        _presence(state, day, zone)
        for at, _, text in sorted(state.lines):
            if at > limit:
                return
            yield text + "\n"
        day = next_day(day)


def _arrivals(state: _Day, day: date, zone: ZoneInfo, calls_per_day: int, callers: Sequence[str]) -> None:
    random, spec = state.random, state.spec
    weights = [LINE_WEIGHTS.get(number.line, 0.5) for number in spec.numbers]
    mean = calls_per_day * WEEKDAY_FACTORS[day.weekday()]
    total = max(0, round(random.gauss(mean, math.sqrt(mean))))
    hours = random.choices(list(HOUR_WEIGHTS), list(HOUR_WEIGHTS.values()), k=total)
    midnight = datetime.combine(day, time(), zone).timestamp()
    times = sorted(midnight + hour * 3600 + random.random() * 3600 for hour in hours)
    for index, at in enumerate(times):
        number = random.choices(spec.numbers, weights)[0]
        other = "inquiry" if number.line == "order" else "order"
        caller = _Caller(
            callid=f"{int(at)}.{index * 10}",
            did=number.did,
            number=_number(random, callers),
            mall=number.mall,
            line=number.line,
            matter=other if state.happens(0.25 if number.line == "order" else 0.12) else number.line,
        )
        _enter(state, at, caller, datetime.fromtimestamp(at, zone))


def _presence(state: _Day, day: date, zone: ZoneInfo) -> None:
    """Agents sign in to each of their queues before its line opens, pause while it is closed for lunch, and sign out.

    By a chance of their own: without them the calls of a day would be the same.
    """
    random, midnight = Random(f"agents {day.isoformat()}"), datetime.combine(day, time(), zone).timestamp()
    for name, queue in state.spec.queues.items():
        line = state.spec.lines.get(name)
        hours = open_minutes(state.spec.calendars[line.hours], day) if line and line.hours else []
        for member in queue.members if hours else ():
            at = midnight + hours[0][0] * 60 - random.uniform(60, 600)
            head = f"{pbx_queue(name)}|{member}"
            state.note(at, f"MANAGER|{head}|ADDMEMBER|")
            for (_, end), (start, _) in pairwise(hours):
                state.note(midnight + end * 60 + random.uniform(0, 300), f"NONE|{head}|PAUSE|lunch")
                state.note(midnight + start * 60 - random.uniform(0, 300), f"NONE|{head}|UNPAUSE|")
            state.note(midnight + hours[-1][1] * 60 + random.uniform(1200, 1800), f"MANAGER|{head}|REMOVEMEMBER|")


def _number(random: Random, callers: Sequence[str]) -> str:
    if random.random() < 0.03:
        return ""  # withheld
    if callers and random.random() < 0.6:
        return "".join(character for character in random.choice(callers) if character.isdigit())
    return f"0100000{random.randrange(10_000):04d}"


def _enter(state: _Day, at: float, caller: _Caller, local: datetime) -> None:
    name = f"{caller.mall}.{caller.line}"
    state.step(at, caller, "ENTER", caller.mall, caller.line, way=f"{name}.next")
    line = state.spec.lines[name]
    reason = closed_reason(state.spec.calendars[line.hours or ""], local)
    if reason is not None:
        state.step(at, caller, "CLOSED", reason, way=f"{name}.closed.{reason}.next")
        state.hang_up(at + state.lasts(4.0, 2.0), caller)
        return
    notices = [notice for name in line.notices if (notice := notice_of(state.spec, name))]
    length = sum(notice.seconds for notice in notices)
    if state.happens(0.02):
        state.hang_up(at + length * state.random.random() * 0.7, caller)
        return
    _menu(state, at + length, caller, line)


def _menu(state: _Day, at: float, caller: _Caller, line: LineSpec) -> None:
    entry = (line.entry or "").removeprefix("menu:")
    menu = state.spec.menus.get(entry)
    if menu is None:
        _join(state, at, caller, entry.removeprefix("queue:"))
        return
    if state.happens(0.035):
        state.hang_up(at + 2 + state.lasts(menu.seconds or 5.0), caller)
        return
    if state.happens(0.012) and menu.no_input is not None:
        for _ in range(menu.no_input.tries):
            at += menu.seconds + menu.no_input.seconds
            state.step(at, caller, "NOINPUT")
        state.step(at + 1, caller, "GIVEUP", str(menu.no_input.tries), way=f"{entry}.no_input")
        state.hang_up(at + 3, caller)
        return
    if state.happens(0.02):
        at += menu.seconds * 0.8
        state.step(at, caller, "INVALID", state.random.choice("3578"))
    key, target = _choice(state, menu, caller)
    at += 1 + menu.seconds * state.random.random()
    kind, _, name = target.partition(":")
    if kind == "callback":
        state.step(at, caller, "KEY", key, "callback", way=f"{entry}.key.{key}")
        _call_back(state, at, caller)
        return
    place = queue_place(name, state.spec.queues[name])
    chosen = place.line if place else caller.line
    state.step(at, caller, "KEY", key, "agent" if key == "0" else chosen, way=f"{entry}.key.{key}")
    if chosen != caller.line:
        state.step(at, caller, "SWITCH", caller.line, chosen)
    _join(state, at, caller, name)


def _choice(state: _Day, menu: Menu, caller: _Caller) -> tuple[str, str]:
    """The key a caller presses: mostly the line's own queue, more often the other one when the matter is the other."""
    options = [(key, target) for key, target in menu.keys.items() if target.partition(":")[0] in ("queue", "callback")]
    own = f"queue:{caller.mall}.{caller.line}"
    weights = []
    for key, target in options:
        if target.startswith("callback:"):
            weights.append(2.0)
        elif target == own:
            weights.append(6.0 if key == "0" else 80.0)
        else:
            weights.append(40.0 if caller.matter != caller.line else 2.0)
    return state.random.choices(options, weights)[0]


def _call_back(state: _Day, at: float, caller: _Caller) -> None:
    state.step(at, caller, "CALLBACK", caller.number)
    state.hang_up(at + 3, caller)


def _join(state: _Day, at: float, caller: _Caller, queue: str) -> None:
    state.step(at, caller, "QUEUE", pbx_queue(queue))
    caller.queue = queue
    heapq.heappush(state.joins, (at, next(state.numbers), caller))


def _queue(state: _Day, at: float, caller: _Caller) -> None:
    """One stay in a queue: refused, answered, given up, timed out or left by key."""
    queue = state.spec.queues[caller.queue]
    name = pbx_queue(caller.queue)
    waiting = [end for end in state.stays.get(name, []) if end > at]
    if queue.max_len and len(waiting) >= queue.max_len:
        state.step(at, caller, "QRESULT", name, "FULL", way=f"{caller.queue}.on.full")
        _after_queue(state, at, caller, queue.on.get("full", ""))
        return
    state.write(at, caller, f"{name}|NONE|ENTERQUEUE||{caller.number}|{len(waiting) + 1}")
    agent = min(queue.members, key=lambda member: (state.free_at.get(member, 0.0), member))
    ring = 1 + state.random.random() * 5
    pick_up = max(at, state.free_at.get(agent, 0.0)) + ring
    patience = state.lasts(PATIENCE_SECONDS)
    limit = float(queue.max_wait_s or 120)
    missed = at + queue.ring_s
    if state.happens(0.06) and queue.ring_s < min(patience, limit):
        state.write(missed, caller, f"{name}|{agent}|RINGNOANSWER|{queue.ring_s * 1000}")
        pick_up = max(pick_up, missed + ring)
    gone = min(pick_up - at, patience, limit)
    state.stays[name] = [*waiting, at + gone]
    if gone == patience and patience < pick_up - at:
        _leave(state, at, at + gone, caller, name)
    elif gone == limit:
        state.write(at + gone, caller, f"{name}|NONE|EXITWITHTIMEOUT|1|1|{int(at + gone) - int(at)}")
        state.step(at + gone, caller, "QRESULT", name, "TIMEOUT", way=f"{caller.queue}.on.timeout")
        _after_queue(state, at + gone, caller, queue.on.get("timeout", ""))
    else:
        _talk(state, at, pick_up, caller, agent=agent, ring=ring)


def _leave(state: _Day, joined: float, at: float, caller: _Caller, name: str) -> None:
    waited = int(at) - int(joined)
    exits = [word for word in state.spec.queues[caller.queue].on if word.startswith("key-")]
    if exits and waited > 10 and state.happens(0.2):
        key = exits[0].removeprefix("key-")
        state.write(at, caller, f"{name}|NONE|EXITWITHKEY|{key}|1|1|{waited}")
        state.step(at, caller, "KEY", key, "callback-from-queue", way=f"{caller.queue}.on.key-{key}")
        _call_back(state, at, caller)
        return
    state.write(at, caller, f"{name}|NONE|ABANDON|1|1|{waited}")
    state.hang_up(at, caller)


def _after_queue(state: _Day, at: float, caller: _Caller, target: str) -> None:
    if target.startswith("callback:") and state.happens(0.4):
        _call_back(state, at + 6, caller)
    else:
        state.hang_up(at + 5, caller)


def _talk(state: _Day, joined: float, at: float, caller: _Caller, *, agent: str, ring: float) -> None:
    queue = state.spec.queues[caller.queue]
    name, held = pbx_queue(caller.queue), int(at) - int(joined)
    channel = f"{int(at - ring)}.{next(state.numbers) + 1_000_000}"
    state.write(at, caller, f"{name}|{agent}|CONNECT|{held}|{channel}|{int(ring)}")
    place = queue_place(caller.queue, queue)
    line = place.line if place else caller.line
    other = f"{caller.mall}.{caller.matter}"
    is_moved = line != caller.matter and not caller.is_transferred and other in state.spec.queues and state.happens(0.4)
    talk = state.lasts(35.0, 15.0) if is_moved else state.lasts(TALK_SECONDS.get(line, 200.0), 20.0)
    end = at + talk
    talked = int(end) - int(at)
    state.free_at[agent] = end + state.lasts(AFTER_CALL_SECONDS, 5.0)
    if is_moved:
        state.write(end, caller, f"{name}|{agent}|BLINDTRANSFER|7|xfer|{held}|{talked}|1")
        state.step(end, caller, "XFER", pbx_queue(other))
        caller.is_transferred = True
        _join(state, end, caller, other)
        return
    if state.happens(0.45):
        state.write(end, caller, f"{name}|{agent}|COMPLETECALLER|{held}|{talked}|1")
        state.hang_up(end, caller)
    else:
        state.write(end, caller, f"{name}|{agent}|COMPLETEAGENT|{held}|{talked}|1")
        state.step(end, caller, "QRESULT", name, "CONTINUE", way=f"{caller.queue}.served")
        if state.happens(0.3):
            state.step(end + 6, caller, "CSAT", str(state.random.choices((1, 2, 3, 4, 5), (1, 1, 2, 5, 6))[0]))
        state.hang_up(end + 7, caller)
    if state.happens(0.92):
        state.write(end + 8, caller, f"{name}|{agent}|DISPOSITION|{_topic(state, caller)}")


def _topic(state: _Day, caller: _Caller) -> str:
    """What the agent notes: for an order, mostly also why it was made by telephone."""
    if caller.matter != "order":
        return caller.matter
    reasons = state.random.choices(list(ORDER_REASON_WEIGHTS), list(ORDER_REASON_WEIGHTS.values()))
    return f"order_help.{reasons[0]}"
