"""Keeps the cases equal to the claims and inquiries they stand for, in the transaction that wrote these.

A case is what an agent works on: all claims of one kind on one order, or one inquiry thread. It is
open while any of them is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import InquiryState
from hub.core.redact import mask_name, mask_text
from hub.policy.due import CaseFacts, CaseKind, Due, MallClock, due_dates
from hub.store.database import Database, from_ms, to_ms
from hub.store.ids import new_id
from hub.store.one import unpack_inquiry
from hub.store.sealed import INQUIRY_PLACE, ORDER_PLACE, unpack_order
from hub.store.tables import cases, claims, inquiries, lines, orders

#: stored when nothing is due, so that one index orders every list: 9999-12-31
NEVER = to_ms(datetime(9999, 12, 31, tzinfo=UTC)) or 0

_EXCERPT = 80
_OPEN_INQUIRY = frozenset({InquiryState.UNANSWERED, InquiryState.IN_PROGRESS, InquiryState.UNKNOWN})


class CaseKeeper:
    """Rebuilds cases of one shop."""

    def __init__(
        self, database: Database, *, shop_id: int, mall: str, country: str, clocks: tuple[MallClock, ...]
    ) -> None:
        self._database = database
        self._shop_id = shop_id
        self._mall = mall
        self._country = country
        self._clocks = clocks

    async def refresh(
        self,
        connection: AsyncConnection,
        *,
        claimed: Iterable[tuple[str, str]],
        threads: Iterable[str],
        now: datetime,
    ) -> None:
        """Rebuild the cases of these (order_no, claim kind) pairs and inquiry threads."""
        rows = [
            *await self._claim_cases(connection, set(claimed), now),
            *await self._inquiry_cases(connection, set(threads), now),
        ]
        await self._database.upsert_rows(
            connection,
            cases,
            rows,
            key=[cases.c.shop_id, cases.c.case_key],
            keep=[cases.c.assignee_id],
            changed_hash=False,
        )

    async def _claim_cases(
        self, connection: AsyncConnection, claimed: set[tuple[str, str]], now: datetime
    ) -> list[dict[str, Any]]:
        if not claimed:
            return []
        found = await connection.execute(
            _CLAIMS_OF_ORDERS, {"shop_id": self._shop_id, "numbers": list({order_no for order_no, _ in claimed})}
        )
        groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in found:
            if (row.order_no, row.kind) in claimed:
                groups[row.order_no, row.kind].append(row)
        return [self._claim_case(order_no, kind, rows, now) for (order_no, kind), rows in groups.items()]

    def _claim_case(self, order_no: str, kind: str, rows: Sequence[Any], now: datetime) -> dict[str, Any]:
        still_open = [row for row in rows if row.is_open]
        # The case shows its newest open claim; when all are over, the newest of all.
        shown = max(still_open or rows, key=lambda row: (row.requested_at or 0, row.id))
        opened_at = min((row.requested_at for row in still_open or rows if row.requested_at), default=to_ms(now) or 0)
        facts = CaseFacts(
            kind=CaseKind(kind),
            mall=self._mall,
            country=self._country,
            opened_at=_required(opened_at),
            paid_at=from_ms(shown.paid_at),
            ordered_at=from_ms(shown.ordered_at),
            planned_ship_at=from_ms(shown.planned_ship_at),
            dispatched_at=from_ms(shown.dispatched_at),
            collected_at=from_ms(min((row.collected_at for row in still_open if row.collected_at), default=None)),
        )
        ended = max((row.ended_at for row in rows if row.ended_at), default=None)
        return self._row(
            case_key=f"claim:{order_no}:{kind}",
            kind=kind,
            order_no=order_no,
            thread_no=None,
            is_open=bool(still_open),
            state=shown.state,
            product_name=shown.product_name,
            quantity=sum(row.quantity or 0 for row in still_open or rows) or None,
            customer=self._buyer_name(shown.sealed),
            excerpt=None,
            opened_at=opened_at,
            closed_at=None if still_open else ended or to_ms(now),
            dues=due_dates(facts, clocks=self._clocks) if still_open else (),
            now=now,
        )

    def _buyer_name(self, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        private = unpack_order(self._database.box.open(sealed, ORDER_PLACE))
        person = private.buyer or private.receiver
        return person.name if person else None

    async def _inquiry_cases(
        self, connection: AsyncConnection, threads: set[str], now: datetime
    ) -> list[dict[str, Any]]:
        if not threads:
            return []
        found = await connection.execute(_INQUIRIES_OF_THREADS, {"shop_id": self._shop_id, "threads": list(threads)})
        groups: dict[str, list[Any]] = defaultdict(list)
        for row in found:
            groups[row.thread_no].append(row)
        return [self._inquiry_case(thread_no, rows, now) for thread_no, rows in groups.items()]

    def _inquiry_case(self, thread_no: str, rows: Sequence[Any], now: datetime) -> dict[str, Any]:
        still_open = [row for row in rows if row.state in _OPEN_INQUIRY]
        shown = max(still_open or rows, key=lambda row: (row.asked_at, row.id))
        inquiry = unpack_inquiry(self._database.box.open(shown.sealed, INQUIRY_PLACE))
        facts = CaseFacts(
            kind=CaseKind(shown.kind),
            mall=self._mall,
            country=self._country,
            opened_at=_required(min(row.asked_at for row in still_open or rows)),
            is_answered=not still_open,
        )
        return self._row(
            case_key=f"inquiry:{thread_no}",
            kind=shown.kind,
            order_no=shown.order_no,
            thread_no=thread_no,
            is_open=bool(still_open),
            state=shown.state,
            product_name=shown.product_name,
            quantity=None,
            customer=inquiry.writer.name if inquiry.writer else None,
            excerpt=inquiry.subject or inquiry.text,
            opened_at=to_ms(facts.opened_at) or 0,
            closed_at=None if still_open else max(row.answered_at or row.asked_at for row in rows),
            dues=due_dates(facts, clocks=self._clocks) if still_open else (),
            now=now,
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


def _required(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


_CLAIMS_OF_ORDERS = (
    select(
        claims.c.id,
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
    .select_from(
        claims.outerjoin(
            lines, (lines.c.shop_id == claims.c.shop_id) & (lines.c.line_no == claims.c.line_no)
        ).outerjoin(orders, orders.c.id == lines.c.order_id)
    )
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
    inquiries.c.sealed,
).where(inquiries.c.shop_id == bindparam("shop_id"), inquiries.c.thread_no.in_(bindparam("threads", expanding=True)))
