"""Counts kept in the transaction that writes the events: by hour, and by day of Korea and Japan.

A page of figures reads some hundred rows instead of every event. Readers whose zone has other days add up hours.
What is kept here can always be counted anew from the events (:func:`recount`), and every night it is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.ids import new_id
from hub.store.rollup_tables import CALL_FIGURES, call_counts, count_changes, count_checks, inquiry_counts
from hub.store.tables import calls, feed_states, inquiries, shops

HOUR: Final = 1
DAY: Final = 24
_HOUR_MS: Final = 3_600_000
#: days are those of Seoul, which are Tokyo's too: neither has a clock that is set back
DAY_OFFSET_MS: Final = 9 * _HOUR_MS
_OFFSET: Final = {HOUR: 0, DAY: DAY_OFFSET_MS}
#: how a key names what a call has not
_NO_NAME: Final = literal_column("''", Text)
#: differences that are written down; more are counted
MOST_DETAILS: Final = 50
#: counted anew in one transaction
_WINDOW_MS: Final = 31 * DAY * _HOUR_MS


class Difference(Struct, frozen=True, kw_only=True):
    """One count that was not what its events say. ``key``: unit, start (ms), then what it is of."""

    source: str
    key: tuple[int | str, ...]
    kept: tuple[int, ...]
    counted: tuple[int, ...]


class Recounted(Struct, frozen=True, kw_only=True):
    """``events`` were counted anew; every one of ``differences`` was mended."""

    events: int
    differences: tuple[Difference, ...]


def start_of(at: int, unit: int) -> int:
    """When the hour or day of a stored time began, in milliseconds."""
    offset = _OFFSET[unit]
    length = unit * _HOUR_MS
    return (at + offset) // length * length - offset


# kept with the events


async def add_inquiries(
    database: Database, connection: AsyncConnection, *, shop_id: int, changes: Iterable[tuple[str, int, int]], at: int
) -> None:
    """``changes``: kind, time asked and +1 or -1 for each inquiry that came, went, or moved in time or kind."""
    deltas: Counter[tuple[int, int, str]] = Counter()
    for kind, asked_at, change in changes:
        for unit in (HOUR, DAY):
            deltas[unit, start_of(asked_at, unit), kind] += change
    # In one order everywhere, so that two writers never wait for each other.
    rows = [(*key, shop_id, change) for key, change in sorted(deltas.items()) if change]
    if not rows:
        return
    # The values go to the driver as they are: binding them one by one cost three times as much.
    await connection.exec_driver_sql(_ADD if database.is_sqlite else _ADD.replace("?", "%s"), rows)
    by_day: Counter[int] = Counter()
    for unit, starts_at, _, _, change in rows:
        if unit == DAY:
            by_day[starts_at] += change
    # Of days that were known whole before: whoever read their figures will find others.
    for name, known_until in await database.fetch(connection, _KNOWN_UNTIL, {"shop_id": shop_id}):
        await _note(connection, "inquiries", name, known_until, by_day, at)


_ADD: Final = """
    INSERT INTO inquiry_counts (unit, starts_at, kind, shop_id, number) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (unit, starts_at, shop_id, kind) DO UPDATE SET number = inquiry_counts.number + excluded.number
"""
_KNOWN_UNTIL: Final = (
    select(shops.c.name, feed_states.c.data_as_of)
    .join_from(shops, feed_states, feed_states.c.shop_id == shops.c.id)
    .where(
        shops.c.id == bindparam("shop_id"),
        feed_states.c.feed == literal_column("'inquiries'"),
        feed_states.c.data_as_of.is_not(None),
    )
)


async def _note(
    connection: AsyncConnection, source: str, what: str, known_until: int, by_day: Mapping[int, int], at: int
) -> None:
    found = [
        {"id": new_id(), "at": at, "source": source, "starts_at": starts_at, "what": what, "change": change}
        for starts_at, change in sorted(by_day.items())
        if change and starts_at + DAY * _HOUR_MS <= known_until
    ]
    if found:
        await connection.execute(insert(count_changes), found)


async def replace_calls(connection: AsyncConnection, *, first: int, end: int, newest: int, at: int) -> None:
    """Count the calls anew that entered from ``first`` to before ``end``, whole hours both, and the days they touch.

    ``newest``: up to when records are known; a day before that had been complete.
    """
    days = start_of(first, DAY), start_of(end - 1, DAY) + DAY * _HOUR_MS
    before = await _offered(connection, days)
    await connection.execute(delete(call_counts).where(*_between(call_counts, HOUR, first, end)))
    await connection.execute(
        insert(call_counts).from_select([column.name for column in call_counts.c], _calls_by(HOUR, first, end))
    )
    await connection.execute(delete(call_counts).where(*_between(call_counts, DAY, *days)))
    hours = call_counts.alias("hours")
    keys = (_floor(hours.c.starts_at, DAY), hours.c.mall, hours.c.line, hours.c.handling_line)
    of_days = (
        select(literal(DAY), *keys, *(func.sum(hours.c[name]) for name in CALL_FIGURES))
        .where(*_between(hours, HOUR, *days))
        .group_by(*keys)
    )
    await connection.execute(insert(call_counts).from_select([column.name for column in call_counts.c], of_days))
    after = await _offered(connection, days)
    for what in sorted({what for what, _ in (*before, *after)}):
        by_day = {
            day: after.get((what, day), 0) - before.get((what, day), 0)
            for day in {day for name, day in (*before, *after) if name == what}
            # The first calls of a day are no correction of it.
            if any(known == day for _, known in before)
        }
        await _note(connection, "calls", what, newest, by_day, at)


async def _offered(connection: AsyncConnection, days: tuple[int, int]) -> dict[tuple[str, int], int]:
    """By mall's line and day."""
    offered = func.sum(call_counts.c.offered)
    keys = (call_counts.c.mall, call_counts.c.line, call_counts.c.starts_at)
    query = select(*keys, offered).where(*_between(call_counts, DAY, *days)).group_by(*keys)
    return {(f"{mall}/{line}", day): int(number) for mall, line, day, number in await connection.execute(query)}


