"""Rules of menus, queues, callbacks and surveys, each by itself."""

from ivr.check_lines import check_length
from ivr.document import Document, Path
from ivr.routes import plain_number
from ivr.spec import LINES, Menu, Queue, Spec, queue_place

KEYS = frozenset("0123456789*#")
EXITS = ("timeout", "full", "empty")
LONG_WAIT_SECONDS = 30
MOST_OPTIONS = 6
#: digits of a telephone number. Source: ITU-T E.164
LONGEST_NUMBER = 15
_LONGEST_SILENCE = 60


def check_menus(spec: Spec, document: Document) -> None:
    for name, menu in spec.menus.items():
        path: Path = ("menus", name)
        if not menu.prompt:
            document.report("menu-without-prompt", path, name=name)
        if not menu.keys:
            document.report("menu-without-keys", path, name=name)
        if menu.no_input is None:
            document.report("menu-without-no-input", path, name=name)
        elif not 0 < menu.no_input.seconds <= _LONGEST_SILENCE:
            place = (*path, "no_input", "seconds")
            document.report("bad-seconds", place, name="seconds", least=1, most=_LONGEST_SILENCE)
        if menu.invalid is None:
            document.report("menu-without-invalid", path, name=name)
        for word, exit_ in (("no_input", menu.no_input), ("invalid", menu.invalid)):
            if exit_ is not None and not 1 <= exit_.tries <= 5:
                document.report("bad-tries", (*path, word, "tries"))
        check_length(name, menu.seconds, path, document)
        _check_keys(name, menu, document)


def _check_keys(name: str, menu: Menu, document: Document) -> None:
    path: Path = ("menus", name, "keys")
    for key in menu.keys:
        if key not in KEYS:
            is_long = len(key) > 1 and set(key) <= KEYS
            document.report("multi-digit-key" if is_long else "bad-key", (*path, key), key=key)
    for key, wanted in (("*", "repeat"), ("#", "back")):
        if menu.keys.get(key, wanted) != wanted:
            document.report("key-habit", (*path, key), key=key, wanted=wanted)
    if "0" not in menu.keys:
        document.report("no-agent-key", path, name=name)
    if len(menu.keys.keys() - {"0", "*", "#"}) > MOST_OPTIONS:
        document.report("many-options", path, name=name, most=MOST_OPTIONS)


def check_queues(spec: Spec, document: Document) -> None:
    for name, queue in spec.queues.items():
        path: Path = ("queues", name)
        _check_members(name, queue, spec, document)
        if queue.max_wait_s is None:
            document.report("queue-without-limit", path, name=name)
        elif queue.max_wait_s < queue.ring_s or queue.ring_s < 1:
            document.report("wait-under-ring", (*path, "max_wait_s"))
        if queue.max_len < 0:
            document.report("bad-length", (*path, "max_len"), name=name)
        if queue.line is not None and queue.line not in LINES:
            document.report("unknown-line", (*path, "line"), line=queue.line)
        elif queue_place(name, queue) is None:
            document.report("queue-without-line", path, name=name)
        elif spec.malls and (mall := queue.mall or name.partition(".")[0]) not in spec.malls:
            document.report("unknown-mall", path, mall=mall, known=", ".join(spec.malls))
        if queue.survey is not None and queue.survey not in spec.surveys:
            document.report("unknown-survey", (*path, "survey"), name=queue.survey)
        _check_exits(name, queue, spec, document)


def _check_members(name: str, queue: Queue, spec: Spec, document: Document) -> None:
    path: Path = ("queues", name)
    if not queue.members:
        document.report("queue-without-member", path, name=name)
    for index, member in enumerate(queue.members):
        place = (*path, "members", index)
        if spec.agents and member not in spec.agents:
            document.report("unknown-member", place, name=member)
        if member in queue.members[:index]:
            document.report("member-twice", place, name=member)


def _check_exits(name: str, queue: Queue, spec: Spec, document: Document) -> None:
    path: Path = ("queues", name)
    for word in EXITS:
        if word not in queue.on:
            document.report("queue-without-exit", path, name=name, word=word)
    for word in queue.on:
        is_key = word.startswith("key-") and word[4:] in KEYS
        if is_key and word[4:] in spec.feature_codes:
            document.report("feature-key", (*path, "on", word), key=word[4:])
        elif word not in EXITS and not is_key:
            document.report("bad-exit", (*path, "on", word), word=word)
    offers = [target for word, target in queue.on.items() if word.startswith("key-") or word == "timeout"]
    is_long = queue.max_wait_s is not None and queue.max_wait_s > LONG_WAIT_SECONDS
    if is_long and not any(target.startswith("callback:") for target in offers):
        document.report("wait-without-callback", path, name=name, most=LONG_WAIT_SECONDS)


def check_callbacks(spec: Spec, document: Document) -> None:
    for name, callback in spec.callbacks.items():
        path: Path = ("callbacks", name)
        owned = {
            plain_number(text)
            for number in spec.numbers
            if number.mall == callback.mall
            for text in (number.did, number.display or "")
        }
        if plain_number(callback.caller_id) not in owned - {""}:
            document.report("callback-caller-id", (*path, "caller_id"), name=name, mall=callback.mall)
        if not callback.ask_number:
            document.report("callback-without-question", path, name=name)
        if not 1 <= callback.least_digits <= callback.most_digits <= LONGEST_NUMBER:
            document.report("bad-digits", (*path, "most_digits"), name=name, most=LONGEST_NUMBER)
        if not 1 <= callback.tries <= 5:
            document.report("bad-tries", (*path, "tries"))
        if callback.due_minutes < 1:
            document.report("bad-due", (*path, "due_minutes"), name=name)


def check_surveys(spec: Spec, document: Document) -> None:
    for name, survey in spec.surveys.items():
        path: Path = ("surveys", name)
        if not 2 <= survey.best <= 9:
            document.report("bad-best", (*path, "best"), name=name)
        if not 0 < survey.seconds <= _LONGEST_SILENCE:
            document.report("bad-seconds", (*path, "seconds"), name="seconds", least=1, most=_LONGEST_SILENCE)
