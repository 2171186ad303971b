"""A line that was paid anew for goods that are there never reaches the warehouse."""

from typing import Final

from sqlalchemy import select

from hub.desk.acting.action import Action, ActionRequest, WrongRequestError
from hub.store.database import Database
from hub.store.tables import rebills

#: what would send goods, or tell the mall that they are being made ready
HELD: Final = frozenset({Action.CONFIRM, Action.DISPATCH, Action.DELAY, Action.REDELIVER_EXCHANGE})


class RebilledError(WrongRequestError):
    """The line stands in place of a line of ``old_order_no`` whose goods the customer has."""

    def __init__(self, old_order_no: str) -> None:
        super().__init__(
            f"this line was paid anew for order {old_order_no}, whose goods are delivered: nothing may be sent",
            field="line_no",
        )
        self.old_order_no = old_order_no


async def require_to_be_sent(database: Database, *, shop_id: int, request: ActionRequest) -> None:
    """Holds from the moment that somebody asks for it, approved or not: what was sent cannot be called back.

    Raises: RebilledError.
    """
    if request.action not in HELD:
        return
    query = (
        select(rebills.c.old_order_no)
        .where(
            rebills.c.new_shop_id == shop_id,
            rebills.c.new_order_no == (request.order_no or ""),
            rebills.c.new_line_no.in_(request.lines),
            rebills.c.undone_at.is_(None),
        )
        .limit(1)
    )
    async with database.reading() as connection:
        old_order_no = await connection.scalar(query)
    if old_order_no is not None:
        raise RebilledError(old_order_no)
