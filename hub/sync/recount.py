"""The deadlines of open cases, counted anew when a new policy book is in force.

In batches, each a transaction of its own with a fixed number of queries. The routing book tells whom to
ask; no deadline comes from it. What the mall tells of a case later counts by the new book anyhow.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import bindparam, select, update

from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.store.books import BookKind
from hub.store.database import Database, to_ms
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import cases, rule_books
from hub.sync.cases import CaseKeeper

BATCH: Final = 200
#: cases of one call, so that no call takes long; whoever calls next goes on
MOST: Final = 5_000
#: a case counted while the book was being written may not have seen it
_GRACE_MS: Final = 1_000
_OVER: Final = timedelta(minutes=1)


class Uncounted(Struct, frozen=True, kw_only=True):
    """Open cases of these shops were counted before ``version`` of the policy book was in force.

    ``is_final``: no case can come to them any more.
    """

    version: int
    shop_ids: tuple[int, ...]
    is_final: bool


async def find_uncounted(database: Database, *, now: datetime) -> Uncounted | None:
    """``None`` where no policy book was ever written."""
    async with database.reading() as connection:
        book = (await connection.execute(_NEWEST)).one_or_none()
        if book is None:
            return None
        ids = await connection.scalars(_SHOPS, {"before": book.created_at + _GRACE_MS})
        return Uncounted(
            version=book.version,
            shop_ids=tuple(ids),
            is_final=(to_ms(now) or 0) > book.created_at + _OVER // timedelta(milliseconds=1),
        )


async def recount(
    database: Database,
    *,
    countries: Mapping[str, str],
    now: datetime,
    shop_ids: Sequence[int] | None = None,
    most: int = MOST,
    clocks: tuple[MallClock, ...] | None = None,
) -> int:
    """Count at most ``most`` cases of these shops, or of all, by the newest book; returns how many.

    ``countries`` tells the calendar of each mall; shops of a mall that is not in it are left alone.
    """
    found = await find_uncounted(database, now=now)
    if found is None:
        return 0
    wanted = set(found.shop_ids if shop_ids is None else shop_ids)
    counted = 0
    for shop in await ShopStore(database).all():
        if shop.id in wanted and shop.mall in countries:
            keeper = CaseKeeper(
                database,
                shop=shop,
                country=countries[shop.mall],
                clocks=standard_clocks() if clocks is None else clocks,
            )
            counted += await _recount_shop(database, keeper, shop, now=now, most=most - counted)
    return counted


async def _recount_shop(database: Database, keeper: CaseKeeper, shop: ShopRow, *, now: datetime, most: int) -> int:
    counted, after = 0, 0
    while counted < most:
        async with database.writing() as connection:
            before = await connection.scalar(_NEWEST_AT)
            given = {"shop_id": shop.id, "before": (before or 0) + _GRACE_MS, "after": after}
            # Locked first: what a sync writes meanwhile is not undone by what was read before it. Cases that
            # a sync holds are left to it, so that neither waits for the other.
            query = _BATCH.limit(min(BATCH, most - counted))
            rows = (await connection.execute(query, given)).all()
            if not rows:
                return counted
            await keeper.refresh(
                connection,
                claimed=[(row.order_no, row.kind) for row in rows if row.thread_no is None],
                threads=[row.thread_no for row in rows if row.thread_no is not None],
                now=now,
            )
            # Also one of which the mall no longer shows anything: it is not found again.
            ids = [row.id for row in rows]
            await connection.execute(update(cases).where(cases.c.id.in_(ids)).values(updated_at=to_ms(now)))
        counted, after = counted + len(rows), rows[-1].id
    return counted


_OLDER = cases.c.is_open & (cases.c.updated_at < bindparam("before"))
_NEWEST = (
    select(rule_books.c.version, rule_books.c.created_at)
    .where(rule_books.c.kind == BookKind.POLICY.value)
    .order_by(rule_books.c.version.desc())
    .limit(1)
)
_NEWEST_AT = select(_NEWEST.subquery().c.created_at)
_SHOPS = select(cases.c.shop_id).where(_OLDER).distinct().order_by(cases.c.shop_id)
_BATCH = (
    select(cases.c.id, cases.c.order_no, cases.c.kind, cases.c.thread_no)
    .where(cases.c.shop_id == bindparam("shop_id"), _OLDER, cases.c.id > bindparam("after"))
    .order_by(cases.c.id)
    .with_for_update(skip_locked=True)
)
