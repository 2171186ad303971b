"""After the reading: what a mall without change marks left unsaid.

Some malls list orders and claims apart, drop cancelled orders from the list without a word, and let
refused claims simply disappear. Nothing is concluded from absence alone: what a complete run did
not show is asked for by its number.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector, Feed, Reading, ReadsOneOrder
from hub.core.errors import NotFoundAtMallError
from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.records import Counts
from hub.store.tables import claims, inquiries, lines, orders, status_changes
from hub.store.twins import link_twins
from hub.sync.ingest import Ingest
from hub.sync.open_keys import OPEN_LINES
from hub.sync.seen import Seen

log = structlog.get_logger(__name__)

_ENDED_LINES = (LineStatus.CANCELLED.value, LineStatus.RETURNED.value, LineStatus.EXCHANGED.value)
_ENDS_LINE = {
    ClaimKind.CANCEL.value: LineStatus.CANCELLED.value,
    ClaimKind.ADMIN_CANCEL.value: LineStatus.CANCELLED.value,
    ClaimKind.RETURN.value: LineStatus.RETURNED.value,
}

#: lines asked for one by one and stored in one transaction
_AT_ONCE = 50


class Linker:
    """Inquiries that name a line only: the order it belongs to is found once both are known."""

    def __init__(self, database: Database, *, shop_id: int, ingest: Ingest, now: Callable[[], datetime]) -> None:
        self._database = database
        self._shop_id = shop_id
        self._ingest = ingest
        self._now = now

    async def link(self) -> None:
        async with self._database.writing() as connection:
            await self.link_in(connection)

    async def link_in(self, connection: AsyncConnection) -> None:
        """The same on the caller's transaction."""
        query = select(inquiries.c.id, inquiries.c.thread_no, inquiries.c.line_nos).where(
            inquiries.c.shop_id == self._shop_id, inquiries.c.order_no.is_(None), inquiries.c.line_nos != "[]"
        )
        lone = {row.id: (row.thread_no, _first(row.line_nos)) for row in await connection.execute(query)}
        if not lone:
            return
        order_of_line = {
            row.line_no: row.order_no
            for row in await connection.execute(
                select(lines.c.line_no, orders.c.order_no)
                .join_from(lines, orders, orders.c.id == lines.c.order_id)
                .where(lines.c.shop_id == self._shop_id, lines.c.line_no.in_({line for _, line in lone.values()}))
            )
        }
        found = [
            {"row_id": inquiry_id, "found_order_no": order_of_line[line_no]}
            for inquiry_id, (_, line_no) in lone.items()
            if line_no in order_of_line
        ]
        if not found:
            return
        # The digest stays: the same inquiry read again writes nothing.
        await connection.execute(
            update(inquiries).where(inquiries.c.id == bindparam("row_id")).values(order_no=bindparam("found_order_no")),
            found,
        )
        threads = {lone[row["row_id"]][0] for row in found}
        await self._ingest.refresh_cases(connection, threads=threads, now=self._now())


def _first(line_nos: str) -> str:
    numbers: list[str] = msgspec.json.decode(line_nos)
    return numbers[0]


async def tie_twins(database: Database, *, shop_id: int, mall: str) -> None:
    """Orders that another mall delivered as well are recognised, whichever of the two was read first."""
    async with database.writing() as connection:
        tied = await link_twins(database, connection, shop_id=shop_id, mall=mall)
    if tied:
        log.info("sync.twins.tied", count=tied)


