"""FreeSWITCH: the same flow as XML: an entry by dialled number, one context per revision, and mod_callcenter.

Nothing of Asterisk's shape survives here: there are no priorities, labels or counters, an extension is found anew by
conditions after every transfer, a queue tells its outcome in variables, and the menu before the last is the tail of a
path. Steps are told as events ``CUSTOM hub::ivr`` with the same kinds, words and way ids; the hang-up is FreeSWITCH's
own CHANNEL_HANGUP_COMPLETE, which carries the variables ``hub_*``.

Source: FreeSWITCH documentation (XML dialplan, time conditions, mod_dptools, mod_callcenter, mod_commands) and
mod_callcenter.c; confidence: likely, no FreeSWITCH has run this yet.
"""

import html
import re
from collections.abc import Iterable, Iterator

from ivr.compile.asterisk import own_days, spec_hash, transfer_codes
from ivr.compile.asterisk_files import agent_of
from ivr.compile.text import comment, safe
from ivr.flow import UNKNOWN_NUMBER, Flow, Step, StepKind, Turn, Way, key_meaning
from ivr.hours import DAY_MINUTES, Calendar, days_of, minutes_of, open_minutes
from ivr.spec import PAID_PREFIX, notice_of, pbx_queue, queue_place
from ivr.walk import NUMBER_SECONDS

ENTRY_FILE = "dialplan/public/00_hub_entry.xml"
QUEUES_FILE = "autoload_configs/callcenter.conf.xml"
_SILENCE = "silence_stream://10"
_POP = "set", "hub_menus=${regex(${hub_menus}|^(.*)/[^/]+$|%1|n)}"

Action = tuple[str, str]


def write_freeswitch(flow: Flow) -> dict[str, str]:
    """File below the configuration folder -> text. The context has its own file, so that the one before may stay.

    Raises: UnsafeTextError, ValueError for a spec that did not pass its check.
    """
    dialplan = _Dialplan(flow)
    return {
        ENTRY_FILE: _document(flow, dialplan.entry()),
        f"dialplan/hub_v{flow.spec.revision}.xml": _document(flow, dialplan.context()),
        QUEUES_FILE: _document(flow, _queues(flow)),
    }


def _document(flow: Flow, lines: Iterable[str]) -> str:
    head = comment(f"telephone spec revision {flow.spec.revision}, {spec_hash(flow)}; made from the spec")
    return "\n".join([f"<!-- {head} -->", "<include>", *(f"  {line}" for line in lines), "</include>"]) + "\n"


