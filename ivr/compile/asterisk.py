"""Asterisk 22: the dialplan of a flow.

Source: Asterisk 22, main/pbx.c, main/pbx_timing.c, apps/app_queue.c and the applications' documentation; confidence:
sure. The end minute of a time range is included there, so a half-open 09:00-18:00 is written 09:00-17:59. A range of
dates knows no year, so holidays compare the date's text. A range over midnight wraps within one weekday, so the
spec's ranges never cross it. Context names carry the revision: calls that are in an older one go on in it, and
``previous_contexts`` keeps those of the revision that is replaced.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from ivr.compile.text import UnsafeTextError, comment, safe
from ivr.flow import UNKNOWN_NUMBER, Flow, Step, StepKind, Turn, Way, key_meaning
from ivr.hours import DAY_MINUTES, DAYS, Calendar, days_of, minutes_of, open_minutes
from ivr.spec import PAID_PREFIX, callbacks_of, pbx_queue, queue_place
from ivr.walk import NUMBER_SECONDS

#: holds the contexts of the revision before, for calls that are still in them
PREVIOUS_FILE = "extensions-previous.conf"
#: what the spec does not describe
CENTRE_FILE = "extensions-centre.conf"
#: seconds that are waited for a second key; menus have keys of one digit
DIGIT_SECONDS = 2
#: first code that agents dial to hand a caller on to a queue
FIRST_TRANSFER_CODE = 71
#: AST_MAX_CONTEXT without its closing zero; more is cut silently
LONGEST_CONTEXT = 79
#: where a call goes that an agent ends for abuse. Of no revision: the hub names it whatever menu is in force
FAREWELL_CONTEXT = "hub-farewell"


def write_dialplan(flow: Flow) -> str:
    """extensions.conf: entry by dialled number, then one context for each step of the flow."""
    return _Dialplan(flow).text()


def spec_hash(flow: Flow) -> str:
    """Twelve hex digits of the spec: stands in a global variable, so that a PBX can be asked what it runs."""
    return hashlib.sha256(msgspec.json.encode(_written(flow.spec), order="sorted")).hexdigest()[:12]


def _written(value: object) -> object:
    """What a spec says, without defaults: a field that a later program adds does not change its hash."""
    if isinstance(value, msgspec.Struct):
        fields = {field.name: (getattr(value, field.name), field) for field in msgspec.structs.fields(value)}
        return {
            name: _written(item)
            for name, (item, field) in fields.items()
            if item != field.default and (field.default_factory is msgspec.NODEFAULT or item != field.default_factory())
        }
    if isinstance(value, dict):
        return {name: _written(item) for name, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, list | tuple) else value


def transfer_codes(flow: Flow) -> dict[str, str]:
    """Queue -> the code that agents dial to hand a caller on to it."""
    return {name: str(FIRST_TRANSFER_CODE + index) for index, name in enumerate(flow.spec.queues)}


class _Dialplan:
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._zone = safe(flow.spec.timezone)
        self._mark = f"v{flow.spec.revision}"
        endings = [step for step in flow.steps.values() if step.kind is StepKind.HANGUP]
        self._ending = {step.id: f"end{index}" for index, step in enumerate(endings)}

    def text(self) -> str:
        parts = [
            [header("dialplan", self._flow), "; made from the spec: change that, not this file"],
            ["[general]", "static=yes", "writeprotect=yes", "autofallthrough=yes", "clearglobalvars=no"],
            self._globals(),
            [f'#tryinclude "{CENTRE_FILE}"', f'#tryinclude "{PREVIOUS_FILE}"'],
            self._entry(),
            self._step_lines(),
            self._hangup_handler(),
            self._transfers(),
            self._outbound(),
        ]
        parts += [self._context(step) for step in self._flow.steps.values() if step.kind not in _INSIDE_OTHERS]
        parts += [self._endings(), self._farewell()]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"

    # -- what every call needs

    def _globals(self) -> list[str]:
        return ["[globals]", f"IVR_SPEC_HASH={spec_hash(self._flow)}", f"IVR_SPEC_REVISION={self._flow.spec.revision}"]

    def _entry(self) -> list[str]:
        lines = ["[from-trunk]"]
        for did, start in self._flow.entries.items():
            step = self._flow.steps[start]
            mall, _, line = step.line.partition(".")
            lines += _extension(
                safe(did),
                f"Set(__MALL={safe(mall)})",
                f"Set(__LINE={safe(line)})",
                "Set(__DID=${EXTEN})",
                f"Set(CHANNEL(accountcode)={safe(mall)}-{safe(line)})",
                "Set(CDR(userfield)=${EXTEN})",
                f"Set(CHANNEL(hangup_handler_push)=hub-hangup-{self._mark},s,1)",
                f"Goto({self._place(step)})",
            )
        # What the carrier sends and nobody routes: logged, and refused as unallocated.
        lines += _extension(
            "_X.",
            "Set(__DID=${FILTER(0-9,${EXTEN})})",
            f"Set(CHANNEL(hangup_handler_push)=hub-hangup-{self._mark},s,1)",
            f"Goto({self._place(self._flow.steps[UNKNOWN_NUMBER])})",
        )
        return [*lines, *_extension("_+X.", "Goto(${EXTEN:1},1)")]

    def _step_lines(self) -> list[str]:
        """One step told three ways: kind, first and second word, way. A caller's number is filtered to its digits.

        The path that the hang-up tells repeats the steps, but no number that was asked for.
        """
        return [
            f"[hub-step-{self._mark}]",
            *_extension(
                "s",
                "Set(HUB_CALLER=${FILTER(0-9+,${CALLERID(num)})})",
                "QueueLog(NONE,${CHANNEL(uniqueid)},NONE,IVR,${ARG1}|${ARG2}|${ARG3}|${DID}|${HUB_CALLER}|${ARG4})",
                "CELGenUserEvent(IVR_${ARG1},${ARG2}|${ARG3}|${DID}|${HUB_CALLER}|${ARG4})",
                "UserEvent(Ivr${ARG1},Arg: ${ARG2},Arg2: ${ARG3},Did: ${DID},Caller: ${HUB_CALLER},Way: ${ARG4})",
                'GotoIf($["${ARG1}"="CALLBACK"]?secret)',
                "Set(__HUB_PATH=${HUB_PATH}>${ARG1}=${ARG2})",
                "Return()",
                "(secret)Set(__HUB_PATH=${HUB_PATH}>${ARG1}=)",
                "Return()",
            ),
        ]

    def _hangup_handler(self) -> list[str]:
        return [
            f"[hub-hangup-{self._mark}]",
            *_extension(
                "s",
                "QueueLog(NONE,${CHANNEL(uniqueid)},NONE,IVR,HANGUP|${HANGUPCAUSE}|${MALL}/${LINE}${HUB_PATH})",
                "CELGenUserEvent(IVR_HANGUP,${HANGUPCAUSE}||${DID}||)",
                "Return()",
            ),
        ]

    def _transfers(self) -> list[str]:
        lines = [f"[hub-transfer-{self._mark}]"]
        for name, code in transfer_codes(self._flow).items():
            queue = safe(pbx_queue(name))
            lines += _extension(code, self._tell("XFER", queue), f"Goto({self._target(f'queue:{name}')})")
        return lines

    def _outbound(self) -> list[str]:
        """Calls of agents: on to a queue, or to a customer under a number that one of the malls owns.

        A false number shown is against the law in Korea (Telecommunications Business Act, art. 84-2), and carriers
        block it. 060 numbers bill the caller for their contents.
        """
        return [
            "[hub-phones]",
            f"include => hub-transfer-{self._mark}",
            "include => outbound",
            "",
            "[outbound]",
            *_extension(f"_{PAID_PREFIX}X.", "Hangup(21)"),
            *_extension(
                "_X.",
                "Set(HUB_SHOWN=${FILTER(0-9,${CALLERID(num)})})",
                *(f'GotoIf($["${{HUB_SHOWN}}"="{number}"]?owned)' for number in self._owned()),
                "Hangup(21)",
                "(owned)Dial(PJSIP/${FILTER(0-9,${EXTEN})}@trunk,60)",
                "Hangup(16)",
            ),
        ]

    def _owned(self) -> list[str]:
        spec = self._flow.spec
        shown = [text for number in spec.numbers for text in (number.did, number.display or "")]
        shown += [callback.caller_id for callback in callbacks_of(spec).values()]
        return list(dict.fromkeys(number for text in shown if (number := re.sub("[^0-9]", "", text))))

    # -- the steps

    def _context(self, step: Step) -> list[str]:
        write = {
            StepKind.ENTER: self._line,
            StepKind.MENU: self._menu,
            StepKind.QUEUE: self._queue,
            StepKind.CALLBACK: self._callback,
            StepKind.SURVEY: self._survey,
        }[step.kind]
        return [f"[{self._context_of(step)}]", *write(step)]

    def _line(self, enter: Step) -> Iterator[str]:
        """Entry, hours and notices of one line, and what it says when it is closed."""
        mall, _, line = enter.line.partition(".")
        hours = self._flow.steps[_way(enter, "next").to]
        calendar = self._flow.spec.calendars[hours.name]
        yield from _extension(
            "s",
            self._tell("ENTER", safe(mall), safe(line), way=_way(enter, "next")),
            f'GotoIf($["${{DB(dnd/{safe(enter.line)})}}"="1"]?dnd,1)',
            f"Set(TODAY=${{STRFTIME(${{EPOCH}},{self._zone},%Y-%m-%d)}})",
            *(f'GotoIf($["${{TODAY}}"="{day}"]?{place},1)' for day, place in own_days(calendar).items()),
            *(f"GotoIfTime({when}?open,1)" for when in self._weekly(calendar)),
            "Goto(hours,1)",
        )
        for day in _extra_days(calendar):
            opened = [f"{_minutes(start, end)},*,*,*,{self._zone}" for start, end in open_minutes(calendar, day)]
            word = "holiday" if day.isoformat() in calendar.closed else "hours"
            yield from _extension(
                _day_extension(day), *(f"GotoIfTime({when}?open,1)" for when in opened), f"Goto({word},1)"
            )
        yield from _extension("open", *self._notices(_way(hours, "open")))
        for word in ("hours", "holiday", "dnd"):
            closed = self._flow.steps[_way(hours, word).to]
            way = _way(closed, "next")
            # Not answered, so free of charge for the caller where the carrier lets early media through.
            played = ["Progress()", f"Playback({safe(closed.prompt)},noanswer)"] if closed.prompt else []
            yield from _extension(word, self._tell("CLOSED", word, way=way), *played, f"Goto({self._target(way.to)})")

    def _weekly(self, calendar: Calendar) -> Iterator[str]:
        for name, ranges in calendar.weekly.items():
            for text in ranges:
                for days in _runs(days_of(name)):
                    yield f"{_minutes(*minutes_of(text))},{days},*,*,{self._zone}"

    def _notices(self, way: Way) -> Iterator[str]:
        yield "Answer()"
        while (step := self._flow.steps.get(way.to)) and step.kind is StepKind.NOTICE:
            if step.prompt:
                yield f"Playback({safe(step.prompt)})"
            way = _way(step, "next")
        yield f"Goto({self._target(way.to)})"

    def _menu(self, step: Step) -> Iterator[str]:
        menu, here = self._flow.menu(step), self._context_of(step)
        if menu.no_input is None or menu.invalid is None:
            message = f"menu {step.name} does not say what silence or a wrong key does"
            raise ValueError(message)
        play = "Background" if menu.barge_in else "Playback"
        yield from _extension(
            "s",
            "Set(HUB_NOINPUT=0)",
            "Set(HUB_INVALID=0)",
            f'GotoIf($["${{HUB_MENU}}"="{here}"]?again)',
            f"Set(PUSH(HUB_MENUS,&)={here})",
            f"Set(HUB_MENU={here})",
            f"(again)Set(TIMEOUT(digit)={DIGIT_SECONDS})",
            f"Set(TIMEOUT(response)={menu.no_input.seconds:g})",
            *([f"{play}({safe(menu.prompt)})"] if menu.prompt else []),
            f"WaitExten({menu.no_input.seconds:g})",
        )
        for way in step.ways:
            if way.word.startswith("key-"):
                key = way.word.removeprefix("key-")
                told = self._tell("KEY", key, safe(key_meaning(self._flow, way)), way=way)
                yield from _extension(key, told, *self._go(step, way))
        yield from self._tries(step, "i", "INVALID", menu.invalid.tries, "${FILTER(0-9*#,${INVALID_EXTEN})}")
        yield from self._tries(step, "t", "NOINPUT", menu.no_input.tries, "")

    def _tries(self, step: Step, extension: str, word: str, tries: int, told: str) -> Iterator[str]:
        way = _way(step, "invalid" if word == "INVALID" else "no_input")
        count = f"HUB_{word}"
        yield from _extension(
            extension,
            f"Set({count}=$[${{{count}}} + 1])",
            self._tell(word, told),
            f"GotoIf($[${{{count}}} < {tries}]?s,again)",
            self._tell("GIVEUP", str(tries), way=way),
            *self._go(step, way),
        )

    def _go(self, step: Step, way: Way) -> Iterator[str]:
        if way.to == Turn.REPEAT:
            yield "Goto(s,again)" if step.kind is StepKind.MENU else "Goto(s,1)"
        elif way.to == Turn.BACK:
            yield "Set(HUB_GONE=${POP(HUB_MENUS,&)})"
            yield "Set(HUB_BEFORE=${POP(HUB_MENUS,&)})"
            yield "Set(HUB_MENU=)"
            # Without a menu before, the same menu; without any menu, the step itself.
            yield f'Set(HUB_GONE=${{IF($["${{HUB_GONE}}"=""]?{self._context_of(step)}:${{HUB_GONE}})}})'
            yield 'Goto(${IF($["${HUB_BEFORE}"=""]?${HUB_GONE}:${HUB_BEFORE})},s,1)'
        else:
            yield f"Goto({self._target(way.to)})"

    def _queue(self, step: Step) -> Iterator[str]:
        queue, name = self._flow.queue(step), safe(pbx_queue(step.name))
        place = queue_place(step.name, queue)
        switch = []
        if place is not None:
            line = safe(place.line)
            switch = [
                f'GotoIf($["${{LINE}}"="{line}"]?join)',
                self._tell("SWITCH", "${LINE}", line),
                f"Set(__LINE={line})",
            ]
        # A call that was recorded in one queue is not recorded in the next unless that one says so.
        monitor = ["StopMixMonitor()"] if any(other.record for other in self._flow.spec.queues.values()) else []
        monitor += ["MixMonitor(${CHANNEL(uniqueid)}-${EPOCH}.wav,b)"] if queue.record else []
        yield from _extension(
            "s",
            *switch,
            f"(join){self._tell('QUEUE', name)}",
            f"Set(__TRANSFER_CONTEXT=hub-transfer-{self._mark})",
            *monitor,
            "Set(QUEUESTATUS=)",
            # t: the agent may hand the caller on; c: go on here when the agent hangs up; C: no call is missed.
            f"Queue({name},tcC,,,{queue.max_wait_s or ''})",
            "Goto(${IF($[${LEN(${QUEUESTATUS})} > 0]?${QUEUESTATUS}:NONE)},1)",
        )
        for word, statuses in _STATUSES.items():
            way = step.way(word)
            if way is not None:
                for status in statuses:
                    yield from _extension(status, self._tell("QRESULT", name, status, way=way), *self._go(step, way))
        for status in ("WITHDRAW", "NONE"):
            yield from _extension(status, self._tell("QRESULT", name, status), "Hangup(16)")
        yield from _extension("e", "Goto(NONE,1)")
        keys = [way for way in step.ways if way.word.startswith("key-")]
        if keys:
            yield ""
            yield f"[{keys_context(step, self._mark)}]"
        for way in keys:
            key = way.word.removeprefix("key-")
            told = self._tell("KEY", key, safe(key_meaning(self._flow, way)), way=way)
            yield from _extension(key, told, *self._go_from_queue(step, way))

    def _go_from_queue(self, step: Step, way: Way) -> Iterator[str]:
        if way.to == Turn.REPEAT:
            yield f"Goto({self._place(step)})"
        else:
            yield from self._go(step, way)

    def _callback(self, step: Step) -> Iterator[str]:
        callback = self._flow.callback(step)
        ask = ["Goto(none)"]
        if callback.ask_number:
            ask = [
                "Set(HUB_ASKED=0)",
                f"(ask)Read(HUB_NUMBER,{safe(callback.ask_number)},{callback.most_digits},,1,{NUMBER_SECONDS:g})",
                "Set(HUB_NUMBER=${FILTER(0-9,${HUB_NUMBER})})",
                "Set(HUB_ASKED=$[${HUB_ASKED} + 1])",
                'GotoIf($["${HUB_NUMBER:0:1}"!="0"]?wrong)',
                f'GotoIf($["${{HUB_NUMBER:0:3}}"="{PAID_PREFIX}"]?wrong)',
                f"GotoIf($[${{LEN(${{HUB_NUMBER}})}} < {callback.least_digits}]?wrong:noted)",
                f"(wrong)GotoIf($[${{HUB_ASKED}} < {callback.tries}]?ask:none)",
            ]
        yield from _extension(
            "s",
            "Set(HUB_NUMBER=${FILTER(0-9+,${CALLERID(num)})})",
            'GotoIf($["${HUB_NUMBER}"!=""]?noted)',
            *ask,
            f"(noted){self._tell('CALLBACK', '${HUB_NUMBER}')}",
            *([f"Playback({safe(step.prompt)})"] if step.prompt else []),
            "Hangup(16)",
            f"(none)Playback({safe(callback.no_number)})" if callback.no_number else "(none)NoOp()",
            "Hangup(16)",
        )

    def _survey(self, step: Step) -> Iterator[str]:
        survey = self._flow.survey(step)
        if not 1 <= survey.best <= 9:
            message = f"survey {step.name}: the best score must be one key, 1 to 9"
            raise ValueError(message)
        yield from _extension(
            "s",
            f"Read(HUB_SCORE,{safe(survey.prompt)},1,,1,{survey.seconds:g})",
            f"Set(HUB_SCORE=${{FILTER(1-{survey.best},${{HUB_SCORE}})}})",
            'GotoIf($["${HUB_SCORE}"=""]?thanks)',
            self._tell("CSAT", "${HUB_SCORE}"),
            f"(thanks)Playback({safe(survey.thanks)})" if survey.thanks else "(thanks)NoOp()",
            "Hangup(16)",
        )

    def _endings(self) -> list[str]:
        lines = [f"[ending-{self._mark}]"]
        for id_, extension in self._ending.items():
            step = self._flow.steps[id_]
            is_unknown = id_ == UNKNOWN_NUMBER
            play = [f"Playback({safe(step.prompt)}{',noanswer' if is_unknown else ''})"] if step.prompt else []
            if is_unknown:
                play = [self._tell("ENTER", ""), *(["Progress()", *play] if play else [])]
            lines += _extension(extension, *play, f"Hangup({1 if is_unknown else 16})")
        return lines

    def _farewell(self) -> list[str]:
        """The caller is sent here from his talk; the agent's side ends with it."""
        prompt = self._flow.spec.abuse_farewell_prompt
        played = [f"Playback({safe(prompt)})"] if prompt else []
        return [f"[{FAREWELL_CONTEXT}]", *_extension("s", *played, "Hangup(16)")]

    # -- names

    def _tell(self, kind: str, first: str, second: str = "", *, way: Way | None = None) -> str:
        words = [kind, first, second, safe(way.id) if way else ""]
        return f"Gosub(hub-step-{self._mark},s,1({','.join(words)}))"

    def _context_of(self, step: Step) -> str:
        kind = "line" if step.kind is StepKind.ENTER else step.kind.value
        return _context_name(kind, step.name, self._mark)

    def _place(self, step: Step) -> str:
        """Context, extension, priority of a step."""
        if step.kind is StepKind.HANGUP:
            return f"ending-{self._mark},{self._ending[step.id]},1"
        return f"{self._context_of(step)},s,1"

    def _target(self, to: str) -> str:
        return self._place(self._flow.steps[to])


