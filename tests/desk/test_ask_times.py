"""Minutes count while the contact is open; what is shown of its speed is what its newest answers took."""

import math
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk.asks.times import LOOK_BACK, NEWEST, Speed, after_open_minutes, open_minutes, read_speeds
from hub.desk.asks.views import AskBody, seal_body
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import asks
from routing.contacts import Absence, Contact, Hours, Period, Role, open_now
from tests.desk.invented import NOW, Rig

_WEEKDAYS = ((Period(540, 720), Period(780, 1080)),) * 5 + ((), ())


def _contact(**more: Any) -> Contact:
    given_: dict[str, Any] = {"hours": Hours(week=_WEEKDAYS, country="KR")}
    return Contact(key="k", name="윤하늘", role=Role.LOGISTICS, **(given_ | more))


def _seoul(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+09:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-11-20 10:00", "2026-11-20 10:22", 22),
        ("2026-11-20 11:50", "2026-11-20 13:15", 25),
        ("2026-11-20 17:50", "2026-11-23 09:10", 20),
        ("2026-11-21 10:00", "2026-11-21 20:00", 0),
        ("2026-11-20 12:10", "2026-11-20 12:50", 0),
        ("2026-02-13 17:00", "2026-02-19 09:30", 60 + 30),
        ("2026-11-20 10:00", "2026-11-20 09:00", 0),
    ],
    ids=["in hours", "lunch", "weekend", "all closed", "in the lunch", "over 설날", "backwards"],
)
def test_minutes_of_opening(start: str, end: str, minutes: int):
    assert open_minutes(_contact(), _seoul(start), _seoul(end)) == minutes


def test_days_of_absence_do_not_count():
    away = _contact(absences=(Absence(since=date(2026, 11, 23), until=date(2026, 11, 24)),))

    assert open_minutes(away, _seoul("2026-11-20 17:30"), _seoul("2026-11-25 09:15")) == 45
    assert after_open_minutes(away, _seoul("2026-11-20 17:30"), 45) == _seoul("2026-11-25 09:15")


def test_unknown_hours_count_as_open_and_a_contact_that_never_opens_is_never_late():
    assert open_minutes(_contact(hours=None), NOW, NOW + timedelta(hours=10)) == 600
    assert open_minutes(None, NOW, NOW + timedelta(hours=10)) == 600
    assert after_open_minutes(_contact(hours=None), NOW, 60) == NOW + timedelta(hours=1)
    assert after_open_minutes(_contact(hours=Hours(week=((),) * 7)), NOW, 1) is None


@given(start=st.integers(0, 500 * 24 * 60), minutes=st.integers(1, 3000))
def test_a_time_after_so_many_minutes_is_so_many_minutes_away(start: int, minutes: int):
    contact, at = _contact(), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)

    end = after_open_minutes(contact, at, minutes)

    assert end is not None
    assert open_minutes(contact, at, end) == minutes
    assert open_now(contact, end - timedelta(minutes=1))


async def _ask(rig: Rig, case_id: int, contact: str, *, took: int | None, ago: timedelta, **more: Any) -> None:
    asked_at = NOW - ago
    values = {
        "id": new_id(),
        "case_id": case_id,
        "contact_key": contact,
        "contact_name": contact,
        "organisation": "예시물류",
        "role": "logistics",
        "matter": "defect",
        "channel": "mail",
        "text_sealed": seal_body(rig.database.box, AskBody(language="ko", subject="s", text="t")),
        "state": "escalated" if took is None else "answered",
        "asked_at": to_ms(asked_at),
        "answered_at": None if took is None else to_ms(asked_at + timedelta(minutes=took + 1)),
        "answer_minutes": took,
    }
    async with rig.database.writing() as connection:
        await connection.execute(asks.insert().values(**(values | more)))


async def _speeds(rig: Rig, *keys: str) -> tuple[dict[str, Speed], dict[str, Speed]]:
    async with rig.database.reading() as connection:
        return await read_speeds(connection, keys=keys, organisations=["예시물류"], now=NOW)


def _rank(values: list[int], percent: int) -> int:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


@pytest.mark.parametrize("many", [1, 2, 9, 10, 11, 14])
async def test_median_and_p90_are_nearest_ranks_of_each_contact_and_of_its_organisation(sample: Rig, many: int):
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    chance = random.Random(many)
    took = {key: [chance.randrange(300) for _ in range(many)] for key in ("hanul", "byul")}
    for key, values in took.items():
        for number, minutes in enumerate(values):
            await _ask(sample, case_id, key, took=minutes, ago=timedelta(days=number))
    await _ask(sample, case_id, "hanul", took=None, ago=timedelta(days=1))
    await _ask(sample, case_id, "hanul", took=0, ago=timedelta(days=1), state="withdrawn")

    of_contact, of_organisation = await _speeds(sample, "hanul", "byul", "nobody")

    assert of_contact == {
        key: Speed(
            median=_rank(values, 50), p90=_rank(values, 90), answered=many, unanswered=1 if key == "hanul" else 0
        )
        for key, values in took.items()
    }
    both = took["hanul"] + took["byul"]
    assert of_organisation == {
        "예시물류": Speed(median=_rank(both, 50), p90=_rank(both, 90), answered=2 * many, unanswered=1)
    }


async def test_a_call_answered_on_the_spot_and_an_old_question_do_not_count(sample: Rig):
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    await _ask(sample, case_id, "hanul", took=50, ago=timedelta(days=2))
    await _ask(sample, case_id, "hanul", took=5, ago=LOOK_BACK + timedelta(days=1))
    await _ask(
        sample,
        case_id,
        "hanul",
        took=0,
        ago=timedelta(days=1),
        channel="call",
        answered_at=to_ms(NOW - timedelta(days=1)),
    )

    of_contact, _ = await _speeds(sample, "hanul")

    assert of_contact == {"hanul": Speed(median=50, p90=50, answered=1, unanswered=0)}


async def test_only_the_newest_questions_of_a_contact_count(sample: Rig):
    case_id = await sample.case_id("alpha-main", order_no="A-2")
    for number in range(NEWEST + 20):
        await _ask(sample, case_id, "hanul", took=10 if number < NEWEST else 999, ago=timedelta(minutes=number))

    of_contact, _ = await _speeds(sample, "hanul")

    assert of_contact["hanul"] == Speed(median=10, p90=10, answered=NEWEST, unanswered=0)
