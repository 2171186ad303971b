"""The question of the order line, counted by hand, and every count opened to its calls; both kinds of rows in one list."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hub.stats.arrivals import ArrivalFilter, all_arrivals, read_arrivals
from hub.stats.call_figures import Figure
from hub.stats.call_order import FIGURE_OF, NO_AGE, Assisted, Verdict, age_span, read_order_line, verdict_of
from hub.stats.calls import ABSENT, CallFilter, read_calls
from hub.stats.span import make_span
from hub.store.database import Database, to_ms
from hub.store.tables import calls, orders
from ivr.calls import Call, CallResult
from tests.stats.rows import random_calls, store_calls, store_inquiries, store_shop

SEOUL = ZoneInfo("Asia/Seoul")
OPENED = datetime(2026, 3, 1, 1, tzinfo=UTC)
SPAN = make_span(since=OPENED, until=OPENED + timedelta(days=60), zone=SEOUL)


def a_call(
    number: int, *, days: float, topic: str | None, mall: str | None = "cafe24", caller: str = "01012345678"
) -> Call:
    blank = random_calls(1, 1, since=OPENED, until=SPAN.until)[0]
    return msgspec.structs.replace(
        blank,
        call_id=f"o-{number}",
        mall=mall,
        line="order",
        topic=topic,
        result=CallResult.ANSWERED,
        entered_at=(OPENED + timedelta(days=days)).timestamp(),
        is_short_abandon=False,
        caller=caller,
    )


async def store_order(database: Database, shop_id: int, *, at: datetime, phone: str) -> None:
    async with database.reading() as connection:
        known = await connection.scalar(
            calls.select().with_only_columns(calls.c.caller_idx).where(calls.c.call_id == phone)
        )
    row = {"id": 1, "shop_id": shop_id, "order_no": "O1", "ordered_at": to_ms(at), "buyer_phone_idx": known}
    empty = {
        column.name: b"-" if "sealed" in column.name or "hash" in column.name else 0 if "_at" in column.name else ""
        for column in orders.c
        if not column.nullable and column.server_default is None and column.name not in row
    }
    async with database.writing() as connection:
        await connection.execute(orders.insert(), [{**empty, **row}])


async def test_calls_are_told_apart_by_the_age_of_the_mall_and_by_who_called(database: Database):
    shop = await store_shop(database, "a", "cafe24")
    help_, known = "order_help.web_error", "01000000001"
    await store_calls(
        database,
        [
            a_call(1, days=1, topic=help_),
            a_call(2, days=13.9, topic="order_help.prefers_phone", caller=""),
            a_call(3, days=14.1, topic=None),
            a_call(4, days=20, topic="order_help.cannot_use_web", caller=known),
            a_call(5, days=40, topic=help_, mall=None),
            # not answered, not on the order line, after the span
            msgspec.structs.replace(a_call(6, days=2, topic=help_), result=CallResult.ABANDONED_QUEUE),
            msgspec.structs.replace(a_call(7, days=2, topic=help_), line="inquiry"),
            a_call(8, days=61, topic=help_),
        ],
    )
    await store_order(database, shop, at=OPENED, phone="o-4")

    found = await read_order_line(database, span=SPAN)

    assert [(cell.mall, cell.age, cell.caller.value, *msgspec.structs.astuple(cell.calls)) for cell in found.cells] == [
        (None, NO_AGE, "new", 1, 1, 1),
        ("cafe24", "under_2w", "new", 1, 1, 1),
        ("cafe24", "under_2w", "withheld", 1, 1, 0),
        ("cafe24", "from_2w", "known", 1, 1, 1),
        ("cafe24", "from_2w", "new", 1, 0, 0),
    ]
    assert found.known_since == {"cafe24": OPENED}
    assert found.verdict is Verdict.TOO_FEW
    for cell in found.cells:
        within = age_span(cell.age, known_since=OPENED, span=SPAN) if cell.mall else (SPAN.since, SPAN.until)
        where = CallFilter(
            figure=Figure.ORDER_ASSIST, mall=cell.mall or ABSENT, line="order", caller=FIGURE_OF[cell.caller]
        )
        span = make_span(since=within[0], until=within[1], zone=SEOUL)
        assert (await read_calls(database, span=span, where=where)).total == cell.calls.assist


@pytest.mark.parametrize(
    ("new", "known", "verdict"),
    [
        ((400, 200), (400, 100), Verdict.NEW_TO_IT),
        ((400, 100), (400, 200), Verdict.KNOWN_TOO),
        ((4000, 1600), (4000, 1560), Verdict.KNOWN_TOO),
        ((40, 16), (40, 14), Verdict.UNCLEAR),
        ((400, 200), (29, 0), Verdict.TOO_FEW),
        ((0, 0), (0, 0), Verdict.TOO_FEW),
    ],
)
def test_the_answer_says_no_more_than_the_calls_do(new: tuple[int, int], known: tuple[int, int], verdict: Verdict):
    of_new, of_known = (Assisted(answered=answered, noted=answered, assist=assist) for answered, assist in (new, known))
    assert verdict_of(new=of_new, known=of_known) is verdict


async def test_inquiries_and_calls_stand_in_one_list_without_gap_or_double(database: Database):
    found = random_calls(9, 30, since=OPENED, until=OPENED + timedelta(days=2))
    await store_calls(database, found)
    asked = [("chat", OPENED + timedelta(hours=number)) for number in range(20)]
    await store_inquiries(database, await store_shop(database, "a", "cafe24"), asked)

    for where in (ArrivalFilter(), ArrivalFilter(mall="cafe24"), ArrivalFilter(clock_hour=12, weekday=0)):
        whole = [row async for row in all_arrivals(database, span=SPAN, where=where)]
        paged, cursor = [], None
        while True:
            page = await read_arrivals(database, span=SPAN, where=where, cursor=cursor, limit=7)
            paged += page.rows
            assert page.total == len(whole)
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        assert paged == whole
        assert [row.at for row in whole] == sorted(row.at for row in whole)
        assert len({(row.channel, row.reference) for row in whole}) == len(whole) > 0
    with pytest.raises(ValueError, match="not a cursor"):
        await read_arrivals(database, span=SPAN, where=ArrivalFilter(), cursor="nothing")
