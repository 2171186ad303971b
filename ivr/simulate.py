"""Walks one call through the flow: what the caller does and how the centre stands decide every turn.

Pure: no clock, no chance. The same walk is told as steps, as queue_log lines that ``ivr.records`` reads back, and as
one result. A key pressed during a notice is lost; one pressed over a menu's prompt counts if the menu allows it.
"""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from ivr.calls import SHORT_ABANDON_SECONDS, CallResult
from ivr.event import Kind
from ivr.flow import UNKNOWN_NUMBER, Flow, Step, StepKind, Turn, Way, key_meaning
from ivr.hours import closed_reason
from ivr.spec import Callback, can_call_back, notice_of, pbx_queue, queue_place
from ivr.walk import NUMBER_SECONDS, Act, Centre, Do, EndlessWalkError, Happening, Stay, Walk, stay_with
from ivr.walk_lines import queue_log_lines

__all__ = ["Act", "Centre", "Do", "EndlessWalkError", "Stay", "Walk", "queue_log_lines", "walk_call"]

#: length of an announcement whose length the spec does not tell
ANNOUNCEMENT_SECONDS = 4.0
#: between two acts of the caller a walk of a checked spec is far shorter; more is a ring that the check has not found
MOST_STEPS = 1_000


def walk_call(
    flow: Flow,
    *,
    did: str,
    start: datetime,
    acts: Sequence[Act] = (),
    number: str = "",
    centre: Centre | None = None,
) -> Walk:
    """Walk a call that comes in on ``did`` at ``start``.

    Raises: ValueError for a start without a zone; EndlessWalkError for a spec that does not pass its check.
    """
    if start.tzinfo is None:
        message = "a time without a zone is no time of a call"
        raise ValueError(message)
    walker = _Walker(flow, did=did, start=start, acts=acts, number=number, centre=centre or Centre())
    walker.run()
    result, reason = walker.decide()
    return Walk(
        did=did,
        number=number,
        start=start,
        happenings=tuple(walker.happenings),
        result=result,
        reason=reason,
        is_short_abandon=result is CallResult.ABANDONED_QUEUE and walker.waited < SHORT_ABANDON_SECONDS,
    )


class _HungUp(Exception):  # noqa: N818  not an error: the caller's way out of any depth
    """The caller is gone."""


