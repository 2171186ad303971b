"""Giving beyond what is owed: points, a coupon, money, a present, a fee waived; with the partner's share of it.

Each gift is a row of the ledger. Above an agent's limit it waits for a supervisor. Points go to the
customer through the mall's API where it can (an action of the outbox): the row is stored first and
counts when the mall has done it; sent again, the same action is found by its token. A mistake is taken
back by a row of its own.
"""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Outcome, Support
from hub.core.errors import ConfigurationError, MallError
from hub.core.model import InventoryMode
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest, WrongRequestError
from hub.desk.books.policy import read_policy
from hub.desk.care.compensation_views import gift_view, select_gifts
from hub.desk.care.views import GiftReason, GiftState, GiftView
from hub.desk.cases.case import NotFoundError
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.worklist.locks import HeldError, require_unheld
from hub.policy.book_rows import Gift
from hub.policy.shares import needs_approval, share_of
from hub.policy.switches import Switches, brand_of, switches_at
from hub.store.belonging import order_of_case
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.one import product_of
from hub.store.sealed import COMPENSATION_PLACE
from hub.store.tables import actions, cases, compensations, lines, orders, shops
from routing.modes import resolve_mode

NOTE_LIMIT: Final = 500
_TOKEN_LIMIT: Final = 100
_MOST_MINOR: Final = 10**12
_CURRENCY: Final = {"KR": "KRW", "JP": "JPY"}


class GiftGiven(Struct, frozen=True, kw_only=True):
    """What is given. ``amount_minor`` is in the line's currency. ``is_at_mall``: by the mall's API, points only;
    ``note`` is then what the customer reads. ``line_no`` may be left out where the order has one line.
    ``token``: the form's own, the same one twice gives once.
    """

    kind: Gift
    amount_minor: int
    reason: GiftReason
    token: str
    line_no: str | None = None
    note: str = ""
    is_at_mall: bool = False


class GiftError(Exception):
    """Nothing was stored. ``key`` is a message key that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.gift_{key}"


class _Line(Struct, frozen=True, kw_only=True):
    """What of a line the share depends on; ``partner`` by the routing book, where it names one."""

    shop_id: int
    shop: str
    order_no: str | None
    line_no: str | None
    currency: str
    mode: InventoryMode
    partner: str | None
    switches: Switches
    policy_version: int


async def give(services: Services, *, actor: Actor, case_id: int, given: GiftGiven) -> GiftView:
    """Store a gift and, where that is wanted, have the mall give it.

    Above the limit it waits as asked; whoever may approve gives it at once.
    Raises: ForbiddenError; NotFoundError; GiftError.
    """
    require(actor, Permission.WORK_CASES)
    _require_sense(given)
    if (known := await _by_token(services, case_id, given.token)) is not None:
        return await _view(services, known)
    line = await _line_of(services, case_id, given.line_no)
    if given.is_at_mall:
        _require_mall(services, line, await _mall_of(services, line.shop_id), given)
        await _require_unheld(services, actor, case_id)
    before = await _given_before(services, case_id, given.kind, line.currency)
    is_above = needs_approval(
        before + given.amount_minor, gift=given.kind, currency=line.currency, mode=line.mode, switches=line.switches
    )
    is_asked = is_above and not actor.may(Permission.APPROVE)
    row = _row(services, actor, case_id, given, line)
    if is_asked:
        row["state"] = GiftState.ASKED.value
    elif is_above:
        row["approved_by"] = actor.user_id
    try:
        async with services.database.writing() as connection:
            await connection.execute(compensations.insert().values(**row))
            await publish(connection, Topic.CASE, id=case_id)
    except IntegrityError:
        if (known := await _by_token(services, case_id, given.token)) is not None:
            return await _view(services, known)
        raise
    if row["state"] == GiftState.SENDING.value:
        await _send(services, actor, row["id"])
    return await _view(services, row["id"])


async def _given_before(services: Services, case_id: int, kind: Gift, currency: str) -> int:
    """What the case has had of this kind, or waits for: a limit is not gone round in small steps."""
    left_out = (GiftState.DECLINED.value, GiftState.NOT_GIVEN.value)
    query = select(func.coalesce(func.sum(compensations.c.amount_minor), 0)).where(
        compensations.c.case_id == case_id,
        compensations.c.kind == kind.value,
        compensations.c.currency == currency,
        compensations.c.state.not_in(left_out),
    )
    async with services.database.reading() as connection:
        return int(await connection.scalar(query) or 0)


def _require_sense(given: GiftGiven) -> None:
    if not 0 < given.amount_minor <= _MOST_MINOR:
        raise GiftError("amount")
    if len(given.note) > NOTE_LIMIT:
        raise GiftError("note_long")
    if given.reason is GiftReason.OTHER and not given.note.strip():
        raise GiftError("note_missing")
    if not given.token or len(given.token) > _TOKEN_LIMIT:
        raise GiftError("wrong")


def _require_mall(services: Services, line: _Line, mall: str, given: GiftGiven) -> None:
    if not can_give_points(services, mall) or given.kind is not Gift.POINTS or line.line_no is None:
        raise GiftError("not_at_mall")
    if line.currency not in _CURRENCY.values():
        # Elsewhere a point is not one minor unit.
        raise GiftError("not_at_mall")
    if not given.note.strip():
        raise GiftError("note_missing")


async def _require_unheld(services: Services, actor: Actor, case_id: int) -> None:
    try:
        await require_unheld(services, actor=actor, case_ids=[case_id])
    except HeldError as error:
        raise GiftError("held") from error


def can_give_points(services: Services, mall: str) -> bool:
    """Whether points can be given by the mall's API."""
    manifest = services.registry.manifests.get(mall)
    stated = manifest.capabilities.get(Action.GIVE_POINTS.capability) if manifest else None
    return stated is not None and stated.state is Support.YES


