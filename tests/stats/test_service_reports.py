"""First contacts, refunds, dispatch, causes of claims and agents: against an example that was counted by hand."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hub.core.model import InventoryMode, Product
from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.facts import ABSENT, Counted, How, as_text, facts_behind, first_behind, tabulate
from hub.store.database import Database
from hub.store.sealed import CALL_EVENT_PLACE, pack
from ivr.event import Event, Kind, Source
from ivr.phone import REST_REASON
from routing.entries import ShopDefaultEntry
from routing.modes import ModeTable
from tests.stats.worked import SEOUL, counted_of, read_worked, store

SERVICE = read_worked("service.toml")
NAMES = tuple(SERVICE["expected"])


@pytest.fixture
async def service(database: Database) -> Counted:
    await store(database, SERVICE)
    return counted_of(database, SERVICE)


@pytest.fixture
async def on_sqlite(sqlite_database: Database) -> Counted:
    await store(sqlite_database, SERVICE)
    return counted_of(sqlite_database, SERVICE)


def test_every_report_has_an_example():
    assert set(FACT_REPORTS) == {*NAMES, *read_worked("worked.toml")["expected"]}


async def test_every_figure_is_what_was_counted_by_hand(service: Counted):
    for name, expected in SERVICE["expected"].items():
        report = FACT_REPORTS[name]
        found = await tabulate(report, service, by=report.read_by(expected["by"]))

        shown = [[ABSENT if value is None else value for value in row.values()] for row in found]
        assert shown == expected["rows"], name


async def test_a_figure_opens_to_as_many_rows_as_it_says(service: Counted):
    for name in NAMES:
        report = FACT_REPORTS[name]
        by = report.read_by(None)
        for row in await tabulate(report, service, by=by):
            where = {each: as_text(row[each]) or ABSENT for each in by}
            for measure in report.measures:
                facts = [fact async for fact in facts_behind(report, service, measure=measure, where=where)]
                if measure.how is How.COUNT:
                    assert len(facts) == row[measure.name], (name, measure.name, where)
                elif measure.how is How.SUM and measure.value is not None:
                    assert sum(measure.value(fact) or 0 for fact in facts) == pytest.approx(row[measure.name])
                if measure.how is not How.COUNT or not facts:
                    continue
                total, first = await first_behind(report, service, measure=measure, where=where, most=1)
                assert (total, len(first)) == (len(facts), 1), (name, measure.name)


async def test_late_goods_are_told_by_mode_and_partner(on_sqlite: Counted):
    found = await tabulate(FACT_REPORTS["dispatch"], on_sqlite, by=("cause", "mode", "partner"))

    law = {(row["mode"], row["partner"]): (row["due"], row["late"]) for row in found if row["cause"] == "law"}
    assert law == {("consignment", "정원상사"): (2, 1), ("unknown", None): (7, 1)}


async def test_a_mode_is_asked_for_again_only_where_the_table_changes(on_sqlite: Counted):
    asked: list[date] = []

    def mode(product: Product, shop: str, mall: str, on: date) -> str:
        asked.append(on)
        return "consignment" if on < change else "direct_purchase"

    change = date(2026, 3, 4)
    table = ModeTable(defaults=[ShopDefaultEntry(mode=InventoryMode.CONSIGNMENT, valid_to=date(2026, 3, 3))])
    assert table.days_of_change == (change,)
    known = msgspec.structs.replace(on_sqlite, mode_of=mode, mode_changes=table.days_of_change)
    found = await tabulate(FACT_REPORTS["dispatch"], known, by=("cause", "mode"))

    due = {(row["cause"], row["mode"]): row["due"] for row in found}
    assert due[("law", "consignment")] == 8
    assert due[("law", "direct_purchase")] == 1
    assert due[("mall", "direct_purchase")] == 2
    # Four products, of which one was sold before the change and after it.
    assert len(asked) == 5


async def test_a_mode_is_that_of_the_day_at_the_centre(on_sqlite: Counted):
    asked: list[date] = []

    def mode(product: Product, shop: str, mall: str, on: date) -> str:
        asked.append(on)
        return "consignment"

    days = []
    for zone in (ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
        asked.clear()
        await tabulate(
            FACT_REPORTS["dispatch"], msgspec.structs.replace(on_sqlite, mode_of=mode, zone=zone), by=("mode",)
        )
        days.append(sorted(asked))

    # One zone is 25 hours before the other: what is sold at one hour is never of the same day in both.
    assert days[0] != days[1]
    assert days[0][0] > days[1][0]


async def test_days_and_hours_are_told_apart(on_sqlite: Counted):
    def of_day(name: str, day: str) -> Counted:
        assert name in FACT_REPORTS
        start = datetime.fromisoformat(day).replace(tzinfo=SEOUL)
        return msgspec.structs.replace(on_sqlite, since=start, until=start.replace(day=start.day + 1))

    causes = FACT_REPORTS["claim-causes"]
    by_day = await tabulate(causes, on_sqlite, by=("day",))
    assert [(row["day"], row["claims"]) for row in by_day if row["claims"]][:3] == [
        ("2026-03-03", 1), ("2026-03-05", 2), ("2026-03-08", 2),
    ]  # fmt: skip
    by_hour = await tabulate(causes, on_sqlite, by=("clock_hour",))
    assert [(row["clock_hour"], row["claims"], row["paid_lines"]) for row in by_hour] == [
        (9, 0, 10), (10, 6, 1), (12, 3, 0),
    ]  # fmt: skip
    (only,) = await tabulate(FACT_REPORTS["refunds"], of_day("refunds", "2026-03-12"), by=("day",))
    assert (only["day"], only["refunds"], only["late"]) == ("2026-03-12", 1, 1)
    without = msgspec.structs.replace(on_sqlite, since=None, until=None)
    assert await tabulate(causes, without, by=("day",)) == by_day
    assert len(await tabulate(FACT_REPORTS["agents"], without, by=("agent",))) == 3


async def test_a_clock_of_hours_looks_at_the_hour(on_sqlite: Counted):
    clock = {"kinds": ["dispatch"], "since": "paid_at", "hours": 49, "country": "KR", "mall": "smartstore"}
    body = msgspec.json.encode({"clocks": [clock]}).decode()
    book = {"id": 1, "kind": "policy", "version": 1, "body": body, "created_at": SERVICE["since"]}
    await store(on_sqlite.database, {"rule_books": [book]})

    found = await tabulate(FACT_REPORTS["dispatch"], on_sqlite, by=("mall", "cause"))

    # S1 was paid on the 3rd at 9 and left on the 5th at 10: the 49th hour, to the minute.
    of_mall = {row["mall"]: row for row in found if row["cause"] == "mall"}
    assert (of_mall["smartstore"]["on_time"], of_mall["smartstore"]["late"]) == (1, 0)
    law = {row["mall"]: row["due"] for row in found if row["cause"] == "law"}
    assert law == {"cafe24": 8, "smartstore": 1}


async def test_pauses_are_told_by_reason_and_a_rest_is_none(on_sqlite: Counted):
    database = on_sqlite.database
    events = [
        (b"p1", 12, "paused", "lunch"),
        (b"p2", 13, "back", ""),
        (b"p3", 14, "paused", REST_REASON),
        (b"p4", 15, "out", ""),
        (b"p5", 16, "paused", "lunch"),
    ]
    states, sealed = [], []
    for digest, hour, state, reason in events:
        at = datetime(2026, 3, 16, hour, tzinfo=SEOUL)
        event = Event(source=Source.AMI, kind=Kind.PRESENCE, at=at.timestamp(), callid="", agent="1002", extra=reason)
        states.append({"digest": digest, "at": at, "agent": "1002", "queue": "", "state": state})
        body = database.box.seal(pack(event), CALL_EVENT_PLACE)
        sealed.append({"digest": digest, "at": at, "event_sealed": body})
    await store(database, {"agent_states": states, "call_events": sealed})

    found = await tabulate(FACT_REPORTS["agents"], on_sqlite, by=("agent", "reason"))

    # The second lunch has no end: it is counted, and nobody knows for how long.
    pauses = {(row["agent"], row["reason"]): (row["pauses"], row["pause_minutes"]) for row in found if row["pauses"]}
    assert pauses == {("kim", None): (1, 10.0), ("1002", "lunch"): (2, 60.0)}
