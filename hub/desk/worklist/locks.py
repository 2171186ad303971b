"""Who works on a case now: opening it takes it, and only its holder answers and acts at the mall.

A lock is one row, kept alive by the open page and by each action; when its time is over it stands there and
holds nobody up. Every change reads the row under its own lock first, so that of two agents at once one gets the
case on either database. It is handed over by its holder, to an asker whom the holder leaves without an answer,
and by a supervisor; the one who had it is told. Whose case it is, :mod:`hub.desk.worklist.assign` says.

Programs (the command line) hold nothing: they are refused as long as a person does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Insert

from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.acting.action import Action, ActionRequest, WrongRequestError
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.database import Database, time_of, to_ms
from hub.store.live import Topic, publish
from hub.store.questions import Question, ask_one
from hub.store.tables import case_locks, cases, users

#: without any sign of life a case is free again then
HELD_FOR: Final = timedelta(minutes=5)
#: the page warns so long before
WARNED_BEFORE: Final = timedelta(minutes=1)
#: an asker whom the holder gives no answer gets the case then
ANSWER_WITHIN: Final = timedelta(seconds=30)
#: an asker who has not come for it by then is gone, and others may ask
_ASKER_GONE_AFTER: Final = timedelta(seconds=90)
_LONGEST_SCREEN: Final = 40
#: more cases of one order than anybody has
_MOST_CASES: Final = 50


class How(StrEnum):
    """How its holder came to it."""

    OPENED = "opened"
    GRANTED = "granted"
    PASSED = "passed"  # the holder was asked and gave no answer
    OVERRIDE = "override"  # a supervisor took it


class LockState(StrEnum):
    """As one person sees it."""

    FREE = "free"
    MINE = "mine"
    OTHERS = "others"


class LockView(Struct, frozen=True, kw_only=True):
    """One case's lock for one person. Names are empty where nobody is meant; seconds count from now; ``is_open``:
    the case is.

    ``is_lost``: this person had it, and it was handed over ``how``. ``asker`` wants it; ``is_asker``: this person
    does, and gets it in ``answer_seconds``; ``is_refused``: this person was told to wait.
    """

    state: LockState
    is_open: bool
    holder: str = ""
    since: datetime | None = None
    how: str = ""
    seconds: int = 0
    is_lost: bool = False
    asker: str = ""
    is_asker: bool = False
    answer_seconds: int = 0
    is_refused: bool = False


class HeldError(WrongRequestError):
    """Somebody else works on the case; ``name`` tells who. Nothing was stored or sent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is working on this case")
        self.name = name


class AskedError(Exception):
    """Somebody else has asked for the case already; ``name`` tells who."""

    def __init__(self, name: str) -> None:
        super().__init__("somebody has asked already")
        self.name = name


