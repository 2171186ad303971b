"""One box: order, line and tracking numbers, phones, names, e-mails, products. It says what it looked for."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.person import summarise
from hub.desk.services import Services
from hub.desk.views import CaseRow, OtherOrder
from hub.desk.worklist import case_row, select_rows
from hub.store.sealed import folded, normal_email, normal_name, normal_phone
from hub.store.tables import cases, inquiries, lines, orders, products, shops

LIMIT: Final = 30
LENGTH: Final = 100
_FEWEST_DIGITS: Final = 8


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
            connection, _order_matches(text, shop_ids, phones=phones, emails=emails, names=names), shop_ids
        )
        if len(order_rows) <= LIMIT:
            order_rows = _merge(order_rows, await _orders_of_product(connection, text, shop_ids))
        inquiry_cases = await connection.execute(_inquiry_cases(text, shop_ids, phones=phones, names=names))
        found_cases = inquiry_cases.all()
        found_orders = await summarise(
            connection, order_rows[:LIMIT], phones=frozenset(phones), malls=services.registry
        )
    now = services.now()
    return SearchResult(
        text=text,
        searched=_searched(phones=phones, emails=emails),
        orders=found_orders,
        cases=tuple(case_row(row, malls=services.registry, now=now) for row in found_cases[:LIMIT]),
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
    by_line = select(lines.c.order_id).where(
        or_(
            lines.c.shop_id.in_(shop_ids) & (lines.c.line_no == text),
            lines.c.tracking_no == text,
            lines.c.tracking_no == text.replace("-", ""),
        )
    )
    which = [orders.c.order_no == text, orders.c.market_order_no == text, orders.c.id.in_(by_line)]
    if phones:
        which += [orders.c.buyer_phone_idx.in_(phones), orders.c.receiver_phone_idx.in_(phones)]
    if emails:
        which.append(orders.c.buyer_email_idx.in_(emails))
    if names:
        which += [orders.c.buyer_name_idx.in_(names), orders.c.receiver_name_idx.in_(names)]
    return or_(*which)


def _select_orders() -> Select[Any]:
    return (
        select(orders, shops.c.name.label("shop"), shops.c.mall)
        .select_from(orders.join(shops, shops.c.id == orders.c.shop_id))
        .order_by(orders.c.ordered_at.desc(), orders.c.id.desc())
        .limit(LIMIT + 1)
    )


async def _orders(connection: AsyncConnection, which: ColumnElement[bool], shop_ids: Sequence[int]) -> list[Row[Any]]:
    return list((await connection.execute(_select_orders().where(which, orders.c.shop_id.in_(shop_ids)))).all())


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
    return await _orders(connection, orders.c.id.in_(select(lines.c.order_id).where(or_(*same))), shop_ids)


def _merge(first: list[Row[Any]], second: list[Row[Any]]) -> list[Row[Any]]:
    known = {row.id for row in first}
    return first + [row for row in second if row.id not in known]


def _inquiry_cases(
    text: str, shop_ids: Sequence[int], *, phones: Sequence[bytes], names: Sequence[bytes]
) -> Select[Any]:
    """Cases of inquiries by number, writer or product: questions often come without an order."""
    which: list[ColumnElement[bool]] = [inquiries.c.shop_id.in_(shop_ids) & (inquiries.c.inquiry_no == text)]
    if phones:
        which.append(inquiries.c.writer_phone_idx.in_(phones))
    if names:
        which.append(inquiries.c.writer_name_idx.in_(names))
    threads = select(inquiries.c.shop_id, inquiries.c.thread_no).where(or_(*which)).limit(10 * LIMIT).subquery()
    same_thread = (threads.c.shop_id == cases.c.shop_id) & (threads.c.thread_no == cases.c.thread_no)
    return (
        select_rows()
        .where(cases.c.shop_id.in_(shop_ids), select(1).where(same_thread).exists())
        .order_by(cases.c.is_open.desc(), cases.c.opened_at.desc(), cases.c.id)
        .limit(LIMIT + 1)
    )