def _row(services: Services, actor: Actor, case_id: int, given: GiftGiven, line: _Line) -> dict[str, Any]:
    share = share_of(given.amount_minor, mode=line.mode, switches=line.switches)
    note = given.note.strip()
    return {
        "id": new_id(),
        "case_id": case_id,
        "shop_id": line.shop_id,
        "order_no": line.order_no,
        "line_no": line.line_no,
        "kind": given.kind.value,
        "state": (GiftState.SENDING if given.is_at_mall else GiftState.GIVEN).value,
        "is_at_mall": given.is_at_mall,
        "amount_minor": given.amount_minor,
        "currency": line.currency,
        "reason": given.reason.value,
        "partner": line.partner if share.partner_minor else None,
        "partner_minor": share.partner_minor,
        "policy_version": line.policy_version or None,
        "note_sealed": services.database.box.seal(note.encode(), COMPENSATION_PLACE) if note else None,
        "given_by": actor.user_id,
        "given_at": to_ms(services.now()),
        "token": given.token,
    }


async def _by_token(services: Services, case_id: int, token: str) -> int | None:
    query = select(compensations.c.id).where(compensations.c.token == token, compensations.c.case_id == case_id)
    async with services.database.reading() as connection:
        return await connection.scalar(query)


async def _view(services: Services, gift_id: int) -> GiftView:
    async with services.database.reading() as connection:
        row = (await connection.execute(select_gifts().where(compensations.c.id == gift_id))).one_or_none()
    if row is None:
        raise NotFoundError
    return gift_view(row, box=services.database.box, curtain=Curtain(is_open=False))


async def _mall_of(services: Services, shop_id: int) -> str:
    async with services.database.reading() as connection:
        return str(await connection.scalar(select(shops.c.mall).where(shops.c.id == shop_id)))


