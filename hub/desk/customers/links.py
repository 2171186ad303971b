"""An agent says that two are one person, or that they are not; and takes it back.

Confirmations join: of three, two of which are confirmed with the third, all are one person. Nothing else
does. A decision that contradicts another one is refused with that one named.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.customers.identity import Identity, RecordRef
from hub.desk.customers.known import find_identity, same_identity
from hub.desk.services import Services
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.tables import customer_identities, customer_links

#: more identities than a person has: somebody is joining strangers
MOST_JOINED: Final = 50


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"


class LinkError(Exception):
    """Nothing was stored. ``key`` is a message key that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.customer_{key}"


async def decide(services: Services, *, actor: Actor, one: RecordRef, other: RecordRef, verdict: Verdict) -> None:
    """Say of the people of two records that they are one, or that they are not. Said again, nothing changes.

    Raises: LinkError; NotFoundError for a record that is not there or names nobody; ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    box = services.database.box
    async with services.database.writing() as connection:
        await lock_people(services.database, connection)
        found = [await find_identity(connection, ref, box=box) for ref in (one, other)]
        if found[0] is None or found[1] is None:
            raise NotFoundError
        if found[0] == found[1]:
            raise LinkError("is_same")
        rows = [await stored_identity(connection, identity) for identity in (found[0], found[1])]
        standing = await _standing(connection, rows)
        if standing is verdict:
            return
        if standing is not None:
            raise LinkError("joined" if standing is Verdict.SAME else "told_apart")
        first, second = sorted(row.id for row in rows)
        await connection.execute(
            customer_links.insert().values(
                id=new_id(),
                first_id=first,
                second_id=second,
                verdict=verdict.value,
                decided_by=actor.user_id,
                decided_at=to_ms(services.now()),
            )
        )
        if verdict is Verdict.SAME:
            await _join_anew(connection, {row.person_id for row in rows})


async def undo(services: Services, *, actor: Actor, link_id: int) -> None:
    """Take a decision back; who made it and who took it back stays known. Raises: NotFoundError; ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.writing() as connection:
        await lock_people(services.database, connection)
        query = (
            select(customer_links.c.verdict, customer_links.c.undone_at, customer_identities.c.person_id)
            .join_from(customer_links, customer_identities, customer_identities.c.id == customer_links.c.first_id)
            .where(customer_links.c.id == link_id)
        )
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError
        if row.undone_at is not None:
            return
        values = {"undone_by": actor.user_id, "undone_at": to_ms(services.now())}
        await connection.execute(update(customer_links).where(customer_links.c.id == link_id).values(**values))
        if row.verdict == Verdict.SAME:
            await _join_anew(connection, {row.person_id})


async def lock_people(database: Database, connection: AsyncConnection) -> None:
    """One decision at a time: two at once could each see half of a person. SQLite has one writer anyway."""
    if not database.is_sqlite:
        await connection.execute(text("LOCK TABLE customer_links IN SHARE ROW EXCLUSIVE MODE"))


async def stored_identity(connection: AsyncConnection, identity: Identity) -> Row[Any]:
    """The row of ``identity``, written now if it is the first time that something is said of it."""
    found: Row[Any] | None = (await connection.execute(same_identity(identity))).one_or_none()
    if found is None:
        number = new_id()
        await connection.execute(
            customer_identities.insert().values(
                id=number,
                phone_idx=identity.phone,
                email_idx=identity.email,
                name_idx=identity.name,
                person_id=number,
            )
        )
        found = (await connection.execute(same_identity(identity))).one()
    return found


async def _standing(connection: AsyncConnection, rows: Collection[Row[Any]]) -> Verdict | None:
    """What follows for these two from all that was said so far."""
    persons = {row.person_id for row in rows}
    if len(persons) == 1:
        return Verdict.SAME
    of = {row.id: row.person_id for row in await connection.execute(_members(persons))}
    apart = select(customer_links.c.first_id, customer_links.c.second_id).where(
        customer_links.c.verdict == Verdict.DIFFERENT.value,
        customer_links.c.undone_at.is_(None),
        customer_links.c.first_id.in_(of),
        customer_links.c.second_id.in_(of),
    )
    for link in await connection.execute(apart):
        if of[link.first_id] != of[link.second_id]:
            return Verdict.DIFFERENT
    if len(of) > MOST_JOINED:
        raise LinkError("too_many")
    return None


def _members(persons: Collection[int]) -> Any:
    return select(customer_identities).where(customer_identities.c.person_id.in_(persons))


async def _join_anew(connection: AsyncConnection, persons: Collection[int]) -> None:
    """Write for everybody of ``persons`` whose person they are by the confirmations that are in force."""
    ids = [row.id for row in await connection.execute(_members(persons))]
    query = select(customer_links.c.first_id, customer_links.c.second_id).where(
        customer_links.c.verdict == Verdict.SAME.value,
        customer_links.c.undone_at.is_(None),
        or_(customer_links.c.first_id.in_(ids), customer_links.c.second_id.in_(ids)),
    )
    pairs = [(row.first_id, row.second_id) for row in await connection.execute(query)]
    for together in components(ids, pairs):
        await connection.execute(
            update(customer_identities).where(customer_identities.c.id.in_(together)).values(person_id=min(together))
        )


def components(ids: Iterable[int], pairs: Iterable[tuple[int, int]]) -> list[set[int]]:
    """Who hangs together through ``pairs``, directly or over others; everybody of ``ids`` in exactly one set."""
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    found: list[set[int]] = []
    seen: set[int] = set()
    for start in ids:
        if start in seen:
            continue
        together, waiting = {start}, [start]
        while waiting:
            fresh = near[waiting.pop()] - together
            together |= fresh
            waiting += fresh
        seen |= together
        found.append(together)
    return found
