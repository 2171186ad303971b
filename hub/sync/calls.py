"""Telephone records in: each event stored once, calls derived anew from all events of their time.

A file read twice changes nothing, a file read in pieces gives the same calls as read whole: the
calls are a function of the set of stored events.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.sealed import CALL_EVENT_PLACE, CALLER_PLACE, normal_phone, pack
from hub.store.tables import call_events, calls
from ivr.calls import Call, derive_calls
from ivr.event import Event, identity
from ivr.records import Tally, read_records
from ivr.routes import Routes

# A call is never longer: events further apart belong to different calls.
_LONGEST_CALL_MS = 4 * 3_600_000
_CHUNK = 2_000
_unpack = msgspec.msgpack.Decoder(Event).decode


class FileReport(Struct, kw_only=True):
    """What became of one file's lines; ``new_events`` were not stored before."""

    path: str
    kind: str | None
    lines: int
    events: int
    new_events: int
    ignored: int
    unreadable: int
    problems: list[tuple[int, str]]


class CallImport:
    """Reads files into the event store; :meth:`derive` then brings the calls up to it."""

    def __init__(self, database: Database, routes: Routes) -> None:
        self._database = database
        self._routes = routes
        self._touched: tuple[int, int] | None = None

    async def read_file(self, path: str, text_lines: Iterable[str]) -> FileReport:
        """Store the events of one file; each chunk is one transaction.

        Raises: ivr.records.UnknownRecordsError when the file is no call record.
        """
        tally = Tally()
        report = FileReport(path=path, kind=None, lines=0, events=0, new_events=0, ignored=0, unreadable=0, problems=[])
        for chunk in _chunks(read_records(text_lines, zone=self._routes.zone, tally=tally)):
            report.new_events += await self._store(chunk)
        report.kind = tally.source.value if tally.source else None
        report.lines, report.events = tally.lines, tally.events
        report.ignored, report.unreadable = tally.ignored, tally.unreadable
        report.problems = [(problem.line_no, problem.reason) for problem in tally.problems]
        return report

    async def _store(self, events: list[Event]) -> int:
        seal = self._database.box.seal
        rows: dict[bytes, dict[str, Any]] = {
            digest: {
                "digest": digest,
                "at": round(event.at * 1000),
                "event_sealed": seal(pack(event), CALL_EVENT_PLACE),
            }
            for event in events
            for digest in (bytes.fromhex(identity(event)),)
        }
        async with self._database.writing() as connection:
            known = set(
                await connection.scalars(select(call_events.c.digest).where(call_events.c.digest.in_(list(rows))))
            )
            new = [row for digest, row in rows.items() if digest not in known]
            if new:
                statement = self._database.upsert(
                    call_events, key=[call_events.c.digest], keep=list(call_events.c), changed_hash=False
                )
                await connection.execute(statement, new)
        # Known events count too: who stored them may have been killed before deriving their calls.
        times: list[int] = [row["at"] for row in rows.values()]
        self._touched = (min(times + list(self._touched or ())), max(times + list(self._touched or ())))
        return len(new)

    async def derive(self) -> int:
        """Derive again every call of the time that was read. Returns how many calls stand there."""
        if self._touched is None:
            return 0
        first, last = self._touched[0] - _LONGEST_CALL_MS, self._touched[1] + _LONGEST_CALL_MS
        async with self._database.writing() as connection:
            newest = (await connection.execute(select(func.max(call_events.c.at)))).scalar_one()
            # Whole calls are wanted at both edges, so more is read than is replaced.
            events = [
                _unpack(self._database.box.open(sealed, CALL_EVENT_PLACE))
                for sealed in await connection.scalars(
                    select(call_events.c.event_sealed).where(
                        call_events.c.at.between(first - _LONGEST_CALL_MS, last + _LONGEST_CALL_MS)
                    )
                )
            ]
            derived = [
                call
                for call in derive_calls(events, self._routes, as_of=newest / 1000)
                if first <= call.entered_at * 1000 <= last
            ]
            await self._replace(connection, derived, first, last)
        self._touched = None
        return len(derived)

    async def _replace(self, connection: AsyncConnection, derived: list[Call], first: int, last: int) -> None:
        rows = [self._row(call) for call in derived]
        stored = set(await connection.scalars(select(calls.c.call_id).where(calls.c.entered_at.between(first, last))))
        if gone := stored - {row["call_id"] for row in rows}:
            # What looked like a call of its own has turned out to be a part of another.
            await connection.execute(delete(calls).where(calls.c.call_id.in_(gone)))
        if rows:
            await connection.execute(self._database.upsert(calls, key=[calls.c.call_id]), rows)

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
        }
        digest = box.blind("call", repr(sorted(row.items(), key=lambda item: item[0])))
        return row | {
            "caller_sealed": box.seal(call.caller.encode(), CALLER_PLACE) if call.caller else None,
            "content_hash": digest,
        }


def _chunks(events: Iterator[Event]) -> Iterator[list[Event]]:
    while chunk := list(islice(events, _CHUNK)):
        yield chunk
