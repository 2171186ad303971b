"""What the parts of a page need that are about who works: forms on a case, own views and teams beside the list."""

import re
import secrets
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from hub.desk.access import Actor, Permission
from hub.desk.freshness import read_shops
from hub.desk.list_filters import Filters, KindGroup, View
from hub.desk.presence import read_away
from hub.desk.saved_views import read_views
from hub.desk.services import Services
from hub.desk.teams import Team, read_teams
from hub.desk.users import User
from hub.desk.worklist import count_cases

#: what became of a step over many cases: its message, how many, how many were left, shortened, refused
_TOLD: Final = re.compile(r"(taken|given|queued|snoozed|seen|handed|none)\.(\d{1,6})\.(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_ERRORS: Final = frozenset(
    {"view_name", "view_many", "snooze_unreadable", "snooze_past", "snooze_too_far", "bulk_none", "bulk_nobody"}
)


class Told(Struct, frozen=True, kw_only=True):
    """``count`` cases changed; ``left`` are others', ``shortened`` sleep less long, ``overdue`` do not sleep."""

    key: str
    count: int = 0
    left: int = 0
    shortened: int = 0
    overdue: int = 0
    is_wrong: bool = False

    @property
    def address(self) -> str:
        if self.is_wrong:
            return self.key
        return f"{self.key}.{self.count}.{self.left}.{self.shortened}.{self.overdue}"


def read_told(text: str) -> Told | None:
    """From an address; what is not understood says nothing."""
    if text in _ERRORS:
        return Told(key=text, is_wrong=True)
    found = _TOLD.fullmatch(text)
    if found is None:
        return None
    count, left, shortened, overdue = map(int, found.groups()[1:])
    return Told(key=found[1], count=count, left=left, shortened=shortened, overdue=overdue)


async def view_values(services: Services, actor: Actor, filters: Filters) -> dict[str, Any]:
    """The left pane: every link with its count, by one statement."""
    saved = await read_views(services, actor=actor)
    teams = await read_teams(services.database)
    return {
        "counts": await count_cases(services, actor=actor, saved=[view.filters for view in saved]),
        "filters": filters,
        "shops": await read_shops(services, actor=actor),
        "views": tuple(View),
        "kinds": tuple(KindGroup),
        "saved_views": saved,
        "teams": teams,
        "own_teams": [
            team
            for team in teams
            if actor.may(Permission.ASSIGN_OTHERS) or any(one.user_id == actor.user_id for one in team.members)
        ],
        "is_away": await read_away(services.database, user_id=actor.user_id),
    }


def case_work_values(*, users: Sequence[User], teams: Sequence[Team]) -> dict[str, Any]:
    """The forms of one case: lay aside, give to a team, note and call somebody."""
    return {
        "case_teams": teams,
        "callable": [person for person in users if person.is_active],
        # One form, one note: the same token twice notes once.
        "note_token": secrets.token_urlsafe(18),
    }
