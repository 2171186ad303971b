"""Deadlines of cases as they are kept: promises, the policy book, orders that wait to be sent. On both databases."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, event, insert, select, update

from hub.core.contract import Feed, Reading
from hub.core.model import InquiryKind, LineStatus
from hub.policy.book import encode
from hub.policy.book_rows import ClockRow, DayKind, DayRow, PolicyTables, TargetRow
from hub.policy.clock_file import standard_clocks
from hub.policy.due import CaseKind, Due, Since
from hub.store.books import BookKind, write_version
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import cases, claims, promises
from hub.sync.cases import NEVER, refresh_case_dues
from hub.sync.ingest import Ingest
from hub.sync.recount import find_uncounted, recount
from tests.desk.invented import NOW, Rig, claim, inquiry, line, open_rig, order

COUNTRIES = {"alpha": "KR", "japan": "JP"}


@pytest.fixture
async def rig(tmp_path: Path, database_url: str):
    rig = await open_rig(tmp_path, database_url)
    yield rig
    await rig.database.aclose()


async def dues(rig: Rig, case_id: int) -> list[tuple[str, datetime]]:
    query = select(cases.c.due_all, cases.c.due_at, cases.c.due_cause).where(cases.c.id == case_id)
    async with rig.database.reading() as connection:
        row = (await connection.execute(query)).one()
    found = msgspec.json.decode(row.due_all, type=list[Due])
    first = found[0] if found else None
    assert (row.due_at, row.due_cause) == ((to_ms(first.at), first.label_key) if first else (NEVER, None))
    return [(due.label_key, due.at) for due in found]


async def promise(rig: Rig, case_id: int, *, hours: float, state: str = "open", to_whom: str = "customer") -> int:
    row_id = new_id()
    values = {
        "id": row_id, "case_id": case_id, "what_sealed": b"x", "to_whom": to_whom, "channel": "call",
        "due_at": to_ms(NOW + timedelta(hours=hours)), "state": state, "made_at": to_ms(NOW),
    }  # fmt: skip
    async with rig.database.writing() as connection:
        await connection.execute(insert(promises), values)
        await refresh_case_dues(rig.database, connection, case_id, countries=COUNTRIES, now=NOW, clocks=())
    return row_id


async def a_cancel(rig: Rig) -> int:
    await rig.write("alpha-main", order("A-1", claims=(claim("A-1", "A-1-1"),)))
    return await rig.case_id("alpha-main", order_no="A-1")


async def test_an_open_promise_is_among_the_deadlines_and_bites_first(rig: Rig):
    case_id = await a_cancel(rig)
    before = await dues(rig, case_id)

    await promise(rig, case_id, hours=4)
    await promise(rig, case_id, hours=2, to_whom="partner")
    await promise(rig, case_id, hours=1, state="kept")

    assert await dues(rig, case_id) == [
        ("due.promise.other", NOW + timedelta(hours=2)),
        ("due.promise.customer", NOW + timedelta(hours=4)),
        *before,
    ]


async def test_a_promise_survives_what_the_mall_shows_next_and_goes_when_it_is_kept(rig: Rig):
    case_id = await a_cancel(rig)
    kept = await promise(rig, case_id, hours=4)

    await a_cancel(rig)
    await rig.write("alpha-main", order("A-1", claims=(claim("A-1", "A-1-1", quantity=1),)))
    assert (await dues(rig, case_id))[0][0] == "due.promise.customer"
    async with rig.database.writing() as connection:
        await connection.execute(update(promises).where(promises.c.id == kept).values(state="kept"))
        await refresh_case_dues(rig.database, connection, case_id, countries=COUNTRIES, now=NOW, clocks=())

    assert "due.promise.customer" not in dict(await dues(rig, case_id))


async def test_an_inquiry_keeps_its_promise_too_and_its_assignee(rig: Rig):
    await rig.write("alpha-main", inquiry("Q-1", "언제 오나요?", kind=InquiryKind.PRODUCT_INQUIRY))
    case_id = await rig.case_id("alpha-main", thread_no="Q-1")
    async with rig.database.writing() as connection:
        await connection.execute(update(cases).values(assignee_id=7))

    await promise(rig, case_id, hours=-1)

    assert (await dues(rig, case_id))[0][0] in {"due.promise.customer", "due.target.answer"}
    assert dict(await dues(rig, case_id))["due.promise.customer"] == NOW - timedelta(hours=1)
    async with rig.database.reading() as connection:
        assert await connection.scalar(select(cases.c.assignee_id)) == 7


async def test_a_case_that_is_gone_is_no_error(rig: Rig):
    async with rig.database.writing() as connection:
        await refresh_case_dues(rig.database, connection, 1, countries=COUNTRIES, now=NOW)


async def test_a_question_about_an_order_that_waits_has_the_laws_and_the_malls_clock(rig: Rig):
    await ingest(
        rig, order("A-1", line("A-1-1", planned_ship_at=NOW + timedelta(days=9))), inquiry("Q-1", "?", order_no="A-1")
    )
    await ingest(rig, order("A-2", line("A-2-1", status=LineStatus.DELIVERED)), inquiry("Q-2", "?", order_no="A-2"))

    waiting = dict(await dues(rig, await rig.case_id("alpha-main", thread_no="Q-1")))
    # Paid on Wednesday the 18th.
    assert waiting["due.law.supply"] == datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)
    assert waiting["due.mall.dispatch"] == datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)
    assert waiting["due.promise.planned_ship"] == datetime(2026, 11, 29, 14, 59, 59, tzinfo=UTC)
    assert set(dict(await dues(rig, await rig.case_id("alpha-main", thread_no="Q-2")))) == {"due.target.answer"}


async def test_a_question_about_reserved_goods_has_the_malls_day_as_long_as_nothing_else_waits(rig: Rig):
    reserved = {"is_reserved": True, "sendable_from": NOW + timedelta(days=20)}
    await ingest(rig, order("A-1", line("A-1-1", **reserved)), inquiry("Q-1", "?", order_no="A-1"))
    both = order("A-2", line("A-2-1", **reserved), line("A-2-2"))
    await ingest(rig, both, inquiry("Q-2", "?", order_no="A-2"))
    await ingest(rig, order("A-3", line("A-3-1", is_reserved=True)), inquiry("Q-3", "?", order_no="A-3"))

    found = [dict(await dues(rig, await rig.case_id("alpha-main", thread_no=f"Q-{number}"))) for number in (1, 2, 3)]

    answer = found[2].pop("due.target.answer")
    assert found == [
        {"due.target.answer": answer, "due.mall.reserved": datetime(2026, 12, 10, 14, 59, 59, tzinfo=UTC)},
        {
            "due.target.answer": answer,
            "due.law.supply": datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC),
            "due.mall.dispatch": datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC),
        },
        {},
    ]


async def ingest(rig: Rig, *records) -> None:
    shop = rig.shops["alpha-main"]
    clocks = tuple(
        msgspec.structs.replace(clock, mall="alpha") for clock in standard_clocks() if clock.mall == "smartstore"
    )
    keeper = Ingest(rig.database, shop=shop, manifest=rig.registry.manifest("alpha"), clocks=clocks)
    readings = [
        Reading(key=getattr(record, "order_no", None) or record.inquiry_no, raw=b"{}", record=record)
        for record in records
    ]
    async with rig.database.writing() as connection:
        await keeper.page(connection, readings, feed=Feed.ORDERS, now=NOW)


async def write_book(rig: Rig, tables: PolicyTables | str, *, based_on: int = 0) -> None:
    body = tables if isinstance(tables, str) else encode(tables)
    await write_version(rig.database, BookKind.POLICY, body, based_on=based_on, source="test", now=NOW)


async def test_the_policy_books_clocks_and_aims_hold_as_soon_as_they_are_in_force(rig: Rig):
    case_id = await a_cancel(rig)
    clock = ClockRow(mall="alpha", shop="alpha-main", kinds=(CaseKind.CANCEL,), since=Since.OPENED, business_days=0)
    target = TargetRow(shop="alpha-main", claim_business_days=4)
    await write_book(rig, PolicyTables(clocks=(clock,), targets=(target,)))

    await a_cancel(rig)
    await rig.write("alpha-main", order("A-1", claims=(claim("A-1", "A-1-1", quantity=1),)))

    found = await dues(rig, case_id)
    assert found[0][1] == datetime(2026, 11, 20, 14, 59, 59, tzinfo=UTC)
    assert found[0][0].startswith("due.mall.")
    assert dict(found)["due.target.claim"] == datetime(2026, 11, 26, 14, 59, 59, tzinfo=UTC)


async def test_a_book_that_cannot_be_read_stops_no_sync(rig: Rig):
    await write_book(rig, '{"colours": []}')

    case_id = await a_cancel(rig)

    assert dict(await dues(rig, case_id))["due.target.claim"] == datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)


async def test_a_page_of_many_cases_asks_no_more_than_one_of_few(rig: Rig):
    """Promises and rules are read once for a page, not once for a case."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(rig.database.engine.sync_engine, "before_cursor_execute", note)
    counts = []
    for number in (2, 60):
        seen.clear()
        await ingest(rig, *(inquiry(f"Q-{number}-{each}", "?", order_no=f"A-{each}") for each in range(number)))
        counts.append(len(seen))

    assert counts[0] == counts[1]