#: written into the context of their line, or together
_INSIDE_OTHERS = frozenset({StepKind.HOURS, StepKind.NOTICE, StepKind.CLOSED, StepKind.HANGUP})
_STATUSES = {
    "timeout": ("TIMEOUT",),
    "full": ("FULL",),
    "empty": ("JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL"),
    "served": ("CONTINUE",),
}


def keys_context(step: Step, mark: str) -> str:
    """The context that a queue's exit keys are looked up in."""
    return _context_name("keys", step.name, mark)


def _context_name(kind: str, name: str, mark: str) -> str:
    """Names hold no ``_`` of their own, so that no two become one. Raises: UnsafeTextError for one that is cut."""
    context = f"{kind}-{safe(name).replace('.', '_')}-{mark}"
    if len(context) > LONGEST_CONTEXT:
        raise UnsafeTextError(context)
    return context


def _way(step: Step, word: str) -> Way:
    way = step.way(word)
    if way is None:
        message = f"{step.id} does not say what happens on {word}"
        raise ValueError(message)
    return way


def _extension(name: str, *applications: str) -> Iterator[str]:
    """Priorities of one extension; ``(label)`` before an application labels it."""
    for index, application in enumerate(applications):
        label, body = "", application
        if application.startswith("("):
            label, _, body = application[1:].partition(")")
            label = f"({label})"
        if index == 0:
            yield f"exten => {name},1{label},{body}"
        else:
            yield f" same => n{label},{body}"