def _between(table: Any, unit: int, first: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return table.c.unit == unit, table.c.starts_at >= first, table.c.starts_at < end


def _floor(column: Any, unit: int) -> ColumnElement[int]:
    length, offset = unit * _HOUR_MS, _OFFSET[unit]
    # One expression without bound values: PostgreSQL groups by it only where it is the same text.
    return literal_column(
        f"({column.table.name}.{column.name} + {offset}) / {length} * {length} - {offset}", BigInteger
    )


# counted anew


async def recount(database: Database, *, at: int, started_by: str) -> Recounted:
    """Compare everything kept with its events, mend what differs, and write down that it was done."""
    events, found = 0, []
    for first, end in await _windows(database):
        async with database.writing() as connection:
            if not database.is_sqlite:
                # Whoever writes events writes counts too, and waits here: both are seen as of one moment.
                await connection.execute(text("LOCK TABLE inquiry_counts, call_counts IN SHARE ROW EXCLUSIVE MODE"))
            for source, table, counted in (
                ("inquiries", inquiry_counts, _inquiries_by),
                ("calls", call_counts, _calls_by),
            ):
                number, differences = await _compare(connection, source, table, counted, first, end)
                events += number
                found += differences
    await _write_down(database, at=at, started_by=started_by, events=events, found=found)
    return Recounted(events=events, differences=tuple(found))


async def _windows(database: Database) -> list[tuple[int, int]]:
    """Stretches in which there is an event or a count; a single wrong clock does not make a thousand empty ones."""
    found: set[int] = set()
    async with database.reading() as connection:
        for column in (inquiries.c.asked_at, calls.c.entered_at, inquiry_counts.c.starts_at, call_counts.c.starts_at):
            place = literal_column(f"({column.table.name}.{column.name} + {DAY_OFFSET_MS}) / {_WINDOW_MS}", BigInteger)
            found.update(await connection.scalars(select(place).distinct().select_from(column.table)))
    starts = [place * _WINDOW_MS - DAY_OFFSET_MS for place in sorted(found)]
    return [(start, start + _WINDOW_MS) for start in starts]


async def _compare(
    connection: AsyncConnection, source: str, table: Any, counted_by: Any, first: int, end: int
) -> tuple[int, list[Difference]]:
    """How many events there were, and what differed; a count of nothing is as none."""
    keys = list(table.primary_key.columns)
    values = [column for column in table.c if not column.primary_key]
    events, found = 0, []
    for unit in (HOUR, DAY):
        kept = {
            tuple(row[: len(keys)]): tuple(row[len(keys) :])
            for row in await connection.execute(select(*keys, *values).where(*_between(table, unit, first, end)))
        }
        counted = {
            tuple(row[: len(keys)]): tuple(int(number) for number in row[len(keys) :])
            for row in await connection.execute(counted_by(unit, first, end))
        }
        events += sum(numbers[0] for numbers in counted.values()) if unit == HOUR else 0
        none = (0,) * len(values)
        wrong = [
            Difference(source=source, key=key, kept=kept.get(key, none), counted=counted.get(key, none))
            for key in sorted({*kept, *counted})
            if kept.get(key, none) != counted.get(key, none)
        ]
        if wrong:
            names = [f"its_{column.name}" for column in keys]
            one = and_(*(column == bindparam(name) for column, name in zip(keys, names, strict=True)))
            gone = [dict(zip(names, each.key, strict=True)) for each in wrong]
            await connection.execute(delete(table).where(one), gone)
        rows = [
            dict(zip((column.name for column in (*keys, *values)), (*each.key, *each.counted), strict=True))
            for each in wrong
            if any(each.counted)
        ]
        if rows:
            await connection.execute(insert(table), rows)
        found += wrong
    return events, found


async def _write_down(
    database: Database, *, at: int, started_by: str, events: int, found: Sequence[Difference]
) -> None:
    async with database.writing() as connection:
        await connection.execute(
            insert(count_checks).values(
                id=new_id(),
                at=at,
                started_by=started_by,
                events=events,
                differences=len(found),
                details=msgspec.json.encode(found[:MOST_DETAILS]).decode(),
            )
        )


def _inquiries_by(unit: int, first: int, end: int) -> Select[Any]:
    keys = (_floor(inquiries.c.asked_at, unit), inquiries.c.shop_id, inquiries.c.kind)
    return (
        select(literal(unit), *keys, func.count())
        .where(inquiries.c.asked_at >= first, inquiries.c.asked_at < end)
        .group_by(*keys)
    )


def _calls_by(unit: int, first: int, end: int) -> Select[Any]:
    names = (func.coalesce(column, _NO_NAME) for column in (calls.c.mall, calls.c.line, calls.c.handling_line))
    keys = (_floor(calls.c.entered_at, unit), *names)
    return (
        select(literal(unit), *keys, *(func.sum(case((_is(name), 1), else_=0)) for name in CALL_FIGURES))
        .where(calls.c.result.is_not(None), calls.c.entered_at >= first, calls.c.entered_at < end)
        .group_by(*keys)
    )


def _is(figure: str) -> ColumnElement[bool]:
    """The same conditions as hub.stats counts calls by; a test holds the two together."""
    match figure:
        case "offered":
            return calls.c.result.is_not(None)
        case "abandoned_short":
            return calls.c.is_short_abandon
        case "transferred_out":
            return calls.c.is_transferred
        case _:
            return calls.c.result == figure
