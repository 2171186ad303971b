"""Calls out by one key, under a number that the mall owns: others may not be shown (전기통신사업법 제84조의2)."""

from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.cases.case import NotFoundError
from hub.desk.phone.callbacks import open_callback
from hub.desk.phone.exchange import control_of
from hub.desk.phone.flow import current_spec
from hub.desk.phone.notes import NoteError
from hub.desk.services import Services
from hub.store.belonging import order_of_case
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.sealed import CALLBACK_PLACE, DIAL_PLACE, ORDER_PLACE, normal_phone, unpack_order
from hub.store.tables import callbacks, cases, dials, orders, shops, users
from ivr.phone import CallControl, PhoneError
from ivr.routes import plain_number
from ivr.spec import Spec, callbacks_of

#: digits of a representative number (1588-0101)
_REPRESENTATIVE: Final = 8
#: where the telephones stand
_HERE: Final = "KR"


class Dialled(Struct, frozen=True, kw_only=True):
    """A call out that the exchange has taken: the telephone ``member`` rings first. ``caller_id``: the number shown."""

    dial_id: int
    pbx: str
    member: str
    caller_id: str


async def dial_case(services: Services, *, actor: Actor, case_id: int, caller_id: str | None = None) -> int:
    """Ring the actor's phone, then the customer of the case. Returns the id of the call out.

    ``caller_id``: the number to show; absent: the one that the spec names for the mall. Raises: NoteError with the
    reason; NotFoundError; ForbiddenError.
    """
    require(actor, Permission.UNMASK)
    spec = _spec(services)
    async with services.database.writing() as connection:
        mall, number = await _number_of(services, connection, case_id)
        seat = await _seat(services, connection, users.c.id == actor.user_id)
        wish = _Wish(mall=mall, number=number, caller_id=owned_caller_id(spec, mall, caller_id), case_id=case_id)
        dialled = await _ask(services, connection, actor, seat, wish)
    await _dial(services, seat, wish, dialled)
    return dialled.dial_id


async def dial_number(
    services: Services, *, actor: Actor, login: str, shop: str, number: str, caller_id: str | None = None
) -> Dialled:
    """Ring the phone of ``login``, then ``number``, under a number of the shop's mall.

    ``number``: as one dials it here, or with its country behind a plus.
    Raises: NoteError with the reason; ConfigurationError for an unknown user or shop; ForbiddenError.
    """
    require(actor, Permission.UNMASK)
    spec = _spec(services)
    async with services.database.writing() as connection:
        mall = await connection.scalar(select(shops.c.mall).where(shops.c.name == shop, shops.c.is_active))
        if mall is None:
            what = f"there is no shop {shop[:40]!r}"
            raise ConfigurationError(what, fix="See hub shop list.")
        if await connection.scalar(select(users.c.id).where(users.c.login == login.casefold())) is None:
            what = f"there is no user {login[:40]!r}"
            raise ConfigurationError(what, fix="See hub user list.")
        wish = _Wish(
            mall=mall,
            number=number_to_dial(number, _HERE),
            caller_id=owned_caller_id(spec, mall, caller_id),
        )
        seat = await _seat(services, connection, (users.c.login == login.casefold()) & users.c.is_active)
        dialled = await _ask(services, connection, actor, seat, wish)
    await _dial(services, seat, wish, dialled)
    return dialled


def number_to_dial(number: str, country: str) -> str:
    """The digits that a telephone here dials; ``country`` is where a number without a prefix belongs.

    Raises: NoteError for what is no number or a masked one, and for one abroad: which prefix leads there is the
    carrier's matter, and without it somebody here would be called.
    """
    known = normal_phone(number, country)
    if known is None:
        raise NoteError("phone.no_number")
    if not known.startswith("+"):
        return known
    if not known.startswith("+82"):
        raise NoteError("phone.abroad")
    digits = known.removeprefix("+82")
    # 15xx, 16xx and 18xx numbers are dialled as they stand, all others with the 0 of the area.
    return digits if digits.startswith("1") and len(digits) <= _REPRESENTATIVE else f"0{digits}"


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


class _Wish(Struct, frozen=True, kw_only=True):
    """Whom to call, and under which number."""

    mall: str
    number: str
    caller_id: str
    case_id: int | None = None

    def __repr__(self) -> str:
        return f"<_Wish {self.mall} {self.caller_id}>"


class _Seat(Struct, frozen=True, kw_only=True):
    user_id: int
    pbx: str
    member: str
    control: CallControl


def _spec(services: Services) -> Spec:
    try:
        return current_spec(services)
    except ConfigurationError as error:
        raise NoteError("phone.no_spec") from error


async def _seat(services: Services, connection: AsyncConnection, which: ColumnElement[bool]) -> _Seat:
    """Raises: NoteError where nobody's telephone stands there."""
    row = (await connection.execute(select(users.c.id, users.c.phone_member).where(which))).one_or_none()
    try:
        pbx, member, control = control_of(services, row.phone_member if row else None)
    except PhoneError as error:
        raise NoteError("phone.no_phone") from error
    return _Seat(user_id=row.id if row else 0, pbx=pbx, member=member, control=control)


async def _ask(services: Services, connection: AsyncConnection, actor: Actor, seat: _Seat, wish: _Wish) -> Dialled:
    dial_id, now = new_id(), to_ms(services.now())
    await connection.execute(
        dials.insert().values(
            id=dial_id,
            user_id=seat.user_id,
            member=seat.member,
            mall=wish.mall,
            caller_id=wish.caller_id,
            number_sealed=services.database.box.seal(wish.number.encode(), DIAL_PLACE),
            case_id=wish.case_id,
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
        subject=f"dial {dial_id}" if wish.case_id is None else f"case {wish.case_id}",
        reason="call",
    )
    return Dialled(dial_id=dial_id, pbx=seat.pbx, member=seat.member, caller_id=wish.caller_id)


async def _dial(services: Services, seat: _Seat, wish: _Wish, dialled: Dialled) -> None:
    """Raises: NoteError when the exchange does not take it; the call out is kept as failed."""
    reference = f"hub-{dialled.dial_id}"
    try:
        await seat.control.dial(member=seat.member, number=wish.number, caller_id=wish.caller_id, reference=reference)
    except PhoneError as error:
        async with services.database.writing() as connection:
            failed = update(dials).where(dials.c.id == dialled.dial_id).values(state="failed")
            await connection.execute(failed)
        raise NoteError("phone.unreachable") from error


async def _number_of(services: Services, connection: AsyncConnection, case_id: int) -> tuple[str, str]:
    """Mall and number of the customer. Raises: NotFoundError; NoteError when no number is known."""
    query = select(shops.c.mall).join_from(cases, shops, shops.c.id == cases.c.shop_id)
    case = (await connection.execute(query.where(cases.c.id == case_id))).one_or_none()
    if case is None:
        raise NotFoundError
    box = services.database.box
    waits = select(callbacks.c.id).where(callbacks.c.case_id == case_id, callbacks.c.ended_at.is_(None))
    if await connection.scalar(waits) is not None:
        row = await open_callback(connection, case_id)
        return row.mall, number_to_dial(box.open(row.caller_sealed, CALLBACK_PLACE).decode(), _HERE)
    of_order = select(orders.c.sealed).join(cases, order_of_case()).where(cases.c.id == case_id)
    sealed = await connection.scalar(of_order.order_by(orders.c.id))
    buyer = unpack_order(box.open(sealed, ORDER_PLACE)).buyer if sealed else None
    given = (buyer.phone or buyer.phone_second or "") if buyer else ""
    return case.mall, number_to_dial(given, services.registry.manifest(case.mall).country)
