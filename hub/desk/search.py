"""One box: order, line and tracking numbers, phones, names, e-mails, products, text. It says what it looked for."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Row, Select, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.person import NEWEST_FIRST, summarise
from hub.desk.search_numbers import Numbers, case_of, orders_of, read_numbers, threads_of
from hub.desk.search_words import find_words, read_words
from hub.desk.services import Services
from hub.desk.views import CaseRow, DueView, OtherOrder
from hub.desk.worklist import case_rows, select_rows
from hub.store.sealed import normal_email, normal_name
from hub.store.search_documents import Document, Group
from hub.store.search_index import count_waiting
from hub.store.tables import cases, orders, shops

LENGTH: Final = 100


class SearchedBy(StrEnum):
    NUMBER = "number"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"
    PRODUCT = "product"
    TEXT = "text"


class Extent(Struct, frozen=True, kw_only=True):
    """How many orders and cases each are shown, and up to how many they are counted."""

    shown: int
    counted: int


#: a page of its own; and the list under the box while somebody types
PAGE: Final = Extent(shown=50, counted=200)
QUICK: Final = Extent(shown=6, counted=20)


class SearchResult(Struct, frozen=True, kw_only=True):
    """``searched`` tells which readings of the text were tried; ``is_cut`` that there is more than shown.

    ``order_count`` and ``case_count`` are exact, or there are more (``many_orders``, ``many_cases``). ``opens``:
    the one order that a number means. ``dues``: deadlines of the orders' open cases by the case's id.
    ``waiting``: rows that parts of words do not find yet.
    """

    text: str
    searched: tuple[SearchedBy, ...]
    orders: tuple[OtherOrder, ...]
    cases: tuple[CaseRow, ...]
    is_cut: bool
    many_orders: bool = False
    many_cases: bool = False
    order_count: int = 0
    case_count: int = 0
    opens: int | None = None
    dues: dict[int, DueView] = {}
    waiting: int = 0


class _Typed(Struct, frozen=True, kw_only=True):
    """The text in every sense that it can have; people's data as blind indexes."""

    numbers: Numbers
    phones: tuple[bytes, ...]
    emails: tuple[bytes, ...]
    names: tuple[bytes, ...]