def aim(days: int) -> PolicyTables:
    return PolicyTables(targets=(TargetRow(claim_business_days=days, order_inquiry_minutes=0),))


async def last_aims(rig: Rig) -> set[datetime | None]:
    query = select(cases.c.due_all).where(cases.c.is_open)
    async with rig.database.reading() as connection:
        rows = [msgspec.json.decode(text, type=list[Due]) for text in await connection.scalars(query)]
    return {next((due.at for due in row if due.label_key.startswith("due.target.")), None) for row in rows}


async def test_a_new_book_counts_the_open_cases_anew_and_leaves_the_ended_alone(rig: Rig):
    open_id = await a_cancel(rig)
    await rig.write("alpha-main", inquiry("Q-1", "?"), inquiry("Q-2", "?", answer="!", answered_at=NOW))
    await rig.write("japan-main", order("J-1", claims=(claim("J-1", "J-1-1"),)))
    await promise(rig, open_id, hours=4)
    async with rig.database.writing() as connection:
        await connection.execute(update(cases).values(assignee_id=7))
    await write_book(rig, aim(4))
    later = NOW + timedelta(minutes=2)

    found = await find_uncounted(rig.database, now=later)
    assert found is not None
    assert (found.version, len(found.shop_ids), found.is_final) == (1, 2, True)
    assert await recount(rig.database, countries=COUNTRIES, now=later) == 3

    kept = await dues(rig, open_id)
    assert dict(kept)["due.target.claim"] == datetime(2026, 11, 26, 14, 59, 59, tzinfo=UTC)
    assert dict(kept)["due.promise.customer"] == NOW + timedelta(hours=4)
    assert await dues(rig, await rig.case_id("alpha-main", thread_no="Q-1")) == []
    async with rig.database.reading() as connection:
        assert set(await connection.scalars(select(cases.c.assignee_id))) == {7}
        ended = select(cases.c.updated_at).where(cases.c.thread_no == "Q-2")
        assert await connection.scalar(ended) == to_ms(NOW)
    assert await recount(rig.database, countries=COUNTRIES, now=later) == 0


