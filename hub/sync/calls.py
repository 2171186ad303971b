"""Telephone records in: each event stored once, calls derived anew from all events of their time.

A file read twice changes nothing, a file read in pieces gives the same calls as read whole: the
calls are a function of the set of stored events.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, among
from hub.store.rollups import HOUR, replace_calls, start_of
from hub.store.sealed import CALL_EVENT_PLACE, CALLER_PLACE, normal_phone, pack
from hub.store.tables import agent_states, call_events, calls
from ivr.calls import LOST_AFTER_SECONDS, Call, derive_calls
from ivr.event import Event, identity, of_pbx
from ivr.occupancy import state_of
from ivr.records import Tally, read_records
from ivr.routes import Routes

# A call is never longer: events further apart belong to different calls.
_LONGEST_CALL_HOURS = 4
_LONGEST_CALL_MS = _LONGEST_CALL_HOURS * 3_600_000
_HOUR_MS = 3_600_000
# of time: long enough that the edges, which are read twice, matter little
_WINDOW_HOURS = 24
_CHUNK = 2_000
# a chunk of a log that spans more has a jump in it
_CLOSE_SECONDS = 86_400.0
#: how far back calls without an end are looked for once the records go on long after them
_LOOK_BACK_MS = 31 * 24 * _HOUR_MS
_NEWEST = select(func.max(call_events.c.at))
_WITHOUT_END = select(calls.c.entered_at).where(
    calls.c.entered_at >= bindparam("first"), calls.c.entered_at <= bindparam("last"), calls.c.result.is_(None)
)
_EVENTS_WITHIN = select(call_events.c.event_sealed).where(
    call_events.c.at >= bindparam("first"), call_events.c.at <= bindparam("last")
)
_DIGESTS_WITHIN = select(call_events.c.digest).where(
    call_events.c.at >= bindparam("first"), call_events.c.at <= bindparam("last")
)
_CALLS_WITHIN = select(calls.c.call_id).where(
    calls.c.entered_at >= bindparam("first"), calls.c.entered_at < bindparam("end")
)
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(0x68756263))
_ENTERED_ELSEWHERE = select(calls.c.entered_at).where(
    among(calls.c.call_id, "ids"), or_(calls.c.entered_at < bindparam("first"), calls.c.entered_at >= bindparam("end"))
)
_unpack = msgspec.msgpack.Decoder(Event).decode


class FileReport(Struct, kw_only=True):
    """What became of one file's lines; ``new_events`` were not stored before.

    ``unknown_events``: name -> lines, of events that are not ours; they are part of ``ignored``.
    """

    path: str
    kind: str | None
    lines: int
    events: int
    new_events: int
    ignored: int
    unreadable: int
    clock_jumps: int = 0
    problems: list[tuple[int, str]]
    unknown_events: dict[str, int] = {}


class CallImport:
    """Reads records into the event store; :meth:`derive` then brings the calls up to it.

    ``pbx``: the name of the PBX they come from, where several write the same ids.
    """

    def __init__(self, database: Database, routes: Routes, *, pbx: str | None = None) -> None:
        self._database = database
        self._routes = routes
        self._pbx = pbx
        self._touched: set[int] = set()
        self._looked_until = 0

    async def read_file(
        self, path: str, text_lines: Iterable[str], *, head: Sequence[str] | None = None, first_line: int = 1
    ) -> FileReport:
        """Store the events of one file, or with its ``head`` of a later piece; each chunk is one transaction.

        ``first_line``: the number of the first of these lines in the file.
        Raises: ivr.records.UnknownRecordsError when the file is no call record.
        """
        tally = Tally()
        new_events = 0
        for chunk in _chunks(read_records(text_lines, zone=self._routes.zone, tally=tally, head=head)):
            events = [of_pbx(event, self._pbx) for event in chunk] if self._pbx else chunk
            new_events += await self._store(events)
        return FileReport(
            path=path,
            kind=tally.source.value if tally.source else None,
            lines=tally.lines,
            events=tally.events,
            new_events=new_events,
            ignored=tally.ignored,
            unreadable=tally.unreadable,
            clock_jumps=tally.clock_jumps,
            problems=[(problem.line_no + first_line - 1, problem.reason) for problem in tally.problems],
            unknown_events=tally.unknown_events,
        )

    async def _store(self, events: list[Event]) -> int:
        found = {bytes.fromhex(identity(event)): event for event in events}
        seal = self._database.box.seal
        async with self._database.writing() as connection:
            known = await self._known(connection, found)
            new = [
                {"digest": digest, "at": round(event.at * 1000), "event_sealed": seal(pack(event), CALL_EVENT_PLACE)}
                for digest, event in found.items()
                if digest not in known
            ]
            await self._database.upsert_rows(
                connection,
                call_events,
                new,
                key=[call_events.c.digest],
                keep=list(call_events.c),
                changed_hash=False,
            )
            await self._keep_states(connection, found)
        # Known events count too: who stored them may have been killed before deriving their calls.
        self._touched.update(int(event.at * 1000 // _HOUR_MS) for event in events)
        return len(new)

    async def _keep_states(self, connection: AsyncConnection, found: Mapping[bytes, Event]) -> None:
        """What they say of agents, in the clear: no customer is in it. Of known events too: they may be older than
        the table.
        """
        rows = []
        for digest, event in found.items():
            state = state_of(event)
            if state is not None:
                place = self._routes.queues.get(event.queue)
                rows.append(
                    {
                        "digest": digest,
                        "at": round(event.at * 1000),
                        "agent": event.agent,
                        "queue": event.queue,
                        "mall": place.mall if place else None,
                        "line": place.line if place else None,
                        "state": state.value,
                    }
                )
        if rows:
            key = [agent_states.c.digest]
            await self._database.upsert_rows(connection, agent_states, rows, key=key, changed_hash=False)

    async def _known(self, connection: AsyncConnection, found: Mapping[bytes, Event]) -> set[bytes]:
        """Which of these are stored. They mostly lie close in time, and a stretch of time is quicker asked for."""
        first, last = min(event.at for event in found.values()), max(event.at for event in found.values())
        if last - first > _CLOSE_SECONDS:
            query = select(call_events.c.digest).where(call_events.c.digest.in_(list(found)))
            return set(await connection.scalars(query))
        within = {"first": round(first * 1000), "last": round(last * 1000)}
        return {digest for (digest,) in await self._database.fetch(connection, _DIGESTS_WITHIN, within)}

    async def derive(self) -> int:
        """Derive again every call of the time that was read. Returns how many calls stand there.

        Window by window, each in its own transaction: what a year of records needs in memory is what a day needs.
        """
        number = 0
        await self._touch_without_end()
        for first, end in _windows(self._touched):
            number += await self._derive(first, end)
        self._touched.clear()
        return number

    async def _touch_without_end(self) -> None:
        """Calls that went on when the records before these ended: by now they may be known to have been lost.

        Looked for once an hour of the records' time, since every call of a month is gone through.
        """
        async with self._database.reading() as connection:
            newest = (await connection.execute(_NEWEST)).scalar_one() or 0
            if newest - self._looked_until < _HOUR_MS:
                return
            within = {"first": newest - _LOOK_BACK_MS, "last": newest - round(LOST_AFTER_SECONDS * 1000)}
            found = await self._database.fetch(connection, _WITHOUT_END, within)
        self._touched.update(entered_at // _HOUR_MS for (entered_at,) in found)
        self._looked_until = newest

    async def _derive(self, first: int, end: int) -> int:
        """The calls that entered from ``first`` to before ``end`` (milliseconds)."""
        async with self._database.writing() as connection:
            if not self._database.is_sqlite:
                # Two who derive the same time, each without what the other has just stored, would both be wrong.
                await connection.execute(_ONE_AT_A_TIME)
            newest = (await connection.execute(_NEWEST)).scalar_one()
            # Whole calls are wanted at both edges, so more is read than is replaced.
            span = {"first": first - _LONGEST_CALL_MS, "last": end + _LONGEST_CALL_MS}
            unseal = self._database.box.open
            events = [
                _unpack(unseal(sealed, CALL_EVENT_PLACE))
                for (sealed,) in await self._database.fetch(connection, _EVENTS_WITHIN, span)
            ]
            derived = [
                call
                for call in derive_calls(events, self._routes, as_of=newest / 1000)
                if first <= round(call.entered_at * 1000) < end
            ]
            await self._replace(connection, derived, first, end, newest)
        return len(derived)

    async def _replace(
        self, connection: AsyncConnection, derived: list[Call], first: int, end: int, newest: int
    ) -> None:
        rows = [self._row(call) for call in derived]
        within = {"first": first, "end": end}
        stored = {call_id for (call_id,) in await self._database.fetch(connection, _CALLS_WITHIN, within)}
        if gone := stored - {row["call_id"] for row in rows}:
            # What looked like a call of its own has turned out to be a part of another.
            await connection.execute(delete(calls).where(calls.c.call_id.in_(gone)))
        moved = await self._database.fetch(
            connection, _ENTERED_ELSEWHERE, within | {"ids": [r["call_id"] for r in rows]}
        )
        await self._database.upsert_rows(connection, calls, rows, key=[calls.c.call_id])
        # The counts of these hours, and of those that a call was counted in before more of it was known.
        hours = {start_of(entered_at, HOUR) for (entered_at,) in moved}
        for begins, ends in ((first, end), *((hour, hour + _HOUR_MS) for hour in sorted(hours))):
            await replace_calls(connection, first=begins, end=ends, newest=newest, at=time.time_ns() // 1_000_000)

    def _row(self, call: Call) -> dict[str, Any]:
        phone = normal_phone(call.caller)
        box = self._database.box
        row = {
            "call_id": call.call_id,
            "did": call.did,
            "mall": call.mall,
            "line": call.line,
            "chosen_line": call.chosen_line,
            "handling_line": call.handling_line,
            "topic": call.topic,
            "result": call.result.value if call.result else None,
            "entered_at": round(call.entered_at * 1000),
            "wait_seconds": call.wait_seconds,
            "talk_seconds": call.talk_seconds,
            "agent": call.agent,
            "is_short_abandon": call.is_short_abandon,
            "is_transferred": call.is_transferred_out,
            "caller_idx": box.blind("phone", phone) if phone else None,
            "callback_at": None if call.callback_at is None else round(call.callback_at * 1000),
            "ways": f" {' '.join(call.ways)} " if call.ways else None,
            "talks": _talks(call),
        }
        digest = box.blind("call", repr(sorted(row.items(), key=lambda item: item[0])))
        return row | {
            "caller_sealed": box.seal(call.caller.encode(), CALLER_PLACE) if call.caller else None,
            "content_hash": digest,
        }


def _talks(call: Call) -> str | None:
    """``[[agent, mall, line, began, ended]]`` in milliseconds, of the talks that are over."""
    told = [
        (talk.agent, talk.mall, talk.line, round(talk.began_at * 1000), round(talk.ended_at * 1000))
        for talk in call.talks
        if talk.ended_at is not None
    ]
    return msgspec.json.encode(told).decode() if told else None


def _chunks(events: Iterator[Event]) -> Iterator[list[Event]]:
    while chunk := list(islice(events, _CHUNK)):
        yield chunk


def _windows(touched: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Stretches (milliseconds, half-open) in which a call may have entered that has an event in one of these hours."""
    begun = reached = None
    for hour in sorted(touched):
        first, end = hour - _LONGEST_CALL_HOURS, hour + 1 + _LONGEST_CALL_HOURS
        if begun is None or reached is None or first > reached:
            if begun is not None and reached is not None:
                yield begun * _HOUR_MS, reached * _HOUR_MS
            begun = first
        while end - begun > _WINDOW_HOURS:
            yield begun * _HOUR_MS, (begun + _WINDOW_HOURS) * _HOUR_MS
            begun += _WINDOW_HOURS
        reached = end
    if begun is not None and reached is not None:
        yield begun * _HOUR_MS, reached * _HOUR_MS
