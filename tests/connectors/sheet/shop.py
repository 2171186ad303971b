"""A shop that is read from files, without a database, and files to hand in."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import xlsxwriter

from connectors.sheet.connector import SheetConnector
from hub.core.contract import OpenKeys, Page, Reading, ShopContext, Span
from hub.core.files import ColumnRule, FileKind, Layout, Upload
from hub.core.inbox import MemoryInbox
from hub.core.model import ShopRef

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
HEADINGS = {
    "주문번호": "order_no",
    "순번": "line_no",
    "주문상태": "status",
    "상품명": "product_name",
    "수량": "quantity",
    "주문일시": "ordered_at",
    "수취인": "receiver_name",
}
ROW = ("A-1001", "1", "배송중", "머그컵", "2", "2026-11-22 10:00", "홍길동")


def layout(kind: FileKind = FileKind.ORDERS, headings: dict[str, str] | None = None, **more: Any) -> Layout:
    rules = tuple(ColumnRule(heading=heading, field=field) for heading, field in (headings or HEADINGS).items())
    return Layout(kind=kind, columns=rules, **more)


def text_file(
    rows: Sequence[Sequence[Any]],
    *,
    headings: Sequence[str] = tuple(HEADINGS),
    encoding: str = "utf-8-sig",
    kind: FileKind = FileKind.ORDERS,
    name: str = "orders.csv",
) -> Upload:
    out = io.StringIO()
    csv.writer(out).writerows([headings, *rows])
    return Upload(kind=kind, name=name, body=out.getvalue().encode(encoding))


def workbook(rows: Sequence[Sequence[Any]], *, merged: Sequence[tuple[int, int, int, Any]] = ()) -> bytes:
    """``merged``: column, first and last row, value."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        page = book.add_worksheet("주문")
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, datetime):
                    page.write_datetime(number, place, cell, day)
                elif cell is not None:
                    page.write(number, place, cell)
        for column, first, last, value in merged:
            page.merge_range(first, column, last, column, value)
    return out.getvalue()


class Shop:
    """``now`` is moved by hand; every connector is opened anew over the same inbox."""

    def __init__(self, **credentials: Any) -> None:
        self.now = START
        self.inbox = MemoryInbox()
        self._credentials = credentials
        self.codes: dict[str, int] = {}

    def connector(self) -> SheetConnector:
        return SheetConnector(
            ShopContext(
                shop=ShopRef(name="welfare", mall="sheet"),
                base_url=None,
                credentials=self._credentials,
                secrets=None,  # type: ignore[arg-type]  # never asked
                now=lambda: self.now,
                sleep=asyncio.sleep,
                inbox=self.inbox,
            )
        )

    async def hand_in(self, upload: Upload, *, after: timedelta = timedelta(hours=1)) -> str:
        self.now += after
        key, _ = await self.connector().receive_file(upload, at=self.now, by="kim")
        return key

    async def keep(self, kept: Layout) -> None:
        await self.connector().keep_layout(kept, at=self.now, by="lee")

    def span(self, since: datetime | None = None) -> Span:
        return Span(since=since or START - timedelta(days=1), until=self.now, is_full=since is None)

    async def pages(
        self, *, since: datetime | None = None, cursor: str | None = None, inquiries: bool = False
    ) -> list[Page]:
        connector = self.connector()
        read = connector.read_inquiries if inquiries else connector.read_orders
        pages = [page async for page in read(self.span(since), open_keys=OpenKeys(), cursor=cursor)]
        self.codes = dict(connector.unknown_codes)
        return pages

    async def readings(self, **how: Any) -> list[Reading]:
        return [reading for page in await self.pages(**how) for reading in page.readings]
