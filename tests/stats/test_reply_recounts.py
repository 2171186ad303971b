"""Replies and on-time on made-up questions, beside a plain recount that asks the policy for each of them."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from hub.policy.calendar import BusinessCalendar
from hub.policy.due import CaseFacts, CaseKind, due_dates
from hub.stats.facts import Counted, first_behind, rank, tabulate
from hub.stats.on_time import ON_TIME
from hub.stats.replies import REPLIES
from hub.stats.rules_then import RulesThen, read_rules_then
from hub.store.database import Database
from tests.stats.test_service_recounts import NOW, SHOPS, SINCE, UNTIL, WEEK, Rows, fill, made_up
from tests.stats.worked import COUNTRIES, SEOUL

BOOKS = (
    (datetime(2026, 6, 10, 15, tzinfo=UTC), '{"targets":[{"order_inquiry_minutes":60,"opens":600}]}'),
    (
        datetime(2026, 6, 20, 4, 30, tzinfo=UTC),
        (
            '{"targets":[{"mall":"cafe24","order_inquiry_minutes":90},{"product_inquiry_minutes":30,"closes":1200}],'
            '"days":[{"kind":"closed","on":"2026-06-23"},{"kind":"opened","on":"2026-06-27"}],'
            '"clocks":[{"mall":"cafe24","kinds":["order_inquiry"],"since":"opened_at","business_days":1}]}'
        ),
    ),
)
#: a clock that minds the hour of each question
BY_THE_HOUR = (
    datetime(2026, 6, 24, tzinfo=UTC),
    '{"clocks":[{"mall":"qoo10","kinds":["product_inquiry"],"since":"opened_at","hours":24}]}',
)


def asked_and_answered(books: tuple[tuple[datetime, str], ...]) -> Rows:
    rows = made_up(424)
    random = Random(7)
    rows["inquiries"] = [
        each | {"state": "answered", "vanished_at": None if number % 5 else NOW}
        for number, each in enumerate(rows["inquiries"])
    ]
    taken_back = [{"id": each["id"], "subject_id": each["id"]} for each in random.sample(rows["inquiries"], 5)]
    seen = {"subject": "inquiry", "from_status": "answered", "to_status": "unanswered", "shop_id": 1}
    rows["status_changes"] = [change | seen for change in taken_back]
    rows["rule_books"] = [
        {"id": version, "kind": "policy", "version": version, "body": body, "created_at": at}
        for version, (at, body) in enumerate(books, start=1)
    ]
    return rows


@pytest.fixture(params=[BOOKS, (*BOOKS, BY_THE_HOUR)], ids=["by day", "by the hour"])
def rows(request: pytest.FixtureRequest) -> Rows:
    return asked_and_answered(request.param)


@pytest.fixture
async def counted(database: Database, rows: Rows) -> Counted:
    await fill(database, rows)
    return Counted(database=database, zone=SEOUL, now=NOW, since=SINCE, until=UNTIL, countries=COUNTRIES)


def opening_minutes(calendar: BusinessCalendar, start: datetime, end: datetime, opens: int, closes: int) -> int:
    spent, day = timedelta(), calendar.day_of(start)
    while day <= calendar.day_of(end):
        if calendar.is_business_day(day):
            midnight = datetime.combine(day, time(), SEOUL)
            first, last = midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)
            spent += max(min(end, last) - max(start, first), timedelta())
        day += timedelta(days=1)
    return spent // timedelta(minutes=1)


def replied(rows: Rows, rules: RulesThen) -> dict[tuple[str, date], dict[str, Any]]:
    taken_back = {change["subject_id"] for change in rows["status_changes"]}
    cells: dict[tuple[str, date], list[tuple[Any, ...]]] = {}
    for each in rows["inquiries"]:
        asked, answered = each["asked_at"], each["answered_at"]
        if not SINCE <= asked < UNTIL:
            continue
        thread = [
            other["asked_at"]
            for other in rows["inquiries"]
            if (other["shop_id"], other["thread_no"]) == (each["shop_id"], each["thread_no"]) and other is not each
        ]
        is_back = each["id"] in taken_back
        is_back = is_back or any(answered and answered < other <= answered + WEEK for other in thread)
        mall, then = SHOPS[each["shop_id"]][1], rules.at(each["shop_id"], asked)
        assert then is not None
        hours = (then.targets.opens, then.targets.closes)
        calendar = then.days.of_shop(COUNTRIES[mall])
        spent = (answered - asked) // timedelta(minutes=1) if answered else None
        in_hours = opening_minutes(calendar, asked, answered, *hours) if answered else None
        cells.setdefault((mall, asked.astimezone(SEOUL).date()), []).append((spent, in_hours, is_back))
    return {key: figures(found) for key, found in cells.items()}


def figures(found: list[tuple[Any, ...]]) -> dict[str, Any]:
    answered = [each for each in found if each[0] is not None]
    spent, in_hours = (Counter(each[place] for each in answered) for place in (0, 1))
    return {
        "asked": len(found),
        "answered": len(answered),
        "first_response_median": rank(spent, 50),
        "first_response_mean": round(sum(spent.elements()) / len(answered), 1) if answered else None,
        "first_response_p90": rank(spent, 90),
        "business_response_median": rank(in_hours, 50),
        "business_response_p90": rank(in_hours, 90),
        "reopened": sum(each[2] for each in found),
        "reopen_share": round(sum(each[2] for each in answered) / len(answered), 4) if answered else None,
    }


def run_out(rows: Rows, rules: RulesThen) -> Counter[tuple[str, str, str, str, date]]:
    found: Counter[tuple[str, str, str, str, date]] = Counter()
    for each in rows["inquiries"]:
        shop, mall = SHOPS[each["shop_id"]]
        if each["vanished_at"] and not each["answered_at"]:
            continue
        then = rules.at(each["shop_id"], each["asked_at"])
        assert then is not None
        facts = CaseFacts(
            kind=CaseKind(each["kind"]), mall=mall, shop=shop, country=COUNTRIES[mall], opened_at=each["asked_at"]
        )
        for due in due_dates(facts, clocks=then.clocks, targets=then.targets, days=then.days):
            if SINCE <= due.at < UNTIL and each["asked_at"] < UNTIL:
                answered = each["answered_at"]
                state = "on_time" if answered and answered <= due.at else "late"
                found[mall, each["kind"], due.cause, state, due.at.astimezone(SEOUL).date()] += 1
    return found


async def test_replies_and_clocks_agree_with_the_policy_asked_for_each(counted: Counted, rows: Rows):
    rules = await read_rules_then(counted)
    assert (rules.day_offset(NOW) is None) == (len(rows["rule_books"]) == 3)

    for way in (REPLIES, msgspec.structs.replace(REPLIES, read_alike=None)):
        by_day = await tabulate(way, counted, by=("mall", "day"))
        named = {(row.pop("mall"), date.fromisoformat(row.pop("day"))): row for row in by_day}
        assert named == replied(rows, rules)
    for way in (ON_TIME, msgspec.structs.replace(ON_TIME, read_alike=None)):
        by_day = await tabulate(way, counted, by=("mall", "channel", "cause", "day"))
        ended = {
            (row["mall"], row["channel"], row["cause"], name, date.fromisoformat(row["day"])): row[name]
            for row in by_day
            for name in ("on_time", "late")
            if row[name]
        }
        assert ended == run_out(rows, rules)
        assert sum(row["due"] for row in by_day) == sum(ended.values())

    for report, name, where in (
        (REPLIES, "business_response_median", {"mall": "cafe24"}),
        (REPLIES, "reopened", {"channel": "order_inquiry"}),
        (ON_TIME, "late", {"cause": "target"}),
    ):
        total, first = await first_behind(report, counted, measure=report.measure(name), where=where, most=3)
        plain = msgspec.structs.replace(report, read_alike=None)
        assert (total, first) == await first_behind(plain, counted, measure=plain.measure(name), where=where, most=3)
        assert total >= len(first) == 3
