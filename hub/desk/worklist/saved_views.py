"""Lists that somebody has given a name: one's own, and those that a supervisor shares with everybody."""

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, or_, select

from hub.desk.access import Actor, ForbiddenError, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.desk.worklist.filters import Filters, filter_values, filters_of
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.questions import Question, ask_one
from hub.store.tables import saved_views, users

NAME_LIMIT: Final = 40
#: of one person: every one of them is counted whenever the counts are read
MOST: Final = 20


class ViewError(Exception):
    """Nothing was stored. ``key`` is a message key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.view_{key}"


class SavedView(Struct, frozen=True, kw_only=True):
    """``owner`` is the name of who shares it."""

    view_id: int
    name: str
    filters: Filters
    is_shared: bool
    is_own: bool
    owner: str


async def read_views(services: Services, *, actor: Actor) -> tuple[SavedView, ...]:
    """One's own and the shared ones, by name. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await ask_one(connection, saved_views_of(actor.user_id))


def saved_views_of(user_id: int | None) -> Question[tuple[SavedView, ...]]:
    """As :func:`read_views`."""
    return Question(_SHOWN, {"user_id": user_id}, lambda rows: tuple(_view(row, user_id) for row in rows))


def _view(row: Any, user_id: int | None) -> SavedView:
    return SavedView(
        view_id=row.id,
        name=row.name,
        filters=filters_of(dict(parse_qsl(row.query))),
        is_shared=row.is_shared,
        is_own=row.owner_id == user_id,
        owner=row.owner,
    )


_SHOWN: Final = (
    select(saved_views, users.c.name.label("owner"))
    .select_from(saved_views.join(users, users.c.id == saved_views.c.owner_id))
    .where(or_(saved_views.c.owner_id == bindparam("user_id"), saved_views.c.is_shared))
    .order_by(saved_views.c.name, saved_views.c.id)
)


async def save_view(services: Services, *, actor: Actor, name: str, filters: Filters, is_shared: bool = False) -> int:
    """Keep a list under a name; said again under the same name it is changed.

    Sharing needs the right to assign. Raises: ForbiddenError; ViewError.
    """
    require(actor, Permission.WORK_CASES)
    if is_shared:
        require(actor, Permission.ASSIGN_OTHERS)
    name = " ".join(name.split())
    if not name or len(name) > NAME_LIMIT:
        raise ViewError("name")
    if actor.user_id is None:
        raise ForbiddenError(Permission.WORK_CASES)
    own = saved_views.c.owner_id == actor.user_id
    async with services.database.writing() as connection:
        await connection.execute(delete(saved_views).where(own, saved_views.c.name == name))
        if (await connection.scalar(select(func.count()).select_from(saved_views).where(own)) or 0) >= MOST:
            raise ViewError("many")
        view_id = new_id()
        await connection.execute(
            saved_views.insert().values(
                id=view_id,
                owner_id=actor.user_id,
                name=name,
                query=urlencode(filter_values(filters)),
                is_shared=is_shared,
                created_at=to_ms(services.now()),
            )
        )
    return view_id


async def remove_view(services: Services, *, actor: Actor, view_id: int) -> None:
    """One's own; a shared one with the right to assign. Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.WORK_CASES)
    may = saved_views.c.owner_id == actor.user_id
    if actor.may(Permission.ASSIGN_OTHERS):
        may = or_(may, saved_views.c.is_shared)
    async with services.database.writing() as connection:
        if not (await connection.execute(delete(saved_views).where(saved_views.c.id == view_id, may))).rowcount:
            raise NotFoundError