async def test_counting_anew_goes_on_where_it_stopped_and_asks_as_often_for_many_as_for_few(rig: Rig, monkeypatch):
    monkeypatch.setattr("hub.sync.recount.BATCH", 50)
    orders = [order(f"A-{each}", claims=(claim(f"A-{each}", f"A-{each}-1"),)) for each in range(120)]
    await ingest(rig, *orders)
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(rig.database.engine.sync_engine, "before_cursor_execute", note)
    counts = []
    for version, most in ((0, 2), (1, 50)):
        await write_book(rig, aim(4 + version), based_on=version)
        seen.clear()
        assert await recount(rig.database, countries=COUNTRIES, now=NOW + timedelta(hours=1), most=most) == most
        counts.append(len(seen))
    assert counts[0] == counts[1]

    later = NOW + timedelta(hours=2)
    await write_version(rig.database, BookKind.POLICY, encode(aim(9)), based_on=2, source="test", now=later)
    assert await recount(rig.database, countries=COUNTRIES, now=later + timedelta(hours=1), most=70) == 70
    assert len(await last_aims(rig)) > 1
    assert await recount(rig.database, countries=COUNTRIES, now=later + timedelta(hours=1)) == 50
    assert len(await last_aims(rig)) == 1


async def test_an_open_case_that_the_mall_shows_no_more_is_not_counted_for_ever(rig: Rig):
    await a_cancel(rig)
    async with rig.database.writing() as connection:
        await connection.execute(delete(claims))
    await write_book(rig, aim(4))
    later = NOW + timedelta(minutes=2)

    assert await recount(rig.database, countries=COUNTRIES, now=later) == 1
    assert await recount(rig.database, countries=COUNTRIES, now=later) == 0


