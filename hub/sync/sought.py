"""Questions that a mall does not show any more: sought by number, and only then believed to be gone.

Malls drop inquiries without a word: deleted by who wrote them, withdrawn, beyond what a list gives. As with
orders nothing is concluded from absence alone. A question is gone when, twice and hours apart, a reading that
came to its end did not show it and, asked for by its number, the mall said that there is none. What the mall
shows again, in any reading, is there again.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector, Feed, Reading, ReadsOneInquiry
from hub.core.errors import (
    MalformedResponseError,
    NotFoundAtMallError,
    RejectedByMallError,
    UnsupportedByMallError,
)
from hub.core.model import Inquiry, InquiryState
from hub.store.database import Database, among, to_ms
from hub.store.one import unpack_inquiry
from hub.store.records import Counts
from hub.store.sealed import INQUIRY_PLACE
from hub.store.tables import inquiries
from hub.sync.ingest import Ingest

log = structlog.get_logger(__name__)

#: what was sought by its number is not sought again sooner, and is not believed gone before it was sought again.
#: Longer than the nightly maintenance of a mall.
APART: Final = timedelta(hours=6)
#: the same where a reading has shown no question of that kind at all: more likely a mall that answers with nothing
APART_WHEN_EMPTY: Final = timedelta(days=7)
#: questions that one run seeks, those that nobody has sought first
MOST: Final = 200


def is_waiting(*, now: datetime) -> ColumnElement[bool]:
    """A question that is open, and was not sought by its number a short while ago: runs read it again by key."""
    return (
        (inquiries.c.state != InquiryState.ANSWERED.value)
        & inquiries.c.vanished_at.is_(None)
        & or_(inquiries.c.sought_at.is_(None), inquiries.c.sought_at <= to_ms(now - APART))
    )


class _Waiting(NamedTuple):
    id: int
    inquiry_no: str
    thread_no: str
    kind: str
    missing_since: int | None
    sealed: bytes


class Unshown:
    """The open questions that one reading has not shown yet, and the kinds of those that it has."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self.numbers = set(numbers)
        self.kinds: set[str] = set()

    def note(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            # As the store has it. A broken record with a number is there, whatever stands in it.
            self.numbers.discard(reading.key.replace("\0", ""))
            if isinstance(reading.record, Inquiry):
                self.numbers.discard(reading.record.inquiry_no.replace("\0", ""))
                self.kinds.add(reading.record.kind.value)


class Seeker:
    """Asks one shop's mall for questions by number, and keeps what it says of them."""

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

    async def seek(self, unshown: Unshown) -> Counts:
        """After a reading that came to its end. Returns what was read, and how many are gone.

        Raises: MallError when asking fails for another reason than the question; what was found out stays.
        """
        counts = Counts()
        if not unshown.numbers or not isinstance(self._connector, ReadsOneInquiry):
            return counts
        given = {"shop_id": self._shop_id, "numbers": sorted(unshown.numbers)}
        async with self._database.reading() as connection:
            rows = await self._database.fetch(connection, _WAITING, given)
        for row in rows:
            await self._seek_one(self._connector, _Waiting._make(row), unshown, counts)
        return counts

    async def _seek_one(self, connector: ReadsOneInquiry, row: _Waiting, unshown: Unshown, counts: Counts) -> None:
        inquiry = unpack_inquiry(self._database.box.open(row.sealed, INQUIRY_PLACE))
        try:
            reading = await connector.read_inquiry(inquiry)
        except NotFoundAtMallError:
            apart = APART if row.kind in unshown.kinds else APART_WHEN_EMPTY
            counts.vanished += await self._note_missing(row, apart=apart)
        except (RejectedByMallError, MalformedResponseError, UnsupportedByMallError) as error:
            # It cannot be told of this one; the others can be asked for.
            log.info("sync.inquiry.not_told", kind=error.kind)
            async with self._database.writing() as connection:
                await connection.execute(_SOUGHT, {"row_id": row.id, "at": to_ms(self._now())})
        else:
            await self._note_found(row, reading, counts)

    async def _note_found(self, row: _Waiting, reading: Reading, counts: Counts) -> None:
        now = self._now()
        async with self._database.writing() as connection:
            written = await self._ingest.page(connection, [reading], feed=Feed.INQUIRIES, now=now)
            await connection.execute(_FOUND, {"row_id": row.id, "at": to_ms(now)})
        counts.add(written.counts[Feed.INQUIRIES])

    async def _note_missing(self, row: _Waiting, *, apart: timedelta) -> int:
        """Returns 1 when it is believed gone now. Its case is closed in the same transaction."""
        now = self._now()
        is_gone = row.missing_since is not None and row.missing_since <= (to_ms(now - apart) or 0)
        async with self._database.writing() as connection:
            await note_missing(connection, shop_id=self._shop_id, inquiry_no=row.inquiry_no, now=now)
            if not is_gone:
                log.info("sync.inquiry.missing")
                return 0
            # Shown meanwhile by whoever else reads this shop, it is there.
            changed = await connection.execute(
                _VANISH, {"row_id": row.id, "since": row.missing_since, "at": to_ms(now)}
            )
            if changed.rowcount:
                await self._ingest.refresh_cases(connection, threads={row.thread_no}, now=now)
                log.info("sync.inquiry.vanished")
            return changed.rowcount


async def note_missing(connection: AsyncConnection, *, shop_id: int, inquiry_no: str, now: datetime) -> None:
    """Asked for by its number, the mall has said that there is no such question. What is gone already stays so."""
    given = {"of_shop": shop_id, "number": inquiry_no, "at": to_ms(now)}
    await connection.execute(_MISSING, given)


_OF_ROW: Final = inquiries.c.id == bindparam("row_id")
_WAITING: Final = (
    select(*(inquiries.c[name] for name in _Waiting._fields))
    .where(
        inquiries.c.shop_id == bindparam("shop_id"),
        among(inquiries.c.inquiry_no, "numbers"),
        inquiries.c.state != literal_column(f"'{InquiryState.ANSWERED.value}'"),
        inquiries.c.vanished_at.is_(None),
    )
    .order_by(func.coalesce(inquiries.c.sought_at, literal_column("0")), inquiries.c.id)
    .limit(literal_column(str(MOST)))
)
_SOUGHT: Final = update(inquiries).where(_OF_ROW).values(sought_at=bindparam("at"))
_FOUND: Final = update(inquiries).where(_OF_ROW).values(sought_at=bindparam("at"), missing_since=None)
_MISSING: Final = (
    update(inquiries)
    .where(
        inquiries.c.shop_id == bindparam("of_shop"),
        inquiries.c.inquiry_no == bindparam("number"),
        inquiries.c.vanished_at.is_(None),
    )
    .values(sought_at=bindparam("at"), missing_since=func.coalesce(inquiries.c.missing_since, bindparam("at")))
)
_VANISH: Final = (
    update(inquiries)
    .where(_OF_ROW, inquiries.c.missing_since == bindparam("since"), inquiries.c.vanished_at.is_(None))
    .values(vanished_at=bindparam("at"))
)
