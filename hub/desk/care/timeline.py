"""Promises, complaints and compensations as entries of a case's timeline."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from hub.core.model import Money
from hub.desk.care.views import BROKEN, KEPT, MARKED, ComplaintStep, GiftState, GiftView, PromiseView, StepView
from hub.desk.views import EntryKind, TimelineEntry


def care_entries(
    promises: Iterable[PromiseView], steps: Iterable[StepView], gifts: Iterable[GiftView]
) -> Iterator[TimelineEntry]:
    for promise in promises:
        yield from _promise_entries(promise)
    for step in steps:
        yield _step_entry(step)
    for gift in gifts:
        yield _gift_entry(gift)


def _event(
    key: str,
    at: datetime,
    *,
    text: str = "",
    author: str | None = None,
    money: Money | None = None,
    due_at: datetime | None = None,
    words: Mapping[str, str] | None = None,
) -> TimelineEntry:
    return TimelineEntry(
        kind=EntryKind.EVENT,
        at=at,
        key=f"event.{key}",
        words=tuple((words or {}).items()),
        text=text or None,
        author=author,
        money=money,
        due_at=due_at,
    )


def _promise_entries(promise: PromiseView) -> Iterator[TimelineEntry]:
    whom = {"whom": f"@promise_to.{promise.to_whom}", "channel": f"@promise_by.{promise.channel}"}
    key = "promise_agreed" if promise.changed_from else "promise_made"
    due_at = promise.due_at
    yield _event(key, promise.made_at, text=promise.what, author=promise.made_by, due_at=due_at, words=whom)
    for move in promise.moves:
        yield _event(
            "promise_moved",
            move.at,
            author=move.by,
            words={"from_name": move.from_name or "–", "to_name": move.to_name or "–"},
        )
    if promise.state == BROKEN and promise.broken_at is not None:
        reason = f"@broken.{promise.broken_reason}" if promise.broken_reason else ""
        yield _event("promise_broken", promise.broken_at, text=promise.broken_text, words={**whom, "reason": reason})
    if promise.kept_at is not None:
        key = "promise_kept" if promise.state == KEPT else "promise_kept_late"
        by = f"@kept_by.{promise.kept_by or 'said'}"
        yield _event(key, promise.kept_at, text=promise.kept_with, words={**whom, "by": by})


def _step_entry(step: StepView) -> TimelineEntry:
    if step.step == ComplaintStep.HARD_CASE:
        key = "hard_marked" if step.cause == MARKED else "hard_cleared"
        return _event(key, step.at, text=step.text, author=step.by)
    if step.cause:
        cause = {"group": f"@cause_group.{step.cause_group}", "cause": f"@complaint_cause.{step.cause}"}
        return _event("complaint_cause", step.at, text=step.text, author=step.by, words=cause)
    return _event(
        "complaint_step", step.at, text=step.text, author=step.by, words={"step": f"@complaint_step.{step.step}"}
    )


def _gift_entry(gift: GiftView) -> TimelineEntry:
    if gift.reverses_id is not None:
        key = "gift_reversed"
    elif gift.state is GiftState.GIVEN:
        key = "gift_given"
    else:
        key = f"gift_{gift.state.value}"
    kind, reason = f"@gift.{gift.kind}", f"@gift_reason.{gift.reason}"
    return _event(
        key,
        gift.given_at,
        text=gift.note,
        author=gift.given_by,
        money=gift.amount,
        words={"kind": kind, "reason": reason},
    )
