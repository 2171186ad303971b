"""One box: order, line and tracking numbers, phones, names, e-mails, products. It says what it looked for."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.person import NEWEST_FIRST, summarise
from hub.desk.services import Services
from hub.desk.views import CaseRow, OtherOrder
from hub.desk.worklist import case_rows, select_rows
from hub.store.sealed import folded, normal_email, normal_name, normal_phone
from hub.store.tables import cases, inquiries, lines, orders, products, shops

LIMIT: Final = 30
LENGTH: Final = 100
_FEWEST_DIGITS: Final = 8
_THREADS: Final = 5 * LIMIT


class SearchedBy(StrEnum):
    NUMBER = "number"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"
    PRODUCT = "product"


class SearchResult(Struct, frozen=True, kw_only=True):
    """``searched`` tells which readings of the text were tried; ``is_cut`` that there is more than shown."""

    text: str
    searched: tuple[SearchedBy, ...]
    orders: tuple[OtherOrder, ...]
    cases: tuple[CaseRow, ...]
    is_cut: bool


async def search(services: Services, *, actor: Actor, text: str) -> SearchResult:
    """Look the text up in every sense it can have; newest first, at most LIMIT orders and LIMIT cases.

    Numbers, phones, names and e-mails match as a whole, product names in part. Raises: ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    text = " ".join(text.split())[:LENGTH]
    if not text:
        return SearchResult(text="", searched=(), orders=(), cases=(), is_cut=False)
    box = services.database.box
    phones = [box.blind("phone", phone) for phone in _phones(text)]
    email = normal_email(text)
    emails = [box.blind("email", email)] if email else []
    name = normal_name(text)
    names = [box.blind("name", name)] if name else []
    async with services.database.reading() as connection:
        shop_ids = list((await connection.execute(select(shops.c.id).where(shops.c.is_active))).scalars())
        order_rows = await _orders(
            connection, _order_matches(text, shop_ids, phones=phones, emails=emails, names=names)
        )
        if len(order_rows) <= LIMIT:
            order_rows = _merge(order_rows, await _orders_of_product(connection, text, shop_ids))
        found_cases = await _inquiry_cases(connection, text, shop_ids, phones=phones, names=names)
        found_orders = await summarise(
            connection, order_rows[:LIMIT], phones=frozenset(phones), malls=services.registry
        )
        case_views = await case_rows(connection, found_cases[:LIMIT], malls=services.registry, now=services.now())
    return SearchResult(
        text=text,
        searched=_searched(phones=phones, emails=emails),
        orders=found_orders,
        cases=case_views,
        is_cut=len(order_rows) > LIMIT or len(found_cases) > LIMIT,
    )


def _phones(text: str) -> list[str]:
    """The text as a phone of each country we sell in; only when it is long enough to be one."""
    if sum(char.isdigit() for char in text) < _FEWEST_DIGITS or any(char.isalpha() for char in text):
        return []
    found = (normal_phone(text, country) for country in ("KR", "JP"))
    return [phone for phone in dict.fromkeys(found) if phone]


def _searched(*, phones: Sequence[bytes], emails: Sequence[bytes]) -> tuple[SearchedBy, ...]:
    searched = [SearchedBy.NUMBER]
    if phones:
        searched.append(SearchedBy.PHONE)
    if emails:
        searched.append(SearchedBy.EMAIL)
    return (*searched, SearchedBy.NAME, SearchedBy.PRODUCT)


def _order_matches(
    text: str, shop_ids: Sequence[int], *, phones: Sequence[bytes], emails: Sequence[bytes], names: Sequence[bytes]
) -> ColumnElement[bool]:
    """One index search for each sense: with OR the planner would rather walk all orders by their date."""
    matches = [orders.c.order_no == text, orders.c.market_order_no == text]
    if phones:
        matches += [orders.c.buyer_phone_idx.in_(phones), orders.c.receiver_phone_idx.in_(phones)]
    if emails:
        matches.append(orders.c.buyer_email_idx.in_(emails))
    if names:
        matches += [orders.c.buyer_name_idx.in_(names), orders.c.receiver_name_idx.in_(names)]
    tracking_nos = {text, text.replace("-", "")}
    by_line = [
        select(lines.c.order_id).where(lines.c.shop_id.in_(shop_ids), lines.c.line_no == text),
        select(lines.c.order_id).where(lines.c.tracking_no.in_(tracking_nos)),
    ]
    return orders.c.id.in_(union(*(select(orders.c.id).where(match) for match in matches), *by_line))


def _select_orders() -> Select[Any]:
    return (
        select(orders, shops.c.name.label("shop"), shops.c.mall)
        .select_from(orders.join(shops, shops.c.id == orders.c.shop_id))
        .where(shops.c.is_active)
        .order_by(*NEWEST_FIRST)
        .limit(LIMIT + 1)
    )


async def _orders(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Row[Any]]:
    return list((await connection.execute(_select_orders().where(which))).all())


async def _orders_of_product(connection: AsyncConnection, text: str, shop_ids: Sequence[int]) -> list[Row[Any]]:
    """By product name: first the few names, then the lines of these products by their index."""
    names = (
        select(products.c.shop_id, products.c.code)
        .where(products.c.name_folded.contains(folded(text), autoescape=True), products.c.shop_id.in_(shop_ids))
        .limit(LIMIT)
    )
    found = (await connection.execute(names)).all()
    if not found:
        return []
    same = [(lines.c.shop_id == row.shop_id) & (lines.c.product_code == row.code) for row in found]
    return await _orders(connection, orders.c.id.in_(select(lines.c.order_id).where(or_(*same))))


def _merge(first: list[Row[Any]], second: list[Row[Any]]) -> list[Row[Any]]:
    known = {row.id for row in first}
    return first + [row for row in second if row.id not in known]


async def _inquiry_cases(
    connection: AsyncConnection,
    text: str,
    shop_ids: Sequence[int],
    *,
    phones: Sequence[bytes],
    names: Sequence[bytes],
) -> list[Row[Any]]:
    """Cases of inquiries by number or writer: questions often come without an order. Open ones first."""
    matches: list[ColumnElement[bool]] = [inquiries.c.shop_id.in_(shop_ids) & (inquiries.c.inquiry_no == text)]
    if phones:
        matches.append(inquiries.c.writer_phone_idx.in_(phones))
    if names:
        matches.append(inquiries.c.writer_name_idx.in_(names))
    threads = union(*(select(inquiries.c.shop_id, inquiries.c.thread_no).where(match) for match in matches))
    found = (await connection.execute(threads.limit(_THREADS))).all()
    if not found:
        return []
    # By their key, written out: each is one search of its index.
    keys = [(cases.c.shop_id == row.shop_id) & (cases.c.thread_no == row.thread_no) for row in found]
    rows = (await connection.execute(select_rows().where(or_(*keys), shops.c.is_active))).all()
    return sorted(rows, key=lambda row: (row.is_open, row.opened_at, row.id), reverse=True)
