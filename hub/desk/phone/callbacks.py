"""Customers who asked to be called back: one case for a number while it waits, due in opening hours."""

from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy import Row, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.redact import mask_phone
from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.phone.calls import caller_phone
from hub.desk.services import Services
from hub.policy.due import Due, DueCause
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.sealed import CALLBACK_PLACE, CALLER_PLACE
from hub.store.tables import callback_calls, callbacks, calls, cases, shops
from ivr.hours import Calendar, next_day, open_minutes
from ivr.phone import LiveEvent, LiveKind
from ivr.spec import Spec, callbacks_of

log = structlog.get_logger(__name__)

CALL_KIND: Final = "call"
#: how far back the records are looked through for wishes that were not heard live
_LOOK_BACK: Final = timedelta(days=3)
_MOST: Final = 500
#: days without an opening hour after which the due time no longer waits for one
_LONGEST_CLOSED: Final = 30


async def take_callback(services: Services, spec: Spec, event: LiveEvent) -> None:
    """Keep a wish that the exchange tells; other events are none."""
    if event.kind is not LiveKind.CALLBACK:
        return
    place = next((number for number in spec.numbers if number.did == event.did), None)
    if place is None or not event.call_id:
        log.warning("callback.without_mall")
        return
    async with services.database.writing() as connection:
        await _keep(
            services,
            connection,
            spec,
            call_id=event.call_id,
            mall=place.mall,
            line=place.line,
            number=event.caller,
            at=services.now(),
        )


async def callbacks_of_records(services: Services, spec: Spec) -> int:
    """Keep the wishes of recorded calls that were not heard live. Returns how many were new.

    A wish is the step that notes one, or the key that left a queue for a callback; what else came of the call does not
    matter.
    """
    since = to_ms(services.now() - _LOOK_BACK)
    malls = {each.mall for each in callbacks_of(spec).values()}
    query = (
        select(calls)
        .outerjoin(callback_calls, callback_calls.c.call_id == calls.c.call_id)
        .where(calls.c.callback_at.is_not(None), calls.c.entered_at >= since, calls.c.mall.in_(malls))
        .where(callback_calls.c.call_id.is_(None), calls.c.caller_sealed.is_not(None))
        .where(exists().where(shops.c.mall == calls.c.mall, shops.c.is_active))
        .order_by(calls.c.callback_at)
        .limit(_MOST)
    )
    kept = 0
    async with services.database.writing() as connection:
        for row in (await connection.execute(query)).all():
            kept += await _keep(
                services,
                connection,
                spec,
                call_id=row.call_id,
                mall=row.mall,
                line=row.line,
                number=services.database.box.open(row.caller_sealed, CALLER_PLACE).decode(),
                at=time_of(row.callback_at),
            )
    return kept


