"""What the hub knows of a line that a decision rests on, and what the agent adds to it."""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.core.model import ClaimReason, ClaimState, FaultParty, InventoryMode, LineStatus, Money
from hub.desk.acting.mall_ways import ways_of
from hub.desk.decisions.line_facts import facts_of_line, told_of
from hub.desk.services import Services
from hub.policy.card import CardFacts, Request, ToldFacts
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.database import among, from_ms, read_rows, time_of
from hub.store.one import product_of
from hub.store.questions import Question, asking
from hub.store.tables import cases, claims, lines, orders, promises, shops
from routing.modes import resolve_mode

_CLAIM_OF: Final = {
    Request.CANCEL: ("cancel",),
    Request.RETURN: ("return",),
    Request.EXCHANGE: ("exchange",),
    Request.WITHDRAW_RETURN: ("return",),
    Request.PARTIAL_REFUND: ("return", "exchange"),
    Request.DELIVERY_STATUS: ("non_receipt",),
}
_BACK: Final = frozenset({ClaimState.COLLECTED, ClaimState.INSPECTING, ClaimState.REFUNDING, ClaimState.DONE})


class LineKey(Struct, frozen=True, kw_only=True):
    """Without ``order_no`` the newest line of the shop with that number."""

    shop: str
    line_no: str
    order_no: str | None = None


class Told(ToldFacts, frozen=True, kw_only=True):
    """What the agent knows beyond the hub; ``None`` and empty leave it to the hub.

    ``at``: the moment to decide for; absent, the request came with its claim, else now.
    """

    at: datetime | None = None
    reason: ClaimReason | None = None
    claimed_fault: FaultParty | None = None


NOTHING_TOLD: Final = Told()


class LineKnown(Struct, frozen=True, kw_only=True):
    """``facts`` of one line; ``seller_sku`` and ``sub_shop`` tell its brand."""

    facts: CardFacts
    shop_id: int
    seller_sku: str | None
    sub_shop: str


async def read_card_facts(
    services: Services, key: LineKey, *, request: Request, told: Told = NOTHING_TOLD
) -> LineKnown:
    """In a fixed number of queries, whatever the order holds.

    Raises: ConfigurationError for a shop or line that the hub does not know.
    """
    await services.refresh_routing()
    now = services.now()
    async with services.database.reading() as connection:
        row = await _find_line(connection, key)
        async with asking(connection) as ask:
            claims_asked, promise_asked = ask(_claim_of(row, request)), ask(_promise_of(row))
            told_asked = ask(told_of(row.shop_id, [row.order_no]))
        (stock,) = await read_stock_facts(services.database, connection, [(row.shop_id, product_of(row))])
    claim, stage_told, promised = claims_asked.found, told_asked.found, promise_asked.found
    abroad = stage_told.get((row.order_no, row.line_no), {})
    manifest = services.registry.manifest(row.mall)
    status = LineStatus(row.status)
    reason = told.reason or (ClaimReason(claim.reason) if claim else ClaimReason.UNKNOWN)
    opened_at = told.at or from_ms(claim.requested_at if claim else None) or now
    delivered_at = from_ms(row.delivered_at)
    open_state = ClaimState(claim.state) if claim and claim.is_open else None
    allow_way, refuse_way = ways_of(manifest, request, claim=open_state, status=status, reason=reason)
    table = services.routing.table if services.routing else None
    mode = InventoryMode.UNKNOWN
    if table is not None:
        on = opened_at.astimezone(services.settings.zone).date()
        mode = resolve_mode(
            product_of(row), shop=row.shop, mall=row.mall, on=on, table=table, facts=catalogue_facts(stock)
        ).mode
    facts = CardFacts(
        shop=row.shop,
        mall=row.mall,
        country=manifest.country,
        sub_shop=row.sub_shop,
        order_no=row.order_no,
        line_no=row.line_no,
        status=status,
        quantity=(claim.quantity if claim else None) or row.quantity,
        amount=_money(row.amount_minor, row.currency),
        mode=mode,
        opened_at=opened_at,
        decided_at=told.at or max(now, opened_at),
        ordered_at=from_ms(row.ordered_at),
        paid_at=from_ms(row.paid_at),
        planned_ship_at=from_ms(row.planned_ship_at),
        is_reserved=bool(row.is_reserved),
        sendable_from=from_ms(row.sendable_from),
        dispatched_at=from_ms(row.dispatched_at),
        tracking_no=row.tracking_no,
        delivered_at=delivered_at,
        left_at=_back_at(claim),
        claim_state=ClaimState(claim.state) if claim else None,
        reason=reason,
        claimed_fault=FaultParty(claim.fault_party) if claim else FaultParty.UNKNOWN,
        is_purchase_agency=bool(abroad),
        stage_facts=facts_of_line(abroad, status=status, delivered_at=delivered_at, as_of=time_of(row.fetched_at)),
        promised_at=promised,
        allow_way=allow_way,
        refuse_way=refuse_way,
    )
    return LineKnown(
        facts=structs.replace(facts, **_given(told)),
        shop_id=row.shop_id,
        seller_sku=row.seller_sku,
        sub_shop=row.sub_shop,
    )


