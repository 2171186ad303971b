"""What the parts of a page need that are about who works: forms on a case, own views and teams beside the list."""

import re
import secrets
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from hub.desk.users import User
from hub.desk.worklist.beside_list import BesideList
from hub.desk.worklist.filters import Filters, KindGroup, View
from hub.desk.worklist.teams import Team

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


def view_values(beside: BesideList, filters: Filters) -> dict[str, Any]:
    """The left pane with the count of each link, the people to choose from, and how fresh the list is."""
    return {**asdict(beside), "filters": filters, "views": tuple(View), "kinds": tuple(KindGroup)}


def case_work_values(*, users: Sequence[User], teams: Sequence[Team]) -> dict[str, Any]:
    """The forms of one case: lay aside, give to a team, note and call somebody."""
    return {
        "case_teams": teams,
        "callable": [person for person in users if person.is_active],
        # One form, one note: the same token twice notes once.
        "note_token": secrets.token_urlsafe(18),
    }