def _open(element: str, /, **attributes: str) -> str:
    # Attributes of FreeSWITCH have dashes; keywords of Python cannot.
    texts = "".join(f' {key.replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<{element}{texts}>"


def _tag(element: str, /, **attributes: str) -> str:
    return _open(element, **attributes)[:-1] + "/>"


def _extension(
    name: str, *actions: Action, when: Iterable[dict[str, str]] = (), otherwise: Iterable[Action] = ()
) -> Iterator[str]:
    """One extension: its name is dialled, all of ``when`` holds, then ``actions``; if the last fails, ``otherwise``."""
    conditions = [{"field": "destination_number", "expression": f"^{re.escape(name)}$"}, *when]
    yield _open("extension", name=name)
    for condition in conditions[:-1]:
        yield "  " + _tag("condition", **condition)
    yield "  " + _open("condition", **conditions[-1])
    yield from ("    " + _tag("action", application=application, data=data) for application, data in actions)
    yield from ("    " + _tag("anti-action", application=application, data=data) for application, data in otherwise)
    yield "  </condition>"
    yield "</extension>"


def _is(variable: str, expression: str) -> dict[str, str]:
    return {"field": f"${{{variable}}}", "expression": expression}


def _tell(kind: str, first: str = "", second: str = "", *, way: Way | None = None) -> Action:
    words = {"Kind": kind, "First": first, "Second": second, "Did": "${hub_did}", "Way": safe(way.id) if way else ""}
    headers = "".join(f",Hub-{name}={value}" for name, value in words.items())
    return "event", f"Event-Name=CUSTOM,Event-Subclass=hub::ivr{headers}"


def _play(prompt: str | None) -> list[Action]:
    return [("playback", f"{safe(prompt)}.wav")] if prompt else []


class _Dialplan:
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._name = f"hub-v{flow.spec.revision}"
        self._zone = safe(flow.spec.timezone)

    # -- the way in

    def entry(self) -> Iterator[str]:
        for did, start in self._flow.entries.items():
            step = self._flow.steps[start]
            mall, _, line = step.line.partition(".")
            variables = {
                "hub_did": did,
                "hub_mall": mall,
                "hub_line": line,
                "accountcode": f"{mall}-{line}",
                # The zone that the conditions of time are read in.
                "timezone": self._zone,
            }
            expression = rf"^\+?({safe(did)})$"
            yield from _entry(f"hub-{did}", expression, [*_sets(variables), self._go_to(step)])
        unknown = self._flow.steps[UNKNOWN_NUMBER]
        yield from _entry("hub-unknown", "^([0-9]+)$", [("set", "hub_did=$1"), self._go_to(unknown)])

    def context(self) -> Iterator[str]:
        yield _open("context", name=self._name)
        for step in self._flow.steps.values():
            write = {
                StepKind.ENTER: self._line,
                StepKind.HOURS: self._hours,
                StepKind.NOTICE: self._notice,
                StepKind.CLOSED: self._closed,
                StepKind.MENU: self._menu,
                StepKind.QUEUE: self._queue,
                StepKind.CALLBACK: self._callback,
                StepKind.SURVEY: self._survey,
                StepKind.HANGUP: self._ending,
            }[step.kind]
            yield from (f"  {line}" for line in write(step))
        yield from (f"  {line}" for line in (*self._back(), *self._transfers(), *self._farewell()))
        yield "</context>"

    # -- lines

    def _line(self, step: Step) -> Iterator[str]:
        mall, _, line = step.line.partition(".")
        way = _way(step, "next")
        yield from _extension(_place(step), _tell("ENTER", safe(mall), safe(line), way=way), self._go_to_id(way.to))

    def _hours(self, step: Step) -> Iterator[str]:
        place, calendar = _place(step), self._flow.spec.calendars[step.name]
        goes = {word: self._go_to_id(_way(step, word).to) for word in ("open", "hours", "holiday", "dnd")}
        yield from _extension(place, goes["dnd"], when=[_is(f"hash(select/hub_dnd/{safe(step.line)})", "^1$")])
        for day in own_days(calendar):
            today = _is(f"strftime_tz({self._zone} %Y-%m-%d)", f"^{day}$")
            for start, end in open_minutes(calendar, day):
                yield from _extension(place, goes["open"], when=[today, {"time_of_day": _span(start, end)}])
            word = "holiday" if day.isoformat() in calendar.closed else "hours"
            yield from _extension(place, goes[word], when=[today])
        for when in _weekly(calendar):
            yield from _extension(place, goes["open"], when=[when])
        yield from _extension(place, goes["hours"])

    def _notice(self, step: Step) -> Iterator[str]:
        notice = notice_of(self._flow.spec, step.name)
        played = _play(notice.prompt if notice else None)
        yield from _extension(_place(step), ("answer", ""), *played, self._go_to_id(_way(step, "next").to))

    def _closed(self, step: Step) -> Iterator[str]:
        way, word = _way(step, "next"), step.id.rpartition(".")[2]
        # Before the answer, so that a carrier which lets early media through charges nothing.
        played = [("pre_answer", ""), *_play(step.prompt)] if step.prompt else []
        yield from _extension(_place(step), _tell("CLOSED", word, way=way), *played, self._go_to_id(way.to))

    # -- menus

    def _menu(self, step: Step) -> Iterator[str]:
        menu, place = self._flow.menu(step), _place(step)
        if menu.no_input is None or menu.invalid is None:
            message = f"menu {step.name} does not say what silence or a wrong key does"
            raise ValueError(message)
        zero = _sets({"hub_no_input": "0", "hub_invalid": "0"})
        ask = self._transfer(f"{place}_ask")
        yield from _extension(
            place,
            *zero,
            ask,
            when=[_is("hub_menus", f"/{re.escape(place)}$")],
            otherwise=[*zero, ("set", f"hub_menus=${{hub_menus}}/{place}"), ask],
        )
        prompt = f"{safe(menu.prompt)}.wav" if menu.prompt else _SILENCE
        first = [] if menu.barge_in else [("playback", prompt)]
        wait = f"1 1 1 {round(menu.no_input.seconds * 1000)} none {prompt if menu.barge_in else _SILENCE}"
        yield from _extension(
            f"{place}_ask",
            ("answer", ""),
            ("set", "hub_key="),
            *first,
            ("play_and_get_digits", f"{wait} {_SILENCE} hub_key [0-9*#]"),
            self._transfer(f"{place}_key"),
        )
        for way in step.ways:
            if way.word.startswith("key-"):
                key = way.word.removeprefix("key-")
                told = _tell("KEY", key, safe(key_meaning(self._flow, way)), way=way)
                yield from _extension(
                    f"{place}_key", told, *self._go(step, way), when=[_is("hub_key", f"^{re.escape(key)}$")]
                )
        yield from self._tries(step, "no_input", "NOINPUT", menu.no_input.tries)
        yield from self._tries(step, "invalid", "INVALID", menu.invalid.tries)

    def _tries(self, step: Step, word: str, kind: str, tries: int) -> Iterator[str]:
        place, way, count = _place(step), _way(step, word), f"hub_{word}"
        counted = ("set", f"{count}=${{expr(${{{count}}}+1)}}")
        told = _tell(kind, "" if word == "no_input" else "${hub_key}")
        silent = [_is("hub_key", "^$")] if word == "no_input" else []
        yield from _extension(f"{place}_key", counted, told, self._transfer(f"{place}_{word}"), when=silent)
        if tries > 1:
            again = self._transfer(f"{place}_ask")
            yield from _extension(f"{place}_{word}", again, when=[_is(count, f"^[1-{tries - 1}]$")])
        yield from _extension(f"{place}_{word}", _tell("GIVEUP", str(tries), way=way), *self._go(step, way))

    # -- queues

    def _queue(self, step: Step) -> Iterator[str]:
        queue, place, name = self._flow.queue(step), _place(step), safe(pbx_queue(step.name))
        join, line = self._transfer(f"{place}_join"), queue_place(step.name, queue)
        if line is None:
            yield from _extension(place, join)
        else:
            switched = [_tell("SWITCH", "${hub_line}", safe(line.line)), ("set", f"hub_line={safe(line.line)}"), join]
            yield from _extension(place, join, when=[_is("hub_line", f"^{safe(line.line)}$")], otherwise=switched)
        yield from _extension(f"{place}_join", _tell("QUEUE", name), self._transfer(f"{place}_try"))
        keys = [way for way in step.ways if way.word.startswith("key-")]
        waiting = f"callcenter_config(queue count members {name}@default)"
        if queue.max_len:
            full = _is(f"cond(${{{waiting}}} >= {queue.max_len} ? full : free)", "^full$")
            yield from self._result(step, f"{place}_try", "full", "FULL", when=[full])
        nobody = _is(f"callcenter_config(queue count agents {name}@default Available)", "^0$")
        yield from self._result(step, f"{place}_try", "empty", "JOINEMPTY", when=[nobody])
        variables = {
            "cc_exit_keys": "".join(way.word.removeprefix("key-") for way in keys),
            "cc_exit_key": "",
            "cc_cause": "",
            "cc_cancel_reason": "",
            "hangup_after_bridge": "false",
            "force_transfer_context": self._name,
        }
        yield from _extension(
            f"{place}_try", *_sets(variables), ("callcenter", f"{name}@default"), self._transfer(f"{place}_after")
        )
        for way in keys:
            key = way.word.removeprefix("key-")
            told = _tell("KEY", key, safe(key_meaning(self._flow, way)), way=way)
            yield from _extension(
                f"{place}_after", told, *self._go(step, way), when=[_is("cc_exit_key", f"^{re.escape(key)}$")]
            )
        for word, status, variable, value in _OUTCOMES:
            yield from self._result(step, f"{place}_after", word, status, when=[_is(variable, f"^{value}$")])
        yield from _extension(f"{place}_after", _tell("QRESULT", name, "NONE"), ("hangup", "NORMAL_CLEARING"))

    def _result(
        self, step: Step, extension: str, word: str, status: str, *, when: list[dict[str, str]]
    ) -> Iterator[str]:
        way = step.way(word)
        if way is not None:
            told = _tell("QRESULT", safe(pbx_queue(step.name)), status, way=way)
            yield from _extension(extension, told, *self._go(step, way), when=when)

    # -- ends

    def _callback(self, step: Step) -> Iterator[str]:
        place, callback = _place(step), self._flow.callback(step)
        end = [*_play(step.prompt), ("hangup", "NORMAL_CLEARING")]
        none = [*_play(callback.no_number), ("hangup", "NORMAL_CLEARING")]
        known = _is("caller_id_number", r"^(\+?[0-9]+)$")
        yield from _extension(place, _tell("CALLBACK", "$1"), *end, when=[known])
        if callback.ask_number:
            least, most = callback.least_digits, callback.most_digits
            asked = f"{least} {most} {callback.tries} {round(NUMBER_SECONDS * 1000)} # {safe(callback.ask_number)}.wav"
            asked = f"{asked} {_SILENCE} hub_number (?!{PAID_PREFIX})0[0-9]{{{least - 1},{most - 1}}}"
            yield from _extension(
                place, ("set", "hub_number="), ("play_and_get_digits", asked), self._transfer(f"{place}_noted")
            )
            noted = _is("hub_number", "^([0-9]+)$")
            yield from _extension(f"{place}_noted", _tell("CALLBACK", "$1"), *end, when=[noted], otherwise=none)
        else:
            yield from _extension(place, *none)

    def _survey(self, step: Step) -> Iterator[str]:
        place, survey = _place(step), self._flow.survey(step)
        if not 1 <= survey.best <= 9:
            message = f"survey {step.name}: the best score must be one key, 1 to 9"
            raise ValueError(message)
        asked = f"1 1 1 {round(survey.seconds * 1000)} none {safe(survey.prompt)}.wav {_SILENCE} hub_score"
        yield from _extension(
            place,
            ("set", "hub_score="),
            ("play_and_get_digits", f"{asked} [1-{survey.best}]"),
            self._transfer(f"{place}_told"),
        )
        end = [*_play(survey.thanks), ("hangup", "NORMAL_CLEARING")]
        score = _is("hub_score", f"^([1-{survey.best}])$")
        yield from _extension(f"{place}_told", _tell("CSAT", "$1"), *end, when=[score], otherwise=end)

    def _ending(self, step: Step) -> Iterator[str]:
        if step.id == UNKNOWN_NUMBER:
            played = [("pre_answer", ""), *_play(step.prompt)] if step.prompt else []
            yield from _extension(_place(step), _tell("ENTER"), *played, ("hangup", "UNALLOCATED_NUMBER"))
        else:
            yield from _extension(_place(step), *_play(step.prompt), ("hangup", "NORMAL_CLEARING"))

    def _back(self) -> Iterator[str]:
        """The menu before the one that was left; without one, that menu; without any, the step that sent him back."""
        yield from _extension("back", _POP, self._transfer("$1"), when=[_is("hub_menus", "/([^/]+)$")])
        yield from _extension("back", self._transfer("$1"), when=[_is("hub_gone", "^(.+)$")])
        yield from _extension("back", self._transfer("${hub_from}"))

    def _farewell(self) -> Iterator[str]:
        """Where a call goes that an agent ends for abuse."""
        said = _play(self._flow.spec.abuse_farewell_prompt)
        yield from _extension("farewell", *said, ("hangup", "NORMAL_CLEARING"))

    def _transfers(self) -> Iterator[str]:
        for name, code in transfer_codes(self._flow).items():
            yield from _extension(code, _tell("XFER", safe(pbx_queue(name))), self._go_to_id(f"queue:{name}"))

    # -- names

    def _go(self, step: Step, way: Way) -> list[Action]:
        if way.to == Turn.REPEAT:
            return [self._transfer(f"{_place(step)}_ask" if step.kind is StepKind.MENU else _place(step))]
        if way.to == Turn.BACK:
            gone = ("set", "hub_gone=${regex(${hub_menus}|/([^/]+)$|%1|n)}")
            return [("set", f"hub_from={_place(step)}"), gone, _POP, self._transfer("back")]
        return [self._go_to_id(way.to)]

    def _go_to_id(self, id_: str) -> Action:
        return self._go_to(self._flow.steps[id_])

    def _go_to(self, step: Step) -> Action:
        return self._transfer(_place(step))

    def _transfer(self, extension: str) -> Action:
        return "transfer", f"{extension} XML {self._name}"


_OUTCOMES = (
    ("timeout", "TIMEOUT", "cc_cancel_reason", "TIMEOUT"),
    ("empty", "LEAVEEMPTY", "cc_cancel_reason", "NO_AGENT_TIMEOUT"),
    ("served", "CONTINUE", "cc_cause", "answered"),
)


def _entry(name: str, expression: str, actions: Iterable[Action]) -> Iterator[str]:
    yield _open("extension", name=safe(name))
    yield "  " + _open("condition", field="destination_number", expression=expression)
    yield from ("    " + _tag("action", application=application, data=data) for application, data in actions)
    yield from ("  </condition>", "</extension>")


def _sets(variables: dict[str, str]) -> list[Action]:
    return [("set", f"{name}={value}") for name, value in variables.items()]


def _place(step: Step) -> str:
    """A step's extension. What belongs to it is told apart by ``_``, which no name in the spec has."""
    return safe(step.id.rstrip(":")).replace(":", "-")


def _way(step: Step, word: str) -> Way:
    way = step.way(word)
    if way is None:
        message = f"{step.id} does not say what happens on {word}"
        raise ValueError(message)
    return way


def _span(start: int, end: int) -> str:
    """A half-open range of minutes, whose last second still belongs to it."""
    last = end - 1
    return f"{start // 60:02d}:{start % 60:02d}:00-{last // 60:02d}:{last % 60:02d}:59"


def _weekly(calendar: Calendar) -> Iterator[dict[str, str]]:
    for name, ranges in calendar.weekly.items():
        for text in ranges:
            start, end = minutes_of(text)
            for day in sorted(days_of(name)):
                # Sunday is 1 here, Monday 0 there.
                wday = {"wday": str((day + 1) % 7 + 1)}
                yield wday if (start, end) == (0, DAY_MINUTES) else wday | {"time_of_day": _span(start, end)}


def _queues(flow: Flow) -> Iterator[str]:
    yield _open("configuration", name="callcenter.conf", description="queues of the telephone spec")
    yield "  <settings/>"
    yield "  <queues>"
    rings: dict[str, int] = {}
    tiers: list[str] = []
    for name, queue in flow.spec.queues.items():
        place = f"{safe(pbx_queue(name))}@default"
        parameters = {
            "strategy": "round-robin",
            "moh-sound": "$${hold_music}",
            "time-base-score": "queue",
            "max-wait-time": str(queue.max_wait_s or 0),
            "max-wait-time-with-no-agent": "1",
            "max-wait-time-with-no-agent-time-reached": "1",
            "tier-rules-apply": "false",
            "abandoned-resume-allowed": "false",
        }
        if queue.record:
            parameters["record-template"] = "$${recordings_dir}/${uuid}-${strepoch()}.wav"
        yield "    " + _open("queue", name=place)
        yield from ("      " + _tag("param", name=key, value=value) for key, value in parameters.items())
        yield "    </queue>"
        for position, member in enumerate(queue.members, start=1):
            agent = agent_of(member)
            rings[agent] = max(rings.get(agent, 0), queue.ring_s)
            tiers.append(_tag("tier", agent=agent, queue=place, level="1", position=str(position)))
    yield from ("  </queues>", "  <agents>")
    for agent, ring in rings.items():
        # One ring time for each agent: FreeSWITCH knows none for each queue.
        contact = f"[leg_timeout={ring}]user/{agent}@$${{domain}}"
        yield "    " + _tag("agent", name=agent, type="callback", contact=contact, status="Logged Out")
    yield from ("  </agents>", "  <tiers>", *(f"    {tier}" for tier in tiers), "  </tiers>", "</configuration>")