def _minutes(start: int, end: int) -> str:
    """A half-open range as Asterisk writes it, whose end minute still belongs to it."""
    if (start, end) == (0, DAY_MINUTES):
        return "*"
    last = end - 1
    return f"{start // 60:02d}:{start % 60:02d}-{last // 60:02d}:{last % 60:02d}"


def _runs(days: Iterable[int]) -> list[str]:
    """Weekdays as Asterisk writes them, neighbours joined; a run over the week's end makes two."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][1] == day - 1:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return [
        "*" if (first, last) == (0, 6) else "-".join(DAYS[day] for day in dict.fromkeys((first, last)))
        for first, last in runs
    ]


def own_days(calendar: Calendar) -> dict[date, str]:
    """Days that do not follow their weekday, in order, with the extension that knows them."""
    closed = {date.fromisoformat(day): "holiday" for day in calendar.closed}
    return dict(sorted((closed | {day: _day_extension(day) for day in _extra_days(calendar)}).items()))


def _extra_days(calendar: Calendar) -> list[date]:
    return list(dict.fromkeys(date.fromisoformat(extra.date) for extra in calendar.extra_open))


def _day_extension(day: date) -> str:
    return f"day{day:%Y%m%d}"


def header(title: str, flow: Flow) -> str:
    """The first line of every generated file."""
    return f"; {comment(title)} - telephone spec revision {flow.spec.revision}, {spec_hash(flow)}"
