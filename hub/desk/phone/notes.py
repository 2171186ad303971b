"""What an agent notes of a call: what it was about, and abuse, which ends the call and gives a rest.

Every note is kept here first, then told to the exchange, whose records are what calls are counted by; an exchange
that does not answer is told again.
"""

from datetime import datetime
from typing import Any, Final

import structlog
from msgspec import Struct
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.phone.calls import OPEN, unpack_caller
from hub.desk.phone.exchange import control_of
from hub.desk.phone.topics import ABUSE, is_topic
from hub.desk.services import Services
from hub.store.database import read_rows, time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.sealed import CALL_NOTE_PLACE, LIVE_CALLER_PLACE
from hub.store.search_documents import Source
from hub.store.search_index import queue_for_search
from hub.store.tables import call_notes, live_calls
from ivr.phone import REST_REASON, PhoneError

log = structlog.get_logger(__name__)

LONGEST_TEXT: Final = 1_000
_AT_ONCE: Final = 50


class NoteError(Exception):
    """``key`` of the message that says what is wrong."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Rest(Struct, frozen=True, kw_only=True):
    """A rest after an abusive call; it counts as work."""

    note_id: int
    since: datetime


async def note_topic(services: Services, *, actor: Actor, call_id: int, topic: str) -> None:
    """Say what one's own call was about; said again, the last word counts.

    Raises: NoteError for a topic that is none; NotFoundError for a call of somebody else; ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    if not is_topic(topic):
        raise NoteError("phone.wrong_topic")
    async with services.database.writing() as connection:
        call = await _own(connection, actor, call_id)
        note_id = await _write(services, connection, actor, call, topic=topic, sent_at=None)
        if call.state not in OPEN:
            await _done(services, connection, call)
    await _send(services, note_id)


async def dismiss(services: Services, *, actor: Actor, call_id: int) -> None:
    """Close the note of an ended call without one: nobody has to guess."""
    require(actor, Permission.WORK_CASES)
    async with services.database.writing() as connection:
        call = await _own(connection, actor, call_id)
        if call.state not in OPEN:
            await _done(services, connection, call)


async def flag_abuse(services: Services, *, actor: Actor, call_id: int, text: str, ends: bool) -> None:
    """Mark one's own call as abusive; ``ends``: end it and rest. The mark stands whatever the exchange does.

    Raises: NoteError when the exchange did not end the call; NotFoundError; ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    now = to_ms(services.now())
    text = text.strip()[:LONGEST_TEXT]
    sealed = services.database.box.seal(text.encode(), CALL_NOTE_PLACE) if text else None
    given: dict[str, Any] = {"is_abuse": True} | ({"text_sealed": sealed} if sealed else {})
    async with services.database.writing() as connection:
        call = await _own(connection, actor, call_id)
        rest = {"rest_began_at": now, "rest_ended_at": None} if ends else {}
        note_id = await _write(services, connection, actor, call, **given, **rest)
        known = await connection.scalar(select(call_notes.c.topic).where(call_notes.c.id == note_id))
        if known is None:
            await connection.execute(update(call_notes).where(call_notes.c.id == note_id).values(topic=ABUSE))
    await _send(services, note_id)
    if not ends:
        return
    caller = unpack_caller(services.database.box.open(call.caller_sealed, LIVE_CALLER_PLACE))
    try:
        _, member, control = control_of(services, f"{call.pbx}/{call.member}")
        # First no further call, then the end of this one: between them none can come.
        await control.rest(member=member, is_resting=True, reason=REST_REASON)
        if call.state in OPEN:
            await control.end(channel=caller.channel)
    except PhoneError as error:
        log.warning("phone.not_ended", error=str(error))
        raise NoteError("phone.not_ended") from error


async def end_rest(services: Services, *, actor: Actor) -> None:
    """Back to the telephone. Raises: NoteError when the exchange does not take it: the rest then goes on."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        row = await _resting(connection, actor)
    if row is None:
        return
    try:
        _, member, control = control_of(services, f"{row.pbx}/{row.member}")
        await control.rest(member=member, is_resting=False, reason="")
    except PhoneError as error:
        raise NoteError("phone.unreachable") from error
    async with services.database.writing() as connection:
        await connection.execute(
            update(call_notes).where(call_notes.c.id == row.id).values(rest_ended_at=to_ms(services.now()))
        )


