"""Random specs that pass the check, random centres and random callers for them.

A caller who presses nothing must come to an end, so what is led to without a key always stands further on: menus in
their order, then queues in theirs, then endings. Times are whole seconds, as queue_log has them.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml
from hypothesis import strategies as st

from ivr.flow import Flow
from ivr.graph import edges, reach
from ivr.hours import Calendar, Extra, Holidays, with_holidays
from ivr.spec import Callback, Closed, Invalid, LineSpec, Menu, NoInput, Notice, Number, Queue, Spec, Survey
from ivr.walk import Act, Agent, AgentState, Centre, Do, Stay

KEYS = "0123456789*#"
#: those that most menus have, so that callers often press one that means something
USUAL_KEYS = "0129*#"
ZONES = ("Asia/Seoul", "Asia/Tokyo", "Europe/Berlin", "UTC")
MONDAY = date(2026, 11, 23)
DAYS = [MONDAY + timedelta(days=day) for day in range(14)]
WEEKS = (
    {"daily": ("all-day",)},
    {"daily": ("06:00-23:00",)},
    {"mon-fri": ("09:00-12:00", "13:00-18:00")},
    {"mon": ("00:00-09:00", "09:00-23:59"), "sat-sun": ("10:30-15:00",)},
    {"mon-thu": ("08:00-20:00",), "fri": ("08:00-12:01",), "sat-sun": ("all-day",)},
)
PROMPTS = st.sampled_from(["prompts/one", "prompts/two", "prompts/three"])


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """A spec without errors."""
    malls = draw(st.lists(st.sampled_from(["alpha", "mall-b", "c3"]), min_size=1, max_size=2, unique=True))
    lines = [f"{mall}.{line}" for mall in malls for line in draw(st.sampled_from([("order",), ("order", "inquiry")]))]
    numbers = _numbers(draw, lines)
    menus = [f"menu-{index}" for index in range(draw(st.integers(1, 4)))]
    queues = [*lines, *draw(st.sampled_from([(), ("overflow",)]))]
    surveys = draw(st.dictionaries(st.just("survey"), _surveys(), max_size=1))
    agents = [f"agent{number}" for number in range(1001, 1001 + draw(st.integers(1, 3)))]
    ends = ["hangup:", "hangup:prompts/bye", *(f"callback:{mall}" for mall in malls)]
    spec = Spec(
        spec_version=1,
        revision=draw(st.integers(1, 99)),
        timezone=draw(st.sampled_from(ZONES)),
        malls=tuple(malls),
        agents=tuple(agents),
        numbers=numbers,
        calendars={name: draw(_calendars()) for name in ("hours-a", "hours-b")},
        notices=draw(_notices()),
        lines={name: draw(_lines(menus=menus, queues=queues, ends=ends)) for name in lines},
        menus={
            name: draw(_menus(menus=menus, later=menus[index + 1 :], queues=queues, ends=ends))
            for index, name in enumerate(menus)
        },
        queues={
            name: draw(
                _queues(
                    place=None if "." in name else lines[0],
                    later=queues[index + 1 :],
                    menus=menus,
                    agents=agents,
                    surveys=[*surveys],
                    ends=ends,
                )
            )
            for index, name in enumerate(queues)
        },
        callbacks={mall: draw(_callbacks(mall, numbers)) for mall in draw(st.sampled_from([malls, []]))},
        surveys=surveys,
        unknown_number_prompt=draw(st.none() | PROMPTS),
    )
    return _shelve(spec)


def spec_text(spec: Spec) -> str:
    """The spec as a person would keep it."""
    return yaml.safe_dump(_without_none(msgspec.to_builtins(spec)), sort_keys=False)


def starts(spec: Spec) -> st.SearchStrategy[datetime]:
    """Whole seconds in the two weeks whose closed days the calendars know; often where a range begins or ends."""
    zone = ZoneInfo(spec.timezone)
    edges_of_day = [0, 9 * 3600, 12 * 3600, 13 * 3600, 18 * 3600, 23 * 3600 + 59 * 60]
    near = st.builds(lambda edge, by: max(0, edge + by), st.sampled_from(edges_of_day), st.integers(-2, 2))
    in_the_morning = st.integers(10 * 3600, 12 * 3600 - 1)
    return st.builds(
        lambda day, at: datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=at),
        st.sampled_from(DAYS),
        st.one_of(in_the_morning, in_the_morning, in_the_morning, near, st.integers(0, 86_399)),
    )


def dids(spec: Spec) -> st.SearchStrategy[str]:
    known = [number.did for number in spec.numbers]
    return st.sampled_from([*known * 5, "07099999999"])


def callers() -> st.SearchStrategy[list[Act]]:
    """What a caller does: up to nine things, most of them keys."""
    after = st.integers(0, 40).map(float)
    press = st.builds(
        Act,
        do=st.just(Do.PRESS),
        key=st.one_of(
            *[st.sampled_from(USUAL_KEYS)] * 4,
            st.sampled_from(KEYS),
            st.sampled_from(["01000002222", "0600000222", "123"]),
        ),
        after=after,
        is_early=st.booleans(),
    )
    others = st.builds(Act, do=st.sampled_from([Do.SILENT, Do.HANG_UP]), after=after, is_early=st.booleans())
    return st.lists(st.one_of(*[press] * 6, others), max_size=9)


def centres(flow: Flow) -> st.SearchStrategy[Centre]:
    """Stays told one by one or agents who take what comes, queues that are full, lines that are switched off."""
    names = list(flow.spec.queues)
    agents = st.dictionaries(st.sampled_from(flow.spec.agents), _agents(names), min_size=1, max_size=3)
    return st.builds(
        Centre,
        stays=st.dictionaries(st.sampled_from(names), st.lists(_stays(names), max_size=3), max_size=len(names)),
        agents=st.one_of(st.none(), st.just({name: Agent() for name in flow.spec.agents}), agents, agents),
        full=_seldom(names),
        dnd=_seldom(sorted(flow.spec.lines)),
    )


def _seldom(names: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    """Mostly none of them, else one."""
    return st.sampled_from([frozenset[str]()] * 9 + [frozenset({name}) for name in names])


def _agents(queues: Sequence[str]) -> st.SearchStrategy[Agent]:
    return st.builds(
        Agent,
        state=st.sampled_from([AgentState.READY, AgentState.READY, *AgentState]),
        answers_after=st.integers(0, 40).map(float),
        talks=st.integers(1, 300).map(float),
        ends_by=st.sampled_from(["agent", "caller"]),
        moves_to=st.none() | st.sampled_from(queues),
        topic=st.none() | st.sampled_from(["order", "inquiry"]),
    )


def _stays(queues: Sequence[str]) -> st.SearchStrategy[Stay]:
    seconds = st.integers(0, 150).map(float)
    refused = st.builds(Stay, is_full=st.booleans(), is_empty=st.just(True))  # full is found before empty
    answered = st.builds(
        Stay,
        answers_after=seconds,
        agent=st.sampled_from(["agent1001", "agent1002"]),
        talks=st.integers(1, 300).map(float),
        ends_by=st.sampled_from(["agent", "caller"]),
        moves_to=st.none() | st.sampled_from(queues),
        topic=st.none() | st.sampled_from(["order", "inquiry"]),
    )
    return refused | answered | answered | st.builds(Stay, empties_after=st.none() | seconds)


def _numbers(draw: st.DrawFn, lines: Sequence[str]) -> tuple[Number, ...]:
    found: list[Number] = []
    for name in lines:
        mall, _, line = name.partition(".")
        for _ in range(draw(st.integers(1, 2))):
            found.append(Number(did=f"0700000{len(found):04d}", mall=mall, line=line))
    return tuple(found)


@st.composite
def _calendars(draw: st.DrawFn) -> Calendar:
    days = draw(st.lists(st.sampled_from(DAYS), max_size=3, unique=True))
    extra = draw(st.lists(st.sampled_from(DAYS), max_size=1))
    country = draw(st.sampled_from([None, None, "KR", "JP"]))  # Japan thanks for labour on the 23rd
    calendar = Calendar(
        weekly=draw(st.sampled_from(WEEKS)),
        closed=tuple(day.isoformat() for day in days if day not in extra),
        extra_open=tuple(Extra(date=day.isoformat(), hours=("10:00-11:00", "14:00-15:30")) for day in extra),
        holidays=Holidays(country=country, years=(2026,)) if country else None,
    )
    return with_holidays(calendar)


@st.composite
def _notices(draw: st.DrawFn) -> dict[str, Notice]:
    return {
        word: Notice(prompt=f"prompts/{word}", kind=kind, seconds=float(draw(st.integers(1, 6))))
        for word, kind in (("recording",) * 2, ("abuse-protection",) * 2, ("news", "information"))
    }


@st.composite
def _lines(draw: st.DrawFn, *, menus: Sequence[str], queues: Sequence[str], ends: Sequence[str]) -> LineSpec:
    notices = ("recording", "abuse-protection", *draw(st.sampled_from([(), ("news",)])))
    prompt = st.none() | PROMPTS
    closed = Closed(hours="prompts/closed", holiday=draw(prompt), dnd=draw(prompt), then=draw(st.sampled_from(ends)))
    return LineSpec(
        hours=draw(st.sampled_from(["hours-a", "hours-b"])),
        notices=notices,
        closed=draw(st.none() | st.just(closed)),
        entry=draw(st.sampled_from([*menus, *menus, *(f"queue:{queue}" for queue in queues)])),
    )


@st.composite
def _menus(
    draw: st.DrawFn, *, menus: Sequence[str], later: Sequence[str], queues: Sequence[str], ends: Sequence[str]
) -> Menu:
    places = [*(f"queue:{queue}" for queue in queues), *ends]
    by_key = st.sampled_from([*places, *(f"menu:{menu}" for menu in menus), "repeat", "back"])
    silent = st.sampled_from([*places, *(f"menu:{menu}" for menu in later)])
    return Menu(
        prompt=draw(PROMPTS),
        keys=draw(st.dictionaries(st.sampled_from(USUAL_KEYS) | st.sampled_from(KEYS), by_key, min_size=2, max_size=6)),
        no_input=NoInput(then=draw(silent), tries=draw(st.integers(1, 5)), seconds=float(draw(st.integers(1, 8)))),
        invalid=Invalid(then=draw(by_key), tries=draw(st.integers(1, 5))),
        barge_in=draw(st.booleans()),
        seconds=float(draw(st.integers(0, 10))),
    )


@st.composite
def _queues(
    draw: st.DrawFn,
    *,
    place: str | None,
    later: Sequence[str],
    menus: Sequence[str],
    agents: Sequence[str],
    surveys: Sequence[str],
    ends: Sequence[str],
) -> Queue:
    ways = st.sampled_from([*ends, *(f"queue:{queue}" for queue in later)])
    by_key = st.sampled_from([*ends, *(f"queue:{queue}" for queue in later), *(f"menu:{menu}" for menu in menus)])
    mall, _, line = (place or "").partition(".")
    ring = draw(st.integers(5, 30))
    return Queue(
        members=tuple(draw(st.lists(st.sampled_from(agents), min_size=1, unique=True))),
        ring_s=ring,
        max_wait_s=ring + draw(st.integers(0, 100)),
        max_len=draw(st.integers(0, 20)),
        on={word: draw(ways) for word in ("timeout", "full", "empty")}
        | {f"key-{key}": draw(by_key) for key in draw(st.lists(st.sampled_from(KEYS[:10]), max_size=2, unique=True))},
        mall=mall or None,
        line=line or None,
        record=draw(st.booleans()),
        asks_topic=True,
        survey=draw(st.sampled_from([None, *surveys])),
    )


@st.composite
def _callbacks(draw: st.DrawFn, mall: str, numbers: Sequence[Number]) -> Callback:
    owned = [number.did for number in numbers if number.mall == mall]
    prompt = st.none() | PROMPTS
    return Callback(
        mall=mall, caller_id=draw(st.sampled_from(owned)), prompt=draw(prompt), ask_number=draw(prompt), due_minutes=60
    )


@st.composite
def _surveys(draw: st.DrawFn) -> Survey:
    return Survey(
        prompt=draw(PROMPTS),
        best=draw(st.integers(2, 9)),
        seconds=float(draw(st.integers(1, 8))),
        thanks=draw(st.none() | PROMPTS),
    )


def _shelve(spec: Spec) -> Spec:
    """Menus and queues that no number leads to are kept for later."""
    reached = reach([(kind, name) for name in spec.lines for kind in ("line", "closed")], list(edges(spec)))
    menus = {
        name: menu if ("menu", name) in reached else msgspec.structs.replace(menu, is_library=True)
        for name, menu in spec.menus.items()
    }
    queues = {
        name: queue if ("queue", name) in reached else msgspec.structs.replace(queue, is_library=True)
        for name, queue in spec.queues.items()
    }
    return msgspec.structs.replace(spec, menus=menus, queues=queues)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
