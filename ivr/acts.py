"""What a caller does, as a line of words: ``1, wait 20, 9``.

Words, parted by commas: a key (``1``, ``*``, ``#``), digits where a number is asked for, ``wait 20`` (seconds before
the next thing; two seconds where nothing is said), ``silent`` (lets one wait for a key pass), ``hangup``, and
``early 1`` or ``early hangup``: already while a notice is played. After the last the caller stays and says nothing.
"""

import re

from ivr.walk import Act, Agent, AgentState, Do

_KEYS = re.compile(r"[*#]|[0-9]{1,15}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?", re.ASCII)
_AGENT = re.compile(r"([A-Za-z0-9/_@.-]+)=([a-z]+|[0-9]{1,5})", re.ASCII)
#: all members of queues, where agents are named one by one
EVERYBODY = "all"


class WordsError(ValueError):
    """``word`` is none of those known, cut to 20 characters; ``fix`` says which are."""

    def __init__(self, word: str, fix: str) -> None:
        self.word, self.fix = word[:20], fix
        super().__init__(f"{self.word!r} is not understood")


def read_acts(text: str) -> tuple[Act, ...]:
    """Raises: WordsError."""
    acts: list[Act] = []
    after: float | None = None
    for word in (part.strip() for part in text.split(",")):
        if not word:
            continue
        head, _, rest = word.partition(" ")
        if head == "wait" and _SECONDS.fullmatch(rest.strip()):
            after = (after or 0.0) + float(rest)
            continue
        is_early = head == "early"
        acts.append(_act(rest.strip() if is_early else word, after, is_early=is_early, whole=word))
        after = None
    return tuple(acts)


def read_agents(text: str) -> dict[str, Agent]:
    """``agent1001=5, agent1002=paused``: seconds until he answers, or a state.

    Raises: WordsError.
    """
    agents: dict[str, Agent] = {}
    for word in (part.strip() for part in text.split(",")):
        if not word:
            continue
        match = _AGENT.fullmatch(word)
        if match is None or (match[2].isalpha() and match[2] not in set(AgentState)):
            raise WordsError(word, "write agent1001=5 (seconds until he answers), =paused, =out or =rings; all=5")
        name, state = match.groups()
        agents[name] = Agent(state=AgentState(state)) if state.isalpha() else Agent(answers_after=float(state))
    return agents


def _act(word: str, after: float | None, *, is_early: bool, whole: str) -> Act:
    seconds = Act(do=Do.SILENT).after if after is None else after
    if word == "hangup":
        return Act(do=Do.HANG_UP, after=seconds, is_early=is_early)
    if word == "silent" and not is_early:
        return Act(do=Do.SILENT, after=seconds)
    if _KEYS.fullmatch(word):
        return Act(do=Do.PRESS, key=word, after=seconds, is_early=is_early)
    raise WordsError(whole, "write keys, wait 20, silent, hangup, early 1 or early hangup, with commas between")
