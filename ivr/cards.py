"""The flow as cards for a drawing: a line, a menu or a queue, with one row for each place it leads to."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec

from ivr.flow import CLOSED_WORDS, UNKNOWN_NUMBER, Flow, Step, StepKind, Turn, Way
from ivr.graph import Node, edges, reach
from ivr.spec import notice_of, queue_place

#: kinds of steps that have a card; a call ends at all others, or goes straight on
CARDS = ("line", "menu", "queue")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way out, or several to the same place. ``label``: keys or words; ``says``: the place, or a plain fact.

    ``to``: the card it leads to, if one. ``mark``: the kind of place, empty for a fact. ``ways``: ids, for counts.
    """

    label: str
    says: str
    to: str | None = None
    mark: str = ""
    ways: tuple[str, ...] = ()


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """``lane``: index of the line whose calls it serves first; ``column`` counts from the left."""

    id: str
    kind: str
    title: str
    detail: str
    rows: tuple[Row, ...]
    lane: int
    column: int


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("ivr").joinpath("drawing.toml").read_text(encoding="utf-8"))


def word(key: str, language: str, **values: object) -> str:
    """``language``: ko or en."""
    return _table()[key][language].format_map(values)


class ToldWay(msgspec.Struct, frozen=True, kw_only=True):
    """A way in words: where it leaves, the key or what happens, and where it leads."""

    way: str
    origin: str
    label: str
    to: str


def tell_ways(flow: Flow, *, language: str) -> list[ToldWay]:
    """Every way beside which there is another, in the order of the spec. ``language``: ko or en."""
    return list(_Dealer(flow, language).told_ways())


def cards_of(flow: Flow, *, language: str) -> list[Card]:
    """Lines, menus and queues in the order of the spec, then what callers of unknown numbers meet."""
    return list(_Dealer(flow, language).cards())


