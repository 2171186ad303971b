"""Promises on cases: made, agreed anew before they are due, told as kept, explained when broken, handed over.

How they are kept and break by themselves: :mod:`hub.desk.care.promise_keeping`. None is ever deleted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.care.promise_keeping import note_contact, refresh_cases
from hub.desk.care.views import BROKEN, CHANGED, OPEN, BrokenReason, Channel, ToWhom
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.sealed import PROMISE_BROKEN_PLACE, PROMISE_KEPT_PLACE, PROMISE_PLACE
from hub.store.tables import asks, cases, promise_moves, promises, users

TEXT_LIMIT: Final = 500
_TOKEN_LIMIT: Final = 100
_MOST_HANDED: Final = 1_000
_MOST_TOLD: Final = 100


class NewPromise(Struct, frozen=True, kw_only=True):
    """What is promised. ``due_at`` is aware; ``what`` may be empty: to come back to them. ``token``: the form's own,
    the same one twice makes one promise. ``owner_id`` absent: whoever makes it. ``ask_id``: the question to
    a contact whose answer it rests on.
    """

    due_at: datetime
    what: str = ""
    to_whom: ToWhom = ToWhom.CUSTOMER
    channel: Channel = Channel.CALL
    owner_id: int | None = None
    ask_id: int | None = None
    token: str | None = None


class PromiseError(Exception):
    """Nothing was stored. ``key`` is a message key that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.promise_{key}"


async def make_promise(services: Services, *, actor: Actor, case_id: int, given: NewPromise) -> int:
    """Store a promise and return its id. Raises: ForbiddenError; NotFoundError; PromiseError."""
    require(actor, Permission.WORK_CASES)
    if given.due_at <= services.now():
        raise PromiseError("past")
    if given.token is not None and len(given.token) > _TOKEN_LIMIT:
        raise PromiseError("wrong")
    row = _row(services, actor, case_id, given)
    try:
        async with services.database.writing() as connection:
            await _require_case(connection, case_id)
            await _require_owner(connection, row["owner_id"])
            if given.ask_id is not None:
                await _require_ask(connection, case_id, given.ask_id)
            await connection.execute(promises.insert().values(**row))
            await refresh_cases(services, connection, [case_id])
    except IntegrityError:
        if (known := await _by_token(services, case_id, given.token)) is not None:
            return known
        raise
    return int(row["id"])


def _row(services: Services, actor: Actor, case_id: int, given: NewPromise) -> dict[str, Any]:
    return {
        "id": new_id(),
        "case_id": case_id,
        "what_sealed": services.database.box.seal(plain(given.what).encode(), PROMISE_PLACE),
        "to_whom": given.to_whom.value,
        "channel": given.channel.value,
        "due_at": to_ms(given.due_at),
        "state": OPEN,
        "owner_id": given.owner_id if given.owner_id is not None else actor.user_id,
        "made_by": actor.user_id,
        "made_at": to_ms(services.now()),
        "ask_id": given.ask_id,
        "token": given.token,
    }


def plain(text: str) -> str:
    """One paragraph of at most 500 characters. Raises: PromiseError for more."""
    text = " ".join(text.split())
    if len(text) > TEXT_LIMIT:
        raise PromiseError("text_long")
    return text


async def _require_case(connection: AsyncConnection, case_id: int) -> None:
    if await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
        raise NotFoundError


async def _require_owner(connection: AsyncConnection, user_id: int | None) -> None:
    """A promise without somebody who keeps it is none."""
    known = select(users.c.id).where(users.c.id == user_id, users.c.is_active)
    if user_id is None or await connection.scalar(known) is None:
        raise PromiseError("no_owner")


async def _require_ask(connection: AsyncConnection, case_id: int, ask_id: int) -> None:
    if await connection.scalar(select(asks.c.id).where(asks.c.id == ask_id, asks.c.case_id == case_id)) is None:
        raise NotFoundError


async def _by_token(services: Services, case_id: int, token: str | None) -> int | None:
    query = select(promises.c.id).where(promises.c.token == token, promises.c.case_id == case_id)
    async with services.database.reading() as connection:
        return await connection.scalar(query) if token else None


async def _find(connection: AsyncConnection, case_id: int, promise_id: int) -> Row[Any]:
    """Held until the transaction ends. Raises: NotFoundError."""
    query = select(promises).where(promises.c.id == promise_id, promises.c.case_id == case_id).with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return row