def _given(told: Told) -> dict[str, Any]:
    """What the agent told, over what the hub knows."""
    named = {name: getattr(told, name) for name in told.__struct_fields__ if name not in {"at", "reason"}}
    # An approval is only ever given, never taken away, here.
    return {name: value for name, value in named.items() if value is not None and value != ()}


async def _find_line(connection: AsyncConnection, key: LineKey) -> Any:
    if key.order_no is None:
        found = await read_rows(connection, _LINE, shop=key.shop, line_no=key.line_no)
    else:
        named = {"shop": key.shop, "line_no": key.line_no, "order_no": key.order_no}
        found = await read_rows(connection, _LINE_OF_ORDER, **named)
    if found:
        return found[0]
    names = list(await connection.scalars(select(shops.c.name).where(shops.c.is_active).order_by(shops.c.name)))
    if key.shop not in names:
        what = f"there is no shop {key.shop!r}"
        raise ConfigurationError(what, fix=f"Known shops: {', '.join(names) or 'none'}.")
    of_order = f" in order {key.order_no!r}" if key.order_no is not None else ""
    what = f"the hub knows no line {key.line_no!r}{of_order} in shop {key.shop!r}"
    fix = f"Read it first with `hub resync --shop {key.shop} --order NO`, or see `hub export lines --shop {key.shop}`."
    raise ConfigurationError(what, fix=fix)


_LINE: Final = (
    select(
        lines,
        orders.c.order_no,
        orders.c.sub_shop,
        orders.c.ordered_at,
        orders.c.paid_at,
        shops.c.name.label("shop"),
        shops.c.mall,
    )
    .select_from(lines.join(orders, orders.c.id == lines.c.order_id).join(shops, shops.c.id == lines.c.shop_id))
    .where(shops.c.name == bindparam("shop"), lines.c.line_no == bindparam("line_no"))
    .order_by(lines.c.id.desc())
    .limit(1)
)
_LINE_OF_ORDER: Final = _LINE.where(orders.c.order_no == bindparam("order_no"))


def _claim_of(row: Any, request: Request) -> Question[Any]:
    """The claim that the request is about: the newest open one, else the newest."""
    of_line = {
        "shop_id": row.shop_id, "order_no": row.order_no, "sub_shop": row.sub_shop, "line_no": row.line_no
    }  # fmt: skip

    def newest(rows: list[Any]) -> Any:
        # A claim that is over says nothing of a new wish, except that it was there to be taken back.
        return rows[0] if rows and (rows[0].is_open or request is Request.WITHDRAW_RETURN) else None

    return Question(_CLAIM, {**of_line, "kinds": list(_CLAIM_OF[request])}, newest)


_CLAIM: Final = (
    select(claims)
    .where(
        claims.c.shop_id == bindparam("shop_id"),
        claims.c.order_no == bindparam("order_no"),
        claims.c.sub_shop == bindparam("sub_shop"),
        claims.c.line_no == bindparam("line_no"),
        among(claims.c.kind, "kinds"),
    )
    .order_by(claims.c.is_open.desc(), claims.c.requested_at.desc(), claims.c.id.desc())
    .limit(1)
)


def _back_at(claim: Any) -> datetime | None:
    if claim is None or ClaimState(claim.state) not in _BACK:
        return None
    return from_ms(claim.collected_at)


def _promise_of(row: Any) -> Question[datetime | None]:
    """The next open promise to the customer about this order."""
    of_order = {"shop_id": row.shop_id, "order_no": row.order_no}
    return Question(_PROMISE, of_order, lambda rows: time_of(rows[0].due_at) if rows else None)


_PROMISE: Final = (
    select(promises.c.due_at)
    .join_from(promises, cases, cases.c.id == promises.c.case_id)
    .where(
        cases.c.shop_id == bindparam("shop_id"),
        cases.c.order_no == bindparam("order_no"),
        promises.c.state == "open",
        promises.c.to_whom == "customer",
    )
    .order_by(promises.c.due_at)
    .limit(1)
)


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor=minor, currency=currency)
