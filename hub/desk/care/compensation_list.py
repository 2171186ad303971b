"""The ledger of compensations: what waits for a supervisor, what was given, and the sums that partners settle.

Screen, file and command line read the same rows: those that were really given, each once, a row taken
back beside the row that takes it back. Sums are by partner and currency; they add up to those of the rows.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, func, select

from hub.desk.access import Actor, Permission, require
from hub.desk.care.compensation_views import counted, gift_view, joined_gifts, select_gifts
from hub.desk.care.views import GiftState, GiftView
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.tables import compensations

PAGE: Final = 200
_CHUNK: Final = 1_000
#: as a filter: rows without a partner's share
NOBODY: Final = "-"


class LedgerSpan(Struct, frozen=True, kw_only=True):
    """Half-open, aware. ``partner`` absent: all; "-": rows in which no partner has a share."""

    since: datetime | None = None
    until: datetime | None = None
    partner: str | None = None


class LedgerSum(Struct, frozen=True, kw_only=True):
    """``partner_minor`` and ``our_minor`` add up to ``amount_minor``."""

    partner: str | None
    currency: str
    count: int
    amount_minor: int
    partner_minor: int

    @property
    def our_minor(self) -> int:
        return self.amount_minor - self.partner_minor


class LedgerRow(Struct, frozen=True, kw_only=True):
    """One row of the file; the columns are a contract (docs/command-line.md). Times are ISO 8601 UTC."""

    compensation_id: str
    given_at: str
    month: str
    shop: str
    mall: str
    order_no: str | None
    line_no: str | None
    kind: str
    reason: str
    currency: str
    amount_minor: int
    partner: str | None
    partner_minor: int
    our_minor: int
    policy_version: int | None
    given_by: str | None
    approved_by: str | None
    reverses_id: str | None
    action_id: str | None


class LedgerPage(Struct, frozen=True, kw_only=True):
    """``waiting`` are asked for; ``unsettled`` were sent to a mall of which nobody knows; neither is in ``sums``."""

    rows: tuple[GiftView, ...]
    sums: tuple[LedgerSum, ...]
    waiting: tuple[GiftView, ...]
    unsettled: tuple[GiftView, ...]
    partners: tuple[str, ...]
    next_after: int | None


def month_span(month: str, *, zone: ZoneInfo, partner: str | None = None) -> LedgerSpan:
    """The days of "2026-11" in the centre's zone. Raises: ValueError."""
    first = date.fromisoformat(f"{month}-01")
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last))
    return LedgerSpan(since=start, until=end, partner=partner)


async def read_ledger(services: Services, *, actor: Actor, span: LedgerSpan, after: int | None = None) -> LedgerPage:
    """Newest first, 200 at a time; ``after`` is the last page's ``next_after``. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    query = select_gifts().where(counted(), *_within(span)).order_by(compensations.c.id.desc()).limit(PAGE + 1)
    if after is not None:
        query = query.where(compensations.c.id < after)
    waits = compensations.c.state.in_((GiftState.ASKED.value, GiftState.SENDING.value))
    async with services.database.reading() as connection:
        found = (await connection.execute(query)).all()
        open_rows = (await connection.execute(select_gifts().where(waits).order_by(compensations.c.id))).all()
        partners = await connection.scalars(
            select(compensations.c.partner)
            .where(compensations.c.partner.is_not(None))
            .distinct()
            .order_by(compensations.c.partner)
        )
        names = tuple(name for name in partners if name)
    undecided = _views(services, open_rows)
    return LedgerPage(
        rows=_views(services, found[:PAGE]),
        sums=await read_sums(services, actor=actor, span=span),
        waiting=tuple(gift for gift in undecided if gift.state is GiftState.ASKED),
        unsettled=tuple(gift for gift in undecided if gift.state is GiftState.SENDING),
        partners=names,
        next_after=found[PAGE - 1].id if len(found) > PAGE else None,
    )


def _views(services: Services, rows: Iterable[Any]) -> tuple[GiftView, ...]:
    curtain = Curtain(is_open=False)
    return tuple(gift_view(row, box=services.database.box, curtain=curtain) for row in rows)


async def read_sums(services: Services, *, actor: Actor, span: LedgerSpan) -> tuple[LedgerSum, ...]:
    """By partner and currency; rows without a partner's share last. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    query = (
        select(
            compensations.c.partner,
            compensations.c.currency,
            func.count().label("rows"),
            func.sum(compensations.c.amount_minor).label("amount_minor"),
            func.sum(compensations.c.partner_minor).label("partner_minor"),
        )
        .select_from(joined_gifts())
        .where(counted(), *_within(span))
        .group_by(compensations.c.partner, compensations.c.currency)
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    sums = (
        LedgerSum(
            partner=row.partner,
            currency=row.currency,
            count=int(row.rows),
            amount_minor=int(row.amount_minor),
            partner_minor=int(row.partner_minor),
        )
        for row in rows
    )
    return tuple(sorted(sums, key=lambda each: (each.partner is None, each.partner or "", each.currency)))


def _within(span: LedgerSpan) -> Sequence[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if span.since is not None:
        which.append(compensations.c.given_at >= to_ms(span.since))
    if span.until is not None:
        which.append(compensations.c.given_at < to_ms(span.until))
    if span.partner == NOBODY:
        which.append(compensations.c.partner_minor == 0)
    elif span.partner is not None:
        which.append(compensations.c.partner == span.partner)
    return which


async def ledger_rows(services: Services, *, span: LedgerSpan) -> AsyncIterator[LedgerRow]:
    """Every row of the span, oldest first, in the memory of one chunk. The caller has checked and logged the right."""
    after = 0
    while True:
        query = (
            select_gifts()
            .where(counted(), *_within(span), compensations.c.id > after)
            .order_by(compensations.c.id)
            .limit(_CHUNK)
        )
        async with services.database.reading() as connection:
            rows = (await connection.execute(query)).all()
        for gift in _views(services, rows):
            yield _ledger_row(gift, services.settings.zone)
        if len(rows) < _CHUNK:
            return
        after = rows[-1].id


def _ledger_row(gift: GiftView, zone: ZoneInfo) -> LedgerRow:
    return LedgerRow(
        compensation_id=str(gift.gift_id),
        given_at=gift.given_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        month=gift.given_at.astimezone(zone).strftime("%Y-%m"),
        shop=gift.shop,
        mall=gift.mall,
        order_no=gift.order_no,
        line_no=gift.line_no,
        kind=gift.kind,
        reason=gift.reason,
        currency=gift.amount.currency,
        amount_minor=gift.amount.minor,
        partner=gift.partner,
        partner_minor=gift.partner_share.minor,
        our_minor=gift.our_share.minor,
        policy_version=gift.policy_version,
        given_by=gift.given_by,
        approved_by=gift.approved_by,
        reverses_id=str(gift.reverses_id) if gift.reverses_id else None,
        action_id=str(gift.action_id) if gift.action_id else None,
    )