async def tell_reached(services: Services, *, actor: Actor, case_id: int, is_reached: bool) -> None:
    """One try to call back: reached, the case is done; not reached, it stays. Raises: NotFoundError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    now = to_ms(services.now())
    async with services.database.writing() as connection:
        row = await open_callback(connection, case_id)
        values: dict[str, Any] = {"tries": row.tries + 1, "first_tried_at": row.first_tried_at or now}
        if is_reached:
            values |= {"reached_at": now, "ended_at": now}
            closed = {"is_open": False, "closed_at": now, "state": "done", "updated_at": now}
            await connection.execute(update(cases).where(cases.c.id == case_id).values(**closed))
        await connection.execute(update(callbacks).where(callbacks.c.id == row.id).values(**values))
        await publish(connection, Topic.CASES, ids=[case_id])


async def open_callback(connection: AsyncConnection, case_id: int) -> Row[Any]:
    """Raises: NotFoundError when the case waits for no call."""
    query = select(callbacks).where(callbacks.c.case_id == case_id, callbacks.c.ended_at.is_(None))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return row


def due_after(calendar: Calendar, at: datetime, *, minutes: int, zone: ZoneInfo) -> datetime:
    """When ``minutes`` of opening time have passed since ``at`` (aware); plain minutes where it never opens."""
    local = at.astimezone(zone)
    day, left = local.date(), minutes
    for _ in range(_LONGEST_CLOSED):
        for start, end in open_minutes(calendar, day):
            first = max(start, local.hour * 60 + local.minute) if day == local.date() else start
            if end - first >= left > 0:
                return datetime.combine(day, time(), zone) + timedelta(minutes=first + left)
            left -= max(0, end - first)
        day = next_day(day)
    return at + timedelta(minutes=minutes)


async def _keep(
    services: Services,
    connection: AsyncConnection,
    spec: Spec,
    *,
    call_id: str,
    mall: str,
    line: str | None,
    number: str,
    at: datetime,
) -> bool:
    """Whether the wish was new, and could be kept: without a number nobody can be called."""
    phone = caller_phone(number) if number else None
    if phone is None:
        return False
    idx = services.database.box.blind("phone", phone)
    told = await _told_before(connection, call_id, idx)
    if told is not None:
        if told.call_id != call_id:
            await connection.execute(callback_calls.insert().values(call_id=call_id, callback_id=told.callback_id))
        return False
    same = (callbacks.c.mall == mall) & (callbacks.c.caller_idx == idx) & callbacks.c.ended_at.is_(None)
    known = (await connection.execute(select(callbacks).where(same))).one_or_none()
    if known is not None:
        await connection.execute(update(callbacks).where(callbacks.c.id == known.id).values(asked=known.asked + 1))
        await connection.execute(callback_calls.insert().values(call_id=call_id, callback_id=known.id))
        return True
    shop_id = await connection.scalar(
        select(shops.c.id).where(shops.c.mall == mall, shops.c.is_active).order_by(shops.c.id).limit(1)
    )
    if shop_id is None:
        log.warning("callback.without_shop", mall=mall)
        return False
    wish = next(each for each in callbacks_of(spec).values() if each.mall == mall)
    callback_id, case_id = new_id(), new_id()
    await connection.execute(cases.insert().values(**_case(services, spec, case_id, shop_id, mall, line, number, at)))
    await connection.execute(
        callbacks.insert().values(
            id=callback_id,
            case_id=case_id,
            mall=mall,
            line=line,
            caller_id=wish.caller_id,
            caller_idx=idx,
            caller_sealed=services.database.box.seal(number.encode(), CALLBACK_PLACE),
            asked_at=to_ms(at),
            asked=1,
            tries=0,
        )
    )
    await connection.execute(callback_calls.insert().values(call_id=call_id, callback_id=callback_id))
    await publish(connection, Topic.CASES, ids=[case_id])
    return True


async def _told_before(connection: AsyncConnection, call_id: str, idx: bytes) -> Row[Any] | None:
    """The call under which this one has asked already, heard live or read in the records; its own id comes first.

    Where the records of several exchanges are told apart, the id has the exchange's name in front there, and not when
    it is heard live: ids that differ by that, of the same caller, are one call.
    """
    known = callback_calls.c.call_id
    bare = call_id.rpartition("-")[2]
    same_caller = callbacks.c.caller_idx == idx
    alike = or_(known == bare, known.endswith(f"-{bare}", autoescape=True))
    query = (
        select(callback_calls)
        .join(callbacks, callbacks.c.id == callback_calls.c.callback_id)
        .where(or_(known == call_id, and_(alike, same_caller)))
        .order_by((known == call_id).desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


def _case(
    services: Services,
    spec: Spec,
    case_id: int,
    shop_id: int,
    mall: str,
    line: str | None,
    number: str,
    at: datetime,
) -> dict[str, Any]:
    wish = next(each for each in callbacks_of(spec).values() if each.mall == mall)
    given = spec.lines.get(f"{mall}.{line}")
    calendar = spec.calendars.get(given.hours) if given and given.hours else None
    until = at + timedelta(minutes=wish.due_minutes)
    if calendar is not None:
        until = due_after(calendar, at, minutes=wish.due_minutes, zone=ZoneInfo(spec.timezone))
    until = until.astimezone(at.tzinfo)
    due = Due(at=until, cause=DueCause.PROMISE, source="ivr.yaml", label_key="due.callback", counted_from=at)
    return {
        "id": case_id,
        "shop_id": shop_id,
        "case_key": f"call:{case_id}",
        "kind": CALL_KIND,
        "is_open": True,
        "state": "requested",
        "customer_masked": mask_phone(number),
        "opened_at": to_ms(at),
        "due_at": to_ms(until),
        "due_cause": due.label_key,
        "due_all": msgspec.json.encode((due,)).decode(),
        "updated_at": to_ms(services.now()),
    }