async def read_lock(services: Services, *, actor: Actor, case_id: int) -> LockView:
    """Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await _view(connection, case_id, actor=actor, now=services.now())


async def open_to_work(services: Services, *, actor: Actor, case_id: int) -> None:
    """Take an open case by opening its page, if it is free. Nothing is written where the page was just opened.

    Raises: ForbiddenError, NotFoundError.
    """
    known = await read_lock(services, actor=actor, case_id=case_id)
    is_fresh = known.seconds > (HELD_FOR - WARNED_BEFORE).total_seconds()
    is_held = known.state is LockState.OTHERS and not (known.is_asker and not known.answer_seconds)
    if known.is_open and not is_held and not (known.state is LockState.MINE and is_fresh):
        await keep(services, actor=actor, case_id=case_id)


async def keep(services: Services, *, actor: Actor, case_id: int, screen: str | None = None) -> LockView:
    """Take the case if it is free or has passed to this asker, and show life if it is one's own.

    ``screen`` names the page that is open. What comes back may be somebody else's lock.
    Raises: ForbiddenError, NotFoundError.
    """
    require(actor, Permission.WORK_CASES)
    now = services.now()
    async with services.database.writing() as connection:
        if actor.user_id is not None:
            row = await _row(services.database, connection, case_id, user_id=actor.user_id)
            await _try_take(connection, row, user_id=actor.user_id, now=now, screen=screen)
        return await _view(connection, case_id, actor=actor, now=now)


async def give_back(services: Services, *, actor: Actor, case_id: int, screen: str | None = None) -> None:
    """Give the case back: at once, or with ``screen`` only if no other page of this person showed life since.

    Whoever has asked for it gets it.
    """
    now = services.now()
    own = [case_locks.c.case_id == case_id, case_locks.c.user_id == actor.user_id]
    if screen is not None:
        own.append(case_locks.c.screen == screen[:_LONGEST_SCREEN])
    async with services.database.writing() as connection:
        row = (await connection.execute(select(case_locks).where(*own).with_for_update())).one_or_none()
        if row is None or not _is_live(row, now):
            return
        if row.asked_by is not None and not _is_asker_gone(row, now):
            await _hand(connection, row, to=row.asked_by, how=How.GRANTED, now=now)
            return
        await connection.execute(delete(case_locks).where(case_locks.c.case_id == case_id))
        await publish(connection, Topic.LOCK, case_id=case_id)


async def give_back_all(services: Services, *, actor: Actor) -> None:
    """Whoever goes home holds nothing."""
    is_held = (case_locks.c.user_id == actor.user_id, case_locks.c.until_at > to_ms(services.now()))
    query = select(case_locks.c.case_id).where(*is_held)
    async with services.database.reading() as connection:
        held = (await connection.scalars(query)).all()
    for case_id in held:
        await give_back(services, actor=actor, case_id=case_id)


async def ask_for(services: Services, *, actor: Actor, case_id: int) -> LockView:
    """Ask the holder for the case; a free one is taken. Raises: ForbiddenError, NotFoundError, AskedError."""
    require(actor, Permission.WORK_CASES)
    now, user_id = services.now(), _person(actor)
    async with services.database.writing() as connection:
        row = await _row(services.database, connection, case_id, user_id=user_id)
        if not await _try_take(connection, row, user_id=user_id, now=now, screen=None) and row.asked_by != user_id:
            if row.asked_by is not None and not _is_asker_gone(row, now):
                raise AskedError(await _name(connection, row.asked_by))
            await _change(connection, row, asked_by=user_id, asked_at=to_ms(now), refused_to=None)
        return await _view(connection, case_id, actor=actor, now=now)


async def answer_asker(services: Services, *, actor: Actor, case_id: int, is_granted: bool) -> LockView:
    """The holder gives the case to whoever asks for it, or keeps it. Nothing happens where nobody asks (any more)."""
    now = services.now()
    own = (case_locks.c.case_id == case_id, case_locks.c.user_id == actor.user_id)
    async with services.database.writing() as connection:
        row = (await connection.execute(select(case_locks).where(*own).with_for_update())).one_or_none()
        if row is not None and row.asked_by is not None and _is_live(row, now):
            if is_granted:
                await _hand(connection, row, to=row.asked_by, how=How.GRANTED, now=now)
            else:
                kept = {"asked_by": None, "asked_at": None, "refused_to": row.asked_by}
                await _change(connection, row, until_at=to_ms(now + HELD_FOR), **kept)
        return await _view(connection, case_id, actor=actor, now=now)


async def override(services: Services, *, actor: Actor, case_id: int) -> LockView:
    """Take the case from its holder; the access log says so. Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.ASSIGN_OTHERS)
    now, user_id = services.now(), _person(actor)
    async with services.database.writing() as connection:
        row = await _row(services.database, connection, case_id, user_id=user_id)
        if not await _try_take(connection, row, user_id=user_id, now=now, screen=None):
            await _hand(connection, row, to=user_id, how=How.OVERRIDE, now=now)
            holder = await connection.scalar(select(users.c.login).where(users.c.id == row.user_id))
            await record_access(
                connection,
                at=now,
                actor=actor,
                action=AccessAction.LOCK,
                subject=f"case {case_id}",
                reason=f"from {holder or row.user_id}",
            )
        return await _view(connection, case_id, actor=actor, now=now)