async def _line_of(services: Services, case_id: int, line_no: str | None) -> _Line:
    """Raises: NotFoundError for a case that is not there; GiftError for a line not of the case, or one to be named."""
    await services.refresh_routing()
    query = select(cases.c.shop_id, cases.c.order_no, shops.c.name.label("shop"), shops.c.mall).join_from(
        cases, shops, shops.c.id == cases.c.shop_id
    )
    async with services.database.reading() as connection:
        case = (await connection.execute(query.where(cases.c.id == case_id))).one_or_none()
        if case is None:
            raise NotFoundError
        row = await _one_line(connection, case_id, line_no)
        stock = None
        if row is not None:
            (stock,) = await read_stock_facts(services.database, connection, [(case.shop_id, product_of(row))])
    policy = await read_policy(services.database)
    on = services.now().astimezone(services.settings.zone).date()
    mode, partner = InventoryMode.UNKNOWN, None
    if row is not None and services.routing is not None:
        decided = resolve_mode(
            product_of(row),
            shop=case.shop,
            mall=case.mall,
            on=on,
            table=services.routing.table,
            facts=catalogue_facts(stock),
        )
        mode, partner = decided.mode, decided.partner
    brand = brand_of(
        policy.tables,
        shop=case.shop,
        mall=case.mall,
        sub_shop=row.sub_shop if row is not None else "",
        seller_sku=row.seller_sku if row is not None else None,
        on=on,
    )
    country = services.registry.manifests[case.mall].country if case.mall in services.registry.manifests else ""
    return _Line(
        shop_id=case.shop_id,
        shop=case.shop,
        order_no=case.order_no,
        line_no=row.line_no if row is not None else None,
        currency=(row.currency if row is not None else None) or _CURRENCY.get(country, "KRW"),
        mode=mode,
        partner=partner,
        switches=switches_at(policy.tables, shop=case.shop, mall=case.mall, brand=brand, on=on),
        policy_version=policy.version,
    )


async def _one_line(connection: AsyncConnection, case_id: int, line_no: str | None) -> Any:
    """The line meant; ``None`` for a case without an order that we know."""
    query = (
        select(lines, orders.c.sub_shop)
        .join_from(lines, orders, orders.c.id == lines.c.order_id)
        .join(cases, order_of_case())
        .where(cases.c.id == case_id)
        .order_by(lines.c.line_no, lines.c.id)
    )
    rows = (await connection.execute(query)).all()
    if line_no:
        rows = [row for row in rows if row.line_no == line_no]
    if len(rows) == 1:
        return rows[0]
    if line_no or rows:
        # Whose share it is depends on the line.
        raise GiftError("line")
    return None


async def _send(services: Services, actor: Actor, gift_id: int) -> None:
    """Have the mall give the points of a row that is sending; the same row sends once, however often it is called."""
    async with services.database.reading() as connection:
        row = (await connection.execute(select_gifts().where(compensations.c.id == gift_id))).one()
    note = services.database.box.open(row.note_sealed, COMPENSATION_PLACE).decode() if row.note_sealed else ""
    token = _action_token(gift_id)
    request = ActionRequest(
        action=Action.GIVE_POINTS,
        shop=row.shop,
        order_no=row.order_no,
        line_no=row.line_no,
        points=row.amount_minor,
        text=note,
        confirmed=True,
        token=token,
    )
    try:
        # It was allowed when it was stored: who has the case open by now is not in its way.
        result = await act(services, actor, request, heeds_locks=False)
    except (MallError, ConfigurationError, WrongRequestError):
        # Raised before anything is stored or sent: whether that is so, the token tells.
        result = None
    async with services.database.writing() as connection:
        action_id = await connection.scalar(select(actions.c.id).where(actions.c.token == token))
        state = GiftState.NOT_GIVEN if action_id is None else GiftState.SENDING
        if result is not None:
            state = _STATE_OF.get(result.outcome, GiftState.SENDING)
        values = {"state": state.value, "action_id": action_id}
        await connection.execute(update(compensations).where(compensations.c.id == gift_id).values(**values))


