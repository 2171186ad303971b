"""How many cases each link beside the list leads to.

Most of them are sums over groups of open cases (shops times kinds times teams), which are the same for every reader:
:class:`KeptGroups` counts these once for all who ask within a moment. What only one reader asks for is counted apart.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select, union_all

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.desk.worklist.filters import (
    GROUP_OF,
    READER,
    Filters,
    KindGroup,
    View,
    choosing,
    conditions,
    filter_parameters,
    moment_values,
    narrowing,
    open_and_awake,
    shape_of,
)
from hub.store.database import read_rows
from hub.store.live import newest_event
from hub.store.questions import Answer, Asking, Question, ask_one, asking
from hub.store.tables import cases, shops, team_members

#: seconds that counts may be old for which no news was told: of cases that became overdue meanwhile
KEPT: Final = 1.0
#: queries that are kept, the one used last the longest
_SHAPES: Final = 256
#: views of open cases that a group tells alike to every reader
_TOLD: Final = (View.OPEN, View.TODAY, View.OVERDUE, View.RISK, View.UNASSIGNED)
#: views that are lists of their own, not open cases that are awake
_APART: Final = (View.MENTIONED, View.SNOOZED)


class Counts(Struct, frozen=True, kw_only=True):
    """How many cases each link of the left pane leads to; open cases unless the name says otherwise."""

    views: dict[View, int]
    kinds: dict[KindGroup, int]
    shops: dict[str, int]
    malls: dict[str, int]
    teams: dict[int, int] = {}
    #: of own views, in their order; ``None`` where nothing is counted (closed cases, mentions, what sleeps)
    saved: tuple[int | None, ...] = ()


class Group(Struct, frozen=True, kw_only=True):
    """Open cases of one shop, kind and team that are awake, by the views that all readers share."""

    shop: str
    mall: str
    kind: str
    team_id: int | None
    totals: Mapping[View, int]


class KeptGroups:
    """The groups of one process, for all its readers.

    Whenever a sync tells news, every open screen asks for its counts at once. ``clock`` gives seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counting = asyncio.Lock()
        self._counted_at = -KEPT
        self._newest = -1
        self._groups: tuple[Group, ...] = ()

    async def read(self, services: Services, *, newest: int) -> tuple[Group, ...]:
        """As they were after ``newest``, the key of the newest event, and at most :data:`KEPT` seconds ago."""
        async with self._counting:
            if newest > self._newest or self._clock() >= self._counted_at + KEPT:
                # Before it is counted: what is written meanwhile is told by a later event.
                begun = self._clock()
                async with services.database.reading() as connection:
                    self._groups = await ask_one(connection, groups_at(services.now(), services.settings.zone))
                self._counted_at, self._newest = begun, newest
            return self._groups


class AskedCounts(Struct, frozen=True, kw_only=True):
    """For :func:`counts_of`: the key of the newest event, and what is the reader's own."""

    newest: Answer[int]
    own: Answer[Any]
    own_teams: Answer[set[int]]


async def count_cases(
    services: Services, *, actor: Actor, saved: Sequence[Filters] = (), kept: KeptGroups | None = None
) -> Counts:
    """``saved`` are own views; without ``kept`` everything is counted anew. Raises: ForbiddenError."""
    async with services.database.reading() as connection, asking(connection) as ask:
        asked = ask_counts(ask, services, actor=actor)
    return await counts_of(services, asked, actor=actor, saved=saved, kept=kept)


def ask_counts(ask: Asking, services: Services, *, actor: Actor) -> AskedCounts:
    """The first step of :func:`count_cases`, which raises what it does."""
    require(actor, Permission.WORK_CASES)
    own = _own(is_known=actor.user_id is not None)
    return AskedCounts(
        newest=ask(newest_event()),
        own=ask(Question(own, _moment(services, actor), lambda rows: rows[0])),
        own_teams=ask(Question(_TEAMS_OF, {"reader": actor.user_id}, _team_ids)),
    )


async def counts_of(
    services: Services,
    asked: AskedCounts,
    *,
    actor: Actor,
    saved: Sequence[Filters] = (),
    kept: KeptGroups | None = None,
) -> Counts:
    """As :func:`count_cases`, once what was asked is there; over no connection that another reader waits for."""
    groups = await (kept or KeptGroups()).read(services, newest=asked.newest.found)
    apart = await _count_apart(services, actor, saved)
    return _counts(groups, asked.own.found, asked.own_teams.found, saved, apart)


async def _count_apart(services: Services, actor: Actor, saved: Sequence[Filters]) -> dict[int, int]:
    """Of own views that groups cannot tell, by their place among ``saved``; nothing is asked where there are none."""
    wanted = {number: filters for number, filters in enumerate(saved) if _is_apart(filters)}
    if not wanted:
        return {}
    values = _moment(services, actor)
    for number, filters in wanted.items():
        values |= filter_parameters(filters, prefix=_saved(number))
    shapes = tuple((number, shape_of(filters)) for number, filters in wanted.items())
    async with services.database.reading() as connection:
        (row,) = await read_rows(connection, _own_views(shapes, is_known=actor.user_id is not None), **values)
    return {number: getattr(row, _saved(number)) for number in wanted}


def _moment(services: Services, actor: Actor) -> dict[str, object]:
    return moment_values(services.now(), services.settings.zone, user_id=actor.user_id)


