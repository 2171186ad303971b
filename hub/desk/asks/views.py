"""Questions to contacts as they are read: for a case, for its timeline, and as a mark in lists."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import or_, select

from hub.core.redact import MASK
from hub.desk.asks.text import Answer
from hub.desk.record_views import Curtain
from hub.desk.views import AskMark, AskView
from hub.store.box import Box
from hub.store.database import among, from_ms, time_of
from hub.store.questions import Question
from hub.store.sealed import ASK_ANSWER_PLACE, ASK_PLACE
from hub.store.tables import asks, users

OPEN: Final = ("open", "escalated")


class AskBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a question is sealed. ``secret`` is the link's; ``person`` are the customer's data it carries."""

    language: str
    subject: str
    text: str
    person: tuple[tuple[str, str], ...] = ()
    is_masked: bool = True
    secret: str | None = None
    #: who was asked before in vain
    before: str | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode_body = msgspec.msgpack.Decoder(AskBody).decode
_decode_answer = msgspec.msgpack.Decoder(Answer).decode


def seal_body(box: Box, body: AskBody) -> bytes:
    return box.seal(_encode(body), ASK_PLACE)


def open_body(box: Box, sealed: bytes) -> AskBody:
    return _decode_body(box.open(sealed, ASK_PLACE))


def seal_answer(box: Box, answer: Answer) -> bytes:
    return box.seal(_encode(answer), ASK_ANSWER_PLACE)


def open_answer(box: Box, sealed: bytes | None) -> Answer:
    """Empty where there is none."""
    return _decode_answer(box.open(sealed, ASK_ANSWER_PLACE)) if sealed is not None else Answer()


def asks_of(case_ids: Sequence[int], *, box: Box, curtain: Curtain) -> Question[tuple[AskView, ...]]:
    """All questions of these cases, oldest first."""

    def views(rows: list[Any]) -> tuple[AskView, ...]:
        return tuple(_view(row, box, curtain) for row in rows)

    return Question(_OF_CASES, {"cases": list(case_ids)}, views)


_asker, _answerer = users.alias("asker"), users.alias("answerer")
_OF_CASES: Final = (
    select(asks, _asker.c.name.label("asker"), _answerer.c.name.label("answerer"))
    .select_from(
        asks.outerjoin(_asker, _asker.c.id == asks.c.asked_by).outerjoin(
            _answerer, _answerer.c.id == asks.c.answered_by
        )
    )
    .where(among(asks.c.case_id, "cases"))
    .order_by(asks.c.asked_at, asks.c.id)
)


def _view(row: Any, box: Box, curtain: Curtain) -> AskView:
    body, answer = open_body(box, row.text_sealed), open_answer(box, row.answer_sealed)
    is_shown = body.is_masked or curtain.is_open
    return AskView(
        ask_id=row.id,
        case_id=row.case_id,
        contact_key=row.contact_key,
        contact_name=row.contact_name,
        organisation=row.organisation,
        role=row.role,
        matter=row.matter,
        channel=row.channel,
        state=row.state,
        text=curtain.text(body.text) or "",
        person=tuple((label, value if is_shown else MASK * 3) for label, value in body.person),
        asked_at=time_of(row.asked_at),
        asked_by=row.asker,
        sent_at=from_ms(row.sent_at),
        send_error=row.send_error,
        next_send_at=from_ms(row.send_at),
        reminded_at=from_ms(row.reminded_at),
        escalate_at=from_ms(row.escalate_at),
        follows_id=row.follows_id,
        answered_at=from_ms(row.answered_at),
        answer_minutes=row.answer_minutes,
        answered_via=row.answered_via,
        answered_by=row.answerer,
        choice=answer.choice,
        promised_on=answer.on,
        answer=curtain.text(answer.text) or None,
        is_unread=row.answered_at is not None and row.answer_read_at is None,
    )


def ask_marks_of(case_ids: Sequence[int]) -> Question[dict[int, AskMark]]:
    """What the list says of each case: an unread answer, else whom it waits for since when."""
    return Question(_MARKS, {"cases": list(case_ids)}, _marks)


def _marks(rows: list[Any]) -> dict[int, AskMark]:
    marks: dict[int, AskMark] = {}
    first_asked: dict[int, datetime] = {}
    for row in rows:
        asked_at = first_asked.setdefault(row.case_id, time_of(row.asked_at))
        if row.answered_at is not None:
            marks[row.case_id] = AskMark(role=row.role, since=time_of(row.answered_at), is_answered=True)
        elif not (known := marks.get(row.case_id)) or not known.is_answered:
            # The newest one is waited for, since the first was asked.
            marks[row.case_id] = AskMark(role=row.role, since=asked_at)
    return marks


_MARKS: Final = (
    select(asks.c.case_id, asks.c.role, asks.c.state, asks.c.asked_at, asks.c.answered_at)
    .where(
        among(asks.c.case_id, "cases"),
        asks.c.state != "withdrawn",
        or_(
            asks.c.answered_at.is_not(None) & asks.c.answer_read_at.is_(None),
            asks.c.answered_at.is_(None) & or_(*(asks.c.state == state for state in OPEN)),
        ),
    )
    .order_by(asks.c.asked_at, asks.c.id)
)
