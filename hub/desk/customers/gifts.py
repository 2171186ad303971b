"""What was given to a customer over all malls, and its sums in stretches of twelve months."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Money
from hub.desk.care.compensation_views import counted, gift_view, joined_gifts, select_gifts
from hub.desk.care.views import GiftView
from hub.desk.customers.history import Keys
from hub.desk.customers.identity import Identity, Standing, identity_of_row, inquiry_columns, order_columns
from hub.desk.customers.views import GiftSum
from hub.desk.record_views import Curtain
from hub.store.box import Box
from hub.store.database import to_ms
from hub.store.tables import cases, compensations, inquiries, orders

SHOWN: Final = 20
_YEAR_MS: Final = 365 * 24 * 3600 * 1000


def _given(keys: Keys) -> Any:
    """``gift_id`` of every compensation of these, with whose it is: by its order, else by the thread of its case."""
    gift_id = compensations.c.id.label("gift_id")
    of_order = (orders.c.shop_id == compensations.c.shop_id) & (orders.c.order_no == compensations.c.order_no)
    of_thread = (inquiries.c.shop_id == cases.c.shop_id) & (inquiries.c.thread_no == cases.c.thread_no)
    return union(
        select(gift_id, *order_columns())
        .select_from(compensations.join(orders, of_order))
        .where(orders.c.id.in_(keys.orders())),
        select(gift_id, *inquiry_columns())
        .select_from(compensations.join(cases, cases.c.id == compensations.c.case_id).join(inquiries, of_thread))
        .where(inquiries.c.writer_phone_idx.in_(keys.phones), compensations.c.order_no.is_(None)),
    ).subquery("given")


async def read_gift_history(
    connection: AsyncConnection,
    keys: Keys,
    *,
    standing: Callable[[Identity], Standing],
    box: Box,
    curtain: Curtain,
    now: datetime,
) -> tuple[tuple[tuple[GiftView, Standing], ...], tuple[GiftSum, ...]]:
    """The newest SHOWN that were really given, and the sums of all; without those of who was split off."""
    given = _given(keys)
    years_ago = ((to_ms(now) or 0) - compensations.c.given_at) // _YEAR_MS
    whose = (given.c.phone_idx, given.c.email_idx, given.c.name_idx)
    newest = (
        select_gifts()
        .join(given, given.c.gift_id == compensations.c.id)
        .add_columns(*whose)
        .where(counted())
        .order_by(compensations.c.given_at.desc(), compensations.c.id.desc())
        .limit(SHOWN)
    )
    by_year: Select[Any] = (
        select(
            *whose,
            years_ago.label("years_ago"),
            compensations.c.currency,
            func.count().label("many"),
            func.sum(compensations.c.amount_minor).label("minor"),
        )
        .select_from(joined_gifts().join(given, given.c.gift_id == compensations.c.id))
        .where(counted())
        .group_by(*whose, years_ago, compensations.c.currency)
    )
    shown = [(row, standing(identity_of_row(row))) for row in await connection.execute(newest)]
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in await connection.execute(by_year):
        how = standing(identity_of_row(row))
        if how is Standing.SPLIT:
            continue
        of_year = sums[max(0, int(row.years_ago)), row.currency]
        of_year[0] += int(row.minor) if how.is_sure else 0
        of_year[1] += int(row.minor)
        of_year[2] += int(row.many)
    return (
        tuple((gift_view(row, box=box, curtain=curtain), how) for row, how in shown if how is not Standing.SPLIT),
        tuple(
            GiftSum(
                years_ago=years,
                sure=Money(minor=sure, currency=currency),
                total=Money(minor=total, currency=currency),
                count=count,
            )
            for (years, currency), (sure, total, count) in sorted(sums.items())
        ),
    )