async def require_unheld(services: Services, *, actor: Actor, case_ids: Sequence[int]) -> None:
    """Raises: HeldError when somebody else works on one of these cases."""
    async with services.database.reading() as connection:
        await _require_unheld(connection, case_ids, user_id=actor.user_id, now=services.now())


async def hold_to_act(
    services: Services, connection: AsyncConnection, *, actor: Actor, case_ids: Sequence[int]
) -> None:
    """Take these cases, in the transaction that stores what is done about them, or refuse it.

    Raises: HeldError.
    """
    now = services.now()
    if actor.user_id is None:
        await _require_unheld(connection, case_ids, user_id=None, now=now)
        return
    # In one order everywhere: two who act on the same cases wait for each other, never both.
    for case_id in sorted(case_ids):
        row = await _row(services.database, connection, case_id, user_id=actor.user_id)
        if not await _try_take(connection, row, user_id=actor.user_id, now=now, screen=row.screen):
            raise HeldError(await _name(connection, row.user_id))


async def cases_of(
    connection: AsyncConnection, *, shop_id: int, request: ActionRequest, thread_no: str | None = None
) -> list[int]:
    """The cases that an action is about: of an answer those of its thread, of a claim those of that claim, of
    anything else every open case of the order.
    """
    query = select(cases.c.id).where(cases.c.shop_id == shop_id)
    if request.action.is_about_inquiry:
        query = query.where(cases.c.thread_no == (thread_no or ""))
    else:
        query = query.where(cases.c.order_no == (request.order_no or ""), cases.c.is_open)
        if (kind := Action(request.action).claim_kind) is not None:
            query = query.where(cases.c.kind == kind.value, cases.c.thread_no.is_(None))
    return list(await connection.scalars(query.order_by(cases.c.id).limit(_MOST_CASES)))


def _person(actor: Actor) -> int:
    """Raises: HeldError for a program: it can hold nothing."""
    if actor.user_id is None:
        raise HeldError("?")
    return actor.user_id


def _is_live(row: Row[Any], now: datetime) -> bool:
    return bool(row.until_at > (to_ms(now) or 0))


def _has_passed(row: Row[Any], user_id: int, now: datetime) -> bool:
    """Whether the holder was asked by this person, who still waits, and has not answered in time."""
    is_asker = row.asked_by == user_id and not _is_asker_gone(row, now)
    return is_asker and time_of(row.asked_at) + ANSWER_WITHIN <= now


def _is_asker_gone(row: Row[Any], now: datetime) -> bool:
    return bool(time_of(row.asked_at) + _ASKER_GONE_AFTER <= now)


async def _row(database: Database, connection: AsyncConnection, case_id: int, *, user_id: int) -> Row[Any]:
    """The case's row, which nobody else changes before this transaction ends. Raises: NotFoundError."""
    over = {"case_id": case_id, "user_id": user_id, "how": How.OPENED.value, "taken_at": 0, "until_at": 0}
    try:
        # There is always a row to wait at, if only one whose time is over.
        await connection.execute(_IF_NONE[database.is_sqlite], over)
    except IntegrityError as error:
        raise NotFoundError from error
    return (await connection.execute(_HELD, {"of_case": case_id})).one()


# Made once: whoever opens a case asks for them.
_IF_NONE: Final[Mapping[bool, Insert]] = {
    True: sqlite.insert(case_locks).on_conflict_do_nothing(),
    False: postgresql.insert(case_locks).on_conflict_do_nothing(),
}
_of_case: Final = case_locks.c.case_id == bindparam("of_case")
_HELD: Final = select(case_locks).where(_of_case).with_for_update()
_CHANGE: Final = update(case_locks).where(_of_case)


