"""What happened to an order or a thread, from every source, as one column: oldest first."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row

from hub.core.contract import LineOutcome
from hub.core.model import ClaimState, LineStatus
from hub.desk.acting.outbox import is_cancellable
from hub.desk.record_views import Curtain
from hub.desk.views import AdminStep, AskView, ClaimView, EntryKind, InquiryView, LineView, OrderView, TimelineEntry
from hub.store.box import Box
from hub.store.database import from_ms
from hub.store.sealed import ACTION_PLACE

_decode_lines = msgspec.json.Decoder(tuple[LineOutcome, ...]).decode
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
# Runs by schedule come every few minutes: a longer way is worth a word.
_SEEN_LATE_MS: Final = 30 * 60 * 1000
# Changes that stand in the timeline with the mall's own time already.
_TIMED = frozenset({LineStatus.DISPATCHED, LineStatus.DELIVERED, LineStatus.PURCHASE_CONFIRMED})


def build_timeline(
    *,
    order: OrderView | None,
    claims: Sequence[ClaimView],
    inquiries: Sequence[InquiryView],
    changes: Iterable[Row[Any]],
    actions: Iterable[Row[Any]],
    steps: Iterable[AdminStep],
    asks: Iterable[AskView] = (),
    care: Iterable[TimelineEntry] = (),
    box: Box,
    curtain: Curtain,
) -> tuple[TimelineEntry, ...]:
    entries = [
        *_order_entries(order),
        *_claim_entries(claims),
        *_change_entries(changes, order, claims),
        *_message_entries(inquiries),
        *(_event("event.inquiry_vanished", each.vanished_at) for each in inquiries if each.vanished_at is not None),
        *(_action_entry(action, box, curtain) for action in actions),
        *(entry for step in steps for entry in _step_entries(step)),
        *(entry for ask in asks for entry in _ask_entries(ask)),
        *care,
    ]
    # Lines that moved together are one event; equal entries keep their first place.
    return tuple(sorted(dict.fromkeys(entries), key=lambda entry: entry.at or _BEFORE_ALL))


def _event(key: str, at: datetime | None, **words: str | None) -> TimelineEntry:
    filled = tuple((name, word or "") for name, word in words.items())
    return TimelineEntry(kind=EntryKind.EVENT, at=at, key=key, words=filled)


def _order_entries(order: OrderView | None) -> Iterator[TimelineEntry]:
    if order is None:
        return
    if order.ordered_at:
        yield _event("event.ordered", order.ordered_at)
    if order.paid_at:
        yield _event("event.paid", order.paid_at)
    for line in order.lines:
        yield from _line_entries(line)


def _line_entries(line: LineView) -> Iterator[TimelineEntry]:
    shipment = line.shipment
    if shipment.dispatched_at:
        yield _event(
            "event.dispatched", shipment.dispatched_at, carrier=shipment.carrier, tracking=shipment.tracking_no
        )
    if shipment.delivered_at:
        yield _event("event.delivered", shipment.delivered_at)
    if line.purchase_confirmed_at:
        yield _event("event.purchase_confirmed", line.purchase_confirmed_at)


def _claim_entries(claims: Sequence[ClaimView]) -> Iterator[TimelineEntry]:
    for claim in claims:
        kind = f"@kind.{claim.kind}"
        if claim.requested_at:
            yield TimelineEntry(
                kind=EntryKind.EVENT,
                at=claim.requested_at,
                key="event.claim_requested",
                words=(("kind", kind), ("reason", f"@reason.{claim.reason}")),
                text=claim.reason_text,
            )
        if claim.ended_at:
            by = f"@by.{claim.ended_by or 'unknown'}"
            yield _event("event.claim_ended", claim.ended_at, kind=kind, state=f"@state.{claim.state}", by=by)


def _change_entries(
    changes: Iterable[Row[Any]], order: OrderView | None, claims: Sequence[ClaimView]
) -> Iterator[TimelineEntry]:
    timed_lines = {line.line_id for line in order.lines if line.shipment.dispatched_at} if order else set()
    by_id = {claim.claim_id: claim for claim in claims}
    for row in _moves(changes):
        at = from_ms(row.mall_at if row.mall_at is not None else row.seen_at)
        entry = None
        if row.subject == "line":
            if row.to_status not in _TIMED or row.subject_id not in timed_lines:
                entry = _event("event.line_status", at, status=f"@line.{row.to_status}")
        elif row.subject == "claim" and row.subject_id in by_id:
            claim = by_id[row.subject_id]
            if not (claim.ended_at and not ClaimState(row.to_status).is_open):
                entry = _event("event.claim_state", at, kind=f"@kind.{claim.kind}", state=f"@state.{row.to_status}")
        if entry is not None:
            yield msgspec.structs.replace(entry, seen_at=_seen_late(row))


def _moves(changes: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    """Changes in the order in which they happened, whenever they were seen; a state told twice is one."""
    last: dict[tuple[str, int], str] = {}
    in_order = sorted(changes, key=lambda row: (row.seen_at if row.mall_at is None else row.mall_at, row.id))
    for row in in_order:
        subject = (row.subject, row.subject_id)
        if last.get(subject) != row.to_status:
            yield row
        last[subject] = row.to_status


def _seen_late(row: Row[Any]) -> datetime | None:
    """When the hub saw it, where the mall's time alone would make believe that it was known then."""
    if row.mall_at is None or row.seen_at - row.mall_at < _SEEN_LATE_MS:
        return None
    return from_ms(row.seen_at)