async def search(services: Services, *, actor: Actor, text: str, extent: Extent = PAGE) -> SearchResult:
    """Look the text up in every sense it can have; orders newest first, open cases before closed ones.

    Numbers, phones and e-mails match as a whole, names, products and text in parts of two characters and
    more, every word of them. Raises: ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    text = " ".join(text.replace("\0", " ").split())[:LENGTH]
    if not text:
        return SearchResult(text="", searched=(), orders=(), cases=(), is_cut=False)
    database, words = services.database, read_words(text)
    async with database.reading() as connection:
        typed = _read(services, await read_numbers(connection, text), text)
        order_hits = await find_words(database, connection, words, Group.ORDER, limit=extent.counted)
        case_hits = await find_words(database, connection, words, Group.CASE, limit=extent.counted)
        order_ids = await _order_ids(connection, typed, order_hits.documents, extent)
        case_ids = await _case_ids(connection, typed, case_hits.documents, extent)
        found_orders = await _orders(services, connection, order_ids[: extent.shown], typed)
        of_orders = [each.open_case_id for each in found_orders if each.open_case_id is not None]
        rows = await _cases(services, connection, [*case_ids[: extent.shown], *of_orders])
        waiting = await count_waiting(connection)
    result = SearchResult(
        text=text,
        searched=_searched(typed, has_words=bool(words.pairs)),
        orders=found_orders,
        cases=tuple(rows[each] for each in case_ids[: extent.shown] if each in rows),
        dues={each: due for each in of_orders if each in rows and (due := rows[each].due) is not None},
        is_cut=len(order_ids) > extent.shown or len(case_ids) > extent.shown,
        many_orders=order_hits.is_many or len(order_ids) > extent.counted,
        many_cases=case_hits.is_many or len(case_ids) > extent.counted,
        order_count=min(len(order_ids), extent.counted),
        case_count=min(len(case_ids), extent.counted),
        waiting=waiting,
    )
    return msgspec.structs.replace(result, opens=_opens(result) if typed.numbers.is_one else None)


def _read(services: Services, numbers: Numbers, text: str) -> _Typed:
    blind = services.database.box.blind
    email, name = normal_email(text), normal_name(text)
    return _Typed(
        numbers=numbers,
        phones=tuple(blind("phone", phone) for phone in numbers.phones),
        emails=(blind("email", email),) if email else (),
        # Whole names need no index of parts, which follows the runs: whoever was read just now is found too.
        names=(blind("name", name),) if name else (),
    )


def _searched(typed: _Typed, *, has_words: bool) -> tuple[SearchedBy, ...]:
    tried = {
        SearchedBy.NUMBER: True,
        SearchedBy.PHONE: bool(typed.phones),
        SearchedBy.EMAIL: bool(typed.emails),
        SearchedBy.NAME: True,
        SearchedBy.PRODUCT: has_words,
        SearchedBy.TEXT: has_words,
    }
    return tuple(by for by, is_tried in tried.items() if is_tried)


def _opens(result: SearchResult) -> int | None:
    """The order, when it is the only one and every case is about it."""
    if len(result.orders) != 1 or result.is_cut:
        return None
    only = result.orders[0]
    mine = {(only.shop, only.order_no), *((twin.shop, twin.order_no) for twin in only.twins)}
    return only.order_id if all((case.shop, case.order_no) in mine for case in result.cases) else None


# orders


async def _order_ids(
    connection: AsyncConnection, typed: _Typed, documents: Sequence[Document], extent: Extent
) -> list[int]:
    """One index search for each sense: with OR the planner would rather walk all orders by their date."""
    matches = []
    if typed.phones:
        matches += [orders.c.buyer_phone_idx.in_(typed.phones), orders.c.receiver_phone_idx.in_(typed.phones)]
    if typed.emails:
        matches.append(orders.c.buyer_email_idx.in_(typed.emails))
    if typed.names:
        matches += [orders.c.buyer_name_idx.in_(typed.names), orders.c.receiver_name_idx.in_(typed.names)]
    if documents:
        matches.append(orders.c.id.in_([document.row_id for document in documents]))
    which = union(*orders_of(typed.numbers), *(select(orders.c.id).where(match) for match in matches))
    query = select(orders.c.id).where(orders.c.id.in_(which), orders.c.shop_id.in_(typed.numbers.shop_ids))
    return list(await connection.scalars(query.order_by(*NEWEST_FIRST).limit(extent.counted + 1)))


async def _orders(
    services: Services, connection: AsyncConnection, ids: Sequence[int], typed: _Typed
) -> tuple[OtherOrder, ...]:
    if not ids:
        return ()
    query = (
        select(orders, shops.c.name.label("shop"), shops.c.mall)
        .select_from(orders.join(shops, shops.c.id == orders.c.shop_id))
        .where(orders.c.id.in_(ids))
        .order_by(*NEWEST_FIRST)
    )
    rows = (await connection.execute(query)).all()
    return await summarise(connection, rows, phones=frozenset(typed.phones), malls=services.registry)


# cases


async def _case_ids(
    connection: AsyncConnection, typed: _Typed, documents: Sequence[Document], extent: Extent
) -> list[int]:
    """Open ones first, then by when they were opened: questions often come without an order."""
    threads = threads_of(typed.numbers, phones=typed.phones, names=typed.names).limit(extent.counted + 1)
    by_thread = {(row.shop_id, row.thread_no) for row in await connection.execute(threads)}
    by_thread |= {(each.shop_id, each.thread_no) for each in documents if each.thread_no is not None}
    by_claim = {(each.shop_id, each.order_no, each.kind) for each in documents if each.kind is not None}
    by_id = {each.case_id for each in documents if each.case_id is not None}
    found: list[Row[Any]] = []
    # Sifted here: pairs in the statement would be a condition for each, compiled anew for each number of them.
    if by_thread:
        query = _keyed(cases.c.thread_no, (thread_no for _, thread_no in by_thread), typed.numbers)
        found += [row for row in await connection.execute(query) if (row.shop_id, row.thread_no) in by_thread]
    if by_claim:
        query = _keyed(cases.c.order_no, (order_no for _, order_no, _ in by_claim), typed.numbers)
        rows = await connection.execute(query.where(cases.c.thread_no.is_(None)))
        found += [row for row in rows if (row.shop_id, row.order_no, row.kind) in by_claim]
    if by_id:
        found += (await connection.execute(_keyed(cases.c.id, by_id, typed.numbers))).all()
    if (query_of_one := case_of(typed.numbers)) is not None:
        found += (await connection.execute(_keyed(cases.c.id, query_of_one, typed.numbers))).all()
    newest = sorted(found, key=lambda row: (row.is_open, row.opened_at, row.id), reverse=True)
    return list(dict.fromkeys(row.id for row in newest))


def _keyed(column: Any, values: Iterable[Any] | Select[Any], numbers: Numbers) -> Select[Any]:
    among = values if isinstance(values, Select) else sorted(set(values))
    return select(
        cases.c.id,
        cases.c.shop_id,
        cases.c.thread_no,
        cases.c.order_no,
        cases.c.kind,
        cases.c.is_open,
        cases.c.opened_at,
    ).where(column.in_(among), cases.c.shop_id.in_(numbers.shop_ids))


async def _cases(services: Services, connection: AsyncConnection, ids: Sequence[int]) -> dict[int, CaseRow]:
    if not ids:
        return {}
    rows = (await connection.execute(select_rows().where(cases.c.id.in_(sorted(set(ids)))))).all()
    shown = await case_rows(connection, rows, malls=services.registry, now=services.now())
    return {row.case_id: row for row in shown}
