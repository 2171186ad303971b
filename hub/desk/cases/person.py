"""Other orders that are perhaps the same person's: joined by keyed hashes, never by a name, never stored."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import CompoundSelect, Select, bindparam, false, not_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.cases.twins import twin_pairs_of, twins_of
from hub.desk.marks import mall_mark
from hub.desk.services import Malls
from hub.desk.views import OtherOrder
from hub.store.database import among, from_ms
from hub.store.questions import Question, asking
from hub.store.tables import cases, lines, orders, shops

LIMIT: Final = 20
# "+ 0" keeps the planner from walking the index of all orders by date until enough of them match.
NEWEST_FIRST: Final = ((orders.c.ordered_at + 0).desc(), orders.c.id.desc())


def matching_orders(phones: Sequence[Any], emails: Sequence[Any]) -> CompoundSelect[int] | None:
    """Ids of all orders with one of these blind indexes; ``None`` without any.

    One index search each: with OR the planner would rather walk all orders by their date.
    """
    matches = []
    if phones:
        matches += [orders.c.buyer_phone_idx.in_(phones), orders.c.receiver_phone_idx.in_(phones)]
    if emails:
        matches.append(orders.c.buyer_email_idx.in_(emails))
    return union(*(select(orders.c.id).where(match) for match in matches)) if matches else None


def orders_of(phones: Sequence[bytes], emails: Sequence[bytes], *, without: Sequence[int]) -> Question[list[Any]]:
    """Orders over all malls with one of these blind indexes, newest first, at most LIMIT.

    ``without`` is the order already on the screen, and its twins.
    """
    keys = {**key_values("phone", phones), **key_values("email", emails)}
    return Question(_orders_of(places(len(phones)), places(len(emails))), {"without": list(without), **keys}, list)


def places(count: int) -> int:
    """How many values a statement has room for that is given so many: few different statements, each compiled once."""
    return 1 << (count - 1).bit_length() if count else 0


def key_names(name: str, room: int) -> list[str]:
    return [f"{name}_{number}" for number in range(room)]


def key_values(name: str, keys: Sequence[bytes]) -> dict[str, bytes]:
    """Values for :func:`key_names`, the last of them as often as it takes. SQLite takes no list of bytes as one."""
    room = places(len(keys))
    return {each: keys[min(at, len(keys) - 1)] for at, each in enumerate(key_names(name, room))}


@lru_cache
def _orders_of(phones: int, emails: int) -> Select[Any]:
    same_person = matching_orders(
        [bindparam(name) for name in key_names("phone", phones)],
        [bindparam(name) for name in key_names("email", emails)],
    )
    is_same = false() if same_person is None else orders.c.id.in_(same_person)
    return (
        select(orders, shops.c.name.label("shop"), shops.c.mall)
        .select_from(orders.join(shops, shops.c.id == orders.c.shop_id))
        .where(is_same, shops.c.is_active, not_(among(orders.c.id, "without")))
        .order_by(*NEWEST_FIRST)
        .limit(LIMIT)
    )


async def summarise(
    connection: AsyncConnection, found: Sequence[Any], *, phones: frozenset[bytes], malls: Malls
) -> tuple[OtherOrder, ...]:
    """Order rows (with ``shop`` and ``mall``) as short views, with their lines and open cases: a few more queries.

    A copy stands with its original where that is among them: one order is one entry.
    """
    if not found:
        return ()
    ids = [row.id for row in found]
    of_cases = {"shops": sorted({row.shop_id for row in found}), "numbers": sorted({row.order_no for row in found})}
    async with asking(connection) as ask:
        pairs = ask(twin_pairs_of(ids))
        order_lines, order_cases = ask(Question(_LINES, {"orders": ids}, list)), ask(Question(_CASES, of_cases, list))
    twins = await twins_of(connection, pairs.found, malls=malls)
    shown = set(ids)
    found = [
        row for row in found if not any(twin.is_original and twin.order_id in shown for twin in twins.get(row.id, ()))
    ]
    by_order: dict[int, list[Any]] = defaultdict(list)
    for line in order_lines.found:
        by_order[line.order_id].append(line)
    open_cases: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for case in sorted(order_cases.found, key=lambda row: (row.due_at, row.id)):
        if case.is_open:
            open_cases[case.shop_id, case.order_no].append(case)
    return tuple(
        msgspec.structs.replace(
            _other(row, by_order[row.id], open_cases[row.shop_id, row.order_no], phones, malls),
            twins=twins.get(row.id, ()),
        )
        for row in found
    )


def _other(
    row: Any, order_lines: list[Any], order_cases: list[Any], phones: frozenset[bytes], malls: Malls
) -> OtherOrder:
    is_by_phone = row.buyer_phone_idx in phones or row.receiver_phone_idx in phones
    return OtherOrder(
        order_id=row.id,
        order_no=row.order_no,
        shop=row.shop,
        mark=mall_mark(malls, row.mall),
        ordered_at=from_ms(row.ordered_at),
        product_name=order_lines[0].product_name if order_lines else "",
        line_count=len(order_lines),
        statuses=tuple(dict.fromkeys(line.status for line in order_lines)),
        open_case_id=order_cases[0].id if order_cases else None,
        open_kinds=tuple(dict.fromkeys(case.kind for case in order_cases)),
        matched_by="phone" if is_by_phone else "email",
    )


_LINES: Final = (
    select(lines.c.order_id, lines.c.product_name, lines.c.status)
    .where(among(lines.c.order_id, "orders"))
    .order_by(lines.c.order_id, lines.c.line_no)
)
# Sorted and sifted by whoever reads: in the statement both would lead the planner to the index of all open cases.
_CASES: Final = select(
    cases.c.id, cases.c.shop_id, cases.c.order_no, cases.c.kind, cases.c.is_open, cases.c.due_at
).where(among(cases.c.shop_id, "shops"), among(cases.c.order_no, "numbers"))