async def _try_take(
    connection: AsyncConnection, row: Row[Any], *, user_id: int, now: datetime, screen: str | None
) -> bool:
    """``False`` where somebody else has it."""
    if _is_live(row, now) and row.user_id == user_id:
        seen = screen[:_LONGEST_SCREEN] if screen else None
        values = {"until_at": to_ms(now + HELD_FOR), "screen": seen}
        await connection.execute(_CHANGE, {"of_case": row.case_id, **values})
        return True
    if _is_live(row, now) and not _has_passed(row, user_id, now):
        return False
    how = How.PASSED if _is_live(row, now) else How.OPENED
    await _hand(connection, row, to=user_id, how=how, now=now, screen=screen)
    return True


async def _hand(
    connection: AsyncConnection, row: Row[Any], *, to: int, how: How, now: datetime, screen: str | None = None
) -> None:
    await _change(
        connection,
        row,
        user_id=to,
        how=how.value,
        taken_at=to_ms(now),
        until_at=to_ms(now + HELD_FOR),
        screen=screen[:_LONGEST_SCREEN] if screen else None,
        taken_from=None if how is How.OPENED else row.user_id,
        asked_by=None,
        asked_at=None,
        refused_to=None,
    )


async def _change(connection: AsyncConnection, row: Row[Any], **values: Any) -> None:
    await connection.execute(_CHANGE, {"of_case": row.case_id, **values})
    await publish(connection, Topic.LOCK, case_id=row.case_id)


async def _require_unheld(
    connection: AsyncConnection, case_ids: Sequence[int], *, user_id: int | None, now: datetime
) -> None:
    query = (
        select(case_locks.c.user_id)
        .where(case_locks.c.case_id.in_(case_ids), case_locks.c.until_at > to_ms(now))
        .order_by(case_locks.c.case_id)
    )
    for holder in await connection.scalars(query):
        if holder != user_id:
            raise HeldError(await _name(connection, holder))


async def _name(connection: AsyncConnection, user_id: int) -> str:
    return await connection.scalar(select(users.c.name).where(users.c.id == user_id)) or "?"


_holder, _asker = users.alias("holder"), users.alias("asker")
_NAMED: Final = (
    select(cases.c.is_open, case_locks, _holder.c.name.label("holder"), _asker.c.name.label("asker"))
    .select_from(
        cases.outerjoin(case_locks, case_locks.c.case_id == cases.c.id)
        .outerjoin(_holder, _holder.c.id == case_locks.c.user_id)
        .outerjoin(_asker, _asker.c.id == case_locks.c.asked_by)
    )
    .where(cases.c.id == bindparam("case_id"))
)


async def _view(connection: AsyncConnection, case_id: int, *, actor: Actor, now: datetime) -> LockView:
    return await ask_one(connection, lock_of(case_id, actor=actor, now=now))


def lock_of(case_id: int, *, actor: Actor, now: datetime) -> Question[LockView]:
    """As :func:`read_lock`."""
    return Question(_NAMED, {"case_id": case_id}, lambda rows: _seen(rows, actor, now))


def _seen(rows: list[Any], actor: Actor, now: datetime) -> LockView:
    if not rows:
        raise NotFoundError
    row = rows[0]
    if row.until_at is None or not _is_live(row, now):
        return LockView(state=LockState.FREE, is_open=row.is_open)
    is_asked = row.asked_by is not None and not _is_asker_gone(row, now)
    answer_at = time_of(row.asked_at) + ANSWER_WITHIN if is_asked else now
    return LockView(
        state=LockState.MINE if row.user_id == actor.user_id else LockState.OTHERS,
        is_open=row.is_open,
        holder=row.holder or "?",
        since=time_of(row.taken_at),
        how=row.how,
        seconds=_seconds(time_of(row.until_at) - now),
        is_lost=row.taken_from is not None and row.taken_from == actor.user_id,
        asker=(row.asker or "?") if is_asked else "",
        is_asker=is_asked and row.asked_by == actor.user_id,
        answer_seconds=_seconds(answer_at - now),
        is_refused=row.refused_to is not None and row.refused_to == actor.user_id,
    )


def _seconds(left: timedelta) -> int:
    """Whole seconds, up: what is not over is at least one away."""
    return max(0, -(-left // timedelta(seconds=1)))
