"""What stands beside the list on its page: own views, teams and shops with their counts, and how fresh it all is."""

from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.presence import away_of
from hub.desk.services import Services
from hub.desk.shops.freshness import Freshness, active_shops, ask_troubles, freshness_of
from hub.desk.users import User, everybody
from hub.desk.views import ShopView
from hub.desk.worklist.case_counts import Counts, count_cases
from hub.desk.worklist.saved_views import SavedView, saved_views_of
from hub.desk.worklist.teams import Team, every_team
from hub.store.questions import asking


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


async def read_beside_list(services: Services, *, actor: Actor) -> BesideList:
    """Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection, asking(connection) as ask:
        shops, troubles = ask(active_shops(services.registry)), ask_troubles(ask, services)
        saved, is_away = ask(saved_views_of(actor.user_id)), ask(away_of(actor.user_id))
        teams, users = ask(every_team()), ask(everybody())
    wanted = [view.filters for view in saved.found]
    sees_all = actor.may(Permission.ASSIGN_OTHERS)
    return BesideList(
        counts=await count_cases(services, actor=actor, saved=wanted, kept=services.case_groups),
        freshness=freshness_of(services, shops.found, troubles),
        shops=shops.found,
        saved_views=saved.found,
        teams=teams.found,
        own_teams=tuple(
            team for team in teams.found if sees_all or any(one.user_id == actor.user_id for one in team.members)
        ),
        people=tuple(user for user in users.found if user.is_active),
        is_away=is_away.found,
    )
