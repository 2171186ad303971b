"""The spec as one flow of steps and named ways: what the graph draws, the simulation walks and the compilers write.

A way's ``id`` is stable: it names the place in the spec (``menu-order.key.2``), not the revision, so that counts stay
comparable when prompts or targets change.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import msgspec

from ivr.spec import Callback, LineSpec, Menu, Queue, Spec, Survey, callbacks_of, notice_of, queue_place

UNKNOWN_NUMBER = "unknown-number"
CLOSED_WORDS = ("hours", "holiday", "dnd")
# an id stands in configurations, where a sign would be a command
_KEY_WORDS = {"*": "star", "#": "hash"}


class StepKind(StrEnum):
    """What a caller meets. The comment names the words of its ways."""

    ENTER = "enter"  # next
    HOURS = "hours"  # open, hours, holiday, dnd
    NOTICE = "notice"  # next
    CLOSED = "closed"  # next
    MENU = "menu"  # key-0 … key-9, key-*, key-#; no_input, invalid: after so many tries
    QUEUE = "queue"  # timeout, full, empty, key-9, …; served: the agent hung up first
    CALLBACK = "callback"  # none: the wish is noted, the call ends
    SURVEY = "survey"  # none: the score is noted, the call ends
    HANGUP = "hangup"  # none


class Turn(StrEnum):
    """Where a way leads that names no step: the same menu again, or the menu before."""

    REPEAT = "repeat"
    BACK = "back"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """``to``: the id of a step, or a turn."""

    id: str
    word: str
    to: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is the spec's name of what the step plays or joins; ``line`` is ``mall.line`` for a line's own steps."""

    id: str
    kind: StepKind
    name: str
    line: str = ""
    prompt: str | None = None
    ways: tuple[Way, ...] = ()

    def way(self, word: str) -> Way | None:
        return next((way for way in self.ways if way.word == word), None)


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """``entries``: dialled number -> step. Steps stand in the order of the spec; every way's step is among them."""

    spec: Spec
    entries: Mapping[str, str]
    steps: Mapping[str, Step]

    def step_of(self, did: str) -> Step:
        """The first step of a dialled number; the ending for numbers that the spec does not know."""
        return self.steps[self.entries.get(did, UNKNOWN_NUMBER)]

    def menu(self, step: Step) -> Menu:
        return self.spec.menus[step.name]

    def queue(self, step: Step) -> Queue:
        return self.spec.queues[step.name]

    def callback(self, step: Step) -> Callback:
        return callbacks_of(self.spec)[step.name]

    def survey(self, step: Step) -> Survey:
        return self.spec.surveys[step.name]


def flow_of(spec: Spec) -> Flow:
    """The flow of a spec without errors.

    Raises: ValueError for a target that names nothing: ``check_spec`` finds it first.
    """
    steps = {step.id: step for step in _steps(spec)}
    for step in steps.values():
        for way in step.ways:
            if way.to not in steps and way.to not in set(Turn):
                message = f"way {way.id} leads to {way.to!r}, which does not exist"
                raise ValueError(message)
    entries = {number.did: f"line:{number.mall}.{number.line}" for number in spec.numbers}
    return Flow(spec=spec, entries=entries, steps=steps)


def key_meaning(flow: Flow, way: Way) -> str:
    """What a pressed key means, as the step line words it: order, inquiry, agent, callback, or the name of a menu."""
    step = flow.steps.get(way.to)
    if step is None:
        return way.to
    if step.kind is StepKind.QUEUE and way.word == "key-0":
        return "agent"
    if step.kind is StepKind.QUEUE:
        place = queue_place(step.name, flow.queue(step))
        return place.line if place else step.name
    return step.name if step.kind is StepKind.MENU else step.kind.value