def _message_entries(inquiries: Sequence[InquiryView]) -> Iterator[TimelineEntry]:
    for inquiry in inquiries:
        newest = inquiry.asked_at
        for number, message in enumerate(inquiry.messages):
            # A message without a time keeps its place in the thread.
            newest = message.at or newest
            subject = inquiry.subject if number == 0 and inquiry.subject != message.text else None
            yield TimelineEntry(
                kind=EntryKind.MESSAGE,
                at=newest,
                key=f"message.{message.author}",
                words=(("kind", f"@kind.{inquiry.kind}"), ("subject", subject or ""), ("no", f"{inquiry.inquiry_no}")),
                text=message.text,
                author=message.author,
                attachments=message.attachments,
            )


def _action_entry(row: Row[Any], box: Box, curtain: Curtain) -> TimelineEntry:
    """A done answer stands in the thread itself; what else the customer was told stands nowhere but here."""
    is_in_thread = row.action == "answer-inquiry" and row.outcome == "done"
    text = None
    if row.payload_sealed is not None and not is_in_thread:
        text = curtain.text(box.open(row.payload_sealed, ACTION_PLACE).decode(errors="replace"))
    return TimelineEntry(
        kind=EntryKind.ACTION,
        at=from_ms(row.created_at),
        key=f"action.{row.action}",
        text=text or None,
        author=row.user_name,
        outcome=row.outcome,
        words=(("mall_message", row.error_message or ""),),
        lines=_line_outcomes(row.lines),
        waiting_id=row.id if is_cancellable(row) else None,
        look_at=from_ms(row.look_at),
    )


def _line_outcomes(text: str) -> tuple[tuple[str, str, str], ...]:
    """Line, outcome and the mall's words for each, where the action was about several."""
    found = _decode_lines(text)
    if len(found) < 2:
        return ()
    return tuple((line.line_no or "", line.outcome.value, line.mall_message or "") for line in found)


def _step_entries(step: AdminStep) -> Iterator[TimelineEntry]:
    """Done in the mall's own admin, as a colleague says; taken back by the same or by a supervisor."""
    words = (("action", f"@action.{step.action}"), ("line", step.line_no or ""))
    yield TimelineEntry(kind=EntryKind.EVENT, at=step.done_at, key="event.admin_done", words=words, author=step.done_by)
    if step.undone_at is not None:
        yield TimelineEntry(
            kind=EntryKind.EVENT, at=step.undone_at, key="event.admin_undone", words=words, author=step.done_by
        )


def _ask_entries(ask: AskView) -> Iterator[TimelineEntry]:
    """A question to a contact, and what became of it; the words themselves as they were sent."""
    whom = (("role", f"@contact_role.{ask.role}"), ("name", ask.contact_name), ("matter", f"@matter.{ask.matter}"))
    how = "passed_on" if ask.follows_id is not None else ask.channel
    asker = ask.asked_by
    yield _told(f"event.ask_{how}", ask.asked_at, whom, text=ask.text, author=asker)
    if ask.reminded_at is not None and ask.channel != "call":
        yield _told("event.ask_reminded", ask.reminded_at, whom)
    if ask.answered_at is not None:
        said = " · ".join(filter(None, (f"{ask.promised_on:%Y-%m-%d}" if ask.promised_on else "", ask.answer)))
        choice = ("choice", f"@answer.{ask.choice}" if ask.choice else "")
        key = f"event.ask_answered_{ask.answered_via}"
        yield _told(key, ask.answered_at, (*whom, choice), text=said or None, author=ask.answered_by)


def _told(
    key: str, at: datetime, words: tuple[tuple[str, str], ...], *, text: str | None = None, author: str | None = None
) -> TimelineEntry:
    return TimelineEntry(kind=EntryKind.EVENT, at=at, key=key, words=words, text=text, author=author)
