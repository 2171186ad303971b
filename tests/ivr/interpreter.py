"""An abstract PBX: plays one call through the text of an extensions.conf and keeps what the dialplan logs.

It knows Asterisk's rules for contexts, priorities, labels, variables and expressions as far as the compiled dialplan
uses them, and stops at anything else: an application or function that it does not know is an error, not a no-op. It
reads the text only; of the spec it is told how long each announcement is, which no configuration says. The caller and
the centre act by the rules that ``ivr.simulate`` states for them.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from ivr.simulate import ANNOUNCEMENT_SECONDS, Act, Do, Stay

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_PRIORITIES = 50_000
_EXTEN = re.compile(r"exten => ([^,]+),1(?:\(([a-z]+)\))?,(.+)")
_SAME = re.compile(r" same => n(?:\(([a-z]+)\))?,(.+)")
_APPLICATION = re.compile(r"([A-Za-z]+)\((.*)\)", re.DOTALL)
_COMPARISON = re.compile(r'"(.*?)"\s*(=|!=)\s*"(.*?)"', re.DOTALL)
_ARITHMETIC = re.compile(r"\s*([0-9]+)\s*([+<>])\s*([0-9]+)\s*")


class DialplanError(Exception):
    """The text holds something that Asterisk would refuse, or that nobody taught this interpreter."""


@dataclass
class Extension:
    applications: list[str] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)


@dataclass
class Dialplan:
    contexts: dict[str, dict[str, Extension]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


def read_dialplan(text: str) -> Dialplan:
    """Contexts with their extensions; each priority in its place."""
    plan = Dialplan()
    context, extension = "", Extension()
    for line in text.splitlines():
        if not line or line.startswith((";", "#tryinclude", "include => ")):
            continue
        if line.startswith("["):
            context = line.strip("[]")
            if context in plan.contexts:
                message = f"context {context} stands twice"
                raise DialplanError(message)
            plan.contexts[context] = {}
        elif context in ("general", "globals"):
            name, _, value = line.partition("=")
            plan.variables[name] = value
        elif match := _EXTEN.fullmatch(line):
            name, label, application = match.groups()
            if name in plan.contexts[context]:
                message = f"extension {name} stands twice in {context}"
                raise DialplanError(message)
            extension = plan.contexts[context][name] = Extension()
            _add(extension, label, application)
        elif match := _SAME.fullmatch(line):
            _add(extension, *match.groups())
        else:
            message = f"cannot read {line!r}"
            raise DialplanError(message)
    return plan


def _add(extension: Extension, label: str | None, application: str) -> None:
    if label:
        if label in extension.labels:
            message = f"label {label} stands twice"
            raise DialplanError(message)
        extension.labels[label] = len(extension.applications)
    extension.applications.append(application)


class _HungUp(Exception):  # noqa: N818  the call's end, not an error
    pass


@dataclass
class Place:
    context: str
    extension: str
    index: int = 0


class Pbx:
    """One call. ``lengths``: (context, prompt) -> seconds; ``codes``: queue -> the agents' transfer code.

    ``next_stay``: how the caller's stay in a queue of the PBX goes; the agents who moved him are busy with nothing else.
    """

    def __init__(
        self,
        plan: Dialplan,
        *,
        start: datetime,
        did: str,
        number: str,
        acts: Sequence[Act],
        dnd: Iterable[str],
        next_stay: Callable[[str, frozenset[str]], Stay],
        lengths: Mapping[tuple[str, str], float],
        keys_contexts: Mapping[str, str],
        codes: Mapping[str, str],
    ) -> None:
        self.lines: list[str] = []
        self.applications: list[str] = []
        self._plan, self._start, self._did, self._number = plan, start, did, number
        self._acts = deque(acts)
        self._next_stay = next_stay
        self._moved_by: frozenset[str] = frozenset()
        self._database = {f"dnd/{line}": "1" for line in dnd}
        self._lengths, self._keys_contexts, self._codes = lengths, keys_contexts, codes
        self._variables: dict[str, str] = {}
        self._at = self._last_act_at = 0.0
        self._prompt: tuple[float, float, bool] | None = None
        self._handler = ""
        self._place = Place("from-trunk", self._match(did))
        self._stack: list[Place] = []

    # -- the run

    def run(self) -> list[str]:
        """What was logged: the text behind ``IVR|`` of each line."""
        try:
            for _ in range(MOST_PRIORITIES):
                self._step()
            raise DialplanError("the call goes round for ever")
        except _HungUp as end:
            self._variables["HANGUPCAUSE"] = str(end)
        if self._handler:
            context, extension, _ = self._handler.split(",")
            self._place, self._stack = Place(context, extension), [Place("", "")]
            while self._place.context:
                self._step()
        return self.lines

    def _step(self) -> None:
        extension = self._plan.contexts[self._place.context][self._place.extension]
        if self._place.index >= len(extension.applications):
            raise _HungUp("16")  # autofallthrough
        text = extension.applications[self._place.index]
        self._place.index += 1
        name, argument = self._split(text)
        self.applications.append(name)
        run = getattr(self, f"_do_{name.lower()}", None)
        if run is None:
            message = f"unknown application {name}"
            raise DialplanError(message)
        run(self.expand(argument))

    @staticmethod
    def _split(text: str) -> tuple[str, str]:
        match = _APPLICATION.fullmatch(text)
        if match is None:
            message = f"no application: {text!r}"
            raise DialplanError(message)
        return match[1], match[2]

    def _match(self, did: str) -> str:
        extensions = self._plan.contexts["from-trunk"]
        if did in extensions:
            return did
        for pattern, wanted in (("_X.", r"[0-9].+"), ("_+X.", r"\+[0-9].+")):
            if pattern in extensions and re.fullmatch(wanted, did):
                return pattern
        message = f"no extension for {did}"
        raise DialplanError(message)

    def _jump(self, target: str) -> None:
        parts = [part.strip() for part in target.split(",")]
        priority = parts[-1]
        extension = parts[-2] if len(parts) > 1 else self._place.extension
        context = parts[-3] if len(parts) > 2 else self._place.context
        found = self._plan.contexts.get(context, {}).get(extension)
        if found is None and context == "from-trunk":
            self._did = extension
            extension = self._match(extension)
            found = self._plan.contexts[context][extension]
        if found is None and "e" in self._plan.contexts.get(context, {}):
            extension, priority, found = "e", "1", self._plan.contexts[context]["e"]
        if found is None:
            message = f"no such place: {target}"
            raise DialplanError(message)
        index = int(priority) - 1 if priority.isdigit() else found.labels.get(priority, -1)
        if not 0 <= index < len(found.applications):
            message = f"no such priority: {target}"
            raise DialplanError(message)
        self._place = Place(context, extension, index)

    # -- applications

    def _do_set(self, argument: str) -> None:
        name, _, value = argument.partition("=")
        if name.startswith("PUSH("):
            variable, delimiter = name[5:-1].split(",")
            old = self._variables.get(variable, "")
            self._variables[variable] = f"{old}{delimiter}{value}" if old else value
        elif name == "CHANNEL(hangup_handler_push)":
            self._handler = value
        elif name.startswith("TIMEOUT("):
            float(value)
        elif not name.startswith(("CHANNEL(", "CDR(")):
            self._variables[name.lstrip("_")] = value

    def _do_goto(self, argument: str) -> None:
        self._jump(argument)

    def _do_gotoif(self, argument: str) -> None:
        condition, _, labels = argument.partition("?")
        yes, _, no = labels.partition(":")
        target = yes if condition not in ("", "0") else no
        if target:
            self._jump(target)

    def _do_gotoiftime(self, argument: str) -> None:
        when, _, label = argument.partition("?")
        hours, days, of_month, months, zone = when.split(",")
        if (of_month, months) != ("*", "*"):
            raise DialplanError("days of a month are not known here")
        now = datetime.fromtimestamp(self._start.timestamp() + self._at, ZoneInfo(zone))
        if days != "*":
            names = days.split("-")
            if not DAYS.index(names[0]) <= now.weekday() <= DAYS.index(names[-1]):
                return
        if hours != "*":
            first, last = ([int(part) for part in text.split(":")] for text in hours.split("-"))
            # The end minute belongs to it.
            if not first[0] * 60 + first[1] <= now.hour * 60 + now.minute <= last[0] * 60 + last[1]:
                return
        self._jump(label)

    def _do_gosub(self, argument: str) -> None:
        place, _, rest = argument.partition("(")
        for index, value in enumerate(rest.removesuffix(")").split(","), start=1):
            self._variables[f"ARG{index}"] = value
        self._stack.append(self._place)
        self._jump(place)

    def _do_return(self, _: str) -> None:
        self._place = self._stack.pop()

    def _do_queuelog(self, argument: str) -> None:
        queue, _, agent, event, info = argument.split(",", 4)
        if (queue, agent, event) != ("NONE", "NONE", "IVR"):
            message = f"not a step line: {argument}"
            raise DialplanError(message)
        self.lines.append(info)

    def _do_celgenuserevent(self, argument: str) -> None:
        if not argument.startswith("IVR_"):
            raise DialplanError(argument)

    def _do_userevent(self, argument: str) -> None:
        name, *headers = argument.split(",")
        if not name.startswith("Ivr") or not all(": " in header for header in headers):
            raise DialplanError(argument)

    def _do_answer(self, _: str) -> None: ...
    def _do_progress(self, _: str) -> None: ...
    def _do_noop(self, _: str) -> None: ...
    def _do_mixmonitor(self, _: str) -> None: ...
    def _do_stopmixmonitor(self, _: str) -> None: ...

    def _do_hangup(self, argument: str) -> None:
        raise _HungUp(argument)

    def _length(self, prompt: str) -> float:
        return self._lengths.get((self._place.context, prompt), ANNOUNCEMENT_SECONDS)

    def _do_playback(self, argument: str) -> None:
        prompt = argument.partition(",")[0]
        if self._place.context.startswith("menu-"):
            self._prompt = (self._at, self._length(prompt), False)
        else:
            self._announce(self._length(prompt), is_heard=self._place.context.startswith("line-"))

    def _do_background(self, prompt: str) -> None:
        self._prompt = (self._at, self._length(prompt), True)

    def _do_waitexten(self, seconds: str) -> None:
        began, length, can_interrupt = self._prompt or (self._at, 0.0, True)
        self._last_act_at = began
        limit = began + length + float(seconds)
        act = self._next_key(began if can_interrupt else began + length, limit)
        extensions = self._plan.contexts[self._place.context]
        if act is None:
            self._at = limit
            self._jump("t,1")
        elif act.key[:1] in extensions:
            # Single keys: the first one matches, and the rest is not waited for.
            self._jump(f"{act.key[:1]},1")
        else:
            self._variables["INVALID_EXTEN"] = act.key[:1]
            self._jump("i,1")

    def _do_read(self, argument: str) -> None:
        variable, prompt, digits, _, _, seconds = argument.split(",")
        self._last_act_at = self._at
        limit = self._at + self._length(prompt) + float(seconds)
        act = self._next_key(self._at, limit)
        self._at = self._at if act else limit
        self._variables[variable] = act.key.rstrip("#")[: int(digits)] if act else ""

    def _do_queue(self, argument: str) -> None:
        name, options, _, _, seconds = argument.split(",")
        if options != "tcC":
            message = f"queue options {options}"
            raise DialplanError(message)
        stay = self._next_stay(name, self._moved_by)
        if stay.is_full or stay.is_empty:
            self._variables["QUEUESTATUS"] = "FULL" if stay.is_full else "JOINEMPTY"
            return
        self._last_act_at = joined = self._at
        limit = joined + float(seconds or 0)
        emptied = limit + 1 if stay.empties_after is None else joined + stay.empties_after
        answered = limit + 1 if stay.answers_after is None else joined + stay.answers_after
        end = min(limit, emptied, answered)
        if self._leaves_by_key(name, end):
            return
        self._at = end
        if end == answered:
            self._talk(stay)
        else:
            self._variables["QUEUESTATUS"] = "LEAVEEMPTY" if end == emptied else "TIMEOUT"

    def _leaves_by_key(self, queue: str, end: float) -> bool:
        keys = self._keys_contexts.get(queue, "")
        while self._acts and (self._acts[0].do is Do.SILENT or self._last_act_at + self._acts[0].after < end):
            if self._acts[0].do is Do.SILENT:
                self._acts.popleft()
                continue
            act = self._take()
            if act.do is Do.HANG_UP:
                raise _HungUp("16")
            if act.key[:1] in self._plan.contexts.get(keys, {}):
                self._jump(f"{keys},{act.key[:1]},1")
                return True
        return False

    def _talk(self, stay: Stay) -> None:
        self._at += stay.talks
        if stay.moves_to and stay.moves_to in self._codes:
            self._moved_by |= {stay.agent}
            self._jump(f"{self._variables['TRANSFER_CONTEXT']},{self._codes[stay.moves_to]},1")
        elif stay.ends_by == "caller":
            raise _HungUp("16")
        else:
            self._variables["QUEUESTATUS"] = "CONTINUE"

    # -- the caller, by the rules of the simulation

    def _announce(self, seconds: float, *, is_heard: bool) -> None:
        end = self._at + seconds
        self._last_act_at = self._at
        while is_heard and self._acts and self._acts[0].is_early and self._last_act_at + self._acts[0].after <= end:
            if self._take().do is Do.HANG_UP:
                raise _HungUp("16")
        self._at = end

    def _next_key(self, heard: float, limit: float) -> Act | None:
        while self._acts:
            at = self._last_act_at + self._acts[0].after
            if at >= limit:
                self._acts[0] = msgspec.structs.replace(self._acts[0], after=max(0.0, at - limit))
                return None
            act = self._take()
            if act.do is Do.HANG_UP:
                raise _HungUp("16")
            if act.do is Do.SILENT:
                return None
            if at >= heard:
                return act
        return None

    def _take(self) -> Act:
        act = self._acts.popleft()
        self._at = self._last_act_at = self._last_act_at + act.after
        return act

    # -- variables and expressions

    def expand(self, text: str) -> str:
        """The text with its variables, functions and expressions replaced, inner ones first."""
        out, index = [], 0
        while index < len(text):
            opening = text[index : index + 2]
            if opening not in ("${", "$["):
                out.append(text[index])
                index += 1
                continue
            end = _closing(text, index + 1)
            inner = text[index + 2 : end]
            out.append(self._variable(inner) if opening == "${" else self._expression(self.expand(inner)))
            index = end + 1
        return "".join(out)

    @staticmethod
    def _expression(text: str) -> str:
        if match := _COMPARISON.fullmatch(text):
            return "1" if (match[1] == match[3]) == (match[2] == "=") else "0"
        match = _ARITHMETIC.fullmatch(text)
        if match is None:
            message = f"cannot reckon {text!r}"
            raise DialplanError(message)
        left, right = int(match[1]), int(match[3])
        results = {"+": left + right, "<": int(left < right), ">": int(left > right)}
        return str(results[match[2]])

    def _variable(self, inner: str) -> str:
        inner = self.expand(inner)
        name, paren, rest = inner.partition("(")
        if paren:
            return self._function(name, rest[: rest.rindex(")")])
        name, _, part = inner.partition(":")
        offset, _, length = part.partition(":")
        if name == "EPOCH":
            return str(int(self._start.timestamp() + self._at))
        if name == "EXTEN":
            is_pattern = self._place.extension.startswith("_")
            return (self._did if is_pattern else self._place.extension)[int(offset or 0) :]
        text = self._variables.get(name, self._plan.variables.get(name, ""))[int(offset or 0) :]
        return text[: int(length)] if length else text

    def _function(self, name: str, argument: str) -> str:
        functions: dict[str, Callable[[str], str]] = {
            "FILTER": _filter,
            "LEN": lambda text: str(len(text)),
            "CALLERID": lambda _: self._number,
            "CHANNEL": lambda _: "1795000000.1",
            "DB": lambda key: self._database.get(key, ""),
            "STRFTIME": _strftime,
            "IF": _if,
            "POP": self._pop,
        }
        if name not in functions:
            message = f"unknown function {name}"
            raise DialplanError(message)
        return functions[name](argument)

    def _pop(self, argument: str) -> str:
        variable, delimiter = argument.split(",")
        rest, _, last = self._variables.get(variable, "").rpartition(delimiter)
        self._variables[variable] = rest
        return last


def _closing(text: str, opened: int) -> int:
    pairs = {"{": "}", "[": "]"}
    opening, closing = text[opened], pairs[text[opened]]
    depth = 0
    for index in range(opened, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return index
    message = f"not closed: {text!r}"
    raise DialplanError(message)


def _filter(argument: str) -> str:
    allowed, _, text = argument.partition(",")
    return "".join(char for char in text if re.fullmatch(f"[{allowed.replace('*', re.escape('*'))}]", char))


def _strftime(argument: str) -> str:
    epoch, zone, form = argument.split(",")
    return datetime.fromtimestamp(int(epoch), ZoneInfo(zone)).strftime(form)


def _if(argument: str) -> str:
    condition, _, rest = argument.partition("?")
    yes, _, no = rest.partition(":")
    return yes if condition not in ("", "0") else no


def gotos(plan: Dialplan) -> Iterator[tuple[str, str, str]]:
    """(context, extension, target) of every jump whose target is written out."""
    for context, extensions in plan.contexts.items():
        for name, extension in extensions.items():
            for application in extension.applications:
                match = re.fullmatch(r"(?:Goto|Gosub)\(([a-z0-9_.,-]+?),([A-Za-z0-9*#]+),1(?:\(.*\))?\)", application)
                if match:
                    yield context, name, f"{match[1]},{match[2]}"
