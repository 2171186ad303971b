"""Keeps the cases equal to the claims and inquiries they stand for, in the transaction that wrote these.

A case is what an agent works on: all claims of one kind on one order, or one inquiry thread. It is
open while any of them is. Two sub-shops may number an order alike: these are two orders with cases of their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import InquiryState, LineStatus
from hub.core.redact import mask_name, mask_text
from hub.policy.clock_file import standard_clocks
from hub.policy.due import CaseFacts, CaseKind, Due, MallClock, Promised, due_dates
from hub.store.belonging import line_of_claim
from hub.store.database import Database, among, from_ms, time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import MOST_CASES, Topic, publish
from hub.store.one import unpack_inquiry
from hub.store.sealed import INQUIRY_PLACE, ORDER_PLACE, unpack_order
from hub.store.shops import ShopRow
from hub.store.tables import cases, claims, inquiries, lines, orders, promises, shops
from hub.store.vanished import VANISHED
from hub.sync.case_rules import CaseRules, ShopRules

#: stored when nothing is due, so that one index orders every list: 9999-12-31
NEVER = to_ms(datetime(9999, 12, 31, tzinfo=UTC)) or 0

_EXCERPT = 80
_NOT_SENT = [LineStatus.PAID.value, LineStatus.PREPARING.value]
_OPEN_INQUIRY = frozenset({InquiryState.UNANSWERED, InquiryState.IN_PROGRESS, InquiryState.UNKNOWN})


class _OfClaims(NamedTuple):
    sub_shop: str
    order_no: str
    kind: str


class _Given(Struct, frozen=True, kw_only=True):
    """What one refresh counts by; ``promises`` are the open ones by case key."""

    rules: CaseRules
    promises: Mapping[str, tuple[Promised, ...]]
    now: datetime

    def dues(self, facts: CaseFacts) -> tuple[Due, ...]:
        return due_dates(facts, clocks=self.rules.clocks, targets=self.rules.targets, days=self.rules.days)


class CaseKeeper:
    """Rebuilds cases of one shop.

    ``country`` is its calendar ("KR", "JP"); ``clocks`` are the shipped ones, where the policy book says nothing.
    """

    def __init__(self, database: Database, *, shop: ShopRow, country: str, clocks: tuple[MallClock, ...]) -> None:
        self._database = database
        self._shop_id = shop.id
        self._shop = shop.name
        self._mall = shop.mall
        self._country = country
        self._rules = ShopRules(database, shop=shop, country=country, shipped=clocks)

    async def refresh(
        self,
        connection: AsyncConnection,
        *,
        claimed: Iterable[tuple[str, str]],
        threads: Iterable[str],
        now: datetime,
    ) -> None:
        """Rebuild the cases of these (order_no, claim kind) pairs and inquiry threads."""
        pairs, thread_nos = set(claimed), set(threads)
        if not pairs and not thread_nos:
            return
        groups = await self._claims(connection, pairs)
        keys = [*(_claim_key(*group) for group in groups), *map(_inquiry_key, thread_nos)]
        given = _Given(
            rules=await self._rules.at(connection, now), promises=await self._promises(connection, keys), now=now
        )
        rows = [
            *(self._claim_case(group, found, given) for group, found in groups.items()),
            *await self._inquiry_cases(connection, thread_nos, given),
        ]
        await self._database.upsert_rows(
            connection,
            cases,
            rows,
            key=[cases.c.shop_id, cases.c.case_key],
            keep=[cases.c.assignee_id, cases.c.team_id, cases.c.snoozed_at, cases.c.snoozed_until],
            changed_hash=False,
        )
        await self._tell(connection, [row["case_key"] for row in rows])

    async def _tell(self, connection: AsyncConnection, keys: Sequence[str]) -> None:
        """Open screens read these cases again: one event, however many there are."""
        if not keys:
            return
        given = {"shop_id": self._shop_id, "keys": list(keys[:MOST_CASES])}
        found = await self._database.fetch(connection, _CASE_IDS, given)
        await publish(connection, Topic.CASES, ids=[row[0] for row in found], more=len(keys) > MOST_CASES)

    async def _promises(self, connection: AsyncConnection, keys: Sequence[str]) -> dict[str, tuple[Promised, ...]]:
        """The open promises of these cases, by case key."""
        found: dict[str, tuple[Promised, ...]] = {}
        given = {"shop_id": self._shop_id, "keys": keys}
        for case_key, due_at, made_at, to_whom in await self._database.fetch(connection, _OPEN_PROMISES, given):
            promise = Promised(at=time_of(due_at), made_at=time_of(made_at), to_whom=to_whom)
            found[case_key] = (*found.get(case_key, ()), promise)
        return found

    async def _claims(self, connection: AsyncConnection, claimed: set[tuple[str, str]]) -> dict[_OfClaims, list[Any]]:
        """The claims behind each case."""
        if not claimed:
            return {}
        found = await connection.execute(
            _CLAIMS_OF_ORDERS, {"shop_id": self._shop_id, "numbers": list({order_no for order_no, _ in claimed})}
        )
        groups: dict[_OfClaims, list[Any]] = defaultdict(list)
        for row in found:
            if (row.order_no, row.kind) in claimed:
                groups[_OfClaims(row.sub_shop, row.order_no, row.kind)].append(row)
        return groups

    def _claim_case(self, of: _OfClaims, rows: Sequence[Any], given: _Given) -> dict[str, Any]:
        sub_shop, order_no, kind = of
        case_key = _claim_key(*of)
        still_open = [row for row in rows if row.is_open]
        # The case shows its newest open claim; when all are over, the newest of all.
        shown = max(still_open or rows, key=lambda row: (row.requested_at or 0, row.id))
        opened_at = min(
            (row.requested_at for row in still_open or rows if row.requested_at), default=to_ms(given.now) or 0
        )
        facts = CaseFacts(
            kind=CaseKind(kind),
            mall=self._mall,
            shop=self._shop,
            country=self._country,
            opened_at=_required(opened_at),
            paid_at=from_ms(shown.paid_at),
            ordered_at=from_ms(shown.ordered_at),
            planned_ship_at=from_ms(shown.planned_ship_at),
            dispatched_at=from_ms(shown.dispatched_at),
            collected_at=from_ms(min((row.collected_at for row in still_open if row.collected_at), default=None)),
            promises=given.promises.get(case_key, ()),
        )
        ended = max((row.ended_at for row in rows if row.ended_at), default=None)
        return self._row(
            case_key=case_key,
            kind=kind,
            sub_shop=sub_shop,
            order_no=order_no,
            thread_no=None,
            is_open=bool(still_open),
            state=shown.state,
            product_name=shown.product_name,
            quantity=sum(row.quantity or 0 for row in still_open or rows) or None,
            customer=self._buyer_name(shown.sealed),
            excerpt=None,
            opened_at=opened_at,
            closed_at=None if still_open else ended or to_ms(given.now),
            dues=given.dues(facts) if still_open else (),
            now=given.now,
        )

    def _buyer_name(self, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        private = unpack_order(self._database.box.open(sealed, ORDER_PLACE))
        person = private.buyer or private.receiver
        return person.name if person else None

    async def _inquiry_cases(
        self, connection: AsyncConnection, threads: set[str], given: _Given
    ) -> list[dict[str, Any]]:
        if not threads:
            return []
        found = await connection.execute(_INQUIRIES_OF_THREADS, {"shop_id": self._shop_id, "threads": list(threads)})
        groups: dict[str, list[Any]] = defaultdict(list)
        for row in found:
            groups[row.thread_no].append(row)
        unsent = await self._unsent(connection, {row.order_no for rows in groups.values() for row in rows})
        return [self._inquiry_case(thread_no, rows, unsent, given) for thread_no, rows in groups.items()]

    async def _unsent(self, connection: AsyncConnection, order_nos: set[str | None]) -> dict[str, Any]:
        """Times of the orders of which something still waits to be sent, by order number."""
        numbers = sorted(order_no for order_no in order_nos if order_no is not None)
        if not numbers:
            return {}
        given = {"shop_id": self._shop_id, "order_nos": numbers, "statuses": _NOT_SENT}
        return {row[0]: row for row in await self._database.fetch(connection, _UNSENT_ORDERS, given)}

    def _inquiry_case(
        self, thread_no: str, rows: Sequence[Any], unsent: Mapping[str, Any], given: _Given
    ) -> dict[str, Any]:
        case_key = _inquiry_key(thread_no)
        still_open = [row for row in rows if row.state in _OPEN_INQUIRY and row.vanished_at is None]
        shown = max(still_open or rows, key=lambda row: (row.asked_at, row.id))
        inquiry = unpack_inquiry(self._database.box.open(shown.sealed, INQUIRY_PLACE))
        _, ordered_at, paid_at, planned_ship_at, unreserved, sendable_from = unsent.get(shown.order_no, _NOTHING_WAITS)
        facts = CaseFacts(
            kind=CaseKind(shown.kind),
            mall=self._mall,
            shop=self._shop,
            country=self._country,
            opened_at=_required(min(row.asked_at for row in still_open or rows)),
            ordered_at=from_ms(ordered_at),
            paid_at=from_ms(paid_at),
            planned_ship_at=from_ms(planned_ship_at),
            is_reserved=unreserved == 0,
            sendable_from=from_ms(sendable_from),
            promises=given.promises.get(case_key, ()),
            is_answered=not still_open,
        )
        return self._row(
            case_key=case_key,
            kind=shown.kind,
            sub_shop="",
            order_no=shown.order_no,
            thread_no=thread_no,
            is_open=bool(still_open),
            state=shown.state if shown.vanished_at is None else VANISHED,
            product_name=shown.product_name,
            quantity=None,
            customer=inquiry.writer.name if inquiry.writer else None,
            excerpt=inquiry.subject or inquiry.text,
            opened_at=to_ms(facts.opened_at) or 0,
            closed_at=None if still_open else max(row.vanished_at or row.answered_at or row.asked_at for row in rows),
            dues=given.dues(facts) if still_open else (),
            now=given.now,
        )

    def _row(
        self, *, customer: str | None, excerpt: str | None, dues: tuple[Due, ...], now: datetime, **columns: Any
    ) -> dict[str, Any]:
        first = dues[0] if dues else None
        return {
            "id": new_id(),
            "shop_id": self._shop_id,
            "customer_masked": mask_name(customer),
            "excerpt_masked": mask_text(" ".join(excerpt.split())[:_EXCERPT]) if excerpt else None,
            "due_at": to_ms(first.at) if first else NEVER,
            "due_cause": first.label_key if first else None,
            "due_all": msgspec.json.encode(dues).decode(),
            "assignee_id": None,
            "updated_at": to_ms(now),
            **columns,
        }


async def refresh_case_dues(
    database: Database,
    connection: AsyncConnection,
    case_id: int,
    *,
    countries: Mapping[str, str],
    now: datetime,
    clocks: tuple[MallClock, ...] | None = None,
) -> None:
    """Count the deadlines of one case anew, because a promise or a fact of it changed in this transaction.

    ``countries`` tells the calendar of each mall. A case that is gone has no deadlines.
    """
    row = (await connection.execute(_CASE, {"case_id": case_id})).one_or_none()
    if row is None:
        return
    keeper = CaseKeeper(
        database,
        shop=ShopRow(id=row.shop_id, name=row.name, mall=row.mall, base_url=None),
        country=countries[row.mall],
        clocks=standard_clocks() if clocks is None else clocks,
    )
    await keeper.refresh(
        connection,
        claimed=[(row.order_no, row.kind)] if row.thread_no is None else [],
        threads=[] if row.thread_no is None else [row.thread_no],
        now=now,
    )


def _claim_key(sub_shop: str, order_no: str, kind: str) -> str:
    """As :func:`hub.store.belonging.case_of_claim` tells the database."""
    key = f"claim:{order_no}:{kind}"
    return f"{key}:{sub_shop}" if sub_shop else key


def _inquiry_key(thread_no: str) -> str:
    return f"inquiry:{thread_no}"


def _required(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


_CASE_IDS = select(cases.c.id).where(cases.c.shop_id == bindparam("shop_id"), among(cases.c.case_key, "keys"))
_CLAIMS_OF_ORDERS = (
    select(
        claims.c.id,
        claims.c.sub_shop,
        claims.c.order_no,
        claims.c.kind,
        claims.c.state,
        claims.c.is_open,
        claims.c.quantity,
        claims.c.requested_at,
        claims.c.ended_at,
        claims.c.collected_at,
        orders.c.sealed,
        orders.c.paid_at,
        orders.c.ordered_at,
        lines.c.product_name,
        lines.c.planned_ship_at,
        lines.c.dispatched_at,
    )
    .select_from(claims.outerjoin(lines, line_of_claim()).outerjoin(orders, orders.c.id == lines.c.order_id))
    .where(claims.c.shop_id == bindparam("shop_id"), claims.c.order_no.in_(bindparam("numbers", expanding=True)))
)
_INQUIRIES_OF_THREADS = select(
    inquiries.c.id,
    inquiries.c.thread_no,
    inquiries.c.kind,
    inquiries.c.state,
    inquiries.c.order_no,
    inquiries.c.product_name,
    inquiries.c.asked_at,
    inquiries.c.answered_at,
    inquiries.c.vanished_at,
    inquiries.c.sealed,
).where(inquiries.c.shop_id == bindparam("shop_id"), inquiries.c.thread_no.in_(bindparam("threads", expanding=True)))
_NOTHING_WAITS = (None,) * 6
# Nothing is due of an order whose lines are all sent, over or gone.
_UNSENT_ORDERS = (
    select(
        orders.c.order_no,
        func.min(orders.c.ordered_at),
        func.min(orders.c.paid_at),
        func.min(lines.c.planned_ship_at),
        # One line that is not reserved is due as ever.
        func.count().filter(lines.c.is_reserved.is_not(True)),
        func.min(lines.c.sendable_from),
    )
    .select_from(orders.join(lines, lines.c.order_id == orders.c.id))
    .where(
        orders.c.shop_id == bindparam("shop_id"),
        among(orders.c.order_no, "order_nos"),
        among(lines.c.status, "statuses"),
        lines.c.dispatched_at.is_(None),
        lines.c.vanished_at.is_(None),
    )
    .group_by(orders.c.order_no)
)
_OPEN_PROMISES = (
    select(cases.c.case_key, promises.c.due_at, promises.c.made_at, promises.c.to_whom)
    .select_from(cases.join(promises, promises.c.case_id == cases.c.id))
    .where(cases.c.shop_id == bindparam("shop_id"), among(cases.c.case_key, "keys"), promises.c.state == "open")
    .order_by(promises.c.due_at, promises.c.id)
)
_CASE = (
    select(cases.c.shop_id, cases.c.order_no, cases.c.kind, cases.c.thread_no, shops.c.name, shops.c.mall)
    .select_from(cases.join(shops, shops.c.id == cases.c.shop_id))
    .where(cases.c.id == bindparam("case_id"))
)