class _Dealer:
    def __init__(self, flow: Flow, language: str) -> None:
        self._flow, self._language = flow, language
        spec = flow.spec
        ways = list(edges(spec))
        self._lanes = {name: lane for lane, name in enumerate(spec.lines)}
        self._depths: dict[Node, int] = reach([("line", name) for name in spec.lines], ways)
        self._first_lane: dict[Node, int] = {}
        for name, lane in self._lanes.items():
            for node in reach([("line", name)], ways):
                self._first_lane.setdefault(node, lane)
        self._last_menu = max((self._depths.get(("menu", name), 1) for name in spec.menus), default=0)
        self._entered = {way.node for way in ways if way.node and way.origin[0] != "queue"}

    def cards(self) -> Iterator[Card]:
        spec = self._flow.spec
        yield from (self._line(name) for name in spec.lines)
        for name, menu in spec.menus.items():
            rows = self._ways(self._flow.steps[f"menu:{name}"])
            column = self._depths.get(("menu", name), 1)
            yield self._card("menu", name, menu.prompt or "", rows, column=column, is_library=menu.is_library)
        for name, queue in spec.queues.items():
            step = self._flow.steps[f"queue:{name}"]
            ways = [way for way in step.ways if way.word != "served" or queue.survey]
            said = self._word("waits", members=len(queue.members), ring=queue.ring_s, wait=queue.max_wait_s)
            column = self._last_menu + 1 + (("queue", name) not in self._entered)
            rows = self._ways(step, ways)
            yield self._card("queue", name, said, rows, column=column, is_library=queue.is_library)
        ending = self._flow.steps[UNKNOWN_NUMBER]
        row = Row(label="", says=self._place(ending), mark="hangup")
        lane = len(self._lanes)
        title = self._word("other_numbers")
        yield Card(id=UNKNOWN_NUMBER, kind="line", title=title, detail="", rows=(row,), lane=lane, column=0)

    def told_ways(self) -> Iterator[ToldWay]:
        for step in self._flow.steps.values():
            for way in step.ways:
                if way.word == "next":
                    continue
                if step.kind is StepKind.HOURS:
                    origin, label = self._line_title(step.line), self._hours_label(way)
                else:
                    origin, label = f"{self._word(step.kind.value)} {step.name}", self._label(step, way)
                yield ToldWay(way=way.id, origin=origin, label=label, to=self._leads_to(way))

    def _hours_label(self, way: Way) -> str:
        return self._word(way.word if way.word == "open" else f"closed_{way.word}")

    def _leads_to(self, way: Way) -> str:
        """Announcements are passed by: they lead on."""
        step = self._flow.steps.get(way.to)
        while step is not None and step.kind in (StepKind.NOTICE, StepKind.CLOSED):
            step = self._flow.steps[step.ways[0].to]
        return self._place(step or way.to)

    def _line_title(self, name: str) -> str:
        mall, _, kind = name.partition(".")
        return f"{mall} · {self._word(kind)} {self._word('line')}"

    def _card(self, kind: str, name: str, detail: str, rows: tuple[Row, ...], *, column: int, is_library: bool) -> Card:
        """``is_library`` is said only of what no number leads to."""
        is_kept = is_library and (kind, name) not in self._depths
        title = f"{self._word(kind)} {name}" + (f" ({self._word('library')})" if is_kept else "")
        lane = self._lane(kind, name)
        return Card(id=f"{kind}:{name}", kind=kind, title=title, detail=detail, rows=rows, lane=lane, column=column)

    def _lane(self, kind: str, name: str) -> int:
        if kind == "queue" and (place := queue_place(name, self._flow.spec.queues[name])):
            own = self._lanes.get(f"{place.mall}.{place.line}")
            if own is not None:
                return own
        return self._first_lane.get((kind, name), len(self._lanes))

    def _line(self, name: str) -> Card:
        spec, steps = self._flow.spec, self._flow.steps
        line = spec.lines[name]
        numbers = [number for number in spec.numbers if f"{number.mall}.{number.line}" == name]
        said = [f"{number.display} ({number.did})" if number.display else number.did for number in numbers]
        rows = [Row(label=self._word("number"), says=text) for text in said]
        rows.append(Row(label=self._word("hours"), says=line.hours or ""))
        heard = [word_ for word_ in line.notices if notice_of(spec, word_)]
        if heard:
            rows.append(Row(label=self._word("notices"), says=" → ".join(heard)))
        hours = steps[f"line:{name}.hours"]
        for reason in CLOSED_WORDS:
            way = _way(hours, reason)
            announced = steps[way.to]
            then = steps[announced.ways[0].to]
            prompt = _short(announced.prompt)
            says = " → ".join(part for part in (prompt, self._place(then)) if part)
            label = self._word(f"closed_{reason}")
            rows.append(Row(label=label, says=says, to=_card_id(then), mark=then.kind.value, ways=(way.id,)))
        last = steps[_way(hours, "open").to]
        while last.kind is StepKind.NOTICE:
            last = steps[last.ways[0].to]
        ways = (_way(hours, "open").id,)
        rows.append(
            Row(label=self._word("open"), says=self._place(last), to=_card_id(last), mark=last.kind.value, ways=ways)
        )
        title, lane = self._line_title(name), self._lanes[name]
        return Card(id=f"line:{name}", kind="line", title=title, detail="", rows=tuple(rows), lane=lane, column=0)

    def _ways(self, step: Step, ways: Iterable[Way] | None = None) -> tuple[Row, ...]:
        """One row for each place with all keys that lead there; what happens without a key has its own."""
        grouped: dict[tuple[str, str], list[Way]] = {}
        for way in step.ways if ways is None else ways:
            is_key = way.word.startswith("key-")
            grouped.setdefault((way.to, "" if is_key else way.word), []).append(way)
        return tuple(
            Row(
                label=" · ".join(self._label(step, way) for way in same),
                says=self._place(self._flow.steps.get(to) or to),
                to=_card_id(self._flow.steps.get(to)),
                mark=self._flow.steps[to].kind.value if to in self._flow.steps else "turn",
                ways=tuple(way.id for way in same),
            )
            for (to, _), same in grouped.items()
        )

    def _label(self, step: Step, way: Way) -> str:
        head, _, key = way.word.partition("-")
        if head == "key":
            return key
        tries: Mapping[str, int] = {}
        if step.kind is StepKind.MENU:
            menu = self._flow.menu(step)
            exit_ = menu.no_input if way.word == "no_input" else menu.invalid
            tries = {"tries": exit_.tries} if exit_ else {}
        return self._word(way.word, **tries)

    def _place(self, step: Step | str) -> str:
        """The kind of place in words, and its name."""
        if isinstance(step, str):
            return self._word(Turn(step).value)
        name = _short(step.prompt) if step.kind is StepKind.HANGUP else step.name
        return f"{self._word(step.kind.value)} {name}".strip()

    def _word(self, key: str, **values: object) -> str:
        return word(key, self._language, **values)


def _way(step: Step, word_: str) -> Way:
    return next(way for way in step.ways if way.word == word_)


def _card_id(step: Step | None) -> str | None:
    return step.id if step is not None and step.kind.value in CARDS else None


def _short(prompt: str | None) -> str:
    """A prompt without its folder."""
    return (prompt or "").rpartition("/")[2]
