"""Teams: a queue by mall, kind, matter and language, with its members; cases come to it and are dealt out."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.presence import is_there
from hub.desk.services import Malls, Services
from hub.desk.worklist.dealing import Seat, TeamRule, deal, team_for
from hub.desk.worklist.filters import GROUP_OF, KINDS, KindGroup, is_awake
from hub.desk.worklist.matters import is_about
from hub.desk.worklist.moves import Move, record_moves, tell_moved
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.questions import Question, ask_one
from hub.store.tables import cases, presence, shops, team_members, teams, users
from routing.chain import Matter

NAME_LIMIT: Final = 40
#: cases of one round: the next follows in seconds
BATCH: Final = 500
#: what customers of a country write in
LANGUAGES: Final = {"KR": "ko", "JP": "ja"}


class TeamError(Exception):
    """Nothing was stored. ``key`` is a message key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.team_{key}"


class Member(Struct, frozen=True, kw_only=True):
    user_id: int
    name: str


class Team(Struct, frozen=True, kw_only=True):
    """Empty ``malls``, ``kinds``, ``languages`` or ``matters``: any; all four: nothing comes to it by itself.

    ``is_dealt``: its cases are given to its members who are there; otherwise they take them.
    """

    team_id: int
    name: str
    malls: tuple[str, ...] = ()
    kinds: tuple[KindGroup, ...] = ()
    languages: tuple[str, ...] = ()
    matters: tuple[Matter, ...] = ()
    is_dealt: bool = False
    members: tuple[Member, ...] = ()

    @property
    def rule(self) -> TeamRule:
        return TeamRule(
            team_id=self.team_id,
            malls=frozenset(self.malls),
            kinds=frozenset(kind.value for kind in self.kinds),
            languages=frozenset(self.languages),
            matters=frozenset(matter.value for matter in self.matters),
        )


class TeamGiven(Struct, frozen=True, kw_only=True):
    """A team as a supervisor writes it down."""

    name: str
    malls: Collection[str] = ()
    kinds: Collection[KindGroup] = ()
    languages: Collection[str] = ()
    matters: Collection[Matter] = ()
    is_dealt: bool = False
    member_ids: Collection[int] = ()


def language_of(malls: Malls, mall: str) -> str:
    """Korean for a mall that is not installed any more."""
    manifest = malls.manifests.get(mall)
    return LANGUAGES.get(manifest.country, "ko") if manifest else "ko"


async def read_teams(database: Database) -> tuple[Team, ...]:
    """Every team by name, with its active members."""
    async with database.reading() as connection:
        return await teams_of(connection)


async def teams_of(connection: AsyncConnection) -> tuple[Team, ...]:
    """As :func:`read_teams`."""
    return await ask_one(connection, every_team())


def every_team() -> Question[tuple[Team, ...]]:
    """As :func:`read_teams`."""
    return Question(_ALL, {}, _teams)


def _teams(rows: list[Any]) -> tuple[Team, ...]:
    of_team: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        of_team[row.id].append(row)
    return tuple(_team(members) for members in of_team.values())


_ALL: Final = (
    select(teams, users.c.id.label("user_id"), users.c.name.label("user_name"))
    .select_from(
        teams.outerjoin(team_members, team_members.c.team_id == teams.c.id).outerjoin(
            users, and_(users.c.id == team_members.c.user_id, users.c.is_active)
        )
    )
    .order_by(teams.c.name, teams.c.id, users.c.name, users.c.id)
)


def _team(rows: Sequence[Any]) -> Team:
    first = rows[0]
    return Team(
        team_id=first.id,
        name=first.name,
        malls=tuple(msgspec.json.decode(first.malls)),
        kinds=tuple(KindGroup(kind) for kind in msgspec.json.decode(first.kinds)),
        languages=tuple(msgspec.json.decode(first.languages)),
        matters=tuple(Matter(matter) for matter in msgspec.json.decode(first.matters)),
        is_dealt=first.is_dealt,
        members=tuple(Member(user_id=row.user_id, name=row.user_name) for row in rows if row.user_id is not None),
    )


