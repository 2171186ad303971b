"""The checklist of a new shop: what must be settled before its calls and questions are taken.

What the hub can know it looks up each time. Everything else a supervisor ticks, or waives with a reason; what
the hub knows to be missing cannot be ticked. A shop is ready when every item is done.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, Select, select, update
from sqlalchemy.exc import IntegrityError

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.shops.opening_facts import Found, Item, read_facts
from hub.desk.views import MallMark
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.tables import opening_answers, shops, users

LONGEST_REASON: Final = 300


class Answer(StrEnum):
    TICKED = "ticked"
    WAIVED = "waived"


class OpeningError(Exception):
    """Nothing was stored. ``key`` is a message key that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.opening_{key}"


class Answered(Struct, frozen=True, kw_only=True):
    answer: Answer
    reason: str
    by: str | None
    at: datetime


class ItemView(Struct, frozen=True, kw_only=True):
    """One item: what the hub has found, and what a supervisor has said of it."""

    item: Item
    found: Found
    answered: Answered | None = None

    @property
    def is_done(self) -> bool:
        if self.found.is_met:
            return True
        if self.answered is None:
            return False
        return self.answered.answer is Answer.WAIVED or self.found.is_met is None


class Opening(Struct, frozen=True, kw_only=True):
    shop: str
    mark: MallMark
    items: tuple[ItemView, ...]

    @property
    def missing(self) -> tuple[Item, ...]:
        return tuple(each.item for each in self.items if not each.is_done)

    @property
    def is_ready(self) -> bool:
        return not self.missing


class OpeningStatus(Struct, frozen=True, kw_only=True):
    """For programs: the items that are still open, by name."""

    ready: bool
    missing: list[str]


def opening_status(opening: Opening) -> OpeningStatus:
    return OpeningStatus(ready=opening.is_ready, missing=[item.value for item in opening.missing])


async def read_openings(services: Services, *, names: Collection[str] | None = None) -> tuple[Opening, ...]:
    """Every active shop, or those of ``names``, by name."""
    query: Select[Any] = select(shops.c.id, shops.c.name, shops.c.mall).where(shops.c.is_active).order_by(shops.c.name)
    if names is not None:
        query = query.where(shops.c.name.in_(names))
    said_query: Select[Any] = (
        select(opening_answers, users.c.name.label("by"))
        .select_from(opening_answers.outerjoin(users, users.c.id == opening_answers.c.answered_by))
        .where(opening_answers.c.undone_at.is_(None))
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
        said = {(row.shop_id, row.item): _answered(row) for row in await connection.execute(said_query)}
    facts = await read_facts(services, rows)
    return tuple(
        Opening(
            shop=row.name,
            mark=mall_mark(services.registry, row.mall),
            items=tuple(
                ItemView(item=item, found=facts[row.id][item], answered=said.get((row.id, item.value))) for item in Item
            ),
        )
        for row in rows
    )


def _answered(row: Row[Any]) -> Answered:
    return Answered(answer=Answer(row.answer), reason=row.reason or "", by=row.by, at=time_of(row.answered_at))


async def read_opening(services: Services, *, actor: Actor, shop: str) -> Opening:
    """Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    found = await read_openings(services, names=[shop])
    if not found:
        raise NotFoundError
    return found[0]


async def settle(services: Services, *, actor: Actor, shop: str, item: Item, answer: Answer, reason: str = "") -> None:
    """Tick an item, or waive it with a reason; the newest answer counts.

    Raises: ForbiddenError; NotFoundError; OpeningError to tick what the hub knows to be missing, without the
    reason of a waiver, or when somebody else answers at the same moment.
    """
    require(actor, Permission.EDIT_BOOKS)
    reason = " ".join("".join(char if char.isprintable() else " " for char in reason).split())
    if len(reason) > LONGEST_REASON:
        raise OpeningError("reason_long")
    if answer is Answer.WAIVED and not reason:
        raise OpeningError("reason_missing")
    opening = await read_opening(services, actor=actor, shop=shop)
    found = next(each.found for each in opening.items if each.item is item)
    if answer is Answer.TICKED and found.is_met is False:
        raise OpeningError("missing")
    try:
        async with services.database.writing() as connection:
            shop_id = await connection.scalar(select(shops.c.id).where(shops.c.name == shop))
            await connection.execute(_ended(services, actor, shop_id, item))
            await connection.execute(
                opening_answers.insert().values(
                    id=new_id(),
                    shop_id=shop_id,
                    item=item.value,
                    answer=answer.value,
                    reason=reason or None,
                    answered_by=actor.user_id,
                    answered_at=to_ms(services.now()),
                )
            )
    except IntegrityError as error:
        raise OpeningError("twice") from error


async def reopen(services: Services, *, actor: Actor, shop: str, item: Item) -> None:
    """Take an answer back; who gave and who took it back stays known. Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.EDIT_BOOKS)
    async with services.database.writing() as connection:
        shop_id = await connection.scalar(select(shops.c.id).where(shops.c.name == shop, shops.c.is_active))
        if shop_id is None:
            raise NotFoundError
        await connection.execute(_ended(services, actor, shop_id, item))


def _ended(services: Services, actor: Actor, shop_id: int | None, item: Item) -> Any:
    return (
        update(opening_answers)
        .where(opening_answers.c.shop_id == shop_id, opening_answers.c.item == item.value)
        .where(opening_answers.c.undone_at.is_(None))
        .values(undone_by=actor.user_id, undone_at=to_ms(services.now()))
    )