class _Walker:
    def __init__(
        self, flow: Flow, *, did: str, start: datetime, acts: Sequence[Act], number: str, centre: Centre
    ) -> None:
        self.happenings: list[Happening] = []
        self.waited = 0.0  # in all queues; last_wait: in the last one
        self.last_wait = 0.0
        self._flow, self._did, self._number = flow, did, number
        self._start = start.astimezone(ZoneInfo(flow.spec.timezone))
        self._acts = deque(acts)
        self._centre = centre
        self._stays = {queue: deque(stays) for queue, stays in centre.stays.items()}
        self._moved_by: frozenset[str] = frozenset()
        self._at = 0.0
        self._last_act_at = 0.0
        self._line = ""
        self._menus: list[str] = []
        self._tries = {"no_input": 0, "invalid": 0}
        self._was_in_notice = False
        self._is_again = False
        self._last_step = flow.step_of(did)
        self._cause = "16"

    def run(self) -> None:
        step: Step | None = self._last_step
        try:
            for _ in range(MOST_STEPS * (1 + len(self._acts))):
                if step is None:
                    self._tell(Kind.HANGUP, self._last_step, detail=self._cause)
                    return
                self._last_step, self._last_act_at = step, self._at
                step = self._meet(step)
        except _HungUp:
            self._tell(Kind.HANGUP, self._last_step, detail="16")
            return
        message = f"the call to {self._did} goes round: {' > '.join(each.way for each in self.happenings[-6:])}"
        raise EndlessWalkError(message)

    # -- one step

    def _meet(self, step: Step) -> Step | None:
        match step.kind:
            case StepKind.ENTER:
                return self._enter(step)
            case StepKind.HOURS:
                return self._hours(step)
            case StepKind.NOTICE | StepKind.CLOSED:
                return self._announce(step)
            case StepKind.MENU:
                return self._menu(step)
            case StepKind.QUEUE:
                return self._queue(step)
            case StepKind.CALLBACK:
                self._callback(step)
            case StepKind.SURVEY:
                self._survey(step)
            case StepKind.HANGUP:
                self._end(step)
        return None

    def _enter(self, step: Step) -> Step:
        self._line = step.line
        mall, _, line = step.line.partition(".")
        self._tell(Kind.ENTER, step, detail=mall, extra=line)
        return self._follow(step, "next")

    def _hours(self, step: Step) -> Step:
        if self._line in self._centre.dnd:
            return self._follow(step, "dnd")
        local = (self._start.astimezone(UTC) + timedelta(seconds=self._at)).astimezone(self._start.tzinfo)
        return self._follow(step, closed_reason(self._flow.spec.calendars[step.name], local) or "open")

    def _announce(self, step: Step) -> Step:
        if step.kind is StepKind.CLOSED:
            self._tell(Kind.CLOSED, step, way=_need(step, "next"), detail=step.id.rpartition(".")[2])
        notice = notice_of(self._flow.spec, step.name) if step.kind is StepKind.NOTICE else None
        end = self._at + (notice.seconds if notice and notice.seconds else ANNOUNCEMENT_SECONDS)
        self._was_in_notice = step.kind is StepKind.NOTICE
        while self._acts and self._acts[0].is_early and self._last_act_at + self._acts[0].after <= end:
            act = self._take()
            if act.do is Do.HANG_UP:
                raise _HungUp
        self._at, self._was_in_notice = end, False
        return self._follow(step, "next")

    def _menu(self, step: Step) -> Step:
        menu = self._flow.menu(step)
        if not self._is_again:
            self._tries = dict.fromkeys(self._tries, 0)
            if self._menus[-1:] != [step.id]:
                self._menus.append(step.id)
        self._is_again = False
        no_input, invalid = menu.no_input, menu.invalid
        if no_input is None or invalid is None:
            message = f"menu {step.name} does not say what silence or a wrong key does"
            raise ValueError(message)
        heard = self._at + (0.0 if menu.barge_in else menu.seconds)
        limit = self._at + menu.seconds + no_input.seconds
        act = self._next_key(heard, limit)
        if act is None:
            self._at = limit
            return self._give_up_or_repeat(step, "no_input", no_input.tries)
        key = act.key[:1]
        way = step.way(f"key-{key}")
        if way is None:
            return self._give_up_or_repeat(step, "invalid", invalid.tries, key=key)
        self._tell(Kind.KEY, step, way=way, detail=key, extra=key_meaning(self._flow, way))
        return self._to(step, way)

    def _give_up_or_repeat(self, step: Step, word: str, tries: int, *, key: str = "") -> Step:
        self._tries[word] += 1
        kind = Kind.NO_INPUT if word == "no_input" else Kind.INVALID
        self._tell(kind, step, detail=key)
        if self._tries[word] < tries:
            self._is_again = True
            return step
        way = _need(step, word)
        self._tell(Kind.GIVE_UP, step, way=way, detail=str(tries))
        return self._to(step, way)

    def _queue(self, step: Step) -> Step | None:
        queue, name = self._flow.queue(step), pbx_queue(step.name)
        place = queue_place(step.name, queue)
        mall, _, line = self._line.partition(".")
        if place is not None and place.line != line:
            self._tell(Kind.SWITCH, step, detail=line, extra=place.line)
            self._line = f"{mall}.{place.line}"
        self._tell(Kind.TRY_QUEUE, step, queue=name)
        stay = self._next_stay(step)
        if stay.is_full or stay.is_empty:
            self._tell(Kind.QUEUE_RESULT, step, queue=name, extra="FULL" if stay.is_full else "JOINEMPTY")
            return self._follow(step, "full" if stay.is_full else "empty")
        self._tell(Kind.JOIN, step, queue=name)
        joined = self._at
        limit = joined + float(queue.max_wait_s or 0)
        emptied = joined + stay.empties_after if stay.empties_after is not None else limit + 1
        answered = joined + stay.answers_after if stay.answers_after is not None else limit + 1
        end = min(limit, emptied, answered)
        way = self._leave_by_act(step, stay, joined, end)
        if way is not None:
            return self._to(step, way)
        self._at = end
        self._end_wait(step, stay, joined)
        if end == answered:
            return self._talk(step, name, stay, wait=end - joined)
        word, status = ("empty", "LEAVEEMPTY") if end == emptied else ("timeout", "TIMEOUT")
        self._tell(Kind.LEAVE, step, queue=name, detail=word, wait=self.last_wait)
        self._tell(Kind.QUEUE_RESULT, step, queue=name, extra=status)
        return self._follow(step, word)

    def _next_stay(self, step: Step) -> Stay:
        told = self._stays.get(step.name)
        if told:
            return told.popleft()
        if step.name in self._centre.full:
            return Stay(is_full=True)
        if self._centre.agents is None:
            return Stay()
        return stay_with(self._flow.queue(step), self._centre.agents, moved_by=self._moved_by)

    def _leave_by_act(self, step: Step, stay: Stay, joined: float, end: float) -> Way | None:
        """A key out of the queue, or a hang-up, before ``end``; other keys do nothing."""
        name = pbx_queue(step.name)
        while self._acts and (self._acts[0].do is Do.SILENT or self._last_act_at + self._acts[0].after < end):
            if self._acts[0].do is Do.SILENT:
                self._acts.popleft()  # nobody waits for a key here
                continue
            act = self._take()
            way = step.way(f"key-{act.key[:1]}")
            if act.do is Do.HANG_UP:
                self._end_wait(step, stay, joined)
                self._tell(Kind.ABANDON, step, queue=name, wait=self.last_wait)
                raise _HungUp
            if way is not None:
                key = act.key[:1]
                self._end_wait(step, stay, joined)
                self._tell(Kind.LEAVE, step, queue=name, detail="key", extra=key, wait=self.last_wait)
                self._tell(Kind.KEY, step, way=way, detail=key, extra=key_meaning(self._flow, way))
                return way
        return None

    def _end_wait(self, step: Step, stay: Stay, joined: float) -> None:
        """The stay is over now, answered or not: tell the phones that rang in vain until here."""
        self.last_wait = self._at - joined
        self.waited += self.last_wait
        for missed in stay.missed:
            at = joined + missed.after
            if at <= self._at:
                ring = Happening(
                    at=round(at, 3),
                    kind=Kind.RING,
                    step=step.id,
                    detail="no_answer",
                    queue=pbx_queue(step.name),
                    agent=missed.agent,
                    wait=missed.rang,
                )
                self.happenings.append(ring)

    def _talk(self, step: Step, name: str, stay: Stay, *, wait: float) -> Step | None:
        self._tell(Kind.CONNECT, step, queue=name, agent=stay.agent, wait=wait)
        self._at += stay.talks
        moved = self._flow.steps.get(f"queue:{stay.moves_to}") if stay.moves_to else None
        if moved is not None:
            self._moved_by |= {stay.agent}
            self._tell(Kind.TRANSFER, step, queue=name, agent=stay.agent, detail="blind", wait=wait, talk=stay.talks)
            self._tell(Kind.MOVE, step, queue=pbx_queue(moved.name))
        else:
            by = "caller" if stay.ends_by == "caller" else "agent"
            self._tell(Kind.COMPLETE, step, queue=name, agent=stay.agent, detail=by, wait=wait, talk=stay.talks)
        if stay.topic:
            self._tell(Kind.DISPOSITION, step, queue=name, agent=stay.agent, detail=stay.topic)
        if moved is not None:
            return moved
        if stay.ends_by == "caller":
            return None
        self._tell(Kind.QUEUE_RESULT, step, queue=name, extra="CONTINUE")
        return self._follow(step, "served")

    def _callback(self, step: Step) -> None:
        callback = self._flow.callback(step)
        number = self._number
        tries = callback.tries if callback.ask_number and not number else 0
        for _ in range(tries):
            keyed = self._key_number(callback)
            if can_call_back(callback, keyed):
                number = keyed
                break
        if number:
            self._tell(Kind.CALLBACK, step, detail=number)
        self._at += ANNOUNCEMENT_SECONDS

    def _key_number(self, callback: Callback) -> str:
        """What he keys until he stops, or the most digits are there."""
        self._last_act_at = self._at
        limit = self._at + ANNOUNCEMENT_SECONDS + NUMBER_SECONDS
        act = self._next_key(self._at, limit)
        if act is None:
            self._at = limit
            return ""
        return act.key[: callback.most_digits]

    def _survey(self, step: Step) -> None:
        survey = self._flow.survey(step)
        act = self._next_key(self._at, self._at + ANNOUNCEMENT_SECONDS + survey.seconds)
        if act and act.key[:1] in {str(score) for score in range(1, survey.best + 1)}:
            self._tell(Kind.SURVEY, step, detail=act.key[:1])

    def _end(self, step: Step) -> None:
        if step.id == UNKNOWN_NUMBER:
            self._tell(Kind.ENTER, step)
            self._cause = "1"
        if step.prompt:
            self._at += ANNOUNCEMENT_SECONDS

    # -- the caller

    def _next_key(self, heard: float, limit: float) -> Act | None:
        """The key that arrives from ``heard`` on and before ``limit``; keys before it are lost."""
        while self._acts:
            at = self._last_act_at + self._acts[0].after
            if at >= limit:
                # He is slower than the menu waits: what he means to do comes in its next round.
                self._acts[0] = msgspec.structs.replace(self._acts[0], after=max(0.0, at - limit))
                return None
            act = self._take()
            if act.do is Do.HANG_UP:
                raise _HungUp
            if act.do is Do.SILENT:
                return None
            if at >= heard:
                return act
        return None

    def _take(self) -> Act:
        act = self._acts.popleft()
        self._at = self._last_act_at = self._last_act_at + act.after
        return act

    # -- the way

    def _follow(self, step: Step, word: str) -> Step:
        return self._to(step, _need(step, word), is_told=True)

    def _to(self, step: Step, way: Way, *, is_told: bool = False) -> Step:
        if is_told and self.happenings and not self.happenings[-1].way and self.happenings[-1].step == step.id:
            self.happenings[-1] = msgspec.structs.replace(self.happenings[-1], way=way.id)
        if way.to == Turn.REPEAT:
            # The tries that were used up stay used up.
            self._is_again = step.kind is StepKind.MENU
            return step
        if way.to == Turn.BACK:
            if len(self._menus) > 1:
                self._menus.pop()
            return self._flow.steps[self._menus.pop() if self._menus else step.id]
        return self._flow.steps[way.to]

    def _tell(
        self,
        kind: Kind,
        step: Step,
        *,
        way: Way | None = None,
        detail: str = "",
        extra: str = "",
        queue: str = "",
        agent: str = "",
        wait: float = 0.0,
        talk: float = 0.0,
    ) -> None:
        self.happenings.append(
            Happening(
                at=round(self._at, 3),
                kind=kind,
                step=step.id,
                way=way.id if way else "",
                detail=detail,
                extra=extra,
                queue=queue,
                agent=agent,
                wait=round(wait, 3),
                talk=round(talk, 3),
            )
        )

    # -- the result

    def decide(self) -> tuple[CallResult, str | None]:
        """The one result, in the order of the counting rules, with its reason."""
        by_kind = {each.kind: each for each in self.happenings}
        if Kind.CONNECT in by_kind:
            return CallResult.ANSWERED, None
        if self._did not in self._flow.entries:
            return CallResult.UNKNOWN_DID, None
        has_waited = Kind.JOIN in by_kind
        if (closed := by_kind.get(Kind.CLOSED)) and not has_waited:
            return CallResult.CLOSED, closed.detail
        if Kind.CALLBACK in by_kind:
            return CallResult.CALLBACK_REQUESTED, None
        if has_waited:
            last = [each for each in self.happenings if each.kind in (Kind.ABANDON, Kind.LEAVE)][-1]
            is_gone = last.kind is Kind.ABANDON
            return (CallResult.ABANDONED_QUEUE, None) if is_gone else (CallResult.LEFT_QUEUE, last.detail)
        if refused := by_kind.get(Kind.QUEUE_RESULT):
            return CallResult.NOT_JOINED, refused.extra.lower()
        if Kind.GIVE_UP in by_kind:
            return CallResult.IVR_GIVEUP, None
        return (CallResult.ABANDONED_NOTICE if self._was_in_notice else CallResult.ABANDONED_MENU), None


def _need(step: Step, word: str) -> Way:
    way = step.way(word)
    if way is None:
        message = f"{step.id} does not say what happens on {word}"
        raise ValueError(message)
    return way