async def save_team(services: Services, *, actor: Actor, given: TeamGiven, team_id: int | None = None) -> int:
    """Make a team, or change one. What is in its queue stays there.

    Raises: ForbiddenError; NotFoundError for a team that is gone; TeamError.
    """
    require(actor, Permission.ASSIGN_OTHERS)
    row = _row(services, given)
    try:
        async with services.database.writing() as connection:
            if team_id is None:
                team_id = new_id()
                await connection.execute(teams.insert().values(id=team_id, created_at=to_ms(services.now()), **row))
            elif not (await connection.execute(update(teams).where(teams.c.id == team_id).values(**row))).rowcount:
                raise NotFoundError
            await _set_members(connection, team_id, set(given.member_ids))
    except IntegrityError as error:
        raise TeamError("exists") from error
    return team_id


def _row(services: Services, given: TeamGiven) -> dict[str, Any]:
    name = " ".join(given.name.split())
    if not name or len(name) > NAME_LIMIT:
        raise TeamError("name")
    if set(given.malls) - set(services.registry.manifests) or set(given.languages) - set(LANGUAGES.values()):
        raise TeamError("wrong")
    parts = {
        "malls": given.malls,
        "kinds": [kind.value for kind in given.kinds],
        "languages": given.languages,
        "matters": [matter.value for matter in given.matters],
    }
    encoded = {part: msgspec.json.encode(sorted(set(words))).decode() for part, words in parts.items()}
    return {"name": name, "is_dealt": given.is_dealt, **encoded}


async def _set_members(connection: AsyncConnection, team_id: int, wanted: set[int]) -> None:
    """Those who stay keep their place in the turn."""
    real = set(await connection.scalars(select(users.c.id).where(users.c.id.in_(wanted), users.c.is_active)))
    if real != wanted:
        raise TeamError("wrong")
    of_team = team_members.c.team_id == team_id
    had = set(await connection.scalars(select(team_members.c.user_id).where(of_team)))
    await connection.execute(delete(team_members).where(of_team, team_members.c.user_id.not_in(wanted)))
    if new := sorted(wanted - had):
        rows = [{"team_id": team_id, "user_id": user_id} for user_id in new]
        await connection.execute(team_members.insert(), rows)


