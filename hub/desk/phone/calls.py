"""The calls at the agents' phones, as the exchange tells them: kept in the database, told to the agents' own screens.

Any process may listen to the exchange; every process with screens reads what it wrote. A screen is told which call
and which state, never a number.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.sealed import LIVE_CALLER_PLACE, normal_phone, pack
from hub.store.tables import call_notes, dials, live_calls, users
from ivr.phone import LiveEvent, LiveKind
from ivr.routes import Place, Routes

#: a call that has ended is kept for the note that is still to be made
KEPT: Final = timedelta(days=3)
IN_TALK: Final = ("talking", "held")
OPEN: Final = ("ringing", *IN_TALK)
_AFTER: Final = {"ringing": "missed", "talking": "after_call", "held": "after_call"}
_DIALLED: Final = frozenset({"answered", "no_answer", "busy", "failed"})


class CallerPart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is personal of a call: the number as it came, empty when withheld, and the channel to reach it by."""

    number: str = ""
    channel: str = ""

    def __repr__(self) -> str:
        return "<CallerPart>"


unpack_caller = msgspec.msgpack.Decoder(CallerPart).decode


def caller_phone(number: str) -> str | None:
    """A caller's number as E.164; carriers leave the plus of a foreign prefix out."""
    if number.startswith(("82", "81")) and len(number) > 10:
        number = f"+{number}"
    return normal_phone(number)


