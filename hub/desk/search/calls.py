"""Notes of telephone calls that a search found, and whose they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission
from hub.desk.customers.identity import RecordKind, RecordRef
from hub.desk.marks import mall_mark
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.views import MallMark
from hub.store.database import among, read_rows, time_of
from hub.store.sealed import CALL_NOTE_PLACE
from hub.store.search_documents import Document, Source
from hub.store.tables import call_notes, calls, live_calls, orders, users


class CallNoteRow(Struct, frozen=True, kw_only=True):
    """What an agent noted of a call. ``topic``: see hub.desk.phone.topics; ``text`` is masked.

    ``mark`` and ``line`` are those of the call, ``None`` where no record tells them. ``customer`` names the record
    whose person called (``call-12``): the call itself for some days, then their newest order; ``None`` without any.
    """

    note_id: int
    at: datetime
    mark: MallMark | None
    line: str | None
    topic: str | None
    agent: str | None
    text: str
    customer: str | None


def may_see(actor: Actor, document: Document) -> bool:
    """Notes of calls are seen by who wrote them, and by those who see whose calls were abusive."""
    if document.source is not Source.CALL_NOTE:
        return True
    return actor.may(Permission.SEE_STATISTICS) or (actor.user_id is not None and document.by_id == actor.user_id)


async def read_call_notes(
    services: Services, connection: AsyncConnection, documents: Sequence[Document], *, limit: int
) -> tuple[CallNoteRow, ...]:
    """Those of the ``documents`` that are notes of calls, newest first."""
    ids = [document.row_id for document in documents if document.source is Source.CALL_NOTE]
    if not ids:
        return ()
    rows = await read_rows(connection, _NOTES, ids=ids)
    return tuple(_row(services, row) for row in rows[:limit])


def _row(services: Services, row: Any) -> CallNoteRow:
    mall = row.live_mall or row.mall
    customer = None
    if row.live_id is not None:
        customer = str(RecordRef(kind=RecordKind.CALL, id=row.live_id))
    elif row.order_id is not None:
        customer = str(RecordRef(kind=RecordKind.ORDER, id=row.order_id))
    text = services.database.box.open(row.text_sealed, CALL_NOTE_PLACE).decode()
    return CallNoteRow(
        note_id=row.id,
        at=time_of(row.noted_at),
        mark=mall_mark(services.registry, mall) if mall else None,
        line=row.live_line or row.line,
        topic=row.topic,
        agent=row.agent,
        text=Curtain(is_open=False).text(text) or "",
        customer=customer,
    )


_OF_LIVE: Final = (
    (live_calls.c.pbx == call_notes.c.pbx)
    & (live_calls.c.call_id == call_notes.c.call_id)
    & (live_calls.c.member == call_notes.c.member)
    & live_calls.c.caller_idx.is_not(None)
)
_NOTES: Final = (
    select(
        call_notes.c.id,
        call_notes.c.noted_at,
        call_notes.c.topic,
        call_notes.c.text_sealed,
        users.c.name.label("agent"),
        live_calls.c.id.label("live_id"),
        live_calls.c.mall.label("live_mall"),
        live_calls.c.line.label("live_line"),
        calls.c.mall,
        calls.c.line,
        select(func.max(orders.c.id))
        .where(orders.c.buyer_phone_idx == calls.c.caller_idx)
        .correlate(calls)
        .scalar_subquery()
        .label("order_id"),
    )
    .select_from(
        call_notes.outerjoin(users, users.c.id == call_notes.c.user_id)
        .outerjoin(live_calls, _OF_LIVE)
        .outerjoin(calls, calls.c.call_id == call_notes.c.call_id)
    )
    .where(among(call_notes.c.id, "ids"), call_notes.c.text_sealed.is_not(None))
    .order_by(call_notes.c.noted_at.desc(), call_notes.c.id.desc())
)