async def test_without_a_book_nothing_is_counted_anew(rig: Rig):
    await a_cancel(rig)

    assert await recount(rig.database, countries=COUNTRIES, now=NOW + timedelta(days=1)) == 0


async def test_the_books_days_move_the_clocks_of_the_cases(rig: Rig):
    case_id = await a_cancel(rig)
    before = dict(await dues(rig, case_id))
    holiday = DayRow(kind=DayKind.HOLIDAY, on=datetime(2026, 11, 23, tzinfo=UTC).date(), country="KR")
    closed = DayRow(kind=DayKind.CLOSED, on=datetime(2026, 11, 24, tzinfo=UTC).date(), shop="alpha-main")
    await write_book(rig, PolicyTables(days=(holiday, closed)))

    await recount(rig.database, countries=COUNTRIES, now=NOW + timedelta(minutes=2))

    after = dict(await dues(rig, case_id))
    # Opened on Friday the 20th: the holiday moves both, the closed day our own aim alone.
    assert before["due.target.claim"] == datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)
    assert after["due.target.claim"] == datetime(2026, 11, 25, 14, 59, 59, tzinfo=UTC)
    assert after["due.law.refund"] - before["due.law.refund"] == timedelta(days=1)


async def test_open_cases_are_counted_anew_on_the_day_on_which_a_row_begins_and_after_its_last(rig: Rig):
    await a_cancel(rig)
    first, last = date(2026, 11, 24), date(2026, 11, 25)
    rows = (
        TargetRow(claim_business_days=4),
        TargetRow(shop="alpha-main", claim_business_days=9, valid_from=first, valid_to=last),
    )
    await write_book(rig, PolicyTables(targets=rows))
    in_seoul = datetime(2026, 11, 23, 15, tzinfo=UTC)  # the 24th begins

    minute = timedelta(minutes=1)
    aims, counted = [], []
    for at in (NOW + minute, in_seoul - minute, in_seoul + minute, in_seoul + timedelta(days=2) + minute):
        counted.append(await recount(rig.database, countries=COUNTRIES, now=at))
        aims += [each and each.date() for each in await last_aims(rig)]

    assert counted == [1, 0, 1, 1]
    assert aims == [date(2026, 11, 26), date(2026, 11, 26), date(2026, 12, 3), date(2026, 11, 26)]
    after = in_seoul + timedelta(days=3)
    found = await find_uncounted(rig.database, now=after)
    assert found is not None
    assert (found.shop_ids, found.is_final) == ((), True)