async def change_promise(
    services: Services,
    *,
    actor: Actor,
    case_id: int,
    promise_id: int,
    due_at: datetime,
    is_agreed: bool,
    what: str | None = None,
    token: str | None = None,
) -> int:
    """Put another hour in its place, as agreed with them before the first was due; returns the new promise's id.

    Raises: ForbiddenError; NotFoundError; PromiseError.
    """
    require(actor, Permission.WORK_CASES)
    now = services.now()
    if not is_agreed:
        raise PromiseError("not_agreed")
    if due_at <= now:
        raise PromiseError("past")
    async with services.database.writing() as connection:
        old = await _find(connection, case_id, promise_id)
        if token is not None and old.changed_to_id is not None and await _has_token(connection, old, token):
            return int(old.changed_to_id)
        if old.state != OPEN:
            raise PromiseError("not_open")
        if time_of(old.due_at) <= now:
            raise PromiseError("too_late")
        new = {
            **{name: getattr(old, name) for name in ("case_id", "to_whom", "channel", "owner_id", "ask_id")},
            "id": new_id(),
            "what_sealed": old.what_sealed
            if what is None
            else services.database.box.seal(plain(what).encode(), PROMISE_PLACE),
            "due_at": to_ms(due_at),
            "state": OPEN,
            "made_by": actor.user_id,
            "made_at": to_ms(now),
            "token": token,
        }
        await connection.execute(promises.insert().values(**new))
        changed = {"state": CHANGED, "changed_to_id": new["id"]}
        await connection.execute(update(promises).where(promises.c.id == promise_id).values(**changed))
        await refresh_cases(services, connection, [case_id])
    return int(new["id"])


async def _has_token(connection: AsyncConnection, old: Row[Any], token: str) -> bool:
    query = select(promises.c.token).where(promises.c.id == old.changed_to_id)
    return bool(await connection.scalar(query) == token)


async def tell_kept(
    services: Services, *, actor: Actor, case_id: int, promise_id: int, at: datetime, with_whom: str
) -> bool:
    """An agent says that they got in touch at ``at``, and with whom. ``False``: too late, the promise is broken.

    Raises: ForbiddenError; NotFoundError; PromiseError.
    """
    require(actor, Permission.WORK_CASES)
    with_whom = plain(with_whom)
    async with services.database.writing() as connection:
        row = await _find(connection, case_id, promise_id)
        if not with_whom and row.to_whom != ToWhom.US:
            raise PromiseError("with_whom")
        # Hours are told to the minute: one within the minute in which it was made is not before it.
        if at > services.now() or at < time_of(row.made_at).replace(second=0, microsecond=0):
            raise PromiseError("contact_time")
        sealed = services.database.box.seal(with_whom.encode(), PROMISE_KEPT_PLACE) if with_whom else None
        known = await note_contact(
            connection, promise_id, by=f"said {actor.user_id or 0}", at=at, kept_with_sealed=sealed
        )
        if known is None:
            raise PromiseError("not_open")
        await refresh_cases(services, connection, [case_id])
        return bool(known.state == OPEN and to_ms(at) <= known.due_at)


async def explain_broken(
    services: Services, *, actor: Actor, case_id: int, promise_id: int, reason: BrokenReason, text: str = ""
) -> None:
    """Why it was broken; told again it replaces what was told. Raises: ForbiddenError; NotFoundError; PromiseError."""
    require(actor, Permission.WORK_CASES)
    text = plain(text)
    if reason is BrokenReason.OTHER and not text:
        raise PromiseError("reason_text")
    async with services.database.writing() as connection:
        row = await _find(connection, case_id, promise_id)
        if row.state != BROKEN:
            raise PromiseError("not_broken")
        sealed = services.database.box.seal(text.encode(), PROMISE_BROKEN_PLACE) if text else None
        told = {"broken_reason": reason.value, "broken_text_sealed": sealed}
        await connection.execute(update(promises).where(promises.c.id == promise_id).values(**told))


async def hand_over(
    services: Services,
    *,
    actor: Actor,
    to_id: int,
    from_id: int | None = None,
    promise_ids: Sequence[int] | None = None,
) -> int:
    """Give open promises to a colleague: all of one person, or those named. Returns how many.

    One's own; anybody's with the right to assign. Raises: ForbiddenError; PromiseError for somebody who
    does not work here.
    """
    require(actor, Permission.WORK_CASES)
    which: list[ColumnElement[bool]] = [promises.c.state == OPEN]
    if promise_ids is not None:
        which.append(promises.c.id.in_(promise_ids[:_MOST_HANDED]))
    else:
        which.append(promises.c.owner_id == (actor.user_id if from_id is None else from_id))
    async with services.database.writing() as connection:
        await _require_owner(connection, to_id)
        query = select(promises.c.id, promises.c.owner_id, promises.c.case_id).where(and_(*which)).with_for_update()
        rows = [row for row in (await connection.execute(query)).all() if row.owner_id != to_id]
        if any(row.owner_id != actor.user_id for row in rows):
            require(actor, Permission.ASSIGN_OTHERS)
        if not rows:
            return 0
        given = update(promises).where(promises.c.id.in_([row.id for row in rows]), promises.c.state == OPEN)
        await connection.execute(given.values(owner_id=to_id, reminded_at=None))
        moved = {"to_id": to_id, "moved_by": actor.user_id, "moved_at": to_ms(services.now())}
        await connection.execute(
            promise_moves.insert(),
            [{"id": new_id(), "promise_id": row.id, "from_id": row.owner_id, **moved} for row in rows],
        )
        changed = sorted({row.case_id for row in rows})
        await publish(connection, Topic.CASES, ids=changed[:_MOST_TOLD], more=len(changed) > _MOST_TOLD)
    return len(rows)
