"""The deadlines of open cases, counted anew when a new policy book is in force, or a row of it begins or ends.

In batches, each a transaction of its own with a fixed number of queries. The routing book tells whom to
ask; no deadline comes from it. What the mall tells of a case later counts by the new book anyhow.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import bindparam, select, update

from hub.core.errors import ConfigurationError
from hub.policy.book import decode
from hub.policy.calendar import business_calendar
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.policy.switches import turning_days
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
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
#: whose days the rows of a book are
_COUNTRIES: Final = ("KR", "JP")


class Uncounted(Struct, frozen=True, kw_only=True):
    """Open cases of these shops were counted before ``version`` of the policy book was in force, or before the last
    day on which its rows changed.

    ``is_final``: no case can come to them any more. ``turned_at``: since when its rows hold as they do now, in
    stored milliseconds.
    """

    version: int
    shop_ids: tuple[int, ...]
    is_final: bool
    turned_at: int


async def find_uncounted(database: Database, *, now: datetime) -> Uncounted | None:
    """``None`` where no policy book was ever written."""
    async with database.reading() as connection:
        book = (await connection.execute(_NEWEST)).one_or_none()
        if book is None:
            return None
        since = max(book.created_at, _turned_at(book.body, now))
        ids = await connection.scalars(_SHOPS, {"before": since + _GRACE_MS})
        return Uncounted(
            version=book.version,
            shop_ids=tuple(ids),
            is_final=(to_ms(now) or 0) > since + _OVER // timedelta(milliseconds=1),
            turned_at=since,
        )


def days_of_rows(now: datetime) -> tuple[date, ...]:
    """Today, as the rows of a book mean it: as long as it is the same, no row begins or ends."""
    return tuple(business_calendar(country).day_of(now) for country in _COUNTRIES)


def _turned_at(body: str, now: datetime) -> int:
    """When the rows of a book changed last by their own days; 0 where they never did, or nobody can read it."""
    try:
        days = turning_days(decode(body.encode()))
    except ConfigurationError:
        return 0  # the shipped clocks hold meanwhile, and the log tells
    calendars = [business_calendar(country) for country in _COUNTRIES]
    # A day has begun everywhere once it has begun in the last country.
    begun = [max(calendar.end_of(day - _DAY) for calendar in calendars) for day in days]
    return max((to_ms(at + _SECOND) or 0 for at in begun if at + _SECOND <= now), default=0)


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
            counted += await _recount_shop(
                database, keeper, shop, now=now, most=most - counted, turned_at=found.turned_at
            )
    return counted


async def _recount_shop(
    database: Database, keeper: CaseKeeper, shop: ShopRow, *, now: datetime, most: int, turned_at: int
) -> int:
    counted, after = 0, 0
    while counted < most:
        async with database.writing() as connection:
            before = await connection.scalar(_NEWEST_AT)
            given = {"shop_id": shop.id, "before": max(before or 0, turned_at) + _GRACE_MS, "after": after}
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
    select(rule_books.c.version, rule_books.c.created_at, rule_books.c.body)
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