def groups_at(now: datetime, zone: ZoneInfo) -> Question[tuple[Group, ...]]:
    return Question(_GROUPS, moment_values(now, zone, user_id=None), lambda rows: tuple(map(_group, rows)))


def _group(row: Any) -> Group:
    totals = {view: getattr(row, view.value) for view in _TOLD}
    return Group(shop=row.name, mall=row.mall, kind=row.kind, team_id=row.team_id, totals=totals)


def _total(view: View) -> ColumnElement[int]:
    narrower = narrowing(view, None)
    return func.count() if narrower is None else func.count().filter(narrower)


_KEY: Final = (shops.c.name, shops.c.mall, cases.c.kind, cases.c.team_id)
_GROUPS: Final = union_all(
    *(
        select(*_KEY, *(_total(view).label(view.value) for view in _TOLD))
        .select_from(cases.join(shops, shops.c.id == cases.c.shop_id))
        .where(shops.c.is_active, *part)
        .group_by(*_KEY)
        for part in open_and_awake()
    )
)
_TEAMS_OF: Final = select(team_members.c.team_id).where(team_members.c.user_id == bindparam("reader"))


def _team_ids(rows: Iterable[Any]) -> set[int]:
    return {row.team_id for row in rows}


def _is_apart(filters: Filters) -> bool:
    """Whether groups cannot tell how many these are; of closed cases, mentions and what sleeps nothing is told."""
    if filters.view in {View.CLOSED, *_APART}:
        return False
    return filters.view is View.MINE or filters.state is not None or filters.assignee is not None


def _saved(number: int) -> str:
    """Before the names of what belongs to one's own view of this number."""
    return f"saved_{number}_"


@cache
def _own(*, is_known: bool) -> Select[Any]:
    """One row: what is the reader's own."""
    reader = READER if is_known else None
    counted: dict[View, Any] = {view: _count(conditions(Filters(view=view), reader=reader)) for view in _APART}
    counted[View.MINE] = _count_open(Filters(view=View.MINE), reader)
    return select(*(total.label(view.value) for view, total in counted.items()))


@lru_cache(maxsize=_SHAPES)
def _own_views(saved: tuple[tuple[int, Filters], ...], *, is_known: bool) -> Select[Any]:
    """One row: own views of these numbers and shapes."""
    reader = READER if is_known else None
    places = [(_saved(number), filters) for number, filters in saved]
    counted: list[Any] = [_count_open(filters, reader, prefix=place).label(place) for place, filters in places]
    return select(*counted)


def _count_open(filters: Filters, reader: BindParameter[int] | None, *, prefix: str = "") -> ColumnElement[int]:
    narrower = narrowing(filters.view, reader)
    wanted = [*choosing(filters, prefix=prefix), *(() if narrower is None else (narrower,))]
    # One person's are few: through the index of assignees, not through all open cases of each shop.
    is_few = filters.view is View.MINE or filters.assignee is not None
    awake, few = (_count([shops.c.is_active, *part, *wanted], is_few=is_few) for part in open_and_awake())
    total: ColumnElement[int] = awake + few
    return total


def _count(wanted: Iterable[ColumnElement[bool]], *, is_few: bool = False) -> Any:
    joined = cases.join(shops, shops.c.id == (cases.c.shop_id + 0 if is_few else cases.c.shop_id))
    return select(func.count()).select_from(joined).where(*wanted).scalar_subquery()


def _counts(
    groups: Sequence[Group], own: Any, own_teams: set[int], saved: Sequence[Filters], apart: Mapping[int, int]
) -> Counts:
    views = {view: sum(group.totals[view] for group in groups) for view in _TOLD}
    views |= {view: getattr(own, view.value) for view in (View.MINE, *_APART)}
    views[View.TEAM] = sum(group.totals[View.OPEN] for group in groups if group.team_id in own_teams)
    kinds = dict.fromkeys(KindGroup, 0)
    by_shop: dict[str, int] = {}
    by_mall: dict[str, int] = {}
    by_team: dict[int, int] = {}
    for group in groups:
        total = group.totals[View.OPEN]
        kinds[GROUP_OF.get(group.kind, KindGroup.OTHER)] += total
        by_shop[group.shop] = by_shop.get(group.shop, 0) + total
        by_mall[group.mall] = by_mall.get(group.mall, 0) + total
        if group.team_id is not None:
            by_team[group.team_id] = by_team.get(group.team_id, 0) + total
    counted = tuple(
        apart[number] if number in apart else _told_by(groups, filters, own_teams)
        for number, filters in enumerate(saved)
    )
    return Counts(views=views, kinds=kinds, shops=by_shop, malls=by_mall, teams=by_team, saved=counted)


def _told_by(groups: Sequence[Group], filters: Filters, own_teams: set[int]) -> int | None:
    if filters.view in {View.CLOSED, *_APART}:
        return None
    view = View.OPEN if filters.view is View.TEAM else filters.view
    return sum(
        group.totals[view]
        for group in groups
        if (filters.view is not View.TEAM or group.team_id in own_teams)
        and filters.kind in {None, GROUP_OF.get(group.kind)}
        and filters.shop in {None, group.shop}
        and filters.mall in {None, group.mall}
        and filters.team in {None, group.team_id}
    )
