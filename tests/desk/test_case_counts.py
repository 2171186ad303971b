"""Counts that all readers of a moment share are as exact as those that each of them would have made alone."""

import asyncio
import itertools
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import insert, update

from hub.desk.access import Actor
from hub.desk.worklist.case_counts import KEPT, KeptGroups, count_cases
from hub.desk.worklist.filters import Filters, KindGroup, View
from hub.desk.worklist.rows import read_worklist
from hub.store.database import to_ms
from hub.store.live import Topic, newest_event, publish
from hub.store.questions import ask_one
from hub.store.tables import cases, team_members, teams, users
from tests.desk.invented import NOW, Rig, new_case_row
from tests.statements import sent_to

_TEAM = 77


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def varied(sample: Rig, agent: Actor) -> Rig:
    """The sample and thirty cases: of a team or of none, somebody's or nobody's, asleep, back, overdue."""
    rows = []
    for number in range(30):
        row = new_case_row(sample, "alpha-main", number, due_at=(to_ms(NOW) or 0) + (number % 7 - 3) * 3_600_000)
        row |= {
            "kind": ("cancel", "return", "order_inquiry", "call", "a kind to come")[number % 5],
            "state": "hold" if number % 3 else "requested",
            "assignee_id": agent.user_id if number % 4 == 0 else None,
            "team_id": _TEAM if number % 2 else None,
            "snoozed_until": to_ms(NOW + timedelta(hours=1 if number % 6 else -1)) if number % 5 == 2 else None,
            "snoozed_at": to_ms(NOW - timedelta(hours=2)),
            "updated_at": to_ms(NOW - timedelta(hours=3)),
        }
        rows.append(row)
    async with sample.database.writing() as connection:
        row = {"id": agent.user_id, "login": agent.login, "name": agent.name, "role": agent.role.value, "locale": "ko"}
        row |= {"password_hash": "-", "is_active": True, "failed_logins": 0, "created_at": to_ms(NOW)}
        await connection.execute(insert(users).values(row))
        lists = dict.fromkeys(("malls", "kinds", "languages", "matters"), "[]")
        await connection.execute(
            insert(teams).values(id=_TEAM, name="일본", created_at=to_ms(NOW), is_dealt=False, **lists)
        )
        await connection.execute(insert(team_members).values(team_id=_TEAM, user_id=agent.user_id))
        await connection.execute(cases.insert(), rows)
    return sample


async def _length(rig: Rig, actor: Actor, filters: Filters) -> int:
    page = await read_worklist(rig, actor=actor, filters=filters)
    assert page.next_cursor is None
    return len(page.rows)


async def test_each_saved_view_has_the_count_of_its_list(varied: Rig, agent: Actor) -> None:
    some = list(
        itertools.product(
            View, (None, *KindGroup), (None, "alpha-main"), (None, "hold"), (None, agent.user_id), (None, _TEAM)
        )
    )
    chosen = [
        Filters(view=view, kind=kind, shop=shop, state=state, assignee=assignee, team=team)
        for view, kind, shop, state, assignee, team in Random(5).sample(some, 60)
    ] + [Filters(view=view) for view in View]

    counts = await count_cases(varied, actor=agent, saved=chosen)

    lengths = [await _length(varied, agent, filters) for filters in chosen]
    expected = [
        None if filters.view in {View.CLOSED, View.MENTIONED, View.SNOOZED} else length
        for filters, length in zip(chosen, lengths, strict=True)
    ]
    assert list(counts.saved) == expected
    assert sum(1 for count in expected if count) > 20
    for view, count in counts.views.items():
        assert count == await _length(varied, agent, Filters(view=view)), view


async def test_what_is_kept_is_counted_anew_with_news_and_after_a_moment(varied: Rig) -> None:
    clock = Clock()
    kept = KeptGroups(clock=clock)
    first = await kept.read(varied, newest=0)
    async with varied.database.writing() as connection:
        await connection.execute(update(cases).values(is_open=False))

    assert await kept.read(varied, newest=0) is first
    clock.seconds = KEPT
    assert await kept.read(varied, newest=0) == ()

    async with varied.database.writing() as connection:
        await connection.execute(update(cases).values(is_open=True))
        await publish(connection, Topic.CASES, ids=[], more=True)
    async with varied.database.reading() as connection:
        newest = await ask_one(connection, newest_event())
    assert sum(group.totals[View.OPEN] for group in await kept.read(varied, newest=newest)) > 0


async def test_many_who_ask_at_once_have_it_counted_once(varied: Rig) -> None:
    kept = KeptGroups(clock=Clock())

    with sent_to(varied.database) as statements:
        found = await asyncio.gather(*(kept.read(varied, newest=0) for _ in range(8)))

    assert all(groups is found[0] for groups in found)
    assert sum("GROUP BY" in statement for statement in statements) == 1
