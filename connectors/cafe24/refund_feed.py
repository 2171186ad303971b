"""Orders whose refund moved: no kind of order date shows it, only the list of refunds does.

Source: Cafe24 Admin API, version 2026-03-01, GET /refunds; confidence: sure for dates and paging.
"""

from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime

import structlog

from connectors.cafe24.client import REFUND_LIMIT, REFUND_WALL, Cafe24Client, Rows
from connectors.cafe24.decoding import decode
from connectors.cafe24.listing import every_row
from connectors.cafe24.values import code
from connectors.cafe24.wire import refund_decoder
from hub.core.errors import AccessError, MalformedResponseError, MallError, NotFoundAtMallError, RejectedByMallError
from hub.core.paging import Window

log = structlog.get_logger(__name__)

#: a refund is accepted first and paid later
DATE_TYPES = ("accepted_refund_date", "refund_date")
_UNAUTHORIZED = 401


class RefundFeed:
    """Names orders only. What was paid back stands in the claim that comes with the order.

    A mall that does not give the list (no scope, an older server) loses nothing but the moment of a
    refund: that is logged once, counted in the unknown codes, told by the check, and the run goes on.
    """

    def __init__(self, client: Cafe24Client, *, shop_nos: Sequence[int], codes: Counter[str]) -> None:
        self._client = client
        self._shop_nos = shop_nos
        self._codes = codes
        self._is_noted = False

    async def orders(self, spans: Iterable[tuple[datetime, datetime]]) -> set[str]:
        """Numbers of the orders with a refund accepted or paid within ``spans`` (both ends included).

        Raises: TransientMallError, and AccessError when the token itself is refused.
        """
        windows = [Window(since=since, until=until) for since, until in spans]
        try:
            return {
                number
                for shop_no in self._shop_nos
                for date_type in DATE_TYPES
                for window in windows
                for number in await self._window(shop_no, date_type, window)
            }
        except (AccessError, NotFoundAtMallError, RejectedByMallError) as error:
            if error.status == _UNAUTHORIZED:
                raise
            self._note(error)
            return set()

    async def _window(self, shop_no: int, date_type: str, window: Window) -> set[str]:
        def ask(part: Window, offset: int) -> Awaitable[Rows]:
            return self._client.refunds(
                shop_no=shop_no, date_type=date_type, since=part.since, until=part.until, offset=offset
            )

        return {
            number
            async for rows in every_row(window, ask, limit=REFUND_LIMIT, wall=REFUND_WALL)
            for number in filter(None, map(self._order_no, rows))
        }

    def _order_no(self, row: bytes) -> str | None:
        try:
            number = code(decode(refund_decoder, row).order_id)
        except MalformedResponseError:
            number = None
        if number is None:
            self._codes["refund.order_id"] += 1
        return number

    def _note(self, error: MallError) -> None:
        self._codes[f"refunds not listed:{error.status}"] += 1
        if not self._is_noted:
            log.warning("refunds.not_listed", shop=error.shop, status=error.status)
            self._is_noted = True