_STATE_OF: Final = {Outcome.DONE: GiftState.GIVEN, Outcome.REFUSED: GiftState.NOT_GIVEN}


def _action_token(gift_id: int) -> str:
    return f"compensation-{gift_id}"


async def send_again(services: Services, *, actor: Actor, case_id: int, gift_id: int) -> GiftView:
    """For a row that no action stands behind: the process ended in between. Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    row = await _own_row(services, case_id, gift_id)
    if row.state != GiftState.SENDING or row.action_id is not None:
        raise NotFoundError
    await _send(services, actor, gift_id)
    return await _view(services, gift_id)


async def _own_row(services: Services, case_id: int, gift_id: int) -> Row[Any]:
    query = select(compensations).where(compensations.c.id == gift_id, compensations.c.case_id == case_id)
    async with services.database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return row


async def decide_gift(services: Services, *, actor: Actor, gift_id: int, is_approved: bool) -> GiftView:
    """A supervisor approves or declines what an agent asked for.

    Raises: ForbiddenError; NotFoundError when nothing of that id waits.
    """
    require(actor, Permission.APPROVE)
    waits = (compensations.c.id == gift_id, compensations.c.state == GiftState.ASKED.value)
    async with services.database.writing() as connection:
        row = (await connection.execute(select(compensations).where(*waits).with_for_update())).one_or_none()
        if row is None:
            raise NotFoundError
        state = GiftState.DECLINED
        if is_approved:
            state = GiftState.SENDING if row.is_at_mall else GiftState.GIVEN
        # It counts in the month in which it is given.
        values = {"state": state.value, "approved_by": actor.user_id, "given_at": to_ms(services.now())}
        await connection.execute(update(compensations).where(*waits).values(**values))
        if row.case_id is not None:
            await publish(connection, Topic.CASE, id=row.case_id)
    if state is GiftState.SENDING:
        await _send(services, actor, gift_id)
    return await _view(services, gift_id)


async def reverse(services: Services, *, actor: Actor, case_id: int, gift_id: int, reason: str) -> GiftView:
    """Take a gift back in the ledger by a row with the negative amounts. The mall's own points stay where they are.

    One's own of the same day; others' by whoever may approve. Raises: ForbiddenError; NotFoundError; GiftError.
    """
    require(actor, Permission.WORK_CASES)
    if not reason.strip():
        raise GiftError("note_missing")
    if len(reason) > NOTE_LIMIT:
        raise GiftError("note_long")
    await _own_row(services, case_id, gift_id)
    known = await _view(services, gift_id)
    if not known.counts or known.reverses_id is not None or known.is_reversed:
        raise GiftError("not_reversible")
    zone, now = services.settings.zone, services.now()
    is_todays = known.given_at.astimezone(zone).date() == now.astimezone(zone).date()
    if known.given_by_id != actor.user_id or not is_todays:
        require(actor, Permission.APPROVE)
    async with services.database.writing() as connection:
        row = (await connection.execute(select(compensations).where(compensations.c.id == gift_id))).one()
        kept = ("case_id", "shop_id", "order_no", "line_no", "kind", "currency", "reason", "partner", "policy_version")
        back = {
            **{name: getattr(row, name) for name in kept},
            "id": new_id(),
            "state": GiftState.GIVEN.value,
            "is_at_mall": False,
            "amount_minor": -row.amount_minor,
            "partner_minor": -row.partner_minor,
            "note_sealed": services.database.box.seal(reason.strip().encode(), COMPENSATION_PLACE),
            "given_by": actor.user_id,
            "given_at": to_ms(now),
            "reverses_id": gift_id,
        }
        try:
            await connection.execute(compensations.insert().values(**back))
        except IntegrityError as error:
            # Somebody else was quicker.
            raise GiftError("not_reversible") from error
        if row.case_id is not None:
            await publish(connection, Topic.CASE, id=row.case_id)
    return await _view(services, back["id"])
