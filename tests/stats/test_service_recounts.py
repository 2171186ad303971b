"""The same reports on seeded random data, beside a plain recount that shares nothing with them.

The month has no public holiday in Korea or Japan, so that here a business day is a weekday.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import insert

from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.facts import Counted, tabulate
from hub.store.columns import metadata
from hub.store.database import Database
from tests.stats.worked import COUNTRIES, a_row

SEOUL = ZoneInfo("Asia/Seoul")
SINCE, UNTIL = datetime(2026, 6, 15, tzinfo=SEOUL), datetime(2026, 7, 1, tzinfo=SEOUL)
NOW = datetime(2026, 7, 8, 12, tzinfo=SEOUL)
DAY = timedelta(days=1)
WEEK = 7 * DAY
SHOPS = {1: ("a", "cafe24"), 2: ("q", "qoo10"), 3: ("s", "smartstore")}
PRODUCTS = ("찻잔", "그릇", "접시")
GROUP = {"defect": "product", "late": "delivery", "change_of_mind": "expectation", "other": None, "unknown": None}
Rows = dict[str, list[dict[str, Any]]]


def some(random: Random, *, often: float = 1.0) -> datetime | None:
    """A second of the weeks around the span."""
    if random.random() > often:
        return None
    return datetime(2026, 6, 8, tzinfo=SEOUL) + timedelta(seconds=random.randrange(30 * 86_400))


def after(random: Random, at: datetime | None, *, days: float, often: float = 1.0) -> datetime | None:
    if at is None or random.random() > often:
        return None
    return at + timedelta(seconds=random.randrange(round(days * 86_400)))


def made_up(seed: int) -> Rows:
    random = Random(seed)
    rows: Rows = {
        name: [] for name in ("shops", "orders", "order_twins", "order_lines", "claims", "inquiries", "calls")
    }
    rows["shops"] = [{"id": shop, "name": name, "mall": mall} for shop, (name, mall) in SHOPS.items()]
    for number in range(1, 71):
        shop, ordered = random.choice(list(SHOPS)), some(random)
        paid = after(random, ordered, days=1, often=0.9)
        phone = random.choice([None, f"p{number % 9}"])
        order = {"id": number, "shop_id": shop, "order_no": f"O{number}", "ordered_at": ordered, "paid_at": paid}
        rows["orders"].append(order | {"buyer_phone_idx": phone})
        if number % 13 == 0:
            rows["order_twins"].append({"order_id": number, "original_id": number - 1})
        for place in range(random.randrange(1, 4)):
            add_line(random, rows, order, f"L{place}")
    for number in range(1, 91):
        asked = some(random)
        order_no = random.choice([None, f"O{random.randrange(1, 71)}"])
        rows["inquiries"].append(
            {
                "id": number,
                "shop_id": random.choice(list(SHOPS)),
                "inquiry_no": f"I{number}",
                "thread_no": f"T{random.randrange(70)}",
                "kind": random.choice(["order_inquiry", "product_inquiry"]),
                "order_no": order_no,
                "asked_at": asked,
                "answered_at": after(random, asked, days=5, often=0.8),
                "writer_phone_idx": random.choice([None, f"p{random.randrange(20)}"]),
            }
        )
    for number in range(1, 61):
        result = random.choice(["answered", "answered", "abandoned_queue"])
        rows["calls"].append(
            {
                "call_id": f"c{number}",
                "entered_at": some(random),
                "result": result,
                "mall": random.choice(["cafe24", "qoo10"]),
                "line": "order",
                "caller_idx": random.choice([None, f"p{random.randrange(20)}"]),
                "wait_seconds": 10.0,
                "talk_seconds": 50.0 if result == "answered" else None,
            }
        )
    return rows


def add_line(random: Random, rows: Rows, order: dict[str, Any], line_no: str) -> None:
    status = random.choice(["paid", "preparing", "dispatched", "delivered", "cancelled", "pending_payment", "unknown"])
    sent = after(random, order["paid_at"], days=9, often=0.8) if status in ("dispatched", "delivered") else None
    line = {
        "id": len(rows["order_lines"]) + 1,
        "shop_id": order["shop_id"],
        "order_id": order["id"],
        "line_no": line_no,
        "status": status,
        "product_name": random.choice(PRODUCTS),
        "planned_ship_at": after(random, order["ordered_at"], days=6, often=0.3),
        "dispatched_at": sent,
        "replaces_line_no": "L9" if random.random() < 0.05 else None,
        "vanished_at": NOW if random.random() < 0.05 else None,
    }
    rows["order_lines"].append(line)
    if status == "cancelled" or random.random() < 0.6:
        requested = after(random, order["ordered_at"], days=8, often=0.95)
        collected = after(random, requested, days=5, often=0.5)
        state = random.choice(["done", "done", "collected", "requested", "rejected", "unknown"])
        rows["claims"].append(
            {
                "id": len(rows["claims"]) + 1,
                "shop_id": order["shop_id"],
                "claim_key": f"{order['order_no']}/{line_no}",
                "order_no": order["order_no"],
                "line_no": line_no,
                "kind": "cancel" if status == "cancelled" else random.choice(["cancel", "return", "exchange"]),
                "state": state,
                "reason": random.choice(list(GROUP)),
                "requested_at": requested,
                "collected_at": collected,
                "ended_at": after(random, collected or requested, days=8, often=0.9) if state == "done" else None,
                "first_seen_at": datetime(2026, 6, 20, tzinfo=SEOUL),
            }
        )


@pytest.fixture(scope="module")
def rows() -> Rows:
    return made_up(20260622)


@pytest.fixture
async def counted(database: Database, rows: Rows) -> Counted:
    await fill(database, rows)
    return Counted(database=database, zone=SEOUL, now=NOW, since=SINCE, until=UNTIL, countries=COUNTRIES)


async def fill(database: Database, rows: Rows) -> None:
    async with database.writing() as connection:
        for name, found in rows.items():
            full = [a_row(name, each) for each in found]
            columns = sorted({column for each in full for column in each})
            given = [{column: each.get(column) for column in columns} for each in full]
            await connection.execute(insert(metadata.tables[name]), given)


# ---------------------------------------------------------------- the plain recount


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=SEOUL)


def weekdays_after(at: datetime, number: int) -> datetime:
    day = at.astimezone(SEOUL).date()
    while number:
        day += DAY
        number -= day.weekday() < 5
    return end_of(day)


def week_after(at: datetime) -> datetime:
    day = at.astimezone(SEOUL).date() + WEEK
    while day.weekday() >= 5:
        day += DAY
    return end_of(day)


def originals(rows: Rows) -> dict[int, dict[str, Any]]:
    copies = {each["order_id"] for each in rows["order_twins"]}
    return {each["id"]: each for each in rows["orders"] if each["id"] not in copies}


def is_copy(rows: Rows, each: dict[str, Any]) -> bool:
    known = originals(rows)
    return any(
        order["order_no"] == each["order_no"] and order["shop_id"] == each["shop_id"] and order["id"] not in known
        for order in rows["orders"]
    )


def line_of(rows: Rows, claim: dict[str, Any]) -> dict[str, Any]:
    order_id = int(claim["order_no"][1:])
    return next(
        line for line in rows["order_lines"] if (line["order_id"], line["line_no"]) == (order_id, claim["line_no"])
    )


def refunds(rows: Rows) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for claim in rows["claims"]:
        mall, kind, state = SHOPS[claim["shop_id"]][1], claim["kind"], claim["state"]
        if kind == "exchange" or state == "rejected" or is_copy(rows, claim):
            continue
        needs_goods = kind == "return" or line_of(rows, claim)["dispatched_at"] is not None
        if needs_goods and claim["collected_at"] is None and state == "requested":
            continue
        started = claim["collected_at"] or (None if needs_goods else claim["requested_at"])
        due = weekdays_after(started, 3) if started and mall != "qoo10" else None
        at = due or claim["ended_at"] or claim["requested_at"] or claim["first_seen_at"]
        if not SINCE <= at < UNTIL:
            continue
        if mall == "qoo10":
            outcome = "no_clock"
        elif due is None or state == "unknown" or (state == "done" and claim["ended_at"] is None):
            outcome = "unknown"
        elif state == "done":
            outcome = "on_time" if claim["ended_at"] <= due else "late"
        else:
            outcome = "late" if due < NOW else "running"
        found[mall, kind, outcome] += 1
    return found


def dispatches(rows: Rows) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for line in rows["order_lines"]:
        order = originals(rows).get(line["order_id"])
        if order is None or line["status"] == "pending_payment" or line["replaces_line_no"]:
            continue
        mall, paid, planned = SHOPS[line["shop_id"]][1], order["paid_at"], line["planned_ship_at"]
        dues = []
        if mall != "qoo10":
            dues.append(("law", weekdays_after(paid, 3) if paid else week_after(order["ordered_at"])))
        if mall != "cafe24" and paid:
            dues.append(("mall", weekdays_after(paid, 3)))
        if planned:
            dues.append(("promise", end_of(planned.date())))
        for cause, due in dues:
            if SINCE <= due < UNTIL:
                found[mall, cause, dispatch_outcome(rows, line, due)] += 1
    return found


def dispatch_outcome(rows: Rows, line: dict[str, Any], due: datetime) -> str:
    if line["dispatched_at"] is not None:
        return "on_time" if line["dispatched_at"] <= due else "late"
    if line["vanished_at"] is not None:
        return "unknown"
    if line["status"] in ("paid", "preparing"):
        return "late" if due < NOW else "running"
    asked = [
        claim["requested_at"]
        for claim in rows["claims"]
        if claim["kind"] == "cancel" and claim["state"] != "rejected" and line_of(rows, claim) is line
    ]
    if line["status"] != "cancelled" or not asked or asked[0] is None:
        return "unknown"
    return "cancelled" if asked[0] <= due else "late"


def causes(rows: Rows) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for line in rows["order_lines"]:
        order = originals(rows).get(line["order_id"])
        if order and order["paid_at"] and SINCE <= order["paid_at"] < UNTIL:
            found.setdefault((SHOPS[line["shop_id"]][1], line["product_name"]), Counter())["paid_lines"] += 1
    for claim in rows["claims"]:
        if claim["requested_at"] and SINCE <= claim["requested_at"] < UNTIL and not is_copy(rows, claim):
            key = (SHOPS[claim["shop_id"]][1], line_of(rows, claim)["product_name"])
            cell = found.setdefault(key, Counter())
            cell["claims"] += 1
            cell[f"{GROUP[claim['reason']] or 'unknown'}_claims"] += 1
    return found


def first_contacts(rows: Rows) -> Counter[tuple[str, str]]:
    contacts = []
    for each in rows["inquiries"]:
        if is_copy(rows, each):
            continue
        order = next(
            (o for o in rows["orders"] if (o["order_no"], o["shop_id"]) == (each["order_no"], each["shop_id"])), {}
        )
        keys = {(each["shop_id"], each["thread_no"]), each["writer_phone_idx"], order.get("buyer_phone_idx")}
        keys |= {(each["shop_id"], each["order_no"])} if each["order_no"] else set()
        contacts.append(("inquiry", each["asked_at"], each["answered_at"], keys - {None}))
    for each in rows["calls"]:
        closed = each["entered_at"] + timedelta(minutes=1) if each["result"] == "answered" else None
        contacts.append(("call", each["entered_at"], closed, {each["caller_idx"]} - {None}))
    contacts.sort(key=lambda contact: contact[1])
    found: Counter[tuple[str, str]] = Counter()
    for place, (source, at, closed, keys) in enumerate(contacts):
        if not SINCE <= at < UNTIL:
            continue
        is_later = any(
            keys & other and at <= (answered or asked) + WEEK for _, asked, answered, other in contacts[:place]
        )
        until = (closed or at) + WEEK
        is_followed = any(keys & other and asked <= until for _, asked, _, other in contacts[place + 1 :])
        if not keys:
            outcome = "nobody"
        elif is_later:
            outcome = "later"
        elif closed is None:
            outcome = "unanswered"
        elif until >= NOW:
            outcome = "open"
        else:
            outcome = "followed" if is_followed else "resolved"
        found[source, outcome] += 1
    return found


# ---------------------------------------------------------------- side by side


async def test_refunds_dispatch_causes_and_first_contacts_agree_with_a_plain_recount(counted: Counted, rows: Rows):
    refunded = await tabulate(FACT_REPORTS["refunds"], counted, by=("mall", "kind", "outcome"))
    assert {(row["mall"], row["kind"], row["outcome"]): row["refunds"] for row in refunded} == refunds(rows)

    by_day = await tabulate(FACT_REPORTS["dispatch"], counted, by=("mall", "cause", "outcome", "day"))
    sent: Counter[tuple[str, str, str]] = Counter()
    for row in by_day:
        sent[row["mall"], row["cause"], row["outcome"]] += row["due"]
    assert sent == dispatches(rows)
    whole = await tabulate(FACT_REPORTS["dispatch"], counted, by=("mall", "cause", "outcome"))
    assert {(row["mall"], row["cause"], row["outcome"]): row["due"] for row in whole} == sent

    claimed = await tabulate(FACT_REPORTS["claim-causes"], counted, by=("mall", "product"))
    expected = causes(rows)
    assert {(row["mall"], row["product"]) for row in claimed} == set(expected)
    for row in claimed:
        cell = expected[row["mall"], row["product"]]
        names = ("claims", "paid_lines", "product_claims", "delivery_claims", "expectation_claims", "unknown_claims")
        assert {name: row[name] for name in names} == {name: cell[name] for name in names}

    contacted = await tabulate(FACT_REPORTS["first-contact"], counted, by=("source", "outcome"))
    assert {(row["source"], row["outcome"]): row["contacts"] for row in contacted} == first_contacts(rows)


def shifts(random: Random) -> tuple[Rows, dict[str, dict[str, int]]]:
    """States and talks of three agents in whole minutes, and what a clock that looks every minute sees of them."""
    rows: Rows = {"agent_states": [], "call_events": [], "calls": []}
    seen = {agent: Counter[str]() for agent in ("1001", "1002", "1003")}
    for agent, minutes in seen.items():
        for day in range(3):
            start = datetime(2026, 6, 17 + day, 9, tzinfo=SEOUL) + timedelta(minutes=random.randrange(60))
            signed_in, paused, talking, busy = True, False, 0, 0
            rows["agent_states"].append(_state(agent, start, "in", rows))
            for minute in range(8 * 60):
                at = start + timedelta(minutes=minute)
                if not talking and random.random() < 0.05:
                    paused = not paused
                    minutes["pauses"] += paused
                    rows["agent_states"].append(_state(agent, at, "paused" if paused else "back", rows))
                elif not talking and not paused and random.random() < 0.1:
                    talking = random.randrange(1, 9)
                    talk = [agent, "cafe24", "order", _ms(at), _ms(at + timedelta(minutes=talking))]
                    call = {"call_id": f"t{len(rows['calls'])}", "entered_at": at, "result": "answered"}
                    rows["calls"].append(call | {"talks": msgspec.json.encode([talk]).decode()})
                    minutes["calls"] += 1
                    minutes["talk_minutes"] += talking
                busy = 1 if talking else 0
                minutes["signed_in_minutes"] += signed_in
                minutes["pause_minutes"] += paused
                minutes["busy"] += busy
                talking = max(talking - 1, 0)
            # A talk that has begun is finished before he goes.
            minutes["signed_in_minutes"] += talking
            minutes["busy"] += talking
            rows["agent_states"].append(_state(agent, start + timedelta(minutes=8 * 60 + talking), "out", rows))
    rows["call_events"].append({"digest": "end", "at": NOW})
    return rows, {agent: dict(minutes) for agent, minutes in seen.items()}


def _state(agent: str, at: datetime, state: str, rows: Rows) -> dict[str, Any]:
    digest = f"s{len(rows['agent_states'])}"
    return {"digest": digest, "at": at, "agent": agent, "queue": "order", "line": "order", "state": state}


def _ms(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1000)


async def test_agents_agree_with_a_clock_that_looks_every_minute(sqlite_database: Database):
    rows, seen = shifts(Random(7))
    await fill(sqlite_database, rows)
    counted = Counted(database=sqlite_database, zone=SEOUL, now=NOW, since=SINCE, until=UNTIL, countries=COUNTRIES)

    found = {row["agent"]: row for row in await tabulate(FACT_REPORTS["agents"], counted, by=("agent",))}

    assert set(found) == set(seen)
    for agent, minutes in seen.items():
        for name in ("calls", "talk_minutes", "signed_in_minutes", "pauses", "pause_minutes"):
            assert found[agent][name] == pytest.approx(minutes[name]), (agent, name)
        ready = minutes["signed_in_minutes"] - minutes["pause_minutes"]
        assert found[agent]["occupancy"] == pytest.approx(minutes["busy"] / ready, abs=0.0005)
