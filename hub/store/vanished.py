"""Questions that their mall has no more: what they are called, and how they come back.

The canonical state of such a question stays what the mall told last, as with order lines; ``vanished_at`` says
that it is no longer true.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, among, from_ms
from hub.store.tables import inquiries

#: in place of the state, on screens and in figures
VANISHED: Final = "vanished"


def shown_state() -> ColumnElement[str]:
    """Of a row of ``inquiries``."""
    return case((inquiries.c.vanished_at.is_not(None), literal(VANISHED)), else_=inquiries.c.state)


async def bring_back(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """The mall shows these again, just as they were: only that they were sought is forgotten."""
    if ids:
        await connection.execute(_BRING_BACK, [{"row_id": row_id} for row_id in ids])


class Sought(NamedTuple):
    id: int
    thread_no: str
    sought_at: int | None
    missing_since: int | None
    vanished_at: int | None


async def sought_among(
    database: Database, connection: AsyncConnection, *, shop_id: int, numbers: Collection[str]
) -> list[Sought]:
    """Those of these inquiry numbers that the mall was asked for because it did not show them."""
    if not numbers:
        return []
    given = {"shop_id": shop_id, "numbers": sorted(numbers)}
    return [Sought._make(row) for row in await database.fetch(connection, _SOUGHT, given)]


async def keep_sought(connection: AsyncConnection, sought: Sequence[Sought]) -> None:
    """What was read meanwhile came from the hub's own shelf: the mall has not shown them again."""
    rows = [{f"of_{name}": value for name, value in one._asdict().items()} for one in sought]
    if rows:
        await connection.execute(_KEEP_SOUGHT, rows)


_SOUGHT: Final = select(*(inquiries.c[name] for name in Sought._fields)).where(
    inquiries.c.shop_id == bindparam("shop_id"),
    inquiries.c.sought_at.is_not(None),
    among(inquiries.c.inquiry_no, "numbers"),
)
_KEEP_SOUGHT: Final = (
    update(inquiries)
    .where(inquiries.c.id == bindparam("of_id"))
    .values({name: bindparam(f"of_{name}") for name in ("sought_at", "missing_since", "vanished_at")})
)
_BRING_BACK: Final = (
    update(inquiries)
    .where(inquiries.c.id == bindparam("row_id"))
    .values(sought_at=None, missing_since=None, vanished_at=None)
)


async def vanished_at(database: Database, shop_id: int, inquiry_no: str) -> datetime | None:
    """When the hub found that the mall has this question no more; ``None`` while it has it."""
    query = select(inquiries.c.vanished_at).where(inquiries.c.shop_id == shop_id, inquiries.c.inquiry_no == inquiry_no)
    async with database.reading() as connection:
        return from_ms(await connection.scalar(query))
