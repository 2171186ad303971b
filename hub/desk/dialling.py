"""Calls out by one key, under a number that the mall owns: others may not be shown (전기통신사업법 제84조의2)."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.callbacks import open_callback
from hub.desk.case import NotFoundError
from hub.desk.exchange import control_of
from hub.desk.phone_notes import NoteError
from hub.desk.services import Services
from hub.desk.telephone import current_spec
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.sealed import CALLBACK_PLACE, DIAL_PLACE, ORDER_PLACE, unpack_order
from hub.store.tables import callbacks, cases, dials, orders, shops, users
from ivr.phone import PhoneError
from ivr.routes import plain_number
from ivr.spec import Spec, callbacks_of


async def dial_case(services: Services, *, actor: Actor, case_id: int, caller_id: str | None = None) -> int:
    """Ring the actor's phone, then the customer of the case. Returns the id of the call out.

    ``caller_id``: the number to show; absent: the one that the spec names for the mall. Raises: NoteError with the
    reason; NotFoundError; ForbiddenError.
    """
    require(actor, Permission.UNMASK)
    try:
        spec = current_spec(services)
    except ConfigurationError as error:
        raise NoteError("phone.no_spec") from error
    async with services.database.writing() as connection:
        mall, number = await _number_of(services, connection, case_id)
        shown = owned_caller_id(spec, mall, caller_id)
        member_name = await connection.scalar(select(users.c.phone_member).where(users.c.id == actor.user_id))
        try:
            _, member, control = control_of(services, member_name)
        except PhoneError as error:
            raise NoteError("phone.no_phone") from error
        dial_id, now = new_id(), to_ms(services.now())
        await connection.execute(
            dials.insert().values(
                id=dial_id,
                user_id=actor.user_id,
                member=member,
                mall=mall,
                caller_id=shown,
                number_sealed=services.database.box.seal(number.encode(), DIAL_PLACE),
                case_id=case_id,
                state="asked",
                asked_at=now,
                updated_at=now,
            )
        )
        await record_access(
            connection,
            at=services.now(),
            actor=actor,
            action=AccessAction.UNMASK,
            subject=f"case {case_id}",
            reason="call",
        )
    try:
        await control.dial(member=member, number=number, caller_id=shown, reference=f"hub-{dial_id}")
    except PhoneError as error:
        async with services.database.writing() as connection:
            await connection.execute(update(dials).where(dials.c.id == dial_id).values(state="failed"))
        raise NoteError("phone.unreachable") from error
    return dial_id


def owned_caller_id(spec: Spec, mall: str, wanted: str | None = None) -> str:
    """The number to show for ``mall``, digits only. Raises: NoteError for one that is not among its own."""
    own = [number for each in spec.numbers if each.mall == mall for number in (each.display, each.did) if number]
    owned = {plain_number(number) for number in own}
    if wanted is None:
        wanted = next((each.caller_id for each in callbacks_of(spec).values() if each.mall == mall), "")
    shown = plain_number(wanted)
    if not shown or shown not in owned:
        raise NoteError("phone.foreign_caller_id")
    return shown


async def _number_of(services: Services, connection: AsyncConnection, case_id: int) -> tuple[str, str]:
    """Mall and number of the customer. Raises: NotFoundError; NoteError when no number is known."""
    query = select(cases.c.shop_id, cases.c.order_no, shops.c.mall).join(shops, shops.c.id == cases.c.shop_id)
    case = (await connection.execute(query.where(cases.c.id == case_id))).one_or_none()
    if case is None:
        raise NotFoundError
    box = services.database.box
    waits = select(callbacks.c.id).where(callbacks.c.case_id == case_id, callbacks.c.ended_at.is_(None))
    if await connection.scalar(waits) is not None:
        row = await open_callback(connection, case_id)
        return row.mall, plain_number(box.open(row.caller_sealed, CALLBACK_PLACE).decode())
    of_order = select(orders.c.sealed).where(orders.c.shop_id == case.shop_id, orders.c.order_no == case.order_no)
    sealed = await connection.scalar(of_order)
    buyer = unpack_order(box.open(sealed, ORDER_PLACE)).buyer if sealed else None
    number = plain_number(buyer.phone) if buyer and buyer.phone and "*" not in buyer.phone else ""
    if not number:
        raise NoteError("phone.no_number")
    return case.mall, number