async def remove_team(services: Services, *, actor: Actor, team_id: int) -> None:
    """Its cases stay with whoever has them, in no queue. Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.ASSIGN_OTHERS)
    async with services.database.writing() as connection:
        await connection.execute(update(cases).where(cases.c.team_id == team_id).values(team_id=None))
        if not (await connection.execute(delete(teams).where(teams.c.id == team_id))).rowcount:
            raise NotFoundError


async def tend_teams(services: Services) -> int:
    """One round: put open cases into the queues that they belong to, and deal out what is to be dealt.

    Returns how many moved. Two rounds at once do nothing twice: what is given already stays.
    """
    found = await read_teams(services.database)
    if not found:
        return 0
    moved = await _fill_queues(services, found)
    for team in found:
        if team.is_dealt:
            moved += await _deal_out(services, team)
    return moved


async def _fill_queues(services: Services, found: Sequence[Team]) -> int:
    rules = [team.rule for team in found if team.rule.narrowness]
    if not rules:
        return 0
    malls = services.registry
    of_matters = [rule for rule in rules if rule.matters]
    query = (
        select(cases.c.id, cases.c.kind, shops.c.mall, *(_about(rule) for rule in of_matters))
        .select_from(cases.join(shops, shops.c.id == cases.c.shop_id))
        .where(cases.c.is_open, cases.c.team_id.is_(None), or_(*(_fitting(malls, rule) for rule in rules)))
        .limit(BATCH)
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    by_team: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        kind = GROUP_OF.get(row.kind, KindGroup.OTHER).value
        about = {rule.team_id for rule, is_fitting in zip(of_matters, row[3:], strict=True) if is_fitting}
        team_id = team_for(rules, mall=row.mall, kind=kind, language=language_of(malls, row.mall), about=about)
        if team_id is not None:
            by_team[team_id].append(row.id)
    if not by_team:
        return 0
    async with services.database.writing() as connection:
        for team_id, ids in sorted(by_team.items()):
            free = cases.c.id.in_(ids) & cases.c.team_id.is_(None)
            await connection.execute(update(cases).where(free).values(team_id=team_id))
        await tell_moved(connection, [case_id for ids in by_team.values() for case_id in ids])
    return sum(map(len, by_team.values()))


def _fitting(malls: Malls, rule: TeamRule) -> ColumnElement[bool]:
    named = [
        mall
        for mall in malls.manifests
        if (not rule.malls or mall in rule.malls) and (not rule.languages or language_of(malls, mall) in rule.languages)
    ]
    fitting: list[ColumnElement[bool]] = [shops.c.mall.in_(named)]
    if rule.kinds:
        fitting.append(cases.c.kind.in_([kind for group in rule.kinds for kind in KINDS[KindGroup(group)]]))
    if rule.matters:
        fitting.append(is_about([Matter(matter) for matter in rule.matters]))
    return and_(*fitting)


def _about(rule: TeamRule) -> ColumnElement[bool]:
    return is_about([Matter(matter) for matter in rule.matters]).label(f"about_{rule.team_id}")


async def _deal_out(services: Services, team: Team) -> int:
    now = services.now()
    waiting = and_(cases.c.team_id == team.team_id, cases.c.is_open, cases.c.assignee_id.is_(None), is_awake(now))
    async with services.database.reading() as connection:
        queue = select(cases.c.id).where(waiting).order_by(cases.c.due_at, cases.c.id).limit(BATCH)
        case_ids = list(await connection.scalars(queue))
        seats = await _seats(connection, team.team_id, now) if case_ids else []
    by_user: dict[int, list[int]] = defaultdict(list)
    for case_id, user_id in deal(case_ids, seats):
        by_user[user_id].append(case_id)
    if not by_user:
        return 0
    moved: list[int] = []
    dealt_to = []
    async with services.database.writing() as connection:
        for user_id, ids in sorted(by_user.items()):
            free = update(cases).where(cases.c.id.in_(ids), waiting)
            query = free.values(assignee_id=user_id).returning(cases.c.id)
            given = sorted(await connection.scalars(query))
            await record_moves(services, connection, given, Move.DEALT, by_id=None, to_id=user_id)
            moved += given
            dealt_to += [user_id] if given else []
        dealt = (team_members.c.team_id == team.team_id) & team_members.c.user_id.in_(dealt_to)
        await connection.execute(update(team_members).where(dealt).values(dealt_at=to_ms(now)))
    return len(moved)


async def _seats(connection: AsyncConnection, team_id: int, now: Any) -> list[Seat]:
    """Members who are there, with all that they have open, of whatever team; what sleeps is no load."""
    has = and_(cases.c.assignee_id == team_members.c.user_id, cases.c.is_open, is_awake(now))
    query = (
        select(team_members.c.user_id, team_members.c.dealt_at, func.count(cases.c.id).label("load"))
        .select_from(
            team_members.join(users, and_(users.c.id == team_members.c.user_id, users.c.is_active))
            .join(presence, and_(presence.c.user_id == team_members.c.user_id, is_there(now)))
            .outerjoin(cases, has)
        )
        .where(team_members.c.team_id == team_id)
        .group_by(team_members.c.user_id, team_members.c.dealt_at)
    )
    return [Seat(user_id=row.user_id, load=row.load, dealt_at=row.dealt_at) for row in await connection.execute(query)]
