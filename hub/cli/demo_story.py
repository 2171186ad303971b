"""What people have already done when the demo is opened: a policy, stages, a decision, a question, a promise.

Once, behind the first sync, on cases that the emulated malls happen to have; through the same doors that
the desk uses. A kind of case that there is not leaves its part out.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from hub.bootstrap import Hub
from hub.core.contract import Capability
from hub.core.model import ClaimReason, InventoryMode
from hub.desk.access import Actor, Role
from hub.desk.acting.mall_ways import way_of
from hub.desk.asks.asking import AskRequest, ask
from hub.desk.asks.contact import find_route
from hub.desk.books.policy import put_in_force
from hub.desk.care.promises import NewPromise, make_promise
from hub.desk.decisions.decision import RefusalRecord, decide_line, record_decision, tick_step
from hub.desk.decisions.facts import LineKey, Told
from hub.desk.decisions.facts_told import FactGiven, FactSource, FactState, Moment
from hub.desk.decisions.line_facts import set_facts
from hub.desk.users import list_users
from hub.policy.book import PolicyTables
from hub.policy.book_rows import CompensationRow, FeeItem, FeeRow, Gift, LimitRow, Rebilling, SwitchRow
from hub.policy.card import MallCan, Request, Verdict
from hub.policy.stage import Stage, StageFact
from hub.registry import KnowsMalls
from hub.sandbox.live import ENGRAVED
from hub.store.books import BookKind, newest_version
from hub.store.tables import cases, claims, lines, shops
from routing.chain import Matter

_DAY: Final = timedelta(days=1)
_Part = Callable[[Hub, Actor], Awaitable[bool]]
_FORWARDER: Final = "상품페이지 > 해외 구매대행 취소 안내"
_FEES: Final = (
    (FeeItem.RETURN_SHIPPING, None, 3_000, "상품페이지 > 반품 안내"),
    (FeeItem.EXCHANGE_SHIPPING, None, 6_000, "상품페이지 > 교환 안내"),
    (FeeItem.FORWARDER_RETURN, Stage.SENT_ABROAD, 3_000, _FORWARDER),
    (FeeItem.OVERSEAS_RETURN, Stage.SENT_ABROAD, 9_500, _FORWARDER),
)
_HERE: Final = "KR"


def _policy(malls: KnowsMalls) -> PolicyTables:
    """Amounts in won: the shops abroad have none of their own, and their cards say so."""
    return PolicyTables(
        switches=(SwitchRow(rebill_without_shipment=Rebilling.WITH_APPROVAL, delay_message=True, delay_points=1_000),),
        fees=tuple(
            FeeRow(mall=mall, item=item, stage=stage, amount_minor=amount, disclosed=True, disclosed_where=where)
            for mall, manifest in malls.manifests.items()
            if manifest.country == _HERE
            for item, stage, amount, where in _FEES
        ),
        compensation=(CompensationRow(mode=InventoryMode.CONSIGNMENT, partner_percent=50),),
        limits=(
            LimitRow(gift=Gift.POINTS, amount_minor=5_000),
            LimitRow(gift=Gift.PARTIAL_REFUND, amount_minor=10_000),
        ),
    )


class Story:
    """Parts wait for a case that they can be told of: the emulated malls bring new ones all the time."""

    def __init__(self) -> None:
        self._waiting: list[_Part] | None = None

    async def go_on(self, hub: Hub) -> None:
        """Tell what can be told by now."""
        if self._waiting is None:
            self._waiting = await _begin(hub)
        if self._waiting:
            agent = await _agent(hub)
            self._waiting = [part for part in self._waiting if not await part(hub, agent)]


async def _begin(hub: Hub) -> list[_Part]:
    """Nothing where somebody has written a policy: the demo has a story of its own then."""
    if await newest_version(hub.database, BookKind.POLICY):
        return []
    names = [shop.name for shop in await hub.shops()]
    await put_in_force(
        hub.database, _policy(hub.registry), malls=hub.registry, shops=names, now=hub.now(), note="데모 정책"
    )
    return [_bought_abroad, _made_to_order, _asked_logistics, _promised]


async def _agent(hub: Hub) -> Actor:
    user = next(user for user in await list_users(hub.database) if user.role is Role.AGENT)
    return Actor(user_id=user.user_id, login=user.login, name=user.name, role=user.role)


async def _open_claims(hub: Hub, kind: str, *reasons: ClaimReason) -> Sequence[Any]:
    """Open cases of a claim on a line, those asked for last first; of all reasons unless some are given."""
    query = (
        select(
            cases.c.id,
            cases.c.order_no,
            claims.c.line_no,
            claims.c.reason,
            lines.c.product_option,
            shops.c.name,
            shops.c.mall,
        )
        .select_from(
            cases.join(claims, (claims.c.shop_id == cases.c.shop_id) & (claims.c.order_no == cases.c.order_no))
            .join(lines, (lines.c.shop_id == claims.c.shop_id) & (lines.c.line_no == claims.c.line_no))
            .join(shops, shops.c.id == cases.c.shop_id)
        )
        .where(cases.c.kind == kind, claims.c.kind == kind, cases.c.is_open, claims.c.is_open)
        .order_by(claims.c.requested_at.desc(), cases.c.id.desc())
        .limit(50)
    )
    if reasons:
        query = query.where(claims.c.reason.in_(reasons))
    async with hub.database.reading() as connection:
        return (await connection.execute(query)).all()


def _is_engraved(row: Any) -> bool:
    return any(option in (row.product_option or "") for option in ENGRAVED.values())


async def _bought_abroad(hub: Hub, agent: Actor) -> bool:
    """A cancel in stage 2: sent to the forwarder, who does not have it yet."""
    found = [
        row
        for row in await _open_claims(hub, "cancel")
        if hub.registry.manifest(row.mall).country == _HERE and not _is_engraved(row)
    ]
    if not found:
        return False
    row, now = found[0], hub.now()
    told = (
        (StageFact.OVERSEAS_ORDERED, now - 2 * _DAY, "AMZ-112-0148"),
        (StageFact.OVERSEAS_DISPATCHED, now - _DAY, "1Z-999-AA1"),
        (StageFact.FORWARDER_IN, None, None),
    )
    given = [
        FactGiven(
            place=place,
            shop=row.name,
            order_no=row.order_no,
            line_no=row.line_no,
            fact=fact,
            moment=Moment(state=FactState.HAPPENED if at else FactState.NOT_HAPPENED, at=at),
            reference=number,
        )
        for place, (fact, at, number) in enumerate(told, 1)
    ]
    await set_facts(hub, actor=agent, given=given, source=FactSource.AGENT)
    return True


async def _made_to_order(hub: Hub, agent: Actor) -> bool:
    """A refused cancel at a mall whose API refuses none, half way through its steps."""
    for row in await _open_claims(hub, "cancel"):
        way = way_of(hub.registry.manifest(row.mall), Capability.REFUSE_CANCEL)
        if way.can is not MallCan.ADMIN or not _is_engraved(row):
            continue
        decided = await decide_line(
            hub,
            actor=agent,
            key=LineKey(shop=row.name, order_no=row.order_no, line_no=row.line_no),
            request=Request.CANCEL,
            told=Told(reason=ClaimReason.CHANGE_OF_MIND, made_to_order=True, notice_given=True),
        )
        if decided.card.decision is not Verdict.REFUSE:
            continue
        refusal = RefusalRecord(
            evidence="주문 옵션 '이니셜 각인'과 상품페이지의 교환·취소 제한 표시",
            message_sent=decided.card.draft,
            alternative_offered="받은 뒤 교환 안내",
        )
        await record_decision(hub, actor=agent, decided=decided, case_id=row.id, refusal=refusal)
        first = decided.card.steps[0].key
        await tick_step(hub, actor=agent, case_id=row.id, line_no=row.line_no, step=first, card=decided.card)
        return True
    return False


async def _asked_logistics(hub: Hub, agent: Actor) -> bool:
    """A defect of goods that the warehouse firm keeps, asked by telephone and not answered yet."""
    for row in await _open_claims(hub, "return", ClaimReason.DEFECT, ClaimReason.DAMAGED):
        route = await find_route(hub, case_id=row.id, matter=Matter.DEFECT)
        if route is not None and route.chain and route.mode.mode is InventoryMode.THIRD_PARTY_LOGISTICS:
            known = [link.contact.key for link in route.chain if link.contact is not None]
            if known:
                asked = AskRequest(
                    matter=Matter.DEFECT, contact_key=known[0], way="call", token=secrets.token_urlsafe(18)
                )
                await ask(hub, actor=agent, case_id=row.id, request=asked)
                return True
    return False


async def _promised(hub: Hub, agent: Actor) -> bool:
    query = select(cases.c.id).where(cases.c.kind == "order_inquiry", cases.c.is_open).order_by(cases.c.id).limit(1)
    async with hub.database.reading() as connection:
        case_id = await connection.scalar(query)
    if case_id is None:
        return False
    given = NewPromise(due_at=hub.now() + timedelta(hours=2), what="배송 위치를 확인해 다시 연락")
    await make_promise(hub, actor=agent, case_id=case_id, given=given)
    return True
