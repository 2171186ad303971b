"""What becomes of open promises: kept by a contact in time, broken when their time is over; nothing leads back.

A contact counts by its own time. What was said on the telephone is often noted a little later, so a
promise breaks :data:`TELL_WITHIN` after it was due: until then a contact in time can still be told, a late
one breaks it at once. An answer that was sent and of which nobody knows yet whether the mall took it
holds the decision back until that is settled.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import InquiryKind
from hub.desk.care.views import BROKEN, KEPT, OPEN, Channel, ToWhom
from hub.desk.services import Services
from hub.store.database import Database, read_rows, time_of, to_ms
from hub.store.live import Topic, publish
from hub.store.shops import ShopRow
from hub.store.tables import actions, cases, inquiries, promises, shops
from hub.sync.cases import refresh_case_dues

#: so long after it was due it can still be told that a promise was kept in time
TELL_WITHIN: Final = timedelta(minutes=15)
_BATCH: Final = 200


async def settle(services: Services, *, case_id: int | None = None, shop_id: int | None = None) -> int:
    """Break what is over, and remind of what is due soon; returns how many rows changed.

    Called by the worker and by whoever looks at promises, so that no screen depends on a worker.
    """
    moments = _moments(services)
    query = _DUE[case_id is not None, shop_id is not None]
    async with services.database.reading() as connection:
        rows = await read_rows(connection, query, case_id=case_id, shop_id=shop_id, **moments)
    if not rows:
        return 0
    found = [row.id for row in rows]
    now = services.now()
    async with services.database.writing() as connection:
        broken = await connection.execute(
            update(promises)
            .where(promises.c.id.in_(found), _is_over())
            .values(state=BROKEN, broken_at=promises.c.due_at)
            .returning(promises.c.case_id),
            moments,
        )
        broken_of = set(broken.scalars())
        soon = await connection.execute(
            update(promises)
            .where(promises.c.id.in_(found), _is_soon())
            .values(reminded_at=to_ms(now))
            .returning(promises.c.case_id, promises.c.owner_id),
            moments,
        )
        reminded = {(row.case_id, row.owner_id) for row in soon}
        soon_of = {case_id for case_id, _ in reminded}
        await refresh_cases(services, connection, broken_of)
        for each in sorted(soon_of - broken_of):
            await publish(connection, Topic.CASE, id=each)
        for each, owner_id in sorted(pair for pair in reminded if pair[1] is not None):
            # Whoever is to keep it is told wherever they are in the desk.
            await publish(connection, Topic.MENTION, user_id=owner_id, case_id=each)
    return len(found)


def _moments(services: Services) -> dict[str, int | None]:
    """Values for :func:`_is_over` and :func:`_is_soon`, in milliseconds."""
    now = services.now()
    soon = now + timedelta(minutes=services.settings.promise_remind_minutes)
    return {"now": to_ms(now), "over": to_ms(now - TELL_WITHIN), "soon": to_ms(soon)}


def _is_over() -> ColumnElement[bool]:
    """Due before, and no answer under way that may have kept it."""
    of_customer = or_(inquiries.c.thread_no == cases.c.thread_no, inquiries.c.order_no == cases.c.order_no)
    is_unsettled = exists(
        select(actions.c.id)
        .select_from(
            actions.join(
                inquiries,
                and_(inquiries.c.shop_id == actions.c.shop_id, inquiries.c.inquiry_no == actions.c.inquiry_no),
            ).join(cases, and_(cases.c.shop_id == actions.c.shop_id, of_customer))
        )
        .where(
            cases.c.id == promises.c.case_id,
            actions.c.letter_sealed.is_not(None),
            actions.c.created_at <= promises.c.due_at,
            _is_kept_by_answer(),
        )
        .correlate(promises)
    )
    return and_(promises.c.state == OPEN, promises.c.due_at < bindparam("over"), ~is_unsettled)


def _is_kept_by_answer() -> ColumnElement[bool]:
    """Whether an answer in the thread of ``inquiries`` is the contact that was promised."""
    in_chat = and_(promises.c.channel == Channel.CHAT.value, inquiries.c.kind == InquiryKind.CHAT.value)
    is_meant = or_(promises.c.channel == Channel.ANSWER.value, in_chat)
    return and_(promises.c.to_whom == ToWhom.CUSTOMER.value, is_meant)


def _is_soon() -> ColumnElement[bool]:
    return and_(
        promises.c.state == OPEN,
        promises.c.reminded_at.is_(None),
        promises.c.due_at >= bindparam("now"),
        promises.c.due_at <= bindparam("soon"),
    )


def _due(*, of_case: bool, of_shop: bool) -> Select[Any]:
    query = select(promises.c.id).where(_is_over() | _is_soon()).order_by(promises.c.due_at).limit(_BATCH)
    if of_case:
        query = query.where(promises.c.case_id == bindparam("case_id"))
    if of_shop:
        own = select(cases.c.id).where(cases.c.shop_id == bindparam("shop_id"))
        query = query.where(promises.c.case_id.in_(own))
    return query


#: what is to be settled, by whether it is of a case and of a shop
_DUE: Final = {
    (of_case, of_shop): _due(of_case=of_case, of_shop=of_shop) for of_case in (False, True) for of_shop in (False, True)
}


async def shops_with_promises(services: Services) -> list[ShopRow]:
    """Active shops in which a promise breaks or is to be reminded of."""
    query = (
        select(shops.c.id, shops.c.name, shops.c.mall, shops.c.base_url)
        .distinct()
        .select_from(promises.join(cases, cases.c.id == promises.c.case_id).join(shops, shops.c.id == cases.c.shop_id))
        .where(shops.c.is_active, _is_over() | _is_soon())
        .order_by(shops.c.name)
    )
    database: Database = services.database
    async with database.reading() as connection:
        return [
            ShopRow(id=row.id, name=row.name, mall=row.mall, base_url=row.base_url)
            for row in await connection.execute(query, _moments(services))
        ]


async def keep_by_answer(
    services: Services,
    connection: AsyncConnection,
    *,
    action_id: int,
) -> None:
    """The mall has taken an answer to a customer: what was promised to them is kept by it.

    In the transaction that stores the outcome. The answer was sent when its action ended, whenever that it
    was taken became known. A promise about the same order counts as one in the thread.
    """
    sent = select(actions.c.shop_id, actions.c.inquiry_no, actions.c.finished_at).where(actions.c.id == action_id)
    action = (await connection.execute(sent)).one()
    query = (
        select(promises.c.id, promises.c.case_id)
        .distinct()
        .select_from(
            promises.join(cases, cases.c.id == promises.c.case_id).join(
                inquiries,
                and_(
                    inquiries.c.shop_id == cases.c.shop_id,
                    or_(inquiries.c.thread_no == cases.c.thread_no, inquiries.c.order_no == cases.c.order_no),
                ),
            )
        )
        .where(
            cases.c.shop_id == action.shop_id,
            inquiries.c.inquiry_no == action.inquiry_no,
            promises.c.state.in_((OPEN, BROKEN)),
            promises.c.kept_at.is_(None),
            promises.c.made_at <= action.finished_at,
            _is_kept_by_answer(),
        )
    )
    rows = (await connection.execute(query)).all()
    for row in rows:
        await note_contact(connection, row.id, by=f"action {action_id}", at=time_of(action.finished_at))
    await refresh_cases(services, connection, {row.case_id for row in rows})


async def note_contact(
    connection: AsyncConnection, promise_id: int, *, by: str, at: datetime, **more: Any
) -> Row[Any] | None:
    """A contact at ``at`` keeps an open promise in time; of any other it is only noted that it came too late.

    ``by`` is "action 12", "call abc" or "said 7". ``more`` are further columns. Returns the row as it was,
    ``None`` when a contact stands already, or an agreed change.
    """
    this = promises.c.id == promise_id
    row = (await connection.execute(select(promises).where(this).with_for_update())).one_or_none()
    if row is None or row.kept_at is not None or row.state not in {OPEN, BROKEN}:
        return None
    values: dict[str, Any] = {"kept_by": by, "kept_at": to_ms(at), **more}
    if row.state == OPEN and values["kept_at"] <= row.due_at:
        values["state"] = KEPT
    elif row.state == OPEN:
        values |= {"state": BROKEN, "broken_at": row.due_at}
    await connection.execute(update(promises).where(this).values(**values))
    return row


async def refresh_cases(services: Services, connection: AsyncConnection, case_ids: Iterable[int]) -> None:
    """Count the deadlines of these cases anew, and tell open screens."""
    countries = {name: manifest.country for name, manifest in services.registry.manifests.items()}
    for case_id in sorted(case_ids):
        await refresh_case_dues(services.database, connection, case_id, countries=countries, now=services.now())
        await publish(connection, Topic.CASE, id=case_id)