class PhoneCalls:
    """Applies what one exchange tells. ``routes``: mall and line of its numbers and queues, where a spec is there."""

    def __init__(self, services: Services, *, pbx: str, routes: Routes | None) -> None:
        self._services, self._pbx, self.routes = services, pbx, routes
        #: (call, member) told since the gap
        self._since_gap: set[tuple[str, str]] | None = None

    async def apply(self, event: LiveEvent) -> None:
        """One event, in one transaction. Told twice, it changes nothing more."""
        if event.kind in (LiveKind.AGENT, LiveKind.LOST):
            return  # nothing about a call
        if event.kind is LiveKind.GAP:
            self._since_gap = set()
            return
        if self._since_gap is not None and event.member:
            self._since_gap.add((event.call_id, event.member))
        async with self._services.database.writing() as connection:
            await self._apply(connection, event)

    async def _apply(self, connection: AsyncConnection, event: LiveEvent) -> None:
        kind = event.kind
        if kind in (LiveKind.RINGING, LiveKind.ANSWERED):
            await self._at_phone(connection, event)
        elif kind in (LiveKind.NOT_ANSWERED, LiveKind.HELD, LiveKind.RESUMED, LiveKind.ENDED):
            await self._move_on(connection, event)
        elif kind is LiveKind.OVER:
            await self._close(connection, await self._rows(connection, live_calls.c.call_id == event.call_id), event.at)
        elif kind is LiveKind.STANDING:
            await self._compare(connection, event)
        elif kind is LiveKind.DIALLED:
            await self._dialled(connection, event)

    async def _at_phone(self, connection: AsyncConnection, event: LiveEvent) -> None:
        if not (event.call_id and event.member):
            return
        state = "ringing" if event.kind is LiveKind.RINGING else "talking"
        known = await self._rows(connection, live_calls.c.call_id == event.call_id, is_open=False)
        mine = next((row for row in known if row.member == event.member), None)
        at = round(event.at * 1000)
        if mine is None or (state == "ringing" and mine.state != "ringing"):
            mine = await self._write(connection, event, known, mine)
        if state == "talking" and mine.state not in IN_TALK:
            await self._set(connection, mine, state="talking", answered_at=at, ended_at=None)
        elif mine.state == state:
            await self._tell(connection, mine, state)
        if state == "talking":
            # With all phones ringing at once, one of them got it.
            await self._close(
                connection, [row for row in known if row.id != mine.id and row.state == "ringing"], event.at
            )

    async def _write(
        self, connection: AsyncConnection, event: LiveEvent, known: Sequence[Row[Any]], mine: Row[Any] | None
    ) -> Row[Any]:
        box = self._services.database.box
        phone = caller_phone(event.caller) if event.caller else None
        sealed = box.seal(pack(CallerPart(number=event.caller, channel=event.channel)), LIVE_CALLER_PLACE)
        place = self._place(event)
        values: dict[str, Any] = {
            "user_id": await self._user(connection, event.member),
            "state": "ringing",
            "leg": event.leg or event.call_id,
            "queue": event.queue or (known[-1].queue if known else ""),
            "did": event.did or None,
            "mall": place.mall if place else None,
            "line": place.line if place else None,
            "caller_idx": box.blind("phone", phone) if phone else None,
            "caller_sealed": sealed,
            "rang_at": round(event.at * 1000),
            "answered_at": None,
            "ended_at": None,
            "updated_at": to_ms(self._services.now()),
        }
        if mine is None:
            key = {"id": new_id(), "pbx": self._pbx, "call_id": event.call_id, "member": event.member}
            await connection.execute(live_calls.insert().values(**key, **values))
            await connection.execute(delete(live_calls).where(live_calls.c.updated_at < _oldest(self._services)))
        else:
            await connection.execute(update(live_calls).where(live_calls.c.id == mine.id).values(**values))
        rows = await self._rows(connection, live_calls.c.call_id == event.call_id, is_open=False)
        return next(row for row in rows if row.member == event.member)

    async def _move_on(self, connection: AsyncConnection, event: LiveEvent) -> None:
        """What is told of a call at one phone; without its id it is the one call that this phone has."""
        which = live_calls.c.member == event.member
        if event.call_id:
            which &= live_calls.c.call_id == event.call_id
        ends = {LiveKind.NOT_ANSWERED: ("ringing",), LiveKind.ENDED: IN_TALK}.get(event.kind, ())
        for row in await self._rows(connection, which):
            if row.state in ends:
                await self._close(connection, [row], event.at)
            elif event.kind is LiveKind.HELD and row.state == "talking":
                await self._set(connection, row, state="held")
            elif event.kind is LiveKind.RESUMED and row.state == "held":
                await self._set(connection, row, state="talking")

    async def _compare(self, connection: AsyncConnection, event: LiveEvent) -> None:
        """After a gap: what the exchange no longer has is over, and a phone that does not ring any more has stopped."""
        told, self._since_gap = self._since_gap or set(), None
        rows = await self._rows(connection)
        gone = [
            row
            for row in rows
            if row.call_id not in event.standing or (row.state == "ringing" and (row.call_id, row.member) not in told)
        ]
        await self._close(connection, gone, event.at)

    async def _dialled(self, connection: AsyncConnection, event: LiveEvent) -> None:
        number = event.reference.removeprefix("hub-")
        if not (event.reference.startswith("hub-") and number.isascii() and number.isdigit() and len(number) < 20):
            return  # somebody else's
        state = event.detail if event.detail in _DIALLED else "failed"
        row = (await connection.execute(select(dials).where(dials.c.id == int(number)))).one_or_none()
        if row is None or row.state != "asked":
            return
        await connection.execute(
            update(dials).where(dials.c.id == row.id).values(state=state, updated_at=to_ms(self._services.now()))
        )
        await publish(
            connection, Topic.CALL, call_id=event.reference, member=row.member, user_id=row.user_id, state=state
        )

    async def _close(self, connection: AsyncConnection, rows: Sequence[Row[Any]], at: float) -> None:
        for row in rows:
            state = _AFTER[row.state]
            if state == "after_call" and await self._is_noted(connection, row):
                state = "done"
            await self._set(connection, row, state=state, ended_at=round(at * 1000))

    async def _is_noted(self, connection: AsyncConnection, row: Row[Any]) -> bool:
        """Noted while the talk went on: nobody is asked twice."""
        noted = select(call_notes.c.id).where(call_notes.c.pbx == row.pbx, call_notes.c.call_id == row.call_id)
        noted = noted.where(call_notes.c.member == row.member, call_notes.c.topic.is_not(None))
        return await connection.scalar(noted) is not None

    async def _set(self, connection: AsyncConnection, row: Row[Any], **values: Any) -> None:
        values["updated_at"] = to_ms(self._services.now())
        await connection.execute(update(live_calls).where(live_calls.c.id == row.id).values(**values))
        await self._tell(connection, row, values["state"])

    async def _tell(self, connection: AsyncConnection, row: Row[Any], state: str) -> None:
        if row.user_id is not None:
            await publish(
                connection, Topic.CALL, call_id=str(row.id), member=row.member, user_id=row.user_id, state=state
            )

    async def _rows(self, connection: AsyncConnection, *which: Any, is_open: bool = True) -> Sequence[Row[Any]]:
        query = select(live_calls).where(live_calls.c.pbx == self._pbx, *which).order_by(live_calls.c.id)
        if is_open:
            query = query.where(live_calls.c.state.in_(OPEN))
        return (await connection.execute(query)).all()

    async def _user(self, connection: AsyncConnection, member: str) -> int | None:
        names = (member, f"{self._pbx}/{member}")
        query = select(users.c.id).where(users.c.phone_member.in_(names), users.c.is_active)
        return await connection.scalar(query.order_by(users.c.id).limit(1))

    def _place(self, event: LiveEvent) -> Place | None:
        if self.routes is None:
            return None
        return self.routes.queues.get(event.queue) or self.routes.place_of_did(event.did)


def _oldest(services: Services) -> int:
    return to_ms(services.now() - KEPT) or 0