class Settler:
    def __init__(
        self,
        database: Database,
        *,
        shop_id: int,
        connector: Connector,
        ingest: Ingest,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._shop_id = shop_id
        self._connector = connector
        self._ingest = ingest
        self._now = now

    async def settle(
        self,
        *,
        since: datetime,
        seen: Seen | None,
        asks_every_claim: bool = False,
    ) -> dict[Feed, Counts]:
        """Finish a complete run that began at ``since``.

        ``seen`` is what an unbroken full run showed, ``None`` after any other run: then nothing
        is judged to have vanished. ``asks_every_claim``: lines are asked for that only an old claim has
        named. Raises: MallError when asking fails; what was settled stays.
        """
        asked: dict[str, set[str]] = defaultdict(set)
        for order_no, line_no in await self._claims_without_line(
            since if seen is None and not asks_every_claim else None
        ):
            asked[order_no].add(line_no)
        if seen is not None:
            for order_no, line_no in await self._open_lines(seen):
                asked[order_no].add(line_no)
            for order_no, line_no in await self._open_claims(seen):
                asked[order_no].add(line_no)
        counts = await self._ask(asked)
        async with self._database.writing() as connection:
            await self.end_lines(connection, since=since)
        return counts

    async def _ask(self, asked: Mapping[str, set[str]]) -> dict[Feed, Counts]:
        counts = {feed: Counts() for feed in Feed}
        if not isinstance(self._connector, ReadsOneOrder):
            return counts
        wanted = [(order_no, line_no) for order_no, line_nos in sorted(asked.items()) for line_no in sorted(line_nos)]
        for first in range(0, len(wanted), _AT_ONCE):
            await self._ask_some(self._connector, wanted[first : first + _AT_ONCE], counts)
        return counts

    async def _ask_some(
        self, connector: ReadsOneOrder, wanted: Sequence[tuple[str, str]], counts: dict[Feed, Counts]
    ) -> None:
        readings: list[Reading] = []
        shown: set[str] = set()
        gone: set[str] = set()
        try:
            for order_no, line_no in wanted:
                try:
                    readings += await connector.read_order(order_no, (line_no,))
                    shown.add(line_no)
                except NotFoundAtMallError:
                    gone.add(line_no)
        finally:
            # A call that fails for good does not undo those before it.
            if shown:
                await self._store(readings, shown, counts)
            counts[Feed.ORDERS].vanished += await self._mark_vanished(gone)

    async def _store(self, readings: Sequence[Reading], line_nos: set[str], counts: dict[Feed, Counts]) -> None:
        now = self._now()
        async with self._database.writing() as connection:
            written = await self._ingest.page(connection, readings, feed=Feed.ORDERS, now=now)
            known = await connection.execute(
                select(claims.c.order_no, claims.c.kind).where(
                    claims.c.shop_id == self._shop_id, claims.c.line_no.in_(line_nos)
                )
            )
            await self._ingest.refresh_cases(connection, claimed={(row.order_no, row.kind) for row in known}, now=now)
        for feed, added in written.counts.items():
            counts[feed].add(added)

    async def _claims_without_line(self, since: datetime | None) -> Iterable[tuple[str, str]]:
        """Lines that only a claim has named. ``since`` keeps to claims written in this run."""
        query = (
            select(claims.c.order_no, claims.c.line_no)
            .select_from(
                claims.outerjoin(lines, (lines.c.shop_id == claims.c.shop_id) & (lines.c.line_no == claims.c.line_no))
            )
            .where(claims.c.shop_id == self._shop_id, lines.c.id.is_(None))
        )
        if since is not None:
            query = query.where(claims.c.fetched_at >= to_ms(since))
        async with self._database.reading() as connection:
            return [(row.order_no, row.line_no) for row in await connection.execute(query)]

    async def _open_lines(self, seen: Seen) -> list[tuple[str, str]]:
        """Orders and lines that should have been shown and were not."""
        query = (
            select(orders.c.order_no, lines.c.line_no)
            .select_from(lines.join(orders, orders.c.id == lines.c.order_id))
            .where(lines.c.shop_id == self._shop_id, lines.c.status.in_(OPEN_LINES), lines.c.vanished_at.is_(None))
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).all()
        lacking = seen.lacks(Feed.ORDERS, (row.line_no for row in found))
        return [(row.order_no, row.line_no) for row in found if row.line_no in lacking]

    async def _open_claims(self, seen: Seen) -> list[tuple[str, str]]:
        query = select(claims.c.claim_key, claims.c.order_no, claims.c.line_no).where(
            claims.c.shop_id == self._shop_id, claims.c.is_open
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).all()
        lacking = seen.lacks(Feed.CLAIMS, (row.claim_key for row in found))
        return [(row.order_no, row.line_no) for row in found if row.claim_key in lacking]

    async def _mark_vanished(self, line_nos: set[str]) -> int:
        if not line_nos:
            return 0
        statement = (
            update(lines)
            .where(
                lines.c.shop_id == self._shop_id,
                lines.c.line_no.in_(line_nos),
                lines.c.vanished_at.is_(None),
            )
            .values(vanished_at=to_ms(self._now()))
        )
        async with self._database.writing() as connection:
            return (await connection.execute(statement)).rowcount

    async def end_lines(self, connection: AsyncConnection, *, since: datetime) -> None:
        """Lines whose finished claims leave nothing, of what was written ``since``: the order list does not say so.

        Only the status is touched, not the digest: the same list row read again changes nothing.
        """
        taken = func.sum(func.coalesce(claims.c.quantity, lines.c.quantity))
        query = (
            select(
                lines.c.id,
                lines.c.status,
                lines.c.raw_status,
                func.min(claims.c.kind).label("kind"),
                func.max(claims.c.ended_at).label("ended_at"),
            )
            .select_from(
                lines.join(claims, (claims.c.shop_id == lines.c.shop_id) & (claims.c.line_no == lines.c.line_no))
            )
            .where(
                lines.c.shop_id == self._shop_id,
                lines.c.status.not_in(_ENDED_LINES),
                claims.c.state == ClaimState.DONE.value,
                claims.c.kind.in_(list(_ENDS_LINE)),
                (claims.c.fetched_at >= to_ms(since)) | (lines.c.fetched_at >= to_ms(since)),
            )
            .group_by(lines.c.id, lines.c.status, lines.c.raw_status, lines.c.quantity)
            .having(taken >= lines.c.quantity)
        )
        ended = list(await connection.execute(query))
        if not ended:
            return
        seen_at = to_ms(self._now())
        await connection.execute(
            update(lines)
            .where(lines.c.id == bindparam("row_id"))
            .values(status=bindparam("new_status"), remaining_quantity=0),
            [{"row_id": row.id, "new_status": _ENDS_LINE[row.kind]} for row in ended],
        )
        await connection.execute(
            status_changes.insert(),
            [
                {
                    "id": new_id(),
                    "shop_id": self._shop_id,
                    "subject": "line",
                    "subject_id": row.id,
                    "from_status": row.status,
                    "to_status": _ENDS_LINE[row.kind],
                    "raw_status": row.raw_status,
                    "mall_at": row.ended_at,
                    "seen_at": seen_at,
                }
                for row in ended
            ],
        )
