"""The list's page: its rows, and beside them own views, teams and shops with their counts, and how fresh it all is."""

from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.presence import away_of
from hub.desk.services import Services
from hub.desk.shops.freshness import Freshness, Troubles, active_shops, ask_troubles, freshness_of
from hub.desk.users import User, everybody
from hub.desk.views import ShopView
from hub.desk.worklist.case_counts import AskedCounts, Counts, ask_counts, counts_of
from hub.desk.worklist.filters import Filters
from hub.desk.worklist.rows import Worklist, ask_worklist, worklist_of
from hub.desk.worklist.saved_views import SavedView, saved_views_of
from hub.desk.worklist.teams import Team, every_team
from hub.store.questions import Answer, Asking, asking


class BesideList(Struct, frozen=True, kw_only=True):
    """``own_teams``: whose queues the reader is shown; ``people`` can be given cases."""

    counts: Counts
    freshness: Freshness
    shops: tuple[ShopView, ...]
    saved_views: tuple[SavedView, ...]
    teams: tuple[Team, ...]
    own_teams: tuple[Team, ...]
    people: tuple[User, ...]
    is_away: bool


class AskedBeside(Struct, frozen=True, kw_only=True):
    """For :func:`beside_of`."""

    shops: Answer[tuple[ShopView, ...]]
    troubles: Troubles
    saved: Answer[tuple[SavedView, ...]]
    teams: Answer[tuple[Team, ...]]
    users: Answer[tuple[User, ...]]
    is_away: Answer[bool]
    counts: AskedCounts


async def read_list(
    services: Services, *, actor: Actor, filters: Filters, cursor: str | None = None
) -> tuple[Worklist, BesideList]:
    """A page of the list, and what stands beside it. Raises: as :func:`read_worklist`."""
    async with services.database.reading() as connection:
        async with asking(connection) as ask:
            page = ask_worklist(ask, services, actor=actor, filters=filters, cursor=cursor)
            beside = ask_beside(ask, services, actor=actor)
        worklist = await worklist_of(services, connection, page)
    return worklist, await beside_of(services, beside, actor=actor)


async def read_beside_list(services: Services, *, actor: Actor) -> BesideList:
    """Raises: ForbiddenError."""
    async with services.database.reading() as connection, asking(connection) as ask:
        asked = ask_beside(ask, services, actor=actor)
    return await beside_of(services, asked, actor=actor)


def ask_beside(ask: Asking, services: Services, *, actor: Actor) -> AskedBeside:
    """The first step of :func:`read_beside_list`, which raises what it does."""
    require(actor, Permission.WORK_CASES)
    return AskedBeside(
        shops=ask(active_shops(services.registry)),
        troubles=ask_troubles(ask, services),
        saved=ask(saved_views_of(actor.user_id)),
        teams=ask(every_team()),
        users=ask(everybody()),
        is_away=ask(away_of(actor.user_id)),
        counts=ask_counts(ask, services, actor=actor),
    )


async def beside_of(services: Services, asked: AskedBeside, *, actor: Actor) -> BesideList:
    """Once what was asked is there."""
    shops, saved, teams = asked.shops.found, asked.saved.found, asked.teams.found
    wanted = [view.filters for view in saved]
    sees_all = actor.may(Permission.ASSIGN_OTHERS)
    return BesideList(
        counts=await counts_of(services, asked.counts, actor=actor, saved=wanted, kept=services.case_groups),
        freshness=freshness_of(services, shops, asked.troubles),
        shops=shops,
        saved_views=saved,
        teams=teams,
        own_teams=tuple(
            team for team in teams if sees_all or any(one.user_id == actor.user_id for one in team.members)
        ),
        people=tuple(user for user in asked.users.found if user.is_active),
        is_away=asked.is_away.found,
    )