def _steps(spec: Spec) -> Iterator[Step]:
    endings: dict[str, Step] = {}

    def to(target: str) -> str:
        """The id of what a target names; an announcement before hanging up becomes a step when first named."""
        kind, _, name = target.partition(":")
        if kind == "hangup":
            endings.setdefault(target, Step(id=target, kind=StepKind.HANGUP, name=name, prompt=name or None))
        return target

    for name, line in spec.lines.items():
        yield from _line_steps(spec, name, line, to)
    for name, menu in spec.menus.items():
        ways = [
            Way(id=f"{name}.key.{_KEY_WORDS.get(key, key)}", word=f"key-{key}", to=to(target))
            for key, target in menu.keys.items()
        ]
        if menu.no_input:
            ways.append(Way(id=f"{name}.no_input", word="no_input", to=to(menu.no_input.then)))
        if menu.invalid:
            ways.append(Way(id=f"{name}.invalid", word="invalid", to=to(menu.invalid.then)))
        yield Step(id=f"menu:{name}", kind=StepKind.MENU, name=name, prompt=menu.prompt, ways=tuple(ways))
    for name, queue in spec.queues.items():
        ways = [Way(id=f"{name}.on.{_exit_word(word)}", word=word, to=to(target)) for word, target in queue.on.items()]
        served = f"survey:{queue.survey}" if queue.survey else to("hangup:")
        ways.append(Way(id=f"{name}.served", word="served", to=served))
        yield Step(id=f"queue:{name}", kind=StepKind.QUEUE, name=name, ways=tuple(ways))
    for name, callback in callbacks_of(spec).items():
        yield Step(id=f"callback:{name}", kind=StepKind.CALLBACK, name=name, prompt=callback.prompt)
    for name, survey in spec.surveys.items():
        yield Step(id=f"survey:{name}", kind=StepKind.SURVEY, name=name, prompt=survey.prompt)
    yield Step(id=UNKNOWN_NUMBER, kind=StepKind.HANGUP, name=UNKNOWN_NUMBER, prompt=spec.unknown_number_prompt)
    yield from endings.values()


def _line_steps(spec: Spec, name: str, line: LineSpec, to: Callable[[str], str]) -> Iterator[Step]:
    """A line: entry, hours, notices in order, then its menu or queue; and what it says when it is closed."""
    start = f"line:{name}"
    entry = line.entry or ""
    target = to(entry if ":" in entry else f"menu:{entry}")
    notices = [(word, notice) for word in line.notices if (notice := notice_of(spec, word))]
    places = [f"{start}.notice.{word}" for word, _ in notices]
    hours = f"{start}.hours"
    yield _straight(start, StepKind.ENTER, name, hours, line=name)
    ways = [Way(id=f"{name}.open", word="open", to=(*places, target)[0])]
    ways += [Way(id=f"{name}.closed.{word}", word=word, to=f"{start}.closed.{word}") for word in CLOSED_WORDS]
    yield Step(id=hours, kind=StepKind.HOURS, name=line.hours or "", line=name, ways=tuple(ways))
    for (word, notice), place, following in zip(notices, places, (*places[1:], target), strict=True):
        yield _straight(place, StepKind.NOTICE, word, following, line=name, prompt=notice.prompt)
    for word in CLOSED_WORDS:
        prompt = getattr(line.closed, word) or line.closed.hours if line.closed else None
        then = to(line.closed.then if line.closed else "hangup:")
        yield _straight(f"{start}.closed.{word}", StepKind.CLOSED, word, then, line=name, prompt=prompt)


def _exit_word(word: str) -> str:
    head, dash, key = word.partition("-")
    return f"{head}{dash}{_KEY_WORDS.get(key, key)}"


def _straight(id_: str, kind: StepKind, name: str, to: str, *, line: str, prompt: str | None = None) -> Step:
    way = Way(id=f"{id_.partition(':')[2]}.next", word="next", to=to)
    return Step(id=id_, kind=kind, name=name, line=line, prompt=prompt, ways=(way,))
