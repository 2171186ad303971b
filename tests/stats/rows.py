"""Made-up shops, inquiries and calls, stored directly and counted once they stand there."""

from datetime import UTC, datetime
from random import Random

from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.rollups import recount
from hub.store.tables import calls as calls_table
from hub.store.tables import cases, feed_states, inquiries, shops
from hub.sync.calls import CallImport
from ivr.calls import Call, CallResult
from ivr.routes import Routes

MALLS = ("cafe24", "smartstore", None)
LINES = ("order", "inquiry", None)


def random_call(random: Random, number: int, *, first: int, last: int) -> Call:
    """One call; milliseconds, because no more is stored."""
    result = random.choice([*CallResult, CallResult.ANSWERED, CallResult.ABANDONED_QUEUE, None])
    mall = random.choice(MALLS)
    return Call(
        call_id=f"pbx-{number}.{random.randrange(9)}",
        did=random.choice(["07000001001", None]),
        mall=mall,
        line=random.choice(LINES) if mall else None,
        chosen_line=random.choice(LINES),
        handling_line=random.choice(LINES) if result is CallResult.ANSWERED else None,
        topic=random.choice(["order", "inquiry", "delivery", None]),
        result=result,
        reason=None,
        entered_at=random.randrange(first * 1000, last * 1000) / 1000,
        wait_seconds=random.choice([None, 3.5, 40.0]),
        talk_seconds=random.choice([None, 120.25]),
        agent=random.choice([None, "agent1001"]),
        is_short_abandon=result is CallResult.ABANDONED_QUEUE and random.random() < 0.5,
        is_transferred_out=result is CallResult.ANSWERED and random.random() < 0.3,
        caller=random.choice(["01012345678", ""]),
    )


def random_calls(seed: int, count: int, *, since: datetime, until: datetime) -> list[Call]:
    random = Random(seed)
    first, last = int(since.timestamp()), int(until.timestamp())
    return [random_call(random, number, first=first, last=last) for number in range(count)]


async def store_calls(database: Database, found: list[Call]) -> None:
    row = CallImport(database, Routes(timezone="Asia/Seoul", dids={}, queues={}))._row
    async with database.writing() as connection:
        await connection.execute(calls_table.insert(), [row(call) for call in found])
    await recount(database, at=0, started_by="hand")


async def store_shop(database: Database, name: str, mall: str, *, inquiries_as_of: datetime | None = None) -> int:
    shop_id = new_id()
    async with database.writing() as connection:
        await connection.execute(
            shops.insert().values(id=shop_id, name=name, mall=mall, credentials_sealed=b"-", created_at=0)
        )
        if inquiries_as_of:
            await connection.execute(
                feed_states.insert().values(shop_id=shop_id, feed="inquiries", data_as_of=to_ms(inquiries_as_of))
            )
    return shop_id


async def store_inquiries(database: Database, shop_id: int, asked: list[tuple[str, datetime]]) -> None:
    """One unanswered inquiry with its case per (kind, asked_at)."""
    rows, of_case = [], []
    for number, (kind, at) in enumerate(asked):
        thread = f"{shop_id}-{number}"
        rows.append(
            {
                "id": new_id(),
                "shop_id": shop_id,
                "inquiry_no": f"q{number}",
                "thread_no": thread,
                "kind": kind,
                "state": "unanswered",
                "raw_state": "N",
                "line_nos": "[]",
                "product_name": "=HYPERLINK(1)",
                "asked_at": to_ms(at),
                "is_public": False,
                "sealed": b"-",
                "content_hash": b"-",
                "first_seen_at": 0,
                "fetched_at": 0,
            }
        )
        of_case.append(
            {
                "id": new_id(),
                "shop_id": shop_id,
                "case_key": f"thread:{thread}",
                "kind": kind,
                "thread_no": thread,
                "is_open": True,
                "state": "unanswered",
                "opened_at": to_ms(at),
                "due_at": to_ms(datetime(9999, 12, 31, tzinfo=UTC)),
                "due_all": "[]",
                "updated_at": 0,
            }
        )
    async with database.writing() as connection:
        await connection.execute(inquiries.insert(), rows)
        await connection.execute(cases.insert(), of_case)
    await recount(database, at=0, started_by="hand")
