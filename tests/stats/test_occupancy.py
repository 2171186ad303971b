"""Measured occupancy beside Erlang's: from the records of a day, unknown where nobody noted who was there."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from hub.stats.occupancy import Measured, measured_per_hour
from hub.stats.span import make_span
from hub.stats.staffing import WhatIf, staffing_needs
from hub.store.database import Database
from hub.store.tables import agent_states
from hub.sync.calls import CallImport
from ivr import demo_spec_text
from ivr.check import load_spec
from ivr.spec import routes_from_spec

SEOUL = ZoneInfo("Asia/Seoul")
TEN = datetime(2026, 11, 23, 10, tzinfo=SEOUL)
SPAN = make_span(since=TEN.replace(hour=0), until=TEN.replace(hour=23), zone=SEOUL)
ROUTES = routes_from_spec(load_spec(demo_spec_text(), source="demo.yaml"))


def line(minutes: float, text: str) -> str:
    return f"{round(TEN.timestamp() + minutes * 60)}|{text}"


def talk(minutes: float, agent: str, *, lasts: float, number: int) -> list[str]:
    """A call to the order line, answered at once."""
    call = f"{round(TEN.timestamp())}.{number}"
    return [
        line(minutes, f"{call}|NONE|NONE|IVR|ENTER|cafe24|order|07000001001|01000001111|"),
        line(minutes, f"{call}|cafe24_order|NONE|ENTERQUEUE||01000001111|1"),
        line(minutes, f"{call}|cafe24_order|{agent}|CONNECT|0|1.1|0"),
        line(minutes + lasts, f"{call}|cafe24_order|{agent}|COMPLETECALLER|0|{round(lasts * 60)}|1"),
        line(minutes + lasts, f"{call}|NONE|NONE|IVR|HANGUP|16|cafe24/order"),
    ]


PRESENT = [
    line(-30, "MANAGER|cafe24_order|agent1001|ADDMEMBER|"),
    line(20, "NONE|cafe24_order|agent1001|PAUSE|lunch"),
    line(40, "NONE|cafe24_order|agent1001|UNPAUSE|"),
    line(120, "MANAGER|cafe24_order|agent1001|REMOVEMEMBER|"),
]
TALKS = [*talk(5, "agent1001", lasts=10, number=1), *talk(50, "agent1001", lasts=20, number=2)]


async def read(database: Database, *lines: str) -> None:
    records = CallImport(database, ROUTES)
    await records.read_file("queue_log", sorted(lines))
    await records.derive()


async def test_talk_over_the_time_signed_in_with_and_without_pauses(database: Database) -> None:
    await read(database, *PRESENT, *TALKS)

    found = await measured_per_hour(database, span=SPAN)

    assert found["order", 10] == Measured(hours=1, signed_in=3600, paused=1200, talked=1200)
    assert found["order", 11] == Measured(hours=1, signed_in=3600, paused=0, talked=600)
    assert (found["order", 10].occupancy_signed_in, found["order", 10].occupancy_ready) == (0.333, 0.5)
    assert await measured_per_hour(database, span=SPAN, mall="qoo10") == {}


@pytest.mark.parametrize("others", [[], talk(10, "agent1002", lasts=5, number=3)], ids=["all known", "one is not"])
async def test_it_stands_beside_erlangs_and_an_unknown_hour_is_unknown(
    sqlite_database: Database, others: list[str]
) -> None:
    await read(sqlite_database, *PRESENT, *TALKS, *others)

    needs = await staffing_needs(
        sqlite_database, since=SPAN.since, until=SPAN.until, zone=SEOUL, what_if=WhatIf(), mall=None
    )

    (need,) = needs
    assert need.occupancy is not None
    known = (0, None, None) if others else (1, 0.5, 0.333)
    assert (need.measured_hours, need.occupancy_ready, need.occupancy_signed_in) == known


async def test_without_states_of_agents_nothing_is_measured(sqlite_database: Database) -> None:
    await read(sqlite_database, *TALKS)

    assert await measured_per_hour(sqlite_database, span=SPAN) == {}


async def test_what_was_read_before_is_measured_when_it_is_read_again(sqlite_database: Database) -> None:
    await read(sqlite_database, *PRESENT, *TALKS)
    async with sqlite_database.writing() as connection:
        await connection.execute(delete(agent_states))
    await read(sqlite_database, *PRESENT, *TALKS)

    assert (await measured_per_hour(sqlite_database, span=SPAN))["order", 10].hours == 1