async def read_rest(services: Services, *, actor: Actor) -> Rest | None:
    """The rest that the actor takes now."""
    async with services.database.reading() as connection:
        row = await _resting(connection, actor)
    return Rest(note_id=row.id, since=time_of(row.rest_began_at)) if row else None


async def send_notes(services: Services) -> int:
    """Tell the exchanges what they have not taken yet. Returns how many they took."""
    query = select(call_notes.c.id).where(call_notes.c.sent_at.is_(None), call_notes.c.topic.is_not(None))
    async with services.database.reading() as connection:
        waiting = list(await connection.scalars(query.order_by(call_notes.c.id).limit(_AT_ONCE)))
    taken = 0
    for note_id in waiting:
        if not await _send(services, note_id):
            break
        taken += 1
    return taken


async def _send(services: Services, note_id: int) -> bool:
    async with services.database.reading() as connection:
        note = (await connection.execute(select(call_notes).where(call_notes.c.id == note_id))).one()
    try:
        _, member, control = control_of(services, f"{note.pbx}/{note.member}")
        await control.note(leg=note.leg, queue=note.queue, member=member, topic=note.topic)
    except PhoneError as error:
        log.warning("phone.note.waits", error=str(error))
        return False
    async with services.database.writing() as connection:
        # Only if it still says what was told: a changed note is told again.
        same = (call_notes.c.id == note_id) & (call_notes.c.topic == note.topic)
        await connection.execute(update(call_notes).where(same).values(sent_at=to_ms(services.now())))
    return True


async def _own(connection: AsyncConnection, actor: Actor, call_id: int) -> Row[Any]:
    query = select(live_calls).where(live_calls.c.id == call_id, live_calls.c.user_id == actor.user_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None or actor.user_id is None:
        raise NotFoundError
    return row


async def _write(services: Services, connection: AsyncConnection, actor: Actor, call: Row[Any], **values: Any) -> int:
    is_same = (
        (call_notes.c.pbx == call.pbx) & (call_notes.c.call_id == call.call_id) & (call_notes.c.member == call.member)
    )
    known: int | None = await connection.scalar(select(call_notes.c.id).where(is_same))
    values |= {"noted_at": to_ms(services.now()), "user_id": actor.user_id}
    note_id = new_id() if known is None else known
    if known is None:
        key = {"id": note_id, "pbx": call.pbx, "call_id": call.call_id, "member": call.member}
        row = {**key, "leg": call.leg, "queue": call.queue, "is_abuse": False, **values}
        await connection.execute(call_notes.insert().values(**row))
    else:
        await connection.execute(update(call_notes).where(call_notes.c.id == known).values(**values))
    if "text_sealed" in values:
        at = values["noted_at"]
        await queue_for_search(services.database, connection, Source.CALL_NOTE, [note_id], at=at)
    return note_id


async def _done(services: Services, connection: AsyncConnection, call: Row[Any]) -> None:
    values = {"state": "done", "updated_at": to_ms(services.now())}
    await connection.execute(update(live_calls).where(live_calls.c.id == call.id).values(**values))
    body = {"call_id": str(call.id), "member": call.member, "user_id": call.user_id, "state": "done"}
    await publish(connection, Topic.CALL, **body)


async def _resting(connection: AsyncConnection, actor: Actor) -> Any | None:
    return next(iter(await read_rows(connection, _RESTING, user_id=actor.user_id)), None)


_RESTING: Final = (
    select(call_notes)
    .where(call_notes.c.user_id == bindparam("user_id"), call_notes.c.rest_began_at.is_not(None))
    .where(call_notes.c.rest_ended_at.is_(None))
    .order_by(call_notes.c.id.desc())
    .limit(1)
)
